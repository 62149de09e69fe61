"""Transcripts: `$ command`, then everything it prints, then `[exit N]` unless that is 0.

Each file is played in a fresh folder with the miniature kernel (mini.git) and its series
(series/mini-rust-hello) in it; KPATCH_RS_KERNEL and KPATCH_RS_SERIES name them. Object names are
shown as OID, times as TIME and the folder as HERE. To write what a transcript would be, run with
KPATCH_RS_TRANSCRIPTS=write, and read the diff.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo import mini_kernel, mini_series
from tests.started import started

HERE = Path(__file__).parent / "transcripts"


def played(commands: list[str], folder: Path) -> str:
    """The transcript of `commands`, with what differs from run to run replaced."""
    mini_kernel(folder)
    mini_series(folder)
    (folder / "home").mkdir()
    (folder / "kpatch-rs").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kpatch_rs "$@"\n')
    (folder / "kpatch-rs").chmod(0o755)
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "HOME": str(folder / "home"),
        "LC_ALL": "C.UTF-8",
        "KPATCH_RS_KERNEL": "mini.git",
        "KPATCH_RS_SERIES": "mini-rust-hello",
        "PYTHONWARNINGS": "error",
    }
    shown = []
    for command in commands:
        done = _typed(command, folder, environment)
        end = f"[exit {done.returncode}]\n" if done.returncode else ""
        shown.append(f"$ {command}\n{done.stdout}{end}")
    return _steady("\n".join(shown), folder)


def _typed(
    command: str, folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """`command` as a shell would run it; without a shell where it would only start kpatch-rs."""
    name, *arguments = shlex.split(command)
    if name == "kpatch-rs" and shlex.join([name, *arguments]) == command:
        return started(arguments, folder, environment, as_one=True)
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _steady(text: str, folder: Path) -> str:
    text = text.replace(str(folder), "HERE")
    text = re.sub(r"\b[0-9a-f]{40}\b", "OID", text)
    text = re.sub(r"\b(?=[a-f]*\d)[0-9a-f]{12}\b", "OID", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", text)


@pytest.mark.parametrize("name", sorted(p.stem for p in HERE.glob("*.txt")))
def test_transcript(name: str, tmp_path: Path) -> None:
    file = HERE / f"{name}.txt"
    wanted = file.read_text()
    commands = [line[2:] for line in wanted.splitlines() if line.startswith("$ ")]
    said = played(commands, tmp_path)
    if os.environ.get("KPATCH_RS_TRANSCRIPTS") == "write":
        file.write_text(said)
    assert said == wanted
