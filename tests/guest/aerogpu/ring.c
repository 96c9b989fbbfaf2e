/* Ring, fences, and everything that is wrong with a submission. See ag.h. */
#include "ag.h"

static volatile struct agpu_ring_header *ring(struct ag *a)
{
    return a->gpu.ring;
}

void ag_first_fence(struct ag *a)
{
    ag_eq(a, "completed after start", gpu_rd64(&a->gpu, AGPU_R_COMPLETED_LO), 0);
    const u64 fence = ag_nop(a, 0);
    ag_true(a, "completes", ag_wait(a, fence, 1000));
    ag_eq(a, "head = tail", ring(a)->head, ring(a)->tail);
    ag_eq(a, "page", gpu_completed(&a->gpu), fence);
    ag_eq(a, "page magic", a->gpu.page->magic, AGPU_FENCE_MAGIC);
    ag_eq(a, "page version", a->gpu.page->abi_version, 0x00010004);
    ag_eq(a, "no error", ag_rd(a, AGPU_R_ERROR_COUNT), 0);
    ag_wr(a, AGPU_R_DOORBELL, 0); /* nothing new */
    ag_eq(a, "still no error", ag_rd(a, AGPU_R_ERROR_COUNT), 0);
}

/* Descriptors by hand; cmd and table as given. */
static struct agpu_descriptor descriptor(struct ag *a)
{
    return (struct agpu_descriptor){ .desc_size_bytes = 64, .context_id = 1, .signal_fence = ++a->gpu.fence };
}

static void queue_and_ring(struct ag *a, const struct agpu_descriptor *d)
{
    gpu_queue(&a->gpu, d);
    ag_wr(a, AGPU_R_DOORBELL, 1);
}

void ag_order(struct ag *a)
{
    const u64 base = gpu_completed(&a->gpu);
    struct agpu_descriptor d = descriptor(a);
    d.signal_fence = a->gpu.fence = base + 10; /* numbers may skip */
    queue_and_ring(a, &d);
    ag_true(a, "gap", ag_wait(a, base + 10, 1000));
    d.signal_fence = base + 5; /* an old one: executed, no effect */
    queue_and_ring(a, &d);
    d.signal_fence = 0;
    queue_and_ring(a, &d);
    ag_eq(a, "never back", gpu_rd64(&a->gpu, AGPU_R_COMPLETED_LO), base + 10);
    d.signal_fence = a->gpu.fence = base + 11; /* the same twice */
    gpu_queue(&a->gpu, &d);
    queue_and_ring(a, &d);
    ag_true(a, "twice", ag_wait(a, base + 11, 1000));
    ag_eq(a, "head = tail", ring(a)->head, ring(a)->tail);
    d.signal_fence = a->gpu.fence = 0x123456789abull; /* 64 bits */
    queue_and_ring(a, &d);
    ag_true(a, "64 bits", ag_wait(a, 0x123456789abull, 1000));
    ag_eq(a, "64 bits in the page", gpu_completed(&a->gpu), 0x123456789abull);
}

void ag_wrap(struct ag *a)
{
    for (u32 k = 0; k < 3 * GPU_RING_ENTRIES + 5; k++) ag_nop(a, 0);
    ag_true(a, "one by one", ag_wait(a, a->gpu.fence, 2000));
    for (u32 burst = 0; burst < 5; burst++) {
        while (ring(a)->head != ring(a)->tail) continue;
        for (u32 k = 0; k < GPU_RING_ENTRIES; k++) { /* a full ring, one doorbell */
            const struct agpu_descriptor d = descriptor(a);
            gpu_queue(&a->gpu, &d);
        }
        ag_wr(a, AGPU_R_DOORBELL, burst);
        ag_true(a, "a full ring", ag_wait(a, a->gpu.fence, 2000));
        ag_eq(a, "head = tail", ring(a)->head, ring(a)->tail);
    }
    ag_eq(a, "no error", ag_rd(a, AGPU_R_ERROR_COUNT), 0);
}

void ag_far_index(struct ag *a)
{
    ring(a)->head = ring(a)->tail = 0xfffffffe;
    for (u32 k = 0; k < 5; k++) ag_nop(a, 0);
    ag_true(a, "completes", ag_wait(a, a->gpu.fence, 1000));
    ag_eq(a, "head", ring(a)->head, 3);
    ag_eq(a, "no error", ag_rd(a, AGPU_R_ERROR_COUNT), 0);
}

/* Submits something wrong, with one good submission behind it, and expects the error at its fence and both fences completed. */
static void expect(struct ag *a, const char *what, struct agpu_descriptor d, u32 code)
{
    const u32 count = ag_rd(a, AGPU_R_ERROR_COUNT), failures = a->failures;
    d.signal_fence = ++a->gpu.fence;
    queue_and_ring(a, &d);
    ag_true(a, "fence completes", ag_wait(a, d.signal_fence, 2000));
    ag_eq(a, "slot consumed", ring(a)->head, ring(a)->tail);
    ag_expect_error(a, code, d.signal_fence, count);
    ag_true(a, "the next one completes", ag_wait(a, ag_nop(a, 0), 1000));
    ag_eq(a, "without an error", ag_rd(a, AGPU_R_ERROR_COUNT) - count, 1);
    if (a->failures != failures) bm_printf(" (%s)", what);
}

/* A descriptor for the words at AT_STREAM + 24 with a good header. */
static struct agpu_descriptor with_words(struct ag *a, const u32 *words, u32 count)
{
    struct agpu_descriptor d = descriptor(a);
    ag_begin(a);
    for (u32 k = 0; k < count; k++) a->s.base[a->s.words++] = words[k];
    d.cmd_size_bytes = stream_end(&a->s);
    d.cmd_gpa = AT_STREAM;
    return d;
}
#define WITH(a, ...) with_words(a, (const u32[]){ __VA_ARGS__ }, sizeof((const u32[]){ __VA_ARGS__ }) / 4)

void ag_descriptors(struct ag *a)
{
    struct agpu_descriptor good = WITH(a, AGPU_NOP, 8), d = good;
    d.desc_size_bytes = 60;
    expect(a, "descriptor size", d, AGPU_E_CMD_DECODE);
    d = good;
    d.cmd_size_bytes = 0;
    expect(a, "address without size", d, AGPU_E_CMD_DECODE);
    d = good;
    d.cmd_gpa = 0;
    expect(a, "size without address", d, AGPU_E_CMD_DECODE);
    d = good;
    d.cmd_size_bytes = 20;
    expect(a, "shorter than a header", d, AGPU_E_CMD_DECODE);
    d = good;
    d.cmd_gpa = 0xfffffffffffffff0ull;
    expect(a, "address overflows", d, AGPU_E_OOB);
    d = good;
    d.cmd_size_bytes = 28;
    expect(a, "stream beyond its window", d, AGPU_E_OOB);
    d = good;
    d.desc_size_bytes = 128; /* of a later version */
    d.flags = 0xfffffffc;
    d.engine_id = 77;
    d.signal_fence = ++a->gpu.fence;
    queue_and_ring(a, &d);
    ag_true(a, "later version completes", ag_wait(a, d.signal_fence, 1000));
    ag_eq(a, "later version without an error", ag_rd(a, AGPU_R_IRQ_STATUS) & AGPU_IRQ_ERROR, 0);
}

void ag_streams(struct ag *a)
{
    u32 *head = (u32 *)(word)AT_STREAM;
    static const struct {
        const char *what;
        u32 words[4], count;
    } bad[] = {
        { "packet of 4 bytes", { AGPU_NOP, 4 }, 2 },
        { "packet of 10 bytes", { AGPU_NOP, 10, 0 }, 3 },
        { "packet beyond the stream", { AGPU_NOP, 16 }, 2 },
        { "half a packet header", { AGPU_NOP, 8, AGPU_NOP }, 3 },
        { "short CLEAR", { AGPU_CLEAR, 16, 1, 0 }, 4 },
    };
    for (unsigned k = 0; k < LEN(bad); k++) expect(a, bad[k].what, with_words(a, bad[k].words, bad[k].count), AGPU_E_CMD_DECODE);
    struct agpu_descriptor d = WITH(a, AGPU_NOP, 8);
    head[0] ^= 1;
    expect(a, "stream magic", d, AGPU_E_CMD_DECODE);
    d = WITH(a, AGPU_NOP, 8);
    head[1] = 0x00020000;
    expect(a, "stream version", d, AGPU_E_CMD_DECODE);
    d = WITH(a, AGPU_NOP, 8);
    head[2] = 30;
    expect(a, "stream size", d, AGPU_E_CMD_DECODE);
    /* legal: unknown opcodes, later minor version, packets longer than we know, markers, an empty stream */
    const u32 count = ag_rd(a, AGPU_R_ERROR_COUNT);
    d = WITH(a, 0x7fe, 16, 1, 2, AGPU_NOP, 12, 5, AGPU_DEBUG_MARKER, 12, 0x6f6c6c65, AGPU_FLUSH, 24, 0, 0, 0, 0);
    head[1] = 0x00010063;
    queue_and_ring(a, &d);
    d = with_words(a, NULL, 0);
    ag_true(a, "skipped", ag_wait(a, a->gpu.fence - 1, 1000));
    queue_and_ring(a, &d);
    ag_true(a, "empty", ag_wait(a, a->gpu.fence, 1000));
    ag_eq(a, "without errors", ag_rd(a, AGPU_R_ERROR_COUNT), count);
    ag_begin(a);
}

void ag_tables(struct ag *a)
{
    struct gpu_table *t = (struct gpu_table *)(word)(AT_SPARE + 0x8000);
    struct agpu_descriptor d = WITH(a, AGPU_NOP, 8);
    d.alloc_table_gpa = (word)t;
    d.alloc_table_size_bytes = sizeof(*t);
    static const struct {
        const char *what;
        u32 word, value, code;
    } bad[] = {
        { "magic", 0, 0, AGPU_E_CMD_DECODE },       { "version", 1, 0x20000, AGPU_E_CMD_DECODE },
        { "size under a header", 2, 20, AGPU_E_CMD_DECODE }, { "size beyond its window", 2, 0x1000, AGPU_E_OOB },
        { "entries beyond its size", 3, 3, AGPU_E_OOB },     { "count overflows", 3, 0xffffffff, AGPU_E_OOB },
        { "stride", 4, 24, AGPU_E_CMD_DECODE },     { "id 0", 6, 0, AGPU_E_CMD_DECODE },
        { "size 0", 10, 0, AGPU_E_CMD_DECODE },     { "end overflows", 9, 0xffffffff, AGPU_E_OOB },
        { "id twice", 14, 7, AGPU_E_CMD_DECODE },
    };
    for (unsigned k = 0; k < LEN(bad); k++) {
        gpu_table_start(t);
        gpu_table_add(t, 7, 0xffffffff00000000ull, 0x10000, 0);
        t->entry[0].gpa = bad[k].word == 9 ? 0xfffff000 : AT_BACK;
        gpu_table_add(t, 8, AT_BACK, 0x10000, 0);
        ((u32 *)t)[bad[k].word] = bad[k].value;
        expect(a, bad[k].what, d, bad[k].code);
    }
    d.alloc_table_size_bytes = 0;
    expect(a, "address without size", d, AGPU_E_CMD_DECODE);
}

void ag_ring_headers(struct ag *a)
{
    static const struct {
        const char *what;
        u32 word, value, code;
    } bad[] = {
        { "magic", 0, 0, AGPU_E_CMD_DECODE },
        { "version", 1, 0x00020004, AGPU_E_CMD_DECODE },
        { "size too small", 2, 1024, AGPU_E_CMD_DECODE },
        { "size beyond the window", 2, 2 * GPU_RING_BYTES, AGPU_E_OOB },
        { "count not a power of two", 3, 48, AGPU_E_CMD_DECODE },
        { "count 0", 3, 0, AGPU_E_CMD_DECODE },
        { "stride", 4, 60, AGPU_E_CMD_DECODE },
    };
    volatile u32 *words = (volatile u32 *)ring(a);
    for (unsigned k = 0; k < LEN(bad); k++) {
        const u32 was = words[bad[k].word], head = ring(a)->head, count = ag_rd(a, AGPU_R_ERROR_COUNT), failures = a->failures;
        const struct agpu_descriptor d = descriptor(a);
        gpu_queue(&a->gpu, &d);
        words[bad[k].word] = bad[k].value;
        ag_wr(a, AGPU_R_DOORBELL, 1);
        ag_expect_error(a, bad[k].code, 0, count);
        ag_eq(a, "head stays", ring(a)->head, head);
        words[bad[k].word] = was;
        ag_wr(a, AGPU_R_DOORBELL, 1);
        ag_true(a, "goes on", ag_wait(a, d.signal_fence, 1000));
        if (a->failures != failures) bm_printf(" (%s)", bad[k].what);
    }
    const u32 count = ag_rd(a, AGPU_R_ERROR_COUNT);
    ring(a)->tail += GPU_RING_ENTRIES + 1;
    ag_wr(a, AGPU_R_DOORBELL, 1);
    ag_expect_error(a, AGPU_E_CMD_DECODE, 0, count);
    ag_eq(a, "head := tail", ring(a)->head, ring(a)->tail);
    ag_true(a, "goes on", ag_wait(a, ag_nop(a, 0), 1000));
}

void ag_reset(struct ag *a)
{
    const u32 page_at = (u32)(word)a->gpu.page;
    struct agpu_descriptor d = descriptor(a);
    d.desc_size_bytes = 8; /* an error to forget */
    queue_and_ring(a, &d);
    ag_wait(a, d.signal_fence, 1000);
    ag_true(a, "there was an error", ag_rd(a, AGPU_R_ERROR_COUNT) != 0);
    d = descriptor(a);
    gpu_queue(&a->gpu, &d); /* without the doorbell: dropped */
    ag_wr(a, AGPU_R_IRQ_ENABLE, AGPU_IRQ_FENCE);
    ag_wr(a, AGPU_R_RING_CONTROL, AGPU_RING_ENABLE | AGPU_RING_RESET);
    ag_eq(a, "completed", gpu_rd64(&a->gpu, AGPU_R_COMPLETED_LO), 0);
    ag_eq(a, "page", gpu_completed(&a->gpu), 0);
    ag_eq(a, "status", ag_rd(a, AGPU_R_IRQ_STATUS), 0);
    ag_eq(a, "error code", ag_rd(a, AGPU_R_ERROR_CODE), 0);
    ag_eq(a, "error count", ag_rd(a, AGPU_R_ERROR_COUNT), 0);
    ag_eq(a, "error fence", gpu_rd64(&a->gpu, AGPU_R_ERROR_FENCE_LO), 0);
    ag_eq(a, "head := tail", ring(a)->head, ring(a)->tail);
    ag_eq(a, "ring stays", ag_rd(a, AGPU_R_RING_GPA_LO), AT_RING);
    ag_eq(a, "page address stays", ag_rd(a, AGPU_R_FENCE_GPA_LO), page_at);
    ag_eq(a, "mask stays", ag_rd(a, AGPU_R_IRQ_ENABLE), AGPU_IRQ_FENCE);
    a->gpu.fence = 0; /* numbers may start anew */
    ag_true(a, "a doorbell right behind it", ag_wait(a, ag_nop(a, 0), 1000));
    ag_wr(a, AGPU_R_RING_CONTROL, 0);
    d = descriptor(a);
    queue_and_ring(a, &d);
    ag_true(a, "disabled: ignored", !ag_wait(a, d.signal_fence, 20));
    ag_wr(a, AGPU_R_RING_CONTROL, AGPU_RING_ENABLE);
    ag_true(a, "and not remembered", !ag_wait(a, d.signal_fence, 20));
    ag_wr(a, AGPU_R_DOORBELL, 1);
    ag_true(a, "taken with the next one", ag_wait(a, d.signal_fence, 1000));
}
