"""A base tree made of a dict, for tests that need no git."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from kpatch_rs.model.oid import Oid, oid
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import BaseTree, EntryType, File, is_named
from kpatch_rs.syntax.merge import Clash


class DictTree:
    """Satisfies BaseTree with files kept in memory."""

    def __init__(self, files: Mapping[str, bytes | File]) -> None:
        self.files = {
            RepoPath(p.encode()): f if isinstance(f, File) else File(f) for p, f in files.items()
        }

    @classmethod
    def from_folder(cls, folder: Path) -> DictTree:
        found = [p for p in folder.rglob("*") if p.is_file()]
        return cls({str(p.relative_to(folder)): p.read_bytes() for p in found})

    @property
    def oid(self) -> Oid:
        return oid(hashlib.sha1(repr(sorted(self.files.items())).encode()).hexdigest())

    def entry_type(self, path: RepoPath) -> EntryType | None:
        if path in self.files:
            return "link" if self.files[path].mode == "120000" else "file"
        return "folder" if any(p.startswith(path + b"/") for p in self.files) else None

    def read(self, path: RepoPath) -> File | None:
        return self.files.get(path)

    def names(self, folder: RepoPath | None) -> tuple[bytes, ...]:
        prefix = folder + b"/" if folder else b""
        below = (p[len(prefix) :] for p in self.files if p.startswith(prefix))
        return tuple(sorted({p.split(b"/", 1)[0] for p in below}))

    def files_with(
        self, word: bytes, under: RepoPath | None, named: Sequence[str]
    ) -> tuple[RepoPath, ...]:
        prefix = under + b"/" if under else b""
        whole = re.compile(rb"(?<!\w)%s(?!\w)" % re.escape(word))
        hits = (p for p, f in self.files.items() if p.startswith(prefix) and whole.search(f.data))
        return tuple(sorted(p for p in hits if is_named(p, named)))

    def files_declaring(
        self,
        names: Sequence[bytes],
        under: Sequence[RepoPath],
        named: Sequence[str],
        since: BaseTree | None = None,
    ) -> tuple[RepoPath, ...]:
        asked = ((name, folder) for name in names for folder in under)
        found = {path for name, folder in asked for path in self.files_with(name, folder, named)}
        return tuple(sorted(p for p in found if not since or since.read(p) != self.read(p)))

    def files_named(self, name: bytes) -> tuple[RepoPath, ...]:
        return tuple(sorted(p for p in self.files if p.rpartition(b"/")[2] == name))

    def renamed(self, path: RepoPath, since: BaseTree) -> tuple[RepoPath, ...]:
        old = since.read(path)
        assert old
        ending = path.rpartition(b"/")[2].rpartition(b".")[2]
        same = {
            new: difflib.SequenceMatcher(None, old.data, file.data).ratio()
            for new, file in self.files.items()
            if since.read(new) is None and new.endswith(ending)
        }
        return tuple(sorted((p for p in same if same[p] >= 0.5), key=lambda p: -same[p]))


class NoHistory:
    """Satisfies History and knows nothing."""

    def blob(self, prefix: str) -> bytes | None:
        return None

    def merge(self, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes | Clash, ...]:
        return ()
