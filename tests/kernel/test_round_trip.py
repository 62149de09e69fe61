"""The series of this repository from kernel to kernel and back, through every line it renders on.

6.1 has Rust too old to build; what is told here is that rendering forgets nothing on the way.
"""

from __future__ import annotations

import pytest

from tests.kernel.conftest import Kernels, make_desk

WAY = ("6.12", "7.2", "6.12", "6.1", "6.12", "7.2", "6.1", "7.2", "6.12")


def test_there_and_back_is_the_same(
    kernels: Kernels, tmp_path_factory: pytest.TempPathFactory
) -> None:
    desk = make_desk(kernels, tmp_path_factory.mktemp("round-trip"))
    trees: dict[str, list[str]] = {}
    files: dict[str, dict[str, bytes]] = {}
    assert desk.run("apply", "--onto", kernels.newest[WAY[0]]).code == 0
    for line in WAY:
        ran = desk.run("rebase", kernels.newest[line])
        assert ran.code == 0, ran.document
        made = [step["tree"] for step in ran.document["steps"]]
        assert trees.setdefault(line, made) == made
        assert files.setdefault(line, desk.series_bytes()) == desk.series_bytes()
    others = [{n: d for n, d in f.items() if not n.endswith("series.toml")} for f in files.values()]
    assert all(other == others[0] for other in others), "what is not the base never changes"
    assert len({tuple(made) for made in trees.values()}) == len(trees)
