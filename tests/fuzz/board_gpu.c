/* See board_gpu.h. Streams are those of the fuzz targets of AeroGPU (gpu/stream.h) as they are:
 * what is in them is varied there. */
#include "tests/fuzz/board_gpu.h"

#include <stdio.h>
#include <stdlib.h>

#include "gpu/aerogpu_abi.h"
#include "tests/fuzz/gpu/stream.h"
#include "tests/fuzz/gpu/target.h"

enum { RING = 0x180000, FENCE = 0x182000, TABLE = 0x183000, STREAM = 0x184000, FB = 0x190000 };

_Noreturn void must_failed(const char *text)
{
    fprintf(stderr, "fuzz: must be: %s\n", text);
    abort();
}

/* stream.c can mutate; nothing here asks it to. */
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max)
{
    (void)data, (void)max;
    return size;
}

static void reg(struct machine *m, u32 offset, u32 v)
{
    bus_write(&m->mem, BOARD_GPU_REGS + offset, v, 4);
}

static u64 place(struct rng *r, u64 usual, u64 gpa)
{
    return one_in(r, 12) ? gpa : usual;
}

static void start_ring(struct rng *r, struct machine *m, u64 gpa)
{
    struct agpu_ring_header h = {
        AGPU_RING_MAGIC, AGPU_ABI_VERSION, 0x1000, 16, 64, 0, 0, 0, { 0 }
    };
    h.head = h.tail = (u32)rnd_value(r);
    if (one_in(r, 12)) h.entry_count = (u32)rnd_value(r);
    if (one_in(r, 12)) h.size_bytes = (u32)rnd_value(r);
    u64 ring = place(r, RING, gpa);
    dma_write(&m->mem, ring, &h, sizeof(h));
    reg(m, AGPU_R_RING_GPA_LO, (u32)ring);
    reg(m, AGPU_R_RING_GPA_HI, (u32)(ring >> 32));
    reg(m, AGPU_R_RING_SIZE, one_in(r, 12) ? (u32)rnd_value(r) : 0x1000);
    reg(m, AGPU_R_FENCE_GPA_LO, (u32)place(r, FENCE, gpa));
    reg(m, AGPU_R_FENCE_GPA_HI, 0);
    reg(m, AGPU_R_RING_CONTROL, one_in(r, 4) ? rnd(r, 4) : AGPU_RING_ENABLE);
    reg(m, AGPU_R_IRQ_ENABLE, one_in(r, 4) ? (u32)rnd_value(r) : 0x80000003);
}

static void table(struct rng *r, struct machine *m, struct agpu_descriptor *d, u64 gpa)
{
    u8 bytes[24 + 8 * 32] = { 0 };
    const struct agpu_alloc_header h = {
        AGPU_ALLOC_MAGIC, AGPU_ABI_VERSION, sizeof(bytes), 8, 32, 0
    };
    memcpy(bytes, &h, sizeof(h));
    for (u32 k = 0; k < 8; k++) {
        struct agpu_alloc_entry e = { k + 1, one_in(r, 4), place(r, FB + k * 0x2000, gpa), 0x2000,
                                      0 };
        if (one_in(r, 16)) e.size_bytes = rnd_value(r);
        memcpy(bytes + 24 + k * 32, &e, sizeof(e));
    }
    d->alloc_table_gpa = place(r, TABLE, gpa);
    d->alloc_table_size_bytes = sizeof(bytes);
    dma_write(&m->mem, d->alloc_table_gpa, bytes, sizeof(bytes));
}

static void submit(struct rng *r, struct machine *m, u64 gpa)
{
    static u8 streams[1 << 14];
    struct agpu_ring_header h;
    struct agpu_descriptor d = { .desc_size_bytes = 64,
                                 .flags = rnd(r, 4),
                                 .context_id = rnd(r, 3) };
    size_t n = stream_seed(rnd(r, 28), streams, sizeof(streams));
    d.signal_fence = one_in(r, 8) ? rnd_value(r) : 1 + rnd(r, 1000);
    if (n > 28 && rnd(r, 8)) {
        d.cmd_gpa = place(r, STREAM, gpa);
        d.cmd_size_bytes = one_in(r, 16) ? (u32)rnd_value(r) : ld32(streams);
        dma_write(&m->mem, d.cmd_gpa, streams + 4, ld32(streams));
    }
    if (rnd(r, 4)) table(r, m, &d, gpa);
    dma_read(&m->mem, RING, &h, sizeof(h));
    dma_write(&m->mem, RING + 64 + (h.tail & 15) * 64, &d, sizeof(d));
    h.tail++;
    dma_write(&m->mem, RING + offsetof(struct agpu_ring_header, tail), &h.tail, 4);
    if (rnd(r, 4)) reg(m, AGPU_R_DOORBELL, 1);
}

static void show(struct rng *r, struct machine *m, u64 gpa)
{
    u32 at = one_in(r, 3) ? AGPU_R_CURSOR_WIDTH : AGPU_R_SCAN_WIDTH;
    bool cursor = at == AGPU_R_CURSOR_WIDTH;
    reg(m, at, one_in(r, 8) ? (u32)rnd_value(r) : 16);
    reg(m, at + 4, one_in(r, 8) ? (u32)rnd_value(r) : 16);
    reg(m, at + 8, rnd(r, 12));
    reg(m, cursor ? AGPU_R_CURSOR_PITCH : AGPU_R_SCAN_PITCH, one_in(r, 8) ? (u32)rnd_value(r) : 64);
    reg(m, cursor ? AGPU_R_CURSOR_GPA_LO : AGPU_R_SCAN_GPA_LO, (u32)place(r, FB, gpa));
    reg(m, cursor ? AGPU_R_CURSOR_GPA_HI : AGPU_R_SCAN_GPA_HI, 0);
    reg(m, cursor ? AGPU_R_CURSOR_ENABLE : AGPU_R_SCAN_ENABLE, rnd(r, 4) != 0);
}

void board_gpu_act(struct rng *r, struct machine *m, u64 gpa)
{
    switch (rnd(r, 8)) {
    case 0: start_ring(r, m, gpa); break;
    case 1: show(r, m, gpa); break;
    case 2: reg(m, 4 * rnd(r, 0x14c), (u32)rnd_value(r)); break;
    case 3: bus_read(&m->mem, BOARD_GPU_REGS + rnd(r, 0x10000), 1u << rnd(r, 4)); break;
    case 4: reg(m, AGPU_R_IRQ_ACK, (u32)rnd_value(r)); break;
    default: submit(r, m, gpa);
    }
}
