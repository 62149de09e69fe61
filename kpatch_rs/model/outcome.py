"""How an edit, a step and a rendering ended.

A kind says what it did as an :class:`Outcome`; the engine turns outcomes into reports, comparing
them with the last rendering. Whatever is not `exact` carries a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.series import Edit, Recipe, Variant
from kpatch_rs.model.tree import TreeOverlay


class Status(StrEnum):
    """The six ends of an edit; a step has the gravest of its edits (see :func:`gravest`)."""

    EXACT = "exact"
    """Same place."""
    MOVED = "moved"
    """The place was found elsewhere."""
    ADAPTED = "adapted"
    """The text differs from the last rendering."""
    PRESENT = "present"
    """The tree has it already."""
    SKIPPED = "skipped"
    """A guard keeps it away from this kernel."""
    CONFLICT = "conflict"
    """Not certain where it belongs, or it belongs nowhere."""


_GRAVITY = (
    Status.SKIPPED,
    Status.PRESENT,
    Status.EXACT,
    Status.MOVED,
    Status.ADAPTED,
    Status.CONFLICT,
)


def gravest(statuses: list[Status]) -> Status:
    """The status a step shows: its gravest edit's; `present` for a step without edits."""
    return max(statuses, key=_GRAVITY.index, default=Status.PRESENT)


@dataclass(frozen=True, slots=True)
class Place:
    """A line in a file of the kernel tree, 1-based."""

    path: RepoPath
    line: int

    def __str__(self) -> str:
        return f"{show(self.path)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place an edit might have meant, and what stands there."""

    place: Place
    what: str


@dataclass(frozen=True, slots=True)
class Learned:
    """What was found with the help of the kernel the series comes from.

    The next rendering will not have that kernel: the edit keeps it.
    """

    key: str
    """The key of the edit, a list, that it is one more of."""
    value: str


@dataclass(frozen=True, slots=True)
class Meeting:
    """A place that upstream and the edit both changed: what each had there, for people to judge."""

    place: Place
    """Where it is in the result."""
    base: bytes
    """The lines before both."""
    upstream: bytes
    patch: bytes
    merged: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a kind did with one edit in one tree."""

    status: Status
    tree: TreeOverlay
    """The tree with the edit in it; on conflict and present, the tree as it was."""
    place: Place | None = None
    """Where the edit's first changed line stands in `tree`; present: where it was found."""
    anchor: str = ""
    """What the edit holds on to, in a few words: "kvm_x86_init()", "kvm-y"."""
    text: bytes = b""
    """What was put in, to tell `adapted` from `exact` across kernels."""
    reason: str = ""
    candidates: tuple[Candidate, ...] = ()
    hint: str = ""
    """On conflict: what to write in the recipe."""
    missed: Candidate | None = None
    """On conflict: the line that was looked for, and where it stood."""
    elsewhere: tuple[RepoPath, ...] = ()
    """Files it changed that the edit does not name: what it names has moved there."""
    learned: tuple[Learned, ...] = ()
    met: tuple[Meeting, ...] = ()
    """Where it was merged with what upstream did in the same place."""


@dataclass(frozen=True, slots=True)
class EditReport:
    """One edit of a step: how it ended, and where its anchor was in the last rendering."""

    edit: Edit
    """As it was planned: with the file that its own is on this kernel."""
    outcome: Outcome
    was: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One recipe, rendered: before there is a commit for it."""

    recipe: Recipe
    status: Status
    reason: str
    edits: tuple[EditReport, ...]
    before: TreeOverlay
    after: TreeOverlay
    variant: Variant | None = None
    """What was rendered in place of the recipe's own edits."""

    @property
    def empty(self) -> bool:
        """Whether the step changes nothing, and so gets no commit."""
        return not self.after.changed_since(self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A step's commit and tree in the kernel repository."""

    commit: Oid
    tree: Oid
