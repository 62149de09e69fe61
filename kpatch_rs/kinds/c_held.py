"""The locks under which what a recipe, or a patch, puts into a function runs: on both kernels.

Guarantees: where both can be told and differ, the difference is said; what cannot be read is no
difference. The locks that a caller holds are not seen.
"""

from __future__ import annotations

from collections import Counter

from kpatch_rs.syntax.c_body import Unclear, body_of
from kpatch_rs.syntax.c_functions import Function, functions
from kpatch_rs.syntax.c_locks import Difference, Held, difference, held, held_by_line
from kpatch_rs.syntax.c_statement import occurrences
from kpatch_rs.syntax.c_text import CText, c_text


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
) -> Difference | None:
    """What else is held where `merged` has what `after` adds to `before`; None where nothing is."""
    added = Counter(_lines(*after)) - Counter(_lines(*before))
    try:
        want, make = (held_by_line(body_of(*there)) for there in (after, merged))
    except Unclear:
        return None
    found = (difference(want.get(line), make.get(line)) for line in added)
    return next(filter(None, found), None)


def _lines(text: CText, function: Function) -> list[bytes]:
    return [line.strip() for line in text.data[function.open : function.close].split(b"\n")]
