"""The locks under which what a recipe, or a patch, puts into a function runs: on both kernels.

Guarantees: where both can be told and differ, the difference is said; where they cannot, it is one
that the function takes other locks. The locks that a caller holds are not seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from kpatch_rs.syntax.c_body import Unclear, body_of
from kpatch_rs.syntax.c_functions import Function, functions
from kpatch_rs.syntax.c_locks import Held, difference, held, held_by_line, taken
from kpatch_rs.syntax.c_statement import occurrences
from kpatch_rs.syntax.c_text import CText, c_text

_OTHERS = "the function takes others now, and which are held there cannot be told"


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
    """What else is held where `merged` has what `after` adds to `before`; "" where nothing is."""
    added = Counter(_lines(*after)) - Counter(_lines(*before))
    try:
        want, make = (body_of(*there) for there in (after, merged))
    except Unclear:
        return ""
    then, here = held_by_line(want), held_by_line(make)
    for line in added:
        if found := difference(then.get(line), here.get(line)):
            return found.said("where it comes from")
    unclear = not then or not here or any(_unclear(line, then, here) for line in added)
    return _OTHERS if unclear and taken(want) != taken(make) else ""


def _unclear(line: bytes, *sides: Mapping[bytes, Held | None]) -> bool:
    """Whether it begins a statement of which one side cannot tell what is held there."""
    return any(line in side for side in sides) and any(side.get(line) is None for side in sides)


def _lines(text: CText, function: Function) -> list[bytes]:
    return [line.strip() for line in text.data[function.open : function.close].split(b"\n")]
