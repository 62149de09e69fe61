"""What the other tools make of a change: git merge-ort, patch -F2 as quilt calls it, wiggle.

Each gets the change as a difference of whole files and answers with whole files; None where it says
itself that it did not manage.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "Bench"),
        ("EMAIL", "bench@example.org"),
        ("DATE", "1700000000 +0000"),
    )
}

Files = Mapping[bytes, bytes]


def git(
    where: Path,
    *arguments: str,
    data: bytes = b"",
    may: tuple[int, ...] = (0,),
    env: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """What git prints. Raises CalledProcessError for an exit code that is not in `may`."""
    argv = ["git", "-C", str(where), *arguments]
    whole = {**os.environ, **IDENTITY, **env}
    done = subprocess.run(argv, input=data, stdout=subprocess.PIPE, env=whole, check=False)
    if done.returncode not in may:
        raise subprocess.CalledProcessError(done.returncode, argv)
    return done.stdout


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge of whole trees."""

    tree: str
    conflicted: frozenset[bytes]
    """The paths it left for a person."""


def merge_ort(scratch: Path, base: str, ours: str, theirs: str) -> Merged:
    """The change from tree `base` to `theirs`, put on `ours`; renames found as git does.

    git 2.39 has no `--merge-base`: throw-away commits say it.
    """
    root = _commit(scratch, base)
    sides = [_commit(scratch, tree, "-p", root) for tree in (ours, theirs)]
    out = git(
        scratch, "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", *sides,
        may=(0, 1),
    )  # fmt: skip
    tree, *paths = out.rstrip(b"\0").split(b"\0")
    return Merged(tree.decode(), frozenset(paths))


def _commit(scratch: Path, tree: str, *parents: str) -> str:
    return git(scratch, "commit-tree", f"{tree}^{{tree}}", *parents).decode().strip()


def patch(diff: bytes, files: Files) -> Files | None:
    """`patch -p1 -F2`, as quilt has it, on `files`, those that the diff names."""
    with tempfile.TemporaryDirectory(prefix="bench-patch-") as folder:
        _lay_out(Path(folder), files)
        argv = ["patch", "-p1", "-F2", "--batch", "--forward", "--no-backup-if-mismatch", "-r-"]
        done = subprocess.run(argv, input=diff, cwd=folder, capture_output=True, check=False)
        return _laid_out(Path(folder)) if done.returncode == 0 else None


def wiggle(before: Files, after: Files, files: Files) -> Files | None:
    """`wiggle --merge`, file by file; it knows nothing of files that come and go."""
    out = dict(files)
    for path in sorted({*before, *after}):
        old, new, now = before.get(path), after.get(path), files.get(path)
        if old == new:
            continue
        if old is None and new is not None:
            if now not in (None, new):
                return None
            out[path] = new
        elif new is None:
            if now != old:
                return None
            del out[path]
        elif now is None or (done := _wiggled(now, old or b"", new)) is None:
            return None
        else:
            out[path] = done
    return out


def _wiggled(ours: bytes, base: bytes, theirs: bytes) -> bytes | None:
    with tempfile.TemporaryDirectory(prefix="bench-wiggle-") as folder:
        names = ("ours", "base", "theirs")
        for name, data in zip(names, (ours, base, theirs), strict=True):
            (Path(folder) / name).write_bytes(data)
        argv = ["wiggle", "--merge", *names]
        done = subprocess.run(argv, cwd=folder, capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None


def _lay_out(folder: Path, files: Files) -> None:
    for path, data in files.items():
        at = folder / os.fsdecode(path)
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(data)


def _laid_out(folder: Path) -> Files:
    found = (p for p in folder.rglob("*") if p.is_file())
    return {os.fsencode(p.relative_to(folder)): p.read_bytes() for p in found}
