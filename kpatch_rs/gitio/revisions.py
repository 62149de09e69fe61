"""From what a maintainer types to a commit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.objects import Objects
from kpatch_rs.gitio.opening import Opened
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import show

_RELEASE = re.compile(r"v?(\d+)\.(\d+)(?!\w)")
"""v6.12, v6.12.117, 6.12-rc3, v6.12-rt12: names of one release of Linux."""


class UnknownRevision(KpatchError):
    """The repository knows no commit by that name."""


def resolve(opened: Opened, objects: Objects, rev: str) -> Oid:
    """The commit `rev` names, in any of git's spellings. Raises UnknownRevision."""
    shown = show(rev.encode(errors="surrogateescape"))
    if not rev or rev.startswith("-") or not rev.isprintable():
        raise UnknownRevision(f"'{shown}' is no revision", hint="name a tag, a branch or a commit")
    # After a colon, git takes `^{commit}` for a part of the path.
    if (info := objects.info(f"{rev}^{{commit}}")) and info.type == "commit":
        return info.oid
    if info := objects.info(f"{rev}^{{}}") or objects.info(rev):
        raise UnknownRevision(f"'{shown}' is a {info.type}, not a commit")
    raise UnknownRevision(
        f"the repository {opened.common_dir} has no '{shown}'", hint=_hint(opened, rev)
    )


def newest(opened: Opened, objects: Objects) -> str | None:
    """HEAD; where it names no commit, the tag of a kernel with the highest version, if any."""
    if objects.info("HEAD^{commit}"):
        return "HEAD"
    sort = ("--sort=-version:refname", "--count=1", "--format=%(refname:short)")
    tag = opened.git.run("for-each-ref", *sort, "refs/tags/v*").decode(errors="replace").strip()
    return tag or None


def _hint(opened: Opened, rev: str) -> str:
    if ".." in rev:
        return "name one commit, not a range"
    out = opened.git.run("for-each-ref", "--format=%(refname)", "refs/tags", "refs/heads")
    names = [line.split("/", 2)[2] for line in out.decode(errors="replace").splitlines()]
    if close := _close(rev, names):
        return f"did you mean {' or '.join(close)}?"
    if opened.shallow:
        return "the clone is shallow: git fetch --unshallow, or fetch that commit"
    if not names:
        return "it has no tag or branch yet: git fetch <remote> --tags, or -k for another clone"
    return f"fetch it first: git fetch <remote> tag {rev if _release(rev) else '<tag>'}"


def _close(rev: str, names: Sequence[str]) -> list[str]:
    """The names nearest to `rev`; of one release, as v6.13, never those of another, as v6.1.3."""
    asked = _release(rev)
    same = [name for name in names if asked in (None, _release(name))]
    return difflib.get_close_matches(rev, same, n=3)


def _release(name: str) -> tuple[str, str] | None:
    """The release that a kernel's tag is of; None where the name is no such tag's."""
    found = _RELEASE.match(name)
    return (found[1], found[2]) if found else None
