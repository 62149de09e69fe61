"""The shipped series, from recipe to mail, on two real kernels, with nothing edited in between.

One walk, made once; each test looks at one thing of it. Desk.run() itself fails where a verb
changed a byte of the user's work tree, index or HEAD.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernel.conftest import Desk, Kernels, Ran, git

LINES = ("6.12", "7.2")
RUST_FILE = "arch/x86/kvm/rust_hello.rs"


@dataclass(frozen=True, slots=True)
class Stage:
    """What was typed on one kernel, and what stood on disk when it was done."""

    rendered: Ran
    checked: Ran
    again: Ran
    exported: Ran
    mails: tuple[Path, ...]
    series_base: str
    projects: tuple[Path, ...]


def walk_stage(desk: Desk, line: str, *render: str) -> Stage:
    rendered = desk.run(*render)
    checked = desk.run("check", "--fresh")
    again = desk.run("check")
    out = f"out-{line}"
    exported = desk.run("export", "-o", out)
    return Stage(
        rendered,
        checked,
        again,
        exported,
        tuple(sorted((desk.cwd / out).glob("*.patch"))),
        (desk.series / "series.toml").read_text(),
        tuple(Path(desk.environment["XDG_CACHE_HOME"]).rglob("rust-project.json")),
    )


@pytest.fixture(scope="module")
def walk(desk: Desk, kernels: Kernels) -> Mapping[str, Stage]:
    """The three commands of the README, and what surrounds them."""
    old, new = (kernels.newest[line] for line in LINES)
    return {
        "6.12": walk_stage(desk, "6.12", "apply", "--onto", old),
        "7.2": walk_stage(desk, "7.2", "rebase", new),
    }


@pytest.mark.parametrize("line", LINES)
def test_every_verb_is_done(walk: Mapping[str, Stage], line: str) -> None:
    stage = walk[line]
    codes = {
        name: getattr(stage, name).code for name in ("rendered", "checked", "again", "exported")
    }
    said = "\n".join(json.dumps(r.document, indent=1) for r in (stage.checked, stage.exported))
    assert set(codes.values()) == {0}, f"{codes}\n{said}"


@pytest.mark.parametrize("line", LINES)
def test_every_step_fits_and_has_a_commit(walk: Mapping[str, Stage], line: str) -> None:
    steps = walk[line].rendered.document["steps"]
    assert len(steps) == 7
    assert {s["status"] for s in steps} <= {"exact", "moved", "adapted"}
    assert all(s["commit"] for s in steps)


def test_rebase_says_where_each_anchor_was_and_is(walk: Mapping[str, Stage]) -> None:
    edits = [
        edit
        for step in walk["7.2"].rendered.document["steps"]
        for edit in step["edits"]
        if edit["status"] != "skipped"
    ]
    assert all(e["was"] and e["is"] for e in edits)
    assert any(e["was"] != e["is"] for e in edits), "nothing moved between two kernels?"
    assert all(e["reason"] for e in edits if e["status"] != "exact")


@pytest.mark.parametrize("line", LINES)
def test_every_verdict_is_passed(walk: Mapping[str, Stage], line: str) -> None:
    stage = walk[line]
    rendered = [s["id"] for s in stage.rendered.document["steps"]]
    assert stage.checked.verdicts == dict.fromkeys(rendered, "passed")


@pytest.mark.parametrize("line", LINES)
def test_check_really_builds_and_again_builds_nothing(walk: Mapping[str, Stage], line: str) -> None:
    stage = walk[line]
    asked = " ".join(stage.checked.makes)
    assert "arch/x86/kvm/rust_hello.o" in asked
    assert "arch/x86/kvm/x86.o" in asked
    assert "arch/x86/kvm/kvm.mod" in asked
    assert stage.again.makes == ()
    assert stage.again.verdicts == stage.checked.verdicts


@pytest.mark.parametrize("line", LINES)
def test_mails_give_each_steps_tree(
    walk: Mapping[str, Stage], desk: Desk, kernels: Kernels, tmp_path: Path, line: str
) -> None:
    """`git am out/*.patch` at the base, in a work tree of its own, by the user's git."""
    tag, at = kernels.newest[line], tmp_path / "linux"
    git(tmp_path, "clone", "-q", "--shared", "--no-checkout", str(kernels.repository), str(at))
    git(at, "sparse-checkout", "set", "arch/x86/kvm", "scripts")
    git(at, "checkout", "-q", "--detach", tag)
    identity = ["-c", "user.name=A User", "-c", "user.email=user@example.org"]
    argv = ["git", *identity, "am", "-q", *map(str, walk[line].mails)]
    done = subprocess.run(argv, cwd=at, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    trees = git(at, "log", "--reverse", "--format=%T", f"{tag}..HEAD").split()
    assert trees == [s["tree"] for s in walk[line].rendered.document["steps"]]


def test_crate_stands_in_the_rust_project(walk: Mapping[str, Stage]) -> None:
    """Both kernels' build folders have the file that editors read, with the crate in it."""
    listing = [
        path
        for path in walk["7.2"].projects
        if any(
            crate["root_module"].endswith(RUST_FILE)
            for crate in json.loads(path.read_text())["crates"]
        )
    ]
    assert len(listing) == len(LINES), walk["7.2"].projects


def test_series_remembers_its_base(walk: Mapping[str, Stage], kernels: Kernels) -> None:
    for line in LINES:
        assert f'base = "{kernels.newest[line]}"' in walk[line].series_base


def test_status_knows_it_all(walk: Mapping[str, Stage], desk: Desk) -> None:
    told = desk.run("status").document
    assert told["branch-state"] == "as rendered"
    assert {s["verdict"] for s in told["steps"]} == {"passed"}


def test_undo_brings_the_older_rendering_back(walk: Mapping[str, Stage], desk: Desk) -> None:
    """And undoing the undo goes forth again, so that the tests can stand in any order."""
    branch = walk["7.2"].rendered.document["branch"]
    tips = {line: walk[line].rendered.document["steps"][-1]["commit"] for line in LINES}
    assert git(desk.kernel, "rev-parse", branch) == tips["7.2"]
    undone = desk.run("undo")
    assert undone.code == 0
    assert git(desk.kernel, "rev-parse", branch) == tips["6.12"]
    assert desk.run("undo", undone.document["operation"]).code == 0
    assert git(desk.kernel, "rev-parse", branch) == tips["7.2"]
