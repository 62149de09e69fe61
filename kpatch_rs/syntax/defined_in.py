"""What a file defines, and which stretches of it the names belong to.

Most languages are read by the queries of `defined_queries.py` alone. C is read with its
conditionals blanked out, so that both arms of an `#if` are seen; its functions, and the blocks that
local names belong to, are told by braces, which macros cannot hide. Makefiles and MAINTAINERS have
readers of their own. A file of any other language defines nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

from tree_sitter import Language, Node, Query, QueryCursor

from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax import defined_queries
from kpatch_rs.syntax.c_body import ATTRIBUTE
from kpatch_rs.syntax.c_functions import functions
from kpatch_rs.syntax.c_text import CText, c_text
from kpatch_rs.syntax.grammar import grammar_of
from kpatch_rs.syntax.kbuild import Assignment, read_makefile
from kpatch_rs.syntax.maintainers import read_maintainers


@dataclass(frozen=True, slots=True)
class Scope:
    """A stretch of the file that names belong to."""

    start: int
    end: int
    kind: str
    head: bytes = b""
    """What tells it from others of its kind, where that is not the line it begins on."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A definition; `name` is what there may be one of in its scope."""

    start: int
    end: int
    kind: str
    scope: str
    name: bytes


Read = Iterator[Scope | Mark]


def read(path: RepoPath, data: bytes) -> Read:
    """What `data` defines, in no order; nothing for a file in a language that is not known."""
    name = path.rpartition(b"/")[2]
    for pattern, reader in _READERS:
        if pattern.fullmatch(name):
            return reader(path, data)
    return iter(())


def squeezed(text: bytes) -> bytes:
    """`text` with every run of blanks as one space."""
    return b" ".join(text.split())


def _captured(path: RepoPath, query: str, data: bytes) -> Iterator[tuple[str, str, Node]]:
    """Each node of `data` that counts, with the two words of its capture."""
    if grammar := grammar_of(path, data):
        cursor = QueryCursor(_query(grammar.language, query))
        for capture, nodes in cursor.captures(grammar.parse(data)).items():
            kind, _, scope = capture.partition(".")
            counting = (node for node in nodes if kind != "statement" or _tells(node))
            yield from ((kind, scope, node) for node in counting)


@cache
def _query(language: Callable[[], object], query: str) -> Query:
    return Query(Language(language()), query)


def _queried(query: str, path: RepoPath, data: bytes) -> Read:
    """Scopes and definitions, those that one node says by itself."""
    for kind, scope, node in _captured(path, query, data):
        start, end = node.start_byte, node.end_byte
        if kind == "in":
            yield Scope(start, end, scope)
        else:
            yield from _marks(start, end, kind, scope, data[start:end])


def _marks(start: int, end: int, kind: str, scope: str, text: bytes) -> Read:
    yield Mark(start, end, kind, scope, _name(kind, text))
    if kind == "entry" and (row := _ROW.match(text)):
        yield Mark(start, end, "row", scope, squeezed(row[0]))


def _name(kind: str, text: bytes) -> bytes:
    """What there may be one of: of an entry all, of a node what stands before its braces."""
    if kind == "node":
        text = re.sub(rb"[\w\s]+:(?!/)", b"", text.partition(b"{")[0])
    elif kind in ("initializer", "override"):
        text = re.split(rb"[=:;]", text, maxsplit=1)[0]
    elif kind == "key":
        text = text.strip(b"'\"")
    elif kind in ("member", "typedef"):
        text = _declared(text)
    elif once := _ONCE.match(text):
        text = once[1] or b"%b(%b)" % (once[2], once[3])
    return squeezed(text)


_ROW = re.compile(rb"\{\s*(?:\.\w+\s*=\s*)?(?:\"[^\"]+\"|[A-Z]\w*DEV\w*\([^()]*\))")
"""What a row of a table is for: the name, or the device."""

_ONCE = re.compile(
    rb"(MODULE_(?:LICENSE|DESCRIPTION|VERSION)|module_(?:init|exit)|(?:kernel::)?module\w*!)\s*[({]|"
    rb"(EXPORT_SYMBOL|TRACE_EVENT|module_param|MODULE_PARM_DESC|DEVICE_ATTR|SYSCALL_DEFINE|"
    rb"early_param|__setup)\w*\s*\(\s*\"?([\w.-]+)=?\"?\s*[,)]"
)
"""What a module says once, whatever it says; a symbol is exported in one way, an event traced, a
word of the command line read."""

_WORD = re.compile(rb"\b(?!(?:const|volatile|restrict)\b)[A-Za-z_]\w*")


def _declared(declarator: bytes) -> bytes:
    """The name in `*foo[2]`, `(*foo)(int)`, `foo = 1`; empty where there is none."""
    found = _WORD.search(declarator)
    return found[0] if found else b""


def _read_c(path: RepoPath, data: bytes) -> Read:
    text = c_text(data)
    code = ATTRIBUTE.sub(lambda found: b" " * len(found[0]), text.code)
    for kind, scope, node in _captured(path, defined_queries.C, code):
        start, end = node.start_byte, node.end_byte
        if kind == "in":
            yield Scope(start, end, scope)
        elif kind == "declaration":
            yield from _declarations(node)
        elif kind in ("member", "typedef"):
            yield Mark(start, end, kind, scope, _name(kind, code[start:end]))
        elif kind == "enumerator":
            name = _name(kind, code[start:end])
            yield from (Mark(start, end, kind_, scope, name) for kind_ in (kind, "constant"))
        else:
            yield from _marks(start, end, kind, scope, data[start:end])
    yield from (Scope(opened, closed, "block") for opened, closed in text.closing.items())
    for f in functions(text):
        yield Mark(f.named, f.open, "function", "file", f.name)
        yield Scope(f.open, f.close, "function", f.name)
        yield Scope(f.open, f.close, "body", f.name)
    yield from _calls(text)
    for d in text.directives:
        if d.name in (b"define", b"include") and (what := _DEFINED.match(d.rest)):
            yield Mark(d.start, d.end, d.name.decode(), "file", what[0])
            if d.name == b"define":
                yield Mark(d.start, d.end, "constant", "file", what[0])


_DEFINED = re.compile(rb"\w+|[<\"].*")


def _declarations(node: Node) -> Read:
    """The variables that a declaration makes, or the names it only declares."""
    extern = any(child.text == b"extern" for child in node.children)
    for declarator in node.children_by_field_name("declarator"):
        name, called = _declared(declarator.text or b""), declarator.type == "function_declarator"
        kind = "declaration" if extern or called else "variable"
        if name and not (called and name.isupper()):
            yield Mark(declarator.start_byte, declarator.end_byte, kind, "block", name)


def _calls(text: CText) -> Read:
    """The macros called between functions: what each makes is told by its arguments."""
    for found in _CALL.finditer(text.code):
        n = bisect_right(text.outer, found.start())
        if not n or text.closing.get(text.outer[n - 1], 0) < found.start():
            said = text.data[found.start("call") : found.end()]
            yield Mark(found.start(), found.end(), "call", "file", _name("call", said))


_CALL = re.compile(
    rb"(?m)^(?:static[ \t]+)?(?:const[ \t]+)?(?P<call>\w+[ \t]*\([^\n]*(?:(?<=,)\n[^\n]*)?)"
)
"""One begins its line; two lines are enough to tell one from another."""


def _tells(statement: Node) -> bool:
    """Whether a statement is told from others: `if (ret < 0)`, `ret = -EINVAL;` are everywhere."""
    branch = statement if statement.type == "if_statement" else None
    asked = (branch and branch.child_by_field_name("condition")) or statement
    return bool(re.search(rb"\w\(|->|\w\.\w", (asked.text or b"")))


def _read_kbuild(_: RepoPath, data: bytes) -> Read:
    """The words of each list, under each condition."""
    for statement in read_makefile(data).statements:
        if isinstance(statement, Assignment):
            where = b"/".join((statement.name, *(c.text for c in statement.context)))
            yield Scope(statement.start, statement.end, "list", where)
            if statement.resets:
                end = statement.start + len(statement.name)
                yield Mark(statement.start, end, "variable", "list", statement.name)
            for word in statement.words:
                kind = "object" if word.text.endswith((b".o", b"/")) else "entry"
                end, of = word.start + len(word.text), _LIST.sub(b"", statement.name)
                yield Mark(word.start, end, kind, "list", word.text)
                if kind == "object":
                    yield Mark(word.start, end, "part", "file", b"%b of %b" % (word.text, of))


_LIST = re.compile(rb"-(?:y|m|objs|\$\(\w+\))\Z")
"""What tells one of the lists that make one object, or the kernel, from another."""


def _read_maintainers(_: RepoPath, data: bytes) -> Read:
    """The entries by title, and the lines of each."""
    for section in read_maintainers(data):
        yield Mark(section.start, section.end, "section", "file", section.title.encode())
        yield Scope(section.start, section.end, "section", section.title.encode())
        for line in section.lines:
            said = f"{line.tag}: {line.value}".encode()
            yield Mark(line.start, line.end, "line", "section", said)


_READERS: tuple[tuple[re.Pattern[bytes], Callable[[RepoPath, bytes], Read]], ...] = (
    (re.compile(rb".*\.[ch]"), _read_c),
    (re.compile(rb".*\.(?:dts|dtsi|dtso)"), partial(_queried, defined_queries.DTS)),
    (re.compile(rb".*\.rs"), partial(_queried, defined_queries.RUST)),
    (re.compile(rb".*\.py"), partial(_queried, defined_queries.PYTHON)),
    (re.compile(rb".*\.ya?ml"), partial(_queried, defined_queries.YAML)),
    (re.compile(rb"Kconfig.*"), partial(_queried, defined_queries.KCONFIG)),
    (re.compile(rb"Makefile.*|Kbuild.*|.*\.mk"), _read_kbuild),
    (re.compile(rb"MAINTAINERS"), _read_maintainers),
)
