/* Golden pictures of shader model 4 instructions: each program's text beside its twin in double
 * precision or whole numbers, over a rectangle whose two coordinate sets a (v2) and b (v3) are
 * gradients. Executor document, sections 9 and 10.5. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/gpu/golden.h"

enum { N = 32 };
#define FORMULA "twin in double precision"
#define INTEGERS "twin in whole numbers"
typedef void twin(const double a[4], const double b[4], double out[4], bool *unsure);

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

/* What ftoi makes of 100 times a component. */
static i32 whole(double v, bool *unsure)
{
    near_zero(v * 100 - nearbyint(v * 100), unsure);
    return (i32)(v * 100);
}

#define TWIN(name) static void name(const double a[4], const double b[4], double out[4], bool *unsure)
#define EACH(name, ...)                                                                            \
    TWIN(name)                                                                                     \
    {                                                                                              \
        (void)a, (void)b, (void)unsure;                                                            \
        for (int c = 0; c < 4; c++) out[c] = (__VA_ARGS__);                                        \
    }
/* A is 100 a as an integer, B 100 b. */
#define INTEGER(name, ...)                                                                         \
    TWIN(name)                                                                                     \
    {                                                                                              \
        for (int c = 0; c < 4; c++) {                                                              \
            i32 A = whole(a[c], unsure), B = whole(b[c], unsure);                                  \
            (void)B;                                                                               \
            out[c] = (__VA_ARGS__);                                                                \
        }                                                                                          \
    }
#define COMPARED(name, how)                                                                        \
    TWIN(name)                                                                                     \
    {                                                                                              \
        for (int c = 0; c < 4; c++) {                                                              \
            near_zero(a[c] - b[c], unsure);                                                        \
            out[c] = a[c] how b[c] ? a[c] : 1;                                                     \
        }                                                                                          \
    }
#define STEPPED(name, f)                                                                           \
    TWIN(name)                                                                                     \
    {                                                                                              \
        (void)b;                                                                                   \
        for (int c = 0; c < 4; c++) {                                                              \
            double v = a[c] * 3 + 0.1;                                                             \
            near_zero(v - nearbyint(v), unsure);                                                   \
            near_zero(v - floor(v) - 0.5, unsure);                                                 \
            out[c] = f(v);                                                                         \
        }                                                                                          \
    }
EACH(t_add, a[c] - fabs(b[c]))
EACH(t_mul, ref_clamp(a[c] * b[c], 0, 1))
EACH(t_mad, a[c] * b[c] + a[3 - c])
EACH(t_div, a[c] / b[2])
EACH(t_dp2, dot(a, b, 2))
EACH(t_dp3, dot(a, b, 3))
EACH(t_dp4, dot(a, b, 4))
EACH(t_min, fmin(a[c], b[c]))
EACH(t_max, fmax(a[c], b[c]))
EACH(t_rsq, 1 / sqrt(a[2]))
EACH(t_sqrt, sqrt(a[3]))
EACH(t_exp, exp2(a[0]))
EACH(t_log, log2(a[2]))
EACH(t_sin, c & 1 ? cos(a[0] * 7) : sin(a[0] * 7))
EACH(t_swizzle, (const double[]){ a[1], b[3], -a[0], fabs(b[0]) }[c])
EACH(t_temps, (const double[]){ 0.1, 0.4, 0.7, 0.9 }[(int)(a[3])] * b[2])
static double fraction(double v)
{
    return v - floor(v);
}
STEPPED(t_frc, fraction)
STEPPED(t_ne, nearbyint)
STEPPED(t_ni, floor)
STEPPED(t_pi, ceil)
STEPPED(t_z, trunc)
COMPARED(t_lt, <)
COMPARED(t_ge, >=)
INTEGER(t_iadd, A + B - 7)
INTEGER(t_imad, A * B + 1000)
INTEGER(t_imin_imax, c < 2 ? MIN(A, B) : MAX(A, B))
INTEGER(t_and, (A & 0xff) | (B & 0x100))
INTEGER(t_xor_not, ~(A ^ B) & 0x3ff)
INTEGER(t_shift, c < 2 ? (i32)((u32)A << (B & 7)) : A >> 2)
INTEGER(t_ushr, (double)((u32)A >> 20))
INTEGER(t_ilt, A < B ? A : 300)
INTEGER(t_ult, (u32)A < (u32)B ? 250 : 50)
INTEGER(t_udiv, c < 2 ? (double)((u32)abs(A) / 17) : (double)((u32)abs(A) % 17))
INTEGER(t_switch, (const i32[]){ 50, B, 120, 200 }[(u32)abs(A) / 64 > 3 ? 3 : abs(A) / 64])

TWIN(t_if)
{
    near_zero(a[0], unsure);
    near_zero(a[1] - b[1], unsure);
    for (int c = 0; c < 4; c++) out[c] = a[0] < 0 ? (a[1] > b[1] ? a[c] : b[c]) : 0.5 * a[c];
}
/* adds 1/8 until a.x is passed; ones that pass a.y are not counted */
TWIN(t_loop)
{
    double v = -0.77, n = 0;
    (void)b;
    for (int k = 0; k < 12; k++) {
        v += 0.125;
        near_zero(v - a[0], unsure);
        near_zero(v - a[1], unsure);
        if (v >= a[0]) break;
        if (v >= a[1]) continue;
        n += 0.25;
    }
    out[0] = out[2] = v;
    out[1] = out[3] = n;
}

struct program {
    const char *body; /* writes r0 as a float */
    twin *twin;
    double scale, bias, eps;
};
#define INTS "mul r1.xyzw, v2.xyzw, l(100.0, 100.0, 100.0, 100.0)\nmul r2.xyzw, v3.xyzw, l(100.0, 100.0, 100.0, 100.0)\nftoi r1.xyzw, r1.xyzw\nftoi r2.xyzw, r2.xyzw\n"
#define BACK "\nitof r0.xyzw, r0.xyzw"
#define WHOLE 1 / 512.0, 0.5, 0.02
#define STEPS "mad r1.xyzw, v2.xyzw, l(3.0, 3.0, 3.0, 3.0), l(0.1, 0.1, 0.1, 0.1)\n"

static const struct program programs[] = {
    { "add r0.xyzw, v2.xyzw, -|v3.xyzw|", t_add, 0.125, 0.5, 0.02 },
    { "mul_sat r0.xyzw, v2.xyzw, v3.xyzw", t_mul, 1, 0, 0.05 },
    { "mad r0.xyzw, v2.xyzw, v3.xyzw, v2.wzyx", t_mad, 0.1, 0.5, 0.02 },
    { "div r0.xyzw, v2.xyzw, v3.zzzz", t_div, 0.1, 0.5, 0.05 },
    { "dp2 r0.xyzw, v2.xyxx, v3.xyxx", t_dp2, 0.0625, 0.5, 0.02 },
    { "dp3 r0.xyzw, v2.xyzx, v3.xyzx", t_dp3, 0.0625, 0.5, 0.02 },
    { "dp4 r0.xyzw, v2.xyzw, v3.xyzw", t_dp4, 0.0625, 0.5, 0.02 },
    { "min r0.xyzw, v2.xyzw, v3.xyzw", t_min, 0.25, 0.5, 0.02 },
    { "max r0.xyzw, v2.xyzw, v3.xyzw", t_max, 0.25, 0.5, 0.02 },
    { "rsq r0.xyzw, v2.zzzz", t_rsq, 0.4, 0, 0.05 },
    { "sqrt r0.xyzw, v2.wwww", t_sqrt, 0.5, 0, 0.05 },
    { "exp r0.xyzw, v2.xxxx", t_exp, 0.25, 0, 0.05 },
    { "log r0.xyzw, v2.zzzz", t_log, 0.25, 0.5, 0.05 },
    { "mul r1.x, v2.x, l(7.0)\nsincos r0.xz, r0.yw, r1.xxxx", t_sin, 0.5, 0.5, 0.05 },
    { "mov r0.xy, v2.yyyy\nmov r0.y, v3.w\nmov r0.zw, -v2.xxxx\nmov r0.w, |v3.x|", t_swizzle, 0.25, 0.5, 0.02 },
    { STEPS "frc r0.xyzw, r1.xyzw", t_frc, 1, 0, 0.05 },
    { STEPS "round_ne r0.xyzw, r1.xyzw", t_ne, 0.0625, 0.5, 0.02 },
    { STEPS "round_ni r0.xyzw, r1.xyzw", t_ni, 0.0625, 0.5, 0.02 },
    { STEPS "round_pi r0.xyzw, r1.xyzw", t_pi, 0.0625, 0.5, 0.02 },
    { STEPS "round_z r0.xyzw, r1.xyzw", t_z, 0.0625, 0.5, 0.02 },
    { "lt r1.xyzw, v2.xyzw, v3.xyzw\nmovc r0.xyzw, r1.xyzw, v2.xyzw, l(1.0, 1.0, 1.0, 1.0)", t_lt, 0.25, 0.5, 0.02 },
    { "ge r1.xyzw, v2.xyzw, v3.xyzw\nmovc r0.xyzw, r1.xyzw, v2.xyzw, l(1.0, 1.0, 1.0, 1.0)", t_ge, 0.25, 0.5, 0.02 },
    { "lt r1.x, v2.x, l(0.0)\nif_nz r1.x\nlt r1.y, v3.y, v2.y\nif_nz r1.y\nmov r0.xyzw, v2.xyzw\nelse\nmov r0.xyzw, v3.xyzw\nendif\nelse\n"
                   "mul r0.xyzw, v2.xyzw, l(0.5, 0.5, 0.5, 0.5)\nendif", t_if, 0.25, 0.5, 0.02 },
    { "mov r0.xyzw, l(-0.77, 0.0, 0.0, 0.0)\nmov r1.x, l(0)\nloop\nige r1.y, r1.x, l(12)\nbreakc_nz r1.y\niadd r1.x, r1.x, l(1)\nadd r0.x, r0.x, l(0.125)\n"
                     "ge r1.z, r0.x, v2.x\nbreakc_nz r1.z\nge r1.w, r0.x, v2.y\ncontinuec_nz r1.w\nadd r0.y, r0.y, l(0.25)\nendloop\nmov r0.zw, r0.xxxy", t_loop, 0.25, 0.25, 0.02 },
    { INTS "iadd r0.xyzw, r1.xyzw, r2.xyzw\niadd r0.xyzw, r0.xyzw, l(-7, -7, -7, -7)" BACK, t_iadd, WHOLE },
    { INTS "imad r0.xyzw, r1.xyzw, r2.xyzw, l(1000, 1000, 1000, 1000)" BACK, t_imad, 1 / 65536.0, 0.5, 0.02 },
    { INTS "imin r0.xy, r1.xyxx, r2.xyxx\nimax r0.zw, r1.xyzw, r2.xyzw" BACK, t_imin_imax, WHOLE },
    { INTS "and r1.xyzw, r1.xyzw, l(255, 255, 255, 255)\nand r2.xyzw, r2.xyzw, l(256, 256, 256, 256)\nor r0.xyzw, r1.xyzw, r2.xyzw" BACK, t_and, WHOLE },
    { INTS "xor r0.xyzw, r1.xyzw, r2.xyzw\nnot r0.xyzw, r0.xyzw\nand r0.xyzw, r0.xyzw, l(1023, 1023, 1023, 1023)" BACK, t_xor_not, 1 / 1024.0, 0, 0.02 },
    { INTS "and r2.xyzw, r2.xyzw, l(7, 7, 7, 7)\nishl r0.xy, r1.xyxx, r2.xyxx\nishr r0.zw, r1.xyzw, l(2, 2, 2, 2)" BACK, t_shift, 1 / 8192.0, 0.5, 0.02 },
    { INTS "ushr r0.xyzw, r1.xyzw, l(20, 20, 20, 20)\nutof r0.xyzw, r0.xyzw", t_ushr, 1 / 4096.0, 0, 0.02 },
    { INTS "ilt r3.xyzw, r1.xyzw, r2.xyzw\nmovc r0.xyzw, r3.xyzw, r1.xyzw, l(300, 300, 300, 300)" BACK, t_ilt, WHOLE },
    { INTS "ult r3.xyzw, r1.xyzw, r2.xyzw\nmovc r0.xyzw, r3.xyzw, l(250, 250, 250, 250), l(50, 50, 50, 50)" BACK, t_ult, 1 / 255.0, 0, 0.02 },
    { INTS "imax r1.xyzw, r1.xyzw, -r1.xyzw\nudiv r3.xyzw, r4.xyzw, r1.xyzw, l(17, 17, 17, 17)\nmov r0.xy, r3.xyxx\nmov r0.zw, r4.xyzw" BACK, t_udiv, 1 / 32.0, 0, 0.02 },
    { "mov x0[0].xyzw, l(0.1, 0.1, 0.1, 0.1)\nmov x0[1].xyzw, l(0.4, 0.4, 0.4, 0.4)\nmov r1.x, l(1)\nmov x0[r1.x + 1].xyzw, l(0.7, 0.7, 0.7, 0.7)\n"
                      "mov x0[3].xyzw, l(0.9, 0.9, 0.9, 0.9)\nftoi r1.x, v2.w\nmul r0.xyzw, x0[r1.x + 0].xyzw, v3.zzzz", t_temps, 0.5, 0, 0.05 },
    { NULL, t_switch, WHOLE },
};

/* A switch goes by one component; so each has its own. */
static void switch_text(char *out, size_t size)
{
    size_t at = (size_t)snprintf(out, size, INTS "imax r3.xyzw, r1.xyzw, -r1.xyzw\nushr r3.xyzw, r3.xyzw, l(6, 6, 6, 6)\n");
    for (int c = 0; c < 4; c++) {
        char n = "xyzw"[c];
        at += (size_t)snprintf(out + at, size - at, "switch r3.%c\ncase l(0)\nmov r0.%c, l(50)\nbreak\ncase l(1)\nmov r0.%c, r2.%c\nbreak\ncase l(2)\nmov r0.%c, l(120)\nbreak\n"
                                                    "default\nmov r0.%c, l(200)\nbreak\nendswitch\n", n, n, n, n, n, n);
    }
    snprintf(out + at, size - at, "itof r0.xyzw, r0.xyzw");
}

static void shade(struct ref_fragment *f, const void *user)
{
    const struct program *p = user;
    double out[4];
    p->twin(f->attr[1], f->attr[2], out, &f->unsure);
    for (int c = 0; c < 4; c++) f->color[0][c] = out[c] * p->scale + p->bias;
}

static void rectangle(struct gold *g)
{
    struct vx v[4];
    for (int k = 0; k < 4; k++) {
        float x = (float)(k & 1), y = (float)(k >> 1);
        const float uv[4] = { x * 4 - 2, y * 4 - 2, x * 1.5f + 0.25f, y * 2 + 1 }, more[4] = { 1.9f - y * 3.7f, x * 3.1f - 1.3f, 0.3f + y, x + 0.7f };
        v[k] = gold_vertex(g, k & 1 ? N : 0, k & 2 ? N : 0, 0, 1, 0xffffffff);
        memcpy(v[k].uv, uv, sizeof(uv));
        memcpy(v[k].more, more, sizeof(more));
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
}

static void program(struct gold *g, int index)
{
    const struct program *p = &programs[index];
    char text[4096], body[2048];
    if (!p->body) switch_text(body, sizeof(body));
    snprintf(text, sizeof(text), PS10_LINEAR "dcl_temps 5\ndcl_indexable_temp x0[4], 4\n%s\nmad o0.xyzw, r0.xyzw, l(%.9e, %.9e, %.9e, %.9e), l(%.9e, %.9e, %.9e, %.9e)\nret",
             p->body ? p->body : body, p->scale, p->scale, p->scale, p->scale, p->bias, p->bias, p->bias, p->bias);
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program10(g, NULL, text, false, shade, p);
    rectangle(g);
    gold_show(g, p->eps, 6);
}

static void discard_shade(struct ref_fragment *f, const void *user)
{
    double v = f->attr[1][0] * f->attr[1][1];
    (void)user;
    near_zero(v + 1, &f->unsure);
    f->kill = v < -1;
    for (int c = 0; c < 4; c++) f->color[0][c] = f->attr[2][c] * 0.25 + 0.5;
}

static void discard(struct gold *g, int arg)
{
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, AGPU_FMT_D32F);
    gold_clear(g, 7, 0, 0, 0.3f, 1, 1, 0);
    gold_depth10(g, true, true, AGPU_CMP_LESS);
    gold_program10(g, NULL, PS10_LINEAR "dcl_temps 1\nmul r0.x, v2.x, v2.y\nlt r0.x, r0.x, l(-1.0)\ndiscard_nz r0.x\n"
                                        "mad o0.xyzw, v3.xyzw, l(0.25, 0.25, 0.25, 0.25), l(0.5, 0.5, 0.5, 0.5)\nret", false, discard_shade, NULL);
    rectangle(g);
    gold_show(g, 0.05, 3);
    gold_show_depth(g, 0, 3);
}

static double product(const struct ref_fragment *f, int x, int y)
{
    double a[4];
    ref_attr(f, 1, x, y, a);
    return a[0] * a[1];
}

static void derivative_shade(struct ref_fragment *f, const void *user)
{
    int qx = f->x & ~1, qy = f->y & ~1;
    (void)user;
    f->color[0][0] = (product(f, qx + 1, f->y) - product(f, qx, f->y)) * 2 + 0.5;
    f->color[0][1] = (product(f, f->x, qy + 1) - product(f, f->x, qy)) * 2 + 0.5;
    f->color[0][2] = 0.25;
    f->color[0][3] = 1;
}

static void derivatives(struct gold *g, int arg)
{
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program10(g, NULL, PS10_LINEAR "dcl_temps 2\nmul r0.x, v2.x, v2.y\nderiv_rtx r1.x, r0.x\nderiv_rty r1.y, r0.x\nmad o0.xy, r1.xyxx, l(2.0, 2.0, 0.0, 0.0), l(0.5, 0.5, 0.0, 0.0)\n"
                                        "mov o0.zw, l(0.0, 0.0, 0.25, 1.0)\nret", false, derivative_shade, NULL);
    rectangle(g);
    gold_show(g, 0.05, 0);
}

/* The immediate constant buffer by a dynamic index: rows 0 to 3, beyond them 0. */
static void icb_shade(struct ref_fragment *f, const void *user)
{
    static const double rows[6][4] = { { 0.25, 0.5, 0.75, 1 }, { 1, 0, 0, 1 }, { 0, 1, 0.5, 1 }, { 0.125, 0.25, 1, 0.5 } };
    double v = f->attr[1][2] * 3;
    (void)user;
    near_zero(v - nearbyint(v), &f->unsure);
    memcpy(f->color[0], rows[MIN((int)v, 5)], sizeof(f->color[0]));
}

static void immediate_constants(struct gold *g, int arg)
{
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program10(g, NULL, PS10_LINEAR "dcl_immediateConstantBuffer {{0.25, 0.5, 0.75, 1.0}, {1.0, 0.0, 0.0, 1.0}, {0.0, 1.0, 0.5, 1.0}, {0.125, 0.25, 1.0, 0.5}}\n"
                                        "dcl_temps 1\nmul r0.x, v2.z, l(3.0)\nftoi r0.x, r0.x\nmov o0.xyzw, icb[r0.x + 0].xyzw\nret", false, icb_shade, NULL);
    rectangle(g);
    gold_show(g, 0.01, 5);
}


const struct golden_case golden_sm4[] = {
    { "l3_sm4_add", program, 0, FORMULA },
    { "l3_sm4_mul_sat", program, 1, FORMULA },
    { "l3_sm4_mad", program, 2, FORMULA },
    { "l3_sm4_div", program, 3, FORMULA },
    { "l3_sm4_dp2", program, 4, FORMULA },
    { "l3_sm4_dp3", program, 5, FORMULA },
    { "l3_sm4_dp4", program, 6, FORMULA },
    { "l3_sm4_min", program, 7, FORMULA },
    { "l3_sm4_max", program, 8, FORMULA },
    { "l3_sm4_rsq", program, 9, FORMULA },
    { "l3_sm4_sqrt", program, 10, FORMULA },
    { "l3_sm4_exp", program, 11, FORMULA },
    { "l3_sm4_log", program, 12, FORMULA },
    { "l3_sm4_sincos", program, 13, FORMULA },
    { "l3_sm4_swizzle", program, 14, FORMULA },
    { "l3_sm4_frc", program, 15, FORMULA },
    { "l3_sm4_round_ne", program, 16, FORMULA },
    { "l3_sm4_round_ni", program, 17, FORMULA },
    { "l3_sm4_round_pi", program, 18, FORMULA },
    { "l3_sm4_round_z", program, 19, FORMULA },
    { "l3_sm4_lt_movc", program, 20, FORMULA },
    { "l3_sm4_ge_movc", program, 21, FORMULA },
    { "l3_sm4_if", program, 22, FORMULA },
    { "l3_sm4_loop", program, 23, FORMULA },
    { "l3_sm4_iadd", program, 24, INTEGERS },
    { "l3_sm4_imad", program, 25, INTEGERS },
    { "l3_sm4_imin_imax", program, 26, INTEGERS },
    { "l3_sm4_and_or", program, 27, INTEGERS },
    { "l3_sm4_xor_not", program, 28, INTEGERS },
    { "l3_sm4_shifts", program, 29, INTEGERS },
    { "l3_sm4_ushr", program, 30, INTEGERS },
    { "l3_sm4_ilt", program, 31, INTEGERS },
    { "l3_sm4_ult", program, 32, INTEGERS },
    { "l3_sm4_udiv", program, 33, INTEGERS },
    { "l3_sm4_temps", program, 34, FORMULA },
    { "l3_sm4_switch", program, 35, INTEGERS },
    { "l3_sm4_discard", discard, 0, FORMULA },
    { "l3_sm4_derivatives", derivatives, 0, FORMULA },
    { "l3_sm4_immediate_constants", immediate_constants, 0, FORMULA },
    { NULL, NULL, 0, NULL },
};
