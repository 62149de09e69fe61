// SPDX-License-Identifier: GPL-2.0
#include <linux/iosys-map.h>
#include <linux/slab.h>
#include <linux/types.h>

#include <drm/drm_print.h>

#include "drm_draw_internal.h"
#ifdef CONFIG_DRM_PANIC_SCREEN_QR_CODE
#include <linux/zlib.h>
#endif

MODULE_DESCRIPTION("panic");
