"""The edits of a recipe whose commit somebody changed: what still holds stays as it is written.

Guarantees: planned one after the other on the tree before the commit, what is offered gives the
tree after it, byte for byte. Of two ways to say it, the one that leaves more of the recipe alone
goes first; an edit keeps its anchors and its guard where a change of its text is enough.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from posixpath import splitext
from typing import Any

from kpatch_rs.engine.lift import NotLifted, Patch, lift, on_the_way
from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds import kind_of
from kpatch_rs.kinds.base import Ground, History
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.series import Edit, Payload, Where
from kpatch_rs.model.tree import TreeOverlay

_KEYS_AT_ONCE = 6
"""Most keys of an edit that are told apart one by one; with more, all are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One recipe, and what its commit does now."""

    own: tuple[Edit, ...]
    """The edits it has; none for a new recipe."""
    idle: tuple[Edit, ...]
    """Those of them that had nothing to do on this kernel: a guard, or it had them already."""
    spare: tuple[Edit, ...]
    """Edits of other recipes that nothing makes any more: this commit may have swallowed them."""
    patch: Patch
    history: History
    payload: str
    """The name of the diff of what no kind takes."""
    where: Where
    taken: Mapping[str, bytes]
    """The payloads of all else in the series: a name in it is not used for other bytes."""
    label: str = ""
    """What a name gets that cannot be kept."""

    def ways(self) -> Iterator[tuple[Edit, ...]]:
        """Edits that make the patch, nearest to the recipe first. Raises NotLifted at the end."""
        found = [(self._cost(way), n, way) for n, way in enumerate(self._near()) if self.makes(way)]
        yield from (way for _, _, way in sorted(found, key=lambda f: f[:2]))
        for known in (True, False):
            lifted = self._lifted(known=known)
            yield from (w for w in ((*self.idle, *lifted), lifted) if self.makes(w))

    def makes(self, edits: Sequence[Edit]) -> bool:
        """Whether `edits`, one after the other, make the patch."""
        tree = self.patch.before
        for edit in edits:
            status, tree = self._planned(edit, tree)
            if status is Status.CONFLICT:
                return False
        return not tree.changed_since(self.patch.after)

    def _near(self) -> Iterator[tuple[Edit, ...]]:
        """What the whole lifts to, said with the edits there are; and the edits with the rest."""
        kept = self._as_written()
        gone = [edit for edit in self.own if edit not in (*kept, *self.idle)]
        known = not gone or any(not isinstance(edit, PatchEdit) for edit in gone)
        for sure, kinds in (((), True), (kept, known)):
            try:
                lifted = self._lifted(known=kinds, kept=sure)
            except NotLifted:
                continue
            said = [*self.idle, *self._renewed(lifted)]
            yield self._in_place(said)
            yield tuple(said)

    def _as_written(self) -> tuple[Edit, ...]:
        """The edits that, one after the other, do nothing but what the patch does."""
        kept, tree = list[Edit](), self.patch.before
        for edit in (*self.own, *self.spare):
            if edit not in self.idle and (nearer := self._nearer(edit, tree)) is not None:
                kept.append(edit)
                tree = nearer
        return tuple(kept)

    def _planned(self, edit: Edit, tree: TreeOverlay) -> tuple[Status, TreeOverlay]:
        try:
            if edit.when and edit.when.objection(tree):
                return Status.SKIPPED, tree
            outcome = kind_of(edit).plan(edit, Ground(tree, self.history))
        except KpatchError:
            return Status.CONFLICT, tree
        return outcome.status, outcome.tree

    def _nearer(self, edit: Edit, tree: TreeOverlay) -> TreeOverlay | None:
        status, reached = self._planned(edit, tree)
        changed = reached.changed_since(tree)
        if status is Status.CONFLICT or not changed:
            return None
        goal = self.patch.after
        way = (on_the_way(tree.read(p), now, goal.read(p)) for p, now in changed.items())
        return reached if all(way) else None

    def _lifted(self, *, known: bool, kept: Sequence[Edit] = ()) -> tuple[Edit, ...]:
        own = {value.name for edit in self.own for _, value in _payloads(edit)}
        lifted = lift(
            self.patch,
            self.history,
            payload=self.payload,
            where=self.where,
            taken={name: data for name, data in self.taken.items() if name not in own},
            known=known,
            kept=kept,
        )
        return tuple(self._named(edit) for edit in lifted)

    def _named(self, edit: Edit) -> Edit:
        """`edit`, with another name for a payload where all else keeps other bytes in it."""
        news: dict[str, Any] = {
            key: Payload(free_name(*splitext(p.name), self.label, self.taken), p.data)
            for key, p in _payloads(edit)
            if self.taken.get(p.name, p.data) != p.data
        }
        return replace(edit, **news) if news else edit

    def _renewed(self, lifted: Sequence[Edit]) -> Iterator[Edit]:
        """`lifted`, each as the edit there is that says the same with the fewest keys changed."""
        tree = self.patch.before
        waiting = [edit for edit in (*self.own, *self.spare) if edit not in self.idle]
        for fresh in lifted:
            _, reached = self._planned(fresh, tree)
            tries = [
                (keys, n, changed)
                for n, edit in enumerate(waiting)
                if (found := self._changed(edit, fresh, tree, reached))
                for keys, changed in [found]
            ]
            if tries:
                _, n, changed = min(tries, key=lambda t: t[:2])
                del waiting[n]
                yield changed
            else:
                yield fresh
            tree = reached

    def _changed(
        self, edit: Edit, fresh: Edit, tree: TreeOverlay, reached: TreeOverlay
    ) -> tuple[int, Edit] | None:
        """`edit` with as few keys of `fresh` as make of `tree` what that makes; and how many."""
        if edit.kind != fresh.kind:
            return None
        news = self._news(edit, fresh)
        for some in _choices(list(news)):
            changed = replace(edit, **{name: news[name] for name in some})
            status, made = self._planned(changed, tree)
            if status is not Status.CONFLICT and not made.changed_since(reached):
                return len(some), changed
        return None

    def _news(self, edit: Edit, fresh: Edit) -> dict[str, Any]:
        """What `fresh` has otherwise; a payload keeps its name, if no other recipe has it too."""
        news: dict[str, Any] = {}
        for name in (f.name for f in fields(edit) if f.name not in ("where", "when")):
            old, new = getattr(edit, name), getattr(fresh, name)
            if isinstance(old, Payload) and isinstance(new, Payload):
                if old.data == new.data:
                    continue
                if self.taken.get(old.name, new.data) == new.data:
                    new = Payload(old.name, new.data)
            if old != new:
                news[name] = new
        return news

    def _in_place(self, said: Sequence[Edit]) -> tuple[Edit, ...]:
        """`said` in the recipe's own order, what is new behind it."""
        order = {edit.where: n for n, edit in enumerate((*self.own, *self.spare))}
        return tuple(sorted(said, key=lambda edit: order.get(edit.where, len(order))))

    def _cost(self, way: Sequence[Edit]) -> tuple[int, int]:
        """New diffs, the last resort, and then edits lost, new and changed."""
        written = {edit.where: edit for edit in (*self.own, *self.spare)}
        there = {edit.where for edit in way}
        diffs = sum(isinstance(e, PatchEdit) for e in way if e.where not in written)
        lost = sum(edit.where not in there for edit in self.own)
        return diffs, lost + sum(written.get(edit.where) != edit for edit in way)


def _choices(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The ways to choose some of `names`, the fewest first."""
    if len(names) > _KEYS_AT_ONCE:
        yield from ((), tuple(names))
        return
    for size in range(len(names) + 1):
        yield from itertools.combinations(names, size)


def _payloads(edit: Edit) -> Iterator[tuple[str, Payload]]:
    for field in fields(edit):
        value = getattr(edit, field.name)
        if isinstance(value, Payload):
            yield field.name, value


def free_name(stem: str, suffix: str, label: str, taken: Container[str]) -> str:
    """A name that is not `taken`: `x-7.2.diff` with the label `-7.2`, or `x-7.2-1.diff`."""
    numbers = (f"{stem}{label}{f'-{n}' if n else ''}{suffix}" for n in itertools.count())
    return next(name for name in numbers if name not in taken)
