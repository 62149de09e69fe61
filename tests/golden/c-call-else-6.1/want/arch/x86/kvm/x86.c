// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kvm_host.h>
#include "x86.h"

int kvm_arch_vcpu_precreate(struct kvm *kvm, unsigned int id);

static int kvm_sketch(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (WARN_ON(!run)) {
		hello_from_rust();
		return -EINVAL;
	} else if (run->exit_reason) {
		hello_from_rust();
		return 1;
	}
	hello_from_rust();
	return 0;
}
