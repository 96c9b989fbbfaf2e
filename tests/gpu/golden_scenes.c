/* Golden pictures of whole scenes, as applications and a compositing desktop draw them: executor
 * document, section 17.4. The desktop is drawn by Direct3D 9's rules and once more through Direct3D
 * 10's; both must agree within one code. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/gpu/golden.h"

#define FORMULA "reference, double precision; and by eye"

/* ---- desktop ---- */

enum { DESK_W = 160, DESK_H = 120, WIN_W = 56, WIN_H = 40, TAPS = 9 };
enum { SLOT_BACK, SLOT_BELOW, SLOT_SHADOW, SLOT_CURSOR, SLOT_WINDOW };
static const double tap_weights[TAPS] = { 1 / 256.0, 8 / 256.0, 28 / 256.0, 56 / 256.0, 70 / 256.0, 56 / 256.0, 28 / 256.0, 8 / 256.0, 1 / 256.0 };

/* What a pixel shader twin has to know: the slot, and the blur's direction. */
struct desk_user {
    int slot, dx, dy;
};

static void desk_shade(struct ref_fragment *f, const void *user)
{
    const struct desk_user *u = user;
    double t[4];
    if (!u->dx && !u->dy) {
        ref_sample(f, u->slot, 1, false, 0, f->color[0]);
    } else {
        memset(f->color[0], 0, sizeof(f->color[0]));
        for (int k = 0; k < TAPS; k++) {
            const double uv[3] = { f->attr[1][0] + (double)(k - 4) * u->dx / DESK_W, f->attr[1][1] + (double)(k - 4) * u->dy / DESK_H, 0 };
            ref_sample_lod(f, u->slot, uv, 0, t);
            for (int c = 0; c < 4; c++) f->color[0][c] += t[c] * tap_weights[k];
        }
    }
    for (int c = 0; c < 4; c++) f->color[0][c] *= f->attr[0][c];
}

static size_t put_text(char *to, size_t at, size_t size, const char *format, ...) __attribute__((format(printf, 4, 5)));
static size_t put_text(char *to, size_t at, size_t size, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(to + at, size - at, format, ap);
    va_end(ap);
    return at + (size_t)n;
}

/* Nine taps along (dx, dy), times the colour; shader model 2 or 4. */
static void blur_text(char *out, size_t size, const struct desk_user *u, bool d3d10)
{
    size_t at = 0;
    if (d3d10) {
        at = put_text(out, at, size, PS10_LINEAR "dcl_sampler s%d, mode_default\ndcl_resource_texture2d (float,float,float,float) t%d\ndcl_temps 3\nmov r2.xyzw, l(0.0, 0.0, 0.0, 0.0)\n", u->slot, u->slot);
        for (int k = 0; k < TAPS; k++)
            at = put_text(out, at, size, "add r0.xy, v2.xyxx, l(%.9e, %.9e, 0.0, 0.0)\nsample r1.xyzw, r0.xyxx, t%d.xyzw, s%d\nmad r2.xyzw, r1.xyzw, l(%.9e, %.9e, %.9e, %.9e), r2.xyzw\n",
                          (double)(k - 4) * u->dx / DESK_W, (double)(k - 4) * u->dy / DESK_H, u->slot, u->slot, tap_weights[k], tap_weights[k], tap_weights[k], tap_weights[k]);
        put_text(out, at, size, "mul o0.xyzw, r2.xyzw, v1.xyzw\nret");
        return;
    }
    at = put_text(out, at, size, "ps_2_0\ndcl v0\ndcl t0\ndcl_2d s%d\n", u->slot);
    for (int k = 0; k < TAPS; k++)
        at = put_text(out, at, size, "def c%d, %.9e, %.9e, %.9e, 0\n", k, (double)(k - 4) * u->dx / DESK_W, (double)(k - 4) * u->dy / DESK_H, tap_weights[k]);
    for (int k = 0; k < TAPS; k++) {
        at = put_text(out, at, size, "add r0, t0, c%d\ntexld r1, r0, s%d\n", k, u->slot);
        at = put_text(out, at, size, k ? "mad r2, r1, c%d.z, r2\n" : "mul r2, r1, c%d.z\n", k);
    }
    put_text(out, at, size, "mul r2, r2, v0\nmov oC0, r2");
}

static void desk_program(struct gold *g, struct desk_user *u, int slot, int dx, int dy)
{
    static const char vs9[] = "vs_2_0\ndcl_position v0\ndcl_color v1\ndcl_texcoord v2\nmov oPos, v0\nmov oD0, v1\nmov oT0, v2";
    char text[4096];
    *u = (struct desk_user){ slot, dx, dy };
    if (dx || dy)
        blur_text(text, sizeof(text), u, g->ref.d3d10);
    else if (g->ref.d3d10)
        snprintf(text, sizeof(text), PS10_LINEAR "dcl_sampler s%d, mode_default\ndcl_resource_texture2d (float,float,float,float) t%d\ndcl_temps 1\n"
                                                 "sample r0.xyzw, v2.xyxx, t%d.xyzw, s%d\nmul o0.xyzw, r0.xyzw, v1.xyzw\nret", slot, slot, slot, slot);
    else
        snprintf(text, sizeof(text), "ps_2_0\ndcl v0\ndcl t0\ndcl_2d s%d\ntexld r0, t0, s%d\nmul r0, r0, v0\nmov oC0, r0", slot, slot);
    if (g->ref.d3d10)
        gold_program10(g, NULL, text, false, desk_shade, u);
    else
        gold_program(g, vs9, text, desk_shade, u);
}

enum desk_blend { OPAQUE, PREMULTIPLIED, STRAIGHT };

static void desk_blend(struct gold *g, enum desk_blend how)
{
    if (g->ref.d3d10) {
        struct gold_blend10 b = { how != OPAQUE, how == STRAIGHT ? AGPU_BLEND_SRC_ALPHA : AGPU_BLEND_ONE, AGPU_BLEND_INV_SRC_ALPHA, AGPU_OP_ADD,
                                  AGPU_BLEND_ONE, AGPU_BLEND_INV_SRC_ALPHA, AGPU_OP_ADD, 15, { 0 }, ~0u };
        gold_blend10(g, &b);
        return;
    }
    gold_state(g, 27, how != OPAQUE);
    gold_state(g, 19, how == STRAIGHT ? 5 : 2);
    gold_state(g, 20, 6);
    gold_state(g, 206, 1);
    gold_state(g, 207, 2);
    gold_state(g, 208, 6);
}

/* A rectangle in pixels as the compositor means it; Direct3D 9 wants it half a pixel further up and
 * to the left. uv: of its corners, in texels of a texture of w x h. */
static void desk_quad(struct gold *g, const float r[4], const float uv[4], float w, float h, u32 color)
{
    struct vx v[4];
    float shift = g->ref.d3d10 ? 0 : 0.5f;
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, (k & 1 ? r[2] : r[0]) - shift, (k & 2 ? r[3] : r[1]) - shift, 0, 1, color);
        v[k].uv[0] = (k & 1 ? uv[2] : uv[0]) / w;
        v[k].uv[1] = (k & 2 ? uv[3] : uv[1]) / h;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
}

static void desk_texture(struct gold *g, u32 slot, u32 w, u32 h, const u32 *texels)
{
    gold_texture(g, slot, AGPU_FMT_B8G8R8A8, w, h, 1, 1, texels, w * h * 4);
    if (g->ref.d3d10) {
        gold_sampler10(g, slot, AGPU_FILTER_LINEAR, AGPU_ADDRESS_CLAMP, AGPU_ADDRESS_CLAMP);
        return;
    }
    gold_sampler(g, slot, 1, 3);
    gold_sampler(g, slot, 2, 3);
    gold_sampler(g, slot, 5, 2);
    gold_sampler(g, slot, 6, 2);
}

static void desk_textures(struct gold *g)
{
    static u32 t[DESK_W * DESK_H]; /* filled anew each time */
    for (u32 k = 0; k < DESK_W * DESK_H; k++) {
        u32 x = k % DESK_W, y = k / DESK_W;
        t[k] = 0xff000000 | (40 + x / 2) << 16 | (60 + y) << 8 | (160 - x / 4 + ((x / 8 ^ y / 8) & 1) * 60);
    }
    desk_texture(g, SLOT_BACK, DESK_W, DESK_H, t);
    desk_texture(g, SLOT_BELOW, DESK_W, DESK_H, t);
    for (int k = 0; k < 16 * 16; k++) { /* a soft round spot, stretched behind windows */
        double d = hypot(k % 16 - 7.5, k / 16 - 7.5) / 8;
        t[k] = d < 1 ? (u32)((1 - d * d) * 150) << 24 : 0;
    }
    desk_texture(g, SLOT_SHADOW, 16, 16, t);
    for (u32 k = 0; k < 8 * 12; k++) { /* an arrow, alpha straight */
        u32 x = k % 8, y = k / 8;
        t[k] = x <= y && x + y < 14 ? (x == 0 || x == y ? 0xff000000 : 0xffffffff) : 0x00ff00ff;
    }
    desk_texture(g, SLOT_CURSOR, 8, 12, t);
    for (u32 n = 0; n < 3; n++) {
        for (u32 k = 0; k < WIN_W * WIN_H; k++) {
            u32 x = k % WIN_W, y = k / WIN_W;
            bool line = y > 10 && y % 5 == 2 && x > 3 && x < 20 + (y * 7 + n * 11) % 34;
            t[k] = y < 8 ? 0xff3060a0 + n * 0x203000 : line && (x * 5 + y) % 7 ? 0xff202020 : 0xfff4f4f0 - n * 0x080400;
        }
        desk_texture(g, SLOT_WINDOW + n, WIN_W, WIN_H, t);
    }
}

static void desktop(struct gold *g)
{
    static const float places[5][2] = { { 8, 10 }, { 58, 4 }, { 30, 36 }, { 92, 30 }, { 70, 64 } };
    struct desk_user u;
    desk_textures(g);
    desk_program(g, &u, SLOT_BACK, 0, 0);
    desk_blend(g, OPAQUE);
    desk_quad(g, (const float[]){ 0, 0, DESK_W, DESK_H }, (const float[]){ 0, 0, DESK_W, DESK_H }, DESK_W, DESK_H, 0xffffffff);
    for (int n = 0; n < 5; n++) {
        float x = places[n][0], y = places[n][1];
        const float window[4] = { x, y, x + WIN_W, y + WIN_H }, shadow[4] = { x - 6, y - 2, x + WIN_W + 6, y + WIN_H + 8 }, glass[4] = { x - 3, y - 5, x + WIN_W + 3, y };
        desk_program(g, &u, SLOT_SHADOW, 0, 0);
        desk_blend(g, PREMULTIPLIED);
        desk_quad(g, shadow, (const float[]){ 0, 0, 16, 16 }, 16, 16, 0xffffffff);
        desk_blend(g, OPAQUE);
        for (int pass = 0; pass < 2; pass++) { /* the strip above the window: what lies below, blurred and tinted */
            gold_snapshot(g, SLOT_BELOW);
            desk_program(g, &u, SLOT_BELOW, !pass, pass);
            desk_quad(g, glass, glass, DESK_W, DESK_H, pass ? 0xffc0e0ff : 0xffffffff);
        }
        desk_program(g, &u, SLOT_WINDOW + n % 3, 0, 0);
        desk_blend(g, PREMULTIPLIED);
        desk_quad(g, window, (const float[]){ 0, 0, WIN_W, WIN_H }, WIN_W, WIN_H, n == 3 ? 0xa0a0a0a0 : 0xffffffff);
    }
    for (int n = 0; n < 3; n++) { /* thumbnails at half the size */
        desk_program(g, &u, SLOT_WINDOW + n, 0, 0);
        float x = 4 + (float)n * (WIN_W / 2 + 4);
        desk_quad(g, (const float[]){ x, 96, x + WIN_W / 2, 96 + WIN_H / 2 }, (const float[]){ 0, 0, WIN_W, WIN_H }, WIN_W, WIN_H, 0xffffffff);
    }
    desk_program(g, &u, SLOT_CURSOR, 0, 0);
    desk_blend(g, STRAIGHT);
    desk_quad(g, (const float[]){ 87, 50, 95, 62 }, (const float[]){ 0, 0, 8, 12 }, 8, 12, 0xffffffff);
    g->user = NULL;
    gold_show(g, 1.6, 1); /* the strips' sources were rounded to codes before */
}

static void desktop9(struct gold *g, int arg)
{
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8X8, DESK_W, DESK_H, 0);
    desktop(g);
}

static void desktop10(struct gold *g, int arg)
{
    struct gold *nine = calloc(1, sizeof(*nine));
    (void)arg;
    gold_target10(g, AGPU_FMT_B8G8R8X8, DESK_W, DESK_H, 0);
    desktop(g);
    gold_begin(nine, g->name, g->variant);
    nine->silent = true;
    desktop9(nine, 0);
    for (u32 k = 0; k < DESK_W * DESK_H * 4; k++) {
        int d = g->pictures[0].texels[k] - nine->pictures[0].texels[k];
        gold_check(g, abs(d) <= 1, "pixel %u,%u differs by %d from Direct3D 9's", k / 4 % DESK_W, k / 4 / DESK_W, d);
    }
    gold_end(nine);
    free(nine);
}

/* ---- geometry with matrices ---- */

static void multiply(double out[16], const double a[16], const double b[16])
{
    for (int k = 0; k < 16; k++) {
        out[k] = 0;
        for (int n = 0; n < 4; n++) out[k] += a[k / 4 * 4 + n] * b[n * 4 + k % 4];
    }
}

/* Column vectors: the camera looks along +z, 4/3, near 1, far 20. */
static void camera(double out[16], double turn, double tilt, double away)
{
    double c = cos(turn), s = sin(turn), ct = cos(tilt), st = sin(tilt), q = 20.0 / 19;
    const double turned[16] = { c, 0, s, 0, 0, 1, 0, 0, -s, 0, c, 0, 0, 0, 0, 1 };
    const double tilted[16] = { 1, 0, 0, 0, 0, ct, -st, 0, 0, st, ct, away, 0, 0, 0, 1 };
    const double project[16] = { 1.8, 0, 0, 0, 0, 1.8, 0, 0, 0, 0, q, -q, 0, 0, 1, 0 };
    double view[16];
    multiply(view, tilted, turned);
    multiply(out, project, view);
}

struct lit {
    float matrix[16], light[4];
};

static void lit_transform(const void *in, struct ref_vertex *out, const void *user)
{
    const struct vx *v = in;
    const struct lit *l = user;
    double d = 0;
    for (int r = 0; r < 4; r++) {
        out->pos[r] = 0;
        for (int c = 0; c < 4; c++) out->pos[r] += (double)l->matrix[r * 4 + c] * v->pos[c];
    }
    for (int c = 0; c < 3; c++) d += (double)l->light[c] * v->more[c];
    for (int c = 0; c < 4; c++) out->attr[0][c] = v->color[c] * (c < 3 ? fmax(d, 0.0) + l->light[3] : 1);
}

static const char vs_lit[] = "vs_2_0\ndef c9, 0, 1, 0, 0\ndcl_position v0\ndcl_color v1\ndcl_texcoord v2\ndcl_texcoord1 v3\nm4x4 oPos, v0, c0\ndp3 r0, v3, c4\nmax r0, r0, c9.x\n"
                             "add r0.xyz, r0, c4.w\nmov r0.w, c9.y\nmul oD0, v1, r0\nmov oT0, v2";

static void lit_constants(struct gold *g, struct lit *l, const double matrix[16])
{
    for (int k = 0; k < 16; k++) l->matrix[k] = (float)matrix[k];
    for (u32 r = 0; r < 4; r++) gold_constant(g, AGPU_STAGE_VERTEX, r, l->matrix[r * 4], l->matrix[r * 4 + 1], l->matrix[r * 4 + 2], l->matrix[r * 4 + 3]);
    gold_constant(g, AGPU_STAGE_VERTEX, 4, l->light[0], l->light[1], l->light[2], l->light[3]);
}

static struct vx corner(const float p[3], float u, float v, const float normal[3], u32 argb)
{
    struct vx x = { { p[0], p[1], p[2], 1 }, { 0 }, { u, v, 0, 1 }, { normal[0], normal[1], normal[2], 0 } };
    for (int c = 0; c < 4; c++) x.color[c] = (float)(argb >> (c == 3 ? 24 : 16 - 8 * c) & 255) / 255.0f;
    return x;
}

/* Six faces, 36 corners. */
static void box(struct vx *v, const float at[3], float size, u32 argb)
{
    for (int face = 0; face < 6; face++) {
        int axis = face / 2, a = (axis + 1) % 3, b = (axis + 2) % 3;
        float sign = face & 1 ? 1 : -1, normal[3] = { 0 };
        normal[axis] = sign;
        for (int k = 0; k < 6; k++) {
            static const int order[6] = { 0, 1, 2, 2, 1, 3 };
            int n = order[sign > 0 ? k : k / 3 * 3 + 2 - k % 3];
            float p[3];
            p[axis] = at[axis] + sign * size;
            p[a] = at[a] + (n & 1 ? size : -size);
            p[b] = at[b] + (n & 2 ? size : -size);
            *v++ = corner(p, (float)(n & 1) * 2, (float)(n >> 1) * 2, normal, argb);
        }
    }
}

static void ground(struct vx *v, float y, float size, float repeat, u32 argb)
{
    static const float up[3] = { 0, 1, 0 };
    for (int k = 0; k < 4; k++) {
        const float p[3] = { k & 1 ? size : -size, y, k & 2 ? -size : size };
        v[k] = corner(p, k & 1 ? repeat : 0, k & 2 ? repeat : 0, up, argb);
    }
}

static u32 checkers(u32 *out, u32 size, u32 mips)
{
    u32 at = 0;
    for (u32 m = 0; m < mips; m++) {
        u32 s = MAX(1u, size >> m);
        for (u32 k = 0; k < s * s; k++) out[at++] = s < 4 ? 0xff80a080 : (k % s / (s / 4) ^ k / s / (s / 4)) & 1 ? 0xffe0ffe0 : 0xff204020;
    }
    return at * 4;
}

/* A lit textured cube on a floor with mips, behind a fence whose holes the alpha test makes. */
static void cube(struct gold *g, int arg)
{
    u32 floor_texels[512], size = checkers(floor_texels, 16, 5), fence[64];
    struct lit l = { .light = { 0.4f, 0.7f, -0.5f, 0.25f } };
    double m[16];
    struct vx v[36];
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, 128, 128, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0.3f, 0.5f, 0.8f, 1, 1, 0);
    g->ref.loose = true;
    camera(m, 0.6, -0.45, 6);
    lit_constants(g, &l, m);
    gold_program(g, vs_lit, ps_modulated, ref_modulated, &l);
    g->transform = lit_transform;
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 16, 16, 5, 1, floor_texels, size);
    for (u32 k = 5; k <= 7; k++) gold_sampler(g, 0, k, 2);
    ground(v, -1, 4, 8, 0xffffffff);
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_state(g, 22, 3);
    box(v, (const float[]){ 0, 0, 0 }, 1, 0xffffc080);
    gold_draw(g, AGPU_TOPO_TRIANGLES, v, 36);
    for (u32 k = 0; k < 64; k++) fence[k] = k % 8 < 2 || k / 8 == 1 || k / 8 == 5 ? 0xff806040 : 0x00000000;
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 8, 8, 1, 1, fence, sizeof(fence));
    for (u32 k = 5; k <= 7; k++) gold_sampler(g, 0, k, k == 7 ? 0 : 1);
    gold_state(g, 22, 1);
    gold_state(g, 15, 1);
    gold_state(g, 24, 0x80);
    gold_state(g, 25, 5);
    static const float side[3] = { 0, 0.6f, -0.8f };
    for (int k = 0; k < 4; k++) v[k] = corner((const float[]){ k & 1 ? 2.5f : -2.5f, k & 2 ? -1 : 0.2f, -1.8f }, k & 1 ? 5.02f : 0.02f, k & 2 ? 1 : 0.01f, side, 0xffffffff);
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 1, 5);
    gold_show_depth(g, 40, 5);
}

static float facing(const struct vx *v, const float along[3])
{
    return -(v->more[0] * along[0] + v->more[1] * along[1] + v->more[2] * along[2]);
}

/* Of a box of 36 corners, out of room for 72: faces towards the light cap the front, the others are
 * moved along it, and the edges between get sides. */
static u32 shadow_volume(const struct vx *v, const float along[3], struct vx *out)
{
    u32 n = 36;
    memcpy(out, v, n * sizeof(*v));
    for (u32 k = 0; k < 36; k++) {
        for (int c = 0; c < 3 && facing(&v[k], along) <= 0; c++) out[k].pos[c] += along[c];
    }
    for (u32 a = 0; a < 36; a++) { /* each edge of a lit face whose neighbour is not lit */
        const struct vx *p = &v[a], *q = &v[a / 3 * 3 + (a + 1) % 3];
        for (u32 b = 0; b < 36 && facing(p, along) > 0; b++) {
            const struct vx *s = &v[b], *t = &v[b / 3 * 3 + (b + 1) % 3];
            if (facing(s, along) > 0 || memcmp(p->pos, t->pos, sizeof(p->pos)) || memcmp(q->pos, s->pos, sizeof(q->pos))) continue;
            struct vx far_p = *p, far_q = *q;
            for (int c = 0; c < 3; c++) far_p.pos[c] += along[c], far_q.pos[c] += along[c];
            const struct vx side[6] = { *q, *p, far_q, far_q, *p, far_p };
            if (n + 6 <= 72) memcpy(out + n, side, sizeof(side)), n += 6;
        }
    }
    return n;
}

/* The volume that a box's shadow fills, extruded along the light; counted in the stencil buffer where
 * it fails in depth, then what lies inside is darkened. */
static void stencil_shadow(struct gold *g, int arg)
{
    static const float along[3] = { 0.9f, -2.2f, 0.5f }, flat_normal[3] = { 0, 1, 0 };
    struct lit l = { .light = { 0.2f, 0.7f, -0.3f, 0.3f } }, dark = { .light = { 0, 0, 0, 1 } };
    double m[16];
    struct vx v[36], tall[72];
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, 128, 128, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0.2f, 0.2f, 0.3f, 1, 1, 0);
    g->ref.loose = true;
    camera(m, -0.5, -0.6, 7);
    lit_constants(g, &l, m);
    gold_program(g, vs_lit, ps_color, ref_color, &l);
    g->transform = lit_transform;
    ground(v, -1, 4, 1, 0xffc0c0a0);
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_state(g, 22, 3);
    box(v, (const float[]){ 0, 0.4f, 0 }, 0.7f, 0xffff8060);
    gold_draw(g, AGPU_TOPO_TRIANGLES, v, 36);
    u32 n = shadow_volume(v, along, tall);
    gold_check(g, n == 72, "the volume has %u corners, not 72", n);
    gold_state(g, 14, 0);
    gold_state(g, 168, 0);
    gold_state(g, 22, 1);
    gold_state(g, 52, 1);
    gold_state(g, 185, 1);
    gold_state(g, 54, 8);  /* clockwise faces that fail in depth: one less */
    gold_state(g, 187, 7); /* the others: one more */
    gold_draw(g, AGPU_TOPO_TRIANGLES, tall, n);
    gold_state(g, 168, 15);
    gold_state(g, 185, 0);
    gold_state(g, 54, 1);
    gold_state(g, 56, 6); /* 0 is not equal */
    gold_state(g, 7, 0);
    gold_state(g, 27, 1);
    gold_state(g, 19, 1);
    gold_state(g, 20, 6);
    const double whole[16] = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1 };
    lit_constants(g, &dark, whole);
    g->user = &dark;
    for (int k = 0; k < 4; k++) v[k] = corner((const float[]){ k & 1 ? 1.1f : -1.1f, k & 2 ? -1.1f : 1.1f, 0.5f }, 0, 0, flat_normal, 0x90000000);
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    g->user = NULL;
    gold_show(g, 1, 3);
}

/* ---- particles ---- */

static void particles(struct gold *g, int arg)
{
    enum { COUNT = 10000 };
    struct vx *v = calloc(COUNT, sizeof(*v));
    u32 spot[64];
    (void)arg;
    for (u32 k = 0; k < 64; k++) {
        float d = hypotf((float)(k % 8) - 3.5f, (float)(k / 8) - 3.5f) / 4;
        spot[k] = d < 1 ? (u32)((1 - d) * 255) * 0x01010101 : 0;
    }
    gold_target(g, AGPU_FMT_B8G8R8A8, 256, 256, 0);
    gold_clear(g, 1, 0, 0, 0.1f, 1, 0, 0);
    gold_program(g, NULL, ps_modulated, ref_modulated, NULL);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 8, 8, 1, 1, spot, sizeof(spot));
    for (u32 k = 5; k <= 6; k++) gold_sampler(g, 0, k, 2);
    gold_state(g, 156, 1);
    gold_statef(g, 154, 4);
    gold_state(g, 27, 1);
    gold_state(g, 19, 2);
    gold_state(g, 20, 2);
    for (u32 k = 0; k < COUNT; k++) { /* on a spiral of whole and half pixels */
        float a = (float)k * 0.01f, r = (float)(gold_random(g) % 1000) / 1000;
        r = (20 + a * 1.1f) * (0.7f + 0.3f * r * r);
        v[k] = gold_vertex(g, rintf((128 + r * cosf(a)) * 4) / 4, rintf((128 + r * sinf(a)) * 4) / 4, 0, 1, 0xff000000 | (k * 5 & 0x3f) << 18 | (63 - (k / 16 & 63)) << 8 | 0x20);
    }
    gold_draw(g, AGPU_TOPO_POINTS, v, COUNT);
    free(v);
    gold_show(g, 8, 0); /* some fifty sums of rounded codes in the middle */
}

/* ---- fog: a rectangle whose depth runs from front to back ---- */

static void fog_shade(struct ref_fragment *f, const void *user)
{
    int mode = *(const int *)user;
    const double color[3] = { 0x80 / 255.0, 0xa0 / 255.0, 0xc0 / 255.0 };
    double z = f->z, amount = mode == 0 ? f->attr[1][0] : mode == 1 ? exp(-z * 2) : mode == 2 ? exp(-4 * z * z) : (0.9 - z) / (0.9 - 0.2);
    amount = ref_clamp(amount, 0, 1);
    for (int c = 0; c < 3; c++) f->color[0][c] = f->attr[0][c] * amount + color[c] * (1 - amount);
    f->color[0][3] = f->attr[0][3];
}

static void fog(struct gold *g, int mode)
{
    static const int modes[4] = { 0, 1, 2, 3 };
    struct vx v[4];
    gold_settings(g, "fog=on");
    gold_target(g, AGPU_FMT_B8G8R8A8, 64, 64, AGPU_FMT_D24S8);
    gold_clear(g, 7, 0, 0, 0, 1, 1, 0);
    gold_program(g, "vs_2_0\ndcl_position v0\ndcl_color v1\ndcl_texcoord v2\nmov oPos, v0\nmov oD0, v1\nmov oT0, v2\nmov oFog, v2.x", ps_color, fog_shade, &modes[mode]);
    gold_state(g, 28, 1);
    gold_state(g, 34, 0x0080a0c0);
    gold_state(g, 35, (u32)mode);
    gold_statef(g, 36, 0.2f);
    gold_statef(g, 37, 0.9f);
    gold_statef(g, 38, 2);
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? 60 : 4, k & 2 ? 60 : 4, k & 1 ? 1 : 0, 1, k & 2 ? 0xffff2000 : 0xff20ff00);
        v[k].uv[0] = k & 2 ? 1.2f : -0.1f;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.1, 0);
}

const struct golden_case golden_scenes[] = {
    { "l2_scene_desktop", desktop9, 0, FORMULA },
    { "l3_scene_desktop", desktop10, 0, "within one code of l2_scene_desktop; reference, double precision" },
    { "l2_scene_cube", cube, 0, FORMULA },
    { "l2_scene_stencil_shadow", stencil_shadow, 0, FORMULA },
    { "l2_scene_particles", particles, 0, FORMULA },
    { "l2_fog_vertex", fog, 0, "reference, double precision" },
    { "l2_fog_exp", fog, 1, "reference, double precision" },
    { "l2_fog_exp2", fog, 2, "reference, double precision" },
    { "l2_fog_linear", fog, 3, "reference, double precision" },
    { NULL, NULL, 0, NULL },
};
