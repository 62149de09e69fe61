"""What upstream and a patch did in the same place of a file, for people to judge.

Guarantees: every change of the patch with one of upstream's within its context is among the
meetings, with all four versions of the lines; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kpatch_rs.syntax.lines import Block, became, differences

_NEAR = 3
"""Lines of context that a diff has by git's default."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """One place that both sides changed."""

    line: int
    """The 1-based line of the merged file."""
    base: Sequence[bytes]
    upstream: Sequence[bytes]
    patch: Sequence[bytes]
    merged: Sequence[bytes]


def meetings(
    base: Sequence[bytes], ours: Sequence[bytes], theirs: Sequence[bytes], merged: Sequence[bytes]
) -> Iterator[Meeting]:
    """Where the changes from `base` to `ours` (upstream) and to `theirs` (the patch) meet."""
    upstream, patch = differences(base, ours), differences(base, theirs)
    result = differences(ours, merged)
    for start, end in _places(upstream, patch):
        mine, made = became(upstream, start, end), became(patch, start, end)
        done = became(result, mine.new_start, mine.new_end)
        yield Meeting(
            done.new_start + 1,
            base[start:end],
            ours[mine.new_start : mine.new_end],
            theirs[made.new_start : made.new_end],
            merged[done.new_start : done.new_end],
        )


def _places(upstream: Sequence[Block], patch: Sequence[Block]) -> list[tuple[int, int]]:
    """The base lines from the first to the last change of each meeting, in order."""
    found: list[tuple[int, int]] = []
    for block in patch:
        near = [b for b in upstream if _gap(b, block) <= _NEAR]
        if not near:
            continue
        start = min(b.old_start for b in (*near, block))
        end = max(b.old_end for b in (*near, block))
        if found and start <= found[-1][1]:
            before = found.pop()
            start, end = before[0], max(end, before[1])
        found.append((start, end))
    return found


def _gap(one: Block, other: Block) -> int:
    """How many lines are between two changes."""
    return max(one.old_start - other.old_end, other.old_start - one.old_end, 0)


def touched(old: Sequence[bytes], new: Sequence[bytes], start: int, end: int) -> list[Block]:
    """What upstream changed in `old` lines `start` to `end`, or right beside them."""
    return [b for b in differences(old, new) if b.old_start <= end and b.old_end >= start]
