"""Where a file of an older kernel is in this one: under its name in another folder, or gone.

Guarantees: a file counts as moved only where one file of its name is mostly the same text and no
other comes near, and as gone only with its whole folder, when a line of it stands nowhere either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import TreeOverlay

_SAME = 0.5
"""Part of the lines two files must have in common (git's own default for a rename)."""

_AHEAD = 0.2
"""How much more of them than any other file."""

TELLING = 16
"""Bytes from which a line tells a statement from others that look like it."""

_CODE = ("*.c", "*.h", "*.S", "*.rs", "*Makefile*", "*Kbuild*", "*Kconfig*")
"""Where a line that left one file may live on."""


@dataclass(frozen=True, slots=True)
class Namesake:
    """A file of the same name in another folder."""

    path: RepoPath
    same: float
    """Part of its lines that the old file has too."""


def namesakes(tree: TreeOverlay, path: RepoPath, old: bytes) -> tuple[Namesake, ...]:
    """The files in `tree` that may be `path`, which held `old`: those much alike, best first."""
    name = RepoPath(path.rpartition(b"/")[2])
    read = ((other, tree.read(other)) for other in tree.files_named(name) if other != path)
    found = [Namesake(other, _alike(file.data, old)) for other, file in read if file]
    return tuple(sorted((n for n in found if n.same >= _SAME), key=lambda n: (-n.same, n.path)))


def certain(found: Sequence[Namesake]) -> RepoPath | None:
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


def _alike(one: bytes, other: bytes) -> float:
    mine, theirs = (Counter(line.strip() for line in text.split(b"\n")) for text in (one, other))
    return 2 * (mine & theirs).total() / (mine.total() + theirs.total())
