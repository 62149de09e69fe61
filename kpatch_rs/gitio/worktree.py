"""The work tree that builds run in: ours alone, moved from commit to commit.

Guarantees: the user's work trees, index and configuration play no part; no hook or filter runs;
files that do not differ keep their modification times, which is what make goes by; a checkout that
was killed is found out and put right by the next one.

Measured on Linux 6.12.117 (86,691 files): the first checkout 12 s, a step 0.3 s,
most of it looking at every file, so that whatever a build changed is put back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.borrowed import borrow
from kpatch_rs.gitio.lock import exclusive
from kpatch_rs.gitio.running import Git
from kpatch_rs.model.oid import Oid

if TYPE_CHECKING:
    from kpatch_rs.gitio.repository import Repository

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class BuildTree:
    """A checkout below kpatch-rs's own cache."""

    path: Path
    """The work tree. It has no .git: the kernel's setlocalversion finds no git in it, and so the
    release name stays the same from step to step."""
    _git: Git
    _index: Path
    _moving: Path
    """Exists while a checkout is under way, and after one that did not end."""

    @classmethod
    def open(cls, repository: Repository, root: Path, name: str) -> BuildTree:
        """The work tree `root`/`name`, made where it is not there; its objects are `repository`'s.

        `root` may be used by one kernel repository after the other.
        """
        if not _NAME.fullmatch(name) or name == "repo.git":
            raise KpatchError(f"'{name}' cannot name a build tree")
        path, home = root / name, root / "repo.git"
        try:
            path.mkdir(parents=True, exist_ok=True)
            git = borrow(repository.git, home, repository.object_dir, repository.object_format)
        except OSError as error:
            raise KpatchError(f"{root}: no build tree can be made: {error}") from error
        index, moving = home / f"{name}.index", home / f"{name}.moving"
        at_work = Git(git.environment, (f"--git-dir={home}", f"--work-tree={path}"), git.extra)
        return cls(path, at_work.with_index(index), index, moving)

    def checkout(self, commit: Oid) -> None:
        """Make the work tree `commit`'s, touching only what differs. Raises KpatchError.

        A git that outlived a killed kpatch-rs holds the lock still, and is waited for.
        """
        with exclusive(self._index.with_suffix(".lock"), lambda _: None) as lock:
            if self._moving.exists():
                self._recover(lock)
            self._moving.touch()
            self._read_tree(commit, lock)
            self._moving.unlink()

    def _recover(self, lock: int) -> None:
        """Remove files that the index does not know: a killed git wrote them before it."""
        self._index.with_name(f"{self._index.name}.lock").unlink(missing_ok=True)
        self._run(lock, "clean", "-ffdxq")

    def _read_tree(self, commit: Oid, lock: int) -> None:
        # core.fsync: it can all be made again. checkout.workers: one for each processor.
        quick = ("-c", "core.fsync=none", "-c", "checkout.workers=0")
        self._run(lock, *quick, "read-tree", "--reset", "-u", commit)

    def _run(self, lock: int, *args: str) -> None:
        ended = self._git.attempt(*args, pass_fds=(lock,))
        if ended.code != 0:
            failure = ended.failure("checkout")
            raise KpatchError(
                f"{self.path}: {failure.message}",
                hint=f"it can be made again: rm -rf {self.path} {self._index}",
            )
