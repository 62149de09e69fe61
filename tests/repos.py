"""Small real repositories, made by git itself in surroundings of their own."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kpatch_rs.model.path import RepoPath, repo_path
from kpatch_rs.model.series import Person
from kpatch_rs.model.tree import File

FILES: Mapping[str, bytes] = {
    "Makefile": b"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n",
    "arch/x86/kvm/x86.c": b"int kvm_init(void)\n{\n\treturn 0;\n}\n",
    "arch/x86/kvm/Makefile": b"kvm-y += x86.o\n",
    "virt/kvm/kvm_main.c": b"int kvm_init(void);\nint kvm_init_all(void);\n",
}
ME = Person("A Maintainer", "a@example.org")
WHEN = "1700000000 +0100"


@dataclass(frozen=True)
class Surroundings:
    """Variables for a git that knows nothing of this machine's configuration."""

    environment: Mapping[str, str]

    def git(self, where: Path, *args: str | bytes, data: bytes = b"") -> str:
        """Run git in `where`; return its stdout without the last LF. Fails the test on failure."""
        ended = subprocess.run(
            ["git", "-C", str(where), *args],
            input=data,
            capture_output=True,
            env={**self.environment, "GIT_CONFIG_NOSYSTEM": "1"},
            check=False,
        )
        assert ended.returncode == 0, (args, ended.stderr)
        return ended.stdout.decode(errors="surrogateescape").removesuffix("\n")

    def kernel(
        self, path: Path, files: Mapping[str, bytes] = FILES, *init: str, tag: str = "v6.12.1"
    ) -> Path:
        """A repository at `path` with one tagged commit of `files` on branch master."""
        self.git(path.parent, "init", "-q", "--initial-branch=master", *init, str(path))
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        self.git(path, "add", "-A")
        self.git(path, "commit", "-q", "--allow-empty", "-m", f"Linux {tag}")
        self.git(path, "tag", tag)
        return path

    def refs(self, where: Path) -> str:
        """Every ref with its value."""
        return self.git(where, "for-each-ref", "--format=%(refname) %(objectname) %(symref)")


def surroundings(home: Path) -> Surroundings:
    """A home of its own, with an identity."""
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\n\tname = A Maintainer\n\temail = a@example.org\n[gc]\n\tauto = 0\n"
    )
    dates = {f"GIT_{who}_DATE": WHEN for who in ("AUTHOR", "COMMITTER")}
    return Surroundings({"PATH": os.environ["PATH"], "HOME": str(home), **dates})


def changes(files: Mapping[str, bytes | None]) -> dict[RepoPath, File | None]:
    """`files` as a commit's changes."""
    return {repo_path(p): None if data is None else File(data) for p, data in files.items()}


def snapshot(work_tree: Path) -> dict[str, tuple[int, str]]:
    """Every file below `work_tree` but the object store: its modification time and its bytes."""
    found = (p for p in work_tree.rglob("*") if p.is_file() and "objects" not in p.parts)
    return {str(p): (p.stat().st_mtime_ns, hashlib.sha1(p.read_bytes()).hexdigest()) for p in found}
