from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.repository import NewCommit, Repository
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import File
from tests.git.test_writing import commit
from tests.repos import FILES, ME, WHEN, Surroundings, changes

HOSTILE = {
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "diff.context": "0",
    "diff.renames": "false",
    "diff.algorithm": "patience",
    "diff.suppressBlankEmpty": "true",
    "diff.orderFile": "/dev/null",
    "diff.statGraphWidth": "1",
    "diff.external": "false",
    "diff.c.textconv": "false",
    "color.ui": "always",
    "core.abbrev": "4",
    "core.quotePath": "false",
    "core.autocrlf": "true",
    "format.pretty": "oneline",
    "i18n.commitEncoding": "ISO-8859-1",
    "i18n.logOutputEncoding": "ISO-8859-1",
    "apply.whitespace": "fix",
    "am.keepcr": "true",
    "mailinfo.scissors": "true",
    "log.showSignature": "true",
    "commit.gpgSign": "true",
}


def written(repository: Repository, *steps: dict[RepoPath, File | None]) -> list[Oid]:
    """The base and one commit for each of `steps`."""
    base = repository.resolve("v6.12.1")
    new = [
        NewCommit(message=b"step %d: \xc3\xa4\n" % n, author=ME, date=WHEN, changes=step)
        for n, step in enumerate(steps, 1)
    ]
    return [base, *(c.commit for c in repository.write(base, new))]


def odd_steps(repository: Repository) -> list[Oid]:
    """All that mails must carry: text, a rename, modes, a link, binary, no last LF, odd names."""
    x86 = FILES["arch/x86/kvm/x86.c"]
    return written(
        repository,
        changes(
            {"arch/x86/kvm/x86.c": x86.replace(b"return 0", b"return hello()"), "new.rs": b"a\n"}
        ),
        changes({"virt/kvm/kvm_main.c": None, "virt/main.c": FILES["virt/kvm/kvm_main.c"] + b"\n"}),
        {RepoPath(b"run"): File(b"#!", "100755"), RepoPath(b"link"): File(b"run", "120000")},
        changes({"bin": bytes(range(256)) * 4, 'ä "b"': b"caf\xe9\x0c no end"}),
        changes({"bin": None}),
    )


def test_diff_is_that_of_format_patch(
    repository: Repository, around: Surroundings, tmp_path: Path
) -> None:
    names = odd_steps(repository)
    options = ("--no-signature", "--full-index", "--stdout", "-1")
    for old, new in pairwise(names):
        mail = around.git(tmp_path / "kernel", "format-patch", *options, new).encode(
            errors="surrogateescape"
        )
        diff = repository.diff(old, new)
        ours = diff.stat + diff.summary + b"\n" + diff.patch
        assert mail.partition(b"\n---\n")[2].strip() == ours.strip()


def test_diff_of_nothing_is_empty(repository: Repository) -> None:
    base = repository.resolve("HEAD")
    diff = repository.diff(base, base)
    assert (diff.patch, diff.stat, diff.summary) == (b"", b"", b"")


def test_diff_that_holds_what_looks_like_a_stat(repository: Repository) -> None:
    old, new = written(
        repository, changes({" 3 files changed": b"\n\ndiff --git a/x b/x\n 1 file changed\n"})
    )
    diff = repository.diff(old, new)
    assert diff.stat.endswith(b"\n 1 file changed, 4 insertions(+)\n")
    assert diff.summary == b" create mode 100644  3 files changed\n"
    assert diff.patch.startswith(b"diff --git a/ 3 files changed")


def test_hunk_headers_name_the_function(repository: Repository) -> None:
    """As in the kernel, whose .gitattributes a bare repository does not read."""
    body = b"fn hello() {\n" + b"    a();\n" * 9 + b"}\n"
    old = written(repository, changes({"a.rs": body}))[1]
    (made,) = repository.write(old, [commit({"a.rs": body.replace(b"a();\n}", b"b();\n}")})])
    assert b"@@ fn hello() {\n" in repository.diff(old, made.commit).patch


def test_user_configuration_has_no_effect(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    path = kernel_repo()
    with Repository.open(path, around.environment) as repository:
        names = odd_steps(repository)
        pairs = list(pairwise(names))
        plain = [repository.diff(old, new) for old, new in pairs]
        compared = repository.range_diff(names[0], names[2], names[0], names[3])
        stat = repository.series_stat(names[0], names[-1])
        mails = [
            around.git(path, "format-patch", "--stdout", "--full-index", "-1", n).encode(
                errors="surrogateescape"
            )
            for n in names[1:]
        ]
        applied = repository.trees_of_mails(names[0], mails)
    for key, value in HOSTILE.items():
        around.git(path, "config", key, value)
        around.git(path, "config", "--global", key, value)
    (path / ".git/info/attributes").write_text("* -diff diff=c text eol=crlf merge=c\n")
    with Repository.open(
        path, {**around.environment, "LC_ALL": "tr_TR", "TZ": "X-9"}
    ) as repository:
        assert odd_steps(repository) == names
        assert [repository.diff(old, new) for old, new in pairs] == plain
        assert repository.range_diff(names[0], names[2], names[0], names[3]) == compared
        assert repository.series_stat(names[0], names[-1]) == stat
        assert repository.trees_of_mails(names[0], mails) == applied


def test_range_diff_pairs_the_steps(repository: Repository) -> None:
    names = odd_steps(repository)
    said = repository.range_diff(names[0], names[2], names[0], names[3])
    assert [line.split()[2] for line in said.splitlines()] == ["=", "=", ">"]
    assert "step 3: ä" in said


class TestMails:
    """What git am would make of them."""

    def mails(self, around: Surroundings, path: Path, names: list[Oid]) -> list[bytes]:
        options = ("--stdout", "--full-index", "-1")
        return [
            around.git(path, "format-patch", *options, n).encode(errors="surrogateescape")
            for n in names[1:]
        ]

    def test_trees_and_words_come_back(
        self, repository: Repository, around: Surroundings, tmp_path: Path
    ) -> None:
        names = odd_steps(repository)
        before = around.git(tmp_path / "kernel", "count-objects", "-v")
        applied = repository.trees_of_mails(
            names[0], self.mails(around, tmp_path / "kernel", names)
        )
        assert [a.tree for a in applied] == [repository.tree(n).oid for n in names[1:]]
        assert [a.message for a in applied] == [b"step %d: \xc3\xa4\n" % n for n in range(1, 6)]
        assert {a.author for a in applied} == {str(ME).encode()}
        assert {a.date for a in applied} == {b"Tue, 14 Nov 2023 23:13:20 +0100"}
        after = around.git(tmp_path / "kernel", "count-objects", "-v")
        assert after == before, "nothing is left behind"

    def test_as_git_am_does_it(
        self, repository: Repository, around: Surroundings, tmp_path: Path
    ) -> None:
        """Body lines that git am cuts, folds or strips are cut, folded and stripped alike."""
        base = repository.resolve("HEAD")
        message = (
            b"[tag] Re: a subject \n\nFrom: B <b@b>\n\n\n\nbody  \n-- >8 --\n\ttab\n---\nbelow\n"
        )
        new = commit({"f": b"crlf\r\nlf\n"}, message)
        (made,) = repository.write(base, [new])
        path = tmp_path / "kernel"
        (mail,) = self.mails(around, path, [base, made.commit])
        (ours,) = repository.trees_of_mails(base, [mail])
        around.git(path, "am", "-q", "--keep-cr", data=mail)
        shown = around.git(path, "log", "-1", "--format=%T%n%an <%ae>%n%B").split("\n", 2)
        assert [ours.tree, ours.author.decode()] == shown[:2]
        assert ours.message.decode() == shown[2]

    def test_the_mail_that_does_not_apply_is_named(
        self, repository: Repository, around: Surroundings, tmp_path: Path
    ) -> None:
        names = odd_steps(repository)
        mails = self.mails(around, tmp_path / "kernel", names)
        mails[1] = mails[1].replace(b"kvm_main.c", b"gone.c")
        with pytest.raises(KpatchError, match=r"mail 2 \(step 2: ä\) does not apply: .*gone\.c"):
            repository.trees_of_mails(names[0], mails)

    def test_a_mail_that_git_reads_as_two(
        self, repository: Repository, around: Surroundings, tmp_path: Path
    ) -> None:
        names = odd_steps(repository)
        first, *_ = self.mails(around, tmp_path / "kernel", names)
        line = b"\nFrom 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\n"
        with pytest.raises(KpatchError, match="git reads 1 mails as 2"):
            repository.trees_of_mails(names[0], [first.replace(b"\n---\n", line + b"\n---\n")])

    def test_a_mail_without_a_patch(self, repository: Repository) -> None:
        mail = b"From: A <a@b>\nSubject: x\nDate: Thu, 1 Jan 1970 00:00:00 +0000\n\nbody\n"
        with pytest.raises(KpatchError, match=r"mail 1 \(x\) does not apply"):
            repository.trees_of_mails(repository.resolve("HEAD"), [mail])
