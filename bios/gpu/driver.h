/* What a driver of AeroGPU does, for guest programs without a system below them: finds the
 * function, sets up ring and fence page, submits, flips, moves the cursor. The demo's second act
 * (bios/demo) and the device's exerciser (tests/guest/aerogpu) share it.
 *
 * Memory is identity mapped: an address is a physical address. Nothing is allocated; callers give
 * aligned memory below 4 GiB. Document: AeroGPU's contract, ABI 1.4, "ring" and "PCI function and
 * registers". */
#ifndef BIOS_GPU_DRIVER_H
#define BIOS_GPU_DRIVER_H

#include "bios/gpu/abi.h"

enum {
    GPU_RING_ENTRIES = 64,
    GPU_RING_BYTES = 8192, /* header and entries, in pages */
    GPU_MEMORY = GPU_RING_BYTES + 4096,
    GPU_TABLE_ENTRIES = 8,
};

struct gpu {
    u32 bdf;             /* device and function of bus 0: device << 3 | function */
    u32 bar0, bar1, irq; /* addresses, interrupt line as the firmware wrote it (0: none) */
    u32 abi, features;
    volatile struct agpu_ring_header *ring;
    volatile struct agpu_fence_page *page;
    u64 fence;   /* the last one submitted */
    u32 context; /* of submissions: 1 after gpu_start */
};

/* An allocation table in the making, which stays where it is until its submission has completed. */
struct gpu_table {
    struct agpu_alloc_header head;
    struct agpu_alloc_entry entry[GPU_TABLE_ENTRIES];
};

u32 gpu_config(const struct gpu *g, u32 reg);
void gpu_set_config(const struct gpu *g, u32 reg, u32 v);
/* Finds the function on bus 0; false: there is none. Fills in bdf, the BARs and irq as they are. */
bool gpu_find(struct gpu *g);
/* Sizes of both BARs in bytes by the all-ones probe; decoding is off meanwhile and the addresses
 * come back. */
void gpu_bar_sizes(const struct gpu *g, u32 size[2]);
/* Switches memory decoding and bus mastering on, reads the identification. False: not this
 * contract. */
bool gpu_identify(struct gpu *g);

static inline u32 gpu_rd(const struct gpu *g, u32 reg)
{
    return *(volatile u32 *)(uintptr_t)(g->bar0 + reg);
}
static inline void gpu_wr(const struct gpu *g, u32 reg, u32 v)
{
    *(volatile u32 *)(uintptr_t)(g->bar0 + reg) = v;
}
/* A 64-bit pair of registers that counts: read until the upper half stands still. */
u64 gpu_rd64(const struct gpu *g, u32 reg_lo);

/* Starts the device as the Windows driver does: interrupts off and acknowledged, ring and fence
 * page in GPU_MEMORY bytes at `memory` (a multiple of 4096), then the interrupts of `irqs` on. */
void gpu_start(struct gpu *g, void *memory, u32 irqs);
/* Everything off and forgotten. */
void gpu_stop(struct gpu *g);

void gpu_table_start(struct gpu_table *t);
void gpu_table_add(struct gpu_table *t, u32 id, u64 gpa, u64 size, u32 flags);
/* A stream of `bytes` (0: none) with an allocation table (NULL: none) behind the others, and the
 * doorbell. Waits while the ring is full. Returns the fence. */
u64 gpu_submit(struct gpu *g, const void *stream, u32 bytes, const struct gpu_table *t, u32 flags);
/* One descriptor, without the doorbell. */
void gpu_queue(struct gpu *g, const struct agpu_descriptor *d);
u64 gpu_completed(const struct gpu *g); /* by the fence page */

/* Interrupt: acknowledges what is pending and returns it; 0: not this device. */
u32 gpu_interrupt(const struct gpu *g);

/* Scanout 0: all seven registers, as the Windows driver writes them for a mode and for a flip. gpa
 * 0 switches it off. */
struct gpu_mode {
    u32 width, height, format, pitch;
};
void gpu_scanout(const struct gpu *g, const struct gpu_mode *m, u64 gpa);

void gpu_cursor_shape(const struct gpu *g, u32 width, u32 height, u64 gpa, u32 hot_x, u32 hot_y);
void gpu_cursor_move(const struct gpu *g, i32 x, i32 y);

#endif
