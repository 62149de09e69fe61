"""What a file has become between two trees: git's detection, for one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kpatch_rs.gitio.repository import Repository
from kpatch_rs.model.path import RepoPath
from tests.repos import Surroundings

TEXT = b"".join(b"int line_%d;\n" % n for n in range(60))
NEAR = TEXT.replace(b"int line_3", b"long line_3")
FAR = b"".join(b"char far_%d;\n" % n for n in range(60))


@pytest.mark.parametrize(
    ("came", "want"),
    [
        ({"hda/intel.c": NEAR}, [b"hda/intel.c"]),
        ({"hda/intel.c": NEAR, "a/copy.c": TEXT, "x/far.c": FAR}, [b"a/copy.c", b"hda/intel.c"]),
        ({"hda/intel.h": TEXT, "hda/far.c": FAR}, []),
        ({'hda/"odd \\\té".c': TEXT}, ['hda/"odd \\\té".c'.encode()]),
        ({}, []),
    ],
)
def test_what_a_file_has_become(
    kernel_repo: Callable[..., Path],
    around: Surroundings,
    came: Mapping[str, bytes],
    want: list[bytes],
) -> None:
    odd = "pci/[a]* file.c"
    path = kernel_repo({odd: TEXT, "soc/stays.c": TEXT, "Kconfig": FAR})
    around.git(path, "config", "core.splitIndex", "true")
    around.git(path, "config", "diff.renames", "false")
    (path / odd).unlink()
    for name, data in came.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_bytes(data)
    around.git(path, "add", "-A")
    around.git(path, "commit", "-qm", "moved")
    before = {p: p.read_bytes() for p in (path / ".git").iterdir() if p.is_file()}
    with Repository.open(path, around.environment) as repository:
        old, new = (repository.tree(repository.resolve(rev)) for rev in ("HEAD~", "HEAD"))
        assert list(new.renamed(RepoPath(odd.encode()), old)) == want
    assert {p: p.read_bytes() for p in (path / ".git").iterdir() if p.is_file()} == before


def test_a_name_without_ending_stays_as_it_is(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    path = kernel_repo({"pci/Kconfig": TEXT})
    around.git(path, "mv", "pci/Kconfig", "Kconfig")
    (path / "Makefile").write_bytes(TEXT)
    around.git(path, "add", "-A")
    around.git(path, "commit", "-qm", "moved")
    with Repository.open(path, around.environment) as repository:
        old, new = (repository.tree(repository.resolve(rev)) for rev in ("HEAD~", "HEAD"))
        assert new.renamed(RepoPath(b"pci/Kconfig"), old) == (b"Kconfig",)
