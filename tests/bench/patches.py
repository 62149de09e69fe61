"""N small patches, spread over a real kernel: the same as recipes, as mails, as a quilt series.

Chosen by a seed, so that every run and every machine has the same ones; one file each, a third of
them C, the rest Kbuild and Kconfig. Only recipes that kpatch-rs renders `exact` are taken.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDERS = ("drivers", "fs", "net", "sound")
AUTHOR = "Bench <bench@example.org>"


def git(where: Path, *arguments: str) -> str:
    """What git prints. Raises CalledProcessError."""
    argv = ["git", "-C", str(where), *arguments]
    return subprocess.run(argv, check=True, text=True, stdout=subprocess.PIPE).stdout


@dataclass(frozen=True, slots=True)
class Finds:
    """Where a kind of edit could go: a pattern for git grep, and the edit made of a hit."""

    kind: str
    pattern: str
    names: str

    def edits(self, repository: Path, base: str) -> Iterator[dict[str, str]]:
        """One edit for each file with a hit, numbered by the caller's {n}."""
        paths = [f"{folder}/**/{self.names}" for folder in FOLDERS]
        specs = [f":(glob){path}" for path in paths]
        hits = git(repository, "grep", "-E", "-m1", self.pattern, base, "--", *specs)
        for hit in hits.splitlines():
            _, file, text = hit.split(":", 2)
            if match := re.search(self.pattern, text):
                yield {"kind": self.kind, "file": file, **_fields(self.kind, match)}


def _fields(kind: str, match: re.Match[str]) -> dict[str, str]:
    if kind == "c-include":
        return {"header": "<linux/bench{n}.h>"}
    if kind == "c-call":
        return {"function": match[1], "statement": "bench{n}();"}
    if kind == "kbuild":
        return {"object": "bench{n}.o", "config": "BENCH{n}"}
    return {"symbol": "BENCH{n}", "prompt": "Bench {n}", "after": match[1]}


SOURCES = (
    Finds("c-include", "^#include <linux/module.h>", "*.c"),
    Finds("c-call", r"^static int __init ([a-z0-9_]+)\(void\)$", "*.c"),
    Finds("kbuild", r"^obj-\$\(CONFIG_[A-Z0-9_]+\)\s*\+=", "Makefile"),
    Finds("kconfig", "^config ([A-Z0-9_]+)$", "Kconfig"),
)


def choose(repository: Path, base: str, count: int, seed: int) -> list[dict[str, str]]:
    """`count` edits in `count` files, kinds in turn; more than needed, as some may not fit."""
    chance = random.Random(seed)  # noqa: S311  # a choice that can be repeated, no secret
    piles = []
    for source in SOURCES:
        pile = sorted(source.edits(repository, base), key=lambda e: e["file"])
        chance.shuffle(pile)
        piles.append(pile)
    chosen: dict[str, dict[str, str]] = {}
    for turn in zip(*piles, strict=False):
        for edit in turn:
            chosen.setdefault(edit["file"], edit)
        if len(chosen) >= count:
            break
    return list(chosen.values())[:count]


def write_series(folder: Path, edits: list[dict[str, str]], base: str) -> None:
    """A series of one recipe for each edit."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.toml"):
        left.unlink()
    head = {
        "format": 1,
        "name": folder.name,
        "base": base,
        "change-id": "20260101-bench-0123456789ab",
    }
    (folder / "series.toml").write_text(_toml(head))
    for n, edit in enumerate(edits):
        recipe = {"id": f"step{n:03}", "subject": f"bench: Patch {n}", "author": AUTHOR}
        numbered = {key: value.replace("{n}", str(n)) for key, value in edit.items()}
        (folder / f"{n:04}.toml").write_text(f"{_toml(recipe)}\n[[edit]]\n{_toml(numbered)}")


def _toml(table: dict[str, Any]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())


def kpatch_rs(repository: Path, series: Path, *arguments: str) -> list[str]:
    """The command line, as this Python runs it."""
    argv = [sys.executable, "-m", "kpatch_rs", "-k", str(repository), "-s", str(series)]
    return [*argv, *arguments]


def make_series(folder: Path, repository: Path, base: str, count: int, seed: int) -> None:
    """A series of `count` recipes that all fit `base`."""
    edits = choose(repository, base, count * 2, seed)
    write_series(folder, edits, base)
    argv = kpatch_rs(repository, folder, "--json", "apply", "--dry-run")
    tried = json.loads(subprocess.run(argv, stdout=subprocess.PIPE, check=False).stdout)
    if "error" in tried:
        sys.exit(f"bench: {tried['error']['message']}")
    steps = tried["steps"]
    fitting = [e for e, s in zip(edits, steps, strict=True) if s["status"] == "exact"]
    if len(fitting) < count:
        sys.exit(f"bench: only {len(fitting)} of {len(edits)} recipes fit {base}")
    write_series(folder, fitting[:count], base)
