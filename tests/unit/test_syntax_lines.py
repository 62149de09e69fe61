"""The line diff: carried out it gives the new lines, and it is the shortest where it says so."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.syntax.lines import Block, alignments, differences, distance

texts = st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b"e"]), max_size=14)


def shortest(old: list[bytes], new: list[bytes]) -> int:
    """By the book: a table of the longest common subsequences."""
    row = [0] * (len(new) + 1)
    for mine in old:
        last, row = row, [0]
        for n, theirs in enumerate(new):
            row.append(last[n] + 1 if mine == theirs else max(last[n + 1], row[n]))
    return len(old) + len(new) - 2 * row[-1]


def carried_out(blocks: Sequence[Block], old: list[bytes], new: list[bytes]) -> list[bytes]:
    out, past = list[bytes](), 0
    for block in blocks:
        assert past <= block.old_start
        out += old[past : block.old_start]
        assert len(out) == block.new_start
        out += new[block.new_start : block.new_end]
        past = block.old_end
    return out + old[past:]


@given(texts, texts)
def test_carried_out(old: list[bytes], new: list[bytes]) -> None:
    assert carried_out(differences(old, new), old, new) == new


@given(texts, texts)
def test_carried_out_in_either_reading(old: list[bytes], new: list[bytes]) -> None:
    readings = alignments(old, new)
    assert all(carried_out(blocks, old, new) == new for blocks in readings)
    assert len(set(readings)) == len(readings) <= 2


def test_a_line_beside_its_like_came_late_or_early() -> None:
    late, early = alignments([b"a", b"b", b"c"], [b"a", b"b", b"b", b"c"])
    assert (late, early) == ((Block(2, 2, 2, 3),), (Block(1, 1, 1, 2),))
    assert len(alignments([b"a", b"c"], [b"a", b"b", b"c"])) == 1


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
