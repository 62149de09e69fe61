"""What may stand around the files of a diff, and what may not.

`git apply` and patch(1) pass over all they do not know. That loses a file whose @@ line went away,
and the half of a message that stands behind a diff quoted in it. Known here is what programs
write around diffs and nobody misses: `Index:` and `diff -u` lines, the signature of a mail, what
git format-patch --base and b4 put below the last file. All else is named, or refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kpatch_rs.model.path import show

HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
"""A hunk's first line: start and length on both sides."""
AGAIN = "make the patch again: its hunks are cut off or edited by hand"

_PREAMBLE = re.compile(rb"Index: .*|=+|diff (?!--git ).*|\s*")
_FOOTER = re.compile(rb"(?:base-commit|base-tree|change-id|prerequisite-[a-z-]+): \S+|---\s*|\s*")
_SIGNED = re.compile(rb"[A-Za-z][A-Za-z-]*-by: .*<.*@.*>")
_SIGNATURE = (b"-- ", b"--")
_VERSION = re.compile(rb"\d+\.\d[\w.+-]*(?: \(.*\))?\s*")
"""Git's own, which is what it signs a mail with."""
_NO_SIGNATURE = re.compile(rb"\+|-(?!-)|@@ |--- \S|diff --git |Index: ")
_CHANGES = (b"+", b"-", b" ", b"\\", b"@@ ")
_NO_TEXT = (*_CHANGES, b"Index: ", b"diff ")
_BINARY = re.compile(rb"Binary files .* and .* differ")
_LOST = "make the patch again; where it is text that quotes a diff, indent it by a blank"
_INDENT = (
    "where it is text, put it above the diffs, and indent a diff that the text quotes; git am and"
    " patch take what looks like a diff for one, and pass over the rest"
)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line that must not stand where it does."""

    line: int
    """Its index."""
    why: str
    hint: str


def damage(line: bytes, below: bytes) -> tuple[str, str] | None:
    """What a line was once, that is the beginning of no file's diff now; and what helps."""
    if line.startswith(b"--- ") and below.startswith(b"+++ "):
        return f"'{show(line[:80])}' is followed by no @@ line", _LOST
    if line.startswith(b"+++ ") and below.startswith(_CHANGES):
        return f"'{show(line[:80])}' has no line '--- ' above it, or no @@ line below it", _LOST
    if line.startswith((b"diff --cc ", b"diff --combined ")):
        return "the diff is a merge's, from several parents", "make it from one: git diff OLD NEW"
    if HUNK.match(line):
        return "a hunk that belongs to no file: no lines '--- ' and '+++ ' above it", _LOST
    if line.startswith(b"*** ") and below.startswith(b"--- "):
        return "the diff is no unified one", "make it again with diff -u, or with git diff"
    if _BINARY.fullmatch(line) or line == b"GIT binary patch":
        return "the diff changes a binary file", "leave it out: kpatch-rs keeps no binary files"
    return None


def preamble(lines: Sequence[bytes], start: int, end: int) -> int:
    """Where the lines begin that diff, quilt and svn write right above the file at `end`."""
    first = end
    for n in range(end - 1, start - 1, -1):
        if not _PREAMBLE.fullmatch(lines[n]):
            break
        if lines[n].startswith((b"Index: ", b"diff ")):
            first = n
    return first


def passed_over(
    lines: Sequence[bytes], start: int, end: int, *, is_last: bool
) -> tuple[list[str], Wrong | None]:
    """What is left out of the lines behind a file, in words, or the first that must not be there.

    `is_last`: no other file follows.
    """
    left: list[str] = []
    text: list[int] = []
    signature = next((n for n in range(start, end) if is_last and lines[n] in _SIGNATURE), end)
    for n in _unknown(lines, start, end):
        line = lines[n]
        if n > signature and not _NO_SIGNATURE.match(line):
            text.append(n)
        elif line.startswith(b"Only in "):
            left.append(f"line {n + 1}, '{show(line[:80])}': the diff does not show that file")
        elif not is_last or line.startswith(_NO_TEXT) or _SIGNED.match(line):
            return left, _wrong(n, line)
        else:
            text.append(n)
    if text:
        words = show(lines[text[0]][:60])
        which = f"line {text[0] + 1}" if len(text) == 1 else f"lines {text[0] + 1}-{text[-1] + 1}"
        left.append(f"{which}, below the diff: '{words}'{' …' if len(text) > 1 else ''}")
    return left, None


def _wrong(n: int, line: bytes) -> Wrong:
    if line.startswith(_CHANGES):
        return Wrong(n, "a line behind the end of its hunk", AGAIN)
    return Wrong(n, f"'{show(line[:60])}' stands behind a diff and belongs to none", _INDENT)


def _unknown(lines: Sequence[bytes], start: int, end: int) -> Iterator[int]:
    """The lines that are none which programs write."""
    n = start
    while n < end:
        line = lines[n]
        if line in _SIGNATURE:
            n += n + 1 < end and bool(_VERSION.fullmatch(lines[n + 1]))
        elif line == b"-----BEGIN PGP SIGNATURE-----":
            n = next((x for x in range(n, end) if lines[x].startswith(b"-----END PGP ")), n)
        elif not _FOOTER.fullmatch(line):
            yield n
        n += 1
