"""N patches onto a real kernel: kpatch-rs against git am, git rebase, quilt and raw fast-import.

usage: python -m tests.bench.apply [--kernel REPO] [--base TAG] [--patches N ...] [--runs N]

Every contender starts where its user starts: the patches as its own kind of file, and, for those
that need one, a clean work tree with a fresh index. Each must end at the same tree.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import Contender, race, show
from tests.bench.patches import git, kpatch_rs, make_series
from tests.kernel.provision.linux import tags
from tests.kernel.provision.place import folder

IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Bench"), ("EMAIL", "bench@example.org"))
}
SERIES = "bench"
BRANCH = f"kpatch/{SERIES}"


class Course:
    """What one number of patches is raced on: clones, work trees and files, made once."""

    def __init__(self, home: Path, kernel: Path, base: str, patches: int) -> None:
        self.home, self.kernel = home, kernel
        self.series = home / SERIES
        self.made = self.clone("made", bare=True)
        self.base = git(self.made, "rev-parse", f"{base}^{{commit}}").strip()
        make_series(self.series, self.made, self.base, patches, seed=patches)
        subprocess.run(kpatch_rs(self.made, self.series, "apply"), check=True, capture_output=True)
        self.tip = git(self.made, "rev-parse", BRANCH).strip()
        self.mails = home / "mails"
        git(self.made, "format-patch", "-q", "-o", str(self.mails), f"{self.base}..{self.tip}")

    def clone(self, name: str, *, bare: bool = False) -> Path:
        """A clone that borrows the kernel's objects and writes its own."""
        at = self.home / name
        how = ["--bare"] if bare else ["--no-checkout"]
        git(self.home, "clone", "-q", "--shared", *how, str(self.kernel), str(at))
        git(at, "config", "gc.auto", "0")
        return at

    def checkout(self, name: str) -> Path:
        """A clone with the whole kernel checked out at the base."""
        at = self.clone(name)
        git(at, "checkout", "-q", "--detach", self.base)
        return at

    def kpatch_rs(self) -> Contender:
        """A fresh bare clone every time: nothing of an earlier run is left."""
        at = self.home / "kpatch-rs"

        def ready() -> None:
            shutil.rmtree(at, ignore_errors=True)
            self.clone("kpatch-rs", bare=True)

        return Contender(
            name="kpatch-rs apply",
            argv=kpatch_rs(at, self.series, "apply"),
            cwd=self.home,
            ready=ready,
            done=lambda: git(at, "rev-parse", f"{BRANCH}^{{tree}}"),
        )

    def git_am(self) -> Contender:
        at = self.checkout("am")
        return Contender(
            name="git am -3",
            argv=["git", "am", "-q", "-3", *self._mails()],
            cwd=at,
            ready=lambda: _back_to(at, self.base),
            done=lambda: git(at, "rev-parse", "HEAD^{tree}"),
            env=IDENTITY,
        )

    def git_rebase(self) -> Contender:
        """From a sibling of the base that differs in one file, so that there is something to do."""
        at = self.checkout("rebase")
        makefile = at / "Makefile"
        makefile.write_bytes(makefile.read_bytes() + b"# sibling\n")
        env = {**os.environ, **IDENTITY}
        for argv in (["commit", "-q", "-a", "-m", "sibling"], ["am", "-q", *self._mails()]):
            subprocess.run(["git", *argv], cwd=at, env=env, check=True)
        old = git(at, "rev-list", "-1", "--grep=^sibling$", "HEAD").strip()
        tip = git(at, "rev-parse", "HEAD").strip()
        return Contender(
            name="git rebase --onto",
            argv=["git", "rebase", "-q", "--onto", self.base, old],
            cwd=at,
            ready=lambda: _back_to(at, tip),
            done=lambda: git(at, "rev-parse", "HEAD^{tree}"),
            env=IDENTITY,
        )

    def quilt(self) -> Contender:
        at = self.checkout("quilt")
        shutil.copytree(self.mails, at / "patches")
        names = sorted(p.name for p in self.mails.iterdir())
        (at / "patches/series").write_text("\n".join(names) + "\n")

        def ready() -> None:
            if (at / ".pc").exists():
                subprocess.run(
                    ["quilt", "pop", "-a", "-q"], cwd=at, check=True, capture_output=True
                )
            git(at, "reset", "-q")

        def done() -> str:
            git(at, "add", "-u")
            return git(at, "write-tree")

        return Contender(
            name="quilt push -a",
            argv=["quilt", "push", "-a", "-q"],
            cwd=at,
            ready=ready,
            done=done,
        )

    def fast_import(self) -> Contender:
        """The floor: the finished contents, streamed by nobody but cat."""
        at = self.home / "fast-import"
        stream = self.home / "stream"
        argv = ["git", "fast-export", "--reference-excluded-parents", f"{self.base}..{BRANCH}"]
        with stream.open("wb") as out:
            subprocess.run(argv, cwd=self.made, stdout=out, check=True)

        def ready() -> None:
            shutil.rmtree(at, ignore_errors=True)
            self.clone("fast-import", bare=True)

        return Contender(
            name="git fast-import (the floor)",
            argv=["git", "fast-import", "--quiet"],
            cwd=at,
            ready=ready,
            done=lambda: git(at, "rev-parse", f"{BRANCH}^{{tree}}"),
            stdin=stream,
        )

    def _mails(self) -> list[str]:
        return sorted(str(p) for p in self.mails.iterdir())


def _back_to(work_tree: Path, commit: str) -> None:
    git(work_tree, "checkout", "-q", "--force", "--detach", commit)
    git(work_tree, "update-index", "-q", "--refresh")


def main() -> None:
    """Race at every number of patches and print a table for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--kernel", type=Path, default=folder(os.environ) / "linux.git")
    parser.add_argument("--base", help="default: the newest kernel there")
    parser.add_argument("--patches", type=int, nargs="+", default=[5, 50])
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    base = chosen.base or list(tags(chosen.kernel).values())[-1]
    if shutil.which("quilt") is None:
        sys.exit("bench: no quilt; apt-get install quilt")
    for patches in chosen.patches:
        with tempfile.TemporaryDirectory(prefix="kpatch-bench-") as home:
            course = Course(Path(home), chosen.kernel.resolve(), base, patches)
            contenders = [
                course.kpatch_rs(),
                course.git_am(),
                course.git_rebase(),
                course.quilt(),
                course.fast_import(),
            ]
            print(f"\n{patches} patches onto {base}, {chosen.runs} runs")
            print(show(race(contenders, chosen.runs)), flush=True)


if __name__ == "__main__":
    main()
