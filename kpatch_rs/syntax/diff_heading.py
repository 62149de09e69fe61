"""What a hunk says behind its second `@@`: in which function, entry or node it was made.

Without what the diff was made from, that is the only witness of which of two like places is meant:
the text of a hunk may stand once in a file because the other of two twins is gone. Guarantees: a
place is strange only where the heading names something of the file's language, and the place is in
another. git takes for the heading the last line above the hunk that its rule for the language takes
(userdiff.c; the kernel's .gitattributes name the rules), and else one at the left margin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax.c_functions import functions
from kpatch_rs.syntax.c_text import c_text
from kpatch_rs.syntax.diff_found import Spot

_CALLED = re.compile(rb"(\w+)[ \t]*\([^;]*\Z")
_ENTRY = re.compile(rb"(?:menu)?config[ \t]+(\w+)")
_NODE = re.compile(rb"[ \t]*((?:/[ \t]*|&?[A-Za-z_][^;=]*)\{)\s*\Z")
_RUST = re.compile(
    rb"[ \t]*(?:pub(?:\([^)]+\))?[ \t]+)?(?:(?:async|const|unsafe)[ \t]+)?"
    rb"((?:struct|enum|union|mod|trait|fn|impl)[< \t]+[^({;]*)[^;]*\Z"
)
_PYTHON = re.compile(rb"[ \t]*(?:async[ \t]+)?((?:def|class)[ \t]+\w+)")

Strange = tuple[Spot, bytes, bytes]
"""A spot, what its heading names, and in what it is instead."""

_Found = Callable[[bytes], bytes]


def strange_place(path: RepoPath, lines: Sequence[bytes], spots: Iterable[Spot]) -> Strange | None:
    """The first of `spots` that is in something else than its heading names, and in what."""
    for spot in spots:
        if not spot.hunk.heading:
            continue
        if path.endswith((b".c", b".h")):
            named, stands = _in_function(lines, spot)
        elif rule := _rule(path):
            named, stands = _below(lines, spot, rule)
        else:
            continue
        if named and stands and named not in stands:
            return spot, named, stands[0]
    return None


def _in_function(lines: Sequence[bytes], spot: Spot) -> tuple[bytes, tuple[bytes, ...]]:
    """The function that the heading names, and the one that the hunk begins in."""
    heading = spot.hunk.heading
    called = _CALLED.search(heading)
    text = c_text(b"".join(lines))
    first = sum(map(len, lines[: spot.at]))
    here = next((f for f in functions(text) if f.named < first <= f.close), None)
    if called is None or here is None:
        return b"", ()
    head = re.findall(rb"\w+", text.data[here.start : here.open])
    there = here.name in re.findall(rb"\w+", heading) or called[1] in head
    return called[1] + b"()", (called[1] + b"()" if there else here.name + b"()",)


def _below(lines: Sequence[bytes], spot: Spot, rule: _Found) -> tuple[bytes, tuple[bytes, ...]]:
    """What the heading names, and what stands last above the hunk: anywhere, and at the margin."""
    named = rule(spot.hunk.heading)
    above = [found for line in reversed(lines[: spot.at]) if (found := _both(rule, line))]
    last = [name for name, _ in above[:1]]
    margin = [name for name, margin in above if margin][:1]
    return named, (*last, *margin)


def _both(rule: _Found, line: bytes) -> tuple[bytes, bool] | None:
    name = rule(line)
    return (name, bool(re.match(rb"[A-Za-z_$]", line))) if name else None


def _rule(path: RepoPath) -> _Found | None:
    """What of a line names the part of the file that begins with it; b"" for all other lines."""
    name = path.rpartition(b"/")[2]
    if name.startswith(b"Kconfig"):
        return _finding(_ENTRY)
    by_end = {b".dts": _NODE, b".dtsi": _NODE, b".dtso": _NODE, b".rs": _RUST, b".py": _PYTHON}
    rule = by_end.get(b"." + name.rpartition(b".")[2])
    return _finding(rule) if rule else None


def _finding(rule: re.Pattern[bytes]) -> _Found:
    def found(line: bytes) -> bytes:
        match = rule.match(line)
        return b" ".join(match[1].split()) if match else b""

    return found
