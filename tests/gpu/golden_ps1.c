/* Golden pictures of the texture instructions that only pixel shader models 1 have: coordinates out
 * of another texture's colour, dot products, matrices, reflection, depth. Executor document, section
 * 8.2, and Microsoft's reference of the instructions. */
#include <math.h>
#include <stdlib.h>

#include "tests/gpu/golden.h"

enum { N = 32 };
#define FORMULA "twin in double precision"

static const char vs_four[] = "vs_2_0\nmov oPos, v0\nmov oD0, v1\nmov oT0, v2\nmov oT1, v3\nmov oT2, v2.yzxw\nmov oT3, v3.zxyw";

/* Coordinates of a stage by vs_four. */
static void stage(const struct ref_fragment *f, int n, double out[4])
{
    static const u8 order[4][4] = { { 0, 1, 2, 3 }, { 0, 1, 2, 3 }, { 1, 2, 0, 3 }, { 2, 0, 1, 3 } };
    for (int c = 0; c < 4; c++) out[c] = f->attr[n & 1 ? 2 : 1][order[n][c]];
}

static double row(const struct ref_fragment *f, int n, const double t[4])
{
    double c[4];
    stage(f, n, c);
    return c[0] * t[0] + c[1] * t[1] + c[2] * t[2];
}

static const double eye[3] = { 0.25, -0.5, 0.75 };

enum { AR, GB, RGB, DP3, DP3TEX, M3X2TEX, M3X3, M3X3TEX, SPEC, VSPEC, M3X2DEPTH, DEPTH14 };

static void reflected(const double n[3], const double e[3], double out[3])
{
    double ne = 0, nn = 0;
    for (int c = 0; c < 3; c++) ne += n[c] * e[c], nn += n[c] * n[c];
    for (int c = 0; c < 3; c++) out[c] = 2 * ne / nn * n[c] - e[c];
}

static void shade(struct ref_fragment *f, const void *user)
{
    int which = *(const int *)user;
    double t[4], n[3], *out = f->color[0], e[3], c[4], s[4];
    ref_sample(f, 0, 1, false, 0, t);
    for (int k = 0; k < 4; k++) s[k] = 2 * t[k] - 1;
    const double coords[3][3] = { { t[3], t[0], 0 }, { t[1], t[2], 0 }, { t[0], t[1], t[2] } };
    for (int k = 0; k < 3; k++) n[k] = row(f, k + 1, s);
    switch (which) {
    case AR:
    case GB: ref_sample_lod(f, 1, coords[which], 0, out); break;
    case RGB: ref_sample_lod(f, 3, coords[which], 0, out); break;
    case DP3: out[0] = out[1] = out[2] = out[3] = n[0]; break;
    case DP3TEX: ref_sample_lod(f, 1, (const double[]){ n[0], 0, 0 }, 0, out); break;
    case M3X2TEX: ref_sample_lod(f, 2, (const double[]){ n[0], n[1], 0 }, 0, out); break;
    case M3X3: memcpy(out, n, sizeof(n)), out[3] = 1; break;
    case M3X3TEX: ref_sample_lod(f, 3, n, 0, out); break;
    case SPEC:
        reflected(n, eye, e);
        ref_sample_lod(f, 3, e, 0, out);
        break;
    case VSPEC: {
        double q[3];
        for (int k = 0; k < 3; k++) {
            stage(f, k + 1, c);
            q[k] = c[3];
        }
        reflected(n, q, e);
        ref_sample_lod(f, 3, e, 0, out);
        break;
    }
    case M3X2DEPTH:
        memcpy(out, f->attr[0], 4 * sizeof(*out));
        f->depth = n[1] == 0 ? 1 : n[0] / n[1];
        if (fabs(n[1]) < 1e-3) f->unsure = true;
        break;
    default: /* r5 = t0 with 0 in y at the left */
        memcpy(out, f->attr[0], 4 * sizeof(*out));
        f->depth = f->attr[1][0] / (f->attr[1][1] + 1);
        break;
    }
    f->unsure |= isnan(out[0]);
}

static const char *const text[] = {
    [AR] = "ps_1_1\ntex t0\ntexreg2ar t1, t0\nmov r0, t1",
    [GB] = "ps_1_1\ntex t0\ntexreg2gb t1, t0\nmov r0, t1",
    [RGB] = "ps_1_2\ntex t0\ntexreg2rgb t3, t0\nmov r0, t3",
    [DP3] = "ps_1_2\ntex t0\ntexdp3 t1, t0_bx2\nmov r0, t1",
    [DP3TEX] = "ps_1_2\ntex t0\ntexdp3tex t1, t0_bx2\nmov r0, t1",
    [M3X2TEX] = "ps_1_1\ntex t0\ntexm3x2pad t1, t0_bx2\ntexm3x2tex t2, t0_bx2\nmov r0, t2",
    [M3X3] = "ps_1_2\ntex t0\ntexm3x3pad t1, t0_bx2\ntexm3x3pad t2, t0_bx2\ntexm3x3 t3, t0_bx2\nmov r0, t3",
    [M3X3TEX] = "ps_1_1\ntex t0\ntexm3x3pad t1, t0_bx2\ntexm3x3pad t2, t0_bx2\ntexm3x3tex t3, t0_bx2\nmov r0, t3",
    [SPEC] = "ps_1_1\ntex t0\ntexm3x3pad t1, t0_bx2\ntexm3x3pad t2, t0_bx2\ntexm3x3spec t3, t0_bx2, c0\nmov r0, t3",
    [VSPEC] = "ps_1_1\ntex t0\ntexm3x3pad t1, t0_bx2\ntexm3x3pad t2, t0_bx2\ntexm3x3vspec t3, t0_bx2\nmov r0, t3",
    [M3X2DEPTH] = "ps_1_3\ntex t0\ntexm3x2pad t1, t0_bx2\ntexm3x2depth t2, t0_bx2\nmov r0, v0",
    [DEPTH14] = "ps_1_4\ndef c0, 1, 1, 1, 1\ntexcrd r1.rgb, t0\nphase\nmov r5.r, r1.r\nadd r5.g, r1.g, c0.g\ntexdepth r5\nmov r0, v0",
};
static const int numbers[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };

static void textures(struct gold *g, bool volume_as_cube)
{
    u32 data[6 * 16];
    for (u32 k = 0; k < 16; k++) data[k] = gold_random(g) * 0x9e3779b1u;
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 4, 4, 1, 1, data, 64);
    for (u32 s = 1; s < 4; s++) {
        for (u32 k = 0; k < LEN(data); k++) data[k] = gold_random(g) * 0x9e3779b1u;
        bool cube = s == 3 && volume_as_cube;
        gold_texture(g, s, AGPU_FMT_B8G8R8A8, 4, 4, 1, cube ? 6 : 1, data, cube ? sizeof(data) : 64);
    }
    for (u32 s = 0; s < 4; s++) {
        gold_sampler(g, s, 5, 2);
        gold_sampler(g, s, 6, 2);
    }
    g->ref.cube[3] = volume_as_cube;
}

static void draw(struct gold *g, int which)
{
    struct vx v[4];
    bool deep = which >= M3X2DEPTH;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, deep ? AGPU_FMT_D24S8 : 0);
    if (deep) gold_clear(g, 7, 0, 0, 0, 1, 0.5f, 0);
    g->ref.writes_depth = deep;
    textures(g, which != RGB);
    gold_constant(g, AGPU_STAGE_PIXEL, 0, (float)eye[0], (float)eye[1], (float)eye[2], 0);
    gold_program(g, vs_four, text[which], shade, &numbers[which]);
    for (int k = 0; k < 4; k++) {
        float x = (float)(k & 1), y = (float)(k >> 1);
        const float uv[4] = { x, y, 0.3f + x * 0.5f, 0.8f - y }, more[4] = { 0.9f - y, 0.2f + x * 0.7f, 0.4f - x * 0.6f, 0.5f + y };
        v[k] = gold_vertex(g, k & 1 ? N : 0, k & 2 ? N : 0, 0.25f, 1, k & 1 ? 0xffff8000 : 0xff0080ff);
        memcpy(v[k].uv, uv, sizeof(uv));
        memcpy(v[k].more, more, sizeof(more));
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, which >= M3X3TEX && !deep ? 0.6 : 0.1, 6);
    if (deep) gold_show_depth(g, 60, 6);
}

const struct golden_case golden_ps1[] = {
    { "l2_ps1_texreg2ar", draw, AR, FORMULA },
    { "l2_ps1_texreg2gb", draw, GB, FORMULA },
    { "l2_ps1_texreg2rgb", draw, RGB, FORMULA },
    { "l2_ps1_texdp3", draw, DP3, FORMULA },
    { "l2_ps1_texdp3tex", draw, DP3TEX, FORMULA },
    { "l2_ps1_texm3x2tex", draw, M3X2TEX, FORMULA },
    { "l2_ps1_texm3x3", draw, M3X3, FORMULA },
    { "l2_ps1_texm3x3tex", draw, M3X3TEX, FORMULA },
    { "l2_ps1_texm3x3spec", draw, SPEC, FORMULA },
    { "l2_ps1_texm3x3vspec", draw, VSPEC, FORMULA },
    { "l2_ps1_texm3x2depth", draw, M3X2DEPTH, FORMULA },
    { "l2_ps1_4_texdepth", draw, DEPTH14, FORMULA },
    { NULL, NULL, 0, NULL },
};
