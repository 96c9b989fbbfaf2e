/* Golden pictures of what lies between packets and stages in Direct3D 10 and 11: defaults, system
 * values, clip and cull distances, rendered mips, offsets, sizes of resources, eight targets, legacy
 * constants. Executor document, section 9; command stream, sections 6.5 and 9.2. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/gpu/golden.h"

enum { N = 32, BIG = 64 };
#define FORMULA "reference, double precision"
#define BYTES "formula, every bit"
#define PS10_TEXTURED PS10_LINEAR "dcl_sampler s0, mode_default\ndcl_resource_texture2d (float,float,float,float) t0\ndcl_temps 2\n"

static void color(struct ref_fragment *f, const void *user)
{
    (void)user;
    memcpy(f->color[0], f->attr[0], sizeof(f->color[0]));
}

static void quad(struct gold *g, float u, float v)
{
    struct vx q[4];
    float w = (float)g->ref.color[0].width, h = (float)g->ref.color[0].height;
    for (int k = 0; k < 4; k++) {
        q[k] = gold_vertex(g, k & 1 ? w : 0, k & 2 ? h : 0, 0.5f, 1, 0xffffffff);
        q[k].uv[0] = (float)(k & 1) * u;
        q[k].uv[1] = (float)(k >> 1) * v;
    }
    gold_draw(g, AGPU_TOPO_STRIP, q, 4);
}

/* No state packet at all: back faces are culled, clockwise is front, depth LESS with writing. */
static void defaults(struct gold *g, int arg)
{
    static const u32 words[4 + 2 * 7] = { AGPU_ILAY_MAGIC, 1, 2, 0, 0x7808e88a, 0, 2, 0, 0, 0, 0, 0xe7c308f8, 0, 2, 0, 16, 0, 0 };
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, AGPU_FMT_D24S8);
    gold_submit(g);
    g->context = 7; /* a fresh one, whose only packets are these */
    PUT(g, AGPU_BIND_SHADERS, 24, H_VS, H_PS, 0, 0, AGPU_SET_RENDER_TARGETS, 48, 1, H_DEPTH, H_COLOR, 0, 0, 0, 0, 0, 0, 0, AGPU_SET_VIEWPORT, 32, 0, 0, gold_float(N),
        gold_float(N), 0, F1);
    gold_blob(g, AGPU_CREATE_INPUT_LAYOUT, (const u32[]){ H_FREE, sizeof(words), 0 }, 3, words, sizeof(words));
    PUT(g, AGPU_SET_INPUT_LAYOUT, 16, H_LAYOUT, 0);
    g->ref.state.cull = 3;
    g->ref.state.depth_test = g->ref.state.depth_write = true;
    g->ref.state.depth_func = AGPU_CMP_LESS;
    gold_clear(g, 6, 0, 0, 0, 0, 1, 0);
    gold_rectangle(g, 4, 4, 20, 20, 0.5f, 0xffff0000);
    gold_rectangle(g, 10, 10, 28, 28, 0.5f, 0xff00ff00); /* not less where the first is */
    gold_rectangle(g, 24, 2, 2, 30, 0.25f, 0xff0000ff);  /* counter-clockwise */
    gold_rectangle(g, 16, 16, 22, 30, 0.25f, 0x80ffffff); /* no blending */
    gold_show(g, 0.001, 0);
    gold_show_depth(g, 0.5, 0);
}

/* Without a viewport nothing is visible; one of size 0 means the whole target. */
static void no_viewport(struct gold *g, int zero)
{
    (void)zero;
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_clear(g, 1, 0.25f, 0.5f, 0.75f, 1, 0, 0);
    gold_submit(g);
    g->context = 7;
    PUT(g, AGPU_BIND_SHADERS, 24, H_VS, H_PS, 0, 0, AGPU_SET_RENDER_TARGETS, 48, 1, 0, H_COLOR, 0, 0, 0, 0, 0, 0, 0, AGPU_SET_INPUT_LAYOUT, 16, H_LAYOUT, 0,
        AGPU_SET_RASTERIZER_STATE, 32, 0, 0, 0, 0, 0, 0);
    if (zero) {
        PUT(g, AGPU_SET_VIEWPORT, 32, 0, 0, 0, 0, 0, F1);
        gold_rectangle(g, 4, 4, 20, 20, 0.5f, 0xffff0000);
    } else {
        bool silent = g->silent;
        g->silent = true;
        gold_rectangle(g, 4, 4, 20, 20, 0.5f, 0xffff0000);
        g->silent = silent;
    }
    gold_show(g, 0.001, 0);
}

/* ---- distances ---- */

static void clip_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    for (int k = 0; k < 2; k++) {
        if (fabs(f->attr[1][k]) < 0.004) f->unsure = true;
        if (f->attr[1][k] < 0) f->kill = true;
    }
    color(f, user);
}

#define VS10_DISTANCES(name)                                                                       \
    "vs_4_0\n.in POSITION v0.xyzw\n.in COLOR v1.xyzw\n.in TEXCOORD v2.xyzw\n.out SV_Position o0.xyzw\n.out COLOR o1.xyzw\n.out " name " o2.xy\n" \
    "dcl_input v0.xyzw\ndcl_input v1.xyzw\ndcl_input v2.xyzw\ndcl_output_siv o0.xyzw, position\ndcl_output o1.xyzw\n"
static const char ps_color10[] = "ps_4_0\n.in SV_Position v0.xyzw\n.in COLOR v1.xyzw\n.out SV_Target o0.xyzw\ndcl_input_ps linear v1.xyzw\ndcl_output o0.xyzw\nmov o0.xyzw, v1.xyzw\nret";

static void clip_distance(struct gold *g, int arg)
{
    struct vx v[4];
    static const float distance[4][2] = { { 1, -0.4f }, { -0.7f, 0.9f }, { 0.8f, 0.6f }, { 0.5f, 1 } };
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_program10(g, VS10_DISTANCES("SV_ClipDistance") "dcl_output_siv o2.xy, clip_distance\nmov o0.xyzw, v0.xyzw\nmov o1.xyzw, v1.xyzw\nmov o2.xy, v2.xyxx\nret", ps_color10, false,
                   clip_shade, NULL);
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? 60 : 4, k & 2 ? 60 : 4, 0, k == 3 ? 2 : 1, k & 1 ? 0xffff0080 : 0xff00ff80);
        memcpy(v[k].uv, distance[k], sizeof(distance[k]));
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.1, 3);
}

/* A triangle goes when all its corners are on the wrong side of one distance. */
static void cull_distance(struct gold *g, int arg)
{
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_program10(g, VS10_DISTANCES("SV_CullDistance") "dcl_output_siv o2.xy, cull_distance\nmov o0.xyzw, v0.xyzw\nmov o1.xyzw, v1.xyzw\nmov o2.xy, v2.xyxx\nret", ps_color10, false, color,
                   NULL);
    for (int k = 0; k < 9; k++) {
        static const float distance[9][3] = { { 1, 1, 1 }, { -1, -1, -1 }, { -1, 1, -1 }, { 0, 0, 0 }, { -1, -1, 0 }, { -2, -0.1f, -3 }, { 1, -1, 1 }, { -1, -1, -1 }, { 2, 2, -2 } };
        float x = (float)(k % 3) * 20, y = (float)(k / 3) * 20;
        struct vx v[3];
        for (int n = 0; n < 3; n++) {
            v[n] = gold_vertex(g, x + (n == 1 ? 18 : 3), y + (n == 2 ? 18 : 3), 0, 1, 0xff80c020 + (u32)k * 0x0c);
            v[n].uv[0] = k % 2 ? distance[k][n] : 1; /* in the first or in the second component */
            v[n].uv[1] = k % 2 ? 1 : distance[k][n];
        }
        bool gone = distance[k][0] < 0 && distance[k][1] < 0 && distance[k][2] < 0, silent = g->silent;
        if (gone) g->silent = true;
        gold_draw(g, AGPU_TOPO_TRIANGLES, v, 3);
        g->silent = silent;
    }
    gold_show(g, 0.1, 0);
}

/* ---- system values ---- */

static void primitive_id_shade(struct ref_fragment *f, const void *user)
{
    (void)user; /* the corners of triangle n carry n */
    for (int c = 0; c < 4; c++) f->color[0][c] = f->attr[1][0] / 8;
}

static void primitive_id(struct gold *g, int arg)
{
    struct vx v[24];
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_program10(g, NULL,
                   "ps_4_0\n.in SV_Position v0.xyzw\n.in COLOR v1.xyzw\n.in SV_PrimitiveID v4.x uint\n.out SV_Target o0.xyzw\ndcl_output o0.xyzw\n"
                   "dcl_input_ps_sgv constant v4.x, primitive_id\ndcl_temps 1\nutof r0.x, v4.x\nmul o0.xyzw, r0.xxxx, l(0.125, 0.125, 0.125, 0.125)\nret",
                   false, primitive_id_shade, NULL);
    for (int k = 0; k < 24; k++) {
        int n = k / 3, corner = k % 3;
        v[k] = gold_vertex(g, (float)(n % 4) * 16 + (corner == 1 ? 15 : 1), (float)(n / 4) * 30 + (corner == 2 ? 29 : 2), 0, 1, 0);
        v[k].uv[0] = (float)n;
    }
    gold_draw(g, AGPU_TOPO_TRIANGLES, v, 24);
    gold_show(g, 0.02, 0);
}

/* ---- textures ---- */

static void textured(struct ref_fragment *f, const void *user)
{
    (void)user;
    ref_sample(f, 0, 1, false, 0, f->color[0]);
}

/* Each mip is drawn from the one above through views, then all are seen at once. */
static void rendered_mips(struct gold *g, int arg)
{
    enum { MIPS = 4, SIZE = 16 };
    u32 data[SIZE * SIZE * 2] = { 0 }, at = 0;
    (void)arg;
    for (u32 k = 0; k < SIZE * SIZE; k++) data[k] = 0xff000000 | (gold_random(g) & 0x7f7f7f) << 1;
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, SIZE, SIZE, MIPS, 1, data, (256 + 64 + 16 + 4) * 4);
    gold_sampler10(g, 0, AGPU_FILTER_LINEAR, AGPU_ADDRESS_REPEAT, AGPU_ADDRESS_REPEAT);
    gold_program10(g, NULL, PS10_TEXTURED "sample o0.xyzw, v2.xyxx, t0.xyzw, s0\nret", false, textured, NULL);
    g->silent = true;
    for (u32 m = 1; m < MIPS; m++) {
        u32 s = SIZE >> m, above = at;
        PUT(g, AGPU_CREATE_TEXTURE_VIEW, 44, H_FREE + m, H_TEXTURE, AGPU_FMT_B8G8R8A8, m - 1, 1, 0, 1, 0, 0, AGPU_CREATE_TEXTURE_VIEW, 44, H_FREE + 10 + m, H_TEXTURE,
            AGPU_FMT_B8G8R8A8, m, 1, 0, 1, 0, 0);
        PUT(g, AGPU_SET_RENDER_TARGETS, 48, 1, 0, H_FREE + 10 + m, 0, 0, 0, 0, 0, 0, 0, AGPU_SET_TEXTURE, 24, AGPU_STAGE_PIXEL, 0, H_FREE + m, 0, AGPU_SET_VIEWPORT, 32, 0, 0,
            gold_float((float)s), gold_float((float)s), 0, F1);
        quad(g, 1, 1);
        at += (2 * s) * (2 * s);
        for (u32 k = 0; k < s * s; k++) { /* the mean of four, rounded */
            u32 from = above + k / s * 2 * (2 * s) + k % s * 2, out = 0xff000000;
            for (u32 c = 0; c < 3; c++) {
                u32 sum = 0;
                for (u32 n = 0; n < 4; n++) sum += data[from + n % 2 + n / 2 * 2 * s] >> 8 * c & 255;
                out |= (sum * 2 + 4) / 8 << 8 * c;
            }
            data[at + k] = out;
        }
    }
    g->silent = false;
    for (u32 m = 0; m < MIPS; m++) {
        u32 s = SIZE >> m, from = m == 0 ? 0 : m == 1 ? 256 : m == 2 ? 320 : 336;
        const u8 *p = gold_read(g, H_TEXTURE, AGPU_FMT_B8G8R8A8, s, s, m, 0);
        for (u32 k = 0; k < s * s; k++) {
            for (u32 c = 0; c < 4; c++)
                gold_check(g, abs(p[4 * k + c] - (int)(data[from + k] >> 8 * c & 255)) <= (int)m, "mip %u, %u,%u: %08x, not %08x", m, k % s, k / s, ld32(p + 4 * k), data[from + k]);
        }
    }
}

static void offset_shade(struct ref_fragment *f, const void *user)
{
    const double uv[3] = { f->attr[1][0] + 3 / 16.0, f->attr[1][1] - 2 / 16.0, 0 };
    (void)user;
    ref_sample_lod(f, 0, uv, 0, f->color[0]);
}

static void noise(struct gold *g, u32 *out, u32 n)
{
    for (u32 k = 0; k < n; k++) out[k] = gold_random(g) * 0x9e3779b1u;
}

static void sample_offset(struct gold *g, int filter)
{
    u32 data[256];
    noise(g, data, 256);
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 16, 16, 1, 1, data, sizeof(data));
    gold_sampler10(g, 0, (u32)filter, AGPU_ADDRESS_REPEAT, AGPU_ADDRESS_REPEAT);
    gold_program10(g, NULL, PS10_TEXTURED "sample_aoffimmi(3,-2,0) o0.xyzw, v2.xyxx, t0.xyzw, s0\nret", false, offset_shade, NULL);
    quad(g, 1, 1);
    gold_show(g, 0.02, 0);
}

/* Width, height and number of mips of mip 1, three return types in three bands. */
static void resinfo_shade(struct ref_fragment *f, const void *user)
{
    static const double info[3][4] = { { 12 / 64.0, 5 / 64.0, 0, 3 / 64.0 }, { 1 / 12.0, 1 / 5.0, 0, 3 / 64.0 }, { 12 / 64.0, 5 / 64.0, 0, 3 / 64.0 } };
    (void)user;
    memcpy(f->color[0], info[f->y < 16 ? 0 : f->y < 32 ? 1 : 2], sizeof(f->color[0]));
}

static void resinfo(struct gold *g, int arg)
{
    static u32 data[24 * 11 + 12 * 5 + 6 * 2];
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 24, 11, 3, 1, data, sizeof(data));
    gold_program10(g, NULL,
                   PS10_TEXTURED "lt r1.x, v2.y, l(0.25)\nif_nz r1.x\nresinfo r0.xyzw, l(1), t0.xyzw\nmul r0.xy, r0.xyxx, l(0.015625, 0.015625, 0.0, 0.0)\nelse\nlt r1.x, v2.y, l(0.5)\n"
                                 "if_nz r1.x\nresinfo_rcpfloat r0.xyzw, l(1), t0.xyzw\nelse\nresinfo_uint r0.xyzw, l(1), t0.xyzw\nutof r0.xyzw, r0.xyzw\n"
                                 "mul r0.xy, r0.xyxx, l(0.015625, 0.015625, 0.0, 0.0)\nendif\nendif\nmul r0.w, r0.w, l(0.015625)\nmov r0.z, l(0.0)\nmov o0.xyzw, r0.xyzw\nret",
                   false, resinfo_shade, NULL);
    quad(g, 1, 1);
    gold_show(g, 0.02, 0);
}

/* ---- targets ---- */

static void eight_targets(struct gold *g, int arg)
{
    char ps[2048] = "ps_4_0\n.in SV_Position v0.xyzw\n.in COLOR v1.xyzw\n", line[160];
    u32 targets[12] = { AGPU_SET_RENDER_TARGETS, 48, 8, 0 };
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    for (u32 k = 0; k < 8; k++) {
        snprintf(line, sizeof(line), ".out SV_Target%u o%u.xyzw\n", k, k);
        strcat(ps, line);
        gold_texture2d(g, H_FREE + k, AGPU_FMT_B8G8R8A8, N, N, 1, 1);
        targets[4 + k] = H_FREE + k;
    }
    strcat(ps, "dcl_input_ps linear v1.xyzw\n");
    for (u32 k = 0; k < 8; k++) {
        snprintf(line, sizeof(line), "dcl_output o%u.xyzw\n", k);
        strcat(ps, line);
    }
    for (u32 k = 0; k < 8; k++) {
        snprintf(line, sizeof(line), "mad o%u.xyzw, v1.xyzw, l(0.5, 0.5, 0.5, 0.5), l(%.6f, 0.0, 0.0, 0.0)\n", k, k * 16 / 255.0);
        strcat(ps, line);
    }
    strcat(ps, "ret");
    gold_put(g, targets, 12);
    gold_program10(g, NULL, ps, false, NULL, NULL);
    g->silent = true;
    gold_rectangle(g, 3, 5, 29, 25, 0, 0xfe204060);
    for (u32 k = 0; k < 8; k++) {
        const u8 *p = gold_read(g, H_FREE + k, AGPU_FMT_B8G8R8A8, N, N, 0, 0);
        for (u32 n = 0; n < N * N; n++) {
            bool in = n % N >= 3 && n % N < 29 && n / N >= 5 && n / N < 25;
            u32 want = in ? 0x7f102030 + k * 0x100000 : 0;
            gold_check(g, ld32(p + 4 * n) == want, "target %u, %u,%u: %08x, not %08x", k, n % N, n / N, ld32(p + 4 * n), want);
        }
    }
}

/* A constant buffer slot 0 without a buffer: what SET_SHADER_CONSTANTS_F said. */
static void legacy_shade(struct ref_fragment *f, const void *user)
{
    static const double c5[4] = { 0.25, 0.75, 0.5, 1 };
    (void)user;
    memcpy(f->color[0], c5, sizeof(c5));
}

static void legacy_constants(struct gold *g, int arg)
{
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_constant(g, AGPU_STAGE_PIXEL, 5, 0.25f, 0.75f, 0.5f, 1);
    gold_program10(g, NULL, PS10_LINEAR "dcl_constantbuffer cb0[8], immediateIndexed\nmov o0.xyzw, cb0[5].xyzw\nret", false, legacy_shade, NULL);
    gold_rectangle(g, 4, 4, 28, 20, 0, 0);
    gold_show(g, 0.001, 0);
}

/* Two vertex buffers of which one starts with an offset; a late rebinding of one leaves the other. */
static void buffer_slots(struct gold *g, int arg)
{
    const u32 words[4 + 2 * 7] = { AGPU_ILAY_MAGIC, 1, 2, 0, gold_semantic("POSITION"), 0, 6, 1, 0, 0, 0, gold_semantic("COLOR"), 0, 28, 3, 4, 0, 0 };
    u32 kept[3] = { 0 };
    (void)arg;
    gold_target10(g, AGPU_FMT_R8G8B8A8, BIG, BIG, 0);
    gold_program10(g, "vs_4_0\n.in POSITION v0.xyzw\n.in COLOR v1.xyzw\n.out SV_Position o0.xyzw\n.out COLOR o1.xyzw\ndcl_input v0.xyzw\ndcl_input v1.xyzw\n"
                      "dcl_output_siv o0.xyzw, position\ndcl_output o1.xyzw\nmov o0.xyzw, v0.xyzw\nmov o1.xyzw, v1.xyzw\nret",
                   ps_color10, false, color, NULL);
    gold_blob(g, AGPU_CREATE_INPUT_LAYOUT, (const u32[]){ H_FREE, sizeof(words), 0 }, 3, words, sizeof(words));
    PUT(g, AGPU_SET_INPUT_LAYOUT, 16, H_FREE, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_TRIANGLES, 0);
    for (u32 pass = 0; pass < 2; pass++) {
        float positions[3 + 9];
        u32 colors[6];
        struct ref_vertex v[3] = { 0 };
        for (int k = 0; k < 3; k++) {
            struct vx p = gold_vertex(g, (float)pass * 30 + (k == 1 ? 30 : 2), (float)pass * 20 + (k == 2 ? 40 : 3), 0, 1, 0);
            memcpy(positions + 3 + 3 * k, p.pos, 12);
            colors[2 * k] = 0;
            colors[2 * k + 1] = gold_random(g) << 1;
            if (pass) colors[2 * k + 1] = 0;
            for (int c = 0; c < 4; c++) v[k].pos[c] = c < 3 ? p.pos[c] : 1;
        }
        for (int k = 0; k < 3 && !pass; k++) kept[k] = colors[2 * k + 1];
        for (int k = 0; k < 3; k++)
            for (int c = 0; c < 4; c++) v[k].attr[0][c] = (kept[k] >> 8 * c & 255) / 255.0;
        gold_buffer(g, H_FREE + 1 + pass, positions, sizeof(positions));
        PUT(g, AGPU_SET_VERTEX_BUFFERS, 32, 1, 1, H_FREE + 1 + pass, 12, 12, 0);
        if (!pass) {
            gold_buffer(g, H_FREE + 5, colors, sizeof(colors));
            PUT(g, AGPU_SET_VERTEX_BUFFERS, 32, 3, 1, H_FREE + 5, 8, 0, 0);
        }
        PUT(g, AGPU_DRAW, 24, 3, 1, 0, 0);
        if (!g->silent) ref_draw(&g->ref, AGPU_TOPO_TRIANGLES, v, NULL, 3, 0, g->shade, NULL);
    }
    gold_show(g, 0.05, 0);
}

const struct golden_case golden_stages10[] = {
    { "l3_defaults", defaults, 0, FORMULA },
    { "l3_viewport_never_set", no_viewport, 0, FORMULA },
    { "l3_viewport_empty", no_viewport, 1, FORMULA },
    { "l3_clip_distance", clip_distance, 0, FORMULA },
    { "l3_cull_distance", cull_distance, 0, FORMULA },
    { "l3_primitive_id", primitive_id, 0, FORMULA },
    { "l3_rendered_mips", rendered_mips, 0, "mean of four texels, within one code a mip" },
    { "l3_sample_offset_point", sample_offset, 0, FORMULA },
    { "l3_sample_offset_linear", sample_offset, 1, FORMULA },
    { "l3_resinfo", resinfo, 0, FORMULA },
    { "l3_eight_targets", eight_targets, 0, BYTES },
    { "l3_legacy_constants", legacy_constants, 0, FORMULA },
    { "l3_buffer_slots", buffer_slots, 0, FORMULA },
    { NULL, NULL, 0, NULL },
};
