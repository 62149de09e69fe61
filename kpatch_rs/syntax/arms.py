"""Which arms of which `#if`s a place stands in, and which places are ever compiled together.

`#ifdef X` and `#ifndef X` are the two arms of one question, wherever they stand; conditions are
compared as they are written, so that what only looks different counts as different.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.syntax.c_text import CText, Directive

Arm = tuple[bytes, int]
"""A condition, and which of its arms: 0 where it holds."""


@dataclass(frozen=True, slots=True)
class Arms:
    """The arms of one file."""

    starts: tuple[int, ...]
    stacks: tuple[tuple[Arm, ...], ...]
    """What is open behind each of `starts`."""

    def at(self, offset: int) -> tuple[Arm, ...]:
        """What is open at `offset`."""
        n = bisect_right(self.starts, offset) - 1
        return self.stacks[n] if n >= 0 else ()

    def together(self, offsets: Sequence[int]) -> tuple[int, ...]:
        """The most of `offsets` that one configuration compiles, in order."""
        places: dict[tuple[Arm, ...], list[int]] = {}
        for offset in offsets:
            places.setdefault(self.at(offset), []).append(offset)
        most = list[int]()
        for first in places:
            kept = [first]
            kept += [p for p in places if p != first and not any(_apart(p, k) for k in kept)]
            found = [offset for place in kept for offset in places[place]]
            most = max(most, found, key=len)
        return tuple(sorted(most))


def _apart(one: tuple[Arm, ...], other: tuple[Arm, ...]) -> bool:
    """Whether they are in different arms of one condition."""
    theirs = dict(other)
    return any(theirs.get(condition, arm) != arm for condition, arm in one)


def arms(text: CText) -> Arms:
    """The arms of `text`."""
    starts, stacks = list[int](), list[tuple[Arm, ...]]()
    stack: tuple[Arm, ...] = ()
    for d in text.directives:
        after = _after(d, stack)
        if after is not stack:
            starts.append(d.start)
            stacks.append(after)
            stack = after
    return Arms(tuple(starts), tuple(stacks))


def _after(d: Directive, stack: tuple[Arm, ...]) -> tuple[Arm, ...]:
    if d.opens:
        return (*stack, (b" ".join(d.rest.split()), -1 if d.name == b"ifndef" else 0))
    if d.turns and stack:
        condition, arm = stack[-1]
        return (*stack[:-1], (condition, arm + 1))
    return stack[:-1] if d.name == b"endif" and stack else stack
