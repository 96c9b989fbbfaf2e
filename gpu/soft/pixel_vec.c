/* Pixel work with vectors: interpolation, and blending and writing of 32-bit targets whose colours
 * are not sRGB-encoded. Equal in every bit to the plain C of shade.c, which does the rest.
 *
 * Compiled twice (simd.h). A vector of lanes is one quad or two; colours are handled as codes of
 * the four bytes of a pixel, whose order (BGRA or RGBA) only decides which component is which byte.
 * Document: the contract's part "executor", sections 6.3 and 6.5. */
#include "gpu/simd.h"
#include "gpu/soft/draw.h"

enum { QUADS = VW / 4 }; /* of a vector */

/* ---- weights and depth ---- */

/* One weight of a quad: exact integers below 2^53 as doubles, so sums and products are exact, too.
 */
static inline void quad_weight(const double e[3], vd scale, i32 x, i32 y, float *out)
{
    const vd a = vd_set(e[0]), b = vd_set(e[1]), c = vd_set(e[2]);
#ifdef __AVX2__
    const vd dx = { 0, 1, 0, 1 }, dy = { 0, 0, 1, 1 };
    v_store_doubles(out, (a * (vd_set(x) + dx) + b * (vd_set(y) + dy) + c) * scale);
#else
    const vd dx = { 0, 1 };
    v_store_doubles(out, (a * (vd_set(x) + dx) + b * vd_set(y) + c) * scale);
    v_store_doubles(out + 2, (a * (vd_set(x) + dx) + b * vd_set(y + 1) + c) * scale);
#endif
}

static inline v4f along4(const float v[3], const float *b1, const float *b2)
{
    return v4_set(v[0]) + *(const v4f *)b1 * v4_set(v[1]) + *(const v4f *)b2 * v4_set(v[2]);
}

static inline vf along(const float v[3], const float *b1, const float *b2)
{
    return v_set(v[0]) + v_load(b1) * v_set(v[1]) + v_load(b2) * v_set(v[2]);
}

static void weights(struct painter *painter)
{
    struct pixels *p = &painter->pixels;
    for (u32 n = 0; !p->weighted && n < p->quads; n++) {
        const struct setup *s = p->setup[n];
        const vd scale = vd_set(s->scale);
        quad_weight(s->weight[0], scale, p->x[n], p->y[n], &p->b1[4 * n]);
        quad_weight(s->weight[1], scale, p->x[n], p->y[n], &p->b2[4 * n]);
    }
    for (u32 n = 0; painter->d->needs_depth && n < p->quads; n++) {
        const struct setup *s = p->setup[n];
        *(v4f *)&p->z[4 * n] = along4(s->z, &p->b1[4 * n], &p->b2[4 * n]) + v4_set(s->bias);
    }
}

/* ---- inputs ---- */

/* All quads are of one primitive: whole vectors. The last may reach into lanes that mean nothing.
 */
static void same_input(const struct pixels *p, const float v[3], u8 how, const float *w, float *out)
{
    for (u32 l = 0; l < p->quads * 4; l += VW) {
        vf r = v_set(v[0]);
        if (how != IR_CONSTANT) r = along(v, &p->b1[l], &p->b2[l]);
        if (how == IR_LINEAR) r = r * v_load(w + l);
        v_store(out + l, r);
    }
}

static void mixed_input(const struct pixels *p, u32 n, unsigned c, u8 how, const float *w,
                        float *out)
{
    for (u32 q = 0; q < p->quads; q++) {
        const float *v = p->setup[q]->attr[n][c];
        v4f r = v4_set(v[0]);
        if (how != IR_CONSTANT) r = along4(v, &p->b1[4 * q], &p->b2[4 * q]);
        if (how == IR_LINEAR) r = r * *(const v4f *)(w + 4 * q);
        *(v4f *)(out + 4 * q) = r;
    }
}

/* Not in perspective: w is 1 everywhere, and multiplying by it changes nothing. */
static bool is_flat(const struct pixels *p)
{
    const float *oow = p->setup[0]->oow;
    return !p->mixed && oow[0] == 1.0f && oow[1] == 0.0f && oow[2] == 0.0f;
}

static void reciprocals(const struct pixels *p, float *w)
{
    if (p->mixed) {
        for (u32 q = 0; q < p->quads; q++)
            *(v4f *)(w + 4 * q) =
                v4_set(1.0f) / along4(p->setup[q]->oow, &p->b1[4 * q], &p->b2[4 * q]);
        return;
    }
    for (u32 l = 0; l < p->quads * 4; l += VW)
        v_store(w + l, v_set(1.0f) / along(p->setup[0]->oow, &p->b1[l], &p->b2[l]));
}

static void inputs(struct painter *painter)
{
    const struct pixels *p = &painter->pixels;
    const struct draw *d = painter->d;
    const struct ir_plan *plan = painter->state->plan;
    float w[LANES] __attribute__((aligned(64)));
    const bool flat = is_flat(p);
    if (!flat) reciprocals(p, w);
    for (u32 n = 0; n < d->link_count; n++) {
        const u8 input = d->links[n].input;
        u8 how = d->links[n].interpolation;
        if (flat && how == IR_LINEAR) how = IR_NOPERSPECTIVE;
        unsigned mask = plan->input_mask[input];
        if (input == FOG_INPUT && d->fog.on) mask |= 1;
        for (unsigned c = 0; c < 4; c++) {
            float *out = lanes_f(&painter->state->inputs[input], c);
            if (!(mask >> c & 1)) continue;
            if (p->mixed)
                mixed_input(p, n, c, how, w, out);
            else
                same_input(p, p->setup[0]->attr[n][c], how, w, out);
        }
    }
    if (p->setup[0]->sprite) shade_sprites(painter);
    if (plan->special) shade_special(painter);
}

/* ---- blending ---- */

struct color { /* by byte of the pixel: 3 is alpha */
    vf c[4];
};

/* Factor f for byte c. */
static inline vf factor(u8 f, unsigned c, const struct color *s, const struct color *d,
                        const float *constant)
{
    const vf one = v_set(1.0f);
    switch (f) {
    case FACTOR_ONE: return one;
    case FACTOR_SRC_COLOR: return s->c[c];
    case FACTOR_INV_SRC_COLOR: return one - s->c[c];
    case FACTOR_SRC_ALPHA: return s->c[3];
    case FACTOR_INV_SRC_ALPHA: return one - s->c[3];
    case FACTOR_DEST_ALPHA: return d->c[3];
    case FACTOR_INV_DEST_ALPHA: return one - d->c[3];
    case FACTOR_DEST_COLOR: return d->c[c];
    case FACTOR_INV_DEST_COLOR: return one - d->c[c];
    case FACTOR_CONSTANT: return v_set(constant[c]);
    case FACTOR_INV_CONSTANT: return one - v_set(constant[c]);
    case FACTOR_SRC_ALPHA_SAT: return c == 3 ? one : v_min(s->c[3], one - d->c[3]);
    default: return v_set(0.0f);
    }
}

static inline vf combine(u8 op, vf s, vf sf, vf d, vf df)
{
    switch (op) {
    case AGPU_OP_SUBTRACT: return s * sf - d * df;
    case AGPU_OP_REV_SUBTRACT: return d * df - s * sf;
    case AGPU_OP_MIN: return v_min(s, d);
    case AGPU_OP_MAX: return v_max(s, d);
    default: return s * sf + d * df;
    }
}

enum mode { MODE_COPY, MODE_PREMULTIPLIED, MODE_STRAIGHT, MODE_ANY };

SPECIALISED void blend(enum mode mode, const struct blend *b, const float *constant,
                       struct color *s, const struct color *d)
{
    struct color out;
    if (mode == MODE_COPY) return;
    for (unsigned c = 0; c < 4; c++) s->c[c] = v_min(v_max(s->c[c], v_set(0.0f)), v_set(1.0f));
    const vf rest = v_set(1.0f) - s->c[3];
    for (unsigned c = 0; c < 4; c++) {
        if (mode == MODE_PREMULTIPLIED)
            out.c[c] = s->c[c] + d->c[c] * rest;
        else if (mode == MODE_STRAIGHT)
            out.c[c] = s->c[c] * s->c[3] + d->c[c] * rest;
        else
            out.c[c] = combine(c == 3 ? b->op_alpha : b->op, s->c[c],
                               factor(c == 3 ? b->src_alpha : b->src, c, s, d, constant), d->c[c],
                               factor(c == 3 ? b->dst_alpha : b->dst, c, s, d, constant));
    }
    *s = out;
}

static enum mode mode_of(const struct blend *b)
{
    if (!b->on) return MODE_COPY;
    if (b->op != AGPU_OP_ADD || b->op_alpha != AGPU_OP_ADD || b->src != b->src_alpha ||
        b->dst != FACTOR_INV_SRC_ALPHA || b->dst_alpha != FACTOR_INV_SRC_ALPHA)
        return MODE_ANY;
    return b->src == FACTOR_ONE         ? MODE_PREMULTIPLIED
           : b->src == FACTOR_SRC_ALPHA ? MODE_STRAIGHT
                                        : MODE_ANY;
}

/* ---- writing ---- */

struct output { /* a target, and what to do with it */
    const struct target *t;
    const struct blend *blend;
    u8 *base;
    const float *color[4]; /* lanes, by byte of the pixel */
    float constant[4];
    u32 mask;   /* bits that change */
    bool reads; /* the old pixels matter */
    bool alpha; /* is stored */
};

static inline u8 *row_at(const struct output *o, i32 x, i32 y)
{
    return o->base + (u64)(u32)y * o->t->sub.pitch + 4 * (u64)(u32)x;
}

/* The four pixels of a quad; m: those that are there. */
static inline v4i load_quad(const struct output *o, i32 x, i32 y, u32 m)
{
    const u8 *p = row_at(o, x, y), *q = p + o->t->sub.pitch;
    if (likely(m == 15)) return v4_load_rows(p, q);
    return (v4i){ m & 1 ? (i32)ld32(p) : 0, m & 2 ? (i32)ld32(p + 4) : 0, m & 4 ? (i32)ld32(q) : 0,
                  m & 8 ? (i32)ld32(q + 4) : 0 };
}

static inline void store_quad(const struct output *o, i32 x, i32 y, u32 m, v4i v)
{
    u8 *p = row_at(o, x, y), *q = p + o->t->sub.pitch;
    if (likely(m == 15)) {
        v4_store_rows(p, q, v);
        return;
    }
    if (m & 1) st32(p, (u32)v[0]);
    if (m & 2) st32(p + 4, (u32)v[1]);
    if (m & 4) st32(q, (u32)v[2]);
    if (m & 8) st32(q + 4, (u32)v[3]);
}

SPECIALISED void unpack(vi bits, bool alpha, struct color *out)
{
    out->c[0] = v_unorm8(vi_byte(bits, 0));
    out->c[1] = v_unorm8(vi_byte(bits, 1));
    out->c[2] = v_unorm8(vi_byte(bits, 2));
    out->c[3] = alpha ? v_unorm8(vi_byte(bits, 3)) : v_set(1.0f);
}

/* positive: no component is below 0 or NaN */
SPECIALISED vi to_code(vf v, bool positive)
{
    if (!positive) return v_to_unorm8(v);
    return v_truncate(v_min(v, v_set(1.0f)) * v_set(255.0f) + v_set(0.5f));
}

SPECIALISED vi pack(const struct color *v, bool alpha, bool positive)
{
    vi out = alpha ? to_code(v->c[3], positive) << 24 : vi_set((i32)0xff000000);
    return out | to_code(v->c[0], positive) | to_code(v->c[1], positive) << 8 |
           to_code(v->c[2], positive) << 16;
}

/* One vector of lanes from l on; m: those to write, VW bits. */
SPECIALISED void write_vector(enum mode mode, const struct output *o, const struct pixels *p, u32 l,
                              u32 m)
{
    v4i quads[QUADS];
    struct color v, dst;
    const u32 q = l / 4;
    vi bits = vi_set(0);
    for (unsigned c = 0; c < 4; c++) v.c[c] = v_load(o->color[c] + l);
    if (o->reads) {
        for (u32 k = 0; k < QUADS; k++)
            quads[k] = load_quad(o, p->x[q + k], p->y[q + k], m >> (4 * k) & 15);
        bits = vi_quads(quads);
        unpack(bits, o->alpha, &dst);
        blend(mode, o->blend, o->constant, &v, &dst);
    }
    vi result = pack(&v, o->alpha, mode == MODE_PREMULTIPLIED || mode == MODE_STRAIGHT);
    if (o->mask != 0xffffffff)
        result = (bits & vi_set((i32)~o->mask)) | (result & vi_set((i32)o->mask));
    vi_to_quads(result, quads);
    for (u32 k = 0; k < QUADS; k++)
        store_quad(o, p->x[q + k], p->y[q + k], m >> (4 * k) & 15, quads[k]);
}

/* Two quads of a vector that are the same place, of two primitives, go one after the other. */
static inline bool clash(const struct pixels *p, u32 q, u32 m)
{
    return QUADS == 2 && p->x[q] == p->x[q + 1] && p->y[q] == p->y[q + 1] && m & 15 && m >> 4;
}

SPECIALISED void write_all(enum mode mode, const struct output *o, const struct pixels *p,
                           u64 lanes)
{
    for (u32 l = 0; l < p->quads * 4; l += VW) {
        const u32 m = (u32)(lanes >> l) & ((1u << VW) - 1);
        if (!m) continue;
        if (clash(p, l / 4, m)) {
            write_vector(mode, o, p, l, m & 0x0f);
            write_vector(mode, o, p, l, m & 0xf0);
        } else {
            write_vector(mode, o, p, l, m);
        }
    }
}

static void write_target(const struct painter *painter, const struct target *t, u64 lanes,
                         const struct lanes *color)
{
    const struct pixels *p = &painter->pixels;
    const struct blend *b = &painter->d->blend;
    if (!t->mask) return;
    if (t->f->klass != FMT_CLASS_8888 || t->f->srgb || t->srgb) {
        shade_write(painter, t, lanes, color);
        return;
    }
    struct output o = { .t = t,
                        .blend = b,
                        .base = t->r->data + t->sub.offset,
                        .mask = stored_mask(t->f, t->mask),
                        .alpha = t->f->alpha };
    o.reads = b->on || o.mask != 0xffffffff;
    for (unsigned c = 0; c < 4; c++) { /* byte c of a pixel is this component */
        const unsigned k = c == 3 || t->f->rgba ? c : 2 - c;
        o.color[c] = (const float *)color->c[k];
        o.constant[c] = b->constant[k];
    }
    switch (mode_of(b)) {
    case MODE_COPY: write_all(MODE_COPY, &o, p, lanes); break;
    case MODE_PREMULTIPLIED: write_all(MODE_PREMULTIPLIED, &o, p, lanes); break;
    case MODE_STRAIGHT: write_all(MODE_STRAIGHT, &o, p, lanes); break;
    default: write_all(MODE_ANY, &o, p, lanes); break;
    }
}

const struct pixel_ops SIMD(pixel_ops) = { weights, inputs, write_target, SIMD(sampler_run) };
