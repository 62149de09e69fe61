"""What every verb is given: which kernel, which series, where to keep things, how to show progress.

Made by ``cli`` from options and environment; verbs read neither themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kpatch_rs.errors import KpatchError, Usage

if TYPE_CHECKING:
    from kpatch_rs.gitio.repository import Repository
    from kpatch_rs.model.series import Series

Progress = Callable[[str], None]
"""Shows one line of progress; a no-op where stderr is no terminal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The surroundings of one run."""

    kernel: Path | None
    """-k: a git repository with the kernel in it, bare or not."""
    series: str | None
    """-s: a folder, or a name below ./series."""
    cwd: Path
    cache: Path
    """Folder for what can be made again: build worktrees, O= folders, verdicts, outlines."""
    state: Path
    """Folder for what the user decided: which series are trusted."""
    environment: dict[str, str]
    """The allowed part of the environment: PATH, HOME, USER, LANG, TMPDIR, RUST_LIB_SRC, …"""
    progress: Progress

    @contextmanager
    def open_kernel(self) -> Iterator[Repository]:
        """The kernel repository, closed again at the end. Raises Usage without -k."""
        from kpatch_rs.gitio.repository import Repository

        if self.kernel is None:
            raise Usage(
                "which kernel?", hint="give -k KERNEL, or set KPATCH_RS_KERNEL to a git repository"
            )
        outlines = self.cache / "outlines"
        with Repository.open(self.kernel, self.environment, outlines) as repository:
            yield repository

    def series_folder(self) -> Path:
        """The series' folder, which may not exist yet. Raises Usage without -s."""
        if not self.series:
            raise Usage("which series?", hint="give -s SERIES, or set KPATCH_RS_SERIES")
        if "/" in self.series or self.series in (".", ".."):
            return (self.cwd / self.series).resolve()
        below = self.cwd / "series" / self.series
        here = self.cwd / self.series
        return below if below.exists() or not here.is_dir() else here

    def load_series(self) -> Series:
        """The series as its files say. Raises KpatchError naming file and line."""
        from kpatch_rs.loader.load import load_series

        return load_series(self.series_folder())

    def load_recipes(self) -> Series:
        """The series, which must have something to render."""
        series = self.load_series()
        if not series.recipes:
            raise KpatchError(
                f"series {series.name} has no recipes yet",
                hint=f"add one: kpatch-rs -s {self.series} new KIND",
            )
        return series
