/* The recorder (record.h): an executor around another one. It sits where batches run, on the
 * executor's thread when there is one, so that memory is read at the moment at which the executor
 * would read it. One lock guards the file and the pages' hashes, since flips are recorded from the
 * machine thread. */
#include "gpu/record.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "machine/core/clock.h"
#include "machine/core/device.h" /* struct guest_ram */
#include "machine/core/log.h"
#include "machine/host/recfile.h"

enum { MAX_PAGES_LOOKED_AT = 1 << 20 }; /* per submission: 4 GiB */
#define MAX_BYTES (16 * GIB)            /* of a recording; then it ends */

struct recorder {
    struct recfile *file;
    char *path;
    const struct guest_ram *ram;
    struct clock *clock;
    pthread_mutex_t lock;
    u64 *hashes; /* of the pages as the recording has them; 0: all zero */
    u64 zero;    /* hash of such a page */
    u64 submissions, pages;
    struct record_surface shown;
    bool ended, told;
    u32 pending; /* pages in `batch` */
    u8 *batch;   /* a PAGES record in the making */
};

/* ---- pages ---- */

enum { HEAD = 8, PAGES_BYTES = HEAD + RECORD_PAGES_MAX * (8 + RECORD_PAGE) };

static u64 hash_page(const u8 *p)
{
    u64 a[4] = { 1, 2, 3, 4 };
    for (u32 k = 0; k < RECORD_PAGE; k += 32) {
        for (u32 n = 0; n < 4; n++) {
            u64 v = (a[n] ^ ld64(p + k + n * 8)) * 0x9e3779b97f4a7c15ull;
            a[n] = v ^ v >> 29;
        }
    }
    u64 h = 0;
    for (u32 n = 0; n < 4; n++) h = (h ^ a[n]) * 0xbf58476d1ce4e5b9ull + (h >> 31);
    return h ? h : 1;
}

/* Number of the page at gpa among the RAM's, or UINT64_MAX. */
static u64 page_index(const struct guest_ram *ram, u64 gpa)
{
    if (gpa < ram->low_size) return gpa / RECORD_PAGE;
    if (gpa >= 4 * GIB && gpa - 4 * GIB < ram->size - ram->low_size)
        return (ram->low_size + gpa - 4 * GIB) / RECORD_PAGE;
    return UINT64_MAX;
}

static u64 known_hash(const struct recorder *r, u64 index)
{
    return r->hashes[index] ? r->hashes[index] : r->zero;
}

static void end_recording(struct recorder *r, const char *why)
{
    r->ended = true;
    LOG(LOG_ERROR, "aerogpu", "%s: the recording ends here: %s", r->path, why);
}

static void write_record(struct recorder *r, u32 type, const void *data, u32 size)
{
    if (r->ended) return;
    if (!recfile_write(r->file, type, data, size))
        end_recording(r, "the host refuses to write more");
    else if (recfile_size(r->file) > MAX_BYTES)
        end_recording(r, "16 GiB are enough");
}

static void flush_pages(struct recorder *r)
{
    u32 n = r->pending;
    if (!n) return;
    st32(r->batch, n);
    st32(r->batch + 4, 0);
    /* close the gap behind the addresses of a batch that is not full */
    memmove(r->batch + HEAD + n * 8, r->batch + HEAD + RECORD_PAGES_MAX * 8,
            (size_t)n * RECORD_PAGE);
    write_record(r, RECORD_PAGES, r->batch, HEAD + n * (8 + RECORD_PAGE));
    r->pages += n;
    r->pending = 0;
}

/* Adds what changed in [gpa, gpa + size); looks at no more than *budget pages. */
static void record_range(struct recorder *r, const struct exec_host *host, u64 gpa, u64 size,
                         u32 *budget)
{
    u64 last = (gpa + size - 1) & ~(u64)(RECORD_PAGE - 1);
    for (u64 at = gpa & ~(u64)(RECORD_PAGE - 1);; at += RECORD_PAGE) {
        u64 index = page_index(r->ram, at);
        if (index == UINT64_MAX || !*budget) return;
        --*budget;
        u8 *page = r->batch + HEAD + RECORD_PAGES_MAX * 8 + (size_t)r->pending * RECORD_PAGE;
        if (host->read(host->opaque, at, page, RECORD_PAGE)) {
            u64 h = hash_page(page);
            if (h != known_hash(r, index)) {
                r->hashes[index] = h;
                st64(r->batch + HEAD + r->pending * 8, at);
                if (++r->pending == RECORD_PAGES_MAX) flush_pages(r);
            }
        }
        if (at == last) return;
    }
}

static struct record_surface surface(const struct exec_host *host)
{
    struct exec_scanout s;
    if (!host->scanout(host->opaque, &s)) return (struct record_surface){ 0 };
    return (struct record_surface){ s.gpa, s.width, s.height, s.format, s.pitch };
}

static void record_surface(struct recorder *r, const struct exec_host *host,
                           const struct record_surface *s, u32 *budget)
{
    if (s->width) record_range(r, host, s->gpa, (u64)s->height * s->pitch, budget);
}

static void warn_budget(struct recorder *r, u32 budget)
{
    if (budget || r->told) return;
    r->told = true;
    LOG(LOG_WARN, "aerogpu", "%s: a submission names more than 4 GiB; some memory is missing",
        r->path);
}

/* ---- the file ---- */

struct recorder *recorder_open(const char *path, const struct guest_ram *ram, struct clock *clock,
                               struct error *e)
{
    struct error why;
    if (!ram || !ram->size) {
        error_set(e, "%s: there is no guest memory to record", path);
        return NULL;
    }
    struct recfile *file = recfile_create(path, RECORD_MAGIC, RECORD_VERSION, &why);
    size_t bytes = ram->size / RECORD_PAGE * sizeof(u64);
    void *hashes = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!file || hashes == MAP_FAILED) {
        error_set(e, "recording: %s", file ? "no host memory" : why.text);
        recfile_close(file);
        if (hashes != MAP_FAILED) munmap(hashes, bytes);
        return NULL;
    }
    struct recorder *r = xalloc(sizeof(*r));
    r->file = file;
    r->path = xstrdup(path);
    r->ram = ram;
    r->clock = clock;
    r->hashes = hashes;
    r->batch = xalloc(PAGES_BYTES);
    r->zero = hash_page(r->batch);
    pthread_mutex_init(&r->lock, NULL);
    const struct record_layout layout = { ram->low_size, ram->size, AGPU_ABI_VERSION, 0 };
    write_record(r, RECORD_LAYOUT, &layout, sizeof(layout));
    return r;
}

void recorder_close(struct recorder *r)
{
    if (!r) return;
    write_record(r, RECORD_END, NULL, 0);
    recfile_close(r->file);
    munmap(r->hashes, r->ram->size / RECORD_PAGE * sizeof(u64));
    pthread_mutex_destroy(&r->lock);
    free(r->batch);
    free(r->path);
    free(r);
}

void recorder_scanout(struct recorder *r, const struct exec_host *host)
{
    const struct record_scanout now = { clock_now(r->clock), surface(host) };
    u32 budget = MAX_PAGES_LOOKED_AT;
    pthread_mutex_lock(&r->lock);
    if (!r->ended && memcmp(&now.scanout, &r->shown, sizeof(r->shown))) {
        record_surface(r, host, &now.scanout, &budget);
        flush_pages(r);
        write_record(r, RECORD_SCANOUT, &now, sizeof(now));
        r->shown = now.scanout;
        recfile_flush(r->file);
    }
    pthread_mutex_unlock(&r->lock);
}

static void record_batch(struct recorder *r, const struct exec_host *host,
                         const struct exec_batch *b)
{
    u32 stream = b->bytes ? b->stream.size : 0, budget = MAX_PAGES_LOOKED_AT;
    u64 size = sizeof(struct record_submit) + (u64)b->range_count * sizeof(struct record_range) +
               stream; /* ring.md's limits: below 80 MiB */
    u8 *m = xalloc(size);
    const struct record_submit head = { b->time_ns, b->ticket,      b->fence, b->context_id,
                                        b->flags,   b->range_count, stream,   surface(host) };
    memcpy(m, &head, sizeof(head));
    struct record_range *to = (struct record_range *)(m + sizeof(head));
    for (u32 k = 0; k < b->range_count; k++) {
        const struct exec_range *from = &b->ranges[k];
        to[k] = (struct record_range){ from->alloc_id, from->flags, from->gpa, from->size };
        record_range(r, host, from->gpa, from->size, &budget);
    }
    if (stream) memcpy(to + b->range_count, b->bytes, stream);
    if (b->stream.presents) record_surface(r, host, &head.scanout, &budget);
    flush_pages(r);
    write_record(r, RECORD_SUBMIT, m, (u32)size);
    r->submissions++;
    if (!r->ended) recfile_flush(r->file);
    free(m);
    warn_budget(r, budget);
}

/* ---- the executor around another ---- */

struct exec {
    struct exec_host host; /* outside */
    const struct exec_ops *ops;
    struct exec *inner;
    struct recorder *r;
};

static void done(void *opaque, struct exec_batch *b)
{
    struct exec *x = opaque;
    x->host.done(x->host.opaque, b);
}

static bool read_guest(void *opaque, u64 gpa, void *buf, u64 len)
{
    struct exec *x = opaque;
    return x->host.read(x->host.opaque, gpa, buf, len);
}

/* Whether the page is as the recording has it. */
static bool unchanged(struct exec *x, u64 page, u64 index)
{
    u8 now[RECORD_PAGE];
    return x->host.read(x->host.opaque, page, now, sizeof(now)) &&
           hash_page(now) == known_hash(x->r, index);
}

/* A replay makes the same write. Pages that the guest did not touch since are up to date after it,
 * the others stay different and are recorded when they are named next. */
static bool write_page(struct exec *x, u64 gpa, const void *buf, u64 len)
{
    u64 page = gpa & ~(u64)(RECORD_PAGE - 1), index = page_index(x->r->ram, page);
    u8 now[RECORD_PAGE];
    bool same = index != UINT64_MAX && unchanged(x, page, index);
    if (!x->host.write(x->host.opaque, gpa, buf, len)) return false;
    if (same && x->host.read(x->host.opaque, page, now, sizeof(now)))
        x->r->hashes[index] = hash_page(now);
    return true;
}

static bool write_guest(void *opaque, u64 gpa, const void *buf, u64 len)
{
    struct exec *x = opaque;
    bool ok = len != 0;
    pthread_mutex_lock(&x->r->lock);
    while (ok && len) {
        u64 n = MIN(len, RECORD_PAGE - (gpa & (RECORD_PAGE - 1)));
        ok = write_page(x, gpa, buf, n);
        gpa += n;
        buf = (const u8 *)buf + n;
        len -= n;
    }
    pthread_mutex_unlock(&x->r->lock);
    return ok;
}

static bool scanout(void *opaque, struct exec_scanout *s)
{
    struct exec *x = opaque;
    return x->host.scanout(x->host.opaque, s);
}

static bool written(void *opaque, u64 gpa, u64 len)
{
    struct exec *x = opaque;
    return x->host.written(x->host.opaque, gpa, len);
}

static struct exec *recording_create(const struct exec_host *host, struct error *e)
{
    struct exec *x = xalloc(sizeof(*x));
    x->host = *host;
    x->ops = host->recorded;
    x->r = host->recorder;
    struct exec_host inner = *host;
    inner.opaque = x;
    inner.done = done;
    inner.read = read_guest;
    inner.write = write_guest;
    inner.scanout = scanout;
    inner.written = written;
    x->inner = x->ops->create(&inner, e);
    if (x->inner) return x;
    free(x);
    return NULL;
}

static void recording_submit(struct exec *x, struct exec_batch *b)
{
    pthread_mutex_lock(&x->r->lock);
    if (!x->r->ended) record_batch(x->r, &x->host, b);
    pthread_mutex_unlock(&x->r->lock);
    x->ops->submit(x->inner, b);
}

static void recording_reset(struct exec *x, enum exec_reset kind)
{
    const struct record_reset m = { clock_now(x->r->clock), kind, 0 };
    pthread_mutex_lock(&x->r->lock);
    write_record(x->r, RECORD_RESET, &m, sizeof(m));
    pthread_mutex_unlock(&x->r->lock);
    x->ops->reset(x->inner, kind);
}

static void recording_destroy(struct exec *x)
{
    x->ops->destroy(x->inner);
    free(x);
}

static void recording_info(struct exec *x, struct text *t)
{
    const struct recorder *r = x->r;
    text_add(t, "recording to %s: %llu submissions, %llu pages, %llu bytes%s\n", r->path,
             (unsigned long long)r->submissions, (unsigned long long)r->pages,
             (unsigned long long)recfile_size(r->file), r->ended ? "; ended" : "");
    if (x->ops->info) x->ops->info(x->inner, t);
}

const struct exec_ops exec_recording = {
    .name = "recording",
    .transfer = true,
    .synchronous = true,
    .create = recording_create,
    .submit = recording_submit,
    .reset = recording_reset,
    .destroy = recording_destroy,
    .info = recording_info,
};
