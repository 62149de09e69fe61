"""The rules for messages are git's own: each is held against `git format-patch | git am`."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from kpatch_rs.loader.message import (
    MessageRefused,
    checked_body,
    checked_date,
    checked_id,
    checked_subject,
    checked_trailer,
    is_from_line,
    person,
)

SHA = "0123456789012345678901234567890123456789"
BODIES = [
    *("a\n---\nb", "a\n--- \nb", "a\n---x\nb", "a\n----\nb", "a\n--- x", "a\n---\tx", "a\n--\nb"),
    *("a\ndiff -u x", "a\ndiff x", "a\nIndex: x", "a\nIndex x", "a\n@@ -1 +1 @@", "a\n+++ b/x"),
    *("From: a <b@c.d>\n\nt", "from: a\n\nt", "Subject: x\n\nt", "Date: x\n\nt", "To: x\n\nt"),
    *("[PATCH] x\n\nt", ">From x\nt", "From x\nt", " From: a\nt", "Hi\n\nFrom: a\n\nt", "a: b"),
    *("a\nFrom x at 12:34:56 2001\nb", f"a\nFrom {SHA} Mon Sep 17 00:00:00 2001\nb"),
    *(
        "a\nFrom x, 12:30 is noon",
        "a\nFrom 1, 12:30 2001",
        "a\nFrom 1 12:30 90\nb",
        "a\nFrom 1 1:30 91",
    ),
    *(
        "a\nFrom it, 0 12:30:5 2001 on",
        f"a\nFrom {SHA}\nb",
        f">From {SHA} Mon Sep 17 00:00:00 2001\n\nt",
    ),
    *(
        "a\nFrom ä 1 2:30 2001",
        "a\nFrom 1 12:30 +91 x",
        "a\nFrom ab 3 12:34 2001: x",
        "a\nFrom 1 2:345 2001",
    ),
    *("Content-Type: text/plain\n\nb", "a\n-- >8 --\nb", "\n\na\n\n"),
]
SUBJECTS = [
    *("[x] s", "Re: s", "re:s", "RE: s", ": s", "s [x]", "x: [y] z", "(x) s", "Re s", "s  t"),
    *("s\tt", "*** S ***", "ä: ö", "s: t.", "x" * 200),
]


class Mailed:
    """A repository in which a message makes the way through mail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q")
        (folder / "f").write_text("0\n")
        self.git("add", "f")
        self.git("commit", "-qm", "base")

    def git(self, *argv: str, said: str = "") -> subprocess.CompletedProcess[str]:
        names = {"GIT_AUTHOR_NAME": "A", "GIT_COMMITTER_NAME": "A", "GIT_CONFIG_NOSYSTEM": "1"}
        mails = {"GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_EMAIL": "a@example.org"}
        home = {"HOME": str(self.folder), "PATH": os.environ["PATH"]}
        return subprocess.run(
            ["git", "-C", str(self.folder), *argv],
            input=said,
            env={**names, **mails, **home},
            capture_output=True,
            text=True,
            check=False,
        )

    def arrives(self, subject: str, body: str) -> bool:
        """Whether author and message come out as they went in."""
        (self.folder / "f").write_text("1\n")
        message = f"{subject}\n\n{body}\n"
        self.git("commit", "-qa", "--cleanup=whitespace", "-F", "-", said=message)
        sent = self.git("log", "-1", "--format=%an%n%B").stdout
        mail = self.git("format-patch", "-1", "--stdout").stdout
        self.git("reset", "-q", "--hard", "HEAD~1")
        done = self.git("am", "-q", said=mail)
        got = self.git("log", "-1", "--format=%an%n%B").stdout
        self.git(*(["am", "--abort"] if done.returncode else ["reset", "-q", "--hard", "HEAD~1"]))
        return not done.returncode and sent == got


@pytest.fixture(scope="module")
def mailed(tmp_path_factory: pytest.TempPathFactory) -> Mailed:
    return Mailed(tmp_path_factory.mktemp("mailed"))


@pytest.mark.parametrize("body", BODIES)
def test_a_body_is_accepted_where_it_arrives(mailed: Mailed, body: str) -> None:
    try:
        accepted = checked_body(body) == body
    except MessageRefused as error:
        accepted = False
        assert error.hint
    assert mailed.arrives("s", body) == accepted


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_accepted_where_it_arrives(mailed: Mailed, subject: str) -> None:
    try:
        accepted = checked_subject(subject) == subject
    except MessageRefused as error:
        accepted = False
        assert error.hint
    assert mailed.arrives(subject, "b") == accepted


@pytest.mark.parametrize(
    "trailer",
    [
        "Signed-off-by: Ä. B <a@example.org>",
        "Reviewed-by: A <a@example.org> # for x86",
        'Fixes: 0123456789ab ("a <b> c")',
        "Cc: stable@vger.kernel.org # 6.1+",
        "Assisted-by: agent:model [tool]",
        "Link: https://example.org/?a=<b>",
    ],
)
def test_trailers_that_kernels_have(trailer: str) -> None:
    assert checked_trailer(trailer) == trailer


@pytest.mark.parametrize(
    "text", ["", "A", "<a@b>", "A <a>", "A <a@b", "A <a @b>", "A <a@b> x", "A\nB <a@b>", " A <a@b>"]
)
def test_nobody(text: str) -> None:
    with pytest.raises(MessageRefused, match="is no name and address"):
        person(text)


def test_somebody() -> None:
    assert str(person("Ä. B, Jr. <a+b@c.d>")) == "Ä. B, Jr. <a+b@c.d>"


@pytest.mark.parametrize("text", ["1700000000 +0100", "0 -0930", "4102444800 +1445"])
def test_dates(text: str) -> None:
    assert checked_date(text) == text


@pytest.mark.parametrize(
    "text", ["", "-1 +0000", "1 +1500", "1 +0060", "1 +000", "1", "1e9 +0000", "9" * 13 + " +0000"]
)
def test_no_dates(text: str) -> None:
    with pytest.raises(MessageRefused, match="is no date as git stores it"):
        checked_date(text)


def test_from_lines_are_those_of_git(tmp_path: Path) -> None:
    """Each line of an mbox that git mailsplit begins a new mail with, and no other."""
    pieces = random.Random(8)  # noqa: S311  # the same lines in every run
    lines = ["From a 1 2:30:00 2001"]
    for _ in range(3000):
        words = (f"1{n}:3{n}" for n in range(pieces.randint(0, 3)))
        time = ":".join(words).replace("1", pieces.choice("1 x"))
        year = pieces.choice(["2001", "91", "90", " 95", "+99", "-99", "", "x 2001", "90000000000"])
        who = pieces.choice(["From a", "From  1 ", "From", "from a", ">From a", "From ä 2 "])
        lines.append(
            f"{who}{pieces.choice([' ', '', ' 7 '])}{time}{pieces.choice([' ', ''])}{year}"
        )
    mbox = tmp_path / "mbox"
    mbox.write_text("".join(f"{line}\n" for line in lines))
    (tmp_path / "out").mkdir()
    split = ["git", "mailsplit", "-d4", "-b", "--keep-cr", f"-o{tmp_path / 'out'}", str(mbox)]
    subprocess.run(split, check=True, capture_output=True)
    firsts = [file.read_text().split("\n")[0] for file in sorted((tmp_path / "out").iterdir())]
    assert firsts == [line for line in lines if is_from_line(line)]
    assert len(firsts) > 100


def test_ids_are_refs_and_file_names(tmp_path: Path) -> None:
    """What is accepted, git accepts in a ref."""
    for text in ("a", "A.b-c_d", "0", "k" * 100, "a.locks"):
        assert checked_id(text) == text
        ref = ["git", "check-ref-format", f"refs/kpatch/{text}/log"]
        assert subprocess.run(ref, check=False).returncode == 0
