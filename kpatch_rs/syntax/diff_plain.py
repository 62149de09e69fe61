"""Any unified diff, with text around it, as the strict one git writes.

quilt, mails and hands write diffs without `diff --git` lines, with timestamps, with other numbers
of folders in front of the names and with text before, between and behind the files: patch(1) and
`git am` pass over all of it. So does this, by the same rule: a hunk is as long as its @@ line says.
Guarantees: every line that belongs to a hunk is kept, byte for byte; what looks like a hunk's line
behind its end is refused, because then the @@ line lies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from kpatch_rs.syntax.diff import DiffRefused

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_GIT_HEADER = re.compile(
    rb"(?:old mode|new mode|new file mode|deleted file mode|rename from|rename to|copy from|"
    rb"copy to|similarity index|dissimilarity index|index|Binary files|GIT binary patch)(?: |$)"
)
_KEPT = re.compile(rb"(?:old mode|new mode|new file mode|deleted file mode|index) ")
_AGAIN = "make the patch again: its hunks are cut off or edited by hand"


@dataclass(frozen=True, slots=True)
class Plain:
    """A patch file taken apart."""

    head: bytes
    """All that stands above the first file."""
    diff: bytes
    """The diff as git writes it; empty where there is none."""


def plain_diff(name: str, data: bytes, strip: int = 1) -> Plain:
    """Read a patch file whose names have `strip` folders in front. Raises DiffRefused."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    reader = _Reader(name, lines, strip)
    first = next((n for n in range(len(lines)) if reader.begins(n)), len(lines))
    reader.at = first
    diff = b"".join(line + b"\n" for line in reader.files())
    return Plain(b"".join(line + b"\n" for line in lines[:first]), diff)


class _Reader:
    """The lines of a patch file, and where in them we are."""

    def __init__(self, name: str, lines: list[bytes], strip: int) -> None:
        self.name, self.lines, self.strip = name, lines, strip
        self.at = 0

    def refuse(self, line: int, why: str, hint: str) -> NoReturn:
        raise DiffRefused(f"{self.name}:{line + 1}: {why}", hint=hint)

    def line(self, n: int) -> bytes:
        return self.lines[n] if n < len(self.lines) else b""

    def begins(self, n: int) -> bool:
        """Whether a file's diff begins here, with a git header or without."""
        line = self.line(n)
        if line.startswith(b"diff --git "):
            return True
        return (
            line.startswith(b"--- ")
            and self.line(n + 1).startswith(b"+++ ")
            and bool(_HUNK.match(self.line(n + 2)))
        )

    def files(self) -> Iterator[bytes]:
        while self.at < len(self.lines):
            if not self.begins(self.at):
                self.at += 1
            elif self.line(self.at).startswith(b"diff --git "):
                yield from self.git_file()
            else:
                yield from self.plain_file([])

    def git_file(self) -> Iterator[bytes]:
        """A file with a git header; one whose names have other prefixes gets them put right."""
        header = [self.line(self.at)]
        self.at += 1
        while _GIT_HEADER.match(self.line(self.at)):
            header.append(self.line(self.at))
            self.at += 1
            if header[-1] == b"GIT binary patch":
                break
        if not self.begins(self.at) or self.line(self.at).startswith(b"diff --git "):
            yield from header
        elif self.strip == 1 and header[0].startswith((b"diff --git a/", b'diff --git "a/')):
            yield from header
            yield from self.lines[self.at : self.at + 2]
            self.at += 2
            yield from self.hunks()
        else:
            yield from self.plain_file([line for line in header[1:] if _KEPT.match(line)])

    def plain_file(self, header: list[bytes]) -> Iterator[bytes]:
        """A file without git's header, or with one to be written anew around its mode lines."""
        start = self.at
        old, new = self.line(start)[4:], self.line(start + 1)[4:]
        found = _HUNK.match(self.line(start + 2)) or self.refuse(start, "no hunk follows", _AGAIN)
        # An emptied file goes away (quilt gives patch its -E), and diff dates a missing one 1970.
        made = found[1] == found[2] == b"0"
        gone = found[3] == found[4] == b"0"
        path = self.path(start, old if new.startswith(b"/dev/null") else new)
        yield b"diff --git a/%s b/%s" % (path, path)
        if made and not any(line.startswith(b"new file mode") for line in header):
            yield b"new file mode 100644"
        if gone and not any(line.startswith(b"deleted file mode") for line in header):
            yield b"deleted file mode 100644"
        yield from header
        tab = b"\t" if b" " in path else b""
        yield b"--- /dev/null" if made else b"--- a/%s%s" % (path, tab)
        yield b"+++ /dev/null" if gone else b"+++ b/%s%s" % (path, tab)
        self.at += 2
        yield from self.hunks()

    def path(self, n: int, stated: bytes) -> bytes:
        """The name without its first folders and without what diff writes behind it."""
        name = stated.split(b"\t", 1)[0].rstrip()
        parts = [part for part in name.split(b"/") if part]
        if name.startswith(b'"') or len(parts) <= self.strip:
            self.refuse(
                n,
                f"no name is left of '{name.decode(errors='replace')[:80]}' with -p{self.strip}",
                "say in the series file how many folders go: NAME.patch -p0",
            )
        return b"/".join(parts[self.strip :])

    def hunks(self) -> Iterator[bytes]:
        """All hunks that follow, and no line more."""
        while found := _HUNK.match(self.line(self.at)):
            start = self.at
            yield self.line(start)
            self.at += 1
            old, new = (1 if found[n] is None else int(found[n]) for n in (2, 4))
            while old > 0 or new > 0:
                line = self.line(self.at) or b" "
                if self.at >= len(self.lines) or line[:1] not in b" +-\\":
                    self.refuse(
                        self.at,
                        f"the hunk of line {start + 1} is not as long as its @@ line says",
                        _AGAIN,
                    )
                old -= line[:1] in b" -"
                new -= line[:1] in b" +"
                yield line
                self.at += 1
            if self.line(self.at).startswith(b"\\ "):
                yield self.line(self.at)
                self.at += 1
        self.refuse_longer()

    def refuse_longer(self) -> None:
        line = self.line(self.at)
        of_hunk = line.startswith((b"+", b"-", b" ")) and line.strip() not in (b"--", b"---")
        if of_hunk and not self.begins(self.at) and not line.startswith(b"-- "):
            self.refuse(
                self.at,
                "a line behind the end of its hunk",
                _AGAIN,
            )
