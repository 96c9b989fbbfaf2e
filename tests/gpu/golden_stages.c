/* Golden pictures of what lies between packets and stages in Direct3D 9: linkage of vertex and pixel
 * shaders, constants of all kinds, both token encodings, targets of several sizes, textures that
 * were targets, vertex textures, contexts. Executor document, sections 6.5 and 7.4 to 7.7. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/gpu/golden.h"

enum { N = 32 };
#define FORMULA "reference, double precision"
#define BYTES "formula, every bit"

static void corners(const struct gold *g, struct vx v[4], float x0, float y0, float x1, float y1, float z)
{
    static const float colors[4][4] = { { 0.9f, 0.1f, 0.3f, 1 }, { 0.2f, 0.8f, 0.1f, 0.5f }, { 0.1f, 0.3f, 0.7f, 0.25f }, { 1, 1, 0.5f, 0.75f } };
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? x1 : x0, k & 2 ? y1 : y0, z, 1, 0);
        memcpy(v[k].color, colors[k], sizeof(v[k].color));
        for (int c = 0; c < 4; c++) v[k].uv[c] = (float)((k & 1) + c * (k >> 1)) / 5, v[k].more[c] = colors[3 - k][c];
        v[k].uv[3] = 1;
    }
}

static void draw(struct gold *g, float margin)
{
    struct vx v[4];
    corners(g, v, margin, margin, (float)g->ref.color[0].width - margin, (float)g->ref.color[0].height - margin, 0.5f);
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
}

/* ---- linkage ---- */

/* Two colours and eight coordinate sets, each with a factor of its own on either side. */
static void all_shade(struct ref_fragment *f, const void *user)
{
    double color = 0, uv = 0;
    (void)user;
    for (int k = 0; k < 10; k++) *(k < 2 ? &color : &uv) += (k + 1) / 16.0 * (k % 3 + 1) / 40;
    for (int c = 0; c < 4; c++) f->color[0][c] = f->attr[0][c] * color * 16 + f->attr[1][c] * uv * 4;
}

static void link_all(struct gold *g, int arg)
{
    char vs[1024] = "vs_2_0\ndcl_position v0\ndcl_color v1\ndcl_texcoord v2\nmov oPos, v0\n", ps[1024] = "ps_2_0\n", line[96];
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    for (int k = 0; k < 10; k++) {
        float c = (float)(k + 1) / 16, d = (float)(k % 3 + 1) / 40 * (k < 2 ? 16 : 4);
        gold_constant(g, AGPU_STAGE_VERTEX, (u32)k, c, c, c, c);
        gold_constant(g, AGPU_STAGE_PIXEL, (u32)k, d, d, d, d);
        snprintf(line, sizeof(line), "mul o%s%d, v%d, c%d\n", k < 2 ? "D" : "T", k < 2 ? k : k - 2, k < 2 ? 1 : 2, k);
        strcat(vs, line);
        snprintf(line, sizeof(line), "dcl %s%d\n", k < 2 ? "v" : "t", k < 2 ? k : k - 2);
        strcat(ps, line);
    }
    for (int k = 0; k < 10; k++) {
        snprintf(line, sizeof(line), "m%s r0, %s%d, c%d%s\n", k ? "ad" : "ul", k < 2 ? "v" : "t", k < 2 ? k : k - 2, k, k ? ", r0" : "");
        strcat(ps, line);
    }
    strcat(ps, "mov oC0, r0");
    gold_program(g, vs, ps, all_shade, NULL);
    draw(g, 2);
    gold_show(g, 0.05, 0);
}

/* Models 2 and 3 of either side: oD is COLOR, oT is TEXCOORD; what has no partner reads 0. */
static void mixed_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    for (int c = 0; c < 4; c++) f->color[0][c] = f->attr[0][c] * 0.5 + f->attr[1][c] * 0.25 + f->attr[2][c] * 0.125;
}

static const char vs3_scrambled[] = "vs_3_0\ndcl_position v0\ndcl_color v1\ndcl_texcoord v2\ndcl_texcoord1 v3\ndcl_texcoord1 o0\ndcl_color o4\ndcl_position o7\ndcl_texcoord o2\n"
                                    "mov o7, v0\nmov o4, v1\nmov o2, v2\nmov o0, v3";

static void link_mixed(struct gold *g, int which)
{
    static const char ps2[] = "ps_2_0\ndcl v0\ndcl t0\ndcl t1\ndcl t5\ndef c0, 0.5, 0.25, 0.125, 1\nmul r0, v0, c0.x\nmad r0, t0, c0.y, r0\nmad r0, t1, c0.z, r0\nadd r0, r0, t5\nmov oC0, r0";
    static const char ps3[] = "ps_3_0\ndcl_texcoord1 v1\ndcl_normal2 v2\ndcl_color v5\ndcl_texcoord v6\ndef c0, 0.5, 0.25, 0.125, 1\nmul r0, v5, c0.x\nmad r0, v6, c0.y, r0\nmad r0, v1, c0.z, r0\n"
                              "add r0, r0, v2\nmov oC0, r0";
    static const char vs2[] = "vs_2_0\ndcl_position v0\ndcl_color v1\ndcl_texcoord v2\ndcl_texcoord1 v3\nmov oPos, v0\nmov oD0, v1\nmov oT0, v2\nmov oT1, v3";
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, which & 1 ? vs3_scrambled : vs2, which & 2 ? ps3 : ps2, mixed_shade, NULL);
    draw(g, 2);
    gold_show(g, 0.05, 0);
}

/* No pixel shader: colour stays, depth is written. */
static void no_pixel_shader(struct gold *g, int arg)
{
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0.25f, 0.5f, 0.75f, 1, 1, 0);
    PUT(g, AGPU_BIND_SHADERS, 24, H_VS, 0, 0, 0);
    g->shade = NULL;
    draw(g, 5);
    gold_show(g, 0.001, 0);
    gold_show_depth(g, 0.5, 0);
}

/* A pixel shader that cannot be read: the draw is skipped, others go on. */
static void unusable_shader(struct gold *g, int arg)
{
    static const u32 junk[] = { 0xffff0200, 0x0200ffee, 1, 2, 0x0000ffff };
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_rectangle(g, 0, 0, 20, 20, 0, 0xff00ff00);
    gold_blob(g, AGPU_CREATE_SHADER_DXBC, (const u32[]){ H_FREE, AGPU_STAGE_PIXEL, sizeof(junk), 0 }, 4, junk, sizeof(junk));
    PUT(g, AGPU_BIND_SHADERS, 24, H_VS, H_FREE, 0, 0, AGPU_DRAW, 24, 4, 1, 0, 0, AGPU_BIND_SHADERS, 24, H_VS, H_PS, 0, 0);
    gold_rectangle(g, 10, 10, 30, 30, 0, 0xffff0000);
    gold_show(g, 0.001, 0);
}

/* ---- constants ---- */

static void loop_shade(struct ref_fragment *f, const void *user)
{
    (void)user; /* i3 says 5 times from 2 in steps of 3: c2, c5, c8, c11, c14 of which c14 is 0; b1 is true, b2 false */
    for (int c = 0; c < 4; c++) f->color[0][c] = (2 + 5 + 8 + 11) / 64.0 + c / 16.0 + f->attr[0][c] * 0.25 + 0.125;
}

/* wide: bool registers of 16 bytes, as the header has them; else of 4, as the driver sends them. */
static void integers_and_bools(struct gold *g, int wide)
{
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, vs3_scrambled,
                 "ps_3_0\ndcl_color v0\ndef c20, 0.25, 0.125, 0.5, 0\nmul r0, v0, c20.x\nloop aL, i3\nadd r0, r0, c0[aL]\nendloop\nif b1\nadd r0, r0, c20.y\nelse\nadd r0, r0, c20.z\nendif\n"
                 "if b2\nadd r0, r0, c20.z\nendif\nmov oC0, r0",
                 loop_shade, NULL);
    for (u32 k = 0; k < 13; k++) {
        float v = (float)k / 64;
        gold_constant(g, AGPU_STAGE_PIXEL, k, v, v, v, v);
    }
    gold_constant(g, AGPU_STAGE_PIXEL, 2, 2 / 64.0f, 2 / 64.0f + 1 / 16.0f, 2 / 64.0f + 2 / 16.0f, 2 / 64.0f + 3 / 16.0f);
    PUT(g, AGPU_SET_SHADER_CONSTANTS_I, 40, AGPU_STAGE_PIXEL, 3, 1, 0, 5, 2, 3, 77);
    if (wide)
        PUT(g, AGPU_SET_SHADER_CONSTANTS_B, 56, AGPU_STAGE_PIXEL, 1, 2, 0, 0, 0, 8, 0, 0, 0, 0, 0);
    else
        PUT(g, AGPU_SET_SHADER_CONSTANTS_B, 32, AGPU_STAGE_PIXEL, 1, 2, 0, 1, 0);
    draw(g, 2);
    gold_show(g, 0.05, 0);
}

/* Relative reads below 0 and beyond 255 give 0. */
static void beyond_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    for (int c = 0; c < 4; c++) f->color[0][c] = f->attr[1][c];
}

static void beyond_transform(const void *in, struct ref_vertex *out, const void *user)
{
    int index = (int)((const struct vx *)in)->uv[0];
    (void)user;
    for (int c = 0; c < 4; c++) out->attr[1][c] = index < 0 || index > 255 ? 0 : 0.25 + c * 0.125;
}

static void constants_beyond(struct gold *g, int arg)
{
    static const float at[8] = { -300, -1, 0, 100, 255, 256, 300, 4000 };
    struct vx v[8];
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, 16, 4, 0);
    gold_statef(g, 154, 2);
    gold_program(g, "vs_2_0\nmov oPos, v0\nmova a0.x, v2.x\nmov oT0, c0[a0.x]", "ps_2_0\ndcl t0\nmov oC0, t0", beyond_shade, NULL);
    g->transform = beyond_transform;
    for (u32 k = 0; k < 256; k++) gold_constant(g, AGPU_STAGE_VERTEX, k, 0.25f, 0.375f, 0.5f, 0.625f);
    for (int k = 0; k < 8; k++) {
        v[k] = gold_vertex(g, 1 + (float)k * 2, 2, 0, 1, 0);
        v[k].uv[0] = at[k];
    }
    gold_draw(g, AGPU_TOPO_POINTS, v, 8);
    gold_show(g, 0.001, 0);
}

/* The tokens of the driver's own shaders: lengths that count the instruction, bit 31 clear. */
static void driver_shade(struct ref_fragment *f, const void *user)
{
    double t[4];
    (void)user;
    ref_sample(f, 0, 1, false, 0, t);
    for (int c = 0; c < 4; c++) f->color[0][c] = ref_clamp(t[c] * f->attr[0][c] + 0.125, 0, 1);
}

static void driver_tokens(struct gold *g, int arg)
{
    static const u32 texels[4] = { 0xff804020, 0xff20c040, 0xffe0e0e0, 0x80404040 };
    (void)arg;
    g->driver_tokens = true;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, "vs_2_0\nmov oPos, v0\nmov oD0, v1\nmov oT0, v2", "ps_2_0\ndef c0, 0.125, 0.125, 0.125, 0.125\ntexld r0, t0, s0\nmul r0, r0, v0\nadd_sat r0, r0, c0\nmov oC0, r0", driver_shade, NULL);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 2, 2, 1, 1, texels, sizeof(texels));
    gold_sampler(g, 0, 5, 2);
    gold_sampler(g, 0, 6, 2);
    draw(g, 2);
    gold_show(g, 0.05, 0);
}

/* ---- targets and textures ---- */

/* What is drawn is as large as the smallest target. */
static void sizes_of_targets(struct gold *g, int arg)
{
    const u8 *p;
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_texture2d(g, H_FREE, AGPU_FMT_R8G8B8A8, 20, 48, 1, 1);
    gold_texture2d(g, H_FREE + 1, AGPU_FMT_D24S8, 64, 12, 1, 1);
    PUT(g, AGPU_SET_RENDER_TARGETS, 48, 2, H_FREE + 1, H_COLOR, H_FREE, 0, 0, 0, 0, 0, 0, AGPU_SET_VIEWPORT, 32, 0, 0, gold_float(64), gold_float(64), 0, F1);
    gold_program(g, NULL, "ps_2_0\ndef c0, 1, 0.5, 0, 1\nmov r0, c0\nmov oC0, r0\nmov oC1, r0", NULL, NULL);
    gold_state(g, 23, 8);
    g->silent = true; /* by formula */
    gold_rectangle(g, -64, -64, 64, 64, 0, 0);
    p = gold_read(g, H_COLOR, AGPU_FMT_B8G8R8A8, N, N, 0, 0);
    for (u32 k = 0; k < N * N; k++) gold_check(g, ld32(p + 4 * k) == (k % N < 20 && k / N < 12 ? 0xffff8000 : 0), "target 0, %u,%u: %08x", k % N, k / N, ld32(p + 4 * k));
    p = gold_read(g, H_FREE, AGPU_FMT_R8G8B8A8, 20, 48, 0, 0);
    for (u32 k = 0; k < 20 * 48; k++) gold_check(g, ld32(p + 4 * k) == (k / 20 < 12 ? 0xff0080ff : 0), "target 1, %u,%u: %08x", k % 20, k / 20, ld32(p + 4 * k));
}

static void textured(struct ref_fragment *f, const void *user)
{
    (void)user;
    ref_sample(f, 0, 1, false, 0, f->color[0]);
}

/* A target is drawn, sampled in another pass, and drawn again. */
static void render_to_texture(struct gold *g, int arg)
{
    struct vx v[4];
    u32 zeros[N * N] = { 0 };
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, N, N, 1, 1, zeros, sizeof(zeros));
    gold_sampler(g, 0, 5, 2);
    gold_sampler(g, 0, 6, 2);
    for (int pass = 0; pass < 3; pass++) {
        /* into the texture itself: the reference draws into its target and takes a copy */
        gold_program(g, NULL, ps_color, ref_color, NULL);
        PUT(g, AGPU_SET_TEXTURE, 24, AGPU_STAGE_PIXEL, 0, 0, 0, AGPU_SET_RENDER_TARGETS, 48, 1, 0, H_TEXTURE, 0, 0, 0, 0, 0, 0, 0);
        gold_clear(g, 1, 0, 0, (float)pass / 4, 1, 0, 0);
        draw(g, (float)(2 + pass * 4));
        u8 *texels = xalloc(N * N * 4);
        ref_surface_store(&g->ref.color[0], texels);
        ref_texture_free(&g->textures[0]);
        ref_texture_load(&g->textures[0], AGPU_FMT_B8G8R8A8, N, N, 1, 1, 0, texels);
        free(texels);
        PUT(g, AGPU_SET_RENDER_TARGETS, 48, 1, 0, H_COLOR, 0, 0, 0, 0, 0, 0, 0, AGPU_SET_TEXTURE, 24, AGPU_STAGE_PIXEL, 0, H_TEXTURE, 0);
        gold_program(g, NULL, ps_textured, textured, NULL);
        gold_clear(g, 1, 0.2f, 0, 0, 1, 0, 0);
        corners(g, v, 3.5f, 2.25f, 30, 29.75f, 0);
        for (int k = 0; k < 4; k++) v[k].uv[0] = (float)(k & 1), v[k].uv[1] = (float)(k >> 1);
        gold_draw(g, AGPU_TOPO_STRIP, v, 4);
        gold_show(g, 1.1, 0);
    }
}

/* A displacement map read by the vertex shader. */
static void vertex_texture_transform(const void *in, struct ref_vertex *out, const void *user)
{
    const struct vx *v = in;
    const u32 *texels = user;
    int x = (int)(v->uv[0] * 4), y = (int)(v->uv[1] * 4);
    u32 t = texels[y * 4 + x];
    for (int c = 0; c < 4; c++) out->attr[0][c] = (t >> (c == 3 ? 24 : 16 - 8 * c) & 255) / 255.0;
    out->pos[1] += (t >> 8 & 255) / 255.0 * 0.25;
}

static void vertex_texture(struct gold *g, int arg)
{
    u32 texels[16];
    struct vx v[16];
    (void)arg;
    for (u32 k = 0; k < 16; k++) texels[k] = 0xff000000 | gold_random(g) << 1 | (k & 1 ? 0xff00 : 0);
    for (u32 k = 0; k < 16; k++) texels[k] &= ~(k & 1 ? 0u : 0xff00u); /* green is 0 or 255: exact moves */
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_statef(g, 154, 4);
    gold_program(g, "vs_3_0\ndcl_position v0\ndcl_texcoord v2\ndcl_2d s0\ndcl_position o0\ndcl_color o1\ndef c0, 0, 0.25, 0, 0\nmov r1, v2\nmov r1.w, c0.x\ntexldl r0, r1, s0\nmov o1, r0\n"
                    "mov r2, v0\nmad r2.y, r0.y, c0.y, v0.y\nmov o0, r2",
                 "ps_3_0\ndcl_color v0\nmov oC0, v0", ref_color, texels);
    g->transform = vertex_texture_transform;
    g->ref.saturate[0] = false;
    gold_texture2d(g, H_FREE, AGPU_FMT_B8G8R8A8, 4, 4, 1, 1);
    gold_upload(g, H_FREE, 0, texels, sizeof(texels));
    PUT(g, AGPU_SET_TEXTURE, 24, AGPU_STAGE_VERTEX, 0, H_FREE, 0);
    for (int k = 0; k < 16; k++) {
        v[k] = gold_vertex(g, 3 + (float)(k % 4) * 8, 8 + (float)(k / 4) * 7, 0, 1, 0);
        v[k].uv[0] = ((float)(k % 4) + 0.5f) / 4;
        v[k].uv[1] = ((float)(k / 4) + 0.5f) / 4;
    }
    gold_draw(g, AGPU_TOPO_POINTS, v, 16);
    g->user = NULL;
    gold_show(g, 0.001, 0);
}

/* Two contexts draw alternately into one target, each with its own states. */
static void contexts(struct gold *g, int arg)
{
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_state(g, 168, 9);
    gold_rectangle(g, 0, 0, N, N, 0, 0xffffffff); /* red and alpha alone */
    gold_submit(g);
    g->context = 2;
    g->ref.rs[168] = 15; /* a fresh context's */
    PUT(g, AGPU_BIND_SHADERS, 24, H_VS, H_PS, 0, 0, AGPU_SET_RENDER_TARGETS, 48, 1, 0, H_COLOR, 0, 0, 0, 0, 0, 0, 0, AGPU_SET_INPUT_LAYOUT, 16, H_LAYOUT, 0, AGPU_SET_RENDER_STATE,
        16, 22, 1);
    gold_rectangle(g, 8, 8, 24, 24, 0, 0x80204060);
    gold_submit(g);
    g->context = 1;
    g->ref.rs[168] = 9;
    gold_rectangle(g, 16, 16, 30, 30, 0, 0x40ff8000);
    gold_show(g, 0.001, 0);
}

const struct golden_case golden_stages[] = {
    { "l2_link_all", link_all, 0, FORMULA },
    { "l2_link_vs2_ps2", link_mixed, 0, FORMULA },
    { "l2_link_vs3_ps2", link_mixed, 1, FORMULA },
    { "l2_link_vs2_ps3", link_mixed, 2, FORMULA },
    { "l2_link_vs3_ps3", link_mixed, 3, FORMULA },
    { "l2_no_pixel_shader", no_pixel_shader, 0, FORMULA },
    { "l2_unusable_shader", unusable_shader, 0, FORMULA },
    { "l2_constants_i_b_4", integers_and_bools, 0, FORMULA },
    { "l2_constants_i_b_16", integers_and_bools, 1, FORMULA },
    { "l2_constants_beyond", constants_beyond, 0, FORMULA },
    { "l2_driver_tokens", driver_tokens, 0, FORMULA },
    { "l2_targets_of_sizes", sizes_of_targets, 0, BYTES },
    { "l2_render_to_texture", render_to_texture, 0, FORMULA },
    { "l2_vertex_texture", vertex_texture, 0, FORMULA },
    { "l2_contexts", contexts, 0, FORMULA },
    { NULL, NULL, 0, NULL },
};
