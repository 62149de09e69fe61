"""Recipe + base → tree, step by step.

Guarantees: a pure function of the base tree, the series and what `history` answers (which decides
only between a merge and a conflict, never between two trees); every step is planned even after a
conflict, so that one run shows everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from kpatch_rs.engine.relocate import follow
from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds import kind_of
from kpatch_rs.kinds.base import Ground, History
from kpatch_rs.model.outcome import EditReport, Outcome, Place, Status, Step, gravest
from kpatch_rs.model.series import Edit, Recipe, Series, Variant, Where
from kpatch_rs.model.tree import BaseTree, TreeOverlay
from kpatch_rs.model.version import Guard

Watch = Callable[[Recipe], None]
"""Called before each recipe is planned: progress, and nothing else."""


def render(
    series: Series,
    base: BaseTree,
    history: History,
    watch: Watch = lambda _: None,
    was: BaseTree | None = None,
) -> tuple[Step, ...]:
    """Plan every recipe of `series` on top of the ones before it.

    `was`, the kernel the series comes from, tells what moved from what only has the same name.

    Raises KpatchError, naming recipe and line, for what no tree could make right.
    """
    tree = TreeOverlay(base)
    edits = tuple(edit for recipe in series.recipes for edit in _meant(recipe, tree))
    steps = []
    for recipe in series.recipes:
        watch(recipe)
        step = rendered(recipe, Ground(tree, history, was, edits))
        steps.append(step)
        tree = step.after
    return tuple(steps)


def rendered(recipe: Recipe, ground: Ground) -> Step:
    """Plan one recipe. Raises KpatchError as :func:`render` does."""
    before = ground.tree
    if objection := _objection(recipe.when, recipe, recipe.where, before):
        return Step(
            recipe=recipe,
            status=Status.SKIPPED,
            reason=objection,
            edits=(),
            before=before,
            after=before,
        )
    meant = _planned(recipe, chosen(recipe, before), ground)
    if meant.status is not Status.CONFLICT:
        return meant
    others = (_planned(recipe, v, ground) for v in recipe.variants if v.when is None)
    return next((step for step in others if step.status is not Status.CONFLICT), meant)


def chosen(recipe: Recipe, tree: TreeOverlay) -> Variant | None:
    """The variant meant for `tree`: the first whose `when` holds; None: the recipe's own edits.

    Raises Conflict, naming the variant, where it asks for a version and the tree has none.
    """
    guarded = (v for v in recipe.variants if v.when)
    return next((v for v in guarded if not _objection(v.when, recipe, v.where, tree)), None)


def _meant(recipe: Recipe, tree: TreeOverlay) -> Iterator[Edit]:
    """The edits that the recipe may make on a kernel of this version."""
    if not _may_be(recipe.when, tree):
        return
    variants = [v for v in recipe.variants if _may_be(v.when, tree)]
    instead = any(v.when and v.when.has is None for v in variants)
    for one in (*(() if instead else (recipe,)), *variants):
        yield from (edit for edit in one.edits if _may_be(edit.when, tree))


def _may_be(guard: Guard | None, tree: TreeOverlay) -> bool:
    """Whether it lets the version through; what the tree must have, a recipe may yet bring."""
    try:
        return guard is None or not replace(guard, has=None).objection(tree)
    except KpatchError:
        return True


def _planned(recipe: Recipe, variant: Variant | None, ground: Ground) -> Step:
    before = tree = ground.tree
    reports = []
    for edit in variant.edits if variant else recipe.edits:
        known = ground.was is None or _meant_for(recipe, variant, edit, TreeOverlay(ground.was))
        report = _report(edit, recipe, replace(ground, tree=tree, known=known))
        tree = report.outcome.tree
        reports.append(report)
    status, reason = _sum_up(reports)
    if variant and not variant.edits:
        status, reason = Status.SKIPPED, f"the variant at {variant.where} has no edits"
    return Step(
        recipe=recipe,
        status=status,
        reason=reason,
        edits=tuple(reports),
        before=before,
        after=before if status is Status.CONFLICT else tree,
        variant=variant,
    )


def _meant_for(recipe: Recipe, variant: Variant | None, edit: Edit, was: TreeOverlay) -> bool:
    """Whether `edit`, of this variant, was rendered on `was`, too, as far as guards tell."""
    try:
        same = chosen(recipe, was) == variant
        return same and not (edit.when and edit.when.objection(was))
    except KpatchError:
        return False


def _sum_up(reports: Sequence[EditReport]) -> tuple[Status, str]:
    status = gravest([r.outcome.status for r in reports])
    return status, next((r.outcome.reason for r in reports if r.outcome.status == status), "")


def _report(edit: Edit, recipe: Recipe, ground: Ground) -> EditReport:
    if objection := _objection(edit.when, recipe, edit.where, ground.tree):
        outcome = Outcome(status=Status.SKIPPED, tree=ground.tree, reason=objection)
        return EditReport(edit, outcome)
    with _placed(recipe, edit.where):
        followed = follow(edit, ground)
        outcome = kind_of(edit).plan(followed.edit, ground)
        return EditReport(followed.edit, followed.told(outcome))


def _objection(guard: Guard | None, recipe: Recipe, where: Where, tree: TreeOverlay) -> str:
    with _placed(recipe, where):
        return guard.objection(tree) if guard else ""


@contextmanager
def _placed(recipe: Recipe, where: Where) -> Iterator[None]:
    """Put recipe and place in front of what is wrong in a recipe itself."""
    try:
        yield
    except KpatchError as error:
        error.message = f"{recipe.id} ({where}): {error.message}"
        raise


def compared(steps: tuple[Step, ...], last: tuple[Step, ...]) -> tuple[Step, ...]:
    """`steps` told against the last rendering: elsewhere is `moved`, other text is `adapted`.

    Edits are paired by recipe id, kind and position, those a guard skips left out: variants of one
    edit take each other's place. What has no partner keeps its own status.
    """
    known = {step.recipe.id: step for step in last}
    return tuple(_compared(step, known.get(step.recipe.id)) for step in steps)


def _compared(step: Step, last: Step | None) -> Step:
    if last is None or not step.edits:
        return step
    old = [e for e in last.edits if e.outcome.status is not Status.SKIPPED]
    rendered = [e for e in step.edits if e.outcome.status is not Status.SKIPPED]
    if [e.edit.kind for e in old] != [e.edit.kind for e in rendered]:
        return step
    partners = iter(e.outcome for e in old)
    edits = tuple(_told(e, next(partners)) if e in rendered else e for e in step.edits)
    status, reason = _sum_up(edits)
    return replace(step, edits=edits, status=status, reason=reason)


def _told(report: EditReport, old: Outcome) -> EditReport:
    new = report.outcome
    if new.status in (Status.EXACT, Status.MOVED) and old.place and new.place:
        status, reason = _difference(new, old, old.place, new.place)
        new = replace(new, status=status, reason=reason)
    return EditReport(report.edit, new, old.place)


def _difference(new: Outcome, old: Outcome, was: Place, now: Place) -> tuple[Status, str]:
    if new.text != old.text and old.text:
        return Status.ADAPTED, _both_texts(old.text, new.text)
    others = new.reason if new.status is Status.MOVED and new.reason != old.reason else ""
    if now == was or set(new.elsewhere) - set(old.elsewhere):
        # The place is that of the first change alone; an edit may change more, in other files.
        return (Status.MOVED, others) if others else (Status.EXACT, "")
    return Status.MOVED, _moved(new.anchor, was, now)


def _moved(held: str, was: Place, now: Place) -> str:
    if now.path != was.path:
        return f"{held}: from {was} to {now}"
    by = now.line - was.line
    lines = "line" if abs(by) == 1 else "lines"
    return f"{held}: {abs(by)} {lines} {'down' if by > 0 else 'up'}, from {was} to {now}"


def _both_texts(old: bytes, new: bytes) -> str:
    was, now = (t.decode(errors="replace").strip() for t in (old, new))
    return f"was: {was!r}; is: {now!r}"
