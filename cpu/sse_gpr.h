/* Conversions between a general register and a scalar single or double, shared by the SSE and the VEX forms: the host's instructions and
 * what both forms do around them. The integer travels in the low quadword of a vector. Private to exec_sse_cvt.c and exec_avx_fp.c.
 * SDM 2 CVTSI2SS, CVTSI2SD, CVTSS2SI, CVTTSS2SI, CVTSD2SI, CVTTSD2SI. */
#ifndef CPU_SSE_GPR_H
#define CPU_SSE_GPR_H

#include "cpu/sse.h"

#define HOST_FROM_GPR(name, insn, type)                                                            \
    INLINE __m128i host_##name(__m128i d, __m128i s)                                               \
    {                                                                                              \
        __asm__ volatile(insn " %1, %0" : "+x"(d) : "r"((type)_mm_cvtsi128_si64(s)));              \
        return d;                                                                                  \
    }
HOST_FROM_GPR(cvtsi2ss32, "cvtsi2ssl", i32)
HOST_FROM_GPR(cvtsi2ss64, "cvtsi2ssq", i64)
HOST_FROM_GPR(cvtsi2sd32, "cvtsi2sdl", i32)
HOST_FROM_GPR(cvtsi2sd64, "cvtsi2sdq", i64)

/* The integer of register or memory `rm` converted into the low element of d; false: the instruction faulted. */
INLINE bool gpr_to_scalar(struct cpu *c, const struct insn *i, sse_fn *fn32, sse_fn *fn64, __m128i d, __m128i *r)
{
    bool wide = i->osz == OSZ64;
    u64 v;

    if (!is_mem(i)) v = c->r[i->rm];
    else if (!rm_read(c, i, wide ? OSZ64 : OSZ32, &v)) return false;
    __m128i s = _mm_cvtsi64_si128((long long)v);
    return wide ? sse_run(c, fn64, d, s, SSE_INT, r) : sse_run(c, fn32, d, s, SSE_INT, r);
}

#define HOST_TO_GPR(name, insn, type)                                                              \
    INLINE __m128i host_##name(__m128i d, __m128i s)                                               \
    {                                                                                              \
        type v;                                                                                    \
        (void)d;                                                                                   \
        __asm__ volatile(insn " %1, %0" : "=r"(v) : "x"(s));                                       \
        return _mm_cvtsi64_si128((long long)v);                                                    \
    }
HOST_TO_GPR(cvtss2si32, "cvtss2sil", u32)
HOST_TO_GPR(cvtss2si64, "cvtss2siq", u64)
HOST_TO_GPR(cvttss2si32, "cvttss2sil", u32)
HOST_TO_GPR(cvttss2si64, "cvttss2siq", u64)
HOST_TO_GPR(cvtsd2si32, "cvtsd2sil", u32)
HOST_TO_GPR(cvtsd2si64, "cvtsd2siq", u64)
HOST_TO_GPR(cvttsd2si32, "cvttsd2sil", u32)
HOST_TO_GPR(cvttsd2si64, "cvttsd2siq", u64)

/* Register `reg` = the integer of the scalar s. */
INLINE void scalar_to_gpr(struct cpu *c, const struct insn *i, sse_fn *fn32, sse_fn *fn64, __m128i s)
{
    __m128i r;

    bool ok = i->osz == OSZ64 ? sse_run(c, fn64, s, s, SSE_INT, &r) : sse_run(c, fn32, s, s, SSE_INT, &r);
    if (ok) c->r[i->reg] = (u64)_mm_cvtsi128_si64(r);
}

#endif
