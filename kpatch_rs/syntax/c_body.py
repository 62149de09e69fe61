"""The statements of one function: where its declarations end, its returns, the calls in it.

tree-sitter reads the body alone, with attributes blanked and macro loops turned into loops it
knows, so that nothing else in the file can mislead it. What it says is then held against the code:
a place counts only where the braces, the token before it and the preprocessor agree. Whatever does
not agree is :class:`Unclear`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import tree_sitter
import tree_sitter_c

from kpatch_rs.errors import KpatchError
from kpatch_rs.syntax.c_declares import declares
from kpatch_rs.syntax.c_functions import Function
from kpatch_rs.syntax.c_text import CText

_LANGUAGE = tree_sitter.Language(tree_sitter_c.language())
_HEAD = b"void f() "
ATTRIBUTE = re.compile(
    rb"\b__(?:user|iomem|rcu|percpu|kernel|force|bitwise|maybe_unused|always_unused|unused|"
    rb"init\w*|exit\w*|read_mostly|ro_after_init|uninitialized|nonstring|private|packed)\b"
    rb"|\b__(?:free|cleanup|aligned|section|attribute__|counted_by)\s*\((?:[^()]|\([^()]*\))*\)+"
)
_NO_EXPRESSION = re.compile(
    rb"(?<=[,(])\s*(?:struct|union|enum)(?=\s+\w+[\s*]*[,)])|\*+(?=\s*[,)])"
    rb"|\bstatic(?=\s+(?:DEFINE|DECLARE)_)"
)
"""Types as arguments, `static DEFINE_...()`: the grammar has neither."""
_STATEMENT_HEAD = re.compile(
    rb"(?<=[;{}:)])\s*((?!(?:if|for|while|switch|return|sizeof|case|typeof)\b)[A-Za-z_]\w+)\s*\("
)
_TYPE_OF = re.compile(rb"\b(?:__)?typeof(?:__|_unqual(?:__)?)?\s*\(")
_LOOKS_LIKE_CALL = re.compile(rb"\w+\s*\((?![^()]*\)\s*=\s*\{)")
_POINTER = re.compile(
    rb"\w+(?:\s+\w+|\s*\*)*\s*\(\s*\*+\s*(?:(?:const|volatile)\s+)?\w+\s*(?:\[[^]]*\]\s*)?\)\s*[(\[]"
)
"""`bool (*fn)(int)`, `u8 (*buf)[4]`: a call of what a call returned would look the same, and nobody
writes one."""
_PLAIN_STATEMENT = re.compile(
    rb"(?:if|for|while|do|switch|return|goto|break|continue|asm|case|default)\b"
    rb"|[*(]|\+\+|--|\w+\s*(?:\(|=|->|\.|\[|\+\+|--|[-+*/&|^%]=|<<=|>>=|:)"
)
_TYPES = ("type_definition", "struct_specifier", "enum_specifier", "union_specifier")
_KEYWORDS = frozenset((b"if", b"for", b"while", b"switch", b"return", b"sizeof", b"typeof"))
_MACRO = re.compile(rb"(\w+)\s*\(")


class Unclear(KpatchError):
    """The code at `offset` can be read in more than one way."""

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(what)
        self.offset = offset


_ASSIGNED = re.compile(rb"(?:[A-Za-z_][\w \t]*[ \t*])?([A-Za-z_][\w.]*(?:->\w+)*)\s*=(?!=)")
"""What a statement, or a declaration, assigns to."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; offsets into the file."""

    start: int
    end: int
    """Behind its `;` or `}`."""
    type: str
    """tree-sitter's name for it: return_statement, expression_statement, if_statement, ..."""
    top: bool
    """Whether it stands directly in the function's body, behind a label or not."""


@dataclass(frozen=True, slots=True)
class Body:
    """A function's body, read."""

    text: CText
    function: Function
    root: tree_sitter.Node
    """The compound statement; its byte 0 is the file's byte `shift`."""
    shift: int
    told: tuple[tuple[bytes, bool], ...] = ()
    """Macros of the tree that :func:`untold` asked for, and whether each only declares."""

    def statement(self, node: tree_sitter.Node) -> Statement:
        """The statement that `node` is."""
        parent = node.parent
        while parent is not None and parent.type == "labeled_statement":
            parent = parent.parent
        return Statement(
            node.start_byte + self.shift, node.end_byte + self.shift, node.type, parent == self.root
        )


@lru_cache(maxsize=16)
def body_of(text: CText, function: Function) -> Body:
    """Read the body of `function`, one that ``functions(text)`` gave."""
    if b"\n" not in text.data[function.open : function.close]:
        raise Unclear(function.named, "its whole body stands on one line")
    if text.conditionals(function.open, function.close):
        raise Unclear(function.named, "its body begins or ends in an #if")
    code = _parsable(text, function)
    root = tree_sitter.Parser(_LANGUAGE).parse(_HEAD + code).root_node.children[0]
    body = root.child_by_field_name("body")
    if body is None or body.end_byte != len(_HEAD) + len(code):
        raise Unclear(function.named, "its body cannot be read")
    return Body(text, function, body, function.open - len(_HEAD))


def error_count(body: Body) -> int:
    """How many places of it tree-sitter cannot read."""
    return sum(n.is_error or n.is_missing for n in walk(body.root))


def parse_c(data: bytes) -> tree_sitter.Node:
    """The tree of `data`: sound for a prototype or a statement, not for a whole kernel file."""
    return tree_sitter.Parser(_LANGUAGE).parse(data).root_node


def blank_attributes(code: bytes) -> bytes:
    """`code`, of the same length, without such as `__user` and `__free(kfree)`."""
    return ATTRIBUTE.sub(lambda m: b" " * len(m[0]), code)


def declarations_end(body: Body) -> int:
    """Where the declarations at the top of the body end; behind the `{` where there are none.

    They end above the first thing that does something, be it a declaration to the compiler: a
    guard() takes its lock, a CLASS() its reference. LIST_HEAD() and the like declare; so does a
    shouted macro that nobody knows, where another declaration follows. Raises Unclear.
    """
    nodes = [n for n in body.root.named_children if n.type != "comment"]
    count = _leading(body, nodes)
    end = nodes[count - 1].end_byte + body.shift if count else body.function.open + 1
    if count < len(nodes) and not _is_statement(nodes[count]):
        raise Unclear(nodes[count].start_byte + body.shift, "a declaration or a statement?")
    return _past_conditional(body, end)


def untold(body: Body) -> tuple[bytes, ...]:
    """The macros at the top of the body of which only the tree can tell what they are."""
    found = []
    for node in (n for n in body.root.named_children if n.type != "comment"):
        if (name := _macro(node)) is not None:
            declares_ = declares(name)
            if declares_ is False or not name.isupper():
                break
            found += [name] if declares_ is None else []
        elif node.type not in _TYPES and node.type != "declaration":
            break
    return tuple(dict.fromkeys(found))


def returns(body: Body) -> tuple[Statement, ...]:
    """Every `return` of the body, those in statement expressions too: they leave it as well.

    Raises Unclear where the tree and the words of the code disagree on how many there are.
    """
    found = [body.statement(n) for n in walk(body.root) if n.type == "return_statement"]
    seen = {s.start for s in found}
    for word in _words(body, b"return"):
        if word not in seen:
            raise Unclear(word, "a return that macros around it hide")
    return tuple(sorted(found, key=lambda s: s.start))


def calls(body: Body, name: bytes) -> tuple[int, ...]:
    """Where `name(` stands in the body as a call; members of that name are not meant.

    `guard(mutex)` is one with that first argument: a function may have several guards.
    """
    name, _, first = name.rstrip(b")").partition(b"(")
    form = rb"\w+\s*\(\s*%s\s*[,)]" % re.escape(first) if first else rb"\w+\s*\("
    return tuple(
        at
        for at in _words(body, name)
        if re.match(form, body.text.code[at : at + len(name) + len(first) + 80])
        and not re.search(rb"(?:\.|->)\s*\Z", body.text.code[max(at - 40, 0) : at])
    )


def called(body: Body) -> tuple[bytes, ...]:
    """The names before a `(` in the body, each once: functions and macros, but no keywords."""
    names = re.findall(
        rb"(?<![\w.>])([A-Za-z_]\w*)\s*\(",
        body.text.code[body.function.open : body.function.close],
    )
    return tuple(dict.fromkeys(n for n in names if n not in _KEYWORDS))


def statement_around(body: Body, offset: int) -> Statement:
    """The innermost statement or declaration that holds `offset`. Raises Unclear."""
    at = offset - body.shift
    node = body.root.descendant_for_byte_range(at, at)
    while node is not None and not node.type.endswith(("_statement", "declaration")):
        node = node.parent
    if node is None or node.type == "compound_statement" or _broken(node):
        raise Unclear(offset, "its statement cannot be told apart from what surrounds it")
    return body.statement(node)


def check_of(body: Body, statement: Statement) -> Statement | None:
    """The `if` right below `statement` that tests what it assigned; None where there is none."""
    at = statement.start - body.shift
    node = body.root.descendant_for_byte_range(at, at)
    while node is not None and node.end_byte + body.shift < statement.end:
        node = node.parent
    assigned = _ASSIGNED.match(body.text.code, statement.start, statement.end)
    below = node.next_named_sibling if node is not None else None
    while below is not None and below.type == "comment":
        below = below.next_named_sibling
    if assigned is None or below is None or below.type != "if_statement" or _broken(below):
        return None
    condition = below.child_by_field_name("condition")
    tested = condition.text if condition is not None and condition.text else b""
    found = re.search(rb"(?<![\w.>])%s(?!\w)" % re.escape(assigned[1]), tested)
    between = body.text.between(statement.end, below.start_byte + body.shift)
    return body.statement(below) if found and not between else None


def exits_below(body: Body) -> bool:
    """Whether control can reach the closing brace: the last statement is no jump."""
    nodes = [n for n in body.root.named_children if n.type != "comment"]
    last = nodes[-1] if nodes else None
    while last is not None and last.type == "labeled_statement":
        last = last.named_children[-1]
    return last is None or last.type not in ("return_statement", "goto_statement")


def _parsable(text: CText, function: Function) -> bytes:
    code = text.code[function.open : function.close + 1]
    code = _NO_EXPRESSION.sub(lambda m: b" " * len(m[0]), blank_attributes(code))
    out = bytearray(code)
    for head in _STATEMENT_HEAD.finditer(code):
        closed = text.partner(function.open + head.end() - 1)
        follows = text.code[closed + 1 : function.close].lstrip()[:1]
        if closed > 0 and (follows == b"{" or follows.isalpha() or follows == b"_"):
            word = b"while" if len(head[1]) > 4 else b"if"
            out[head.start(1) : head.end(1)] = word.ljust(len(head[1]))
    for type_of in _TYPE_OF.finditer(code):  # a type that needs no reading
        past = text.partner(function.open + type_of.end() - 1) + 1 - function.open
        if past > type_of.end():
            out[type_of.start() : past] = b"int".ljust(past - type_of.start())
    return bytes(out)


def walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """`node` and all below it."""
    todo = [node]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(node.children)


def _words(body: Body, word: bytes) -> tuple[int, ...]:
    found = re.compile(rb"(?<!\w)%s(?!\w)" % re.escape(word)).finditer(
        body.text.code, body.function.open, body.function.close
    )
    return tuple(m.start() for m in found)


def _leading(body: Body, nodes: list[tree_sitter.Node]) -> int:
    """How many of `nodes` are declarations, from the first on."""
    count = 0
    for n, node in enumerate(nodes):
        code = node.text or b""
        if node.type in ("declaration", "expression_statement") and _POINTER.match(code):
            count = n + 1
        elif node.type in _TYPES or node.type == "declaration":
            if _LOOKS_LIKE_CALL.match(code) or node.has_error:
                break
            count = n + 1
        elif (name := _macro(node)) is not None:
            declares_ = dict(body.told).get(name, declares(name))
            if declares_ is False or not (declares_ or name.isupper()):
                break
            count = n + 1 if declares_ else count
        else:
            break
    return count


def _macro(node: tree_sitter.Node) -> bytes | None:
    """The name of what is called as a statement of its own."""
    found = _MACRO.match(node.text or b"") if node.type == "expression_statement" else None
    return found[1] if found else None


def _is_statement(node: tree_sitter.Node) -> bool:
    if node.type == "ERROR" or (node.type == "declaration" and node.has_error):
        return bool(_PLAIN_STATEMENT.match(node.text or b""))
    return True


def _past_conditional(body: Body, end: int) -> int:
    """`end`, or behind the `#endif` when the last declarations stand in an `#if` of their own."""
    text, opened = body.text, body.function.open
    depth = text.conditionals(opened, end)
    for directive in text.between(end, body.function.close) if depth else ():
        if not text.blank(end, directive.start):
            break
        end = directive.end
        depth -= (directive.name == b"endif") - directive.opens
        if not depth:
            return end
    if depth:
        raise Unclear(end, "declarations and statements share an #if at the top of the function")
    return end


def _broken(node: tree_sitter.Node) -> bool:
    """Whether the statement's own extent is in doubt; errors deep in its blocks are not."""
    return any(
        n.is_error or n.is_missing or (n.has_error and n.type not in _BLOCKS and _broken(n))
        for n in node.children
    )


_BLOCKS = ("compound_statement", "argument_list")
