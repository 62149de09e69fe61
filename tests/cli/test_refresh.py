"""refresh: what a person does to the rendered branch comes back into the recipes, whole.

The person works as people do: git commands in a work tree with the branch checked out.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields

import pytest

from kpatch_rs.cli import main
from kpatch_rs.commands import rebase, refresh, status, undo
from kpatch_rs.demo import SECOND_RELEASE
from kpatch_rs.errors import Refused
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.loader.save import Prepared
from kpatch_rs.model.series import Edit, Payload
from tests.cli.desk import BASE, BRANCH, RUST, Desk, changed, refused
from tests.test_json import keys, section


def test_nothing_to_do(desk: Desk) -> None:
    before = desk.files()
    report = refresh.run(desk.session, dry_run=False)
    assert report.as_text() == f"nothing to refresh: {BRANCH} is as rendered"
    assert desk.files() == before
    with desk.session.open_kernel() as repository:
        assert len(OperationLog(repository, "mini-rust-hello").entries()) == 1


def test_amended_payload(desk: Desk) -> None:
    """More lines at its end, too: the file changes, and no diff comes beside it."""
    before = desk.files()

    def change() -> None:
        desk.swap(RUST, "Hello from Rust", "Hi from Rust")
        desk.write(RUST, (desk.tree / RUST).read_bytes() + b"\n// The end.\n")

    desk.amend(1, change)
    assert desk.refresh() == {"rust-file": ("edits",)}
    assert changed(before, desk.files()) == {"files/rust_hello.rs"}
    assert (desk.series / "files/rust_hello.rs").read_bytes() == (desk.tree / RUST).read_bytes()


def test_only_more_lines_in_a_payload(desk: Desk) -> None:
    more = (desk.tree / RUST).read_bytes() + b"// The end.\n"
    before = desk.files()
    desk.amend(1, lambda: desk.write(RUST, more))
    assert desk.refresh() == {"rust-file": ("edits",)}
    assert changed(before, desk.files()) == {"files/rust_hello.rs"}


def test_amended_keys_leave_the_rest_of_the_file(bare: Desk) -> None:
    """A comment, a guard and an anchor that no lift would find stay as they are."""
    file = bare.series / "0005-c-call.toml"
    text = file.read_text().replace('kind = "c-call"', '# late enough\nkind = "c-call"   # a call')
    text = text.replace("[[edit]]", '# why\nnotes = "one"\n\n# the call\n[[edit]]')
    file.write_text(text + 'when = { min = "6.1" } # Rust\n')
    bare.render()
    bare.sit_down()
    before = bare.text("0005-c-call.toml")
    x86 = "arch/x86/kvm/x86.c"
    bare.amend(5, lambda: bare.swap(x86, "\thello_from_rust();", "\thello_again();"))
    assert bare.refresh() == {"c-call": ("edits",)}
    after = bare.text("0005-c-call.toml")
    assert after == before.replace("hello_from_rust();", "hello_again();")


def test_reword(desk: Desk) -> None:
    """Only the subject's line changes in the file."""
    before = desk.files()
    body = desk.message(3)
    message = body.replace("Build the Rust greeting", "Build the greeting")
    desk.amend(3, lambda: None, "-m", message)
    assert desk.refresh() == {"kbuild": ("message",)}
    assert changed(before, desk.files()) == {"0003-kbuild.toml"}
    old, new = before["0003-kbuild.toml"].decode(), desk.text("0003-kbuild.toml")
    assert new == old.replace("Build the Rust greeting", "Build the greeting")


def test_reword_body_and_trailers(desk: Desk) -> None:
    message = desk.message(3).replace("symbol.", "symbol, at last.")
    tested = "Tested-by: B <b@example.org>"
    desk.amend(3, lambda: None, "-m", message.rstrip("\n") + f"\n{tested}\n")
    old = desk.text("0003-kbuild.toml")
    assert desk.refresh() == {"kbuild": ("message",)}
    new = desk.text("0003-kbuild.toml")
    trailer = '"Signed-off-by: A Maintainer <maintainer@example.org>"'
    assert new == old.replace("symbol.", "symbol, at last.").replace(
        f"[{trailer}]", f'[{trailer}, "{tested}"]'
    )


def test_author_is_written_only_where_somebody_changed_it(desk: Desk) -> None:
    desk.amend(2, lambda: None, "--author", "B <b@example.org>", "--date", "1600000000 +0200")
    assert desk.refresh() == {"kconfig": ("message",)}
    recipe = desk.recipes()["kconfig"]
    assert (str(recipe.author), recipe.date) == ("B <b@example.org>", "1600000000 +0200")
    assert all(r.date is None for r in desk.recipes().values() if r.id != "kconfig")


def test_recipes_without_author_stay_without(bare: Desk) -> None:
    author = 'author = "A Maintainer <maintainer@example.org>"\n'
    for file in bare.series.glob("0*.toml"):
        file.write_text(file.read_text().replace(author, ""))
    bare.render()
    bare.sit_down()
    bare.amend(1, lambda: bare.swap(RUST, "Hello", "Hi"), "--date", "1600000000 +0200")
    bare.write("Documentation/new.rst", b"New\n")
    bare.git("add", "-A")
    bare.git("commit", "-q", "-m", "docs: Add new")
    assert bare.refresh() == {"rust-file": ("edits",), "docs-add-new": ("new",)}
    assert all((r.author, r.date) == (None, None) for r in bare.recipes().values())


def test_reorder(desk: Desk) -> None:
    """One recipe moves: one file is renamed, and its text stays."""
    before = desk.files()
    desk.todo(*(f"pick {n}" for n in (7, 1, 2, 3, 4, 5, 6)))
    news = desk.refresh()
    assert news["maintainers"] == ("place",)
    assert next(iter(desk.recipes())) == "maintainers"
    assert sorted(before.values()) == sorted(desk.files().values())


def test_drop(desk: Desk) -> None:
    """The recipe goes, with the file nobody else names; no other file changes."""
    before = desk.files()
    desk.write("keep", b"")
    desk.git("reset", "-q", "--hard", f"{BRANCH}~1")
    assert desk.refresh() == {"maintainers": ("dropped",)}
    assert changed(before, desk.files()) == {"0007-maintainers.toml"}


def test_dropped_payload_goes(desk: Desk) -> None:
    desk.todo(*(f"pick {n}" for n in (2, 3, 4, 5, 6)))
    before = desk.files()
    news = desk.refresh()
    assert news == {"rust-file": ("dropped",), "maintainers": ("dropped",)}
    gone = set(before) - set(desk.files())
    assert gone == {"0001-rust-file.toml", "0007-maintainers.toml", "files/rust_hello.rs"}


def test_insert(desk: Desk) -> None:
    """A new recipe in between, of the kind it is; those behind it make room."""
    desk.git("checkout", "-q", "--detach", desk.commits()[2])
    rest = desk.commits()[3:]
    desk.write("arch/x86/kvm/more.rs", b"// SPDX-License-Identifier: GPL-2.0\n\n//! More.\n")
    desk.git("add", "-A")
    desk.git("commit", "-q", "-m", "KVM: x86: Add more Rust\n\nWhy not.")
    desk.git("cherry-pick", *rest)
    desk.git("checkout", "-q", "-B", BRANCH)
    news = desk.refresh()
    assert news["kvm-x86-add-more-rust"] == ("new",)
    names = [recipe.where.file for recipe in desk.recipes().values()]
    assert names[2:5] == [
        "0003-kbuild.toml",
        "0004-kvm-x86-add-more-rust.toml",
        "0005-c-declare.toml",
    ]
    added = desk.recipes()["kvm-x86-add-more-rust"]
    assert [edit.kind for edit in added.edits] == ["rust-file"]
    assert (added.body, added.author, added.date) == ("Why not.", None, None)


def test_squash_keeps_both_tables(desk: Desk) -> None:
    """Two commits become one: one recipe with the edits of both, as they were written."""
    tables = [
        desk.text(f).partition("[[edit]]")[2] for f in ("0002-kconfig.toml", "0003-kbuild.toml")
    ]
    desk.todo(*("pick 1", "pick 2", "fixup 3", "pick 4", "pick 5", "pick 6", "pick 7"))
    assert desk.refresh() == {"kconfig": ("edits",), "kbuild": ("dropped",)}
    text = desk.text("0002-kconfig.toml")
    assert text.endswith("\n[[edit]]".join(["", *tables]))


def test_squash_of_what_no_lift_would_find(bare: Desk) -> None:
    """A statement that is no plain call, and the comment above its table, go along."""
    file = bare.series / "0005-c-call.toml"
    text = file.read_text().replace('"hello', r'"if (nr_features)\n\thello')
    head, _, table = text.partition("[[edit]]")
    file.write_text(f"{head}# say hello\n[[edit]]{table}")
    bare.render()
    bare.sit_down()
    bare.todo(*("pick 1", "pick 2", "pick 3", "pick 4", "fixup 5", "pick 6", "pick 7"))
    assert bare.refresh() == {"c-declare": ("edits",), "c-call": ("dropped",)}
    assert bare.text("0004-c-declare.toml").endswith(f"\n\n# say hello\n[[edit]]{table}")


def test_an_edit_for_another_kernel_stays(bare: Desk) -> None:
    """Also where the one for this kernel gives way to a diff."""
    file = bare.series / "0005-c-call.toml"
    table = file.read_text().partition("[[edit]]")[2]
    other = f'\n# some day\n[[edit]]{table}when = {{ min = "9.1" }}\n'
    file.write_text(file.read_text() + other)
    bare.render()
    bare.sit_down()
    x86 = "arch/x86/kvm/x86.c"
    bare.amend(5, lambda: bare.swap(x86, "\thello_from", "\thello_again(); hello_from"))
    assert bare.refresh() == {"c-call": ("edits",)}
    assert [edit.kind for edit in bare.recipes()["c-call"].edits] == ["c-call", "patch"]
    assert other.strip() in bare.text("0005-c-call.toml")


def test_two_changed_payloads_are_better_than_one_diff(bare: Desk) -> None:
    two = '\n[[edit]]\nkind = "rust-file"\npath = "arch/x86/kvm/two.rs"\nsource = "files/two.rs"\n'
    file = bare.series / "0001-rust-file.toml"
    file.write_text(file.read_text() + two)
    (bare.series / "files/two.rs").write_bytes(b"// SPDX-License-Identifier: GPL-2.0\n\n//! Two.\n")
    bare.render()
    bare.sit_down()
    before = bare.files()

    def change() -> None:
        for name in (RUST, "arch/x86/kvm/two.rs"):
            bare.write(name, (bare.tree / name).read_bytes() + b"// The end.\n")

    bare.amend(1, change)
    assert bare.refresh() == {"rust-file": ("edits",)}
    assert changed(before, bare.files()) == {"files/rust_hello.rs", "files/two.rs"}


def test_split(desk: Desk) -> None:
    """One commit of two edits becomes two: each edit goes with its part."""
    desk.todo(*("pick 1", "pick 2", "fixup 3", "pick 4", "pick 5", "pick 6", "pick 7"))
    desk.refresh()
    rest = desk.commits()[2:]
    tables = {e.kind for e in desk.recipes()["kconfig"].edits}
    assert tables == {"kconfig", "kbuild"}
    desk.git("checkout", "-q", "--detach", desk.commits()[1])
    message = desk.message(2)
    desk.git("reset", "-q", "HEAD~1")
    desk.git("add", "arch/x86/kvm/Makefile")
    desk.git("commit", "-q", "-m", "KVM: x86: Build it first")
    desk.git("commit", "-q", "-a", "-m", message)
    desk.git("cherry-pick", *rest)
    desk.git("checkout", "-q", "-B", BRANCH)
    news = desk.refresh()
    assert news["kvm-x86-build-it-first"] == ("new",)
    recipes = desk.recipes()
    assert [e.kind for e in recipes["kvm-x86-build-it-first"].edits] == ["kbuild"]
    assert [e.kind for e in recipes["kconfig"].edits] == ["kconfig"]


def test_all_at_once_then_the_next_kernel(desk: Desk) -> None:
    """Amend, reword, reorder, drop and insert in one go; then rebase with no hands."""
    desk.todo(*(f"pick {n}" for n in (2, 1, 4, 3, 5, 6)))
    desk.amend(2, lambda: desk.swap(RUST, "Hello from Rust", "Hi"))
    desk.amend(4, lambda: None, "-m", "KVM: x86: Build it\n\nShort.")
    desk.write("MAINTAINERS.rust", b"me\n")
    desk.git("add", "-A")
    desk.git("commit", "-q", "-m", "MAINTAINERS: Add another file")
    news = desk.refresh()
    assert news["maintainers"] == ("dropped",)
    assert news["kbuild"][0] == "message"
    desk.git("checkout", "-q", "--detach")
    report = rebase.run(desk.session, SECOND_RELEASE, check=False, dry_run=False, range_diff=False)
    assert report.exit_code == 0
    kinds = {e.kind for r in desk.recipes().values() for e in r.edits}
    assert kinds == {
        "kconfig",
        "rust-file",
        "c-declare",
        "kbuild",
        "c-call",
        "rust-analyzer",
        "patch",
    }


def test_what_had_no_commit_stays_where_it_was(bare: Desk) -> None:
    (bare.series / "0003a-later.toml").write_text(
        'id = "later"\nsubject = "Later"\nwhen = { min = "9.1" } # some day\n\n'
        '[[edit]]\nkind = "c-include"\nfile = "arch/x86/kvm/x86.c"\nheader = "<linux/rust.h>"\n'
    )
    bare.render()
    bare.sit_down()
    text = bare.text("0003a-later.toml")
    bare.todo(*(f"pick {n}" for n in (3, 1, 2, 4, 5, 6, 7)))
    bare.refresh()
    recipes = list(bare.recipes().values())
    assert [r.id for r in recipes][:4] == ["kbuild", "later", "rust-file", "kconfig"]
    assert bare.text(recipes[1].where.file) == text


def test_a_fragment_that_is_a_payload_too_stays(desk: Desk) -> None:
    desk.todo(*(f"pick {n}" for n in (2, 3, 4, 5, 6)))
    desk.refresh()
    assert "kvm.config" in desk.files()


def test_odd_files(desk: Desk) -> None:
    """Bytes that are no UTF-8, CR, no last line end, a mode, an odd name."""
    desk.write("Documentation/latin-1.txt", b"caf\xe9\r\n")
    desk.write("Documentation/no-line-end.txt", b"one\ntwo")
    desk.write("odd 'name' é.txt", b"odd\n")
    desk.write("tools/script.sh", b"#!/bin/sh\n")
    (desk.tree / "tools/script.sh").chmod(0o755)
    desk.git("add", "-A")
    desk.git("commit", "-q", "-m", "Add it")
    assert desk.refresh() == {"add-it": ("new",)}


def test_rename_link_and_mode(desk: Desk) -> None:
    desk.git("mv", "arch/x86/kvm/x86.h", "arch/x86/kvm/kvm86.h")
    (desk.tree / "link").symlink_to("Makefile")
    (desk.tree / "Makefile").chmod(0o755)
    desk.git("add", "-A")
    desk.git("commit", "-q", "-m", "Rename, link, mode")
    assert desk.refresh() == {"rename-link-mode": ("new",)}


def test_undo_and_redo(desk: Desk) -> None:
    """The earlier rendering is on the branch again; the recipes are put back by hand."""
    old, before = desk.git("rev-parse", BRANCH), desk.files()
    desk.amend(1, lambda: desk.swap(RUST, "Hello", "Hi"))
    desk.refresh()
    new, after = desk.git("rev-parse", BRANCH), desk.files()
    with pytest.raises(Refused, match="checked out"):
        undo.run(desk.session, None)
    desk.git("checkout", "-q", "--detach")
    report = undo.run(desk.session, None)
    assert "the recipes stay as refresh wrote them" in report.as_text()
    assert (desk.git("rev-parse", BRANCH), desk.files()) == (old, after)
    for name in changed(before, after):
        (desk.series / name).write_bytes(before[name])
    assert not status.run(desk.session).series_changed
    undo.run(desk.session, report.operation.id)
    assert desk.git("rev-parse", BRANCH) == new


def test_dry_run_shows_and_changes_nothing(desk: Desk) -> None:
    before, refs = desk.files(), desk.around.refs(desk.kernel)
    desk.amend(1, lambda: desk.swap(RUST, "Hello", "Hi"))
    after = desk.around.refs(desk.kernel)
    asked = refresh.run(desk.session, dry_run=True)
    assert (desk.files(), desk.around.refs(desk.kernel)) == (before, after) != (before, refs)
    done = refresh.run(desk.session, dry_run=False)
    assert done.diff == asked.diff
    assert '+    pr_info!("Hi from Rust' in done.as_text()
    assert refresh.run(desk.session, dry_run=False).rows == ()


def test_apply_afterwards_is_not_refused(desk: Desk) -> None:
    desk.amend(1, lambda: desk.swap(RUST, "Hello", "Hi"))
    desk.refresh()
    trees = desk.told(f"{BASE}..{BRANCH}", "%T")
    desk.git("checkout", "-q", "--detach")
    desk.render()
    assert desk.told(f"{BASE}..{BRANCH}", "%T") == trees


def test_killed_before_the_files_were_there(desk: Desk) -> None:
    """The log knows the commits, the files are old: refresh does it again."""
    before = desk.files()
    desk.amend(1, lambda: desk.swap(RUST, "Hello", "Hi"))
    desk.refresh()
    after = desk.files()
    for name in changed(before, after):
        (desk.series / name).write_bytes(before[name])
    assert desk.refresh() == {"rust-file": ("edits",)}
    assert desk.files() == after


def test_not_rendered(bare: Desk) -> None:
    assert "not rendered yet" in refused(bare).message


def test_branch_deleted(desk: Desk) -> None:
    desk.git("checkout", "-q", "--detach")
    desk.git("branch", "-q", "-D", BRANCH)
    assert "is not there any more" in refused(desk).message


def test_in_the_middle_of_a_rebase(desk: Desk) -> None:
    """The branch is where it was until the rebase ends: that nobody edited it would not be true."""
    editor = "sequence.editor=sed -i 1s/pick/edit/"
    desk.git("-c", editor, "rebase", "-q", "-i", f"{BRANCH}~2")
    assert f"{BRANCH} is being rebased or bisected in {desk.tree}" in refused(desk, Refused).message
    desk.git("rebase", "--abort")
    assert desk.refresh() == {}


def test_recipes_changed_too(desk: Desk) -> None:
    desk.amend(1, lambda: desk.swap(RUST, "Hello", "Hi"))
    file = desk.series / "0002-kconfig.toml"
    file.write_text(file.read_text().replace("Add a Kconfig", "Add the Kconfig"))
    assert "both changed" in refused(desk, Refused).message


def test_another_kernel(desk: Desk) -> None:
    desk.git("rebase", "-q", "-X", "ours", "--onto", SECOND_RELEASE, f"{BRANCH}~7", BRANCH)
    assert "stands on another kernel (7.2.1)" in refused(desk, Refused).message


def test_another_root_of_the_same_kernel(desk: Desk) -> None:
    """Equal trees, but not the commit that the series was rendered on."""
    root = desk.git("commit-tree", f"{BASE}^{{tree}}", "-m", "another")
    desk.git("rebase", "-q", "--onto", root, f"{BRANCH}~7", BRANCH)
    assert "stands on another kernel than" in refused(desk, Refused).message


def test_two_recipes_of_one_payload(bare: Desk) -> None:
    """One of them changes: it gets a file of its own, the other keeps the old one."""
    text = bare.text("0001-rust-file.toml").replace('rust-file"\nsubj', 'second"\nsubj')
    text = text.replace('rust_hello.rs"\nsource', 'rust_two.rs"\nsource').replace("greeting", "2nd")
    (bare.series / "0008-second.toml").write_text(text)
    bare.render()
    bare.sit_down()
    bare.amend(8, lambda: bare.swap("arch/x86/kvm/rust_two.rs", "Hello", "Bye"))
    assert bare.refresh() == {"second": ("edits",)}
    (first,), (second,) = (bare.recipes()[id_].edits for id_ in ("rust-file", "second"))
    names = {payload.name for edit in (first, second) for payload in _payloads(edit)}
    assert names == {"files/rust_hello.rs", "files/rust_two.rs"}


def _payloads(edit: Edit) -> list[Payload]:
    values = [getattr(edit, field.name) for field in fields(edit)]
    return [value for value in values if isinstance(value, Payload)]


def test_interrupted_between_log_and_files(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file is half written, nothing is left lying about, and the next refresh does it."""
    desk.amend(1, lambda: desk.swap(RUST, "Hello", "Hi"))
    before = desk.files()
    with monkeypatch.context() as patched:
        patched.setattr(Prepared, "commit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            refresh.run(desk.session, dry_run=False)
    assert desk.files() == before
    assert desk.refresh() == {"rust-file": ("edits",)}


def interrupted(_: Prepared) -> None:
    raise KeyboardInterrupt


def test_a_file_in_the_way_is_not_written_over(desk: Desk) -> None:
    (desk.series / "files/more.rs").write_bytes(b"mine\n")
    desk.write("arch/x86/kvm/more.rs", b"// SPDX-License-Identifier: GPL-2.0\n\n//! More.\n")
    desk.git("add", "-A")
    desk.git("commit", "-q", "-m", "More")
    assert desk.refresh() == {"more": ("new",)}
    assert (desk.series / "files/more.rs").read_bytes() == b"mine\n"


def test_recipe_that_is_a_link(desk: Desk) -> None:
    """It is the link that goes, not the file it names."""
    there = desk.series / "files/recipe"
    (desk.series / "0007-maintainers.toml").rename(there)
    (desk.series / "0007-maintainers.toml").symlink_to("files/recipe")
    desk.git("reset", "-q", "--hard", f"{BRANCH}~1")
    assert desk.refresh() == {"maintainers": ("dropped",)}
    assert there.exists()


def test_all_commits_gone(desk: Desk) -> None:
    desk.git("reset", "-q", "--hard", BASE)
    assert "holds no commit any more" in refused(desk, Refused).message


def test_merge(desk: Desk) -> None:
    desk.git("checkout", "-q", "-b", "side", BASE)
    desk.git("commit", "-q", "--allow-empty", "-m", "side")
    desk.git("checkout", "-q", BRANCH)
    desk.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    assert "is a merge" in refused(desk).message or "no line" in refused(desk).message


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--allow-empty", "-m", "Nothing"), "it changes nothing"),
        (("--allow-empty", "-m", "fixup! KVM: x86: Add"), "waits for another commit"),
    ],
)
def test_commits_that_no_recipe_is(desk: Desk, args: tuple[str, ...], said: str) -> None:
    desk.git("commit", "-q", *args)
    message = refused(desk).message
    assert message.startswith("commit ")
    assert said in message


def test_binary_file(desk: Desk) -> None:
    desk.write("logo.png", b"\x89PNG\0\0")
    desk.git("add", "-A")
    desk.git("commit", "-q", "-m", "Add a logo")
    assert "logo.png is binary" in refused(desk).message


def test_subject_that_no_mail_would_carry(desk: Desk) -> None:
    desk.amend(7, lambda: None, "-m", "[PATCH] MAINTAINERS: Add")
    assert "'subject': it has '[' at the start" in refused(desk).message


def test_json(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.amend(1, lambda: desk.swap(RUST, "Hello", "Hi"))
    monkeypatch.chdir(desk.session.cwd)
    for name, value in desk.around.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main(["-k", "mini.git", "-s", "mini-rust-hello", "--json", "refresh", "--dry-run"])
    document = json.loads(capsys.readouterr().out)
    assert document.pop("format") == 1
    assert set(keys(document)) <= set(re.findall(r"[\w-]+", section("refresh")))
    assert (ended.value.code, document["dry-run"], document["changed"]) == (0, True, False)
    assert document["files"] == [{"was": "files/rust_hello.rs", "is": "files/rust_hello.rs"}]
    assert document["recipes"][0]["news"] == ["edits"]
