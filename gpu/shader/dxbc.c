/* DXBC containers (dxbc.h). Bounds are strict, everything else is lenient: the checksum, the
 * version and the total size are not compared with anything, unknown chunks are skipped, sizes need
 * not be multiples of four. Document: the contract's part "executor", section 10.1. */
#include "gpu/shader/dxbc.h"

#define FOURCC(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

/* Notes a chunk that somebody needs; the first one of its kind counts. */
static void note_chunk(struct dxbc *d, u32 fourcc, const u8 *bytes, u32 size)
{
    struct dxbc_chunk *c = NULL;
    u32 *stride = NULL, bytes_each = 24;
    switch (fourcc) {
    case FOURCC('S', 'H', 'D', 'R'):
    case FOURCC('S', 'H', 'E', 'X'): c = &d->code; break;
    case FOURCC('I', 'S', 'G', 'N'): c = &d->inputs, stride = &d->inputs_stride; break;
    case FOURCC('I', 'S', 'G', '1'):
        c = &d->inputs, stride = &d->inputs_stride, bytes_each = 32;
        break;
    case FOURCC('O', 'S', 'G', 'N'): c = &d->outputs, stride = &d->outputs_stride; break;
    case FOURCC('O', 'S', 'G', '5'):
        c = &d->outputs, stride = &d->outputs_stride, bytes_each = 28;
        break;
    case FOURCC('O', 'S', 'G', '1'):
        c = &d->outputs, stride = &d->outputs_stride, bytes_each = 32;
        break;
    default: return;
    }
    if (c->bytes) return;
    *c = (struct dxbc_chunk){ bytes, size };
    if (stride) *stride = bytes_each;
}

bool dxbc_open(const u8 *bytes, u32 size, struct dxbc *d, const char **why)
{
    memset(d, 0, sizeof(*d));
    *why = "container ends early";
    if (size < 32 || ld32(bytes) != DXBC_MAGIC) return false;
    u32 count = ld32(bytes + 28);
    if (count > DXBC_MAX_CHUNKS || 32 + 4 * count > size) return false;
    *why = "chunk outside of its container";
    for (u32 k = 0; k < count; k++) {
        u32 at = ld32(bytes + 32 + 4 * k);
        if (at > size || size - at < 8) return false;
        u32 n = ld32(bytes + at + 4);
        if (n > size - at - 8) return false;
        note_chunk(d, ld32(bytes + at), bytes + at + 8, n);
    }
    *why = "container without code";
    return d->code.bytes && d->code.size >= 8;
}

u32 dxbc_name_hash(const char *name, u32 length)
{
    u32 hash = 2166136261u;
    for (u32 k = 0; k < length; k++) {
        u8 c = (u8)name[k];
        if (c >= 'a' && c <= 'z') c = (u8)(c - 32);
        hash = (hash ^ c) * 16777619u;
    }
    return hash;
}

/* What a pixel shader's output is: the compilers leave the system value of these at 0. */
static u8 system_by_name(u32 hash, u8 given)
{
    if (hash == IR_HASH_SV_TARGET) return IR_SV_TARGET;
    if (hash == IR_HASH_SV_DEPTH || hash == IR_HASH_SV_DEPTH_GE || hash == IR_HASH_SV_DEPTH_LE)
        return IR_SV_DEPTH;
    return given;
}

int dxbc_signature(const struct dxbc_chunk *chunk, u32 stride, struct ir_element *out,
                   const char **why)
{
    if (!chunk->bytes) return 0;
    *why = "signature larger than its chunk";
    if (chunk->size < 8) return -1;
    u32 count = ld32(chunk->bytes), first = ld32(chunk->bytes + 4);
    if (count > DXBC_MAX_ELEMENTS || first > chunk->size || count * stride > chunk->size - first)
        return -1;
    *why = "name outside of its signature";
    for (u32 k = 0; k < count; k++) {
        const u8 *e = chunk->bytes + first + k * stride + (stride > 24 ? 4 : 0);
        u32 name = ld32(e), reg = ld32(e + 16);
        if (name >= chunk->size) return -1;
        const char *text = (const char *)chunk->bytes + name;
        const char *end = memchr(text, 0, chunk->size - name);
        if (!end) return -1;
        u32 hash = dxbc_name_hash(text, (u32)(end - text)), system = ld32(e + 8);
        out[k] = (struct ir_element){ .hash = hash,
                                      .index = ld32(e + 4),
                                      .reg = reg < IR_MAX_INPUTS ? (u8)reg : IR_NO_REGISTER,
                                      .mask = e[20] & 15,
                                      .system = system_by_name(hash, system < 255 ? (u8)system : 0),
                                      .type = e[12] & 3 };
    }
    return (int)count;
}
