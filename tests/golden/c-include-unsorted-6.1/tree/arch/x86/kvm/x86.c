// SPDX-License-Identifier: GPL-2.0-only

#include <linux/kvm_host.h>
#include "irq.h"
#include "ioapic.h"
#include "x86.h"
#include "smm.h"

#include <linux/clocksource.h>
#include <linux/interrupt.h>
#include <linux/fs.h>

#include <trace/events/kvm.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

#define MAX_IO_MSRS 256
