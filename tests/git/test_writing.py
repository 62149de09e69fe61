from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio import writing
from kpatch_rs.gitio.repository import NewCommit, Repository
from kpatch_rs.gitio.running import Git, GitFailed
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Person
from kpatch_rs.model.tree import File
from tests.repos import ME, WHEN, Surroundings, changes, snapshot


def commit(
    files: dict[str, bytes | None], message: bytes = b"x\n", author: Person = ME, date: str = WHEN
) -> NewCommit:
    return NewCommit(message=message, author=author, date=date, changes=changes(files))


def test_commits_have_the_same_names_anywhere(
    repository: Repository, around: Surroundings, tmp_path: Path
) -> None:
    """No identity, clock or setting of the writer's plays a part."""
    base = repository.resolve("HEAD")
    written = repository.write(
        base,
        [commit({"drivers/new.rs": b"// new\n"}, b"one\n"), commit({"Makefile": None}, b"two\n")],
    )
    assert [c.commit for c in written] == [
        "d14ef870006a0b8392df68210dae14008d62613e",
        "622f9110800ba365af9608a22439cb2ef57d7dab",
    ]
    shown = around.git(
        tmp_path / "kernel",
        "show",
        "-s",
        "--format=%an <%ae> %ad|%cn <%ce> %cd|%B|%T",
        "--date=raw",
        written[0].commit,
    )
    who = f"{ME} {WHEN}"
    assert shown == f"{who}|{who}|one\n|{written[0].tree}"
    assert repository.write(base, []) == ()


def test_writing_touches_nothing_but_objects(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    path = kernel_repo()
    (path / "Makefile").write_bytes(b"dirty")
    (path / "untracked").write_bytes(b"")
    around.git(path, "add", "untracked")
    before, refs = snapshot(path), around.refs(path)
    with Repository.open(path, around.environment) as repository:
        repository.write(repository.resolve("HEAD"), [commit({"Makefile": b"new\n"})])
    assert snapshot(path) == before
    assert around.refs(path) == refs
    around.git(path, "fsck", "--strict")


@pytest.mark.parametrize(
    "name", [b'"quoted"', b'a "b" c', b" lead", b"sp ace/f", "ä".encode(), b"\xff", b"-rf", b"'"]
)
def test_names_survive(repository: Repository, name: bytes) -> None:
    change = {RepoPath(name): File(b"data", "100755")}
    new = NewCommit(message=b"x\n", author=ME, date=WHEN, changes=change)
    (written,) = repository.write(repository.resolve("HEAD"), [new])
    assert repository.tree(written.commit).read(RepoPath(name)) == File(b"data", "100755")


def test_contents_and_messages_cannot_steer_the_stream(repository: Repository) -> None:
    evil = b"x\n\ndata 3\nreset refs/heads/evil\nfrom HEAD\n\ndone\n"
    (written,) = repository.write(repository.resolve("HEAD"), [commit({"f": evil}, evil)])
    file = repository.tree(written.commit).read(RepoPath(b"f"))
    assert file == File(evil)
    assert repository.objects.contents(written.commit, "commit").endswith(b"\n\n" + evil)
    assert repository.branch("evil") is None


def test_a_file_makes_room_for_a_folder_of_its_name(repository: Repository) -> None:
    base = repository.resolve("HEAD")
    (written,) = repository.write(base, [commit({"Makefile/f": b"f", "Makefile": None})])
    assert repository.tree(written.commit).names(RepoPath(b"Makefile")) == (b"f",)


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (commit({}, b"a\0b"), "NUL"),
        (commit({}, author=Person("A\ncommitter E <e@e> 1 +0000", "a@b")), "cannot be an author"),
        (commit({}, author=Person("A <x>", "a@b")), "cannot be an author"),
        (commit({}, author=Person("A", "")), "cannot be an author"),
        (commit({}, date="now"), "is no date"),
        (commit({}, date="1 +0000\nfrom HEAD"), "is no date"),
    ],
)
def test_a_commit_git_could_misread_is_refused(
    repository: Repository, new: NewCommit, message: str
) -> None:
    with pytest.raises(KpatchError, match=message):
        repository.write(repository.resolve("HEAD"), [new])


def test_a_stream_cut_short_is_an_error_and_leaves_no_ref(
    repository: Repository,
    around: Surroundings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without --done git takes half a commit for a whole one, with exit code 0."""
    refs = around.refs(tmp_path / "kernel")
    whole = Git.run

    def cut(self: Git, *args: str, data: bytes = b"") -> bytes:
        end = data.index(b'M 100644 inline "b"') if "fast-import" in args else len(data)
        return whole(self, *args, data=data[:end])

    monkeypatch.setattr(Git, "run", cut)
    with pytest.raises(GitFailed, match="fast-import"):
        repository.write(repository.resolve("HEAD"), [commit({"a": b"a", "b": b"b"})])
    assert around.refs(tmp_path / "kernel") == refs


def test_fifty_commits_take_one_git(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = repository.resolve("HEAD")
    started = []
    start = Git.start

    def counted(self: Git, *args: str, pass_fds: tuple[int, ...] = ()) -> object:
        started.append(args)
        return start(self, *args, pass_fds=pass_fds)

    monkeypatch.setattr(Git, "start", counted)
    written = repository.write(base, [commit({"f": b"%d" % n}) for n in range(50)])
    assert len({c.commit for c in written}) == 50
    assert len(started) == 1
    assert set(writing.DURABLE) < set(started[0])


def test_an_unknown_base_is_an_error(repository: Repository) -> None:
    with pytest.raises(GitFailed, match="fast-import"):
        repository.write(Oid("1" * 40), [commit({"f": b""})])
