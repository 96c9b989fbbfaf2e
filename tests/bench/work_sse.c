/*
 * work_sse.c: workloads of the benchmark in SSE and SSE2: n-body, Mandelbrot (a point, and two at a
 * time) and LINPACK in double precision, blending of pixels in packed integers, vectors times a matrix
 * in single precision.  The packed ones say their instructions by intrinsics.
 */
#define REAL double
#define ROOT sqrt
#include <math.h>

#include "tests/bench/work_fp.h"

#include <emmintrin.h>

/* --- Mandelbrot's set again, two points at a time --- */

static __m128d mandel_pair(__m128d cr, __m128d ci)
{
    const __m128d four = _mm_set1_pd(4);
    const __m128d one = _mm_set1_pd(1);
    __m128d r = _mm_setzero_pd(), i = r, count = r;

    for (int n = 0; n < 60; n++) {
        const __m128d rr = _mm_mul_pd(r, r);
        const __m128d ii = _mm_mul_pd(i, i);
        const __m128d inside = _mm_cmple_pd(_mm_add_pd(rr, ii), four);

        if (_mm_movemask_pd(inside) == 0) break;
        count = _mm_add_pd(count, _mm_and_pd(inside, one));
        i = _mm_add_pd(_mm_mul_pd(_mm_add_pd(r, r), i), ci);
        r = _mm_add_pd(_mm_sub_pd(rr, ii), cr);
        /* A point that left stays outside, and must not become infinite. */
        r = _mm_or_pd(_mm_and_pd(inside, r), _mm_andnot_pd(inside, four));
        i = _mm_and_pd(inside, i);
    }
    return count;
}

static u64 run_mandel_packed(void)
{
    u64 sum = 0;

    for (int row = 0; row < 48; row++)
        for (int column = 0; column < 48; column += 2) {
            const __m128d count =
                mandel_pair(_mm_set_pd((column + 1) / 16.0 - 2.0, column / 16.0 - 2.0),
                            _mm_set1_pd(row / 16.0 - 1.5));

            sum = work_mix(sum, (u64)_mm_cvtsd_si64(count));
            sum = work_mix(sum, (u64)_mm_cvtsd_si64(_mm_unpackhi_pd(count, count)));
        }
    return sum;
}

/* --- blend: pixels of 8-bit channels over others, by a constant alpha --- */

#define PIXELS 4096

static void blend_row(u32 *to, const u32 *over, int n, int alpha)
{
    const __m128i zero = _mm_setzero_si128();
    const __m128i weight = _mm_set1_epi16((short)alpha);
    const __m128i rest = _mm_set1_epi16((short)(256 - alpha));

    for (int i = 0; i < n; i += 4) {
        const __m128i a = _mm_loadu_si128((const __m128i *)(over + i));
        const __m128i b = _mm_loadu_si128((const __m128i *)(to + i));
        const __m128i low = _mm_add_epi16(_mm_mullo_epi16(_mm_unpacklo_epi8(a, zero), weight),
                                          _mm_mullo_epi16(_mm_unpacklo_epi8(b, zero), rest));
        const __m128i high = _mm_add_epi16(_mm_mullo_epi16(_mm_unpackhi_epi8(a, zero), weight),
                                           _mm_mullo_epi16(_mm_unpackhi_epi8(b, zero), rest));

        _mm_storeu_si128((__m128i *)(to + i),
                         _mm_packus_epi16(_mm_srli_epi16(low, 8), _mm_srli_epi16(high, 8)));
    }
}

static u64 run_blend(void)
{
    static u32 to[PIXELS], over[PIXELS];
    u32 seed = 17;
    u64 sum = 0;

    for (int i = 0; i < PIXELS; i++) {
        to[i] = (u32)i * 2654435761u;
        over[i] = (u32)i * 40503u ^ 0x5a5a5a5a;
    }
    for (int pass = 0; pass < 16; pass++) blend_row(to, over, PIXELS, (int)(work_random(&seed) & 255));
    for (int i = 0; i < PIXELS; i += 31) sum = work_mix(sum, to[i]);
    return sum;
}

/* --- transform: vectors of four times a matrix, in single precision --- */

#define VECTORS 1024

static void transform(float (*to)[4], float (*from)[4], const float matrix[4][4])
{
    const __m128 x = _mm_loadu_ps(matrix[0]);
    const __m128 y = _mm_loadu_ps(matrix[1]);
    const __m128 z = _mm_loadu_ps(matrix[2]);
    const __m128 w = _mm_loadu_ps(matrix[3]);

    for (int i = 0; i < VECTORS; i++) {
        const __m128 v = _mm_loadu_ps(from[i]);
        const __m128 a = _mm_mul_ps(_mm_shuffle_ps(v, v, _MM_SHUFFLE(0, 0, 0, 0)), x);
        const __m128 b = _mm_mul_ps(_mm_shuffle_ps(v, v, _MM_SHUFFLE(1, 1, 1, 1)), y);
        const __m128 c = _mm_mul_ps(_mm_shuffle_ps(v, v, _MM_SHUFFLE(2, 2, 2, 2)), z);
        const __m128 d = _mm_mul_ps(_mm_shuffle_ps(v, v, _MM_SHUFFLE(3, 3, 3, 3)), w);

        _mm_storeu_ps(to[i], _mm_add_ps(_mm_add_ps(a, b), _mm_add_ps(c, d)));
    }
}

static u64 run_transform(void)
{
    static float a[VECTORS][4], b[VECTORS][4];
    static const float turn[4][4] = {{0.75f, 0.5f, -0.25f, 0}, {-0.5f, 0.75f, 0.25f, 0},
                                     {0.25f, -0.25f, 0.875f, 0}, {0.125f, 0.0625f, -0.5f, 1}};
    u64 sum = 0;

    for (int i = 0; i < VECTORS; i++) {
        a[i][0] = (float)(i & 31) * 0.25f;
        a[i][1] = (float)(i >> 5) * 0.5f;
        a[i][2] = (float)(i % 7) - 3.0f;
        a[i][3] = 1;
    }
    for (int pass = 0; pass < 12; pass++) {
        transform(b, a, turn);
        transform(a, b, turn);
    }
    for (int i = 0; i < VECTORS; i += 5) {
        u64 bits;

        memcpy(&bits, a[i], sizeof bits);
        sum = work_mix(sum, bits);
    }
    return sum;
}

const struct work work_sse[] = {
    {"nbody-sse", "sse", run_nbody},         {"mandel-sse", "sse", run_mandel},
    {"mandel-packed", "sse", run_mandel_packed}, {"linpack-sse", "sse", run_linpack},
    {"blend", "sse", run_blend},             {"transform", "sse", run_transform},
    {NULL, NULL, NULL},
};
