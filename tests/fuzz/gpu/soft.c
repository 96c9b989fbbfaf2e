/* Fuzz target: the validator and the software executor together. The input is a sequence of streams
 * (stream.h), executed one after another over 64 KiB of guest memory with the allocation tables
 * below; the executor has 4 MiB for its objects and a small budget for each batch. Memory outside
 * of what a batch's table and the scanout name must not be written, and every batch is reported as
 * done. */
#include <stdlib.h>

#include "gpu/exec.h"
#include "tests/fuzz/gpu/shaders.h"
#include "tests/fuzz/gpu/stream.h"
#include "tests/fuzz/gpu/target.h"

enum { RAM = 64 * KIB, FB = 0xc000, FB_SIZE = 0x1000, BUDGET = 1 << 18, STREAMS = 8 };

static const struct exec_range table_plain[] = { { 1, 0, 0, 0x1000 },
                                                 { 2, 0, 0x1000, 0x2000 },
                                                 { 3, AGPU_ALLOC_READONLY, 0x3000, 0x4000 },
                                                 { 4, 0, 0x2800, 0x1000 },
                                                 { 5, 0, RAM - 0x800, 0x1000 },
                                                 { 6, 0, 1ull << 40, 0x10000 },
                                                 { 7, 0, 0x8000, 0x8000000 } };
static const struct exec_range table_moved[] = { { 1, 0, 0x4000, 0x1000 },
                                                 { 2, AGPU_ALLOC_READONLY, 0x5000, 0x2000 },
                                                 { 4, 0, 0x7000, 0x10 } };

struct host {
    u8 ram[RAM];
    const struct exec_batch *batch;
    u64 ticket;
    bool done, scanout;
};

static struct host host;
static struct exec *exec;

static bool inside(u64 gpa, u64 len)
{
    return len && gpa < RAM && len <= RAM - gpa;
}

static void done(void *opaque, struct exec_batch *b)
{
    (void)opaque;
    must(b == host.batch && !host.done, "a batch is done once");
    must(!b->error || b->reason, "an error has a reason");
    host.done = true;
}

static bool guest_read(void *opaque, u64 gpa, void *buf, u64 len)
{
    (void)opaque;
    if (!inside(gpa, len)) return false;
    memcpy(buf, host.ram + gpa, len);
    return true;
}

static bool guest_write(void *opaque, u64 gpa, const void *buf, u64 len)
{
    bool named = host.scanout && gpa >= FB && gpa + len <= FB + FB_SIZE;
    (void)opaque;
    for (u32 k = 0; k < host.batch->range_count; k++) {
        const struct exec_range *r = &host.batch->ranges[k];
        if (!(r->flags & AGPU_ALLOC_READONLY) && gpa >= r->gpa && gpa - r->gpa <= r->size &&
            len <= r->size - (gpa - r->gpa))
            named = true;
    }
    must(named, "writes go where the table allows them");
    if (!inside(gpa, len)) return false;
    memcpy(host.ram + gpa, buf, len);
    return true;
}

static bool scanout(void *opaque, struct exec_scanout *s)
{
    (void)opaque;
    *s = (struct exec_scanout){ FB, 32, 32, 1, 128 };
    return host.scanout;
}

void target_init(void)
{
    struct error e;
    const struct exec_host h = { .done = done,
                                 .read = guest_read,
                                 .write = guest_write,
                                 .scanout = scanout,
                                 .tuning = { .workers = 1 },
                                 .soft = "memory=4",
                                 .budget = BUDGET };
    exec = exec_soft.create(&h, &e);
    must(exec != NULL, "the executor starts");
}

static void run_stream(const u8 *bytes, u32 size)
{
    struct exec_batch b = { .bytes = (u8 *)bytes, .ticket = ++host.ticket, .fence = host.ticket };
    u8 context = size >= 20 ? bytes[16] : 0, table = size >= 20 ? bytes[17] : 0;
    acmd_parse(&b.stream, bytes, size);
    b.ranges = (struct exec_range *)(table & 2 ? table_moved : table_plain);
    b.range_count = table & 1 ? (table & 2 ? (u32)LEN(table_moved) : (u32)LEN(table_plain)) : 0;
    b.context_id = context & 7;
    host.scanout = table & 4;
    host.batch = &b;
    host.done = false;
    exec_soft.submit(exec, &b);
    must(host.done, "a batch is done when submit returns");
    acmd_free(&b.stream);
}

void target_run(const u8 *data, size_t size)
{
    static u8 copy[1 << 16] __attribute__((aligned(8)));
    memset(host.ram, 0x5a, 256);
    memset(host.ram + 256, 0, RAM - 256);
    for (unsigned n = 0; size >= 4 && n < STREAMS; n++) {
        u32 len = MIN(ld32(data), (u32)size - 4), at = sizeof(copy) - ((len + 3) & ~3u);
        if (len > sizeof(copy)) break;
        memcpy(copy + at, data + 4, len); /* as far behind as alignment lets it */
        run_stream(copy + at, len);
        data += 4 + len;
        size -= 4 + len;
    }
    exec_soft.reset(exec, EXEC_FORGET_ALL);
}

size_t target_seed(unsigned n, u8 *out, size_t cap)
{
    return stream_seed(n, out, cap);
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned seed)
{
    return stream_mutate(data, size, max, seed);
}

size_t LLVMFuzzerCustomCrossOver(const u8 *a, size_t na, const u8 *b, size_t nb, u8 *out,
                                 size_t max, unsigned seed)
{
    return stream_cross(a, na, b, nb, out, max, seed);
}
