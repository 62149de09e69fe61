"""A TOML table becomes a frozen dataclass: its fields are the keys, its types the schema.

Guarantees: an unknown key, a missing one and a wrong type each end in one error that names file and
line; nothing is converted silently.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from kpatch_rs.errors import KpatchError
from kpatch_rs.model.path import RepoPath, repo_path
from kpatch_rs.model.series import Payload, Where

T = TypeVar("T")

ReadPayload = Callable[[str], Payload]
"""Reads one side file of the series; raises SeriesInvalid."""

LineOf = Callable[[str], int]
"""The 1-based line a key of the table stands on; of the table itself for ''."""


class SeriesInvalid(KpatchError):
    """A series file that cannot mean anything; names file and line."""

    def __init__(self, where: Where, message: str, *, hint: str = "") -> None:
        super().__init__(f"{where}: {message}", hint=hint)
        self.where = where


def read_table(
    wanted: type[T],
    table: Mapping[str, Any],
    *,
    file: str,
    line_of: LineOf,
    payload: ReadPayload,
    given: Mapping[str, Any] = types.MappingProxyType({}),
) -> T:
    """Return `table` as a `wanted`; `given` are fields that do not come from the table.

    A key is its field's name with '_' as '-'. Raises SeriesInvalid.
    """
    hints = typing.get_type_hints(wanted)
    fields = {
        f.name.replace("_", "-"): f
        for f in dataclasses.fields(wanted)  # type: ignore[arg-type]  # T is one of our dataclasses
        if f.name not in given
    }
    for key in table:
        if key not in fields:
            raise SeriesInvalid(
                Where(file, line_of(key)), f"unknown key '{key}'", hint=_suggest(key, list(fields))
            )
    values = dict(given)
    for key, field in fields.items():
        where = Where(file, line_of(key if key in table else ""))
        if key in table:
            values[field.name] = _value(hints[field.name], table[key], key, where, payload)
        elif field.default is dataclasses.MISSING:
            raise SeriesInvalid(where, f"missing key '{key}'", hint=f'add: {key} = "…"')
    return wanted(**values)


def _suggest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    listed = f"known here: {', '.join(sorted(known))}"
    return f"did you mean '{close[0]}'? {listed}" if close else listed


def _value(hint: Any, raw: Any, key: str, where: Where, payload: ReadPayload) -> Any:
    """`raw` as the field's type wants it; TOML's own types are never converted into each other."""
    hint = _without_none(hint)
    if typing.get_origin(hint) is Literal:
        return _choice(typing.get_args(hint), raw, key, where)
    if typing.get_origin(hint) is tuple:
        return tuple(_plain(str, item, f"{key}[{n}]", where) for n, item in _items(raw, key, where))
    if dataclasses.is_dataclass(hint) and hint is not Payload:
        return _nested(hint, raw, key, where, payload)
    if hint is RepoPath:
        return _located(where, key, lambda: repo_path(_plain(str, raw, key, where)))
    if hint is Payload:
        return payload(_plain(str, raw, key, where))
    return _plain(hint, raw, key, where)


def _without_none(hint: Any) -> Any:
    arms = [a for a in typing.get_args(hint) if a is not types.NoneType]
    return arms[0] if typing.get_origin(hint) in (typing.Union, types.UnionType) else hint


def _plain(wanted: type, raw: Any, key: str, where: Where) -> Any:
    if type(raw) is not wanted:
        said = {str: "a string", int: "a whole number", bool: "true or false"}[wanted]
        raise SeriesInvalid(where, f"'{key}' must be {said}, not {_toml_type(raw)}")
    return raw


def _items(raw: Any, key: str, where: Where) -> enumerate[Any]:
    if not isinstance(raw, list):
        raise SeriesInvalid(
            where,
            f"'{key}' must be a list of strings, not {_toml_type(raw)}",
            hint=f'{key} = ["…"]',
        )
    return enumerate(raw)


def _choice(choices: tuple[str, ...], raw: Any, key: str, where: Where) -> Any:
    if raw not in choices:
        close = difflib.get_close_matches(str(raw), choices, n=1)
        listed = f"one of: {', '.join(choices)}"
        raise SeriesInvalid(
            where,
            f"'{key}' cannot be {raw!r}",
            hint=f"did you mean '{close[0]}'? {listed}" if close else listed,
        )
    return raw


def _nested(hint: Any, raw: Any, key: str, where: Where, payload: ReadPayload) -> Any:
    if not isinstance(raw, dict):
        raise SeriesInvalid(where, f"'{key}' must be a table, not {_toml_type(raw)}")
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
