"""Which mails of an mbox are the series, and in which order.

An mbox saved from a list holds answers, cover letters, older versions and the same mail twice, in
the order in which they came. Guarantees: every mail is taken or named as left out; patches that are
numbered are taken in the order of their numbers, none twice and none missing, or refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.mails import MailRead

_ANSWER = re.compile(
    r"(?i)\s*(?:re|aw|sv|vs|antw|odp|res|ynt|fwd?|wg|tr|rv)(?:\[\d+\]|\(\d+\)|\^\d+)?\s*:"
)
"""Answers and forwarded mails, in the languages of mail programs."""
_TAGS = re.compile(r"(?:\s*\[[^\]]*\])+")
_COUNT = re.compile(r"(?<![\w./-])(\d{1,4})/(\d{1,4})(?![\w./-])")
_VERSION = re.compile(r"(?i)(?:(?<![a-z0-9.-])|patch)v(\d{1,3})(?![\w.])")
_PATCH = re.compile(r"(?i)patch|rfc")


@dataclass(frozen=True)
class Letter:
    """A mail, and what the tags in front of its subject say."""

    number: int
    """Its place in the mbox, from 1."""
    mail: MailRead

    @property
    def name(self) -> str:
        """What to call it."""
        subject = self.mail.subject.encode(errors="replace").decode()
        return f"mail {self.number} ({subject[:60]})"

    @cached_property
    def tags(self) -> str:
        """[PATCH v2 1/3]; empty where there are none."""
        found = _TAGS.match(self.mail.title)
        return found[0] if found else ""

    @cached_property
    def count(self) -> tuple[int, int] | None:
        """1/3; None: not numbered."""
        found = _COUNT.search(self.tags)
        return (int(found[1]), int(found[2])) if found else None

    @cached_property
    def version(self) -> int:
        """Of the series; 1 where it says none."""
        found = _VERSION.search(self.tags)
        return int(found[1]) if found else 1

    @property
    def is_cover(self) -> bool:
        """Whether it is 0/3."""
        return self.count is not None and self.count[0] == 0

    @property
    def is_answer(self) -> bool:
        """Whether it talks about a patch, whatever diff is in it."""
        is_patch = self.count or _PATCH.search(self.tags) or _VERSION.search(self.tags)
        return bool(_ANSWER.match(self.mail.title)) or (self.mail.is_answer and not is_patch)


@dataclass(frozen=True, slots=True)
class Thread:
    """The mails of an mbox, sorted out."""

    taken: tuple[Letter, ...]
    covers: tuple[Letter, ...]
    """Their cover letters."""
    left_out: tuple[tuple[Letter, str], ...]
    """The others, cover letters too, each with the reason."""
    told: str = ""
    """In which order they were taken, where that is not the mbox's."""


def sorted_out(letters: Sequence[Letter]) -> Thread:
    """The patches of `letters`. Raises KpatchError where which, or which order, is not sure."""
    left = list[tuple[Letter, str]]()
    rest = list[Letter]()
    first = dict[tuple[str, bytes], Letter]()
    for letter in letters:
        same = first.setdefault((letter.mail.message_id, letter.mail.patch), letter)
        if letter.is_answer:
            left.append((letter, "it is an answer, not a patch"))
        elif same is not letter and letter.mail.message_id:
            left.append((letter, f"it is mail {same.number} again"))
        else:
            rest.append(letter)
    newest = _newest([letter for letter in rest if not letter.is_cover])
    old = [letter for letter in rest if newest is not None and letter.version != newest]
    left += [(letter, f"it is v{letter.version}, and v{newest} is there") for letter in old]
    covers = tuple(letter for letter in rest if letter.is_cover and letter not in old)
    left += [(letter, "it is the cover letter; cover.txt is yours to write") for letter in covers]
    patches = [letter for letter in rest if not letter.is_cover and letter not in old]
    bare = [letter for letter in patches if not has_diff(letter) and letter.count is None]
    left += [(letter, "there is no diff in it") for letter in bare]
    taken, told = _in_order([letter for letter in patches if letter not in bare])
    left.sort(key=lambda one: one[0].number)
    return Thread(tuple(taken), covers, tuple(left), told)


def has_diff(letter: Letter) -> bool:
    """Whether something in it looks like a diff, whole or not."""
    if letter.mail.failure:
        return True  # who knows
    return bool(re.search(rb"(?m)^(?:diff -|Index: |--- \S|\+\+\+ \S|@@ )", letter.mail.patch))


def _newest(patches: Sequence[Letter]) -> int | None:
    """The newest version; None where all are of one. Raises KpatchError: two different series."""
    versions = {letter.version for letter in patches}
    if len(versions) < 2:
        return None
    newest = max(versions)
    subjects = {letter.mail.subject for letter in patches if letter.version == newest}
    for version in versions - {newest}:
        if not any(p.version == version and p.mail.subject in subjects for p in patches):
            raise KpatchError(
                f"mails of v{version} and of v{newest}, and no patch is in both",
                hint="put each series into an mbox of its own",
            )
    return newest


def _in_order(patches: list[Letter]) -> tuple[list[Letter], str]:
    """`patches` as they are numbered, and what is to be told. Raises KpatchError."""
    if _are_whole(patches):
        return patches, ""
    wrong = list(_wrong(patches))
    if wrong:
        raise KpatchError(
            f"the mails are no whole series: {'; '.join(wrong)}",
            hint="put all mails of one series into the mbox, each once; where they are meant as"
            " they are, take the numbers out of their subjects: [PATCH]",
        )
    ordered = sorted(patches, key=lambda letter: letter.count or (0, 0))
    numbers = ", ".join(str(letter.number) for letter in ordered)
    return ordered, f"the mails were taken in the order of their numbers: {numbers}"


def _are_whole(patches: Sequence[Letter]) -> bool:
    """Whether they are whole series as they stand, one behind the other, or not numbered."""
    due: tuple[int, int] | None = None
    for letter in patches:
        if letter.count != (due or (letter.count and (1, letter.count[1]))):
            return False
        last = letter.count is None or letter.count[0] == letter.count[1]
        due = None if last or letter.count is None else (letter.count[0] + 1, letter.count[1])
    return due is None


def _wrong(patches: Sequence[Letter]) -> list[str]:
    """What keeps the patches from being one series, in words."""
    bare = [letter for letter in patches if letter.count is None]
    if bare:
        return [f"{letter.name} has no number, and others have one" for letter in bare]
    counts = Counter(letter.count for letter in patches)
    total = max(letter.count[1] for letter in patches if letter.count)
    others = sorted({letter.count[1] for letter in patches if letter.count} - {total})
    wrong = [f"some are of {other}, some of {total}" for other in others]
    for n in range(1, total + 1) if not others else ():
        if not counts[n, total]:
            wrong.append(f"{n}/{total} is missing")
    for count, times in counts.items():
        if times > 1 and count:
            which = [str(letter.number) for letter in patches if letter.count == count]
            wrong.append(f"mails {' and '.join(which)} are both {count[0]}/{count[1]}")
    return wrong
