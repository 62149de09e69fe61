"""The bytes of one file of a series, taken from a folder nobody vouched for.

Guarantees: nothing outside the series folder is read, whatever links and `..` say; a FIFO or a
device does not hang the reader; no file is read past its limit.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from kpatch_rs.errors import KpatchError
from kpatch_rs.model.path import PathRefused, repo_path

MIB = 1024 * 1024
TEXT_LIMIT = MIB
"""Most bytes in a TOML file or the cover letter."""
PAYLOAD_LIMIT = 16 * MIB
"""Most bytes in a payload file."""


class Unreadable(KpatchError):
    """A file of the series that cannot be had; the message says why, the caller says which."""


def read_file(folder: Path, name: str, limit: int, what: str = "series folder") -> bytes:
    """Return the bytes of `name`, a path below `folder`, which is a `what`. Raises Unreadable."""
    path = _inside(folder, name, what)
    try:
        _must_be_regular(path.stat().st_mode)
        # O_NONBLOCK: were a FIFO put there just now, opening it would not wait for its writer.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise Unreadable(f"it cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise Unreadable(
            f"it is larger than {limit // MIB} MiB",
            hint="the limits: 1 MiB for a TOML file or cover.txt, 16 MiB for a payload file",
        )
    return data


def _inside(folder: Path, name: str, what: str) -> Path:
    """Where `name` really is, links followed; raises Unreadable where that is elsewhere."""
    try:
        repo_path(os.fsencode(name))
    except (PathRefused, ValueError) as error:
        raise Unreadable(
            f"it is no path below the {what}", hint="name a file in it: files/NAME"
        ) from error
    top = folder.resolve()
    try:
        path = (top / name).resolve(strict=True)
    except FileNotFoundError as error:
        raise Unreadable(
            "there is no such file", hint=f"put it into the {what}, or correct the name"
        ) from error
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, up to Python 3.12
        raise Unreadable(
            "it cannot be reached: a loop of links, or a file as a folder",
            hint="replace it by a regular file",
        ) from error
    if not path.is_relative_to(top):
        raise Unreadable(
            f"it is a link that leaves the {what}",
            hint=f"put a copy of the file into the {what} instead of a link",
        )
    return path


def _must_be_regular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise Unreadable("it is a folder, not a file", hint="rename or remove it")
    if not stat.S_ISREG(mode):
        raise Unreadable("it is not a regular file", hint="replace it by a regular file")
