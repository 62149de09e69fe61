"""Lists that people keep in order, and where a new line goes in them.

Such lists are sorted but for a few: 34 of 2,906 entries of MAINTAINERS in 6.12 and 105 of 3,292 in
7.2, 3 of 28 includes of drivers/net/phy/phy_device.c. A bisection would be led astray.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TypeVar

Key = TypeVar("Key", str, bytes)

_STRAY = 5
"""One step in so many may go down; a list in no order goes down in every second one."""


def in_order(keys: Sequence[Key]) -> bool:
    """Whether `keys` are sorted but for a few."""
    down = sum(one > other for one, other in itertools.pairwise(keys))
    return bool(keys) and down * _STRAY < len(keys)


def place_among(keys: Sequence[Key], new: Key) -> int:
    """The index in `keys` where `new` has the fewest on its wrong side; the first such."""
    wrong = best = sum(key < new for key in keys)
    index = 0
    for n, key in enumerate(keys, 1):
        wrong += 1 if key > new else -1 if key < new else 0
        if wrong < best:
            best, index = wrong, n
    return index
