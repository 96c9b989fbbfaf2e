/* SSE and SSE2 conversions between single, double, integer vectors, general and MMX registers. Each is the host's instruction
 * (sse.h); the MMX forms use the XMM conversion with the same rounding and flags. SDM 1 11.4.1.6, SDM 2 CVTxx. */
#include "cpu/fpu.h"
#include "cpu/mmx.h"
#include "cpu/sse_gpr.h"

#define HOST_OP(name)                                                                              \
    INLINE __m128i host_##name(__m128i d, __m128i s)                                               \
    {                                                                                              \
        __asm__ volatile(#name " %1, %0" : "+x"(d) : "x"(s));                                      \
        return d;                                                                                  \
    }
#define SSE_CVT(name, load, kind)                                                                  \
    HOST_OP(name)                                                                                  \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        sse_fp(c, i, host_##name, load, kind);                                                     \
    }
SSE_CVT(cvtps2pd, load_m64, SSE_PD)
SSE_CVT(cvtpd2ps, load_m128a, SSE_PS | SSE_NARROW)
SSE_CVT(cvtss2sd, load_m32, SSE_SD)
SSE_CVT(cvtsd2ss, load_m64, SSE_SS | SSE_NARROW)
SSE_CVT(cvtdq2ps, load_m128a, SSE_INT)
SSE_CVT(cvtps2dq, load_m128a, SSE_INT)
SSE_CVT(cvttps2dq, load_m128a, SSE_INT)
SSE_CVT(cvtdq2pd, load_m64, SSE_INT)
SSE_CVT(cvtpd2dq, load_m128a, SSE_INT)
SSE_CVT(cvttpd2dq, load_m128a, SSE_INT)

/* --- between general registers and scalars --- */

void op_cvtsi2ss(struct cpu *c, const struct insn *i)
{
    __m128i r;

    if (!sse_begin(c)) return;
    if (gpr_to_scalar(c, i, host_cvtsi2ss32, host_cvtsi2ss64, xmm_get(c, i->reg), &r))
        xmm_set(c, i->reg, r);
}

void op_cvtsi2sd(struct cpu *c, const struct insn *i)
{
    __m128i r;

    if (!sse_begin(c)) return;
    if (gpr_to_scalar(c, i, host_cvtsi2sd32, host_cvtsi2sd64, xmm_get(c, i->reg), &r))
        xmm_set(c, i->reg, r);
}

#define SSE_TO_GPR(name, load)                                                                     \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        __m128i s;                                                                                 \
        if (sse_begin(c) && load(c, i, &s))                                                        \
            scalar_to_gpr(c, i, host_##name##32, host_##name##64, s);                              \
    }
SSE_TO_GPR(cvtss2si, load_m32)
SSE_TO_GPR(cvttss2si, load_m32)
SSE_TO_GPR(cvtsd2si, load_m64)
SSE_TO_GPR(cvttsd2si, load_m64)

/* --- MMX --- */

/* CVTPI2PS merges two singles into the low half; it enters MMX state with a memory operand as well. */
INLINE __m128i host_cvtpi2ps(__m128i d, __m128i s)
{
    __m128i r = _mm_setzero_si128();

    __asm__ volatile("cvtdq2ps %1, %0" : "+x"(r) : "x"(s));
    return _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(d), _mm_castsi128_pd(r)));
}

/* mm/m64 operand, enter: whether a memory operand enters MMX state too. */
INLINE void from_mmx(struct cpu *c, const struct insn *i, sse_fn *fn, bool enter)
{
    __m128i s, r;

    if (!sse_begin(c)) return;
    if (is_mem(i) && !enter) {
        if (!load_m64(c, i, &s)) return;
    } else {
        if (!mmx_begin(c) || !mmx_load(c, i, &s)) return;
        mmx_enter(c);
    }
    if (sse_run(c, fn, xmm_get(c, i->reg), s, SSE_INT, &r)) xmm_set(c, i->reg, r);
}

void op_cvtpi2ps(struct cpu *c, const struct insn *i)
{
    from_mmx(c, i, host_cvtpi2ps, true);
}

void op_cvtpi2pd(struct cpu *c, const struct insn *i)
{
    from_mmx(c, i, host_cvtdq2pd, false);
}

INLINE void to_mmx(struct cpu *c, const struct insn *i, sse_fn *fn, sse_load_fn *load, bool low_half)
{
    __m128i s, r;

    if (!sse_begin(c) || !mmx_begin(c) || !load(c, i, &s)) return;
    if (low_half) s = _mm_move_epi64(s);
    mmx_enter(c); /* also when the conversion raises #XM */
    if (!sse_run(c, fn, s, s, SSE_INT, &r)) return;
    mmx_set(c, i->reg & 7, r);
}

void op_cvtps2pi(struct cpu *c, const struct insn *i)
{
    to_mmx(c, i, host_cvtps2dq, load_m64, true);
}

void op_cvttps2pi(struct cpu *c, const struct insn *i)
{
    to_mmx(c, i, host_cvttps2dq, load_m64, true);
}

void op_cvtpd2pi(struct cpu *c, const struct insn *i)
{
    to_mmx(c, i, host_cvtpd2dq, load_m128a, false);
}

void op_cvttpd2pi(struct cpu *c, const struct insn *i)
{
    to_mmx(c, i, host_cvttpd2dq, load_m128a, false);
}

/* MOVQ2DQ, MOVDQ2Q */
void op_movq2dq(struct cpu *c, const struct insn *i)
{
    if (!sse_begin(c) || !mmx_begin(c)) return;
    mmx_enter(c);
    xmm_set(c, i->reg, mmx_get(c, i->rm & 7));
}

void op_movdq2q(struct cpu *c, const struct insn *i)
{
    if (!sse_begin(c) || !mmx_begin(c)) return;
    mmx_enter(c);
    mmx_set(c, i->reg & 7, xmm_get(c, i->rm));
}
