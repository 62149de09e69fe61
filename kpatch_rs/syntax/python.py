"""Python scripts of the kernel: sequences of strings that hold given words.

Read by tree-sitter-python, so that what stands around a tuple (a call, a comprehension, a loop, an
annotated assignment) does not matter; what statement it is in, and what other statements name, is
told where somebody asks. Guarantees: offsets are into the bytes given.
"""

from __future__ import annotations

import builtins
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
    end: int
    strings: tuple[String, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """A statement that gives a name a value, on lines of its own."""

    name: str
    end: int
    """Behind its last line."""
    indent: bytes
    loop: int | None
    """The start of the first line of the loop over the name, in the same block."""
    names: frozenset[str]
    """The names that other statements there may use: parameters, imports, what Python has."""


def sequences(data: bytes, words: tuple[bytes, ...]) -> list[Sequence]:
    """The tuples and lists of strings with the strings `words`, in this order, in file order."""
    found = (_sequence(node) for node in _walk(_parser().parse(data).root_node))
    wanted = list(words)
    return [s for s in found if s and [t.value for t in s.strings if t.value in words] == wanted]


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
    if len(constants) < len(strings):
        return None
    return Sequence(node.start_byte, node.end_byte, constants)


def _string(node: Node) -> String | None:
    """The node as a string constant; None for anything else, f-strings and bytes included."""
    parts = [(c.type, c.text or b"") for c in node.children]
    if node.type != "string" or [p[0] for p in parts] != _PLAIN or parts[0][1] not in (b'"', b"'"):
        return None
    return String(parts[1][1], parts[0][1], node.start_byte, node.end_byte)


_PLAIN = ["string_start", "string_content", "string_end"]


def assignment(data: bytes, offset: int) -> Assignment | None:
    """The assignment of a name that byte `offset` stands in; None where it is in another statement.

    Also None where other code shares its lines.
    """
    root = _parser().parse(data).root_node
    at = root.descendant_for_byte_range(offset, offset)
    while at and at.type != "expression_statement":
        at = at.parent
    value = at.named_children[0] if at and len(at.named_children) == 1 else None
    name = value.child_by_field_name("left") if value and value.type == "assignment" else None
    if at is None or name is None or name.type != "identifier":
        return None
    start = data.rfind(b"\n", 0, at.start_byte) + 1
    end = data.find(b"\n", at.end_byte) + 1
    indent = data[start : at.start_byte]
    if not end or indent.strip() or data[at.end_byte : end].split(b"#")[0].strip():
        return None
    said = _text(name)
    return Assignment(said, end, indent, _loop(data, at, said), _in_scope(at) | {said})


def _loop(data: bytes, statement: Node, name: str) -> int | None:
    """Where the loop over `name` begins that stands below `statement`."""
    after = statement.next_named_sibling
    while after:
        over = after.child_by_field_name("right") if after.type == "for_statement" else None
        if over and _text(over) == name:
            return data.rfind(b"\n", 0, after.start_byte) + 1
        after = after.next_named_sibling
    return None


def _in_scope(node: Node) -> frozenset[str]:
    """The parameters of the functions around `node`, the file's imports, and the builtins."""
    found = set(dir(builtins))
    while node.parent:
        node = node.parent
        if parameters := node.child_by_field_name("parameters"):
            found |= {_bound(p) for p in parameters.named_children}
    for child in node.named_children:
        if child.type in ("import_statement", "import_from_statement"):
            found |= {_text(n).split(".")[0] for n in child.children_by_field_name("name")}
    return frozenset(found)


def _bound(parameter: Node) -> str:
    """The name of a parameter, with or without type and default."""
    first = next((n for n in _walk(parameter) if n.type == "identifier"), parameter)
    return _text(first)


def free_names(data: bytes) -> frozenset[str] | None:
    """The names that statements use and do not make themselves; None where they do not parse."""
    root = _parser().parse(data).root_node
    if root.has_error:
        return None
    used, made = set[str](), set[str]()
    for node in _walk(root):
        made |= {_text(n) for n in _targets(node)}
        if node.type == "identifier" and not _is_label(node):
            used.add(_text(node))
    return frozenset(used - made) | frozenset(_assigned_from_itself(root))


def _targets(node: Node) -> Iterator[Node]:
    """The names that `node` makes: of a loop, a comprehension, an assignment, a lambda."""
    if node.type in ("for_statement", "for_in_clause", "assignment"):
        target = node.child_by_field_name("left")
    elif node.type in ("lambda", "function_definition"):
        target = node.child_by_field_name("parameters")
    else:
        return
    if target:
        yield from (n for n in _walk(target) if n.type == "identifier")


def _is_label(node: Node) -> bool:
    """Whether it names an attribute or the argument of a call, and not a value."""
    parent = node.parent
    if parent is None:
        return False
    label = {"attribute": "attribute", "keyword_argument": "name"}.get(parent.type)
    return label is not None and parent.child_by_field_name(label) == node


def _assigned_from_itself(root: Node) -> Iterator[str]:
    """The names that an assignment to them needs already: `a = [*a, b]`."""
    for node in _walk(root):
        left, right = (node.child_by_field_name(side) for side in ("left", "right"))
        if node.type == "assignment" and left and right:
            inner = {_text(n) for n in _walk(right) if n.type == "identifier"}
            yield from {_text(left)} & inner


def paths(data: bytes) -> list[bytes]:
    """The plain strings in statements; of `top / "a" / "b"` the two as one, a/b."""
    return [said for said in _paths(_parser().parse(data).root_node) if said]


def _paths(node: Node) -> Iterator[bytes]:
    if node.type == "binary_operator" and (parts := _joined(node)):
        yield b"/".join(parts)
    elif node.type == "string":
        string = _string(node)
        yield string.value if string else b""
    else:
        for child in node.named_children:
            yield from _paths(child)


def _joined(node: Node) -> list[bytes]:
    """The strings that `/` puts behind something that is none."""
    left, right = (node.child_by_field_name(side) for side in ("left", "right"))
    string = _string(right) if right and _text(node.children[1]) == "/" else None
    if left is None or string is None:
        return []
    if left.type != "binary_operator":
        return [] if left.type == "string" else [string.value]
    before = _joined(left)
    return [*before, string.value] if before else []


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")
