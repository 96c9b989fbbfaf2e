/* An executor on a thread of its own: what the machine thread sees of it, how a full queue makes the device wait, what resets and the end
 * leave. First with an executor of the test's own that waits until it is told, then with the software executor in the device. */
#include "gpu/exec_thread.h"

#include <sched.h>

#include "tests/unit/aerogpu_rig.h"

enum { RAM_SIZE = 64 << 10 };

/* --- the executor of the test's own --- */

struct exec {
    struct exec_host host;
    u64 run[1024], cut; /* tickets in the order in which they ran; how many of them were cut short */
    u32 count, resets;
};

static struct {
    bool open;    /* atomic: batches may finish */
    u32 begun;    /* atomic */
    struct exec *x;
    u32 finished, written; /* what the device's side was told */
    u64 done[1024];
    struct bus mem;
    struct region ram_region;
    u8 *ram;
    struct mailbox mail;
    struct exec *thread;
} t;

static struct exec *slow_create(const struct exec_host *host, struct error *e)
{
    (void)e;
    t.x = xalloc(sizeof(*t.x));
    t.x->host = *host;
    return t.x;
}

/* Writes its ticket where the first word says, waits, and reads it again. */
static void slow_submit(struct exec *x, struct exec_batch *b)
{
    u64 got = 0;
    __atomic_add_fetch(&t.begun, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&t.open, __ATOMIC_ACQUIRE)) {
        if (!__atomic_load_n(x->host.cancel, __ATOMIC_RELAXED)) {
            sched_yield();
            continue;
        }
        x->cut++;
        break;
    }
    u64 at = 0x1000 + b->ticket * 8;
    ck_assert(x->host.write(x->host.opaque, at, &b->ticket, 8));
    ck_assert(x->host.read(x->host.opaque, at, &got, 8));
    ck_assert(!x->host.read(x->host.opaque, 1 << 30, &got, 8));
    ck_assert(!x->host.write(x->host.opaque, RAM_SIZE - 4, &got, 8));
    ck_assert_uint_eq(got, b->ticket);
    x->run[x->count++] = b->ticket;
    x->host.done(x->host.opaque, b);
}

static void slow_reset(struct exec *x, enum exec_reset kind)
{
    (void)kind;
    x->resets++;
}

static void slow_destroy(struct exec *x)
{
    free(x);
    t.x = NULL;
}

static const struct exec_ops slow = {
    .name = "slow", .synchronous = true, .create = slow_create, .submit = slow_submit, .reset = slow_reset, .destroy = slow_destroy
};

static void host_done(void *opaque, struct exec_batch *b)
{
    (void)opaque;
    t.done[t.finished++] = b->ticket;
    exec_batch_free(b);
}

static bool host_scanout(void *opaque, struct exec_scanout *s)
{
    (void)opaque, (void)s;
    return false;
}

static bool host_written(void *opaque, u64 gpa, u64 len)
{
    (void)opaque;
    t.written++;
    dma_written(&t.mem, gpa, len);
    return true;
}

static void setup(void)
{
    memset(&t, 0, sizeof(t));
    bus_init(&t.mem, "memory", 0xffffffffff, false);
    t.ram = aligned_alloc(4096, RAM_SIZE);
    memset(t.ram, 0, RAM_SIZE);
    region_init_ram(&t.ram_region, "ram", RAM_SIZE, t.ram);
    ck_assert_int_eq(bus_map(&t.mem, 0, &t.ram_region, 0, NULL), 0);
    mailbox_init(&t.mail);
    const struct exec_host host = { .done = host_done, .scanout = host_scanout, .written = host_written, .mailbox = &t.mail };
    t.thread = exec_thread_create(&slow, &host, &t.mem, NULL);
}

static void teardown(void)
{
    if (t.thread) {
        exec_threaded.reset(t.thread, EXEC_FORGET_ALL);
        exec_threaded.destroy(t.thread);
    }
    mailbox_fini(&t.mail);
    region_fini(&t.ram_region);
    bus_fini(&t.mem);
    free(t.ram);
}

static void push(u64 ticket, u32 size)
{
    struct exec_batch *b = xalloc(sizeof(*b));
    b->ticket = ticket;
    b->stream.size = size;
    exec_threaded.submit(t.thread, b);
}

static void let_go(void)
{
    __atomic_store_n(&t.open, true, __ATOMIC_RELEASE);
}

static void collect(u32 n)
{
    while (t.finished < n) {
        mailbox_wait(&t.mail, NS_PER_SEC);
        mailbox_drain(&t.mail);
    }
}

START_TEST(submit_returns_at_once_and_order_is_kept)
{
    for (u64 k = 1; k <= 100; k++) push(k, 8);
    while (!__atomic_load_n(&t.begun, __ATOMIC_ACQUIRE)) sched_yield();
    ck_assert_uint_eq(t.finished, 0);
    ck_assert(!exec_threaded.full(t.thread));
    let_go();
    ck_assert_uint_eq(t.finished, 0); /* by mail only */
    collect(100);
    for (u64 k = 1; k <= 100; k++) {
        ck_assert_uint_eq(t.done[k - 1], k);
        ck_assert_uint_eq(t.x->run[k - 1], k);
        ck_assert_uint_eq(ld64(t.ram + 0x1000 + k * 8), k);
    }
}
END_TEST

START_TEST(full_at_256_batches_until_half_are_done)
{
    for (u64 k = 1; k <= 255; k++) push(k, 8);
    ck_assert(!exec_threaded.full(t.thread));
    push(256, 8);
    ck_assert(exec_threaded.full(t.thread));
    let_go();
    u32 seen = 0;
    while (t.finished < 256) {
        mailbox_wait(&t.mail, NS_PER_SEC);
        mailbox_drain(&t.mail);
        ck_assert(exec_threaded.full(t.thread) == (256 - t.finished > 128));
        seen++;
    }
    ck_assert_uint_gt(seen, 0);
}
END_TEST

START_TEST(full_at_64_mib_of_streams)
{
    for (u64 k = 1; k <= 3; k++) push(k, 16 << 20);
    ck_assert(!exec_threaded.full(t.thread));
    push(4, 16 << 20);
    ck_assert(exec_threaded.full(t.thread));
    let_go();
    collect(4);
    ck_assert(!exec_threaded.full(t.thread));
}
END_TEST

/* Dirty flags are the machine thread's: they appear with the completion, not before. */
START_TEST(writes_are_marked_when_they_are_reported)
{
    region_take_dirty(&t.ram_region, 0, RAM_SIZE, NULL);
    let_go();
    push(1, 8);
    push(2, 8);
    while (__atomic_load_n(&t.begun, __ATOMIC_ACQUIRE) < 2) sched_yield();
    ck_assert(!region_take_dirty(&t.ram_region, 0, RAM_SIZE, NULL));
    collect(2);
    ck_assert(region_take_dirty(&t.ram_region, 0x1000, 0x1000, NULL));
    ck_assert(!region_take_dirty(&t.ram_region, 0x2000, 0x1000, NULL));
}
END_TEST

START_TEST(forgetting_drops_what_waits_and_cuts_what_runs)
{
    for (u64 k = 1; k <= 50; k++) push(k, 8);
    while (!__atomic_load_n(&t.begun, __ATOMIC_ACQUIRE)) sched_yield();
    exec_threaded.reset(t.thread, EXEC_FORGET_ALL);
    ck_assert_uint_eq(t.finished, 50); /* the device has all of them back */
    ck_assert_uint_eq(t.x->count, 1);
    ck_assert_uint_eq(t.x->cut, 1);
    ck_assert_uint_eq(t.x->resets, 1);
    mailbox_drain(&t.mail); /* late mail finds nothing */
    ck_assert_uint_eq(t.finished, 50);
    let_go(); /* it goes on with the next ones */
    push(51, 8);
    collect(51);
    ck_assert_uint_eq(t.x->run[1], 51);
    ck_assert_uint_eq(t.x->cut, 1);
}
END_TEST

START_TEST(keeping_objects_works_the_queue_off)
{
    for (u64 k = 1; k <= 50; k++) push(k, 8);
    let_go();
    exec_threaded.reset(t.thread, EXEC_KEEP_OBJECTS);
    ck_assert_uint_eq(t.finished, 50);
    ck_assert_uint_eq(t.x->count, 50);
    ck_assert_uint_eq(t.x->cut, 0);
}
END_TEST

START_TEST(the_end_with_mail_under_way)
{
    let_go();
    for (u64 k = 1; k <= 20; k++) push(k, 8);
    while (__atomic_load_n(&t.begun, __ATOMIC_ACQUIRE) < 10) sched_yield();
    exec_threaded.reset(t.thread, EXEC_FORGET_ALL);
    ck_assert_uint_eq(t.finished, 20);
    exec_threaded.destroy(t.thread);
    t.thread = NULL;
    ck_assert_uint_eq(mailbox_drain(&t.mail), 0);
}
END_TEST

START_TEST(unused_it_has_no_thread_and_info_waits_for_nobody)
{
    struct text s;
    text_init(&s);
    exec_threaded.info(t.thread, &s);
    ck_assert_ptr_nonnull(strstr(s.s, "0 batches"));
    text_free(&s);
}
END_TEST

/* --- in the device --- */

/* The device with a mailbox that is read only when the test does. */
static void gpu_up_threaded(struct gpu *g, bool wait)
{
    bool was = getenv("AEROGPU_THREAD") != NULL;
    setenv("AEROGPU_THREAD", "1", 1);
    gpu_up(g);
    if (!was) unsetenv("AEROGPU_THREAD");
    g->threaded = wait;
}

START_TEST(the_ring_waits_for_a_full_executor)
{
    struct gpu g;
    gpu_up_threaded(&g, false);
    driver_start(&g, AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
    W(&g, AGPU_R_RING_SIZE, 64 + 1024 * 64);
    ring(&g)->entry_count = 1024;
    ring(&g)->size_bytes = 64 + 1024 * 64;
    g.stream_at = FB;
    struct agpu_descriptor d = STREAM_OF(&g, 0, 0, AGPU_NOP, 8);
    for (u64 f = 1; f <= 1000; f++) {
        d.signal_fence = f;
        queue(&g, &d);
    }
    ring_bell(&g);
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 0);
    ck_assert_uint_eq(ring(&g)->head, 256);
    ring_bell(&g); /* does not help */
    ck_assert_uint_eq(ring(&g)->head, 256);
    g.threaded = true;
    settle(&g);
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 1000);
    ck_assert_uint_eq(ring(&g)->head, 1000);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_COUNT), 0);
    gpu_down(&g);
}
END_TEST

/* A device that ends, or is reset, while its ring waits fetches nothing more. */
START_TEST(the_end_while_the_ring_waits)
{
    for (u32 round = 0; round < 4; round++) {
        struct gpu g;
        gpu_up_threaded(&g, false);
        driver_start(&g, AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
        W(&g, AGPU_R_RING_SIZE, 64 + 1024 * 64);
        ring(&g)->entry_count = 1024;
        ring(&g)->size_bytes = 64 + 1024 * 64;
        for (u64 f = 1; f <= 1000; f++) {
            struct agpu_descriptor d = empty(f, 0);
            queue(&g, &d);
        }
        ring_bell(&g);
        ck_assert_uint_eq(ring(&g)->head, 256);
        if (round & 1) {
            W(&g, AGPU_R_RING_CONTROL, AGPU_RING_ENABLE | AGPU_RING_RESET);
            ck_assert_uint_eq(ring(&g)->head, 1000);
            g.threaded = true;
            settle(&g);
            ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 0);
        }
        u32 submissions = (u32)((struct aerogpu *)g.pci)->submissions;
        if (round & 2) g.pci->dev.cls->reset(&g.pci->dev, RESET_COLD);
        ck_assert_uint_eq(((struct aerogpu *)g.pci)->submissions, submissions);
        gpu_down(&g);
    }
}
END_TEST

#define BUFFERS AGPU_CREATE_BUFFER, 40, 10, 1, 4096, 0, 1, 0, 0, 0
#define COPY_BACK AGPU_COPY_BUFFER, 48, 11, 10, 0, 0, 0, 0, 4096, 0, AGPU_COPY_WRITEBACK_DST, 0

/* A buffer of the guest's bytes at CURSOR is copied into the scanout's memory. */
static struct agpu_descriptor copy_into_scanout(struct gpu *g, u64 fence)
{
    const struct agpu_alloc_header h = { AGPU_ALLOC_MAGIC, AGPU_ABI_VERSION, 24 + 64, 2, 32, 0 };
    const struct agpu_alloc_entry e[2] = { { 1, 0, CURSOR, 4096, 0 }, { 2, 0, FB, 4096, 0 } };
    memcpy(ram(g, TABLE), &h, sizeof(h));
    memcpy(ram(g, TABLE + 24), e, sizeof(e));
    struct agpu_descriptor d = STREAM_OF(g, fence, 0, BUFFERS, AGPU_CREATE_BUFFER, 40, 11, 1, 4096, 0, 2, 0, 0, 0, COPY_BACK);
    d.alloc_table_gpa = TABLE;
    d.alloc_table_size_bytes = 24 + 64;
    return d;
}

static u64 fence_seen, pixel_seen;
static void look(void *opaque, int pin, bool level)
{
    struct gpu *g = opaque;
    if (level) {
        fence_seen = fence_page(g)->completed_fence;
        pixel_seen = ld32(ram(g, FB + 4));
    }
    rig_level(&g->r, pin, level);
}

START_TEST(ag_038_168_write_back_lands_before_the_fence)
{
    struct gpu g;
    gpu_up_threaded(&g, false);
    device_connect(&g.r.pci->dev, "pirq", 3, irq_make(look, &g, WIRE));
    driver_start(&g, AGPU_IRQ_FENCE);
    scanout(&g, 16, 16, AGPU_FMT_B8G8R8X8, 64);
    for (u32 n = 0; n < 1024; n++) st32(ram(&g, CURSOR + 4 * n), 0x112200 + n);
    ck_assert_uint_eq(pixel_at(&g, 1, 0), 0);
    ck_assert(!display_refresh(g.display, false));
    submit(&g, copy_into_scanout(&g, 7));
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 0);
    g.threaded = true;
    settle(&g);
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 7);
    ck_assert_uint_eq(fence_seen, 7);
    ck_assert_uint_eq(pixel_seen, 0x112201);
    ck_assert(display_refresh(g.display, false)); /* noticed */
    ck_assert_uint_eq(pixel_at(&g, 1, 0), 0x112201);
    gpu_down(&g);
}
END_TEST

/* RESET, sleep and the device's end, each right behind a load of work; the sanitizers look for late accesses. */
START_TEST(resets_under_load)
{
    for (u32 round = 0; round < 30; round++) {
        struct gpu g;
        gpu_up_threaded(&g, false);
        driver_start(&g, AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
        scanout(&g, 16, 16, AGPU_FMT_B8G8R8X8, 64);
        for (u64 f = 1; f <= 8; f++) {
            struct agpu_descriptor d = copy_into_scanout(&g, f);
            queue(&g, &d);
        }
        ring_bell(&g);
        if (round % 3 == 0) W(&g, AGPU_R_RING_CONTROL, AGPU_RING_ENABLE | AGPU_RING_RESET);
        if (round % 3 == 1) {
            W(&g, AGPU_R_RING_CONTROL, 0);
            W(&g, AGPU_R_RING_GPA_LO, 0);
        }
        if (round % 3 == 2) g.pci->dev.cls->reset(&g.pci->dev, RESET_COLD);
        memset(ram(&g, FB), 0x5a, 4096); /* nobody writes there any more */
        mailbox_drain(&g.mail);
        ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), round % 3 == 2 ? UINT64_MAX : 0);
        for (u32 n = 0; n < 4096; n++) ck_assert_uint_eq(*ram(&g, FB + n), 0x5a);
        gpu_down(&g);
    }
}
END_TEST

START_TEST(a_new_submission_after_reset_runs)
{
    struct gpu g;
    gpu_up_threaded(&g, false);
    driver_start(&g, AGPU_IRQ_FENCE | AGPU_IRQ_ERROR);
    for (u64 f = 1; f <= 5; f++) submit(&g, copy_into_scanout(&g, f));
    W(&g, AGPU_R_RING_CONTROL, AGPU_RING_ENABLE | AGPU_RING_RESET);
    st32(ram(&g, CURSOR), 0xabcdef);
    submit(&g, copy_into_scanout(&g, 6));
    g.threaded = true;
    settle(&g);
    ck_assert_uint_eq(R64(&g, AGPU_R_COMPLETED_LO), 6);
    ck_assert_uint_eq(ld32(ram(&g, FB)), 0xabcdef);
    ck_assert_uint_eq(R(&g, AGPU_R_ERROR_COUNT), 0);
    gpu_down(&g);
}
END_TEST

Suite *aerogpu_thread_suite(void);
Suite *aerogpu_thread_suite(void)
{
    Suite *s = suite_create("aerogpu_thread");
    TCase *c = tcase_create("thread"), *d = tcase_create("device");
    const TTest *tests[] = {
        submit_returns_at_once_and_order_is_kept, full_at_256_batches_until_half_are_done, full_at_64_mib_of_streams,
        writes_are_marked_when_they_are_reported, forgetting_drops_what_waits_and_cuts_what_runs, keeping_objects_works_the_queue_off,
        the_end_with_mail_under_way, unused_it_has_no_thread_and_info_waits_for_nobody,
    };
    const TTest *in_device[] = {
        the_ring_waits_for_a_full_executor, the_end_while_the_ring_waits, ag_038_168_write_back_lands_before_the_fence, resets_under_load, a_new_submission_after_reset_runs,
    };
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_set_timeout(d, 60);
    for (unsigned k = 0; k < LEN(tests); k++) tcase_add_test(c, tests[k]);
    for (unsigned k = 0; k < LEN(in_device); k++) tcase_add_test(d, in_device[k]);
    suite_add_tcase(s, c);
    suite_add_tcase(s, d);
    return s;
}
