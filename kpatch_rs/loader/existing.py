"""What an existing commit or mail says about itself, as the keys of a recipe.

Each keeps subject, text, author and date in its own way; loader/patch_file.py reads files of a
quilt series. Guarantees: no line of a message is lost or moved into another paragraph; what a
recipe cannot hold is refused, never put otherwise without a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from kpatch_rs.loader.message import MessageRefused, checked_trailer, person
from kpatch_rs.model.series import Person

_STAT = re.compile(
    r" \S.* \| +(?:\d+ [+-]+|0|Bin(?: .*)?)| \d+ files? changed(?:, .*)?|"
    r" (?:create|delete) mode \d{6} .*| mode change \d{6} => .*| (?:rename|copy|rewrite) .*\(\d+%\)"
)
"""A line of git's diffstat and summary."""
_SIGNED = re.compile(r"(?m)^[A-Z][A-Za-z-]*-by: .*<\S+@\S+>.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A patch in words."""

    subject: str
    body: str = ""
    trailers: tuple[str, ...] = ()
    author: Person | None = None
    date: str | None = None
    notes: str = ""
    left_out: tuple[str, ...] = ()
    """What is in none of these, in words."""
    told: tuple[str, ...] = ()
    """What was read otherwise than it may have been meant, in words."""


def of_commit(message: str, author: bytes, date: str) -> Said:
    """A commit's message; its first paragraph is the subject. Raises MessageRefused."""
    subject, _, rest = message.strip("\n").partition("\n\n")
    if lines := subject.count("\n"):
        raise MessageRefused(
            f"its subject has {lines + 1} lines, of which mails and git am make one",
            hint="put a blank line below the first (git rebase -i, reword), or make it one line",
        )
    body, trailers = parted(rest)
    kept = "\n\n".join(part for part in (subject, body, "\n".join(trailers)) if part)
    blank = "blank lines of its message, where there was more than one around the text"
    return Said(
        subject=subject,
        body=body,
        trailers=trailers,
        author=_author(author.decode(), "the commit's author", "git commit --amend --author="),
        date=date,
        left_out=() if kept == message.rstrip("\n") else (blank,),
    )


def of_mail(subject: str, body: str, author: bytes, date: str, below: str) -> Said:
    """A mail; `below` is what git leaves between message and diff. Raises MessageRefused."""
    try:
        (subject + body).encode()
    except UnicodeEncodeError as error:
        raise MessageRefused(
            "its text is not UTF-8, and it names no other charset",
            hint="write one into its header: Content-Type: text/plain; charset=iso-8859-1",
        ) from error
    if not subject:
        raise MessageRefused(
            "it has no Subject: line",
            hint="write one into its header; a file that is a diff only comes in with --quilt:"
            " name it in a file 'series' beside it",
        )
    text, trailers = parted(body)
    return Said(
        subject=subject,
        body=text,
        trailers=trailers,
        author=_sender(author),
        date=date_of(date),
        notes=notes_of(_below_cut(below)),
    )


def _sender(author: bytes) -> Person:
    """Who wrote a mail; git am takes none without an address either."""
    try:
        return person(author.decode())
    except (MessageRefused, UnicodeDecodeError) as error:
        raise MessageRefused(
            "it has no From: line with an address",
            hint="write one into its header: From: A Name <name@example.org>; a file of a quilt"
            " series (--quilt) needs none",
        ) from error


def _author(text: str, whose: str, command: str) -> Person:
    try:
        return person(text)
    except MessageRefused as error:
        raise MessageRefused(
            f"{whose}: {error.message}", hint=f"{command}'A Name <name@example.org>'"
        ) from error


def _below_cut(below: str) -> str:
    """`below` without the line `---`; text that is there without one was cut off by mistake."""
    first, _, rest = below.partition("\n")
    if not first.strip("- \t"):
        return rest
    raise MessageRefused(
        f"its text has the line '{first[:60]}': git am takes it for the beginning of the patch",
        hint="indent the line by a blank",
    )


def parted(text: str) -> tuple[str, tuple[str, ...]]:
    """The body and the trailers: the last paragraph, where every line of it is one."""
    text = text.strip("\n")
    body, _, last = text.rpartition("\n\n")
    lines = last.split("\n")
    try:
        return body.rstrip("\n"), tuple(checked_trailer(line) for line in lines)
    except MessageRefused:
        return text, ()


def date_of(text: str) -> str | None:
    """A Date: header as git stores it; None where it is none."""
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return f"{int(when.timestamp())} {when:%z}" if when.tzinfo else f"{int(when.timestamp())} +0000"


def notes_of(below: str) -> str:
    """What somebody wrote below the cut, without the diffstat. Raises MessageRefused."""
    if signed := _SIGNED.search(below):
        raise MessageRefused(
            f"'{signed[0][:60]}' stands below the line '---', where git am cuts the message off",
            hint="put it above that line, or indent it",
        )
    lines = [line for line in below.split("\n") if not _STAT.fullmatch(line)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
