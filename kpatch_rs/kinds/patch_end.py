"""How one file of a diff ends on a kernel's tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kpatch_rs.model.outcome import Meeting, Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import File
from kpatch_rs.syntax.diff import FileDiff


def made(file: FileDiff) -> File:
    """The file that a diff of a new one makes."""
    return File(b"".join(file.hunks[0].new) if file.hunks else b"", file.new_mode or "100644")


@dataclass(frozen=True, slots=True)
class End:
    """How one file of the diff ended."""

    status: Status
    line: int = 1
    """The 1-based line of its first change."""
    now: File | None = None
    """What stands at the new path afterwards; None where the file goes away."""
    reason: str = ""
    left_out: bool = False
    """The file left the kernel with its whole folder: nothing to change."""
    others: Mapping[RepoPath, File] = field(default_factory=dict)
    """Other files in which functions of this one are now, with the change."""
    followed: RepoPath | None = None
    """What the file is now, where it moved."""
    learned: RepoPath | None = None
    """The same, where only the kernel the series comes from can tell."""
    met: tuple[Meeting, ...] = ()
    """Where it was merged with what upstream did."""
    at: RepoPath | None = None
    """The file that `line` is in, where the diff's own stays as it is."""

    @property
    def elsewhere(self) -> tuple[RepoPath, ...]:
        """The files changed that the diff does not name."""
        return (*((self.followed,) if self.followed else ()), *self.others)
