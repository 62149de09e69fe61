"""Which series the user vouched for: building one runs its code.

A series below the `series` folder one works in is trusted, because its owner put it there; any
other one after `record`. What was recorded is the place, so a folder that is moved or copied is
asked about again. It is kept outside of every repository, where no series can write it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from kpatch_rs.commands.session import Session


def is_trusted(session: Session, folder: Path) -> bool:
    """Whether the code of the series in `folder` may run."""
    own = (session.cwd / "series").resolve()
    return folder.resolve().is_relative_to(own) or _note(session, folder).exists()


def record(session: Session, folder: Path) -> None:
    """Remember that the user vouches for the series in `folder`."""
    note = _note(session, folder)
    note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    note.write_bytes(os.fsencode(folder.resolve()) + b"\n")


def _note(session: Session, folder: Path) -> Path:
    """One file per folder: two runs at once cannot lose each other's note."""
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()
    return session.state / "trusted" / name
