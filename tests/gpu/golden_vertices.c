/* Golden pictures of vertex input by Direct3D 9's declarations: types, streams, indices, instances.
 * Executor document, section 7.3; command stream, sections 4.6 and 6.3. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/gpu/golden.h"

enum { N = 64 };
#define FORMULA "reference, double precision"

struct decl {
    u16 stream, offset;
    u8 type, method, usage, index;
};

static void layout(struct gold *g, const struct decl *rows, u32 n)
{
    struct decl all[16];
    memcpy(all, rows, n * sizeof(*rows));
    all[n] = (struct decl){ 255, 0, 17, 0, 0, 0 };
    PUT(g, AGPU_DESTROY_INPUT_LAYOUT, 16, H_FREE, 0);
    gold_blob(g, AGPU_CREATE_INPUT_LAYOUT, (const u32[]){ H_FREE, (n + 1) * 8, 0 }, 3, all, (n + 1) * 8);
    PUT(g, AGPU_SET_INPUT_LAYOUT, 16, H_FREE, 0);
}

static void draw_reference(struct gold *g, u32 topology, const struct ref_vertex *v, const u32 *indices, u32 n)
{
    if (g->silent) return;
    ref_state9(&g->ref);
    ref_draw(&g->ref, (int)topology, v, indices, (int)n, 0, g->shade, g->user);
}

/* ---- types: two rows of eight values each, as squares; scaled into the picture ---- */

static const struct {
    double scale, bias;
} range[17] = { { 0.25, 0.5 }, { 0.25, 0.5 }, { 0.25, 0.5 }, { 0.25, 0.5 }, { 1, 0 }, { 1 / 255.0, 0 }, { 1 / 65536.0, 0.5 }, { 1 / 65536.0, 0.5 }, { 1, 0 },
                { 0.5, 0.5 }, { 0.5, 0.5 }, { 1, 0 }, { 1, 0 }, { 1 / 1023.0, 0 }, { 0.5, 0.5 }, { 0.25, 0.5 }, { 0.25, 0.5 } };

static double half(u32 h)
{
    double m = h & 1023;
    int e = h >> 10 & 31;
    return (h >> 15 ? -1 : 1) * (e ? ldexp(1024 + m, e - 25) : ldexp(m, -24));
}

static double element(int type, const u8 *p, int c)
{
    static const u8 components[17] = { 1, 2, 3, 4, 4, 4, 2, 4, 4, 2, 4, 2, 4, 3, 3, 2, 4 };
    float f = 0;
    if (c >= components[type]) return c == 3;
    i32 s = (i16)ld16(p + 2 * c), u = ld16(p + 2 * c), d = c < 3 ? (i32)(ld32(p) << (22 - 10 * c)) >> 22 : 0;
    if (type < 4) memcpy(&f, p + 4 * c, 4);
    switch (type) {
    case 4: return p[c == 3 ? 3 : 2 - c] / 255.0;
    case 5: return p[c];
    case 6:
    case 7: return s;
    case 8: return p[c] / 255.0;
    case 9:
    case 10: return fmax(s / 32767.0, -1);
    case 11:
    case 12: return u / 65535.0;
    case 13: return ld32(p) >> 10 * c & 1023;
    case 14: return fmax(d / 511.0, -1);
    case 15:
    case 16: return half((u32)u);
    default: return (double)f;
    }
}

static void type(struct gold *g, int which)
{
    static const char vs[] = "vs_2_0\nmov oPos, v0\nmov oT0, v1";
    const struct decl rows[2] = { { 0, 0, 3, 0, 0, 0 }, { 0, 16, (u8)which, 0, 5, 0 } };
    float s = (float)range[which].scale, b = (float)range[which].bias;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, vs, "ps_2_0\ndcl t0\nmad r0, t0, c0, c1\nmov oC0, r0", ref_color, NULL);
    g->ref.saturate[0] = false;
    gold_constant(g, AGPU_STAGE_PIXEL, 0, s, s, s, s);
    gold_constant(g, AGPU_STAGE_PIXEL, 1, b, b, b, b);
    layout(g, rows, 2);
    for (u32 k = 0; k < 16; k++) {
        u8 raw[16], bytes[4][32];
        struct ref_vertex v[4] = { 0 };
        for (int n = 0; n < 16; n++) raw[n] = (u8)gold_random(g);
        for (u32 n = 0; n < 4 && which < 4; n++) st32(raw + 4 * n, gold_float((float)(gold_random(g) % 4096) / 1024 - 2));
        for (u32 n = 0; n < 8 && which >= 15; n++) {
            u32 bits = gold_random(g);
            st16(raw + 2 * n, (u16)((bits & 0x83ff) | (k ? 11 + (bits >> 16) % 5 : 0) << 10));
        }
        if (k == 0 && which < 15 && which > 3) memset(raw, 0x80, 16); /* the lowest of signed ones */
        if (k == 1 && which < 15 && which > 3) memset(raw, 0xff, 16);
        for (int n = 0; n < 4; n++) {
            struct vx p = gold_vertex(g, (float)(k % 8) * 8 + (n & 1 ? 7 : 0), (float)(k / 8) * 8 + (n & 2 ? 7 : 0), 0, 1, 0);
            memcpy(bytes[n], p.pos, 16);
            memcpy(bytes[n] + 16, raw, 16);
            for (int c = 0; c < 4; c++) v[n].pos[c] = p.pos[c], v[n].attr[0][c] = element(which, raw, c) * range[which].scale + range[which].bias;
        }
        gold_buffer(g, H_VERTICES, bytes, sizeof(bytes));
        PUT(g, AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, H_VERTICES, 32, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_STRIP, 0, AGPU_DRAW, 24, 4, 1, 0, 0);
        draw_reference(g, AGPU_TOPO_STRIP, v, NULL, 4);
    }
    gold_show(g, 0.02, 0);
}

/* ---- streams ---- */

/* Positions in stream 0 behind an offset, colours in stream 2, another in stream 5 with stride 0, a
 * declared input that has no element: 0, 0, 0, 1. */
static void streams_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    for (int c = 0; c < 4; c++) f->color[0][c] = f->attr[0][c] * f->attr[1][c] + (c == 3 ? 0.25 : 0);
}

static void streams(struct gold *g, int arg)
{
    static const struct decl rows[] = { { 2, 4, 4, 0, 10, 0 }, { 0, 0, 2, 0, 0, 0 }, { 5, 8, 1, 0, 5, 3 } };
    float positions[2 + 6 * 3], constant[4] = { 9, 9, 0.75f, 0.5f };
    u32 colors[6 * 2];
    struct ref_vertex v[6] = { 0 };
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, "vs_2_0\ndcl_position v3\ndcl_color v0\ndcl_texcoord3 v7\ndcl_normal v1\nmov oPos, v3\nmov oD0, v0\nmov oT0, v7\nmov oT1, v1",
                 "ps_2_0\ndcl v0\ndcl t0\ndcl t1\ndef c0, 0.25, 0, 0, 0\nmov r0, v0\nmul r0, r0, t0\nmad r0, t1, c0.x, r0\nmov oC0, r0", streams_shade, NULL);
    layout(g, rows, LEN(rows));
    for (u32 k = 0; k < 6; k++) {
        struct vx p = gold_vertex(g, 4 + (float)k * 11, k & 1 ? 8.5f : 55.5f, 0, 1, 0);
        memcpy(positions + 2 + 3 * k, p.pos, 12);
        colors[2 * k] = 0x12345678;
        colors[2 * k + 1] = 0x80000000 | gold_random(g) << 2;
        for (int c = 0; c < 4; c++) {
            v[k].pos[c] = p.pos[c];
            v[k].attr[0][c] = (colors[2 * k + 1] >> (c == 3 ? 24 : 16 - 8 * c) & 255) / 255.0;
            v[k].attr[1][c] = c == 0 ? 0.75 : c == 1 ? 0.5 : c == 3;
        }
    }
    gold_buffer(g, H_FREE + 1, positions, sizeof(positions));
    gold_buffer(g, H_FREE + 2, colors, sizeof(colors));
    gold_buffer(g, H_FREE + 3, constant, sizeof(constant));
    PUT(g, AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, H_FREE + 1, 12, 8, 0, AGPU_SET_VERTEX_BUFFERS, 32, 2, 1, H_FREE + 2, 8, 0, 0, AGPU_SET_VERTEX_BUFFERS, 32, 5, 1, H_FREE + 3,
        0, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_STRIP, 0, AGPU_DRAW, 24, 6, 1, 0, 0);
    draw_reference(g, AGPU_TOPO_STRIP, v, NULL, 6);
    gold_show(g, 0.05, 0);
}

/* The buffer ends in the middle of a vertex: what is missing reads 0, 32 bits at a time. */
static void short_buffer(struct gold *g, int arg)
{
    struct vx v[3];
    struct ref_vertex r[3] = { 0 };
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    for (int k = 0; k < 3; k++) {
        v[k] = gold_vertex(g, k == 1 ? 60 : 5, k == 2 ? 55 : 6, 0, 1, 0xffff8040);
        for (int c = 0; c < 4; c++) r[k].pos[c] = v[k].pos[c], r[k].attr[0][c] = v[k].color[c];
    }
    r[2].attr[0][2] = r[2].attr[0][3] = 0; /* two components of the last colour fit */
    gold_buffer(g, H_VERTICES, v, 2 * sizeof(*v) + 16 + 8);
    PUT(g, AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, H_VERTICES, sizeof(*v), 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_TRIANGLES, 0, AGPU_DRAW, 24, 3, 1, 0, 0);
    draw_reference(g, AGPU_TOPO_TRIANGLES, r, NULL, 3);
    gold_show(g, 0.05, 0);
}

/* ---- indices ---- */

/* A net of far more vertices than one batch holds, in an order that uses some again late. */
static void net(struct gold *g, int wide)
{
    enum { SIDE = 13 };
    struct vx v[SIDE * SIDE];
    u32 indices[(SIDE - 1) * (SIDE - 1) * 6], n = 0;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    for (u32 k = 0; k < SIDE * SIDE; k++) v[k] = gold_vertex(g, 2 + (float)(k % SIDE) * 5, 2 + (float)(k / SIDE) * 5, 0, 1, 0xff000000 | gold_random(g) << 1);
    for (u32 k = 0; k < (SIDE - 1) * (SIDE - 1); k++) {
        u32 cell = k * 35 % ((SIDE - 1) * (SIDE - 1)), at = cell / (SIDE - 1) * SIDE + cell % (SIDE - 1);
        const u32 six[6] = { at, at + 1, at + SIDE, at + SIDE, at + 1, at + SIDE + 1 };
        memcpy(indices + n, six, sizeof(six));
        n += 6;
    }
    gold_draw_indexed(g, AGPU_TOPO_TRIANGLES, v, SIDE * SIDE, indices, n, wide);
    gold_show(g, 0.1, 0);
}

/* Base vertex, first index and the buffer's offset; indices from `lowest` on. */
static void base_vertex(struct gold *g, int base)
{
    struct vx v[40];
    struct ref_vertex r[40] = { 0 };
    u16 indices[3 + 2 + 6] = { 7, 7, 7, 7, 7 };
    u32 plain[6];
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    for (u32 k = 0; k < 40; k++) {
        v[k] = gold_vertex(g, 4 + (float)(k * 7 % 56), 4 + (float)(k * 13 % 53), 0, 1, 0xff000000 | gold_random(g) << 1);
        for (int c = 0; c < 4; c++) r[k].pos[c] = v[k].pos[c], r[k].attr[0][c] = v[k].color[c];
    }
    for (u32 k = 0; k < 6; k++) {
        plain[k] = 3 + k * 5;
        indices[5 + k] = (u16)((i32)plain[k] - base);
    }
    gold_buffer(g, H_VERTICES, v, sizeof(v));
    gold_buffer(g, H_INDICES, indices, sizeof(indices));
    PUT(g, AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, H_VERTICES, sizeof(*v), 0, 0, AGPU_SET_INDEX_BUFFER, 24, H_INDICES, 0, 6, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16,
        AGPU_TOPO_TRIANGLES, 0, AGPU_DRAW_INDEXED, 28, 6, 1, 2, (u32)base, 0);
    draw_reference(g, AGPU_TOPO_TRIANGLES, r, plain, 6);
    gold_show(g, 0.1, 0);
}

/* FFFFh is an ordinary index in Direct3D 9: that vertex lies beyond the buffer and reads 0, so it is
 * the middle of the screen with w = 0, and what uses it is cut away; the strip goes on behind it, and
 * two of them turn the winding of what follows. */
static void no_cut(struct gold *g, int arg)
{
    struct vx v[6];
    struct ref_vertex r[7] = { 0 };
    const u16 indices[8] = { 0, 1, 2, 0xffff, 0xffff, 3, 4, 5 };
    const u32 plain[8] = { 0, 1, 2, 6, 6, 3, 4, 5 };
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_state(g, 22, 3);
    for (int k = 0; k < 6; k++) {
        v[k] = gold_vertex(g, 4 + (float)k * 11, k & 1 ? 8 : 56, 0, 1, 0xff000000 | gold_random(g) << 2);
        for (int c = 0; c < 4; c++) r[k].pos[c] = v[k].pos[c], r[k].attr[0][c] = v[k].color[c];
    }
    gold_buffer(g, H_VERTICES, v, sizeof(v));
    gold_buffer(g, H_INDICES, indices, sizeof(indices));
    PUT(g, AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, H_VERTICES, sizeof(*v), 0, 0, AGPU_SET_INDEX_BUFFER, 24, H_INDICES, 0, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_STRIP,
        0, AGPU_DRAW_INDEXED, 28, 8, 1, 0, 0, 0);
    draw_reference(g, AGPU_TOPO_STRIP, r, plain, 8);
    gold_show(g, 0.1, 2);
}

/* First vertex; and instances, which repeat the draw where nothing tells them apart. */
static void instances(struct gold *g, int arg)
{
    struct vx v[9];
    struct ref_vertex r[9] = { 0 };
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_state(g, 27, 1);
    gold_state(g, 19, 2);
    gold_state(g, 20, 2);
    for (int k = 0; k < 9; k++) {
        v[k] = gold_vertex(g, 3 + (float)(k * 23 % 57), 4 + (float)(k * 31 % 55), 0, 1, 0x20304010);
        for (int c = 0; c < 4; c++) r[k].pos[c] = v[k].pos[c], r[k].attr[0][c] = v[k].color[c];
    }
    gold_buffer(g, H_VERTICES, v, sizeof(v));
    PUT(g, AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, H_VERTICES, sizeof(*v), 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_TRIANGLES, 0, AGPU_DRAW, 24, 6, 3, 3, 0);
    for (int k = 0; k < 3; k++) draw_reference(g, AGPU_TOPO_TRIANGLES, r + 3, NULL, 6);
    gold_show(g, 0.001, 0);
}

#define TYPE(name, number) { "l2_vertex_" name, type, number, FORMULA }

const struct golden_case golden_vertices[] = {
    TYPE("float1", 0),
    TYPE("float2", 1),
    TYPE("float3", 2),
    TYPE("float4", 3),
    TYPE("d3dcolor", 4),
    TYPE("ubyte4", 5),
    TYPE("short2", 6),
    TYPE("short4", 7),
    TYPE("ubyte4n", 8),
    TYPE("short2n", 9),
    TYPE("short4n", 10),
    TYPE("ushort2n", 11),
    TYPE("ushort4n", 12),
    TYPE("udec3", 13),
    TYPE("dec3n", 14),
    TYPE("half2", 15),
    TYPE("half4", 16),
    { "l2_vertex_streams", streams, 0, FORMULA },
    { "l2_vertex_short_buffer", short_buffer, 0, FORMULA },
    { "l2_indices_16", net, 0, FORMULA },
    { "l2_indices_32", net, 1, FORMULA },
    { "l2_base_vertex", base_vertex, -20, FORMULA },
    { "l2_base_vertex_positive", base_vertex, 3, FORMULA },
    { "l2_no_strip_cut", no_cut, 0, FORMULA },
    { "l2_instances", instances, 0, FORMULA },
    { NULL, NULL, 0, NULL },
};
