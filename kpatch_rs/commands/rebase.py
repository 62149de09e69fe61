"""rebase: render the series on another kernel, told against where it was before."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kpatch_rs.commands import answering, branches, learning
from kpatch_rs.commands.blaming import SECONDS, blamed
from kpatch_rs.commands.rendering import RenderReport, lasting, publish
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
    session: Session,
    rev: str,
    *,
    check: bool,
    dry_run: bool,
    range_diff: bool,
    edit: bool = False,
    branch: str | None = None,
) -> RenderReport:
    """Render on `rev` and record it as the series' base.

    On `branch`, the others stay where they are; without a name, on the one last rendered. Raises
    KpatchError as `apply` does. A conflict is a report with exit code 3, and neither the
    repository nor the series is changed. `check` then proves the steps as the verb check does.
    `edit` takes the answer to a conflict that is there, and lays the next conflict out.
    """
    if edit and dry_run:
        raise Usage("--edit writes, and --dry-run does not", hint="give one of them")
    name, answered = session.load_recipes().name, ""
    with (
        session.open_kernel() as repository,
        lock(repository, name, session.progress),
        branches.another_offered(),
    ):
        series = session.load_recipes()
        course = Course.of(session, repository, series, rev, branch)
        if not dry_run:
            course.refuse_to_move(name)
        if edit:
            series, answered = answering.take(session, repository, course.base, course.rendered)
        before = course.last_rendered(series)
        report = course.report(series, before, dry_run=dry_run, answered=answered)
        if edit and report.conflicts:
            was = (course.last_name(series), course.last)
            return answering.ask(session, repository, series, report, before, was)
        if report.conflicts and course.last:
            blame = repository.blame(course.last, report.base, SECONDS)
            report = replace(report, blamed=blamed(blame, report.conflicts))
        if dry_run or report.conflicts:
            return report
        learned = learning.learned(report.steps)
        rewrites = learning.rewrites(session.series_folder(), learned)
        files = prepare(session.series_folder(), rewrites, base=report.base_name)
        with answering.telling(answered):
            report = publish(repository, learning.kept(series, learned), report, files)
        if range_diff:
            report = replace(report, range_diff=_range_diff(repository, course.view, report))
    return _checked(session, report) if check else report


@dataclass(frozen=True, slots=True)
class Course:
    """From which kernel a series goes to which, and on which branch."""

    session: Session
    repository: Repository
    rev: str
    base: Oid
    given: str | None
    """The branch, where it was named."""
    branch: str
    view: View | None
    """The rendering to compare with: the branch's own; the last one, where it has none yet."""
    last: Oid | None
    """The base it was last rendered on; None without one, or where it is not here."""

    @classmethod
    def of(
        cls, session: Session, repository: Repository, series: Series, rev: str, given: str | None
    ) -> Course:
        """Raises KpatchError where there is no `rev`, Usage where there can be no such branch."""
        base = repository.resolve(rev)
        log = OperationLog(repository, series.name)
        last = log.current()
        branch = last.branch if last else branches.default_branch(series.name)
        branch = branch if given is None else given
        branches.refuse_name(repository, series.name, branch)
        view = log.kept_on(branch) or last
        was = _last_base(repository, series, view)
        return cls(session, repository, rev, base, given, branch, view, was)

    def refuse_to_move(self, series: str) -> None:
        """Raises Refused where the rendering could not be put on the branch."""
        log = OperationLog(self.repository, series)
        branches.refuse_to_move(self.repository, log, self.branch, self.base)

    def last_name(self, series: Series) -> str:
        """What the last base was called."""
        return self.view.base_name if self.view else series.base

    def rendered(self, series: Series) -> tuple[Step, ...]:
        """The series on the new base. Raises KpatchError."""
        return self._on(series, self.base, self.last)

    def last_rendered(self, series: Series) -> tuple[Step, ...]:
        """The series on the last base; nothing without one. Raises KpatchError."""
        return self._on(series, self.last, None) if self.last else ()

    def _on(self, series: Series, base: Oid, was: Oid | None) -> tuple[Step, ...]:
        return render(
            series,
            self.repository.tree(base),
            self.repository.history(),
            lambda recipe: self.session.progress(f"rendering {recipe.id}"),
            was=self.repository.tree(was) if was else None,
        )

    def report(
        self, series: Series, before: tuple[Step, ...], *, dry_run: bool = True, answered: str = ""
    ) -> RenderReport:
        """What becomes of every step, which was `before`. Raises KpatchError."""
        steps = compared(self.rendered(series), before)
        return RenderReport(
            verb="rebase",
            base=self.base,
            base_name=lasting(self.rev, self.base),
            branch=self.branch,
            given=self.given,
            series=str(self.session.series),
            steps=steps,
            commits=(None,) * len(steps),
            dry_run=dry_run,
            answered=answered,
        )


def _last_base(repository: Repository, series: Series, view: View | None) -> Oid | None:
    """The kernel that the recipes know: of the last rendering, if it was one of theirs.

    A rebase that is killed behind the moved branch leaves recipes that do not know yet what it
    found out there; series.toml, which it would have written last, names their kernel.
    """
    if view and (view.digest == series.digest() or not series.base):
        return view.base
    try:
        return repository.resolve(series.base) if series.base else None
    except KpatchError:
        return view.base if view else None


def _range_diff(repository: Repository, view: View | None, report: RenderReport) -> str:
    made = [c.commit for c in report.commits if c]
    if view is None or view.tip is None or not made:
        return "no earlier rendering to compare with"
    return repository.range_diff(view.base, view.tip, report.base, made[-1])


def _checked(session: Session, report: RenderReport) -> RenderReport:
    from kpatch_rs.commands import check

    verdicts = check.run(session, step=None, fresh=False, trust=False, branch=report.branch)
    return replace(report, checked=verdicts)
