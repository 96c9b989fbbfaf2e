/* AeroGPU's exerciser: a bare-metal kernel (tests/w7/bm, 32 and 64 bits) that plays the device's driver, step by step. Every step
 * prints one line on port E9h, "ok   NAME" or "FAIL NAME: what, got, expected", and the kernel ends with status 33 when it came to its
 * end; run.sh judges. On the command line "loose" leaves out the steps that measure time, for runs in the host's time, and "pictures"
 * adds those that somebody has to look at. Each step leaves the device started, without errors, the scanout off and interrupts masked.
 *
 * Document: AeroGPU's contract, ABI 1.4. The driver's part and the packets are bios/gpu, as in the demo. */
#ifndef TESTS_GUEST_AEROGPU_AG_H
#define TESTS_GUEST_AEROGPU_AG_H

#include "bios/gpu/driver.h"
#include "bios/gpu/stream.h"
#include "bm.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { /* physical memory, above the program and below 32 MiB */
       AT_RING = 0x400000, AT_SPARE = 0x410000, AT_STREAM = 0x420000, STREAM_ROOM = 0x100000, AT_FB = 0x800000, AT_FB2 = 0x900000,
       AT_BACK = 0xa00000, BACK_SIZE = 0x100000, AT_READ = 0xc00000, READ_SIZE = 0x200000, AT_CURSOR = 0xf00000 };
enum { ALLOC_BACK = 1, ALLOC_READ = 2, ALLOC_FB = 3, ALLOC_LOCKED = 4 }; /* what the table has */

struct ag {
    struct gpu gpu;
    struct gpu_table *table;
    struct stream s;
    const char *step;
    unsigned failures;              /* of this step */
    unsigned total, steps;
    u32 handle;                     /* the next free one */
    u32 bar_size[2];
    bool draws;                     /* an executor is there: TRANSFER */
    /* interrupts */
    volatile u32 irqs, status, spurious;
    volatile bool hold;             /* leave the device unacknowledged, mask the line */
    volatile u32 blanks, fences;
    volatile u32 flip_to;           /* address to flip to at the next blank, 0: none */
    volatile u64 seen;              /* completed fence at the last interrupt */
    volatile u32 backwards;         /* interrupts that saw a smaller one, or a fence interrupt that saw none new */
};

typedef void ag_step(struct ag *a);
ag_step ag_function, ag_registers, ag_bars, ag_interrupt_pic, ag_interrupt_apic, ag_intx_disable, ag_bus_master, ag_power, ag_restart, ag_timeout;
ag_step ag_first_fence, ag_order, ag_wrap, ag_far_index, ag_descriptors, ag_streams, ag_tables, ag_ring_headers, ag_reset;
ag_step ag_latch, ag_vblank_rate, ag_vblank_interrupts, ag_flips, ag_cursor, ag_pacing, ag_pacing_order, ag_load;
ag_step ag_clear, ag_upload, ag_copies, ag_dirty, ag_readonly, ag_shared, ag_objects, ag_coverage, ag_textured, ag_mips, ag_blending,
    ag_depth, ag_shaders, ag_present, ag_many, ag_nothing_drawn, ag_direct3d10, ag_pictures;

/* --- checks --- */
bool ag_eq(struct ag *a, const char *what, u64 got, u64 want);
bool ag_in(struct ag *a, const char *what, u64 got, u64 low, u64 high);
bool ag_true(struct ag *a, const char *what, bool good);

/* --- the device --- */
void ag_begin(struct ag *a);        /* an empty stream in a->s */
/* Submits a->s with the table, waits for its fence; expects it within 5 s and without an error. */
u64 ag_send(struct ag *a);
u64 ag_submit(struct ag *a, u32 flags);         /* the same without waiting */
bool ag_wait(struct ag *a, u64 fence, u32 ms);  /* false: not in that time */
u64 ag_nop(struct ag *a, u32 flags);            /* an empty submission */
u32 ag_rd(const struct ag *a, u32 reg);
void ag_wr(const struct ag *a, u32 reg, u32 v);
/* The pixels of mip 0 of a texture of 32 bits, copied into guest memory through the device. */
const u32 *ag_pixels(struct ag *a, u32 texture, u32 format, u32 width, u32 height);
u32 ag_texture(struct ag *a, u32 format, u32 width, u32 height);
/* An error that the contract wants: its code with fence, counted once; then it is acknowledged. */
void ag_expect_error(struct ag *a, u32 code, u64 fence, u32 count_before);
void ag_scanout(struct ag *a, u32 gpa);         /* 320x200 X8R8G8B8, 0: off */
enum { SCAN_W = 320, SCAN_H = 200 };

/* --- interrupts --- */
void ag_irqs_by_pic(struct ag *a);
void ag_irqs_by_apic(struct ag *a);
void ag_irqs_off(struct ag *a);
/* Interrupts on until `count` of *what happened, or ms passed; returns how often it happened. */
u32 ag_take(struct ag *a, const volatile u32 *what, u32 count, u32 ms);

/* --- time --- */
static inline u32 pm_since(u32 from) { return (pm_ticks() - from) & 0xffffff; }
static inline u32 pm_us(u32 ticks) { return (u32)((u64)ticks * 1000000 / 3579545); }

#endif
