"""Every function of a kernel, found without kpatch-rs: its name, its file, a digest of its body.

A definition is what kernel style makes of it: a head with a parameter list, `{` and `}` in the
first column. What is written otherwise is no site; nothing here must be complete, only right.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.bench.survival.contenders import git

T = TypeVar("T")

LEFT_OUT = b"drivers/gpu/drm/amd/include/"
"""Generated register tables, a third of the tree."""

_OPENED = re.compile(rb"\)[^;{}()=]*\n\{[ \t]*\n")
_HEAD_BREAK = re.compile(rb"[;}][^\n]*\n|\*/[ \t]*\n|^\s*\n|^#[^\n]*\n", re.MULTILINE)
_NAME = re.compile(rb"(\w+)\s*\(")


@dataclass(frozen=True, slots=True)
class Function:
    """One definition."""

    name: bytes
    path: bytes
    body: bytes
    """A digest."""


@dataclass(frozen=True, slots=True)
class Span:
    """A definition in a file: where its body begins (behind `{` and its newline) and ends."""

    name: bytes
    start: int
    end: int


def spans(data: bytes) -> Iterator[Span]:
    """The functions that `data` defines."""
    past = 0
    for opened in _OPENED.finditer(data):
        end = data.find(b"\n}", opened.end() - 1)
        if opened.start() < past or end < 0:
            continue
        head = _HEAD_BREAK.split(data[max(past, opened.start() - 2000) : opened.start() + 1])[-1]
        past = end + 2
        name = _NAME.search(head)
        if name and not name[1].isupper() and name[1].islower() and re.match(rb"\w", head):
            yield Span(name[1], opened.end(), end + 1)


def functions(repository: Path, rev: str) -> dict[bytes, list[Function]]:
    """Every function of the tree of `rev`, by name."""
    listing = git(repository, "ls-tree", "-r", "-z", rev)
    wanted = []
    for entry in listing.rstrip(b"\0").split(b"\0"):
        about, path = entry.split(b"\t", 1)
        if path.endswith((b".c", b".h")) and not path.startswith(LEFT_OUT):
            wanted.append((about.split()[2], path))
    found: dict[bytes, list[Function]] = {}
    for path, data in blobs(repository, wanted):
        for span in spans(data):
            digest = hashlib.sha1(data[span.start : span.end]).digest()
            found.setdefault(span.name, []).append(Function(span.name, path, digest))
    return found


def blobs(repository: Path, wanted: Iterable[tuple[bytes, T]]) -> Iterator[tuple[T, bytes]]:
    """The bytes of each blob `(name, what for)`, through one git."""
    argv = ["git", "-C", str(repository), "cat-file", "--batch"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as batch:
        assert batch.stdin and batch.stdout
        for name, what in wanted:
            batch.stdin.write(name + b"\n")
            batch.stdin.flush()
            size = int(batch.stdout.readline().split()[2])
            yield what, batch.stdout.read(size + 1)[:-1]
        batch.stdin.close()
