"""Why a hunk of a diff went nowhere, in words: what was looked for, and what was found."""

from __future__ import annotations

import re

from kpatch_rs.errors import Conflict
from kpatch_rs.model.outcome import Candidate, Place
from kpatch_rs.model.path import show
from kpatch_rs.model.tree import File
from kpatch_rs.syntax.diff import FileDiff, Hunk
from kpatch_rs.syntax.diff_found import Doubt
from kpatch_rs.syntax.diff_nearest import nearest
from kpatch_rs.syntax.diff_place import lines_of


class Stuck(Conflict):
    """One file of the diff does not fit."""

    def __init__(
        self,
        reason: str,
        *candidates: Candidate,
        hint: str = "",
        missed: Candidate | None = None,
    ) -> None:
        super().__init__(reason, hint=hint or _HINT)
        self.candidates, self.missed = candidates, missed


_HINT = "make the diff again on this tree, or say it with a kind that finds its place by structure"

SHOWN = 5
"""Candidates shown of one hunk."""


def lost(payload: str, file: FileDiff, there: File, doubt: Doubt, also: str) -> Stuck:
    """The conflict for a hunk of `file` that has no certain place in `there`."""
    lines, hunk = lines_of(there.data), doubt.hunk
    found = [(at + 1, "the hunk's old text") for at in doubt.old_found]
    found += [(at + 1, "the hunk's new text") for at in doubt.new_found]
    if not found:
        found = [(at, show(lines[at - 1].strip())) for at in nearest(lines, hunk)]
    n = file.hunks.index(hunk) + 1
    line = _telling(hunk)
    gist = f"'{line[:60]}'" if line else "blank lines"
    return Stuck(
        f"{payload}:{hunk.line}: hunk {n} of {len(file.hunks)} of "
        f"{show(file.path)}: looked for {gist} at line {hunk.old_start}, "
        f"{_finding(doubt)}" + (f"; {also}" if also else ""),
        *(candidate(file, at, what) for at, what in found[:SHOWN]),
        missed=candidate(file, hunk.old_start, line) if line else None,
    )


def candidate(file: FileDiff, line: int, what: str) -> Candidate:
    """A place in the file that `file` is about."""
    return Candidate(Place(file.old or file.path, line), what)


def _telling(hunk: Hunk) -> str:
    """The line to look for: the first that goes, or else the context nearest to the change.

    One of two words or more, if there is any: a brace or an #endif is everywhere.
    """
    gone = [text for change, text in hunk.body if change == "-"]
    above = [text for _, text in reversed(hunk.body[: hunk.leading])]
    lines = [line for text in (*gone, *above, *hunk.old) if (line := text.strip())]
    telling = [line for line in lines if re.search(rb"\w\W+\w", line)] or lines
    return show(telling[0]) if telling else ""


def _finding(doubt: Doubt) -> str:
    """What was found instead of one certain place."""
    old, new = (
        ", ".join(str(at + 1) for at in found) for found in (doubt.old_found, doubt.new_found)
    )
    if old and new:
        return f"found its old text at line {old} and its new text at line {new}"
    if "," in old:
        return f"found it {len(doubt.old_found)} times, at lines {old}"
    if doubt.why == "order":
        return f"found it at line {old}, before the hunk above it"
    if doubt.why == "twins":
        return f"found it at line {old or new}, which need not be the place meant"
    if doubt.why == "double":
        return f"found it at line {old or new}, but cannot tell whether the hunk is in already"
    if new:
        return f"found its new text {len(doubt.new_found)} times, at lines {new}"
    return "found it nowhere"
