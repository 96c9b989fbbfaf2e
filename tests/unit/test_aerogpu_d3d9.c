/* What Direct3D 9 needs beside test_aerogpu_draw.c: linkage between shader models, points, several targets, fog, pixel centres by choice,
 * and the limits of the executor's memory. */
#include "gpu/soft/settings.h"
#include "tests/unit/aerogpu_scene.h"

static u32 bits(float f)
{
    u32 v;
    memcpy(&v, &f, 4);
    return v;
}

static void near_color(u32 got, u32 want, const char *what)
{
    for (u32 k = 0; k < 4; k++) {
        i32 d = (i32)(got >> 8 * k & 255) - (i32)(want >> 8 * k & 255);
        ck_assert_msg(d >= -1 && d <= 1, "%s: %08x, expected %08x", what, got, want);
    }
}

/* --- linkage --- */

START_TEST(shader_model_2_feeds_3_by_usage)
{
    struct scene s;
    begin(&s, 4, 4, "vs_2_0\nmov oPos, v0\nmov oD0, v1\nmov oT3, v1.wzyx",
          "ps_3_0\ndcl_texcoord3 v5\ndcl_color0 v2\ndcl_texcoord4 v6\nadd r0, v2, v5\nadd oC0, r0, v6");
    rectangle(&s, -1, -1, 1, 1, 0, 0x10203040); /* a 10, r 20, g 30, b 40; reversed: r' = a, g' = b, b' = g, a' = r */
    near_color(result(&s)[0], (0x10 + 0x20) << 24 | (0x20 + 0x10) << 16 | (0x30 + 0x40) << 8 | (0x40 + 0x30), "oD0 + oT3");
    end(&s);
}
END_TEST

START_TEST(shader_model_3_feeds_2_by_usage)
{
    struct scene s;
    begin(&s, 4, 4, "vs_3_0\ndcl_position v0\ndcl_color v1\ndcl_texcoord1 o5\ndcl_position o3\ndcl_color0 o1\nmov o3, v0\nmov o5, v1\nmov o1, v1.zyxw",
          "ps_2_0\nadd r0, v0, t1\nmov oC0, r0");
    rectangle(&s, -2, -2, 2, 2, 0, 0x10203040);
    near_color(result(&s)[5], 0x20606060, "o1 + o5");
    end(&s);
}
END_TEST

START_TEST(colours_of_shader_model_2_are_clamped_and_3_not)
{
    struct scene s;
    begin(&s, 2, 2, "vs_2_0\ndef c9, 3, -1, 0.25, 0.5\nmov oPos, v0\nmov oD0, c9\nmov oT0, c9", "ps_2_0\ndef c0, 0.25, 0, 0, 0\nmul r0, v0, c0.x\nmov oC0, r0");
    rectangle(&s, -1, -1, 1, 1, 0, 0);
    near_color(result(&s)[0], 0x20400010, "v0 / 4");
    PUT(&s, AGPU_DESTROY_SHADER, 16, PS, 0);
    shader(&s, PS, "ps_2_0\ndef c0, 0.25, 0.25, 0, 0\nmad r0, t0, c0.x, c0.y\nmov oC0, r0", ASM_STANDARD);
    rectangle(&s, -1, -1, 1, 1, 0, 0);
    near_color(result(&s)[0], 0x60ff0050, "t0 / 4 + 1/4");
    end(&s);
}
END_TEST

/* --- points --- */

static void point(struct scene *s, float x, float y)
{
    const struct cv v = { x, y, 0, 1, 0xffffffff };
    PUT(s, AGPU_CLEAR, 36, 1, 0, 0, 0, 0, 0, 0);
    vertices(s, &v, sizeof(v), sizeof(v));
    draw(s, AGPU_TOPO_POINTS, 1);
}

static void expect_square(struct scene *s, u32 x0, u32 y0, u32 size, const char *what)
{
    const u32 *p = result(s);
    for (u32 y = 0; y < 16; y++) {
        for (u32 x = 0; x < 16; x++) {
            bool in = x >= x0 && x < x0 + size && y >= y0 && y < y0 + size;
            ck_assert_msg((p[y * 16 + x] != 0) == in, "%s: pixel %u,%u is %08x", what, x, y, p[y * 16 + x]);
        }
    }
}

START_TEST(point_sizes)
{
    struct scene s;
    begin(&s, 16, 16, vs_color, ps_color);
    point(&s, 0, 0);
    expect_square(&s, 7, 7, 1, "default"); /* from 7.5 to 8.5: the first centre is inside, the second is not */
    state(&s, 154, bits(6));
    point(&s, 0, 0);
    expect_square(&s, 5, 5, 6, "POINTSIZE 6");
    state(&s, 166, bits(4));
    point(&s, 0, 0);
    expect_square(&s, 6, 6, 4, "at most 4");
    state(&s, 154, bits(1));
    state(&s, 155, bits(2));
    point(&s, 0, 0);
    expect_square(&s, 7, 7, 2, "at least 2");
    end(&s);
    /* the shader's own size, clamped likewise */
    begin(&s, 16, 16, "vs_2_0\ndef c0, 8, 0, 0, 0\nmov oPos, v0\nmov oD0, v1\nmov oPts, c0.x", ps_color);
    state(&s, 154, bits(2));
    point(&s, 0, 0);
    expect_square(&s, 4, 4, 8, "oPts 8");
    state(&s, 166, bits(6));
    point(&s, 0, 0);
    expect_square(&s, 5, 5, 6, "oPts at most 6");
    end(&s);
}
END_TEST

START_TEST(point_sprites_run_over_the_square)
{
    struct scene s;
    begin(&s, 16, 16, "vs_2_0\nmov oPos, v0\nmov oD0, v1\nmov oT0, v1\nmov oT2, v1", "ps_2_0\nmov r0, t2\nmov r0.z, v0.z\nmov r0.w, t0.x\nmov oC0, r0");
    state(&s, 154, bits(8));
    point(&s, 0, 0);
    near_color(result(&s)[5 * 16 + 6], 0xffffffff, "no sprite");
    state(&s, 156, 1);
    point(&s, 0, 0);
    const u32 *p = result(&s);
    for (u32 k = 0; k < 8; k++) {
        u32 u = (u32)((k + 0.5) / 8 * 255 + 0.5), v = (u32)(2.5 / 8 * 255 + 0.5);
        near_color(p[6 * 16 + 4 + k], u << 24 | u << 16 | v << 8 | 0xff, "sprite");
    }
    end(&s);
}
END_TEST

/* --- targets --- */

START_TEST(four_targets_with_their_own_masks)
{
    struct scene s;
    begin(&s, 4, 4, vs_color, "ps_2_0\ndef c0, 1, 0, 0, 0.5\ndef c1, 0, 1, 0, 0.5\ndef c3, 0, 0, 1, 1\nmov oC0, c0\nmov oC1, c1\nmov oC3, c3");
    for (u32 k = 0; k < 3; k++) texture(&s, 20 + k, AGPU_FMT_B8G8R8A8, 4, 4);
    PUT(&s, AGPU_SET_RENDER_TARGETS, 48, 4, 0, RT, 20, 21, 22, 0, 0, 0, 0, AGPU_CLEAR, 36, 1, 0, 0, 0, 0, 0, 0);
    state(&s, 190, 15);
    state(&s, 192, 4 | 8); /* blue and alpha of target 3; the shader has no output for target 2 */
    rectangle(&s, -1, -1, 1, 1, 0, 0);
    ck_assert_uint_eq(result(&s)[0], 0x80ff0000);
    ck_assert_uint_eq(pixels_of(&s, 20, AGPU_FMT_B8G8R8A8, 4, 4)[0], 0x8000ff00);
    ck_assert_uint_eq(pixels_of(&s, 21, AGPU_FMT_B8G8R8A8, 4, 4)[0], 0);
    ck_assert_uint_eq(pixels_of(&s, 22, AGPU_FMT_B8G8R8A8, 4, 4)[0], 0xff0000ff);
    state(&s, 190, 0); /* taken literally */
    PUT(&s, AGPU_CLEAR, 36, 1, 0, 0, 0, 0, 0, 0);
    rectangle(&s, -1, -1, 1, 1, 0, 0);
    ck_assert_uint_eq(pixels_of(&s, 20, AGPU_FMT_B8G8R8A8, 4, 4)[0], 0);
    ck_assert_uint_eq(result(&s)[0], 0x80ff0000);
    end(&s);
}
END_TEST

START_TEST(alpha_test_looks_at_target_0_and_guards_depth)
{
    struct scene s;
    begin(&s, 4, 4, vs_color, "ps_2_0\ndef c0, 0, 0, 1, 1\nmov oC0, v0\nmov oC1, c0");
    texture(&s, 20, AGPU_FMT_B8G8R8A8, 4, 4);
    texture(&s, DS, AGPU_FMT_D32F, 4, 4);
    PUT(&s, AGPU_SET_RENDER_TARGETS, 48, 2, DS, RT, 20, 0, 0, 0, 0, 0, 0, AGPU_CLEAR, 36, 3, 0, 0, 0, 0, ONE, 0);
    state(&s, 15, 1);
    state(&s, 24, 0x80);
    state(&s, 25, 5); /* greater */
    rectangle(&s, -1, -1, 1, 1, 0.5f, 0x80ffffff);
    ck_assert_uint_eq(pixels_of(&s, 20, AGPU_FMT_B8G8R8A8, 4, 4)[0], 0);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D32F, 4, 4)[0], ONE);
    rectangle(&s, -1, -1, 1, 1, 0.5f, 0x81ffffff);
    ck_assert_uint_eq(pixels_of(&s, 20, AGPU_FMT_B8G8R8A8, 4, 4)[0], 0xff0000ff);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D32F, 4, 4)[0], bits(0.5f));
    end(&s);
}
END_TEST

/* --- fog --- */

static const char vs_fog[] = "vs_2_0\ndcl_position v0\ndcl_color v1\ndef c9, 0.25, 0, 0, 0\nmov oPos, v0\nmov oD0, v1\nmov oFog, c9.x";

static u32 fogged(struct scene *s, float z)
{
    PUT(s, AGPU_CLEAR, 36, 1, 0, 0, 0, 0, 0, 0);
    rectangle(s, -2, -2, 2, 2, z, 0x80ff0000);
    return result(s)[0];
}

START_TEST(fog_behind_application_shaders)
{
    struct scene s;
    begin_with(&s, "fog=on", 2, 2, vs_fog, ps_color);
    state(&s, 34, 0x0000ff40); /* fog is green and some blue */
    near_color(fogged(&s, 0.5f), 0x80ff0000, "off");
    state(&s, 28, 1);
    near_color(fogged(&s, 0.5f), 0x8040bf30, "a quarter of the colour");
    state(&s, 35, 3); /* linear by depth */
    state(&s, 36, bits(0.25f));
    state(&s, 37, bits(0.75f));
    near_color(fogged(&s, 0.125f), 0x80ff0000, "before the start");
    near_color(fogged(&s, 0.5f), 0x80808020, "half way");
    near_color(fogged(&s, 0.875f), 0x8000ff40, "behind the end");
    state(&s, 38, bits(2));
    state(&s, 35, 1);
    double f = __builtin_exp(-2 * 0.5);
    near_color(fogged(&s, 0.5f), 0x80000000 | (u32)(f * 255 + 0.5) << 16 | (u32)((1 - f) * 255 + 0.5) << 8 | (u32)((1 - f) * 64 + 0.5), "exp");
    state(&s, 35, 2);
    f = __builtin_exp(-(2 * 0.25) * (2 * 0.25));
    near_color(fogged(&s, 0.25f), 0x80000000 | (u32)(f * 255 + 0.5) << 16 | (u32)((1 - f) * 255 + 0.5) << 8 | (u32)((1 - f) * 64 + 0.5), "exp2");
    PUT(&s, AGPU_DESTROY_SHADER, 16, VS, 0);
    shader(&s, VS, vs_color, ASM_STANDARD); /* the driver's shaders have their own */
    near_color(fogged(&s, 0.5f), 0x80ff0000, "without dcl");
    end(&s);
    begin(&s, 2, 2, vs_fog, ps_color); /* and by default there is none */
    state(&s, 34, 0x0000ff40);
    state(&s, 28, 1);
    near_color(fogged(&s, 0.5f), 0x80ff0000, "by default");
    end(&s);
}
END_TEST

/* --- pixel centres --- */

/* Whether a rectangle on 2 x 2 pixels reaches the second column's centres. */
static bool shifted(struct scene *s)
{
    PUT(s, AGPU_CLEAR, 36, 1, 0, 0, 0, 0, 0, 0);
    rectangle(s, -2, -2, 0.25f, 2, 0, 0xffffffff); /* up to x = 1.25, or 1.75 when it moves; the centres are at 1.5 */
    const u32 *p = result(s);
    ck_assert_uint_eq(p[0], 0xffffffff);
    return p[1] != 0;
}

START_TEST(pixel_centres_by_choice)
{
    static const char vs_dcl[] = "vs_2_0\ndcl_position v0\ndcl_color v1\nmov oPos, v0\nmov oD0, v1";
    static const struct {
        const char *setting, *vs;
        u32 context;
        bool moves;
    } cases[] = {
        { "", vs_color, 1, false },          { "", vs_dcl, 1, true },
        { "centre=auto", vs_dcl, 1, true },  { "centre=off", vs_dcl, 1, false },
        { "centre=on", vs_color, 1, true },  { "centre=off,centre@3=on", vs_dcl, 3, true },
        { "centre@3=on", vs_color, 1, false }, { "centre@3=on", vs_color, 3, true },
        { "memory=64,centre@3=off,fog=off", vs_dcl, 3, false },
    };
    for (u32 k = 0; k < LEN(cases); k++) {
        struct scene s;
        begin_with(&s, cases[k].setting, 2, 2, cases[k].vs, ps_color);
        s.context = cases[k].context;
        ck_assert_msg(shifted(&s) == cases[k].moves, "case %u", k);
        end(&s);
    }
}
END_TEST

START_TEST(settings_that_do_not_exist)
{
    static const char *const bad[] = { "fog", "fog=yes", "centre=up", "centre@=on", "centre@x=on", "memory=0", "memory=1x", "memory=99999999",
                                       "colour=red", "fog=on,,", "centre@99999999999=on" };
    struct soft_settings s;
    for (u32 k = 0; k < LEN(bad); k++) {
        struct error e = { { 0 } };
        ck_assert_msg(soft_settings_parse(&s, bad[k], &e) == -1, "\"%s\" was taken", bad[k]);
    }
    ck_assert_int_eq(soft_settings_parse(&s, NULL, NULL), 0);
    ck_assert_uint_eq(s.memory_cap, 512 * MIB);
}
END_TEST

/* --- limits --- */

START_TEST(memory_has_a_cap)
{
    struct scene s;
    begin_with(&s, "memory=1", 4, 4, vs_tex, ps_tex);
    texture(&s, TEX, AGPU_FMT_B8G8R8A8, 512, 512); /* 1 MiB, and the target is there already: it exists and reads 0 */
    u32 white[4] = { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff };
    upload(&s, TEX, white, 16);
    PUT(&s, AGPU_CLEAR, 36, 1, ONE, ONE, ONE, ONE, 0, 0);
    textured(&s, 0, 0, 0, 0);
    ck_assert_uint_eq(result(&s)[0], 0);
    PUT(&s, AGPU_DESTROY_RESOURCE, 16, TEX, 0);
    texture(&s, TEX, AGPU_FMT_B8G8R8A8, 2, 2); /* the handle is free again, and this one fits */
    upload(&s, TEX, white, 16);
    textured(&s, 0, 0, 1, 1);
    ck_assert_uint_eq(result(&s)[0], 0xffffffff);
    end(&s);
}
END_TEST

START_TEST(sizes_beyond_the_limits_are_dropped)
{
    struct scene s;
    begin(&s, 4, 4, vs_color, ps_color);
    texture(&s, 20, AGPU_FMT_B8G8R8A8, 16385, 1);
    texture(&s, 20, AGPU_FMT_B8G8R8A8, 0, 1);
    PUT(&s, AGPU_CREATE_TEXTURE2D, 56, 20, 8, AGPU_FMT_B8G8R8A8, 4, 4, 1, 2049, 0, 0, 0, 0, 0);
    PUT(&s, AGPU_CREATE_TEXTURE2D, 56, 20, 8, AGPU_FMT_B8G8R8A8, 16384, 16384, 15, 2048, 0, 0, 0, 0, 0); /* terabytes */
    PUT(&s, AGPU_CREATE_TEXTURE2D, 56, 20, 8, AGPU_FMT_B8G8R8A8, 16384, 16384, 1, 1, 0xfffffffc, 0, 0, 0, 0);
    PUT(&s, AGPU_CREATE_BUFFER, 40, 20, 1, 0x10000004, 0, 0, 0, 0, 0, AGPU_CREATE_BUFFER, 40, 20, 1, 0xfffffffc, 0xffffffff, 0, 0, 0, 0);
    texture(&s, 20, AGPU_FMT_B8G8R8A8, 4, 4); /* the handle was never taken */
    PUT(&s, AGPU_SET_RENDER_TARGETS, 48, 1, 0, 20, 0, 0, 0, 0, 0, 0, 0, AGPU_CLEAR, 36, 1, ONE, ONE, ONE, ONE, 0, 0);
    ck_assert_uint_eq(pixels_of(&s, 20, AGPU_FMT_B8G8R8A8, 4, 4)[15], 0xffffffff);
    end(&s);
}
END_TEST

START_TEST(numbers_that_are_none)
{
    struct scene s;
    begin(&s, 4, 4, vs_color, ps_color);
    const u32 nan = 0x7fc00000, inf = 0x7f800000;
    PUT(&s, AGPU_CLEAR, 36, 1, nan, inf, 0xff800000, ONE, 0, 0);
    ck_assert_uint_eq(result(&s)[0], 0xff00ff00);
    PUT(&s, AGPU_SET_VIEWPORT, 32, nan, nan, nan, nan, nan, nan);
    rectangle(&s, -1, -1, 1, 1, 0, 0xffffffff); /* without a size: the whole target */
    ck_assert_uint_eq(count_of(&s, result(&s), 0xffffffff), 16);
    PUT(&s, AGPU_CLEAR, 36, 1, 0, 0, 0, 0, 0, 0, AGPU_SET_VIEWPORT, 32, 0xff800000, 0, inf, bits(4), 0, ONE);
    rectangle(&s, -1, -1, 1, 1, 0, 0xffffffff); /* -32768 .. 0: beside the target */
    ck_assert_uint_eq(count_of(&s, result(&s), 0), 16);
    texture(&s, DS, AGPU_FMT_D32F, 4, 4);
    PUT(&s, AGPU_SET_RENDER_TARGETS, 48, 1, DS, RT, 0, 0, 0, 0, 0, 0, 0, AGPU_SET_VIEWPORT, 32, 0, 0, 0, 0, 0, ONE);
    PUT(&s, AGPU_CLEAR, 36, 2, 0, 0, 0, 0, nan, 0);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D32F, 4, 4)[0], 0);
    PUT(&s, AGPU_CLEAR, 36, 2, 0, 0, 0, 0, inf, 0);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D32F, 4, 4)[0], ONE);
    end(&s);
}
END_TEST

Suite *aerogpu_d3d9_suite(void);
Suite *aerogpu_d3d9_suite(void)
{
    Suite *s = suite_create("aerogpu_d3d9");
    TCase *c = tcase_create("rules");
    tcase_set_timeout(c, 60);
    const TTest *tests[] = { shader_model_2_feeds_3_by_usage,
                             shader_model_3_feeds_2_by_usage,
                             colours_of_shader_model_2_are_clamped_and_3_not,
                             point_sizes,
                             point_sprites_run_over_the_square,
                             four_targets_with_their_own_masks,
                             alpha_test_looks_at_target_0_and_guards_depth,
                             fog_behind_application_shaders,
                             pixel_centres_by_choice,
                             settings_that_do_not_exist,
                             memory_has_a_cap,
                             sizes_beyond_the_limits_are_dropped,
                             numbers_that_are_none };
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}
