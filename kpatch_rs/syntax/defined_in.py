"""What counts as a definition in each language: a table of tree-sitter queries, and four readers.

A capture `@in.SCOPE` is a stretch that names belong to; `@KIND.SCOPE` is a definition, which
belongs to the innermost stretch of that name around it, or else to the file. C is read with its
conditionals blanked out, so that both arms of an `#if` are seen; its functions, and the blocks that
local names belong to, are told by braces, which macros cannot hide. Makefiles and MAINTAINERS have
readers of their own. A file of any other language defines nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import tree_sitter_c
import tree_sitter_devicetree
import tree_sitter_kconfig
import tree_sitter_python
import tree_sitter_rust
import tree_sitter_yaml
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax import kconfig_grammar
from kpatch_rs.syntax.c_body import ATTRIBUTE
from kpatch_rs.syntax.c_functions import functions
from kpatch_rs.syntax.c_text import CText, c_text
from kpatch_rs.syntax.kbuild import Assignment, read_makefile
from kpatch_rs.syntax.maintainers import read_maintainers


@dataclass(frozen=True, slots=True)
class Scope:
    """A stretch of the file that names belong to."""

    start: int
    end: int
    kind: str
    head: bytes = b""
    """What tells it from others of its kind, where that is not the line it begins on."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A definition; `name` is what there may be one of in its scope."""

    start: int
    end: int
    kind: str
    scope: str
    name: bytes


Read = Iterator[Scope | Mark]


def read(path: RepoPath, data: bytes) -> Read:
    """What `data` defines, in no order; nothing for a file in a language that is not known."""
    name = path.rpartition(b"/")[2]
    for pattern, reader in _READERS:
        if pattern.fullmatch(name):
            return reader(data)
    return iter(())


def squeezed(text: bytes) -> bytes:
    """`text` with every run of blanks as one space."""
    return b" ".join(text.split())


_C = """
(struct_specifier name: (_) body: (_) @in.struct)
(union_specifier name: (_) body: (_) @in.struct)
(field_declaration
  type: (_ body: (field_declaration_list) @in.struct) declarator: (_))
(declaration type: (_ body: (field_declaration_list) @in.struct))
(type_definition type: (_ body: (field_declaration_list) @in.struct))
(field_declaration declarator: (_) @member.struct)
(struct_specifier name: (_) @type.file body: (_))
(union_specifier name: (_) @type.file body: (_))
(enum_specifier name: (_) @type.file body: (_))
(type_definition declarator: (_) @typedef.file)
(enumerator name: (_) @enumerator.file)
(translation_unit (declaration) @declaration.block)
(compound_statement (declaration) @declaration.block)
(case_statement (declaration) @declaration.block)
(switch_statement body: (_) @in.switch)
(case_statement) @in.function
(case_statement value: (_) @case.switch)
(case_statement "default" @case.switch)
(labeled_statement label: (_) @label.body)
(compound_statement (expression_statement) @statement.function)
(compound_statement (return_statement) @statement.function)
(compound_statement (if_statement) @statement.function)
(case_statement (expression_statement) @statement.function)
(case_statement (return_statement) @statement.function)
(case_statement (if_statement) @statement.function)
(initializer_list) @in.list
(initializer_list (initializer_pair) @initializer.list)
(initializer_list [(initializer_list) (call_expression) (pointer_expression) (identifier)
  (string_literal) (compound_literal_expression)] @entry.list)
"""

_DTS = """
(node) @in.node
(node) @node.node
(node label: (_) @label.file)
(property name: (_) @property.node)
(preproc_def name: (_) @macro.file)
(preproc_include path: (_) @include.file)
"""

_RUST = """
(declaration_list) @in.items
(field_declaration_list) @in.struct
(enum_variant_list) @in.struct
(field_initializer_list) @in.list
(match_block) @in.match
(function_item body: (_) @in.function)
(function_item body: (_) @in.items)
(function_item name: (_) @function.items)
(struct_item name: (_) @type.items)
(enum_item name: (_) @type.items)
(union_item name: (_) @type.items)
(trait_item name: (_) @type.items)
(type_item name: (_) @type.items)
(const_item name: (_) @constant.items)
(static_item name: (_) @constant.items)
(mod_item name: (_) @type.items)
(macro_definition name: (_) @macro.items)
(use_declaration argument: (_) @use.items)
(field_declaration name: (_) @member.struct)
(enum_variant name: (_) @variant.struct)
(field_initializer field: (_) @initializer.list)
(shorthand_field_initializer) @initializer.list
(match_arm pattern: (_) @arm.match)
(block (expression_statement) @statement.function)
(block (let_declaration) @statement.function)
(source_file (macro_invocation) @call.file)
"""

_PYTHON = """
(class_definition body: (_) @in.body)
(function_definition body: (_) @in.body)
(function_definition body: (_) @in.function)
(function_definition name: (_) @function.body)
(class_definition name: (_) @type.body)
(import_statement) @use.body
(import_from_statement) @use.body
(dictionary) @in.dictionary
(dictionary (pair key: (_) @key.dictionary))
[(list) (tuple)] @in.list
(list [(list) (tuple) (string) (call)] @entry.list)
(tuple [(list) (tuple) (string) (call)] @entry.list)
(block (expression_statement) @statement.function)
"""

_KCONFIG = """
(config) @in.entry
(menuconfig) @in.entry
(choice) @in.entry
(menu) @in.entry
(comment_entry) @in.entry
(if) @in.entry
(config name: (_) @symbol.file)
(menuconfig name: (_) @symbol.file)
(dependencies) @line.entry
(reverse_dependencies) @line.entry
(weak_reverse_dependencies) @line.entry
(default_value) @line.entry
(type_definition) @line.entry
(source) @line.file
"""

_YAML = """
(block_mapping) @in.mapping
(flow_mapping) @in.mapping
(block_mapping_pair key: (_) @key.mapping)
(flow_pair key: (_) @key.mapping)
(block_sequence) @in.list
(block_sequence (block_sequence_item) @entry.list)
"""


@dataclass(frozen=True, slots=True)
class _Grammar:
    """One language: its grammar, and what of it counts."""

    grammar: ModuleType
    query: str

    def captures(self, root: Node) -> Iterator[tuple[str, str, Node]]:
        """Each node that counts, with the two words of its capture."""
        for capture, nodes in QueryCursor(_query(self)).captures(root).items():
            kind, _, scope = capture.partition(".")
            yield from ((kind, scope, node) for node in nodes)

    def parse(self, data: bytes) -> Node:
        return Parser(_language(self.grammar)).parse(data).root_node

    def read(self, data: bytes, root: Node | None = None) -> Read:
        """Scopes and definitions, those that one node says by itself."""
        for kind, scope, node in self.captures(root or self.parse(data)):
            start, end = node.start_byte, node.end_byte
            if kind == "in":
                yield Scope(start, end, scope)
            else:
                yield Mark(start, end, kind, scope, _name(kind, data[start:end]))


@cache
def _language(grammar: ModuleType) -> Language:
    return Language(grammar.language())


@cache
def _query(grammar: _Grammar) -> Query:
    return Query(_language(grammar.grammar), grammar.query)


def _name(kind: str, text: bytes) -> bytes:
    """What there may be one of: of an entry all, of a node what stands before its braces."""
    if kind == "node":
        text = re.sub(rb"[\w\s]+:(?!/)", b"", text.partition(b"{")[0])
    elif kind == "initializer":
        text = re.split(rb"[=:]", text, maxsplit=1)[0]
    elif kind in ("member", "typedef"):
        text = _declared(text)
    elif once := _ONCE.match(text):
        text = once[1] or b"EXPORT_SYMBOL(%b)" % once[2]
    return squeezed(text)


_ONCE = re.compile(
    rb"(MODULE_(?:LICENSE|DESCRIPTION|VERSION))\s*\(|EXPORT_SYMBOL\w*\s*\(\s*(\w+)\s*[,)]"
)
"""What a module says once, whatever it says; a symbol is exported in one way."""

_WORD = re.compile(rb"\b(?!(?:const|volatile|restrict)\b)[A-Za-z_]\w*")


def _declared(declarator: bytes) -> bytes:
    """The name in `*foo[2]`, `(*foo)(int)`, `foo = 1`; empty where there is none."""
    found = _WORD.search(declarator)
    return found[0] if found else b""


_C_GRAMMAR = _Grammar(tree_sitter_c, _C)
_KCONFIG_GRAMMAR = _Grammar(tree_sitter_kconfig, _KCONFIG)


def _read_c(data: bytes) -> Read:
    text = c_text(data)
    code = ATTRIBUTE.sub(lambda found: b" " * len(found[0]), text.code)
    for kind, scope, node in _C_GRAMMAR.captures(_C_GRAMMAR.parse(code)):
        start, end = node.start_byte, node.end_byte
        if kind == "in":
            yield Scope(start, end, scope)
        elif kind == "declaration":
            yield from _declarations(node)
        elif kind in ("member", "typedef"):
            yield Mark(start, end, kind, scope, _name(kind, code[start:end]))
        elif kind != "statement" or _tells(node):
            yield Mark(start, end, kind, scope, _name(kind, data[start:end]))
    yield from (Scope(opened, closed, "block") for opened, closed in text.closing.items())
    for f in functions(text):
        yield Mark(f.named, f.open, "function", "file", f.name)
        yield Scope(f.open, f.close, "function", f.name)
        yield Scope(f.open, f.close, "body", f.name)
    yield from _calls(text)
    for d in text.directives:
        if d.name in (b"define", b"include") and (what := _DEFINED.match(d.rest)):
            yield Mark(d.start, d.end, d.name.decode(), "file", what[0])


_DEFINED = re.compile(rb"\w+|[<\"].*")


def _declarations(node: Node) -> Read:
    """The variables that a declaration makes, or the names it only declares."""
    extern = any(child.text == b"extern" for child in node.children)
    for declarator in node.children_by_field_name("declarator"):
        name, called = _declared(declarator.text or b""), declarator.type == "function_declarator"
        kind = "declaration" if extern or called else "variable"
        if name and not (called and name.isupper()):
            yield Mark(declarator.start_byte, declarator.end_byte, kind, "block", name)


def _calls(text: CText) -> Read:
    """The macros called between functions: what each makes is told by its arguments."""
    for found in _CALL.finditer(text.code):
        n = bisect_right(text.outer, found.start())
        if not n or text.closing.get(text.outer[n - 1], 0) < found.start():
            said = text.data[found.start("call") : found.end()]
            yield Mark(found.start(), found.end(), "call", "file", _name("call", said))


_CALL = re.compile(
    rb"(?m)^(?:static[ \t]+)?(?:const[ \t]+)?(?P<call>\w+[ \t]*\([^\n]*(?:(?<=,)\n[^\n]*)?)"
)
"""One begins its line; two lines are enough to tell one from another."""


def _tells(statement: Node) -> bool:
    """Whether a statement is told from others: `if (ret < 0)`, `ret = -EINVAL;` are everywhere."""
    asked = statement.child_by_field_name("condition") or statement
    return bool(re.search(rb"\w\(|->|\w\.\w", (asked.text or b"")))


def _read_kconfig(data: bytes) -> Read:
    return _KCONFIG_GRAMMAR.read(data, kconfig_grammar.parse(data))


def _read_kbuild(data: bytes) -> Read:
    """The words of each list, under each condition."""
    for statement in read_makefile(data).statements:
        if isinstance(statement, Assignment):
            where = b"/".join((statement.name, *(c.text for c in statement.context)))
            yield Scope(statement.start, statement.end, "list", where)
            for word in statement.words:
                if word.text.endswith((b".o", b"/")):
                    end = word.start + len(word.text)
                    yield Mark(word.start, end, "object", "list", word.text)


def _read_maintainers(data: bytes) -> Read:
    """The entries by title, and the lines of each."""
    for section in read_maintainers(data):
        yield Mark(section.start, section.end, "section", "file", section.title.encode())
        yield Scope(section.start, section.end, "section", section.title.encode())
        for line in section.lines:
            said = f"{line.tag}: {line.value}".encode()
            yield Mark(line.start, line.end, "line", "section", said)


_READERS: tuple[tuple[re.Pattern[bytes], Callable[[bytes], Read]], ...] = (
    (re.compile(rb".*\.[ch]"), _read_c),
    (re.compile(rb".*\.(?:dts|dtsi|dtso)"), _Grammar(tree_sitter_devicetree, _DTS).read),
    (re.compile(rb".*\.rs"), _Grammar(tree_sitter_rust, _RUST).read),
    (re.compile(rb".*\.py"), _Grammar(tree_sitter_python, _PYTHON).read),
    (re.compile(rb".*\.ya?ml"), _Grammar(tree_sitter_yaml, _YAML).read),
    (re.compile(rb"Kconfig.*"), _read_kconfig),
    (re.compile(rb"Makefile.*|Kbuild.*|.*\.mk"), _read_kbuild),
    (re.compile(rb"MAINTAINERS"), _read_maintainers),
)
