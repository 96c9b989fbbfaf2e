/* Texture sampling with vectors: textures of 32 bits a texel (block-compressed ones are, once
 * decompressed), wrapped, mirrored or clamped, all filters, one level of detail per vector. Equal
 * in every bit to the plain C of sampler.c, which does the rest: borders, cubes, arrays, depth,
 * 16-bit texels, and vectors whose lanes look at different levels.
 *
 * Compiled twice (simd.h). Document: the contract's part "executor", section 11. */
#include "gpu/simd.h"
#include "gpu/soft/draw.h"

struct texels { /* four components of a texel per lane */
    vf c[4];
};

struct look { /* one texture instruction */
    const struct texture_unit *u;
    const struct ir_texture_query *q;
    const float *decode; /* sRGB codes to linear values; NULL: plain */
    const u8 *data;      /* of the layer */
    u32 opaque;          /* bits that are always set: alpha of formats without one */
    i32 offset_x, offset_y;
};

/* ---- addresses ---- */

static inline vi v_address(vi i, i32 n, u8 mode)
{
    const vi count = vi_set(n), zero = vi_set(0);
    if (mode == 3) return vi_min(vi_max(i, zero), count - 1);
    if (mode == 1 && !(n & (n - 1))) return i & (count - 1);
    if (!v_signs((i < -count) | (i >= count + count))) {
        const vi below = i < zero, above = i >= count;
        if (mode == 1) return i + (below & count) - (above & count);
        vi mirrored = (below & (-1 - i)) | (above & (count + count - 1 - i));
        return (~(below | above) & i) | mirrored;
    }
    for (u32 l = 0; l < VW; l++) i[l] = sampler_address(i[l], n, mode);
    return i;
}

/* The nearest whole number not above; 0 far away from all textures. */
static inline vf v_to_texel(vf v)
{
    const vf distance = (vf)((vi)v & vi_set(INT32_MAX));
    return (vf)((vi)v_floor(v) & (vi)(distance < v_set(1e9f)));
}

/* ---- texels: by byte, whose order decides which component each is ---- */

/* Filters work on codes, 0 to 255, and divide once, behind the last mixture (sampler.c); colours
 * that are sRGB-encoded become linear values first. */
SPECIALISED vf code(const struct look *k, vi v, bool encoded)
{
    return encoded ? (vf)v_gather((const u8 *)k->decode, v << 2) : v_from_int(v);
}

SPECIALISED void expand(const struct look *k, vi bits, bool encoded, struct texels *out)
{
    bits = bits | vi_set((i32)k->opaque);
    out->c[0] = code(k, vi_byte(bits, 0), encoded);
    out->c[1] = code(k, vi_byte(bits, 1), encoded);
    out->c[2] = code(k, vi_byte(bits, 2), encoded);
    out->c[3] = v_from_int(vi_byte(bits, 3));
}

SPECIALISED void finish(bool encoded, struct texels *t)
{
    for (unsigned c = encoded ? 3 : 0; c < 4; c++) t->c[c] = v_over_255(t->c[c]);
}

static inline vf mix(vf a, vf b, vf weight)
{
    return a + weight * (b - a);
}

/* Where the four texels around a point are, in bytes, and how they weigh. Found for a whole batch
 * before the first texel is read: reading waits for nothing then. */
struct footprint {
    vi top_left, top_right, bottom_left, bottom_right;
    vf wx, wy;
    bool pairs; /* left and right are neighbours in memory */
};

static inline void find_footprint(const struct look *k, const struct subresource *s, vf x, vf y,
                                  struct footprint *out)
{
    const struct texture_unit *u = k->u;
    const i32 w = (i32)s->width, h = (i32)s->height, pitch = (i32)s->pitch;
    const vf fx = x * v_set((float)s->width) - v_set(0.5f),
             fy = y * v_set((float)s->height) - v_set(0.5f);
    const vf tx = v_to_texel(fx), ty = v_to_texel(fy);
    const vi ix = v_truncate(tx) + k->offset_x, iy = v_truncate(ty) + k->offset_y;
    const vi x0 = v_address(ix, w, u->address[0]) << 2,
             x1 = v_address(ix + 1, w, u->address[0]) << 2,
             y0 = v_address(iy, h, u->address[1]) * pitch,
             y1 = v_address(iy + 1, h, u->address[1]) * pitch;
    *out = (struct footprint){ y0 + x0,
                               y0 + x1,
                               y1 + x0,
                               y1 + x1,
                               fx - tx,
                               fy - ty,
                               v_signs(x1 == x0 + 4) == (1u << VW) - 1 };
}

/* Two texels of a row and their mixture. */
SPECIALISED void mix_row(const struct look *k, const u8 *base, vi left, vi right, bool pairs, vf wx,
                         bool encoded, struct texels *out)
{
    struct texels l, r;
    vi a, b;
    if (likely(pairs)) {
        v_gather_pairs(base, left, &a, &b);
    } else {
        a = v_gather(base, left);
        b = v_gather(base, right);
    }
    expand(k, a, encoded, &l);
    expand(k, b, encoded, &r);
    for (unsigned c = 0; c < 4; c++) out->c[c] = mix(l.c[c], r.c[c], wx);
}

SPECIALISED void bilinear(const struct look *k, const u8 *base, const struct footprint *f,
                          bool encoded, struct texels *out)
{
    struct texels top, bottom;
    mix_row(k, base, f->top_left, f->top_right, f->pairs, f->wx, encoded, &top);
    mix_row(k, base, f->bottom_left, f->bottom_right, f->pairs, f->wx, encoded, &bottom);
    for (unsigned c = 0; c < 4; c++) out->c[c] = mix(top.c[c], bottom.c[c], f->wy);
    finish(encoded, out);
}

SPECIALISED void nearest(const struct look *k, const struct subresource *s, vf x, vf y,
                         bool encoded, struct texels *out)
{
    const struct texture_unit *u = k->u;
    const vf fx = x * v_set((float)s->width), fy = y * v_set((float)s->height);
    vi ix = v_address(v_truncate(v_to_texel(fx)) + k->offset_x, (i32)s->width, u->address[0]);
    vi iy = v_address(v_truncate(v_to_texel(fy)) + k->offset_y, (i32)s->height, u->address[1]);
    expand(k, v_gather(k->data + s->offset, iy * (i32)s->pitch + (ix << 2)), encoded, out);
    finish(encoded, out);
}

SPECIALISED void sample_mip(const struct look *k, u32 mip, vf x, vf y, bool linear, bool encoded,
                            struct texels *out)
{
    const struct subresource *s = &k->u->sub[mip];
    struct footprint f;
    if (linear) {
        find_footprint(k, s, x, y, &f);
        bilinear(k, k->data + s->offset, &f, encoded, out);
    } else {
        nearest(k, s, x, y, encoded, out);
    }
}

/* ---- levels ---- */

/* Of a vector: whether magnified, and what two levels are mixed how. False: lanes that count
 * disagree. */
struct level {
    bool magnify;
    u32 lower;
    bool both;
    vf weight;
};

static bool agree(vi v, u32 lanes)
{
    u32 set = v_signs(v) & lanes;
    return set == 0 || set == lanes;
}

static bool find_level(const struct texture_unit *u, vf lod, u32 lanes, struct level *out)
{
    const vf last = v_set((float)(u->mips - 1)), first = v_set((float)u->max_mip);
    const vi minified = (vi)(lod > v_set(0.0f));
    *out = (struct level){ .lower = u->max_mip, .weight = v_set(0.0f) };
    if (u->mag != u->min && !agree(minified, lanes)) return false;
    out->magnify = !(v_signs(minified) & lanes);
    if (u->mip == 0) return true;
    lod = v_select((vi)(lod > first), v_min(lod, last), first);
    if (u->mip == 1) lod = lod + v_set(0.5f);
    const vi level = v_truncate(lod);
    const i32 one = level[__builtin_ctz(lanes)];
    if ((v_signs(level == vi_set(one)) & lanes) != lanes) return false;
    out->lower = (u32)one;
    if (u->mip == 1) return true;
    out->weight = lod - v_from_int(level);
    out->both = out->lower + 1 < u->mips && v_signs((vi)(out->weight != v_set(0.0f))) & lanes;
    return true;
}

/* Samples one vector; false: not by one level. */
static inline bool sample_vector(const struct look *k, vf x, vf y, vf lod, u32 lanes, bool encoded,
                                 struct texels *out)
{
    const struct texture_unit *u = k->u;
    struct level level;
    struct texels next;
    if (!find_level(u, lod, lanes, &level)) return false;
    const bool linear = (level.magnify ? u->mag : u->min) == 2;
    sample_mip(k, level.lower, x, y, linear, encoded, out);
    if (!level.both) return true;
    sample_mip(k, level.lower + 1, x, y, linear, encoded, &next);
    for (unsigned c = 0; c < 4; c++) {
        vf mixed = mix(out->c[c], next.c[c], level.weight);
        out->c[c] = v_select((vi)(level.weight == v_set(0.0f)), out->c[c], mixed);
    }
    return true;
}

/* ---- the batch ---- */

/* Whether the level decides anything. */
static bool needs_lod(const struct texture_unit *u)
{
    return u->mag != u->min || (u->mip && u->mips > 1);
}

static bool suits(const struct texture_unit *u)
{
    if (u->cube || u->array || u->f->klass != FMT_CLASS_8888) return false;
    if (u->address[0] >= 4 || u->address[1] >= 4) return false;
    return u->sub[0].size + u->sub[0].offset < INT32_MAX;
}

static u32 lanes_of(const struct look *k, u32 first)
{
    return (u32)(k->q->active >> first) & ((1u << VW) - 1);
}

static inline void put(const struct look *k, const struct texels *t, u32 first,
                       struct lanes *result)
{
    const bool rgba = k->u->f->rgba;
    v_store(lanes_f(result, rgba ? 0 : 2) + first, t->c[0]);
    v_store(lanes_f(result, 1) + first, t->c[1]);
    v_store(lanes_f(result, rgba ? 2 : 0) + first, t->c[2]);
    v_store(lanes_f(result, 3) + first, t->c[3]);
}

/* One level, not encoded: most of what is ever drawn. */
static void all_bilinear(const struct look *look, struct lanes *result)
{
    const struct look k = *look; /* nobody else's, so that it stays in registers */
    const struct subresource s = k.u->sub[k.u->max_mip];
    const float *x = (const float *)k.q->coord->c[0], *y = (const float *)k.q->coord->c[1];
    struct footprint f[LANES / VW];
    for (u32 l = 0; l < LANES; l += VW) {
        if (lanes_of(&k, l)) find_footprint(&k, &s, v_load(x + l), v_load(y + l), &f[l / VW]);
    }
    for (u32 l = 0; l < LANES; l += VW) {
        struct texels t;
        if (!lanes_of(&k, l)) continue;
        bilinear(&k, k.data + s.offset, &f[l / VW], false, &t);
        put(&k, &t, l, result);
    }
}

static void all_nearest(const struct look *look, struct lanes *result)
{
    const struct look k = *look;
    const struct subresource s = k.u->sub[k.u->max_mip];
    const float *x = (const float *)k.q->coord->c[0], *y = (const float *)k.q->coord->c[1];
    for (u32 l = 0; l < LANES; l += VW) {
        struct texels t;
        if (!lanes_of(&k, l)) continue;
        nearest(&k, &s, v_load(x + l), v_load(y + l), false, &t);
        put(&k, &t, l, result);
    }
}

static void all_by_level(const struct look *k, const float *lod, struct lanes *result)
{
    const float *x = (const float *)k->q->coord->c[0], *y = (const float *)k->q->coord->c[1];
    for (u32 l = 0; l < LANES; l += VW) {
        const u32 lanes = lanes_of(k, l);
        const vf at = v_load(x + l), down = v_load(y + l), level = v_load(lod + l);
        struct texels t;
        if (!lanes) continue;
        bool one = k->decode ? sample_vector(k, at, down, level, lanes, true, &t)
                             : sample_vector(k, at, down, level, lanes, false, &t);
        if (one)
            put(k, &t, l, result);
        else
            sampler_lanes(k->u, k->q, lod, l, l + VW, result);
    }
}

static void by_level(const struct look *k, struct lanes *result)
{
    float lod[LANES] __attribute__((aligned(64))) = { 0 };
    if (needs_lod(k->u)) sampler_lods(k->u, k->q, lod);
    all_by_level(k, lod, result);
}

void SIMD(sampler_run)(void *opaque, const struct ir_texture_query *q, struct lanes *result)
{
    const struct texture_unit *u = (const struct texture_unit *)opaque + q->insn->tex.resource;
    struct look k = { .u = u, .q = q };
    if (texture_fetch(u, q, result)) return;
    if (!suits(u)) {
        sampler_run(opaque, q, result);
        return;
    }
    k.data = u->data + (u64)u->base_layer * u->layer_size;
    k.decode = u->f->srgb || u->srgb ? srgb_table() : NULL;
    k.opaque = u->f->alpha ? 0 : 0xff000000;
    k.offset_x = q->insn->tex.offset[0];
    k.offset_y = q->insn->tex.offset[1];
    if (needs_lod(u) || k.decode)
        by_level(&k, result);
    else if (u->mag == 2)
        all_bilinear(&k, result);
    else
        all_nearest(&k, result);
}
