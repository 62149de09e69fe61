"""Two additions to one list, in the order the list keeps.

Lists of the kernel are lines of one form: includes, objects of a Makefile, MODULE_*() lines,
`select`s of Kconfig, modules of Rust, files of MAINTAINERS, entries of an enum or an array.
Guarantees: what either side added is in, once, and what either took out is not; a line that both
took out and replaced stays open; where the list around is sorted, so is what comes out; where it is
not, lines go behind one another only where order means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from kpatch_rs.syntax.c_text import c_text

_SORTED_MIN = 3
"""Lines around, from which it is no chance that they are in order."""


@dataclass(frozen=True, slots=True)
class _Form:
    """A kind of list: what its lines look like, and whether their order means nothing."""

    line: re.Pattern[bytes]
    """Group 1 is what all lines of one list share, group 2 what they are sorted by."""
    free: bool


_FORMS = (
    _Form(re.compile(rb'(#include)[ \t]+[<"]([^>"]+)[>"]\s*'), free=True),
    _Form(re.compile(rb"(MODULE_\w+)(\(.*\);)\s*"), free=True),
    _Form(re.compile(rb"([\w-]+?-)(?:y|m|objs|\$\(\w+\))[ \t]*\+=[ \t]*(.+?)\s*"), free=True),
    _Form(re.compile(rb"([ \t]+)([\w./-]+\.o|[\w-]+/)[ \t]*\\\s*"), free=True),
    _Form(re.compile(rb"([ \t]+(?:select|imply)[ \t]+)(\w+)(?:[ \t].*)?\s*"), free=True),
    _Form(re.compile(rb"([ \t]*(?:pub[ \t]+)?(?:mod|use)[ \t]+)(.+;)\s*"), free=True),
    _Form(re.compile(rb"([A-Z]:\t)(.+)\s*"), free=True),
    _Form(re.compile(rb"([ \t]+)((?:\[?\w|[{\"&]).*),\s*"), free=False),
)


def merged_lists(
    base: Sequence[bytes],
    ours: Sequence[bytes],
    theirs: Sequence[bytes],
    above: Sequence[bytes],
    below: Sequence[bytes],
) -> list[bytes] | None:
    """Both sides of a clash in one, between the lines `above` and `below`.

    None where that is no list, or the order is not certain.
    """
    added = [[line for line in side if line not in base] for side in (ours, theirs)]
    gone = [[line for line in base if line not in side] for side in (ours, theirs)]
    kept = [line for line in base if line not in (*gone[0], *gone[1])]
    replaced = all(added) and set(gone[0]) & set(gone[1])
    for form in _FORMS:
        if replaced or (not form.free and _in_call(above)):
            continue
        if share := _shared(form, [*base, *added[0], *added[1]]):
            if form.free and not all(added) and not set(gone[0]) & set(gone[1]):
                side, out = (ours, gone[1]) if added[0] else (theirs, gone[0])
                return [line for line in side if line not in out]
            run = [*_run(form, share, reversed(above))][::-1], [*_run(form, share, below)]
            return _joined(form, kept, [*added[0], *added[1]], *run)
    return None


def _in_call(above: Sequence[bytes]) -> bool:
    """Whether the lines stand between parentheses: then they are arguments, each for itself."""
    code = c_text(b"".join(above)).code
    return code.count(b"(") != code.count(b")")


def _shared(form: _Form, lines: Iterable[bytes]) -> bytes | None:
    """What all of `lines` share, as lines of one list of that form."""
    found = [form.line.fullmatch(line) for line in lines]
    shares = {match[1] for match in found if match}
    return shares.pop() if all(found) and len(shares) == 1 else None


def _run(form: _Form, share: bytes, lines: Iterable[bytes]) -> Iterator[bytes]:
    """The first of `lines` that are in the same list."""
    return takewhile(
        lambda line: (match := form.line.fullmatch(line)) is not None and match[1] == share, lines
    )


def _joined(
    form: _Form,
    kept: Sequence[bytes],
    new: Sequence[bytes],
    above: Sequence[bytes],
    below: Sequence[bytes],
) -> list[bytes] | None:
    def key(line: bytes) -> bytes:
        match = form.line.fullmatch(line)
        return match[2] if match else b""

    both = list(dict.fromkeys(new))
    around = [*above, *kept, *below]
    ordered = len(around) >= _SORTED_MIN and around == sorted(around, key=key)
    if not ordered and not form.free:
        return None
    if not ordered:  # lists that people keep in order have a few lines out of it: the nearest count
        above, below = _ascending(above[::-1], key, down=True)[::-1], _ascending(below, key)
    merged = sorted([*kept, *both], key=key)
    whole = [*above, *merged, *below]
    if len(whole) - len(both) >= _SORTED_MIN and whole == sorted(whole, key=key):
        return merged
    return both if not ordered and around and not kept else None


def _ascending(
    lines: Sequence[bytes], key: Callable[[bytes], bytes], *, down: bool = False
) -> Sequence[bytes]:
    """The first of `lines`, as long as each comes behind (`down`: before) the one above it."""
    pairs = enumerate(pairwise(map(key, lines)), 1)
    stop = next((n for n, (a, b) in pairs if (a < b if down else b < a)), len(lines))
    return lines[:stop]
