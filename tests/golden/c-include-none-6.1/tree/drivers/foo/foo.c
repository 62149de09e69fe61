// SPDX-License-Identifier: GPL-2.0
#ifdef CONFIG_TRACE
#include "trace.h"
#endif

int x;
