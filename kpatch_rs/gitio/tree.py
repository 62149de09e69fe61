"""A commit's tree as the rest of the program sees it: satisfies model.tree.BaseTree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

from kpatch_rs.gitio.objects import Entry, Objects, RepositoryDamaged
from kpatch_rs.gitio.outline import LINES, Outline, Outlines
from kpatch_rs.gitio.running import Git
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import NOT_THE_KERNEL, EntryType, File, Mode, part_of

_TYPES: Mapping[bytes, EntryType] = {
    b"40000": "folder",
    b"120000": "link",
    b"160000": "submodule",
}
"""Every other mode is a file's; old histories have 100664 too."""

_NO_CODE = (":(exclude)drivers/gpu/drm/amd/include", ":(exclude)gpu/drm/amd/include")
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
        found = b"".join(self._grep(named, [tree], "-lzwF", "-e", text)) if tree else b""
        names = {prefix + name.partition(b":")[2] for name in found.split(b"\0") if name}
        return tuple(sorted(map(RepoPath, names)))

    def files_declaring(
        self, names: Sequence[bytes], under: RepoPath | None, named: Sequence[str]
    ) -> tuple[RepoPath, ...]:
        """C files that may define or declare one of `names`, as a function or a macro.

        The first search of a part of a kernel makes an outline of its C files: drivers takes 4.3 s
        of processor time for sources, shared by two processors, the whole kernel 5.5 s, and 4 s
        for headers; each one after takes 0.1 s (measured on 7.2). In a folder of a part, git
        searches where there is no outline yet.
        """
        parts = [part_of(under + b"/")] if under else self._parts()
        found: set[RepoPath] = set()
        for pattern in named:
            outlines = self._outlines(parts, pattern, make=under in (None, *parts))
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
        self, parts: Sequence[RepoPath], pattern: str, *, make: bool
    ) -> dict[RepoPath, Outline] | None:
        """The outlines of `parts`; where some are missing, they are made, or there are none."""
        trees = {part: tree for part in parts if (tree := self._folder(part.split(b"/")))}
        kept = {part: self.outlines.kept(tree, pattern) for part, tree in trees.items()}
        missing = list(dict.fromkeys(trees[part] for part, there in kept.items() if not there))
        if missing and not make:
            return None
        made = {
            tree: self.outlines.keep(Outline(tree, lines), pattern)
            for tree, lines in (self._lines(missing, pattern) if missing else {}).items()
        }
        return {part: there or made[trees[part]] for part, there in kept.items()}

    def _lines(self, trees: Sequence[Oid], pattern: str) -> dict[Oid, bytes]:
        """All lines of outlines. PCRE is four times as fast as POSIX; not every git has it."""
        form = ("-o", "--heading", "--no-break", "--no-line-number", "--no-column")
        try:
            halves = self._grep([pattern], trees, *form, "-P", "-e", LINES)
        except RepositoryDamaged:
            halves = self._grep([pattern], trees, *form, "-E", "-e", LINES)
        lines: dict[Oid, list[bytes]] = {tree: [] for tree in trees}
        for half in halves:
            for tree, text in _by_tree(half, trees):
                lines[tree].append(text)
        return {tree: b"".join(texts) for tree, texts in lines.items()}

    def _grep(self, named: Sequence[str], trees: Sequence[Oid], *search: str) -> list[bytes]:
        with ThreadPoolExecutor() as searches:
            halves = _halves(named)
            return list(searches.map(lambda half: self._grep_half(half, trees, search), halves))

    def _grep_half(
        self, named: Sequence[str], trees: Sequence[Oid], search: Sequence[str]
    ) -> bytes:
        always = ("grep", "--no-color", "--no-recurse-submodules", "--full-name", "-a")
        patterns = (f":(glob)**/{name}" for name in named)
        ended = self.git.attempt(*always, *search, *trees, "--", *patterns, *_NO_CODE)
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


def _by_tree(lines: bytes, trees: Sequence[Oid]) -> Iterator[tuple[Oid, bytes]]:
    """What git printed of each of `trees`, one after the other, each file below its heading."""
    at: dict[Oid, int] = {}
    for tree in trees:
        heading = tree.encode() + b":"
        found = 0 if lines.startswith(heading) else lines.find(b"\n" + heading) + 1
        if found or lines.startswith(heading):
            at[tree] = found
    ends = [*at.values(), len(lines)][1:]
    yield from ((tree, lines[at[tree] : end]) for tree, end in zip(at, ends, strict=False))


def _halves(named: Sequence[str]) -> list[list[str]]:
    """`named`, parted by the first letter: one git grep makes little use of a second processor.

    What it spends its time on, unpacking objects, it does one after the other (git 2.39 to 2.47).
    """
    parted = [n for n in named if n.startswith("*")]
    whole = [n for n in named if not n.startswith("*")]
    halves = [[f"[a-l]{n}" for n in parted] + whole, [f"[!a-l]{n}" for n in parted]]
    return [half for half in halves if half]
