"""Kbuild lists an object with the symbols on, and no longer with them off.

`make path/x.o` builds what no Makefile lists, so that only the lists show it.
"""

from __future__ import annotations

from kpatch_rs.build.artifacts import listed_objects, module_members
from kpatch_rs.build.failure import Failure
from kpatch_rs.build.make import target
from kpatch_rs.build.process import LOG_CAP
from kpatch_rs.build.sight import Sight
from kpatch_rs.model.path import show
from kpatch_rs.model.proof import Member


def config_on(proof: Member, sight: Sight) -> bool:
    """Whether what the object hangs on is set in the final .config."""
    return proof.config is None or sight.kept.get(proof.config, "n") != "n"


def member_on(sight: Sight, proof: Member, failures: dict[str, Failure]) -> None:
    """With the symbols on: the object is listed."""
    name, case = target(proof.object), sight.case
    if not config_on(proof, sight):
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


def member_off(sight: Sight, proof: Member, failures: dict[str, Failure]) -> None:
    """With the symbols off: it is not."""
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
