"""Tables: aligned whatever is in them, and nothing in them steers a terminal."""

from __future__ import annotations

from kpatch_rs.report import table


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
