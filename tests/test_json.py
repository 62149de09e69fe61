"""docs/json.md against the documents themselves: a key that nobody documented is a failure."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kpatch_rs.demo import FIRST_RELEASE, SECOND_RELEASE, SERIES
from kpatch_rs.report import FORMAT
from tests.started import started

DOCUMENTED = (Path(__file__).parents[1] / "docs/json.md").read_text()


def section(verb: str) -> str:
    """The text under the heading that names `verb`."""
    parts = re.split(r"(?m)^## (.*)$", DOCUMENTED)
    return next(t for h, t in zip(parts[1::2], parts[2::2], strict=True) if verb in h.split(", "))


def keys(value: Any) -> Iterator[str]:
    """Every key, at every depth."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def run(cwd: Path, *arguments: str, **environment: str) -> dict[str, Any]:
    done = started(["--json", *arguments], cwd, {**os.environ, **environment})
    document: dict[str, Any] = json.loads(done.stdout)
    assert document.pop("format") == FORMAT
    return document


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What demo leaves, where it could build nothing: that takes a fifth of the time."""
    kept = tmp_path_factory.mktemp("json") / "demo"
    tools = tmp_path_factory.mktemp("bin")
    for tool in ("git", "env"):
        (tools / tool).symlink_to(shutil.which(tool) or "")
    assert "scenes" in run(kept.parent, "demo", "--keep", str(kept), PATH=str(tools))
    return kept


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("rebase", [SECOND_RELEASE, "--range-diff"]),
        ("apply", ["--onto", SECOND_RELEASE]),
        ("refresh", []),
        ("check", []),
        ("export", ["-o", "again", "--unchecked"]),
        ("status", []),
        ("show", []),
        ("show", ["rust-file"]),
        ("log", []),
        ("undo", []),
        ("doctor", []),
        ("init", ["fresh"]),
        ("new", ["c-call", "--id", "planted"]),
        ("import", [f"{FIRST_RELEASE}..{SECOND_RELEASE}"]),
    ],
)
def test_every_key_is_documented(folder: Path, verb: str, arguments: list[str]) -> None:
    series = "taken-up" if verb == "import" else SERIES
    surroundings = ["-k", str(folder / "linux.git"), "-s", series]
    document = run(folder, *surroundings, verb, *arguments)
    assert "error" not in document
    ticked = " ".join(re.findall(r"`([^`]+)`", section(verb)))
    assert set(keys(document)) <= set(re.findall(r"[\w-]+", ticked))


def test_errors_are_documented(folder: Path) -> None:
    document = run(folder, "-k", str(folder / "absent"), "-s", SERIES, "status")
    assert set(keys(document)) == {"error", "message", "hint", "exit-code"}
    assert all(f'"{key}"' in section("Errors") for key in keys(document))
