"""A TOML table becomes a frozen dataclass: its fields are the keys, its types the schema.

Guarantees: an unknown key, a missing one and a wrong type each end in one error that names file and
line; nothing is converted silently.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from kpatch_rs.errors import KpatchError
from kpatch_rs.model.path import RepoPath, repo_path, show
from kpatch_rs.model.series import Payload, Where

T = TypeVar("T")

ReadPayload = Callable[[str], Payload]
"""Reads one side file of the series; a KpatchError it raises is given the key's place."""

LineOf = Callable[[str], int]
"""The 1-based line a key of the table stands on; of the table itself for ''."""

MESSAGE_LIMIT = 500
"""Most characters of a message or a hint: what they quote comes from the series."""


_UNSEEN = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060\\u2066-\\u2069\\ufeff]"
)
"""Controls but TAB and LF, and what changes the order or hides: a reader of the mail would not see
what the compiler sees."""


class SeriesInvalid(KpatchError):
    """A series file that cannot mean anything; names file and line, on one line, no controls."""

    def __init__(self, where: Where, message: str, *, hint: str = "") -> None:
        super().__init__(_quotable(f"{where}: {message}"), hint=_quotable(hint))
        self.where = where


def _quotable(text: str) -> str:
    shown = show(text.encode("utf-8", "backslashreplace"))
    return shown if len(shown) <= MESSAGE_LIMIT else f"{shown[: MESSAGE_LIMIT - 1]}…"


def read_table(
    wanted: type[T],
    table: Mapping[str, Any],
    *,
    file: str,
    line_of: LineOf,
    payload: ReadPayload,
    given: Mapping[str, Any] = types.MappingProxyType({}),
    also: Sequence[str] = (),
) -> T:
    """Return `table` as a `wanted`; `given` are fields that do not come from the table.

    A key is its field's name with '_' as '-'; the keys `also` there are read elsewhere. Raises
    SeriesInvalid.
    """
    schema: type = wanted
    hints = _hints(schema)
    fields = {
        f.name.replace("_", "-"): f
        for f in dataclasses.fields(wanted)  # type: ignore[arg-type]  # T is one of our dataclasses
        if f.name not in given
    }
    known = [*fields, *also]
    for key in table:
        if key not in known:
            raise SeriesInvalid(
                Where(file, line_of(key)), f"unknown key '{key}'", hint=suggest(key, known)
            )
    values = dict(given)
    for key, field in fields.items():
        where = Where(file, line_of(key if key in table else ""))
        if key in table:
            values[field.name] = _value(hints[field.name], table[key], key, where, payload)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise SeriesInvalid(
                where, f"missing key '{key}'", hint=f"add: {_sample(key, hints[field.name])}"
            )
    return wanted(**values)


@functools.cache
def _hints(wanted: type) -> dict[str, Any]:
    """Evaluating annotations takes longer than reading a table."""
    return typing.get_type_hints(wanted)


def _sample(key: str, hint: Any) -> str:
    """How the key is written, for one who wrote it otherwise; `key[2]` is an item of a list."""
    key, bracket, _ = key.partition("[")
    if bracket or typing.get_origin(hint) is tuple:
        return f'{key} = ["…"]'
    return f"{key} = " + {int: "1", bool: "true"}.get(hint, '"…"')


def suggest(key: str, known: list[str]) -> str:
    """A hint for a word that is none of the `known` ones: the closest, and the whole list."""
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    listed = f"known here: {', '.join(sorted(known))}"
    return f"did you mean '{close[0]}'? {listed}" if close else listed


def _value(hint: Any, raw: Any, key: str, where: Where, payload: ReadPayload) -> Any:
    """`raw` as the field's type wants it; TOML's own types are never converted into each other."""
    hint = _without_none(hint)
    if typing.get_origin(hint) is Literal:
        return _choice(typing.get_args(hint), raw, key, where)
    if typing.get_origin(hint) is tuple:
        kind = typing.get_args(hint)[0]
        items = _items(raw, key, where)
        return tuple(_value(kind, item, f"{key}[{n}]", where, payload) for n, item in items)
    if dataclasses.is_dataclass(hint) and hint is not Payload:
        return _nested(hint, raw, key, where, payload)
    if hint is RepoPath:
        return _located(where, key, lambda: repo_path(_plain(str, raw, key, where)))
    if hint is Payload:
        return _located(where, key, lambda: payload(_plain(str, raw, key, where)))
    return _plain(hint, raw, key, where)


def _without_none(hint: Any) -> Any:
    arms = [a for a in typing.get_args(hint) if a is not types.NoneType]
    return arms[0] if typing.get_origin(hint) in (typing.Union, types.UnionType) else hint


def _plain(wanted: Any, raw: Any, key: str, where: Where) -> Any:
    if type(raw) is not wanted:
        said = {str: "a string", int: "a whole number", bool: "true or false"}[wanted]
        raise SeriesInvalid(
            where,
            f"'{key}' must be {said}, not {_toml_type(raw)}",
            hint=f"write: {_sample(key, wanted)}",
        )
    if isinstance(raw, str) and (unseen := _UNSEEN.search(raw)):
        raise SeriesInvalid(
            where,
            f"'{key}' has the character U+{ord(unseen[0]):04X}, which a reader does not see",
            hint="leave it out; text that needs it belongs into a payload file",
        )
    return raw


def _items(raw: Any, key: str, where: Where) -> enumerate[Any]:
    if not isinstance(raw, list):
        raise SeriesInvalid(
            where,
            f"'{key}' must be a list of strings, not {_toml_type(raw)}",
            hint=f'write: {key} = ["…"]',
        )
    return enumerate(raw)


def _choice(choices: tuple[str, ...], raw: Any, key: str, where: Where) -> Any:
    if raw not in choices:
        raise SeriesInvalid(
            where, f"'{key}' cannot be {raw!r}", hint=suggest(str(raw), list(choices))
        )
    return raw


def _nested(hint: Any, raw: Any, key: str, where: Where, payload: ReadPayload) -> Any:
    if not isinstance(raw, dict):
        names = ", ".join(f.name for f in dataclasses.fields(hint))
        raise SeriesInvalid(
            where,
            f"'{key}' must be a table, not {_toml_type(raw)}",
            hint=f"write: {key} = {{ … }} with the keys: {names}",
        )
    return _located(
        where,
        key,
        lambda: read_table(
            hint, raw, file=where.file, line_of=lambda _: where.line, payload=payload
        ),
    )


def _located(where: Where, key: str, make: Callable[[], T]) -> T:
    """`make()`, with the place put in front of what a value's own constructor objects to."""
    try:
        return make()
    except SeriesInvalid:
        raise
    except KpatchError as error:
        raise SeriesInvalid(where, f"'{key}': {error.message}", hint=error.hint) from error


def _toml_type(raw: Any) -> str:
    names = {str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    names |= {list: "a list", dict: "a table"}
    return names.get(type(raw), f"a {type(raw).__name__}")
