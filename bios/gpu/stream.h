/* Command streams: one function a packet, in the order of the contract's part "command stream".
 * Numbers of floating point are passed by address, because programs without floating-point
 * registers build streams, too. A stream that does not fit its memory is empty at its end;
 * stream_end says so. Handles are the caller's to choose. */
#ifndef BIOS_GPU_STREAM_H
#define BIOS_GPU_STREAM_H

#include "bios/gpu/abi.h"

struct stream {
    u32 *base;
    u32 words, room; /* of 32 bits; the header is counted */
    bool too_long;
};

#define F32_ONE 0x3f800000u

/* memory: aligned to 4, stays until the submission has completed */
void stream_begin(struct stream *s, void *memory, u32 bytes);
/* Writes the header; returns the size in bytes, 0 when something did not fit. */
u32 stream_end(struct stream *s);
/* One packet: `count` words behind its header, then `bytes` bytes, padded. */
void stream_packet(struct stream *s, u32 opcode, const u32 *words, u32 count, const void *data,
                   u32 bytes);
#define STREAM(s, opcode, ...)                                                                     \
    stream_packet(s, opcode, (const u32[]){ __VA_ARGS__ },                                         \
                  sizeof((const u32[]){ __VA_ARGS__ }) / 4, NULL, 0)

/* --- resources; alloc 0: the device's own memory --- */
struct texture_desc {
    u32 format, width, height, mips, pitch, usage;
    u32 alloc, offset;
};
void stream_texture(struct stream *s, u32 handle, const struct texture_desc *t);
void stream_buffer(struct stream *s, u32 handle, u32 usage, u32 bytes, u32 alloc, u32 offset);
void stream_upload(struct stream *s, u32 handle, u32 offset, const void *data, u32 bytes);
void stream_dirty(struct stream *s, u32 handle, u32 offset, u32 bytes);
void stream_destroy(struct stream *s, u32 handle);
struct copy_desc {
    u32 dst, src, dst_x, dst_y, src_x, src_y, width, height, flags;
};
void stream_copy(struct stream *s, const struct copy_desc *c);

/* --- shaders, layouts, constants --- */
void stream_shader(struct stream *s, u32 handle, u32 stage, const u32 *tokens, u32 bytes);
void stream_bind(struct stream *s, u32 vs, u32 ps);
/* D3D9 vertex declaration; the terminating element is added. */
struct vertex_element {
    u16 stream, offset;
    u8 type, method, usage, index;
};
enum { ELEMENT_FLOAT2 = 1, ELEMENT_FLOAT3 = 2, ELEMENT_FLOAT4 = 3, ELEMENT_COLOR = 4 };
enum { USAGE_POSITION = 0, USAGE_NORMAL = 3, USAGE_TEXCOORD = 5, USAGE_COLOR = 10 };
void stream_layout(struct stream *s, u32 handle, const struct vertex_element *e, u32 count);
void stream_use_layout(struct stream *s, u32 handle);
void stream_constants(struct stream *s, u32 stage, u32 first, const void *vec4s, u32 count);

/* --- state, bindings --- */
enum { /* D3D9 render states */
       RS_ZENABLE = 7,
       RS_ZWRITE = 14,
       RS_ALPHATEST = 15,
       RS_SRCBLEND = 19,
       RS_DESTBLEND = 20,
       RS_CULL = 22,
       RS_ZFUNC = 23,
       RS_BLEND = 27,
       RS_COLORWRITE = 168,
       RS_SCISSOR = 174
};
enum { BLEND_ZERO = 1, BLEND_ONE = 2, BLEND_SRCALPHA = 5, BLEND_INVSRCALPHA = 6 };
enum { CULL_NONE = 1, CULL_CW = 2, CULL_CCW = 3 };
enum { SS_ADDRESSU = 1, SS_ADDRESSV = 2, SS_MAG = 5, SS_MIN = 6, SS_MIP = 7 };
enum { ADDRESS_WRAP = 1, ADDRESS_CLAMP = 3, FILTER_POINT = 1, FILTER_LINEAR = 2 };
void stream_state(struct stream *s, u32 state, u32 value);
void stream_sampler(struct stream *s, u32 slot, u32 state, u32 value);
void stream_use_texture(struct stream *s, u32 slot, u32 handle);
void stream_targets(struct stream *s, u32 color, u32 depth);
void stream_viewport(struct stream *s, const float xywh_min_max[6]);
void stream_use_vertices(struct stream *s, u32 buffer, u32 stride, u32 offset);
void stream_use_indices(struct stream *s, u32 buffer, u32 format);
void stream_topology(struct stream *s, u32 topology);

/* --- work --- */
void stream_clear(struct stream *s, u32 flags, const float rgba[4], u32 depth_bits);
void stream_draw(struct stream *s, u32 vertices, u32 first);
void stream_draw_indexed(struct stream *s, u32 indices, u32 first, i32 base_vertex);
void stream_present(struct stream *s, u32 flags);

#endif
