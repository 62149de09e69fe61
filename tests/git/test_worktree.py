from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.gitio.running import Git
from kpatch_rs.gitio.worktree import BuildTree
from kpatch_rs.model.oid import Oid
from tests.git.test_writing import commit
from tests.repos import FILES, Surroundings, snapshot


@pytest.fixture
def steps(repository: Repository) -> list[Oid]:
    base = repository.resolve("HEAD")
    new = [commit({"new/a.rs": b"1\n"}), commit({"new/a.rs": b"2\n", "Makefile": None})]
    return [base, *(c.commit for c in repository.write(base, new))]


@pytest.fixture
def build_tree(repository: Repository, tmp_path: Path) -> BuildTree:
    return BuildTree.open(repository, tmp_path / "cache", "v6.12")


def contents(tree: BuildTree) -> dict[str, bytes]:
    found = (p for p in tree.path.rglob("*") if p.is_file())
    return {str(p.relative_to(tree.path)): p.read_bytes() for p in found}


def test_steps_touch_only_what_differs(build_tree: BuildTree, steps: list[Oid]) -> None:
    build_tree.checkout(steps[0])
    assert contents(build_tree) == FILES
    before = snapshot(build_tree.path)
    build_tree.checkout(steps[1])
    assert contents(build_tree) == {**FILES, "new/a.rs": b"1\n"}
    build_tree.checkout(steps[2])
    after = snapshot(build_tree.path)
    assert set(before) - set(after) == {str(build_tree.path / "Makefile")}
    assert all(after[name] == before[name] for name in set(before) & set(after))
    build_tree.checkout(steps[0])
    assert not (build_tree.path / "new").exists()


def test_what_a_build_changed_is_put_back(build_tree: BuildTree, steps: list[Oid]) -> None:
    build_tree.checkout(steps[0])
    (build_tree.path / "Makefile").write_bytes(b"spoilt")
    (build_tree.path / "virt/kvm/kvm_main.c").unlink()
    build_tree.checkout(steps[0])
    assert contents(build_tree) == FILES


def test_killed_checkout_is_put_right(
    build_tree: BuildTree, steps: list[Oid], monkeypatch: pytest.MonkeyPatch
) -> None:
    """git was killed with files written and its index not: they look like nobody's."""
    build_tree.checkout(steps[0])
    with monkeypatch.context() as patch:
        patch.setattr(Git, "attempt", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            build_tree.checkout(steps[1])
    (build_tree.path / "new").mkdir()
    (build_tree.path / "new/a.rs").write_bytes(b"1\n")
    home = build_tree.path.parent / "repo.git"
    (home / "v6.12.index.lock").touch()
    again = build_tree
    again.checkout(steps[0])
    assert contents(again) == FILES


def test_bytes_are_the_trees_whatever_its_attributes_say(
    kernel_repo: Callable[..., Path], around: Surroundings, tmp_path: Path
) -> None:
    attributes = b"* text eol=crlf ident filter=x working-tree-encoding=UTF-16\n"
    files = {"a.c": b"/* $Id$ */\n", "b.c": b"a\r\nb\n"}
    path = kernel_repo(files)
    canary = tmp_path / "canary"
    around.git(path, "config", "--global", "filter.x.smudge", f"touch {canary}; cat")
    hook = path / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {canary}\n")
    hook.chmod(0o755)
    with Repository.open(path, around.environment) as repository:
        (made,) = repository.write(
            repository.resolve("HEAD"), [commit({".gitattributes": attributes})]
        )
        tree = BuildTree.open(repository, tmp_path / "cache", "w")
        tree.checkout(made.commit)
    assert contents(tree) == {**files, ".gitattributes": attributes}
    assert not canary.exists()


def test_users_repository_is_untouched(
    repository: Repository, steps: list[Oid], tmp_path: Path
) -> None:
    before = snapshot(tmp_path / "kernel")
    tree = BuildTree.open(repository, tmp_path / "cache", "w")
    for step in steps:
        tree.checkout(step)
    assert snapshot(tmp_path / "kernel") == before
    assert not (tree.path / ".git").exists()


def test_one_cache_serves_one_kernel_after_the_other(
    kernel_repo: Callable[..., Path], around: Surroundings, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        path = kernel_repo({"name": name.encode()}, name=name)
        with Repository.open(path, around.environment) as repository:
            tree = BuildTree.open(repository, tmp_path / "cache", "w")
            tree.checkout(repository.resolve("HEAD"))
            assert contents(tree) == {"name": name.encode()}


def test_unknown_commit_and_bad_name(build_tree: BuildTree, repository: Repository) -> None:
    with pytest.raises(KpatchError, match=r"v6\.12: git checkout failed") as error:
        build_tree.checkout(Oid("1" * 40))
    assert "rm -rf" in error.value.hint
    for name in ("", "..", "a/b", "-x", "repo.git"):
        with pytest.raises(KpatchError, match="cannot name a build tree"):
            BuildTree.open(repository, build_tree.path, name)
