"""A commit's tree as the rest of the program sees it: satisfies model.tree.BaseTree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from kpatch_rs.gitio.objects import Entry, Objects, RepositoryDamaged
from kpatch_rs.gitio.outline import LINES, Extent, Outline, Outlines
from kpatch_rs.gitio.renames import renamed
from kpatch_rs.gitio.running import Git
from kpatch_rs.gitio.search import Searched, Share, at_once, grep, listed
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import NOT_THE_KERNEL, BaseTree, EntryType, File, Mode, part_of

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
        tree = self._folder(under.split(b"/")) if under else self.oid
        prefix = under + b"/" if under else b""
        text = word.decode(errors="surrogateescape")
        files = listed(self.git, tree, None, named) if tree else []
        shares = self._grep(files, "-lzwF", "-e", text)
        found = [name for share in shares for name in share.ended.out.split(b"\0") if name]
        names = {prefix + name.partition(b":")[2] for name in found}
        return tuple(sorted(map(RepoPath, names)))

    def files_declaring(
        self,
        names: Sequence[bytes],
        under: RepoPath | None,
        named: Sequence[str],
        since: BaseTree | None = None,
    ) -> tuple[RepoPath, ...]:
        """C files that may define or declare one of `names`, as a function or a macro.

        The first search of a part of a kernel makes an outline of its C files: the sources of a
        whole kernel take 6.5 s of processor time, shared by two processors, those that 7.2 has
        otherwise than 6.12 4.5 s, headers 4.5 s and 2 s; each search after that takes 0.1 s at
        most (measured on 7.2). In a folder of a part, git searches where there is no outline yet.
        """
        parts = [part_of(under + b"/")] if under else self._parts()
        found: set[RepoPath] = set()
        for pattern in named:
            outlines = self._outlines(parts, pattern, since, make=under in (None, *parts))
            found.update(
                path
                for part, outline in (outlines or {}).items()
                for name in names
                for path in (RepoPath(part + b"/" + inner) for inner in outline.naming(name))
            )
            if outlines is None:
                found.update(p for name in names for p in self.files_with(name, under, [pattern]))
        prefix = under + b"/" if under else b""
        return tuple(sorted(path for path in found if path.startswith(prefix)))

    def _parts(self) -> list[RepoPath]:
        """The parts of the kernel itself."""
        tops = (RepoPath(name) for name in self.names(None) if name not in NOT_THE_KERNEL)
        arches = [RepoPath(b"arch/" + name) for name in self.names(RepoPath(b"arch"))]
        return [path for path in (*tops, *arches) if part_of(path + b"/") == path != b"arch"]

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
        lines = self._lines(list(dict.fromkeys(missing.values()))) if missing else {}
        made = {extent: self.outlines.keep(extent, text) for extent, text in lines.items()}
        return found | {part: made[extent] for part, extent in missing.items()}

    def _lines(self, extents: Sequence[Extent]) -> dict[Extent, bytes]:
        """All lines of outlines. PCRE is four times as fast as POSIX; not every git has it."""
        form = ("-o", "--heading", "--no-break", "--no-line-number", "--no-column")
        lists = at_once(lambda e: listed(self.git, e.tree, e.since, [e.named]), extents)
        files = [file for found in lists for file in found]
        try:
            shares = self._grep(files, *form, "-P", "-e", LINES)
        except RepositoryDamaged:
            shares = self._grep(files, *form, "-E", "-e", LINES)
        lines: dict[bytes, list[bytes]] = {}
        for share in shares:
            for tree, text in share.by_tree():
                lines.setdefault(tree, []).append(text)
        return {e: b"".join(lines.get(e.tree.encode(), ())) for e in extents}

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
