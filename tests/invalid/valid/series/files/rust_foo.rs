// SPDX-License-Identifier: GPL-2.0

//! Rust part of foo.

use kernel::prelude::*;

/// Called by `foo_init()`.
#[no_mangle]
pub extern "C" fn rust_foo_init() {}
