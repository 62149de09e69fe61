"""A bare repository of our own that borrows the user's objects.

Whatever would look at configuration, attributes, filters or an index, or would leave objects
behind, runs there: the user's repository is only read from, and its configuration has no effect.
"""

from __future__ import annotations

import os
from pathlib import Path

from kpatch_rs.gitio.running import Git

_EXACT = "* -text -eol -ident -filter -working-tree-encoding -merge\n"
"""Files come out of a checkout as they are in the tree, whatever its .gitattributes say."""

_HUNK_HEADERS = "*.[ch] diff=cpp\n*.rs diff=rust\n*.py diff=python\n*.pl diff=perl\n"
"""The kernel's own .gitattributes, for the function names after @@; a bare git reads it from no
tree."""


def borrow(git: Git, home: Path, objects: Path, object_format: str) -> Git:
    """Make `home` a bare repository on top of the object store `objects`; return git in it."""
    alone = git.without_config()
    if not (home / "HEAD").exists():
        init = ("init", "--quiet", "--bare", "--template=", f"--object-format={object_format}")
        alone.run(*init, str(home))
    _replace(home / "objects/info/alternates", _c_quoted(os.fsencode(objects)) + b"\n")
    _replace(home / "info/attributes", (_EXACT + _HUNK_HEADERS).encode())
    return alone.at(home)


def _replace(file: Path, data: bytes) -> None:
    if file.exists() and file.read_bytes() == data:
        return
    file.parent.mkdir(exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_bytes(data)
    fresh.replace(file)


def _c_quoted(path: bytes) -> bytes:
    """As git unquotes it in an alternates file: a path may hold a LF, or begin with '#'."""
    odd = b'\\"'
    return (
        b'"' + b"".join(b"\\%03o" % c if c < 0x20 or c in odd else bytes((c,)) for c in path) + b'"'
    )
