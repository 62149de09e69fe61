"""A step that does not fit: what a person is shown of it, and what becomes of the answer.

Guarantees: nothing is decided here that a person did not see; a draft's conflict markers are longer
than any line of their kind in the files; an answer's edits, planned on the tree it was given for,
make it, byte for byte. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from kpatch_rs.engine.lift import NotLifted, Patch, lift
from kpatch_rs.engine.render import chosen
from kpatch_rs.kinds import kind_of
from kpatch_rs.kinds.base import Ground, History
from kpatch_rs.model.outcome import Outcome, Status, Step
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.series import Edit, Recipe, Variant
from kpatch_rs.model.tree import BaseTree, File, TreeCollision, TreeOverlay
from kpatch_rs.model.version import Guard, Version, kernel_version, parse_version, show_version
from kpatch_rs.syntax.merge import Clash
from kpatch_rs.syntax.whereabouts import certain, heirs

_RUN = re.compile(rb"(?m)^(<+|\|+|=+|>+)")
_SHORTEST = 7
"""Length of git's own markers."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What stands behind the markers."""

    now: str
    was: str
    step: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The step as far as it can be put in without deciding anything."""

    tree: TreeOverlay
    near: tuple[RepoPath, ...]
    """The files it is about, also such as are not in the tree."""
    markers: Mapping[RepoPath, int]
    """The files with conflict markers, and how long these are."""
    left: tuple[str, ...]
    """What could not be put in at all, one line each."""


def draft(step: Step, last: Step | None, history: History, labels: Labels) -> Draft:
    """What `step`, a conflict, did as `last` on the kernel before, merged into its tree.

    Edits that fit are in; of the others, what each changed there is merged in.
    """
    start, changes = _changes(step, last)
    work = _Merging(start, history, labels, last.before.base if last else None)
    near = {c.place.path for e in step.edits for c in e.outcome.candidates}
    for old, new in changes:
        for path, file in new.changed_since(old).items():
            base = old.read(path)
            there = work.now(path, base) if file else path
            near.add(there)
            work.merge(there, base, file)
    near |= {*work.tree.changed_since(step.before)}
    if not any(new.changed_since(old) for old, new in changes):
        work.left.append("no earlier rendering shows what to put in")
    return Draft(work.tree, tuple(sorted(near)), work.markers, tuple(work.left))


def _changes(
    step: Step, last: Step | None
) -> tuple[TreeOverlay, list[tuple[TreeOverlay, TreeOverlay]]]:
    """The tree to merge into, and the trees around each change that is to be merged."""
    fits = step.edits[-1].outcome.tree
    if last is None or last.status is Status.CONFLICT:
        return fits, []
    if [e.edit for e in step.edits] != [e.edit for e in last.edits]:
        return step.before, [(last.before, last.after)]
    trees = [last.before, *(e.outcome.tree for e in last.edits)]
    stuck = [n for n, e in enumerate(step.edits) if e.outcome.status is Status.CONFLICT]
    return fits, [(trees[n], trees[n + 1]) for n in stuck]


@dataclass(slots=True)
class _Merging:
    """The tree so far."""

    tree: TreeOverlay
    history: History
    labels: Labels
    was: BaseTree | None
    """The kernel of the rendering before."""
    markers: dict[RepoPath, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def now(self, path: RepoPath, base: File | None) -> RepoPath:
        """What `path` is in this tree: another name, where it certainly went there."""
        if base is None or self.was is None or self.was.read(path) is None:
            return path
        if self.tree.read(path) is not None:
            return path
        return certain(heirs(self.tree, path, base.data, self.was), path) or path

    def merge(self, path: RepoPath, base: File | None, theirs: File | None) -> None:
        """Put the change of `path` from `base` to `theirs` in."""
        ours = self.tree.read(path)
        if ours == theirs:
            return
        if ours == base:
            self.put(path, theirs)
        elif theirs is None:
            self.left.append(f"{show(path)}: the step removes it, and it has changed")
        elif ours is None:
            self.left.append(f"{show(path)}: {self.labels.now} has no such file")
        elif "120000" in (ours.mode, theirs.mode, base.mode if base else ""):
            self.left.append(f"{show(path)}: a link cannot be merged")
        else:
            self.three_way(path, base, ours, theirs)

    def put(self, path: RepoPath, file: File | None) -> None:
        try:
            self.tree = self.tree.write(path, file) if file else self.tree.remove(path)
        except TreeCollision as collision:
            self.left.append(collision.message)

    def three_way(self, path: RepoPath, base: File | None, ours: File, theirs: File) -> None:
        pieces = self.history.merge(base.data if base else b"", ours.data, theirs.data)
        if not pieces:
            self.left.append(f"{show(path)}: it cannot be merged by lines")
            return
        mode = theirs.mode if base and ours.mode == base.mode else ours.mode
        sides = (ours.data, theirs.data, base.data if base else b"")
        width = max((len(run) + 1 for d in sides for run in _RUN.findall(d)), default=0)
        width = max(width, _SHORTEST)
        if any(isinstance(piece, Clash) for piece in pieces):
            self.markers[path] = width
        data = b"".join(p if isinstance(p, bytes) else self.marked(p, width) for p in pieces)
        self.put(path, File(data, mode))

    def marked(self, clash: Clash, width: int) -> bytes:
        """The three sides between markers, as git does with merge.conflictStyle = diff3."""
        labels = (self.labels.now, self.labels.was, self.labels.step)
        now, was, step = (label.encode(errors="replace") for label in labels)
        return b"".join(
            (
                b"%b %b\n" % (b"<" * width, now),
                clash.ours,
                b"%b %b\n" % (b"|" * width, was),
                clash.base,
                b"=" * width + b"\n",
                clash.theirs,
                b"%b %b\n" % (b">" * width, step),
            )
        )


def marker_line(data: bytes, width: int) -> int | None:
    """The 1-based line of the first conflict marker that is `width` long; None without one."""
    marks = b"|".join(re.escape(mark * width) for mark in (b"<", b"|", b"=", b">"))
    found = re.search(rb"(?m)^(?:%b)(?:[ \r]|$)" % marks, data)
    return data.count(b"\n", 0, found.start()) + 1 if found else None


def holds_for(step: Step, last: Step | None) -> Guard | None:
    """The kernels that an answer to `step` holds for; no others than the edits that conflict.

    From its release on, where those were for an older one; up to it, where for a newer one; for it
    alone, where nobody knows. None: for trees of the same release that they do not fit.
    """
    now = _release(kernel_version(step.before))
    if now is None or (last is None and step.variant is None):
        return None
    home = _home(step.variant)
    if last and chosen(step.recipe, last.before) == step.variant:
        home = _release(kernel_version(last.before))
    if home == now:
        return None
    held = step.variant.when if step.variant and step.variant.when else Guard()
    bound = show_version(now)
    return Guard(
        min=bound if home is None or now > home else held.min,
        max=bound if home is None or now < home else held.max,
        has=held.has,
    )


def _release(version: Version | None) -> Version | None:
    return version[:2] if version else None


def _home(variant: Variant | None) -> Version | None:
    """The release that a variant was made for, as its one bound says; None where none does."""
    guard = variant.when if variant else None
    bounds = [bound for bound in (guard.min, guard.max) if bound] if guard else []
    return _release(parse_version(bounds[0])) if len(set(bounds)) == 1 else None


def place_of(recipe: Recipe, step: Step, when: Guard | None) -> int:
    """The number of a new variant that is to be the one meant for `step`'s tree."""
    held = chosen(recipe, step.before)
    if when is None or held is None:
        return len(recipe.variants)
    return recipe.variants.index(held)


def readings(
    step: Step, after: TreeOverlay, history: History, *, payload: str, taken: Mapping[str, bytes]
) -> Iterator[tuple[Edit, ...]]:
    """The edits that make `after` of the tree `step` stands on, those nearest to the recipe first.

    `payload` and `taken` are as in :func:`kpatch_rs.engine.lift.lift`. Raises NotLifted where there
    are none.
    """
    kept, fits = _kept(step, after, history)
    if kept and not after.changed_since(fits):
        yield kept
    elif kept:
        with suppress(NotLifted):
            yield (*kept, *_lifted(step, fits, after, history, payload, taken, known=True))
    for known in (True, False):
        yield _lifted(step, step.before, after, history, payload, taken, known=known)


def _kept(step: Step, after: TreeOverlay, history: History) -> tuple[tuple[Edit, ...], TreeOverlay]:
    """The edits that fit, and that the answer still has; and the tree with them."""
    kept, tree = list[Edit](), step.before
    for edit, status in ((e.edit, e.outcome.status) for e in step.edits):
        if status is Status.SKIPPED:
            kept.append(edit)
        elif status is not Status.CONFLICT and _plan(edit, after, history).status is Status.PRESENT:
            kept.append(edit)
            tree = _plan(edit, tree, history).tree
    return tuple(kept), tree


def _plan(edit: Edit, tree: TreeOverlay, history: History) -> Outcome:
    return kind_of(edit).plan(edit, Ground(tree, history))


def _lifted(
    step: Step,
    before: TreeOverlay,
    after: TreeOverlay,
    history: History,
    payload: str,
    taken: Mapping[str, bytes],
    *,
    known: bool,
) -> tuple[Edit, ...]:
    patch = Patch(before=before, after=after)
    where = step.recipe.where
    return lift(patch, history, payload=payload, where=where, taken=taken, known=known)
