"""The proofs of one step, carried out in its configured folder.

With the symbols on: objects build, define and call what they should; the Kbuild hookup lists them;
the crates and the maintainers are found. With the symbols off: stubs build, nothing is called or
listed any more, and the symbol can be unset at all.
"""

from __future__ import annotations

from kpatch_rs.build.case import Subject
from kpatch_rs.build.failure import Failure
from kpatch_rs.build.linkage import linked
from kpatch_rs.build.make import target
from kpatch_rs.build.membership import config_on, member_off, member_on
from kpatch_rs.build.objects import is_rust, object_off, object_on
from kpatch_rs.build.scripts import analyzer_lists, maintained
from kpatch_rs.build.sight import Sight
from kpatch_rs.model.proof import (
    AnalyzerLists,
    Linked,
    Maintained,
    Member,
    ObjectBuilds,
    Proof,
    Reachable,
    Unprovable,
)


def refuse_odd_names(subject: Subject) -> None:
    """Raises Refused for a path that make, or a shell below it, could take for something else."""
    for proof in subject.proofs:
        match proof:
            case ObjectBuilds():
                target(proof.target)
            case Linked():
                for name in (proof.user, proof.definer, *proof.exporters):
                    target(name)
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
            object_on(sight, proof, failures)
        case Linked():
            linked(sight, proof, failures)
        case Member():
            member_on(sight, proof, failures)
        case Reachable():
            _reachable_on(sight, proof)
        case AnalyzerLists():
            analyzer_lists(sight, proof)
        case Maintained():
            maintained(sight, proof)
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
                object_off(sight, proof, failures)
            case Member():
                member_off(sight, proof, failures)
            case Reachable():
                sight.case.show(f"CONFIG_{proof.symbol} can be unset")


def _on_target(proof: Proof, sight: Sight) -> str | None:
    """What `proof` needs built; None where it needs nothing, or cannot be carried out."""
    if isinstance(proof, ObjectBuilds | Linked):
        name = target(proof.target if isinstance(proof, ObjectBuilds) else proof.definer)
        rust = is_rust(name, sight.workspace)
        return None if rust and sight.kept.get("RUST") != "y" else name
    if isinstance(proof, Member) and proof.module and config_on(proof, sight):
        return target(proof.module)
    return None


def _off_targets(proof: Proof, subject: Subject) -> tuple[str, ...] | None:
    """What `proof` needs built with the symbols off; None where it says nothing about that."""
    if isinstance(proof, ObjectBuilds):
        return (target(proof.target),) if proof.off_too or proof.uses else None
    if isinstance(proof, Member) and proof.config in subject.symbols:
        return (target(proof.module),) if proof.module else ()
    return () if isinstance(proof, Reachable) and proof.symbol in subject.symbols else None


def _reachable_on(sight: Sight, proof: Reachable) -> None:
    if proof.symbol in sight.kept and sight.kept[proof.symbol] != "n":
        sight.case.show(f"CONFIG_{proof.symbol}={sight.kept[proof.symbol]} is kept")
    elif sight.blocked:
        sight.hindered()
    else:
        reason = f"CONFIG_{proof.symbol} is not in the final configuration"
        sight.case.fail(Failure(target="olddefconfig", reason=reason))
