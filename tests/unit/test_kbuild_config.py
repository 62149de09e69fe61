"""A Makefile line under a symbol: known from the kernel, or from the series, or a conflict."""

from __future__ import annotations

import pytest

from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.kbuild import KBUILD, KbuildEdit
from kpatch_rs.kinds.kbuild_config import unknown
from kpatch_rs.kinds.kconfig import KconfigEdit
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.series import Edit, Payload, Where
from kpatch_rs.model.tree import TreeOverlay
from tests.trees import DictTree, NoHistory

WHERE = Where("0001-x.toml", 1)
FILES = {
    "Kconfig": b'source "init/Kconfig"\nsource "drivers/foo/Kconfig"\n',
    "init/Kconfig": b"config RUST\n\tbool\n",
    "drivers/foo/Kconfig": b'config FOO\n\ttristate "Foo"\n',
    "drivers/foo/Makefile": b"obj-$(CONFIG_FOO) += foo.o\nfoo-y := main.o\n",
}
DIFF = b"""\
diff --git a/drivers/foo/Kconfig b/drivers/foo/Kconfig
--- a/drivers/foo/Kconfig
+++ b/drivers/foo/Kconfig
@@ -1,2 +1,5 @@
 config FOO
 \ttristate "Foo"
+
+menuconfig FOO_LATER
+\tbool "Later"
"""
EDIT = KbuildEdit(
    where=WHERE, file=repo_path("drivers/foo/Makefile"), module="foo", object="r.o", config="FOX"
)
KCONFIG = KconfigEdit(where=WHERE, file=repo_path("drivers/foo/Kconfig"), symbol="FOO_NEW")
PATCH = PatchEdit(where=WHERE, diff=Payload("x.diff", DIFF))


@pytest.mark.parametrize(
    ("symbol", "edits", "near"),
    [
        ("RUST", (EDIT,), None),  # another Kconfig file of the kernel
        ("FOO_NEW", (EDIT, KCONFIG), None),  # a recipe behind this one
        ("FOO_LATER", (EDIT, PATCH), None),  # a diff behind this one
        ("FOO_NEW", (EDIT,), ("FOO",)),
        ("FOO_NWE", (EDIT, KCONFIG), ("FOO_NEW", "FOO")),
        ("ZZZ", (EDIT, KCONFIG, PATCH), ()),
        ("ZZZ", (), None),  # nobody knows the series
    ],
)
def test_who_defines_it(symbol: str, edits: tuple[Edit, ...], near: tuple[str, ...] | None) -> None:
    tree = TreeOverlay(DictTree(FILES))
    assert unknown(symbol, tree, EDIT.file, edits) == near


def test_a_tree_that_is_no_whole_kernel_tells_nothing() -> None:
    files = {path: data for path, data in FILES.items() if path != "Kconfig"}
    assert unknown("ZZZ", TreeOverlay(DictTree(files)), EDIT.file, (EDIT,)) is None


def test_a_line_that_is_there_already_is_present_all_the_same() -> None:
    made = {
        **FILES,
        "drivers/foo/Makefile": FILES["drivers/foo/Makefile"] + b"foo-$(CONFIG_FOX) += r.o\n",
    }
    for files, status in ((FILES, Status.CONFLICT), (made, Status.PRESENT)):
        ground = Ground(TreeOverlay(DictTree(files)), NoHistory(), edits=(EDIT,))
        assert KBUILD.plan(EDIT, ground).status is status
