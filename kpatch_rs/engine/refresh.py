"""Which commit on an edited branch is which recipe, and where recipes without a commit stay.

Pure and deterministic: commits are paired by what is surest first (the commit itself, its subject
and change, its change, its subject), the rest by how much of their changes they share. A commit
without a partner is a new recipe, a rendered recipe without one was dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from kpatch_rs.engine.lift import Patch
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax.diff_place import lines_of
from kpatch_rs.syntax.lines import differences

T = TypeVar("T")

Lines = Counter[tuple[RepoPath, bytes, bytes]]
"""Lines of files that a commit takes away (`-`) or puts in (`+`), and its changes of modes."""

_ENOUGH = 0.5
"""The share of its lines that an edited commit has in common with what it was; git's range-diff
draws its line near there too (--creation-factor=60)."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """One commit, as it was rendered or as it is now."""

    oid: Oid
    subject: str
    patch: Patch

    @cached_property
    def lines(self) -> Lines:
        """The lines that go and come in each file, and its mode where that changes."""
        return _lines(self.patch)


def partners(rendered: Sequence[Made], found: Sequence[Made]) -> dict[int, int]:
    """For each of `found` that has one, by number, the one of `rendered` that it was."""
    pairs: dict[int, int] = {}
    for key in _KEYS:
        waiting: dict[Hashable, list[int]] = {}
        for n, made in _alone(rendered, pairs.values()):
            waiting.setdefault(key(made), []).append(n)
        for n, made in _alone(found, pairs):
            if same := waiting.get(key(made)):
                pairs[n] = same.pop(0)
    return _nearest(rendered, found, pairs)


_KEYS: tuple[Callable[[Made], Hashable], ...] = (
    lambda made: made.oid,
    lambda made: (made.subject, frozenset(made.lines.items())),
    lambda made: frozenset(made.lines.items()),
    lambda made: made.subject,
)


def _alone(made: Sequence[Made], paired: Iterable[int]) -> list[tuple[int, Made]]:
    taken = set(paired)
    return [(n, one) for n, one in enumerate(made) if n not in taken]


def _nearest(
    rendered: Sequence[Made], found: Sequence[Made], pairs: dict[int, int]
) -> dict[int, int]:
    scored = sorted(
        (-score, new, old)
        for new, a in _alone(found, pairs)
        for old, b in _alone(rendered, pairs.values())
        if (score := _shared(a, b)) >= _ENOUGH
    )
    pairs = dict(pairs)
    for _, new, old in scored:
        if new not in pairs and old not in pairs.values():
            pairs[new] = old
    return pairs


def _shared(a: Made, b: Made) -> float:
    total = a.lines.total() + b.lines.total()
    return 2 * (a.lines & b.lines).total() / total if total else 0


def took_over(lost: Lines, gained: Lines) -> bool:
    """Whether what one commit does no more is what another does now, most of the one or the other.

    Blank lines and lone braces say nothing.
    """
    lost, gained = (
        Counter({line: n for line, n in lines.items() if any(map(_is_word, line[2]))})
        for lines in (lost, gained)
    )
    least = min(lost.total(), gained.total())
    return least > 0 and (lost & gained).total() >= _ENOUGH * least


def _is_word(byte: int) -> bool:
    return chr(byte).isalnum()


def _lines(patch: Patch) -> Lines:
    found: Lines = Counter()
    for path, now in patch.after.changed_since(patch.before).items():
        was = patch.before.read(path)
        old, new = lines_of(was.data if was else b""), lines_of(now.data if now else b"")
        for block in differences(old, new):
            found.update((path, b"-", line) for line in old[block.old_start : block.old_end])
            found.update((path, b"+", line) for line in new[block.new_start : block.new_end])
        modes = [f.mode.encode() if f else b"" for f in (was, now)]
        if modes[0] != modes[1]:
            found[path, b"mode", b" ".join(modes)] += 1
    return found


def woven(old: Sequence[T], order: Sequence[T], silent: Sequence[T]) -> tuple[T, ...]:
    """`order` with each of `silent` behind what it stood behind in `old`.

    Where that is gone, behind what stood before it, and so on.
    """
    out = list(order)
    for one in (o for o in old if o in silent):
        before = reversed(old[: old.index(one)])
        at = next((out.index(b) + 1 for b in before if b in out), 0)
        out.insert(at, one)
    return tuple(out)
