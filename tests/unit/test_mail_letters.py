"""Mails against the real `git am`: what goes in comes out, on every git of the machine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kpatch_rs.errors import KpatchError
from kpatch_rs.mail.headers import HeaderRefused, address, address_header, text_header
from kpatch_rs.mail.letters import Change, Mail, letters
from kpatch_rs.model.oid import Oid, oid
from kpatch_rs.model.series import Cover, MailSettings, Person, Recipe, Series, Where

GITS = sorted({p for p in ("/usr/bin/git", "/usr/local/bin/git") if Path(p).exists()}) or ["git"]
ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Sender",
    "GIT_AUTHOR_EMAIL": "sender@example.org",
    "GIT_COMMITTER_NAME": "Sender",
    "GIT_COMMITTER_EMAIL": "sender@example.org",
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_DATE": "1700000000 +0000",
}
SENDER = Person("Sénder Ö. Nämé", "sender@example.org")
DATE = 1_700_000_000
FileSpec = bytes | None | tuple[bytes, str]


class Repo:
    """A throw-away repository: a base, and commits on top of it."""

    def __init__(self, folder: Path, git: str = "git") -> None:
        self.folder = folder
        self.program = git
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q")

    def git(self, *words: str | Path, data: bytes = b"") -> bytes:
        run = subprocess.run(
            [self.program, *words],
            cwd=self.folder,
            env=ENV,
            input=data,
            capture_output=True,
            check=False,
        )
        assert run.returncode == 0, (words, run.stdout, run.stderr)
        return run.stdout

    def commit(self, files: Mapping[str, FileSpec], message: str = "base\n") -> Oid:
        for name, spec in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            data, kind = spec if isinstance(spec, tuple) else (spec, "100644")
            if data is not None and kind == "120000":
                path.symlink_to(data.decode())
            elif data is not None:
                path.write_bytes(data)
                path.chmod(int(kind[-3:], 8))
        self.git("add", "-A")
        words = ("commit", "-q", "--allow-empty", "--cleanup=verbatim", "-F", "-")
        self.git(*words, data=message.encode())
        return oid(self.git("rev-parse", "HEAD").decode().strip())

    def change(self, recipe: Recipe, files: Mapping[str, FileSpec]) -> Change:
        before = oid(self.git("rev-parse", "HEAD").decode().strip())
        commit = self.commit(files, recipe.message())
        words = ("-r", "-M", "-p", "--full-index", "--binary", "--stat", "--summary")
        out = self.git("diff-tree", *words, before, commit)
        stat, _, patch = out.partition(b"\n\n")
        return Change(
            recipe=recipe,
            commit=commit,
            author=recipe.author or SENDER,
            patch=patch,
            stat=stat + b"\n",
        )

    def trees(self, base: Oid) -> list[bytes]:
        return self.git("log", "--reverse", "--format=%T", f"{base}..HEAD").split()


def series(**changed: object) -> Series:
    fields: dict[str, object] = {
        "name": "kvm-rust",
        "base": "v6.12",
        "change_id": "20261122-kvm-rust-3f1c9a7d52e0",
        "cover": Cover("KVM: Rüst", "Why.\n\n- line"),
    }
    return Series(**{**fields, **changed})  # type: ignore[arg-type]  # a test's shorthand


def recipe(subject: str = "KVM: x86: Add it", **changed: object) -> Recipe:
    fields: dict[str, object] = {
        "where": Where("0001.toml"),
        "id": "one",
        "subject": subject,
        "body": "Why and how.\n",
        "trailers": ("Signed-off-by: Sender <sender@example.org>",),
    }
    return Recipe(**{**fields, **changed})  # type: ignore[arg-type]  # a test's shorthand


def posted(of: Series, changes: Sequence[Change], base: Oid, version: int = 1) -> tuple[Mail, ...]:
    return letters(
        of, changes, stat=b" 1 file changed\n", base=base, sender=SENDER, version=version, date=DATE
    )


def changed_by(made_by: Recipe, patch: bytes = b"", stat: bytes = b"") -> Change:
    author = made_by.author or SENDER
    return Change(recipe=made_by, commit=oid("a" * 40), author=author, patch=patch, stat=stat)


def plain(count: int, **changed: object) -> tuple[Mail, ...]:
    change = changed_by(recipe(), b"diff\n", b" s\n")
    version = changed.pop("version", 1)
    assert isinstance(version, int)
    return posted(series(**changed), [change] * count, oid("b" * 40), version)


def parsed(mail: Mail) -> EmailMessage:
    postmark, _, rest = mail.data.partition(b"\n")
    assert re.fullmatch(rb"From [0-9a-f]{40} Mon Sep 17 00:00:00 2001", postmark)
    message = BytesParser(policy=policy.default).parsebytes(rest)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def round_trip(
    tmp_path: Path,
    git: str,
    recipes: Sequence[Recipe],
    files: Sequence[Mapping[str, FileSpec]],
    start: Mapping[str, FileSpec],
) -> None:
    made = Repo(tmp_path / "made")
    base = made.commit(start)
    changes = [made.change(r, f) for r, f in zip(recipes, files, strict=True)]
    mails = posted(series(), changes, base)
    out = tmp_path / "out"
    out.mkdir()
    for mail in mails:
        (out / mail.file).write_bytes(mail.data)

    taker = Repo(tmp_path / "taker", git)
    taker.git("pull", "-q", made.folder, f"{base}:refs/heads/start")
    taker.git("reset", "-q", "--hard", base)
    taker.git("-c", "core.autocrlf=false", "am", "-q", "--keep-cr", *sorted(out.glob("*.patch")))
    assert taker.trees(base) == made.trees(base)
    for n, r in enumerate(recipes, 1):
        commit = f"HEAD~{len(recipes) - n}"
        assert taker.git("log", "-1", "--format=%B", commit).decode() == r.message() + "\n"
        author = taker.git("log", "-1", "--format=%an <%ae>", commit).decode().strip()
        assert author == str(r.author or SENDER)


LONG = b"".join(b"line %d\n" % n for n in range(60))
NASTY_FILES: list[dict[str, FileSpec]] = [
    {"latin.c": b"/* \xe9\xff */\n\x0cint x;\r\n\tlone \r cr  \n"},
    {"no-eol": b"no\nnewline at the end", "run.sh": (b"#!/bin/sh\n", "100755")},
    {"link": (b"../some/where", "120000"), "f.c": LONG.replace(b"line 30\n", b"")},
    {"dir/moved.c": LONG.replace(b"line 9\n", b"line IX\n"), "gone.c": None, "long.c": None},
    {"f.c": b">From me\nFrom you Mon Sep 17 00:00:00 2001\n---\n-- \ndiff --git a/x b/x\n"},
    {"empty": b""},
    {"f.c": b"\n\n \n\t\nFrom: x\n" + b"w" * 5000 + b"\n", "run.sh": (b"#!/bin/sh\n", "100644")},
    {"bin": bytes(range(256)), "with space": b"1\n", "ä": b"\xc3\xb6\n"},
]
NASTY_RECIPES = [
    recipe("Grüße: ☃ and a long subject, folded twice, " + "with more words " * 6 + "end"),
    recipe("KVM: x86: " + "ASCII words that are folded where the line is full " * 4 + "end"),
    recipe("x86: =?utf-8?q?not_encoded?= stays", author=Person("Żółć, Łukasz", "l@b.org")),
    recipe('a.b: `quoted` "text" <angle> & (c)', author=Person('O\'Neil "Q" (x)', "o@b.org")),
    recipe("mm: >From", body=">From A\n\nFrom here on, all is well.\n\n\tcode\n  --- \tno cut x\n"),
    recipe("mm: Empty file"),
    recipe("net: Trailers only", body="", trailers=("Cc: Ünal <u@example.org>",)),
    recipe("fs: Notes", notes="Changes in v2:\n - one\n\n\ttwo\n+++ text\n", body="ünï ☃ 日本語\n"),
]


@pytest.mark.parametrize("git", GITS)
def test_nasty_series_survives(tmp_path: Path, git: str) -> None:
    start: dict[str, FileSpec] = {"f.c": LONG, "gone.c": b"x\n", "long.c": LONG}
    round_trip(tmp_path, git, NASTY_RECIPES, NASTY_FILES, start)


@pytest.mark.parametrize(
    "first", ["From: A <a@b.org>", "Subject: x", "date: y", ">From z", "[PATCH] x"]
)
@pytest.mark.parametrize("git", GITS)
def test_first_line_is_no_header(tmp_path: Path, git: str, first: str) -> None:
    round_trip(tmp_path, git, [recipe(body=first + "\n\nmore\n")], [{"f": b"1\n"}], {})


WORDS = st.text(st.sampled_from("abcXYZ09äß☃é日𝕏.,:;()<>\"'=?_-+*/\\#@!"), min_size=1, max_size=30)
SENTENCE = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)
PIECES = [
    b"a\n",
    b"\r\n",
    b"\xe9\x0c\n",
    b"---\n",
    b"-- \n",
    b"From x\n",
    b" \n",
    b"end",
    b"@@ -1 @@\n",
]
CONTENT = st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join)
STEP = st.tuples(SENTENCE, SENTENCE, CONTENT)
NAME = st.text(st.sampled_from("abc äß☃.,\"'()-"), min_size=3, max_size=20)


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # shrinking would start thousands of gits
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(STEP, min_size=1, max_size=4), NAME, st.sampled_from(GITS))
def test_any_message_and_content_survive(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, str, bytes]],
    name: str,
    git: str,
) -> None:
    author = Person(f"N{' '.join(name.split())}me", "a.b+c@example.org")
    recipes = [recipe(f"x: {s}", body=f"B {body}\n", author=author) for s, body, _ in steps]
    files = [{"f": content + b"%d" % n} for n, (_, _, content) in enumerate(steps)]
    round_trip(tmp_path_factory.mktemp("any"), git, recipes, files, {})


def test_thread() -> None:
    cc = ('"Doe, J" <j@example.org>', "Ü <u@example.org>")
    mails = plain(12, mail=MailSettings(prefix=("RFC",), to=("kvm@vger.kernel.org",), cc=cc))
    assert [m.file for m in mails[:2]] == ["0000-cover-letter.eml", "0001-KVM-x86-Add-it.patch"]
    heads = [parsed(m) for m in mails]
    assert heads[0]["Subject"] == "[PATCH RFC 00/12] KVM: Rüst"
    assert heads[1]["Subject"] == "[PATCH RFC 01/12] KVM: x86: Add it" == mails[1].subject
    assert len({h["Message-ID"] for h in heads}) == 13
    key = re.fullmatch(r"<20261122-kvm-rust-v1-0-([0-9a-f]{12})@example.org>", mails[0].message_id)
    assert key
    assert mails[12].message_id == f"<20261122-kvm-rust-v1-12-{key[1]}@example.org>"
    assert heads[0]["In-Reply-To"] is None
    assert {h["In-Reply-To"] for h in heads[1:]} == {mails[0].message_id}
    assert {h["References"] for h in heads[1:]} == {mails[0].message_id}
    assert [int(h["Date"].datetime.timestamp()) for h in heads] == list(range(DATE, DATE + 13))
    assert heads[1]["From"].addresses[0].display_name == SENDER.name
    assert [a.display_name for a in heads[1]["Cc"].addresses] == ["Doe, J", "Ü"]
    assert heads[1]["Content-Transfer-Encoding"] == "8bit"
    assert heads[1].get_content_charset() == "utf-8"


def test_versions_and_content_make_other_message_ids() -> None:
    first, second = plain(2)[1], plain(2, version=2)[1]
    assert second.file == "v2-0001-KVM-x86-Add-it.patch"
    assert second.subject.startswith("[PATCH v2 1/2] ")
    assert "-v2-1-" in second.message_id
    assert first.message_id.split("-")[-1] != second.message_id.split("-")[-1]


def test_cover_says_what_is_in_it() -> None:
    body = plain(2)[0].data.decode().split("\n\n", 1)[1]
    assert body == (
        "Why.\n\n- line\n\nSénder Ö. Nämé (2):\n      KVM: x86: Add it\n      KVM: x86: Add it\n\n"
        " 1 file changed\n\n---\n" + f"base-commit: {'b' * 40}\n"
        "change-id: 20261122-kvm-rust-3f1c9a7d52e0\n-- \nkpatch-rs 0.1.0\n"
    )


def test_single_patch_has_no_number_and_names_its_base() -> None:
    (mail,) = plain(1, cover=None)
    assert mail.subject == "[PATCH] KVM: x86: Add it"
    assert f"\nbase-commit: {'b' * 40}\nchange-id: 2026" in mail.data.decode()
    with_cover = plain(1)
    assert [m.subject[:12] for m in with_cover] == ["[PATCH 0/1] ", "[PATCH 1/1] "]
    assert b"base-commit" not in with_cover[1].data


def test_without_cover_the_first_patch_heads_the_thread() -> None:
    first, second = map(parsed, plain(2, cover=None))
    assert first["In-Reply-To"] is None
    assert second["In-Reply-To"] == first["Message-ID"]


def test_notes_stand_below_the_cut() -> None:
    noted = recipe(notes="\nv2: better\n", author=Person("Ä B", "a@b.org"))
    change = changed_by(noted, b"diff --git a/f b/f\n", b" f | 1 +\n")
    data = posted(series(), [change], oid("b" * 40))[1].data.decode()
    assert data.split("\n\n", 1)[1] == (
        "From: Ä B <a@b.org>\n\nWhy and how.\n\nSigned-off-by: Sender <sender@example.org>\n"
        "---\nv2: better\n\n f | 1 +\n\ndiff --git a/f b/f\n-- \nkpatch-rs 0.1.0\n"
    )


@pytest.mark.parametrize(
    ("subject", "file"),
    [
        ("x/../../y", "0001-x-.-.-y.patch"),
        ("-rf", "0001-rf.patch"),
        ("日本語", "0001.patch"),
        ("w" * 300, f"0001-{'w' * 52}.patch"),
        ("a..b:  c.", "0001-a.b-c.patch"),
    ],
)
def test_file_names_stay_in_the_folder(subject: str, file: str) -> None:
    assert posted(series(), [changed_by(recipe(subject))], oid("b" * 40))[1].file == file


@pytest.mark.parametrize("name", ["Subject", "To"])
@pytest.mark.parametrize("bad", ["x\nBcc: y@z", "x\r\ny", "x\0y", "x\u2028y", "x\x85y"])
def test_header_injection_is_refused(name: str, bad: str) -> None:
    with pytest.raises(HeaderRefused, match=f"{name}: .* in a mail header"):
        text_header(name, "", bad)
    with pytest.raises(HeaderRefused, match="in a mail header"):
        address_header(name, [Person(bad, "a@b.org")])
    with pytest.raises(HeaderRefused):
        address_header(name, [Person("A", f"a@b.org{bad}")])


@pytest.mark.parametrize("bad", ["", "nobody", "a@b, c@d", "a@b> <c@d", "ä@b.org", "a b@c"])
def test_no_address(bad: str) -> None:
    with pytest.raises(HeaderRefused, match="is not one mail address"):
        address(bad)


def test_long_headers_fold_or_are_refused() -> None:
    many = address_header("Cc", [Person(f"Nämé {n}", f"n{n}@example.org") for n in range(40)])
    assert max(map(len, many.split(b"\n"))) <= 78
    with pytest.raises(HeaderRefused, match="a word of more than"):
        text_header("Subject", "[PATCH]", "x" * 1100)
    assert text_header("Subject", "[PATCH]", "x" * 900).count(b"\n") == 2


def test_prefix_that_would_stay_is_refused() -> None:
    with pytest.raises(KpatchError, match="is no subject prefix"):
        plain(1, mail=MailSettings(prefix=("RFC] [x",)))
