"""One writer per series: an advisory lock that the kernel takes back from the dead.

The file stays when the lock goes; removing it would let two hold locks on different files of one
name.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kpatch_rs.errors import KpatchError

if TYPE_CHECKING:
    from kpatch_rs.gitio.repository import Repository


def lock(
    repository: Repository, series: str, waiting: Callable[[str], None]
) -> AbstractContextManager[int]:
    """Hold the one lock of `series`, whichever work tree of `repository` one comes from."""
    return exclusive(repository.common_dir / "kpatch-rs" / f"{series}.lock", waiting)


@contextmanager
def exclusive(file: Path, waiting: Callable[[str], None]) -> Iterator[int]:
    """Hold `file` locked; yields its descriptor. `waiting` is told once, if another has it.

    Raises KpatchError where the file system has no locks, or the folder is not writable.
    """
    descriptor = _open(file)
    try:
        _acquire(descriptor, file, waiting)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _open(file: Path) -> int:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise KpatchError(f"{file}: the lock cannot be made: {error.strerror}") from error


def _acquire(descriptor: int, file: Path, waiting: Callable[[str], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        waiting(f"waiting for process {holder}, which holds {file}")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        raise KpatchError(
            f"{file}: this file system has no locks ({error.strerror})",
            hint="use a repository on a local disk",
        ) from error
