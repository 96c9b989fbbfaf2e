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

/* The nearest integer not above; 0 far away from all textures. */
static inline vi v_to_texel(vf v)
{
    return v_floor(v) & ((vi)(v > v_set(-1e9f)) & (vi)(v < v_set(1e9f)));
}

/* ---- texels ---- */

static inline vf code(const struct look *k, vi bits, unsigned shift)
{
    vi v = (bits >> (i32)shift) & 255;
    if (!k->decode) return v_unorm8(v);
    return (vf)v_gather((const u8 *)k->decode, v << 2);
}

static inline void expand(const struct look *k, vi bits, struct texels *out)
{
    const bool rgba = k->u->f->rgba;
    vf low = code(k, bits, 0), high = code(k, bits, 16);
    out->c[0] = rgba ? low : high;
    out->c[1] = code(k, bits, 8);
    out->c[2] = rgba ? high : low;
    out->c[3] = k->u->f->alpha ? v_unorm8((bits >> 24) & 255) : v_set(1.0f);
}

static inline void bilinear(const struct look *k, const struct subresource *s, vf fx, vf fy,
                            struct texels *out)
{
    const struct texture_unit *u = k->u;
    const i8 *offset = k->q->insn->tex.offset;
    const u8 *base = k->data + s->offset;
    fx = fx - v_set(0.5f);
    fy = fy - v_set(0.5f);
    vi ix = v_to_texel(fx), iy = v_to_texel(fy);
    const vf wx = fx - v_from_int(ix), wy = fy - v_from_int(iy);
    ix = ix + (i32)offset[0];
    iy = iy + (i32)offset[1];
    const i32 w = (i32)s->width, h = (i32)s->height, pitch = (i32)s->pitch;
    const vi x0 = v_address(ix, w, u->address[0]) << 2,
             x1 = v_address(ix + 1, w, u->address[0]) << 2,
             y0 = v_address(iy, h, u->address[1]) * pitch,
             y1 = v_address(iy + 1, h, u->address[1]) * pitch;
    struct texels t[4];
    expand(k, v_gather(base, y0 + x0), &t[0]);
    expand(k, v_gather(base, y0 + x1), &t[1]);
    expand(k, v_gather(base, y1 + x0), &t[2]);
    expand(k, v_gather(base, y1 + x1), &t[3]);
    for (unsigned c = 0; c < 4; c++) {
        vf top = t[0].c[c] + wx * (t[1].c[c] - t[0].c[c]),
           bottom = t[2].c[c] + wx * (t[3].c[c] - t[2].c[c]);
        out->c[c] = top + wy * (bottom - top);
    }
}

static inline void sample_mip(const struct look *k, u32 mip, vf x, vf y, bool linear,
                              struct texels *out)
{
    const struct texture_unit *u = k->u;
    const struct subresource *s = &u->sub[mip];
    const i8 *offset = k->q->insn->tex.offset;
    const vf fx = x * v_set((float)s->width), fy = y * v_set((float)s->height);
    if (linear) {
        bilinear(k, s, fx, fy, out);
        return;
    }
    vi ix = v_address(v_to_texel(fx) + (i32)offset[0], (i32)s->width, u->address[0]);
    vi iy = v_address(v_to_texel(fy) + (i32)offset[1], (i32)s->height, u->address[1]);
    expand(k, v_gather(k->data + s->offset, iy * (i32)s->pitch + (ix << 2)), out);
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
static bool sample_vector(const struct look *k, vf x, vf y, vf lod, u32 lanes, struct texels *out)
{
    const struct texture_unit *u = k->u;
    struct level level;
    struct texels next;
    if (!find_level(u, lod, lanes, &level)) return false;
    const bool linear = (level.magnify ? u->mag : u->min) == 2;
    sample_mip(k, level.lower, x, y, linear, out);
    if (!level.both) return true;
    sample_mip(k, level.lower + 1, x, y, linear, &next);
    for (unsigned c = 0; c < 4; c++) {
        vf mixed = out->c[c] + level.weight * (next.c[c] - out->c[c]);
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

static void sample_all(const struct look *k, struct lanes *result)
{
    const struct ir_texture_query *q = k->q;
    const float *x = (const float *)q->coord->c[0], *y = (const float *)q->coord->c[1];
    float lod[LANES] __attribute__((aligned(64))) = { 0 };
    const bool levels = needs_lod(k->u);
    if (levels) sampler_lods(k->u, q, lod);
    for (u32 l = 0; l < LANES; l += VW) {
        const u32 lanes = (u32)(q->active >> l) & ((1u << VW) - 1);
        struct texels t;
        if (!lanes) continue;
        if (!sample_vector(k, v_load(x + l), v_load(y + l), v_load(lod + l), lanes, &t)) {
            sampler_lanes(k->u, q, lod, l, l + VW, result);
            continue;
        }
        for (unsigned c = 0; c < 4; c++) v_store(lanes_f(result, c) + l, t.c[c]);
    }
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
    sample_all(&k, result);
}
