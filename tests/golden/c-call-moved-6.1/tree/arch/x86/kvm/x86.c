// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kvm_host.h>
#include "x86.h"

int kvm_arch_vcpu_precreate(struct kvm *kvm, unsigned int id);

static int kvm_sketch(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (WARN_ON(!run))
		return -EINVAL;
	else if (run->exit_reason)
		return 1;
	return 0;
}
