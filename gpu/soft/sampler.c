/* Texture sampling for a batch of 64 lanes: level of detail from the quads, addressing, filtering.
 * Document: the contract's part "executor", section 11. */
#include <math.h>

#include "gpu/soft/draw.h"

/* ---- texels ---- */

/* The texel index for coordinate i of n texels; -1: border colour. */
i32 sampler_address(i32 i, i32 n, u8 mode)
{
    switch (mode) {
    case 2:
        i %= 2 * n;
        if (i < 0) i += 2 * n;
        return i < n ? i : 2 * n - 1 - i;
    case 3: return i < 0 ? 0 : i >= n ? n - 1 : i;
    case 4: return i < 0 || i >= n ? -1 : i;
    case 5:
        if (i < 0) i = -1 - i;
        return i >= n ? n - 1 : i;
    default: i %= n; return i < 0 ? i + n : i;
    }
}

static void texel(const struct texture_unit *u, const struct subresource *s, u32 layer, i32 x,
                  i32 y, float out[4])
{
    x = sampler_address(x, (i32)s->width, u->cube ? 3 : u->address[0]);
    y = sampler_address(y, (i32)s->height, u->cube ? 3 : u->address[1]);
    if (x < 0 || y < 0) {
        memcpy(out, u->border, 16);
        return;
    }
    const u8 *p = u->data + (u64)layer * u->layer_size + s->offset + (u64)(u32)y * s->pitch +
                  (u64)(u32)x * u->f->bytes;
    if (u->f->klass == FMT_CLASS_DEPTH) {
        float z;
        memcpy(&z, p, 4);
        if (u->r->format == AGPU_FMT_D24S8) z = (float)((double)(ld32(p) & 0xffffff) / 16777215.0);
        out[0] = z;
        out[1] = out[2] = u->red ? 0.0f : z;
        out[3] = 1.0f;
        return;
    }
    format_load(u->f, p, out);
    if (!u->srgb) return;
    for (unsigned k = 0; k < 3; k++) out[k] = srgb_decode(p[u->f->rgba ? k : 2 - k]);
}

/* Component c of 8-bit texels is filtered as a code, 0 to 255. */
static bool filters_codes(const struct texture_unit *u, unsigned c)
{
    return u->f->klass == FMT_CLASS_8888 && (c == 3 || !(u->srgb || u->f->srgb));
}

/* As simd.h does it: exact for codes. */
static float over_255(float v)
{
    float low = v * 0x1.010102p-16f;
    return v * 0x1p-8f + low;
}

/* Two rows of two texels. Eight-bit components are mixed as codes and divided once, behind the last
 * mixture: a quarter of the divisions, and no rounding before the filter. */
static float filter(const struct texture_unit *u, float t[4][4], unsigned c, float wx, float wy)
{
    const bool codes = filters_codes(u, c);
    float v[4];
    for (u32 k = 0; k < 4; k++) v[k] = codes ? rintf(t[k][c] * 255.0f) : t[k][c];
    float top = v[0] + wx * (v[1] - v[0]), bottom = v[2] + wx * (v[3] - v[2]);
    float r = top + wy * (bottom - top);
    return codes ? over_255(r) : r;
}

static i32 to_texel(float v)
{
    return v > -1e9f && v < 1e9f ? (i32)floorf(v) : 0;
}

static void sample_mip(const struct texture_unit *u, u32 mip, u32 layer, float x, float y,
                       bool linear, const i8 *offset, float out[4])
{
    const struct subresource *s = &u->sub[mip];
    float fx = x * (float)s->width, fy = y * (float)s->height, t[4][4];
    if (!linear) {
        texel(u, s, layer, to_texel(fx) + offset[0], to_texel(fy) + offset[1], out);
        return;
    }
    fx -= 0.5f;
    fy -= 0.5f;
    i32 ix = to_texel(fx), iy = to_texel(fy);
    float wx = fx - (float)ix, wy = fy - (float)iy;
    ix += offset[0];
    iy += offset[1];
    for (i32 k = 0; k < 4; k++) texel(u, s, layer, ix + (k & 1), iy + (k >> 1), t[k]);
    for (unsigned c = 0; c < 4; c++) out[c] = filter(u, t, c, wx, wy);
}

/* lod: 0 is mip 0 of the unit, growing towards smaller ones. */
static void sample_one(const struct texture_unit *u, float x, float y, u32 layer, float lod,
                       const i8 *offset, float out[4])
{
    float last = (float)(u->mips - 1), first = (float)u->max_mip;
    bool magnify = !(lod > 0.0f);
    bool linear = (magnify ? u->mag : u->min) == 2;
    if (u->mip == 0) {
        sample_mip(u, u->max_mip, layer, x, y, linear, offset, out);
        return;
    }
    lod = lod > first ? MIN(lod, last) : first;
    if (u->mip == 1) {
        sample_mip(u, (u32)(lod + 0.5f), layer, x, y, linear, offset, out);
        return;
    }
    u32 lower = (u32)lod;
    float w = lod - (float)lower;
    sample_mip(u, lower, layer, x, y, linear, offset, out);
    if (w == 0.0f || lower + 1 >= u->mips) return;
    float next[4];
    sample_mip(u, lower + 1, layer, x, y, linear, offset, next);
    for (unsigned c = 0; c < 4; c++) out[c] += w * (next[c] - out[c]);
}

/* ---- cubes ---- */

/* Face and coordinates on it for a direction. */
static u32 cube_face(float x, float y, float z, float *u, float *v)
{
    float ax = fabsf(x), ay = fabsf(y), az = fabsf(z), m, s, t;
    u32 face;
    if (ax >= ay && ax >= az) {
        face = x < 0.0f;
        m = ax;
        s = x < 0.0f ? z : -z;
        t = -y;
    } else if (ay >= az) {
        face = 2 + (y < 0.0f);
        m = ay;
        s = x;
        t = y < 0.0f ? -z : z;
    } else {
        face = 4 + (z < 0.0f);
        m = az;
        s = z < 0.0f ? -x : x;
        t = -y;
    }
    *u = m > 0.0f ? (s / m + 1.0f) * 0.5f : 0.5f;
    *v = m > 0.0f ? (t / m + 1.0f) * 0.5f : 0.5f;
    return face;
}

/* ---- level of detail ---- */

static float lod_of(const struct texture_unit *u, float dudx, float dvdx, float dudy, float dvdy)
{
    float w = (float)u->sub[0].width, h = (float)u->sub[0].height;
    float x = dudx * w * dudx * w + dvdx * h * dvdx * h,
          y = dudy * w * dudy * w + dvdy * h * dvdy * h;
    float m = MAX(x, y);
    if (!(m > 0.0f)) return -32.0f;
    return 0.5f * ir_log2(m);
}

/* Levels for the four lanes of a quad. */
static void quad_lod(const struct texture_unit *u, const struct ir_texture_query *q, const float *s,
                     const float *t, u32 first, float *lod)
{
    float of_quad = 0.0f;
    if (!q->ddx && q->implicit_lod && q->insn->op != IR_TEX_LOD)
        of_quad = lod_of(u, s[first + 1] - s[first], t[first + 1] - t[first],
                         s[first + 2] - s[first], t[first + 2] - t[first]);
    for (u32 k = 0; k < 4; k++) {
        u32 l = first + k;
        lod[l] = of_quad;
        if (q->ddx) {
            const float *dx = (const float *)q->ddx->c, *dy = (const float *)q->ddy->c;
            lod[l] = lod_of(u, dx[l], dx[LANES + l], dy[l], dy[LANES + l]);
        }
        if (q->insn->op == IR_TEX_LOD) lod[l] = ((const float *)q->extra->c[0])[l];
        if (q->insn->op == IR_TEX_BIAS) lod[l] += ((const float *)q->extra->c[0])[l];
        lod[l] += u->bias;
    }
}

/* The layer that an array's coordinate names: the nearest whole one that exists; the first of six
 * for cubes. */
static u32 array_layer(const struct texture_unit *u, const struct lanes *coord, u32 lane)
{
    u32 count = u->cube ? u->layers / 6 : u->layers;
    float v = rintf(((const float *)coord->c[u->cube ? 3 : 2])[lane]);
    u32 n = v > 0.0f ? (v < (float)count ? (u32)v : count - 1) : 0;
    return u->cube ? n * 6 : n;
}

void sampler_lods(const struct texture_unit *u, const struct ir_texture_query *q, float *lod)
{
    const float *x = (const float *)q->coord->c[0], *y = (const float *)q->coord->c[1];
    for (u32 first = 0; first < LANES; first += 4) {
        if (q->active >> first & 15) quad_lod(u, q, x, y, first, lod);
    }
}

void sampler_lanes(const struct texture_unit *u, const struct ir_texture_query *q, const float *lod,
                   u32 first, u32 end, struct lanes *result)
{
    const float *x = (const float *)q->coord->c[0], *y = (const float *)q->coord->c[1];
    for (u32 l = first; l < end; l++) {
        float out[4];
        if (!(q->active >> l & 1)) continue;
        sample_one(u, x[l], y[l], u->base_layer, lod[l], q->insn->tex.offset, out);
        for (unsigned c = 0; c < 4; c++) lanes_f(result, c)[l] = out[c];
    }
}

void sampler_run(void *opaque, const struct ir_texture_query *q, struct lanes *result)
{
    const struct texture_unit *u = (const struct texture_unit *)opaque + q->insn->tex.resource;
    const float *x = (const float *)q->coord->c[0], *y = (const float *)q->coord->c[1],
                *z = (const float *)q->coord->c[2];
    float s[LANES], t[LANES], lod[LANES];
    u8 face[LANES] = { 0 };
    if (texture_fetch(u, q, result)) return;
    for (unsigned l = 0; l < LANES; l++) {
        s[l] = x[l];
        t[l] = y[l];
        if (u->cube) face[l] = (u8)cube_face(x[l], y[l], z[l], &s[l], &t[l]);
    }
    for (u32 first = 0; first < LANES; first += 4) {
        if (!(q->active >> first & 15)) continue;
        quad_lod(u, q, s, t, first, lod);
        for (u32 l = first; l < first + 4; l++) {
            float out[4];
            if (!(q->active >> l & 1)) continue;
            u32 layer = u->array ? array_layer(u, q->coord, l) : 0;
            sample_one(u, s[l], t[l], u->base_layer + layer + face[l], lod[l], q->insn->tex.offset,
                       out);
            for (unsigned c = 0; c < 4; c++) lanes_f(result, c)[l] = out[c];
        }
    }
}
