/* See stream.h. */
#include "tests/fuzz/gpu/stream.h"

#include "gpu/aerogpu_cmd.h"
#include "tests/fuzz/gpu/shaders.h"
#include "tests/fuzz/gpu/target.h"

enum { HEADER = sizeof(struct agpu_stream_header) };

/* ---- making ---- */

void make_bytes(struct maker *m, const void *p, size_t n)
{
    if (m->n + n + 3 > m->cap) {
        m->full = true;
        return;
    }
    if (n) memcpy(m->p + m->n, p, n);
    m->n += n;
    while (m->n & 3) m->p[m->n++] = 0;
}

void make_stream(struct maker *m, u32 context, u32 table)
{
    const struct agpu_stream_header h = {
        AGPU_CMD_MAGIC, AGPU_ABI_VERSION, 0, 0, { context | table << 8, 0 }
    };
    m->stream = m->n;
    make_bytes(m, &(u32){ 0 }, 4);
    make_bytes(m, &h, sizeof(h));
}

void make_end(struct maker *m)
{
    if (m->full) return;
    u32 size = (u32)(m->n - m->stream - 4);
    st32(m->p + m->stream, size);
    st32(m->p + m->stream + 4 + offsetof(struct agpu_stream_header, size_bytes), size);
}

void make_packet(struct maker *m, u32 opcode, const u32 *words, u32 count, const void *payload,
                 u32 bytes)
{
    u32 head[2] = { opcode, 8 + count * 4 + ((bytes + 3) & ~3u) };
    make_bytes(m, head, 8);
    make_bytes(m, words, count * 4);
    make_bytes(m, payload, bytes);
}

static void make_shader(struct maker *m, u32 handle, unsigned n)
{
    static u8 blob[8192];
    u8 stage = 0;
    u32 size = (u32)shader_any(n, blob, sizeof(blob), &stage);
    make_packet(m, AGPU_CREATE_SHADER_DXBC, (u32[]){ handle, stage == STAGE_PS ? 1 : 0, size, 0 },
                4, blob, size);
}

static void make_upload(struct maker *m, u32 handle, const void *data, u32 size)
{
    make_packet(m, AGPU_UPLOAD_RESOURCE, (u32[]){ handle, 0, 0, 0, size, 0 }, 6, data, size);
}

/* Position (4 floats) and a D3DCOLOR. */
static const u8 declaration[] = { 0, 0, 0,  0, 3,    0, 0, 0, 0,  0, 16, 0,
                                  4, 0, 10, 0, 0xff, 0, 0, 0, 17, 0, 0,  0 };
struct corner {
    float x, y, z, w;
    u32 color;
};
static const struct corner corners[] = {
    { -1, 1, 0.5f, 1, 0xffff0000 },        { 1, 1, 0.5f, 1, 0x8000ff00 },
    { -1, -1, 0.5f, 1, 0xff0000ff },       { 1, -1, 0.5f, 2, 0xffffffff },
    { 0.5f, 0.25f, 0.25f, 1, 0x7f7f7f7f }, { -3, 0.5f, -1, 0.5f, 0x12345678 },
};

/* A target, a texture, buffers, shaders and a declaration, all bound: what draws. */
static void make_scene(struct maker *m, u32 format, u32 backing)
{
    u8 texels[64];
    for (unsigned k = 0; k < sizeof(texels); k++) texels[k] = (u8)(k * 37);
    MAKE(m, AGPU_CREATE_TEXTURE2D, H_TEXTURE, 8, format, 16, 16, 1, 1, 64, backing, 0, 0, 0);
    MAKE(m, AGPU_CREATE_TEXTURE2D, H_TEXTURE + 1, 8, AGPU_FMT_B8G8R8A8, 4, 4, 3, 1, 0, 0, 0, 0, 0);
    MAKE(m, AGPU_CREATE_TEXTURE2D, H_TEXTURE + 2, 40, AGPU_FMT_D24S8, 16, 16, 1, 1, 0, 0, 0, 0, 0);
    make_upload(m, H_TEXTURE + 1, texels, sizeof(texels));
    MAKE(m, AGPU_CREATE_BUFFER, H_BUFFER, 1, 128, 0, 0, 0, 0, 0);
    MAKE(m, AGPU_CREATE_BUFFER, H_BUFFER + 1, 2, 32, 0, 0, 0, 0, 0);
    make_upload(m, H_BUFFER, corners, sizeof(corners));
    make_upload(m, H_BUFFER + 1, (u16[]){ 0, 1, 2, 3, 2, 1, 5, 4, 0xffff, 0 }, 20);
    make_shader(m, H_SHADER, 0);
    make_shader(m, H_SHADER + 1, 2);
    make_packet(m, AGPU_CREATE_INPUT_LAYOUT, (u32[]){ H_LAYOUT, sizeof(declaration), 0 }, 3,
                declaration, sizeof(declaration));
    MAKE(m, AGPU_BIND_SHADERS, H_SHADER, H_SHADER + 1, 0, 0);
    MAKE(m, AGPU_SET_RENDER_TARGETS, 1, H_TEXTURE + 2, H_TEXTURE, 0, 0, 0, 0, 0, 0, 0);
    MAKE(m, AGPU_SET_INPUT_LAYOUT, H_LAYOUT, 0);
    MAKE(m, AGPU_SET_VERTEX_BUFFERS, 0, 1, H_BUFFER, 20, 0, 0);
    MAKE(m, AGPU_SET_INDEX_BUFFER, H_BUFFER + 1, 0, 0, 0);
    MAKE(m, AGPU_SET_TEXTURE, 1, 0, H_TEXTURE + 1, 0);
    MAKE(m, AGPU_SET_RENDER_STATE, 22, 1);
}

static void seed_draws(struct maker *m, unsigned n)
{
    static const u32 formats[] = { AGPU_FMT_B8G8R8A8, AGPU_FMT_B5G6R5, AGPU_FMT_R8G8B8X8_SRGB };
    make_stream(m, 1, n & 3);
    make_scene(m, formats[n % 3], n & 1 ? 2 : 0);
    MAKE(m, AGPU_CLEAR, 7, 0x3f000000, 0, 0, 0x3f800000, 0x3f800000, 0);
    for (u32 topology = AGPU_TOPO_POINTS; topology <= AGPU_TOPO_FAN; topology++) {
        MAKE(m, AGPU_SET_PRIMITIVE_TOPOLOGY, topology, 0);
        MAKE(m, AGPU_DRAW, 6, 1, 0, 0);
        MAKE(m, AGPU_DRAW_INDEXED, 10, 2, 0, 0, 0);
    }
    MAKE(m, AGPU_PRESENT_EX, 0, 1, 0, 0);
    make_end(m);
}

static void seed_states(struct maker *m)
{
    static const struct {
        u16 id;
        u32 value;
    } states[] = { { 27, 1 },           { 19, 5 },  { 20, 6 },  { 15, 1 },  { 24, 128 },
                   { 25, 5 },           { 52, 1 },  { 55, 7 },  { 56, 3 },  { 57, 1 },
                   { 174, 1 },          { 194, 1 }, { 8, 2 },   { 156, 1 }, { 154, 0x41000000 },
                   { 171, 3 },          { 206, 1 }, { 185, 1 }, { 168, 7 }, { 195, 0x3c000000 },
                   { 175, 0x3f800000 }, { 9, 1 } };
    make_stream(m, 2, 1);
    make_scene(m, AGPU_FMT_B8G8R8A8, 0);
    MAKE(m, AGPU_SET_SCISSOR, 2, 2, 9, 9);
    MAKE(m, AGPU_SET_VIEWPORT, 0, 0, 0x41800000, 0x41800000, 0, 0x3f800000);
    for (unsigned k = 0; k < LEN(states); k++) {
        MAKE(m, AGPU_SET_RENDER_STATE, states[k].id, states[k].value);
        MAKE(m, AGPU_DRAW, 6, 1, 0, 0);
    }
    for (u32 k = 1; k < 12; k++) {
        MAKE(m, AGPU_SET_SAMPLER_STATE, 1, 0, k, k < 4 ? 2 + k : 2);
        MAKE(m, AGPU_DRAW, 3, 1, 0, 0);
    }
    make_end(m);
}

static void seed_transfers(struct maker *m)
{
    make_stream(m, 3, 1);
    MAKE(m, AGPU_CREATE_TEXTURE2D, H_TEXTURE, 8, AGPU_FMT_B8G8R8A8, 8, 8, 1, 1, 64, 2, 0, 0, 0);
    MAKE(m, AGPU_CREATE_TEXTURE2D, H_TEXTURE + 1, 8, AGPU_FMT_B8G8R8X8, 8, 8, 4, 6, 0, 0, 0, 0, 0);
    MAKE(m, AGPU_CREATE_TEXTURE2D, H_TEXTURE + 2, 8, AGPU_FMT_BC1, 8, 8, 2, 1, 0, 0, 0, 0, 0);
    MAKE(m, AGPU_CREATE_TEXTURE2D, H_TEXTURE + 3, 8, AGPU_FMT_BC3, 8, 8, 1, 1, 32, 3, 0, 0, 0);
    MAKE(m, AGPU_CREATE_BUFFER, H_BUFFER, 1, 64, 0, 1, 0, 0, 0);
    MAKE(m, AGPU_CREATE_BUFFER, H_BUFFER + 1, 1, 64, 0, 0, 0, 0, 0);
    MAKE(m, AGPU_CREATE_TEXTURE_VIEW, H_VIEW, H_TEXTURE + 1, AGPU_FMT_B8G8R8A8, 1, 2, 2, 3, 0, 0);
    MAKE(m, AGPU_SET_RENDER_TARGETS, 2, 0, H_VIEW, H_TEXTURE, 0, 0, 0, 0, 0, 0);
    MAKE(m, AGPU_CLEAR, 1, 0x3f800000, 0, 0, 0, 0, 0);
    MAKE(m, AGPU_COPY_TEXTURE2D, H_TEXTURE, H_TEXTURE + 1, 0, 0, 0, 0, 1, 1, 2, 2, 4, 4, 1, 0);
    MAKE(m, AGPU_COPY_TEXTURE2D, H_TEXTURE + 2, H_TEXTURE + 2, 0, 0, 0, 0, 0, 4, 4, 0, 4, 4, 0, 0);
    MAKE(m, AGPU_COPY_BUFFER, H_BUFFER, H_BUFFER + 1, 4, 0, 8, 0, 32, 0, 1, 0);
    MAKE(m, AGPU_RESOURCE_DIRTY_RANGE, H_BUFFER, 0, 0, 0, 64, 0);
    MAKE(m, AGPU_EXPORT_SHARED_SURFACE, H_TEXTURE, 0, 77, 0);
    MAKE(m, AGPU_IMPORT_SHARED_SURFACE, H_TEXTURE + 8, 0, 77, 0);
    MAKE(m, AGPU_DESTROY_RESOURCE, H_TEXTURE, 0);
    MAKE(m, AGPU_RELEASE_SHARED_SURFACE, 77, 0, 0, 0);
    MAKE(m, AGPU_DESTROY_TEXTURE_VIEW, H_VIEW, 0);
    MAKE(m, AGPU_PRESENT, 0, 0);
    make_end(m);
    make_stream(m, 3, 2);
    MAKE(m, AGPU_DESTROY_RESOURCE, H_TEXTURE + 8, 0);
    MAKE(m, AGPU_FLUSH, 0, 0);
    make_end(m);
}

/* Every opcode once, with zeros. */
static void seed_opcodes(struct maker *m)
{
    static const u32 zeros[64];
    make_stream(m, 0, 0);
#define ROW(code, name, type, what)                                                                \
    make_packet(m, code, zeros, sizeof(struct type) / 4 - 2, NULL, 0);
    AGPU_PACKETS(ROW)
#undef ROW
    make_end(m);
}

static void seed_d3d10(struct maker *m)
{
    static const u32 ilay[] = { AGPU_ILAY_MAGIC, 1, 2,  0, 0x7808e88a, 0, 2, 0, 0, 0, 0,
                                0xe7c308f8,      0, 28, 0, 0xffffffff, 0, 0 };
    make_stream(m, 4, 1);
    make_scene(m, AGPU_FMT_R8G8B8A8_SRGB, 2);
    make_packet(m, AGPU_CREATE_INPUT_LAYOUT, (u32[]){ H_LAYOUT + 1, sizeof(ilay), 0 }, 3, ilay,
                sizeof(ilay));
    MAKE(m, AGPU_SET_INPUT_LAYOUT, H_LAYOUT + 1, 0);
    make_shader(m, H_SHADER + 2, 26);
    make_shader(m, H_SHADER + 3, 28);
    MAKE(m, AGPU_BIND_SHADERS, H_SHADER + 2, H_SHADER + 3, 0, 0);
    MAKE(m, AGPU_SET_BLEND_STATE, 1, 2, 3, 0, 15, 1, 0, 0, 0x3f800000, 0, 0, 0, ~0u);
    MAKE(m, AGPU_SET_DEPTH_STENCIL_STATE, 1, 1, 1, 1, 0xffff);
    MAKE(m, AGPU_SET_RASTERIZER_STATE, 0, 2, 1, 1, 5, 0);
    MAKE(m, AGPU_CREATE_SAMPLER, H_SAMPLER, 1, 2, 1, 0);
    MAKE(m, AGPU_SET_SAMPLERS, 1, 0, 1, 0, H_SAMPLER);
    MAKE(m, AGPU_SET_CONSTANT_BUFFERS, 0, 0, 1, 0, H_BUFFER, 16, 64, 0);
    MAKE(m, AGPU_SET_SHADER_RESOURCE_BUFFERS, 1, 2, 1, 0, H_BUFFER, 0, 0, 0);
    MAKE(m, AGPU_SET_UNORDERED_ACCESS_BUFFERS, 2, 0, 1, 0, H_BUFFER + 1, 0, 0, ~0u);
    MAKE(m, AGPU_SET_SHADER_CONSTANTS_F, 0, 240, 1, 0, 0x3f800000, 0, 0, 0);
    MAKE(m, AGPU_SET_SHADER_CONSTANTS_I, 0, 0, 1, 0, 3, 0, 1, 0);
    MAKE(m, AGPU_SET_SHADER_CONSTANTS_B, 0, 0, 2, 0, 1, 0);
    MAKE(m, AGPU_DRAW, 4, 3, 0, 1);
    MAKE(m, AGPU_DISPATCH, 1, 1, 1, 0);
    make_end(m);
}

static void seed_shaders(struct maker *m, unsigned n)
{
    make_stream(m, 5, 1);
    make_scene(m, AGPU_FMT_B8G8R8A8, 0);
    make_shader(m, H_SHADER + 2, n);
    MAKE(m, AGPU_BIND_SHADERS, H_SHADER + 2, H_SHADER + 1, 0, 0);
    MAKE(m, AGPU_DRAW, 6, 1, 0, 0);
    MAKE(m, AGPU_BIND_SHADERS, H_SHADER, H_SHADER + 2, 0, 0);
    MAKE(m, AGPU_DRAW, 6, 1, 0, 0);
    make_end(m);
}

size_t stream_seed(unsigned n, u8 *out, size_t cap)
{
    struct maker m = { .p = out, .cap = cap };
    u8 stage, blob[8192];
    if (n < 4)
        seed_draws(&m, n);
    else if (n == 4)
        seed_states(&m);
    else if (n == 5)
        seed_transfers(&m);
    else if (n == 6)
        seed_opcodes(&m);
    else if (n == 7)
        seed_d3d10(&m);
    else if (shader_any(2 * (n - 8) + 1, blob, sizeof(blob), &stage))
        seed_shaders(&m, 2 * (n - 8) + 1);
    return m.full ? 0 : m.n;
}

/* ---- mutating ---- */

struct place { /* of a packet in a sequence */
    u32 stream, at,
        size; /* the stream's length word, the packet, its bytes; size 0: behind the last */
    u32 end;  /* of the stream */
};

/* A packet (or the end) somewhere. False: no stream with a sound header. */
static bool pick(struct rng *r, const u8 *p, size_t size, bool end_too, struct place *out)
{
    u32 seen = 0;
    for (size_t at = 0; at + 4 + HEADER <= size;) {
        u32 len = ld32(p + at);
        if (len < HEADER || len > size - at - 4) break;
        u32 end = (u32)at + 4 + len;
        for (u32 k = (u32)at + 4 + HEADER;;) {
            u32 n = k + 8 <= end ? ld32(p + k + 4) : 0;
            if (n < 8 || n & 3 || n > end - k) n = 0;
            if ((n || end_too) && one_in(r, ++seen)) *out = (struct place){ (u32)at, k, n, end };
            if (!n) break;
            k += n;
        }
        at = end;
    }
    return seen != 0;
}

/* Makes room at `at` (or takes it away) inside a stream and corrects the stream's sizes. */
static size_t resize(u8 *p, size_t size, size_t max, const struct place *w, u32 at, i32 by)
{
    if (by > 0 && size + (u32)by > max) return 0;
    u32 tail = by < 0 ? at - (u32)by : at;
    memmove(p + at + MAX(by, 0), p + tail, size - tail);
    u32 len = ld32(p + w->stream) + (u32)by;
    st32(p + w->stream, len);
    st32(p + w->stream + 12, len);
    return size + (size_t)(i64)by;
}

static u32 smart(struct rng *r)
{
    static const u32 floats[] = { 0x3f800000, 0xbf800000, 0x3f000000, 0x7f800000, 0xff800000,
                                  0x7fc00000, 0x47000000, 0xc7000000, 0x7f7fffff, 0x00000001,
                                  0x80000000, 0x33800000, 0x4b800000, 0x41800000 };
    switch (rnd(r, 8)) {
    case 0: return 0;
    case 1:
    case 2: return 1 + rnd(r, H_END);
    case 3: return rnd(r, 16);
    case 4: return rnd(r, 300);
    case 5: return floats[rnd(r, LEN(floats))];
    default: return (u32)rnd_value(r);
    }
}

static const struct {
    u16 code, words;
} packets[] = {
#define ROW(code, name, type, what) { code, sizeof(struct type) / 4 - 2 },
    AGPU_PACKETS(ROW)
#undef ROW
};

static u32 any_format(struct rng *r)
{
    static const u8 formats[] = { 1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                  32, 33, 64, 65, 66, 67, 68, 69, 70, 71 };
    return one_in(r, 20) ? smart(r) : formats[rnd(r, LEN(formats))];
}

static u32 of_kind(struct rng *r, u32 kind)
{
    return one_in(r, 12) ? smart(r) : kind + rnd(r, 4);
}

static u32 alloc(struct rng *r)
{
    return rnd(r, 3) ? 0 : rnd(r, 8);
}

/* The fixed part of a packet that has a chance to work. */
static void plausible(struct rng *r, u32 opcode, u32 *w)
{
    u32 sizes[] = { 1, 2, 4, 8, 16, 17, 31, 64 };
    switch (opcode) {
    case AGPU_CREATE_BUFFER:
        w[0] = of_kind(r, H_BUFFER), w[2] = 4 * rnd(r, 128), w[3] = 0, w[4] = alloc(r),
        w[5] = 4 * rnd(r, 8);
        break;
    case AGPU_CREATE_TEXTURE2D:
        w[0] = of_kind(r, H_TEXTURE), w[2] = any_format(r), w[3] = sizes[rnd(r, 8)],
        w[4] = sizes[rnd(r, 8)];
        w[5] = 1 + rnd(r, 3), w[6] = one_in(r, 3) ? 6 : 1, w[8] = alloc(r),
        w[7] = w[8] || one_in(r, 4) ? 256 : 0, w[9] = 4 * rnd(r, 8);
        break;
    case AGPU_CREATE_TEXTURE_VIEW:
        w[0] = of_kind(r, H_VIEW), w[1] = of_kind(r, H_TEXTURE), w[2] = any_format(r),
        w[3] = rnd(r, 3), w[4] = 1 + rnd(r, 2), w[5] = rnd(r, 6);
        w[6] = 1 + rnd(r, 6);
        break;
    case AGPU_COPY_TEXTURE2D:
        w[0] = of_kind(r, H_TEXTURE), w[1] = of_kind(r, H_TEXTURE);
        for (unsigned k = 2; k < 10; k++) w[k] = rnd(r, 3) ? 0 : rnd(r, 9);
        w[10] = 4 * rnd(r, 5), w[11] = 4 * rnd(r, 5), w[12] = rnd(r, 2);
        break;
    case AGPU_COPY_BUFFER:
        memset(w, 0, 40);
        w[0] = of_kind(r, H_BUFFER), w[1] = of_kind(r, H_BUFFER), w[2] = 4 * rnd(r, 32),
        w[4] = 4 * rnd(r, 32), w[6] = 4 * rnd(r, 64), w[8] = rnd(r, 2);
        break;
    case AGPU_RESOURCE_DIRTY_RANGE:
    case AGPU_UPLOAD_RESOURCE:
        memset(w, 0, 24);
        w[0] = of_kind(r, one_in(r, 2) ? H_BUFFER : H_TEXTURE), w[2] = 4 * rnd(r, 32),
        w[4] = 4 * rnd(r, 64);
        break;
    case AGPU_CREATE_SHADER_DXBC: w[0] = of_kind(r, H_SHADER), w[1] = rnd(r, 2), w[3] = 0; break;
    case AGPU_CREATE_INPUT_LAYOUT: w[0] = of_kind(r, H_LAYOUT); break;
    case AGPU_CREATE_SAMPLER:
        w[0] = of_kind(r, H_SAMPLER), w[1] = rnd(r, 3), w[2] = rnd(r, 4), w[3] = rnd(r, 4),
        w[4] = rnd(r, 4);
        break;
    case AGPU_BIND_SHADERS:
        w[0] = of_kind(r, H_SHADER), w[1] = of_kind(r, H_SHADER), w[2] = 0, w[3] = 0;
        break;
    case AGPU_SET_RENDER_TARGETS:
        w[0] = rnd(r, 9);
        for (unsigned k = 1; k < 10; k++)
            w[k] = rnd(r, 3) ? of_kind(r, one_in(r, 5) ? H_VIEW : H_TEXTURE) : 0;
        break;
    case AGPU_SET_VIEWPORT: /* bounds of any kind, most of them small */
        for (unsigned k = 0; k < 6 && rnd(r, 3); k++) {
            float v = (float)((int)rnd(r, 80) - 20) * (k < 4 ? 0.5f : 0.05f);
            memcpy(&w[k], &v, 4);
        }
        break;
    case AGPU_SET_VERTEX_BUFFERS: w[0] = rnd(r, 4), w[1] = 1; break;
    case AGPU_SET_INDEX_BUFFER:
        w[0] = of_kind(r, H_BUFFER), w[1] = rnd(r, 2), w[2] = 2 * rnd(r, 16);
        break;
    case AGPU_SET_PRIMITIVE_TOPOLOGY: w[0] = 1 + rnd(r, one_in(r, 8) ? 64 : 6); break;
    case AGPU_SET_TEXTURE:
        w[0] = rnd(r, 2), w[1] = rnd(r, 4), w[2] = of_kind(r, one_in(r, 5) ? H_VIEW : H_TEXTURE),
        w[3] = 0;
        break;
    case AGPU_SET_SAMPLER_STATE:
        w[0] = rnd(r, 2), w[1] = rnd(r, 4), w[2] = rnd(r, 14),
        w[3] = rnd(r, 4) ? rnd(r, 8) : smart(r);
        break;
    case AGPU_SET_RENDER_STATE: w[0] = rnd(r, 210), w[1] = rnd(r, 4) ? rnd(r, 18) : smart(r); break;
    case AGPU_DRAW:
        w[0] = rnd(r, 40), w[1] = one_in(r, 4) ? rnd(r, 5) : 1, w[2] = rnd(r, 4), w[3] = rnd(r, 3);
        break;
    case AGPU_DRAW_INDEXED:
        w[0] = rnd(r, 40), w[1] = one_in(r, 4) ? rnd(r, 5) : 1, w[2] = rnd(r, 8), w[3] = rnd(r, 3),
        w[4] = rnd(r, 3);
        break;
    case AGPU_SET_SHADER_CONSTANTS_F:
    case AGPU_SET_SHADER_CONSTANTS_I:
    case AGPU_SET_SHADER_CONSTANTS_B:
    case AGPU_SET_SAMPLERS:
    case AGPU_SET_CONSTANT_BUFFERS:
    case AGPU_SET_SHADER_RESOURCE_BUFFERS:
    case AGPU_SET_UNORDERED_ACCESS_BUFFERS:
        w[0] = rnd(r, 4), w[1] = rnd(r, 6), w[2] = 1 + rnd(r, 3),
        w[3] = one_in(r, 8) ? rnd(r, 6) : 0;
        break;
    default: break;
    }
}

/* What follows the fixed part; the words that count it are set. */
static u32 payload(struct rng *r, u32 opcode, u32 *w, u8 *out, u32 cap)
{
    u8 stage = 0;
    u32 n = 0;
    switch (opcode) {
    case AGPU_UPLOAD_RESOURCE:
        n = w[4] <= cap && !w[5] ? w[4] : rnd(r, 64);
        rnd_fill(r, out, n);
        w[4] = n, w[5] = 0;
        return n;
    case AGPU_CREATE_SHADER_DXBC:
        n = (u32)shader_any(rnd(r, 40), out, cap, &stage);
        w[1] = stage == STAGE_PS;
        return w[2] = n;
    case AGPU_CREATE_INPUT_LAYOUT:
        for (n = 0; n < 8 * (1 + rnd(r, 5)) && n + 8 <= cap; n += 8) {
            const u8 row[8] = { (u8)rnd(r, 3),
                                0,
                                (u8)(4 * rnd(r, 9)),
                                0,
                                (u8)rnd(r, 18),
                                0,
                                (u8)(one_in(r, 2) ? 10 : rnd(r, 14)),
                                (u8)rnd(r, 2) };
            memcpy(out + n, row, 8);
        }
        return w[1] = n;
    case AGPU_SET_VERTEX_BUFFERS:
        st32(out, of_kind(r, H_BUFFER)), st32(out + 4, 4 * rnd(r, 12)),
            st32(out + 8, 4 * rnd(r, 16)), st32(out + 12, 0);
        return 16 * w[1] <= cap && w[1] == 1 ? 16 : 0;
    default: break;
    }
    if (opcode == AGPU_SET_SAMPLERS)
        n = 4 * w[2];
    else if (opcode >= AGPU_SET_CONSTANT_BUFFERS && opcode <= AGPU_SET_UNORDERED_ACCESS_BUFFERS)
        n = 16 * w[2];
    else if (opcode == AGPU_SET_SHADER_CONSTANTS_F || opcode == AGPU_SET_SHADER_CONSTANTS_I)
        n = 16 * w[2];
    else if (opcode == AGPU_SET_SHADER_CONSTANTS_B)
        n = 4 * w[2];
    if (n > cap) return 0;
    for (u32 k = 0; k < n; k += 4) st32(out + k, smart(r));
    return n;
}

static size_t insert_packet(struct rng *r, u8 *p, size_t size, size_t max, const struct place *w)
{
    u8 bytes[2048];
    u32 words[64], which = rnd(r, LEN(packets)), n = packets[which].words,
                   opcode = packets[which].code;
    for (u32 k = 0; k < n; k++) words[k] = smart(r);
    if (rnd(r, 10)) plausible(r, opcode, words);
    u32 extra = payload(r, opcode, words, bytes, sizeof(bytes)), padded = (extra + 3) & ~3u,
        whole = 8 + 4 * n + padded;
    memset(bytes + extra, 0, padded - extra);
    size_t grown = resize(p, size, max, w, w->at, (i32)whole);
    if (!grown) return size;
    st32(p + w->at, opcode);
    st32(p + w->at + 4, whole);
    memcpy(p + w->at + 8, words, 4 * n);
    memcpy(p + w->at + 8 + 4 * n, bytes, padded);
    return grown;
}

static void change_words(struct rng *r, u8 *p, const struct place *w)
{
    u32 words = (w->size - 8) / 4;
    for (u32 k = 1 + rnd(r, 3); k && words; k--) {
        u32 most = one_in(r, 3) ? words : 14;
        u8 *at = p + w->at + 8 + 4 * rnd(r, MIN(words, most));
        switch (rnd(r, 4)) {
        case 0: st32(at, ld32(at) + rnd(r, 9) - 4); break;
        case 1: st32(at, ld32(at) ^ 1u << rnd(r, 32)); break;
        default: st32(at, smart(r));
        }
    }
}

static size_t duplicate(struct rng *r, u8 *p, size_t size, size_t max, const struct place *w)
{
    u8 copy[2048];
    struct place to;
    u32 n = w->size;
    if (n > sizeof(copy)) return size;
    memcpy(copy, p + w->at, n);
    if (!pick(r, p, size, true, &to)) return size;
    size_t grown = resize(p, size, max, &to, to.at, (i32)n);
    if (!grown) return size;
    memcpy(p + to.at, copy, n);
    return grown;
}

/* The stream ends before the packet and another one begins there. */
static size_t split(struct rng *r, u8 *p, size_t size, size_t max, const struct place *w)
{
    u32 len = w->at - w->stream - 4, rest = w->end - w->at;
    if (size + 4 + HEADER > max) return size;
    memmove(p + w->at + 4 + HEADER, p + w->at, size - w->at);
    st32(p + w->at, rest + HEADER);
    memcpy(p + w->at + 4, p + w->stream + 4, HEADER);
    st32(p + w->at + 12, rest + HEADER);
    p[w->at + 4 + 16] = (u8)rnd(r, 4);
    p[w->at + 4 + 17] = (u8)rnd(r, 8);
    st32(p + w->stream, len);
    st32(p + w->stream + 12, len);
    return size + 4 + HEADER;
}

/* The bytes behind a packet's first words: shader tokens, vertices, texels. */
static void change_payload(u8 *p, const struct place *w)
{
    u8 copy[2048];
    u32 from = MIN(w->size, 32u), n = w->size - from;
    if (!n || n > sizeof(copy)) return;
    memcpy(copy, p + w->at + from, n);
    size_t now = LLVMFuzzerMutate(copy, n, n);
    memcpy(p + w->at + from, copy, MIN((size_t)n, now));
}

size_t stream_mutate(u8 *p, size_t size, size_t max, unsigned seed)
{
    struct rng r = { seed };
    struct place w;
    if (size < 4 + HEADER || one_in(&r, 24)) return LLVMFuzzerMutate(p, size, max);
    for (unsigned k = 1 + rnd(&r, 3); k; k--) {
        u32 what = rnd(&r, 16);
        if (!pick(&r, p, size, what < 4, &w)) return LLVMFuzzerMutate(p, size, max);
        if (what < 4)
            size = insert_packet(&r, p, size, max, &w);
        else if (what < 10)
            change_words(&r, p, &w);
        else if (what < 12)
            change_payload(p, &w);
        else if (what == 12)
            size = duplicate(&r, p, size, max, &w);
        else if (what == 13)
            size = resize(p, size, max, &w, w.at, -(i32)w.size);
        else if (what == 14)
            size = split(&r, p, size, max, &w);
        else
            p[w.stream + 4 + 16 + rnd(&r, 2)] = (u8)rnd(&r, 8);
    }
    return size;
}

size_t stream_cross(const u8 *a, size_t na, const u8 *b, size_t nb, u8 *out, size_t max,
                    unsigned seed)
{
    struct rng r = { seed };
    struct place from, to;
    if (na > max) return 0;
    memcpy(out, a, na);
    for (unsigned k = 1 + rnd(&r, 6); k; k--) {
        if (!pick(&r, b, nb, false, &from) || !pick(&r, out, na, true, &to)) break;
        size_t grown = resize(out, na, max, &to, to.at, (i32)from.size);
        if (!grown) break;
        memcpy(out + to.at, b + from.at, from.size);
        na = grown;
    }
    return na;
}
