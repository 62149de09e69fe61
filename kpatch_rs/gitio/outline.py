"""The outline of a part of a kernel: what its C files declare, kept from one run to the next.

Reading every C file of a kernel takes git seconds, whatever it looks for; nearly all of that is
unpacking. So the first search of a part takes out all lines that any later one can ask for, also in
another kernel that has the same part.

Guarantees: an outline is whole or counts as not there: it is written beside and renamed, and what
another writer, a full disk or a crash left of it fails its checksum and is made again. Without a
folder that can be written, searches only take longer. At most KEPT bytes stay.
"""

from __future__ import annotations

import mmap
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax.diff import unquoted

LINES = "^([[:alnum:]_].*|[[:blank:]]*#[[:blank:]]*define[[:blank:]]+[[:alnum:]_]+)"
"""What an outline has of a file: the lines that begin at the left margin, where a function has its
name and a prototype too, and the names of macros. Means the same to PCRE and to POSIX."""

KEPT = 768 * 1024 * 1024
"""Bytes; one of Linux 7.2 has 76 MB for sources and 60 MB for headers."""

_EDITION = f"{zlib.crc32(LINES.encode()):08x}"
"""Part of a file's name, so that another kpatch-rs with other LINES reads none of these."""
_SUM = 8
"""Hex digits of CRC-32 at a file's end."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Which files an outline is of."""

    tree: Oid
    named: str
    """What their names are like: `*.c`."""
    since: Oid | None = None
    """Only those that are not just so in this tree."""

    @property
    def file(self) -> str:
        """The file's name that it is kept under."""
        since = f"-{self.since}" if self.since else ""
        return f"{self.tree}{since}.{_EDITION}{self.named.removeprefix('*')}"


@dataclass(frozen=True, slots=True)
class Outline:
    """The outline of some of a tree's files, as `git grep --heading` prints it."""

    tree: Oid
    data: bytes | mmap.mmap

    def naming(self, name: bytes) -> Iterator[RepoPath]:
        """The files in whose outline `name` stands as a whole word, or in whose path it does."""
        word = re.compile(rb"(?<!\w)%s(?!\w)" % re.escape(name))
        heading = self.tree.encode() + b":"
        at = 0
        while name and (at := self.data.find(name, at)) >= 0:
            if not word.match(self.data, at):
                at += 1
                continue
            start = max(self.data.rfind(heading, 0, at), 0) + len(heading)
            yield RepoPath(unquoted(self.data[start : self.data.find(b"\n", start)]))
            at = self.data.find(heading, at + 1)
            if at < 0:
                return


class Outlines:
    """The outlines that this run and earlier ones left in `folder`."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._read: dict[Extent, Outline] = {}

    def kept(self, extent: Extent) -> Outline | None:
        """The outline of these files, if it is there."""
        known = self._read.get(extent)
        if known or self.folder is None or not (data := _mapped(self.folder / extent.file)):
            return known
        return self._read.setdefault(extent, Outline(extent.tree, data))

    def keep(self, extent: Extent, lines: bytes) -> Outline:
        """Have the outline there for later, in the folder if that can be; drop those least used."""
        if self.folder:
            with suppress(OSError):
                _write(self.folder / extent.file, lines)
                _drop_oldest(self.folder)
        return self.kept(extent) or self._read.setdefault(extent, Outline(extent.tree, lines))


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as fresh:
        path = Path(fresh.name)
        try:
            fresh.write(data)
            fresh.write(b"%08x" % zlib.crc32(data))
            fresh.close()
            path.replace(file)
        finally:
            path.unlink(missing_ok=True)


def _mapped(file: Path) -> mmap.mmap | None:
    """The file in memory, which takes none of ours; None where it is not whole."""
    try:
        with file.open("rb") as opened:
            data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        file.touch()  # the oldest go first
    except (OSError, ValueError):  # not there; empty
        return None
    with memoryview(data) as whole:
        right = b"%08x" % zlib.crc32(whole[:-_SUM]) == data[-_SUM:]
    return data if right else None


def _drop_oldest(folder: Path) -> None:
    kept = 0
    stats = ((file, file.stat()) for file in folder.iterdir())
    for file, stat in sorted(stats, key=lambda found: -found[1].st_mtime_ns):
        kept += stat.st_size
        if kept > KEPT:
            file.unlink(missing_ok=True)
