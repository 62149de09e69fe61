"""A Makefile line under a symbol: known from the kernel, or from the series, or a conflict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kpatch_rs.engine.render import render
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.kbuild import KBUILD, KbuildEdit
from kpatch_rs.kinds.kbuild_config import unknown
from kpatch_rs.kinds.kconfig import KconfigEdit
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.series import Edit, Payload, Recipe, Series, Variant, Where
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.model.version import Guard
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
ABOUT = b"""\
diff --git a/drivers/foo/Kconfig b/drivers/foo/Kconfig
--- a/drivers/foo/Kconfig
+++ b/drivers/foo/Kconfig
@@ -1,2 +1,3 @@
 config FOO_GONE
 \ttristate "Gone"
+\tdepends on OF
diff --git a/doc.rst b/doc.rst
--- a/doc.rst
+++ b/doc.rst
@@ -1 +1,2 @@
 Text::
+  config FOO_GONE
"""
EDIT = KbuildEdit(
    where=WHERE, file=repo_path("drivers/foo/Makefile"), module="foo", object="r.o", config="FOX"
)
KCONFIG = KconfigEdit(where=WHERE, file=repo_path("drivers/foo/Kconfig"), symbol="FOO_NEW")
PATCH = PatchEdit(where=WHERE, diff=Payload("x.diff", DIFF))
TOLD = PatchEdit(where=WHERE, diff=Payload("y.diff", ABOUT))


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
        ("FOO_MODULE", (EDIT,), ("FOO",)),
        ("foo", (EDIT,), ("FOO",)),
        ("FOO_GONE", (EDIT, TOLD), ()),  # context, and a text about Kconfig
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


def test_a_file_that_nothing_sources_defines_nothing_and_is_named() -> None:
    tree = TreeOverlay(DictTree({**FILES, "lonely/Kconfig": b"config FOX\n\tbool\n"}))
    outcome = KBUILD.plan(EDIT, Ground(tree, NoHistory(), edits=(EDIT,)))
    assert outcome.reason == (
        "FOX is defined in lonely/Kconfig, which no Kconfig file sources: "
        "make would never build r.o"
    )


@pytest.mark.parametrize("place", ["recipe", "edit", "variant"])
def test_what_the_series_defines_on_other_kernels_is_not_defined_here(place: str) -> None:
    """Both recipes render where the symbol's does; where it is guarded away, the other cannot."""
    kconfig = KconfigEdit(
        where=WHERE, file=repo_path("drivers/foo/Kconfig"), symbol="FOX", prompt="Fox"
    )
    other = Guard(min="7.0")
    variants = (Variant(edits=(), where=WHERE, when=Guard(max="6.99")),)
    defines = Recipe(
        id="a",
        subject="a",
        where=WHERE,
        when=other if place == "recipe" else None,
        edits=(replace(kconfig, when=other) if place == "edit" else kconfig,),
        variants=variants if place == "variant" else (),
    )
    uses = Recipe(id="b", subject="b", where=WHERE, edits=(EDIT,))
    for version, known in ((b"6", False), (b"7", True)):
        top = b"VERSION = %b\nPATCHLEVEL = 1\nSUBLEVEL = 0\n" % version
        tree = DictTree({**FILES, "Makefile": top})
        series = Series(name="s", base="", change_id="", recipes=(uses, defines))
        first = render(series, tree, NoHistory())[0]
        assert (first.status is Status.CONFLICT) != known
