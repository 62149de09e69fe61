"""The proofs of a series, seen as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from kpatch_rs.engine import proofs as engine
from kpatch_rs.engine.proofs import proofs_of, symbols_of
from kpatch_rs.model.outcome import EditReport, Outcome, Status, Step
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import Linked, Member, ObjectBuilds, Proof, Reachable
from kpatch_rs.model.series import Edit, Recipe, Where
from kpatch_rs.model.tree import TreeOverlay
from tests.trees import DictTree

TREE = TreeOverlay(DictTree({}))
WHERE = Where("0001.toml")
CALLER, HOOK = RepoPath(b"kvm/x86.o"), RepoPath(b"kvm/hello.o")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated(Edit):
    """An edit that says its proofs itself."""

    proofs: tuple[Proof, ...]


class Kind:
    def proofs(self, edit: Stated, outcome: Outcome) -> Sequence[Proof]:
        return edit.proofs


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "kind_of", lambda _: Kind())


def step(*proofs: Proof, status: Status = Status.EXACT) -> Step:
    """One edit for each proof."""
    reports = tuple(
        EditReport(Stated(where=WHERE, proofs=(p,)), Outcome(status=status, tree=TREE))
        for p in proofs
    )
    recipe = Recipe(where=WHERE, id="x", subject="x")
    return Step(recipe=recipe, status=status, reason="", edits=reports, before=TREE, after=TREE)


def test_only_the_series_own_functions_count_as_used() -> None:
    """printk is there with the symbols off as well: demanding its absence would be wrong."""
    call = step(ObjectBuilds(CALLER, uses=("hello", "printk"), off_too=True))
    rust = step(ObjectBuilds(HOOK, defines=("hello",)))
    assert proofs_of((call, rust))[0] == (
        ObjectBuilds(CALLER, uses=("hello",), off_too=True),
        Linked(CALLER, "hello", HOOK, (CALLER,)),
    )


def test_what_is_called_of_another_object_must_be_in_the_same_link() -> None:
    rust = step(ObjectBuilds(HOOK, defines=("a", "b")), ObjectBuilds(HOOK, uses=("a",)))
    call = step(ObjectBuilds(CALLER, uses=("b",)))
    alone, both = proofs_of((rust, call))
    assert alone == (ObjectBuilds(HOOK, defines=("a", "b"), uses=("a",)),), "one object, one link"
    assert both[1:] == (Linked(CALLER, "b", HOOK, (HOOK, CALLER)),)


def test_proofs_about_one_object_become_one() -> None:
    rust = step(ObjectBuilds(HOOK, defines=("a", "b")))
    both = step(
        ObjectBuilds(CALLER, uses=("a",)),
        Reachable("X"),
        ObjectBuilds(CALLER, uses=("b", "a"), off_too=True),
        Reachable("X"),
    )
    assert proofs_of((rust, both))[1] == (
        ObjectBuilds(CALLER, uses=("a", "b"), off_too=True),
        Reachable("X"),
        Linked(CALLER, "a", HOOK, (HOOK, CALLER)),
        Linked(CALLER, "b", HOOK, (HOOK, CALLER)),
    )


@pytest.mark.parametrize("status", [Status.SKIPPED, Status.CONFLICT])
def test_what_is_not_in_the_tree_is_not_proven(status: Status) -> None:
    assert proofs_of((step(Member(HOOK), status=status),)) == ((),)


def test_symbols_add_up() -> None:
    steps = (step(), step(Reachable("A")), step(Member(HOOK)), step(Reachable("B"), Reachable("A")))
    assert symbols_of(proofs_of(steps)) == ((), ("A",), ("A",), ("A", "B"))
