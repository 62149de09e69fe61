"""SIGKILL at every dealing with git on the way from reading to the moved branch, one by one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.repository import Repository
from tests.faults import work
from tests.faults.conftest import Child
from tests.repos import Surroundings, snapshot

LOG = f"refs/kpatch/{work.SERIES}/log"


def locks(path: Path) -> list[Path]:
    return [p for p in (path / ".git").rglob("*.lock") if "kpatch-rs" not in p.parts]


def state(path: Path, around: Surroundings) -> str:
    """`old` or `new`; everything else is a failure. No ref but ours moves, no lock stays."""
    # A git that outlived its caller sees the end of its input, and takes its locks with it.
    deadline = time.monotonic() + 600
    while locks(path) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert locks(path) == []
    refs = {line.split()[0]: line.split()[1] for line in around.refs(path).splitlines()}
    assert set(refs) - {LOG, f"refs/heads/{work.BRANCH}"} == {
        "refs/heads/master",
        "refs/tags/v6.12.1",
    }
    assert (LOG in refs) == (f"refs/heads/{work.BRANCH}" in refs), "branch and log, or neither"
    if LOG not in refs:
        return "old"
    with Repository.open(path, around.environment) as repository:
        view = OperationLog(repository, work.SERIES).current()
        assert view
        assert view.tip == refs[f"refs/heads/{work.BRANCH}"]
    return "new"


def killed_at(moment: int, path: Path, around: Surroundings) -> int:
    def act() -> None:
        work.die_at(moment)
        work.apply(path, environment=around.environment)

    return work.forked(act)


def test_killed_anywhere(kernel_repo: Callable[..., Path], around: Surroundings) -> None:
    path = kernel_repo()
    untouched = {k: v for k, v in snapshot(path).items() if "/.git/" not in k or "index" in k}
    states = []
    for moment in range(1, 200):
        code = killed_at(moment, path, around)
        states.append(state(path, around))
        if code == 0:
            break
        assert code == -signal.SIGKILL
        if states[-1] == "new":
            around.git(path, "update-ref", "-d", LOG)
            around.git(path, "branch", "-D", work.BRANCH)
    assert len(states) > 20, "reading, writing, preparing and committing were all interrupted"
    assert states == sorted(states, reverse=True), "old up to the commit, new from there on"
    assert "new" in states[:-1], "and both were met"
    assert untouched.items() <= snapshot(path).items()
    around.git(path, "fsck", "--strict")


def test_killed_between_two_branches(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    """Wherever it happens, the log keeps the branches that are there, each where it is."""
    path = kernel_repo()
    first = work.apply(path, environment=around.environment)
    kept = []
    for moment in range(1, 200):

        def act(moment: int = moment) -> None:
            work.die_at(moment)
            work.apply(path, b"2", environment=around.environment, branch="side")

        code = work.forked(act)
        with Repository.open(path, around.environment) as repository:
            log = OperationLog(repository, work.SERIES)
            kept.append([view.branch for view in log.kept()])
            assert [view.tip for view in log.kept()] == list(map(repository.branch, kept[-1]))
            assert repository.branch(work.BRANCH) == first
            assert (repository.branch("side") is None) == ("side" not in kept[-1])
        if code == 0 or "side" in kept[-1]:
            break
        assert code == -signal.SIGKILL
    assert len(kept) > 20
    assert kept[0] == [work.BRANCH]
    assert kept[-1] == ["side", work.BRANCH]


def test_killed_runs_and_undisturbed_ones_give_the_same_names(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    plain, disturbed = kernel_repo(name="plain"), kernel_repo(name="disturbed")
    for moment in (9, 14):
        assert killed_at(moment, disturbed, around) == -signal.SIGKILL
    tips = [work.apply(p, environment=around.environment) for p in (plain, disturbed)]
    assert tips[0] == tips[1]


@pytest.mark.parametrize("command", ["fast-import", "update-ref"])
def test_git_itself_killed(
    kernel_repo: Callable[..., Path],
    around: Surroundings,
    child: Child,
    tmp_path: Path,
    command: str,
) -> None:
    """A git that dies in the middle of its work: an error that says so, and nothing moved."""
    path = kernel_repo()
    wrapper = tmp_path / "bin/git"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f'#!/bin/sh\ncase "$*" in *{command}*) kill -9 $$;; esac\n'
        f'PATH="{os.environ["PATH"]}" exec git "$@"\n'
    )
    wrapper.chmod(0o755)
    ended = child(
        f"work.apply(work.Path({str(path)!r}))", PATH=f"{wrapper.parent}:{os.environ['PATH']}"
    )
    assert f"GitFailed: git {command} died (signal 9)" in ended.stderr
    assert state(path, around) == "old"
    around.git(path, "fsck", "--strict")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_while_git_commits(
    kernel_repo: Callable[..., Path], around: Surroundings, child: Child, number: signal.Signals
) -> None:
    path = kernel_repo()
    ended = child(
        f"""
        import os
        send = work.Conversation.send
        def signalled(self, data):
            if data == b"commit\\0":
                os.kill(os.getpid(), {int(number)})
            send(self, data)
        work.Conversation.send = signalled
        work.apply(work.Path({str(path)!r}))
        """
    )
    assert ended.returncode == -number, ended.stderr
    assert state(path, around) == "new"


def test_disk_full(kernel_repo: Callable[..., Path], around: Surroundings, child: Child) -> None:
    """A limit on file size stands for it: SIGXFSZ or EFBIG in git, an error here."""
    path = kernel_repo()
    ended = child(
        f"""
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        work.apply(work.Path({str(path)!r}), bytes(range(256)) * 4000 + work.os.urandom(90000))
        """
    )
    assert ended.returncode == 1
    assert "GitFailed: git fast-import" in ended.stderr
    assert state(path, around) == "old"


def test_read_only_object_store(
    kernel_repo: Callable[..., Path], around: Surroundings, child: Child
) -> None:
    """Root writes through permissions; a file in the folder's place stops everybody."""
    path = kernel_repo()
    (path / ".git/refs/kpatch").write_bytes(b"")
    ended = child(f"work.apply(work.Path({str(path)!r}))")
    assert ended.returncode == 1
    assert "refs/kpatch" in ended.stderr.splitlines()[-1]
    (path / ".git/refs/kpatch").unlink()
    assert state(path, around) == "old"
