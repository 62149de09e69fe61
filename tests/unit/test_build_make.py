"""Nothing reaches make that it, or a shell below it, could take for a command."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from kpatch_rs.build.make import Make, child_environment, target
from kpatch_rs.build.toolchain import least_version
from kpatch_rs.errors import Refused


@pytest.mark.parametrize(
    "name",
    [
        "drivers/;touch x;.o",
        "$(shell touch x)",
        "-j9",
        "--eval=$(shell x)",
        "X=1",
        "a b",
        "../out.o",
        "a/../b.o",
        "a`b`.o",
        "",
        b"f\xf6.o",
    ],
)
def test_hostile_targets_are_refused(name: str | bytes) -> None:
    with pytest.raises(Refused, match="is no make target"):
        target(name)


@pytest.mark.parametrize("name", ["arch/x86/kvm/kvm.mod", "lib/foo+bar.o", "rust-analyzer"])
def test_ordinary_targets(name: str) -> None:
    assert target(name) == name


def make(environment: dict[str, str], out: str = "/o", arch: str = "x86_64") -> Make:
    return Make(
        tree=Path("/t"), out=Path(out), arch=arch, toolchain="llvm", environment=environment
    )


def test_tools_are_named_on_the_command_line() -> None:
    """The top Makefile assigns BINDGEN, so the environment alone would not do."""
    given = make({"BINDGEN": "/opt/bindgen", "LLVM": "-19"}).variables()
    assert given == {"O": "/o", "ARCH": "x86_64", "LLVM": "-19", "BINDGEN": "/opt/bindgen"}


def test_gcc_gets_no_llvm() -> None:
    gcc = Make(tree=Path("/t"), out=Path("/o"), arch="x86_64", toolchain="gcc", environment={})
    assert "LLVM" not in gcc.variables()


@pytest.mark.parametrize(
    ("environment", "out", "arch"),
    [
        ({"BINDGEN": "$(shell touch x)"}, "/o", "x86_64"),
        ({"RUSTC": "rustc;x"}, "/o", "x86_64"),
        ({}, "/with space", "x86_64"),
        ({}, "/o", "x86 O=/etc"),
        ({}, "/o", "$(x)"),
    ],
)
def test_hostile_variables_are_refused(environment: dict[str, str], out: str, arch: str) -> None:
    with pytest.raises(Refused):
        make(environment, out, arch).variables()


@pytest.mark.parametrize(
    ("given", "passed_on"), [("", "1"), ("0", "1"), ("-19", "-19"), ("/opt/llvm/", "/opt/llvm/")]
)
def test_llvm_of_the_environment(given: str, passed_on: str) -> None:
    assert make({"LLVM": given}).variables()["LLVM"] == passed_on


@pytest.mark.parametrize("given", ["1 CC=x", "/opt/llvm", "19-", "$(x)"])
def test_strange_llvm_is_refused(given: str) -> None:
    with pytest.raises(Refused, match="names no LLVM"):
        make({"LLVM": given}).variables()


def test_environment_is_an_allow_list() -> None:
    given = {"PATH": "/bin", "MAKEFLAGS": "-n", "KBUILD_OUTPUT": "/x", "CC": "evil", "LANG": "de"}
    assert child_environment(given) == {"PATH": "/bin", "LC_ALL": "C"}


@pytest.mark.parametrize(
    ("arch", "least"), [("x86_64", "1.0"), ("i386", "1.0"), ("sparc64", "2.0"), ("arm64", "3.0")]
)
def test_least_version_for_an_architecture(tmp_path: Path, arch: str, least: str) -> None:
    """The script asks for SRCARCH, which is not always ARCH."""
    script = tmp_path / "scripts/min-tool-version.sh"
    script.parent.mkdir()
    script.write_text("case $SRCARCH in x86) echo 1.0;; sparc) echo 2.0;; arm64) echo 3.0;; esac\n")
    environment = {"PATH": "/usr/bin:/bin"}
    asked = dataclasses.replace(make(environment, arch=arch), tree=tmp_path)
    assert least_version(asked, "llvm") == least
