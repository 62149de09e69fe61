"""The tools of this machine: what they are, and why the kernel's Rust does not build with them.

The tree decides what is good enough (`make rustavailable`, scripts/min-tool-version.sh); this
module only finds the tools and puts the tree's answer into words.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kpatch_rs.build.make import Make, Toolchain, child_environment, llvm_of
from kpatch_rs.build.process import Ran, run

_SECONDS = 30.0
"""For one tool to say its version; rustup's rustc may have to unpack first."""

_PINNED = "is too new"
"""In the answer of kernels up to 6.10, which are made for one version of rustc and bindgen."""

_SOURCES_OF: Mapping[str, str] = {
    **dict.fromkeys(("i386", "x86_64"), "x86"),
    **dict.fromkeys(("sparc32", "sparc64"), "sparc"),
    "parisc64": "parisc",
    "sh64": "sh",
}
"""ARCH → its folder below arch/, where they differ (top Makefile, 5.10 to 7.2)."""

_ADVICE = "*** Please see Documentation"


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that is there."""

    name: str
    path: str
    version: str
    """The first line of what it says about itself."""

    @property
    def number(self) -> str:
        """'1.95.0' out of the version line; '' where none is in it."""
        found = re.search(r"\d+\.\d+(?:\.\d+)?", self.version)
        return found[0] if found else ""


def tool_names(toolchain: Toolchain, environment: Mapping[str, str]) -> dict[str, str]:
    """The tools a build needs, and under which name or path each is called."""
    compilers = {name: name for name in ("gcc", "ld", "nm")}
    if toolchain == "llvm":
        llvm = llvm_of(environment)
        before, after = (llvm if llvm[0] == "/" else ""), (llvm if llvm[0] == "-" else "")
        compilers = {name: f"{before}{name}{after}" for name in ("clang", "ld.lld", "llvm-nm")}
    return {
        "make": "make",
        **compilers,
        **{name: name for name in ("flex", "bison", "bc", "perl")},
        "rustc": environment.get("RUSTC") or "rustc",
        "bindgen": environment.get("BINDGEN") or "bindgen",
    }


def find_tools(toolchain: Toolchain, environment: Mapping[str, str]) -> dict[str, Tool | None]:
    """Each tool by its plain name; None where PATH has none that runs."""
    names = tool_names(toolchain, environment)
    return {name: find_tool(name, called, environment) for name, called in names.items()}


def find_tool(name: str, called: str, environment: Mapping[str, str]) -> Tool | None:
    """The tool called `called`; None where it is absent or cannot say its version."""
    path = shutil.which(called, path=environment.get("PATH", ""))
    if path is None:
        return None
    ran = run(
        [path, "--version"],
        cwd=Path("/"),
        environment=child_environment(environment),
        timeout=_SECONDS,
    )
    lines = ran.text.strip().splitlines()
    return Tool(name, path, lines[0]) if ran.ok and lines else None


def rust_sources(rustc: Tool | None, environment: Mapping[str, str]) -> Path | None:
    """The folder with core's source that Kbuild will use; None where it is not there."""
    given = environment.get("RUST_LIB_SRC")
    if given:
        folder = Path(given)
    elif rustc:
        ran = run(
            [rustc.path, "--print", "sysroot"],
            cwd=Path("/"),
            environment=child_environment(environment),
            timeout=_SECONDS,
        )
        folder = Path(ran.text.strip()) / "lib/rustlib/src/rust/library"
    else:
        return None
    return folder if (folder / "core/src/lib.rs").exists() else None


def identity(toolchain: Toolchain, environment: Mapping[str, str]) -> str:
    """Changes when a verdict of this machine's tools may: their versions, core's source."""
    tools = find_tools(toolchain, environment)
    source = rust_sources(tools["rustc"], environment)
    listed = (
        sorted((f.name, f.stat().st_size) for f in source.glob("core/src/*.rs")) if source else 0
    )
    return hashlib.sha256(repr((toolchain, sorted(tools.items()), listed)).encode()).hexdigest()


def lacking(text: str, toolchain: Toolchain, environment: Mapping[str, str]) -> str:
    """'no gcc' for what `text` complains of and this machine does not have; '' for anything else.

    A tool that is not there and not spoken of may not be needed at all.
    """
    names = tool_names(toolchain, environment)
    spoken = {
        n: c for n, c in names.items() if re.search(rf"(?<![\w-]){re.escape(c)}(?![\w-])", text)
    }
    absent = (n for n, called in spoken.items() if find_tool(n, called, environment) is None)
    return ", ".join(f"no {name}" for name in absent)


@dataclass(frozen=True, slots=True)
class RustAvailable:
    """What the tree says about building Rust with this machine's tools."""

    usable: bool
    """False: the tree refuses."""
    remarks: str
    """Why it refuses, or what it warns of; '' where it is content."""
    lacks: str = ""
    """The tools it refuses for: 'no rustc'."""

    @property
    def pinned(self) -> bool:
        """Whether the kernel is made for one older version: it may work, mostly it does not."""
        return _PINNED in self.remarks


def rust_available(make: Make) -> RustAvailable:
    """Ask the tree in `make`."""
    ran = make.run("rustavailable")
    if not ran.ok and "No rule to make target" in ran.text:
        return RustAvailable(False, "this kernel has no Rust support (make has no 'rustavailable')")
    remarks = _remarks(ran)
    lacks = "" if ran.ok else lacking(remarks, make.toolchain, make.environment)
    return RustAvailable(ran.ok, remarks, lacks)


def _remarks(ran: Ran) -> str:
    """The lines that begin with ***, up to the advice to read the documentation."""
    said = [line.strip() for line in ran.text.splitlines() if line.startswith("***")]
    said = [line[3:].strip() for line in said if not line.startswith((_ADVICE, "*** on how"))]
    text = " ".join(" ".join(said).split())
    return re.sub(r" (Expected|Minimum) version: (\S+)", r", \1 version: \2;", text).rstrip(";")


def least_version(make: Make, tool: str) -> str:
    """What the tree's scripts/min-tool-version.sh asks of `tool`; '' where it does not say."""
    architecture = {"ARCH": make.arch, "SRCARCH": _SOURCES_OF.get(make.arch, make.arch)}
    ran = run(
        ["sh", "scripts/min-tool-version.sh", tool],
        cwd=make.tree,
        environment=child_environment(make.environment) | architecture,
        timeout=_SECONDS,
        stderr=False,
    )
    return ran.text.strip() if ran.ok and re.fullmatch(r"[0-9.]+", ran.text.strip()) else ""
