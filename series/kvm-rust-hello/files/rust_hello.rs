// SPDX-License-Identifier: GPL-2.0

//! A greeting from Rust, called by the C part of the KVM module.

use kernel::prelude::*;

/// What `pr_*!` print in front of each message, in place of the name that `module!` would give.
///
/// The printing macros hand it to C as a string, so it must end in NUL; they add the ": ".
const __LOG_PREFIX: &[u8] = b"kvm\0";

/// Says hello when the KVM module is initialised.
#[no_mangle]
pub extern "C" fn hello_from_rust() {
    pr_info!("Hello from Rust\n");
}
