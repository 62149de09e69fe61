"""The folder in which a person answers a conflict: a work tree of its own.

It holds a kernel with the steps before the one in question, and of its files just those around what
the step concerns; the rest is a `git sparse-checkout add` away. Guarantees: it is there whole or
not at all; the user's repository lends its objects and gets none; what git is configured to do with
files (filters, line ends, hooks) plays no part in what is read back.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.applied import read_file, write_file
from kpatch_rs.gitio.borrowed import borrow
from kpatch_rs.gitio.objects import Objects
from kpatch_rs.gitio.running import Git
from kpatch_rs.gitio.writing import NewCommit, write_commits
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath, repo_path
from kpatch_rs.model.series import Person
from kpatch_rs.model.tree import File

if TYPE_CHECKING:
    from kpatch_rs.gitio.repository import Repository

Files = Mapping[RepoPath, File | None]

_WRITER = Person("kpatch-rs", "kpatch-rs@localhost")
_NOTE = "kpatch-rs.json"
_ASKED = "refs/kpatch-rs/asked"
"""HEAD as it was when the folder was made: the person may have committed since."""
_OFFERED = "refs/tags/was"
_SPECIAL = re.compile(rb"[*?\[\\]")
"""What is_glob_special() in git escapes in a folder's name: a bracket, but not its end."""


@dataclass(frozen=True, slots=True)
class Row:
    """Commits, one on top of the other, on top of a commit of the kernel."""

    base: Oid
    commits: tuple[tuple[str, Files], ...]
    """Message, and what it has otherwise than the one before."""


@dataclass(frozen=True, slots=True)
class AnswerFolder:
    """An answer folder that is there."""

    path: Path
    _git: Git

    @classmethod
    def find(cls, repository: Repository, path: Path) -> AnswerFolder | None:
        """The answer folder at `path`; None where nothing is. Raises KpatchError."""
        if not os.path.lexists(path):
            return None
        if not (path / ".git" / _NOTE).is_file():
            raise KpatchError(
                f"{path} is no answer folder that kpatch-rs made",
                hint=f"put it out of the way: mv {quote(str(path))} {quote(f'{path}.old')}",
            )
        return cls(path, _at(repository.git.without_config(), path))

    @classmethod
    def make(
        cls,
        repository: Repository,
        path: Path,
        *,
        head: Row,
        was: Row | None,
        near: Sequence[RepoPath],
        work: Files,
        note: str,
    ) -> AnswerFolder:
        """Make it at `path`, where nothing is: HEAD at `head`, tag `was`, and `work` on top.

        The files in the folders of `near` are checked out. Raises KpatchError.
        """
        for left in path.parent.glob(f".{path.name}.*"):
            shutil.rmtree(left)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            fresh.mkdir(parents=True)
            git = borrow(
                repository.git, fresh / ".git", repository.object_dir, repository.object_format
            )
            _fill(repository, git, fresh, head, was, near)
            for name, file in work.items():
                target = fresh / os.fsdecode(name)
                target.unlink(missing_ok=True)
                if file:
                    write_file(target, file)
            (fresh / ".git" / _NOTE).write_text(note, encoding="utf-8")
            fresh.rename(path)
        except BaseException as error:
            shutil.rmtree(fresh, ignore_errors=True)
            if isinstance(error, OSError):
                raise KpatchError(f"{path} cannot be made: {error}") from error
            raise
        return cls(path, _at(repository.git.without_config(), path))

    def note(self) -> str:
        """What was noted about it. Raises KpatchError."""
        try:
            return (self.path / ".git" / _NOTE).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise KpatchError(f"{self.path}: what is asked cannot be read: {error}") from error

    def rewrite_note(self, text: str) -> None:
        """Note something else, all of it or nothing."""
        file = self.path / ".git" / _NOTE
        fresh = file.with_name(f"{_NOTE}.new")
        with fresh.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(file)

    def files(self, also: Iterable[RepoPath]) -> dict[RepoPath, File | None]:
        """The files that may differ from HEAD as it was, and those of `also`, as they are now.

        New files that the tree's own .gitignore names are not among them. Raises KpatchError.
        """
        changed = self._git.run(
            *("diff-index", "-z", "--name-only", "--no-renames", "--no-ext-diff"), _ASKED
        )
        new = self._git.run("ls-files", "-z", "--others", "--exclude-standard", *self._tracked())
        names = {RepoPath(name) for name in (changed + new).split(b"\0") if name}
        return {name: self._read(repo_path(name)) for name in sorted({*names, *also})}

    def _tracked(self) -> Iterator[str]:
        """Patterns that keep .gitignore from hiding whole folders of the kernel's own.

        Debian's kernel trees ignore all at the top (`/*`), for packaging that is kept without them.
        """
        listed = self._git.run("ls-tree", "-d", "-z", "--name-only", _ASKED)
        for folder in filter(None, listed.split(b"\0")):
            yield f"--exclude=!/{os.fsdecode(_escaped(folder))}/"

    def _read(self, name: RepoPath) -> File | None:
        target = self.path / os.fsdecode(name)
        below = target.relative_to(self.path).parents
        linked = any((self.path / folder).is_symlink() for folder in below)
        return None if linked else read_file(target)

    def remove(self) -> None:
        """Remove it with all that is in it: at once, as seen from its place."""
        gone = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        self.path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def _at(git: Git, path: Path) -> Git:
    place = ("-C", str(path), f"--git-dir={path / '.git'}", f"--work-tree={path}")
    return Git(git.environment, place, git.extra)


def _fill(
    repository: Repository,
    git: Git,
    path: Path,
    head: Row,
    was: Row | None,
    near: Sequence[RepoPath],
) -> None:
    if (shallow := repository.common_dir / "shallow").exists():
        shutil.copyfile(shallow, path / ".git/shallow")
    objects = Objects(git, path / ".git", repository.objects.nobody)
    try:
        tip = _write(repository, git, objects, head)
        refs = {"HEAD": tip, _ASKED: tip}
        if was:
            refs[_OFFERED] = _write(repository, git, objects, was)
    finally:
        objects.close()
    for ref, commit in refs.items():
        git.run("update-ref", "--no-deref", ref, commit)
    sparse = ("core.sparseCheckout", "core.sparseCheckoutCone")
    for key, value in (("core.bare", "false"), *((key, "true") for key in sparse)):
        git.run("config", key, value)
    (path / ".git/info/sparse-checkout").write_bytes(b"".join(_patterns(near)))
    _at(git, path).run("-c", "core.fsync=none", "read-tree", "--reset", "-u", tip)


def _write(repository: Repository, git: Git, objects: Objects, row: Row) -> Oid:
    date = f"{repository.commit_time(row.base)} +0000"
    new = [
        NewCommit(
            message=message.encode(errors="replace"), author=_WRITER, date=date, changes=changes
        )
        for message, changes in row.commits
    ]
    return write_commits(git, objects, (row.base,), new)[-1].commit


def _patterns(near: Sequence[RepoPath]) -> Iterator[bytes]:
    """The folders of `near` and all above them, each without what is below it, in cone mode.

    As `git sparse-checkout` writes them itself, so that it can add to them.
    """
    folders = set[bytes]()
    for path in near:
        parts = path.split(b"/")
        folders |= {b"/".join(parts[:n]) for n in range(1, len(parts))}
    yield b"/*\n!/*/\n"
    for folder in sorted(folders):
        yield b"/%s/\n!/%s/*/\n" % ((_escaped(folder),) * 2)


def _escaped(folder: bytes) -> bytes:
    return _SPECIAL.sub(rb"\\\g<0>", folder)
