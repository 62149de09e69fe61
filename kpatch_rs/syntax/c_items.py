"""The functions of a C file with what belongs to each: its comment above, its exports below.

Guarantees: items do not overlap; a function that the file defines twice (`#ifdef` arms) is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kpatch_rs.syntax.c_functions import Function, functions
from kpatch_rs.syntax.c_text import CText
from kpatch_rs.syntax.diff_place import lines_of
from kpatch_rs.syntax.lines import Part


@dataclass(frozen=True, slots=True)
class Item(Part):
    """One function."""

    function: Function


def items(text: CText) -> dict[bytes, Item]:
    """The functions of `text` by name, in order."""
    all_, lines = functions(text), kinds_of(text)
    names = Counter(function.name for function in all_)
    heads = [text.data.count(b"\n", 0, function.start) for function in all_]
    found: dict[bytes, Item] = {}
    past = 0
    for function, head, following in zip(all_, heads, [*heads, len(lines)][1:], strict=True):
        start, past = _above(head, past, lines), _below(text, function, following, lines)
        if names[function.name] == 1:
            found[function.name] = Item(start, past, function)
    return found


_Line = Literal["blank", "comment", "directive", "code"]


def kinds_of(text: CText) -> list[_Line]:
    """What each line is, continuation lines of a directive being its own; `#if 0` is a comment."""
    code = lines_of(text.code)
    kinds: list[_Line] = [
        "code" if code[n].strip() else "comment" if line.strip() else "blank"
        for n, line in enumerate(lines_of(text.data))
    ]
    for directive in text.directives:
        first = text.data.count(b"\n", 0, directive.start)
        for n in range(first, first + 1 + text.data.count(b"\n", directive.start, directive.end)):
            kinds[n] = "directive"
    return kinds


def _above(line: int, past: int, lines: Sequence[_Line]) -> int:
    """The first line of the comment that ends right above `line`."""
    while line > past and lines[line - 1] == "comment":
        line -= 1
    return line


def _below(text: CText, function: Function, following: int, lines: Sequence[_Line]) -> int:
    """Where the code that stands right below the function ends, before the next function."""
    line = text.data.count(b"\n", 0, function.close) + 1
    while line < following and lines[line] == "code":
        line += 1
    return line
