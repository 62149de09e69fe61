"""Where a file of a diff went that this kernel has elsewhere, or who is to say so.

Guarantees: what is edited is followed only where it is certain what it is now; what is renamed or
deleted in the diff and went elsewhere upstream is not followed, and names where it may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.patch_words import SHOWN, Stuck
from kpatch_rs.model.outcome import Candidate, Place
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.diff import FileDiff
from kpatch_rs.syntax.whereabouts import Heir, alike, certain, heirs


@dataclass(frozen=True, slots=True)
class Missing:
    """A file of the diff, `old`, that this kernel has not; `base` is what it held."""

    payload: str
    file: FileDiff
    files: Sequence[FileDiff]
    ground: Ground
    also: Sequence[RepoPath]
    """What files of the diff are in other kernels."""
    old: RepoPath
    base: bytes

    def known(self) -> tuple[Heir, ...]:
        """Where the last kernel had it and this one has it still; or where the edit says it is."""
        tree, stood = self.ground.tree, self.stood()
        if stood and (stands := tree.read(stood)):
            return (Heir.of(stood, stands.data, self.base),)
        return alike(tree, self.also, self.base)

    def new(self) -> tuple[Heir, ...]:
        """What it may have become since, best first."""
        return heirs(self.ground.tree, self.stood() or self.old, self.base, self.ground.was)

    def stood(self) -> RepoPath | None:
        """Where it was in the last kernel: found there as it is where no other is known."""
        if self.ground.was is None:
            return None
        was = TreeOverlay(self.ground.was)
        if was.read(self.old):
            return self.old
        found = alike(was, self.also, self.base) or heirs(was, self.old, self.base, None)
        return certain(found, self.old)

    def heir(self, found: Sequence[Heir]) -> RepoPath:
        """The one of `found` that it is now. Raises Stuck where that is not certain."""
        path = certain(found, self.old)
        if path is None or any(path in (f.old, f.new) for f in self.files):
            raise self.no_file(found)
        return path

    def refuse(self) -> None:
        """What the diff renames or deletes, and went elsewhere upstream, is a person's to decide.

        Raises Stuck; not where the diff itself speaks of what it may be now.
        """
        new = self.file.new
        if new and self.ground.tree.entry_type(new):
            return
        ours = {name for file in self.files for name in (file.old, file.new)}
        found = [heir for heir in self.known() or self.new() if heir.path not in ours]
        if found and (new or certain(found, self.old)):
            raise self.no_file(found)

    def no_file(self, found: Sequence[Heir]) -> Stuck:
        """The conflict for a file that `found` may have become."""
        return Stuck(
            f"{self.payload}:{self.file.line}: {show(self.old)}: the tree has no such file",
            *(Candidate(Place(n.path, 1), f"{n.same:.0%} the same") for n in found[:SHOWN]),
            hint="make the diff again on this tree, with the name the file has there",
        )
