"""Every test here runs with each git there is: the one on PATH, and the distribution's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.repos import Surroundings, surroundings

FOUND = (shutil.which("git"), "/usr/bin/git")
GITS = sorted({Path(git).resolve() for git in FOUND if git and Path(git).exists()})


@pytest.fixture(params=GITS, ids=lambda git: f"{git.parent.parent.name}-git")
def around(request: pytest.FixtureRequest, tmp_path: Path) -> Surroundings:
    return surroundings(tmp_path / "home", request.param)
