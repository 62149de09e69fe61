"""A commit's tree and what a series changes in it, in memory.

Guarantees: an overlay never writes through a link or a submodule, never puts a file where a folder
is (or the other way round), and never removes what is not there. `git fast-import` would do each
of these silently (measured on 2.39.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal, Protocol

from kpatch_rs.errors import KpatchError
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath, show

Mode = Literal["100644", "100755", "120000"]
EntryType = Literal["file", "folder", "link", "submodule"]


class TreeCollision(KpatchError):
    """A change that the tree it is made in cannot take."""


@dataclass(frozen=True, slots=True)
class File:
    """The bytes of one file and its git mode."""

    data: bytes
    mode: Mode = "100644"


class BaseTree(Protocol):
    """One commit's tree, read only. gitio has the real one; tests bring a dict."""

    @property
    def oid(self) -> Oid:
        """The tree's object name."""

    def entry_type(self, path: RepoPath) -> EntryType | None:
        """What stands at `path`; None where nothing does, also below a file or a link."""

    def read(self, path: RepoPath) -> File | None:
        """The file at `path`, a link as its target; None where no file or link is there."""

    def names(self, folder: RepoPath | None) -> tuple[bytes, ...]:
        """The names in `folder` (None: the top), sorted; empty where it is no folder."""

    def files_with(
        self, word: bytes, under: RepoPath | None, named: Sequence[str]
    ) -> tuple[RepoPath, ...]:
        """Files below `under` (None: the whole tree) that hold `word` as a whole word, sorted.

        Only those whose name is like one of `named`: `*.c`, `Makefile*`.
        """

    def files_declaring(
        self,
        names: Sequence[bytes],
        under: Sequence[RepoPath],
        named: Sequence[str],
        since: BaseTree | None = None,
    ) -> tuple[RepoPath, ...]:
        """C files below any folder of `under` that may define or declare one of `names`, sorted.

        With `since`, those that are just so in that tree, in the same place, may be left out.
        That is all that have it in a line that begins at the left margin, or make a macro of it;
        others may be among them. Of `named`, `*.c` and `*.h` mean something.
        """

    def files_named(self, name: bytes) -> tuple[RepoPath, ...]:
        """Every file of that name, in whatever folder, sorted."""

    def renamed(self, path: RepoPath, since: BaseTree) -> tuple[RepoPath, ...]:
        """What `path` of the tree `since` may have become: files that are not in that tree.

        Of the same ending, with half the same text; the best first.
        """


NOT_THE_KERNEL = (b"Documentation", b"scripts", b"tools")
"""Top folders whose C code is no part of a kernel image."""


def part_of(path: bytes) -> RepoPath:
    """The part of a kernel that `path` lies in: its top folder; below arch/, the architecture's.

    Empty for what lies in none.
    """
    folders = path.split(b"/")[:-1]
    return RepoPath(b"/".join(folders[: 2 if folders[:1] == [b"arch"] else 1]))


def parts(tree: BaseTree | TreeOverlay) -> tuple[RepoPath, ...]:
    """The parts of the kernel itself: nothing in NOT_THE_KERNEL."""
    tops = (RepoPath(name) for name in tree.names(None) if name not in NOT_THE_KERNEL)
    arches = [RepoPath(b"arch/" + name) for name in tree.names(RepoPath(b"arch"))]
    found = (path for path in (*tops, *arches) if part_of(path + b"/") == path != b"arch")
    return tuple(path for path in found if tree.entry_type(path) == "folder")


def architecture(path: bytes) -> bytes:
    """`x86` for what is in arch/x86; empty for code of all architectures."""
    top, _, rest = path.partition(b"/")
    return rest.partition(b"/")[0] if top == b"arch" else b""


@dataclass(frozen=True, slots=True)
class TreeOverlay:
    """`base` with some files replaced, added or (None) removed."""

    base: BaseTree
    changes: Mapping[RepoPath, File | None] = field(default_factory=dict)

    def read(self, path: RepoPath) -> File | None:
        """The file at `path` as the overlay has it; None where none is there."""
        return self.changes[path] if path in self.changes else self.base.read(path)

    def entry_type(self, path: RepoPath) -> EntryType | None:
        """What stands at `path` in the overlay."""
        if file := self.changes.get(path):
            return _type_of(file)
        if any(f and p.startswith(path + b"/") for p, f in self.changes.items()):
            return "folder"
        if path in self.changes:
            return None
        there = self.base.entry_type(path)
        return None if there == "folder" and self._emptied(path) else there

    def names(self, folder: RepoPath | None) -> tuple[bytes, ...]:
        """The names in `folder`, as :meth:`BaseTree.names` gives them."""
        prefix = folder + b"/" if folder else b""
        found = set(self.base.names(folder))
        for path, changed in self.changes.items():
            if path.startswith(prefix):
                head = path[len(prefix) :].split(b"/", 1)[0]
                if changed:
                    found.add(head)
                elif self.entry_type(RepoPath(prefix + head)) is None:
                    found.discard(head)
        return tuple(sorted(found))

    def _emptied(self, folder: RepoPath) -> bool:
        """Whether all that `base` has in `folder` is removed: git knows no empty folders."""
        below = folder + b"/"
        if not any(p.startswith(below) for p in self.changes):
            return False
        names = self.base.names(folder)
        return all(self.entry_type(RepoPath(below + name)) is None for name in names)

    def files_with(
        self, word: bytes, under: RepoPath | None, named: Sequence[str]
    ) -> tuple[RepoPath, ...]:
        """As :meth:`BaseTree.files_with`; in a changed file, the bytes may stand anywhere."""
        found = self.base.files_with(word, under, named)
        return self._with_ours(found, [word], [under] if under else [], named)

    def files_declaring(
        self,
        names: Sequence[bytes],
        under: Sequence[RepoPath],
        named: Sequence[str],
        since: BaseTree | None = None,
    ) -> tuple[RepoPath, ...]:
        """As :meth:`BaseTree.files_declaring`."""
        theirs = self.base.files_declaring(names, under, named, since)
        return self._with_ours(theirs, names, under, named)

    def _with_ours(
        self,
        theirs: Iterable[RepoPath],
        words: Sequence[bytes],
        under: Sequence[RepoPath],
        named: Sequence[str],
    ) -> tuple[RepoPath, ...]:
        """`theirs`, with the changed files that hold one of `words` in place of the base's."""
        found = {p for p in theirs if p not in self.changes}
        below = tuple(folder + b"/" for folder in under) or (b"",)
        found.update(
            p
            for p, f in self.changes.items()
            if f and p.startswith(below) and is_named(p, named) and any(w in f.data for w in words)
        )
        return tuple(sorted(found))

    def files_named(self, name: bytes) -> tuple[RepoPath, ...]:
        """Every file of that name, as :meth:`BaseTree.files_named` gives them."""
        found = {p for p in self.base.files_named(name) if p not in self.changes}
        found.update(p for p, f in self.changes.items() if f and p.rpartition(b"/")[2] == name)
        return tuple(sorted(found))

    def renamed(self, path: RepoPath, since: BaseTree) -> tuple[RepoPath, ...]:
        """As :meth:`BaseTree.renamed`; what the overlay adds was never anything else."""
        return tuple(p for p in self.base.renamed(path, since) if self.read(p))

    def write(self, path: RepoPath, file: File) -> TreeOverlay:
        """Return the overlay with `file` at `path`. Raises TreeCollision."""
        for parent in _parents(path):
            if (there := self.entry_type(parent)) not in (None, "folder"):
                raise TreeCollision(f"{show(path)}: {show(parent)} is a {there}, not a folder")
        if (there := self.entry_type(path)) == "folder":
            raise TreeCollision(f"{show(path)} is a folder, not a file")
        if there == "submodule" or (there == "link" and file.mode != "120000"):
            raise TreeCollision(f"{show(path)} is a {there}, and is not written through")
        return TreeOverlay(self.base, MappingProxyType({**self.changes, path: file}))

    def remove(self, path: RepoPath) -> TreeOverlay:
        """Return the overlay without the file at `path`. Raises TreeCollision."""
        if self.entry_type(path) not in ("file", "link"):
            raise TreeCollision(f"{show(path)}: there is no such file to remove")
        return TreeOverlay(self.base, MappingProxyType({**self.changes, path: None}))

    def changed_since(self, earlier: TreeOverlay) -> dict[RepoPath, File | None]:
        """What this overlay has otherwise than `earlier`, an overlay of the same base."""
        paths = sorted({*self.changes, *earlier.changes})
        return {p: mine for p in paths if (mine := self.read(p)) != earlier.read(p)}


def is_named(path: RepoPath, named: Sequence[str]) -> bool:
    """Whether the last part of `path` is like one of `named`."""
    name = path.rpartition(b"/")[2]
    return any(fnmatchcase(name, pattern.encode()) for pattern in named)


def _type_of(file: File) -> EntryType:
    return "link" if file.mode == "120000" else "file"


def _parents(path: RepoPath) -> Iterable[RepoPath]:
    parts = path.split(b"/")
    return (RepoPath(b"/".join(parts[:n])) for n in range(1, len(parts)))
