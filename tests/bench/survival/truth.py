"""Patches that maintainers carried from one kernel to the next: what they had, what they made."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.survival.contenders import Files, git

Changes = Mapping[bytes, bytes | None]
"""The files in which a tree differs from another, with their bytes; None: it has no such file.

Two trees that differ from a third in the same way are the same: so answers are compared.
"""

CATEGORIES = ("identical", "context", "moved", "adapted", "revised", "changed")
"""What the maintainers had to change, as tests/bench/README.md explains them, in this order."""


@dataclass(frozen=True, slots=True)
class Case:
    """`a_base` to `a` is the patch on the old kernel; on `b_base` the hand made `b` of it."""

    series: str
    name: str
    category: str
    a_base: str
    a: str
    b_base: str
    b: str

    @property
    def patch(self) -> tuple[str, str]:
        """The patch, as a pair of commits,"""
        return self.a_base, self.a

    @property
    def by_hand(self) -> tuple[str, str]:
        """and what became of it."""
        return self.b_base, self.b


def cases(truth: Path) -> list[Case]:
    """What the file of truths lists. A list without categories says whether the text changed."""
    return [_case(entry) for entry in json.loads(truth.read_text())]


def _case(entry: Mapping[str, str]) -> Case:
    unsaid = "identical" if entry.get("identical_text") else "changed"
    commits = (entry[key] for key in ("a_base", "a", "b_base", "b"))
    return Case(entry.get("set", ""), entry["name"], entry.get("category", unsaid), *commits)


@dataclass(frozen=True, slots=True)
class Commits:
    """Files of commits of a repository that may be written to."""

    repository: Path

    def changes(self, old: str, new: str) -> Changes:
        """What `new` is, where it differs from `old`."""
        return {path: self.read(new, path) for path in self.changed(old, new)}

    def files(self, commit: str, *pairs: tuple[str, str]) -> Files:
        """The files of `commit` that differ in one of `pairs`."""
        names = {name for pair in pairs for name in self.changed(*pair)}
        return {n: data for n in sorted(names) if (data := self.read(commit, n)) is not None}

    def changed(self, old: str, new: str) -> list[bytes]:
        listing = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new)
        return list(filter(None, git(self.repository, *listing).split(b"\0")))

    def read(self, commit: str, path: bytes) -> bytes | None:
        spec = b"%s:%s\n" % (commit.encode(), path)
        about, _, data = git(self.repository, "cat-file", "--batch", data=spec).partition(b"\n")
        return None if about.endswith(b" missing") else data[:-1]

    def diff(self, old: str, new: str, *paths: bytes) -> bytes:
        """A patch, or its part for `paths`, as `git diff` writes it."""
        only = (f":(literal){os.fsdecode(path)}" for path in paths)
        return git(self.repository, "diff", "--full-index", "--no-renames", old, new, "--", *only)


def changes_of(before: Files, after: Files) -> Changes:
    """The same of files that a tool got and gave back."""
    names = sorted({*before, *after})
    return {n: after.get(n) for n in names if before.get(n) != after.get(n)}
