// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include "foo.h"

#ifdef CONFIG_A
static int __init foo_init(void)
{
	int ret;

	ret = foo_probe();
	if (ret)
		return ret;

	return 0;
}
#else
static int foo_init(void)
{
	return 1;
}
#endif
module_init(foo_init);
