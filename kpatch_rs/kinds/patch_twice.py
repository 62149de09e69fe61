"""What a patch would put in a second time, in the words of a conflict.

Guarantees: the candidates are lines of the file as the kernel has it.
"""

from __future__ import annotations

from kpatch_rs.model.outcome import Candidate, Place
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.syntax.defined import What, made_twice
from kpatch_rs.syntax.diff_place import lines_of

_SHOWN = 5
_LONGEST = 60


def twice(
    path: RepoPath, patch: tuple[bytes, bytes] | None, done: tuple[bytes, bytes]
) -> tuple[str, tuple[Candidate, ...]] | None:
    """What `done` has twice and may not, and where it is already; each is (before, after)."""
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
    name = show(what.name[:_LONGEST])
    if what.repeats:
        scope = f" of '{show(what.scope[:_LONGEST])}'" if what.scope else ""
        return f"'{name}'{scope} would be there more than once"
    shown = f"{name}()" if what.kind == "function" else f"{what.kind} '{name}'"
    scope = f" of '{show(what.scope[:_LONGEST])}'" if what.scope else ""
    return f"{shown}{scope} would be defined more than once"
