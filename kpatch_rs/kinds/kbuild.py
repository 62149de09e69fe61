"""This object belongs to this composite module, or is its own, under this CONFIG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.kinds.base import Ground, Rooted
from kpatch_rs.model.outcome import Outcome
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import Proof
from kpatch_rs.model.series import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class KbuildEdit(Edit):
    """`kind = "kbuild"`."""

    kind = "kbuild"
    file: RepoPath
    """The Makefile or Kbuild that lists the objects; an included one is found from it."""
    object: str
    """The object as the list names it, relative to `file`: rust_foo.o."""
    module: str | None = None
    """The composite it is linked into, without .o; None: an own obj-$(CONFIG_…) line."""
    config: str | None = None
    """The Kconfig symbol it is built under, without CONFIG_; None: always."""


class Kbuild(Rooted[KbuildEdit]):
    """See the module."""

    edit = KbuildEdit
    example = """\
kind = "kbuild"
file = "drivers/foo/Makefile"
module = "foo"
object = "rust_foo.o"
config = "FOO_RUST"
"""

    def plan(self, edit: KbuildEdit, ground: Ground) -> Outcome:
        raise NotImplementedError

    def proofs(self, edit: KbuildEdit, outcome: Outcome) -> Sequence[Proof]:
        raise NotImplementedError


KBUILD = Kbuild()
