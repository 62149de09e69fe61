"""Random miniature kernels, in pieces: who drifts a function knows where it went.

A C file is a list of pieces, and a function is a piece of its own that keeps its identity whatever
it is called, wherever it moves and whatever its body becomes. So a test can ask of any byte of a
rendered tree whose function it is in, without asking the code under test.
"""

from __future__ import annotations

import difflib
import functools
import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

from kpatch_rs.demo import FIRST_RELEASE
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import File, Mode, TreeOverlay
from tests.demo import mini_kernel
from tests.properties.code import c_functions
from tests.trees import DictTree

_FUNCTION = re.compile(
    rb"(?m)^(?![ \t#/*}])[^\n;={}]*?\b(\w+)\([^;{}]*?\)\n\{\n(?:(?!\}).*\n)*\}\n"
    rb"(?:[A-Z_a-z]+\(.*\);\n)?"
)
"""A definition of the miniature kernel, and the EXPORT_SYMBOL() or module_init() right below it."""
_SYSCALL = re.compile(rb"SYSCALL_DEFINE\d\((\w+)")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text of a file; with an identity, one function."""

    text: bytes
    name: bytes = b""
    """What the function is called; empty for what is none."""
    identity: str = ""
    """Where the function was in the first place: "FILE NAME"; empty for a newcomer."""

    @property
    def body(self) -> tuple[int, int]:
        """Where its body begins and ends."""
        start = self.text.index(b"\n{\n") + 3
        return start, self.text.index(b"\n}\n", start - 1) + 1

    @property
    def private(self) -> bool:
        """Whether it is static."""
        return self.text.startswith(b"static ")


@dataclass(frozen=True, slots=True, repr=False)
class Kernel:
    """Files in pieces."""

    files: Mapping[str, tuple[Piece, ...]]
    modes: Mapping[str, Mode] = field(default_factory=dict)
    ending: Mapping[str, bytes] = field(default_factory=dict)
    """Files whose lines do not end in LF: what they end in."""

    def __repr__(self) -> str:
        """What of it is not as in the release: all of it would be too long to read."""
        known = release()
        said = [
            line
            for path in sorted({*known.files, *self.files})
            if self.files.get(path) != known.files.get(path)
            for line in difflib.unified_diff(
                _shown(known, path), _shown(self, path), path, path, n=1, lineterm=""
            )
        ]
        return f"Kernel({dict(self.ending)}):\n" + "\n".join(said)[:8000]

    def _repr_pretty_(self, printer: RepresentationPrinter, _: bool) -> None:
        printer.text(repr(self))

    def data(self, path: str) -> bytes:
        """The bytes of a file."""
        text = b"".join(piece.text for piece in self.files[path])
        return text.replace(b"\n", self.ending[path]) if path in self.ending else text

    def tree(self) -> TreeOverlay:
        """The kernel as rendering sees it."""
        made = {p: File(self.data(p), self.modes.get(p, "100644")) for p in self.files}
        return TreeOverlay(DictTree(made))

    def functions(self) -> dict[tuple[str, int], Piece]:
        """Every function, by file and number of the piece."""
        return {
            (path, n): piece
            for path, pieces in self.files.items()
            for n, piece in enumerate(pieces)
            if piece.name
        }

    def home(self, identity: str) -> tuple[str, Piece] | None:
        """Where a function is now."""
        found = [(at[0], p) for at, p in self.functions().items() if p.identity == identity]
        return found[0] if found else None

    def with_file(self, path: str, pieces: tuple[Piece, ...]) -> Kernel:
        """The kernel with other pieces in `path`."""
        return replace(self, files={**self.files, path: pieces})

    def with_text(self, path: str, text: bytes) -> Kernel:
        """The kernel with a file that is all one piece."""
        return self.with_file(path, (Piece(text),))


def _shown(kernel: Kernel, path: str) -> list[str]:
    data = kernel.data(path) if path in kernel.files else b""
    return data.decode(errors="backslashreplace").splitlines()


def in_pieces(path: str, data: bytes) -> tuple[Piece, ...]:
    """`data` cut at its functions."""
    if not path.endswith(".c"):
        return (Piece(data),)
    pieces, past = list[Piece](), 0
    for found in _FUNCTION.finditer(data):
        called = _SYSCALL.match(found[0])
        name = b"sys_" + called[1] if called else found[1]
        pieces += [
            Piece(data[past : found.start()]),
            Piece(found[0], name, f"{path} {name.decode()}"),
        ]
        past = found.end()
    return (*pieces, Piece(data[past:]))


@functools.cache
def release(tag: str = FIRST_RELEASE) -> Kernel:
    """A release of the demo's kernel."""
    with tempfile.TemporaryDirectory() as folder:
        kernel = mini_kernel(Path(folder))
        archive = subprocess.check_output(["git", "-C", kernel, "archive", "--format=tar", tag])
    files: dict[str, tuple[Piece, ...]] = {}
    modes: dict[str, Mode] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar.getmembers():
            if (content := tar.extractfile(member)) is not None:
                files[member.name] = in_pieces(member.name, content.read())
                modes[member.name] = "100755" if member.mode & 0o100 else "100644"
    return Kernel(files, modes)


@st.composite
def kernels(draw: st.DrawFn) -> Kernel:
    """The demo's kernel, with some more functions of every shape in it."""
    kernel = release()
    for number in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(sorted(p for p in kernel.files if p.endswith(".c"))))
        name = b"kvm_extra_%d" % number
        piece = Piece(draw(c_functions(name)), name, f"{path} {name.decode()}")
        kernel = kernel.with_file(path, (*kernel.files[path], Piece(b"\n"), piece))
    return kernel


def owner(kernel: Kernel, path: str, result: bytes, word: bytes) -> list[str]:
    """In whose bodies `word` stands in `result`, made of `path` by putting something in.

    One identity (or "-") for each time it stands there.
    """
    owners, at = list[str](), 0
    spans = _spans(kernel.files[path], result, kernel.ending.get(path, b"\n"))
    while (at := result.find(word, at)) >= 0:
        inside = [who for start, end, who in spans if start <= at < end]
        owners.append(inside[0] if inside else "-")
        at += len(word)
    return owners


def _spans(pieces: tuple[Piece, ...], result: bytes, ending: bytes) -> list[tuple[int, int, str]]:
    """The bodies in `result`, found by their heads: those stay as they are, and in order."""
    spans, at = list[tuple[int, int, str]](), 0
    for piece in pieces:
        if piece.name:
            head = piece.text[: piece.body[0]].replace(b"\n", ending)
            start = result.index(head, at) + len(head)
            at = result.index(ending + b"}" + ending, start - len(ending)) + len(ending)
            spans.append((start, at, piece.identity or f"new {piece.name.decode()}"))
    return spans


def paths(kernel: Kernel, *endings: str) -> list[str]:
    """The files with one of these endings, sorted."""
    return sorted(p for p in kernel.files if p.endswith(endings))


def repo(path: str) -> RepoPath:
    """A path of these kernels, all of them plain."""
    return RepoPath(path.encode())
