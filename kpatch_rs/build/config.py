"""The kernel's .config and fragments of it: what is wanted, what was kept.

Kconfig drops a symbol whose dependencies are not met without a word; therefore nothing counts as
configured that was not read back from the .config `olddefconfig` wrote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kpatch_rs.errors import KpatchError
from kpatch_rs.model.series import Payload

Settings = dict[str, str]
"""Symbol without CONFIG_ → y, m, n or a literal as the file has it; in the file's order."""

_SET = re.compile(r"CONFIG_(\w+)=(\S.*?)\s*")
_UNSET = re.compile(r"#\s*CONFIG_(\w+) is not set\s*")


class FragmentInvalid(KpatchError):
    """The series' Kconfig fragment has a line Kconfig would skip with a mere warning."""


def read_config(data: bytes) -> Settings:
    """The settings of a .config; lines that set nothing are passed over."""
    found: Settings = {}
    for line in data.decode(errors="replace").split("\n"):
        if entry := _entry(line):
            found[entry[0]] = entry[1]
    return found


def read_fragment(fragment: Payload | None) -> Settings:
    """The settings a series asks for. Raises FragmentInvalid, naming file and line."""
    found: Settings = {}
    lines = fragment.data.decode(errors="replace").split("\n") if fragment else []
    for number, line in enumerate(lines, 1):
        entry = _entry(line)
        if entry:
            found[entry[0]] = entry[1]
        elif line.strip() and not line.lstrip().startswith("#"):
            name = fragment.name if fragment else ""
            raise FragmentInvalid(
                f"{name}:{number}: {line.strip()[:80]!r} sets nothing",
                hint="write CONFIG_FOO=y, or # CONFIG_FOO is not set",
            )
    return found


def _entry(line: str) -> tuple[str, str] | None:
    if match := _SET.fullmatch(line):
        return match[1], match[2]
    if match := _UNSET.fullmatch(line):
        return match[1], "n"
    return None


def merged(start: bytes, wanted: Mapping[str, str]) -> bytes:
    """The .config `start` with `wanted` in place of what it says about the same symbols."""
    kept = [
        line
        for line in start.decode(errors="surrogateescape").split("\n")
        if not ((entry := _entry(line)) and entry[0] in wanted)
    ]
    lines = "\n".join(kept).rstrip("\n") + "\n" + "".join(map(_line, wanted, wanted.values()))
    return lines.encode(errors="surrogateescape")


def _line(symbol: str, value: str) -> str:
    return f"# CONFIG_{symbol} is not set\n" if value == "n" else f"CONFIG_{symbol}={value}\n"


@dataclass(frozen=True, slots=True)
class Lost:
    """A wanted setting that `olddefconfig` did not keep."""

    symbol: str
    wanted: str
    got: str

    def __str__(self) -> str:
        was = f"CONFIG_{self.symbol}={self.wanted}"
        return f"{was} was not kept (it is {'off' if self.got == 'n' else self.got})"


def lost(wanted: Mapping[str, str], kept: Mapping[str, str]) -> tuple[Lost, ...]:
    """What of `wanted` the final .config has otherwise."""
    pairs = ((s, value, kept.get(s, "n")) for s, value in wanted.items())
    return tuple(Lost(s, value, got) for s, value, got in pairs if got != value)


def wanted_settings(
    fragment: Mapping[str, str], own: Sequence[str], there: Sequence[str], *, on: bool
) -> Settings:
    """What a step asks for: the fragment, and the series' symbols that are there, on or off.

    `own` are all symbols the series introduces, `there` those introduced so far: the fragment may
    name them all, but Kconfig knows them only from their step on. A value the fragment gives one
    (m, say) is what on means for it.
    """
    base = {s: value for s, value in fragment.items() if s not in own}
    return base | {s: _on_value(fragment, s) if on else "n" for s in there}


def _on_value(fragment: Mapping[str, str], symbol: str) -> str:
    value = fragment.get(symbol, "y")
    return "y" if value == "n" else value
