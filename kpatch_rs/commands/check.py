"""check: prove every rendered step with a partial build, in a tree and a folder of our own.

Guarantees: nothing of the user's repository changes; a step whose tree, configuration, tools and
proofs were seen before starts no compiler and checks nothing out; code of a series runs only where
its folder is trusted.
"""

from __future__ import annotations

import difflib
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kpatch_rs.build.case import Subject
from kpatch_rs.commands import branches
from kpatch_rs.commands import trust as trusted
from kpatch_rs.commands.proving import build, plan_of
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import KpatchError, Refused
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.model.operation import StepRecord, View
from kpatch_rs.model.proof import Result, Verdict
from kpatch_rs.model.series import CheckSettings, Series
from kpatch_rs.report import clean, table

if TYPE_CHECKING:
    from kpatch_rs.gitio.repository import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """A verdict for every step that was asked about and has a commit."""

    view: View
    settings: CheckSettings
    rows: tuple[tuple[StepRecord, Verdict | None], ...]
    """None: the step has no commit on this kernel, so there is nothing to prove."""

    @property
    def exit_code(self) -> int:
        """0 where every step passed, 4 otherwise."""
        return 4 if any(v and v.result is not Result.PASSED for _, v in self.rows) else 0

    def as_json(self) -> dict[str, Any]:
        """`verdict` is null for a step without a commit; its status says why it has none."""
        return {
            "base": self.view.base,
            "base-name": self.view.base_name,
            "branch": self.view.branch,
            "arch": self.settings.arch,
            "steps": [_row_json(record, verdict) for record, verdict in self.rows],
        }

    def as_text(self) -> str:
        """A table, the lines of what failed, and the sum."""
        blocks = [table(("step", "verdict", "shown"), [_row(r, v) for r, v in self.rows])]
        blocks += [_told(v) for _, v in self.rows if v and v.result is not Result.PASSED]
        return "\n\n".join([*blocks, self._sum()])

    def _sum(self) -> str:
        verdicts = [v for _, v in self.rows if v]
        counts = [(sum(v.result is r for v in verdicts), r) for r in Result]
        said = ", ".join(f"{n} {result}" for n, result in counts if n) or "nothing to prove"
        known = sum(v.cached for v in verdicts)
        known_said = f" ({known} known from before)" if known else ""
        return f"{said}{known_said}, on {self.view.base_name} for {self.settings.arch}."


_WIDTH = 100
"""Characters of a reason that the table shows; the whole stands below it."""


def _row(record: StepRecord, verdict: Verdict | None) -> tuple[str, str, str]:
    if verdict is None:
        return record.id, record.status, record.reason
    passed = verdict.result is Result.PASSED
    why = textwrap.shorten(verdict.reason, _WIDTH, placeholder=" …")
    return record.id, verdict.result, "; ".join(verdict.proofs) if passed else why


def _told(verdict: Verdict) -> str:
    at = f" at {verdict.target}" if verdict.target else ""
    lines = [f"{verdict.id}: {verdict.result}{at}: {verdict.reason}"]
    lines += [f"    {line}" for line in verdict.errors]
    lines += [f"    hint: {verdict.hint}"] if verdict.hint else []
    lines += [f"    shown: {line}" for line in verdict.proofs]
    return clean("\n".join(lines))


def _row_json(record: StepRecord, verdict: Verdict | None) -> dict[str, Any]:
    said: dict[str, Any] = {"id": record.id, "subject": record.subject, "commit": record.commit}
    if verdict is None:
        return {**said, "status": record.status, "verdict": None, "reason": record.reason}
    return {
        **said,
        "status": record.status,
        "verdict": str(verdict.result),
        "reason": verdict.reason,
        "hint": verdict.hint,
        "target": verdict.target,
        "errors": list(verdict.errors),
        "proofs": list(verdict.proofs),
        "cached": verdict.cached,
        "seconds": verdict.seconds,
    }


def run(
    session: Session, *, step: str | None, fresh: bool, trust: bool, branch: str | None = None
) -> CheckReport:
    """Check the rendering on `branch`, else the last one.

    `step` is the only one to look at; `fresh`: in spite of stored verdicts.

    Raises KpatchError where there is no rendering or it is not of these recipes, Refused (exit 5)
    where something would have to be built and the series is not trusted.
    """
    series = session.load_series()
    with session.open_kernel() as repository:
        view = _rendered(OperationLog(repository, series.name), series, branch)
        plan = plan_of(session, series, repository, view)
        chosen = _chosen(plan.subjects, view, step)
        known = {} if fresh else plan.known(chosen)
        if left := [s for s in chosen if s.id not in known]:
            _must_trust(session, trust)
            known |= build(session, series, repository, view, plan, left)
    wanted = [r for r in view.steps if step in (None, r.id)]
    rows = tuple((record, known.get(record.id)) for record in wanted)
    return CheckReport(view=view, settings=series.check, rows=rows)


def stored_verdicts(
    session: Session, series: Series, repository: Repository, view: View
) -> tuple[Verdict | None, ...]:
    """What is known about each step of `view`, without building; None where nothing is.

    `view` must be a rendering of `series`: their digests are equal.
    """
    plan = plan_of(session, series, repository, view)
    known = plan.known(plan.subjects)
    return tuple(known.get(record.id) for record in view.steps)


def _rendered(log: OperationLog, series: Series, branch: str | None) -> View:
    view = branches.rendering(log, branch)
    if view is None:
        raise KpatchError(f"series {series.name} is not rendered yet", hint="kpatch-rs apply")
    if view.digest != series.digest():
        raise KpatchError(
            f"series {series.name} changed since it was rendered on {view.base_name}",
            hint=f"render it again: kpatch-rs apply{branches.option(log, view)}",
        )
    return view


def _chosen(subjects: tuple[Subject, ...], view: View, step: str | None) -> tuple[Subject, ...]:
    ids = [record.id for record in view.steps]
    if step is not None and step not in ids:
        close = difflib.get_close_matches(step, ids, n=1)
        listed = f"the steps are: {', '.join(ids)}"
        raise KpatchError(
            f"the series has no step '{step}'",
            hint=f"did you mean '{close[0]}'? {listed}" if close else listed,
        )
    return tuple(s for s in subjects if step in (None, s.id))


def _must_trust(session: Session, trust: bool) -> None:
    folder = session.series_folder()
    if trust:
        trusted.record(session, folder)
    elif not trusted.is_trusted(session, folder):
        raise Refused(
            f"building a series runs its code, and {folder} was never vouched for",
            hint="read it, then: kpatch-rs check --trust",
        )
