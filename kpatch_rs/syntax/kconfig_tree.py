"""Which Kconfig file of a tree defines a symbol.

Walks `source` lines as Kconfig does, so that it costs a thousand small files at worst, never a
search of the whole tree. A `$(…)` in a sourced path stands for any name there: $(SRCARCH) is one
of arch/, unless the file asked about lies in one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kpatch_rs.model.path import PathRefused, RepoPath, repo_path
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.kconfig import Entry, KconfigFile, read_kconfig
from kpatch_rs.syntax.line_ends import with_lf

TOP = RepoPath(b"Kconfig")
"""Where Kconfig starts (scripts/kconfig/Makefile)."""

_FIRST = (RepoPath(b"init/Kconfig"), RepoPath(b"arch/Kconfig"))
"""Files that define what half of the others depend on."""


def definitions(tree: TreeOverlay, symbol: str, near: RepoPath) -> list[tuple[RepoPath, Entry]]:
    """The entries for `symbol` in `near`, the Kconfig files beside it and those it sources."""
    return [
        (path, entry)
        for path in _near(tree, near)
        if (file := tree.read(path)) and symbol.encode() in file.data
        for entry in read_kconfig(with_lf(file.data)).entries
        if entry.symbol == symbol
    ]


def beside(tree: TreeOverlay, near: RepoPath) -> Iterator[Entry]:
    """All entries of `near`, of the Kconfig files beside it and of those it sources."""
    for path in _near(tree, near):
        if file := tree.read(path):
            yield from read_kconfig(with_lf(file.data)).entries


def undefined(tree: TreeOverlay, symbols: frozenset[str], near: RepoPath) -> frozenset[str]:
    """Those of `symbols` that no Kconfig file of the tree defines.

    None of them where the tree has no top-level Kconfig: then it is not a whole kernel's.
    """
    if tree.entry_type(TOP) != "file":
        return frozenset()
    missing = set(symbols)
    for _, file in _walk(tree, near):
        if not missing:
            break
        missing -= {entry.symbol for entry in file.entries}
    return frozenset(missing)


def anywhere(tree: TreeOverlay, symbol: str, near: RepoPath) -> list[tuple[RepoPath, Entry]]:
    """The entries for `symbol` in all the kernel's Kconfig files."""
    return [(p, e) for p, file in _walk(tree, near) for e in file.entries if e.symbol == symbol]


def _near(tree: TreeOverlay, near: RepoPath) -> list[RepoPath]:
    folder = near.rpartition(b"/")[0]
    prefix = folder + b"/" if folder else b""
    beside = [
        n for n in tree.names(RepoPath(folder) if folder else None) if is_kconfig(RepoPath(n))
    ]
    file = tree.read(near)
    sources = read_kconfig(with_lf(file.data)).sources if file else ()
    sourced = [p for s in sources for p in _expanded(tree, s, near)]
    return list(dict.fromkeys([near, *(RepoPath(prefix + n) for n in beside), *sourced]))


def _walk(tree: TreeOverlay, near: RepoPath) -> Iterator[tuple[RepoPath, KconfigFile]]:
    """Every Kconfig file, nearest first, each once."""
    parts = near.split(b"/")
    above = [RepoPath(b"/".join([*parts[:n], b"Kconfig"])) for n in range(len(parts) - 1, -1, -1)]
    waiting = list(dict.fromkeys([*_near(tree, near), *above, *_FIRST]))
    seen = set(waiting)
    for path in waiting:
        if tree.entry_type(path) != "file" or (file := tree.read(path)) is None:
            continue
        kconfig = read_kconfig(with_lf(file.data))
        yield path, kconfig
        sourced = [p for s in kconfig.sources for p in _expanded(tree, s, near)]
        waiting += [p for p in dict.fromkeys(sourced) if p not in seen]
        seen.update(sourced)


def _expanded(tree: TreeOverlay, source: str, near: RepoPath) -> list[RepoPath]:
    """The paths a `source` line may mean."""
    first, _, rest = re.sub(r"^\$\(srctree\)/", "", source).partition("$(")
    if not rest:
        return _paths([first.encode()])
    tail = rest.partition(")")[2].encode()
    folder = first.encode().rstrip(b"/")
    if near.startswith(folder + b"/"):
        return _paths([folder + b"/" + near[len(folder) + 1 :].split(b"/")[0] + tail])
    return _paths([folder + b"/" + n + tail for n in tree.names(RepoPath(folder))])


def _paths(raw: list[bytes]) -> list[RepoPath]:
    """Those of `raw` that can be paths in a tree."""
    found = []
    for path in raw:
        try:
            found.append(repo_path(path))
        except PathRefused:
            continue
    return found


def is_kconfig(path: RepoPath) -> bool:
    """Whether a file is one by its name."""
    return path.rpartition(b"/")[2].startswith(b"Kconfig")
