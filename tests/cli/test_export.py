"""export as a verb: refused until proven, written whole or not at all, and `git am` agrees."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kpatch_rs.commands import apply, export
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import CheckFailed, KpatchError, Refused, Usage
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.model.operation import View
from kpatch_rs.model.proof import Result, Verdict
from tests.repos import Surroundings

FILES = {
    "Makefile": b"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n",
    "drivers/foo/main.c": b"int foo;\n",
    "drivers/foo/table.txt": b"one\r\ntwo \xe9\r\n\x0cthree",
}
SERIES = """format = 1
name = "foo-rust"
base = "v6.12.1"
change-id = "20261122-foo-rust-3f1c9a7d52e0"
[mail]
prefix = ["RFC"]
to = ["Some List <list@example.org>"]
"""
RECIPE = """id = "{id}"
subject = "foo: {subject}"
author = "{author} <l@example.org>"
body = \"\"\"
{body}
\"\"\"
trailers = ["Signed-off-by: Łukasz <l@example.org>"]
[[edit]]
kind = "patch"
diff = "files/{id}.diff"
"""
TABLE = (
    b"diff --git a/drivers/foo/table.txt b/drivers/foo/table.txt\n"
    b"--- a/drivers/foo/table.txt\n+++ b/drivers/foo/table.txt\n@@ -1,3 +1,4 @@\n"
    b" one\r\n+and \xfc\r\n two \xe9\r\n \x0cthree\n\\ No newline at end of file\n"
)
RUN = (
    b"diff --git a/drivers/foo/run b/drivers/foo/run\nnew file mode 100755\n"
    b"--- /dev/null\n+++ b/drivers/foo/run\n@@ -0,0 +1 @@\n+From here\n"
)


class House:
    """A kernel, a series, and a session."""

    def __init__(self, folder: Path, kernel: Path, around: Surroundings) -> None:
        self.kernel = kernel
        self.around = around
        self.folder = folder / "foo-rust"
        self.out = folder / "out"
        (self.folder / "files").mkdir(parents=True)
        (self.folder / "series.toml").write_text(SERIES)
        (self.folder / "cover.txt").write_text("foo: Rüst\n\nWhy.\n")
        self.recipe("table", "Füll the table", TABLE)
        self.recipe("run", "Run", RUN)
        self.session = Session(
            kernel=kernel,
            series=str(self.folder),
            cwd=folder,
            cache=folder / "cache",
            state=folder / "state",
            environment=dict(around.environment),
            progress=lambda _: None,
        )

    def recipe(self, id_: str, subject: str, diff: bytes, body: str = "Why.") -> None:
        text = RECIPE.format(id=id_, subject=subject, author="Łukasz Żółć", body=body)
        (self.folder / f"000-{id_}.toml").write_text(text)
        (self.folder / f"files/{id_}.diff").write_bytes(diff)

    def apply(self) -> None:
        report = apply.run(self.session, onto="v6.12.1", branch=None, dry_run=False)
        assert report.exit_code == 0, report.as_text()

    def export(self, **changed: object) -> export.ExportReport:
        options: dict[str, object] = {
            "out": self.out,
            "version": None,
            "force": False,
            "unchecked": True,
        }
        return export.run(self.session, **{**options, **changed})  # type: ignore[arg-type]  # shorthand

    def view(self) -> View:
        with self.session.open_kernel() as repository:
            view = OperationLog(repository, "foo-rust").current()
        assert view
        return view

    def names(self) -> list[str]:
        return sorted(path.name for path in self.out.iterdir())


@pytest.fixture
def house(tmp_path: Path, kernel_repo: Callable[..., Path], around: Surroundings) -> House:
    return House(tmp_path, kernel_repo(FILES), around)


def test_git_am_gives_the_trees(house: House) -> None:
    house.apply()
    report = house.export()
    trees = [step.tree for step in house.view().steps]
    house.around.git(house.kernel, "checkout", "-q", "--detach", "v6.12.1")
    patches = sorted(map(str, house.out.glob("*.patch")))
    house.around.git(house.kernel, "am", "-q", "--keep-cr", *patches)
    made = house.around.git(house.kernel, "log", "--reverse", "--format=%T", "v6.12.1..HEAD")
    assert made.split("\n") == trees
    assert list(report.trees) == trees


def test_document(house: House) -> None:
    house.apply()
    report = house.export(version=3)
    document = json.loads(json.dumps(report.as_json()))
    assert document["out"] == str(house.out)
    assert document["cover"] == "v3-0000-cover-letter.eml"
    assert document["keep-cr"] is True
    assert [mail["step"] for mail in document["mails"]] == ["run", "table"]
    assert document["mails"][1]["subject"] == "[PATCH RFC v3 2/2] foo: Füll the table"
    assert document["mails"][1]["file"] == "v3-0002-foo-F-ll-the-table.patch"
    assert document["mails"][1]["message-id"].startswith("<20261122-foo-rust-v3-2-")
    assert {"cover", *(m["file"] for m in document["mails"])} == {"cover", *house.names()[1:]}
    assert f"git am --keep-cr {house.out}/*.patch" in report.as_text()


def test_nothing_to_export(house: House) -> None:
    with pytest.raises(KpatchError, match="is not rendered in this repository") as caught:
        house.export()
    assert caught.value.hint == "render it first: kpatch-rs apply"
    house.apply()
    house.recipe("run", "Run on", RUN)
    with pytest.raises(KpatchError, match=r"has changed since it was rendered on v6\.12\.1"):
        house.export()
    assert not house.out.exists()


def test_branch_changed_by_hand(house: House) -> None:
    house.apply()
    house.around.git(house.kernel, "update-ref", f"refs/heads/{house.view().branch}", "v6.12.1")
    with pytest.raises(KpatchError, match="was changed by hand"):
        house.export()


def test_unproven_steps_are_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.apply()
    failed = Verdict(id="table", result=Result.FAILED)
    passed = Verdict(id="run", result=Result.PASSED)
    verdicts: list[tuple[Verdict | None, ...]] = [(passed, failed), (None, failed)]
    for known, said in zip(
        verdicts, ("table (failed)", "run (not checked), table (failed)"), strict=True
    ):
        monkeypatch.setattr(export, "stored_verdicts", lambda *_, known=known: known)
        with pytest.raises(CheckFailed) as caught:
            house.export(unchecked=False)
        assert caught.value.message == f"not proven on v6.12.1: {said}"
        assert "kpatch-rs check" in caught.value.hint
        assert "--unchecked" in caught.value.hint
        assert caught.value.exit_code == 4
    assert not house.out.exists()
    monkeypatch.setattr(export, "stored_verdicts", lambda *_: (passed, passed))
    assert len(house.export(unchecked=False).mails) == 3


def test_without_verdicts_nothing_is_proven(house: House) -> None:
    """The real store, empty."""
    house.apply()
    with pytest.raises(CheckFailed, match=r"run \(not checked\), table \(not checked\)"):
        house.export(unchecked=False)


def test_message_that_would_change_is_refused(house: House) -> None:
    house.recipe("run", "Run", RUN, body="Why.\n\n\n\nTwo blank lines.")
    house.apply()
    with pytest.raises(KpatchError, match=r"000-run.toml.* gives another message: line 5 is"):
        house.export()
    assert not house.out.exists()


@pytest.mark.parametrize("file", ["cover.txt", "000-run.toml"])
def test_what_is_still_to_be_written_is_not_mailed(house: House, file: str) -> None:
    house.recipe("run", "Run", RUN, body="*** BODY HERE ***")
    if file == "cover.txt":
        house.recipe("run", "Run", RUN)
        (house.folder / file).write_text("*** SUBJECT HERE ***\n\nWhy.\n")
    house.apply()
    with pytest.raises(KpatchError, match=rf"^{file}.*HERE \*\*\*' is still to be written"):
        house.export()
    assert not house.out.exists()


def nobody(house: House) -> Session:
    kept = {k: v for k, v in house.session.environment.items() if not k.startswith("GIT_AUTHOR")}
    return replace(house.session, environment={**kept, "HOME": str(house.folder)})


def test_the_author_mails_where_git_knows_nobody(house: House) -> None:
    house.apply()
    house.session = nobody(house)
    house.export()
    mails = [path.read_bytes() for path in sorted(house.out.iterdir())]
    assert all(b"<l@example.org>" in mail.split(b"\nDate:")[0] for mail in mails)


def test_two_authors_are_nobody_to_mail(house: House) -> None:
    file = house.folder / "000-run.toml"
    file.write_text(file.read_text().replace('author = "Łukasz', 'author = "Anna'))
    house.apply()
    house.session = nobody(house)
    with pytest.raises(KpatchError, match="git does not know who you are"):
        house.export()


def test_older_export_is_replaced_as_a_whole(house: House) -> None:
    house.apply()
    house.export()
    first = house.names()
    house.export(version=2)
    assert house.names() == [f"v2-{name}" for name in first]
    assert [p.name for p in house.out.parent.glob(".out*")] == []


@pytest.mark.parametrize("name", ["notes.txt", "0001-mine.patch", "0000-cover-letter.eml"])
def test_other_files_are_kept(house: House, name: str) -> None:
    house.apply()
    house.out.mkdir()
    (house.out / name).write_text("From me\n")
    with pytest.raises(Refused, match=f"holds {name}, which no export of this series wrote"):
        house.export()
    assert house.names() == [name]
    told = house.export(force=True).as_text()
    alone = name == "0000-cover-letter.eml"
    assert f"git send-email {house.out}{'' if alone else '/0000-cover-letter.eml'}" in told
    assert f" {house.out}/{'*.patch' if alone else '0001-foo-Run.patch'}" in told
    assert alone or name not in told, "what stands beside them is not sent with them"
    kept = (house.out / name).read_text() == "From me\n"
    assert kept == (name != "0000-cover-letter.eml")
    house.export(version=2, force=True)
    stale = [n for n in house.names() if not n.startswith("v2-")]
    assert stale == ([name] if kept else [])


def test_planted_link_is_not_followed(house: House, tmp_path: Path) -> None:
    """Not even to a mail that an export of this series wrote."""
    house.apply()
    house.export()
    victim = tmp_path / "victim"
    link = house.out / "0001-foo-Run.patch"
    link.rename(victim)
    link.symlink_to(victim)
    before = victim.read_bytes()
    with pytest.raises(Refused, match=r"holds 0001-foo-Run.patch"):
        house.export()
    house.export(force=True)
    assert victim.read_bytes() == before
    assert not link.is_symlink()


def test_folder_that_is_none(house: House) -> None:
    house.apply()
    house.out.write_text("a file\n")
    with pytest.raises(Refused, match="is no folder"):
        house.export(force=True)
    house.out.unlink()
    (house.out / "0001-foo-Run.patch").mkdir(parents=True)
    with pytest.raises(Refused, match=r"0001-foo-Run.patch is a folder"):
        house.export(force=True)
    assert house.names() == ["0001-foo-Run.patch"]


def test_failing_disk_leaves_the_older_export(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.apply()
    house.export()
    before = {p.name: p.read_bytes() for p in house.out.iterdir()}

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device", "mail")

    monkeypatch.setattr("kpatch_rs.commands.outbox.os.fsync", full)
    with pytest.raises(KpatchError, match="mail cannot be written: No space left on device"):
        house.export()
    assert {p.name: p.read_bytes() for p in house.out.iterdir()} == before
    assert [p.name for p in house.out.parent.glob(".out*")] == []


def test_version_out_of_range(house: House) -> None:
    with pytest.raises(Usage, match="version 0 is not in 1 to 9999"):
        house.export(version=0)
