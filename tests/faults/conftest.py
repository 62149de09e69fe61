from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.repos import Surroundings

TOP = Path(__file__).parents[2]

Child = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def child(around: Surroundings, tmp_path: Path) -> Child:
    """Runs a script in a Python of its own, with `tests.faults.work` imported as `work`."""

    def run(script: str, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys\nfrom tests.faults import work\n" + textwrap.dedent(script),
                *args,
            ],
            env={**around.environment, "PYTHONPATH": str(TOP), **variables},
            cwd=tmp_path,
            text=True,
            capture_output=True,
            check=False,
            timeout=600,
        )

    return run


@pytest.fixture(autouse=True)
def no_child_left() -> Iterator[None]:
    """Neither a running child nor a zombie; the server of tests/started.py may be there before."""
    before = _children()
    yield
    assert _children() <= before


def _children() -> set[str]:
    """The processes that this one started: Linux's list of each of its threads."""
    threads = Path("/proc/self/task").glob("*/children")
    return {number for thread in threads for number in thread.read_text().split()}
