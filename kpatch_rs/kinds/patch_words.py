"""Why a hunk of a diff went nowhere, in words: what was looked for, and what was found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kpatch_rs.errors import Conflict
from kpatch_rs.model.outcome import Candidate, Meeting, Place
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.tree import File
from kpatch_rs.syntax.diff import FileDiff, Hunk
from kpatch_rs.syntax.diff_found import Doubt
from kpatch_rs.syntax.diff_nearest import nearest
from kpatch_rs.syntax.diff_place import lines_of
from kpatch_rs.syntax.diff_sides import meetings, touched
from kpatch_rs.syntax.lines import Block


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

_QUOTED = 8
"""Lines quoted of one side of a change."""


def lost(
    payload: str, file: FileDiff, there: File, doubt: Doubt, also: str, was: Was | None = None
) -> Stuck:
    """The conflict for a hunk of `file` that has no certain place in `there`.

    `was`: the hunk's place in what the diff was made from, where that is known.
    """
    lines, hunk = lines_of(there.data), doubt.hunk
    n, line = file.hunks.index(hunk) + 1, _telling(hunk)
    at = hunk.old_start + _within(hunk.old, line, hunk.leading)
    old = [spot + 1 + _within(hunk.old, line, hunk.leading) for spot in doubt.old_found]
    new = [spot + 1 + _within(hunk.new, line, hunk.leading) for spot in doubt.new_found]
    found = [(at, "the hunk's old text") for at in old]
    found += [(at, "the hunk's new text") for at in new]
    found = found or list(_like(lines, hunk))
    gist = f"'{show(line)[:60]}'" if line else "blank lines"
    finding, took = _finding(doubt, old, new), line
    if not old and not new:
        finding, took = _missing(lines, hunk, line, was)
    looked = f"looked for {gist} at line {at}, {finding}" if hunk.old else _blind(hunk, new)
    return Stuck(
        f"{payload}:{hunk.line}: hunk {n} of {len(file.hunks)} of "
        f"{show(file.path)}: {looked}" + (f"; {also}" if also else ""),
        *(candidate(file, at, what) for at, what in found[:SHOWN]),
        missed=candidate(file, at, show(took)) if took else None,
    )


def _blind(hunk: Hunk, new: Sequence[int]) -> str:
    """Why a hunk goes nowhere that looks for nothing: it only adds, without context."""
    if hunk.old_start == 0:
        return "the diff adds to an empty file, and this one is not empty"
    there = f", and what it adds stands at line {', '.join(map(str, new[:SHOWN]))}" if new else ""
    return f"it has no context, only the number of line {hunk.old_start} says where it goes{there}"


@dataclass(frozen=True, slots=True)
class Was:
    """A hunk's place in the base: 0-based line `at` of `lines`."""

    lines: Sequence[bytes]
    at: int


def met(
    path: RepoPath, base: bytes, ours: bytes, theirs: bytes, merged: bytes, above: int = 0
) -> tuple[Meeting, ...]:
    """Each place in which both sides meet; `above`: the lines of `path` that stand above these."""
    return tuple(
        Meeting(
            Place(path, above + m.line), *map(b"".join, (m.base, m.upstream, m.patch, m.merged))
        )
        for m in meetings(*map(lines_of, (base, ours, theirs, merged)))
    )


def _quoted(lines: Sequence[bytes]) -> str:
    """Lines of a file in one line of a message, with their indentation: it may be what is wrong."""
    if not lines:
        return "nothing"
    texts = [show(line.removesuffix(b"\n")) for line in lines[:_QUOTED]]
    more = len(lines) - _QUOTED
    said = "'" + " / ".join(texts) + "'" + (f" and {more} lines more" if more > 0 else "")
    return said if lines[-1].endswith(b"\n") else f"{said} without a newline at its end"


def _like(lines: Sequence[bytes], hunk: Hunk) -> Iterator[tuple[int, str]]:
    """Lines of like places that tell one place from another: no brace, no `endif`, no blank."""
    wanted = {line.strip(): 1 for line in hunk.old} | {_telling(hunk): 2}
    seen = set[int]()
    for at in nearest(lines, hunk):
        window = range(at - 1, min(at - 1 + len(hunk.old), len(lines)))
        tell = [n for n in window if _tells(lines[n])]
        best = max(tell, key=lambda n: wanted.get(lines[n].strip(), 0), default=-1)
        if best >= 0 and best not in seen:
            seen.add(best)
            yield best + 1, show(lines[best].strip())


def _tells(line: bytes) -> bool:
    """Whether a line has two words or more: a brace or an #endif is everywhere."""
    return bool(re.search(rb"\w\W+\w", line))


def _within(text: Sequence[bytes], line: bytes, otherwise: int) -> int:
    """At which line of a hunk's text `line` stands."""
    stripped = [each.strip() for each in text]
    return stripped.index(line) if line in stripped else otherwise


def _missing(lines: Sequence[bytes], hunk: Hunk, line: bytes, was: Was | None) -> tuple[str, bytes]:
    """What of the hunk's old text is not there any more, and the line whose commit took it."""
    there = [n for n, text in enumerate(lines, 1) if line and text.strip() == line]
    found = (
        f"found it at {at_lines(there)}, but not with its context" if there else "found it nowhere"
    )
    changed = touched(was.lines, lines, was.at, was.at + len(hunk.old)) if was else []
    if (blanks := _blanks(lines, hunk)) and not (changed and "made at" in blanks[1]):
        return f"found it at line {blanks[0]}, {blanks[1]}", line
    if was and changed:
        said = [_change(was.lines[b.old_start : b.old_end], lines, b) for b in changed[:SHOWN]]
        took = [
            text.strip()
            for b in changed
            for text in (*was.lines[b.old_start : b.old_end], *lines[b.new_start : b.new_end])
        ]
        return f"{found}: {'; '.join(said)}", line if not there else _best(took)
    known = {text.strip() for text in lines}
    gone = [text.strip() for text in hunk.old if text.strip() not in known]
    if there and gone:
        return f"{found}: this kernel has no '{show(_best(gone))}'", _best(gone)
    return found, line


def _blanks(lines: Sequence[bytes], hunk: Hunk) -> tuple[int, str] | None:
    """Where all the old text stands but for its blanks, 1-based, and how these differ.

    Or but for an edge of the file, where the hunk was made.
    """
    edge = "end" if hunk.leading else "beginning"
    for same, said in (
        (bytes, f"but the hunk was made at the {edge} of the file"),
        (_without_end, "but the lines end otherwise: in CR LF on one side only"),
        (bytes.split, "but with other blanks in its lines"),
    ):
        text, old = list(map(same, lines)), list(map(same, hunk.old))
        if found := [n for n in range(len(text)) if text[n : n + len(old)] == old]:
            return found[0] + 1 + _within(hunk.old, _telling(hunk), hunk.leading), said
    return None


def _without_end(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")


def at_lines(places: Sequence[int]) -> str:
    """ "line 3", "lines 3 and 5", "lines 3, 5, 7 and 2 more"."""
    first, *more = map(str, places[:SHOWN])
    if not more:
        return f"line {first}"
    if len(places) > SHOWN:
        more.append(f"{len(places) - SHOWN} more")
    return f"lines {', '.join((first, *more[:-1]))} and {more[-1]}"


def _best(lines: Sequence[bytes]) -> bytes:
    return next(filter(_tells, lines), next(filter(None, lines), b""))


def _change(gone: Sequence[bytes], lines: Sequence[bytes], block: Block) -> str:
    """One change of upstream's, in words."""
    come, at = lines[block.new_start : block.new_end], block.new_start + 1
    if not gone:
        return f"upstream put in {_quoted(come)} at line {at}"
    if not come:
        return f"upstream took out {_quoted(gone)}, above line {at}"
    return f"upstream made {_quoted(come)} of {_quoted(gone)} at line {at}"


def candidate(file: FileDiff, line: int, what: str) -> Candidate:
    """A place in the file that `file` is about."""
    return Candidate(Place(file.old or file.path, line), what)


def _telling(hunk: Hunk) -> bytes:
    """The line to look for: the first that goes, or else the context nearest to the change.

    One of two words or more, if there is any: a brace or an #endif is everywhere.
    """
    gone = [text for change, text in hunk.body if change == "-"]
    above = [text for _, text in reversed(hunk.body[: hunk.leading])]
    lines = [line for text in (*gone, *above, *hunk.old) if (line := text.strip())]
    return _best(lines)


def _finding(doubt: Doubt, old_at: Sequence[int], new_at: Sequence[int]) -> str:
    """What was found instead of one certain place."""
    old, new = (", ".join(map(str, lines)) for lines in (old_at, new_at))
    if old and new:
        return f"found its old text at line {old} and its new text at line {new}"
    if len(old_at) > 1:
        return f"found it {len(old_at)} times, at lines {old}"
    if doubt.why == "order":
        return f"found it at line {old}, before the hunk above it"
    if doubt.why == "twins":
        return f"found it at line {old or new}, which need not be the place meant"
    if doubt.why == "double":
        return f"found it at line {old or new}, but cannot tell whether the hunk is in already"
    if len(new_at) > 1:
        return f"found its new text {len(new_at)} times, at lines {new}"
    return f"found it at line {old or new}, where it need not be meant"
