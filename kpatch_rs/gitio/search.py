"""Which files of a tree hold something: git grep over chosen blobs, several gits at once.

One git grep makes little use of a second processor: what it spends its time on, unpacking objects,
it does one after the other (git 2.39 to 2.47). And it takes trees, where often only the files count
that another tree does not have. So the files are listed first and put into throw-away indexes, a
share for each git.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fnmatch import translate
from math import ceil
from typing import TypeVar

from kpatch_rs.gitio.indexed import indexed
from kpatch_rs.gitio.running import Ended, Git
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath

A = TypeVar("A")
B = TypeVar("B")

_SHARE = 3000
"""Files searched by one git at most; with 1500 it takes as long (measured on 7.2)."""

_LEAST = 200
"""Files for which a second git is not worth its start."""

_TABLES = b"gpu/drm/amd/include/"
"""Generated register tables: 479 MB of the 1488 MB of Linux 6.12.117, in headers."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a tree."""

    blob: bytes
    path: RepoPath


@dataclass(frozen=True, slots=True)
class Searched:
    """A file to search."""

    blob: bytes
    path: bytes
    """With what it is grouped by in front: `TREE:path`, as git grep calls it in a tree."""


@dataclass(frozen=True, slots=True)
class Share:
    """How git grep ended on some of the files."""

    files: Sequence[Searched]
    ended: Ended

    def by_tree(self) -> Iterator[tuple[bytes, bytes]]:
        """What it printed of each tree, each file below its heading."""
        lines, starts = self.ended.out, list[tuple[int, bytes]]()
        for tree in sorted({file.path.partition(b":")[0] for file in self.files}):
            heading, past = tree + b":", starts[-1][0] if starts else 0
            if not starts and lines.startswith(heading):
                starts.append((0, tree))
            elif (at := lines.find(b"\n" + heading, past)) >= 0:
                starts.append((at + 1, tree))
        ends = [at for at, _ in starts[1:]] + [len(lines)]
        yield from ((tree, lines[at:end]) for (at, tree), end in zip(starts, ends, strict=True))


def listed(
    git: Git, tree: Oid, since: Oid | None, under: Iterable[RepoPath], named: Sequence[str]
) -> list[Listed]:
    """The files of `tree` below one of `under` (none: all) that are called like one of `named`.

    No links, no register tables. With `since`, another tree, only those that it does not have just
    so in the same place. Raises GitFailed.
    """
    wanted = re.compile("|".join(map(translate, named)).encode())
    below = [os.fsdecode(folder) + "/" for folder in under]
    files = _changed(git, since, tree, below) if since else _all(git, tree, below)
    return [
        Listed(blob, RepoPath(path))
        for mode, blob, path in files
        if mode.startswith(b"100") and wanted.match(path.rpartition(b"/")[2])
        if _TABLES not in path
    ]


def _all(git: Git, tree: Oid, below: Sequence[str]) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Mode, blob and path of each file."""
    how = ("-r", "-z", tree, "--")
    for line in git.run("--literal-pathspecs", "ls-tree", *how, *below).split(b"\0")[:-1]:
        about, _, path = line.partition(b"\t")
        mode, _, blob = about.split()
        yield mode, blob, path


def _changed(
    git: Git, since: Oid, tree: Oid, below: Sequence[str]
) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Those that are new in `tree`, or of other content."""
    how = ("-r", "-z", "--no-renames", "--diff-filter=AMT", since, tree, "--")
    fields = git.run("--literal-pathspecs", "diff-tree", *how, *below).split(b"\0")
    for about, path in zip(fields[0::2], fields[1::2], strict=False):
        _, mode, _, blob, _ = about.split()
        yield mode, blob, path


def grep(git: Git, files: Sequence[Searched], *search: str) -> list[Share]:
    """How `git grep` with these options ended on each share of `files`, in their order."""
    size = _share(len(files))
    shares = [files[at : at + size] for at in range(0, len(files), size)]
    return at_once(lambda share: _grep(git, share, search), shares)


def _share(files: int) -> int:
    """How many files a git gets, so that all processors are busy to the end."""
    rounds = ceil(files / (_processors() * _SHARE))
    return max(_LEAST, ceil(files / max(1, rounds * _processors())))


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def at_once(start: Callable[[A], B], of: Iterable[A]) -> list[B]:
    """What `start` gives for each, in their order; as many gits at once as there are processors."""
    with ThreadPoolExecutor(_processors()) as pool:
        return list(pool.map(start, of))


def _grep(git: Git, files: Sequence[Searched], search: Sequence[str]) -> Share:
    always = ("grep", "--cached", "--no-color", "--no-recurse-submodules", "--full-name", "-a")
    with indexed(git, [(file.blob, file.path) for file in files]) as there:
        # Threads of one git cost a fifth more processor time, and there are gits enough (measured).
        ended = there.attempt(*always, "--threads=1", *search)
    if any(_ODD.search(file.path) for file in files):  # quoted as a whole, and not behind the tree
        ended = replace(ended, out=_QUOTED_TREE.sub(rb'\1"', ended.out))
    return Share(files, ended)


_ODD = re.compile(rb'["\\\0-\x1f\x7f-\xff]')
_QUOTED_TREE = re.compile(rb'(?m)^"([0-9a-f]{40,64}:)')
