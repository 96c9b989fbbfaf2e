/* Rows of pixels (fast.h): integer arithmetic where source and target are codes, the general path's
 * floats where a colour comes in. Compiled twice (simd.h). */
#include "gpu/soft/fast.h"
#include "gpu/simd.h"

/* ---- integers ---- */

/* v over 255, rounded: v up to 65025 */
static inline u32 over_255(u32 v)
{
    v += 128;
    return (v + (v >> 8)) >> 8;
}

static inline u32 blend_code(bool straight, u32 s, u32 d)
{
    const u32 a = s >> 24, rest = 255 - a;
    u32 out = 0;
    for (u32 k = 0; k < 32; k += 8) {
        u32 from = s >> k & 255, old = (d >> k & 255) * rest;
        u32 v = straight ? over_255(from * a + old) : from + over_255(old);
        out |= MIN(v, 255u) << k;
    }
    return out;
}

#ifdef __AVX2__
typedef __m256i vb; /* bytes, and words twice as wide */
#define B(op) _mm256_##op
#define B_LOGIC(op) _mm256_##op##_si256
#define B_LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define B_STORE(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#else
typedef __m128i vb;
#define B(op) _mm_##op
#define B_LOGIC(op) _mm_##op##_si128
#define B_LOAD(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define B_STORE(p, v) _mm_storeu_si128((__m128i *)(void *)(p), v)
#endif

/* Words: source and target bytes of some pixels; the blended bytes, for premultiplied ones without
 * the source. */
SPECIALISED vb blend_words(bool straight, vb s, vb d)
{
    const vb full = B(set1_epi16)(255);
    const vb a = B(shufflehi_epi16)(B(shufflelo_epi16)(s, 0xff), 0xff);
    vb v = B(mullo_epi16)(d, B(sub_epi16)(full, a));
    if (straight) v = B(add_epi16)(v, B(mullo_epi16)(s, a));
    v = B(add_epi16)(v, B(set1_epi16)(128));
    return B(srli_epi16)(B(add_epi16)(v, B(srli_epi16)(v, 8)), 8);
}

SPECIALISED void blend_row(bool straight, const struct fast_rows *f, u32 *to, const u32 *from,
                           u32 n)
{
    const vb zero = B(set1_epi16)(0), source = B(set1_epi32)((i32)f->opaque_source),
             target = B(set1_epi32)((i32)f->opaque_target);
    u32 k = 0;
    for (; k + VW <= n; k += VW) {
        const vb s = B_LOGIC(or)(B_LOAD(from + k), source), d = B_LOAD(to + k);
        const vb low = blend_words(straight, B(unpacklo_epi8)(s, zero), B(unpacklo_epi8)(d, zero)),
                 high = blend_words(straight, B(unpackhi_epi8)(s, zero), B(unpackhi_epi8)(d, zero));
        vb v = B(packus_epi16)(low, high);
        if (!straight) v = B(adds_epu8)(v, s);
        B_STORE(to + k, B_LOGIC(or)(v, target));
    }
    for (; k < n; k++)
        to[k] = blend_code(straight, from[k] | f->opaque_source, to[k]) | f->opaque_target;
}

static void copy_row(const struct fast_rows *f, u32 *to, const u32 *from, u32 n)
{
    const u32 set = f->opaque_source | f->opaque_target;
    if (!set) {
        memmove(to, from, 4 * (size_t)n);
        return;
    }
    for (u32 k = 0; k < n; k++) to[k] = from[k] | set;
}

/* ---- floats ---- */

/* Up to VW pixels at p; the others are 0. */
static inline vi load_some(const u32 *p, u32 n)
{
    u32 some[VW] __attribute__((aligned(32))) = { 0 };
    if (n < VW) {
        memcpy(some, p, 4 * (size_t)n);
        p = some;
    }
    return (vi)B_LOAD(p);
}

static inline void store_some(u32 *p, vi v, u32 n)
{
    u32 some[VW] __attribute__((aligned(32)));
    if (n >= VW) {
        B_STORE(p, (vb)v);
        return;
    }
    vi_store(some, v);
    memcpy(p, some, 4 * (size_t)n);
}

SPECIALISED vf limited(vf v)
{
    return v_min(v_max(v, v_set(0.0f)), v_set(1.0f));
}

SPECIALISED vf texel_times(vi bits, int byte, const struct fast_rows *f)
{
    return v_unorm8(vi_byte(bits, byte)) * v_set(f->color[byte]);
}

/* One pixel vector: source components s, blended over `old`, as codes. */
SPECIALISED vi over(u8 blend, vf s0, vf s1, vf s2, vf s3, vi old)
{
    if (blend == FAST_OPAQUE)
        return v_to_unorm8(s3) << 24 | v_to_unorm8(s2) << 16 | v_to_unorm8(s1) << 8 |
               v_to_unorm8(s0);
    s0 = limited(s0);
    s1 = limited(s1);
    s2 = limited(s2);
    s3 = limited(s3);
    const vf rest = v_set(1.0f) - s3, a = blend == FAST_STRAIGHT ? s3 : v_set(1.0f);
    const vf d3 = v_unorm8(vi_byte(old, 3)) * rest, d2 = v_unorm8(vi_byte(old, 2)) * rest,
             d1 = v_unorm8(vi_byte(old, 1)) * rest, d0 = v_unorm8(vi_byte(old, 0)) * rest;
    return v_to_unorm8(s3 * a + d3) << 24 | v_to_unorm8(s2 * a + d2) << 16 |
           v_to_unorm8(s1 * a + d1) << 8 | v_to_unorm8(s0 * a + d0);
}

SPECIALISED void float_row(u8 blend, bool textured, const struct fast_rows *f, u32 *to,
                           const u32 *from, u32 n)
{
    const vi source = vi_set((i32)f->opaque_source), target = vi_set((i32)f->opaque_target);
    vf s[4];
    for (u32 c = 0; c < 4; c++) s[c] = v_set(f->color[c]);
    for (u32 k = 0; k < n; k += VW) {
        const vi old = load_some(to + k, n - k);
        if (textured) {
            const vi bits = load_some(from + k, n - k) | source;
            s[0] = texel_times(bits, 0, f);
            s[1] = texel_times(bits, 1, f);
            s[2] = texel_times(bits, 2, f);
            s[3] = texel_times(bits, 3, f);
        }
        store_some(to + k, over(blend, s[0], s[1], s[2], s[3], old) | target, n - k);
    }
}

/* ---- the kernels ---- */

static void fill(const struct fast_rows *f, u32 *to, u32 n)
{
    switch (f->blend) {
    case FAST_PREMULTIPLIED: float_row(FAST_PREMULTIPLIED, false, f, to, to, n); break;
    case FAST_STRAIGHT: float_row(FAST_STRAIGHT, false, f, to, to, n); break;
    default:
        for (u32 k = 0; k < n; k++) to[k] = f->fill;
    }
}

static void modulate(const struct fast_rows *f, u32 *to, const u32 *from, u32 n)
{
    switch (f->blend) {
    case FAST_PREMULTIPLIED: float_row(FAST_PREMULTIPLIED, true, f, to, from, n); break;
    case FAST_STRAIGHT: float_row(FAST_STRAIGHT, true, f, to, from, n); break;
    default: float_row(FAST_OPAQUE, true, f, to, from, n);
    }
}

static void copy(const struct fast_rows *f, u32 *to, const u32 *from, u32 n)
{
    if (f->modulated)
        modulate(f, to, from, n);
    else if (f->blend == FAST_OPAQUE)
        copy_row(f, to, from, n);
    else if (f->blend == FAST_STRAIGHT)
        blend_row(true, f, to, from, n);
    else
        blend_row(false, f, to, from, n);
}

const struct fast_ops SIMD(fast_ops) = { fill, copy };
