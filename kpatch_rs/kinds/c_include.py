"""This #include is there, in the sort order the file keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.kinds.base import Ground, Rooted
from kpatch_rs.model.outcome import Outcome
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import Proof
from kpatch_rs.model.series import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class CIncludeEdit(Edit):
    """`kind = "c-include"`."""

    kind = "c-include"
    file: RepoPath
    header: str
    """With its delimiters: `<linux/foo.h>` or `"foo.h"`."""


class CInclude(Rooted[CIncludeEdit]):
    """See the module."""

    edit = CIncludeEdit
    example = """\
kind = "c-include"
file = "drivers/foo/main.c"
header = '"foo.h"'
"""

    def plan(self, edit: CIncludeEdit, ground: Ground) -> Outcome:
        raise NotImplementedError

    def proofs(self, edit: CIncludeEdit, outcome: Outcome) -> Sequence[Proof]:
        raise NotImplementedError


C_INCLUDE = CInclude()
