"""What holds for the commands, with real git: the same commits anywhere, and nothing half done."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.commands import apply, rebase, undo
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import KpatchError
from kpatch_rs.loader.write import payloads, recipe_text
from kpatch_rs.model.outcome import Commit
from kpatch_rs.model.series import Series
from tests.properties.drift import drifted
from tests.properties.held import examples
from tests.properties.kernels import Kernel, kernels
from tests.properties.recipes import edits, series_of
from tests.properties.test_invariants import possible
from tests.repos import Surroundings, snapshot, surroundings

_HEAD = """format = 1
name = "random"
base = "{}"
change-id = "20260101-random-0123456789ab"
"""


@st.composite
def stories(draw: st.DrawFn) -> tuple[Kernel, Kernel, Series]:
    """A kernel, the same later, and a series for it, diffs included."""
    kernel = draw(kernels())
    later = draw(drifted(kernel))
    made = possible(draw(edits(kernel, most=4, diffs=draw(st.booleans()))), kernel.tree())
    return kernel, later, series_of(*made)


@contextmanager
def desk(old: Kernel, new: Kernel, series: Series) -> Iterator[tuple[Session, Surroundings]]:
    """A repository with the tags `old` and `new`, a work tree on the second, and the series."""
    with tempfile.TemporaryDirectory() as made:
        top = Path(made)
        around = surroundings(top / "home")
        kernel = top / "linux"
        around.git(top, "init", "-q", "--initial-branch=master", str(kernel))
        for tag, files in (("old", old), ("new", new)):
            around.git(kernel, "rm", "-rqf", "--ignore-unmatch", ".")
            for path in files.files:
                (kernel / path).parent.mkdir(parents=True, exist_ok=True)
                (kernel / path).write_bytes(files.data(path))
            around.git(kernel, "add", "-A")
            around.git(kernel, "commit", "-q", "--allow-empty", "-m", tag)
            around.git(kernel, "tag", tag)
        written(top / "series/random", series)
        session = Session(
            kernel=kernel,
            series="random",
            cwd=top,
            cache=top / "cache",
            state=top / "state",
            environment={**os.environ, **around.environment},
            progress=lambda _: None,
        )
        yield session, around


def state(kernel: Path) -> dict[str, tuple[int, str]]:
    """Work tree, index, refs and configuration; not the lock, which tells who holds it."""
    return {p: told for p, told in snapshot(kernel).items() if not p.endswith("random.lock")}


def written(folder: Path, series: Series) -> None:
    folder.mkdir(parents=True)
    (folder / "series.toml").write_text(_HEAD.format("old"))
    for number, recipe in enumerate(series.recipes, 1):
        (folder / f"{number:04}.toml").write_text(recipe_text(replace(recipe, body="Because.\n")))
        for payload in payloads(recipe):
            (folder / payload.name).parent.mkdir(exist_ok=True)
            (folder / payload.name).write_bytes(payload.data)


def files(session: Session) -> dict[str, bytes]:
    folder = session.series_folder()
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def on(session: Session, tag: str) -> tuple[Commit | None, ...] | None:
    """The commits of a rebase; None where it fails."""
    try:
        report = rebase.run(session, tag, check=False, dry_run=False, range_diff=False)
    except KpatchError:
        return None
    return report.commits if report.exit_code == 0 else None


@examples(4, cost=20)
@given(stories())
def test_commands_are_whole_or_nothing(story: tuple[Kernel, Kernel, Series]) -> None:
    """A failure leaves refs, index, work tree and series alone; there, back and undo are exact."""
    old, new, series = story
    with desk(old, new, series) as (session, around):
        kernel = session.kernel
        assert kernel is not None
        work = state(kernel)
        try:
            report = apply.run(session, onto=None, branch=None, dry_run=False)
        except KpatchError:
            report = None
        if report is None or report.exit_code:
            assert state(kernel) == work
            return
        first, series_files = report.commits, files(session)
        refs, work = around.refs(kernel), state(kernel)
        there = on(session, "new")
        if there is None:
            assert around.refs(kernel) == refs
            assert state(kernel) == work
            assert files(session) == series_files
            return
        taught = {n: d for n, d in files(session).items() if n != "series.toml"}
        assert on(session, "old") == first
        assert files(session) == {**taught, "series.toml": series_files["series.toml"]}
        assert on(session, "new") == there
        undo.run(session, None)
        tip = [c.commit for c in first if c]
        if tip:
            assert around.git(kernel, "rev-parse", "kpatch/random") == tip[-1]


@examples(3, cost=20)
@given(stories())
def test_commits_are_the_same_anywhere(story: tuple[Kernel, Kernel, Series]) -> None:
    old, _, series = story
    made = []
    for _ in range(2):
        with desk(old, old, series) as (session, _):
            made.append(on(session, "old"))
    assert made[0] == made[1]
