"""Which dependencies keep a Kconfig symbol off: Kconfig itself drops it without a word.

Reads `depends on` and the enclosing menus and `if` blocks through tree-sitter-kconfig and evaluates
them against a final .config, with n < m < y as Documentation/kbuild/kconfig-language.rst says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import tree_sitter_kconfig
from tree_sitter import Language, Node, Parser

_TRISTATE = {"n": 0, "m": 1, "y": 2}

_COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: _number(a) < _number(b),
    "<=": lambda a, b: _number(a) <= _number(b),
    ">": lambda a, b: _number(a) > _number(b),
    ">=": lambda a, b: _number(a) >= _number(b),
}


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_kconfig.language()))


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
    """The conditions on `symbol` in this Kconfig file that `settings` do not meet, in words."""
    conditions = [
        condition
        for entry in _entries(_parser().parse(kconfig).root_node, symbol.encode())
        for condition in _conditions(entry)
    ]
    return tuple(
        _in_words(condition, settings)
        for condition in conditions
        if not _value(condition, settings)
    )


def _entries(node: Node, symbol: bytes) -> Iterator[Node]:
    for child in node.children:
        if child.type in ("config", "menuconfig"):
            name = child.child_by_field_name("name")
            if name is not None and name.text == symbol:
                yield child
        else:
            yield from _entries(child, symbol)


def _conditions(entry: Node) -> Iterator[Node]:
    """The expressions an entry hangs on, outermost first."""
    above: list[Node] = []
    node: Node | None = entry
    while node is not None:
        above.insert(0, node)
        node = node.parent
    for node in above:
        yield from _own_conditions(node)


def _own_conditions(node: Node) -> Iterator[Node]:
    for child in node.named_children:
        if child.type == "dependencies":
            yield from child.named_children[:1]
    if node.type == "if":
        yield from (c for c in node.named_children[:1] if _is_expression(c))


def _is_expression(node: Node) -> bool:
    return node.type == "symbol" or node.type.endswith("_expression")


def _value(node: Node, settings: Mapping[str, str]) -> int:
    """0 n, 1 m, 2 y."""
    parts = node.named_children
    if node.type == "parenthesized_expression":
        return _value(parts[0], settings)
    if node.type == "unary_expression":
        return 2 - _value(parts[0], settings)
    if node.type != "binary_expression":
        return _TRISTATE.get(_literal(node, settings), 0)
    operator = next(c.type for c in node.children if not c.is_named)
    if operator in ("&&", "||"):
        return (min if operator == "&&" else max)(_value(p, settings) for p in parts)
    left, right = (_literal(p, settings) for p in parts)
    return 2 if _COMPARISONS[operator](left, right) else 0


def _literal(node: Node, settings: Mapping[str, str]) -> str:
    text = _text(node)
    if text in _TRISTATE or re.fullmatch(r"[0-9]+|0x[0-9a-fA-F]+", text):
        return text
    return text.strip("\"'") if text[:1] in "\"'" else settings.get(text, "n").strip('"')


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        return 0


def _in_words(condition: Node, settings: Mapping[str, str]) -> str:
    named = dict.fromkeys(re.findall(r"\b[A-Z][A-Z0-9_]*\b", _text(condition)))
    states = ", ".join(f"{s} is {settings.get(s, 'n')}" for s in named)
    return f"depends on {_text(condition)} ({states})"


def _text(node: Node) -> str:
    return " ".join((node.text or b"").decode(errors="replace").split())
