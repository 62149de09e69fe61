"""This Rust source exists at this path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.kinds.base import Ground, Rooted
from kpatch_rs.model.outcome import Outcome
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import Proof
from kpatch_rs.model.series import Edit, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class RustFileEdit(Edit):
    """`kind = "rust-file"`."""

    kind = "rust-file"
    path: RepoPath
    """Where it goes in the tree; ends in .rs."""
    source: Payload
    """The file in the series that holds it, byte for byte."""


class RustFile(Rooted[RustFileEdit]):
    """See the module."""

    edit = RustFileEdit
    example = """\
kind = "rust-file"
path = "drivers/foo/rust_foo.rs"
source = "files/rust_foo.rs"
"""

    def plan(self, edit: RustFileEdit, ground: Ground) -> Outcome:
        raise NotImplementedError

    def proofs(self, edit: RustFileEdit, outcome: Outcome) -> Sequence[Proof]:
        raise NotImplementedError


RUST_FILE = RustFile()
