"""What the demo needs of its own: a kernel in miniature and a series for it.

kernel.fi is our own text, not a kernel's; it has the shapes that a Rust integration meets in Linux
6.12 and 7.2, and really builds. Guarantees: only package data is read, so this works from a zip.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

FIRST_RELEASE, SECOND_RELEASE = "v6.12-mini", "v7.2-mini"
"""The tags in the kernel; its Makefile says 6.12.1 and 7.2.1."""

SERIES = "mini-rust-hello"


def kernel_stream() -> bytes:
    """The miniature kernel with both its releases, as `git fast-import` reads it."""
    return (files(__name__) / "kernel.fi").read_bytes()


def write_series(folder: Path) -> Path:
    """Write the series into the new folder `folder`/SERIES and return that."""
    target = folder / SERIES
    _copy(files(__name__) / "series" / SERIES, target)
    return target


def _copy(source: Traversable, target: Path) -> None:
    target.mkdir(parents=True)
    for item in source.iterdir():
        if item.is_dir():
            _copy(item, target / item.name)
        else:
            (target / item.name).write_bytes(item.read_bytes())
