/* Pixel batches: interpolation, the pixel shader, tests, blending and writing.
 *
 * Order: shader, alpha test, stencil, depth, write; when the shader neither discards nor writes
 * depth and there is no alpha test, depth and stencil go first, which changes nothing but the time.
 * Document: the contract's part "executor", sections 6.3 to 6.5 and 7.5. */
#include <math.h>

#include "gpu/soft/draw.h"

/* ---- interpolation, in plain C ---- */

static float along(const float v[3], float b1, float b2)
{
    return v[0] + b1 * v[1] + b2 * v[2];
}

static i32 lane_x(const struct pixels *p, u32 lane)
{
    return p->x[lane / 4] + (i32)(lane & 1);
}

static i32 lane_y(const struct pixels *p, u32 lane)
{
    return p->y[lane / 4] + (i32)(lane >> 1 & 1);
}

static void weights(struct painter *painter)
{
    struct pixels *p = &painter->pixels;
    for (u32 l = 0; l < p->quads * 4; l++) {
        const struct setup *s = p->setup[l / 4];
        if (!p->weighted) {
            i64 x = lane_x(p, l), y = lane_y(p, l);
            p->b1[l] = (float)((double)(s->a[1] * x + s->b[1] * y + s->c[1]) * s->scale);
            p->b2[l] = (float)((double)(s->a[2] * x + s->b[2] * y + s->c[2]) * s->scale);
        }
        p->z[l] = along(s->z, p->b1[l], p->b2[l]) + s->bias;
    }
}

static void one_input(struct painter *painter, u32 n, const float *w)
{
    const struct pixels *p = &painter->pixels;
    const struct link *k = &painter->d->links[n];
    struct lanes *in = &painter->state->inputs[k->input];
    for (u32 l = 0; l < p->quads * 4; l++) {
        const struct setup *s = p->setup[l / 4];
        for (unsigned c = 0; c < 4; c++) {
            float v = s->attr[n][c][0];
            if (k->interpolation != IR_CONSTANT) v = along(s->attr[n][c], p->b1[l], p->b2[l]);
            if (k->interpolation == IR_LINEAR) v *= w[l];
            lanes_f(in, c)[l] = v;
        }
    }
}

static void special_inputs(struct painter *painter, const float *w)
{
    const struct pixels *p = &painter->pixels;
    const float half = painter->d->d3d9 ? 0.0f : 0.5f;
    struct lanes *special = painter->state->special;
    for (u32 l = 0; l < p->quads * 4; l++) {
        const struct setup *s = p->setup[l / 4];
        lanes_f(&special[IR_SP_POSITION], 0)[l] = (float)lane_x(p, l) + half;
        lanes_f(&special[IR_SP_POSITION], 1)[l] = (float)lane_y(p, l) + half;
        lanes_f(&special[IR_SP_POSITION], 2)[l] = along(s->z, p->b1[l], p->b2[l]);
        lanes_f(&special[IR_SP_POSITION], 3)[l] = w[l];
        for (unsigned c = 0; c < 4; c++) {
            lanes_f(&special[IR_SP_FACE], c)[l] = s->front ? 1.0f : -1.0f;
            special[IR_SP_FRONT].c[c][l] = s->front ? 0xffffffff : 0;
            special[IR_SP_PRIMITIVE_ID].c[c][l] = s->primitive;
        }
    }
}

void shade_sprites(struct painter *painter)
{
    const struct pixels *p = &painter->pixels;
    const struct draw *d = painter->d;
    for (u32 n = 0; n < d->link_count; n++) {
        struct lanes *in = &painter->state->inputs[d->links[n].input];
        if (d->ps->input[d->links[n].input].usage != IR_USAGE_TEXCOORD) continue;
        for (u32 l = 0; l < p->quads * 4; l++) {
            if (!p->setup[l / 4]->sprite) continue;
            lanes_f(in, 0)[l] = p->sx[l];
            lanes_f(in, 1)[l] = p->sy[l];
        }
    }
}

void shade_special(struct painter *painter)
{
    const struct pixels *p = &painter->pixels;
    float w[LANES];
    for (u32 l = 0; l < p->quads * 4; l++)
        w[l] = 1.0f / along(p->setup[l / 4]->oow, p->b1[l], p->b2[l]);
    special_inputs(painter, w);
}

static void inputs(struct painter *painter)
{
    const struct pixels *p = &painter->pixels;
    float w[LANES];
    for (u32 l = 0; l < p->quads * 4; l++)
        w[l] = 1.0f / along(p->setup[l / 4]->oow, p->b1[l], p->b2[l]);
    for (u32 n = 0; n < painter->d->link_count; n++) one_input(painter, n, w);
    shade_sprites(painter);
    special_inputs(painter, w);
}

/* ---- depth and stencil ---- */

static bool compare(u8 func, u64 value, u64 stored)
{
    switch (func) {
    case AGPU_CMP_NEVER: return false;
    case AGPU_CMP_LESS: return value < stored;
    case AGPU_CMP_EQUAL: return value == stored;
    case AGPU_CMP_LESS_EQUAL: return value <= stored;
    case AGPU_CMP_GREATER: return value > stored;
    case AGPU_CMP_NOT_EQUAL: return value != stored;
    case AGPU_CMP_GREATER_EQUAL: return value >= stored;
    default: return true;
    }
}

static u8 stencil_op(u8 op, u8 value, u8 ref)
{
    switch (op) {
    case 2: return 0;
    case 3: return ref;
    case 4: return value == 255 ? 255 : (u8)(value + 1);
    case 5: return value ? (u8)(value - 1) : 0;
    case 6: return (u8)~value;
    case 7: return (u8)(value + 1);
    case 8: return (u8)(value - 1);
    default: return value;
    }
}

/* The stored form of a depth value: 24 bits, or a float's bits, which compare as integers because
 * none is negative. */
static u32 depth_bits(const struct draw *d, float z)
{
    float lo = MIN(d->z_min, d->z_max), hi = MAX(d->z_min, d->z_max);
    u32 bits;
    z = z > lo ? MIN(z, hi) : lo;
    z = z > 0.0f ? MIN(z, 1.0f) : 0.0f;
    if (d->depth.format == AGPU_FMT_D24S8) return (u32)((double)z * 16777215.0 + 0.5);
    memcpy(&bits, &z, sizeof(bits));
    return bits;
}

/* One pixel through both tests; writes what they write. */
static bool depth_stencil(const struct draw *d, const struct setup *s, u8 *p, float z)
{
    const struct stencil_face *f = &d->face[d->two_sided && s->facing];
    bool packed = d->depth.format == AGPU_FMT_D24S8;
    u32 stored = ld32(p), depth = packed ? stored & 0xffffff : stored, bits = depth_bits(d, z);
    u8 stencil = packed ? (u8)(stored >> 24) : 0, next = stencil;
    bool pass_stencil =
        !d->stencil_test || !packed ||
        compare(f->func, d->stencil_ref & d->stencil_mask, stencil & d->stencil_mask);
    bool pass_depth = pass_stencil && (!d->depth_test || compare(d->depth_func, bits, depth));
    if (d->stencil_test && packed) {
        u8 op = !pass_stencil ? f->fail : !pass_depth ? f->zfail : f->pass;
        next = (u8)((stencil & ~d->stencil_write) |
                    (stencil_op(op, stencil, d->stencil_ref) & d->stencil_write));
    }
    if (pass_depth && d->depth_test && d->depth_write) depth = bits;
    st32(p, packed ? (u32)next << 24 | depth : depth);
    return pass_depth;
}

static u64 test(struct painter *painter, u64 lanes)
{
    const struct draw *d = painter->d;
    const struct pixels *p = &painter->pixels;
    if (!d->depth.r || (!d->depth_test && !d->stencil_test)) return lanes;
    u64 out = 0;
    for (u64 left = lanes; left; left &= left - 1) {
        u32 l = (u32)__builtin_ctzll(left);
        if (depth_stencil(d, p->setup[l / 4], target_pixel(&d->depth, lane_x(p, l), lane_y(p, l)),
                          p->z[l]))
            out |= 1ull << l;
    }
    return out;
}

/* ---- blending ---- */

static void factor(u8 f, const float src[4], const float dst[4], const float constant[4],
                   float out[4])
{
    static const float zero[4], one[4] = { 1, 1, 1, 1 };
    const float *from = zero;
    bool inverse = false, alpha = false;
    switch (f) {
    case FACTOR_ONE: from = one; break;
    case FACTOR_SRC_COLOR: from = src; break;
    case FACTOR_INV_SRC_COLOR: from = src, inverse = true; break;
    case FACTOR_SRC_ALPHA: from = src, alpha = true; break;
    case FACTOR_INV_SRC_ALPHA: from = src, alpha = inverse = true; break;
    case FACTOR_DEST_ALPHA: from = dst, alpha = true; break;
    case FACTOR_INV_DEST_ALPHA: from = dst, alpha = inverse = true; break;
    case FACTOR_DEST_COLOR: from = dst; break;
    case FACTOR_INV_DEST_COLOR: from = dst, inverse = true; break;
    case FACTOR_CONSTANT: from = constant; break;
    case FACTOR_INV_CONSTANT: from = constant, inverse = true; break;
    default: break;
    }
    for (unsigned c = 0; c < 4; c++) {
        float v = from[alpha ? 3 : c];
        out[c] = inverse ? 1.0f - v : v;
    }
    if (f != FACTOR_SRC_ALPHA_SAT) return;
    out[0] = out[1] = out[2] = MIN(src[3], 1.0f - dst[3]);
    out[3] = 1.0f;
}

static float combine(u8 op, float s, float sf, float d, float df)
{
    switch (op) {
    case AGPU_OP_SUBTRACT: return s * sf - d * df;
    case AGPU_OP_REV_SUBTRACT: return d * df - s * sf;
    case AGPU_OP_MIN: return MIN(s, d);
    case AGPU_OP_MAX: return MAX(s, d);
    default: return s * sf + d * df;
    }
}

static float clamp01(float v)
{
    return v > 0.0f ? MIN(v, 1.0f) : 0.0f;
}

static void blend(const struct blend *b, float src[4], const float dst[4])
{
    float sc[4], dc[4], sa[4], da[4];
    for (unsigned c = 0; c < 4; c++) src[c] = clamp01(src[c]);
    factor(b->src, src, dst, b->constant, sc);
    factor(b->dst, src, dst, b->constant, dc);
    factor(b->src_alpha, src, dst, b->constant, sa);
    factor(b->dst_alpha, src, dst, b->constant, da);
    float alpha = combine(b->op_alpha, src[3], sa[3], dst[3], da[3]);
    for (unsigned c = 0; c < 3; c++) src[c] = combine(b->op, src[c], sc[c], dst[c], dc[c]);
    src[3] = alpha;
}

/* The destination's colour; with SRGBWRITEENABLE a plain format holds encoded values. */
static void load(const struct target *t, const u8 *p, float out[4])
{
    format_load(t->f, p, out);
    if (!t->srgb || t->f->srgb || t->f->klass != FMT_CLASS_8888) return;
    for (unsigned k = 0; k < 3; k++) out[k] = srgb_decode(p[t->f->rgba ? k : 2 - k]);
}

u32 stored_mask(const struct format *f, u8 mask)
{
    static const u32 m565[4] = { 0xf800, 0x07e0, 0x001f, 0 },
                     m5551[4] = { 0x7c00, 0x03e0, 0x001f, 0x8000 };
    u32 out = 0;
    for (unsigned c = 0; c < 4; c++) {
        if (!(mask >> c & 1)) continue;
        if (f->klass == FMT_CLASS_565)
            out |= m565[c];
        else if (f->klass == FMT_CLASS_5551)
            out |= m5551[c];
        else
            out |= 0xffu << (c == 3 ? 24 : f->rgba ? 8 * c : 16 - 8 * c);
    }
    if (f->klass == FMT_CLASS_8888 && !f->alpha) out |= 0xff000000; /* X stays opaque */
    return out;
}

void shade_write(const struct painter *painter, const struct target *t, u64 lanes,
                 const struct lanes *color)
{
    const struct draw *d = painter->d;
    const struct pixels *p = &painter->pixels;
    u32 mask = stored_mask(t->f, t->mask), bytes = t->f->bytes;
    bool whole = mask == (bytes == 2 ? 0xffff : 0xffffffff);
    if (!t->mask) return;
    for (; lanes; lanes &= lanes - 1) {
        u32 l = (u32)__builtin_ctzll(lanes);
        u8 *at = target_pixel(t, lane_x(p, l), lane_y(p, l));
        float v[4];
        for (unsigned c = 0; c < 4; c++) memcpy(&v[c], &color->c[c][l], 4);
        if (d->blend.on) {
            float dst[4];
            load(t, at, dst);
            blend(&d->blend, v, dst);
        }
        u32 bits = format_store(t->f, v, t->srgb && t->f->klass == FMT_CLASS_8888);
        if (!whole) bits = ((u32)ld_n(at, bytes) & ~mask) | (bits & mask);
        st_n(at, bits, bytes);
    }
}

/* ---- the batch ---- */

static u64 alpha_test(const struct painter *p, u64 lanes)
{
    u64 out = 0;
    const float *a = lanes_f(&p->state->outputs[0], 3);
    for (u64 left = lanes; left; left &= left - 1) {
        u32 l = (u32)__builtin_ctzll(left);
        if (compare(p->d->alpha_func, unorm8(a[l]), p->d->alpha_ref)) out |= 1ull << l;
    }
    return out;
}

/* The pixels of a quad that were written: m, 4 bits. */
static void touch_quad(struct box *b, u32 x, u32 y, u32 m)
{
    if (x >= b->x0 && x + 2 <= b->x1 && y >= b->y0 && y + 2 <= b->y1) return;
    u32 x0 = x + !(m & 5), x1 = x + 1 + !!(m & 10), y0 = y + !(m & 3), y1 = y + 1 + !!(m & 12);
    if (b->x0 >= b->x1) *b = (struct box){ x0, y0, x1, y1 };
    *b = (struct box){ MIN(b->x0, x0), MIN(b->y0, y0), MAX(b->x1, x1), MAX(b->y1, y1) };
}

static void touch(struct painter *painter, u64 lanes)
{
    const struct pixels *p = &painter->pixels;
    for (u32 n = 0; n < p->quads; n++) {
        u32 m = (u32)(lanes >> (4 * n)) & 15;
        if (m) touch_quad(&painter->touched, (u32)p->x[n], (u32)p->y[n], m);
    }
}

/* Shader and what follows it; returns the lanes that were written. */
static u64 color(struct painter *p, u64 lanes, bool late)
{
    const struct draw *d = p->d;
    const struct ir_program *ps = d->ps;
    struct ir_state *state = p->state;
    p->ops->inputs(p);
    state->active = lanes;
    ir_run(ps, &p->env, state);
    lanes = state->active;
    if (d->fog.on) fog_apply(&d->fog, p->pixels.z, &state->inputs[FOG_INPUT], &state->outputs[0]);
    if (d->alpha_test) lanes = alpha_test(p, lanes);
    if (ps->writes_depth) memcpy(p->pixels.z, state->outputs[IR_O_DEPTH].c[0], sizeof(p->pixels.z));
    if (late) lanes = test(p, lanes);
    for (u32 k = 0; k < d->target_count; k++) {
        if (d->target[k].r && ps->output[k].used)
            p->ops->write(p, &d->target[k], lanes, &state->outputs[k]);
    }
    return lanes;
}

void shade(struct painter *p)
{
    const struct draw *d = p->d;
    u64 lanes = p->pixels.covered;
    const struct ir_program *ps = d->ps;
    bool late = ps && (ps->kills || ps->writes_depth || d->alpha_test);
    if (lanes && d->sample_mask) {
        p->ops->weights(p);
        if (!late) lanes = test(p, lanes);
        if (ps && lanes && (d->target_count || late)) lanes = color(p, lanes, late);
        touch(p, lanes);
    }
    p->pixels.covered = 0;
    p->pixels.quads = 0;
    p->pixels.mixed = p->pixels.weighted = false;
}

const struct pixel_ops pixel_ops_plain = { weights, inputs, shade_write, sampler_run };
