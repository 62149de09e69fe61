"""What the operation log remembers: what a series was rendered as, and who moved it there.

A view is complete, so that undo never has to work anything out: it puts the earlier view back.
"""

from __future__ import annotations

from dataclasses import dataclass

from kpatch_rs.model.oid import Oid


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One recipe as it was rendered."""

    id: str
    subject: str
    status: str
    """A value of :class:`kpatch_rs.model.outcome.Status`."""
    reason: str
    commit: Oid | None
    """None for a step that changed nothing, and so has no commit."""
    tree: Oid | None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a series was last rendered as."""

    branch: str
    """Without refs/heads/."""
    base_name: str
    """The base as the maintainer named it: v6.12.117."""
    base: Oid
    tip: Oid | None
    """Where the branch is; None: it does not exist."""
    steps: tuple[StepRecord, ...]
    digest: str
    """:meth:`kpatch_rs.model.series.Series.digest` of what was rendered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchMove:
    """A branch and where an operation took it from and to; None: it does not exist."""

    branch: str
    old: Oid | None
    new: Oid | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One recorded change."""

    id: Oid
    """The commit that holds it in the log."""
    verb: str
    summary: str
    """One line for people."""
    time: int
    """Seconds since the epoch."""
    before: View | None
    """None: the series had not been rendered."""
    after: View | None
    moves: tuple[BranchMove, ...]
    """What was done to branches, in full."""
    undoes: Oid | None
    """The operation this one takes back."""
