"""Configuration, hooks, attributes and variables that would run code or change an answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.repository import NewCommit, Repository
from kpatch_rs.gitio.worktree import BuildTree
from kpatch_rs.model.path import repo_path
from tests.faults import work
from tests.repos import ME, Surroundings, changes, snapshot

HOOKS = (
    *("reference-transaction", "post-index-change", "post-checkout", "post-commit", "pre-commit"),
    *("fsmonitor-watchman", "applypatch-msg", "pre-applypatch", "post-rewrite", "update"),
)
COMMANDS = (
    *("core.fsmonitor", "core.sshCommand", "core.editor", "core.pager", "core.askPass"),
    *("diff.external", "diff.x.textconv", "diff.x.command", "filter.x.clean", "filter.x.smudge"),
    *("filter.x.process", "merge.x.driver", "gpg.program", "credential.helper", "pager.grep"),
    *("pager.diff-tree", "core.alternateRefsCommand", "uploadpack.packObjectsHook"),
    *("trailer.x.command", "sequence.editor", "interactive.diffFilter"),
)


@pytest.fixture
def hostile(kernel_repo: Callable[..., Path], around: Surroundings, tmp_path: Path) -> Path:
    """A kernel that writes `canary` whenever git runs anything of the repository's."""
    path = kernel_repo({"Makefile": b"x\n", ".gitattributes": b"* filter=x diff=x merge=x\n"})
    script = tmp_path / "run"
    script.write_text(f"#!/bin/sh\necho $0 $* >> {tmp_path / 'canary'}\ncat\n")
    script.chmod(0o755)
    hooks = path / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for hook in HOOKS:
        (hooks / hook).symlink_to(script)
    (path / ".git/info").mkdir(exist_ok=True)
    (path / ".git/info/attributes").write_text("* filter=x diff=x merge=x\n")
    for name in COMMANDS:
        around.git(path, "config", name, str(script))
    around.git(path, "config", "core.hooksPath", str(hooks))
    (tmp_path / "canary").unlink(missing_ok=True)
    return path


def everything(repository: Repository, cache: Path) -> list[object]:
    """Each of the room's abilities once; what came out."""
    base = repository.resolve("v6.12.1")
    tree = repository.tree(base)
    new = [NewCommit(message=b"1\n", author=ME, date="1 +0000", changes=changes({"f": b"word\n"}))]
    (made,) = repository.write(base, new)
    log = OperationLog(repository, work.SERIES)
    view = work.view_of(base, made.commit)
    log.record("apply", "", view, time=1, branch_old=repository.branch(work.BRANCH))
    mail = b"From: A <a@b>\nSubject: 1\n\n---\n\n" + repository.diff(base, made.commit).patch
    BuildTree.open(repository, cache, "w").checkout(made.commit)
    return [
        tree.oid,
        tree.files_with(b"x", None, ["*"]),
        tree.read(repo_path("Makefile")),
        made,
        repository.diff(base, made.commit),
        repository.series_stat(base, made.commit),
        repository.range_diff(base, made.commit, base, made.commit),
        repository.trees_of_mails(base, [mail]),
        repository.history().merge(b"1\n2\n3\n", b"0\n2\n3\n", b"1\n2\n4\n"),
        repository.identity(),
        repository.checked_out_at(work.BRANCH),
        (cache / "w/f").read_bytes(),
    ]


def test_nothing_of_the_repositorys_runs(
    hostile: Path, around: Surroundings, tmp_path: Path
) -> None:
    before = {k: v for k, v in snapshot(hostile).items() if "/.git/" not in k or "index" in k}
    with Repository.open(hostile, around.environment) as repository:
        everything(repository, tmp_path / "cache")
    assert not (tmp_path / "canary").exists(), (tmp_path / "canary").read_text()
    assert before.items() <= snapshot(hostile).items()
    around.git(hostile, "-c", "core.hooksPath=.git/hooks", "update-ref", "refs/heads/y", "HEAD")
    assert (tmp_path / "canary").exists(), "the canary sings where git is asked plainly"


def test_inherited_variables_have_no_effect(
    kernel_repo: Callable[..., Path],
    around: Surroundings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither from the process's own environment nor in the one handed over."""
    one, two = kernel_repo(name="one"), kernel_repo(name="two")
    with Repository.open(one, around.environment) as repository:
        plain = everything(repository, tmp_path / "cache1")
    canary = tmp_path / "canary"
    variables = {
        **dict.fromkeys(("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR"), str(tmp_path)),
        **dict.fromkeys(("GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE"), str(tmp_path / "x")),
        **dict.fromkeys(("GIT_TRACE", "GIT_TRACE2", "GIT_TRACE_PACKET"), str(canary)),
        **dict.fromkeys(("GIT_EXTERNAL_DIFF", "GIT_SSH_COMMAND", "GIT_PAGER"), f"touch {canary}"),
        **{"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "diff.noprefix", "GIT_CONFIG_VALUE_0": "1"},
        **{"GIT_CONFIG_PARAMETERS": "'core.abbrev'='4'", "GIT_DIFF_OPTS": "-u0"},
        **{"GIT_NAMESPACE": "x", "GIT_DEFAULT_HASH": "sha256", "GIT_LITERAL_PATHSPECS": "1"},
        **{"GIT_ICASE_PATHSPECS": "1", "GIT_REFLOG_ACTION": "x", "GIT_ATTR_SOURCE": "HEAD"},
        **{"GIT_REDIRECT_STDERR": str(canary), "LANGUAGE": "de", "LC_ALL": "tr_TR.UTF-8"},
        **{"GIT_COMMITTER_DATE": "1 +0000", "GIT_COMMITTER_NAME": "x", "TZ": "Asia/Kathmandu"},
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with Repository.open(two, {**variables, **around.environment}) as repository:
        assert everything(repository, tmp_path / "cache2") == plain
    assert not canary.exists()


def test_replaced_objects_are_not_taken(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    path = kernel_repo()
    other = around.git(path, "hash-object", "-w", "--stdin", data=b"replaced")
    around.git(path, "replace", "HEAD:Makefile", other)
    with Repository.open(path, around.environment) as repository:
        file = repository.tree(repository.resolve("HEAD")).read(repo_path("Makefile"))
        assert file
        assert file.data.startswith(b"VERSION")
