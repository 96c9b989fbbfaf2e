/* BC7: 128 bits for 4x4 RGBA texels, in one of eight modes. A mode divides the texels among one to
 * three subsets by a fixed partition, gives each subset two endpoints and each texel an index
 * between them; some have a second set of indices for one channel, or exchange alpha with a colour.
 * Bits are taken from the lowest one of byte 0 up: mode (zeros, then a one), partition, rotation,
 * index selection, endpoints channel by channel, p-bits, indices. Document: Khronos data format
 * specification, "BPTC compressed texture image formats"; the contract's part "executor", section
 * 11. */
#include "gpu/soft/bc7.h"

/* clang-format off */
struct mode {
    u8 subsets, partition_bits, rotation_bits, selection_bits;
    u8 color_bits, alpha_bits;
    u8 own_p, shared_p; /* a lowest bit for each endpoint, or for both of a subset */
    u8 index_bits, second_bits;
};
static const struct mode modes[8] = {
    { 3, 4, 0, 0, 4, 0, 1, 0, 3, 0 },
    { 2, 6, 0, 0, 6, 0, 0, 1, 3, 0 },
    { 3, 6, 0, 0, 5, 0, 0, 0, 2, 0 },
    { 2, 6, 0, 0, 7, 0, 1, 0, 2, 0 },
    { 1, 0, 2, 1, 5, 6, 0, 0, 2, 3 },
    { 1, 0, 2, 0, 7, 8, 0, 0, 2, 2 },
    { 1, 0, 0, 0, 7, 7, 1, 0, 4, 0 },
    { 2, 6, 0, 0, 5, 5, 1, 0, 2, 0 },
};

static const u8 weights2[4] = { 0, 21, 43, 64 };
static const u8 weights3[8] = { 0, 9, 18, 27, 37, 46, 55, 64 };
static const u8 weights4[16] = { 0, 4, 9, 13, 17, 21, 26, 30, 34, 38, 43, 47, 51, 55, 60, 64 };

/* Two subsets: bit k is texel k's. */
static const u16 partition2[64] = {
    0xcccc, 0x8888, 0xeeee, 0xecc8, 0xc880, 0xfeec, 0xfec8, 0xec80, 0xc800, 0xffec, 0xfe80, 0xe800, 0xffe8, 0xff00, 0xfff0, 0xf000,
    0xf710, 0x008e, 0x7100, 0x08ce, 0x008c, 0x7310, 0x3100, 0x8cce, 0x088c, 0x3110, 0x6666, 0x366c, 0x17e8, 0x0ff0, 0x718e, 0x399c,
    0xaaaa, 0xf0f0, 0x5a5a, 0x33cc, 0x3c3c, 0x55aa, 0x9696, 0xa55a, 0x73ce, 0x13c8, 0x324c, 0x3bdc, 0x6996, 0xc33c, 0x9966, 0x0660,
    0x0272, 0x04e4, 0x4e40, 0x2720, 0xc936, 0x936c, 0x39c6, 0x639c, 0x9336, 0x9cc6, 0x817e, 0xe718, 0xccf0, 0x0fcc, 0x7744, 0xee22,
};
/* Three subsets: two bits per texel. */
static const u32 partition3[64] = {
    0xaa685050, 0x6a5a5040, 0x5a5a4200, 0x5450a0a8, 0xa5a50000, 0xa0a05050, 0x5555a0a0, 0x5a5a5050,
    0xaa550000, 0xaa555500, 0xaaaa5500, 0x90909090, 0x94949494, 0xa4a4a4a4, 0xa9a59450, 0x2a0a4250,
    0xa5945040, 0x0a425054, 0xa5a5a500, 0x55a0a0a0, 0xa8a85454, 0x6a6a4040, 0xa4a45000, 0x1a1a0500,
    0x0050a4a4, 0xaaa59090, 0x14696914, 0x69691400, 0xa08585a0, 0xaa821414, 0x50a4a450, 0x6a5a0200,
    0xa9a58000, 0x5090a0a8, 0xa8a09050, 0x24242424, 0x00aa5500, 0x24924924, 0x24499224, 0x50a50a50,
    0x500aa550, 0xaaaa4444, 0x66660000, 0xa5a0a5a0, 0x50a050a0, 0x69286928, 0x44aaaa44, 0x66666600,
    0xaa444444, 0x54a854a8, 0x95809580, 0x96969600, 0xa85454a8, 0x80959580, 0xaa141414, 0x96960000,
    0xaaaa1414, 0xa05050a0, 0xa0a5a5a0, 0x96000000, 0x40804080, 0xa9a8a9a8, 0xaaaaaa44, 0x2a4a5254,
};
/* Texels whose index lacks its highest bit, which is 0; of subset 0 it is texel 0. */
static const u8 anchor2[64] = {
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 2, 8, 2, 2, 8, 8, 15, 2, 8, 2, 2, 8, 8, 2, 2,
    15, 15, 6, 8, 2, 8, 15, 15, 2, 8, 2, 2, 2, 15, 15, 6, 6, 2, 6, 8, 15, 15, 2, 2, 15, 15, 15, 15, 15, 2, 2, 15,
};
static const u8 anchor3[2][64] = {
    { 3, 3, 15, 15, 8, 3, 15, 15, 8, 8, 6, 6, 6, 5, 3, 3, 3, 3, 8, 15, 3, 3, 6, 10, 5, 8, 8, 6, 8, 5, 15, 15,
      8, 15, 3, 5, 6, 10, 8, 15, 15, 3, 15, 5, 15, 15, 15, 15, 3, 15, 5, 5, 5, 8, 5, 10, 5, 10, 8, 13, 15, 12, 3, 3 },
    { 15, 8, 8, 3, 15, 15, 3, 8, 15, 15, 15, 15, 15, 15, 15, 8, 15, 8, 15, 3, 15, 8, 15, 8, 3, 15, 6, 10, 15, 15, 10, 8,
      15, 3, 15, 10, 10, 8, 9, 10, 6, 15, 8, 15, 3, 6, 6, 8, 15, 3, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 3, 15, 15, 8 },
};
/* clang-format on */

struct bits {
    u64 lo, hi;
};

static u32 take(struct bits *b, unsigned n)
{
    u32 v = (u32)b->lo & ((1u << n) - 1);
    if (!n) return 0;
    b->lo = b->lo >> n | b->hi << (64 - n);
    b->hi >>= n;
    return v;
}

static u32 subset_of(const struct mode *m, u32 partition, u32 texel)
{
    if (m->subsets == 2) return partition2[partition] >> texel & 1;
    return m->subsets == 3 ? partition3[partition] >> (2 * texel) & 3 : 0;
}

static bool is_anchor(const struct mode *m, u32 partition, u32 texel)
{
    if (!texel) return true;
    if (m->subsets == 2) return texel == anchor2[partition];
    return m->subsets == 3 && (texel == anchor3[0][partition] || texel == anchor3[1][partition]);
}

/* n bits to 8, the highest ones repeated below. */
static u8 widen(u32 v, unsigned n)
{
    v <<= 8 - n;
    return (u8)(v | v >> n);
}

/* ends[2 * subset + which][channel] */
static void endpoints(const struct mode *m, struct bits *b, u8 ends[6][4])
{
    u32 raw[6][4] = { { 0 } }, count = 2u * m->subsets, p[6] = { 0 };
    unsigned extra = m->own_p | m->shared_p;
    for (unsigned c = 0; c < 4; c++) {
        for (u32 k = 0; k < count; k++) raw[k][c] = take(b, c == 3 ? m->alpha_bits : m->color_bits);
    }
    for (u32 k = 0; k < count && extra; k++) p[k] = m->shared_p && k & 1 ? p[k - 1] : take(b, 1);
    for (u32 k = 0; k < count; k++) {
        for (unsigned c = 0; c < 4; c++) {
            unsigned n = c == 3 ? m->alpha_bits : m->color_bits;
            u32 v = extra ? raw[k][c] << 1 | p[k] : raw[k][c];
            ends[k][c] = n ? widen(v, n + extra) : 255;
        }
    }
}

static void indices(const struct mode *m, struct bits *b, u32 partition, unsigned n, u8 out[16])
{
    for (u32 k = 0; k < 16; k++) out[k] = (u8)take(b, n - is_anchor(m, partition, k));
}

static u8 mix(u8 a, u8 b, u8 index, unsigned n)
{
    u32 w = n == 2 ? weights2[index] : n == 3 ? weights3[index] : weights4[index];
    return (u8)((a * (64 - w) + b * w + 32) >> 6);
}

void bc7_decode(const u8 *p, u8 out[16][4])
{
    struct bits b = { ld64(p), ld64(p + 8) };
    u8 ends[6][4], first[16], second[16];
    memset(out, 0, 64);
    if (!p[0]) return; /* no mode: transparent black */
    unsigned number = (unsigned)__builtin_ctz(p[0]);
    const struct mode *m = &modes[number];
    take(&b, number + 1);
    u32 partition = take(&b, m->partition_bits), rotation = take(&b, m->rotation_bits);
    bool exchanged = take(&b, m->selection_bits); /* colours use the second indices */
    endpoints(m, &b, ends);
    indices(m, &b, partition, m->index_bits, first);
    if (m->second_bits) indices(m, &b, partition, m->second_bits, second);
    for (u32 k = 0; k < 16; k++) {
        const u8 *e0 = ends[2 * subset_of(m, partition, k)], *e1 = e0 + 4;
        for (unsigned c = 0; c < 4; c++) {
            bool use_second = m->second_bits && (c == 3) != exchanged;
            out[k][c] = use_second ? mix(e0[c], e1[c], second[k], m->second_bits)
                                   : mix(e0[c], e1[c], first[k], m->index_bits);
        }
        if (!rotation) continue;
        u8 alpha = out[k][3];
        out[k][3] = out[k][rotation - 1];
        out[k][rotation - 1] = alpha;
    }
}
