"""Reading diffs: what git writes is read to the byte, what means two things is refused."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kpatch_rs.syntax.diff import DiffRefused, FileDiff, read_diff

HEAD = "diff --git a/f.c b/f.c\nindex 1111111..2222222 100644\n--- a/f.c\n+++ b/f.c\n"
BODY = "@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
ED = "diff --git a/f.c b/f.c\n--- a/f.c\n+++ b/f.c\n1,2c\nx\n.\n"

REFUSED = {
    "empty": ("", 1, "there is no diff in it"),
    "prose": ("hello\n", 1, "'hello' is no line of a git diff"),
    "mail": ("From 1234 Mon Sep 17\n" + HEAD + BODY, 1, "the diff is a mail, not a diff"),
    "no git header": ("--- a/f.c\n+++ b/f.c\n" + BODY, 1, "the diff has no 'diff --git' line"),
    "cut off": (HEAD + BODY[:-1], 8, "the last line has no line end"),
    "combined": ("diff --cc f.c\n@@@ -1 -1 +1 @@@\n", 1, "the diff is a combined diff"),
    "combined hunk": (HEAD + "@@@ -1,1 -1,1 +1,1 @@@\n", 5, "the diff is a combined diff"),
    "binary": (
        "diff --git a/f b/f\nindex 1111111..2222222 100644\nGIT binary patch\n",
        3,
        "the diff changes a binary file",
    ),
    "binary differ": (
        "diff --git a/f b/f\nBinary files a/f and b/f differ\n",
        2,
        "the diff changes a binary file",
    ),
    "copy": (
        "diff --git a/f b/g\nsimilarity index 100%\ncopy from f\ncopy to g\n",
        3,
        "the diff copies a file",
    ),
    "ed script": (ED, 4, "'1,2c' is no line of a git diff"),
    "escape": (
        HEAD.replace("f.c", "../f.c") + BODY,
        1,
        "path '../f.c' has an empty, '.' or '..' component",
    ),
    "dot git": (HEAD.replace("f.c", ".git/config") + BODY, 1, "path '.git/config' has a component"),
    "absolute": (
        "diff --git a//etc/passwd b//etc/passwd\nold mode 100644\nnew mode 100755\n",
        1,
        "path '/etc/passwd' is absolute",
    ),
    "no prefix": ("diff --git f.c f.c\n--- f.c\n+++ f.c\n" + BODY, 1, "its names do not agree"),
    "names differ": ("diff --git a/f b/g\n--- a/f\n+++ b/g\n" + BODY, 1, "its names do not agree"),
    "other file below": (
        "diff --git a/f b/f\n--- a/f\n+++ b/g\n" + BODY,
        3,
        "names another file than the lines above it",
    ),
    "rename disagrees": (
        "diff --git a/f b/g\nrename from f\nrename to h\n",
        1,
        "its names do not agree",
    ),
    "half a rename": ("diff --git a/f b/f\nrename from f\n", 1, "'rename from' and 'rename to'"),
    "half a mode": ("diff --git a/f b/f\nold mode 100644\n", 1, "'old mode' and 'new mode'"),
    "new and deleted": (
        "diff --git a/f b/f\nnew file mode 100644\ndeleted file mode 100644\n",
        1,
        "the file is new, deleted or renamed",
    ),
    "hunks without names": ("diff --git a/f b/f\n" + BODY, 1, "hunks and the lines"),
    "names without hunks": (HEAD, 1, "hunks and the lines"),
    "nothing": ("diff --git a/f b/f\nindex 1111111..2222222 100644\n", 1, "nothing happens to f"),
    "setuid": ("diff --git a/f b/f\nnew file mode 104755\n", 2, "'104755' is no mode of a file"),
    "submodule": ("diff --git a/f b/f\nnew file mode 160000\n", 2, "'160000' is no mode"),
    "field twice": (
        "diff --git a/f b/f\nnew file mode 100644\nnew file mode 100755\n",
        3,
        "'new file mode 100755' is no line of a git diff",
    ),
    "same file twice": (HEAD + BODY + HEAD + BODY, 9, "f.c was changed at line 1 already"),
    "long header": (
        "diff --git a/f b/f\nrename from " + "x" * 5000 + "\n",
        2,
        "a header line of more than 4096 bytes",
    ),
    "huge number": (HEAD + "@@ -" + "9" * 3000 + " +1 @@\n+x\n", 5, "not a hunk's @@ line"),
    "longer than said": (HEAD + BODY + "+3\n", 9, "'+3' is no line of a git diff"),
    "shorter than said": (HEAD + "@@ -1,3 +1,3 @@\n one\n-two\n+2\n", 8, "the hunk is damaged"),
    "counts off": (HEAD + "@@ -1,1 +1,2 @@\n one\n-two\n+2\n", 7, "the hunk is damaged"),
    "signature": (HEAD + BODY + "-- \n2.47.3\n", 10, "'2.47.3' is no line of a git diff"),
    "bare signature": (HEAD + BODY + "-- \n", 9, "'-- ' is no line of a git diff"),
    "another header below": (
        HEAD + BODY + "--- a/x\n+++ b/x\n" + BODY,
        9,
        "the diff has no 'diff --git' line",
    ),
    "overlap": (HEAD + BODY + BODY.replace("-1,2 +1,2", "-2,2 +2,2"), 9, "the hunk overlaps"),
    "misordered": (
        HEAD + BODY.replace("-1,2 +1,2", "-9,2 +9,2") + BODY,
        9,
        "the hunk overlaps the one before it, or stands before it",
    ),
    "marker first": (
        HEAD + "@@ -1 +1 @@\n\\ No newline at end of file\n-a\n+b\n",
        6,
        "a '\\ No newline' marker that belongs to no line",
    ),
    "marker mid hunk": (
        HEAD + "@@ -1,2 +1,2 @@\n-a\n\\ No newline at end of file\n-b\n+c\n+d\n",
        8,
        "a line after the file's last one",
    ),
    "marker before a hunk": (
        HEAD + "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n" + "@@ -5 +5 @@\n-a\n+b\n",
        10,
        "a line after the file's last one",
    ),
    "all context": (HEAD + "@@ -1 +1 @@\n one\n", 5, "the hunk changes nothing"),
    "text in a deleted file": (
        "diff --git a/f b/f\ndeleted file mode 100644\n--- a/f\n+++ /dev/null\n" + BODY,
        5,
        "old text in a new file, or new text in a deleted one",
    ),
    "quoted NUL": (
        'diff --git "a/f\\000" "b/f\\000"\nnew file mode 100644\n',
        1,
        "path 'f\\x00' has a control character",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    text, line, why = REFUSED[case]
    with pytest.raises(DiffRefused) as caught:
        read_diff("files/x.diff", text.encode())
    assert caught.value.message.startswith(f"files/x.diff:{line}: {why}")
    assert caught.value.hint


def test_quadratic_line_is_refused_fast() -> None:
    line = "Binary files " + " and a" * 17_000
    with pytest.raises(DiffRefused, match="header line of more than 4096"):
        read_diff("x", f"diff --git a/f b/f\n{line}\n".encode())
    with pytest.raises(DiffRefused, match="binary"):
        read_diff("x", (HEAD + BODY + line + "\n").encode())


def test_blank_lines_after_a_hunk_are_no_content() -> None:
    (file,) = read_diff("x", (HEAD + BODY + "\n\n").encode())
    assert file.hunks[0].new == (b"one\n", b"2\n")


def test_stripped_empty_context_line_is_content() -> None:
    """Mailers cut the trailing space; git apply takes the line as empty context."""
    (file,) = read_diff("x", (HEAD + "@@ -1,3 +1,3 @@\n one\n\n-two\n+2\n").encode())
    assert file.hunks[0].old == (b"one\n", b"\n", b"two\n")


NAMES = ["plain.c", "with space.c", "a b/c b/d.c", "ä.c", 'q"uote.c', "tab b/ä x"]


def git(folder: Path, *words: str) -> bytes:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    env |= {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    run = subprocess.run(["git", *words], cwd=folder, env=env, capture_output=True, check=True)
    return run.stdout


def diff_of(folder: Path) -> tuple[FileDiff, ...]:
    git(folder, "add", "-A")
    return read_diff("x", git(folder, "diff", "--cached", "-M", "--full-index"))


@pytest.mark.parametrize("name", NAMES)
def test_names_as_git_writes_them(tmp_path: Path, name: str) -> None:
    git(tmp_path, "init", "-q")
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"1\n" * 20)
    (created,) = diff_of(tmp_path)
    assert (created.old, created.new) == (None, name.encode())
    git(tmp_path, "commit", "-qm", "x")

    path.write_bytes(b"\xe9\x0c\r\n" + b"1\n" * 20 + b"no eol")
    (edited,) = diff_of(tmp_path)
    assert edited.old == edited.new == name.encode()
    assert edited.hunks[0].new[0] == b"\xe9\x0c\r\n"
    assert edited.hunks[-1].new[-1] == b"no eol"
    git(tmp_path, "commit", "-qm", "x")

    path.chmod(0o755)
    (mode,) = diff_of(tmp_path)
    assert (mode.path, mode.old_mode, mode.new_mode) == (name.encode(), "100644", "100755")
    path.rename(path.parent / "moved b here.c")
    (path.parent / "other").touch()
    renamed, other = sorted(diff_of(tmp_path), key=lambda f: f.old is None)
    assert renamed.old == name.encode()
    assert renamed.new != renamed.old
    assert (other.hunks, other.new_mode) == ((), "100644")
