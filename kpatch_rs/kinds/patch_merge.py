"""Three versions of a file, or of a function, in one; and whether a patch is in already.

Guarantees: the merge says what both sides say, as the parser reads it (syntax/merge_guard.py);
what the patch takes out is not left, because upstream had only moved it; of braces and
conditionals that have no partner, the merge has as many more than the kernel's text as the patch
brings along. What does not merge so is None.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kpatch_rs.kinds.base import History
from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax.diff_place import lines_of
from kpatch_rs.syntax.lines import differences
from kpatch_rs.syntax.merge import Clash, settled, unpaired
from kpatch_rs.syntax.merge_guard import contradicted
from kpatch_rs.syntax.whereabouts import TELLING

_CALL = re.compile(rb"\s*\w+\(.*;\s*\Z")


def merged(
    history: History, path: RepoPath, base: bytes, ours: bytes, theirs: bytes
) -> bytes | None:
    """What `theirs` makes of `base`, done to `ours`; None where the two conflict."""
    data = settled(history.merge(base, ours, theirs), path)
    if data is None or _overlooked(base, ours, theirs, data):
        return None
    if contradicted(path, base, ours, theirs, data):
        return None
    if not path.endswith((b".c", b".h")):
        return data
    mine, made = (_more(one, other) for one, other in ((base, theirs), (ours, data)))
    return data if mine == made else None


@dataclass(frozen=True, slots=True)
class Undoing:
    """A history that takes patches out: what a patch deletes must be gone, not only changed.

    Else it would be put in beside what became of it, taken out again, and pass for deleted.
    """

    history: History

    def blob(self, prefix: str) -> bytes | None:
        """As :meth:`History.blob`."""
        return self.history.blob(prefix)

    def merge(self, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes | Clash, ...]:
        """As :meth:`History.merge`; empty where lines would come in at an open place."""
        pieces = self.history.merge(base, ours, theirs)
        clashes = (piece for piece in pieces if isinstance(piece, Clash))
        return () if any(_added(clash.base, clash.theirs) for clash in clashes) else pieces


def taken_out(
    history: History, path: RepoPath, base: bytes, there: bytes, theirs: bytes
) -> bytes | None:
    """`there` without the patch, where it has all of it: out and in again, and it is the same.

    A patch that moves code would else be merged in twice: the code stands where it goes to, and
    what it comes from was gone already. Doubles can be taken out of almost any file and put in
    again, so no change of the patch may be of doubles only.
    """
    if left_over(base, theirs, there) or not _telling_changes(base, theirs):
        return None
    without = merged(Undoing(history), path, theirs, there, base)
    if without is None or without == there:
        return None
    return without if merged(history, path, base, without, theirs) == there else None


def _telling_changes(base: bytes, theirs: bytes) -> bool:
    """Whether each change of the patch has a line that is no double, before or after it.

    Doubles do not tell: upstream may have put in as many of its own, or dropped one of its own.
    """
    old, new = base.split(b"\n"), theirs.split(b"\n")
    often = Counter(old) | Counter(new)
    changed = [
        old[block.old_start : block.old_end] + new[block.new_start : block.new_end]
        for block in differences(old, new)
    ]
    return all(any(often[line] == 1 for line in lines) for lines in changed)


def _overlooked(base: bytes, ours: bytes, theirs: bytes, data: bytes) -> bool:
    """Whether a telling line that the patch takes out is left: upstream has it in another place.

    A merge by lines takes that for something that upstream added.
    """
    more, upstream = _added(theirs, data), _added(base, ours)
    return any(more[line] > upstream[line] for line in _telling(base, _added(theirs, base)))


def _telling(base: bytes, gone: Iterable[bytes]) -> Iterator[bytes]:
    """Those of `gone` known again: long ones, calls, and words that `base` has but once."""
    lines = Counter(lines_of(base))
    for line in gone:
        long = len(line.strip()) >= TELLING or _CALL.match(line)
        if long or (lines[line] == 1 and re.search(rb"\w", line)):
            yield line


def _more(old: bytes, new: bytes) -> tuple[int, ...]:
    """How many more braces, parentheses and conditionals without partner `new` has than `old`."""
    return tuple(b - a for a, b in zip(unpaired(old), unpaired(new), strict=True))


def _added(old: bytes, new: bytes) -> Counter[bytes]:
    """The lines that `new` has more often than `old`."""
    return Counter(lines_of(new)) - Counter(lines_of(old))


def left_over(base: bytes, theirs: bytes, there: bytes) -> bool:
    """Whether a telling line that goes from `base` to `theirs` is in `there` still."""
    more = _added(theirs, there)
    return any(more[line] for line in _telling(base, _added(theirs, base)))
