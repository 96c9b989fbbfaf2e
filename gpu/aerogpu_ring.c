/* AeroGPU's ring: descriptors, streams and allocation tables are fetched into private copies,
 * checked once, and handed to the executor; fences are published in submission order. Nothing that
 * the guest writes here is trusted twice, and every error completes its fence. Document: the
 * contract's part "ring". Decisions where it leaves a choice: head is written once per doorbell,
 * the fence page after each; streams are validated under every executor. */
#include <stdio.h>
#include <stdlib.h>

#include "gpu/aerogpu_dev.h"
#include "gpu/exec_thread.h"
#include "machine/core/trace.h"

/* ---- publishing ---- */

static struct agpu_fence *entry(struct aerogpu *g, u32 n)
{
    return &g->queue[(g->first + n) % AGPU_QUEUE];
}

static void write_fence_page(struct aerogpu *g)
{
    struct agpu_fence_page page = { AGPU_FENCE_MAGIC, AGPU_ABI_VERSION, g->completed, { 0 } };
    if (!g->fence_gpa || g->fence_gpa + sizeof(page) < g->fence_gpa) return;
    if (!agpu_master(g)) {
        g->page_pending = true;
        return;
    }
    g->page_pending = false;
    /* The identification first; the fence by one aligned store where the guest's page allows one.
     */
    pci_dma_write(&g->pci, g->fence_gpa, &page, 8);
    pci_dma_write(&g->pci, g->fence_gpa + 8, &page.completed_fence, 8);
}

void agpu_publish(struct aerogpu *g, unsigned paced)
{
    u64 before = g->completed;
    bool irq = false;
    /* While bus mastering is off nothing can be told through memory, so it waits. */
    if (!agpu_master(g) || g->submitting) return;
    while (g->queued) {
        struct agpu_fence *f = entry(g, 0);
        if (f->running || (f->paced && !paced)) break;
        if (f->paced) paced--;
        if (f->value > g->completed) {
            g->completed = f->value;
            irq |= f->irq;
        }
        g->first = (g->first + 1) % AGPU_QUEUE;
        g->queued--;
    }
    if (g->completed == before) return;
    TRACE(aerogpu_fence, g->completed, irq, g->queued, 0);
    write_fence_page(g);
    if (irq && g->irq_enable & AGPU_IRQ_FENCE) g->irq_status |= AGPU_IRQ_FENCE;
    agpu_update_irq(g);
}

void agpu_release_paced(struct aerogpu *g)
{
    for (u32 k = 0; k < g->queued; k++) entry(g, k)->paced = false;
    agpu_publish(g, 0);
}

/* ---- the executor's side ---- */

/* Whether the ring has to wait for the executor. A queue that is full of fences which wait for
 * vertical blanks alone is the driver's doing. */
static bool executor_full(struct aerogpu *g)
{
    if (!g->ops->full) return false;
    return g->ops->full(g->exec) || (g->queued == AGPU_QUEUE && entry(g, g->queued - 1)->running);
}

static void batch_done(void *opaque, struct exec_batch *b)
{
    struct aerogpu *g = opaque;
    for (u32 k = 0; k < g->queued; k++) {
        struct agpu_fence *f = entry(g, k);
        if (b->ticket > f->ticket) continue; /* of a later entry */
        if (f->running) f->running--;
        if (b->error) agpu_error(g, b->error, b->fence, b->reason);
        break;
    }
    /* not found: a reset dropped it */
    exec_batch_free(b);
    agpu_publish(g, 0);
    if (g->stalled && !executor_full(g)) agpu_doorbell(g);
}

static bool guest_read(void *opaque, u64 gpa, void *buf, u64 len)
{
    struct aerogpu *g = opaque;
    const u8 *p = len ? dma_map(g->pci.dev.host->mem, gpa, len, false) : NULL;
    if (p) memcpy(buf, p, len);
    return p != NULL;
}

static bool guest_write(void *opaque, u64 gpa, const void *buf, u64 len)
{
    struct aerogpu *g = opaque;
    struct bus *mem = g->pci.dev.host->mem;
    u8 *p = len ? dma_map(mem, gpa, len, true) : NULL;
    if (!p) return false;
    memcpy(p, buf, len);
    dma_written(mem, gpa, len);
    return true;
}

static bool guest_written(void *opaque, u64 gpa, u64 len)
{
    struct bus *mem = ((struct aerogpu *)opaque)->pci.dev.host->mem;
    if (!len || !dma_map(mem, gpa, len, true)) return false;
    dma_written(mem, gpa, len);
    return true;
}

/* ---- fetching one submission ---- */

/* Reads all of [gpa, gpa + len) into new memory; NULL with *error set. */
static u8 *fetch(struct aerogpu *g, u64 gpa, u64 len, u64 cap, enum agpu_error *error)
{
    *error = AGPU_E_OOB;
    if (gpa + len < gpa || len > cap) return NULL;
    u8 *p = malloc(len);
    if (!p || !guest_read(g, gpa, p, len)) {
        free(p);
        return NULL;
    }
    *error = AGPU_E_NONE;
    return p;
}

static int by_id(const void *a, const void *b)
{
    u32 x = ((const struct exec_range *)a)->alloc_id, y = ((const struct exec_range *)b)->alloc_id;
    return x < y ? -1 : x > y;
}

static enum agpu_error fill_ranges(struct exec_batch *b, const u8 *table,
                                   const struct agpu_alloc_header *h)
{
    b->ranges = xalloc(h->entry_count * sizeof(*b->ranges));
    for (u32 k = 0; k < h->entry_count; k++) {
        struct agpu_alloc_entry e;
        memcpy(&e, table + sizeof(*h) + (size_t)k * h->entry_stride_bytes, sizeof(e));
        if (!e.alloc_id || !e.size_bytes) return AGPU_E_CMD_DECODE;
        if (e.gpa + e.size_bytes < e.gpa) return AGPU_E_OOB;
        b->ranges[k] = (struct exec_range){ e.alloc_id, e.flags, e.gpa, e.size_bytes };
    }
    b->range_count = h->entry_count;
    qsort(b->ranges, b->range_count, sizeof(*b->ranges), by_id);
    for (u32 k = 1; k < b->range_count; k++) {
        if (b->ranges[k].alloc_id == b->ranges[k - 1].alloc_id) return AGPU_E_CMD_DECODE;
    }
    return AGPU_E_NONE;
}

static enum agpu_error fetch_table(struct aerogpu *g, const struct agpu_descriptor *d,
                                   struct exec_batch *b)
{
    struct agpu_alloc_header h;
    enum agpu_error error;
    u32 window = d->alloc_table_size_bytes;
    if (!d->alloc_table_gpa && !window) return AGPU_E_NONE;
    if (!d->alloc_table_gpa || !window) return AGPU_E_CMD_DECODE;
    if (d->alloc_table_gpa + window < d->alloc_table_gpa) return AGPU_E_OOB;
    if (window < sizeof(h)) return AGPU_E_CMD_DECODE;
    u8 *table = fetch(g, d->alloc_table_gpa, window, AGPU_MAX_ALLOC_TABLE, &error);
    if (!table) return error;
    memcpy(&h, table, sizeof(h));
    if (h.magic != AGPU_ALLOC_MAGIC || h.abi_version >> 16 != AGPU_ABI_MAJOR ||
        h.size_bytes < sizeof(h) || h.entry_stride_bytes < sizeof(struct agpu_alloc_entry))
        error = AGPU_E_CMD_DECODE;
    else if (h.size_bytes > window ||
             sizeof(h) + (u64)h.entry_count * h.entry_stride_bytes > h.size_bytes)
        error = AGPU_E_OOB;
    else if (h.entry_count)
        error = fill_ranges(b, table, &h);
    free(table);
    return error;
}

static enum agpu_error fetch_stream(struct aerogpu *g, const struct agpu_descriptor *d,
                                    struct exec_batch *b)
{
    enum agpu_error error;
    if (!d->cmd_gpa && !d->cmd_size_bytes) return AGPU_E_NONE;
    if (!d->cmd_gpa || !d->cmd_size_bytes) return AGPU_E_CMD_DECODE;
    if (d->cmd_gpa + d->cmd_size_bytes < d->cmd_gpa) return AGPU_E_OOB;
    if (d->cmd_size_bytes < sizeof(struct agpu_stream_header)) return AGPU_E_CMD_DECODE;
    /* The window may be much larger than the stream in it: the header says how much is worth
     * copying. */
    struct agpu_stream_header h;
    if (!guest_read(g, d->cmd_gpa, &h, sizeof(h))) return AGPU_E_OOB;
    u32 size = h.size_bytes < sizeof(h) ? (u32)sizeof(h) : MIN(h.size_bytes, d->cmd_size_bytes);
    b->bytes = fetch(g, d->cmd_gpa, size, AGPU_MAX_STREAM, &error);
    if (!b->bytes) return error;
    acmd_parse(&b->stream, b->bytes, size);
    g->dropped_packets += b->stream.dropped;
    g->unknown_packets += b->stream.unknown;
    if (b->stream.dropped)
        LOG_GUEST("aerogpu", "%u packets without effect: %s", b->stream.dropped, b->stream.reason);
    return b->stream.error;
}

/* ---- accepting ---- */

/* The queue entry of a new submission: that of the one before when both name the same fence, or
 * when it names none and so has nothing to tell and nothing to pace. */
static struct agpu_fence *enqueue(struct aerogpu *g, u64 value)
{
    if (g->queued) {
        struct agpu_fence *last = entry(g, g->queued - 1);
        if (last->value == value || !value) return last;
    }
    if (g->queued == AGPU_QUEUE) return NULL;
    struct agpu_fence *f = entry(g, g->queued++);
    *f = (struct agpu_fence){ .value = value };
    return f;
}

static void trace_batch(const struct exec_batch *b)
{
    struct text t;
    if (likely(!trace_on[EV_aerogpu_packet])) return;
    text_init(&t);
    for (u32 k = 0; k < b->stream.count; k++) {
        text_clear(&t);
        acmd_describe(&b->stream, &b->stream.packets[k], &t);
        t.s[t.len - 1] = 0; /* the end of the line is the trace's */
        TRACE_TEXT(aerogpu_packet, b->ticket, b->context_id, 0, 0, t.s);
    }
    text_free(&t);
}

static void accept(struct aerogpu *g, const struct agpu_descriptor *d)
{
    struct exec_batch *b = xalloc(sizeof(*b));
    enum agpu_error error = d->desc_size_bytes < sizeof(*d) ? AGPU_E_CMD_DECODE : AGPU_E_NONE;
    const char *why = "descriptor size";
    if (!error) {
        why = "allocation table";
        error = fetch_table(g, d, b);
    }
    if (!error) {
        error = fetch_stream(g, d, b);
        why = b->stream.reason ? b->stream.reason : "stream address";
    }
    g->submissions++;
    g->activity = clock_now(g->pci.dev.host->clock);
    TRACE(aerogpu_submit, d->signal_fence, d->context_id, d->cmd_size_bytes, error);
    struct agpu_fence *f = enqueue(g, d->signal_fence);
    if (!f) { /* an executor that is 256 submissions behind: this one is not executed */
        agpu_error(g, AGPU_E_BACKEND, d->signal_fence, "more than 256 submissions waiting");
        f = entry(g, g->queued - 1);
        f->value = MAX(f->value, d->signal_fence);
        exec_batch_free(b);
        return;
    }
    f->ticket = ++g->tickets;
    f->irq |= !(d->flags & AGPU_SUBMIT_NO_IRQ) && d->signal_fence;
    f->paced |= d->signal_fence && g->vblank && g->scan.enable && b->stream.vsync && !error;
    if (error) agpu_error(g, error, d->signal_fence, why);
    if (error && !b->stream.count) { /* nothing to execute */
        exec_batch_free(b);
        return;
    }
    b->context_id = d->context_id;
    b->flags = d->flags;
    b->fence = d->signal_fence;
    b->ticket = f->ticket;
    b->time_ns = g->activity;
    f->running++;
    trace_batch(b);
    g->ops->submit(g->exec, b);
}

/* ---- the doorbell ---- */

/* head := tail, where those words can be reached. */
static void skip_to_tail(struct aerogpu *g)
{
    u32 tail;
    const u64 head_at = g->ring_gpa + offsetof(struct agpu_ring_header, head);
    if (head_at + 8 < g->ring_gpa) return;
    if (guest_read(g, head_at + 4, &tail, 4)) guest_write(g, head_at, &tail, 4);
}

/* Why the header is unusable, or NULL; *code says how it is reported. */
static const char *check_ring(const struct aerogpu *g, const struct agpu_ring_header *h,
                              enum agpu_error *code)
{
    *code = AGPU_E_CMD_DECODE;
    if (h->magic != AGPU_RING_MAGIC) return "ring magic";
    if (h->abi_version >> 16 != AGPU_ABI_MAJOR) return "ring version";
    if (!h->entry_count || h->entry_count & (h->entry_count - 1)) return "ring entry count";
    if (h->entry_stride_bytes < sizeof(struct agpu_descriptor)) return "ring stride";
    if (sizeof(*h) + (u64)h->entry_count * h->entry_stride_bytes > h->size_bytes)
        return "ring entries beyond its size";
    *code = AGPU_E_OOB;
    return h->size_bytes > g->ring_size ? "ring larger than its window" : NULL;
}

/* One doorbell takes a bounded bite; what is left follows after a moment, so that a ring of
 * millions of descriptors does not stop the machine. The driver's ring has 256. */
enum { BITE_DESCRIPTORS = 1024, BITE_BYTES = 128 << 20, BITE_PAUSE_NS = 100000 };

static void consume(struct aerogpu *g, const struct agpu_ring_header *h)
{
    u32 index = h->head, taken = 0;
    u64 bytes = 0;
    g->submitting = true;
    for (; index != h->tail && taken < BITE_DESCRIPTORS && bytes < BITE_BYTES; index++, taken++) {
        struct agpu_descriptor d;
        g->stalled = executor_full(g);
        if (g->stalled) break;
        u64 at =
            g->ring_gpa + sizeof(*h) + (u64)(index & (h->entry_count - 1)) * h->entry_stride_bytes;
        if (!guest_read(g, at, &d, sizeof(d))) {
            agpu_error(g, AGPU_E_OOB, 0, "descriptor outside memory");
            continue;
        }
        bytes += (u64)d.cmd_size_bytes + d.alloc_table_size_bytes;
        accept(g, &d);
    }
    g->submitting = false;
    guest_write(g, g->ring_gpa + offsetof(struct agpu_ring_header, head), &index, 4);
    if (index != h->tail && !g->stalled)
        timer_set(&g->resume_timer, clock_now(g->pci.dev.host->clock) + BITE_PAUSE_NS);
}

static void resume(void *opaque)
{
    agpu_doorbell(opaque);
}

void agpu_doorbell(struct aerogpu *g)
{
    struct agpu_ring_header h;
    enum agpu_error code;
    g->stalled = false;
    if (!(g->ring_control & AGPU_RING_ENABLE)) return;
    if (!agpu_master(g)) {
        g->doorbell_pending = true;
        return;
    }
    g->doorbell_pending = false;
    agpu_vblank_run(g, false); /* an edge that is due already paces nothing that comes now */
    if (!g->ring_gpa || !g->ring_size) {
        agpu_error(g, AGPU_E_CMD_DECODE, 0, "doorbell without a ring");
        return;
    }
    if (g->ring_gpa + g->ring_size < g->ring_gpa || g->ring_gpa + sizeof(h) < g->ring_gpa) {
        skip_to_tail(g);
        agpu_error(g, AGPU_E_OOB, 0, "ring address overflows");
        return;
    }
    if (!guest_read(g, g->ring_gpa, &h, sizeof(h))) {
        agpu_error(g, AGPU_E_CMD_DECODE, 0, "ring outside memory");
        return;
    }
    const char *why = check_ring(g, &h, &code);
    if (why) {
        agpu_error(g, code, 0, why);
        return;
    }
    if (h.tail - h.head > h.entry_count) {
        skip_to_tail(g);
        agpu_error(g, AGPU_E_CMD_DECODE, 0, "ring tail too far ahead");
        return;
    }
    TRACE(aerogpu_doorbell, h.head, h.tail, g->completed, 0);
    if (h.head != h.tail) consume(g, &h);
    agpu_publish(g, 0);
    write_fence_page(g);
}

/* ---- resets ---- */

/* Steps 1 to 3 of a ring reset: what does not touch memory. */
static void forget(struct aerogpu *g, enum exec_reset kind)
{
    g->first = g->queued = 0; /* first: what the executor still finishes finds no entry */
    g->doorbell_pending = g->page_pending = g->stalled = false;
    timer_cancel(&g->resume_timer);
    g->ops->reset(g->exec, kind);
    g->completed = 0;
    g->irq_status = 0;
    g->error_code = g->error_count = 0;
    g->error_fence = 0;
    agpu_update_irq(g);
}

static void reset_memory(struct aerogpu *g)
{
    g->reset_pending = false;
    if (g->ring_gpa) {
        if (g->ring_gpa + sizeof(struct agpu_ring_header) < g->ring_gpa)
            agpu_error(g, AGPU_E_OOB, 0, "ring address overflows");
        else
            skip_to_tail(g);
    }
    write_fence_page(g);
}

void agpu_ring_reset(struct aerogpu *g)
{
    forget(g, g->powered_down ? EXEC_KEEP_OBJECTS : EXEC_FORGET_ALL);
    g->powered_down = false;
    if (agpu_master(g))
        reset_memory(g);
    else
        g->reset_pending = true;
}

/* A driver that stops, or goes to sleep, switches the ring off and zeroes its address, and does not
 * reset it. Its fences may begin anew at 1, which must not count as completed long ago. */
void agpu_ring_power_down(struct aerogpu *g)
{
    forget(g, EXEC_KEEP_OBJECTS);
    g->powered_down = true;
}

/* Back from sleep a driver resets the ring. One that does without has just been loaded: objects and
 * share tokens of the one before mean nothing to it, and it may stop again. */
void agpu_ring_start(struct aerogpu *g)
{
    if (!g->powered_down) return;
    g->powered_down = false;
    g->ops->reset(g->exec, EXEC_FORGET_ALL);
}

void agpu_ring_forget(struct aerogpu *g)
{
    forget(g, EXEC_FORGET_ALL);
    g->reset_pending = g->powered_down = false;
}

void agpu_master_on(struct aerogpu *g)
{
    if (g->reset_pending) reset_memory(g);
    agpu_publish(g, 0);
    if (g->page_pending) write_fence_page(g);
    if (g->doorbell_pending) agpu_doorbell(g);
}

void agpu_timers_init(struct aerogpu *g)
{
    timer_init(&g->resume_timer, g->pci.dev.host->clock, "aerogpu ring", resume, g);
    agpu_vblank_init(g);
}

/* Puts the recorder around the executor: it has to be there first, and to work where the executor
 * does. */
static int init_recording(struct aerogpu *g, struct exec_host *host, struct error *e)
{
    if (g->ops == &exec_bridge)
        return error_set(e, "record: what another process executes cannot be recorded; use "
                            "exec=soft");
    g->recorder = recorder_open(g->record, host->guest_ram, host->clock, e);
    if (!g->recorder) return -1;
    host->recorder = g->recorder;
    host->recorded = g->ops;
    g->ops = &exec_recording;
    return 0;
}

void agpu_record_scanout(struct aerogpu *g)
{
    const struct exec_host host = { .opaque = g, .read = guest_read, .scanout = agpu_scan_get };
    if (g->recorder) recorder_scanout(g->recorder, &host);
}

int agpu_ring_init(struct aerogpu *g, struct error *e)
{
    const struct host_if *services = g->pci.dev.host;
    struct exec_host host = {
        .opaque = g,
        .done = batch_done,
        .read = guest_read,
        .write = guest_write,
        .scanout = agpu_scan_get,
        .written = guest_written,
        .clock = services->clock,
        .mailbox = services->mailbox,
        .guest_ram = services->guest_ram,
        .socket = g->socket,
        .tuning = { .workers = g->workers, .no_fast_paths = !g->fast },
        .soft = g->soft,
    };
    g->ops = exec_find(g->exec_name);
    if (!g->ops)
        return error_set(e, "unknown executor \"%s\": use soft, none or bridge", g->exec_name);
    g->exec_label = g->ops->name;
    g->transfer = g->ops->transfer;
    if (g->record && *g->record && init_recording(g, &host, e)) return -1;
    if (g->threaded && g->ops->synchronous && services->mailbox &&
        services->clock->mode != CLOCK_INSN) {
        g->exec = exec_thread_create(g->ops, &host, services->mem, e);
        g->ops = &exec_threaded;
    } else {
        g->exec = g->ops->create(&host, e);
    }
    return g->exec ? 0 : -1;
}

void agpu_ring_fini(struct aerogpu *g)
{
    if (g->exec) {
        timer_cancel(&g->resume_timer);
        g->stalled = false; /* nobody fetches any more */
        g->first = g->queued = 0;
        g->ops->reset(g->exec, EXEC_FORGET_ALL);
        g->ops->destroy(g->exec);
    }
    recorder_close(g->recorder);
}
