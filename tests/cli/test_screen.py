"""What a person sees: on a terminal of some width, with and without colours; and in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from rich.cells import cell_len

from kpatch_rs.commands import apply
from tests.cli.desk import Desk

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(tmp_path: Path, width: int, *argv: str, **more: str) -> str:
    """What `kpatch-rs argv` writes to a terminal of that many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    drop = ("NO_COLOR", "COLUMNS", "KPATCH_RS_KERNEL", "KPATCH_RS_SERIES")
    environment = {k: v for k, v in os.environ.items() if k not in drop}
    child = subprocess.Popen(
        [sys.executable, "-m", "kpatch_rs", *argv],
        cwd=tmp_path,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**environment, "TERM": "xterm", **more},
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            got = os.read(ours, 65536)
        except OSError:  # EIO: the other end is closed (Linux's pty driver)
            break
        if not got:
            break
        said += got
    os.close(ours)
    assert child.wait() == 0
    return said.decode().replace("\r\n", "\n")


ON = ("-q", "-k", "mini.git", "-s", "mini-rust-hello")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_tables_fit_the_terminal(desk: Desk, width: int) -> None:
    for verb in (("status",), ("log",), ("rebase", "--dry-run", "v6.12-mini")):
        said = on_terminal(desk.session.cwd, width, *ON, *verb)
        rows = _ESCAPE.sub("", said).split("\n\n")
        table = next(block.splitlines() for block in rows if "───" in block)
        assert max(map(cell_len, table)) <= width, verb


def test_colours_on_a_terminal_only_and_not_against_ones_will(desk: Desk) -> None:
    assert "\x1b[32mexact" in on_terminal(desk.session.cwd, 80, *ON, "status")
    assert "\x1b" not in on_terminal(desk.session.cwd, 80, *ON, "status", NO_COLOR="1")
    assert "\x1b" not in on_terminal(desk.session.cwd, 80, *ON, "status", TERM="dumb")
    argv = [sys.executable, "-m", "kpatch_rs", *ON, "status"]
    piped = subprocess.run(argv, cwd=desk.session.cwd, check=True, capture_output=True, text=True)
    assert "\x1b" not in piped.stdout


def test_a_step_in_conflict_shows_no_place_of_its_other_edits(bare: Desk) -> None:
    recipe = bare.series / "0004-c-declare.toml"
    lost = '[[edit]]\nkind = "c-call"\nfile = "arch/x86/kvm/x86.c"\nfunction = "nowhere"\n'
    recipe.write_text(f'{recipe.read_text()}\n{lost}at = "entry"\nstatement = "f();"\n')
    report = apply.run(bare.session, onto=None, branch=None, dry_run=True)
    assert [len(step.edits) for step in report.steps if step.recipe.id == "c-declare"] == [2]
    rows = [line.split() for line in report.as_text().splitlines()]
    assert ["c-declare", "conflict"] in rows
    assert any(row[:2] == ["kbuild", "exact"] and len(row) == 3 for row in rows)
