/* DXBC containers: where the code and the signatures of a shader are. Only the front ends and the
 * tests include it. */
#ifndef GPU_SHADER_DXBC_H
#define GPU_SHADER_DXBC_H

#include "gpu/shader/ir.h"

enum { DXBC_MAGIC = 0x43425844 };
enum { DXBC_MAX_CHUNKS = 256, DXBC_MAX_ELEMENTS = 128 };

struct dxbc_chunk {
    const u8 *bytes; /* NULL: not there */
    u32 size;
};

struct dxbc {
    struct dxbc_chunk code, inputs, outputs;
    u32 inputs_stride, outputs_stride; /* bytes of an element */
};

/* Finds the chunks; all of them lie inside the blob. False with *why when the container is broken
 * or has no code. */
bool dxbc_open(const u8 *bytes, u32 size, struct dxbc *d, const char **why);
/* Reads a signature chunk into `out` (DXBC_MAX_ELEMENTS); returns the number of elements or -1 with
 * *why. An absent chunk has none. */
int dxbc_signature(const struct dxbc_chunk *chunk, u32 stride, struct ir_element *out,
                   const char **why);
/* FNV-1a of a name in upper case, as in ILAY blobs. */
u32 dxbc_name_hash(const char *name, u32 length);

#endif
