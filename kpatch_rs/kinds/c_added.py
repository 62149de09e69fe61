"""The statements that an existing patch adds to functions of a file.

What it adds in one go counts as one, if it is a few whole statements that call something new to the
file; and so does each call on lines of its own. A diff may show lines too early or too late, where
they end or begin as their neighbours do; they are read in each way, first as what begins with a
line that was not there.
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
_CALLED = re.compile(rb"(?<![\w.>])(%s)\s*\(" % _CALLEE)
_MOST = 8
"""Calls in one file; a patch with more of them writes the file anew, and is best kept as it is."""
_LINES = 12
"""Lines added in one go; more of them are code of the file's own."""
_READINGS = 3
"""Ways to read lines that a diff may show earlier or later."""
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
    runs = [reading for start, end in spans for reading in _readings(change, start, end)]
    text = c_text(change.new) if runs or found else None
    for start, end in dict.fromkeys((*runs, *found)) if text else ():
        for function in functions(text) if text else ():
            if text and function.open < start and end <= function.close:
                yield _added(change, text, function, start, end)


def _added(change: Change, text: CText, function: Function, start: int, end: int) -> Added:
    above = _CALLED.findall(text.code, max(function.open, start - _AROUND), start)
    below = _CALLED.findall(text.code, end, min(function.close, end + _AROUND))
    return Added(
        function=show(function.name),
        statement=at_margin(change.new[start:end].decode(errors="replace")),
        above=tuple(map(show, above[::-1][:_NEIGHBOURS])),
        below=tuple(map(show, below[:_NEIGHBOURS])),
        apart=any(not line.strip() for line in _edges(change.new, start, end)),
    )


def _edges(data: bytes, start: int, end: int) -> tuple[bytes, bytes]:
    """The line above and the line below."""
    above = data.rfind(b"\n", 0, max(start - 1, 0)) + 1
    below = data.find(b"\n", end + 1)
    return data[above:start], data[end + 1 : below]


def _readings(change: Change, start: int, end: int) -> list[tuple[int, int]]:
    """Where the statements added at `start` to `end`, or as many lines near it, may stand."""
    known = {*change.old.split(b"\n")}
    found = []
    for first, past in _slides(change.new, start, end):
        text = change.new[first:past].decode(errors="replace")
        if text.count("\n") <= _LINES and (lines := statements(text)):
            names = (name.encode() for name in functions_called(lines.decode()))
            if any(not re.search(rb"\b%s\b" % name, change.old) for name in names):
                inner = first + len(text) - len(text.lstrip("\n"))
                found.append((inner, inner + len(text.strip("\n").encode())))
    found.sort(key=lambda span: change.new[span[0] :].partition(b"\n")[0] in known)
    return found[:_READINGS]


def _slides(data: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span, and all that give the same file: moved by lines equal at its two ends."""
    yield start, end
    for up in (True, False):
        first, past = start, end
        while True:
            if up:
                above, last = data.rfind(b"\n", 0, max(first - 1, 0)) + 1, _line_before(data, past)
                if first == 0 or data[above:first] != data[last:past]:
                    break
                first, past = above, last
            else:
                next_, below = data.find(b"\n", first) + 1, data.find(b"\n", past) + 1
                if not below or data[first:next_] != data[past:below]:
                    break
                first, past = next_, below
            yield first, past


def _line_before(data: bytes, past: int) -> int:
    return data.rfind(b"\n", 0, past - 1) + 1
