"""A diff is held against the diffstat above it."""

from __future__ import annotations

import pytest

from kpatch_rs.syntax.diff import read_diff
from kpatch_rs.syntax.diff_stat import contradiction

FILES = read_diff(
    "x",
    b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n-a\n+b\n+c\n d\n"
    b"diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n",
)


@pytest.mark.parametrize(
    "head",
    [
        b"no summary\n",
        b" f      | 3 ++-\n x => y | 0\n 2 files changed, 2 insertions(+), 1 deletion(-)\n",
        b" 2 files changed, 2 insertions(+), 1 deletion(-)\r\n rename x => y (100%)\r\n",
        b"text: 7 files changed\n 7 files changed, it says\n",
        b" 9 files changed\n---\n 2 files changed, 2 insertions(+), 1 deletion(-)\n",
    ],
)
def test_nothing_is_contradicted(head: bytes) -> None:
    assert contradiction(head, FILES) == ""


@pytest.mark.parametrize(
    ("summary", "says"),
    [
        (b" 3 files changed, 2 insertions(+), 1 deletion(-)\n", "3 files, +2 -1"),
        (b" 2 files changed, 9 insertions(+)\n", "2 files, +9 -0"),
        (b" 1 file changed, 1 deletion(-)\n", "1 file, +0 -1"),
    ],
)
def test_what_was_cut_off_is_told(summary: bytes, says: str) -> None:
    whole = f"its diffstat says {says}; its diff has 2 files, +2 -1: is it whole?"
    assert contradiction(b"---\n" + summary, FILES) == whole
