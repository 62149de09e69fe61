"""Which dependencies keep a Kconfig symbol off: Kconfig itself drops it without a word.

Evaluates what syntax reads against a final .config, with n < m < y as
Documentation/kbuild/kconfig-language.rst says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from kpatch_rs.syntax.kconfig_depends import Expression, dependencies

_TRISTATE = {"n": 0, "m": 1, "y": 2}

_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: _number(a) < _number(b),
    "<=": lambda a, b: _number(a) <= _number(b),
    ">": lambda a, b: _number(a) > _number(b),
    ">=": lambda a, b: _number(a) >= _number(b),
}


def unmet_in_tree(tree: Path, symbol: str, settings: Mapping[str, str]) -> tuple[str, ...]:
    """What stands in `symbol`'s way in the kernel at `tree`; ("no Kconfig file defines it",) too.

    Walks the whole tree (about a second): for explaining a failure, not for finding one.
    """
    entry = re.compile(rb"(?m)^\s*(?:menu)?config\s+%s\s*$" % re.escape(symbol.encode()))
    files = (f for f in sorted(tree.rglob("Kconfig*")) if f.is_file() and not f.is_symlink())
    defined = [data for f in files if entry.search(data := f.read_bytes())]
    if not defined:
        return (f"no Kconfig file defines {symbol}",)
    return tuple(dict.fromkeys(u for data in defined for u in unmet(data, symbol, settings)))


def unmet(kconfig: bytes, symbol: str, settings: Mapping[str, str]) -> tuple[str, ...]:
    """The conditions on `symbol` in this Kconfig file that `settings` do not meet, in words.

    A `$(…)` may give anything; nothing is named that depends on what it gives.
    """
    return tuple(
        _in_words(condition, settings)
        for condition in dependencies(kconfig, symbol)
        if not any(_value(condition, settings, macro) for macro in (0, 2))
    )


def _value(expression: Expression, settings: Mapping[str, str], macro: int) -> int:
    """0 n, 1 m, 2 y; `macro` is what a `$(…)` is taken for."""
    operator, parts = expression.operator, expression.parts
    if operator == "$":
        return macro
    if not operator:
        return _TRISTATE.get(_literal(expression, settings), 0)
    if operator in _COMPARISONS:
        left, right = (_literal(part, settings) for part in parts)
        return 2 if _COMPARISONS[operator](left, right) else 0
    values = [_value(part, settings, macro) for part in parts]
    if operator == "!":
        return 2 - values[0]
    if operator == "if":  # X || (Y = n), as scripts/kconfig/menu.c has it
        return values[0] if values[1] else 2
    return min(values) if operator == "&&" else max(values)


def _literal(expression: Expression, settings: Mapping[str, str]) -> str:
    text = expression.text
    if text in _TRISTATE or re.fullmatch(r"[0-9]+|0x[0-9a-fA-F]+", text):
        return text
    return text.strip("\"'") if text[:1] in "\"'" else settings.get(text, "n").strip('"')


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        return 0


def _in_words(condition: Expression, settings: Mapping[str, str]) -> str:
    named = dict.fromkeys(re.findall(r"\b[A-Z][A-Z0-9_]*\b", condition.text))
    states = ", ".join(f"{s} is {settings.get(s, 'n')}" for s in named)
    return f"depends on {condition.text} ({states})"
