"""Lines of which one side changed how far they are indented.

What the other side puts in right beside such a line may belong inside the block that is new
around it, or outside: in Python and YAML the column says which, elsewhere the braces do, but in
none does the merge know. Only words within the line itself have a place all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from kpatch_rs.syntax.lines import Block, differences


def beside_indented(base: Sequence[bytes], one: Sequence[bytes], other: Sequence[bytes]) -> bool:
    """Whether a side puts in or takes out lines in touch with one that the other indented anew."""
    pairs = ((one, other), (other, one))
    return any(
        block.old_start <= line + 1 and line <= block.old_end
        for mine, theirs in pairs
        for line in _indented(base, mine)
        for block in differences(base, theirs)
        if _resized(block)
    )


def _indented(base: Sequence[bytes], side: Sequence[bytes]) -> Iterator[int]:
    """The lines of `base` that `side` has with another indentation."""
    was, now = ([_text(line) for line in lines] for lines in (base, side))
    at, to = 0, 0
    for block in chain(differences(was, now), [Block(len(was), len(was), len(now), len(now))]):
        same = zip(range(at, block.old_start), range(to, block.new_start), strict=True)
        yield from (a for a, b in same if was[a] and _frame(base[a]) != _frame(side[b]))
        at, to = block.old_end, block.new_end


def _resized(block: Block) -> bool:
    return block.old_end - block.old_start != block.new_end - block.new_start


def _text(line: bytes) -> bytes:
    """What is in a line; the dash before an item of YAML belongs to its indentation."""
    return line.strip().removeprefix(b"- ").lstrip()


def _frame(line: bytes) -> bytes:
    return line.rstrip().removesuffix(_text(line))
