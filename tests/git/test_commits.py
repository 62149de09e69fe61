"""Ranges of commits, read: a line, with messages as text and renames found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kpatch_rs.errors import Gathered, KpatchError, Usage
from kpatch_rs.gitio.commits import CommitRead, ends_of
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import File
from tests.repos import Surroundings

TEXT = b"".join(b"line %d\n" % n for n in range(30))


@pytest.fixture
def folder(tmp_path: Path, around: Surroundings) -> Path:
    return around.kernel(tmp_path / "linux", {"a.c": TEXT, "b.c": b"b\n"})


@pytest.fixture
def opened(folder: Path, around: Surroundings) -> Iterator[Repository]:
    with Repository.open(folder, around.environment) as repository:
        yield repository


def commit(around: Surroundings, folder: Path, message: str, *options: str) -> None:
    around.git(folder, "add", "-A")
    around.git(folder, *options, "commit", "-q", "-F", "-", data=message.encode("latin-1"))


def between(opened: Repository, base: Oid, tip: Oid) -> tuple[CommitRead, ...]:
    unfit = Gathered()
    commits = opened.commits_between(base, tip, unfit)
    unfit.check()
    return commits


def test_range_is_read_in_order(folder: Path, opened: Repository, around: Surroundings) -> None:
    (folder / "b.c").write_bytes(b"c\n")
    commit(around, folder, "One\n\nText.\n")
    (folder / "a.c").rename(folder / "d.c")
    (folder / "b.c").chmod(0o755)
    (folder / "l").symlink_to("d.c")
    commit(around, folder, "Zw\xf6lf\n", "-c", "i18n.commitEncoding=ISO-8859-1")
    one, two = between(opened, opened.resolve("v6.12.1"), opened.resolve("HEAD"))
    assert (one.message, one.author) == ("One\n\nText.\n", b"A Maintainer <a@example.org>")
    assert one.date == "1700000000 +0100"
    assert [(c.path, c.mode) for c in one.changes] == [(b"b.c", "100644")]
    assert two.message == "Zwölf\n"
    found = {c.path: (c.was, c.mode if c.blob else None) for c in two.changes}
    assert found == {
        b"a.c": (b"a.c", None),
        b"b.c": (b"b.c", "100755"),
        b"d.c": (b"a.c", "100644"),
        b"l": (b"l", "120000"),
    }


def test_merge_is_refused(folder: Path, opened: Repository, around: Surroundings) -> None:
    around.git(folder, "checkout", "-q", "-b", "side")
    around.git(folder, "commit", "-q", "--allow-empty", "-m", "side")
    around.git(folder, "checkout", "-q", "master")
    around.git(folder, "commit", "-q", "--allow-empty", "-m", "main")
    around.git(folder, "merge", "-q", "-m", "Join", "side")
    base, tip = opened.resolve("v6.12.1"), opened.resolve("HEAD")
    with pytest.raises(KpatchError, match=r"commit \w{12} \(.*\) (is a merge|does not stand on)"):
        between(opened, base, tip)
    assert between(opened, tip, base) == ()
    with pytest.raises(KpatchError, match="the range is no line"):
        between(opened, opened.resolve("side"), opened.resolve("HEAD^1"))


def test_all_merges_are_named(folder: Path, opened: Repository, around: Surroundings) -> None:
    for name in ("one", "two"):
        around.git(folder, "checkout", "-q", "-b", name)
        around.git(folder, "commit", "-q", "--allow-empty", "-m", name)
        around.git(folder, "checkout", "-q", "master")
        around.git(folder, "merge", "-q", "--no-ff", "-m", f"Join {name}", name)
    with pytest.raises(KpatchError) as refused:
        between(opened, opened.resolve("v6.12.1"), opened.resolve("HEAD"))
    lines = refused.value.message.split("\n")
    assert lines[0] == "2 things stand in the way:"
    assert [("Join one" in line, "Join two" in line) for line in lines[1:]] == [
        (True, False),
        (False, True),
    ]


def test_submodule_is_refused(folder: Path, opened: Repository, around: Surroundings) -> None:
    entry = f"160000,{around.git(folder, 'rev-parse', 'HEAD')},sub"
    around.git(folder, "update-index", "--add", "--cacheinfo", entry)
    around.git(folder, "commit", "-q", "-m", "sub")
    with pytest.raises(KpatchError, match="sub is a submodule, which no recipe can hold"):
        between(opened, opened.resolve("v6.12.1"), opened.resolve("HEAD"))


def test_message_of_another_encoding_than_it_says(
    folder: Path, opened: Repository, around: Surroundings
) -> None:
    """git itself writes none, but other programs do."""
    base = opened.resolve("v6.12.1")
    person = b"A <a@example.org> 1700000000 +0000"
    tree = around.git(folder, "rev-parse", "HEAD^{tree}").encode()
    lines = (b"tree " + tree, b"parent " + base.encode(), b"author " + person)
    raw = b"\n".join((*lines, b"committer " + person, b"", b"Zw\xf6lf\n"))
    name = around.git(folder, "hash-object", "-t", "commit", "-w", "--stdin", data=raw)
    with pytest.raises(KpatchError, match="its message is not UTF-8"):
        between(opened, base, opened.resolve(name))


def test_ends_of_a_range() -> None:
    assert ends_of("v6.12..mine") == ("v6.12", "mine")
    assert ends_of("v6.12..") == ("v6.12", "HEAD")
    for wrong in ("v6.12", "..mine", "a...b", ""):
        with pytest.raises(Usage, match="is no range of commits"):
            ends_of(wrong)


def test_applied_as_git_does(opened: Repository) -> None:
    """A hunk goes to the nearest place its text stands at; bytes and modes stay what they are."""
    path, link = RepoPath(b"d/a.c"), RepoPath(b"l")
    old = {path: File(b"x\n" * 5 + b"a\r\n" + b"x\n" * 5, "100755"), link: File(b"d", "120000")}
    diff = (
        b"diff --git a/d/a.c b/d/a.c\n--- a/d/a.c\n+++ b/d/a.c\n"
        b"@@ -3,3 +3,3 @@\n x\n-a\r\n+\xe9\r\n x\n"
    )
    new = opened.applied(old, diff)
    assert new == {path: File(b"x\n" * 5 + b"\xe9\r\n" + b"x\n" * 5, "100755"), link: old[link]}
    with pytest.raises(KpatchError, match="it does not fit"):
        opened.applied(old, diff.replace(b"-a", b"-b"))
