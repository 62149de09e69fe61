from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from kpatch_rs.errors import KpatchError, Refused, Usage
from kpatch_rs.gitio import refs
from kpatch_rs.gitio.refs import Move, RefMoved
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.gitio.running import Conversation, GitFailed
from kpatch_rs.model.oid import Oid
from tests.git.test_writing import commit
from tests.repos import Surroundings

ONE, TWO = "refs/heads/kpatch/one", "refs/kpatch/one/log"


@pytest.fixture
def commits(repository: Repository) -> tuple[Oid, Oid]:
    base = repository.resolve("HEAD")
    first, second = repository.write(base, [commit({"f": b"1"}), commit({"f": b"2"})])
    return first.commit, second.commit


def test_moves_make_change_and_delete(repository: Repository, commits: tuple[Oid, Oid]) -> None:
    a, b = commits
    git = repository.git
    refs.move(git, [Move(ONE, None, a), Move(TWO, None, b)], "make")
    assert (refs.read(git, ONE), refs.read(git, TWO)) == (a, b)
    refs.move(git, [Move(ONE, a, b), Move(TWO, b, None)], "change")
    assert (refs.read(git, ONE), refs.read(git, TWO)) == (b, None)


@pytest.mark.parametrize("wrong", ["elsewhere", "gone", "there"])
def test_one_ref_that_moved_stops_them_all(
    repository: Repository, commits: tuple[Oid, Oid], wrong: str
) -> None:
    a, b = commits
    git = repository.git
    if wrong != "gone":
        refs.move(git, [Move(TWO, None, a)], "somebody else")
    old = {"elsewhere": b, "gone": a, "there": None}[wrong]
    now = refs.read(git, TWO)
    with pytest.raises(RefMoved, match="refs/kpatch/one/log has moved: it is ") as error:
        refs.move(git, [Move(ONE, None, a), Move(TWO, old, b)], "x")
    assert error.value.exit_code == 1
    assert refs.read(git, ONE) is None
    assert refs.read(git, TWO) == now


def test_name_that_stands_in_the_way_is_named(
    repository: Repository, commits: tuple[Oid, Oid]
) -> None:
    git = repository.git
    refs.move(git, [Move("refs/heads/kpatch", None, commits[0])], "x")
    with pytest.raises(Usage, match="branch kpatch/one cannot stand beside branch kpatch: "):
        refs.move(git, [Move(ONE, None, commits[0])], "x")


@pytest.mark.parametrize(
    ("wanted", "there", "instead"),
    [
        ("kpatch/one/7.2/x", "kpatch/one", "kpatch/one-7.2-x"),
        ("side/by/side", "side", "side-by-side"),
        ("up", "up/there/far", "up-series"),
        ("kpatch", "kpatch/one", "kpatch-series"),
    ],
)
def test_names_that_cannot_stand_beside_another(
    repository: Repository,
    commits: tuple[Oid, Oid],
    around: Surroundings,
    wanted: str,
    there: str,
    instead: str,
) -> None:
    """git says the same, at the end; and takes what is offered instead."""
    git = repository.git
    names = ["side", "up/there/far", "sides", "kpatch/one-8"]
    refs.move(git, [Move(refs.branch_ref(name), None, commits[0]) for name in names], "x")
    said = re.escape(f"branch {wanted} cannot stand beside branch {there}: ")
    with pytest.raises(Usage, match=said) as error:
        repository.refuse_beside(wanted, "kpatch/one")
    assert error.value.hint == f"give another branch: --branch {instead}"
    moves = [
        Move(refs.branch_ref(name), None, commits[0])
        for name in (wanted, *(() if there in names else (there,)))
    ]
    with pytest.raises((Usage, GitFailed)):
        refs.move(git, moves, "x")
    repository.refuse_beside(instead, "kpatch/one")
    refs.move(git, [Move(refs.branch_ref(instead), None, commits[0])], "x")


@pytest.mark.parametrize("wanted", ["kpatch/one", "kpatch/one-7.2", "sid", "side-1", "up/they"])
def test_names_that_can(repository: Repository, commits: tuple[Oid, Oid], wanted: str) -> None:
    names = ["side", "up/there/far"]
    moves = [Move(refs.branch_ref(name), None, commits[0]) for name in names]
    refs.move(repository.git, moves, "x")
    repository.refuse_beside(wanted, "kpatch/one")


def test_lock_file_left_behind_is_named_and_kept(
    repository: Repository, commits: tuple[Oid, Oid]
) -> None:
    lock = repository.common_dir / f"{TWO}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(KpatchError, match=r"one/log\.lock is in the way") as error:
        refs.move(repository.git, [Move(ONE, None, commits[0]), Move(TWO, None, commits[0])], "x")
    assert "remove the file" in error.value.hint
    assert lock.exists()
    assert refs.read(repository.git, ONE) is None


def test_a_commit_that_is_not_there_is_no_place_to_go(repository: Repository) -> None:
    with pytest.raises(GitFailed, match="nonexistent object"):
        refs.move(repository.git, [Move(ONE, None, Oid("1" * 40))], "x")


def test_success_is_gits_word_and_not_its_exit_code(
    repository: Repository, commits: tuple[Oid, Oid], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`update-ref --stdin` drops everything and exits with 0 where `commit` does not arrive."""
    send = Conversation.send
    monkeypatch.setattr(
        Conversation,
        "send",
        lambda self, data: self.close() if data == b"commit\0" else send(self, data),
    )
    with pytest.raises((GitFailed, ValueError)):
        refs.move(repository.git, [Move(ONE, None, commits[0])], "x")
    assert refs.read(repository.git, ONE) is None


def test_interrupt_waits_for_gits_answer(
    repository: Repository, commits: tuple[Oid, Oid], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Conversation.send

    def interrupted(self: Conversation, data: bytes) -> None:
        if data == b"commit\0":
            os.kill(os.getpid(), signal.SIGINT)
        send(self, data)

    monkeypatch.setattr(Conversation, "send", interrupted)
    with pytest.raises(KeyboardInterrupt):
        refs.move(repository.git, [Move(ONE, None, commits[0])], "x")
    assert refs.read(repository.git, ONE) == commits[0]


@pytest.mark.parametrize(
    "name", ["-x", "a..b", "a.lock", "", "a b", "x/", "@{-1}", "a\nb", "a\0b", "HEAD", "a\udcff"]
)
def test_branch_names_git_would_misread(repository: Repository, name: str) -> None:
    with pytest.raises(Usage, match="cannot name a branch"):
        repository.branch(name)


def test_branch_is_exact(repository: Repository) -> None:
    assert repository.branch("master") == repository.resolve("HEAD")
    for nothing in ("mast", "heads/master", "v6.12.1"):
        assert repository.branch(nothing) is None


class TestCheckedOut:
    """A branch somebody stands on, in whatever way."""

    def refused(self, repository: Repository, branch: str, where: Path) -> None:
        assert repository.checked_out_at(branch) == where
        with pytest.raises(Refused, match=f"branch {branch} is checked out in {where}") as error:
            repository.refuse_if_checked_out(branch)
        assert error.value.exit_code == 5
        assert error.value.hint.startswith("switch that work tree to another branch")

    def test_here(self, repository: Repository, tmp_path: Path, around: Surroundings) -> None:
        self.refused(repository, "master", tmp_path / "kernel")
        around.git(tmp_path / "kernel", "checkout", "-q", "--detach")
        assert repository.checked_out_at("master") is None
        repository.refuse_if_checked_out("master")

    def test_unborn(self, repository: Repository, tmp_path: Path, around: Surroundings) -> None:
        around.git(tmp_path / "kernel", "checkout", "-q", "--orphan", "fresh")
        self.refused(repository, "fresh", tmp_path / "kernel")

    @pytest.mark.parametrize("gone", [False, True])
    def test_in_a_linked_work_tree(
        self, repository: Repository, tmp_path: Path, around: Surroundings, gone: bool
    ) -> None:
        where = tmp_path / "linked\nto"
        around.git(tmp_path / "kernel", "worktree", "add", "-q", "-b", "side", str(where))
        if gone:
            where.rename(tmp_path / "elsewhere")
        self.refused(repository, "side", where)
        with Repository.open(
            tmp_path / "elsewhere" if gone else where, around.environment
        ) as linked:
            assert linked.common_dir == repository.common_dir
            assert linked.git_dir != linked.common_dir
            assert linked.resolve("HEAD") == repository.resolve("side")

    @pytest.mark.parametrize("linked", [False, True])
    @pytest.mark.parametrize("how", ["rebase --merge", "rebase --apply", "bisect"])
    def test_where_a_rebase_or_bisect_will_come_back(
        self, repository: Repository, tmp_path: Path, around: Surroundings, how: str, linked: bool
    ) -> None:
        where = tmp_path / "kernel"
        if linked:
            where = tmp_path / "linked"
            around.git(tmp_path / "kernel", "worktree", "add", "-q", str(where))
        around.git(where, "checkout", "-q", "-b", "side")
        for text in ("ours", "theirs"):
            (where / "f").write_text(text)
            around.git(where, "add", "f")
            around.git(where, "commit", "-q", "-m", text)
            around.git(where, "branch", text)
            around.git(where, "reset", "-q", "--hard", "v6.12.1")
        around.git(where, "reset", "-q", "--hard", "ours")
        if how == "bisect":
            around.git(where, "bisect", "start", "HEAD", "v6.12.1")
            around.git(where, "checkout", "-q", "--detach")
        else:
            with pytest.raises(AssertionError, match=r"conflict|Failed to merge"):
                around.git(where, *how.split(), "theirs")
        self.refused(repository, "side", where)
        assert repository.checked_out_at("ours") is None

    def test_not_by_a_bare_repository(
        self, repository: Repository, tmp_path: Path, around: Surroundings
    ) -> None:
        around.git(tmp_path, "clone", "-q", "--bare", "kernel", "bare.git")
        with Repository.open(tmp_path / "bare.git", around.environment) as bare:
            assert bare.checked_out_at("master") is None

    def test_symbolic_ref(
        self, repository: Repository, tmp_path: Path, around: Surroundings
    ) -> None:
        around.git(tmp_path / "kernel", "symbolic-ref", "refs/heads/alias", "refs/heads/master")
        with pytest.raises(Refused, match="alias is a symbolic ref to refs/heads/master"):
            repository.refuse_if_checked_out("alias")
