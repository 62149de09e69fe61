"""Where a file of an older kernel is in this one: in another folder, under another name, or gone.

Guarantees: a file counts as moved only where one other file is mostly the same text and no second
comes near, or no second of its name, and as gone only with its whole folder, when a line of it
stands nowhere either. Where all of the older kernel is at hand, only what is new since can be it;
else only what has its name.
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

_NAMESAKE, _CLOSE = 0.75, 0.1
"""Part of them that tells the only one of its own name from others, and how little less of them it
may have than any of those: the device trees of two boards of a family are 84 % the same."""

_EVERYWHERE = (b"Makefile", b"Kbuild", b"Kconfig")
"""Names that tell nothing. Of 343 such files gone from 6.1 to 6.12 or from 6.12 to 7.2, 13 have one
that stood there before as their only likeness, with up to 67 % of their lines (measured)."""

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

    @classmethod
    def of(cls, path: RepoPath, now: bytes, old: bytes) -> Heir:
        """`path`, that holds `now`, beside what held `old`."""
        return cls(path, _likeness(now, old))


def heirs(tree: TreeOverlay, path: RepoPath, old: bytes, was: BaseTree | None) -> tuple[Heir, ...]:
    """The files in `tree` that may be `path`, which held `old`: those much alike, best first."""
    if was is not None and was.read(path) is not None:
        return alike(tree, tree.renamed(path, was), old)
    others = tree.files_named(_name(path))
    found = alike(tree, [other for other in others if other != path], old)
    least = _NAMESAKE if _name(path) in _EVERYWHERE else _SAME
    return tuple(heir for heir in found if heir.same >= least)


def alike(tree: TreeOverlay, paths: Iterable[RepoPath], old: bytes) -> tuple[Heir, ...]:
    """Those of `paths` that are in `tree` and much like `old`, best first."""
    read = ((path, tree.read(path)) for path in paths)
    found = [Heir.of(path, file.data, old) for path, file in read if file]
    return tuple(sorted((h for h in found if h.same >= _SAME), key=lambda h: (-h.same, h.path)))


def certain(found: Sequence[Heir], path: RepoPath) -> RepoPath | None:
    """The one of `found`, best first, that is what `path` was beyond doubt."""
    if len(found) == 1 or (found and found[0].same - found[1].same >= _AHEAD):
        return found[0].path
    named = [h for h in found if _name(h.path) == _name(path)]
    if len(named) != 1 or named[0].same < _NAMESAKE or found[0].same - named[0].same > _CLOSE:
        return None
    return named[0].path


def _name(path: RepoPath) -> bytes:
    """The last part of a path."""
    return path.rpartition(b"/")[2]


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
