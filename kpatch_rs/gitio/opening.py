"""Finding out what a folder is, before anything is asked of it.

Guarantees: the folder given is the repository, not one somewhere above it; whatever git would later
stumble over in passing (ownership, format, alternates) is said here.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from kpatch_rs.errors import KpatchError, Refused
from kpatch_rs.gitio.running import Ended, Git
from kpatch_rs.model.oid import Oid

FLOOR = (2, 39)
"""Oldest git: Debian 12's. 2.36 brought `cat-file --batch-command` and `worktree list -z`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A repository that git is willing to work in."""

    git: Git
    git_dir: Path
    """Of this work tree."""
    common_dir: Path
    """Of all its work trees: objects and refs are here."""
    object_format: str
    """sha1 or sha256."""
    nobody: Oid
    """The null object name: 40 or 64 zeros."""
    shallow: bool


def find(path: Path, git: Git) -> Opened:
    """What git makes of `path`. Raises KpatchError, or Refused for a stranger's repository."""
    if not path.is_dir():
        raise KpatchError(f"{path}: there is no such folder", hint="-k takes a git repository")
    _check_version(git)
    there = Git(git.environment, ("-C", str(path)), git.extra)
    asked = ("--absolute-git-dir", "--git-common-dir", "--show-prefix")
    # A path may hold a LF; no path is the name of a hash between two of them.
    between = "--show-object-format"
    ended = there.attempt(
        *("rev-parse", "--path-format=absolute", "--is-shallow-repository", between),
        *(asked[0], between, asked[1], between, asked[2]),
    )
    if ended.code != 0:
        raise _refusal(path, ended)
    shallow, git_dir, common_dir, prefix = re.split(rb"\n(?:sha1|sha256)\n", ended.out, maxsplit=3)
    object_format = "sha256" if b"\nsha256\n" in ended.out else "sha1"
    opened = Opened(
        git=git.at(Path(os.fsdecode(git_dir))),
        git_dir=Path(os.fsdecode(git_dir)),
        common_dir=Path(os.fsdecode(common_dir)),
        object_format=object_format,
        nobody=Oid("0" * (64 if object_format == "sha256" else 40)),
        shallow=shallow == b"true",
    )
    _check_place(path, opened.git_dir, prefix)
    _check_alternates(opened)
    return opened


def _check_version(git: Git) -> None:
    said = git.run("version").decode(errors="replace").strip()
    version = re.match(r"git version (\d+)\.(\d+)", said)
    if not version:
        raise KpatchError(
            f"'git version' says {said[:80]!r}", hint="is the git on PATH really git?"
        )
    if (int(version[1]), int(version[2])) < FLOOR:
        raise KpatchError(f"{said} is too old", hint="install git 2.39 or newer")


def _refusal(path: Path, ended: Ended) -> KpatchError:
    if b"dubious ownership" in ended.err:
        return Refused(
            f"{path} belongs to somebody else, whose settings git would follow",
            hint=f"if you trust it: git config --global --add safe.directory {path.resolve()}",
        )
    if b"safe.bareRepository" in ended.err:
        return Refused(
            f"{path} is a bare repository, and your safe.bareRepository allows none",
            hint="git config --global safe.bareRepository all",
        )
    if b"not a git repository" in ended.err:
        return KpatchError(f"{path} is not a git repository", hint="-k takes a clone of the kernel")
    said = " ".join(ended.err.decode(errors="replace").split()).removeprefix("fatal: ")
    newer = "it takes a newer git than the one on PATH" if "extension" in said else ""
    return KpatchError(f"{path}: git refuses it: {said}", hint=newer)


def _check_place(path: Path, git_dir: Path, prefix: bytes) -> None:
    """git looks upwards; a kernel unpacked inside some repository is not that repository."""
    top = prefix.strip(b"\n") == b""
    inside_git_dir = git_dir.resolve() in path.resolve().parents
    if not top or inside_git_dir:
        raise KpatchError(
            f"{path} is not a git repository, only a folder inside one ({git_dir})",
            hint="-k takes the top of a work tree, or a bare repository",
        )


def _check_alternates(opened: Opened) -> None:
    """git says so while it looks for an object, and then takes what it cannot see for absent."""
    if not (opened.common_dir / "objects/info/alternates").exists():
        return
    # Any name that no object has; for the null name git does not even look.
    nothing = opened.nobody.replace("0", "f")
    complaint = opened.git.attempt("cat-file", "-e", nothing).err
    if b"alternate" in complaint:
        text = complaint.decode(errors="replace").strip().removeprefix("error: ")
        raise KpatchError(
            f"{opened.common_dir}: the object store is incomplete: {text}",
            hint="bring the borrowed repository back, or clone without --shared",
        )
