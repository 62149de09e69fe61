"""One series kept on several kernels at once, each rendering on a branch of its own.

The kernel: tags old, t1 … t4, each a commit in which the function stands a line lower.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kpatch_rs.commands import (
    apply,
    check,
    export,
    log,
    newest,
    rebase,
    refresh,
    show,
    status,
    undo,
)
from kpatch_rs.commands.rendering import RenderReport
from kpatch_rs.errors import KpatchError, Refused, Usage
from kpatch_rs.gitio.lock import lock
from kpatch_rs.loader.save import Prepared
from tests.cli.test_moved import CODE, MAKEFILE, OLD, RECIPE, SERIES, desk, kernel_with
from tests.repos import Surroundings

HOME, SIDE, THIRD = "kpatch/moved", "kpatch/moved-side", "kpatch/third"


@pytest.fixture
def kernel(kernel_repo: Callable[..., Path], around: Surroundings) -> Path:
    path = kernel_repo({OLD: CODE, "Makefile": MAKEFILE})
    around.git(path, "tag", "old")
    for number in range(1, 5):
        (path / OLD).write_bytes(b"\n" * number + CODE)
        around.git(path, "commit", "-q", "-a", "-m", f"change {number}")
        around.git(path, "tag", f"t{number}")
    return path


class House:
    """The verbs, and what is where."""

    def __init__(self, around: Surroundings, kernel: Path, top: Path) -> None:
        self.around, self.kernel = around, kernel
        self.session = desk(around, kernel, top)
        self.folder = top / "series/moved"

    def apply(
        self, branch: str | None = None, *, onto: str | None = None, dry_run: bool = False
    ) -> RenderReport:
        return apply.run(self.session, onto=onto, branch=branch, dry_run=dry_run)

    def rebase(self, rev: str, branch: str | None = None, **how: bool) -> RenderReport:
        said: dict[str, Any] = {"check": False, "dry_run": False, "range_diff": False, **how}
        return rebase.run(self.session, rev, **said, branch=branch)

    def undo(self, name: str | None = None) -> undo.UndoReport:
        return undo.run(self.session, name)

    def git(self, *args: str) -> str:
        return self.around.git(self.kernel, *args)

    def reword(self, old: str, new: str) -> None:
        file = self.folder / "0001-call.toml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    @property
    def base(self) -> str:
        return self.session.load_series().base

    @property
    def kernels(self) -> dict[str, str]:
        """Branch → the tag it stands on, as git has it."""
        names = self.git("for-each-ref", "--format=%(refname:short)", "refs/heads/kpatch").split()
        return {n: self.git("describe", "--tags", "--exact-match", f"{n}^") for n in names}

    def kept(self) -> dict[str, tuple[str, str, bool]]:
        """What status says: branch → base, how the branch is, whether recipes changed."""
        found = status.run(self.session).as_json()["branches"]
        keys = ("base-name", "branch-state", "series-changed")
        return {b["branch"]: tuple(b[key] for key in keys) for b in found}


@pytest.fixture
def house(kernel: Path, around: Surroundings, tmp_path: Path) -> House:
    return House(around, kernel, tmp_path)


@pytest.fixture
def two(house: House) -> House:
    """Kept on `old`, and last rendered beside it on t1."""
    house.apply()
    assert house.rebase("t1", SIDE).branch == SIDE
    return house


def fine(base: str) -> tuple[str, str, bool]:
    return base, "as rendered", False


def test_rebase_to_another_branch_leaves_this_one(two: House) -> None:
    assert two.kernels == {HOME: "old", SIDE: "t1"}
    assert two.base == "t1"
    assert list(two.kept().items()) == [(SIDE, fine("t1")), (HOME, fine("old"))]
    two.rebase("t2")
    assert two.kernels == {HOME: "old", SIDE: "t2"}, "the one last rendered"
    two.rebase("t3", HOME)
    assert two.kernels == {HOME: "t3", SIDE: "t2"}
    assert (two.base, list(two.kept())) == ("t3", [HOME, SIDE])


def test_it_is_compared_with_the_branchs_own_rendering(two: House) -> None:
    """And with the last one, where there is none of its own yet."""
    two.apply(HOME)
    (step,) = two.rebase("t3", SIDE, dry_run=True).steps
    assert str(step.edits[0].was) == f"{OLD}:6"
    report = two.rebase("t3", SIDE, range_diff=True)
    assert str(report.steps[0].edits[0].was) == f"{OLD}:6", "t1, not old"
    assert report.range_diff.startswith("1:  ")
    two.apply(HOME)
    (step,) = two.rebase("t4", "other").steps
    assert str(step.edits[0].was) == f"{OLD}:5", "old"


def test_apply_without_a_kernel_renders_where_it_was(two: House) -> None:
    assert two.apply().changed is False
    assert two.kernels == {HOME: "old", SIDE: "t1"}
    report = two.apply(HOME)
    assert (report.base_name, report.changed) == ("old", False)
    assert two.base == "old", "what it was last rendered on"
    two.reword("Call Rust", "Call it")
    assert two.kept() == {b: (k, "as rendered", True) for b, k in ((HOME, "old"), (SIDE, "t1"))}
    assert two.apply().branch == HOME
    assert two.apply(SIDE).changed
    assert two.kernels == {HOME: "old", SIDE: "t1"}
    assert two.kept() == {SIDE: fine("t1"), HOME: fine("old")}
    assert two.apply("fresh").base_name == "t1", "a new one: on the series' base"


def test_apply_somewhere_else_makes_that_the_last_one(house: House) -> None:
    house.apply()
    house.apply(SIDE, onto="t2")
    assert (house.base, house.apply().branch) == ("t2", SIDE)
    house.undo()
    assert (house.base, house.kernels) == ("old", {HOME: "old"})


def test_status_tells_who_moved_or_deleted_a_branch(two: House) -> None:
    two.apply(THIRD, onto="t2")
    two.git("branch", "-D", SIDE)
    two.git("branch", "-f", THIRD, "t4")
    assert two.kept() == {
        THIRD: ("t2", "moved since, not by kpatch-rs", False),
        SIDE: ("t1", "deleted since", False),
        HOME: fine("old"),
    }
    text = status.run(two.session, branch=HOME).as_text()
    assert f"on old ({two.git('rev-parse', 'old')[:12]}); branch {HOME}: as rendered" in text
    assert f"{SIDE}   t1 ({two.git('rev-parse', 't1')[:12]})" in text
    assert two.apply(SIDE).changed, "and it is there again"
    assert two.kept()[SIDE] == fine("t1")


def test_status_says_what_to_type_for_each(two: House) -> None:
    two.reword("Call Rust", "Call it")
    last = "the recipes changed since they were rendered: "
    said = status.run(two.session).as_text().splitlines()[-1]
    assert said == f"{last}kpatch-rs apply; kpatch-rs apply --branch {HOME}"
    two.apply()
    assert status.run(two.session).as_text().endswith(f"{last}kpatch-rs apply --branch {HOME}")
    two.apply(HOME)
    assert last not in status.run(two.session).as_text()


def test_undo_goes_back_over_the_branches(two: House) -> None:
    two.apply(HOME)
    two.rebase("t3", SIDE)
    two.rebase("t2", HOME)
    with pytest.raises(KpatchError, match="is not the last one"):
        two.undo(log_of(two)[1])
    states = []
    for _ in range(5):
        two.undo()
        states.append((two.base, two.kernels, list(two.kept())))
    assert states == [
        ("t3", {HOME: "old", SIDE: "t3"}, [SIDE, HOME]),
        ("old", {HOME: "old", SIDE: "t1"}, [HOME, SIDE]),
        ("t1", {HOME: "old", SIDE: "t1"}, [SIDE, HOME]),
        ("old", {HOME: "old"}, [HOME]),
        ("old", {}, []),
    ]
    with pytest.raises(KpatchError, match="nothing to undo"):
        two.undo()
    two.undo(log_of(two)[0])
    two.undo(log_of(two)[2])
    assert (two.base, two.kernels) == ("t1", {HOME: "old", SIDE: "t1"}), "done again, both"
    two.undo()
    assert (two.base, two.kernels) == ("old", {HOME: "old"}), "and undone again"


def log_of(house: House) -> list[str]:
    return [operation.id for operation in log.run(house.session, limit=None).operations]


def test_killed_before_the_base_is_written(two: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The series says another kernel than the log: neither branch is taken to it by chance."""

    def killed(_: Prepared) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Prepared, "commit", killed)
        two.rebase("t3", THIRD)
    assert (two.base, next(iter(two.kept()))) == ("t1", THIRD)
    assert two.apply().branch == SIDE
    assert two.kernels == {HOME: "old", SIDE: "t1", THIRD: "t3"}
    two.rebase("t3", THIRD)
    assert two.base == "t3"
    assert two.apply().branch == THIRD


def test_verbs_speak_of_the_branch_they_are_given(two: House) -> None:
    report = show.run(two.session, "call", branch=HOME)
    assert report.as_json()["base-name"] == "old"
    assert show.run(two.session, "call").as_json()["base-name"] == "t1"
    two.reword("Call Rust", "Call it")
    verbs: list[Callable[..., object]] = [
        lambda **b: check.run(two.session, step=None, fresh=False, trust=False, **b),
        lambda **b: export.run(
            two.session, out=Path("out"), version=None, force=False, unchecked=True, **b
        ),
    ]
    for verb in verbs:
        for branch, kernel, typed in ((None, "t1", ""), (HOME, "old", f" --branch {HOME}")):
            with pytest.raises(KpatchError, match=f"since it was rendered on {kernel}$") as error:
                verb(branch=branch)
            assert error.value.hint == f"render it again: kpatch-rs apply{typed}"
    told = refresh.run(two.session, dry_run=False, branch=HOME).as_text()
    assert told.endswith(f"the recipes changed since: kpatch-rs apply --branch {HOME}")
    for unknown in (
        *verbs,
        lambda **b: show.run(two.session, "call", **b),
        lambda **b: status.run(two.session, **b),
        lambda **b: refresh.run(two.session, dry_run=False, **b),
    ):
        with pytest.raises(KpatchError, match="moved is not rendered on a branch 'x'") as error:
            unknown(branch="x")
        assert error.value.hint == f"it is on {SIDE}, {HOME}"


def test_mails_of_a_branch(two: House) -> None:
    for branch, tag in ((HOME, "old"), (None, "t1")):
        out = Path(f"out-{tag}")
        report = export.run(
            two.session, out=out, version=None, force=False, unchecked=True, branch=branch
        )
        assert report.base_name == tag
        mail = (report.out / report.mails[0].file).read_text()
        assert f"base-commit: {two.git('rev-parse', tag)}" in mail


@pytest.mark.parametrize("branch", [f"{HOME}/t2", "kpatch", "a..b", "-x", "", "HEAD", "@{-1}"])
def test_names_that_cannot_be_are_refused_at_the_start(house: House, branch: str) -> None:
    """Before the series was rendered anywhere, too."""
    house.session = replace(house.session, progress=pytest.fail)
    refs = house.around.refs(house.kernel)
    for dry_run in (False, True):
        with pytest.raises(Usage):
            house.rebase("t1", branch, dry_run=dry_run)
        with pytest.raises(Usage):
            house.apply(branch, dry_run=dry_run)
    assert house.around.refs(house.kernel) == refs


def test_branches_that_are_somebodys_are_refused_at_the_start(two: House, tmp_path: Path) -> None:
    other = tmp_path / "series/other"
    other.mkdir()
    (other / "series.toml").write_text(SERIES.replace("moved", "other"))
    (other / "0001-call.toml").write_text(RECIPE)
    apply.run(
        replace(two.session, series="other"), onto=None, branch="kpatch/other-old", dry_run=False
    )
    two.git("branch", "mine")
    two.git("checkout", "-q", SIDE)
    refs = two.around.refs(two.kernel)
    two.session = replace(two.session, progress=pytest.fail)
    for branch, said, hint in (
        ("kpatch/other-old", "is the series other's$", f"give another branch: --branch {HOME}-"),
        ("mine", "holds commits that kpatch-rs did not put there", "git branch -m mine NAME"),
        (SIDE, "is checked out in", "--branch NAME"),
    ):
        for run in (two.rebase, lambda rev, branch: two.apply(branch, onto=rev)):
            with pytest.raises(Refused, match=f"branch {branch} {said}") as error:
                run("t2", branch)
            assert hint in error.value.hint
    assert two.around.refs(two.kernel) == refs


def test_a_branch_that_need_not_move_may_be_checked_out(two: House) -> None:
    two.git("checkout", "-q", HOME)
    assert two.apply(HOME).changed is False
    assert list(two.kept()) == [HOME, SIDE]
    two.reword("Call Rust", "Call it")
    with pytest.raises(Refused, match=f"branch {HOME} is checked out"):
        two.apply()


def test_a_base_that_series_toml_cannot_hold_is_kept_by_its_name(two: House) -> None:
    for run in (two.rebase, lambda rev: two.apply(onto=rev)):
        two.apply(HOME)
        run("master^{/change 2}")
        assert two.base == two.git("rev-parse", "t2")
        assert two.kernels == {HOME: "t2", SIDE: "t1"}
        two.undo()
        assert two.base == "old"


def test_what_one_branch_teaches_makes_the_other_old(
    around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path
) -> None:
    new = "sound/codecs/renesas/ctu.c"
    house = House(around, kernel_with(around, kernel_repo, new, CODE), tmp_path)
    house.apply()
    house.rebase("new", SIDE)
    assert f'also = ["{new}"]' in (house.folder / "0001-call.toml").read_text()
    assert house.kept() == {SIDE: fine("new"), HOME: ("old", "as rendered", True)}
    assert house.apply(HOME).changed is False
    assert house.kept() == {HOME: fine("old"), SIDE: fine("new")}


def test_refresh_of_a_branch_that_was_not_the_last_one(
    two: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between log and files, the next one does the files again."""
    two.git("worktree", "add", "-q", str(tmp_path / "tree"), HOME)
    two.around.git(tmp_path / "tree", "commit", "-q", "--amend", "-m", "ASoC: Call it")

    def killed(_: Prepared) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Prepared, "commit", killed)
        refresh.run(two.session, dry_run=False, branch=HOME)
    assert two.base == "t1"
    assert two.kept() == {HOME: ("old", "as rendered", True), SIDE: fine("t1")}
    refresh.run(two.session, dry_run=False)
    assert "ASoC: Call it" in (two.folder / "0001-call.toml").read_text()
    assert two.base == "old"
    assert two.kept() == {HOME: fine("old"), SIDE: ("t1", "as rendered", True)}
    two.git("worktree", "remove", str(tmp_path / "tree"))
    two.undo()
    assert two.base == "t1"
    assert {b: k for b, (k, *_) in two.kept().items()} == {SIDE: "t1", HOME: "old"}


def test_two_at_once(two: House) -> None:
    for tag in ("t2", "t3"):
        with ThreadPoolExecutor(2) as runs:
            done = runs.map(two.rebase, (tag, tag), (HOME, SIDE))
            assert [report.branch for report in done] == [HOME, SIDE]
        assert two.kernels == {HOME: tag, SIDE: tag}
        assert two.kept() == {HOME: fine(tag), SIDE: fine(tag)}


@pytest.mark.parametrize("verb", ["apply", "rebase"])
def test_who_waits_renders_what_the_other_one_left(two: House, verb: str) -> None:
    waits: list[str] = []
    held = ExitStack()

    def told(line: str) -> None:
        if line.startswith("waiting"):
            waits.append(line)
            two.reword("Call Rust", "Call it")
            held.close()

    two.session = replace(two.session, progress=told)
    with two.session.open_kernel() as repository:
        held.enter_context(lock(repository, "moved", print))
        two.apply(HOME) if verb == "apply" else two.rebase("t2", HOME)
    assert len(waits) == 1
    assert two.git("log", "-1", "--format=%s", HOME) == "ASoC: Call it"
    assert two.kept()[HOME][2] is False


def test_newest_of_goes_on_its_branch_too(two: House) -> None:
    how = {"check": False, "dry_run": False, "range_diff": False}
    nothing_tried = replace(two.session, progress=pytest.fail)
    with pytest.raises(Usage, match="cannot stand beside"):
        newest.run(nothing_tried, "old..t4", **how, branch=f"{HOME}/4")
    report = newest.run(two.session, "old..t4", **how, branch="kpatch/moved-4")
    assert report.rebased.branch == "kpatch/moved-4"
    assert two.kernels == {HOME: "old", SIDE: "t1", "kpatch/moved-4": "t4"}
