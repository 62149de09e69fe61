"""Children are bounded in time and output, and never survive."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from kpatch_rs.build import process
from kpatch_rs.build.process import run

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(pid: int) -> bool:
    for _ in range(100):
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_output_and_code(tmp_path: Path) -> None:
    ran = run(
        ["sh", "-c", "echo out; echo err >&2; exit 3"],
        cwd=tmp_path,
        environment=ENVIRONMENT,
        timeout=10,
    )
    assert (ran.code, ran.output, ran.ok) == (3, b"out\nerr\n", False)


def test_sees_only_the_environment_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKEFLAGS", "--eval=x")
    ran = run(["env"], cwd=tmp_path, environment=ENVIRONMENT, timeout=10)
    assert "MAKEFLAGS" not in ran.text


def test_timeout_ends_grandchildren_too(tmp_path: Path) -> None:
    script = "sleep 60 & echo $! > pid; wait"
    ran = run(["sh", "-c", script], cwd=tmp_path, environment=ENVIRONMENT, timeout=0.5)
    assert ran.timed_out
    assert not ran.ok
    assert gone(int((tmp_path / "pid").read_text()))


def test_interrupt_ends_the_group(tmp_path: Path) -> None:
    script = "sleep 60 & echo $! > pid; wait"
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run(["sh", "-c", script], cwd=tmp_path, environment=ENVIRONMENT, timeout=30)
    timer.join()
    assert gone(int((tmp_path / "pid").read_text()))


def test_output_is_capped_and_still_drained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOG_CAP", 1000)
    script = "echo first; yes | head -c 3000000; echo last; touch done"
    ran = run(["sh", "-c", script], cwd=tmp_path, environment=ENVIRONMENT, timeout=20)
    assert len(ran.output) == 1000
    assert ran.output.startswith(b"first\ny\n")
    assert ran.output.endswith(b"y\nlast\n"), "the error that ended it stands last"
    assert (tmp_path / "done").exists()


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run(["no-such-tool"], cwd=tmp_path, environment=ENVIRONMENT, timeout=1)
