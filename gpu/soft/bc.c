/* Block decompression: BC1, BC2 and BC3 to RGBA8; BC7 is in bc7.c. Document: the contract's part
 * "executor", section 11: endpoints widened by replicating bits, steps interpolated in integers. */
#include "gpu/soft/bc7.h"
#include "gpu/soft/format.h"

static void rgb565(u32 v, u8 out[4])
{
    u32 r = v >> 11, g = v >> 5 & 63, b = v & 31;
    out[0] = (u8)(r << 3 | r >> 2);
    out[1] = (u8)(g << 2 | g >> 4);
    out[2] = (u8)(b << 3 | b >> 2);
    out[3] = 255;
}

/* The colour half of a block. three: a block with c0 <= c1 has three colours and transparent black
 * (BC1 alone). */
static void colors(const u8 *p, u8 out[16][4], bool three)
{
    u8 c[4][4];
    u32 c0 = ld16(p), c1 = ld16(p + 2), indices = ld32(p + 4);
    rgb565(c0, c[0]);
    rgb565(c1, c[1]);
    for (unsigned k = 0; k < 3; k++) {
        if (c0 > c1 || !three) {
            c[2][k] = (u8)((2 * c[0][k] + c[1][k] + 1) / 3);
            c[3][k] = (u8)((c[0][k] + 2 * c[1][k] + 1) / 3);
        } else {
            c[2][k] = (u8)((c[0][k] + c[1][k] + 1) / 2);
            c[3][k] = 0;
        }
    }
    c[2][3] = 255;
    c[3][3] = c0 > c1 || !three ? 255 : 0;
    for (unsigned k = 0; k < 16; k++, indices >>= 2) memcpy(out[k], c[indices & 3], 4);
}

static void alpha3(const u8 *p, u8 out[16][4])
{
    u32 a0 = p[0], a1 = p[1];
    u8 a[8] = { (u8)a0, (u8)a1 };
    for (u32 k = 1; k < 7; k++) {
        if (a0 > a1)
            a[k + 1] = (u8)(((7 - k) * a0 + k * a1 + 3) / 7);
        else if (k < 5)
            a[k + 1] = (u8)(((5 - k) * a0 + k * a1 + 2) / 5);
    }
    if (a0 <= a1) {
        a[6] = 0;
        a[7] = 255;
    }
    u64 indices = ld64(p) >> 16;
    for (unsigned k = 0; k < 16; k++, indices >>= 3) out[k][3] = a[indices & 7];
}

void format_decode_block(u32 format, const u8 *p, u8 out[16][4])
{
    switch (format & ~1u) {
    case AGPU_FMT_BC1: colors(p, out, true); break;
    case AGPU_FMT_BC2:
        colors(p + 8, out, false);
        for (unsigned k = 0; k < 16; k++) out[k][3] = (u8)((p[k / 2] >> (k & 1 ? 4 : 0) & 15) * 17);
        break;
    case AGPU_FMT_BC3:
        colors(p + 8, out, false);
        alpha3(p, out);
        break;
    default: bc7_decode(p, out);
    }
}
