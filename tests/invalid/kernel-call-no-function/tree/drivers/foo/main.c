// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include "foo.h"

static int __init foo_module_init(void)
{
	int ret;

	ret = foo_probe();
	if (ret)
		return ret;

	return 0;
}
module_init(foo_module_init);
