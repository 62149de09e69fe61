// SPDX-License-Identifier: GPL-2.0
#include <linux/syscalls.h>

#ifdef CONFIG_PROC_SYSCTL
static int proc_uint_conv(ulong *u_ptr, uint *k_ptr)
{
	return 0;
}
#else
static int proc_uint_conv(ulong *u_ptr, uint *k_ptr)
{
	return -ENOSYS;
}
#endif

SYSCALL_DEFINE2(greet, const char __user *, who, unsigned int, flags)
{
	char *name __free(kfree) = strndup_user(who, PAGE_SIZE);
#ifdef CONFIG_COMPAT
	bool compat = in_compat_syscall();
#endif

	if (IS_ERR(name))
		return PTR_ERR(no_free_ptr(name));
	switch (flags) {
	case 0: return 1;
	default:
		break;
	}
	return 0;
}
