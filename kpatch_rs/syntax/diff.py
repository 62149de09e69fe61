"""A unified diff as git writes it, read into values, or refused with the line that is to blame.

unidiff reads the hunks. git's own header lines (renames, modes, blob names, C-quoted paths) are
read here, because unidiff takes copies for renames, splits names at ` b/`, leaves quoted names
quoted and lets combined diffs, ed scripts and text between hunks through without a word (measured
on 1.0.1). Guarantees: every line of the payload is accounted for; contents are bytes; paths have
passed `repo_path`; hunks are in order and do not overlap; no file is read or written twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk as UnidiffHunk
from unidiff.patch import PatchSet

from kpatch_rs.errors import KpatchError
from kpatch_rs.model.path import PathRefused, RepoPath, repo_path, show
from kpatch_rs.model.tree import Mode

HEADER_MAX = 4096
"""Longest header line in bytes; unidiff takes quadratic time on some longer ones."""

MAKE_IT = "make it with: git diff --full-index --default-prefix OLD NEW"

Change = Literal[" ", "-", "+"]


class DiffRefused(KpatchError):
    """A diff that does not say one thing only; names payload and line."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """One hunk. Lines carry their line ends; one without stands at the end of its file."""

    line: int
    """Where its @@ line stands in the payload, 1-based."""
    old_start: int
    """1-based line in the old file; with nothing old, the line before."""
    new_start: int
    body: tuple[tuple[Change, bytes], ...]
    heading: bytes = b""
    """What stands behind its second @@: where in the file it was made, or nothing."""

    @property
    def old(self) -> tuple[bytes, ...]:
        """What the hunk looks for."""
        return tuple(text for change, text in self.body if change != "+")

    @property
    def new(self) -> tuple[bytes, ...]:
        """What stands there afterwards."""
        return tuple(text for change, text in self.body if change != "-")

    @property
    def context(self) -> bool:
        """Whether it has any line that stays."""
        return any(change == " " for change, _ in self.body)

    @property
    def leading(self) -> int:
        """How many lines of context come before the first change."""
        return next(n for n, (change, _) in enumerate(self.body) if change != " ")

    @property
    def trailing(self) -> int:
        """How many lines of context come after the last change."""
        return next(n for n, (change, _) in enumerate(reversed(self.body)) if change != " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """What a diff does to one file."""

    line: int
    """Where its `diff --git` line stands in the payload, 1-based."""
    old: RepoPath | None
    """None: the file is new."""
    new: RepoPath | None
    """None: the file goes away."""
    old_mode: Mode | None = None
    """None: not said."""
    new_mode: Mode | None = None
    old_blob: str = ""
    """Hex prefix of the old content's blob; '' where the diff does not say or there is none."""
    new_blob: str = ""
    hunks: tuple[Hunk, ...] = ()

    @property
    def about(self) -> tuple[bytes, ...]:
        """The lines it takes out; where it only adds, those it looks for."""
        out = [text for hunk in self.hunks for change, text in hunk.body if change == "-"]
        return tuple(out or (text for hunk in self.hunks for text in hunk.old))

    @property
    def path(self) -> RepoPath:
        """The name to call it by: the new one, or the one it had."""
        path = self.new or self.old
        assert path is not None  # noqa: S101  # _names gives at least one
        return path


def read_diff(name: str, data: bytes) -> tuple[FileDiff, ...]:
    """Return what the payload `name` does, file by file. Raises DiffRefused."""
    return _Reader(name, data.split(b"\n")).files()


_HEADER = re.compile(
    rb"(old mode|new mode|new file mode|deleted file mode|rename from|rename to|"
    rb"similarity index|dissimilarity index|index|---|\+\+\+) (.*)"
)
_NOT_OURS = (
    (b"copy from ", "copies a file", "write the copy as a new file: git diff --no-renames"),
    (b"copy to ", "copies a file", "write the copy as a new file: git diff --no-renames"),
    (b"Binary files ", "changes a binary file", "a patch edit holds text only"),
    (b"GIT binary patch", "changes a binary file", "a patch edit holds text only"),
    (b"diff --cc ", "is a combined diff", "give the diff against one parent"),
    (b"diff --combined ", "is a combined diff", "give the diff against one parent"),
    (b"@@@ ", "is a combined diff", "give the diff against one parent"),
    (b"From ", "is a mail, not a diff", "keep only what follows the first 'diff --git' line"),
    (b"--- ", "has no 'diff --git' line before it", MAKE_IT),
)
_HUNK = re.compile(rb"@@ -(\d{1,9})(,\d{1,9})? \+(\d{1,9})(,\d{1,9})? @@(?: .*)?", re.DOTALL)
_INDEX = re.compile(rb"([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: (\d{6}))?")
_ESCAPES = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}
_ESCAPE = re.compile(rb'\\([0-3][0-7]{2}|[abtnvfr"\\])')
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')

_Fields = dict[bytes, tuple[int, bytes]]
"""A file's header lines: the payload line and the value, by what the line begins with."""


class _Reader:
    """One payload, cut into the parts that belong to one file each."""

    def __init__(self, name: str, lines: list[bytes]) -> None:
        self.name = name
        self.lines = lines

    def refuse(self, line: int, why: str, hint: str = MAKE_IT) -> NoReturn:
        raise DiffRefused(f"{self.name}:{line}: {why}", hint=hint)

    def files(self) -> tuple[FileDiff, ...]:
        if self.lines.pop():
            self.refuse(len(self.lines) + 1, "the last line has no line end; is the diff cut off?")
        starts = [n for n, text in enumerate(self.lines) if text.startswith(b"diff --git ")]
        for n, text in enumerate(self.lines[: starts[0] if starts else None]):
            if text.strip():
                self.refuse_text(n + 1, text)
        if not starts:
            self.refuse(1, "there is no diff in it")
        ends = [*starts[1:], len(self.lines)]
        files = tuple(self.file(*part) for part in zip(starts, ends, strict=True))
        self.refuse_twice(files)
        return files

    def refuse_text(self, line: int, text: bytes) -> NoReturn:
        """Say what a line is that has no business where it stands."""
        for start, why, hint in _NOT_OURS:
            if text.startswith(start):
                self.refuse(line, f"the diff {why}", hint)
        self.refuse(line, f"'{show(text[:60])}' is no line of a git diff")

    def refuse_twice(self, files: Sequence[FileDiff]) -> None:
        """A path is read once and written once; only a deletion may make room for a new file."""
        read: dict[RepoPath, FileDiff] = {}
        written: dict[RepoPath, FileDiff] = {}
        for file in files:
            for path, seen in ((file.old, read), (file.new, written)):
                if path is not None and (first := seen.setdefault(path, file)) is not file:
                    why = f"{show(path)} was changed at line {first.line} already"
                    self.refuse(file.line, why)
        for path in sorted(read.keys() & written.keys()):
            one, other = read[path], written[path]
            if one is not other and (one.new is not None or other.old is not None):
                why = f"{show(path)} is renamed, and changed at line {other.line} too"
                self.refuse(one.line, why, "make it without -B, or as two recipes")

    def file(self, start: int, end: int) -> FileDiff:
        fields, body = self.header(start, end)
        line = start + 1
        self.refuse_halves(line, fields, body < end)
        old, new = self.names(line, fields)
        old_blob, new_blob, both = self.index(fields)
        file = FileDiff(
            line=line,
            old=old,
            new=new,
            old_mode=self.mode(fields, b"old mode", b"deleted file mode")
            or (both if old else None),
            new_mode=self.mode(fields, b"new mode", b"new file mode") or (both if new else None),
            old_blob=old_blob if old else "",
            new_blob=new_blob if new else "",
            hunks=tuple(self.hunks(body, end)) if body < end else (),
        )
        self.refuse_idle(file)
        return file

    def header(self, start: int, end: int) -> tuple[_Fields, int]:
        """The header's fields, and where the hunks begin."""
        fields: _Fields = {b"diff --git": (start + 1, self.lines[start][len(b"diff --git ") :])}
        for n in range(start, end):
            text = self.lines[n]
            if text.startswith(b"@@ "):
                return fields, n
            if len(text) > HEADER_MAX:
                self.refuse(n + 1, f"a header line of more than {HEADER_MAX} bytes")
            if n == start or not text:
                continue
            found = _HEADER.fullmatch(text)
            if not found or found[1] in fields:
                self.refuse_text(n + 1, text)
            fields[found[1]] = (n + 1, found[2])
        return fields, end

    def refuse_halves(self, line: int, fields: _Fields, has_hunks: bool) -> None:
        """What comes in twos, or not together, must do so."""
        for one, other in ((b"rename from", b"rename to"), (b"old mode", b"new mode")):
            if (one in fields) != (other in fields):
                self.refuse(line, f"'{one.decode()}' and '{other.decode()}' come together only")
        if sum(field in fields for field in (b"rename from", *_GONE)) > 1:
            self.refuse(line, "the file is new, deleted or renamed: more than one of these")
        if not (b"---" in fields) == (b"+++" in fields) == has_hunks:
            self.refuse(line, "hunks and the lines '---' and '+++' come together only")

    def names(self, line: int, fields: _Fields) -> tuple[RepoPath | None, RepoPath | None]:
        """Both names, as every line that states one agrees on them."""
        pairs = list(_splits(fields[b"diff --git"][1]))
        if b"rename from" in fields and b"rename to" in fields:
            was, now = (unquoted(fields[f][1]) for f in (b"rename from", b"rename to"))
            pairs = [pair for pair in pairs if pair == (b"a/" + was, b"b/" + now)]
        else:
            pairs = [(a, b) for a, b in pairs if a[:2] == b"a/" and b == b"b/" + a[2:]]
        if len(pairs) != 1:
            self.refuse(line, "its names do not agree, or have no a/ and b/ in front")
        stated = [
            None if gone in fields else name for gone, name in zip(_GONE, pairs[0], strict=True)
        ]
        for field, name in zip((b"---", b"+++"), stated, strict=True):
            if field in fields and _file_line(fields[field][1]) != (name or b"/dev/null"):
                self.refuse(fields[field][0], "names another file than the lines above it")
        old, new = (self.path(line, name[2:]) if name else None for name in stated)
        return old, new

    def path(self, line: int, raw: bytes) -> RepoPath:
        try:
            return repo_path(raw)
        except PathRefused as error:
            self.refuse(line, error.message, error.hint)

    def mode(self, fields: _Fields, *names: bytes) -> Mode | None:
        for name in names:
            if name in fields:
                line, value = fields[name]
                return self.known_mode(line, value)
        return None

    def known_mode(self, line: int, value: bytes) -> Mode:
        modes: dict[bytes, Mode] = {m.encode(): m for m in ("100644", "100755", "120000")}
        if value not in modes:
            hint = "only 100644, 100755 and 120000 are taken"
            self.refuse(line, f"'{show(value[:20])}' is no mode of a file", hint)
        return modes[value]

    def index(self, fields: _Fields) -> tuple[str, str, Mode | None]:
        """Both blobs, and the mode that a file which keeps its mode has."""
        if b"index" not in fields:
            return "", "", None
        line, value = fields[b"index"]
        found = _INDEX.fullmatch(value)
        if not found:
            self.refuse(line, "not an index line as git writes it")
        mode = self.known_mode(line, found[3]) if found[3] else None
        return found[1].decode(), found[2].decode(), mode

    def hunks(self, start: int, end: int) -> Iterator[Hunk]:
        """The hunks in lines `start` to `end`, each line of them accounted for."""
        at, past_old, past_new, ended = start, 0, 0, [False, False]
        for read in self.parsed(start, end):
            if not self.lines[at].startswith(b"@@ "):
                self.refuse_text(at + 1, self.lines[at])
            first_old = read.source_start + (read.source_length == 0)
            first_new = read.target_start + (read.target_length == 0)
            if first_old < past_old or first_new < past_new:
                self.refuse(at + 1, "the hunk overlaps the one before it, or stands before it")
            body, heading = self.body(at, read, ended), read.section_header.encode("latin-1")
            yield Hunk(at + 1, read.source_start, read.target_start, body, heading.strip())
            past_old, past_new = first_old + read.source_length, first_new + read.target_length
            at += 1 + len(read)
        if at < end:
            self.refuse_text(at + 1, self.lines[at])

    def parsed(self, start: int, end: int) -> list[UnidiffHunk]:
        """What unidiff makes of the lines, once they can do it no harm."""
        for n in range(start, end):
            text = self.lines[n]
            hunk_line = text.startswith(b"@@ ")
            if hunk_line and (len(text) > HEADER_MAX or not _HUNK.fullmatch(text)):
                self.refuse(n + 1, "not a hunk's @@ line as git writes it")
            if not hunk_line and text[:1] not in (b"", b" ", b"+", b"-", b"\\"):
                self.refuse_text(n + 1, text)
        area = iter(text.decode("latin-1") + "\n" for text in self.lines[start:end])
        framed = _framed(area)
        try:
            return list(PatchSet(framed)[0])
        except (UnidiffParseError, ValueError, RecursionError) as error:
            left = sum(1 for _ in area)
            self.refuse(end - left, f"the hunk is damaged: {str(error).strip()[:80]}")

    def body(
        self, at: int, hunk: UnidiffHunk, ended: list[bool]
    ) -> tuple[tuple[Change, bytes], ...]:
        """The hunk's lines; `ended` says which side, old and new, has met the end of its file."""
        body: list[tuple[Change, bytes]] = []
        marker_fits = False
        for n, read in enumerate(hunk, at + 2):
            change = read.line_type
            if change == "\\":
                if not marker_fits:
                    self.refuse(n, "a '\\ No newline' marker that belongs to no line")
                kind, text = body[-1]
                body[-1] = (kind, text[:-1])
                ended[:] = [e or kind in side for e, side in zip(ended, _SIDES, strict=True)]
            elif change in _CHANGES:
                if any(e and change in side for e, side in zip(ended, _SIDES, strict=True)):
                    self.refuse(n, "a line after the file's last one")
                body.append((_CHANGES[change], read.value.encode("latin-1")))
            marker_fits = change in _CHANGES
        if all(change == " " for change, _ in body):
            self.refuse(at + 1, "the hunk changes nothing")
        return tuple(body)

    def refuse_idle(self, file: FileDiff) -> None:
        """Where a file has no hunks, its header must say what happens to it."""
        whole = file.old is None or file.new is None
        if whole and len(file.hunks) > 1:
            self.refuse(file.hunks[1].line, "a second hunk in a file that is new or deleted")
        if file.hunks and (
            (file.old is None and file.hunks[0].old) or (file.new is None and file.hunks[0].new)
        ):
            self.refuse(file.hunks[0].line, "old text in a new file, or new text in a deleted one")
        mode_kept = file.old_mode == file.new_mode
        if not file.hunks and not whole and file.old == file.new and mode_kept:
            self.refuse(file.line, f"nothing happens to {show(file.path)}")


_CHANGES: dict[str, Change] = {" ": " ", "-": "-", "+": "+"}
_GONE = (b"new file mode", b"deleted file mode")
_SIDES: tuple[tuple[str, ...], ...] = ((" ", "-"), (" ", "+"))


def _framed(area: Iterator[str]) -> Iterator[str]:
    """The hunks under a header that unidiff reads without guessing."""
    yield "--- a/file\n"
    yield "+++ b/file\n"
    yield from area


def _splits(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The pairs of names that `diff --git` may state: git leaves names with spaces unquoted."""
    if found := _QUOTED.match(text):
        yield unquoted(found[0]), unquoted(text[found.end() + 1 :])
    elif text.endswith(b'"') and b' "' in text:
        first, _, second = text.partition(b' "')
        yield first, unquoted(b'"' + second)
    else:
        for found in re.finditer(rb" b/", text):
            yield text[: found.start()], text[found.start() + 1 :]


def _file_line(value: bytes) -> bytes:
    """The name on a --- or +++ line; git ends it with a tab where it has a space."""
    return unquoted(value.removesuffix(b"\t"))


def unquoted(name: bytes) -> bytes:
    """`name` without git's C quoting (core.quotePath)."""
    if not _QUOTED.fullmatch(name):
        return name
    return _ESCAPE.sub(
        lambda m: bytes([_ESCAPES[m[1]] if m[1] in _ESCAPES else int(m[1], 8)]), name[1:-1]
    )
