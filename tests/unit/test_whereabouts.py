"""Which file of another kernel a moved one certainly is: by its text, and by its name."""

from __future__ import annotations

import pytest

from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.whereabouts import Heir, certain, heirs
from tests.trees import DictTree

OLD = RepoPath(b"arch/arm/boot/dts/x.dts")


def heir(name: str, same: float) -> Heir:
    return Heir(RepoPath(f"arch/arm/boot/dts/allwinner/{name}".encode()), same)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        pytest.param([heir("x.dts", 0.98), heir("y.dts", 0.84)], 0, id="best"),
        pytest.param([heir("y.dts", 0.84), heir("x.dts", 0.8)], 1, id="second, and near"),
        pytest.param([heir("y.dts", 0.9), heir("x.dts", 0.76)], None, id="too far behind"),
        pytest.param([heir("x.dts", 0.7), heir("y.dts", 0.65)], None, id="too little alike"),
        pytest.param([heir("x.dts", 0.9), heir("old/x.dts", 0.85)], None, id="two of its name"),
        pytest.param([heir("z.dts", 0.9), heir("y.dts", 0.85)], None, id="none of its name"),
        pytest.param([heir("z.dts", 0.9), heir("y.dts", 0.6)], 0, id="far ahead"),
    ],
)
def test_the_only_namesake_wins(found: list[Heir], wanted: int | None) -> None:
    assert certain(found, OLD) == (None if wanted is None else found[wanted].path)


def test_a_board_among_its_siblings_is_found() -> None:
    lines = [b"\tcompatible-%d = <&a_long_label>;\n" % n for n in range(20)]
    boards = {
        f"arch/arm/boot/dts/{n}.dts": b"".join([*lines, b"\tmodel = <&the_board_%c>;\n" % n])
        for n in b"xyz"
    }
    now = {name.replace("dts/", "dts/allwinner/"): data for name, data in boards.items()}
    path = RepoPath(next(iter(boards)).encode())
    found = heirs(TreeOverlay(DictTree(now)), path, boards[path.decode()], DictTree(boards))
    assert len(found) == len(boards)
    assert certain(found, path) == path.replace(b"dts/", b"dts/allwinner/", 1)


def test_a_makefile_is_not_known_by_its_name() -> None:
    lines = [b"obj-y += a_long_name_%d.o\n" % n for n in range(10)]
    other = b"".join([*lines[:6], *(b"obj-m += quite_different_%d.o\n" % n for n in range(4))])
    tree = TreeOverlay(DictTree({"b/Makefile": other, "b/m.dts": other}))
    assert heirs(tree, RepoPath(b"a/m.dts"), b"".join(lines), None)
    assert not heirs(tree, RepoPath(b"a/Makefile"), b"".join(lines), None)
