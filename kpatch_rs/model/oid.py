"""Object names: lower-case hex, 40 digits in SHA-1 repositories and 64 in SHA-256 ones."""

from __future__ import annotations

import re
from typing import NewType

Oid = NewType("Oid", str)

_HEX = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def oid(text: str) -> Oid:
    """Return `text` as an object name.

    Raises ValueError where it is none: only a broken git answer leads there.
    """
    if not _HEX.fullmatch(text):
        raise ValueError(f"not an object name: {text!r}")
    return Oid(text)
