"""Objects that are gone or spoilt: said, and never taken for files that do not exist."""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio import objects
from kpatch_rs.gitio.objects import RepositoryDamaged
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.gitio.running import Conversation, Git, GitFailed
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath, repo_path
from tests.repos import FILES, Surroundings

X86 = repo_path("arch/x86/kvm/x86.c")


def loose(path: Path, around: Surroundings, name: str) -> Path:
    oid = around.git(path, "rev-parse", name)
    file = path / ".git/objects" / oid[:2] / oid[2:]
    file.chmod(0o644)
    return file


SPOILT: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "empty": lambda file: file.write_bytes(b""),
    "no zlib": lambda file: file.write_bytes(b"garbage"),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:-5]),
    "more bytes than it says": lambda file: file.write_bytes(zlib.compress(b"blob 3\0abcdef")),
    "other bytes": lambda file: file.write_bytes(zlib.compress(b"blob 3\0abc")),
    "another tree": lambda file: file.write_bytes(zlib.compress(b"tree 0\0")),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
@pytest.mark.parametrize("name", ["HEAD:arch/x86/kvm/x86.c", "HEAD:arch/x86", "HEAD^{tree}"])
def test_spoilt_object(
    kernel_repo: Callable[..., Path],
    around: Surroundings,
    name: str,
    spoil: Callable[[Path], object],
) -> None:
    path = kernel_repo()
    oid = around.git(path, "rev-parse", name)
    spoil(loose(path, around, name))
    with Repository.open(path, around.environment) as repository:
        tree = repository.tree(repository.resolve("HEAD"))
        with pytest.raises(RepositoryDamaged, match="damaged") as error:
            tree.read(X86)
        assert oid in error.value.message
        assert "fsck" in error.value.hint
        if name != "HEAD^{tree}":
            assert tree.read(repo_path("Makefile")), "what is whole can still be read"


@pytest.mark.parametrize("spoil", list(SPOILT.values())[:4], ids=list(SPOILT)[:4])
def test_search_over_a_spoilt_object(
    kernel_repo: Callable[..., Path], around: Surroundings, spoil: Callable[[Path], object]
) -> None:
    path = kernel_repo()
    spoil(loose(path, around, "HEAD:arch/x86/kvm/x86.c"))
    with Repository.open(path, around.environment) as repository:
        tree = repository.tree(repository.resolve("HEAD"))
        with pytest.raises(RepositoryDamaged):
            tree.files_with(b"kvm_init", None, ["*"])


def test_malformed_tree(kernel_repo: Callable[..., Path], around: Surroundings) -> None:
    path = kernel_repo()
    for raw in (b"100644 f\0short", b"no end", b"100644 f"):
        oid = around.git(
            path, "hash-object", "--literally", "-t", "tree", "-w", "--stdin", data=raw
        )
        with (
            Repository.open(path, around.environment) as repository,
            pytest.raises(RepositoryDamaged, match=f"tree {oid}"),
        ):
            repository.objects.entries(Oid(oid))


def test_truncated_pack(kernel_repo: Callable[..., Path], around: Surroundings) -> None:
    path = kernel_repo()
    around.git(path, "gc", "-q")
    (pack,) = (path / ".git/objects/pack").glob("*.pack")
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:60])
    with (
        pytest.raises(KpatchError) as error,
        Repository.open(path, around.environment) as repository,
    ):
        repository.tree(repository.resolve("v6.12.1")).read(X86)
    assert error.value.exit_code == 1


def test_git_that_died_between_two_requests_is_replaced(repository: Repository) -> None:
    tree = repository.tree(repository.resolve("HEAD"))
    talk = repository.objects._talk
    assert talk
    os.kill(talk._process.pid, signal.SIGKILL)
    talk._process.proc.wait()
    assert tree.read(X86)
    assert repository.objects._talk is not talk


def test_git_that_dies_again_and_again_is_an_error(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(self: Conversation, data: bytes) -> None:
        self._process.kill()
        raise self._gone()

    tree = repository.tree(repository.resolve("HEAD"))
    with monkeypatch.context() as patch:
        patch.setattr(Conversation, "send", dying)
        with pytest.raises(RepositoryDamaged, match=r"git cat-file died \(signal 9\)"):
            tree.read(X86)
    assert tree.read(X86), "and the next one works"


def test_interrupted_answer_is_not_taken_for_the_next(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = repository.tree(repository.resolve("HEAD"))
    assert tree.read(repo_path("Makefile"))
    with monkeypatch.context() as patch:
        patch.setattr(Conversation, "exactly", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tree.read(X86)
    file = tree.read(X86)
    assert file
    assert file.data == FILES["arch/x86/kvm/x86.c"]


def test_too_large_object_is_refused_unread(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "OBJECT_MAX", 45)
    with pytest.raises(KpatchError, match=r"has [0-9]+ bytes, over 45"):
        repository.tree(repository.resolve("HEAD"))


def test_flood_on_stderr_does_not_block(around: Surroundings, tmp_path: Path) -> None:
    flood = tmp_path / "git"
    flood.write_text(
        "#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x >&2\necho >&2\necho fatal: end >&2\n"
        "read line; echo $line\nexit 7\n"
    )
    flood.chmod(0o755)
    git = Git({"PATH": f"{tmp_path}:/bin:/usr/bin"})
    talk = Conversation(git, "anything")
    talk.send(b"hello\n")
    assert talk.line() == b"hello"
    with pytest.raises(GitFailed, match="git anything failed: fatal: end"):
        talk.line()
    ended = git.attempt("anything", data=b"hi\n")
    assert (ended.code, ended.out) == (7, b"hi\n")
    assert len(ended.err) > 300_000


def test_a_path_is_never_an_expression(repository: Repository) -> None:
    tree = repository.tree(repository.resolve("HEAD"))
    for path in (b"HEAD:Makefile", b"Makefile^{}", b"../kernel/Makefile", b"./Makefile", b"x\ny"):
        assert tree.read(RepoPath(path)) is None
