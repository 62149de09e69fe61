"""Functions that a diff moves from file to file, where upstream has taken them out meanwhile.

Taking them out of the one file is done already, and putting them into the other fits: the patch
would bring back what is gone. Guarantees: said only where neither file defines the function.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.patch_words import Stuck
from kpatch_rs.model.outcome import Candidate, Place
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.syntax.c_functions import functions
from kpatch_rs.syntax.c_text import c_text
from kpatch_rs.syntax.diff import Change, FileDiff


def revived(payload: str, files: Sequence[FileDiff], ground: Ground) -> Iterator[Stuck]:
    """A conflict for each function of which that is so."""
    come = {file: names for file in files if (names := _defined(file, "+"))}
    gone = {file: names for file in files if come and (names := _defined(file, "-"))}
    for origin, target in ((o, t) for o in gone for t in come if o != t):
        for name in sorted(gone[origin] & come[target]):
            if origin.old and target.new and not _has(ground, name, origin.old, target.new):
                yield Stuck(
                    f"{payload}:{target.line}: {show(target.new)}: {show(name)}() would come back:"
                    f" the diff moves it there from {show(origin.old)}, which has it no more",
                    Candidate(Place(origin.old, 1), "where it was"),
                    hint="make the diff again on this tree, without that function",
                )


def _defined(file: FileDiff, change: Change) -> frozenset[bytes]:
    """The functions that all lie within the lines which one hunk adds, or takes out."""
    if not file.path.endswith((b".c", b".h")):
        return frozenset()
    texts = (b"".join(t for c, t in hunk.body if c == change) for hunk in file.hunks)
    return frozenset(f.name for text in texts for f in functions(c_text(text)))


def _has(ground: Ground, name: bytes, origin: RepoPath, target: RepoPath) -> bool:
    """Whether one of the files defines it; or the first is not here, and nobody can say."""
    there, to = ground.tree.read(origin), ground.tree.read(target)
    known = [file.data for file in (there, to) if file]
    return there is None or any(f.name == name for d in known for f in functions(c_text(d)))
