"""MAINTAINERS: its entries and their tagged lines, and where a new one belongs.

The format is the file's own ("Descriptions of section entries") as scripts/parse-maintainers.pl
reads it: behind the heading "Maintainers List", a title line followed by lines of a capital letter
and a colon. Guarantees: offsets are into the bytes given.
"""

from __future__ import annotations

import re
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


def covers(section: Section, pattern: str) -> Line | None:
    """The F: line of `section` that makes `pattern` its own: the same, or one that matches it.

    As get_maintainer.pl matches (file_match_pattern()): a folder with all below it, a pattern of
    `*` and `?` with as many slashes as it has, one with `**` (7.2 has them) with any. An X: line
    takes its files away. Of a `pattern` with wildcards nothing but the same line is certain.
    """
    same = next((line for line in section.lines if (line.tag, line.value) == ("F", pattern)), None)
    if same or any(character in pattern for character in "*?["):
        return same
    if any(_matches(line.value, pattern) for line in section.lines if line.tag == "X"):
        return None
    files = (line for line in section.lines if line.tag == "F")
    return next((line for line in files if _matches(line.value, pattern)), None)


def _matches(pattern: str, path: str) -> bool:
    wild = {"**": ".*", "*": ".*", "?": "."}
    parts = re.split(r"(\*\*|[*?])", pattern)
    wanted = "".join(wild.get(part) or re.escape(part) for part in parts)
    if pattern.endswith("/") or "**" in pattern:
        return bool(re.match(wanted, path))
    return bool(re.fullmatch(wanted, path)) and path.count("/") == pattern.count("/")
