/* What the real Windows 7 drivers emit (tests/gpu/driver-streams.gz), through the validator and the software executor: no error, nothing
 * dropped that matters, objects given back, and three sessions whose result was worked out by hand. A session builds on its own streams;
 * each gets a fresh executor and an allocation table that maps every id it names to 16 MiB of memory. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <zlib.h>

#include "gpu/soft/soft.h"

enum { MAX_IDS = 64, MAX_FILE = 4 << 20 };
#define SCRATCH (16 * MIB)
#define STREAMS "tests/gpu/driver-streams.gz"

struct world {
    u8 *file, *ram;
    size_t size, at;
    char name[256]; /* of the session that runs */
    struct exec *x;
    struct exec_range ids[MAX_IDS]; /* sorted by id */
    u32 id_count;
    u32 streams, errors, dropped, unknown, unusable;
    char last[512]; /* what went wrong last */
};

static void done(void *opaque, struct exec_batch *b)
{
    struct world *w = opaque;
    if (b->error) {
        w->errors++;
        snprintf(w->last, sizeof(w->last), "error %u: %s", b->error, b->reason ? b->reason : "");
    }
    exec_batch_free(b);
}

static bool in_ram(u64 gpa, u64 len)
{
    return gpa <= MAX_IDS * SCRATCH && len <= MAX_IDS * SCRATCH - gpa;
}

static bool read_ram(void *opaque, u64 gpa, void *buf, u64 len)
{
    struct world *w = opaque;
    if (!in_ram(gpa, len)) return false;
    memcpy(buf, w->ram + gpa, len);
    return true;
}

static bool write_ram(void *opaque, u64 gpa, const void *buf, u64 len)
{
    struct world *w = opaque;
    if (!in_ram(gpa, len)) return false;
    memcpy(w->ram + gpa, buf, len);
    return true;
}

static bool no_scanout(void *opaque, struct exec_scanout *s)
{
    (void)opaque, (void)s;
    return false;
}

static void world_up(struct world *w)
{
    memset(w, 0, sizeof(*w));
    gzFile f = gzopen(STREAMS, "rb");
    ck_assert_msg(f != NULL, "%s is missing (tests run in the repository's root)", STREAMS);
    w->file = xalloc(MAX_FILE);
    int n = gzread(f, w->file, MAX_FILE);
    ck_assert_int_gt(n, 0);
    w->size = (size_t)n;
    gzclose(f);
    w->ram = mmap(NULL, MAX_IDS * SCRATCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(w->ram, MAP_FAILED);
}

static void world_down(struct world *w)
{
    munmap(w->ram, MAX_IDS * SCRATCH);
    free(w->file);
}

static void exec_up(struct world *w)
{
    const struct exec_host host = { .opaque = w, .done = done, .read = read_ram, .write = write_ram, .scanout = no_scanout };
    struct error e;
    w->x = exec_soft.create(&host, &e);
    ck_assert_ptr_nonnull(w->x);
    w->id_count = 0;
}

static void exec_down(struct world *w)
{
    exec_soft.reset(w->x, EXEC_FORGET_ALL);
    exec_soft.destroy(w->x);
    madvise(w->ram, MAX_IDS * SCRATCH, MADV_DONTNEED);
}

/* --- sessions --- */

/* The next session's name and number of streams. */
static bool next_session(struct world *w, u32 *streams)
{
    if (w->at == w->size) return false;
    u32 len = ld16(w->file + w->at);
    ck_assert_uint_lt(len, sizeof(w->name));
    *streams = ld16(w->file + w->at + 2);
    memcpy(w->name, w->file + w->at + 4, len);
    w->name[len] = 0;
    w->at += 4 + len;
    return true;
}

static void map_id(struct world *w, u32 id)
{
    u32 at = 0;
    while (at < w->id_count && w->ids[at].alloc_id < id) at++;
    if (!id || (at < w->id_count && w->ids[at].alloc_id == id)) return;
    ck_assert_uint_lt(w->id_count, MAX_IDS);
    memmove(&w->ids[at + 1], &w->ids[at], (w->id_count - at) * sizeof(w->ids[0]));
    w->ids[at] = (struct exec_range){ id, 0, w->id_count * SCRATCH, SCRATCH };
    w->id_count++;
}

static void map_ids(struct world *w, const struct acmd_stream *s)
{
    for (u32 k = 0; k < s->count; k++) {
        const void *p = acmd_at(s, &s->packets[k]);
        if (s->packets[k].opcode == AGPU_CREATE_BUFFER) map_id(w, ((const struct agpu_create_buffer *)p)->backing_alloc_id);
        if (s->packets[k].opcode == AGPU_CREATE_TEXTURE2D) map_id(w, ((const struct agpu_create_texture2d *)p)->backing_alloc_id);
    }
}

/* Token shaders of shader models 1 to 3 that no program was made from. */
static void count_unusable(struct world *w)
{
    const struct objects *o = &w->x->objects;
    for (u32 k = 0; k < o->capacity; k++) {
        const struct blob *b = (const struct blob *)o->slots[k].object;
        if (!b || b->obj.kind != OBJ_SHADER || b->compiled || b->size < 4) continue;
        u32 kind = ld32(b->bytes) >> 16;
        if (kind != 0xfffe && kind != 0xffff) continue;
        w->unusable++;
        snprintf(w->last, sizeof(w->last), "shader %u of %u bytes", b->obj.handle, b->size);
    }
}

static void run_stream(struct world *w)
{
    struct exec_batch *b = xalloc(sizeof(*b));
    u32 size = ld32(w->file + w->at);
    ck_assert_uint_le(size, w->size - w->at - 4);
    b->bytes = xalloc(size);
    memcpy(b->bytes, w->file + w->at + 4, size);
    w->at += 4 + size;
    acmd_parse(&b->stream, b->bytes, size);
    ck_assert_msg(!b->stream.error, "%s stream %u: %s at %u", w->name, w->streams, b->stream.reason, b->stream.error_offset);
    w->dropped += b->stream.dropped;
    w->unknown += b->stream.unknown;
    if (b->stream.dropped) snprintf(w->last, sizeof(w->last), "%s: dropped: %s", w->name, b->stream.reason);
    map_ids(w, &b->stream);
    b->ranges = xalloc(MAX_IDS * sizeof(*b->ranges));
    memcpy(b->ranges, w->ids, sizeof(w->ids));
    b->range_count = w->id_count;
    b->context_id = 1;
    b->ticket = b->fence = ++w->streams;
    exec_soft.submit(w->x, b);
    count_unusable(w);
}

static void skip_stream(struct world *w)
{
    w->at += 4 + ld32(w->file + w->at);
}

/* Stops behind stream `last` of the session `name`; the executor stays. */
static void run_until(struct world *w, const char *name, u32 last)
{
    u32 streams;
    while (next_session(w, &streams)) {
        if (!strcmp(w->name, name)) {
            exec_up(w);
            for (u32 k = 0; k <= last; k++) run_stream(w);
            ck_assert_msg(!w->errors, "%s: %s", name, w->last);
            return;
        }
        while (streams--) skip_stream(w);
    }
    ck_abort_msg("no session %s", name);
}

START_TEST(driver_streams_run_without_an_error)
{
    struct world w;
    u32 sessions = 0, streams, left = 0, worst = 0;
    world_up(&w);
    for (; next_session(&w, &streams); sessions++) {
        exec_up(&w);
        while (streams--) run_stream(&w);
        ck_assert_msg(!w.errors && !w.unusable, "%s: %s", w.name, w.last);
        left += w.x->objects.live;
        worst = MAX(worst, w.x->objects.live);
        exec_down(&w);
    }
    ck_assert_uint_eq(sessions, 586);
    ck_assert_uint_eq(w.streams, 1872);
    ck_assert_uint_eq(w.unknown, 3); /* DEADBEEFh twice and 9000h: tests of the driver's writer */
    ck_assert_msg(w.dropped == 1, "%s", w.last); /* a 1x1 texture with more mips than it has */
    ck_assert_uint_le(worst, 5);
    ck_assert_uint_le(left, 89);
    world_down(&w);
}
END_TEST

/* Texel (x, y) of mip 0 of texture `handle` as a little-endian word. */
static u32 texel(struct world *w, u32 handle, u32 x, u32 y)
{
    struct resource *r = texture_find(&w->x->objects, handle);
    struct subresource s;
    ck_assert_msg(r && r->data && x < r->width && y < r->height, "%s: texture %u", w->name, handle);
    texture_sub(r, 0, 0, &s);
    return ld32(r->data + s.offset + (u64)y * s.pitch + x * 4);
}

/* The driver fills with a shader that samples; unbound textures are white. */
START_TEST(driver_colour_fill)
{
    struct world w;
    world_up(&w);
    run_until(&w, "d3d9_shader_stage_interop/TestColorFillDoesNotBindNullShaders", 1);
    for (u32 y = 0; y < 2; y++) {
        for (u32 x = 0; x < 2; x++) ck_assert_uint_eq(texel(&w, 1, x, y) & 0xffffff, 17 << 16 | 34 << 8 | 51);
    }
    exec_down(&w);
    world_down(&w);
}
END_TEST

START_TEST(driver_cursor_overlay)
{
    struct world w;
    world_up(&w);
    run_until(&w, "d3d9_cursor_present_overlay/TestCursorOverlayPresentEx", 1);
    for (u32 y = 0; y < 64; y++) {
        for (u32 x = 0; x < 64; x++) {
            bool white = (x == 5 || x == 6) && (y == 6 || y == 7);
            ck_assert_msg((texel(&w, 1, x, y) & 0xffffff) == (white ? 0xffffffu : 0), "%u,%u: %x", x, y, texel(&w, 1, x, y));
        }
    }
    exec_down(&w);
    world_down(&w);
}
END_TEST

START_TEST(driver_clear_of_565)
{
    struct world w;
    world_up(&w);
    run_until(&w, "d3d1x_map_unmap/TestClearRtvB5FormatsProduceCorrectReadback", 0);
    const struct exec_batch table = { .ranges = w.ids, .range_count = w.id_count };
    const struct exec_range *to = exec_range_find(&table, 2);
    ck_assert_ptr_nonnull(to);
    for (u32 y = 0; y < 2; y++) {
        for (u32 x = 0; x < 3; x++) {
            u32 v = ld16(w.ram + to->gpa + y * 64 + x * 2), green = v >> 5 & 63;
            ck_assert_msg(v >> 11 == 31 && !(v & 31) && (green == 31 || green == 32), "%u,%u: %04x", x, y, v);
        }
    }
    exec_down(&w);
    world_down(&w);
}
END_TEST

Suite *aerogpu_streams_suite(void);
Suite *aerogpu_streams_suite(void)
{
    Suite *s = suite_create("aerogpu_streams");
    TCase *c = tcase_create("aerogpu_streams");
    tcase_set_timeout(c, 120);
    tcase_add_test(c, driver_streams_run_without_an_error);
    tcase_add_test(c, driver_colour_fill);
    tcase_add_test(c, driver_cursor_overlay);
    tcase_add_test(c, driver_clear_of_565);
    suite_add_tcase(s, c);
    return s;
}
