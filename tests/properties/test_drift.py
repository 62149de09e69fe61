"""A series on a kernel that drifted: whatever is no conflict is in the right place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.commands import learning
from kpatch_rs.engine.render import render
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.c_call import C_CALL, CCallEdit
from kpatch_rs.kinds.patch import PATCH
from kpatch_rs.model.outcome import Outcome, Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import BaseTree, TreeOverlay
from kpatch_rs.syntax.c_body import parse_c
from kpatch_rs.syntax.diff import read_diff
from tests.properties.drift import drifted
from tests.properties.held import examples
from tests.properties.kernels import Kernel, kernels, owner
from tests.properties.recipes import calls_in, diff_of, edits, path_of, series_of, word_of
from tests.trees import DictTree, NoHistory
from tests.unit.test_kind_patch import GitMerge


def history_of(tree: BaseTree) -> GitMerge:
    """A repository with the files of one tree."""
    assert isinstance(tree, DictTree)
    return GitMerge(*(file.data for file in tree.files.values()))


@st.composite
def planted(draw: st.DrawFn) -> tuple[Kernel, Kernel, str, CCallEdit]:
    """A kernel, the same later, a function of the first, and a call in it."""
    kernel = draw(kernels())
    (path, _), piece = draw(st.sampled_from(sorted(kernel.functions().items())))
    edit = draw(calls_in(path, piece, 0))
    return kernel, draw(drifted(kernel)), piece.identity, edit


def check_place(new: Kernel, identity: str, edit: CCallEdit, outcome: Outcome) -> None:
    """In each file the call is only in the function that was meant, wherever that is now."""
    word = word_of(0).encode()
    if outcome.status is Status.CONFLICT:
        assert outcome.tree.changed_since(new.tree()) == {}
        assert outcome.hint
        return
    changed = outcome.tree.changed_since(new.tree())
    assert len(changed) == 1
    ((path, file),) = changed.items()
    assert file
    owners = owner(new, path_of(path), file.data, word)
    assert set(owners) == {identity}, (owners, identity)
    assert edit.at == "before-returns" or len(owners) == 1
    was = new.tree().read(path)
    assert was
    broken = parse_c(was.data).has_error
    assert broken or not parse_c(file.data).has_error, "the file parses worse than before"


@examples(40)
@given(planted())
def test_call_is_in_the_function_that_was_meant(
    world: tuple[Kernel, Kernel, str, CCallEdit],
) -> None:
    old, new, identity, edit = world
    ground = Ground(new.tree(), NoHistory(), old.tree().base)
    check_place(new, identity, edit, C_CALL.plan(edit, ground))


@examples(15)
@given(planted())
def test_what_is_learned_is_enough_and_does_no_harm(
    world: tuple[Kernel, Kernel, str, CCallEdit],
) -> None:
    """With `also`, the new kernel renders alike without the old one, and the old one as before."""
    old, new, _, edit = world
    series, before, after = series_of(edit), old.tree(), new.tree()
    there = render(series, after.base, NoHistory(), was=before.base)
    if any(step.status is Status.CONFLICT for step in there):
        return
    knowing = learning.kept(series, learning.learned(there))
    again = render(knowing, after.base, NoHistory())
    assert again[-1].after.changes == there[-1].after.changes
    first = render(series, before.base, NoHistory())
    if first[-1].status is not Status.CONFLICT:
        back = render(knowing, before.base, NoHistory(), was=after.base)
        assert back[-1].after.changes == first[-1].after.changes
        assert not learning.learned(back)


@st.composite
def patched(draw: st.DrawFn) -> tuple[Kernel, Kernel, Kernel]:
    """A kernel, a patch's result on it, and what upstream made of it meanwhile."""
    kernel = draw(kernels())
    return kernel, draw(drifted(kernel, 2)), draw(drifted(kernel, 3))


@examples(25, cost=2)
@given(patched())
def test_all_of_a_patch_is_there(world: tuple[Kernel, Kernel, Kernel]) -> None:
    """Every line it adds stands in the result, and every file it makes; no file parses worse."""
    kernel, theirs, ours = world
    edit = diff_of(kernel, theirs)
    if edit is None:
        return
    tree, history = ours.tree(), history_of(kernel.tree().base)
    outcome = PATCH.plan(edit, Ground(tree, history))
    if outcome.status is Status.CONFLICT:
        assert not outcome.tree.changed_since(tree)
        assert outcome.hint
        return
    result = b"\n".join(
        file.data for path in everything(outcome.tree) if (file := outcome.tree.read(path))
    )
    lines = {line.strip() for line in result.split(b"\n")}
    for part in read_diff(edit.diff.name, edit.diff.data):
        added = {text.strip() for h in part.hunks for mark, text in h.body if mark == "+"}
        if not outcome.reason.count("left out"):
            assert added <= lines, added - lines
    again = PATCH.plan(edit, Ground(outcome.tree, history))
    for path, twice in again.tree.changed_since(outcome.tree).items():
        once = outcome.tree.read(path)
        assert once
        assert twice
        assert twice.data.split() == once.data.split(), again.reason


def everything(tree: TreeOverlay) -> set[RepoPath]:
    assert isinstance(tree.base, DictTree)
    return {*tree.base.files, *tree.changes}


@examples(15, cost=2)
@given(kernels(), st.data())
def test_there_and_back(kernel: Kernel, data: st.DataObject) -> None:
    """Old, drifted and old again: the second old trees are the first."""
    made = data.draw(edits(kernel))
    new = data.draw(drifted(kernel))
    series = series_of(*(e for e in made if e.kind in ("c-call", "kbuild")))
    old, later = kernel.tree().base, new.tree().base
    first = render(series, old, NoHistory())
    there = render(series, later, NoHistory(), was=old)
    if any(step.status is Status.CONFLICT for step in there):
        return
    knowing = learning.kept(series, learning.learned(there))
    back = render(knowing, old, NoHistory(), was=later)
    assert [s.after.changes for s in back] == [s.after.changes for s in first]
