"""Where the kernels and tools stand, and the environment that finds them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.kernel.provision.toolchain import LLVM


def folder(environment: Mapping[str, str]) -> Path:
    """The folder that `environment` names, or ~/.cache/kpatch-rs/kernels."""
    home = environment.get("HOME") or "~"
    named = environment.get("KPATCH_RS_KERNELS") or f"{home}/.cache/kpatch-rs/kernels"
    return Path(named).expanduser().resolve()


def write_environment(root: Path, library: Path) -> None:
    """Write `root`/env, for shells (`. env`) and for :func:`environment`."""
    lines = [
        f"export KPATCH_RS_LINUX='{root / 'linux.git'}'",
        f"export RUST_LIB_SRC='{library}'",
        f"export PATH='{root / 'tool/bin'}:{LLVM}':\"$PATH\"",
    ]
    (root / "env").write_text("\n".join(lines) + "\n")


def environment(root: Path, path: str) -> dict[str, str] | None:
    """What `root`/env exports, with `path` as the PATH before; None where nothing is there."""
    file = root / "env"
    text = file.read_text() if file.exists() else ""
    exported = dict(re.findall(r"(?m)^export (\w+)='([^']*)'", text))
    if "PATH" not in exported:
        return None
    return {**exported, "PATH": f"{exported['PATH']}:{path}"}
