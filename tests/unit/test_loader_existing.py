"""Commits, mails and quilt's files in a recipe's words."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.loader.existing import of_commit, of_mail
from kpatch_rs.loader.message import MessageRefused
from kpatch_rs.loader.patch_file import of_patch_file
from kpatch_rs.loader.quilt import read_quilt
from kpatch_rs.loader.textual import refuse_no_text
from kpatch_rs.model.series import Person, Recipe, Where

ME = b"A Person <a@example.org>"
WHEN = "1700000000 +0100"


@pytest.mark.parametrize(
    "message",
    [
        "kvm: Do it\n",
        "kvm: Do it\n\nBecause.\n",
        'kvm: Do it\n\nBecause.\n\nAnd so.\n\nFixes: 123 ("x")\nSigned-off-by: A <a@b.c>\n',
        "kvm: Do it\n\nSigned-off-by: A <a@b.c>\n",
        "kvm: Do it\n\nText.\n\nCc: A <a@b.c>\n[b: reworded]\nSigned-off-by: B <b@b.c>\n",
        "kvm: Do it\n\n  indented\n\n\ttabbed\n\nLink: https://example.org\n",
        "kvm: Do it\n\nNote: this paragraph\nis no trailer.\n",
    ],
)
def test_message_of_a_commit_is_kept(message: str) -> None:
    said = of_commit(message, ME, WHEN)
    recipe = Recipe(
        where=Where("x"), id="x", subject=said.subject, body=said.body, trailers=said.trailers
    )
    assert recipe.message() == message
    assert (said.author, said.date) == (Person("A Person", "a@example.org"), WHEN)


def test_trailers_are_a_paragraph_of_their_own() -> None:
    said = of_commit("s\n\nb\n\nCc: x <x@y.z>\nSigned-off-by: A <a@b.c>\n", ME, WHEN)
    assert (said.body, said.trailers) == ("b", ("Cc: x <x@y.z>", "Signed-off-by: A <a@b.c>"))
    said = of_commit("s\n\nb\nSigned-off-by: A <a@b.c>\n", ME, WHEN)
    assert (said.body, said.trailers) == ("b\nSigned-off-by: A <a@b.c>", ())


def test_subject_of_several_lines_is_refused() -> None:
    with pytest.raises(MessageRefused, match="its subject has 2 lines"):
        of_commit("one\ntwo\n\nbody\n", ME, WHEN)


def test_author_nobody_can_write_to_is_refused() -> None:
    with pytest.raises(MessageRefused, match="no name and address"):
        of_commit("s\n", b"root <>", WHEN)


def test_mail_with_notes_above_its_diffstat() -> None:
    below = "---\nv2: no change\nsince v1\n\n foo.c | 2 +-\n 1 file changed\n\n"
    said = of_mail("s", "b\n\nCc: x <x@y.z>\n", ME, "Tue, 14 Nov 2023 23:13:20 +0100", below)
    assert (said.notes, said.date, said.body) == ("v2: no change\nsince v1", WHEN, "b")
    assert of_mail("s", "", ME, "yesterday", "---\n foo.c | 2 +-\n").date is None


def test_patch_file_with_the_fields_of_a_mail() -> None:
    head = (
        b'From: =?UTF-8?q?=C5=81?= "Lee, X" <l@example.org>\n'
        b"Date: Tue, 14 Nov 2023 23:13:20 +0100\n"
        b"Subject: [PATCH 1/2] foo:\n  Do it\nForwarded: no\n\nWhy.\n\nCc: x <x@y.z>\n"
        b"---\n notes\n foo.c | 2 +-\n"
    )
    said = of_patch_file("a/b.patch", head)
    assert (said.subject, said.body, said.trailers) == ("foo: Do it", "Why.", ("Cc: x <x@y.z>",))
    assert said.notes == "Forwarded: no\n\n notes"
    assert said.author is not None
    assert said.author.email == "l@example.org"


def test_patch_file_as_debian_writes_it() -> None:
    head = b"Description: foo: Do it\n Long\n .\n text\nAuthor: A <a@b.c>\nBug: 1\n"
    said = of_patch_file("x.patch", head)
    assert (said.subject, said.body, said.notes) == ("foo: Do it", "Long\n\ntext", "Bug: 1")
    assert said.author == Person("A", "a@b.c")


def test_patch_file_without_fields() -> None:
    said = of_patch_file("x.patch", b"Do it\n\nbecause\n")
    assert (said.subject, said.body, said.author) == ("Do it", "because", None)
    assert of_patch_file("sub/fix-it.patch", b"").subject == "fix-it"
    assert of_patch_file("x", b"caf\xe9\n").subject == "café"


def test_quilt_series(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "series").write_text("# first\n\none.patch -p0 # why\nsub/two.patch\n three -pab\n")
    for name in ("one.patch", "sub/two.patch", "three"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "four.patch").write_text("")
    (tmp_path / "sub/README").write_text("")
    (tmp_path / "old").mkdir()
    (tmp_path / ".pc").mkdir()
    patches, others = read_quilt(tmp_path)
    why = "the file series does not name it"
    assert others == (
        *((name, why) for name in ("four.patch", "old", "sub/README")),
        ("series", "its comments"),
    )
    found = [(p.name, p.strip, p.data) for p in patches]
    assert found == [
        ("one.patch", 0, b"one.patch"),
        ("sub/two.patch", 1, b"sub/two.patch"),
        ("three", 1, b"three"),
    ]


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ("a\nb.patch -R\n", "series:2: 'b.patch -R' is more than a file's name and -p"),
        ("a\nnone.patch\n", "series:2: none.patch: there is no such file"),
        ("../a\n", "series:1: ../a: it is no path below the folder of patches"),
        ("a.gz\n", "series:1: a.gz is compressed"),
        (
            "#\nx\n+xen y\n",
            "2 things stand in the way:\n  series:2: x: there is no such file\n  "
            "series:3: '+xen y' is more than a file's name and -p",
        ),
    ],
)
def test_quilt_refused(tmp_path: Path, series: str, message: str) -> None:
    (tmp_path / "series").write_text(series)
    (tmp_path / "a").write_text("")
    with pytest.raises(KpatchError) as refused:
        read_quilt(tmp_path)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("head", "subject", "fields"),
    [
        (b"Origin: vendor\nForwarded: no\n\nfoo: Fix\n", "foo: Fix", "Origin, Forwarded"),
        (b"Status: broken\n\nfoo: Fix\n", "foo: Fix", "Status"),
        (b"Subject: foo: Fix\nFrom: me\nDate: now\nBug: 1\n\nText.\n", "foo: Fix", "From, Date"),
    ],
)
def test_what_a_header_says_and_no_commit_is_told(head: bytes, subject: str, fields: str) -> None:
    said = of_patch_file("x.patch", head)
    assert said.subject == subject
    assert said.told == (f"what its header says as {fields} is in the notes, not in the commit",)


def test_fields_that_belong_into_notes_are_not_told() -> None:
    said = of_patch_file("x.patch", b"Description: Fix\nOrigin: vendor\nMessage-ID: <x@y>\n\n")
    assert (said.subject, said.told) == ("Fix", ())
    assert said.notes == "Origin: vendor\nMessage-ID: <x@y>"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(b"x", mtime=0), "it is packed with gzip"),
        (bz2.compress(b"x"), "it is packed with bzip2"),
        (lzma.compress(b"x"), "it is packed with xz"),
        ("From: x".encode("utf-16"), "it is UTF-16"),
        ("From: x".encode("utf-8-sig"), "it begins with a byte order mark"),
    ],
)
def test_file_that_is_no_text(data: bytes, message: str) -> None:
    with pytest.raises(KpatchError) as refused:
        refuse_no_text(data)
    assert (refused.value.message, bool(refused.value.hint)) == (message, True)
    refuse_no_text(b"From: x")
