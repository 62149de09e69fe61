"""Kernels, a user's work tree on one of them, and the command line run there.

What a test run leaves behind is build folders, below the provisioned folder, so that the next run
is quick; repositories, series and verdicts are made afresh.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.provision.linux import tags
from tests.kernel.provision.place import environment, folder

TOP = Path(__file__).parents[2]
SERIES = "kvm-rust-hello"
TOUCHED = ("arch/x86/kvm", "scripts", "virt", "rust", "init")
"""Folders that the sparse work tree checks out: the series' files and their neighbours."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the kernels."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.kernel)


@dataclass(frozen=True, slots=True)
class Kernels:
    """What `provision` left."""

    root: Path
    repository: Path
    newest: Mapping[str, str]
    """The tag of each line: {"6.12": "v6.12.117"}."""
    environment: Mapping[str, str]


@pytest.fixture(scope="session")
def kernels() -> Kernels:
    root = folder(os.environ)
    found = environment(root, os.environ["PATH"])
    newest = tags(root / "linux.git")
    if found is None or not {"5.10", "6.1", "6.12", "7.2"} <= set(newest):
        absent = f"no kernels in {root}: run python3 -m tests.kernel.provision"
        if os.environ.get("KPATCH_RS_KERNEL_TESTS") == "required":
            pytest.fail(absent)
        pytest.skip(absent)
    return Kernels(root, root / "linux.git", newest, {**os.environ, **found})


def git(where: Path, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    argv = ["git", "-C", str(where), *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
    return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the command line."""

    code: int
    document: dict[str, Any]
    stderr: str
    makes: tuple[str, ...]
    """The make commands it started."""

    @property
    def verdicts(self) -> dict[str, str]:
        return {step["id"]: step["verdict"] for step in self.document["steps"]}


@dataclass(frozen=True, slots=True)
class Desk:
    """A user's desk: a kernel repository with a dirty work tree, and a folder with a series."""

    kernel: Path
    cwd: Path
    environment: Mapping[str, str]
    make_log: Path

    @property
    def series(self) -> Path:
        return self.cwd / "series" / SERIES

    def run(self, *arguments: str) -> Ran:
        """Run a verb with --json; its work tree, index and HEAD must be as they were."""
        before, self_made = self.state(), self.make_log
        self_made.write_text("")
        argv = [sys.executable, "-m", "kpatch_rs", "-k", str(self.kernel), "-s", SERIES, "--json"]
        done = subprocess.run(
            [*argv, *arguments],
            cwd=self.cwd,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert self.state() == before, f"{arguments[0]} touched the user's work tree"
        assert "Traceback" not in done.stderr
        document = json.loads(done.stdout)
        makes = tuple(self_made.read_text().splitlines())
        return Ran(done.returncode, document, done.stderr, makes)

    def state(self) -> dict[str, Any]:
        """The bytes and times of all that is the user's: work tree, index, HEAD, own branches."""
        work = {
            str(p): (p.lstat().st_mtime_ns, p.lstat().st_mode, p.is_file() and p.read_bytes())
            for p in sorted(self.kernel.rglob("*"))
            if ".git" not in p.parts
        }
        own = {p: (self.kernel / ".git" / p).read_bytes() for p in ("index", "HEAD", "config")}
        return {**work, **own, "refs": git(self.kernel, "show-ref", "refs/heads/work")}

    def refs(self) -> str:
        return git(self.kernel, "for-each-ref")

    def series_bytes(self) -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in self.series.rglob("*") if p.is_file()}


def make_spy(root: Path, log: Path) -> str:
    """A PATH folder with a make that notes what it is asked to make, and then is make."""
    real = shutil.which("make")
    spy = root / "spy/make"
    spy.parent.mkdir(exist_ok=True)
    note = f'[ "$MAKELEVEL$1" = --version ] || [ "$MAKELEVEL" ] || echo "$*" >>{log}'
    spy.write_text(f'#!/bin/sh\n{note}\nexec {real} "$@"\n')
    spy.chmod(0o755)
    return str(spy.parent)


def user_work_tree(kernels: Kernels, at: Path) -> None:
    """A sparse work tree on 6.12 with an edit, a staged edit and an untracked file."""
    tag = kernels.newest["6.12"]
    git(kernels.root, "clone", "-q", "--shared", "--no-checkout", str(kernels.repository), str(at))
    git(at, "config", "user.name", "A User")
    git(at, "config", "user.email", "user@example.org")
    git(at, "sparse-checkout", "set", *TOUCHED)
    git(at, "checkout", "-q", "-b", "work", tag)
    for name, text in (("x86.c", "edited"), ("Makefile", "staged")):
        file = at / "arch/x86/kvm" / name
        file.write_bytes(file.read_bytes() + f"/* {text} */\n".encode())
    git(at, "add", "-u", "arch/x86/kvm/Makefile")
    (at / "arch/x86/kvm/notes.txt").write_text("untracked\n")


def make_desk(kernels: Kernels, home: Path) -> Desk:
    """A desk in the fresh folder `home`; build folders are shared between desks and runs."""
    kept = kernels.root / "tests"
    kept.mkdir(exist_ok=True)
    user_work_tree(kernels, home / "linux")
    shutil.copytree(TOP / "series" / SERIES, home / "series" / SERIES)
    log = home / "makes"
    surroundings = {
        **kernels.environment,
        "XDG_CACHE_HOME": str(kept / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
        "PATH": f"{make_spy(home, log)}:{kernels.environment['PATH']}",
        "PYTHONPATH": str(TOP),
    }
    return Desk(home / "linux", home, surroundings, log)


@pytest.fixture(scope="session")
def desk(kernels: Kernels, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    yield make_desk(kernels, tmp_path_factory.mktemp("desk"))
