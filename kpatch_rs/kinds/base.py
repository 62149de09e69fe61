"""What a kind of edit is, and the ground it works on.

A kind is a module-level object satisfying :class:`Kind`; ``kinds/__init__.py`` lists them all. A
kind is pure: it gets an edit and a tree and answers with an :class:`Outcome`. It never guesses: a
place that is not certain is a conflict with candidates, because a wrong place is worse than ten
conflicts.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from kpatch_rs.model.outcome import Candidate, Outcome, Place, Status
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.proof import Proof
from kpatch_rs.model.series import Edit, Where
from kpatch_rs.model.tree import BaseTree, File, TreeOverlay
from kpatch_rs.syntax.line_ends import as_before
from kpatch_rs.syntax.merge import Clash

E = TypeVar("E", bound=Edit)


class History(Protocol):
    """What `patch` needs of git: the blob a diff was made from, and the three-way merge."""

    def blob(self, prefix: str) -> bytes | None:
        """The blob whose name begins with `prefix`; None where none or more than one does."""

    def merge(self, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes | Clash, ...]:
        """`git merge-file` on these exact bytes: what merged, and what did not, in order.

        Empty where the bytes cannot be merged by lines.
        """


@dataclass(frozen=True, slots=True)
class Ground:
    """What an edit is planned on."""

    tree: TreeOverlay
    history: History
    was: BaseTree | None = None
    """The kernel that the series was rendered on before, where a rebase leaves it."""
    edits: tuple[Edit, ...] = ()
    """What the series has for this kernel: another's may stand between an edit and its place."""
    offers: bool = True
    """Whether anyone reads the candidates of a conflict; finding some takes a walk of the tree."""
    known: bool = True
    """Whether the edit was meant for the kernel `was`, too: what its place was there, it is here.

    False for what somebody wrote for this kernel: an answer is not asked for again.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an existing patch does to one file: what `lift` reads an edit off.

    No link and no rename; the path, and all that was added, is UTF-8.
    """

    path: RepoPath
    old: bytes
    """Empty where the file is new."""
    new: bytes
    created: bool
    added: tuple[tuple[int, int], ...]
    """The ranges of bytes of `new`, whole lines, that are not in `old`."""
    after: TreeOverlay
    """The whole tree with the patch in it."""
    where: Where

    def adds(self, offset: int) -> bool:
        """Whether the line that byte `offset` of `new` stands in was added."""
        return any(start <= offset < end for start, end in self.added)


class Kind(Protocol[E]):
    """One type of edit."""

    edit: type[E]
    """The edit's fields: what the loader reads, with their types, and what `new` writes."""
    example: str
    """A valid `[[edit]]` table in TOML, as `new KIND` puts it in a fresh recipe."""

    def plan(self, edit: E, ground: Ground) -> Outcome:
        """Put the edit into the tree, or say why not.

        Raises nothing but KpatchError, and that only for what is wrong in the recipe itself.
        """

    def proofs(self, edit: E, outcome: Outcome) -> Sequence[Proof]:
        """What shows that the edit works; asked only for edits that did not end in conflict."""

    def lift(self, change: Change) -> Sequence[E]:
        """Edits of this kind that an existing patch may have meant, likeliest first.

        They may be wrong and they may be variants of each other: the caller plans each, and keeps
        those that do to the tree what the patch does. Raises nothing.
        """


class Rooted(Generic[E]):
    """What kinds share: the ways an edit ends."""

    def done(
        self, ground: Ground, path: RepoPath, data: bytes, *, line: int, anchor: str, text: bytes
    ) -> Outcome:
        """The edit is in: `path` holds `data` now, with its own line ends; `text` is in `line`."""
        old = ground.tree.read(path)
        file = File(as_before(old.data, data), old.mode) if old else File(data)
        return Outcome(
            status=Status.EXACT,
            tree=ground.tree.write(path, file),
            place=Place(path, line),
            anchor=anchor,
            text=text,
        )

    def present(self, ground: Ground, place: Place, *, anchor: str, reason: str = "") -> Outcome:
        """The tree has the edit already, at `place`."""
        return Outcome(
            status=Status.PRESENT,
            tree=ground.tree,
            place=place,
            anchor=anchor,
            reason=reason or f"already at {place}",
        )

    def conflict(
        self,
        ground: Ground,
        reason: str,
        *,
        hint: str,
        anchor: str = "",
        candidates: Sequence[Candidate] = (),
    ) -> Outcome:
        """The edit is not in: `reason` says what was looked for and what was found."""
        return Outcome(
            status=Status.CONFLICT,
            tree=ground.tree,
            anchor=anchor,
            reason=reason,
            hint=hint,
            candidates=tuple(candidates),
        )

    def no_file(self, ground: Ground, path: RepoPath) -> Outcome:
        """The file the edit names is not in the tree; files of that name elsewhere are offered."""
        return self.conflict(
            ground,
            f"{show(path)}: the tree has no such file",
            hint='name the file that took its place: file = "…"',
            anchor=show(path),
            candidates=names_like(ground.tree, path),
        )


def names_like(tree: TreeOverlay, path: RepoPath) -> list[Candidate]:
    """The files in the folder of `path` whose names come close to its."""
    folder, _, name = path.rpartition(b"/")
    beside = tree.names(RepoPath(folder) if folder else None)
    close = difflib.get_close_matches(show(name), map(show, beside), n=5)
    return [
        Candidate(Place(RepoPath(folder + b"/" + n if folder else n), 1), "a similar name")
        for n in beside
        if show(n) in close
    ]


def line_of(data: bytes, offset: int) -> int:
    """The 1-based line that byte `offset` of `data` stands in."""
    return data.count(b"\n", 0, offset) + 1


def splice(data: bytes, offset: int, text: bytes) -> bytes:
    """`data` with `text` put in before byte `offset`; all other bytes untouched."""
    return data[:offset] + text + data[offset:]
