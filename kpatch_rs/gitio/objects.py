"""Objects by name, through one `git cat-file` for the whole run; trees level by level.

Guarantees: what a tree names and the repository does not have is an error, never "no such file";
what is returned has the name it was asked for by. `git cat-file` does not look: it hands out a
loose object of other bytes, even more of them than it announced (measured on 2.39.5 and 2.47.3).
`git cat-file` answers `missing` for a damaged blob and for a path that is not there alike (measured
on 2.39.5); so paths are never given to it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.running import Conversation, Git, GitFailed
from kpatch_rs.model.oid import Oid

OBJECT_MAX = 128 * 1024 * 1024
"""Largest object read, in bytes; the largest file of Linux 6.12 has 23 MB."""

_FOUND = re.compile(rb"([0-9a-f]{40}(?:[0-9a-f]{24})?) (blob|tree|commit|tag) (\d+)")


class RepositoryDamaged(KpatchError):
    """The repository names an object that it does not have, or cannot read."""


@dataclass(frozen=True, slots=True)
class Info:
    """What an object is."""

    oid: Oid
    type: str
    size: int
    """In bytes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree object."""

    mode: bytes
    """As the tree has it: b'100644', b'40000'."""
    oid: Oid


class Objects:
    """The object store of one repository, read only."""

    def __init__(self, git: Git, common_dir: Path, nobody: Oid) -> None:
        self.nobody = nobody
        """The null object name: as many zeros as this repository's names have digits."""
        self._git = git
        self._common_dir = common_dir
        self._talk: Conversation | None = None
        # A series reads the same few files and folders again for each of its steps.
        self.blob = lru_cache(maxsize=256)(self._blob)
        self.entries = lru_cache(maxsize=4096)(self._entries)

    def close(self) -> None:
        """End the git behind it; the next request would start another."""
        if self._talk:
            self._talk.close()
            self._talk = None

    def info(self, name: str) -> Info | None:
        """What `name`, in any of git's spellings, stands for; None where it is not one object."""
        return self._retried(b"info ", name)[0]

    def contents(self, name: str, wanted: str) -> bytes:
        """The bytes of object `name`, which must be there and be a `wanted`.

        Raises RepositoryDamaged, or KpatchError where it is larger than OBJECT_MAX.
        """
        try:
            info, data = self._retried(b"contents ", name)
        except GitFailed as error:
            raise self.damaged(f"{wanted} {name} cannot be read ({error.message})") from error
        if info is None:
            raise self.damaged(f"{wanted} {name} is not there")
        if info.type != wanted:
            raise self.damaged(f"{name} should be a {wanted} and is a {info.type}")
        if _name_of(wanted, data, len(info.oid)) != info.oid:
            raise self.damaged(f"{wanted} {name} has other bytes than its name says")
        return data

    def _blob(self, name: Oid) -> bytes:
        return self.contents(name, "blob")

    def _entries(self, tree: Oid) -> Mapping[bytes, Entry]:
        try:
            return MappingProxyType(_parse_tree(self.contents(tree, "tree"), len(tree) // 2))
        except ValueError as error:
            raise self.damaged(f"tree {tree} is malformed") from error

    def _retried(self, verb: bytes, name: str) -> tuple[Info | None, bytes]:
        """A git that died between two requests is replaced, once."""
        try:
            return self._whole(verb, name)
        except GitFailed:
            return self._whole(verb, name)

    def _whole(self, verb: bytes, name: str) -> tuple[Info | None, bytes]:
        """What interrupts an answer leaves the rest of it in the pipe, so no other may follow."""
        try:
            return self._request(verb, name)
        except BaseException:
            self.close()
            raise

    def _request(self, verb: bytes, name: str) -> tuple[Info | None, bytes]:
        if self._talk is None:
            # An abbreviation stands for a blob first: only diffs bring any here. Where a commit is
            # wanted, `^{commit}` says so and wins.
            self._talk = Conversation(
                self._git, "-c", "core.disambiguate=blob", "cat-file", "--batch-command"
            )
        self._talk.send(verb + name.encode(errors="surrogateescape") + b"\n")
        found = _FOUND.fullmatch(self._talk.line())
        if not found:
            return None, b""
        info = Info(Oid(found[1].decode()), found[2].decode(), int(found[3]))
        if verb == b"info ":
            return info, b""
        if info.size > OBJECT_MAX:
            raise KpatchError(f"{info.type} {info.oid} has {info.size} bytes, over {OBJECT_MAX}")
        data = self._talk.exactly(info.size + 1)
        if not data.endswith(b"\n"):
            raise GitFailed(f"git cat-file: {info.type} {info.oid} does not end where it should")
        return info, data[:-1]

    def damaged(self, what: str) -> RepositoryDamaged:
        """The error for `what` git could not read; a partial clone is not damaged."""
        if any((self._common_dir / "objects" / "pack").glob("*.promisor")):
            return RepositoryDamaged(
                f"{what}: not present locally, this is a partial clone",
                hint="kpatch-rs fetches nothing by itself: git fetch --refetch --no-filter",
            )
        return RepositoryDamaged(
            f"the repository is damaged: {what}", hint=f"look with: git -C {self._common_dir} fsck"
        )


def _name_of(kind: str, data: bytes, digits: int) -> str:
    """The name git gives an object, in `digits` hex digits: 40 are SHA-1's, 64 SHA-256's."""
    # Not for security: it finds what a disk or a hand has spoilt.
    make = hashlib.sha256 if digits == 64 else hashlib.sha1
    return make(b"%s %d\0%s" % (kind.encode(), len(data), data), usedforsecurity=False).hexdigest()


def _parse_tree(data: bytes, width: int) -> dict[bytes, Entry]:
    """`data` is `mode SP name NUL oid` over and over, the oid in `width` raw bytes."""
    entries = {}
    at = 0
    while at < len(data):
        space = data.index(b" ", at)
        nul = data.index(b"\0", space)
        end = nul + 1 + width
        if end > len(data):
            raise ValueError("an entry is cut off")
        entries[data[space + 1 : nul]] = Entry(data[at:space], Oid(data[nul + 1 : end].hex()))
        at = end
    return entries


@dataclass(frozen=True, slots=True)
class CommitObject:
    """The parts of a commit object that are used."""

    tree: Oid
    parents: tuple[Oid, ...]
    time: int
    """The committer's, in seconds since the epoch."""


def read_commit(objects: Objects, commit: Oid) -> CommitObject:
    """Read `commit`. Raises RepositoryDamaged."""
    header = objects.contents(commit, "commit").partition(b"\n\n")[0]
    fields = [line.partition(b" ")[::2] for line in header.split(b"\n")]
    try:
        return CommitObject(
            tree=next(Oid(v.decode()) for k, v in fields if k == b"tree"),
            parents=tuple(Oid(v.decode()) for k, v in fields if k == b"parent"),
            time=next(int(v.split()[-2]) for k, v in fields if k == b"committer"),
        )
    except (StopIteration, ValueError, IndexError) as error:
        raise RepositoryDamaged(f"commit {commit} is malformed", hint="git fsck") from error
