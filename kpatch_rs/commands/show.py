"""show: a series at a glance, or one recipe with its edits and the patch it became."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kpatch_rs.commands import branches
from kpatch_rs.commands.blaming import SECONDS, Blamed, blamed
from kpatch_rs.commands.session import Session
from kpatch_rs.engine.render import compared, render
from kpatch_rs.errors import KpatchError, Usage
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.operation import StepRecord, View
from kpatch_rs.model.outcome import EditReport, Step
from kpatch_rs.model.series import Edit, Recipe, Series
from kpatch_rs.model.version import show_guard
from kpatch_rs.report import clean, table


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesReport:
    """The recipes of a series, in order."""

    series: Series
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """The recipes with the kinds of their edits."""
        return {
            "series": self.series.name,
            "base-name": self.series.base,
            "recipes": [_recipe_json(r) for r in self.series.recipes],
        }

    def as_text(self) -> str:
        """The cover's subject and a line a recipe."""
        cover = self.series.cover
        head = f"{self.series.name}: {cover.subject}" if cover else self.series.name
        rows = [(r.id, ", ".join(e.kind for e in r.edits), r.subject) for r in self.series.recipes]
        return f"{clean(head)}\n\n{table(('recipe', 'edits', 'subject'), rows)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeReport:
    """One recipe, and what it was last rendered as where it was."""

    recipe: Recipe
    step: StepRecord | None
    base_name: str
    patch: str
    rebased: Step | None = None
    """The step, told against the base the series was on before."""
    blamed: Blamed = field(default_factory=Blamed)
    """Who changed what that step holds on to."""
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """The recipe, its step and its patch."""
        step = self.step
        return {
            **_recipe_json(self.recipe),
            "message": self.recipe.message(),
            "base-name": self.base_name,
            "status": step.status if step else None,
            "reason": step.reason if step else None,
            "commit": step.commit if step else None,
            "changed-by": [c for e in self._edits() for c in self.blamed.as_json(e)],
            "patch": self.patch,
        }

    def as_text(self) -> str:
        """Message, edits, last status, patch."""
        lines = [f"recipe {self.recipe.id} ({self.recipe.where})", "", self.recipe.message()]
        lines += [f"edit {e.kind} ({e.where})" for e in self.recipe.edits]
        for variant in self.recipe.variants:
            lines.append(f"variant ({variant.where}) {show_guard(variant.when)}")
            lines += [f"    edit {e.kind} ({e.where})" for e in variant.edits]
        lines.append(self._rendered())
        lines += [line for e in self._edits() for line in self.blamed.lines(e)]
        lines += [note] if (note := self.blamed.footnote()) else []
        return clean("\n".join([*lines, "", self.patch]).rstrip())

    def _edits(self) -> Sequence[EditReport]:
        return self.rebased.edits if self.rebased else ()

    def _rendered(self) -> str:
        if self.step is None:
            return "not rendered yet: kpatch-rs apply"
        became = self.step.commit[:12] if self.step.commit else "no commit"
        why = f" ({self.step.reason})" if self.step.reason else ""
        return f"on {self.base_name}: {self.step.status}{why}, {became}"


def run(
    session: Session, recipe_id: str | None, *, branch: str | None = None
) -> SeriesReport | RecipeReport:
    """The series, or the recipe `recipe_id`; without a kernel the recipe alone.

    As it is on `branch`, else as it was last rendered. Raises KpatchError for an id the series does
    not have.
    """
    series = session.load_series()
    if recipe_id is None:
        if branch is not None:
            raise Usage("--branch is about one recipe", hint="say which one: show ID --branch NAME")
        return SeriesReport(series=series)
    recipe = next((r for r in series.recipes if r.id == recipe_id), None)
    if recipe is None:
        known = ", ".join(r.id for r in series.recipes)
        raise KpatchError(
            f"series {series.name} has no recipe '{recipe_id}'", hint=f"it has {known}"
        )
    if session.kernel is None and branch is None:
        return RecipeReport(recipe=recipe, step=None, base_name="", patch="")
    with session.open_kernel() as repository:
        log = OperationLog(repository, series.name)
        view = branches.rendering(log, branch)
        rebased = _rebased(repository, series, log, view, recipe_id) if view else None
        step = next((s for s in view.steps if s.id == recipe_id), None) if view else None
        return RecipeReport(
            recipe=recipe,
            step=step,
            base_name=view.base_name if view else "",
            patch=_patch(repository, view, step),
            rebased=rebased[0] if rebased else None,
            blamed=rebased[1] if rebased else Blamed(),
        )


def _rebased(
    repository: Repository, series: Series, log: OperationLog, view: View, recipe_id: str
) -> tuple[Step, Blamed] | None:
    """The step of the rebase that made `view`, planned again, and who made it go elsewhere.

    None where the series has been on one base only, or is no more what it was there.
    """
    old = _base_before(log, view)
    if old is None or series.digest() != view.digest:
        return None
    was, now = repository.tree(old), repository.tree(view.base)
    history = repository.history()
    steps = compared(render(series, now, history, was=was), render(series, was, history))
    step = next(step for step in steps if step.recipe.id == recipe_id)
    return step, blamed(repository.blame(old, view.base, SECONDS), [step])


def _base_before(log: OperationLog, view: View) -> Oid | None:
    """The base that `view`'s branch was taken to its base from: its own, or that of another one."""
    came: View | None = None
    for op in log.standing():
        if op.after and op.after.branch == view.branch:
            if op.after.base != view.base:
                return op.after.base
            came = op.before
    return came.base if came and came.base != view.base else None


def _patch(repository: Repository, view: View | None, step: StepRecord | None) -> str:
    if view is None or step is None or step.commit is None:
        return ""
    made = [s.commit for s in view.steps if s.commit]
    before = [view.base, *made][made.index(step.commit)]
    diff = repository.diff(before, step.commit)
    return (diff.stat + b"\n" + diff.patch).decode(errors="backslashreplace")


def _recipe_json(recipe: Recipe) -> dict[str, Any]:
    return {
        "id": recipe.id,
        "recipe": str(recipe.where),
        "subject": recipe.subject,
        "edits": _edits_json(recipe.edits),
        "variants": [
            {"recipe": str(v.where), "when": show_guard(v.when), "edits": _edits_json(v.edits)}
            for v in recipe.variants
        ],
    }


def _edits_json(edits: Sequence[Edit]) -> list[dict[str, str]]:
    return [{"kind": e.kind, "recipe": str(e.where)} for e in edits]
