"""What a diff was made from, as a witness: which of like places in a changed file a hunk means.

Text that stands once in a file may be the only one left of two, and a line that a hunk adds may be
there as the double of its neighbour. Guarantees: a place is the one meant if the text stood once in
the base, or if it is what the place in the base became; a hunk is there already if that place
became just what the hunk makes of it, or if all that it adds stands between its context, with lines
that the base has nowhere, and the base has no second such place. Where what made the file can be
read in two ways, both have to say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from kpatch_rs.syntax.diff import Hunk
from kpatch_rs.syntax.diff_found import Doubt, Spot, Text
from kpatch_rs.syntax.lines import Block, became


@dataclass(frozen=True, slots=True)
class Origin:
    """What the diff was made from, beside the file as it is."""

    base: Text
    spots: Mapping[Hunk, Spot]
    """Where the hunks are in it; none where that is not certain."""
    changed: Callable[[], Sequence[Sequence[Block]]]
    """What made the file as it is of it, read in one way or in two."""

    def placed(self, text: Text, hunk: Hunk) -> Spot | Doubt:
        """The one place in `text` that is certain."""
        old, new = text.found(hunk, hunk.old), text.found(hunk, hunk.new)
        spots = [Spot(hunk, at, there=False) for at in old]
        spots += [Spot(hunk, at, there=True) for at in new]
        sure = [spot for spot in spots if self._confirms(spot, text, alone=len(old) == 1)]
        if len(sure) == 1:
            return sure[0]
        return Doubt(hunk, old, new, "twins" if len(spots) == 1 else "")

    def _confirms(self, spot: Spot, text: Text, *, alone: bool) -> bool:
        hunk = spot.hunk
        if hunk in self.spots and self._became(self.spots[hunk], spot, text):
            return True
        tells = self._tells(hunk) if spot.there else alone
        return tells and len(self.base.found(hunk, hunk.old)) == 1

    def _tells(self, hunk: Hunk) -> bool:
        """Whether whatever it adds, in whichever place, has a line that the base has nowhere."""
        runs = [list(run) for change, run in groupby(hunk.body, itemgetter(0)) if change == "+"]
        new = [any(self._unknown(line) for _, line in run) for run in runs]
        return hunk.context and bool(new) and all(new)

    def _unknown(self, line: bytes) -> bool:
        """Whether the base has such a line nowhere, not with a line end either."""
        return line not in self.base.where and line + b"\n" not in self.base.where

    def _became(self, was: Spot, spot: Spot, text: Text) -> bool:
        """Whether what stands at `spot` is what the place in the base became, and nothing more."""
        return all(self._read_so(blocks, was, spot, text) for blocks in self.changed())

    def _read_so(self, blocks: Sequence[Block], was: Spot, spot: Spot, text: Text) -> bool:
        start, end = was.at, was.at + was.height
        place, lines = became(blocks, start, end), self.base.lines
        wanted = (*lines[place.old_start : start], *spot.text, *lines[end : place.old_end])
        return (
            tuple(text.lines[place.new_start : place.new_end]) == wanted
            and spot.at == place.new_start + start - place.old_start
            and (spot.there or place.old_end - place.old_start == was.height)
        )
