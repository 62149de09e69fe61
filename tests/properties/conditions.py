"""Conditions of many languages, edits of each, and what two edits together must mean.

A condition is a tree of our own. It is written in a language's words and read back from them by
Python's own parser: no grammar that kpatch-rs uses has a part in it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from hypothesis import strategies as st

_NAMES = "ABCD"
OURS, THEIRS = "O", "T"
"""What only one side's edit brings in."""


@dataclass(frozen=True, slots=True)
class Term:
    """A name, or `&&`, `||`, `!`, `call` of terms."""

    head: str
    of: tuple[Term, ...] = ()

    def each(self, change: Callable[[Term], Term]) -> Term:
        """With `change` made to it, and before to all that is in it."""
        return change(replace(self, of=tuple(term.each(change) for term in self.of)))


@dataclass(frozen=True, slots=True)
class Shape:
    """How one language writes a condition into a file."""

    path: str
    file: str
    """With `%s` for the condition."""
    words: Mapping[str, str]
    """An operator, or what stands around terms: `name(%s)`."""
    breaks: str | None = None
    """What ends a line behind an operator, where the line may be broken there."""

    def write(self, term: Term, *, broken: bool) -> bytes:
        return (self.file % self._text(term, broken)).encode()

    def _text(self, term: Term, broken: bool, inner: bool = False) -> str:
        if not term.of:
            return term.head
        word = self.words[term.head]
        if "%s" in word:
            return word % ", ".join(self._text(t, False) for t in term.of)
        if term.head == "!":
            return word + self._text(term.of[0], False, True)
        gap = f"{self.breaks}\n\t    " if broken and self.breaks is not None else " "
        joined = f" {word}{gap}".join(self._text(t, False, True) for t in term.of)
        return f"({joined})" if inner else joined

    def truth(self, data: bytes) -> tuple[bool, ...] | None:
        """When the condition in `data` holds; None where there is none, or not only that."""
        head, _, tail = self.file.partition("%s")
        found = re.fullmatch(f"{re.escape(head)}(.*){re.escape(tail)}", data.decode(), re.S)
        if not found:
            return None
        text = re.sub(r"\\\n|\s+", " ", found[1])
        for old, new in (("&&", " and "), ("||", " or "), ("!", " not ")):
            text = text.replace(old, new)
        text = re.sub(r"\b(all|any|not)\(", r"\1_(", text).strip()
        return _table(lambda values: eval(text, dict(_CALLS), values))  # noqa: S307 — our own text


_CALLS: Mapping[str, object] = {
    "__builtins__": {},
    "all_": lambda *terms: all(terms),
    "any_": lambda *terms: any(terms),
    "not_": lambda term: not term,
    "check": bool,
}


def _table(value: Callable[[dict[str, object]], object]) -> tuple[bool, ...] | None:
    names = _NAMES + OURS + THEIRS
    rows = itertools.product((False, True), repeat=len(names))
    try:
        return tuple(bool(value(dict(zip(names, row, strict=True)))) for row in rows)
    except (SyntaxError, TypeError, NameError):
        return None


def meaning(term: Term) -> tuple[bool, ...] | None:
    """When it holds."""
    return _table(lambda values: _value(term, values))


def _value(term: Term, values: Mapping[str, object]) -> bool:
    if not term.of:
        return bool(values[term.head])
    parts = [_value(part, values) for part in term.of]
    if term.head == "||":
        return any(parts)
    return all(parts) if term.head == "&&" else parts[0] != (term.head == "!")


_TERMS = st.recursive(
    st.sampled_from([Term(name) for name in _NAMES]),
    lambda inner: st.builds(
        Term, st.sampled_from(["&&", "||"]), st.lists(inner, min_size=2, max_size=3).map(tuple)
    ),
    max_leaves=4,
)


def _flat(term: Term) -> Term:
    """With no chain in another one of its kind."""
    if term.head not in ("&&", "||"):
        return term
    parts = [p for part in term.of for p in (part.of if part.head == term.head else (part,))]
    return Term(term.head, tuple(parts)) if len(parts) > 1 else parts[0]


def terms(shape: Shape) -> st.SearchStrategy[Term]:
    """Conditions as they stand in kernels: each name once."""
    wrap = (lambda t: Term("call", (t,))) if "call" in shape.words else (lambda t: t)
    found = st.one_of(_TERMS, _TERMS, _TERMS.map(wrap)).map(lambda term: term.each(_flat))
    return found.filter(lambda term: all(str(term).count(f"'{n}'") < 2 for n in _NAMES))


Edit = Callable[[Term], Term]


def edits(mine: str) -> st.SearchStrategy[Edit]:
    """What a side does to a condition; it is to mean the same whatever was done before."""
    new = Term(mine)
    name = st.sampled_from(_NAMES)
    operator = st.sampled_from(["&&", "||"])
    return st.one_of(
        st.builds(_joined_whole, operator, st.just(new), st.booleans()),
        st.builds(_joined, name, operator, st.just(new), st.booleans()),
        st.builds(_swapped, name, st.just(new)),
        st.builds(_dropped, name),
        st.builds(_negated, name),
        st.just(lambda term: Term("!", (term,))),
        st.just(lambda term: term.each(_turned)),
        st.builds(_under_call, operator, st.just(new)),
    )


def _joined_whole(operator: str, new: Term, first: bool) -> Edit:
    return lambda term: _flat(Term(operator, (new, term) if first else (term, new)))


def _joined(name: str, operator: str, new: Term, first: bool) -> Edit:
    joined = Term(operator, (new, Term(name)) if first else (Term(name), new))
    return lambda term: term.each(lambda t: joined if t == Term(name) else t).each(_flat)


def _swapped(name: str, new: Term) -> Edit:
    return lambda term: term.each(lambda t: new if t == Term(name) else t)


def _negated(name: str) -> Edit:
    return lambda term: term.each(lambda t: Term("!", (t,)) if t == Term(name) else t)


def _turned(term: Term) -> Term:
    return replace(term, head={"&&": "||", "||": "&&"}.get(term.head, term.head))


def _dropped(name: str) -> Edit:
    def without(term: Term) -> Term:
        kept = tuple(part for part in term.of if part != Term(name))
        return replace(term, of=kept) if kept and len(term.of) > 1 else term

    return lambda term: term.each(without).each(_flat)


def _under_call(operator: str, new: Term) -> Edit:
    def added(term: Term) -> Term:
        inner = (_flat(Term(operator, (*term.of, new))),)
        return replace(term, of=inner) if term.head == "call" else term

    return lambda term: term.each(added)


_OPERATORS = {"&&": "&&", "||": "||", "!": "!"}
_CALL = {**_OPERATORS, "call": "check(%s)"}
_RUST_CFG = {"&&": "all(%s)", "||": "any(%s)", "!": "not(%s)"}
_PYTHON = {"&&": "and", "||": "or", "!": "not ", "call": "check(%s)"}
_BODY = "int f(void)\n{\n\tone();\n%s\n\ttwo();\n\tthree();\n\treturn 0;\n}\n"

SHAPES = (
    Shape("d/f.c", _BODY % "\tif (%s)\n\t\tgo();", _CALL, ""),
    Shape("d/f.c", _BODY % "\twhile (%s) {\n\t\tgo();\n\t}", _CALL, ""),
    Shape("d/f.c", _BODY % "\tx = %s;", _CALL, ""),
    Shape("d/f.c", _BODY % "\treturn %s ? 1 : 2;", {**_CALL, "&&": "&&"}),
    Shape("d/f.h", "int a;\n\n#if %s\nint b;\n#endif\n\nint c;\n", _OPERATORS, " \\"),
    Shape("d/f.h", "int a;\n\n#define ok() (%s)\n\nint c;\n", _CALL, " \\"),
    Shape(
        "d/f.rs",
        "fn f() -> u32 {\n    one();\n    if %s {\n        go();\n    }\n    two()\n}\n",
        _CALL,
        "",
    ),
    Shape("d/f.rs", "fn a() {}\n\n#[cfg(%s)]\nfn f() {}\n\nfn b() {}\n", _RUST_CFG),
    Shape("d/f.rs", "fn a() {\n    assert!(%s);\n    b();\n}\n", _CALL, ""),
    Shape(
        "d/Kconfig", 'config X\n\tbool "x"\n\tdepends on %s\n\thelp\n\t  X.\n', _OPERATORS, " \\"
    ),
    Shape("d/Kconfig", 'config X\n\tbool "x"\n\tselect Y if %s\n\tselect Z\n', _OPERATORS),
    Shape("d/Kconfig", 'if %s\n\nconfig X\n\tbool "x"\n\nendif\n', _OPERATORS),
    Shape("d/f.py", "def f(x):\n    one()\n    if %s:\n        go()\n    return x\n", _PYTHON),
    Shape("d/f.py", "def f(x):\n    one()\n    return %s\n", _PYTHON, " \\"),
)
