/* Golden pictures of shader instructions (models 1 to 3): each program's text beside its twin in
 * double precision. Pixel shaders run over a rectangle whose two coordinate sets a and b are
 * gradients; vertex shaders over one point per pixel. Executor document, sections 7.7, 7.8 and 8. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/gpu/golden.h"

enum { N = 32 };
#define FORMULA "twin in double precision"
typedef void twin(const double a[4], const double b[4], double out[4], bool *unsure);

struct program {
    const char *version, *body; /* reads a and b, writes r0; vertex shaders: the same */
    twin *twin;
    double scale, bias, eps; /* into the picture: result * scale + bias */
};

/* ---- twins ---- */

static void near_zero(double v, bool *unsure)
{
    if (fabs(v) < 1e-4) *unsure = true;
}

static double dot(const double *a, const double *b, int n)
{
    double v = 0;
    for (int c = 0; c < n; c++) v += a[c] * b[c];
    return v;
}

static void all(double out[4], double v)
{
    for (int c = 0; c < 4; c++) out[c] = v;
}

#define TWIN(name) static void name(const double a[4], const double b[4], double out[4], bool *unsure)
#define EACH(name, ...)                                                                            \
    TWIN(name)                                                                                     \
    {                                                                                              \
        (void)a, (void)b, (void)unsure;                                                            \
        for (int c = 0; c < 4; c++) out[c] = (__VA_ARGS__);                                        \
    }
EACH(t_add, a[c] + b[c])
EACH(t_sub, a[c] - b[c])
EACH(t_mul, a[c] * b[c])
EACH(t_mad, a[c] * b[c] + a[3 - c])
EACH(t_dp3, dot(a, b, 3))
EACH(t_dp4, dot(a, b, 4))
EACH(t_dp2add, a[0] * b[0] + a[1] * b[1] + a[2])
EACH(t_min, fmin(a[c], b[c]))
EACH(t_max, fmax(a[c], b[c]))
EACH(t_abs, fabs(a[c]))
EACH(t_rcp, 1 / a[2])
EACH(t_rsq, 1 / sqrt(fabs(a[3])))
EACH(t_exp, exp2(a[0]))
EACH(t_log, log2(fabs(a[2])))
EACH(t_pow, pow(fabs(a[2]), b[1]))
EACH(t_lrp, a[2] * a[c] + (1 - a[2]) * b[c])
EACH(t_sat, ref_clamp(a[c], 0, 1))
EACH(t_swizzle, (const double[]){ a[1], a[1], b[3], -a[0] }[c])
EACH(t_mask, (const double[]){ a[0], b[1], a[2], b[3] }[c])
EACH(t_modifiers, (const double[]){ -a[0], fabs(a[1]), -fabs(b[0]), b[1] }[c])
EACH(t_sum3, a[c] * 3)

TWIN(t_frc)
{
    (void)b;
    for (int c = 0; c < 4; c++) {
        out[c] = a[c] - floor(a[c]);
        near_zero(a[c] - nearbyint(a[c]), unsure);
    }
}
TWIN(t_cmp)
{
    for (int c = 0; c < 4; c++) {
        out[c] = a[c] >= 0 ? b[c] : 0.25;
        near_zero(a[c], unsure);
    }
}
TWIN(t_nrm)
{
    (void)b, (void)unsure;
    for (int c = 0; c < 4; c++) out[c] = a[c] / sqrt(dot(a, a, 3));
}
TWIN(t_crs)
{
    (void)unsure;
    for (int c = 0; c < 3; c++) out[c] = a[(c + 1) % 3] * b[(c + 2) % 3] - a[(c + 2) % 3] * b[(c + 1) % 3];
    out[3] = a[3];
}
TWIN(t_sincos)
{
    (void)b, (void)unsure;
    out[0] = out[2] = cos(a[0]);
    out[1] = out[3] = sin(a[0]);
}
TWIN(t_sincos_far)
{
    (void)b, (void)unsure;
    out[0] = out[2] = cos(a[0] * 30);
    out[1] = out[3] = sin(a[0] * 30);
}
TWIN(t_slt)
{
    for (int c = 0; c < 4; c++) {
        out[c] = c < 2 ? a[c] < b[c] : a[c] >= b[c];
        near_zero(a[c] - b[c], unsure);
    }
}
TWIN(t_sgn)
{
    (void)b;
    for (int c = 0; c < 4; c++) {
        out[c] = (a[c] > 0) - (a[c] < 0);
        near_zero(a[c], unsure);
    }
}
TWIN(t_lit)
{
    (void)b;
    out[0] = out[3] = 1;
    out[1] = fmax(a[0], 0);
    out[2] = a[0] > 0 ? pow(fmax(a[1], 0), a[3]) : 0;
    near_zero(a[0], unsure);
}
TWIN(t_dst)
{
    (void)unsure;
    out[0] = 1;
    out[1] = a[1] * b[1];
    out[2] = a[2];
    out[3] = b[3];
}
static const double rows[4][4] = { { 0.5, -0.25, 0.125, 1 }, { 0.25, 0.5, -0.5, 0 }, { -1, 0.25, 0.5, 0.25 }, { 0.125, 0.5, 0.25, -0.5 } };
TWIN(t_m4x4)
{
    (void)b, (void)unsure;
    for (int c = 0; c < 4; c++) out[c] = dot(a, rows[c], 4);
}
TWIN(t_m3x3)
{
    (void)b, (void)unsure;
    for (int c = 0; c < 3; c++) out[c] = dot(a, rows[c], 3);
    out[3] = a[3];
}
TWIN(t_m3x2)
{
    (void)b, (void)unsure;
    for (int c = 0; c < 2; c++) out[c] = dot(a, rows[c], 3);
    out[2] = a[2];
    out[3] = a[3];
}
TWIN(t_if)
{
    (void)unsure;
    near_zero(a[0], unsure);
    near_zero(a[1] - b[1], unsure);
    for (int c = 0; c < 4; c++) out[c] = a[0] < 0 ? (a[1] > b[1] ? a[c] : b[c]) : 0.5 * a[c];
}
/* adds 1/8 until a.x is passed, at most 12 times */
TWIN(t_loop)
{
    double v = -0.77;
    (void)b;
    for (int n = 0; n < 12; n++) {
        v += 0.125;
        near_zero(v - a[0], unsure);
        if (v >= a[0]) break;
    }
    all(out, v);
    out[1] = a[1] * 0.5;
}
/* as many times as the band of a.y says: loops that differ from lane to lane */
TWIN(t_nested)
{
    double v = 0;
    (void)b;
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 4; k++) {
            v += 0.0625;
            near_zero(v - (a[1] + 2.04) / 4, unsure);
            if (v > (a[1] + 2.04) / 4) break;
        }
        v += 0.03125;
    }
    all(out, v);
}
TWIN(t_predicate)
{
    (void)unsure;
    for (int c = 0; c < 4; c++) {
        near_zero(a[c] - b[c], unsure);
        out[c] = a[c] > b[c] ? a[c] * 0.5 : b[c];
    }
    if (!(a[0] > b[0])) out[3] = 0.125;
}
TWIN(t_call)
{
    (void)unsure;
    near_zero(a[0], unsure);
    for (int c = 0; c < 4; c++) out[c] = (a[c] + b[c]) * 0.5 * (a[0] > 0 ? 1.5 : 1);
}
/* vs_1_1: power of the whole part, fraction, the power itself, 1 */
TWIN(t_expp)
{
    (void)b;
    out[0] = exp2(floor(a[0]));
    out[1] = a[0] - floor(a[0]);
    out[2] = exp2(a[0]);
    out[3] = 1;
    near_zero(a[0] - nearbyint(a[0]), unsure);
}
/* exponent, mantissa in 1..2, the logarithm itself, 1 */
TWIN(t_logp)
{
    double l = log2(fabs(a[2]));
    (void)b;
    out[0] = floor(l);
    out[1] = fabs(a[2]) / exp2(floor(l));
    out[2] = l;
    out[3] = 1;
    near_zero(l - nearbyint(l), unsure);
}
/* constants by a relative index: c(4 + round(3 b.x)), each with its number in it */
TWIN(t_relative)
{
    int index = (int)nearbyint(a[2] * 3);
    (void)b;
    near_zero(a[2] * 3 - floor(a[2] * 3) - 0.5, unsure);
    for (int c = 0; c < 4; c++) out[c] = (index + c) / 16.0;
}
TWIN(t_aL)
{
    (void)b, (void)unsure;
    all(out, 0);
    for (int k = 1; k <= 5; k += 2) { /* constants 1, 3, 5 of the ramp */
        for (int c = 0; c < 4; c++) out[c] += (k + c) / 16.0 * a[2];
    }
}

static const struct program programs[] = {
    { "ps_2_0", "add r0, t0, t1", t_add, 0.125, 0.5, 0.02 },
    { "ps_2_0", "sub r0, t0, t1", t_sub, 0.125, 0.5, 0.02 },
    { "ps_2_0", "mul r0, t0, t1", t_mul, 0.125, 0.5, 0.02 },
    { "ps_2_0", "mov r1, t0\nmov r3, r1.wzyx\nmad r0, t0, t1, r3", t_mad, 0.1, 0.5, 0.02 },
    { "ps_2_0", "dp3 r0, t0, t1", t_dp3, 0.0625, 0.5, 0.02 },
    { "ps_2_0", "dp4 r0, t0, t1", t_dp4, 0.0625, 0.5, 0.02 },
    { "ps_2_0", "dp2add r0, t0, t1, t0.z", t_dp2add, 0.0625, 0.5, 0.02 },
    { "ps_2_0", "mov r1, t1\nmin r0, t0, r1", t_min, 0.25, 0.5, 0.02 },
    { "ps_2_0", "mov r1, t1\nmax r0, t0, r1", t_max, 0.25, 0.5, 0.02 },
    { "ps_2_0", "abs r0, t0", t_abs, 0.25, 0.1, 0.02 },
    { "ps_2_0", "rcp r0, t0.z", t_rcp, 0.25, 0, 0.05 },
    { "ps_2_0", "rsq r0, t0.w", t_rsq, 0.5, 0, 0.05 },
    { "ps_2_0", "exp r0, t0.x", t_exp, 0.25, 0, 0.05 },
    { "ps_2_0", "log r0, t0.z", t_log, 0.25, 0.5, 0.05 },
    { "ps_2_0", "mov r1, t1\npow r0, t0.z, r1.y", t_pow, 0.2, 0, 0.05 },
    { "ps_2_0", "mov r1, t1\nmov r2, t0\nlrp r0, r2.z, t0, r1", t_lrp, 0.125, 0.5, 0.02 },
    { "ps_2_0", "frc r0, t0", t_frc, 1, 0, 0.05 },
    { "ps_2_0", "def c5, 0.25, 0.25, 0.25, 0.25\nmov r1, t1\ncmp r0, t0, r1, c5", t_cmp, 0.25, 0.5, 0.02 },
    { "ps_2_0", "nrm r0, t0", t_nrm, 0.3, 0.5, 0.05 },
    { "ps_2_0", "mov r1, t1\nmov r0, t0\ncrs r0.xyz, t0, r1", t_crs, 0.0625, 0.5, 0.02 },
    { "ps_2_0", "def c5, -1.5500992e-6, -2.1701389e-5, 0.0026041667, 0.00026041668\ndef c6, -0.020833334, -0.125, 1, 0.5\nmov r1, t0\nsincos r2.xy, r1.x, c5, c6\nmov r0, r2.xyxy", t_sincos, 0.5, 0.5, 0.05 },
    { "ps_2_0", "mov_sat r0, t0", t_sat, 1, 0, 0.02 },
    { "ps_2_0", "mov r1, t0\nmov r2, t1\nmov r0.xy, r1.y\nmov r0.z, r2.w\nmov r0.w, -r1.x", t_swizzle, 0.25, 0.5, 0.02 },
    { "ps_2_0", "mov r0, t0\nmov r0.yw, t1", t_mask, 0.25, 0.5, 0.02 },
    { "ps_2_0", "m4x4 r0, t0, c10", t_m4x4, 0.125, 0.5, 0.02 },
    { "ps_2_0", "mov r0, t0\nm3x3 r0.xyz, t0, c10", t_m3x3, 0.125, 0.5, 0.02 },
    { "ps_2_0", "mov r0, t0\nm3x2 r0.xy, t0, c10", t_m3x2, 0.125, 0.5, 0.02 },
    { "ps_3_0", "mov r0.x, -v0.x\nmov r0.y, v0_abs.y\nmov r0.z, -v1_abs.x\nmov r0.w, v1.y", t_modifiers, 0.25, 0.5, 0.02 },
    { "ps_3_0", "def c5, 0, 0.5, 1, 0\nif_lt v0.x, c5.x\nif_gt v0.y, v1.y\nmov r0, v0\nelse\nmov r0, v1\nendif\nelse\nmul r0, v0, c5.y\nendif", t_if, 0.25, 0.5, 0.02 },
    { "ps_3_0", "def c5, -0.77, 0.125, 0.5, 0\ndefi i0, 12, 0, 0, 0\nmov r0, c5.x\nrep i0\nadd r0, r0, c5.y\nbreak_ge r0.x, v0.x\nendrep\nmul r0.y, v0.y, c5.z", t_loop, 0.25, 0.5, 0.02 },
    { "ps_3_0", "def c5, 0, 0.0625, 0.03125, 2.04\ndef c6, 0.25, 0, 0, 0\ndefi i0, 3, 0, 0, 0\ndefi i1, 4, 0, 1, 0\nmov r0, c5.x\nadd r1, v0.y, c5.w\nmul r1, r1, c6.x\nrep i0\nloop aL, i1\n"
                "add r0, r0, c5.y\nbreak_gt r0.x, r1.x\nendloop\nadd r0, r0, c5.z\nendrep", t_nested, 1, 0, 0.02 },
    { "ps_3_0", "def c5, 0.5, 0.125, 0, 0\nsetp_gt p0, v0, v1\nmov r0, v1\n(p0) mul r0, v0, c5.x\n(!p0.x) mov r0.w, c5.y", t_predicate, 0.25, 0.5, 0.02 },
    { "ps_3_0", "sincos r1.xy, v0.x\nmov r0, r1.xyxy", t_sincos, 0.5, 0.5, 0.02 },
    { "ps_3_0", "def c5, 30, 0, 0, 0\nmul r1, v0, c5.x\nsincos r2.xy, r1.x\nmov r0, r2.xyxy", t_sincos_far, 0.5, 0.5, 0.1 },
    { "vs_2_0", "slt r0.xy, v2, v3\nsge r0.zw, v2, v3", t_slt, 1, 0, 0.02 },
    { "vs_2_0", "sgn r0, v2, r1, r2", t_sgn, 0.5, 0.5, 0.02 },
    { "vs_2_0", "lit r0, v2", t_lit, 0.25, 0, 0.05 },
    { "vs_2_0", "mov r1, v3\ndst r0, v2, r1", t_dst, 0.125, 0.5, 0.02 },
    { "vs_2_0", "m4x4 r0, v2, c10", t_m4x4, 0.125, 0.5, 0.02 },
    { "vs_2_0", "def c5, 3, 0, 0, 0\nmul r1, v2, c5.x\nmova a0.x, r1.z\nmov r0, c20[a0.x]", t_relative, 1, 0, 0.02 },
    { "vs_1_1", "def c5, 3, 0.5, 0, 0\nmad r1, v2, c5.x, c5.y\nmov a0.x, r1.z\nmov r0, c20[a0.x]", t_relative, 1, 0, 0.02 },
    { "vs_2_0", "def c5, 0, 0, 0, 0\ndefi i0, 3, 1, 2, 0\nmov r0, c5\nloop aL, i0\nmad r0, c20[aL], v2.z, r0\nendloop", t_aL, 0.5, 0, 0.02 },
    { "vs_2_0", "defb b1, 1\nmov r0, v2\nif b1\nadd r0, r0, v2\nendif\nif b0\nmov r0, v3\nelse\nadd r0, r0, v2\nendif", t_sum3, 0.08, 0.5, 0.02 },
    { "vs_1_1", "expp r0, v2.x", t_expp, 0.25, 0, 0.1 },
    { "vs_1_1", "logp r0, v2.z", t_logp, 0.25, 0.5, 0.1 },
};

/* ---- the harness ---- */

static void apply(const struct program *p, const double a[4], const double b[4], double color[4], bool *unsure)
{
    double out[4];
    p->twin(a, b, out, unsure);
    for (int c = 0; c < 4; c++) color[c] = out[c] * p->scale + p->bias;
}

static void pixel_twin(struct ref_fragment *f, const void *user)
{
    apply(user, f->attr[1], f->attr[2], f->color[0], &f->unsure);
}

static void vertex_twin(const void *in, struct ref_vertex *out, const void *user)
{
    const struct vx *v = in;
    double a[4], b[4];
    bool unsure = false;
    for (int c = 0; c < 4; c++) a[c] = v->uv[c], b[c] = v->more[c];
    apply(user, a, b, out->attr[1], &unsure);
    out->attr[2][0] = unsure;
}

static void vertex_result(struct ref_fragment *f, const void *user)
{
    (void)user;
    memcpy(f->color[0], f->attr[1], sizeof(f->color[0]));
    if (f->attr[2][0] > 0) f->unsure = true;
}

/* Gradients: a in -2..2 (z from 1/4 to 7/4, w from 1 to 3), b turned and shifted. */
static void inputs(struct vx *v, float x, float y)
{
    const float uv[4] = { x * 4 - 2, y * 4 - 2, x * 1.5f + 0.25f, y * 2 + 1 };
    const float more[4] = { 1.9f - y * 3.7f, x * 3.1f - 1.3f, 0.3f + y, x + 0.7f };
    memcpy(v->uv, uv, sizeof(uv));
    memcpy(v->more, more, sizeof(more));
}

static void constants(struct gold *g, u32 stage, const struct program *p)
{
    gold_constant(g, stage, 28, (float)p->scale, (float)p->scale, (float)p->scale, (float)p->scale);
    gold_constant(g, stage, 29, (float)p->bias, (float)p->bias, (float)p->bias, (float)p->bias);
    for (u32 k = 0; k < 4; k++) gold_constant(g, stage, 10 + k, (float)rows[k][0], (float)rows[k][1], (float)rows[k][2], (float)rows[k][3]);
    for (u32 k = 0; k < 8; k++) {
        float v = (float)k;
        gold_constant(g, stage, 20 + k, v / 16, (v + 1) / 16, (v + 2) / 16, (v + 3) / 16);
    }
}

static void over_pixels(struct gold *g, const struct program *p)
{
    static const char vs3[] = "vs_3_0\ndcl_position v0\ndcl_texcoord v2\ndcl_texcoord1 v3\ndcl_position o0\ndcl_texcoord o1\ndcl_texcoord1 o2\n"
                              "mov o0, v0\nmov o1, v2\nmov o2, v3";
    char text[2048];
    bool sm3 = p->version[3] == '3';
    struct vx v[4];
    snprintf(text, sizeof(text), "%s\n%s\n%s\nmad r0, r0, c28, c29\nmov oC0, r0", p->version, sm3 ? "dcl_texcoord v0\ndcl_texcoord1 v1" : "dcl t0\ndcl t1", p->body);
    constants(g, AGPU_STAGE_PIXEL, p);
    gold_program(g, sm3 ? vs3 : NULL, text, pixel_twin, p);
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? N : 0, k & 2 ? N : 0, 0, 1, 0);
        inputs(&v[k], (float)(k & 1), (float)(k >> 1));
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
}

static void over_vertices(struct gold *g, const struct program *p)
{
    char text[2048];
    struct vx *v = calloc(N * N, sizeof(*v));
    snprintf(text, sizeof(text), "%s\n%s\nmad r0, r0, c28, c29\nmov oPos, v0\nmov oT0, r0", p->version, p->body);
    constants(g, AGPU_STAGE_VERTEX, p);
    gold_program(g, text, "ps_2_0\ndcl t0\nmov oC0, t0", vertex_result, p);
    g->transform = vertex_twin;
    g->ref.shift = 0; /* no dcl */
    for (int k = 0; k < N * N; k++) {
        float x = (float)(k % N) + 0.5f, y = (float)(k / N) + 0.5f;
        v[k] = gold_vertex(g, x, y, 0, 1, 0);
        inputs(&v[k], x / N, y / N);
    }
    gold_draw(g, AGPU_TOPO_POINTS, v, N * N);
    free(v);
}

static void program(struct gold *g, int index)
{
    const struct program *p = &programs[index];
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    if (p->version[0] == 'p')
        over_pixels(g, p);
    else
        over_vertices(g, p);
    gold_show(g, p->eps, 10);
}

/* ---- what needs more than one result ---- */

static void rectangle(struct gold *g)
{
    struct vx v[4];
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? N : 0, k & 2 ? N : 0, 0.75f, 1, k == 0 ? 0xffff0000 : k == 1 ? 0xff00ff00 : k == 2 ? 0x800000ff : 0x40ffffff);
        inputs(&v[k], (float)(k & 1), (float)(k >> 1));
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
}

static void call_shade(struct ref_fragment *f, const void *user)
{
    double out[4];
    (void)user;
    t_call(f->attr[1], f->attr[2], out, &f->unsure);
    for (int c = 0; c < 4; c++) f->color[0][c] = out[c] * 0.125 + 0.5;
}

static const char vs_30[] = "vs_3_0\ndcl_position v0\ndcl_color v1\ndcl_texcoord v2\ndcl_texcoord1 v3\ndcl_position o0\ndcl_texcoord o1\ndcl_texcoord1 o2\ndcl_color o3\n"
                            "mov o0, v0\nmov o1, v2\nmov o2, v3\nmov o3, v1";

static void subroutine(struct gold *g, int arg)
{
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, vs_30,
                 "ps_3_0\ndcl_texcoord v0\ndcl_texcoord1 v1\ndef c5, 0.5, 1.5, 0.125, 0\ncall l0\nif_gt v0.x, c5.w\ncall l1\nendif\n"
                 "mad r0, r0, c5.z, c5.x\nmov oC0, r0\nret\nlabel l0\nadd r0, v0, v1\nmul r0, r0, c5.x\nret\nlabel l1\nmul r0, r0, c5.y\nret",
                 call_shade, NULL);
    rectangle(g);
    gold_show(g, 0.02, 4);
}

static void kill_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    for (int c = 0; c < 4; c++) {
        double v = f->attr[1][c] * (c == 3 ? 1 : f->attr[2][c]) + 1;
        near_zero(v, &f->unsure);
        if (v < 0) f->kill = true;
    }
    memcpy(f->color[0], f->attr[0], sizeof(f->color[0]));
}

static void texkill(struct gold *g, int arg)
{
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0, 0, 0, 1, 1, 0);
    gold_program(g, NULL, "ps_2_0\ndef c0, 1, 1, 1, 1\ndcl t0\ndcl t1\ndcl v0\nmov r1, t1\nmov r1.w, c0.x\nmad r0, t0, r1, c0\ntexkill r0\nmov oC0, v0", kill_shade, NULL);
    rectangle(g);
    gold_show(g, 0.05, 3);
    gold_show_depth(g, 0.5, 3);
}

static double quadric(struct ref_fragment *f, int x, int y, int c)
{
    double a[4];
    ref_attr(f, 1, x, y, a);
    return a[c] * a[1 - c];
}

static void derivative_shade(struct ref_fragment *f, const void *user)
{
    int qx = f->x & ~1, qy = f->y & ~1;
    (void)user;
    f->color[0][0] = (quadric(f, qx + 1, f->y, 0) - quadric(f, qx, f->y, 0)) * 2 + 0.5;
    f->color[0][1] = (quadric(f, f->x, qy + 1, 0) - quadric(f, f->x, qy, 0)) * 2 + 0.5;
    f->color[0][2] = 0.25;
    f->color[0][3] = 1;
}

static void derivatives(struct gold *g, int arg)
{
    struct vx v[3];
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, vs_30, "ps_3_0\ndcl_texcoord v0\ndef c0, 2, 0.5, 0.25, 1\nmul r1, v0.x, v0.y\ndsx r2, r1\ndsy r3, r1\nmad r0.x, r2.x, c0.x, c0.y\nmad r0.y, r3.x, c0.x, c0.y\n"
                           "mov r0.z, c0.z\nmov r0.w, c0.w\nmov oC0, r0", derivative_shade, NULL);
    for (int k = 0; k < 3; k++) { /* a triangle, so that quads at its edges have helpers */
        v[k] = gold_vertex(g, k == 1 ? 30.25f : 1.5f, k == 2 ? 29.75f : 2.5f + (float)k * 4, 0, k == 1 ? 2 : 1, 0);
        inputs(&v[k], k == 1 ? 1 : 0, k == 2 ? 1 : 0);
    }
    gold_draw(g, AGPU_TOPO_TRIANGLES, v, 3);
    gold_show(g, 0.05, 0);
}

static void position_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    f->color[0][0] = f->x / 32.0;
    f->color[0][1] = f->y / 32.0;
    f->color[0][2] = f->front ? 1 : 0;
    f->color[0][3] = 1;
}

static void position_and_face(struct gold *g, int arg)
{
    struct vx v[6];
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, vs_30, "ps_3_0\ndcl vPos.xy\ndcl vFace\ndef c0, 0.03125, 0, 1, 0\nmul r0.xy, vPos, c0.x\ncmp r0.z, vFace, c0.z, c0.y\nmov r0.w, c0.z\nmov oC0, r0", position_shade, NULL);
    for (int k = 0; k < 6; k++) v[k] = gold_vertex(g, 1 + (float)k * 6, k & 1 ? 3 : 29, 0, 1, 0);
    gold_draw(g, AGPU_TOPO_TRIANGLES, v, 3);
    gold_draw(g, AGPU_TOPO_TRIANGLES, v + 3, 3);
    gold_show(g, 0.01, 0);
}

static void depth_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    memcpy(f->color[0], f->attr[0], sizeof(f->color[0]));
    f->depth = f->attr[1][0] * 0.5 + 0.5; /* beyond both ends */
}

static void depth_output(struct gold *g, int format)
{
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, (u32)format);
    gold_clear(g, 7, 0, 0, 0, 1, 0.6f, 0);
    g->ref.writes_depth = true;
    gold_program(g, NULL, "ps_2_0\ndef c0, 0.5, 0, 0, 0\ndcl t0\ndcl v0\nmad r0, t0, c0.x, c0.x\nmov oDepth, r0.x\nmov oC0, v0", depth_shade, NULL);
    rectangle(g);
    gold_show(g, 0.05, 0);
    gold_show_depth(g, 4, 0);
}

/* Outputs and inputs by aL. */
static void relative_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    for (int c = 0; c < 4; c++) f->color[0][c] = f->attr[1][c] * 0.125 + f->attr[2][c] * 0.125 + 0.5;
}

static void relative_registers(struct gold *g, int arg)
{
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, vs_30, "ps_3_0\ndcl_texcoord v0\ndcl_texcoord1 v1\ndef c0, 0.125, 0.5, 0, 0\ndefi i0, 2, 0, 1, 0\nmov r0, c0.y\nloop aL, i0\nmad r0, v0[aL], c0.x, r0\nendloop\nmov oC0, r0",
                 relative_shade, NULL);
    rectangle(g);
    gold_show(g, 0.02, 0);
}

/* ---- pixel shader models 1 ---- */

static void model1_shade(struct ref_fragment *f, const void *user)
{
    int which = *(const int *)user;
    double t[4], d[4];
    ref_sample(f, 0, 1, false, 0, t);
    for (int c = 0; c < 4; c++) {
        d[c] = f->attr[0][c];
        if (which == 0) f->color[0][c] = t[c] * d[c];
        if (which == 1) f->color[0][c] = ref_clamp((t[c] - 0.5) * 2, -1, 1) * d[c] * 2;
        if (which == 2) f->color[0][c] = c == 3 ? t[3] + d[3] : (1 - t[c]) * d[c] + t[c] * 0.25;
        if (which == 3) f->color[0][c] = f->attr[0][3] > 0.5 ? t[c] : d[c];
        if (which == 4) f->color[0][c] = c == 3 ? d[3] : ref_clamp(f->attr[2][c], -8, 8) * 0.25 + t[c] * 0.5;
        f->color[0][c] = ref_clamp(f->color[0][c], 0, 1);
    }
    if (which == 3) near_zero(f->attr[0][3] - 0.5, &f->unsure);
}

static void model1(struct gold *g, int which)
{
    static const char *const text[] = {
        "ps_1_1\ntex t0\nmul r0, t0, v0",
        "ps_1_1\ntex t0\nmul_x2 r0, t0_bx2, v0",
        "ps_1_3\ndef c0, 0.25, 0.25, 0.25, 0.25\ntex t0\nlrp r0.rgb, t0, c0, v0\n+add r0.a, t0, v0",
        "ps_1_1\ntex t0\nmov r0, v0\ncnd r0, r0.a, t0, v0",
        "ps_1_4\ndef c0, 0.25, 0.5, 0, 0\ntexld r0, t0\ntexcrd r1.rgb, t1\nphase\nmul r0.rgb, r0, c0.g\nmad r0.rgb, r1, c0.r, r0\n+mov r0.a, v0.a",
    };
    u32 texels[16];
    for (u32 k = 0; k < 16; k++) texels[k] = gold_random(g) * 0x9e3779b1u;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 4, 4, 1, 1, texels, sizeof(texels));
    gold_sampler(g, 0, 5, 2);
    gold_sampler(g, 0, 6, 2);
    int *keep = (int *)(void *)&g->textures[7].width; /* lives as long as the scene */
    *keep = which;
    gold_program(g, NULL, text[which], model1_shade, keep);
    rectangle(g);
    gold_show(g, 0.1, 3);
}

/* 0 times anything is 0; reciprocals of 0 are large numbers. */
static void special_values(struct gold *g, int arg)
{
    static const char *const body[10] = {
        "rcp r1, c0.x\nmul r0, r1, c0.x",           /* 0 * FLT_MAX */
        "rcp r1, c0.x\nmul r1, r1, r1\nmul r0, r1, c0.x", /* 0 * infinity */
        "rsq r1, c0.x\nrcp r0, r1.x",               /* 1 / FLT_MAX */
        "log r1, c0.x\nexp r0, r1.x",               /* 2 ^ -FLT_MAX */
        "mul r1, c0.w, c0.w\nadd r1, r1, -r1\nmov_sat r0, r1", /* infinity - infinity: NaN, saturated to 0 */
        "mul r1, c0.w, c0.w\nadd r1, r1, -r1\nmax r0, r1, c0.y", /* a comparison with NaN is false: the second */
        "rcp r0, -c0.z",                            /* 1 / -1/2, saturated by the target */
        "rsq r0, -c1.x",                            /* 1 / sqrt(|-4|) */
        "rcp r1, c0.x\nrcp r0, r1.x",               /* 1 / FLT_MAX */
        "rcp r1, -c0.x\nrcp r1, -r1.x\nadd r0, r1, c0.y", /* the sign of 0 does not make it infinite */
    };
    static const u32 want[10] = { 0, 0, 0, 0, 0, 0x40404040, 0, 0x80808080, 0, 0x40404040 };
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, 10, 4, 0);
    gold_constant(g, AGPU_STAGE_PIXEL, 0, 0, 0x40 / 255.0f, 0.5f, 3e38f);
    gold_constant(g, AGPU_STAGE_PIXEL, 1, 4, 0, 0, 0);
    for (int k = 0; k < 10; k++) {
        char text[256];
        snprintf(text, sizeof(text), "ps_2_0\n%s\nmov oC0, r0", body[k]);
        gold_program(g, NULL, text, NULL, NULL);
        gold_rectangle(g, (float)k, 0, (float)k + 1, 4, 0, 0);
    }
    const u8 *p = gold_read(g, H_COLOR, AGPU_FMT_B8G8R8A8, 10, 4, 0, 0);
    for (u32 k = 0; k < 40; k++) gold_check(g, ld32(p + 4 * k) == want[k % 10], "%s: %08x, not %08x", body[k % 10], ld32(p + 4 * k), want[k % 10]);
}

#define PROGRAM(name, index) { "l2_" name, program, index, FORMULA }

const struct golden_case golden_shaders[] = {
    PROGRAM("ps_add", 0),          PROGRAM("ps_sub", 1),           PROGRAM("ps_mul", 2),          PROGRAM("ps_mad", 3),
    PROGRAM("ps_dp3", 4),          PROGRAM("ps_dp4", 5),           PROGRAM("ps_dp2add", 6),       PROGRAM("ps_min", 7),
    PROGRAM("ps_max", 8),          PROGRAM("ps_abs", 9),           PROGRAM("ps_rcp", 10),         PROGRAM("ps_rsq", 11),
    PROGRAM("ps_exp", 12),         PROGRAM("ps_log", 13),          PROGRAM("ps_pow", 14),         PROGRAM("ps_lrp", 15),
    PROGRAM("ps_frc", 16),         PROGRAM("ps_cmp", 17),          PROGRAM("ps_nrm", 18),         PROGRAM("ps_crs", 19),
    PROGRAM("ps_sincos", 20),      PROGRAM("ps_sat", 21),          PROGRAM("ps_swizzle", 22),     PROGRAM("ps_mask", 23),
    PROGRAM("ps_m4x4", 24),        PROGRAM("ps_m3x3", 25),         PROGRAM("ps_m3x2", 26),        PROGRAM("ps3_modifiers", 27),
    PROGRAM("ps3_if", 28),         PROGRAM("ps3_rep_break", 29),   PROGRAM("ps3_nested_loops", 30), PROGRAM("ps3_predicate", 31),
    PROGRAM("ps3_sincos", 32),     PROGRAM("ps3_sincos_far", 33),  PROGRAM("vs_slt_sge", 34),     PROGRAM("vs_sgn", 35),
    PROGRAM("vs_lit", 36),         PROGRAM("vs_dst", 37),          PROGRAM("vs_m4x4", 38),        PROGRAM("vs_relative", 39),
    PROGRAM("vs1_relative", 40),   PROGRAM("vs_loop_aL", 41),      PROGRAM("vs_bools", 42),       PROGRAM("vs1_expp", 43),
    PROGRAM("vs1_logp", 44),
    { "l2_ps3_call", subroutine, 0, FORMULA },
    { "l2_texkill", texkill, 0, FORMULA },
    { "l2_ps3_derivatives", derivatives, 0, FORMULA },
    { "l2_ps3_vpos_vface", position_and_face, 0, FORMULA },
    { "l2_ps_depth_d24", depth_output, AGPU_FMT_D24S8, FORMULA },
    { "l2_ps_depth_d32", depth_output, AGPU_FMT_D32F, FORMULA },
    { "l2_ps3_relative_input", relative_registers, 0, FORMULA },
    { "l2_ps1_modulate", model1, 0, FORMULA },
    { "l2_ps1_modifiers", model1, 1, FORMULA },
    { "l2_ps1_co_issue", model1, 2, FORMULA },
    { "l2_ps1_cnd", model1, 3, FORMULA },
    { "l2_ps1_4_phase", model1, 4, FORMULA },
    { "l2_special_values", special_values, 0, "values of the document" },
    { NULL, NULL, 0, NULL },
};
