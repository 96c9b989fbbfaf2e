/* The reference's surfaces, states and clears (reference.h). */
#include <math.h>
#include <stdlib.h>

#include "tests/gpu/reference_formats.h"

enum { FORMAT_D24S8 = 32, FORMAT_D32F = 33 };

/* ---- surfaces ---- */

void ref_surface_init(struct ref_surface *s, u32 format, int width, int height)
{
    size_t n = (size_t)width * (size_t)height;
    *s = (struct ref_surface){ format, width, height, NULL, NULL, NULL, NULL };
    s->exact = calloc(n, sizeof(*s->exact));
    s->z = calloc(n, sizeof(*s->z));
    s->stencil = calloc(n, 1);
    s->unsure = calloc(n, 1);
    u8 *zeros = calloc(n, 4);
    ref_surface_load(s, zeros);
    free(zeros);
}

void ref_surface_free(struct ref_surface *s)
{
    free(s->exact);
    free(s->z);
    free(s->stencil);
    free(s->unsure);
    *s = (struct ref_surface){ 0 };
}

void ref_surface_load(struct ref_surface *s, const u8 *texels)
{
    struct ref_format f;
    bool color = ref_format(s->format, &f);
    size_t bytes = color ? (size_t)f.bytes : 4;
    for (int k = 0; k < s->width * s->height; k++) {
        u32 v = 0;
        memcpy(&v, texels + (size_t)k * bytes, bytes);
        s->unsure[k] = 0;
        if (color) {
            for (int c = 0; c < 4; c++) s->exact[k][c] = v >> f.shift[c] & ((1u << f.bits[c]) - 1);
        } else if (s->format == FORMAT_D24S8) {
            s->z[k] = (v & 0xffffff) / 16777215.0;
            s->stencil[k] = (u8)(v >> 24);
        } else {
            float z;
            memcpy(&z, &v, 4);
            s->z[k] = z;
        }
    }
}

static u32 stored(const struct ref_surface *s, int k)
{
    struct ref_format f;
    if (ref_format(s->format, &f)) {
        u32 v = f.ones;
        for (int c = 0; c < 4; c++) v |= (u32)(s->exact[k][c] + 0.5) << f.shift[c];
        return v;
    }
    if (s->format == FORMAT_D24S8) return (u32)(s->z[k] * 16777215 + 0.5) | (u32)s->stencil[k] << 24;
    float z = (float)s->z[k];
    u32 v;
    memcpy(&v, &z, 4);
    return v;
}

void ref_surface_store(const struct ref_surface *s, u8 *texels)
{
    struct ref_format f = { .bytes = 4 };
    ref_format(s->format, &f);
    for (int k = 0; k < s->width * s->height; k++) {
        u32 v = stored(s, k);
        memcpy(texels + (size_t)k * (size_t)f.bytes, &v, (size_t)f.bytes);
    }
}

/* How far the stored texel is from the exact one, in codes; infinite where bits must be equal. */
static double distance(const struct ref_surface *s, const struct ref_format *f, int k, u32 v)
{
    double worst = 0;
    if (f->bits[0]) {
        if ((v & f->ones) != f->ones) return INFINITY;
        for (int c = 0; c < 4; c++) {
            double code = v >> f->shift[c] & ((1u << f->bits[c]) - 1);
            if (f->bits[c]) worst = fmax(worst, fabs(code - s->exact[k][c]));
        }
        return worst;
    }
    if (s->format == FORMAT_D24S8) {
        if (v >> 24 != s->stencil[k]) return INFINITY;
        return fabs((v & 0xffffff) - s->z[k] * 16777215);
    }
    float z;
    memcpy(&z, &v, 4);
    return fabs((double)z - s->z[k]) * 16777215;
}

void ref_compare(const struct ref_surface *s, const u8 *texels, double eps, struct ref_verdict *v)
{
    struct ref_format f = { .bytes = 4 };
    ref_format(s->format, &f);
    *v = (struct ref_verdict){ 0 };
    for (int k = 0; k < s->width * s->height; k++) {
        u32 got = 0;
        memcpy(&got, texels + (size_t)k * (size_t)f.bytes, (size_t)f.bytes);
        if (s->unsure[k]) {
            v->unsure++;
            continue;
        }
        double d = distance(s, &f, k, got);
        v->worst = fmax(v->worst, d);
        if (d <= 0.5 + eps) continue;
        if (!v->wrong++) {
            v->x = k % s->width;
            v->y = k / s->width;
            v->got = got;
            v->want = stored(s, k);
        }
    }
}

/* ---- states ---- */

void ref_init(struct ref *r)
{
    static const struct {
        u8 id;
        u32 value;
    } defaults[] = { { 7, 1 },    { 8, 3 },   { 9, 2 },   { 14, 1 },  { 19, 2 },          { 20, 1 },          { 22, 3 },  { 23, 4 },
                     { 25, 8 },   { 53, 1 },  { 54, 1 },  { 55, 1 },  { 56, 8 },          { 58, ~0u },        { 59, ~0u }, { 154, 0x3f800000 },
                     { 168, 15 }, { 171, 1 }, { 186, 1 }, { 187, 1 }, { 188, 1 },         { 189, 8 },         { 190, 15 }, { 191, 15 },
                     { 192, 15 }, { 193, ~0u } };
    memset(r, 0, sizeof(*r));
    for (size_t k = 0; k < LEN(defaults); k++) r->rs[defaults[k].id] = defaults[k].value;
    for (int slot = 0; slot < REF_TEXTURES; slot++) {
        for (int k = 1; k <= 3; k++) r->ss[slot][k] = 1;
        r->ss[slot][5] = r->ss[slot][6] = 1;
    }
    r->outputs[0] = true;
    r->state.cull = 3;
}

void ref_free(struct ref *r)
{
    for (int k = 0; k < REF_TARGETS; k++) ref_surface_free(&r->color[k]);
    ref_surface_free(&r->depth);
}

static double as_float(u32 bits)
{
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

static int function(u32 v)
{
    return v >= 1 && v <= 8 ? (int)v - 1 : 7;
}

static void blend9(const u32 *rs, struct ref_blend *b)
{
    *b = (struct ref_blend){ rs[27] != 0, (int)rs[19], (int)rs[20], (int)rs[171], 0, 0, 0, { 0 } };
    if (rs[19] == 12 || rs[19] == 13) { /* BOTHSRCALPHA, BOTHINVSRCALPHA */
        b->src = rs[19] == 12 ? 5 : 6;
        b->dst = rs[19] == 12 ? 6 : 5;
    }
    b->src_alpha = b->src;
    b->dst_alpha = b->dst;
    b->op_alpha = b->op;
    if (rs[206]) {
        b->src_alpha = rs[207] ? (int)rs[207] : 2;
        b->dst_alpha = rs[208] ? (int)rs[208] : 1;
        b->op_alpha = rs[209] ? (int)rs[209] : 1;
    }
    for (int c = 0; c < 4; c++) b->constant[c] = (rs[193] >> (c == 3 ? 24 : 16 - 8 * c) & 255) / 255.0;
}

void ref_state9(struct ref *r)
{
    const u32 *rs = r->rs;
    struct ref_state *s = &r->state;
    memset(s, 0, sizeof(*s));
    s->depth_test = rs[7] != 0;
    s->depth_write = rs[14] != 0;
    s->depth_func = function(rs[23]);
    s->alpha_test = rs[15] != 0;
    s->alpha_func = function(rs[25]);
    s->alpha_ref = (int)(rs[24] & 255);
    s->cull = (int)rs[22];
    s->wireframe = rs[8] == 2;
    s->scissor = rs[174] != 0;
    s->srgb_write = rs[194] != 0;
    s->stencil_test = rs[52] != 0;
    s->two_sided = rs[185] != 0;
    s->stencil_ref = (int)(rs[57] & 255);
    s->stencil_mask = (int)(rs[58] & 255);
    s->stencil_write = (int)(rs[59] & 255);
    s->face[0] = (struct ref_face){ function(rs[56]), (int)rs[53], (int)rs[54], (int)rs[55] };
    s->face[1] = (struct ref_face){ function(rs[189]), (int)rs[186], (int)rs[187], (int)rs[188] };
    blend9(rs, &s->blend);
    s->mask[0] = (int)(rs[168] & 15);
    for (int k = 1; k < REF_TARGETS; k++) s->mask[k] = (int)(rs[189 + k] & 15);
    s->bias = as_float(rs[195]);
    s->slope_bias = as_float(rs[175]);
    s->point_size = as_float(rs[154]);
    s->point_min = as_float(rs[155]);
    s->point_max = rs[166] ? fmin(as_float(rs[166]), 64) : 64;
    s->sprites = rs[156] != 0;
    for (int n = 0; n < REF_ATTRS; n++) /* colours are the saturated ones */
        r->interpolation[n] = rs[9] == 1 && r->saturate[n] ? REF_FLAT : REF_LINEAR;
}

/* ---- clears ---- */

static bool in_clear(const struct ref *r, int x, int y)
{
    const double *v = r->viewport;
    const int *s = r->scissor;
    if (r->d3d10) return true;
    if (r->viewport_set && (x < v[0] || y < v[1] || x >= v[0] + v[2] || y >= v[1] + v[3])) return false;
    if (!r->rs[174] || !r->scissor_set) return true;
    return x >= s[0] && y >= s[1] && x < (long)s[0] + s[2] && y < (long)s[1] + s[3];
}

static void clear_pixel(struct ref_surface *s, int k, const float color[4], bool encode)
{
    struct ref_format f;
    if (!ref_format(s->format, &f)) return;
    for (int c = 0; c < 4; c++) {
        double v = ref_clamp(color[c], 0, 1);
        if (c < 3 && (f.srgb || (encode && f.bits[c] == 8))) v = ref_srgb_encode(v);
        s->exact[k][c] = v * ((1 << f.bits[c]) - 1);
    }
    s->unsure[k] = 0;
}

void ref_clear(struct ref *r, u32 flags, const float color[4], double depth, u32 stencil)
{
    for (int t = 0; t < REF_TARGETS && flags & 1; t++) {
        struct ref_surface *s = &r->color[t];
        for (int k = 0; k < s->width * s->height; k++) {
            if (in_clear(r, k % s->width, k / s->width)) clear_pixel(s, k, color, !r->d3d10 && r->rs[194]);
        }
    }
    for (int k = 0; k < r->depth.width * r->depth.height; k++) {
        if (!in_clear(r, k % r->depth.width, k / r->depth.width)) continue;
        if (flags & 2) r->depth.z[k] = ref_clamp(depth, 0, 1);
        if (flags & 4 && r->depth.format == FORMAT_D24S8) r->depth.stencil[k] = (u8)stencil;
        if ((flags & 6) == 6) r->depth.unsure[k] = 0;
    }
}
