"""Diffs of all makes: whatever stands around them goes, what belongs to a hunk stays."""

from __future__ import annotations

import pytest

from kpatch_rs.syntax.diff import DiffRefused, read_diff
from kpatch_rs.syntax.diff_plain import CR_LEFT_OUT, plain_diff

HUNK = b"@@ -1,2 +1,3 @@ int f(void)\n a\n+b\n c\n"
FILE = b"--- a/f\n+++ b/f\n" + HUNK
LOST = b"--- a/m\n+++ b/m\n M\n+F\n"
MODE = b"diff --git a/m b/m\nold mode 100644\nnew mode 100755\n"


def paths(data: bytes, strip: int = 1) -> list[tuple[bytes | None, bytes | None]]:
    return [(f.old, f.new) for f in read_diff("x", plain_diff("x", data, strip).diff)]


@pytest.mark.parametrize(
    ("names", "strip", "path"),
    [
        (b"--- a/d/f.c\n+++ b/d/f.c\n", 1, b"d/f.c"),
        (b"--- d/f.c\n+++ d/f.c\n", 0, b"d/f.c"),
        (b"--- x/y/d/f.c\n+++ x/y/d/f.c\n", 2, b"d/f.c"),
        (b"--- linux.orig/f.c\t2020-01-01 10:00:00 +0100\n+++ linux/f.c\t2020-01-02\n", 1, b"f.c"),
        (b"Index: linux/f.c\n=====\n--- linux.orig/f.c\n+++ linux/f.c\n", 1, b"f.c"),
        (b"--- a/a b.c\t\n+++ b/a b.c\t\n", 1, b"a b.c"),
        (
            b"diff --git a/f.c b/f.c\nindex 1234567..89abcde 100644\n--- a/f.c\n+++ b/f.c\n",
            1,
            b"f.c",
        ),
        (b"diff --git f.c f.c\nindex 1234567..89abcde 100644\n--- f.c\n+++ f.c\n", 0, b"f.c"),
        (b"diff -urN a/f.c b/f.c\n--- a/f.c\n+++ b/f.c\n", 1, b"f.c"),
    ],
)
def test_names(names: bytes, strip: int, path: bytes) -> None:
    assert paths(names + HUNK, strip) == [(path, path)]


def test_what_stands_around_goes() -> None:
    data = (
        b"From: Somebody\n\nText.\n---\n f.c | 1 +\n\n--- a/f.c\n+++ b/f.c\n"
        + HUNK
        + b"-- \n2.39.5\n\nOnly in b: g\n--- a/g.c\n+++ b/g.c\n"
        + HUNK
        + b"\nThanks.\n"
    )
    plain = plain_diff("x", data)
    assert plain.head == b"From: Somebody\n\nText.\n---\n f.c | 1 +\n\n"
    assert [f.path for f in read_diff("x", plain.diff)] == [b"f.c", b"g.c"]
    assert plain.diff.count(HUNK) == 2
    assert plain.left_out == (
        "line 16, 'Only in b: g': the diff does not show that file",
        "line 24, below the diff: 'Thanks.'",
    )


def test_lines_that_look_like_headers_stay_in_their_hunk() -> None:
    hunk = b"@@ -1,2 +1,2 @@\n--- a/x\n+++ b/x\n @@ -1 +1 @@\n"
    (file,) = read_diff("x", plain_diff("x", b"--- a/f\n+++ b/f\n" + hunk).diff)
    assert file.hunks[0].body[:2] == (("-", b"-- a/x\n"), ("+", b"++ b/x\n"))


def test_new_and_gone() -> None:
    made = b"--- /dev/null\n+++ b/n.c\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n"
    dated = b"--- a/d.c\t1970-01-01 00:00:00 +0000\n+++ b/d.c\n@@ -0,0 +1 @@\n+x\n"
    gone = b"--- a/o.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    assert paths(made + dated + gone) == [(None, b"n.c"), (None, b"d.c"), (b"o.c", None)]


def test_blank_context_lines_may_have_lost_their_blank() -> None:
    (file,) = read_diff("x", plain_diff("x", b"--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n\n+b\n c\n").diff)
    assert file.hunks[0].old == (b"\n", b"c\n")


def test_git_header_without_hunks() -> None:
    data = b"diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n-- \n2.39\n"
    assert paths(data) == [(b"x", b"y")]
    assert plain_diff("x", b"no diff\n").diff == b""


@pytest.mark.parametrize(
    "below",
    [
        b"-- \n2.39.5\n\n",
        b"-- \n2.47.0.338.g60cca15819-x\n\n",
        b"-- \n2.39.5 (Apple Git-154)\r\n",
        b"base-commit: 0123\nprerequisite-patch-id: 0123\n-- \n2.39.5\n",
        b"---\nbase-commit: 0123\nchange-id: x-y\n\n-- \n2.39\n",
        b"-----BEGIN PGP SIGNATURE-----\n\n-x\n+x\n-----END PGP SIGNATURE-----\n",
        b"diff -u a/g b/g\n--- a/g\n+++ b/g\n" + HUNK,
        b"\nIndex: a/g\n========\n--- a/g\n+++ b/g\n" + HUNK,
        b"-- \n2.39.5\n\ndiff --git a/m b/m\nold mode 100644\nnew mode 100755\n",
    ],
)
def test_what_programs_write_around_diffs(below: bytes) -> None:
    plain = plain_diff("x", FILE + below)
    assert plain.left_out == ()
    assert plain.head == b""
    assert len(paths(FILE + below)) == 1 + (b"a/g" in below or b"a/m" in below)


def test_lines_right_above_a_diff_are_no_text() -> None:
    plain = plain_diff("x", b"Do it\n\nIndex: a/f\n====\n" + FILE)
    assert (plain.head, paths(FILE)) == (b"Do it\n\n", [(b"f", b"f")])
    assert plain_diff("x", b"diff -urN a/f b/f\n" + FILE).head == b""


def test_text_below_the_last_diff_is_named() -> None:
    plain = plain_diff("x", FILE + b"\nThanks,\nA\n")
    assert plain.left_out == ("lines 8-9, below the diff: 'Thanks,' …",)


@pytest.mark.parametrize(
    ("below", "said"),
    [
        (b"-- \nA Name\n  of a place\n", "lines 8-9, below the diff: 'A Name' …"),
        (b"--\nTo unsubscribe, write to them.\n", "line 8, below the diff: 'To unsubscribe, wri"),
        (b"-- \n2.39.5\n\nCONFIG_A=y\n", "line 10, below the diff: 'CONFIG_A=y'"),
    ],
)
def test_signature_that_is_not_gits_is_named(below: bytes, said: str) -> None:
    (left,) = plain_diff("x", FILE + below).left_out
    assert left.startswith(said)


@pytest.mark.parametrize("name", [b"f.c.orig", b"f.c~", b"f.c"])
def test_name_with_something_behind_it(name: bytes) -> None:
    """Of foo.c.orig and foo.c, git takes the shorter one."""
    data = b"--- a/d/%s\n+++ b/d/f.c\n" % name + HUNK
    assert paths(data) == [(b"d/f.c", b"d/f.c")]


def test_cr_at_all_line_ends_goes() -> None:
    text = b"Do it\n\n" + FILE + b"-- \n2.39\n"
    plain = plain_diff("x", text.replace(b"\n", b"\r\n"))
    assert plain.left_out == (CR_LEFT_OUT,)
    assert (plain.head, plain.diff) == (b"Do it\n\n", plain_diff("x", text).diff)


def test_cr_of_a_file_stays() -> None:
    hunk = b"@@ -1,2 +1,3 @@\n a\r\n+b\r\n--- sql\r\n"
    data = b"--- a/f\n+++ b/f\n" + hunk.replace(b"1,3", b"1,2")
    plain = plain_diff("x", data)
    (file,) = read_diff("x", plain.diff)
    assert file.hunks[0].new == (b"a\r\n", b"b\r\n")
    assert plain.left_out == ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n a\n+b\n", "x:6: the hunk of line 3 is not as long"),
        (
            b"--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n a\n+b\n+c\n",
            "x:6: a line behind the end of its hunk",
        ),
        (b"--- f\n+++ f\n" + HUNK, "x:1: no name is left of 'f' with -p1"),
        (b"--- a/f\n+++ b/g\n" + HUNK, "x:1: 'f' and 'g' are two files"),
        (b"--- /dev/null\n+++ b/g\n" + HUNK, "x:1: /dev/null has no lines"),
        (FILE[:-1], "x:6: the last line has no line end"),
        (b"diff --git a/x b/y\nrename from x\nrename to", "x:3: the last line has no line end"),
        (LOST + FILE, "x:1: '--- a/m' is followed by no @@ line"),
        (FILE + LOST, "x:7: '--- a/m' is followed by no @@ line"),
        (FILE + b"\n\n" + LOST + FILE, "x:9: '--- a/m' is followed by no @@ line"),
        (FILE + b"Index: m\n====\n" + LOST, "x:9: '--- a/m' is followed by no @@ line"),
        (b"diff --cc f\nindex 1,2..3\n" + LOST, "x:1: the diff is a merge's"),
        (FILE + b"-- \nA Name\n" + FILE, "x:8: 'A Name' stands behind a diff"),
        (FILE + b"-- \n2.39.5\n" + LOST, "x:9: '--- a/m' is followed by no @@ line"),
        (b"diff --git a/m b/m\nindex 1..2 100644\n" + LOST, "x:3: '--- a/m' is followed by no"),
        (LOST[8:] + FILE, "x:1: '+++ b/m' has no line '--- ' above it, or no @@ line"),
        (MODE + HUNK + FILE, "x:4: a hunk that belongs to no file"),
        (b"Text.\n" + HUNK + FILE, "x:2: a hunk that belongs to no file"),
        (FILE + b"\n c\n+d\n", "x:8: a line behind the end of its hunk"),
        (MODE + b" a\n+b\n c\n" + FILE, "x:4: a line behind the end of its hunk"),
        (FILE + b"-- \n+d\n", "x:8: a line behind the end of its hunk"),
        (FILE + b"More.\n\n" + FILE, "x:7: 'More.' stands behind a diff and belongs to none"),
        (FILE + b"-- \n2.39\nMore.\n" + FILE, "x:9: 'More.' stands behind a diff"),
        (FILE + b"---\n f | 1 +\n\n" + FILE, "x:8: a line behind the end of its hunk"),
        (FILE + b"\nSigned-off-by: A <a@b.c>\n", "x:8: 'Signed-off-by: A <a@b.c>' stands behind"),
        (FILE + b"Index: new\n====\n", "x:7: 'Index: new' stands behind a diff"),
        (FILE + b"diff -u a/x b/x\n", "x:7: 'diff -u a/x b/x' stands behind a diff"),
        (FILE + b"Binary files a/x and b/x differ\n", "x:7: the diff changes a binary file"),
        (b"Binary files a/x and b/x differ\n" + FILE, "x:1: the diff changes a binary file"),
        (b"*** a/f\n--- b/f\n***************\n", "x:1: the diff is no unified one"),
        (FILE.replace(b"\n", b"\r\n") + FILE, "x:7: this line ends in LF, and line 1 in CR LF"),
        (FILE + FILE.replace(b"\n", b"\r\n"), "x:7: its name ends in CR"),
    ],
)
def test_refused(data: bytes, message: str) -> None:
    with pytest.raises(DiffRefused) as refused:
        plain_diff("x", data)
    assert refused.value.message.startswith(message)
    assert refused.value.hint
