"""This #include is there, in the sort order the file keeps.

Includes in an `#if`, and one that a `#define` right above it sets up, are left alone: they are
neither counted as there nor as neighbours. In a header that assembly reads, too, the line goes into
the part that is C's alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Change, Ground, Rooted, line_of, splice
from kpatch_rs.kinds.c_object import object_for
from kpatch_rs.model.outcome import Outcome, Place
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.proof import ObjectBuilds, Proof, Unprovable
from kpatch_rs.model.series import Edit
from kpatch_rs.syntax.c_assembly import for_assembly
from kpatch_rs.syntax.c_includes import Include, guard_of, included, includes, parts_for_c
from kpatch_rs.syntax.c_text import CText, Directive, c_text
from kpatch_rs.syntax.line_ends import with_lf
from kpatch_rs.syntax.order import in_order, place_among


@dataclass(frozen=True, slots=True, kw_only=True)
class CIncludeEdit(Edit):
    """`kind = "c-include"`."""

    kind = "c-include"
    file: RepoPath
    header: str
    """With its delimiters: `<linux/foo.h>` or `"foo.h"`."""
    also: tuple[RepoPath, ...] = ()
    """Where the file is on other kernels; `rebase` adds what it found out."""


class CInclude(Rooted[CIncludeEdit]):
    """See the module."""

    edit = CIncludeEdit
    example = """\
kind = "c-include"
file = "drivers/foo/main.c"
header = '"foo.h"'
"""

    def plan(self, edit: CIncludeEdit, ground: Ground) -> Outcome:
        if not re.fullmatch(r'<[\w./+-]+>|"[\w./+-]+"', edit.header):
            raise KpatchError(
                f"header = '{edit.header}' is not what #include takes",
                hint="with its delimiters: header = '<linux/foo.h>' or header = '\"foo.h\"'",
            )
        file, header = ground.tree.read(edit.file), edit.header.encode()
        if file is None:
            return self.no_file(ground, edit.file)
        text = c_text(with_lf(file.data))
        anchor = f"#include {edit.header}"
        if there := included(text, header):
            place = Place(edit.file, line_of(text.data, there.start))
            return self.present(ground, place, anchor=anchor)
        spot = _spot(text, header)
        if spot is None:
            return self.conflict(
                ground,
                f"{show(edit.file)}: no #include that is not in an #if stands above its code",
                hint="name a file that has an include block: file = …",
                anchor=anchor,
            )
        start, lead, tail = spot
        line = b"#include " + header + b"\n"
        return self.done(
            ground,
            edit.file,
            splice(text.data, start, lead + line + tail),
            line=line_of(text.data, start) + lead.count(b"\n"),
            anchor=anchor,
            text=line,
        )

    def proofs(self, edit: CIncludeEdit, outcome: Outcome) -> Sequence[Proof]:
        target = object_for(outcome.tree, edit.file)
        if isinstance(target, Unprovable):
            return (target,)
        return (ObjectBuilds(target, off_too=True),)

    def lift(self, change: Change) -> Sequence[CIncludeEdit]:
        if change.created or not change.path.endswith((b".c", b".h", b".S")):
            return ()
        if not any(b"#include" in change.new[start:end] for start, end in change.added):
            return ()
        return tuple(
            CIncludeEdit(where=change.where, file=change.path, header=i.header.decode())
            for i in includes(c_text(change.new))
            if change.adds(i.directive.start)
        )


def _spot(text: CText, header: bytes) -> tuple[int, bytes, bytes] | None:
    """Where the line goes and the blank lines around it; None without an include to go by."""
    every, guard = includes(text), guard_of(text)
    block, parts = [i for i in every if i.plain], parts_for_c(text)
    if not block and parts:
        return _first_below(text, parts[0][0])
    if not every and guard and not for_assembly(text):
        return _first_below(text, guard.define)
    if not block:
        return None
    alike = [i for i in block if i.header[:1] == header[:1]]
    if alike:
        return _among(text, _closest(alike, header), header), b"", b""
    if header.startswith(b"<"):
        return text.line_start(block[0].directive.start), b"", b"\n"
    return text.line_end(block[-1].directive.end), b"\n", b""


def _first_below(text: CText, directive: Directive) -> tuple[int, bytes, bytes]:
    """The same for the first include, below `directive`."""
    below = text.line_end(directive.end)
    follows = text.data[below : text.line_end(below)].strip()
    return below, b"\n", b"\n" if follows else b""


def _closest(alike: Sequence[Include], header: bytes) -> list[Include]:
    """The adjacent lines that name the header's own folder most often, the last of equals."""
    groups = [list(g) for _, g in groupby(alike, key=lambda i: i.group)]
    folder = _folder(header)

    def share(group: list[Include]) -> int:
        return sum(_folder(i.header) == folder for i in group)

    return max(reversed(groups), key=share)


def _among(text: CText, group: list[Include], header: bytes) -> int:
    """Where the line goes among `group`: in order where it keeps one, else at the end."""
    own = [i for i in group if _folder(i.header) == _folder(header)]
    for lines in (group, own):
        names = [_key(i.header) for i in lines]
        if in_order(names):
            n = place_among(names, _key(header))
            return text.line_end(lines[n - 1].directive.end) if n else _line_of(text, lines[0])
    return text.line_end((own or group)[-1].directive.end)


def _line_of(text: CText, include: Include) -> int:
    return text.line_start(include.directive.start)


def _key(header: bytes) -> bytes:
    return header[1:-1]


def _folder(header: bytes) -> bytes:
    """The first folder of the header's name; empty for one without."""
    return header[1:-1].rpartition(b"/")[0].split(b"/", 1)[0]


C_INCLUDE = CInclude()
