/* Fuzz target: the AeroGPU function behind its front door. The input is a sequence of what a guest
 * and time can do: register accesses of all sizes, rings, descriptors, allocation tables and
 * streams in 64 KiB of RAM, doorbells, bus mastering and BARs, interrupts, resets, pictures. One
 * device has executor `none`, one `soft`.
 *
 * After every step: the completed fence never goes backwards but for a reset, and never beyond what
 * was submitted; the wire is what status, enable and the command register say; errors and vertical
 * blanks are counted upwards. A doorbell on a sound ring takes everything; on an unsound one it is
 * an error. At the end everything that was accepted has completed, and nothing was written to RAM
 * but head, fence page and what writable rows of allocation tables and the scanout name. */
#include <stdlib.h>

#include "devices/pci.h"
#include "gpu/aerogpu.h"
#include "gpu/aerogpu_abi.h"
#include "gpu/aerogpu_cmd.h"
#include "machine/ui/display.h"
#include "tests/fuzz/gpu/stream.h"
#include "tests/fuzz/gpu/target.h"

#define BAR0 0xe0000000u
#define BAR1 0xd0000000u
#define PERIOD 16666667ull
enum { RAM = 64 * KIB, FENCE = 0x800, RING = 0x1000, TABLE = 0x4000, STREAM = 0x6000, FB = 0xa000 };
enum { BITE_DESCRIPTORS = 1024, BITE_BYTES = 128 << 20, SPANS = 64, OPS = 120 };

struct span {
    u64 at, end;
};

struct model {     /* what we know */
    u64 submitted; /* the highest fence that the device may have seen since the last reset */
    u64 accepted;  /* the highest one that it must complete */
    u64 completed, vblanks;
    u32 errors;
    struct span spans[SPANS]; /* where it may write */
    u32 span_count;
    bool lost; /* the device may have changed its own input, or there are too many spans */
};

struct gpu {
    struct bus mem, io;
    struct clock clock;
    struct host_if host;
    struct region ram_region;
    u8 *ram, shadow[RAM]; /* shadow: RAM as we wrote it */
    struct pci_bus *pci;
    struct pci_dev *dev;
    struct display *display;
    bool level;
    struct model m;
    u64 ring_gpa, page_gpa; /* registers as they were when BAR0 decoded last */
    u32 ring_size, ring_control;
    u64 stream_gpa, table_gpa, fence; /* the last ones made */
    u32 stream_size, table_size, table_rows;
};

static struct gpu gpus[2];

/* ---- the machine ---- */

static void wire(void *opaque, int pin, bool level)
{
    (void)pin;
    ((struct gpu *)opaque)->level = level;
}

static void request(void *machine, enum machine_request what, int arg, const char *why)
{
    (void)machine, (void)what, (void)arg, (void)why;
}

static void up(struct gpu *g, const char *exec)
{
    struct error e = { "" };
    bus_init(&g->mem, "memory", 0xffffffffffull, false);
    bus_init(&g->io, "ports", 0xffff, true);
    clock_init(&g->clock, CLOCK_MANUAL);
    g->host = (struct host_if){
        .mem = &g->mem, .io = &g->io, .clock = &g->clock, .request = request, .machine = g
    };
    g->ram = aligned_alloc(4096, RAM);
    region_init_ram(&g->ram_region, "ram", RAM, g->ram);
    bus_map(&g->mem, 0, &g->ram_region, 0, NULL);
    g->pci = (struct pci_bus *)device_create(&pci_bus_class, "pci0", &g->host);
    for (unsigned k = 0; k < 4; k++) device_connect(&g->pci->dev, "pirq", k, irq_make(wire, g, 0));
    must(!device_init(&g->pci->dev, &e), "the bus starts");
    g->pci->dev.cls->reset(&g->pci->dev, RESET_COLD);
    g->display = display_create();
    struct device *d = device_create(&aerogpu_class, "aerogpu", &g->host);
    device_set_ptr(d, "pci", g->pci);
    device_set_ptr(d, "display", g->display);
    must(!device_set_option(d, "exec", exec, &e) && !device_set_option(d, "workers", "1", &e),
         "options exist");
    must(!device_init(d, &e), "the device starts");
    g->dev = (struct pci_dev *)d;
    g->dev->dev.cls->reset(&g->dev->dev, RESET_COLD);
}

void target_init(void)
{
    up(&gpus[0], "none");
    up(&gpus[1], "soft");
}

static void command(struct gpu *g)
{
    if (pci_bar_addr(g->dev, 0) != BAR0) pci_config_write(g->dev, PCI_BAR0, BAR0, 4);
    if (pci_bar_addr(g->dev, 1) != BAR1) pci_config_write(g->dev, PCI_BAR0 + 4, BAR1, 4);
    pci_config_write(g->dev, PCI_COMMAND, PCI_CMD_MEM | PCI_CMD_MASTER, 2);
}

/* Every register 0 and nothing remembered but the number of vertical blanks and video memory, which
 * a reset of the whole device takes long to clear. */
static void reset_registers(struct gpu *g)
{
    static const u16 all[] = { AGPU_R_IRQ_ENABLE,
                               AGPU_R_SCAN_ENABLE,
                               0x100,
                               0x104,
                               0x108,
                               0x120,
                               0x124,
                               0x404,
                               0x408,
                               0x40c,
                               0x410,
                               0x414,
                               0x418,
                               0x500,
                               0x504,
                               0x508,
                               0x50c,
                               0x510,
                               0x514,
                               0x518,
                               0x51c,
                               0x520,
                               0x524,
                               0x528 };
    command(g);
    for (unsigned k = 0; k < LEN(all); k++) bus_write(&g->mem, BAR0 + all[k], 0, 4);
    /* twice: the first one after the ring's address became 0 keeps objects */
    for (unsigned k = 0; k < 2; k++)
        bus_write(&g->mem, BAR0 + AGPU_R_RING_CONTROL, AGPU_RING_RESET, 4);
}

/* Back to the first state: BARs set, memory decoded, bus mastering on. */
static void reset(struct gpu *g, bool whole)
{
    if (whole) {
        g->dev->dev.cls->reset(&g->dev->dev, RESET_COLD);
        command(g);
    } else {
        reset_registers(g);
    }
    memset(&g->m, 0, sizeof(g->m));
    g->stream_gpa = STREAM;
    g->stream_size = 0;
    g->table_gpa = g->table_size = g->table_rows = 0;
    g->fence = 0;
}

static u32 R(struct gpu *g, u32 reg)
{
    return (u32)bus_read(&g->mem, BAR0 + reg, 4);
}

static u64 R64(struct gpu *g, u32 reg)
{
    return R(g, reg) | (u64)R(g, reg + 4) << 32;
}

/* Whether the registers can be reached. */
static bool heard(const struct gpu *g)
{
    return pci_command(g->dev) & PCI_CMD_MEM && pci_bar_addr(g->dev, 0) == BAR0;
}

/* What the guest's processor writes to RAM. */
static void put(struct gpu *g, u64 gpa, const void *p, size_t n)
{
    if (gpa >= RAM || n > RAM - gpa) return;
    memcpy(g->ram + gpa, p, n);
    memcpy(g->shadow + gpa, p, n);
}

static bool get(const struct gpu *g, u64 gpa, void *p, size_t n)
{
    if (gpa >= RAM || n > RAM - gpa) return false;
    memcpy(p, g->ram + gpa, n);
    return true;
}

/* ---- the model ---- */

static void may_write(struct model *m, u64 at, u64 size)
{
    if (at >= RAM || !size) return;
    struct span s = { at, size > RAM - at ? RAM : at + size };
    for (u32 k = 0; k < m->span_count; k++) {
        if (m->spans[k].at <= s.at && s.end <= m->spans[k].end) return;
    }
    if (m->span_count == SPANS)
        m->lost = true;
    else
        m->spans[m->span_count++] = s;
}

static void table_spans(struct gpu *g, u64 gpa, u32 window)
{
    struct agpu_alloc_header h;
    struct agpu_alloc_entry e;
    if (!get(g, gpa, &h, sizeof(h)) || h.magic != AGPU_ALLOC_MAGIC) return;
    for (u32 k = 0; k < h.entry_count && k < 4096; k++) {
        u64 at = sizeof(h) + (u64)k * h.entry_stride_bytes;
        if (at + sizeof(e) > window || !get(g, gpa + at, &e, sizeof(e))) return;
        if (!(e.flags & AGPU_ALLOC_READONLY)) may_write(&g->m, e.gpa, e.size_bytes);
    }
}

struct state {           /* of the ring, as the contract judges it */
    bool enabled, sound; /* sound: a doorbell will consume */
    u64 gpa;
    u32 head, tail;
    u64 fences, sum; /* the highest fence and a checksum of what a doorbell would read */
    u64 taken;       /* the highest fence among those that one bite takes */
    bool whole;      /* one bite takes all */
};

static void look_at(struct gpu *g, const struct agpu_ring_header *h, struct state *s)
{
    struct agpu_descriptor d;
    u64 bytes = 0;
    s->whole = true;
    for (u32 k = 0; k < h->tail - h->head && k < 2 * BITE_DESCRIPTORS; k++) {
        u64 at = s->gpa + sizeof(*h) +
                 (u64)((h->head + k) & (h->entry_count - 1)) * h->entry_stride_bytes;
        bool bite = k < BITE_DESCRIPTORS && bytes < BITE_BYTES;
        s->whole &= bite;
        if (!get(g, at, &d, sizeof(d))) continue;
        s->fences = MAX(s->fences, d.signal_fence);
        if (bite) s->taken = MAX(s->taken, d.signal_fence);
        s->sum = s->sum * 31 + d.signal_fence + d.alloc_table_gpa * 7 + d.cmd_gpa;
        table_spans(g, d.alloc_table_gpa, d.alloc_table_size_bytes);
        bytes += (u64)d.cmd_size_bytes + d.alloc_table_size_bytes;
    }
}

/* The ring as it stands. Without bus mastering or memory decoding it may still be read later. */
static void judge(struct gpu *g, struct state *s)
{
    struct agpu_ring_header h;
    memset(s, 0, sizeof(*s));
    if (heard(g)) {
        g->ring_gpa = R64(g, AGPU_R_RING_GPA_LO);
        g->ring_size = R(g, AGPU_R_RING_SIZE);
        g->ring_control = R(g, AGPU_R_RING_CONTROL);
        g->page_gpa = R64(g, AGPU_R_FENCE_GPA_LO);
        u64 picture = R64(g, AGPU_R_SCAN_GPA_LO); /* presents without guest memory go there */
        if (picture) may_write(&g->m, picture, RAM);
    }
    s->gpa = g->ring_gpa;
    s->enabled = g->ring_control & AGPU_RING_ENABLE;
    u64 window = g->ring_size;
    if (s->gpa) may_write(&g->m, s->gpa + offsetof(struct agpu_ring_header, head), 4);
    if (g->page_gpa) may_write(&g->m, g->page_gpa, 16);
    if (!s->gpa || !window || s->gpa + window < s->gpa || !get(g, s->gpa, &h, sizeof(h))) return;
    s->head = h.head;
    s->tail = h.tail;
    if (h.magic != AGPU_RING_MAGIC || h.abi_version >> 16 != 1 || !h.entry_count ||
        h.entry_count & (h.entry_count - 1) || h.entry_stride_bytes < 64 ||
        64 + (u64)h.entry_count * h.entry_stride_bytes > h.size_bytes || h.size_bytes > window ||
        h.tail - h.head > h.entry_count)
        return;
    s->sound = true;
    look_at(g, &h, s);
}

static void forget(struct gpu *g)
{
    g->m.submitted = g->m.accepted = g->m.completed = 0;
    g->m.errors = 0;
}

/* After each step. */
static void check_all(struct gpu *g)
{
    struct model *m = &g->m;
    u16 command = pci_command(g->dev);
    if (!heard(g)) return;
    u32 status = R(g, AGPU_R_IRQ_STATUS), enable = R(g, AGPU_R_IRQ_ENABLE);
    bool want = (status & enable) != 0;
    must(g->level == (want && !(command & PCI_CMD_INTX_OFF)), "the wire is status and enable");
    must(!!(g->dev->config[PCI_STATUS] & 8) == want, "the status register shows the level");
    u64 completed = R64(g, AGPU_R_COMPLETED_LO), vblanks = R64(g, AGPU_R_VBLANK_SEQ_LO);
    u32 errors = R(g, AGPU_R_ERROR_COUNT);
    must(completed >= m->completed, "the completed fence does not go backwards");
    must(completed <= m->submitted || m->lost, "nothing completes that was not submitted");
    must(errors >= m->errors, "errors are counted upwards");
    must(vblanks >= m->vblanks, "vertical blanks are counted upwards");
    must(!errors == !R(g, AGPU_R_ERROR_CODE), "an error has a code");
    m->completed = completed;
    m->errors = errors;
    m->vblanks = vblanks;
}

/* ---- registers ---- */

static const u16 regs[] = {
    0x000, 0x004, 0x008, 0x00c, 0x100, 0x104, 0x108, 0x10c, 0x120, 0x124, 0x130,
    0x134, 0x200, 0x300, 0x304, 0x308, 0x310, 0x314, 0x318, 0x31c, 0x400, 0x404,
    0x408, 0x40c, 0x410, 0x414, 0x418, 0x420, 0x424, 0x428, 0x42c, 0x430, 0x500,
    0x504, 0x508, 0x50c, 0x510, 0x514, 0x518, 0x51c, 0x520, 0x524, 0x528,
};

static u64 any_gpa(struct feed *f)
{
    u8 k = feed8(f);
    switch (k & 15) {
    case 10: return feed16(f);
    case 11: return RAM - (k >> 4) * 4;
    case 12: return BAR0 + (k & 0x80 ? feed16(f) : regs[feed8(f) % LEN(regs)]);
    case 13: return BAR1 + feed16(f);
    case 14: return feed_value(f);
    case 15: return 0;
    default: return feed16(f) & ~63ull;
    }
}

/* Before a step that may make the device read its ring: what it may find there. A write of the
 * processor's to a register is one. */
static void expect(struct gpu *g, struct state *s)
{
    judge(g, s);
    g->m.submitted = MAX(g->m.submitted, s->fences);
}

/* The device read the same as we did before, or its own writes changed what it read. */
static void compare(struct gpu *g, const struct state *before)
{
    struct state now;
    if (!before->sound || before->head == before->tail) return;
    judge(g, &now);
    u32 pending = before->tail - before->head, head = now.head;
    if (now.sound && now.gpa == before->gpa && head == now.tail &&
        pending <= 2 * BITE_DESCRIPTORS) {
        struct agpu_ring_header h;
        get(g, now.gpa, &h, sizeof(h));
        h.head = before->head;
        look_at(g, &h, &now);
    }
    if (now.sum != before->sum) {
        g->m.submitted = MAX(g->m.submitted, now.fences);
        g->m.lost = true;
    }
}

/* RESET forgets; so does a ring that is off and at 0. Nothing else makes counters fall. */
static void after_write(struct gpu *g, u32 reg, u32 size, u64 value, u64 completed_before)
{
    bool control = reg < AGPU_R_RING_CONTROL + 4 && reg + size > AGPU_R_RING_CONTROL;
    bool address = reg < AGPU_R_RING_GPA_HI + 4 && reg + size > AGPU_R_RING_GPA_LO;
    if (!heard(g) || !(control || address)) return;
    u64 now = R64(g, AGPU_R_COMPLETED_LO);
    u32 errors = R(g, AGPU_R_ERROR_COUNT);
    bool off = !(R(g, AGPU_R_RING_CONTROL) & AGPU_RING_ENABLE) && !R64(g, AGPU_R_RING_GPA_LO);
    bool low = control && reg <= AGPU_R_RING_CONTROL; /* its byte with RESET is written */
    if (low && value >> 8 * (AGPU_R_RING_CONTROL - reg) & AGPU_RING_RESET) {
        must(now == 0 && errors <= 1, "RESET clears fences and errors");
        forget(g);
    } else if (control || off) {
        must(now >= completed_before || now == 0, "fences are forgotten as a whole");
        if (now < completed_before || errors < g->m.errors) forget(g);
    }
    if (off) g->m.accepted = 0;
}

static void write_reg(struct gpu *g, u32 reg, u64 value, u32 size)
{
    struct state s;
    expect(g, &s);
    u64 completed = R64(g, AGPU_R_COMPLETED_LO);
    bus_write(&g->mem, BAR0 + reg, value, size);
    after_write(g, reg, size, value, completed);
    compare(g, &s);
}

static void W(struct gpu *g, u32 reg, u32 value)
{
    write_reg(g, reg, value, 4);
}

static void doorbell(struct gpu *g)
{
    struct state s, now;
    expect(g, &s);
    u32 errors = R(g, AGPU_R_ERROR_COUNT);
    u16 command = pci_command(g->dev);
    bus_write(&g->mem, BAR0 + AGPU_R_DOORBELL, 1, 4);
    if (!heard(g) || !s.enabled || !(command & PCI_CMD_MASTER)) return;
    if (!s.sound) {
        must(R(g, AGPU_R_ERROR_COUNT) > errors || errors == ~0u || s.gpa >= RAM,
             "an unsound ring is an error");
        return;
    }
    g->m.accepted = MAX(g->m.accepted, s.taken);
    compare(g, &s);
    judge(g, &now);
    u64 page = g->page_gpa;
    bool apart = page + 16 <= s.gpa || page >= s.gpa + 64;
    if (s.whole && apart && !g->m.lost && now.gpa == s.gpa)
        must(now.head == s.tail, "a doorbell takes everything");
}

/* ---- what the guest does ---- */

static void do_register(struct gpu *g, struct feed *f)
{
    u8 k = feed8(f);
    u32 size = 1u << (k >> 6), reg = regs[(k & 63) % LEN(regs)];
    if (feed8(f) & 1) reg = reg + (feed8(f) & 7);
    write_reg(g, reg, feed_value(f), size);
}

static void do_read(struct gpu *g, struct feed *f)
{
    bus_read(&g->mem, BAR0 + feed16(f), 1u << (feed8(f) & 3));
}

static void do_driver(struct gpu *g, struct feed *f)
{
    u8 k = feed8(f);
    W(g, AGPU_R_FENCE_GPA_LO, k & 1 ? (u32)any_gpa(f) : FENCE);
    W(g, AGPU_R_FENCE_GPA_HI, k & 2 ? (u32)feed_value(f) : 0);
    W(g, AGPU_R_RING_GPA_LO, k & 4 ? (u32)any_gpa(f) : RING);
    W(g, AGPU_R_RING_GPA_HI, k & 8 ? (u32)feed_value(f) : 0);
    W(g, AGPU_R_RING_SIZE, k & 16 ? (u32)feed_value(f) : 0x2000);
    W(g, AGPU_R_RING_CONTROL, k & 32 ? feed8(f) & 3 : AGPU_RING_ENABLE);
    W(g, AGPU_R_IRQ_ENABLE,
      k & 64 ? (u32)feed_value(f) : AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK | AGPU_IRQ_ERROR);
}

static void do_ring(struct gpu *g, struct feed *f)
{
    u8 k = feed8(f), n = feed8(f);
    u32 count = 1u << (n & 6), head = n & 8 ? feed32(f) : n & 16 ? ~0u : 0;
    struct agpu_ring_header h = {
        AGPU_RING_MAGIC, AGPU_ABI_VERSION, 0x2000, count, 64, 0, head, head, { 0 }
    };
    if (k & 1) h.size_bytes = (u32)feed_value(f);
    if (k & 2) h.entry_count = (u32)feed_value(f);
    if (k & 4) h.entry_stride_bytes = k & 8 ? (u32)feed_value(f) : 64u << (n >> 6);
    if (k & 16) h.tail += (u32)feed_value(f);
    if (k & 32) h.magic ^= feed8(f);
    if (k & 64) h.abi_version = (u32)feed_value(f);
    put(g, k & 128 ? any_gpa(f) : RING, &h, sizeof(h));
}

static u64 any_fence(struct gpu *g, u8 k, struct feed *f)
{
    switch (k & 7) {
    case 0: return g->fence;
    case 1: return 0;
    case 2: return feed_value(f);
    case 3: return g->fence += feed8(f);
    default: return ++g->fence;
    }
}

static void do_descriptor(struct gpu *g, struct feed *f)
{
    struct agpu_ring_header h;
    u8 k = feed8(f), flags = feed8(f);
    u64 ring = R64(g, AGPU_R_RING_GPA_LO);
    struct agpu_descriptor d = { .desc_size_bytes = 64,
                                 .flags = flags & 7,
                                 .context_id = flags >> 5 };
    d.signal_fence = any_fence(g, k, f);
    if (k & 8) {
        d.cmd_gpa = g->stream_gpa;
        d.cmd_size_bytes = g->stream_size;
    }
    if (k & 16) {
        d.alloc_table_gpa = g->table_gpa;
        d.alloc_table_size_bytes = g->table_size;
    }
    if (k & 32) {
        u8 *at = (u8 *)&d + (feed8(f) & 60);
        st32(at, (u32)feed_value(f));
    }
    if (!get(g, ring, &h, sizeof(h))) return;
    put(g, ring + 64 + (u64)(h.tail & (h.entry_count - 1)) * h.entry_stride_bytes, &d, sizeof(d));
    h.tail += 1;
    put(g, ring + offsetof(struct agpu_ring_header, tail), &h.tail, 4);
    if (k & 64) doorbell(g);
}

static void do_stream(struct gpu *g, struct feed *f)
{
    u8 k = feed8(f), buf[4096];
    struct maker m = { .p = buf, .cap = sizeof(buf) };
    if ((k & 7) < 4) { /* presents, and what writes to guest memory */
        make_stream(&m, 0, 0);
        if (k & 8)
            MAKE(&m, AGPU_CREATE_TEXTURE2D, 1, 0, 1 + (k >> 5), 8, 4, 1, 1, 32, feed8(f) & 7, 0, 0,
                 0);
        if (k & 16) {
            MAKE(&m, AGPU_SET_RENDER_TARGETS, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0);
            MAKE(&m, AGPU_CLEAR, 1, 0x3f800000, 0, 0, 0, 0, 0);
        }
        if (k & 1) MAKE(&m, AGPU_PRESENT, 0, k >> 5 & 1);
        if (k & 2) MAKE(&m, AGPU_NOP, 0);
        make_end(&m);
    } else {
        m.n = stream_seed(5 + (k >> 3 & 1), buf, sizeof(buf)); /* without draws: see soft.c */
        if (m.n > 4 && ld32(buf) + 4 < m.n) m.n = ld32(buf) + 4;
    }
    if (m.n < 28) return;
    for (u8 n = feed8(f) & 3; n; n--) st32(buf + 4 + feed16(f) % (m.n - 8), (u32)feed_value(f));
    g->stream_size = (u32)m.n - 4;
    g->stream_gpa = STREAM + (feed8(f) & 3) * 0x1000;
    put(g, g->stream_gpa, buf + 4, g->stream_size);
}

static void do_table(struct gpu *g, struct feed *f)
{
    u8 k = feed8(f), buf[24 + 8 * 48] = { 0 };
    u32 rows = k & 7, stride = k & 8 ? 48 : 32;
    struct agpu_alloc_header h = {
        AGPU_ALLOC_MAGIC, AGPU_ABI_VERSION, 24 + rows * stride, rows, stride, 0
    };
    for (u32 n = 0; n < rows; n++) {
        u8 what = feed8(f);
        struct agpu_alloc_entry e = { n + 1, what & 1, FB + 0x800 * n, 0x800, 0 };
        if (what & 2) e.alloc_id = (u32)feed_value(f);
        if (what & 4) e.gpa = any_gpa(f);
        if (what & 8) e.size_bytes = feed_value(f);
        memcpy(buf + 24 + n * stride, &e, sizeof(e));
    }
    if (k & 16) h.size_bytes = (u32)feed_value(f);
    if (k & 32) h.entry_count = (u32)feed_value(f);
    if (k & 64) h.entry_stride_bytes = (u32)feed_value(f);
    memcpy(buf, &h, sizeof(h));
    g->table_gpa = k & 128 ? any_gpa(f) : TABLE;
    g->table_size = 24 + rows * stride;
    put(g, g->table_gpa, buf, g->table_size);
}

static void do_poke(struct gpu *g, struct feed *f)
{
    u64 v = feed_value(f);
    put(g, any_gpa(f), &v, 1u << (feed8(f) & 3));
}

static void do_time(struct gpu *g, struct feed *f)
{
    struct state s;
    u8 k = feed8(f);
    u64 ns = k < 128 ? k * 1000ull : (k & 63) * PERIOD / 4 + (k & 64 ? 1 : 0);
    if (k == 255) ns = 2000 * PERIOD;
    expect(g, &s);
    clock_advance(&g->clock, ns);
    compare(g, &s);
}

static void do_config(struct gpu *g, struct feed *f)
{
    struct state s;
    u8 k = feed8(f);
    expect(g, &s);
    if (k < 192)
        pci_config_write(g->dev, PCI_COMMAND,
                         (k & 1 ? PCI_CMD_MASTER : 0) | (k & 2 ? 0 : PCI_CMD_MEM) |
                             (k & 4 ? PCI_CMD_INTX_OFF : 0),
                         2);
    else if (k < 224)
        pci_config_write(g->dev, PCI_BAR0 + 4 * (k & 3), (u32)any_gpa(f), 4);
    else
        pci_config_write(g->dev, feed8(f) & 0xfc, (u32)feed_value(f), 4);
    compare(g, &s);
}

static void do_reset(struct gpu *g, struct feed *f)
{
    u8 k = feed8(f);
    if (k < 16) {
        struct model m = g->m;
        reset(g, true);
        memcpy(g->m.spans, m.spans, sizeof(m.spans)); /* RAM stays */
        g->m.span_count = m.span_count;
        g->m.lost = m.lost;
    } else if (k < 128) {
        W(g, AGPU_R_RING_CONTROL, k & 3);
    } else { /* the driver stops */
        W(g, AGPU_R_RING_CONTROL, 0);
        W(g, AGPU_R_RING_GPA_LO, 0);
        W(g, AGPU_R_RING_GPA_HI, 0);
    }
}

static void do_scanout(struct gpu *g, struct feed *f)
{
    u8 k = feed8(f);
    u32 base = k & 1 ? AGPU_R_CURSOR_WIDTH : AGPU_R_SCAN_WIDTH;
    W(g, base, k & 2 ? (u32)feed_value(f) : 16);
    W(g, base + 4, k & 4 ? (u32)feed_value(f) : 8);
    W(g, base + 8, 1 + (k >> 6));
    W(g, k & 1 ? AGPU_R_CURSOR_PITCH : AGPU_R_SCAN_PITCH, k & 8 ? (u32)feed_value(f) : 64);
    W(g, base + (k & 1 ? 12 : 16), k & 16 ? (u32)any_gpa(f) : FB);
    W(g, base + (k & 1 ? 16 : 20), 0);
    W(g, k & 1 ? AGPU_R_CURSOR_ENABLE : AGPU_R_SCAN_ENABLE, !(k & 32));
}

static void do_picture(struct gpu *g, struct feed *f)
{
    u8 k = feed8(f);
    u64 w = R(g, AGPU_R_SCAN_WIDTH), h = R(g, AGPU_R_SCAN_HEIGHT);
    if (w > 512 || h > 512 || w * h > 65536) return; /* right, and slow */
    if (k == 0) display_toggle(g->display);
    display_refresh(g->display, k & 1);
}

static void do_info(struct gpu *g, struct feed *f)
{
    struct text t;
    if (feed8(f) > 3) return;
    text_init(&t);
    g->dev->dev.cls->info(&g->dev->dev, &t);
    text_free(&t);
}

static void do_doorbell(struct gpu *g, struct feed *f)
{
    (void)f;
    doorbell(g);
}

static void do_interrupt(struct gpu *g, struct feed *f)
{
    u8 k = feed8(f);
    W(g, k & 1 ? AGPU_R_IRQ_ACK : AGPU_R_IRQ_ENABLE, (k >> 1 & 3) | (k & 8 ? AGPU_IRQ_ERROR : 0));
}

static void do_vram(struct gpu *g, struct feed *f)
{
    bus_write(&g->mem, BAR1 + (feed32(f) & 0x3ffffff), feed_value(f), 1u << (feed8(f) & 3));
}

static void (*const acts[])(struct gpu *g, struct feed *f) = {
    do_register,   do_register,   do_read,    do_driver,  do_ring, do_descriptor,
    do_descriptor, do_descriptor, do_stream,  do_table,   do_poke, do_time,
    do_time,       do_config,     do_scanout, do_picture, do_info, do_doorbell,
    do_doorbell,   do_interrupt,  do_vram,    do_reset,
};

/* ---- the end ---- */

/* Everything that was accepted is complete once nothing holds it back. */
static void settle(struct gpu *g)
{
    struct state s;
    expect(g, &s);
    pci_config_write(g->dev, PCI_BAR0, BAR0, 4);
    pci_config_write(g->dev, PCI_COMMAND, PCI_CMD_MEM | PCI_CMD_MASTER, 2);
    compare(g, &s);
    W(g, AGPU_R_SCAN_ENABLE, 0);
    check_all(g);
    must(g->m.lost || R64(g, AGPU_R_COMPLETED_LO) >= g->m.accepted, "what was accepted completes");
    for (u32 k = 0; k < g->m.span_count; k++) {
        const struct span *p = &g->m.spans[k];
        memcpy(g->shadow + p->at, g->ram + p->at, p->end - p->at);
    }
    must(g->m.lost || !memcmp(g->shadow, g->ram, RAM),
         "RAM outside of what was named is untouched");
}

void target_run(const u8 *data, size_t size)
{
    struct feed f = { data, data + size };
    u8 how = feed8(&f);
    struct gpu *g = &gpus[how & 1];
    reset(g, (how & 0xf0) == 0xf0);
    memset(g->ram, 0, RAM);
    memset(g->shadow, 0, RAM);
    for (unsigned n = 0; f.p < f.end && n < OPS; n++) {
        acts[feed8(&f) % LEN(acts)](g, &f);
        check_all(g);
    }
    settle(g);
}

/* Acts as bytes: a driver that starts, then submissions of all kinds. */
size_t target_seed(unsigned n, u8 *out, size_t cap)
{
    static const u8 start[] = {
        3, 0, 4, 0, 6, 14, 0
    }; /* do_driver; do_ring with 64 entries; do_scanout */
    static const u8 bodies[][24] = {
        { 5, 0x44, 0, 5, 0x44, 0, 5, 0x41, 2, 17 },
        { 8, 0x21, 0, 0, 5, 0x4c, 0, 5, 0x4c, 0, 11, 0x85, 11, 0x85, 5, 0x44, 0 },
        { 8, 0x18, 1, 0, 0, 9, 3, 0, 0, 0, 5, 0x5c, 0, 11, 0x85, 15, 1 },
        { 8, 4, 0, 0, 9, 7, 0, 0, 0, 0, 0, 0, 0, 5, 0x5c, 0, 15, 1 },
        { 8, 0x0c, 0, 0, 9, 7, 0, 0, 1, 0, 0, 0, 0, 5, 0x5c, 0x20, 15, 1 },
        { 5, 0x44, 0, 21, 200, 3, 0, 4, 0, 6, 5, 0x44, 0, 21, 18, 5, 0x44, 0 },
        { 13, 0, 5, 0x44, 0, 17, 13, 1, 19, 15, 19, 6, 5, 0x44, 2 },
        { 4, 16, 6, 20, 17, 4, 2, 6, 0xff, 17, 0, 0xcc, 0, 1, 17, 5, 0x64, 0, 20, 3 },
    };
    if (n >= 2 * LEN(bodies) || cap < 64) return 0;
    size_t size = 0;
    out[size++] = (u8)(n & 1);
    memcpy(out + size, start, sizeof(start));
    size += sizeof(start);
    memcpy(out + size, bodies[n / 2], sizeof(bodies[0]));
    return size + sizeof(bodies[0]);
}
