"""Python scripts of the kernel: sequences of strings that begin with given words.

Read by tree-sitter-python, so that what stands around a tuple (a call, a comprehension, a loop, an
annotated assignment) does not matter. Guarantees: offsets are into the bytes given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import tree_sitter_python
from tree_sitter import Language, Node, Parser


@dataclass(frozen=True, slots=True)
class String:
    """A plain string constant."""

    value: bytes
    """What stands between the quotes, escapes unread."""
    quote: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A tuple or list of nothing but string constants."""

    start: int
    strings: tuple[String, ...]


def sequences(data: bytes, first: tuple[bytes, ...]) -> list[Sequence]:
    """The tuples and lists of strings that begin with the strings `first`, in file order."""
    found = (_sequence(node) for node in _walk(_parser().parse(data).root_node))
    wanted = list(first)
    return [s for s in found if s and [t.value for t in s.strings[: len(first)]] == wanted]


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_python.language()))


def _walk(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        at = waiting.pop()
        yield at
        waiting += reversed(at.named_children)


def _sequence(node: Node) -> Sequence | None:
    if node.type not in ("tuple", "list", "expression_list") or node.has_error:
        return None
    strings = [_string(c) for c in node.named_children if c.type != "comment"]
    constants = tuple(s for s in strings if s)
    return Sequence(node.start_byte, constants) if len(constants) == len(strings) else None


def _string(node: Node) -> String | None:
    """The node as a string constant; None for anything else, f-strings and bytes included."""
    parts = [(c.type, c.text or b"") for c in node.children]
    if node.type != "string" or [p[0] for p in parts] != _PLAIN or parts[0][1] not in (b'"', b"'"):
        return None
    return String(parts[1][1], parts[0][1], node.start_byte, node.end_byte)


_PLAIN = ["string_start", "string_content", "string_end"]
