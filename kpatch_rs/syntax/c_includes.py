"""The include block of a C file, and the guard of a header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.syntax.c_assembly import c_parts, for_assembly, levels
from kpatch_rs.syntax.c_body import Unclear
from kpatch_rs.syntax.c_text import CText, Directive

_HEADER = re.compile(rb'<[^>\n]+>|"[^"\n]+"')
_UNDEFINED = re.compile(rb"!\s*defined\s*(?:\(\s*(\w+)\s*\)|\b(\w+))")


@dataclass(frozen=True, slots=True)
class Include:
    """One `#include` line."""

    directive: Directive
    header: bytes
    """With its delimiters."""
    plain: bool
    """In no `#if` but the include guard, not set up by a `#define` right above it, and in the part
    that is C's alone where assembly reads the file, too."""
    group: int
    """Equal for includes on adjacent lines."""


@dataclass(frozen=True, slots=True)
class Guard:
    """`#ifndef X` or `#if !defined(X)`, `#define X` at the top of a header and their `#endif`."""

    opening: Directive
    define: Directive
    closing: Directive


def guard_of(text: CText) -> Guard | None:
    """The include guard around all of `text`; None where there is none."""
    first, second = (*text.directives[:2], None, None)[:2]
    if not (first and second and second.name == b"define" and text.blank(0, second.start)):
        return None
    if second.rest.split()[:1] != [not_yet(first)]:
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
    guard, parts, group = guard_of(text), parts_for_c(text), 0
    code, shared = _first_code(text, parts), for_assembly(text) is not None
    above: Directive | None = None
    found = []
    for directive, level in levels(text, guard.opening if guard else None):
        if directive.start >= code:
            break
        header = _HEADER.match(directive.rest) if directive.name == b"include" else None
        if header:
            if not (above and above.name == b"include" and above.end + 1 == directive.start):
                group += 1
            ours = not shared or any(a.start < directive.start < b.start for a, b in parts)
            plain = ours and not level and not _set_up(above, guard)
            found.append(Include(directive, header[0], plain, group))
        above = directive
    return tuple(found)


def included(text: CText, header: bytes) -> Directive | None:
    """Where `text` includes `header` whatever the configuration is; None where it does not."""
    guard = guard_of(text)
    for directive, level in levels(text, guard.opening if guard else None):
        found = _HEADER.match(directive.rest) if directive.name == b"include" else None
        if found and found[0] == header and not level:
            return directive
    return None


def parts_for_c(text: CText) -> list[tuple[Directive, Directive]]:
    """The parts of a header that assembly reads, too, which are C's alone."""
    guard = guard_of(text)
    return c_parts(text, guard.opening if guard else None)


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


def _is_last(text: CText, directive: Directive) -> bool:
    return directive is text.directives[-1] and text.blank(directive.end, len(text.code))


def _set_up(above: Directive | None, guard: Guard | None) -> bool:
    """Whether an include depends on the directive `above` it: `#define CREATE_TRACE_POINTS`."""
    if (
        above is None
        or above.name not in (b"define", b"undef")
        or (guard and above == guard.define)
    ):
        return False
    return not above.rest.startswith((b"pr_fmt", b"dev_fmt"))


def not_yet(directive: Directive) -> bytes | None:
    """The name that must not be defined for an `#if` to hold; None where it asks for more."""
    if directive.name == b"ifndef":
        return directive.rest
    found = _UNDEFINED.fullmatch(directive.rest) if directive.name == b"if" else None
    return found and (found[1] or found[2])


def _first_code(text: CText, parts: Sequence[tuple[Directive, Directive]]) -> int:
    """The first byte of code, of that which is C's where assembly reads the file, too."""
    spans = [(first.end, last.start) for first, last in parts] or [(0, len(text.code))]
    start, end = next((span for span in spans if not text.blank(*span)), spans[0])
    return end - len(text.code[start:end].lstrip())
