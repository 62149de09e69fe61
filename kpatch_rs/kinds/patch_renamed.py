"""A file that a diff deletes and adds again under another name, where this kernel has it changed.

`git diff --no-renames` writes a rename so, and what upstream changed in the file since would be
lost with the old name. Guarantees: the two are one file where git would say so (mostly the same,
the best pair of all, one to one), where no other pair is as good, and where the repository has the
blob that is deleted, so that a three-way merge decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.patch_end import End, made
from kpatch_rs.model.outcome import Status, gravest
from kpatch_rs.model.path import show
from kpatch_rs.model.tree import File
from kpatch_rs.syntax.diff import FileDiff, read_diff
from kpatch_rs.syntax.diff_place import BLOB_MIN
from kpatch_rs.syntax.diff_write import FilePair, git_diff
from kpatch_rs.syntax.similarity import RENAMED, similarity

_MOST = 1000
"""Pairs compared; git, too, looks for no renames in a diff of more than so many files."""


def with_renames(files: Sequence[FileDiff], ground: Ground) -> tuple[FileDiff, ...]:
    """`files`, with one rename for each deletion and new file that are one changed file here."""
    changed = [file for file in files if _is_deletion(file) and _is_changed(file, ground)]
    if not changed:
        return tuple(files)
    named = {pair.gone: pair for pair in _best(files) if pair.gone in changed and pair.met(ground)}
    come = {pair.come for pair in named.values()}
    out = (named[file].as_one() if file in named else file for file in files)
    return tuple(file for file in out if file not in come)


def told(file: FileDiff, end: End) -> End:
    """`end` of a rename that the diff does not call one."""
    if end.status is Status.PRESENT or file.old is None:
        return end
    said = (
        f"{show(file.old)} is {show(file.path)} in the diff, which deletes the one and adds the "
        f"other: it keeps what this kernel changed in it"
    )
    reason = "; ".join(filter(None, (said, end.reason)))
    return replace(end, status=gravest([end.status, Status.ADAPTED]), reason=reason)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A deletion and a new file."""

    gone: FileDiff
    come: FileDiff
    same: int

    @property
    def likeness(self) -> tuple[int, bool]:
        """Of pairs that are as much alike, git takes the one that keeps its last name."""
        names = {file.path.rpartition(b"/")[2] for file in (self.gone, self.come)}
        return self.same, len(names) == 1

    def met(self, ground: Ground) -> bool:
        """Whether this kernel has the file, under its old name or, otherwise, its new one."""
        old, new = (ground.tree.read(file.path) for file in (self.gone, self.come))
        return old is not None or (new is not None and new.data != made(self.come).data)

    def as_one(self) -> FileDiff:
        """The rename; its hunks' lines in the payload are where the new file is."""
        old, new = (file.old_mode or file.new_mode or "100644" for file in (self.gone, self.come))
        pair = FilePair(
            old_path=self.gone.path,
            new_path=self.come.path,
            old=File(_deleted(self.gone), old),
            new=File(made(self.come).data, new),
        )
        (one,) = read_diff("", git_diff([pair]))
        line = self.come.hunks[0].line
        return replace(
            one,
            line=self.come.line,
            old_mode=old,
            new_mode=new,
            old_blob=self.gone.old_blob,
            new_blob=self.come.new_blob,
            hunks=tuple(replace(hunk, line=line) for hunk in one.hunks),
        )


def _best(files: Sequence[FileDiff]) -> Iterator[_Pair]:
    """The pairs that are one file, by git's rule; none of which another one is as good."""
    gone = [file for file in files if _is_deletion(file)]
    come = [file for file in files if file.old is None and _is_text(file)]
    if len(gone) * len(come) > _MOST:
        return
    pairs = [_Pair(g, c, _same(g, c)) for g in gone for c in come if g.old != c.new]
    left = sorted((p for p in pairs if p.same >= RENAMED), key=lambda p: p.likeness, reverse=True)
    while left:
        best = left[0]
        near = [p for p in left if (p.gone is best.gone) or (p.come is best.come)]
        if sum(pair.likeness == best.likeness for pair in near) == 1:
            yield best
        left = [pair for pair in left if pair not in near]


def _same(gone: FileDiff, come: FileDiff) -> int:
    old, new = _deleted(gone), made(come).data
    small, large = sorted((len(old), len(new)))
    return similarity(old, new) if small * 100 >= large * RENAMED else 0


def _is_deletion(file: FileDiff) -> bool:
    return file.new is None and _is_text(file)


def _is_text(file: FileDiff) -> bool:
    return bool(file.hunks) and "120000" not in (file.old_mode, file.new_mode)


def _deleted(file: FileDiff) -> bytes:
    return b"".join(file.hunks[0].old)


def _is_changed(file: FileDiff, ground: Ground) -> bool:
    """Whether this kernel has not just what is deleted, and the repository has the blob of that."""
    there = ground.tree.read(file.path)
    if len(file.old_blob) < BLOB_MIN or (there and there.data == _deleted(file)):
        return False
    return ground.history.blob(file.old_blob) == _deleted(file)
