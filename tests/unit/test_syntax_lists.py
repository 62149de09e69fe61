"""The small readers: MAINTAINERS, lists in order, and the tuples of Python scripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.syntax.maintainers import covers, read_maintainers, title_order
from kpatch_rs.syntax.order import in_order, place_among
from kpatch_rs.syntax.python import sequences


@given(st.lists(st.text(max_size=3)), st.text(max_size=3))
def test_a_sorted_list_stays_sorted(keys: list[str], new: str) -> None:
    keys.sort()
    keys.insert(place_among(keys, new), new)
    assert keys == sorted(keys)


def test_a_stray_entry_does_not_lead_astray() -> None:
    assert place_among(["Z", "A", "C", "E", "B"], "D") == 3


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [("", False), ("a", True), ("abc", True), ("acb", False), ("abcedf", True), ("abdcfe", False)],
)
def test_an_order_bears_a_few_strays(keys: str, wanted: bool) -> None:
    assert in_order(list(keys)) is wanted


@pytest.mark.parametrize(
    ("line", "path", "wanted"),
    [
        ("fs/ext4/", "fs/ext4/rust/a.rs", True),
        ("fs/ext4/", "fs/ext4.rs", False),
        ("fs/ext4", "fs/ext4/a.rs", False),
        ("fs/*", "fs/a.rs", True),
        ("fs/*", "fs/ext4/a.rs", False),
        ("fs/*/a?.rs", "fs/ext4/ab.rs", True),
        ("fs/*.c", "fs/a.crs", False),
        ("fs/a.rs", "fs/aXrs", False),
        ("fs/**/a.rs", "fs/ext4/x/a.rs", True),
        ("fs/", "fs/*.rs", False),
        ("fs/*.rs", "fs/*.rs", True),
    ],
)
def test_a_line_covers_what_get_maintainer_takes_for_its_own(
    line: str, path: str, wanted: bool
) -> None:
    (section,) = read_maintainers(f"Maintainers List\n---\n\nFOO\nF:\t{line}\n".encode())
    assert bool(covers(section, path)) is wanted


def test_an_x_line_takes_its_files_away() -> None:
    data = b"Maintainers List\n---\n\nFOO\nF:\tfs/\nX:\tfs/ext4/\nF:\tfs/ext4/own.rs\n"
    (section,) = read_maintainers(data)
    assert covers(section, "fs/a.rs")
    assert not covers(section, "fs/ext4/a.rs")
    assert covers(section, "fs/ext4/own.rs"), "a line of the very words is there"


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
