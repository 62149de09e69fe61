"""Two and more at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio import refs
from kpatch_rs.gitio.lock import exclusive, lock
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.refs import Move, RefMoved
from kpatch_rs.gitio.repository import NewCommit, Repository
from kpatch_rs.model.oid import Oid
from tests.faults import work
from tests.faults.conftest import TOP, Child
from tests.repos import ME, WHEN, Surroundings, changes


def test_twenty_racers_on_one_ref(repository: Repository, around: Surroundings) -> None:
    """Without the lock: git's own old values let exactly one through."""
    base = repository.resolve("HEAD")
    new = [
        NewCommit(message=b"%d\n" % n, author=ME, date=WHEN, changes=changes({"f": b"%d" % n}))
        for n in range(20)
    ]
    tips = [c.commit for c in repository.write(base, new)]

    def race(tip: Oid) -> Oid | None:
        try:
            refs.move(repository.git, [Move("refs/heads/race", None, tip)], "x")
        except (RefMoved, KpatchError) as error:
            assert "has moved" in error.message or "is in the way" in error.message
            return None
        return tip

    with ThreadPoolExecutor(20) as racers:
        won = [tip for tip in racers.map(race, tips) if tip]
    assert len(won) == 1
    assert repository.branch("race") == won[0]
    around.git(repository.common_dir.parent, "fsck", "--strict")


def test_second_waits_and_is_told_for_whom(
    kernel_repo: Callable[..., Path], around: Surroundings, child: Child
) -> None:
    path = kernel_repo()
    around.git(path, "worktree", "add", "-q", str(path.parent / "linked"))
    with Repository.open(path.parent / "linked", around.environment) as repository:
        with lock(repository, work.SERIES, lambda _: None):
            second = subprocess.Popen(
                [
                    sys.executable,
                    "-uc",
                    "from tests.faults import work\n"
                    f"work.apply(work.Path({str(path)!r}), said=print)",
                ],
                env={**around.environment, "PYTHONPATH": str(TOP)},
                stdout=subprocess.PIPE,
                text=True,
            )
            assert second.stdout
            said = second.stdout.readline()
            assert said.startswith(f"waiting for process {os.getpid()}, which holds ")
            assert repository.branch(work.BRANCH) is None
        second.communicate(timeout=600)
        assert second.returncode == 0
        assert repository.branch(work.BRANCH)


def test_the_dead_hold_no_lock(
    kernel_repo: Callable[..., Path], around: Surroundings, child: Child
) -> None:
    path = kernel_repo()
    ended = child(
        f"""
        with work.Repository.open(work.Path({str(path)!r}), work.os.environ) as repository:
            with work.lock(repository, work.SERIES, print):
                work.os.kill(work.os.getpid(), work.signal.SIGKILL)
        """
    )
    assert ended.returncode == -signal.SIGKILL
    with Repository.open(path, around.environment) as repository:
        waited: list[str] = []
        with lock(repository, work.SERIES, waited.append):
            assert waited == []


def test_lock_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for place in (tmp_path / "file/below", tmp_path / "link"):
        with pytest.raises(KpatchError, match="the lock cannot be made"), exclusive(place, print):
            pass


def test_gc_between_and_during(
    kernel_repo: Callable[..., Path], around: Surroundings, child: Child
) -> None:
    path = kernel_repo()
    for text in ("1", "2"):
        assert child(f"work.apply(work.Path({str(path)!r}), b'{text}')").returncode == 0
        around.git(path, "reflog", "expire", "--expire=now", "--all")
        around.git(path, "gc", "-q", "--prune=now")
    with Repository.open(path, around.environment) as repository:
        two, one = OperationLog(repository, work.SERIES).entries()
        assert one.after == two.before
        assert one.after
        assert one.after.tip
        assert repository.tree(one.after.tip).names(None)


def test_a_reader_sees_old_or_new(kernel_repo: Callable[..., Path], around: Surroundings) -> None:
    path = kernel_repo()
    script = (
        "from tests.faults import work\nfor n in range(8): work.apply(work.Path({!r}), b'%d' % n)"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", script.format(str(path))],
        env={**around.environment, "PYTHONPATH": str(TOP)},
    )
    seen = set()
    with Repository.open(path, around.environment) as repository:
        log = OperationLog(repository, work.SERIES)
        while writer.poll() is None:
            view = log.current()
            seen.add(view.tip if view else None)
    assert writer.returncode == 0
    assert len(seen) > 1
