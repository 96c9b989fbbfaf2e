/* Integer vector operations as pure functions of the destination's old value d and the source s, 128 bits wide, built from SSE2
 * (every x86-64 host has it) and plain C. exec_sse_int.c wraps them for XMM registers; exec_mmx.c for MMX registers, whose
 * values travel in the low half. Functions whose MMX form is not the low half of the XMM form come in pairs, name and name_q.
 * SDM 2: the instruction of the same name. */
#ifndef CPU_VEC_H
#define CPU_VEC_H

#include <emmintrin.h>

#include "machine/core/types.h"

union v128 {
    __m128i m;
    u8 b[16];
    u16 w[8];
    u32 d[4];
    u64 q[2];
    i8 sb[16];
    i16 sw[8];
    i32 sd[4];
    i64 sq[2];
};

#define VEC_INLINE static inline __attribute__((always_inline))

#define VEC_SSE2(name, intrinsic)                                                                  \
    VEC_INLINE __m128i v_##name(__m128i d, __m128i s)                                              \
    {                                                                                              \
        return intrinsic(d, s);                                                                    \
    }
VEC_SSE2(paddb, _mm_add_epi8)
VEC_SSE2(paddw, _mm_add_epi16)
VEC_SSE2(paddd, _mm_add_epi32)
VEC_SSE2(paddq, _mm_add_epi64)
VEC_SSE2(psubb, _mm_sub_epi8)
VEC_SSE2(psubw, _mm_sub_epi16)
VEC_SSE2(psubd, _mm_sub_epi32)
VEC_SSE2(psubq, _mm_sub_epi64)
VEC_SSE2(paddsb, _mm_adds_epi8)
VEC_SSE2(paddsw, _mm_adds_epi16)
VEC_SSE2(paddusb, _mm_adds_epu8)
VEC_SSE2(paddusw, _mm_adds_epu16)
VEC_SSE2(psubsb, _mm_subs_epi8)
VEC_SSE2(psubsw, _mm_subs_epi16)
VEC_SSE2(psubusb, _mm_subs_epu8)
VEC_SSE2(psubusw, _mm_subs_epu16)
VEC_SSE2(pand, _mm_and_si128)
VEC_SSE2(pandn, _mm_andnot_si128)
VEC_SSE2(por, _mm_or_si128)
VEC_SSE2(pxor, _mm_xor_si128)
VEC_SSE2(pcmpeqb, _mm_cmpeq_epi8)
VEC_SSE2(pcmpeqw, _mm_cmpeq_epi16)
VEC_SSE2(pcmpeqd, _mm_cmpeq_epi32)
VEC_SSE2(pcmpgtb, _mm_cmpgt_epi8)
VEC_SSE2(pcmpgtw, _mm_cmpgt_epi16)
VEC_SSE2(pcmpgtd, _mm_cmpgt_epi32)
VEC_SSE2(pmullw, _mm_mullo_epi16)
VEC_SSE2(pmulhw, _mm_mulhi_epi16)
VEC_SSE2(pmulhuw, _mm_mulhi_epu16)
VEC_SSE2(pmaddwd, _mm_madd_epi16)
VEC_SSE2(pmuludq, _mm_mul_epu32)
VEC_SSE2(pavgb, _mm_avg_epu8)
VEC_SSE2(pavgw, _mm_avg_epu16)
VEC_SSE2(pminub, _mm_min_epu8)
VEC_SSE2(pmaxub, _mm_max_epu8)
VEC_SSE2(pminsw, _mm_min_epi16)
VEC_SSE2(pmaxsw, _mm_max_epi16)
VEC_SSE2(psadbw, _mm_sad_epu8)
VEC_SSE2(psllw, _mm_sll_epi16)
VEC_SSE2(pslld, _mm_sll_epi32)
VEC_SSE2(psllq, _mm_sll_epi64)
VEC_SSE2(psrlw, _mm_srl_epi16)
VEC_SSE2(psrld, _mm_srl_epi32)
VEC_SSE2(psrlq, _mm_srl_epi64)
VEC_SSE2(psraw, _mm_sra_epi16)
VEC_SSE2(psrad, _mm_sra_epi32)
VEC_SSE2(punpcklbw, _mm_unpacklo_epi8)
VEC_SSE2(punpcklwd, _mm_unpacklo_epi16)
VEC_SSE2(punpckldq, _mm_unpacklo_epi32)
VEC_SSE2(punpcklqdq, _mm_unpacklo_epi64)
VEC_SSE2(punpckhbw, _mm_unpackhi_epi8)
VEC_SSE2(punpckhwd, _mm_unpackhi_epi16)
VEC_SSE2(punpckhdq, _mm_unpackhi_epi32)
VEC_SSE2(punpckhqdq, _mm_unpackhi_epi64)
VEC_SSE2(packsswb, _mm_packs_epi16)
VEC_SSE2(packssdw, _mm_packs_epi32)
VEC_SSE2(packuswb, _mm_packus_epi16)

/* The MMX forms that take the high halves of 64-bit operands, and those that join two 64-bit operands. */
#define VEC_HIGH_Q(name, lowform)                                                                  \
    VEC_INLINE __m128i v_##name##_q(__m128i d, __m128i s)                                          \
    {                                                                                              \
        return _mm_srli_si128(lowform(d, s), 8);                                                   \
    }
#define VEC_JOIN_Q(name)                                                                           \
    VEC_INLINE __m128i v_##name##_q(__m128i d, __m128i s)                                          \
    {                                                                                              \
        __m128i both = _mm_unpacklo_epi64(d, s);                                                   \
        return v_##name(both, both);                                                               \
    }
VEC_HIGH_Q(punpckhbw, _mm_unpacklo_epi8)
VEC_HIGH_Q(punpckhwd, _mm_unpacklo_epi16)
VEC_HIGH_Q(punpckhdq, _mm_unpacklo_epi32)
VEC_JOIN_Q(packsswb)
VEC_JOIN_Q(packssdw)
VEC_JOIN_Q(packuswb)

/* --- SSSE3 --- */

VEC_INLINE __m128i v_pshufb(__m128i d, __m128i s)
{
    union v128 a = { .m = d }, n = { .m = s }, r;

    for (unsigned k = 0; k < 16; k++) r.b[k] = n.b[k] & 0x80 ? 0 : a.b[n.b[k] & 15];
    return r.m;
}

VEC_INLINE __m128i v_pshufb_q(__m128i d, __m128i s)
{
    union v128 a = { .m = d }, n = { .m = s }, r = { .q = { 0, 0 } };

    for (unsigned k = 0; k < 8; k++) r.b[k] = n.b[k] & 0x80 ? 0 : a.b[n.b[k] & 7];
    return r.m;
}

/* Even and odd elements of d then s. */
VEC_INLINE __m128i vec_even16(__m128i d, __m128i s)
{
    return _mm_packs_epi32(_mm_srai_epi32(_mm_slli_epi32(d, 16), 16), _mm_srai_epi32(_mm_slli_epi32(s, 16), 16));
}
VEC_INLINE __m128i vec_odd16(__m128i d, __m128i s)
{
    return _mm_packs_epi32(_mm_srai_epi32(d, 16), _mm_srai_epi32(s, 16));
}
VEC_INLINE __m128i vec_even32(__m128i d, __m128i s)
{
    return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(d), _mm_castsi128_ps(s), 0x88));
}
VEC_INLINE __m128i vec_odd32(__m128i d, __m128i s)
{
    return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(d), _mm_castsi128_ps(s), 0xdd));
}

#define VEC_HORIZONTAL(name, intrinsic, width)                                                     \
    VEC_INLINE __m128i v_##name(__m128i d, __m128i s)                                              \
    {                                                                                              \
        return intrinsic(vec_even##width(d, s), vec_odd##width(d, s));                             \
    }                                                                                              \
    VEC_JOIN_Q(name)
VEC_HORIZONTAL(phaddw, _mm_add_epi16, 16)
VEC_HORIZONTAL(phaddd, _mm_add_epi32, 32)
VEC_HORIZONTAL(phaddsw, _mm_adds_epi16, 16)
VEC_HORIZONTAL(phsubw, _mm_sub_epi16, 16)
VEC_HORIZONTAL(phsubd, _mm_sub_epi32, 32)
VEC_HORIZONTAL(phsubsw, _mm_subs_epi16, 16)

/* Unsigned bytes of d times signed bytes of s; every product fits 16 bits. */
VEC_INLINE __m128i v_pmaddubsw(__m128i d, __m128i s)
{
    __m128i even = _mm_mullo_epi16(_mm_and_si128(d, _mm_set1_epi16(0xff)), _mm_srai_epi16(_mm_slli_epi16(s, 8), 8));
    __m128i odd = _mm_mullo_epi16(_mm_srli_epi16(d, 8), _mm_srai_epi16(s, 8));

    return _mm_adds_epi16(even, odd);
}

VEC_INLINE __m128i v_pmulhrsw(__m128i d, __m128i s)
{
    union v128 a = { .m = d }, b = { .m = s }, r;

    for (unsigned k = 0; k < 8; k++) r.w[k] = (u16)((((i32)a.sw[k] * b.sw[k] >> 14) + 1) >> 1);
    return r.m;
}

#define VEC_SIGN(name, bits)                                                                       \
    VEC_INLINE __m128i v_##name(__m128i d, __m128i s)                                              \
    {                                                                                              \
        __m128i zero = _mm_setzero_si128(), neg = _mm_cmpgt_epi##bits(zero, s);                    \
        d = _mm_sub_epi##bits(_mm_xor_si128(d, neg), neg);                                         \
        return _mm_andnot_si128(_mm_cmpeq_epi##bits(s, zero), d);                                  \
    }
VEC_SIGN(psignb, 8)
VEC_SIGN(psignw, 16)
VEC_SIGN(psignd, 32)

#define VEC_ABS(name, bits)                                                                        \
    VEC_INLINE __m128i v_##name(__m128i d, __m128i s)                                              \
    {                                                                                              \
        __m128i neg = _mm_cmpgt_epi##bits(_mm_setzero_si128(), s);                                 \
        (void)d;                                                                                   \
        return _mm_sub_epi##bits(_mm_xor_si128(s, neg), neg);                                      \
    }
VEC_ABS(pabsb, 8)
VEC_ABS(pabsw, 16)
VEC_ABS(pabsd, 32)

/* --- SSE4.1, SSE4.2 --- */

/* Element loops: r[k] = expression over a[k], b[k]. */
#define VEC_EACH(name, count, field, expr)                                                         \
    VEC_INLINE __m128i v_##name(__m128i d, __m128i s)                                              \
    {                                                                                              \
        union v128 x = { .m = d }, y = { .m = s }, r;                                              \
        for (unsigned k = 0; k < (count); k++) r.field[k] = (expr);                                \
        return r.m;                                                                                \
    }
VEC_EACH(pminsb, 16, sb, MIN(x.sb[k], y.sb[k]))
VEC_EACH(pmaxsb, 16, sb, MAX(x.sb[k], y.sb[k]))
VEC_EACH(pminuw, 8, w, MIN(x.w[k], y.w[k]))
VEC_EACH(pmaxuw, 8, w, MAX(x.w[k], y.w[k]))
VEC_EACH(pminsd, 4, sd, MIN(x.sd[k], y.sd[k]))
VEC_EACH(pmaxsd, 4, sd, MAX(x.sd[k], y.sd[k]))
VEC_EACH(pminud, 4, d, MIN(x.d[k], y.d[k]))
VEC_EACH(pmaxud, 4, d, MAX(x.d[k], y.d[k]))
VEC_EACH(pmulld, 4, d, x.d[k] * y.d[k])
VEC_EACH(pmuldq, 2, sq, (i64)x.sd[2 * k] * y.sd[2 * k])
VEC_EACH(pcmpeqq, 2, q, x.q[k] == y.q[k] ? ~0ull : 0)
VEC_EACH(pcmpgtq, 2, q, x.sq[k] > y.sq[k] ? ~0ull : 0)
/* Sign or zero extension of the low elements of s. */
#define VEC_EXTEND(name, count, to, from)                                                          \
    VEC_INLINE __m128i v_##name(__m128i d, __m128i s)                                              \
    {                                                                                              \
        union v128 y = { .m = s }, r;                                                              \
        (void)d;                                                                                   \
        for (unsigned k = 0; k < (count); k++) r.to[k] = y.from[k];                                \
        return r.m;                                                                                \
    }
VEC_EXTEND(pmovsxbw, 8, sw, sb)
VEC_EXTEND(pmovsxbd, 4, sd, sb)
VEC_EXTEND(pmovsxbq, 2, sq, sb)
VEC_EXTEND(pmovsxwd, 4, sd, sw)
VEC_EXTEND(pmovsxwq, 2, sq, sw)
VEC_EXTEND(pmovsxdq, 2, sq, sd)
VEC_EXTEND(pmovzxbw, 8, w, b)
VEC_EXTEND(pmovzxbd, 4, d, b)
VEC_EXTEND(pmovzxbq, 2, q, b)
VEC_EXTEND(pmovzxwd, 4, d, w)
VEC_EXTEND(pmovzxwq, 2, q, w)
VEC_EXTEND(pmovzxdq, 2, q, d)

VEC_INLINE u16 vec_saturate_u16(i32 v)
{
    return (u16)(v < 0 ? 0 : v > 0xffff ? 0xffff : v);
}

VEC_INLINE __m128i v_packusdw(__m128i d, __m128i s)
{
    union v128 x = { .m = d }, y = { .m = s }, r;

    for (unsigned k = 0; k < 4; k++) {
        r.w[k] = vec_saturate_u16(x.sd[k]);
        r.w[k + 4] = vec_saturate_u16(y.sd[k]);
    }
    return r.m;
}

VEC_INLINE __m128i v_phminposuw(__m128i d, __m128i s)
{
    union v128 y = { .m = s }, r = { .q = { 0, 0 } };
    unsigned best = 0;

    (void)d;
    for (unsigned k = 1; k < 8; k++) {
        if (y.w[k] < y.w[best]) best = k;
    }
    r.w[0] = y.w[best];
    r.w[1] = (u16)best;
    return r.m;
}

#endif
