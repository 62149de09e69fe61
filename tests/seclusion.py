"""No test sees the home, the caches or the settings of whoever runs it.

Before anything is collected the process gets an environment of its own, and with it all that it
starts: a new HOME and XDG folders, and of the variables that were there only those named here. So
a person's git configuration, KPATCH_RS_SERIES or a used cache cannot change how a test ends, and
no test can write there. The real kernels are the one exception, and only their folder is named.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.kernel.provision.place import folder

KEPT = (
    *("PATH", "TERM", "TMPDIR", "CI", "NO_COLOR", "PY_COLORS", "LD_LIBRARY_PATH"),
    *("RUSTUP_TOOLCHAIN", "RUST_LIB_SRC", "LIBCLANG_PATH", "GIT_DEFAULT_REF_FORMAT"),
    *("KPATCH_RS_EXAMPLES", "KPATCH_RS_KERNEL_TESTS", "KPATCH_RS_TRANSCRIPTS"),
)
FAMILIES = ("PYTEST_", "PYTHON", "COV_", "COVERAGE_")
TOOLS = {"RUSTUP_HOME": ".rustup", "CARGO_HOME": ".cargo", "PYENV_ROOT": ".pyenv"}
"""Programs on PATH may only forward to these folders in a home: they are read, as PATH is."""


def secluded(real: Mapping[str, str], home: Path) -> dict[str, str]:
    """The environment of tests that run for someone with the environment `real`."""
    kept = {k: v for k, v in real.items() if k in KEPT or k.startswith(FAMILIES)}
    own = Path(real.get("HOME") or "/nonexistent")
    tools = {name: Path(real.get(name) or own / below) for name, below in TOOLS.items()}
    return {
        **kept,
        **{name: str(path) for name, path in tools.items() if path.is_dir()},
        "KPATCH_RS_KERNELS": str(folder(real)),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_DATA_HOME": str(home / "data"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(home / "hypothesis"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LANG": "C.UTF-8",
    }


def leave_home() -> Path:
    """Put this process into an environment of its own; return its home, to be removed."""
    home = Path(tempfile.mkdtemp(prefix="kpatch-rs-tests-"))
    environment = secluded(os.environ, home)
    os.environ.clear()
    os.environ.update(environment)
    return home


def forget(home: Path) -> None:
    """Remove what tests left in the home."""
    shutil.rmtree(home, ignore_errors=True)
