// SPDX-License-Identifier: GPL-2.0-only
#include "mmu.h"

#if 0
static void kvm_mmu_setup(struct kvm_vcpu *vcpu)
{
	old();
}
#endif

static void kvm_mmu_setup(struct kvm_vcpu *vcpu)
{
	struct kvm_mmu_page *sp;
	LIST_HEAD(invalid_list);
	int i;

	hello_from_rust(vcpu);
	list_for_each_entry(sp, &vcpu->kvm->arch.active_mmu_pages, link)
		kvm_mmu_prepare(vcpu->kvm, sp, &invalid_list);
}
