"""What `git am` would make of mails, without a work tree.

The same steps by the same programs as git's builtin/am.c: mailsplit, mailinfo, stripspace, apply.
They run in a borrowed repository, so that their objects go away with it. Mails are split as with
`git am --keep-cr`: without it no file with CR at its line ends survives a mail.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.running import Git
from kpatch_rs.model.oid import Oid, oid


@dataclass(frozen=True, slots=True)
class AppliedMail:
    """One mail, as git understands it."""

    tree: Oid
    """The tree after it."""
    message: bytes
    """The commit message git am would give it."""
    author: bytes
    """Name <address>, in UTF-8."""
    date: bytes
    """The Date: header."""


def trees_of_mails(git: Git, base: Oid, mails: Sequence[bytes]) -> tuple[AppliedMail, ...]:
    """Apply `mails` in a row on top of commit `base`. `git` should be a borrowed repository's.

    Raises KpatchError naming the mail that git am would not take.
    """
    with tempfile.TemporaryDirectory(prefix="kpatch-rs-mails-") as name:
        folder = Path(name)
        indexed = git.with_index(folder / "index")
        indexed.run("read-tree", base)
        files = _split(git, folder, mails)
        return tuple(_applied(indexed, folder, n, file) for n, file in enumerate(files, 1))


def _split(git: Git, folder: Path, mails: Sequence[bytes]) -> list[Path]:
    inputs = [folder / f"mail-{n:04}" for n in range(1, len(mails) + 1)]
    for file, mail in zip(inputs, mails, strict=True):
        file.write_bytes(mail)
    parts = folder / "parts"
    parts.mkdir()
    git.run("mailsplit", "-d4", "-b", "--keep-cr", f"-o{parts}", "--", *map(str, inputs))
    files = sorted(parts.iterdir())
    if len(files) != len(mails):
        raise KpatchError(
            f"git reads {len(mails)} mails as {len(files)}",
            hint="a line 'From <words> <time> <year>' in a message begins a new mail: reword it",
        )
    return files


def _applied(git: Git, folder: Path, number: int, mail: Path) -> AppliedMail:
    body, patch = folder / "body", folder / "patch"
    info = git.run("mailinfo", "--encoding=UTF-8", str(body), str(patch), data=mail.read_bytes())
    subject = _field(info, b"Subject")
    ended = git.attempt("apply", "--cached", "--whitespace=nowarn", str(patch))
    if ended.code != 0:
        failure = ended.failure("apply")
        raise KpatchError(
            f"mail {number} ({subject.decode(errors='replace')}) does not apply: {failure.message}",
            hint="git am would refuse it, too",
        )
    message = git.run("stripspace", data=subject + b"\n\n" + body.read_bytes())
    author = b"%s <%s>" % (_field(info, b"Author"), _field(info, b"Email"))
    tree = oid(git.run("write-tree").decode().strip())
    return AppliedMail(tree, message, author, _field(info, b"Date"))


def _field(info: bytes, name: bytes) -> bytes:
    found = re.search(rb"(?m)^%s: (.*)$" % name, info)
    return found[1] if found else b""
