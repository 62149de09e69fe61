"""A commit's tree as the rest of the program sees it: satisfies model.tree.BaseTree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from kpatch_rs.gitio.objects import Entry, Objects
from kpatch_rs.gitio.running import Git
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import EntryType, File, Mode

_TYPES: Mapping[bytes, EntryType] = {
    b"40000": "folder",
    b"120000": "link",
    b"160000": "submodule",
}
"""Every other mode is a file's; old histories have 100664 too."""

_WHOLE_TREE = (
    *("*.c", "*.h", "*.S", "*.rs", "*Makefile*", "*Kbuild*", "*Kconfig*"),
    ":(exclude)drivers/gpu/drm/amd/include",
)
"""What is searched where no folder is named. The exclusion is generated register tables: 479 MB of
the 1488 MB of Linux 6.12.117, and no code; without it the search takes half as long again."""


@dataclass(frozen=True, slots=True)
class GitTree:
    """The tree `oid` of a repository."""

    git: Git
    objects: Objects
    oid: Oid

    def entry_type(self, path: RepoPath) -> EntryType | None:
        """What stands at `path`. Raises RepositoryDamaged."""
        entry = self._entry(path)
        return _TYPES.get(entry.mode, "file") if entry else None

    def read(self, path: RepoPath) -> File | None:
        """The file or link at `path`. Raises RepositoryDamaged."""
        entry = self._entry(path)
        if entry is None or (kind := _TYPES.get(entry.mode, "file")) not in ("file", "link"):
            return None
        mode = "120000" if kind == "link" else "100755" if entry.mode == b"100755" else "100644"
        return File(self.objects.blob(entry.oid), cast(Mode, mode))

    def names(self, folder: RepoPath | None) -> tuple[bytes, ...]:
        """The names in `folder`, sorted. Raises RepositoryDamaged."""
        tree = self._folder(folder.split(b"/") if folder else [])
        return tuple(sorted(self.objects.entries(tree))) if tree else ()

    def files_with(self, word: bytes, under: RepoPath | None) -> tuple[RepoPath, ...]:
        """Files that hold `word`; without `under`: C, Rust, assembly and Kbuild files only.

        A whole kernel takes 3 to 6 s on two cores, a folder as large as arch/x86 0.1 s (measured).
        """
        if not word or b"\n" in word or (under and self.entry_type(under) != "folder"):
            return ()
        # A folder's own tree object keeps its name from being read as a pattern.
        tree = self._folder(under.split(b"/")) if under else self.oid
        prefix = under + b"/" if under else b""
        search = ("grep", "--no-color", "--no-recurse-submodules", "--full-name", "-lzwFa", "-e")
        patterns = () if under else _WHOLE_TREE
        text = word.decode(errors="surrogateescape")
        ended = self.git.attempt(*search, text, str(tree), "--", *patterns)
        if ended.code not in (0, 1) or ended.err:
            raise self.objects.damaged(ended.failure("grep").message)
        found = (name.partition(b":")[2] for name in ended.out.split(b"\0") if name)
        return tuple(sorted(RepoPath(prefix + name) for name in found))

    def _entry(self, path: RepoPath) -> Entry | None:
        *folder, name = path.split(b"/")
        tree = self._folder(folder)
        return self.objects.entries(tree).get(name) if tree else None

    def _folder(self, parts: list[bytes]) -> Oid | None:
        """The tree object of a folder; None where something else or nothing is there."""
        tree = self.oid
        for part in parts:
            entry = self.objects.entries(tree).get(part)
            if entry is None or entry.mode != b"40000":
                return None
            tree = entry.oid
        return tree
