"""The `#if`s of a function under which a patch's lines are compiled: where it comes from, and here.

Guarantees: of a line that the patch adds the conditionals within the function are compared, each
with the arm taken of it, where they are the same wherever it stands; those around it are not.
"""

from __future__ import annotations

from kpatch_rs.model.path import show
from kpatch_rs.syntax.c_functions import Function
from kpatch_rs.syntax.c_text import CText, Directive

_Of = tuple[CText, Function]


def other_arms(before: _Of, after: _Of, merged: _Of) -> str:
    """Under which conditionals else a line stands in `merged`; "" where under the same."""
    old, new, now = map(_arms, (before, after, merged))
    for line, arms in new.items():
        here = now.get(line)
        if line in old or here is None or len(arms) > 1 or len(here) > 1 or arms == here:
            continue
        then, there = next(iter(arms)), next(iter(here))
        return f"{_said(there)} here, {_said(then)} where it comes from"
    return ""


def _arms(of: _Of) -> dict[bytes, set[tuple[bytes, ...]]]:
    """The arms that each line of code stands in."""
    text, function = of
    found: dict[bytes, set[tuple[bytes, ...]]] = {}
    at = text.line_end(function.open) + 1
    while at < function.close:
        end = text.line_end(at)
        if (line := text.data[at:end].strip()) and not text.blank(at, end):
            inside = _inside(text.between(function.open, at))
            found.setdefault(line, set()).add(inside)
        at = end + 1
    return found


def _inside(directives: tuple[Directive, ...]) -> tuple[bytes, ...]:
    """The arms that are open behind `directives`."""
    open_: list[bytes] = []
    for directive in directives:
        if directive.opens:
            open_.append(b"")
        elif directive.name == b"endif" and open_:
            open_.pop()
        if open_ and (directive.opens or directive.turns):
            said = b" ".join((b"#" + directive.name, *directive.rest.split()))
            open_[-1] += (b" " if open_[-1] else b"") + said
    return tuple(open_)


def _said(arms: tuple[bytes, ...]) -> str:
    return f"'{show(b' and '.join(arms))}'" if arms else "no #if"
