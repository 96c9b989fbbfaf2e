/* Pixel batches: interpolation, the pixel shader, tests, blending and writing.
 *
 * Order: shader, alpha test, stencil, depth, write; when the shader neither discards nor writes
 * depth and there is no alpha test, depth and stencil go first, which changes nothing but the time.
 * Document: the contract's part "executor", sections 6.3 to 6.5 and 7.5. */
#include <math.h>

#include "gpu/soft/draw.h"

/* ---- interpolation ---- */

static float along(const float v[3], float b1, float b2)
{
    return v[0] + b1 * (v[1] - v[0]) + b2 * (v[2] - v[0]);
}

static void interpolate(struct draw *d, const struct pixels *p)
{
    const struct setup *s = p->setup;
    struct lanes *in = d->ps_state->inputs, *special = d->ps_state->special;
    const u32 lanes = p->quads * 4;
    float w[LANES];
    for (u32 l = 0; l < lanes; l++) w[l] = 1.0f / along(s->oow, p->b1[l], p->b2[l]);
    for (u32 n = 0; n < d->link_count; n++) {
        const struct link *k = &d->links[n];
        for (unsigned c = 0; c < 4; c++) {
            const float v[3] = { s->attr[n][0][c], s->attr[n][1][c], s->attr[n][2][c] };
            float *out = lanes_f(&in[k->input], c);
            if (k->interpolation == IR_CONSTANT) {
                for (u32 l = 0; l < lanes; l++) out[l] = v[0];
            } else if (k->interpolation == IR_NOPERSPECTIVE) {
                for (u32 l = 0; l < lanes; l++) out[l] = along(v, p->b1[l], p->b2[l]);
            } else {
                for (u32 l = 0; l < lanes; l++) out[l] = along(v, p->b1[l], p->b2[l]) * w[l];
            }
        }
        if (!s->sprite || d->ps->input[k->input].usage != IR_USAGE_TEXCOORD) continue;
        for (u32 l = 0; l < lanes; l++) {
            lanes_f(&in[k->input], 0)[l] = p->sx[l];
            lanes_f(&in[k->input], 1)[l] = p->sy[l];
        }
    }
    for (u32 l = 0; l < lanes; l++) {
        lanes_f(&special[IR_SP_POSITION], 0)[l] = (float)p->x[l] + (d->d3d9 ? 0.0f : 0.5f);
        lanes_f(&special[IR_SP_POSITION], 1)[l] = (float)p->y[l] + (d->d3d9 ? 0.0f : 0.5f);
        lanes_f(&special[IR_SP_POSITION], 2)[l] = along(s->z, p->b1[l], p->b2[l]);
        lanes_f(&special[IR_SP_POSITION], 3)[l] = w[l];
        for (unsigned c = 0; c < 4; c++) {
            lanes_f(&special[IR_SP_FACE], c)[l] = s->front ? 1.0f : -1.0f;
            special[IR_SP_FRONT].c[c][l] = s->front ? 0xffffffff : 0;
            special[IR_SP_PRIMITIVE_ID].c[c][l] = s->primitive;
        }
    }
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

static u8 *pixel_at(const struct target *t, i32 x, i32 y)
{
    return t->r->data + t->sub.offset + (u64)y * t->sub.pitch + (u64)x * t->f->bytes;
}

/* One pixel through both tests; writes what they write. */
static bool depth_stencil(struct draw *d, const struct setup *s, u8 *p, float z)
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

static u64 test(struct draw *d, const struct pixels *p, u64 lanes, const float *z)
{
    if (!d->depth.r || (!d->depth_test && !d->stencil_test)) return lanes;
    u64 out = 0;
    for (u64 left = lanes; left; left &= left - 1) {
        u32 l = (u32)__builtin_ctzll(left);
        if (depth_stencil(d, p->setup, pixel_at(&d->depth, p->x[l], p->y[l]), z[l]))
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

/* Bits of the stored form that the write mask allows. */
static u32 stored_mask(const struct format *f, u8 mask)
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

static void write_target(struct draw *d, const struct target *t, const struct pixels *p, u64 lanes,
                         struct lanes *color)
{
    u32 mask = stored_mask(t->f, t->mask), bytes = t->f->bytes;
    bool whole = mask == (bytes == 2 ? 0xffff : 0xffffffff);
    if (!t->mask) return;
    for (; lanes; lanes &= lanes - 1) {
        u32 l = (u32)__builtin_ctzll(lanes);
        u8 *at = pixel_at(t, p->x[l], p->y[l]);
        float v[4];
        for (unsigned c = 0; c < 4; c++) v[c] = lanes_f(color, c)[l];
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

static u64 alpha_test(struct draw *d, u64 lanes)
{
    u64 out = 0;
    const float *a = lanes_f(&d->ps_state->outputs[0], 3);
    for (u64 left = lanes; left; left &= left - 1) {
        u32 l = (u32)__builtin_ctzll(left);
        if (compare(d->alpha_func, unorm8(a[l]), d->alpha_ref)) out |= 1ull << l;
    }
    return out;
}

static void touch(struct draw *d, const struct pixels *p, u64 lanes)
{
    struct box *b = &d->touched;
    for (; lanes; lanes &= lanes - 1) {
        u32 l = (u32)__builtin_ctzll(lanes), x = (u32)p->x[l], y = (u32)p->y[l];
        if (b->x0 >= b->x1) *b = (struct box){ x, y, x + 1, y + 1 };
        *b = (struct box){ MIN(b->x0, x), MIN(b->y0, y), MAX(b->x1, x + 1), MAX(b->y1, y + 1) };
    }
}

static void depths(const struct pixels *p, float *z)
{
    const struct setup *s = p->setup;
    for (u32 l = 0; l < p->quads * 4; l++) z[l] = along(s->z, p->b1[l], p->b2[l]) + s->bias;
}

void shade(struct draw *d, struct pixels *p)
{
    u64 lanes = p->covered;
    float z[LANES];
    const struct ir_program *ps = d->ps;
    bool late = ps && (ps->kills || ps->writes_depth || d->alpha_test);
    if (!lanes || !d->sample_mask) goto empty;
    depths(p, z);
    if (!late) lanes = test(d, p, lanes, z);
    if (ps && lanes && (d->target_count || late)) {
        interpolate(d, p);
        d->ps_state->active = lanes;
        ir_run(ps, &d->ps_env, d->ps_state);
        lanes = d->ps_state->active;
        if (d->fog.on)
            fog_apply(&d->fog, z, &d->ps_state->inputs[FOG_INPUT], &d->ps_state->outputs[0]);
        if (d->alpha_test) lanes = alpha_test(d, lanes);
        if (ps->writes_depth) memcpy(z, d->ps_state->outputs[IR_O_DEPTH].c[0], sizeof(z));
        if (late) lanes = test(d, p, lanes, z);
        for (u32 k = 0; k < d->target_count; k++) {
            if (d->target[k].r && ps->output[k].used)
                write_target(d, &d->target[k], p, lanes, &d->ps_state->outputs[k]);
        }
    }
    touch(d, p, lanes);
empty:
    p->covered = 0;
    p->quads = 0;
}
