"""What a recipe may say in its commit message: what survives the way through mail and `git am`.

Each rule refuses what git would silently change, cut off or take for something else (measured on
git 2.39.5 with format-patch and am; the rules are those of git's mailinfo.c and mailsplit.c).
Refused here, before anything is built, instead of found in someone else's tree.
"""

from __future__ import annotations

import re

from kpatch_rs.errors import KpatchError
from kpatch_rs.model.series import Person

_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.|lock$|$))*", re.ASCII)
ID_LIMIT = 100
_PERSON = re.compile(r"(?P<name>[^<>\s](?:[^<>\n]*[^<>\s])?) <(?P<email>[^<>\s@]+@[^<>\s@]+)>")
_ADDRESSED = re.compile(r"[^<>]*<[^<>\s@]+@[^<>\s@]+>[^<>]*")
_DATE = re.compile(r"\d{1,12} [+-](?:0\d|1[0-4])[0-5]\d", re.ASCII)
_TRAILER = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9-]*): (?P<value>\S[^\n]*)")
_STRIPPED = re.compile(r"(?i)\s|\[|:|re:")
_IN_BODY_HEADER = re.compile(
    r"(?i)(?:from|subject|date):\s|\[PATCH\]\s|>From [0-9a-f]{40} Mon Sep 17 00:00:00 2001$"
)
_BREAKS = re.compile(
    r"(?m)^(?:(?P<patch>diff -.*|Index: .*|--- \S.*)|(?P<cut>---\s*)|(?P<mail>From .*))$"
)
_YEAR = re.compile(rb"\s*\+?(\d{1,9})")
_WHY = {
    "patch": "git am takes it for the beginning of the patch",
    "cut": "git am cuts the message off there",
    "mail": "git am takes it for the beginning of the next mail",
}


class MessageRefused(KpatchError):
    """A part of a message that would not arrive as it is written."""


def checked_id(text: str) -> str:
    """Return `text`, which names a recipe or a series in file names and refs."""
    if len(text) > ID_LIMIT:
        raise MessageRefused(
            f"it is {len(text)} characters long", hint=f"at most {ID_LIMIT} characters"
        )
    if not _ID.fullmatch(text):
        raise MessageRefused(
            f"'{text}' cannot be a file name and a part of a ref",
            hint="letters, digits, '-', '_' and single dots, a letter or digit first: kvm-rust",
        )
    return text


def checked_subject(text: str) -> str:
    """Return `text`, a commit's subject line."""
    if not text.strip():
        raise MessageRefused("it is empty", hint='say what the patch does: "KVM: x86: Add …"')
    if "\n" in text:
        raise MessageRefused("it has more than one line", hint="put the rest into 'body'")
    if re.search(r"\t| {2}", text):
        raise MessageRefused(
            "it has a tab or several blanks, which git am makes one", hint="write one blank"
        )
    stripped = _STRIPPED.match(text)
    if stripped or text != text.rstrip():
        lost = f"'{stripped[0]}' at the start" if stripped else "a blank at the end"
        raise MessageRefused(
            f"it has {lost}, which git am strips",
            hint="leave it out; [mail] prefix in series.toml adds [RFC] and the like",
        )
    return text


def checked_body(text: str) -> str:
    """Return `text`, the part of a message between subject and trailers."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    if _IN_BODY_HEADER.match(first):
        raise MessageRefused(
            f"it begins with '{first}', which git am takes for a header",
            hint="begin with another line, or indent it by a blank",
        )
    return checked_notes(text, cut_too=True)


def checked_notes(text: str, *, cut_too: bool = False) -> str:
    """Return `text`, which goes below the cut of a mail; `cut_too`: it stands above it."""
    for found in _BREAKS.finditer(text):
        why = found.lastgroup or ""
        if is_from_line(found[0]) if why == "mail" else (cut_too or why != "cut"):
            line = text.count("\n", 0, found.start()) + (not text.startswith("\n"))
            raise MessageRefused(
                f"it has the line '{found[0]}' (line {line}): {_WHY[why]}",
                hint="indent the line by a blank, or say it differently",
            )
    return text


def is_from_line(line: str) -> bool:
    """Whether git takes `line` for the beginning of a mail: is_from_line() in git's mailsplit.c.

    It wants 20 bytes with the line's end, H:MM:SS or the like around the last colon, and a year
    above 90 behind it.
    """
    data = line.encode(errors="surrogateescape")
    colon = data.rfind(b":", 5, len(data) - 1)
    if len(data) < 19 or not data.startswith(b"From ") or colon < 0:
        return False
    digits = [data[colon + n : colon + n + 1] for n in (-4, -2, -1, 1, 2)]
    year = _YEAR.match(data, colon + 3)
    return all(map(bytes.isdigit, digits)) and year is not None and int(year[1]) > 90


def checked_trailer(text: str) -> str:
    """Return `text`, one `Key: value` line."""
    found = _TRAILER.fullmatch(text)
    if not found:
        raise MessageRefused(
            f"'{text}' is no trailer", hint="one line: Signed-off-by: A Name <name@example.org>"
        )
    of_person = found["key"].lower().endswith("-by") and ("<" in text or ">" in text)
    if of_person and not _ADDRESSED.fullmatch(found["value"]):
        raise MessageRefused(
            f"'{text}' has no address that can be told from the name",
            hint=f"write: {found['key']}: A Name <name@example.org>",
        )
    return text


def person(text: str) -> Person:
    """Return "A Name <name@example.org>" as a person."""
    found = _PERSON.fullmatch(text)
    if not found:
        raise MessageRefused(
            f"'{text}' is no name and address", hint="write: A Name <name@example.org>"
        )
    return Person(found["name"], found["email"])


def checked_date(text: str) -> str:
    """Return `text`, seconds since 1970 and a time zone, as git stores a date."""
    if not _DATE.fullmatch(text):
        raise MessageRefused(
            f"'{text}' is no date as git stores it",
            hint='seconds since 1970 and the zone, as git log --date=raw shows: "1700000000 +0100"',
        )
    return text
