"""Whether a merge says what both its sides say, as the parser reads it.

Guarantees, however the merge was made: each word that one side brought in, and each to which it
gave another place (merge_word.py), stands in the result in the place that this side gave it; what
neither touched stands as it did; no word of one side stands on what is a mixture of both. And the
file parses no worse than its sources do; nothing more can be asked, since the grammars do not know
the kernel's macros.
"""

from __future__ import annotations

import re
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax.grammar import grammar_of, is_prose
from kpatch_rs.syntax.lines import Block, differences
from kpatch_rs.syntax.merge_line import is_kbuild, kbuild_words, lines
from kpatch_rs.syntax.merge_word import Word, flaws, touches, words

_IN_A_LIST = 3
"""Parts of the place of a word of a Makefile's list: conditions, variable, operator."""


def contradicted(path: RepoPath, base: bytes, ours: bytes, theirs: bytes, merged: bytes) -> bool:
    """Whether `merged` means anything else than both changes to `base`, as far as can be told."""
    if merged in (ours, theirs) or is_prose(path):
        return False
    return (
        _parses_worse(path, base, ours, theirs, merged)
        or not _Merge.of(path, base, ours, theirs, merged).holds()
    )


def displaced(path: RepoPath, base: bytes, ours: bytes, theirs: bytes, done: bytes) -> bool:
    """Whether a word that `theirs` brings to `base` is not in that place in `done`, on `ours`.

    For what was put in as it is, because the lines around it are the same: what is further away
    may have made another thing of all of them. Where the parser cannot read what the change is
    in, it is no judge of that.
    """
    if done in (ours, theirs) or is_prose(path):
        return False
    from_base, to_done = (
        differences(*(side.splitlines(keepends=True) for side in pair))
        for pair in ((base, theirs), (ours, done))
    )
    if not (_is_read(path, theirs, _new(from_base)) and _is_read(path, ours, _old(to_done))):
        return False
    if _parses_worse(path, base, ours, theirs, done):
        return True
    merge = _Merge.of(path, base, ours, theirs, done)
    side = merge.theirs
    words = enumerate(side.version.words)
    brought = (word for n, word in words if n in side.merged.forth and n not in side.base.back)
    known = {(text, _nearest(path, place)) for text, place in merge.merged.known}
    return any(
        (word.text, _nearest(path, word.place)) not in known and re.search(rb"\w", word.text)
        for word in brought
    )


def _nearest(path: RepoPath, place: object) -> object:
    """Of a Makefile's conditions the innermost: all of the top one is in another of those outside.

    6.12 has `ifdef need-sub-make` and its `else` where 6.1 has `ifeq ($(need-sub-make),)`.
    """
    if not is_kbuild(path) or not isinstance(place, tuple) or len(place) < _IN_A_LIST:
        return place
    return (place[0][-1:], *place[1:])


def _is_read(path: RepoPath, data: bytes, rows: Set[int]) -> bool:
    """Whether the parser reads all declarations that touch one of `rows`."""
    if not (grammar := grammar_of(path, data)):
        return True
    near, parts = sorted(rows), grammar.parse(data).children
    return not any(
        part.has_error and touches(near, part.start_point.row, part.end_point.row) for part in parts
    )


def _parses_worse(path: RepoPath, *versions: bytes) -> bool:
    base, ours, theirs, merged = versions
    if path.endswith(b".py") and all(map(_is_python, (ours, theirs))) and not _is_python(merged):
        return True
    if not (grammar := grammar_of(path, ours)):
        return False
    old, mine, other, new = (flaws(grammar, data) for data in (base, ours, theirs, merged))
    return new > max(mine + max(0, other - old), other + max(0, mine - old))


def _is_python(data: bytes) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(data, "merged", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Version:
    """The words of one of the four files, those of statements that differ somewhere."""

    words: Sequence[Word]
    rows: Mapping[int, range]
    """The words that begin in each row."""
    known: Set[tuple[bytes, object]]

    @classmethod
    def of(cls, path: RepoPath, data: bytes, rows: Sequence[int]) -> _Version:
        found = _words(path, data, rows)
        spans = dict[int, range]()
        for n, word in enumerate(found):
            spans[word.row] = range(spans.get(word.row, range(n, n)).start, n + 1)
        return cls(found, spans, {(word.text, word.place) for word in found})

    def within(self, start: int, end: int) -> list[int]:
        """The words that begin in rows `start` up to `end`."""
        return [n for row in range(start, end) for n in self.rows.get(row, ())]


def _words(path: RepoPath, data: bytes, rows: Sequence[int]) -> Sequence[Word]:
    if grammar := grammar_of(path, data):
        return words(grammar, data, rows)
    return kbuild_words(data, rows) if is_kbuild(path) else lines(data, rows)


@dataclass(frozen=True, slots=True)
class _Same:
    """Which word of one version is which of another."""

    old: _Version
    new: _Version
    back: Mapping[int, int]
    """From the new one to the old one."""
    forth: Mapping[int, int]

    @classmethod
    def of(cls, old: _Version, new: _Version, blocks: Sequence[Block]) -> _Same:
        pairs = list(_pairs(old, new, blocks))
        return cls(old, new, {b: a for a, b in pairs}, dict(pairs))


def _pairs(old: _Version, new: _Version, blocks: Sequence[Block]) -> Iterator[tuple[int, int]]:
    same = _same_rows(sorted(old.rows), blocks)
    for row, there in same:
        yield from _paired(old, new, old.rows[row], new.rows.get(there, ()))
    for block in blocks:
        mine = old.within(block.old_start, block.old_end)
        yield from _paired(old, new, mine, new.within(block.new_start, block.new_end))


def _same_rows(rows: Sequence[int], blocks: Sequence[Block]) -> Iterator[tuple[int, int]]:
    """Those of `rows` that are in none of `blocks`, and what they are in the new version."""
    ends = [block.old_end for block in blocks]
    for row in rows:
        n = bisect_right(ends, row)
        if n == len(blocks) or row < blocks[n].old_start:
            yield row, row + (blocks[n - 1].new_end - blocks[n - 1].old_end if n else 0)


def _paired(
    old: _Version, new: _Version, mine: Sequence[int], theirs: Sequence[int]
) -> Iterator[tuple[int, int]]:
    a, b = [old.words[n].text for n in mine], [new.words[n].text for n in theirs]
    at, to = 0, 0
    for block in (*differences(a, b), Block(len(a), len(a), len(b), len(b))):
        yield from zip(mine[at : block.old_start], theirs[to : block.new_start], strict=True)
        at, to = block.old_end, block.new_end


@dataclass(frozen=True, slots=True)
class _Side:
    """One side: what it made of the base, and what became of that."""

    version: _Version
    base: _Same
    merged: _Same

    def place(self, word: int) -> object:
        return self.version.words[word].place

    def unmoved(self, word: int) -> bool:
        """Whether it stands where it stood in the base."""
        was = self.base.back.get(word)
        if was is None:
            return False
        old, new = self.base.old.words[was], self.version.words[word]
        return (old.place, old.holds) == (new.place, new.holds)


@dataclass(frozen=True, slots=True)
class _Merge:
    ours: _Side
    theirs: _Side
    merged: _Version

    @classmethod
    def of(cls, path: RepoPath, *versions: bytes) -> _Merge:
        base, ours, theirs, merged = (data.splitlines(keepends=True) for data in versions)
        from_base = [differences(base, side) for side in (ours, theirs)]
        to_merged = [differences(side, merged) for side in (ours, theirs)]
        rows = (
            sorted(_old(from_base[0]) | _old(from_base[1])),
            sorted(_new(from_base[0]) | _old(to_merged[0])),
            sorted(_new(from_base[1]) | _old(to_merged[1])),
            sorted(_new(to_merged[0]) | _new(to_merged[1])),
        )
        old, *sides, new = (_Version.of(path, *both) for both in zip(versions, rows, strict=True))
        mine, other = (
            _Side(side, _Same.of(old, side, from_base[n]), _Same.of(side, new, to_merged[n]))
            for n, side in enumerate(sides)
        )
        return cls(mine, other, new)

    @property
    def sides(self) -> tuple[_Side, _Side]:
        return self.ours, self.theirs

    def holds(self) -> bool:
        """Whether all of both sides is in, where the side had it, and nothing else is."""
        fits = all(map(self._fits, range(len(self.merged.words))))
        return fits and not (_lost(self.ours) or _lost(self.theirs))

    def _fits(self, word: int) -> bool:
        place = self.merged.words[word].place
        known = [(side, n) for side in self.sides if (n := side.merged.back.get(word)) is not None]
        if not known:
            return any((self.merged.words[word].text, place) in s.version.known for s in self.sides)
        places = [side.place(n) for side, n in known]
        if len(set(places)) == 1:
            return place == places[0]
        changed = [side.place(n) for side, n in known if not side.unmoved(n)]
        return changed == [place]


def _old(blocks: Sequence[Block]) -> set[int]:
    return _beside((block.old_start, block.old_end) for block in blocks)


def _new(blocks: Sequence[Block]) -> set[int]:
    return _beside((block.new_start, block.new_end) for block in blocks)


def _beside(spans: Iterable[tuple[int, int]]) -> set[int]:
    """The rows that are changed, and those in touch with a change."""
    return {row for start, end in spans for row in range(start - 1, end + 1)}


def _lost(side: _Side) -> bool:
    """Whether a word that `side` brought in is nowhere, and not gone with all it was in."""
    kept, old, known = side.merged.forth, side.base.back, side.merged.new.known
    blocks = {word.place[:1] for word in side.merged.new.words}
    return any(
        n not in kept
        and n not in old
        and word.place[:1] in blocks
        and (word.text, word.place) not in known
        and not _amid(side, n)
        for n, word in enumerate(side.version.words)
    )


def _amid(side: _Side, word: int) -> bool:
    """Whether the nearest words that `side` did not bring in are gone on both hands."""
    kept, old = side.merged.forth, side.base.back
    before = next((n for n in range(word, -1, -1) if n in old), None)
    behind = next((n for n in range(word, len(side.version.words)) if n in old), None)
    return before not in kept and behind not in kept
