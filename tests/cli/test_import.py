"""import: a series that gives the same trees, from commits, a quilt series and mails."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from kpatch_rs.cli import main
from kpatch_rs.commands import apply, export, import_, rebase
from kpatch_rs.commands.rendering import lasting
from kpatch_rs.commands.session import Session
from kpatch_rs.demo import FIRST_RELEASE, SECOND_RELEASE
from kpatch_rs.errors import KpatchError, Refused, Usage
from kpatch_rs.loader.load import load_series
from kpatch_rs.model.oid import oid
from kpatch_rs.model.outcome import Status
from tests.demo import mini_kernel, mini_series
from tests.repos import Surroundings

KINDS = {
    *("rust-file", "kconfig", "kbuild", "c-declare"),
    *("c-call", "rust-analyzer", "maintainers"),
}
PERSON = b"A Person <a@example.org> 1700000000 +0100"


@pytest.fixture
def session(tmp_path: Path, around: Surroundings) -> Session:
    """The miniature kernel with its series rendered on branch old."""
    mini_kernel(tmp_path)
    mini_series(tmp_path)
    session = made(tmp_path, around, "mini-rust-hello")
    assert apply.run(session, onto=None, branch="old", dry_run=False).exit_code == 0
    return made(tmp_path, around, "new")


def made(folder: Path, around: Surroundings, series: str) -> Session:
    return Session(
        kernel=folder / "mini.git",
        series=series,
        cwd=folder,
        cache=folder / "cache",
        state=folder / "state",
        environment=dict(around.environment),
        progress=lambda _: None,
    )


@pytest.fixture
def mini(tmp_path: Path, around: Surroundings, session: Session) -> Mini:
    return Mini(tmp_path / "mini.git", around)


class Mini:
    """The miniature kernel, and commits to put into it."""

    def __init__(self, path: Path, around: Surroundings) -> None:
        self.path, self.around = path, around

    def git(self, *args: str, data: bytes = b"") -> str:
        return self.around.git(self.path, *args, data=data)

    def tree(self, rev: str) -> str:
        return self.git("rev-parse", f"{rev}^{{tree}}")

    def commit(self, branch: str, message: bytes, tree: str, *parents: str) -> str:
        """A raw commit, which may be what git itself would not make."""
        lines = [b"tree " + tree.encode()]
        lines += [b"parent " + self.git("rev-parse", f"{p}^{{commit}}").encode() for p in parents]
        raw = b"\n".join((*lines, b"author " + PERSON, b"committer " + PERSON, b"", message))
        name = self.git("hash-object", "-t", "commit", "-w", "--stdin", data=raw)
        self.git("update-ref", f"refs/heads/{branch}", name)
        return name

    def changed(self, files: Mapping[str, bytes | None], modes: Mapping[str, str] = {}) -> str:
        """The first release's tree with `files` otherwise."""
        return self.index(FIRST_RELEASE, files, modes)

    def index(
        self, rev: str, files: Mapping[str, bytes | None], modes: Mapping[str, str] = {}
    ) -> str:
        """The tree of `rev` with `files` otherwise."""
        index = {"GIT_INDEX_FILE": str(self.path / "test-index")}
        there = Surroundings({**self.around.environment, **index})
        there.git(self.path, "read-tree", rev)
        for name, data in files.items():
            if data is None:
                entry = f"0 {'0' * 40}\t{name}\n"
                there.git(self.path, "update-index", "--index-info", data=entry.encode())
                continue
            blob = self.git("hash-object", "-w", "--stdin", data=data)
            entry = f"{modes.get(name, '100644')},{blob},{name}"
            there.git(self.path, "update-index", "--add", "--cacheinfo", entry)
        return there.git(self.path, "write-tree")


def imported(session: Session, range_: str | None = None, **other: object) -> list[list[str]]:
    """The kinds of each recipe's edits."""
    given = {"quilt": None, "mbox": None, "base": None, **other}
    report = import_.run(session, range_, **given)  # type: ignore[arg-type]  # as the cli calls it
    return [[edit.kind for edit in recipe.edits] for _, recipe in report.recipes]


def trees(mini: Mini, tip: str) -> list[str]:
    return mini.git("log", "--reverse", "--format=%T", f"{FIRST_RELEASE}..{tip}").splitlines()


def test_commits_become_the_kinds_they_came_from(session: Session, mini: Mini) -> None:
    kinds = imported(session, f"{FIRST_RELEASE}..old")
    assert {kind for edits in kinds for kind in edits} == KINDS
    assert [len(edits) for edits in kinds] == [1] * 7
    assert apply.run(session, onto=None, branch=None, dry_run=False).exit_code == 0
    assert trees(mini, "kpatch/new") == trees(mini, "old")
    message = "--format=%B%an%ae%ad"
    old, new = (mini.git("log", message, f"{FIRST_RELEASE}..{b}") for b in ("old", "kpatch/new"))
    assert old == new


def test_all_in_one_commit(session: Session, mini: Mini) -> None:
    """Everything at once, and then on the next release with no hands."""
    mini.commit("one", b"foo: All at once\n", mini.tree("old"), FIRST_RELEASE)
    (kinds,) = imported(session, f"{FIRST_RELEASE}..one")
    assert len(kinds) == 7
    assert set(kinds) == KINDS
    apply.run(session, onto=None, branch=None, dry_run=False)
    assert mini.tree("kpatch/new") == mini.tree("old")
    report = rebase.run(session, SECOND_RELEASE, check=False, dry_run=False, range_diff=False)
    assert report.exit_code == 0
    assert [step.status for step in report.steps] == [Status.MOVED]


def test_what_has_no_kind_is_a_diff(session: Session, mini: Mini) -> None:
    makefile = mini.git("show", f"{FIRST_RELEASE}:Makefile").encode() + b"\n"
    files = {
        "latin": b"caf\xe9\r\n\x0cx",
        "run.sh": b"#!/bin/sh\n",
        "link": b"run.sh",
        "Makefile": makefile + b"# more\n",
        "empty": b"",
    }
    modes = {"run.sh": "100755", "link": "120000"}
    mini.commit("odd", b"foo: Odd files\n", mini.changed(files, modes), FIRST_RELEASE)
    moved = mini.changed(
        {**files, "run.sh": None, "go.sh": files["run.sh"]}, {**modes, "go.sh": "100755"}
    )
    mini.commit("odd", b"foo: Odd files\n", moved, "odd")
    assert imported(session, f"{FIRST_RELEASE}..odd") == [["patch"], ["patch"]]
    assert [r.id for r in session.load_series().recipes] == ["foo-odd-files", "foo-odd-files-2"]
    folder = session.series_folder()
    assert b"rename from run.sh" in (folder / "files/0002-foo-odd-files-2.diff").read_bytes()
    apply.run(session, onto=None, branch=None, dry_run=False)
    assert trees(mini, "kpatch/new") == trees(mini, "odd")


def test_what_no_kind_takes_stays_mergeable(session: Session, mini: Mini) -> None:
    """A rename beside edits of kinds is one still, and each diff is made from blobs that exist."""
    text = b"".join(b"int v%d;\n" % n for n in range(20))
    mini.commit("base", b"a: Base\n", mini.changed({"away.c": text}), FIRST_RELEASE)
    after = mini.index("old", {"here.c": text + b"int more;\n"})
    mini.commit("all", b"a: All, and a rename\n", after, "base")
    (kinds,) = imported(session, "base..all")
    assert set(kinds) == {*KINDS, "patch"}
    (diff,) = (session.series_folder() / "files").glob("*.diff")
    assert "rename from away.c" in diff.read_text()
    assert kinds_of(mini, session) == {"blob"}


def test_what_stands_on_another_patch_is_mergeable_once_both_are_in(
    session: Session, mini: Mini, tmp_path: Path
) -> None:
    """Patches that are texts only: what stands between two of them comes with the branch."""
    folder = tmp_path / "patches"
    folder.mkdir()
    text = b"".join(b"int v%d;\n" % n for n in range(20))
    first = mini.commit("two", b"a: One\n", mini.changed({"a.c": text}), FIRST_RELEASE)
    after = mini.index("old", {"a.c": text.replace(b"v7", b"w7")})
    second = mini.commit("two", b"a: Two\n", after, "two")
    for n, name in enumerate((first, second)):
        patch = mini.git("diff-tree", "-p", "--full-index", f"{name}^", name) + "\n"
        (folder / f"{n}.diff").write_text(f"Subject: a: {n}\n---\n{patch}")
    mini.git("update-ref", "-d", "refs/heads/two")
    mini.git("prune", "--expire=now")
    (folder / "series").write_text("0.diff\n1.diff\n")
    imported(session, quilt=folder, base=FIRST_RELEASE)
    assert kinds_of(mini, session) == {"missing"}
    apply.run(session, onto=None, branch=None, dry_run=False)
    assert kinds_of(mini, session) == {"blob"}


def kinds_of(mini: Mini, session: Session) -> set[str]:
    """What the repository has under the names of what the diffs were made from."""
    diffs = (path.read_text() for path in (session.series_folder() / "files").glob("*.diff"))
    names = {n for diff in diffs for n in re.findall(r"(?m)^index (\w+)", diff)}
    asked = "".join(f"{name}\n" for name in names if set(name) != {"0"}).encode()
    said = mini.git("cat-file", "--batch-check=%(objecttype)", data=asked)
    return {line.split()[-1] for line in said.splitlines()}


def test_a_whole_release(session: Session, mini: Mini) -> None:
    """The largest patch there is here: files that moved, functions rewritten, lists regrouped."""
    imported(session, f"{FIRST_RELEASE}..{SECOND_RELEASE}")
    apply.run(session, onto=None, branch=None, dry_run=False)
    assert mini.tree("kpatch/new") == mini.tree(SECOND_RELEASE)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_mails_come_back_as_they_went(
    session: Session, mini: Mini, tmp_path: Path, end: bytes
) -> None:
    old = made(tmp_path, mini.around, "mini-rust-hello")
    export.run(old, out=tmp_path / "out", version=None, force=False, unchecked=True)
    mbox = tmp_path / "mbox"
    sent = sorted(file for file in (tmp_path / "out").iterdir())
    mbox.write_bytes(b"".join(file.read_bytes() for file in sent).replace(b"\n", end))
    kinds = imported(session, mbox=mbox)
    assert {kind for edits in kinds for kind in edits} == KINDS
    apply.run(session, onto=None, branch=None, dry_run=False)
    assert trees(mini, "kpatch/new") == trees(mini, "old")


def test_quilt_series_with_its_notes(session: Session, mini: Mini, tmp_path: Path) -> None:
    folder = tmp_path / "patches"
    folder.mkdir()
    head = b"From: A <a@b.c>\nSubject: [PATCH] foo: Do it\nForwarded: no\n\nWhy.\n---\n"
    for n, name in enumerate(mini.git("rev-list", "--reverse", f"{FIRST_RELEASE}..old").split()):
        diff = mini.git("diff-tree", "-p", "--no-prefix" if n else "-r", f"{name}^", name)
        lines = diff.splitlines() if n else [x for x in diff.splitlines() if x[:5] != "index"]
        text = "\n".join(lines) + "\n"
        (folder / f"{n}.diff").write_bytes(head + text.encode())
    names = [f"{n}.diff{' -p0' if n else ''}\n" for n in range(7)]
    (folder / "series").write_text("# all of it\n" + "".join(names))
    with pytest.raises(Usage, match="does not say its kernel"):
        imported(session, quilt=folder)
    kinds = imported(session, quilt=folder, base=FIRST_RELEASE)
    assert {kind for edits in kinds for kind in edits} == KINDS
    recipe = session.load_series().recipes[0]
    assert (recipe.subject, recipe.body, recipe.notes) == ("foo: Do it", "Why.", "Forwarded: no")
    apply.run(session, onto=None, branch=None, dry_run=False)
    assert trees(mini, "kpatch/new") == trees(mini, "old")


def test_patch_that_does_not_fit_is_named(session: Session, tmp_path: Path) -> None:
    (tmp_path / "series.d").mkdir()
    (tmp_path / "series.d/series").write_text("bad.patch\n")
    hunk = b"--- a/Makefile\n+++ b/Makefile\n@@ -1 +1 @@\n-nothing like it\n+x\n"
    (tmp_path / "series.d/bad.patch").write_bytes(b"Do it\n\n" + hunk)
    with pytest.raises(KpatchError) as refused:
        imported(session, quilt=tmp_path / "series.d", base=FIRST_RELEASE)
    assert refused.value.message.startswith("bad.patch: it does not fit: ")
    assert not (tmp_path / "series/new").exists()


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (b"foo\n\nText.\n\n--- a cut\n", "'body': it has the line '--- a cut'"),
        (b"[PATCH] foo\n", "'subject': it has '[' at the start"),
        (b"foo\n\nhidden \xe2\x80\xae text\n", "'body' has the character U+202E"),
        (b"foo\n\nFrom: me\n\nText.\n", "'body': it begins with 'From: me'"),
    ],
)
def test_message_no_recipe_can_hold(
    session: Session, mini: Mini, message: bytes, said: str
) -> None:
    name = mini.commit("odd", message, mini.changed({"f": b"f\n"}), FIRST_RELEASE)
    with pytest.raises(KpatchError) as refused:
        imported(session, f"{FIRST_RELEASE}..odd")
    assert refused.value.message.startswith(f"commit {name[:12]} (")
    assert said in refused.value.message
    assert refused.value.hint
    assert not session.series_folder().exists()


def test_commits_that_are_no_patch(session: Session, mini: Mini) -> None:
    empty = mini.commit("odd", b"foo\n", mini.tree(FIRST_RELEASE), FIRST_RELEASE)
    with pytest.raises(KpatchError) as refused:
        imported(session, f"{FIRST_RELEASE}..odd")
    assert refused.value.message == f"commit {empty[:12]} (foo): it changes nothing"
    mini.commit("odd", b"foo\n", mini.tree("old"), FIRST_RELEASE, "old")
    with pytest.raises(KpatchError, match=r"no line|is a merge"):
        imported(session, f"{FIRST_RELEASE}..odd")
    mini.commit("odd", b"foo\n", mini.changed({"pic": b"\x89PNG\0"}), FIRST_RELEASE)
    with pytest.raises(KpatchError, match="pic is binary"):
        imported(session, f"{FIRST_RELEASE}..odd")


def test_text_no_recipe_can_hold_stays_a_diff(session: Session, mini: Mini) -> None:
    """A help text with a character that hides is no kconfig edit, but nothing is lost."""
    kconfig = mini.git("show", f"{FIRST_RELEASE}:init/Kconfig").encode() + b"\n"
    entry = '\nconfig ODD\n\tbool "odd\u202e one"\n'.encode()
    mini.commit("odd", b"foo\n", mini.changed({"init/Kconfig": kconfig + entry}), FIRST_RELEASE)
    assert imported(session, f"{FIRST_RELEASE}..odd") == [["patch"]]
    apply.run(session, onto=None, branch=None, dry_run=False)
    assert mini.tree("kpatch/new") == mini.tree("odd")


def test_nothing_is_written_over(session: Session, tmp_path: Path) -> None:
    (tmp_path / "series/new").mkdir()
    (tmp_path / "series/new/mine").write_text("")
    with pytest.raises(Refused, match="is not empty"):
        imported(session, f"{FIRST_RELEASE}..old")


def test_wrong_words(session: Session, tmp_path: Path) -> None:
    with pytest.raises(Usage, match=r"one of A\.\.B"):
        imported(session)
    with pytest.raises(Usage, match="has no commits"):
        imported(session, f"{FIRST_RELEASE}..{FIRST_RELEASE}")
    with pytest.raises(Usage, match="is no range of commits"):
        imported(session, FIRST_RELEASE)
    (tmp_path / "mbox").write_text("Subject: x\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-x\n+y\n")
    with pytest.raises(Usage, match="has no base-commit"):
        imported(session, mbox=tmp_path / "mbox")
    for nothing in ("", "\n", "hello\n"):
        (tmp_path / "mbox").write_text(nothing)
        with pytest.raises(Usage, match="has no mail with a patch"):
            imported(session, mbox=tmp_path / "mbox", base=FIRST_RELEASE)


def remarks(session: Session, **given: object) -> list[str]:
    """What is said of the patches that were read."""
    all_given = {"quilt": None, "mbox": None, "base": FIRST_RELEASE, **given}
    report = import_.run(session, None, **all_given)  # type: ignore[arg-type]  # as the cli
    return [str(one) for one in report.remarks]


def letter(subject: str, text: str, more: str = "") -> str:
    """A mail that makes the file `text`.txt."""
    diff = f"diff --git a/{text}.txt b/{text}.txt\nnew file mode 100644\n--- /dev/null\n"
    return (
        "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"
        f"From: A Person <a@example.org>\nSubject: {subject}\n{more}\nText of {text}.\n---\n"
        f"{diff}+++ b/{text}.txt\n@@ -0,0 +1 @@\n+{text}\n-- \n2.39.5\n\n"
    )


def test_thread_from_a_list(session: Session, tmp_path: Path) -> None:
    """Answers with diffs, a mail that came twice, mails out of order."""
    one, two = (
        letter(f"[PATCH v2 {n}/2] foo: {n}", f"f{n}", f"Message-ID: <{n}@x>\n") for n in "12"
    )
    answer = letter("Re: [PATCH v2 1/2] foo: 1", "untested", "In-Reply-To: <1@x>\n")
    old = letter("[PATCH 1/1] foo: 1", "old")
    (tmp_path / "mbox").write_text(old + two + one + answer + two)
    assert remarks(session, mbox=tmp_path / "mbox") == [
        "mail 1 (foo: 1): left out: it is v1, and v2 is there",
        "mail 4 (foo: 1): left out: it is an answer, not a patch",
        "mail 5 (foo: 2): left out: it is mail 2 again",
        "mbox: the mails were taken in the order of their numbers: 3, 2",
    ]
    assert [r.subject for r in session.load_series().recipes] == ["foo: 1", "foo: 2"]


def test_mails_of_another_kernel_than_they_say(session: Session, tmp_path: Path) -> None:
    mail = letter("[PATCH] foo: 1", "f1").replace("-- \n", f"base-commit: {'1' * 40}\n-- \n")
    (tmp_path / "mbox").write_text(mail)
    assert remarks(session, mbox=tmp_path / "mbox") == [
        f"mbox: it is made for 111111111111, and read as for {FIRST_RELEASE}"
    ]


def test_all_mails_that_are_wrong_are_named(session: Session, tmp_path: Path) -> None:
    lost = letter("[PATCH 1/3] foo: 1", "f1").replace("@@ -0,0 +1 @@\n", "")
    nobody = letter("[PATCH 3/3] foo: 3", "f3").replace("From: A Person <a@example.org>\n", "")
    (tmp_path / "mbox").write_text(lost + letter("[PATCH 2/3] foo: 2", "f2") + nobody)
    with pytest.raises(KpatchError) as refused:
        imported(session, mbox=tmp_path / "mbox", base=FIRST_RELEASE)
    assert "mail 1 (foo: 1): its patch:4: '--- /dev/null' is followed by" in refused.value.message
    assert "mail 3 (foo: 3): it has no From: line with an address" in refused.value.message
    assert not session.series_folder().exists()


def test_file_of_a_quilt_series_that_is_several_mails(session: Session, tmp_path: Path) -> None:
    (tmp_path / "patches").mkdir()
    mails = (letter(f"[PATCH {n}/2] foo: {n}", f"f{n}") for n in "12")
    (tmp_path / "patches/all.patch").write_text("".join(mails))
    (tmp_path / "patches/left.patch").write_text("not a part of it\n")
    (tmp_path / "patches/series").write_text("all.patch\n")
    assert remarks(session, quilt=tmp_path / "patches") == [
        "left.patch: left out: the file series does not name it"
    ]
    assert [r.subject for r in session.load_series().recipes] == ["foo: 1", "foo: 2"]


def test_folder_with_a_hint_that_can_be_followed(session: Session, tmp_path: Path) -> None:
    (tmp_path / "patches").mkdir()
    for how in ("quilt", "mbox"):
        given: dict[str, object] = {how: tmp_path / "patches", "base": FIRST_RELEASE}
        with pytest.raises(KpatchError) as refused:
            imported(session, None, **given)
        assert "ls *.patch > series" in (refused.value.hint or "")


@pytest.mark.parametrize("name", ["empty.patch", "packed.patch"])
def test_patch_file_without_a_diff(session: Session, tmp_path: Path, name: str) -> None:
    (tmp_path / "patches").mkdir()
    (tmp_path / "patches/empty.patch").write_bytes(b"")
    (tmp_path / "patches/packed.patch").write_bytes(b"\x1f\x8b\x08")
    (tmp_path / "patches/series").write_text(f"{name}\n")
    with pytest.raises(KpatchError) as refused:
        imported(session, quilt=tmp_path / "patches", base=FIRST_RELEASE)
    what = {"empty.patch": "there is no diff in it", "packed.patch": "it is packed with gzip"}
    assert refused.value.message == f"{name}: {what[name]}"


def test_documents(
    session: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["-k", "mini.git", "-s", "new", "--json", "import", f"{FIRST_RELEASE}..old"])
    assert ended.value.code == 0
    document = json.loads(capsys.readouterr().out)
    assert document["series"] == "new"
    assert document["base"] == FIRST_RELEASE
    assert document["recipes"][0]["kinds"] == ["rust-file"]
    assert document["recipes"][0]["from"].startswith("commit ")
    assert load_series(tmp_path / "series/new").base == FIRST_RELEASE


@pytest.mark.parametrize("name", ["HEAD", "HEAD~1", "@{0}", "@"])
def test_what_follows_head_is_no_base_to_keep(name: str) -> None:
    """`import HEAD~1..HEAD` is for the kernel of that day, not for what HEAD~1 is tomorrow."""
    commit = oid("1" * 40)
    assert lasting(name, commit) == commit
    assert lasting("v6.12", commit) == "v6.12"
    assert lasting("HEADS", commit) == "HEADS"
