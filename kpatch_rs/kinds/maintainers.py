"""MAINTAINERS has these F: lines in this entry, or this entry, in alphabetical place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.kinds.base import Ground, Rooted
from kpatch_rs.model.outcome import Outcome
from kpatch_rs.model.proof import Proof
from kpatch_rs.model.series import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintainersEdit(Edit):
    """`kind = "maintainers"`."""

    kind = "maintainers"
    entry: str
    """The entry's title line."""
    files: tuple[str, ...]
    """F: patterns that must be in it."""
    maintainers: tuple[str, ...] = ()
    """M: lines of an entry that is new; with `status` they make one where it is absent."""
    reviewers: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    status: str | None = None
    """S: of a new entry; None: the entry must exist."""


class Maintainers(Rooted[MaintainersEdit]):
    """See the module."""

    edit = MaintainersEdit
    example = """\
kind = "maintainers"
entry = "FOO DRIVER"
files = ["drivers/foo/rust_foo.rs"]
"""

    def plan(self, edit: MaintainersEdit, ground: Ground) -> Outcome:
        raise NotImplementedError

    def proofs(self, edit: MaintainersEdit, outcome: Outcome) -> Sequence[Proof]:
        raise NotImplementedError


MAINTAINERS = Maintainers()
