"""Which language a file is in, and how a merge reads that language's syntax trees.

A merge asks of a tree what stands on its own and what only means something beside its neighbours:
a statement in a block stands on its own, the two sides of `==` do not. The names are those of the
grammars (their node-types.json).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import tree_sitter_bash
import tree_sitter_c
import tree_sitter_devicetree
import tree_sitter_kconfig
import tree_sitter_python
import tree_sitter_rust
import tree_sitter_yaml
from tree_sitter import Language, Node, Parser

from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax import kconfig_grammar
from kpatch_rs.syntax.sense import sense

CHAINED = frozenset({"&&", "||", "|", "and", "or"})
"""Operators whose operands may come in any order and number."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """How to parse a language, and what the nodes of its trees are."""

    language: Callable[[], object]
    """What tree-sitter calls it, for queries;"""
    parse: Callable[[bytes], Node]
    """and how to read it, which may take more."""
    blocks: frozenset[str]
    """Whose children each stand on their own: statements, members, entries."""
    units: re.Pattern[str]
    """What stands on its own wherever it is: the statement of an `if` without braces."""
    prose: frozenset[str]
    """What only people read: nothing in it is code, and where it stands means nothing."""
    atoms: frozenset[str] = frozenset()
    """What is one word, whatever the grammar sees in it."""
    strings: frozenset[str] = frozenset()
    """Which of these are words of a language that is not the file's."""
    within: Callable[[Node], Node | None] = lambda _: None
    """What is read on its own where the grammar sees but one word."""
    attached: frozenset[str] = frozenset()
    """What belongs to the sibling behind it."""
    name: Callable[[Node], bytes] = lambda _: b""
    """What a node in which others stand is called, or the sense of its condition."""
    conditions: Callable[[bytes], Mapping[int, bytes]] = lambda _: {}
    """What `parse` leaves out, by offset."""


def grammar_of(path: RepoPath, data: bytes) -> Grammar | None:
    """How to read the file; None for a language that has no grammar here."""
    name = path.rpartition(b"/")[2]
    if name.startswith(b"Kconfig"):
        return _KCONFIG
    if script := re.match(rb"#!.*?\b(python|(?:ba|da|k)?sh\b)", data):
        return _PYTHON if script[1] == b"python" else _SHELL
    return _BY_ENDING.get(name.rpartition(b".")[2] if b"." in name else b"")


def is_prose(path: RepoPath) -> bool:
    """Whether people read the file, and nothing else."""
    return path.startswith(b"Documentation/") and path.endswith((b".rst", b".txt"))


def _types(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _named(**places: int) -> Callable[[Node], bytes]:
    """The text of the child in that place, by type of node; of any condition, its sense."""

    def name(node: Node) -> bytes:
        child = node.child(places[node.type]) if node.type in places else None
        return b" ".join((child.text or b"").split()) if child else sense(node)

    return name


def _devicetree_name(node: Node) -> bytes:
    """Its label, by which it is known under any name; else its address, or its name."""
    if node.type == "node" and (label := node.child_by_field_name("label")):
        return label.text or b""
    pairs = pairwise(node.children) if node.type == "node" else ()
    return next((before.text or b"" for before, brace in pairs if brace.type == "{"), b"")


def _parser(language: Callable[[], object]) -> Callable[[bytes], Node]:
    @cache
    def parser() -> Parser:
        return Parser(Language(language()))

    return lambda data: parser().parse(data).root_node


_parse_c = _parser(tree_sitter_c.language)


def _macro_body(node: Node) -> Node | None:
    """The value of a macro as statements, its rows those of the file; None if it is none."""
    if node.type != "preproc_arg" or not node.text:
        return None
    body = re.sub(rb"\\(\r?\n)", rb" \1", node.text)
    root = _parse_c(b"\n" * node.start_point.row + b"void f(void) {" + body + b"\n;}")
    return None if root.has_error else root


_C = Grammar(
    language=tree_sitter_c.language,
    parse=_parse_c,
    blocks=_types(
        "translation_unit compound_statement case_statement declaration_list "
        "field_declaration_list enumerator_list initializer_list preproc_if preproc_ifdef "
        "preproc_elif preproc_elifdef preproc_else"
    ),
    units=re.compile(r"\w+_statement|else_clause|preproc_(?!defined|params)\w+"),
    prose=frozenset({"comment"}),
    atoms=frozenset({"string_literal", "char_literal", "system_lib_string", "preproc_arg"}),
    strings=frozenset({"string_literal"}),
    within=_macro_body,
    name=_named(case_statement=1),
)
_RUST = Grammar(
    language=tree_sitter_rust.language,
    parse=_parser(tree_sitter_rust.language),
    blocks=_types(
        "source_file block declaration_list field_declaration_list enum_variant_list "
        "match_block field_initializer_list"
    ),
    units=re.compile(r"\w+_item|\w+_declaration|\w+_statement|match_arm|else_clause"),
    prose=frozenset({"line_comment", "block_comment"}),
    atoms=frozenset({"string_literal", "raw_string_literal", "char_literal"}),
    strings=frozenset({"string_literal"}),
    attached=frozenset({"attribute_item"}),
    name=sense,
)
_PYTHON = Grammar(
    language=tree_sitter_python.language,
    parse=_parser(tree_sitter_python.language),
    blocks=frozenset({"module", "block"}),
    units=re.compile(r"\w+_statement|\w+_definition|(?:else|elif|except|finally|case)_clause"),
    prose=frozenset({"comment"}),
    atoms=frozenset({"string"}),
    strings=frozenset({"string"}),
    name=sense,
)
_KCONFIG = Grammar(
    language=tree_sitter_kconfig.language,
    parse=kconfig_grammar.parse,
    blocks=_types("configuration config menuconfig menu choice if comment_entry help_text"),
    units=re.compile(r"(?!)"),
    prose=frozenset({"comment", "text"}),
    atoms=frozenset({"string"}),
    strings=frozenset({"string"}),
    name=_named(config=1, menuconfig=1, menu=1, **{"if": 1}),
    conditions=kconfig_grammar.conditions,
)
_DEVICETREE = Grammar(
    language=tree_sitter_devicetree.language,
    parse=_parser(tree_sitter_devicetree.language),
    blocks=frozenset({"document", "node", "preproc_if", "preproc_ifdef", "preproc_else"}),
    units=re.compile(r"node|property|preproc_\w+"),
    prose=frozenset({"comment"}),
    atoms=frozenset({"string_literal", "preproc_arg"}),
    strings=frozenset({"string_literal"}),
    name=_devicetree_name,
)
_YAML = Grammar(
    language=tree_sitter_yaml.language,
    parse=_parser(tree_sitter_yaml.language),
    blocks=frozenset({"stream", "document", "block_mapping", "block_sequence"}),
    units=re.compile(r"block_node"),
    prose=frozenset({"comment"}),
    atoms=frozenset({"block_scalar", "plain_scalar", "double_quote_scalar", "single_quote_scalar"}),
    name=_named(block_mapping_pair=0),
)
_SHELL = Grammar(
    language=tree_sitter_bash.language,
    parse=_parser(tree_sitter_bash.language),
    blocks=_types(
        "program if_statement elif_clause else_clause do_group case_item compound_statement "
        "subshell"
    ),
    units=re.compile(r"(?!)"),
    prose=frozenset({"comment"}),
    atoms=frozenset({"string", "raw_string", "ansi_c_string", "heredoc_body"}),
    name=_named(case_item=0),
)
_BY_ENDING = {
    **dict.fromkeys((b"c", b"h"), _C),
    b"rs": _RUST,
    b"py": _PYTHON,
    b"sh": _SHELL,
    **dict.fromkeys((b"dts", b"dtsi", b"dtso"), _DEVICETREE),
    **dict.fromkeys((b"yaml", b"yml"), _YAML),
}
