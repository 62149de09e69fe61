"""One file of a diff, on a kernel's tree: where its hunks go, or why nowhere for certain.

Guarantees: nothing is changed but what the diff changes, where it changes it: in the file, in the
file that it is now, in the functions of that name.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kpatch_rs.kinds.base import Ground, names_like
from kpatch_rs.kinds.patch_dead import useless
from kpatch_rs.kinds.patch_end import End, made
from kpatch_rs.kinds.patch_function import (
    Carried,
    brought_back,
    carry,
    place_of,
    spoiled,
    strangers,
)
from kpatch_rs.kinds.patch_merge import Undoing, left_over, merged, taken_out
from kpatch_rs.kinds.patch_moved import Missing
from kpatch_rs.kinds.patch_twice import elsewhere, twice
from kpatch_rs.kinds.patch_words import SHOWN, Stuck, Was, at_lines, candidate, lost, met
from kpatch_rs.model.outcome import Candidate, Place, Status, gravest
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.tree import File, Mode
from kpatch_rs.syntax.diff import MAKE_IT, DiffRefused, FileDiff
from kpatch_rs.syntax.diff_found import Doubt, Spot
from kpatch_rs.syntax.diff_heading import strange_place
from kpatch_rs.syntax.diff_place import (
    BLOB_MIN,
    Uncertain,
    first_difference,
    in_base,
    is_blob,
    lines_of,
    place,
    put,
)
from kpatch_rs.syntax.merge_guard import displaced
from kpatch_rs.syntax.whereabouts import TELLING, gone


@dataclass(frozen=True, slots=True)
class FilePlan:
    """One file of the diff on the ground."""

    payload: str
    file: FileDiff
    files: Sequence[FileDiff]
    """All of the diff: a file may make room for another one (a file that becomes a link)."""
    ground: Ground
    also: Sequence[RepoPath] = ()
    """What files of the diff are in other kernels."""

    def whole(self) -> tuple[FileDiff, End]:
        """How it ends, and the file it is about: another one, where the tree has it moved."""
        file, tree, base = self.file, self.ground.tree, self.base_blob()
        if file.old is None or tree.entry_type(file.old) or base is None:
            return file, self.end()
        missing = Missing(self.payload, file, self.files, self.ground, self.also, file.old, base)
        if file.new != file.old:
            missing.refuse()
            return file, self.end()
        if known := missing.known():
            return self.moved(file.old, missing.heir(known))
        if found := missing.new():
            there, followed = self.moved(file.old, missing.heir(found))
            learned = followed.followed if self.ground.was else None
            return there, replace(followed, learned=learned)
        if end := self.carried(base, self.in_base(base), None):
            return file, end
        if gone(tree, file.old, file.about):
            why = f"{show(file.old)} left out: this kernel has it no more, nor its folder"
            return file, End(Status.ADAPTED, reason=why, left_out=True)
        return file, self.end()

    def moved(self, old: RepoPath, path: RepoPath) -> tuple[FileDiff, End]:
        """How it ends in `path`, the file that `old` is now."""
        there = replace(self.file, old=path, new=path)
        end = replace(self, file=there).end()
        status = end.status if end.status is Status.PRESENT else gravest([end.status, Status.MOVED])
        reasons = (f"{show(old)} is {show(path)} now", end.reason)
        reason = "; ".join(filter(None, reasons))
        return there, replace(end, status=status, reason=reason, followed=path)

    def base_blob(self) -> bytes | None:
        """What the diff was made from, if the diff names it and the repository has it."""
        blob = self.file.old_blob
        return self.ground.history.blob(blob) if len(blob) >= BLOB_MIN else None

    def end(self) -> End:
        """How it ends. Raises Stuck; DiffRefused for a link that leaves the tree."""
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
            raise Stuck(
                f"{self.where(file.new)} is there already",
                Candidate(Place(file.new, 1), "the file as it is"),
                hint="make the diff again on this tree, with another name; "
                "or without the rename, if it is done already",
            )
        return self.edited(there)

    def created(self, there: File | None) -> End:
        wanted = self.linked(made(self.file))
        if there == wanted:
            return End(Status.PRESENT)
        if there is None or any(f.old == self.file.new for f in self.files):
            return End(Status.EXACT, now=wanted)
        what = "with another mode" if there.data == wanted.data else "with other content"
        raise Stuck(
            f"{self.payload}:{self.file.line}: {show(self.file.path)} is there already, {what}",
            self.candidate(1, "the file as it is"),
        )

    def deleted(self, there: File | None) -> End:
        if there is None:
            return End(Status.PRESENT, reason=f"{show(self.file.path)} is gone already")
        if there in [made(f) for f in self.files if f.new == self.file.old]:
            return End(Status.PRESENT)
        self.mode(there)
        lines, old = lines_of(there.data), self.file.hunks[0].old if self.file.hunks else ()
        if tuple(lines) == old:
            return End(Status.EXACT)
        raise Stuck(
            f"{self.payload}:{self.file.line}: {show(self.file.path)} is not what the diff deletes",
            self.candidate(first_difference(lines, old), "the first difference"),
        )

    def renamed_already(self, target: File) -> End:
        """The old name is gone and the new one there: present, if its text is."""
        try:
            spots = place(target.data, self.file, self.base_blob())
        except Uncertain as error:
            if self.is_renamed(target):
                return End(Status.PRESENT)
            raise self.lost(target, error.doubts[0], "") from error
        if not all(spot.there for spot in spots):
            raise Stuck(
                f"{self.where(self.file.path)} was renamed already, without the changes in it",
                Candidate(Place(self.file.path, spots[0].line), "where they would go"),
                hint="make the diff again on this tree: without the rename",
            )
        return End(Status.PRESENT, spots[0].line if spots else 1)

    def is_renamed(self, target: File) -> bool:
        """Whether `target` has all that the diff changes, merged into what upstream changed."""
        base = self.base_blob()
        if base is None:
            return False
        path, theirs = self.file.path, put(base, self.in_base(base))
        return taken_out(self.ground.history, path, base, target.data, theirs) is not None

    def edited(self, there: File | None) -> End:
        if there is None:
            path = self.file.old or self.file.path
            raise Stuck(
                f"{self.payload}:{self.file.line}: {show(path)}: the tree has no such file",
                *names_like(self.ground.tree, path),
                hint="make the diff again on this tree, with the name the file has there",
            )
        mode = self.mode(there)
        try:
            spots = place(there.data, self.file, self.base_blob())
        except Uncertain as error:
            return self.merged(there, mode, error.doubts)
        self.refuse_strange_places(there.data, spots)
        todo = [spot for spot in spots if not spot.there]
        now = self.linked(File(put(there.data, todo), mode))
        line = (todo or spots)[0].line if spots else 1
        moved = [spot for spot in todo if spot.moved]
        if end := self.astray(there, now.data):
            return end
        status = Status.MOVED if moved else Status.EXACT
        done = [f"{self.at(spot)}: present already" for spot in spots if spot.there]
        status = Status.ADAPTED if done and now != there else status
        return self.ended(there, now, status, line, "; ".join([*map(self.move, moved), *done]))

    def ended(self, there: File, now: File, status: Status, line: int, reason: str) -> End:
        if now == there and self.file.old == self.file.new:
            return End(Status.PRESENT, line)
        patch, path = self.itself(), self.file.path
        if patch and (at := elsewhere(path, self.file, patch, (there.data, now.data))):
            return End(Status.PRESENT, at, reason=f"{show(path)} has it at line {at}")
        self.refuse_overlooked(now.data)
        self.refuse_broken(self.file.path, there.data, now.data)
        return End(status, line, now, reason)

    def astray(self, there: File, now: bytes) -> End | None:
        """How it ends in place of `now`, where that changes other functions than the diff does.

        Raises Stuck where it is not certain that those it changes are in another file.
        """
        try:
            self.refuse_strangers(there.data, now)
        except Stuck:
            base = self.base_blob() or b""
            if end := self.carried(base, self.in_base(base), there):
                return end
            raise
        return None

    def refuse_strangers(self, there: bytes, now: bytes) -> None:
        """A change to one function never ends in another that happens to look like it."""
        base = self.base_blob() if self.file.path.endswith((b".c", b".h")) else None
        if base is None or base == there:
            return
        path, patch = self.file.path, (base, put(base, self.in_base(base)))
        if found := strangers(self.ground, path, patch, (there, now)):
            places = [place_of(path, now, name) for name in found[:SHOWN]]
            raise Stuck(
                f"{self.payload}:{self.file.line}: {show(self.file.path)}: the change would end in "
                f"{places[0].what}, which it does not change where it comes from",
                *places,
            )
        if found := brought_back(base, there, now):
            raise Stuck(
                f"{self.payload}:{self.file.line}: {show(self.file.path)}: the change would bring "
                f"back {show(found[0])}(), which is not there any more",
                hint="make the diff again where the function is now, or without it",
            )

    def refuse_strange_places(self, there: bytes, spots: Sequence[Spot]) -> None:
        """Without what the diff was made from, its @@ lines say in what it was made."""
        if self.base_blob() is not None or is_blob(there, self.file.old_blob):
            return
        if found := strange_place(self.file.path, lines_of(there), spots):
            spot, named, stands = found
            raise Stuck(
                f"{self.payload}:{spot.hunk.line}: {show(self.file.path)}: the hunk was made in "
                f"{show(named)}, and its text stands in {show(stands)} at line {spot.line}",
                self.candidate(spot.line, show(stands)),
            )

    def refuse_broken(self, path: RepoPath, there: bytes, now: bytes) -> None:
        """Nothing is defined twice or never reached that the diff does not make so itself."""
        patch = self.itself()
        if patch and patch[0] == there:
            return
        if path.endswith((b".c", b".h")):
            hunks = (hunk for file in self.files if file != self.file for hunk in file.hunks)
            made = b"".join(text for hunk in hunks for change, text in hunk.body if change == "+")
            if wrong := useless(patch, (there, now), made):
                line, said = wrong
                raise Stuck(f"{self.where(path)}: {said}", Candidate(Place(path, line), "there"))
        if double := twice(path, patch, (there, now)):
            raise Stuck(f"{self.where(path)}: {double[0]}", *double[1])
        if patch and path == self.file.path and displaced(path, patch[0], there, patch[1], now):
            at = first_difference(lines_of(now), lines_of(there))
            why = "what the change stands in, or beside, means something else here"
            raise Stuck(f"{self.where(path)}: {why}", self.candidate(at, "the change"))
        if patch is None or not path.endswith((b".c", b".h")):
            return
        if found := next(spoiled(patch, (there, now)), None):
            place = place_of(path, now, found[0])
            raise Stuck(f"{self.where(path)}: {place.what} would {found[1]}", place)

    def itself(self) -> tuple[bytes, bytes] | None:
        """The file before and after the diff where it was made, as far as that is known."""
        base = self.base_blob()
        try:
            return None if base is None else (base, put(base, in_base(base, self.file)))
        except Uncertain:
            return None

    def refuse_overlooked(self, data: bytes) -> None:
        """A diff that takes out every one of several equal lines wants no further one left."""
        lines, hunks = lines_of(data), self.file.hunks
        added = {text for hunk in hunks for text in hunk.new}
        removed = Counter(text for hunk in hunks for change, text in hunk.body if change == "-")
        left = [text for text in removed if removed[text] > 1 and text in lines]
        for text in left:
            base = None if text in added or len(text.strip()) < TELLING else self.base_blob()
            if base is not None and lines_of(base).count(text) == removed[text]:
                raise Stuck(
                    f"{self.payload}:{self.file.line}: the diff takes out every "
                    f"'{show(text.strip()[:60])}' of {show(self.file.path)}, and not this one",
                    self.candidate(lines.index(text) + 1, "where it would be left"),
                )

    def mode(self, there: File) -> Mode:
        """The mode the file has afterwards: its own, unless the diff changes it."""
        old, new = self.file.old_mode, self.file.new_mode
        if (there.mode == "120000") != (old == "120000"):
            raise Stuck(
                f"{self.where(self.file.old or self.file.path)} is "
                + ("a link, and no file" if old != "120000" else "a file, and no link")
                + " as where the diff was made"
            )
        if old == new or new is None:
            return there.mode
        if there.mode not in (old, new):
            where = self.where(self.file.path)
            raise Stuck(f"{where} has mode {there.mode}, neither {old} nor {new}")
        return new

    def in_base(self, base: bytes) -> tuple[Spot, ...]:
        """The hunks in what the diff was made from. Raises DiffRefused where they are not."""
        try:
            return in_base(base, self.file)
        except Uncertain as error:
            doubt, named = error.doubts[0], f"blob {self.file.old_blob}, which the diff names"
            found = [at + 1 for at in doubt.old_found]
            raise DiffRefused(
                f"{self.payload}:{doubt.hunk.line}: the hunk does not fit {named}"
                if not found
                else f"{self.payload}:{doubt.hunk.line}: the line numbers are wrong: in {named}, "
                f"what the hunk looks for stands at {at_lines(found)}",
                hint=MAKE_IT,
            ) from error

    def merged(self, there: File, mode: Mode, doubts: Sequence[Doubt]) -> End:
        """What the blob the diff was made from makes of it."""
        blob, base = self.file.old_blob, self.base_blob()
        if base is None:
            missing = "the diff names no blob for a three-way merge"
            also = f"the repository has no blob {blob}" if blob else missing
            raise self.lost(there, doubts[0], also)
        spots = self.in_base(base)
        theirs = put(base, spots)
        path, history = self.file.path, self.ground.history
        without = taken_out(history, path, base, there.data, theirs)
        if without is not None and mode == there.mode and self.file.old == self.file.new:
            return End(Status.PRESENT, first_difference(lines_of(there.data), lines_of(without)))
        data = merged(history, path, base, there.data, theirs)
        if data is None:
            if end := self.carried(base, spots, there):
                return end
            at = next((s.at for s in spots if s.hunk == doubts[0].hunk), 0)
            also = f"and a three-way merge on blob {blob} conflicts"
            raise self.lost(there, doubts[0], also, Was(lines_of(base), at))
        if end := self.astray(there, data):
            return end
        line = first_difference(lines_of(there.data), lines_of(data))
        reason = f"{show(path)}: merged three-way, from blob {blob[:12]}"
        end = self.ended(there, self.linked(File(data, mode)), Status.ADAPTED, line, reason)
        return replace(end, met=met(path, base, there.data, theirs, data))

    def carried(self, base: bytes, spots: Sequence[Spot], there: File | None) -> End | None:
        """How it ends function by function, wherever they are; None where it does not fit there."""
        path, patched = self.file.path, put(base, spots)
        if there and self.is_in(base, patched, there):
            return End(Status.PRESENT)
        found = self.by_function(self.ground, base, patched, there)
        if found is None or (there is None and found.rest != base):
            return None
        now, said = found.files.get(path), found.said
        if there and now:
            self.refuse_strangers(there.data, now.data)
            self.refuse_broken(path, there.data, now.data)
            said += (f"{show(path)}: merged function by function",) if now != there else ()
        others = {p: f for p, f in found.files.items() if f != self.ground.tree.read(p)}
        others.pop(path, None)
        for other, file in others.items():
            if was := self.ground.tree.read(other):
                self.refuse_broken(other, was.data, file.data)
        if not others and now == there:
            return End(Status.PRESENT, 1, now, "; ".join(said))
        status, at = (Status.MOVED, min(others)) if now == there else (Status.ADAPTED, None)
        changed = (self.ground.tree.read(at), others[at]) if at else (there, now)
        line = first_difference(*(lines_of(f.data) if f else [] for f in changed))
        return End(status, line, now, "; ".join(said), others=others, met=found.met, at=at)

    def by_function(
        self, ground: Ground, base: bytes, patched: bytes, there: File | None
    ) -> Carried | None:
        """What `patched` makes of `base`, done to each function and then to the rest of `there`."""
        path = self.file.path
        taken = {name for file in self.files for name in (file.old, file.new) if name}
        found = carry(ground, path, base, patched, there, taken)
        now = found.files.get(path) if found else None
        if found is None or now is None:
            return found
        data = merged(ground.history, path, base, now.data, found.rest)
        if data is None:
            return None
        return replace(found, files={**found.files, path: File(data, now.mode)})

    def is_in(self, base: bytes, patched: bytes, there: File) -> bool:
        """Whether all of it is in `there`: out and in again, and it is the same."""
        path = self.file.path
        if left_over(base, patched, there.data):
            return False
        undoing = replace(self.ground, history=Undoing(self.ground.history))
        back = self.by_function(undoing, patched, base, there)
        if back is None or back.places or back.files[path] == there:
            return False
        again = self.by_function(self.ground, base, patched, back.files[path])
        return again is not None and again.files == {path: there}

    def lost(self, there: File, doubt: Doubt, also: str, was: Was | None = None) -> Stuck:
        return lost(self.payload, self.file, there, doubt, also, was)

    def candidate(self, line: int, what: str) -> Candidate:
        return candidate(self.file, line, what)

    def where(self, path: RepoPath) -> str:
        return f"{self.payload}:{self.file.line}: {show(path)}"

    def at(self, spot: Spot) -> str:
        return f"{show(self.file.path)}:{spot.line}"

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
