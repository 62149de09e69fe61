"""Mails as git takes them apart, and what of their header git does not say."""

from __future__ import annotations

import pytest

from kpatch_rs.gitio.mails import MailRead
from kpatch_rs.gitio.repository import Repository

HEADER = (
    b"From: A Person <a@example.org>\n"
    b"Date: Tue, 14 Nov 2023 23:13:20 +0100\n"
    b"Subject: [PATCH] foo: Change it\n"
)
DIFF = b"---\n\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n"
TEXT = b"Content-Type: text/plain; charset=UTF-8\n\n"


def read(repository: Repository, mail: bytes) -> MailRead:
    (one,) = repository.read_mails(b"From x@y Mon Sep 17 00:00:00 2001\n" + mail)
    return one


def mixed(*parts: bytes) -> bytes:
    head = HEADER + b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="xx"\n\n'
    return head + b"".join(b"--xx\n" + part + b"\n" for part in parts) + b"--xx--\n"


def test_plain_mail(repository: Repository) -> None:
    one = read(repository, HEADER + b"\nText.\n\n" + DIFF)
    assert (one.title, one.subject, one.body) == (
        "[PATCH] foo: Change it",
        "foo: Change it",
        "Text.\n\n",
    )
    assert (one.parts, one.twice, one.has_scissors) == (("text/plain",), (), False)
    assert one.patch == DIFF


def test_lf_between_mails_and_cr_lf_in_them(repository: Repository) -> None:
    """As mail programs export folders; the CR of a file in an LF mail is the file's."""
    text = HEADER + b"\nText.\n\n" + DIFF
    assert read(repository, text.replace(b"\n", b"\r\n")).patch == DIFF
    with_cr = DIFF.replace(b"-a\n+b\n", b"-a\r\n+b\r\n")
    assert read(repository, HEADER + b"\nText.\n\n" + with_cr).patch == with_cr


def test_parts_are_named(repository: Repository) -> None:
    config = b'Content-Type: application/gzip; name="config.gz"\n'
    config += b"Content-Transfer-Encoding: base64\n\nSGVsbG8=\n"
    one = read(repository, mixed(TEXT + b"Text.\n\n" + DIFF, config))
    assert one.parts == ("text/plain", "application/gzip")
    assert one.patch.startswith(DIFF)
    forwarded = b"Content-Type: message/rfc822\n\n" + HEADER + b"\nText.\n"
    assert read(repository, mixed(TEXT + b"Hi.\n", forwarded)).parts == ("text/plain",) * 2


def test_field_that_is_there_twice(repository: Repository) -> None:
    one = read(repository, HEADER + b"Subject: bar: Other\nFrom: B <b@c.d>\n\nText.\n" + DIFF)
    assert one.twice == ("From", "Subject")


@pytest.mark.parametrize(
    ("line", "cuts"),
    [
        (b"-- >8 --", True),
        (b"-- 8< -- cut here -- 8< --", True),
        (b"- - - %< - - -", True),
        (b"a word, >8 of them", False),
    ],
)
def test_scissors(repository: Repository, line: bytes, cuts: bool) -> None:
    one = read(repository, HEADER + b"\nHello,\n\n" + line + b"\nText.\n\n" + DIFF)
    assert one.has_scissors is cuts
    assert one.body == f"Hello,\n\n{line.decode()}\nText.\n\n"


def test_mail_that_git_cannot_read(repository: Repository) -> None:
    odd = TEXT.replace(b"UTF-8", b"X-NONE")
    one = read(repository, HEADER + odd + b"caf\xe9\n" + DIFF)
    assert "X-NONE" in one.failure
    assert one.title == "[PATCH] foo: Change it"
