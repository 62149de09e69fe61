"""An existing patch → the edits of a recipe.

Guarantees: planned one after the other on the tree the patch was made for, the edits give, byte for
byte, the tree it made; what no kind can say becomes one `patch` edit. Nothing is taken on trust: a
kind's candidate counts only where planning it takes the tree a step nearer to the patch's, and the
whole is planned once more at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kpatch_rs.engine.rest import Rest
from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds import KINDS, kind_of
from kpatch_rs.kinds.base import Change, Ground, History
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.series import Edit, Payload, Where
from kpatch_rs.model.tree import BaseTree, EntryType, File, TreeOverlay
from kpatch_rs.syntax.diff_place import lines_of
from kpatch_rs.syntax.diff_write import FilePair, git_diff
from kpatch_rs.syntax.line_ends import with_lf
from kpatch_rs.syntax.lines import Block, differences, distance

_SNIFFED = 8000
"""How far git looks for a NUL before it takes a file for text (buffer_is_binary() in xdiff)."""

_PLACES = 30
"""Most places of a file in which edits are looked for: more, and the patch writes it anew."""

_Files = Mapping[RepoPath, File | None]
_Half = Callable[[File | None, File | None, File | None], bool] | None


class NotLifted(KpatchError):
    """A patch that no recipe can keep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One existing patch: the tree before it and the tree after it, on one base."""

    before: TreeOverlay
    after: TreeOverlay
    renames: Mapping[RepoPath, RepoPath] = field(default_factory=dict)
    """New name → old name, where the patch's author said so or git found it."""


def lift(
    patch: Patch,
    history: History,
    *,
    payload: str,
    where: Where,
    taken: Mapping[str, bytes],
    known: bool = True,
    kept: Sequence[Edit] = (),
) -> tuple[Edit, ...]:
    """Return the edits that make `patch`; `payload` names the diff of what no kind takes.

    `taken` are the series' payloads so far: a name in it is not used for other bytes. With `known`
    false all becomes a `patch` edit. `kept` are edits that are sure to be among them, and only what
    they leave is lifted. Raises NotLifted.
    """
    files = patch.after.changed_since(patch.before)
    if not files:
        raise NotLifted("it changes nothing", hint="leave it out: a recipe needs an edit")
    _refuse_binary(patch, files)
    search = _Search(patch, history, files, where, kept)
    for replacing in (False, True) if known else (False,):
        found = search.found(taken, replacing) if known else (search.kept, search.reached)
        for share in search.shares(*found):
            diff = Payload(payload, git_diff(share.pairs, len(patch.before.base.oid)))
            rest = (PatchEdit(where=where, diff=diff),) if share.pairs else ()
            whole = (*rest, *share.edits) if share.first else (*share.edits, *rest)
            if search.makes(whole):
                return whole
    raise NotLifted(*search.objection(patch))


@dataclass(frozen=True, slots=True)
class _Share:
    """A way to share the patch out between `edits` and one diff."""

    edits: tuple[Edit, ...]
    pairs: tuple[FilePair, ...]
    first: bool
    """Whether the diff goes before the edits."""


@dataclass(frozen=True, slots=True)
class _Nearby:
    """A base in which nobody searches: what a lifted edit means stands in the patch's own files."""

    base: BaseTree

    @property
    def oid(self) -> Oid:
        return self.base.oid

    def entry_type(self, path: RepoPath) -> EntryType | None:
        return self.base.entry_type(path)

    def read(self, path: RepoPath) -> File | None:
        return self.base.read(path)

    def names(self, folder: RepoPath | None) -> tuple[bytes, ...]:
        return self.base.names(folder)

    def files_with(
        self, word: bytes, under: RepoPath | None, named: Sequence[str]
    ) -> tuple[RepoPath, ...]:
        return ()

    def files_declaring(
        self,
        names: Sequence[bytes],
        under: Sequence[RepoPath],
        named: Sequence[str],
        since: BaseTree | None = None,
    ) -> tuple[RepoPath, ...]:
        return ()

    def files_named(self, name: bytes) -> tuple[RepoPath, ...]:
        return ()

    def renamed(self, path: RepoPath, since: BaseTree) -> tuple[RepoPath, ...]:
        return ()


class _Search:
    """One patch, and the edits that may make it."""

    def __init__(
        self, patch: Patch, history: History, files: _Files, where: Where, kept: Sequence[Edit]
    ) -> None:
        # What was not lifted may well mean another file than it names.
        near = patch.before.base if kept else _Nearby(patch.before.base)
        self.start = TreeOverlay(near, patch.before.changes)
        self.goal = TreeOverlay(near, patch.after.changes)
        self.renames = patch.renames
        self.files = files
        self.history = history
        self.where = where
        self.kept = tuple(kept)
        self.reached = self.start
        for edit in kept:
            _, self.reached = self.planned(edit, self.reached)

    def found(
        self, taken: Mapping[str, bytes], replacing: bool
    ) -> tuple[tuple[Edit, ...], TreeOverlay]:
        """The candidates that fit, and the tree they make.

        Each may need another one first (a call its prototype, an object its Kconfig symbol), so
        those that do not fit are tried again as long as others do. First come those that make all
        of a place: of two forms of an edit, the one that makes its blank lines too. Only with
        `replacing` may one be the new text of lines that the rest takes out.
        """
        waiting = [e for e in self.candidates() if self.allowed(e, taken)]
        tree, edits = self.reached, tuple(self.kept)
        refused = None if replacing else _replacing
        for half in (_partial, refused):
            edits, tree = self.one_by_one(waiting, edits, tree, half)
        return self.together(waiting, edits, tree, refused)

    def one_by_one(
        self, waiting: list[Edit], edits: tuple[Edit, ...], tree: TreeOverlay, half: _Half
    ) -> tuple[tuple[Edit, ...], TreeOverlay]:
        """`edits` and those of `waiting` that fit on top of them, which are taken out of it."""
        before = -1
        while len(edits) > before:
            before = len(edits)
            for edit in list(waiting):
                nearer = self.nearer([edit], tree, half)
                if nearer is not None:
                    tree, edits = nearer, (*edits, edit)
                    waiting.remove(edit)
        return edits, tree

    def together(
        self, waiting: Sequence[Edit], edits: tuple[Edit, ...], tree: TreeOverlay, half: _Half
    ) -> tuple[tuple[Edit, ...], TreeOverlay]:
        """What only all edits of a kind make, because they share a line: strings of a tuple."""
        for kind in dict.fromkeys(edit.kind for edit in waiting):
            alike = [edit for edit in waiting if edit.kind == kind]
            if len(alike) > 1 and (nearer := self.nearer(alike, tree, half)) is not None:
                edits, tree = (*edits, *alike), nearer
        return edits, tree

    def candidates(self) -> Iterator[Edit]:
        changes = [change for path in self.files if (change := self.change(path))]
        for kind in KINDS.values():
            for change in changes:
                yield from kind.lift(change)

    def change(self, path: RepoPath) -> Change | None:
        """The change to `path` as kinds are shown it; None where none could say it."""
        old, new = self.start.read(path), self.files[path]
        if new is None or path in self.renames or path in self.renames.values():
            return None
        if new.mode != (old.mode if old else "100644") or new.mode == "120000":
            return None
        was, now = (with_lf(old.data), with_lf(new.data)) if old else (b"", new.data)
        added = _added(was, now)
        if not 0 < len(added) <= _PLACES or not _is_text(
            path, *(now[start:end] for start, end in added)
        ):
            return None
        return Change(
            path=path,
            old=was,
            new=now,
            created=old is None,
            added=added,
            after=self.goal,
            where=self.where,
        )

    def allowed(self, edit: Edit, taken: Mapping[str, bytes]) -> bool:
        """Whether the patched tree has the edit, and no payload gets another one's name."""
        source = getattr(edit, "source", None)
        if isinstance(source, Payload) and taken.get(source.name, source.data) != source.data:
            return False
        return self.planned(edit, self.goal)[0] is Status.PRESENT

    def planned(self, edit: Edit, tree: TreeOverlay) -> tuple[Status, TreeOverlay]:
        try:
            outcome = kind_of(edit).plan(edit, Ground(tree, self.history, offers=False))
        except KpatchError:
            return Status.CONFLICT, tree
        return outcome.status, outcome.tree

    def nearer(self, edits: Sequence[Edit], tree: TreeOverlay, half: _Half) -> TreeOverlay | None:
        """The tree with `edits`, if every line they change is one that the patch changes so.

        And only if `half` does not say that they are one half of what the patch does there.
        """
        reached = tree
        for edit in edits:
            status, reached = self.planned(edit, reached)
            if status is not Status.EXACT:
                return None
        for path, now in reached.changed_since(tree).items():
            if path not in self.files or not on_the_way(tree.read(path), now, self.files[path]):
                return None
            if half and half(tree.read(path), now, self.files[path]):
                return None
        return reached

    def shares(self, edits: tuple[Edit, ...], reached: TreeOverlay) -> Iterator[_Share]:
        """The ways to share the patch out, best first.

        A diff goes first: it is made from blobs that the repository has, which lets a rebase merge
        it. Where it could only follow the edits, those of its files become a part of it; only what
        is `kept` is not given up for that.
        """
        named = Rest(self.start, self.files, self.renames)
        rests = (named, Rest(self.start, self.files, {})) if self.renames else (named,)
        for some, tree in self.ways(edits, reached):
            for rest in rests:
                if (pairs := rest.pairs(tree)) is not None:
                    yield _Share(some, pairs, first=True)
            if some and some == self.kept:
                yield _Share(some, named.behind(tree), first=False)

    def ways(
        self, edits: tuple[Edit, ...], reached: TreeOverlay
    ) -> Iterator[tuple[tuple[Edit, ...], TreeOverlay]]:
        """All the edits, those alone in their files, those to keep, none; and what they make."""
        yield edits, reached
        if edits:
            yield self.apart(edits, reached)
            if self.kept not in ((), edits):
                yield self.kept, self.reached
            yield (), self.start

    def apart(
        self, edits: tuple[Edit, ...], reached: TreeOverlay
    ) -> tuple[tuple[Edit, ...], TreeOverlay]:
        """Those of `edits` in whose files nothing is left where they all make `reached`."""
        apart, tree = tuple[Edit, ...](), self.start
        for edit in edits:
            _, now = self.planned(edit, tree)
            if all(reached.read(p) == self.files.get(p) for p in now.changed_since(tree)):
                apart, tree = (*apart, edit), now
        return apart, tree

    def makes(self, edits: Sequence[Edit]) -> bool:
        """Whether `edits`, one after the other, make the patch."""
        tree = self.start
        for edit in edits:
            status, tree = self.planned(edit, tree)
            if status is Status.CONFLICT:
                return False
        return tree.changed_since(self.start) == self.files

    def objection(self, patch: Patch) -> tuple[str]:
        """Why not even a diff of it all can be kept, in the words of the `patch` kind."""
        pairs = Rest(self.start, self.files, {}).pairs(self.start)
        diff = Payload("its diff", git_diff(pairs or (), len(patch.before.base.oid)))
        edit = PatchEdit(where=self.where, diff=diff)
        try:
            outcome = kind_of(edit).plan(edit, Ground(self.start, self.history))
        except KpatchError as error:
            return (error.message,)
        return (outcome.reason or "its diff does not give its tree",)


def _refuse_binary(patch: Patch, files: _Files) -> None:
    for path, now in files.items():
        for file in (now, patch.before.read(path)):
            if file and file.mode != "120000" and b"\0" in file.data[:_SNIFFED]:
                raise NotLifted(
                    f"{show(path)} is binary, and a patch edit holds text only",
                    hint="leave the file out of the patch: kpatch-rs keeps no binary files",
                )


def _is_text(*parts: bytes) -> bool:
    try:
        b"".join(parts).decode()
    except UnicodeDecodeError:
        return False
    return True


def _added(old: bytes, new: bytes) -> tuple[tuple[int, int], ...]:
    """The ranges of `new` that `old` has not."""
    lines = lines_of(new)
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    blocks = differences(lines_of(old), lines)
    return tuple(
        (offsets[b.new_start], offsets[b.new_end]) for b in blocks if b.new_end > b.new_start
    )


def on_the_way(old: File | None, now: File | None, goal: File | None) -> bool:
    """Whether `now` lies between `old` and `goal`: no line changed that would change again."""
    if now is None or goal is None or now.mode != goal.mode:
        return now == goal
    was, reached, wanted = (lines_of(f.data if f else b"") for f in (old, now, goal))
    return distance(was, reached) + distance(reached, wanted) == distance(was, wanted)


def _partial(old: File | None, now: File | None, goal: File | None) -> bool:
    """Whether something is left to do right beside what made `now` of `old`."""
    return bool(_left_beside(old, now, goal)[1])


def _replacing(old: File | None, now: File | None, goal: File | None) -> bool:
    """Whether lines are left to take out right beside what made `now` of `old`, their new text.

    In two edits, nothing would tell any more that the one goes with the other: on a kernel that
    took the old lines out itself, the new ones would come in all the same.
    """
    reached, rests = _left_beside(old, now, goal)
    return any(line.strip() for rest in rests for line in reached[rest.old_start : rest.old_end])


def _left_beside(
    old: File | None, now: File | None, goal: File | None
) -> tuple[list[bytes], list[Block]]:
    """The lines of `now`, and what is left to do right beside what made it of `old`."""
    was, reached, wanted = (lines_of(f.data if f else b"") for f in (old, now, goal))
    made = differences(was, reached)
    return reached, [
        rest
        for rest in differences(reached, wanted)
        if any(d.new_start <= rest.old_end and rest.old_start <= d.new_end for d in made)
    ]
