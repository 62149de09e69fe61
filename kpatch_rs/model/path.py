"""Paths inside a kernel tree: bytes, validated once, so that no git version has to be trusted.

`git fast-import` before 2.48 takes `../evil`, `.git/config` and a quoted NUL without a word
(measured on 2.39.5); therefore nothing is written under a name that did not pass here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NewType

from kpatch_rs.errors import KpatchError

RepoPath = NewType("RepoPath", bytes)

PATH_MAX = 4095
"""Longest path in bytes (Linux PATH_MAX without the NUL)."""

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_NTFS_SHORT = re.compile(rb"(?i)git~\d+")


class PathRefused(KpatchError):
    """A path that git, a file system or a reader could take for another one."""


def show(path: bytes) -> str:
    """Return `path` for people: UTF-8 where it is that, escapes otherwise, never a control."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def repo_path(raw: bytes | str) -> RepoPath:
    """Return `raw` as a path relative to the top of the tree.

    Raises PathRefused, with the reason, for anything that could leave the tree, hide in `.git` or
    mean two things.
    """
    path = raw.encode() if isinstance(raw, str) else raw
    if reason := _refusal(path):
        raise PathRefused(
            f"path '{show(path[:200])}' {reason}",
            hint="give a path relative to the top of the kernel tree, such as drivers/foo/Makefile",
        )
    return RepoPath(path)


def _refusal(path: bytes) -> str:
    if not path:
        return "is empty"
    if len(path) > PATH_MAX:
        return f"is longer than {PATH_MAX} bytes"
    if _CONTROL.search(path):
        return "has a control character"
    if b"\\" in path:
        return "has a backslash"
    if path.startswith(b"/") or re.match(rb"[A-Za-z]:", path):
        return "is absolute"
    return next((r for part in path.split(b"/") if (r := _part_refusal(part))), "")


def _part_refusal(part: bytes) -> str:
    if part in (b"", b".", b".."):
        return "has an empty, '.' or '..' component"
    if part.endswith((b" ", b".")):
        return "has a component that ends in a space or a dot"
    if _reads_as_dot_git(part) or _NTFS_SHORT.fullmatch(part):
        return "has a component that some file systems take for '.git'"
    return ""


def _reads_as_dot_git(part: bytes) -> bool:
    """HFS+ ignores format characters, NTFS cuts at a colon; both ignore case."""
    text = part.decode("utf-8", "replace").split(":", 1)[0]
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return visible.casefold().rstrip(" .") == ".git"
