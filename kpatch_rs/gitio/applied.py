"""What `git apply` makes of files, in a throw-away folder that holds just them.

A patch that fits a few lines further up or down goes to the nearest such place, as with `git am`
and quilt; one that needs fuzz does not go in. Guarantees: bytes and modes are taken over as they
are, whatever the user configured; nothing outside the folder is read or written (git refuses
names that leave it, and names below a link).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.running import Git
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import File


def applied(
    git: Git, files: Mapping[RepoPath, File | None], diff: bytes
) -> dict[RepoPath, File | None]:
    """Return `files` with `diff`, which names no others, put in. Raises KpatchError."""
    with tempfile.TemporaryDirectory(prefix="kpatch-rs-apply-") as name:
        folder = Path(name) / "tree"
        folder.mkdir()
        for path, file in files.items():
            if file is not None:
                write_file(folder / os.fsdecode(path), file)
        # Nobody's repository: git must not find one in a folder above.
        there = Git(
            git.environment, ("-C", str(folder)), {"GIT_CEILING_DIRECTORIES": name}
        ).without_config()
        ended = there.attempt("apply", "--whitespace=nowarn", data=diff)
        if ended.code != 0:
            raise KpatchError(
                f"it does not fit: {ended.failure('apply').message}",
                hint="give the kernel the patches are made for with --base; or refresh the patch"
                " there, if it goes in with fuzz only",
            )
        return {path: read_file(folder / os.fsdecode(path)) for path in files}


def write_file(target: Path, file: File) -> None:
    """Put `file` at `target`, where nothing or a file is; folders above it are made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.mode == "120000":
        target.symlink_to(os.fsdecode(file.data))
        return
    target.write_bytes(file.data)
    target.chmod(int(file.mode[-3:], 8))


def read_file(target: Path) -> File | None:
    """The file or link at `target`, as git would take it; None where neither is there."""
    if target.is_symlink():
        return File(os.fsencode(target.readlink()), "120000")
    if not target.is_file():
        return None
    return File(target.read_bytes(), "100755" if target.stat().st_mode & 0o100 else "100644")
