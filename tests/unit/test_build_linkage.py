"""Whether a caller and what it calls meet in one link, by what make saved of their commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpatch_rs.build.linkage import Unit, unit_of
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import Linked, Result, Verdict
from tests.unit.test_build_check import BASE, CALL, HOOK, STEPS, Bench, bench

__all__ = ["bench"]

C = "savedcmd_kvm/x86.o := clang -Wp,-MMD,kvm/.x86.o.d -nostdinc {} -D__KBUILD_MODNAME=kmod_{} -c\n"
MODULES = "config MODULES\n\tbool\n\n"
RUST = "savedcmd_kvm/hello.o := OBJTREE=/o RUST_MODFILE=kvm/{} rustc --edition=2021 {} --emit=x\n"


def of_c(module: str, *, built_in: bool) -> str:
    part = f"-DKBUILD_MODFILE='\"kvm/{module}\"'" if built_in else "-DMODULE"
    return C.format(f"{part} -DKBUILD_BASENAME='\"x86\"' -DKBUILD_MODNAME='\"{module}\"'", module)


def of_rust(module: str, *, built_in: bool) -> str:
    return RUST.format(module, "" if built_in else "--cfg MODULE -Ccode-model=kernel")


@pytest.mark.parametrize(
    ("command", "unit"),
    [
        (of_c("kvm", built_in=True), Unit()),
        (of_c("kvm_intel", built_in=False), Unit(frozenset({"kvm_intel"}))),
        (of_c("a:b", built_in=False), Unit(frozenset({"a", "b"}))),
        (of_rust("kvm", built_in=True), Unit()),
        (of_rust("kvm-intel", built_in=False), Unit(frozenset({"kvm_intel"}))),
        ("savedcmd_kvm/x86.o := ld -r -o kvm/x86.o\n", None),
        ("savedcmd_kvm/x86.o := clang -DMODULES_ARE_FINE -DKBUILD_MODNAME='\"kvm\"' -c\n", Unit()),
        (None, None),
    ],
)
def test_what_an_object_is_linked_into(tmp_path: Path, command: str | None, unit: Unit) -> None:
    (tmp_path / "kvm").mkdir()
    if command is not None:
        (tmp_path / "kvm/.x86.o.cmd").write_text(command + "\nsource_kvm/x86.o := kvm/x86.c\n")
    assert unit_of(tmp_path, "kvm/x86.o") == unit


def verdict(bench: Bench, caller: str, callee: str, source: str = "T hello\n") -> Verdict:
    """Of the step that calls, where make saved these commands."""
    folder = bench.kernel.out / "kvm"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".x86.o.cmd").write_text(caller)
    (folder / ".hello.o.cmd").write_text(callee)
    bench.fragment["MODULES"] = "y"
    steps = [
        (id_, {n: text + MODULES if n == "Kconfig" else text for n, text in change.items()}, proofs)
        for id_, change, proofs in STEPS
    ]
    steps[0] = ("file", {"Kconfig": BASE["Kconfig"] + MODULES, "kvm/hello.rs": source}, STEPS[0][2])
    proof = Linked(CALL, "hello", HOOK, (HOOK, CALL))
    steps[3] = ("call", steps[3][1], (*STEPS[3][2], proof))
    return bench.check(steps)["call"]


def test_one_link(bench: Bench) -> None:
    for built_in, unit in ((True, "vmlinux"), (False, "kvm.ko")):
        found = verdict(bench, of_c("kvm", built_in=built_in), of_rust("kvm", built_in=built_in))
        assert found.result is Result.PASSED
        assert f"kvm/x86.o and kvm/hello.o are both in {unit}" in found.proofs


def test_two_modules(bench: Bench) -> None:
    caller, callee = of_c("kvm_intel", built_in=False), of_rust("kvm", built_in=False)
    found = verdict(bench, caller, callee)
    assert (found.result, found.target) == (Result.FAILED, "kvm/x86.o")
    assert found.reason == (
        "kvm/x86.o is in kvm_intel.ko, and calls hello() of kvm.ko: nothing exports it"
    )
    assert "EXPORT_SYMBOL_GPL(hello)" in found.hint


@pytest.mark.parametrize("mark", ["U __export_symbol_hello", "T __ksymtab_hello"])
def test_an_exported_function(bench: Bench, mark: str) -> None:
    for unit, built_in in (("kvm.ko", False), ("vmlinux", True)):
        caller, callee = of_c("kvm_intel", built_in=False), of_rust("kvm", built_in=built_in)
        found = verdict(bench, caller, callee, f"T hello\n{mark}\n")
        assert found.result is Result.PASSED
        assert f"hello is exported from {unit} to kvm_intel.ko" in found.proofs


def test_the_kernel_cannot_call_a_module(bench: Bench) -> None:
    caller, callee = of_c("kvm", built_in=True), of_rust("other", built_in=False)
    found = verdict(bench, caller, callee, "T hello\nT __ksymtab_hello\n")
    assert found.reason == "kvm/x86.o is built in, and calls hello(), which is in other.ko"


def test_no_saved_command(bench: Bench) -> None:
    found = verdict(bench, "", of_rust("kvm", built_in=True))
    assert found.result is Result.NOT_BUILT
    assert found.reason == "make does not say what kvm/x86.o is linked into"


def test_without_modules_there_is_one_link_only(bench: Bench) -> None:
    steps = list(STEPS)
    steps[3] = (*steps[3][:2], (*steps[3][2], Linked(CALL, "hello", HOOK, ())))
    assert "kvm/x86.o and kvm/hello.o are both in vmlinux" in bench.check(steps)["call"].proofs


def test_a_callee_whose_source_is_not_there_yet(bench: Bench) -> None:
    """The step alone does not link, whatever comes behind it."""
    steps = list(STEPS)
    later = Linked(CALL, "hello", RepoPath(b"kvm/later.o"), ())
    steps[3] = (*steps[3][:2], (*steps[3][2], later))
    found = bench.check(steps)["call"]
    assert (found.result, found.target) == (Result.FAILED, "kvm/later.o")
