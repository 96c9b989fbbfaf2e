/* Golden pictures of what happens behind the pixel shader: depth, stencil, alpha test, blending,
 * write masks, several targets, target formats. Executor document, sections 6.4, 6.5 and 7.5. */
#include "tests/gpu/golden.h"

enum { W = 32, H = 32 };
#define FORMULA "reference, double precision"
#define EXACT "reference, every bit"

/* A colour gradient over the whole target: red to the right, green down, blue and alpha as given. */
static void gradient(struct gold *g, float z, float blue, float alpha)
{
    struct vx v[4];
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? W : 0, k & 2 ? H : 0, z, 1, 0);
        v[k].color[0] = (float)(k & 1);
        v[k].color[1] = (float)(k >> 1);
        v[k].color[2] = blue;
        v[k].color[3] = alpha;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
}

/* Three columns of depth 1/4, 1/2, 3/4, then a rectangle at 1/2 with the function. */
static void depth_func(struct gold *g, int func)
{
    gold_target(g, AGPU_FMT_B8G8R8A8, W, H, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0.1f, 0.1f, 0.1f, 1, 1, 0);
    gold_state(g, 23, 8);
    gold_rectangle(g, 0, 0, 10, H, 0.25f, 0xff800000);
    gold_rectangle(g, 10, 0, 20, H, 0.5f, 0xff008000);
    gold_rectangle(g, 20, 0, 30, H, 0.75f, 0xff000080);
    gold_state(g, 23, (u32)func);
    gold_rectangle(g, 0, 8, W, 24, 0.5f, 0xffffffff);
    gold_show(g, 0, 0);
    gold_show_depth(g, 0, 0);
}

/* Two planes that cut each other, in both depth formats. */
static void depth_planes(struct gold *g, int format)
{
    struct vx v[4];
    gold_target(g, AGPU_FMT_B8G8R8A8, 64, 64, (u32)format);
    gold_clear(g, 7, 0, 0, 0, 1, 1, 0);
    for (int pass = 0; pass < 2; pass++) {
        for (int k = 0; k < 4; k++)
            v[k] = gold_vertex(g, k & 1 ? 60 : 3, k & 2 ? 61 : 5, (k & 1) ^ pass ? 0.875f : 0.125f, 1, pass ? 0xffff8000 : 0xff0080ff);
        gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    }
    gold_show(g, 0, 1);
    gold_show_depth(g, 4, 1);
}

static void depth_write_off(struct gold *g, int arg)
{
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, W, H, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0, 0, 0, 1, 1, 0);
    gold_state(g, 14, 0);
    gold_rectangle(g, 0, 0, 20, 20, 0.25f, 0xffff0000);
    gold_state(g, 14, 1);
    gold_rectangle(g, 10, 10, 30, 30, 0.5f, 0xff00ff00); /* passes everywhere: nothing was stored */
    gold_state(g, 7, 0);
    gold_rectangle(g, 4, 16, 28, 20, 0.9f, 0xff0000ff); /* no test: drawn, and depth kept */
    gold_show(g, 0, 0);
    gold_show_depth(g, 0, 0);
}

/* Coplanar decals in front of a slope, with a constant and a slope-scaled bias. */
static void depth_bias(struct gold *g, int slope)
{
    gold_target(g, AGPU_FMT_B8G8R8A8, 64, 64, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0, 0, 0, 1, 1, 0);
    for (int pass = 0; pass < 3; pass++) {
        struct vx v[4];
        for (int k = 0; k < 4; k++) {
            float x = k & 1 ? 64.0f - 8.0f * (float)pass : 8.0f * (float)pass;
            v[k] = gold_vertex(g, x, k & 2 ? 56 : 8, x / 128 + 0.25f, 1, pass == 0 ? 0xff4060ff : pass == 1 ? 0xffffff00 : 0xffff0000);
        }
        /* the second is pulled towards the eye, the third pushed away: 1/1024, or an eighth of dz/dx */
        gold_statef(g, slope ? 175 : 195, pass == 0 ? 0 : (pass == 1 ? -1.0f : 1.0f) * (slope ? 0.125f : 1 / 1024.0f));
        gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    }
    gold_show(g, 0, 0);
    gold_show_depth(g, 4, 0);
}

/* The ramp of depths is drawn in a viewport whose range is 1/4 to 3/4. */
static void depth_range(struct gold *g, int arg)
{
    struct vx v[4];
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, 64, 64, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0, 0, 0, 1, 1, 0);
    gold_viewport(g, 0, 0, 64, 64, 0.25f, 0.75f);
    for (int k = 0; k < 4; k++) v[k] = gold_vertex(g, k & 1 ? 64 : 0, k & 2 ? 64 : 0, (float)(k & 1), 1, 0xffffffff);
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0, 0);
    gold_show_depth(g, 4, 0);
}

/* Stencil values 0 to 7 in columns, then a rectangle whose rows fail in stencil, fail in depth, and
 * pass, all with operation `op`; reference 250 so that both wrapping and saturating show. */
static void stencil_op(struct gold *g, int op)
{
    static const u8 values[8] = { 0, 1, 2, 127, 128, 253, 254, 255 };
    gold_target(g, AGPU_FMT_B8G8R8A8, W, H, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0, 0, 0, 1, 1, 0);
    gold_state(g, 23, 8);
    gold_state(g, 52, 1);
    gold_state(g, 55, 3);
    for (u32 k = 0; k < 8; k++) {
        gold_state(g, 57, values[k]);
        gold_rectangle(g, (float)k * 4, 0, (float)k * 4 + 4, H, k & 1 ? 0.25f : 0.75f, 0xff303030);
    }
    gold_state(g, 23, 4);
    gold_state(g, 57, 128);
    for (u32 k = 0; k < 3; k++) gold_state(g, 53 + k, k == 1 ? 1 + (u32)(op + 2) % 8 : (u32)op);
    gold_state(g, 56, 2); /* 128 < value passes */
    gold_rectangle(g, 0, 4, W, 12, 0.5f, 0xffff0000);
    gold_state(g, 58, 0x0f);
    gold_state(g, 59, 0xf0); /* masks: the low half is compared, the high half written */
    gold_state(g, 56, 4);
    gold_rectangle(g, 0, 16, W, 24, 0.5f, 0xff00ff00);
    gold_show(g, 0, 0);
    gold_show_depth(g, 0, 0);
}

static void stencil_func(struct gold *g, int func)
{
    gold_target(g, AGPU_FMT_B8G8R8A8, W, H, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0, 0, 0, 1, 1, 0);
    gold_state(g, 52, 1);
    gold_state(g, 55, 3);
    for (u32 k = 0; k < 4; k++) {
        gold_state(g, 57, 9 + k);
        gold_rectangle(g, (float)k * 8, 0, (float)k * 8 + 8, H, 0, 0xff404040);
    }
    gold_state(g, 57, 10);
    gold_state(g, 56, (u32)func);
    gold_state(g, 55, 4);
    gold_state(g, 53, 6);
    gold_rectangle(g, 0, 4, W, 28, 0, 0xffffc000);
    gold_show(g, 0, 0);
    gold_show_depth(g, 0, 0);
}

/* Clockwise rectangles increment, counter-clockwise ones decrement, as shadow volumes do. */
static void stencil_two_sided(struct gold *g, int arg)
{
    struct vx v[3];
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, 64, 64, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0, 0, 0, 1, 1, 100);
    gold_state(g, 52, 1);
    gold_state(g, 185, 1);
    gold_state(g, 55, 7);
    gold_state(g, 188, 8);
    gold_state(g, 168, 0);
    for (int k = 0; k < 24; k++) {
        for (int n = 0; n < 3; n++) {
            float x = (float)(gold_random(g) % 16384) / 256;
            v[n] = gold_vertex(g, x, (float)(gold_random(g) % 16384) / 256, 0.5f, 1, 0);
        }
        gold_draw(g, AGPU_TOPO_TRIANGLES, v, 3);
    }
    gold_state(g, 168, 15);
    gold_state(g, 55, 1);
    gold_state(g, 56, 2);
    gold_state(g, 57, 100);
    gold_rectangle(g, 0, 0, 64, 64, 0, 0xff00ff00); /* where more went in than out */
    gold_show(g, 0, 0);
    gold_show_depth(g, 0, 0);
}

static void alpha_func(struct gold *g, int func)
{
    struct vx v[4];
    gold_target(g, AGPU_FMT_B8G8R8A8, 256, 4, 0);
    gold_clear(g, 1, 0.2f, 0.2f, 0.4f, 1, 0, 0);
    gold_state(g, 15, 1);
    gold_state(g, 24, 0x80);
    gold_state(g, 25, (u32)func);
    for (int k = 0; k < 4; k++) { /* alpha is the column's number: exact codes at the centres */
        v[k] = gold_vertex(g, k & 1 ? 256 : 0, k & 2 ? 4 : 0, 0, 1, 0xffffff00);
        v[k].color[3] = k & 1 ? 255.5f / 255 : -0.5f / 255;
    }
    /* through a texture coordinate, which does not saturate */
    gold_program(g, "vs_2_0\nmov oPos, v0\nmov oT0, v1", "ps_2_0\ndcl t0\nmov oC0, t0", ref_color, NULL);
    g->ref.saturate[0] = false;
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.02, 0);
}

/* A gradient in alpha and colour over another: factor pairs by number. */
static void blend_factor(struct gold *g, int pair)
{
    gold_target(g, AGPU_FMT_B8G8R8A8, W, H, 0);
    gradient(g, 0, 0.75f, 0.4f);
    gold_state(g, 27, 1);
    gold_state(g, 193, 0x40c08020);
    gold_state(g, 19, (u32)pair & 15);
    gold_state(g, 20, (u32)pair >> 4);
    struct vx v[4];
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? 30 : 2, k & 2 ? 30 : 2, 0, 1, 0);
        for (int c = 0; c < 4; c++) v[k].color[c] = (k + c) % 4 / 3.0f;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.6, 0); /* the destination was rounded to codes once, perhaps the other way */
}

/* All factors at single colours that are exact codes: every bit. */
static void blend_exact(struct gold *g, int op)
{
    static const u32 colors[4] = { 0x90c05020, 0x10ff0080, 0xffffffff, 0x00204060 };
    gold_target(g, AGPU_FMT_B8G8R8A8, 64, 64, 0);
    gold_clear(g, 1, 0x30 / 255.0f, 0xa0 / 255.0f, 0xe0 / 255.0f, 0x60 / 255.0f, 0, 0);
    gold_state(g, 27, 1);
    gold_state(g, 171, (u32)op);
    gold_state(g, 193, 0x204080c0);
    for (u32 src = 0; src < 15; src++) {
        for (u32 dst = 0; dst < 15; dst++) {
            if (src == 11 || dst == 11 || dst == 12) continue;
            gold_state(g, 19, src + 1);
            gold_state(g, 20, dst + 1);
            gold_rectangle(g, (float)src * 4, (float)dst * 4, (float)src * 4 + 3, (float)dst * 4 + 3, 0, colors[(src + dst) % 4]);
        }
    }
    gold_show(g, 0.001, 0);
}

static void blend_separate(struct gold *g, int arg)
{
    static const u32 rows[][6] = { { 5, 6, 1, 2, 1, 1 }, { 2, 1, 1, 2, 6, 1 }, { 5, 6, 1, 0, 0, 0 }, { 9, 3, 1, 7, 5, 2 },
                                   { 2, 2, 4, 2, 2, 5 }, { 2, 2, 3, 2, 2, 1 }, { 11, 8, 1, 11, 8, 1 }, { 14, 15, 1, 15, 14, 1 } };
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, W, H, 0);
    gold_clear(g, 1, 0x30 / 255.0f, 0xa0 / 255.0f, 0xe0 / 255.0f, 0x60 / 255.0f, 0, 0);
    gold_state(g, 27, 1);
    gold_state(g, 193, 0x204080c0);
    gold_state(g, 206, 1);
    for (u32 k = 0; k < LEN(rows); k++) {
        gold_state(g, 19, rows[k][0]);
        gold_state(g, 20, rows[k][1]);
        gold_state(g, 171, rows[k][2]);
        gold_state(g, 207, rows[k][3]);
        gold_state(g, 208, rows[k][4]);
        gold_state(g, 209, rows[k][5]);
        gold_rectangle(g, 0, (float)k * 4, W, (float)k * 4 + 4, 0, 0x90c05020);
    }
    gold_show(g, 0.001, 0);
}

/* Translucent rectangles over each other in a target of each format. */
static void target_format(struct gold *g, int format)
{
    gold_target(g, (u32)format, W, H, 0);
    gold_clear(g, 1, 0.2f, 0.4f, 0.6f, 0.8f, 0, 0);
    gold_rectangle(g, 2, 2, 12, 12, 0, 0x80ff8040);
    gold_rectangle(g, 4, 20, 30, 30, 0, 0x7f102030);
    gold_state(g, 27, 1);
    gold_state(g, 19, 5);
    gold_state(g, 20, 6);
    gold_rectangle(g, 6, 6, 28, 26, 0, 0x80c0ff00);
    gold_state(g, 19, 7); /* destination alpha: 1 where the format has none */
    gold_state(g, 20, 2);
    gold_rectangle(g, 16, 0, 24, H, 0, 0xff202020);
    gold_show(g, 0.001, 0);
}

static void target_gradient(struct gold *g, int format)
{
    gold_target(g, (u32)format, W, H, 0);
    gradient(g, 0, 0.3f, 0.6f);
    gold_show(g, 0.01, 0);
}

static void srgb_write(struct gold *g, int format)
{
    gold_target(g, (u32)format, W, H, 0);
    gold_state(g, 194, 1);
    gold_clear(g, 1, 0.2f, 0.02f, 0.6f, 0.5f, 0, 0);
    gradient(g, 0, 0.3f, 0.6f);
    gold_state(g, 27, 1); /* blending is in linear light */
    gold_state(g, 19, 5);
    gold_state(g, 20, 6);
    gold_rectangle(g, 8, 8, 24, 24, 0, 0x80ffffff);
    gold_show(g, format == AGPU_FMT_B5G6R5 ? 0.55 : 0.8, 0);
}

static void write_mask(struct gold *g, int format)
{
    gold_target(g, (u32)format, W, H, 0);
    gold_clear(g, 1, 0.2f, 0.4f, 0.6f, 0.8f, 0, 0);
    for (u32 m = 0; m < 16; m++) {
        gold_state(g, 168, m);
        gold_rectangle(g, (float)(m % 4) * 8, (float)(m / 4) * 8, (float)(m % 4) * 8 + 7, (float)(m / 4) * 8 + 7, 0, 0x40ff10ff);
    }
    gold_show(g, 0.001, 0);
}

static void mrt_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    for (int c = 0; c < 4; c++) {
        f->color[0][c] = f->attr[0][c];
        f->color[1][c] = 1 - f->attr[0][c];
        f->color[2][c] = f->attr[0][(c + 1) % 4];
        f->color[3][c] = f->attr[0][c] * f->attr[0][c];
    }
}

static void mrt(struct gold *g, int count)
{
    static const u32 formats[3] = { AGPU_FMT_R8G8B8A8, AGPU_FMT_B8G8R8X8, AGPU_FMT_B8G8R8A8 };
    gold_target(g, AGPU_FMT_B8G8R8A8, W, H, 0);
    gold_more_targets(g, (u32)count - 1, formats);
    gold_clear(g, 1, 0.2f, 0.4f, 0.6f, 0.8f, 0, 0);
    gold_program(g, NULL,
                 "ps_2_0\ndef c0, 1, 1, 1, 1\ndcl v0\nmov r0, v0\nmov oC0, r0\nsub r1, c0, r0\nmov oC1, r1\nmov r2.x, r0.y\nmov r2.y, r0.z\n"
                 "mov r2.z, r0.w\nmov r2.w, r0.x\nmov oC2, r2\nmul r3, r0, r0\nmov oC3, r3",
                 mrt_shade, NULL);
    gold_state(g, 190, 7); /* target 1 keeps its alpha, 2 its red */
    gold_state(g, 191, 14);
    gradient(g, 0, 0.3f, 0.6f);
    for (u32 k = 0; k < (u32)count; k++) gold_show_target(g, k, 0.01, 0);
}

/* A shader that writes targets 0 and 2 of three. */
static void mrt_gap_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    memcpy(f->color[0], f->attr[0], sizeof(f->color[0]));
    for (int c = 0; c < 4; c++) f->color[2][c] = 1 - f->attr[0][c];
}

static void mrt_gap(struct gold *g, int arg)
{
    static const u32 formats[2] = { AGPU_FMT_R8G8B8A8, AGPU_FMT_B5G6R5 };
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, W, H, 0);
    gold_more_targets(g, 2, formats);
    g->ref.outputs[1] = false;
    gold_clear(g, 1, 0.2f, 0.4f, 0.6f, 0.8f, 0, 0);
    gold_program(g, NULL, "ps_2_0\ndef c0, 1, 1, 1, 1\ndcl v0\nmov oC0, v0\nsub r1, c0, v0\nmov oC2, r1", mrt_gap_shade, NULL);
    gradient(g, 0, 0.3f, 0.6f);
    for (u32 k = 0; k < 3; k++) gold_show_target(g, k, 0.01, 0);
}

#define STENCIL_OP(n, name) { "l2_stencil_op_" name, stencil_op, n, EXACT }
#define COMPARE(prefix, f, n, name, how) { prefix name, f, n, how }
#define EIGHT(prefix, f, how)                                                                      \
    COMPARE(prefix, f, 1, "never", how), COMPARE(prefix, f, 2, "less", how), COMPARE(prefix, f, 3, "equal", how), \
        COMPARE(prefix, f, 4, "less_equal", how), COMPARE(prefix, f, 5, "greater", how), COMPARE(prefix, f, 6, "not_equal", how), \
        COMPARE(prefix, f, 7, "greater_equal", how), COMPARE(prefix, f, 8, "always", how)
#define PAIR(s, d) ((s) | (d) << 4)

const struct golden_case golden_output[] = {
    EIGHT("l2_depth_", depth_func, EXACT),
    { "l2_depth_planes_d24", depth_planes, AGPU_FMT_D24S8, FORMULA },
    { "l2_depth_planes_d32", depth_planes, AGPU_FMT_D32F, FORMULA },
    { "l2_depth_write_off", depth_write_off, 0, EXACT },
    { "l2_depth_bias", depth_bias, 0, FORMULA },
    { "l2_depth_bias_slope", depth_bias, 1, FORMULA },
    { "l2_depth_range", depth_range, 0, FORMULA },
    STENCIL_OP(1, "keep"),
    STENCIL_OP(2, "zero"),
    STENCIL_OP(3, "replace"),
    STENCIL_OP(4, "incr_sat"),
    STENCIL_OP(5, "decr_sat"),
    STENCIL_OP(6, "invert"),
    STENCIL_OP(7, "incr"),
    STENCIL_OP(8, "decr"),
    EIGHT("l2_stencil_", stencil_func, EXACT),
    { "l2_stencil_two_sided", stencil_two_sided, 0, EXACT },
    EIGHT("l2_alpha_", alpha_func, FORMULA),
    { "l2_blend_alpha", blend_factor, PAIR(5, 6), FORMULA },
    { "l2_blend_premultiplied", blend_factor, PAIR(2, 6), FORMULA },
    { "l2_blend_add", blend_factor, PAIR(2, 2), FORMULA },
    { "l2_blend_multiply", blend_factor, PAIR(9, 1), FORMULA },
    { "l2_blend_screen", blend_factor, PAIR(10, 2), FORMULA },
    { "l2_blend_dest_alpha", blend_factor, PAIR(7, 8), FORMULA },
    { "l2_blend_saturate", blend_factor, PAIR(11, 2), FORMULA },
    { "l2_blend_constant", blend_factor, PAIR(14, 15), FORMULA },
    { "l2_blend_both_alpha", blend_factor, PAIR(12, 1), FORMULA },
    { "l2_blend_both_inv_alpha", blend_factor, PAIR(13, 1), FORMULA },
    { "l2_blend_factors_add", blend_exact, 1, EXACT },
    { "l2_blend_factors_subtract", blend_exact, 2, EXACT },
    { "l2_blend_factors_reverse", blend_exact, 3, EXACT },
    { "l2_blend_factors_min", blend_exact, 4, EXACT },
    { "l2_blend_factors_max", blend_exact, 5, EXACT },
    { "l2_blend_separate", blend_separate, 0, EXACT },
    { "l2_target_bgra", target_format, AGPU_FMT_B8G8R8A8, EXACT },
    { "l2_target_bgrx", target_format, AGPU_FMT_B8G8R8X8, EXACT },
    { "l2_target_rgba", target_format, AGPU_FMT_R8G8B8A8, EXACT },
    { "l2_target_rgbx", target_format, AGPU_FMT_R8G8B8X8, EXACT },
    { "l2_target_565", target_format, AGPU_FMT_B5G6R5, EXACT },
    { "l2_target_5551", target_format, AGPU_FMT_B5G5R5A1, EXACT },
    { "l2_target_bgra_srgb", target_format, AGPU_FMT_B8G8R8A8_SRGB, EXACT },
    { "l2_target_bgrx_srgb", target_format, AGPU_FMT_B8G8R8X8_SRGB, EXACT },
    { "l2_target_rgba_srgb", target_format, AGPU_FMT_R8G8B8A8_SRGB, EXACT },
    { "l2_target_rgbx_srgb", target_format, AGPU_FMT_R8G8B8X8_SRGB, EXACT },
    { "l2_gradient_bgra", target_gradient, AGPU_FMT_B8G8R8A8, FORMULA },
    { "l2_gradient_565", target_gradient, AGPU_FMT_B5G6R5, FORMULA },
    { "l2_gradient_5551", target_gradient, AGPU_FMT_B5G5R5A1, FORMULA },
    { "l2_gradient_srgb", target_gradient, AGPU_FMT_R8G8B8A8_SRGB, FORMULA },
    { "l2_srgb_write_bgra", srgb_write, AGPU_FMT_B8G8R8A8, FORMULA },
    { "l2_srgb_write_565", srgb_write, AGPU_FMT_B5G6R5, FORMULA },
    { "l2_write_mask_bgra", write_mask, AGPU_FMT_B8G8R8A8, EXACT },
    { "l2_write_mask_rgbx", write_mask, AGPU_FMT_R8G8B8X8, EXACT },
    { "l2_write_mask_565", write_mask, AGPU_FMT_B5G6R5, EXACT },
    { "l2_write_mask_5551", write_mask, AGPU_FMT_B5G5R5A1, EXACT },
    { "l2_mrt_2", mrt, 2, FORMULA },
    { "l2_mrt_4", mrt, 4, FORMULA },
    { "l2_mrt_gap", mrt_gap, 0, FORMULA },
    { NULL, NULL, 0, NULL },
};
