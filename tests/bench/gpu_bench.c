/* How fast the software executor is: real packets on exec_soft, without a machine. One JSON line a case: the median of several spans of
 * CPU time (all threads together) and a checksum of the picture, which must be the same for every compiler, vector width, number of
 * workers and with fast paths on or off.
 *
 *   gpu-bench [--workers N] [--simd sse2|plain] [--fast off] [--span MS] [CASE...]
 *
 * Cases: fill* and compose* are the two of the contract's part "executor", section 13, once with linear and once with point sampling;
 * triangles: 16-pixel textured triangles of a grid; draws: one constant and two triangles a draw; decode: the validator on 64 KiB. */
#include <check.h>
#include <stdio.h>
#include <time.h>

/* The shader assembler speaks to the unit tests' framework, which there is none of here. */
#undef ck_assert_uint_lt
#undef ck_abort_msg
#define ck_assert_uint_lt(a, b) ((a) < (b) ? (void)0 : abort())
#define ck_abort_msg(...) (fprintf(stderr, __VA_ARGS__), abort())

#include "tests/bench/gpu_stream.h"

enum { REPEATS = 5, WINDOWS = 5 };

struct options {
    struct exec_tuning tuning;
    double span; /* seconds of one measurement */
};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* CPU seconds of one execution of b: the median of REPEATS measurements. */
static double measure(struct gs *s, struct exec_batch *b, double span)
{
    double results[REPEATS];
    exec_soft.submit(s->x, b);
    for (int k = 0; k < REPEATS; k++) {
        double from = cpu_seconds(), to;
        unsigned rounds = 0;
        do {
            exec_soft.submit(s->x, b);
            rounds++;
            to = cpu_seconds();
        } while (to - from < span);
        results[k] = (to - from) / rounds;
    }
    qsort(results, REPEATS, sizeof(results[0]), by_value);
    return results[REPEATS / 2];
}

static void report(const struct options *o, const char *name, const char *unit, double value, u64 checksum)
{
    printf("{\"bench\":\"gpu-%s\",\"unit\":\"%s\",\"ours\":%.2f,\"workers\":%u,\"simd\":\"%s\",\"fast\":%s,\"checksum\":\"%016llx\"}\n", name,
           unit, value, o->tuning.workers, o->tuning.simd == EXEC_SIMD_SSE2 ? "sse2" : "best", o->tuning.no_fast_paths ? "false" : "true",
           (unsigned long long)checksum);
    fflush(stdout);
}

/* The picture of two executions on a cleared target: blending makes it depend on how often. */
static u64 picture(struct gs *s, struct exec_batch *b)
{
    GS(s, AGPU_CLEAR, 36, 1, 0x3e000000, 0x3e800000, 0x3f000000, 0x3f800000, 0, 0);
    gs_run(s);
    exec_soft.submit(s->x, b);
    exec_soft.submit(s->x, b);
    return gs_checksum(s, GS_RT);
}

/* ---- content ---- */

/* Smooth and noisy parts, alpha of all kinds; premultiplied. */
static void make_texture(struct gs *s, u32 handle, u32 w, u32 h, bool opaque)
{
    u32 *p = malloc(4ull * w * h), seed = handle;
    for (u32 y = 0; y < h; y++) {
        for (u32 x = 0; x < w; x++) {
            u32 a = opaque ? 255 : x < 8 || y < 8 ? 64 : 200 + (x >> 3) % 56;
            u32 r = gs_random(&seed) & 255, g = x * 255 / w, b = y * 255 / h;
            p[y * w + x] = a << 24 | r * a / 255 << 16 | g * a / 255 << 8 | b * a / 255;
        }
    }
    gs_texture(s, handle, AGPU_FMT_B8G8R8A8, w, h, 1);
    gs_upload(s, handle, p, w * h * 4);
    free(p);
}

static void filtering(struct gs *s, bool linear)
{
    gs_sampler(s, 5, linear ? 2 : 1);
    gs_sampler(s, 6, linear ? 2 : 1);
    gs_sampler(s, 1, 3);
    gs_sampler(s, 2, 3);
}

/* ---- cases ---- */

static void fill(const struct options *o, const char *name, const char *ps)
{
    struct gs s;
    struct gs_vertex v[4];
    gs_begin(&s, &o->tuning);
    gs_scene(&s, 1280, 720, ps);
    make_texture(&s, GS_TEX, 640, 480, false);
    filtering(&s, true);
    gs_rectangle(&s, v, 0, 0, 1280, 720, 0.93f, 0.87f);
    gs_buffer(&s, GS_VB, v, sizeof(v));
    gs_bind_vertices(&s, GS_VB);
    GS(&s, AGPU_SET_TEXTURE, 24, AGPU_STAGE_PIXEL, 0, GS_TEX, 0);
    gs_blending(&s, 2, 6);
    gs_constant(&s, AGPU_STAGE_PIXEL, 0, 0.9f, 0.8f, 0.7f, 0.95f);
    gs_run(&s);
    gs_draw(&s, AGPU_TOPO_STRIP, 4);
    struct exec_batch *b = gs_batch(&s);
    double t = measure(&s, b, o->span);
    report(o, name, "Mpixel/s", 1280 * 720 / t / 1e6, picture(&s, b));
    exec_batch_free(b);
    gs_end(&s);
}

static void fill2(const struct options *o)
{
    fill(o, "fill-2", "ps_2_0\ndcl t0.xy\ndcl_2d s0\ntexld r0, t0, s0\nmov oC0, r0");
}

static void fill11(const struct options *o)
{
    fill(o, "fill-11",
         "ps_2_0\ndcl t0.xy\ndcl v0\ndcl_2d s0\ntexld r0, t0, s0\nmul r0, r0, v0\nmul r1, r0, c0\nadd r1, r1, r0\nmad r0, r1, c0, r0\n"
         "mul r1.xyz, r0, r0\nmad r1.xyz, r1, c0, r0\nadd r1.xyz, r1, r1\nmul r0.xyz, r1, c0\nmin r0, r0, v0\nmov oC0, r0");
}

static void compose(const struct options *o, const char *name, bool linear)
{
    static const u16 windows[WINDOWS][4] = {
        { 40, 60, 780, 500 }, { 400, 100, 780, 500 }, { 200, 300, 760, 490 }, { 480, 20, 780, 480 }, { 100, 180, 780, 500 },
    };
    struct gs s;
    struct gs_vertex v[4];
    gs_begin(&s, &o->tuning);
    gs_scene(&s, 1280, 800, "ps_2_0\ndcl t0.xy\ndcl_2d s0\ntexld r0, t0, s0\nmov oC0, r0");
    filtering(&s, linear);
    make_texture(&s, GS_FREE, 1280, 800, true);
    gs_rectangle(&s, v, 0, 0, 1280, 800, 1, 1);
    gs_buffer(&s, GS_FREE + 16, v, sizeof(v));
    for (u32 k = 0; k < WINDOWS; k++) {
        const u16 *w = windows[k];
        make_texture(&s, GS_FREE + 1 + k, w[2], w[3], false);
        gs_rectangle(&s, v, w[0], w[1], (float)w[0] + w[2], (float)w[1] + w[3], 1, 1);
        gs_buffer(&s, GS_FREE + 17 + k, v, sizeof(v));
    }
    gs_run(&s);
    for (u32 k = 0; k <= WINDOWS; k++) {
        gs_blending(&s, k ? 2 : 0, 6);
        gs_bind_vertices(&s, GS_FREE + 16 + k);
        GS(&s, AGPU_SET_TEXTURE, 24, AGPU_STAGE_PIXEL, 0, GS_FREE + k, 0);
        gs_draw(&s, AGPU_TOPO_STRIP, 4);
    }
    struct exec_batch *b = gs_batch(&s);
    double t = measure(&s, b, o->span);
    report(o, name, "ms", t * 1e3, picture(&s, b));
    exec_batch_free(b);
    gs_end(&s);
}

static void compose_linear(const struct options *o)
{
    compose(o, "compose-linear", true);
}

static void compose_point(const struct options *o)
{
    compose(o, "compose-point", false);
}

static void triangles(const struct options *o)
{
    enum { COLS = 200, ROWS = 120, COUNT = COLS * ROWS * 2 };
    struct gs s;
    gs_begin(&s, &o->tuning);
    gs_scene(&s, 1280, 720, "ps_2_0\ndcl t0.xy\ndcl v0\ndcl_2d s0\ntexld r0, t0, s0\nmul r0, r0, v0\nmov oC0, r0");
    make_texture(&s, GS_TEX, 256, 256, true);
    filtering(&s, true);
    struct gs_vertex *v = calloc((COLS + 1) * (ROWS + 1), sizeof(*v));
    u32 *index = calloc(COUNT * 3, 4), n = 0, seed = 7;
    for (u32 y = 0; y <= ROWS; y++) {
        for (u32 x = 0; x <= COLS; x++) { /* cells of about 6 by 6 pixels, shaken */
            float dx = (float)(gs_random(&seed) & 255) / 200.0f, dy = (float)(gs_random(&seed) & 255) / 200.0f;
            struct gs_vertex *to = &v[y * (COLS + 1) + x];
            *to = gs_at(&s, (float)x * 6.4f + dx, (float)y * 6 + dy, (float)x / 20, (float)y / 20);
            to->color = 0xff000000 | gs_random(&seed);
        }
    }
    for (u32 y = 0; y < ROWS; y++) {
        for (u32 x = 0; x < COLS; x++) {
            u32 a = y * (COLS + 1) + x;
            const u32 six[6] = { a, a + 1, a + COLS + 1, a + 1, a + COLS + 2, a + COLS + 1 };
            memcpy(index + n, six, sizeof(six));
            n += 6;
        }
    }
    gs_buffer(&s, GS_VB, v, (COLS + 1) * (ROWS + 1) * sizeof(*v));
    gs_buffer(&s, GS_IB, index, COUNT * 12);
    gs_bind_vertices(&s, GS_VB);
    GS(&s, AGPU_SET_INDEX_BUFFER, 24, GS_IB, AGPU_INDEX_32, 0, 0, AGPU_SET_TEXTURE, 24, AGPU_STAGE_PIXEL, 0, GS_TEX, 0);
    gs_sampler(&s, 1, 1);
    gs_sampler(&s, 2, 1);
    GS(&s, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, AGPU_TOPO_TRIANGLES, 0);
    gs_run(&s);
    GS(&s, AGPU_DRAW_INDEXED, 28, COUNT * 3, 1, 0, 0, 0);
    struct exec_batch *b = gs_batch(&s);
    double t = measure(&s, b, o->span);
    report(o, "triangles", "million/s", COUNT / t / 1e6, picture(&s, b));
    exec_batch_free(b);
    free(v);
    free(index);
    gs_end(&s);
}

static void draws(const struct options *o)
{
    enum { COUNT = 4000 };
    struct gs s;
    struct gs_vertex v[4];
    gs_begin(&s, &o->tuning);
    gs_scene(&s, 512, 512, "ps_2_0\ndcl t0.xy\ndcl_2d s0\ntexld r0, t0, s0\nmul r0, r0, c0\nmov oC0, r0");
    make_texture(&s, GS_TEX, 64, 64, true);
    filtering(&s, true);
    gs_rectangle(&s, v, 100, 100, 104, 104, 1, 1);
    gs_buffer(&s, GS_VB, v, sizeof(v));
    gs_bind_vertices(&s, GS_VB);
    GS(&s, AGPU_SET_TEXTURE, 24, AGPU_STAGE_PIXEL, 0, GS_TEX, 0);
    gs_run(&s);
    for (u32 k = 0; k < COUNT; k++) {
        gs_constant(&s, AGPU_STAGE_PIXEL, 0, (float)k / COUNT, 1, 1, 1);
        gs_draw(&s, AGPU_TOPO_STRIP, 4);
    }
    struct exec_batch *b = gs_batch(&s);
    double t = measure(&s, b, o->span);
    report(o, "draws", "thousand/s", COUNT / t / 1e3, picture(&s, b));
    exec_batch_free(b);
    gs_end(&s);
}

static void decode(const struct options *o)
{
    struct gs s;
    gs_begin(&s, &o->tuning);
    for (u32 k = 0; s.count < 16300; k++) {
        gs_state(&s, 20 + k % 100, k);
        GS(&s, AGPU_SET_TEXTURE, 24, AGPU_STAGE_PIXEL, k & 15, k, 0);
        gs_constant(&s, AGPU_STAGE_PIXEL, k & 127, 1, 2, 3, 4);
        gs_draw(&s, AGPU_TOPO_STRIP, 4);
    }
    struct exec_batch *b = gs_batch(&s);
    double results[REPEATS];
    for (int k = 0; k < REPEATS; k++) {
        double from = cpu_seconds(), to;
        unsigned rounds = 0;
        do {
            for (int n = 0; n < 16; n++, rounds++) {
                struct acmd_stream stream;
                acmd_parse(&stream, b->bytes, b->stream.size);
                acmd_free(&stream);
            }
            to = cpu_seconds();
        } while (to - from < o->span);
        results[k] = (to - from) / rounds;
    }
    qsort(results, REPEATS, sizeof(results[0]), by_value);
    report(o, "decode", "GB/s", b->stream.size / results[REPEATS / 2] / 1e9, b->stream.count);
    exec_batch_free(b);
    gs_end(&s);
}

static const struct {
    const char *name;
    void (*run)(const struct options *o);
} cases[] = {
    { "fill-2", fill2 },       { "fill-11", fill11 }, { "compose-linear", compose_linear }, { "compose-point", compose_point },
    { "triangles", triangles }, { "draws", draws },    { "decode", decode },
};

static bool option(struct options *o, const char *name, const char *value)
{
    if (!strcmp(name, "--workers"))
        o->tuning.workers = (u32)atoi(value);
    else if (!strcmp(name, "--simd"))
        o->tuning.simd = !strcmp(value, "sse2") ? EXEC_SIMD_SSE2 : !strcmp(value, "plain") ? EXEC_SIMD_PLAIN : EXEC_SIMD_BEST;
    else if (!strcmp(name, "--fast"))
        o->tuning.no_fast_paths = !strcmp(value, "off");
    else if (!strcmp(name, "--span"))
        o->span = atoi(value) / 1e3;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct options o = { .span = 0.2, .tuning.workers = 1 };
    int at = 1;
    for (; at + 1 < argc && !strncmp(argv[at], "--", 2); at += 2) {
        if (!option(&o, argv[at], argv[at + 1])) {
            fprintf(stderr, "gpu-bench: unknown option %s\n", argv[at]);
            return 2;
        }
    }
    for (unsigned k = 0; k < LEN(cases); k++) {
        bool wanted = at == argc;
        for (int n = at; n < argc; n++) wanted |= !strcmp(argv[n], cases[k].name);
        if (wanted) cases[k].run(&o);
    }
    return 0;
}
