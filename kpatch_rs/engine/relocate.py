"""An edit on a kernel that has its file in another folder, or under another name.

Guarantees: a file is followed only where its edit already says where to, or where the kernel the
series comes from shows which one it is: new since, mostly the same text, no other near. What that
kernel showed, the edit is to keep. Kinds that hold on to more than a file (a function, a diff's
context, the folder that an object is in) find their own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.c_declare import CDeclareEdit
from kpatch_rs.kinds.c_include import CIncludeEdit
from kpatch_rs.kinds.kconfig import KconfigEdit
from kpatch_rs.model.outcome import Learned, Outcome, Status
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.series import Edit
from kpatch_rs.syntax.whereabouts import certain, heirs


@dataclass(frozen=True, slots=True)
class Followed:
    """An edit as it is to be planned on this kernel."""

    edit: Edit
    old: RepoPath | None = None
    """Where its file was; None where it still is."""
    learned: tuple[Learned, ...] = ()

    def told(self, outcome: Outcome) -> Outcome:
        """`outcome`, of the edit as followed, for the edit as it is written."""
        if self.old is None or outcome.status is Status.CONFLICT:
            return outcome
        outcome = replace(outcome, learned=self.learned)
        if outcome.status is not Status.EXACT or outcome.place is None:
            return outcome
        reason = f"{show(self.old)} is {show(outcome.place.path)} now"
        return replace(outcome, status=Status.MOVED, reason=reason)


def follow(edit: Edit, ground: Ground) -> Followed:
    """`edit`, for the file that its own has become."""
    if not isinstance(edit, (CDeclareEdit, CIncludeEdit, KconfigEdit)):
        return Followed(edit)
    if ground.tree.read(edit.file) is not None:
        return Followed(edit)
    if known := next((path for path in edit.also if ground.tree.read(path)), None):
        return Followed(replace(edit, file=known), edit.file)
    path = _heir((edit.file, *edit.also), ground) if ground.was else None
    if path is None:
        return Followed(edit)
    return Followed(replace(edit, file=path), edit.file, (Learned("also", show(path)),))


def _heir(files: Sequence[RepoPath], ground: Ground) -> RepoPath | None:
    """What the first of `files` that was in the last kernel has certainly become."""
    read = ((path, ground.was.read(path)) for path in files) if ground.was else ()
    old = next(((path, file) for path, file in read if file), None)
    return certain(heirs(ground.tree, old[0], old[1].data, ground.was), old[0]) if old else None
