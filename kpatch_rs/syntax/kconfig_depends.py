"""What a Kconfig symbol hangs on in its file: `depends on`, enclosing menus, choices and ifs.

Guarantees: an expression that cannot be read is left out, so that what is given stands in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from kpatch_rs.syntax.kconfig_grammar import below, conditions, parse, parse_condition, text_of


@dataclass(frozen=True, slots=True)
class Expression:
    """A Kconfig expression."""

    text: str
    """As the file has it, with single blanks."""
    operator: str = ""
    """'!', '&&', '||', a comparison; 'if' for `A if B`, '$' for a macro, '' for a name or value."""
    parts: tuple[Expression, ...] = ()


def dependencies(data: bytes, symbol: str) -> tuple[Expression, ...]:
    """The expressions each entry for `symbol` hangs on, outermost first."""
    tails = conditions(data)
    named = (n for type_ in ("config", "menuconfig") for n in below(parse(data), type_))
    entries = (n for n in named if text_of(n.named_children[0]) == symbol)
    return tuple(
        expression
        for entry in entries
        for holder in reversed(list(_upwards(entry)))
        for node in _own(holder)
        if (expression := _dependency(node, tails.get(node.start_byte)))
    )


def _upwards(node: Node) -> Iterator[Node]:
    above: Node | None = node
    while above is not None:
        yield above
        above = above.parent


def _own(node: Node) -> Iterator[Node]:
    """The `depends on` lines of an entry or a block, and the condition of an `if`."""
    yield from (child for child in node.named_children if child.type == "dependencies")
    condition = node.child_by_field_name("condition") if node.type == "if" else None
    if condition is not None:
        yield condition


def _dependency(node: Node, tail: bytes | None) -> Expression | None:
    if node.has_error:
        return None
    wanted = _expression(node.named_children[0] if node.type == "dependencies" else node)
    if tail is None:
        return wanted
    condition = parse_condition(tail)
    if condition is None:
        return None
    only = _expression(condition)
    return Expression(f"{wanted.text} if {only.text}", "if", (wanted, only))


def _expression(node: Node) -> Expression:
    text = " ".join(text_of(node).split())
    if node.type == "parenthesized_expression":
        return _expression(node.named_children[0])
    if node.type in ("unary_expression", "binary_expression"):
        operator = next(child.type for child in node.children if not child.is_named)
        return Expression(text, operator, tuple(map(_expression, node.named_children)))
    return Expression(text, "$" if node.type == "macro_variable" else "")
