"""status: where a series stands. Reads only; works whatever state the repository is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kpatch_rs.commands.session import Session
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.operation import View
from kpatch_rs.model.proof import Verdict
from kpatch_rs.model.series import Series
from kpatch_rs.report import clean, table


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """The series, its last rendering, and what is stored about it."""

    series: Series
    view: View | None
    branch_tip: Oid | None
    verdicts: tuple[Verdict | None, ...]
    """One per step of the view; None where no check has looked at it yet."""
    exit_code: int = 0

    @property
    def branch_state(self) -> str:
        """How the branch stands to what was last rendered."""
        if self.view is None:
            return "not rendered yet"
        if self.branch_tip is None:
            return "deleted since"
        return (
            "as rendered" if self.branch_tip == self.view.tip else "moved since, not by kpatch-rs"
        )

    @property
    def series_changed(self) -> bool:
        """Whether recipes changed since they were rendered."""
        return self.view is not None and self.view.digest != self.series.digest()

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
            "tip": self.branch_tip,
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
        }

    def as_text(self) -> str:
        """A headline, a line a step, and what to type next."""
        head = f"{self.series.name} v{self.series.version}, {len(self.series.recipes)} recipes"
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
        if self.series_changed:
            lines.append("the recipes changed since they were rendered: kpatch-rs apply")
        return "\n\n".join(lines)


def run(session: Session) -> StatusReport:
    """Read series, log, branch and verdict store."""
    from kpatch_rs.commands.check import stored_verdicts

    series = session.load_series()
    with session.open_kernel() as repository:
        view = OperationLog(repository, series.name).current()
        verdicts: tuple[Verdict | None, ...] = ()
        if view:
            fresh = view.digest == series.digest()
            unknown = (None,) * len(view.steps)
            verdicts = stored_verdicts(session, series, repository, view) if fresh else unknown
        return StatusReport(
            series=series, view=view, branch_tip=_tip(repository, view), verdicts=verdicts
        )


def _tip(repository: Repository, view: View | None) -> Oid | None:
    return repository.branch(view.branch) if view else None
