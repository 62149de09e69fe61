"""Where the hunks of a diff belong in a file that is not quite the one the diff was made from.

Guarantees: a hunk is placed only where that is certain (the very blob, its own lines, or the one
place in the file that has its text); everything else comes back as a doubt. Bytes outside the
hunks are never touched. Lines end in LF and in nothing else: CR and ^L are content.
"""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from kpatch_rs.errors import Conflict
from kpatch_rs.syntax.diff import FileDiff, Hunk

BLOB_MIN = 7
"""Digits from which a blob's abbreviated name is taken for it (git's own default)."""

_COMMON = 50
"""A line that stands in a file more often than this tells no place from another."""

_LOOKED_AT = 20
"""Windows compared in full when looking for candidates, which bounds the time."""

_COMPARED = 100
"""Lines of a window compared, for the same reason."""

_ALIKE = 0.5
"""difflib ratio from which a window is worth showing."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A hunk's place: 0-based line `at` of the file as it is."""

    hunk: Hunk
    at: int
    there: bool
    """Whether its new text stands there already."""

    @property
    def height(self) -> int:
        """How many lines of the file it speaks about."""
        return len(self.hunk.new if self.there else self.hunk.old)

    @property
    def moved(self) -> bool:
        """Whether it is not where the diff says."""
        return not self.there and self.at != own_line(self.hunk, new=False)

    @property
    def line(self) -> int:
        """The 1-based line its first change stands on, hunks before it not counted in."""
        return self.at + self.hunk.leading + 1


@dataclass(frozen=True, slots=True)
class Doubt:
    """A hunk whose place is not certain, and where its old and new text were found, 0-based."""

    hunk: Hunk
    old_found: tuple[int, ...]
    new_found: tuple[int, ...]


def lines_of(data: bytes) -> list[bytes]:
    """`data` cut after each LF; the last line may have none."""
    *whole, rest = data.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def is_blob(data: bytes, prefix: str) -> bool:
    """Whether git names `data` by an object name that begins with `prefix`, of 7 digits or more."""
    blob = b"blob %d\0%b" % (len(data), data)
    names = (hashlib.sha1(blob, usedforsecurity=False), hashlib.sha256(blob))
    return len(prefix) >= BLOB_MIN and any(name.hexdigest().startswith(prefix) for name in names)


def own_line(hunk: Hunk, *, new: bool) -> int:
    """The 0-based line the diff itself names for the hunk."""
    start, text = (hunk.new_start, hunk.new) if new else (hunk.old_start, hunk.old)
    return start - 1 if text else start


class Uncertain(Conflict):
    """At least one hunk has no certain place."""

    def __init__(self, doubts: Sequence[Doubt]) -> None:
        super().__init__(f"{len(doubts)} hunks have no certain place")
        self.doubts = tuple(doubts)


def place(data: bytes, file: FileDiff) -> tuple[Spot, ...]:
    """Return where every hunk of `file` belongs in `data`, in order. Raises Uncertain."""
    lines = lines_of(data)
    if spots := _as_stated(data, lines, file):
        return spots
    where = _positions(lines)
    found = [_placed(lines, where, hunk) for hunk in file.hunks]
    spots = tuple(f for f in found if isinstance(f, Spot))
    if doubts := [f for f in found if isinstance(f, Doubt)] or _out_of_order(spots):
        raise Uncertain(doubts)
    return spots


def put(data: bytes, spots: Sequence[Spot]) -> bytes:
    """`data` with every hunk put in at its spot; `spots` in order, as :func:`place` gives them."""
    lines, done, past = lines_of(data), list[bytes](), 0
    for spot in spots:
        done += lines[past : spot.at]
        done += spot.hunk.new
        past = spot.at + spot.height
    return b"".join(done + lines[past:])


def first_difference(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    """The 1-based line where two files part; one past the shorter where it begins the longer."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return 1 + sum(1 for _ in same)


def nearest(lines: Sequence[bytes], hunk: Hunk) -> list[int]:
    """The 1-based lines where text most like what `hunk` looks for begins, best first."""
    votes: Counter[int] = Counter()
    where = _positions([line.strip() for line in lines])
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


def _positions(lines: Sequence[bytes]) -> dict[bytes, list[int]]:
    """Where each line stands, 0-based."""
    where: dict[bytes, list[int]] = {}
    for n, line in enumerate(lines):
        where.setdefault(line, []).append(n)
    return where


def _as_stated(data: bytes, lines: Sequence[bytes], file: FileDiff) -> tuple[Spot, ...]:
    """All hunks at the lines the diff names; () unless just one of its two sides stands there."""
    for new, blob in ((False, file.old_blob), (True, file.new_blob)):
        if is_blob(data, blob):
            return _all_stated(lines, file.hunks, new=new, sure=True)
    old, new_ = (_all_stated(lines, file.hunks, new=new, sure=False) for new in (False, True))
    return () if old and new_ else old or new_


def _all_stated(
    lines: Sequence[bytes], hunks: Sequence[Hunk], *, new: bool, sure: bool
) -> tuple[Spot, ...]:
    spots = tuple(Spot(hunk, own_line(hunk, new=new), new) for hunk in hunks)
    return spots if all(_stands(lines, spot, sure) for spot in spots) else ()


def _stands(lines: Sequence[bytes], spot: Spot, sure: bool) -> bool:
    text = spot.hunk.new if spot.there else spot.hunk.old
    return tuple(lines[spot.at : spot.at + len(text)]) == text and (
        sure or (_fits_edges(lines, spot.hunk, spot.at, len(text)) and bool(text or not lines))
    )


def _fits_edges(lines: Sequence[bytes], hunk: Hunk, at: int, height: int) -> bool:
    """A hunk without context on one side was made at that edge of the file (as git apply has it).

    Without any context (`-U0`, or a whole file) it says nothing about edges.
    """
    if not hunk.leading and not hunk.trailing:
        return True
    return bool(hunk.leading or at == 0) and bool(hunk.trailing or at + height == len(lines))


def _placed(lines: Sequence[bytes], where: Mapping[bytes, list[int]], hunk: Hunk) -> Spot | Doubt:
    new = _found(lines, where, hunk, hunk.new)
    covered = [(at, at + len(hunk.new)) for at in new]
    old = tuple(
        at
        for at in _found(lines, where, hunk, hunk.old)
        if not any(a <= at and at + len(hunk.old) <= b for a, b in covered)
    )
    if len(old) + len(new) != 1:
        return Doubt(hunk, old, new)
    return Spot(hunk, (old + new)[0], bool(new))


def _found(
    lines: Sequence[bytes], where: Mapping[bytes, list[int]], hunk: Hunk, text: Sequence[bytes]
) -> tuple[int, ...]:
    """Every line at which `text` stands; none for no text, which stands anywhere."""
    if not text:
        return ()
    rarest = min(range(len(text)), key=lambda n: len(where.get(text[n], ())))
    starts = (at - rarest for at in where.get(text[rarest], ()))
    return tuple(
        at
        for at in starts
        if at >= 0
        and tuple(lines[at : at + len(text)]) == text
        and _fits_edges(lines, hunk, at, len(text))
    )


def _out_of_order(spots: Sequence[Spot]) -> list[Doubt]:
    """Hunks found, but not one after the other: the file was rearranged."""
    return [
        Doubt(after.hunk, (after.at,), ())
        for before, after in pairwise(spots)
        if after.at < before.at + before.height
    ]
