from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.errors import KpatchError, Refused
from kpatch_rs.gitio.oplog import LogUnreadable, OperationLog
from kpatch_rs.gitio.refs import RefMoved
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.operation import BranchMove, Operation, StepRecord, View
from tests.git.test_writing import commit
from tests.repos import Surroundings

BRANCH = "kpatch/hello"


def rendered(repository: Repository, text: bytes, branch: str = BRANCH) -> View:
    """A view of one step, written."""
    base = repository.resolve("v6.12.1")
    (made,) = repository.write(base, [commit({"f": text})])
    step = StepRecord(
        id="kbuild",
        subject="KVM: x86: Grüße",
        status="exact",
        reason="",
        commit=made.commit,
        tree=made.tree,
    )
    skipped = StepRecord(id="s", subject="s", status="skipped", reason="no", commit=None, tree=None)
    return View(
        branch=branch,
        base_name="v6.12.1",
        base=base,
        tip=made.commit,
        steps=(step, skipped),
        digest="0" * 64,
    )


@pytest.fixture
def log(repository: Repository) -> OperationLog:
    return OperationLog(repository, "hello")


def record(log: OperationLog, view: View | None, verb: str = "apply") -> Operation:
    old = log.repository.branch(view.branch if view else BRANCH)
    return log.record(verb, f"{verb} it", view, time=1700000000, branch_old=old)


def undo(log: OperationLog) -> Operation:
    newest = log.entries(limit=1)[0]
    now = log.repository.branch(newest.moves[0].branch)
    return log.record("undo", "", newest.before, time=1700000001, branch_old=now, undoes=newest.id)


def test_empty(log: OperationLog) -> None:
    assert log.entries() == ()
    assert log.current() is None
    assert log.tip_of(BRANCH) is None


def test_operations_read_back_as_recorded(log: OperationLog) -> None:
    one, two = rendered(log.repository, b"1"), rendered(log.repository, b"2")
    first, second = record(log, one), record(log, two, "rebase")
    assert log.entries() == (second, first)
    assert log.entries(limit=1) == (second,)
    assert log.entries(limit=0) == ()
    assert (first.before, first.after, second.before, second.after) == (None, one, one, two)
    assert second.moves == (BranchMove(branch=BRANCH, old=one.tip, new=two.tip),)
    assert (second.verb, second.summary, second.time) == ("rebase", "rebase it", 1700000000)
    assert log.current() == two
    assert log.repository.branch(BRANCH) == log.tip_of(BRANCH) == two.tip


def test_undo_and_redo(log: OperationLog) -> None:
    one, two = rendered(log.repository, b"1"), rendered(log.repository, b"2")
    record(log, one)
    second = record(log, two)
    assert undo(log).undoes == second.id
    assert (log.current(), log.repository.branch(BRANCH)) == (one, one.tip)
    undo(log)
    assert (log.current(), log.repository.branch(BRANCH)) == (two, two.tip), "undo of an undo"


def test_undo_of_the_first_removes_the_branch_and_redo_brings_it_back(log: OperationLog) -> None:
    view = rendered(log.repository, b"1")
    record(log, view)
    undo(log)
    assert (log.current(), log.repository.branch(BRANCH)) == (None, None)
    undo(log)
    assert (log.current(), log.repository.branch(BRANCH)) == (view, view.tip)


def test_undo_of_a_rendering_on_another_branch_leaves_the_first_alone(log: OperationLog) -> None:
    one, two = rendered(log.repository, b"1"), rendered(log.repository, b"2", "other")
    record(log, one)
    record(log, two)
    assert log.tip_of(BRANCH) == one.tip
    undo(log)
    assert log.current() == one
    assert log.repository.branch(BRANCH) == one.tip
    assert log.repository.branch("other") is None


class TestSeveralBranches:
    """Each branch keeps its own newest view, whatever was done to others and undone since."""

    def test_each_has_its_newest_view(self, log: OperationLog) -> None:
        one, two = rendered(log.repository, b"1"), rendered(log.repository, b"2", "side")
        record(log, one)
        record(log, two)
        assert (list(log.kept()), log.current()) == ([two, one], two)
        three = rendered(log.repository, b"3")
        record(log, three)
        assert (list(log.kept()), log.current()) == ([three, two], three)
        assert (log.kept_on("side"), log.kept_on(BRANCH)) == (two, three)
        assert log.kept_on("sid") is None

    def test_undo_brings_back_what_that_branch_had(self, log: OperationLog) -> None:
        """Not what was last rendered before: that was on the other one."""
        side = [rendered(log.repository, text, "side") for text in (b"1", b"2")]
        one = rendered(log.repository, b"3")
        for view in (side[0], one, side[1]):
            record(log, view)
        undo(log)
        assert (list(log.kept()), log.current()) == ([one, side[0]], one)
        assert log.repository.branch("side") == side[0].tip
        undo(log)
        assert (list(log.kept()), log.current()) == ([side[1], one], side[1]), "done again"

    def test_what_is_undone_does_not_stand(self, log: OperationLog) -> None:
        views = [rendered(log.repository, text) for text in (b"1", b"2", b"3")]
        first, second, third = (record(log, view) for view in views)
        assert list(log.standing()) == [third, second, first]
        undone = undo(log)
        assert list(log.standing()) == [second, first]
        again = undo(log)
        assert list(log.standing()) == [third, second, first]
        assert list(log.standing(undone.id)) == [second, first]
        assert list(log.standing(again.id)) == list(log.standing(third.id))

    def test_a_branch_nobody_moves_may_be_checked_out(
        self, log: OperationLog, around: Surroundings, tmp_path: Path
    ) -> None:
        one, two = rendered(log.repository, b"1"), rendered(log.repository, b"2", "side")
        record(log, one)
        record(log, two)
        around.git(tmp_path / "kernel", "checkout", "-q", BRANCH)
        record(log, one)
        assert (log.current(), list(log.kept())) == (one, [one, two])
        with pytest.raises(Refused, match=f"branch {BRANCH} is checked out"):
            record(log, rendered(log.repository, b"3"))


def test_undo_works_after_gc(log: OperationLog, around: Surroundings, tmp_path: Path) -> None:
    one, two = rendered(log.repository, b"1"), rendered(log.repository, b"2")
    record(log, one)
    record(log, two)
    around.git(tmp_path / "kernel", "reflog", "expire", "--expire=now", "--all")
    around.git(tmp_path / "kernel", "gc", "-q", "--prune=now")
    undo(log)
    assert log.repository.branch(BRANCH) == one.tip
    around.git(tmp_path / "kernel", "fsck", "--strict")


def test_moved_branch_stops_the_operation(
    log: OperationLog, around: Surroundings, tmp_path: Path
) -> None:
    view = rendered(log.repository, b"1")
    record(log, view)
    around.git(tmp_path / "kernel", "branch", "-f", BRANCH, "HEAD")
    before = around.refs(tmp_path / "kernel")
    again = rendered(log.repository, b"2")
    with pytest.raises(RefMoved, match=f"branch {BRANCH} has moved"):
        log.record("apply", "", again, time=1, branch_old=view.tip)
    assert around.refs(tmp_path / "kernel") == before


def test_checked_out_branch_is_refused(
    log: OperationLog, around: Surroundings, tmp_path: Path
) -> None:
    view = rendered(log.repository, b"1", "master")
    before = around.refs(tmp_path / "kernel")
    with pytest.raises(Refused, match="master is checked out"):
        record(log, view)
    assert around.refs(tmp_path / "kernel") == before


def test_adopted_commits_stay_where_they_are(
    log: OperationLog, around: Surroundings, tmp_path: Path
) -> None:
    """Somebody moved the branch, and stands on it: the log says so, and undo takes it back."""
    view, theirs = rendered(log.repository, b"1"), rendered(log.repository, b"2")
    record(log, view)
    kernel = tmp_path / "kernel"
    with pytest.raises(RefMoved):
        log.record("refresh", "", theirs, time=1, branch_old=view.tip, adopts=True)
    around.git(kernel, "checkout", "-q", "-B", BRANCH, str(theirs.tip))
    log.record("refresh", "", theirs, time=1, branch_old=view.tip, adopts=True)
    assert log.repository.branch(BRANCH) == log.tip_of(BRANCH) == theirs.tip
    around.git(kernel, "checkout", "-q", "master")
    undo(log)
    assert (log.current(), log.repository.branch(BRANCH)) == (view, view.tip)


def test_reflog_says_who(log: OperationLog, around: Surroundings, tmp_path: Path) -> None:
    record(log, rendered(log.repository, b"1"))
    said = around.git(tmp_path / "kernel", "reflog", "-1", "--format=%gs", BRANCH)
    assert said == "kpatch-rs: apply: apply it"


def test_odd_words_survive(log: OperationLog) -> None:
    view = rendered(log.repository, b"1")
    words = "a\nfrom 1\n\x1b[31m\udcff\0 ß"
    log.record(words, words, view, time=1, branch_old=None)
    assert log.entries()[0].summary == words


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "-x", "a.lock", "a..b", ".a", "a~1", "ä"])
def test_series_names_that_no_ref_can_have(repository: Repository, name: str) -> None:
    with pytest.raises(KpatchError, match="cannot name a series"):
        OperationLog(repository, name)


class TestUnreadable:
    """Something else than a log at its ref: an error that names it, whatever it is."""

    def put(self, around: Surroundings, path: Path, content: bytes | None) -> None:
        """A commit holding operation.json with `content`, at the log's ref."""
        tree_line = b""
        if content is not None:
            blob = around.git(path, "hash-object", "-w", "--stdin", data=content)
            tree_line = f"100644 blob {blob}\toperation.json\n".encode()
        tree = around.git(path, "mktree", data=tree_line)
        made = around.git(path, "commit-tree", "-m", "x", tree)
        around.git(path, "update-ref", "refs/kpatch/hello/log", made)

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (None, "it holds no operation"),
            (b"", "malformed"),
            (b"\xff", "malformed"),
            (b"[]", "malformed"),
            (b"null", "malformed"),
            (b"[" * 100_000, "malformed"),
            (b'{"format": 1}', "malformed"),
            (b'{"format": true}', "malformed"),
        ],
    )
    def test_content(
        self, log: OperationLog, around: Surroundings, tmp_path: Path, content: bytes, why: str
    ) -> None:
        self.put(around, tmp_path / "kernel", content)
        with pytest.raises(LogUnreadable, match=why) as error:
            log.current()
        assert "refs/kpatch/hello/log" in error.value.message
        assert "git update-ref -d refs/kpatch/hello/log" in error.value.hint

    def test_newer_format_is_said_first(
        self, log: OperationLog, around: Surroundings, tmp_path: Path
    ) -> None:
        self.put(around, tmp_path / "kernel", json.dumps({"format": 2, "new": []}).encode())
        with pytest.raises(LogUnreadable, match=r"refs/kpatch/hello/log is in format 2"):
            log.entries()

    def test_wrong_type_of_one_field(
        self, log: OperationLog, around: Surroundings, tmp_path: Path
    ) -> None:
        operation = record(log, rendered(log.repository, b"1"))
        path = tmp_path / "kernel"
        body = json.loads(around.git(path, "show", f"{operation.id}:operation.json"))
        for broken in ({"after": {"branch": 1}}, {"moves": 3}, {"previous": "x"}, {"time": "soon"}):
            self.put(around, path, json.dumps(body | broken).encode())
            with pytest.raises(LogUnreadable):
                log.entries()

    def test_a_blob_at_the_ref(
        self, log: OperationLog, around: Surroundings, tmp_path: Path
    ) -> None:
        blob = around.git(tmp_path / "kernel", "rev-parse", "HEAD:Makefile")
        around.git(tmp_path / "kernel", "update-ref", "refs/kpatch/hello/log", blob)
        with pytest.raises(LogUnreadable, match="should be a commit and is a blob"):
            log.entries()


def test_two_work_trees_see_one_log(
    kernel_repo: Callable[..., Path], around: Surroundings, tmp_path: Path
) -> None:
    path = kernel_repo()
    around.git(path, "worktree", "add", "-q", str(tmp_path / "linked"))
    with Repository.open(path, around.environment) as here:
        operation = record(OperationLog(here, "hello"), rendered(here, b"1"))
    with Repository.open(tmp_path / "linked", around.environment) as there:
        assert OperationLog(there, "hello").entries() == (operation,)
        assert there.branch(BRANCH) == operation.after.tip if operation.after else None


def test_sha256(around: Surroundings, tmp_path: Path) -> None:
    path = around.kernel(tmp_path / "kernel", {"Makefile": b"x\n"}, "--object-format=sha256")
    with Repository.open(path, around.environment) as repository:
        log = OperationLog(repository, "hello")
        view = rendered(repository, b"1")
        assert len(view.tip or Oid("")) == 64
        record(log, view)
        undo(log)
        undo(log)
        assert repository.branch(BRANCH) == view.tip
        assert repository.diff(view.base, view.tip or view.base).patch.startswith(b"diff --git")
        mail = around.git(path, "format-patch", "--stdout", f"-1 {BRANCH}".split()[0], BRANCH)
        (applied,) = repository.trees_of_mails(view.base, [mail.encode()])
        assert applied.tree == view.steps[0].tree
    around.git(path, "fsck", "--strict")
