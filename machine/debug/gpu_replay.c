/* The replay of a recording (gpu_replay.h). Guest memory is an empty mapping as large as the
 * recorded machine's; the recording fills what it names. A picture is taken after each submission
 * that presents and at each flip, from where scanout 0 looked; the cursor is not in it, nor what
 * the guest's processor drew after the last submission or flip.
 *
 * The file is not trusted: records are checked for size, ranges as the device checks an allocation
 * table, streams by the validator; guest memory that the recording fills is bounded. */
#include "machine/debug/gpu_replay.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "gpu/aerogpu.h" /* aerogpu_scanout_row */
#include "gpu/record.h"
#include "machine/core/clock.h" /* clock_host_ns */
#include "machine/core/text.h"
#include "machine/host/png.h"
#include "machine/host/recfile.h"
#include "machine/ui/display.h" /* DISPLAY_MAX_W */

enum { MAX_TOUCHED = 1 << 20, MAX_RANGES = 1 << 20 }; /* pages: 4 GiB */
#define MAX_RAM (64 * GIB)

static const char usage[] =
    "usage: aeropc gpu-replay FILE [OPTION]...\n"
    "Executes a recording (--set aerogpu.record=FILE) and prints its submissions.\n"
    "  --out DIR        write each picture shown as DIR/NUMBER.png\n"
    "  --every N        only each Nth of them\n"
    "  --last           only the last\n"
    "  --exec NAME      what executes: soft or none [soft]\n"
    "  --soft SETTINGS  as --set aerogpu.soft=SETTINGS\n"
    "  --workers N      as --set aerogpu.workers=N\n"
    "  --verbose        print the commands and how long they took, too\n";

struct replay {
    /* arguments */
    const char *path, *dir, *exec_name, *soft;
    u64 every, workers;
    bool last_only, verbose;
    FILE *out;
    /* the machine that is not there */
    struct record_layout layout;
    u8 *ram;
    u8 *touched; /* a bit per page */
    u64 touched_pages;
    const struct exec_ops *ops;
    struct exec *x;
    struct record_surface scanout; /* as the submission that runs saw it */
    /* What is shown, which may be newer: flips are recorded when they happen, submissions when they
     * are executed. */
    struct record_surface shown;
    u64 shown_ns;
    u64 picture_gpa; /* of the last picture */
    u32 *pixels;
    u32 width, height;
    /* counters */
    u64 submissions, packets, draws, dropped, errors, pages, resets, pictures;
    u64 hash, took_ns;
    u32 batch_error;
    const char *batch_reason;
    bool ended;
};

/* ---- memory ---- */

static u8 *memory(const struct replay *r, u64 gpa, u64 len)
{
    const u64 low = r->layout.low_size, high = r->layout.size - low;
    if (!len) return NULL;
    if (gpa < low) return len <= low - gpa ? r->ram + gpa : NULL;
    if (gpa < 4 * GIB || gpa - 4 * GIB >= high) return NULL;
    gpa -= 4 * GIB;
    return len <= high - gpa ? r->ram + low + gpa : NULL;
}

/* Pages that are about to be filled. False: too many. */
static bool touch(struct replay *r, const u8 *p, u64 len)
{
    u64 first = (u64)(p - r->ram) / RECORD_PAGE, last = (u64)(p - r->ram + len - 1) / RECORD_PAGE;
    for (u64 k = first; k <= last; k++) {
        if (r->touched[k / 8] >> (k & 7) & 1) continue;
        if (r->touched_pages == MAX_TOUCHED) return false;
        r->touched[k / 8] |= (u8)(1 << (k & 7));
        r->touched_pages++;
    }
    return true;
}

static bool read_guest(void *opaque, u64 gpa, void *buf, u64 len)
{
    const u8 *p = memory(opaque, gpa, len);
    if (p) memcpy(buf, p, len);
    return p != NULL;
}

static bool write_guest(void *opaque, u64 gpa, const void *buf, u64 len)
{
    u8 *p = memory(opaque, gpa, len);
    if (!p || !touch(opaque, p, len)) return false;
    memcpy(p, buf, len);
    return true;
}

static bool written(void *opaque, u64 gpa, u64 len)
{
    return memory(opaque, gpa, len) != NULL;
}

static bool get_scanout(void *opaque, struct exec_scanout *s)
{
    const struct record_surface *from = &((struct replay *)opaque)->scanout;
    *s = (struct exec_scanout){ from->gpa, from->width, from->height, from->format, from->pitch };
    return from->width != 0;
}

static void done(void *opaque, struct exec_batch *b)
{
    struct replay *r = opaque;
    r->batch_error = b->error;
    r->batch_reason = b->reason;
    exec_batch_free(b);
}

/* ---- pictures ---- */

static u64 hash_pixels(const struct replay *r)
{
    u64 h = 0xcbf29ce484222325ull;
    for (size_t k = 0; k < (size_t)r->width * r->height; k++)
        h = (h ^ (r->pixels[k] & 0xffffff)) * 0x100000001b3ull;
    return h;
}

static int write_picture(struct replay *r, struct error *e)
{
    if (!r->dir || !r->pictures) return 0;
    char *path = xasprintf("%s/%06llu.png", r->dir, (unsigned long long)r->pictures);
    int ret = png_write(path, r->pixels, r->width, r->height, e);
    free(path);
    return ret;
}

/* What scanout 0 shows, if it shows anything; the same picture again is none. */
static int take_picture(struct replay *r, struct error *e)
{
    const struct record_surface *s = &r->shown;
    const unsigned bpp = agpu_scanout_bpp(s->format);
    if (!s->width || !s->height || !bpp || s->width > DISPLAY_MAX_W || s->height > DISPLAY_MAX_H ||
        s->pitch < (u64)s->width * bpp)
        return 0;
    const u8 *p = memory(r, s->gpa, (u64)(s->height - 1) * s->pitch + (u64)s->width * bpp);
    if (!p) return 0;
    bool same_size = r->pictures && r->width == s->width && r->height == s->height;
    r->width = s->width;
    r->height = s->height;
    r->picture_gpa = s->gpa;
    r->pixels = xrealloc(r->pixels, (size_t)r->width * r->height * sizeof(u32));
    for (u32 y = 0; y < r->height; y++)
        aerogpu_scanout_row(r->pixels + (size_t)y * r->width, p + (u64)y * s->pitch, r->width,
                            s->format);
    u64 before = r->hash;
    r->hash = hash_pixels(r);
    if (same_size && r->hash == before) return 0;
    r->pictures++;
    fprintf(r->out, "picture %llu: %ux%u at %llx, hash %016llx\n", (unsigned long long)r->pictures,
            r->width, r->height, (unsigned long long)s->gpa, (unsigned long long)r->hash);
    return r->last_only || r->pictures % r->every ? 0 : write_picture(r, e);
}

/* ---- records ---- */

static int damaged(const struct replay *r, const char *what, struct error *e)
{
    return error_set(e, "%s: damaged: %s", r->path, what);
}

static int take_layout(struct replay *r, const u8 *data, u32 size, struct error *e)
{
    struct record_layout *l = &r->layout;
    if (r->ram) return damaged(r, "a second LAYOUT", e);
    if (size != sizeof(*l)) return damaged(r, "LAYOUT", e);
    memcpy(l, data, sizeof(*l));
    if (!l->low_size || l->size < l->low_size || l->low_size > 4 * GIB || l->size > MAX_RAM ||
        l->low_size % RECORD_PAGE || l->size % RECORD_PAGE)
        return damaged(r, "LAYOUT", e);
    r->touched = xalloc(l->size / RECORD_PAGE / 8 + 1);
    void *p = mmap(NULL, l->size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return error_set(e, "%s: no host memory for a machine of %llu MiB", r->path,
                         (unsigned long long)(l->size / MIB));
    r->ram = p;
    const struct exec_host host = { .opaque = r,
                                    .done = done,
                                    .read = read_guest,
                                    .write = write_guest,
                                    .scanout = get_scanout,
                                    .written = written,
                                    .tuning = { .workers = (u32)r->workers },
                                    .soft = r->soft };
    r->x = r->ops->create(&host, e);
    return r->x ? 0 : -1;
}

static int take_pages(struct replay *r, const u8 *data, u32 size, struct error *e)
{
    u32 count = size < 8 ? 0 : ld32(data);
    if (!count || count > RECORD_PAGES_MAX || size != 8 + count * (8 + RECORD_PAGE))
        return damaged(r, "PAGES", e);
    for (u32 k = 0; k < count; k++) {
        u64 gpa = ld64(data + 8 + k * 8);
        u8 *p = gpa % RECORD_PAGE ? NULL : memory(r, gpa, RECORD_PAGE);
        if (!p) return damaged(r, "a page outside memory", e);
        if (!touch(r, p, RECORD_PAGE)) return damaged(r, "more than 4 GiB of pages", e);
        memcpy(p, data + 8 + count * 8 + (size_t)k * RECORD_PAGE, RECORD_PAGE);
    }
    r->pages += count;
    return 0;
}

static const char *fill_ranges(struct exec_batch *b, const u8 *from)
{
    for (u32 k = 0; k < b->range_count; k++) {
        struct record_range g;
        memcpy(&g, from + (size_t)k * sizeof(g), sizeof(g));
        if (!g.alloc_id || !g.size || g.gpa + g.size < g.gpa) return "an allocation";
        if (k && g.alloc_id <= b->ranges[k - 1].alloc_id) return "the order of allocations";
        b->ranges[k] = (struct exec_range){ g.alloc_id, g.flags, g.gpa, g.size };
    }
    return NULL;
}

static void print_batch(struct replay *r, const struct exec_batch *b, u64 time_ns)
{
    u32 draws = 0;
    for (u32 k = 0; k < b->stream.count; k++) {
        u16 op = b->stream.packets[k].opcode;
        draws += op == AGPU_DRAW || op == AGPU_DRAW_INDEXED || op == AGPU_DISPATCH;
    }
    r->packets += b->stream.count;
    r->draws += draws;
    r->dropped += b->stream.dropped;
    fprintf(r->out, "%12.6f s  #%-6llu fence %-6llu context %-3u %5u packets %4u draws%s",
            (double)time_ns / 1e9, (unsigned long long)b->ticket, (unsigned long long)b->fence,
            b->context_id, b->stream.count, draws, b->stream.presents ? " present" : "");
    if (b->stream.error) fprintf(r->out, ", stream ends early: %s", b->stream.reason);
    fprintf(r->out, "\n");
    for (u32 k = 0; r->verbose && k < b->stream.count; k++) {
        struct text t;
        text_init(&t);
        acmd_describe(&b->stream, &b->stream.packets[k], &t);
        fprintf(r->out, "    %s", t.s ? t.s : "\n");
        text_free(&t);
    }
}

static int take_submit(struct replay *r, const u8 *data, u32 size, struct error *e)
{
    struct record_submit m;
    if (size < sizeof(m)) return damaged(r, "SUBMIT", e);
    memcpy(&m, data, sizeof(m));
    u64 ranges = (u64)m.range_count * sizeof(struct record_range);
    if (m.range_count > MAX_RANGES || size != sizeof(m) + ranges + m.stream_size)
        return damaged(r, "SUBMIT", e);
    struct exec_batch *b = xalloc(sizeof(*b));
    b->range_count = m.range_count;
    b->ranges = xalloc(MAX(m.range_count, 1u) * sizeof(*b->ranges));
    const char *why = fill_ranges(b, data + sizeof(m));
    if (why) {
        exec_batch_free(b);
        return damaged(r, why, e);
    }
    if (m.stream_size) {
        b->bytes = xalloc(m.stream_size);
        memcpy(b->bytes, data + sizeof(m) + ranges, m.stream_size);
        acmd_parse(&b->stream, b->bytes, m.stream_size);
    }
    b->context_id = m.context_id;
    b->flags = m.flags;
    b->fence = m.fence;
    b->ticket = m.ticket;
    b->time_ns = m.time_ns;
    r->scanout = m.scanout;
    if (m.time_ns >= r->shown_ns) r->shown = m.scanout;
    r->submissions++;
    print_batch(r, b, m.time_ns);
    bool presents = b->stream.presents;
    u64 start = clock_host_ns();
    r->ops->submit(r->x, b);
    u64 took = clock_host_ns() - start;
    r->took_ns += took;
    if (r->verbose) fprintf(r->out, "    %.3f ms\n", (double)took / 1e6);
    if (r->batch_error) {
        r->errors++;
        fprintf(r->out, "    error %u: %s\n", r->batch_error, r->batch_reason);
    }
    return presents ? take_picture(r, e) : 0;
}

static int take_scanout(struct replay *r, const u8 *data, u32 size, struct error *e)
{
    struct record_scanout m;
    if (size != sizeof(m)) return damaged(r, "SCANOUT", e);
    memcpy(&m, data, sizeof(m));
    r->shown = m.scanout;
    r->shown_ns = m.time_ns;
    if (r->verbose)
        fprintf(r->out, "%12.6f s  scanout %ux%u format %u pitch %u at %llx\n",
                (double)m.time_ns / 1e9, m.scanout.width, m.scanout.height, m.scanout.format,
                m.scanout.pitch, (unsigned long long)m.scanout.gpa);
    /* A flip shows another address; while a mode is set, only the rest changes. */
    return m.scanout.gpa == r->picture_gpa ? 0 : take_picture(r, e);
}

static int take_reset(struct replay *r, const u8 *data, u32 size, struct error *e)
{
    struct record_reset m;
    if (size != sizeof(m)) return damaged(r, "RESET", e);
    memcpy(&m, data, sizeof(m));
    if (m.kind > EXEC_KEEP_OBJECTS) return damaged(r, "RESET", e);
    if (r->verbose) fprintf(r->out, "%12.6f s  reset\n", (double)m.time_ns / 1e9);
    r->resets++;
    r->ops->reset(r->x, (enum exec_reset)m.kind);
    return 0;
}

static int take_record(struct replay *r, u32 type, const u8 *data, u32 size, struct error *e)
{
    if (r->ended) return damaged(r, "something behind the end", e);
    if (!r->x && type != RECORD_LAYOUT) return damaged(r, "it does not start with LAYOUT", e);
    switch (type) {
    case RECORD_LAYOUT: return take_layout(r, data, size, e);
    case RECORD_PAGES: return take_pages(r, data, size, e);
    case RECORD_SUBMIT: return take_submit(r, data, size, e);
    case RECORD_SCANOUT: return take_scanout(r, data, size, e);
    case RECORD_RESET: return take_reset(r, data, size, e);
    case RECORD_END: r->ended = true; return 0;
    default: return damaged(r, "an unknown record", e);
    }
}

/* ---- the whole ---- */

static int play(struct replay *r, struct error *e)
{
    const u8 *data;
    u32 type, size;
    int got, ret = 0;
    struct recfile *f = recfile_open(r->path, RECORD_MAGIC, RECORD_VERSION, e);
    if (!f) return -1;
    while (!ret && (got = recfile_read(f, &type, &data, &size, e)))
        ret = got < 0 ? -1 : take_record(r, type, data, size, e);
    recfile_close(f);
    if (!ret && !r->x) ret = error_set(e, "%s: an empty recording", r->path);
    if (r->last_only && r->pictures) {
        struct error why;
        if (write_picture(r, ret ? &why : e)) ret = -1;
    }
    return ret;
}

static void print_sum(struct replay *r)
{
    fprintf(r->out,
            "%llu submissions, %llu packets (%llu dropped), %llu draws, %llu errors, %llu resets, "
            "%llu pages of memory, %llu pictures\n",
            (unsigned long long)r->submissions, (unsigned long long)r->packets,
            (unsigned long long)r->dropped, (unsigned long long)r->draws,
            (unsigned long long)r->errors, (unsigned long long)r->resets,
            (unsigned long long)r->pages, (unsigned long long)r->pictures);
    if (r->verbose) fprintf(r->out, "%.3f ms of executing\n", (double)r->took_ns / 1e6);
    if (!r->ended) fprintf(r->out, "the recording was not ended: aeropc was, meanwhile\n");
}

static int parse_number(const char *name, const char *s, u64 *v, struct error *e)
{
    char *end;
    errno = 0;
    *v = strtoull(s, &end, 10);
    if (!errno && end != s && !*end && *s != '-' && *v && *v <= UINT32_MAX) return 0;
    return error_set(e, "gpu-replay %s %s: a number from 1 on was expected", name, s);
}

/* Options with a value: where it goes. */
static int parse_value(struct replay *r, const char *name, const char *value, struct error *e)
{
    const struct {
        const char *name, **text;
        u64 *number;
    } options[] = {
        { "--out", &r->dir, NULL },         { "--exec", &r->exec_name, NULL },
        { "--soft", &r->soft, NULL },       { "--every", NULL, &r->every },
        { "--workers", NULL, &r->workers },
    };
    for (unsigned k = 0; k < LEN(options); k++) {
        if (strcmp(name, options[k].name)) continue;
        if (!value) return error_set(e, "gpu-replay %s needs a value", name);
        if (options[k].number) return parse_number(name, value, options[k].number, e);
        *options[k].text = value;
        return 0;
    }
    return error_set(e, "gpu-replay: '%s' is not understood; see aeropc gpu-replay --help", name);
}

/* 0, 1 when only the usage was wanted, or -1. */
static int parse(struct replay *r, int argc, char **argv, struct error *e)
{
    for (int k = 1; k < argc; k++) {
        if (!strcmp(argv[k], "--help")) return 1;
        if (!strcmp(argv[k], "--verbose"))
            r->verbose = true;
        else if (!strcmp(argv[k], "--last"))
            r->last_only = true;
        else if (*argv[k] != '-' && !r->path)
            r->path = argv[k];
        else if (parse_value(r, argv[k], k + 1 < argc ? argv[k + 1] : NULL, e))
            return -1;
        else
            k++;
    }
    if (!r->path) return error_set(e, "gpu-replay needs a recording; see aeropc gpu-replay --help");
    r->ops = exec_find(r->exec_name);
    if (r->ops == &exec_bridge) r->ops = NULL; /* wants a machine */
    if (!r->ops) return error_set(e, "gpu-replay --exec %s: use soft or none", r->exec_name);
    if (r->dir && mkdir(r->dir, 0777) && errno != EEXIST)
        return error_set(e, "gpu-replay --out %s: %s", r->dir, strerror(errno));
    return 0;
}

int gpu_replay(int argc, char **argv, FILE *out, struct error *e)
{
    struct replay r = { .exec_name = "soft", .every = 1, .out = out };
    int ret = parse(&r, argc, argv, e);
    if (ret == 1) fputs(usage, out);
    if (ret) return ret < 0 ? -1 : 0;
    ret = play(&r, e);
    if (r.x) {
        print_sum(&r);
        r.ops->reset(r.x, EXEC_FORGET_ALL);
        r.ops->destroy(r.x);
    }
    if (r.ram) munmap(r.ram, r.layout.size);
    free(r.touched);
    free(r.pixels);
    return ret;
}
