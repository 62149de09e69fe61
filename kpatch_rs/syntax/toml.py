"""Where things stand in a TOML file: keys, tables, headers and comments.

tomllib says what a file means and whether it is TOML, and keeps no positions; tree-sitter-toml has
nothing else. A text that is not TOML has a tree as well, with whatever could be read of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

Tree: TypeAlias = Node

_HEADED = ("table", "table_array_element")
_NESTS = ("array", "inline_table", "dotted_key")


@dataclass(slots=True)
class Spot:
    """A value, where it stands, and where that stands which it holds."""

    line: int
    """Of its key or header, from 1; of an item of a list, its own."""
    keys: dict[str, Spot] = field(default_factory=dict)
    items: list[Spot] = field(default_factory=list)

    def holds(self, value: Any) -> bool:
        """Whether `value`, what tomllib read, has these keys and items and no others."""
        pending = [(self, value)]
        while pending:
            spot, value = pending.pop()
            keys = value if isinstance(value, dict) else {}
            items = value if isinstance(value, list) else []
            if spot.keys.keys() != keys.keys() or len(spot.items) != len(items):
                return False
            pending += [(spot.keys[key], inner) for key, inner in keys.items()]
            pending += zip(spot.items, items, strict=True)
        return True

    def inner(self, step: str | int) -> Spot | None:
        """What is in it under a key or number."""
        if isinstance(step, str):
            return self.keys.get(step)
        return self.items[step] if step < len(self.items) else None

    def _below(self, names: tuple[str, ...], line: int) -> Spot:
        """The table `names` from here, made at `line` where it is new; of a list, its last."""
        spot = self
        for name in names:
            spot = spot.keys.setdefault(name, Spot(line))
            spot = spot.items[-1] if spot.items else spot
        return spot


@dataclass(frozen=True, slots=True)
class Header:
    """`[a.b]` or `[[a.b]]`."""

    names: tuple[str, ...]
    starts: tuple[int, ...]
    """The offset of each name."""


def parse(data: bytes) -> Tree:
    """The file's syntax tree; offsets are into `data`."""
    return _parser().parse(data).root_node


def too_deep(root: Tree, most: int) -> int | None:
    """The line of the first list, inline table or dotted key that is nested deeper than `most`."""
    cursor, depth = root.walk(), 0
    while True:
        node = cursor.node
        depth += (inner := node is not None and node.type in _NESTS)
        if node and depth > (most - 1 if node.type == "dotted_key" else most):
            return _line(node)
        if cursor.goto_first_child():
            continue
        depth -= inner
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return None
            depth -= cursor.node is not None and cursor.node.type in _NESTS


def spots(root: Tree) -> Spot:
    """The lines of all that the file says."""
    top = Spot(1)
    for node in root.named_children:
        if node.type == "pair":
            _define(top, node)
        elif node.type in _HEADED:
            table = _headed(top, node)
            for pair in node.named_children:
                if pair.type == "pair":
                    _define(table, pair)
    return top


def comment_lines(root: Tree) -> set[int]:
    """The lines between statements that hold a comment and nothing else."""
    found = set[int]()
    for level in (root, *(node for node in root.named_children if node.type in _HEADED)):
        before = 0
        for node in level.children:
            if node.type == "comment" and _line(node) > before:
                found.add(_line(node))
            before = _last_line(node)
    return found


def headers(root: Tree) -> Iterator[Header]:
    """The headers of tables, in the order of the file."""
    for node in root.named_children:
        if node.type in _HEADED:
            keys = _keys(node.named_children[0])
            yield Header(tuple(map(_name, keys)), tuple(key.start_byte for key in keys))


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_toml.language()))


def _line(node: Node) -> int:
    return node.start_point.row + 1


def _last_line(node: Node) -> int:
    return node.end_point.row + (node.end_point.column > 0)


def _headed(top: Spot, node: Node) -> Spot:
    """The table that the header of `node` begins."""
    *parents, last = map(_name, _keys(node.named_children[0]))
    above, line = top._below(tuple(parents), _line(node)), _line(node)
    table = above.keys.setdefault(last, Spot(line))
    if node.type == "table":
        table.line = line  # [a] may stand below [a.b]
        return table
    table.items.append(Spot(line))
    return table.items[-1]


def _define(table: Spot, pair: Node) -> None:
    """Put `key = value` into `table`."""
    key, value = (n for n in pair.named_children if n.type != "comment")
    *parents, last = map(_name, _keys(key))
    line = _line(pair)
    table._below(tuple(parents), line).keys[last] = _value(value, line)


def _value(node: Node, line: int) -> Spot:
    spot = Spot(line)
    for inner in node.named_children if node.type in ("array", "inline_table") else ():
        if inner.type == "pair":
            _define(spot, inner)
        elif inner.type != "comment":
            spot.items.append(_value(inner, _line(inner)))
    return spot


def _keys(node: Node) -> list[Node]:
    """The parts of a key; the grammar nests a dotted one to the left."""
    parts = list[Node]()
    while node.type == "dotted_key":
        node, last = node.named_children
        parts.append(last)
    return [node, *reversed(parts)]


def _name(node: Node) -> str:
    text = (node.text or b"").decode()
    if node.type != "quoted_key":
        return text
    (name,) = tomllib.loads(f"{text} = 0")
    return name
