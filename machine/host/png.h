/* Writes screenshots as PNG (ISO 15948): 8-bit RGB, deflate by zlib. */
#ifndef HOST_PNG_H
#define HOST_PNG_H

#include "machine/core/error.h"
#include "machine/core/types.h"

/* pixels: 0x00RRGGBB, width * height without padding. An existing file is replaced only once the
 * new one is complete. */
int png_write(const char *path, const u32 *pixels, u32 width, u32 height, struct error *e);

#endif
