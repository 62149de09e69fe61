"""log: what kpatch-rs did to a series' branches, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kpatch_rs.commands.session import Session
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.model.operation import Operation
from kpatch_rs.report import table


@dataclass(frozen=True, slots=True)
class LogReport:
    """The operations of one series."""

    operations: tuple[Operation, ...]
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """The operations with the views before and after, reduced to what names them."""
        return {"operations": [_operation_json(o) for o in self.operations]}

    def as_text(self) -> str:
        """One line an operation."""
        rows = [(o.id[:12], _when(o), o.summary, _moved(o)) for o in self.operations]
        return (
            table(("operation", "when (UTC)", "what", "branch"), rows) if rows else "no operations"
        )


def run(session: Session, *, limit: int | None) -> LogReport:
    """The newest `limit` operations, all without one."""
    series = session.load_series()
    with session.open_kernel() as repository:
        return LogReport(OperationLog(repository, series.name).entries(limit))


def _when(operation: Operation) -> str:
    return datetime.fromtimestamp(operation.time, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _moved(operation: Operation) -> str:
    return ", ".join(f"{m.branch} {m.new[:12] if m.new else 'gone'}" for m in operation.moves)


def _operation_json(operation: Operation) -> dict[str, Any]:
    return {
        "id": operation.id,
        "verb": operation.verb,
        "summary": operation.summary,
        "time": operation.time,
        "undoes": operation.undoes,
        "before": _view_json(operation.before),
        "after": _view_json(operation.after),
        "branches": [{"branch": m.branch, "tip": m.new} for m in operation.moves],
    }


def _view_json(view: Any) -> dict[str, Any] | None:
    if view is None:
        return None
    return {
        "branch": view.branch,
        "base": view.base,
        "base-name": view.base_name,
        "tip": view.tip,
    }
