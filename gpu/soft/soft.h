/* The software executor's insides, shared by its files: soft.c batches and dispatch, clear.c clears
 * and presents, draw.c draws. */
#ifndef GPU_SOFT_SOFT_H
#define GPU_SOFT_SOFT_H

#include "gpu/soft/objects.h"
#include "gpu/soft/settings.h"
#include "gpu/soft/state.h"

/* About two seconds of work; Windows would give up on the device then. What is left of such a batch
 * is skipped. */
#define SOFT_BATCH_BUDGET 4000000000ll
enum { SOFT_CONTEXTS = 256 }; /* kept; the one used longest ago makes room */

enum skip_cause { /* of draws that cannot be executed */
                  SKIP_NO_SHADER,
                  SKIP_BAD_PIXEL_SHADER,
                  SKIP_GEOMETRY,
                  SKIP_TESSELLATION,
                  SKIP_MIXED,
                  SKIP_NO_TARGET,
                  SKIP_INPUT,
                  SKIP_COMPUTE,
                  SKIP_BUDGET,
                  SKIP_COUNT
};

struct exec {
    struct exec_host host;
    struct soft_settings settings;
    struct objects objects;
    struct context *contexts[SOFT_CONTEXTS];
    u32 context_count;
    u64 uses;
    struct scratch *scratch;   /* draw.c's */
    struct ir_state *vs_state; /* the registers of all vertex shaders */
    i64 budget;                /* of the batch: instructions times lanes, pixels, vertices */
    /* since power-on */
    u64 out_of_time; /* packets that batches had no time for */
    u64 draws, skipped_draws, clears, presents, skips[SKIP_COUNT];
    u64 batches, packets, without_effect; /* packets that asked for nonsense */
    u64 exhausted;                        /* batches that used up their budget */
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
/* After SET_TEXTURE and SET_RENDER_TARGETS: takes textures out of slots where they may not be. */
void soft_hazards(struct exec *x, struct context *c, u16 opcode, const void *packet);
/* DRAW and DRAW_INDEXED */
struct outcome soft_draw(struct exec *x, struct context *c, u16 opcode, const void *packet);
struct scratch *scratch_create(const struct exec_tuning *tuning);
void scratch_free(struct scratch *s);
/* Logs a cause the first time. */
void soft_skip(struct exec *x, enum skip_cause cause);
const char *soft_skip_name(enum skip_cause cause);
void soft_info(struct exec *x, struct text *t); /* info.c */

#endif
