"""Where a file of an older kernel is in this one: in another folder, under another name, or gone.

Guarantees: a file counts as moved only where one other file is mostly the same text and no second
comes near, and as gone only with its whole folder, when a line of it stands nowhere either. Where
all of the older kernel is at hand, only what is new since can be it; else only what has its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import BaseTree, TreeOverlay

_SAME = 0.5
"""Part of the lines two files must have in common (git's own default for a rename)."""

_AHEAD = 0.2
"""How much more of them than any other file."""

TELLING = 16
"""Bytes from which a line tells a statement from others that look like it."""

_CODE = ("*.c", "*.h", "*.S", "*.rs", "*Makefile*", "*Kbuild*", "*Kconfig*")
"""Where a line that left one file may live on."""


@dataclass(frozen=True, slots=True)
class Heir:
    """A file that may be what another one has become."""

    path: RepoPath
    same: float
    """Part of its lines that the old file has too."""


def heirs(tree: TreeOverlay, path: RepoPath, old: bytes, was: BaseTree | None) -> tuple[Heir, ...]:
    """The files in `tree` that may be `path`, which held `old`: those much alike, best first."""
    if was is not None and was.read(path) is not None:
        return alike(tree, tree.renamed(path, was), old)
    others = tree.files_named(path.rpartition(b"/")[2])
    return alike(tree, [other for other in others if other != path], old)


def alike(tree: TreeOverlay, paths: Iterable[RepoPath], old: bytes) -> tuple[Heir, ...]:
    """Those of `paths` that are in `tree` and much like `old`, best first."""
    read = ((path, tree.read(path)) for path in paths)
    found = [Heir(path, _likeness(file.data, old)) for path, file in read if file]
    return tuple(sorted((h for h in found if h.same >= _SAME), key=lambda h: (-h.same, h.path)))


def certain(found: Sequence[Heir]) -> RepoPath | None:
    """The one that is it beyond doubt."""
    ahead = len(found) == 1 or (found and found[0].same - found[1].same >= _AHEAD)
    return found[0].path if ahead else None


def gone(tree: TreeOverlay, path: RepoPath, lines: Sequence[bytes]) -> bool:
    """Whether `path` left the kernel with its whole folder, and the longest of `lines` too."""
    folder = RepoPath(path.rpartition(b"/")[0])
    longest = max((line.strip() for line in lines), key=len, default=b"")
    return (
        bool(folder)
        and tree.entry_type(folder) is None
        and len(longest) >= TELLING
        and not tree.files_with(longest, None, _CODE)
    )


def _likeness(one: bytes, other: bytes) -> float:
    mine, theirs = (Counter(line.strip() for line in text.split(b"\n")) for text in (one, other))
    return 2 * (mine & theirs).total() / (mine.total() + theirs.total())
