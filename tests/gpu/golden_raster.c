/* Golden pictures of the rasteriser: coverage, clipping, viewport and scissor, pixel centres,
 * interpolation, topologies, points, lines. Executor document, sections 6.1 to 6.3, 7.2, 7.4, 7.6.
 * Corners lie on the 1/256 grid of a target whose sides are powers of two, so that float32 and
 * double agree on where they are snapped to. */
#include <math.h>
#include <stdlib.h>

#include "tests/gpu/golden.h"

enum { N = 64 };
#define FORMULA "reference, double precision"
#define COVERAGE "exact coverage by integer edge tests of every pixel"
#define LINES "diamond-exit rule, every pixel"

static void begin(struct gold *g)
{
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
}

/* Every drawn pixel counts. */
static void additive(struct gold *g)
{
    gold_state(g, 27, 1);
    gold_state(g, 19, 2);
    gold_state(g, 20, 2);
}

static float on_grid(struct gold *g, int lo, int hi)
{
    return (float)lo + (float)(gold_random(g) % (u32)((hi - lo) * 256)) / 256;
}

/* A corner anywhere in a square. */
static struct vx anywhere(struct gold *g, int lo, int hi, u32 argb)
{
    float x = on_grid(g, lo, hi);
    return gold_vertex(g, x, on_grid(g, lo, hi), 0, 1, argb);
}

/* ---- coverage ---- */

static void fill_random(struct gold *g, int reach)
{
    struct vx v[3];
    begin(g);
    additive(g);
    for (int k = 0; k < 60; k++) {
        for (int n = 0; n < 3; n++) v[n] = anywhere(g, -reach, N + reach, 0x04040404);
        gold_draw(g, AGPU_TOPO_TRIANGLES, v, 3);
    }
    gold_show(g, 0, 0);
}

/* Slivers thinner than a pixel. */
static void fill_slivers(struct gold *g, int arg)
{
    struct vx v[3];
    (void)arg;
    begin(g);
    additive(g);
    for (int k = 0; k < 80; k++) {
        float x = on_grid(g, 0, N), y = on_grid(g, 0, N), dx = on_grid(g, -20, 20), dy = on_grid(g, -20, 20);
        v[0] = gold_vertex(g, x, y, 0, 1, 0x08080808);
        v[1] = gold_vertex(g, x + dx, y + dy, 0, 1, 0x08080808);
        float away = (float)(gold_random(g) % 300) / 256;
        v[2] = gold_vertex(g, x + dx / 2 + away, y + dy / 2 + (float)(gold_random(g) % 300) / 256, 0, 1, 0x08080808);
        for (int n = 0; n < 3; n++) { /* halves of a grid step would be ties */
            v[n].pos[0] = rintf(v[n].pos[0] * 8192) / 8192;
            v[n].pos[1] = rintf(v[n].pos[1] * 8192) / 8192;
        }
        gold_draw(g, AGPU_TOPO_TRIANGLES, v, 3);
    }
    gold_show(g, 0, 0);
}

/* A jittered net over the whole target, cells cut along either diagonal: each pixel exactly once.
 * snap: corners on pixel centres, where only the top-left rule decides. */
static void fill_net(struct gold *g, int snap)
{
    enum { CELLS = 8 };
    struct vx corner[CELLS + 1][CELLS + 1], v[CELLS * CELLS * 6];
    u32 n = 0;
    begin(g);
    additive(g);
    for (int y = 0; y <= CELLS; y++) {
        for (int x = 0; x <= CELLS; x++) {
            float jx = x % CELLS ? on_grid(g, -3, 3) : 0, jy = y % CELLS ? on_grid(g, -3, 3) : 0;
            if (snap) jx = floorf(jx) + (x % CELLS ? 0.5f : 0), jy = floorf(jy) + (y % CELLS ? 0.5f : 0);
            corner[y][x] = gold_vertex(g, (float)x * 8 + jx, (float)y * 8 + jy, 0, 1, 0x10204080);
        }
    }
    for (int y = 0; y < CELLS; y++) {
        for (int x = 0; x < CELLS; x++) {
            struct vx *a = &corner[y][x], *b = &corner[y][x + 1], *c = &corner[y + 1][x], *d = &corner[y + 1][x + 1];
            bool other = gold_random(g) & 1;
            v[n++] = *a, v[n++] = *b, v[n++] = other ? *d : *c;
            v[n++] = other ? *a : *b, v[n++] = *d, v[n++] = *c;
        }
    }
    gold_draw(g, AGPU_TOPO_TRIANGLES, v, n);
    gold_show(g, 0, 0);
    for (u32 k = 0; k < N * N; k++) {
        u32 p = ld32(g->pictures[0].texels + 4 * k);
        gold_check(g, p == 0x10204080, "pixel %u,%u: %08x, not once", k % N, k / N, p);
    }
}

/* Fans of triangles around a pixel centre, corners on pixel centres: all ways in which an edge can
 * pass through centres. */
static void fill_centres(struct gold *g, int arg)
{
    static const float ring[8][2] = { { 0, -7 }, { 7, -7 }, { 7, 0 }, { 7, 7 }, { 0, 7 }, { -7, 7 }, { -7, 0 }, { -7, -7 } };
    (void)arg;
    begin(g);
    additive(g);
    for (int cell = 0; cell < 16; cell++) {
        float cx = (float)(cell % 4) * 16 + 8.5f, cy = (float)(cell / 4) * 16 + 8.5f;
        for (int k = 0; k < 8; k++) {
            int next = (k + 1) % 8;
            if (!(cell == 15 || cell == k || cell == 8 + k % 7)) continue;
            struct vx v[3] = { gold_vertex(g, cx, cy, 0, 1, 0x20404040), gold_vertex(g, cx + ring[k][0], cy + ring[k][1], 0, 1, 0x20404040),
                               gold_vertex(g, cx + ring[next][0], cy + ring[next][1], 0, 1, 0x20404040) };
            gold_draw(g, AGPU_TOPO_TRIANGLES, v, 3);
        }
    }
    gold_show(g, 0, 0);
}

/* ---- topologies: colours per vertex and one winding, so that order shows ---- */

static void topology(struct gold *g, int which)
{
    struct vx v[12];
    begin(g);
    for (int k = 0; k < 12; k++) {
        float a = (float)k * 0.55f, x, y;
        if (which == AGPU_TOPO_FAN) {
            x = k ? 32 + 28 * cosf(a) : 30;
            y = k ? 32 + 28 * sinf(a) : 33;
        } else if (which == AGPU_TOPO_STRIP) {
            x = 3 + (float)k * 5.25f;
            y = k & 1 ? 12.5f : 50.25f;
        } else {
            x = on_grid(g, 0, N);
            y = on_grid(g, 0, N);
        }
        v[k] = gold_vertex(g, rintf(x * 256) / 256, rintf(y * 256) / 256, 0, 1, 0xff000000 | gold_random(g) << 3);
    }
    gold_state(g, 22, which == AGPU_TOPO_STRIP || which == AGPU_TOPO_FAN ? 3 : 1);
    gold_draw(g, (u32)which, v, 12);
    gold_show(g, 0.05, 0);
}

static void cull(struct gold *g, int mode)
{
    begin(g);
    additive(g);
    gold_state(g, 22, (u32)mode);
    for (int k = 0; k < 16; k++) {
        float x = (float)(k % 4) * 16, y = (float)(k / 4) * 16;
        struct vx v[3] = { gold_vertex(g, x + 2, y + 2, 0, 1, 0xff0000ff), gold_vertex(g, x + 13, y + 4, 0, 1, 0xff00ff00),
                           gold_vertex(g, x + 5, y + 14, 0, 1, 0xffff0000) };
        struct vx t = v[1];
        if ((k ^ k / 4) & 1) v[1] = v[2], v[2] = t;
        gold_draw(g, AGPU_TOPO_TRIANGLES, v, 3);
    }
    gold_show(g, 0.05, 0);
}

/* Colours flat, texture coordinates not. */
static void flat_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    for (int c = 0; c < 4; c++) f->color[0][c] = f->attr[0][c] * f->attr[1][0];
}

static void flat(struct gold *g, int which)
{
    struct vx v[9];
    begin(g);
    gold_state(g, 9, 1);
    gold_program(g, NULL, "ps_2_0\ndcl v0\ndcl t0\nmul r0, v0, t0.x\nmov oC0, r0", flat_shade, NULL);
    for (int k = 0; k < 9; k++) {
        float a = (float)(k - 1) * 0.7f;
        if (which == AGPU_TOPO_FAN)
            v[k] = gold_vertex(g, k ? rintf(32 + 30 * cosf(a)) : 32, k ? rintf(32 + 30 * sinf(a)) : 32, 0, 1, 0xff000000 | gold_random(g) << 3);
        else
            v[k] = gold_vertex(g, 2 + (float)k * 7.5f, k & 1 ? 6.25f : 55.5f, 0, 1, 0xff000000 | gold_random(g) << 3);
        v[k].uv[0] = (float)(k % 3) / 4 + 0.5f;
    }
    gold_draw(g, (u32)which, v, 9);
    gold_show(g, 0.05, 0);
}

/* ---- interpolation ---- */

static void coordinates(struct ref_fragment *f, const void *user)
{
    (void)user;
    memcpy(f->color[0], f->attr[1], sizeof(f->color[0]));
}

static void perspective(struct gold *g, int arg)
{
    static const float w[4] = { 1, 4, 0.5f, 16 };
    struct vx v[4];
    begin(g);
    gold_program(g, NULL, "ps_2_0\ndcl t0\nmov oC0, t0", coordinates, NULL);
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? 60 : 3, k & 2 ? 61 : 2, 0.5f, w[(k + arg) % 4], 0);
        v[k].uv[0] = (float)(k & 1);
        v[k].uv[1] = (float)(k >> 1);
        v[k].uv[2] = (float)(k == 3);
        v[k].uv[3] = 1;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.02, 0);
}

/* Vertex colours above 1 and below 0: saturated before they are interpolated. */
static void saturated(struct gold *g, int arg)
{
    struct vx v[4];
    (void)arg;
    begin(g);
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? 64 : 0, k & 2 ? 64 : 0, 0, 1, 0);
        v[k].color[0] = k & 1 ? 3.0f : -1.0f;
        v[k].color[1] = k & 2 ? 2.0f : 0.25f;
        v[k].color[2] = (float)k - 1;
        v[k].color[3] = 0.5f;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.02, 0);
}

/* ---- clipping ---- */

static const float clip_shapes[][3][4] = {
    /* through the near plane, through the far plane */
    { { -0.75f, -0.75f, -0.5f, 1 }, { 0, 0.75f, 0.5f, 1 }, { 0.75f, -0.75f, 0.75f, 1 } },
    { { -0.75f, -0.75f, 0.25f, 1 }, { 0, 0.75f, 1.5f, 1 }, { 0.75f, -0.75f, 0.5f, 1 } },
    /* both */
    { { -0.75f, -0.75f, -1, 1 }, { 0, 0.75f, 2, 1 }, { 0.75f, -0.75f, 0.5f, 1 } },
    /* one corner, two corners behind the eye */
    { { -0.5f, -0.5f, 0.25f, 1 }, { 0.5f, -0.5f, 0.25f, 1 }, { 0.25f, 1, 0.25f, -0.5f } },
    { { 0, 0.5f, 0.25f, 1 }, { 1.5f, -1, 0.1f, -0.25f }, { -1, -1, 0.1f, -0.25f } },
    /* beyond each side by far: the guard band */
    { { -1e5f, -0.5f, 0.5f, 1 }, { 0.5f, 0.75f, 0.5f, 1 }, { 0.5f, -0.75f, 0.5f, 1 } },
    { { 1e5f, -0.5f, 0.5f, 1 }, { -0.5f, 0.75f, 0.5f, 1 }, { -0.5f, -0.75f, 0.5f, 1 } },
    { { -0.5f, 1e5f, 0.5f, 1 }, { 0.75f, -0.5f, 0.5f, 1 }, { -0.75f, -0.5f, 0.5f, 1 } },
    { { -0.5f, -1e5f, 0.5f, 1 }, { 0.75f, 0.5f, 0.5f, 1 }, { -0.75f, 0.5f, 0.5f, 1 } },
    { { -1e6f, 1e6f, 0.5f, 1 }, { 3e6f, 1e6f, 0.5f, 1 }, { -1e6f, -3e6f, 0.5f, 1 } },
};

static void clip(struct gold *g, int shape)
{
    struct vx v[3] = { 0 };
    begin(g);
    gold_clear(g, 1, 0, 0, 0.25f, 1, 0, 0);
    gold_program(g, NULL, "ps_2_0\ndcl t0\nmov oC0, t0", coordinates, NULL);
    for (int k = 0; k < 3; k++) {
        memcpy(v[k].pos, clip_shapes[shape][k], sizeof(v[k].pos));
        v[k].uv[k] = v[k].uv[3] = 1;
    }
    gold_draw(g, AGPU_TOPO_TRIANGLES, v, 3);
    gold_show(g, 0.15, 3);
}

/* ---- viewport and scissor ---- */

static void viewport(struct gold *g, int which)
{
    static const float views[][4] = { { 16, 8, 32, 16 }, { -16, -8, 64, 32 }, { 32, 40, 64, 64 }, { 8.5f, 4.25f, 32, 32 } };
    begin(g);
    gold_clear(g, 1, 0.25f, 0, 0, 1, 0, 0);
    const float *v = views[which];
    gold_viewport(g, v[0], v[1], v[2], v[3], 0, 1);
    struct vx q[4];
    for (int k = 0; k < 4; k++) { /* larger than the viewport: what sticks out is cut off */
        q[k] = gold_vertex(g, k & 1 ? 80 : -16, k & 2 ? 80 : -16, 0, 1, 0xff000000 | 0xc0u << 8 * (k % 3));
    }
    gold_draw(g, AGPU_TOPO_STRIP, q, 4);
    gold_show(g, 0.05, 0);
}

static void scissor(struct gold *g, int which)
{
    static const i32 rects[][4] = { { 10, 20, 30, 25 }, { -10, -10, 40, 30 }, { 50, 50, 0x7fffffff, 0x7fffffff }, { 10, 10, 0, 20 }, { 10, 10, -5, 20 } };
    const i32 *s = rects[which];
    begin(g);
    gold_clear(g, 1, 0.25f, 0, 0, 1, 0, 0);
    gold_scissor(g, s[0], s[1], s[2], s[3]);
    gold_rectangle(g, 0, 0, 20, N, 0, 0xff808080); /* not yet enabled */
    gold_state(g, 174, 1);
    gold_rectangle(g, 0, 0, N, N, 0, 0xff00ff00);
    gold_clear(g, 1, 0, 0.5f, 1, 1, 0, 0); /* Direct3D 9's clear respects it, too */
    gold_rectangle(g, 0, 0, N, 24, 0, 0xffff0000);
    gold_show(g, 0.001, 0);
}

/* ---- pixel centres ---- */

/* Letters of 5 x 7 dots in a 32 x 16 texture. */
static void letters(u32 texels[16 * 32])
{
    static const u8 glyphs[4][7] = { { 14, 17, 17, 31, 17, 17, 17 }, { 14, 17, 16, 16, 16, 17, 14 }, { 17, 17, 21, 21, 21, 21, 10 }, { 31, 16, 16, 30, 16, 16, 31 } };
    for (int k = 0; k < 16 * 32; k++) texels[k] = 0xffffffff;
    for (int n = 0; n < 4; n++) {
        for (int y = 0; y < 7; y++) {
            for (int x = 0; x < 5; x++) {
                if (glyphs[n][y] >> (4 - x) & 1) texels[(y + 4) * 32 + n * 7 + 3 + x] = 0xff102040;
            }
        }
    }
}

/* 1:1 text at an offset of arg % 3 and arg / 3 half pixels from where Direct3D 9 applications put it
 * (half a pixel up and to the left): without an offset it must come out dot by dot. */
static void text(struct gold *g, int arg)
{
    u32 texels[16 * 32];
    letters(texels);
    begin(g);
    gold_declared(g, true);
    gold_clear(g, 1, 0.5f, 0.5f, 0.5f, 1, 0, 0);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 32, 16, 1, 1, texels, sizeof(texels));
    gold_program(g, "vs_2_0\ndcl_position v0\ndcl_color v1\ndcl_texcoord v2\nmov oPos, v0\nmov oD0, v1\nmov oT0, v2", ps_textured, ref_textured, NULL);
    gold_sampler(g, 0, 1, 3);
    gold_sampler(g, 0, 2, 3);
    gold_sampler(g, 0, 5, 2);
    gold_sampler(g, 0, 6, 2);
    float x = 15.5f + 0.5f * (float)(arg % 3), y = 23.5f + 0.5f * (float)(arg / 3);
    gold_rectangle(g, x, y, x + 32, y + 16, 0, 0xffffffff);
    gold_show(g, 0.02, 0);
    for (u32 k = 0; k < 16 * 32 && arg % 3 != 1 && arg / 3 != 1; k++) {
        u32 px = 16 + (u32)(arg % 3 / 2) + k % 32, py = 24 + (u32)(arg / 3 / 2) + k / 32, p = ld32(g->pictures[0].texels + 4 * (py * N + px));
        gold_check(g, p == texels[k], "dot %u,%u of the text: %08x, not %08x", k % 32, k / 32, p, texels[k]);
    }
}

/* Which streams get the half pixel: with dcl; without and without constants; reading c240; reading
 * another constant. A rectangle whose edges lie on pixel centres tells. */
static void half_pixel(struct gold *g, int which)
{
    static const char *const vs[] = { "vs_2_0\ndcl_position v0\ndcl_color v1\nmov oPos, v0\nmov oD0, v1", "vs_2_0\nmov oPos, v0\nmov oD0, v1",
                                      "vs_2_0\nm4x4 oPos, v0, c240\nmov oD0, v1", "vs_2_0\nmul oPos, v0, c5\nmov oD0, v1" };
    static const double shift[] = { 0.5, 0, 0.5, 0 };
    begin(g);
    gold_program(g, vs[which], ps_color, ref_color, NULL);
    g->ref.shift = shift[which];
    for (u32 k = 0; k < 4; k++) gold_constant(g, AGPU_STAGE_VERTEX, 240 + k, k == 0, k == 1, k == 2, k == 3);
    gold_constant(g, AGPU_STAGE_VERTEX, 5, 1, 1, 1, 1);
    gold_rectangle(g, 4.5f, 6.5f, 20.5f, 22.5f, 0, 0xffff8000);
    gold_rectangle(g, 30, 32, 50, 60, 0, 0xff0080ff);
    gold_show(g, 0.001, 0);
}

/* ---- points and lines ---- */

static void points(struct gold *g, int size16)
{
    struct vx v[24];
    begin(g);
    gold_statef(g, 154, (float)size16 / 16);
    for (int k = 0; k < 24; k++) {
        u32 color = 0xff000000 | gold_random(g) << 2;
        v[k] = anywhere(g, -2, N + 2, color);
    }
    gold_draw(g, AGPU_TOPO_POINTS, v, 24);
    gold_show(g, 0.001, 0);
}

static void point_limits(struct gold *g, int arg)
{
    (void)arg;
    begin(g);
    additive(g);
    gold_statef(g, 155, 3);  /* at least */
    gold_statef(g, 166, 20); /* at most */
    for (int k = 0; k < 4; k++) {
        struct vx v = gold_vertex(g, 10 + (float)k * 15, 12 + (float)k * 13, 0, 1, 0x40404040);
        gold_statef(g, 154, k == 0 ? 0.5f : k == 1 ? 7 : k == 2 ? 100 : 3);
        gold_draw(g, AGPU_TOPO_POINTS, &v, 1);
    }
    gold_show(g, 0.001, 0);
}

static void point_size_output(const void *in, struct ref_vertex *out, const void *user)
{
    (void)user;
    out->size = ((const struct vx *)in)->uv[0];
}

/* Sizes from the vertex shader, coordinates across each square. */
static void sprites(struct gold *g, int arg)
{
    struct vx v[9];
    (void)arg;
    begin(g);
    gold_state(g, 156, 1);
    g->transform = point_size_output;
    gold_program(g, "vs_2_0\nmov oPos, v0\nmov oD0, v1\nmov oT0, v2\nmov oPts.x, v2.x", "ps_2_0\ndcl t0\nmov oC0, t0", coordinates, NULL);
    for (int k = 0; k < 9; k++) {
        v[k] = gold_vertex(g, 11 + (float)(k % 3) * 20.25f, 11 + (float)(k / 3) * 19.5f, 0, 1, 0);
        v[k].uv[0] = (float)(k * 2 + 1);
        v[k].uv[2] = 0.25f;
        v[k].uv[3] = 1;
    }
    gold_draw(g, AGPU_TOPO_POINTS, v, 9);
    gold_show(g, 0.05, 0);
}

/* Sprites from a vertex shader with declarations: half a pixel further down and to the right. */
static void sprites_declared(struct gold *g, int arg)
{
    struct vx v[9];
    (void)arg;
    begin(g);
    gold_state(g, 156, 1);
    gold_statef(g, 154, 9);
    gold_program(g, "vs_2_0\ndcl_position v0\ndcl_texcoord v2\nmov oPos, v0\nmov oT0, v2", "ps_2_0\ndcl t0\nmov oC0, t0", coordinates, NULL);
    for (int k = 0; k < 9; k++) {
        v[k] = gold_vertex(g, 11 + (float)(k % 3) * 20.25f, 11 + (float)(k / 3) * 19.5f, 0, k & 1 ? 2 : 1, 0);
        v[k].uv[2] = (float)k / 8;
        v[k].uv[3] = 1;
    }
    gold_draw(g, AGPU_TOPO_POINTS, v, 9);
    gold_show(g, 0.05, 0);
}

/* Lines and points are tested in depth and stencil like triangles. */
static void lines_depth(struct gold *g, int topology)
{
    struct vx v[16];
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0, 0, 0.2f, 1, 1, 0);
    gold_statef(g, 154, 5);
    gold_rectangle(g, 20, 0, 44, N, 0.5f, 0xff404040);
    gold_state(g, 52, 1);
    gold_state(g, 54, 7);
    gold_state(g, 55, 3);
    gold_state(g, 57, 0x33);
    for (int k = 0; k < 16; k++) {
        v[k] = gold_vertex(g, k & 1 ? 61.5f : 2.5f, 3.5f + (float)(k / 2) * 8, k & 1 ? 0.875f : 0.125f, 1, k & 1 ? 0xff00ff00 : 0xffff0000);
        if (topology == AGPU_TOPO_POINTS) v[k].pos[0] = (float)(k % 8 - 4) / 5;
    }
    gold_draw(g, (u32)topology, v, 16);
    gold_show(g, 0.1, 2);
    gold_show_depth(g, 8, 2);
}

/* Lines from the middle in all directions. */
static void lines(struct gold *g, int arg)
{
    struct vx v[48];
    (void)arg;
    begin(g);
    for (int k = 0; k < 24; k++) {
        float a = (float)k * 0.2617994f;
        v[2 * k] = gold_vertex(g, 32.5f + rintf(8 * cosf(a)), 32.5f + rintf(8 * sinf(a)), 0, 1, 0xffff0000);
        v[2 * k + 1] = gold_vertex(g, 32.5f + rintf(28 * cosf(a)), 32.5f + rintf(28 * sinf(a)), 0, 1, 0xff00ff00);
    }
    gold_draw(g, AGPU_TOPO_LINES, v, 48);
    gold_show(g, 0.05, 0);
}

static void lines_random(struct gold *g, int reach)
{
    struct vx v[40];
    begin(g);
    additive(g);
    for (int k = 0; k < 40; k += 2) {
        v[k] = anywhere(g, 0, N, 0x20202020);
        v[k + 1] = v[k];
        v[k + 1].pos[0] += on_grid(g, -reach, reach) / 32;
        v[k + 1].pos[1] += on_grid(g, -reach, reach) / 32;
    }
    gold_draw(g, AGPU_TOPO_LINES, v, 40);
    gold_show(g, 0.001, 0);
}

/* A strip whose corners lie on pixel centres: shared pixels are drawn once. */
static void line_strip(struct gold *g, int arg)
{
    static const float path[][2] = { { 4, 4 }, { 30, 4 }, { 30, 20 }, { 50, 40 }, { 20, 50 }, { 4, 34 }, { 10, 10 }, { 4, 4 } };
    struct vx v[LEN(path)];
    (void)arg;
    begin(g);
    additive(g);
    for (u32 k = 0; k < LEN(path); k++) v[k] = gold_vertex(g, path[k][0] + 0.5f, path[k][1] + 0.5f, 0, 1, 0x40404040);
    gold_draw(g, AGPU_TOPO_LINE_STRIP, v, LEN(path));
    gold_show(g, 0.001, 0);
}

static void wireframe(struct gold *g, int arg)
{
    struct vx v[6];
    (void)arg;
    begin(g);
    additive(g);
    gold_state(g, 8, 2);
    gold_state(g, 22, 3); /* culled ones have no edges either */
    for (int k = 0; k < 6; k++) v[k] = gold_vertex(g, 6.5f + (float)k * 10, k & 1 ? 10.5f : 50.5f, 0, 1, 0x40408060);
    gold_draw(g, AGPU_TOPO_STRIP, v, 6);
    struct vx back[3] = { v[0], v[2], v[1] };
    gold_draw(g, AGPU_TOPO_TRIANGLES, back, 3);
    gold_show(g, 0.001, 0);
}

/* Lines from and to places far outside, and through the near plane. */
static void lines_cut(struct gold *g, int arg)
{
    struct vx v[24];
    (void)arg;
    begin(g);
    for (int k = 0; k < 24; k++) {
        float x = k & 1 ? on_grid(g, 70, 500) : on_grid(g, -500, 40);
        v[k] = gold_vertex(g, x, on_grid(g, -100, 160), 0, 1, k & 1 ? 0xff00ff00 : 0xffff0000);
        if (k >= 16) v[k].pos[1] = (float)(20 - k) / 8;
        if (k >= 16) v[k].pos[2] = k & 1 ? 1 : -0.3f;
    }
    gold_draw(g, AGPU_TOPO_LINES, v, 24);
    gold_show(g, 0.1, 3);
}

static void lines_perspective(struct gold *g, int arg)
{
    struct vx v[6];
    (void)arg;
    begin(g);
    gold_program(g, NULL, "ps_2_0\ndcl t0\nmov oC0, t0", coordinates, NULL);
    for (int k = 0; k < 6; k++) {
        v[k] = gold_vertex(g, k & 1 ? 60.5f : 4.5f, 10.5f + (float)(k / 2) * 15, 0.5f, k & 1 ? 8 : 1, 0);
        v[k].uv[0] = (float)(k & 1);
        v[k].uv[1] = (float)(k / 2) / 2;
        v[k].uv[3] = 1;
    }
    gold_draw(g, AGPU_TOPO_LINES, v, 6);
    gold_show(g, 0.05, 0);
}

const struct golden_case golden_raster[] = {
    { "l2_fill_random_inside", fill_random, 1, COVERAGE },
    { "l2_fill_random_outside", fill_random, 40, COVERAGE },
    { "l2_fill_random_far", fill_random, 400, COVERAGE },
    { "l2_fill_slivers", fill_slivers, 0, COVERAGE },
    { "l2_fill_net", fill_net, 0, COVERAGE },
    { "l2_fill_net_on_centres", fill_net, 1, COVERAGE },
    { "l2_fill_centres", fill_centres, 0, COVERAGE },
    { "l2_topology_points", topology, AGPU_TOPO_POINTS, FORMULA },
    { "l2_topology_lines", topology, AGPU_TOPO_LINES, FORMULA },
    { "l2_topology_line_strip", topology, AGPU_TOPO_LINE_STRIP, FORMULA },
    { "l2_topology_list", topology, AGPU_TOPO_TRIANGLES, FORMULA },
    { "l2_topology_strip", topology, AGPU_TOPO_STRIP, FORMULA },
    { "l2_topology_fan", topology, AGPU_TOPO_FAN, FORMULA },
    { "l2_cull_none", cull, 1, FORMULA },
    { "l2_cull_clockwise", cull, 2, FORMULA },
    { "l2_cull_counter_clockwise", cull, 3, FORMULA },
    { "l2_flat_strip", flat, AGPU_TOPO_STRIP, FORMULA },
    { "l2_flat_fan", flat, AGPU_TOPO_FAN, FORMULA },
    { "l2_flat_list", flat, AGPU_TOPO_TRIANGLES, FORMULA },
    { "l2_perspective_1", perspective, 0, FORMULA },
    { "l2_perspective_2", perspective, 1, FORMULA },
    { "l2_colours_saturate", saturated, 0, FORMULA },
    { "l2_clip_near", clip, 0, FORMULA },
    { "l2_clip_far", clip, 1, FORMULA },
    { "l2_clip_near_far", clip, 2, FORMULA },
    { "l2_clip_eye_1", clip, 3, FORMULA },
    { "l2_clip_eye_2", clip, 4, FORMULA },
    { "l2_clip_left", clip, 5, FORMULA },
    { "l2_clip_right", clip, 6, FORMULA },
    { "l2_clip_top", clip, 7, FORMULA },
    { "l2_clip_bottom", clip, 8, FORMULA },
    { "l2_clip_all_round", clip, 9, FORMULA },
    { "l2_viewport_part", viewport, 0, FORMULA },
    { "l2_viewport_negative", viewport, 1, FORMULA },
    { "l2_viewport_beyond", viewport, 2, FORMULA },
    { "l2_viewport_fraction", viewport, 3, FORMULA },
    { "l2_scissor_inside", scissor, 0, FORMULA },
    { "l2_scissor_negative", scissor, 1, FORMULA },
    { "l2_scissor_huge", scissor, 2, FORMULA },
    { "l2_scissor_empty", scissor, 3, FORMULA },
    { "l2_scissor_less_than_empty", scissor, 4, FORMULA },
    { "l2_text_0_0", text, 0, FORMULA },
    { "l2_text_half_0", text, 1, FORMULA },
    { "l2_text_1_0", text, 2, FORMULA },
    { "l2_text_0_half", text, 3, FORMULA },
    { "l2_text_half_half", text, 4, FORMULA },
    { "l2_text_1_half", text, 5, FORMULA },
    { "l2_text_0_1", text, 6, FORMULA },
    { "l2_text_half_1", text, 7, FORMULA },
    { "l2_text_1_1", text, 8, FORMULA },
    { "l2_half_pixel_dcl", half_pixel, 0, FORMULA },
    { "l2_half_pixel_no_dcl", half_pixel, 1, FORMULA },
    { "l2_half_pixel_matrices", half_pixel, 2, FORMULA },
    { "l2_half_pixel_constant", half_pixel, 3, FORMULA },
    { "l2_points_1", points, 16, COVERAGE },
    { "l2_points_2_5", points, 40, COVERAGE },
    { "l2_points_8", points, 128, COVERAGE },
    { "l2_point_limits", point_limits, 0, COVERAGE },
    { "l2_point_sprites", sprites, 0, FORMULA },
    { "l2_point_sprites_dcl", sprites_declared, 0, FORMULA },
    { "l2_points_depth", lines_depth, AGPU_TOPO_POINTS, FORMULA },
    { "l2_lines_depth", lines_depth, AGPU_TOPO_LINES, FORMULA },
    { "l2_flat_lines", flat, AGPU_TOPO_LINE_STRIP, FORMULA },
    { "l2_lines_octants", lines, 0, LINES },
    { "l2_lines_random", lines_random, 40, LINES },
    { "l2_lines_short", lines_random, 3, LINES },
    { "l2_line_strip", line_strip, 0, LINES },
    { "l2_lines_cut", lines_cut, 0, LINES },
    { "l2_lines_perspective", lines_perspective, 0, FORMULA },
    { "l2_wireframe", wireframe, 0, LINES },
    { NULL, NULL, 0, NULL },
};
