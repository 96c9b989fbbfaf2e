/* Fuzz target: draws that happen. The input says what a vertex is (a Direct3D 9 declaration or an
 * input layout of Direct3D 10 with any offsets, strides, types and steps), what the vertex and
 * index buffers contain, the states, and what is drawn; targets, textures and shaders are sound. So
 * odd floats, indices and states come through clipping, rasteriser, samplers and blending. */
#include "gpu/exec.h"
#include "tests/fuzz/gpu/shaders.h"
#include "tests/fuzz/gpu/stream.h"
#include "tests/fuzz/gpu/target.h"

enum { BUDGET = 1 << 17, MAX = 16 * KIB };

static struct exec *exec;
static bool was_done;

static void done(void *opaque, struct exec_batch *b)
{
    (void)opaque;
    must(!b->error, "draws do not make errors");
    was_done = true;
}

static bool no_read(void *opaque, u64 gpa, void *buf, u64 len)
{
    (void)opaque, (void)gpa, (void)buf, (void)len;
    return false;
}

static bool no_write(void *opaque, u64 gpa, const void *buf, u64 len)
{
    (void)opaque, (void)gpa, (void)buf, (void)len;
    must_failed("nothing is written to guest memory");
}

static bool no_scanout(void *opaque, struct exec_scanout *s)
{
    (void)opaque, (void)s;
    return false;
}

static void run(const struct maker *m, u32 context)
{
    struct exec_batch b = { .bytes = m->p, .context_id = context };
    acmd_parse(&b.stream, m->p + 4, (u32)m->n - 4);
    must(!b.stream.error, "our streams are sound");
    was_done = false;
    exec_soft.submit(exec, &b);
    must(was_done, "a batch is done when submit returns");
    acmd_free(&b.stream);
}

enum { PAIRS = 4 }; /* a vertex and a pixel shader of ours */
static const u8 pairs[PAIRS][2] = { { 0, 2 }, { 4, 20 }, { 10, 18 }, { 26, 28 } };

static void make_shader(struct maker *m, u32 handle, unsigned n)
{
    u8 blob[4096], stage = 0;
    u32 size = (u32)shader_any(n, blob, sizeof(blob), &stage);
    make_packet(m, AGPU_CREATE_SHADER_DXBC, (u32[]){ handle, stage == STAGE_PS ? 1 : 0, size, 0 },
                4, blob, size);
}

/* What no input changes: made once, for every context. */
static void make_objects(void)
{
    static u8 bytes[MAX] __attribute__((aligned(8)));
    static u8 texels[1024];
    struct maker m = { .p = bytes, .cap = sizeof(bytes) };
    for (unsigned k = 0; k < sizeof(texels); k++) texels[k] = (u8)(k * 41 + k / 7);
    make_stream(&m, 0, 0);
    MAKE(&m, AGPU_CREATE_TEXTURE2D, 1, 8, AGPU_FMT_B8G8R8A8, 32, 16, 1, 1, 0, 0, 0, 0, 0);
    MAKE(&m, AGPU_CREATE_TEXTURE2D, 2, 8, AGPU_FMT_B5G6R5, 17, 31, 1, 1, 0, 0, 0, 0, 0);
    MAKE(&m, AGPU_CREATE_TEXTURE2D, 3, 8, AGPU_FMT_R8G8B8A8_SRGB, 32, 32, 6, 1, 0, 0, 0, 0, 0);
    MAKE(&m, AGPU_CREATE_TEXTURE2D, 4, 8, AGPU_FMT_D24S8, 32, 32, 1, 1, 0, 0, 0, 0, 0);
    MAKE(&m, AGPU_CREATE_TEXTURE2D, 5, 8, AGPU_FMT_D32F, 32, 32, 1, 1, 0, 0, 0, 0, 0);
    MAKE(&m, AGPU_CREATE_TEXTURE2D, 6, 8, AGPU_FMT_B8G8R8A8, 8, 8, 4, 6, 0, 0, 0, 0, 0);
    MAKE(&m, AGPU_CREATE_TEXTURE2D, 7, 8, AGPU_FMT_BC3, 12, 7, 3, 1, 0, 0, 0, 0, 0);
    for (u32 k = 6; k < 8; k++)
        make_packet(&m, AGPU_UPLOAD_RESOURCE, (u32[]){ k, 0, 0, 0, 112, 0 }, 6, texels, 112);
    for (u32 k = 0; k < PAIRS; k++) {
        make_shader(&m, 10 + 2 * k, pairs[k][0]);
        make_shader(&m, 11 + 2 * k, pairs[k][1]);
    }
    MAKE(&m, AGPU_CREATE_SAMPLER, 30, 1, 1, 2, 0);
    make_end(&m);
    must(!m.full, "there is room");
    run(&m, 0);
}

void target_init(void)
{
    struct error e;
    const struct exec_host h = { .done = done,
                                 .read = no_read,
                                 .write = no_write,
                                 .scanout = no_scanout,
                                 .tuning = { .workers = 1 },
                                 .soft = "memory=4",
                                 .budget = BUDGET };
    exec = exec_soft.create(&h, &e);
    must(exec != NULL, "the executor starts");
    make_objects();
}

static void declaration(struct maker *m, struct feed *f)
{
    u8 rows[8 * 8], how = feed8(f);
    u32 n = 1 + (how & 7);
    for (u32 k = 0; k < n; k++) {
        u8 a = feed8(f), b = feed8(f);
        /* the first one is mostly a position of floats */
        const u8 row[8] = { (u8)(a & 1),
                            0,
                            feed8(f),
                            (u8)(a >> 7),
                            (u8)(k || how & 64 ? b % 19 : 3),
                            0,
                            (u8)(k || how & 64 ? a >> 1 & 15 : 0),
                            (u8)(b >> 6) };
        memcpy(rows + 8 * k, row, 8);
    }
    if (how & 128) memcpy(rows + 8 * (n - 1), "\xff\0\0\0\x11\0\0", 8);
    make_packet(m, AGPU_CREATE_INPUT_LAYOUT, (u32[]){ 20, n * 8, 0 }, 3, rows, n * 8);
}

static void layout10(struct maker *m, struct feed *f)
{
    static const u32 names[] = { 0x7808e88a, 0xe7c308f8, 0x0bc45413, 0x178476ae };
    u8 how = feed8(f);
    u32 n = 1 + (how & 3), words[4 + 4 * 7] = { AGPU_ILAY_MAGIC, 1, n, 0 };
    for (u32 k = 0; k < n; k++) {
        u32 *e = words + 4 + 7 * k;
        u8 a = feed8(f);
        e[0] = names[k < 2 ? k : a & 3];
        e[1] = a >> 7;
        e[2] = k || a & 64 ? feed8(f) : 2;
        e[3] = a >> 4 & 1;
        e[4] = a & 32 ? ~0u : feed8(f);
        e[5] = a >> 3 & 1;
        e[6] = e[5] ? feed8(f) & 3 : 0;
    }
    if (how & 128) words[how >> 4 & 3] = feed32(f);
    make_packet(m, AGPU_CREATE_INPUT_LAYOUT, (u32[]){ 20, 16 + 28 * n, 0 }, 3, words, 16 + 28 * n);
}

/* A float: from -4 to 4 in eighths, or any bits. */
static u32 any_float(struct feed *f)
{
    u8 k = feed8(f);
    float v = (float)((int)(k & 63) - 32) * 0.125f;
    u32 bits;
    if (k >= 224) return feed32(f);
    memcpy(&bits, &v, 4);
    return bits;
}

static void buffers(struct maker *m, struct feed *f)
{
    u8 how = feed8(f);
    u32 words[48], indices[8], n = 4 + (how & 31), strides = feed8(f);
    for (u32 k = 0; k < n; k++) words[k] = any_float(f);
    for (u32 k = 0; k < 8; k++) indices[k] = how & 64 ? feed8(f) & 15 : feed32(f);
    MAKE(m, AGPU_CREATE_BUFFER, 8, 1, n * 4, 0, 0, 0, 0, 0);
    make_packet(m, AGPU_UPLOAD_RESOURCE, (u32[]){ 8, 0, 0, 0, n * 4, 0 }, 6, words, n * 4);
    MAKE(m, AGPU_CREATE_BUFFER, 9, 2, 32, 0, 0, 0, 0, 0);
    make_packet(m, AGPU_UPLOAD_RESOURCE, (u32[]){ 9, 0, 0, 0, 32, 0 }, 6, indices, 32);
    MAKE(m, AGPU_SET_VERTEX_BUFFERS, 0, 2, 8, strides & 128 ? feed32(f) : (strides & 15) * 4,
         how & 128 ? feed16(f) : 0, 0, how & 32 ? 9 : 8, (strides >> 4 & 7) * 4, feed8(f), 0);
    MAKE(m, AGPU_SET_INDEX_BUFFER, 9, how >> 5 & 1, how & 16 ? feed8(f) : 0, 0);
}

static void states9(struct maker *m, struct feed *f)
{
    static const u8 ids[] = { 7,   8,   9,   14,  15,  18,  19,  20,  22,  23,  24,  25,  27,
                              28,  35,  36,  37,  38,  52,  53,  54,  55,  56,  57,  58,  59,
                              154, 155, 156, 157, 166, 168, 171, 174, 175, 185, 186, 187, 188,
                              189, 190, 193, 194, 195, 206, 207, 208, 209, 48,  34 };
    for (u8 n = feed8(f) & 15; n; n--) {
        u8 k = feed8(f);
        if (k < 192)
            MAKE(m, AGPU_SET_RENDER_STATE, ids[k % LEN(ids)], (u32)feed_value(f));
        else
            MAKE(m, AGPU_SET_SAMPLER_STATE, 1, k & 1, k >> 1 & 15, (u32)feed_value(f));
    }
}

static void states10(struct maker *m, struct feed *f)
{
    u8 k = feed8(f), v = feed8(f);
    if (k & 1)
        MAKE(m, AGPU_SET_BLEND_STATE, v & 1, v >> 1 & 7, v >> 4 & 7, feed8(f) % 6, feed8(f),
             k >> 4 & 7, k >> 2 & 7, k >> 5 & 3, any_float(f), any_float(f), 0, 0, ~0u);
    if (k & 2) MAKE(m, AGPU_SET_DEPTH_STENCIL_STATE, v & 1, 1, v >> 1, v >> 4 & 1, feed16(f));
    if (k & 4)
        MAKE(m, AGPU_SET_RASTERIZER_STATE, v & 1, v >> 1 & 3, v >> 3 & 1, v >> 4 & 1,
             (u32)feed_value(f), v >> 5 & 1);
    if (k & 8) MAKE(m, AGPU_SET_SAMPLERS, 1, 0, 1, 0, 30);
    if (k & 16) MAKE(m, AGPU_SET_CONSTANT_BUFFERS, k >> 7, 0, 1, 0, 8, v, feed8(f), 0);
}

static void places(struct maker *m, struct feed *f)
{
    u8 k = feed8(f);
    MAKE(m, AGPU_SET_RENDER_TARGETS, 1 + (k & 1), k & 2 ? 4 + (k >> 2 & 1) : 0, 1 + (k >> 3 & 1),
         k & 16 ? 3 : 0, 0, 0, 0, 0, 0, 0);
    MAKE(m, AGPU_SET_TEXTURE, 1, 0, k & 32 ? 6 + (k >> 6) % 2 : 3, 0);
    MAKE(m, AGPU_SET_TEXTURE, 1, 1, 7, 0);
    if (k & 64)
        MAKE(m, AGPU_SET_VIEWPORT, any_float(f), any_float(f), any_float(f), any_float(f),
             any_float(f), any_float(f));
    if (k & 128)
        MAKE(m, AGPU_SET_SCISSOR, feed8(f), feed8(f), (u32)feed_value(f), (u32)feed_value(f));
}

static void draws(struct maker *m, struct feed *f)
{
    for (u8 n = 1 + (feed8(f) & 3); n; n--) {
        u8 k = feed8(f), v = feed8(f);
        MAKE(m, AGPU_SET_PRIMITIVE_TOPOLOGY, 1 + (k & 7) % 6 + (k & 8 ? 9 : 0), 0);
        if (k & 16)
            MAKE(m, AGPU_DRAW_INDEXED, v & 31, 1 + (v >> 6), k & 32 ? feed8(f) : 0,
                 k & 64 ? (u32)feed_value(f) : 0, k >> 7);
        else
            MAKE(m, AGPU_DRAW, v & 31, 1 + (v >> 6), k & 32 ? (u32)feed_value(f) : 0,
                 k & 64 ? (u32)feed_value(f) : 0);
    }
}

void target_run(const u8 *data, size_t size)
{
    static u8 bytes[MAX] __attribute__((aligned(8)));
    struct feed f = { data, data + size };
    struct maker m = { .p = bytes, .cap = sizeof(bytes) };
    u8 pair = feed8(&f) % PAIRS;
    bool ten = pair == 3;
    make_stream(&m, 0, 0);
    MAKE(&m, AGPU_BIND_SHADERS, 10 + 2 * pair, 11 + 2 * pair, 0, 0);
    if (ten)
        layout10(&m, &f);
    else
        declaration(&m, &f);
    MAKE(&m, AGPU_SET_INPUT_LAYOUT, 20, 0);
    buffers(&m, &f);
    places(&m, &f);
    if (ten)
        states10(&m, &f);
    else
        states9(&m, &f);
    draws(&m, &f);
    MAKE(&m, AGPU_DESTROY_INPUT_LAYOUT, 20, 0);
    MAKE(&m, AGPU_DESTROY_RESOURCE, 8, 0);
    MAKE(&m, AGPU_DESTROY_RESOURCE, 9, 0);
    make_end(&m);
    must(!m.full, "there is room");
    run(&m, 1);
    exec_soft.reset(exec, EXEC_KEEP_OBJECTS); /* contexts go */
}

/* Three floats of position, a colour; a triangle over the target; plain and indexed. */
size_t target_seed(unsigned n, u8 *out, size_t cap)
{
    static const u8 corners[] = { 24, 40, 36, 40, 56, 40, 36, 44, 24, 8, 36, 48, 60, 20, 36, 36 };
    struct rng r = { n };
    size_t size = 0;
    if (n >= 64 || cap < 256) return 0;
    out[size++] = (u8)n;
    out[size++] = n % 4 == 3 ? 1 : 0x81 + (u8)(n >> 2 & 1); /* rows, with an end */
    for (unsigned k = 0; k < 3 && n % 4 != 3; k++)
        out[size++] = (u8)(k * 20), out[size++] = 4, out[size++] = (u8)(k * 16);
    if (n % 4 == 3) out[size++] = 0x20, out[size++] = 0x60, out[size++] = 28;
    out[size++] = 0x4c, out[size++] = 4;
    memcpy(out + size, corners, sizeof(corners));
    size += sizeof(corners);
    for (unsigned k = 0; k < 100 + n; k++) out[size++] = (u8)(n < 8 ? k & 7 : rnd(&r, 256));
    return size;
}
