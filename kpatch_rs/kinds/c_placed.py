"""A statement in its places in a function: the file with it in, its line there, its locks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.kinds.c_held import held_at
from kpatch_rs.syntax.c_body import Body
from kpatch_rs.syntax.c_functions import functions
from kpatch_rs.syntax.c_gap import Gap, Splice
from kpatch_rs.syntax.c_locks import Held, Taken, taken


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the statement goes, or is."""

    statement: bytes
    body: Body
    gaps: Sequence[Gap]
    there: int = 0
    """Where it is already, first."""
    splices: Sequence[Splice] = ()
    """What puts it in; nothing where it is there already."""

    @property
    def data(self) -> bytes:
        """The file with it in."""
        return _spliced(self.body.text.data, self.splices)

    def held(self) -> Held | None:
        """The locks that it runs under."""
        number = functions(self.body.text).index(self.body.function)
        return held_at(self.data, number, self.statement)

    def locks_above(self) -> list[Taken]:
        """The locks that the function takes and gives up above it."""
        return taken(self.body, max((gap.start for gap in self.gaps), default=self.there))

    def origin(self, offset: int) -> int:
        """Where what stands at `offset` with it in stands without it."""
        for splice in self.splices:
            if splice.start < offset:
                offset = max(splice.start, offset - len(splice.text) + splice.end - splice.start)
        return offset

    @property
    def line(self) -> int:
        """The line of the result in which the first statement put in begins."""
        data = self.body.text.data
        first = min(self.gaps, key=lambda gap: gap.start)
        extra = sum(s.text.count(b"\n") for s in first.also if s.start < first.start)
        above = data.count(b"\n", 0, first.start)
        dropped = sum(
            data.count(b"\n", s.start, s.end) for s in first.also if s.start < first.start
        )
        return above + extra - dropped + first.lead.count(b"\n") + 1


def _spliced(data: bytes, splices: Sequence[Splice]) -> bytes:
    """`data` with `splices`, sorted by place and apart from each other, carried out."""
    out, at = [], 0
    for splice in splices:
        out += [data[at : splice.start], splice.text]
        at = splice.end
    return b"".join((*out, data[at:]))
