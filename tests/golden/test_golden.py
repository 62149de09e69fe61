"""Golden cases of the kinds: `tests/golden/KIND-CASE/` holds

    edit.toml      one [[edit]] table, its keys at the top level
    payload/       the side files it names (optional)
    tree/          the kernel files before
    want/          the files that must differ after, byte for byte (absent: none may differ)
    outcome.toml   status, place ("path:line"), anchor, reason, hint, candidates ("path:line what"):
                   the keys that stand there must be equal

Every case is also held to three invariants: planning it again on its own result is `present`,
files outside `want/` are untouched, and a conflict changes nothing and says what to do.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from kpatch_rs.kinds import KINDS
from kpatch_rs.kinds.base import Ground
from kpatch_rs.loader.fields import read_table
from kpatch_rs.model.outcome import Outcome, Status
from kpatch_rs.model.series import Edit, Payload, Where
from kpatch_rs.model.tree import TreeOverlay
from tests.trees import DictTree, NoHistory

HERE = Path(__file__).parent
CASES = sorted(p.name for p in HERE.iterdir() if (p / "edit.toml").exists())


def load_edit(case: Path) -> Edit:
    table = tomllib.loads((case / "edit.toml").read_text())
    kind = KINDS[table.pop("kind")]
    edit: Edit = read_table(
        kind.edit,
        table,
        file="edit.toml",
        line_of=lambda _: 1,
        payload=lambda name: Payload(name, (case / "payload" / name).read_bytes()),
        given={"where": Where("edit.toml")},
    )
    return edit


def said(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": str(outcome.status),
        "place": str(outcome.place),
        "anchor": outcome.anchor,
        "reason": outcome.reason,
        "hint": outcome.hint,
        "candidates": [f"{c.place} {c.what}" for c in outcome.candidates],
    }


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    case = HERE / name
    edit = load_edit(case)
    base = TreeOverlay(DictTree.from_folder(case / "tree"))
    outcome = KINDS[edit.kind].plan(edit, Ground(base, NoHistory()))

    wanted = tomllib.loads((case / "outcome.toml").read_text())
    assert wanted == {key: said(outcome)[key] for key in wanted}
    changed = {p.decode(): f.data for p, f in outcome.tree.changed_since(base).items() if f}
    want = DictTree.from_folder(case / "want").files
    assert {p.decode(): f.data for p, f in want.items()} == changed

    if outcome.status is Status.CONFLICT:
        assert not changed, "a conflict changes nothing"
        assert outcome.reason
        assert outcome.hint
    else:
        again = KINDS[edit.kind].plan(edit, Ground(outcome.tree, NoHistory()))
        assert again.status is Status.PRESENT, again.reason
        assert outcome.place is not None


@pytest.mark.parametrize("kind", KINDS)
def test_kind_has_cases(kind: str) -> None:
    """One that works, one that is refused (CONTRIBUTING: how to add a kind)."""
    ends = set()
    for name in CASES:
        if tomllib.loads((HERE / name / "edit.toml").read_text())["kind"] == kind:
            ends.add(tomllib.loads((HERE / name / "outcome.toml").read_text())["status"])
    assert "conflict" in ends, f"no refused golden case for {kind}"
    assert ends & {"exact", "moved"}, f"no working golden case for {kind}"
