"""An object builds, and its symbol table has what it should."""

from __future__ import annotations

from kpatch_rs.build.artifacts import SymbolTable, read_symbols
from kpatch_rs.build.failure import Failure
from kpatch_rs.build.make import target
from kpatch_rs.build.sight import Sight
from kpatch_rs.build.workspace import Workspace, source_of
from kpatch_rs.model.proof import ObjectBuilds

_NOT_DEFINED = (
    "defines no global function {}",
    'make it `pub extern "C" fn` with #[no_mangle]',
)


_NOT_CALLED = (
    "does not call {} although the symbol is on",
    "see that the call is compiled: the CONFIG around it, the stub in the header",
)


_STILL_CALLED = (
    "still calls {} with the symbol off",
    "give the header an empty stub for that case",
)


def is_rust(name: str, workspace: Workspace) -> bool:
    """Whether the object is compiled from Rust."""
    source = source_of(name, workspace.tree)
    return source is not None and source.name.endswith((".rs", ".rs.S"))


def object_on(sight: Sight, proof: ObjectBuilds, failures: dict[str, Failure]) -> None:
    """With the symbols on: it builds, defines and calls what it should."""
    name, case = target(proof.target), sight.case
    if is_rust(name, sight.workspace) and sight.kept.get("RUST") != "y":
        if sight.no_rust:
            return case.gap(sight.no_rust)
        hint = "put CONFIG_RUST=y and what it depends on into it"
        reason = "CONFIG_RUST is off in the series' configuration"
        return case.fail(Failure(target=name, reason=reason, hint=hint))
    if name in failures:
        return case.fail(failures[name])
    symbols = _symbols(sight, name)
    if symbols is None:
        return None
    _needs(sight, name, [s for s in proof.defines if s not in symbols.defined], _NOT_DEFINED)
    if proof.uses and sight.blocked:
        sight.hindered()
    elif proof.uses:
        _needs(sight, name, [s for s in proof.uses if s not in symbols.undefined], _NOT_CALLED)
    said = [f"defines {s}" for s in proof.defines if s in symbols.defined]
    said += [f"calls {s}" for s in proof.uses if s in symbols.undefined]
    return case.show(", ".join([f"{name} builds", *said]))


def object_off(sight: Sight, proof: ObjectBuilds, failures: dict[str, Failure]) -> None:
    """With the symbols off: it builds all the same, and calls none of it."""
    name = target(proof.target)
    if name in failures:
        return sight.case.fail(failures[name])
    symbols = _symbols(sight, name)
    if symbols is None:
        return None
    _needs(sight, name, [s for s in proof.uses if s in symbols.undefined], _STILL_CALLED)
    off = " ".join(sight.case.subject.symbols)
    return sight.case.show(f"{name} builds with {off} off")


def _needs(sight: Sight, name: str, absent: list[str], words: tuple[str, str]) -> None:
    if absent:
        reason = f"{name} {words[0].format(', '.join(absent))}"
        sight.case.fail(Failure(target=name, reason=reason, hint=words[1]))


def _symbols(sight: Sight, name: str) -> SymbolTable | None:
    make = sight.workspace.make
    table = read_symbols(sight.workspace.out / name, make.toolchain, make.environment)
    if table is None:
        sight.case.gap(f"no nm that can read {name}")
    return table
