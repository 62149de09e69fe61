"""status: where a series stands. Reads only; works whatever state the repository is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kpatch_rs.commands import branches
from kpatch_rs.commands.session import Session
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.operation import View
from kpatch_rs.model.proof import Verdict
from kpatch_rs.model.series import Series
from kpatch_rs.report import clean, counted, table


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A branch that holds a rendering, and what became of both."""

    view: View
    tip: Oid | None
    """Where the branch is now; None: it is not there."""
    series_changed: bool
    """Whether recipes changed since they were rendered."""

    @property
    def state(self) -> str:
        """How the branch stands to what was last rendered on it."""
        if self.tip is None:
            return "deleted since"
        return "as rendered" if self.tip == self.view.tip else "moved since, not by kpatch-rs"

    @property
    def commits(self) -> int:
        """How many commits the steps gave on that kernel."""
        return sum(step.commit is not None for step in self.view.steps)

    def as_json(self) -> dict[str, Any]:
        """The same facts under stable names."""
        return {
            "branch": self.view.branch,
            "base": self.view.base,
            "base-name": self.view.base_name,
            "tip": self.tip,
            "branch-state": self.state,
            "series-changed": self.series_changed,
            "commits": self.commits,
        }

    def row(self) -> tuple[str, ...]:
        """A line of the table of branches."""
        base = f"{self.view.base_name} ({self.view.base[:12]})"
        recipes = "changed since" if self.series_changed else "as rendered"
        tip = self.tip or ""
        return self.view.branch, base, tip[:12], str(self.commits), self.state, recipes


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """The series, one rendering of it with what is stored about it, and all branches."""

    series: Series
    chosen: Kept | None
    """The rendering that is meant; None: the series is not rendered."""
    verdicts: tuple[Verdict | None, ...]
    """One per step of it; None where no check has looked at it yet."""
    kept: tuple[Kept, ...]
    """Every branch, the one last rendered first."""
    exit_code: int = 0

    @property
    def view(self) -> View | None:
        """The rendering that is meant."""
        return self.chosen.view if self.chosen else None

    @property
    def branch_state(self) -> str:
        """How its branch stands to it."""
        return self.chosen.state if self.chosen else "not rendered yet"

    @property
    def series_changed(self) -> bool:
        """Whether recipes changed since it was rendered."""
        return self.chosen is not None and self.chosen.series_changed

    def as_json(self) -> dict[str, Any]:
        """The same facts under stable names."""
        view = self.view
        return {
            "series": self.series.name,
            "version": self.series.version,
            "change-id": self.series.change_id,
            "recipes": [r.id for r in self.series.recipes],
            "base": view.base if view else None,
            "base-name": view.base_name if view else self.series.base,
            "branch": view.branch if view else None,
            "branch-state": self.branch_state,
            "tip": self.chosen.tip if self.chosen else None,
            "series-changed": self.series_changed,
            "steps": [
                {
                    "id": step.id,
                    "subject": step.subject,
                    "status": step.status,
                    "reason": step.reason,
                    "commit": step.commit,
                    "tree": step.tree,
                    "verdict": str(verdict.result) if verdict else None,
                }
                for step, verdict in zip(view.steps if view else (), self.verdicts, strict=True)
            ],
            "branches": [kept.as_json() for kept in self.kept],
        }

    def as_text(self) -> str:
        """A headline, a line a step, the branches where there are more, and what to type next."""
        count = counted(len(self.series.recipes), "recipe")
        head = f"{self.series.name} v{self.series.version}, {count}"
        if self.view is None:
            where = f"base {self.series.base}, " if self.series.base else ""
            return clean(f"{head}, {where}not rendered yet: kpatch-rs apply")
        rows = [
            (s.id, s.status, (s.commit or "")[:12], str(v.result) if v else "unchecked", s.subject)
            for s, v in zip(self.view.steps, self.verdicts, strict=True)
        ]
        on = f"on {self.view.base_name} ({self.view.base[:12]})"
        lines = [clean(f"{head}, {on}; branch {self.view.branch}: {self.branch_state}")]
        lines.append(table(("step", "status", "commit", "check", "subject"), rows))
        if len(self.kept) > 1:
            columns = ("branch", "base", "tip", "commits", "branch is", "recipes")
            lines.append(table(columns, [kept.row() for kept in self.kept]))
        named = ["", *(branches.typed(kept.view.branch) for kept in self.kept[1:])]
        stale = [name for name, kept in zip(named, self.kept, strict=False) if kept.series_changed]
        if stale:
            again = "; ".join(f"kpatch-rs apply{name}" for name in stale)
            lines.append(clean(f"the recipes changed since they were rendered: {again}"))
        return "\n\n".join(lines)


def run(session: Session, *, branch: str | None = None) -> StatusReport:
    """Read series, log, branches and verdict store; the steps are those of `branch`.

    Raises KpatchError where nothing was rendered on it.
    """
    from kpatch_rs.commands.check import stored_verdicts

    series = session.load_series()
    with session.open_kernel() as repository:
        log = OperationLog(repository, series.name)
        view = branches.rendering(log, branch)
        verdicts: tuple[Verdict | None, ...] = ()
        if view:
            fresh = view.digest == series.digest()
            unknown = (None,) * len(view.steps)
            verdicts = stored_verdicts(session, series, repository, view) if fresh else unknown
        return StatusReport(
            series=series,
            chosen=_kept(repository, series, view) if view else None,
            verdicts=verdicts,
            kept=tuple(_kept(repository, series, view) for view in log.kept()),
        )


def _kept(repository: Repository, series: Series, view: View) -> Kept:
    return Kept(
        view=view,
        tip=repository.branch(view.branch),
        series_changed=view.digest != series.digest(),
    )
