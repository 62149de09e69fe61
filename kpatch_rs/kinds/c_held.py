"""The locks under which what a recipe, or a patch, puts into a function runs: on both kernels.

Guarantees: where both can be told and differ, the difference is said; where they cannot, it is one
that the function takes other locks above it. The locks that a caller holds are not seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from kpatch_rs.syntax.c_body import Unclear, body_of
from kpatch_rs.syntax.c_functions import Function, functions
from kpatch_rs.syntax.c_locks import Held, difference, held, held_by_line, taken
from kpatch_rs.syntax.c_statement import occurrences
from kpatch_rs.syntax.c_text import CText, c_text

_OTHERS = "the function takes others above it now, and which are held there cannot be told"


def held_at(data: bytes, number: int, statement: bytes) -> Held | None:
    """What is held wherever `statement` stands in the function of that number in `data`."""
    text = c_text(data)
    try:
        body = body_of(text, functions(text)[number])
    except Unclear:
        return None
    ways = [held(body, start) for start, _ in occurrences(body, statement)]
    known = [way for way in ways if way is not None]
    return frozenset().union(*known) if known and len(known) == len(ways) else None


def other_locks(
    before: tuple[CText, Function], after: tuple[CText, Function], merged: tuple[CText, Function]
) -> str:
    """What else is held where `merged` has what `after` adds to `before`; "" where nothing is.

    A line that stands in the function twice (`return -EINVAL;`) is told by those added with it.
    """
    added = [line for line in Counter(_lines(*after)) - Counter(_lines(*before)) if line]
    try:
        want, make = (body_of(*there) for there in (after, merged))
    except Unclear:
        return ""
    then, here = held_by_line(want), held_by_line(make)
    for line in added:
        if found := difference(then.get(line), here.get(line)):
            return found.said("where it comes from")
    told = not added or any(then.get(line) and here.get(line) for line in added)
    sides = [(after, want), (merged, make)]
    calls = [] if told else [taken(body, _last(*side, added)) for side, body in sides]
    return "" if calls[1:] == calls[:1] else _OTHERS


def _last(text: CText, function: Function, added: Sequence[bytes]) -> int:
    """Where the last of `added` stands that stands there once; else the function's end."""
    times, found, at = Counter(_lines(text, function)), function.close, function.open
    for line in text.data[function.open : function.close].split(b"\n"):
        if line.strip() in added and times[line.strip()] == 1:
            found = at
        at += len(line) + 1
    return found


def _lines(text: CText, function: Function) -> list[bytes]:
    return [line.strip() for line in text.data[function.open : function.close].split(b"\n")]
