"""scripts/generate_rust_analyzer.py covers this directory.

The anchor is the tuple of top-level folders, ("samples", "drivers", …), whatever statement it
stands in: a `map()` in 6.1 and 6.12, a generator expression in 7.2. The folder becomes an element
of it, or lines below the statement add it to what that made; they name nothing that the script
might not have on another kernel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Change, Ground, Rooted, line_of, splice
from kpatch_rs.model.outcome import Candidate, Outcome, Place
from kpatch_rs.model.path import RepoPath, repo_path, show
from kpatch_rs.model.proof import AnalyzerLists, Proof
from kpatch_rs.model.series import Edit
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax import python
from kpatch_rs.syntax.line_ends import with_lf

SCRIPT = RepoPath(b"scripts/generate_rust_analyzer.py")
_WORDS = (b"samples", b"drivers")


@dataclass(frozen=True, slots=True, kw_only=True)
class RustAnalyzerEdit(Edit):
    """`kind = "rust-analyzer"`."""

    kind = "rust-analyzer"
    folder: RepoPath
    """The directory whose crates `make rust-analyzer` is to list."""
    after: str | None = None
    """The element that it goes behind; left out, or no such element there: the last."""
    form: Literal["lines", "list"] | None = None
    """How the tuple is written then: an element a line, or as a list; left out: as it is."""
    lines: str | None = None
    """The statements that add it, as they are, in place of an element."""
    at: Literal["below", "loop"] = "below"
    """Where those go: right below the statement with the tuple, or above the loop over it."""


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
        data = with_lf(file.data)
        tuples = python.sequences(data, _WORDS)
        if len(tuples) != 1:
            return self._not_one(ground, data, tuples)
        if edit.lines is not None:
            return self._state(edit, ground, data, tuples[0])
        return self._add(edit, ground, data, tuples[0])

    def proofs(self, edit: RustAnalyzerEdit, outcome: Outcome) -> Sequence[Proof]:
        return [AnalyzerLists(tuple(_crate_roots(outcome.tree, edit.folder)))]

    def lift(self, change: Change) -> Sequence[RustAnalyzerEdit]:
        if change.path != SCRIPT:
            return ()
        return (*_elements(change), *_statements(change))

    def _add(
        self, edit: RustAnalyzerEdit, ground: Ground, data: bytes, folders: python.Sequence
    ) -> Outcome:
        if covered := self._covered(edit, ground, data, folders):
            return covered
        behind = next((s for s in folders.strings if s.value == _bytes(edit.after)), None)
        last = behind or folders.strings[-1]
        text = last.quote + edit.folder + last.quote
        whole = data[folders.start : folders.end]
        bare = whole[:1] not in (b"(", b"[")
        if edit.form == "lines" and not bare and b"\n" not in whole:
            new, offset = _in_lines(data, folders, last, text)
        else:
            lead = b"," + _between(data, folders)
            if edit.form == "list" and not bare:
                data = data[: folders.start] + b"[" + whole[1:-1] + b"]" + data[folders.end :]
            new, offset = splice(data, last.end, lead + text), last.end + len(lead)
        return self.done(ground, SCRIPT, new, line=line_of(new, offset), anchor=_ANCHOR, text=text)

    def _covered(
        self, edit: RustAnalyzerEdit, ground: Ground, data: bytes, folders: python.Sequence
    ) -> Outcome | None:
        for string in folders.strings:
            if edit.folder == string.value or edit.folder.startswith(string.value + b"/"):
                place = Place(SCRIPT, line_of(data, string.start))
                covers = "" if edit.folder == string.value else f"{show(string.value)} covers it at"
                return self.present(
                    ground, place, anchor=_ANCHOR, reason=f"{covers} {place}" if covers else ""
                )
        return None

    def _state(
        self, edit: RustAnalyzerEdit, ground: Ground, data: bytes, folders: python.Sequence
    ) -> Outcome:
        """Put the lines in, if they do on this kernel what they did on the one they are from."""
        _refuse_unsaid(edit)
        statement = python.assignment(data, folders.start)
        if statement is None:
            return self._not_said(ground, data, folders, "they are given no name to add to")
        text = _indented(edit.lines or "", statement.indent)
        there = re.search(rb"(?m)^%b" % re.escape(text), data[statement.end :])
        if there:
            found = Place(SCRIPT, line_of(data, statement.end + there.start()))
            return self.present(ground, found, anchor=_ANCHOR)
        if covered := self._covered(edit, ground, data, folders):
            return covered
        offset = statement.end if edit.at == "below" else statement.loop
        if offset is None:
            return self._not_said(ground, data, folders, f"no loop over {statement.name} follows")
        names = python.free_names(_bytes(edit.lines)) or frozenset()
        if unknown := ", ".join(sorted(names - statement.names)):
            return self._not_said(ground, data, folders, f"the lines use {unknown}, too")
        if statement.name not in names:
            return self._not_said(
                ground, data, folders, f"the lines do not use {statement.name}, their name"
            )
        line = line_of(data, offset)
        new = splice(data, offset, text)
        return self.done(ground, SCRIPT, new, line=line, anchor=_ANCHOR, text=text)

    def _not_said(
        self, ground: Ground, data: bytes, folders: python.Sequence, reason: str
    ) -> Outcome:
        place = Place(SCRIPT, line_of(data, folders.start))
        return self.conflict(
            ground,
            f"the folders at {place}: {reason}",
            hint="leave out lines and the folder becomes an element, or write the change as a "
            'kind = "patch"',
            anchor=_ANCHOR,
            candidates=[Candidate(place, "the folders")],
        )

    def _not_one(self, ground: Ground, data: bytes, tuples: list[python.Sequence]) -> Outcome:
        near = tuples or python.sequences(data, _WORDS[:1]) or python.sequences(data, _WORDS[1:])
        return self.conflict(
            ground,
            f'{show(SCRIPT)} has {len(tuples) or "no"} tuples with "samples" and "drivers"',
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


def _in_lines(
    data: bytes, folders: python.Sequence, behind: python.String, text: bytes
) -> tuple[bytes, int]:
    """`data` with an element a line, `text` among them; and the offset of that."""
    start = data.rfind(b"\n", 0, folders.start) + 1
    outer = data[start : len(data) - len(data[start:].lstrip(b" \t"))]
    out = data[: folders.start + 1]
    for string in folders.strings:
        out += b"\n%b    %b," % (outer, data[string.start : string.end])
        if string == behind:
            offset = len(out) + len(outer) + 5
            out += b"\n%b    %b," % (outer, text)
    return out + b"\n" + outer + data[folders.end - 1 :], offset


def _elements(change: Change) -> Iterator[RustAnalyzerEdit]:
    """The strings that came into the tuple; first the way to say one that says no more than it."""
    old, new = (
        {s.value: t for t in python.sequences(data, _WORDS) for s in t.strings}
        for data in (change.old, change.new)
    )
    edits = [
        RustAnalyzerEdit(where=change.where, folder=RepoPath(value))
        for value in new
        if value not in old
    ]
    yield from edits
    if len(edits) == 1:  # of several, all together make the line
        (edit,), folders = edits, new[edits[0].folder]
        behind = replace(edit, after=_before(folders, edit.folder))
        form = _form(change.new[folders.start : folders.end])
        more = (behind, replace(edit, form=form), replace(behind, form=form))
        yield from dict.fromkeys(one for one in more if one != edit)


def _form(written: bytes) -> Literal["lines", "list"] | None:
    if b"\n" in written:
        return "lines"
    return "list" if written.startswith(b"[") else None


def _before(folders: python.Sequence, value: bytes) -> str | None:
    """The element before `value`; None where that is the last."""
    values = [string.value for string in folders.strings]
    at = values.index(value)
    return show(values[at - 1]) if 0 < at < len(values) - 1 else None


def _statements(change: Change) -> Iterator[RustAnalyzerEdit]:
    """Lines that were put in and name one folder."""
    for start, end in change.added:
        text = change.new[start:end]
        indent = text.lstrip(b"\n")[: -len(text.lstrip())]
        lines = [line.removeprefix(indent) for line in text.splitlines(keepends=True)]
        said = b"".join(lines).decode()
        found = {f for f in python.paths(_bytes(said)) if _is_folder(change.after, f)}
        if len(found) == 1 and python.free_names(_bytes(said)):
            edit = RustAnalyzerEdit(where=change.where, folder=RepoPath(found.pop()), lines=said)
            yield from (edit, replace(edit, at="loop"))


def _is_folder(tree: TreeOverlay, path: bytes) -> bool:
    try:
        return tree.entry_type(repo_path(path.decode())) == "folder"
    except (KpatchError, UnicodeDecodeError):
        return False


def _indented(lines: str, indent: bytes) -> bytes:
    text = _bytes(lines)
    text += b"" if text.endswith(b"\n") else b"\n"
    return re.sub(rb"(?m)^(?=[^\n])", lambda _: indent, text)


def _refuse_unsaid(edit: RustAnalyzerEdit) -> None:
    """Raises KpatchError where the lines do not add the folder."""
    lines = _bytes(edit.lines)
    if python.free_names(lines) is None:
        raise KpatchError("lines: they are no Python statements", hint="write whole statements")
    if edit.folder not in python.paths(lines):
        raise KpatchError(
            f"lines: they do not name {show(edit.folder)}",
            hint=f'name it there: srctree / "{show(edit.folder)}"',
        )


def _bytes(text: str | None) -> bytes:
    return (text or "").encode()


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
