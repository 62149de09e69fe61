"""SIGKILL at every dealing with git in a rebase to a kernel that has the function elsewhere.

What is left is a branch on either kernel and a recipe that knows of the move or does not: each of
these is a series that rebases.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kpatch_rs.commands import apply, rebase
from kpatch_rs.model.outcome import Status
from tests.cli.test_moved import CODE, NEW, desk, kernel_with, statuses
from tests.faults import work
from tests.repos import Surroundings


def test_killed_and_run_again(
    around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path
) -> None:
    session = desk(around, kernel_with(around, kernel_repo, NEW, CODE), tmp_path)
    apply.run(session, onto=None, branch=None, dry_run=False)

    def rebased(moment: int) -> None:
        work.die_at(moment)
        report = rebase.run(session, "new", check=False, dry_run=False, range_diff=False)
        assert Status.CONFLICT not in statuses(report)

    codes = list[int]()
    for moment in (*range(1, 40, 6), *range(40, 400)):  # it begins with reading
        codes.append(work.forked(partial(rebased, moment)))
        if codes[-1] != -signal.SIGKILL:
            break
    assert codes[-1] == 0, "no run after a kill has anything to ask"
    assert len(codes) > 20
    last = rebase.run(session, "new", check=False, dry_run=False, range_diff=False)
    recipe = (session.series_folder() / "0001-call.toml").read_text()
    assert NEW in recipe
    assert last.commits == apply.run(session, onto=None, branch=None, dry_run=False).commits
