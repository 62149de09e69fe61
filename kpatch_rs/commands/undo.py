"""undo: put back what a series' branch and base were before an operation.

An undo is an operation itself; undoing it does the undone thing again.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from kpatch_rs.commands.branches import branch_value
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.lock import lock
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.loader.save import Prepared, prepare
from kpatch_rs.model.operation import Operation, View
from kpatch_rs.report import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoReport:
    """What was undone, and where the branch is now."""

    undone: Operation
    operation: Operation
    base_restored: str | None
    """The base written back into series.toml; None where it stayed."""
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """The two operations' names and the branches moved."""
        return {
            "undone": self.undone.id,
            "operation": self.operation.id,
            "summary": self.undone.summary,
            "branches": [{"branch": m.branch, "tip": m.new} for m in self.operation.moves],
            "base-name": self.base_restored,
        }

    def as_text(self) -> str:
        """One line, one for a base that went back, and what an undone refresh leaves to do."""
        moved = ", ".join(
            f"{m.branch} is {'gone' if m.new is None else f'at {m.new[:12]}'}"
            for m in self.operation.moves
        )
        lines = [f"undone: {self.undone.summary} ({self.undone.id[:12]}); {moved}"]
        if self.base_restored:
            lines.append(f"the series' base is {self.base_restored} again")
        if self.undone.verb == "refresh":
            lines += [
                f"the commits that it took in are at {m.new[:12]}: "
                f"git branch NAME {m.new[:12]} keeps them"
                for m in self.undone.moves
                if m.new
            ]
            lines.append(
                "the recipes stay as refresh wrote them: take them back where you keep them"
            )
        return "\n".join(lines)


def run(session: Session, name: str | None) -> UndoReport:
    """Undo the newest operation that is not undone yet, or the one whose id begins with `name`.

    Whichever branch it was about: that branch and the last rendering are what they were before.
    Raises KpatchError where there is none or where later operations build on it; Refused where
    somebody else moved the branch since.
    """
    series_name = session.load_series().name
    with session.open_kernel() as repository, lock(repository, series_name, session.progress):
        series = session.load_series()
        log = OperationLog(repository, series.name)
        newest = next(log.standing(), None)
        target = _named(log.entries(), name) if name is not None else newest
        if target is None:
            raise KpatchError("nothing to undo", hint="kpatch-rs log shows what was done")
        if next(log.standing(target.id), None) != newest:
            raise KpatchError(
                f"operation {target.id[:12]} ({target.summary}) is not the last one",
                hint="undo the later ones first: kpatch-rs log",
            )
        at = [branch_value(repository, log, move.branch) for move in target.moves]
        file = _base_back(session, series.base, target)
        with file or nullcontext():
            operation = log.record(
                "undo",
                f"undo: {target.summary}",
                target.before,
                time=int(time.time()),
                branch_old=at[0] if at else None,
                undoes=target.id,
            )
            if file:
                file.commit()
        restored = target.before.base_name if file and target.before else None
        return UndoReport(undone=target, operation=operation, base_restored=restored)


def _named(operations: tuple[Operation, ...], name: str) -> Operation:
    found = [o for o in operations if o.id.startswith(name)]
    if len(found) != 1 or len(name) < 4:
        many = counted(len(found), "operation") if found else "no operation"
        raise KpatchError(f"'{name}' names {many}", hint="see kpatch-rs log")
    return found[0]


def _base_back(session: Session, base: str, target: Operation) -> Prepared | None:
    """series.toml with the base it had; None where the operation did not set the base it has."""
    was, became = _base_of(target.before), _base_of(target.after)
    if was and was != became and base == became:
        return prepare(session.series_folder(), base=was)
    return None


def _base_of(view: View | None) -> str | None:
    return view.base_name if view else None
