"""`new`: one recipe of a kind, or a whole set from a template, added to the end of a series.

Guarantees: what it writes loads; no file that is there is changed; all files are written or none.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kpatch_rs.commands.session import Session
from kpatch_rs.commands.skeleton import skeleton
from kpatch_rs.commands.templates import TEMPLATES
from kpatch_rs.errors import KpatchError, Refused, Usage
from kpatch_rs.kinds import KINDS
from kpatch_rs.loader.document import read_document
from kpatch_rs.loader.fields import suggest
from kpatch_rs.loader.load import load_series
from kpatch_rs.loader.recipe import read_recipe
from kpatch_rs.loader.source import PAYLOAD_LIMIT, read_file
from kpatch_rs.loader.write import payloads, recipe_text
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.series import Payload, Series

_NUMBER = re.compile(r"(\d{1,9})-.*\.toml")
_SKELETONS = {
    ".rs": "// SPDX-License-Identifier: GPL-2.0\n\nuse kernel::prelude::*;\n",
    ".diff": "Put here what `git diff` or `git format-patch` wrote; text before it is fine.\n",
}


@dataclass(frozen=True, slots=True)
class NewReport:
    """What was written."""

    folder: Path
    written: tuple[str, ...]
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """See Report."""
        return {"folder": str(self.folder), "written": list(self.written)}

    def as_text(self) -> str:
        """See Report."""
        return "\n".join(f"wrote {self.folder / name}" for name in self.written)


def run(
    session: Session,
    kind: str | None,
    *,
    id: str | None = None,
    template: str | None = None,
    values: Sequence[str] = (),
) -> NewReport:
    """Add a recipe of `kind`, or those of `template`; `values` are KEY=VALUE.

    Raises Usage for a kind, a key or a value there is none of; Refused where a file is in the way.
    """
    folder = session.series_folder()
    series = load_series(folder)
    given = _given(values)
    if kind is not None and template is None:
        texts = [_of_kind(kind, id, given, series)]
    elif template is not None and kind is None:
        texts = _of_template(template, id, given)
    else:
        raise Usage(
            "a kind or a template?",
            hint=f"new KIND ({', '.join(KINDS)}), or new --template {', '.join(TEMPLATES)}",
        )
    files = _files(folder, series, texts)
    _write(folder, files)
    return NewReport(folder, tuple(files))


@dataclass(frozen=True, slots=True)
class _Text:
    """A recipe's text, and the bytes of the payloads that came with it."""

    id: str
    text: str
    payloads: tuple[Payload, ...] = ()


def _given(values: Sequence[str]) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not (key and equals):
            raise Usage(f"'{value}' is no KEY=VALUE", hint="--set file=drivers/foo/Makefile")
        given.setdefault(key, []).append(text)
    return given


def _of_template(template: str, id_: str | None, given: Mapping[str, list[str]]) -> list[_Text]:
    if template not in TEMPLATES:
        raise Usage(f"no template '{template}'", hint=suggest(template, list(TEMPLATES)))
    recipes = TEMPLATES[template]({key: values[-1] for key, values in given.items()})
    named = [replace(r, id=f"{id_}-{r.id}" if id_ else r.id) for r in recipes]
    return [_Text(r.id, recipe_text(r), payloads(r)) for r in named]


def _of_kind(kind: str, id_: str | None, given: Mapping[str, list[str]], series: Series) -> _Text:
    if kind not in KINDS:
        raise Usage(f"no kind '{kind}'", hint=suggest(kind, list(KINDS)))
    name = id_ or _free_id(kind, series)
    return _Text(name, skeleton(kind, name, given))


def _free_id(kind: str, series: Series) -> str:
    taken = {recipe.id.casefold() for recipe in series.recipes}
    ids = (kind if n == 1 else f"{kind}-{n}" for n in itertools.count(1))
    return next(id_ for id_ in ids if id_ not in taken)


def _files(folder: Path, series: Series, texts: Sequence[_Text]) -> dict[str, bytes]:
    """What is to be written under which name; each recipe is read as `load_series` will read it.

    Raises Refused or SeriesInvalid where it would not load.
    """
    files: dict[str, bytes] = {}
    taken = {recipe.id.casefold(): recipe.where.file for recipe in series.recipes}
    number = _next_number(folder)
    for number_, text in enumerate(texts, number):
        if text.id.casefold() in taken:
            raise Refused(
                f"the id '{text.id}' is the one of {taken[text.id.casefold()]}",
                hint="give another one with --id",
            )
        known = {payload.name: payload.data for payload in text.payloads}
        document = read_document(f"{text.id}.toml", text.text.encode())
        recipe = read_recipe(document, functools.partial(_payload, folder, known))
        files[f"{number_:04}-{recipe.id}.toml"] = text.text.encode()
        files |= {p.name: p.data for p in payloads(recipe) if not _exists(folder, p.name)}
    return files


def _next_number(folder: Path) -> int:
    found = (_NUMBER.fullmatch(path.name) for path in folder.iterdir())
    return max((int(match[1]) for match in found if match), default=0) + 1


def _exists(folder: Path, name: str) -> bool:
    return os.path.lexists(folder / name)


def _payload(folder: Path, known: Mapping[str, bytes], name: str) -> Payload:
    """The file as it is, as the template has it, or a skeleton. Raises KpatchError."""
    repo_path(name)
    if not _exists(folder, name):
        skeleton = _SKELETONS.get(Path(name).suffix, "").encode()
        return Payload(name, known.get(name, skeleton))
    data = read_file(folder, name, PAYLOAD_LIMIT)
    if data != known.get(name, data):
        raise Refused(f"{name} is there already", hint="give another name with --set name=…")
    return Payload(name, data)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    written: list[Path] = []
    try:
        for name, data in files.items():
            path = folder / name
            if not path.parent.resolve().is_relative_to(folder.resolve()):
                raise Refused(f"{name} would leave the series folder", hint="remove the link")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                written.append(path)
                file.write(data)
    except BaseException as error:
        for path in written:
            path.unlink()
        if isinstance(error, OSError):
            raise KpatchError(f"{folder} cannot be written: {error.strerror}") from error
        raise
