from __future__ import annotations

import pytest

from kpatch_rs.syntax.rust import (
    exported_symbols,
    flaws,
    submodules,
    unconditional_symbols,
    uses_export,
)

SOURCE = b"""// SPDX-License-Identifier: GPL-2.0
use kernel::prelude::*;
mod inner;
mod here { }

#[no_mangle]
/// A comment between.
pub extern "C" fn one() {}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn two(a: *mut u8) -> i32 { 0 }

#[export_name = "three"]
extern "C" fn hidden() {}

#[export]
pub fn four() {}

#[cfg(CONFIG_FIVE)]
#[no_mangle]
pub extern "C" fn five() {}

#[cfg(test)]
mod tests {
    #[no_mangle]
    pub extern "C" fn six() {}
}

#[inline]
pub fn not_for_c() {}
// #[no_mangle] pub extern "C" fn commented() {}
"""


def test_exported_symbols() -> None:
    assert exported_symbols(SOURCE) == ("one", "two", "three", "four", "five", "six")


def test_unconditional_symbols() -> None:
    assert unconditional_symbols(SOURCE) == ("one", "two", "three", "four")


def test_submodules_are_those_with_a_file() -> None:
    assert submodules(SOURCE) == ("inner",)


def test_uses_export() -> None:
    assert uses_export(SOURCE) == 16
    assert uses_export(b"#[no_mangle]\nfn a() {}\n") is None


PREFIX = b'const __LOG_PREFIX: &[u8] = b"kvm\\0";\n'


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (b'const __LOG_PREFIX: &[u8] = b"KVM";\n', "does not end in NUL"),
        (b'const __LOG_PREFIX: &[u8] = b"KVM: ";\n', "does not end in NUL"),
        (b'const __LOG_PREFIX: &[u8] = b"KVM: \\0";\n', 'ends in ":"'),
        (b'const __LOG_PREFIX: &[u8] = b"KVM:\\x00";\n', 'ends in ":"'),
        (b'fn f() { pr_info!("a\\n"); }\n', "needs a __LOG_PREFIX"),
        (b'fn f() { kernel::pr_err!("a\\n"); }\n', "needs a __LOG_PREFIX"),
        (b'pub extern "C" fn f() {}\n', "no symbol"),
        (b'pub unsafe extern "C" fn f() {}\n', "no symbol"),
    ],
)
def test_what_is_wrong(source: bytes, what: str) -> None:
    (flaw,) = flaws(source)
    assert what in flaw.what
    assert flaw.line == 1
    assert flaw.cure


@pytest.mark.parametrize(
    "source",
    [
        PREFIX,
        b'const __LOG_PREFIX: &[u8] = b"kvm\\x00";\n',
        b'const __LOG_PREFIX: &[u8] = c"kvm".to_bytes_with_nul();\n',
        PREFIX + b'fn f() { pr_info!("a\\n"); }\n',
        b'module! { type: A }\nfn f() { pr_info!("a\\n"); }\n',
        b'kernel::module_pci_driver! { type: A }\nfn f() { pr_info!("a\\n"); }\n',
        b'use crate::__LOG_PREFIX;\nfn f() { pr_info!("a\\n"); }\n',
        b'extern "C" fn f() {}\n',
        b'pub(crate) extern "C" fn f() {}\n',
        b'pub extern "C" fn f() {}\nstatic T: V = V { cb: Some(f) };\n',
        b'impl A { pub extern "C" fn f() {} }\n',
        SOURCE,
    ],
)
def test_what_is_not_certainly_wrong(source: bytes) -> None:
    assert flaws(source) == ()
