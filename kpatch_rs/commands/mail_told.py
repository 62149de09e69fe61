"""What of a mail is not taken, or otherwise than its sender may have meant it.

`git am` decides what a mail says, and it says nothing of what it drops. Guarantees: text of a
subject or a date that is in no recipe is named as left out; where git has a reading of its own
(parts, quoted `From` lines, a second subject), that is told. The other fields of a mail's header
are the way it came, and nobody's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.mails import MailRead
from kpatch_rs.loader.existing import date_of
from kpatch_rs.loader.patch_file import lost_tags

_QUOTED_FROM = re.compile(r"(?m)^>+From ")


def refuse_twice(mail: MailRead) -> None:
    """Raises KpatchError where a header says one thing twice: git takes the last without a word."""
    for name in mail.twice:
        raise KpatchError(f"it has more than one {name}: line", hint="leave the right one only")


def left_out(mail: MailRead) -> Iterator[str]:
    """What is in no recipe."""
    if lost := lost_tags(mail.title):
        yield f"'{lost}' at the start of the subject, which git am strips"
    if mail.date and date_of(mail.date) is None:
        yield f"its date, '{mail.date}', which is none"


def told(mail: MailRead) -> Iterator[str]:
    """What git read in its own way."""
    if len(mail.parts) > 1:
        yield f"its parts ({', '.join(mail.parts)}) are read as one text, as by git am"
    elif mail.parts != ("text/plain",):
        yield f"its text is {mail.parts[0]}, and kept as it is, as by git am"
    if not _squeezed(mail.title).endswith(_squeezed(mail.subject)):
        yield f"its text has a subject of its own, taken in place of '{mail.title}'"
    if found := _QUOTED_FROM.search(mail.body):
        line = mail.body[found.start() :].partition("\n")[0]
        yield f"'{line[:60]}' keeps its '>', as with git am; in an mboxrd it is one too many"
    if mail.has_scissors:
        yield "what stands above its scissors line is taken, too, as by git am without --scissors"


def _squeezed(text: str) -> str:
    """For comparing: folding and encoding a header moves its blanks."""
    return "".join(text.split())
