"""Debian's packages without touching the machine's own package state.

Each :class:`Archive` is an apt with its own sources, lists and cache. Mirrors are the ones the
machine is set up with; packages are downloaded and unpacked below a folder, never installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

INSTALLED = Path("/var/lib/dpkg/status")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class ProvisionError(Exception):
    """What the machine lacks, in one line."""


def output(*argv: str | Path) -> str:
    """What a command prints. Raises CalledProcessError."""
    return subprocess.run(argv, check=True, text=True, stdout=subprocess.PIPE).stdout


def mirrors() -> tuple[str, str]:
    """The machine's mirrors of Debian and of its security updates (derived where none is set)."""
    rows = output("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
    uris = list(dict.fromkeys(rows.split()))
    main = next((u for u in uris if re.search(r"/debian/?$", u)), None)
    if main is None:
        raise ProvisionError("apt is set up with no mirror whose address ends in /debian")
    derived = re.sub(r"/debian(/?)$", r"/debian-security\1", main)
    return main, next((u for u in uris if "debian-security" in u), derived)


def source_entry(uri: str, suites: str) -> str:
    """One entry of a .sources file (sources.list(5), DEB822 format)."""
    lines = [f"URIs: {uri}", f"Suites: {suites}", "Components: main", f"Signed-By: {KEYRING}"]
    return "\n".join(["Types: deb", *lines]) + "\n"


class Archive:
    """Some suites of Debian, and the packages in them."""

    def __init__(self, root: Path, *, suites: str, security: str = "", alone: bool = False) -> None:
        """Read the package lists. `alone`: as if nothing were installed on this machine."""
        for below in ("lists/partial", "cache/archives/partial", "parts"):
            (root / below).mkdir(parents=True, exist_ok=True)
        self.root = root
        self.options = [
            "-oDir::Etc::sourcelist=/dev/null",
            f"-oDir::Etc::sourceparts={root}/parts",
            f"-oDir::State::lists={root}/lists",
            f"-oDir::State::status={root}/status",
            f"-oDir::Cache={root}/cache",
            "-oAPT::Sandbox::User=root",
            "-oAcquire::Retries=3",
        ]
        # A copy, because apt locks the folder that the status is in.
        (root / "status").write_bytes(b"" if alone else INSTALLED.read_bytes())
        main, fixes = mirrors()
        entries = [source_entry(main, suites)]
        if security:
            entries.append(source_entry(fixes, security))
        (root / "parts/debian.sources").write_text("\n".join(entries))
        self._get("update")

    def _get(self, *arguments: str, cwd: Path | None = None) -> None:
        argv = ["apt-get", *self.options, "-qq", *arguments]
        subprocess.run(argv, check=True, cwd=cwd, stdout=subprocess.DEVNULL)

    def newest(self, package: str) -> str:
        """The newest version of `package`. Raises ProvisionError where the suites have none."""
        rows = output("apt-cache", *self.options, "madison", package)
        versions = [row.split("|")[1].strip() for row in rows.splitlines()]
        if not versions:
            raise ProvisionError(f"Debian has no package {package} here")
        return versions[0]

    def unpack(self, package: str, into: Path) -> None:
        """Unpack the newest `package`, without what it depends on, below `into`."""
        with tempfile.TemporaryDirectory(dir=self.root) as folder:
            self._get("download", f"{package}={self.newest(package)}", cwd=Path(folder))
            _unpack_all(Path(folder), into)

    def unpack_with_dependencies(self, packages: Sequence[str], into: Path) -> None:
        """Unpack `packages` and what they need and this machine lacks; all of it or nothing."""
        archives = self.root / "cache/archives"
        for left in archives.glob("*.deb"):
            left.unlink()
        wanted = ("-y", "--download-only", "--no-install-recommends", "install", *packages)
        self._get(*wanted)
        fresh = into.with_name(into.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        _unpack_all(archives, fresh)
        self._get("clean")
        fresh.rename(into)


def _unpack_all(folder: Path, into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for package in sorted(folder.glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, into], check=True)
