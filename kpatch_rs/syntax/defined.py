"""Whether a change makes something twice that there is once: the same rule for every language.

A change that upstream took, in another place of the file, goes in a second time wherever its
surroundings still stand. What is counted is in `defined_in.py`. Guarantees: what a change defines
twice itself, where it comes from, is no fault of its place, and neither is what the kernel had
twice before, nor what no configuration compiles together; a file that does not parse counts for
what of it does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax.arms import Arm, Arms, arms
from kpatch_rs.syntax.c_text import c_text
from kpatch_rs.syntax.defined_in import Mark, Scope, read, squeezed
from kpatch_rs.syntax.diff_place import lines_of


@dataclass(frozen=True, slots=True)
class What:
    """What there may be one of."""

    kind: str = field(compare=False)
    """How people call it;"""
    space: str
    """those of one name space are told apart by their names alone."""
    scope: bytes
    """The line that its scope begins on; empty for the file."""
    name: bytes

    @property
    def repeats(self) -> bool:
        """Whether there may well be two: a statement, an entry of a list."""
        return self.kind in _LEAST

    @property
    def tells(self) -> bool:
        """Whether one is told from another by what it says."""
        call = self.kind == "statement" and b"(" in self.name
        return call or len(self.name) >= _LEAST.get(self.kind, 0)

    @property
    def ordered(self) -> bool:
        """Whether its place among its neighbours, or what is around it, says something."""
        return self.kind in _ORDERED or (self.kind == "variable" and bool(self.scope))


_ORDERED = ("enumerator", "variant", "label", "arm", "symbol", "import", "default")
"""The value of the one, what runs into the other, what an `if` around it asks for, who wins."""

_SPACES = dict.fromkeys(("function", "variable", "typedef", "enumerator"), "ordinary")
"""What C has in one name space (C11 6.2.3)."""

_LEAST = {"statement": 8, "entry": 6, "row": 6, "constant": 1, "part": 1}
"""Bytes from which one that may be there twice is no mere `NULL` or `i++;`; a call never is.

A `#define` may be an enumerator, too (include/uapi/linux/in.h), a part be in under two symbols.
"""


@dataclass(frozen=True, slots=True)
class Twice:
    """What would be there more than once."""

    what: What
    line: int
    """The 1-based line of the kernel's own."""


Where = Mapping[What, tuple[int, ...]]
"""Definitions with their offsets; of a scope that there are several of, that with the most."""


def made_twice(
    path: RepoPath, patch: tuple[bytes, bytes] | None, done: tuple[bytes, bytes]
) -> Iterator[Twice]:
    """What `done` has more often than it may; each is (before, after).

    What was not there before, the change doubles itself. A statement or an entry counts only
    where both sides put it in: what was there before both is said more than once, as
    `mutex_unlock()` is. Without `patch` nobody can tell.
    """
    there, now = done
    added = Counter(lines_of(now)) - Counter(lines_of(there))
    doubles = {
        what: at
        for what, at in defined(path, now).items()
        if len(at) > 1 and what.tells and any(_line(now, offset) in added for offset in at)
    }
    if not doubles:
        return
    base, wanted = (defined(path, side) for side in patch) if patch else ({}, {})
    had = defined(path, there)
    for what, at in doubles.items():
        first = had.get(what, ())
        if not first or len(at) <= max(len(first), len(wanted.get(what, ()))):
            continue
        if not what.repeats or (patch and not _there(base, what)):
            yield Twice(what, there.count(b"\n", 0, first[0]) + 1)


def _line(data: bytes, offset: int) -> bytes:
    """The line that byte `offset` of `data` stands in."""
    end = data.find(b"\n", offset) + 1 or len(data)
    return data[data.rfind(b"\n", 0, offset) + 1 : end]


def _there(base: Where, what: What) -> bool:
    """Whether `base` has it; in any scope, where it has not that one."""
    if any(other.scope == what.scope for other in base):
        return what in base
    return any((other.space, other.name) == (what.space, what.name) for other in base)


@lru_cache(maxsize=16)
def defined(path: RepoPath, data: bytes) -> Where:
    """What `data` defines, and where."""
    groups: dict[tuple[What, bytes | int], list[int]] = {}
    for what, instance, at in _placed(data, read(path, data)):
        groups.setdefault((what, instance), []).append(at)
    conditionals = _arms(path, data)
    most: dict[What, tuple[int, ...]] = {}
    for (what, _), group in groups.items():
        if len(group) > len(most.get(what, ())):
            found = conditionals.together(group) if conditionals and group[1:] else tuple(group)
            most[what] = max(most.get(what, ()), found, key=len)
    return most


def conditions(path: RepoPath, data: bytes, offset: int) -> tuple[Arm, ...]:
    """The arms of the `#if`s that `offset` of `data` stands in, the outermost first."""
    conditionals = _arms(path, data)
    return conditionals.at(offset) if conditionals else ()


def _arms(path: RepoPath, data: bytes) -> Arms | None:
    return arms(c_text(data)) if path.endswith(_PREPROCESSED) else None


_PREPROCESSED = (b".c", b".h", b".dts", b".dtsi", b".dtso")


def _placed(data: bytes, found: Iterator[Scope | Mark]) -> Iterator[tuple[What, bytes | int, int]]:
    """Each definition, the instance of its scope, and its offset."""
    open_: dict[str, list[Scope]] = {}
    overrides = set[tuple[bytes, bytes]]()
    # What is as long as its scope names the scope, and is itself in the one around.
    for at in sorted(found, key=lambda f: (f.start, -f.end, isinstance(f, Scope))):
        if isinstance(at, Scope):
            open_.setdefault(at.kind, []).append(at)
            continue
        around = open_.get(at.scope, [])
        while around and around[-1].end <= at.start:
            around.pop()
        head, instance = _told(data, around[-1]) if around else (b"", -1)
        said = (head, squeezed(data[at.start : at.end]))
        if at.kind != "override" or said not in overrides:
            overrides |= {said} if at.kind == "override" else set()
            yield What(at.kind, _SPACES.get(at.kind, at.kind), head, at.name), instance, at.start


def _told(data: bytes, scope: Scope) -> tuple[bytes, bytes | int]:
    """The head of a scope, and what tells it from all others.

    What is said of `&label`, `impl Foo` or `extern "C"` in two places is said of one thing.
    """
    head = scope.head or _head(data, scope)
    one = scope.head or (scope.kind != "braces" and _OPEN.match(head) and head)
    return head, one or scope.start


_OPEN = re.compile(rb"&|/\Z|(?:unsafe )?(?:impl|extern)\b")


def _head(data: bytes, scope: Scope) -> bytes:
    """The line that a scope begins on, without its brace; the line above where that is blank."""
    if scope.kind in _NAMED_INSIDE:
        line = data[scope.start : scope.end].partition(b"\n")[0].partition(b"{")[0]
        return squeezed(re.sub(rb"^(?:\w+:\s*)+(?=\S)", b"", line))
    start = data.rfind(b"\n", 0, scope.start) + 1
    above = data[data.rfind(b"\n", 0, max(start - 1, 0)) + 1 : start]
    return squeezed(data[start : scope.start].strip() or above)


_NAMED_INSIDE = ("node", "braces", "entry", "function")
