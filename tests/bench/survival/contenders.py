"""What the other tools make of a change: git, patch -F2 as quilt calls it, wiggle, mergiraf.

Each gets the change as a difference of whole files and answers with whole files; None where it says
itself that it did not manage.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
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


class NotInstalled(Exception):
    """The machine has no such tool: nothing can be said of it."""


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
    argv = ["patch", "-p1", "-F2", "--batch", "--forward", "--no-backup-if-mismatch", "-r-"]
    return _on_files(argv, diff, files)


def git_apply(diff: bytes, files: Files) -> Files | None:
    """`git apply`, which takes no hunk whose context is not all there."""
    return _on_files(["git", "apply", "--whitespace=nowarn"], diff, files)


def _on_files(argv: Sequence[str], diff: bytes, files: Files) -> Files | None:
    """What `argv` leaves of `files`, laid out in a folder that no repository is around."""
    with tempfile.TemporaryDirectory(prefix="bench-patch-") as folder:
        _lay_out(Path(folder), files)
        alone = {"GIT_CEILING_DIRECTORIES": str(Path(folder).parent)}
        code, _ = _run(argv, Path(folder), diff, alone)
        return _laid_out(Path(folder)) if code == 0 else None


def _run(
    argv: Sequence[str],
    folder: Path,
    data: bytes = b"",
    env: Mapping[str, str] = MappingProxyType({}),
) -> tuple[int, bytes]:
    """The exit code and what was printed. Raises NotInstalled."""
    whole = {**os.environ, **env}
    try:
        done = subprocess.run(
            argv, input=data, cwd=folder, capture_output=True, check=False, env=whole
        )
    except FileNotFoundError as missing:
        raise NotInstalled(argv[0]) from missing
    return done.returncode, done.stdout


def wiggle(before: Files, after: Files, files: Files) -> Files | None:
    """`wiggle --merge`, file by file."""
    return _by_file(before, after, files, _wiggled)


def mergiraf(before: Files, after: Files, files: Files) -> Files | None:
    """`mergiraf merge`, file by file; files in no language it knows, it merges by lines."""
    return _by_file(before, after, files, _mergirafed)


Merge = Callable[[str, bytes, bytes, bytes], bytes | None]
"""The file's name, and the sides: ours, base, theirs."""


def _by_file(before: Files, after: Files, files: Files, merge: Merge) -> Files | None:
    """Tools that merge one file and know nothing of files that come and go."""
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
        elif now is None or (done := merge(os.fsdecode(path), now, old or b"", new)) is None:
            return None
        else:
            out[path] = done
    return out


def _wiggled(_name: str, ours: bytes, base: bytes, theirs: bytes) -> bytes | None:
    with tempfile.TemporaryDirectory(prefix="bench-wiggle-") as folder:
        _lay_out(Path(folder), {b"ours": ours, b"base": base, b"theirs": theirs})
        code, out = _run(["wiggle", "--merge", "ours", "base", "theirs"], Path(folder))
        return out if code == 0 else None


def _mergirafed(name: str, ours: bytes, base: bytes, theirs: bytes) -> bytes | None:
    with tempfile.TemporaryDirectory(prefix="bench-mergiraf-") as folder:
        _lay_out(Path(folder), {b"ours": ours, b"base": base, b"theirs": theirs})
        argv = ["mergiraf", "merge", "base", "ours", "theirs", "-o", "out", "-p", name]
        code, _ = _run(argv, Path(folder))
        return (Path(folder) / "out").read_bytes() if code == 0 else None


def _lay_out(folder: Path, files: Files) -> None:
    for path, data in files.items():
        at = folder / os.fsdecode(path)
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(data)


def _laid_out(folder: Path) -> Files:
    found = (p for p in folder.rglob("*") if p.is_file())
    return {os.fsencode(p.relative_to(folder)): p.read_bytes() for p in found}
