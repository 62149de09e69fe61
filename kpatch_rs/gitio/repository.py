"""The kernel repository: everything the other rooms get from git goes through here.

Guarantees: reading needs no work tree and touches none; refs move only through
:mod:`kpatch_rs.gitio.oplog`; what is opened is closed, children and folders included.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kpatch_rs.errors import Gathered, KpatchError
from kpatch_rs.gitio import (
    applied,
    checkouts,
    commits,
    compare,
    mails,
    merging,
    opening,
    refs,
    revisions,
)
from kpatch_rs.gitio.blame import Blame
from kpatch_rs.gitio.borrowed import borrow
from kpatch_rs.gitio.objects import Objects, read_commit
from kpatch_rs.gitio.outline import Outlines
from kpatch_rs.gitio.running import Git
from kpatch_rs.gitio.tree import GitTree
from kpatch_rs.gitio.writing import NewCommit, write_commits
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.outcome import Commit
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Person
from kpatch_rs.model.tree import File
from kpatch_rs.syntax.merge import Clash

__all__ = ["NewCommit", "Repository"]


class IdentityUnknown(KpatchError):
    """git is configured with no name or no address."""


class Repository:
    """One git repository, open."""

    def __init__(
        self, opened: opening.Opened, objects: Objects, outlines: Outlines, closing: ExitStack
    ) -> None:
        self.git = opened.git
        self.git_dir = opened.git_dir
        self.common_dir = opened.common_dir
        self.object_dir = opened.common_dir / "objects"
        self.object_format = opened.object_format
        self.objects = objects
        self._outlines = outlines
        self._opened = opened
        self._closing = closing

    @classmethod
    @contextmanager
    def open(
        cls, path: Path, environment: Mapping[str, str], outlines: Path | None = None
    ) -> Iterator[Repository]:
        """The repository at `path`: the top of a work tree, or bare.

        `outlines` is a folder for what makes the next search of the same tree fast.
        Raises KpatchError saying why it is none, Refused where git distrusts its owner.
        """
        opened = opening.find(path, Git(environment))
        with ExitStack() as closing:
            objects = Objects(opened.git, opened.common_dir, opened.nobody)
            closing.callback(objects.close)
            yield cls(opened, objects, Outlines(outlines), closing)

    def resolve(self, rev: str) -> Oid:
        """The commit `rev` names. Raises UnknownRevision with the names closest to it."""
        return revisions.resolve(self._opened, self.objects, rev)

    def newest(self) -> str | None:
        """HEAD, or the kernel's tag with the highest version; None where there is neither."""
        return revisions.newest(self._opened, self.objects)

    def first_parents(self, old: Oid, new: Oid) -> tuple[Oid, ...]:
        """The commits after `old` up to `new` on its line of first parents, oldest first."""
        out = self.git.run("rev-list", "--first-parent", "--reverse", f"{old}..{new}")
        return tuple(Oid(line) for line in out.decode().split())

    def tree(self, commit: Oid) -> GitTree:
        """The tree of `commit`. Raises RepositoryDamaged."""
        tree = read_commit(self.objects, commit).tree
        return GitTree(self.git, self.objects, tree, self._outlines)

    def commit_time(self, commit: Oid) -> int:
        """The committer's time, in seconds since the epoch. Raises RepositoryDamaged."""
        return read_commit(self.objects, commit).time

    def history(self) -> GitHistory:
        """What the `patch` kind needs of git."""
        return GitHistory(self.objects, self.git)

    def identity(self) -> Person:
        """Who git takes the user for; never guessed from login and host name.

        Raises IdentityUnknown.
        """
        ended = self.git.attempt("-c", "user.useConfigOnly=true", "var", "GIT_AUTHOR_IDENT")
        found = re.fullmatch(r"(.+) <(.+)> \d+ [+-]\d{4}\n", ended.out.decode(errors="replace"))
        if ended.code != 0 or not found:
            raise IdentityUnknown(
                "git does not know who you are",
                hint='git config --global user.name "Your Name" && '
                "git config --global user.email you@example.org",
            )
        return Person(found[1], found[2])

    def write(self, base: Oid, commits: Sequence[NewCommit]) -> tuple[Commit, ...]:
        """Write `commits` in a row on top of `base`; no ref changes. Raises KpatchError."""
        return write_commits(self.git, self.objects, (base,), commits)

    def branch(self, name: str) -> Oid | None:
        """Where branch `name` is; None where it does not exist. Raises Usage for no name."""
        return refs.read_branch(self.git, name)

    def refuse_beside(self, branch: str, reserved: str) -> None:
        """Raises Usage where `branch` cannot stand beside another one, or `reserved`."""
        refs.refuse_beside(self.git, branch, reserved)

    def checked_out_at(self, branch: str) -> Path | None:
        """The work tree in which `branch` is checked out, or being rebased or bisected."""
        return checkouts.checked_out_at(self.git, self.common_dir, branch)

    def unfinished_at(self, branch: str) -> Path | None:
        """The work tree in which somebody is rebasing or bisecting `branch`."""
        return checkouts.unfinished_at(self.git, self.common_dir, branch)

    def refuse_if_checked_out(self, branch: str) -> None:
        """Raises Refused where somebody stands on `branch`, or it is a symbolic ref."""
        checkouts.refuse_if_checked_out(self.git, self.common_dir, branch)

    def diff(self, old: Oid, new: Oid) -> compare.Diff:
        """The difference between two commits or trees, as a mail has it."""
        return compare.diff(self._borrowed, old, new)

    def series_stat(self, base: Oid, tip: Oid) -> bytes:
        """The diffstat and summary of a whole series, for its cover letter."""
        return compare.series_stat(self._borrowed, base, tip)

    def range_diff(self, old_base: Oid, old_tip: Oid, new_base: Oid, new_tip: Oid) -> str:
        """git's range-diff of the old and the new rendering."""
        return compare.range_diff(self._borrowed, (old_base, old_tip), (new_base, new_tip))

    def blame(self, old: Oid, new: Oid, seconds: float) -> Blame:
        """Who changed what between two kernels, asked for at most `seconds`."""
        return Blame(self._borrowed, old, new, seconds)

    def commits_between(
        self, base: Oid, tip: Oid, unfit: Gathered
    ) -> tuple[commits.CommitRead, ...]:
        """The commits from `base` to `tip`, a line; what no recipe can hold goes into `unfit`."""
        return commits.commits_between(self.git, self._borrowed, self.objects, base, tip, unfit)

    def is_below(self, base: Oid, tip: Oid) -> bool:
        """Whether `tip` is `base` or stands on it."""
        return commits.is_below(self._borrowed, base, tip)

    def read_mails(self, mbox: bytes) -> tuple[mails.MailRead, ...]:
        """The mails of an mbox, as `git am` takes them apart. Raises KpatchError."""
        return mails.read_mails(self._borrowed, mbox)

    def split_mails(self, mbox: bytes) -> tuple[bytes, ...]:
        """The mails of an mbox, as they are."""
        return mails.split_mails(self._borrowed, mbox)

    def applied(
        self, files: Mapping[RepoPath, File | None], diff: bytes
    ) -> dict[RepoPath, File | None]:
        """`files` as `git apply` leaves them; `diff` names no others. Raises KpatchError."""
        return applied.applied(self.git, files, diff)

    def trees_of_mails(self, base: Oid, sent: Sequence[bytes]) -> tuple[mails.AppliedMail, ...]:
        """What `git am` would make of mails on top of `base`. Raises KpatchError naming one."""
        return mails.trees_of_mails(self._borrowed, base, sent)

    @cached_property
    def _borrowed(self) -> Git:
        """git in a throw-away repository on top of this one's objects."""
        folder = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="kpatch-rs-"))
        git = borrow(self.git, Path(folder) / "git", self.object_dir, self.object_format)
        shallow = self.common_dir / "shallow"
        extra = {**git.extra, **({"GIT_SHALLOW_FILE": str(shallow)} if shallow.exists() else {})}
        return Git(git.environment, git.place, extra)


@dataclass(frozen=True, slots=True)
class GitHistory:
    """Satisfies kinds.base.History."""

    objects: Objects
    git: Git

    def blob(self, prefix: str) -> bytes | None:
        """The one blob whose name begins with `prefix`, at least 4 hex digits of it."""
        if not re.fullmatch(r"[0-9a-f]{4,64}", prefix):
            return None
        info = self.objects.info(prefix)
        # A branch may have a name that looks like an object's, and then goes first.
        if info is None or info.type != "blob" or not info.oid.startswith(prefix):
            return None
        return self.objects.blob(info.oid)

    def merge(self, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes | Clash, ...]:
        """`git merge-file`; empty where it cannot merge such bytes (binary)."""
        return merging.merge(self.git, base, ours, theirs)
