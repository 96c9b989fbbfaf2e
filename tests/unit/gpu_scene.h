/* A small animation for tests that compare executors: a triangle in three colours, a stamp that the guest's CPU drew (a texture with
 * guest memory, named dirty), presented into scanout 0 from a target without guest memory. Each frame is one submission. */
#ifndef TESTS_GPU_SCENE_H
#define TESTS_GPU_SCENE_H

#include "gpu/aerogpu_cmd.h"
#include "tests/unit/aerogpu_rig.h"
#include "tests/unit/d3d9_asm.h"

enum { SCENE_W = 64, SCENE_H = 48, SCENE_STAMP = 0x280000, SCENE_STAMP_SIZE = 0x10000 };
enum { SC_VS = 1, SC_PS, SC_LAYOUT, SC_VB, SC_TARGET, SC_TEXTURE };

struct gpu_scene {
    u32 words[1024], count;
    u32 frame;
    u64 fence;
};

static inline void scene_put(struct gpu_scene *s, const u32 *words, u32 n)
{
    ck_assert_uint_le(s->count + n, LEN(s->words));
    memcpy(s->words + s->count, words, n * 4);
    s->count += n;
}
#define SCENE_PUT(s, ...) scene_put(s, (const u32[]){ __VA_ARGS__ }, sizeof((const u32[]){ __VA_ARGS__ }) / 4)

static inline void scene_blob(struct gpu_scene *s, u32 opcode, const u32 *head, u32 heads, const void *bytes, u32 size)
{
    u32 words[256] = { opcode, (heads + 2) * 4 + ((size + 3) & ~3u) };
    memcpy(words + 2, head, heads * 4);
    memcpy(words + 2 + heads, bytes, size);
    scene_put(s, words, words[1] / 4);
}

static inline void scene_shader(struct gpu_scene *s, u32 handle, const char *text)
{
    struct d3d9_asm a;
    u32 size = d3d9_assemble(&a, text, ASM_STANDARD);
    scene_blob(s, AGPU_CREATE_SHADER_DXBC, (const u32[]){ handle, a.ps ? AGPU_STAGE_PIXEL : AGPU_STAGE_VERTEX, size, 0 }, 4, a.words, size);
}

/* Objects and state of the first frame. */
static inline void scene_objects(struct gpu_scene *s)
{
    static const u8 layout[] = { 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 16, 0, 4, 0, 10, 0, 255, 0, 0, 0, 17, 0, 0, 0 };
    SCENE_PUT(s, AGPU_CREATE_TEXTURE2D, 56, SC_TARGET, 8, AGPU_FMT_B8G8R8X8, SCENE_W, SCENE_H, 1, 1, 0, 0, 0, 0, 0);
    SCENE_PUT(s, AGPU_CREATE_TEXTURE2D, 56, SC_TEXTURE, 8, AGPU_FMT_B8G8R8X8, 16, 16, 1, 1, 64, 1, 0, 0, 0);
    SCENE_PUT(s, AGPU_CREATE_BUFFER, 40, SC_VB, 1, 60, 0, 0, 0, 0, 0);
    scene_shader(s, SC_VS, "vs_2_0\nmov oPos, v0\nmov oD0, v1");
    scene_shader(s, SC_PS, "ps_2_0\nmov oC0, v0");
    scene_blob(s, AGPU_CREATE_INPUT_LAYOUT, (const u32[]){ SC_LAYOUT, sizeof(layout), 0 }, 3, layout, sizeof(layout));
    SCENE_PUT(s, AGPU_SET_INPUT_LAYOUT, 16, SC_LAYOUT, 0, AGPU_BIND_SHADERS, 24, SC_VS, SC_PS, 0, 0);
    SCENE_PUT(s, AGPU_SET_RENDER_TARGETS, 48, 1, 0, SC_TARGET, 0, 0, 0, 0, 0, 0, 0, AGPU_SET_RENDER_STATE, 16, 22, 1);
    SCENE_PUT(s, AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, SC_VB, 20, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_TRIANGLES, 0);
}

/* Queues the next frame and rings. */
static inline void scene_frame(struct gpu_scene *s, struct gpu *g)
{
    const float f = (float)s->frame;
    const struct {
        float x, y, z, w;
        u32 color;
    } v[3] = { { -0.9f + f / 8, -0.8f, 0.5f, 1, 0xffff0000 }, { 0.9f, -0.8f + f / 8, 0.5f, 1, 0xff00ff00 }, { -f / 8, 0.8f, 0.5f, 1, 0xff0000ff } };
    const struct agpu_alloc_header h = { AGPU_ALLOC_MAGIC, AGPU_ABI_VERSION, 24 + 32, 1, 32, 0 };
    const struct agpu_alloc_entry e = { 1, 0, SCENE_STAMP, SCENE_STAMP_SIZE, 0 };
    s->count = 0;
    for (u32 k = 0; k < 256; k++) st32(ram(g, SCENE_STAMP + k * 4), k * (0x10307 + s->frame * 0x3050));
    if (!s->frame) scene_objects(s);
    SCENE_PUT(s, AGPU_CLEAR, 36, 1, 0, 0x3f000000, 0x3f800000 - s->frame * 0x100000, 0x3f800000, 0, 0);
    scene_blob(s, AGPU_UPLOAD_RESOURCE, (const u32[]){ SC_VB, 0, 0, 0, sizeof(v), 0 }, 6, v, sizeof(v));
    SCENE_PUT(s, AGPU_DRAW, 24, 3, 1, 0, 0);
    SCENE_PUT(s, AGPU_RESOURCE_DIRTY_RANGE, 32, SC_TEXTURE, 0, 0, 0, 1024, 0);
    SCENE_PUT(s, AGPU_COPY_TEXTURE2D, 64, SC_TARGET, SC_TEXTURE, 0, 0, 0, 0, 4 + s->frame, 4, 0, 0, 16, 16, 0, 0);
    SCENE_PUT(s, AGPU_PRESENT, 16, 0, 0);
    memcpy(ram(g, TABLE), &h, sizeof(h));
    memcpy(ram(g, TABLE + 24), &e, sizeof(e));
    g->stream_at = STREAM + (s->frame & 1) * 0x10000;
    struct agpu_descriptor d = with_stream(g, ++s->fence, 0, s->words, s->count);
    d.alloc_table_gpa = TABLE;
    d.alloc_table_size_bytes = 56;
    s->frame++;
    submit(g, d);
}

/* FNV-1a over what the display shows. */
static inline u64 scene_hash(struct gpu *g)
{
    u64 h = 0xcbf29ce484222325ull;
    const struct frame *f = picture(g);
    ck_assert_uint_eq(f->width, SCENE_W);
    for (u32 k = 0; k < f->width * f->height; k++) h = (h ^ (f->pixels[k] & 0xffffff)) * 0x100000001b3ull;
    return h;
}

#endif
