"""A TOML document of a series: its values, and the line each key stands on.

tomllib reads it and keeps no positions. So the text is read a second time with a mark, a key that
holds its line number, before each line that may begin a statement: tables keep the order of their
keys, so the mark before a key is its line. Text that only looks like a key is inside a string and
takes its mark with it.

Guarantees: whatever the bytes are, the answer is a document or one SeriesInvalid with a line.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kpatch_rs.loader.fields import LineOf, SeriesInvalid
from kpatch_rs.model.series import Where

NESTING = 16
"""Most levels of tables and lists, and most parts of a dotted key."""

_KEY = r"""(?:"(?:\\.|[^"\\\n])*+"|'[^'\n]*+'|[A-Za-z0-9_-]++)"""
_PARENTS = rf"(?P<parents>(?:{_KEY}[ \t]*+\.[ \t]*+)*+)"
_STATEMENT = re.compile(rf"[ \t]*+{_PARENTS}{_KEY}[ \t]*=")
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*(?:{_KEY}[ \t]*\.[ \t]*)*{_KEY}[ \t]*\]\]?[ \t]*(?:#|$)")
_DEEP_KEY = re.compile(rf"(?m)(?:^[ \t]*+\[*+|[{{,])[ \t]*+(?:{_KEY}[ \t]*+\.[ \t]*+){{{NESTING}}}")
"""Looked for before tomllib sees it: its time grows with the square of a key's parts."""
_MARK = "kpatch-rs-line-"
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_DROPS = 16
"""How often a mark that fell into a list is taken out again before lines are given up."""


@dataclass(frozen=True)
class Document:
    """One parsed file."""

    file: str
    text: str
    table: Mapping[str, Any]

    def line_of(self, *path: str | int) -> LineOf:
        """The lines of the keys of the table at `path` ("edit", 2), of itself for ''."""
        if not path:
            return lambda key: self._top.get(key, 1)
        table, line = self._marked, self._top.get(str(path[0]), 1)
        for step in path:
            try:
                table = table[step]
            except (LookupError, TypeError):
                table = {}
            line = _first_mark(table) or line
        found = _lines(table, line)
        return lambda key: found.get(key, line)

    @cached_property
    def _top(self) -> dict[str, int]:
        return _lines(self._marked, 1)

    @cached_property
    def _marked(self) -> Any:
        if _MARK in self.text:  # only to fool us: better no lines than wrong ones
            return {}
        lines = self.text.split("\n")
        marks = {n for n, line in enumerate(lines, 1) if _may_begin(line)}
        for _ in range(_DROPS):
            text, numbers = _with_marks(lines, marks)
            try:
                return tomllib.loads(text)
            except tomllib.TOMLDecodeError as error:
                at = _PLACE.search(str(error))
                marks.discard(numbers[min(int(at[1]), len(numbers)) - 1] if at and at[1] else 0)
        return {}


def read_document(file: str, data: bytes) -> Document:
    """Return `data` as a document. Raises SeriesInvalid."""
    text = decoded(file, data)
    if deep := _DEEP_KEY.search(text):
        raise _too_deep(Where(file, text.count("\n", 0, deep.end()) + 1))
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(file, text, error) from error
    except RecursionError as error:
        raise _too_deep(Where(file, _first_line(text, RecursionError))) from error
    except ValueError as error:  # int() of more digits than Python takes; tomllib lets it through
        raise SeriesInvalid(
            Where(file, _first_line(text, ValueError)),
            "a number with more than 4300 digits",
            hint="no key of a recipe takes such a number; put text in quotes",
        ) from error
    document = Document(file, text, table)
    for key, value in table.items():
        if sum(1 for _ in _levels(value)) >= NESTING:
            raise _too_deep(Where(file, document.line_of()(key)))
    return document


def decoded(file: str, data: bytes) -> str:
    """Return the text of `data`: UTF-8, no byte order mark, no NUL, lines ended by LF alone."""
    if data.startswith(codecs.BOM_UTF8):
        raise SeriesInvalid(
            Where(file), "it begins with a byte order mark", hint="save it as UTF-8 without one"
        )
    for byte, name, hint in (
        (b"\0", "a NUL byte", "save it as UTF-8 text"),
        (b"\r", "a carriage return", f"save it with LF line ends: sed -i 's/\\r$//' {file}"),
    ):
        if (at := data.find(byte)) >= 0:
            raise SeriesInvalid(Where(file, data.count(b"\n", 0, at) + 1), name, hint=hint)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise SeriesInvalid(
            Where(file, data.count(b"\n", 0, error.start) + 1),
            f"byte 0x{data[error.start]:02x} is not UTF-8",
            hint="save it as UTF-8; bytes that are none belong into a payload file",
        ) from error


def _may_begin(line: str) -> bool:
    return bool(_STATEMENT.match(line) or _HEADER.match(line))


def _with_marks(lines: list[str], marks: set[int]) -> tuple[str, list[int]]:
    """The text with marks in, and for each of its lines the number of the line it came from."""
    out, numbers = [], []
    for n, line in enumerate(lines, 1):
        out.append(line)
        if n in marks:
            statement = _STATEMENT.match(line)
            mark = f"{statement['parents'] if statement else ''}{_MARK}{n}={n}"
            out.insert(len(out) - 1 if statement else len(out), mark)
            numbers.append(n)
        numbers.append(n)
    return "\n".join(out), numbers


def _lines(table: Any, line: int) -> dict[str, int]:
    """The line of each key of a marked table that begins at `line`."""
    found = {}
    for key, value in table.items() if isinstance(table, dict) else ():
        if key.startswith(_MARK):
            line = value
        else:
            found[key] = _first_mark(value) or line
    return found


def _first_mark(value: Any) -> int:
    """The first mark in a table itself, else in what it holds; 0 where there is none.

    A table's own come first: [a] may stand below [a.b].
    """
    if not isinstance(value, dict | list):
        return 0
    if own := _marks([value]):
        return own[0]
    return min((mark for level in _levels(value) for mark in _marks(level)), default=0)


def _marks(level: list[Any]) -> list[int]:
    tables = (item for item in level if isinstance(item, dict))
    return [line for table in tables for key, line in table.items() if key.startswith(_MARK)]


def _levels(value: Any) -> Iterator[list[Any]]:
    """The tables and lists in `value`, level by level; no recursion, the text decides how deep."""
    level = [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        yield level
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]


def _first_line(text: str, failure: type[Exception]) -> int:
    """The line at which reading `text` first fails with exactly `failure`.

    tomllib reads from left to right, so the failure shows as soon as its line is there.
    """
    lines = text.split("\n")
    low, high = 1, len(lines)
    while low < high:
        middle = (low + high) // 2
        try:
            tomllib.loads("\n".join(lines[:middle]))
            low = middle + 1
        except (ValueError, RecursionError) as error:
            low, high = (low, middle) if type(error) is failure else (middle + 1, high)
    return low


def _too_deep(where: Where) -> SeriesInvalid:
    return SeriesInvalid(
        where, f"nested deeper than {NESTING} levels", hint="no key of a recipe nests that deep"
    )


def _not_toml(file: str, text: str, error: tomllib.TOMLDecodeError) -> SeriesInvalid:
    said = str(error)
    place = _PLACE.search(said)
    line = int(place[1]) if place and place[1] else text.rstrip("\n").count("\n") + 1
    said = _PLACE.sub("", said)
    return SeriesInvalid(
        Where(file, line), f"not TOML: {said[:1].lower()}{said[1:]}", hint=_cure(said)
    )


def _cure(said: str) -> str:
    if "overwrite" in said or "twice" in said:
        return "a key stands once in its table; a second edit begins with its own [[edit]]"
    if "control" in said.lower() or "Illegal character" in said:
        return "strings hold printable text; other bytes belong into a payload file"
    return 'keys look like: key = "text", key = ["a", "b"], key = """several lines"""'
