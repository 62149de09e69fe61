"""What a verb answers, and how it looks on a terminal.

A verb returns a :class:`Report`; only ``cli`` prints it. ``FORMAT`` is the version of every JSON
document; docs/json.md describes the documents.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Protocol

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Screen:
    """What a report is read on."""

    width: int | None = None
    """Columns; None: a file or a pipe, where nothing needs folding."""
    colour: bool = False


SCREEN: ContextVar[Screen] = ContextVar("SCREEN", default=Screen())
"""Set by ``cli``, once: a process has one terminal, and every table is for it."""


class Report(Protocol):
    """The answer of one verb."""

    @property
    def exit_code(self) -> int:
        """0 done, 3 conflict, 4 a check failed; errors have theirs on the exception."""

    def as_json(self) -> dict[str, Any]:
        """The document, without its `format` key."""

    def as_text(self) -> str:
        """The same for people, on :data:`SCREEN`: no trailing newline, no escapes but colours."""


def clean(text: str) -> str:
    """`text` with what could steer a terminal made visible (ESC, CR, bidi controls, NUL …)."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )


def counted(number: int, one: str, many: str = "") -> str:
    """`number` with its noun: 1 recipe, 2 recipes; `many` where an s is not enough."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """`rows` in aligned columns under `headers`, no wider than the screen; cells may have lines.

    Where the screen is too narrow, the widest columns are folded: at blanks and slashes, inside a
    name only where one alone is too long. rich measures; its tables are not used, because importing
    them takes longer than rendering a small series does (65 ms, measured).
    """
    from rich.cells import cell_len, set_cell_size

    screen = SCREEN.get()
    cells = [[clean(cell).split("\n") for cell in row] for row in ([*headers], *rows)]
    columns = list(zip(*cells, strict=True))
    natural = [max(cell_len(line) for cell in column for line in cell) for column in columns]
    widths = _fitted(natural, screen.width)
    shown = []
    for row in cells:
        folded = [
            [part for line in cell for part in _folded(line, width)]
            for cell, width in zip(row, widths, strict=True)
        ]
        paints = [_STYLES.get("".join(cell), "") if screen.colour else "" for cell in row]
        for parts in zip_longest(*folded, fillvalue=""):
            padded = map(set_cell_size, parts, widths)
            shown.append(_GAP.join(map(_painted, padded, paints)).rstrip())
    rule = "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    return "\n".join([shown[0], rule, *(line for line in shown[1:] if line)])


def _fitted(natural: Sequence[int], width: int | None) -> list[int]:
    """The columns' widths: as they are, or the widest ones less, so that all fit into `width`."""
    widths, gaps = list(natural), len(_GAP) * (len(natural) - 1)
    while width is not None and sum(widths) + gaps > width and max(widths) > _NARROW:
        widths[widths.index(max(widths))] -= 1
    return widths


def _folded(text: str, width: int, breaks: Sequence[re.Pattern[str]] | None = None) -> list[str]:
    """`text` in lines of at most `width` columns, parted where the first of `breaks` can."""
    from rich.cells import cell_len

    first, *others = _BREAKS if breaks is None else breaks
    lines, line = list[str](), ""
    for piece in first.split(text):
        if cell_len((line + piece).rstrip()) <= width:
            line += piece
            continue
        lines += [line.rstrip()] if line else []
        fits = cell_len(piece.rstrip()) <= width or not others
        *whole, line = [piece] if fits else _folded(piece, width, others)
        lines += whole
    return [*lines, line]


def _painted(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if style else text


_GAP = "   "
"""Between two columns."""

_NARROW = 8
"""Columns below which none is made narrower: the terminal may as well wrap what is left."""

_BREAKS = (re.compile(r"(?<=[ /])"), re.compile(r"(?<=[_:-])|(?=\.)"), re.compile(r"(?<=.)"))
"""Behind what a cell is folded: between words and folders, inside a name, anywhere."""

_GOOD, _LOOK, _BAD = "32", "33", "1;31"
_STYLES = {
    **dict.fromkeys(("exact", "present", "passed", "ok"), _GOOD),
    **dict.fromkeys(("moved", "adapted", "skipped", "not built", "unchecked"), _LOOK),
    **dict.fromkeys(("conflict", "failed", "PROBLEM"), _BAD),
}
"""Colours of whole cells, as git has them for what is fine and what is not (ECMA-48 SGR)."""
