/* Vertex input: declarations, fetching and conversion to float4.
 * Document: the contract's parts "command stream", section 6.3, and "executor", section 7.3. */
#include "gpu/soft/ilay.h"

enum { /* types of D3D9 declarations; their numbers */
       V_FLOAT1,
       V_FLOAT2,
       V_FLOAT3,
       V_FLOAT4,
       V_COLOR,
       V_UBYTE4,
       V_SHORT2,
       V_SHORT4,
       V_UBYTE4N,
       V_SHORT2N,
       V_SHORT4N,
       V_USHORT2N,
       V_USHORT4N,
       V_UDEC3,
       V_DEC3N,
       V_HALF2,
       V_HALF4,
       V_UNUSED,
};
static const u8 type_bytes[V_UNUSED] = { 4, 8, 12, 16, 4, 4, 4, 8, 4, 4, 8, 4, 8, 4, 4, 4, 8 };

/* ---- declarations ---- */

struct declared { /* one row of a vertex declaration: 8 bytes */
    u16 stream, offset;
    u8 type, method, usage, usage_index;
};

/* The input register that row n of the declaration feeds; -1: none. */
static int find_input(const struct ir_program *vs, const struct declared *e, unsigned n,
                      bool by_usage)
{
    if (!by_usage) return n < IR_MAX_INPUTS && vs->input[n].used ? (int)n : -1;
    u8 usage = e->usage == IR_USAGE_POSITIONT ? IR_USAGE_POSITION : e->usage;
    for (unsigned k = 0; k < 16; k++) {
        const struct ir_port *p = &vs->input[k];
        u8 want = p->usage == IR_USAGE_POSITIONT ? IR_USAGE_POSITION : p->usage;
        if (p->used && p->declared && want == usage && p->usage_index == e->usage_index)
            return (int)k;
    }
    return -1;
}

bool vertex_layout(struct draw *d, const struct blob *layout)
{
    bool by_usage = d->vs->has_dcl;
    unsigned rows = 0;
    for (unsigned k = 0; k < 16; k++) {
        if (d->vs->input[k].used && !d->vs->input[k].declared) by_usage = false;
    }
    d->element_count = 0;
    for (u32 at = 0; at + 8 <= layout->size && rows < 64; at += 8) {
        struct declared e;
        memcpy(&e, layout->bytes + at, sizeof(e));
        if (e.stream == 0xff) return true;
        if (e.type >= V_UNUSED) continue;
        int input = e.stream < 16 ? find_input(d->vs, &e, rows, by_usage) : -1;
        rows++;
        if (input < 0 || d->element_count == LEN(d->elements)) continue;
        d->elements[d->element_count++] = (struct element){
            .slot = (u8)e.stream, .input = (u8)input, .type = e.type, .offset = e.offset
        };
    }
    return rows != 0; /* without an end it is taken as far as it goes */
}

/* ---- conversion ---- */

float vertex_half(u16 h)
{
    u32 sign = (u32)(h >> 15) << 31, e = h >> 10 & 31, m = h & 1023, bits;
    float f;
    if (e == 31) {
        bits = sign | 0x7f800000 | m << 13;
    } else if (e) {
        bits = sign | (e + 112) << 23 | m << 13;
    } else {
        f = (float)m / 16777216.0f;
        return sign ? -f : f;
    }
    memcpy(&f, &bits, sizeof(f));
    return f;
}

static i32 s16(const u8 *p)
{
    return (i16)ld16(p);
}

static i32 dec3(u32 v, unsigned shift)
{
    return (i32)(v << (22 - shift)) >> 22;
}

/* p: 16 bytes */
static void convert(u8 type, const u8 *p, float v[4])
{
    v[0] = v[1] = v[2] = 0.0f;
    v[3] = 1.0f;
    switch (type) {
    case V_FLOAT1:
    case V_FLOAT2:
    case V_FLOAT3:
    case V_FLOAT4: memcpy(v, p, 4 * (size_t)(type + 1)); break;
    case V_COLOR:
        for (int k = 0; k < 4; k++) v[k] = (float)p[k == 3 ? 3 : 2 - k] / 255.0f;
        break;
    case V_UBYTE4:
        for (int k = 0; k < 4; k++) v[k] = p[k];
        break;
    case V_UBYTE4N:
        for (int k = 0; k < 4; k++) v[k] = (float)p[k] / 255.0f;
        break;
    case V_SHORT2:
    case V_SHORT4:
        for (int k = 0; k < (type == V_SHORT2 ? 2 : 4); k++) v[k] = (float)s16(p + 2 * k);
        break;
    case V_SHORT2N:
    case V_SHORT4N:
        for (int k = 0; k < (type == V_SHORT2N ? 2 : 4); k++)
            v[k] = MAX((float)s16(p + 2 * k) / 32767.0f, -1.0f);
        break;
    case V_USHORT2N:
    case V_USHORT4N:
        for (int k = 0; k < (type == V_USHORT2N ? 2 : 4); k++)
            v[k] = (float)ld16(p + 2 * k) / 65535.0f;
        break;
    case V_UDEC3:
        for (unsigned k = 0; k < 3; k++) v[k] = (float)(ld32(p) >> (10 * k) & 1023);
        break;
    case V_DEC3N:
        for (unsigned k = 0; k < 3; k++) v[k] = MAX((float)dec3(ld32(p), 10 * k) / 511.0f, -1.0f);
        break;
    case V_HALF2:
    case V_HALF4:
        for (int k = 0; k < (type == V_HALF2 ? 2 : 4); k++) v[k] = vertex_half(ld16(p + 2 * k));
        break;
    default: break;
    }
}

/* Bytes past the end of the buffer read 0, dword by dword. */
static void fetch_bytes(const struct vertex_stream *s, u64 at, u32 bytes, u8 out[16])
{
    memset(out, 0, 16);
    if (!s->data || at >= s->size) return;
    u64 left = s->size - at;
    memcpy(out, s->data + at, bytes <= left ? bytes : left & ~3ull);
}

/* Element e of one vertex, as bits. */
static void fetch_one(const struct draw *d, const struct element *e, u32 id, u32 out[4])
{
    const struct vertex_stream *s = &d->streams[e->slot];
    bool ilay = e->type >= ELEMENT_ILAY;
    u8 bytes[16];
    i64 index = (i32)id;
    if (e->instanced)
        index = (i64)d->first_instance + (e->step_rate ? d->instance / e->step_rate : 0);
    u64 at = index < 0 ? UINT64_MAX : (u64)index * s->stride + s->offset + e->offset;
    fetch_bytes(s, at, ilay ? ilay_bytes(e->type) : type_bytes[e->type], bytes);
    if (ilay) {
        ilay_convert(e->type, bytes, out);
    } else {
        float v[4];
        convert(e->type, bytes, v);
        memcpy(out, v, sizeof(v));
    }
}

void vertex_fetch(struct draw *d, const u32 *ids, u32 count)
{
    struct lanes *in = d->vs_state->inputs;
    for (unsigned k = 0; k < IR_MAX_INPUTS; k++) {
        if (!d->vs->input[k].used) continue;
        memset(&in[k], 0, sizeof(in[k]));
        for (u32 l = 0; l < count && d->d3d9; l++) lanes_f(&in[k], 3)[l] = 1.0f;
    }
    for (u32 n = 0; n < d->element_count; n++) {
        const struct element *e = &d->elements[n];
        for (u32 l = 0; l < count; l++) {
            u32 v[4];
            fetch_one(d, e, ids[l], v);
            for (unsigned c = 0; c < 4; c++) in[e->input].c[c][l] = v[c];
        }
    }
}
