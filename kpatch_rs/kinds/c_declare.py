"""C can see this prototype, with an empty stub when CONFIG is off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.kinds.base import Ground, Rooted
from kpatch_rs.model.outcome import Outcome
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import Proof
from kpatch_rs.model.series import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class CDeclareEdit(Edit):
    """`kind = "c-declare"`."""

    kind = "c-declare"
    file: RepoPath
    """A header, or the .c file itself."""
    prototype: str
    """`int foo_rust_init(struct foo *foo);`"""
    config: str | None = None
    """The symbol, without CONFIG_, under which the function exists; None: always, no stub."""
    stub: str | None = None
    """The stub's body where the return type does not tell it: `return -ENODEV;`"""


class CDeclare(Rooted[CDeclareEdit]):
    """See the module."""

    edit = CDeclareEdit
    example = """\
kind = "c-declare"
file = "drivers/foo/foo.h"
prototype = "void foo_rust_init(void);"
config = "FOO_RUST"
"""

    def plan(self, edit: CDeclareEdit, ground: Ground) -> Outcome:
        raise NotImplementedError

    def proofs(self, edit: CDeclareEdit, outcome: Outcome) -> Sequence[Proof]:
        raise NotImplementedError


C_DECLARE = CDeclare()
