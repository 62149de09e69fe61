"""Who changed what an edit holds on to, between the kernel a series comes from and another.

Guarantees: an answer is a commit that adds or takes away the text, or adds, removes or renames the
file; failing that, one that changed the function of that name. Nothing is guessed where the two
kernels have no history in common, or that history is one commit a kernel. The time is bounded.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from kpatch_rs.gitio.running import Ended, Git, TimeRanOut
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath

MOST = 3
"""Commits named for one anchor."""

_FORM = "--format=%H %cs %s"

_MAKEFILE = b"Makefile"
_VERSION = re.compile(rb"(?m)^[+-](?:VERSION|PATCHLEVEL|SUBLEVEL)\s*=")


@dataclass(frozen=True, slots=True)
class UpstreamCommit:
    """A commit of the kernel's history."""

    commit: Oid
    date: str
    """The committer's day: 2026-03-01."""
    subject: str


@dataclass(slots=True)
class Blame:
    """Answers for the way from `old` to `new`, in at most `seconds` altogether."""

    git: Git
    """A borrowed repository's."""
    old: Oid
    new: Oid
    seconds: float
    late: bool = False
    """Whether the time ran out, and answers may be missing."""
    _range: str | None = field(default=None, init=False)

    def commits(self, path: RepoPath, text: str) -> tuple[UpstreamCommit, ...]:
        """Who added or took away `text` in the file `path`, newest first.

        Empty where nobody did, where the kernels have no history in common, and once late.
        """
        changed = ("--diff-filter=ADR",) if text.encode() == path else (f"-S{text}",)
        name = path.decode(errors="surrogateescape")
        try:
            if not (between := self._between()):
                return ()
            found = self._log(*changed, between, "--", f":(top,literal){name}")
            if not found.out and text.isidentifier():
                found = self._log("-s", f"-L:\\b{text}\\b:{name}", between)
        except TimeRanOut:
            self.late = True
            return ()
        commits = map(_read, found.out.decode(errors="replace").splitlines())
        return tuple(commit for commit in commits if not self._brings_a_kernel(commit.commit, path))

    def _brings_a_kernel(self, commit: Oid, path: RepoPath) -> bool:
        """Whether a whole other kernel came with it, as where a repository has no history.

        Such a commit sets the version in the top Makefile beside all else; a release of Linux sets
        it alone, and no other commit does.
        """
        if path == _MAKEFILE:
            return False
        diff = self._timed("diff-tree", "--root", "-p", "-U0", commit, "--", ":(top)Makefile")
        return bool(_VERSION.search(diff.out))

    def _between(self) -> str:
        """The newer kernel's commits that the older one lacks; empty without a common one."""
        if self._range is None:
            base = self._timed("merge-base", self.old, self.new).out.decode().strip()
            back = base == self.new
            ends = (self.new, self.old) if back else (self.old, self.new)
            self._range = "..".join(ends) if base else ""
        return self._range

    def _log(self, *args: str) -> Ended:
        # Where a shallow clone is cut off, a commit seems to add all there is.
        single = ("--min-parents=1", "--max-parents=1")
        return self._timed("log", f"-{MOST}", *single, "--no-color", _FORM, *args)

    def _timed(self, *args: str) -> Ended:
        start = time.monotonic()
        try:
            return self.git.attempt(*args, seconds=max(self.seconds, 0))
        finally:
            self.seconds -= time.monotonic() - start


def _read(line: str) -> UpstreamCommit:
    commit, date, subject = line.split(" ", 2)
    return UpstreamCommit(Oid(commit), date, subject)
