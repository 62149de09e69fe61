"""What make reads when it descends into a folder: Kbuild or Makefile, and all they include.

Guarantees: the lists come in the order make assigns them, each with the way it is reached; what an
`include` means is resolved only where no variable but $(srctree), $(src) and $(obj) decides it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from kpatch_rs.model.path import PathRefused, RepoPath, repo_path
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.kbuild import (
    Assignment,
    Context,
    Include,
    ListName,
    Makefile,
    list_name,
    read_makefile,
)
from kpatch_rs.syntax.line_ends import with_lf

_DEEPEST = 8
"""Includes within includes; real trees have three."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file make reads, taken apart."""

    path: RepoPath
    data: bytes
    makefile: Makefile


@dataclass(frozen=True, slots=True)
class Entry:
    """One assignment of a Kbuild list, and the statements that lead to it, itself the last."""

    chain: tuple[tuple[Source, Assignment | Include], ...]
    assignment: Assignment
    list: ListName

    @property
    def source(self) -> Source:
        """The file it stands in."""
        return self.chain[-1][0]

    def names(self, object_: bytes) -> bool:
        """Whether `object_`, a normal path, is among its words."""
        return any(posixpath.normpath(w.text) == object_ for w in self.assignment.words)

    def seen_from(self, source: Source) -> Assignment | Include | None:
        """The statement of `source` that reads this one: itself, or an include."""
        return next((s for at, s in self.chain if at.path == source.path), None)

    def context(self, source: Source) -> Context:
        """All conditions on the way here, from `source` on where it is on the way."""
        paths = [at.path for at, _ in self.chain]
        first = paths.index(source.path) if source.path in paths else 0
        return tuple(c for _, statement in self.chain[first:] for c in statement.context)


@dataclass(frozen=True, slots=True)
class Folder:
    """What make knows after reading the folder at `path`."""

    path: bytes
    sources: tuple[Source, ...]
    """The first is the one make starts with."""
    entries: tuple[Entry, ...]

    def source(self, path: RepoPath) -> Source | None:
        """The file at `path`; None where make does not read it."""
        return next((s for s in self.sources if s.path == path), None)

    def lists(self, stem: bytes) -> list[Entry]:
        """The assignments of `stem`'s lists: stem-y, stem-objs, stem-$(CONFIG_…)."""
        return [e for e in self.entries if e.list.stem == stem]


def read_folder(tree: TreeOverlay, file: RepoPath) -> Folder | None:
    """The folder, nearest first, whose Kbuild or Makefile is `file` or includes it.

    A file without an obj- list is read through another that has one, whatever its name
    (drivers/gpu/drm/nouveau/nvkm/Kbuild), where there is such. Where both exist make reads the
    Kbuild and not the Makefile (scripts/Makefile.build), so that `file` may not be among the
    sources. None where no folder in or above `file`'s has to do with it.
    """
    own, _, name = file.rpartition(b"/")
    for folder in _upwards(own):
        read = _folder(tree, folder)
        if read and read.source(file) and read.lists(b"obj"):
            return read
    return _folder(tree, own) if name in (b"Makefile", b"Kbuild") else None


def _upwards(folder: bytes) -> Iterator[bytes]:
    while folder:
        yield folder
        folder = folder.rpartition(b"/")[0]
    yield b""


def _folder(tree: TreeOverlay, folder: bytes) -> Folder | None:
    for name in (b"Kbuild", b"Makefile"):
        path = RepoPath(posixpath.join(folder, name))
        if tree.entry_type(path) == "file":
            sources: dict[RepoPath, Source] = {}
            entries = tuple(_entries(tree, folder, path, (), sources))
            return Folder(folder, tuple(sources.values()), entries)
    return None


def _entries(
    tree: TreeOverlay,
    folder: bytes,
    path: RepoPath,
    chain: tuple[tuple[Source, Include], ...],
    sources: dict[RepoPath, Source],
) -> Iterator[Entry]:
    """The list assignments in `path` and in what it includes; fills `sources`, each file once."""
    file = tree.read(path) if tree.entry_type(path) == "file" else None
    if file is None or path in sources or len(chain) > _DEEPEST:
        return
    data = with_lf(file.data)
    source = sources[path] = Source(path, data, read_makefile(data))
    for statement in source.makefile.statements:
        if isinstance(statement, Include):
            deeper = (*chain, (source, statement))
            for name in statement.names:
                if included := _included(folder, name):
                    yield from _entries(tree, folder, included, deeper, sources)
        elif found := list_name(statement.name):
            yield Entry((*chain, (source, statement)), statement, found)


def _included(folder: bytes, name: bytes) -> RepoPath | None:
    """The tree's file an `include` means; None where only make can tell.

    $(src) is the folder make descended into: relative to $(srctree) up to 6.9, absolute since.
    """
    for variable, value in ((b"$(srctree)", b""), (b"$(src)", folder), (b"$(obj)", folder)):
        name = name.replace(variable, value)
    try:
        return None if b"$" in name else repo_path(posixpath.normpath(name.lstrip(b"/")))
    except PathRefused:
        return None
