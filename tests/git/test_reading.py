from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.gitio.revisions import UnknownRevision
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.tree import File
from kpatch_rs.syntax.merge import Clash
from tests.repos import ME, Surroundings


def test_resolve_takes_every_spelling(repository: Repository) -> None:
    commit = repository.resolve("v6.12.1")
    for rev in ("master", "HEAD", "refs/tags/v6.12.1", commit, commit[:10], "HEAD^{/Linux}"):
        assert repository.resolve(rev) == commit
    assert repository.commit_time(commit) == 1700000000


@pytest.mark.parametrize(
    ("rev", "message", "hint"),
    [
        ("v6.12.2", "has no 'v6.12.2'", "did you mean v6.12.1?"),
        ("HEAD:Makefile", "'HEAD:Makefile' is a blob, not a commit", ""),
        ("HEAD^{tree}", "'HEAD^{tree}' is a tree, not a commit", ""),
        ("v6.12.1..master", "has no 'v6.12.1..master'", "name one commit, not a range"),
        ("--all", "'--all' is no revision", "name a tag, a branch or a commit"),
        ("", "'' is no revision", "name a tag, a branch or a commit"),
        ("a\nHEAD", "'a\\nHEAD' is no revision", "name a tag, a branch or a commit"),
        ("\udcff", "'\\xff' is no revision", "name a tag, a branch or a commit"),
        ("v6.1", "has no 'v6.1'", "fetch it first: git fetch <remote> tag v6.1"),
        ("v6.121.1", "has no 'v6.121.1'", "fetch it first: git fetch <remote> tag v6.121.1"),
        ("v6.12", "has no 'v6.12'", "did you mean v6.12.1?"),
        ("mastre", "has no 'mastre'", "did you mean master?"),
        ("zzz", "has no 'zzz'", "fetch it first: git fetch <remote> tag <tag>"),
    ],
)
def test_resolve_says_what_is_wrong(
    repository: Repository, rev: str, message: str, hint: str
) -> None:
    with pytest.raises(UnknownRevision) as error:
        repository.resolve(rev)
    assert error.value.message.endswith(message)
    assert error.value.hint == hint
    assert repository.resolve("HEAD"), "the conversation goes on after a refusal"


def test_resolve_of_a_tag_that_is_no_commit(
    repository: Repository, around: Surroundings, tmp_path: Path
) -> None:
    around.git(tmp_path / "kernel", "tag", "-a", "-m", "x", "tree-tag", "HEAD^{tree}")
    with pytest.raises(UnknownRevision, match="'tree-tag' is a tree, not a commit"):
        repository.resolve("tree-tag")


def test_tree_says_what_stands_where(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    path = kernel_repo({"a/f": b"f", "a/run": b"#!", "top": b"t\r\n\x00\xff"})
    (path / "a/run").chmod(0o755)
    (path / "link").symlink_to("a/f")
    around.git(path, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    around.git(path, "add", "a", "link")
    around.git(path, "commit", "-q", "-m", "odd")
    with Repository.open(path, around.environment) as repository:
        tree = repository.tree(repository.resolve("HEAD"))
        types = {p: tree.entry_type(repo_path(p)) for p in ("a", "a/f", "link", "sub", "no")}
        assert types == {
            "a": "folder",
            "a/f": "file",
            "link": "link",
            "sub": "submodule",
            "no": None,
        }
        assert tree.read(repo_path("top")) == File(b"t\r\n\x00\xff")
        assert tree.read(repo_path("a/run")) == File(b"#!", "100755")
        assert tree.read(repo_path("link")) == File(b"a/f", "120000")
        for nothing in ("a", "sub", "no", "a/f/below", "link/f", "sub/x"):
            assert tree.read(repo_path(nothing)) is None
            assert tree.names(repo_path(nothing)) == ((b"f", b"run") if nothing == "a" else ())
        assert tree.names(None) == (b"a", b"link", b"sub", b"top")
        assert tree.oid == around.git(path, "rev-parse", "HEAD^{tree}")


def test_files_with_finds_whole_words_only(repository: Repository) -> None:
    tree = repository.tree(repository.resolve("HEAD"))
    assert tree.files_with(b"kvm_init", None, ["*"]) == (
        b"arch/x86/kvm/x86.c",
        b"virt/kvm/kvm_main.c",
    )
    assert tree.files_with(b"kvm_init", repo_path("virt"), ["*"]) == (b"virt/kvm/kvm_main.c",)
    assert tree.files_with(b"kvm_ini", None, ["*"]) == ()
    assert tree.files_with(b"kvm.init", None, ["*"]) == (), "a word, not a pattern"
    assert tree.files_with(b"kvm_init", repo_path("vir"), ["*"]) == ()
    assert tree.files_with(b"kvm_init", repo_path("Makefile"), ["*"]) == ()


def test_files_with_is_not_led_astray(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    """Odd folder names, binary files, attributes and grep settings of the user's."""
    path = kernel_repo(
        {"[ab]*/f.c": b"word", "a/f.c": b"word", "a/g.bin": b"\0word\0", ":x/g": b"word"}
    )
    (path / ".git/info/attributes").write_text("*.c binary\n")
    for setting in ("grep.lineNumber=true", "grep.patternType=perl", "color.ui=always"):
        around.git(path, "config", *setting.split("="))
    with Repository.open(path, around.environment) as repository:
        tree = repository.tree(repository.resolve("HEAD"))
        assert tree.files_with(b"word", repo_path("[ab]*"), ["*"]) == (b"[ab]*/f.c",)
        assert tree.files_with(b"word", repo_path("a"), ["*"]) == (b"a/f.c", b"a/g.bin")
        assert tree.files_with(b"word", repo_path(":x"), ["*"]) == (b":x/g",)
        assert tree.files_with(b"word", None, ["*.c"]) == (b"[ab]*/f.c", b"a/f.c")
        assert tree.files_with(b"word", None, ["*"]) == (
            b":x/g",
            b"[ab]*/f.c",
            b"a/f.c",
            b"a/g.bin",
        )
        assert tree.files_with(b"word", None, ["g*", "*.h"]) == (b":x/g", b"a/g.bin")
        assert tree.files_with(b"-v", None, ["*"]) == ()


def test_history_finds_a_blob_by_prefix(
    repository: Repository, around: Surroundings, tmp_path: Path
) -> None:
    path = tmp_path / "kernel"
    history = repository.history()
    name = around.git(path, "rev-parse", "HEAD:Makefile")
    assert history.blob(name[:8]) == history.blob(name) == (path / "Makefile").read_bytes()
    for nothing in ("HEAD:Makefile", "HEAD", "0" * 40, name[:3], name.upper(), "", f"{name}\n"):
        assert history.blob(nothing) is None
    assert history.blob(repository.resolve("HEAD")[:10]) is None, "a commit is no blob"
    around.git(path, "branch", name[:8], "HEAD")
    assert history.blob(name[:8]) is None, "a branch of that name goes first: not certain"


def test_history_finds_no_blob_where_two_begin_alike(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    path = kernel_repo()
    by_prefix: dict[str, bytes] = {}
    for n in range(100_000):
        import hashlib

        data = b"%d" % n
        prefix = hashlib.sha1(b"blob %d\0%s" % (len(data), data)).hexdigest()[:4]
        if prefix in by_prefix:
            break
        by_prefix[prefix] = data
    with Repository.open(path, around.environment) as repository:
        for content in (by_prefix[prefix], data):
            around.git(path, "hash-object", "-w", "--stdin", data=content)
        assert repository.history().blob(prefix) is None


def test_merge_is_git_merge_file(repository: Repository) -> None:
    merge = repository.history().merge
    base = b"1\r\n2\n3\n4\n5\n6\xff\x00"[:-1]
    ours, theirs = base.replace(b"1", b"one"), base.replace(b"6", b"six")
    assert merge(base, ours, theirs) == (b"one\r\n2\n3\n4\n5\nsix\xff",)
    assert merge(base, ours, base.replace(b"1", b"uno")) == (), "who has no last newline?"
    assert merge(b"\0", b"\0a", b"b\0") == (), "binary: git's 255 is no merge"


def test_merge_cuts_at_conflicts_and_at_nothing_else(repository: Repository) -> None:
    like = b"<<<<<<<<< ours\n||||||| base\n=======\n>>>>>>>>>>> theirs\n"
    base = like + b"1\r\n" + like
    pieces = repository.history().merge(base, base.replace(b"1", b"2"), base.replace(b"1", b"3"))
    assert pieces == (like, Clash(base=b"1\r\n", ours=b"2\r\n", theirs=b"3\r\n"), like)


def test_files_of_a_name_wherever_they_are(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    path = kernel_repo({"a/Makefile": b"1", "b/c/Makefile": b"2", "b/Makefile.x": b"3"})
    with Repository.open(path, around.environment) as repository:
        tree = repository.tree(repository.resolve("HEAD"))
        assert tree.files_named(b"Makefile") == (b"a/Makefile", b"b/c/Makefile")


def test_identity_is_the_configured_one(repository: Repository) -> None:
    assert repository.identity() == ME


def test_identity_is_never_guessed(kernel_repo: Callable[..., Path], around: Surroundings) -> None:
    path = kernel_repo()
    (Path(around.environment["HOME"]) / ".gitconfig").write_text("[user]\n\tname = Somebody\n")
    with (
        Repository.open(path, around.environment) as repository,
        pytest.raises(KpatchError, match="git does not know who you are") as error,
    ):
        repository.identity()
    assert "user.email" in error.value.hint
