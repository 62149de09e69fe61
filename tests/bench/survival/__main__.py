"""Edits made for one kernel, on another: how many land, in the tables of tests/bench/README.md.

usage: python -m tests.bench.survival --old v6.12.117 --new v7.2.12 [--seed N] [--count N]
                                      [--truth FILE --truth-kernel REPO] [--tool TOOL ...]
                                      [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from kpatch_rs.gitio.repository import Repository
from tests.bench.survival import carried, truth
from tests.bench.survival.calls import Site, Survey, changed, moved, shuffled, verdicts
from tests.bench.survival.contenders import git
from tests.bench.survival.kernels import functions
from tests.kernel.provision.place import folder

Counts = Mapping[str, Counter[str]]
"""Each tool, and how often it was right, in conflict and wrong."""


def main() -> None:
    asked = _arguments()
    about: dict[str, object] = {}
    if asked.old and asked.new:
        tables = _calls(asked)
        for title, counts in tables.items():
            print(show(title, counts))
        plain = {title: {t: dict(c) for t, c in counts.items()} for title, counts in tables.items()}
        about |= {"old": asked.old, "new": asked.new, "seed": asked.seed, "tables": plain}
    if asked.truth:
        found = _carried(asked)
        print(carried.table(f"patches carried by hand, of {asked.truth.name}", found))
        about["cases"] = carried.plainly(found)
    if asked.json:
        asked.json.write_text(json.dumps(about, indent=1) + "\n")


def _carried(asked: argparse.Namespace) -> list[carried.Judged]:
    cases = truth.cases(asked.truth)
    found = []
    for judged in carried.judge(cases, asked.truth_kernel, asked.tool or list(carried.TOOLS)):
        found.append(judged)
        print(f"\r{len(found)}/{len(cases)}", end="", file=sys.stderr, flush=True)
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--kernel", type=Path, default=folder(os.environ) / "linux.git")
    parser.add_argument("--old")
    parser.add_argument("--new")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=250)
    parser.add_argument("--only", metavar="TOOL", help="call sites by this one tool: kpatch-rs")
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--truth-kernel", type=Path)
    parser.add_argument("--tool", action="append", choices=list(carried.TOOLS))
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if bool(asked.truth) != bool(asked.truth_kernel) or bool(asked.old) != bool(asked.new):
        parser.error("--old and --new, --truth and --truth-kernel: come in twos")
    return asked


def _calls(asked: argparse.Namespace) -> dict[str, Counts]:
    """Both tables of call sites."""
    old, new = (functions(asked.kernel, rev) for rev in (asked.old, asked.new))
    with tempfile.TemporaryDirectory(prefix="bench-survival-") as home:
        scratch = Path(home) / "scratch.git"
        git(Path(home), "clone", "-q", "--shared", "--bare", str(asked.kernel), str(scratch))
        survey = Survey(asked.kernel, scratch, asked.old, asked.new)
        piles: dict[str, Sequence[Site]] = {
            "call sites in the same file, body changed": changed(old, new),
            "call sites in another file": moved(old, new),
        }
        with Repository.open(scratch, {}) as trees:
            return {
                f"{title} ({len(pile)} functions)": _counted(survey, pile, asked, trees)
                for title, pile in piles.items()
            }


def _counted(
    survey: Survey, pile: Sequence[Site], asked: argparse.Namespace, trees: Repository
) -> Counts:
    taken = survey.sample(shuffled(pile, asked.seed), asked.count, trees)
    found = verdicts(survey, taken, trees, asked.only)
    return {tool: Counter(each) for tool, each in found.items()}


def show(title: str, counts: Counts) -> str:
    """A table of figures."""
    total = max(c.total() for c in counts.values())
    lines = [
        "",
        f"{total} {title}",
        f"{'':16} {'right':>6} {'asked':>6} {'conflict':>9} {'wrong':>6}",
    ]
    lines += [
        f"{tool:16} {c['right']:6} {c['asked']:6} {c['conflict']:9} {c['wrong']:6}"
        for tool, c in counts.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
