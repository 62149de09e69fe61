from __future__ import annotations

import os
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
    yield
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
