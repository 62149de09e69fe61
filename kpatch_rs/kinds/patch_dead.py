"""Whether a patch's code lands where nothing is compiled, or leaves what cannot be compiled.

The one is in a comment, or in an `#if 0`; the other a call, upstream's, of what the patch deletes.
Guarantees: said only of lines that are code where they come from; what a patch puts into a comment
itself is none. Without what the diff was made from, a line is code that looks like a statement.
"""

from __future__ import annotations

import re
from itertools import chain

from kpatch_rs.model.path import show
from kpatch_rs.syntax.c_functions import functions
from kpatch_rs.syntax.c_items import kinds_of
from kpatch_rs.syntax.c_text import c_text
from kpatch_rs.syntax.diff_place import lines_of
from kpatch_rs.syntax.lines import differences

_STATEMENT = re.compile(rb"\s*[^\s*/].*[;{}]\s*\Z")


def useless(
    patch: tuple[bytes, bytes] | None, done: tuple[bytes, bytes], made: bytes
) -> tuple[int, str] | None:
    """The 1-based line that does not compile, or is not compiled, and why; None without.

    Each pair is (before, after): where the diff comes from, if that is known, and here. `made` is
    what the diff puts into other files.
    """
    if line := _dead_line(*done, patch and patch[1]):
        return line, f"line {line} would be in a comment or an #if 0, where nothing is compiled"
    if patch and (used := _left_use(*patch, done[1], made)):
        name, line = used
        return line, f"line {line} uses {show(name)}(), which the diff takes out of the file"
    return None


def _dead_line(there: bytes, now: bytes, patched: bytes | None) -> int | None:
    """The 1-based line of `now` that `there` has not, and that nothing compiles; None without.

    `patched` is what the diff makes where it comes from.
    """
    lines, kinds = lines_of(now), kinds_of(c_text(now))
    blocks = differences(lines_of(there), lines)
    added = chain.from_iterable(range(b.new_start, b.new_end) for b in blocks)
    dead = [n for n in added if kinds[n] == "comment"]
    if not dead:
        return None
    alive = _alive(patched) if patched is not None else None
    return next((n + 1 for n in dead if _is_code(lines[n], alive)), None)


def _left_use(base: bytes, patched: bytes, now: bytes, made: bytes) -> tuple[bytes, int] | None:
    """A function that `patched` has no more, nor any word of it, and the 1-based line of a use.

    None that the same diff puts into another file, among the lines `made` there.
    """
    want, make = c_text(patched), c_text(now)
    defined = {function.name for text in (want, make) for function in functions(text)}
    for name in {function.name for function in functions(c_text(base))} - defined:
        word = re.compile(rb"(?<!\w)%b(?!\w)" % re.escape(name))
        found = word.search(make.code)
        if found and not word.search(want.code) and not word.search(made):
            return name, 1 + now.count(b"\n", 0, found.start())
    return None


def _is_code(line: bytes, alive: frozenset[bytes] | None) -> bool:
    return bool(_STATEMENT.match(line)) if alive is None else line.strip() in alive


def _alive(data: bytes) -> frozenset[bytes]:
    """The lines of `data` that are code wherever they stand."""
    both = list(zip(lines_of(data), kinds_of(c_text(data)), strict=True))
    dead = {line.strip() for line, kind in both if kind == "comment"}
    return frozenset(line.strip() for line, kind in both if kind == "code") - dead
