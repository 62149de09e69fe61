"""The text of a fresh recipe of one kind: its example, explained key by key."""

from __future__ import annotations

import ast
import inspect
import itertools
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

from kpatch_rs.errors import Usage
from kpatch_rs.kinds import KINDS
from kpatch_rs.loader.fields import suggest
from kpatch_rs.loader.write import key_line
from kpatch_rs.model.series import Edit

_HEAD = """\
{id}\
subject = "*** SUBJECT HERE ***"
body = \"\"\"
*** BODY HERE ***
\"\"\"
# author = "A Name <name@example.org>"    without it: git's identity
# trailers = ["Signed-off-by: A Name <name@example.org>"]
# when = {{ min = "6.1" }}    left out on other kernels; also max = "6.11", has = "path/in/the/tree"
"""


def skeleton(kind: str, id_: str, given: Mapping[str, list[str]]) -> str:
    """A recipe with one edit of `kind`; `given` are keys of it with what was said for each.

    Raises Usage for a key the kind has not, or one it takes once.
    """
    edit = KINDS[kind].edit
    return _HEAD.format(id=key_line("id", id_)) + _edit_text(edit, _table(edit, given))


def _table(edit: type[Edit], given: Mapping[str, list[str]]) -> dict[str, Any]:
    """The example's values; where some are given, only those and what else a recipe must have."""
    example = tomllib.loads(KINDS[edit.kind].example)
    hints = typing.get_type_hints(edit)
    known = {f.name.replace("_", "-"): f for f in fields(edit) if f.name not in ("where", "when")}
    table = {k: v for k, v in example.items() if k in known and (not given or _required(known[k]))}
    for key, values in given.items():
        if key not in known:
            raise Usage(f"{edit.kind} has no '{key}'", hint=suggest(key, list(known)))
        several = typing.get_origin(hints[known[key].name]) is tuple
        if len(values) > 1 and not several:
            raise Usage(f"'{key}' is given twice", hint=f"{edit.kind} takes one '{key}'")
        table[key] = values if several else values[0]
    return table


def _required(field: Field[Any]) -> bool:
    return field.default is field.default_factory is MISSING


def _edit_text(edit: type[Edit], table: Mapping[str, Any]) -> str:
    """An [[edit]] table with, above each key, what its field's documentation says."""
    lines = ["\n[[edit]]\n", key_line("kind", edit.kind)]
    docs = _field_docs(edit)
    for key in (f.name.replace("_", "-") for f in fields(edit)):
        if key in table:
            lines += [f"# {line}".rstrip() + "\n" for line in docs.get(key, "").splitlines()]
            lines.append(key_line(key, table[key]))
        elif key in docs:
            first, *more = docs[key].splitlines()
            lines += [
                f"# {key} = …    {first}\n",
                *(f"#     {line}\n" for line in filter(None, more)),
            ]
    return "".join(lines)


def _field_docs(edit: type[Edit]) -> dict[str, str]:
    """The string under each field, as editors and readers of the class know it."""
    statements = [
        s for c in ast.parse(inspect.getsource(edit)).body for s in getattr(c, "body", [])
    ]
    docs = {}
    for node, below in itertools.pairwise(statements):
        match node, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                docs[name.replace("_", "-")] = inspect.cleandoc(text)
    return docs
