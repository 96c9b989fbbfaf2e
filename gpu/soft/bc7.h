/* BC7 blocks. */
#ifndef GPU_SOFT_BC7_H
#define GPU_SOFT_BC7_H

#include "machine/core/types.h"

/* 16 bytes at p into 16 RGBA8 texels, row by row. Blocks without a mode are transparent black. */
void bc7_decode(const u8 *p, u8 out[16][4]);

#endif
