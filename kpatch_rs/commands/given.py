"""Existing patches, wherever they are kept: what each says, and the trees before and after it.

Guarantees: patches come one at a time, in order, each on top of the one before; whatever is wrong
with one is said with its name in front.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import cast

from kpatch_rs.engine.lift import Patch
from kpatch_rs.errors import KpatchError, Usage
from kpatch_rs.gitio.commits import Changed, CommitRead, ends_of
from kpatch_rs.gitio.mails import MailRead
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.loader.existing import Said, of_commit, of_mail, of_patch_file
from kpatch_rs.loader.quilt import QuiltPatch, read_quilt
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import File, Mode, TreeOverlay
from kpatch_rs.syntax.diff import read_diff
from kpatch_rs.syntax.diff_plain import plain_diff

_BASE = re.compile(rb"(?m)^base-commit: ([0-9a-f]{40}|[0-9a-f]{64})\r?$")


@dataclass(frozen=True, slots=True)
class Given:
    """One patch."""

    name: str
    """What to call it: commit 0123456789ab, mail 3, fix.patch."""
    said: Said
    patch: Patch


@dataclass(frozen=True, slots=True)
class Source:
    """Patches in order, and the kernel they are made for."""

    base_name: str
    count: int
    patches: Iterator[Given]


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put the patch's name in front of what is wrong with it."""
    try:
        yield
    except KpatchError as error:
        error.message = f"{name}: {error.message}"
        raise


def of_range(repository: Repository, range_: str) -> Source:
    """The commits of `A..B`. Raises KpatchError, naming the commit that cannot be a recipe."""
    old, new = ends_of(range_)
    base, tip = repository.resolve(old), repository.resolve(new)
    commits = repository.commits_between(base, tip)
    if not commits:
        raise Usage(f"{range_} has no commits", hint="the older end first: import v6.12..my-branch")
    return Source(old, len(commits), of_commits(repository, base, commits))


def of_quilt(repository: Repository, folder: Path, base: str) -> Source:
    """A quilt series that is made for `base`. Raises KpatchError."""
    files = read_quilt(folder)
    if not files:
        raise Usage(f"{folder / 'series'} names no patch", hint="give a folder with a quilt series")
    return Source(base, len(files), _of_files(repository, repository.resolve(base), files))


def of_mbox(repository: Repository, file: Path, base: str | None) -> Source:
    """The mails of `file` that have a patch in them, made for `base` or what their footer says.

    Raises KpatchError.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise KpatchError(f"{file} cannot be read: {error.strerror}") from error
    if data.partition(b"\n")[0].endswith(b"\r"):  # CR in headers, too: the mails' own line ends
        data = data.replace(b"\r\n", b"\n")
    stated = _BASE.search(data)
    if base is None and stated is None:
        raise Usage(f"{file} has no base-commit: line", hint="say which kernel: --base v6.12")
    base = base or (stated[1].decode() if stated else "")
    mails = repository.read_mails(data)
    patches = [(n, m) for n, m in enumerate(mails, 1) if re.search(rb"(?m)^(?:diff|---) ", m.patch)]
    if not patches:
        raise Usage(f"{file} has no mail with a patch", hint="give an mbox, as git am takes it")
    return Source(base, len(patches), _of_mails(repository, repository.resolve(base), patches))


def of_commits(repository: Repository, base: Oid, commits: Sequence[CommitRead]) -> Iterator[Given]:
    """What each of `commits`, a line on `base`, says and does. Raises KpatchError."""
    before = TreeOverlay(repository.tree(base))
    for commit in commits:
        name = f"commit {commit.oid[:12]} ({commit.message.partition(chr(10))[0][:60]})"
        with naming(name):
            said = of_commit(commit.message, commit.author, commit.date)
        files = {change.path: _file(repository, change) for change in commit.changes}
        # What a commit changed, git took for a tree already: no file can be in another's way.
        after = TreeOverlay(before.base, MappingProxyType({**before.changes, **files}))
        renames = {change.path: change.was for change in commit.changes}
        yield Given(name, said, _patch(before, after, renames))
        before = after


def _file(repository: Repository, change: Changed) -> File | None:
    if change.blob is None:
        return None
    return File(repository.objects.blob(change.blob), cast(Mode, change.mode))


def _of_files(repository: Repository, base: Oid, files: Sequence[QuiltPatch]) -> Iterator[Given]:
    before = TreeOverlay(repository.tree(base))
    for file in files:
        with naming(f"{file.name} (of the quilt series)"):
            plain = plain_diff(file.name, file.data, file.strip)
            said = of_patch_file(file.name, plain.head)
            patch = _applied(repository, before, file.name, plain.diff)
        yield Given(file.name, said, patch)
        before = patch.after


def _of_mails(
    repository: Repository, base: Oid, mails: Sequence[tuple[int, MailRead]]
) -> Iterator[Given]:
    before = TreeOverlay(repository.tree(base))
    for number, mail in mails:
        name = f"mail {number} ({mail.subject[:60]})"
        with naming(name):
            plain = plain_diff("its patch", mail.patch)
            below = plain.head.decode(errors="replace").removeprefix("---\n")
            said = of_mail(mail.subject, mail.body, mail.author, mail.date, below)
            patch = _applied(repository, before, "its patch", plain.diff)
        yield Given(name, said, patch)
        before = patch.after


def _applied(repository: Repository, before: TreeOverlay, name: str, diff: bytes) -> Patch:
    """`diff`, as git puts it in. Raises KpatchError where it does not fit."""
    files = read_diff(name, diff)
    paths = [path for file in files for path in (file.old, file.new) if path]
    old = {path: before.read(path) for path in dict.fromkeys(paths)}
    new = repository.applied(old, diff)
    after = TreeOverlay(before.base, MappingProxyType({**before.changes, **new}))
    return _patch(before, after, {file.new: file.old for file in files if file.new and file.old})


def _patch(before: TreeOverlay, after: TreeOverlay, renames: dict[RepoPath, RepoPath]) -> Patch:
    moved = {new: old for new, old in renames.items() if new != old}
    return Patch(before=before, after=after, renames=moved)
