/* From a context's state to a draw. */
#ifndef GPU_SOFT_SETUP_H
#define GPU_SOFT_SETUP_H

#include "gpu/soft/draw.h"

/* False: nothing can be drawn (no usable shader, no target, nothing visible). */
bool draw_setup(struct draw *d, struct exec *x, struct context *c);

/* The two interfaces' parts, with shaders, targets, viewport and streams known already: tests,
 * blending, linkage, elements. layout: NULL when none is bound. */
bool setup9(struct draw *d, const struct blob *layout);
bool setup10(struct draw *d, const struct blob *layout);

/* Nothing outside [x0, x1) x [y0, y1) is written. */
void draw_clip(struct draw *d, i64 x0, i64 y0, i64 x1, i64 y1);

#endif
