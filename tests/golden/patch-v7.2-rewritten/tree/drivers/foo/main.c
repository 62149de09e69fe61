// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

static int foo_depth = 4;

static bool foo_quiet;

static void foo_note(struct device *dev)
{
	if (!foo_quiet)
		dev_info(dev, "up\n");
}

static int foo_setup(struct device *dev)
{
	int ret;

	ret = foo_reset_and_wait(dev);
	if (ret < 0)
		return ret;

	return foo_start(dev);
}

static int foo_count(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);

	return foo->count;
}

static int foo_limit(struct device *dev)
{
	struct foo *foo = dev_get_drvdata(dev);

	return foo->limit;
}

static void foo_teardown(struct device *dev)
{
	foo_stop(dev);
	foo_reset(dev);
}
