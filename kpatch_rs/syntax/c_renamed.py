"""What a function is called now that is gone under its name: told by its body, or by its callers.

Guarantees: one function only where no other can be meant. A long body that is still the same tells
by itself, in the file or in what git says it became. Where the body changed more, or is short, it
takes all who called the old function, too: each of them calls the new one where it called the old,
with the same parameters, and in another file nobody else calls it.

Measured on 6.12 -> 7.2, 2,527 functions gone from files that stayed: 243 are told by their bodies
alone, 156 with their callers, 244 have candidates. The 156 were read, and a hundred of the others;
none was another function. With bodies of 60 bytes and half the words some were.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import BaseTree, TreeOverlay, part_of
from kpatch_rs.syntax.c_functions import functions
from kpatch_rs.syntax.c_locate import (
    BULK,
    Definition,
    is_static,
    look_up,
    parameters,
    read_c,
    same_body,
)
from kpatch_rs.syntax.c_text import CText, words
from kpatch_rs.syntax.lines import differences, distance

_TELLING = ((40, 0.75), (12, 0.9))
"""Words of a body that tells by itself, and the part of them it has kept."""

_LIKE, _SHORT, _LIKE_SHORT = 0.75, 20, 0.9
"""The part that is enough where the callers tell, too; in one of fewer words than _SHORT, more."""

_CALLING = 50
"""Files that are asked at most; a function with more callers elsewhere is no one's own."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """What may have become of a function that is gone."""

    certain: Definition | None = None
    bodies: tuple[Definition, ...] = ()
    """Those of its body,"""
    called: tuple[Definition, ...] = ()
    """and those that are called where it was."""


def renamed(
    tree: TreeOverlay, was: BaseTree, files: Sequence[RepoPath], old: Definition
) -> Renamed:
    """What `old` of the kernel `was` is called in `tree`; `files`: where it may be."""
    there = dict.fromkeys((*files, old.path))
    became = () if tree.read(old.path) else tree.renamed(old.path, was)
    homes = [*(path for path in there if tree.read(path)), *became]
    bodies = tuple(d for home in homes for d in _same_bodies(tree, home, old))
    called = _called_instead(tree, was, homes, old)
    certain = None
    if len(bodies) == 1 and called in ((), bodies) and _tells(old, bodies[0]):
        certain = bodies[0]
    elif len(called) == 1 and (called[0] in bodies or (not bodies and _succeeds(old, called[0]))):
        here = called[0].path in homes or _no_one_else_calls(tree, was, old, called[0])
        certain = called[0] if here else None
    return Renamed(certain, bodies, called)


def _same_bodies(tree: TreeOverlay, home: RepoPath, old: Definition) -> Iterator[Definition]:
    """The functions that are new in `home` and have the body of `old`."""
    if text := read_c(tree, home):
        known = {function.name for function in functions(old.text)}
        fresh = (Definition(home, text, f) for f in functions(text) if f.name not in known)
        yield from (definition for definition in fresh if same_body(old, definition))


def _tells(old: Definition, new: Definition) -> bool:
    """Whether the body tells by itself: it is long enough for that, and of no second function.

    Where another one of that body is gone from the file, too, `new` may be the two made one.
    """
    size, like = len(_body(old)), _likeness(old, new)
    kept = {function.name for function in functions(new.text)} | {old.function.name}
    gone = (f for f in functions(old.text) if f.name not in kept)
    return (
        any(size >= long and like >= enough for long, enough in _TELLING)
        and not any(same_body(Definition(old.path, old.text, f), new) for f in gone)
    )  # fmt: skip


def _succeeds(old: Definition, new: Definition) -> bool:
    """Whether `new`, that is called where `old` was, takes the same and does much the same."""
    long = len(_body(old)) >= _SHORT
    same = parameters(old) == parameters(new)
    return same and _likeness(old, new) >= (_LIKE if long else _LIKE_SHORT)


def _likeness(old: Definition, new: Definition) -> float:
    """How much of the words of both bodies is the same; about 0.5 for any two of some length."""
    mine, theirs = _body(old), _body(new)
    return 1 - distance(mine, theirs) / ((len(mine) + len(theirs)) or 1)


def _body(definition: Definition) -> list[bytes]:
    function = definition.function
    return words(definition.text.code[function.open : function.close])


def _called_instead(
    tree: TreeOverlay, was: BaseTree, homes: Sequence[RepoPath], old: Definition
) -> tuple[Definition, ...]:
    """Where the one new function is that all who called `old` call in its place."""
    name = old.function.name
    pairs = [(old.path, home) for home in homes]
    pairs += [(path, path) for path in _callers(was, old)]
    called = {now for then, now in _swaps(tree, was, pairs, name) if then == name}
    if len(called) != 1:
        return ()
    new, home = called.pop(), homes[0] if homes else old.path
    others = {then for then, now in _swaps(tree, was, pairs, new) if now == new} - {name}
    if others or any(function.name == new for function in functions(old.text)):
        return ()
    return look_up(tree, home, new, old=old, was=was).definitions


def _callers(was: BaseTree, old: Definition) -> tuple[RepoPath, ...]:
    """The files of its folder, or its part of the kernel, that may call `old`."""
    part, folder = part_of(old.path), RepoPath(old.path.rpartition(b"/")[0])
    if is_static(old) or not folder:
        return ()
    found = was.files_with(old.function.name, folder if part in BULK else part, ["*.c"])
    return found[:_CALLING]


def _swaps(
    tree: TreeOverlay, was: BaseTree, pairs: Sequence[tuple[RepoPath, RepoPath]], word: bytes
) -> Iterator[tuple[bytes, bytes]]:
    """Which word of the old files became which of the new, where `word` is one of them.

    A word that is in the same function on both sides became itself.
    """
    for before, now in pairs:
        old, new = read_c(TreeOverlay(was), before), read_c(tree, now)
        theirs = _holders(new) if new else {}
        for holder, here in _holders(old).items() if old else ():
            there = theirs.get(holder, [])
            if there and (word in here or word in there):
                yield from ((word, word) for _ in "." if word in here and word in there)
                yield from _swapped(here, there)


def _swapped(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The words that stand alone in place of others, and not in another field or variable."""
    for block in differences(old, new):
        at, there = block.old_start, block.new_start
        if block.old_end - at == 1 == block.new_end - there:
            assigned = old[at - 1 : at] == [b"="]
            if not assigned or old[at - 2 : at - 1] == new[there - 2 : there - 1]:
                yield old[at], new[there]


_INITIALIZED = re.compile(rb"(\w+)\s*(?:\[[^\]]*\]\s*)*=\s*\Z")
_MACRO = re.compile(rb"(?m)^(\w+)\s*(\([^;{}()]*\))\s*;")


def _holders(text: CText) -> Mapping[bytes, list[bytes]]:
    """The words of what may call or name a function: bodies, initializers, `module_init(f);`.

    By its name; what is there twice is left out.
    """
    called = {function.open: function.name for function in functions(text)}
    found: list[tuple[bytes, bytes]] = []
    for opened in text.outer:
        closed = text.closing.get(opened, opened)
        variable = _INITIALIZED.search(text.code, max(0, opened - 200), opened)
        if name := called.get(opened) or (variable[1] if variable else b""):
            found.append((name, text.code[opened:closed]))
    found += [(macro[1], macro[2]) for macro in _MACRO.finditer(text.code)]
    names = [name for name, _ in found]
    return {name: words(code) for name, code in found if names.count(name) == 1}


def _no_one_else_calls(tree: TreeOverlay, was: BaseTree, old: Definition, new: Definition) -> bool:
    """Whether `new` is called only where `old` was: it did not take the place of others, too."""
    named = tree.files_with(new.function.name, None, ["*.c"])
    others = {*named} - {old.path, new.path}
    return not others or (
        not is_static(old) and others <= {*was.files_with(old.function.name, None, ["*.c"])}
    )
