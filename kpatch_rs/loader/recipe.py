"""One recipe file becomes a Recipe."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from kpatch_rs.kinds import KINDS
from kpatch_rs.loader.document import Document
from kpatch_rs.loader.fields import LineOf, ReadPayload, SeriesInvalid, read_table, suggest
from kpatch_rs.loader.message import (
    MessageRefused,
    checked_body,
    checked_date,
    checked_id,
    checked_notes,
    checked_subject,
    checked_trailer,
    person,
)
from kpatch_rs.model.series import Edit, Recipe, Variant, Where
from kpatch_rs.model.version import Guard

T = TypeVar("T")

_VERSION = re.compile(r"v[1-9]\d{0,3}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Top:
    """The keys of a recipe as TOML has them, but for `notes` and the edits."""

    id: str
    subject: str
    body: str = ""
    author: str | None = None
    date: str | None = None
    trailers: tuple[str, ...] = ()
    notes: str = ""
    when: Guard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _VariantTop:
    """The keys of a variant, but for its edits."""

    when: Guard | None = None


def read_recipe(document: Document, payload: ReadPayload) -> Recipe:
    """Return `document` as a recipe. Raises SeriesInvalid."""
    line_of = document.line_of()
    table = dict(document.table)
    if isinstance(notes := table.get("notes"), dict):
        table["notes"] = _by_version(notes, document)
    top = read_table(
        _Top, table, file=document.file, line_of=line_of, payload=payload, also=["edit", "variant"]
    )

    def checked(key: str, check: Callable[[str], T], text: str) -> T:
        return _checked(Where(document.file, line_of(key)), key, check, text)

    return Recipe(
        where=Where(document.file, line_of("id")),
        id=checked("id", checked_id, top.id),
        subject=checked("subject", checked_subject, top.subject),
        body=checked("body", checked_body, top.body),
        author=None if top.author is None else checked("author", person, top.author),
        date=None if top.date is None else checked("date", checked_date, top.date),
        trailers=tuple(checked("trailers", checked_trailer, line) for line in top.trailers),
        notes=checked("notes", checked_notes, top.notes),
        when=top.when,
        edits=_edits(document, payload, "edit"),
        variants=_variants(document, payload),
    )


def _checked(where: Where, key: str, check: Callable[[str], T], text: str) -> T:
    try:
        return check(text)
    except MessageRefused as error:
        raise SeriesInvalid(where, f"'{key}': {error.message}", hint=error.hint) from error


def _by_version(notes: dict[str, Any], document: Document) -> str:
    """`[notes] v2 = "…"`: one entry per version of the series, shown with the newest first."""
    line_of = document.line_of("notes")
    for key, text in notes.items():
        if not (_VERSION.fullmatch(key) and isinstance(text, str)):
            raise SeriesInvalid(
                Where(document.file, line_of(key)),
                f"'notes': '{key}' must be a version with a string",
                hint='write: notes = "…", or one entry per version: notes = { v2 = "…" }',
            )
    newest_first = sorted(notes, key=lambda key: -int(key[1:]))
    return "\n\n".join(f"Changes in {key}:\n{notes[key].strip(chr(10))}" for key in newest_first)


def _variants(document: Document, payload: ReadPayload) -> tuple[Variant, ...]:
    tables = document.table.get("variant", [])
    if not _are_tables(tables):
        raise SeriesInvalid(
            Where(document.file, document.line_of()("variant")),
            "'variant' must be a list of tables",
            hint="each variant begins with a line [[variant]], each of its edits with "
            "[[variant.edit]]",
        )
    return tuple(_variant(table, n, document, payload) for n, table in enumerate(tables))


def _variant(table: dict[str, Any], n: int, document: Document, payload: ReadPayload) -> Variant:
    line_of = document.line_of("variant", n)
    where = Where(document.file, line_of(""))
    top = read_table(
        _VariantTop, table, file=document.file, line_of=line_of, payload=payload, also=["edit"]
    )
    if top.when is None and "edit" not in table:
        raise SeriesInvalid(
            where,
            "a variant without edits says where there is nothing to do, and this one has no 'when'",
            hint='add: when = { min = "…" }, or its edits: [[variant.edit]]',
        )
    edits = _edits(document, payload, "variant", n, "edit") if "edit" in table else ()
    return Variant(where=where, when=top.when, edits=edits)


def _edits(document: Document, payload: ReadPayload, *path: str | int) -> tuple[Edit, ...]:
    tables: Any = document.table
    for step in path:
        tables = tables.get(step, []) if isinstance(step, str) else tables[step]
    if not (tables and _are_tables(tables)):
        header = f"[[{'.'.join(step for step in path if isinstance(step, str))}]]"
        raise SeriesInvalid(
            Where(document.file, document.line_of(*path[:-1])("edit")),
            "'edit' must be a list of tables" if tables else f"the recipe has no {header}",
            hint=f'each edit begins with a line {header}, then: kind = "…"',
        )
    return tuple(
        _edit(table, document.file, document.line_of(*path, n), payload)
        for n, table in enumerate(tables)
    )


def _are_tables(raw: object) -> bool:
    return isinstance(raw, list) and all(isinstance(item, dict) for item in raw)


def _edit(table: dict[str, Any], file: str, line_of: LineOf, payload: ReadPayload) -> Edit:
    where = Where(file, line_of(""))
    kind = table.get("kind")
    if "kind" not in table:
        raise SeriesInvalid(where, "missing key 'kind'", hint=suggest("", list(KINDS)))
    if not isinstance(kind, str) or kind not in KINDS:
        place = Where(file, line_of("kind"))
        raise SeriesInvalid(place, f"unknown kind {kind!r}", hint=suggest(str(kind), list(KINDS)))
    edit: Edit = read_table(
        KINDS[kind].edit,
        table,
        file=file,
        line_of=line_of,
        payload=payload,
        given={"where": where},
        also=["kind"],
    )
    return edit
