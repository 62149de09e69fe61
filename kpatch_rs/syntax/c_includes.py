"""The include block of a C file, and where a header ends for those who write C in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kpatch_rs.syntax.c_body import Unclear
from kpatch_rs.syntax.c_text import CText, Directive

_HEADER = re.compile(rb'<[^>\n]+>|"[^"\n]+"')
_FOR_ASSEMBLY = re.compile(rb"\b__ASSEMBL(?:Y|ER)__\b")


@dataclass(frozen=True, slots=True)
class Include:
    """One `#include` line."""

    directive: Directive
    header: bytes
    """With its delimiters."""
    plain: bool
    """In no `#if` but the include guard, and not set up by a `#define` right above it."""
    group: int
    """Equal for includes on adjacent lines."""


@dataclass(frozen=True, slots=True)
class Guard:
    """`#ifndef X`, `#define X` at the top of a header and their `#endif`."""

    opening: Directive
    define: Directive
    closing: Directive


def guard_of(text: CText) -> Guard | None:
    """The include guard around all of `text`; None where there is none."""
    first, second = (*text.directives[:2], None, None)[:2]
    if not (first and second and first.name == b"ifndef" and second.name == b"define"):
        return None
    if second.rest.split()[:1] != [first.rest] or not text.blank(0, second.start):
        return None
    depth = 0
    for directive in text.directives:
        depth += directive.opens - (directive.name == b"endif")
        if depth == 1 and directive.turns:
            return None
        if not depth:
            return Guard(first, second, directive) if _is_last(text, directive) else None
    return None


def includes(text: CText) -> tuple[Include, ...]:
    """The includes above the first line of code, in order."""
    guard = guard_of(text)
    code = len(text.code) - len(text.code.lstrip())
    depth, group = -1 if guard else 0, 0
    above: Directive | None = None
    found = []
    for directive in text.directives:
        if directive.start >= code:
            break
        depth += directive.opens - (directive.name == b"endif")
        header = _HEADER.match(directive.rest) if directive.name == b"include" else None
        if header:
            if not (above and above.name == b"include" and above.end + 1 == directive.start):
                group += 1
            plain = not depth and not _set_up(text, above, guard)
            found.append(Include(directive, header[0], plain, group))
        above = directive
    return tuple(found)


def included(text: CText, header: bytes) -> Directive | None:
    """Where `text` includes `header` whatever the configuration is; None where it does not."""
    depth = -1 if guard_of(text) else 0
    for directive in text.directives:
        depth += directive.opens - (directive.name == b"endif")
        found = _HEADER.match(directive.rest) if directive.name == b"include" else None
        if found and found[0] == header and not depth:
            return directive
    return None


def below_includes(text: CText) -> int | None:
    """The line below the include block and the conditionals it ends in; None without a block."""
    block = includes(text)
    if not block:
        return None
    end = block[-1].directive.end
    depth = sum(d.opens - (d.name == b"endif") for d in text.between(0, end))
    depth -= guard_of(text) is not None
    for directive in text.between(end, len(text.data)) if depth > 0 else ():
        depth += directive.opens - (directive.name == b"endif")
        if not text.blank(end, directive.start):
            raise Unclear(directive.start, "the include block ends in an #if that code shares")
        if not depth:
            return text.line_end(directive.end)
    return text.line_end(end)


def header_end(text: CText) -> int:
    """The line before which the last declaration of a header goes.

    That is inside the include guard, and inside the part that assembly does not see. Raises
    Unclear for a header that is read more than once, or one that goes on behind its guard.
    """
    for directive in text.directives:
        if directive.name == b"include" and b"trace/define_trace.h" in directive.rest:
            raise Unclear(directive.start, "a tracepoint header, which is read more than once")
    guard = guard_of(text)
    arms = list(_c_arms(text, guard))
    if arms:
        return text.line_start(arms[-1].start)
    if guard:
        return text.line_start(guard.closing.start)
    once = any(d.name == b"pragma" and d.rest == b"once" for d in text.directives)
    first = next((d for d in text.directives if d.opens), None)
    if not once and first and first.name == b"ifndef" and text.blank(0, first.start):
        raise Unclear(first.start, "what looks like its include guard does not enclose all of it")
    return len(text.data)


def _is_last(text: CText, directive: Directive) -> bool:
    return directive is text.directives[-1] and text.blank(directive.end, len(text.code))


def _set_up(text: CText, above: Directive | None, guard: Guard | None) -> bool:
    """Whether an include depends on the directive `above` it: `#define CREATE_TRACE_POINTS`."""
    if (
        above is None
        or above.name not in (b"define", b"undef")
        or (guard and above == guard.define)
    ):
        return False
    return not above.rest.startswith((b"pr_fmt", b"dev_fmt"))


def _c_arms(text: CText, guard: Guard | None) -> Iterator[Directive]:
    """The directives that end what only C sees: `#endif` of `#ifndef __ASSEMBLY__` and the like."""
    opened: list[tuple[Directive, bool]] = []
    for directive in text.directives:
        if directive.opens:
            opened.append((directive, _hides_from_assembly(directive)))
        elif opened and (directive.turns or directive.name == b"endif"):
            first, for_c = opened.pop()
            outermost = len(opened) == (guard is not None)
            if for_c and outermost and _FOR_ASSEMBLY.search(first.rest):
                yield directive
            if directive.turns:
                opened.append((first, not for_c))


def _hides_from_assembly(directive: Directive) -> bool:
    return directive.name == b"ifndef" or b"!" in directive.rest
