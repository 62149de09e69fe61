"""The miniature kernel is a kernel: it is configured and built, in both its releases."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from kpatch_rs.demo import FIRST_RELEASE, SECOND_RELEASE
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.model.version import kernel_version
from tests.demo import mini_kernel
from tests.tools import runs
from tests.trees import DictTree

RELEASES = (FIRST_RELEASE, SECOND_RELEASE)

builds_c = pytest.mark.skipif(
    not (runs("make") and any(map(runs, ("gcc", "cc", "clang")))),
    reason="no make or no C compiler on this machine",
)
builds_rust = pytest.mark.skipif(not runs("rustc"), reason="no rustc on this machine")

KVM = "CONFIG_64BIT=y\nCONFIG_VIRTUALIZATION=y\nCONFIG_KVM=y\nCONFIG_KVM_INTEL=y\n"


@dataclass(frozen=True)
class Tree:
    """A checked out release, with an output folder."""

    source: Path
    out: Path

    def make(self, *words: str, fails: bool = False) -> str:
        ran = subprocess.run(
            ["make", f"O={self.out}", "ARCH=x86_64", *words],
            cwd=self.source,
            capture_output=True,
            text=True,
            check=False,
        )
        assert bool(ran.returncode) == fails, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    def configure(self, text: str) -> str:
        """The .config that follows from tinyconfig and `text`."""
        self.make("-s", "tinyconfig")
        config = self.out / ".config"
        config.write_text(config.read_text() + text)
        self.make("-s", "olddefconfig")
        return config.read_text()

    def symbols(self, name: str) -> dict[str, str]:
        listed = subprocess.check_output(["nm", self.out / name], text=True).splitlines()
        return {line.split()[-1]: line.split()[-2] for line in listed}


@pytest.fixture(scope="module", params=RELEASES)
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """One for all tests of a release, as `check` uses one for all steps."""
    return checked_out(tmp_path_factory.mktemp("mini"), request.param)


def checked_out(folder: Path, release: str) -> Tree:
    source = folder / "linux"
    source.mkdir()
    archive = subprocess.check_output(
        ["git", "-C", mini_kernel(folder), "archive", "--format=tar", release]
    )
    subprocess.run(["tar", "-x", "-C", source], input=archive, check=True)
    return Tree(source, folder / "out")


@pytest.mark.parametrize(
    ("release", "version"), [(FIRST_RELEASE, (6, 12, 1)), (SECOND_RELEASE, (7, 2, 1))]
)
def test_guards_can_tell_the_releases(
    tmp_path: Path, release: str, version: tuple[int, ...]
) -> None:
    files = DictTree.from_folder(checked_out(tmp_path, release).source)
    assert kernel_version(TreeOverlay(files)) == version


@builds_c
def test_module_is_built_and_listed(tree: Tree) -> None:
    tree.configure(KVM)
    tree.make("arch/x86/kvm/kvm.mod", "arch/x86/kvm/kvm.o")
    listed = (tree.out / "arch/x86/kvm/kvm.mod").read_text().splitlines()
    assert "arch/x86/kvm/x86.o" in listed
    assert "arch/x86/kvm/../../../virt/kvm/kvm_main.o" in listed
    assert "arch/x86/kvm/xen.o" not in listed
    symbols = tree.symbols("arch/x86/kvm/kvm.o")
    assert symbols["kvm_x86_vendor_init"] == symbols["kvm_create_vm"] == "T"
    assert symbols["kzalloc"] == "U"


@builds_c
def test_only_what_changed_is_built_again(tree: Tree) -> None:
    kvm = ("arch/x86/kvm/x86.o", "arch/x86/kvm/cpuid.o", "arch/x86/kvm/vmx/vmx.o")
    tree.configure(KVM + "CONFIG_EXPERT=y\n")
    assert tree.make(*kvm).count("  CC ") == 3
    assert "  CC " not in tree.make(*kvm)
    os.utime(tree.source / "include/linux/mutex.h")
    assert tree.make(*kvm).count("  CC ") == 2, "cpuid.c does not include mutex.h"
    config = tree.out / ".config"
    config.write_text(config.read_text().replace("# CONFIG_KVM_XEN is not set", "CONFIG_KVM_XEN=y"))
    again = tree.make("arch/x86/kvm/kvm.mod", *kvm)
    assert again.count("  CC ") == 3
    assert "arch/x86/kvm/xen.o" in (tree.out / "arch/x86/kvm/kvm.mod").read_text()


@builds_c
def test_configuration_follows_dependencies(tree: Tree) -> None:
    config = tree.configure(KVM + "CONFIG_KVM_XEN=y\nCONFIG_NOT_THERE=y\nCONFIG_MODVERSIONS=y\n")
    assert "CONFIG_KVM_XEN=y\n" in config
    assert "CONFIG_KVM_COMMON=y\n" in config, "selected"
    assert "CONFIG_KVM_MAX_NR_VCPUS=16\n" in config, "default"
    assert "NOT_THERE" not in config
    assert "MODVERSIONS" not in config, "depends on MODULES"
    config = tree.configure(KVM.replace("64BIT=y", "64BIT=n") + "CONFIG_KVM_XEN=y\n")
    assert "CONFIG_KVM" not in config, "depends on X86_LOCAL_APIC"


@builds_c
def test_without_configuration_make_says_what_to_do(tree: Tree) -> None:
    empty = Tree(tree.source, tree.out.with_name("empty"))
    assert "make tinyconfig" in empty.make("arch/x86/kvm/x86.o", fails=True)


@builds_c
@builds_rust
def test_rust_is_built(tree: Tree) -> None:
    config = tree.configure("CONFIG_64BIT=y\nCONFIG_RUST=y\nCONFIG_SAMPLE_RUST_MINIMAL=y\n")
    assert "CONFIG_SAMPLE_RUST_MINIMAL=y\n" in config
    tree.make("rustavailable", "samples/rust/rust_minimal.o")
    assert tree.symbols("samples/rust/rust_minimal.o")["rust_minimal_start"] == "T"


@builds_c
@builds_rust
def test_print_without_prefix_does_not_build(tree: Tree) -> None:
    """As in the real kernel: pr_info!() wants the crate's __LOG_PREFIX."""
    tree.configure("CONFIG_64BIT=y\nCONFIG_RUST=y\nCONFIG_SAMPLE_RUST_MINIMAL=y\n")
    file = tree.source / "samples/rust/rust_minimal.rs"
    text = file.read_text()
    file.write_text(text.replace("const __LOG_PREFIX", "const _OTHER"))
    assert "`__LOG_PREFIX`" in tree.make("samples/rust/rust_minimal.o", fails=True)
    file.write_text(text)


@builds_c
@builds_rust
def test_modversions_keep_rust_off(tree: Tree) -> None:
    config = tree.configure(
        "CONFIG_64BIT=y\nCONFIG_RUST=y\nCONFIG_MODULES=y\nCONFIG_MODVERSIONS=y\n"
    )
    assert "CONFIG_RUST_IS_AVAILABLE=y\n" in config
    assert "CONFIG_RUST=y" not in config


@builds_c
@builds_rust
def test_analyzer_lists_the_crates(tree: Tree) -> None:
    tree.configure("CONFIG_64BIT=y\nCONFIG_RUST=y\n")
    tree.make("rust-analyzer")
    crates = json.loads((tree.out / "rust-project.json").read_text())["crates"]
    assert [c["display_name"] for c in crates] == ["core", "kernel", "rust_minimal"]
    assert crates[2]["root_module"] == str(tree.source / "samples/rust/rust_minimal.rs")
    assert "CONFIG_RUST" in crates[2]["cfg"]


@pytest.mark.skipif(not runs("perl"), reason="no perl on this machine")
def test_maintainers_are_found(tree: Tree) -> None:
    command = [
        *("scripts/get_maintainer.pl", "--no-git", "--no-git-fallback", "--sections", "-f"),
        "arch/x86/kvm/vmx/vmx.c",
    ]
    found = subprocess.check_output(command, cwd=tree.source, text=True)
    assert "KERNEL VIRTUAL MACHINE FOR X86 (KVM/x86)\n" in found
    assert "KERNEL VIRTUAL MACHINE (KVM)\n" not in found
