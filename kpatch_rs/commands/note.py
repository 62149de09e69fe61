"""What an answer folder is about, as it is noted in the folder itself.

Guarantees: whatever the file holds, it is read as a whole note or refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from kpatch_rs.errors import KpatchError
from kpatch_rs.model.oid import Oid, oid
from kpatch_rs.model.path import RepoPath, repo_path
from kpatch_rs.model.tree import File
from kpatch_rs.model.version import Guard

FORMAT = 1
"""Version of the note; another one is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One question."""

    step: str
    base: Oid
    base_name: str
    digest: str
    """Of the series that conflicts."""
    before: str
    """Fingerprint of the steps before."""
    offered: str
    """Fingerprint of what was put into the folder."""
    files: tuple[RepoPath, ...]
    """The files of it."""
    markers: Mapping[RepoPath, int]
    """The files with conflict markers, and how long these are."""
    left: tuple[str, ...]
    """What a person has to put in."""
    when: Guard | None
    """The kernels the answer will hold for."""
    branch: str | None = None
    """The branch that was named for the rebase."""
    answered: str = ""
    """The digest of the series with the answer in it, once there is one."""

    def text(self) -> str:
        """The note as :meth:`read` takes it."""
        plain = asdict(self) | {
            "format": FORMAT,
            "files": [_text(path) for path in self.files],
            "markers": {_text(path): width for path, width in self.markers.items()},
            "when": _bounds(self.when) if self.when else None,
        }
        return json.dumps(plain, indent=1) + "\n"

    @classmethod
    def read(cls, folder: Path, text: str) -> Note:
        """The note of `folder`. Raises KpatchError."""
        try:
            return _note(json.loads(text))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, KpatchError) as e:
            raise KpatchError(
                f"{folder}: what is asked there cannot be read: {e}",
                hint=f"begin again, and keep what you did: mv {quote(str(folder))} "
                f"{quote(f'{folder}.old')}",
            ) from e


def _note(raw: Mapping[str, Any]) -> Note:
    if raw["format"] != FORMAT:
        raise KpatchError(f"format {raw['format']}, and this kpatch-rs reads {FORMAT}")
    when = raw["when"]
    has = when and when["has"]
    return Note(
        step=str(raw["step"]),
        base=oid(raw["base"]),
        base_name=str(raw["base_name"]),
        digest=str(raw["digest"]),
        before=str(raw["before"]),
        offered=str(raw["offered"]),
        files=tuple(map(_path, raw["files"])),
        markers={_path(path): int(width) for path, width in raw["markers"].items()},
        left=tuple(map(str, raw["left"])),
        when=when and Guard(min=when["min"], max=when["max"], has=has and _path(has)),
        branch=raw.get("branch") and str(raw["branch"]),
        answered=str(raw["answered"]),
    )


def _bounds(guard: Guard) -> dict[str, str | None]:
    return {"min": guard.min, "max": guard.max, "has": _text(guard.has) if guard.has else None}


def _text(path: RepoPath) -> str:
    return path.decode(errors="surrogateescape")


def _path(text: str) -> RepoPath:
    return repo_path(text.encode(errors="surrogateescape"))


def fingerprint(files: Mapping[RepoPath, File | None]) -> str:
    """Names these files with these contents."""
    listed = sorted((path, file and (file.mode, file.data)) for path, file in files.items())
    return hashlib.sha256(repr(listed).encode()).hexdigest()
