"""`init`: an empty series, ready for its first recipe.

Guarantees: the folder is there whole or not at all, and nothing that was there is touched.
"""

from __future__ import annotations

import datetime
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kpatch_rs.commands import trust
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import KpatchError, Refused, Usage
from kpatch_rs.loader.load import COVER_FILE, load_series
from kpatch_rs.loader.message import MessageRefused, checked_id
from kpatch_rs.loader.settings import FORMAT, SERIES_FILE
from kpatch_rs.loader.write import key_line

COVER = """\
*** SUBJECT HERE ***

*** BLURB HERE ***
"""
"""As git format-patch leaves it, so that everyone sees what is missing."""


@dataclass(frozen=True, slots=True)
class InitReport:
    """Where the series is."""

    folder: Path
    name: str
    change_id: str
    given: str
    """The series as it was named on the command line."""
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """See Report."""
        return {"series": self.name, "folder": str(self.folder), "change-id": self.change_id}

    def as_text(self) -> str:
        """See Report."""
        return (
            f"made the series {self.name} in {self.folder}\n"
            f"next: kpatch-rs -s {self.given} new KIND, or new --template c-module"
        )


def run(session: Session, name_or_folder: str, *, base: str | None = None) -> InitReport:
    """Make a series in a folder, or under a name below ./series.

    Raises Refused where something stands there already; Usage for a name no series can have.
    """
    folder = _place(session, name_or_folder)
    name = free_name(folder)
    change_id = new_change_id(name)
    make(folder, settings(name, base or "", change_id))
    trust.record(session, folder)
    return InitReport(folder, name, change_id, name_or_folder)


def new_change_id(name: str) -> str:
    """What tells this series from all others, whatever becomes of its name."""
    return f"{datetime.date.today():%Y%m%d}-{name}-{secrets.token_hex(6)}"


def _place(session: Session, name: str) -> Path:
    if "/" in name or name in (".", ".."):
        return (session.cwd / name).resolve()
    return session.cwd / "series" / name


def free_name(folder: Path) -> str:
    """The name of the series that `folder` will hold.

    Raises Usage where it can have none, Refused where something stands there already.
    """
    try:
        name = checked_id(folder.name)
    except MessageRefused as error:
        raise Usage(f"the series' name: {error.message}", hint=error.hint) from error
    _must_be_free(folder)
    return name


def _must_be_free(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise Refused(f"{folder} is there and is no folder", hint="give another name")
    if folder.is_dir() and any(folder.iterdir()):
        raise Refused(
            f"{folder} is not empty",
            hint="give the name of a new or empty folder; `new` adds to a series that is there",
        )


def settings(name: str, base: str, change_id: str) -> str:
    """The text of series.toml."""
    note = "# what it was last rendered on; kpatch-rs keeps it so"
    return (
        key_line("format", FORMAT)
        + key_line("name", name)
        + key_line("base", base).replace("\n", f"    {note}\n")
        + key_line("change-id", change_id)
        + key_line("version", 1)
        + "\n[mail]\n"
        + '# pack = "kvm-x86"    # the mail rules of a subsystem\n'
        + '# prefix = ["RFC"]\n'
        + "\n[check]\n"
        + '# arch = "x86_64"\n'
        + '# start = "tinyconfig"\n'
        + '# config = "check.config"    # a Kconfig fragment in this folder, put on top of it\n'
    )


def make(folder: Path, settings: str, files: Mapping[str, bytes] = MappingProxyType({})) -> None:
    """Fill a folder beside and rename it into place: rename takes an empty folder's place too.

    `files` are recipes and payloads, by their names below it. Raises KpatchError.
    """
    fresh = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
    try:
        fresh.mkdir(parents=True)
    except OSError as error:
        raise KpatchError(
            f"{folder} cannot be made: {error.strerror}", hint="give a folder you may write to"
        ) from error
    try:
        (fresh / SERIES_FILE).write_text(settings, encoding="utf-8")
        (fresh / COVER_FILE).write_text(COVER, encoding="utf-8")
        (fresh / "files").mkdir()
        for name, data in files.items():
            (fresh / name).write_bytes(data)
        load_series(fresh)
        _put(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh)
        raise


def _put(fresh: Path, folder: Path) -> None:
    """Raises Refused where another command has filled `folder` meanwhile."""
    try:
        fresh.rename(folder)
    except OSError:
        _must_be_free(folder)
        raise
