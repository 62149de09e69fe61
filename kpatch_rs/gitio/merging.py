"""`git merge-file`, and its answer cut into what is merged and what is not.

Guarantees: no text in the files is taken for a conflict marker; the markers are made longer than
any run of their kind in the files.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kpatch_rs.gitio.running import Git
from kpatch_rs.syntax.merge import Clash

_MARKS = re.compile(rb"<+|\|+|=+|>+")
_SHORTEST = 7
"""Length of git's own markers."""

_NO_COUNT = 128
"""From here on the exit code of merge-file is an error's and no number of conflicts."""


def merge(git: Git, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes | Clash, ...]:
    """The merge of three files; empty where git cannot merge such bytes (binary).

    So it is, too, where a conflict and a last line without its end meet: markers hide which of the
    three has none.
    """
    sides = {"ours": ours, "base": base, "theirs": theirs}
    runs = (len(run) for data in sides.values() for run in _MARKS.findall(data))
    width = 1 + max(runs, default=_SHORTEST)
    with tempfile.TemporaryDirectory(prefix="kpatch-rs-merge-") as folder:
        for name, data in sides.items():
            (Path(folder) / name).write_bytes(data)
        there = Git(git.environment, ("-C", folder)).without_config()
        how = ("merge-file", "-p", "-q", "--diff3", f"--marker-size={width}")
        ended = there.attempt(*how, *sides)
    if ended.code == 0:
        return (ended.out,)
    whole = all(data.endswith(b"\n") for data in sides.values())
    return tuple(_cut(ended.out, width)) if ended.code < _NO_COUNT and whole else ()


def _cut(merged: bytes, width: int) -> Iterator[bytes | Clash]:
    ours, base, between, theirs = (re.escape(mark * width) for mark in (b"<", b"|", b"=", b">"))
    conflict = re.compile(
        rb"^%b ours\r?\n(.*?)^%b base\r?\n(.*?)^%b\r?\n(.*?)^%b theirs\r?\n"
        % (ours, base, between, theirs),
        re.MULTILINE | re.DOTALL,
    )
    past = 0
    for found in conflict.finditer(merged):
        yield merged[past : found.start()]
        yield Clash(ours=found[1], base=found[2], theirs=found[3])
        past = found.end()
    yield merged[past:]
