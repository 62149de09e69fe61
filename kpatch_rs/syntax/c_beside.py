"""Where the text above and below a declaration is: for what is to stand right beside it.

Guarantees: a place on this level of the file, never in an `#if` that the declaration shares with
its stub, never between a function and the comment above it.
"""

from __future__ import annotations

import re

from kpatch_rs.syntax.c_assembly import always_for_c
from kpatch_rs.syntax.c_body import Unclear
from kpatch_rs.syntax.c_functions import functions, functions_named
from kpatch_rs.syntax.c_includes import guard_of
from kpatch_rs.syntax.c_prototype import prototypes_named
from kpatch_rs.syntax.c_text import CText, Directive

_DECLARES = re.compile(rb"(?<![\w.>])([A-Za-z_]\w*)\s*\([^;{}]*\)[^;{}=]*;")


def extent(text: CText, name: bytes) -> tuple[int, int]:
    """The whole lines that declare or define `name`, with the `#if` around it. Raises Unclear.

    A prototype and its stub, in the arms of one `#if`, are one declaration.
    """
    spans = {_lines(text, f.start, f.close) for f in functions_named(text, name)}
    spans |= {_lines(text, at, text.code.find(b";", at)) for at, _ in prototypes_named(text, name)}
    if len(spans) != 1:
        many = f"in {len(spans)} places" if spans else "nowhere"
        raise Unclear(
            min((start for start, _ in spans), default=0),
            f"{name.decode(errors='replace')}() is declared or defined {many} in it",
        )
    return next(iter(spans))


def above_comment(text: CText, start: int) -> int:
    """The line of the comment that ends right above the line `start`; else `start`."""
    above = text.data[:start]
    if not above.endswith(b"*/\n"):
        return start
    opened = text.line_start(above.rfind(b"/*"))
    return opened if text.data[opened:start].startswith(b"/*") else start


def declared_around(text: CText, start: int, end: int) -> tuple[bytes | None, bytes | None]:
    """The names of the functions that are declared or defined nearest above and below a range."""
    bodies = [(f.start, f.close, f.name) for f in functions(text)]
    bodies += [
        (m.start(), m.end(), m[1])
        for m in _DECLARES.finditer(text.code)
        if not any(a < m.start() < b for a, b, _ in bodies)
    ]
    above = max(((b, name) for a, b, name in bodies if b <= start), default=(0, None))
    below = min(((a, name) for a, b, name in bodies if a >= end), default=(0, None))
    return above[1], below[1]


def _lines(text: CText, start: int, end: int) -> tuple[int, int]:
    """The lines from byte `start` to byte `end`, and all of the outermost `#if` around them."""
    outer = [d for d in text.enclosing(start) if not _of_the_whole(text, d)]
    first = outer[0].start if outer else start
    last = _closing(text, outer[0]) if outer else end
    return text.line_start(first), text.line_end(last)


def _of_the_whole(text: CText, directive: Directive) -> bool:
    """Whether all that C sees of a header stands in it."""
    guard = guard_of(text)
    is_guard = guard is not None and directive == guard.opening
    return is_guard or always_for_c(directive)


def _closing(text: CText, opening: Directive) -> int:
    depth = 0
    for directive in text.between(opening.start, len(text.data)):
        depth += directive.opens - (directive.name == b"endif")
        if not depth:
            return directive.end
    raise Unclear(opening.start, "an #if without its #endif")
