"""Verdicts are found again for the very same question, and for no other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kpatch_rs.build.store import VerdictStore, key_of
from kpatch_rs.model.proof import Result, Verdict

VERDICT = Verdict(
    id="hook",
    result=Result.FAILED,
    reason="why",
    hint="cure",
    target="a.o",
    errors=("error: x", "  --> y"),
    proofs=("shown",),
    seconds=1.5,
)


def test_round_trip_marks_it_as_known(tmp_path: Path) -> None:
    store, key = VerdictStore(tmp_path / "new"), key_of(tree="t")
    assert store.get(key) is None
    store.put(key, VERDICT)
    assert store.get(key) == replace(VERDICT, cached=True)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"key": "other", "verdict": {}}',
        json.dumps({"key": key_of(tree="t"), "verdict": {"result": "splendid"}}).encode(),
        json.dumps(
            {
                "key": key_of(tree="t"),
                "verdict": {"id": "x", "result": "passed", "errors": [], "proofs": [], "new": 1},
            }
        ).encode(),
    ],
)
def test_a_damaged_entry_counts_as_absent(tmp_path: Path, damage: bytes) -> None:
    store, key = VerdictStore(tmp_path), key_of(tree="t")
    store.put(key, VERDICT)
    (entry,) = tmp_path.rglob("*.json")
    entry.write_bytes(damage)
    assert store.get(key) is None
    store.put(key, VERDICT)
    assert store.get(key)


def test_an_entry_moved_to_another_key_is_not_believed(tmp_path: Path) -> None:
    store, key, other = VerdictStore(tmp_path), key_of(tree="t"), key_of(tree="u")
    store.put(key, VERDICT)
    (entry,) = tmp_path.rglob("*.json")
    (tmp_path / other[:2]).mkdir(exist_ok=True)
    entry.rename(tmp_path / other[:2] / f"{other}.json")
    assert store.get(other) is None


def test_nothing_is_left_beside_the_verdict(tmp_path: Path) -> None:
    VerdictStore(tmp_path).put(key_of(tree="t"), VERDICT)
    assert [p.suffix for p in tmp_path.rglob("*") if p.is_file()] == [".json"]


def test_every_part_of_the_key_counts() -> None:
    keys = {key_of(), key_of(a=1), key_of(a="1"), key_of(b=1), key_of(a=1, b=1)}
    assert len(keys) == 5
    assert key_of(a=1, b=2) == key_of(b=2, a=1)
