/* AeroGPU's class: PCI function A3A0:0001 at 00:07.0. */
#ifndef GPU_AEROGPU_H
#define GPU_AEROGPU_H

#include "machine/core/device.h"

extern const struct device_class aerogpu_class;

/* `width` pixels of a scanout format (agpu_scanout_bpp() is not 0) as AARRGGBB. */
void aerogpu_scanout_row(u32 *to, const u8 *from, u32 width, u32 format);

#endif
