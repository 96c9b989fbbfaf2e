/* From a context's state to a draw. */
#ifndef GPU_SOFT_SETUP_H
#define GPU_SOFT_SETUP_H

#include "gpu/soft/draw.h"

/* False: nothing can be drawn (no usable shader, no target, nothing visible). */
bool draw_setup(struct draw *d, struct exec *x, struct context *c);

#endif
