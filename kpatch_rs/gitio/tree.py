"""A commit's tree as the rest of the program sees it: satisfies model.tree.BaseTree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from kpatch_rs.gitio.objects import Entry, Objects, RepositoryDamaged
from kpatch_rs.gitio.outline import LINES, Extent, Outline, Outlines
from kpatch_rs.gitio.renames import renamed
from kpatch_rs.gitio.running import Git
from kpatch_rs.gitio.search import Searched, Share, grep, listed
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import BaseTree, EntryType, File, Mode, part_of

_TYPES: Mapping[bytes, EntryType] = {
    b"40000": "folder",
    b"120000": "link",
    b"160000": "submodule",
}
"""Every other mode is a file's; old histories have 100664 too."""


@dataclass(frozen=True, slots=True)
class GitTree:
    """The tree `oid` of a repository."""

    git: Git
    objects: Objects
    oid: Oid
    outlines: Outlines

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

    def files_with(
        self, word: bytes, under: RepoPath | None, named: Sequence[str]
    ) -> tuple[RepoPath, ...]:
        """Files of these names that hold `word`; register tables are left out.

        In a whole kernel that costs 4.5 s of processor time for C files, shared by two processors,
        2 s for headers, 0.3 s for Makefiles; 0.1 s in a folder like arch/x86 (measured on 6.12).
        """
        if not word or b"\n" in word or (under and self.entry_type(under) != "folder"):
            return ()
        text = word.decode(errors="surrogateescape")
        found = listed(self.git, self.oid, None, [under] if under else [], named)
        shares = self._grep([Searched(f.blob, b":" + f.path) for f in found], "-lzwF", "-e", text)
        names = {name for share in shares for name in share.ended.out.split(b"\0") if name}
        return tuple(sorted(RepoPath(name[1:]) for name in names))

    def files_declaring(
        self,
        names: Sequence[bytes],
        under: Sequence[RepoPath],
        named: Sequence[str],
        since: BaseTree | None = None,
    ) -> tuple[RepoPath, ...]:
        """C files that may define or declare one of `names`, as a function or a macro.

        The first search of a part of a kernel makes an outline of its C files: the sources of a
        whole kernel take 6.5 s of processor time, shared by two processors, those that 7.2 has
        otherwise than 6.12 4.5 s, headers 4.5 s and 2 s; each search after that takes 0.1 s at
        most (measured on 7.2). In a folder of a part, git searches where there is no outline yet.
        """
        parts = tuple(dict.fromkeys(part_of(folder + b"/") for folder in under))
        found: set[RepoPath] = set()
        for pattern in named:
            outlines = self._outlines(parts, pattern, since, make=set(under) == set(parts))
            found.update(
                path
                for part, outline in (outlines or {}).items()
                for name in names
                for path in (RepoPath(part + b"/" + inner) for inner in outline.naming(name))
            )
            if outlines is None:
                asked = ((name, folder) for name in names for folder in under)
                found.update(p for n, f in asked for p in self.files_with(n, f, [pattern]))
        below = tuple(folder + b"/" for folder in under)
        return tuple(sorted(path for path in found if path.startswith(below)))

    def _outlines(
        self, parts: Sequence[RepoPath], pattern: str, since: BaseTree | None, *, make: bool
    ) -> dict[RepoPath, Outline] | None:
        """The outlines of `parts`; where some are missing, they are made, or there are none."""
        then = replace(self, oid=since.oid) if since else None
        found: dict[RepoPath, Outline] = {}
        missing: dict[RepoPath, Extent] = {}
        for part in parts:
            if tree := self._folder(part.split(b"/")):
                before = then._folder(part.split(b"/")) if then else None
                whole, extent = Extent(tree, pattern), Extent(tree, pattern, before)
                if kept := self.outlines.kept(whole) or self.outlines.kept(extent):
                    found[part] = kept
                elif not make:
                    return None
                else:
                    missing[part] = extent
        lines = self._lines(missing, pattern, since) if missing else {}
        made = {extent: self.outlines.keep(extent, text) for extent, text in lines.items()}
        return found | {part: made[extent] for part, extent in missing.items()}

    def _lines(
        self, extents: Mapping[RepoPath, Extent], named: str, since: BaseTree | None
    ) -> dict[Extent, bytes]:
        """All lines of the outlines of these parts.

        PCRE is four times as fast as POSIX; not every git has it.
        """
        form = ("-o", "--heading", "--no-break", "--no-line-number", "--no-column")
        found = listed(self.git, self.oid, since.oid if since else None, extents, [named])
        parted = ((part_of(file.path), file) for file in found)
        files = [
            Searched(file.blob, extents[part].tree.encode() + b":" + file.path[len(part) + 1 :])
            for part, file in parted
            if part in extents
        ]
        try:
            shares = self._grep(files, *form, "-P", "-e", LINES)
        except RepositoryDamaged:
            shares = self._grep(files, *form, "-E", "-e", LINES)
        lines: dict[bytes, list[bytes]] = {}
        for share in shares:
            for tree, text in share.by_tree():
                lines.setdefault(tree, []).append(text)
        return {e: b"".join(lines.get(e.tree.encode(), ())) for e in extents.values()}

    def _grep(self, files: Sequence[Searched], *search: str) -> list[Share]:
        """What git grep prints of `files`, share by share. Raises RepositoryDamaged."""
        shares = grep(self.git, files, *search)
        for ended in (share.ended for share in shares):
            if ended.code not in (0, 1) or ended.err:
                raise self.objects.damaged(ended.failure("grep").message)
        return shares

    def files_named(self, name: bytes) -> tuple[RepoPath, ...]:
        """Every file of that name, sorted. A whole kernel takes 0.2 s (measured)."""
        out = self.git.run("ls-tree", "-r", "-z", "--name-only", str(self.oid))
        paths = (path for path in out.split(b"\0") if path.endswith(name))
        return tuple(sorted(RepoPath(p) for p in paths if p.rpartition(b"/")[2] == name))

    def renamed(self, path: RepoPath, since: BaseTree) -> tuple[RepoPath, ...]:
        """What `path` of `since` may have become, by git's detection of renames."""
        return renamed(self.git, since.oid, self.oid, path)

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
