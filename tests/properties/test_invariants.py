"""What holds for every series on every kernel: the design's invariants on trees made of a dict."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.engine.lift import Patch, lift
from kpatch_rs.engine.render import render
from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds import kind_of
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.c_call import CCallEdit
from kpatch_rs.model.outcome import Outcome, Status, Step
from kpatch_rs.model.series import Edit, Series, Where
from kpatch_rs.model.tree import TreeOverlay
from tests.properties.drift import drifted
from tests.properties.held import examples
from tests.properties.kernels import Kernel, kernels
from tests.properties.recipes import edits, series_of
from tests.trees import DictTree, NoHistory


def rendered(series: Series, base: TreeOverlay) -> tuple[Step, ...]:
    return render(series, base.base, NoHistory())


def planned(edit: Edit, tree: TreeOverlay) -> Outcome | None:
    """How it ends; None for a recipe that no tree makes right."""
    try:
        return kind_of(edit).plan(edit, Ground(tree, NoHistory()))
    except KpatchError as error:
        assert error.message
        return None


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Kernel, list[Edit]]:
    """A kernel, and edits that were written for one like it."""
    kernel = draw(kernels())
    made = draw(edits(kernel))
    return (draw(drifted(kernel)) if draw(st.booleans()) else kernel), made


def possible(made: list[Edit], tree: TreeOverlay) -> list[Edit]:
    return [edit for edit in made if planned(edit, tree)]


def fitting(made: list[Edit], tree: TreeOverlay) -> list[Edit]:
    """Those that fit one after the other: what a rendering that is published has."""
    kept = list[Edit]()
    for edit in made:
        outcome = planned(edit, tree)
        if outcome and outcome.status is not Status.CONFLICT:
            kept.append(edit)
            tree = outcome.tree
    return kept


def flat(tree: TreeOverlay) -> TreeOverlay:
    """The same tree, as a base."""
    base = tree.base
    assert isinstance(base, DictTree)
    files = {**base.files, **tree.changes}
    return TreeOverlay(DictTree({p.decode(): f for p, f in files.items() if f}))


@examples(15)
@given(worlds())
def test_rendering_is_a_function_of_base_and_series(world: tuple[Kernel, list[Edit]]) -> None:
    """Neither the order in which a tree lists its files nor an earlier run tells."""
    kernel, made = world
    tree = kernel.tree()
    series = series_of(*possible(made, tree))
    assert isinstance(tree.base, DictTree)
    backwards = DictTree({p.decode(): f for p, f in reversed(tree.base.files.items())})
    there, again = rendered(series, tree), rendered(series, TreeOverlay(backwards))
    assert [(s.status, s.reason, s.edits) for s in there] == [
        (s.status, s.reason, tuple(again_edits(s, tree))) for s in again
    ]


def again_edits(step: Step, tree: TreeOverlay) -> list[object]:
    """The reports of `step` with their overlays on `tree`: only what they changed counts."""
    return [
        replace(r, outcome=replace(r.outcome, tree=TreeOverlay(tree.base, r.outcome.tree.changes)))
        for r in step.edits
    ]


@examples(25)
@given(worlds())
def test_rendering_on_its_own_result_changes_nothing(world: tuple[Kernel, list[Edit]]) -> None:
    kernel, made = world
    tree = kernel.tree()
    series = series_of(*fitting(made, tree))
    first = rendered(series, tree)
    if not first:
        return
    result = flat(first[-1].after)
    for step in rendered(series, result):
        assert not step.after.changed_since(TreeOverlay(result.base)), step.reason
        assert step.status is Status.PRESENT, step.reason


@examples(40)
@given(worlds())
def test_bytes_outside_the_edit_are_untouched(world: tuple[Kernel, list[Edit]]) -> None:
    kernel, made = world
    tree = kernel.tree()
    for edit in made:
        if (outcome := planned(edit, tree)) is None:
            continue
        changed = outcome.tree.changed_since(tree)
        assert bool(changed) == (outcome.status in (Status.EXACT, Status.MOVED))
        if outcome.status is Status.CONFLICT:
            assert outcome.hint
            continue
        assert outcome.place
        assert len(changed) <= 1
        for path, now in changed.items():
            was = tree.read(path)
            assert now
            assert path == outcome.place.path
            assert now.mode == (was.mode if was else "100644")
            keeps(edit, outcome, was.data if was else b"", now.data)
        tree = outcome.tree


_GLUE = re.compile(rb"[\s{},\\]+")
"""What may come with an edit's text: blanks, braces, a comma, the end of a last line."""


def keeps(edit: Edit, outcome: Outcome, was: bytes, now: bytes) -> None:
    """All of `was` is in `now`, and what else is there is the edit's text."""
    line = now.split(b"\n")[(outcome.place.line if outcome.place else 0) - 1]
    first = outcome.text.strip().split(b"\n")[0].strip()
    assert first in line, "the place is where the text begins"
    if isinstance(edit, CCallEdit):
        tokens = re.findall(rb"\w+|\S", edit.statement.encode())
        statement = re.compile(rb"\s*".join(map(re.escape, tokens)))
        assert not statement.search(was)
        now = statement.sub(b"", now)
        assert _GLUE.sub(b"", now) == _GLUE.sub(b"", was)
        assert now.count(b"{") - was.count(b"{") == now.count(b"}") - was.count(b"}")
        return
    old, new = was.split(b"\n"), now.split(b"\n")
    left = [line for line in new if line.strip()]
    for line in old:
        if line in left:
            left.remove(line)
        elif line.strip():
            grown = [n for n in left if n.startswith(line.rstrip(b")],:"))]
            assert grown, f"{line!r} is gone"
            left.remove(grown[0])
    text = _GLUE.sub(b"", outcome.text)
    assert all(_GLUE.sub(b"", line) in text for line in left), left


@examples(15, cost=4)
@given(worlds(), st.data())
def test_lift_is_lossless(world: tuple[Kernel, list[Edit]], data: st.DataObject) -> None:
    """What a series made, and what else somebody did at the same time."""
    kernel, made = world
    kernel_after = data.draw(drifted(kernel, 2) | st.just(kernel))
    before, after = kernel.tree(), kernel_after.tree()
    for edit in made:
        outcome = planned(edit, after)
        after = outcome.tree if outcome else after
    goal = flat(after).base
    assert isinstance(goal, DictTree)
    assert isinstance(before.base, DictTree)
    changes = {p: goal.read(p) for p in {*goal.files, *before.base.files}}
    target = TreeOverlay(before.base, changes)
    if not target.changed_since(before):
        return
    patch = Patch(before=before, after=target)
    tree = before
    for edit in lift(patch, NoHistory(), payload="files/x.diff", where=Where("x"), taken={}):
        outcome = planned(edit, tree)
        assert outcome
        assert outcome.status is not Status.CONFLICT, outcome.reason
        tree = outcome.tree
    assert not tree.changed_since(target)
