"""The tests' home is not the home of whoever runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.repos import surroundings
from tests.seclusion import secluded

TOP = Path(__file__).parents[1]


def test_nothing_of_a_person_is_kept(tmp_path: Path) -> None:
    home = tmp_path / "person"
    (home / ".rustup").mkdir(parents=True)
    real = {
        "HOME": str(home),
        "PATH": "/bin",
        "XDG_CACHE_HOME": "/cache",
        "GIT_CONFIG_GLOBAL": "/config",
        "GIT_DIR": "/git",
        "GIT_AUTHOR_NAME": "Someone",
        "KPATCH_RS_SERIES": "mine",
        "KPATCH_RS_KERNEL": "/linux",
        "MAKEFLAGS": "-k",
        "FORCE_COLOR": "1",
        "PYTEST_XDIST_WORKER": "gw0",
    }
    own = secluded(real, tmp_path / "own")
    gone = set(real) - {"PATH", "HOME", "XDG_CACHE_HOME", "PYTEST_XDIST_WORKER"}
    assert not gone & set(own)
    assert own["PATH"] == "/bin"
    assert own["HOME"] == str(tmp_path / "own")
    seen = {name for name, value in own.items() if str(home) in value}
    assert seen == {"RUSTUP_HOME", "KPATCH_RS_KERNELS"}, "its programs, and the kernels"
    again = secluded(own, tmp_path / "worker")
    assert again["KPATCH_RS_KERNELS"] == own["KPATCH_RS_KERNELS"]


@pytest.mark.skipif("KPATCH_RS_EXAMPLES" in os.environ, reason="other examples were asked for")
def test_examples_are_the_same_at_any_pace() -> None:
    ours = settings()
    assert (ours.deadline, ours.database, ours.derandomize) == (None, None, True)


PLANTED = f"""
import os, subprocess, sys
from pathlib import Path
from hypothesis import given, strategies as st

def test_what_tests_may_do():
    argv = [sys.executable, "-m", "kpatch_rs", "-k", "kernel", "-s", "planted"]
    environment = {{**os.environ, "PYTHONPATH": {str(TOP)!r}}}
    for verb in (["init", "planted"], ["apply"], ["doctor"]):
        ended = subprocess.run([*argv, *verb], env=environment, capture_output=True, text=True)
        assert ended.stdout or ended.stderr.startswith("error: ")
    subprocess.run(["git", "config", "--global", "a.b", "c"], check=True)
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        Path(os.environ[name], "written").mkdir(parents=True)

@given(st.text())
def test_examples(text):
    assert text == text
"""


def test_a_home_is_not_seen_by_tests_nor_by_what_they_start(tmp_path: Path) -> None:
    """A run of tests that write wherever they can, by someone whose git has no good settings."""
    person, checkout = tmp_path / "person", tmp_path / "checkout"
    for folder in (person, checkout):
        folder.mkdir()
    surroundings(tmp_path / "home").kernel(checkout / "kernel")
    (checkout / "test_planted.py").write_text(PLANTED)
    (person / ".gitconfig").write_text("this is [no configuration\n")
    real = {
        **{name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ},
        **{f"XDG_{name}_HOME": str(person / name) for name in ("CACHE", "STATE", "CONFIG")},
        "HOME": str(person),
        "KPATCH_RS_SERIES": "/no/such",
        "PYTHONPATH": str(TOP),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    argv = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
    ended = subprocess.run(
        [*argv, "-p", "tests.conftest", "test_planted.py"],
        cwd=checkout,
        env=real,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert [path.name for path in person.rglob("*")] == [".gitconfig"]
    assert not (checkout / ".hypothesis").exists()
