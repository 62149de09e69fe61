"""apply: render the series on a base and put the commits on its branch."""

from __future__ import annotations

from kpatch_rs.commands.rendering import RenderReport, publish
from kpatch_rs.commands.session import Session
from kpatch_rs.engine.render import render
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.lock import lock
from kpatch_rs.loader.save import prepare


def run(session: Session, *, onto: str | None, branch: str | None, dry_run: bool) -> RenderReport:
    """Render on `onto`, or on the series' own base.

    Raises KpatchError; Refused (exit 5) where the branch is checked out or holds others' commits.
    A conflict is a report with exit code 3, and nothing is changed.
    """
    series = session.load_recipes()
    base_name = onto or series.base
    if not base_name:
        raise KpatchError(
            f"series {series.name} has no base yet", hint="say which kernel: apply --onto REV"
        )
    with session.open_kernel() as repository, lock(repository, series.name, session.progress):
        base = repository.resolve(base_name)
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
            branch=branch or f"kpatch/{series.name}",
            steps=steps,
            commits=(None,) * len(steps),
            dry_run=dry_run,
        )
        if dry_run or report.conflicts:
            return report
        first_base = None if series.base else prepare(session.series_folder(), base=base_name)
        return publish(repository, series, report, first_base)
