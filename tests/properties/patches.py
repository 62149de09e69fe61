"""Random patches of files whose lines repeat, and what git makes of them: many files to one git.

Guarantees: files are told apart by their names, so that one `git diff`, one `git apply` and one
`git apply -R` do for all; what a file should become by its patch is known.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CEILING_DIRECTORIES": "/",
}
_HUNK = re.compile(rb"(?m)^@@ -(\d+)((?:,\d+)?) \+(\d+)((?:,\d+)?) @@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A file, what a patch makes of it, and what upstream made of it meanwhile, or the same."""

    name: str
    base: bytes
    new: bytes
    drifted: bytes
    shift: int
    """By how many lines the numbers of the diff are wrong."""
    named: bool
    """Whether the diff says which blobs it was made from."""
    diff: bytes = b""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What git makes of a case; None where it refuses."""

    base: Sequence[bytes | None]
    """By `git apply`, with and without --unidiff-zero."""
    back: Sequence[bytes | None]
    """The same with -R: what can be taken out of the base says nothing about what is in it."""
    drifted: Sequence[bytes | None]
    drifted_back: Sequence[bytes | None]


def case(name: str, seed: int) -> Case | None:
    """The case of that number; None where nothing is left to change."""
    chance = random.Random(seed)  # noqa: S311
    end = chance.choice([b"\n", b"\n", b"\n", b"\r\n"])
    words = [b"w%d" % n for n in range(chance.choice([2, 4, 9, 30]))]
    lines = [chance.choice(words) for _ in range(chance.randint(0, 30))]
    new = _edited(chance, _edited(chance, lines, words, 1), words, chance.randint(0, 3))
    drifted = _edited(chance, lines, words, chance.randint(0, 3))
    shift = chance.choice([0, 0, 0, 1, 2, 7, -1, -3])
    whole = chance.random() < 0.8
    texts = [_text(chance, side, end, whole) for side in (lines, new, drifted)]
    if texts[0] == texts[1] or not all(texts):
        return None
    base, wanted, there = texts
    named = chance.random() < 0.7
    there = wanted if chance.random() < 0.1 else there
    return Case(name=name, base=base, new=wanted, drifted=there, shift=shift, named=named)


def _edited(
    chance: random.Random, lines: Sequence[bytes], words: Sequence[bytes], times: int
) -> list[bytes]:
    """`lines` after some edits, those that double a line more often than not."""
    out = list(lines)
    for _ in range(times):
        at = chance.randint(0, len(out))
        some = out[at : at + chance.randint(1, 3)]
        how = chance.randrange(6)
        if how <= 1:
            out[at:at] = some
        elif how == 2:
            del out[at : at + len(some)]
        elif how == 3:
            out[at : at + 1] = [chance.choice(words)]
        elif how == 4:
            out[at:at] = [b"new%d" % chance.randrange(4)]
        else:
            out[at : at + len(some)] = some[::-1] + some[:1]
    return out


def _text(chance: random.Random, lines: Sequence[bytes], end: bytes, whole: bool) -> bytes:
    text = b"".join(line + end for line in lines)
    return text if whole or chance.random() < 0.5 else text.removesuffix(b"\n")


class Gits:
    """One repository with the base, the patched and the drifted files of all cases."""

    def __init__(self, folder: Path, cases: Sequence[Case]) -> None:
        self.folder, self.cases = folder, cases
        self.git("init", "-q", "--bare", str(folder / "repo"))
        self.git("fast-import", "--quiet", at="repo", data=b"".join(self._stream()))

    def git(
        self, *words: str, at: str = "", data: bytes = b"", codes: Sequence[int] = (0,)
    ) -> bytes:
        run = subprocess.run(
            ["git", *words],
            cwd=self.folder / at,
            env=ENV,
            input=data,
            capture_output=True,
            check=False,
        )
        assert run.returncode in codes, run.stderr
        return run.stdout

    def _stream(self) -> Iterator[bytes]:
        who = b"committer A <a@b> 0 +0000\ndata 0\n"
        for mark, side in enumerate(("base", "new"), 1):
            yield b"commit refs/heads/%s\nmark :%d\n%s" % (side.encode(), mark, who)
            yield b"from :1\n" if mark > 1 else b""
            for each in self.cases:
                text: bytes = getattr(each, side)
                yield b"M 644 inline %s\ndata %d\n%s\n" % (each.name.encode(), len(text), text)

    def diffs(self, context: int) -> list[Case]:
        """The cases with their diffs, as git writes them with so many lines of context."""
        how = ("--full-index", f"-U{context}", "--text", "--no-renames")
        whole = self.git("-c", "core.quotePath=false", "diff", *how, "base", "new", at="repo")
        parts = re.split(rb"(?m)^(?=diff --git )", whole)[1:]
        by_name = {part.split(b" ", 3)[2][2:].decode(): part for part in parts}
        return [replace(c, diff=_told(c, by_name[c.name])) for c in self.cases]

    def verdicts(self, cases: Sequence[Case]) -> list[Verdict]:
        """What git makes of each."""
        zero = "--unidiff-zero"
        base, drifted = ({c.name: getattr(c, s) for c in cases} for s in ("base", "drifted"))
        diff = b"".join(c.diff for c in cases)
        ways = [
            [self._applied(files, diff, *back, *how) for how in ((), (zero,))]
            for files in (base, drifted)
            for back in ((), ("-R",))
        ]
        return [Verdict(*([way.get(c.name) for way in both] for both in ways)) for c in cases]

    def _applied(self, files: Mapping[str, bytes], diff: bytes, *how: str) -> dict[str, bytes]:
        """The files that the diff goes into as a whole, with it."""
        tree = self.folder / f"tree{len(list(self.folder.iterdir()))}"
        tree.mkdir()
        for name, text in files.items():
            (tree / name).write_bytes(text)
        words = ("apply", "--reject", "--whitespace=nowarn", *how)
        self.git(*words, at=tree.name, data=diff, codes=(0, 1))
        refused = {name for name in files if (tree / f"{name}.rej").exists()}
        there = [name for name in files if name not in refused and (tree / name).exists()]
        return {name: (tree / name).read_bytes() for name in there}


def _told(each: Case, diff: bytes) -> bytes:
    """`diff` with the line numbers and the names that the case has for it."""
    if not each.named:
        diff = re.sub(rb"(?m)^index .*\n", b"", diff)

    def moved(found: re.Match[bytes]) -> bytes:
        old, new = (int(found[n]) + each.shift for n in (1, 3))
        return b"@@ -%d%s +%d%s @@" % (old, found[2], new, found[4])

    starts = [int(n) for f in _HUNK.finditer(diff) for n in (f[1], f[3])]
    return _HUNK.sub(moved, diff) if min(starts) + each.shift > 0 else diff
