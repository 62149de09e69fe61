"""Tools that are on this machine, but not where a build looks for them.

Guarantees: only looks; nothing found here is used by a build.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from kpatch_rs.build.toolchain import Tool

LLVM_HOMES = Path("/usr/lib")
"""Where Debian, Ubuntu and apt.llvm.org put llvm-NN/bin, which is not on PATH."""

RUST_SOURCES = Path("/usr/src")
"""Where Debian's rust-src and rust-web-src put rustc-VERSION/library."""

_LLVM_TOOLS = ("clang", "ld.lld", "llvm-ar", "llvm-nm", "llvm-objcopy", "llvm-strip")
"""What a kernel built with LLVM=1 calls."""


def llvm_folder(least: str) -> Path | None:
    """The folder of the newest whole LLVM of version `least` or newer; '' asks for any."""
    found = [
        (int(match[1]), home / "bin")
        for home in LLVM_HOMES.glob("llvm-*")
        if (match := re.fullmatch(r"llvm-(\d+)", home.name))
        and all((home / "bin" / tool).exists() for tool in _LLVM_TOOLS)
    ]
    number, folder = max(found, default=(0, None))
    wanted = re.match(r"\d+", least)
    return folder if number >= int(wanted[0] if wanted else 0) else None


def rust_library(rustc: Tool | None) -> Path | None:
    """The library source that belongs to `rustc` and its packages put beside its sysroot."""
    library = RUST_SOURCES / f"rustc-{rustc.number}" / "library" if rustc else None
    return library if library and (library / "core/src/lib.rs").exists() else None


def cargo_program(name: str, environment: Mapping[str, str]) -> Path | None:
    """`name` where `cargo install` puts it."""
    home = environment.get("CARGO_HOME") or f"{environment.get('HOME', '')}/.cargo"
    program = Path(home) / "bin" / name
    return program if program.is_file() else None
