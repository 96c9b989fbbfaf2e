/* Builds command streams: see stream.h. */
#include "bios/gpu/stream.h"

static u32 f32(const float *f)
{
    return *(const u32 *)f; /* the build has -fno-strict-aliasing */
}

void stream_begin(struct stream *s, void *memory, u32 bytes)
{
    *s = (struct stream){ memory, sizeof(struct agpu_stream_header) / 4, bytes / 4, false };
}

u32 stream_end(struct stream *s)
{
    if (s->too_long) return 0;
    *(struct agpu_stream_header *)s->base =
        (struct agpu_stream_header){ AGPU_CMD_MAGIC, AGPU_ABI_VERSION, s->words * 4, 0, { 0, 0 } };
    return s->words * 4;
}

static void put_words(u32 *to, const void *from, u32 n)
{
    __asm__ volatile("cld\n rep movsl" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

void stream_packet(struct stream *s, u32 opcode, const u32 *words, u32 count, const void *data,
                   u32 bytes)
{
    const u32 size = 2 + count + (bytes + 3) / 4;
    if (size > s->room - s->words || s->too_long) {
        s->too_long = true;
        return;
    }
    u32 *to = s->base + s->words;
    s->words += size;
    to[size - 1] = 0; /* the padding */
    to[0] = opcode;
    to[1] = size * 4;
    put_words(to + 2, words, count);
    put_words(to + 2 + count, data, bytes / 4);
    for (u32 k = bytes & ~3u; k < bytes; k++) ((u8 *)(to + 2 + count))[k] = ((const u8 *)data)[k];
}

void stream_texture(struct stream *s, u32 handle, const struct texture_desc *t)
{
    STREAM(s, AGPU_CREATE_TEXTURE2D, handle, t->usage ? t->usage : AGPU_USE_TEXTURE, t->format,
           t->width, t->height, t->mips ? t->mips : 1, 1, t->pitch, t->alloc, t->offset, 0, 0);
}

void stream_buffer(struct stream *s, u32 handle, u32 usage, u32 bytes, u32 alloc, u32 offset)
{
    STREAM(s, AGPU_CREATE_BUFFER, handle, usage, (bytes + 3) & ~3u, 0, alloc, offset, 0, 0);
}

void stream_upload(struct stream *s, u32 handle, u32 offset, const void *data, u32 bytes)
{
    const u32 words[] = { handle, 0, offset, 0, bytes, 0 };
    stream_packet(s, AGPU_UPLOAD_RESOURCE, words, 6, data, bytes);
}

void stream_dirty(struct stream *s, u32 handle, u32 offset, u32 bytes)
{
    STREAM(s, AGPU_RESOURCE_DIRTY_RANGE, handle, 0, offset, 0, bytes, 0);
}

void stream_destroy(struct stream *s, u32 handle)
{
    STREAM(s, AGPU_DESTROY_RESOURCE, handle, 0);
}

void stream_copy(struct stream *s, const struct copy_desc *c)
{
    STREAM(s, AGPU_COPY_TEXTURE2D, c->dst, c->src, 0, 0, 0, 0, c->dst_x, c->dst_y, c->src_x,
           c->src_y, c->width, c->height, c->flags, 0);
}

void stream_shader(struct stream *s, u32 handle, u32 stage, const u32 *tokens, u32 bytes)
{
    const u32 words[] = { handle, stage, bytes, 0 };
    stream_packet(s, AGPU_CREATE_SHADER_DXBC, words, 4, tokens, bytes);
}

void stream_bind(struct stream *s, u32 vs, u32 ps)
{
    STREAM(s, AGPU_BIND_SHADERS, vs, ps, 0, 0);
}

void stream_layout(struct stream *s, u32 handle, const struct vertex_element *e, u32 count)
{
    struct vertex_element all[9];
    if (count > 8) count = 8;
    for (u32 k = 0; k < count; k++) all[k] = e[k];
    all[count] = (struct vertex_element){ 0xff, 0, 17, 0, 0, 0 };
    const u32 bytes = (count + 1) * sizeof(all[0]), words[] = { handle, bytes, 0 };
    stream_packet(s, AGPU_CREATE_INPUT_LAYOUT, words, 3, all, bytes);
}

void stream_use_layout(struct stream *s, u32 handle)
{
    STREAM(s, AGPU_SET_INPUT_LAYOUT, handle, 0);
}

void stream_constants(struct stream *s, u32 stage, u32 first, const void *vec4s, u32 count)
{
    const u32 words[] = { stage, first, count, 0 };
    stream_packet(s, AGPU_SET_SHADER_CONSTANTS_F, words, 4, vec4s, count * 16);
}

void stream_state(struct stream *s, u32 state, u32 value)
{
    STREAM(s, AGPU_SET_RENDER_STATE, state, value);
}

void stream_sampler(struct stream *s, u32 slot, u32 state, u32 value)
{
    STREAM(s, AGPU_SET_SAMPLER_STATE, AGPU_STAGE_PIXEL, slot, state, value);
}

void stream_use_texture(struct stream *s, u32 slot, u32 handle)
{
    STREAM(s, AGPU_SET_TEXTURE, AGPU_STAGE_PIXEL, slot, handle, 0);
}

void stream_targets(struct stream *s, u32 color, u32 depth)
{
    STREAM(s, AGPU_SET_RENDER_TARGETS, color != 0, depth, color, 0, 0, 0, 0, 0, 0, 0);
}

void stream_viewport(struct stream *s, const float xywh_min_max[6])
{
    stream_packet(s, AGPU_SET_VIEWPORT, (const u32 *)xywh_min_max, 6, NULL, 0);
}

void stream_use_vertices(struct stream *s, u32 buffer, u32 stride, u32 offset)
{
    STREAM(s, AGPU_SET_VERTEX_BUFFERS, 0, 1, buffer, stride, offset, 0);
}

void stream_use_indices(struct stream *s, u32 buffer, u32 format)
{
    STREAM(s, AGPU_SET_INDEX_BUFFER, buffer, format, 0, 0);
}

void stream_topology(struct stream *s, u32 topology)
{
    STREAM(s, AGPU_SET_PRIMITIVE_TOPOLOGY, topology, 0);
}

void stream_clear(struct stream *s, u32 flags, const float rgba[4], u32 depth_bits)
{
    STREAM(s, AGPU_CLEAR, flags, f32(rgba), f32(rgba + 1), f32(rgba + 2), f32(rgba + 3), depth_bits,
           0);
}

void stream_draw(struct stream *s, u32 vertices, u32 first)
{
    STREAM(s, AGPU_DRAW, vertices, 1, first, 0);
}

void stream_draw_indexed(struct stream *s, u32 indices, u32 first, i32 base_vertex)
{
    STREAM(s, AGPU_DRAW_INDEXED, indices, 1, first, (u32)base_vertex, 0);
}

void stream_present(struct stream *s, u32 flags)
{
    STREAM(s, AGPU_PRESENT_EX, 0, flags, 0, 0);
}
