"""Which mails of an mbox are the series, which are not, and what of a mail is told."""

from __future__ import annotations

import pytest

from kpatch_rs.commands import mail_told
from kpatch_rs.commands.thread import Letter, Thread, sorted_out
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.mails import MailRead

DIFF = b"---\n\ndiff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n"


def mail(  # each is one thing that a mail may have otherwise
    title: str,
    *,
    subject: str = "",
    body: str = "Text.\n",
    date: str = "Tue, 14 Nov 2023 23:13:20 +0100",
    patch: bytes = DIFF,
    is_answer: bool = False,
    message_id: str = "",
    parts: tuple[str, ...] = ("text/plain",),
    twice: tuple[str, ...] = (),
    has_scissors: bool = False,
) -> MailRead:
    return MailRead(
        title=title,
        message_id=message_id,
        is_answer=is_answer,
        parts=parts,
        twice=twice,
        has_scissors=has_scissors,
        failure="",
        subject=subject or title.rpartition("] ")[2],
        body=body,
        author=b"A Person <a@example.org>",
        date=date,
        patch=patch,
    )


def thread(*mails: MailRead) -> Thread:
    return sorted_out([Letter(number, one) for number, one in enumerate(mails, 1)])


def taken(*mails: MailRead) -> tuple[list[int], dict[int, str]]:
    """The numbers of the mails that are the series, and why the others are not."""
    made = thread(*mails)
    return [one.number for one in made.taken], {one.number: why for one, why in made.left_out}


@pytest.mark.parametrize(
    "answer",
    [
        mail("Re: [PATCH] foo: One"),
        mail("AW: [PATCH] foo: One"),
        mail("RE[2]: [PATCH] foo: One"),
        mail("foo: One", is_answer=True),
        mail("Fwd: [PATCH] foo: One", patch=b"--- snip ---\nlog\n"),
    ],
)
def test_answer_is_left_out_whatever_diff_is_in_it(answer: MailRead) -> None:
    assert taken(mail("[PATCH] foo: One"), answer) == ([1], {2: "it is an answer, not a patch"})


def test_patch_that_answers_its_cover_letter_is_taken() -> None:
    cover = mail("[PATCH 0/2] foo", patch=b"---\n")
    one, two = (mail(f"[PATCH {n}/2] foo: {n}", is_answer=True) for n in (1, 2))
    assert taken(cover, one, two) == (
        [2, 3],
        {1: "it is the cover letter; cover.txt is yours to write"},
    )


def test_order_is_that_of_the_numbers_and_told() -> None:
    made = thread(*(mail(f"[PATCH {n}/3] foo: {n}") for n in (3, 1, 2)))
    assert [one.number for one in made.taken] == [2, 3, 1]
    assert made.told == "the mails were taken in the order of their numbers: 2, 3, 1"
    made = thread(*(mail(f"[PATCH {n}/3] foo: {n}") for n in (1, 2, 3)))
    assert not made.told


def test_series_in_a_row_and_patches_without_a_number() -> None:
    titles = ("[PATCH 1/2] a: 1", "[PATCH 2/2] a: 2", "[PATCH] b: 1", "[PATCH 1/1] c: 1")
    assert taken(*map(mail, titles)) == ([1, 2, 3, 4], {})


def test_version_of_a_kernel_is_none_of_the_series() -> None:
    """As people tag patches for several stable kernels."""
    titles = ("[PATCH v5.10 1/2] a: 1", "[PATCH v6.1 2/2] a: 2")
    assert taken(*map(mail, titles)) == ([1, 2], {})


def test_mail_that_came_twice() -> None:
    one, two = (mail(f"[PATCH {n}/2] foo: {n}", message_id=f"<{n}@x>") for n in (1, 2))
    assert taken(one, two, one) == ([1, 2], {3: "it is mail 1 again"})


def test_older_version_is_left_out() -> None:
    old = [mail(f"[PATCH {n}/2] foo: {n}") for n in (1, 2)]
    new = [mail(f"[PATCHv3 {n}/2] foo: {n}") for n in (1, 2)]
    why = "it is v1, and v3 is there"
    assert taken(*new, *old) == ([1, 2], {3: why, 4: why})


@pytest.mark.parametrize(
    ("titles", "message"),
    [
        (("[PATCH 1/3] a: 1", "[PATCH 3/3] a: 3"), "2/3 is missing"),
        (("[PATCH 1/2] a: 1", "[PATCH 2/2] a: 2", "[PATCH 2/2] b"), "mails 2 and 3 are both 2/2"),
        (("[PATCH 2/2] a: 2", "[PATCH 1/3] a: 1"), "some are of 2, some of 3"),
        (("[PATCH 2/2] a: 2", "[PATCH] b: 1", "[PATCH 1/2] a: 1"), "mail 2 (b: 1) has no number"),
        (("[PATCH] a: 1", "[PATCH v2] b: 1"), "no patch is in both"),
        (("[PATCH v2 1/2] a: 1", "[PATCH v3 2/2] a: 1"), "1/2 is missing"),
    ],
)
def test_what_is_no_whole_series(titles: tuple[str, ...], message: str) -> None:
    with pytest.raises(KpatchError) as refused:
        thread(*map(mail, titles))
    assert message in refused.value.message
    assert refused.value.hint


def test_mail_without_a_diff() -> None:
    words = mail("hello", patch=b"")
    assert taken(mail("[PATCH] foo: One"), words) == ([1], {2: "there is no diff in it"})
    # A number says that there should be one: reading its diff refuses it.
    assert taken(mail("[PATCH 1/1] foo: One", patch=b"")) == ([1], {})


@pytest.mark.parametrize(
    ("one", "lost"),
    [
        (mail("[PATCH v2 net 1/2] foo: x"), []),
        (mail("[PATCH] [media] foo: x"), ["'[media]' at the start of the subject, which git am"]),
        (mail("[PATCH] foo: x", date="yesterday"), ["its date, 'yesterday', which is none"]),
        (mail("[PATCH] foo: x", date=""), []),
    ],
)
def test_what_of_a_mail_is_left_out(one: MailRead, lost: list[str]) -> None:
    found = list(mail_told.left_out(one))
    assert len(found) == len(lost)
    assert all(text.startswith(start) for text, start in zip(found, lost, strict=True))


@pytest.mark.parametrize(
    ("one", "start"),
    [
        (mail("[PATCH] foo: x", parts=("text/plain", "image/png")), "its parts (text/plain, image"),
        (mail("[PATCH] foo: x", parts=("text/html",)), "its text is text/html"),
        (mail("[PATCH] foo: x", subject="bar: y"), "its text has a subject of its own, taken in"),
        (mail("[PATCH] foo: x", body="So.\n>From here on.\n"), "'>From here on.' keeps its '>'"),
        (mail("[PATCH] foo: x", has_scissors=True), "what stands above its scissors line is taken"),
    ],
)
def test_what_git_reads_in_its_own_way_is_told(one: MailRead, start: str) -> None:
    (text,) = mail_told.told(one)
    assert text.startswith(start)


@pytest.mark.parametrize(
    "one",
    [
        mail("[PATCH] foo: x"),
        mail("[PATCH] foo:  a \t long one", subject="foo: a long one"),
        mail("[PATCH] foo: x", body="a >8 b\nFrom here\n"),
    ],
)
def test_nothing_to_tell(one: MailRead) -> None:
    assert list(mail_told.told(one)) == []


def test_header_that_says_two_things() -> None:
    with pytest.raises(KpatchError, match="more than one Subject: line"):
        mail_told.refuse_twice(mail("[PATCH] foo: x", twice=("Subject",)))
