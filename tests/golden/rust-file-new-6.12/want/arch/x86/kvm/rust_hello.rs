// SPDX-License-Identifier: GPL-2.0

//! A greeting.

use kernel::prelude::*;

const __LOG_PREFIX: &[u8] = b"kvm\0";

/// Called when the module is initialised.
#[no_mangle]
pub extern "C" fn hello_from_rust() {
    pr_info!("Hello from Rust\n");
}
