"""demo: the whole way, and the honest short one where there are no compilers."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kpatch_rs.commands import demo
from kpatch_rs.commands.check import CheckReport
from kpatch_rs.commands.demo import DemoReport
from kpatch_rs.commands.export import ExportReport
from kpatch_rs.commands.rendering import RenderReport
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import Refused
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.proof import Result
from tests.tools import runs

WAY = [
    "kpatch-rs apply --onto v6.12-mini",
    "kpatch-rs check",
    "kpatch-rs rebase v7.2-mini",
    "kpatch-rs check",
    "kpatch-rs export -o out",
    "git am out/*.patch",
]

STEPS = (
    "rust-file",
    "kconfig",
    "kbuild",
    "c-declare",
    "c-call",
    "rust-analyzer",
    "maintainers",
)

NEEDED = ("make", "gcc", "ld", "nm", "rustc", "perl", "python3")
builds = pytest.mark.skipif(
    bool(absent := [tool for tool in NEEDED if not runs(tool)]),
    reason=f"not on this machine: {', '.join(absent)}",
)


def session(folder: Path) -> Session:
    """As on a fresh machine: no git identity, nothing in HOME."""
    kept = {k: os.environ[k] for k in ("PATH", "RUSTUP_HOME", "CARGO_HOME") if k in os.environ}
    home = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    (folder / "home").mkdir()
    (folder / "tmp").mkdir()
    return Session(
        kernel=None,
        series=None,
        cwd=folder,
        cache=folder / "home/cache",
        state=folder / "home/state",
        environment={**kept, **home},
        progress=lambda _: None,
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> DemoReport:
    folder = tmp_path_factory.mktemp("demo")
    return demo.run(session(folder), keep=Path("here"))


def verdicts(report: DemoReport) -> list[dict[str, Result]]:
    """Of the two checks: step → how it ended."""
    checks = [s.report for s in report.scenes if isinstance(s.report, CheckReport)]
    assert len(checks) == 2
    return [{v.id: v.result for _, v in check.rows if v} for check in checks]


@builds
def test_whole_way(kept: DemoReport) -> None:
    assert [scene.typed for scene in kept.scenes] == WAY
    assert kept.exit_code == 0
    for results in verdicts(kept):
        assert results == dict.fromkeys(STEPS, Result.PASSED)


def test_rebase_says_where_things_went(kept: DemoReport) -> None:
    report = next(s.report for s in kept.scenes if "rebase" in s.typed)
    assert isinstance(report, RenderReport)
    call = next(s for s in report.steps if s.recipe.id == "c-call")
    assert call.status is Status.MOVED
    text = kept.as_text()
    assert "arch/x86/kvm/x86.c:" in text
    assert "arch/x86/kvm/vendor.c:" in text


def test_mails_give_the_trees(kept: DemoReport) -> None:
    (sent,) = (s.report for s in kept.scenes if isinstance(s.report, ExportReport))
    assert kept.scenes[-1].report.as_json() == {
        "trees": list(sent.trees),
        "rendered": list(sent.trees),
    }
    assert len(sent.trees) == len(STEPS)


def test_what_is_kept_can_be_gone_on_with(kept: DemoReport) -> None:
    assert kept.kept
    assert (kept.kept / "linux.git/HEAD").is_file()
    assert (kept.kept / "series/mini-rust-hello/series.toml").is_file()
    assert f"cd {kept.kept} && export KPATCH_RS_KERNEL=linux.git" in kept.as_text()
    assert json.loads(json.dumps(kept.as_json()))["scenes"][2]["typed"] == WAY[2]


@builds
def test_without_rustc_it_goes_on_and_says_so(tmp_path: Path) -> None:
    here = session(tmp_path)
    report = demo.run(
        replace(here, environment={**here.environment, "RUSTC": "/nowhere/rustc"}), keep=None
    )
    assert report.exit_code == 0
    assert [s.typed for s in report.scenes] == [*WAY[:4], WAY[4] + " --unchecked", WAY[5]]
    results = verdicts(report)[1]
    assert results["rust-file"] is Result.NOT_BUILT
    assert results["maintainers"] is Result.PASSED, "what needs no rustc is shown all the same"
    assert "not built: no rustc" in report.as_text()
    assert list((tmp_path / "tmp").iterdir()) == [], "nothing stays"


def test_without_any_compiler_it_goes_on_and_says_so(tmp_path: Path) -> None:
    """A PATH with git alone, and env to start it."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("git", "env"):
        (tools / tool).symlink_to(shutil.which(tool) or "")
    here = session(tmp_path)
    report = demo.run(
        replace(here, environment={**here.environment, "PATH": str(tools)}), keep=None
    )
    assert report.exit_code == 0
    assert "not built: no make" in report.as_text()
    assert report.scenes[-1].typed == WAY[-1]


def test_keep_takes_no_folder_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").touch()
    with pytest.raises(Refused, match="is there already"):
        demo.run(session(tmp_path), keep=tmp_path / "mine")
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["file"]
