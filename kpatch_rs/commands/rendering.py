"""The report of apply and rebase, and putting a rendering into the repository.

Guarantees: objects may be written at any time, but the branch and the operation log change in one
transaction, at the very end, and only when every step fits.
"""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import Any

from kpatch_rs.commands.blaming import Blamed
from kpatch_rs.commands.branches import branch_value, typed
from kpatch_rs.commands.meeting import SHOWN, as_json, in_words
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.repository import NewCommit, Repository
from kpatch_rs.loader.save import Prepared
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.operation import StepRecord, View
from kpatch_rs.model.outcome import Commit, EditReport, Outcome, Status, Step
from kpatch_rs.model.series import Series
from kpatch_rs.model.version import show_guard
from kpatch_rs.report import Report, clean, counted, table


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderReport:
    """What became of every step on one base."""

    verb: str
    base: Oid
    base_name: str
    branch: str
    given: str | None = None
    """The branch where it was named, to be named again."""
    steps: tuple[Step, ...]
    commits: tuple[Commit | None, ...]
    """One per step; None for steps that change nothing, and for all of a dry run or conflict."""
    changed: bool = False
    """Whether the branch was moved."""
    dry_run: bool = False
    range_diff: str = ""
    blamed: Blamed = field(default_factory=Blamed)
    """Who changed the anchors of the steps that conflict."""
    checked: Report | None = None
    """The verdicts, where the verb was asked for them too."""
    answered: str = ""
    """The answer to a conflict that was put into the series, in words."""
    asked: Report | None = None
    """What a person is asked to answer."""
    series: str = ""
    """The series as it was named, for the command that answers."""

    @property
    def conflicts(self) -> tuple[Step, ...]:
        """The steps that do not fit."""
        return tuple(s for s in self.steps if s.status is Status.CONFLICT)

    @property
    def exit_code(self) -> int:
        """3 with a conflict, 0 without."""
        if self.conflicts:
            return 3
        return self.checked.exit_code if self.checked else 0

    def as_json(self) -> dict[str, Any]:
        """As the design fixes it, with the trees and the candidates added."""
        return {
            "base": self.base,
            "base-name": self.base_name,
            "branch": self.branch,
            "changed": self.changed,
            "dry-run": self.dry_run,
            "steps": [
                _step_json(s, c, self.blamed) for s, c in zip(self.steps, self.commits, strict=True)
            ],
            **({"range-diff": self.range_diff} if self.range_diff else {}),
            **({"check": self.checked.as_json()} if self.checked else {}),
            **({"answered": self.answered} if self.answered else {}),
            **({"asked": self.asked.as_json()} if self.asked else {}),
        }

    def as_text(self) -> str:
        """A table, then what a conflict or a moved anchor needs said, then the summary."""
        places = [_places(step) for step in self.steps]
        were = [_column([e.was for e in step.edits]) for step in self.steps]
        known = any(were)  # nothing is, where it was compared with nothing
        columns = {
            "step": [step.recipe.id for step in self.steps],
            "status": [step.status for step in self.steps],
            **({"was": were} if known else {}),
            "is" if known else "place": places,
        }
        blocks = [table([*columns], [*zip(*columns.values(), strict=True)])]
        blocks += self.reasons()
        blocks += [self.range_diff.rstrip()] if self.range_diff else []
        blocks += [clean(self.answered)] if self.answered else []
        blocks += [self._summary()]
        blocks += [self.asked.as_text()] if self.asked else []
        blocks += [self.checked.as_text()] if self.checked else []
        return "\n\n".join(blocks)

    def reasons(self) -> list[str]:
        """What a conflict or a moved anchor needs said."""
        said = [_reasons(step, self.blamed) for step in self.steps]
        return [text for text in (*said, self.blamed.footnote()) if text]

    def _summary(self) -> str:
        on = f"{self.base_name} ({self.base[:12]})"
        if self.conflicts:
            ids = ", ".join(s.recipe.id for s in self.conflicts)
            what = "Branch and base were not changed." if self.answered else "Nothing was changed."
            said = f"conflict on {on} in: {ids}. {what}"
            if self.verb != "rebase" or self.asked:
                return said
            again = f"-s {quote(self.series)} rebase {self.base_name}{typed(self.given)} --edit"
            return f"{said}\nanswer it once and for all: kpatch-rs {again}"
        one = len(self.steps) == 1
        fits = f"1 step fits {on}" if one else f"{len(self.steps)} steps fit {on}"
        if self.dry_run:
            return f"{fits}. Dry run: nothing was changed."
        return f"{fits}; {self.branch} {'moved there' if self.changed else 'was there already'}."


def _places(step: Step) -> str:
    """Where its edits are; nothing where one of them is nowhere, and the step not there either."""
    stuck = step.status is Status.CONFLICT
    return "" if stuck else _column([e.outcome.place for e in step.edits])


def _column(places: list[Any]) -> str:
    found = [str(p) for p in places if p is not None]
    return f"{found[0]} (+{len(found) - 1})" if len(found) > 1 else "".join(found)


def _reasons(step: Step, blamed: Blamed) -> str:
    if not step.edits and step.reason:
        return clean(f"{step.recipe.id}: {step.status}: {step.reason}")
    lines = [_reason(step.recipe.id, r, blamed) for r in step.edits if _worth_saying(r)]
    if step.variant:
        meant = show_guard(step.variant.when)
        lines.insert(0, f"{step.recipe.id} ({step.variant.where}): the variant {meant}")
    return clean("\n".join(lines))


def _worth_saying(report: EditReport) -> bool:
    """Whether the table does not say it already, as it does for lines that only shifted."""
    outcome = report.outcome
    shifted = report.was and outcome.place and report.was.path == outcome.place.path
    shifted = shifted and not outcome.elsewhere
    return bool(outcome.reason) and not (outcome.status is Status.MOVED and shifted)


def _reason(step_id: str, report: EditReport, blamed: Blamed) -> str:
    outcome = report.outcome
    lines = [f"{step_id} ({report.edit.where}): {outcome.status}: {outcome.reason}"]
    lines += [f"    {line}" for meeting in outcome.met[:SHOWN] for line in in_words(meeting)]
    if (more := len(outcome.met) - SHOWN) > 0:
        lines.append(f"    and {counted(more, 'place')} more")
    lines += [f"    candidate: {c.place}: {c.what}" for c in outcome.candidates]
    lines += [f"    {line}" for line in blamed.lines(report)]
    lines += [f"    hint: {outcome.hint}"] if outcome.hint else []
    return "\n".join(lines)


def _step_json(step: Step, commit: Commit | None, blamed: Blamed) -> dict[str, Any]:
    return {
        "id": step.recipe.id,
        "subject": step.recipe.subject,
        "status": str(step.status),
        "reason": step.reason,
        "variant": str(step.variant.where) if step.variant else None,
        "commit": commit.commit if commit else None,
        "tree": commit.tree if commit else None,
        "edits": [_edit_json(r, blamed) for r in step.edits],
    }


def _edit_json(report: EditReport, blamed: Blamed) -> dict[str, Any]:
    outcome: Outcome = report.outcome
    return {
        "kind": report.edit.kind,
        "recipe": str(report.edit.where),
        "status": str(outcome.status),
        "anchor": outcome.anchor,
        "reason": outcome.reason,
        "was": str(report.was) if report.was else None,
        "is": str(outcome.place) if outcome.place else None,
        "hint": outcome.hint,
        "merged": [as_json(meeting) for meeting in outcome.met],
        "candidates": [{"place": str(c.place), "what": c.what} for c in outcome.candidates],
        "changed-by": blamed.as_json(report),
    }


def lasting(rev: str, base: Oid) -> str:
    """`rev` as series.toml can keep it: no blanks, and nothing that follows HEAD (HEAD~1, @{u})."""
    return base if re.search(r"\s|^@|^HEAD\b", rev) else rev


def write_commits(
    repository: Repository, series: Series, base: Oid, steps: tuple[Step, ...]
) -> tuple[Commit | None, ...]:
    """One commit for each step that changes something; author dates follow the base's.

    Deterministic: a recipe's own date, else the base's commit time plus the step's number, so that
    equal series on equal bases give equal commits anywhere.
    """
    start = repository.commit_time(base)
    unnamed = any(step.recipe.author is None and not step.empty for step in steps)
    identity = repository.identity() if unnamed else None
    new = []
    for number, step in enumerate(steps, 1):
        author = step.recipe.author or identity
        if step.empty or author is None:
            continue
        new.append(
            NewCommit(
                message=step.recipe.message().encode(),
                author=author,
                date=step.recipe.date or f"{start + number} +0000",
                changes=step.after.changed_since(step.before),
            )
        )
    written = iter(repository.write(base, new))
    return tuple(None if step.empty else next(written) for step in steps)


def publish(
    repository: Repository, series: Series, report: RenderReport, base_file: Prepared | None
) -> RenderReport:
    """Write the commits, move branch and log in one transaction, put `base_file` in place.

    The last rendering, where it stands there already, makes no operation. Raises Refused,
    KpatchError; on each of them, branch, log and series are as they were.
    """
    with base_file or nullcontext():
        log = OperationLog(repository, series.name)
        old_tip = branch_value(repository, log, report.branch)
        commits = write_commits(repository, series, report.base, report.steps)
        report = replace(report, commits=commits)
        view = _view(series, report)
        if view != log.current() or old_tip != view.tip:
            summary = f"{report.verb} on {report.base_name}"
            log.record(report.verb, summary, view, time=int(time.time()), branch_old=old_tip)
        if base_file:
            base_file.commit()
    return replace(report, changed=old_tip != view.tip)


def _view(series: Series, report: RenderReport) -> View:
    made = [c.commit for c in report.commits if c]
    return View(
        branch=report.branch,
        base_name=report.base_name,
        base=report.base,
        tip=made[-1] if made else report.base,
        steps=tuple(map(_record, report.steps, report.commits)),
        digest=series.digest(),
    )


def _record(step: Step, commit: Commit | None) -> StepRecord:
    return StepRecord(
        id=step.recipe.id,
        subject=step.recipe.subject,
        status=str(step.status),
        reason=step.reason,
        commit=commit.commit if commit else None,
        tree=commit.tree if commit else None,
    )
