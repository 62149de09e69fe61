"""Kernels that the series cannot be built on: what is said, and that nothing happens."""

from __future__ import annotations

import pytest

from tests.kernel.conftest import Desk, Kernels, make_desk


@pytest.fixture(scope="module")
def desk(kernels: Kernels, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """One of its own: the series is rendered on 6.12 and nothing else was done."""
    made = make_desk(kernels, tmp_path_factory.mktemp("without-rust"))
    assert made.run("apply", "--onto", kernels.newest["6.12"]).code == 0
    return made


def test_a_tree_without_rust_is_a_conflict_and_changes_nothing(
    desk: Desk, kernels: Kernels
) -> None:
    refs, series = desk.refs(), desk.series_bytes()
    ran = desk.run("rebase", kernels.newest["5.10"])
    assert ran.code == 3
    conflicts = [s for s in ran.document["steps"] if s["status"] == "conflict"]
    assert any("Rust" in s["reason"] for s in conflicts), conflicts
    assert desk.refs() == refs
    assert desk.series_bytes() == series


def test_a_rust_too_old_for_todays_rustc_renders_and_check_says_so(
    desk: Desk, kernels: Kernels
) -> None:
    rendered = desk.run("rebase", kernels.newest["6.1"])
    assert rendered.code == 0, rendered.document
    checked = desk.run("check", "--fresh")
    assert checked.code == 4
    steps = checked.document["steps"]
    not_built = {s["id"]: s["reason"] for s in steps if s["verdict"] != "passed"}
    assert "rust-file" in not_built
    assert all("ust" in reason for reason in not_built.values()), not_built
    assert "1.62" in not_built["rust-file"], "which rustc the kernel asks for"


def test_an_unknown_revision_is_one_error(desk: Desk) -> None:
    refs = desk.refs()
    ran = desk.run("rebase", "v99.1")
    assert ran.code == 1
    assert "v99.1" in ran.document["error"]["message"]
    assert desk.refs() == refs
