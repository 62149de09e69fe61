"""The answer folder: what is in it, what is read back from it, and whom it leaves alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.answers import AnswerFolder, Row
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.model.path import PathRefused, RepoPath, repo_path
from kpatch_rs.model.tree import File
from tests.repos import Surroundings, changes, snapshot

KERNEL: Mapping[str, bytes] = {
    "Makefile": b"all:\n",
    "a/x.c": b"x\n",
    "a/y.c": b"y\n",
    "a/deep/z.c": b"z\n",
    "b[1]/w*.c": b"w\n",
    "c/v.c": b"v\n",
    ".gitignore": b"*.o\n.*\n!.gitignore\n",
}
X = repo_path("a/x.c")


@pytest.fixture(params=["sha1", "sha256"])
def kernel(request: pytest.FixtureRequest, kernel_repo: Callable[..., Path]) -> Path:
    return kernel_repo(KERNEL, f"--object-format={request.param}")


def made(kernel: Path, around: Surroundings, work: Mapping[str, bytes | None]) -> AnswerFolder:
    with Repository.open(kernel, around.environment) as repository:
        base = repository.resolve("HEAD")
        return AnswerFolder.make(
            repository,
            kernel.parent / "answers/one",
            head=Row(base, (("before", changes({"a/before.c": b"1\n"})),)),
            was=Row(base, (("before", {}), ("what it did", changes({"a/x.c": b"rust\n"})))),
            near=[X, repo_path("b[1]/gone.c")],
            work=changes(work),
            note="the note\n",
        )


def found(folder: AnswerFolder) -> set[str]:
    files = (p for p in folder.path.rglob("*") if p.is_file() or p.is_symlink())
    return {n for p in files if not (n := str(p.relative_to(folder.path))).startswith(".git/")}


def test_what_is_in_it(kernel: Path, around: Surroundings) -> None:
    refs, before = around.refs(kernel), snapshot(kernel)
    folder = made(kernel, around, {"a/x.c": b"<<<<<<<\n", "new/n.c": b"n\n", "a/y.c": None})
    beside = {".gitignore", "Makefile", "a/x.c", "a/before.c", "b[1]/w*.c", "new/n.c"}
    assert found(folder) == beside
    assert folder.note() == "the note\n"
    said = around.git(folder.path, "status", "--porcelain")
    assert said.splitlines() == [" M a/x.c", " D a/y.c", "?? new/"]
    assert "+rust" in around.git(folder.path, "show", "was")
    around.git(folder.path, "sparse-checkout", "add", "c")
    assert (folder.path / "c/v.c").read_bytes() == b"v\n"
    around.git(folder.path, "fsck")
    assert around.refs(kernel) == refs
    assert snapshot(kernel) == before


def test_what_is_read_back(kernel: Path, around: Surroundings) -> None:
    folder = made(kernel, around, {"a/x.c": b"<<<<<<<\n"})
    assert folder.files(()) == {X: File(b"<<<<<<<\n")}
    path = folder.path
    (path / "a/x.c").write_bytes(b"x\n")
    (path / "a/y.c").unlink()
    (path / "a/before.c").chmod(0o755)
    (path / "a/deep").mkdir()
    (path / "a/deep/z.c").write_bytes(b"not checked out, and written\n")
    (path / "a/n \xe4.c").write_bytes(b"\xff\r\n")
    (path / "a/built.o").write_bytes(b"")
    (path / "a/.x.c.swp").write_bytes(b"")
    (path / "a/link").symlink_to("../../outside")
    os.mkfifo(path / "a/fifo")
    around.git(path, "add", "a/before.c")
    around.git(path, "commit", "-q", "-m", "mine")
    there = folder.files([X, repo_path("a/absent")])
    assert there == {
        X: File(b"x\n"),
        b"a/absent": None,
        b"a/before.c": File(b"1\n", "100755"),
        b"a/deep/z.c": File(b"not checked out, and written\n"),
        b"a/link": File(b"../../outside", "120000"),
        "a/n ä.c".encode(): File(b"\xff\r\n"),
        b"a/y.c": None,
    }


def test_a_kernel_that_ignores_its_own_folders(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    """As Debian's trees do: what is new in a folder that has files is read back all the same."""
    kernel = kernel_repo(KERNEL)
    (kernel / ".gitignore").write_bytes(b"*.o\n/*\n!/debian/\n")
    around.git(kernel, "commit", "-q", "-a", "-m", "as Debian has it")
    folder = made(kernel, around, {"a/offered.rs": b"1\n"})
    (folder.path / "a/offered.rs").rename(folder.path / "b[1]/offered.rs")
    (folder.path / "a/built.o").write_bytes(b"")
    (folder.path / "c").mkdir()
    (folder.path / "c/new.rs").write_bytes(b"2\n")
    (folder.path / "out").mkdir()
    (folder.path / "out/log").write_bytes(b"")
    assert folder.files([repo_path("a/offered.rs")]) == {
        b"a/offered.rs": None,
        b"b[1]/offered.rs": File(b"1\n"),
        b"c/new.rs": File(b"2\n"),
    }


def test_nothing_is_read_through_a_link(kernel: Path, around: Surroundings) -> None:
    folder = made(kernel, around, {})
    (kernel.parent / "outside").mkdir()
    (kernel.parent / "outside/x.c").write_bytes(b"secret\n")
    shutil.rmtree(folder.path / "a")
    (folder.path / "a").symlink_to(kernel.parent / "outside")
    there = folder.files([X])
    assert there[X] is None
    assert there[RepoPath(b"a")] == File(os.fsencode(kernel.parent / "outside"), "120000")


def test_a_repository_in_it_is_refused(kernel: Path, around: Surroundings) -> None:
    folder = made(kernel, around, {})
    around.git(folder.path, "init", "-q", "sub")
    (folder.path / "sub/f").write_bytes(b"")
    with pytest.raises(PathRefused, match="path 'sub/'"):
        folder.files(())


def test_it_is_there_whole_or_not_at_all(kernel: Path, around: Surroundings) -> None:
    with pytest.raises(KpatchError):
        made(kernel, around, {"a/x.c/below": b""})
    assert list((kernel.parent / "answers").iterdir()) == []
    (kernel.parent / "answers").rmdir()
    (kernel.parent / "answers").write_bytes(b"")
    with pytest.raises(KpatchError, match="answers/one cannot be made: "):
        made(kernel, around, {})


def test_another_note(kernel: Path, around: Surroundings) -> None:
    folder = made(kernel, around, {})
    folder.rewrite_note("another\n")
    with Repository.open(kernel, around.environment) as repository:
        again = AnswerFolder.find(repository, folder.path)
        assert again is not None
        assert again.note() == "another\n"
        again.remove()
        assert AnswerFolder.find(repository, folder.path) is None
    assert list(folder.path.parent.iterdir()) == []


def test_a_shallow_kernel(kernel: Path, around: Surroundings) -> None:
    (kernel / "Makefile").write_bytes(b"later:\n")
    around.git(kernel, "commit", "-qam", "later")
    shallow = kernel.parent / "shallow"
    around.git(kernel.parent, "clone", "-q", "--depth=1", f"file://{kernel}", str(shallow))
    folder = made(shallow, around, {})
    assert around.git(folder.path, "log", "--oneline").count("\n") == 1
