"""What a build left behind, read back: symbol tables, .mod lists, make's database, the crates.

Each answers one question of a proof from files that make wrote, in the form the kernel's own tools
read them.
"""

from __future__ import annotations

import json
import posixpath
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kpatch_rs.build.make import Toolchain, child_environment
from kpatch_rs.build.process import run
from kpatch_rs.build.toolchain import tool_names

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """What an object defines for others, wants of them, and exports to modules."""

    defined: frozenset[str]
    """Functions C can call: `T` in nm's words."""
    undefined: frozenset[str]
    """`U`: left to the link."""
    exported: frozenset[str]
    """By EXPORT_SYMBOL: a label __export_symbol_NAME from 6.4 on, before that __ksymtab_NAME
    (include/linux/export.h); a local one, so that `nm -g` does not show it."""


def read_symbols(
    path: Path, toolchain: Toolchain, environment: Mapping[str, str]
) -> SymbolTable | None:
    """The symbol table of the object at `path`; None where no nm of this machine can read it."""
    llvm = tool_names("llvm", environment)["llvm-nm"]
    for nm in (llvm, "nm") if toolchain == "llvm" else ("nm", llvm):
        program = shutil.which(nm, path=environment.get("PATH", ""))
        if program:
            ran = run(
                [program, path],
                cwd=path.parent,
                environment=child_environment(environment),
                timeout=_SECONDS,
                stderr=False,
            )
            if ran.ok:
                return _symbols(ran.text)
    return None


def _symbols(listing: str) -> SymbolTable:
    """`nm` prints [address] type name; a capital is global."""
    found = [line.split() for line in listing.splitlines()]
    pairs = [(words[-2], words[-1]) for words in found if len(words) >= 2]
    return SymbolTable(
        defined=frozenset(name for kind, name in pairs if kind == "T"),
        undefined=frozenset(name for kind, name in pairs if kind == "U"),
        exported=frozenset(mark[1] for _, name in pairs if (mark := _EXPORT.fullmatch(name))),
    )


_EXPORT = re.compile(r"__(?:export_symbol|ksymtab)_(.+)")


def module_members(path: Path) -> frozenset[str]:
    """The objects a .mod file lists, as paths from the top of the tree.

    One per line since 6.0, all on the first line before; objects from elsewhere with `..` in them.
    """
    words = path.read_text(errors="replace").split()
    return frozenset(posixpath.normpath(word) for word in words if word.endswith(".o"))


def listed_objects(database: str) -> frozenset[str] | None:
    """The objects that Makefiles list, out of what `make -p` printed; None where it does not say.

    scripts/Makefile.build gathers them, with their folders, in real-obj-y and real-obj-m (5.10 to
    7.2).
    """
    lists = re.findall(r"(?m)^real-obj-[ym] :=[ \t]*(.*)$", database)
    if not lists:
        return None
    return frozenset(posixpath.normpath(word) for words in lists for word in words.split())


def crate_roots(project: Path, tree: Path) -> frozenset[str]:
    """The crate roots in rust-project.json, as paths from the top of the tree.

    Raises ValueError where it is no such document.
    """
    document = json.loads(project.read_bytes())
    try:
        roots = [Path(crate["root_module"]) for crate in document["crates"]]
    except (KeyError, TypeError) as error:
        raise ValueError(f"no crates in it: {error}") from error
    return frozenset(str(r.relative_to(tree)) for r in roots if r.is_relative_to(tree))
