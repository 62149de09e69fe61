"""scripts/generate_rust_analyzer.py covers this directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.kinds.base import Ground, Rooted
from kpatch_rs.model.outcome import Outcome
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import Proof
from kpatch_rs.model.series import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class RustAnalyzerEdit(Edit):
    """`kind = "rust-analyzer"`."""

    kind = "rust-analyzer"
    folder: RepoPath
    """The directory whose crates `make rust-analyzer` is to list."""


class RustAnalyzer(Rooted[RustAnalyzerEdit]):
    """See the module."""

    edit = RustAnalyzerEdit
    example = """\
kind = "rust-analyzer"
folder = "drivers/foo"
"""

    def plan(self, edit: RustAnalyzerEdit, ground: Ground) -> Outcome:
        raise NotImplementedError

    def proofs(self, edit: RustAnalyzerEdit, outcome: Outcome) -> Sequence[Proof]:
        raise NotImplementedError


RUST_ANALYZER = RustAnalyzer()
