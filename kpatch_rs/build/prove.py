"""The proofs of one step, carried out in its configured folder.

With the symbols on: objects build, define and call what they should; the Kbuild hookup lists them;
the crates and the maintainers are found. With the symbols off: stubs build, nothing is called or
listed any more, and the symbol can be unset at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from kpatch_rs.build.artifacts import (
    SymbolTable,
    crate_roots,
    listed_objects,
    module_members,
    read_symbols,
)
from kpatch_rs.build.case import Case, Subject
from kpatch_rs.build.config import Settings
from kpatch_rs.build.make import child_environment, target
from kpatch_rs.build.process import LOG_CAP, run
from kpatch_rs.build.workspace import Failure, Workspace, failure, source_of
from kpatch_rs.model.path import show
from kpatch_rs.model.proof import (
    AnalyzerLists,
    Maintained,
    Member,
    ObjectBuilds,
    Proof,
    Reachable,
    Unprovable,
)

_SCRIPT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Sight:
    """One step in its configured folder."""

    case: Case
    workspace: Workspace
    kept: Settings
    """What the final .config says."""
    blocked: Failure | None
    """Why a symbol of the series is not as it was wanted."""
    no_rust: str

    def hindered(self) -> None:
        """Record that the series' symbols are not as a proof needs them."""
        if self.no_rust:
            self.case.gap(self.no_rust)
        elif self.blocked:
            self.case.fail(self.blocked)


def refuse_odd_names(subject: Subject) -> None:
    """Raises Refused for a path that make, or a shell below it, could take for something else."""
    for proof in subject.proofs:
        match proof:
            case ObjectBuilds():
                target(proof.target)
            case Member(object=name, module=module):
                target(name)
                target(module or name)
            case Maintained():
                target(proof.path)


def says_something_off(subject: Subject) -> bool:
    """Whether the step has a proof about the kernel without the series' symbols."""
    return bool(subject.symbols) and any(
        _off_targets(p, subject) is not None for p in subject.proofs
    )


def prove_on(sight: Sight) -> None:
    """Everything that shows with the series' symbols on, or does not depend on them."""
    proofs = sight.case.subject.proofs
    wanted = [t for p in proofs if (t := _on_target(p, sight))]
    failures = sight.workspace.build(*dict.fromkeys(wanted))
    for proof in proofs:
        _prove_on(sight, proof, failures)


def _prove_on(sight: Sight, proof: Proof, failures: dict[str, Failure]) -> None:
    match proof:
        case ObjectBuilds():
            _object_on(sight, proof, failures)
        case Member():
            _member_on(sight, proof, failures)
        case Reachable():
            _reachable_on(sight, proof)
        case AnalyzerLists():
            _analyzer(sight, proof)
        case Maintained():
            _maintained(sight, proof)
        case Unprovable():
            sight.case.gap(proof.why)


def prove_off(sight: Sight) -> None:
    """Everything that shows with the series' symbols off."""
    subject = sight.case.subject
    pairs = [(p, t) for p in subject.proofs if (t := _off_targets(p, subject)) is not None]
    if sight.blocked and not sight.no_rust:
        sight.case.fail(sight.blocked)
        return
    failures = sight.workspace.build(*dict.fromkeys(t for _, targets in pairs for t in targets))
    for proof, _ in pairs:
        match proof:
            case ObjectBuilds():
                _object_off(sight, proof, failures)
            case Member():
                _member_off(sight, proof, failures)
            case Reachable():
                sight.case.show(f"CONFIG_{proof.symbol} can be unset")


def _on_target(proof: Proof, sight: Sight) -> str | None:
    """What `proof` needs built; None where it needs nothing, or cannot be carried out."""
    if isinstance(proof, ObjectBuilds):
        rust = _is_rust(proof, sight.workspace)
        return None if rust and sight.kept.get("RUST") != "y" else target(proof.target)
    if isinstance(proof, Member) and proof.module and _config_on(proof, sight):
        return target(proof.module)
    return None


def _off_targets(proof: Proof, subject: Subject) -> tuple[str, ...] | None:
    """What `proof` needs built with the symbols off; None where it says nothing about that."""
    if isinstance(proof, ObjectBuilds):
        return (target(proof.target),) if proof.off_too or proof.uses else None
    if isinstance(proof, Member) and proof.config in subject.symbols:
        return (target(proof.module),) if proof.module else ()
    return () if isinstance(proof, Reachable) and proof.symbol in subject.symbols else None


def _is_rust(proof: ObjectBuilds, workspace: Workspace) -> bool:
    source = source_of(target(proof.target), workspace.tree)
    return source is not None and source.name.endswith((".rs", ".rs.S"))


def _config_on(proof: Member, sight: Sight) -> bool:
    return proof.config is None or sight.kept.get(proof.config, "n") != "n"


def _object_on(sight: Sight, proof: ObjectBuilds, failures: dict[str, Failure]) -> None:
    name, case = target(proof.target), sight.case
    if _is_rust(proof, sight.workspace) and sight.kept.get("RUST") != "y":
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


def _object_off(sight: Sight, proof: ObjectBuilds, failures: dict[str, Failure]) -> None:
    name = target(proof.target)
    if name in failures:
        return sight.case.fail(failures[name])
    symbols = _symbols(sight, name)
    if symbols is None:
        return None
    _needs(sight, name, [s for s in proof.uses if s in symbols.undefined], _STILL_CALLED)
    off = " ".join(sight.case.subject.symbols)
    return sight.case.show(f"{name} builds with {off} off")


def _member_on(sight: Sight, proof: Member, failures: dict[str, Failure]) -> None:
    name, case = target(proof.object), sight.case
    if not _config_on(proof, sight):
        if sight.blocked:
            return sight.hindered()
        reason = f"CONFIG_{proof.config} is off in the series' configuration"
        return case.fail(Failure(target=name, reason=reason, hint="turn it on in the fragment"))
    listed = _listed(sight, proof, failures)
    where = f"{show(proof.module)}" if proof.module else "its folder's object lists"
    if listed is not None and name in listed:
        case.show(f"{name} is listed in {where}")
    elif listed is not None:
        hint = "see under which condition the Makefile adds it"
        case.fail(Failure(target=name, reason=f"{name} is not listed in {where}", hint=hint))
    return None


def _member_off(sight: Sight, proof: Member, failures: dict[str, Failure]) -> None:
    name = target(proof.object)
    listed = _listed(sight, proof, failures)
    if listed is not None and name in listed:
        reason = f"{name} is listed although CONFIG_{proof.config} is off"
        hint = f"hang its Kbuild line on $(CONFIG_{proof.config})"
        sight.case.fail(Failure(target=name, reason=reason, hint=hint))
    elif listed is not None:
        sight.case.show(f"{name} is not listed with {proof.config} off")


def _listed(sight: Sight, proof: Member, failures: dict[str, Failure]) -> frozenset[str] | None:
    """The objects Kbuild lists where `proof` looks; None after saying why it cannot be told."""
    if proof.module is None:
        return _listed_in_folder(sight, target(proof.object))
    module = target(proof.module)
    if module in failures:
        sight.case.fail(failures[module])
        return None
    return module_members(sight.workspace.out / module)


def _listed_in_folder(sight: Sight, name: str) -> frozenset[str] | None:
    """Of an object that is its own: make reads its folder for the .mod, which compiles nothing."""
    ran = sight.workspace.ask(f"{name.removesuffix('.o')}.mod", database=True)
    listed = listed_objects(ran.text)
    if listed is None or len(ran.output) >= LOG_CAP:
        sight.case.gap(f"make does not say whether it lists {name}")
        return None
    return listed


def _reachable_on(sight: Sight, proof: Reachable) -> None:
    if proof.symbol in sight.kept and sight.kept[proof.symbol] != "n":
        sight.case.show(f"CONFIG_{proof.symbol}={sight.kept[proof.symbol]} is kept")
    elif sight.blocked:
        sight.hindered()
    else:
        reason = f"CONFIG_{proof.symbol} is not in the final configuration"
        sight.case.fail(Failure(target="olddefconfig", reason=reason))


def _analyzer(sight: Sight, proof: AnalyzerLists) -> None:
    workspace, case = sight.workspace, sight.case
    project = workspace.out / "rust-project.json"
    project.unlink(missing_ok=True)
    ran = workspace.ask("rust-analyzer")
    if not ran.ok:
        failed = failure("rust-analyzer", ran, workspace)
        return case.gap(sight.no_rust) if sight.no_rust else case.fail(failed)
    try:
        roots = crate_roots(project, workspace.tree)
    except (OSError, ValueError) as error:
        reason = f"rust-project.json cannot be read: {error}"
        return case.fail(Failure(target="rust-analyzer", reason=reason))
    if absent := [show(r) for r in proof.roots if show(r) not in roots]:
        reason = f"rust-project.json lacks {', '.join(absent)}"
        hint = (
            "see that scripts/generate_rust_analyzer.py covers the folder and a Makefile lists it"
        )
        return case.fail(Failure(target="rust-analyzer", reason=reason, hint=hint))
    named = ", ".join(show(r) for r in proof.roots) or "it runs; no crate stands there yet"
    return case.show(f"rust-project.json: {named}")


def _maintained(sight: Sight, proof: Maintained) -> None:
    """The answer must not depend on the user's ~/.get_maintainer.conf nor on git history."""
    workspace, path = sight.workspace, target(proof.path)
    script = "scripts/get_maintainer.pl"
    try:
        ran = run(
            ["perl", script, "--no-git", "--no-git-fallback", "--sections", "-f", path],
            cwd=workspace.tree,
            environment=child_environment(workspace.make.environment)
            | {"HOME": str(workspace.out)},
            timeout=_SCRIPT_SECONDS,
        )
    except FileNotFoundError:
        return sight.case.gap("no perl")
    if ran.ok and proof.section in (line.strip() for line in ran.text.splitlines()):
        return sight.case.show(f"get_maintainer.pl names '{proof.section}' for {path}")
    failed = failure(script, ran, workspace)
    reason = f"get_maintainer.pl does not name '{proof.section}' for {path}"
    return sight.case.fail(
        Failure(target=script, reason=reason, errors=failed.errors, passing=failed.passing)
    )
