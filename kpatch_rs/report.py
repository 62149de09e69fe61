"""What a verb answers, and how it looks on a terminal.

A verb returns a :class:`Report`; only ``cli`` prints it. ``FORMAT`` is the version of every JSON
document; docs/json.md describes the documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Protocol

FORMAT = 1


class Report(Protocol):
    """The answer of one verb."""

    @property
    def exit_code(self) -> int:
        """0 done, 3 conflict, 4 a check failed; errors have theirs on the exception."""

    def as_json(self) -> dict[str, Any]:
        """The document, without its `format` key."""

    def as_text(self) -> str:
        """The same for people: no trailing newline, no escape sequence."""


def clean(text: str) -> str:
    """`text` with what could steer a terminal made visible (ESC, CR, bidi controls, NUL …)."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """`rows` in aligned columns under `headers`, as wide as they need to be; cells may have lines.

    rich measures; its tables are not used, because importing them takes longer than rendering a
    small series does (65 ms, measured).
    """
    from rich.cells import cell_len, set_cell_size

    lines = [tuple(headers)]
    for row in rows:
        lines += zip_longest(*(clean(cell).split("\n") for cell in row), fillvalue="")
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    gap = " " * _GAP
    shown = [gap.join(map(set_cell_size, line, widths)).rstrip() for line in lines]
    rule = "─" * (sum(widths) + _GAP * (len(widths) - 1))
    return "\n".join([shown[0], rule, *(line for line in shown[1:] if line)])


_GAP = 3
"""Columns between two columns."""
