"""The sense of a condition: what tells a block from the one that runs when this one does not.

`if (p)`, `if (p != NULL)` and `if (likely(p))` ask the same; `if (!p)`, `if (p == NULL)` and
`if unlikely(!p)` ask the contrary. Of `a && b` it is the sense of `a`. Only whether a condition is
the other one's contrary can be told so, not whether two ask the same of the same.
"""

from __future__ import annotations

from tree_sitter import Node

_CHAINS = frozenset({"&&", "||", "and", "or", "-a", "-o"})

_CONTRARY = frozenset({"!=", ">", ">=", "is not", "not in", "-ne", "-gt", "-ge"})
"""The half of each pair of contraries that counts as turned round;"""
_OF_NOTHING = frozenset({"==", "<=", ">=", "is", "=", "-eq", "-le", "-ge"})
"""and that half where what follows is nothing: `x == 0` is `!x`."""

_NOTHING = frozenset(b"0 NULL None false False".split())

_LIKELY = (b"likely", b"unlikely")

_LACKS = (b"is_none", b"is_err", b"is_null")
"""Methods of Rust that are another one's contrary: is_some(), is_ok()."""


def sense(node: Node) -> bytes:
    """`!` for a block that runs where its condition does not hold, `0` for one that never does."""
    condition = node.child_by_field_name("condition")
    if node.type == "preproc_if" and condition and condition.text == b"0":
        return b"0"
    keyword = node.children[0].type if node.children else ""
    if keyword == "elif":
        condition = node.child(1)
    turned = keyword in ("until", "#ifndef")
    while condition:
        contrary, condition = _step(condition)
        turned ^= contrary
    return b"!" if turned else b""


def _step(condition: Node) -> tuple[bool, Node | None]:
    """Whether it is the contrary of a part of it, and that part; None where it has none."""
    parts = condition.children
    if len(parts) < 2:
        return False, parts[0] if parts else None
    first, second = parts[:2]
    if first.type in ("(", "[", "[[", "(("):
        return False, second
    if first.type in ("!", "not"):
        return True, second
    if first.type == "let":  # of Rust: `let Some(x) = y`
        return (second.text or b"").startswith((b"None", b"Err(")), None
    if first.type == "test_operator":
        return first.text == b"-z", None
    if condition.type == "call_expression":
        return _of_call(first, second)
    operator = (second.text or b"").decode(errors="replace")
    if operator in _CHAINS:
        return False, first
    if parts[-1].text in _NOTHING:
        return operator in _OF_NOTHING, first
    return operator in _CONTRARY, None


def _of_call(function: Node, arguments: Node) -> tuple[bool, Node | None]:
    if function.text in _LIKELY:
        return False, arguments
    return (function.text or b"").endswith(_LACKS), None
