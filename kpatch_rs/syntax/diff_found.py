"""Where the text of a hunk stands in a file, line for line: its places, and doubts about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kpatch_rs.syntax.diff import Hunk


@dataclass(frozen=True, slots=True)
class Spot:
    """A hunk's place: 0-based line `at` of the file as it is."""

    hunk: Hunk
    at: int
    there: bool
    """Whether its new text stands there already."""

    @property
    def text(self) -> tuple[bytes, ...]:
        """What stands there."""
        return self.hunk.new if self.there else self.hunk.old

    @property
    def height(self) -> int:
        """How many lines of the file it speaks about."""
        return len(self.text)

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
    why: Literal["", "order", "twins", "double"] = ""
    """What is wrong with the one place: it stands before the hunk above it; it need not be the one
    meant, as what the diff was made from has the text more than once; it may be done already."""


@dataclass(frozen=True, slots=True)
class Text:
    """The lines of a file, and where each of them stands, 0-based."""

    lines: Sequence[bytes]
    where: Mapping[bytes, Sequence[int]]

    @classmethod
    def of(cls, lines: Sequence[bytes]) -> Text:
        """The file of these lines."""
        return cls(lines, positions(lines))

    def found(self, hunk: Hunk, text: Sequence[bytes]) -> tuple[int, ...]:
        """Every line at which `text` of `hunk` stands; none for no text, which stands anywhere."""
        if not text:
            return ()
        rarest = min(range(len(text)), key=lambda n: len(self.where.get(text[n], ())))
        starts = (at - rarest for at in self.where.get(text[rarest], ()))
        return tuple(
            at
            for at in starts
            if at >= 0
            and tuple(self.lines[at : at + len(text)]) == text
            and fits_edges(self.lines, hunk, at, len(text))
        )


def positions(lines: Sequence[bytes]) -> dict[bytes, list[int]]:
    """Where each line stands, 0-based."""
    where: dict[bytes, list[int]] = {}
    for n, line in enumerate(lines):
        where.setdefault(line, []).append(n)
    return where


def own_line(hunk: Hunk, *, new: bool) -> int:
    """The 0-based line the diff itself names for the hunk."""
    start, text = (hunk.new_start, hunk.new) if new else (hunk.old_start, hunk.old)
    return start - 1 if text else start


def fits_edges(lines: Sequence[bytes], hunk: Hunk, at: int, height: int) -> bool:
    """A hunk without context on one side was made at that edge of the file (as git apply has it).

    Without any context (`-U0`, or a whole file) it says nothing about edges, but that a line
    without its end is the last one.
    """
    ends = at + height == len(lines)
    if not hunk.leading and not hunk.trailing:
        return ends or all(text.endswith(b"\n") for _, text in hunk.body)
    return bool(hunk.leading or at == 0) and bool(hunk.trailing or ends)
