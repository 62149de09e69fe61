"""Headers that others read, too, assembly and user space: which part of one is C's alone.

A declaration outside that part breaks the build of every .S file that includes the header, and no
build of a C object would show it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kpatch_rs.syntax.c_text import CText, Directive

_TESTED = re.compile(rb"\b__ASSEMBL(?:Y|ER)__\b")
_DEFINED = re.compile(rb"(!?)\s*defined\s*(?:\(\s*(\w+)\s*\)|\b(\w+))")
_ASSEMBLY = (b"__ASSEMBLY__", b"__ASSEMBLER__")
_IN_C = {**dict.fromkeys(_ASSEMBLY, False), b"__KERNEL__": True, b"__cplusplus": False}
"""What is defined where the kernel's C code is compiled, whatever its configuration is."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of a conditional, as C code meets it."""

    opening: Directive
    """The `#if` itself, or the `#else` that begins it."""
    passed: bool = False
    """Whether C always reads it."""
    hidden: bool = False
    """Whether assembly never does."""
    kernel: bool = False
    """Whether only the kernel does."""
    never: bool = False
    """Whether C never does."""


def for_assembly(text: CText) -> Directive | None:
    """The first conditional that asks whether assembly reads the file; None where none does."""
    asked = (d for d in text.directives if d.opens or d.turns)
    return next((d for d in asked if _TESTED.search(d.rest)), None)


def always_for_c(directive: Directive) -> bool:
    """Whether C reads one arm of the conditional, whatever the configuration is."""
    return _arm(directive).passed or _else(directive, directive).passed


def c_parts(text: CText, guard: Directive | None) -> list[tuple[Directive, Directive]]:
    """The parts, in no other `#if` but the include guard, that C always reads and assembly never.

    Each as the directives that begin and end it.
    """
    parts = []
    opened: list[Arm] = []
    for directive in text.directives:
        if directive.opens:
            opened.append(_arm(directive) if directive != guard else Arm(directive, passed=True))
        elif opened and (directive.turns or directive.name == b"endif"):
            arm = opened.pop()
            around = all(a.passed and not a.hidden for a in opened)
            if arm.passed and arm.hidden and around:
                parts.append((arm.opening, directive))
            if directive.turns:
                opened.append(_else(arm.opening, directive))
    return parts


def levels(text: CText, guard: Directive | None) -> Iterator[tuple[Directive, int]]:
    """Each directive, and how many `#if` around it may keep C from reading it."""
    opened: list[Arm] = []
    for directive in text.directives:
        if directive.opens:
            opened.append(_arm(directive) if directive != guard else Arm(directive, passed=True))
        elif opened and directive.turns:
            opened.append(_else(opened.pop().opening, directive))
        elif opened and directive.name == b"endif":
            opened.pop()
        yield directive, sum(not arm.passed for arm in opened)


def arms(conditional: Sequence[Directive]) -> Iterator[Arm]:
    """The arms that a conditional's directives begin, its `#endif` left out."""
    first, *turns = conditional
    yield _arm(first)
    yield from (_else(first, turn) for turn in turns)


def _arm(directive: Directive) -> Arm:
    """The arm that an `#if` begins."""
    known = _known(directive)
    hidden = any(name in _ASSEMBLY and not wanted for name, wanted in known)
    kernel = (b"__KERNEL__", True) in known
    passed = bool(known) and all(_IN_C.get(name) is wanted for name, wanted in known)
    never = any(_IN_C.get(name) is (not wanted) for name, wanted in known)
    return Arm(directive, passed=passed, hidden=hidden, kernel=kernel, never=never)


def _else(first: Directive, turn: Directive) -> Arm:
    """The arm that `turn` begins, where the `#if` of the conditional is `first`."""
    known = _known(first) if turn.name != b"elif" and first.opens else []
    one = known[0] if len(known) == 1 else None
    passed = any(_IN_C.get(name) is (not wanted) for name, wanted in known)
    hidden = one is not None and one[1] and one[0] in _ASSEMBLY
    never = bool(known) and all(_IN_C.get(name) is wanted for name, wanted in known)
    kernel = one == (b"__KERNEL__", False)
    return Arm(turn, passed=passed, hidden=hidden, kernel=kernel, never=never)


def _known(directive: Directive) -> list[tuple[bytes, bool]]:
    """What must and must not be defined for an `#if` to hold; empty where it asks for more."""
    if directive.name in (b"ifdef", b"ifndef"):
        return [(directive.rest, directive.name == b"ifdef")]
    terms = [_DEFINED.fullmatch(term.strip()) for term in directive.rest.split(b"&&")]
    return [(m[2] or m[3], not m[1]) for m in terms if m] if all(terms) else []
