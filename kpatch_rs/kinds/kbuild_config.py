"""Whether anything defines the symbol that a line of a Makefile hangs on.

make takes a CONFIG_ that nothing defines for one that is off: the object is never built, and no
message says so. Guarantees: a symbol counts as unknown only where all of the kernel's Kconfig files
and all of the series' edits, those of later recipes too, are without it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from kpatch_rs.kinds.kconfig import KconfigEdit
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Edit, Payload
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.diff import read_diff
from kpatch_rs.syntax.kconfig import read_kconfig
from kpatch_rs.syntax.kconfig_tree import beside, is_kconfig, undefined
from kpatch_rs.syntax.line_ends import with_lf

_ENTRY = re.compile(rb"[ \t]*(?:menu)?config[ \t]+(\w+)\s*\Z")


def unknown(
    symbol: str, tree: TreeOverlay, near: RepoPath, edits: Sequence[Edit]
) -> tuple[str, ...] | None:
    """The nearest names that are known, where nothing defines `symbol`; None where something does.

    `edits` are all of the series; without any, nobody can say what it brings.
    """
    brought = frozenset(_brought(edits))
    if not edits or symbol in brought or not undefined(tree, frozenset({symbol}), near):
        return None
    known = brought | {entry.symbol for entry in beside(tree, near)}
    meant = symbol.upper()
    if (own := meant.removesuffix("_MODULE")) in known and own != symbol:
        return (own,)  # CONFIG_X_MODULE is what C sees where X is m (scripts/kconfig/confdata.c)
    return tuple(difflib.get_close_matches(meant, sorted(known), n=2))


def unread(symbol: str, tree: TreeOverlay) -> RepoPath | None:
    """A Kconfig file that defines `symbol`, though none that Kconfig reads has it sourced."""
    for path in tree.files_with(symbol.encode(), None, ["Kconfig*"]):
        file = tree.read(path)
        if file and any(e.symbol == symbol for e in read_kconfig(with_lf(file.data)).entries):
            return path
    return None


def _brought(edits: Sequence[Edit]) -> Iterator[str]:
    """The symbols that edits of the series define, as entries or in a diff."""
    for edit in edits:
        if isinstance(edit, KconfigEdit):
            yield edit.symbol
        if isinstance(diff := getattr(edit, "diff", None), Payload):
            files = [f for f in read_diff(diff.name, diff.data) if is_kconfig(f.path)]
            body = (line for file in files for hunk in file.hunks for line in hunk.body)
            lines = (text for change, text in body if change == "+")
            yield from (found[1].decode() for line in lines if (found := _ENTRY.match(line)))
