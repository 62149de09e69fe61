// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include "foo.h"

static int __init foo_init(void)
{
	int ret;

	ret = foo_probe();
	if (ret)
		return ret;

	foo_probe();
	return 0;
}
module_init(foo_init);
