"""A quilt series: the file `series` and the patches it names, in order.

Guarantees: every patch comes as the series file says, or is refused with its line, all of them at
once; files beside the patches that it does not name are told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kpatch_rs.errors import Gathered, KpatchError
from kpatch_rs.loader.document import decoded
from kpatch_rs.loader.source import PAYLOAD_LIMIT, TEXT_LIMIT, Unreadable, read_file

SERIES = "series"
_COMMENT = re.compile(r"(?:^|\s)#.*")
_LINE = re.compile(r"(?P<name>\S+)(?:\s+-p\s*(?P<strip>\d|ab))?\s*")


@dataclass(frozen=True, slots=True)
class QuiltPatch:
    """One patch file."""

    name: str
    """Below the folder."""
    strip: int
    """How many folders stand in front of the names in it (-p)."""
    data: bytes


_PACKED = (".gz", ".bz2", ".xz", ".zst", ".lz", ".lzma", ".Z", ".zip")


def read_quilt(folder: Path) -> tuple[tuple[QuiltPatch, ...], tuple[tuple[str, str], ...]]:
    """The patches of the series in `folder`, and what else there is, with the reason.

    Raises KpatchError naming file and line of all that is wrong.
    """
    text = decoded(SERIES, _series(folder))
    patches, unfit = list[QuiltPatch](), Gathered()
    lines = text.split("\n")
    for n, line in enumerate(lines, 1):
        stated = _COMMENT.sub("", line).strip()
        if stated:
            with unfit.each():
                patches.append(_patch(folder, n, stated))
    unfit.check()
    others = [(name, f"the file {SERIES} does not name it") for name in _unnamed(folder, patches)]
    others += [(SERIES, "its comments")] if any(map(_COMMENT.search, lines)) else []
    return tuple(patches), tuple(others)


def _series(folder: Path) -> bytes:
    """The file `series`. Raises KpatchError that says how a folder gets one."""
    if not folder.exists():
        raise KpatchError(f"{folder}: there is no such folder", hint="give a quilt series' folder")
    if folder.is_file():
        raise KpatchError(
            f"{folder} is a file", hint="give the folder of a quilt series, or: import --mbox FILE"
        )
    for inner in ("patches", "debian/patches"):
        if not (folder / SERIES).exists() and (folder / inner / SERIES).exists():
            raise KpatchError(
                f"{folder} has no file '{SERIES}', and {inner} in it has",
                hint=f"give that one: --quilt {folder / inner}",
            )
    if not (folder / SERIES).exists():
        raise KpatchError(
            f"{folder} has no file '{SERIES}', which names its patches in order",
            hint=f"for the order of their names: cd {folder}; ls *.patch > {SERIES}",
        )
    return _read(folder, SERIES, TEXT_LIMIT, f"{folder}")


def _patch(folder: Path, n: int, stated: str) -> QuiltPatch:
    """The patch of line `n`. Raises KpatchError."""
    found = _LINE.fullmatch(stated)
    if not found:
        raise KpatchError(
            f"{SERIES}:{n}: '{stated}' is more than a file's name and -p",
            hint="patches that are applied backwards (-R) or with other options: turn them"
            " round, or put the options into the patch",
        )
    name = found["name"]
    if name.endswith(_PACKED):
        raise KpatchError(
            f"{SERIES}:{n}: {name} is compressed",
            hint=f"unpack it, and name the file that comes out in {SERIES}",
        )
    strip = 1 if found["strip"] in (None, "ab") else int(found["strip"])
    return QuiltPatch(name, strip, _read(folder, name, PAYLOAD_LIMIT, f"{SERIES}:{n}"))


def _unnamed(folder: Path, patches: Sequence[QuiltPatch]) -> list[str]:
    """What is in the folder, and in those of the patches, and is none; hidden is nobody's."""
    names = {SERIES, *(patch.name for patch in patches)}
    parents = {Path(), *(parent for name in names for parent in Path(name).parents)}
    there = [child for parent in parents for child in (folder / parent).iterdir()]
    found = {child.relative_to(folder) for child in there if not child.name.startswith(".")}
    return sorted(f"{path}" for path in found - parents if f"{path}" not in names)


def _read(folder: Path, name: str, limit: int, where: str) -> bytes:
    try:
        return read_file(folder, name, limit, "folder of patches")
    except Unreadable as error:
        raise KpatchError(f"{where}: {name}: {error.message}", hint=error.hint) from error
