from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.errors import KpatchError, Refused
from kpatch_rs.gitio.objects import RepositoryDamaged
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.gitio.revisions import UnknownRevision
from kpatch_rs.model.path import repo_path
from tests.git.test_oplog import record, rendered
from tests.git.test_writing import commit
from tests.repos import FILES, Surroundings, surroundings


def refusal(path: Path, environment: dict[str, str]) -> KpatchError:
    with pytest.raises(KpatchError) as error, Repository.open(path, environment):
        pass
    return error.value


def works(path: Path, around: Surroundings) -> None:
    """Reads, writes, moves refs and compares there."""
    from kpatch_rs.gitio.oplog import OperationLog

    with Repository.open(path, around.environment) as repository:
        base = repository.resolve("v6.12.1")
        assert repository.tree(base).read(repo_path("Makefile"))
        view = rendered(repository, b"1")
        record(OperationLog(repository, "hello"), view)
        assert repository.branch(view.branch) == view.tip
        assert view.tip
        assert repository.diff(base, view.tip).patch
        assert repository.range_diff(base, view.tip, base, view.tip).startswith("1:")
    around.git(path, "fsck", "--strict")


@pytest.mark.parametrize(
    "name", ["kernel", "with space", "l\nf", "$HOME", "~", "-x", "é", '"q"', "#c"]
)
def test_odd_folder_names(around: Surroundings, tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    works(around.kernel(tmp_path / "in" / name), around)


def test_folder_name_that_is_not_utf8(around: Surroundings, tmp_path: Path) -> None:
    works(around.kernel(tmp_path / "k\udcff"), around)


def test_bare_git_dir_git_file_and_link(
    kernel_repo: Callable[..., Path], around: Surroundings, tmp_path: Path
) -> None:
    path = kernel_repo()
    around.git(tmp_path, "clone", "-q", "--bare", "kernel", "bare.git")
    works(tmp_path / "bare.git", around)
    (tmp_path / "link").symlink_to(path)
    (path / ".git").rename(tmp_path / "moved.git")
    (path / ".git").write_text(f"gitdir: {tmp_path / 'moved.git'}\n")
    for place in (path, tmp_path / "link", tmp_path / "moved.git"):
        with Repository.open(place, around.environment) as repository:
            assert repository.git_dir.samefile(tmp_path / "moved.git")
            assert repository.resolve("v6.12.1")
    works(path, around)


@pytest.mark.skipif(
    os.environ.get("GIT_DEFAULT_REF_FORMAT") == "files", reason="the run asks for files"
)
def test_reftable_works_or_is_refused(around: Surroundings, tmp_path: Path) -> None:
    new = surroundings(tmp_path / "newhome")
    try:
        path = new.kernel(tmp_path / "kernel", FILES, "--ref-format=reftable")
    except AssertionError:
        pytest.skip("no git here makes reftable repositories")
    try:
        around.git(path, "rev-parse")
    except AssertionError:
        error = refusal(path, dict(around.environment))
        assert "refstorage" in error.message
        assert "newer" in error.hint
    else:
        works(path, around)


def test_not_a_repository(around: Surroundings, tmp_path: Path) -> None:
    error = refusal(tmp_path, dict(around.environment))
    assert error.message == f"{tmp_path} is not a git repository"
    assert refusal(tmp_path / "no", dict(around.environment)).message.endswith("no such folder")


@pytest.mark.parametrize("below", ["arch/x86", ".git/objects"])
def test_a_folder_inside_a_repository_is_not_it(
    kernel_repo: Callable[..., Path], around: Surroundings, below: str
) -> None:
    path = kernel_repo()
    error = refusal(path / below, dict(around.environment))
    assert "only a folder inside one" in error.message


def test_somebody_elses_repository(kernel_repo: Callable[..., Path], around: Surroundings) -> None:
    path = kernel_repo()
    if os.getuid() != 0:
        pytest.skip("only root can give a repository away")
    for entry in (path, path / ".git"):
        os.chown(entry, 12345, 12345)
    error = refusal(path, dict(around.environment))
    assert isinstance(error, Refused)
    assert error.hint == f"if you trust it: git config --global --add safe.directory {path}"


def test_alternate_that_is_gone(
    kernel_repo: Callable[..., Path], around: Surroundings, tmp_path: Path
) -> None:
    kernel_repo()
    around.git(tmp_path, "clone", "-q", "--shared", "kernel", "clone")
    works(tmp_path / "clone", around)
    shutil.move(tmp_path / "kernel", tmp_path / "elsewhere")
    error = refusal(tmp_path / "clone", dict(around.environment))
    assert "the object store is incomplete" in error.message
    assert str(tmp_path / "kernel") in error.message


def test_shallow_clone(
    kernel_repo: Callable[..., Path], around: Surroundings, tmp_path: Path
) -> None:
    path = kernel_repo()
    around.git(path, "tag", "old")
    around.git(path, "commit", "-q", "--allow-empty", "-m", "two")
    around.git(path, "tag", "-f", "v6.12.1")
    around.git(tmp_path, "clone", "-q", "--depth=1", f"file://{path}", "shallow")
    works(tmp_path / "shallow", around)
    with Repository.open(tmp_path / "shallow", around.environment) as repository:
        with pytest.raises(UnknownRevision) as error:
            repository.resolve("v6.12.1~1")
        assert "v6.12.1" in error.value.hint or "unshallow" in error.value.hint
        with pytest.raises(UnknownRevision) as error:
            repository.resolve("zzz")
        assert "unshallow" in error.value.hint


def test_partial_clone_says_what_is_not_there_and_fetches_nothing(
    kernel_repo: Callable[..., Path], around: Surroundings, tmp_path: Path
) -> None:
    path = kernel_repo()
    around.git(path, "config", "uploadpack.allowFilter", "true")
    options = ("-q", "--no-checkout", "--filter=blob:none")
    around.git(tmp_path, "clone", *options, f"file://{path}", "partial")
    canary = tmp_path / "canary"
    around.git(tmp_path / "partial", "config", "core.sshCommand", f"touch {canary};")
    around.git(tmp_path / "partial", "remote", "set-url", "origin", "ssh://nowhere/x")
    with Repository.open(tmp_path / "partial", around.environment) as repository:
        tree = repository.tree(repository.resolve("v6.12.1"))
        assert tree.entry_type(repo_path("Makefile")) == "file"
        for ask in (
            lambda: tree.read(repo_path("Makefile")),
            lambda: tree.files_with(b"x", None, ["*"]),
        ):
            with pytest.raises(RepositoryDamaged, match="not present locally"):
                ask()
        assert repository.write(repository.resolve("v6.12.1"), [commit({"f": b"1"})])
    assert not canary.exists()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo git version 2.38.9", "git version 2.38.9 is too old"),
        ("echo hello", "'git version' says 'hello'"),
        ("echo no >&2; exit 3", "git version failed: no"),
        ("kill -9 $$", "git version died \\(signal 9\\)"),
    ],
)
def test_a_git_that_is_none(
    kernel_repo: Callable[..., Path], tmp_path: Path, script: str, message: str
) -> None:
    path = kernel_repo()
    (tmp_path / "git").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "git").chmod(0o755)
    with (
        pytest.raises(KpatchError, match=message),
        Repository.open(path, {"PATH": f"{tmp_path}:/bin"}),
    ):
        pass


def test_no_git_at_all(kernel_repo: Callable[..., Path], tmp_path: Path) -> None:
    error = refusal(kernel_repo(), {"PATH": str(tmp_path)})
    assert (error.message, error.hint) == ("git is not on PATH", "install git 2.39 or newer")
