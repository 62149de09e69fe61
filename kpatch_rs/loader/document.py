"""A TOML document of a series: its values, and the line each key stands on.

tomllib decides what is TOML and what it means, `syntax/toml` knows where it stands.

Guarantees: whatever the bytes are, the answer is a document or one SeriesInvalid with a line.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kpatch_rs.loader.fields import LineOf, SeriesInvalid
from kpatch_rs.model.series import Where
from kpatch_rs.syntax.toml import Spot, Tree, parse, spots, too_deep

NESTING = 16
"""Most levels of tables and lists, and most parts of a dotted key."""

_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True)
class Document:
    """One parsed file."""

    file: str
    text: str
    table: Mapping[str, Any]
    tree: Tree = field(repr=False)

    def line_of(self, *path: str | int) -> LineOf:
        """The lines of the keys of the table at `path` ("edit", 2), of itself for ''.

        What is not there has the line of what it would be in.
        """
        spot = self._top
        for step in path:
            spot = spot.inner(step) or Spot(spot.line)
        return lambda key: (spot.keys.get(key) or spot).line

    @cached_property
    def _top(self) -> Spot:
        top = Spot(1) if self.tree.has_error else spots(self.tree)
        return top if top.holds(self.table) else Spot(1)  # better no lines than wrong ones


def read_document(file: str, data: bytes) -> Document:
    """Return `data` as a document. Raises SeriesInvalid."""
    text = decoded(file, data)
    tree = parse(text.encode())
    if deep := too_deep(tree, NESTING):  # before tomllib: its time is the square of a key's parts
        raise _too_deep(Where(file, deep))
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
    document = Document(file, text, table, tree)
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
