"""An overlay behaves as the tree it will become; nothing is overwritten through the back door."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpatch_rs.model.path import RepoPath, repo_path
from kpatch_rs.model.tree import File, Mode, TreeCollision, TreeOverlay
from tests.trees import DictTree

LINK: Mode = "120000"
BASE: dict[str, bytes | File] = {
    "Makefile": b"all:\n",
    "a/one.c": b"int one;\n",
    "a/two.c": b"int two;\n",
    "a/link": File(b"../Makefile", LINK),
    "b/deep/er.c": b"one + two\n",
}


def p(path: str) -> RepoPath:
    return repo_path(path)


@pytest.fixture
def tree() -> TreeOverlay:
    return TreeOverlay(DictTree(BASE))


def test_write_is_seen_and_base_is_not_changed(tree: TreeOverlay) -> None:
    new = tree.write(p("a/three.c"), File(b"3"))
    assert new.read(p("a/three.c")) == File(b"3")
    assert tree.read(p("a/three.c")) is None
    assert new.names(p("a")) == (b"link", b"one.c", b"three.c", b"two.c")
    assert new.entry_type(p("a/three.c")) == "file"


def test_new_folders_come_with_their_files(tree: TreeOverlay) -> None:
    new = tree.write(p("c/d/e.c"), File(b""))
    assert (new.entry_type(p("c")), new.entry_type(p("c/d"))) == ("folder", "folder")
    assert new.names(None) == (b"Makefile", b"a", b"b", b"c")
    assert new.names(p("c")) == (b"d",)


def test_remove(tree: TreeOverlay) -> None:
    new = tree.remove(p("a/one.c"))
    assert new.read(p("a/one.c")) is None
    assert new.entry_type(p("a/one.c")) is None
    assert b"one.c" not in new.names(p("a"))
    assert new.write(p("a/one.c"), File(b"")).read(p("a/one.c")) == File(b"")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a", "a is a folder, not a file"),
        ("b/deep", "b/deep is a folder, not a file"),
        ("Makefile/x", "Makefile/x: Makefile is a file, not a folder"),
        ("a/one.c/x/y", "a/one.c/x/y: a/one.c is a file, not a folder"),
        ("a/link/x", "a/link/x: a/link is a link, not a folder"),
        ("a/link", "a/link is a link, and is not written through"),
    ],
)
def test_collisions(tree: TreeOverlay, path: str, said: str) -> None:
    with pytest.raises(TreeCollision) as caught:
        tree.write(p(path), File(b"x"))
    assert caught.value.message == said


def test_collisions_with_what_the_overlay_made(tree: TreeOverlay) -> None:
    new = tree.write(p("n/x"), File(b""))
    with pytest.raises(TreeCollision, match="n is a folder"):
        new.write(p("n"), File(b""))
    with pytest.raises(TreeCollision, match="n/x is a file"):
        new.write(p("n/x/y"), File(b""))


def test_a_link_is_replaced_by_a_link(tree: TreeOverlay) -> None:
    assert tree.write(p("a/link"), File(b"one.c", LINK)).entry_type(p("a/link")) == "link"


@pytest.mark.parametrize("path", ["a", "none", "a/none.c", "Makefile/x"])
def test_remove_what_is_not_there(tree: TreeOverlay, path: str) -> None:
    with pytest.raises(TreeCollision, match="there is no such file to remove"):
        tree.remove(p(path))


def test_a_folder_goes_with_its_last_file(tree: TreeOverlay) -> None:
    """git knows no empty folders, so a file may take the folder's place."""
    new = tree.remove(p("b/deep/er.c"))
    assert (new.entry_type(p("b")), new.entry_type(p("b/deep"))) == (None, None)
    assert new.names(None) == (b"Makefile", b"a")
    assert new.write(p("b"), File(b"")).entry_type(p("b")) == "file"


def test_a_folder_takes_a_files_place(tree: TreeOverlay) -> None:
    new = tree.remove(p("Makefile")).write(p("Makefile/x"), File(b""))
    assert (new.entry_type(p("Makefile")), new.names(p("Makefile"))) == ("folder", (b"x",))
    with pytest.raises(TreeCollision, match="Makefile is a folder"):
        new.write(p("Makefile"), File(b""))


def test_files_with(tree: TreeOverlay) -> None:
    assert tree.files_with(b"one", None, ["*"]) == (b"a/one.c", b"b/deep/er.c")
    assert tree.files_with(b"one", p("a"), ["*"]) == (b"a/one.c",)
    new = tree.write(p("a/one.c"), File(b"nothing")).write(p("a/x.c"), File(b"one"))
    assert new.files_with(b"one", None, ["*r.c", "*.h"]) == (b"b/deep/er.c",)
    assert new.files_with(b"one", None, ["x*"]) == (b"a/x.c",)
    assert new.remove(p("b/deep/er.c")).files_with(b"one", None, ["*"]) == (b"a/x.c",)


def test_changed_since(tree: TreeOverlay) -> None:
    one = tree.write(p("a/one.c"), File(b"new"))
    two = one.remove(p("a/two.c")).write(p("x"), File(b"x"))
    assert one.changed_since(tree) == {b"a/one.c": File(b"new")}
    assert two.changed_since(one) == {b"a/two.c": None, b"x": File(b"x")}
    back = one.write(p("a/one.c"), File(b"int one;\n"))
    assert back.changed_since(tree) == {}


PATHS = st.sampled_from(["a", "a/b", "a/b/c", "a/d", "e", "e/f"]).map(repo_path)
DEEDS = st.lists(st.tuples(PATHS, st.none() | st.sampled_from([b"1", b"2"])), max_size=8)


@settings(deadline=None)
@given(st.lists(PATHS, max_size=3), DEEDS)
def test_an_overlay_is_the_tree_it_describes(
    there: list[RepoPath], deeds: list[tuple[RepoPath, bytes | None]]
) -> None:
    """Whatever is written and removed: the overlay answers as a plain tree of its files does."""
    flat = TreeOverlay(DictTree({}))
    for path in there:
        try:
            flat = flat.write(path, File(b"0"))
        except TreeCollision:
            continue
    files = {path: file for path, file in flat.changes.items() if file}
    overlay = TreeOverlay(DictTree({path.decode(): file for path, file in files.items()}))
    for path, data in deeds:
        try:
            overlay = overlay.remove(path) if data is None else overlay.write(path, File(data))
        except TreeCollision:
            continue
        files.pop(path, None)
        if data is not None:
            files[path] = File(data)
    plain = DictTree({path.decode(): file for path, file in files.items()})
    for path in map(repo_path, ["a", "a/b", "a/b/c", "a/d", "e", "e/f"]):
        assert overlay.read(path) == plain.read(path)
        assert overlay.entry_type(path) == plain.entry_type(path)
        assert overlay.names(path) == plain.names(path)
    assert overlay.names(None) == plain.names(None)
