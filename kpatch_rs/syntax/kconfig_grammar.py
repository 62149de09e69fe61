"""tree-sitter-kconfig, taught what its grammar (1.3) does not know yet.

One unknown line turns a whole file into an ERROR; so `transitional` (6.18) and the `if` of
`depends on … if …` (7.0) are blanked before, byte for byte, and the conditions handed out apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

import tree_sitter_kconfig
from tree_sitter import Language, Node, Parser

_UNKNOWN = re.compile(
    rb"(?m)^[ \t]+transitional[ \t]*$|"
    rb"(?<=[ \t])depends on[ \t]([^\n#]*?[^\s&|!=<>(#])([ \t]+if[ \t].*)$"
)


def parse(data: bytes) -> Node:
    """The file's syntax tree; offsets are into `data`."""
    # The grammar wants a newline at the end.
    return _parser().parse(_known(data) + (b"" if data.endswith(b"\n") else b"\n")).root_node


def parse_condition(text: bytes) -> Node | None:
    """The expression `text`; None where it is none."""
    root = parse(b"config X\n\tdepends on " + text + b"\n")
    held = next(below(root, "dependencies"), None)
    return None if root.has_error or held is None else held.named_children[0]


def conditions(data: bytes) -> Mapping[int, bytes]:
    """Where a `depends on … if CONDITION` starts → its condition, which `parse` leaves out."""
    found = (m for m in _UNKNOWN.finditer(data) if m[2])
    return {m.start(): m[2].split(None, 1)[1] for m in found}


def below(node: Node, type_: str) -> Iterator[Node]:
    """The nodes of `type_` in `node`, itself included."""
    if node.type == type_:
        yield node
    for child in node.named_children:
        yield from below(child, type_)


def text_of(node: Node) -> str:
    """As it stands in the file."""
    return (node.text or b"").decode(errors="replace")


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_kconfig.language()))


def _known(data: bytes) -> bytes:
    def blank(found: re.Match[bytes]) -> bytes:
        kept = found[0][: found.start(2) - found.start()] if found[2] else b""
        return kept.ljust(len(found[0]))

    return _UNKNOWN.sub(blank, data)
