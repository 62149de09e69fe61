"""This unified diff, by three-way merge: the fallback for all that has no kind.

A hunk goes in where its text stands at the lines the diff names, or at the one place in the file
where it stands at all; where neither is certain, the blob the diff was made from decides by
three-way merge; where that is not in the repository, or the merge conflicts, so does the edit.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kpatch_rs.errors import Conflict
from kpatch_rs.kinds.base import Change, Ground, Rooted
from kpatch_rs.kinds.c_object import object_for
from kpatch_rs.kinds.rust_file import crate_root
from kpatch_rs.model.outcome import Candidate, Outcome, Place, Status, gravest
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.proof import ObjectBuilds, Proof, Reachable, Unprovable
from kpatch_rs.model.series import Edit, Payload
from kpatch_rs.model.tree import File, Mode, TreeCollision, TreeOverlay
from kpatch_rs.syntax.diff import MAKE_IT, DiffRefused, FileDiff, Hunk, read_diff
from kpatch_rs.syntax.diff_place import (
    BLOB_MIN,
    Doubt,
    Spot,
    Uncertain,
    alike,
    first_difference,
    lines_of,
    place,
    put,
)
from kpatch_rs.syntax.kconfig import read_kconfig
from kpatch_rs.syntax.merge import balanced, settled
from kpatch_rs.syntax.rust import unconditional_symbols
from kpatch_rs.syntax.whereabouts import TELLING, Namesake, certain, gone, namesakes


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchEdit(Edit):
    """`kind = "patch"`."""

    kind = "patch"
    diff: Payload
    """The file in the series that holds the diff, as git writes it."""


class _Stuck(Conflict):
    """One file of the diff does not fit."""

    def __init__(self, reason: str, *candidates: Candidate, hint: str = "") -> None:
        super().__init__(reason, hint=hint or _HINT)
        self.candidates = candidates


_HINT = "make the diff again on this tree, or say it with a kind that finds its place by structure"


@dataclass(frozen=True, slots=True)
class _End:
    """How one file of the diff ended."""

    status: Status
    line: int = 1
    """The 1-based line of its first change."""
    now: File | None = None
    """What stands at the new path afterwards; None where the file goes away."""
    reason: str = ""
    left_out: bool = False
    """The file left the kernel with its whole folder: nothing to change."""


class Patch(Rooted[PatchEdit]):
    """See the module."""

    edit = PatchEdit
    example = """\
kind = "patch"
diff = "files/foo.diff"
"""

    def plan(self, edit: PatchEdit, ground: Ground) -> Outcome:
        files = read_diff(edit.diff.name, edit.diff.data)
        ends, stuck = [], []
        for file in files:
            try:
                ends.append(_FilePlan(edit.diff.name, file, files, ground).whole())
            except _Stuck as conflict:
                stuck.append(conflict)
        stuck += [_all_gone(files)] if not stuck and all(e.left_out for _, e in ends) else []
        return self.stuck(files, ground, stuck) if stuck else self.outcome(ends, ground)

    def stuck(self, files: Sequence[FileDiff], ground: Ground, stuck: Sequence[_Stuck]) -> Outcome:
        """The first conflict's reason, and every conflict's candidates."""
        more = f" ({len(stuck)} of {len(files)} files conflict)" if len(stuck) > 1 else ""
        return self.conflict(
            ground,
            stuck[0].message + more,
            hint=stuck[0].hint,
            anchor=_anchor(files),
            candidates=[c for conflict in stuck for c in conflict.candidates],
        )

    def outcome(self, ends: Sequence[tuple[FileDiff, _End]], ground: Ground) -> Outcome:
        """All files fit: put in those that are not there yet."""
        files = [file for file, _ in ends]
        here = [(file, end) for file, end in ends if not end.left_out]
        todo = [(file, end) for file, end in here if end.status is not Status.PRESENT]
        file, first = (todo or here)[0]
        where = Place(file.path, first.line)
        if not todo:
            return self.present(ground, where, anchor=_anchor(files), reason=first.reason)
        try:
            tree = _changed(ground.tree, todo)
        except TreeCollision as collision:
            hint = "name another path in the diff, or move what stands in the way first"
            return self.conflict(ground, collision.message, hint=hint, anchor=_anchor(files))
        return Outcome(
            status=gravest([end.status for _, end in ends]),
            tree=tree,
            place=where,
            anchor=_anchor(files),
            text=b"".join(_added(file) for file in files),
            reason="; ".join(end.reason for _, end in ends if end.reason),
        )

    def proofs(self, edit: PatchEdit, outcome: Outcome) -> Sequence[Proof]:
        files = read_diff(edit.diff.name, edit.diff.data)
        found = [proof for file in files for proof in _proofs(file, outcome.tree)]
        return tuple(dict.fromkeys(found))

    def lift(self, change: Change) -> Sequence[PatchEdit]:
        """Nothing: what no other kind takes goes into one patch edit, whatever its files."""
        return ()


PATCH = Patch()


def _anchor(files: Sequence[FileDiff]) -> str:
    """The first file, and how many there are."""
    return show(files[0].path) + (f" (1 of {len(files)} files)" if len(files) > 1 else "")


def _all_gone(files: Sequence[FileDiff]) -> _Stuck:
    return _Stuck(
        f"{show(files[0].path)}: this kernel has it no more, nor its folder",
        hint="take the recipe out, or keep it from this kernel: when = …",
    )


def _made(file: FileDiff) -> File:
    """The file that a diff of a new one makes."""
    return File(b"".join(file.hunks[0].new) if file.hunks else b"", file.new_mode or "100644")


def _added(file: FileDiff) -> bytes:
    return b"".join(text for hunk in file.hunks for change, text in hunk.body if change == "+")


def _changed(tree: TreeOverlay, todo: Sequence[tuple[FileDiff, _End]]) -> TreeOverlay:
    """`tree` with every old name gone before any new one is written: renames may swap."""
    for file, _ in todo:
        if file.old is not None and file.old != file.new:
            tree = tree.remove(file.old)
    for file, end in todo:
        if file.new is not None and end.now is not None:
            tree = tree.write(file.new, end.now)
    return tree


@dataclass(frozen=True, slots=True)
class _FilePlan:
    """One file of the diff on the ground."""

    payload: str
    file: FileDiff
    files: Sequence[FileDiff]
    """All of the diff: a file may make room for another one (a file that becomes a link)."""
    ground: Ground

    def whole(self) -> tuple[FileDiff, _End]:
        """How it ends, and the file it is about: another one, where the tree has it moved."""
        file, tree, base = self.file, self.ground.tree, self.base_blob()
        if file.old is None or file.new != file.old or tree.entry_type(file.old) or base is None:
            return file, self.end()
        if found := namesakes(tree, file.old, base):
            return self.moved(file.old, found)
        if gone(tree, file.old, file.about):
            why = f"{show(file.old)} left out: this kernel has it no more, nor its folder"
            return file, _End(Status.ADAPTED, reason=why, left_out=True)
        return file, self.end()

    def moved(self, old: RepoPath, found: Sequence[Namesake]) -> tuple[FileDiff, _End]:
        """How it ends in the file that `old` is now. Raises _Stuck where that is not certain."""
        path = certain(found)
        if path is None or any(path in (f.old, f.new) for f in self.files):
            raise _Stuck(
                f"{self.payload}:{self.file.line}: {show(old)}: the tree has no such file",
                *(Candidate(Place(n.path, 1), f"{n.same:.0%} the same") for n in found[:_SHOWN]),
                hint="make the diff again on this tree, with the name the file has there",
            )
        there = replace(self.file, old=path, new=path)
        end = replace(self, file=there).end()
        status = end.status if end.status is Status.PRESENT else gravest([end.status, Status.MOVED])
        reasons = (f"{show(old)} is {show(path)} now", end.reason)
        return there, replace(end, status=status, reason="; ".join(filter(None, reasons)))

    def base_blob(self) -> bytes | None:
        """What the diff was made from, if the diff names it and the repository has it."""
        blob = self.file.old_blob
        return self.ground.history.blob(blob) if len(blob) >= BLOB_MIN else None

    def end(self) -> _End:
        """How it ends. Raises _Stuck; DiffRefused for a link that leaves the tree."""
        file, tree = self.file, self.ground.tree
        there = tree.read(file.old) if file.old is not None else None
        if file.new is None:
            return self.deleted(there)
        target = tree.read(file.new)
        if file.old is None:
            return self.created(target)
        if file.new == file.old:
            return self.edited(there)
        if there is None and target is not None:
            return self.renamed_already(target)
        if target is not None:
            raise _Stuck(f"{show(file.new)} is there already", self.candidate(1, "the file"))
        return self.edited(there)

    def created(self, there: File | None) -> _End:
        wanted = self.linked(_made(self.file))
        if there == wanted:
            return _End(Status.PRESENT)
        if there is None or any(f.old == self.file.new for f in self.files):
            return _End(Status.EXACT, now=wanted)
        what = "with another mode" if there.data == wanted.data else "with other content"
        raise _Stuck(
            f"{self.payload}:{self.file.line}: {show(self.file.path)} is there already, {what}",
            self.candidate(1, "the file as it is"),
        )

    def deleted(self, there: File | None) -> _End:
        if there is None:
            return _End(Status.PRESENT, reason=f"{show(self.file.path)} is gone already")
        if there in [_made(f) for f in self.files if f.new == self.file.old]:
            return _End(Status.PRESENT)
        lines, old = lines_of(there.data), self.file.hunks[0].old if self.file.hunks else ()
        if tuple(lines) == old:
            return _End(Status.EXACT)
        raise _Stuck(
            f"{self.payload}:{self.file.line}: {show(self.file.path)} is not what the diff deletes",
            self.candidate(first_difference(lines, old), "the first difference"),
        )

    def renamed_already(self, target: File) -> _End:
        """The old name is gone and the new one there: present, if its text is."""
        try:
            spots = place(target.data, self.file)
        except Uncertain as error:
            raise self.lost(target, error.doubts[0], "") from error
        if not all(spot.there for spot in spots):
            raise _Stuck(
                f"{show(self.file.path)} was renamed already, without the changes in it",
                self.candidate(spots[0].line, "where they would go"),
                hint="make the diff again on this tree: without the rename",
            )
        return _End(Status.PRESENT, spots[0].line if spots else 1)

    def edited(self, there: File | None) -> _End:
        if there is None:
            path = self.file.old or self.file.path
            missing = PATCH.no_file(self.ground, path)
            hint = "make the diff again on this tree, with the name the file has there"
            raise _Stuck(
                f"{self.payload}:{self.file.line}: {missing.reason}",
                *missing.candidates,
                hint=hint,
            )
        mode = self.mode(there)
        try:
            spots = place(there.data, self.file)
        except Uncertain as error:
            return self.merged(there, mode, error.doubts)
        todo = [spot for spot in spots if not spot.there]
        now = self.linked(File(put(there.data, todo), mode))
        line = (todo or spots)[0].line if spots else 1
        moved = [spot for spot in todo if spot.moved]
        status = Status.MOVED if moved else Status.EXACT
        return self.ended(there, now, status, line, "; ".join(map(self.move, moved)))

    def ended(self, there: File, now: File, status: Status, line: int, reason: str) -> _End:
        if now == there and self.file.old == self.file.new:
            return _End(Status.PRESENT, line)
        self.refuse_overlooked(now.data)
        return _End(status, line, now, reason)

    def refuse_overlooked(self, data: bytes) -> None:
        """A diff that takes out every one of several equal lines wants no further one left."""
        lines, hunks = lines_of(data), self.file.hunks
        added = {text for hunk in hunks for text in hunk.new}
        removed = Counter(text for hunk in hunks for change, text in hunk.body if change == "-")
        left = [text for text in removed if removed[text] > 1 and text in lines]
        for text in left:
            base = None if text in added or len(text.strip()) < TELLING else self.base_blob()
            if base is not None and lines_of(base).count(text) == removed[text]:
                raise _Stuck(
                    f"{self.payload}:{self.file.line}: the diff takes out every "
                    f"'{show(text.strip()[:60])}' of {show(self.file.path)}, and not this one",
                    self.candidate(lines.index(text) + 1, "where it would be left"),
                )

    def mode(self, there: File) -> Mode:
        """The mode the file has afterwards: its own, unless the diff changes it."""
        old, new = self.file.old_mode, self.file.new_mode
        if (there.mode == "120000") != (old == "120000"):
            raise _Stuck(f"{show(self.file.path)} has mode {there.mode}, the diff says {old}")
        if old == new or new is None:
            return there.mode
        if there.mode not in (old, new):
            raise _Stuck(f"{show(self.file.path)} has mode {there.mode}, neither {old} nor {new}")
        return new

    def merged(self, there: File, mode: Mode, doubts: Sequence[Doubt]) -> _End:
        """What the blob the diff was made from makes of it."""
        blob, base = self.file.old_blob, self.base_blob()
        if base is None:
            missing = "the diff names no blob for a three-way merge"
            also = f"the repository has no blob {blob}" if blob else missing
            raise self.lost(there, doubts[0], also)
        try:
            theirs = put(base, place(base, self.file))
        except Uncertain as error:
            at = error.doubts[0].hunk.line
            raise DiffRefused(
                f"{self.payload}:{at}: the hunk does not fit blob {blob}, which the diff names",
                hint=MAKE_IT,
            ) from error
        without = self.taken_out(base, there.data, theirs)
        if without is not None and mode == there.mode and self.file.old == self.file.new:
            line = first_difference(lines_of(there.data), lines_of(without))
            return _End(Status.PRESENT, line)
        pieces = self.ground.history.merge(base, there.data, theirs)
        data = settled(pieces, self.file.path)
        if data is None or not (len(pieces) == 1 or balanced(data, there.data, self.file.path)):
            raise self.lost(there, doubts[0], f"and a three-way merge on blob {blob} conflicts")
        line = first_difference(lines_of(there.data), lines_of(data))
        reason = f"{show(self.file.path)}: merged three-way, from blob {blob[:12]}"
        return self.ended(there, self.linked(File(data, mode)), Status.MOVED, line, reason)

    def taken_out(self, base: bytes, there: bytes, theirs: bytes) -> bytes | None:
        """`there` without the diff, where it has all of it: out and in again, and it is the same.

        A diff that moves code would else be merged in twice: the code stands where it goes to,
        and what it comes from was gone already.
        """
        merge, path = self.ground.history.merge, self.file.path
        without = settled(merge(theirs, there, base), path)
        if without is None or without == there:
            return None
        return without if settled(merge(base, without, theirs), path) == there else None

    def lost(self, there: File, doubt: Doubt, also: str) -> _Stuck:
        """The conflict for a hunk that has no certain place in `there`."""
        lines, hunk = lines_of(there.data), doubt.hunk
        found = [(at + 1, "the hunk's old text") for at in doubt.old_found]
        found += [(at + 1, "the hunk's new text") for at in doubt.new_found]
        if not found:
            found = [(at, show(lines[at - 1].strip())) for at in alike(lines, hunk)]
        n = self.file.hunks.index(hunk) + 1
        return _Stuck(
            f"{self.payload}:{hunk.line}: hunk {n} of {len(self.file.hunks)} of "
            f"{show(self.file.path)}: looked for {_gist(hunk)} at line {hunk.old_start}, "
            f"{_finding(doubt)}" + (f"; {also}" if also else ""),
            *(self.candidate(at, what) for at, what in found[:_SHOWN]),
        )

    def candidate(self, line: int, what: str) -> Candidate:
        return Candidate(Place(self.file.old or self.file.path, line), what)

    def move(self, spot: Spot) -> str:
        was = spot.hunk.old_start + spot.hunk.leading
        return f"{show(self.file.path)}: from line {was} to line {spot.line}"

    def linked(self, file: File) -> File:
        """`file`, if it is no link, or one that stays in the tree."""
        if file.mode != "120000":
            return file
        below = posixpath.normpath(posixpath.join(posixpath.dirname(self.file.path), file.data))
        escapes = below.startswith((b"/", b"../")) or below in (b"..", b".")
        if escapes or not file.data or re.search(rb"[\0\n]", file.data):
            raise DiffRefused(
                f"{self.payload}:{self.file.line}: the link {show(self.file.path)} -> "
                f"{show(file.data[:80])} leaves the tree",
                hint="a link's target is relative and stays below the top of the tree",
            )
        return file


_SHOWN = 5
"""Candidates shown of one hunk."""


def _gist(hunk: Hunk) -> str:
    """The line to look for: the first that goes, or else the context nearest to the change."""
    gone = [text for change, text in hunk.body if change == "-"]
    above = [text for _, text in reversed(hunk.body[: hunk.leading])]
    telling = [text for text in (*gone, *above, *hunk.old) if text.strip()]
    return f"'{show(telling[0].strip()[:60])}'" if telling else "blank lines"


def _finding(doubt: Doubt) -> str:
    """What was found instead of one certain place."""
    old, new = (
        ", ".join(str(at + 1) for at in found) for found in (doubt.old_found, doubt.new_found)
    )
    if old and new:
        return f"found its old text at line {old} and its new text at line {new}"
    if "," in old:
        return f"found it {len(doubt.old_found)} times, at lines {old}"
    if old:
        return f"found it at line {old}, before the hunk above it"
    if new:
        return f"found its new text {len(doubt.new_found)} times, at lines {new}"
    return "found it nowhere"


def _proofs(file: FileDiff, tree: TreeOverlay) -> list[Proof]:
    """What shows that the change to one file works."""
    now = tree.read(file.new) if file.new is not None else None
    name = show(file.path)
    if file.new is None or now is None:
        return [Unprovable(f"{name} goes away: no build shows that nothing misses it")]
    if file.new.endswith((b".c", b".h")):
        target = object_for(tree, file.new)
        return [target if isinstance(target, Unprovable) else ObjectBuilds(target, off_too=True)]
    if file.new.endswith(b".rs"):
        root = crate_root(tree, file.new)
        return [ObjectBuilds(RepoPath(root[:-3] + b".o"), unconditional_symbols(now.data))]
    if file.new.rpartition(b"/")[2].startswith(b"Kconfig"):
        switched = [Reachable(symbol) for symbol in _switches(file, now.data)]
        return [*switched] or [Unprovable(f"{name}: no symbol that can be switched is new in it")]
    return [Unprovable(f"{name}: no build proves a change there")]


def _switches(file: FileDiff, data: bytes) -> list[str]:
    """The symbols the diff adds that a user can set: with a prompt, and y or n."""
    added = {entry.symbol for entry in read_kconfig(_added(file)).entries}
    return [
        entry.symbol
        for entry in read_kconfig(data).entries
        if entry.symbol in added and _PROMPTED.search(data, entry.start, entry.end)
    ]


_PROMPTED = re.compile(rb"""(?m)^[ \t]+(?:bool|tristate)[ \t]+["']""")
