"""A file taken apart and put together: what only looks like a comment or a header stays text."""

from __future__ import annotations

import dataclasses

from kpatch_rs.kinds.c_call import CCallEdit
from kpatch_rs.loader.document import read_document
from kpatch_rs.loader.recipe import read_recipe
from kpatch_rs.loader.revise import parts, texts
from kpatch_rs.model.series import Edit, Payload, Recipe

CALL = '''\
[[edit]]
kind = "c-call"
file = "a.c"
function = "f"
statement = """
[[edit]]
#include "x.h"'''
TEXT = f'''\
id = "call"
subject = "foo: Call Rust"
body = """
One.
# Two."""
# a comment with \u2028 a separator
{CALL}"""
# of the second
[[edit]]
kind = "c-call"
file = "b.c"
function = "g"
statement = "g();"
'''


def read(text: str) -> Recipe:
    return read_recipe(read_document("x.toml", text.encode()), lambda name: Payload(name, b""))


def first(recipe: Recipe, edits: tuple[Edit, ...], text: str) -> str:
    """`recipe`, read from `text`, with `edits` instead of its own."""
    head, tables = parts(recipe, text)
    return next(texts(dataclasses.replace(recipe, edits=edits), recipe, head, tables))


def test_parts() -> None:
    recipe = read(TEXT)
    head, tables = parts(recipe, TEXT)
    one, two = (tables[edit.where][1] for edit in recipe.edits)
    assert head.endswith('# Two."""\n')
    assert one.startswith("# a comment with")
    assert one.endswith(f'{CALL}"""\n')
    assert two.startswith("# of the second\n[[edit]]\n")
    assert head + one + two == TEXT


def test_edits_turned_round_keep_their_comments_and_texts() -> None:
    recipe = read(TEXT)
    turned = first(recipe, recipe.edits[::-1], TEXT)
    again = read(turned)
    assert [getattr(edit, "statement", "") for edit in again.edits] == [
        "g();",
        '[[edit]]\n#include "x.h"',
    ]
    assert sorted(turned.split("\n")) == sorted([*TEXT.split("\n"), "", ""])


def test_an_edit_of_a_variant_becomes_the_recipes_own() -> None:
    variant = CALL.replace("[[edit]]", '[[ "variant" . edit ]] # [[variant.edit]]', 1)
    text = TEXT + f'[[variant]]\nwhen = {{ min = "6.1" }}\n{variant}"""\n'
    recipe = read(text)
    (inner,) = recipe.variants[0].edits
    assert isinstance(inner, CCallEdit)
    own = first(recipe, (*recipe.edits, inner), text)
    assert 'statement = "g();"\n\n[[ edit ]] # [[variant.edit]]\nkind' in own
    assert read(own).edits[2].where.line > read(own).edits[1].where.line
    moved = getattr(read(own).edits[2], "statement", "")
    assert moved == inner.statement == '[[edit]]\n#include "x.h"'
