/* Input layouts of Direct3D 10 and 11 (ILAY blobs): parsed once when they are created, matched to
 * the vertex shader's inputs at each draw, and the formats of their elements. Document: the
 * contract's parts "command stream", section 6.4, and "executor", section 9. */
#include "gpu/soft/ilay.h"

#include <stdlib.h>

enum { HEADER = 16, ROW = 28, SLOTS = 32, MAX_ELEMENTS = 32 };
#define APPEND 0xffffffffu

/* How components are stored. Integers arrive as they are; missing ones of an integer format are the
 * integer 1, of others 1.0. */
enum kind {
    RAW_F, /* 32-bit float */
    RAW_I, /* 32-bit integer of either sign */
    HALF,
    UNORM16,
    UINT16,
    SNORM16,
    SINT16,
    UNORM8,
    UINT8,
    SNORM8,
    SINT8,
    BGRA8,
    UNORM10, /* 10:10:10:2 */
};

struct dxgi { /* one row per DXGI_FORMAT that an element may have */
    u8 number, kind, components, bytes;
};
/* clang-format off */
static const struct dxgi formats[] = {
    { 2, RAW_F, 4, 16 },   { 3, RAW_I, 4, 16 },   { 4, RAW_I, 4, 16 },
    { 6, RAW_F, 3, 12 },   { 7, RAW_I, 3, 12 },   { 8, RAW_I, 3, 12 },
    { 10, HALF, 4, 8 },    { 11, UNORM16, 4, 8 }, { 12, UINT16, 4, 8 }, { 13, SNORM16, 4, 8 }, { 14, SINT16, 4, 8 },
    { 16, RAW_F, 2, 8 },   { 17, RAW_I, 2, 8 },   { 18, RAW_I, 2, 8 },
    { 24, UNORM10, 4, 4 },
    { 28, UNORM8, 4, 4 },  { 29, UNORM8, 4, 4 },  { 30, UINT8, 4, 4 },  { 31, SNORM8, 4, 4 },  { 32, SINT8, 4, 4 },
    { 34, HALF, 2, 4 },    { 35, UNORM16, 2, 4 }, { 36, UINT16, 2, 4 }, { 37, SNORM16, 2, 4 }, { 38, SINT16, 2, 4 },
    { 41, RAW_F, 1, 4 },   { 42, RAW_I, 1, 4 },   { 43, RAW_I, 1, 4 },
    { 49, UNORM8, 2, 2 },  { 50, UINT8, 2, 2 },   { 51, SNORM8, 2, 2 }, { 52, SINT8, 2, 2 },
    { 54, HALF, 1, 2 },    { 56, UNORM16, 1, 2 }, { 57, UINT16, 1, 2 }, { 58, SNORM16, 1, 2 }, { 59, SINT16, 1, 2 },
    { 61, UNORM8, 1, 1 },  { 62, UINT8, 1, 1 },   { 63, SNORM8, 1, 1 }, { 64, SINT8, 1, 1 },
    { 87, BGRA8, 4, 4 },   { 91, BGRA8, 4, 4 },
};
/* clang-format on */

static int find_format(u32 number)
{
    for (unsigned k = 0; k < LEN(formats); k++) {
        if (formats[k].number == number) return (int)k;
    }
    return -1;
}

struct row { /* an element as parsed */
    u32 hash, index;
    struct element element; /* input: not known yet */
};
struct ilay {
    u32 count;
    struct row rows[MAX_ELEMENTS];
};

/* ---- parsing ---- */

static bool parse_row(const u8 *p, u64 *end, struct row *out)
{
    u32 slot = ld32(p + 12), offset = ld32(p + 16);
    int format = find_format(ld32(p + 8));
    if (format < 0 || slot >= SLOTS || ld32(p + 20) > 1) return false;
    u64 at = offset == APPEND ? (end[slot] + 3) & ~3ull : offset;
    if (at > 0xffffffffu) return false;
    end[slot] = at + formats[format].bytes;
    *out = (struct row){ ld32(p),
                         ld32(p + 4),
                         { .slot = (u8)slot,
                           .type = (u8)(ELEMENT_ILAY + format),
                           .instanced = ld32(p + 20) == 1,
                           .offset = (u32)at,
                           .step_rate = ld32(p + 24) } };
    return true;
}

struct ilay *ilay_parse(const u8 *bytes, u32 size)
{
    u64 end[SLOTS] = { 0 };
    if (size < HEADER || ld32(bytes) != AGPU_ILAY_MAGIC || ld32(bytes + 4) != 1) return NULL;
    u32 count = ld32(bytes + 8);
    if (count > MAX_ELEMENTS || size - HEADER < count * ROW) return NULL;
    struct ilay *l = xalloc(sizeof(*l));
    l->count = count;
    for (u32 k = 0; k < count; k++) {
        if (parse_row(bytes + HEADER + (size_t)k * ROW, end, &l->rows[k])) continue;
        free(l);
        return NULL;
    }
    return l;
}

/* ---- matching ---- */

/* The row that feeds input register k, the nth one that the shader fetches: by the names of its
 * signature, or, of bare tokens, in order. NULL: none. */
static const struct row *find_row(const struct ir_program *vs, const struct ilay *l, u32 k, u32 nth)
{
    if (!vs->has_signatures) return nth < l->count ? &l->rows[nth] : NULL;
    for (u32 e = 0; e < vs->input_elements; e++) {
        const struct ir_element *in = &vs->elements[e];
        if (in->reg != k) continue;
        for (u32 n = 0; n < l->count; n++) {
            if (l->rows[n].hash == in->hash && l->rows[n].index == in->index) return &l->rows[n];
        }
    }
    return NULL;
}

bool ilay_match(struct draw *d, const struct ilay *l)
{
    u32 nth = 0;
    for (u32 k = 0; k < IR_MAX_INPUTS; k++) {
        if (!d->vs->input[k].used) continue;
        if (!l) return false; /* it fetches, and there is nothing to say what */
        const struct row *r = find_row(d->vs, l, k, nth++);
        if (!r) continue;
        struct element *e = &d->elements[d->element_count++];
        *e = r->element;
        e->input = (u8)k;
    }
    return true;
}

/* ---- conversion ---- */

static u32 bits(float f)
{
    u32 v;
    memcpy(&v, &f, sizeof(v));
    return v;
}

static float snorm(i32 v, float top)
{
    return MAX((float)v / top, -1.0f);
}

static u32 component(u8 kind, const u8 *p, unsigned k)
{
    switch (kind) {
    case HALF: return bits(vertex_half(ld16(p + 2 * k)));
    case UNORM16: return bits((float)ld16(p + 2 * k) / 65535.0f);
    case UINT16: return ld16(p + 2 * k);
    case SNORM16: return bits(snorm((i16)ld16(p + 2 * k), 32767.0f));
    case SINT16: return (u32)(i32)(i16)ld16(p + 2 * k);
    case UNORM8: return bits((float)p[k] / 255.0f);
    case UINT8: return p[k];
    case SNORM8: return bits(snorm((i8)p[k], 127.0f));
    case SINT8: return (u32)(i32)(i8)p[k];
    case BGRA8: return bits((float)p[k == 3 ? 3 : 2 - k] / 255.0f);
    case UNORM10:
        return bits(k == 3 ? (float)(ld32(p) >> 30) / 3.0f
                           : (float)(ld32(p) >> (10 * k) & 1023) / 1023.0f);
    default: return ld32(p + 4 * k); /* RAW_F, RAW_I */
    }
}

u32 ilay_bytes(u8 type)
{
    return formats[type - ELEMENT_ILAY].bytes;
}

void ilay_convert(u8 type, const u8 *p, u32 v[4])
{
    const struct dxgi *f = &formats[type - ELEMENT_ILAY];
    bool integer = f->kind == RAW_I || f->kind == UINT16 || f->kind == SINT16 || f->kind == UINT8 ||
                   f->kind == SINT8;
    v[0] = v[1] = v[2] = 0;
    v[3] = integer ? 1 : bits(1.0f);
    for (unsigned k = 0; k < f->components; k++) v[k] = component(f->kind, p, k);
}
