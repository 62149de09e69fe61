"""What to type so that a tool the kernel's build needs is there.

Package names are Debian 12's, whose plain clang (14), rustc (1.63) and bindgen (0.60) are too old
for the kernels that have Rust; what else gives a fitting version is named instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kpatch_rs.build.elsewhere import cargo_program, llvm_folder, rust_library
from kpatch_rs.build.toolchain import Tool, find_tool

_PACKAGES: Mapping[str, str] = {"gcc": "gcc", "ld": "binutils", "nm": "binutils"}
"""Where a program's package has another name, or is not its own's."""

_LLVM = 19
"""The newest clang of Debian 12 and of 13."""

_RUSTUP = "install rustup (https://rustup.rs)"


def cure_of(
    name: str, tools: Mapping[str, Tool | None], environment: Mapping[str, str], least: str = ""
) -> str:
    """For the tool or source `name`, of which the kernel wants `least` or newer ('': any)."""
    if name in ("clang", "ld.lld", "llvm-nm"):
        return _llvm(least)
    if name == "rustc":
        return _rustc(environment)
    if name == "bindgen":
        return _bindgen(environment, tools)
    if name == "rust-src":
        return _rust_source(environment, tools)
    return f"apt install {_PACKAGES.get(name, name)}"


def pinned_cure(rustc: str, bindgen: str) -> str:
    """For a kernel that works with one version of each only."""
    crate = "bindgen" if _numbers(bindgen) < [0, 61] else "bindgen-cli"
    return (
        f"rustup toolchain install {rustc} --component rust-src, export RUSTUP_TOOLCHAIN={rustc}, "
        f"and cargo install --locked --version {bindgen} {crate}; or take a newer kernel"
    )


def _llvm(least: str) -> str:
    if folder := llvm_folder(least):
        return f"export PATH={folder}:$PATH"
    wanted = max(_LLVM, *_numbers(least)[:1], 0)
    source = "" if wanted == _LLVM else " from https://apt.llvm.org"
    packages = " ".join(f"{package}-{wanted}" for package in ("clang", "lld", "llvm"))
    return f"apt install {packages}{source}, then: export PATH=/usr/lib/llvm-{wanted}/bin:$PATH"


def _rustc(environment: Mapping[str, str]) -> str:
    if find_tool("rustup", "rustup", environment):
        return "rustup toolchain install stable --component rust-src, and rustup default stable"
    return f"{_RUSTUP}, then: rustup component add rust-src; or apt install rustc-web rust-web-src"


def _bindgen(environment: Mapping[str, str], tools: Mapping[str, Tool | None]) -> str:
    there = cargo_program("bindgen", environment)
    if there and not tools.get("bindgen"):
        return f"export BINDGEN={there}"
    if find_tool("cargo", "cargo", environment):
        return "cargo install --locked bindgen-cli, and put ~/.cargo/bin on PATH"
    return (
        f"{_RUSTUP} or apt install cargo-web, then: cargo install --locked bindgen-cli, and put "
        "~/.cargo/bin on PATH"
    )


def _rust_source(environment: Mapping[str, str], tools: Mapping[str, Tool | None]) -> str:
    if library := rust_library(tools.get("rustc")):
        return f"export RUST_LIB_SRC={library}"
    if find_tool("rustup", "rustup", environment):
        return "rustup component add rust-src"
    return (
        "apt install rust-web-src for rustc-web (rust-src for rustc), and export "
        "RUST_LIB_SRC=/usr/src/rustc-VERSION/library where rustc does not find it itself"
    )


def _numbers(version: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", version)]
