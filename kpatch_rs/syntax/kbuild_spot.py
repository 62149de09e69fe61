"""Where a Kbuild list takes one more line, and what that line looks like.

Guarantees: the line stands on the level the whole list hangs on, behind everything that could reset
it, never within a continuation; where no such place is certain there is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kpatch_rs.errors import KpatchError
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.syntax.kbuild import Assignment, Context, Include, list_name
from kpatch_rs.syntax.kbuild_folder import Entry, Folder, Source

_NEIGHBOURS = 4
"""Lines before the new one that say how this part of the file is aligned."""

_CONTINUED = re.compile(rb"(?<!\\)(?:\\\\)*\\(?:\r?\n)?\Z")

_Seen = list[tuple[Assignment | Include, Entry]]
"""A list's assignments, each with the statement of the file at hand that reads it."""


class Unclear(KpatchError):
    """The list is there, but no place in it is certain."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What the line says: `object` is in the list of `stem`, under `config` ('': always)."""

    stem: bytes
    object: bytes
    config: bytes = b""


@dataclass(frozen=True, slots=True)
class Spot:
    """An offset between two logical lines of `source`."""

    source: Source
    offset: int
    context: Context
    """The conditions the whole list hangs on."""
    anchor: Assignment | Include
    """The statement it was found by."""


def find_spot(folder: Folder, file: RepoPath, listing: Listing) -> Spot:
    """Where a line for `listing` goes, in `file` if it can. Raises Unclear."""
    members = folder.lists(listing.stem)
    source = _home(folder, file, members)
    seen = [(s, e) for e in members if (s := e.seen_from(source)) is not None]
    if listing.stem == b"obj":
        seen = [(s, e) for s, e in seen if _objects(e.assignment)] or seen
    steady = [(s, e) for s, e in seen if e.context(source) == s.context]
    if not steady:
        raise Unclear(f"{show(source.path)} assigns no {show(listing.stem)} list of its own")
    context = min((s.context for s, _ in steady), key=len)
    if context and listing.stem == b"obj":
        # Whatever the other objects hang on, an object of its own hangs on its CONFIG alone.
        anchor = steady[-1][0]
        context, offset = (), _outer_end(source, anchor, ())
    elif all(e.context(source)[: len(context)] == context for _, e in seen):
        anchor = _last(listing, [(s, e) for s, e in steady if s.context == context])
        offset = anchor.end
    else:
        anchor = steady[-1][0]
        context, offset = _behind_branches(source, seen)
    spot = Spot(source, _behind_resets(source, seen, context, offset), context, anchor)
    return _sorted_in(spot, listing) if listing.stem == b"obj" else spot


def spot_line(spot: Spot, listing: Listing) -> bytes:
    """The new line, its operator under the operators of its neighbours."""
    head, gap = _variable(spot, listing), b" "
    if neighbours := _neighbours(spot, listing.stem):
        aligned = [n for n in neighbours if len(n.gap) > 1 or n.gap == b"\t"]
        if spot.context == spot.anchor.context:
            head = neighbours[-1].indent + head
        gap = _up_to(aligned[-1], head) if aligned else neighbours[-1].gap
    return head + gap + b"+= " + listing.object + newline(spot)


def newline(spot: Spot) -> bytes:
    """How the line before ends."""
    return b"\r\n" if spot.source.data[: spot.offset].endswith(b"\r\n") else b"\n"


def lead(spot: Spot) -> bytes:
    """What must end the line before: its newline, and one more where it asks to be continued.

    Both happen at the end of files only: the last line of a list in columns often keeps its `\\`.
    """
    before = spot.source.data[: spot.offset]
    end = b"" if not before or before.endswith(b"\n") else b"\n"
    return end + newline(spot) if _CONTINUED.search(before) else end


def _home(folder: Folder, file: RepoPath, members: list[Entry]) -> Source:
    """The file that takes the line.

    The one that was asked for, unless another of the same folder keeps the list: what lies
    elsewhere (virt/kvm/Makefile.kvm) is shared with folders that nobody spoke of.
    """
    named = folder.source(file) or folder.sources[0]
    keepers = {e.source.path: e.source for e in members}
    near = [s for path, s in keepers.items() if path.startswith(folder.path + b"/")]
    return near[0] if named.path not in keepers and len(near) == 1 else named


def _objects(assignment: Assignment) -> list[bytes]:
    return [w.text for w in assignment.words if w.text.endswith(b".o")]


def _is_one_object(assignment: Assignment) -> bool:
    name = list_name(assignment.name)
    return name is not None and name.stem == b"obj" and len(_objects(assignment)) == 1


def _last(listing: Listing, level: _Seen) -> Assignment | Include:
    """The statement to stand behind: the list's last, or its last unconditional one."""
    plain = [(s, e) for s, e in level if e.list.plain in (b"y", b"objs")]
    conditional = listing.config or listing.stem == b"obj"
    return (level if conditional else plain or level)[-1][0]


def _behind_branches(source: Source, seen: _Seen) -> tuple[Context, int]:
    """The level around an if/else that builds the list in each of its branches."""
    contexts = [s.context for s, _ in seen]
    common = tuple(c[0] for c in zip(*contexts, strict=False) if len(set(c)) == 1)
    branches = {c[len(common)] for c in contexts if len(c) > len(common)}
    block = source.makefile.block(next(iter(branches))) if branches else None
    numbers = {b.branch for b in branches if block and b.block == block.start}
    if block is None or not block.complete or numbers != set(range(block.branches)):
        raise Unclear(f"{show(source.path)} has the list only under conditions")
    return common, block.end


def _behind_resets(source: Source, seen: _Seen, context: Context, offset: int) -> int:
    """`offset`, or the end of the last block behind it that assigns the list anew."""
    for statement, entry in seen:
        if statement.start >= offset and entry.assignment.resets:
            offset = _outer_end(source, statement, context)
    return offset


def _outer_end(source: Source, statement: Assignment | Include, context: Context) -> int:
    """Where the level `context` goes on behind `statement`."""
    deeper = statement.context[len(context) :]
    block = source.makefile.block(deeper[0]) if deeper else None
    return block.end if block else statement.end


def _sorted_in(spot: Spot, listing: Listing) -> Spot:
    """`spot`, moved to keep the order of the run of one-object lines before it, if it has one."""
    run: list[Assignment] = []
    for statement in reversed(spot.source.makefile.statements):
        if statement.end == (run[-1].start if run else spot.offset):
            if not isinstance(statement, Assignment) or not _is_one_object(statement):
                break
            run.append(statement)
            if statement.resets:
                break
    run.reverse()
    names = [_objects(s)[0] for s in run]
    if len(names) < 3 or names != sorted(names):
        return spot
    behind = max(sum(n < listing.object for n in names), run[0].resets)
    offset = run[behind].start if behind < len(run) else spot.offset
    return Spot(spot.source, offset, spot.context, run[max(behind - 1, 0)])


def _variable(spot: Spot, listing: Listing) -> bytes:
    if listing.config:
        return b"%s-$(CONFIG_%s)" % (listing.stem, listing.config)
    objs = listing.stem + b"-objs"
    if isinstance(spot.anchor, Assignment) and spot.anchor.name == objs:
        return objs
    return listing.stem + b"-y"


def _neighbours(spot: Spot, stem: bytes) -> list[Assignment]:
    return [
        s
        for s in spot.source.makefile.statements
        if isinstance(s, Assignment)
        and s.start <= spot.anchor.start
        and s.context == spot.anchor.context
        and (name := list_name(s.name))
        and name.stem == stem
    ][-_NEIGHBOURS:]


def _up_to(model: Assignment, head: bytes) -> bytes:
    """The blanks that bring the operator to `model`'s column; one where `head` is too long."""
    fill = b"\t" if b"\t" in model.gap else b" "
    column = _width(model.indent + model.name + model.gap)
    gap = b""
    while _width(head + gap) < column:
        gap += fill
    return gap or b" "


def _width(text: bytes) -> int:
    """Columns, a tab going to the next multiple of 8."""
    return len(text.expandtabs(8))
