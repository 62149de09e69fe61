"""Two sides put in, wrap, unwrap and rename statements: what git refuses and we merge is right."""

from __future__ import annotations

from hypothesis import given, note
from hypothesis import strategies as st

from kpatch_rs.syntax.merge import Clash
from tests.properties.blocks import (
    LANGUAGES,
    Block,
    Edit,
    Language,
    meaning,
    renamed,
    roots,
    two_edits,
    under,
)
from tests.properties.held import examples
from tests.properties.test_merges import made
from tests.unit.test_kind_patch import GitMerge


def _git_refuses(base: bytes, ours: bytes, theirs: bytes) -> bool:
    return any(isinstance(piece, Clash) for piece in GitMerge(base).merge(base, ours, theirs))


@examples(40)
@given(st.sampled_from(LANGUAGES), roots(), two_edits())
def test_blocks_hold_what_both_put_into_them(
    language: Language, base: Block, two: tuple[Edit, Edit]
) -> None:
    upstream, patch = two
    three = (base, upstream(base), patch(base))
    texts = [language.write(root) for root in three]
    for root, text in zip(three, texts, strict=True):
        assert meaning(language, language.read(text)) == meaning(language, root), "our own reader"
    if len(set(texts)) < 3 or not _git_refuses(*texts):
        return
    for text in texts:
        note(text.decode())
    data = made(language.path, *texts)
    if data is None:
        return
    merged = language.read(data)
    assert merged
    both, was = (patch(three[1]), upstream(three[2])), {**renamed(three[1]), **renamed(three[2])}
    new = {path for side in three[1:] for path in under(side, was) if path[-1] in "OT"}
    assert new <= {*under(merged, was)}, "under the parents that the side gave it"
    marks = {path[-1] for path in new}
    # An edit that no longer finds what it is made beside does nothing: that order says nothing.
    wanted = [r for r in both if marks <= {path[-1] for path in under(r, was)}]
    assert {meaning(language, r) for r in wanted} <= {meaning(language, merged)}
