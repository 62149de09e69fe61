// SPDX-License-Identifier: GPL-2.0
#include <linux/iosys-map.h>
#include <linux/types.h>

#include <drm/drm_print.h>

#include "drm_draw_internal.h"
#ifdef CONFIG_DRM_PANIC_SCREEN_QR_CODE
#include <linux/zlib.h>
#endif

#if IS_ENABLED(CONFIG_DRM_PANIC_QR)
u8 drm_panic_qr_size(u8 version);
#else
static inline u8 drm_panic_qr_size(u8 version)
{
	return 0;
}
#endif

MODULE_DESCRIPTION("panic");
