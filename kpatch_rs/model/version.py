"""Which kernel a tree is, and whether a recipe's guard lets it through.

The version is what the tree's own top-level Makefile says (VERSION, PATCHLEVEL, SUBLEVEL), never
a tag's name: `rebase` takes any commit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kpatch_rs.errors import Conflict, KpatchError
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.tree import TreeOverlay

Version = tuple[int, ...]
"""(6, 12, 117); as a bound also shorter: (6, 12) as `max` lets every 6.12.x through."""

_MAKEFILE = RepoPath(b"Makefile")
_FIELDS = (b"VERSION", b"PATCHLEVEL", b"SUBLEVEL")


def parse_version(text: str) -> Version:
    """Return '6.12' as (6, 12). Raises KpatchError for anything but numbers and dots."""
    if not re.fullmatch(r"v?\d{1,4}(\.\d{1,6}){0,2}", text):
        raise KpatchError(f"'{text}' is no kernel version", hint="write it as 6.12 or 6.12.117")
    return tuple(int(n) for n in text.removeprefix("v").split("."))


def show_version(version: Version) -> str:
    """Return (6, 12, 117) as '6.12.117'."""
    return ".".join(map(str, version))


def kernel_version(tree: TreeOverlay) -> Version | None:
    """The kernel's version; None where the tree has no kernel's Makefile."""
    makefile = tree.read(_MAKEFILE)
    if makefile is None:
        return None
    found = [re.search(rb"(?m)^%s\s*=\s*(\d+)\s*$" % name, makefile.data) for name in _FIELDS]
    return tuple(int(m[1]) for m in found if m) if all(found) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """`when = { min = "6.1", max = "6.11", has = "virt/kvm/Makefile.kvm" }`; all must hold."""

    min: str | None = None
    """Oldest kernel, inclusive."""
    max: str | None = None
    """Newest kernel, inclusive; '6.11' means every 6.11.x."""
    has: RepoPath | None = None
    """A path that must exist in the tree."""

    def __post_init__(self) -> None:
        """Refuse a bound that is no version while the series is read, not while it is used."""
        for bound in (self.min, self.max):
            if bound is not None:
                parse_version(bound)

    def objection(self, tree: TreeOverlay) -> str:
        """Why the guard does not let `tree` through; empty where it does.

        Raises Conflict where it names a version and the tree is no kernel's.
        """
        if self.has is not None and tree.entry_type(self.has) is None:
            return f"the tree has no {self.has.decode(errors='replace')}"
        if self.min is None and self.max is None:
            return ""
        version = kernel_version(tree)
        if version is None:
            raise Conflict(
                "a version guard, but the tree's Makefile names no kernel version",
                hint='guard by a path instead: when = { has = "path/in/the/tree" }',
            )
        if self.min and version < parse_version(self.min):
            return f"the kernel is {show_version(version)}, before {self.min}"
        if self.max and version[: len(bound := parse_version(self.max))] > bound:
            return f"the kernel is {show_version(version)}, after {self.max}"
        return ""


def show_guard(guard: Guard | None) -> str:
    """A variant's `when` in words, as the bounds stand in the recipe."""
    if guard is None:
        return "where the edits meant for a kernel do not fit"
    bounds = (("from", guard.min), ("up to", guard.max), ("with", guard.has and show(guard.has)))
    return "on kernels " + " ".join(f"{word} {bound}" for word, bound in bounds if bound)
