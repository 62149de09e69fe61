"""What a Rust source file gives to C, and what of it cannot be right in a kernel.

Read with tree-sitter-rust; macros are not expanded, so that what a macro makes is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter
import tree_sitter_rust

_LANGUAGE = tree_sitter.Language(tree_sitter_rust.language())
_EXPORTING = re.compile(rb"#!?\[\s*(?:unsafe\s*\(\s*)?(no_mangle|export_name|export)\b")
_EXPORT_NAME = re.compile(rb'export_name\s*=\s*"([^"]+)"')
_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{2}|u\{[0-9A-Fa-f_]+\}|.)", re.DOTALL)
_PRINTING = re.compile(rb"pr_(?:emerg|alert|crit|err|warn|notice|info|debug|cont)\Z")
_FOR_C = re.compile(rb'pub\s[^{(]*\bextern\s*"C"')
_ESCAPED = {b"0": b"\0", b"n": b"\n", b"t": b"\t", b"r": b"\r"}


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is certainly wrong, though it compiles."""

    line: int
    what: str
    cure: str


def exported_symbols(source: bytes) -> tuple[str, ...]:
    """The names under which C can link to the functions of `source`, in order."""
    found = (_symbol(*function) for function in _functions(_parse(source)))
    return tuple(symbol.decode(errors="replace") for symbol in found if symbol)


def unconditional_symbols(source: bytes) -> tuple[str, ...]:
    """Those of the exported symbols that no `#[cfg]` can take away."""
    found = [
        symbol.decode(errors="replace")
        for function, attributes in _functions(_parse(source))
        if (symbol := _symbol(function, attributes)) and not _conditional(function)
    ]
    return tuple(found)


def uses_export(source: bytes) -> int | None:
    """The line of the first `#[export]`; None without one."""
    for node in _walk(_parse(source)):
        if node.type == "attribute_item" and re.match(rb"#\[\s*export\s*\]", node.text or b""):
            return node.start_point[0] + 1
    return None


def submodules(source: bytes) -> tuple[str, ...]:
    """The `mod x;` of `source` that are files of their own."""
    items = _parse(source).named_children
    return tuple(
        name.text.decode(errors="replace")
        for item in items
        if item.type == "mod_item" and item.child_by_field_name("body") is None
        if (name := item.child_by_field_name("name")) is not None and name.text
    )


def flaws(source: bytes) -> tuple[Flaw, ...]:
    """What is certainly wrong with `source`, in the order of its lines."""
    root = _parse(source)
    found = [*_unexported(root), *_prefix_flaws(root), *_unprefixed(root)]
    return tuple(sorted(found, key=lambda flaw: flaw.line))


def _parse(source: bytes) -> tree_sitter.Node:
    return tree_sitter.Parser(_LANGUAGE).parse(source).root_node


def _walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(node.children))


def _functions(root: tree_sitter.Node) -> Iterator[tuple[tree_sitter.Node, list[bytes]]]:
    """Every function with a body, and the attributes above it."""
    for node in _walk(root):
        if node.type == "function_item":
            yield node, _attributes(node)


def _attributes(node: tree_sitter.Node) -> list[bytes]:
    """The `#[...]` right above an item; comments may stand between."""
    found: list[bytes] = []
    above = node.prev_sibling
    while above is not None and above.type in ("attribute_item", *_COMMENTS):
        found += [above.text or b""] if above.type == "attribute_item" else []
        above = above.prev_sibling
    return found


def _conditional(item: tree_sitter.Node | None) -> bool:
    """Whether a `#[cfg]` stands above the item or one that it is in."""
    while item is not None:
        if any(re.match(rb"#\[\s*cfg\b", attribute) for attribute in _attributes(item)):
            return True
        item = item.parent
    return False


_COMMENTS = ("line_comment", "block_comment")


def _symbol(function: tree_sitter.Node, attributes: list[bytes]) -> bytes:
    """The symbol of `function`; empty where it has none that C could know."""
    for attribute in attributes:
        if named := _EXPORT_NAME.search(attribute):
            return named[1]
        if _EXPORTING.match(attribute):
            name = function.child_by_field_name("name")
            return name.text or b"" if name is not None else b""
    return b""


def _unexported(root: tree_sitter.Node) -> Iterator[Flaw]:
    """`pub extern "C" fn` without a symbol: rustc says nothing, the last link fails.

    Measured: a small one is in no symbol table at all. One that is passed on as a callback
    needs none, so that only names nothing in the file refers to count.
    """
    for function, attributes in _functions(root):
        name = function.child_by_field_name("name")
        if name is None or _symbol(function, attributes) or not _at_file_level(function):
            continue
        public = any(
            c.type == "visibility_modifier" and c.text == b"pub" for c in function.children
        )
        modifiers = b" ".join(
            c.text or b"" for c in function.children if c.type == "function_modifiers"
        )
        if public and re.search(rb'extern\s*"C"', modifiers) and not _used(root, name):
            shown = (name.text or b"").decode(errors="replace")
            yield Flaw(
                function.start_point[0] + 1,
                f'pub extern "C" fn {shown}() has no symbol that C could call',
                f"put #[no_mangle] above fn {shown} (#[export] from 6.15 on)",
            )


def _at_file_level(node: tree_sitter.Node) -> bool:
    return node.parent is not None and node.parent.type == "source_file"


def _used(root: tree_sitter.Node, name: tree_sitter.Node) -> bool:
    return any(
        n.type == "identifier" and n.text == name.text and n.start_byte != name.start_byte
        for n in _walk(root)
    )


def _prefix_flaws(root: tree_sitter.Node) -> Iterator[Flaw]:
    """`__LOG_PREFIX` goes to printk's "%s: ": NUL at its end, and no ": " of its own.

    rust/kernel/print.rs, call_printk: "the module name must be null-terminated".
    """
    for node in _walk(root):
        name = node.child_by_field_name("name")
        if node.type not in ("const_item", "static_item") or name is None:
            continue
        literal = node.child_by_field_name("value")
        if name.text != b"__LOG_PREFIX" or literal is None or literal.type != "string_literal":
            continue
        if (value := _bytes_of(literal.text or b"")) is None:
            continue
        line, bare = node.start_point[0] + 1, value.rstrip(b"\0").rstrip(b": ")
        cure = f'write: const __LOG_PREFIX: &[u8] = b"{bare.decode(errors="replace")}\\0";'
        if not value.endswith(b"\0"):
            yield Flaw(line, "__LOG_PREFIX does not end in NUL: printing reads past it", cure)
        elif value.rstrip(b"\0 ").endswith(b":"):
            yield Flaw(line, '__LOG_PREFIX ends in ":", and printing adds ": " to it', cure)


def _bytes_of(literal: bytes) -> bytes | None:
    """The bytes of b"..."; None for a literal of another form."""
    if not (literal.startswith(b'b"') and literal.endswith(b'"')):
        return None

    def plain(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code[1:], 16)]) if len(code) == 3 else _ESCAPED.get(code, code)

    return _ESCAPE.sub(plain, literal[2:-1])


def _unprefixed(root: tree_sitter.Node) -> Iterator[Flaw]:
    """pr_*!() without a `__LOG_PREFIX` to take: only `module!` makes one by itself."""
    names = [
        (n, n.child_by_field_name("macro")) for n in _walk(root) if n.type == "macro_invocation"
    ]
    called = [(n, (m.text or b"").rsplit(b"::", 1)[-1]) for n, m in names if m is not None]
    has_prefix = any(n.type == "identifier" and n.text == b"__LOG_PREFIX" for n in _walk(root))
    makes_module = any(re.search(rb"module\w*\Z|_driver\Z", name) for _, name in called)
    printing = [n for n, name in called if _PRINTING.match(name)]
    if printing and not has_prefix and not makes_module:
        yield Flaw(
            printing[0].start_point[0] + 1,
            "pr_*! needs a __LOG_PREFIX, and the file has neither one nor a module! that makes it",
            'add: const __LOG_PREFIX: &[u8] = b"foo\\0";',
        )
