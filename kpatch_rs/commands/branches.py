"""Which branch a verb speaks of: the one that is named, else the one last rendered.

A series may be kept on several kernels at once, each rendering on a branch of its own. Guarantees:
a name on which nothing can be put is refused before any work is done for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from shlex import quote

from kpatch_rs.errors import KpatchError, Refused
from kpatch_rs.gitio.checkouts import BranchRefused
from kpatch_rs.gitio.oplog import LogUnreadable, OperationLog
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.operation import View


def default_branch(series: str) -> str:
    """Where a series is rendered that was not yet, unless somebody says otherwise."""
    return f"kpatch/{series}"


def rendering(log: OperationLog, branch: str | None) -> View | None:
    """The rendering on `branch`; without a name the last one, None where there is none.

    Raises KpatchError where nothing was rendered on `branch`.
    """
    if branch is None:
        return log.current()
    view = log.kept_on(branch)
    if view is None:
        kept = ", ".join(view.branch for view in log.kept())
        raise KpatchError(
            f"series {log.series} is not rendered on a branch '{branch}'",
            hint=f"it is on {kept}" if kept else "render it first: kpatch-rs apply",
        )
    return view


def option(log: OperationLog, view: View) -> str:
    """What a command must be told to speak of `view`: nothing where its branch is the last one."""
    last = log.current()
    return "" if last and last.branch == view.branch else typed(view.branch)


def typed(branch: str | None) -> str:
    """The option as a maintainer types it."""
    return f" --branch {quote(branch)}" if branch is not None else ""


def refuse_name(repository: Repository, series: str, branch: str) -> None:
    """Raises Usage where `branch` can be no branch beside those there are and the series' own."""
    if repository.branch(branch) is None:
        repository.refuse_beside(branch, default_branch(series))


def refuse_to_move(repository: Repository, log: OperationLog, branch: str, base: Oid) -> None:
    """Raises Refused where a rendering on `base` could not be put on `branch`.

    Whether the branch moves at all is known here for another base only; what moves for other
    reasons, the log sees to.
    """
    branch_value(repository, log, branch)
    view = log.kept_on(branch)
    if view is None or view.base != base:
        repository.refuse_if_checked_out(branch)


@contextmanager
def another_offered() -> Iterator[None]:
    """For verbs that put a rendering where `--branch` says: where one is refused, say so."""
    try:
        yield
    except BranchRefused as refused:
        hint = f"{refused.hint}; or give another branch: --branch NAME"
        raise BranchRefused(refused.message, hint=hint) from refused


def branch_value(repository: Repository, log: OperationLog, branch: str) -> Oid | None:
    """What `branch` holds now.

    Raises Refused (exit 5) where it is not what the last operation put there: somebody's commits.
    That nobody stands on it is for the log to see to, at the moment it moves.
    """
    tip = repository.branch(branch)
    if tip is None or tip == log.tip_of(branch):
        return tip
    if owner := _owner(log, branch):
        raise Refused(
            f"branch {branch} is the series {owner}'s",
            hint=f"give another branch: --branch {default_branch(log.series)}-NAME",
        )
    repository.refuse_if_checked_out(branch)
    raise BranchRefused(
        f"branch {branch} holds commits that kpatch-rs did not put there (tip {tip[:12]})",
        hint=f"keep them under another name: git branch -m {branch} NAME",
    )


def _owner(log: OperationLog, branch: str) -> str | None:
    """The other series that was rendered on `branch`, where this one was not."""
    if log.tip_of(branch):
        return None
    for other in log.others():
        try:
            if other.tip_of(branch):
                return other.series
        except LogUnreadable:
            continue  # its own verbs will say so
    return None
