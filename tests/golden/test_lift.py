"""Every golden case the other way round: what its edit did to the tree is that edit again.

With something else done to the same files at the same time, too: then the edit is found among it,
and the rest becomes a diff; the tree is the same to the last byte.
"""

from __future__ import annotations

import functools
import tomllib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kpatch_rs.engine.lift import Patch, lift
from kpatch_rs.kinds import KINDS
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.series import Edit, Where
from kpatch_rs.model.tree import File, TreeOverlay
from kpatch_rs.syntax.diff import read_diff
from tests.golden.test_golden import CASES, HERE, load_edit
from tests.trees import DictTree, NoHistory
from tests.unit.test_kind_patch import blob_name

WORKING = [
    name
    for name in CASES
    if tomllib.loads((HERE / name / "outcome.toml").read_text())["status"] in ("exact", "moved")
]


def lifted(before: TreeOverlay, after: TreeOverlay) -> tuple[Edit, ...]:
    patch = Patch(before=before, after=after)
    return lift(patch, NoHistory(), payload="files/x.diff", where=Where("x"), taken={})


def rendered(edits: tuple[Edit, ...], tree: TreeOverlay) -> TreeOverlay:
    for edit in edits:
        outcome = KINDS[edit.kind].plan(edit, Ground(tree, NoHistory()))
        assert outcome.status is not Status.CONFLICT, outcome.reason
        tree = outcome.tree
    return tree


@functools.cache
def trees(name: str) -> tuple[TreeOverlay, TreeOverlay]:
    """The tree of a case, and the one its edit makes."""
    before = TreeOverlay(DictTree.from_folder(HERE / name / "tree"))
    after = before
    for path, file in DictTree.from_folder(HERE / name / "want").files.items():
        after = after.write(path, file)
    return before, after


@pytest.mark.parametrize("name", WORKING)
def test_what_an_edit_did_is_that_edit(name: str) -> None:
    kind = load_edit(HERE / name).kind
    before, after = trees(name)
    edits = lifted(before, after)
    if kind != "patch":
        assert [edit.kind for edit in edits] == [kind]
    assert not rendered(edits, before).changed_since(after)


@settings(max_examples=150, deadline=None)
@example(name="c-call-else-6.1", at=[(90, "-")])  # the edit's place is beside what went
@given(
    name=st.sampled_from(WORKING),
    at=st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from("-+~")), min_size=1, max_size=4),
)
def test_what_else_was_done_is_the_rest(name: str, at: list[tuple[int, str]]) -> None:
    before, after = trees(name)
    for path, file in after.changed_since(before).items():
        assert file is not None
        lines = file.data.splitlines(keepends=True)
        for place, change in at:
            n = place % len(lines)
            new = [] if change == "-" else [b"/* %d */\n" % place]
            lines[n : n + (change != "+")] = new
            lines = lines or [b"\n"]
        after = after.write(path, File(b"".join(lines), file.mode))
    if after.changed_since(before):
        edits = lifted(before, after)
        assert not rendered(edits, before).changed_since(after)
        rests = [edit for edit in edits if isinstance(edit, PatchEdit)]
        assert len(rests) <= 1
        assert all(blobs_of(rest) <= blobs_in(before) for rest in rests), "else nothing merges it"


def blobs_of(rest: PatchEdit) -> set[str]:
    """What a diff was made from."""
    return {f.old_blob for f in read_diff("x.diff", rest.diff.data) if f.old is not None}


def blobs_in(tree: TreeOverlay) -> set[str]:
    assert isinstance(tree.base, DictTree)
    files = (tree.read(path) for path in tree.base.files)
    return {blob_name(file.data) for file in files if file}


def test_a_diff_from_the_old_blob_goes_before_the_edits() -> None:
    """So that a rebase finds the blob in the repository."""
    before, after = trees("kbuild-composite-6.1")
    (path,) = after.changed_since(before)
    file = after.read(path)
    assert file is not None
    after = after.write(path, File(b"# a comment\n" + file.data))
    rest, edit = lifted(before, after)
    assert isinstance(rest, PatchEdit)
    assert edit.kind == "kbuild"
    assert rest.diff.data.count(b"\n+") == 2, "the line and the +++ line"
