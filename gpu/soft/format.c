/* Pixel formats (format.h): the table, linear layout, conversion of single texels, sRGB. Block
 * decompression is in bc.c. */
#include "gpu/soft/format.h"

#include <math.h>

static const struct format formats[] = {
    [AGPU_FMT_B8G8R8A8] = { FMT_CLASS_8888, 1, 4, false, true, false },
    [AGPU_FMT_B8G8R8X8] = { FMT_CLASS_8888, 1, 4, false, false, false },
    [AGPU_FMT_R8G8B8A8] = { FMT_CLASS_8888, 1, 4, false, true, true },
    [AGPU_FMT_R8G8B8X8] = { FMT_CLASS_8888, 1, 4, false, false, true },
    [AGPU_FMT_B5G6R5] = { FMT_CLASS_565, 1, 2, false, false, false },
    [AGPU_FMT_B5G5R5A1] = { FMT_CLASS_5551, 1, 2, false, true, false },
    [AGPU_FMT_B8G8R8A8_SRGB] = { FMT_CLASS_8888, 1, 4, true, true, false },
    [AGPU_FMT_B8G8R8X8_SRGB] = { FMT_CLASS_8888, 1, 4, true, false, false },
    [AGPU_FMT_R8G8B8A8_SRGB] = { FMT_CLASS_8888, 1, 4, true, true, true },
    [AGPU_FMT_R8G8B8X8_SRGB] = { FMT_CLASS_8888, 1, 4, true, false, true },
    [AGPU_FMT_D24S8] = { FMT_CLASS_DEPTH, 1, 4, false, false, false },
    [AGPU_FMT_D32F] = { FMT_CLASS_DEPTH, 1, 4, false, false, false },
    [AGPU_FMT_BC1] = { FMT_CLASS_BC, 4, 8, false, true, true },
    [AGPU_FMT_BC1_SRGB] = { FMT_CLASS_BC, 4, 8, true, true, true },
    [AGPU_FMT_BC2] = { FMT_CLASS_BC, 4, 16, false, true, true },
    [AGPU_FMT_BC2_SRGB] = { FMT_CLASS_BC, 4, 16, true, true, true },
    [AGPU_FMT_BC3] = { FMT_CLASS_BC, 4, 16, false, true, true },
    [AGPU_FMT_BC3_SRGB] = { FMT_CLASS_BC, 4, 16, true, true, true },
    [AGPU_FMT_BC7] = { FMT_CLASS_BC, 4, 16, false, true, true },
    [AGPU_FMT_BC7_SRGB] = { FMT_CLASS_BC, 4, 16, true, true, true },
};

const struct format *format_of(u32 format)
{
    return format < LEN(formats) && formats[format].klass ? &formats[format] : NULL;
}

bool format_same_bits(u32 a, u32 b)
{
    const struct format *x = format_of(a), *y = format_of(b);
    if (!x || !y || x->klass != y->klass) return false;
    if (a == b) return true;
    if (x->klass == FMT_CLASS_8888) return x->rgba == y->rgba;
    return x->klass == FMT_CLASS_BC && (a & ~1u) == (b & ~1u);
}

bool format_viewable(u32 texture, u32 view)
{
    return format_same_bits(texture, view);
}

void format_mip(const struct format *f, u32 width, u32 height, u32 row_pitch, u32 mip,
                struct subresource *out)
{
    u64 offset = 0;
    for (u32 m = 0;; m++) {
        u32 w = MAX(width >> m, 1), h = MAX(height >> m, 1);
        u32 tight = (w + f->block - 1) / f->block * f->bytes, rows = (h + f->block - 1) / f->block;
        u32 pitch = m == 0 ? MAX(tight, row_pitch) : tight;
        *out = (struct subresource){ w, h, pitch, rows, offset, (u64)pitch * rows };
        if (m == mip) return;
        offset += out->size;
    }
}

u64 format_layer_size(const struct format *f, u32 width, u32 height, u32 row_pitch, u32 mips)
{
    struct subresource last;
    format_mip(f, width, height, row_pitch, mips - 1, &last);
    return last.offset + last.size;
}

/* ---- numbers ---- */

u8 unorm8(float v)
{
    if (!(v > 0.0f)) return 0; /* NaN, too */
    return v >= 1.0f ? 255 : (u8)(v * 255.0f + 0.5f);
}

static u32 unorm(float v, u32 top)
{
    if (!(v > 0.0f)) return 0;
    return v >= 1.0f ? top : (u32)(v * (float)top + 0.5f);
}

/* y to the power of 12/5 by plain IEEE arithmetic: the C library's pow differs between versions,
 * and images must not. */
static double power_2_4(double y)
{
    double y2 = y * y, y4 = y2 * y2, t = y4 * y4 * y4, r = 1.0;
    for (int k = 0; k < 80; k++) r = (4.0 * r + t / (r * r * r * r)) / 5.0;
    return r;
}

static double decode(double s)
{
    return s <= 0.04045 ? s / 12.92 : power_2_4((s + 0.055) / 1.055);
}

/* Tables made once and then constant. encode_from[c]: the smallest linear value that becomes code
 * c. */
struct srgb_tables {
    float decode[256], encode_from[256];
};

static const struct srgb_tables *srgb(void)
{
    static struct srgb_tables t;
    static int state; /* 0 empty, 1 ready; threads that race write the same values */
    if (!__atomic_load_n(&state, __ATOMIC_ACQUIRE)) {
        for (int c = 0; c < 256; c++) {
            t.decode[c] = (float)decode(c / 255.0);
            t.encode_from[c] = c ? (float)decode((c - 0.5) / 255.0) : -1.0f;
        }
        __atomic_store_n(&state, 1, __ATOMIC_RELEASE);
    }
    return &t;
}

float srgb_decode(u8 code)
{
    return srgb()->decode[code];
}

const float *srgb_table(void)
{
    return srgb()->decode;
}

u8 srgb_encode(float linear)
{
    const float *from = srgb()->encode_from;
    if (!(linear > 0.0f)) return 0;
    unsigned lo = 0, hi = 255;
    while (lo < hi) {
        unsigned mid = (lo + hi + 1) / 2;
        if (linear >= from[mid])
            lo = mid;
        else
            hi = mid - 1;
    }
    return (u8)lo;
}

/* ---- texels ---- */

void format_load(const struct format *f, const u8 *p, float rgba[4])
{
    u32 v;
    switch (f->klass) {
    case FMT_CLASS_565:
        v = ld16(p);
        rgba[0] = (float)(v >> 11) / 31.0f;
        rgba[1] = (float)(v >> 5 & 63) / 63.0f;
        rgba[2] = (float)(v & 31) / 31.0f;
        rgba[3] = 1.0f;
        return;
    case FMT_CLASS_5551:
        v = ld16(p);
        rgba[0] = (float)(v >> 10 & 31) / 31.0f;
        rgba[1] = (float)(v >> 5 & 31) / 31.0f;
        rgba[2] = (float)(v & 31) / 31.0f;
        rgba[3] = (float)(v >> 15);
        return;
    default:
        for (int k = 0; k < 3; k++) {
            u8 code = p[f->rgba ? k : 2 - k];
            rgba[k] = f->srgb ? srgb_decode(code) : (float)code / 255.0f;
        }
        rgba[3] = f->alpha ? (float)p[3] / 255.0f : 1.0f;
    }
}

u32 format_store(const struct format *f, const float rgba[4], bool encode)
{
    if (f->klass == FMT_CLASS_565)
        return unorm(rgba[0], 31) << 11 | unorm(rgba[1], 63) << 5 | unorm(rgba[2], 31);
    if (f->klass == FMT_CLASS_5551)
        return unorm(rgba[3], 1) << 15 | unorm(rgba[0], 31) << 10 | unorm(rgba[1], 31) << 5 |
               unorm(rgba[2], 31);
    u32 out = f->alpha ? (u32)unorm8(rgba[3]) << 24 : 0xff000000;
    for (int k = 0; k < 3; k++) {
        u8 code = f->srgb || encode ? srgb_encode(rgba[k]) : unorm8(rgba[k]);
        out |= (u32)code << (f->rgba ? 8 * k : 16 - 8 * k);
    }
    return out;
}
