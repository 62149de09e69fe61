"""What a verb answers, and how it looks on a terminal.

A verb returns a :class:`Report`; only ``cli`` prints it. ``FORMAT`` is the version of every JSON
document; docs/json.md describes the documents.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    """`rows` in aligned columns under `headers`, as wide as they need to be."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for header in headers:
        shown.add_column(header, no_wrap=True)
    for row in rows:
        shown.add_row(*(clean(cell) for cell in row))
    console = Console(width=10_000, no_color=True, highlight=False, markup=False, soft_wrap=True)
    with console.capture() as out:
        console.print(shown)
    return "\n".join(line.rstrip() for line in out.get().splitlines() if line.strip())
