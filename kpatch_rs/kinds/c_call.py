"""This statement runs in this function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kpatch_rs.kinds.base import Ground, Rooted
from kpatch_rs.model.outcome import Outcome
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import Proof
from kpatch_rs.model.series import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class CCallEdit(Edit):
    """`kind = "c-call"`."""

    kind = "c-call"
    file: RepoPath
    """Where the function is to be expected; found elsewhere it is `moved`."""
    function: str
    statement: str
    """One C statement with its semicolon."""
    at: Literal["entry", "before-returns", "before-last-return", "before-call", "after-call"] = (
        "entry"
    )
    """entry: after the declarations at the top. The -call ones need `call`."""
    call: str | None = None
    """The called function next to which the statement goes; must be called exactly once there."""


class CCall(Rooted[CCallEdit]):
    """See the module."""

    edit = CCallEdit
    example = """\
kind = "c-call"
file = "drivers/foo/main.c"
function = "foo_init"
statement = "foo_rust_init();"
at = "before-last-return"
"""

    def plan(self, edit: CCallEdit, ground: Ground) -> Outcome:
        raise NotImplementedError

    def proofs(self, edit: CCallEdit, outcome: Outcome) -> Sequence[Proof]:
        raise NotImplementedError


C_CALL = CCall()
