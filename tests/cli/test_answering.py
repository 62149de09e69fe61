"""`rebase --edit`: what becomes of a conflict, from the folder to the recipe and back again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from kpatch_rs.commands import apply, rebase
from kpatch_rs.commands.rendering import RenderReport
from kpatch_rs.commands.session import Session
from kpatch_rs.engine.render import render
from kpatch_rs.errors import Conflict, KpatchError, Refused, Usage
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.model.outcome import Status
from tests.repos import Surroundings, snapshot

SERIES = """format = 1
name = "twice"
base = "old"
change-id = "20260101-twice-0123456789ab"
"""
RECIPE = """id = "{id}"
subject = "x: Do {id}"
author = "A Maintainer <a@example.org>"

# it is a patch
[[edit]]
kind = "patch"    # as it was mailed
diff = "files/{id}.diff"
"""
DIFF = """diff --git a/drivers/{id}.c b/drivers/{id}.c
--- a/drivers/{id}.c
+++ b/drivers/{id}.c
@@ -1,3 +1,3 @@
 one
-two
+rust
 three
"""
OLD, NEW = b"one\ntwo\nthree\n", b"one\n2\nthree\n"
ANSWER = b"one\n2 rust\nthree\n"


def makefile(version: str) -> bytes:
    names = ("VERSION", "PATCHLEVEL", "SUBLEVEL")
    return "".join(f"{n} = {v}\n" for n, v in zip(names, version.split("."), strict=True)).encode()


class Desk:
    """A kernel with tags `old` (6.12.1) and `new` (7.2.0), a series, and verbs run on them."""

    def __init__(self, around: Surroundings, kernel: Path, top: Path, *ids: str) -> None:
        self.around, self.kernel, self.ids = around, kernel, ids
        self.tag("old", {"Makefile": makefile("6.12.1"), **dict.fromkeys(self.files(), OLD)})
        self.tag("new", {"Makefile": makefile("7.2.0"), **dict.fromkeys(self.files(), NEW)})
        folder = top / "series/twice"
        (folder / "files").mkdir(parents=True)
        (folder / "series.toml").write_text(SERIES)
        for number, id_ in enumerate(ids, 1):
            (folder / f"000{number}-{id_}.toml").write_text(RECIPE.format(id=id_))
            (folder / f"files/{id_}.diff").write_text(DIFF.format(id=id_))
        self.series = folder
        self.session = Session(
            kernel=kernel,
            series="twice",
            cwd=top,
            cache=top / "cache",
            state=top / "state",
            environment=dict(around.environment),
            progress=lambda _: None,
        )

    def files(self) -> list[str]:
        return [f"drivers/{id_}.c" for id_ in self.ids]

    def tag(self, name: str, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            (self.kernel / path).parent.mkdir(parents=True, exist_ok=True)
            (self.kernel / path).write_bytes(data)
        self.around.git(self.kernel, "add", "-A")
        self.around.git(self.kernel, "commit", "-q", "--allow-empty", "-m", name)
        self.around.git(self.kernel, "tag", name)

    def apply(self) -> RenderReport:
        return apply.run(self.session, onto=None, branch=None, dry_run=False)

    def rebase(
        self, rev: str, *, edit: bool = True, dry_run: bool = False, branch: str | None = None
    ) -> RenderReport:
        how = {"check": False, "dry_run": dry_run, "range_diff": False}
        return rebase.run(self.session, rev, **how, edit=edit, branch=branch)

    @property
    def folders(self) -> list[Path]:
        return sorted((self.session.state / "answers").glob("*"))

    @property
    def folder(self) -> Path:
        (found,) = self.folders
        return found

    def answer(self, id_: str, data: bytes = ANSWER) -> None:
        (self.folder / f"drivers/{id_}.c").write_bytes(data)

    def recipe(self, id_: str) -> str:
        (file,) = self.series.glob(f"*-{id_}.toml")
        return file.read_text()

    def trees(self) -> list[str | None]:
        with self.session.open_kernel() as repository:
            view = OperationLog(repository, "twice").current()
        assert view is not None
        return [step.tree for step in view.steps]

    def all(self) -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in self.series.rglob("*") if p.is_file()}


@pytest.fixture
def desk(around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path) -> Desk:
    made = Desk(around, kernel_repo(), tmp_path, "a", "b")
    made.apply()
    return made


def test_the_whole_dialogue(desk: Desk) -> None:
    old = desk.trees()
    work_tree = snapshot(desk.kernel)
    first = desk.rebase("new")
    assert first.exit_code == 3
    assert [s.recipe.id for s in first.conflicts] == ["a", "b"], "one report with all"
    assert first.asked is not None
    assert first.as_json()["asked"]["markers"] == ["drivers/a.c:2"]
    desk.answer("a")
    second = desk.rebase("new")
    assert second.as_json()["asked"]["step"] == "b"
    assert "Branch and base were not changed" in second.as_text()
    assert desk.recipe("a").startswith(RECIPE.format(id="a")), "comments and order stay"
    assert desk.recipe("b") == RECIPE.format(id="b")
    assert desk.trees() == old
    assert (desk.folder / "drivers/a.c").read_bytes() == ANSWER, "the step before is in"
    desk.answer("b")
    done = desk.rebase("new")
    assert (done.exit_code, desk.folders) == (0, [])
    new = desk.trees()
    for rev, trees in (("old", old), ("new", new), ("old", old)):
        assert desk.rebase(rev, edit=False).exit_code == 0
        assert desk.trees() == trees, "nothing is asked again, and every byte is the same"
    same = {k: v for k, v in snapshot(desk.kernel).items() if "/.git/" not in k or "index" in k}
    assert same.items() <= work_tree.items()
    assert desk.around.git(desk.kernel, "for-each-ref", "refs/kpatch-rs", "refs/tags/was") == ""


def test_a_variant_says_from_when_on(desk: Desk) -> None:
    for id_ in ("a", "b"):
        desk.rebase("new")
        desk.answer(id_)
    desk.rebase("new")
    assert desk.recipe("a") == RECIPE.format(id="a") + (
        '\n[[variant]]\nwhen = {min = "7.2"}\n\n'
        '[[variant.edit]]\nkind = "patch"\ndiff = "files/0001-a-7.2.diff"\n'
    )
    assert b"+2 rust\n" in (desk.series / "files/0001-a-7.2.diff").read_bytes()


def test_the_hint_of_a_plain_rebase(desk: Desk) -> None:
    for dry_run in (False, True):
        said = desk.rebase("new", edit=False, dry_run=dry_run).as_text()
        again = f"kpatch-rs -s {desk.session.series} rebase new --edit"
        assert said.endswith(f"answer it once and for all: {again}")
    assert desk.folders == []


def test_markers_that_are_left(desk: Desk) -> None:
    desk.rebase("new")
    before = desk.all()
    with pytest.raises(Conflict, match=r"^drivers/a\.c:2: a conflict marker, in ") as caught:
        desk.rebase("new")
    assert caught.value.hint == "resolve what is left there: drivers/a.c:2"
    desk.answer("a", b"one\n2\n=======\n2 rust\nthree\n")
    with pytest.raises(Conflict, match=r"^drivers/a\.c:3: a conflict marker"):
        desk.rebase("new")
    assert desk.all() == before


def test_no_answer_is_none(desk: Desk) -> None:
    desk.rebase("new")
    desk.answer("a", NEW)
    with pytest.raises(Conflict, match=r"nothing was changed in .* to answer step a") as caught:
        desk.rebase("new")
    assert '[[variant]] when = { min = "7.2" }' in caught.value.hint
    # as the hint says
    recipe = desk.series / "0001-a.toml"
    recipe.write_text(recipe.read_text() + '\n[[variant]]\nwhen = { min = "7.2" }\n')
    shutil.rmtree(desk.folder)
    report = desk.rebase("new")
    assert [s.status for s in report.steps] == ["skipped", "conflict"]


def test_what_is_pending_is_not_forgotten(desk: Desk) -> None:
    desk.rebase("new")
    desk.answer("a")
    with pytest.raises(Refused, match="for step a on new is pending") as caught:
        desk.rebase("old")
    assert f"rm -rf {desk.folder}" in caught.value.hint
    recipe = desk.series / "0002-b.toml"
    recipe.write_text(recipe.read_text().replace("Do b", "Do c"))
    with pytest.raises(Refused, match="the series has changed since step a was laid out"):
        desk.rebase("new")
    assert (desk.folder / "drivers/a.c").read_bytes() == ANSWER
    recipe.write_text(recipe.read_text().replace("Do c", "Do b") + "# only said\n")
    assert desk.rebase("new").as_json()["asked"]["step"] == "b"


def test_a_folder_that_is_gone_is_made_again(desk: Desk) -> None:
    desk.rebase("new")
    folder = desk.folder
    shutil.rmtree(folder)
    (folder.parent / f".{folder.name}.1234").mkdir()
    assert desk.rebase("new").as_json()["asked"]["folder"] == str(folder)
    assert [p for p in folder.parent.iterdir() if p != folder] == [], "no half folder stays"


@pytest.mark.parametrize("note", ["{", "[]", '{"format": 2}', "\x00"])
def test_a_note_that_is_damaged(desk: Desk, note: str) -> None:
    desk.rebase("new")
    (desk.folder / ".git/kpatch-rs.json").write_text(note)
    with pytest.raises(KpatchError, match="what is asked there cannot be read") as caught:
        desk.rebase("new")
    assert caught.value.hint.startswith("begin again, and keep what you did: mv ")


def test_something_else_in_its_place(desk: Desk) -> None:
    desk.rebase("new")
    folder = desk.folder
    shutil.rmtree(folder)
    folder.write_text("mine\n")
    with pytest.raises(KpatchError, match="is no answer folder that kpatch-rs made"):
        desk.rebase("new")
    assert folder.read_text() == "mine\n"


def test_edit_and_dry_run(desk: Desk) -> None:
    with pytest.raises(Usage, match="--edit writes, and --dry-run does not"):
        desk.rebase("new", dry_run=True)


def test_a_file_of_the_series_is_never_overwritten(desk: Desk) -> None:
    (desk.series / "files/0001-a-7.2.diff").write_text("mine\n")
    desk.rebase("new")
    desk.answer("a")
    desk.rebase("new")
    assert (desk.series / "files/0001-a-7.2.diff").read_text() == "mine\n"
    assert 'diff = "files/0001-a-7.2-2.diff"' in desk.recipe("a")


def test_stopped_between_the_recipe_and_the_end_of_the_folder(desk: Desk) -> None:
    """What stands in the recipe already is not taken a second time."""
    desk.rebase("new")
    desk.answer("a")
    kept = desk.session.cwd / "kept"
    note = desk.folder / ".git/kpatch-rs.json"
    shutil.copytree(desk.folder, kept, symlinks=True)
    desk.rebase("new")
    recipes, folder = desk.all(), desk.folder
    shutil.rmtree(folder)
    kept.rename(folder)
    said = json.loads(note.read_text())
    note.write_text(json.dumps({**said, "answered": desk.session.load_series().digest()}))
    report = desk.rebase("new")
    assert (report.answered, report.as_json()["asked"]["step"]) == ("", "b")
    assert desk.all() == recipes


def test_trees_of_one_release(desk: Desk) -> None:
    """No version tells them apart: the variant counts where the recipe's own edits do not fit."""
    desk.tag("next", {"Makefile": makefile("6.12.9")})
    for id_ in ("a", "b"):
        desk.rebase("next")
        desk.answer(id_)
    old = desk.trees()
    assert desk.rebase("next").exit_code == 0
    assert "\n[[variant]]\n\n[[variant.edit]]\n" in desk.recipe("a")
    new = desk.trees()
    for rev, trees in (("old", old), ("next", new)):
        assert desk.rebase(rev, edit=False).exit_code == 0
        assert desk.trees() == trees


def test_new_files_modes_and_links_of_an_answer(desk: Desk) -> None:
    """Also in folders that are not checked out, and whatever was staged or committed there."""
    desk.rebase("new")
    desk.answer("a")
    folder = desk.folder
    (folder / "tools/new").mkdir(parents=True)
    (folder / "tools/new/run").write_bytes(b"#!/bin/sh\r\n")
    (folder / "tools/new/run").chmod(0o755)
    (folder / "tools/link").symlink_to("new/run")
    (folder / "Makefile").write_bytes(makefile("7.2.0") + b"# more\n")
    desk.around.git(folder, "add", "--sparse", "tools", "drivers/a.c")
    desk.around.git(folder, "commit", "-q", "-m", "mine")
    desk.rebase("new")
    report = desk.rebase("new", edit=False)
    step = report.steps[0]
    changed = {p.decode(): f for p, f in step.after.changed_since(step.before).items()}
    assert set(changed) == {"Makefile", "drivers/a.c", "tools/link", "tools/new/run"}
    assert changed["tools/new/run"] is not None
    assert (changed["tools/new/run"].mode, changed["tools/new/run"].data) == (
        "100755",
        b"#!/bin/sh\r\n",
    )
    assert changed["tools/link"] is not None
    assert changed["tools/link"].mode == "120000"


def test_a_binary_answer_is_refused(desk: Desk) -> None:
    desk.rebase("new")
    desk.answer("a", b"\0\1")
    before = desk.all()
    with pytest.raises(KpatchError) as caught:
        desk.rebase("new")
    assert caught.value.message.startswith("the answer for step a: drivers/a.c is binary")
    assert (desk.all(), len(desk.folders)) == (before, 1)


def test_the_users_git_plays_no_part(desk: Desk) -> None:
    """Line ends, filters, hooks and attributes of the user's and of the tree change no byte."""
    canary = desk.session.cwd / "canary"
    config = Path(desk.around.environment["HOME"]) / ".gitconfig"
    config.write_text(
        f"{config.read_text()}[core]\n\tautocrlf = true\n\thooksPath = {desk.session.cwd}\n"
        f'[filter "x"]\n\tclean = touch {canary}; tr a-z A-Z\n\tsmudge = touch {canary}; cat\n'
    )
    hook = desk.session.cwd / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {canary}\n")
    hook.chmod(0o755)
    (desk.kernel / ".gitattributes").write_text("*.c filter=x text=auto\n")
    (desk.kernel / ".git/hooks").mkdir(exist_ok=True)
    shutil.copy(hook, desk.kernel / ".git/hooks/post-checkout")
    desk.around.git(desk.kernel, "add", ".gitattributes")
    desk.around.git(desk.kernel, "commit", "-q", "-m", "attributes")
    desk.around.git(desk.kernel, "tag", "worse")
    canary.unlink(missing_ok=True)
    desk.rebase("worse")
    desk.answer("a", b"one\r\n2 rust\r\nthree\r\n")
    desk.rebase("worse")
    assert not canary.exists()
    assert (desk.folder / "drivers/a.c").read_bytes() == b"one\r\n2 rust\r\nthree\r\n"


def test_another_series_has_another_folder(desk: Desk) -> None:
    desk.rebase("new")
    shutil.copytree(desk.series, desk.series.with_name("copy"))
    other = replace(desk.session, series="copy")
    rebase.run(other, "new", check=False, dry_run=False, range_diff=False, edit=True)
    assert len(desk.folders) == 2


def test_a_file_that_is_gone_has_to_be_dealt_with(desk: Desk) -> None:
    """Left as it was laid out, the folder would be an answer that lacks something."""
    (desk.kernel / "drivers/a.c").unlink()
    desk.tag("gone", {"drivers/new.c": b"all\nof it\nis written\nanew\n"})
    asked = desk.rebase("gone").as_json()["asked"]
    assert (asked["markers"], asked["left"]) == ([], ["drivers/a.c: gone has no such file"])
    with pytest.raises(Conflict, match="nothing was changed in"):
        desk.rebase("gone")
    (desk.folder / "drivers/new.c").write_bytes(b"all\nof it\nis rust\nanew\n")
    assert desk.rebase("gone").answered.startswith("a: the answer is in 0001-a.toml now")


def test_a_file_under_another_name_is_laid_out_there(desk: Desk) -> None:
    (desk.kernel / "drivers/a.c").unlink()
    desk.tag("gone", {"drivers/moved.c": b"zero\none\n2\nthree\n"})
    asked = desk.rebase("gone").as_json()["asked"]
    assert (asked["markers"], asked["left"]) == (["drivers/moved.c:3"], [])
    (desk.folder / "drivers/moved.c").write_bytes(b"zero\none\n2 rust\nthree\n")
    assert desk.rebase("gone").answered.startswith("a: the answer is in 0001-a.toml now")


def test_what_merged_may_stay_as_it_is(desk: Desk) -> None:
    """git merges what the recipe does not: it was shown, and is taken when asked for again."""
    desk.tag("twice", {"drivers/a.c": b"zero\n" + OLD + b"more\n" + OLD, "drivers/b.c": OLD})
    report = desk.rebase("twice")
    assert [step.status for step in report.steps] == ["conflict", "exact"]
    assert "all of it merged; if it is right, leave it as it is" in report.as_text()
    merged = (desk.folder / "drivers/a.c").read_bytes()
    assert merged.count(b"rust") == 1
    (step, _) = desk.rebase("twice").steps
    (file,) = step.after.changed_since(step.before).values()
    assert file is not None
    assert file.data == merged


def test_an_answer_that_was_taken_is_told_of_with_what_went_wrong_then(desk: Desk) -> None:
    for id_ in ("a", "b"):
        desk.rebase("new")
        desk.answer(id_)
    lock = desk.kernel / ".git/refs/heads/kpatch/twice.lock"
    lock.touch()
    with pytest.raises(KpatchError) as caught:
        desk.rebase("new")
    assert caught.value.message.startswith("b: the answer is in 0002-b.toml now: a variant on")
    assert f"; but {lock} is in the way" in caught.value.message
    lock.unlink()
    assert desk.rebase("new").exit_code == 0


def test_a_branch_that_cannot_move_is_refused_before_anything_is_asked_or_taken(desk: Desk) -> None:
    desk.around.git(desk.kernel, "checkout", "-q", "kpatch/twice")
    with pytest.raises(Refused, match="branch kpatch/twice is checked out"):
        desk.rebase("new")
    assert desk.folders == []
    report = desk.rebase("new", branch="kpatch/twice-new", edit=False)
    assert report.as_text().endswith(
        "kpatch-rs -s twice rebase new --branch kpatch/twice-new --edit"
    )
    report = desk.rebase("new", branch="kpatch/twice-new")
    assert "rebase new --branch kpatch/twice-new --edit\n" in report.as_text()
    desk.answer("a")
    with pytest.raises(Refused, match="is pending") as caught:
        desk.rebase("old", branch="kpatch/twice-new")
    assert " rebase new --branch kpatch/twice-new --edit; or drop it" in caught.value.hint
    desk.rebase("new", branch="kpatch/twice-new")
    desk.answer("b")
    assert desk.rebase("new", branch="kpatch/twice-new").exit_code == 0
    kept = desk.around.git(desk.kernel, "rev-parse", "kpatch/twice-new~2", "kpatch/twice~2")
    assert kept == desk.around.git(desk.kernel, "rev-parse", "new", "old")


def test_two_at_once(desk: Desk) -> None:
    """One lays out, or takes, and the other finds what that one left."""

    def run(_: int) -> str:
        try:
            return str(desk.rebase("new").as_json()["asked"]["step"])
        except Conflict as conflict:
            return conflict.message.partition(":")[0]

    def both() -> list[str]:
        with ThreadPoolExecutor(2) as runs:
            return sorted(runs.map(run, range(2)))

    assert both() == ["a", "drivers/a.c"]
    desk.answer("a")
    assert both() == ["b", "drivers/b.c"]
    assert desk.recipe("a").count("[[variant]]") == 1


def test_a_rust_file_may_differ_without_being_copied(
    around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path
) -> None:
    """A guarded patch on top of the one source, in the same recipe."""
    desk = Desk(around, kernel_repo(), tmp_path)
    rust = {
        "init/Kconfig": b"config RUST\n",
        "scripts/Makefile.build": b"$(obj)/%.o: $(obj)/%.rs\n",
    }
    desk.tag("old-rust", {"Makefile": makefile("6.12.1"), **rust})
    desk.tag("new-rust", {"Makefile": makefile("7.2.0")})
    source = b'// SPDX-License-Identifier: GPL-2.0\n#[no_mangle]\npub extern "C" fn f() {}\n'
    (desk.series / "files/f.rs").write_bytes(source)
    (desk.series / "files/f-7.2.diff").write_text(
        "diff --git a/drivers/f.rs b/drivers/f.rs\n--- a/drivers/f.rs\n+++ b/drivers/f.rs\n"
        "@@ -1,3 +1,3 @@\n // SPDX-License-Identifier: GPL-2.0\n"
        '-#[no_mangle]\n+#[export]\n pub extern "C" fn f() {}\n'
    )
    (desk.series / "0001-f.toml").write_text(
        'id = "f"\nsubject = "x: Add f"\n'
        '[[edit]]\nkind = "rust-file"\npath = "drivers/f.rs"\nsource = "files/f.rs"\n'
        '[[edit]]\nkind = "patch"\ndiff = "files/f-7.2.diff"\nwhen = { min = "6.15" }\n'
    )
    for rev, first in (("old-rust", b"#[no_mangle]"), ("new-rust", b"#[export]")):
        (step,) = desk.rebase(rev, edit=False).steps
        (file,) = step.after.changed_since(step.before).values()
        assert file is not None
        assert file.data == source.replace(b"#[no_mangle]", first)
        with desk.session.open_kernel() as repository:
            log = OperationLog(repository, desk.session.load_series().name).current()
            assert log is not None
            assert log.tip is not None
            own = repository.tree(log.tip)
            (again,) = render(desk.session.load_series(), own, repository.history())
        assert again.status is Status.PRESENT, again.reason
