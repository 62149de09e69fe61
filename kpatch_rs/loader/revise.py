"""A recipe's file that says what the recipe says now, with the maintainer's text kept around it.

A file is taken apart into its head, its [[edit]] tables and its [[variant]]s, each with the comment
right above it. An edit is known by the place it was read from, so that its table goes with it into
another recipe. Guarantees: a part whose keys stay is kept byte for byte; reading the text gives the
recipe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kpatch_rs.loader.write import (
    edit_text,
    key_line,
    plain_items,
    recipe_text,
    variant_text,
)
from kpatch_rs.model.series import Edit, Recipe, Variant, Where

Table = tuple[Edit | Variant, str]
Tables = Mapping[Where, Table]
"""The edits and variants of a series by where they stand, each with its text as it is written."""


def parts(recipe: Recipe, text: str) -> tuple[str, dict[Where, Table]]:
    """The text above the first table of a recipe's file, and its tables."""
    lines = text.splitlines(keepends=True)
    stated: list[Edit | Variant] = [*recipe.edits, *recipe.variants]
    stated.sort(key=lambda table: table.where.line)
    starts = [_start(lines, table.where.line) for table in stated]
    ends = [*starts[1:], len(lines)] if starts else []
    tables: dict[Where, Table] = {
        table.where: (table, "".join(lines[start:end]))
        for table, start, end in zip(stated, starts, ends, strict=True)
    }
    return "".join(lines[: starts[0] if starts else len(lines)]), tables


def revised(recipe: Recipe, old: Recipe | None, head: str, tables: Tables) -> str:
    """The text of `recipe`: `head` is that of `old`, `tables` are those of the whole series."""
    if old is None:
        head = recipe_text(_headed(recipe))
    elif changes := _differences(_headed(old), _headed(recipe)):
        head = _with(head, changes)
    stated: list[Edit | Variant] = [*recipe.edits, *recipe.variants]
    blocks = [_table(table, tables) for table in stated]
    if old and [e.where for e in old.edits] == [e.where for e in recipe.edits]:
        return "".join([head, *blocks])
    return "\n\n".join(block.strip("\n") for block in [head, *blocks]) + "\n"


def _start(lines: Sequence[str], line: int) -> int:
    """The index of the first line of the table whose header is the 1-based `line`."""
    at = line - 1
    while at and lines[at - 1].lstrip().startswith("#"):
        at -= 1
    return at


def _headed(recipe: Recipe) -> Recipe:
    return replace(recipe, edits=(), variants=())


def _table(table: Edit | Variant, tables: Tables) -> str:
    if table.where not in tables:
        return variant_text(table) if isinstance(table, Variant) else edit_text(table)
    old, text = tables[table.where]
    if isinstance(table, Variant) or isinstance(old, Variant):
        return text
    changes = _differences(old, table)
    return _with(text, changes) if changes else text


def _differences(old: Recipe | Edit, new: Recipe | Edit) -> dict[str, Any]:
    """The keys that change, with their new values; None: the key goes."""
    was, now = dict(plain_items(old)), dict(plain_items(new))
    names = dict.fromkeys((*was, *now))
    return {name: now.get(name) for name in names if was.get(name) != now.get(name)}


def _with(text: str, changes: Mapping[str, Any]) -> str:
    """`text`, one table or a head, with some keys otherwise; new ones go to its end."""
    import tomlkit

    body = text.rstrip("\n") + "\n"
    document = tomlkit.parse(body)
    table: Any = document["edit"][0] if "edit" in document else document
    for key, value in changes.items():
        if value is None:
            table.pop(key, None)
            continue
        item: Any = tomlkit.parse(key_line(key, value))[key]
        if isinstance(value, list) and key in table and "\n" in table[key].as_string():
            item.multiline(True)
        table[key] = item
    return document.as_string() + text[len(body) :]
