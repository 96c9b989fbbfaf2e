/* Block compression: BC1 to BC3 against the definition in exact arithmetic, BC7 against blocks put together bit by bit here, and against a
 * checksum of 4096 random blocks of every mode, which another implementation (Mesa's software renderer) decodes to the same bytes. */
#include <check.h>
#include <stdlib.h>

#include "gpu/soft/format.h"

static u32 next(u32 *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static void fill(u8 *p, u32 n, u32 *seed)
{
    for (u32 k = 0; k < n; k++) p[k] = (u8)next(seed);
}

/* got is (numerator / denominator) rounded to nearest. */
static void expect_nearest(u32 got, u32 numerator, u32 denominator, const char *what)
{
    i32 off = (i32)(2 * got * denominator) - (i32)(2 * numerator);
    ck_assert_msg(abs(off) <= (i32)denominator, "%s: %u for %u / %u", what, got, numerator, denominator);
}

static void check_color(const u8 *p, u32 texel, const u8 *got, bool bc1)
{
    static const u8 bits[3] = { 5, 6, 5 }, shift[3] = { 11, 5, 0 };
    u32 c0 = (u32)(p[0] | p[1] << 8), c1 = (u32)(p[2] | p[3] << 8), index = (u32)p[4 + texel / 4] >> (texel % 4 * 2) & 3;
    bool four = !bc1 || c0 > c1;
    for (u32 c = 0; c < 3; c++) {
        u32 a = c0 >> shift[c] & ((1u << bits[c]) - 1), b = c1 >> shift[c] & ((1u << bits[c]) - 1);
        a = bits[c] == 5 ? a * 8 + a / 4 : a * 4 + a / 16;
        b = bits[c] == 5 ? b * 8 + b / 4 : b * 4 + b / 16;
        if (index < 2)
            ck_assert_uint_eq(got[c], index ? b : a);
        else if (four)
            expect_nearest(got[c], index == 2 ? 2 * a + b : a + 2 * b, 3, "third of a colour");
        else if (index == 2)
            expect_nearest(got[c], a + b, 2, "half of a colour");
        else
            ck_assert_uint_eq(got[c], 0);
    }
    if (bc1) ck_assert_uint_eq(got[3], !four && index == 3 ? 0 : 255);
}

static void check_alpha8(const u8 *p, u32 texel, u32 got)
{
    u64 all = 0;
    for (u32 k = 0; k < 6; k++) all |= (u64)p[2 + k] << (8 * k);
    u32 a = p[0], b = p[1], index = (u32)(all >> (3 * texel)) & 7, steps = a > b ? 7 : 5;
    if (index < 2)
        ck_assert_uint_eq(got, index ? b : a);
    else if (index - 1 < steps)
        expect_nearest(got, (steps - (index - 1)) * a + (index - 1) * b, steps, "alpha");
    else
        ck_assert_uint_eq(got, index == 7 ? 255 : 0);
}

START_TEST(bc1_to_bc3_by_their_definition)
{
    u32 seed = 7;
    for (u32 round = 0; round < 1500; round++) {
        u8 p[16], out[16][4];
        fill(p, 16, &seed);
        if (round % 8 == 0) p[2] = p[0], p[3] = p[1]; /* equal ends */
        format_decode_block(AGPU_FMT_BC1 + (round & 1), p, out);
        for (u32 k = 0; k < 16; k++) check_color(p, k, out[k], true);
        format_decode_block(AGPU_FMT_BC2, p, out);
        for (u32 k = 0; k < 16; k++) {
            check_color(p + 8, k, out[k], false);
            ck_assert_uint_eq(out[k][3], (p[k / 2] >> (4 * (k % 2)) & 15) * 17u);
        }
        format_decode_block(AGPU_FMT_BC3, p, out);
        for (u32 k = 0; k < 16; k++) {
            check_color(p + 8, k, out[k], false);
            check_alpha8(p, k, out[k][3]);
        }
    }
}
END_TEST

/* --- BC7 --- */

struct writer {
    u8 bytes[16];
    u32 at;
};
static void bits(struct writer *w, u32 v, u32 n)
{
    for (u32 k = 0; k < n; k++, w->at++) w->bytes[w->at / 8] |= (u8)((v >> k & 1) << (w->at % 8));
}

START_TEST(bc7_mode_6_blends_two_colours_in_16_steps)
{
    static const u8 weight[16] = { 0, 4, 9, 13, 17, 21, 26, 30, 34, 38, 43, 47, 51, 55, 60, 64 };
    struct writer w = { .at = 0 };
    u8 out[16][4];
    const u32 ends[4][2] = { { 0, 127 }, { 127, 0 }, { 64, 32 }, { 127, 100 } };
    bits(&w, 0x40, 7);
    for (u32 c = 0; c < 4; c++) {
        bits(&w, ends[c][0], 7);
        bits(&w, ends[c][1], 7);
    }
    bits(&w, 1, 1); /* p-bits: the first end's is one */
    bits(&w, 0, 1);
    for (u32 k = 0; k < 16; k++) bits(&w, k, k ? 4 : 3);
    ck_assert_uint_eq(w.at, 128);
    format_decode_block(AGPU_FMT_BC7, w.bytes, out);
    for (u32 k = 0; k < 16; k++) {
        for (u32 c = 0; c < 4; c++) {
            u32 a = ends[c][0] * 2 + 1, b = ends[c][1] * 2;
            ck_assert_uint_eq(out[k][c], (a * (64 - weight[k]) + b * weight[k] + 32) / 64);
        }
    }
}
END_TEST

START_TEST(bc7_mode_5_has_its_own_alpha_and_rotates)
{
    struct writer w = { .at = 0 };
    u8 out[16][4];
    bits(&w, 0x20, 6);
    bits(&w, 2, 2); /* alpha and green change places */
    for (u32 c = 0; c < 3; c++) {
        bits(&w, 10 * c + 5, 7);
        bits(&w, 100 - 10 * c, 7);
    }
    bits(&w, 11, 8);
    bits(&w, 222, 8);
    for (u32 k = 0; k < 16; k++) bits(&w, k & 1, k ? 2 : 1); /* colours: step 0 or 1 of 0, 21, 43, 64 */
    for (u32 k = 0; k < 16; k++) bits(&w, k ? 3 : 0, k ? 2 : 1); /* alpha: the second end but for texel 0 */
    ck_assert_uint_eq(w.at, 128);
    format_decode_block(AGPU_FMT_BC7_SRGB, w.bytes, out);
    for (u32 k = 0; k < 16; k++) {
        u32 color[3];
        for (u32 c = 0; c < 3; c++) {
            u32 a = 10 * c + 5, b = 100 - 10 * c;
            a = a << 1 | a >> 6;
            b = b << 1 | b >> 6;
            color[c] = k & 1 ? (a * 43 + b * 21 + 32) / 64 : a;
        }
        ck_assert_uint_eq(out[k][0], color[0]);
        ck_assert_uint_eq(out[k][3], color[1]);
        ck_assert_uint_eq(out[k][2], color[2]);
        ck_assert_uint_eq(out[k][1], k ? 222u : 11u);
    }
}
END_TEST

START_TEST(bc7_blocks_of_every_mode)
{
    static const u64 want[8] = {
        0xc158f5fb4ed58563ull, 0x2323ecd1a7deeb1aull, 0x3722281ff15e89dcull, 0x2de9c61f85a24b21ull,
        0xee12adfe94246008ull, 0x86fb528b37e2c677ull, 0x05971cb9f399fe60ull, 0x218df6910897ef79ull,
    };
    u32 seed = 4711;
    for (u32 mode = 0; mode < 8; mode++) {
        u64 h = 0xcbf29ce484222325ull;
        for (u32 round = 0; round < 4096; round++) {
            u8 p[16], out[16][4];
            fill(p, 16, &seed);
            p[0] = (u8)((p[0] << 1 | 1) << mode);
            format_decode_block(AGPU_FMT_BC7, p, out);
            for (u32 k = 0; k < 64; k++) h = (h ^ out[k / 4][k % 4]) * 0x100000001b3ull;
        }
        ck_assert_msg(h == want[mode], "mode %u: 0x%016llxull", mode, (unsigned long long)h);
    }
    u8 none[16] = { 0, 1, 2, 3 }, out[16][4];
    format_decode_block(AGPU_FMT_BC7, none, out); /* no mode at all */
    for (u32 k = 0; k < 64; k++) ck_assert_uint_eq(out[k / 4][k % 4], 0);
}
END_TEST

Suite *aerogpu_bc_suite(void);
Suite *aerogpu_bc_suite(void)
{
    Suite *s = suite_create("aerogpu_bc");
    TCase *c = tcase_create("blocks");
    tcase_set_timeout(c, 60);
    const TTest *tests[] = { bc1_to_bc3_by_their_definition, bc7_mode_6_blends_two_colours_in_16_steps,
                             bc7_mode_5_has_its_own_alpha_and_rotates, bc7_blocks_of_every_mode };
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}
