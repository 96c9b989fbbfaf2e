/* Drawing with Direct3D 9's rules through the whole device: statements 177 to 205 of AeroGPU's contract as far as they speak of it. */
#include "gpu/aerogpu_cmd.h"
#include "tests/unit/aerogpu_scene.h"

START_TEST(ag_196_198_a_quarter_without_half_pixel)
{
    struct scene s;
    begin(&s, 64, 64, vs_color, ps_color);
    rectangle(&s, -1, -1, 0, 0, 0.5f, 0x80ff4020);
    const u32 *p = result(&s);
    for (u32 y = 0; y < 64; y++) {
        for (u32 x = 0; x < 64; x++) ck_assert_msg(p[y * 64 + x] == (x < 32 && y >= 32 ? 0x80ff4020 : 0), "%u,%u: %08x", x, y, p[y * 64 + x]);
    }
    end(&s);
}
END_TEST

START_TEST(half_pixel_of_applications)
{
    /* with dcl, a rectangle from -0.5 pixel covers exactly the pixels that Direct3D 9 covers */
    struct scene s;
    begin(&s, 8, 8, "vs_2_0\ndcl_position v0\ndcl_color v1\nmov oPos, v0\nmov oD0, v1", ps_color);
    rectangle(&s, -1 - 1 / 8.0f, -1 + 1 / 8.0f, 1 - 1 / 8.0f, 1 + 1 / 8.0f, 0, 0xffffffff);
    ck_assert_uint_eq(count_of(&s, result(&s), 0xffffffff), 64);
    end(&s);
}
END_TEST

/* Coverage against the definition: every pixel of random triangles by exact edge tests, drawn once however the plane is cut. */
START_TEST(fans_cover_every_pixel_once)
{
    struct scene s;
    begin(&s, 32, 32, vs_color, ps_color);
    state(&s, 27, 1); /* add 1/16 white per drawn pixel */
    state(&s, 19, 2);
    state(&s, 20, 2);
    u32 seed = 12345;
    for (u32 round = 0; round < 12; round++) {
        struct cv v[10];
        for (u32 k = 0; k < 10; k++) {
            float a = (float)(k - 1) / 8.0f * 6.2831853f;
            seed = seed * 1664525 + 1013904223;
            v[k] = (struct cv){ k ? 1.3f * __builtin_cosf(a) : (float)(seed >> 24) / 400.0f - 0.3f,
                                k ? 1.3f * __builtin_sinf(a) : (float)(seed >> 16 & 255) / 400.0f - 0.3f, 0, 1, 0x01010101 };
        }
        v[9] = v[1];
        vertices(&s, v, sizeof(v), sizeof(v[0]));
        draw(&s, AGPU_TOPO_FAN, 10);
        const u32 *p = result(&s);
        for (u32 y = 8; y < 24; y++) { /* inside the polygon whatever the centre is */
            for (u32 x = 8; x < 24; x++) ck_assert_msg(p[y * 32 + x] == (round + 1) * 0x01010101, "round %u, %u,%u: %08x", round, x, y, p[y * 32 + x]);
        }
    }
    end(&s);
}
END_TEST

START_TEST(ag_185_fans)
{
    /* a square fan around its corner: three triangles, culled ones tell the order */
    struct scene s;
    begin(&s, 16, 16, vs_color, ps_color);
    const struct cv v[5] = { { -1, -1, 0, 1, 0xff0000ff }, { -1, 1, 0, 1, 0xffff0000 }, { 0, 1, 0, 1, 0xff00ff00 },
                             { 1, 1, 0, 1, 0xffffffff }, { 1, -1, 0, 1, 0xff808080 } };
    state(&s, 9, 1); /* flat: the first vertex of (i + 1, i + 2, 0) gives the colour */
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    draw(&s, AGPU_TOPO_FAN, 5);
    const u32 *p = result(&s);
    ck_assert_uint_eq(p[2 * 16 + 0], 0xffff0000);
    ck_assert_uint_eq(p[1 * 16 + 10], 0xff00ff00);
    ck_assert_uint_eq(p[14 * 16 + 14], 0xffffffff);
    ck_assert_uint_eq(count_of(&s, p, 0), 0);
    end(&s);
}
END_TEST

START_TEST(culling_and_winding)
{
    static const u32 drawn[4][2] = { { 1, 1 }, { 1, 1 }, { 0, 1 }, { 1, 0 } }; /* by cull mode, clockwise and counter-clockwise */
    for (u32 mode = 0; mode < 4; mode++) {
        for (u32 ccw = 0; ccw < 2; ccw++) {
            struct scene s;
            const struct cv v[3] = { { -1, 1, 0, 1, 0xffffffff }, { ccw ? -1 : 1, ccw ? -1 : 1, 0, 1, 0xffffffff },
                                     { ccw ? 1 : -1, ccw ? 1 : -1, 0, 1, 0xffffffff } };
            begin(&s, 8, 8, vs_color, ps_color);
            state(&s, 22, mode);
            vertices(&s, v, sizeof(v), sizeof(v[0]));
            draw(&s, AGPU_TOPO_TRIANGLES, 3);
            ck_assert_msg((count_of(&s, result(&s), 0xffffffff) != 0) == drawn[mode][ccw], "mode %u, %u", mode, ccw);
            end(&s);
        }
    }
}
END_TEST

START_TEST(ag_177_defaults_of_a_context)
{
    struct scene s;
    begin(&s, 8, 8, vs_color, ps_color);
    texture(&s, DS, AGPU_FMT_D24S8, 8, 8);
    state(&s, 22, 3); /* what begin() changed */
    PUT(&s, AGPU_SET_RENDER_TARGETS, 48, 1, DS, RT, 0, 0, 0, 0, 0, 0, 0, AGPU_CLEAR, 36, 6, 0, 0, 0, 0, 0x3f000000, 0);
    rectangle(&s, -1, -1, 1, 1, 0.5f, 0x40ff0000); /* depth equal: passes; blending off: stored as it is */
    rectangle(&s, -1, -1, 1, 1, 0.75f, 0xffffffff);
    ck_assert_uint_eq(count_of(&s, result(&s), 0x40ff0000), 64);
    rectangle(&s, -1, -1, 1, 1, 0.25f, 0xff00ff00);
    ck_assert_uint_eq(count_of(&s, result(&s), 0xff00ff00), 64);
    end(&s);
}
END_TEST

START_TEST(ag_178_179_zero_states)
{
    struct scene s;
    begin(&s, 8, 8, vs_color, ps_color);
    texture(&s, DS, AGPU_FMT_D24S8, 8, 8);
    PUT(&s, AGPU_SET_RENDER_TARGETS, 48, 1, DS, RT, 0, 0, 0, 0, 0, 0, 0, AGPU_CLEAR, 36, 6, 0, 0, 0, 0, ONE, 0);
    state(&s, 23, 5); /* GREATER */
    state(&s, 23, 0);
    rectangle(&s, -1, -1, 1, 1, 0.5f, 0xffffffff);
    ck_assert_uint_eq(count_of(&s, result(&s), 0xffffffff), 0);
    state(&s, 23, 8);
    state(&s, 15, 1); /* alpha test on, function 0: always */
    state(&s, 25, 0);
    state(&s, 24, 255);
    state(&s, 52, 1); /* stencil on, everything 0: always and keep */
    for (u32 k = 53; k <= 56; k++) state(&s, k, 0);
    rectangle(&s, -1, -1, 1, 1, 0.5f, 0x01ffffff);
    ck_assert_uint_eq(count_of(&s, result(&s), 0x01ffffff), 64);
    for (u32 k = 0; k < 256; k++) state(&s, k, 0);
    rectangle(&s, -1, -1, 1, 1, 0.5f, 0x01ffffff);
    result(&s);
    end(&s);
}
END_TEST

START_TEST(ag_180_source_alpha_blending)
{
    struct scene s;
    begin(&s, 4, 4, vs_color, ps_color);
    PUT(&s, AGPU_CLEAR, 36, 1, 0, 0, ONE, 0x3f000000, 0, 0); /* blue, alpha 128 */
    state(&s, 19, 5);
    state(&s, 20, 6);
    state(&s, 27, 1);
    rectangle(&s, -1, -1, 1, 1, 0, 0x40ff0000);
    const u32 *p = result(&s);
    ck_assert_uint_eq(p[0] & 0xffffff, 0x4000bf);
    ck_assert_uint_eq(p[0] >> 24, (0x40 * 0x40 + 0x80 * 0xbf + 127) / 255); /* alpha by the colour's factors */
    state(&s, 206, 1);
    state(&s, 207, 2);
    state(&s, 208, 1);
    rectangle(&s, -1, -1, 1, 1, 0, 0x40ff0000);
    ck_assert_uint_eq(result(&s)[0] >> 24, 0x40);
    end(&s);
}
END_TEST

/* All blend factors against the formula in double precision. */
START_TEST(blend_factors)
{
    const double sv[4] = { 0xc0 / 255.0, 0x50 / 255.0, 0x20 / 255.0, 0x90 / 255.0 }, dv[4] = { 0x30 / 255.0, 0xa0 / 255.0, 0xe0 / 255.0, 0x60 / 255.0 };
    const double k[4] = { 0x40 / 255.0, 0x80 / 255.0, 0xc0 / 255.0, 0x20 / 255.0 };
    struct scene s;
    begin(&s, 1, 1, vs_color, ps_color);
    texture(&s, TEX, AGPU_FMT_B8G8R8A8, 1, 1);
    upload(&s, TEX, (const u32[]){ 0x6030a0e0 }, 4);
    state(&s, 27, 1);
    state(&s, 193, 0x204080c0);
    for (u32 f = 1; f <= 15; f++) {
        if (f == 12 || f == 13) continue;
        PUT(&s, AGPU_COPY_TEXTURE2D, 64, RT, TEX, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0);
        state(&s, 19, f);
        state(&s, 20, 1);
        rectangle(&s, -1, -1, 1, 1, 0, 0x90c05020);
        u32 got = result(&s)[0];
        for (u32 c = 0; c < 4; c++) {
            const double fac[16] = { 0, 0, 1, sv[c], 1 - sv[c], sv[3], 1 - sv[3], dv[3], 1 - dv[3], dv[c], 1 - dv[c],
                                     c == 3 ? 1 : sv[3] < 1 - dv[3] ? sv[3] : 1 - dv[3], 0, 0, k[c], 1 - k[c] };
            u32 want = (u32)(sv[c] * fac[f] * 255 + 0.5), have = got >> (c == 3 ? 24 : 16 - 8 * c) & 255;
            ck_assert_msg(have == want, "factor %u, channel %u: %u, expected %u", f, c, have, want);
        }
    }
    for (u32 op = 1; op <= 5; op++) {
        PUT(&s, AGPU_COPY_TEXTURE2D, 64, RT, TEX, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0);
        state(&s, 19, 2);
        state(&s, 20, 2);
        state(&s, 171, op);
        rectangle(&s, -1, -1, 1, 1, 0, 0x90c05020);
        u32 got = result(&s)[0];
        for (u32 c = 0; c < 4; c++) {
            double v[6] = { 0, sv[c] + dv[c], sv[c] - dv[c], dv[c] - sv[c], sv[c] < dv[c] ? sv[c] : dv[c], sv[c] > dv[c] ? sv[c] : dv[c] };
            double w = v[op] < 0 ? 0 : v[op] > 1 ? 1 : v[op];
            ck_assert_uint_eq(got >> (c == 3 ? 24 : 16 - 8 * c) & 255, (u32)(w * 255 + 0.5));
        }
    }
    end(&s);
}
END_TEST

START_TEST(ag_181_alpha_test)
{
    struct scene s;
    begin(&s, 4, 4, vs_color, ps_color);
    state(&s, 15, 1);
    state(&s, 24, 0x80);
    static const u8 pass[9][3] = { { 1, 1, 1 }, { 0, 0, 0 }, { 1, 0, 0 }, { 0, 1, 0 }, { 1, 1, 0 }, { 0, 0, 1 }, { 1, 0, 1 }, { 0, 1, 1 }, { 1, 1, 1 } };
    for (u32 func = 0; func <= 8; func++) {
        for (u32 k = 0; k < 3; k++) {
            u32 color = (0x7fu + k) << 24 | 0xffffff;
            state(&s, 25, func);
            PUT(&s, AGPU_CLEAR, 36, 1, 0, 0, 0, 0, 0, 0);
            rectangle(&s, -1, -1, 1, 1, 0, color);
            ck_assert_msg((result(&s)[0] == color) == pass[func][k], "function %u, alpha %x", func, 0x7f + k);
        }
    }
    end(&s);
}
END_TEST

START_TEST(ag_182_two_sided_stencil)
{
    struct scene s;
    begin(&s, 4, 4, vs_color, ps_color);
    texture(&s, DS, AGPU_FMT_D24S8, 4, 4);
    PUT(&s, AGPU_SET_RENDER_TARGETS, 48, 1, DS, RT, 0, 0, 0, 0, 0, 0, 0, AGPU_CLEAR, 36, 6, 0, 0, 0, 0, ONE, 5);
    state(&s, 52, 1);
    state(&s, 55, 7); /* clockwise: increment */
    state(&s, 185, 1);
    state(&s, 188, 8); /* counter-clockwise: decrement */
    state(&s, 14, 0);
    rectangle(&s, -1, -1, 1, 1, 0, 0xffffffff);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D24S8, 4, 4)[5], 0x06ffffff);
    rectangle(&s, 1, -1, -1, 1, 0, 0xffffffff);
    rectangle(&s, 1, -1, -1, 1, 0, 0xffffffff);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D24S8, 4, 4)[5], 0x04ffffff);
    state(&s, 56, 3); /* EQUAL */
    state(&s, 57, 4);
    state(&s, 53, 3); /* REPLACE on failure */
    rectangle(&s, -1, -1, 1, 1, 0, 0xff00ff00);
    ck_assert_uint_eq(result(&s)[5], 0xff00ff00);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D24S8, 4, 4)[5], 0x05ffffff);
    rectangle(&s, -1, -1, 1, 1, 0, 0xffff0000);
    ck_assert_uint_eq(result(&s)[5], 0xff00ff00);
    ck_assert_uint_eq(pixels_of(&s, DS, AGPU_FMT_D24S8, 4, 4)[5], 0x04ffffff);
    end(&s);
}
END_TEST

START_TEST(ag_186_negative_base_vertex)
{
    struct scene s;
    begin(&s, 8, 8, vs_color, ps_color);
    const struct cv v[4] = { { -1, 1, 0, 1, 0xff112233 }, { 1, 1, 0, 1, 0xff112233 }, { -1, -1, 0, 1, 0xff112233 }, { 1, -1, 0, 1, 0xff112233 } };
    const u16 indices[6] = { 10, 11, 12, 12, 11, 13 };
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    PUT(&s, AGPU_CREATE_BUFFER, 40, IB, 2, 12, 0, 0, 0, 0, 0);
    upload(&s, IB, indices, sizeof(indices));
    PUT(&s, AGPU_SET_INDEX_BUFFER, 24, IB, 0, 0, 0, AGPU_DRAW_INDEXED, 28, 6, 1, 0, (u32)-10, 0);
    ck_assert_uint_eq(count_of(&s, result(&s), 0xff112233), 64);
    end(&s);
}
END_TEST

START_TEST(ag_187_both_ways_of_counting_tokens)
{
    const u32 *p[2];
    u32 keep[64];
    for (int k = 0; k < 2; k++) {
        struct scene s;
        begin(&s, 8, 8, vs_color, ps_color);
        shader(&s, 20, "vs_2_0\ndef c0, 0.5, 0.25, 1, 0\nmov oPos, v0\nmul r0, v1, c0.xxyz\nmad oD0, r0, c0.z, c0.w", k ? ASM_DRIVER : ASM_STANDARD);
        shader(&s, 21, "ps_2_0\nadd r0, v0, v0\nmov_sat oC0, r0", k ? ASM_DRIVER : ASM_STANDARD);
        PUT(&s, AGPU_BIND_SHADERS, 24, 20, 21, 0, 0);
        rectangle(&s, -1, -1, 1, 1, 0, 0x80402010);
        p[k] = result(&s);
        if (!k) memcpy(keep, p[k], sizeof(keep));
        else ck_assert_mem_eq(keep, p[k], sizeof(keep));
        ck_assert_uint_eq(p[k][9], 0xff402008);
        end(&s);
    }
}
END_TEST

START_TEST(ag_188_189_declarations)
{
    /* colour first in memory; without dcl the n-th element feeds v n, with dcl the usage does */
    static const struct decl swapped[] = { { 0, 0, 4, 0, 10, 0 }, { 0, 4, 3, 0, 0, 0 } };
    struct {
        u32 color;
        float x, y, z, w;
    } v[4] = { { 0xff336699, -1, 1, 0, 1 }, { 0xff336699, 1, 1, 0, 1 }, { 0xff336699, -1, -1, 0, 1 }, { 0xff336699, 1, -1, 0, 1 } };
    static const char *const shaders[] = { "vs_2_0\nmov oPos, v1\nmov oD0, v0", "vs_2_0\ndcl_position v5\ndcl_color v3\nmov oPos, v5\nmov oD0, v3" };
    for (int k = 0; k < 2; k++) {
        struct scene s;
        begin(&s, 8, 8, shaders[k], ps_color);
        layout(&s, swapped, 2);
        vertices(&s, v, sizeof(v), sizeof(v[0]));
        draw(&s, AGPU_TOPO_STRIP, 4);
        const u32 *p = result(&s);
        ck_assert_uint_eq(p[3 * 8 + 3], 0xff336699);
        end(&s);
    }
}
END_TEST

START_TEST(ag_190_unbound_textures_are_white)
{
    struct scene s;
    begin(&s, 8, 8, "vs_2_0\nmov oPos, v0\nmov oT0, v1", "ps_2_0\ntexld r0, t0, s0\nmul r0, r0, c0\nmov oC0, r0");
    constants(&s, AGPU_STAGE_PIXEL, 0, 0x11 / 255.0f, 0x22 / 255.0f, 0x33 / 255.0f, 0x44 / 255.0f);
    rectangle(&s, -1, -1, 1, 1, 0, 0xffffffff);
    ck_assert_uint_eq(count_of(&s, result(&s), 0x44112233), 64);
    end(&s);
}
END_TEST

START_TEST(ag_192_193_exact_copy)
{
    struct scene s;
    u32 texels[13 * 7];
    begin(&s, 13, 7, vs_tex, ps_tex);
    for (u32 k = 0; k < 13 * 7; k++) texels[k] = k * 0x01234567;
    texture(&s, TEX, AGPU_FMT_B8G8R8A8, 13, 7);
    upload(&s, TEX, texels, sizeof(texels));
    textured(&s, 0, 0, 1, 1);
    ck_assert_mem_eq(result(&s), texels, sizeof(texels));
    sampler(&s, 5, 2); /* linear at texel centres is exact, too */
    sampler(&s, 6, 2);
    textured(&s, 0, 0, 1, 1);
    ck_assert_mem_eq(result(&s), texels, sizeof(texels));
    end(&s);
}
END_TEST

START_TEST(addressing_and_filtering)
{
    struct scene s;
    begin(&s, 8, 1, vs_tex, ps_tex);
    texture(&s, TEX, AGPU_FMT_B8G8R8A8, 2, 1);
    upload(&s, TEX, (const u32[]){ 0xff000000, 0xff0000ff }, 8);
    sampler(&s, 4, 0x12345678);
    static const u32 want[6][8] = { { 0 }, /* texels -2..5 */
                                    { 0, 1, 0, 1, 0, 1, 0, 1 },
                                    { 1, 0, 0, 1, 1, 0, 0, 1 },
                                    { 0, 0, 0, 1, 1, 1, 1, 1 },
                                    { 2, 2, 0, 1, 2, 2, 2, 2 },
                                    { 1, 0, 0, 1, 1, 1, 1, 1 } };
    for (u32 mode = 1; mode <= 5; mode++) {
        sampler(&s, 1, mode);
        textured(&s, -1, 0, 3, 1);
        const u32 *p = result(&s);
        for (u32 k = 0; k < 8; k++) {
            u32 color = want[mode][k] == 2 ? 0x12345678 : want[mode][k] ? 0xff0000ff : 0xff000000;
            if (mode == 2 && k < 2) color = k == 0 ? 0xff0000ff : 0xff000000;
            ck_assert_msg(p[k] == color, "mode %u, pixel %u: %08x", mode, k, p[k]);
        }
    }
    sampler(&s, 1, 3);
    sampler(&s, 5, 2);
    sampler(&s, 6, 2);
    textured(&s, 0, 0, 1, 1); /* two texels over eight pixels: centres at 1/16, 3/16, ... */
    const u32 *p = result(&s);
    for (u32 k = 0; k < 8; k++) {
        double x = (k + 0.5) / 8 * 2 - 0.5, w = x < 0 ? 0 : x > 1 ? 1 : x;
        ck_assert_uint_eq(p[k] & 255, (u32)(w * 255 + 0.5));
    }
    end(&s);
}
END_TEST

START_TEST(ag_183_mip_selection)
{
    struct scene s;
    begin(&s, 2, 2, vs_tex, ps_tex);
    PUT(&s, AGPU_CREATE_TEXTURE2D, 56, TEX, 8, AGPU_FMT_B8G8R8A8, 4, 4, 3, 1, 0, 0, 0, 0, 0);
    u32 texels[21];
    for (u32 k = 0; k < 21; k++) texels[k] = k < 16 ? 0xffff0000 : k < 20 ? 0xff00ff00 : 0xff0000ff;
    upload(&s, TEX, texels, sizeof(texels));
    textured(&s, 0, 0, 1, 1); /* 4 texels on 2 pixels: level 1, but the mip filter is off */
    ck_assert_uint_eq(result(&s)[0], 0xffff0000);
    sampler(&s, 9, 1);
    textured(&s, 0, 0, 1, 1);
    ck_assert_uint_eq(result(&s)[0], 0xff00ff00);
    sampler(&s, 9, 0);
    sampler(&s, 7, 1);
    textured(&s, 0, 0, 1, 1);
    ck_assert_uint_eq(result(&s)[0], 0xff00ff00);
    textured(&s, 0, 0, 2, 2);
    ck_assert_uint_eq(result(&s)[0], 0xff0000ff);
    textured(&s, 0, 0, 0.5f, 0.5f);
    ck_assert_uint_eq(result(&s)[0], 0xffff0000);
    end(&s);
}
END_TEST

START_TEST(ag_195_source_modifiers)
{
    struct scene s;
    begin(&s, 1, 1, vs_color, "ps_2_0\nmov r0, v0_comp\nmov r1, v0_bias\nmov r0.w, r1.x\nmov oC0, r0");
    rectangle(&s, -1, -1, 1, 1, 0, 0xffc04020);
    ck_assert_uint_eq(result(&s)[0], 0x413fbfdf); /* red C0h - 1/2 is alpha */
    end(&s);
}
END_TEST

START_TEST(perspective)
{
    /* a quad whose right half is twice as far: texture coordinates follow 1/w */
    struct scene s;
    begin(&s, 64, 1, vs_tex, "ps_2_0\nmov oC0, t0.x");
    const struct tv v[4] = { { -1, 1, 0, 1, 0, 0 }, { 4, 4, 0, 4, 1, 0 }, { -1, -1, 0, 1, 0, 0 }, { 4, -4, 0, 4, 1, 0 } };
    layout(&s, decl_tex, 2);
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    draw(&s, AGPU_TOPO_STRIP, 4);
    const u32 *p = result(&s);
    for (u32 x = 0; x < 64; x++) {
        double t = (x + 0.5) / 64, u = (t / 4) / ((1 - t) + t / 4);
        i32 d = (i32)(p[x] & 255) - (i32)(u * 255 + 0.5);
        ck_assert_msg(d >= -1 && d <= 1, "%u: %u, %f", x, p[x] & 255, u * 255);
    }
    end(&s);
}
END_TEST

START_TEST(clipping_keeps_what_is_inside)
{
    struct scene s;
    begin(&s, 16, 16, vs_color, ps_color);
    /* far beyond every side, behind the eye, and not at all */
    const struct cv v[9] = { { -1e6f, 1e6f, 0, 1, 0xffffffff }, { 3e6f, 1e6f, 0, 1, 0xffffffff }, { -1e6f, -3e6f, 0, 1, 0xffffffff },
                             { -1, -1, 0, -1, 0xff00ff00 }, { 1, 1, 0, -1, 0xff00ff00 }, { 1, -1, 0, -1, 0xff00ff00 },
                             { __builtin_nanf(""), 0, 0, 1, 0xffff0000 }, { 1, 1, 0, 1, 0xffff0000 }, { 1, -1, 0, 1, 0xffff0000 } };
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    draw(&s, AGPU_TOPO_TRIANGLES, 9);
    ck_assert_uint_eq(count_of(&s, result(&s), 0xffffffff), 256);
    /* z beyond both planes: the part between 0 and 1 is drawn */
    PUT(&s, AGPU_CLEAR, 36, 1, 0, 0, 0, 0, 0, 0);
    const struct cv z[4] = { { -1, 1, -1, 1, 0xffffffff }, { 1, 1, 3, 1, 0xffffffff }, { -1, -1, -1, 1, 0xffffffff }, { 1, -1, 3, 1, 0xffffffff } };
    vertices(&s, z, sizeof(z), sizeof(z[0]));
    draw(&s, AGPU_TOPO_STRIP, 4);
    const u32 *p = result(&s);
    for (u32 x = 0; x < 16; x++) ck_assert_msg((p[x] != 0) == (x >= 4 && x < 8), "column %u", x);
    end(&s);
}
END_TEST

START_TEST(lines_and_points)
{
    struct scene s;
    begin(&s, 16, 16, vs_color, ps_color);
    const struct cv v[4] = { { -1, 1 - 5 / 16.0f, 0, 1, 0xffffffff }, { 1, 1 - 5 / 16.0f, 0, 1, 0xffffffff },
                             { 1 / 16.0f, 1, 0, 1, 0xff00ff00 }, { 1 / 16.0f, -1, 0, 1, 0xff00ff00 } };
    vertices(&s, v, sizeof(v), sizeof(v[0]));
    draw(&s, AGPU_TOPO_LINES, 4);
    const u32 *p = result(&s);
    for (u32 k = 0; k < 16; k++) {
        ck_assert_uint_eq(p[2 * 16 + k], k == 8 ? 0xff00ff00 : 0xffffffff);
        /* the upright one ends in the lower corner of the last pixel's diamond and does not leave it */
        if (k != 2) ck_assert_uint_eq(p[k * 16 + 8], k == 15 ? 0 : 0xff00ff00);
    }
    ck_assert_uint_eq(count_of(&s, p, 0), 256 - 30);
    PUT(&s, AGPU_CLEAR, 36, 1, 0, 0, 0, 0, 0, 0);
    state(&s, 154, 0x40800000); /* 4 pixels */
    const struct cv one[1] = { { 0, 0, 0, 1, 0xffffffff } };
    vertices(&s, one, sizeof(one), sizeof(one[0]));
    draw(&s, AGPU_TOPO_POINTS, 1);
    p = result(&s);
    for (u32 y = 0; y < 16; y++) {
        for (u32 x = 0; x < 16; x++) ck_assert_uint_eq(p[y * 16 + x], x >= 6 && x < 10 && y >= 6 && y < 10 ? 0xffffffff : 0);
    }
    end(&s);
}
END_TEST

START_TEST(write_masks_and_16_bits)
{
    struct scene s;
    begin(&s, 4, 4, vs_color, ps_color);
    PUT(&s, AGPU_CLEAR, 36, 1, ONE, ONE, ONE, ONE, 0, 0);
    state(&s, 168, 2); /* green alone */
    rectangle(&s, -1, -1, 1, 1, 0, 0x00204060);
    ck_assert_uint_eq(result(&s)[0], 0xffff40ff);
    texture(&s, TEX, AGPU_FMT_B5G6R5, 4, 4);
    state(&s, 168, 15);
    PUT(&s, AGPU_SET_RENDER_TARGETS, 48, 1, 0, TEX, 0, 0, 0, 0, 0, 0, 0);
    rectangle(&s, -1, -1, 1, 1, 0, 0x00ff8000);
    send(&s);
    PUT(&s, AGPU_CREATE_TEXTURE2D, 56, 98, 8, AGPU_FMT_B5G6R5, 4, 4, 1, 1, 8, 2, 0, 0, 0);
    PUT(&s, AGPU_COPY_TEXTURE2D, 64, 98, TEX, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 1, 0);
    send(&s);
    ck_assert_uint_eq(ld16(ram(&s.g, BACK2)), 31 << 11 | 32 << 5);
    end(&s);
}
END_TEST

START_TEST(scissor_and_viewport)
{
    struct scene s;
    begin(&s, 16, 16, vs_color, ps_color);
    PUT(&s, AGPU_SET_VIEWPORT, 32, 0x40800000, 0x40000000, 0x41000000, 0x41000000, 0, ONE); /* 4, 2, 8 x 8 */
    rectangle(&s, -1, -1, 1, 1, 0, 0xffffffff);
    const u32 *p = result(&s);
    for (u32 k = 0; k < 256; k++) ck_assert_uint_eq(p[k] != 0, k % 16 >= 4 && k % 16 < 12 && k / 16 >= 2 && k / 16 < 10);
    PUT(&s, AGPU_CLEAR, 36, 1, 0, 0, 0, 0, 0, 0, AGPU_SET_VIEWPORT, 32, 0, 0, 0, 0, 0, ONE, AGPU_SET_SCISSOR, 24, (u32)-2, 3, 5, 2);
    state(&s, 174, 1);
    rectangle(&s, -1, -1, 1, 1, 0, 0xffffffff);
    p = result(&s);
    for (u32 k = 0; k < 256; k++) ck_assert_uint_eq(p[k] != 0, k % 16 < 3 && k / 16 >= 3 && k / 16 < 5);
    PUT(&s, AGPU_CLEAR, 36, 1, 0, 0, 0, 0, 0, 0, AGPU_SET_SCISSOR, 24, 0, 0, 0, 5);
    rectangle(&s, -1, -1, 1, 1, 0, 0xffffffff);
    result(&s);
    end(&s);
}
END_TEST

START_TEST(ag_203_an_empty_viewport_is_the_whole_target)
{
    struct scene s;
    begin(&s, 8, 8, vs_color, ps_color);
    PUT(&s, AGPU_SET_VIEWPORT, 32, 0, 0, 0, 0, 0, ONE);
    rectangle(&s, -1, -1, 1, 1, 0, 0xffffffff);
    ck_assert_uint_eq(count_of(&s, result(&s), 0xffffffff), 64);
    end(&s);
}
END_TEST

/* --- shader instructions: a pixel shader's result for constants, against the formula --- */
static const struct {
    const char *code; /* between ps_2_0 and mov oC0, r0 */
    double want[4];
} programs[] = {
    { "mov r0, c0", { 0.25, 0.5, 0.75, 1 } },
    { "add r0, c0, c1", { 0.35, 0.7, 1, 1 } },
    { "sub r0, c0, c1", { 0.15, 0.3, 0.35, 0.5 } },
    { "mul r0, c0, c1", { 0.025, 0.1, 0.3, 0.5 } },
    { "mad r0, c0, c1, c1", { 0.125, 0.3, 0.7, 1 } },
    { "dp3 r0, c0, c1", { 0.425, 0.425, 0.425, 0.425 } },
    { "dp4 r0, c0, c1", { 0.925, 0.925, 0.925, 0.925 } },
    { "mov r1, c1\nrcp r0, c1_x2.w", { 1, 1, 1, 1 } },
    { "rsq r0, c2.x", { 0.5, 0.5, 0.5, 0.5 } },
    { "min r0, c0, c1.wzyx", { 0.25, 0.4, 0.2, 0.1 } },
    { "max r0, c0, c1.wzyx", { 0.5, 0.5, 0.75, 1 } },
    { "exp r0, -c2.y", { 0.125, 0.125, 0.125, 0.125 } },
    { "log r1, c2.x\nmul r0, r1, c1.x", { 0.2, 0.2, 0.2, 0.2 } },
    { "pow r1, c2.x, c2.y\nmov r2, c3.x\nmul r0, r1, r2", { 0.64, 0.64, 0.64, 0.64 } },
    { "lrp r0, c1.w, c0, c1", { 0.175, 0.35, 0.575, 0.75 } },
    { "mov r1, c2\nfrc r0, r1.zzzz", { 0.3, 0.3, 0.3, 0.3 } },
    { "nrm r0, c4", { 0.6, 0, 0.8, 0 } },
    { "crs r0.xyz, c5, c6\nmov r0.w, c0.x", { 0, 0, 1, 0.25 } },
    { "cmp r0, c7, c0, c1", { 0.25, 0.2, 0.75, 0.5 } },
    { "dp2add r0, c0, c1, c1.x", { 0.225, 0.225, 0.225, 0.225 } },
    { "sincos r1.xy, c8.x, c5, c6\nmov r0, r1.xyxy", { 0.5, 0.8660254, 0.5, 0.8660254 } },
    { "abs r0, -c0", { 0.25, 0.5, 0.75, 1 } },
    { "m3x3 r0.xyz, c0, c5\nmov r0.w, c5.x", { 0.25, 0.5, 1, 1 } },
    { "mov r0, c0\nmov r0.xy, r0.yx", { 0.5, 0.25, 0.75, 1 } },
    { "mov_sat r0, c2", { 1, 1, 1, 1 } },
};

START_TEST(instructions)
{
    static const float c[9][4] = { { 0.25f, 0.5f, 0.75f, 1 }, { 0.1f, 0.2f, 0.4f, 0.5f }, { 4, 3, 2.3f, 9 },    { 0.01f, 0, 0, 0 }, { 3, 0, 4, 0 },
                                   { 1, 0, 0, 0 },            { 0, 1, 0, 0 },             { 0, -1, 2, -0.5f }, { 1.0471976f, 0, 0, 0 } };
    struct scene s;
    begin(&s, 1, 1, vs_color, ps_color);
    for (u32 k = 0; k < LEN(c); k++) constants(&s, AGPU_STAGE_PIXEL, k, c[k][0], c[k][1], c[k][2], c[k][3]);
    for (unsigned k = 0; k < LEN(programs); k++) {
        char text[512];
        snprintf(text, sizeof(text), "ps_2_0\n%s\nmov oC0, r0", programs[k].code);
        PUT(&s, AGPU_DESTROY_SHADER, 16, PS, 0, AGPU_CLEAR, 36, 1, 0, 0, 0, 0, 0, 0);
        shader(&s, PS, text, ASM_STANDARD);
        rectangle(&s, -1, -1, 1, 1, 0, 0);
        u32 got = result(&s)[0];
        for (u32 n = 0; n < 4; n++) {
            u32 have = got >> (n == 3 ? 24 : 16 - 8 * n) & 255;
            i32 off = (i32)have - (i32)(programs[k].want[n] * 255 + 0.5);
            ck_assert_msg(off >= -1 && off <= 1, "%s: channel %u is %u, expected %f", programs[k].code, n, have, programs[k].want[n] * 255);
        }
    }
    end(&s);
}
END_TEST

START_TEST(flow_control_of_sm3)
{
    struct scene s;
    begin(&s, 4, 1, "vs_3_0\ndcl_position v0\ndcl_color v1\ndcl_position o0\ndcl_texcoord0 o1\nmov o0, v0\nmov o1, v0",
          "ps_3_0\ndcl_texcoord0 v0\ndef c0, 0, 0.125, 0.5, 1\ndefi i0, 3, 0, 1, 0\ndefi i1, 200, 1, 2, 0\nmov r0, c0.x\n"
          "rep i0\nadd r0.x, r0.x, c0.y\nendrep\n"             /* 3/8 */
          "loop aL, i1\nadd r0.y, r0.y, c0.y\nbreak_ge r0.y, c0.z\nendloop\n" /* 1/2 */
          "if_lt v0.x, c0.x\nmov r0.z, c0.w\nelse\nmov r0.z, c0.y\nendif\nmov r0.w, c0.w\nmov oC0, r0");
    rectangle(&s, -1.25f, -1.5f, 0.75f, 2, 0, 0); /* the half pixel of declared shaders: 1/4 in x */
    const u32 *p = result(&s);
    for (u32 x = 0; x < 4; x++) ck_assert_msg(p[x] == (x < 2 ? 0xff6080ffu : 0xff608020u), "%u: %08x", x, p[x]);
    end(&s);
}
END_TEST

START_TEST(discard_and_depth_output)
{
    struct scene s;
    begin(&s, 4, 4, vs_color, "ps_2_0\ndef c0, 0.5, 0, 0.25, 1\nsub r0, v0, c0.x\ntexkill r0\nmov r1, c0.z\nmov oDepth, r1.x\nmov oC0, v0");
    texture(&s, DS, AGPU_FMT_D32F, 4, 4);
    PUT(&s, AGPU_SET_RENDER_TARGETS, 48, 1, DS, RT, 0, 0, 0, 0, 0, 0, 0, AGPU_CLEAR, 36, 2, 0, 0, 0, 0, ONE, 0);
    rectangle(&s, -1, -1, 1, 0, 0.9f, 0xffffffff);
    rectangle(&s, -1, 0, 1, 1, 0.9f, 0xff00ffff); /* red below a half: killed */
    ck_assert_uint_eq(count_of(&s, result(&s), 0xffffffff), 8);
    const u32 *z = pixels_of(&s, DS, AGPU_FMT_D32F, 4, 4);
    ck_assert_uint_eq(z[0], ONE);
    ck_assert_uint_eq(z[15], 0x3e800000);
    end(&s);
}
END_TEST

START_TEST(a_shader_without_end_stops_at_the_budget)
{
    struct scene s;
    begin(&s, 256, 256, vs_color, "ps_3_0\ndef c0, 0, 1, 0, 0\ndefi i0, 255, 0, 0, 0\nmov r0, c0.x\nrep i0\nrep i0\nrep i0\nrep i0\n"
                                  "add r0, r0, c0.y\nendrep\nendrep\nendrep\nendrep\nmov oC0, r0");
    rectangle(&s, -1, -1, 1, 1, 0, 0xffffffff);
    s.fence = 0;
    send(&s); /* comes back, and the device lives */
    end(&s);
}
END_TEST

Suite *aerogpu_draw_suite(void);
Suite *aerogpu_draw_suite(void)
{
    Suite *s = suite_create("aerogpu_draw");
    TCase *c = tcase_create("d3d9");
    tcase_set_timeout(c, 60);
    const TTest *tests[] = {
        ag_196_198_a_quarter_without_half_pixel, half_pixel_of_applications, fans_cover_every_pixel_once, ag_185_fans, culling_and_winding,
        ag_177_defaults_of_a_context, ag_178_179_zero_states, ag_180_source_alpha_blending, blend_factors, ag_181_alpha_test,
        ag_182_two_sided_stencil, ag_186_negative_base_vertex, ag_187_both_ways_of_counting_tokens, ag_188_189_declarations,
        ag_190_unbound_textures_are_white, ag_192_193_exact_copy, addressing_and_filtering, ag_183_mip_selection,
        ag_195_source_modifiers, perspective, clipping_keeps_what_is_inside, lines_and_points, write_masks_and_16_bits,
        scissor_and_viewport, ag_203_an_empty_viewport_is_the_whole_target, instructions, flow_control_of_sm3, discard_and_depth_output,
        a_shader_without_end_stops_at_the_budget,
    };
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}
