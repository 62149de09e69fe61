"""Every word of an mbox or a quilt series is in a recipe, or named as left out, or nothing is.

Each word below is written once, somewhere in a mail or a patch file where people and programs
write something; then it is looked for in all that import has to say.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.commands.given import Source, of_mbox, of_quilt
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.model.path import RepoPath
from tests.properties.held import examples
from tests.repos import surroundings

BASE = "v6.12.1"
FROM = "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"
TITLES = [
    *("[PATCH{v}{n}] foo: {w}", "[PATCH{v}{n}] [{w}] foo: Do it", "foo: {w}"),
    *("[{w}][PATCH{v}{n}] foo: Do it", "Re: [PATCH{v}{n}] foo: {w}"),
]
FIELDS = ["Message-ID: <1@x>\n", "In-Reply-To: <1@x>\n", "Subject: foo: {w}\n", "Date: {w}\n"]
BODIES = [
    *("{w}\n", "Hi {w},\n\n-- >8 --\nText.\n", "From: B {w} <b@c.d>\n\nText.\n"),
    *("{w}\n---\nText\n", "Subject: bar: Do {w}\n\nText.\n", ">From {w} on.\n"),
    *("--- snip {w}\nlog\n", "Text.\n\nSigned-off-by: {w} <b@c.d>\n"),
    *("diff -u a/x b/x {w}\n", "From: {w}\n\nText\n"),
]
NOTES = ["v2: {w}\n", "---\n{w}\n", "Acked-by: {w} <b@c.d>\n", " f | 2 +- {w}\n"]
BELOW = [
    *("\n{w}\n", "-- \n{w}\n", "-- \n2.39.5\n\n{w}\n", "Only in {w}: x\n", "+{w}\n"),
    *("Reviewed-by: {w} <a@b.c>\n", "--- a/f\n+++ b/f\n {w}\n+x\n"),
    "-- \n2.39.5\n\nFrom: {w}\nSubject: foo\n\nText.\n",
]
HEADERS = [
    *("{w}\n", "Subject: {w}\n", "Origin: {w}\n", "KVM: x86: Fix {w}\n", "From: {w}\n"),
    *("# {w}\n", "Description: Fix\n {w}\n", "Status: {w}\n", "Fixes: {w}\n"),
    *("Acked-by: {w} <a@b.c>\n", "Subject: [{w}] foo\n", "Date: {w}\n", "X-{w}: y\n"),
    *("Subject: a\nSubject: {w}\n", " {w}\n"),
]


class Words:
    """Words that nobody else writes."""

    def __init__(self) -> None:
        self.numbers = count(100)
        self.written: dict[str, str] = {}
        """Each word, and the name of what it was written into."""
        self.about = ""

    def put(self, template: str, **more: str) -> str:
        """`template` with a new word in it."""
        word = f"word{next(self.numbers)}x"
        if "{w}" in template:
            self.written[word] = self.about
        return template.format(w=word, **more)


def some(draw: st.DrawFn, words: Words, templates: list[str]) -> str:
    """One of `templates`, or nothing."""
    return words.put(draw(st.sampled_from(templates))) if draw(st.booleans()) else ""


def diff(words: Words, number: int) -> str:
    """What makes a new file."""
    made = f"diff --git a/n{number} b/n{number}\nnew file mode 100644\n"
    return made + words.put("--- /dev/null\n+++ b/{n}\n@@ -0,0 +1 @@\n+{w}\n", n=f"n{number}")


@st.composite
def mboxes(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """An mbox, and the words in it, each with the beginning of its mail's name."""
    words, mbox = Words(), ""
    total = draw(st.integers(1, 3))
    for number in range(1, total + 1):
        words.about = f"mail {number} ("
        numbered = draw(st.sampled_from(["", f" {number}/{total}", f" {number}/{total}"]))
        version = draw(st.sampled_from(["", "", "", " v2"]))
        subject = words.put(draw(st.sampled_from(TITLES)), n=numbered, v=version)
        head = f"{FROM}From: A <a@b.c>\nSubject: {subject}\n" + some(draw, words, FIELDS)
        text = some(draw, words, BODIES) + "---\n" + some(draw, words, NOTES) + "\n"
        text += diff(words, number)
        if draw(st.integers(0, 3)) == 0:
            kind = draw(st.sampled_from(["text/plain", "text/html", "application/x"]))
            other = words.put("Content-Type: {t}\n\n{w}\n", t=kind)
            parts = draw(st.permutations([f"Content-Type: text/plain\n\n{text}", other]))
            inner = "".join(f"--zz\n{part}\n" for part in parts) + "--zz--\n"
            text, head = inner, head + 'Content-Type: multipart/mixed; boundary="zz"\n'
        else:  # of several lines below a diff, a remark quotes the first
            text += some(draw, words, BELOW)
        mbox += f"{head}\n{text}\n"
    return mbox, words.written


@st.composite
def folders(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str]]:
    """The files of a quilt series, and the words in them, each with its file's name."""
    words, files = Words(), dict[str, str]()
    for number in range(draw(st.integers(1, 2))):
        name = words.about = f"{number}.patch"
        lines = draw(st.lists(st.sampled_from(HEADERS), max_size=4))
        text = "".join(words.put(line) for line in lines) + some(draw, words, ["\n{w}\n"])
        cut = draw(st.sampled_from(["", "---\n", "---\n{w}\n", "---\n f | 1 +\n\n"]))
        files[name] = text + words.put(cut) + diff(words, number) + some(draw, words, BELOW)
    named = draw(st.lists(st.sampled_from(sorted(files)), min_size=1, unique=True))
    return {**files, "series": "".join(f"{name}\n" for name in named)}, words.written


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    folder = tmp_path_factory.mktemp("accounted")
    around = surroundings(folder / "home")
    kernel = around.kernel(folder / "linux", {"f": b"f\n"})
    with Repository.open(kernel, around.environment) as opened:
        yield opened


def unaccounted(source: Source, written: dict[str, str]) -> list[str]:
    """The words that are nowhere. Raises KpatchError where the import refuses."""
    source.unfit.check()
    told = "\n".join(map(str, source.remarks))
    gone = tuple(one.about for one in source.remarks if one.left_out and is_whole(one.text))
    for patch in source.patches:
        told += repr(patch.said)
        files = (patch.patch.after.read(RepoPath(b"n%d" % n)) for n in range(4))
        told += repr([file.data for file in files if file is not None])
    return [
        word
        for word, about in written.items()
        if word not in told and not any(name.startswith(about) for name in gone)
    ]


def is_whole(text: str) -> bool:
    """Whether a remark is about all of a mail or file."""
    return text.startswith(("it is ", "there is no diff in it", "the file series does"))


@examples(20, cost=3)
@given(mboxes())
def test_words_of_an_mbox(repository: Repository, case: tuple[str, dict[str, str]]) -> None:
    mbox, written = case
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "mbox").write_text(mbox)
        try:
            lost = unaccounted(of_mbox(repository, Path(made) / "mbox", BASE), written)
        except KpatchError:
            return
    assert lost == []


@examples(20, cost=3)
@given(folders())
def test_words_of_a_quilt_series(
    repository: Repository, case: tuple[dict[str, str], dict[str, str]]
) -> None:
    files, written = case
    with tempfile.TemporaryDirectory() as made:
        for name, text in files.items():
            (Path(made) / name).write_text(text)
        try:
            lost = unaccounted(of_quilt(repository, Path(made), BASE), written)
        except KpatchError:
            return
    assert lost == []
