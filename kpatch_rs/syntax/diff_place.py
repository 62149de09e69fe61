"""Where the hunks of a diff belong in a file that is not quite the one the diff was made from.

Guarantees: a hunk is placed only where that is certain (the very blob, its own lines, or the one
place in the file that has its text); everything else comes back as a doubt. Where what the diff was
made from is known, it says whether that is the place meant, and whether what looks like the hunk's
result is more than a double of the lines beside it. Bytes outside the hunks are never touched.
Lines end in LF and in nothing else: CR and ^L are content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain, islice, pairwise, product, repeat, takewhile

from kpatch_rs.errors import Conflict
from kpatch_rs.syntax.diff import FileDiff, Hunk
from kpatch_rs.syntax.diff_found import Doubt, Spot, Text, fits_edges, own_line
from kpatch_rs.syntax.diff_origin import Origin
from kpatch_rs.syntax.lines import alignments

BLOB_MIN = 7
"""Digits from which a blob's abbreviated name is taken for it (git's own default)."""

_TRIED = 200
"""Ways to put hunks into their own base that are tried where their lines repeat."""


def lines_of(data: bytes) -> list[bytes]:
    """`data` cut after each LF; the last line may have none."""
    *whole, rest = data.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def is_blob(data: bytes, prefix: str) -> bool:
    """Whether git names `data` by an object name that begins with `prefix`, of 7 digits or more."""
    blob = b"blob %d\0%b" % (len(data), data)
    names = (hashlib.sha1(blob, usedforsecurity=False), hashlib.sha256(blob))
    return len(prefix) >= BLOB_MIN and any(name.hexdigest().startswith(prefix) for name in names)


class Uncertain(Conflict):
    """At least one hunk has no certain place."""

    def __init__(self, doubts: Sequence[Doubt]) -> None:
        super().__init__(f"{len(doubts)} hunks have no certain place")
        self.doubts = tuple(doubts)


def place(data: bytes, file: FileDiff, base: bytes | None = None) -> tuple[Spot, ...]:
    """Return where every hunk of `file` belongs in `data`, in order. Raises Uncertain.

    `base`, what the diff was made from, tells of like places which is meant.
    """
    text = Text.of(lines_of(data))
    if is_blob(data, file.old_blob):
        return in_base(data, file)
    if is_blob(data, file.new_blob) and (spots := _in_result(text, file)):
        return spots
    if base is None:
        found = _as_stated(text, file) or [_placed(text, hunk) for hunk in file.hunks]
    else:
        known = _origin(text, file, base)
        found = [known.placed(text, hunk) for hunk in file.hunks]
    spots = tuple(f for f in found if isinstance(f, Spot))
    if doubts := [f for f in found if isinstance(f, Doubt)] or _out_of_order(spots):
        raise Uncertain(doubts)
    return spots


def in_base(data: bytes, file: FileDiff) -> tuple[Spot, ...]:
    """The hunks in the very blob that the diff was made from. Raises Uncertain.

    Line numbers that somebody got wrong are told by what the diff says to make of it. Where that
    blob is another one, too, somebody edited the diff, and the lines it takes for given count.
    """
    text = Text.of(lines_of(data))
    stated = _all_stated(text.lines, file.hunks, new=False)
    if stated and is_blob(put(data, stated), file.new_blob):
        return stated
    ways = _ways(text, file, new=False)
    for spots in islice(ways, _TRIED):
        if not _out_of_order(spots) and is_blob(put(data, spots), file.new_blob):
            return spots
    untried = next(ways, None) is not None
    if stated and not untried and all(hunk.old or not text.lines for hunk in file.hunks):
        return stated
    raise Uncertain([Doubt(hunk, text.found(hunk, hunk.old), ()) for hunk in file.hunks])


def _in_result(text: Text, file: FileDiff) -> tuple[Spot, ...]:
    """The hunks in the very blob that the diff makes; () where they do not fit it.

    Wrong line numbers are told by what the blob is without the hunks.
    """
    if stated := _all_stated(text.lines, file.hunks, new=True):
        return stated
    for spots in islice(_ways(text, file, new=True), _TRIED):
        if not _out_of_order(spots) and is_blob(_swapped(text.lines, spots), file.old_blob):
            return spots
    return ()


def _ways(text: Text, file: FileDiff, *, new: bool) -> Iterator[tuple[Spot, ...]]:
    """Every way in which one side of all hunks stands there, in whatever order.

    Those come first in which all line numbers are wrong by the same.
    """
    found = [text.found(hunk, hunk.new if new else hunk.old) for hunk in file.hunks]
    own = [own_line(hunk, new=new) for hunk in file.hunks]
    shifts = [at - own[0] for starts in found[:1] for at in starts]
    alike = ([line + shift for line in own] for shift in shifts)
    stand = (s for s in alike if all(at in starts for at, starts in zip(s, found, strict=True)))
    for starts in chain(stand, product(*found)):
        yield tuple(map(Spot, file.hunks, starts, repeat(new)))


def _origin(text: Text, file: FileDiff, base: bytes) -> Origin:
    lines = lines_of(base)
    try:
        spots = {spot.hunk: spot for spot in in_base(base, file)}
    except Uncertain:
        spots = {}
    return Origin(Text.of(lines), spots, cache(lambda: alignments(lines, text.lines)))


def put(data: bytes, spots: Sequence[Spot]) -> bytes:
    """`data` with every hunk put in at its spot; `spots` in order, as :func:`place` gives them."""
    return _swapped(lines_of(data), [spot for spot in spots if not spot.there])


def _swapped(lines: Sequence[bytes], spots: Sequence[Spot]) -> bytes:
    """The other side of each hunk for the one that stands at its spot."""
    done, past = list[bytes](), 0
    for spot in spots:
        done += lines[past : spot.at]
        done += spot.hunk.old if spot.there else spot.hunk.new
        past = spot.at + spot.height
    return b"".join([*done, *lines[past:]])


def first_difference(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    """The 1-based line where two files part; one past the shorter where it begins the longer."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return 1 + sum(1 for _ in same)


def _as_stated(text: Text, file: FileDiff) -> tuple[Spot, ...]:
    """All hunks at the lines the diff names; () unless just one of its two sides stands there."""
    old, new = (_all_stated(text.lines, file.hunks, new=new) for new in (False, True))
    either = () if old and new else old or new
    return either if all(_says(text, spot) for spot in either) else ()


def _all_stated(lines: Sequence[bytes], hunks: Sequence[Hunk], *, new: bool) -> tuple[Spot, ...]:
    spots = tuple(Spot(hunk, own_line(hunk, new=new), new) for hunk in hunks)
    stand = all(tuple(lines[s.at : s.at + s.height]) == s.text and s.at >= 0 for s in spots)
    return spots if stand else ()


def _says(text: Text, spot: Spot) -> bool:
    """Whether it says anything that the text of a hunk stands where the diff names it.

    That nothing stands there does not, nor that lines do which found nothing there: they may be the
    doubles of what they were added to.
    """
    fits = fits_edges(text.lines, spot.hunk, spot.at, spot.height)
    return len(text.lines) == spot.height or bool(spot.text and spot.hunk.old and fits)


def _placed(text: Text, hunk: Hunk) -> Spot | Doubt:
    """The one place where the hunk's old or its new text stands."""
    old, new = text.found(hunk, hunk.old), text.found(hunk, hunk.new)
    # Behind what a hunk adds may stand what it found there: the same call, the same check.
    free = tuple(at for at in old if not any(_within(hunk, at, made) for made in new))
    if len(free) + len(new) != 1:
        return Doubt(hunk, old, new)
    return (
        Spot(hunk, (free + new)[0], bool(new))
        if _telling(text, hunk)
        else Doubt(hunk, old, new, "double")
    )


def _within(hunk: Hunk, old: int, new: int) -> bool:
    """Whether the old text, at line `old`, is a part of the new one, at line `new`."""
    return new <= old and old + len(hunk.old) <= new + len(hunk.new)


def _telling(text: Text, hunk: Hunk) -> bool:
    """Whether it can be told if the hunk is in already: what it makes is not what it finds there.

    It could be, where it has no context, and where it only doubles lines.
    """
    if not hunk.context:
        return False
    added = set(hunk.new).difference(hunk.old)
    alone = any(len(text.where.get(line, ())) <= hunk.new.count(line) for line in added)
    return alone or not any(_within(hunk, n, 0) and _begins(hunk, n) for n in range(len(hunk.new)))


def _begins(hunk: Hunk, at: int) -> bool:
    """Whether line `at` of the new text begins all of the old one."""
    return hunk.new[at : at + len(hunk.old)] == hunk.old


def _out_of_order(spots: Sequence[Spot]) -> list[Doubt]:
    """Hunks found, but not one after the other: the file was rearranged."""
    return [
        Doubt(after.hunk, (after.at,), (), "order")
        for before, after in pairwise(spots)
        if after.at < before.at + before.height
    ]
