/* Golden pictures of level 1: uploads, dirty ranges, copies, clears, write-back, shared surfaces and
 * views. Each case keeps its own model of the bytes and does to it what the command stream's
 * sections 2, 4 and 5 say. */
#include <stdlib.h>

#include "tests/gpu/golden.h"

#define W 24u
#define H 20u
#define BYTES "model of the bytes, every bit"
#define EXACT "reference, every bit"

static u32 texel_bytes(u32 format)
{
    return format == AGPU_FMT_B5G6R5 || format == AGPU_FMT_B5G5R5A1 ? 2 : 4;
}

static void noise(struct gold *g, u8 *out, size_t bytes)
{
    for (size_t k = 0; k < bytes; k++) out[k] = (u8)gold_random(g);
}

/* Reads a surface back and compares it with rows of the model. */
static void expect(struct gold *g, u32 handle, u32 format, u32 w, u32 h, u32 mip, u32 layer, const u8 *model, u32 pitch)
{
    const u8 *got = gold_read(g, handle, format, w, h, mip, layer);
    u32 row = w * texel_bytes(format);
    for (u32 k = 0; k < row * h && !g->failed; k++) {
        u8 want = model[k / row * pitch + k % row];
        gold_check(g, got[k] == want, "mip %u, layer %u, row %u, byte %u: %02x, not %02x", mip, layer, k / row, k % row, got[k], want);
    }
}

/* ---- uploads ---- */

/* Three uploads that start and end anywhere, into a texture with a padded pitch. */
static void upload(struct gold *g, int f)
{
    u32 format = (u32)f, pitch = W * texel_bytes(format) + 12, total = pitch * H;
    u8 model[H * (W * 4 + 12)] = { 0 }, data[sizeof(model)];
    static const u32 spans[3][2] = { { 0, 700 }, { 301, 555 }, { 900, 60 } };
    PUT(g, AGPU_CREATE_TEXTURE2D, 56, H_FREE, 8, format, W, H, 1, 1, pitch, 0, 0, 0, 0);
    for (u32 k = 0; k < 3; k++) {
        noise(g, data, spans[k][1]);
        gold_upload(g, H_FREE, spans[k][0], data, spans[k][1]);
        memcpy(model + spans[k][0], data, spans[k][1]);
    }
    gold_check(g, total >= 960, "the texture is too small for the spans");
    expect(g, H_FREE, format, W, H, 0, 0, model, pitch);
}

/* Where a mip of a layer is in the linear layout. */
static u32 place(u32 w, u32 h, u32 mips, u32 mip, u32 layer)
{
    u32 sum = 0, before = 0;
    for (u32 m = 0; m < mips; m++) {
        if (m == mip) before = sum;
        sum += MAX(1u, w >> m) * MAX(1u, h >> m) * 4;
    }
    return layer * sum + before;
}

static void upload_mips(struct gold *g, int arg)
{
    enum { MIPS = 5, LAYERS = 3 };
    u8 model[4 * 2 * W * H * LAYERS];
    u32 total = place(W, H, MIPS, 0, LAYERS);
    (void)arg;
    noise(g, model, total);
    gold_texture2d(g, H_FREE, AGPU_FMT_B8G8R8A8, W, H, MIPS, LAYERS);
    gold_upload(g, H_FREE, 0, model, total);
    for (u32 k = 0; k < MIPS * LAYERS; k++) {
        u32 m = k % MIPS, w = MAX(1u, W >> m), h = MAX(1u, H >> m);
        expect(g, H_FREE, AGPU_FMT_B8G8R8A8, w, h, m, k / MIPS, model + place(W, H, MIPS, m, k / MIPS), w * 4);
    }
}

/* ---- guest memory ---- */

static void backed(struct gold *g, u32 handle, u32 format, u32 pitch, u32 alloc, u32 offset)
{
    PUT(g, AGPU_CREATE_TEXTURE2D, 56, handle, 8, format, W, H, 1, 1, pitch, alloc, offset, 0, 0);
}

/* Bytes that the guest reports as changed are read again; those that it does not are not. */
static void dirty(struct gold *g, int pad)
{
    u32 pitch = W * 4 + (u32)pad, total = pitch * H;
    u8 model[H * (W * 4 + 64)], *ram = g->ram + ALLOC_A_GPA + 4096;
    noise(g, ram, total);
    memcpy(model, ram, total);
    backed(g, H_FREE, AGPU_FMT_B8G8R8A8, pitch, ALLOC_A, 4096);
    expect(g, H_FREE, AGPU_FMT_B8G8R8A8, W, H, 0, 0, model, pitch);
    noise(g, ram, total);
    static const u32 ranges[4][2] = { { 100, 40 }, { 120, 200 }, { 999, 1 }, { 1500, 333 } };
    for (u32 k = 0; k < 4; k++) {
        PUT(g, AGPU_RESOURCE_DIRTY_RANGE, 32, H_FREE, 0, ranges[k][0], 0, ranges[k][1], 0);
        memcpy(model + ranges[k][0], ram + ranges[k][0], ranges[k][1]);
    }
    expect(g, H_FREE, AGPU_FMT_B8G8R8A8, W, H, 0, 0, model, pitch);
    PUT(g, AGPU_RESOURCE_DIRTY_RANGE, 32, H_FREE, 0, 0, 0, total, 0);
    expect(g, H_FREE, AGPU_FMT_B8G8R8A8, W, H, 0, 0, ram, pitch);
}

/* The guest's own view of an allocation, as a picture. */
static void guest(struct gold *g, u32 format, u32 pitch, u32 gpa, const u8 *model)
{
    u8 rows[W * H * 4];
    u32 row = W * texel_bytes(format);
    for (u32 y = 0; y < H; y++) memcpy(rows + y * row, g->ram + gpa + y * pitch, row);
    for (u32 k = 0; k < pitch * H && !g->failed; k++)
        gold_check(g, g->ram[gpa + k] == model[k], "guest memory, row %u, byte %u: %02x, not %02x", k / pitch, k % pitch, g->ram[gpa + k], model[k]);
    gold_picture(g, format, W, H, rows);
}

/* Without asking: a guest-backed target is written back after a scissored clear, and nothing else. */
static void implicit_write_back(struct gold *g, int f)
{
    u32 format = (u32)f, bytes = texel_bytes(format), pitch = W * bytes + 20;
    u8 model[H * (W * 4 + 20)];
    noise(g, g->ram + ALLOC_A_GPA, sizeof(model));
    memcpy(model, g->ram + ALLOC_A_GPA, sizeof(model));
    backed(g, H_FREE, format, pitch, ALLOC_A, 0);
    PUT(g, AGPU_SET_RENDER_TARGETS, 48, 1, 0, H_FREE, 0, 0, 0, 0, 0, 0, 0);
    PUT(g, AGPU_SET_RENDER_STATE, 16, 174, 1, AGPU_SET_SCISSOR, 24, 5, 6, 9, 7);
    PUT(g, AGPU_CLEAR, 36, 1, F1, 0, gold_float(0x40 / 255.0f), gold_float(0.5f), 0, 0);
    for (u32 k = 0; k < 2; k++) /* and two more places of the same batch, on either side */
        PUT(g, AGPU_SET_SCISSOR, 24, k ? 1 : 20, k ? 16 : 3, 2, 2, AGPU_CLEAR, 36, 1, F1, 0, gold_float(0x40 / 255.0f), gold_float(0.5f), 0, 0);
    gold_submit(g);
    gold_check(g, !g->error, "%s", g->reason);
    for (u32 y = 0; y < H; y++) {
        for (u32 x = 0; x < W; x++) {
            bool in = x >= 5 && x < 14 && y >= 6 && y < 13, right = x >= 20 && x < 22 && y >= 3 && y < 5, left = x >= 1 && x < 3 && y >= 16 && y < 18;
            if (!in && !right && !left) continue;
            u32 v = 0x80ff0040;
            if (format == AGPU_FMT_B8G8R8X8) v = 0xffff0040;
            if (format == AGPU_FMT_R8G8B8A8) v = 0x804000ff;
            if (format == AGPU_FMT_B5G6R5) v = 31 << 11 | 8;
            if (format == AGPU_FMT_B5G5R5A1) v = 1 << 15 | 31 << 10 | 8;
            memcpy(model + y * pitch + x * bytes, &v, bytes);
        }
    }
    /* bytes of X outside what was touched stay the guest's */
    guest(g, format, pitch, ALLOC_A_GPA, model);
}

/* WRITEBACK_DST writes exactly the copied rectangle. */
static void copy_write_back(struct gold *g, int f)
{
    u32 format = (u32)f, bytes = texel_bytes(format), pitch = W * bytes + 4;
    u8 model[H * (W * 4 + 4)], src[W * H * 4];
    noise(g, src, sizeof(src));
    noise(g, g->ram + ALLOC_A_GPA, sizeof(model));
    memcpy(model, g->ram + ALLOC_A_GPA, sizeof(model));
    gold_texture2d(g, H_FREE, format, W, H, 1, 1);
    gold_upload(g, H_FREE, 0, src, W * H * bytes);
    backed(g, H_FREE + 1, format, pitch, ALLOC_A, 0);
    PUT(g, AGPU_COPY_TEXTURE2D, 64, H_FREE + 1, H_FREE, 0, 0, 0, 0, 3, 4, 7, 2, 11, 13, AGPU_COPY_WRITEBACK_DST, 0);
    gold_submit(g);
    gold_check(g, !g->error, "%s", g->reason);
    for (u32 y = 0; y < 13; y++) memcpy(model + (y + 4) * pitch + 3 * bytes, src + ((y + 2) * W + 7) * bytes, 11 * bytes);
    guest(g, format, pitch, ALLOC_A_GPA, model);
}

/* Into a read-only allocation nothing is written, and the submission fails. */
static void read_only(struct gold *g, int arg)
{
    u8 model[H * W * 4];
    (void)arg;
    noise(g, g->ram + ALLOC_READONLY_GPA, sizeof(model));
    memcpy(model, g->ram + ALLOC_READONLY_GPA, sizeof(model));
    backed(g, H_FREE, AGPU_FMT_B8G8R8A8, W * 4, ALLOC_READONLY, 0);
    gold_texture2d(g, H_FREE + 1, AGPU_FMT_B8G8R8A8, W, H, 1, 1);
    PUT(g, AGPU_COPY_TEXTURE2D, 64, H_FREE, H_FREE + 1, 0, 0, 0, 0, 0, 0, 0, 0, W, H, AGPU_COPY_WRITEBACK_DST, 0);
    gold_submit(g);
    gold_check(g, g->error == AGPU_E_BACKEND, "error %u, not BACKEND", g->error);
    g->error = AGPU_E_NONE;
    guest(g, AGPU_FMT_B8G8R8A8, W * 4, ALLOC_READONLY_GPA, model);
}

/* ---- copies ---- */

static void copy(struct gold *g, int formats)
{
    u32 to = (u32)formats & 255, from = (u32)formats >> 8, bytes = texel_bytes(to);
    u8 src[W * H * 4], model[W * H * 4];
    noise(g, src, sizeof(src));
    noise(g, model, sizeof(model));
    gold_texture2d(g, H_FREE, to, W, H, 1, 1);
    gold_texture2d(g, H_FREE + 1, from, W, H, 1, 1);
    gold_upload(g, H_FREE, 0, model, W * H * bytes);
    gold_upload(g, H_FREE + 1, 0, src, W * H * bytes);
    static const u32 rects[3][6] = { { 0, 0, 5, 5, 10, 8 }, { 20, 15, 0, 0, 4, 5 }, { 7, 1, 16, 10, 1, 10 } };
    for (u32 k = 0; k < 3; k++) {
        const u32 *r = rects[k];
        gold_copy(g, H_FREE, H_FREE + 1, r, r + 2, r + 4);
        for (u32 y = 0; y < r[5]; y++) memcpy(model + ((r[3] + y) * W + r[2]) * bytes, src + ((r[1] + y) * W + r[0]) * bytes, r[4] * bytes);
    }
    expect(g, H_FREE, to, W, H, 0, 0, model, W * bytes);
}

/* Onto itself: as if the source were copied away first. */
static void overlap(struct gold *g, int direction)
{
    static const u32 moves[4][4] = { { 0, 0, 3, 2 }, { 3, 2, 0, 0 }, { 4, 0, 0, 3 }, { 0, 3, 4, 0 } };
    const u32 *m = moves[direction];
    u8 model[W * H * 4], before[W * H * 4];
    noise(g, model, sizeof(model));
    memcpy(before, model, sizeof(model));
    gold_texture2d(g, H_FREE, AGPU_FMT_B8G8R8A8, W, H, 1, 1);
    gold_upload(g, H_FREE, 0, model, sizeof(model));
    gold_copy(g, H_FREE, H_FREE, m, m + 2, (const u32[]){ 18, 15 });
    for (u32 y = 0; y < 15; y++) memcpy(model + ((m[3] + y) * W + m[2]) * 4, before + ((m[1] + y) * W + m[0]) * 4, 18 * 4);
    expect(g, H_FREE, AGPU_FMT_B8G8R8A8, W, H, 0, 0, model, W * 4);
}

/* From mip 1 of layer 2 to mip 2 of layer 0 of another texture. */
static void copy_mips(struct gold *g, int arg)
{
    u8 a[4 * 2 * 32 * 32 * 3], b[4 * 2 * 64 * 64];
    u32 size_a = place(32, 32, 3, 0, 3), size_b = place(64, 64, 3, 0, 1), from = place(32, 32, 3, 1, 2), to = place(64, 64, 3, 2, 0);
    (void)arg;
    noise(g, a, size_a);
    noise(g, b, size_b);
    gold_texture2d(g, H_FREE, AGPU_FMT_B8G8R8A8, 32, 32, 3, 3);
    gold_texture2d(g, H_FREE + 1, AGPU_FMT_B8G8R8A8, 64, 64, 3, 1);
    gold_upload(g, H_FREE, 0, a, size_a);
    gold_upload(g, H_FREE + 1, 0, b, size_b);
    PUT(g, AGPU_COPY_TEXTURE2D, 64, H_FREE + 1, H_FREE, 2, 0, 1, 2, 1, 2, 3, 4, 12, 11, 0, 0);
    for (u32 y = 0; y < 11; y++) memcpy(b + to + ((2 + y) * 16 + 1) * 4, a + from + ((4 + y) * 16 + 3) * 4, 12 * 4);
    expect(g, H_FREE + 1, AGPU_FMT_B8G8R8A8, 16, 16, 2, 0, b + to, 64);
    expect(g, H_FREE + 1, AGPU_FMT_B8G8R8A8, 32, 32, 1, 0, b + place(64, 64, 3, 1, 0), 128);
}

/* Blocks: whole ones, or up to the texture's edge; seen through a draw. */
static void copy_blocks(struct gold *g, int f)
{
    u32 format = (u32)f, block = format < 66 ? 8 : 16, columns = 8;
    u8 src[8 * 8 * 16], model[8 * 8 * 16];
    noise(g, src, sizeof(src));
    noise(g, model, sizeof(model));
    gold_target(g, AGPU_FMT_B8G8R8A8, 32, 32, 0);
    gold_program(g, NULL, ps_textured, ref_textured, NULL);
    gold_texture(g, 0, format, 30, 31, 1, 1, model, columns * 8 * block);
    gold_texture2d(g, H_FREE, format, 30, 31, 1, 1);
    gold_upload(g, H_FREE, 0, src, columns * 8 * block);
    static const u32 rects[2][6] = { { 4, 8, 12, 0, 8, 12 }, { 24, 20, 24, 20, 6, 11 } };
    for (u32 k = 0; k < 2; k++) {
        const u32 *r = rects[k];
        gold_copy(g, H_TEXTURE, H_FREE, r, r + 2, r + 4);
        for (u32 y = 0; y < (r[5] + 3) / 4; y++)
            memcpy(model + ((r[3] / 4 + y) * columns + r[2] / 4) * block, src + ((r[1] / 4 + y) * columns + r[0] / 4) * block, (r[4] + 3) / 4 * block);
    }
    ref_texture_free(&g->textures[0]);
    ref_texture_load(&g->textures[0], format, 30, 31, 1, 1, 0, model);
    struct vx v[4];
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? 32 : 0, k & 2 ? 32 : 0, 0, 1, 0);
        v[k].uv[0] = k & 1 ? 32 / 30.0f : 0;
        v[k].uv[1] = k & 2 ? 32 / 31.0f : 0;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.52, 1);
}

/* Buffers with a backing: copies, also onto themselves, and their write-back. */
static void copy_buffer(struct gold *g, int arg)
{
    u8 src[W * H * 4], model[W * H * 4];
    (void)arg;
    noise(g, src, sizeof(src));
    noise(g, g->ram + ALLOC_B_GPA, sizeof(model));
    memcpy(model, g->ram + ALLOC_B_GPA, sizeof(model));
    gold_buffer(g, H_FREE, src, sizeof(src));
    PUT(g, AGPU_CREATE_BUFFER, 40, H_FREE + 1, 1, sizeof(model), 0, ALLOC_B, 0, 0, 0);
    PUT(g, AGPU_COPY_BUFFER, 48, H_FREE + 1, H_FREE, 400, 0, 120, 0, 800, 0, AGPU_COPY_WRITEBACK_DST, 0);
    memcpy(model + 400, src + 120, 800);
    PUT(g, AGPU_COPY_BUFFER, 48, H_FREE + 1, H_FREE + 1, 300, 0, 380, 0, 900, 0, AGPU_COPY_WRITEBACK_DST, 0);
    memmove(model + 300, model + 380, 900);
    PUT(g, AGPU_COPY_BUFFER, 48, H_FREE + 1, H_FREE + 1, 1200, 0, 1100, 0, 500, 0, AGPU_COPY_WRITEBACK_DST, 0);
    memmove(model + 1200, model + 1100, 500);
    gold_submit(g);
    gold_check(g, !g->error, "%s", g->reason);
    guest(g, AGPU_FMT_B8G8R8A8, W * 4, ALLOC_B_GPA, model);
}

/* ---- clears ---- */

static void clear(struct gold *g, int f)
{
    static const float colors[6][4] = { { 0, 0.25f, 0.5f, 0.75f }, { 1, 1, 1, 1 }, { -1, 2, 0.1f, 0.4999f }, { 0.5f / 255, 1.5f / 255, 2.49f / 255, 254.4f / 255 },
                                        { 0.00303f, 0.0031308f, 0.04f, 0.9f }, { 0.6f, 0.3f, 0.9f, 0.5001f } };
    gold_target(g, (u32)f, W, H, 0);
    gold_clear(g, 1, 0.2f, 0.4f, 0.6f, 0.8f, 0, 0);
    gold_state(g, 174, 1);
    for (int k = 0; k < 6; k++) {
        gold_scissor(g, k * 4 - 1, k, 4, 15);
        gold_clear(g, 1, colors[k][0], colors[k][1], colors[k][2], colors[k][3], 0, 0);
    }
    gold_show(g, 0.001, 0);
}

static void clear_nan(struct gold *g, int arg)
{
    (void)arg;
    gold_texture2d(g, H_FREE, AGPU_FMT_B8G8R8A8, W, H, 1, 1);
    PUT(g, AGPU_SET_RENDER_TARGETS, 48, 1, 0, H_FREE, 0, 0, 0, 0, 0, 0, 0);
    PUT(g, AGPU_CLEAR, 36, 1, 0x7fc00000, 0x7f800000, 0xff800000, 0xffc00000, 0, 0); /* NaN, infinite, -infinite, NaN */
    const u8 *p = gold_read(g, H_FREE, AGPU_FMT_B8G8R8A8, W, H, 0, 0);
    for (u32 k = 0; k < W * H; k++) gold_check(g, ld32(p + 4 * k) == 0x0000ff00, "pixel %u: %08x", k, ld32(p + 4 * k));
}

/* Depth and stencil together, apart, out of range, in part of the surface. */
static void clear_depth(struct gold *g, int f)
{
    gold_target(g, AGPU_FMT_B8G8R8A8, W, H, (u32)f);
    gold_clear(g, 6, 0, 0, 0, 0, 0.7f, 0x12);
    gold_state(g, 174, 1);
    gold_scissor(g, 2, 2, 6, 16);
    gold_clear(g, 2, 0, 0, 0, 0, 0.123f, 0x34);
    gold_scissor(g, 6, 5, 6, 10);
    gold_clear(g, 4, 0, 0, 0, 0, 0.456f, 0x156);
    gold_scissor(g, 14, 1, 3, 9);
    gold_clear(g, 6, 0, 0, 0, 0, 7, 0xff);
    gold_scissor(g, 18, 1, 3, 9);
    gold_clear(g, 6, 0, 0, 0, 0, -3, 0);
    gold_show_depth(g, 0.5, 0);
}

static void clear_viewport(struct gold *g, int arg)
{
    static const u32 formats[2] = { AGPU_FMT_R8G8B8A8, AGPU_FMT_B5G6R5 };
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, W, H, AGPU_FMT_D24S8);
    gold_more_targets(g, 2, formats);
    gold_clear(g, 7, 1, 1, 1, 1, 1, 255);
    gold_viewport(g, 4, 3, 12, 30, 0, 1);
    gold_state(g, 168, 1); /* masks do not count */
    gold_clear(g, 7, 0.2f, 0.4f, 0.6f, 0.8f, 0.25f, 3);
    for (u32 k = 0; k < 3; k++) gold_show_target(g, k, 0.001, 0);
    gold_show_depth(g, 0.5, 0);
}

/* Direct3D 10 and 11 clear whole targets whatever viewport and scissor are. */
static void clear10(struct gold *g, int arg)
{
    (void)arg;
    gold_texture2d(g, H_FREE, AGPU_FMT_B8G8R8A8, W, H, 1, 1);
    PUT(g, AGPU_SET_RENDER_TARGETS, 48, 1, 0, H_FREE, 0, 0, 0, 0, 0, 0, 0);
    PUT(g, AGPU_SET_RASTERIZER_STATE, 32, 0, 2, 0, 1, 0, 0);
    PUT(g, AGPU_SET_SCISSOR, 24, 2, 2, 5, 5, AGPU_SET_VIEWPORT, 32, F1, F1, gold_float(4), gold_float(4), 0, F1);
    PUT(g, AGPU_CLEAR, 36, 1, F1, 0, gold_float(0.5f), F1, 0, 0);
    const u8 *p = gold_read(g, H_FREE, AGPU_FMT_B8G8R8A8, W, H, 0, 0);
    for (u32 k = 0; k < W * H; k++) gold_check(g, ld32(p + 4 * k) == 0xffff0080, "pixel %u: %08x", k, ld32(p + 4 * k));
}

/* Views: one mip, one layer, or the same bytes as sRGB; the rest of the texture stays. */
static void views(struct gold *g, int arg)
{
    enum { MIPS = 3, LAYERS = 2 };
    u8 model[4 * 2 * 32 * 32 * LAYERS];
    u32 total = place(32, 32, MIPS, 0, LAYERS);
    (void)arg;
    noise(g, model, total);
    gold_texture2d(g, H_FREE, AGPU_FMT_R8G8B8A8, 32, 32, MIPS, LAYERS);
    gold_upload(g, H_FREE, 0, model, total);
    PUT(g, AGPU_CREATE_TEXTURE_VIEW, 44, H_FREE + 1, H_FREE, AGPU_FMT_R8G8B8A8, 1, 1, 1, 1, 0, 0);
    PUT(g, AGPU_CREATE_TEXTURE_VIEW, 44, H_FREE + 2, H_FREE, AGPU_FMT_R8G8B8A8_SRGB, 2, 1, 0, 1, 0, 0);
    PUT(g, AGPU_SET_RENDER_TARGETS, 48, 2, 0, H_FREE + 1, H_FREE + 2, 0, 0, 0, 0, 0, 0);
    PUT(g, AGPU_CLEAR, 36, 1, gold_float(0.5f), F1, 0, gold_float(0.25f), 0, 0);
    for (u32 k = 0; k < 16 * 16; k++) st32(model + place(32, 32, MIPS, 1, 1) + 4 * k, 0x4000ff80);
    for (u32 k = 0; k < 8 * 8; k++) st32(model + place(32, 32, MIPS, 2, 0) + 4 * k, 0x4000ffbc); /* 1/2 is code 188 */
    PUT(g, AGPU_DESTROY_TEXTURE_VIEW, 16, H_FREE + 1, 0);
    for (u32 k = 0; k < MIPS * LAYERS; k++)
        expect(g, H_FREE, AGPU_FMT_R8G8B8A8, 32u >> k % MIPS, 32u >> k % MIPS, k % MIPS, k / MIPS, model + place(32, 32, MIPS, k % MIPS, k / MIPS), (32u >> k % MIPS) * 4);
}

/* ---- shared surfaces ---- */

/* Exported in one context, imported in another, which clears through its alias; the original's
 * handle goes, the alias stays. */
static void shared(struct gold *g, int arg)
{
    u8 model[W * H * 4];
    (void)arg;
    noise(g, model, sizeof(model));
    gold_texture2d(g, H_FREE, AGPU_FMT_B8G8R8A8, W, H, 1, 1);
    gold_upload(g, H_FREE, 0, model, sizeof(model));
    PUT(g, AGPU_EXPORT_SHARED_SURFACE, 24, H_FREE, 0, 77, 1);
    gold_submit(g);
    g->context = 2;
    PUT(g, AGPU_IMPORT_SHARED_SURFACE, 24, H_FREE + 1, 0, 77, 1);
    PUT(g, AGPU_SET_RENDER_TARGETS, 48, 1, 0, H_FREE + 1, 0, 0, 0, 0, 0, 0, 0);
    PUT(g, AGPU_SET_RENDER_STATE, 16, 174, 1, AGPU_SET_SCISSOR, 24, 3, 3, 10, 10, AGPU_CLEAR, 36, 1, F1, F1, 0, F1, 0, 0);
    gold_submit(g);
    g->context = 1;
    for (u32 y = 3; y < 13; y++) {
        for (u32 x = 3; x < 13; x++) st32(model + (y * W + x) * 4, 0xffffff00);
    }
    expect(g, H_FREE, AGPU_FMT_B8G8R8A8, W, H, 0, 0, model, W * 4);
    PUT(g, AGPU_DESTROY_RESOURCE, 16, H_FREE, 0, AGPU_RELEASE_SHARED_SURFACE, 24, 77, 1, 0, 0);
    expect(g, H_FREE + 1, AGPU_FMT_B8G8R8A8, W, H, 0, 0, model, W * 4);
}

#define CLEAR(name, format) { "l1_clear_" name, clear, format, EXACT }
#define UPLOAD(name, format) { "l1_upload_" name, upload, format, BYTES }
#define FROM(from, to) ((to) | (from) << 8)

const struct golden_case golden_transfer[] = {
    UPLOAD("bgra", AGPU_FMT_B8G8R8A8),
    UPLOAD("565", AGPU_FMT_B5G6R5),
    UPLOAD("d24s8", AGPU_FMT_D24S8),
    { "l1_upload_mips_layers", upload_mips, 0, BYTES },
    { "l1_dirty_ranges", dirty, 0, BYTES },
    { "l1_dirty_ranges_pitch", dirty, 52, BYTES },
    { "l1_write_back_bgra", implicit_write_back, AGPU_FMT_B8G8R8A8, BYTES },
    { "l1_write_back_bgrx", implicit_write_back, AGPU_FMT_B8G8R8X8, BYTES },
    { "l1_write_back_rgba", implicit_write_back, AGPU_FMT_R8G8B8A8, BYTES },
    { "l1_write_back_565", implicit_write_back, AGPU_FMT_B5G6R5, BYTES },
    { "l1_write_back_5551", implicit_write_back, AGPU_FMT_B5G5R5A1, BYTES },
    { "l1_copy_write_back", copy_write_back, AGPU_FMT_B8G8R8A8, BYTES },
    { "l1_copy_write_back_565", copy_write_back, AGPU_FMT_B5G6R5, BYTES },
    { "l1_read_only", read_only, 0, BYTES },
    { "l1_copy_bgra", copy, FROM(AGPU_FMT_B8G8R8A8, AGPU_FMT_B8G8R8A8), BYTES },
    { "l1_copy_srgb_pair", copy, FROM(AGPU_FMT_R8G8B8A8, AGPU_FMT_R8G8B8A8_SRGB), BYTES },
    { "l1_copy_5551", copy, FROM(AGPU_FMT_B5G5R5A1, AGPU_FMT_B5G5R5A1), BYTES },
    { "l1_copy_depth", copy, FROM(AGPU_FMT_D24S8, AGPU_FMT_D24S8), BYTES },
    { "l1_copy_overlap_down", overlap, 0, BYTES },
    { "l1_copy_overlap_up", overlap, 1, BYTES },
    { "l1_copy_overlap_left", overlap, 2, BYTES },
    { "l1_copy_overlap_right", overlap, 3, BYTES },
    { "l1_copy_mips_layers", copy_mips, 0, BYTES },
    { "l1_copy_bc1", copy_blocks, AGPU_FMT_BC1, "reference, double precision" },
    { "l1_copy_bc3", copy_blocks, AGPU_FMT_BC3, "reference, double precision" },
    { "l1_copy_buffer", copy_buffer, 0, BYTES },
    CLEAR("bgra", AGPU_FMT_B8G8R8A8),
    CLEAR("bgrx", AGPU_FMT_B8G8R8X8),
    CLEAR("rgba", AGPU_FMT_R8G8B8A8),
    CLEAR("rgbx", AGPU_FMT_R8G8B8X8),
    CLEAR("565", AGPU_FMT_B5G6R5),
    CLEAR("5551", AGPU_FMT_B5G5R5A1),
    CLEAR("bgra_srgb", AGPU_FMT_B8G8R8A8_SRGB),
    CLEAR("bgrx_srgb", AGPU_FMT_B8G8R8X8_SRGB),
    CLEAR("rgba_srgb", AGPU_FMT_R8G8B8A8_SRGB),
    CLEAR("rgbx_srgb", AGPU_FMT_R8G8B8X8_SRGB),
    { "l1_clear_nan", clear_nan, 0, BYTES },
    { "l1_clear_d24s8", clear_depth, AGPU_FMT_D24S8, EXACT },
    { "l1_clear_d32", clear_depth, AGPU_FMT_D32F, EXACT },
    { "l1_clear_viewport", clear_viewport, 0, EXACT },
    { "l1_clear_direct3d_10", clear10, 0, BYTES },
    { "l1_views", views, 0, BYTES },
    { "l1_shared_surface", shared, 0, BYTES },
    { NULL, NULL, 0, NULL },
};
