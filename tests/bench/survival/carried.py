"""Every tool on every patch that maintainers carried by hand: right is what the hand made.

What is passed off as merged and is not that may still be what the old patch says: where every file
that differs is, byte for byte, what `git apply` makes of the patch's part for it, the maintainers
chose to do otherwise, and no tool could have known. For anything else a tool has to answer.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from kpatch_rs.engine.render import render
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.model.oid import oid
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.series import Payload, Recipe, Series, Where
from tests.bench.survival.contenders import (
    NotInstalled,
    git,
    git_apply,
    merge_ort,
    mergiraf,
    patch,
    wiggle,
)
from tests.bench.survival.truth import CATEGORIES, Case, Changes, Commits, changes_of

VERDICTS = ("right", "conflict", "as git apply", "other", "not run")


@dataclass(frozen=True, slots=True)
class Refused:
    """A conflict, and what the tool said about it."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """How one tool ended on one case."""

    verdict: str
    reason: str = ""
    """What it said of a conflict;"""
    difference: str = ""
    """from the maintainers' files to its own."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One case, and how each tool ended."""

    case: Case
    answers: Mapping[str, Answer] = field(default_factory=dict)


def by_kpatch_rs(case: Case, commits: Commits, *, rebase: bool) -> Changes | Refused:
    """As `apply` does it, or as `rebase`, which has the kernel that the patch was made for."""
    where = Where("bench.toml", 1)
    edit = PatchEdit(where=where, diff=Payload("bench.diff", commits.diff(*case.patch)))
    recipe = Recipe(where=where, id="bench", subject="bench", edits=(edit,))
    series = Series(name="bench", base="", change_id="", recipes=(recipe,))
    with Repository.open(commits.repository, {}) as trees:
        tree, was = (trees.tree(oid(base)) for base in (case.b_base, case.a_base))
        try:
            (step,) = render(series, tree, trees.history(), was=was if rebase else None)
        except KpatchError as refused:
            return Refused(refused.message)
        if step.status is Status.CONFLICT:
            return Refused(step.reason)
        changed = step.after.changed_since(step.before)
        return {path: file.data if file else None for path, file in changed.items()}


def by_merge_ort(case: Case, commits: Commits) -> Changes | Refused:
    merged = merge_ort(commits.repository, case.a_base, case.b_base, case.a)
    if merged.conflicted:
        return Refused(", ".join(os.fsdecode(path) for path in sorted(merged.conflicted)))
    return commits.changes(case.b_base, merged.tree)


def by_patch(case: Case, commits: Commits) -> Changes | Refused:
    there = commits.files(case.b_base, case.patch)
    made = patch(commits.diff(*case.patch), there)
    return Refused() if made is None else changes_of(there, made)


def by_wiggle(case: Case, commits: Commits) -> Changes | Refused:
    there, before, after = _three(case, commits)
    made = wiggle(before, after, there)
    return Refused() if made is None else changes_of(there, made)


def by_mergiraf(case: Case, commits: Commits) -> Changes | Refused:
    there, before, after = _three(case, commits)
    made = mergiraf(before, after, there)
    return Refused() if made is None else changes_of(there, made)


def _three(case: Case, commits: Commits) -> tuple[Mapping[bytes, bytes], ...]:
    """The patch's files on the new kernel, and before and after it on the old one."""
    return tuple(commits.files(at, case.patch) for at in (case.b_base, case.a_base, case.a))


Tool = Callable[[Case, Commits], Changes | Refused]

TOOLS: Mapping[str, Tool] = {
    "kpatch-rs apply": partial(by_kpatch_rs, rebase=False),
    "kpatch-rs rebase": partial(by_kpatch_rs, rebase=True),
    "git merge-ort": by_merge_ort,
    "patch -F2": by_patch,
    "wiggle": by_wiggle,
    "mergiraf": by_mergiraf,
}


def judged(case: Case, repository: Path, tools: Sequence[str]) -> Judged:
    """How each of `tools` ended; `repository` has the case's commits, and takes more."""
    commits = Commits(repository)
    judge = Judge(case, commits)
    answers = {}
    for name in tools:
        try:
            answers[name] = judge.answer(TOOLS[name](case, commits))
        except NotInstalled:
            answers[name] = Answer("not run")
    return Judged(case, answers)


class Judge:
    """What is right for one case."""

    def __init__(self, case: Case, commits: Commits) -> None:
        self.case, self.commits = case, commits
        self.want = commits.changes(*case.by_hand)

    def answer(self, made: Changes | Refused) -> Answer:
        if isinstance(made, Refused):
            return Answer("conflict", made.reason)
        if made == self.want:
            return Answer("right")
        paths = [p for p in sorted({*self.want, *made}) if self.made(made, p) != self.hand(p)]
        told = all(self.made(made, path) in self.applied(path) for path in paths)
        difference = "\n".join(_difference(p, self.hand(p), self.made(made, p)) for p in paths)
        return Answer("as git apply" if told else "other", difference=difference)

    def hand(self, path: bytes) -> bytes | None:
        return self.made(self.want, path)

    def made(self, changes: Changes, path: bytes) -> bytes | None:
        """What `path` is after `changes`."""
        return changes[path] if path in changes else self.commits.read(self.case.b_base, path)

    def applied(self, path: bytes) -> Sequence[bytes | None]:
        """What `git apply` of the old patch makes of one file; nothing where it refuses."""
        now = self.commits.read(self.case.b_base, path)
        there = {} if now is None else {path: now}
        diff = self.commits.diff(*self.case.patch, path)
        after = git_apply(diff, there) if diff else there
        return [] if after is None else [after.get(path)]


def _difference(path: bytes, hand: bytes | None, made: bytes | None) -> str:
    old, new = ((side or b"").decode(errors="replace").splitlines() for side in (hand, made))
    name = os.fsdecode(path)
    return "\n".join(difflib.unified_diff(old, new, f"by-hand/{name}", f"made/{name}", lineterm=""))


def judge(found: Sequence[Case], repository: Path, tools: Sequence[str]) -> Iterator[Judged]:
    """Every case in turn, two at a time, in a clone of `repository` that goes away afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-survival-") as home:
        scratch = Path(home) / "scratch.git"
        git(Path(home), "clone", "-q", "--shared", "--bare", str(repository), str(scratch))
        with ProcessPoolExecutor(max_workers=2) as pool:
            yield from pool.map(partial(judged, repository=scratch, tools=tools), found)


def table(title: str, found: Sequence[Judged]) -> str:
    """The figures of each category, and of all."""
    lines = ["", f"{len(found)} {title}"]
    for category in (*CATEGORIES, "all"):
        part = [one for one in found if category in ("all", one.case.category)]
        if part:
            heading = f"{category} ({len(part)})"
            lines += ["", f"{heading:18}" + "".join(f"{v:>14}" for v in VERDICTS)]
            lines += [_row(tool, counts) for tool, counts in counted(part).items()]
    return "\n".join(lines)


def counted(found: Sequence[Judged]) -> dict[str, Counter[str]]:
    """Each tool's verdicts."""
    counts: dict[str, Counter[str]] = {}
    for one in found:
        for tool, ended in one.answers.items():
            counts.setdefault(tool, Counter())[ended.verdict] += 1
    return counts


def _row(tool: str, counts: Mapping[str, int]) -> str:
    return f"{tool:18}" + "".join(f"{counts.get(verdict, 0):14}" for verdict in VERDICTS)


def plainly(found: Sequence[Judged]) -> list[dict[str, Any]]:
    """Every verdict, for JSON: what to look at one by one."""
    return [
        {**asdict(one.case), "answers": {t: asdict(a) for t, a in one.answers.items()}}
        for one in found
    ]
