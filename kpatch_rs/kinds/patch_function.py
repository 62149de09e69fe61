"""A patch told by the functions it changes: where they live now, and that no other is touched.

Guarantees: a change to a function ends in the function of that name, in its file or where it went,
or nowhere; three-way merged with what the function has become.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.patch_merge import merged
from kpatch_rs.model.outcome import Candidate
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.tree import File
from kpatch_rs.syntax.c_items import Item, items
from kpatch_rs.syntax.c_locate import Definition, look_up, same_body
from kpatch_rs.syntax.c_text import CText, c_text
from kpatch_rs.syntax.diff_place import lines_of
from kpatch_rs.syntax.lines import Block, differences


@dataclass(frozen=True, slots=True)
class Carried:
    """What a diff does to functions that left their file, done where they are."""

    rest: bytes
    """The patched file, with nothing of those functions changed."""
    files: Mapping[RepoPath, File]
    """Where they are, with the change."""
    places: Mapping[bytes, RepoPath]
    """The functions, and the file each is in."""

    @property
    def said(self) -> tuple[str, ...]:
        """What a person is told."""
        return tuple(f"{show(name)}() is in {show(path)} now" for name, path in self.places.items())


def strangers(
    ground: Ground, path: RepoPath, patch: tuple[bytes, bytes], done: tuple[bytes, bytes]
) -> tuple[bytes, ...]:
    """The functions that `done` changes in `path`, and `patch` did not; each is (before, after).

    Of functions that stay: what comes and goes whole is nobody else's. One that only took another
    name is the same still, but where the change speaks of the name itself.
    """
    old, new, mine, theirs = (_Functions.of(data) for data in (*patch, *done))
    wanted = old.changed(new)
    others = [name for name in mine.changed(theirs) if name not in wanted]
    renamed = [
        old.definition(name)
        for name in wanted
        if others and name not in mine.texts and not _says(old, new, name)
        if not look_up(ground.tree, path, name).definitions
    ]
    return tuple(
        name
        for name in others
        if name in old.texts or not any(same_body(d, mine.definition(name)) for d in renamed)
    )


def _says(old: _Functions, new: _Functions, name: bytes) -> bool:
    """Whether what was added to function `name` speaks of it by that name."""
    added = b"".join(text for text in new.texts[name] if text not in old.texts[name])
    return bool(re.search(rb"\b%s\b" % re.escape(name), added))


@dataclass(frozen=True, slots=True)
class _Functions:
    """The functions of one version of a file, and all lines that belong to each."""

    text: CText
    items: Mapping[bytes, Item]
    texts: Mapping[bytes, list[bytes]]

    @classmethod
    def of(cls, data: bytes) -> _Functions:
        text, lines = c_text(data), lines_of(data)
        found = items(text)
        return cls(text, found, {n: lines[item.start : item.end] for n, item in found.items()})

    def changed(self, other: _Functions) -> tuple[bytes, ...]:
        """Those that `other` has otherwise."""
        return tuple(n for n, text in self.texts.items() if other.texts.get(n, text) != text)

    def definition(self, name: bytes) -> Definition:
        return Definition(RepoPath(b""), self.text, self.items[name].function)


def place_of(path: RepoPath, data: bytes, function: bytes) -> Candidate:
    """Where `data` defines `function`."""
    text = c_text(data)
    found = Definition(path, text, items(text)[function].function)
    return Candidate(found.place, f"{show(function)}()")


@dataclass(frozen=True, slots=True)
class _Change:
    """What the patch does to one function."""

    old: Definition
    before: bytes
    after: bytes


def carry(
    ground: Ground,
    path: RepoPath,
    base: bytes,
    patched: bytes,
    there: File | None,
    taken: Collection[RepoPath],
) -> Carried | None:
    """What `patched` makes of `base`, for the functions that `there` has no more.

    None where there is no such function, or one that is not certainly in one other file (none of
    `taken`), or whose change does not merge there.
    """
    staying = items(c_text(there.data)) if there else {}
    changes, rest = _taken_apart(path, base, patched, staying)
    files: dict[RepoPath, File] = {}
    places: dict[bytes, RepoPath] = {}
    for name, change in changes.items():
        where = _where(ground, path, name, change.old)
        if where is None or where == path or where in taken:
            return None
        file = files.get(where) or ground.tree.read(where)
        data = _merged(ground, where, name, change, file.data) if file else None
        if file is None or data is None:
            return None
        files[where], places[name] = File(data, file.mode), where
    return Carried(rest, files, places) if changes else None


def _taken_apart(
    path: RepoPath, base: bytes, patched: bytes, staying: Mapping[bytes, Item]
) -> tuple[dict[bytes, _Change], bytes]:
    """The changes to functions that are not `staying`, and `patched` without them."""
    text, new_text = c_text(base), c_text(patched)
    old, new = lines_of(base), lines_of(patched)
    mine, theirs = items(text), items(new_text)
    gone = {n: item for n, item in mine.items() if n not in staying and n in theirs}
    rest, past = list[bytes](), 0
    changed = set[bytes]()
    for block in differences(old, new):
        owner = next((n for n, item in gone.items() if _both(item, theirs[n], block)), None)
        if owner is None:
            rest += [*old[past : block.old_start], *new[block.new_start : block.new_end]]
            past = block.old_end
        else:
            changed.add(owner)
    changes = {
        name: _Change(
            Definition(path, text, item.function),
            b"".join(old[item.start : item.end]),
            b"".join(new[theirs[name].start : theirs[name].end]),
        )
        for name, item in gone.items()
        if name in changed
    }
    return changes, b"".join((*rest, *old[past:]))


def _both(old: Item, new: Item, block: Block) -> bool:
    swapped = Block(block.new_start, block.new_end, block.old_start, block.old_end)
    return old.holds(block) and new.holds(swapped)


def _where(ground: Ground, path: RepoPath, name: bytes, old: Definition) -> RepoPath | None:
    """The one file that certainly defines the function now."""
    paths = {d.path for d in look_up(ground.tree, path, name, old=old).definitions}
    return paths.pop() if len(paths) == 1 else None


def _merged(
    ground: Ground, path: RepoPath, name: bytes, change: _Change, data: bytes
) -> bytes | None:
    """`data` with the change in its function; None where it does not merge."""
    item = items(c_text(data)).get(name)
    if item is None:
        return None
    lines = lines_of(data)
    ours = b"".join(lines[item.start : item.end])
    text = merged(ground.history, path, change.before, ours, change.after)
    return None if text is None else b"".join((*lines[: item.start], text, *lines[item.end :]))
