"""This unified diff, by three-way merge: the fallback for all that has no kind.

A hunk goes in where its text stands at the lines the diff names, or at the one place in the file
where it stands at all; where neither is certain, the blob the diff was made from decides by
three-way merge; where that is not in the repository, or the merge conflicts, so does the edit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kpatch_rs.kinds.base import Change, Ground, Rooted
from kpatch_rs.kinds.c_object import object_for
from kpatch_rs.kinds.patch_end import End
from kpatch_rs.kinds.patch_file import FilePlan
from kpatch_rs.kinds.patch_renamed import told, with_renames
from kpatch_rs.kinds.patch_revived import revived
from kpatch_rs.kinds.patch_words import Stuck
from kpatch_rs.kinds.rust_file import crate_root
from kpatch_rs.model.outcome import Learned, Outcome, Place, Status, gravest
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.proof import ObjectBuilds, Proof, Reachable, Unprovable
from kpatch_rs.model.series import Edit, Payload
from kpatch_rs.model.tree import TreeCollision, TreeOverlay
from kpatch_rs.syntax.diff import FileDiff, read_diff
from kpatch_rs.syntax.kconfig import read_kconfig
from kpatch_rs.syntax.rust import unconditional_symbols


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchEdit(Edit):
    """`kind = "patch"`."""

    kind = "patch"
    diff: Payload
    """The file in the series that holds the diff, as git writes it."""
    also: tuple[RepoPath, ...] = ()
    """What files that it names are in other kernels; `rebase` adds what it found out."""


class Patch(Rooted[PatchEdit]):
    """See the module."""

    edit = PatchEdit
    example = """\
kind = "patch"
diff = "files/foo.diff"
"""

    def plan(self, edit: PatchEdit, ground: Ground) -> Outcome:
        given = read_diff(edit.diff.name, edit.diff.data)
        files = with_renames(given, ground)
        ends, stuck = [], []
        for file in files:
            try:
                there, end = FilePlan(edit.diff.name, file, files, ground, edit.also).whole()
                ends.append((there, end if file in given else told(there, end)))
            except Stuck as conflict:
                stuck.append(conflict)
        stuck += revived(edit.diff.name, files, ground)
        stuck += [_all_gone(files)] if not stuck and all(e.left_out for _, e in ends) else []
        if stuck:
            return self.stuck(files, ground, stuck)
        learned = tuple(Learned("also", show(e.learned)) for _, e in ends if e.learned)
        return replace(self.outcome(ends, ground), learned=learned)

    def stuck(self, files: Sequence[FileDiff], ground: Ground, stuck: Sequence[Stuck]) -> Outcome:
        """The first conflict's reason, and every conflict's candidates."""
        more = f" ({len(stuck)} of {len(files)} files conflict)" if len(stuck) > 1 else ""
        outcome = self.conflict(
            ground,
            stuck[0].message + more,
            hint=stuck[0].hint,
            anchor=_anchor(files),
            candidates=[c for conflict in stuck for c in conflict.candidates],
        )
        return replace(outcome, missed=stuck[0].missed)

    def outcome(self, ends: Sequence[tuple[FileDiff, End]], ground: Ground) -> Outcome:
        """All files fit: put in those that are not there yet."""
        files = [file for file, _ in ends]
        here = [(file, end) for file, end in ends if not end.left_out]
        todo = [(file, end) for file, end in here if end.status is not Status.PRESENT]
        file, first = (todo or here)[0]
        where = Place(first.at or file.path, first.line)
        if not todo:
            return self.present(ground, where, anchor=_anchor(files), reason=first.reason)
        try:
            tree = _changed(ground.tree, todo)
        except TreeCollision as collision:
            hint = "name another path in the diff, or move what stands in the way first"
            return self.conflict(ground, collision.message, hint=hint, anchor=_anchor(files))
        ends = [(file, _in_part(file, end)) for file, end in ends]
        return Outcome(
            status=gravest([end.status for _, end in ends]),
            tree=tree,
            place=where,
            anchor=_anchor(files),
            text=b"".join(_added(file) for file in files),
            reason="; ".join(end.reason for _, end in ends if end.reason),
            elsewhere=tuple(p for _, end in todo for p in end.elsewhere),
            met=tuple(meeting for _, end in todo for meeting in end.met),
        )

    def proofs(self, edit: PatchEdit, outcome: Outcome) -> Sequence[Proof]:
        files = read_diff(edit.diff.name, edit.diff.data)
        found = [proof for file in files for proof in _proofs(file, outcome.tree)]
        found += [
            p for path in outcome.elsewhere for p in _of_file(path, outcome.tree, outcome.text)
        ]
        return tuple(dict.fromkeys(found))

    def lift(self, change: Change) -> Sequence[PatchEdit]:
        """Nothing: what no other kind takes goes into one patch edit, whatever its files."""
        return ()


PATCH = Patch()


def _in_part(file: FileDiff, end: End) -> End:
    """A file that is as the diff has it while others are not: the commit's text says too much."""
    if end.status is not Status.PRESENT:
        return end
    reason = end.reason or f"{show(file.path)}: present already"
    return replace(end, status=Status.ADAPTED, reason=reason)


def _anchor(files: Sequence[FileDiff]) -> str:
    """The first file, and how many there are."""
    return show(files[0].path) + (f" (1 of {len(files)} files)" if len(files) > 1 else "")


def _all_gone(files: Sequence[FileDiff]) -> Stuck:
    return Stuck(
        f"{show(files[0].path)}: this kernel has it no more, nor its folder",
        hint="take the recipe out, or keep it from this kernel: when = …",
    )


def _added(file: FileDiff) -> bytes:
    return b"".join(text for hunk in file.hunks for change, text in hunk.body if change == "+")


def _changed(tree: TreeOverlay, todo: Sequence[tuple[FileDiff, End]]) -> TreeOverlay:
    """`tree` with every old name gone before any new one is written: renames may swap."""
    for file, _ in todo:
        if file.old is not None and file.old != file.new:
            tree = tree.remove(file.old)
    for file, end in todo:
        if file.new is not None and end.now is not None:
            tree = tree.write(file.new, end.now)
        for path, other in end.others.items():
            tree = tree.write(path, other)
    return tree


def _proofs(file: FileDiff, tree: TreeOverlay) -> list[Proof]:
    """What shows that the change to one file works; nothing for a file that is elsewhere now."""
    if file.new is None:
        return [Unprovable(f"{show(file.path)} goes away: no build shows that nothing misses it")]
    return _of_file(file.new, tree, _added(file)) if tree.read(file.new) else []


def _of_file(path: RepoPath, tree: TreeOverlay, added: bytes) -> list[Proof]:
    """What shows that the file works, to which the patch has `added` lines."""
    now, name = tree.read(path), show(path)
    data = now.data if now else b""
    if path.endswith((b".c", b".h")):
        target = object_for(tree, path)
        return [target if isinstance(target, Unprovable) else ObjectBuilds(target, off_too=True)]
    if path.endswith(b".rs"):
        root = crate_root(tree, path)
        return [ObjectBuilds(RepoPath(root[:-3] + b".o"), unconditional_symbols(data))]
    if path.rpartition(b"/")[2].startswith(b"Kconfig"):
        switched = [Reachable(symbol) for symbol in _switches(added, data)]
        return [*switched] or [Unprovable(f"{name}: no symbol that can be switched is new in it")]
    return [Unprovable(f"{name}: no build proves a change there")]


def _switches(added: bytes, data: bytes) -> list[str]:
    """The symbols among `added` that a user can set: with a prompt, and y or n."""
    symbols = {entry.symbol for entry in read_kconfig(added).entries}
    return [
        entry.symbol
        for entry in read_kconfig(data).entries
        if entry.symbol in symbols and _PROMPTED.search(data, entry.start, entry.end)
    ]


_PROMPTED = re.compile(rb"""(?m)^[ \t]+(?:bool|tristate)[ \t]+["']""")
