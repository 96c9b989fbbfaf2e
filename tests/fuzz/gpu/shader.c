/* Fuzz target: a shader through its front end and the interpreter. The input is a blob; what it
 * reads (inputs, constants, textures) is made from its bytes, with infinities and NaN among them.
 * The work is bounded by the batch's budget, which a run may overdraw by little. */
#include "gpu/shader/run.h"
#include "tests/fuzz/gpu/ir_check.h"
#include "tests/fuzz/gpu/shaders.h"
#include "tests/fuzz/gpu/target.h"

enum { BUDGET = 1 << 17 };

static float constants[256][4];
static i32 integers[256][4];
static u8 bools[256];
static u8 buffer[512];

static void fill(struct rng *r, u32 *to, u32 n)
{
    static const u32 odd[] = { 0,          0x80000000, 0x3f800000, 0xbf800000,
                               0x7f800000, 0xff800000, 0x7fc00000, 0x00000001,
                               0x7f7fffff, 0x4f000000, 0xffffffff, 5 };
    for (u32 k = 0; k < n; k++) to[k] = one_in(r, 3) ? odd[rnd(r, LEN(odd))] : (u32)rnd64(r);
}

void target_init(void)
{
    struct rng r = { 1 };
    fill(&r, (u32 *)constants, sizeof(constants) / 4);
    fill(&r, (u32 *)buffer, sizeof(buffer) / 4);
    for (unsigned k = 0; k < 256; k++) {
        bools[k] = k & 1;
        for (unsigned c = 0; c < 4; c++) integers[k][c] = (i32)rnd(&r, 300) - 20;
    }
    integers[0][0] = 255; /* a loop that is too long to nest */
}

static void sample(void *opaque, const struct ir_texture_query *q, struct lanes *result)
{
    (void)opaque;
    must(q->insn->tex.resource < ACMD_RESOURCES && q->insn->tex.sampler < ACMD_SAMPLERS,
         "slots exist");
    *result = *q->coord;
    if (q->extra) result->c[3][0] ^= q->extra->c[0][63];
    if (q->ddx) result->c[2][1] ^= q->ddx->c[3][63] ^ q->ddy->c[3][63];
}

static void run(const struct ir_program *p, const u8 *data, size_t size)
{
    i64 budget = BUDGET;
    struct rng r = { size ? data[size - 1] : 0 };
    struct ir_env env = { .constants = (const float(*)[4])constants,
                          .constant_count = 256,
                          .integers = (const i32(*)[4])integers,
                          .bools = bools,
                          .sample = sample,
                          .budget = &budget };
    for (unsigned k = 0; k < 4; k++) {
        env.cb[k].data = buffer;
        env.cb[k].size = sizeof(buffer) - 4 * k;
    }
    struct ir_state *s = ir_state_create(p);
    for (u32 k = 0; k < IR_MAX_INPUTS; k++) {
        if (p->input[k].used) fill(&r, (u32 *)&s->inputs[k], sizeof(s->inputs[k]) / 4);
    }
    fill(&r, (u32 *)s->special, IR_SP_COUNT * sizeof(s->special[0]) / 4);
    s->active = r.s & 1 ? ~0ull : rnd64(&r);
    u64 before = s->active;
    bool whole = ir_run(p, &env, s);
    must(!(s->active & ~before), "no lane comes to life");
    must(whole || budget < 0, "a run ends early for want of budget only");
    i64 clearing = (i64)(p->temps + p->array_registers + IR_MAX_OUTPUTS) * 8 * LANES;
    must(budget > -(i64)BUDGET - clearing, "the budget ends it soon");
    ir_state_free(s);
}

void target_run(const u8 *data, size_t size)
{
    const char *why = NULL;
    struct ir_program *p = shader_compile(data, (u32)size, ir_blob_stage(data, size), &why);
    if (!p) return;
    ir_check(p);
    run(p, data, size);
    ir_free(p);
}

size_t target_seed(unsigned n, u8 *out, size_t cap)
{
    u8 stage;
    return shader_any(n, out, cap, &stage);
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned seed)
{
    return tokens_mutate(data, size, max, seed);
}
