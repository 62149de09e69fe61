"""What a patch would put in a second time: in the words of a conflict, or all of it and no more.

Guarantees: the candidates are lines of the file as the kernel has it; a patch is there at another
place only with its whole text, in the scopes that it names, and where their order says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby

from kpatch_rs.model.outcome import Candidate, Place
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.syntax.defined import What, conditions, defined, made_twice
from kpatch_rs.syntax.diff import FileDiff
from kpatch_rs.syntax.diff_place import lines_of

_SHOWN = 5
_LONGEST = 60

Sides = tuple[bytes, bytes]
"""A file before and after."""


def twice(
    path: RepoPath, patch: Sides | None, done: Sides
) -> tuple[str, tuple[Candidate, ...]] | None:
    """What `done` has twice and may not, in words, and where the kernel has it."""
    all_ = sorted(made_twice(path, patch, done), key=lambda t: (t.what.repeats, t.line))
    if not all_:
        return None
    # What is defined twice has its statements and entries twice, too.
    found = [t for t in all_ if t.what.repeats == all_[0].what.repeats]
    lines = dict.fromkeys(t.line for t in found)
    there = lines_of(done[0])
    places = [Candidate(Place(path, n), show(there[n - 1].strip())) for n in [*lines][:_SHOWN]]
    return f"{_said(found[0].what)}; line {found[0].line} has it", tuple(places)


def _said(what: What) -> str:
    name, where = show(what.name[:_LONGEST]), show(what.scope[:_LONGEST])
    of = f" of '{where}'" if where else ""
    if what.repeats:
        return f"'{name}'{of} would be there more than once"
    shown = f"{name}()" if what.kind == "function" else f"{what.kind} '{name}'"
    return f"{shown}{of} would be defined more than once"


def elsewhere(path: RepoPath, file: FileDiff, patch: Sides, done: Sides) -> int | None:
    """The 1-based line at which the kernel has all that `file` adds; None where it is not certain.

    Nothing goes; each run of lines that comes is in the kernel's file, and was in no base; and the
    first that each defines would be there twice in just the scope that the diff puts it in.
    """
    doubles = {t.what for t in made_twice(path, patch, done)}
    if not doubles or any(change == "-" for hunk in file.hunks for change, _ in hunk.body):
        return None
    places = [_there(path, run, patch, done[0], doubles) for run in _runs(file)]
    found = [at for at in places if at is not None]
    return done[0].count(b"\n", 0, min(found)) + 1 if found and found == places else None


def _there(
    path: RepoPath, run: bytes, patch: Sides, there: bytes, doubles: AbstractSet[What]
) -> int | None:
    """The offset at which `there` has `run`, for the same."""
    in_base, mine, theirs = (_where(data, run) for data in (*patch, there))
    if in_base or len(mine) != 1 or len(theirs) != 1:
        return None
    what = _first(path, patch[1], mine[0], run)
    if what not in doubles or what is None or what.repeats or what.ordered:
        return None
    if what.kind == "case" and not _LEAVES.search(run):
        return None
    asked = conditions(path, patch[1], mine[0]) == conditions(path, there, theirs[0])
    return theirs[0] if asked else None


_LEAVES = re.compile(rb"\b(?:break|continue|return|goto)\b[^;{}]*;\s*\}?\s*\Z")
"""How a `case` ends that does not run into the next one."""


def _runs(file: FileDiff) -> Sequence[bytes]:
    """The lines that come together, without the blank ones around them."""
    runs = [
        b"".join(text for _, text in run)
        for hunk in file.hunks
        for change, run in groupby(hunk.body, key=lambda line: line[0])
        if change == "+"
    ]
    return [run.strip(b"\n") + b"\n" for run in runs if run.strip()]


def _where(data: bytes, run: bytes) -> Sequence[int]:
    """Where whole lines of `data` are `run`."""
    found = re.finditer(rb"(?m)^" + re.escape(run), data)
    return [match.start() for match in found]


def _first(path: RepoPath, patched: bytes, at: int, run: bytes) -> What | None:
    """What `run`, at offset `at` of `patched`, defines before all else."""
    starts = (
        (offset, what)
        for what, offsets in defined(path, patched).items()
        for offset in offsets
        if at <= offset < at + len(run)
    )
    return min(starts, key=lambda start: start[0], default=(0, None))[1]
