"""Which kernel a tree is, and what a guard says to it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpatch_rs.errors import Conflict, KpatchError
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.model.version import Guard, kernel_version, parse_version, show_version
from tests.trees import DictTree

MAKEFILE = b"# SPDX\nVERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION = -rc1\nall:\n"
TREE = TreeOverlay(DictTree({"Makefile": MAKEFILE, "virt/kvm/Makefile.kvm": b""}))


def test_version_is_the_makefiles() -> None:
    assert kernel_version(TREE) == (6, 12, 117)


@pytest.mark.parametrize(
    "makefile",
    [b"", b"VERSION = 6\nPATCHLEVEL = 12\n", b"VERSION = x\nPATCHLEVEL = 1\nSUBLEVEL = 1\n"],
)
def test_no_kernels_makefile(makefile: bytes) -> None:
    assert kernel_version(TreeOverlay(DictTree({"Makefile": makefile}))) is None
    assert kernel_version(TreeOverlay(DictTree({}))) is None


@pytest.mark.parametrize(
    ("guard", "objection"),
    [
        (Guard(), ""),
        (Guard(min="6.12"), ""),
        (Guard(min="6.12.117"), ""),
        (Guard(min="v6.1"), ""),
        (Guard(min="6.12.118"), "the kernel is 6.12.117, before 6.12.118"),
        (Guard(min="6.13"), "the kernel is 6.12.117, before 6.13"),
        (Guard(max="6.12"), ""),
        (Guard(max="6"), ""),
        (Guard(max="6.12.117"), ""),
        (Guard(max="6.12.116"), "the kernel is 6.12.117, after 6.12.116"),
        (Guard(max="6.2"), "the kernel is 6.12.117, after 6.2"),
        (Guard(min="6.1", max="6.11"), "the kernel is 6.12.117, after 6.11"),
        (Guard(has=repo_path("virt/kvm/Makefile.kvm")), ""),
        (Guard(has=repo_path("virt/kvm")), ""),
        (Guard(min="6.1", has=repo_path("rust")), "the tree has no rust"),
    ],
)
def test_guard(guard: Guard, objection: str) -> None:
    assert guard.objection(TREE) == objection


def test_version_guard_on_a_tree_without_version() -> None:
    with pytest.raises(Conflict, match="names no kernel version"):
        Guard(max="6.1").objection(TreeOverlay(DictTree({})))
    assert Guard(has=repo_path("a")).objection(TreeOverlay(DictTree({}))) == "the tree has no a"


@pytest.mark.parametrize(
    "text", ["", "six", "6.", ".6", "6.1.2.3", "6.1-rc1", "-6", "6 .1", "٦.1\n"]
)
def test_no_version(text: str) -> None:
    with pytest.raises(KpatchError) as caught:
        Guard(min=text)
    assert caught.value.hint == "write it as 6.12 or 6.12.117"


@settings(deadline=None)
@given(st.lists(st.integers(0, 9999), min_size=1, max_size=3).map(tuple))
def test_shown_versions_are_read_again(version: tuple[int, ...]) -> None:
    assert parse_version(show_version(version)) == version
