"""`rebase --edit`: a conflict becomes a folder, and what a person makes of it a recipe's variant.

Guarantees: an answer is in the recipe before its folder goes, whenever the run is killed; other
kernels than those it holds for render as before; rendered, it is what stood in the folder, byte for
byte. What stands in the folder is never thrown away unread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from shlex import quote
from typing import Any

from kpatch_rs.commands.branches import typed
from kpatch_rs.commands.note import Note, fingerprint
from kpatch_rs.commands.rendering import RenderReport
from kpatch_rs.commands.session import Session
from kpatch_rs.engine.answer import (
    Draft,
    Labels,
    draft,
    holds_for,
    marker_line,
    place_of,
    readings,
)
from kpatch_rs.engine.lift import NotLifted
from kpatch_rs.errors import Conflict, KpatchError, Refused
from kpatch_rs.gitio.answers import AnswerFolder, Row
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.loader.amend import with_variant
from kpatch_rs.loader.document import read_document
from kpatch_rs.loader.fields import SeriesInvalid
from kpatch_rs.loader.load import read_text
from kpatch_rs.loader.recipe import read_recipe
from kpatch_rs.loader.save import Rewrite, prepare
from kpatch_rs.loader.write import payloads
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.outcome import Status, Step
from kpatch_rs.model.path import show
from kpatch_rs.model.series import Payload, Recipe, Series, Variant
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.model.version import Guard, kernel_version, show_guard, show_version
from kpatch_rs.report import clean

Rendered = Callable[[Series], tuple[Step, ...]]
"""Renders the series, as it is given, on the kernel of the rebase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person is asked to do."""

    folder: Path
    recipe: Recipe
    places: tuple[str, ...]
    """The first conflict marker of each file that has some: file:line."""
    left: tuple[str, ...]
    holds: str
    """The kernels the answer holds for, in words."""
    again: str
    """The command that takes the answer."""
    shown: bool
    """Whether `git show was` shows what the step did before."""
    exit_code: int = 3

    def as_json(self) -> dict[str, Any]:
        """The folder, and what is to be done there."""
        return {
            "folder": str(self.folder),
            "step": self.recipe.id,
            "markers": list(self.places),
            "left": list(self.left),
            "holds": self.holds,
        }

    def as_text(self) -> str:
        """The same as instructions."""
        lines = [f"{self.recipe.id}: answer it in {self.folder}"]
        lines += [f"    {place}: conflict markers" for place in self.places]
        lines += [f"    left to do: {what}" for what in self.left]
        if not (self.places or self.left):
            lines.append("    all of it merged; if it is right, leave it as it is")
        lines.append("    git diff and git status show what is there of the step")
        lines += ["    git show was shows what it did before"] if self.shown else []
        lines.append(f"then: {self.again}")
        lines.append(f"The answer becomes a variant in {self.recipe.where.file}, {self.holds}.")
        return clean("\n".join(lines))


def ask(
    session: Session,
    repository: Repository,
    series: Series,
    report: RenderReport,
    last: Sequence[Step],
    was: tuple[str, Oid | None],
) -> RenderReport:
    """Lay the first conflict of `report` out in a folder; return the report that says so.

    `last` are the steps as they were, and `was` their kernel, with its name. Raises KpatchError.
    """
    step = report.conflicts[0]
    before = next((s for s in last if s.recipe.id == step.recipe.id), None)
    labels = Labels(report.base_name, was[0], f"{step.recipe.id}: {step.recipe.subject}")
    made = draft(step, before, repository.history(), labels)
    shown = _row(was, before) if before else None
    note = _note(series, report, step, made, holds_for(step, before))
    folder = AnswerFolder.make(
        repository,
        _place(session, repository, series),
        head=Row(report.base, ((_below(report.base_name), step.before.changes),)),
        was=shown,
        near=made.near,
        work=made.tree.changed_since(step.before),
        note=note.text(),
    )
    asked = Asked(
        folder=folder.path,
        recipe=step.recipe,
        places=tuple(_places(made.tree, made.markers)),
        left=made.left,
        holds=show_guard(note.when),
        again=_again(session, note),
        shown=shown is not None,
    )
    return replace(report, asked=asked)


def _note(
    series: Series, report: RenderReport, step: Step, made: Draft, when: Guard | None
) -> Note:
    work = made.tree.changed_since(step.before)
    return Note(
        step=step.recipe.id,
        base=report.base,
        base_name=report.base_name,
        digest=series.digest(),
        before=fingerprint(step.before.changes),
        offered=fingerprint(work),
        files=tuple(work),
        markers=made.markers,
        left=made.left,
        when=when,
        branch=report.given,
    )


def _below(name: str) -> str:
    return f"{name} with the steps before"


def _row(was: tuple[str, Oid | None], step: Step) -> Row | None:
    if was[1] is None or step.empty:
        return None
    before = (_below(was[0]), step.before.changes)
    return Row(was[1], (before, (step.recipe.message(), step.after.changed_since(step.before))))


def _places(tree: TreeOverlay, markers: Mapping[Any, int]) -> Iterator[str]:
    for path, width in markers.items():
        file = tree.read(path)
        if file and (line := marker_line(file.data, width)):
            yield f"{show(path)}:{line}"


def _again(session: Session, note: Note) -> str:
    to = f"{quote(note.base_name)}{typed(note.branch)}"
    return f"kpatch-rs -s {quote(str(session.series))} rebase {to} --edit"


def _place(session: Session, repository: Repository, series: Series) -> Path:
    """One folder for each series and kernel repository, below what the user decided."""
    key = f"{repository.common_dir}\0{session.series_folder()}"
    digest = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
    return session.state / "answers" / f"{series.name}-{digest[:12]}"


def take(
    session: Session, repository: Repository, base: Oid, rendered: Rendered
) -> tuple[Series, str]:
    """Put the answer that is there, if any, into its recipe: the series with it, and what was done.

    The series is read here: another run may have written to it up to now. Raises Conflict where
    the answer is not finished, Refused where something else was asked.
    """
    series = session.load_recipes()
    folder = AnswerFolder.find(repository, _place(session, repository, series))
    if folder is None:
        return series, ""
    note = Note.read(folder.path, folder.note())
    if note.answered == series.digest():  # a run before this one was stopped right behind it
        folder.remove()
        return series, ""
    step = _asked(session, folder, note, series, base, rendered)
    after = _answer(folder, note, step)
    taken = _amended(session, repository, series, step, note, after, rendered)
    folder.rewrite_note(replace(note, answered=taken.series.digest()).text())
    with prepare(session.series_folder(), taken.rewrites) as files:
        files.commit()
    folder.remove()
    kept = f"the answer is in {step.recipe.where.file} now: a variant {show_guard(note.when)}"
    return taken.series, f"{note.step}: {kept}"


@contextmanager
def telling(answered: str) -> Iterator[None]:
    """Put what was taken in front of what went wrong after it: it stays taken."""
    try:
        yield
    except KpatchError as error:
        error.message = f"{answered}; but {error.message}" if answered else error.message
        raise


def _asked(
    session: Session,
    folder: AnswerFolder,
    note: Note,
    series: Series,
    base: Oid,
    rendered: Rendered,
) -> Step:
    """The step that `folder` is about, if all is as it was when that was made. Raises Refused."""
    if note.base != base:
        raise Refused(
            f"an answer for step {note.step} on {note.base_name} is pending in {folder.path}",
            hint=f"finish it first: {_again(session, note)}; "
            f"or drop it: rm -rf {quote(str(folder.path))}",
        )
    same = note.digest == series.digest()
    steps = rendered(series) if same else ()
    step = next((s for s in steps if s.recipe.id == note.step), None)
    if (
        step is None
        or step.status is not Status.CONFLICT
        or fingerprint(step.before.changes) != note.before
    ):
        raise Refused(
            f"the series has changed since step {note.step} was laid out in {folder.path}",
            hint="put the recipes back as they were; or begin again, and keep what you did: "
            f"mv {quote(str(folder.path))} {quote(f'{folder.path}.old')}",
        )
    return step


def _answer(folder: AnswerFolder, note: Note, step: Step) -> TreeOverlay:
    """The tree as the person has it. Raises Conflict where that is no answer yet."""
    after = step.before
    files = folder.files(note.files)
    for path, file in sorted(files.items(), key=lambda item: item[1] is not None):
        if file != after.read(path):
            after = after.write(path, file) if file else after.remove(path)
    changes = after.changed_since(step.before)
    widths = {p: note.markers.get(p) for p, file in changes.items() if file}
    if left := list(_places(after, {p: width for p, width in widths.items() if width})):
        raise Conflict(
            f"{left[0]}: a conflict marker, in {folder.path}",
            hint=f"resolve what is left there: {', '.join(left)}",
        )
    if not changes or (note.left and fingerprint(changes) == note.offered):
        raise Conflict(
            f"nothing was changed in {folder.path} to answer step {note.step}",
            hint=f"make its change there; or, if the step is not needed {_plain(note)}, write so "
            f"into its recipe, [[variant]] {_when(note)}, and rm -rf {quote(str(folder.path))}",
        )
    return after


def _plain(note: Note) -> str:
    return show_guard(note.when) if note.when else f"on {note.base_name}"


def _when(note: Note) -> str:
    guard = note.when
    bounds = (("min", guard and guard.min), ("max", guard and guard.max))
    said = ", ".join(f'{key} = "{bound}"' for key, bound in bounds if bound)
    return f"when = {{ {said} }}" if said else 'when = { has = "path/in/the/tree" }'


@dataclass(frozen=True, slots=True)
class _Taken:
    series: Series
    rewrites: tuple[Rewrite, ...]


def _amended(
    session: Session,
    repository: Repository,
    series: Series,
    step: Step,
    note: Note,
    after: TreeOverlay,
    rendered: Rendered,
) -> _Taken:
    """The series with a variant that gives `after`, and its files. Raises KpatchError."""
    folder, recipe = session.series_folder(), step.recipe
    number = place_of(recipe, step, note.when)
    text = read_text(folder, recipe.where.file)
    for edits in _readings(repository, series, step, after, folder):
        variant = Variant(where=recipe.where, when=note.when, edits=edits)
        new = payloads(replace(recipe, edits=edits, variants=()))
        if not all(_may_be_written(folder, payload) for payload in new):
            continue
        try:
            more = with_variant(recipe.where.file, variant, number, text)
            known = {p.name: p for p in (*payloads(recipe), *new)}
            read = read_recipe(read_document(recipe.where.file, more), known.__getitem__)
        except SeriesInvalid:
            continue  # it holds text that no recipe can; as a diff it may
        recipes = (read if r.id == recipe.id else r for r in series.recipes)
        amended = replace(series, recipes=tuple(recipes))
        made = next(s for s in rendered(amended) if s.recipe.id == recipe.id)
        if made.status is not Status.CONFLICT and not made.after.changed_since(after):
            files = [Rewrite(p.name, _on_disk(folder, p), p.data) for p in new]
            return _Taken(amended, (*files, Rewrite(recipe.where.file, text, more)))
    raise KpatchError(
        f"the answer for step {recipe.id} cannot be kept: no variant of {recipe.where} gives it",
        hint="change text files only, and none that an earlier variant takes",
    )


def _readings(
    repository: Repository, series: Series, step: Step, after: TreeOverlay, folder: Path
) -> Iterator[tuple[Any, ...]]:
    """What the edits may be; a diff under a name that the series does not have yet."""
    taken = {p.name: p.data for recipe in series.recipes for p in payloads(recipe)}
    stem = step.recipe.where.file.removesuffix(".toml")
    version = kernel_version(step.before)
    stem += f"-{show_version(version[:2])}" if version else "-other"
    for number in count(1):
        name = f"files/{stem}.diff" if number == 1 else f"files/{stem}-{number}.diff"
        if name in taken:
            continue
        try:
            yield from readings(step, after, repository.history(), payload=name, taken=taken)
        except NotLifted as error:
            error.message = f"the answer for step {step.recipe.id}: {error.message}"
            raise
        if not (folder / name).exists():
            return


def _may_be_written(folder: Path, payload: Payload) -> bool:
    return _on_disk(folder, payload) in (None, payload.data)


def _on_disk(folder: Path, payload: Payload) -> bytes | None:
    try:
        return (folder / payload.name).read_bytes()
    except FileNotFoundError:
        return None
