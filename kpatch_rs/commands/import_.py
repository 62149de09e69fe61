"""`import`: existing patches become a series, lifted into kinds of edits as far as nothing is lost.

Guarantees: rendered on the kernel the patches are made for, the series gives their trees, byte for
byte, patch by patch; the folder is there whole or not at all; neither branch nor work tree is
touched. A series made by others is not trusted: `check` asks first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kpatch_rs.commands import init
from kpatch_rs.commands.given import (
    Given,
    Remark,
    Source,
    naming,
    of_mbox,
    of_quilt,
    of_range,
)
from kpatch_rs.commands.session import Session
from kpatch_rs.engine.lift import lift
from kpatch_rs.errors import KpatchError, Usage
from kpatch_rs.gitio.repository import GitHistory, Repository
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.loader.document import read_document
from kpatch_rs.loader.existing import Said
from kpatch_rs.loader.fields import SeriesInvalid
from kpatch_rs.loader.load import RECIPE_LIMIT
from kpatch_rs.loader.recipe import read_recipe
from kpatch_rs.loader.source import PAYLOAD_LIMIT
from kpatch_rs.loader.write import payloads, recipe_text
from kpatch_rs.model.series import Edit, Payload, Recipe, Where
from kpatch_rs.report import clean, counted, table

_SLUG_MAX = 50


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The recipes that were made."""

    folder: Path
    name: str
    base: str
    given: str
    """The series as it was named on the command line."""
    recipes: tuple[tuple[str, Recipe], ...]
    """Each with the name of the patch it was made of."""
    remarks: tuple[Remark, ...] = ()
    """What is in none of them, and what was read otherwise than it may have been meant."""
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """See Report."""
        return {
            "series": self.name,
            "folder": str(self.folder),
            "base": self.base,
            "recipes": [
                {
                    "id": recipe.id,
                    "subject": recipe.subject,
                    "file": recipe.where.file,
                    "from": source,
                    "kinds": [edit.kind for edit in recipe.edits],
                }
                for source, recipe in self.recipes
            ],
            "remarks": [
                {"about": one.about, "text": one.text, "left-out": one.left_out}
                for one in self.remarks
            ],
        }

    def as_text(self) -> str:
        """See Report."""
        rows = [(r.where.file, ", ".join(e.kind for e in r.edits)) for _, r in self.recipes]
        kinds = Counter(e.kind for _, r in self.recipes for e in r.edits)
        said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        remarks = "".join(f"{clean(str(one))}\n" for one in self.remarks)
        return (
            f"{table(('recipe', 'edits'), rows)}\n\n"
            + (f"{remarks}\n" if remarks else "")
            + f"made {counted(len(rows), 'recipe')} in {self.folder}, for {self.base}: {said}\n"
            f"next: kpatch-rs -s {self.given} apply"
        )


def run(
    session: Session,
    range_: str | None,
    *,
    quilt: Path | None,
    mbox: Path | None,
    base: str | None,
) -> ImportReport:
    """Make a series of the commits `A..B`, of a quilt series or of the mails in an mbox.

    Raises KpatchError naming the patch that cannot become a recipe; then nothing is written.
    """
    folder = session.series_folder()
    with session.open_kernel() as repository:
        source = _source(repository, range_, quilt, mbox, base)
        name = init.free_name(folder)
        if len(source.said) > RECIPE_LIMIT:
            many = len(source.said)
            raise KpatchError(f"{many} patches, and a series has {RECIPE_LIMIT} at most")
        recipes, files = _recipes(session, repository.history(), source)
    settings = init.settings(name, source.base_name, init.new_change_id(name))
    init.make(folder, settings, files)
    return ImportReport(
        folder, name, source.base_name, session.series or "", tuple(recipes), source.remarks
    )


def _source(
    repository: Repository,
    range_: str | None,
    quilt: Path | None,
    mbox: Path | None,
    base: str | None,
) -> Source:
    if sum(given is not None for given in (range_, quilt, mbox)) != 1:
        raise Usage("one of A..B, --quilt DIR and --mbox FILE", hint="import v6.12..my-branch")
    if range_ is not None:
        if base is not None:
            raise Usage("A..B says its base itself", hint="leave out --base")
        return of_range(repository, range_)
    if mbox is not None:
        return of_mbox(repository, mbox, base)
    if base is None or quilt is None:
        raise Usage("a quilt series does not say its kernel", hint="say which: --base v6.12")
    return of_quilt(repository, quilt, base)


def _recipes(
    session: Session, history: GitHistory, source: Source
) -> tuple[list[tuple[str, Recipe]], dict[str, bytes]]:
    """The recipes, and the files of the series by their names. Raises all that is in the way."""
    recipes: list[tuple[str, Recipe]] = []
    files: dict[str, bytes] = {}
    taken: set[str] = set()
    unsaid = set(_unsayable(source))
    if not source.alone:
        source.unfit.check()
    with source.unfit.each():
        for number, given in enumerate(source.patches, 1):
            session.progress(f"lifting {number} of {len(source.said)}: {given.said.subject}")
            id_ = free_id(given.said.subject, taken)
            taken.add(id_)
            with source.unfit.each(), naming(given.name):
                if given.name in unsaid:
                    continue
                recipe = _recipe(given, f"{number:04}-{id_}", id_, history, files)
                files[recipe.where.file] = recipe_text(recipe).encode()
                files |= {p.name: p.data for p in payloads(recipe)}
                recipes.append((given.name, recipe))
    source.unfit.check()
    return recipes, files


def _unsayable(source: Source) -> Iterator[str]:
    """The names of patches whose message no recipe can hold; why, goes into `unfit`."""
    for number, (name, said) in enumerate(source.said, 1):
        where = Where(f"{number:04}-{free_id(said.subject, set())}.toml")
        diff = PatchEdit(where=where, diff=Payload("files/x.diff", b""))
        with source.unfit.each(), naming(name):
            recipe = _made(said, where, "x", (diff,))
            read_as(recipe, recipe_text(recipe))
            continue
        yield name


def _made(said: Said, where: Where, id_: str, edits: tuple[Edit, ...]) -> Recipe:
    return Recipe(
        where=where,
        id=id_,
        subject=said.subject,
        body=said.body,
        author=said.author,
        date=said.date,
        trailers=said.trailers,
        notes=said.notes,
        edits=edits,
    )


def free_id(subject: str, taken: set[str]) -> str:
    """A recipe's id: the subject in small letters, with a number where another has it."""
    words = re.sub(r"[^a-z0-9]+", "-", subject.lower()).strip("-")
    slug = words[:_SLUG_MAX].rstrip("-") or "patch"
    numbered = (slug if n == 1 else f"{slug}-{n}" for n in range(1, RECIPE_LIMIT + 2))
    return next(id_ for id_ in numbered if id_ not in taken)


def _recipe(
    given: Given, stem: str, id_: str, history: GitHistory, files: Mapping[str, bytes]
) -> Recipe:
    """The recipe, as it will be read again.

    Where an edit of a known kind holds text that a recipe cannot, all of the patch is kept as one
    diff. Raises NotLifted; SeriesInvalid for a message that no recipe can hold.
    """
    said, where = given.said, Where(f"{stem}.toml")

    def made(*, known: bool) -> Recipe:
        edits = lift(
            given.patch,
            history,
            payload=f"files/{stem}.diff",
            where=where,
            taken=files,
            known=known,
        )
        recipe = _made(said, where, id_, edits)
        return read_as(recipe, recipe_text(recipe))

    try:
        return made(known=True)
    except SeriesInvalid:
        return made(known=False)


def read_as(recipe: Recipe, text: str) -> Recipe:
    """`recipe`, if `text` says the same. Raises SeriesInvalid where it would not load."""
    known = {payload.name: payload for payload in payloads(recipe)}
    read = read_recipe(read_document(recipe.where.file, text.encode()), known.__getitem__)
    if recipe_text(read) != recipe_text(recipe):
        raise SeriesInvalid(recipe.where, "its message does not survive being written down")
    for payload in known.values():
        _refuse_large(payload)
    return replace(read, where=recipe.where)


def _refuse_large(payload: Payload) -> None:
    if len(payload.data) > PAYLOAD_LIMIT:
        raise KpatchError(
            f"{payload.name} has {len(payload.data)} bytes, and {PAYLOAD_LIMIT} are the most",
            hint="split the patch",
        )
