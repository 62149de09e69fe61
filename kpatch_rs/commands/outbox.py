"""Writing a set of mails into a folder: the whole set or nothing, and nothing of anybody else's.

A folder that is new, empty, or holds nothing but an older export of the same series is replaced as
a whole, by renames. Any other folder is refused; with `force` the mails are put in beside what is
there. Links are never followed: an entry that is none of ours counts as somebody else's.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping
from email.parser import BytesHeaderParser
from pathlib import Path

from kpatch_rs.errors import KpatchError, Refused

_NAME = re.compile(r"(v\d+-)?\d{4}-.*\.(patch|eml)")


def write_mails(folder: Path, mails: Mapping[str, bytes], *, ours: str, force: bool) -> bool:
    """Put `mails`, by file name, into `folder`; `ours` begins the Message-ID of an older export.

    Returns whether they stand beside files of somebody else. Raises Refused where the folder has
    such files, KpatchError where it is none or cannot be written; then it is as it was.
    """
    try:
        there = _entries(folder)
        foreign = [path for path in there if not _is_ours(path, ours)]
        if foreign and not force:
            raise Refused(
                f"{folder} holds {foreign[0].name}, which no export of this series wrote",
                hint="give another folder with -o, or --force to put the mails beside it",
            )
        fresh = _filled(folder, mails)
        try:
            _put_beside(folder, fresh, set(there) - set(foreign)) if foreign else _swap(
                folder, fresh
            )
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return bool({path.name for path in foreign} - mails.keys())
    except OSError as error:
        raise KpatchError(
            f"{error.filename or folder} cannot be written: {error.strerror}",
            hint="give a folder that you can write to with -o",
        ) from error


def _entries(folder: Path) -> list[Path]:
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise Refused(f"{folder} is no folder", hint="give a folder with -o")
    return sorted(folder.iterdir())


def _is_ours(path: Path, ours: str) -> bool:
    """Whether an older export of the same series wrote the file."""
    if path.is_symlink() or not path.is_file() or not _NAME.fullmatch(path.name):
        return False
    with path.open("rb") as file:
        headers = BytesHeaderParser().parse(file)
    return str(headers["Message-ID"]).startswith(ours)


def _filled(folder: Path, mails: Mapping[str, bytes]) -> Path:
    """A fresh folder beside `folder`, with the mails in it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.parent / f".{folder.name}.{secrets.token_hex(6)}"
    fresh.mkdir()
    try:
        for name, data in mails.items():
            _write_new(fresh / name, data)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return fresh


def _write_new(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def _swap(folder: Path, fresh: Path) -> None:
    """`fresh` takes the place of `folder`, which is empty, ours, or not there."""
    if not folder.exists():
        fresh.rename(folder)
        return
    old = fresh.with_name(fresh.name + ".old")
    folder.rename(old)
    try:
        fresh.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old)


def _put_beside(folder: Path, fresh: Path, stale: set[Path]) -> None:
    """The mails go into `folder` one by one, then those of the older export go away.

    A folder under a mail's name stops it before anything is changed.
    """
    names = sorted(path.name for path in fresh.iterdir())
    for name in names:
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            raise Refused(f"{folder / name} is a folder", hint="give another folder with -o")
    for name in names:
        (fresh / name).replace(folder / name)
    for path in stale - {folder / name for name in names}:
        path.unlink()
