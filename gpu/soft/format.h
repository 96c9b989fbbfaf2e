/* Pixel formats of AeroGPU's textures: sizes, conversion to and from float, block decompression,
 * and the linear layout of mips and layers. Document: the contract's parts "command stream",
 * sections 3.4 and 5, and "executor", sections 6.5 and 11. */
#ifndef GPU_SOFT_FORMAT_H
#define GPU_SOFT_FORMAT_H

#include "gpu/aerogpu_abi.h"

enum format_class {
    FMT_CLASS_NONE,
    FMT_CLASS_8888,
    FMT_CLASS_565,
    FMT_CLASS_5551,
    FMT_CLASS_DEPTH,
    FMT_CLASS_BC
};

struct format {
    u8 klass;
    u8 block;  /* texels per side of a block: 1 or 4 */
    u8 bytes;  /* per block */
    bool srgb; /* colour is encoded; alpha never */
    bool alpha;
    bool rgba; /* red is the first byte (8888) */
};

/* NULL: unknown. */
const struct format *format_of(u32 format);
/* Whether a copy between the two moves bytes that mean the same. */
bool format_same_bits(u32 a, u32 b);
/* Whether a view of the second format may look at a texture of the first. */
bool format_viewable(u32 texture, u32 view);

/* One mip of one layer in the linear layout; offsets from the start of the texture. */
struct subresource {
    u32 width, height; /* texels */
    u32 pitch;         /* bytes from one row of blocks to the next */
    u32 rows;          /* of blocks */
    u64 offset, size;
};
/* row_pitch: of mip 0, 0 for the tight one. All arithmetic is in 64 bits; the caller caps the
 * total. */
void format_mip(const struct format *f, u32 width, u32 height, u32 row_pitch, u32 mip,
                struct subresource *out);
u64 format_layer_size(const struct format *f, u32 width, u32 height, u32 row_pitch, u32 mips);

/* --- colour: one texel of an uncompressed colour format --- */
void format_load(const struct format *f, const u8 *p, float rgba[4]);
/* Clamps, rounds to nearest, encodes sRGB when the format (or `srgb`) says so; X bytes become FFh.
 * Returns the bytes in the low end. */
u32 format_store(const struct format *f, const float rgba[4], bool srgb);

/* Float in linear light to an sRGB code and back; the round trip is the identity for all codes. */
float srgb_decode(u8 code);
const float *srgb_table(void); /* of srgb_decode: 256 */
u8 srgb_encode(float linear);
u8 unorm8(float v); /* NaN gives 0 */

/* Decompresses the 4x4 block at p into 16 RGBA8 texels, row by row. BC1, BC2, BC3 and BC7 of either
 * kind. */
void format_decode_block(u32 format, const u8 *p, u8 out[16][4]);

#endif
