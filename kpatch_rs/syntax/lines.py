"""Two versions of a file, line by line: which lines of the one became which of the other.

Guarantees: whatever the answer, carrying it out on the old lines gives the new ones. It is the
shortest one in all but files that have little in common: lines that stand once in both are taken
for the same, and what lies between two such is compared by Myers' algorithm (An O(ND) Difference
Algorithm, 1986) as long as it takes few steps. Time and memory grow with the number of lines.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_STEPS = 400
"""Most lines added and removed between two known lines; past that they are replaced as a whole."""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines `old_start` up to `old_end` became lines `new_start` up to `new_end`, 0-based."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int

    @property
    def size(self) -> int:
        """How many lines go and come."""
        return self.old_end - self.old_start + self.new_end - self.new_start


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of a file that belong together, `start` up to `end`, 0-based."""

    start: int
    end: int

    def holds(self, block: Block) -> bool:
        """Whether the block's old lines are all its own; what is put in stands behind one."""
        if block.old_start == block.old_end:
            return self.start < block.old_start <= self.end
        return self.start <= block.old_start and block.old_end <= self.end


def differences(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[Block, ...]:
    """Return what makes `new` of `old`, in order; blocks that touch are one."""
    joined: list[Block] = []
    for block in _compared(old, new, Block(0, len(old), 0, len(new))):
        last = joined[-1] if joined else None
        if last and (last.old_end, last.new_end) == (block.old_start, block.new_start):
            joined[-1] = Block(last.old_start, block.old_end, last.new_start, block.new_end)
        else:
            joined.append(block)
    return tuple(joined)


def alignments(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[tuple[Block, ...], ...]:
    """The differences as found from the top and from the end; one where the two agree.

    Where lines repeat there is more than one answer: what is put in beside lines like it comes late
    in the one and early in the other.
    """
    top, height, width = differences(old, new), len(old), len(new)
    end = tuple(
        Block(height - b.old_end, height - b.old_start, width - b.new_end, width - b.new_start)
        for b in reversed(differences(old[::-1], new[::-1]))
    )
    return (top,) if top == end else (top, end)


def became(blocks: Sequence[Block], start: int, end: int) -> Block:
    """Old lines `start` to `end` with all of `blocks` in touch with them, and what they became."""
    first, last, above, below = start, end, 0, 0
    for block in blocks:
        moved = block.new_end - block.old_end
        if block.old_end < start:
            above = below = moved
        elif block.old_start <= end:
            first, last, below = min(first, block.old_start), max(last, block.old_end), moved
    return Block(first, last, first + above, last + below)


def distance(old: Sequence[bytes], new: Sequence[bytes]) -> int:
    """How many lines go and come between `old` and `new`."""
    return sum(block.size for block in differences(old, new))


def _compared(old: Sequence[bytes], new: Sequence[bytes], whole: Block) -> Iterator[Block]:
    """The differences in a part of the files; parts wait on a list, files decide how many."""
    waiting = [whole]
    while waiting:
        part = _trimmed(old, new, waiting.pop())
        if not part.size:
            continue
        if part.old_start == part.old_end or part.new_start == part.new_end:
            yield part
        elif known := _known(old, new, part):
            waiting += reversed(list(_between(part, known)))
        else:
            yield from _myers(old, new, part)


def _trimmed(old: Sequence[bytes], new: Sequence[bytes], part: Block) -> Block:
    """`part` without the lines that are equal at its beginning and at its end."""
    a, b, c, d = part.old_start, part.old_end, part.new_start, part.new_end
    while a < b and c < d and old[a] == new[c]:
        a, c = a + 1, c + 1
    while a < b and c < d and old[b - 1] == new[d - 1]:
        b, d = b - 1, d - 1
    return Block(a, b, c, d)


def _known(old: Sequence[bytes], new: Sequence[bytes], part: Block) -> list[tuple[int, int]]:
    """Lines that stand once on each side, as pairs that keep the order of both."""
    mine = range(part.old_start, part.old_end)
    theirs = range(part.new_start, part.new_end)
    once = Counter(old[n] for n in mine)
    often = Counter(new[n] for n in theirs)
    where = {new[n]: n for n in theirs if often[new[n]] == 1}
    pairs = [(n, where[old[n]]) for n in mine if once[old[n]] == 1 and old[n] in where]
    return _rising(pairs)


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of `pairs`, sorted by the first, that rises in the second, too."""
    ends: list[int] = []
    chosen: list[int] = []
    before: list[int] = []
    for n, (_, value) in enumerate(pairs):
        at = bisect_left(ends, value)
        before.append(chosen[at - 1] if at else -1)
        ends[at : at + 1] = [value]
        chosen[at : at + 1] = [n]
    run = []
    n = chosen[-1] if chosen else -1
    while n >= 0:
        run.append(pairs[n])
        n = before[n]
    return run[::-1]


def _between(part: Block, known: list[tuple[int, int]]) -> Iterator[Block]:
    a, c = part.old_start, part.new_start
    for mine, theirs in known:
        yield Block(a, mine, c, theirs)
        a, c = mine + 1, theirs + 1
    yield Block(a, part.old_end, c, part.new_end)


def _myers(old: Sequence[bytes], new: Sequence[bytes], part: Block) -> list[Block]:
    """The shortest way through `part`, in order; all of it where that is a long one."""
    height, width = part.old_end - part.old_start, part.new_end - part.new_start
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    for steps in range(min(height + width, _STEPS) + 1):
        trace.append(dict(reach))
        for k in range(-steps, steps + 1, 2):
            down = k == -steps or (k != steps and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            y = x - k
            while x < height and y < width and old[part.old_start + x] == new[part.new_start + y]:
                x, y = x + 1, y + 1
            reach[k] = x
            if x >= height and y >= width:
                return _walked_back(trace, part)
    return [part]


def _walked_back(trace: list[dict[int, int]], part: Block) -> list[Block]:
    """The steps that led to the end, each a block of one line."""
    x, y = part.old_end - part.old_start, part.new_end - part.new_start
    blocks = []
    for steps in range(len(trace) - 1, 0, -1):
        reach, k = trace[steps], x - y
        down = k == -steps or (k != steps and reach[k - 1] < reach[k + 1])
        k = k + 1 if down else k - 1
        x = reach[k]
        y = x - k
        a, c = part.old_start + x, part.new_start + y
        blocks.append(Block(a, a, c, c + 1) if down else Block(a, a + 1, c, c))
    return blocks[::-1]
