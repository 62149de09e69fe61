"""Which macros only declare: they may stand among the declarations at the top of a function.

By their names, where a header that all may include makes them (each with its source); by what they
expand to, where the file, or what it includes, makes them. guard(), CLASS() and ACQUIRE() declare
something, too, but what they are for is the lock or the reference that they take. Of 1,900 macros
that begin a function in 7.2, 61 that only declare are not told by their names.
"""

from __future__ import annotations

import re

import tree_sitter
import tree_sitter_c

from kpatch_rs.syntax.c_text import CText

_LANGUAGE = tree_sitter.Language(tree_sitter_c.language())

_ACTS = re.compile(
    rb"guard|\w+_guard|\w*CLASS(?:_INIT)?|ACQUIRE(?:_ERR)?|INIT_\w+"  # cleanup.h, list.h
    rb"|(?:\w+_)?(?:BUG|WARN|ASSERT|EXPECT)(?:_(?!STRUCT)\w+)?"  # bug.h, build_bug.h, kunit/test.h
    rb"|DEFINE|\w+_LOCK(?:_\w+)?"  # kbuild.h makes an asm statement with it
)
_DECLARES = re.compile(
    rb"(?:\w+_)?(?:DEFINE|DECLARE)_\w+"  # wait.h: DEFINE_WAIT(); types.h: DECLARE_BITMAP()
    rb"|\w*LIST_HEAD"  # list.h, llist.h, plist.h
    rb"|\w+_ON_?STACK(?:_\w+)?"  # completion.h, crypto/hash.h, crypto/skcipher.h
    rb"|XA_STATE(?:_ORDER)?|MA_STATE|VMA_ITERATOR"  # xarray.h, maple_tree.h, mm_types.h
    rb"|SKB_DR(?:_INIT)?|TRAILING_OVERLAP"  # net/dropreason-core.h, stddef.h
    rb"|__label__"
)
_TAKES = re.compile(rb"\b(?:__cleanup|CLASS|guard|ACQUIRE)\s*\(")
_MARK = re.compile(
    rb"\b__(?:free|aligned|attribute__)\s*\((?:[^()]|\([^()]*\))*\)|\b__maybe_unused\b"
)
_NAMED = re.compile(rb"\s*(\w+)\s*\(")


def declares(name: bytes) -> bool | None:
    """Whether the macro `name` only declares; None where its name does not tell."""
    if _ACTS.fullmatch(name):
        return False
    return True if _DECLARES.fullmatch(name) else None


def expanded(text: CText, name: bytes) -> bool | None:
    """Whether what `text` defines as `name` only declares; None where it does not tell.

    Where the preprocessor chooses between several, all that stand for something have to agree.
    """
    wanted = re.compile(rb"%s\([^()]*\)" % re.escape(name))
    defined = (
        (d.rest[found.end() :] if (found := wanted.match(d.rest)) else b"")
        for d in text.directives
        if d.name == b"define"
    )
    bodies = (body.replace(b"\\\n", b" ").replace(b"##", b"").strip() for body in defined)
    answers = {_only_declares(body) for body in bodies if body}
    return answers.pop() if len(answers) == 1 else None


def _only_declares(body: bytes) -> bool:
    if _TAKES.search(body):
        return False
    source = b"void f(void) {\n%s;\n}\n" % _MARK.sub(b"", body)
    root = tree_sitter.Parser(_LANGUAGE).parse(source).root_node
    block = root.children[0].child_by_field_name("body")
    nodes = [n for n in block.named_children if n.text != b";"] if block else []
    return not root.has_error and bool(nodes) and all(map(_is_declaration, nodes))


def _is_declaration(node: tree_sitter.Node) -> bool:
    if node.type == "expression_statement":
        named = _NAMED.match(node.text or b"")
        return bool(named and declares(named[1]))
    return node.type == "declaration"
