"""One rendered step under examination: what it must show, what was seen, and the verdict.

A case gathers what the builds with the series' symbols on and off show. A failure ends in `failed`;
a proof this machine or this kernel cannot carry out leaves a gap, and ends in `not built`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kpatch_rs.build.failure import Failure
from kpatch_rs.model.proof import Proof, Result, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A step as the build sees it."""

    id: str
    commit: str
    tree: str
    """The tree's object name: what a verdict is about."""
    kconfig: str
    """Names the state of the Kconfig files in it; equal on steps that do not touch them."""
    proofs: tuple[Proof, ...]
    symbols: tuple[str, ...]
    """The series' Kconfig symbols up to and including this step, those that can be y or n."""


@dataclass(slots=True)
class Case:
    """What is known about a subject so far."""

    subject: Subject
    shown: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0

    def show(self, line: str) -> None:
        """A proof held."""
        self.shown.append(line)

    def gap(self, reason: str) -> None:
        """A proof could not be carried out."""
        if reason not in self.gaps:
            self.gaps.append(reason)

    def fail(self, failure: Failure) -> None:
        """A proof did not hold; or could not, for want of a tool."""
        if failure.lacks:
            self.gap(failure.reason)
        elif failure not in self.failures:
            self.failures.append(failure)

    @property
    def lasting(self) -> bool:
        """Whether the verdict is about the series, so that it may be stored."""
        return not any(f.passing for f in self.failures)

    def verdict(self) -> Verdict:
        """Failed before not built before passed; what was shown is told in each."""
        first = self.failures[0] if self.failures else None
        gaps = self.gaps
        if not first and not gaps and not self.shown:
            gaps = ["nothing in this step says what would prove it"]
        result = Result.FAILED if first else Result.NOT_BUILT if gaps else Result.PASSED
        return Verdict(
            id=self.subject.id,
            result=result,
            reason=first.reason if first else "; ".join(gaps),
            hint=first.hint if first else "",
            target=first.target if first else "",
            errors=first.errors if first else (),
            proofs=tuple(self.shown),
            seconds=round(self.seconds, 2),
        )
