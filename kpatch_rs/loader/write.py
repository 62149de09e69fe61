"""A Recipe becomes the text of its file: what `new` and `import` put into a series.

Guarantees: reading the text gives the same recipe again, but for `where`; the payloads it names
go into the series folder beside it, under their names.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from kpatch_rs.model.series import Edit, Payload, Person, Recipe, Variant
from kpatch_rs.model.version import Guard


def recipe_text(recipe: Recipe) -> str:
    """The TOML text of `recipe`: keys in the order of the model, one table per edit and variant."""
    edits = (edit_text(edit) for edit in recipe.edits)
    return "\n".join([_keys(recipe), *edits, *map(variant_text, recipe.variants)])


def variant_text(variant: Variant) -> str:
    """The [[variant]] table of `variant`, with those of its edits."""
    edits = (edit_text(edit, "variant.edit") for edit in variant.edits)
    return "\n".join(["[[variant]]\n" + _keys(variant), *edits])


def payloads(recipe: Recipe) -> tuple[Payload, ...]:
    """The files that `recipe` names, its variants too, each once, in the order of the edits."""
    values = (
        getattr(edit, f.name) for edit in recipe.all_edits() for f in dataclasses.fields(edit)
    )
    return tuple(dict.fromkeys(value for value in values if isinstance(value, Payload)))


def key_line(key: str, value: Any) -> str:
    """One `key = value` line; a text of several lines as a multi-line string."""
    import tomlkit

    if isinstance(value, str) and "\n" in value:
        text = tomlkit.string(value, multiline=True).as_string()
        # A line end right after the quotes is not a part of the value.
        return f"{key} = " + (text if value.startswith("\n") else '"""\n' + text[3:]) + "\n"
    return f"{key} = {tomlkit.item(value).as_string()}\n"


def edit_text(edit: Edit, table: str = "edit") -> str:
    """The [[edit]] table of `edit`."""
    return f"[[{table}]]\n" + key_line("kind", edit.kind) + _keys(edit)


def _keys(value: Recipe | Variant | Edit) -> str:
    return "".join(key_line(key, raw) for key, raw in plain_items(value))


def plain_items(value: Recipe | Variant | Edit) -> Iterator[tuple[str, Any]]:
    """The keys, where they differ from the defaults, as TOML's own types.

    `where` is a place, not a value.
    """
    for field in dataclasses.fields(value):
        raw = getattr(value, field.name)
        if field.name not in ("where", "edits", "variants") and raw != field.default:
            yield field.name.replace("_", "-"), _plain(raw)


def _plain(raw: Any) -> Any:
    if isinstance(raw, Payload):
        return raw.name
    if isinstance(raw, Person):
        return str(raw)
    if isinstance(raw, bytes):  # a RepoPath; recipes are UTF-8, so is every path in one
        return raw.decode()
    if isinstance(raw, tuple):
        return list(raw)
    if isinstance(raw, Guard):
        bounds = {f.name: getattr(raw, f.name) for f in dataclasses.fields(raw)}
        return _inline({k: _plain(v) for k, v in bounds.items() if v is not None})
    return raw


def _inline(values: dict[str, Any]) -> Any:
    import tomlkit

    table = tomlkit.inline_table()
    table.update(values)
    return table
