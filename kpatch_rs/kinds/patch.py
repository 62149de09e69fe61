"""This unified diff, by three-way merge: the fallback for all that has no kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.kinds.base import Ground, Rooted
from kpatch_rs.model.outcome import Outcome
from kpatch_rs.model.proof import Proof
from kpatch_rs.model.series import Edit, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchEdit(Edit):
    """`kind = "patch"`."""

    kind = "patch"
    diff: Payload
    """The file in the series that holds the diff, as git writes it."""


class Patch(Rooted[PatchEdit]):
    """See the module."""

    edit = PatchEdit
    example = """\
kind = "patch"
diff = "files/foo.diff"
"""

    def plan(self, edit: PatchEdit, ground: Ground) -> Outcome:
        raise NotImplementedError

    def proofs(self, edit: PatchEdit, outcome: Outcome) -> Sequence[Proof]:
        raise NotImplementedError


PATCH = Patch()
