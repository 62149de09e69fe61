"""Whether a caller and what it calls meet where the kernel is linked.

An object builds, whatever it calls: a function of another module is missing only when modpost or
the link looks for it, and both need the whole kernel. What an object is linked into, its saved
command says (`.x.o.cmd`, written by scripts/Kbuild.include's if_changed, 5.10 to 7.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kpatch_rs.build.artifacts import read_symbols
from kpatch_rs.build.failure import Failure
from kpatch_rs.build.make import target
from kpatch_rs.build.sight import Sight
from kpatch_rs.model.proof import Linked

_IN_MODULE = re.compile(r"(?:-DMODULE|--cfg[ =]MODULE)(?=\s)")
"""What scripts/Makefile.lib adds to the flags of an object of a module (KBUILD_CFLAGS_MODULE,
KBUILD_RUSTFLAGS_MODULE)."""

_NAMES = re.compile(r"-DKBUILD_MODNAME=\W*([\w:]+)|\bRUST_MODFILE=(\S+)")
"""The modules' names: of C with `_` for `-`, several with a colon between; of Rust as a path."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What an object is linked into."""

    modules: frozenset[str] = frozenset()
    """By name; none: the kernel's own image."""

    def __str__(self) -> str:
        return " and ".join(f"{name}.ko" for name in sorted(self.modules)) or "vmlinux"


def unit_of(out: Path, name: str) -> Unit | None:
    """What the object `name` is linked into; None where its saved command does not say."""
    folder, _, file = name.rpartition("/")
    saved = out / folder / f".{file}.cmd"
    command = saved.read_text(errors="replace").partition("\n")[0] if saved.is_file() else ""
    found = _NAMES.search(command)
    if found is None:
        return None
    if not _IN_MODULE.search(command):
        return Unit()
    names = found[1].split(":") if found[1] else [found[2].rpartition("/")[2]]
    return Unit(frozenset(name.replace("-", "_") for name in names))


def linked(sight: Sight, proof: Linked, failures: dict[str, Failure]) -> None:
    """With the symbols on: the caller's link finds the function."""
    user, definer, case = target(proof.user), target(proof.definer), sight.case
    if sight.no_rust or sight.blocked:
        return sight.hindered()
    if broken := [failures[name] for name in (user, definer) if name in failures]:
        return case.fail(broken[0])  # said once, however many proofs meet it
    if sight.kept.get("MODULES", "n") == "n":
        return case.show(f"{user} and {definer} are both in vmlinux")
    here, there = (unit_of(sight.workspace.out, name) for name in (user, definer))
    if here is None or there is None:
        silent = user if here is None else definer
        return case.gap(f"make does not say what {silent} is linked into")
    if here == there:
        return case.show(f"{user} and {definer} are both in {here}")
    if (here.modules or not there.modules) and _exported(sight, proof):
        return case.show(f"{proof.symbol} is exported from {there} to {here}")
    return case.fail(_apart(proof, user, here, there))


def _exported(sight: Sight, proof: Linked) -> bool:
    """Whether an object that the series changes exports the function."""
    make = sight.workspace.make
    paths = [sight.workspace.out / target(name) for name in proof.exporters]
    tables = [
        read_symbols(path, make.toolchain, make.environment) for path in paths if path.is_file()
    ]
    return any(table and proof.symbol in table.exported for table in tables)


def _apart(proof: Linked, user: str, here: Unit, there: Unit) -> Failure:
    if there.modules and not here.modules:
        reason = f"{user} is built in, and calls {proof.symbol}(), which is in {there}"
        hint = "make the caller a part of the module, or the callee built in: see both CONFIG_s"
    else:
        reason = f"{user} is in {here}, and calls {proof.symbol}() of {there}: nothing exports it"
        hint = f"call it from an object of {there}, or add EXPORT_SYMBOL_GPL({proof.symbol}) there"
    return Failure(target=user, reason=reason, hint=hint)
