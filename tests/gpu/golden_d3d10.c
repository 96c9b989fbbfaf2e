/* Golden pictures of Direct3D 10 and 11 (level 3): state objects, constant buffers, samplers,
 * textures, input layouts, strips, instancing, through SM4 shaders. Executor document, section 9, and
 * command stream, sections 4.4, 6.4 and 9. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/gpu/golden.h"

enum { N = 32, BIG = 64 };
#define FORMULA "reference, double precision"
#define EXACT "reference, every bit"

static void coordinates(struct ref_fragment *f, const void *user)
{
    (void)user;
    memcpy(f->color[0], f->attr[1], sizeof(f->color[0]));
}

/* Four corners of the target with coordinates 0..1 and colours of their own. */
static void corners(const struct gold *g, struct vx v[4], float margin, float z)
{
    float w = (float)g->ref.color[0].width, h = (float)g->ref.color[0].height;
    static const u32 colors[4] = { 0xffff0000, 0xff00ff00, 0x800000ff, 0x40ffffff };
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? w - margin : margin, k & 2 ? h - margin : margin, z, 1, colors[k]);
        v[k].uv[0] = (float)(k & 1);
        v[k].uv[1] = (float)(k >> 1);
        v[k].uv[3] = 1;
    }
}

/* ---- drawing at all ---- */

static void triangle(struct gold *g, int bare)
{
    struct vx v[4];
    gold_target10(g, AGPU_FMT_R8G8B8A8, BIG, BIG, 0);
    gold_clear(g, 1, 0, 0, 0.25f, 1, 0, 0);
    if (bare) /* no signatures: registers link, elements feed inputs in order */
        gold_program10(g, NULL, PS10_LINEAR "mov o0.xyzw, v1.xyzw\nret", true, g->shade, NULL);
    corners(g, v, 5.25f, 0.5f);
    gold_draw(g, AGPU_TOPO_TRIANGLES, v, 3);
    gold_show(g, 0.02, 0);
}

static void interpolation(struct gold *g, int mode)
{
    static const char *const text[] = { PS10 "dcl_input_ps linear v2.xyzw\nmov o0.xyzw, v2.xyzw\nret", PS10 "dcl_input_ps linear noperspective v2.xyzw\nmov o0.xyzw, v2.xyzw\nret",
                                        PS10 "dcl_input_ps constant v2.xyzw\nmov o0.xyzw, v2.xyzw\nret" };
    static const float w[4] = { 1, 4, 0.5f, 16 };
    static const enum ref_interpolation how[] = { REF_LINEAR, REF_SCREEN, REF_FLAT };
    struct vx v[4];
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_program10(g, NULL, text[mode], false, coordinates, NULL);
    g->ref.interpolation[1] = how[mode];
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? 60 : 3, k & 2 ? 61 : 2, 0.5f, w[k], 0);
        v[k].uv[0] = (float)(k & 1);
        v[k].uv[1] = (float)(k >> 1);
        v[k].uv[2] = (float)k / 4;
        v[k].uv[3] = 1;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.02, 0);
}

/* ---- states ---- */

static void depth_func(struct gold *g, int func)
{
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0.1f, 0.1f, 0.1f, 1, 1, 0);
    gold_depth10(g, true, true, AGPU_CMP_ALWAYS);
    gold_rectangle(g, 0, 0, 10, N, 0.25f, 0xff800000);
    gold_rectangle(g, 10, 0, 20, N, 0.5f, 0xff008000);
    gold_rectangle(g, 20, 0, 30, N, 0.75f, 0xff000080);
    gold_depth10(g, true, func != AGPU_CMP_LESS, (u32)func); /* LESS without writing */
    gold_rectangle(g, 0, 8, N, 24, 0.5f, 0xffffffff);
    gold_show(g, 0, 0);
    gold_show_depth(g, 0, 0);
}

static void depth_bias(struct gold *g, int format)
{
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, (u32)format);
    gold_clear(g, 7, 0, 0, 0, 1, 1, 0);
    gold_depth10(g, true, true, AGPU_CMP_LESS);
    gold_rectangle(g, 0, 0, N, N, 0.5f, 0xff202040);
    gold_raster10(g, 0, 0, false, false, -1000, 0);
    gold_rectangle(g, 4, 4, 20, 20, 0.5f, 0xffff0000);
    gold_raster10(g, 0, 0, false, false, 1000, 0);
    gold_rectangle(g, 10, 10, 28, 28, 0.5f, 0xff00ff00); /* behind what is there */
    gold_show(g, 0, 0);
    gold_show_depth(g, 1, 0);
}

/* A slope through both planes: cut, or clamped into the viewport's range. */
static void depth_clip(struct gold *g, int off)
{
    struct vx v[4];
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0, 0, 0, 1, 1, 0);
    gold_viewport(g, 0, 0, BIG, BIG, 0.25f, 0.75f);
    gold_depth10(g, true, true, AGPU_CMP_LESS_EQUAL);
    gold_raster10(g, 0, 0, false, false, 0, off ? AGPU_RASTER_DEPTH_CLIP_OFF : 0);
    corners(g, v, 4, 0);
    for (int k = 0; k < 4; k++) v[k].pos[2] = k & 1 ? 2.3f : -1.1f;
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.05, 8);
    gold_show_depth(g, off ? 4 : 900, 8); /* corners that a plane cuts are snapped anew: 1/512 pixel of slope at each end */
}

static void cull(struct gold *g, int mode)
{
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_raster10(g, mode >> 8 ? AGPU_FILL_WIREFRAME : AGPU_FILL_SOLID, (u32)mode & 3, mode >> 4 & 1, false, 0, 0);
    for (int k = 0; k < 16; k++) {
        float x = (float)(k % 4) * 16, y = (float)(k / 4) * 16;
        struct vx v[3] = { gold_vertex(g, x + 2.5f, y + 2.5f, 0, 1, 0xff0000ff), gold_vertex(g, x + 13.5f, y + 4.5f, 0, 1, 0xff00ff00),
                           gold_vertex(g, x + 5.5f, y + 14.5f, 0, 1, 0xffff0000) };
        struct vx t = v[1];
        if ((k ^ k / 4) & 1) v[1] = v[2], v[2] = t;
        gold_draw(g, AGPU_TOPO_TRIANGLES, v, 3);
    }
    gold_show(g, 0.05, 0);
}

static void face_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    f->color[0][0] = f->front ? 1 : 0.25;
    f->color[0][1] = (f->x + 0.5) / 64;
    f->color[0][2] = f->z;
    f->color[0][3] = f->w / 4;
}

/* SV_Position and SV_IsFrontFace. */
static void system_values(struct gold *g, int arg)
{
    struct vx v[6];
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_program10(g, NULL,
                   "ps_4_0\n.in SV_Position v0.xyzw\n.in COLOR v1.xyzw\n.in SV_IsFrontFace v4.x uint\n.out SV_Target o0.xyzw\ndcl_output o0.xyzw\n"
                   "dcl_input_ps_siv linear noperspective v0.xyzw, position\ndcl_input_ps_sgv constant v4.x, is_front_face\ndcl_temps 1\n"
                   "movc o0.x, v4.x, l(1.0), l(0.25)\nmul o0.y, v0.x, l(0.015625)\nmov o0.z, v0.z\nmul o0.w, v0.w, l(0.25)\nret",
                   false, face_shade, NULL);
    for (int k = 0; k < 6; k++) v[k] = gold_vertex(g, 1 + (float)k * 12, k & 1 ? 3 : 61, (float)k / 8, k % 3 == 1 ? 4 : 1, 0);
    gold_draw(g, AGPU_TOPO_STRIP, v, 3);
    gold_draw(g, AGPU_TOPO_TRIANGLES, v + 3, 3);
    gold_show(g, 0.05, 0);
}

static void scissor(struct gold *g, int which)
{
    static const i32 rects[][4] = { { 10, 20, 30, 25 }, { -10, -10, 40, 30 }, { 0, 0, 0, 0 } };
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_clear(g, 1, 0.25f, 0, 0, 1, 0, 0);
    gold_scissor(g, rects[which][0], rects[which][1], rects[which][2], rects[which][3]);
    if (which == 2) g->ref.scissor_set = false; /* none named: the whole target */
    gold_rectangle(g, 0, 0, 20, BIG, 0, 0xff808080);
    gold_raster10(g, 0, 0, false, true, 0, 0);
    gold_rectangle(g, 0, 0, BIG, 60, 0, 0xff00ff00);
    gold_show(g, 0.001, 0);
}

/* All pairs of the eight factors, every operation. */
static void blend(struct gold *g, int op)
{
    static const u32 colors[4] = { 0x90c05020, 0x10ff0080, 0xffffffff, 0x00204060 };
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_clear(g, 1, 0x30 / 255.0f, 0xa0 / 255.0f, 0xe0 / 255.0f, 0x60 / 255.0f, 0, 0);
    for (u32 k = 0; k < 64; k++) {
        struct gold_blend10 b = { true, k % 8, k / 8, (u32)op, (k + 3) % 8, (k / 8 + 5) % 8, (u32)(op + 2) % 5, 15, { 0.25f, 0.5f, 0.75f, 0.125f }, ~0u };
        gold_blend10(g, &b);
        gold_rectangle(g, (float)(k % 8) * 4, (float)(k / 8) * 4, (float)(k % 8) * 4 + 3, (float)(k / 8) * 4 + 3, 0, colors[k % 4]);
    }
    gold_show(g, 0.001, 0);
}

static void masks(struct gold *g, int arg)
{
    (void)arg;
    gold_target10(g, AGPU_FMT_R8G8B8A8, N, N, 0);
    gold_clear(g, 1, 0.2f, 0.4f, 0.6f, 0.8f, 0, 0);
    for (u32 m = 0; m < 16; m++) {
        struct gold_blend10 b = { .src = 1, .src_alpha = 1, .mask = m, .sample_mask = m == 13 ? 2 : 1 }; /* bit 0 of the sample mask counts */
        gold_blend10(g, &b);
        gold_rectangle(g, (float)(m % 4) * 8, (float)(m / 4) * 8, (float)(m % 4) * 8 + 7, (float)(m / 4) * 8 + 7, 0, 0x40ff10ff);
    }
    gold_show(g, 0.001, 0);
}

static void mrt_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    memcpy(f->color[0], f->attr[1], sizeof(f->color[0]));
    for (int c = 0; c < 4; c++) f->color[2][c] = 1 - f->attr[1][c];
}

/* Outputs 0 and 2 of three, over the second of which a depth written by the shader decides. */
static void mrt(struct gold *g, int arg)
{
    static const u32 formats[2] = { AGPU_FMT_R8G8B8A8, AGPU_FMT_B5G6R5 };
    struct vx v[4];
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_more_targets(g, 2, formats);
    g->ref.outputs[1] = false;
    gold_clear(g, 1, 0.2f, 0.4f, 0.6f, 0.8f, 0, 0);
    gold_program10(g, NULL,
                   "ps_4_0\n.in SV_Position v0.xyzw\n.in COLOR v1.xyzw\n.in TEXCOORD v2.xyzw\n.out SV_Target o0.xyzw\n.out SV_Target2 o2.xyzw\n"
                   "dcl_input_ps linear v2.xyzw\ndcl_output o0.xyzw\ndcl_output o2.xyzw\nmov o0.xyzw, v2.xyzw\nadd o2.xyzw, -v2.xyzw, l(1.0, 1.0, 1.0, 1.0)\nret",
                   false, mrt_shade, NULL);
    corners(g, v, 3, 0);
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    for (u32 k = 0; k < 3; k++) gold_show_target(g, k, 0.01, 0);
}

static void depth_shade(struct ref_fragment *f, const void *user)
{
    coordinates(f, user);
    f->depth = f->attr[1][0] * 1.5 - 0.25;
}

static void depth_output(struct gold *g, int arg)
{
    struct vx v[4];
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, AGPU_FMT_D32F);
    gold_clear(g, 7, 0, 0, 0, 1, 0.6f, 0);
    gold_depth10(g, true, true, AGPU_CMP_LESS);
    g->ref.writes_depth = true;
    gold_program10(g, NULL,
                   "ps_4_0\n.in SV_Position v0.xyzw\n.in COLOR v1.xyzw\n.in TEXCOORD v2.xyzw\n.out SV_Target o0.xyzw\n.out SV_Depth oDepth\n"
                   "dcl_input_ps linear v2.xyzw\ndcl_output o0.xyzw\ndcl_output oDepth\nmov o0.xyzw, v2.xyzw\nmad oDepth, v2.x, l(1.5), l(-0.25)\nret",
                   false, depth_shade, NULL);
    corners(g, v, 0, 0);
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.05, 0);
    gold_show_depth(g, 4, 0);
}

/* ---- constant buffers ---- */

static void constant_shade(struct ref_fragment *f, const void *user)
{
    int slot = (int)floor(f->attr[1][0] * 20);
    const int *window = user; /* first row, rows */
    double v = f->attr[1][0] * 20;
    f->unsure |= fabs(v - nearbyint(v)) < 1e-3;
    for (int c = 0; c < 4; c++) {
        bool in = slot < window[1] && slot + window[0] < 16;
        f->color[0][c] = in ? (slot + window[0]) * 0.0625 + c * 0.015625 : 0;
    }
}

/* Rows by a dynamic index, through a window with an offset and a size; beyond it 0. */
static void constants(struct gold *g, int which)
{
    static const int windows[3][2] = { { 0, 16 }, { 5, 11 }, { 5, 4 } };
    struct vx v[4];
    float data[16][4];
    for (u32 k = 0; k < LEN(data); k++)
        for (u32 c = 0; c < 4; c++) data[k][c] = (float)k * 0.0625f + (float)c * 0.015625f;
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_buffer(g, H_FREE, data, sizeof(data));
    PUT(g, AGPU_SET_CONSTANT_BUFFERS, 40, AGPU_STAGE_PIXEL, 3, 1, 0, H_FREE, (u32)windows[which][0] * 16, which == 2 ? 64 : 0, 0);
    gold_program10(g, NULL,
                   PS10_LINEAR "dcl_constantbuffer cb3[16], dynamicIndexed\ndcl_temps 1\nmul r0.x, v2.x, l(20.0)\nftoi r0.x, r0.x\nmov o0.xyzw, cb3[r0.x + 0].xyzw\nret", false,
                   constant_shade, windows[which]);
    corners(g, v, 0, 0);
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.01, 5);
}

static void offset_transform(const void *in, struct ref_vertex *out, const void *user)
{
    const float *o = user;
    (void)in;
    for (int c = 0; c < 2; c++) out->pos[c] += o[c];
    for (int c = 0; c < 4; c++) out->attr[0][c] *= o[2];
}

/* A dynamic buffer: filled anew between draws; vertex and pixel stages have slots of their own. */
static void dynamic_constants(struct gold *g, int arg)
{
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_program10(g, VS10 "dcl_constantbuffer cb0[1], immediateIndexed\ndcl_temps 1\nadd o0.xy, v0.xyxx, cb0[0].xyxx\nmov o0.zw, v0.xyzw\nmul o1.xyzw, v1.xyzw, cb0[0].zzzz\n"
                           "mov o2.xyzw, v2.xyzw\nmov o3.xyzw, v3.xyzw\nret",
                   PS10_LINEAR "mov o0.xyzw, v1.xyzw\nret", false, g->shade, NULL);
    g->transform = offset_transform;
    for (int k = 0; k < 5; k++) {
        const float data[4] = { (float)k * 0.25f, (float)k * -0.25f, 1 - (float)k * 0.1875f, 0 };
        if (k == 0)
            gold_constants10(g, AGPU_STAGE_VERTEX, 0, data, 16);
        else
            gold_upload(g, 70, 0, data, 16);
        g->user = data;
        gold_rectangle(g, 4, 4, 20, 20, 0, 0xffff8040);
    }
    g->user = NULL;
    gold_show(g, 0.05, 0);
}

/* ---- textures ---- */

static void textured(struct ref_fragment *f, const void *user)
{
    (void)user;
    ref_sample(f, 0, 1, false, 0, f->color[0]);
}

#define PS10_TEXTURED PS10_LINEAR "dcl_sampler s0, mode_default\ndcl_resource_texture2d (float,float,float,float) t0\ndcl_temps 1\n"

static void sampler(struct gold *g, int which)
{
    u32 data[16];
    struct vx v[4];
    for (u32 k = 0; k < 16; k++) data[k] = 0xff000000 | (k % 4 * 80) << 16 | (k / 4 * 80) << 8 | (k & 1 ? 0xff : 0);
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 4, 4, 1, 1, data, sizeof(data));
    gold_sampler10(g, 0, (u32)which & 1, (u32)which >> 4 & 3, (u32)which >> 8);
    gold_program10(g, NULL, PS10_TEXTURED "sample o0.xyzw, v2.xyxx, t0.xyzw, s0\nret", false, textured, NULL);
    corners(g, v, 0, 0);
    for (int k = 0; k < 4; k++) {
        v[k].uv[0] = k & 1 ? 2.41f : -1.53f;
        v[k].uv[1] = k & 2 ? 2.62f : -1.27f;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.02, 4);
}

static u32 layered(struct gold *g, u32 *data, u32 size, u32 mips, u32 layers)
{
    u32 at = 0;
    for (u32 layer = 0; layer < layers; layer++) {
        for (u32 m = 0; m < mips; m++) {
            u32 s = MAX(1u, size >> m);
            for (u32 k = 0; k < s * s; k++)
                data[at++] = 0xff000000 | (layer * 70 + 40) << 16 | (m * 60 + 20) << 8 | ((k % s ^ k / s) & 1 ? 0xe0 : 0x20) | (gold_random(g) & 0x0f0000);
        }
    }
    return at * 4;
}

static void array(struct gold *g, int filter)
{
    u32 data[4 * 400], size = layered(g, data, 16, 3, 4);
    struct vx v[4];
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 16, 16, 3, 4, data, size);
    g->ref.array[0] = true;
    gold_sampler10(g, 0, (u32)filter, AGPU_ADDRESS_REPEAT, AGPU_ADDRESS_REPEAT);
    gold_program10(g, NULL, PS10_LINEAR "dcl_sampler s0, mode_default\ndcl_resource_texture2darray (float,float,float,float) t0\nsample o0.xyzw, v2.xyzx, t0.xyzw, s0\nret", false, textured, NULL);
    corners(g, v, 0, 0);
    for (int k = 0; k < 4; k++) {
        v[k].uv[0] = k & 1 ? 7.1f : 0.1f;
        v[k].uv[1] = k & 2 ? 9.2f : 0.3f;
        v[k].uv[2] = k & 2 ? 4.6f : -0.9f; /* layers beyond both ends are the outermost */
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.5, 12);
}

static void lod_shade(struct ref_fragment *f, const void *user)
{
    int which = *(const int *)user;
    const double dx[2] = { f->attr[1][2] * 0.25, 0 }, dy[2] = { 0, 0.0625 };
    if (which == 0) ref_sample_lod(f, 0, f->attr[1], f->attr[1][2], f->color[0]);
    if (which == 1) ref_sample(f, 0, 1, false, f->attr[1][2], f->color[0]);
    if (which == 2) ref_sample_lod(f, 0, f->attr[1], ref_lod(f->r->texture[0], dx, dy), f->color[0]);
}

static void explicit_lod(struct gold *g, int which)
{
    static const char *const text[] = { PS10_TEXTURED "sample_l o0.xyzw, v2.xyxx, t0.xyzw, s0, v2.z\nret", PS10_TEXTURED "sample_b o0.xyzw, v2.xyxx, t0.xyzw, s0, v2.z\nret",
                                        PS10_TEXTURED "mov r0.y, l(0.0)\nmul r0.x, v2.z, l(0.25)\nsample_d o0.xyzw, v2.xyxx, t0.xyzw, s0, r0.xyxx, l(0.0, 0.0625, 0.0, 0.0)\nret" };
    static const int numbers[3] = { 0, 1, 2 };
    u32 data[400], size = layered(g, data, 16, 5, 1);
    struct vx v[4];
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 16, 16, 5, 1, data, size);
    gold_sampler10(g, 0, AGPU_FILTER_LINEAR, AGPU_ADDRESS_REPEAT, AGPU_ADDRESS_MIRROR);
    gold_program10(g, NULL, text[which], false, lod_shade, &numbers[which]);
    corners(g, v, 0, 0);
    for (int k = 0; k < 4; k++) {
        v[k].uv[0] = k & 1 ? 1.5f : 0.1f;
        v[k].uv[1] = k & 2 ? 1.3f : 0.2f;
        v[k].uv[2] = k & 1 ? 5 : -1;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.5, 3);
}

/* ld: texels by number in mip 0, from 48 on in mip 1, and 0 outside. */
static void load_shade(struct ref_fragment *f, const void *user)
{
    const u32 *data = user;
    int mip = f->x >= 48, x = (f->x >> 1) - (mip ? 24 : 2), y = (f->y >> 1) - 2, size = 16 >> mip;
    u32 v = x < 0 || y < 0 || x >= size || y >= size ? 0 : data[(mip ? 256 : 0) + y * size + x];
    for (int c = 0; c < 4; c++) f->color[0][c] = (v >> (c == 3 ? 24 : 16 - 8 * c) & 255) / 255.0;
}

static void load(struct gold *g, int arg)
{
    u32 data[400], size = layered(g, data, 16, 2, 1);
    struct vx v[4];
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 16, 16, 2, 1, data, size);
    gold_program10(g, NULL,
                   "ps_4_0\n.in SV_Position v0.xyzw\n.out SV_Target o0.xyzw\ndcl_output o0.xyzw\ndcl_input_ps_siv linear noperspective v0.xy, position\n"
                   "dcl_resource_texture2d (float,float,float,float) t0\ndcl_temps 2\nftoi r0.xy, v0.xyxx\nige r0.w, r0.x, l(48)\nand r0.w, r0.w, l(1)\n"
                   "ishr r0.xy, r0.xyxx, l(1, 1, 1, 1)\nmovc r1.x, r0.w, l(-24), l(-2)\niadd r0.x, r0.x, r1.x\niadd r0.y, r0.y, l(-2)\nmov r0.z, l(0)\nld o0.xyzw, r0.xyzw, t0.xyzw\nret",
                   false, load_shade, data);
    corners(g, v, 0, 0);
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0, 0);
}

static void formats(struct gold *g, int f)
{
    u8 data[16 * 16 * 4];
    struct vx v[4];
    for (u32 k = 0; k < sizeof(data); k++) data[k] = (u8)gold_random(g);
    for (u32 k = 0; k < 16 && f >= 70; k++) /* the modes with one subset, which the reference knows */
        data[16 * k] = (u8)(k % 3 == 0 ? 0x10 | (data[16 * k] & 0xe0) : k % 3 == 1 ? 0x20 | (data[16 * k] & 0xc0) : 0x40 | (data[16 * k] & 0x80));
    gold_target10(g, AGPU_FMT_R8G8B8A8, BIG, BIG, 0);
    gold_texture(g, 0, (u32)f, 16, 16, 1, 1, data, f >= 64 ? 16 * (f < 66 ? 8 : 16) : f == 5 || f == 6 ? 512 : 1024);
    gold_sampler10(g, 0, AGPU_FILTER_NEAREST, 0, 0);
    gold_program10(g, NULL, PS10_TEXTURED "sample o0.xyzw, v2.xyxx, t0.xyzw, s0\nret", false, textured, NULL);
    corners(g, v, 0, 0);
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, f == AGPU_FMT_BC1_SRGB ? 2.6 : f >= 64 ? 0.52 : 0.02, 0);
}

/* A view of mip 1 of layer 2, and its bytes as sRGB. */
static void view(struct gold *g, int arg)
{
    u32 data[4 * 400], size = layered(g, data, 16, 3, 4), mip1 = 2 * (256 + 64 + 16) + 256;
    struct vx v[4];
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 16, 16, 3, 4, data, size);
    ref_texture_free(&g->textures[0]);
    ref_texture_load(&g->textures[0], AGPU_FMT_B8G8R8A8_SRGB, 8, 8, 1, 1, 0, (const u8 *)(data + mip1));
    PUT(g, AGPU_CREATE_TEXTURE_VIEW, 44, H_FREE, H_TEXTURE, AGPU_FMT_B8G8R8A8_SRGB, 1, 1, 2, 1, 0, 0, AGPU_SET_TEXTURE, 24, AGPU_STAGE_PIXEL, 0, H_FREE, 0);
    gold_sampler10(g, 0, AGPU_FILTER_LINEAR, 0, 0);
    gold_program10(g, NULL, PS10_TEXTURED "sample o0.xyzw, v2.xyxx, t0.xyzw, s0\nret", false, textured, NULL);
    corners(g, v, 0, 0);
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.05, 0);
}

/* ---- input assembly ---- */

/* A strip with cuts; base vertex and first index by the packet. */
static void strip_cut(struct gold *g, int wide)
{
    u32 cut = wide ? 0xffffffff : 0xffff, indices[14] = { 0, 1, 2, 3, cut, 4, 5, 6, cut, cut, 7, 8, 9, 10 };
    struct vx v[11];
    struct ref_vertex rv[11];
    u16 narrow[14];
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_raster10(g, 0, AGPU_CULL_BACK, false, false, 0, 0); /* a wrong parity after a cut would show */
    for (int k = 0; k < 11; k++) {
        v[k] = gold_vertex(g, 3 + (float)k * 5.5f, k & 1 ? 10 : 55, 0, 1, 0xff000000 | gold_random(g) << 2);
        memset(&rv[k], 0, sizeof(rv[k]));
        for (int c = 0; c < 4; c++) rv[k].pos[c] = v[k].pos[c], rv[k].attr[0][c] = v[k].color[c];
    }
    for (int k = 0; k < 14; k++) narrow[k] = (u16)indices[k];
    gold_buffer(g, H_VERTICES, v, sizeof(v));
    gold_buffer(g, H_INDICES, wide ? (const void *)indices : narrow, wide ? sizeof(indices) : sizeof(narrow));
    PUT(g, AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, H_VERTICES, sizeof(*v), 0, 0, AGPU_SET_INDEX_BUFFER, 24, H_INDICES, (u32)wide, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16,
        AGPU_TOPO_STRIP, 0, AGPU_DRAW_INDEXED, 28, 14, 1, 0, 0, 0);
    ref_draw(&g->ref, AGPU_TOPO_STRIP, rv, indices, 14, cut, g->shade, NULL);
    gold_show(g, 0.05, 0);
}

/* Instances with their own offset and colour every `step` instances, starting at one that is not 0. */
static void instances(struct gold *g, int step)
{
    enum { COUNT = 6, FIRST = 2 };
    struct {
        float x, y;
        u32 color;
    } per[FIRST + COUNT];
    const u32 words[4 + 4 * 7] = { AGPU_ILAY_MAGIC, 1, 4, 0, gold_semantic("POSITION"), 0, 2, 0, 0, 0, 0,
                                   gold_semantic("COLOR"), 0, 28, 1, 8, 1, (u32)step, gold_semantic("TEXCOORD"), 0, 16, 1, 0, 1, (u32)step,
                                   gold_semantic("TEXCOORD"), 1, 2, 0, 48, 0, 0 };
    struct vx v[3];
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    for (u32 k = 0; k < LEN(per); k++) {
        per[k].x = (float)(k % 4) * 0.4375f;
        per[k].y = (float)(k / 4) * -0.5f;
        per[k].color = 0xff000000 | gold_random(g) << 3;
    }
    gold_blob(g, AGPU_CREATE_INPUT_LAYOUT, (const u32[]){ H_FREE, sizeof(words), 0 }, 3, words, sizeof(words));
    gold_buffer(g, H_FREE + 1, per, sizeof(per));
    for (int k = 0; k < 3; k++) v[k] = gold_vertex(g, k == 1 ? 16 : 2, k == 2 ? 20 : 3, 0, 1, 0);
    gold_buffer(g, H_VERTICES, v, sizeof(v));
    gold_program10(g, VS10 "dcl_temps 1\nadd o0.xy, v0.xyxx, v2.xyxx\nmov o0.zw, v0.xyzw\nmov o1.xyzw, v1.xyzw\nmov o2.xyzw, v2.xyzw\nmov o3.xyzw, v3.xyzw\nret",
                   PS10_LINEAR "mov o0.xyzw, v1.xyzw\nret", false, g->shade, NULL);
    PUT(g, AGPU_SET_INPUT_LAYOUT, 16, H_FREE, 0, AGPU_SET_VERTEX_BUFFERS, 48, 0, 2, H_VERTICES, sizeof(*v), 0, 0, H_FREE + 1, 12, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16,
        AGPU_TOPO_TRIANGLES, 0, AGPU_DRAW, 24, 3, COUNT, 0, FIRST);
    for (int i = 0; i < COUNT; i++) {
        struct ref_vertex rv[3] = { 0 };
        u32 n = (u32)(FIRST + (step ? i / step : 0));
        for (int k = 0; k < 3; k++) {
            for (int c = 0; c < 4; c++) {
                rv[k].pos[c] = v[k].pos[c] + (c == 0 ? per[n].x : c == 1 ? per[n].y : 0);
                rv[k].attr[0][c] = (per[n].color >> 8 * c & 255) / 255.0;
            }
        }
        ref_draw(&g->ref, AGPU_TOPO_TRIANGLES, rv, NULL, 3, 0, g->shade, NULL);
    }
    gold_show(g, 0.05, 0);
}

/* No buffers at all: positions from SV_VertexID, colours from SV_InstanceID. */
static void generated(struct gold *g, int arg)
{
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    gold_program10(g,
                   "vs_4_0\n.in SV_VertexID v0.x uint\n.in SV_InstanceID v1.x uint\n.out SV_Position o0.xyzw\n.out COLOR o1.xyzw\n.out TEXCOORD o2.xyzw\n.out TEXCOORD1 o3.xyzw\n"
                   "dcl_input_sgv v0.x, vertex_id\ndcl_input_sgv v1.x, instance_id\ndcl_output_siv o0.xyzw, position\ndcl_output o1.xyzw\ndcl_output o2.xyzw\ndcl_output o3.xyzw\ndcl_temps 2\n"
                   "and r0.x, v0.x, l(1)\nushr r0.y, v0.x, l(1)\nutof r0.xy, r0.xyxx\nutof r0.z, v1.x\nmad o0.x, r0.x, l(0.375), l(-0.875)\nmad r1.x, r0.z, l(-0.5), l(0.875)\n"
                   "mad o0.y, r0.y, l(-0.375), r1.x\nmov o0.zw, l(0.0, 0.0, 0.5, 1.0)\nmad o1.x, r0.z, l(0.25), l(0.25)\nmov o1.yzw, r0.xxyy\n"
                   "mov o2.xyzw, r0.xyzw\nmov o3.xyzw, r0.xyzw\nret",
                   PS10_LINEAR "mov o0.xyzw, v1.xyzw\nret", false, g->shade, NULL);
    PUT(g, AGPU_SET_INPUT_LAYOUT, 16, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_STRIP, 0, AGPU_DRAW, 24, 4, 3, 0, 5);
    for (int i = 0; i < 3; i++) {
        struct ref_vertex rv[4] = { 0 };
        for (int k = 0; k < 4; k++) {
            const double pos[4] = { (k & 1) * 0.375 - 0.875, (k >> 1) * -0.375 + i * -0.5 + 0.875, 0.5, 1 };
            const double color[4] = { i * 0.25 + 0.25, k & 1, k >> 1, k >> 1 };
            memcpy(rv[k].pos, pos, sizeof(pos));
            memcpy(rv[k].attr[0], color, sizeof(color));
        }
        ref_draw(&g->ref, AGPU_TOPO_STRIP, rv, NULL, 4, 0, g->shade, NULL);
    }
    gold_show(g, 0.05, 0);
}

/* ---- input layout formats: eight random elements of each, as columns; components scaled ---- */

struct element_kind {
    u32 dxgi;
    char kind; /* f float, h half, u unorm, s snorm, U uint, S sint, b BGRA, t 10:10:10:2 */
    u8 components, bits;
};
static const struct element_kind kinds[][8] = {
    { { 2, 'f', 4, 32 }, { 6, 'f', 3, 32 }, { 16, 'f', 2, 32 }, { 41, 'f', 1, 32 } },
    { { 10, 'h', 4, 16 }, { 34, 'h', 2, 16 }, { 54, 'h', 1, 16 }, { 24, 't', 4, 10 } },
    { { 11, 'u', 4, 16 }, { 35, 'u', 2, 16 }, { 56, 'u', 1, 16 }, { 28, 'u', 4, 8 }, { 49, 'u', 2, 8 }, { 61, 'u', 1, 8 }, { 87, 'b', 4, 8 }, { 91, 'b', 4, 8 } },
    { { 13, 's', 4, 16 }, { 37, 's', 2, 16 }, { 58, 's', 1, 16 }, { 31, 's', 4, 8 }, { 51, 's', 2, 8 }, { 63, 's', 1, 8 } },
    { { 12, 'U', 4, 16 }, { 36, 'U', 2, 16 }, { 57, 'U', 1, 16 }, { 30, 'U', 4, 8 }, { 50, 'U', 2, 8 }, { 62, 'U', 1, 8 }, { 3, 'U', 4, 32 }, { 42, 'U', 1, 32 } },
    { { 14, 'S', 4, 16 }, { 38, 'S', 2, 16 }, { 59, 'S', 1, 16 }, { 32, 'S', 4, 8 }, { 52, 'S', 2, 8 }, { 64, 'S', 1, 8 }, { 4, 'S', 4, 32 }, { 43, 'S', 1, 32 } },
};

static double element_value(const struct element_kind *e, const u8 *p, int c)
{
    u64 v = 0;
    u32 top = (u32)((1ull << e->bits) - 1);
    if (e->kind == 't') {
        v = ld32(p);
        return c < 3 ? (double)(v >> 10 * c & 1023) / 1023 : (double)(v >> 30) / 3;
    }
    if (e->kind == 'b') return p[c == 3 ? 3 : 2 - c] / 255.0;
    if (c >= e->components) return c == 3;
    memcpy(&v, p + c * e->bits / 8, e->bits / 8);
    i64 s = (i64)(v << (64 - e->bits)) >> (64 - e->bits);
    float f;
    switch (e->kind) {
    case 'f': memcpy(&f, &v, 4); return f;
    case 'h': return (v >> 15 ? -1 : 1) * ((v >> 10 & 31) ? ldexp(1024 + (double)(v & 1023), (int)(v >> 10 & 31) - 25) : ldexp((double)(v & 1023), -24));
    case 'u': return (double)v / top;
    case 's': return fmax((double)s / (top / 2), -1);
    case 'U': return (double)v;
    default: return (double)s;
    }
}

static void element_data(struct gold *g, const struct element_kind *e, u8 out[16])
{
    for (int k = 0; k < 16; k++) out[k] = (u8)gold_random(g);
    for (int c = 0; c < 4 && (e->kind == 'f' || e->kind == 'h'); c++) { /* numbers between -2 and 2 */
        float f = (float)(gold_random(g) % 4096) / 1024 - 2;
        u32 bits = gold_random(g);
        if (e->kind == 'f') memcpy(out + 4 * c, &f, 4);
        if (e->kind == 'h') st16(out + 2 * c, (u16)((bits & 0x83ff) | (11 + (bits >> 16) % 5) << 10));
    }
}

static void elements(struct gold *g, int group)
{
    char vs[1500];
    gold_target10(g, AGPU_FMT_B8G8R8A8, BIG, BIG, 0);
    for (u32 row = 0; row < 8 && kinds[group][row].dxgi; row++) {
        const struct element_kind *e = &kinds[group][row];
        bool integer = e->kind == 'U' || e->kind == 'S';
        double range = integer ? ldexp(1, -e->bits) : e->kind == 'f' || e->kind == 'h' ? 0.25 : 0.5;
        const u32 words[4 + 2 * 7] = { AGPU_ILAY_MAGIC, 1, 2, 0, gold_semantic("POSITION"), 0, 2, 0, 0, 0, 0, gold_semantic("TEXCOORD"), 7, e->dxgi, 0, ~0u, 0, 0 };
        snprintf(vs, sizeof(vs),
                 "vs_4_0\n.in POSITION v0.xyzw\n.in TEXCOORD7 v1.xyzw %s\n.out SV_Position o0.xyzw\n.out COLOR o1.xyzw\n.out TEXCOORD o2.xyzw\n.out TEXCOORD1 o3.xyzw\n"
                 "dcl_input v0.xyzw\ndcl_input v1.xyzw\ndcl_output_siv o0.xyzw, position\ndcl_output o1.xyzw\ndcl_output o2.xyzw\ndcl_output o3.xyzw\ndcl_temps 1\n"
                 "%s r0.xyzw, v1.xyzw\nmov o0.xyzw, v0.xyzw\nmad o1.xyzw, r0.xyzw, l(%.9e, %.9e, %.9e, %.9e), l(0.5, 0.5, 0.5, 0.5)\nmov o2.xyzw, r0.xyzw\nmov o3.xyzw, r0.xyzw\nret",
                 e->kind == 'U' ? "uint" : e->kind == 'S' ? "int" : "", e->kind == 'U' ? "utof" : e->kind == 'S' ? "itof" : "mov", range, range, range, range);
        gold_program10(g, vs, PS10_LINEAR "mov o0.xyzw, v1.xyzw\nret", false, g->shade, NULL);
        PUT(g, AGPU_DESTROY_INPUT_LAYOUT, 16, H_FREE, 0);
        gold_blob(g, AGPU_CREATE_INPUT_LAYOUT, (const u32[]){ H_FREE, sizeof(words), 0 }, 3, words, sizeof(words));
        PUT(g, AGPU_SET_INPUT_LAYOUT, 16, H_FREE, 0);
        for (u32 column = 0; column < 8; column++) {
            u8 raw[16], bytes[4][32];
            struct ref_vertex rv[4] = { 0 };
            element_data(g, e, raw);
            for (int k = 0; k < 4; k++) {
                struct vx v = gold_vertex(g, (float)column * 8 + (k & 1 ? 7 : 0), (float)row * 8 + (k & 2 ? 7 : 0), 0, 1, 0);
                memcpy(bytes[k], v.pos, 16);
                memcpy(bytes[k] + 16, raw, 16);
                for (int c = 0; c < 4; c++) rv[k].pos[c] = v.pos[c], rv[k].attr[0][c] = element_value(e, raw, c) * range + 0.5;
            }
            gold_buffer(g, H_VERTICES, bytes, sizeof(bytes));
            PUT(g, AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, H_VERTICES, 32, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_STRIP, 0, AGPU_DRAW, 24, 4, 1, 0, 0);
            if (!g->silent) ref_draw(&g->ref, AGPU_TOPO_STRIP, rv, NULL, 4, 0, g->shade, NULL);
        }
    }
    gold_show(g, 0.02, 0);
}

#define DEPTH(name, func) { "l3_depth_" name, depth_func, func, EXACT }
#define SAMPLER(filter, u, v) ((filter) | (u) << 4 | (v) << 8)

const struct golden_case golden_d3d10[] = {
    { "l3_triangle", triangle, 0, FORMULA },
    { "l3_triangle_bare_tokens", triangle, 1, FORMULA },
    { "l3_linear", interpolation, 0, FORMULA },
    { "l3_noperspective", interpolation, 1, FORMULA },
    { "l3_constant", interpolation, 2, FORMULA },
    DEPTH("never", 0),
    DEPTH("less", 1),
    DEPTH("equal", 2),
    DEPTH("less_equal", 3),
    DEPTH("greater", 4),
    DEPTH("not_equal", 5),
    DEPTH("greater_equal", 6),
    DEPTH("always", 7),
    { "l3_depth_bias_d24", depth_bias, AGPU_FMT_D24S8, FORMULA },
    { "l3_depth_clip_on", depth_clip, 0, FORMULA },
    { "l3_depth_clip_off", depth_clip, 1, FORMULA },
    { "l3_cull_none", cull, 0, FORMULA },
    { "l3_cull_front", cull, 1, FORMULA },
    { "l3_cull_back", cull, 2, FORMULA },
    { "l3_cull_front_ccw", cull, 0x11, FORMULA },
    { "l3_cull_back_ccw", cull, 0x12, FORMULA },
    { "l3_wireframe", cull, 0x102, FORMULA },
    { "l3_system_values", system_values, 0, FORMULA },
    { "l3_scissor", scissor, 0, EXACT },
    { "l3_scissor_negative", scissor, 1, EXACT },
    { "l3_scissor_none", scissor, 2, EXACT },
    { "l3_blend_add", blend, 0, EXACT },
    { "l3_blend_subtract", blend, 1, EXACT },
    { "l3_blend_reverse", blend, 2, EXACT },
    { "l3_blend_min", blend, 3, EXACT },
    { "l3_blend_max", blend, 4, EXACT },
    { "l3_masks", masks, 0, EXACT },
    { "l3_mrt_gap", mrt, 0, FORMULA },
    { "l3_depth_output", depth_output, 0, FORMULA },
    { "l3_constants", constants, 0, FORMULA },
    { "l3_constants_offset", constants, 1, FORMULA },
    { "l3_constants_window", constants, 2, FORMULA },
    { "l3_constants_dynamic", dynamic_constants, 0, FORMULA },
    { "l3_sampler_point_clamp", sampler, SAMPLER(0, 0, 0), FORMULA },
    { "l3_sampler_point_wrap_mirror", sampler, SAMPLER(0, 1, 2), FORMULA },
    { "l3_sampler_linear_clamp", sampler, SAMPLER(1, 0, 0), FORMULA },
    { "l3_sampler_linear_wrap", sampler, SAMPLER(1, 1, 1), FORMULA },
    { "l3_sampler_linear_mirror", sampler, SAMPLER(1, 2, 2), FORMULA },
    { "l3_array_point", array, 0, FORMULA },
    { "l3_array_linear", array, 1, FORMULA },
    { "l3_sample_l", explicit_lod, 0, FORMULA },
    { "l3_sample_b", explicit_lod, 1, FORMULA },
    { "l3_sample_d", explicit_lod, 2, FORMULA },
    { "l3_load", load, 0, EXACT },
    { "l3_format_rgba", formats, AGPU_FMT_R8G8B8A8, EXACT },
    { "l3_format_rgba_srgb", formats, AGPU_FMT_R8G8B8A8_SRGB, FORMULA },
    { "l3_format_565", formats, AGPU_FMT_B5G6R5, FORMULA },
    { "l3_format_bc1_srgb", formats, AGPU_FMT_BC1_SRGB, FORMULA },
    { "l3_format_bc3", formats, AGPU_FMT_BC3, FORMULA },
    { "l3_format_bc7", formats, AGPU_FMT_BC7, FORMULA },
    { "l3_view", view, 0, FORMULA },
    { "l3_strip_cut_16", strip_cut, 0, FORMULA },
    { "l3_strip_cut_32", strip_cut, 1, FORMULA },
    { "l3_instances", instances, 1, FORMULA },
    { "l3_instances_step_2", instances, 2, FORMULA },
    { "l3_instances_step_0", instances, 0, FORMULA },
    { "l3_generated_vertices", generated, 0, FORMULA },
    { "l3_elements_float", elements, 0, FORMULA },
    { "l3_elements_half", elements, 1, FORMULA },
    { "l3_elements_unorm", elements, 2, FORMULA },
    { "l3_elements_snorm", elements, 3, FORMULA },
    { "l3_elements_uint", elements, 4, FORMULA },
    { "l3_elements_sint", elements, 5, FORMULA },
    { NULL, NULL, 0, NULL },
};
