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


@dataclass(frozen=True, slots=True)
class MailRead:
    """One mail with a patch in it, as `git am` takes it apart."""

    subject: str
    """Without [PATCH 1/2] and the like."""
    body: str
    """The rest of the message, down to the line `---`."""
    author: bytes
    """Name <address>, in UTF-8."""
    date: str
    """The Date: header."""
    patch: bytes
    """What follows the message: notes, diffstat, diff, signature."""


def read_mails(git: Git, mails: bytes) -> tuple[MailRead, ...]:
    """Take an mbox apart. `git` should be a borrowed repository's."""
    if not mails.strip():
        return ()  # git mailsplit fails on nothing
    with tempfile.TemporaryDirectory(prefix="kpatch-rs-mails-") as name:
        folder = Path(name)
        parts = _parts(git, folder, [mails])
        return tuple(_taken_apart(git, folder, part.read_bytes()) for part in parts)


def _taken_apart(git: Git, folder: Path, mail: bytes) -> MailRead:
    info, body, patch = _informed(git, folder, mail)
    return MailRead(
        subject=_field(info, b"Subject").decode(errors="replace"),
        body=body.decode(errors="replace"),
        author=b"%s <%s>" % (_field(info, b"Author"), _field(info, b"Email")),
        date=_field(info, b"Date").decode(errors="replace"),
        patch=patch,
    )


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
    files = _parts(git, folder, mails)
    if len(files) != len(mails):
        raise KpatchError(
            f"git reads {len(mails)} mails as {len(files)}",
            hint="a line 'From <words> <time> <year>' in a message begins a new mail: reword it",
        )
    return files


def _parts(git: Git, folder: Path, mails: Sequence[bytes]) -> list[Path]:
    """One file for each mail in `mails`, of which any may hold several."""
    inputs = [folder / f"mail-{n:04}" for n in range(1, len(mails) + 1)]
    for file, mail in zip(inputs, mails, strict=True):
        file.write_bytes(mail)
    parts = folder / "parts"
    parts.mkdir()
    git.run("mailsplit", "-d4", "-b", "--keep-cr", f"-o{parts}", "--", *map(str, inputs))
    return sorted(parts.iterdir())


def _informed(git: Git, folder: Path, mail: bytes) -> tuple[bytes, bytes, bytes]:
    """What git mailinfo says of a mail: its headers, its message and its patch."""
    body, patch = folder / "body", folder / "patch"
    info = git.run("mailinfo", "--encoding=UTF-8", str(body), str(patch), data=mail)
    return info, body.read_bytes(), patch.read_bytes()


def _applied(git: Git, folder: Path, number: int, mail: Path) -> AppliedMail:
    info, body, patch = _informed(git, folder, mail.read_bytes())
    subject = _field(info, b"Subject")
    ended = git.attempt("apply", "--cached", "--whitespace=nowarn", data=patch)
    if ended.code != 0:
        failure = ended.failure("apply")
        raise KpatchError(
            f"mail {number} ({subject.decode(errors='replace')}) does not apply: {failure.message}",
            hint="git am would refuse it, too",
        )
    message = git.run("stripspace", data=subject + b"\n\n" + body)
    author = b"%s <%s>" % (_field(info, b"Author"), _field(info, b"Email"))
    tree = oid(git.run("write-tree").decode().strip())
    return AppliedMail(tree, message, author, _field(info, b"Date"))


def _field(info: bytes, name: bytes) -> bytes:
    found = re.search(rb"(?m)^%s: (.*)$" % name, info)
    return found[1] if found else b""
