"""A quilt series: the file `series` and the patches it names, in order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kpatch_rs.errors import KpatchError
from kpatch_rs.loader.document import decoded
from kpatch_rs.loader.source import PAYLOAD_LIMIT, TEXT_LIMIT, Unreadable, read_file

SERIES = "series"
_LINE = re.compile(r"(?P<name>\S+)(?:\s+-p\s*(?P<strip>\d|ab))?\s*")


@dataclass(frozen=True, slots=True)
class QuiltPatch:
    """One patch file."""

    name: str
    """Below the folder."""
    strip: int
    """How many folders stand in front of the names in it (-p)."""
    data: bytes


def read_quilt(folder: Path) -> tuple[QuiltPatch, ...]:
    """Return the patches of the series in `folder`. Raises KpatchError naming file and line."""
    text = decoded(SERIES, _read(folder, SERIES, TEXT_LIMIT, f"{folder}"))
    patches = []
    for n, line in enumerate(text.split("\n"), 1):
        stated = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if not stated:
            continue
        found = _LINE.fullmatch(stated)
        if not found:
            raise KpatchError(
                f"{SERIES}:{n}: '{stated}' is more than a file's name and -p",
                hint="patches that are applied backwards (-R) or with other options: turn them"
                " round, or put the options into the patch",
            )
        strip = 1 if found["strip"] in (None, "ab") else int(found["strip"])
        data = _read(folder, found["name"], PAYLOAD_LIMIT, f"{SERIES}:{n}")
        patches.append(QuiltPatch(found["name"], strip, data))
    return tuple(patches)


def _read(folder: Path, name: str, limit: int, where: str) -> bytes:
    try:
        return read_file(folder, name, limit)
    except Unreadable as error:
        raise KpatchError(f"{where}: {name}: {error.message}", hint=error.hint) from error
