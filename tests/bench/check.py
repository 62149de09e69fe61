"""`check` on a prepared O= folder, against the make commands it runs.

usage: python -m tests.bench.check [--kernel REPO] [--onto TAG] [--series DIR] [--runs N]
                                   [--cache DIR]

A make that notes when it began and ended stands in front of the real one. So "the same commands
by hand" are the very commands of the same run, in the same state of the same folder; what is left
is what kpatch-rs adds: checkouts, configurations, looking at symbols. `cold` begins with the
objects of the folders that the series touches removed; `again` has nothing changed, and must start
no compiler.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.patches import git, kpatch_rs
from tests.kernel.provision.linux import tags
from tests.kernel.provision.place import environment, folder

SPY = """\
#!/bin/sh
[ "$MAKELEVEL" ] && exec {make} "$@"
[ "$1" = --version ] && exec {make} "$@"
began=$(date +%s%N); {make} "$@"; code=$?
echo "$began $(date +%s%N) $*" >>{log}
exit $code
"""


@dataclass(frozen=True, slots=True)
class Made:
    """One make command of a check."""

    seconds: float
    arguments: tuple[str, ...]


class Bench:
    """A kernel, a series rendered on it, and a make that is watched."""

    def __init__(self, home: Path, kernel: Path, series: Path, cache: Path) -> None:
        self.log = home / "log"
        self.kernel = home / "kernel"
        git(home, "clone", "-q", "--shared", "--bare", str(kernel), str(self.kernel))
        self.series = home / series.name
        shutil.copytree(series, self.series)
        spy = home / "spy/make"
        spy.parent.mkdir()
        spy.write_text(SPY.format(make=shutil.which("make"), log=self.log))
        spy.chmod(0o755)
        found = environment(folder(os.environ), os.environ["PATH"]) or dict(os.environ)
        own = {"XDG_CACHE_HOME": str(cache), "XDG_STATE_HOME": str(home / "state")}
        self.env = {**os.environ, **found, **own}
        self.env["PATH"] = f"{spy.parent}:{self.env['PATH']}"

    def run(self, *verb: str) -> tuple[float, list[Made]]:
        """Seconds of the whole process, and the makes it started. Exits the bench on failure."""
        self.log.write_text("")
        start = time.perf_counter()
        done = subprocess.run(
            kpatch_rs(self.kernel, self.series, *verb), env=self.env, check=False, text=True
        )
        seconds = time.perf_counter() - start
        if done.returncode:
            sys.exit(f"bench: {' '.join(verb)} ended with {done.returncode}")
        return seconds, [_made(line) for line in self.log.read_text().splitlines()]

    def forget_objects(self, made: list[Made]) -> None:
        """Remove what was built in the folders of the targets, and leave the prepared rest."""
        arguments = [a for m in made for a in m.arguments]
        out = next(a.removeprefix("O=") for a in arguments if a.startswith("O="))
        for name in {a.rsplit("/", 1)[0] for a in arguments if a.endswith((".o", ".mod"))}:
            shutil.rmtree(Path(out, name), ignore_errors=True)


def _made(line: str) -> Made:
    began, ended, *arguments = line.split()
    return Made((int(ended) - int(began)) / 1e9, tuple(arguments))


def report(name: str, runs: list[tuple[float, list[Made]]]) -> str:
    """One line of medians."""
    whole = statistics.median(seconds for seconds, _ in runs)
    makes = statistics.median(sum(m.seconds for m in made) for _, made in runs)
    count = len(runs[-1][1])
    ratio = f"{whole / makes:6.2f}" if makes else "     -"
    return f"{name:8} {whole:9.2f} s   make alone {makes:9.2f} s in {count:3} calls   ratio {ratio}"


def main() -> None:
    """Prepare, then time cold checks and checks with nothing changed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--kernel", type=Path, default=folder(os.environ) / "linux.git")
    parser.add_argument("--onto", help="default: the newest kernel there")
    parser.add_argument("--series", type=Path, default=Path("series/kvm-rust-hello"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=folder(os.environ) / "tests/cache")
    chosen = parser.parse_args()
    onto = chosen.onto or list(tags(chosen.kernel).values())[-1]
    with tempfile.TemporaryDirectory(prefix="kpatch-bench-") as home:
        bench = Bench(Path(home), chosen.kernel.resolve(), chosen.series, chosen.cache.resolve())
        bench.run("apply", "--onto", onto)
        _, made = bench.run("check", "--trust", "--fresh")
        cold, again = [], []
        for _ in range(chosen.runs):
            bench.forget_objects(made)
            cold.append(bench.run("check", "--fresh"))
            again.append(bench.run("check"))
        print(f"\n{chosen.series.name} on {onto}, {chosen.runs} runs")
        print(report("cold", cold))
        print(report("again", again))


if __name__ == "__main__":
    main()
