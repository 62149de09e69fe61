"""check's order and its verdicts, with a fake make."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kpatch_rs.build import make as make_module
from kpatch_rs.build import process
from kpatch_rs.build.case import Subject
from kpatch_rs.build.check import Check
from kpatch_rs.build.make import Make
from kpatch_rs.build.process import Ran
from kpatch_rs.build.workspace import Busy, Workspace
from kpatch_rs.errors import Refused
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import (
    AnalyzerLists,
    Maintained,
    Member,
    ObjectBuilds,
    Proof,
    Reachable,
    Result,
    Unprovable,
    Verdict,
)
from tests.fake_kernel import FakeKernel

RS, HOOK, CALL = "kvm/hello.rs", RepoPath(b"kvm/hello.o"), RepoPath(b"kvm/x86.o")
MOD = RepoPath(b"kvm/kvm.mod")
BASE = {
    "Kconfig": "config KVM\n\tbool\n\nconfig RUST\n\tbool\n\n",
    "kvm/x86.c": "T kvm_init\n",
    "Makefile": "",
}
SYMBOL = {"Kconfig": BASE["Kconfig"] + 'config KVM_RUST\n\tbool "x"\n\tdepends on RUST\n'}
HOOKED = {"kvm/Makefile": "kvm-$(CONFIG_KVM_RUST) += hello.o\n"}
CALLED = {"kvm/x86.c": "T kvm_init\nU hello KVM_RUST\n"}
FRAGMENT = {"KVM": "y", "RUST": "y"}

STEPS: list[tuple[str, dict[str, str], tuple[Proof, ...]]] = [
    ("file", {RS: "T hello\n"}, (ObjectBuilds(HOOK, defines=("hello",)),)),
    ("symbol", SYMBOL, (Reachable("KVM_RUST"),)),
    ("hook", HOOKED, (Member(HOOK, MOD, "KVM_RUST"),)),
    ("call", CALLED, (ObjectBuilds(CALL, uses=("hello",), off_too=True),)),
    ("analyzer", {"roots": RS}, (AnalyzerLists((RepoPath(RS.encode()),)),)),
]


@dataclass
class Bench:
    kernel: FakeKernel
    trees: dict[str, dict[str, str]] = field(default_factory=dict)
    stored: dict[str, Verdict] = field(default_factory=dict)
    checkouts: list[str] = field(default_factory=list)
    fragment: dict[str, str] = field(default_factory=lambda: dict(FRAGMENT))

    def checkout(self, commit: str) -> None:
        self.checkouts.append(commit)
        self.kernel.checkout(self.trees[commit])

    def subjects(
        self, steps: list[tuple[str, dict[str, str], tuple[Proof, ...]]]
    ) -> tuple[Subject, ...]:
        files, made = dict(BASE), []
        for name, change, proofs in steps:
            files = files | change
            self.trees[name] = dict(files)
            there = "KVM_RUST" in files["Kconfig"]
            made.append(
                Subject(
                    id=name,
                    commit=name,
                    tree=name,
                    kconfig=files["Kconfig"],
                    proofs=proofs,
                    symbols=("KVM_RUST",) if there else (),
                )
            )
        return tuple(made)

    def workspace(self) -> Workspace:
        make = Make(
            tree=self.kernel.tree,
            out=self.kernel.out,
            arch="x86_64",
            toolchain="llvm",
            environment=self.kernel.environment,
        )
        return Workspace(make=make, start="tinyconfig", identity="tools", base="base")

    def check(
        self, steps: list[tuple[str, dict[str, str], tuple[Proof, ...]]]
    ) -> dict[str, Verdict]:
        check = Check(
            workspace=self.workspace(),
            fragment=self.fragment,
            own=("KVM_RUST",),
            checkout=self.checkout,
            watch=lambda _: None,
            done=lambda subject, verdict: self.stored.update({subject.id: verdict}),
        )
        return {v.id: v for v in check.run(self.subjects(steps))}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(FakeKernel(tmp_path))


def changed(
    name: str, change: dict[str, str]
) -> list[tuple[str, dict[str, str], tuple[Proof, ...]]]:
    return [(n, change if n == name else c, p) for n, c, p in STEPS]


def test_all_pass(bench: Bench) -> None:
    verdicts = bench.check(STEPS)
    assert {v.result for v in verdicts.values()} == {Result.PASSED}
    assert verdicts["file"].proofs == ("kvm/hello.o builds, defines hello",)
    assert verdicts["symbol"].proofs == (
        "CONFIG_KVM_RUST=y is kept",
        "CONFIG_KVM_RUST can be unset",
    )
    assert verdicts["hook"].proofs == (
        "kvm/hello.o is listed in kvm/kvm.mod",
        "kvm/hello.o is not listed with KVM_RUST off",
    )
    assert verdicts["call"].proofs == (
        "kvm/x86.o builds, calls hello",
        "kvm/x86.o builds with KVM_RUST off",
    )
    assert verdicts["analyzer"].proofs == ("rust-project.json: kvm/hello.rs",)
    assert bench.stored == verdicts


def test_configuration_flips_once(bench: Bench) -> None:
    """On forwards, then off backwards: three .configs, and no checkout done twice in a row."""
    bench.check(STEPS)
    calls = bench.kernel.calls()
    assert [c for c in calls if "config" in c] == ["tinyconfig"] + ["olddefconfig"] * 3
    assert calls.count("prepare") == 0
    ids = [name for name, _, _ in STEPS]
    assert bench.checkouts[1:] == [*ids, "call", "hook", "symbol"]


def test_known_configurations_are_not_made_again(bench: Bench) -> None:
    bench.check(STEPS)
    bench.kernel.calls()
    bench.check(STEPS)
    assert not [c for c in bench.kernel.calls() if "config" in c]


def test_a_broken_step_does_not_stop_the_others(bench: Bench) -> None:
    verdicts = bench.check(changed("file", {RS: "BROKEN\n"}))
    failed = verdicts["file"]
    assert (failed.result, failed.target) == (Result.FAILED, "kvm/hello.o")
    assert failed.errors == (
        "error[E0425]: cannot find value `__LOG_PREFIX` in the crate root",
        "  --> x.rs:1:1",
    )
    assert "log prefix" in failed.reason
    assert "__LOG_PREFIX" in failed.hint
    assert verdicts["call"].result is Result.PASSED


def test_a_symbol_that_is_not_there(bench: Bench) -> None:
    verdict = bench.check(changed("file", {RS: "t hello\n"}))["file"]
    assert verdict.reason == "kvm/hello.o defines no global function hello"
    assert "no_mangle" in verdict.hint


def test_a_call_that_ignores_the_config(bench: Bench) -> None:
    verdict = bench.check(changed("call", {"kvm/x86.c": "U hello\n"}))["call"]
    assert verdict.result is Result.FAILED
    assert verdict.reason == "kvm/x86.o still calls hello with the symbol off"


def test_a_call_that_is_not_compiled(bench: Bench) -> None:
    verdict = bench.check(changed("call", {"kvm/x86.c": "T kvm_init\n"}))["call"]
    assert verdict.reason == "kvm/x86.o does not call hello although the symbol is on"


def test_an_object_no_makefile_lists(bench: Bench) -> None:
    """`make kvm/hello.o` would succeed: only the .mod shows it."""
    verdict = bench.check(
        changed("hook", {"kvm/Makefile": "other-$(CONFIG_KVM_RUST) += hello.o\n"})
    )["hook"]
    assert verdict.reason == "kvm/hello.o is not listed in kvm/kvm.mod"


def test_an_object_listed_whatever_the_config(bench: Bench) -> None:
    verdict = bench.check(changed("hook", {"kvm/Makefile": "kvm-y += hello.o\n"}))["hook"]
    assert verdict.reason == "kvm/hello.o is listed although CONFIG_KVM_RUST is off"


def test_an_object_of_its_own(bench: Bench) -> None:
    own = (Member(HOOK, None, "KVM_RUST"),)
    steps = [
        (n, {"kvm/Makefile": "obj-$(CONFIG_KVM_RUST) += hello.o\n"}, own)
        if n == "hook"
        else (n, c, p)
        for n, c, p in STEPS
    ]
    verdict = bench.check(steps)["hook"]
    assert (verdict.result, verdict.reason) == (Result.PASSED, "")
    assert "kvm/hello.o" not in " ".join(c for c in bench.kernel.calls() if ".mod" in c)


def test_a_stale_object_proves_nothing(bench: Bench) -> None:
    """make would call an object up to date whose source the step does not have."""
    bench.check(STEPS)
    verdict = bench.check(changed("file", {"kvm/other.rs": "T hello\n"}))["file"]
    assert verdict.result is Result.FAILED
    assert verdict.target == "kvm/hello.o"


def test_a_wish_kconfig_drops(bench: Bench) -> None:
    bench.fragment["KVM_XEN"] = "y"
    verdict = bench.check(STEPS)["file"]
    assert verdict.result is Result.FAILED
    assert verdict.reason == (
        "CONFIG_KVM_XEN=y was not kept (it is off): no Kconfig file defines KVM_XEN"
    )


def test_a_symbol_that_cannot_be_reached(bench: Bench) -> None:
    kconfig = BASE["Kconfig"] + 'config KVM_RUST\n\tbool "x"\n\tdepends on NOWHERE\n'
    verdicts = bench.check(changed("symbol", {"Kconfig": kconfig}))
    assert verdicts["symbol"].result is Result.FAILED
    assert "depends on NOWHERE (NOWHERE is n)" in verdicts["symbol"].reason
    assert verdicts["call"].result is Result.FAILED


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            "***\n*** Rust compiler 'rustc' is too old.\n***   Your version:    1.63.0\n***\n"
            "*** Please see Documentation/rust/quick-start.rst for details\n*** on how to set up",
            "Rust compiler 'rustc' is too old. Your version: 1.63.0",
        ),
        ("*** Rust compiler 'rustc' could not be found.", "could not be found"),
        ("*** Rust compiler 'rustc' is too new. This may or may not work.", "is too new"),
    ],
)
def test_rust_that_cannot_be_built(bench: Bench, said: str, reason: str) -> None:
    """What needs Rust is not built, with the tree's own reason; the rest is proven all the same."""
    verdicts = bench.check(changed("file", {RS: "T hello\n", "rustavailable": said}))
    assert verdicts["file"].result is Result.NOT_BUILT
    assert reason in verdicts["file"].reason
    assert verdicts["call"].result is Result.NOT_BUILT
    assert "kvm/x86.o builds with KVM_RUST off" in verdicts["call"].proofs
    assert verdicts["analyzer"].result is Result.PASSED


def test_no_make(bench: Bench) -> None:
    (bench.kernel.bin / "make").unlink()
    verdicts = bench.check(STEPS)
    assert {(v.result, v.reason) for v in verdicts.values()} == {(Result.NOT_BUILT, "no make")}


def test_no_compiler(bench: Bench) -> None:
    """What is missing and not asked for is not named."""
    for tool in ("clang", "flex", "bison", "perl"):
        (bench.kernel.bin / tool).unlink(missing_ok=True)
    verdicts = bench.check(changed("file", {**STEPS[0][1], "broken-tools": ""}))
    assert {(v.result, v.reason) for v in verdicts.values()} == {(Result.NOT_BUILT, "no clang")}


def test_no_rustc(bench: Bench) -> None:
    (bench.kernel.bin / "rustc").unlink()
    said = "***\n*** Rust compiler 'rustc' could not be found.\n***"
    verdicts = bench.check(changed("file", {RS: "T hello\n", "rustavailable": said}))
    assert verdicts["file"].reason == "no rustc"


def test_a_tool_that_only_one_step_needs(bench: Bench) -> None:
    """The step did not fail: nothing was tried."""
    make = (bench.kernel.bin / "make").read_text()
    needs = make.replace(
        "error[E0425]: cannot find value `__LOG_PREFIX`", "sh: 1: {tool}: not found"
    )
    (bench.kernel.bin / "bc").unlink()
    for tool, result, reason in (
        ("bc", Result.NOT_BUILT, "no bc"),
        ("bison", Result.FAILED, "sh: 1: bison: not found in the crate root"),
    ):
        bench.kernel.tool("make", needs.replace("{tool}", tool))
        verdicts = bench.check(changed("file", {RS: "BROKEN\n"}))
        assert (verdicts["file"].result, verdicts["file"].reason) == (result, reason)
        assert verdicts["call"].result is Result.PASSED


def test_unprovable(bench: Bench) -> None:
    verdict = bench.check([("doc", {}, (Unprovable("no build proves a text"),))])["doc"]
    assert (verdict.result, verdict.reason) == (Result.NOT_BUILT, "no build proves a text")


def test_a_step_without_proofs_did_not_pass(bench: Bench) -> None:
    assert bench.check([("doc", {}, ())])["doc"].result is Result.NOT_BUILT


def test_maintainers(bench: Bench) -> None:
    """The user's own ~/.get_maintainer.conf must not answer for the tree."""
    bench.kernel.tool("perl", '#!/bin/sh\necho "$HOME" > "$HOME/asked"\necho "FOO DRIVER"\n')
    path = RepoPath(b"kvm/x86.c")
    steps: list[tuple[str, dict[str, str], tuple[Proof, ...]]] = [
        ("right", {}, (Maintained(path, "FOO DRIVER"),)),
        ("wrong", {}, (Maintained(path, "BAR DRIVER"),)),
    ]
    verdicts = bench.check(steps)
    assert verdicts["right"].result is Result.PASSED
    assert verdicts["wrong"].reason == "get_maintainer.pl does not name 'BAR DRIVER' for kvm/x86.c"
    assert (bench.kernel.out / "asked").exists()


def test_a_full_disk_is_no_verdict(bench: Bench) -> None:
    make = (bench.kernel.bin / "make").read_text()
    full = make.replace(
        "cannot find value `__LOG_PREFIX` in the crate root", "No space left on device"
    )
    bench.kernel.tool("make", full)
    verdicts = bench.check(changed("file", {RS: "BROKEN\n"}))
    assert verdicts["file"].result is Result.FAILED
    assert "file" not in bench.stored
    assert "call" in bench.stored


def test_one_check_at_a_time(bench: Bench) -> None:
    """Also with another configuration, and so another O= folder: the tree is the same."""
    other = bench.workspace()
    other.make = dataclasses.replace(other.make, out=bench.kernel.out.with_name("other"))
    with other.held(), pytest.raises(Busy, match=f"begun by process {os.getpid()}$"):
        bench.check(STEPS)
    assert bench.checkouts == []
    assert {v.result for v in bench.check(STEPS).values()} == {Result.PASSED}


@pytest.mark.parametrize(
    "proof",
    [
        ObjectBuilds(RepoPath(b"drivers/$(shell touch x)/foo.o")),
        Member(RepoPath(b"kvm/a;touch x;.o"), MOD, None),
        Member(HOOK, RepoPath(b"kvm/`touch x`.mod"), None),
        Maintained(RepoPath(b"kvm/a b.c"), "X"),
    ],
)
def test_hostile_names_are_refused_before_anything_is_built(bench: Bench, proof: Proof) -> None:
    with pytest.raises(Refused, match="is no make target"):
        bench.check([*STEPS, ("hostile", {}, (proof,))])
    assert (bench.checkouts, bench.kernel.calls()) == ([], [])


def acts(bench: Bench, on: str, code: str) -> None:
    """The fake make does `code` where it is asked for the target `on`."""
    make = (bench.kernel.bin / "make").read_text()
    line = f"\n    if t == {on!r}:\n        import os, signal, time\n        {code}\n    if t =="
    bench.kernel.tool("make", make.replace("\n    if t ==", line, 1))


def test_a_make_that_hangs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stopped once, not once for each target, and that is no verdict."""
    run = process.run

    def impatient(argv: Sequence[str], **how: Any) -> Ran:
        return run(argv, **{**how, "timeout": 3.0 if "kvm/hello.o" in argv else how["timeout"]})

    monkeypatch.setattr(make_module, "run", impatient)
    acts(bench, str(HOOK, "ascii"), "time.sleep(600)")
    two = (*STEPS[0][2], ObjectBuilds(CALL))
    verdicts = bench.check([(n, c, two if n == "file" else p) for n, c, p in STEPS])
    assert verdicts["file"].result is Result.FAILED
    reason = verdicts["file"].reason
    assert re.fullmatch(r"make kvm/hello\.o was stopped after \d+ s", reason)
    assert verdicts["call"].result is Result.PASSED
    assert set(bench.stored) == {"symbol", "hook", "call", "analyzer"}
    assert [c for c in bench.kernel.calls() if "kvm/hello.o" in c] == ["kvm/hello.o kvm/x86.o"]


def test_a_long_log(bench: Bench) -> None:
    acts(bench, str(HOOK, "ascii"), "print('x.c:1:2: warning: unused\\n' * 500_000)")
    verdict = bench.check(changed("file", {RS: "BROKEN\n"}))["file"]
    assert "log prefix" in verdict.reason
    assert verdict.errors[-1] == "  --> x.rs:1:1"


def test_a_make_that_makes_nothing(bench: Bench) -> None:
    acts(bench, str(HOOK, "ascii"), "continue")
    verdict = bench.check(STEPS)["file"]
    assert (verdict.result, verdict.reason) == (Result.FAILED, "make made no kvm/hello.o")


@pytest.mark.parametrize("died", ["make", "kpatch-rs"])
def test_what_a_killed_make_left_is_made_again(bench: Bench, died: str) -> None:
    """Half an object is younger than its source, and so up to date in make's eyes."""
    whole = (bench.kernel.bin / "make").read_text()
    half = "p = out / t; p.parent.mkdir(exist_ok=True); p.write_text('T ha'); "
    acts(bench, str(HOOK, "ascii"), half + "os.kill(os.getpid(), signal.SIGKILL)")
    killed = bench.check(STEPS)["file"]
    assert (killed.result, killed.reason) == (Result.FAILED, "make: -9")
    assert "file" not in bench.stored
    assert not (bench.kernel.out / HOOK.decode()).exists()
    if died == "kpatch-rs":  # then nobody was left to take it away
        (bench.kernel.out / ".kpatch-at-work").touch()
        (bench.kernel.out / HOOK.decode()).write_text("T ha")
    bench.kernel.tool("make", whole)
    acts(bench, str(HOOK, "ascii"), "if (out / t).exists(): continue")
    assert bench.check(STEPS)["file"].result is Result.PASSED
    assert bench.check(STEPS)["file"].result is Result.PASSED
