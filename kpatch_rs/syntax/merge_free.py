"""Text that means the same before and behind its neighbours, and the names it gives.

In a device tree: whole nodes. The properties of a node come before its children, and
`/delete-node/` is for what stands above it, so neither is among that (Devicetree Specification
0.4, 6.3 and 6.4). In C: `#define`s, which are not looked up before they are used. Two such texts
with a name in common have an order all the same: the second adds to the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import tree_sitter_devicetree
from tree_sitter import Language, Node, Parser

from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax.c_text import c_text


def free_names(text: bytes, path: RepoPath) -> frozenset[bytes]:
    """The names that `text` gives, if order means nothing to all of it; else none."""
    if path.endswith((b".dts", b".dtsi", b".dtso")):
        return _of_nodes(_parser().parse(text).root_node)
    if path.endswith((b".c", b".h")):
        return _of_defines(text)
    return frozenset()


def _of_nodes(root: Node) -> frozenset[bytes]:
    """The names and labels of the nodes that the text consists of; a label as `&label`."""
    nodes = [
        child.children[-1] if child.type == "omit_if_no_ref" else child
        for child in root.children
        if child.type != "comment"
    ]
    if root.has_error or any(node.type != "node" for node in nodes):
        return frozenset()
    return frozenset(name for node in nodes for name in _names(node))


def _names(node: Node) -> Iterator[bytes]:
    for label in node.children_by_field_name("label"):
        yield b"&" + (label.text or b"")
    parts = [*node.children_by_field_name("name"), *node.children_by_field_name("address")]
    yield b"".join(part.text or b"" for part in parts)


def _of_defines(text: bytes) -> frozenset[bytes]:
    read = c_text(text)
    if read.code.strip() or any(found.name != b"define" for found in read.directives):
        return frozenset()
    names = (re.match(rb"\w+", found.rest) for found in read.directives)
    return frozenset(found[0] for found in names if found)


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_devicetree.language()))
