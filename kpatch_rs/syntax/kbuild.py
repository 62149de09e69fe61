"""Kbuild files: which lists they assign, under which conditions, and what they include.

A reader of our own, because the listed one cannot: tree-sitter-make leaves 16 to 228 ERROR nodes in
the Makefiles of real kernels (nested `$(…)` in names, `ifeq` within rules), and offsets behind an
ERROR are not to be trusted. It reads logical lines only, as GNU make splits them (read.c): it
expands nothing and decides no condition.

Guarantees: offsets are into the bytes given; any bytes can be read; linear in their number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_REFERENCE = rb"\$(?:\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|\{[^{}]*\})"
_NAME = rb"(?:%s|\+(?!=)|[^\s:=#$?!+])+" % _REFERENCE
_ASSIGNMENT = re.compile(
    rb"(?P<indent>\s*)(?:(?:override|export|private)[ \t]+)*(?P<name>%s)(?P<gap>[ \t]*)"
    rb"(?P<op>:{0,3}=|\+=|\?=|!=)" % _NAME
)
_WORD = re.compile(rb"(?:%s|[^\s$]|\$)+" % _REFERENCE)
_DIRECTIVE = re.compile(rb"\s*(ifdef|ifndef|ifeq|ifneq|else|endif)(?=[\s(#]|$)[ \t]*([^#]*)")
_DEFINE = re.compile(rb"\s*(?:(?:override|export)[ \t]+)*define[ \t]")
_ENDEF = re.compile(rb"\s*endef(?=[\s#]|$)")
_INCLUDE = re.compile(rb"\s*(?:-include|sinclude|include)[ \t]+([^#]*)")
_COMMENT = re.compile(rb"(?<!\\)#")
_LINE = re.compile(rb"(?:[^\\\n]+|\\(?:\r?\n|[^\n]|$))*\n?")
_CONTINUATION = re.compile(rb"\\\r?\n")
_LIST = re.compile(
    rb"(?P<stem>.+?)-(?:(?P<plain>y|m|objs)|\$[({]CONFIG_(?P<config>\w+)[)}]|(?P<other>\$.+))", re.S
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One branch of one conditional: all that stands in the same branch has an equal one."""

    block: int
    """Where the block's first line begins."""
    branch: int
    """0 for the `if…`, counting up with each `else`."""
    text: bytes
    """The branch's line without comment: `ifdef CONFIG_FOO`, `else`."""


Context = tuple[Condition, ...]
"""The branches a line stands in, outermost first; empty at the top level."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a value; a `$(…)` reference is never split."""

    text: bytes
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """`name op words`, on one logical line."""

    start: int
    end: int
    """Behind the line's newline."""
    context: Context
    indent: bytes
    name: bytes
    gap: bytes
    """The blanks between name and operator."""
    op: bytes
    words: tuple[Word, ...]

    @property
    def resets(self) -> bool:
        """Whether what was in the variable before is lost."""
        return self.op not in (b"+=", b"?=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """`include names`."""

    start: int
    end: int
    context: Context
    names: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One conditional, from its `if…` to behind its `endif`."""

    start: int
    end: int
    branches: int
    complete: bool
    """Whether its last branch is a plain `else`: one of the branches is always taken."""


@dataclass(frozen=True, slots=True)
class Makefile:
    """What a Kbuild file says, in the order of its lines."""

    statements: tuple[Assignment | Include, ...]
    blocks: tuple[Block, ...]

    def block(self, condition: Condition) -> Block | None:
        """The block `condition` belongs to; None where its `endif` is missing."""
        return next((b for b in self.blocks if b.start == condition.block), None)


@dataclass(frozen=True, slots=True)
class ListName:
    """`kvm-intel-$(CONFIG_FOO)` taken apart: stem `kvm-intel`, config `FOO`.

    scripts/Makefile.lib joins `-objs`, `-y` and, for modules, `-m` of a stem into one list.
    """

    stem: bytes
    plain: bytes = b""
    """y, m or objs."""
    config: bytes = b""
    other: bytes = b""
    """Any other `$(…)` in the place of y."""


def list_name(name: bytes) -> ListName | None:
    """Take a variable's name apart; None where it names no Kbuild list."""
    found = _LIST.fullmatch(name)
    if not found:
        return None
    parts = {key: value or b"" for key, value in found.groupdict().items()}
    return ListName(parts["stem"], parts["plain"], parts["config"], parts["other"])


def read_makefile(data: bytes) -> Makefile:
    """Read a Kbuild file. Rules with their recipes and `define` bodies are passed over."""
    reader = _Reader()
    for start, line in logical_lines(data):
        reader.take(start, line)
    return Makefile(tuple(reader.statements), tuple(reader.blocks))


def logical_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each logical line with its offset; continuations become blanks, so that offsets hold."""
    for found in _LINE.finditer(data):
        if found[0]:
            yield found.start(), _CONTINUATION.sub(lambda m: b" " * len(m[0]), found[0])


class _Reader:
    """The state make keeps between lines: open conditionals, an open define, a waiting rule."""

    def __init__(self) -> None:
        self.statements: list[Assignment | Include] = []
        self.blocks: list[Block] = []
        self._open: list[Condition] = []
        self._defines = 0
        self._rule = False

    def take(self, start: int, line: bytes) -> None:
        if self._defines or _DEFINE.match(line):
            self._defines += bool(_DEFINE.match(line)) - bool(_ENDEF.match(line))
            self._rule = False
        elif line.startswith(b"\t") and self._rule:
            pass  # a recipe line: make takes a tab for one only while a rule is open (read.c)
        elif found := _DIRECTIVE.match(line):
            self._conditional(start, start + len(line), found[1], found[0].strip())
        elif line.strip() and not line.lstrip().startswith(b"#"):
            self._statement(start, line)

    def _conditional(self, start: int, end: int, word: bytes, text: bytes) -> None:
        if word.startswith(b"if"):
            self._open.append(Condition(start, 0, text))
        elif self._open:
            last = self._open.pop()
            if word == b"else":
                self._open.append(Condition(last.block, last.branch + 1, text))
            else:
                self.blocks.append(Block(last.block, end, last.branch + 1, last.text == b"else"))

    def _statement(self, start: int, line: bytes) -> None:
        end, context = start + len(line), tuple(self._open)
        assigned, included = _ASSIGNMENT.match(line), _INCLUDE.match(line)
        self._rule = not (assigned or included)
        if assigned:
            comment = _COMMENT.search(line, assigned.end())
            value = line[: comment.start()] if comment else line
            words = (Word(m[0], start + m.start()) for m in _WORD.finditer(value, assigned.end()))
            self.statements.append(
                Assignment(
                    start=start,
                    end=end,
                    context=context,
                    words=tuple(words),
                    **{key: assigned[key] for key in ("indent", "name", "gap", "op")},
                )
            )
        elif included:
            names = tuple(included[1].split())
            self.statements.append(Include(start=start, end=end, context=context, names=names))
