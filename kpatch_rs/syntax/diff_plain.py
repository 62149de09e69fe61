"""Any unified diff, with text around it, as the strict one git writes.

quilt, mails and hands write diffs without `diff --git` lines, with timestamps, with other numbers
of folders in front of the names and with text before, between and behind the files: patch(1) and
`git am` pass over all of it, and over what was a hunk once, too. Guarantees: every line is a
hunk's, a header's or the text's above the first file; or it is one that programs put around diffs
(syntax/diff_around.py), or named as left out, or the patch is refused. A hunk is as long as its @@
line says, and its lines are kept, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from kpatch_rs.model.path import show
from kpatch_rs.syntax.diff import DiffRefused
from kpatch_rs.syntax.diff_around import AGAIN, HUNK, damage, passed_over, preamble

_GIT_HEADER = re.compile(
    rb"(?:old mode|new mode|new file mode|deleted file mode|rename from|rename to|copy from|"
    rb"copy to|similarity index|dissimilarity index|index|Binary files|GIT binary patch)(?: |$)"
)
_KEPT = re.compile(rb"(?:old mode|new mode|new file mode|deleted file mode|index) ")
CR_LEFT_OUT = "the CR at the end of every line"


@dataclass(frozen=True, slots=True)
class Plain:
    """A patch file taken apart."""

    head: bytes
    """All that stands above the first file."""
    diff: bytes
    """The diff as git writes it; empty where there is none."""
    left_out: tuple[str, ...] = ()
    """What is in neither, in words."""


def plain_diff(name: str, data: bytes, strip: int = 1) -> Plain:
    """Read a patch file whose names have `strip` folders in front. Raises DiffRefused."""
    reader = _Reader(name, data.split(b"\n"), strip)
    head = reader.head()
    diff = b"".join(line + b"\n" for line in reader.files())
    return Plain(b"".join(line + b"\n" for line in head), diff, tuple(reader.left_out))


class _Reader:
    """The lines of a patch file, and where in them we are."""

    def __init__(self, name: str, lines: list[bytes], strip: int) -> None:
        self.name, self.strip = name, strip
        self.is_cut = bool(lines[-1])
        self.lines = lines if self.is_cut else lines[:-1]
        self.at = 0
        self.left_out: list[str] = []

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
            and bool(HUNK.match(self.line(n + 2)))
        )

    def next_file(self) -> int:
        """Where the next file's diff begins, from here on; the end where none does."""
        rest = range(self.at, len(self.lines))
        return next((n for n in rest if self.begins(n)), len(self.lines))

    def head(self) -> list[bytes]:
        """The text above the first file, without what diff and quilt write right above it."""
        first = self.next_file()
        if self.line(first).endswith(b"\r"):
            self.take_cr_off(first)
        for n in range(first):
            self.refuse_damage(n)
        self.at = first
        end = preamble(self.lines, 0, first) if first < len(self.lines) else first
        return self.lines[:end]

    def take_cr_off(self, first: int) -> None:
        """What patch(1) does, too, where a file's header has CR; but some lines with, some not."""
        for n in range(first, len(self.lines)):
            if not self.lines[n].endswith(b"\r"):
                self.refuse(
                    n,
                    f"this line ends in LF, and line {first + 1} in CR LF",
                    "give all its lines the same end: dos2unix makes it LF",
                )
        self.lines = [line.removesuffix(b"\r") for line in self.lines]
        self.left_out.append(CR_LEFT_OUT)

    def refuse_damage(self, n: int) -> None:
        """What was a diff once, and would be passed over now."""
        if found := damage(self.line(n), self.line(n + 1)):
            self.refuse(n, *found)

    def files(self) -> Iterator[bytes]:
        while self.at < len(self.lines):
            if not self.begins(self.at):
                self.between()
            elif self.line(self.at).startswith(b"diff --git "):
                yield from self.git_file()
            else:
                yield from self.plain_file([])

    def between(self) -> None:
        """Go on to the next file, or to the end; refuses text that nobody knows what to do with."""
        until = self.next_file()
        is_last = until == len(self.lines)
        end = until if is_last else preamble(self.lines, self.at, until)
        for n in range(self.at, end):
            self.refuse_damage(n)
        left, wrong = passed_over(self.lines, self.at, end, is_last=is_last)
        if wrong:
            self.refuse(wrong.line, wrong.why, wrong.hint)
        self.left_out += left
        self.at = until

    def git_file(self) -> Iterator[bytes]:
        """A file with a git header; one whose names have other prefixes gets them put right."""
        header = [self.line(self.at)]
        self.at += 1
        while _GIT_HEADER.match(self.line(self.at)):
            header.append(self.line(self.at))
            self.at += 1
            if header[-1] == b"GIT binary patch":
                break
        self.refuse_cut()
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
        found = HUNK.match(self.line(start + 2)) or self.refuse(start, "no hunk follows", AGAIN)
        # An emptied file goes away (quilt gives patch its -E), and diff dates a missing one 1970.
        made = found[1] == found[2] == b"0"
        gone = found[3] == found[4] == b"0"
        path = self.path(start, old, new, whole=made or gone)
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

    def path(self, n: int, old: bytes, new: bytes, *, whole: bool) -> bytes:
        """The name that both lines say; `whole`: the file is new, or goes away."""
        names = [None if x.startswith(b"/dev/null") else self.stripped(n, x) for x in (old, new)]
        if None in names and not whole:
            self.refuse(n, "/dev/null has no lines, and the hunk below it has some", AGAIN)
        one, *other = sorted((name for name in names if name is not None), key=len)
        if any(not name.startswith(one) for name in other):  # f.c.orig and f.c are one
            self.refuse(
                n,
                f"'{show(one)}' and '{show(other[0])}' are two files",
                f"say in the series file how many folders go: NAME.patch -p{int(not self.strip)}; a"
                " file that is renamed takes a git diff",
            )
        return one

    def stripped(self, n: int, stated: bytes) -> bytes:
        """The name without its first folders and without what diff writes behind it."""
        name = stated.split(b"\t", 1)[0].rstrip(b" ")
        if stated.endswith(b"\r"):
            self.refuse(n, "its name ends in CR", "give all lines the same end: dos2unix")
        parts = [part for part in name.split(b"/") if part]
        if name.startswith(b'"') or len(parts) <= self.strip:
            self.refuse(
                n,
                f"no name is left of '{name.decode(errors='replace')[:80]}' with -p{self.strip}",
                "say in quilt's file series how many folders go: NAME.patch -p0; for a mail, make"
                " it again: git format-patch --default-prefix",
            )
        return b"/".join(parts[self.strip :])

    def hunks(self) -> Iterator[bytes]:
        """All hunks that follow, and no line more."""
        while found := HUNK.match(self.line(self.at)):
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
                        AGAIN,
                    )
                old -= line[:1] in b" -"
                new -= line[:1] in b" +"
                yield line
                self.at += 1
            self.refuse_cut()
            if self.line(self.at).startswith(b"\\ "):
                yield self.line(self.at)
                self.at += 1

    def refuse_cut(self) -> None:
        """Refuse where the line just read is the last and has no end: half of it may be missing."""
        if self.is_cut and self.at == len(self.lines):
            self.refuse(
                self.at - 1,
                "the last line has no line end; is the patch cut off?",
                "make it again; where it is whole, put a line end behind it",
            )
