"""Existing patches, wherever they are kept: what each says, and the trees before and after it.

Guarantees: patches come one at a time, in order, each on top of the one before; whatever is wrong
with one is said with its name in front, for all that can be read without the others at once; what
is in no patch is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import cast

from kpatch_rs.commands import mail_told
from kpatch_rs.commands.rendering import lasting
from kpatch_rs.commands.thread import Letter, Thread, sorted_out
from kpatch_rs.engine.lift import Patch
from kpatch_rs.errors import Gathered, KpatchError, Usage
from kpatch_rs.gitio.commits import Changed, CommitRead, ends_of, named
from kpatch_rs.gitio.mails import MailRead
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.loader.existing import Said, of_commit, of_mail
from kpatch_rs.loader.message import is_from_line
from kpatch_rs.loader.patch_file import of_patch_file, refuse_encoded
from kpatch_rs.loader.quilt import QuiltPatch, read_quilt
from kpatch_rs.loader.textual import refuse_no_text
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import File, Mode, TreeOverlay
from kpatch_rs.syntax.diff import FileDiff, read_diff
from kpatch_rs.syntax.diff_plain import Plain, plain_diff
from kpatch_rs.syntax.diff_stat import contradiction

_BASE = re.compile(r"(?m)^base-commit: ([0-9a-f]{40}|[0-9a-f]{64})$")
_OTHERS_FIRST = re.compile(r"(?m)^prerequisite-(?:patch|change|message)-id: ")

_THE_DIFF = "the diff in it"
"""Its lines are counted without the text above it."""


@dataclass(frozen=True, slots=True)
class Given:
    """One patch."""

    name: str
    """What to call it: commit 0123456789ab, mail 3, fix.patch."""
    said: Said
    patch: Patch


@dataclass(frozen=True, slots=True)
class Remark:
    """What became of a part of the patches that their owner may have meant otherwise."""

    about: str
    """The mail, patch or file."""
    text: str
    left_out: bool = False
    """Whether it is in no recipe."""

    def __str__(self) -> str:
        return f"{self.about}: {'left out: ' if self.left_out else ''}{self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Patches in order, and the kernel they are made for."""

    base_name: str
    said: tuple[tuple[str, Said], ...]
    """What each of them says, with its name."""
    patches: Iterator[Given]
    """None is to be had while `unfit` has something, but where `alone` is true."""
    alone: bool = False
    """Whether a patch can be read although another one could not."""
    unfit: Gathered = field(default_factory=Gathered)
    """What keeps some from being a recipe."""
    remarks: tuple[Remark, ...] = ()


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put the patch's name in front of what is wrong with it."""
    try:
        yield
    except KpatchError as error:
        error.message = f"{name}: {error.message}"
        raise


def of_range(repository: Repository, range_: str) -> Source:
    """The commits of `A..B`. Raises Usage."""
    old, new = ends_of(range_)
    base, tip = repository.resolve(old), repository.resolve(new)
    unfit = Gathered()
    commits = repository.commits_between(base, tip, unfit)
    if not commits and not unfit.errors:
        raise Usage(f"{range_} has no commits", hint="the older end first: import v6.12..my-branch")
    is_line = not unfit.errors
    read = [(named(c.oid, c.message), _said(c, unfit)) for c in commits]
    said = tuple((name, one) for name, one in read if one is not None)
    return Source(
        base_name=lasting(old, base),
        said=said,
        patches=of_commits(repository, base, commits, Gathered()),
        alone=is_line,
        unfit=unfit,
        remarks=tuple(remark for name, one in said for remark in _remarks(name, one)),
    )


def of_quilt(repository: Repository, folder: Path, base: str) -> Source:
    """A quilt series that is made for `base`. Raises KpatchError."""
    files, others = read_quilt(folder)
    if not files:
        raise Usage(f"{folder / 'series'} names no patch", hint="give a folder with a quilt series")
    resolved = repository.resolve(base)
    unfit, read = Gathered(), list[_Read]()
    for file in (part for whole in files for part in _mails_in(repository, whole)):
        with unfit.each():
            with naming(file.name):
                refuse_no_text(file.data)
                refuse_encoded(file.data)
            plain = plain_diff(file.name, file.data, file.strip)
            with naming(file.name):
                said = of_patch_file(file.name, plain.head)
                read.append(_Read(file.name, said, plain, _files(plain)))
    out = [Remark(name, why, left_out=True) for name, why in others]
    return _source(repository, resolved, base, read, unfit, out)


def of_mbox(repository: Repository, file: Path, base: str | None) -> Source:
    """The mails of `file` that have a patch in them, made for `base` or what their footer says.

    Raises KpatchError.
    """
    data = _bytes_of(file)
    with naming(str(file)):
        refuse_no_text(data)
    mails = repository.read_mails(data)
    thread = sorted_out([Letter(number, mail) for number, mail in enumerate(mails, 1)])
    if not thread.taken:
        left = "".join(f"; {letter.name}: {why}" for letter, why in thread.left_out)
        raise Usage(
            f"{file} has no mail with a patch{left}", hint="give an mbox, as git am takes it"
        )
    stated = _stated(thread)
    base = base or _only(file, stated)
    resolved = repository.resolve(base)
    unfit, read = Gathered(), list[_Read]()
    for letter in thread.taken:
        with unfit.each(), naming(letter.name):
            read.append(_of_mail(letter.name, letter.mail))
    out = [Remark(one.name, why, left_out=True) for one, why in thread.left_out]
    out += [Remark(file.name, thread.told)] if thread.told else []
    if stated and resolved not in stated:
        text = f"it is made for {' and '.join(one[:12] for one in stated)}, and read as for {base}"
        out.append(Remark(file.name, text))
    if any(_OTHERS_FIRST.search(text) for text in _texts(thread)):
        out.append(Remark(file.name, "it stands on patches that are not in it (prerequisite-…-id)"))
    return _source(repository, resolved, base, read, unfit, out)


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except IsADirectoryError as error:
        raise Usage(
            f"{file} is a folder",
            hint=f"for its patches in the order of their names: cd {file}; ls *.patch > series;"
            " then import --quilt",
        ) from error
    except OSError as error:
        raise KpatchError(f"{file} cannot be read: {error.strerror}") from error


def _of_mail(name: str, mail: MailRead) -> _Read:
    mail_told.refuse_twice(mail)
    if mail.failure:
        raise KpatchError(mail.failure, hint="git am would refuse it, too")
    plain = plain_diff("its patch", mail.patch)
    below = plain.head.decode(errors="surrogateescape")
    said = of_mail(mail.subject, mail.body, mail.author, mail.date, below)
    left, told = tuple(mail_told.left_out(mail)), tuple(mail_told.told(mail))
    return _Read(name, replace(said, left_out=left, told=told), plain, _files(plain))


def _files(plain: Plain) -> tuple[FileDiff, ...]:
    """The files of its diff. Raises KpatchError where there is none."""
    if not plain.diff:
        raise KpatchError(
            "there is no diff in it",
            hint="where it had one, make it again with git diff; else leave it out of the series",
        )
    return read_diff(_THE_DIFF, plain.diff)


def _texts(thread: Thread) -> list[str]:
    """What stands in the mails that are taken and their cover letters, footers too."""
    return [
        letter.mail.body + letter.mail.patch.decode(errors="replace")
        for letter in (*thread.covers, *thread.taken)
    ]


def _stated(thread: Thread) -> tuple[str, ...]:
    """The base-commit: lines of the mails that are taken, each once."""
    found = (found for text in _texts(thread) for found in _BASE.finditer(text))
    return tuple(dict.fromkeys(one[1] for one in found))


def _only(file: Path, stated: Sequence[str]) -> str:
    """The kernel that the mails of `file` state. Raises Usage where that is not one."""
    if len(stated) != 1:
        many = f"has {len(stated)} base-commit: lines that differ" if stated else ""
        raise Usage(
            f"{file} {many or 'has no base-commit: line'}", hint="say which kernel: --base v6.12"
        )
    return stated[0]


def of_commits(
    repository: Repository, base: Oid, commits: Sequence[CommitRead], unfit: Gathered
) -> Iterator[Given]:
    """What each of `commits`, a line on `base`, says and does.

    One whose message no recipe can hold goes into `unfit`.
    """
    before = TreeOverlay(repository.tree(base))
    for commit in commits:
        said = _said(commit, unfit)
        files = {change.path: _file(repository, change) for change in commit.changes}
        # What a commit changed, git took for a tree already: no file can be in another's way.
        after = TreeOverlay(before.base, MappingProxyType({**before.changes, **files}))
        renames = {change.path: change.was for change in commit.changes}
        if said is not None:
            name = named(commit.oid, commit.message)
            yield Given(name, said, _patch(before, after, renames))
        before = after


def _said(commit: CommitRead, unfit: Gathered) -> Said | None:
    with unfit.each(), naming(named(commit.oid, commit.message)):
        return of_commit(commit.message, commit.author, commit.date)
    return None


def _file(repository: Repository, change: Changed) -> File | None:
    if change.blob is None:
        return None
    return File(repository.objects.blob(change.blob), cast(Mode, change.mode))


def _remarks(name: str, said: Said) -> list[Remark]:
    left = [Remark(name, text, left_out=True) for text in said.left_out]
    return left + [Remark(name, text) for text in said.told]


@dataclass(frozen=True, slots=True)
class _Read:
    """A patch that is a text."""

    name: str
    said: Said
    plain: Plain
    files: tuple[FileDiff, ...]

    @property
    def remarks(self) -> list[Remark]:
        """What is not in it, and what was read otherwise."""
        told = _remarks(self.name, self.said)
        told += [Remark(self.name, text, left_out=True) for text in self.plain.left_out]
        if text := contradiction(self.plain.head, self.files):
            told.append(Remark(self.name, text))
        return told


def _mails_in(repository: Repository, file: QuiltPatch) -> Iterator[QuiltPatch]:
    """The patches in one file: as many as it has mails."""
    lines = file.data.split(b"\n")
    if sum(is_from_line(line.decode(errors="replace")) for line in lines) < 2:
        yield file
        return
    for n, mail in enumerate(repository.split_mails(file.data), 1):
        yield QuiltPatch(f"{file.name}, mail {n}", file.strip, mail)


def _source(
    repository: Repository,
    base: Oid,
    base_name: str,
    read: Sequence[_Read],
    unfit: Gathered,
    remarks: Sequence[Remark],
) -> Source:
    return Source(
        base_name=lasting(base_name, base),
        said=tuple((one.name, one.said) for one in read),
        patches=_put_in(repository, base, read),
        unfit=unfit,
        remarks=(*remarks, *(remark for one in read for remark in one.remarks)),
    )


def _put_in(repository: Repository, base: Oid, read: Sequence[_Read]) -> Iterator[Given]:
    """The patches as git puts them in, in a row. Raises KpatchError where one does not fit."""
    before = TreeOverlay(repository.tree(base))
    for one in read:
        with naming(one.name):
            patch = _applied(repository, before, one)
        yield Given(one.name, one.said, patch)
        before = patch.after


def _applied(repository: Repository, before: TreeOverlay, one: _Read) -> Patch:
    paths = [path for file in one.files for path in (file.old, file.new) if path]
    old = {path: before.read(path) for path in dict.fromkeys(paths)}
    new = repository.applied(old, one.plain.diff)
    after = TreeOverlay(before.base, MappingProxyType({**before.changes, **new}))
    renames = {file.new: file.old for file in one.files if file.new and file.old}
    return _patch(before, after, renames)


def _patch(before: TreeOverlay, after: TreeOverlay, renames: dict[RepoPath, RepoPath]) -> Patch:
    moved = {new: old for new, old in renames.items() if new != old}
    return Patch(before=before, after=after, renames=moved)
