"""refresh: what somebody changed on the rendered branch flows back into the recipes.

The branch stays where that somebody put it; the log takes its commits for the rendering, which they
are: loaded again from its files, the series gives their trees, step by step, or nothing is changed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from kpatch_rs.commands import branches, edited
from kpatch_rs.commands.paired import Placed, Turn, Was, turns
from kpatch_rs.commands.refreshed import RefreshReport, report_of
from kpatch_rs.commands.revising import Reviser, emptied
from kpatch_rs.commands.rewriting import Plan
from kpatch_rs.commands.session import Session
from kpatch_rs.engine.refresh import woven
from kpatch_rs.engine.render import render
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.lock import lock
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.repository import IdentityUnknown, Repository
from kpatch_rs.loader.document import decoded
from kpatch_rs.loader.load import read_text
from kpatch_rs.loader.numbering import file_names
from kpatch_rs.loader.revise import parts
from kpatch_rs.loader.save import prepare
from kpatch_rs.loader.source import PAYLOAD_LIMIT, Unreadable, read_file
from kpatch_rs.loader.write import payloads
from kpatch_rs.model.operation import StepRecord, View
from kpatch_rs.model.outcome import Step
from kpatch_rs.model.path import show
from kpatch_rs.model.series import Person, Series
from kpatch_rs.report import counted


def run(session: Session, *, dry_run: bool, branch: str | None = None) -> RefreshReport:
    """Put the changes of `branch`, else of the one last rendered, into the series' files.

    Raises KpatchError where there is no rendering, or a commit cannot be a recipe; Refused where
    the recipes changed, too, or the branch stands on another kernel. Then nothing is changed.
    """
    name = session.load_series().name
    with session.open_kernel() as repository, lock(repository, name, session.progress):
        series = session.load_recipes()
        log = OperationLog(repository, name)
        view, tip = edited.rendering(repository, log, series, branch)
        if view.tip is None or tip == view.tip:
            stale = view.digest != series.digest()
            apply = f"kpatch-rs apply{branches.option(log, view)}" if stale else ""
            return RefreshReport(branch=view.branch, tip=tip, dry_run=dry_run, apply=apply)
        edited.refuse_other_kernel(repository, view, tip)
        session.progress("reading the commits")
        before = edited.rendered(repository, series, view, view.tip)
        now = edited.placed(repository, view.base, tip)
        edited.refuse_empty(view, now)
        found = turns(series.recipes, before, now)
        plan = _plan(session, repository, series, before, found)
        session.progress("rendering the new recipes")
        fresh = plan.loaded(series)
        steps = render(fresh, repository.tree(view.base), repository.history())
        _must_give(steps, now)
        after = _view(repository, view, fresh, steps, now)
        report = report_of(plan, view.branch, tip, dry_run=dry_run)
        if not dry_run:
            _record(session, log, view, after, plan)
    return report


def _plan(
    session: Session,
    repository: Repository,
    series: Series,
    rendered: Sequence[Was],
    found: Sequence[Turn],
) -> Plan:
    folder = session.series_folder()
    texts = {recipe.id: read_text(folder, recipe.where.file) for recipe in series.recipes}
    taken_apart = {r.id: parts(r, decoded(r.where.file, texts[r.id])) for r in series.recipes}
    made = {was.recipe.id for was in rendered}
    silent = [recipe for recipe in series.recipes if recipe.id not in made]
    quiet = [*silent, *(was.recipe for was in emptied(rendered, found))]
    old = [recipe.id for recipe in series.recipes]
    order = woven(old, [turn.id for turn in found], [recipe.id for recipe in quiet])
    names = {recipe.id: recipe.where.file for recipe in series.recipes}
    files = dict(zip(order, file_names([(names.get(i), i) for i in order]), strict=True))
    kept = {p.name: p.data for p in (series.check.config,) if p}
    reviser = Reviser(
        history=repository.history(),
        identity=_identity(repository),
        rendered=rendered,
        silent=silent,
        heads={id_: head for id_, (head, _) in taken_apart.items()},
        tables={w: table for _, tables in taken_apart.values() for w, table in tables.items()},
        foreign=kept | _foreign(folder, series),
    )
    revised = reviser.revised(found, files)
    return Plan(
        old=series.recipes,
        texts=texts,
        order=order,
        files=files,
        revised={one.recipe.id: one for one in revised},
        kept=kept,
    )


def _identity(repository: Repository) -> Person | None:
    try:
        return repository.identity()
    except IdentityUnknown:
        return None


def _foreign(folder: Path, series: Series) -> dict[str, bytes]:
    """Files where payloads go that no recipe names: they are not written over."""
    ours = {p.name for recipe in series.recipes for p in payloads(recipe)}
    found = {}
    for path in (folder / "files").glob("*"):
        name = f"files/{path.name}"
        if name not in ours:
            try:
                found[name] = read_file(folder, name, PAYLOAD_LIMIT)
            except Unreadable:
                found[name] = b""
    return found


def _must_give(steps: Sequence[Step], now: Sequence[Placed]) -> None:
    """Raises KpatchError where the new recipes would not give the commits' trees, one by one."""
    made = [step for step in steps if not step.empty]
    for step, placed in zip(made, now, strict=False):
        different = step.after.changed_since(placed.given.patch.after)
        if different:
            raise KpatchError(
                f"{placed.given.name}: recipe {step.recipe.id} would give another "
                f"{show(next(iter(different)))}",
                hint="a recipe that had nothing to do on this kernel may be in the way: "
                "kpatch-rs status shows them",
            )
    if len(made) != len(now):
        raise KpatchError(
            f"the new recipes give {counted(len(made), 'commit')}, and the branch has {len(now)}",
            hint="make the change in the recipes, and apply",
        )


def _view(
    repository: Repository,
    view: View,
    series: Series,
    steps: Sequence[Step],
    now: Sequence[Placed],
) -> View:
    commits = iter(placed.commit.oid for placed in now)
    records = []
    for step in steps:
        commit = None if step.empty else next(commits)
        records.append(
            StepRecord(
                id=step.recipe.id,
                subject=step.recipe.subject,
                status=str(step.status),
                reason=step.reason,
                commit=commit,
                tree=repository.tree(commit).oid if commit else None,
            )
        )
    return View(
        branch=view.branch,
        base_name=view.base_name,
        base=view.base,
        tip=now[-1].commit.oid,
        steps=tuple(records),
        digest=series.digest(),
    )


def _record(session: Session, log: OperationLog, view: View, after: View, plan: Plan) -> None:
    """The log first: killed in between, refresh finds out, and does the files again.

    The branch is the one last rendered from here on, so its base becomes the series'.
    """
    with prepare(session.series_folder(), plan.rewrites(), base=view.base_name) as files:
        if after != log.current():
            summary = f"refresh from {view.branch}"
            now = int(time.time())
            log.record("refresh", summary, after, time=now, branch_old=view.tip, adopts=True)
        files.commit()
