"""A patch told by the functions it changes: where they live now, and that no other is touched.

Guarantees: a change to a function ends in the function of that name, in its file or where it went,
or nowhere; three-way merged with what the function has become. The entries of a Kconfig file are
told by their symbols in the same way, but not sought in other files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.c_held import other_locks
from kpatch_rs.kinds.patch_arms import other_arms
from kpatch_rs.kinds.patch_merge import merged
from kpatch_rs.kinds.patch_words import met
from kpatch_rs.model.outcome import Candidate, Meeting
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.tree import File
from kpatch_rs.syntax.c_body import Unclear, body_of
from kpatch_rs.syntax.c_functions import functions, functions_named
from kpatch_rs.syntax.c_items import Item, items
from kpatch_rs.syntax.c_locate import Definition, look_up, same_body
from kpatch_rs.syntax.c_reach import never_reached, nowhere
from kpatch_rs.syntax.c_text import CText, c_text
from kpatch_rs.syntax.diff_place import lines_of
from kpatch_rs.syntax.kconfig import entry_lines
from kpatch_rs.syntax.lines import Block, Part, differences


@dataclass(frozen=True, slots=True)
class Carried:
    """What a diff does to functions, done to each where it is."""

    rest: bytes
    """The patched file, with nothing of those functions changed."""
    files: Mapping[RepoPath, File]
    """Where they are, with the change; their own file, too, where some are still in it."""
    places: Mapping[bytes, RepoPath]
    """Those that left their file, and the file each is in."""
    met: tuple[Meeting, ...] = ()
    """Where a change met one of upstream's."""

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
    wanted = {*old.changed(new), *old.changed_arms(new)}
    others = [name for name in mine.changed(theirs) if name not in wanted]
    renamed = [
        old.definition(name)
        for name in old.changed(new)
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

    def changed_arms(self, other: _Functions) -> tuple[bytes, ...]:
        """Those that an `#if` defines twice or more, and `other` has otherwise."""
        mine, theirs = self.bodies(), other.bodies()
        return tuple(n for n, all_ in mine.items() if len(all_) > 1 and theirs.get(n) != all_)

    def bodies(self) -> dict[bytes, list[bytes]]:
        """All bodies of each name."""
        found: dict[bytes, list[bytes]] = {}
        for f in functions(self.text):
            found.setdefault(f.name, []).append(self.text.data[f.open : f.close])
        return found

    def never_reached(self, name: bytes) -> int:
        """How many of its statements are never reached, as far as that can be told."""
        try:
            body = body_of(self.text, self.items[name].function) if name in self.items else None
            return never_reached(body) if body else 0
        except Unclear:
            return 0

    def left_as(self, other: _Functions, name: bytes, old: Definition) -> bool:
        """Whether `other` has one of its bodies unchanged that is much as that of `old`."""
        was = set(lines_of(old.text.data[old.function.open : old.function.close]))
        bodies = self.bodies().get(name, [])
        left = [body for body in bodies if body in other.bodies().get(name, ())]
        return len(bodies) > 1 and any(
            2 * len(was.intersection(lines_of(body))) > len(was) for body in left
        )

    def nowhere(self, name: bytes) -> frozenset[bytes]:
        """The labels that it goes to and has not."""
        found = self.items[name].function if name in self.items else None
        return nowhere(self.text.code[found.open : found.close]) if found else frozenset()

    def definition(self, name: bytes) -> Definition:
        return Definition(RepoPath(b""), self.text, self.items[name].function)


def place_of(path: RepoPath, data: bytes, function: bytes) -> Candidate:
    """Where `data` defines `function`, first."""
    text = c_text(data)
    found = Definition(path, text, functions_named(text, function)[0])
    return Candidate(found.place, f"{show(function)}()")


def brought_back(base: bytes, there: bytes, now: bytes) -> tuple[bytes, ...]:
    """The functions of `base` that are gone in `there`, and in `now` again."""
    was, gone, done = (items(c_text(data)).keys() for data in (base, there, now))
    return tuple(name for name in done if name in was and name not in gone)


def spoiled(patch: tuple[bytes, bytes], done: tuple[bytes, bytes]) -> Iterator[tuple[bytes, str]]:
    """The functions that `done` makes worse, and how; each is (before, after).

    With something behind a `return` that upstream put in the line above, with a `goto` to a label
    that upstream renamed, or run under other locks, or under another `#if`, or with one of two
    definitions as it was; but not what the patch makes so itself.
    """
    old, want, have, make = (_Functions.of(data) for data in (*patch, *done))
    for name in old.changed(want):
        if have.left_as(make, name, old.definition(name)):
            yield name, "have the change in one of its definitions, and another one have it not"
    for name in have.changed(make):
        if make.never_reached(name) > max(have.never_reached(name), want.never_reached(name)):
            yield name, "have the change behind what leaves it, and never get there"
        if lost := make.nowhere(name) - have.nowhere(name) - want.nowhere(name):
            yield name, f"have 'goto {show(min(lost))}', and no such label"
        all_ = (old, want, make) if old.texts.get(name) != have.texts[name] else ()
        if all_ and all(name in version.items for version in all_):
            before, after, merged_ = ((v.text, v.items[name].function) for v in all_)
            if said := other_locks(before, after, merged_):
                yield name, f"have the change under other locks: {said}"
            if said := other_arms(before, after, merged_):
                yield name, f"have the change under another #if: {said}"


@dataclass(frozen=True, slots=True)
class _Change:
    """What the patch does to one function."""

    before: bytes
    after: bytes


def carry(
    ground: Ground,
    path: RepoPath,
    base: bytes,
    patched: bytes,
    there: File | None,
    taken: AbstractSet[RepoPath],
) -> Carried | None:
    """What `patched` makes of `base`, function by function; `there` is the file as it is now.

    None where it changes no function, or one that is neither in `there` nor certainly in one other
    file (none of `taken`), or one whose change does not merge there.
    """
    staying = _parts(path, there.data) if there else {}
    changes, rest = _taken_apart(path, base, patched)
    files = {path: there} if there else {}
    places: dict[bytes, RepoPath] = {}
    meetings: list[Meeting] = []
    for name, change in changes.items():
        where = path if name in staying else _where(ground, path, name, base)
        if where is None or (where == path and name not in staying) or where in taken - {path}:
            return None
        file = files.get(where) or ground.tree.read(where)
        done = _merged(ground, where, name, change, file) if file else None
        if done is None:
            return None
        files[where] = done[0]
        meetings += done[1]
        places |= {name: where} if where != path else {}
    return Carried(rest, files, places, tuple(meetings)) if changes else None


def _parts(path: RepoPath, data: bytes) -> Mapping[bytes, Part]:
    """The functions of a C file, the entries of a Kconfig file; nothing of any other."""
    if path.endswith((b".c", b".h")):
        return items(c_text(data))
    return entry_lines(data) if path.rpartition(b"/")[2].startswith(b"Kconfig") else {}


def _taken_apart(path: RepoPath, base: bytes, patched: bytes) -> tuple[dict[bytes, _Change], bytes]:
    """The changes to each function, and `patched` without them."""
    old, new = lines_of(base), lines_of(patched)
    mine, theirs = _parts(path, base), _parts(path, patched)
    rest, past = list[bytes](), 0
    changed = set[bytes]()
    for block in differences(old, new):
        both = (n for n, part in mine.items() if n in theirs and _both(part, theirs[n], block))
        if owner := next(both, None):
            changed.add(owner)
        else:
            rest += [*old[past : block.old_start], *new[block.new_start : block.new_end]]
            past = block.old_end
    changes = {
        name: _Change(_text(old, part), _text(new, theirs[name]))
        for name, part in mine.items()
        if name in changed
    }
    return changes, b"".join((*rest, *old[past:]))


def _text(lines: Sequence[bytes], part: Part) -> bytes:
    return b"".join(lines[part.start : part.end])


def _both(old: Part, new: Part, block: Block) -> bool:
    swapped = Block(block.new_start, block.new_end, block.old_start, block.old_end)
    return old.holds(block) and new.holds(swapped)


def _where(ground: Ground, path: RepoPath, name: bytes, base: bytes) -> RepoPath | None:
    """The one file that certainly defines the function now."""
    text = c_text(base)
    if (item := items(text).get(name)) is None or not path.endswith((b".c", b".h")):
        return None
    old = Definition(path, text, item.function)
    paths = {d.path for d in look_up(ground.tree, path, name, old=old).definitions}
    return paths.pop() if len(paths) == 1 else None


def _merged(
    ground: Ground, path: RepoPath, name: bytes, change: _Change, file: File
) -> tuple[File, tuple[Meeting, ...]] | None:
    """`file` with the change in its function; None where it does not merge."""
    if (part := _parts(path, file.data).get(name)) is None:
        return None
    lines = lines_of(file.data)
    there = _text(lines, part)
    text = merged(ground.history, path, change.before, there, change.after)
    if text is None:
        return None
    data = b"".join((*lines[: part.start], text, *lines[part.end :]))
    return File(data, file.mode), met(path, change.before, there, change.after, text, part.start)
