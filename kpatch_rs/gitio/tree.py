"""A commit's tree as the rest of the program sees it: satisfies model.tree.BaseTree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

from kpatch_rs.gitio.objects import Entry, Objects, RepositoryDamaged
from kpatch_rs.gitio.outline import LINES, Outline, Outlines
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

_NO_CODE = ":(exclude)drivers/gpu/drm/amd/include"
"""Generated register tables: 479 MB of the 1488 MB of Linux 6.12.117, in headers."""


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
        """Files of these names that hold `word`; without `under`, register tables are left out.

        In a whole kernel that costs 4.5 s of processor time for C files, shared by two processors,
        2 s for headers, 0.3 s for Makefiles; 0.1 s in a folder like arch/x86 (measured on 6.12).
        """
        if not word or b"\n" in word or (under and self.entry_type(under) != "folder"):
            return ()
        # A folder's own tree object keeps its name from being read as a pattern.
        tree = self._folder(under.split(b"/")) if under else self.oid
        prefix = under + b"/" if under else b""
        text = word.decode(errors="surrogateescape")
        found = self._grep(named, str(tree), "-lzwF", "-e", text)
        names = {prefix + name.partition(b":")[2] for name in found.split(b"\0") if name}
        return tuple(sorted(map(RepoPath, names)))

    def files_declaring(
        self, names: Sequence[bytes], under: RepoPath | None, named: Sequence[str]
    ) -> tuple[RepoPath, ...]:
        """C files that may define or declare one of `names`, as a function or a macro.

        The first search of a whole kernel makes an outline of its C files, in 5.3 s of processor
        time for sources, shared by two processors, and 4 s for headers; each one after takes 0.1 s
        (measured on 7.2). Below a folder, git searches where there is no outline yet.
        """
        outlines = [self._outline(pattern, make=under is None) for pattern in named]
        if not all(outlines):
            found = {path for name in names for path in self.files_with(name, under, named)}
        else:
            found = {p for o in outlines if o for name in names for p in o.naming(name)}
        prefix = under + b"/" if under else b""
        return tuple(sorted(path for path in found if path.startswith(prefix)))

    def _outline(self, pattern: str, *, make: bool) -> Outline | None:
        kept = self.outlines.kept(self.oid, pattern)
        if kept or not make:
            return kept
        return self.outlines.keep(Outline(self.oid, self._lines([pattern])), pattern)

    def _lines(self, named: Sequence[str]) -> bytes:
        """Every line of an outline. PCRE is four times as fast as POSIX; not every git has it."""
        form = ("-o", "--heading", "--no-break", "--no-line-number", "--no-column")
        try:
            return self._grep(named, str(self.oid), *form, "-P", "-e", LINES)
        except RepositoryDamaged:
            return self._grep(named, str(self.oid), *form, "-E", "-e", LINES)

    def _grep(self, named: Sequence[str], tree: str, *search: str) -> bytes:
        with ThreadPoolExecutor() as searches:
            found = searches.map(lambda half: self._grep_half(half, tree, search), _halves(named))
            return b"".join(found)

    def _grep_half(self, named: Sequence[str], tree: str, search: Sequence[str]) -> bytes:
        always = ("grep", "--no-color", "--no-recurse-submodules", "--full-name", "-a")
        patterns = (f":(glob)**/{name}" for name in named)
        ended = self.git.attempt(*always, *search, tree, "--", *patterns, _NO_CODE)
        if ended.code not in (0, 1) or ended.err:
            raise self.objects.damaged(ended.failure("grep").message)
        return ended.out

    def files_named(self, name: bytes) -> tuple[RepoPath, ...]:
        """Every file of that name, sorted. A whole kernel takes 0.2 s (measured)."""
        out = self.git.run("ls-tree", "-r", "-z", "--name-only", str(self.oid))
        paths = (path for path in out.split(b"\0") if path.endswith(name))
        return tuple(sorted(RepoPath(p) for p in paths if p.rpartition(b"/")[2] == name))

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


def _halves(named: Sequence[str]) -> list[list[str]]:
    """`named`, parted by the first letter: one git grep makes little use of a second processor.

    What it spends its time on, unpacking objects, it does one after the other (git 2.39 to 2.47).
    """
    parted = [n for n in named if n.startswith("*")]
    whole = [n for n in named if not n.startswith("*")]
    halves = [[f"[a-l]{n}" for n in parted] + whole, [f"[!a-l]{n}" for n in parted]]
    return [half for half in halves if half]
