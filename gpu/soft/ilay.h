/* Input layouts of Direct3D 10 and 11: blobs made into elements of a draw. */
#ifndef GPU_SOFT_ILAY_H
#define GPU_SOFT_ILAY_H

#include "gpu/soft/draw.h"

enum { ELEMENT_ILAY = 32 }; /* element types from here on are this file's */

struct ilay;
/* NULL: not a layout that can be used. free() it. */
struct ilay *ilay_parse(const u8 *bytes, u32 size);
/* Fills the draw's elements: by semantic when the vertex shader has a signature, else element n
 * feeds the n-th input register. l may be NULL: nothing is bound. False: the shader fetches and
 * there is no layout. */
bool ilay_match(struct draw *d, const struct ilay *l);

u32 ilay_bytes(u8 type);                           /* 1 to 16 */
void ilay_convert(u8 type, const u8 *p, u32 v[4]); /* p: 16 bytes */

#endif
