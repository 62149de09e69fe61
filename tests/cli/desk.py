"""A person at the branch of a rendered series: git commands in a work tree, then refresh."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.commands import apply, refresh
from kpatch_rs.commands.rendering import write_commits
from kpatch_rs.commands.session import Session
from kpatch_rs.demo import FIRST_RELEASE
from kpatch_rs.engine.render import render
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.loader.load import load_series
from kpatch_rs.model.series import Recipe
from tests.repos import Surroundings

BASE = FIRST_RELEASE
BRANCH = "kpatch/mini-rust-hello"
RUST = "arch/x86/kvm/rust_hello.rs"


class Desk:
    """A series, rendered; and a person at its branch."""

    def __init__(self, folder: Path, around: Surroundings) -> None:
        self.around = around
        self.kernel = folder / "mini.git"
        self.series = folder / "series/mini-rust-hello"
        self.tree = folder / "tree"
        self.session = Session(
            kernel=self.kernel,
            series="mini-rust-hello",
            cwd=folder,
            cache=folder / "cache",
            state=folder / "state",
            environment=dict(around.environment),
            progress=lambda _: None,
        )

    def render(self) -> None:
        report = apply.run(self.session, onto=None, branch=None, dry_run=False)
        assert report.exit_code == 0

    def sit_down(self) -> None:
        self.around.git(self.kernel, "worktree", "add", "-q", str(self.tree), BRANCH)

    def git(self, *args: str) -> str:
        return self.around.git(self.tree, *args)

    def write(self, name: str, data: bytes) -> None:
        (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
        (self.tree / name).write_bytes(data)

    def swap(self, name: str, old: str, new: str) -> None:
        file = self.tree / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def todo(self, *lines: str) -> None:
        """`git rebase -i` with these lines; `pick 3` is the third commit of the branch."""
        names = self.commits()
        words = [line.split(" ", 2) for line in lines]
        said = [" ".join((w[0], names[int(w[1]) - 1]) if w[0] != "exec" else w) for w in words]
        (self.tree.parent / "todo").write_text("\n".join(said) + "\n")
        editor = f"cp {shlex.quote(str(self.tree.parent / 'todo'))}"
        self.git("-c", f"sequence.editor={editor}", "-c", "core.editor=true", "rebase", "-qi", BASE)

    def amend(self, number: int, change: Callable[[], None], *args: str) -> None:
        """Change commit `number` (from 1), and put the later ones back on top of it."""
        names = self.commits()
        self.git("checkout", "-q", "--detach", names[number - 1])
        change()
        self.git("add", "-A")
        self.git("commit", "-q", "--amend", "--no-edit", *args)
        if names[number:]:
            self.git("cherry-pick", *names[number:])
        self.git("checkout", "-q", "-B", BRANCH)

    def commits(self) -> list[str]:
        return self.git("rev-list", "--reverse", f"{BASE}..{BRANCH}").split()

    def told(self, range_: str, what: str = "%T %an <%ae>%n%B") -> list[str]:
        return self.git("log", "--reverse", f"--format={what}%x00", range_).split("\0\n")

    def message(self, number: int) -> str:
        return self.git("log", "-1", "--format=%B", self.commits()[number - 1])

    def refresh(self) -> dict[str, tuple[str, ...]]:
        """Refresh; what was news about which recipe. Then all that must hold holds."""
        report = refresh.run(self.session, dry_run=False)
        assert report.tip == self.git("rev-parse", BRANCH)
        self.must_hold()
        return {row.id: row.news for row in report.rows if row.news}

    def must_hold(self) -> None:
        """The recipes give the branch's trees, messages and authors; the log knows its commits."""
        series = load_series(self.series)
        with self.session.open_kernel() as repository:
            base = repository.resolve(BASE)
            steps = render(series, repository.tree(base), repository.history())
            made = [c.commit for c in write_commits(repository, series, base, steps) if c]
            view = OperationLog(repository, series.name).current()
        assert self.told(f"{BASE}..{made[-1]}") == self.told(f"{BASE}..{BRANCH}")
        assert view is not None
        assert view.digest == series.digest()
        assert [s.commit for s in view.steps if s.commit] == self.commits()

    def recipes(self) -> dict[str, Recipe]:
        return {recipe.id: recipe for recipe in load_series(self.series).recipes}

    def files(self) -> dict[str, bytes]:
        found = (p for p in self.series.rglob("*") if p.is_file())
        return {str(p.relative_to(self.series)): p.read_bytes() for p in found}

    def text(self, name: str) -> str:
        return (self.series / name).read_text()


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def refused(desk: Desk, error: type[KpatchError] = KpatchError) -> KpatchError:
    """The error of refresh, which leaves all as it was."""
    before, refs = desk.files(), desk.around.refs(desk.kernel)
    with pytest.raises(error) as raised:
        refresh.run(desk.session, dry_run=False)
    assert (desk.files(), desk.around.refs(desk.kernel)) == (before, refs)
    assert raised.value.hint
    return raised.value
