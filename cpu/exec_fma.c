/* FMA3: x * y + z with one rounding. The digits of a mnemonic name the operands that are x, y and z
 * (1 is the destination, 2 VEX.vvvv, 3 r/m). With all exceptions masked and a host that has FMA the
 * same instruction runs there, 128 bits at a time; else softfp.c computes, with the same results
 * and flags. SDM 1 14.5, SDM 2. */
#include "cpu/avx.h"
#include "cpu/softfp.h"

typedef __m128i fma_fn(__m128i d, __m128i h, __m128i s);

enum {
    FMA_132,
    FMA_213,
    FMA_231,
    FMA_ORDER = 3,
    FMA_NEGATE = 4,     /* the product */
    FMA_SUBTRACT = 8,   /* z; in the odd elements when they alternate */
    FMA_ALTERNATE = 16, /* the even elements do the opposite */
    FMA_DOUBLE = 32,
    FMA_SCALAR = 64,
};

INLINE void run_host(struct cpu *c, fma_fn *fn, unsigned n, struct ymm *d, struct ymm h,
                     struct ymm s)
{
    u32 guest = c->mxcsr;
    struct ymm first = *d;

    if (likely((guest & ~0x3fu) == HOST_MXCSR)) {
        for (unsigned k = 0; k < n; k++) d->h[k] = fn(first.h[k], h.h[k], s.h[k]);
        if (likely(!(host_stmxcsr() & ~guest & 0x3f))) return;
    }
    host_ldmxcsr((guest & (MXCSR_FTZ | MXCSR_RC | MXCSR_DAZ)) | MXCSR_MASKS);
    for (unsigned k = 0; k < n; k++) d->h[k] = fn(first.h[k], h.h[k], s.h[k]);
    c->mxcsr |= host_stmxcsr() & 0x3f;
    host_ldmxcsr(HOST_MXCSR);
}

static u64 element(const struct ymm *v, unsigned size, unsigned k)
{
    u64 x = 0;

    memcpy(&x, (const u8 *)v + k * size, size);
    return x;
}

static bool run_soft(struct cpu *c, unsigned how, unsigned count, struct ymm *d, struct ymm h,
                     struct ymm s)
{
    static const u8 order[3][3] = { { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 } };
    const u8 *o = order[how & FMA_ORDER];
    unsigned size = how & FMA_DOUBLE ? 8 : 4;
    u32 unmasked = ~(c->mxcsr >> 7) & 0x3f;
    struct softfp e = { .rounding = c->mxcsr >> 13 & 3,
                        .daz = c->mxcsr & MXCSR_DAZ,
                        .ftz = (c->mxcsr & MXCSR_FTZ) && !(unmasked & FSW_UE),
                        .trap_ue = unmasked & FSW_UE,
                        .trap_oe = unmasked & FSW_OE };
    struct ymm r = *d;

    for (unsigned k = 0; k < count; k++) {
        u64 v[3] = { element(d, size, k), element(&h, size, k), element(&s, size, k) };
        bool subtract = how & FMA_SUBTRACT;
        if ((how & FMA_ALTERNATE) && !(k & 1)) subtract = !subtract;
        u64 x = softfp_fma(&e, size == 8 ? SOFTFP_DOUBLE : SOFTFP_SINGLE, v[o[0]], v[o[1]], v[o[2]],
                           how & FMA_NEGATE, subtract);
        memcpy((u8 *)&r + k * size, &x, size);
    }
    if (e.flags & unmasked & FSW_PRE) e.flags &= FSW_PRE;
    if (!sse_report(c, e.flags)) return false;
    *d = r;
    return true;
}

static void multiply_add(struct cpu *c, const struct insn *i, fma_fn *fn, unsigned how)
{
    bool scalar = how & FMA_SCALAR, host = __builtin_cpu_supports("fma");
    unsigned size = how & FMA_DOUBLE ? 8 : 4, n = scalar ? 1 : 1u + i->vl;
    struct ymm d, s = { { _mm_setzero_si128(), _mm_setzero_si128() } };
    bool loaded;

    if (!avx_begin(c)) return;
    if (!scalar)
        loaded = avx_load(c, i, &s);
    else
        loaded = size == 8 ? load_m64(c, i, &s.h[0]) : load_m32(c, i, &s.h[0]);
    if (!loaded) return;
    d = ymm_get(c, i->reg);
    if (host && (c->mxcsr & MXCSR_MASKS) == MXCSR_MASKS)
        run_host(c, fn, n, &d, ymm_get(c, i->vvvv), s);
    else if (!run_soft(c, how, scalar ? 1 : n * 16 / size, &d, ymm_get(c, i->vvvv), s))
        return;
    if (scalar)
        ymm_set128(c, i->reg, d.h[0]);
    else
        ymm_set(c, i, i->reg, d);
}

#define FMA_OP(name, how)                                                                          \
    static __m128i host_##name(__m128i d, __m128i h, __m128i s)                                    \
    {                                                                                              \
        __asm__ volatile("v" #name " %2, %1, %0" : "+x"(d) : "x"(h), "x"(s));                      \
        return d;                                                                                  \
    }                                                                                              \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        multiply_add(c, i, host_##name, how);                                                      \
    }
#define FMA_PACKED(name, order, how)                                                               \
    FMA_OP(name##order##ps, FMA_##order | (how))                                                   \
    FMA_OP(name##order##pd, FMA_##order | (how) | FMA_DOUBLE)
#define FMA_SCALARS(name, order, how)                                                              \
    FMA_OP(name##order##ss, FMA_##order | (how) | FMA_SCALAR)                                      \
    FMA_OP(name##order##sd, FMA_##order | (how) | FMA_SCALAR | FMA_DOUBLE)
#define FMA_ORDERS(form, name, how) form(name, 132, how) form(name, 213, how) form(name, 231, how)
FMA_ORDERS(FMA_PACKED, fmadd, 0)
FMA_ORDERS(FMA_PACKED, fmsub, FMA_SUBTRACT)
FMA_ORDERS(FMA_PACKED, fnmadd, FMA_NEGATE)
FMA_ORDERS(FMA_PACKED, fnmsub, FMA_NEGATE | FMA_SUBTRACT)
FMA_ORDERS(FMA_PACKED, fmaddsub, FMA_ALTERNATE)
FMA_ORDERS(FMA_PACKED, fmsubadd, FMA_ALTERNATE | FMA_SUBTRACT)
FMA_ORDERS(FMA_SCALARS, fmadd, 0)
FMA_ORDERS(FMA_SCALARS, fmsub, FMA_SUBTRACT)
FMA_ORDERS(FMA_SCALARS, fnmadd, FMA_NEGATE)
FMA_ORDERS(FMA_SCALARS, fnmsub, FMA_NEGATE | FMA_SUBTRACT)
