"""A rendered branch that somebody edited: what it was, and the commits it has now."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from kpatch_rs.commands import branches
from kpatch_rs.commands.given import of_commits
from kpatch_rs.commands.paired import Placed, Was
from kpatch_rs.errors import Gathered, KpatchError, Refused
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.kinds.base import Ground
from kpatch_rs.loader.load import RECIPE_LIMIT
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.operation import View
from kpatch_rs.model.series import Series
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.model.version import kernel_version, show_version


def rendering(
    repository: Repository, log: OperationLog, series: Series, branch: str | None
) -> tuple[View, Oid]:
    """The rendering that somebody edited, and where the branch is now."""
    view = branches.rendering(log, branch)
    if view is None:
        raise KpatchError(f"series {series.name} is not rendered yet", hint="kpatch-rs apply")
    tip = repository.branch(view.branch)
    if tip is None:
        raise KpatchError(
            f"branch {view.branch} is not there any more",
            hint=f"kpatch-rs apply{branches.option(log, view)} makes it again",
        )
    if where := repository.unfinished_at(view.branch):
        raise Refused(
            f"branch {view.branch} is being rebased or bisected in {where}",
            hint="end that first: git rebase --continue or --abort, git bisect reset",
        )
    digest = series.digest()
    if view.digest == digest:
        return view, tip
    # The files of the last refresh are not there: it was killed, or they were taken back.
    ours = [o for o in log.standing() if o.after and o.after.branch == view.branch]
    for after, before in pairwise(ours):
        refreshed = after.verb == "refresh" and after.after == view
        if refreshed and before.after and before.after.digest == digest:
            return before.after, tip
    if tip == view.tip:
        return view, tip
    raise Refused(
        f"both changed since series {series.name} was rendered: branch {view.branch}, and recipes",
        hint="put the recipes back as they were (git stash, where they are kept), refresh, "
        "and bring their changes back on top",
    )


def refuse_other_kernel(repository: Repository, view: View, tip: Oid) -> None:
    """Raises Refused where the branch no longer stands on the kernel it was rendered on."""
    was, now = (
        kernel_version(TreeOverlay(repository.tree(commit))) for commit in (view.tip or tip, tip)
    )
    if was == now and repository.is_below(view.base, tip):
        return
    which = f" ({show_version(now)})" if now and now != was else ""
    raise Refused(
        f"branch {view.branch} stands on another kernel{which} than {view.base_name}, "
        "on which the series was rendered",
        hint=f"put it back, git branch -f {view.branch} {(view.tip or tip)[:12]}, and let "
        "kpatch-rs rebase take the series there; or make another series of it with import",
    )


def rendered(repository: Repository, series: Series, view: View, tip: Oid) -> list[Was]:
    """The recipes that had a commit, with it."""
    recipes = {recipe.id: recipe for recipe in series.recipes}
    ids = {step.commit: step.id for step in view.steps}
    edits = tuple(edit for recipe in series.recipes for edit in recipe.edits)
    history = repository.history()
    return [
        Was(recipes[ids[p.commit.oid]], p, Ground(p.given.patch.before, history, None, edits))
        for p in placed(repository, view.base, tip)
    ]


def placed(repository: Repository, base: Oid, tip: Oid) -> list[Placed]:
    """The commits from `base` to `tip`. Raises KpatchError naming one that no recipe can be."""
    unfit = Gathered()
    commits = repository.commits_between(base, tip, unfit)
    given = list(of_commits(repository, base, commits, unfit))
    unfit.check()
    if len(commits) > RECIPE_LIMIT:
        raise KpatchError(f"{len(commits)} commits, and a series has {RECIPE_LIMIT} at most")
    return [Placed(*pair) for pair in zip(commits, given, strict=True)]


def refuse_empty(view: View, now: Sequence[Placed]) -> None:
    """Raises Refused where the branch was put back to its base: hardly to lose the recipes."""
    if not now:
        raise Refused(
            f"branch {view.branch} holds no commit any more: every recipe would go",
            hint=f"to have its commits again: git branch -f {view.branch} {(view.tip or '')[:12]}",
        )
