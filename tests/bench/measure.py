"""Whole processes, measured: wall time and peak memory.

The contenders of one bench run in turn, round after round, so that what else the machine does hits
all of them alike. What a contender needs before it can run again is done outside the timing.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way of doing the work of a bench."""

    name: str
    argv: Sequence[str]
    cwd: Path
    ready: Callable[[], None]
    """Puts everything back to where the work is not done yet."""
    done: Callable[[], str]
    """Names the result (a tree oid), so that all contenders can be held to the same one."""
    stdin: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One process: seconds of wall time, peak resident set in MB (its largest process's)."""

    seconds: float
    megabytes: float


def timed(contender: Contender) -> Run:
    """Run it once. Exits the bench where it fails: a time of a failure means nothing."""
    with Path(contender.stdin or os.devnull).open("rb") as stdin:
        start = time.perf_counter()
        process = subprocess.Popen(
            contender.argv,
            cwd=contender.cwd,
            env={**os.environ, **contender.env},
            stdin=stdin,
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)  # with what it waited for itself
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench: {contender.name} ended with {process.returncode}")
    return Run(seconds, usage.ru_maxrss / 1024)


def race(contenders: Sequence[Contender], rounds: int) -> dict[str, list[Run]]:
    """Every contender once a round; exits the bench where two results differ."""
    runs: dict[str, list[Run]] = {c.name: [] for c in contenders}
    for _ in range(rounds):
        results = {}
        for contender in contenders:
            contender.ready()
            runs[contender.name].append(timed(contender))
            results[contender.name] = contender.done()
        if len(set(results.values())) != 1:
            sys.exit(f"bench: not the same work: {results}")
    return runs


def show(runs: Mapping[str, Sequence[Run]]) -> str:
    """A table of medians; `ratio` is the first contender's time by this one's."""
    medians = {name: statistics.median(r.seconds for r in rs) for name, rs in runs.items()}
    first = next(iter(medians.values()))
    lines = [f"{'':28} {'median s':>9} {'min':>7} {'max':>7} {'ratio':>6} {'peak MB':>8}"]
    for name, rs in runs.items():
        seconds = [r.seconds for r in rs]
        lines.append(
            f"{name:28} {medians[name]:9.3f} {min(seconds):7.3f} {max(seconds):7.3f}"
            f" {first / medians[name]:6.2f} {max(r.megabytes for r in rs):8.0f}"
        )
    return "\n".join(lines)
