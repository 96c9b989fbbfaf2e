/* AVX and AVX2 integer vector instructions, logic, unpacks, shuffles inside 128-bit halves, blends
 * and tests: everything that works on each half of a YMM register as the SSE instruction does on an
 * XMM register (avx.h), plus the forms with a count, a wider source or a flag result. Logic and
 * unpacks of floating-point vectors are the integer ones. SDM 2. */
#include "cpu/avx.h"

#define AVX_OP(name)                                                                               \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        avx_int(c, i, v_##name);                                                                   \
    }
AVX_OP(paddb)
AVX_OP(paddw)
AVX_OP(paddd)
AVX_OP(paddq)
AVX_OP(psubb)
AVX_OP(psubw)
AVX_OP(psubd)
AVX_OP(psubq)
AVX_OP(paddsb)
AVX_OP(paddsw)
AVX_OP(paddusb)
AVX_OP(paddusw)
AVX_OP(psubsb)
AVX_OP(psubsw)
AVX_OP(psubusb)
AVX_OP(psubusw)
AVX_OP(pand)
AVX_OP(pandn)
AVX_OP(por)
AVX_OP(pxor)
AVX_OP(pcmpeqb)
AVX_OP(pcmpeqw)
AVX_OP(pcmpeqd)
AVX_OP(pcmpgtb)
AVX_OP(pcmpgtw)
AVX_OP(pcmpgtd)
AVX_OP(pmullw)
AVX_OP(pmulhw)
AVX_OP(pmulhuw)
AVX_OP(pmaddwd)
AVX_OP(pmuludq)
AVX_OP(pavgb)
AVX_OP(pavgw)
AVX_OP(pminub)
AVX_OP(pmaxub)
AVX_OP(pminsw)
AVX_OP(pmaxsw)
AVX_OP(psadbw)
AVX_OP(punpcklbw)
AVX_OP(punpcklwd)
AVX_OP(punpckldq)
AVX_OP(punpcklqdq)
AVX_OP(punpckhbw)
AVX_OP(punpckhwd)
AVX_OP(punpckhdq)
AVX_OP(punpckhqdq)
AVX_OP(packsswb)
AVX_OP(packssdw)
AVX_OP(packuswb)
AVX_OP(packusdw)
AVX_OP(pshufb)
AVX_OP(phaddw)
AVX_OP(phaddd)
AVX_OP(phaddsw)
AVX_OP(phsubw)
AVX_OP(phsubd)
AVX_OP(phsubsw)
AVX_OP(pmaddubsw)
AVX_OP(pmulhrsw)
AVX_OP(psignb)
AVX_OP(psignw)
AVX_OP(psignd)
AVX_OP(pabsb)
AVX_OP(pabsw)
AVX_OP(pabsd)
AVX_OP(pminsb)
AVX_OP(pmaxsb)
AVX_OP(pminuw)
AVX_OP(pmaxuw)
AVX_OP(pminsd)
AVX_OP(pmaxsd)
AVX_OP(pminud)
AVX_OP(pmaxud)
AVX_OP(pmulld)
AVX_OP(pmuldq)
AVX_OP(pcmpeqq)
AVX_OP(pcmpgtq)
AVX_OP(phminposuw)

/* --- shifts --- */

/* The count is the low quadword of an XMM register or of 16 bytes of memory, for all elements. */
#define AVX_SHIFT(name)                                                                            \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        struct ymm s;                                                                              \
        if (!avx_begin(c) || !avx_load_n(c, i, 16, &s)) return;                                    \
        s.h[1] = s.h[0];                                                                           \
        ymm_set(c, i, i->reg, ymm_each(i, v_##name, ymm_get(c, i->vvvv), s));                      \
    }                                                                                              \
    void op_v##name##_ib(struct cpu *c, const struct insn *i)                                      \
    {                                                                                              \
        __m128i n = _mm_cvtsi32_si128((int)(i->imm & 0xff));                                       \
        if (!avx_begin(c)) return;                                                                 \
        ymm_set(c, i, i->vvvv,                                                                     \
                ymm_each(i, v_##name, ymm_get(c, i->rm), (struct ymm){ { n, n } }));               \
    }
AVX_SHIFT(psllw)
AVX_SHIFT(pslld)
AVX_SHIFT(psllq)
AVX_SHIFT(psrlw)
AVX_SHIFT(psrld)
AVX_SHIFT(psrlq)
AVX_SHIFT(psraw)
AVX_SHIFT(psrad)

/* A count for every element; counts of the element's width and above give 0 or the sign. */
#define AVX_SHIFT_EACH(name, count, field, expr)                                                   \
    static __m128i each_##name(__m128i d, __m128i s)                                               \
    {                                                                                              \
        union v128 x = { .m = d }, y = { .m = s }, r;                                              \
        for (unsigned k = 0; k < (count); k++) r.field[k] = (expr);                                \
        return r.m;                                                                                \
    }                                                                                              \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        avx_int(c, i, each_##name);                                                                \
    }
AVX_SHIFT_EACH(psllvd, 4, d, y.d[k] < 32 ? x.d[k] << y.d[k] : 0)
AVX_SHIFT_EACH(psrlvd, 4, d, y.d[k] < 32 ? x.d[k] >> y.d[k] : 0)
AVX_SHIFT_EACH(psravd, 4, sd, x.sd[k] >> MIN(y.d[k], 31u))
AVX_SHIFT_EACH(psllvq, 2, q, y.q[k] < 64 ? x.q[k] << y.q[k] : 0)
AVX_SHIFT_EACH(psrlvq, 2, q, y.q[k] < 64 ? x.q[k] >> y.q[k] : 0)

/* 16 bytes of high:low from byte n on; beyond the end zeros. */
static __m128i bytes_at(__m128i low, __m128i high, unsigned n)
{
    u8 all[64] = { 0 };
    __m128i r;

    memcpy(all, &low, 16);
    memcpy(all + 16, &high, 16);
    memcpy(&r, all + MIN(n, 32u), 16);
    return r;
}

void op_vpsrldq(struct cpu *c, const struct insn *i)
{
    unsigned n = (unsigned)(i->imm & 0xff);
    struct ymm s;

    if (!avx_begin(c)) return;
    s = ymm_get(c, i->rm);
    for (unsigned k = 0; k < 2; k++) s.h[k] = bytes_at(s.h[k], _mm_setzero_si128(), MIN(n, 16u));
    ymm_set(c, i, i->vvvv, s);
}

void op_vpslldq(struct cpu *c, const struct insn *i)
{
    unsigned n = (unsigned)MIN(i->imm & 0xff, 16ull);
    struct ymm s;

    if (!avx_begin(c)) return;
    s = ymm_get(c, i->rm);
    for (unsigned k = 0; k < 2; k++) s.h[k] = bytes_at(_mm_setzero_si128(), s.h[k], 16 - n);
    ymm_set(c, i, i->vvvv, s);
}

void op_vpalignr(struct cpu *c, const struct insn *i)
{
    struct ymm s;

    if (!avx_begin(c) || !avx_load(c, i, &s)) return;
    for (unsigned k = 0; k < 2; k++)
        s.h[k] = bytes_at(s.h[k], ymm_half(c, i->vvvv, k), (unsigned)(i->imm & 0xff));
    ymm_set(c, i, i->reg, s);
}

/* --- extensions: the source is 1/ratio of the destination --- */

#define AVX_EXTEND(name, ratio)                                                                    \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        struct ymm s;                                                                              \
        if (!avx_begin(c) || !avx_load_n(c, i, (16u << i->vl) / (ratio), &s)) return;              \
        s.h[1] = _mm_srli_si128(s.h[0], 16 / (ratio));                                             \
        ymm_set(c, i, i->reg, ymm_each(i, v_##name, s, s));                                        \
    }
AVX_EXTEND(pmovsxbw, 2)
AVX_EXTEND(pmovsxbd, 4)
AVX_EXTEND(pmovsxbq, 8)
AVX_EXTEND(pmovsxwd, 2)
AVX_EXTEND(pmovsxwq, 4)
AVX_EXTEND(pmovsxdq, 2)
AVX_EXTEND(pmovzxbw, 2)
AVX_EXTEND(pmovzxbd, 4)
AVX_EXTEND(pmovzxbq, 8)
AVX_EXTEND(pmovzxwd, 2)
AVX_EXTEND(pmovzxwq, 4)
AVX_EXTEND(pmovzxdq, 2)

/* --- shuffles inside halves, control in the immediate --- */

typedef __m128i imm_fn(__m128i d, __m128i s, unsigned imm, unsigned half);

INLINE void avx_imm(struct cpu *c, const struct insn *i, imm_fn *fn)
{
    struct ymm s, d;

    if (!avx_begin(c) || !avx_load(c, i, &s)) return;
    d = ymm_get(c, i->vvvv);
    for (unsigned k = 0; k < 2; k++) s.h[k] = fn(d.h[k], s.h[k], (unsigned)i->imm, k);
    ymm_set(c, i, i->reg, s);
}

#define AVX_IMM(name)                                                                              \
    void op_v##name(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        avx_imm(c, i, imm_##name);                                                                 \
    }

static __m128i imm_shufps(__m128i d, __m128i s, unsigned imm, unsigned half)
{
    union v128 x = { .m = d }, y = { .m = s }, r;

    (void)half;
    for (unsigned k = 0; k < 4; k++) r.d[k] = (k < 2 ? &x : &y)->d[imm >> 2 * k & 3];
    return r.m;
}

/* Two control bits for each half. */
static __m128i imm_shufpd(__m128i d, __m128i s, unsigned imm, unsigned half)
{
    union v128 x = { .m = d }, y = { .m = s };

    imm >>= 2 * half;
    return _mm_set_epi64x((long long)y.q[imm >> 1 & 1], (long long)x.q[imm & 1]);
}

static __m128i imm_pshufd(__m128i d, __m128i s, unsigned imm, unsigned half)
{
    (void)d;
    return imm_shufps(s, s, imm, half);
}

static __m128i imm_permilpd(__m128i d, __m128i s, unsigned imm, unsigned half)
{
    (void)d;
    return imm_shufpd(s, s, imm, half);
}

static __m128i shuffle_words(__m128i s, unsigned imm, unsigned first)
{
    union v128 y = { .m = s }, r = y;

    for (unsigned k = 0; k < 4; k++) r.w[first + k] = y.w[first + (imm >> 2 * k & 3)];
    return r.m;
}

static __m128i imm_pshuflw(__m128i d, __m128i s, unsigned imm, unsigned half)
{
    (void)d;
    (void)half;
    return shuffle_words(s, imm, 0);
}

static __m128i imm_pshufhw(__m128i d, __m128i s, unsigned imm, unsigned half)
{
    (void)d;
    (void)half;
    return shuffle_words(s, imm, 4);
}

/* Eight sums of absolute differences; three control bits for each half. */
static __m128i imm_mpsadbw(__m128i d, __m128i s, unsigned imm, unsigned half)
{
    union v128 x = { .m = d }, y = { .m = s }, r;
    unsigned xoff, yoff;

    imm >>= 3 * half;
    xoff = imm & 4;
    yoff = (imm & 3) * 4;
    for (unsigned k = 0; k < 8; k++) {
        unsigned sum = 0;
        for (unsigned n = 0; n < 4; n++) {
            int diff = (int)x.b[xoff + k + n] - (int)y.b[yoff + n];
            sum += (unsigned)(diff < 0 ? -diff : diff);
        }
        r.w[k] = (u16)sum;
    }
    return r.m;
}

static __m128i imm_blendps(__m128i d, __m128i s, unsigned imm, unsigned half)
{
    union v128 x = { .m = d }, y = { .m = s };

    for (unsigned k = 0; k < 4; k++) {
        if (imm >> (4 * half + k) & 1) x.d[k] = y.d[k];
    }
    return x.m;
}

static __m128i imm_blendpd(__m128i d, __m128i s, unsigned imm, unsigned half)
{
    union v128 x = { .m = d }, y = { .m = s };

    for (unsigned k = 0; k < 2; k++) {
        if (imm >> (2 * half + k) & 1) x.q[k] = y.q[k];
    }
    return x.m;
}

static __m128i imm_pblendw(__m128i d, __m128i s, unsigned imm, unsigned half)
{
    union v128 x = { .m = d }, y = { .m = s };

    (void)half;
    for (unsigned k = 0; k < 8; k++) {
        if (imm >> k & 1) x.w[k] = y.w[k];
    }
    return x.m;
}
AVX_IMM(shufps)
AVX_IMM(shufpd)
AVX_IMM(pshufd)
AVX_IMM(permilpd)
AVX_IMM(pshuflw)
AVX_IMM(pshufhw)
AVX_IMM(mpsadbw)
AVX_IMM(blendps)
AVX_IMM(blendpd)
AVX_IMM(pblendw)

/* VPERMILPS, VPERMILPD with a control vector: bits 1:0, or bit 1 alone. */
static __m128i permilps_by(__m128i d, __m128i s)
{
    union v128 x = { .m = d }, y = { .m = s }, r;

    for (unsigned k = 0; k < 4; k++) r.d[k] = x.d[y.d[k] & 3];
    return r.m;
}

static __m128i permilpd_by(__m128i d, __m128i s)
{
    union v128 x = { .m = d }, y = { .m = s }, r;

    for (unsigned k = 0; k < 2; k++) r.q[k] = x.q[y.q[k] >> 1 & 1];
    return r.m;
}

void op_vpermilps_by(struct cpu *c, const struct insn *i)
{
    avx_int(c, i, permilps_by);
}

void op_vpermilpd_by(struct cpu *c, const struct insn *i)
{
    avx_int(c, i, permilpd_by);
}

/* --- blends by the sign bits of a fourth register (immediate bits 7:4) --- */

INLINE void blend_by(struct cpu *c, const struct insn *i, sse_fn *signs)
{
    unsigned n = i->imm >> 4 & (c->bits == BITS64 ? 15 : 7);
    struct ymm s, mask;

    if (!avx_begin(c) || !avx_load(c, i, &s)) return;
    mask = ymm_get(c, n);
    for (unsigned k = 0; k < 2; k++) {
        __m128i m = signs(mask.h[k], mask.h[k]);
        s.h[k] =
            _mm_or_si128(_mm_and_si128(s.h[k], m), _mm_andnot_si128(m, ymm_half(c, i->vvvv, k)));
    }
    ymm_set(c, i, i->reg, s);
}

INLINE __m128i signs8(__m128i d, __m128i s)
{
    (void)s;
    return _mm_cmpgt_epi8(_mm_setzero_si128(), d);
}

INLINE __m128i signs32(__m128i d, __m128i s)
{
    (void)s;
    return _mm_srai_epi32(d, 31);
}

INLINE __m128i signs64(__m128i d, __m128i s)
{
    (void)s;
    return _mm_srai_epi32(_mm_shuffle_epi32(d, 0xf5), 31);
}

void op_vpblendvb(struct cpu *c, const struct insn *i)
{
    blend_by(c, i, signs8);
}

void op_vblendvps(struct cpu *c, const struct insn *i)
{
    blend_by(c, i, signs32);
}

void op_vblendvpd(struct cpu *c, const struct insn *i)
{
    blend_by(c, i, signs64);
}

/* --- results in flags and general registers --- */

/* ZF: no bit of mask & d & s; CF: no bit of mask & ~d & s. */
static void test_bits(struct cpu *c, const struct insn *i, u64 mask)
{
    union vreg s, d;
    struct ymm v;
    u64 both = 0, only = 0;

    if (!avx_begin(c) || !avx_load(c, i, &v)) return;
    memcpy(&s, &v, sizeof(s));
    d = c->v[i->reg];
    for (unsigned k = 0; k < 2u << i->vl; k++) {
        both |= s.q[k] & d.q[k] & mask;
        only |= s.q[k] & ~d.q[k] & mask;
    }
    cpu_set_arith(c, (both ? 0 : FL_ZF) | (only ? 0 : FL_CF));
}

void op_vptest(struct cpu *c, const struct insn *i)
{
    test_bits(c, i, ~0ull);
}

void op_vtestps(struct cpu *c, const struct insn *i)
{
    test_bits(c, i, 0x8000000080000000ull);
}

void op_vtestpd(struct cpu *c, const struct insn *i)
{
    test_bits(c, i, 1ull << 63);
}

void op_vpmovmskb(struct cpu *c, const struct insn *i)
{
    struct ymm s;
    u32 high = 0;

    if (!avx_begin(c)) return;
    s = ymm_get(c, i->rm);
    if (i->vl) high = (u32)_mm_movemask_epi8(s.h[1]) << 16;
    set_reg32(c, i->reg, high | (u32)_mm_movemask_epi8(s.h[0]));
}

void op_vmovmskps(struct cpu *c, const struct insn *i)
{
    struct ymm s;
    u32 high = 0;

    if (!avx_begin(c)) return;
    s = ymm_get(c, i->rm);
    if (i->vl) high = (u32)_mm_movemask_ps(_mm_castsi128_ps(s.h[1])) << 4;
    set_reg32(c, i->reg, high | (u32)_mm_movemask_ps(_mm_castsi128_ps(s.h[0])));
}

void op_vmovmskpd(struct cpu *c, const struct insn *i)
{
    struct ymm s;
    u32 high = 0;

    if (!avx_begin(c)) return;
    s = ymm_get(c, i->rm);
    if (i->vl) high = (u32)_mm_movemask_pd(_mm_castsi128_pd(s.h[1])) << 2;
    set_reg32(c, i->reg, high | (u32)_mm_movemask_pd(_mm_castsi128_pd(s.h[0])));
}
