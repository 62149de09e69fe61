"""What the second release does to the series: the recipes fit it, their text does not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from kpatch_rs.commands import apply
from kpatch_rs.commands.session import Session
from kpatch_rs.demo import FIRST_RELEASE, SECOND_RELEASE, SERIES
from kpatch_rs.engine.render import compared, render
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.kinds import KINDS
from kpatch_rs.loader.load import load_series
from kpatch_rs.model.outcome import Status, Step
from kpatch_rs.model.path import repo_path
from tests.demo import mini_kernel, mini_series

WRITER = ("-c", "user.name=A Maintainer", "-c", "user.email=maintainer@example.org")


def rendered(folder: Path) -> dict[str, tuple[Step, ...]]:
    """Release → the series on it; the second told against the first."""
    series = load_series(mini_series(folder))
    with Repository.open(mini_kernel(folder), os.environ) as kernel:
        old, new = (
            render(series, kernel.tree(kernel.resolve(release)), kernel.history())
            for release in (FIRST_RELEASE, SECOND_RELEASE)
        )
    return {FIRST_RELEASE: old, SECOND_RELEASE: compared(new, old)}


def places(steps: Sequence[Step]) -> dict[str, str]:
    return {s.recipe.id: str(s.edits[0].outcome.place).rpartition(":")[0] for s in steps}


def test_series_has_each_kind_an_integration_needs(tmp_path: Path) -> None:
    used = [edit.kind for r in load_series(mini_series(tmp_path)).recipes for edit in r.edits]
    assert used == [k for k in used if k in KINDS]
    assert set(used) == set(KINDS) - {"patch", "c-include"}


def test_recipes_fit_both_releases(tmp_path: Path) -> None:
    steps = rendered(tmp_path)
    for release in steps.values():
        assert [s.reason for s in release if s.status is Status.CONFLICT] == []
    assert {s.status for s in steps[FIRST_RELEASE]} == {Status.EXACT}
    first, second = places(steps[FIRST_RELEASE]), places(steps[SECOND_RELEASE])
    assert first["c-call"] == "arch/x86/kvm/x86.c"
    assert second["c-call"] == "arch/x86/kvm/vendor.c", "the function has moved"
    del first["c-call"], second["c-call"]
    assert first == second
    moved = {s.recipe.id: s.status for s in steps[SECOND_RELEASE]}
    assert moved["rust-file"] is Status.EXACT
    assert moved["c-call"] is not Status.EXACT


def test_call_is_in_the_right_function(tmp_path: Path) -> None:
    after = rendered(tmp_path)[SECOND_RELEASE][-1].after
    vendor, decoy = (after.read(repo_path(f"arch/x86/kvm/{n}.c")) for n in ("vendor", "x86"))
    assert vendor
    assert decoy
    function = vendor.data.split(b"int kvm_x86_vendor_init(")[1].split(b"\n}\n")[0]
    assert function.endswith(b"\thello_from_rust();\n\treturn 0;")
    assert b"hello_from_rust" not in decoy.data


@pytest.fixture
def patches(tmp_path: Path) -> list[Path]:
    """The commits made for the first release, as mails; beside them a clone at the second."""
    kernel = mini_kernel(tmp_path)
    session = Session(
        kernel=kernel,
        series=str(mini_series(tmp_path)),
        cwd=tmp_path,
        cache=tmp_path / "cache",
        state=tmp_path / "state",
        environment=dict(os.environ),
        progress=lambda _: None,
    )
    assert apply.run(session, onto=None, branch=None, dry_run=False).exit_code == 0
    git(tmp_path, "clone", "-q", "--branch", SECOND_RELEASE, kernel, clone := tmp_path / "clone")
    git(clone, "format-patch", "-q", "-o", tmp_path / "mails", old_commits())
    return sorted((tmp_path / "mails").iterdir())


def old_commits() -> str:
    return f"{FIRST_RELEASE}..origin/kpatch/{SERIES}"


def git(folder: Path, *args: str | Path, fails: bool = False) -> str:
    ran = subprocess.run(
        ["git", "-C", folder, *WRITER, *args], capture_output=True, text=True, check=False
    )
    assert bool(ran.returncode) == fails, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def test_git_am_stops(patches: list[Path], tmp_path: Path) -> None:
    said = git(tmp_path / "clone", "am", "-3", *patches, fails=True)
    assert "CONFLICT (content)" in said


def test_git_rebase_stops(patches: list[Path], tmp_path: Path) -> None:
    branch = f"origin/kpatch/{SERIES}"
    said = git(
        *(tmp_path / "clone", "rebase", "--onto", SECOND_RELEASE, FIRST_RELEASE, branch),
        fails=True,
    )
    assert "CONFLICT (content)" in said


def test_each_text_conflicts_or_goes_wrong(patches: list[Path], tmp_path: Path) -> None:
    """Only the new file applies; the call even applies where it must not."""
    clone, ends = tmp_path / "clone", {}
    for patch in patches:
        ran = subprocess.run(
            ["git", "-C", clone, *WRITER, "am", "-3", "-q", patch], capture_output=True, check=False
        )
        ends[patch.name[:4]] = ran.returncode == 0
        if ran.returncode:
            git(clone, "am", "--abort")
    assert ends == {
        "0001": True,
        "0002": False,
        "0003": False,
        "0004": False,
        "0005": True,
        "0006": False,
        "0007": False,
    }
    function = (clone / "arch/x86/kvm/x86.c").read_text().split("int kvm_x86_vendor_probe(")[1]
    assert "hello_from_rust();" in function.split("\n}\n")[0], "git put it into another function"
