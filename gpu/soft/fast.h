/* Short ways for what compositors and the driver's own blits draw: one colour, or a texture texel
 * by pixel, perhaps times one colour; opaque or blended. Chosen by looking at the pixel shader, the
 * state and each triangle's geometry, and equal in every bit to the general path: no quads, no
 * registers, rows of pixels instead. Document: the contract's part "executor", sections 6.5
 * ("rounding identity") and 13. */
#ifndef GPU_SOFT_FAST_H
#define GPU_SOFT_FAST_H

#include "gpu/soft/draw.h"

enum fast_blend { FAST_OPAQUE, FAST_PREMULTIPLIED, FAST_STRAIGHT };

/* What of a draw decides. */
struct fast_draw {
    bool on;
    bool textured;  /* else the colour alone */
    bool modulated; /* texel times colour */
    u8 blend;       /* fast_blend */
    const struct texture_unit *unit;
    u8 coord, coord_x, coord_y; /* attribute of the coordinates, and which components */
    bool from_attribute;        /* the colour: */
    u8 attribute;
    float constant[4];
};

/* Rows of one triangle, as the kernels take them. */
struct fast_rows {
    u8 blend;
    bool modulated;
    u32 opaque_source, opaque_target; /* FF000000h where a format has no alpha */
    float color[4];                   /* by byte of the target's pixel */
    u32 fill;                         /* the colour as it is stored */
};

/* Kernels: n pixels of a row. Compiled for SSE2 and AVX2 (fast_vec.c). */
struct fast_ops {
    void (*fill)(const struct fast_rows *f, u32 *to, u32 n);
    void (*copy)(const struct fast_rows *f, u32 *to, const u32 *from, u32 n);
};
extern const struct fast_ops fast_ops_sse2, fast_ops_avx2;

void fast_begin(struct fast_draw *f, const struct draw *d);
/* Whether a triangle can go the short way; fills in s->fast. */
void fast_triangle(const struct fast_draw *f, const struct draw *d, struct setup *s);
/* Draws columns x0 to x1 - 1 of row y. */
void fast_row(const struct fast_draw *f, const struct fast_ops *ops, const struct draw *d,
              const struct setup *s, i32 x0, i32 x1, i32 y);

#endif
