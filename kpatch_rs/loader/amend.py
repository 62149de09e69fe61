"""A recipe's text with one thing more said in it; comments, order and formatting stay."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping

from kpatch_rs.errors import KpatchError
from kpatch_rs.loader.document import read_document


def with_also(name: str, paths: Mapping[int, str], before: bytes) -> bytes:
    """The recipe file `name` with one path more in the `also` of each edit, numbered from 0.

    Raises KpatchError where that cannot be written without a change to the rest.
    """
    import tomlkit

    document = tomlkit.parse(before.decode())
    wanted = copy.deepcopy(dict(read_document(name, before).table))
    for number, path in paths.items():
        also = [*wanted["edit"][number].get("also", []), path]
        wanted["edit"][number]["also"] = document["edit"][number]["also"] = also
    after = document.as_string()
    if tomllib.loads(after) != wanted:
        raise KpatchError(
            f"setting also in {name} would change more of it",
            hint=f"write it by hand: {', '.join(f'also = [{p!r}]' for p in paths.values())}",
        )
    return after.encode()
