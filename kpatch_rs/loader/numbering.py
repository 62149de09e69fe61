"""File names of recipes for an order of them: as few change as can be.

The order of a series is that of its file names, so a recipe that moves, or comes in between, needs
a name between two others'.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Sequence

_NUMBERED = re.compile(r"(\d+)-(.+)\.toml")
_WIDTH = 4


def file_names(order: Sequence[tuple[str | None, str]]) -> list[str]:
    """The names for recipes given as (the name it has, its id), None for a new one.

    A recipe keeps its name unless it is overtaken, or has to make room for a number.
    """
    kept = _rising([name for name, _ in order])
    if len(kept) == len(order):
        return [name or "" for name, _ in order]
    width = next((len(n[1]) for o, _ in order if o and (n := _NUMBERED.fullmatch(o))), _WIDTH)
    names = _numbered(order, kept, width)
    if names is None or names != sorted(set(names), key=os.fsencode):
        width = max(_WIDTH, len(str(len(order))))
        names = [f"{n:0{width}}-{_stem(*one)}.toml" for n, one in enumerate(order, 1)]
    return names


def _rising(names: Sequence[str | None]) -> set[int]:
    """The longest run of names, by their numbers in the list, that are in order already."""
    ends: list[bytes] = []
    chosen: list[int] = []
    before: dict[int, int | None] = {}
    for n, name in enumerate(names):
        if name is None:
            continue
        at = bisect_left(ends, os.fsencode(name))
        before[n] = chosen[at - 1] if at else None
        ends[at : at + 1] = [os.fsencode(name)]
        chosen[at : at + 1] = [n]
    found, last = set(), chosen[-1] if chosen else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found


def _numbered(
    order: Sequence[tuple[str | None, str]], kept: set[int], width: int
) -> list[str] | None:
    """The names, where those of `kept` stay if there is room; None where they have no numbers."""
    names, below, waiting = list[str](), 0, list[tuple[str | None, str]]()
    for n, one in enumerate(order):
        number = _number(one[0], width) if n in kept else None
        if n in kept and number is None:
            return None
        if number is not None and number - below > len(waiting):
            names += _between(below, waiting, width)
            names.append(one[0] or "")
            below, waiting = number, []
        else:
            waiting.append(one)
    return names + _between(below, waiting, width)


def _between(below: int, waiting: Sequence[tuple[str | None, str]], width: int) -> list[str]:
    return [f"{n:0{width}}-{_stem(*one)}.toml" for n, one in enumerate(waiting, below + 1)]


def _number(name: str | None, width: int) -> int | None:
    found = _NUMBERED.fullmatch(name or "")
    return int(found[1]) if found and len(found[1]) == width else None


def _stem(name: str | None, id_: str) -> str:
    found = _NUMBERED.fullmatch(name or "")
    return found[2] if found else id_
