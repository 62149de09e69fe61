"""Where a header ends for those who write C in it.

Guarantees: what goes there is read by all of the kernel's C code that includes the header, whatever
the configuration is. Assembly does not read it, nor user space, where the header has a part for
neither, and goes on behind it for neither.
"""

from __future__ import annotations

from collections.abc import Sequence

from kpatch_rs.syntax.c_assembly import arms, for_assembly
from kpatch_rs.syntax.c_body import Unclear
from kpatch_rs.syntax.c_includes import guard_of, not_yet, parts_for_c
from kpatch_rs.syntax.c_text import CText, Directive

_ENDS = b";}"
"""What C code that is whole ends in; a macro's `)` may end a list, where a header is read often."""


def header_end(text: CText) -> int:
    """The line before which the last declaration of a header goes.

    That is inside the include guard, inside the part that assembly does not see, inside the part
    that is the kernel's, and inside `extern "C" {`. Raises Unclear for a header that is read more
    than once, one that goes on behind its guard, one that assembly reads and that has no part for C
    alone, and one that ends within a list.
    """
    for directive in text.directives:
        if directive.name == b"include" and b"trace/define_trace.h" in directive.rest:
            raise Unclear(directive.start, "a tracepoint header, which is read more than once")
    guard, parts = guard_of(text), parts_for_c(text)
    if parts:
        start, end = parts[-1][0].end, parts[-1][1].start
    elif shared := for_assembly(text):
        raise Unclear(shared.start, "assembly reads it, too, and no part of it is for C alone")
    else:
        start, end = (guard.define.end, guard.closing.start) if guard else (0, len(text.data))
    start, end = _innermost(text, start, end)
    once = any(d.name == b"pragma" and d.rest == b"once" for d in text.directives)
    last = text.code[start:end].rstrip()
    if last and last[-1:] not in (_ENDS + b")" if guard or once or parts else _ENDS):
        raise Unclear(start + len(last) - 1, "what it ends in is no whole declaration")
    first = next((d for d in text.directives if d.opens), None)
    alone = not (guard or once or parts)
    if alone and first and first.name == b"ifndef" and text.blank(0, first.start):
        raise Unclear(first.start, "what looks like its include guard does not enclose all of it")
    return end if end == len(text.data) else text.line_start(end)


def _innermost(text: CText, start: int, end: int) -> tuple[int, int]:
    """The part of the range that its last code is in, as far as that is always the kernel's C."""
    while code := text.code[start:end].rstrip():
        around = _around(text, start, end, start + len(code) - 1)
        if not around:
            break
        alone = guard_of(text) is None and text.blank(start, around[0].start)
        if inner := _for_c(around) or (_within_guard(text, around) if alone else None):
            start, end = inner
        elif all(arm.never for arm in arms(around[:-1])):
            end = around[0].start
        else:
            break
    return start, end


def _around(text: CText, start: int, end: int, offset: int) -> Sequence[Directive]:
    """The outermost conditional of the range that byte `offset` is in; empty without one."""
    depth, found = 0, list[Directive]()
    for directive in text.between(start, end):
        depth += directive.opens
        if directive.opens and depth == 1:
            found = [directive]
        elif depth == 1 and (directive.turns or directive.name == b"endif"):
            found.append(directive)
        depth -= directive.name == b"endif"
        if not depth and found and found[0].start < offset < directive.start:
            return found
    return ()


def _for_c(conditional: Sequence[Directive]) -> tuple[int, int] | None:
    """The arm that C always reads, and others do not: assembly, user space."""
    for number, arm in enumerate(arms(conditional[:-1])):
        if arm.passed and (arm.hidden or arm.kernel):
            return conditional[number].end, conditional[number + 1].start
    return None


def _within_guard(text: CText, conditional: Sequence[Directive]) -> tuple[int, int] | None:
    """The inside of an include guard that stands inside another conditional."""
    opening, closing = conditional[0], conditional[-1]
    below = text.between(opening.end, closing.start)[:1]
    if len(conditional) > 2 or not below or not text.blank(opening.end, below[0].start):
        return None
    guards = below[0].name == b"define" and below[0].rest.split() == [not_yet(opening)]
    return (below[0].end, closing.start) if guards else None
