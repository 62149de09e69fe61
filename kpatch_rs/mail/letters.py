"""One version of a series as mails: text in, bytes out.

Guarantees: `git am` makes the same trees, messages and authors of them; all mails of a version
are one thread, in order also when sorted by date; contents of files are written byte for byte,
whatever their encoding (the charset of a mail speaks about its message only).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from kpatch_rs import __version__
from kpatch_rs.mail.headers import address, address_header, text_header
from kpatch_rs.mail.numbering import Numbering, posting_key
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.series import Cover, Person, Recipe, Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step, as git says it: what a mail is made of."""

    recipe: Recipe
    commit: Oid
    author: Person
    patch: bytes
    """The diff, as git writes it for mail."""
    stat: bytes
    """Its diffstat and the summary of new, renamed and deleted files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail, ready to be written."""

    file: str
    subject: str
    """With its tag, not encoded."""
    message_id: str
    data: bytes
    recipe: Recipe | None
    """None: the cover letter."""


def letters(
    series: Series,
    changes: Sequence[Change],
    *,
    stat: bytes,
    base: Oid,
    sender: Person,
    version: int,
    date: int,
) -> tuple[Mail, ...]:
    """Return the mails, the cover letter first where there is one.

    `stat` is the diffstat of all changes, `date` the first mail's, in seconds since 1970. Raises
    KpatchError for a message, an address or a prefix that would not survive the mail.
    """
    key = posting_key(series.change_id, version, date, [change.patch for change in changes])
    host = sender.email.rpartition("@")[2]
    thread = _Thread(
        series=series,
        changes=changes,
        numbering=Numbering(series, version, len(changes), key, host),
        sender=sender,
        date=date,
        footer=f"base-commit: {base}\nchange-id: {series.change_id}\n".encode(),
    )
    return tuple(thread.mails(stat))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thread:
    """What all mails of one version share."""

    series: Series
    changes: Sequence[Change]
    numbering: Numbering
    sender: Person
    date: int
    footer: bytes

    def mails(self, stat: bytes) -> Iterator[Mail]:
        if cover := self.series.cover:
            yield self.mail(0, cover.subject, None, self.cover(cover, stat))
        for n, change in enumerate(self.changes, 1):
            yield self.mail(n, change.recipe.subject, change, self.patch(n, change))

    @property
    def head(self) -> int:
        """The number of the mail that the others answer."""
        return 0 if self.series.cover else 1

    def mail(self, n: int, subject: str, change: Change | None, content: bytes) -> Mail:
        tag = self.numbering.tag(n)
        postmark = change.commit if change else "0" * 40
        return Mail(
            file=self.numbering.file(n, subject),
            subject=f"{tag} {subject}",
            message_id=self.numbering.message_id(n),
            recipe=change.recipe if change else None,
            data=b"".join(
                (
                    b"From %s Mon Sep 17 00:00:00 2001\n" % postmark[:40].encode(),
                    self.headers(n, tag, subject),
                    b"\n",
                    content,
                    b"-- \nkpatch-rs %s\n" % __version__.encode(),
                )
            ),
        )

    def headers(self, n: int, tag: str, subject: str) -> bytes:
        mail = self.series.mail
        when = datetime.fromtimestamp(self.date + n - self.head, UTC)
        lines = [
            address_header("From", [self.sender]),
            text_header("Date", format_datetime(when), ""),
            text_header("Subject", tag, subject),
            text_header("Message-ID", self.numbering.message_id(n), ""),
        ]
        if n != self.head:
            first = self.numbering.message_id(self.head)
            lines += [text_header(name, first, "") for name in ("In-Reply-To", "References")]
        for name, listed in (("To", mail.to), ("Cc", mail.cc)):
            if listed:
                lines.append(address_header(name, [address(text) for text in listed]))
        lines.append(b"MIME-Version: 1.0\n")
        lines.append(b"Content-Type: text/plain; charset=UTF-8\n")
        lines.append(b"Content-Transfer-Encoding: 8bit\n")
        return b"".join(lines)

    def cover(self, cover: Cover, stat: bytes) -> bytes:
        blocks = (
            cover.text.strip("\n").encode(),
            _shortlog(self.changes),
            stat.strip(b"\n"),
            b"---\n" + self.footer,
        )
        return b"\n\n".join(block for block in blocks if block)

    def patch(self, n: int, change: Change) -> bytes:
        recipe = change.recipe
        blocks = [recipe.body.strip("\n"), "\n".join(recipe.trailers)]
        message = "\n\n".join(block for block in blocks if block)
        if change.author != self.sender or _reads_as_header(message):
            message = f"From: {_in_body(change.author)}\n\n{message}"
        notes = f"{recipe.notes.strip(chr(10))}\n\n" if recipe.notes.strip() else ""
        footer = b"\n" + self.footer if n == 1 == self.head else b""
        return b"".join(
            (
                f"{message}\n".encode() if message else b"",
                b"---\n",
                notes.encode(),
                change.stat.strip(b"\n") + b"\n\n",
                change.patch,
                footer,
            )
        )


def _in_body(author: Person) -> str:
    """The author as `git mailinfo` reads one in a message: UTF-8 as it is, quotes taken off."""
    if not re.search(r'["()\\]', author.name):
        return str(author)
    quoted = re.sub(r'(["\\])', r"\\\1", author.name)
    return f'"{quoted}" <{author.email}>'


def _reads_as_header(message: str) -> bool:
    """Whether `git am` would take the first line for a header; a From: before it prevents that."""
    first = message.split("\n", 1)[0].lower()
    return first.startswith(("from:", "subject:", "date:", ">from", "[patch]"))


def _shortlog(changes: Sequence[Change]) -> bytes:
    """Who wrote what, as `git shortlog` lists it."""
    by_name: dict[str, list[str]] = {}
    for change in changes:
        by_name.setdefault(change.author.name, []).append(change.recipe.subject)
    return "\n\n".join(
        "\n".join((f"{name} ({len(subjects)}):", *(f"      {subject}" for subject in subjects)))
        for name, subjects in sorted(by_name.items())
    ).encode()
