"""What a rendered series has to show, step by step: the kinds' proofs, seen as a whole.

A kind knows one edit only. Whether a function it calls is the series' own, and from which step on
a Kconfig symbol exists, shows in all of them together. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kpatch_rs.kinds import kind_of
from kpatch_rs.model.outcome import Status, Step
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import Linked, ObjectBuilds, Proof, Reachable


def proofs_of(steps: Sequence[Step]) -> tuple[tuple[Proof, ...], ...]:
    """The proofs of each step; none for one that did not fit or was skipped.

    Of the functions an object uses, those stay that the series' Rust objects define: any other is
    the kernel's, and is there with the series' symbols off as well. Each of them must be in the
    caller's link, too. Proofs about the same object become one.
    """
    stated = [tuple(_stated(step)) for step in steps]
    objects = [proof for proofs in stated for proof in proofs if isinstance(proof, ObjectBuilds)]
    definers = {name: proof.target for proof in objects for name in proof.defines}
    changed: dict[RepoPath, None] = {}
    found = []
    for proofs in stated:
        changed |= {p.target: None for p in proofs if isinstance(p, ObjectBuilds)}
        merged = _merged(_own(proof, definers) for proof in proofs)
        found.append((*merged, *_links(merged, definers, tuple(changed))))
    return tuple(found)


def symbols_of(proofs: Sequence[Sequence[Proof]]) -> tuple[tuple[str, ...], ...]:
    """For each step the symbols the series lets one set, up to and including it, in order.

    `proofs` are what :func:`proofs_of` gave.
    """
    there: dict[str, None] = {}
    found = []
    for stated in proofs:
        there |= dict.fromkeys(p.symbol for p in stated if isinstance(p, Reachable))
        found.append(tuple(there))
    return tuple(found)


def _stated(step: Step) -> Iterable[Proof]:
    for report in step.edits:
        if report.outcome.status not in (Status.CONFLICT, Status.SKIPPED):
            yield from kind_of(report.edit).proofs(report.edit, report.outcome)


def _own(proof: Proof, definers: Mapping[str, RepoPath]) -> Proof:
    if not isinstance(proof, ObjectBuilds):
        return proof
    return replace(proof, uses=tuple(name for name in proof.uses if name in definers))


def _links(
    proofs: Iterable[Proof], definers: Mapping[str, RepoPath], changed: tuple[RepoPath, ...]
) -> Iterable[Linked]:
    """That each object of one step meets what it calls of another object, when it is linked."""
    for user in (proof for proof in proofs if isinstance(proof, ObjectBuilds)):
        for name in user.uses:
            if definers[name] != user.target:
                yield Linked(user.target, name, definers[name], changed)


def _merged(proofs: Iterable[Proof]) -> tuple[Proof, ...]:
    """Each once, in the order first stated."""
    objects: dict[bytes, ObjectBuilds] = {}
    order: dict[Proof | bytes, None] = {}
    for proof in proofs:
        if isinstance(proof, ObjectBuilds):
            first = objects.get(proof.target)
            objects[proof.target] = _both(first, proof) if first else proof
            order[bytes(proof.target)] = None
        else:
            order[proof] = None
    return tuple(objects[p] if isinstance(p, bytes) else p for p in order)


def _both(first: ObjectBuilds, second: ObjectBuilds) -> ObjectBuilds:
    return ObjectBuilds(
        first.target,
        defines=tuple(dict.fromkeys(first.defines + second.defines)),
        uses=tuple(dict.fromkeys(first.uses + second.uses)),
        off_too=first.off_too or second.off_too,
    )
