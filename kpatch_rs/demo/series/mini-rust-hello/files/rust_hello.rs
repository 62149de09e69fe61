// SPDX-License-Identifier: GPL-2.0

//! A greeting from Rust, called by the C part of the KVM module.

use kernel::prelude::*;

/// What the `pr_*!` macros print in front of each message; C reads it up to its NUL.
const __LOG_PREFIX: &[u8] = b"kvm\0";

/// Says hello once a vendor module has registered.
#[no_mangle]
pub extern "C" fn hello_from_rust() {
    pr_info!("Hello from Rust\n");
}
