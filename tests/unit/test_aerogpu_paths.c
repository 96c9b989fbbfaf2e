/* The software executor against itself: plain C, SSE2 and AVX2, short ways on and off, one to eight workers draw the same picture, bit for
 * bit. Scenes are random: shaders, formats, filters, addresses, blending, write masks, depth, stencil, scissor, sizes. */
#include "gpu/simd.h"
#include "gpu/soft/fast.h"
#include "tests/bench/gpu_stream.h"

enum { W = 301, H = 203, TEXTURES = 8, DRAWS = 14, SCENES = 24, VERTICES = 240 };

static const struct exec_tuning ways[] = {
    { .workers = 1, .simd = EXEC_SIMD_PLAIN, .no_fast_paths = true }, /* the reference */
    { .workers = 1, .simd = EXEC_SIMD_SSE2, .no_fast_paths = true },
    { .workers = 1, .simd = EXEC_SIMD_BEST, .no_fast_paths = true },
    { .workers = 1, .simd = EXEC_SIMD_PLAIN },
    { .workers = 1, .simd = EXEC_SIMD_SSE2 },
    { .workers = 1 },
    { .workers = 2 },
    { .workers = 4 },
    { .workers = 8, .simd = EXEC_SIMD_SSE2 },
    { .workers = 0 },
};

static const char *const shaders[] = {
    "ps_2_0\ndcl t0.xy\ndcl_2d s0\ntexld r0, t0, s0\nmov oC0, r0",
    "ps_2_0\ndcl t0.xy\ndcl v0\ndcl_2d s0\ntexld r0, t0, s0\nmul r0, r0, v0\nmov oC0, r0",
    "ps_2_0\ndcl t0.xy\ndcl_2d s0\ntexld r0, t0, s0\nmul r0, r0, c0\nmov oC0, r0",
    "ps_2_0\ndcl v0\nmov oC0, v0",
    "ps_2_0\nmov oC0, c0",
    "ps_2_0\nmov r0, c0\nmov oC0, r0",
    "ps_2_0\ndcl t0.xy\ndcl v0\ndcl_2d s0\ntexld r0, t0, s0\nmul_sat r0.xyz, r0, v0.zyxw\nmad r0.w, r0.w, c0.x, c0.y\nmov oC0, r0",
    "ps_2_0\ndcl t0.xy\ndcl_2d s0\nadd r1, t0, t0\nmul r1, r1, c0.w\ntexldb r0, t0, s0\ntexld r1, r1, s0\nlrp r0, c0.x, r0, r1\nmov oC0, r0",
    "ps_2_0\ndcl t0.xy\ndcl v0\ndcl_2d s0\ntexld r0, t0, s0\nsub r1, r0, c0.yyyy\ntexkill r1\nmov oC0, r0",
    "ps_2_0\ndcl t0\ndcl v0\ndcl_2d s0\nmov r2, t0\nmov r2.w, c1.x\ntexldp r0, r2, s0\nnrm r1.xyz, v0\ndp3 r1.w, r1, c0\nadd r0, r0, r1.wwww\nmov oC0, r0",
    "ps_3_0\ndcl_texcoord0 v0.xy\ndcl_color0 v1\ndcl_2d s0\nmov r0, v1\nif_gt r0.x, c0.y\ntexldl r1, v0.xyyw, s0\nadd r0, r0, r1\nelse\nmul r0, r0, c0\n"
    "endif\nmov oC0, r0",
};

static u32 pick(u32 *seed, u32 n)
{
    return gs_random(seed) % n;
}

static float any(u32 *seed, float from, float to)
{
    return from + (to - from) * (float)(gs_random(seed) & 0xffff) / 65535.0f;
}

static void random_texture(struct gs *s, u32 handle, u32 *seed)
{
    static const u32 formats[] = { AGPU_FMT_B8G8R8A8, AGPU_FMT_B8G8R8X8, AGPU_FMT_R8G8B8A8, AGPU_FMT_B5G6R5, AGPU_FMT_B8G8R8A8_SRGB,
                                   AGPU_FMT_R8G8B8A8_SRGB };
    u32 format = formats[pick(seed, LEN(formats))], w = pick(seed, 2) ? 64 : 3 + pick(seed, 90), h = pick(seed, 2) ? 32 : 3 + pick(seed, 70);
    u32 mips = pick(seed, 2) ? 1 : 3, bytes = 0, smooth = pick(seed, 3);
    for (u32 m = 0; m < mips; m++) bytes += MAX(w >> m, 1) * MAX(h >> m, 1) * (format == AGPU_FMT_B5G6R5 ? 2 : 4);
    u8 *p = malloc(bytes);
    for (u32 k = 0; k < bytes; k++) p[k] = smooth == 0 ? (u8)gs_random(seed) : smooth == 1 ? (u8)(k / 8) : pick(seed, 4) ? 255 : 0;
    gs_texture(s, handle, format, w, h, mips);
    gs_upload(s, handle, p, bytes);
    free(p);
}

/* Rectangles on whole pixels and elsewhere, triangles of all sizes, some in perspective. */
static u32 random_vertices(const struct gs *s, struct gs_vertex *v, u32 *seed, u32 w, u32 h)
{
    u32 kind = pick(seed, 4), n = kind < 2 ? 4 : 3 * (1 + pick(seed, VERTICES / 3 - 1));
    if (kind < 2) { /* 0: pixel to texel */
        float x = kind ? any(seed, -40, W) : (float)pick(seed, W) - 20, y = kind ? any(seed, -40, H) : (float)pick(seed, H) - 20;
        gs_rectangle(s, v, x, y, kind ? x + any(seed, 1, 200) : x + (float)w, kind ? y + any(seed, 1, 200) : y + (float)h, 1, 1);
    } else {
        float size = pick(seed, 2) ? 12 : 150;
        for (u32 k = 0; k < n; k++) {
            float x = k % 3 ? v[k - 1].x : any(seed, -1.2f, 1.2f), y = k % 3 ? v[k - 1].y : any(seed, -1.2f, 1.2f);
            v[k] = (struct gs_vertex){ x + any(seed, -size, size) / W, y + any(seed, -size, size) / H, any(seed, -0.1f, 1.1f), 1, 0, any(seed, -1, 2),
                                       any(seed, -1, 2) };
            if (kind == 3) v[k].w = any(seed, 0.4f, 3);
        }
    }
    u32 color = gs_random(seed) << 8 | pick(seed, 256);
    for (u32 k = 0; k < n; k++) v[k].color = kind == 0 && pick(seed, 2) ? color : gs_random(seed) << 8 | pick(seed, 256);
    return n;
}

static void random_state(struct gs *s, u32 *seed)
{
    static const u8 blends[][2] = { { 0, 0 }, { 2, 6 }, { 5, 6 }, { 2, 2 }, { 9, 1 }, { 1, 3 }, { 11, 2 }, { 14, 15 }, { 7, 8 }, { 5, 6 }, { 2, 6 } };
    const u8 *b = blends[pick(seed, LEN(blends))];
    gs_blending(s, b[0], b[1]);
    gs_state(s, 171, pick(seed, 5) ? 1 : 1 + pick(seed, 5));
    gs_state(s, 193, gs_random(seed) << 8);
    gs_state(s, 168, pick(seed, 4) ? 15 : pick(seed, 16));
    gs_state(s, 194, pick(seed, 8) == 0);
    bool depth = pick(seed, 3) == 0;
    gs_state(s, 7, depth);
    gs_state(s, 14, pick(seed, 2));
    gs_state(s, 23, 1 + pick(seed, 8));
    gs_state(s, 52, depth && pick(seed, 2));
    gs_state(s, 55, 1 + pick(seed, 8));
    gs_state(s, 15, pick(seed, 6) == 0);
    gs_state(s, 25, 1 + pick(seed, 8));
    gs_state(s, 24, pick(seed, 256));
    gs_state(s, 174, pick(seed, 4) == 0);
    gs_state(s, 9, 1 + pick(seed, 2));
    for (u32 k = 1; k <= 2; k++) gs_sampler(s, k, 1 + pick(seed, 5));
    u32 mag = 1 + pick(seed, 2);
    gs_sampler(s, 5, mag);
    gs_sampler(s, 6, pick(seed, 3) ? mag : 1 + pick(seed, 2));
    gs_sampler(s, 7, pick(seed, 3));
    gs_sampler(s, 11, pick(seed, 6) == 0);
    gs_sampler(s, 4, gs_random(seed) << 8);
}

static void random_draw(struct gs *s, u32 *seed)
{
    struct gs_vertex v[VERTICES];
    const u32 texture = GS_FREE + pick(seed, TEXTURES), plain = pick(seed, 3);
    struct view view = { .texture = NULL };
    surface_find(&s->x->objects, texture, &view);
    gs_shader(s, GS_PS, shaders[pick(seed, LEN(shaders))]);
    random_state(s, seed);
    if (plain == 0) { /* what compositors do */
        gs_blending(s, pick(seed, 3) ? (pick(seed, 2) ? 2 : 5) : 0, 6);
        for (u32 k = 0; k < 4; k++) gs_state(s, (const u32[]){ 7, 15, 52, 174 }[k], 0);
        gs_state(s, 168, 15);
        gs_state(s, 171, 1);
        gs_state(s, 194, 0);
        gs_shader(s, GS_PS, shaders[pick(seed, 6)]);
    }
    u32 n = random_vertices(s, v, seed, view.texture->width, view.texture->height);
    gs_buffer(s, GS_VB, v, n * sizeof(v[0]));
    gs_bind_vertices(s, GS_VB);
    for (u32 k = 0; k < 2; k++) gs_constant(s, AGPU_STAGE_PIXEL, k, any(seed, 0, 1), any(seed, 0, 1), any(seed, 0, 1), any(seed, 0, 1));
    /* sampling what is drawn to has no defined result, but always the same one */
    GS(s, AGPU_SET_TEXTURE, 24, AGPU_STAGE_PIXEL, 0, pick(seed, 12) ? texture : GS_RT, 0);
    gs_draw(s, n == 4 ? AGPU_TOPO_STRIP : AGPU_TOPO_TRIANGLES, n);
    if (pick(seed, 6) == 0) gs_draw(s, 1 + pick(seed, 3), n); /* points and lines */
}

/* Checksums after each draw, so that a failure says which. */
static void scene(const struct exec_tuning *tuning, u32 number, u64 *sums)
{
    static const u32 formats[] = { AGPU_FMT_B8G8R8X8, AGPU_FMT_B8G8R8A8, AGPU_FMT_R8G8B8A8, AGPU_FMT_B5G6R5, AGPU_FMT_B8G8R8A8_SRGB };
    struct gs s;
    u32 seed = number * 7919 + 1;
    gs_begin(&s, tuning);
    gs_scene(&s, W, H, shaders[0]);
    GS(&s, AGPU_DESTROY_RESOURCE, 16, GS_RT, 0);
    gs_texture(&s, GS_RT, number < 12 ? formats[number % 3] : formats[pick(&seed, LEN(formats))], W, H, 1);
    gs_texture(&s, GS_IB, AGPU_FMT_D24S8, W, H, 1);
    GS(&s, AGPU_SET_RENDER_TARGETS, 48, 1, GS_IB, GS_RT, 0, 0, 0, 0, 0, 0, 0, AGPU_CLEAR, 36, 7, 0x3e800000, 0x3f000000, 0x3e000000, 0x3f400000,
       0x3f400000, 3);
    GS(&s, AGPU_SET_SCISSOR, 24, 17, 9, 211, 133);
    for (u32 k = 0; k < TEXTURES; k++) random_texture(&s, GS_FREE + k, &seed);
    gs_run(&s);
    for (u32 k = 0; k < DRAWS; k++) {
        random_draw(&s, &seed);
        gs_run(&s);
        sums[k] = gs_checksum(&s, GS_RT) ^ gs_checksum(&s, GS_IB);
    }
    gs_end(&s);
}

START_TEST(every_way_draws_the_same)
{
    u64 expect[DRAWS], got[DRAWS];
    scene(&ways[0], (u32)_i, expect);
    u32 changes = 0;
    for (u32 k = 1; k < DRAWS; k++) changes += expect[k] != expect[k - 1];
    ck_assert_uint_ge(changes, DRAWS / 2); /* some have nothing to show by their state */
    for (u32 w = 1; w < LEN(ways); w++) {
        scene(&ways[w], (u32)_i, got);
        for (u32 k = 0; k < DRAWS; k++) ck_assert_msg(got[k] == expect[k], "scene %d, way %u: draw %u differs", _i, w, k);
    }
}
END_TEST

/* What the float rule says of one code: source and target over 255, clamped, times 255 and rounded. */
static u32 float_rule(bool straight, u32 s, u32 a, u32 d)
{
    float fs = (float)s / 255.0f, fa = (float)a / 255.0f, fd = (float)d / 255.0f;
    return unorm8(fs * (straight ? fa : 1.0f) + fd * (1.0f - fa));
}

/* All source codes, alphas and target codes. */
static void integers_against_floats(const struct fast_ops *ops, u8 blend)
{
    const struct fast_rows rows = { .blend = blend };
    u32 from[256], to[256];
    for (u32 a = 0; a < 256; a++) {
        for (u32 d = 0; d < 256; d++) {
            for (u32 s = 0; s < 256; s++) {
                from[s] = a << 24 | s * 0x010101;
                to[s] = d * 0x01010101;
            }
            ops->copy(&rows, to, from, 255); /* the last one stays: rows end anywhere */
            if (to[255] != d * 0x01010101) ck_abort_msg("the pixel behind the row changes");
            const u32 alpha = float_rule(blend == FAST_STRAIGHT, a, a, d);
            for (u32 s = 0; s < 255; s++) {
                u32 c = float_rule(blend == FAST_STRAIGHT, s, a, d);
                if (to[s] != (alpha << 24 | c * 0x010101)) ck_abort_msg("source %u alpha %u target %u: %08x", s, a, d, to[s]);
            }
        }
    }
}

START_TEST(integer_blending_is_the_float_rule)
{
    const struct fast_ops *ops = _i & 1 ? &fast_ops_avx2 : &fast_ops_sse2;
    if (_i & 1 && !simd_has_avx2()) return;
    integers_against_floats(ops, _i & 2 ? FAST_STRAIGHT : FAST_PREMULTIPLIED);
}
END_TEST

Suite *aerogpu_paths_suite(void);
Suite *aerogpu_paths_suite(void)
{
    Suite *s = suite_create("aerogpu_paths");
    TCase *t = tcase_create("paths");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, every_way_draws_the_same, 0, SCENES);
    tcase_add_loop_test(t, integer_blending_is_the_float_rule, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
