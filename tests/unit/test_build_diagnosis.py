"""The first real error out of a log, and what is known about it."""

from __future__ import annotations

import re

import pytest

from kpatch_rs.build.diagnosis import _TABLE, diagnose, first_errors

LOG = """\
  CALL    scripts/checksyscalls.sh
error[E0425]: cannot find value `__LOG_PREFIX` in the crate root
 --> arch/x86/kvm/hello.rs:7:5
  |
7 |     pr_info!("x");

make[5]: *** [scripts/Makefile.build:262: arch/x86/kvm/hello.o] Error 1
make[4]: *** [scripts/Makefile.build:478: arch/x86/kvm] Error 2
"""

SAMPLES = [
    ("elf.h:10:10: fatal error: 'gelf.h' file not found", "libelf-dev"),
    ("x.c:2:10: fatal error: openssl/bio.h: No such file or directory", "libssl-dev"),
    ("error[E0635]: unknown feature `new_uninit`", "prelude"),
    ("error: cannot find attribute `export` in this scope", "no_mangle"),
    ("error[E0425]: cannot find value `f` in crate `::kernel::bindings`", "bindings_helper.h"),
    ("error[E0412]: cannot find type `c_int` in this scope", "kernel::ffi"),
    ("error[E0425]: cannot find type `kvm_vcpu` in crate `bindings`", "forward"),
    ("error[E0463]: can't find crate for `core`", "doctor"),
    ("error[E0463]: can't find crate for `kernel`", "CONFIG_RUST=y"),
    ("error: cannot find macro `println` in this scope", "pr_info"),
    ("error: Found argument '--blacklist-type' which wasn't expected", "min-tool-version"),
    ("x.c:1:2: error: call to undeclared function 'hello'; ISO C99", "c-declare"),
    ("ld.lld: error: duplicate symbol: init_module", "module!()"),
    ("ld.lld: error: duplicate symbol: rhook::helper", "name of its own"),
    ("ld.lld: error: undefined symbol: __rust_realloc", "kernel::alloc"),
    ("ld.lld: error: undefined symbol: hello_from_rust", "CONFIG"),
    ("make[5]: *** No rule to make target 'arch/x86/kvm/no.o'.  Stop.", "fragment"),
    ("make: Circular m.o <- m.o dependency dropped.", "rename"),
    ("found 1 unwanted occurrences of EXPORT_SYMBOL_GPL:", "EXPORT_SYMBOL_FOR_KVM_INTERNAL"),
]


def test_first_error_without_the_chain_of_make() -> None:
    assert first_errors(LOG) == (
        "error[E0425]: cannot find value `__LOG_PREFIX` in the crate root",
        " --> arch/x86/kvm/hello.rs:7:5",
        "  |",
        '7 |     pr_info!("x");',
    )


def test_a_log_without_an_error_shows_its_end() -> None:
    assert first_errors("\n".join(map(str, range(40)))) == tuple(map(str, range(28, 40)))
    assert first_errors("") == ()


@pytest.mark.parametrize(("message", "cure"), SAMPLES)
def test_diagnosis(message: str, cure: str) -> None:
    found = diagnose(message)
    assert found
    assert cure in found.cure


def test_nothing_is_made_up() -> None:
    assert diagnose("error: expected `;`, found `}`") is None


def test_every_pattern_compiles_and_says_something() -> None:
    for pattern, cause, cure in _TABLE:
        assert re.compile(pattern)
        assert cause
        assert cure
