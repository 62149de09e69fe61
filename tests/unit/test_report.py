"""Tables: aligned whatever is in them, and nothing in them steers a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from rich.cells import cell_len

from kpatch_rs.report import SCREEN, Screen, counted, table


def test_cells_of_several_lines_and_wide_characters_stay_aligned() -> None:
    shown = table(("step", "shown"), [("日本", "one\ntwo"), ("b", "three")])
    assert shown.splitlines() == [
        "step   shown",
        "────────────",
        "日本   one",
        "       two",
        "b      three",
    ]


def test_no_rows() -> None:
    assert table(("a", "bc"), []).splitlines() == ["a   bc", "──────"]


def test_escape_sequences_are_shown_not_sent() -> None:
    assert "\x1b" not in table(("a",), [("\x1b[31mred\x1b[0m",)])
    assert r"\x1b[31mred" in table(("a",), [("\x1b[31mred",)])


LONG = ("rust-analyzer", "moved", "scripts/generate_rust_analyzer.py:169", "scripts/new/g.py:345")


def shown_on(screen: Screen, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    token = SCREEN.set(screen)
    try:
        return table(headers, rows).splitlines()
    finally:
        SCREEN.reset(token)


def test_a_narrow_screen_folds_the_widest_columns_between_words() -> None:
    assert shown_on(Screen(width=72), ("step", "status", "was", "is"), [LONG]) == [
        "step            status   was                        is",
        "────────────────────────────────────────────────────────────────────────",
        "rust-analyzer   moved    scripts/                   scripts/new/g.py:345",
        "                         generate_rust_analyzer",
        "                         .py:169",
    ]


@pytest.mark.parametrize("width", [50, 60, 79, 80, 120, 200])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    rows = [LONG, ("a", "conflict", "日本語/日本語日本語日本語日本語/x", "word " * 30)]
    lines = shown_on(Screen(width=width), ("step", "status", "was", "is"), rows)
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("cell", [*LONG, "日本語/日本語日本語日本語/x", "two  blanks", "x" * 50])
def test_folding_loses_nothing(cell: str) -> None:
    lines = shown_on(Screen(width=9), ("step",), [(cell,)])
    assert "".join("".join(lines[2:]).split()) == "".join(cell.split())


def test_a_pipe_is_never_folded() -> None:
    assert len(shown_on(Screen(), ("step", "status", "was", "is"), [LONG])) == 3


def test_colours_are_those_of_the_whole_cell_only() -> None:
    rows = [("a", "conflict"), ("exact", "no conflict at all"), ("\x1b[31m", "failed")]
    lines = shown_on(Screen(colour=True), ("step", "status"), rows)
    assert lines[2] == "a          \x1b[1;31mconflict          \x1b[0m"
    assert lines[3] == "\x1b[32mexact   \x1b[0m   no conflict at all"
    assert lines[4].startswith(r"\x1b[31m")


def test_one_and_many() -> None:
    assert [counted(n, "recipe") for n in (0, 1, 2)] == ["0 recipes", "1 recipe", "2 recipes"]
    assert counted(2, "entry", "entries") == "2 entries"
