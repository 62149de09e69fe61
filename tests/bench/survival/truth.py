"""Patches that maintainers rebased by hand, rebased by every tool: right is what the hand made."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kpatch_rs.engine.render import render
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.model.oid import oid
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.series import Payload, Recipe, Series, Where
from tests.bench.survival.contenders import Files, git, merge_ort, patch, wiggle


@dataclass(frozen=True, slots=True)
class Case:
    """`a_base` to `a` is the patch on the old kernel; on `b_base` the hand made `b` of it."""

    name: str
    a_base: str
    a: str
    b_base: str
    b: str
    repository: Path

    def files(self, commit: str, *pairs: tuple[str, str]) -> Files:
        """The files of `commit` that differ in one of `pairs`."""
        names = {name for pair in pairs for name in self.changed(*pair)}
        return {n: data for n in sorted(names) if (data := self.read(commit, n)) is not None}

    def changed(self, old: str, new: str) -> list[bytes]:
        out = git(self.repository, "diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new)
        return out.rstrip(b"\0").split(b"\0") if out else []

    def read(self, commit: str, path: bytes) -> bytes | None:
        spec = b"%s:%s" % (commit.encode(), path)
        info, _, data = git(self.repository, "cat-file", "--batch", data=spec + b"\n").partition(
            b"\n"
        )
        return None if info.endswith(b" missing") else data[:-1]

    @property
    def diff(self) -> bytes:
        """The patch, as `git diff` writes it."""
        return git(self.repository, "diff", "--full-index", "--no-renames", self.a_base, self.a)


def cases(truth: Path, repository: Path) -> list[Case]:
    """What the file of truths lists; `repository` has its commits."""
    return [
        Case(e["name"], e["a_base"], e["a"], e["b_base"], e["b"], repository)
        for e in json.loads(truth.read_text())
    ]


def _by_kpatch_rs(case: Case) -> Files | None:
    where = Where("bench.toml", 1)
    edit = PatchEdit(where=where, diff=Payload("bench.diff", case.diff))
    recipe = Recipe(where=where, id="bench", subject="bench", edits=(edit,))
    series = Series(name="bench", base="", change_id="", recipes=(recipe,))
    with Repository.open(case.repository, {}) as repository:
        tree, was = (repository.tree(oid(base)) for base in (case.b_base, case.a_base))
        try:
            (step,) = render(series, tree, repository.history(), was=was)
        except KpatchError:
            return None
        if step.status is Status.CONFLICT:
            return None
        pairs = ((case.b_base, case.b), (case.a_base, case.a))
        found = dict(case.files(case.b_base, *pairs))
        for path, file in step.after.changed_since(step.before).items():
            found[path] = file.data if file else b""
            if file is None:
                del found[path]
        return found


def _by_merge_ort(case: Case) -> Files | None:
    merged = merge_ort(case.repository, case.a_base, case.b_base, case.a)
    if merged.conflicted:
        return None
    return case.files(
        merged.tree, (case.b_base, merged.tree), (case.b_base, case.b), (case.a_base, case.a)
    )


def _by_patch(case: Case) -> Files | None:
    there = case.files(case.b_base, (case.a_base, case.a), (case.b_base, case.b))
    return patch(case.diff, there)


def _by_wiggle(case: Case) -> Files | None:
    pair = (case.a_base, case.a)
    there = case.files(case.b_base, pair, (case.b_base, case.b))
    return wiggle(case.files(case.a_base, pair), case.files(case.a, pair), there)


TOOLS: dict[str, Callable[[Case], Files | None]] = {
    "kpatch-rs": _by_kpatch_rs,
    "git merge-ort": _by_merge_ort,
    "patch -F2": _by_patch,
    "wiggle": _by_wiggle,
}


def verdicts(case: Case) -> Iterator[tuple[str, str]]:
    """Each tool, and `right`, `conflict` or `wrong`."""
    want = case.files(case.b, (case.a_base, case.a), (case.b_base, case.b))
    for name, tool in TOOLS.items():
        made = tool(case)
        yield name, "conflict" if made is None else "right" if made == want else "wrong"


def table(found: list[Case]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {name: Counter() for name in TOOLS}
    for case in found:
        for tool, verdict in verdicts(case):
            counts[tool][verdict] += 1
    return counts
