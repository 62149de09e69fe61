"""MAINTAINERS covers these files by this entry, in alphabetical place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Change, Ground, Rooted, line_of, splice
from kpatch_rs.model.outcome import Candidate, Outcome, Place
from kpatch_rs.model.path import PathRefused, RepoPath, repo_path
from kpatch_rs.model.proof import Maintained, Proof, Unprovable
from kpatch_rs.model.series import Edit
from kpatch_rs.syntax.line_ends import with_lf
from kpatch_rs.syntax.maintainers import TAGS, Section, covers, read_maintainers, title_order
from kpatch_rs.syntax.order import place_among

FILE = RepoPath(b"MAINTAINERS")


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintainersEdit(Edit):
    """`kind = "maintainers"`."""

    kind = "maintainers"
    entry: str
    """The entry's title line."""
    files: tuple[str, ...]
    """What it must cover: each gets an F: line unless one that is there matches it."""
    maintainers: tuple[str, ...] = ()
    """M: lines of an entry that is new; with `status` they make one where it is absent."""
    reviewers: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    status: str | None = None
    """S: of a new entry; left out: the entry must exist."""

    def section(self) -> bytes:
        """The new entry, its tags in the file's order."""
        status = (self.status,) if self.status else ()
        tagged = {"M": self.maintainers, "R": self.reviewers, "L": self.lists, "S": status}
        tagged["F"] = tuple(sorted(dict.fromkeys(self.files)))
        lines = [f"{tag}:\t{value}" for tag, values in tagged.items() for value in values]
        return "\n".join([self.entry, *lines, ""]).encode()


class Maintainers(Rooted[MaintainersEdit]):
    """See the module."""

    edit = MaintainersEdit
    example = """\
kind = "maintainers"
entry = "FOO DRIVER"
files = ["drivers/foo/rust_foo.rs"]
"""

    def plan(self, edit: MaintainersEdit, ground: Ground) -> Outcome:
        _refuse_malformed(edit)
        file = ground.tree.read(FILE)
        if file is None:
            return self.no_file(ground, FILE)
        data = with_lf(file.data)
        sections = read_maintainers(data)
        titled = [s for s in sections if s.title == edit.entry]
        if len(titled) > 1:
            return self.conflict(
                ground,
                f"MAINTAINERS has {len(titled)} entries titled {edit.entry}",
                hint="take one of them out first, in a recipe before this one",
                anchor=edit.entry,
                candidates=_offered(data, titled),
            )
        if titled:
            return self._add_files(edit, ground, data, titled[0])
        if edit.status is None or not sections:
            return self._no_entry(edit, ground, data, sections)
        return self._add_section(edit, ground, data, sections)

    def proofs(self, edit: MaintainersEdit, outcome: Outcome) -> Sequence[Proof]:
        paths = [path for pattern in edit.files if (path := _plain_path(pattern))]
        if not paths:
            return [Unprovable(f"{edit.entry}: its F: lines are patterns, and name no file")]
        return [Maintained(path, edit.entry) for path in paths]

    def lift(self, change: Change) -> Sequence[MaintainersEdit]:
        if change.path != FILE:
            return ()
        known = {s.title for s in read_maintainers(change.old)}
        touched = [
            s
            for s in read_maintainers(change.new)
            if any(s.start < end and start < s.end for start, end in change.added)
        ]
        return tuple(_lifted(s, change, new=s.title not in known) for s in touched)

    def _add_files(
        self, edit: MaintainersEdit, ground: Ground, data: bytes, section: Section
    ) -> Outcome:
        there = {file: by for file in edit.files if (by := covers(section, file))}
        missing = sorted({f for f in edit.files if f not in there})
        if not missing:
            first = there[edit.files[0]]
            place = Place(FILE, line_of(data, first.start))
            why = "" if first.value in edit.files else f"F: {first.value} covers it at {place}"
            return self.present(ground, place, anchor=edit.entry, reason=why)
        new, offset = data, len(data)
        for pattern in reversed(missing):
            at = _among_files(section, pattern)
            new, offset = (
                splice(new, at, _missing_newline(data, at) + _f_line(pattern)),
                min(offset, at),
            )
        line = line_of(new, offset + len(_missing_newline(data, offset)))
        text = b"".join(_f_line(pattern) for pattern in missing)
        return self.done(ground, FILE, new, line=line, anchor=edit.entry, text=text)

    def _add_section(
        self, edit: MaintainersEdit, ground: Ground, data: bytes, sections: tuple[Section, ...]
    ) -> Outcome:
        keys = [title_order(s.title) for s in sections]
        n, text = place_among(keys, title_order(edit.entry)), edit.section()
        if n < len(sections):
            offset, lead, tail = sections[n].start, b"", b"\n"
        else:
            offset = sections[-1].end
            lead, tail = _missing_newline(data, offset) + b"\n", b""
        new = splice(data, offset, lead + text + tail)
        line = line_of(new, offset + len(lead))
        return self.done(ground, FILE, new, line=line, anchor=edit.entry, text=text)

    def _no_entry(
        self, edit: MaintainersEdit, ground: Ground, data: bytes, sections: tuple[Section, ...]
    ) -> Outcome:
        by_title = {s.title.upper(): s for s in sections}
        close = difflib.get_close_matches(edit.entry.upper(), by_title, n=5)
        return self.conflict(
            ground,
            f"MAINTAINERS has no entry titled {edit.entry}"
            if sections
            else 'MAINTAINERS has no entries under a heading "Maintainers List"',
            hint='write its title as it stands there: entry = "…"; or make a new one:'
            ' status = "Maintained", maintainers = ["Name <address>"]',
            anchor=edit.entry,
            candidates=_offered(data, [by_title[title] for title in close]),
        )


def _refuse_malformed(edit: MaintainersEdit) -> None:
    values = (edit.entry, *edit.files, *edit.maintainers, *edit.reviewers, *edit.lists)
    for value in (*values, *([] if edit.status is None else [edit.status])):
        if value != value.strip() or not value or not value.replace("\t", " ").isprintable():
            raise KpatchError(
                f"{value!r} cannot stand in a line of MAINTAINERS",
                hint="write plain text on one line, without blanks around it",
            )
    if re.match(r"[A-Z]:", edit.entry):
        raise KpatchError(
            f"'{edit.entry}' reads as a tagged line, not as an entry's title",
            hint='give the title line alone: entry = "FOO DRIVER"',
        )
    if not edit.files:
        raise KpatchError(
            f"{edit.entry}: no file to add", hint='files = ["drivers/foo/rust_foo.rs"]'
        )
    if edit.status is not None and not (edit.maintainers or edit.lists):
        raise KpatchError(
            f"{edit.entry}: a new entry nobody answers for",
            hint='maintainers = ["Name <address>"]',
        )


def _lifted(section: Section, change: Change, *, new: bool) -> MaintainersEdit:
    """The entry as an edit: all of it where it is new, else the F: lines it got."""
    lines = [line for line in section.lines if new or change.adds(line.start)]

    def values(tag: str) -> tuple[str, ...]:
        return tuple(line.value for line in lines if line.tag == tag)

    return MaintainersEdit(
        where=change.where,
        entry=section.title,
        files=values("F"),
        maintainers=values("M"),
        reviewers=values("R"),
        lists=values("L"),
        status=next(iter(values("S")), None),
    )


def _among_files(section: Section, pattern: str) -> int:
    """Where `F: pattern` goes: in order among the F: lines, or behind all tags that precede F."""
    files = [line for line in section.lines if line.tag == "F"]
    if files:
        n = place_among([line.value for line in files], pattern)
        return files[n].start if n < len(files) else files[-1].end
    before = [line for line in section.lines if TAGS.find(line.tag) < TAGS.index("F")]
    return before[-1].end if before else section.lines[0].start


def _f_line(pattern: str) -> bytes:
    return f"F:\t{pattern}\n".encode()


def _missing_newline(data: bytes, offset: int) -> bytes:
    return b"" if data[:offset].endswith(b"\n") else b"\n"


def _plain_path(pattern: str) -> RepoPath | None:
    """`pattern` as the one file it names; None where it names a folder or many."""
    if re.search(r"[*?\[]|/$", pattern):
        return None
    try:
        return repo_path(pattern)
    except PathRefused:
        return None


def _offered(data: bytes, sections: Sequence[Section]) -> list[Candidate]:
    return [
        Candidate(Place(FILE, line_of(data, s.start)), s.title.encode(errors="replace").decode())
        for s in sections[:5]
    ]


MAINTAINERS = Maintainers()
