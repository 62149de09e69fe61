"""Which upstream commits a report names beside an anchor that is not where it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kpatch_rs.gitio.blame import Blame, UpstreamCommit
from kpatch_rs.model.outcome import EditReport, Status, Step
from kpatch_rs.model.series import Where

SECONDS = 5.0
"""For all of a report."""


@dataclass(frozen=True, slots=True)
class Blamed:
    """The commits that changed the anchors of some edits."""

    found: Mapping[Where, tuple[UpstreamCommit, ...]] = field(default_factory=dict)
    late: bool = False

    def lines(self, edit: EditReport) -> list[str]:
        """The commits that changed the anchor of `edit`, for people."""
        commits = self.found.get(edit.edit.where, ())
        return [f"changed by: {c.commit[:12]} ({c.date}) {c.subject}" for c in commits]

    def as_json(self, edit: EditReport) -> list[dict[str, Any]]:
        """The same for machines."""
        commits = self.found.get(edit.edit.where, ())
        return [{"commit": c.commit, "date": c.date, "subject": c.subject} for c in commits]

    def footnote(self) -> str:
        """Said where looking took too long."""
        return f"Looking for who changed it took longer than {SECONDS:.0f} s." if self.late else ""


def blamed(blame: Blame, steps: Iterable[Step]) -> Blamed:
    """Ask for the edits of `steps` that conflict, or went to another file or text."""
    found = {}
    for edit in (edit for step in steps for edit in step.edits):
        if edit.was and _changed(edit):
            missed = edit.outcome.missed
            path = missed.place.path if missed else edit.was.path
            text = missed.what if missed else edit.outcome.anchor.removesuffix("()")
            found[edit.edit.where] = blame.commits(path, text) if text else ()
    return Blamed(found, blame.late)


def _changed(edit: EditReport) -> bool:
    there = edit.outcome.place
    elsewhere = edit.was and there and there.path != edit.was.path
    return edit.outcome.status in (Status.CONFLICT, Status.ADAPTED) or bool(elsewhere)
