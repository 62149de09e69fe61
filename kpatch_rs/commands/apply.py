"""apply: render the series on a base and put the commits on its branch."""

from __future__ import annotations

from kpatch_rs.commands import branches
from kpatch_rs.commands.rendering import RenderReport, lasting, publish
from kpatch_rs.commands.session import Session
from kpatch_rs.engine.render import render
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.lock import lock
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.loader.save import prepare
from kpatch_rs.model.series import Series


def run(session: Session, *, onto: str | None, branch: str | None, dry_run: bool) -> RenderReport:
    """Render on `onto`; else a named branch where it is, any other on the series' own base.

    Raises KpatchError; Refused (exit 5) where the branch is checked out or holds others' commits.
    A conflict is a report with exit code 3, and nothing is changed.
    """
    name = session.load_recipes().name
    with (
        session.open_kernel() as repository,
        lock(repository, name, session.progress),
        branches.another_offered(),
    ):
        series = session.load_recipes()
        log = OperationLog(repository, name)
        target, rev = _meant(log, series, branch, onto)
        base = repository.resolve(rev)
        base_name = lasting(rev, base)
        branches.refuse_name(repository, name, target)
        if not dry_run:
            branches.refuse_to_move(repository, log, target, base)
        steps = render(
            series,
            repository.tree(base),
            repository.history(),
            lambda recipe: session.progress(f"rendering {recipe.id}"),
        )
        report = RenderReport(
            verb="apply",
            base=base,
            base_name=base_name,
            branch=target,
            given=branch,
            steps=steps,
            commits=(None,) * len(steps),
            dry_run=dry_run,
        )
        if dry_run or report.conflicts:
            return report
        folder = session.series_folder()
        new_base = None if series.base == base_name else prepare(folder, base=base_name)
        return publish(repository, series, report, new_base)


def _meant(
    log: OperationLog, series: Series, branch: str | None, onto: str | None
) -> tuple[str, str]:
    """The branch, and what names the base. Raises KpatchError where there is none."""
    rev, last = series.base, log.current()
    if branch is not None:
        kept = log.kept_on(branch)
        rev = kept.base_name if kept else rev
    elif onto is None:
        # A run that was killed, or files of another day: the base says which one is meant.
        last = next((view for view in log.kept() if view.base_name == rev), last)
    if onto is None and not rev:
        raise KpatchError(
            f"series {series.name} has no base yet", hint="say which kernel: apply --onto REV"
        )
    if branch is None:
        branch = last.branch if last else branches.default_branch(series.name)
    return branch, rev if onto is None else onto
