/* The software executor through the whole device: resources, transfers, clears, sharing, presenting. Statements 077 to 078, 099, 156 to 176,
 * 194 and 206 to 213 of AeroGPU's contract. */
#include <math.h>

#include "gpu/soft/format.h"
#include "tests/unit/aerogpu_rig.h"

enum { BACK = 0x200000, BACK2 = 0x280000, BACK_SIZE = 0x80000 }; /* allocations 1 and 2 in guest memory */
enum { BUF = 10, TEX = 20, COPY = 21, VIEW = 30 };

#define DONE(g) R64(g, AGPU_R_COMPLETED_LO)
#define ERRORS(g) R(g, AGPU_R_ERROR_COUNT)

static u64 fence;

static void start(struct gpu *g)
{
    gpu_up(g);
    driver_start(g, AGPU_IRQ_ERROR);
    fence = 0;
}

/* Submits words in context c with allocations 1 at a1 and 2 at a2. */
static void run_at(struct gpu *g, u32 c, u64 a1, u64 a2, u32 flags, const u32 *words, u32 count)
{
    const struct agpu_alloc_header h = { AGPU_ALLOC_MAGIC, AGPU_ABI_VERSION, 24 + 64, 2, 32, 0 };
    const struct agpu_alloc_entry e[2] = { { 1, flags, a1, BACK_SIZE, 0 }, { 2, 0, a2, BACK_SIZE, 0 } };
    memcpy(ram(g, TABLE), &h, sizeof(h));
    memcpy(ram(g, TABLE + 24), e, sizeof(e));
    g->stream_at = STREAM;
    struct agpu_descriptor d = with_stream(g, ++fence, 0, words, count);
    d.context_id = c;
    d.alloc_table_gpa = TABLE;
    d.alloc_table_size_bytes = 24 + 64;
    submit(g, d);
    ck_assert_uint_eq(DONE(g), fence);
}
#define WORDS(...) (const u32[]){ __VA_ARGS__ }, sizeof((const u32[]){ __VA_ARGS__ }) / 4
#define RUN(g, ...) run_at(g, 1, BACK, BACK2, 0, WORDS(__VA_ARGS__))

#define BUFFER(handle, size, alloc) AGPU_CREATE_BUFFER, 40, handle, 1, size, 0, alloc, 0, 0, 0
#define TEXTURE(handle, format, w, h, mips, layers, pitch, alloc) \
    AGPU_CREATE_TEXTURE2D, 56, handle, 8, format, w, h, mips, layers, pitch, alloc, 0, 0, 0
#define COPY_BUFFER(dst, src, dst_at, src_at, n, flags) AGPU_COPY_BUFFER, 48, dst, src, dst_at, 0, src_at, 0, n, 0, flags, 0
#define COPY_TEXTURE(dst, src, dm, dl, sm, sl, dx, dy, sx, sy, w, h, flags) \
    AGPU_COPY_TEXTURE2D, 64, dst, src, dm, dl, sm, sl, dx, dy, sx, sy, w, h, flags, 0
#define UPLOAD4(handle, at, word) AGPU_UPLOAD_RESOURCE, 36, handle, 0, at, 0, 4, 0, word
#define DIRTY(handle, at, n) AGPU_RESOURCE_DIRTY_RANGE, 32, handle, 0, at, 0, n, 0
#define TARGET(handle, depth) AGPU_SET_RENDER_TARGETS, 48, 1, depth, handle, 0, 0, 0, 0, 0, 0, 0
#define CLEAR(flags, r, g, b, a, depth, stencil) AGPU_CLEAR, 36, flags, r, g, b, a, depth, stencil
#define DESTROY(handle) AGPU_DESTROY_RESOURCE, 16, handle, 0
#define SHARE(op, handle, token) op, 24, handle, 0, token, 0
#define ONE 0x3f800000u
#define HALF 0x3f000000u
#define BACK_FLAG AGPU_COPY_WRITEBACK_DST

/* Reads n bytes of a buffer back through allocation 2. */
static const u8 *buffer_bytes(struct gpu *g, u32 handle, u32 n)
{
    RUN(g, BUFFER(99, n, 2), COPY_BUFFER(99, handle, 0, 0, n, BACK_FLAG), DESTROY(99));
    return ram(g, BACK2);
}

/* Reads a texture's mip and layer back, tight rows. */
static const u8 *texels(struct gpu *g, u32 handle, u32 format, u32 w, u32 h, u32 mip, u32 layer)
{
    struct subresource s;
    format_mip(format_of(format), w, h, 0, 0, &s);
    RUN(g, TEXTURE(98, format, w, h, 1, 1, s.pitch, 2), COPY_TEXTURE(98, handle, 0, 0, mip, layer, 0, 0, 0, 0, w, h, BACK_FLAG), DESTROY(98));
    return ram(g, BACK2);
}

START_TEST(ag_016_features)
{
    struct gpu g;
    start(&g);
    ck_assert_uint_eq(R(&g, AGPU_R_FEATURES_LO), 0x3f);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_166_168_169_170_171_buffers)
{
    struct gpu g;
    start(&g);
    RUN(&g, BUFFER(BUF, 16, 0), UPLOAD4(BUF, 0, 0x11111111), UPLOAD4(BUF, 4, 0x22222222), UPLOAD4(BUF, 8, 0x33333333),
        UPLOAD4(BUF, 12, 0x44444444));
    RUN(&g, AGPU_UPLOAD_RESOURCE, 40, BUF, 0, 4, 0, 8, 0, 0xaaaaaaaa, 0xbbbbbbbb);
    const u8 *p = buffer_bytes(&g, BUF, 16);
    ck_assert_uint_eq(ld32(p), 0x11111111);
    ck_assert_uint_eq(ld32(p + 4), 0xaaaaaaaa);
    ck_assert_uint_eq(ld32(p + 8), 0xbbbbbbbb);
    ck_assert_uint_eq(ld32(p + 12), 0x44444444);
    ck_assert_uint_eq(ERRORS(&g), 0);
    RUN(&g, BUFFER(BUF + 1, 16, 0), COPY_BUFFER(BUF + 1, BUF, 2, 0, 4, 0), COPY_BUFFER(BUF + 1, BUF, 0, 0, 4, 2),
        COPY_BUFFER(BUF + 1, BUF, 12, 0, 8, 0), UPLOAD4(BUF + 1, 16, 5));
    p = buffer_bytes(&g, BUF + 1, 16);
    for (int k = 0; k < 16; k++) ck_assert_uint_eq(p[k], 0);
    ck_assert_uint_eq(ERRORS(&g), 0);
    RUN(&g, COPY_BUFFER(BUF + 1, BUF, 0, 0, 4, BACK_FLAG)); /* no guest memory to write to */
    ck_assert_uint_eq(ERRORS(&g), 1);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_077_an_allocation_is_where_its_table_says)
{
    struct gpu g;
    start(&g);
    RUN(&g, BUFFER(BUF, 4, 0), UPLOAD4(BUF, 0, 0x12345678), BUFFER(BUF + 1, 4, 1));
    run_at(&g, 1, BACK + 0x1000, BACK2, 0, WORDS(COPY_BUFFER(BUF + 1, BUF, 0, 0, 4, BACK_FLAG)));
    run_at(&g, 1, BACK + 0x2000, BACK2, 0, WORDS(COPY_BUFFER(BUF + 1, BUF, 0, 0, 4, BACK_FLAG)));
    ck_assert_uint_eq(ld32(ram(&g, BACK)), 0);
    ck_assert_uint_eq(ld32(ram(&g, BACK + 0x1000)), 0x12345678);
    ck_assert_uint_eq(ld32(ram(&g, BACK + 0x2000)), 0x12345678);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_078_read_only_allocations)
{
    struct gpu g;
    start(&g);
    RUN(&g, BUFFER(BUF, 4, 0), UPLOAD4(BUF, 0, 0x12345678), BUFFER(BUF + 1, 4, 1), TEXTURE(TEX, 1, 2, 2, 1, 1, 8, 1));
    run_at(&g, 1, BACK, BACK2, AGPU_ALLOC_READONLY, WORDS(COPY_BUFFER(BUF + 1, BUF, 0, 0, 4, BACK_FLAG)));
    ck_assert_uint_eq(ld32(ram(&g, BACK)), 0);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_CODE), AGPU_E_BACKEND);
    run_at(&g, 1, BACK, BACK2, AGPU_ALLOC_READONLY, WORDS(TARGET(TEX, 0), CLEAR(1, ONE, ONE, ONE, ONE, 0, 0)));
    ck_assert_uint_eq(ld32(ram(&g, BACK)), 0);
    ck_assert_uint_eq(ERRORS(&g), 2);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_158_159_backing_that_does_not_fit)
{
    struct gpu g;
    start(&g);
    RUN(&g, TEXTURE(TEX, 1, 4, 4, 1, 1, 0, 1), TEXTURE(TEX, 1, 4, 4, 1, 1, 12, 1));
    RUN(&g, TEXTURE(COPY, 1, 4, 4, 1, 1, 16, 2), COPY_TEXTURE(COPY, TEX, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, BACK_FLAG));
    ck_assert_uint_eq(ERRORS(&g), 0); /* texture 20 does not exist: nothing happened */
    RUN(&g, TEXTURE(TEX, 1, 1024, 1024, 1, 1, 4096, 1));
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_CODE), AGPU_E_OOB);
    RUN(&g, TEXTURE(TEX, 1, 4, 4, 1, 1, 16, 7));
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_CODE), AGPU_E_BACKEND);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_160_161_162_linear_layout)
{
    struct subresource s;
    const struct format *bc1 = format_of(AGPU_FMT_BC1), *rgba = format_of(AGPU_FMT_R8G8B8A8);
    format_mip(bc1, 5, 5, 0, 0, &s);
    ck_assert_uint_eq(s.pitch, 16);
    ck_assert_uint_eq(s.rows, 2);
    format_mip(rgba, 4, 4, 64, 1, &s);
    ck_assert_uint_eq(s.offset, 256);
    ck_assert_uint_eq(s.pitch, 8);
    format_mip(rgba, 4, 4, 64, 2, &s);
    ck_assert_uint_eq(s.offset, 256 + 16);
    ck_assert_uint_eq(format_layer_size(rgba, 4, 4, 64, 3), 256 + 16 + 4);
    /* and through the device: mip 1 of layer 1 */
    struct gpu g;
    start(&g);
    RUN(&g, TEXTURE(TEX, 3, 4, 4, 3, 2, 0, 0), UPLOAD4(TEX, 64 + 16 + 4 + 64, 0xabcdef01));
    const u8 *p = texels(&g, TEX, 3, 2, 2, 1, 1);
    ck_assert_uint_eq(ld32(p), 0xabcdef01);
    ck_assert_uint_eq(ld32(p + 4), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_163_destroying_what_is_not_there)
{
    struct gpu g;
    start(&g);
    RUN(&g, DESTROY(1), AGPU_DESTROY_TEXTURE_VIEW, 16, 2, 0, AGPU_DESTROY_SHADER, 16, 3, 0, AGPU_DESTROY_INPUT_LAYOUT, 16, 4, 0,
        AGPU_DESTROY_SAMPLER, 16, 5, 0, DESTROY(0));
    ck_assert_uint_eq(ERRORS(&g), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_164_165_dirty_ranges)
{
    struct gpu g;
    start(&g);
    st32(ram(&g, BACK), 1);
    st32(ram(&g, BACK + 4), 2);
    RUN(&g, BUFFER(BUF, 8, 1));
    st32(ram(&g, BACK), 0x11);
    st32(ram(&g, BACK + 4), 0x22);
    const u8 *p = buffer_bytes(&g, BUF, 8);
    ck_assert_uint_eq(ld32(p), 1);
    RUN(&g, DIRTY(BUF, 4, 4));
    p = buffer_bytes(&g, BUF, 8);
    ck_assert_uint_eq(ld32(p), 1);
    ck_assert_uint_eq(ld32(p + 4), 0x22);
    RUN(&g, BUFFER(BUF + 1, 8, 0), UPLOAD4(BUF + 1, 0, 9), DIRTY(BUF + 1, 0, 8));
    ck_assert_uint_eq(ld32(buffer_bytes(&g, BUF + 1, 8)), 9);
    RUN(&g, DIRTY(BUF, 4, 8), DIRTY(BUF, 0xfffffff0, 0xfffffff0), DIRTY(12345, 0, 4));
    ck_assert_uint_eq(ERRORS(&g), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(many_dirty_ranges)
{
    struct gpu g;
    start(&g);
    RUN(&g, BUFFER(BUF, 4096, 1));
    for (u32 k = 0; k < 1024; k++) st32(ram(&g, BACK + 4 * k), k + 1);
    u32 words[64 * 8];
    for (u32 k = 0; k < 64; k++) memcpy(words + 8 * k, (const u32[]){ DIRTY(BUF, k * 64, 4) }, 32);
    run_at(&g, 1, BACK, BACK2, 0, words, 64 * 8);
    const u8 *p = buffer_bytes(&g, BUF, 4096);
    for (u32 k = 0; k < 64; k++) ck_assert_uint_eq(ld32(p + k * 64), k * 16 + 1);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_167_172_173_textures)
{
    struct gpu g;
    start(&g);
    RUN(&g, TEXTURE(TEX, 3, 4, 4, 1, 1, 0, 0), AGPU_UPLOAD_RESOURCE, 40, TEX, 0, 6, 0, 7, 0, 0x44332211, 0x00776655);
    const u8 *p = texels(&g, TEX, 3, 4, 4, 0, 0);
    for (u32 k = 0; k < 64; k++) ck_assert_uint_eq(p[k], k >= 6 && k < 13 ? (k - 5) * 0x11 : 0);
    /* a rectangle into a texture of pitch 32: only its bytes change in guest memory */
    memset(ram(&g, BACK), 0xee, 32 * 4);
    RUN(&g, TEXTURE(COPY, 3, 4, 4, 1, 1, 32, 1), COPY_TEXTURE(COPY, TEX, 0, 0, 0, 0, 1, 2, 1, 0, 2, 2, BACK_FLAG));
    for (u32 k = 0; k < 128; k++) {
        bool in = k / 32 >= 2 && k % 32 >= 4 && k % 32 < 12;
        if (!in) ck_assert_msg(*ram(&g, BACK + k) == 0xee, "byte %u", k);
    }
    ck_assert_uint_eq(ld32(ram(&g, BACK + 2 * 32 + 4)), 0x22110000);
    ck_assert_uint_eq(ERRORS(&g), 0);
    RUN(&g, TEXTURE(40, 1, 4, 4, 1, 1, 0, 0), COPY_TEXTURE(40, TEX, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 0));
    p = texels(&g, 40, 1, 4, 4, 0, 0);
    for (u32 k = 0; k < 64; k++) ck_assert_uint_eq(p[k], 0);
    RUN(&g, COPY_TEXTURE(COPY, TEX, 0, 0, 0, 0, 3, 0, 0, 0, 2, 1, 0), COPY_TEXTURE(COPY, TEX, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0),
        COPY_TEXTURE(COPY, TEX, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0), COPY_TEXTURE(COPY, 777, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0),
        COPY_TEXTURE(COPY, TEX, 0, 0, 0, 0, 0xffffffff, 0, 0, 0, 2, 1, 0));
    ck_assert_uint_eq(ERRORS(&g), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(destroyed_targets_are_written_back)
{
    struct gpu g;
    start(&g);
    RUN(&g, TEXTURE(TEX, 1, 4, 4, 1, 1, 16, 1), TARGET(TEX, 0), CLEAR(1, ONE, 0, 0, ONE, 0, 0), DESTROY(TEX), TEXTURE(40, 1, 4, 4, 1, 1, 0, 0),
        TARGET(40, 0), CLEAR(1, 0, ONE, 0, ONE, 0, 0), DESTROY(40));
    for (u32 k = 0; k < 16; k++) ck_assert_uint_eq(ld32(ram(&g, BACK + 4 * k)), 0xffff0000);
    ck_assert_uint_eq(ERRORS(&g), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(overlapping_copies_and_blocks)
{
    struct gpu g;
    start(&g);
    RUN(&g, TEXTURE(TEX, 3, 1, 4, 1, 1, 0, 0), UPLOAD4(TEX, 0, 1), UPLOAD4(TEX, 4, 2), UPLOAD4(TEX, 8, 3), UPLOAD4(TEX, 12, 4),
        COPY_TEXTURE(TEX, TEX, 0, 0, 0, 0, 0, 1, 0, 0, 1, 3, 0));
    const u8 *p = texels(&g, TEX, 3, 1, 4, 0, 0);
    for (u32 k = 0; k < 4; k++) ck_assert_uint_eq(ld32(p + 4 * k), k ? k : 1);
    /* BC1 6x6: four blocks; the lower right one by its edge */
    RUN(&g, TEXTURE(40, AGPU_FMT_BC1, 6, 6, 1, 1, 0, 0), UPLOAD4(40, 24, 0x01020304), TEXTURE(41, AGPU_FMT_BC1, 6, 6, 1, 1, 0, 0),
        COPY_TEXTURE(41, 40, 0, 0, 0, 0, 4, 4, 4, 4, 2, 2, 0), COPY_TEXTURE(41, 40, 0, 0, 0, 0, 0, 0, 2, 4, 2, 2, 0));
    p = texels(&g, 41, AGPU_FMT_BC1, 6, 6, 0, 0);
    ck_assert_uint_eq(ld32(p + 24), 0x01020304);
    ck_assert_uint_eq(ld32(p), 0);
    gpu_down(&g);
}
END_TEST

/* What one texel of each format becomes when it is cleared to (1, 0.5, 0, 0). */
START_TEST(ag_174_175_clear_formats)
{
    static const struct {
        u32 format, want;
    } rows[] = {
        { 1, 0x00ff8000 }, { 2, 0xffff8000 }, { 3, 0x000080ff }, { 4, 0xff0080ff }, { 5, 0xfc00 },     { 6, 0x7e00 },
        { 7, 0x00ffbc00 }, { 8, 0xffffbc00 }, { 9, 0x0000bcff }, { 10, 0xff00bcff },
    };
    struct gpu g;
    start(&g);
    for (unsigned k = 0; k < LEN(rows); k++) {
        u32 h = 100 + k, bytes = format_of(rows[k].format)->bytes;
        RUN(&g, TEXTURE(h, rows[k].format, 3, 2, 1, 1, 0, 0), TARGET(h, 0), CLEAR(1, ONE, HALF, 0, 0, 0, 0));
        const u8 *p = texels(&g, h, rows[k].format, 3, 2, 0, 0);
        for (u32 n = 0; n < 6; n++)
            ck_assert_msg(ld_n(p + n * bytes, bytes) == rows[k].want, "format %u: %08llx", rows[k].format, (unsigned long long)ld_n(p, bytes));
    }
    RUN(&g, TARGET(0, 0), CLEAR(7, ONE, ONE, ONE, ONE, ONE, 1), TARGET(4711, 4712), CLEAR(7, ONE, ONE, ONE, ONE, ONE, 1), TARGET(100, 0),
        CLEAR(0, ONE, ONE, ONE, ONE, ONE, 1));
    ck_assert_uint_eq(ld32(texels(&g, 100, 1, 3, 2, 0, 0)), 0x00ff8000);
    ck_assert_uint_eq(ERRORS(&g), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(clear_depth_and_stencil)
{
    struct gpu g;
    start(&g);
    RUN(&g, TEXTURE(TEX, AGPU_FMT_D24S8, 2, 2, 1, 1, 0, 0), TARGET(0, TEX), CLEAR(6, 0, 0, 0, 0, HALF, 0x17f));
    ck_assert_uint_eq(ld32(texels(&g, TEX, AGPU_FMT_D24S8, 2, 2, 0, 0)), 0x7f800000);
    RUN(&g, CLEAR(2, 0, 0, 0, 0, ONE, 0));
    ck_assert_uint_eq(ld32(texels(&g, TEX, AGPU_FMT_D24S8, 2, 2, 0, 0)), 0x7fffffff);
    RUN(&g, CLEAR(4, 0, 0, 0, 0, 0, 3));
    ck_assert_uint_eq(ld32(texels(&g, TEX, AGPU_FMT_D24S8, 2, 2, 0, 0)), 0x03ffffff);
    RUN(&g, TEXTURE(COPY, AGPU_FMT_D32F, 2, 2, 1, 1, 0, 0), TARGET(0, COPY), CLEAR(6, 0, 0, 0, 0, HALF, 9));
    ck_assert_uint_eq(ld32(texels(&g, COPY, AGPU_FMT_D32F, 2, 2, 0, 0)), HALF);
    RUN(&g, CLEAR(2, 0, 0, 0, 0, 0x7fc00000, 9)); /* NaN */
    ck_assert_uint_eq(ld32(texels(&g, COPY, AGPU_FMT_D32F, 2, 2, 0, 0)), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_176_clear_within_the_scissor)
{
    struct gpu g;
    start(&g);
    RUN(&g, TEXTURE(TEX, 1, 4, 4, 1, 1, 0, 0), TARGET(TEX, 0), AGPU_SET_SCISSOR, 24, 0xffffffff, 1, 3, 2, AGPU_SET_RENDER_STATE, 16, 174, 1,
        CLEAR(1, ONE, ONE, ONE, ONE, 0, 0));
    const u8 *p = texels(&g, TEX, 1, 4, 4, 0, 0);
    for (u32 y = 0; y < 4; y++) {
        for (u32 x = 0; x < 4; x++) ck_assert_uint_eq(ld32(p + 16 * y + 4 * x), x < 2 && y >= 1 && y < 3 ? 0xffffffff : 0);
    }
    /* a D3D10 context, where the same scissor means nothing to a clear */
    run_at(&g, 2, BACK, BACK2, 0,
           WORDS(TARGET(TEX, 0), AGPU_SET_SCISSOR, 24, 0, 0, 1, 1, AGPU_SET_RASTERIZER_STATE, 32, 0, 0, 0, 1, 0, 0,
                 CLEAR(1, 0, 0, 0, ONE, 0, 0)));
    p = texels(&g, TEX, 1, 4, 4, 0, 0);
    for (u32 k = 0; k < 16; k++) ck_assert_uint_eq(ld32(p + 4 * k), 0xff000000);
    gpu_down(&g);
}
END_TEST

START_TEST(views_limit_clears)
{
    struct gpu g;
    start(&g);
    RUN(&g, TEXTURE(TEX, 3, 4, 4, 2, 2, 0, 0), AGPU_CREATE_TEXTURE_VIEW, 44, VIEW, TEX, 9, 1, 1, 1, 1, 0, 0, TARGET(VIEW, 0), DESTROY(TEX),
        CLEAR(1, HALF, 0, 0, ONE, 0, 0));
    RUN(&g, TEXTURE(COPY, 3, 4, 4, 1, 1, 0, 0)); /* the texture lives in its view; its handle is gone */
    const u8 *p = texels(&g, TEX, 3, 2, 2, 1, 1);
    ck_assert_uint_ne(ld32(p), 0xff0000bc);
    ck_assert_uint_eq(ERRORS(&g), 0);
    RUN(&g, AGPU_DESTROY_TEXTURE_VIEW, 16, VIEW, 0, TEXTURE(TEX, 3, 4, 4, 2, 2, 0, 0), AGPU_CREATE_TEXTURE_VIEW, 44, VIEW, TEX, 9, 1, 1, 1, 1,
        0, 0, TARGET(VIEW, 0), CLEAR(1, HALF, 0, 0, ONE, 0, 0));
    ck_assert_uint_eq(ld32(texels(&g, TEX, 3, 2, 2, 1, 1)), 0xff0000bc);
    ck_assert_uint_eq(ld32(texels(&g, TEX, 3, 2, 2, 1, 0)), 0);
    ck_assert_uint_eq(ld32(texels(&g, TEX, 3, 4, 4, 0, 1)), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_206_207_208_209_shared_surfaces)
{
    struct gpu g;
    start(&g);
    RUN(&g, TEXTURE(TEX, 1, 1, 1, 1, 1, 0, 0), SHARE(AGPU_EXPORT_SHARED_SURFACE, TEX, 5), SHARE(AGPU_EXPORT_SHARED_SURFACE, TEX, 5));
    run_at(&g, 2, BACK, BACK2, 0, WORDS(SHARE(AGPU_IMPORT_SHARED_SURFACE, 60, 5), TARGET(60, 0), CLEAR(1, ONE, 0, 0, ONE, 0, 0)));
    ck_assert_uint_eq(ld32(texels(&g, TEX, 1, 1, 1, 0, 0)), 0xffff0000);
    RUN(&g, SHARE(AGPU_IMPORT_SHARED_SURFACE, 61, 6), COPY_TEXTURE(61, TEX, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0),
        AGPU_RELEASE_SHARED_SURFACE, 24, 6, 0, 0, 0);
    /* the original goes, the alias stays */
    RUN(&g, DESTROY(TEX));
    ck_assert_uint_eq(ld32(texels(&g, 60, 1, 1, 1, 0, 0)), 0xffff0000);
    RUN(&g, AGPU_RELEASE_SHARED_SURFACE, 24, 5, 0, 0, 0, SHARE(AGPU_IMPORT_SHARED_SURFACE, 62, 5));
    ck_assert_uint_eq(ld32(texels(&g, 60, 1, 1, 1, 0, 0)), 0xffff0000);
    st32(ram(&g, BACK2), 0x5a5a5a5a);
    texels(&g, 62, 1, 1, 1, 0, 0); /* no such texture: nothing is copied */
    ck_assert_uint_eq(ld32(ram(&g, BACK2)), 0x5a5a5a5a);
    /* a retired token cannot name another resource, nor one whose resource is gone */
    RUN(&g, TEXTURE(TEX, 1, 1, 1, 1, 1, 0, 0), SHARE(AGPU_EXPORT_SHARED_SURFACE, TEX, 5), SHARE(AGPU_IMPORT_SHARED_SURFACE, 63, 5),
        SHARE(AGPU_EXPORT_SHARED_SURFACE, TEX, 9), DESTROY(TEX), SHARE(AGPU_IMPORT_SHARED_SURFACE, 64, 9));
    st32(ram(&g, BACK2), 0x5a5a5a5a);
    texels(&g, 63, 1, 1, 1, 0, 0);
    texels(&g, 64, 1, 1, 1, 0, 0);
    ck_assert_uint_eq(ld32(ram(&g, BACK2)), 0x5a5a5a5a);
    ck_assert_uint_eq(ERRORS(&g), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_211_reset_forgets_tokens_and_objects)
{
    struct gpu g;
    start(&g);
    RUN(&g, TEXTURE(TEX, 1, 1, 1, 1, 1, 0, 0), SHARE(AGPU_EXPORT_SHARED_SURFACE, TEX, 5), AGPU_RELEASE_SHARED_SURFACE, 24, 5, 0, 0, 0);
    W(&g, AGPU_R_RING_CONTROL, 3);
    fence = 0;
    RUN(&g, TEXTURE(TEX, 2, 1, 1, 1, 1, 0, 0), SHARE(AGPU_EXPORT_SHARED_SURFACE, TEX, 5), SHARE(AGPU_IMPORT_SHARED_SURFACE, 60, 5), TARGET(60, 0),
        CLEAR(1, 0, 0, ONE, 0, 0, 0));
    ck_assert_uint_eq(ld32(texels(&g, TEX, 2, 1, 1, 0, 0)), 0xff0000ff);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_184_contexts_have_their_own_state)
{
    struct gpu g;
    start(&g);
    RUN(&g, TEXTURE(TEX, 1, 1, 1, 1, 1, 0, 0), TARGET(TEX, 0));
    run_at(&g, 2, BACK, BACK2, 0, WORDS(CLEAR(1, ONE, 0, 0, ONE, 0, 0))); /* no target in context 2 */
    ck_assert_uint_eq(ld32(texels(&g, TEX, 1, 1, 1, 0, 0)), 0);
    RUN(&g, CLEAR(1, ONE, 0, 0, ONE, 0, 0));
    ck_assert_uint_eq(ld32(texels(&g, TEX, 1, 1, 1, 0, 0)), 0xffff0000);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_213_rendering_reaches_the_scanout)
{
    struct gpu g;
    start(&g);
    scanout(&g, 2, 2, AGPU_FMT_B8G8R8X8, 256);
    W(&g, AGPU_R_SCAN_GPA_LO, BACK);
    W(&g, AGPU_R_SCAN_GPA_HI, 0);
    ck_assert_uint_eq(pixel_at(&g, 1, 1), 0);
    RUN(&g, TEXTURE(TEX, 2, 2, 2, 1, 1, 256, 1), TARGET(TEX, 0), CLEAR(1, 0, ONE, 0, 0, 0, 0));
    ck_assert_uint_eq(pixel_at(&g, 1, 1), 0x00ff00);
    ck_assert_uint_eq(ld32(ram(&g, BACK)), 0xff00ff00);
    /* a batch without the allocation: the next one that has it brings the picture */
    struct agpu_descriptor d = STREAM_OF(&g, ++fence, 0, CLEAR(1, 0, 0, ONE, 0, 0, 0));
    submit(&g, d);
    ck_assert_uint_eq(pixel_at(&g, 0, 0), 0x00ff00);
    RUN(&g, AGPU_NOP, 8);
    ck_assert_uint_eq(pixel_at(&g, 0, 0), 0x0000ff);
    ck_assert_uint_eq(ERRORS(&g), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(ag_099_194_212_presenting_a_host_owned_target)
{
    static const struct {
        u32 format, want;
    } rows[] = { { 1, 0x8040c020 }, { 2, 0xff40c020 }, { 3, 0x8020c040 }, { 5, 0x4604 }, { 6, 0xa304 } };
    struct gpu g;
    start(&g);
    RUN(&g, TEXTURE(TEX, 1, 4, 4, 1, 1, 0, 0), UPLOAD4(TEX, 0, 0x8040c020), TARGET(TEX, 0));
    for (unsigned k = 0; k < LEN(rows); k++) {
        u32 bytes = format_of(rows[k].format)->bytes;
        memset(ram(&g, FB), 0, 64);
        scanout(&g, 2, 2, rows[k].format, 16);
        RUN(&g, AGPU_PRESENT_EX, 24, 0, 0, 0, 0);
        ck_assert_msg(ld_n(ram(&g, FB), bytes) == rows[k].want, "format %u: %llx", rows[k].format, (unsigned long long)ld_n(ram(&g, FB), bytes));
        ck_assert_uint_eq(ld32(ram(&g, FB + 8)), 0); /* beyond the scanout's width */
    }
    RUN(&g, UPLOAD4(TEX, 0, 0x00ffffff));
    st32(ram(&g, FB), 0);
    scanout(&g, 2, 2, 6, 16);
    RUN(&g, AGPU_PRESENT, 16, 0, 0);
    ck_assert_uint_eq(ld16(ram(&g, FB)), 0x7fff);
    W(&g, AGPU_R_SCAN_ENABLE, 0);
    RUN(&g, AGPU_PRESENT, 16, 0, 0);
    ck_assert_uint_eq(ERRORS(&g), 0);
    gpu_down(&g);
}
END_TEST

START_TEST(memory_beyond_the_cap_reads_zero)
{
    struct gpu g;
    start(&g);
    for (u32 k = 0; k < 12; k++) RUN(&g, TEXTURE(1000 + k, 1, 4096, 4096, 1, 1, 0, 0));
    RUN(&g, UPLOAD4(1011, 0, 7), COPY_TEXTURE(1011, 1000, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0), TARGET(1011, 0), CLEAR(1, ONE, 0, 0, 0, 0, 0));
    RUN(&g, DESTROY(1001), UPLOAD4(1000, 0, 7));
    ck_assert_uint_eq(ld32(texels(&g, 1000, 1, 1, 1, 0, 0)), 7);
    ck_assert_uint_eq(ERRORS(&g), 0);
    gpu_down(&g);
}
END_TEST

/* --- formats --- */

START_TEST(srgb_round_trips)
{
    for (unsigned c = 0; c < 256; c++) {
        double s = c / 255.0, want = s <= 0.04045 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4);
        ck_assert(fabs(srgb_decode((u8)c) - want) < 1e-6);
        ck_assert_uint_eq(srgb_encode(srgb_decode((u8)c)), c);
    }
    for (unsigned k = 0; k <= 10000; k++) {
        double l = k / 10000.0, e = l <= 0.0031308 ? 12.92 * l : 1.055 * pow(l, 1 / 2.4) - 0.055;
        ck_assert_msg(fabs(srgb_encode((float)l) - e * 255) < 0.5001 + 1e-3, "%f", l);
    }
    ck_assert_uint_eq(srgb_encode(NAN), 0);
    ck_assert_uint_eq(unorm8(NAN), 0);
    ck_assert_uint_eq(unorm8(-1), 0);
    ck_assert_uint_eq(unorm8(2), 255);
}
END_TEST

START_TEST(all_texels_survive_a_round_trip)
{
    static const u32 formats[] = { 1, 3, 5, 6, 7, 9 };
    for (unsigned n = 0; n < LEN(formats); n++) {
        const struct format *f = format_of(formats[n]);
        for (u32 v = 0; v < 65536; v++) {
            u32 bits = f->bytes == 2 ? v : v * 0x10001;
            float rgba[4];
            u8 p[4];
            st32(p, bits);
            format_load(f, p, rgba);
            ck_assert_msg(format_store(f, rgba, false) == bits, "format %u, %x", formats[n], bits);
        }
    }
}
END_TEST

Suite *aerogpu_soft_suite(void);
Suite *aerogpu_soft_suite(void)
{
    Suite *s = suite_create("aerogpu_soft");
    TCase *c = tcase_create("transfer");
    const TTest *tests[] = {
        ag_016_features, ag_166_168_169_170_171_buffers, ag_077_an_allocation_is_where_its_table_says, ag_078_read_only_allocations,
        ag_158_159_backing_that_does_not_fit, ag_160_161_162_linear_layout, ag_163_destroying_what_is_not_there,
        ag_164_165_dirty_ranges, many_dirty_ranges, ag_167_172_173_textures, destroyed_targets_are_written_back, overlapping_copies_and_blocks,
        ag_174_175_clear_formats, clear_depth_and_stencil, ag_176_clear_within_the_scissor, views_limit_clears,
        ag_206_207_208_209_shared_surfaces, ag_211_reset_forgets_tokens_and_objects, ag_184_contexts_have_their_own_state,
        ag_213_rendering_reaches_the_scanout, ag_099_194_212_presenting_a_host_owned_target, memory_beyond_the_cap_reads_zero,
        srgb_round_trips, all_texels_survive_a_round_trip,
    };
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    suite_add_tcase(s, c);
    return s;
}
