"""Kernel trees: one bare repository, one commit and one tag per kernel."""

from __future__ import annotations

import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tests.kernel.provision.apt import Archive, output

WANTED = ("5.10", "6.1", "6.12", "7.2")
"""5.10 has no Rust, 6.1 has one that today's rustc cannot build, 6.12 and 7.2 are built on."""

SUITES = "bookworm trixie trixie-backports"
SECURITY = "bullseye-security bookworm-security"


def tags(repository: Path) -> dict[str, str]:
    """The repository's newest kernel of each line: {"6.12": "v6.12.117"}."""
    if not repository.exists():
        return {}
    names = output("git", "-C", repository, "tag", "--sort=version:refname").split()
    found = (re.fullmatch(r"v(\d+\.\d+)\.\d+", name) for name in names)
    return {match[1]: match[0] for match in found if match}


def bring_kernels(root: Path, wanted: tuple[str, ...]) -> Path:
    """Make sure that `root`/linux.git has every kernel line of `wanted`; return its path."""
    repository = root / "linux.git"
    if not repository.exists():
        subprocess.run(["git", "init", "-q", "--bare", repository], check=True)
    missing = sorted(set(wanted) - set(tags(repository)), key=_number)
    if missing:
        archive = Archive(root / "apt/kernels", suites=SUITES, security=SECURITY, alone=True)
        for line in missing:
            print(f"kernel {line}: {_bring(archive, line, repository)}", flush=True)
    return repository


def _number(line: str) -> tuple[int, ...]:
    return tuple(int(n) for n in line.split("."))


def _bring(archive: Archive, line: str, repository: Path) -> str:
    package = f"linux-source-{line}"
    version = re.match(r"\d+(\.\d+)+", archive.newest(package))
    assert version, "a Debian version of a kernel begins with the kernel's"
    older = [t for known, t in tags(repository).items() if _number(known) < _number(line)]
    parent = max(older, key=lambda t: _number(t[1:]), default=None)
    with tempfile.TemporaryDirectory(dir=repository.parent) as folder:
        archive.unpack(package, Path(folder))
        (tar,) = Path(folder).glob("usr/src/linux-source-*.tar.xz")
        _import_tar(tar, repository, tag=f"v{version[0]}", parent=parent)
    return f"v{version[0]}"


def _import_tar(tar: Path, repository: Path, *, tag: str, parent: str | None) -> None:
    """Commit a kernel tar's files as `tag`, streamed straight into a pack."""
    argv = ["git", "-C", str(repository), "fast-import", "--quiet", "--done"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as importer:
        assert importer.stdin
        for piece in _stream(tar, tag, parent):
            importer.stdin.write(piece)
        importer.stdin.close()
    if importer.returncode:
        raise subprocess.CalledProcessError(importer.returncode, argv)


def _stream(tar: Path, tag: str, parent: str | None) -> Iterator[bytes]:
    message = f"Linux {tag[1:]}\n".encode()
    yield b"commit refs/tags/%s\n" % tag.encode()
    yield b"committer Linux <linux@example.org> 1700000000 +0000\n"
    yield b"data %d\n%s" % (len(message), message)
    if parent:
        yield b"from refs/tags/%s^0\n" % parent.encode()
    yield b"deleteall\n"
    with tarfile.open(tar, "r|xz") as members:
        for member in members:
            if member.issym():
                yield from _entry(member, b"120000", member.linkname.encode())
            elif member.isfile() and (file := members.extractfile(member)):
                mode = b"100755" if member.mode & 0o100 else b"100644"
                yield from _entry(member, mode, _all_of(file))
    yield b"done\n"


def _all_of(file: IO[bytes]) -> bytes:
    with file:
        return file.read()


def _entry(member: tarfile.TarInfo, mode: bytes, data: bytes) -> Iterator[bytes]:
    path = member.name.split("/", 1)[1].encode()
    quoted = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    yield b'M %s inline "%s"\ndata %d\n' % (mode, quoted, len(data))
    yield data
    yield b"\n"
