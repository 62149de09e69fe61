"""The places in a file that are most like what a hunk looks for, for people to choose from."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence

from kpatch_rs.syntax.diff import Hunk
from kpatch_rs.syntax.diff_found import positions

_COMMON = 50
"""A line that stands in a file more often than this tells no place from another."""

_LOOKED_AT = 20
"""Windows compared in full, which bounds the time."""

_COMPARED = 100
"""Lines of a window compared, for the same reason."""

_ALIKE = 0.5
"""difflib ratio from which a window is worth showing."""


def nearest(lines: Sequence[bytes], hunk: Hunk) -> list[int]:
    """The 1-based lines where text most like what `hunk` looks for begins, best first."""
    votes: Counter[int] = Counter()
    where = positions([line.strip() for line in lines])
    for n, text in enumerate(hunk.old):
        at = where.get(text.strip(), ())
        if len(text.strip()) > 3 and len(at) <= _COMMON:
            votes.update(max(a - n, 0) for a in at)
    wanted = [line.strip() for line in hunk.old[:_COMPARED]]
    scored = [
        (difflib.SequenceMatcher(None, wanted, _window(lines, at, len(wanted))).ratio(), -at)
        for at, _ in votes.most_common(_LOOKED_AT)
    ]
    return [1 - at for ratio, at in sorted(scored, reverse=True)[:3] if ratio >= _ALIKE]


def _window(lines: Sequence[bytes], at: int, height: int) -> list[bytes]:
    return [line.strip() for line in lines[at : at + height]]
