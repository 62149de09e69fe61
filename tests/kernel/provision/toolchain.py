"""What builds Rust in a kernel: LLVM, rustc with its library's source, bindgen.

The compilers of the machine's Debian release are installed. A rustc or bindgen that is missing or
too old is unpacked below the folder and started through a script in tool/bin, so that neither
rustup nor Debian's own older rustc is in its way.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.kernel.provision.apt import Archive, ProvisionError, output

COMPILERS = (
    *("clang-19", "lld-19", "llvm-19", "make", "gcc", "libc6-dev", "flex", "bison", "bc"),
    *("libelf-dev", "libssl-dev", "cpio", "rsync", "kmod", "xz-utils", "python3", "perl", "git"),
)
LLVM = Path("/usr/lib/llvm-19/bin")
RUSTC_MIN = (1, 85, 0)
"""scripts/min-tool-version.sh of 7.2."""
BINDGEN_MIN = (0, 71, 1)
"""scripts/min-tool-version.sh of 7.2."""

START_RUSTC = """\
#!/bin/sh
LD_LIBRARY_PATH={lib} exec {usr}/bin/rustc "$@"
"""
START_BINDGEN = """\
#!/bin/sh
LIBCLANG_PATH={usr}/lib/llvm-19/lib \\
exec {lib}/ld-linux-x86-64.so.2 --library-path {lib} {usr}/bin/bindgen "$@"
"""


def install_compilers() -> None:
    """Install what is missing of COMPILERS. Needs root for that, and only for that."""
    missing = [name for name in COMPILERS if not _installed(name)]
    if not missing:
        return
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    env = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive"]
    subprocess.run([*env, "apt-get", "-qq", "update"], check=True)
    install = ["apt-get", "-qq", "-y", "install", "--no-install-recommends", *missing]
    subprocess.run([*env, *install], check=True, stdout=subprocess.DEVNULL)


def _installed(package: str) -> bool:
    ask = ["dpkg-query", "-W", "-f", "${Status}", package]
    done = subprocess.run(ask, text=True, capture_output=True, check=False)
    return done.stdout.endswith("installed") and "not-installed" not in done.stdout


def bring_rust(root: Path) -> Path:
    """Make sure of a rustc that tool/bin or PATH finds; return the source of its library."""
    mine = root / "tool/bin/rustc"
    found = shutil.which("rustc")
    if not mine.exists() and found and _version(found) >= RUSTC_MIN:
        sysroot = Path(output(found, "--print", "sysroot").strip())
        if (library := sysroot / "lib/rustlib/src/rust/library").exists():
            return library
    unpacked = root / "tool/rust"
    if not unpacked.exists():
        release = output("sh", "-c", '. /etc/os-release; echo "$VERSION_CODENAME"').strip()
        archive = Archive(
            root / "apt/rust",
            suites=f"{release} {release}-updates",
            security=f"{release}-security",
        )
        archive.unpack_with_dependencies(("rustc-web", "rust-web-src"), unpacked)
        print("rustc:", archive.newest("rustc-web"), flush=True)
    _start_script(mine, START_RUSTC, unpacked / "usr", at_least=RUSTC_MIN)
    (library,) = unpacked.glob("usr/src/rustc-*/library")
    return library


def bring_bindgen(root: Path) -> None:
    """Make sure of a bindgen that tool/bin or PATH finds and that runs here."""
    mine = root / "tool/bin/bindgen"
    found = shutil.which("bindgen")
    if not mine.exists() and found and _version(found) >= BINDGEN_MIN:
        return
    unpacked = root / "tool/bindgen"
    if not unpacked.exists():
        # Built against a newer C library than this release's: it brings its own along.
        archive = Archive(root / "apt/bindgen", suites="trixie", alone=True)
        archive.unpack_with_dependencies(("bindgen",), unpacked)
        print("bindgen:", archive.newest("bindgen"), flush=True)
    _start_script(mine, START_BINDGEN, unpacked / "usr", at_least=BINDGEN_MIN)


def _start_script(path: Path, text: str, usr: Path, *, at_least: tuple[int, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.format(usr=usr, lib=usr / "lib/x86_64-linux-gnu"))
    path.chmod(0o755)
    if _version(str(path)) < at_least:
        raise ProvisionError(f"{path} does not run here, or is older than {at_least}")


def _version(program: str) -> tuple[int, ...]:
    """What `program --version` says; empty, and so below everything, where it does not run."""
    try:
        done = subprocess.run([program, "--version"], text=True, capture_output=True, check=False)
    except OSError:
        return ()
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", done.stdout)
    return tuple(int(n) for n in match.groups()) if match else ()
