"""Writing into a series what a verb found out, with the maintainer's text kept around it.

In two phases, because a ref and the files change together: everything that can fail happens in
`prepare`, the ref transaction comes next, and `commit` is one rename or removal a file, series.toml
last. Guarantees: comments, order and formatting stay; a crash leaves each file old or new, whole;
what someone wrote into a file in between is never lost.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Self

from kpatch_rs.errors import KpatchError, Refused
from kpatch_rs.loader.document import read_document
from kpatch_rs.loader.load import read_text
from kpatch_rs.loader.settings import SERIES_FILE


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One file of a series as it was read, and as it is to be."""

    name: str
    before: bytes | None
    """None: the file is not there."""
    after: bytes | None
    """None: the file goes away."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """One file as it will be, on the disk beside its place."""

    target: Path
    fresh: Path | None
    before: bytes | None

    def changed_meanwhile(self) -> bool:
        try:
            return self.target.read_bytes() != self.before
        except FileNotFoundError:
            return self.before is not None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Files of a series as they will be, on the disk beside them; series.toml is the last.

    A context manager: what is not committed inside the block is discarded at its end.
    """

    files: tuple[_Ready, ...]

    def commit(self) -> None:
        """Put them in place. Raises Refused, and drops them, where one has changed meanwhile."""
        for file in self.files:
            if file.changed_meanwhile():
                self.discard()
                raise Refused(
                    f"{file.target} was changed by someone else just now",
                    hint="run the command again",
                )
        for file in self.files:
            if file.fresh:
                file.fresh.replace(file.target)
            else:
                file.target.unlink()
            _sync_folder(file.target.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def discard(self) -> None:
        """Leave what is not in place yet as it is."""
        for file in self.files:
            if file.fresh:
                file.fresh.unlink(missing_ok=True)


def prepare(folder: Path, rewrites: Sequence[Rewrite] = (), **changes: str | int) -> Prepared:
    """Make ready to rewrite files of the series in `folder`, and to set keys of its series.toml.

    Such as base="v7.2". Raises KpatchError; then nothing is left behind.
    """
    settings = read_text(folder, SERIES_FILE)
    last = Rewrite(SERIES_FILE, settings, _changed(settings, changes))
    files = list[_Ready]()
    try:
        for rewrite in (*rewrites, last):
            files.append(_ready(folder, rewrite))
    except BaseException:
        Prepared(tuple(files)).discard()
        raise
    return Prepared(tuple(files))


def _ready(folder: Path, rewrite: Rewrite) -> _Ready:
    target = folder / rewrite.name
    if rewrite.after is not None:  # of a link that goes, the file it names stays
        target = target.resolve()
    try:
        fresh = None if rewrite.after is None else _written_beside(target, rewrite.after)
    except OSError as error:
        raise KpatchError(
            f"{target} cannot be written: {error.strerror}",
            hint="make the series folder writable, or free some space",
        ) from error
    return _Ready(target, fresh, rewrite.before)


def _changed(before: bytes, changes: dict[str, str | int]) -> bytes:
    import tomlkit

    document = tomlkit.parse(before.decode())
    for key, value in changes.items():
        document[key] = value
    after = document.as_string()
    wanted = {**read_document(SERIES_FILE, before).table, **changes}
    if tomllib.loads(after) != wanted:
        raise KpatchError(
            f"setting {', '.join(changes)} in {SERIES_FILE} would change more of it",
            hint=f"write it by hand: {', '.join(f'{k} = {v!r}' for k, v in changes.items())}",
        )
    return after.encode()


def _written_beside(target: Path, data: bytes) -> Path:
    """A new file with `target`'s mode in its folder, on the disk. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _drop_left_over(target)
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else _NEW_MODE
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, mode)
            file.write(data)
            file.flush()
            os.fsync(handle)
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)


_NEW_MODE = 0o644

_OLD = 3600
"""Seconds; nobody takes that long between writing a file beside its place and putting it there."""


def _drop_left_over(target: Path) -> None:
    """What killed commands left beside `target`."""
    for left in target.parent.glob(f".{escape(target.name)}.????????"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _OLD:
                left.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
