/* Command streams in the making and an executor without a machine, for the GPU benchmarks and the tests that compare the executor with
 * itself: packets are put one after another, gs_run() parses and executes them, gs_batch() keeps them to be executed many times. */
#ifndef TESTS_GPU_STREAM_H
#define TESTS_GPU_STREAM_H

#include <stdlib.h>

#include "gpu/soft/soft.h"
#include "tests/unit/d3d9_asm.h"

enum { GS_VS = 1, GS_PS, GS_LAYOUT, GS_VB, GS_IB, GS_RT, GS_TEX, GS_FREE = 64 };

struct gs {
    struct exec *x;
    u32 *words, count, capacity;
    u32 width, height; /* of the target */
};

/* ---- packets ---- */

static inline void gs_put(struct gs *s, const u32 *words, u32 n)
{
    if (s->count + n > s->capacity) {
        s->capacity = (s->count + n) * 2;
        s->words = realloc(s->words, s->capacity * 4ull);
    }
    memcpy(s->words + s->count, words, n * 4ull);
    s->count += n;
}
#define GS(s, ...) gs_put(s, (const u32[]){ __VA_ARGS__ }, sizeof((const u32[]){ __VA_ARGS__ }) / 4)

static inline void gs_blob(struct gs *s, u32 opcode, const u32 *head, u32 heads, const void *bytes, u32 size)
{
    u32 n = 2 + heads + (size + 3) / 4, *words = calloc(n, 4);
    words[0] = opcode;
    words[1] = n * 4;
    memcpy(words + 2, head, heads * 4ull);
    memcpy(words + 2 + heads, bytes, size);
    gs_put(s, words, n);
    free(words);
}

static inline void gs_texture(struct gs *s, u32 handle, u32 format, u32 w, u32 h, u32 mips)
{
    GS(s, AGPU_CREATE_TEXTURE2D, 56, handle, 8, format, w, h, mips, 1, 0, 0, 0, 0, 0);
}

static inline void gs_upload(struct gs *s, u32 handle, const void *data, u32 size)
{
    gs_blob(s, AGPU_UPLOAD_RESOURCE, (const u32[]){ handle, 0, 0, 0, size, 0 }, 6, data, size);
}

static inline void gs_buffer(struct gs *s, u32 handle, const void *data, u32 size)
{
    GS(s, AGPU_DESTROY_RESOURCE, 16, handle, 0, AGPU_CREATE_BUFFER, 40, handle, 1, size, 0, 0, 0, 0, 0);
    gs_upload(s, handle, data, size);
}

static inline void gs_shader(struct gs *s, u32 handle, const char *text)
{
    struct d3d9_asm a;
    u32 size = d3d9_assemble(&a, text, ASM_STANDARD);
    GS(s, AGPU_DESTROY_SHADER, 16, handle, 0);
    gs_blob(s, AGPU_CREATE_SHADER_DXBC, (const u32[]){ handle, a.ps ? AGPU_STAGE_PIXEL : AGPU_STAGE_VERTEX, size, 0 }, 4, a.words, size);
}

static inline void gs_state(struct gs *s, u32 id, u32 value)
{
    GS(s, AGPU_SET_RENDER_STATE, 16, id, value);
}

static inline void gs_sampler(struct gs *s, u32 id, u32 value)
{
    GS(s, AGPU_SET_SAMPLER_STATE, 24, AGPU_STAGE_PIXEL, 0, id, value);
}

static inline void gs_constant(struct gs *s, u32 stage, u32 first, float x, float y, float z, float w)
{
    const float v[4] = { x, y, z, w };
    gs_blob(s, AGPU_SET_SHADER_CONSTANTS_F, (const u32[]){ stage, first, 1, 0 }, 4, v, 16);
}

/* Premultiplied: the compositor's way. */
static inline void gs_blending(struct gs *s, u32 source, u32 destination)
{
    gs_state(s, 27, source != 0);
    gs_state(s, 19, source);
    gs_state(s, 20, destination);
}

static inline void gs_draw(struct gs *s, u32 topology, u32 count)
{
    GS(s, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, topology, 0, AGPU_DRAW, 24, count, 1, 0, 0);
}

/* ---- the usual scene: position, colour, texture coordinates ---- */

struct gs_vertex {
    float x, y, z, w;
    u32 color; /* A8R8G8B8 */
    float u, v;
};

static inline void gs_bind_vertices(struct gs *s, u32 buffer)
{
    GS(s, AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, buffer, sizeof(struct gs_vertex), 0, 0);
}

/* Pixels to clip space, y down. */
static inline struct gs_vertex gs_at(const struct gs *s, float px, float py, float u, float v)
{
    return (struct gs_vertex){ px / (float)s->width * 2 - 1, 1 - py / (float)s->height * 2, 0.5f, 1, 0xffffffff, u, v };
}

/* Four vertices of a strip for the rectangle [x0, x1) x [y0, y1). */
static inline void gs_rectangle(const struct gs *s, struct gs_vertex v[4], float x0, float y0, float x1, float y1, float u1, float v1)
{
    v[0] = gs_at(s, x0, y0, 0, 0);
    v[1] = gs_at(s, x1, y0, u1, 0);
    v[2] = gs_at(s, x0, y1, 0, v1);
    v[3] = gs_at(s, x1, y1, u1, v1);
}

/* The target, the pass-through vertex shader and its layout; no culling, no depth. */
static inline void gs_scene(struct gs *s, u32 w, u32 h, const char *ps)
{
    static const u16 rows[4][4] = { { 0, 0, 3, 0 }, { 0, 16, 4, 10 }, { 0, 20, 1, 5 }, { 0xff, 0, 17, 0 } };
    s->width = w;
    s->height = h;
    gs_texture(s, GS_RT, AGPU_FMT_B8G8R8X8, w, h, 1);
    gs_shader(s, GS_VS, "vs_2_0\nmov oPos, v0\nmov oD0, v1\nmov oT0, v2");
    gs_shader(s, GS_PS, ps);
    gs_blob(s, AGPU_CREATE_INPUT_LAYOUT, (const u32[]){ GS_LAYOUT, sizeof(rows), 0 }, 3, rows, sizeof(rows));
    GS(s, AGPU_BIND_SHADERS, 24, GS_VS, GS_PS, 0, 0, AGPU_SET_INPUT_LAYOUT, 16, GS_LAYOUT, 0);
    GS(s, AGPU_SET_RENDER_TARGETS, 48, 1, 0, GS_RT, 0, 0, 0, 0, 0, 0, 0);
    GS(s, AGPU_SET_VIEWPORT, 32, 0, 0, 0, 0, 0, 0);
    const float view[6] = { 0, 0, (float)w, (float)h, 0, 1 };
    memcpy(s->words + s->count - 6, view, sizeof(view));
    gs_state(s, 22, 1);
    gs_state(s, 7, 0);
}

/* ---- running ---- */

static inline void gs_done(void *opaque, struct exec_batch *b)
{
    (void)opaque, (void)b;
}
static inline bool gs_no_read(void *opaque, u64 gpa, void *buf, u64 len)
{
    (void)opaque, (void)gpa, (void)buf, (void)len;
    return false;
}
static inline bool gs_no_write(void *opaque, u64 gpa, const void *buf, u64 len)
{
    (void)opaque, (void)gpa, (void)buf, (void)len;
    return false;
}
static inline bool gs_no_scanout(void *opaque, struct exec_scanout *s)
{
    (void)opaque, (void)s;
    return false;
}

static inline void gs_begin(struct gs *s, const struct exec_tuning *tuning)
{
    struct exec_host host = { .done = gs_done, .read = gs_no_read, .write = gs_no_write, .scanout = gs_no_scanout };
    struct error e = { 0 };
    if (tuning) host.tuning = *tuning;
    memset(s, 0, sizeof(*s));
    s->x = exec_soft.create(&host, &e);
}

static inline void gs_end(struct gs *s)
{
    exec_soft.reset(s->x, EXEC_FORGET_ALL);
    exec_soft.destroy(s->x);
    free(s->words);
}

/* What was put so far as a batch that can be submitted often; exec_batch_free() it. */
static inline struct exec_batch *gs_batch(struct gs *s)
{
    struct exec_batch *b = calloc(1, sizeof(*b));
    const struct agpu_stream_header h = { AGPU_CMD_MAGIC, AGPU_ABI_VERSION, 24 + s->count * 4, 0, { 0 } };
    b->bytes = malloc(h.size_bytes);
    b->context_id = 1;
    memcpy(b->bytes, &h, sizeof(h));
    memcpy(b->bytes + sizeof(h), s->words, s->count * 4ull);
    acmd_parse(&b->stream, b->bytes, h.size_bytes);
    s->count = 0;
    return b;
}

static inline void gs_run(struct gs *s)
{
    struct exec_batch *b = gs_batch(s);
    exec_soft.submit(s->x, b);
    exec_batch_free(b);
}

/* FNV-1a of a texture's bytes. */
static inline u64 gs_checksum(struct gs *s, u32 handle)
{
    const struct resource *r = texture_find(&s->x->objects, handle);
    u64 h = 0xcbf29ce484222325ull;
    for (u64 k = 0; r && k < r->size; k++) h = (h ^ r->data[k]) * 0x100000001b3ull;
    return h;
}

/* Noise that every run gives again. */
static inline u32 gs_random(u32 *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

#endif
