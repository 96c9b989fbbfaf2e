/* Texture instructions without filtering by level: single texels and buffer elements by integer
 * coordinates, sizes, comparisons, and whatever a slot without a texture reads. Document: the
 * contract's part "executor", sections 9 and 11. */
#include <math.h>

#include "gpu/soft/draw.h"

static void put(struct lanes *result, u32 lane, const float v[4])
{
    for (unsigned c = 0; c < 4; c++) lanes_f(result, c)[lane] = v[c];
}

/* The layer that an array's coordinate names: the nearest one that exists. */
static u32 array_layer(const struct texture_unit *u, const struct ir_texture_query *q, u32 lane)
{
    float v = u->array ? rintf(((const float *)q->coord->c[2])[lane]) : 0.0f;
    return v > 0.0f ? (v < (float)u->layers ? (u32)v : u->layers - 1) : 0;
}

/* ---- ld ---- */

static void load_texel(const struct texture_unit *u, const struct subresource *s, u32 layer, u32 x,
                       u32 y, float out[4])
{
    const u8 *p = u->data + (u64)(u->base_layer + layer) * u->layer_size + s->offset +
                  (u64)y * s->pitch + (u64)x * u->f->bytes;
    if (u->f->klass != FMT_CLASS_DEPTH) {
        format_load(u->f, p, out);
        return;
    }
    out[1] = out[2] = 0.0f;
    out[3] = 1.0f;
    if (u->r->format == AGPU_FMT_D24S8)
        out[0] = (float)((double)(ld32(p) & 0xffffff) / 16777215.0);
    else
        memcpy(out, p, 4);
}

/* Coordinates that name no texel read 0 in all channels. */
static void load(const struct texture_unit *u, const struct ir_texture_query *q, u32 lane,
                 struct lanes *result)
{
    const i8 *offset = q->insn->tex.offset;
    i64 x = (i64)(i32)q->coord->c[0][lane] + offset[0],
        y = (i64)(i32)q->coord->c[1][lane] + offset[1];
    u32 layer = u->array ? q->coord->c[2][lane] : 0, mip = q->coord->c[3][lane];
    float out[4] = { 0 };
    if (u->r->obj.kind == OBJ_BUFFER) {
        u32 element = q->coord->c[0][lane];
        if (element < u->elements) memcpy(out, u->data + 16 * (u64)element, 16);
    } else if (mip < u->mips && layer < u->layers) {
        const struct subresource *s = &u->sub[mip];
        if (x >= 0 && y >= 0 && x < s->width && y < s->height)
            load_texel(u, s, layer, (u32)x, (u32)y, out);
    }
    for (unsigned c = 0; c < 4; c++) memcpy(&result->c[c][lane], &out[c], 4);
}

/* ---- gather4 ---- */

/* Of n texels, the one that index i addresses; there is no border here. */
static u32 wrap(i64 i, u32 n, u8 mode)
{
    i64 period = mode == 2 ? 2 * (i64)n : (i64)n;
    if (mode == 3) return i < 0 ? 0 : (u32)MIN(i, (i64)n - 1);
    i %= period;
    if (i < 0) i += period;
    return i < n ? (u32)i : (u32)(period - 1 - i);
}

static i64 whole(float v)
{
    return v > -1e9f && v < 1e9f ? (i64)floorf(v) : 0;
}

/* One channel of the four texels of a bilinear sample of mip 0. */
static void gather(const struct texture_unit *u, const struct ir_texture_query *q, u32 lane,
                   struct lanes *result)
{
    static const i64 dx[4] = { 0, 1, 1, 0 }, dy[4] = { 1, 1, 0, 0 };
    const struct subresource *s = &u->sub[0];
    float x = ((const float *)q->coord->c[0])[lane] * (float)s->width - 0.5f,
          y = ((const float *)q->coord->c[1])[lane] * (float)s->height - 0.5f, t[4];
    i64 ix = whole(x) + q->insn->tex.offset[0], iy = whole(y) + q->insn->tex.offset[1];
    u32 layer = array_layer(u, q, lane);
    for (unsigned k = 0; k < 4; k++) {
        load_texel(u, s, layer, wrap(ix + dx[k], s->width, u->address[0]),
                   wrap(iy + dy[k], s->height, u->address[1]), t);
        lanes_f(result, k)[lane] = t[q->insn->condition & 3];
    }
}

/* ---- lod ---- */

/* The level that a sample in this lane's quad would use, before it is clamped. */
static float quad_level(const struct texture_unit *u, const struct ir_texture_query *q, u32 lane)
{
    const float *s = (const float *)q->coord->c[0], *t = (const float *)q->coord->c[1];
    float w = (float)u->sub[0].width, h = (float)u->sub[0].height;
    u32 first = lane & ~3u;
    float xs = (s[first + 1] - s[first]) * w, xt = (t[first + 1] - t[first]) * h,
          ys = (s[first + 2] - s[first]) * w, yt = (t[first + 2] - t[first]) * h;
    float longest = MAX(xs * xs + xt * xt, ys * ys + yt * yt);
    return longest > 0.0f ? 0.5f * ir_log2(longest) : -32.0f;
}

static float clamp_level(const struct texture_unit *u, float lod)
{
    return lod > 0.0f ? MIN(lod, (float)(u->mips - 1)) : 0.0f;
}

static void level(const struct texture_unit *u, const struct ir_texture_query *q, u32 lane,
                  struct lanes *result)
{
    float lod = quad_level(u, q, lane);
    put(result, lane, (const float[4]){ clamp_level(u, lod), lod, 0.0f, 0.0f });
}

/* ---- resinfo ---- */

enum { INFO_FLOAT, INFO_RECIPROCAL, INFO_UINT };

static void info(const struct texture_unit *u, const struct ir_texture_query *q, u32 lane,
                 struct lanes *result)
{
    u32 mip = q->coord->c[0][lane], v[4] = { 0, 0, 0, 0 }, sizes = 2, mode = q->insn->condition;
    if (u->r && u->r->obj.kind == OBJ_BUFFER) {
        v[0] = u->elements;
        sizes = 1;
        if (q->insn->op == IR_BUFINFO) mode = INFO_UINT;
    } else if (u->r) {
        v[3] = u->mips;
        if (mip < u->mips) {
            v[0] = u->sub[mip].width;
            v[1] = u->sub[mip].height;
            v[2] = !u->array ? 0 : u->cube ? u->layers / 6 : u->layers;
        }
    }
    for (unsigned c = 0; c < 4; c++) {
        float f = (float)v[c];
        if (mode == INFO_RECIPROCAL && c < sizes) f = 1.0f / f;
        if (mode == INFO_UINT)
            result->c[c][lane] = v[c];
        else
            lanes_f(result, c)[lane] = f;
    }
}

/* ---- sample_c ---- */

/* The reference against one texel's first channel: reference <= texel. */
static float passes(const struct texture_unit *u, const struct subresource *s, u32 layer, i64 x,
                    i64 y, float reference)
{
    float t[4];
    load_texel(u, s, layer, wrap(x, s->width, u->address[0]), wrap(y, s->height, u->address[1]), t);
    return reference <= t[0] ? 1.0f : 0.0f;
}

/* In one level: the nearest texel, or four weighted after the comparison. */
static float compare_mip(const struct texture_unit *u, const struct ir_texture_query *q, u32 lane,
                         u32 mip)
{
    const struct subresource *s = &u->sub[mip];
    const i8 *offset = q->insn->tex.offset;
    float reference = ((const float *)q->extra->c[0])[lane];
    float x = ((const float *)q->coord->c[0])[lane] * (float)s->width,
          y = ((const float *)q->coord->c[1])[lane] * (float)s->height;
    u32 n = array_layer(u, q, lane);
    if (u->mag == 1) return passes(u, s, n, whole(x) + offset[0], whole(y) + offset[1], reference);
    x -= 0.5f;
    y -= 0.5f;
    i64 ix = whole(x), iy = whole(y);
    float wx = x - (float)ix, wy = y - (float)iy, t[4];
    ix += offset[0];
    iy += offset[1];
    for (i64 k = 0; k < 4; k++) t[k] = passes(u, s, n, ix + (k & 1), iy + (k >> 1), reference);
    float top = t[0] + wx * (t[1] - t[0]), bottom = t[2] + wx * (t[3] - t[2]);
    return top + wy * (bottom - top);
}

/* No packet says which function a comparison sampler has, nor that one exists at all; LESS_EQUAL is
 * what shadow maps use. */
static float compare(const struct texture_unit *u, const struct ir_texture_query *q, u32 lane)
{
    bool levels = q->insn->op == IR_TEX_CMP && q->implicit_lod;
    float lod = levels ? clamp_level(u, quad_level(u, q, lane)) : 0.0f;
    if (u->mip == 1) return compare_mip(u, q, lane, (u32)(lod + 0.5f));
    u32 lower = (u32)lod;
    float w = lod - (float)lower, a = compare_mip(u, q, lane, lower);
    if (w == 0.0f || lower + 1 >= u->mips) return a;
    return a + w * (compare_mip(u, q, lane, lower + 1) - a);
}

bool texture_fetch(const struct texture_unit *u, const struct ir_texture_query *q,
                   struct lanes *result)
{
    static const float zero[4];
    u16 op = q->insn->op;
    bool readable = u->r && u->data, texture = readable && u->r->obj.kind == OBJ_TEXTURE;
    bool compares = op == IR_TEX_CMP || op == IR_TEX_CMP_LZ, flat = texture && !u->cube;
    bool sizes = op == IR_RESINFO || op == IR_BUFINFO;
    bool mine = op == IR_LD || op == IR_GATHER || op == IR_TEX_LOD_QUERY || sizes || compares;
    if (texture && !mine) return false;
    for (u64 left = q->active; left; left &= left - 1) {
        u32 l = (u32)__builtin_ctzll(left);
        if (sizes) {
            info(u, q, l, result);
        } else if (op == IR_LD && readable) {
            load(u, q, l, result);
        } else if (op == IR_TEX_LOD_QUERY && flat) {
            level(u, q, l, result);
        } else if (op == IR_GATHER && flat) {
            gather(u, q, l, result);
        } else if (compares && flat) {
            float v = compare(u, q, l);
            put(result, l, (const float[4]){ v, v, v, v });
        } else {
            put(result, l, readable ? zero : u->unbound);
        }
    }
    return true;
}
