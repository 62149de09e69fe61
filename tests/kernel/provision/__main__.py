"""Bring real Linux trees and a Rust-for-Linux toolchain onto a Debian machine.

usage: python3 -m tests.kernel.provision [LINE ...]        default: 5.10 6.1 6.12 7.2

Leaves in $KPATCH_RS_KERNELS (default ~/.cache/kpatch-rs/kernels)
  linux.git   bare repository, one commit and one tag per kernel line (v6.12.117), oldest first
  tool/       rustc, its library's source and bindgen, where the machine has none that will do
  env         shell exports: KPATCH_RS_LINUX, RUST_LIB_SRC, PATH
Running it again makes only what is missing.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.kernel.provision.apt import ProvisionError
from tests.kernel.provision.linux import WANTED, bring_kernels
from tests.kernel.provision.place import folder, write_environment
from tests.kernel.provision.toolchain import bring_bindgen, bring_rust, install_compilers


def provision(root: Path, wanted: tuple[str, ...]) -> None:
    """Make what is missing below `root`, one run at a time."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install_compilers()
        bring_bindgen(root)
        library = bring_rust(root)
        bring_kernels(root, wanted)
        write_environment(root, library)
        shutil.rmtree(root / "apt", ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    if any(a.startswith("-") for a in arguments):
        print(__doc__)
        return 0
    root = folder(os.environ)
    try:
        provision(root, tuple(arguments) or WANTED)
    except (ProvisionError, subprocess.CalledProcessError) as error:
        print(f"provision: {error}", file=sys.stderr)
        return 1
    print((root / "env").read_text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
