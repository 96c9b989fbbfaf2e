/* A draw by Direct3D 10's rules, in a context of its own: input layout by semantics, constant buffers, sampler object, state packets,
 * shaders of model 4. See ag.h. */
#include "ag.h"
#include "test_shaders.h"

enum { HASH_POSITION = 0x7808e88a, HASH_COLOR = 0xe7c308f8, HASH_TEXCOORD = 0x0bc45413 };
enum { RGBA32F = 2, RG32F = 16, RGBA8 = 28, APPEND = -1 };
enum { N = 16 };

struct vertex {
    float x, y, z, w, u, v;
    u32 color; /* R first */
};

static u32 shader(struct ag *a, u32 stage, const u32 *tokens, u32 bytes)
{
    stream_shader(&a->s, a->handle, stage, tokens, bytes);
    return a->handle++;
}

static u32 constants(struct ag *a, u32 stage, u32 slot, const float *v, u32 bytes)
{
    const u32 b = a->handle++;
    stream_buffer(&a->s, b, AGPU_USE_CONSTANT, bytes, 0, 0);
    stream_upload(&a->s, b, 0, v, bytes);
    STREAM(&a->s, AGPU_SET_CONSTANT_BUFFERS, stage, slot, 1, 0, b, 0, 0, 0);
    return b;
}

static void layout(struct ag *a)
{
    /* clang-format off */
    static const u32 blob[] = { /* not in the order of the shader's inputs */
        AGPU_ILAY_MAGIC, 1, 3, 0,
        HASH_COLOR,      0, RGBA8,   0, 24,          0, 0,
        HASH_POSITION,   0, RGBA32F, 0, 0,           0, 0,
        HASH_TEXCOORD,   0, RG32F,   0, (u32)APPEND, 0, 0,
    };
    /* clang-format on */
    const u32 words[] = { a->handle, sizeof(blob), 0 };
    stream_packet(&a->s, AGPU_CREATE_INPUT_LAYOUT, words, 3, blob, sizeof(blob));
    stream_use_layout(&a->s, a->handle++);
}

static void states(struct ag *a)
{
    static const float viewport[6] = { 0, 0, N, N, 0, 1 };
    struct stream *s = &a->s;
    stream_viewport(s, viewport);
    STREAM(s, AGPU_SET_BLEND_STATE, 1, AGPU_BLEND_SRC_ALPHA, AGPU_BLEND_INV_SRC_ALPHA, AGPU_OP_ADD, 0xf, AGPU_BLEND_ONE, AGPU_BLEND_ZERO,
           AGPU_OP_ADD, 0, 0, 0, 0, 0xffffffff);
    STREAM(s, AGPU_SET_DEPTH_STENCIL_STATE, 0, 0, AGPU_CMP_ALWAYS, 0, 0xffff);
    STREAM(s, AGPU_SET_RASTERIZER_STATE, AGPU_FILL_SOLID, AGPU_CULL_NONE, 0, 0, 0, 0);
    STREAM(s, AGPU_CREATE_SAMPLER, a->handle, AGPU_FILTER_NEAREST, AGPU_ADDRESS_CLAMP, AGPU_ADDRESS_CLAMP, AGPU_ADDRESS_CLAMP);
    STREAM(s, AGPU_SET_SAMPLERS, AGPU_STAGE_PIXEL, 0, 1, 0, a->handle++);
}

static void vertices(struct ag *a)
{
    static const struct vertex v[4] = { { -1, 1, 0, 1, 0, 0, 0x80ffffff }, { 1, 1, 0, 1, 1, 0, 0x80ffffff }, { -1, -1, 0, 1, 0, 1, 0x80ffffff },
                                        { 1, -1, 0, 1, 1, 1, 0x80ffffff } };
    static const u32 indices[4] = { 7, 8, 9, 10 };
    const u32 vb = a->handle++, ib = a->handle++;
    stream_buffer(&a->s, vb, AGPU_USE_VERTEX, sizeof(v), 0, 0);
    stream_upload(&a->s, vb, 0, v, sizeof(v));
    stream_use_vertices(&a->s, vb, sizeof(v[0]), 0);
    stream_buffer(&a->s, ib, AGPU_USE_INDEX, sizeof(indices), 0, 0);
    stream_upload(&a->s, ib, 0, indices, sizeof(indices));
    stream_use_indices(&a->s, ib, AGPU_INDEX_32);
    stream_topology(&a->s, AGPU_TOPO_STRIP);
}

void ag_direct3d10(struct ag *a)
{
    static const float place[4] = { 0.5f, 0.5f, 0.5f, -0.5f }; /* the lower right quarter */
    static const float tints[8] = { 0, 0, 0, 0, 1, 1, 0, 1 };  /* blue goes */
    static const u32 texels[4] = { 0xffff0000, 0xff00ff00, 0xffffffff, 0x00ffffff };
    static const float gray[4] = { 0.2f, 0.2f, 0.2f, 1 };      /* 33h */
    a->gpu.context = 2;
    const u32 target = ag_texture(a, AGPU_FMT_B8G8R8A8, N, N), t = ag_texture(a, AGPU_FMT_B8G8R8A8, 2, 2);
    stream_upload(&a->s, t, 0, texels, sizeof(texels));
    const u32 vs = shader(a, AGPU_STAGE_VERTEX, vs_four, sizeof(vs_four)), ps = shader(a, AGPU_STAGE_PIXEL, ps_four, sizeof(ps_four));
    stream_bind(&a->s, vs, ps);
    layout(a);
    states(a);
    vertices(a);
    constants(a, AGPU_STAGE_VERTEX, 0, place, sizeof(place));
    constants(a, AGPU_STAGE_PIXEL, 1, tints, sizeof(tints));
    stream_use_texture(&a->s, 0, t);
    stream_targets(&a->s, target, 0);
    stream_clear(&a->s, AGPU_CLEAR_COLOR, gray, 0);
    stream_draw_indexed(&a->s, 4, 0, -7);
    const u32 *p = ag_pixels(a, target, AGPU_FMT_B8G8R8A8, N, N);
    /* texel * 128 / 255 over 33h: red, green, yellow, and a clear texel */
    static const u32 want[4] = { 0x991919, 0x199919, 0x999919, 0x333333 };
    u32 good = 0;
    for (u32 y = 0; y < N; y++) {
        for (u32 x = 0; x < N; x++) {
            const u32 quarter = (x >= 12) + 2 * (y >= 12), v = p[y * N + x] & 0xffffff;
            good += v == (x >= 8 && y >= 8 ? want[quarter] : 0x333333);
        }
    }
    if (!ag_eq(a, "pixels", good, N * N)) {
        ag_eq(a, "first", p[8 * N + 8] & 0xffffff, want[0]);
        ag_eq(a, "last", p[15 * N + 15] & 0xffffff, want[3]);
    }
    stream_targets(&a->s, 0, 0);
    ag_send(a);
    a->gpu.context = 1;
}
