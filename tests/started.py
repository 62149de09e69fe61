"""The command in a process of its own, without the quarter of a second that its imports take.

A server that has imported kpatch_rs once is forked for each command (multiprocessing's
forkserver): the child is as new as one that a shell starts, with its own folder, environment and
streams, and every warning an error. What only a shell can play is started for real, so a new
interpreter and the imports are tried there.
"""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

import kpatch_rs.commands
from kpatch_rs import cli

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [m.name for m in pkgutil.iter_modules(kpatch_rs.commands.__path__, "kpatch_rs.commands.")]
)


def started(
    argv: Sequence[str], cwd: Path, environment: Mapping[str, str], *, as_one: bool = False
) -> CompletedProcess[str]:
    """`kpatch-rs ARGV...` in the folder `cwd`; `as_one` is the shell's `2>&1`."""
    with TemporaryDirectory(prefix="kpatch-rs-started-") as folder:
        out = Path(folder, "out")
        err = out if as_one else Path(folder, "err")
        child = FORKS.Process(target=_child, args=(argv, cwd, dict(environment), out, err))
        child.start()
        child.join()
        assert child.exitcode is not None
        said = out.read_text()
        return CompletedProcess(argv, child.exitcode, said, None if as_one else err.read_text())


def _child(
    argv: Sequence[str], cwd: Path, environment: Mapping[str, str], out: Path, err: Path
) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, flags, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    warnings.simplefilter("error")
    cli.main(argv)
