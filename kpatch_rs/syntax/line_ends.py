"""Files whose lines end in CR LF: a few of the kernel's do.

Kinds read every file with LF alone, and what they made of it gets the file's own line ends again.
Guarantees: a line that stays keeps its end, in mixed files too; a new one ends as the line above
it does (the first as the one below).
"""

from __future__ import annotations

from kpatch_rs.syntax.diff_place import lines_of
from kpatch_rs.syntax.lines import differences


def with_lf(data: bytes) -> bytes:
    """`data` with LF for every CR LF."""
    return data.replace(b"\r\n", b"\n")


def as_before(old: bytes, new: bytes) -> bytes:
    """`new`, made of `old` or of that with LF, with the line ends of `old`."""
    if b"\r\n" not in old:
        return new
    was, now = lines_of(old), lines_of(with_lf(new))
    out, past = list[bytes](), 0
    for block in differences(lines_of(with_lf(old)), now):
        out += was[past : block.old_start]
        past = block.old_end
        beside = out[-1] if out else was[0]
        end = b"\r\n" if beside.endswith(b"\r\n") else b"\n"
        fresh = now[block.new_start : block.new_end]
        out += [line[:-1] + end if line.endswith(b"\n") else line for line in fresh]
    return b"".join([*out, *was[past:]])
