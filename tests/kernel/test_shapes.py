"""The golden cases are in our own words; the shapes they have must be the kernels' own.

Each pattern must stand in the named file of the named kernels, and in the tree of at least one
golden case of its kind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from kpatch_rs.kinds import KINDS
from tests.kernel.conftest import Kernels, git
from tests.kernel.provision.linux import WANTED

GOLDEN = Path(__file__).parents[1] / "golden"
WITH_RUST = tuple(line for line in WANTED if line != "5.10")


@dataclass(frozen=True, slots=True)
class Shape:
    """A form that a kind has to find its way in."""

    kind: str
    what: str
    file: str
    pattern: str
    """A regular expression, read with (?m)."""
    lines: tuple[str, ...] = WITH_RUST

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


MAKEFILE, X86_C = "arch/x86/kvm/Makefile", "arch/x86/kvm/x86.c"
EEH, ENTRY = "arch/powerpc/kernel/eeh.c", r"^{\n(?:\t\w[^\n(]*;\n)+\n\t%s\n"
OLDER, GUARDS = ("6.1", "6.12"), ("6.12", "7.2")
GENERATOR = "scripts/generate_rust_analyzer.py"
SHAPES = (
    Shape("rust-file", "a kernel with Rust", "init/Kconfig", r"^config RUST$"),
    Shape("kbuild", "a list over several lines", MAKEFILE, r"-y\s*\+=.*\\\n\s+\S"),
    Shape("kbuild", "a list under a symbol", MAKEFILE, r"-\$\(CONFIG_\w+\)\s*\+= \w"),
    Shape("kbuild", "a list in an included file", MAKEFILE, r"^include \S+Makefile\."),
    Shape("kbuild", "lists in ifdef blocks", MAKEFILE, r"^ifdef CONFIG_\w+\n\S+\s*\+="),
    Shape("kconfig", "a bool with a prompt", "arch/x86/kvm/Kconfig", r"^config \w+\n\tbool \""),
    Shape("kconfig", "entries in an if block", "arch/x86/kvm/Kconfig", r"^if \w+\n(?s:.*)^endif"),
    Shape("c-call", "an init function", X86_C, r"^static int __init \w+\(void\)\n{"),
    Shape(
        "c-call", "a guard behind declarations", X86_C, ENTRY % r"guard\(mutex\)\(&\w+\);", GUARDS
    ),
    Shape("c-call", "a lock behind declarations", EEH, ENTRY % r"mutex_lock\(&\w+\);", OLDER),
    Shape("c-call", "a guard that was a lock", EEH, ENTRY % r"guard\(mutex\)\(&\w+\);", ("7.2",)),
    Shape("c-declare", "a header's closing guard", "arch/x86/kvm/x86.h", r"^#endif[^\n]*\n*\Z"),
    Shape("c-include", "a block of includes", X86_C, r"^#include <linux/.*\n#include <"),
    Shape(
        "rust-analyzer",
        "folders in a map()",
        GENERATOR,
        r"map\(lambda dir: .*\(\"samples\", \"drivers\"\)\)",
        lines=("6.1", "6.12"),
    ),
    Shape(
        "rust-analyzer",
        "folders in a generator expression",
        GENERATOR,
        r"\n\s+srctree / dir for dir in \(\"samples\", \"drivers\"\)",
        lines=("7.2",),
    ),
    Shape("maintainers", "an entry", "MAINTAINERS", r"^[A-Z][^\n]*\nM:\t[^\n]+>\n(?s:.*?)^F:\t"),
    Shape("patch", "a function to hold on to", X86_C, r"^\w[^;\n]*\)\n{\n"),
)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shape_stands_in_the_kernels(kernels: Kernels, shape: Shape) -> None:
    for line in shape.lines:
        text = git(kernels.repository, "show", f"{kernels.newest[line]}:{shape.file}")
        assert re.search(f"(?m){shape.pattern}", text + "\n"), f"not in {line}'s {shape.file}"


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shape_stands_in_a_golden_case(shape: Shape) -> None:
    trees = (path for path in GOLDEN.glob(f"{shape.kind}-*/tree/**/*") if path.is_file())
    texts = (path.read_text(errors="replace") for path in trees)
    assert any(re.search(f"(?m){shape.pattern}", text) for text in texts)


def test_every_kind_has_a_shape() -> None:
    assert {shape.kind for shape in SHAPES} == set(KINDS)
