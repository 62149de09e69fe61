"""What is left of a patch beside the edits of known kinds, as the files of one diff.

Guarantees: each file is compared with what stood there before the patch, so that the diff names
blobs that the repository has, and a rebase can merge it three-way; what was renamed stays so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import File, TreeOverlay
from kpatch_rs.syntax.diff_place import lines_of
from kpatch_rs.syntax.diff_write import FilePair
from kpatch_rs.syntax.lines import differences


@dataclass(frozen=True, slots=True)
class Rest:
    """What a patch does to `files`, of which the edits of known kinds do a part."""

    start: TreeOverlay
    """Before the patch."""
    files: Mapping[RepoPath, File | None]
    renames: Mapping[RepoPath, RepoPath]
    """New name → old name."""

    def pairs(self, reached: TreeOverlay) -> tuple[FilePair, ...] | None:
        """What is left where the edits make `reached`; None where their part of a file is mixed in.

        Left is what the patch does without them.
        """
        pairs = [self._without(pair, reached) for pair in self._named(reached)]
        found = tuple(pair for pair in pairs if pair)
        return found if len(found) == len(pairs) else None

    def behind(self, reached: TreeOverlay) -> tuple[FilePair, ...]:
        """What is left where the edits make `reached`, compared with that."""
        left = (path for path, now in self.files.items() if reached.read(path) != now)
        return tuple(_pair(path, reached.read(path), self.files[path]) for path in left)

    def _named(self, reached: TreeOverlay) -> Iterator[FilePair]:
        """The files that are not as the patch has them yet, each with the name it had."""
        left = [path for path, now in self.files.items() if reached.read(path) != now]
        olds = {path: self._old(path, reached) for path in left}
        gone = {old for path, old in olds.items() if old != path}
        for path, old in olds.items():
            if self.files[path] is not None or path not in gone:
                yield FilePair(
                    old_path=old, new_path=path, old=self.start.read(old), new=self.files[path]
                )

    def _old(self, path: RepoPath, reached: TreeOverlay) -> RepoPath:
        """The name that `path` had: another one where no edit has a part in either."""
        old = self.renames.get(path, path) if self.files[path] else path
        same = all(reached.read(name) == self.start.read(name) for name in (path, old))
        return old if same else path

    def _without(self, pair: FilePair, reached: TreeOverlay) -> FilePair | None:
        """`pair` without what the edits do to the file; None where the two cannot be told apart."""
        old, now, new = pair.old, reached.read(pair.new_path), pair.new
        if now == self.start.read(pair.new_path):
            return pair
        if not (old and now and new) or now.mode != new.mode:
            return None
        data = _without(lines_of(old.data), lines_of(now.data), lines_of(new.data))
        return None if data is None else _pair(pair.new_path, old, File(data, new.mode))


def _pair(path: RepoPath, old: File | None, new: File | None) -> FilePair:
    return FilePair(old_path=path, new_path=path, old=old, new=new)


def _without(old: list[bytes], now: list[bytes], new: list[bytes]) -> bytes | None:
    """`new` without what made `now` of `old`; None where the two cannot be told apart."""
    done = differences(old, now)
    out, past = list[bytes](), 0
    for block in differences(now, new):
        if any(d.new_start < block.old_end and block.old_start < d.new_end for d in done):
            return None
        shift = sum(
            d.new_end - d.new_start - d.old_end + d.old_start
            for d in done
            if d.new_end <= block.old_start
        )
        start, end = block.old_start - shift, block.old_end - shift
        out += [*old[past:start], *new[block.new_start : block.new_end]]
        past = end
    return b"".join([*out, *old[past:]])
