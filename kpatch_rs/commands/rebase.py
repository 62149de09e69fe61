"""rebase: render the series on another kernel, told against where it was before."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from kpatch_rs.commands import answering, learning
from kpatch_rs.commands.rendering import RenderReport, publish
from kpatch_rs.commands.session import Session
from kpatch_rs.engine.render import compared, render
from kpatch_rs.errors import KpatchError, Usage
from kpatch_rs.gitio.lock import lock
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.loader.save import prepare
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.operation import View
from kpatch_rs.model.outcome import Step
from kpatch_rs.model.series import Series


def run(
    session: Session, rev: str, *, check: bool, dry_run: bool, range_diff: bool, edit: bool = False
) -> RenderReport:
    """Render on `rev` and record it as the series' base.

    Raises KpatchError as `apply` does. A conflict is a report with exit code 3, and neither the
    repository nor the series is changed. `check` then proves the steps as the verb check does.
    `edit` takes the answer to a conflict that is there, and lays the next conflict out.
    """
    if edit and dry_run:
        raise Usage("--edit writes, and --dry-run does not", hint="give one of them")
    series, answered = session.load_recipes(), ""
    with session.open_kernel() as repository, lock(repository, series.name, session.progress):
        base = repository.resolve(rev)
        view = OperationLog(repository, series.name).current()
        last = _last_base(repository, series, view)
        rendered = partial(_rendered, session, repository, base=base, last=last)
        if edit:
            series, answered = answering.take(session, repository, base, rendered)
        before = _rendered(session, repository, series, base=last) if last else ()
        steps = compared(rendered(series), before)
        report = RenderReport(
            verb="rebase",
            base=base,
            base_name=rev,
            branch=view.branch if view else f"kpatch/{series.name}",
            steps=steps,
            commits=(None,) * len(steps),
            dry_run=dry_run,
            answered=answered,
        )
        if edit and report.conflicts:
            was = (view.base_name if view else series.base, last)
            return answering.ask(session, repository, series, report, before, was)
        if dry_run or report.conflicts:
            return report
        learned = learning.learned(steps)
        rewrites = learning.rewrites(session.series_folder(), learned)
        files = prepare(session.series_folder(), rewrites, base=rev)
        with answering.telling(answered):
            report = publish(repository, learning.kept(series, learned), report, files)
        if range_diff:
            report = replace(report, range_diff=_range_diff(repository, view, report))
    return _checked(session, report) if check else report


def _rendered(
    session: Session, repository: Repository, series: Series, *, base: Oid, last: Oid | None = None
) -> tuple[Step, ...]:
    return render(
        series,
        repository.tree(base),
        repository.history(),
        lambda recipe: session.progress(f"rendering {recipe.id}"),
        was=repository.tree(last) if last else None,
    )


def _last_base(repository: Repository, series: Series, view: View | None) -> Oid | None:
    """The base that the series was last rendered on; None without one, or where it is not here."""
    try:
        return view.base if view else repository.resolve(series.base) if series.base else None
    except KpatchError:
        return None


def _range_diff(repository: Repository, view: View | None, report: RenderReport) -> str:
    made = [c.commit for c in report.commits if c]
    if view is None or view.tip is None or not made:
        return "no earlier rendering to compare with"
    return repository.range_diff(view.base, view.tip, report.base, made[-1])


def _checked(session: Session, report: RenderReport) -> RenderReport:
    from kpatch_rs.commands import check

    verdicts = check.run(session, step=None, fresh=False, trust=False)
    return replace(report, checked=verdicts)
