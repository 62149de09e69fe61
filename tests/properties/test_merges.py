"""Two sides edit one place: whatever is no conflict means what both edits mean."""

from __future__ import annotations

import difflib

from hypothesis import given, note
from hypothesis import strategies as st

from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.patch import PATCH, PatchEdit
from kpatch_rs.model.outcome import Outcome, Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Payload, Where
from kpatch_rs.model.tree import TreeOverlay
from tests.properties.conditions import (
    OURS,
    SHAPES,
    THEIRS,
    Edit,
    Shape,
    Term,
    edits,
    meaning,
    terms,
)
from tests.properties.held import examples
from tests.trees import DictTree
from tests.unit.test_kind_patch import GitMerge, blob_name


def made(path: str, base: bytes, upstream: bytes, patched: bytes) -> bytes | None:
    """What a patch edit makes of `upstream`; None for a conflict."""
    outcome = planned(path, base, upstream, patched)
    if outcome.status is Status.CONFLICT:
        return None
    file = outcome.tree.read(RepoPath(path.encode()))
    assert file
    note(f"{outcome.status.value}:\n{file.data.decode()}")
    return file.data


def planned(path: str, base: bytes, upstream: bytes, patched: bytes) -> Outcome:
    """How a patch edit ends on `upstream`."""
    edit = PatchEdit(where=Where("r.toml"), diff=Payload("x.diff", _diff(path, base, patched)))
    return PATCH.plan(edit, Ground(TreeOverlay(DictTree({path: upstream})), GitMerge(base)))


def _diff(path: str, old: bytes, new: bytes) -> bytes:
    name = path.encode()
    head = b"diff --git a/%b b/%b\nindex %b..%b 100644\n" % (
        *(name, name),
        *(blob_name(data).encode() for data in (old, new)),
    )
    was, now = (data.splitlines(keepends=True) for data in (old, new))
    lines = difflib.diff_bytes(difflib.unified_diff, was, now, b"a/" + name, b"b/" + name)
    return head + b"".join(lines)


@st.composite
def two_edits_of_a_condition(draw: st.DrawFn) -> tuple[Shape, Term, Edit, Edit, bool]:
    shape = draw(st.sampled_from(SHAPES))
    return (
        shape,
        draw(terms(shape)),
        draw(edits(OURS)),
        draw(edits(THEIRS)),
        draw(st.booleans()) and shape.breaks is not None,
    )


@examples(30)
@given(two_edits_of_a_condition())
def test_a_condition_means_what_both_made_of_it(
    case: tuple[Shape, Term, Edit, Edit, bool],
) -> None:
    shape, base, upstream, patch, broken = case
    three = (base, upstream(base), patch(base))
    texts = [shape.write(term, broken=broken) for term in three]
    if len(set(texts)) < 3:
        return
    data = made(shape.path, *texts)
    if data is None:
        return
    for text in texts:
        note(text.decode())
    wanted = {meaning(patch(upstream(base))), meaning(upstream(patch(base)))}
    assert wanted == {shape.truth(data)}
