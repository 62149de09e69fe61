"""A recipe's text with one thing more said in it; comments, order and formatting stay."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from kpatch_rs.errors import KpatchError
from kpatch_rs.loader.document import read_document
from kpatch_rs.loader.revise import first_line
from kpatch_rs.loader.write import variant_text
from kpatch_rs.model.outcome import Learned
from kpatch_rs.model.series import Variant
from kpatch_rs.syntax.toml import comment_lines

Spot = tuple[int | None, int]
"""An edit of a recipe: the number of its variant (None: the recipe's own), and its own, from 0."""


def with_learned(name: str, lessons: Mapping[Spot, Sequence[Learned]], before: bytes) -> bytes:
    """The recipe file `name` with what its edits are to keep, one more in a list of each.

    Raises KpatchError where that cannot be written without a change to the rest.
    """
    import tomlkit

    document = tomlkit.parse(before.decode())
    wanted = copy.deepcopy(dict(read_document(name, before).table))
    for (variant, number), kept in lessons.items():
        tables: tuple[Any, Any] = (wanted, document)
        if variant is not None:
            tables = (wanted["variant"][variant], document["variant"][variant])
        plain, written = (table["edit"][number] for table in tables)
        for lesson in kept:
            plain[lesson.key] = written[lesson.key] = [*plain.get(lesson.key, []), lesson.value]
    after = document.as_string()
    if tomllib.loads(after) != wanted:
        lines = ", ".join(
            f"{one.key} = [{one.value!r}]" for kept in lessons.values() for one in kept
        )
        raise KpatchError(
            f"{name}: {lines} cannot be set without a change to the rest",
            hint="write it by hand",
        )
    return after.encode()


def with_variant(name: str, variant: Variant, number: int, before: bytes) -> bytes:
    """The recipe file `name` with `variant` as its `number`th, counted from 0.

    It goes right before the one that has that number now, comments above that included, or to the
    end of the file. Raises KpatchError where that cannot be written without a change to the rest.
    """
    document = read_document(name, before)
    text = variant_text(variant)
    tables = document.table.get("variant", [])
    lines, at = document.text.split("\n"), None
    if number < len(tables):
        line = document.line_of("variant", number)("")
        at = first_line(comment_lines(document.tree), line)
    above = "\n".join(lines[:at]).rstrip("\n") + "\n\n"
    below = "\n".join(["", *lines[at:]]) if at is not None else ""
    after = above + text + below
    fresh = tomllib.loads(text)["variant"]
    wanted = {**document.table, "variant": [*tables[:number], *fresh, *tables[number:]]}
    try:
        same = tomllib.loads(after) == wanted
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise KpatchError(
            f"{name}: a variant cannot be added without a change to the rest",
            hint="write each edit and variant as a table of its own: [[edit]], [[variant]]",
        )
    return after.encode()
