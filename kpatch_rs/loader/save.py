"""Writing back into series.toml what a verb found out, with the maintainer's text kept around it.

In two phases, because a ref and the file change together: everything that can fail happens in
`prepare`, the ref transaction comes next, and `commit` is one rename. Guarantees: comments, order
and formatting stay; a crash leaves the old file or the new one, whole; what someone wrote into the
file in between is never lost.
"""

from __future__ import annotations

import os
import stat
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kpatch_rs.errors import KpatchError, Refused
from kpatch_rs.loader.document import read_document
from kpatch_rs.loader.load import read_text
from kpatch_rs.loader.settings import SERIES_FILE


@dataclass(frozen=True, slots=True)
class Prepared:
    """series.toml as it will be, on the disk beside it.

    A context manager: what is not committed inside the block is discarded at its end.
    """

    target: Path
    fresh: Path
    before: bytes

    def commit(self) -> None:
        """Put it in place. Raises Refused, and drops it, where the file has changed meanwhile."""
        if self.target.read_bytes() != self.before:
            self.discard()
            raise Refused(
                f"{self.target} was changed by someone else just now",
                hint="run the command again",
            )
        self.fresh.replace(self.target)
        _sync_folder(self.target.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    def discard(self) -> None:
        """Leave series.toml as it is."""
        self.fresh.unlink(missing_ok=True)


def prepare(folder: Path, **changes: str | int) -> Prepared:
    """Make ready to set top-level keys, such as base="v7.2", in `folder`'s series.toml.

    Raises KpatchError; then nothing is left behind.
    """
    target = (folder / SERIES_FILE).resolve()
    before = read_text(folder, SERIES_FILE)
    after = _changed(before, changes)
    try:
        fresh = _written_beside(target, after)
    except OSError as error:
        raise KpatchError(
            f"{target} cannot be written: {error.strerror}",
            hint="make the series folder writable, or free some space",
        ) from error
    return Prepared(target, fresh, before)


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
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{SERIES_FILE}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(handle, stat.S_IMODE(target.stat().st_mode))
            file.write(data)
            file.flush()
            os.fsync(handle)
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
