"""scripts/generate_rust_analyzer.py covers this directory.

The anchor is the tuple of top-level folders, ("samples", "drivers", …), whatever statement it
stands in: a `map()` in 6.1 and 6.12, a generator expression in 7.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kpatch_rs.kinds.base import Change, Ground, Rooted, line_of, splice
from kpatch_rs.model.outcome import Candidate, Outcome, Place
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.proof import AnalyzerLists, Proof
from kpatch_rs.model.series import Edit
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax import python

SCRIPT = RepoPath(b"scripts/generate_rust_analyzer.py")
_FIRST = (b"samples", b"drivers")


@dataclass(frozen=True, slots=True, kw_only=True)
class RustAnalyzerEdit(Edit):
    """`kind = "rust-analyzer"`."""

    kind = "rust-analyzer"
    folder: RepoPath
    """The directory whose crates `make rust-analyzer` is to list."""


class RustAnalyzer(Rooted[RustAnalyzerEdit]):
    """See the module."""

    edit = RustAnalyzerEdit
    example = """\
kind = "rust-analyzer"
folder = "drivers/foo"
"""

    def plan(self, edit: RustAnalyzerEdit, ground: Ground) -> Outcome:
        file = ground.tree.read(SCRIPT)
        if file is None:
            return self.conflict(
                ground,
                f"this kernel has no {show(SCRIPT)}",
                hint='it came with Rust in 6.1; guard the edit: when = { min = "6.1" }',
                anchor=_ANCHOR,
            )
        if ground.tree.entry_type(edit.folder) != "folder":
            return self.conflict(
                ground,
                f"{show(edit.folder)}: the tree has no such folder",
                hint='name the folder the Rust file is in: folder = "…"',
                anchor=_ANCHOR,
            )
        tuples = python.sequences(file.data, _FIRST)
        if len(tuples) != 1:
            return self._not_one(ground, file.data, tuples)
        return self._add(edit, ground, file.data, tuples[0])

    def proofs(self, edit: RustAnalyzerEdit, outcome: Outcome) -> Sequence[Proof]:
        return [AnalyzerLists(tuple(_crate_roots(outcome.tree, edit.folder)))]

    def lift(self, change: Change) -> Sequence[RustAnalyzerEdit]:
        if change.path != SCRIPT:
            return ()
        old, new = (
            dict.fromkeys(s.value for t in python.sequences(data, _FIRST) for s in t.strings)
            for data in (change.old, change.new)
        )
        return tuple(
            RustAnalyzerEdit(where=change.where, folder=RepoPath(folder))
            for folder in new
            if folder not in old
        )

    def _add(
        self, edit: RustAnalyzerEdit, ground: Ground, data: bytes, folders: python.Sequence
    ) -> Outcome:
        for string in folders.strings:
            if edit.folder == string.value or edit.folder.startswith(string.value + b"/"):
                place = Place(SCRIPT, line_of(data, string.start))
                covers = "" if edit.folder == string.value else f"{show(string.value)} covers it at"
                return self.present(
                    ground, place, anchor=_ANCHOR, reason=f"{covers} {place}" if covers else ""
                )
        last = folders.strings[-1]
        text = last.quote + edit.folder + last.quote
        lead = b"," + _between(data, folders)
        new = splice(data, last.end, lead + text)
        line = line_of(new, last.end + len(lead))
        return self.done(ground, SCRIPT, new, line=line, anchor=_ANCHOR, text=text)

    def _not_one(self, ground: Ground, data: bytes, tuples: list[python.Sequence]) -> Outcome:
        near = tuples or python.sequences(data, _FIRST[:1]) or python.sequences(data, _FIRST[1:])
        return self.conflict(
            ground,
            f"{show(SCRIPT)} has {len(tuples) or 'no'} tuples that begin with"
            ' "samples" and "drivers"',
            hint='write this change as a kind = "patch"',
            anchor=_ANCHOR,
            candidates=[
                Candidate(
                    Place(SCRIPT, line_of(data, t.start)),
                    ", ".join(show(s.value) for s in t.strings[:4]),
                )
                for t in near[:5]
            ],
        )


_ANCHOR = '("samples", "drivers", …)'


def _between(data: bytes, folders: python.Sequence) -> bytes:
    """What stands between two elements: a blank, or a newline and the last one's indentation."""
    before, last = folders.strings[-2:]
    gap = data[before.end : last.start]
    return gap[gap.rindex(b"\n") :] if b"\n" in gap else b" "


def _crate_roots(tree: TreeOverlay, folder: RepoPath) -> Iterator[RepoPath]:
    """The .rs files the script takes for crates: a Makefile or Kbuild beside them has `stem.o`.

    The script's own rule (is_root_crate()): the bytes anywhere in the file, comments included.
    """
    names = tree.names(folder)
    makefiles = [RepoPath(folder + b"/" + n) for n in (b"Makefile", b"Kbuild") if n in names]
    builds = b"\n".join(file.data for m in makefiles if (file := tree.read(m)))
    for name in names:
        path = RepoPath(folder + b"/" + name)
        if name.endswith(b".rs"):
            if name.removesuffix(b".rs") + b".o" in builds:
                yield path
        elif not _FILE_NAME.search(name) and tree.entry_type(path) == "folder":
            yield from _crate_roots(tree, path)


_FILE_NAME = re.compile(rb"\.[chS]$|^(?:Makefile|Kbuild|Kconfig)")
"""Names that need no look to know they are no folder's: most of the tree's."""


RUST_ANALYZER = RustAnalyzer()
