"""Every case of this folder, word for word; README.md says what a case is made of."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from kpatch_rs.cli import main
from kpatch_rs.engine.render import render
from kpatch_rs.errors import KpatchError
from kpatch_rs.loader.load import load_series
from kpatch_rs.model.outcome import EditReport, Status, Step
from tests.invalid import made
from tests.trees import DictTree, NoHistory

HERE = Path(__file__).parent
CASES = sorted(p.parent.name for p in HERE.glob("*/expect.txt"))


def lay(case: Path, part: str, target: Path) -> None:
    shutil.copytree(HERE / "valid" / part, target)
    for file in (p for p in (case / part).rglob("*") if p.is_file()):
        there = target / file.relative_to(case / part)
        if file.suffix == ".gone":
            there.with_suffix("").unlink()
        else:
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, there)


def in_memory(top: Path) -> str:
    try:
        series = load_series(top / "series/hello")
        steps = render(series, DictTree.from_folder(top / "kernel"), NoHistory())
    except KpatchError as error:
        return f"error: {error.message}\nhint: {error.hint}\n"
    ends = ((s, e) for s in steps for e in s.edits if e.outcome.status is Status.CONFLICT)
    return next((conflict(step, edit) for step, edit in ends), "")


def conflict(step: Step, edit: EditReport) -> str:
    outcome = edit.outcome
    lines = [f"conflict: {step.recipe.id} ({edit.edit.where}): {outcome.reason}"]
    lines += [f"candidate: {c.place} {c.what}" for c in outcome.candidates]
    return "\n".join([*lines, f"hint: {outcome.hint}"]) + "\n"


IDENTITY = ["config user.name A", "config user.email a@example.org"]
SET_UP = ["init -qb main", *IDENTITY, "add -A", "commit -qm v1", "tag v1"]


def on_the_command_line(top: Path, lines: list[str]) -> str:
    """What the last line says on stderr; a line that begins with `git` is for the kernel."""
    for line in (f"git {step}" for step in SET_UP):
        run(top, line)
    for line in lines[:-1]:
        assert run(top, line) == (0, "")
    code, said = run(top, lines[-1])
    assert code
    return re.sub(r"\b[0-9a-f]{12}\b", "COMMIT", said)


def run(top: Path, line: str) -> tuple[int, str]:
    verb, *rest = shlex.split(line)
    if verb == "git":
        done = subprocess.run(["git", "-C", str(top / "kernel"), *rest], check=True)
        return done.returncode, ""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(top), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([verb, *rest])
        except SystemExit as ended:
            return int(ended.code or 0), err.getvalue()
    raise AssertionError("main() ends by exiting")


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.setenv(key, "1700000000 +0000")
    for key in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(key, str(tmp_path))
    case = HERE / name
    lay(case, "series", tmp_path / "series/hello")
    lay(case, "tree", tmp_path / "kernel")
    make = getattr(made, name.replace("-", "_"), None)
    if make:
        make(tmp_path / "series/hello")
    if (case / "cmd").exists():
        said = on_the_command_line(tmp_path, (case / "cmd").read_text().splitlines())
    else:
        said = in_memory(tmp_path)
    assert (case / "expect.txt").read_text() == said.replace(str(tmp_path), ".")


def test_valid_is_valid(tmp_path: Path) -> None:
    """What the cases lay their fault over is free of faults itself."""
    lay(HERE / "none", "series", tmp_path / "series/hello")
    lay(HERE / "none", "tree", tmp_path / "kernel")
    assert in_memory(tmp_path) == ""


def test_there_are_enough() -> None:
    """Every made case has its words, and no case is lost."""
    names = {n.replace("_", "-") for n in vars(made) if not n.startswith("_")}
    assert names - {"annotations", "os", "Path"} <= set(CASES)
    assert len(CASES) >= 60
