"""Searching a whole tree for a declaration: what is kept, and what it may never cost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio import outline, search
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.gitio.tree import GitTree
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.tree import parts
from tests.repos import Surroundings

FILES: Mapping[str, bytes] = {
    "a/def.c": b"int before(int x);\n\nint sought(void)\n{\n\tcalled();\n}\n",
    "a/in/deep.c": b"void f(void)\n{\n\tdeeper();\n}\n",
    "a/called.c": b"void f(void)\n{\n\tsought();\n}\n",
    "b/zwei.c": b"static __printf(1, 2) int\nsought\n(void)\n{\n}\n\xff\x00 binary\n",
    "b/none.c": b"int sought_too(void);\nint xsought(void);",
    "b/last.c": b"int sought(void);",
    "c/api.h": b"  #  define sought(x) x\n",
    'd/"odd\\\té".c': b"int sought(void);\n",
}
FOUND = (b"a/def.c", b"b/last.c", b"b/zwei.c", 'd/"odd\\\té".c'.encode())


@contextmanager
def opened(path: Path, around: Surroundings, cache: Path | None) -> Iterator[GitTree]:
    with Repository.open(path, around.environment, cache) as repository:
        yield repository.tree(repository.resolve("HEAD"))


@pytest.fixture
def kernel(kernel_repo: Callable[..., Path], around: Surroundings) -> Path:
    path = kernel_repo(FILES)
    (path / ".git/info/attributes").write_text("*.c binary\n")
    settings = ("lineNumber=true", "column=true", "heading=false", "break=true", "fullName=false")
    for setting in (*settings, "patternType=fixed"):
        around.git(path, "config", *f"grep.{setting}".split("="))
    around.git(path, "config", "color.ui", "always")
    return path


def test_every_declaration_is_found_and_no_call(
    kernel: Path, around: Surroundings, tmp_path: Path
) -> None:
    for cache in (None, tmp_path / "cache", tmp_path / "cache"):
        with opened(kernel, around, cache) as tree:
            assert tree.files_declaring([b"sought"], parts(tree), ["*.c"]) == FOUND
            assert tree.files_declaring([b"sought"], parts(tree), ["*.h"]) == (b"c/api.h",)
            assert tree.files_declaring([b"none", b"before"], parts(tree), ["*.c"]) == (
                b"a/def.c",
                b"b/none.c",
            ), "a path may hold the name too"
            assert tree.files_declaring([b"called"], parts(tree), ["*.c"]) == (b"a/called.c",)
            assert tree.files_declaring([b"", b"sou.ht"], parts(tree), ["*.c"]) == ()
            tree.files_declaring([tree.oid.encode()], parts(tree), ["*.c"])  # comes to an end
            assert tree.files_declaring([b"sought"], [repo_path("b")], ["*.c", "*.h"]) == (
                b"b/last.c",
                b"b/zwei.c",
            )


def test_below_a_folder_nothing_is_made(kernel: Path, around: Surroundings, tmp_path: Path) -> None:
    with opened(kernel, around, tmp_path / "cache") as tree:
        found = tree.files_declaring([b"deeper"], [repo_path("a/in")], ["*.c"])
        assert found == (b"a/in/deep.c",), "more may be named, never fewer"
    assert not (tmp_path / "cache").exists()


def test_a_part_of_the_kernel_is_kept_for_itself(
    kernel: Path, around: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = repo_path("a")
    with opened(kernel, around, tmp_path) as tree:
        assert tree.files_declaring([b"sought"], [part], ["*.c"]) == (b"a/def.c",)
    (kernel / "b/last.c").write_bytes(b"int other;\n")
    around.git(kernel, "commit", "-qam", "another tree, with the same part")
    monkeypatch.setattr(GitTree, "_grep", None)
    with opened(kernel, around, tmp_path) as tree:
        assert tree.files_declaring([b"sought"], [part], ["*.c"]) == (b"a/def.c",)
        assert tree.files_declaring([b"deeper"], [repo_path("a/in")], ["*.c"]) == ()


def test_what_another_tree_has_just_so_is_left_out(
    kernel: Path, around: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kernel / "b/last.c").write_bytes(b"int sought(void);\n\nint other;\n")
    around.git(kernel, "mv", "a", "e")
    around.git(kernel, "commit", "-qam", "one changed, one folder moved")
    want = (b"b/last.c", b"e/def.c")
    for cache in (None, tmp_path / "cache"):
        with Repository.open(kernel, around.environment, cache) as repository:
            old, new = (repository.tree(repository.resolve(rev)) for rev in ("HEAD~", "HEAD"))
            assert new.files_declaring([b"sought"], parts(new), ["*.c"], old) == want
            assert new.files_declaring([b"sought"], [repo_path("b")], ["*.c"], old) == want[:1]
    with opened(kernel, around, tmp_path / "cache") as tree:
        whole = tree.files_declaring([b"sought"], parts(tree), ["*.c"])
        assert whole == (b"b/last.c", b"b/zwei.c", FOUND[-1], b"e/def.c")
    monkeypatch.setattr(GitTree, "_grep", None)
    with Repository.open(kernel, around.environment, tmp_path / "cache") as repository:
        old, new = (repository.tree(repository.resolve(rev)) for rev in ("HEAD~", "HEAD"))
        found = new.files_declaring([b"sought"], parts(new), ["*.c"], old)
        assert set(want) <= set(found), "an outline of all of it will do"


def test_many_files_are_searched_in_shares(
    kernel: Path, around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_SHARE", 2)
    with opened(kernel, around, None) as tree:
        assert tree.files_declaring([b"sought"], parts(tree), ["*.c"]) == FOUND
        assert tree.files_with(b"sought", None, ["*.c"]) == (
            b"a/called.c", b"a/def.c", b"b/last.c", b"b/zwei.c", FOUND[-1],
        )  # fmt: skip


def test_another_run_reads_what_is_kept(
    kernel: Path, around: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(kernel, around, tmp_path) as tree:
        tree.files_declaring([b"x"], parts(tree), ["*.c"])
    monkeypatch.setattr(GitTree, "_grep", None)
    with opened(kernel, around, tmp_path) as tree:
        assert tree.files_declaring([b"sought"], parts(tree), ["*.c"]) == FOUND
        assert tree.files_declaring([b"before"], [repo_path("a")], ["*.c"]) == (b"a/def.c",)


@pytest.mark.parametrize("left", [b"", b"short", None, b"\0" * 999])
def test_what_is_not_whole_is_made_again(
    kernel: Path, around: Surroundings, tmp_path: Path, left: bytes | None
) -> None:
    with opened(kernel, around, tmp_path / "cache") as tree:
        tree.files_declaring([b"x"], parts(tree), ["*.c"])
    whole = {file: file.read_bytes() for file in (tmp_path / "cache").iterdir()}
    for file, data in whole.items():
        file.write_bytes(data[:-7] if left is None else left)
    with opened(kernel, around, tmp_path / "cache") as tree:
        assert tree.files_declaring([b"sought"], parts(tree), ["*.c"]) == FOUND
    assert {file: file.read_bytes() for file in (tmp_path / "cache").iterdir()} == whole


def test_a_folder_that_takes_nothing_costs_only_time(
    kernel: Path, around: Surroundings, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with opened(kernel, around, tmp_path / "file") as tree:
        assert tree.files_declaring([b"sought"], parts(tree), ["*.c"]) == FOUND
        assert tree.files_declaring([b"sought"], parts(tree), ["*.c"]) == FOUND


def test_the_least_used_go_first(
    kernel: Path, around: Surroundings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for age, name in enumerate(("newer", "older")):
        (cache / name).write_bytes(bytes(1000))
        os.utime(cache / name, (0, 1000 - age))
    monkeypatch.setattr(outline, "KEPT", 1900)
    with opened(kernel, around, cache) as tree:
        tree.files_declaring([b"x"], parts(tree), ["*.c"])
    assert {f.name[-2:] for f in cache.iterdir()} == {"er", ".c"}
    assert not (cache / "older").exists()


def test_a_git_without_pcre_takes_longer(
    kernel: Path, around: Surroundings, tmp_path: Path
) -> None:
    """Debian's git has it; one built with NO_LIBPCRE refuses -P."""
    git = subprocess.run(
        ["which", "git"], env=dict(around.environment), capture_output=True, text=True, check=True
    ).stdout.strip()
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "git").write_text(
        f'#!/bin/sh\ncase " $* " in *" -P "*) echo >&2 "fatal: no PCRE"; exit 128;; esac\n'
        f'exec {git} "$@"\n'
    )
    (bin_ / "git").chmod(0o755)
    path = f"{bin_}:{around.environment['PATH']}"
    with opened(kernel, Surroundings({**around.environment, "PATH": path}), tmp_path / "c") as tree:
        assert tree.files_declaring([b"sought"], parts(tree), ["*.c"]) == FOUND


def test_a_missing_blob_is_no_empty_answer(kernel: Path, around: Surroundings) -> None:
    blob = around.git(kernel, "rev-parse", "HEAD:b/last.c")
    (kernel / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with opened(kernel, around, None) as tree, pytest.raises(KpatchError, match="damaged"):
        tree.files_declaring([b"sought"], parts(tree), ["*.c"])


def test_writers_at_once_leave_a_whole_one(
    kernel: Path, around: Surroundings, tmp_path: Path
) -> None:
    search = (
        "import sys; from pathlib import Path; from kpatch_rs.gitio.repository import Repository\n"
        "from kpatch_rs.model.tree import parts\n"
        "with Repository.open(Path(sys.argv[1]), dict(__import__('os').environ),"
        " Path(sys.argv[2])) as r:\n"
        "    tree = r.tree(r.resolve('HEAD'))\n"
        "    print(len(tree.files_declaring([b'sought'], parts(tree), ['*.c'])))\n"
    )
    command = [sys.executable, "-c", search, str(kernel), str(tmp_path / "cache")]
    runs = [
        subprocess.Popen(command, env=dict(around.environment), stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    assert [run.communicate()[0] for run in runs] == [b"4\n"] * 3
    assert {f.suffix for f in (tmp_path / "cache").iterdir()} == {".c"}
