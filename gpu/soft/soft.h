/* The software executor's insides, shared by its files: soft.c batches and dispatch, clear.c clears
 * and presents, draw.c draws. */
#ifndef GPU_SOFT_SOFT_H
#define GPU_SOFT_SOFT_H

#include "gpu/soft/objects.h"
#include "gpu/soft/state.h"

enum { SOFT_CONTEXTS = 256 }; /* kept; the one used longest ago makes room */
#define SOFT_MEMORY_CAP (512 * MIB)

struct exec {
    struct exec_host host;
    struct objects objects;
    struct context *contexts[SOFT_CONTEXTS];
    u32 context_count;
    u64 uses;
    u64 draws, skipped_draws, clears, presents; /* since power-on */
};

/* What a batch reports: the first error wins. */
static inline void soft_report(struct exec_batch *b, struct outcome out)
{
    if (!out.error || b->error) return;
    b->error = out.error;
    b->reason = out.reason;
}

struct outcome soft_clear(struct exec *x, struct context *c, const struct agpu_clear *p);
/* The context's colour target 0, made visible: a guest-backed one is where the scanout looks, one
 * without guest memory is copied there. */
struct outcome soft_present(struct exec *x, struct context *c);
/* DRAW and DRAW_INDEXED */
struct outcome soft_draw(struct exec *x, struct context *c, const struct acmd_packet *packet);

#endif
