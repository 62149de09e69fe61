"""Files before and after, as the unified diff git would write: the text of a `patch` edit.

Guarantees: `read_diff` reads it, and putting it into the old files gives the new ones; every file
has its `index` line with whole blob names, so that a three-way merge is never in doubt.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import File
from kpatch_rs.syntax.diff_place import lines_of
from kpatch_rs.syntax.lines import Block, differences
from kpatch_rs.syntax.similarity import similarity

_CONTEXT = 3
_HEADING = re.compile(rb"[A-Za-z_$][^\n]*")
_HEADING_MAX = 80
_QUOTED = {7: b"a", 8: b"b", 9: b"t", 10: b"n", 11: b"v", 12: b"f", 13: b"r", 34: b'"', 92: b"\\"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePair:
    """One file, before and after: its path and what stands there; None where nothing does."""

    old_path: RepoPath
    new_path: RepoPath
    old: File | None
    new: File | None


def git_diff(pairs: Sequence[FilePair], digits: int = 40) -> bytes:
    """The diff of `pairs`; `digits` of an object name, 40 or 64, say how the repository hashes."""
    return b"".join(line for pair in pairs for line in _file(pair, digits))


def _file(pair: FilePair, digits: int) -> Iterator[bytes]:
    old, new = pair.old, pair.new
    if old and new and (old.mode == "120000") != (new.mode == "120000"):
        for half in ((old, None), (None, new)):
            yield from _file(
                FilePair(old_path=pair.old_path, new_path=pair.new_path, old=half[0], new=half[1]),
                digits,
            )
        return
    names = [_name(b"a/", pair.old_path), _name(b"b/", pair.new_path)]
    yield b"diff --git %s %s\n" % tuple(names)
    yield from _header(pair)
    before, after = old.data if old else b"", new.data if new else b""
    if before == after and old and new:
        return
    yield b"index %s..%s" % (_blob(old, digits), _blob(new, digits))
    yield b" %s\n" % old.mode.encode() if old and new and old.mode == new.mode else b"\n"
    if before == after:
        return
    for mark, name, file in ((b"---", names[0], old), (b"+++", names[1], new)):
        tab = b"\t" if b" " in name and not name.startswith(b'"') else b""
        yield b"%s %s%s\n" % (mark, name, tab) if file else mark + b" /dev/null\n"
    yield from _hunks(lines_of(before), lines_of(after))


def _header(pair: FilePair) -> Iterator[bytes]:
    """What happens to the file as a whole."""
    old, new = pair.old, pair.new
    if old is None and new:
        yield b"new file mode %s\n" % new.mode.encode()
    if new is None and old:
        yield b"deleted file mode %s\n" % old.mode.encode()
    if not (old and new):
        return
    if old.mode != new.mode:
        yield b"old mode %s\nnew mode %s\n" % (old.mode.encode(), new.mode.encode())
    if pair.old_path != pair.new_path:
        yield b"similarity index %d%%\n" % similarity(old.data, new.data)
        yield b"rename from %s\n" % _name(b"", pair.old_path)
        yield b"rename to %s\n" % _name(b"", pair.new_path)


def _hunks(old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    """Blocks that share lines of context stand in one hunk."""
    group: list[Block] = []
    for block in differences(old, new):
        if group and block.old_start - group[-1].old_end > 2 * _CONTEXT:
            yield from _hunk(group, old, new)
            group = []
        group.append(block)
    if group:
        yield from _hunk(group, old, new)


def _hunk(group: list[Block], old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    lead = min(_CONTEXT, group[0].old_start)
    tail = min(_CONTEXT, len(old) - group[-1].old_end)
    start, end = group[0].old_start - lead, group[-1].old_end + tail
    new_start, new_end = group[0].new_start - lead, group[-1].new_end + tail
    yield b"@@ -%s +%s @@%s\n" % (
        _range(start, end),
        _range(new_start, new_end),
        _heading(old, start),
    )
    at = start
    for block in group:
        yield from (_line(b" ", line) for line in old[at : block.old_start])
        yield from (_line(b"-", line) for line in old[block.old_start : block.old_end])
        yield from (_line(b"+", line) for line in new[block.new_start : block.new_end])
        at = block.old_end
    yield from (_line(b" ", line) for line in old[at:end])


def _range(start: int, end: int) -> bytes:
    """A hunk's place: git counts from 1, and leaves out that there is one line."""
    count = end - start
    return b"%d" % (start + bool(count)) + (b"" if count == 1 else b",%d" % count)


def _line(change: bytes, line: bytes) -> bytes:
    return change + line + (b"" if line.endswith(b"\n") else b"\n\\ No newline at end of file\n")


def _heading(old: list[bytes], start: int) -> bytes:
    """The last line above the hunk that begins at the left margin, as git shows it behind `@@`."""
    for line in reversed(old[:start]):
        if found := _HEADING.match(line):
            return b" " + found[0][:_HEADING_MAX].rstrip()
    return b""


def _blob(file: File | None, digits: int) -> bytes:
    if file is None:
        return b"0" * digits
    make = hashlib.sha256 if digits == 64 else hashlib.sha1
    blob = b"blob %d\0%b" % (len(file.data), file.data)
    return make(blob, usedforsecurity=False).hexdigest().encode()


def _name(prefix: bytes, path: RepoPath) -> bytes:
    """`path` as git writes it (quote.c): C-quoted where it has bytes that need it."""
    if not re.search(rb'[\x00-\x1f"\\\x7f-\xff]', path):
        return prefix + path
    quoted = b"".join(
        b"\\" + _QUOTED[c] if c in _QUOTED else bytes((c,)) if 0x20 <= c < 0x7F else b"\\%03o" % c
        for c in path
    )
    return b'"' + prefix + quoted + b'"'
