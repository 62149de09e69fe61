"""Which locks are held where a statement stands, as far as its own function takes them.

A place that is found again by its structure may be inside a lock that was not there in the last
kernel, or was taken below it: under a spinlock, a call that sleeps is a crash. Two readings of one
place, on two kernels, tell. Guarantees: a difference is only told where both are whole; the two of
one text are equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from kpatch_rs.syntax.c_body import Body
from kpatch_rs.syntax.c_lock_calls import lock_calls
from kpatch_rs.syntax.c_lock_names import guarding
from kpatch_rs.syntax.c_lock_walk import Lock, States, walked

Held = frozenset[frozenset[Lock]]
"""What is held on each way that differs."""
Taken = tuple[tuple[bytes, ...], bool, bytes]
"""The locks of a call, whether it gives them up, and what it is told."""


def held(body: Body, offset: int) -> Held | None:
    """What may be held at the first statement from `offset` on; None where that is not clear."""
    if not lock_calls(body):
        return frozenset((frozenset(),))
    found = walked(body)
    later = [at for at in found if at >= offset]
    return _ways(found[min(later)]) if later else None


def held_by_line(body: Body) -> dict[bytes, Held | None]:
    """The same for each line that a statement begins, by its text; None, too, for twins."""
    text, found = body.text, dict[bytes, Held | None]()
    for at, states in walked(body).items():
        start = text.line_start(at)
        line = text.data[start : text.line_end(at)].strip()
        if not text.data[start:at].strip():
            found[line] = None if line in found else _ways(states)
    return found


def taking_as(body: Body, class_: bytes) -> tuple[int, ...]:
    """Where the lock of a guard of `class_` is taken, however it is."""
    wanted = guarding(class_, always=True)
    return tuple(
        call.offset
        for call in lock_calls(body)
        if wanted and call.taking.locks == wanted.locks and not call.taking.gives_up
    )


def taken(body: Body, end: int) -> list[Taken]:
    """Which locks the function takes and gives up above `end`: equal where none came or went."""
    calls = (call for call in lock_calls(body) if call.offset < end)
    return [(call.taking.locks, call.taking.gives_up, call.what) for call in calls]


def _ways(states: States) -> Held | None:
    return frozenset(map(frozenset, states)) or None


@dataclass(frozen=True, slots=True)
class Difference:
    """What is held at a place that was not, and the other way round; neither: not on every way."""

    more: tuple[Lock, ...]
    fewer: tuple[Lock, ...]

    def said(self, there: str) -> str:
        """In words; `there` is where it was otherwise."""
        more, fewer = (_listed(locks) for locks in (self.more, self.fewer))
        if more and fewer:
            return f"it ran {fewer} {there}, and would run {more} here"
        if more:
            return f"it would run {more} here, and did not {there}"
        if fewer:
            return f"it ran {fewer} {there}, and would not here"
        return f"the locks held are those held {there} on some ways only"


def difference(was: Held | None, now: Held | None) -> Difference | None:
    """What is held now and was not, and the other way round; None where nothing is."""
    if was is None or now is None or was == now:
        return None
    then, here = (sorted(frozenset().union(*s), key=lambda k: k.offset) for s in (was, now))
    more = tuple(lock for lock in here if lock not in then)
    fewer = tuple(lock for lock in then if lock not in here)
    return Difference(more, fewer)


def _listed(locks: tuple[Lock, ...]) -> str:
    """`under mutex_lock(&l)`; behind what gives up a lock of the caller's."""
    said = dict.fromkeys(
        (lock.taken, b" ".join(lock.said.split()).decode(errors="replace")) for lock in locks
    )
    return " and ".join(f"{'under' if taken else 'behind'} {call[:80]}" for taken, call in said)
