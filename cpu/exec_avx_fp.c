/* AVX floating-point arithmetic, comparison with its 32 predicates, conversions and the MXCSR
 * instructions. The operations are those of exec_sse_fp.c and exec_sse_cvt.c, each half of a YMM
 * register on the host's SSE unit with the exception flags of both halves taken together (avx.h).
 * VROUNDxx, VDPPx and the string comparisons stand beside their SSE forms in exec_sse4.c. SDM
 * 1 11.5, 14.1; SDM 2. */
#include "cpu/avx.h"
#include "cpu/sse_gpr.h"

#define HOST_OP(name)                                                                              \
    INLINE __m128i host_##name(__m128i d, __m128i s)                                               \
    {                                                                                              \
        __asm__ volatile(#name " %1, %0" : "+x"(d) : "x"(s));                                      \
        return d;                                                                                  \
    }
#define AVX_PACKED(name, kind)                                                                     \
    HOST_OP(name)                                                                                  \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        avx_fp(c, i, host_##name, kind);                                                           \
    }
#define AVX_SCALAR(name, load, kind)                                                               \
    HOST_OP(name)                                                                                  \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        avx_scalar(c, i, host_##name, load, kind);                                                 \
    }
#define AVX_FP4(name, k1, k2, k3, k4)                                                              \
    AVX_PACKED(name##ps, k1)                                                                       \
    AVX_PACKED(name##pd, k2)                                                                       \
    AVX_SCALAR(name##ss, load_m32, k3)                                                             \
    AVX_SCALAR(name##sd, load_m64, k4)
#define AVX_ARITH(name, op)                                                                        \
    AVX_FP4(name, SSE_PS | (op), SSE_PD | (op), SSE_SS | (op), SSE_SD | (op))
AVX_ARITH(add, SSE_ADD)
AVX_ARITH(sub, SSE_SUB)
AVX_ARITH(mul, SSE_MUL)
AVX_ARITH(div, SSE_DIV)
AVX_ARITH(sqrt, 0)
/* They hand an operand through: a denormal result is not an underflow. */
AVX_FP4(min, SSE_INT, SSE_INT, SSE_INT, SSE_INT)
AVX_FP4(max, SSE_INT, SSE_INT, SSE_INT, SSE_INT)

/* Estimates raise nothing and ignore MXCSR. */
#define AVX_ESTIMATE(name)                                                                         \
    HOST_OP(name##ps)                                                                              \
    HOST_OP(name##ss)                                                                              \
    void op_v##name##ps(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        avx_int(c, i, host_##name##ps);                                                            \
    }                                                                                              \
    void op_v##name##ss(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        __m128i s;                                                                                 \
        if (avx_begin(c) && load_m32(c, i, &s))                                                    \
            ymm_set128(c, i->reg, host_##name##ss(xmm_get(c, i->vvvv), s));                        \
    }
AVX_ESTIMATE(rcp)
AVX_ESTIMATE(rsqrt)

/* --- horizontal and alternating --- */

#define HORIZONTAL(name, base, even, odd, kind)                                                    \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        struct ymm d, s, r;                                                                        \
        if (!avx_begin(c) || !avx_load(c, i, &s)) return;                                          \
        d = ymm_get(c, i->vvvv);                                                                   \
        for (unsigned k = 0; k < 2; k++) {                                                         \
            __m128i first = even(d.h[k], s.h[k]);                                                  \
            s.h[k] = odd(d.h[k], s.h[k]);                                                          \
            d.h[k] = first;                                                                        \
        }                                                                                          \
        if (avx_run(c, host_##base, d, s, 1u + i->vl, kind, &r)) ymm_set(c, i, i->reg, r);         \
    }
HORIZONTAL(haddps, addps, vec_even32, vec_odd32, SSE_PS | SSE_ADD)
HORIZONTAL(hsubps, subps, vec_even32, vec_odd32, SSE_PS | SSE_SUB)
HORIZONTAL(haddpd, addpd, _mm_unpacklo_epi64, _mm_unpackhi_epi64, SSE_PD | SSE_ADD)
HORIZONTAL(hsubpd, subpd, _mm_unpacklo_epi64, _mm_unpackhi_epi64, SSE_PD | SSE_SUB)

/* Even lanes subtract: x - y is x + (-y), but a NaN keeps its sign. */
INLINE __m128i negate_even32(__m128i s)
{
    __m128i sign = _mm_set_epi32(0, INT32_MIN, 0, INT32_MIN);
    __m128i number =
        _mm_cmpgt_epi32(_mm_set1_epi32(0x7f800001), _mm_and_si128(s, _mm_set1_epi32(0x7fffffff)));

    return _mm_xor_si128(s, _mm_and_si128(number, sign));
}

INLINE __m128i negate_even64(__m128i s)
{
    u64 low = (u64)_mm_cvtsi128_si64(s);

    if ((low & ~(1ull << 63)) > 0x7ff0000000000000ull) return s;
    return _mm_xor_si128(s, _mm_cvtsi64_si128(INT64_MIN));
}

#define ADDSUB(name, base, negate, kind)                                                           \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        struct ymm s, r;                                                                           \
        if (!avx_begin(c) || !avx_load(c, i, &s)) return;                                          \
        for (unsigned k = 0; k < 2; k++) s.h[k] = negate(s.h[k]);                                  \
        if (avx_run(c, host_##base, ymm_get(c, i->vvvv), s, 1u + i->vl, kind, &r))                 \
            ymm_set(c, i, i->reg, r);                                                              \
    }
ADDSUB(addsubps, addps, negate_even32, SSE_PS | SSE_ADD)
ADDSUB(addsubpd, addpd, negate_even64, SSE_PD | SSE_ADD)

/* --- comparison: predicate in immediate bits 4:0 --- */

enum { REL_EQ = 1, REL_LT = 2, REL_GT = 4, REL_UNORDERED = 8 };

/* SDM 2A CMPPD table 3-1: relations for which predicate n (and n + 16) is true. */
static const u8 predicates[16] = { 1, 2, 3, 8, 14, 13, 12, 7, 9, 10, 11, 0, 6, 5, 4, 15 };

static bool predicate_signals(unsigned n)
{
    return (0x6666u >> (n & 15) & 1) != n >> 4; /* IE for quiet NaNs too */
}

/* Relation of two numbers of `size` bytes. */
INLINE unsigned relation(u64 a, u64 b, unsigned size, bool daz, bool signals, u32 *flags)
{
    u64 sign = size == 4 ? 1ull << 31 : 1ull << 63, inf = size == 4 ? 0x7f800000 : 0x7ffull << 52;
    u64 quiet = size == 4 ? 1ull << 22 : 1ull << 51, x = a & ~sign, y = b & ~sign;

    if (x > inf || y > inf) {
        bool snan = (x > inf && !(x & quiet)) || (y > inf && !(y & quiet));
        if (snan || signals) *flags |= FSW_IE;
        return REL_UNORDERED;
    }
    if ((x && !(x & inf)) || (y && !(y & inf))) {
        if (!daz)
            *flags |= FSW_DE;
        else if (!(x & inf))
            x = 0;
        if (daz && !(y & inf)) y = 0;
    }
    if (x == y && (!x || !((a ^ b) & sign))) return REL_EQ;
    if ((a ^ b) & sign && (x || y)) return a & sign ? REL_LT : REL_GT;
    return (x < y) != !!(a & sign) ? REL_LT : REL_GT;
}

INLINE void compare(struct cpu *c, const struct insn *i, unsigned size, unsigned count,
                    struct ymm d, struct ymm s)
{
    unsigned n = (unsigned)i->imm & 31, want = predicates[n & 15];
    bool daz = c->mxcsr & MXCSR_DAZ, signals = predicate_signals(n);
    union vreg a, b;
    u32 flags = 0;

    memcpy(&a, &d, sizeof(a));
    memcpy(&b, &s, sizeof(b));
    for (unsigned k = 0; k < count; k++) {
        if (size == 4)
            a.d[k] = relation(a.d[k], b.d[k], 4, daz, signals, &flags) & want ? ~0u : 0;
        else
            a.q[k] = relation(a.q[k], b.q[k], 8, daz, signals, &flags) & want ? ~0ull : 0;
    }
    memcpy(&d, &a, sizeof(d));
    if (!sse_finish(c, flags, SSE_INT, d.h[0], d.h[0], d.h[0])) return;
    if (count * size < 16)
        ymm_set128(c, i->reg, d.h[0]);
    else
        ymm_set(c, i, i->reg, d);
}

static void compare_packed(struct cpu *c, const struct insn *i, unsigned size)
{
    struct ymm s;

    if (!avx_begin(c) || !avx_load(c, i, &s)) return;
    compare(c, i, size, (16u << i->vl) / size, ymm_get(c, i->vvvv), s);
}

void op_vcmpps(struct cpu *c, const struct insn *i)
{
    compare_packed(c, i, 4);
}

void op_vcmppd(struct cpu *c, const struct insn *i)
{
    compare_packed(c, i, 8);
}

void op_vcmpss(struct cpu *c, const struct insn *i)
{
    struct ymm s = { { _mm_setzero_si128(), _mm_setzero_si128() } };

    if (avx_begin(c) && load_m32(c, i, &s.h[0])) compare(c, i, 4, 1, ymm_get(c, i->vvvv), s);
}

void op_vcmpsd(struct cpu *c, const struct insn *i)
{
    struct ymm s = { { _mm_setzero_si128(), _mm_setzero_si128() } };

    if (avx_begin(c) && load_m64(c, i, &s.h[0])) compare(c, i, 8, 1, ymm_get(c, i->vvvv), s);
}

/* VCOMIS, VUCOMIS: unordered ZF PF CF, less CF, equal ZF. */
INLINE void compare_flags(struct cpu *c, const struct insn *i, unsigned size, bool signals)
{
    static const u32 result[9] = {
        [REL_EQ] = FL_ZF, [REL_LT] = FL_CF, [REL_UNORDERED] = FL_ZF | FL_PF | FL_CF
    };
    bool daz = c->mxcsr & MXCSR_DAZ;
    u32 flags = 0;
    unsigned rel;
    __m128i s;

    if (!avx_begin(c) || !(size == 4 ? load_m32(c, i, &s) : load_m64(c, i, &s))) return;
    if (size == 4)
        rel = relation(c->v[i->reg].d[0], (u32)_mm_cvtsi128_si32(s), 4, daz, signals, &flags);
    else
        rel = relation(c->v[i->reg].q[0], (u64)_mm_cvtsi128_si64(s), 8, daz, signals, &flags);
    if (sse_finish(c, flags, SSE_INT, s, s, s)) cpu_set_arith(c, result[rel]);
}

void op_vcomiss(struct cpu *c, const struct insn *i)
{
    compare_flags(c, i, 4, true);
}

void op_vcomisd(struct cpu *c, const struct insn *i)
{
    compare_flags(c, i, 8, true);
}

void op_vucomiss(struct cpu *c, const struct insn *i)
{
    compare_flags(c, i, 4, false);
}

void op_vucomisd(struct cpu *c, const struct insn *i)
{
    compare_flags(c, i, 8, false);
}

/* --- conversions --- */

AVX_PACKED(cvtdq2ps, SSE_INT)
AVX_PACKED(cvtps2dq, SSE_INT)
AVX_PACKED(cvttps2dq, SSE_INT)
AVX_SCALAR(cvtss2sd, load_m32, SSE_SD)
AVX_SCALAR(cvtsd2ss, load_m64, SSE_SS | SSE_NARROW)

/* The source has half the destination's length ... */
#define AVX_WIDEN(name, kind)                                                                      \
    HOST_OP(name)                                                                                  \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        struct ymm s, r;                                                                           \
        if (!avx_begin(c) || !avx_load_n(c, i, 8u << i->vl, &s)) return;                           \
        s.h[1] = _mm_srli_si128(s.h[0], 8);                                                        \
        s.h[0] = _mm_move_epi64(s.h[0]);                                                           \
        if (avx_run(c, host_##name, s, s, 1u + i->vl, kind, &r)) ymm_set(c, i, i->reg, r);         \
    }
AVX_WIDEN(cvtps2pd, SSE_PD)
AVX_WIDEN(cvtdq2pd, SSE_INT)

/* ... and the other way round. */
#define AVX_NARROW(name, kind)                                                                     \
    HOST_OP(name)                                                                                  \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        struct ymm s, r;                                                                           \
        if (!avx_begin(c) || !avx_load(c, i, &s)) return;                                          \
        if (avx_run(c, host_##name, s, s, 1u + i->vl, kind, &r))                                   \
            ymm_set128(c, i->reg, _mm_unpacklo_epi64(r.h[0], r.h[1]));                             \
    }
AVX_NARROW(cvtpd2ps, SSE_PS | SSE_NARROW)
AVX_NARROW(cvtpd2dq, SSE_INT)
AVX_NARROW(cvttpd2dq, SSE_INT)

/* Between general registers and scalars */
void op_vcvtsi2ss(struct cpu *c, const struct insn *i)
{
    __m128i r;

    if (!avx_begin(c)) return;
    if (gpr_to_scalar(c, i, host_cvtsi2ss32, host_cvtsi2ss64, xmm_get(c, i->vvvv), &r))
        ymm_set128(c, i->reg, r);
}

void op_vcvtsi2sd(struct cpu *c, const struct insn *i)
{
    __m128i r;

    if (!avx_begin(c)) return;
    if (gpr_to_scalar(c, i, host_cvtsi2sd32, host_cvtsi2sd64, xmm_get(c, i->vvvv), &r))
        ymm_set128(c, i->reg, r);
}

#define AVX_TO_GPR(name, load)                                                                     \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        __m128i s;                                                                                 \
        if (avx_begin(c) && load(c, i, &s))                                                        \
            scalar_to_gpr(c, i, host_##name##32, host_##name##64, s);                              \
    }
AVX_TO_GPR(cvtss2si, load_m32)
AVX_TO_GPR(cvttss2si, load_m32)
AVX_TO_GPR(cvtsd2si, load_m64)
AVX_TO_GPR(cvttsd2si, load_m64)

/* --- MXCSR --- */

void op_vldmxcsr(struct cpu *c, const struct insn *i)
{
    u32 v;

    if (!avx_begin(c) || !mem_read32(c, i->seg, ea_offset(c, i), &v)) return;
    if (v & ~0xffffu) {
        exc_gp0(c);
        return;
    }
    c->mxcsr = v;
}

void op_vstmxcsr(struct cpu *c, const struct insn *i)
{
    if (avx_begin(c)) mem_write32(c, i->seg, ea_offset(c, i), c->mxcsr);
}
