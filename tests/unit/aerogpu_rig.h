/* AeroGPU in a machine without a CPU: 4 MiB of RAM at 0, BAR0 at E0000000h, BAR1 at D0000000h, a display. Helpers play the driver: a
 * ring at RING, a fence page at FENCE, streams at STREAM. Tests are named ag_NNN_what after the statement of the contract that they
 * judge; several numbers when one scene shows several. With AEROGPU_THREAD=1 in the environment the executor has a thread of its own and
 * every access waits until it is done: all tests must come out the same. */
#ifndef TESTS_AEROGPU_RIG_H
#define TESTS_AEROGPU_RIG_H

#include "gpu/aerogpu.h"
#include "gpu/aerogpu_abi.h"
#include "gpu/aerogpu_dev.h" /* what the executor still has */
#include "machine/core/mailbox.h"
#include "machine/ui/display.h"
#include "tests/unit/storage_rig.h"

#define BAR0 0xe0000000u
#define BAR1 0xd0000000u
enum { RING = 0x10000, FENCE = 0x20000, TABLE = 0x30000, STREAM = 0x40000, FB = 0x100000, CURSOR = 0x200000, ENTRIES = 8 };
enum { WIRE = 16 + 3 }; /* slot 7 INTA is link D */
#define PERIOD 16666667ull

struct gpu {
    struct rig r;
    struct pci_dev *pci;
    struct display *display;
    u32 stream_at; /* where the next stream goes */
    struct mailbox mail;
    bool threaded;
};

/* Another display, registered before: what is shown until scanout 0 is claimed. */
static inline bool boot_refresh(void *opaque, struct frame *f, bool force)
{
    (void)opaque, (void)force;
    frame_size(f, 2, 2);
    frame_text(f, 0, 0);
    for (int k = 0; k < 4; k++) f->pixels[k] = 0xb00700;
    f->source = "boot";
    return true;
}
static const struct display_source boot_display = { "boot", NULL, boot_refresh, NULL };

static inline u32 R(struct gpu *g, u32 offset)
{
    return (u32)bus_read(&g->r.mem, BAR0 + offset, 4);
}

/* Waits until the executor has nothing left. */
static inline void settle(struct gpu *g)
{
    const struct aerogpu *a = (const struct aerogpu *)g->pci;
    bool busy = g->threaded;
    while (busy) {
        busy = a->stalled;
        for (u32 k = 0; k < a->queued; k++) busy |= a->queue[(a->first + k) % AGPU_QUEUE].running != 0;
        if (busy) mailbox_wait(&g->mail, NS_PER_SEC);
        mailbox_drain(&g->mail);
    }
}

static inline void W(struct gpu *g, u32 offset, u32 v)
{
    bus_write(&g->r.mem, BAR0 + offset, v, 4);
    settle(g);
}

static inline u64 R64(struct gpu *g, u32 lo)
{
    return R(g, lo) | (u64)R(g, lo + 4) << 32;
}

static inline u8 *ram(struct gpu *g, u32 at)
{
    return g->r.ram + at;
}

static inline void gpu_command(struct gpu *g, u32 v)
{
    pci_config_write(g->pci, PCI_COMMAND, v, 2);
    settle(g);
}

static inline bool line(struct gpu *g)
{
    return g->r.level[WIRE];
}

static inline void pass(struct gpu *g, u64 ns)
{
    clock_advance(&g->r.clock, ns);
    settle(g);
}

static inline void gpu_up_with(struct gpu *g, const char *option, const char *value)
{
    memset(g, 0, sizeof(*g));
    rig_up(&g->r, true, true);
    mailbox_init(&g->mail);
    g->threaded = getenv("AEROGPU_THREAD") != NULL;
    if (g->threaded) g->r.host.mailbox = &g->mail;
    g->display = display_create();
    display_add_source(g->display, &boot_display);
    struct device *d = rig_create(&g->r, &aerogpu_class, "aerogpu");
    device_set_ptr(d, "pci", g->r.pci);
    device_set_ptr(d, "display", g->display);
    if (option) ck_assert_int_eq(device_set_option(d, option, value, NULL), 0);
    rig_start(d);
    g->pci = (struct pci_dev *)d;
    pci_config_write(g->pci, PCI_BAR0, BAR0, 4);
    pci_config_write(g->pci, PCI_BAR0 + 4, BAR1, 4);
    gpu_command(g, PCI_CMD_MEM | PCI_CMD_MASTER);
    g->stream_at = STREAM;
}

static inline void gpu_up(struct gpu *g)
{
    gpu_up_with(g, NULL, NULL);
}

static inline void gpu_down(struct gpu *g)
{
    rig_down(&g->r);
    mailbox_fini(&g->mail);
    display_destroy(g->display);
}

/* --- the driver's part --- */

static inline struct agpu_ring_header *ring(struct gpu *g)
{
    return (struct agpu_ring_header *)ram(g, RING);
}

static inline struct agpu_fence_page *fence_page(struct gpu *g)
{
    return (struct agpu_fence_page *)ram(g, FENCE);
}

/* A ring of 8 descriptors of 64 bytes, a fence page, all interrupts as `irqs` says. */
static inline void driver_start(struct gpu *g, u32 irqs)
{
    *ring(g) = (struct agpu_ring_header){ AGPU_RING_MAGIC, AGPU_ABI_VERSION, 4096, ENTRIES, 64, 0, 0, 0, { 0 } };
    W(g, AGPU_R_RING_GPA_LO, RING);
    W(g, AGPU_R_RING_GPA_HI, 0);
    W(g, AGPU_R_RING_SIZE, 4096);
    W(g, AGPU_R_FENCE_GPA_LO, FENCE);
    W(g, AGPU_R_FENCE_GPA_HI, 0);
    W(g, AGPU_R_RING_CONTROL, AGPU_RING_ENABLE);
    W(g, AGPU_R_IRQ_ENABLE, irqs);
}

static inline void ring_bell(struct gpu *g)
{
    W(g, AGPU_R_DOORBELL, 1);
}

static inline u8 *slot(struct gpu *g, u32 index)
{
    return ram(g, RING + 64 + (index & (ring(g)->entry_count - 1)) * ring(g)->entry_stride_bytes);
}

/* A descriptor behind the others, without the doorbell. */
static inline void queue(struct gpu *g, const struct agpu_descriptor *d)
{
    memcpy(slot(g, ring(g)->tail), d, sizeof(*d));
    ring(g)->tail++;
}

static inline struct agpu_descriptor empty(u64 fence, u32 flags)
{
    return (struct agpu_descriptor){ .desc_size_bytes = 64, .flags = flags, .context_id = 1, .signal_fence = fence };
}

static inline void submit(struct gpu *g, struct agpu_descriptor d)
{
    queue(g, &d);
    ring_bell(g);
}

/* A stream of the packets `words` (32-bit words); returns a descriptor for it. */
static inline struct agpu_descriptor with_stream(struct gpu *g, u64 fence, u32 flags, const u32 *words, u32 count)
{
    struct agpu_descriptor d = empty(fence, flags);
    struct agpu_stream_header h = { AGPU_CMD_MAGIC, AGPU_ABI_VERSION, 24 + count * 4, 0, { 0 } };
    memcpy(ram(g, g->stream_at), &h, sizeof(h));
    if (count) memcpy(ram(g, g->stream_at + 24), words, count * 4);
    d.cmd_gpa = g->stream_at;
    d.cmd_size_bytes = h.size_bytes;
    g->stream_at += (h.size_bytes + 63) & ~63u;
    return d;
}
#define STREAM_OF(g, fence, flags, ...)                                                                                                     \
    with_stream(g, fence, flags, (const u32[]){ __VA_ARGS__ }, sizeof((const u32[]){ __VA_ARGS__ }) / 4)

/* Scanout 0: w x h pixels of format f at FB. */
static inline void scanout(struct gpu *g, u32 w, u32 h, u32 f, u32 pitch)
{
    W(g, AGPU_R_SCAN_WIDTH, w);
    W(g, AGPU_R_SCAN_HEIGHT, h);
    W(g, AGPU_R_SCAN_FORMAT, f);
    W(g, AGPU_R_SCAN_PITCH, pitch);
    W(g, AGPU_R_SCAN_GPA_LO, FB);
    W(g, AGPU_R_SCAN_GPA_HI, 0);
    W(g, AGPU_R_SCAN_ENABLE, 1);
}

static inline const struct frame *picture(struct gpu *g)
{
    display_refresh(g->display, false);
    return display_current(g->display);
}

static inline u32 pixel_at(struct gpu *g, u32 x, u32 y)
{
    const struct frame *f = picture(g);
    ck_assert_uint_lt(x, f->width);
    ck_assert_uint_lt(y, f->height);
    return f->pixels[y * f->width + x] & 0xffffff;
}

#endif
