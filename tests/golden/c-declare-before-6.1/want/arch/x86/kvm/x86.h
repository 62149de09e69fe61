/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ARCH_X86_KVM_X86_H
#define ARCH_X86_KVM_X86_H

#include <linux/kvm_host.h>

struct kvm_caps {
	u64 supported_xcr0;
};

#if IS_ENABLED(CONFIG_KVM_RUST)
void hello_from_rust(void);
#else
static inline void hello_from_rust(void) { }
#endif

void kvm_spurious_fault(void);
int kvm_handle_invpcid(struct kvm_vcpu *vcpu, unsigned long type, gva_t gva);

#endif
