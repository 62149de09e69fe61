"""What is read of a patch file or a mail is what git reads, or it is refused: never a part of it.

Real patches are damaged as people and programs damage them: lines go, come twice or are moved,
text comes between them, line ends change, the end is cut off.
"""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.commands.given import of_mbox
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.applied import applied
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.gitio.running import Git
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import File
from kpatch_rs.syntax.diff import read_diff
from kpatch_rs.syntax.diff_plain import CR_LEFT_OUT, plain_diff
from tests.properties.held import examples
from tests.repos import Surroundings, surroundings

Files = Mapping[str, bytes]

_WORDS = st.sampled_from([b"a", b"b", b"-- c", b"++ d", b"", b" e", b"- f", b"--", b"@@ g", b"h\r"])
_TEXT = st.sampled_from(
    [
        *(
            b"",
            b"Text.",
            b"---",
            b"-- ",
            b"2.39.5",
            b"Signed-off-by: A <a@b.c>",
            b"+x",
            b"-x",
            b" x",
        ),
        *(b"--- a/f", b"+++ b/f", b"@@ -1 +1 @@", b"diff --git a/f b/f", b"Index: f", b"--- snip"),
        b"diff -u a/f b/f",
    ]
)
_HARMLESS = re.compile(rb"|-- ?|---|2\.39\.5|Index: .*|=+|diff .*|index .*|(old|new) mode .*")


@st.composite
def trees(draw: st.DrawFn) -> tuple[Files, Files]:
    """Two or three files, before and after a patch that empties none."""
    names = ["f", "d/g", "h.c"][: draw(st.integers(2, 3))]
    before, after = {}, {}
    for name in names:
        lines = draw(st.lists(_WORDS, min_size=3, max_size=14))
        at = draw(st.integers(0, len(lines) - 1))
        changed = [*lines[:at], draw(_WORDS) + b"!", *lines[at + draw(st.integers(0, 1)) :]]
        before[name], after[name] = (b"".join(x + b"\n" for x in y) for y in (lines, changed))
    return before, after


def diff_of(before: Files, after: Files) -> list[bytes]:
    """A unified diff, a line each, as git writes it."""
    lines = list[bytes]()
    for name in before:
        head = [b"diff --git a/%s b/%s" % (name.encode(), name.encode())]
        # Not with splitlines(): that takes a CR for a line end.
        old, new = (x[name].decode("latin-1").split("\n")[:-1] for x in (before, after))
        made = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="")
        lines += [*head, *(line.encode("latin-1") for line in made)]
    return lines


@st.composite
def damaged(draw: st.DrawFn, lines: list[bytes]) -> bytes:
    """`lines` as a text, with up to three faults."""
    lines = list(lines)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "drop", "twice", "text", "swap", "cr", "cut"])):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "twice":
                lines.insert(at, lines[at])
            case "text":
                lines.insert(at, draw(_TEXT))
            case "swap":
                lines[at - 1], lines[at] = lines[at], lines[at - 1]
            case "cr":
                lines[at] += b"\r"
            case "cut":
                lines = lines[: max(at, 1)]
    text = b"".join(line + b"\n" for line in lines)
    if draw(st.integers(0, 9)) == 0:
        text = text.replace(b"\n", b"\r\n")
    return text[: len(text) - draw(st.sampled_from([0, 0, 0, 1, 2]))]


@st.composite
def patches(draw: st.DrawFn) -> tuple[Files, bytes]:
    before, after = draw(trees())
    lines = diff_of(before, after)
    if draw(st.booleans()):  # as quilt and diff -u write it
        lines = [line for line in lines if not line.startswith(b"diff --git")]
    return before, draw(damaged([*lines, *draw(st.sampled_from([[], [b"-- ", b"2.39.5", b""]]))]))


def ours(before: Files, diff: bytes) -> dict[str, bytes] | None:
    """The files as import makes them; None where it refuses."""
    old: dict[RepoPath, File | None] = {}
    try:
        for file in read_diff("x", diff):
            for path in (file.old, file.new):
                if path is not None:
                    data = before.get(path.decode())
                    old[path] = None if data is None else File(data)
        new = applied(Git(dict(os.environ)), old, diff)
    except KpatchError:
        return None
    changed = {path.decode(): file.data for path, file in new.items() if file is not None}
    kept = {name: data for name, data in before.items() if name.encode() not in old}
    return {**kept, **changed}


def as_git_applies(before: Files, text: bytes) -> dict[str, bytes] | None:
    with tempfile.TemporaryDirectory() as made:
        for name, data in before.items():
            (Path(made) / name).parent.mkdir(exist_ok=True)
            (Path(made) / name).write_bytes(data)
        env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(Path(made).parent)}
        argv = ["git", "apply", "--whitespace=nowarn"]
        done = subprocess.run(argv, input=text, cwd=made, env=env, capture_output=True, check=False)
        found = {str(p.relative_to(made)): p for p in Path(made).rglob("*") if p.is_file()}
        return None if done.returncode else {name: p.read_bytes() for name, p in found.items()}


@examples(30)
@given(patches())
def test_patch_is_read_as_git_reads_it_and_whole(case: tuple[Files, bytes]) -> None:
    before, text = case
    try:
        plain = plain_diff("x", text)
    except KpatchError:
        return
    made = ours(before, plain.diff)
    if made is None:
        return
    if CR_LEFT_OUT in plain.left_out:
        text = re.sub(rb"\r(\n|\Z)", rb"\1", text)
    assert made == as_git_applies(before, text)
    head = plain.head.split(b"\n")
    lines = Counter(text.split(b"\n")) - Counter(head) - Counter(plain.diff.split(b"\n"))
    unsaid = [line for line in lines if not _HARMLESS.fullmatch(line.rstrip(b"\r"))]
    assert all(line.decode("latin-1") in str(plain.left_out) for line in unsaid)


@contextmanager
def repository(before: Files) -> Iterator[tuple[Path, Surroundings]]:
    with tempfile.TemporaryDirectory() as made:
        around = surroundings(Path(made) / "home")
        yield around.kernel(Path(made) / "linux", before), around


def mail(number: int, lines: list[bytes]) -> list[bytes]:
    return [
        b"From %040d Mon Sep 17 00:00:00 2001" % number,
        b"From: A Person <a@example.org>",
        b"Date: Tue, 14 Nov 2023 23:13:20 +0100",
        b"Subject: [PATCH] foo: Change it",
        b"",
        b"Because.",
        b"",
        b"Signed-off-by: A Person <a@example.org>",
        b"---",
        b" f | 2 +-",
        b"",
        *lines,
        b"-- ",
        b"2.39.5",
        b"",
    ]


@st.composite
def letters(draw: st.DrawFn) -> tuple[Files, bytes]:
    before, after = draw(trees())
    return before, draw(damaged(mail(1, diff_of(before, after))))


@examples(12, cost=12)
@given(letters())
def test_mail_is_taken_as_git_am_takes_it(case: tuple[Files, bytes]) -> None:
    """The same tree and the same message, or refused."""
    before, mbox = case
    with repository(before) as (path, around):
        (path.parent / "mbox").write_bytes(mbox)
        with Repository.open(path, around.environment) as opened:
            try:
                source = of_mbox(opened, path.parent / "mbox", "v6.12.1")
                source.unfit.check()
                (one,) = source.patches
            except KpatchError:
                return
            files = {name: one.patch.after.read(RepoPath(name.encode())) for name in before}
        options = [] if b"\r\n\r\n" in mbox.partition(b"diff --git")[0] else ["--keep-cr"]
        around.git(path, "am", "-q", *options, str(path.parent / "mbox"))
        assert {n: f.data for n, f in files.items() if f} == {
            name: (path / name).read_bytes() for name in before if (path / name).exists()
        }
        said = one.said
        message = around.git(path, "log", "-1", "--format=%B").strip("\n")
        parts = (said.subject, said.body, "\n".join(said.trailers))
        assert "\n\n".join(part for part in parts if part) == message
