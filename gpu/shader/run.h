/* The interpreter: runs a program on 64 lanes at once.
 *
 * A register is 4 components of 64 lanes, structure of arrays. In a pixel shader the lanes are 16
 * quads: lane = quad * 4 + (y & 1) * 2 + (x & 1) with even quad origins, so that derivatives are
 * differences inside four neighbours. Lanes outside `active` compute (they are helpers of their
 * quad) and their results mean nothing; ir_run never touches memory for them beyond their own
 * lanes. Results do not depend on the host's vector width: no contraction, no reassociation; sin,
 * cos, exp, log are our own. Document: the contract's part "executor", sections 7.8, 9 and 13. */
#ifndef GPU_SHADER_RUN_H
#define GPU_SHADER_RUN_H

#include "gpu/shader/ir.h"

enum { LANES = 64 };

struct lanes { /* one register; bits, whatever their type */
    u32 c[4][LANES];
} __attribute__((aligned(64)));

static inline float *lanes_f(struct lanes *r, unsigned component)
{
    return (float *)r->c[component];
}

struct ir_texture_query { /* of one instruction, for the sampler */
    const struct ir_insn *insn;
    const struct lanes *coord;     /* floats; integers for LD */
    const struct lanes *extra;     /* bias, level, reference: component x; NULL */
    const struct lanes *ddx, *ddy; /* of TEX_GRAD; NULL: from the quads */
    u64 active; /* lanes whose result matters; their quads' other lanes have valid coordinates */
    bool implicit_lod; /* pixel shader: derivatives of coord inside the quad; else level 0 */
};

struct ir_env {                  /* what a run reads besides its inputs; constant while it runs */
    const float (*constants)[4]; /* constant_count of them, then zeros */
    u32 constant_count;
    const i32 (*integers)[4]; /* 256 */
    const u8 *bools;          /* 256 */
    struct {
        const u8 *data; /* element i: 16 bytes at i * 16; NULL: reads 0 */
        u32 size;       /* bytes */
    } cb[ACMD_CONSTANT_BUFFERS];
    /* Fills result (four components, before swizzle and mask). */
    void (*sample)(void *opaque, const struct ir_texture_query *q, struct lanes *result);
    void *opaque;
    bool sse2_only; /* for tests: not the widest vectors that the host has */
    /* Work left for this batch, in instructions times lanes; a run that uses it up stops early.
     * Shared by runs of one thread. */
    i64 *budget;
};

struct ir_state { /* registers of one run; made once per thread and program by ir_state_create */
    struct lanes *inputs;  /* IR_MAX_INPUTS, filled by the caller */
    struct lanes *outputs; /* IR_MAX_OUTPUTS; what the program does not write is 0 */
    struct lanes *special; /* IR_SP_COUNT, filled by the caller as far as the program reads them */
    struct lanes *temps;   /* program's; undefined at the start reads as 0 */
    struct lanes *arrays;
    void *stack; /* of blocks and calls */
    u64 active;  /* in: lanes that exist; out: those that were not killed */
    struct ir_plan *plan;
    size_t capacity; /* in registers */
    bool owns_plan;
};

/* What a program does with its registers, found once. */
struct ir_plan {
    u8 input_mask[IR_MAX_INPUTS]; /* components that are read, at most */
    u32 special;                  /* bit per ir_special that is read */
    u32 zero_outputs;             /* bit per output that is written in part or perhaps not at all */
    bool address, predicate;      /* a0 or p0 occur */
    /* Two instructions that are done as one: from `merged_at` on, "op r, ...; mov o, r" with r not
     * read again is `merged`, "op o, ...". UINT32_MAX: none. */
    u32 merged_at;
    struct ir_insn merged;
    u32 zero_count;
    u16 zero_temps[]; /* temps that may be read before they are written */
};

struct ir_state *ir_state_create(const struct ir_program *p);
/* Without registers: only to be the `like` of others. */
struct ir_state *ir_state_plan(const struct ir_program *p);
/* Makes *s, which may be NULL, fit for the program of `like`; for another thread. Its registers
 * keep no contents. `like` outlives its use. */
void ir_state_like(struct ir_state **s, const struct ir_program *p, const struct ir_state *like);
void ir_state_free(struct ir_state *s);
/* False: the budget ran out; the outputs are what they were at that moment. */
bool ir_run(const struct ir_program *p, const struct ir_env *env, struct ir_state *s);

/* Elementary functions, the same on every host: used by the interpreter and its tests. */
float ir_exp2(float x);
float ir_log2(float x);
float ir_sin(float x);
float ir_cos(float x);

#endif
