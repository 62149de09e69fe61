"""undo: which operation it takes, of which branch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.commands import apply, log, undo
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import KpatchError, Refused
from tests.cli.test_moved import CODE, desk, kernel_with
from tests.repos import Surroundings


@pytest.fixture
def session(around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path) -> Session:
    return desk(around, kernel_with(around, kernel_repo, "sound/ctu.c", CODE), tmp_path)


def ids(session: Session) -> list[str]:
    return [operation.id for operation in log.run(session, limit=None).operations]


def test_what_was_done_again_is_undone_again(session: Session) -> None:
    apply.run(session, onto=None, branch=None, dry_run=False)
    first = ids(session)[0]
    undo.run(session, None)
    undo.run(session, ids(session)[0])
    assert undo.run(session, None).undone.id == first
    with pytest.raises(KpatchError, match="nothing to undo"):
        undo.run(session, None)


def test_a_branch_rendered_between_is_not_passed_over(session: Session) -> None:
    """The last rendering is the one that the first operation made; and still not its alone."""
    for branch in (None, "side", None):
        apply.run(session, onto="old", branch=branch or "kpatch/moved", dry_run=False)
    with pytest.raises(KpatchError, match="is not the last one") as error:
        undo.run(session, ids(session)[-1])
    assert error.value.hint == "undo the later ones first: kpatch-rs log"


def test_a_hint_names_only_what_the_verb_has(
    session: Session, around: Surroundings, tmp_path: Path
) -> None:
    apply.run(session, onto=None, branch=None, dry_run=False)
    assert session.kernel
    around.git(session.kernel, "worktree", "add", "-q", str(tmp_path / "standing"), "kpatch/moved")
    with pytest.raises(Refused, match="is checked out in") as error:
        undo.run(session, None)
    assert "--branch" not in error.value.hint
    with pytest.raises(Refused, match="is checked out in") as error:
        apply.run(session, onto="new", branch=None, dry_run=False)
    assert error.value.hint.endswith("; or give another branch: --branch NAME")
