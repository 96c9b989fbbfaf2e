/* Scenes for tests that draw through the whole device: a stream in the making, helpers for the packets of Direct3D 9 and, from the middle
 * on, of Direct3D 10 and 11, and reading pixels back. */
#ifndef TESTS_AEROGPU_SCENE_H
#define TESTS_AEROGPU_SCENE_H

#include "gpu/aerogpu_cmd.h"
#include "tests/unit/aerogpu_rig.h"
#include "tests/unit/d3d9_asm.h"

enum { BACK2 = 0x280000, BACK_SIZE = 0x100000 };
enum { VS = 1, PS = 2, LAYOUT = 3, VB = 4, IB = 5, RT = 6, TEX = 7, DS = 8 };
#define ONE 0x3f800000u

/* A stream in the making, its device and one context. */
struct scene {
    struct gpu g;
    u32 words[8192], count, context;
    u64 fence;
    u32 width, height;
};

static inline void put(struct scene *s, const u32 *words, u32 n)
{
    ck_assert_uint_le(s->count + n, LEN(s->words));
    memcpy(s->words + s->count, words, n * 4);
    s->count += n;
}
#define PUT(s, ...) put(s, (const u32[]){ __VA_ARGS__ }, sizeof((const u32[]){ __VA_ARGS__ }) / 4)

static inline void send(struct scene *s)
{
    const struct agpu_alloc_header h = { AGPU_ALLOC_MAGIC, AGPU_ABI_VERSION, 24 + 32, 1, 32, 0 };
    const struct agpu_alloc_entry e = { 2, 0, BACK2, BACK_SIZE, 0 };
    memcpy(ram(&s->g, TABLE), &h, sizeof(h));
    memcpy(ram(&s->g, TABLE + 24), &e, sizeof(e));
    s->g.stream_at = STREAM;
    struct agpu_descriptor d = with_stream(&s->g, ++s->fence, 0, s->words, s->count);
    d.context_id = s->context;
    d.alloc_table_gpa = TABLE;
    d.alloc_table_size_bytes = 56;
    submit(&s->g, d);
    ck_assert_uint_eq(R64(&s->g, AGPU_R_COMPLETED_LO), s->fence);
    ck_assert_msg(R(&s->g, AGPU_R_ERROR_COUNT) == 0, "device error");
    s->count = 0;
}

static inline void blob(struct scene *s, u32 opcode, const u32 *head, u32 heads, const void *bytes, u32 size)
{
    u32 words[1024] = { opcode, (heads + 2) * 4 + ((size + 3) & ~3u) };
    memcpy(words + 2, head, heads * 4);
    memcpy(words + 2 + heads, bytes, size);
    put(s, words, words[1] / 4);
}

static inline void shader(struct scene *s, u32 handle, const char *text, enum asm_lengths lengths)
{
    struct d3d9_asm a;
    u32 size = d3d9_assemble(&a, text, lengths);
    blob(s, AGPU_CREATE_SHADER_DXBC, (const u32[]){ handle, a.ps ? AGPU_STAGE_PIXEL : AGPU_STAGE_VERTEX, size, 0 }, 4, a.words, size);
}

static inline void texture(struct scene *s, u32 handle, u32 format, u32 w, u32 h)
{
    PUT(s, AGPU_CREATE_TEXTURE2D, 56, handle, 8, format, w, h, 1, 1, 0, 0, 0, 0, 0);
}

static inline void upload(struct scene *s, u32 handle, const void *data, u32 size)
{
    blob(s, AGPU_UPLOAD_RESOURCE, (const u32[]){ handle, 0, 0, 0, size, 0 }, 6, data, size);
}

static inline void vertices(struct scene *s, const void *data, u32 size, u32 stride)
{
    PUT(s, AGPU_DESTROY_RESOURCE, 16, VB, 0, AGPU_CREATE_BUFFER, 40, VB, 1, size, 0, 0, 0, 0, 0);
    upload(s, VB, data, size);
    PUT(s, AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, VB, stride, 0, 0);
}

struct decl {
    u16 stream, offset;
    u8 type, method, usage, index;
};
static inline void layout(struct scene *s, const struct decl *d, u32 n)
{
    struct decl all[16];
    memcpy(all, d, n * sizeof(*d));
    all[n] = (struct decl){ 0xff, 0, 17, 0, 0, 0 };
    PUT(s, AGPU_DESTROY_INPUT_LAYOUT, 16, LAYOUT, 0);
    blob(s, AGPU_CREATE_INPUT_LAYOUT, (const u32[]){ LAYOUT, (n + 1) * 8, 0 }, 3, all, (n + 1) * 8);
    PUT(s, AGPU_SET_INPUT_LAYOUT, 16, LAYOUT, 0);
}

static inline void state(struct scene *s, u32 id, u32 value)
{
    PUT(s, AGPU_SET_RENDER_STATE, 16, id, value);
}

static inline void sampler(struct scene *s, u32 id, u32 value)
{
    PUT(s, AGPU_SET_SAMPLER_STATE, 24, AGPU_STAGE_PIXEL, 0, id, value);
}

static inline void constants(struct scene *s, u32 stage, u32 first, float x, float y, float z, float w)
{
    const float v[4] = { x, y, z, w };
    u32 words[4];
    memcpy(words, v, 16);
    PUT(s, AGPU_SET_SHADER_CONSTANTS_F, 40, stage, first, 1, 0, words[0], words[1], words[2], words[3]);
}

static inline void draw(struct scene *s, u32 topology, u32 count)
{
    PUT(s, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, topology, 0, AGPU_DRAW, 24, count, 1, 0, 0);
}

/* The pass-through pair: position and one colour. No dcl: no half pixel. */
__attribute__((unused)) static const char vs_color[] = "vs_2_0\nmov oPos, v0\nmov oD0, v1";
__attribute__((unused)) static const char ps_color[] = "ps_2_0\nmov oC0, v0";
struct cv {
    float x, y, z, w;
    u32 color; /* A8R8G8B8 */
};
__attribute__((unused)) static const struct decl decl_color[] = { { 0, 0, 3, 0, 0, 0 }, { 0, 16, 4, 0, 10, 0 } };

/* setting: the device's option "soft"; NULL: none */
static inline void begin_with(struct scene *s, const char *setting, u32 w, u32 h, const char *vs, const char *ps)
{
    memset(s, 0, sizeof(*s));
    if (setting)
        gpu_up_with(&s->g, "soft", setting);
    else
        gpu_up(&s->g);
    driver_start(&s->g, AGPU_IRQ_ERROR);
    s->context = 1;
    s->width = w;
    s->height = h;
    texture(s, RT, AGPU_FMT_B8G8R8A8, w, h);
    shader(s, VS, vs, ASM_STANDARD);
    shader(s, PS, ps, ASM_STANDARD);
    PUT(s, AGPU_BIND_SHADERS, 24, VS, PS, 0, 0, AGPU_SET_RENDER_TARGETS, 48, 1, 0, RT, 0, 0, 0, 0, 0, 0, 0);
    layout(s, decl_color, 2);
    state(s, 22, 1); /* no culling unless a test says so */
}

static inline void begin(struct scene *s, u32 w, u32 h, const char *vs, const char *ps)
{
    begin_with(s, NULL, w, h, vs, ps);
}

static inline void end(struct scene *s)
{
    gpu_down(&s->g);
}

/* Sends what is there and brings a texture back. */
static inline const u32 *pixels_of(struct scene *s, u32 handle, u32 format, u32 w, u32 h)
{
    PUT(s, AGPU_CREATE_TEXTURE2D, 56, 99, 8, format, w, h, 1, 1, w * 4, 2, 0, 0, 0);
    PUT(s, AGPU_COPY_TEXTURE2D, 64, 99, handle, 0, 0, 0, 0, 0, 0, 0, 0, w, h, 1, 0, AGPU_DESTROY_RESOURCE, 16, 99, 0);
    send(s);
    return (const u32 *)ram(&s->g, BACK2);
}

static inline const u32 *result(struct scene *s)
{
    return pixels_of(s, RT, AGPU_FMT_B8G8R8A8, s->width, s->height);
}

static inline u32 count_of(struct scene *s, const u32 *p, u32 color)
{
    u32 n = 0;
    for (u32 k = 0; k < s->width * s->height; k++) n += p[k] == color;
    return n;
}

/* A rectangle in clip space as a strip. */
static inline void rectangle(struct scene *s, float x0, float y0, float x1, float y1, float z, u32 color)
{
    const struct cv v[4] = { { x0, y1, z, 1, color }, { x1, y1, z, 1, color }, { x0, y0, z, 1, color }, { x1, y0, z, 1, color } };
    vertices(s, v, sizeof(v), sizeof(v[0]));
    draw(s, AGPU_TOPO_STRIP, 4);
}

/* --- textured --- */
__attribute__((unused)) static const struct decl decl_tex[] = { { 0, 0, 3, 0, 0, 0 }, { 0, 16, 1, 0, 5, 0 } };
struct tv {
    float x, y, z, w, u, v;
};
__attribute__((unused)) static const char vs_tex[] = "vs_2_0\nmov oPos, v0\nmov oT0, v1", ps_tex[] = "ps_2_0\ntexld r0, t0, s0\nmov oC0, r0";

static inline void textured(struct scene *s, float u0, float v0, float u1, float v1)
{
    const struct tv v[4] = { { -1, 1, 0, 1, u0, v0 }, { 1, 1, 0, 1, u1, v0 }, { -1, -1, 0, 1, u0, v1 }, { 1, -1, 0, 1, u1, v1 } };
    layout(s, decl_tex, 2);
    vertices(s, v, sizeof(v), sizeof(v[0]));
    PUT(s, AGPU_SET_TEXTURE, 24, AGPU_STAGE_PIXEL, 0, TEX, 0);
    draw(s, AGPU_TOPO_STRIP, 4);
}

#endif
