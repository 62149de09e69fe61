"""The patch kind beside `git apply`, on files whose lines repeat: never another result in silence.

On the very file that a diff was made from there is one right answer. On one that changed since, git
takes the place nearest to the line number; the kind may know better, from what the diff was made
from, or ask, but it says so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.merging import merge
from kpatch_rs.gitio.running import Git
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.patch import PATCH, PatchEdit
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Payload, Where
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.diff import read_diff
from kpatch_rs.syntax.merge import Clash
from tests.properties.held import examples
from tests.properties.patches import ENV, Case, Gits, Verdict, case
from tests.trees import DictTree

BATCH = 40

LIED = {
    0: (769, 1499, 7514, 20300, 108116),
    1: (35, 195, 4194, 7257, 22169, 101722, 112195),
    2: (1499, 1558, 8673, 15964, 102483, 118201),
    3: (1499, 118955),
}
"""By lines of context: cases that came out wrong in silence, or do without one rule of the kind;
or that were not placed, as all numbers are wrong by the same."""


class OneBlob:
    """Satisfies History: what the diff was made from, and `git merge-file`."""

    def __init__(self, base: bytes) -> None:
        self.base = base

    def blob(self, prefix: str) -> bytes | None:
        return self.base

    def merge(self, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes | Clash, ...]:
        return merge(Git(ENV), base, ours, theirs)


def planned(each: Case, there: bytes) -> tuple[Status, bytes, str]:
    """How it ends, what the file is then, and what is said."""
    edit = PatchEdit(where=Where("r.toml"), diff=Payload("x.diff", each.diff))
    tree = TreeOverlay(DictTree({each.name: there}))
    try:
        outcome = PATCH.plan(edit, Ground(tree, OneBlob(each.base)))
    except KpatchError as error:
        return Status.CONFLICT, there, error.message
    file = outcome.tree.read(RepoPath(each.name.encode()))
    return outcome.status, file.data if file else b"", outcome.reason


@examples(3, cost=BATCH)
@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=BATCH, unique=True), st.integers(0, 3))
def test_no_other_result_than_gits_without_a_word(seeds: list[int], context: int) -> None:
    hold(seeds, context)


@pytest.mark.parametrize("context", LIED)
def test_what_lied_once_lies_no_more(context: int) -> None:
    hold(LIED[context], context)


def hold(seeds: Sequence[int], context: int) -> None:
    """Neither result is a lie, for the case of each number, diffed with that much context."""
    cases = [made for seed in seeds if (made := case(f"f{seed}", seed))]
    if not cases:
        return
    with tempfile.TemporaryDirectory() as folder:
        gits = Gits(Path(folder), cases)
        cases = gits.diffs(context)
        verdicts = gits.verdicts(cases)
    for each, verdict in zip(cases, verdicts, strict=True):
        on_its_base(each, verdict)
        on_a_later_file(each, verdict)


def on_its_base(each: Case, git: Verdict) -> None:
    """All of it goes in, where there is anything to find it by; nothing else ever comes out.

    Of wrong numbers in a diff that names no blob nobody can know: then it does as git does, or says
    which part it takes for done.
    """
    status, result, said = planned(each, each.base)
    if status is not Status.CONFLICT:
        as_told = {
            Status.EXACT: result in git.base,
            Status.PRESENT: any_of(git.back),
            Status.ADAPTED: "present already" in said,
        }.get(status, False)
        assert result == each.new or (each.shift and not each.named and as_told), (each, status)
        return
    assert said
    if each.new in git.base and (each.named or not each.shift):
        unsaid = not all(hunk.old for hunk in read_diff("x", each.diff)[0].hunks)
        both = not each.named and any_of(git.back)
        assert unsaid or both, (each, said)


def on_a_later_file(each: Case, git: Verdict) -> None:
    """In silence only what git does, too; and nothing goes into the very result again."""
    status, result, said = planned(each, each.drifted)
    if each.named and each.drifted == each.new:
        assert status in (Status.PRESENT, Status.CONFLICT), (each, status)
    if status is Status.EXACT:
        assert result in git.drifted or result == merged(each), (each, result)
    elif status is Status.PRESENT:
        assert result == each.drifted
        sound = merged(each) in (None, each.drifted) if each.named else any_of(git.drifted_back)
        assert sound, (each, said)
    else:
        assert said, each


def any_of(results: object) -> bool:
    assert isinstance(results, list)
    return any(result is not None for result in results)


def merged(each: Case) -> bytes | None:
    """What a three-way merge makes of it; None where that conflicts."""
    pieces = merge(Git(ENV), each.base, each.drifted, each.new)
    return pieces[0] if len(pieces) == 1 and isinstance(pieces[0], bytes) else None
