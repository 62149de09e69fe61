"""From what a maintainer types to a commit."""

from __future__ import annotations

import difflib

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.objects import Objects
from kpatch_rs.gitio.opening import Opened
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import show


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


def _hint(opened: Opened, rev: str) -> str:
    if ".." in rev:
        return "name one commit, not a range"
    out = opened.git.run("for-each-ref", "--format=%(refname)", "refs/tags", "refs/heads")
    names = [line.split("/", 2)[2] for line in out.decode(errors="replace").splitlines()]
    if close := difflib.get_close_matches(rev, names, n=3):
        return f"did you mean {' or '.join(close)}?"
    if opened.shallow:
        return "the clone is shallow: git fetch --unshallow, or fetch that commit"
    return "fetch it first: git fetch <remote> tag <tag>" if names else "it has no tag or branch"
