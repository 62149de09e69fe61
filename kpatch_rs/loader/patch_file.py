"""What a patch file says above its diff, as the keys of a recipe.

A file of a quilt series begins as a mail does, with the fields of DEP-3 (Debian's patch tagging
guidelines) or SUSE's, or with plain text, whose first line is the subject. A subject of the kernel
("KVM: x86: Fix …") looks like a field and is none: only names that these really use begin a block
of fields.
"""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.utils import getaddresses

from kpatch_rs.loader.existing import Said, date_of, notes_of, parted
from kpatch_rs.loader.message import MessageRefused, checked_trailer, is_from_line, person
from kpatch_rs.model.series import Person

_MAIL = (
    *("from", "subject", "date", "to", "cc", "bcc", "sender", "reply-to", "message-id"),
    *("in-reply-to", "references", "received", "return-path", "delivered-to", "mime-version"),
    *("content-type", "content-transfer-encoding", "content-disposition", "content-language"),
    *("organization", "user-agent", "lines", "status"),
)
"""RFC 5322's, and what else is seen above patches."""
_DEP3 = (
    *("description", "origin", "bug", "forwarded", "author", "last-update", "applied-upstream"),
)
"""https://dep-team.pages.debian.net/deps/dep3/"""
_OTHERS = ("patch-mainline", "git-commit", "git-repo", "upstream-status", "upstream", "cve")
"""SUSE's kernel-source and OpenEmbedded's."""
_NAMES = frozenset((*_MAIL, *_DEP3, *_OTHERS))
_FAMILIES = ("X-", "Bug-", "List-", "DKIM-", "ARC-", "Patch-", "Git-")
_FIELD = re.compile(r"([A-Z][A-Za-z0-9-]*):(?:[ \t].*)?")
_POSTMARK = re.compile(r"From [0-9a-f]{40} .*")
_CUT = re.compile(r"(?m)^---[ \t]*$")
_TAGS = re.compile(r"(?i)(?:\s|\[[^\]]*\]|re:)+")
"""What `git am` takes off the start of a subject (cleanup_subject() in git's mailinfo.c)."""
_MEANT = re.compile(r"(?i)\[[^\]]*(?:patch|rfc)[^\]]*\]|re:|\s")
_TRAILERS = ("fixes", "link", "closes")
_SAID = ("subject", "description", "from", "author", "date")
"""What a recipe has a key for, if it can be read."""
_FORMAL = ("mime-version", "content-type", "content-transfer-encoding")
_ENCODED = re.compile(
    rb"(?im)^content-(?:transfer-encoding:\s*(quoted-printable|base64)|type:\s*(multipart)/)"
)


def refuse_encoded(data: bytes) -> None:
    """Raises MessageRefused where a patch file is a mail that has to be decoded first."""
    if found := _ENCODED.search(data.replace(b"\r\n", b"\n").partition(b"\n\n")[0]):
        how = (found[1] or found[2]).decode().lower()
        raise MessageRefused(
            f"it is a mail, and its text is {how}",
            hint="import it with --mbox, which decodes it",
        )


def of_patch_file(name: str, head: bytes) -> Said:
    """The text above the diff of the patch file `name`. Raises MessageRefused.

    A field that is none of a recipe's (Origin, Forwarded, Bug-…) is kept in the notes. A file
    without a word is called by its name.
    """
    told, left = list[str](), list[str]()
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = head.decode("latin-1")
        told.append("its text is no UTF-8 and was read as Latin-1")
    above, below = (*_CUT.split(text, maxsplit=1), "")[:2]
    block, rest = _block(above.lstrip("\n"))
    fields = _Fields.read(block)
    if kept := fields.unsaid:
        told.append(f"what its header says as {', '.join(kept)} is in the notes, not in the commit")
    title = fields.subject
    if title is None and rest.strip() and not _is_signature(rest.strip("\n")):
        title, rest = _first_line(rest, told)
    body, trailers = parted("\n\n".join(part for part in (fields.text, rest.strip("\n")) if part))
    return Said(
        subject=_cleaned(title or "", left) or _stem(name),
        body="\n\n".join(part for part in (body, fields.signed) if part),
        trailers=fields.trailers + trailers,
        author=fields.author,
        date=fields.date,
        notes="\n\n".join(part for part in (fields.notes, notes_of(below)) if part),
        left_out=tuple(left),
        told=tuple(told),
    )


def _block(text: str) -> tuple[str, str]:
    """The fields that `text` begins with, and the rest."""
    lines = text.split("\n")
    first = 1 if _POSTMARK.fullmatch(lines[0]) or is_from_line(lines[0]) else 0
    end = first
    while end < len(lines) and _is_field(lines[end], is_first=end == first):
        end += 1
    if end == first:
        return "", text
    return "\n".join(lines[first:end]), "\n".join(lines[end:])


def _is_field(line: str, *, is_first: bool) -> bool:
    if line.startswith((" ", "\t")):
        return not is_first
    found = _FIELD.fullmatch(line)
    if not found:
        return False
    known = found[1].lower() in _NAMES or found[1].startswith(_FAMILIES)
    # Below a field, a name with a hyphen is hardly a subsystem's.
    return known or (not is_first and ("-" in found[1] or found[1].lower() in _TRAILERS))


def _is_signature(text: str) -> bool:
    """Whether text begins with who signed it: then it has no subject."""
    return re.match(r"[A-Z][A-Za-z-]*-by: ", text) is not None


def _first_line(text: str, told: list[str]) -> tuple[str, str]:
    """The subject of plain text, and the rest of it."""
    paragraph = text.strip("\n").partition("\n\n")[0]
    if more := paragraph.count("\n"):
        told.append(
            f"its first paragraph has {more + 1} lines: the first is the subject, the text begins"
            " with the second"
        )
    subject, _, rest = text.strip("\n").partition("\n")
    return subject, rest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fields:
    """What the fields say."""

    subject: str | None = None
    text: str = ""
    """The rest of a Description."""
    author: Person | None = None
    date: str | None = None
    trailers: tuple[str, ...] = ()
    signed: str = ""
    """Lines that look like trailers, and cannot be."""
    notes: str = ""
    unsaid: tuple[str, ...] = ()
    """Fields in the notes that may have been meant for the commit."""

    @classmethod
    def read(cls, block: str) -> _Fields:
        """Each field once: what is no key of a recipe, or the second of its name, is a note."""
        # The default policy would refuse addresses that nobody but a person can read.
        mail = email.message_from_string(f"{block}\n\n", policy=email.policy.compat32)
        found: dict[str, str] = {}
        trailers, signed, notes = list[str](), list[str](), list[str]()
        for key, value in mail.items():
            one, text = key.lower(), _decoded(value)
            if one.endswith("-by") or one in _TRAILERS:
                line = f"{key}: {' '.join(text.split())}"
                (trailers if _is_trailer(line) else signed).append(line)
            elif one in ("subject", "description") and one not in found:
                found[one] = text
            elif one in ("from", "author") and "author" not in found and _person(text):
                found["author"] = text
            elif one == "date" and one not in found and date_of(text):
                found[one] = text
            elif one not in _FORMAL:
                notes.append(f"{key}: {value}")
        titled = "subject" in found or "description" in found
        names = [note.partition(":")[0] for note in notes]
        unsaid = [name for name in names if not titled or name.lower() in _SAID]
        described, _, more = found.get("description", "").partition("\n")
        subject = found.get("subject")
        if subject is not None and described:
            more, described = f" {described}\n{more}", ""
        return cls(
            subject=" ".join((subject or described).split()) or None,
            text=_unfolded(more).strip("\n"),
            author=_person(found.get("author", "")),
            date=date_of(found.get("date", "")),
            trailers=tuple(trailers),
            signed="\n".join(signed),
            notes="\n".join(notes),
            unsaid=tuple(dict.fromkeys(unsaid)),
        )


def _person(text: str) -> Person | None:
    """The one person in a From or Author field; None where there is none, or more."""
    found = getaddresses([text])
    if len(found) != 1 or not found[0][1]:
        return None
    try:
        return person(f"{found[0][0]} <{found[0][1]}>")
    except MessageRefused:
        return None


def _is_trailer(line: str) -> bool:
    try:
        return checked_trailer(line) == line
    except MessageRefused:
        return False


def _decoded(value: str) -> str:
    """A field's text without RFC 2047's encoding."""
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):  # an unknown charset, or bytes that are not in it
        return value


def _unfolded(text: str) -> str:
    """The lines behind a field's first: one blank in front goes, a lone dot is a blank line."""
    lines = (line.removeprefix(" ") for line in text.split("\n"))
    return "\n".join("" if line == "." else line for line in lines)


def _cleaned(subject: str, left: list[str]) -> str:
    """`subject` without what git am would take off its start; what is no [PATCH] is named."""
    if lost := lost_tags(subject):
        left.append(f"'{lost}' at the start of the subject, which git am strips")
    found = _TAGS.match(subject)
    return subject[found.end() :] if found else subject


def lost_tags(subject: str) -> str:
    """What git am takes off the start of `subject` that is no [PATCH]."""
    found = _TAGS.match(subject)
    return _MEANT.sub("", found[0]) if found else ""


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0] or name
