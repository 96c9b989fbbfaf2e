/* The scene builder (golden.h): packets into batches, batches into the executor, state into the
 * reference, pictures back. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/gpu/golden.h"

/* ---- judging ---- */

void gold_fail(struct gold *g, const char *format, ...)
{
    va_list ap;
    if (g->failed) return;
    g->failed = true;
    va_start(ap, format);
    vsnprintf(g->why, sizeof(g->why), format, ap);
    va_end(ap);
}

u32 gold_random(struct gold *g)
{
    g->random = g->random * 6364136223846793005ull + 1442695040888963407ull;
    return (u32)(g->random >> 33);
}

/* ---- the executor's host ---- */

static void host_done(void *opaque, struct exec_batch *b)
{
    struct gold *g = opaque;
    g->done++;
    if (b->error && !g->error) {
        g->error = b->error;
        g->reason = b->reason;
    }
    exec_batch_free(b);
}

static bool host_read(void *opaque, u64 gpa, void *buf, u64 len)
{
    struct gold *g = opaque;
    if (gpa > GOLD_RAM || len > GOLD_RAM - gpa) return false;
    memcpy(buf, g->ram + gpa, len);
    return true;
}

static bool host_write(void *opaque, u64 gpa, const void *buf, u64 len)
{
    struct gold *g = opaque;
    if (gpa > GOLD_RAM || len > GOLD_RAM - gpa) return false;
    memcpy(g->ram + gpa, buf, len);
    return true;
}

static bool host_scanout(void *opaque, struct exec_scanout *s)
{
    struct gold *g = opaque;
    *s = g->scanout;
    return s->width != 0;
}

void gold_begin(struct gold *g, const char *name, const struct gold_variant *variant)
{
    struct error e = { "" };
    memset(g, 0, sizeof(*g));
    g->name = name;
    g->variant = variant;
    g->split = variant->split ? 0x9e3779b97f4a7c15ull : 0;
    g->random = 1;
    g->context = 1;
    g->ops = &exec_soft;
    g->host = (struct exec_host){ .opaque = g, .done = host_done, .read = host_read, .write = host_write, .scanout = host_scanout, .tuning = variant->tuning };
    g->ram = xalloc(GOLD_RAM);
    g->x = g->ops->create(&g->host, &e);
    if (!g->x) gold_fail(g, "no executor: %s", e.text);
    ref_init(&g->ref);
    g->ref.attrs = 3;
    g->ref.saturate[0] = true;
    g->ref.sprite[1] = g->ref.sprite[2] = true;
}

void gold_settings(struct gold *g, const char *soft)
{
    struct error e = { "" };
    g->ops->destroy(g->x);
    g->host.soft = soft;
    g->x = g->ops->create(&g->host, &e);
    if (!g->x) gold_fail(g, "no executor: %s", e.text);
}

void gold_end(struct gold *g)
{
    if (g->x) {
        g->ops->reset(g->x, EXEC_FORGET_ALL);
        g->ops->destroy(g->x);
    }
    for (u32 k = 0; k < g->picture_count; k++) {
        free(g->pictures[k].texels);
        free(g->pictures[k].expected);
    }
    for (u32 k = 0; k < REF_TEXTURES; k++) ref_texture_free(&g->textures[k]);
    ref_free(&g->ref);
    free(g->words);
    free(g->ram);
}

/* ---- packets ---- */

void gold_put(struct gold *g, const u32 *words, u32 n)
{
    if (g->count + n > g->capacity) {
        g->capacity = (g->count + n) * 2;
        g->words = xrealloc(g->words, g->capacity * sizeof(*g->words));
    }
    memcpy(g->words + g->count, words, n * sizeof(*words));
    g->count += n;
}

void gold_blob(struct gold *g, u32 opcode, const u32 *head, u32 heads, const void *bytes, u32 size)
{
    u32 words = 2 + heads + (size + 3) / 4, *p = xalloc(words * sizeof(*p));
    p[0] = opcode;
    p[1] = words * 4;
    memcpy(p + 2, head, heads * sizeof(*p));
    if (size) memcpy(p + 2 + heads, bytes, size);
    gold_put(g, p, words);
    free(p);
}

static void batch(struct gold *g, const u32 *words, u32 count)
{
    static const struct exec_range ranges[] = { { ALLOC_READBACK, 0, 0, ALLOC_A_GPA },
                                                { ALLOC_A, 0, ALLOC_A_GPA, ALLOC_BYTES },
                                                { ALLOC_B, 0, ALLOC_B_GPA, ALLOC_BYTES },
                                                { ALLOC_READONLY, AGPU_ALLOC_READONLY, ALLOC_READONLY_GPA, ALLOC_BYTES } };
    struct exec_batch *b = xalloc(sizeof(*b));
    const struct agpu_stream_header h = { AGPU_CMD_MAGIC, AGPU_ABI_VERSION, 24 + count * 4, 0, { 0 } };
    b->bytes = xalloc(h.size_bytes);
    memcpy(b->bytes, &h, sizeof(h));
    memcpy(b->bytes + sizeof(h), words, count * 4);
    acmd_parse(&b->stream, b->bytes, h.size_bytes);
    gold_check(g, !b->stream.error && !b->stream.dropped && !b->stream.unknown, "the stream is not valid: %s at %u",
               b->stream.reason ? b->stream.reason : "unknown packet", b->stream.error_offset);
    b->ranges = xalloc(sizeof(ranges));
    memcpy(b->ranges, ranges, sizeof(ranges));
    b->range_count = LEN(ranges);
    b->context_id = g->context;
    b->fence = b->ticket = ++g->batches;
    g->ops->submit(g->x, b);
    gold_check(g, g->done == g->batches, "batch %u is not done", g->batches);
}

/* Parts of the stream, each forgotten by a reset; with other guest memory, so that it is not seen. */
static void run_and_forget(struct gold *g)
{
    u8 *keep = g->ram;
    bool failed = g->failed, all = strlen(g->name) % 8 == 0; /* some cases at every packet */
    g->ram = xalloc(GOLD_RAM);
    for (u32 end = 0, part = 1; end < g->count; end += g->words[end + 1] / 4) {
        if (!all && end < g->count * part / 5) continue;
        part++;
        batch(g, g->words, end);
        g->ops->reset(g->x, EXEC_FORGET_ALL);
    }
    free(g->ram);
    g->ram = keep;
    g->failed = failed;
    g->error = AGPU_E_NONE;
}

void gold_submit(struct gold *g)
{
    u32 from = 0, at = 0;
    u64 random = g->split;
    if (g->variant->resets && !g->batches) run_and_forget(g);
    while (g->split && at < g->count) {
        at += g->words[at + 1] / 4;
        random = random * 6364136223846793005ull + 1442695040888963407ull;
        if (random >> 62) continue; /* after one packet in four */
        batch(g, g->words + from, at - from);
        from = at;
    }
    batch(g, g->words + from, g->count - from);
    if (g->split) g->split = random | 1;
    g->count = 0;
}

u32 gold_float(float v)
{
    u32 bits;
    memcpy(&bits, &v, 4);
    return bits;
}

/* ---- resources ---- */

void gold_texture2d(struct gold *g, u32 handle, u32 format, u32 w, u32 h, u32 mips, u32 layers)
{
    PUT(g, AGPU_CREATE_TEXTURE2D, 56, handle, 8, format, w, h, mips, layers, 0, 0, 0, 0, 0);
}

void gold_upload(struct gold *g, u32 handle, u64 offset, const void *data, u32 size)
{
    gold_blob(g, AGPU_UPLOAD_RESOURCE, (const u32[]){ handle, 0, (u32)offset, 0, size, 0 }, 6, data, size);
}

void gold_buffer(struct gold *g, u32 handle, const void *data, u32 size)
{
    PUT(g, AGPU_DESTROY_RESOURCE, 16, handle, 0, AGPU_CREATE_BUFFER, 40, handle, 3, (size + 3) & ~3u, 0, 0, 0, 0, 0);
    gold_upload(g, handle, 0, data, size);
}

void gold_copy(struct gold *g, u32 dst, u32 src, const u32 from[2], const u32 to[2], const u32 size[2])
{
    PUT(g, AGPU_COPY_TEXTURE2D, 64, dst, src, 0, 0, 0, 0, to[0], to[1], from[0], from[1], size[0], size[1], 0, 0);
}

/* ---- the scene ---- */

void gold_bind_targets(struct gold *g, u32 count)
{
    u32 p[12] = { AGPU_SET_RENDER_TARGETS, 48, count, g->ref.depth.format ? H_DEPTH : 0 };
    for (u32 k = 0; k < count; k++) p[4 + k] = H_COLOR + k;
    gold_put(g, p, 12);
}

static void standard_layout(struct gold *g)
{
    static const struct {
        u16 stream, offset;
        u8 type, method, usage, index;
    } rows[] = { { 0, 0, 3, 0, 0, 0 }, { 0, 16, 3, 0, 10, 0 }, { 0, 32, 3, 0, 5, 0 }, { 0, 48, 3, 0, 5, 1 }, { 255, 0, 17, 0, 0, 0 } };
    gold_blob(g, AGPU_CREATE_INPUT_LAYOUT, (const u32[]){ H_LAYOUT, sizeof(rows), 0 }, 3, rows, sizeof(rows));
    PUT(g, AGPU_SET_INPUT_LAYOUT, 16, H_LAYOUT, 0);
}

void gold_target(struct gold *g, u32 format, u32 w, u32 h, u32 depth)
{
    ref_surface_init(&g->ref.color[0], format, (int)w, (int)h);
    gold_texture2d(g, H_COLOR, format, w, h, 1, 1);
    if (depth) {
        ref_surface_init(&g->ref.depth, depth, (int)w, (int)h);
        gold_texture2d(g, H_DEPTH, depth, w, h, 1, 1);
    }
    gold_bind_targets(g, 1);
    standard_layout(g);
    gold_state(g, 22, 1); /* no culling unless a case says so */
    gold_program(g, NULL, ps_color, ref_color, NULL);
}

void gold_more_targets(struct gold *g, u32 count, const u32 *formats)
{
    u32 w = (u32)g->ref.color[0].width, h = (u32)g->ref.color[0].height;
    for (u32 k = 0; k < count; k++) {
        ref_surface_init(&g->ref.color[1 + k], formats[k], (int)w, (int)h);
        gold_texture2d(g, H_COLOR + 1 + k, formats[k], w, h, 1, 1);
        g->ref.outputs[1 + k] = true;
    }
    gold_bind_targets(g, 1 + count);
}

void gold_state(struct gold *g, u32 id, u32 value)
{
    PUT(g, AGPU_SET_RENDER_STATE, 16, id, value);
    g->ref.rs[id] = value;
}

void gold_statef(struct gold *g, u32 id, float value)
{
    gold_state(g, id, gold_float(value));
}

void gold_sampler(struct gold *g, u32 slot, u32 id, u32 value)
{
    PUT(g, AGPU_SET_SAMPLER_STATE, 24, AGPU_STAGE_PIXEL, slot, id, value);
    g->ref.ss[slot][id] = value;
}

void gold_texture(struct gold *g, u32 slot, u32 format, u32 w, u32 h, u32 mips, u32 layers, const void *data, u32 size)
{
    ref_texture_free(&g->textures[slot]);
    ref_texture_load(&g->textures[slot], format, (int)w, (int)h, (int)mips, (int)layers, 0, data);
    g->ref.texture[slot] = &g->textures[slot];
    PUT(g, AGPU_DESTROY_RESOURCE, 16, H_TEXTURE + slot, 0);
    gold_texture2d(g, H_TEXTURE + slot, format, w, h, mips, layers);
    gold_upload(g, H_TEXTURE + slot, 0, data, size);
    PUT(g, AGPU_SET_TEXTURE, 24, AGPU_STAGE_PIXEL, slot, H_TEXTURE + slot, 0);
}

void gold_snapshot(struct gold *g, u32 slot)
{
    const struct ref_surface *s = &g->ref.color[0];
    const u32 origin[2] = { 0, 0 }, size[2] = { (u32)s->width, (u32)s->height };
    u8 *texels = xalloc((size_t)s->width * (size_t)s->height * 4);
    gold_copy(g, H_TEXTURE + slot, H_COLOR, origin, origin, size);
    ref_surface_store(s, texels);
    ref_texture_free(&g->textures[slot]);
    ref_texture_load(&g->textures[slot], s->format, s->width, s->height, 1, 1, 0, texels);
    free(texels);
}

void gold_constant(struct gold *g, u32 stage, u32 index, float x, float y, float z, float w)
{
    PUT(g, AGPU_SET_SHADER_CONSTANTS_F, 40, stage, index, 1, 0, gold_float(x), gold_float(y), gold_float(z), gold_float(w));
}

void gold_viewport(struct gold *g, float x, float y, float w, float h, float lo, float hi)
{
    const double v[6] = { x, y, w, h, lo, hi };
    PUT(g, AGPU_SET_VIEWPORT, 32, gold_float(x), gold_float(y), gold_float(w), gold_float(h), gold_float(lo), gold_float(hi));
    memcpy(g->ref.viewport, v, sizeof(v));
    g->ref.viewport_set = w > 0 && h > 0;
}

void gold_scissor(struct gold *g, i32 x, i32 y, i32 w, i32 h)
{
    const int s[4] = { x, y, w, h };
    PUT(g, AGPU_SET_SCISSOR, 24, (u32)x, (u32)y, (u32)w, (u32)h);
    memcpy(g->ref.scissor, s, sizeof(s));
    g->ref.scissor_set = true;
}

void gold_clear(struct gold *g, u32 flags, float r, float gr, float b, float a, float z, u32 s)
{
    const float color[4] = { r, gr, b, a };
    PUT(g, AGPU_CLEAR, 36, flags, gold_float(r), gold_float(gr), gold_float(b), gold_float(a), gold_float(z), s);
    ref_clear(&g->ref, flags, color, z, s);
}

/* ---- shaders ---- */

static const char vs_plain[] = "vs_2_0\nmov oPos, v0\nmov oD0, v1\nmov oT0, v2\nmov oT1, v3";
static const char vs_declared[] = "vs_2_0\ndcl_position v0\ndcl_color v1\ndcl_texcoord v2\ndcl_texcoord1 v3\n"
                                  "mov oPos, v0\nmov oD0, v1\nmov oT0, v2\nmov oT1, v3";
const char ps_color[] = "ps_2_0\ndcl v0\nmov oC0, v0";
const char ps_textured[] = "ps_2_0\ndcl t0\ndcl_2d s0\ntexld r0, t0, s0\nmov oC0, r0";
const char ps_modulated[] = "ps_2_0\ndcl v0\ndcl t0\ndcl_2d s0\ntexld r0, t0, s0\nmul r0, r0, v0\nmov oC0, r0";

void gold_shader(struct gold *g, u32 handle, const char *text)
{
    u32 tokens[1024];
    bool pixel;
    u32 size = gold_assemble(text, g->driver_tokens, tokens, sizeof(tokens), &pixel);
    PUT(g, AGPU_DESTROY_SHADER, 16, handle, 0);
    gold_blob(g, AGPU_CREATE_SHADER_DXBC, (const u32[]){ handle, pixel ? AGPU_STAGE_PIXEL : AGPU_STAGE_VERTEX, size, 0 }, 4, tokens, size);
}

void gold_program(struct gold *g, const char *vs, const char *ps, ref_shader *shade, const void *user)
{
    gold_shader(g, H_VS, vs ? vs : vs_plain);
    gold_shader(g, H_PS, ps);
    PUT(g, AGPU_BIND_SHADERS, 24, H_VS, H_PS, 0, 0);
    g->shade = shade;
    g->user = user;
    g->ref.shift = vs && strstr(vs, "dcl") ? 0.5 : 0;
}

void gold_declared(struct gold *g, bool on)
{
    gold_shader(g, H_VS, on ? vs_declared : vs_plain);
    g->ref.shift = on ? 0.5 : 0;
}

void ref_color(struct ref_fragment *f, const void *user)
{
    (void)user;
    memcpy(f->color[0], f->attr[0], sizeof(f->color[0]));
}

void ref_textured(struct ref_fragment *f, const void *user)
{
    (void)user;
    ref_sample(f, 0, 1, false, 0, f->color[0]);
}

void ref_modulated(struct ref_fragment *f, const void *user)
{
    ref_textured(f, user);
    for (int c = 0; c < 4; c++) f->color[0][c] *= f->attr[0][c];
}

/* ---- draws ---- */

static void reference_draw(struct gold *g, u32 topology, const struct vx *v, u32 vertices, const u32 *indices, u32 n)
{
    if (g->silent) return;
    struct ref_vertex *rv = xalloc(vertices * sizeof(*rv));
    for (u32 k = 0; k < vertices; k++) {
        for (int c = 0; c < 4; c++) {
            rv[k].pos[c] = v[k].pos[c];
            rv[k].attr[0][c] = v[k].color[c];
            rv[k].attr[1][c] = v[k].uv[c];
            rv[k].attr[2][c] = v[k].more[c];
        }
        if (g->transform) g->transform(&v[k], &rv[k], g->user);
    }
    if (!g->ref.d3d10) ref_state9(&g->ref);
    ref_draw(&g->ref, (int)topology, rv, indices, (int)n, 0, g->shade, g->user);
    free(rv);
}

static void vertices(struct gold *g, const struct vx *v, u32 n)
{
    gold_buffer(g, H_VERTICES, v, n * (u32)sizeof(*v));
    PUT(g, AGPU_SET_VERTEX_BUFFERS, 32, 0, 1, H_VERTICES, sizeof(*v), 0, 0);
}

void gold_draw(struct gold *g, u32 topology, const struct vx *v, u32 n)
{
    vertices(g, v, n);
    PUT(g, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, topology, 0, AGPU_DRAW, 24, n, 1, 0, 0);
    reference_draw(g, topology, v, n, NULL, n);
}

void gold_draw_indexed(struct gold *g, u32 topology, const struct vx *v, u32 count, const u32 *indices, u32 n, bool wide)
{
    u16 *narrow = xalloc((n + 1) * sizeof(*narrow));
    for (u32 k = 0; k < n; k++) narrow[k] = (u16)indices[k];
    vertices(g, v, count);
    gold_buffer(g, H_INDICES, wide ? (const void *)indices : narrow, n * (wide ? 4 : 2));
    PUT(g, AGPU_SET_INDEX_BUFFER, 24, H_INDICES, wide, 0, 0, AGPU_SET_PRIMITIVE_TOPOLOGY, 16, topology, 0, AGPU_DRAW_INDEXED, 28, n, 1, 0, 0,
        0);
    reference_draw(g, topology, v, count, indices, n);
    free(narrow);
}

struct vx gold_vertex(const struct gold *g, float x, float y, float z, float w, u32 argb)
{
    struct vx v = { { (x * 2 / (float)g->ref.color[0].width - 1) * w, (1 - y * 2 / (float)g->ref.color[0].height) * w, z * w, w }, { 0 }, { 0 }, { 0 } };
    for (int c = 0; c < 4; c++) v.color[c] = (float)(argb >> (c == 3 ? 24 : 16 - 8 * c) & 255) / 255.0f;
    return v;
}

void gold_rectangle(struct gold *g, float x0, float y0, float x1, float y1, float z, u32 argb)
{
    struct vx v[4];
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? x1 : x0, k & 2 ? y1 : y0, z, 1, argb);
        v[k].uv[0] = (float)(k & 1);
        v[k].uv[1] = (float)(k >> 1);
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
}

/* ---- looking ---- */

void gold_picture(struct gold *g, u32 format, u32 w, u32 h, const void *texels)
{
    if (g->picture_count == GOLD_PICTURES) {
        gold_fail(g, "too many pictures");
        return;
    }
    struct picture *p = &g->pictures[g->picture_count++];
    *p = (struct picture){ format, w, h, (size_t)w * h * (format == 5 || format == 6 ? 2 : 4), NULL, NULL };
    p->texels = xalloc(p->size);
    memcpy(p->texels, texels, p->size);
}

const u8 *gold_read(struct gold *g, u32 handle, u32 format, u32 w, u32 h, u32 mip, u32 layer)
{
    u32 bytes = format == 5 || format == 6 ? 2 : 4;
    PUT(g, AGPU_CREATE_TEXTURE2D, 56, H_READBACK, 8, format, w, h, 1, 1, w * bytes, ALLOC_READBACK, 0, 0, 0);
    PUT(g, AGPU_COPY_TEXTURE2D, 64, H_READBACK, handle, 0, 0, mip, layer, 0, 0, 0, 0, w, h, AGPU_COPY_WRITEBACK_DST, 0,
        AGPU_DESTROY_RESOURCE, 16, H_READBACK, 0);
    memset(g->ram, 0xa5, (size_t)w * h * bytes); /* so that a copy that does not happen is seen */
    gold_submit(g);
    gold_check(g, !g->error, "the device reports %s", g->reason);
    gold_picture(g, format, w, h, g->ram);
    return g->pictures[g->picture_count - 1].texels;
}

static void show(struct gold *g, u32 handle, const struct ref_surface *s, double eps, double unsure)
{
    struct ref_verdict v;
    const u8 *texels = gold_read(g, handle, s->format, (u32)s->width, (u32)s->height, 0, 0);
    struct picture *p = &g->pictures[g->picture_count - 1];
    if (g->silent) return;
    p->expected = xalloc(p->size);
    ref_surface_store(s, p->expected);
    ref_compare(s, texels, eps, &v);
    gold_check(g, !v.wrong, "picture %u: %d pixels differ from the reference, first %d,%d: got %08x, want %08x (worst %.3f codes, %d unsure)",
               g->picture_count, v.wrong, v.x, v.y, v.got, v.want, v.worst, v.unsure);
    gold_check(g, v.unsure <= unsure / 100 * s->width * s->height, "picture %u: %d of %d pixels cannot be judged", g->picture_count, v.unsure,
               s->width * s->height);
}

void gold_show(struct gold *g, double eps, double unsure)
{
    show(g, H_COLOR, &g->ref.color[0], eps, unsure);
}

void gold_show_target(struct gold *g, u32 target, double eps, double unsure)
{
    show(g, H_COLOR + target, &g->ref.color[target], eps, unsure);
}

void gold_show_depth(struct gold *g, double eps, double unsure)
{
    show(g, H_DEPTH, &g->ref.depth, eps, unsure);
}

u64 gold_hash(const struct gold *g)
{
    u64 h = 0xcbf29ce484222325ull;
    for (u32 k = 0; k < g->picture_count; k++) {
        const struct picture *p = &g->pictures[k];
        const u32 head[3] = { p->format, p->width, p->height };
        for (size_t n = 0; n < sizeof(head) + p->size; n++) {
            h ^= n < sizeof(head) ? ((const u8 *)head)[n] : p->texels[n - sizeof(head)];
            h *= 0x100000001b3ull;
        }
    }
    return h;
}
