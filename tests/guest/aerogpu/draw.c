/* Streams that move and draw pixels, looked at in guest memory. See ag.h. */
#include "ag.h"
#include "test_shaders.h"

#define SHADER(a, stage, tokens) new_shader(a, stage, tokens, sizeof(tokens))
enum { W = 64, H = 48 };

static const float black[4] = { 0, 0, 0, 0 }, white[4] = { 1, 1, 1, 1 };

static u32 new_shader(struct ag *a, u32 stage, const u32 *tokens, u32 bytes)
{
    stream_shader(&a->s, a->handle, stage, tokens, bytes);
    return a->handle++;
}

static u32 count(const u32 *p, u32 n, u32 value)
{
    u32 found = 0;
    for (u32 k = 0; k < n; k++) found += p[k] == value;
    return found;
}

/* --- resources --- */

/* An executor that draws nothing: fences complete, memory stays. */
void ag_nothing_drawn(struct ag *a)
{
    u32 *back = (u32 *)(word)AT_BACK;
    const struct texture_desc t = { .format = AGPU_FMT_B8G8R8A8, .width = W, .height = H, .pitch = W * 4, .alloc = ALLOC_BACK };
    for (u32 k = 0; k < W * H; k++) back[k] = 0x5a5a5a5a;
    stream_texture(&a->s, a->handle, &t);
    stream_targets(&a->s, a->handle++, 0);
    stream_clear(&a->s, AGPU_CLEAR_COLOR, white, 0);
    ag_send(a);
    ag_eq(a, "memory stays", count(back, W * H, 0x5a5a5a5a), W * H);
}

/* A target in guest memory is written back before its fence. */
void ag_clear(struct ag *a)
{
    static const float color[4] = { 0.2f, 0.4f, 0.6f, 0.8f }; /* 51, 102, 153, 204 */
    static const struct {
        u32 format, want;
    } kinds[] = { { AGPU_FMT_B8G8R8A8, 0xcc336699 }, { AGPU_FMT_B8G8R8X8, 0xff336699 }, { AGPU_FMT_R8G8B8A8, 0xcc996633 } };
    volatile u32 *back = (volatile u32 *)(word)AT_BACK;
    for (unsigned k = 0; k < LEN(kinds); k++) {
        const struct texture_desc t = { .format = kinds[k].format, .width = W, .height = H, .pitch = W * 4 + 32, .alloc = ALLOC_BACK, .offset = 4096 };
        for (u32 n = 0; n < 0x8000; n++) back[n] = 0x77777777;
        stream_texture(&a->s, a->handle, &t);
        stream_targets(&a->s, a->handle, 0);
        stream_clear(&a->s, AGPU_CLEAR_COLOR, color, 0);
        stream_destroy(&a->s, a->handle++);
        ag_send(a);
        const u32 *p = (const u32 *)(word)(AT_BACK + 4096);
        u32 good = 0;
        for (u32 y = 0; y < H; y++) good += count(p + y * (W + 8), W, kinds[k].want);
        ag_eq(a, "pixels of the colour", good, W * H);
        ag_eq(a, "padding stays", p[W], 0x77777777);
        ag_eq(a, "before it", p[-1], 0x77777777);
        ag_eq(a, "behind it", p[H * (W + 8)], 0x77777777);
    }
}

void ag_upload(struct ag *a)
{
    static u32 px[W * H];
    for (u32 k = 0; k < W * H; k++) px[k] = k * 0x9e3779b9u;
    const u32 t = ag_texture(a, AGPU_FMT_B8G8R8A8, W, H);
    stream_upload(&a->s, t, 0, px, sizeof(px));
    const u32 *p = ag_pixels(a, t, AGPU_FMT_B8G8R8A8, W, H);
    ag_eq(a, "whole", memcmp(p, px, sizeof(px)), 0);
    stream_upload(&a->s, t, 4 * (W + 5) + 1, "\x11\x22\x33\x44\x55", 5); /* ends anywhere */
    memcpy((u8 *)px + 4 * (W + 5) + 1, "\x11\x22\x33\x44\x55", 5);
    p = ag_pixels(a, t, AGPU_FMT_B8G8R8A8, W, H);
    ag_eq(a, "five bytes", memcmp(p, px, sizeof(px)), 0);
    const u32 first = a->handle; /* a buffer, through COPY_BUFFER with write-back */
    a->handle += 2;
    stream_buffer(&a->s, first, AGPU_USE_VERTEX, 4096, 0, 0);
    stream_buffer(&a->s, first + 1, AGPU_USE_VERTEX, 4096, ALLOC_BACK, 0x2000);
    stream_upload(&a->s, first, 256, px, 1024);
    STREAM(&a->s, AGPU_COPY_BUFFER, first + 1, first, 512, 0, 256, 0, 1024, 0, AGPU_COPY_WRITEBACK_DST, 0);
    ag_send(a);
    ag_eq(a, "buffer", memcmp((void *)(word)(AT_BACK + 0x2000 + 512), px, 1024), 0);
}

void ag_copies(struct ag *a)
{
    static u32 px[W * H];
    for (u32 k = 0; k < W * H; k++) px[k] = 0xff000000 | k;
    const u32 src = ag_texture(a, AGPU_FMT_B8G8R8A8, W, H), dst = ag_texture(a, AGPU_FMT_B8G8R8A8, W, H);
    stream_upload(&a->s, src, 0, px, sizeof(px));
    const struct copy_desc part = { .dst = dst, .src = src, .dst_x = 3, .dst_y = 5, .src_x = 10, .src_y = 20, .width = 17, .height = 9 };
    stream_copy(&a->s, &part);
    const u32 *p = ag_pixels(a, dst, AGPU_FMT_B8G8R8A8, W, H);
    u32 good = 0;
    for (u32 y = 0; y < H; y++) {
        for (u32 x = 0; x < W; x++) {
            const bool in = x >= 3 && x < 20 && y >= 5 && y < 14;
            good += p[y * W + x] == (in ? px[(y + 15) * W + x + 7] : 0);
        }
    }
    ag_eq(a, "a rectangle", good, W * H);
    const struct copy_desc over = { .dst = src, .src = src, .dst_x = 1, .dst_y = 1, .width = W - 1, .height = H - 1 };
    stream_copy(&a->s, &over);
    p = ag_pixels(a, src, AGPU_FMT_B8G8R8A8, W, H);
    ag_eq(a, "overlapping, first", p[W + 1], px[0]);
    ag_eq(a, "overlapping, last", p[W * H - 1], px[(H - 2) * W + W - 2]);
    /* a rectangle beyond its target is dropped whole, in silence: an error would stop the Windows driver */
    const struct copy_desc outside = { .dst = dst, .src = src, .dst_x = 50, .dst_y = 0, .width = 20, .height = 4 };
    stream_copy(&a->s, &outside);
    p = ag_pixels(a, dst, AGPU_FMT_B8G8R8A8, W, H);
    ag_eq(a, "nothing beyond the edge", count(p, W * 4, 0), W * 4);
}

/* What the processor changed in a backed texture is seen where RESOURCE_DIRTY_RANGE says so. */
void ag_dirty(struct ag *a)
{
    u32 *back = (u32 *)(word)AT_BACK;
    const u32 t = a->handle++;
    const struct texture_desc d = { .format = AGPU_FMT_B8G8R8A8, .width = W, .height = H, .pitch = W * 4, .alloc = ALLOC_BACK };
    for (u32 k = 0; k < W * H; k++) back[k] = 0x01010101 * (k & 63);
    stream_texture(&a->s, t, &d);
    const u32 *p = ag_pixels(a, t, AGPU_FMT_B8G8R8A8, W, H);
    ag_eq(a, "at first", memcmp(p, back, W * H * 4), 0);
    for (u32 k = 0; k < W * H; k++) back[k] = 0xffffffff;
    stream_dirty(&a->s, t, 10 * W * 4, 2 * W * 4);
    p = ag_pixels(a, t, AGPU_FMT_B8G8R8A8, W, H);
    ag_eq(a, "the dirty rows", count(p + 10 * W, 2 * W, 0xffffffff), 2 * W);
    ag_eq(a, "the others are the device's", count(p, W * H, 0xffffffff), 2 * W);
}

void ag_readonly(struct ag *a)
{
    volatile u32 *back = (volatile u32 *)(word)(AT_BACK + BACK_SIZE);
    const struct texture_desc d = { .format = AGPU_FMT_B8G8R8A8, .width = 16, .height = 16, .pitch = 64, .alloc = ALLOC_LOCKED };
    const u32 t = a->handle++, errors = ag_rd(a, AGPU_R_ERROR_COUNT);
    for (u32 k = 0; k < 256; k++) back[k] = 0x12121212;
    const u32 own = ag_texture(a, AGPU_FMT_B8G8R8A8, 16, 16);
    const struct copy_desc c = { .dst = t, .src = own, .width = 16, .height = 16, .flags = AGPU_COPY_WRITEBACK_DST };
    stream_texture(&a->s, t, &d);
    stream_copy(&a->s, &c);
    const u64 fence = ag_submit(a, 0);
    ag_true(a, "fence completes", ag_wait(a, fence, 2000));
    ag_expect_error(a, AGPU_E_BACKEND, fence, errors);
    u32 stay = 0;
    for (u32 k = 0; k < 256; k++) stay += back[k] == 0x12121212;
    ag_eq(a, "memory stays", stay, 256);
    ag_begin(a);
}

void ag_shared(struct ag *a)
{
    static const float color[4] = { 1, 0, 0, 1 };
    const u32 t = ag_texture(a, AGPU_FMT_B8G8R8A8, 16, 16), alias = a->handle++;
    STREAM(&a->s, AGPU_EXPORT_SHARED_SURFACE, t, 0, 0x1234, 0x5678);
    ag_send(a);
    STREAM(&a->s, AGPU_IMPORT_SHARED_SURFACE, alias, 0, 0x1234, 0x5678);
    stream_targets(&a->s, alias, 0);
    stream_clear(&a->s, AGPU_CLEAR_COLOR, color, 0);
    stream_targets(&a->s, 0, 0);
    const u32 *p = ag_pixels(a, t, AGPU_FMT_B8G8R8A8, 16, 16);
    ag_eq(a, "drawn through the alias", count(p, 256, 0xffff0000), 256);
    stream_destroy(&a->s, t);
    STREAM(&a->s, AGPU_RELEASE_SHARED_SURFACE, 0x1234, 0x5678, 0, 0);
    p = ag_pixels(a, alias, AGPU_FMT_B8G8R8A8, 16, 16);
    ag_eq(a, "the alias outlives the original", count(p, 256, 0xffff0000), 256);
    STREAM(&a->s, AGPU_IMPORT_SHARED_SURFACE, a->handle, 0, 0x1234, 0x5678); /* a released token: nothing is imported */
    stream_targets(&a->s, a->handle++, 0);
    stream_clear(&a->s, AGPU_CLEAR_COLOR, white, 0);
    p = ag_pixels(a, alias, AGPU_FMT_B8G8R8A8, 16, 16);
    ag_eq(a, "a released token is unknown", count(p, 256, 0xffff0000), 256);
}

/* Unknown handles are skipped in silence: after a resume the user-mode drivers' objects are gone. */
void ag_objects(struct ag *a)
{
    stream_destroy(&a->s, 0x7fff0000);
    stream_use_texture(&a->s, 0, 0x7fff0001);
    stream_bind(&a->s, 0x7fff0002, 0x7fff0003);
    stream_use_layout(&a->s, 0x7fff0004);
    stream_use_vertices(&a->s, 0x7fff0005, 16, 0);
    stream_targets(&a->s, 0x7fff0006, 0x7fff0007);
    stream_clear(&a->s, 7, white, 0);
    stream_draw(&a->s, 3, 0);
    stream_draw_indexed(&a->s, 3, 0, 0);
    STREAM(&a->s, AGPU_DISPATCH, 1, 1, 1, 0);
    ag_send(a);
}

/* --- drawing --- */

struct color_vertex {
    float x, y, z, w;
    u32 color;
};
struct texture_vertex {
    float x, y, z, w, u, v;
};

/* Target and pipeline for `vs` and `ps`; two elements: position and a colour or texture coordinates. */
struct scene {
    u32 target, vs, ps, layout, vertices, width, height;
};

static struct scene begin_scene(struct ag *a, u32 width, u32 height, const u32 *vs, u32 vs_bytes, const u32 *ps, u32 ps_bytes, bool color)
{
    const struct vertex_element e[] = { { 0, 0, ELEMENT_FLOAT4, 0, USAGE_POSITION, 0 },
                                        { 0, 16, color ? ELEMENT_COLOR : ELEMENT_FLOAT2, 0, color ? USAGE_COLOR : USAGE_TEXCOORD, 0 } };
    struct scene c = { .width = width, .height = height };
    struct stream *s = &a->s;
    c.target = ag_texture(a, AGPU_FMT_B8G8R8A8, width, height);
    c.vs = new_shader(a, AGPU_STAGE_VERTEX, vs, vs_bytes);
    c.ps = new_shader(a, AGPU_STAGE_PIXEL, ps, ps_bytes);
    c.layout = a->handle++;
    c.vertices = a->handle++;
    stream_layout(s, c.layout, e, 2);
    stream_buffer(s, c.vertices, AGPU_USE_VERTEX, 4096, 0, 0);
    stream_bind(s, c.vs, c.ps);
    stream_use_layout(s, c.layout);
    stream_use_vertices(s, c.vertices, color ? sizeof(struct color_vertex) : sizeof(struct texture_vertex), 0);
    stream_targets(s, c.target, 0);
    stream_state(s, RS_CULL, CULL_NONE);
    stream_state(s, RS_ZENABLE, 0);
    stream_state(s, RS_BLEND, 0);
    for (u32 n = SS_MAG; n <= SS_MIP; n++) stream_sampler(s, 0, n, n == SS_MIP ? 0 : FILTER_POINT);
    stream_clear(s, AGPU_CLEAR_COLOR, black, 0);
    return c;
}
#define BEGIN(a, width, height, vs, ps, color) begin_scene(a, width, height, vs, sizeof(vs), ps, sizeof(ps), color)

static void draw_vertices(struct ag *a, const struct scene *c, u32 topology, const void *v, u32 bytes, u32 n)
{
    stream_upload(&a->s, c->vertices, 0, v, bytes);
    stream_topology(&a->s, topology);
    stream_draw(&a->s, n, 0);
}

static void quad_of(struct ag *a, const struct scene *c, const float box[4], float z, u32 color)
{
    const struct color_vertex v[4] = { { box[0], box[1], z, 1, color }, { box[2], box[1], z, 1, color }, { box[0], box[3], z, 1, color },
                                       { box[2], box[3], z, 1, color } };
    draw_vertices(a, c, AGPU_TOPO_STRIP, v, sizeof(v), 4);
}

static const u32 *result(struct ag *a, const struct scene *c)
{
    return ag_pixels(a, c->target, AGPU_FMT_B8G8R8A8, c->width, c->height);
}

static const float whole[4] = { -1, 1, 1, -1 };

/* Triangles that share edges cover each pixel once: added up in a blended target. */
void ag_coverage(struct ag *a)
{
    const struct scene c = BEGIN(a, W, H, vs_color, ps_color, true);
    static const struct color_vertex fan[] = { { 0.13f, -0.21f, 0, 1, 0x01010101 }, { -1, 1, 0, 1, 0x01010101 },  { -0.3f, 1, 0, 1, 0x01010101 },
                                               { 1, 1, 0, 1, 0x01010101 },          { 1, 0.2f, 0, 1, 0x01010101 }, { 1, -1, 0, 1, 0x01010101 },
                                               { -0.77f, -1, 0, 1, 0x01010101 },    { -1, -1, 0, 1, 0x01010101 }, { -1, 1, 0, 1, 0x01010101 } };
    stream_state(&a->s, RS_BLEND, 1);
    stream_state(&a->s, RS_SRCBLEND, BLEND_ONE);
    stream_state(&a->s, RS_DESTBLEND, BLEND_ONE);
    draw_vertices(a, &c, AGPU_TOPO_FAN, fan, sizeof(fan), 9);
    ag_eq(a, "each pixel once", count(result(a, &c), W * H, 0x01010101), W * H);
    stream_state(&a->s, RS_BLEND, 0);
    stream_clear(&a->s, AGPU_CLEAR_COLOR, black, 0);
    static const float box[4] = { -0.5f, 0.5f, 0.25f, -0.25f }; /* 16..40, 12..30 */
    quad_of(a, &c, box, 0, 0xff00ff00);
    const u32 *p = result(a, &c);
    u32 good = 0;
    for (u32 y = 0; y < H; y++)
        for (u32 x = 0; x < W; x++) good += (p[y * W + x] == 0xff00ff00) == (x >= 16 && x < 40 && y >= 12 && y < 30);
    ag_eq(a, "a rectangle", good, W * H);
    stream_state(&a->s, RS_SCISSOR, 1);
    STREAM(&a->s, AGPU_SET_SCISSOR, 5, 6, 7, 8);
    quad_of(a, &c, whole, 0, 0xff0000ff);
    stream_state(&a->s, RS_SCISSOR, 0);
    ag_eq(a, "scissor", count(result(a, &c), W * H, 0xff0000ff), 56);
    stream_targets(&a->s, 0, 0);
    ag_send(a);
}

static void textured_quad(struct ag *a, const struct scene *c, float u, float v)
{
    const struct texture_vertex q[4] = { { -1, 1, 0, 1, 0, 0 }, { 1, 1, 0, 1, u, 0 }, { -1, -1, 0, 1, 0, v }, { 1, -1, 0, 1, u, v } };
    draw_vertices(a, c, AGPU_TOPO_STRIP, q, sizeof(q), 4);
}

void ag_textured(struct ag *a)
{
    static u32 px[W * H];
    const struct scene c = BEGIN(a, W, H, vs_texture, ps_texture, false);
    for (u32 k = 0; k < W * H; k++) px[k] = k * 0x01234567u ^ k << 24;
    const u32 t = ag_texture(a, AGPU_FMT_B8G8R8A8, W, H);
    stream_upload(&a->s, t, 0, px, sizeof(px));
    stream_use_texture(&a->s, 0, t);
    textured_quad(a, &c, 1, 1);
    ag_eq(a, "texel by texel", memcmp(result(a, &c), px, sizeof(px)), 0);
    stream_sampler(&a->s, 0, SS_MAG, FILTER_LINEAR);
    stream_sampler(&a->s, 0, SS_MIN, FILTER_LINEAR);
    textured_quad(a, &c, 1, 1);
    ag_eq(a, "the same filtered", memcmp(result(a, &c), px, sizeof(px)), 0);
    const u32 two = ag_texture(a, AGPU_FMT_B8G8R8A8, 2, 1); /* between its two texels: 3/4 and 1/4 */
    static const u32 pair[2] = { 0xff000000, 0xffffffff };
    stream_upload(&a->s, two, 0, pair, sizeof(pair));
    stream_use_texture(&a->s, 0, two);
    stream_sampler(&a->s, 0, SS_ADDRESSU, ADDRESS_CLAMP);
    textured_quad(a, &c, 1, 1);
    const u32 *p = result(a, &c);
    ag_eq(a, "left", p[0], 0xff000000);
    ag_eq(a, "right", p[W - 1], 0xffffffff);
    ag_in(a, "middle", p[W / 2] & 0xff, 127, 132);
    stream_use_texture(&a->s, 0, 0);
    textured_quad(a, &c, 1, 1);
    ag_eq(a, "no texture is white", count(result(a, &c), W * H, 0xffffffff), W * H);
    stream_targets(&a->s, 0, 0);
    ag_send(a);
}

void ag_mips(struct ag *a)
{
    static u32 px[64 + 16 + 4 + 1];
    const struct scene c = BEGIN(a, 8, 8, vs_texture, ps_texture, false);
    const struct texture_desc d = { .format = AGPU_FMT_B8G8R8A8, .width = 8, .height = 8, .mips = 4 };
    const u32 t = a->handle++;
    for (u32 k = 0; k < LEN(px); k++) px[k] = k < 64 ? 0xff000001 : k < 80 ? 0xff000002 : k < 84 ? 0xff000003 : 0xff000004;
    stream_texture(&a->s, t, &d);
    stream_upload(&a->s, t, 0, px, sizeof(px));
    stream_use_texture(&a->s, 0, t);
    stream_sampler(&a->s, 0, SS_ADDRESSU, ADDRESS_WRAP);
    stream_sampler(&a->s, 0, SS_MIP, FILTER_POINT);
    for (u32 k = 0; k < 4; k++) {
        textured_quad(a, &c, (float)(1 << k), (float)(1 << k));
        ag_eq(a, "level", count(result(a, &c), 64, 0xff000001 + k), 64);
    }
    stream_sampler(&a->s, 0, SS_MIP, 0);
    textured_quad(a, &c, 8, 8);
    ag_eq(a, "without a mip filter", count(result(a, &c), 64, 0xff000001), 64);
    stream_targets(&a->s, 0, 0);
    ag_send(a);
}

void ag_blending(struct ag *a)
{
    const struct scene c = BEGIN(a, 16, 16, vs_color, ps_color, true);
    static const float blue[4] = { 0, 0, 1, 1 };
    stream_clear(&a->s, AGPU_CLEAR_COLOR, blue, 0);
    stream_state(&a->s, RS_BLEND, 1);
    stream_state(&a->s, RS_SRCBLEND, BLEND_SRCALPHA);
    stream_state(&a->s, RS_DESTBLEND, BLEND_INVSRCALPHA);
    quad_of(a, &c, whole, 0, 0x40ff0000);
    ag_eq(a, "source alpha", result(a, &c)[0] & 0xffffff, 0x4000bf);
    stream_state(&a->s, RS_SRCBLEND, BLEND_ONE); /* premultiplied */
    quad_of(a, &c, whole, 0, 0x80408000);
    ag_eq(a, "premultiplied", result(a, &c)[0] & 0xffffff, 0x60805f);
    stream_state(&a->s, RS_BLEND, 0);
    stream_state(&a->s, RS_COLORWRITE, 2);
    quad_of(a, &c, whole, 0, 0xff123456);
    ag_eq(a, "green alone", result(a, &c)[0] & 0xffffff, 0x60345f);
    stream_state(&a->s, RS_COLORWRITE, 15);
    stream_targets(&a->s, 0, 0);
    ag_send(a);
}

void ag_depth(struct ag *a)
{
    static const u32 formats[] = { AGPU_FMT_D24S8, AGPU_FMT_D32F };
    for (unsigned k = 0; k < LEN(formats); k++) {
        const struct scene c = BEGIN(a, 16, 16, vs_color, ps_color, true);
        const u32 depth = ag_texture(a, formats[k], 16, 16);
        static const float left[4] = { -1, 1, 0, -1 };
        stream_targets(&a->s, c.target, depth);
        stream_state(&a->s, RS_ZENABLE, 1);
        stream_state(&a->s, RS_ZWRITE, 1);
        stream_clear(&a->s, AGPU_CLEAR_DEPTH, black, F32_ONE);
        quad_of(a, &c, left, 0.25f, 0xff0000ff);
        quad_of(a, &c, whole, 0.5f, 0xff00ff00);
        const u32 *p = result(a, &c);
        ag_eq(a, "in front", count(p, 256, 0xff0000ff), 128);
        ag_eq(a, "behind", count(p, 256, 0xff00ff00), 128);
        stream_state(&a->s, RS_ZFUNC, 7); /* GREATEREQUAL */
        stream_state(&a->s, RS_ZWRITE, 0);
        quad_of(a, &c, whole, 0.3f, 0xffff0000);
        quad_of(a, &c, whole, 0.1f, 0xffffffff);
        ag_eq(a, "the other way", count(result(a, &c), 256, 0xffff0000), 128);
        stream_state(&a->s, RS_ZFUNC, 4);
        stream_state(&a->s, RS_ZWRITE, 1);
        stream_state(&a->s, RS_ZENABLE, 0);
        stream_targets(&a->s, 0, 0);
        ag_send(a);
    }
}

void ag_shaders(struct ag *a)
{
    static const float c0[4] = { 0.25f, 0.5f, 2, -1 };
    struct scene c = BEGIN(a, 4, 4, vs_color, ps_arithmetic, true);
    stream_constants(&a->s, AGPU_STAGE_PIXEL, 0, c0, 1);
    quad_of(a, &c, whole, 0, 0);
    u32 v = result(a, &c)[5];
    ag_in(a, "dp3, mul, lrp", v >> 16 & 255, 151, 152); /* 0.59375 */
    ag_in(a, "rcp, lrp", v >> 8 & 255, 121, 122);       /* 0.475 */
    ag_in(a, "mad, min", v & 255, 127, 128);
    ag_in(a, "cmp", v >> 24, 63, 64);
    c = BEGIN(a, 4, 4, vs_three, ps_loop, true);
    quad_of(a, &c, whole, 0, 0);
    v = result(a, &c)[5];
    ag_in(a, "loop", v >> 16 & 255, 159, 160); /* 5 / 8 */
    ag_eq(a, "branch", v & 0xff00ffff, 0xff00ff00);
    /* a transform by constants: half as large, moved by (0.5, 0.5) */
    static const float m[5][4] = { { 0.5f, 0, 0, 0.5f }, { 0, 0.5f, 0, 0.5f }, { 0, 0, 1, 0 }, { 0, 0, 0, 1 }, { 1, 0.5f, 0, 1 } };
    c = BEGIN(a, 16, 16, vs_transform, ps_color, true);
    stream_constants(&a->s, AGPU_STAGE_VERTEX, 0, m, 5);
    quad_of(a, &c, whole, 0, 0xffffffff);
    const u32 *p = result(a, &c);
    u32 good = 0;
    for (u32 k = 0; k < 256; k++) {
        const bool in = k % 16 >= 8 && k / 16 < 8;
        good += in ? p[k] == 0xffff8000 || p[k] == 0xffff7f00 : p[k] == 0;
    }
    ag_eq(a, "transformed", good, 256);
    stream_targets(&a->s, 0, 0);
    ag_send(a);
}

/* A frame in the device's own memory reaches the scanout by PRESENT; one that is backed by the scanout's memory is there anyway. */
void ag_present(struct ag *a)
{
    static const float color[4] = { 0, 0.2f, 1, 1 };
    volatile u32 *fb = (volatile u32 *)(word)AT_FB;
    for (u32 k = 0; k < SCAN_W * SCAN_H; k++) fb[k] = 0;
    ag_scanout(a, AT_FB);
    const u32 t = ag_texture(a, AGPU_FMT_B8G8R8A8, SCAN_W, SCAN_H);
    stream_targets(&a->s, t, 0);
    stream_clear(&a->s, AGPU_CLEAR_COLOR, color, 0);
    ag_send(a);
    ag_eq(a, "before", fb[1000], 0);
    stream_present(&a->s, AGPU_PRESENT_VSYNC);
    ag_send(a);
    u32 good = 0;
    for (u32 k = 0; k < SCAN_W * SCAN_H; k++) good += (fb[k] & 0xffffff) == 0x0033ff;
    ag_eq(a, "presented", good, SCAN_W * SCAN_H);
    const struct texture_desc d = { .format = AGPU_FMT_B8G8R8X8, .width = SCAN_W, .height = SCAN_H, .pitch = SCAN_W * 4, .alloc = ALLOC_FB, .offset = AT_FB2 - AT_FB };
    stream_texture(&a->s, a->handle, &d);
    stream_targets(&a->s, a->handle++, 0);
    stream_clear(&a->s, AGPU_CLEAR_COLOR, white, 0);
    stream_present(&a->s, AGPU_PRESENT_VSYNC);
    ag_send(a);
    ag_scanout(a, AT_FB2);
    ag_eq(a, "backed by the scanout", count((const u32 *)(word)AT_FB2, SCAN_W * SCAN_H, 0xffffffff), SCAN_W * SCAN_H);
    stream_targets(&a->s, 0, 0);
    ag_send(a);
}

/* A hundred small streams in flight, each drawing one bar; order decides what is on top. */
void ag_many(struct ag *a)
{
    enum { N = 100, ROOM = 2048 };
    const struct scene c = BEGIN(a, N, 4, vs_color, ps_color, true);
    ag_send(a);
    for (u32 k = 0; k < N; k++) {
        const float x = -1 + 2.0f * k / N;
        const float box[4] = { x, 1, 1, -1 };
        stream_begin(&a->s, (void *)(word)(AT_STREAM + k * ROOM), ROOM);
        quad_of(a, &c, box, 0, 0xff000000 | k * 0x010203);
        const u32 bytes = stream_end(&a->s);
        gpu_submit(&a->gpu, a->s.base, bytes, NULL, k % 7 ? AGPU_SUBMIT_NO_IRQ : 0);
    }
    ag_true(a, "all complete", ag_wait(a, a->gpu.fence, 5000));
    ag_begin(a);
    const u32 *p = result(a, &c);
    u32 good = 0;
    for (u32 k = 0; k < N * 4; k++) good += p[k] == (0xff000000 | k % N * 0x010203);
    ag_eq(a, "each in its place", good, N * 4);
    stream_targets(&a->s, 0, 0);
    ag_send(a);
}
