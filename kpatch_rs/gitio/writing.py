"""New commits, through one `git fast-import --done` stream.

Guarantees: all commits or none, and no ref: the branch that fast-import insists on is reset inside
the stream. Without `--done`, a stream that is cut short leaves half a commit and exit code 0
(measured on 2.39.5). Author and committer are the same person at the same time, so that equal
commits have equal names anywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.objects import Objects
from kpatch_rs.gitio.running import Git
from kpatch_rs.model.oid import Oid, oid
from kpatch_rs.model.outcome import Commit
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Person
from kpatch_rs.model.tree import File

DURABLE = ("-c", "core.fsync=committed,loose-object,reference", "-c", "core.fsyncMethod=batch")
"""git's default leaves loose objects and refs to luck in a power cut. `batch` flushes once for all
loose objects of a stream instead of once for each."""

_DATE = re.compile(r"\d{1,18} [+-]\d{4}")
_IN_IDENT = re.compile(r"[<>\n\0]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommit:
    """A commit to be written, on top of the one before it."""

    message: bytes
    author: Person
    """Also the committer."""
    date: str
    """As git writes it: '1700000000 +0100'."""
    changes: Mapping[RepoPath, File | None]
    """What it has otherwise than its parent; None removes."""
    whole: bool = False
    """Whether `changes` are all it has, whatever its parent has."""


def write_commits(
    git: Git, objects: Objects, base: Sequence[Oid], commits: Sequence[NewCommit]
) -> tuple[Commit, ...]:
    """Write `commits` in a row on top of `base`: the first's parents, from which it takes its tree.

    An empty `base` makes a root commit. Raises KpatchError, and then no ref has changed and nothing
    refers to what may have been written.
    """
    if not commits:
        return ()
    stream = b"".join(_stream(base, commits, objects.nobody.encode()))
    out = git.run(
        *DURABLE,
        *("-c", "fastimport.unpackLimit=100"),
        *("fast-import", "--done", "--quiet", "--date-format=raw"),
        data=stream,
    )
    names = [oid(line) for line in out.decode().split()]
    return tuple(Commit(commit=name, tree=_tree_of(objects, name)) for name in names)


def _tree_of(objects: Objects, commit: Oid) -> Oid:
    info = objects.info(f"{commit}^{{tree}}")
    if info is None:
        raise KpatchError(f"git fast-import wrote commit {commit}, and it is not there")
    return info.oid


def _stream(base: Sequence[Oid], commits: Sequence[NewCommit], nobody: bytes) -> Iterator[bytes]:
    # Never written; the name differs so that two runs at once do not meet in its lock file.
    ref = b"refs/kpatch/import/" + os.urandom(8).hex().encode()
    for mark, commit in enumerate(commits, 1):
        parents = [parent.encode() for parent in base] if mark == 1 else [b":%d" % (mark - 1)]
        yield from _commit(ref, mark, commit, parents)
    yield from (b"get-mark :%d\n" % mark for mark in range(1, len(commits) + 1))
    yield b"reset %s\nfrom %s\n\ndone\n" % (ref, nobody)


def _commit(ref: bytes, mark: int, commit: NewCommit, parents: list[bytes]) -> Iterator[bytes]:
    ident = _ident(commit.author, commit.date)
    yield b"commit %s\nmark :%d\nauthor %s\ncommitter %s\n" % (ref, mark, ident, ident)
    if b"\0" in commit.message:
        raise KpatchError("a commit message has a NUL byte")
    yield _data(commit.message)
    yield from (b"from %s\n" % parent for parent in parents[:1])
    yield from (b"merge %s\n" % parent for parent in parents[1:])
    yield from (b"deleteall\n",) if commit.whole else ()
    # Removals first: a file may make room for a folder of its name.
    yield from (b"D %s\n" % _quoted(p) for p, file in commit.changes.items() if file is None)
    for path, file in commit.changes.items():
        if file is not None:
            yield b"M %s inline %s\n" % (file.mode.encode(), _quoted(path))
            yield _data(file.data)
    yield b"\n"


def _data(data: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(data), data)


def _quoted(path: RepoPath) -> bytes:
    """A RepoPath has no backslash and no control character; a quote is all there is to escape."""
    return b'"' + path.replace(b'"', b'\\"') + b'"'


def _ident(person: Person, date: str) -> bytes:
    if not person.email or _IN_IDENT.search(person.name + person.email):
        raise KpatchError(f"{str(person)!r} cannot be an author", hint="write it as Name <address>")
    if not _DATE.fullmatch(date):
        raise KpatchError(f"{date!r} is no date", hint="write it as git does: 1700000000 +0100")
    return f"{person.name} <{person.email}> {date}".encode()
