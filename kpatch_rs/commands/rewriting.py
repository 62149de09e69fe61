"""The files of a series as they are, and as they will be after a refresh."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kpatch_rs.commands.revising import Revised
from kpatch_rs.errors import KpatchError
from kpatch_rs.loader.document import read_document
from kpatch_rs.loader.recipe import read_recipe
from kpatch_rs.loader.save import Rewrite
from kpatch_rs.loader.write import payloads
from kpatch_rs.model.series import Payload, Recipe, Series


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of the series: its name and its bytes, before and after; None: it is not there."""

    was: str | None
    name: str | None
    old: bytes | None
    new: bytes | None

    @property
    def changes(self) -> bool:
        """Whether there is a difference."""
        return (self.was, self.old) != (self.name, self.new)

    def diff(self) -> str:
        """A unified diff, for people; bytes that are no UTF-8 are shown as escapes."""
        heads = [f"--- a/{self.was}" if self.was else "--- /dev/null"]
        heads += [f"+++ b/{self.name}" if self.name else "+++ /dev/null"]
        if self.old == self.new:
            return f"rename from {self.was}\nrename to {self.name}"
        lines = difflib.unified_diff(_lines(self.old), _lines(self.new), lineterm="")
        return "\n".join([*heads, *list(lines)[2:]])


def _lines(data: bytes | None) -> list[str]:
    text = (data or b"").decode(errors="backslashreplace")
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else [*lines[:-1], f"{lines[-1]}\\"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The series as its files say now, and as they will."""

    old: Sequence[Recipe]
    texts: Mapping[str, bytes]
    """The recipes' files, by id."""
    order: Sequence[str]
    """The ids as they will be."""
    files: Mapping[str, str]
    """The name of each recipe's file, by id."""
    revised: Mapping[str, Revised]
    kept: Mapping[str, bytes]
    """Payloads that something else than a recipe names: they stay whatever becomes of recipes."""

    def loaded(self, series: Series) -> Series:
        """The series as it will be read. Raises KpatchError where two need one payload's name."""
        known = {name: Payload(name, data) for name, data in self._payloads().items()}
        recipes = tuple(
            read_recipe(read_document(self.files[id_], self.text(id_)), known.__getitem__)
            for id_ in self.order
        )
        return replace(series, recipes=recipes)

    def changes(self) -> list[FileChange]:
        """What becomes of each file: recipes in their new order, dropped ones, payloads."""
        names = {recipe.id: recipe.where.file for recipe in self.old}
        found = [
            FileChange(names.get(id_), self.files[id_], self.texts.get(id_), self.text(id_))
            for id_ in self.order
        ]
        found += [
            FileChange(r.where.file, None, self.texts[r.id], None)
            for r in self.old
            if r.id not in self.files
        ]
        was = {p.name: p.data for recipe in self.old for p in payloads(recipe)}
        now = self._payloads()
        for name in sorted({*was, *now}):
            old, new = was.get(name), now.get(name, self.kept.get(name))
            found.append(
                FileChange(
                    name if old is not None else None, name if new is not None else None, old, new
                )
            )
        return [change for change in found if change.changes]

    def rewrites(self) -> list[Rewrite]:
        """The same for the disk: what comes first is written first, what goes, goes last."""
        before = {c.was: c.old for c in self.changes() if c.was}
        after = {c.name: c.new for c in self.changes() if c.name}
        names = [*reversed(after), *(name for name in before if name not in after)]
        return [Rewrite(n, before.get(n), after.get(n)) for n in names]

    def text(self, id_: str) -> bytes:
        """The file of recipe `id_` as it will be."""
        revised = self.revised.get(id_)
        return revised.text.encode() if revised and revised.text else self.texts[id_]

    def _payloads(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        old = {recipe.id: recipe for recipe in self.old}
        for id_ in self.order:
            recipe = self.revised[id_].recipe if id_ in self.revised else old[id_]
            for payload in payloads(recipe):
                if found.setdefault(payload.name, payload.data) != payload.data:
                    raise KpatchError(
                        f"{recipe.id}: another recipe needs other bytes in {payload.name}",
                        hint="give one of them a file of its own, apply, and make the change again",
                    )
        return found
