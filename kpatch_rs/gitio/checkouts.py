"""Which branches somebody stands on, in any work tree, and so must not be moved under them.

A branch counts as checked out where HEAD names it, and where a rebase or a bisect will come back to
it: HEAD is detached then, and `git worktree list` does not tell.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from kpatch_rs.errors import Refused
from kpatch_rs.gitio.running import Git

_RETURNS_TO = ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START")
"""Files of a work tree's git folder that name the branch to come back to (git's worktree.c)."""


class BranchRefused(Refused):
    """The branch must not be moved: somebody stands on it, or has commits of their own there."""


def checked_out_at(git: Git, common_dir: Path, branch: str) -> Path | None:
    """The work tree in which `branch` is checked out or being rebased or bisected."""
    work_trees = tuple(_work_trees(git))
    for where, head in work_trees:
        if head == f"refs/heads/{branch}":
            return where
    return _unfinished_in(common_dir, work_trees[0][0], branch)


def unfinished_at(git: Git, common_dir: Path, branch: str) -> Path | None:
    """The work tree in which `branch` is being rebased or bisected: it moves when that ends."""
    main, _ = next(_work_trees(git))
    return _unfinished_in(common_dir, main, branch)


def _unfinished_in(common_dir: Path, main: Path, branch: str) -> Path | None:
    for git_dir, where in _git_dirs(common_dir, main):
        if branch in _branches_to_return_to(git_dir):
            return where
    return None


def refuse_if_checked_out(git: Git, common_dir: Path, branch: str) -> None:
    """Raises BranchRefused where moving it would change what a work tree or another branch means.

    `git update-ref` would do it, and leave that tree with every difference staged (measured).
    """
    if where := checked_out_at(git, common_dir, branch):
        raise BranchRefused(
            f"branch {branch} is checked out in {where}",
            hint="switch that work tree to another branch; where the folder is gone: "
            "git worktree prune",
        )
    target = git.attempt("symbolic-ref", "-q", f"refs/heads/{branch}")
    if target.code == 0:
        raise BranchRefused(
            f"branch {branch} is a symbolic ref to {target.out.decode(errors='replace').strip()}",
            hint=f"make it a branch of its own: git symbolic-ref --delete refs/heads/{branch}",
        )


def _work_trees(git: Git) -> Iterator[tuple[Path, str]]:
    """Each work tree with the branch its HEAD names; '' where detached. The main one first."""
    listed = git.run("worktree", "list", "--porcelain", "-z").split(b"\0\0")
    for block in filter(None, listed):
        fields = dict(line.partition(b" ")[::2] for line in block.split(b"\0"))
        head = b"" if b"bare" in fields else fields.get(b"branch", b"")
        yield Path(os.fsdecode(fields[b"worktree"])), os.fsdecode(head)


def _git_dirs(common_dir: Path, main: Path) -> Iterator[tuple[Path, Path]]:
    """Each work tree's git folder, with the work tree."""
    yield common_dir, main
    for link in sorted((common_dir / "worktrees").glob("*/gitdir")):
        yield link.parent, Path(os.fsdecode(link.read_bytes().rstrip(b"\n"))).parent


def _branches_to_return_to(git_dir: Path) -> set[str]:
    names = set()
    for file in (git_dir / name for name in _RETURNS_TO):
        if file.is_file():
            names.add(os.fsdecode(file.read_bytes().strip()).removeprefix("refs/heads/"))
    todo = git_dir / "rebase-merge/update-refs"
    if todo.is_file():
        # Three lines each: the ref, its old and its new value (git's sequencer.c).
        refs = os.fsdecode(todo.read_bytes()).split("\n")[::3]
        names.update(ref.removeprefix("refs/heads/") for ref in refs)
    return names
