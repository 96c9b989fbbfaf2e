/* Runs a synchronous executor on a thread of its own, behind the same interface.
 *
 * submit() puts the batch into a queue and returns; the thread takes batches in order; what it
 * finished comes back by mail to the machine thread, in order, at most one mail under way. When 256
 * batches or 64 MiB of streams are under way the executor says that it is full and the device stops
 * fetching until half of that is done. The thread starts with the first batch; where the host
 * refuses one, batches run on the machine thread.
 *
 * Guest memory: each batch carries the memory map as it was when it was submitted (ram_map: host
 * pointers of all RAM, shared by the batches until the map changes) and the thread reads and writes
 * through it. Written ranges are remembered and marked (dirty flags, translated code) on the
 * machine thread right before the batch is reported as done, which is when the guest may look. The
 * alternative, copies that are written on the machine thread, was measured: a frame of 1920 x 1080
 * pixels costs the machine thread 0.6 ms for the copy and 0.001 ms for the marks. So the pointers
 * are borrowed. They stay valid: RAM and video memory are mapped until the machine goes, and the
 * device, which waits for the thread, goes before. What the guest changes meanwhile it changes for
 * itself, as with a real GPU.
 *
 * Resets: what is forgotten anyway is dropped, the batch that runs is cut short and waited for;
 * with EXEC_KEEP_OBJECTS the queue is worked off first, for at most KEEP_WAIT_NS. Afterwards the
 * thread touches neither guest memory nor a batch. Pausing the machine does not stop the thread;
 * its mail is read then, too. With --clock insn, and where nobody reads the mailbox, the device
 * does not use this file: results are the same, only their time is not.
 *
 * Threads: `lock` guards the queues and `running`; the inner executor belongs to whoever runs a
 * batch, and to the machine thread when none runs. */
#include "gpu/exec_thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "machine/core/bus.h"
#include "machine/core/clock.h"
#include "machine/core/mailbox.h"

enum { MAX_BATCHES = 256, MAX_BYTES = 64 << 20 };
#define KEEP_WAIT_NS (5 * NS_PER_SEC)
#define INFO_WAIT_NS (NS_PER_SEC / 5)
#define MARK_GAP (16 * KIB) /* ranges that close to each other are marked as one */

/* ---- the guest's RAM as host pointers ---- */

struct ram_segment {
    u64 base, last; /* inclusive */
    u8 *rd, *wr;    /* of `base`; NULL: not to be read, written */
};

struct ram_map {
    u32 refs;       /* machine thread */
    u32 generation; /* of the bus */
    u32 count;
    struct ram_segment segments[];
};

static struct ram_map *map_build(struct bus *mem)
{
    u32 generation = __atomic_load_n(&mem->generation, __ATOMIC_RELAXED), count = 0;
    bus_find(mem, 0); /* brings the map up to date */
    struct ram_map *map =
        xalloc(sizeof(*map) + ((size_t)mem->map_len + 1) * sizeof(map->segments[0]));
    for (u64 at = 0;;) {
        const struct bus_range *r = bus_find(mem, at);
        struct ram_segment s = { r->base, r->last, NULL, NULL };
        if (r->rd && r->rd->ram) s.rd = r->rd->ram + (r->base - r->rd->base);
        if (r->wr && r->wr->ram && !r->wr->readonly) s.wr = r->wr->ram + (r->base - r->wr->base);
        if ((s.rd || s.wr) && count < mem->map_len) map->segments[count++] = s;
        if (r->last >= mem->limit) break;
        at = r->last + 1;
    }
    map->count = count;
    map->generation = generation;
    return map;
}

static void map_unref(struct ram_map *map)
{
    if (map && !--map->refs) free(map);
}

/* The segment that holds all of [gpa, gpa + len), or NULL. */
static const struct ram_segment *map_find(const struct ram_map *map, u64 gpa, u64 len)
{
    u32 lo = 0, hi = map->count;
    while (lo < hi) {
        u32 mid = lo + (hi - lo) / 2;
        if (map->segments[mid].last < gpa)
            lo = mid + 1;
        else
            hi = mid;
    }
    const struct ram_segment *s = &map->segments[lo];
    if (!len || lo == map->count || gpa < s->base || len - 1 > s->last - gpa) return NULL;
    return s;
}

/* ---- batches under way ---- */

struct span {
    u64 gpa, len;
};

struct job {
    struct exec_batch *batch;
    struct job *next;
    struct ram_map *map;
    struct exec_scanout scanout; /* when it was submitted */
    bool shown;
    u64 now; /* virtual time then */
    u64 bytes;
    struct span *written; /* by the executor, to be marked */
    u32 count, capacity;
};

struct jobs {
    struct job *first, *last;
};

struct exec {
    const struct exec_ops *ops; /* the inner executor's */
    struct exec *inner;
    struct exec_host host; /* the device's */
    struct bus *mem;
    /* machine thread */
    struct ram_map *map; /* the newest one */
    u32 count;           /* batches under way */
    u64 bytes;           /* of their streams */
    bool full, started, alone;
    u64 batches, dropped, marked; /* since power-on, for `info`; bytes marked */
    u32 most;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    /* under the lock */
    struct jobs todo, finished;
    struct job *running;
    bool mail_sent, stop;
    bool cancel; /* atomic: the inner executor ends its batch early */
};

static void jobs_add(struct jobs *q, struct job *j)
{
    j->next = NULL;
    if (q->first)
        q->last->next = j;
    else
        q->first = j;
    q->last = j;
}

static struct job *jobs_take(struct jobs *q)
{
    struct job *j = q->first;
    if (j) q->first = j->next;
    return j;
}

/* ---- what the inner executor calls, on its thread ---- */

static void inner_done(void *opaque, struct exec_batch *b)
{
    (void)opaque, (void)b; /* submit() is about to return */
}

static bool inner_read(void *opaque, u64 gpa, void *buf, u64 len)
{
    const struct exec *x = opaque;
    const struct ram_segment *s = map_find(x->running->map, gpa, len);
    if (!s || !s->rd) return false;
    memcpy(buf, s->rd + (gpa - s->base), len);
    return true;
}

/* Remembers a written range; rows of one picture become one. */
static void note_written(struct job *j, const struct ram_segment *s, u64 gpa, u64 len)
{
    struct span *last = j->count ? &j->written[j->count - 1] : NULL;
    if (last && gpa >= last->gpa && last->gpa >= s->base &&
        gpa - last->gpa <= last->len + MARK_GAP) {
        last->len = MAX(last->len, gpa + len - last->gpa);
        return;
    }
    if (j->count == j->capacity) {
        j->capacity = j->capacity ? 2 * j->capacity : 8;
        j->written = xrealloc(j->written, j->capacity * sizeof(*j->written));
    }
    j->written[j->count++] = (struct span){ gpa, len };
}

static bool inner_write(void *opaque, u64 gpa, const void *buf, u64 len)
{
    const struct exec *x = opaque;
    const struct ram_segment *s = map_find(x->running->map, gpa, len);
    if (!s || !s->wr) return false;
    memcpy(s->wr + (gpa - s->base), buf, len);
    note_written(x->running, s, gpa, len);
    return true;
}

static bool inner_scanout(void *opaque, struct exec_scanout *s)
{
    const struct exec *x = opaque;
    *s = x->running->scanout;
    return x->running->shown;
}

/* The executor wrote there by itself. */
static bool inner_written(void *opaque, u64 gpa, u64 len)
{
    const struct exec *x = opaque;
    const struct ram_segment *s = map_find(x->running->map, gpa, len);
    if (!s || !s->wr) return false;
    note_written(x->running, s, gpa, len);
    return true;
}

/* ---- completion, on the machine thread ---- */

static void complete(struct exec *x, struct job *j)
{
    for (u32 k = 0; k < j->count; k++) {
        x->host.written(x->host.opaque, j->written[k].gpa, j->written[k].len);
        x->marked += j->written[k].len;
    }
    x->count--;
    x->bytes -= j->bytes;
    map_unref(j->map);
    free(j->written);
    struct exec_batch *b = j->batch;
    free(j);
    x->host.done(x->host.opaque, b);
}

static void complete_all(struct exec *x, struct jobs q)
{
    for (struct job *j; (j = jobs_take(&q));) complete(x, j);
}

static void deliver(void *opaque, u64 a, u64 b)
{
    struct exec *x = opaque;
    (void)a, (void)b;
    pthread_mutex_lock(&x->lock);
    struct jobs q = x->finished;
    x->finished.first = NULL;
    x->mail_sent = false;
    pthread_mutex_unlock(&x->lock);
    complete_all(x, q);
}

/* ---- the thread ---- */

/* Under the lock. */
static void finish(struct exec *x, struct job *j)
{
    bool post = !x->mail_sent;
    x->running = NULL;
    jobs_add(&x->finished, j);
    x->mail_sent = true;
    if (post) mailbox_post(x->host.mailbox, (struct mail){ deliver, x, 0, 0 });
    pthread_cond_broadcast(&x->idle);
}

static void *work(void *opaque)
{
    struct exec *x = opaque;
    pthread_mutex_lock(&x->lock);
    while (!x->stop) {
        struct job *j = jobs_take(&x->todo);
        if (!j) {
            pthread_cond_wait(&x->work, &x->lock);
            continue;
        }
        x->running = j;
        pthread_mutex_unlock(&x->lock);
        clock_stamp_thread(j->now);
        x->ops->submit(x->inner, j->batch);
        pthread_mutex_lock(&x->lock);
        finish(x, j);
    }
    pthread_mutex_unlock(&x->lock);
    return NULL;
}

/* Signals are for the other threads. */
static void start(struct exec *x)
{
    sigset_t all, old;
    x->started = true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    x->alone = pthread_create(&x->thread, NULL, work, x) != 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* ---- the interface ---- */

struct exec *exec_thread_create(const struct exec_ops *inner, const struct exec_host *host,
                                struct bus *mem, struct error *e)
{
    struct exec *x = xalloc(sizeof(*x));
    struct exec_host below = *host;
    x->ops = inner;
    x->host = *host;
    x->mem = mem;
    below.opaque = x;
    below.done = inner_done;
    below.read = inner_read;
    below.write = inner_write;
    below.scanout = inner_scanout;
    below.written = inner_written;
    below.clock = NULL; /* the machine thread's */
    below.cancel = &x->cancel;
    x->inner = inner->create(&below, e);
    if (!x->inner) {
        free(x);
        return NULL;
    }
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&x->lock, NULL);
    pthread_cond_init(&x->work, NULL);
    pthread_cond_init(&x->idle, &attr);
    pthread_condattr_destroy(&attr);
    return x;
}

static struct ram_map *current_map(struct exec *x)
{
    if (!x->map || x->map->generation != __atomic_load_n(&x->mem->generation, __ATOMIC_RELAXED) ||
        x->mem->stale) {
        map_unref(x->map);
        x->map = map_build(x->mem);
        x->map->refs = 1;
    }
    x->map->refs++;
    return x->map;
}

static void thread_submit(struct exec *x, struct exec_batch *b)
{
    struct job *j = xalloc(sizeof(*j));
    j->batch = b;
    j->map = current_map(x);
    j->shown = x->host.scanout(x->host.opaque, &j->scanout);
    j->now = x->host.clock ? clock_now(x->host.clock) : 0;
    j->bytes = b->stream.size;
    x->count++;
    x->most = MAX(x->most, x->count);
    x->bytes += j->bytes;
    x->batches++;
    if (!x->started) start(x);
    if (x->alone) {
        x->running = j;
        x->ops->submit(x->inner, b);
        x->running = NULL;
        complete(x, j);
        return;
    }
    pthread_mutex_lock(&x->lock);
    jobs_add(&x->todo, j);
    pthread_cond_signal(&x->work);
    pthread_mutex_unlock(&x->lock);
}

static bool thread_full(struct exec *x)
{
    if (x->count >= MAX_BATCHES || x->bytes >= MAX_BYTES) x->full = true;
    if (x->count <= MAX_BATCHES / 2 && x->bytes <= MAX_BYTES / 2) x->full = false;
    return x->full;
}

/* Under the lock: waits until no batch runs, and none waits if `all`, for at most ns of host time.
 */
static void wait_idle(struct exec *x, bool all, u64 ns)
{
    u64 at = clock_host_ns() + ns;
    struct timespec ts = { (time_t)(at / NS_PER_SEC), (long)(at % NS_PER_SEC) };
    while (x->running || (all && x->todo.first)) {
        if (pthread_cond_timedwait(&x->idle, &x->lock, &ts)) break;
    }
}

static void thread_reset(struct exec *x, enum exec_reset kind)
{
    pthread_mutex_lock(&x->lock);
    if (kind == EXEC_KEEP_OBJECTS) wait_idle(x, true, KEEP_WAIT_NS);
    struct jobs dropped = x->todo;
    x->todo.first = NULL;
    __atomic_store_n(&x->cancel, true, __ATOMIC_RELAXED);
    while (x->running) wait_idle(x, false, NS_PER_SEC);
    __atomic_store_n(&x->cancel, false, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&x->lock);
    deliver(x, 0, 0);
    for (const struct job *j = dropped.first; j; j = j->next) x->dropped++;
    complete_all(x, dropped);
    x->full = false;
    x->ops->reset(x->inner, kind);
}

static void thread_destroy(struct exec *x)
{
    check(!x->count); /* reset comes first, and nothing after it */
    pthread_mutex_lock(&x->lock);
    x->stop = true;
    pthread_cond_signal(&x->work);
    pthread_mutex_unlock(&x->lock);
    if (x->started && !x->alone) pthread_join(x->thread, NULL);
    mailbox_forget(x->host.mailbox, x);
    x->ops->destroy(x->inner);
    map_unref(x->map);
    pthread_cond_destroy(&x->work);
    pthread_cond_destroy(&x->idle);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

static void thread_info(struct exec *x, struct text *t)
{
    text_add(t,
             "executor thread: %llu batches, %u under way with %llu bytes, at most %u; %llu "
             "dropped, %llu bytes of guest memory written%s\n",
             (unsigned long long)x->batches, x->count, (unsigned long long)x->bytes, x->most,
             (unsigned long long)x->dropped, (unsigned long long)x->marked,
             x->alone ? "; the host refuses a thread" : "");
    if (!x->ops->info) return;
    pthread_mutex_lock(&x->lock);
    wait_idle(x, false, INFO_WAIT_NS);
    if (x->running)
        text_add(t, "executor: busy\n");
    else
        x->ops->info(x->inner, t);
    pthread_mutex_unlock(&x->lock);
}

const struct exec_ops exec_threaded = {
    .name = "thread",
    .transfer = true,
    .submit = thread_submit,
    .full = thread_full,
    .reset = thread_reset,
    .destroy = thread_destroy,
    .info = thread_info,
};
