"""Which object shows that a C file or a header still compiles."""

from __future__ import annotations

import re

from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.proof import Unprovable
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.c_text import c_text


def object_for(tree: TreeOverlay, path: RepoPath) -> RepoPath | Unprovable:
    """The .o of a .c; for a header that of a .c in its folder that includes it.

    The .c of the header's own name comes first, then the others in order.
    """
    if path.endswith(b".c"):
        return RepoPath(path[:-2] + b".o")
    folder, _, name = path.rpartition(b"/")
    prefix = folder + b"/" if folder else b""
    own = name.rpartition(b".")[0] + b".c"
    sources = [n for n in tree.names(RepoPath(folder) if folder else None) if n.endswith(b".c")]
    for source in sorted(sources, key=lambda n: (n != own, n)):
        file = tree.read(RepoPath(prefix + source))
        if file and _includes(file.data, name):
            return RepoPath(prefix + source[:-2] + b".o")
    return Unprovable(f"no .c file beside {show(path)} includes it")


def _includes(data: bytes, name: bytes) -> bool:
    """Whether `#include "name"` stands in `data`, below whatever folder is named with it."""
    wanted = re.compile(rb'["<](?:[^">]*/)?%s[">]' % re.escape(name))
    if name not in data:
        return False
    return any(d.name == b"include" and wanted.match(d.rest) for d in c_text(data).directives)
