"""A conflict between 6.12 and 7.2, answered once: neither asks again, and no byte differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpatch_rs.commands import apply, rebase
from kpatch_rs.commands.rendering import RenderReport
from kpatch_rs.commands.session import Session
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.tree import File
from kpatch_rs.syntax.diff_write import FilePair, git_diff
from tests.kernel.conftest import Kernels, git

FORK = repo_path("kernel/fork.c")
OLD = b"\tp->trc_reader_special.s = 0;\n"
"""In rcu_copy_process() of 6.12; 7.2 has the line before it, and no such field."""
RUST = b"\trust_reset(&p->trc_reader_special.s);\n"
BEFORE = b"\tp->trc_reader_nesting = 0;\n"
ANSWER = BEFORE + b"\trust_reset(p);\n"
SERIES = 'format = 1\nname = "fork"\nbase = "{}"\nchange-id = "20260101-fork-0123456789ab"\n'
RECIPE = (
    'id = "reset"\nsubject = "rcu: Reset in Rust"\nauthor = "A <a@example.org>"\n'
    '[[edit]]\nkind = "patch"\ndiff = "files/reset.diff"\n'
)


@pytest.fixture
def session(kernels: Kernels, tmp_path: Path) -> Session:
    """A series with one patch for 6.12, and a repository of its own."""
    mine = tmp_path / "linux.git"
    git(tmp_path, "clone", "-q", "--shared", "--bare", str(kernels.repository), str(mine))
    with Repository.open(mine, kernels.environment) as repository:
        old = repository.tree(repository.resolve(kernels.newest["6.12"])).read(FORK)
    assert old is not None
    assert old.data.count(OLD) == 1
    new = File(old.data.replace(OLD, RUST))
    series = tmp_path / "series/fork"
    (series / "files").mkdir(parents=True)
    (series / "series.toml").write_text(SERIES.format(kernels.newest["6.12"]))
    (series / "0001-reset.toml").write_text(RECIPE)
    pair = FilePair(old_path=FORK, new_path=FORK, old=old, new=new)
    (series / "files/reset.diff").write_bytes(git_diff([pair], 40))
    return Session(
        kernel=mine,
        series="fork",
        cwd=tmp_path,
        cache=tmp_path / "cache",
        state=tmp_path / "state",
        environment=dict(kernels.environment),
        progress=lambda _: None,
    )


def test_answered_once(session: Session, kernels: Kernels) -> None:
    def to(line: str, *, edit: bool = False) -> RenderReport:
        rev = kernels.newest[line]
        return rebase.run(session, rev, check=False, dry_run=False, range_diff=False, edit=edit)

    def tree() -> str:
        assert session.kernel is not None
        return git(session.kernel, "rev-parse", "kpatch/fork^{tree}")

    apply.run(session, onto=None, branch=None, dry_run=False)
    old = tree()
    asked = to("7.2", edit=True).as_json()["asked"]
    folder = Path(asked["folder"])
    assert [place.partition(":")[0] for place in asked["markers"]] == ["kernel/fork.c"]
    assert (folder / "kernel/sched").exists() is False, "only what it is about is checked out"
    assert RUST in (folder / "kernel/fork.c").read_bytes()
    git(folder, "restore", "kernel/fork.c")
    fresh = (folder / "kernel/fork.c").read_bytes()
    assert fresh.count(BEFORE) == 1
    (folder / "kernel/fork.c").write_bytes(fresh.replace(BEFORE, ANSWER))
    assert to("7.2", edit=True).exit_code == 0
    new = tree()
    for line, wanted in (("6.12", old), ("7.2", new), ("6.12", old)):
        assert to(line).exit_code == 0
        assert tree() == wanted
