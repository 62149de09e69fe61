"""A recipe's file that says what the recipe says now, with the maintainer's text kept around it.

A file is taken apart into its head and its [[edit]] tables, each with the comment right above it.
An edit is known by the place it was read from, so that its table goes with it into another recipe.
Guarantees: a part whose keys stay is kept byte for byte; reading the text gives the recipe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kpatch_rs.loader.write import edit_text, key_line, plain_items, recipe_text
from kpatch_rs.model.series import Edit, Recipe, Where

Tables = Mapping[Where, tuple[Edit, str]]
"""The edits of a series by where they stand, each with its table as it is written."""


def parts(recipe: Recipe, text: str) -> tuple[str, dict[Where, tuple[Edit, str]]]:
    """The text above the first [[edit]] of a recipe's file, and its tables."""
    lines = text.splitlines(keepends=True)
    starts = [_start(lines, edit.where.line) for edit in recipe.edits]
    ends = [*starts[1:], len(lines)]
    tables = {
        edit.where: (edit, "".join(lines[start:end]))
        for edit, start, end in zip(recipe.edits, starts, ends, strict=True)
    }
    return "".join(lines[: starts[0] if starts else len(lines)]), tables


def revised(recipe: Recipe, old: Recipe | None, head: str, tables: Tables) -> str:
    """The text of `recipe`: `head` is that of `old`, `tables` are those of the whole series."""
    if old is None:
        head = recipe_text(_headed(recipe))
    elif changes := _differences(_headed(old), _headed(recipe)):
        head = _with(head, changes)
    blocks = [_table(edit, tables) for edit in recipe.edits]
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
    return replace(recipe, edits=())


def _table(edit: Edit, tables: Tables) -> str:
    if edit.where not in tables:
        return edit_text(edit)
    old, text = tables[edit.where]
    changes = _differences(old, edit)
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
