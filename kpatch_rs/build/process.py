"""Starts a child, bounds what it may cost, and never leaves it behind.

Guarantees: an argument list, no shell; the given environment and nothing else; a process group of
its own, which is killed as a whole when the time is up or when this process is interrupted; at most
:data:`LOG_CAP` bytes of output are kept.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LOG_CAP = 10 * 1024 * 1024
"""Bytes of output kept from one child: the first half of them and the last."""

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL."""

_CHUNK = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a child ended."""

    code: int
    """Exit status; negative: the signal that ended it, as subprocess says it."""
    output: bytes
    """stdout and stderr as they came, at most LOG_CAP bytes."""
    seconds: float
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended by itself, with status 0."""
        return self.code == 0 and self.ended

    @property
    def ended(self) -> bool:
        """Whether it came to its end, good or bad: nobody stopped or killed it."""
        return self.code >= 0 and not self.timed_out

    @property
    def text(self) -> str:
        """The output for people and for matching."""
        return self.output.decode(errors="replace")


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    timeout: float,
    stderr: bool = True,
    held: Sequence[int] = (),
) -> Ran:
    """Run `argv` in `cwd` for at most `timeout` seconds; `stderr` False drops what goes there.

    `held` are open locks that the child keeps for as long as it or a child of its own lives.

    Raises FileNotFoundError where the program is not on PATH. Whatever interrupts the wait, Ctrl-C
    included, kills the whole group first.
    """
    start = time.monotonic()
    with subprocess.Popen(
        argv,
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if stderr else subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=held,
    ) as child:
        assert child.stdout is not None  # noqa: S101 - PIPE was asked for two lines above
        try:
            output, timed_out = _read(child.stdout, start + timeout)
            code = _wait(child, start + timeout) if not timed_out else _kill(child)
        except BaseException:
            _kill(child)
            raise
    took = time.monotonic() - start
    timed_out = timed_out or took > timeout
    return Ran(code=code, output=output, seconds=took, timed_out=timed_out)


def _read(pipe: IO[bytes], deadline: float) -> tuple[bytes, bool]:
    """All that comes until the pipe closes, its middle cut out; whether the time ran out first."""
    half = LOG_CAP // 2
    head, tail = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if not selector.select(left):
                break
            chunk = os.read(pipe.fileno(), _CHUNK)
            if not chunk:
                return bytes(head + tail[-half:]), False
            fits = half - len(head)
            head += chunk[:fits]
            tail += chunk[fits:]
            if len(tail) > LOG_CAP:
                del tail[:-half]
    return bytes(head + tail[-half:]), True


def _wait(child: subprocess.Popen[bytes], deadline: float) -> int:
    try:
        return child.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return _kill(child)


def _kill(child: subprocess.Popen[bytes]) -> int:
    """End the child's whole group: first politely, so that make removes half-written targets."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, signum)
            return child.wait(GRACE)
        except ProcessLookupError:
            return child.wait()
        except subprocess.TimeoutExpired:
            continue
    return child.wait()
