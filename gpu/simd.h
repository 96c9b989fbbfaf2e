/* Vectors of floats and integers, as wide as the file is compiled for: four lanes (SSE2, every
 * host), or eight (AVX2, and FMA where it changes no bit, chosen at run time).
 *
 * A file that wants both is compiled twice: X.c for SSE2, and X_avx2.c, which only includes X.c and
 * is built with -mavx2 (Makefile). SIMD(name) gives the two their names. Every operation here is
 * the IEEE one of each lane, so both give the same bits. Functions are inline and small; what the
 * compiler has operators for (+ - * / & | ^ and comparisons of vectors) has no function. */
#ifndef GPU_SIMD_H
#define GPU_SIMD_H

#include <immintrin.h>

#include "machine/core/types.h"

static inline bool simd_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

#ifdef __AVX2__
enum { VW = 8 };
#define SIMD(name) name##_avx2
#else
enum { VW = 4 };
#define SIMD(name) name##_sse2
#endif

/* For functions whose flags are constants where they are called: one copy for each. */
#define SPECIALISED static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(VW * 4), may_alias));
typedef i32 vi __attribute__((vector_size(VW * 4), may_alias));

/* As many doubles as fit: half of the lanes. */
typedef double vd __attribute__((vector_size(VW * 4), may_alias));
/* Four lanes, whatever the width: the pixels of a quad. */
typedef float v4f __attribute__((vector_size(16), may_alias));
typedef i32 v4i __attribute__((vector_size(16), may_alias));

/* Arrays of lanes are aligned to 64. */
static inline vf v_load(const float *p)
{
    return *(const vf *)p;
}
static inline vi vi_load(const u32 *p)
{
    return *(const vi *)p;
}
static inline void v_store(float *p, vf v)
{
    *(vf *)p = v;
}
static inline void vi_store(u32 *p, vi v)
{
    *(vi *)p = v;
}

static inline v4f v4_set(float f)
{
    return (v4f)_mm_set1_ps(f);
}

/* Two dwords at p and two at q, and back. */
static inline v4i v4_load_rows(const u8 *p, const u8 *q)
{
    return (v4i)_mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(const void *)p),
                                   _mm_loadl_epi64((const __m128i *)(const void *)q));
}
static inline void v4_store_rows(u8 *p, u8 *q, v4i v)
{
    _mm_storel_epi64((__m128i *)(void *)p, (__m128i)v);
    _mm_storel_epi64((__m128i *)(void *)q, _mm_unpackhi_epi64((__m128i)v, (__m128i)v));
}

#ifdef __AVX2__
/* Rounded to floats, VW / 2 of them. */
static inline void v_store_doubles(float *p, vd v)
{
    _mm_store_ps(p, _mm256_cvtpd_ps((__m256d)v));
}
static inline vd vd_set(double d)
{
    return (vd)_mm256_set1_pd(d);
}
static inline vi vi_shift_right(vi v, int n) /* without the sign */
{
    return (vi)_mm256_srli_epi32((__m256i)v, n);
}
static inline vf v_set(float f)
{
    return (vf)_mm256_set1_ps(f);
}
static inline vi vi_set(i32 n)
{
    return (vi)_mm256_set1_epi32(n);
}
/* a < b ? a : b and a > b ? a : b; b when one is NaN */
static inline vf v_min(vf a, vf b)
{
    return (vf)_mm256_min_ps((__m256)a, (__m256)b);
}
static inline vf v_max(vf a, vf b)
{
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
}
static inline vi vi_min(vi a, vi b)
{
    return (vi)_mm256_min_epi32((__m256i)a, (__m256i)b);
}
static inline vi vi_max(vi a, vi b)
{
    return (vi)_mm256_max_epi32((__m256i)a, (__m256i)b);
}
static inline vf v_from_int(vi n)
{
    return (vf)_mm256_cvtepi32_ps((__m256i)n);
}
static inline vi v_truncate(vf f) /* out of range: INT32_MIN */
{
    return (vi)_mm256_cvttps_epi32((__m256)f);
}
static inline vf v_select(vi mask, vf a, vf b) /* mask: all ones or 0 per lane */
{
    return (vf)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)mask);
}
static inline u32 v_signs(vi mask) /* a bit per lane */
{
    return (u32)_mm256_movemask_ps((__m256)mask);
}
/* The dwords at base + offset[lane] */
static inline vi v_gather(const u8 *base, vi offset)
{
    return (vi)_mm256_i32gather_epi32((const int *)(const void *)base, (__m256i)offset, 1);
}
/* Both of the dwords at base + offset[lane] and behind it */
static inline void v_gather_pairs(const u8 *base, vi offset, vi *first, vi *second)
{
    const __m128i low = _mm256_castsi256_si128((__m256i)offset),
                  high = _mm256_extracti128_si256((__m256i)offset, 1);
    const long long *from = (const long long *)(const void *)base;
    const __m256i a = _mm256_i32gather_epi64(from, _mm_unpacklo_epi64(low, high), 1),
                  b = _mm256_i32gather_epi64(from, _mm_unpackhi_epi64(low, high), 1);
    *first = (vi)_mm256_shuffle_ps((__m256)a, (__m256)b, 0x88);
    *second = (vi)_mm256_shuffle_ps((__m256)a, (__m256)b, 0xdd);
}
/* A vector of quads, and one of its quads */
static inline vi vi_quads(const v4i *q)
{
    return (vi)_mm256_set_m128i((__m128i)q[1], (__m128i)q[0]);
}
static inline void vi_to_quads(vi v, v4i *q)
{
    q[0] = (v4i)_mm256_castsi256_si128((__m256i)v);
    q[1] = (v4i)_mm256_extracti128_si256((__m256i)v, 1);
}
static inline vi vi_lane_bits(void)
{
    return (vi){ 1, 2, 4, 8, 16, 32, 64, 128 };
}
#else
static inline void v_store_doubles(float *p, vd v)
{
    _mm_storel_pi((__m64 *)(void *)p, _mm_cvtpd_ps((__m128d)v));
}
static inline vd vd_set(double d)
{
    return (vd)_mm_set1_pd(d);
}
static inline vi vi_shift_right(vi v, int n)
{
    return (vi)_mm_srli_epi32((__m128i)v, n);
}
static inline vf v_set(float f)
{
    return (vf)_mm_set1_ps(f);
}
static inline vi vi_set(i32 n)
{
    return (vi)_mm_set1_epi32(n);
}
static inline vf v_min(vf a, vf b)
{
    return (vf)_mm_min_ps((__m128)a, (__m128)b);
}
static inline vf v_max(vf a, vf b)
{
    return (vf)_mm_max_ps((__m128)a, (__m128)b);
}
static inline vi vi_min(vi a, vi b)
{
    vi less = a < b;
    return (a & less) | (b & ~less);
}
static inline vi vi_max(vi a, vi b)
{
    vi more = a > b;
    return (a & more) | (b & ~more);
}
static inline vf v_from_int(vi n)
{
    return (vf)_mm_cvtepi32_ps((__m128i)n);
}
static inline vi v_truncate(vf f)
{
    return (vi)_mm_cvttps_epi32((__m128)f);
}
static inline vf v_select(vi mask, vf a, vf b)
{
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
}
static inline u32 v_signs(vi mask)
{
    return (u32)_mm_movemask_ps((__m128)mask);
}
static inline vi v_gather(const u8 *base, vi offset)
{
    return (vi){ (i32)ld32(base + offset[0]), (i32)ld32(base + offset[1]),
                 (i32)ld32(base + offset[2]), (i32)ld32(base + offset[3]) };
}
static inline void v_gather_pairs(const u8 *base, vi offset, vi *first, vi *second)
{
    const __m128i *p[4];
    for (u32 l = 0; l < 4; l++) p[l] = (const __m128i *)(const void *)(base + offset[l]);
    const __m128i a = _mm_unpacklo_epi64(_mm_loadl_epi64(p[0]), _mm_loadl_epi64(p[1])),
                  b = _mm_unpacklo_epi64(_mm_loadl_epi64(p[2]), _mm_loadl_epi64(p[3]));
    *first = (vi)_mm_shuffle_ps((__m128)a, (__m128)b, 0x88);
    *second = (vi)_mm_shuffle_ps((__m128)a, (__m128)b, 0xdd);
}
static inline vi vi_quads(const v4i *q)
{
    return *q;
}
static inline void vi_to_quads(vi v, v4i *q)
{
    *q = v;
}
static inline vi vi_lane_bits(void)
{
    return (vi){ 1, 2, 4, 8 };
}
#endif

/* Byte n of each dword */
SPECIALISED vi vi_byte(vi v, int n)
{
    if (n == 3) return vi_shift_right(v, 24);
#ifdef __AVX2__
    if (n) { /* one shuffle for shift and mask */
        const i32 none = (i32)0x80808000;
        const vi from = { none | n, none | (n + 4), none | (n + 8), none | (n + 12),
                          none | n, none | (n + 4), none | (n + 8), none | (n + 12) };
        return (vi)_mm256_shuffle_epi8((__m256i)v, (__m256i)from);
    }
#endif
    return (v >> (8 * n)) & 255;
}

/* All ones in the lanes whose bit is set; the lowest VW bits count. */
static inline vi vi_mask(u32 bits)
{
    vi bit = vi_lane_bits();
    return (vi_set((i32)bits) & bit) == bit;
}

/* The largest whole number that is not above; |f| < 2^31. */
static inline vf v_floor(vf f)
{
#ifdef __AVX2__
    return (vf)_mm256_floor_ps((__m256)f);
#else
    vi n = v_truncate(f);
    return v_from_int(n + (vi)(v_from_int(n) > f)); /* true is -1 */
#endif
}

/* Over 255. Whole numbers up to 255 give exactly what the division rounds to (checked for all). The
 * first product is exact, so it does not matter whether it is rounded before the sum. */
static inline vf v_over_255(vf v)
{
    vf low = v * v_set(0x1.010102p-16f);
#ifdef __FMA__
    return (vf)_mm256_fmadd_ps((__m256)v, (__m256)v_set(0x1p-8f), (__m256)low);
#else
    return v * v_set(0x1p-8f) + low;
#endif
}

static inline vf v_unorm8(vi code)
{
    return v_over_255(v_from_int(code));
}

/* The nearest code; NaN gives 0. */
static inline vi v_to_unorm8(vf v)
{
    v = v_min(v_max(v, v_set(0.0f)), v_set(1.0f));
    return v_truncate(v * v_set(255.0f) + v_set(0.5f));
}

#endif
