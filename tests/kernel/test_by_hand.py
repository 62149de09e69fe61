"""An integration written by hand on 6.12, in the ways people write one: it comes out as recipes.

Five commits by plain text edits; `import` must make the five kinds of them with no `patch` left,
and `rebase` must carry them to 7.2 by itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kernel.conftest import TOP, Kernels, git

X86, HEADER = "arch/x86/kvm/x86.c", "arch/x86/kvm/x86.h"
KCONFIG, MAKEFILE = "arch/x86/kvm/Kconfig", "arch/x86/kvm/Makefile"
SCRIPT = "scripts/generate_rust_analyzer.py"
KINDS = ["rust-file", "kconfig", "kbuild", "c-declare", "c-call", "rust-analyzer"]

RUST = """// SPDX-License-Identifier: GPL-2.0

//! Says hello.

use kernel::prelude::*;

const __LOG_PREFIX: &[u8] = b"kvm_rust\\0";

/// Called from C.
#[no_mangle]
pub extern "C" fn hello_from_rust() {
    pr_info!("hello\\n");
}
"""


def behind(anchor: str, text: str) -> Callable[[str], str]:
    """Puts `text` behind the only `anchor` of a file."""

    def edit(old: str) -> str:
        assert old.count(anchor) == 1, (anchor, old.count(anchor))
        return old.replace(anchor, anchor + text)

    return edit


def before(anchor: str, text: str) -> Callable[[str], str]:
    def edit(old: str) -> str:
        assert old.count(anchor) == 1, (anchor, old.count(anchor))
        return old.replace(anchor, text + anchor)

    return edit


def instead(anchor: str, text: str) -> Callable[[str], str]:
    def edit(old: str) -> str:
        assert old.count(anchor) == 1, (anchor, old.count(anchor))
        return old.replace(anchor, text)

    return edit


def at_entry(old: str) -> str:
    return behind(DECLARED, "\thello_from_rust();\n\n")(old)


ENTRY = """config KVM_RUST
\tbool "Say hello from Rust"
\tdepends on KVM_X86 && RUST
\thelp
\t  Say hello.

"""
ODD_ENTRY = """config KVM_RUST
\tdepends on RUST
\tdepends on KVM_X86
\tbool "Say hello from Rust"
\tdefault n
\timply KVM_SMM

"""
BARE_ENTRY = """config KVM_RUST
\tdef_bool y
\tdepends on KVM_X86 && RUST

"""

ONE_LINE = """#ifdef CONFIG_KVM_RUST
void hello_from_rust(void);
#else
static inline void hello_from_rust(void) {}
#endif

"""
SEVERAL_LINES = """#ifdef CONFIG_KVM_RUST
extern void hello_from_rust(void);
#else /* !CONFIG_KVM_RUST */
static inline void hello_from_rust(void)
{
}
#endif /* CONFIG_KVM_RUST */

"""
BARE = "void hello_from_rust(void);\n"

SAMPLES = '("samples", "drivers"'
FOLDERS = '("samples", "drivers")'
IN_LINES = '(\n        "samples",\n        "drivers",\n        "arch/x86/kvm",\n    )'
MAPPED = f"    extra_dirs = map(lambda dir: srctree / dir, {FOLDERS})\n"
MORE = '    extra_dirs = [*extra_dirs, srctree / "arch" / "x86" / "kvm"]\n'
MORE_LOOP = """    # KVM has some, too.
    for dir in ["arch/x86/kvm"]:
        extra_dirs = [srctree / dir, *extra_dirs]
"""
LOOP = "    for folder in extra_dirs:\n"
KCONFIG_PLACE = "config KVM_MAX_NR_VCPUS\n"
LAST_OBJECT = "\t\t\t   mmu/spte.o"
LAST_PROTOTYPE = "int kvm_spec_ctrl_test_value(u64 value);\n"
RETURN = "\tmitigate_smt_rsb &= boot_cpu_has_bug(X86_BUG_SMT_RSB) && cpu_smt_possible();\n"
CHECK = "\tr = kvm_mmu_vendor_module_init();\n\tif (r)\n\t\tgoto out_free_percpu;\n"
CONDITION = "\n\tif (IS_ENABLED(CONFIG_KVM_RUST))\n\t\thello_from_rust();\n"
IFDEF = "#ifdef CONFIG_KVM_RUST\n\thello_from_rust();\n#endif\n\n"
CHECKED = "\tr = (hello_from_rust(), 0);\n\tif (r)\n\t\tgoto out_free_percpu;\n"
COMMENTED = "\n\t/* Rust is here. */\n\thello_from_rust();\n"
LOOP_HEAD = "\tfor_each_online_cpu(cpu) {\n"
DECLARED = "\tu64 host_pat;\n\tint r, cpu;\n\n\tguard(mutex)(&vendor_module_lock);\n\n"

STYLES: Mapping[str, Mapping[str, tuple[str, Callable[[str], str]]]] = {
    "kconfig": {
        "usual": (KCONFIG, before(KCONFIG_PLACE, ENTRY)),
        "other order": (KCONFIG, before(KCONFIG_PLACE, ODD_ENTRY)),
        "without prompt": (KCONFIG, before(KCONFIG_PLACE, BARE_ENTRY)),
        "after another": (KCONFIG, before("config KVM_SMM\n", ODD_ENTRY)),
        "first in an if": (KCONFIG, before("config KVM_X86\n", ENTRY)),
    },
    "kbuild": {
        "own line": (MAKEFILE, behind("+= smm.o\n", "kvm-$(CONFIG_KVM_RUST)\t+= rust_hello.o\n")),
        "in the list": (MAKEFILE, behind(LAST_OBJECT, " rust_hello.o")),
        "within the list": (MAKEFILE, behind("x86.o emulate.o", " rust_hello.o")),
        "continued": (MAKEFILE, behind(LAST_OBJECT, " \\\n\t\t\t   rust_hello.o")),
    },
    "c-declare": {
        "one line": (HEADER, behind(LAST_PROTOTYPE, "\n" + ONE_LINE.rstrip("\n") + "\n")),
        "several lines": (HEADER, behind(LAST_PROTOTYPE, "\n" + SEVERAL_LINES.rstrip("\n") + "\n")),
        "bare": (HEADER, behind(LAST_PROTOTYPE, BARE)),
        "above the caller": (X86, before("static int __init kvm_x86_init(void)\n", ONE_LINE)),
        "in the .c file": (X86, before("int kvm_x86_vendor_init(struct", SEVERAL_LINES)),
    },
    "c-call": {
        "before the return": (X86, behind(RETURN, "\thello_from_rust();\n")),
        "at entry": (X86, at_entry),
        "behind a check": (X86, behind(CHECK, "\thello_from_rust();\n")),
        "behind a check, apart": (X86, behind(CHECK, "\n\thello_from_rust();\n")),
        "with a condition": (X86, behind(CHECK, CONDITION)),
        "in an #ifdef": (X86, before(LOOP_HEAD, IFDEF)),
        "with a check of its own": (X86, behind(CHECK, "\n" + CHECKED)),
        "with a comment": (X86, behind(RETURN, COMMENTED)),
    },
    "rust-analyzer": {
        "element": (SCRIPT, behind(SAMPLES, ', "arch/x86/kvm"')),
        "in between": (SCRIPT, behind('("samples"', ', "arch/x86/kvm"')),
        "an element a line": (SCRIPT, instead(FOLDERS, IN_LINES)),
        "a list": (SCRIPT, instead(FOLDERS, '["samples", "drivers", "arch/x86/kvm"]')),
        "a statement": (SCRIPT, behind(MAPPED, MORE)),
        "a statement before the loop": (SCRIPT, before(LOOP, MORE + "\n")),
        "a loop of its own": (SCRIPT, behind(MAPPED, MORE_LOOP)),
    },
}
PLAIN = {kind: next(iter(ways)) for kind, ways in STYLES.items()}
CASES = [
    {**PLAIN, kind: way}
    for kind, ways in STYLES.items()
    for way in ways
    if way != PLAIN[kind] or kind == "kconfig"
]


@dataclass(frozen=True)
class Hand:
    """Somebody's own kernel repository, and a folder for the series."""

    kernel: Path
    cwd: Path

    def run(self, *arguments: str) -> tuple[int, dict[str, object]]:
        argv = [sys.executable, "-m", "kpatch_rs", "-k", str(self.kernel), "-s", "by-hand"]
        env = {**os.environ, "PYTHONPATH": str(TOP), "XDG_STATE_HOME": str(self.cwd / "state")}
        done = subprocess.run(
            [*argv, "--json", *arguments], cwd=self.cwd, env=env, capture_output=True, check=False
        )
        assert b"Traceback" not in done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout)

    def commit(self, parent: str, path: str, edit: Callable[[str], str]) -> str:
        """`parent` with one file written anew, through an index of its own."""
        env = {**os.environ, "GIT_INDEX_FILE": str(self.cwd / "index")}
        for who in ("AUTHOR", "COMMITTER"):
            env |= {f"GIT_{who}_NAME": "A User", f"GIT_{who}_EMAIL": "user@example.org"}
        listed = git(self.kernel, "ls-tree", parent, path).split()
        old = git(self.kernel, "show", f"{parent}:{path}") + "\n" if listed else ""
        text = self.cwd / "text"
        text.write_text(edit(old))
        blob = git(self.kernel, "hash-object", "-w", str(text))
        mode = listed[0] if listed else "100644"
        git(self.kernel, "read-tree", parent, env=env)
        git(self.kernel, "update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}", env=env)
        tree = git(self.kernel, "write-tree", env=env)
        message = ("-m", f"KVM: Change {path}", "-m", "Because.")
        return git(self.kernel, "commit-tree", tree, "-p", parent, *message, env=env)


@pytest.fixture
def hand(kernels: Kernels, tmp_path: Path) -> Hand:
    at = tmp_path / "linux.git"
    git(tmp_path, "clone", "-q", "--shared", "--bare", str(kernels.repository), str(at))
    git(at, "config", "user.name", "A User")
    git(at, "config", "user.email", "user@example.org")
    return Hand(at, tmp_path)


@pytest.mark.parametrize(
    "case",
    CASES,
    ids=lambda case: (
        ", ".join(f"{kind} {way}" for kind, way in case.items() if way != PLAIN[kind]) or "usual"
    ),
)
def test_hand_written_becomes_recipes(
    hand: Hand, kernels: Kernels, case: Mapping[str, str]
) -> None:
    base = tip = kernels.newest["6.12"]
    tip = hand.commit(tip, "arch/x86/kvm/rust_hello.rs", lambda _: RUST)
    for kind, way in case.items():
        tip = hand.commit(tip, *STYLES[kind][way])
    trees = git(hand.kernel, "log", "--reverse", "--format=%T", f"{base}..{tip}").split()

    code, said = hand.run("import", f"{base}..{tip}")
    assert code == 0, said
    code, rendered = hand.run("apply", "--onto", base)
    assert code == 0, rendered
    steps = rendered["steps"]
    assert isinstance(steps, list)
    assert [s["tree"] for s in steps] == trees, "import lost something"
    assert [e["kind"] for s in steps for e in s["edits"]] == KINDS

    code, moved = hand.run("rebase", kernels.newest["7.2"])
    assert code == 0, moved
    code, back = hand.run("rebase", base)
    assert code == 0, back
    steps = back["steps"]
    assert isinstance(steps, list)
    assert [s["tree"] for s in steps] == trees
