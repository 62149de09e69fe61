"""Fixtures for whoever needs a git repository; its git is the first on PATH."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from kpatch_rs.commands import blaming, rebase, show
from kpatch_rs.gitio.repository import Repository
from tests.properties.held import ASKED
from tests.repos import FILES, Surroundings, surroundings
from tests.seclusion import forget, leave_home

HOME = pytest.StashKey[Path]()

# Examples are the same in every run, on a machine however slow, and nothing is kept of them.
settings.register_profile(
    "kpatch-rs",
    deadline=None,
    derandomize=not ASKED,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("kpatch-rs")


def pytest_configure(config: pytest.Config) -> None:
    """Before a test module is read: what those ask of the environment is the tests' own, too."""
    config.stash[HOME] = leave_home()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The home was for this run."""
    forget(config.stash[HOME])


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many as processors; the kernel tests build in folders they keep, and go one by one."""
    alone = config.option.markexpr == "kernel"
    return 0 if alone else len(os.sched_getaffinity(0))


@pytest.fixture(autouse=True, scope="session")
def _interruptible() -> None:
    """Signals work in tests also where nohup or a shell's `&` started pytest deaf to them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@pytest.fixture(autouse=True, scope="session")
def _patient() -> Iterator[None]:
    """On a busy machine git is given the time it takes to say who changed a kernel."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (blaming, rebase, show):
            patch.setattr(module, "SECONDS", 600.0)
        yield


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    """A git whose configuration is the test's own."""
    return surroundings(tmp_path / "home")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small kernel, made once: copying it takes a sixth of the time."""
    folder = tmp_path_factory.mktemp("template")
    return surroundings(folder / "home").kernel(folder / "kernel")


@pytest.fixture
def kernel_repo(tmp_path: Path, around: Surroundings, template: Path) -> Callable[..., Path]:
    """Makes a small kernel repository: `kernel_repo({"Makefile": b"…"})` → its work tree."""

    def make(files: Mapping[str, bytes] = FILES, *init: str, name: str = "kernel") -> Path:
        if files is FILES and not init:
            return Path(shutil.copytree(template, tmp_path / name, symlinks=True))
        return around.kernel(tmp_path / name, files, *init)

    return make


@pytest.fixture
def repository(kernel_repo: Callable[..., Path], around: Surroundings) -> Iterator[Repository]:
    """A small kernel, open."""
    with Repository.open(kernel_repo(), around.environment) as opened:
        yield opened
