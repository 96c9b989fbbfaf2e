/* What Direct3D 10 and 11 draws read and write besides vertices: constant buffers, textures, views, samplers, buffers as textures, targets
 * by view. Statements 191, 197 and 202 of AeroGPU's contract. */
#include <math.h>

#include "gpu/soft/format.h"
#include "tests/unit/aerogpu_scene10.h"

enum { TEX2 = 20, VIEW = 21, SAMPLER = 22, CB = 23, BUF = 24, RT2 = 25 };
#define CONSTANT_BUFFERS(stage, start, ...) \
    AGPU_SET_CONSTANT_BUFFERS, 24 + (u32)sizeof((const u32[]){ __VA_ARGS__ }), stage, start, (u32)sizeof((const u32[]){ __VA_ARGS__ }) / 16, 0, __VA_ARGS__
#define CREATE_VIEW(handle, tex, format, mip, mips, layer, layers) \
    AGPU_CREATE_TEXTURE_VIEW, 44, handle, tex, format, mip, mips, layer, layers, 0, 0

/* A pixel shader of which `code` computes o0, with t0 of the dimension given and s0. v1 is the colour. */
static const char *ps_with(const char *dim, const char *code)
{
    static char text[2048];
    snprintf(text, sizeof(text),
             PS_DECLS "dcl_input_ps_siv linear noperspective v0.xyzw, position\ndcl_input_ps linear v1.xyzw\ndcl_constantbuffer cb0[4], immediateIndexed\n"
                      "dcl_sampler s0, mode_default\ndcl_resource_%s (float,float,float,float) t0\ndcl_temps 2\n%s\nret",
             dim, code);
    return text;
}

static void use_ps(struct scene *s, const char *dim, const char *code)
{
    shader4(s, PS, ps_with(dim, code), SM4_DXBC);
}

static void sampler4(struct scene *s, u32 filter, u32 u, u32 v)
{
    PUT(s, AGPU_DESTROY_SAMPLER, 16, SAMPLER, 0, AGPU_CREATE_SAMPLER, 28, SAMPLER, filter, u, v, 0, AGPU_SET_SAMPLERS, 28, AGPU_STAGE_PIXEL, 0, 1, 0,
        SAMPLER);
}

/* The target with the colour's r and g as coordinates that run from (u0, v0) to (u1, v1). */
static const u32 *sampled(struct scene *s, float u0, float v0, float u1, float v1)
{
    const struct v4 v[4] = { { -1, 1, 0, 1, u0, v0, 0, 0 }, { 1, 1, 0, 1, u1, v0, 0, 0 }, { -1, -1, 0, 1, u0, v1, 0, 0 }, { 1, -1, 0, 1, u1, v1, 0, 0 } };
    vertices(s, v, sizeof(v), sizeof(v[0]));
    draw(s, AGPU_TOPO_STRIP, 4);
    return result(s);
}

/* --- constants --- */

START_TEST(ag_202_constant_buffers)
{
    struct scene s;
    float c[8][4];
    for (u32 k = 0; k < 32; k++) c[k / 4][k % 4] = (float)(k + 1) / 64;
    begin4(&s, 2, 2, VS4, PS_DECLS "dcl_constantbuffer cb2[8], dynamicIndexed\nmov o0.xyzw, cb2[1].xyzw\nret");
    buffer4(&s, CB, c, sizeof(c));
    static const struct {
        u32 offset, size;
        i32 want[4]; /* which float, 1 for the first; 0: zero */
    } cases[] = { { 0, 0, { 5, 6, 7, 8 } },   { 16, 0, { 9, 10, 11, 12 } }, { 4, 0, { 6, 7, 8, 9 } },     { 0, 24, { 5, 6, 0, 0 } }, { 0, 16, { 0, 0, 0, 0 } },
                  { 96, 0, { 29, 30, 31, 32 } }, { 104, 0, { 31, 32, 0, 0 } }, { 112, 0, { 0, 0, 0, 0 } }, { 128, 0, { 0, 0, 0, 0 } },
                  { 0xfffffff0, 0xffffffff, { 0, 0, 0, 0 } }, { 0, 0xffffffff, { 5, 6, 7, 8 } } };
    for (u32 k = 0; k < LEN(cases); k++) {
        PUT(&s, CONSTANT_BUFFERS(AGPU_STAGE_PIXEL, 2, CB, cases[k].offset, cases[k].size, 0));
        whole4(&s, 0, 0, 0, 0);
        u32 want = 0;
        for (u32 n = 0; n < 4; n++) want |= (u32)(cases[k].want[n] / 64.0 * 255 + 0.5) << (n == 3 ? 24 : 16 - 8 * n);
        ck_assert_msg(result(&s)[0] == want, "case %u: %08x, expected %08x", k, result(&s)[0], want);
    }
    /* slots from 14 on do not exist: the whole packet is dropped */
    PUT(&s, CONSTANT_BUFFERS(AGPU_STAGE_PIXEL, 13, 0, 0, 0, 0, 0, 0, 0, 0), CONSTANT_BUFFERS(AGPU_STAGE_PIXEL, 0xffffffff, 0, 0, 0, 0));
    PUT(&s, CONSTANT_BUFFERS(AGPU_STAGE_PIXEL, 2, CB, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                             0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    whole4(&s, 0, 0, 0, 0);
    near_color(result(&s)[0], 0x2014181c, "still bound"); /* floats 5 to 8 */
    PUT(&s, CONSTANT_BUFFERS(AGPU_STAGE_PIXEL, 2, 0, 0, 0, 0)); /* unbound reads 0; another stage's is another */
    PUT(&s, CONSTANT_BUFFERS(AGPU_STAGE_VERTEX, 2, CB, 0, 0, 0));
    whole4(&s, 0, 0, 0, 0);
    ck_assert_uint_eq(result(&s)[0], 0);
    end(&s);
}
END_TEST

START_TEST(computed_indices_into_constants_stay_inside)
{
    struct scene s;
    const float c[2][4] = { { 0.25f, 0.5f, 0.75f, 1 }, { 1, 0, 1, 0 } };
    begin4(&s, 4, 1, VS4,
           PS_DECLS "dcl_input_ps_siv linear noperspective v0.xyzw, position\ndcl_constantbuffer cb0[2], dynamicIndexed\ndcl_temps 1\n"
                    "ftoi r0.x, v0.x\nmov o0.xyzw, cb0[r0.x + 0].xyzw\nret");
    buffer4(&s, CB, c, sizeof(c));
    PUT(&s, CONSTANT_BUFFERS(AGPU_STAGE_PIXEL, 0, CB, 0, 0, 0));
    whole4(&s, 0, 0, 0, 0);
    const u32 *p = result(&s);
    near_color(p[0], 0xff4080bf, "element 0");
    near_color(p[1], 0x00ff00ff, "element 1");
    ck_assert_uint_eq(p[2], 0);
    ck_assert_uint_eq(p[3], 0);
    end(&s);
}
END_TEST

START_TEST(constants_of_the_old_packet_are_b0)
{
    struct scene s;
    begin4(&s, 2, 2, VS4, PS_DECLS "dcl_constantbuffer cb0[300], immediateIndexed\nadd o0.xyzw, cb0[1].xyzw, cb0[299].xyzw\nret");
    constants(&s, AGPU_STAGE_PIXEL, 1, 0.25f, 0.5f, 0.125f, 0.5f);
    constants(&s, AGPU_STAGE_PIXEL, 299, 0.25f, 0.25f, 0.125f, 0.5f);
    whole4(&s, 0, 0, 0, 0);
    near_color(result(&s)[0], 0xff80bf40, "c1 + c299");
    const float c[4] = { 1, 0, 0, 1 };
    buffer4(&s, CB, c, 16);
    PUT(&s, CONSTANT_BUFFERS(AGPU_STAGE_PIXEL, 0, CB, 0, 0, 0)); /* bound, it is itself */
    whole4(&s, 0, 0, 0, 0);
    ck_assert_uint_eq(result(&s)[0], 0);
    end(&s);
}
END_TEST

/* --- textures --- */

START_TEST(ag_191_unbound_textures)
{
    struct scene s;
    begin4(&s, 2, 2, VS4, ps_with("texture2d", "sample o0.xyzw, v1.xyxx, t0.xyzw, s0"));
    PUT(&s, CLEAR_COLOR(ONE, ONE, ONE, 0));
    ck_assert_uint_eq(sampled(&s, 0, 0, 1, 1)[0], 0xff000000);
    use_ps(&s, "texture2d", "ftoi r0.xyzw, v0.xyxx\nmov r0.zw, l(0, 0, 0, 0)\nld o0.xyzw, r0.xyzw, t0.xyzw");
    PUT(&s, CLEAR_COLOR(ONE, ONE, ONE, 0));
    ck_assert_uint_eq(sampled(&s, 0, 0, 1, 1)[0], 0xff000000);
    texture4(&s, TEX, AGPU_FMT_B8G8R8A8, 1, 1, 1, 1, (const u32[]){ 0x12345678 }, 4);
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, TEX);
    ck_assert_uint_eq(sampled(&s, 0, 0, 1, 1)[0], 0x12345678);
    PUT(&s, AGPU_DESTROY_RESOURCE, 16, TEX, 0); /* destroyed is unbound */
    ck_assert_uint_eq(sampled(&s, 0, 0, 1, 1)[0], 0xff000000);
    end(&s);
}
END_TEST

START_TEST(ag_197_direct3d_9_tokens_in_a_container)
{
    struct scene s;
    struct d3d9_asm a;
    u32 blob_words[256];
    begin(&s, 4, 4, vs_color, ps_color);
    static const char *const texts[2] = { vs_color, "ps_2_0\nmov r0, v0.zyxw\nmov oC0, r0" };
    for (u32 k = 0; k < 2; k++) {
        u32 size = d3d9_assemble(&a, texts[k], k ? ASM_DRIVER : ASM_STANDARD), total = 36 + 8 + size;
        const u32 head[11] = { 0x43425844, 1, 2, 3, 4, 1, total, 1, 36, 0x52444853, size };
        memcpy(blob_words, head, 44);
        memcpy(blob_words + 11, a.words, size);
        PUT(&s, AGPU_DESTROY_SHADER, 16, VS + k, 0);
        blob(&s, AGPU_CREATE_SHADER_DXBC, (const u32[]){ VS + k, k, total, 0 }, 4, blob_words, total);
    }
    rectangle(&s, -1, -1, 0, 1, 0, 0x80ff4020);
    const u32 *p = result(&s);
    for (u32 k = 0; k < 16; k++) ck_assert_uint_eq(p[k], k % 4 < 2 ? 0x802040ff : 0);
    end(&s);
}
END_TEST

START_TEST(sampler_objects)
{
    struct scene s;
    begin4(&s, 8, 1, VS4, ps_with("texture2d", "sample o0.xyzw, v1.xyxx, t0.xyzw, s0"));
    texture4(&s, TEX, AGPU_FMT_B8G8R8A8, 2, 1, 1, 1, (const u32[]){ 0xff000000, 0xff0000ff }, 8);
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, TEX);
    static const char *const want[] = { "00011111", "01010101", "10011001" }; /* texels -2 to 5: clamp, repeat, mirror */
    for (u32 mode = 0; mode < 4; mode++) { /* 3 is unknown: clamp */
        sampler4(&s, AGPU_FILTER_NEAREST, mode, 0);
        const u32 *p = sampled(&s, -1, 0, 3, 1);
        for (u32 k = 0; k < 8; k++) ck_assert_msg((p[k] & 255) == (want[mode % 3][k] == '1' ? 255u : 0u), "mode %u, pixel %u: %08x", mode, k, p[k]);
    }
    for (u32 filter = 1; filter < 3; filter++) { /* 2 is unknown: linear */
        sampler4(&s, filter, 0, 0);
        const u32 *p = sampled(&s, 0, 0, 1, 1);
        for (u32 k = 0; k < 8; k++) {
            double x = (k + 0.5) / 4 - 0.5, w = x < 0 ? 0 : x > 1 ? 1 : x;
            ck_assert_uint_eq(p[k] & 255, (u32)(w * 255 + 0.5));
        }
    }
    PUT(&s, AGPU_DESTROY_SAMPLER, 16, SAMPLER, 0); /* the default: nearest and clamped */
    const u32 *p = sampled(&s, -1, 0, 3, 1);
    for (u32 k = 0; k < 8; k++) ck_assert_uint_eq(p[k] & 255, want[0][k] == '1' ? 255u : 0u);
    sampler4(&s, 1, 1, 0);
    PUT(&s, AGPU_SET_SAMPLERS, 28, AGPU_STAGE_PIXEL, 0, 1, 0, 0, AGPU_SET_SAMPLERS, 32, AGPU_STAGE_PIXEL, 15, 2, 0, SAMPLER, SAMPLER);
    p = sampled(&s, -1, 0, 3, 1);
    for (u32 k = 0; k < 8; k++) ck_assert_uint_eq(p[k] & 255, want[0][k] == '1' ? 255u : 0u);
    end(&s);
}
END_TEST

/* t and s are numbered apart: one texture with two samplers, two textures with one. */
START_TEST(textures_and_samplers_are_numbered_apart)
{
    struct scene s;
    begin4(&s, 1, 1, VS4,
           PS_DECLS "dcl_input_ps linear v1.xyzw\ndcl_sampler s2, mode_default\ndcl_sampler s15, mode_default\ndcl_resource_texture2d (float,float,float,float) t7\n"
                    "dcl_resource_texture2d (float,float,float,float) t127\ndcl_temps 3\nsample r0.xyzw, v1.xyxx, t7.xyzw, s2\nsample r1.xyzw, v1.xyxx, t7.xyzw, s15\n"
                    "sample r2.xyzw, v1.xyxx, t127.xyzw, s2\nmov o0.x, r0.x\nmov o0.y, r1.x\nmov o0.z, r2.x\nmov o0.w, l(1.0)\nret");
    texture4(&s, TEX, AGPU_FMT_B8G8R8A8, 2, 1, 1, 1, (const u32[]){ 0xff000000, 0xffff0000 }, 8);
    texture4(&s, TEX2, AGPU_FMT_B8G8R8A8, 2, 1, 1, 1, (const u32[]){ 0xff400000, 0xff200000 }, 8);
    bind_texture(&s, AGPU_STAGE_PIXEL, 7, TEX);
    bind_texture(&s, AGPU_STAGE_PIXEL, 127, TEX2);
    PUT(&s, AGPU_CREATE_SAMPLER, 28, SAMPLER, AGPU_FILTER_LINEAR, 0, 0, 0, AGPU_SET_SAMPLERS, 28, AGPU_STAGE_PIXEL, 15, 1, 0, SAMPLER);
    near_color(sampled(&s, 0.5f, 0.5f, 0.5f, 0.5f)[0], 0xffff8020, "nearest t7, linear t7, nearest t127");
    end(&s);
}
END_TEST

/* 4 x 4 in 3 mips and 3 layers; a texel says layer (red), mip (green) and place (blue). */
static void pyramid(struct scene *s, u32 format)
{
    u32 texels[3 * 21], n = 0;
    for (u32 layer = 0; layer < 3; layer++) {
        for (u32 mip = 0; mip < 3; mip++) {
            for (u32 k = 0; k < 16u >> (2 * mip); k++) texels[n++] = 0xff000000 | (layer + 1) << 20 | (mip + 1) << 12 | (k + 1) * 8;
        }
    }
    texture4(s, TEX, format, 4, 4, 3, 3, texels, sizeof(texels));
    bind_texture(s, AGPU_STAGE_PIXEL, 0, TEX);
}
#define TEXEL(layer, mip, place) (0xff000000u | ((layer) + 1u) << 20 | ((mip) + 1u) << 12 | ((place) + 1u) * 8)

START_TEST(arrays_and_levels)
{
    struct scene s;
    begin4(&s, 8, 1, VS4, PS4);
    pyramid(&s, AGPU_FMT_B8G8R8A8);
    /* the layer is the nearest one, the level comes from the other coordinate */
    use_ps(&s, "texture2darray", "mov r0.xy, l(0.1, 0.1, 0.0, 0.0)\nmov r0.z, v1.x\nsample_l o0.xyzw, r0.xyzw, t0.xyzw, s0, v1.y");
    const u32 *p = sampled(&s, -1, 0, 3, 0); /* -0.75, -0.25, ... 2.75 */
    static const u32 layers[8] = { 0, 0, 0, 1, 1, 2, 2, 2 };
    for (u32 k = 0; k < 8; k++) ck_assert_msg(p[k] == TEXEL(layers[k], 0, 0), "%u: %08x", k, p[k]);
    p = sampled(&s, 1, 1, 1, 1);
    ck_assert_uint_eq(p[0], TEXEL(1, 1, 0));
    p = sampled(&s, 1, 9, 1, 9);
    ck_assert_uint_eq(p[0], TEXEL(1, 2, 0));
    p = sampled(&s, 1, -9, 1, -9);
    ck_assert_uint_eq(p[0], TEXEL(1, 0, 0));
    sampler4(&s, AGPU_FILTER_LINEAR, 0, 0); /* linear means between levels, too */
    p = sampled(&s, 0, 1.5f, 0, 1.5f);
    ck_assert_uint_eq(p[0] >> 8 & 255, 0x28);
    /* a plain 2D shader sees layer 0 */
    use_ps(&s, "texture2d", "mov r0.xyzw, l(0.1, 0.1, 2.0, 0.0)\nsample_l o0.xyzw, r0.xyzw, t0.xyzw, s0, l(0.0)");
    ck_assert_uint_eq(sampled(&s, 0, 0, 0, 0)[0], TEXEL(0, 0, 0));
    /* bias and gradients */
    sampler4(&s, AGPU_FILTER_NEAREST, 1, 1);
    use_ps(&s, "texture2d", "sample_b o0.xyzw, v1.xyxx, t0.xyzw, s0, l(1.0)");
    ck_assert_uint_eq(sampled(&s, 0, 0, 2, 0)[0] >> 12 & 15, 2); /* one texel per pixel: 0, and 1 */
    use_ps(&s, "texture2d", "sample_d o0.xyzw, v1.xyxx, t0.xyzw, s0, l(0.0, 1.0, 0.0, 0.0), l(0.25, 0.0, 0.0, 0.0)");
    ck_assert_uint_eq(sampled(&s, 0, 0, 0, 0)[0] >> 12 & 15, 3);
    end(&s);
}
END_TEST

START_TEST(views_choose_levels_layers_and_format)
{
    struct scene s;
    begin4(&s, 8, 1, VS4, PS4);
    pyramid(&s, AGPU_FMT_B8G8R8A8);
    PUT(&s, CREATE_VIEW(VIEW, TEX, AGPU_FMT_B8G8R8A8, 1, 2, 1, 2));
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, VIEW);
    use_ps(&s, "texture2darray", "mov r0.xy, l(0.1, 0.1, 0.0, 0.0)\nmov r0.z, v1.x\nsample_l o0.xyzw, r0.xyzw, t0.xyzw, s0, v1.y");
    ck_assert_uint_eq(sampled(&s, 0, 0, 0, 0)[0], TEXEL(1, 1, 0));
    ck_assert_uint_eq(sampled(&s, 9, 9, 9, 9)[0], TEXEL(2, 2, 0));
    /* single texels through the view; whatever is outside reads 0 */
    use_ps(&s, "texture2darray", "ftoi r0.xyz, v1.xyxx\nmov r0.w, l(0)\nftoi r0.x, v0.x\niadd r0.x, r0.x, l(-1)\nmov r0.y, l(1)\nftoi r0.z, v1.x\nftoi r0.w, v1.y\nld o0.xyzw, r0.xyzw, t0.xyzw");
    for (i32 layer = -1; layer < 3; layer++) {
        for (i32 mip = -1; mip < 3; mip++) {
            const u32 *p = sampled(&s, (float)layer * 1.5f, (float)mip * 1.5f, (float)layer * 1.5f, (float)mip * 1.5f);
            i32 l = (i32)truncf((float)layer * 1.5f), m = (i32)truncf((float)mip * 1.5f);
            for (i32 x = -1; x < 7; x++) {
                bool in = l >= 0 && l < 2 && m == 0 && x >= 0 && x < 2; /* row 1 exists in the first level of the view alone */
                ck_assert_msg(p[x + 1] == (in ? TEXEL(l + 1, 1, 2 + x) : 0), "layer %d, mip %d, x %d: %08x", l, m, x, p[x + 1]);
            }
        }
    }
    /* the sRGB twin decodes; alpha is as it is */
    texture4(&s, TEX2, AGPU_FMT_R8G8B8A8, 1, 1, 1, 1, (const u32[]){ 0x80bc80ff }, 4);
    PUT(&s, CREATE_VIEW(VIEW + 10, TEX2, AGPU_FMT_R8G8B8A8_SRGB, 0, 1, 0, 1));
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, VIEW + 10);
    use_ps(&s, "texture2d", "sample o0.xyzw, v1.xyxx, t0.xyzw, s0");
    near_color(sampled(&s, 0, 0, 1, 1)[0], 0x80ff377f, "decoded");
    end(&s);
}
END_TEST

START_TEST(sizes_of_textures)
{
    struct scene s;
    begin4(&s, 1, 1, VS4, PS4);
    pyramid(&s, AGPU_FMT_B8G8R8A8);
    PUT(&s, CREATE_VIEW(VIEW, TEX, AGPU_FMT_B8G8R8A8, 1, 2, 1, 2));
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, VIEW);
    static const struct {
        const char *code;
        u32 want;
    } cases[] = { { "resinfo r0.xyzw, l(0), t0.xyzw\nmul o0.xyzw, r0.xyzw, l(0.125, 0.125, 0.125, 0.125)", 0x40404040 },
                  { "resinfo r0.xyzw, l(1), t0.xyzw\nmul o0.xyzw, r0.xyzw, l(0.125, 0.125, 0.125, 0.125)", 0x40202040 },
                  { "resinfo_rcpfloat r0.xyzw, l(0), t0.xyzw\nmul o0.xyzw, r0.xyzw, l(0.5, 0.25, 0.125, 0.125)", 0x40402040 },
                  { "resinfo_uint r0.xyzw, l(0), t0.xyzw\nutof r0.xyzw, r0.xyzw\nmul o0.xyzw, r0.xyzw, l(0.125, 0.125, 0.125, 0.125)", 0x40404040 },
                  { "resinfo r0.xyzw, l(2), t0.xyzw\nmul o0.xyzw, r0.xyzw, l(0.125, 0.125, 0.125, 0.125)", 0x40000000 },
                  { "resinfo r0.xyzw, l(-1), t0.xyzw\nmul o0.xyzw, r0.xyzw, l(0.125, 0.125, 0.125, 0.125)", 0x40000000 } };
    for (u32 k = 0; k < LEN(cases); k++) {
        use_ps(&s, "texture2darray", cases[k].code);
        near_color(sampled(&s, 0, 0, 0, 0)[0], cases[k].want, cases[k].code);
    }
    end(&s);
}
END_TEST

START_TEST(cubes)
{
    static const char *const directions[6] = { "1.0, 0.1, -0.2", "-1.0, 0.1, 0.2", "0.1, 1.0, 0.2", "0.1, -1.0, 0.2", "0.1, 0.2, 1.0", "0.1, 0.2, -1.0" };
    struct scene s;
    u32 texels[6];
    begin4(&s, 1, 1, VS4, PS4);
    for (u32 k = 0; k < 6; k++) texels[k] = 0xff000000 | (k + 1) * 0x201008;
    texture4(&s, TEX, AGPU_FMT_B8G8R8A8, 1, 1, 1, 6, texels, sizeof(texels));
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, TEX);
    for (u32 k = 0; k < 6; k++) {
        char code[128];
        snprintf(code, sizeof(code), "sample_l o0.xyzw, l(%s, 0.0), t0.xyzw, s0, l(0.0)", directions[k]);
        use_ps(&s, "texturecube", code);
        ck_assert_uint_eq(sampled(&s, 0, 0, 0, 0)[0], texels[k]);
    }
    end(&s);
}
END_TEST

START_TEST(formats_without_alpha_and_depth)
{
    struct scene s;
    begin4(&s, 1, 1, VS4, ps_with("texture2d", "sample o0.xyzw, v1.xyxx, t0.xyzw, s0"));
    texture4(&s, TEX, AGPU_FMT_B8G8R8X8, 1, 1, 1, 1, (const u32[]){ 0x00102030 }, 4);
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, TEX);
    ck_assert_uint_eq(sampled(&s, 0, 0, 0, 0)[0], 0xff102030);
    texture4(&s, TEX, AGPU_FMT_B5G6R5, 1, 1, 1, 1, (const u32[]){ 0xf81f }, 2);
    ck_assert_uint_eq(sampled(&s, 0, 0, 0, 0)[0], 0xffff00ff);
    texture4(&s, TEX, AGPU_FMT_D24S8, 1, 1, 1, 1, (const u32[]){ 0xff800000 }, 4); /* red is depth */
    near_color(sampled(&s, 0, 0, 0, 0)[0], 0xff800000, "depth");
    use_ps(&s, "texture2d", "ld o0.xyzw, l(0, 0, 0, 0), t0.xyzw");
    near_color(sampled(&s, 0, 0, 0, 0)[0], 0xff800000, "depth by ld");
    end(&s);
}
END_TEST

START_TEST(comparisons)
{
    struct scene s;
    const float depth[4] = { 0.25f, 0.75f, 0.25f, 0.75f };
    begin4(&s, 1, 1, VS4,
           PS_DECLS "dcl_input_ps linear v1.xyzw\ndcl_sampler s0, mode_comparison\ndcl_resource_texture2d (float,float,float,float) t0\ndcl_temps 1\n"
                    "sample_c_lz r0.x, v1.xyxx, t0.xyzw, s0, l(0.5)\nsample_c_lz r0.y, v1.xyxx, t0.xyzw, s0, l(0.75)\nsample_c r0.z, v1.xyxx, t0.xyzw, s0, l(0.8)\n"
                    "mov r0.w, l(1.0)\nmov o0.xyzw, r0.xyzw\nret");
    texture4(&s, TEX, AGPU_FMT_D32F, 2, 2, 1, 1, depth, sizeof(depth));
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, TEX);
    ck_assert_uint_eq(sampled(&s, 0.25f, 0.5f, 0.25f, 0.5f)[0], 0xff000000);
    ck_assert_uint_eq(sampled(&s, 0.75f, 0.5f, 0.75f, 0.5f)[0], 0xffffff00); /* less or equal */
    sampler4(&s, AGPU_FILTER_LINEAR, 0, 0);
    near_color(sampled(&s, 0.625f, 0.5f, 0.625f, 0.5f)[0], 0xffbfbf00, "compared, then filtered");
    /* sample_c chooses the level as other samples do */
    const float pyramids[5] = { 0.25f, 0.25f, 0.25f, 0.25f, 0.75f };
    texture4(&s, TEX, AGPU_FMT_D32F, 2, 2, 2, 1, pyramids, sizeof(pyramids));
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, TEX);
    shader4(&s, PS,
            PS_DECLS "dcl_input_ps_siv linear noperspective v0.xyzw, position\ndcl_sampler s0, mode_comparison\ndcl_resource_texture2d (float,float,float,float) t0\n"
                     "dcl_temps 1\nmov r0.xy, v0.xyxx\nsample_c o0.x, r0.xyxx, t0.xyzw, s0, l(0.5)\nmul r0.xy, r0.xyxx, l(0.70710678, 0.70710678, 0.0, 0.0)\n"
                     "sample_c o0.y, r0.xyxx, t0.xyzw, s0, l(0.5)\nsample_c_lz o0.z, r0.xyxx, t0.xyzw, s0, l(0.5)\nmov o0.w, l(1.0)\nret",
            SM4_DXBC);
    near_color(sampled(&s, 0, 0, 0, 0)[0], 0xffff8000, "level 1, half of level 1, level 0");
    end(&s);
}
END_TEST

static void use_41(struct scene *s, const char *code)
{
    char text[2048];
    snprintf(text, sizeof(text), "%s", ps_with("texture2d", code));
    memcpy(strstr(text, "ps_4_0"), "ps_4_1", 6);
    shader4(s, PS, text, SM4_DXBC);
}

START_TEST(levels_and_neighbours)
{
    struct scene s;
    begin4(&s, 2, 2, VS4, PS4);
    pyramid(&s, AGPU_FMT_B8G8R8A8);
    use_41(&s, "lod r0.xyzw, v1.xyxx, t0.xyzw, s0\nmul o0.xyzw, r0.xyzw, l(0.125, 0.125, 0.125, 0.125)");
    near_color(sampled(&s, 0, 0, 0.5f, 0.5f)[0], 0x00000000, "one texel per pixel");
    near_color(sampled(&s, 0, 0, 1, 0.5f)[0], 0x00202000, "two");
    near_color(sampled(&s, 0, 0, 1, 2)[0], 0x00404000, "four, downwards");
    near_color(sampled(&s, 0, 0, 8, 8)[0], 0x00408000, "sixteen: clamped to the last level");
    near_color(sampled(&s, 0.5f, 0.5f, 0.5f, 0.5f)[0], 0x00000000, "none");
    /* blue of the four texels around (2, 1): left bottom, right bottom, right top, left top; places 5, 6, 2, 1 */
    use_41(&s, "gather4 o0.xyzw, v1.xyxx, t0.xyzw, s0.z");
    near_color(sampled(&s, 0.5f, 0.25f, 0.5f, 0.25f)[0], 0x10303818, "gathered");
    end(&s);
}
END_TEST

START_TEST(buffers_as_textures)
{
    struct scene s;
    float data[4][4];
    for (u32 k = 0; k < 16; k++) data[k / 4][k % 4] = (float)(k + 1) / 32;
    begin4(&s, 8, 1, VS4, ps_with("buffer", "ftoi r0.x, v0.x\niadd r0.x, r0.x, l(-1)\nld o0.xyzw, r0.xxxx, t0.xyzw"));
    buffer4(&s, BUF, data, sizeof(data));
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, BUF); /* whole */
    const u32 *p = sampled(&s, 0, 0, 0, 0);
    for (u32 k = 0; k < 8; k++) {
        u32 e = k - 1, want = 0;
        for (u32 c = 0; c < 4 && e < 4; c++) want |= (u32)((e * 4 + c + 1) / 32.0 * 255 + 0.5) << (c == 3 ? 24 : 16 - 8 * c);
        ck_assert_msg(p[k] == want, "element %d: %08x, expected %08x", (i32)e, p[k], want);
    }
    u32 second = p[2], third = p[3];
    PUT(&s, AGPU_SET_SHADER_RESOURCE_BUFFERS, 40, AGPU_STAGE_PIXEL, 0, 1, 0, BUF, 16, 32, 0); /* a part; it takes the slot */
    p = sampled(&s, 0, 0, 0, 0);
    ck_assert_uint_eq(p[0], 0);
    ck_assert_uint_eq(p[1], second);
    ck_assert_uint_eq(p[2], third);
    ck_assert_uint_eq(p[3], 0);
    PUT(&s, AGPU_SET_SHADER_RESOURCE_BUFFERS, 40, AGPU_STAGE_PIXEL, 0, 1, 0, BUF, 0xfffffff0, 0xffffffff, 0);
    ck_assert_uint_eq(sampled(&s, 0, 0, 0, 0)[1], 0xff000000); /* behind the end: as nothing */
    texture4(&s, TEX, AGPU_FMT_B8G8R8A8, 1, 1, 1, 1, (const u32[]){ 0x12345678 }, 4);
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, TEX); /* a texture where the shader reads a buffer */
    ck_assert_uint_eq(sampled(&s, 0, 0, 0, 0)[1], 0xff000000);
    use_ps(&s, "texture2d", "sample o0.xyzw, v1.xyxx, t0.xyzw, s0");
    ck_assert_uint_eq(sampled(&s, 0, 0, 0, 0)[0], 0x12345678);
    PUT(&s, AGPU_SET_SHADER_RESOURCE_BUFFERS, 40, AGPU_STAGE_PIXEL, 0, 1, 0, BUF, 16, 0, 0);
    use_ps(&s, "texture2d", "ld o0.xyzw, l(0, 0, 0, 0), t0.xyzw"); /* and the reverse */
    ck_assert_uint_eq(sampled(&s, 0, 0, 0, 0)[0], 0xff000000);
    use_ps(&s, "buffer", "resinfo_uint r0.xyzw, l(0), t0.xyzw\nutof r0.x, r0.x\nmul o0.xyzw, r0.xxxx, l(0.125, 0.125, 0.125, 0.125)");
    near_color(sampled(&s, 0, 0, 0, 0)[0], 0x60606060, "three elements");
    end(&s);
}
END_TEST

START_TEST(vertex_shaders_sample_too)
{
    struct scene s;
    begin4(&s, 4, 4,
           "vs_4_0\n.in POSITION v0.xyzw\n.in COLOR v1.xyzw\n.out SV_Position o0.xyzw\n.out COLOR o1.xyzw\ndcl_sampler s0, mode_default\n"
           "dcl_resource_texture2d (float,float,float,float) t0\ndcl_input v0.xyzw\ndcl_input v1.xyzw\ndcl_output_siv o0.xyzw, position\ndcl_output o1.xyzw\n"
           "mov o0.xyzw, v0.xyzw\nsample_l o1.xyzw, v1.xyxx, t0.xyzw, s0, l(1.0)\nret",
           PS4);
    pyramid(&s, AGPU_FMT_B8G8R8A8);
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, 0);
    bind_texture(&s, AGPU_STAGE_VERTEX, 0, TEX);
    whole4(&s, 0.9f, 0.9f, 0, 0);
    ck_assert_uint_eq(result(&s)[0], TEXEL(0, 1, 3));
    end(&s);
}
END_TEST

START_TEST(bc7_textures)
{
    struct scene s;
    begin4(&s, 4, 4, VS4, ps_with("texture2d", "sample o0.xyzw, v1.xyxx, t0.xyzw, s0"));
    u8 block[16] = { 0x40 }; /* mode 6: both ends red 127, alpha 127, p-bits 1 */
    block[0] |= 0x80;
    block[1] = 0xff;
    block[2] = 0x1f;
    block[6] = 0xc0 | 0;
    u8 texels[16][4];
    format_decode_block(AGPU_FMT_BC7, block, texels);
    texture4(&s, TEX, AGPU_FMT_BC7, 4, 4, 1, 1, block, 16);
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, TEX);
    const u32 *p = sampled(&s, 0, 0, 1, 1);
    for (u32 k = 0; k < 16; k++) {
        const u8 *t = texels[k];
        ck_assert_uint_eq(p[k], (u32)t[3] << 24 | (u32)t[0] << 16 | (u32)t[1] << 8 | t[2]);
    }
    end(&s);
}
END_TEST

/* --- targets --- */

START_TEST(targets_by_view)
{
    struct scene s;
    begin4(&s, 2, 2, VS4, PS4);
    PUT(&s, AGPU_CREATE_TEXTURE2D, 56, TEX, 24, AGPU_FMT_R8G8B8A8, 4, 4, 2, 2, 0, 0, 0, 0, 0);
    PUT(&s, CREATE_VIEW(VIEW, TEX, AGPU_FMT_R8G8B8A8_SRGB, 1, 1, 1, 1), TARGET1(VIEW, 0));
    PUT(&s, CLEAR_COLOR(bits(0.5f), 0, ONE, bits(0.5f)));
    quad4(&s, -1, -1, 0, 1, 0.5f, 0.25f, 1, 0, 0.25f);
    u32 mip0[16], mip1[4];
    for (u32 layer = 0; layer < 2; layer++) {
        for (u32 mip = 0; mip < 2; mip++) {
            u32 n = 4 >> mip;
            PUT(&s, AGPU_CREATE_TEXTURE2D, 56, 99, 8, AGPU_FMT_R8G8B8A8, n, n, 1, 1, n * 4, 2, 0, 0, 0);
            PUT(&s, AGPU_COPY_TEXTURE2D, 64, 99, TEX, 0, 0, mip, layer, 0, 0, 0, 0, n, n, 1, 0, AGPU_DESTROY_RESOURCE, 16, 99, 0);
            send(&s);
            memcpy(mip ? mip1 : mip0, ram(&s.g, BACK2), n * n * 4);
        }
        for (u32 k = 0; k < 16; k++) ck_assert_uint_eq(mip0[k], 0);
        for (u32 k = 0; k < 4; k++) near_color(mip1[k], !layer ? 0 : k % 2 ? 0x80ff00bc : 0x4000ff89, "mip 1"); /* encoded, alpha not */
    }
    end(&s);
}
END_TEST

/* A texture cannot be drawn to and sampled at once: the later binding wins. */
START_TEST(targets_leave_texture_slots)
{
    struct scene s;
    begin4(&s, 2, 2, VS4, ps_with("texture2d", "sample o0.xyzw, v1.xyxx, t0.xyzw, s0"));
    texture4(&s, TEX, AGPU_FMT_B8G8R8A8, 2, 2, 2, 1, (const u32[]){ 0xff102030, 0xff102030, 0xff102030, 0xff102030, 0xff405060 }, 20);
    PUT(&s, AGPU_SET_SAMPLERS, 28, AGPU_STAGE_PIXEL, 0, 1, 0, 0);
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, TEX);
    PUT(&s, TARGET1(TEX, 0), TARGET1(RT, 0));
    ck_assert_uint_eq(sampled(&s, 0, 0, 1, 1)[0], 0xff000000); /* it was taken out */
    PUT(&s, TARGET1(TEX, 0));
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, TEX); /* and now the target is none */
    clear4(&s);
    ck_assert_uint_eq(pixels_of(&s, TEX, AGPU_FMT_B8G8R8A8, 2, 2)[0], 0xff102030);
    /* different levels do not meet: this is how mips are made */
    PUT(&s, CREATE_VIEW(VIEW, TEX, AGPU_FMT_B8G8R8A8, 0, 1, 0, 1), CREATE_VIEW(VIEW + 1, TEX, AGPU_FMT_B8G8R8A8, 1, 1, 0, 1));
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, VIEW);
    PUT(&s, TARGET1(VIEW + 1, 0));
    sampled(&s, 0, 0, 1, 1);
    PUT(&s, TARGET1(RT, 0));
    bind_texture(&s, AGPU_STAGE_PIXEL, 0, VIEW + 1);
    ck_assert_uint_eq(sampled(&s, 0, 0, 1, 1)[0], 0xff102030);
    PUT(&s, TARGET1(VIEW, 0), CLEAR_COLOR(ONE, 0, 0, ONE), TARGET1(RT, 0));
    ck_assert_uint_eq(sampled(&s, 0, 0, 1, 1)[0], 0xff102030); /* nor the other way round */
    end(&s);
}
END_TEST

START_TEST(depth_by_view_and_array)
{
    struct scene s;
    begin4(&s, 2, 2, VS4, PS4);
    PUT(&s, AGPU_CREATE_TEXTURE2D, 56, DS, 40, AGPU_FMT_D32F, 2, 2, 1, 2, 0, 0, 0, 0, 0);
    PUT(&s, CREATE_VIEW(VIEW, DS, AGPU_FMT_D32F, 0, 1, 1, 1), TARGET1(RT, VIEW), AGPU_CLEAR, 36, 3, 0, 0, 0, 0, ONE, 0);
    whole4(&s, 1, 1, 1, 1);
    ck_assert_uint_eq(result(&s)[0], 0xffffffff);
    PUT(&s, AGPU_CREATE_TEXTURE2D, 56, 99, 8, AGPU_FMT_D32F, 2, 2, 1, 1, 8, 2, 0, 0, 0);
    for (u32 layer = 0; layer < 2; layer++) {
        PUT(&s, AGPU_COPY_TEXTURE2D, 64, 99, DS, 0, 0, 0, layer, 0, 0, 0, 0, 2, 2, 1, 0);
        send(&s);
        ck_assert_uint_eq(ld32(ram(&s.g, BACK2)), layer ? bits(0.5f) : 0);
    }
    end(&s);
}
END_TEST

START_TEST(dynamic_buffers_between_draws)
{
    struct scene s;
    begin4(&s, 4, 1, VS4, PS_DECLS "dcl_constantbuffer cb0[1], immediateIndexed\nmov o0.xyzw, cb0[0].xyzw\nret");
    float c[4] = { 0, 0, 0, 1 };
    buffer4(&s, CB, c, 16);
    PUT(&s, CONSTANT_BUFFERS(AGPU_STAGE_PIXEL, 0, CB, 0, 0, 0));
    for (u32 k = 0; k < 4; k++) { /* one column each; every draw sees what was uploaded before it */
        c[0] = (float)(k + 1) / 8;
        upload(&s, CB, c, 16);
        quad4(&s, -1 + 0.5f * (float)k, -1, -0.5f + 0.5f * (float)k, 1, 0, 0, 0, 0, 0);
    }
    const u32 *p = result(&s);
    for (u32 k = 0; k < 4; k++) near_color(p[k], 0xff000000 | (u32)((k + 1) / 8.0 * 255 + 0.5) << 16, "column");
    end(&s);
}
END_TEST

Suite *aerogpu_d3d10_res_suite(void);
Suite *aerogpu_d3d10_res_suite(void)
{
    Suite *s = suite_create("aerogpu_d3d10_res");
    TCase *c = tcase_create("resources");
    tcase_set_timeout(c, 60);
    const TTest *tests[] = { ag_202_constant_buffers,
                             computed_indices_into_constants_stay_inside,
                             constants_of_the_old_packet_are_b0,
                             ag_191_unbound_textures,
                             ag_197_direct3d_9_tokens_in_a_container,
                             sampler_objects,
                             textures_and_samplers_are_numbered_apart,
                             arrays_and_levels,
                             views_choose_levels_layers_and_format,
                             sizes_of_textures,
                             cubes,
                             formats_without_alpha_and_depth,
                             comparisons,
                             levels_and_neighbours,
                             buffers_as_textures,
                             vertex_shaders_sample_too,
                             bc7_textures,
                             targets_by_view,
                             targets_leave_texture_slots,
                             depth_by_view_and_array,
                             dynamic_buffers_between_draws };
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}
