"""MAINTAINERS: its entries and their tagged lines, and where a new one belongs.

The format is the file's own ("Descriptions of section entries") as scripts/parse-maintainers.pl
reads it: behind the heading "Maintainers List", a title line followed by lines of a capital letter
and a colon. Guarantees: offsets are into the bytes given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

TAGS = "MRLSWQBCPTFXNK"
"""The order of tags in an entry (by_pattern() in parse-maintainers.pl)."""

_LIST = re.compile(rb"(?m)^Maintainers List\n-+\n")
_TAGGED = re.compile(rb"([A-Z]):[ \t]*(.*?)\s*")


@dataclass(frozen=True, slots=True)
class Line:
    """`F:	drivers/foo/`."""

    tag: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Section:
    """One entry: its title line and the tagged lines under it."""

    title: str
    start: int
    end: int
    """Behind its last tagged line."""
    lines: tuple[Line, ...]


def read_maintainers(data: bytes) -> tuple[Section, ...]:
    """The entries in file order; empty where the heading is missing."""
    found = _LIST.search(data)
    sections: list[Section] = []
    title, start, tagged = "", 0, list[Line]()
    offset = found.end() if found else len(data)
    for raw in data[offset:].splitlines(keepends=True):
        end = offset + len(raw)
        if line := _TAGGED.fullmatch(raw):
            tagged.append(Line(line[1].decode(), _text(line[2]), offset, end))
        else:
            sections += _closed(title, start, tagged)
            title, start, tagged = _text(raw.strip()), offset, []
        offset = end
    return (*sections, *_closed(title, start, tagged))


def _closed(title: str, start: int, lines: list[Line]) -> list[Section]:
    return [Section(title, start, lines[-1].end, tuple(lines))] if title and lines else []


def _text(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")


def title_order(title: str) -> str:
    """The key entries are sorted by: upper case, THE REST last (by_category())."""
    return title.upper().replace("THE REST", "ZZZZZZ")


def place_among(keys: Sequence[str], new: str) -> int:
    """The index in `keys` where `new` has the fewest on its wrong side; the first such.

    The list is sorted but for a few (34 of 2,906 entries in 6.12, 105 of 3,292 in 7.2): a
    bisection would be led astray.
    """
    wrong = best = sum(key < new for key in keys)
    index = 0
    for n, key in enumerate(keys, 1):
        wrong += 1 if key > new else -1 if key < new else 0
        if wrong < best:
            best, index = wrong, n
    return index
