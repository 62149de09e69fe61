"""The line diff: carried out it gives the new lines, and it is the shortest where it says so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.syntax.lines import Block, differences, distance

texts = st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b"e"]), max_size=14)


def shortest(old: list[bytes], new: list[bytes]) -> int:
    """By the book: a table of the longest common subsequences."""
    row = [0] * (len(new) + 1)
    for mine in old:
        last, row = row, [0]
        for n, theirs in enumerate(new):
            row.append(last[n] + 1 if mine == theirs else max(last[n + 1], row[n]))
    return len(old) + len(new) - 2 * row[-1]


@given(texts, texts)
def test_carried_out(old: list[bytes], new: list[bytes]) -> None:
    out, past = list[bytes](), 0
    for block in differences(old, new):
        assert past <= block.old_start
        out += old[past : block.old_start]
        assert len(out) == block.new_start
        out += new[block.new_start : block.new_end]
        past = block.old_end
    assert out + old[past:] == new


@given(st.lists(st.sampled_from([b"a", b"b"]), max_size=12), texts)
def test_shortest_where_no_line_is_known(old: list[bytes], new: list[bytes]) -> None:
    doubled = [*new, *new]
    assert distance([*old, *old], doubled) == shortest([*old, *old], doubled)


def test_files_without_anything_in_common() -> None:
    old = [b"a", b"b"] * 500
    new = [b"c", b"d"] * 500
    assert differences(old, new) == (Block(0, 1000, 0, 1000),)


def test_known_lines_part_the_file() -> None:
    old = [b"%d" % n for n in range(5000)]
    new = [*old[:100], b"x", *old[100:4000], *old[4001:]]
    assert differences(old, new) == (Block(100, 100, 100, 101), Block(4000, 4001, 4001, 4001))
