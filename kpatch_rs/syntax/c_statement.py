"""The statements that a recipe puts into a function, read for themselves.

Guarantees: whole statements, each on lines of its own at the left margin, with the comments and
`#if`s around them; no declaration, which may not stand everywhere.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from functools import lru_cache

import tree_sitter

from kpatch_rs.syntax.c_body import Body, parse_c

_CONDITIONALS = ("preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif")


@lru_cache(maxsize=16)
def statements(text: str) -> bytes | None:
    """`text` with its lines moved to the left margin; None where it is no statements of C."""
    lines = at_margin(text)
    root = parse_c(_in_function(lines))
    body = root.children[0].child_by_field_name("body")
    if body is None or len(root.children) != 1 or root.has_error:
        return None
    return lines.encode() if _are_statements(body.named_children) else None


def at_margin(text: str) -> str:
    """`text` without the indent that all its lines have; directives never have any."""
    lines = text.split("\n")
    directives = {n: line.strip() for n, line in enumerate(lines) if line.lstrip()[:1] == "#"}
    code = ("" if n in directives else line for n, line in enumerate(lines))
    dedented = textwrap.dedent("\n".join(code)).split("\n")
    return "\n".join(directives.get(n, line) for n, line in enumerate(dedented)).strip()


def functions_called(statement: str) -> tuple[str, ...]:
    """The names of the functions that it calls."""
    return tuple(_called(parse_c(_in_function(statement))))


def occurrences(body: Body, statement: bytes) -> list[tuple[int, int]]:
    """Where `statement` stands in the body already, whatever blanks are between its tokens."""
    tokens = re.findall(rb'"(?:\\.|[^"\\])*"|\w+|\S', statement)
    joined = rb"\s*".join(map(re.escape, tokens))
    wanted = re.compile(rb"(?<![\w.>])" + joined)
    text, function = body.text, body.function
    return [
        match.span()
        for match in wanted.finditer(text.data, function.open, function.close)
        if not text.blank(*match.span())
    ]


def _in_function(statement: str) -> bytes:
    return b"void f(void) {\n" + statement.encode() + b"\n}\n"


def _are_statements(nodes: Sequence[tree_sitter.Node]) -> bool:
    """Whether there is a statement among `nodes`, and nothing else but comments; one a line."""
    nodes = [node for node in nodes if node.type != "comment"]
    lines = [node.start_point[0] for node in nodes]
    return bool(nodes) and len({*lines}) == len(lines) and all(map(_is_statement, nodes))


def _is_statement(node: tree_sitter.Node) -> bool:
    if node.type not in _CONDITIONALS:
        return node.type.endswith("_statement")
    conditions = (node.child_by_field_name("name"), node.child_by_field_name("condition"))
    return _are_statements([child for child in node.named_children if child not in conditions])


def _called(node: tree_sitter.Node) -> Iterator[str]:
    callee = node.child_by_field_name("function") if node.type == "call_expression" else None
    if callee is not None and callee.type == "identifier" and callee.text:
        yield callee.text.decode()
    for child in node.children:
        yield from _called(child)
