"""This object belongs to this composite module, or is its own, under this CONFIG.

The anchor is the module's list in whatever form the folder's Makefile keeps it; the object gets a
`+=` line of its own, where no condition and no later `:=` can lose it.
"""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Change, Ground, Rooted, line_of, splice
from kpatch_rs.kinds.kbuild_config import unknown, unread
from kpatch_rs.model.outcome import Candidate, Outcome, Place, Status
from kpatch_rs.model.path import PathRefused, RepoPath, repo_path, show
from kpatch_rs.model.proof import Member, Proof, Unprovable
from kpatch_rs.model.series import Edit
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.kbuild import Assignment, Condition, Include, list_name, read_makefile
from kpatch_rs.syntax.kbuild_folder import Entry, Folder, read_folder
from kpatch_rs.syntax.kbuild_spot import (
    Listing,
    Spot,
    Unclear,
    behind,
    continuation,
    find_spot,
    lead,
    spot_line,
)

_OBJECT = re.compile(r"[\w.+-]+(?:/[\w.+-]+)*\.o", re.ASCII)
_MODULE = re.compile(r"(?!.*\.k?o$)[\w.+-]+(?:/[\w.+-]+)*", re.ASCII)
_SYMBOL = re.compile(r"(?!CONFIG_)\w+", re.ASCII)
_KBUILD_FILE = re.compile(rb"(?:\A|/)(?:Makefile|Kbuild)[^/]*\Z")
_NOT_LINKED = (b"always", b"extra", b"targets")
"""Lists that name files without linking them."""
_IF_SET = re.compile(
    rb"ifdef\s+CONFIG_(\w+)|ifeq\s*\(\$\(CONFIG_(\w+)\),\s*y\)|ifneq\s*\(\$\(CONFIG_(\w+)\),\s*\)"
)

_KBUILD = ("Makefile*", "Kbuild*")
"""Names of files that Kbuild reads, or that those include."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KbuildEdit(Edit):
    """`kind = "kbuild"`."""

    kind = "kbuild"
    file: RepoPath
    """The Makefile or Kbuild that lists the objects; an included one is found from it."""
    object: str
    """The object as the list names it, relative to the folder make descends into: rust_foo.o."""
    module: str | None = None
    """The composite it is linked into, without .o; left out: an own obj-$(CONFIG_…) line."""
    config: str | None = None
    """The Kconfig symbol it is built under, without CONFIG_; left out: always."""
    beside: str | None = None
    """Another object of the list, right behind which it stands in the very same assignment;"""
    continued: bool = False
    """on a continued line of its own."""
    after: str | None = None
    """Another object of the list, right behind whose line it has its own; where that is gone, and
    without it, the line goes where the list's order has it."""

    @property
    def listing(self) -> Listing:
        """The edit as the line it asks for."""
        object_ = posixpath.normpath(self.object).encode()
        return Listing((self.module or "obj").encode(), object_, (self.config or "").encode())

    @property
    def anchor(self) -> str:
        """The list it holds on to, in words."""
        return f"the list of {self.module}.o" if self.module else "the obj- list"


class Kbuild(Rooted[KbuildEdit]):
    """See the module."""

    edit = KbuildEdit
    example = """\
kind = "kbuild"
file = "drivers/foo/Makefile"
module = "foo"
object = "rust_foo.o"
config = "FOO_RUST"
"""

    def plan(self, edit: KbuildEdit, ground: Ground) -> Outcome:
        _refuse_malformed(edit)
        folder = read_folder(ground.tree, edit.file)
        if folder is None:
            return self._no_folder(edit, ground)
        if objection := self._objection(edit, ground, folder):
            return objection
        try:
            spot = find_spot(folder, edit.file, edit.listing)
        except Unclear as unclear:
            return self.conflict(
                ground,
                unclear.message,
                hint='name the file that keeps the list; or write this change as a kind = "patch"',
                anchor=edit.anchor,
                candidates=_offered(folder.lists(edit.listing.stem)),
            )
        if there := self._listed(edit, ground, folder, spot):
            return there
        if (
            edit.config
            and (near := unknown(edit.config, ground.tree, edit.file, ground.edits)) is not None
        ):
            return self._no_symbol(edit, ground, near)
        if edit.beside is not None:
            return self._insert_beside(edit, ground, folder, spot)
        if edit.after is not None:
            after = posixpath.normpath(edit.after).encode()
            spot = behind(folder, spot, edit.listing, after) or spot
        return self._insert(edit, ground, spot)

    def proofs(self, edit: KbuildEdit, outcome: Outcome) -> Sequence[Proof]:
        folder = read_folder(outcome.tree, edit.file)
        if folder is None:
            return [Unprovable(f"no Makefile reads {show(edit.file)}")]
        try:
            built = _below(folder.path, edit.object)
            module = _below(folder.path, f"{edit.module}.mod") if edit.module else None
        except PathRefused as refused:
            return [Unprovable(refused.message)]
        return [Member(built, module, edit.config)]

    def lift(self, change: Change) -> Sequence[KbuildEdit]:
        if change.created or not _KBUILD_FILE.search(change.path):
            return ()
        found = [
            (
                statement,
                KbuildEdit(
                    where=change.where,
                    file=change.path,
                    object=show(word.text),
                    module=None if name.stem == b"obj" else show(name.stem),
                    config=show(name.config) or None,
                    beside=show(before.text) if before else None,
                ),
            )
            for statement in read_makefile(change.new).statements
            if isinstance(statement, Assignment)
            if (name := list_name(statement.name)) and not name.other
            for before, word in zip((None, *statement.words), statement.words, strict=False)
            if _OBJECT.fullmatch(show(word.text)) and change.adds(word.start)
        ]
        own = [(s, replace(edit, beside=None)) for s, edit in found if change.adds(s.start)]
        after = [replace(edit, after=there) for s, edit in own if (there := _above(change.new, s))]
        beside = [edit for _, edit in found if edit.beside]
        continued = [replace(edit, continued=True) for edit in beside]
        return (*(edit for _, edit in own), *after, *beside, *continued)

    def _insert(self, edit: KbuildEdit, ground: Ground, spot: Spot) -> Outcome:
        source, text = spot.source, spot_line(spot, edit.listing)
        data = splice(source.data, spot.offset, lead(spot) + text)
        outcome = self.done(
            ground,
            source.path,
            data,
            line=line_of(data, spot.offset + len(lead(spot))),
            anchor=edit.anchor,
            text=text,
        )
        return _moved(edit, outcome, source.path)

    def _insert_beside(
        self, edit: KbuildEdit, ground: Ground, folder: Folder, spot: Spot
    ) -> Outcome:
        beside = posixpath.normpath(edit.beside or "").encode()
        found = [e for e in folder.lists(edit.listing.stem) if e.names(beside)]
        needs = [_needs(e, spot) for e in found]
        if needs != [{edit.listing.config} - {b""}]:
            why = "is in no list of its own" if not found else "is listed under another condition"
            return self.conflict(
                ground,
                f"{edit.beside} {why if len(found) < 2 else 'is listed more than once'} "
                f"({edit.anchor}): {edit.object} cannot stand beside it",
                hint='name another object: beside = "…"; or leave it out, for a line of its own',
                anchor=edit.anchor,
                candidates=_offered(found),
            )
        source, assignment = found[0].source, found[0].assignment
        word = next(w for w in assignment.words if posixpath.normpath(w.text) == beside)
        offset = word.start + len(word.text)
        gap = continuation(source.data, assignment) if edit.continued else b" "
        text = gap + edit.listing.object
        data = splice(source.data, offset, text)
        line = line_of(data, offset + len(text))
        outcome = self.done(ground, source.path, data, line=line, anchor=edit.anchor, text=text)
        return _moved(edit, outcome, source.path)

    def _listed(
        self, edit: KbuildEdit, ground: Ground, folder: Folder, spot: Spot
    ) -> Outcome | None:
        """The end for an object some list has already; None where none has it."""
        listing = edit.listing
        found = [
            e for e in folder.entries if e.names(listing.object) and e.list.stem not in _NOT_LINKED
        ]
        for entry in found:
            if entry.list.stem == listing.stem and _needs(entry, spot) == {listing.config} - {b""}:
                return self.present(ground, _place(entry), anchor=edit.anchor)
        if not found:
            return None
        needs = " and ".join(sorted(map(show, _needs(found[0], spot)))) or "no condition"
        return self.conflict(
            ground,
            f"{edit.object} is already there in {show(found[0].assignment.name)} under {needs} at"
            f" {_place(found[0])}",
            hint="make module and config of this edit say the same, or take that line out first",
            anchor=edit.anchor,
            candidates=_offered(found),
        )

    def _objection(self, edit: KbuildEdit, ground: Ground, folder: Folder) -> Outcome | None:
        """Why nothing can be added to the list; None where something can."""
        members = folder.lists(edit.listing.stem)
        if edit.module is None:
            return None if members else self._no_obj_list(edit, ground, folder)
        built = folder.lists(b"obj")
        builders = [e for e in built if e.names(edit.module.encode() + b".o")]
        hidden = any(b"$" in w.text for e in built for w in e.assignment.words)
        if members:
            return None if builders or hidden else self._unbuilt(edit, ground, folder, members[0])
        return (
            self._single(edit, ground, builders)
            if builders
            else self._no_list(edit, ground, folder)
        )

    def _single(self, edit: KbuildEdit, ground: Ground, builders: list[Entry]) -> Outcome:
        module = edit.module
        return self.conflict(
            ground,
            f"{module}.o is no composite: {_place(builders[0])} builds it from one source file",
            hint=f"rename that file and give {module} a list ({module}-y := {module}_main.o) in a"
            " recipe before this one, or leave out module for an object of its own",
            anchor=edit.anchor,
            candidates=_offered(builders),
        )

    def _unbuilt(self, edit: KbuildEdit, ground: Ground, folder: Folder, member: Entry) -> Outcome:
        return self.conflict(
            ground,
            f"no obj- line that make reads with {show(edit.file)} builds {edit.module}.o:"
            f" {show(member.assignment.name)} at {_place(member)} is no module's list",
            hint='name a composite that an obj- line builds: module = "…"',
            anchor=edit.anchor,
            candidates=_similar(edit.listing.stem, folder),
        )

    def _no_list(self, edit: KbuildEdit, ground: Ground, folder: Folder) -> Outcome:
        module = edit.listing.stem
        return self.conflict(
            ground,
            f"{show(edit.file)}: no list {show(module)}-y, {show(module)}-objs or"
            f" {show(module)}-$(CONFIG_…), there or in what it includes",
            hint='name the composite as its list does: module = "…"; or the Makefile that has it',
            anchor=edit.anchor,
            candidates=[*_similar(module, folder), *_elsewhere(module, ground.tree)],
        )

    def _no_obj_list(self, edit: KbuildEdit, ground: Ground, folder: Folder) -> Outcome:
        return self.conflict(
            ground,
            f"{show(edit.file)} has no obj- list to put {edit.object} in",
            hint='name a Makefile that has one, or a composite: module = "…"',
            anchor=edit.anchor,
            candidates=_offered(list(folder.entries)),
        )

    def _no_symbol(self, edit: KbuildEdit, ground: Ground, near: Sequence[str]) -> Outcome:
        meant = f"did you mean {' or '.join(near)}? else " if near else ""
        if path := unread(edit.config or "", ground.tree):
            return self.conflict(
                ground,
                f"{edit.config} is defined in {show(path)}, which no Kconfig file sources: "
                f"make would never build {edit.object}",
                hint=f'source that file: a kind = "patch" that adds source "{show(path)}"',
                anchor=edit.anchor,
            )
        return self.conflict(
            ground,
            f"no Kconfig file of this kernel and no recipe of the series defines {edit.config}:"
            f" make would never build {edit.object}",
            hint=f"{meant}add the symbol: kpatch-rs new kconfig --set symbol={edit.config}",
            anchor=edit.anchor,
        )

    def _no_folder(self, edit: KbuildEdit, ground: Ground) -> Outcome:
        if ground.tree.read(edit.file) is None:
            missing = self.no_file(ground, edit.file)
            also = _elsewhere(edit.listing.stem, ground.tree) if edit.module else []
            return replace(missing, candidates=(*missing.candidates, *also))
        return self.conflict(
            ground,
            f"no Makefile or Kbuild in or above its folder includes {show(edit.file)}",
            hint='name the Makefile that includes it: file = "…"; for a line that all of them see,'
            ' write a kind = "patch"',
            anchor=edit.anchor,
            candidates=_including(edit.file, ground.tree),
        )


def _above(data: bytes, own: Assignment) -> str | None:
    """The last object on the line right above `own`, if it is of the same list."""
    above = (s for s in read_makefile(data).statements if s.end <= own.start)
    last = max(above, key=lambda s: s.end, default=None)
    if not isinstance(last, Assignment) or last.end != own.start or not last.words:
        return None
    lists = [list_name(statement.name) for statement in (last, own)]
    object_ = show(last.words[-1].text)
    same = lists[0] and lists[1] and lists[0].stem == lists[1].stem
    return object_ if same and _OBJECT.fullmatch(object_) else None


def _moved(edit: KbuildEdit, outcome: Outcome, path: RepoPath) -> Outcome:
    """`outcome`, as `moved` where the list stands in another file than the edit names."""
    if path == edit.file:
        return outcome
    why = f"{edit.anchor} stands in {show(path)}, not in {show(edit.file)}"
    return replace(outcome, status=Status.MOVED, reason=why)


def _refuse_malformed(edit: KbuildEdit) -> None:
    if not _OBJECT.fullmatch(edit.object):
        raise KpatchError(
            f"object '{edit.object}' names no object file", hint='write it as object = "rust_foo.o"'
        )
    if edit.module is not None and not _MODULE.fullmatch(edit.module):
        raise KpatchError(
            f"module '{edit.module}' names no composite", hint='write it without .o: module = "foo"'
        )
    if edit.config is not None and not _SYMBOL.fullmatch(edit.config):
        raise KpatchError(
            f"config '{edit.config}' names no Kconfig symbol",
            hint='write it without CONFIG_: config = "FOO_RUST"',
        )
    for key, other in (("beside", edit.beside), ("after", edit.after)):
        if other is not None and not _OBJECT.fullmatch(other):
            raise KpatchError(
                f"{key} '{other}' names no object file", hint=f'write it as {key} = "foo.o"'
            )
    if edit.beside is not None and edit.after is not None:
        raise KpatchError(
            f"after '{edit.after}' and beside exclude each other",
            hint="beside: in the same line; after: on a line of its own",
        )
    if edit.continued and edit.beside is None:
        raise KpatchError("continued needs beside", hint='beside = "foo.o"')
    if edit.object == f"{edit.module}.o":
        raise KpatchError(
            f"object '{edit.object}' is the module itself",
            hint="give the Rust file another name: an object cannot be linked into itself",
        )


def _below(folder: bytes, name: str) -> RepoPath:
    return repo_path(posixpath.normpath(posixpath.join(folder, name.encode())))


def _place(entry: Entry) -> Place:
    return Place(entry.source.path, line_of(entry.source.data, entry.assignment.start))


def _offered(entries: list[Entry]) -> list[Candidate]:
    return [Candidate(_place(e), show(e.assignment.name)) for e in entries[:5]]


def _needs(entry: Entry, spot: Spot) -> set[bytes]:
    """What must be set for the entry to count, beyond what the whole list hangs on.

    CONFIG symbols by their bare name, all else by its text.
    """
    conditions = entry.context(spot.source)
    if conditions[: len(spot.context)] == spot.context:
        conditions = conditions[len(spot.context) :]
    own = entry.list.config or entry.list.other or entry.list.plain
    needs = {own} - {b"y", b"objs"}
    return needs | {_condition_needs(c) for c in conditions}


def _condition_needs(condition: Condition) -> bytes:
    found = _IF_SET.fullmatch(condition.text) if condition.branch == 0 else None
    return next(g for g in found.groups() if g) if found else condition.text


def _similar(module: bytes, folder: Folder) -> list[Candidate]:
    """Composites of the folder with a name like the one looked for; any where none is like it."""
    built = {w.text for e in folder.lists(b"obj") for w in e.assignment.words}
    lists = {show(e.list.stem): e for e in reversed(folder.entries) if e.list.stem + b".o" in built}
    close = difflib.get_close_matches(show(module), lists, n=5)
    return _offered([lists[name] for name in close or sorted(lists)])


def _elsewhere(module: bytes, tree: TreeOverlay) -> list[Candidate]:
    """Kbuild files anywhere in the tree that assign a list of `module`."""
    for form in (b"-y", b"-objs"):
        named = tree.files_with(module + form, None, _KBUILD)
        if found := [c for p in named[:50] if (c := _first_list(module, p, tree))]:
            return found[:5]
    return []


def _including(file: RepoPath, tree: TreeOverlay) -> list[Candidate]:
    """Kbuild files of any folder that include `file`."""
    name = posixpath.basename(file)
    found = []
    for path in tree.files_with(name, None, _KBUILD):
        data = made.data if (made := tree.read(path)) else b""
        for statement in read_makefile(data).statements:
            if isinstance(statement, Include) and any(
                n.endswith(b"/" + file) for n in statement.names
            ):
                place = Place(path, line_of(data, statement.start))
                found.append(Candidate(place, show(b"include " + b" ".join(statement.names))))
    return found[:5]


def _first_list(module: bytes, path: RepoPath, tree: TreeOverlay) -> Candidate | None:
    data = file.data if (file := tree.read(path)) else b""
    for statement in read_makefile(data).statements:
        name = list_name(statement.name) if isinstance(statement, Assignment) else None
        if name and name.stem == module:
            return Candidate(Place(path, line_of(data, statement.start)), show(name.stem))
    return None


KBUILD = Kbuild()
