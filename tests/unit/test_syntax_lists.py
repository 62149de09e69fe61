"""The small readers: MAINTAINERS and the tuples of Python scripts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.syntax.maintainers import place_among, read_maintainers, title_order
from kpatch_rs.syntax.python import sequences


@given(st.lists(st.text(max_size=3)), st.text(max_size=3))
def test_a_sorted_list_stays_sorted(keys: list[str], new: str) -> None:
    keys.sort()
    keys.insert(place_among(keys, new), new)
    assert keys == sorted(keys)


def test_a_stray_entry_does_not_lead_astray() -> None:
    assert place_among(["Z", "A", "C", "E", "B"], "D") == 3


def test_the_rest_sorts_last() -> None:
    assert title_order("The Rest") > title_order("zebra")


def test_only_the_list_is_read() -> None:
    data = b"FOO\nM:\tno\n\nMaintainers List\n----------------\n\nBAR\nM:\tx \nF: y\n\nlost\n"
    (section,) = read_maintainers(data)
    assert (section.title, [(li.tag, li.value) for li in section.lines]) == (
        "BAR",
        [("M", "x"), ("F", "y")],
    )
    assert data[section.start : section.end] == b"BAR\nM:\tx \nF: y\n"


def test_sequences_of_plain_strings_only() -> None:
    code = (
        b"""a = f(("x", "y"))\nb = ("x", y)\nc = ["x", "z"]\nd = ("x", f"y")\ne = ("x", b"y")\n"""
    )
    assert [s.start for s in sequences(code, (b"x",))] == [code.index(b'("x"'), code.index(b'["x"')]
