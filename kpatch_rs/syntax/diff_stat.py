"""What a diffstat says is in a diff, held against the diff.

A patch that was cut between two hunks or two files is a whole patch to every program. The summary
that git and diffstat(1) write above it was made of all of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kpatch_rs.syntax.diff import FileDiff

_SUMMARY = re.compile(
    rb"(?m)^ (\d{1,6}) files? changed"
    rb"(?:, (\d{1,7}) insertions?\(\+\))?(?:, (\d{1,7}) deletions?\(-\))?\r?$"
)


def contradiction(head: bytes, files: Sequence[FileDiff]) -> str:
    """What the last summary in `head` says otherwise than `files`, in words; empty where none."""
    found = [match.groups(b"0") for match in _SUMMARY.finditer(head)]
    if not found:
        return ""
    says = tuple(int(number) for number in found[-1])
    lines = [change for file in files for hunk in file.hunks for change, _ in hunk.body]
    has = (len(files), lines.count("+"), lines.count("-"))
    if says == has:
        return ""
    return f"its diffstat says {_in_words(*says)}; its diff has {_in_words(*has)}: is it whole?"


def _in_words(files: int, added: int, deleted: int) -> str:
    return f"{files} file{'' if files == 1 else 's'}, +{added} -{deleted}"
