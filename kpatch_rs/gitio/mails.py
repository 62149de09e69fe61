"""What `git am` would make of mails, without a work tree.

The same steps by the same programs as git's builtin/am.c: mailsplit, mailinfo, stripspace, apply.
They run in a borrowed repository, so that their objects go away with it. Mails are split as with
`git am --keep-cr`: without it no file with CR at its line ends survives a mail. Where the line
below a mail's header has CR, all of the mail came with them, and they go.
"""

from __future__ import annotations

import email
import email.policy
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.running import Git, GitFailed
from kpatch_rs.model.oid import Oid, oid

_ONCE = ("From", "Subject", "Date")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRead:
    """One mail, as `git am` takes it apart. Bytes that are no UTF-8 are surrogates in its text."""

    title: str
    """The Subject: header as it is, with [PATCH 1/2] and the like."""
    message_id: str
    is_answer: bool
    """Whether it has an In-Reply-To: header."""
    parts: tuple[str, ...]
    """The media types of what it is made of: text/plain."""
    twice: tuple[str, ...]
    """The fields that its header has more than once, of those that git takes one of."""
    failure: str
    """Why git cannot read it; empty where it can."""
    subject: str
    """Without [PATCH 1/2] and the like."""
    body: str
    """The rest of the message, down to the line `---`."""
    author: bytes
    """Name <address>, in UTF-8."""
    date: str
    """The Date: header."""
    has_scissors: bool
    """Whether `git am --scissors` would leave out the beginning of its text."""
    patch: bytes
    """What follows the message: notes, diffstat, diff, signature."""


def read_mails(git: Git, mbox: bytes) -> tuple[MailRead, ...]:
    """Take an mbox apart. `git` should be a borrowed repository's."""
    with tempfile.TemporaryDirectory(prefix="kpatch-rs-mails-") as name:
        folder = Path(name)
        return tuple(_taken_apart(git, folder, mail) for mail in _split_up(git, folder, mbox))


def split_mails(git: Git, mbox: bytes) -> tuple[bytes, ...]:
    """The mails of an mbox, as they are."""
    with tempfile.TemporaryDirectory(prefix="kpatch-rs-mails-") as name:
        return tuple(_split_up(git, Path(name), mbox))


def _split_up(git: Git, folder: Path, mbox: bytes) -> list[bytes]:
    if not mbox.strip():
        return []  # git mailsplit fails on nothing
    return [part.read_bytes() for part in _parts(git, folder, [mbox])]


def _taken_apart(git: Git, folder: Path, mail: bytes) -> MailRead:
    below_header = re.search(rb"\r?\n(\r?)\n", mail)
    if below_header and below_header[1]:
        mail = mail.replace(b"\r\n", b"\n")
    # The default policy would refuse headers that nobody but a person can read.
    read = email.message_from_bytes(mail, policy=email.policy.compat32)
    title = _header(read, "Subject")
    failure = ""
    try:
        info, body, patch = _informed(git, folder, mail)
    except GitFailed as error:
        failure, info, body, patch = error.message, b"Subject: " + title.encode(), b"", b""
    return MailRead(
        title=title,
        message_id=_header(read, "Message-ID"),
        is_answer="In-Reply-To" in read,
        parts=tuple(p.get_content_type() for p in read.walk() if not p.is_multipart()),
        twice=tuple(name for name in _ONCE if len(read.get_all(name, [])) > 1),
        failure=failure,
        subject=_field(info, b"Subject").decode(errors="surrogateescape"),
        body=body.decode(errors="surrogateescape"),
        author=b"%s <%s>" % (_field(info, b"Author"), _field(info, b"Email")),
        date=_field(info, b"Date").decode(errors="replace"),
        has_scissors=_has_scissors(git, folder, mail, body),
        patch=patch,
    )


def _has_scissors(git: Git, folder: Path, mail: bytes, body: bytes) -> bool:
    if not any(blades in body for blades in (b"8<", b">8", b"%<", b">%")):
        return False  # most mails, and another git each
    return _informed(git, folder, mail, "--scissors")[1] != body


def _header(mail: Message, name: str) -> str:
    """A header in one line, for people: what cannot be read is replaced."""
    value = str(mail.get(name, ""))
    try:
        text = str(make_header(decode_header(value)))
    except (LookupError, ValueError):  # an unknown charset, or bytes that are not in it
        text = value
    return " ".join(text.encode(errors="replace").decode().split())


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


def _informed(git: Git, folder: Path, mail: bytes, *options: str) -> tuple[bytes, bytes, bytes]:
    """What git mailinfo says of a mail: its headers, its message, both in UTF-8, and its patch.

    A repository without configuration has UTF-8; with --encoding=UTF-8, git 2.47 leaves all as it
    is (measured).
    """
    body, patch = folder / "body", folder / "patch"
    info = git.run("mailinfo", *options, str(body), str(patch), data=mail)
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
