"""What one proof has to look at, and how it records that it cannot be carried out."""

from __future__ import annotations

from dataclasses import dataclass

from kpatch_rs.build.case import Case
from kpatch_rs.build.config import Settings
from kpatch_rs.build.failure import Failure
from kpatch_rs.build.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Sight:
    """One step in its configured folder."""

    case: Case
    workspace: Workspace
    kept: Settings
    """What the final .config says."""
    blocked: Failure | None
    """Why a symbol of the series is not as it was wanted."""
    no_rust: str

    def hindered(self) -> None:
        """Record that the series' symbols are not as a proof needs them."""
        if self.no_rust:
            self.case.gap(self.no_rust)
        elif self.blocked:
            self.case.fail(self.blocked)
