"""What an existing patch says about itself, as the keys of a recipe.

A commit, a mail and a file of a quilt series each keep subject, text, author and date in their own
way. Guarantees: no line of a message is lost or moved into another paragraph; what a recipe cannot
hold is refused, never put otherwise without a word.
"""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from email.utils import parseaddr, parsedate_to_datetime

from kpatch_rs.loader.message import MessageRefused, checked_trailer, person
from kpatch_rs.model.series import Person

_TAGS = re.compile(r"(?i)(?:\s|\[[^\]]*\]|re:)+")
"""What `git am` takes off the start of a subject (cleanup_subject() in git's mailinfo.c)."""
_FIELD = re.compile(r"(?:From [0-9a-f]{40} .*\n)?[A-Z][A-Za-z-]*: ")
_CUT = re.compile(r"(?m)^---[ \t]*$")
_STAT = re.compile(r"(?m)^ \S.*[ \t]+\|[ \t]+(?:\d+|Bin)\b|^ \d+ files? changed")
_KNOWN = ("subject", "description", "from", "author", "date", "mime-version", "content-type")
_TRANSFER = "content-transfer-encoding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A patch in words."""

    subject: str
    body: str = ""
    trailers: tuple[str, ...] = ()
    author: Person | None = None
    date: str | None = None
    notes: str = ""


def of_commit(message: str, author: bytes, date: str) -> Said:
    """A commit's message; its first paragraph is the subject. Raises MessageRefused."""
    subject, _, rest = message.strip("\n").partition("\n\n")
    body, trailers = _parted(rest)
    return Said(
        subject=" ".join(subject.split("\n")),
        body=body,
        trailers=trailers,
        author=person(author.decode()),
        date=date,
    )


def of_mail(subject: str, body: str, author: bytes, date: str, below: str) -> Said:
    """A mail; `below` is what stands between its `---` and the diff. Raises MessageRefused."""
    text, trailers = _parted(body)
    return Said(
        subject=subject,
        body=text,
        trailers=trailers,
        author=person(author.decode()),
        date=_date(date),
        notes=_notes(below),
    )


def of_patch_file(name: str, head: bytes) -> Said:
    """The text above the diff of a patch file, with fields as a mail has them or without.

    A field that is none of a recipe's (Origin, Forwarded, Bug-…) is kept in the notes. A file
    without a word is called by its name.
    """
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    above, below = (*_CUT.split(text, maxsplit=1), "")[:2]
    above = _without_index(above)
    if not _FIELD.match(above.lstrip("\n")):
        subject, _, rest = above.strip("\n").partition("\n")
        body, trailers = _parted(rest.strip("\n"))
        cleaned = _cleaned(subject) or _cleaned(name.rpartition("/")[2].rpartition(".")[0] or name)
        return Said(subject=cleaned, body=body, trailers=trailers, notes=_notes(below))
    return _of_fields(name, above.lstrip("\n"), below)


def _of_fields(name: str, above: str, below: str) -> Said:
    # The default policy would refuse addresses that nobody but a person can read.
    mail = email.message_from_string(above, policy=email.policy.compat32)
    fields = {key.lower(): _decoded(value) for key, value in reversed(mail.items())}
    description, _, more = fields.get("description", "").partition("\n")
    subject = fields.get("subject") or description or name
    body, trailers = _parted(f"{_unfolded(more)}\n\n{mail.get_payload()}".strip("\n"))
    author = parseaddr(fields.get("from") or fields.get("author", ""))
    kept = [f"{k}: {v}" for k, v in mail.items() if k.lower() not in (*_KNOWN, _TRANSFER)]
    return Said(
        subject=_cleaned(" ".join(subject.split())),
        body=body,
        trailers=trailers,
        author=person(f"{author[0]} <{author[1]}>") if author[1] else None,
        date=_date(fields.get("date", "")),
        notes="\n\n".join(part for part in ("\n".join(kept), _notes(below)) if part),
    )


def _decoded(value: str) -> str:
    """A field's text without RFC 2047's encoding."""
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):  # an unknown charset, or bytes that are not in it
        return value


def _unfolded(text: str) -> str:
    """The lines behind a field's first: one blank in front goes, a lone dot is a blank line."""
    lines = (line.removeprefix(" ") for line in text.split("\n"))
    return "\n".join("" if line == "." else line for line in lines)


def _without_index(text: str) -> str:
    """`text` without the lines that svn and quilt put right above a diff."""
    return re.sub(r"(?:\n|\A)Index: .*\n=+\n?\Z", "\n", text)


def _cleaned(subject: str) -> str:
    return subject[found.end() :] if (found := _TAGS.match(subject)) else subject


def _parted(text: str) -> tuple[str, tuple[str, ...]]:
    """The body and the trailers: the last paragraph, where every line of it is one."""
    text = text.strip("\n")
    body, _, last = text.rpartition("\n\n")
    lines = last.split("\n")
    try:
        return body.rstrip("\n"), tuple(checked_trailer(line) for line in lines)
    except MessageRefused:
        return text, ()


def _date(text: str) -> str | None:
    """A Date: header as git stores it; None where it is none."""
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return f"{int(when.timestamp())} {when:%z}" if when.tzinfo else f"{int(when.timestamp())} +0000"


def _notes(below: str) -> str:
    """What somebody wrote below the cut, without the diffstat."""
    stat = _STAT.search(below)
    return _without_index(below[: stat.start()] if stat else below).strip("\n")
