"""One way to call make: every target and variable validated, the environment built from a list.

An argument list alone protects nothing here: make expands `$(shell …)` in a variable's value and
passes target names to its recipes' shells (both measured on GNU make 4.3).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kpatch_rs.build.process import Ran, run
from kpatch_rs.errors import KpatchError, Refused

Toolchain = Literal["llvm", "gcc"]

TIMEOUT = 3600.0
"""Seconds one make may take; a first `prepare` with Rust takes minutes on two cores."""

_TARGET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]*")
_VALUE = re.compile(r"[A-Za-z0-9_./+,=@:-]+")
_ARCH = re.compile(r"[a-z0-9_]+")
_LLVM = re.compile(r"\d*|-\d{1,3}|/[A-Za-z0-9_./+-]*/")

PASSED_ON = (
    *("PATH", "HOME", "TMPDIR", "RUST_LIB_SRC", "LIBCLANG_PATH"),
    *("RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "CARGO_HOME"),
)
"""What make sees of the session's environment. MAKEFLAGS, KBUILD_*, CC and the like would change
what is built, or run code."""

TOOL_VARIABLES = ("RUSTC", "BINDGEN")
"""Tools the top Makefile assigns itself, so that only the command line can name others."""


class NoMake(KpatchError):
    """There is no make on PATH."""


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` as children of this room get it: the allowed part, in the C locale."""
    return {k: environment[k] for k in PASSED_ON if k in environment} | {"LC_ALL": "C"}


def llvm_of(environment: Mapping[str, str]) -> str:
    """LLVM= for make: '1', a suffix like '-19', or a folder with its slash. Raises Refused.

    LLVM=0 means 1, as Documentation/kbuild/llvm.rst says.
    """
    given = environment.get("LLVM", "")
    if not _LLVM.fullmatch(given):
        raise Refused(
            f"LLVM={given!r} in the environment names no LLVM",
            hint="leave it unset, or write LLVM=-19 or LLVM=/usr/lib/llvm-19/bin/",
        )
    return given if given.startswith(("-", "/")) else "1"


def target(name: bytes | str) -> str:
    """`name` as a make target. Raises Refused for what make or a shell could read otherwise."""
    text = name.decode(errors="replace") if isinstance(name, bytes) else name
    if not _TARGET.fullmatch(text) or ".." in text.split("/"):
        raise Refused(
            f"{text!r} is no make target",
            hint="only letters, digits and . _ / + - may stand in a file name that is built",
        )
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """make in one kernel tree, with its output in one O= folder."""

    tree: Path
    out: Path
    arch: str
    toolchain: Toolchain
    environment: Mapping[str, str]
    """The session's; :func:`child_environment` decides what is passed on."""

    def variables(self) -> dict[str, str]:
        """The variables on make's command line. Raises Refused for a value make could expand."""
        given = {"O": str(self.out), "ARCH": self.arch}
        if not _ARCH.fullmatch(self.arch):
            raise Refused(f"[check] arch = {self.arch!r} is no architecture's name", hint="x86_64")
        if self.toolchain == "llvm":
            given["LLVM"] = llvm_of(self.environment)
        given |= {k: self.environment[k] for k in TOOL_VARIABLES if self.environment.get(k)}
        for name, value in given.items():
            if not _VALUE.fullmatch(value):
                raise Refused(
                    f"{name}={value!r} cannot be given to make",
                    hint="use paths of letters, digits and . _ / + - only",
                )
        return given

    def run(self, *targets: str, database: bool = False, held: Sequence[int] = ()) -> Ran:
        """`make TARGETS`; `database` also prints what the Makefiles assigned (make -p).

        `held` as in process.run(). Raises Refused and NoMake.
        """
        environment = child_environment(self.environment)
        if not shutil.which("make", path=environment.get("PATH", "")):
            raise NoMake("there is no make on PATH", hint="apt install make")
        jobs = len(os.sched_getaffinity(0))
        flags = ["--no-print-directory", "-s", f"-j{jobs}", *(["-p"] if database else [])]
        variables = [f"{k}={v}" for k, v in self.variables().items()]
        return run(
            ["make", *flags, *variables, *(target(t) for t in targets)],
            cwd=self.tree,
            environment=environment,
            timeout=TIMEOUT,
            held=held,
        )
