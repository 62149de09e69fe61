"""The words of files without a grammar: logical lines, and in Kbuild files the words of lists.

A line that ends in a backslash and the one below it are one: what is put between two such, or
takes the backslash away, makes another line of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax.kbuild import Assignment, logical_lines, read_makefile
from kpatch_rs.syntax.merge_word import Word, touches


def is_kbuild(path: RepoPath) -> bool:
    """Whether make reads the file."""
    name = path.rpartition(b"/")[2]
    return name.startswith((b"Makefile", b"Kbuild")) or name.endswith(b".mk")


_RULE = re.compile(rb"([^\s#:=][^:=]*::?)([^=]*)")
"""A rule without a recipe of its own: targets, and what they need."""


def lines(data: bytes, rows: Sequence[int]) -> list[Word]:
    """The logical lines of `data` that touch one of `rows`, each a word."""
    found = _touching(data, rows, _row_of(data))
    return [Word(line.rstrip(), row, ()) for _, line, row in found if line.strip()]


def kbuild_words(data: bytes, rows: Sequence[int]) -> list[Word]:
    """The words of the lists of a Kbuild file, in the variable they belong to; all else by line."""
    statements, row_of = read_makefile(data).statements, _row_of(data)
    lists = {s.start: s for s in statements if isinstance(s, Assignment)}
    return [
        word
        for at, line, _ in _touching(data, rows, row_of)
        for word in (_assigned(lists[at], row_of) if at in lists else _line(at, line, row_of))
    ]


def _assigned(found: Assignment, row_of: _Rows) -> Iterator[Word]:
    place = (tuple(c.text for c in found.context), found.name, found.op)
    # One word for all, so that it is found again, and what its list holds compared.
    yield Word(b"=", row_of(found.start), place, hash(tuple(word.text for word in found.words)))
    yield from (Word(word.text, row_of(word.start), place) for word in found.words)


def _line(start: int, line: bytes, row_of: _Rows) -> Iterator[Word]:
    if rule := _RULE.fullmatch(line):
        yield Word(b":", row_of(start), (rule[1],), hash(tuple(rule[2].split())))
        needs = re.finditer(rb"\S+", rule[2])
        at = start + rule.start(2)
        yield from (Word(m[0], row_of(at + m.start()), (rule[1],)) for m in needs)
    elif line.strip() and not line.startswith(b"#"):
        yield Word(line.rstrip(), row_of(start), ())


_Rows = Callable[[int], int]


def _row_of(data: bytes) -> _Rows:
    """The row that an offset is in."""
    starts = list(accumulate(map(len, data.splitlines(keepends=True)), initial=0))
    return lambda offset: bisect_right(starts, offset) - 1


def _touching(data: bytes, rows: Sequence[int], row_of: _Rows) -> Iterator[tuple[int, bytes, int]]:
    """The logical lines that touch one of `rows`: offset, text, first row."""
    for start, line in logical_lines(data):
        if touches(rows, row := row_of(start), row_of(start + len(line) - 1)):
            yield start, line, row
