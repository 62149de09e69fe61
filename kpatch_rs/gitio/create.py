"""A new repository from a `git fast-import` stream: the miniature kernel of the demo.

Guarantees: the same objects on every machine; no template, hook or configuration of the user's
gets in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kpatch_rs.gitio.running import Git


def create_repository(path: Path, stream: bytes, environment: Mapping[str, str]) -> None:
    """Make the bare repository `path` and import `stream` into it. Raises GitFailed."""
    git = Git(environment).without_config()
    git.run("init", "--quiet", "--bare", "--template=", "--initial-branch=master", os.fspath(path))
    git.at(path).run("fast-import", "--quiet", "--done", data=stream)
