"""C source with all that is not code blanked out, and its braces paired.

tree-sitter's tree of a whole kernel file cannot be trusted with extents: macros leave 20 to 160
ERROR nodes in it, and functions get lost in them. Braces can, once comments, literals and
directives are out of the way and both arms of an `#if` are counted from the same depth. The text
keeps its length: every offset in `code` is the offset in `data`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

_NOT_CODE = re.compile(
    rb"""
    (?P<directive>^[ \t]*\#(?:/\*.*?\*/|"(?:\\.|[^"\\\n])*"|//[^\n]*|\\\r?\n|[^\n])*)
    |(?P<blank>/\*.*?(?:\*/|\Z)|//(?:\\\r?\n|[^\n])*)
    |(?P<quote>["'])(?:\\.|(?!(?P=quote))[^\\\n])*(?P=quote)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_DIRECTIVE = re.compile(rb"\s*#\s*(\w*)[ \t]*(.*)", re.DOTALL)
_TO_SPACES = bytes(byte if byte == 0x0A else 0x20 for byte in range(256))
_COMMENT = re.compile(rb"/\*.*?\*/|//[^\n]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Directive:
    """One preprocessor line, with its continuation lines; `end` is before its newline."""

    start: int
    end: int
    name: bytes
    """if, ifdef, else, include, ..."""
    rest: bytes
    """What follows the name, without comments."""

    @property
    def opens(self) -> bool:
        """Whether it begins a conditional."""
        return self.name in (b"if", b"ifdef", b"ifndef")

    @property
    def turns(self) -> bool:
        """Whether it begins another arm."""
        return self.name in (b"else", b"elif", b"elifdef", b"elifndef")


@dataclass(frozen=True, slots=True, eq=False)
class CText:
    """A C file: its bytes, its code, its directives, and the partner of every brace."""

    data: bytes
    code: bytes
    """As long as `data`; comments, directives, `#if 0` and what is in quotes are blanks."""
    directives: tuple[Directive, ...]
    closing: dict[int, int] = field(compare=False)
    """`{` → its `}`; a brace without a partner is not in it."""
    outer: tuple[int, ...] = ()
    """The `{` at the top level, in order."""

    def line_start(self, offset: int) -> int:
        """The first byte of the line that holds `offset`."""
        return self.data.rfind(b"\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """The byte after the newline of the line that holds `offset`."""
        end = self.data.find(b"\n", offset)
        return len(self.data) if end < 0 else end + 1

    def indent(self, offset: int) -> bytes:
        """The blanks that begin the line of `offset`."""
        start = self.line_start(offset)
        line = self.data[start : self.line_end(offset)]
        return line[: len(line) - len(line.lstrip(b" \t"))]

    def blank(self, start: int, end: int) -> bool:
        """Whether there is no code in the range."""
        return not self.code[start:end].strip()

    def between(self, start: int, end: int) -> tuple[Directive, ...]:
        """The directives in the range."""
        return tuple(d for d in self.directives if start <= d.start < end)

    def conditionals(self, start: int, end: int) -> int:
        """How many `#if` of the range are still open at its end; -1: one was closed or turned."""
        depth = 0
        for directive in self.between(start, end):
            depth += directive.opens - (directive.name == b"endif")
            if depth < 0 or (directive.turns and not depth):
                return -1
        return depth

    def enclosing(self, offset: int) -> tuple[Directive, ...]:
        """The `#if`s that `offset` stands in, the outermost first."""
        opened: list[Directive] = []
        for directive in self.between(0, offset):
            if directive.opens:
                opened.append(directive)
            elif directive.name == b"endif" and opened:
                opened.pop()
        return tuple(opened)

    def partner(self, offset: int) -> int:
        """The `)` of the `(` at `offset`; -1 where it has none."""
        depth = 0
        for found in re.finditer(rb"[()]", self.code[offset:]):
            depth += 1 if found[0] == b"(" else -1
            if not depth:
                return offset + found.start()
        return -1


@lru_cache(maxsize=64)
def c_text(data: bytes) -> CText:
    """Read `data`; never fails, whatever the bytes are."""
    directives: list[Directive] = []

    def blanked(found: re.Match[bytes]) -> bytes:
        if found["directive"] is not None:
            directives.append(_directive(found))
        elif found["quote"]:
            return found["quote"] + _spaces(found[0][1:-1]) + found["quote"]
        return _spaces(found[0])

    code = _without_dead(_NOT_CODE.sub(blanked, data), directives)
    closing, outer = _braces(code, directives)
    return CText(data, code, tuple(directives), closing, tuple(sorted(outer)))


def words(code: bytes) -> list[bytes]:
    """The words and the signs of C, one by one."""
    return re.findall(rb"\w+|[^\w\s]", code)


def _spaces(text: bytes) -> bytes:
    return text.translate(_TO_SPACES)


def _directive(found: re.Match[bytes]) -> Directive:
    parts = _DIRECTIVE.match(_COMMENT.sub(b" ", found[0]))
    name, rest = parts.groups() if parts else (b"", b"")
    return Directive(found.start(), found.end(), name, rest.strip())


def _without_dead(code: bytes, directives: list[Directive]) -> bytes:
    """`code` without what stands in `#if 0`: it is a comment in all but name."""
    dead, depth, since = bytearray(code), 0, -1
    for d in directives:
        if since >= 0:
            depth += d.opens - (d.name == b"endif")
            if not depth or (depth == 1 and d.turns):
                dead[since : d.start] = _spaces(code[since : d.start])
                since = -1
        elif d.name == b"if" and d.rest == b"0":
            depth, since = 1, d.end
    return bytes(dead)


_Open = tuple[int, "_Open | None"]


def _braces(code: bytes, directives: list[Directive]) -> tuple[dict[int, int], set[int]]:
    """Pair the braces; every arm of a conditional starts from the depth before it.

    After `#endif` the first arm's depth counts: where arms differ, the code that follows fits
    each of them.
    """
    marks: list[tuple[int, Directive | None]] = [(d.start, d) for d in directives]
    marks += [(m.start(), None) for m in re.finditer(rb"[{}]", code)]
    closing: dict[int, int] = {}
    outer: set[int] = set()
    stack: _Open | None = None
    arms: list[tuple[_Open | None, list[_Open | None]]] = []
    for offset, directive in sorted(marks, key=lambda mark: mark[0]):
        if directive is None:
            if code[offset : offset + 1] == b"{":
                outer.update([offset] if stack is None else [])
                stack = (offset, stack)
            elif stack:
                closing.setdefault(stack[0], offset)
                stack = stack[1]
        elif directive.opens:
            arms.append((stack, []))
        elif arms and directive.turns:
            arms[-1][1].append(stack)
            stack = arms[-1][0]
        elif arms and directive.name == b"endif":
            ended = arms.pop()[1]
            stack = ended[0] if ended else stack
    return closing, outer
