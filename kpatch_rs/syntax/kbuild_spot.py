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
from kpatch_rs.syntax.order import in_order, place_among

_NEIGHBOURS = 4
"""Lines before the new one that say how this part of the file is aligned."""

_A_LIST = 3
"""Lines that it takes to speak of an order."""

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


def behind(folder: Folder, spot: Spot, listing: Listing, other: bytes) -> Spot | None:
    """`spot`, moved right behind the line of its list that has `other`.

    None where no line or more than one has it, or that line hangs on a condition of its own, or a
    later one assigns the list anew.
    """
    source = spot.source
    seen = [(s, e) for e in folder.lists(listing.stem) if (s := e.seen_from(source)) is not None]
    found = [s for s, e in seen if e.names(other)]
    if len(found) != 1 or found[0].context != spot.context:
        return None
    reset = _behind_resets(source, seen, spot.context, found[0].end) != found[0].end
    return None if reset else Spot(source, found[0].end, spot.context, found[0])


def spot_line(spot: Spot, listing: Listing) -> bytes:
    """The new line, its operator under the operators of its neighbours."""
    head, gap = _variable(spot, listing), b" "
    if neighbours := _neighbours(spot, listing.stem):
        aligned = [n for n in neighbours if len(n.gap) > 1 or n.gap == b"\t"]
        if spot.context == spot.anchor.context:
            head = neighbours[-1].indent + head
        gap = _up_to(_usual(aligned), head) if aligned else neighbours[-1].gap
    return head + gap + b"+= " + listing.object + b"\n"


def continuation(data: bytes, assignment: Assignment) -> bytes:
    """What begins one more line of `assignment`: indented as its others are, or as its value is."""
    lines = data[assignment.start : assignment.end].split(b"\n")
    for line in lines[1:]:
        if line.strip():
            return b" \\\n" + line[: len(line) - len(line.lstrip())]
    width = _width(data[assignment.start : assignment.words[0].start])
    return b" \\\n" + b"\t" * (width // 8) + b" " * (width % 8)


def lead(spot: Spot) -> bytes:
    """What must end the line before: its newline, and one more where it asks to be continued.

    Both happen at the end of files only: the last line of a list in columns often keeps its `\\`.
    """
    before = spot.source.data[: spot.offset]
    end = b"" if not before or before.endswith(b"\n") else b"\n"
    return end + b"\n" if _CONTINUED.search(before) else end


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
    """`spot`, moved to keep the order of the lines before it, if they keep one."""
    run = _run(spot)
    for key_of, new in ((_object_of, _stem(listing.object)), (_config_of, listing.config)):
        lines = [(key, line) for line in run if (key := key_of(line.assignment))]
        keys = [key for key, _ in lines]
        if len(set(keys)) < _A_LIST or not new or not in_order(keys):
            continue
        n = max(place_among(keys, new), lines[0][1].assignment.resets)
        offset = lines[n - 1][1].end if n else lines[0][1].start
        own = [line.assignment for _, line in lines[: max(n, 1)] if line.own]
        return Spot(spot.source, offset, spot.context, own[-1] if own else spot.anchor)
    return spot


@dataclass(frozen=True, slots=True)
class _Line:
    """An object's line, or a whole conditional that builds one."""

    start: int
    end: int
    assignment: Assignment
    own: bool
    """Whether it stands on the level of the list itself."""


def _run(spot: Spot) -> list[_Line]:
    """The obj- lines right before `spot`: no blank line, comment or rule stands between them."""
    source, level = spot.source, len(spot.context)
    run: list[_Line] = []
    start = spot.offset
    for statement in reversed(source.makefile.statements):
        if statement.end > start or statement.context[:level] != spot.context:
            continue
        own = len(statement.context) == level
        block = None if own else source.makefile.block(statement.context[level])
        end = block.end if block else statement.end
        if isinstance(statement, Include) or source.data[end:start].strip(b" \t") or end > start:
            break
        start = block.start if block else statement.start
        run.append(_Line(start, end, statement, own))
        if statement.resets and own and _object_of(statement):
            break
    return run[::-1]


def _object_of(assignment: Assignment) -> bytes:
    """The one object (without .o) or folder an obj- line adds; empty where it adds more or none."""
    name = list_name(assignment.name)
    words = [w.text for w in assignment.words]
    one = name and name.stem == b"obj" and len(words) == 1 and words[0].endswith((b".o", b"/"))
    return _stem(words[0]) if one else b""


def _stem(object_: bytes) -> bytes:
    """What it is sorted by: `rtc-ds1307` stands before `rtc-ds1307-rust`."""
    return object_.removesuffix(b".o").removesuffix(b"/")


def _config_of(assignment: Assignment) -> bytes:
    """The symbol such a line hangs on."""
    name = list_name(assignment.name)
    return name.config if name and _object_of(assignment) else b""


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


def _usual(aligned: list[Assignment]) -> Assignment:
    """One with its operator in the column most have it in: long names push it further right."""
    columns = [_column(line) for line in aligned]
    return max(reversed(aligned), key=lambda line: (columns.count(_column(line)), -_column(line)))


def _column(line: Assignment) -> int:
    return _width(line.indent + line.name + line.gap)


def _up_to(model: Assignment, head: bytes) -> bytes:
    """The blanks that bring the operator to `model`'s column; one where `head` is too long."""
    fill = b"\t" if b"\t" in model.gap else b" "
    column = _column(model)
    gap = b""
    while _width(head + gap) < column:
        gap += fill
    return gap or b" "


def _width(text: bytes) -> int:
    """Columns, a tab going to the next multiple of 8."""
    return len(text.expandtabs(8))
