"""The statements that an existing patch adds to functions of a file.

What it adds in one go counts as one, if it is a few whole statements that call something new to the
file; and so does each call on lines of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kpatch_rs.kinds.base import Change
from kpatch_rs.model.path import show
from kpatch_rs.syntax.c_functions import Function, functions
from kpatch_rs.syntax.c_statement import at_margin, functions_called, statements
from kpatch_rs.syntax.c_text import CText, c_text

_CALLEE = rb"(?!(?:return|if|for|while|switch|sizeof)\b)[A-Za-z_]*[a-z]\w*"
"""Whoever is called: no shouted macro, which may declare something, or stand for a condition."""
_CALL_LINES = re.compile(rb"(?m)^[ \t]*%s\([^;{}]*\);$" % _CALLEE)
"""A call and nothing else, on lines of its own."""
_CALLED = re.compile(
    rb"(?<![\w.>])((?:guard|CLASS|ACQUIRE)\s*\(\s*\w+(?=[^();]*\)\s*\()|%s(?=\s*\())" % _CALLEE
)
"""`guard(mutex` of guard(mutex)(&lock), as a recipe names it; of others the name."""
_MOST = 8
"""Calls in one file; a patch with more of them writes the file anew, and is best kept as it is."""
_LINES = 12
"""Lines added in one go; more of them are code of the file's own."""
_AROUND = 400
"""How far from the statement, in bytes, a call to hold on to is looked for, and"""
_NEIGHBOURS = 3
"""how many of them are told on either side."""


@dataclass(frozen=True, slots=True)
class Added:
    """Statements that a patch adds to a function."""

    function: str
    statement: str
    """Its lines at the left margin."""
    above: tuple[str, ...]
    """The functions called above it, the nearest first,"""
    below: tuple[str, ...]
    """and below it."""
    apart: bool
    """Whether blank lines may have come with it."""


def added_statements(change: Change) -> Iterator[Added]:
    """All that may be meant, the likeliest first."""
    spans = [(start, end) for start, end in change.added if end - start < _LINES * 100]
    found = [m.span() for start, end in spans for m in _CALL_LINES.finditer(change.new, start, end)]
    if len(found) > _MOST:
        return
    runs = [run for start, end in spans if (run := _run(change, start, end))]
    if not (runs or found):
        return
    text = c_text(change.new)
    for start, end in dict.fromkeys((*runs, *found)):
        for function in functions(text):
            if function.open < start and end <= function.close:
                yield _added(change, text, function, start, end)


def _added(change: Change, text: CText, function: Function, start: int, end: int) -> Added:
    above = _CALLED.findall(text.code, max(function.open, start - _AROUND), start)
    below = _CALLED.findall(text.code, end, min(function.close, end + _AROUND))
    return Added(
        function=show(function.name),
        statement=at_margin(change.new[start:end].decode(errors="replace")),
        above=tuple(map(_name, above[::-1][:_NEIGHBOURS])),
        below=tuple(map(_name, below[:_NEIGHBOURS])),
        apart=any(not line.strip() for line in _edges(change.new, start, end)),
    )


def _name(call: bytes) -> str:
    name = show(re.sub(rb"\s", b"", call))
    return f"{name})" if "(" in name else name


def _edges(data: bytes, start: int, end: int) -> tuple[bytes, bytes]:
    """The line above and the line below."""
    above = data.rfind(b"\n", 0, max(start - 1, 0)) + 1
    below = data.find(b"\n", end + 1)
    return data[above:start], data[end + 1 : below]


def _run(change: Change, start: int, end: int) -> tuple[int, int] | None:
    """Where the statements are that make up all that was added at `start` to `end`, if they do."""
    text = change.new[start:end].decode(errors="replace")
    if text.count("\n") > _LINES or not (lines := statements(text)):
        return None
    names = (name.encode() for name in functions_called(lines.decode()))
    if all(re.search(rb"\b%s\b" % name, change.old) for name in names):
        return None
    first = start + len(text) - len(text.lstrip("\n"))
    return first, first + len(text.strip("\n").encode())
