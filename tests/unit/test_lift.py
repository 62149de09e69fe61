"""Lift on trees without code: nothing is lost, and what cannot be kept is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpatch_rs.engine.lift import NotLifted, Patch, lift
from kpatch_rs.kinds import KINDS
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.kinds.rust_analyzer import SCRIPT
from kpatch_rs.kinds.rust_file import RustFileEdit
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Edit, Where
from kpatch_rs.model.tree import File, TreeOverlay
from tests.trees import DictTree, NoHistory
from tests.unit.test_kind_patch import diff

RUST = {
    "init/Kconfig": b"config RUST\n\tbool\n",
    "scripts/Makefile.build": b"$(obj)/%.o: $(obj)/%.rs FORCE\n",
}
SOURCE = b"// SPDX-License-Identifier: GPL-2.0\n\nfn f() {}\n"

lines = st.lists(
    st.sampled_from([b"a\n", b"b\n", b"\n", b"\tc(d);\n", b"\xe9\r\n", b"\x0c\n", b"}\n"]),
    max_size=12,
)
contents = st.builds(lambda text, end: b"".join(text) + end, lines, st.sampled_from([b"", b"x"]))
files = st.builds(File, contents, st.sampled_from(["100644", "100755"]))
links = st.builds(File, st.sampled_from([b"a", b"e"]), st.just("120000"))
names = st.sampled_from(["a", "b c", "e", "d\xe9.c", "Makefile", "x.rs", "Kconfig", 'q"t.h'])
worlds = st.dictionaries(names, files | links, max_size=6)


def overlay(world: dict[str, File]) -> dict[RepoPath, File | None]:
    return {RepoPath(name.encode()): file for name, file in world.items()}


def lifted(before: TreeOverlay, after: TreeOverlay, **renames: str) -> tuple[Edit, ...]:
    moved = {RepoPath(new.encode()): RepoPath(old.encode()) for new, old in renames.items()}
    patch = Patch(before=before, after=after, renames=moved)
    return lift(patch, NoHistory(), payload="files/x.diff", where=Where("x"), taken={})


def rendered(edits: tuple[Edit, ...], tree: TreeOverlay) -> TreeOverlay:
    for edit in edits:
        tree = KINDS[edit.kind].plan(edit, Ground(tree, NoHistory())).tree
    return tree


@settings(max_examples=300, deadline=None)
@given(worlds, worlds, st.booleans())
def test_nothing_is_lost(old: dict[str, File], new: dict[str, File], renamed: bool) -> None:
    before = TreeOverlay(DictTree(old))
    gone = {RepoPath(name.encode()): None for name in old.keys() - new.keys()}
    after = TreeOverlay(before.base, {**gone, **overlay(new)})
    if not after.changed_since(before):
        return
    came = sorted(new.keys() - old.keys())
    pairs = dict(zip(came, sorted(old.keys() - new.keys()), strict=False)) if renamed else {}
    edits = lifted(before, after, **pairs)
    assert not rendered(edits, before).changed_since(after)


def test_rename_is_kept_as_one() -> None:
    text = b"".join(b"line %d\n" % n for n in range(20))
    before = TreeOverlay(DictTree({"old.c": text}))
    after = before.remove(RepoPath(b"old.c")).write(RepoPath(b"new.c"), File(text + b"more\n"))
    (edit,) = lifted(before, after, **{"new.c": "old.c"})
    assert isinstance(edit, PatchEdit)
    assert b"rename from old.c\nrename to new.c\n" in edit.diff.data
    assert edit.diff.data.count(b"\n-") == 1, "the --- line"


def test_rename_beside_a_known_edit_is_kept_as_one() -> None:
    """As git says it, with what it says of how much is the same."""
    text = b"".join(b"line %d\n" % n for n in range(20))
    tree = {"old.c": text, "d/Kconfig": KCONFIG.encode(), "Kconfig": b'source "d/Kconfig"\n'}
    before = TreeOverlay(DictTree(tree))
    entry = File(KCONFIG.replace("config BAR\n", ENTRY + "config BAR\n").encode())
    after = before.remove(RepoPath(b"old.c")).write(RepoPath(b"new.c"), File(text + b"more\n"))
    after = after.write(RepoPath(b"d/Kconfig"), entry)
    rest, known = lifted(before, after, **{"new.c": "old.c"})
    assert isinstance(rest, PatchEdit)
    assert known.kind == "kconfig"
    assert rest.diff.data == diff({"old.c": text}, {"new.c": text + b"more\n"})
    assert not rendered((rest, known), before).changed_since(after)


def test_several_strings_of_one_line() -> None:
    """Only together they make the line that the patch made."""
    script = 'for f in ("samples", "drivers"{}):\n    pass\n'
    tree = {
        "arch/x86/kvm/a.c": b"",
        "virt/b.c": b"",
        SCRIPT.decode(): script.format("").encode(),
    }
    before = TreeOverlay(DictTree(tree))
    after = before.write(SCRIPT, File(script.format(', "arch/x86/kvm", "virt"').encode()))
    edits = lifted(before, after)
    assert [edit.kind for edit in edits] == ["rust-analyzer", "rust-analyzer"]
    assert not rendered(edits, before).changed_since(after)


@pytest.mark.parametrize("new", ["\tb(1, 2);\n", "\tr();\n"])
def test_new_text_of_a_line_is_no_edit_of_its_own(new: str) -> None:
    """Else it would come in without a word where upstream took the old line out."""
    text = "void f(void)\n{\n\ta();\n\tb(1);\n\tc();\n}\n"
    before = TreeOverlay(DictTree({"a.c": text.encode()}))
    after = before.write(RepoPath(b"a.c"), File(text.replace("\tb(1);\n", new).encode()))
    (edit,) = lifted(before, after)
    assert isinstance(edit, PatchEdit)
    gone = TreeOverlay(DictTree({"a.c": text.replace("\tb(1);\n", "").encode()}))
    assert KINDS["patch"].plan(edit, Ground(gone, NoHistory())).status is Status.CONFLICT


def test_name_of_a_payload_is_used_once() -> None:
    before = TreeOverlay(DictTree(RUST))
    after = before.write(RepoPath(b"drivers/a/x.rs"), File(SOURCE))
    (edit,) = lifted(before, after)
    assert isinstance(edit, RustFileEdit)
    assert edit.source.name == "files/x.rs"
    patch = Patch(before=before, after=after)
    (edit,) = lift(
        patch, NoHistory(), payload="files/x.diff", where=Where("x"), taken={"files/x.rs": b"other"}
    )
    assert isinstance(edit, PatchEdit)


def test_nothing_known_is_one_diff() -> None:
    before = TreeOverlay(DictTree(RUST))
    after = before.write(RepoPath(b"drivers/a/x.rs"), File(SOURCE))
    (edit,) = lift(
        Patch(before=before, after=after),
        NoHistory(),
        payload="files/x.diff",
        where=Where("x"),
        taken={},
        known=False,
    )
    assert isinstance(edit, PatchEdit)
    assert edit.diff.name == "files/x.diff"


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (None, "it changes nothing"),
        (File(b"a\0b"), "f is binary, and a patch edit holds text only"),
        (File(b"../../x", "120000"), "its diff:1: the link f -> ../../x leaves the tree"),
    ],
)
def test_refused(new: File | None, message: str) -> None:
    before = TreeOverlay(DictTree({"a": b"a\n"}))
    after = before.write(RepoPath(b"f"), new) if new else before
    with pytest.raises(NotLifted) as refused:
        lifted(before, after)
    assert refused.value.message == message


KCONFIG = """menu "Foo"

config FOO
	bool "foo"

endmenu

# Others
if FOO

config BAR
	bool "bar"

# What it says.
config BAZ
	bool "baz"

endif
"""
ENTRY = 'config NEW\n\tbool "new"\n\tdepends on FOO\n\n'


@pytest.mark.parametrize(
    ("anchor", "held"),
    [
        ('menu "Foo"\n', None),
        ("config FOO\n", {"before": "FOO"}),
        ("endmenu\n", {"after": "FOO"}),
        ("# Others\n", None),
        ("config BAR\n", {"before": "BAR"}),
        ("# What it says.\n", {"after": "BAR"}),
        ("endif\n", {"after": "BAZ"}),
    ],
)
def test_where_an_entry_of_kconfig_stands(anchor: str, held: dict[str, str] | None) -> None:
    tree = {"d/Kconfig": KCONFIG.encode(), "Kconfig": b'source "d/Kconfig"\n'}
    before = TreeOverlay(DictTree(tree))
    made = File(KCONFIG.replace(anchor, ENTRY + anchor).encode())
    path = RepoPath(b"d/Kconfig")
    (edit,) = lifted(before, before.write(path, made))
    if held is None:
        assert edit.kind == "patch", "no entry of its block is beside it"
        return
    assert {key: getattr(edit, key) for key in ("after", "before") if getattr(edit, key)} == held
    assert rendered((edit,), before).read(path) == made
