// SPDX-License-Identifier: GPL-2.0-or-later
/* The shape of arch/powerpc/kernel/eeh.c: how a device is handed to a guest. */

#include <linux/mutex.h>
#include <linux/pci.h>
#include <asm/eeh.h>

static DEFINE_MUTEX(eeh_dev_mutex);

/* Marks the device as passed through. */
int eeh_dev_open(struct pci_dev *pdev)
{
	struct eeh_dev *edev;
	int ret = -ENODEV;

	guard(mutex)(&eeh_dev_mutex);
	rust_eeh_opened();

	if (!pdev)
		return ret;

	edev = pci_dev_to_eeh_dev(pdev);
	if (!edev || !edev->pe)
		return ret;

	atomic_inc(&edev->pe->pass_dev_cnt);
	return 0;
}
EXPORT_SYMBOL_GPL(eeh_dev_open);
