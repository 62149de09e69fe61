"""The miniature kernel and its series, for any test that wants a real repository.

Made anew in a few milliseconds each, so that a test may do to its own what it likes.
"""

from __future__ import annotations

import os
from pathlib import Path

from kpatch_rs import demo
from kpatch_rs.gitio.create import create_repository


def mini_kernel(folder: Path) -> Path:
    """A bare repository with the tags of both releases, below `folder`."""
    path = folder / "mini.git"
    create_repository(path, demo.kernel_stream(), os.environ)
    return path


def mini_series(folder: Path) -> Path:
    """The demo's series, below `folder`; its base is the first release."""
    return demo.write_series(folder / "series")
