"""A recipe's file that says what the recipe says now, with the maintainer's text kept around it.

A file is taken apart into its head, its [[edit]] tables and its [[variant]]s, and these into heads
and edits, each with the comment right above it. An edit is known by the place it was read from, so
that its table goes with it into another recipe or variant. Guarantees: a part whose keys stay is
kept byte for byte, and a variant of which nothing changes is such a part.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
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
from kpatch_rs.syntax.toml import comment_lines, headers, parse

Table = tuple[Edit | Variant, str]
Tables = Mapping[Where, Table]
"""The edits and variants of a series by where they stand, each with its text as it is written."""


def parts(recipe: Recipe, text: str) -> tuple[str, dict[Where, Table]]:
    """The text above the first table of a recipe's file, and its tables, those in others too."""
    lines = io.StringIO(text).readlines()  # by LF alone, as TOML and all that counts lines
    comments = comment_lines(parse(text.encode()))
    stated: list[Edit | Variant] = [*recipe.edits, *recipe.variants]
    cuts = _cuts(comments, stated, len(lines))
    tables: dict[Where, Table] = {}
    for table, start, end in cuts:
        tables[table.where] = (table, "".join(lines[start:end]))
        for edit, first, last in _cuts(comments, getattr(table, "edits", ()), end):
            tables.setdefault(edit.where, (edit, "".join(lines[first:last])))
    return "".join(lines[: cuts[0][1] if cuts else len(lines)]), tables


def texts(recipe: Recipe, old: Recipe | None, head: str, tables: Tables) -> Iterator[str]:
    """The texts that may say `recipe`, those that keep most of what is written first.

    `head` is that of `old`, `tables` are those of the whole series. What a file is written in may
    have no parts (`edit = [{…}]`): the caller reads each, and takes the first that says it.
    """
    yield _revised(recipe, old, head, tables)
    inner = {edit.where for v in (old.variants if old else ()) for edit in v.edits}
    yield _revised(recipe, old, head, {w: t for w, t in tables.items() if w not in inner})
    yield recipe_text(recipe)


def _revised(recipe: Recipe, old: Recipe | None, head: str, tables: Tables) -> str:
    if old is None:
        head = recipe_text(_headed(recipe))
    elif changes := _differences(_headed(old), _headed(recipe)):
        head = _with(head, changes)
    blocks = [(edit.where, _edit(edit, tables, "edit")) for edit in recipe.edits]
    blocks += [(variant.where, _variant(variant, tables)) for variant in recipe.variants]
    if old and [e.where for e in old.edits] == [e.where for e in recipe.edits]:
        blocks.sort(key=lambda block: block[0].line)
        return "".join([head, *(text for _, text in blocks)])
    return "\n\n".join(text.strip("\n") for text in [head, *(text for _, text in blocks)]) + "\n"


def _cuts(
    comments: Collection[int], tables: Sequence[Edit | Variant], end: int
) -> list[tuple[Edit | Variant, int, int]]:
    """`tables` in the order of the file, each with its first line and the one behind its last."""
    stated = sorted(tables, key=lambda table: table.where.line)
    starts = [first_line(comments, table.where.line) for table in stated]
    return list(zip(stated, starts, [*starts[1:], end][: len(starts)], strict=True))


def first_line(comments: Collection[int], line: int) -> int:
    """The index of the first line of the table whose header is the 1-based `line`.

    That is where the comment right above it begins; `comments` are the lines of those.
    """
    at = line - 1
    while at in comments:
        at -= 1
    return at


def _headed(recipe: Recipe) -> Recipe:
    return replace(recipe, edits=(), variants=())


def _edit(edit: Edit, tables: Tables, title: str) -> str:
    """The table of `edit`; `title` is `edit` or `variant.edit`."""
    old, text = tables.get(edit.where, (None, ""))
    if not isinstance(old, Edit):
        return edit_text(edit, title)
    if changes := _differences(old, edit):
        text = _with(_titled(text, "edit"), changes)
    return _titled(text, title)


def _titled(text: str, title: str) -> str:
    """`text`, the table of an edit, with its headers below `title`."""
    data, parents = text.encode(), title.removesuffix("edit").encode()
    for header in reversed([*headers(parse(data))]):
        if "edit" in header.names[:2]:
            start, end = header.starts[0], header.starts[header.names.index("edit")]
            data = data[:start] + parents + data[end:]
    return data.decode()


def _variant(variant: Variant, tables: Tables) -> str:
    """The table of `variant`, and those of its edits."""
    old, text = tables.get(variant.where, (None, ""))
    if old == variant or not isinstance(old, Variant):
        return text or variant_text(variant)
    below = text[len(text.rstrip("\n")) :]
    inner = "".join(tables[e.where][1] for e in old.edits if e.where in tables)
    if not inner or not text.endswith(inner):
        return variant_text(variant).rstrip("\n") + below
    head = text.removesuffix(inner)
    blocks = [_edit(edit, tables, "variant.edit") for edit in variant.edits]
    if [e.where for e in old.edits] == [e.where for e in variant.edits]:
        return "".join([head, *blocks])
    return "\n\n".join(block.strip("\n") for block in [head, *blocks]) + below


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
