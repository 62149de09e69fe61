"""What a three-way merge by lines leaves open, settled where only one answer is possible.

git takes two changes that touch for a conflict. Many of those are none: neighbouring lines changed
one on each side, two words of one line, a line added beside one that was only reworded, two entries
of one list. Guarantees: a clash is settled only by changes that do not overlap and whose order is
beyond doubt; all else comes back as None. Two additions in one place have an order only where blank
lines give them one, or where order means nothing: in a list, between the declarations of a C file,
in Kconfig, between the nodes of a device tree, in prose of the documentation. What stands beside a
line that the other side indented anew has no place (merge_indent.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import partial
from itertools import pairwise

from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax.c_text import CText, c_text
from kpatch_rs.syntax.grammar import is_prose
from kpatch_rs.syntax.merge_free import free_names
from kpatch_rs.syntax.merge_indent import beside_indented
from kpatch_rs.syntax.merge_list import merged_lists

_LINES_MAX = 300
"""Longest side of a clash that is looked at, which bounds the time."""

_TOKENS_MAX = 3000

_KEPT = 0.6
"""Part of the base's words that each side must have kept for words to say where they belong."""

_ALIKE = 0.6
"""difflib ratio from which a line is the old one reworded, and not another one."""

_ENTRY = re.compile(rb"(?:menu)?config\s")

_WORD = re.compile(rb"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Clash:
    """What git did not merge: the same place in three files."""

    base: bytes
    ours: bytes
    theirs: bytes


@dataclass(frozen=True, slots=True)
class _Change:
    """Base `start` to `end` becomes `text`."""

    start: int
    end: int
    text: tuple[bytes, ...]
    theirs: bool


def settled(pieces: Sequence[bytes | Clash], path: RepoPath) -> bytes | None:
    """All of `pieces` in one; None where there is none, or a clash among them stays open."""
    out = b""
    for n, piece in enumerate(pieces):
        if isinstance(piece, bytes):
            out += piece
            continue
        below = next((p for p in pieces[n + 1 :] if isinstance(p, bytes)), b"")
        text = _settled(piece, out, below, path)
        if text is None:
            return None
        out += text
    return out if pieces else None


def unpaired(code: bytes) -> tuple[int, int, int]:
    """How many braces, parentheses and conditionals C `code` opens and does not close."""
    return _unpaired(c_text(code))


def _unpaired(text: CText) -> tuple[int, int, int]:
    return (
        text.code.count(b"{") - text.code.count(b"}"),
        text.code.count(b"(") - text.code.count(b")"),
        text.conditionals(0, len(text.data)),
    )


def _settled(clash: Clash, above: bytes, below: bytes, path: RepoPath) -> bytes | None:
    base, ours, theirs = (text.splitlines(keepends=True) for text in _sides(clash))
    if max(map(len, (base, ours, theirs))) > _LINES_MAX:
        return None
    if beside_indented(base, ours, theirs):
        return None
    if not base and (order := _order(ours, theirs, above, below)):
        return b"".join(line for side in order for line in side)
    around = above.splitlines(keepends=True), below.splitlines(keepends=True)
    if (lists := merged_lists(base, ours, theirs, *around)) is not None:
        return b"".join(lists)
    if not theirs and _is_kconfig(path) and _entries(base) and _entries(base) == _entries(ours):
        return b""  # whole entries go, whatever upstream changed in them
    fit = partial(_by_line, path=path, above=above)
    apart = partial(_apart, [*(around[0][-1:] or [b""]), *base])
    lines = _merged(base, ours, theirs, fit, apart)
    return lines if lines is not None else _by_words(clash)


def _sides(clash: Clash) -> tuple[bytes, bytes, bytes]:
    return clash.base, clash.ours, clash.theirs


def _order(
    ours: list[bytes], theirs: list[bytes], above: bytes, below: bytes
) -> tuple[list[bytes], list[bytes]] | None:
    """Two additions to one place in the order that a blank line gives them.

    One that ends (begins) in a blank line as the text above (below) does may as well stand before
    (behind) that line: then the two are in different places.
    """
    ends, begins = above.endswith(b"\n\n"), below.startswith(b"\n")
    theirs_first = (ends and theirs[-1:] == [b"\n"]) or (begins and ours[:1] == [b"\n"])
    ours_first = (ends and ours[-1:] == [b"\n"]) or (begins and theirs[:1] == [b"\n"])
    if theirs_first == ours_first:
        return None
    return (theirs, ours) if theirs_first else (ours, theirs)


def _apart(lines: Sequence[bytes], at: int) -> bool:
    """Whether a blank line, `at`, is above what comes in there: it goes on with nothing."""
    return not lines[at].strip()


def _orderless(text: Sequence[bytes], above: bytes, path: RepoPath) -> bool:
    """Whether `text`, put in behind `above`, means the same before and behind its neighbours."""
    if path.endswith((b".c", b".h")):
        code, added = c_text(above).code, c_text(b"".join(text))
        between = code.count(b"{") == code.count(b"}") and code.rstrip()[-1:] in (b"", b";", b"}")
        free = not added.directives or free_names(added.data, path)
        return between and bool(free) and not any(_unpaired(added))
    if _is_kconfig(path):
        return bool(_entries(text))
    return is_prose(path) or bool(free_names(b"".join(text), path))


def _is_kconfig(path: RepoPath) -> bool:
    return path.rpartition(b"/")[2].startswith(b"Kconfig")


def _entries(text: Sequence[bytes]) -> list[bytes]:
    """The first lines of the Kconfig entries that `text` consists of; none if there is more."""
    heads = [line for line in text if line.strip() and not line[:1].isspace()]
    return heads if text and not text[0][:1].isspace() and all(map(_ENTRY.match, heads)) else []


def _changes(base: Sequence[bytes], side: Sequence[bytes], *, theirs: bool) -> list[_Change]:
    codes = SequenceMatcher(None, base, side, autojunk=False).get_opcodes()
    return [_Change(a, b, tuple(side[c:d]), theirs) for tag, a, b, c, d in codes if tag != "equal"]


def _once(changes: Sequence[_Change]) -> Iterator[_Change]:
    """`changes`, those that both sides made only once."""
    seen = set[tuple[int, int, tuple[bytes, ...]]]()
    for change in changes:
        what = (change.start, change.end, change.text)
        if what not in seen and not any(_covers(other, change) for other in changes):
            seen.add(what)
            yield change


def _covers(more: _Change, less: _Change) -> bool:
    """Whether both only take out, and `more` all that `less` does, and more."""
    return (
        not (more.text or less.text)
        and more.start <= less.start < less.end <= more.end
        and (more.start, more.end) != (less.start, less.end)
    )


def _by_line(
    base: Sequence[bytes], one: _Change, other: _Change, *, path: RepoPath, above: bytes
) -> bool:
    """Whether two changes of lines, one of each side, have places and an order of their own."""
    if one.end != other.start:
        return one.end < other.start
    added = [change for change in (one, other) if change.start == change.end]
    changed = [change for change in (one, other) if change.start < change.end]
    if not added or (changed and _reworded(base, changed[0])):
        return True
    if any(change.text for change in changed):
        return False
    return _strangers([free_names(b"".join(change.text), path) for change in added]) and all(
        _orderless(change.text, above, path) for change in added
    )


def _strangers(names: Sequence[frozenset[bytes]]) -> bool:
    """Whether two additions do not concern each other; a `#define` may concern all that is none."""
    return len(names) < 2 or (all(names) == any(names) and not frozenset.intersection(*names))


def _reworded(base: Sequence[bytes], change: _Change) -> bool:
    """Whether each line of it is one of the old lines, with other words in it."""
    old = base[change.start : change.end]
    return len(old) == len(change.text) and all(
        _frame(a) == _frame(b) and SequenceMatcher(None, a, b, autojunk=False).ratio() >= _ALIKE
        for a, b in zip(old, change.text, strict=True)
    )


def _frame(line: bytes) -> tuple[bytes, bool]:
    """What is no wording in a line: how far it is indented, and whether it goes on in the next."""
    text = line.rstrip()
    return text[: len(text) - len(text.lstrip())], text.endswith(b"\\")


def _by_words(clash: Clash) -> bytes | None:
    """The changes of both sides, word by word; each side must have kept most of the base."""
    base, ours, theirs = (_WORD.findall(text) for text in _sides(clash))
    if max(map(len, (base, ours, theirs))) > _TOKENS_MAX:
        return None
    if min(_kept(base, ours), _kept(base, theirs)) < _KEPT:
        return None
    return _merged(base, ours, theirs, _by_word)


def _kept(base: Sequence[bytes], side: Sequence[bytes]) -> float:
    """The part of the words of `base` that `side` still has, in their order."""
    same = SequenceMatcher(None, base, side, autojunk=False).get_matching_blocks()
    kept = sum(len(t) for block in same for t in base[block.a : block.a + block.size])
    return kept / (sum(map(len, base)) or 1)


def _by_word(base: Sequence[bytes], one: _Change, other: _Change) -> bool:
    """Whether a word that both sides kept stands between two changes."""
    between = base[one.end : other.start] if one.end < other.start else ()
    return any(token[:1].isalnum() or token[:1] == b"_" for token in between)


_Fit = Callable[[Sequence[bytes], _Change, _Change], bool]


def _merged(
    base: Sequence[bytes],
    ours: Sequence[bytes],
    theirs: Sequence[bytes],
    fit: _Fit,
    apart: Callable[[int], bool] = lambda _: False,
) -> bytes | None:
    """Both sides' changes to `base`, where `fit` lets every two of them stand together."""
    both = _changes(base, ours, theirs=False) + _changes(base, theirs, theirs=True)
    # An addition goes before what begins where it stands. Of two, theirs is the first, where it
    # goes on with what is above it; the last, where a blank line parts it from that.
    both.sort(key=lambda c: (c.start, c.end, c.theirs == apart(c.start)))
    kept = list(_once(both))
    if not all(
        one.theirs == other.theirs or fit(base, one, other) for one, other in pairwise(kept)
    ):
        return None
    out, past = list[bytes](), 0
    for change in kept:
        out += [*base[past : change.start], *change.text]
        past = change.end
    return b"".join((*out, *base[past:]))
