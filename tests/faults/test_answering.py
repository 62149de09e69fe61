"""SIGKILL while a conflict is laid out and while its answer is taken, moment by moment."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from kpatch_rs.commands import rebase
from kpatch_rs.gitio.running import Conversation, Git
from tests.cli.test_answering import ANSWER, RECIPE, Desk
from tests.faults import work
from tests.repos import Surroundings


def die_at(moment: int) -> None:
    """Kill this process at its `moment`th dealing with git, or file put in its place."""
    count = 0

    def counting(method: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*args, **kwargs)

        return counted

    for owner, names in (
        (Git, ["start"]),
        (Conversation, ["send"]),
        (Path, ["replace", "rename", "unlink", "mkdir"]),
        (os, ["rmdir"]),
    ):
        for name in names:
            setattr(owner, name, counting(getattr(owner, name)))


def runs_until_it_is_through(desk: Desk, stride: int, state: Callable[[], Any]) -> list[Any]:
    """Run `rebase --edit` killed ever later; what `state` says after each run."""

    def act(moment: int) -> None:
        die_at(moment)
        rebase.run(desk.session, "new", check=False, dry_run=False, range_diff=False, edit=True)

    seen = []
    for moment in range(1, 2000, stride):
        code = work.forked(partial(act, moment))
        seen.append(state())
        if code == 0:
            return seen
        assert code == -signal.SIGKILL
    raise AssertionError("it never ended")


def test_killed_anywhere(
    kernel_repo: Callable[..., Path], around: Surroundings, tmp_path: Path
) -> None:
    desk = Desk(around, kernel_repo(), tmp_path, "a")
    desk.apply()
    old = desk.trees()

    def asked() -> tuple[str, bool]:
        """Nothing but a folder comes to be; where there is one, it is whole."""
        assert desk.recipe("a") == RECIPE.format(id="a")
        assert desk.trees() == old
        made = [folder for folder in desk.folders if not folder.name.startswith(".")]
        for folder in made:
            assert b"<<<<<<<" in (folder / "drivers/a.c").read_bytes()
            desk.around.git(folder, "diff", "--quiet", "HEAD", "--", "Makefile")
        return "asked", bool(made)

    first = runs_until_it_is_through(desk, 3, asked)
    assert {("asked", True), ("asked", False)} == set(first)
    desk.answer("a")

    def taken() -> tuple[bool, bool]:
        """The answer is in the folder until it is in the recipe."""
        in_recipe = desk.recipe("a") != RECIPE.format(id="a")
        if not in_recipe:
            assert (desk.folder / "drivers/a.c").read_bytes() == ANSWER
        desk.session.load_series()
        return in_recipe, desk.trees() != old

    second = runs_until_it_is_through(desk, 2, taken)
    assert second == sorted(second), "recipe first, branch last, and nothing goes back"
    assert {(False, False), (True, False), (True, True)} == set(second)
    assert len(second) > 10
    assert desk.folders == []
    assert desk.rebase("new").changed is False
    assert desk.rebase("old").exit_code == 0
    assert desk.trees() == old
