"""The words of a file, each with its place in the file's syntax tree.

A place is all that gives a word its meaning: the blocks around its statement, and within the
statement everything beside it, up to the lists in which each element stands for itself: arguments,
members of `{ … }`, the bits of one `|`, the terms of one `&&` or `||`. Two words of equal places
mean the same.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from tree_sitter import Node

from kpatch_rs.syntax.grammar import CHAINED, Grammar

_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">"}

_CLOSING = frozenset(b"} ) ] >".split())
"""They stand where what they close begins."""

_PREFIXES = b"BFLRUbfru8"
"""Letters that may precede a string's quote in C and Python."""

_Place = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """What the parser takes for one."""

    text: bytes
    row: int
    place: _Place
    holds: int = 0
    """Of what opens or joins a list: a number for all that is in the list."""


@dataclass(frozen=True, slots=True)
class _At:
    """A node, and the place it is in."""

    node: Node
    blocks: _Place = ()
    """What is around its statement."""
    beside: _Place = ()
    """Within the statement: at each step down what stands before it, and what behind it."""
    holds: int = 0


def words(grammar: Grammar, data: bytes, rows: Sequence[int]) -> list[Word]:
    """The words of all statements that touch one of `rows`, which are sorted."""
    found, stack = list[Word](), [_At(grammar.parse(data))]
    while stack:
        at = stack.pop()
        if at.node.type in grammar.prose:
            found += _prose(at.node)
        elif below := _below(grammar, at, rows):
            stack += reversed(below)
        else:
            found += _leaf(grammar, at)
    for start, text in grammar.conditions(data).items():
        line = data[data.rfind(b"\n", 0, start) + 1 : data.find(b"\n", start)]
        found.append(Word(text, data.count(b"\n", 0, start), (_plain(line),)))
    return sorted(found, key=lambda word: word.row)


def flaws(grammar: Grammar, data: bytes) -> int:
    """How much of it the grammar cannot read: macros of the kernel are among that."""
    count, stack = 0, [grammar.parse(data)]
    while stack:
        node = stack.pop()
        if node.has_error:
            count += node.is_error or node.is_missing
            stack += node.children
    return count


def _below(grammar: Grammar, at: _At, rows: Sequence[int]) -> list[_At]:
    node = at.node
    if inner := grammar.within(node):
        return [_At(inner, _around(grammar, at))]
    if node.type in grammar.atoms or not node.child_count:
        return []
    if node.type in grammar.blocks:
        return list(_in_block(grammar, at, rows))
    if _broken(node):
        near = [n for n in node.children if touches(rows, n.start_point.row, n.end_point.row)]
        lines = [list(line) for _, line in groupby(near, lambda n: n.start_point.row)]
        return [found for line in lines for found in _in_group(grammar, at, line)]
    if operator := _operator(node):
        return list(_in_chain(at, operator))
    return [found for group in _groups(node) for found in _in_group(grammar, at, group)]


def _leaf(grammar: Grammar, at: _At) -> Iterator[Word]:
    """A word; those of a string are a list, in which what precedes the quote tells how to read."""
    text, in_string = at.node.text or b"", at.node.type in grammar.strings
    if text in _CLOSING:
        return
    prefix = text.removesuffix(text.lstrip(_PREFIXES)) if in_string else b""
    place = (at.blocks, at.beside, prefix)
    for row, line in enumerate(text.split(b"\n"), at.node.start_point.row):
        parts = line.split() if in_string else [_plain(line)]
        yield from (Word(part, row, place, at.holds) for part in parts if part)


def _prose(node: Node) -> Iterator[Word]:
    """The words of a comment: code that becomes one is code no more."""
    for n, line in enumerate((node.text or b"").split(b"\n"), node.start_point.row):
        yield from (Word(part, n, ("prose",)) for part in line.split())


def _in_block(grammar: Grammar, at: _At, rows: Sequence[int]) -> Iterator[_At]:
    around, attached = _around(grammar, at), list[bytes]()
    for child in at.node.children:
        if child.type in grammar.attached:
            attached.append(_plain(child.text))
        if touches(rows, child.start_point.row, child.end_point.row):
            yield _At(child, around, (tuple(attached),) if attached else ())
        if child.type not in grammar.attached:
            attached.clear()


def _in_chain(at: _At, operator: str) -> Iterator[_At]:
    inner = at.beside[-1:] == (operator,)
    beside = at.beside if inner else (*at.beside, operator)
    holds = at.holds if inner else hash(_plain(at.node.text))
    for child in at.node.children:
        joins = operator in (child.type, _operator(child))
        yield _At(child, at.blocks, beside, holds if joins else 0)


def _in_group(grammar: Grammar, at: _At, group: Sequence[Node]) -> Iterator[_At]:
    """Nodes that mean something together: each is beside all the others."""
    texts = [_text(grammar, node) for node in group]
    before = list(accumulate(texts, lambda so_far, text: hash((so_far, text)), initial=0))
    behind = list(accumulate(texts[::-1], lambda so_far, text: hash((so_far, text)), initial=0))
    holds = hash(_plain(at.node.text)) if group[0].type in _BRACKETS else 0
    for n, node in enumerate(group):
        if _stands_alone(grammar, node):
            yield _At(node, _around(grammar, at))
        else:
            beside = (at.node.type, before[n], behind[len(group) - n - 1])
            yield _At(node, at.blocks, (*at.beside, beside), holds)


def _around(grammar: Grammar, at: _At) -> _Place:
    """What is around the statements in `at`; a condition of the preprocessor by its sense only."""
    name = grammar.name(at.node)
    if at.node.is_error or (at.node.type.startswith("preproc_") and not name):
        return at.blocks
    return (*at.blocks, at.node.type, name)


def touches(rows: Sequence[int], first: int, last: int) -> bool:
    """Whether one of `rows`, which are sorted, is `first` to `last`."""
    n = bisect_left(rows, first)
    return n < len(rows) and rows[n] <= last


def _broken(node: Node) -> bool:
    """Whether the parser could not make sense of it: then its lines are for themselves."""
    return node.is_error or (
        node.has_error and any(child.is_error or child.is_missing for child in node.children)
    )


def _operator(node: Node) -> str | None:
    """What joins the operands, if `node` is a link of such a chain."""
    operator = node.child(1) if node.child_count == 3 else None
    named = node.type.endswith(("_expression", "_operator"))
    return operator.type if operator and named and operator.type in CHAINED else None


def _groups(node: Node) -> list[list[Node]]:
    """The elements of a list in brackets; all children together, if it is none."""
    children = node.children
    if not _listed(node):
        return [children]
    parts = groupby(
        children, lambda child: child.type == "," or child in (children[0], children[-1])
    )
    return [part for alone, run in parts for part in ([[n] for n in run] if alone else [[*run]])]


def _listed(node: Node) -> bool:
    ends = node.children[:1] + node.children[-1:]
    return len(ends) == 2 and _BRACKETS.get(ends[0].type) == ends[1].type


def _stands_alone(grammar: Grammar, node: Node) -> bool:
    alone = node.is_error or node.type in grammar.blocks
    return alone or grammar.units.fullmatch(node.type) is not None


def _text(grammar: Grammar, whole: Node) -> bytes:
    """What `whole` is to its neighbours: what stands alone in it is not theirs to read."""
    out, stack = list[bytes](), [whole]
    while stack:
        node = stack.pop()
        if _stands_alone(grammar, node) or (_listed(node) and node.type not in grammar.atoms):
            out.append(node.type.encode())
        elif node.type in grammar.prose:
            continue
        elif node.child_count and node.type not in grammar.atoms:
            stack += reversed([node.child(1)] if _operator(node) else node.children)
        elif node.type in grammar.strings:
            out.append(node.type.encode())
        else:
            out.append(_plain(node.text))
    return b" ".join(out)


def _plain(text: bytes | None) -> bytes:
    return b" ".join((text or b"").split())
