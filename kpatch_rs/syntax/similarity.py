"""How much of one file is in another, as git counts it to tell a rename from a new file.

Guarantees: git's own measure (diffcore-delta.c): lines, those of more than 64 bytes in pieces,
wherever they stand; the bytes that both files have, as a part of the larger one. Below 50 % git
takes two files for different ones.
"""

from __future__ import annotations

import re
from collections import Counter

RENAMED = 50
"""Per cent from which git takes a file for another one's new name (diffcore.h)."""

_PIECE = re.compile(rb"[^\n]{1,63}\n|\n|[^\n]{1,64}")


def similarity(old: bytes, new: bytes) -> int:
    """How much of the larger file is in the other one, in whole per cent."""
    if old == new:
        return 100
    mine, theirs = _pieces(old), _pieces(new)
    both = sum(min(count, theirs[piece]) * len(piece) for piece, count in mine.items())
    return both * 100 // max(len(old), len(new))


def _pieces(data: bytes) -> Counter[bytes]:
    return Counter(_PIECE.findall(data.replace(b"\r\n", b"\n")))
