"""Whether a patch's code lands where nothing is compiled: in a comment, or in an `#if 0`.

Guarantees: said only of lines that are code where they come from; what a patch puts into a comment
itself is none. Without what the diff was made from, a line is code that looks like a statement.
"""

from __future__ import annotations

import re
from itertools import chain

from kpatch_rs.syntax.c_items import kinds_of
from kpatch_rs.syntax.c_text import c_text
from kpatch_rs.syntax.diff_place import lines_of
from kpatch_rs.syntax.lines import differences

_STATEMENT = re.compile(rb"\s*[^\s*/].*[;{}]\s*\Z")


def dead_line(there: bytes, now: bytes, patched: bytes | None) -> int | None:
    """The 1-based line of `now` that `there` has not, and that nothing compiles; None without.

    `patched` is what the diff makes where it comes from.
    """
    lines, kinds = lines_of(now), kinds_of(c_text(now))
    blocks = differences(lines_of(there), lines)
    added = chain.from_iterable(range(b.new_start, b.new_end) for b in blocks)
    dead = [n for n in added if kinds[n] == "comment"]
    if not dead:
        return None
    alive = _alive(patched) if patched is not None else None
    return next((n + 1 for n in dead if _is_code(lines[n], alive)), None)


def _is_code(line: bytes, alive: frozenset[bytes] | None) -> bool:
    return bool(_STATEMENT.match(line)) if alive is None else line.strip() in alive


def _alive(data: bytes) -> frozenset[bytes]:
    """The lines of `data` that are code wherever they stand."""
    both = list(zip(lines_of(data), kinds_of(c_text(data)), strict=True))
    dead = {line.strip() for line, kind in both if kind == "comment"}
    return frozenset(line.strip() for line, kind in both if kind == "code") - dead
