"""How much two files are the same, by git's own measure."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from kpatch_rs.syntax.similarity import RENAMED, similarity
from tests.unit.test_kind_patch import diff

words = st.sampled_from([b"a", b"bc", b"x" * 62, b"y" * 63, b"z" * 64, b"w" * 130])
lines = st.builds(bytes.__add__, words, st.sampled_from([b"\n", b"\r\n", b"1\n"]))


@settings(max_examples=20, deadline=None)
@given(st.lists(lines, min_size=3), st.lists(lines, max_size=5), st.data())
def test_it_is_what_git_says(old: list[bytes], more: list[bytes], data: st.DataObject) -> None:
    kept = data.draw(st.permutations(old))
    one, other = b"".join(old), b"".join([*kept[1:], *more])
    said = re.search(rb"similarity index (\d+)%", diff({"one": one}, {"other": other}))
    here = similarity(one, other)
    assert int(said[1]) == here if said else here < RENAMED


def test_nothing_is_the_same_as_nothing() -> None:
    assert similarity(b"", b"") == 100
    assert similarity(b"", b"x\n") == 0
