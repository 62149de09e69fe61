"""Header lines of a mail: encoded (RFC 2047), folded (RFC 5322) and never two for one.

`git am` joins folded lines with one space and decodes both encodings of RFC 2047, so what goes in
here comes out there (measured on git 2.39.5 and 2.47.3). The stdlib encodes words; it does not
fold plain text the way git joins it, so that is done here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.header import Header
from email.utils import formataddr, getaddresses

from kpatch_rs.errors import KpatchError
from kpatch_rs.model.series import Person

LINE = 78
"""Characters a header line should not exceed (RFC 5322, 2.1.1)."""

LINE_MAX = 998
"""Bytes no header line may exceed (the same)."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


class HeaderRefused(KpatchError):
    """A value that cannot stand in a mail header."""


def text_header(name: str, plain: str, text: str) -> bytes:
    """The lines of header `name`: `plain`, which is ASCII, then `text`, which may be anything.

    Raises HeaderRefused for control characters and for a line that cannot be folded short enough.
    """
    _refuse_controls(name, plain + text)
    if text.isascii() and "=?" not in text:
        return _folded(name, f"{plain} {text}".split())
    header = Header(header_name=name, maxlinelen=LINE)
    if plain:
        header.append(plain, "us-ascii")
    header.append(text, "utf-8")
    return _checked(name, f"{name}: {header.encode()}\n")


def address_header(name: str, people: Sequence[Person]) -> bytes:
    """The lines of header `name`, which lists `people`. Raises HeaderRefused."""
    shown = [_shown(name, person) for person in people]
    return _folded(name, [word for one in ", ".join(shown).split("\n") for word in one.split()])


def address(text: str) -> Person:
    """`Name <user@host>` or `user@host` as a person. Raises HeaderRefused."""
    _refuse_controls("address", text)
    found = getaddresses([text])
    if len(found) != 1 or not _ADDRESS.fullmatch(found[0][1]):
        raise HeaderRefused(
            f"'{text}' is not one mail address", hint='write it as "Name <user@host>"'
        )
    return Person(*found[0])


def _shown(name: str, person: Person) -> str:
    _refuse_controls(name, str(person))
    if not _ADDRESS.fullmatch(person.email):
        raise HeaderRefused(
            f"{name}: '{person.email}' is no mail address", hint="write it as user@host, in ASCII"
        )
    if person.name.isascii() and "=?" not in person.name:
        return formataddr((person.name, person.email))
    return f"{Header(person.name, 'utf-8', maxlinelen=LINE - 4).encode()} <{person.email}>"


def _refuse_controls(name: str, value: str) -> None:
    if found := re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029]", value):
        raise HeaderRefused(
            f"{name}: {found[0]!r} in a mail header: {value[:80]!r}",
            hint="keep it on one line, without control characters",
        )


def _folded(name: str, words: Sequence[str]) -> bytes:
    """`words` with one space between them, or a line end and a space where the line is full."""
    text = line = f"{name}:"
    for word in words:
        fits = len(line) + 1 + len(word) <= LINE or line == f"{name}:"
        text += f" {word}" if fits else f"\n {word}"
        line = f"{line} {word}" if fits else f" {word}"
    return _checked(name, text + "\n")


def _checked(name: str, text: str) -> bytes:
    data = text.encode("ascii")
    if longest := max(data.split(b"\n"), key=len)[LINE_MAX:]:
        raise HeaderRefused(
            f"{name}: a word of more than {LINE_MAX - len(name)} bytes ({len(longest)} too long)",
            hint="a mail header line holds 998 bytes, and folds at spaces only",
        )
    return data
