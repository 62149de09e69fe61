"""Chosen blobs in a throw-away index, for those commands of git that look at an index.

Guarantees: nothing outside the temporary folder is written, whatever the user configured.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kpatch_rs.gitio.running import Git

_PLAIN = (
    *("-c", "core.splitIndex=false", "-c", "core.untrackedCache=false", "-c", "index.sparse=false"),
    *("-c", "core.protectNTFS=false", "-c", "core.protectHFS=false"),
)
"""Else git may write its index elsewhere, too, or refuse a name for the sake of other systems."""


@contextmanager
def indexed(git: Git, files: Iterable[tuple[bytes, bytes]]) -> Iterator[Git]:
    """`git` with an index that holds just `files`: blob and path of each. Raises GitFailed."""
    with tempfile.TemporaryDirectory(prefix="kpatch-rs-index-") as folder:
        plain = Git(git.environment, (*git.place, *_PLAIN), git.extra)
        there = plain.with_index(Path(folder) / "index")
        lines = b"".join(b"100644 %b\t%b\0" % file for file in files)
        there.run("update-index", "-z", "--index-info", data=lines)
        yield there
