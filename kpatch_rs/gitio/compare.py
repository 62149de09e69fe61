"""Differences, as they stand in mails: the same bytes whoever asks, whatever they configured."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kpatch_rs.gitio.running import Git
from kpatch_rs.model.oid import Oid

_PLAIN = ("--no-color", "--no-ext-diff", "--no-textconv")
_AS_MAILED = (
    *("diff-tree", "-r", "-M", "--stat=72", "--summary", *_PLAIN),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)
"""What git format-patch uses: renames found, mail width."""

_TOTAL = re.compile(rb"(?m)^ \d+ files? changed(, \d+ [a-z]+\([+-]\))*$\n?")


@dataclass(frozen=True, slots=True)
class Diff:
    """What one commit has otherwise than another."""

    patch: bytes
    """`diff --git …`, with full object names, so that `git am -3` is never in doubt."""
    stat: bytes
    """The diffstat, down to its total; each line ends in LF."""
    summary: bytes
    """` create mode …` and its like, one to a line; often empty."""


def diff(git: Git, old: Oid, new: Oid) -> Diff:
    """The difference between two commits or trees. `git` should be a borrowed repository's."""
    out = git.run(*_AS_MAILED, "-p", "--full-index", "--binary", old, new)
    # Every line above the patch begins with a blank, and a blank line ends them.
    head, _, patch = out.partition(b"\n\n")
    head += b"\n"
    total = _TOTAL.search(head)
    end = total.end() if total else len(head)
    return Diff(patch=patch, stat=head[:end], summary=head[end:]) if out else Diff(b"", b"", b"")


def series_stat(git: Git, base: Oid, tip: Oid) -> bytes:
    """The diffstat and summary of a whole series, for its cover letter."""
    return git.run(*_AS_MAILED, base, tip)


def range_diff(git: Git, old: tuple[Oid, Oid], new: tuple[Oid, Oid]) -> str:
    """git's range-diff of two (base, tip) pairs; bytes that are not UTF-8 show as U+FFFD."""
    ranges = [f"{base}..{tip}" for base, tip in (old, new)]
    return git.run("range-diff", "--no-color", "--no-notes", *ranges).decode(errors="replace")
