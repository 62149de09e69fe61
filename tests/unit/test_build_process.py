"""Children are bounded in time and output, and never survive."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.build import process
from kpatch_rs.build.process import run

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
LONG = 600
"""Seconds: nothing here takes as long."""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(pid: int) -> bool:
    return comes(lambda: not alive(pid))


def comes(true: Callable[[], object]) -> bool:
    """Whether it becomes true, on a machine however busy."""
    end = time.monotonic() + LONG
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_output_and_code(tmp_path: Path) -> None:
    ran = run(
        ["sh", "-c", "echo out; echo err >&2; exit 3"],
        cwd=tmp_path,
        environment=ENVIRONMENT,
        timeout=LONG,
    )
    assert (ran.code, ran.output, ran.ok) == (3, b"out\nerr\n", False)


def test_sees_only_the_environment_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKEFLAGS", "--eval=x")
    ran = run(["env"], cwd=tmp_path, environment=ENVIRONMENT, timeout=LONG)
    assert "MAKEFLAGS" not in ran.text


GRANDCHILD = ["sh", "-c", "sleep 600 & echo $! > pid; wait"]


def test_timeout_ends_grandchildren_too(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    for seconds in (0.3, 3, 30, 300):  # the script may not have come as far, on a busy machine
        ran = run(GRANDCHILD, cwd=tmp_path, environment=ENVIRONMENT, timeout=seconds)
        assert ran.timed_out
        assert not ran.ok
        if pid.exists() and pid.read_text():
            break
    assert gone(int(pid.read_text()))


def test_interrupt_ends_the_group(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    def interrupt() -> None:
        comes(lambda: pid.exists() and pid.read_text())
        os.kill(os.getpid(), signal.SIGINT)

    person = threading.Thread(target=interrupt)
    person.start()
    with pytest.raises(KeyboardInterrupt):
        run(GRANDCHILD, cwd=tmp_path, environment=ENVIRONMENT, timeout=LONG)
    person.join()
    assert gone(int(pid.read_text()))


def test_output_is_capped_and_still_drained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOG_CAP", 1000)
    script = "echo first; yes | head -c 3000000; echo last; touch done"
    ran = run(["sh", "-c", script], cwd=tmp_path, environment=ENVIRONMENT, timeout=LONG)
    assert len(ran.output) == 1000
    assert ran.output.startswith(b"first\ny\n")
    assert ran.output.endswith(b"y\nlast\n"), "the error that ended it stands last"
    assert (tmp_path / "done").exists()


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run(["no-such-tool"], cwd=tmp_path, environment=ENVIRONMENT, timeout=LONG)
