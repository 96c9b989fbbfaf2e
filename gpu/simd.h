/* Vectors of floats and integers, as wide as the file is compiled for: four lanes (SSE2, every
 * host), or eight (AVX2, chosen at run time).
 *
 * A file that wants both is compiled twice: X.c for SSE2, and X_avx2.c, which only includes X.c and
 * is built with -mavx2 (Makefile). SIMD(name) gives the two their names. Every operation here is
 * the IEEE one of each lane, so both give the same bits. Functions are inline and small; what the
 * compiler has operators for (+ - * / & | ^ and comparisons of vectors) has no function. */
#ifndef GPU_SIMD_H
#define GPU_SIMD_H

#include <immintrin.h>

#include "machine/core/types.h"

#ifdef __AVX2__
enum { VW = 8 };
#define SIMD(name) name##_avx2
#else
enum { VW = 4 };
#define SIMD(name) name##_sse2
#endif

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
static inline vi vi_lane_bits(void)
{
    return (vi){ 1, 2, 4, 8 };
}
#endif

/* All ones in the lanes whose bit is set; the lowest VW bits count. */
static inline vi vi_mask(u32 bits)
{
    vi bit = vi_lane_bits();
    return (vi_set((i32)bits) & bit) == bit;
}

/* The largest integer that is not above; |f| < 2^31. */
static inline vi v_floor(vf f)
{
    vi n = v_truncate(f);
    return n + (vi)(v_from_int(n) > f); /* true is -1 */
}

/* An 8-bit code over 255, exactly as the division rounds it (checked for all 256). */
static inline vf v_unorm8(vi code)
{
    vf v = v_from_int(code);
    return v * v_set(0x1p-8f) + v * v_set(0x1.010102p-16f);
}

/* The nearest code; NaN gives 0. */
static inline vi v_to_unorm8(vf v)
{
    v = v_min(v_max(v, v_set(0.0f)), v_set(1.0f));
    return v_truncate(v * v_set(255.0f) + v_set(0.5f));
}

#endif
