"""What a step must show before it counts as proven, said without naming a tool.

Kinds state proofs, the build room carries them out. A proof is data: it is part of a verdict's
key, so two equal proofs on equal trees are the same work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from kpatch_rs.model.path import RepoPath


@dataclass(frozen=True, slots=True)
class ObjectBuilds:
    """`make target` succeeds, and the object's symbol table has what the step is about."""

    target: RepoPath
    """The .o file."""
    defines: tuple[str, ...] = ()
    """Symbols that must be `T` in it."""
    uses: tuple[str, ...] = ()
    """Symbols that must be `U` in it with the series' symbols on, and absent with them off."""
    off_too: bool = False
    """Whether it must also build with the series' Kconfig symbols off (C does, for the stubs)."""


@dataclass(frozen=True, slots=True)
class Linked:
    """`user` can call `symbol`: what defines it is in the same link, or it is exported to it."""

    user: RepoPath
    symbol: str
    definer: RepoPath
    exporters: tuple[RepoPath, ...]
    """The objects the series changes, up to this step: one of them may export it."""


@dataclass(frozen=True, slots=True)
class Member:
    """The Kbuild hookup lists `object` in `module` (its .mod), or in its folder without one.

    `make path/foo.o` proves nothing here: it builds objects no Makefile lists (measured on 6.12).
    """

    object: RepoPath
    module: RepoPath | None = None
    config: str | None = None
    """The Kconfig symbol it hangs on; with it off the object must not be listed."""


@dataclass(frozen=True, slots=True)
class Reachable:
    """The Kconfig symbol can be set to y (or m) from the series' configuration, and unset."""

    symbol: str


@dataclass(frozen=True, slots=True)
class AnalyzerLists:
    """`make rust-analyzer` writes a rust-project.json with these crate roots (may be none)."""

    roots: tuple[RepoPath, ...]


@dataclass(frozen=True, slots=True)
class Maintained:
    """The tree's get_maintainer.pl finds `section` for `path`."""

    path: RepoPath
    section: str


@dataclass(frozen=True, slots=True)
class Unprovable:
    """A change no build proves; the step is reported as not built, with this reason."""

    why: str


Proof = ObjectBuilds | Linked | Member | Reachable | AnalyzerLists | Maintained | Unprovable


class Result(StrEnum):
    """How a step's check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_BUILT = "not built"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the check of one step gave."""

    id: str
    """The recipe's id."""
    result: Result
    reason: str = ""
    """Why it failed or was not built; empty when passed."""
    hint: str = ""
    """What cures it, where that is known."""
    target: str = ""
    """The make target that failed."""
    errors: tuple[str, ...] = ()
    """The first error lines of that target."""
    proofs: tuple[str, ...] = field(default=())
    """What was shown, one line each, in words."""
    cached: bool = False
    """Whether it was known already and nothing ran."""
    seconds: float = 0.0
