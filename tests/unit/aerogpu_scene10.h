/* Scenes of Direct3D 10 and 11 (aerogpu_scene.h has the rest): shaders as SM4 text, ILAY layouts, state packets. */
#ifndef TESTS_AEROGPU_SCENE10_H
#define TESTS_AEROGPU_SCENE10_H

#include "tests/unit/aerogpu_scene.h"
#include "tests/unit/sm4_asm.h"

/* What the driver sends for "no viewport": the whole target. */
#define VIEWPORT_WHOLE AGPU_SET_VIEWPORT, 32, 0, 0, 0, 0, 0, ONE
#define TARGET1(handle, depth) AGPU_SET_RENDER_TARGETS, 48, 1, depth, handle, 0, 0, 0, 0, 0, 0, 0
#define DEPTH_STATE(test, write, func) AGPU_SET_DEPTH_STENCIL_STATE, 28, test, write, func, 0, 0xffff
#define RASTER(fill, cull, ccw, scissor, bias, flags) AGPU_SET_RASTERIZER_STATE, 32, fill, cull, ccw, scissor, bias, flags
#define CLEAR_COLOR(r, g, b, a) AGPU_CLEAR, 36, 1, r, g, b, a, 0, 0

static inline u32 bits(float f)
{
    u32 v;
    memcpy(&v, &f, 4);
    return v;
}

static inline u32 fnv(const char *name)
{
    u32 h = 2166136261u;
    for (; *name; name++) h = (h ^ (u8)(*name >= 'a' && *name <= 'z' ? *name - 32 : *name)) * 16777619u;
    return h;
}

static inline void near_color(u32 got, u32 want, const char *what)
{
    for (u32 k = 0; k < 4; k++) {
        i32 d = (i32)(got >> 8 * k & 255) - (i32)(want >> 8 * k & 255);
        ck_assert_msg(d >= -1 && d <= 1, "%s: %08x, expected %08x", what, got, want);
    }
}

static inline void shader4(struct scene *s, u32 handle, const char *text, enum sm4_form form)
{
    static struct sm4_asm a;
    u32 size = sm4_assemble(&a, text, form);
    PUT(s, AGPU_DESTROY_SHADER, 16, handle, 0);
    blob(s, AGPU_CREATE_SHADER_DXBC, (const u32[]){ handle, a.ps ? AGPU_STAGE_PIXEL : AGPU_STAGE_VERTEX, size, 0 }, 4, a.words, size);
}

struct ilay_row {
    u32 hash, index, format, slot, offset, instanced, step;
};
#define APPEND 0xffffffffu

static inline void layout4(struct scene *s, const struct ilay_row *rows, u32 n)
{
    u32 words[4 + 7 * 40] = { AGPU_ILAY_MAGIC, 1, n, 0 };
    memcpy(words + 4, rows, n * sizeof(*rows));
    PUT(s, AGPU_DESTROY_INPUT_LAYOUT, 16, LAYOUT, 0);
    blob(s, AGPU_CREATE_INPUT_LAYOUT, (const u32[]){ LAYOUT, 16 + n * 28, 0 }, 3, words, 16 + n * 28);
    PUT(s, AGPU_SET_INPUT_LAYOUT, 16, LAYOUT, 0);
}

/* Position and a colour of four floats. */
struct v4 {
    float x, y, z, w, r, g, b, a;
};
#define VS_DECLS                                                                                                                             \
    "vs_4_0\n.in POSITION v0.xyzw\n.in COLOR v1.xyzw\n.out SV_Position o0.xyzw\n.out COLOR o1.xyzw\n"                                      \
    "dcl_input v0.xyzw\ndcl_input v1.xyzw\ndcl_output_siv o0.xyzw, position\ndcl_output o1.xyzw\n"
#define PS_DECLS "ps_4_0\n.in SV_Position v0.xyzw\n.in COLOR v1.xyzw\n.out SV_Target o0.xyzw\ndcl_output o0.xyzw\n"
#define VS4 VS_DECLS "mov o0.xyzw, v0.xyzw\nmov o1.xyzw, v1.xyzw\nret"
#define PS4 PS_DECLS "dcl_input_ps linear v1.xyzw\nmov o0.xyzw, v1.xyzw\nret"

static inline void layout_v4(struct scene *s)
{
    layout4(s, (const struct ilay_row[]){ { 0x7808e88a, 0, 2, 0, 0, 0, 0 }, { 0xe7c308f8, 0, 2, 0, APPEND, 0, 0 } }, 2);
}

/* A device with one BGRA8 target, both shaders, the layout of v4; no culling, no depth. */
static inline void begin4(struct scene *s, u32 w, u32 h, const char *vs, const char *ps)
{
    memset(s, 0, sizeof(*s));
    gpu_up(&s->g);
    driver_start(&s->g, AGPU_IRQ_ERROR);
    s->context = 1;
    s->width = w;
    s->height = h;
    texture(s, RT, AGPU_FMT_B8G8R8A8, w, h);
    shader4(s, VS, vs, SM4_DXBC);
    shader4(s, PS, ps, SM4_DXBC);
    PUT(s, AGPU_BIND_SHADERS, 24, VS, PS, 0, 0, TARGET1(RT, 0), VIEWPORT_WHOLE, RASTER(0, 0, 0, 0, 0, 0));
    layout_v4(s);
}

static inline void quad4(struct scene *s, float x0, float y0, float x1, float y1, float z, float r, float g, float b, float a)
{
    const struct v4 v[4] = { { x0, y1, z, 1, r, g, b, a }, { x1, y1, z, 1, r, g, b, a }, { x0, y0, z, 1, r, g, b, a }, { x1, y0, z, 1, r, g, b, a } };
    vertices(s, v, sizeof(v), sizeof(v[0]));
    draw(s, AGPU_TOPO_STRIP, 4);
}

static inline void whole4(struct scene *s, float r, float g, float b, float a)
{
    quad4(s, -1, -1, 1, 1, 0.5f, r, g, b, a);
}

static inline void clear4(struct scene *s)
{
    PUT(s, CLEAR_COLOR(0, 0, 0, 0));
}

/* A texture of mips and layers with texels, and a buffer with bytes. */
static inline void texture4(struct scene *s, u32 handle, u32 format, u32 w, u32 h, u32 mips, u32 layers, const void *texels, u32 size)
{
    PUT(s, AGPU_DESTROY_RESOURCE, 16, handle, 0, AGPU_CREATE_TEXTURE2D, 56, handle, 8, format, w, h, mips, layers, 0, 0, 0, 0, 0);
    if (texels) upload(s, handle, texels, size);
}

static inline void buffer4(struct scene *s, u32 handle, const void *bytes, u32 size)
{
    PUT(s, AGPU_DESTROY_RESOURCE, 16, handle, 0, AGPU_CREATE_BUFFER, 40, handle, 4, size, 0, 0, 0, 0, 0);
    upload(s, handle, bytes, size);
}

static inline void bind_texture(struct scene *s, u32 stage, u32 slot, u32 handle)
{
    PUT(s, AGPU_SET_TEXTURE, 24, stage, slot, handle, 0);
}

#endif
