"""One whole change, as the verbs make it; and ways to be killed in the middle of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kpatch_rs.gitio.lock import lock
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.repository import NewCommit, Repository
from kpatch_rs.gitio.running import Conversation, Git
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.operation import View
from tests.repos import ME, WHEN, changes

BRANCH, SERIES = "kpatch/hello", "hello"


def view_of(base: Oid, tip: Oid, branch: str = BRANCH) -> View:
    return View(branch=branch, base_name="v6.12.1", base=base, tip=tip, steps=(), digest="")


def apply(
    path: Path,
    text: bytes = b"1",
    said: Callable[[str], None] = lambda _: None,
    environment: Mapping[str, str] = os.environ,
    branch: str = BRANCH,
) -> Oid:
    """Render two steps onto `branch`."""
    with Repository.open(path, environment) as repository, lock(repository, SERIES, said):
        log = OperationLog(repository, SERIES)
        base = repository.resolve("v6.12.1")
        assert repository.tree(base).read(next(iter(changes({"Makefile": b""}))))
        steps = [
            NewCommit(message=b"%d\n" % n, author=ME, date=WHEN, changes=changes({f"f{n}": text}))
            for n in range(2)
        ]
        tip = repository.write(base, steps)[-1].commit
        old = repository.branch(branch)
        log.record("apply", "", view_of(base, tip, branch), time=1700000000, branch_old=old)
        return tip


def forked(act: Callable[[], object]) -> int:
    """Do `act` in a child; return its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die_at(moment: int) -> None:
    """Kill this process at its `moment`th dealing with git, counted from 1."""
    count = 0

    def counting(method: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*args, **kwargs)

        return counted

    for owner, names in ((Git, ["start"]), (Conversation, ["send", "line", "close"])):
        for name in names:
            setattr(owner, name, counting(getattr(owner, name)))
