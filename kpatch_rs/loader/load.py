"""A series folder becomes a Series.

Guarantees: the whole series or one error naming file and line; payloads are read once, whole and
byte for byte; nothing in the folder is changed; nothing outside it is read.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kpatch_rs.errors import KpatchError
from kpatch_rs.loader.document import decoded, read_document
from kpatch_rs.loader.fields import ReadPayload, SeriesInvalid
from kpatch_rs.loader.message import (
    MessageRefused,
    checked_notes,
    checked_subject,
)
from kpatch_rs.loader.recipe import read_recipe
from kpatch_rs.loader.settings import SERIES_FILE, read_settings
from kpatch_rs.loader.source import PAYLOAD_LIMIT, TEXT_LIMIT, Unreadable, read_file
from kpatch_rs.model.series import (
    Cover,
    Payload,
    Recipe,
    Series,
    Where,
)

RECIPE_LIMIT = 2000
COVER_FILE = "cover.txt"


def load_series(folder: Path) -> Series:
    """Return the series in `folder`.

    Raises KpatchError; SeriesInvalid, with the place, for what stands in a file.
    """
    names = _toml_files(folder)
    payload = _payload_reader(folder)
    series = read_settings(read_document(SERIES_FILE, read_text(folder, SERIES_FILE)), payload)
    recipes = [read_recipe(read_document(name, read_text(folder, name)), payload) for name in names]
    _must_be_unique(recipes)
    return replace(series, cover=_cover(folder), recipes=tuple(recipes))


def read_text(folder: Path, name: str) -> bytes:
    """The bytes of a TOML file or the cover letter. Raises SeriesInvalid."""
    try:
        return read_file(folder, name, TEXT_LIMIT)
    except Unreadable as error:
        raise SeriesInvalid(Where(name), error.message, hint=error.hint) from error


def _toml_files(folder: Path) -> list[str]:
    """The recipes' file names, in the order of their bytes; editors' dot files are not recipes."""
    try:
        found = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise KpatchError(
            f"{folder} is no series: {error.strerror}",
            hint=f"make one with: kpatch-rs init {folder.name}",
        ) from error
    if SERIES_FILE not in found:
        raise KpatchError(
            f"{folder} is no series: it has no {SERIES_FILE}",
            hint="give the folder that has one with -s, or make one with: kpatch-rs init NAME",
        )
    names = [name for name in found if name.endswith(".toml") and name != SERIES_FILE]
    if len(names) > RECIPE_LIMIT:
        raise KpatchError(
            f"{folder} has {len(names)} recipes, and {RECIPE_LIMIT} are the most a series can have",
            hint="split the series",
        )
    return sorted(names, key=os.fsencode)


def _payload_reader(folder: Path) -> ReadPayload:
    known: dict[str, Payload] = {}

    def payload(name: str) -> Payload:
        if name not in known:
            try:
                known[name] = Payload(name, read_file(folder, name, PAYLOAD_LIMIT))
            except Unreadable as error:
                raise KpatchError(f"{name}: {error.message}", hint=error.hint) from error
        return known[name]

    return payload


def _must_be_unique(recipes: Sequence[Recipe]) -> None:
    """Ids become file names and refs; file systems that ignore case would mix them up."""
    seen: dict[str, Recipe] = {}
    for recipe in recipes:
        other = seen.setdefault(recipe.id.casefold(), recipe)
        if other is not recipe:
            same = "is" if other.id == recipe.id else "differs only in case from"
            raise SeriesInvalid(
                recipe.where,
                f"'id': '{recipe.id}' {same} the id of {other.where.file}",
                hint="give each recipe an id of its own",
            )


def _cover(folder: Path) -> Cover | None:
    if not os.path.lexists(folder / COVER_FILE):
        return None
    text = decoded(COVER_FILE, read_text(folder, COVER_FILE))
    subject, _, rest = text.partition("\n")
    blank, _, body = rest.partition("\n")
    if blank.strip():
        raise SeriesInvalid(
            Where(COVER_FILE, 2),
            "the second line is not blank",
            hint="cover.txt is a subject line, a blank line, and the text",
        )
    try:
        return Cover(checked_subject(subject), checked_notes(body))
    except MessageRefused as error:
        raise SeriesInvalid(Where(COVER_FILE), error.message, hint=error.hint) from error
