"""Diffs of all makes: whatever stands around them goes, what belongs to a hunk stays."""

from __future__ import annotations

import pytest

from kpatch_rs.syntax.diff import DiffRefused, read_diff
from kpatch_rs.syntax.diff_plain import plain_diff

HUNK = b"@@ -1,2 +1,3 @@ int f(void)\n a\n+b\n c\n"


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
    ("data", "message"),
    [
        (b"--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n a\n+b\n", "x:6: the hunk of line 3 is not as long"),
        (
            b"--- a/f\n+++ b/f\n@@ -1 +1,2 @@\n a\n+b\n+c\n",
            "x:6: a line behind the end of its hunk",
        ),
        (b"--- f\n+++ f\n" + HUNK, "x:1: no name is left of 'f' with -p1"),
    ],
)
def test_refused(data: bytes, message: str) -> None:
    with pytest.raises(DiffRefused) as refused:
        plain_diff("x", data)
    assert refused.value.message.startswith(message)
    assert refused.value.hint
