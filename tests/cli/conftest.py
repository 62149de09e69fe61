"""A desk: the miniature kernel and its series, and a person at its branch."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.desk import Desk
from tests.demo import mini_kernel, mini_series
from tests.repos import Surroundings, surroundings


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Below `bare` and `desk`: a kernel with a series, not rendered yet and rendered."""
    folder = tmp_path_factory.mktemp("templates")
    (folder / "bare").mkdir()
    mini_kernel(folder / "bare")
    mini_series(folder / "bare")
    shutil.copytree(folder / "bare", folder / "desk")
    Desk(folder / "desk", surroundings(folder / "home")).render()
    return folder


@pytest.fixture
def bare(tmp_path: Path, around: Surroundings, templates: Path) -> Desk:
    """Not rendered yet."""
    shutil.copytree(templates / "bare", tmp_path, dirs_exist_ok=True)
    return Desk(tmp_path, around)


@pytest.fixture
def desk(tmp_path: Path, around: Surroundings, templates: Path) -> Desk:
    """Rendered, with the branch checked out."""
    shutil.copytree(templates / "desk", tmp_path, dirs_exist_ok=True)
    desk = Desk(tmp_path, around)
    desk.sit_down()
    return desk
