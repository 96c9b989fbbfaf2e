/* The driver's part: see driver.h. */
#include "bios/gpu/driver.h"

#include "bios/io.h"

enum {
    ID = 0x0001a3a0,
    COMMAND = 4,
    BAR0 = 0x10,
    BAR1 = 0x14,
    LINE = 0x3c,
    CMD_MEM = 2,
    CMD_MASTER = 4
};

static void barrier(void)
{
    __asm__ volatile("" ::: "memory");
}

u32 gpu_config(const struct gpu *g, u32 reg)
{
    outl(0xcf8, 0x80000000u | g->bdf << 8 | (reg & 0xfc));
    return inl(0xcfc);
}

void gpu_set_config(const struct gpu *g, u32 reg, u32 v)
{
    outl(0xcf8, 0x80000000u | g->bdf << 8 | (reg & 0xfc));
    outl(0xcfc, v);
}

bool gpu_find(struct gpu *g)
{
    *g = (struct gpu){ 0 };
    for (g->bdf = 0; g->bdf < 256; g->bdf++) {
        if (gpu_config(g, 0) != ID) continue;
        g->bar0 = gpu_config(g, BAR0) & ~15u;
        g->bar1 = gpu_config(g, BAR1) & ~15u;
        g->irq = gpu_config(g, LINE) & 0xff;
        if (g->irq > 15) g->irq = 0;
        return true;
    }
    return false;
}

void gpu_bar_sizes(const struct gpu *g, u32 size[2])
{
    const u32 command = gpu_config(g, COMMAND) & 0xffff;
    gpu_set_config(g, COMMAND, command & ~(u32)(CMD_MEM | CMD_MASTER));
    for (u32 k = 0; k < 2; k++) {
        const u32 was = gpu_config(g, BAR0 + 4 * k);
        gpu_set_config(g, BAR0 + 4 * k, 0xffffffff);
        size[k] = -(gpu_config(g, BAR0 + 4 * k) & ~15u);
        gpu_set_config(g, BAR0 + 4 * k, was);
    }
    gpu_set_config(g, COMMAND, command);
}

bool gpu_identify(struct gpu *g)
{
    gpu_set_config(g, COMMAND, (gpu_config(g, COMMAND) & 0xffff) | CMD_MEM | CMD_MASTER);
    if (!g->bar0 || gpu_rd(g, AGPU_R_MAGIC) != AGPU_MAGIC) return false;
    g->abi = gpu_rd(g, AGPU_R_ABI_VERSION);
    g->features = gpu_rd(g, AGPU_R_FEATURES_LO);
    return g->abi >> 16 == AGPU_ABI_MAJOR;
}

u64 gpu_rd64(const struct gpu *g, u32 reg_lo)
{
    for (;;) {
        const u32 high = gpu_rd(g, reg_lo + 4), low = gpu_rd(g, reg_lo);
        if (gpu_rd(g, reg_lo + 4) == high) return (u64)high << 32 | low;
    }
}

static void quiet(const struct gpu *g)
{
    gpu_wr(g, AGPU_R_IRQ_ENABLE, 0);
    gpu_wr(g, AGPU_R_IRQ_ACK, 0xffffffff);
}

void gpu_start(struct gpu *g, void *memory, u32 irqs)
{
    quiet(g);
    u32 *words = memory;
    for (u32 k = 0; k < GPU_MEMORY / 4; k++) words[k] = 0;
    g->ring = memory;
    g->page = (void *)((u8 *)memory + GPU_RING_BYTES);
    g->fence = 0;
    g->context = 1;
    g->ring->magic = AGPU_RING_MAGIC;
    g->ring->abi_version = AGPU_ABI_VERSION;
    g->ring->size_bytes = GPU_RING_BYTES;
    g->ring->entry_count = GPU_RING_ENTRIES;
    g->ring->entry_stride_bytes = sizeof(struct agpu_descriptor);
    g->page->magic = AGPU_FENCE_MAGIC;
    g->page->abi_version = AGPU_ABI_VERSION;
    barrier();
    gpu_wr(g, AGPU_R_RING_GPA_LO, (u32)(uintptr_t)memory);
    gpu_wr(g, AGPU_R_RING_GPA_HI, 0);
    gpu_wr(g, AGPU_R_RING_SIZE, GPU_RING_BYTES);
    gpu_wr(g, AGPU_R_RING_CONTROL, AGPU_RING_ENABLE);
    gpu_wr(g, AGPU_R_FENCE_GPA_LO, (u32)(uintptr_t)g->page);
    gpu_wr(g, AGPU_R_FENCE_GPA_HI, 0);
    gpu_wr(g, AGPU_R_IRQ_ACK, 0xffffffff);
    gpu_wr(g, AGPU_R_IRQ_ENABLE, irqs);
}

void gpu_stop(struct gpu *g)
{
    gpu_scanout(g, &(struct gpu_mode){ 0 }, 0);
    gpu_wr(g, AGPU_R_CURSOR_ENABLE, 0);
    gpu_wr(g, AGPU_R_CURSOR_GPA_LO, 0);
    gpu_wr(g, AGPU_R_CURSOR_GPA_HI, 0);
    gpu_wr(g, AGPU_R_RING_CONTROL, 0);
    gpu_wr(g, AGPU_R_RING_GPA_LO, 0);
    gpu_wr(g, AGPU_R_RING_GPA_HI, 0);
    gpu_wr(g, AGPU_R_RING_SIZE, 0);
    gpu_wr(g, AGPU_R_FENCE_GPA_LO, 0);
    gpu_wr(g, AGPU_R_FENCE_GPA_HI, 0);
    quiet(g);
}

void gpu_table_start(struct gpu_table *t)
{
    t->head = (struct agpu_alloc_header){ AGPU_ALLOC_MAGIC,    AGPU_ABI_VERSION,
                                          sizeof(t->head),     0,
                                          sizeof(t->entry[0]), 0 };
}

void gpu_table_add(struct gpu_table *t, u32 id, u64 gpa, u64 size, u32 flags)
{
    if (t->head.entry_count == GPU_TABLE_ENTRIES) return;
    t->entry[t->head.entry_count++] = (struct agpu_alloc_entry){ id, flags, gpa, size, 0 };
    t->head.size_bytes += sizeof(t->entry[0]);
}

void gpu_queue(struct gpu *g, const struct agpu_descriptor *d)
{
    const u32 tail = g->ring->tail;
    while (tail - g->ring->head >= GPU_RING_ENTRIES) __asm__ volatile("pause");
    volatile struct agpu_descriptor *slot =
        (volatile void *)((volatile u8 *)(g->ring + 1) + tail % GPU_RING_ENTRIES * sizeof(*d));
    *slot = *d;
    barrier();
    g->ring->tail = tail + 1;
}

u64 gpu_submit(struct gpu *g, const void *stream, u32 bytes, const struct gpu_table *t, u32 flags)
{
    const struct agpu_descriptor d = {
        .desc_size_bytes = sizeof(d),
        .flags = flags,
        .context_id = g->context,
        .cmd_gpa = bytes ? (uintptr_t)stream : 0,
        .cmd_size_bytes = bytes,
        .alloc_table_gpa = (uintptr_t)t,
        .alloc_table_size_bytes = t ? t->head.size_bytes : 0,
        .signal_fence = ++g->fence,
    };
    gpu_queue(g, &d);
    gpu_wr(g, AGPU_R_DOORBELL, 1);
    return d.signal_fence;
}

u64 gpu_completed(const struct gpu *g)
{
    const volatile u32 *half = (const volatile void *)&g->page->completed_fence;
    for (;;) {
        const u32 high = half[1], low = half[0];
        if (half[1] == high) return (u64)high << 32 | low;
    }
}

u32 gpu_interrupt(const struct gpu *g)
{
    const u32 status = gpu_rd(g, AGPU_R_IRQ_STATUS);
    if (status) gpu_wr(g, AGPU_R_IRQ_ACK, status);
    return status;
}

void gpu_scanout(const struct gpu *g, const struct gpu_mode *m, u64 gpa)
{
    gpu_wr(g, AGPU_R_SCAN_WIDTH, m->width);
    gpu_wr(g, AGPU_R_SCAN_HEIGHT, m->height);
    gpu_wr(g, AGPU_R_SCAN_FORMAT, m->format);
    gpu_wr(g, AGPU_R_SCAN_PITCH, m->pitch);
    gpu_wr(g, AGPU_R_SCAN_GPA_LO, (u32)gpa);
    gpu_wr(g, AGPU_R_SCAN_GPA_HI, (u32)(gpa >> 32));
    gpu_wr(g, AGPU_R_SCAN_ENABLE, gpa != 0);
    if (!gpa) gpu_wr(g, AGPU_R_IRQ_ACK, AGPU_IRQ_VBLANK);
}

void gpu_cursor_shape(const struct gpu *g, u32 width, u32 height, u64 gpa, u32 hot_x, u32 hot_y)
{
    gpu_wr(g, AGPU_R_CURSOR_ENABLE, 0);
    gpu_wr(g, AGPU_R_CURSOR_HOT_X, hot_x);
    gpu_wr(g, AGPU_R_CURSOR_HOT_Y, hot_y);
    gpu_wr(g, AGPU_R_CURSOR_WIDTH, width);
    gpu_wr(g, AGPU_R_CURSOR_HEIGHT, height);
    gpu_wr(g, AGPU_R_CURSOR_FORMAT, AGPU_FMT_B8G8R8A8);
    gpu_wr(g, AGPU_R_CURSOR_PITCH, width * 4);
    gpu_wr(g, AGPU_R_CURSOR_GPA_LO, (u32)gpa);
    gpu_wr(g, AGPU_R_CURSOR_GPA_HI, (u32)(gpa >> 32));
    gpu_wr(g, AGPU_R_CURSOR_ENABLE, gpa != 0);
}

void gpu_cursor_move(const struct gpu *g, i32 x, i32 y)
{
    gpu_wr(g, AGPU_R_CURSOR_X, (u32)x);
    gpu_wr(g, AGPU_R_CURSOR_Y, (u32)y);
}
