from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
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
    """The processes that this one started, by Linux's list of each thread; fails without it."""
    task = Path("/proc/self/task")
    assert (task / str(os.getpid()) / "children").is_file(), "the kernel does not list children"
    found: set[str] = set()
    for thread in task.iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended: its list went on
            found.update((thread / "children").read_text().split())
    return found
