"""Which programs a test can count on."""

from __future__ import annotations

import subprocess
from functools import cache


@cache
def runs(tool: str) -> bool:
    """Whether `tool` is on PATH and starts: rustup's rustc is there without a toolchain, too."""
    try:
        return not subprocess.run([tool, "--version"], capture_output=True, check=False).returncode
    except FileNotFoundError:
        return False
