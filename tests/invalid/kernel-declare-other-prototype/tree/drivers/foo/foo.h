/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FOO_H
#define _FOO_H

#include <linux/types.h>

int foo_probe(void);
int rust_foo_init(int x);

#endif
