/* AeroGPU, the paravirtual display adapter A3A0:0001 at 00:07.0: its PCI function and its
 * registers.
 *
 * BAR0 (64 KiB) has the registers, BAR1 (64 MiB) plain memory, zero after a cold reset. Ring and
 * fences are in aerogpu_ring.c, scanout, cursor and vertical blank in aerogpu_scan.c; commands go
 * to the executor of option "exec" (exec.h). With legacy=on it is the machine's VGA too
 * (vga_core.h): the planes are the first 256 KiB of BAR1, the VBE framebuffer starts behind them.
 * The window at A0000h is BAR1 byte for byte until a mode is programmed and in chain-4 modes, a
 * bank of the framebuffer in VBE modes, and has a real VGA's semantics in planar and text modes,
 * where one address is several bytes. AeroGPU contract ABI 1.4, parts "PCI function and registers"
 * and "ring"; its retired predecessors are not recognised. */
#include "gpu/aerogpu.h"

#include <stdio.h>
#include <sys/mman.h>

#include "gpu/aerogpu_dev.h"

/* ---- interrupts and errors ---- */

void agpu_update_irq(struct aerogpu *g)
{
    pci_set_irq(&g->pci, g->irq_status & g->irq_enable);
}

void agpu_error(struct aerogpu *g, enum agpu_error code, u64 fence, const char *why)
{
    g->error_code = code;
    g->error_fence = fence;
    if (g->error_count != UINT32_MAX) g->error_count++;
    g->irq_status |= AGPU_IRQ_ERROR;
    struct agpu_error_note *note = &g->notes[g->errors++ % LEN(g->notes)];
    note->time = clock_now(g->pci.dev.host->clock);
    note->fence = fence;
    note->code = code;
    snprintf(note->why, sizeof(note->why), "%s", why ? why : "executor");
    TRACE_TEXT(aerogpu_error, code, fence, g->error_count, 0, note->why);
    LOG(LOG_WARN, "aerogpu", "error %u at fence %llu: %s", code, (unsigned long long)fence,
        note->why);
    agpu_update_irq(g);
}

/* ---- registers ---- */

u32 agpu_features(const struct aerogpu *g)
{
    return AGPU_F_FENCE_PAGE | AGPU_F_CURSOR | AGPU_F_SCANOUT | AGPU_F_ERROR_INFO |
           (g->vblank ? AGPU_F_VBLANK : 0) | (g->transfer ? AGPU_F_TRANSFER : 0);
}

/* Plain registers: offset and field. Those with side effects on writing are handled before. */
static u32 *plain(struct aerogpu *g, u32 offset)
{
    switch (offset) {
    case AGPU_R_RING_SIZE: return &g->ring_size;
    case AGPU_R_SCAN_WIDTH: return &g->scan.width;
    case AGPU_R_SCAN_HEIGHT: return &g->scan.height;
    case AGPU_R_SCAN_FORMAT: return &g->scan.format;
    case AGPU_R_SCAN_PITCH: return &g->scan.pitch;
    case AGPU_R_CURSOR_X: return &g->cursor_x;
    case AGPU_R_CURSOR_Y: return &g->cursor_y;
    case AGPU_R_CURSOR_HOT_X: return &g->cursor_hot_x;
    case AGPU_R_CURSOR_HOT_Y: return &g->cursor_hot_y;
    case AGPU_R_CURSOR_WIDTH: return &g->cursor.width;
    case AGPU_R_CURSOR_HEIGHT: return &g->cursor.height;
    case AGPU_R_CURSOR_FORMAT: return &g->cursor.format;
    case AGPU_R_CURSOR_PITCH: return &g->cursor.pitch;
    default: return NULL;
    }
}

static u32 low(u64 v)
{
    return (u32)v;
}

static u32 high(u64 v)
{
    return (u32)(v >> 32);
}

static u32 read_register(struct aerogpu *g, u32 offset)
{
    const u32 *p = plain(g, offset);
    if (p) return *p;
    switch (offset) {
    case AGPU_R_MAGIC: return AGPU_MAGIC;
    case AGPU_R_ABI_VERSION: return AGPU_ABI_VERSION;
    case AGPU_R_FEATURES_LO: return agpu_features(g);
    case AGPU_R_RING_GPA_LO: return low(g->ring_gpa);
    case AGPU_R_RING_GPA_HI: return high(g->ring_gpa);
    case AGPU_R_RING_CONTROL: return g->ring_control;
    case AGPU_R_FENCE_GPA_LO: return low(g->fence_gpa);
    case AGPU_R_FENCE_GPA_HI: return high(g->fence_gpa);
    case AGPU_R_COMPLETED_LO: return low(g->completed);
    case AGPU_R_COMPLETED_HI: return high(g->completed);
    case AGPU_R_IRQ_STATUS: return g->irq_status;
    case AGPU_R_IRQ_ENABLE: return g->irq_enable;
    case AGPU_R_ERROR_CODE: return g->error_code;
    case AGPU_R_ERROR_FENCE_LO: return low(g->error_fence);
    case AGPU_R_ERROR_FENCE_HI: return high(g->error_fence);
    case AGPU_R_ERROR_COUNT: return g->error_count;
    case AGPU_R_SCAN_ENABLE: return g->scan.enable;
    case AGPU_R_SCAN_GPA_LO: return g->scan.fb.pending ? g->scan.fb.low : low(g->scan.fb.gpa);
    case AGPU_R_SCAN_GPA_HI: return high(g->scan.fb.gpa);
    case AGPU_R_VBLANK_SEQ_LO: return low(g->vblank_seq);
    case AGPU_R_VBLANK_SEQ_HI: return high(g->vblank_seq);
    case AGPU_R_VBLANK_TIME_LO: return low(g->vblank_time);
    case AGPU_R_VBLANK_TIME_HI: return high(g->vblank_time);
    case AGPU_R_VBLANK_PERIOD: return g->vblank ? AGPU_VBLANK_NS : 0;
    case AGPU_R_CURSOR_ENABLE: return g->cursor.enable;
    case AGPU_R_CURSOR_GPA_LO:
        return g->cursor.fb.pending ? g->cursor.fb.low : low(g->cursor.fb.gpa);
    case AGPU_R_CURSOR_GPA_HI: return high(g->cursor.fb.gpa);
    default: return 0;
    }
}

static void set_low(u64 *v, u32 half)
{
    *v = (*v & ~0xffffffffull) | half;
}

static void set_high(u64 *v, u32 half)
{
    *v = (*v & 0xffffffff) | (u64)half << 32;
}

static void latch_low(struct agpu_latch *l, u32 v)
{
    l->low = v;
    l->pending = true;
}

static void latch_high(struct agpu_latch *l, u32 v)
{
    l->gpa = (u64)v << 32 | (l->pending ? l->low : low(l->gpa));
    l->pending = false;
}

static void write_irq_enable(struct aerogpu *g, u32 v)
{
    /* Edges that passed unseen raise nothing when the interrupt is switched on. */
    agpu_vblank_run(g, !(g->irq_enable & AGPU_IRQ_VBLANK));
    g->irq_enable = v;
    g->irq_status &= v | ~(AGPU_IRQ_FENCE | AGPU_IRQ_VBLANK);
    agpu_update_irq(g);
}

static void write_ring_control(struct aerogpu *g, u32 v)
{
    g->ring_control = v & AGPU_RING_ENABLE;
    if (v & AGPU_RING_RESET)
        agpu_ring_reset(g);
    else if (v & AGPU_RING_ENABLE)
        agpu_ring_start(g);
}

/* The driver stops: the ring is off, then its address becomes 0. */
static void check_power_down(struct aerogpu *g)
{
    if (!(g->ring_control & AGPU_RING_ENABLE) && !g->ring_gpa && !g->powered_down)
        agpu_ring_power_down(g);
}

/* Registers that do more than hold a value. False: not one of them. */
static bool write_special(struct aerogpu *g, u32 offset, u32 v)
{
    switch (offset) {
    case AGPU_R_RING_GPA_LO:
        set_low(&g->ring_gpa, v);
        check_power_down(g);
        break;
    case AGPU_R_RING_GPA_HI:
        set_high(&g->ring_gpa, v);
        check_power_down(g);
        break;
    case AGPU_R_RING_CONTROL: write_ring_control(g, v); break;
    case AGPU_R_FENCE_GPA_LO: set_low(&g->fence_gpa, v); break;
    case AGPU_R_FENCE_GPA_HI: set_high(&g->fence_gpa, v); break;
    case AGPU_R_DOORBELL: agpu_doorbell(g); break;
    case AGPU_R_IRQ_ENABLE: write_irq_enable(g, v); break;
    case AGPU_R_IRQ_ACK:
        g->irq_status &= ~v;
        agpu_update_irq(g);
        break;
    case AGPU_R_SCAN_ENABLE: agpu_scan_enable(g, v != 0); break;
    case AGPU_R_SCAN_GPA_LO: latch_low(&g->scan.fb, v); break;
    case AGPU_R_SCAN_GPA_HI: latch_high(&g->scan.fb, v); break;
    case AGPU_R_CURSOR_ENABLE:
        g->cursor.enable = v != 0;
        if (!v) g->cursor.fb.pending = false;
        break;
    case AGPU_R_CURSOR_GPA_LO: latch_low(&g->cursor.fb, v); break;
    case AGPU_R_CURSOR_GPA_HI: latch_high(&g->cursor.fb, v); break;
    default: return false;
    }
    return true;
}

static void write_register(struct aerogpu *g, u32 offset, u32 v)
{
    if (!write_special(g, offset, v)) {
        u32 *p = plain(g, offset);
        if (!p) {
            LOG_GUEST("aerogpu", "write %x to register %x ignored", v, offset);
            return;
        }
        *p = v;
    }
    if (offset >= AGPU_R_SCAN_ENABLE && offset <= AGPU_R_SCAN_GPA_HI) agpu_scan_written(g);
}

/* Narrow and unaligned reads return the addressed bytes of the doublewords around them. */
static u64 regs_read(void *opaque, u64 offset, unsigned size)
{
    struct aerogpu *g = opaque;
    u32 at = (u32)offset & ~3u;
    agpu_vblank_run(g, false);
    u64 pair = read_register(g, at) | (u64)read_register(g, at + 4) << 32;
    u64 value = (pair >> (8 * (offset & 3))) & mask_n(size);
    TRACE_TEXT(aerogpu_rd, offset, value, 0, 0, agpu_register_name((u32)offset));
    return value;
}

/* A narrow write changes some bytes of what the register reads: 0 for those that are written only.
 */
static void regs_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct aerogpu *g = opaque;
    TRACE_TEXT(aerogpu_wr, offset, value, 0, 0, agpu_register_name((u32)offset));
    agpu_vblank_run(g, false);
    while (size) {
        u32 at = (u32)offset & ~3u;
        unsigned lane = (unsigned)offset & 3, n = MIN(size, 4 - lane);
        u32 mask = (u32)mask_n(n) << (8 * lane);
        u32 v = (read_register(g, at) & ~mask) | ((u32)value << (8 * lane) & mask);
        write_register(g, at, v);
        value >>= 8 * n;
        offset += n;
        size -= n;
    }
}

static const struct io_ops regs_ops = { regs_read, regs_write, 1, 4 };

/* The legacy ranges follow the command register as the BARs do. */
static void update_decode(struct aerogpu *g)
{
    u16 command = pci_command(&g->pci);
    vga_core_decode(&g->core, command & PCI_CMD_MEM, command & PCI_CMD_IO);
}

static void config_written(struct pci_dev *p, unsigned reg, unsigned size)
{
    struct aerogpu *g = (struct aerogpu *)p;
    update_decode(g);
    if (reg > PCI_COMMAND + 1 || reg + size <= PCI_COMMAND) return;
    g->scan_dirty = true;
    if (agpu_master(g)) agpu_master_on(g);
}

static const struct pci_ops pci_ops = { config_written };

/* --- boot display --- */

static u32 lfb_base(void *opaque)
{
    u32 bar = pci_bar_addr(&((struct aerogpu *)opaque)->pci, 1);
    return bar ? bar + AGPU_LFB_OFFSET : 0;
}

/* As the boot display it is what the machine shows, also next to another display; scanout 0, a
 * source of its own that is registered later, goes before it once the driver has claimed it. */
static bool claims(void *opaque)
{
    (void)opaque;
    return true;
}

static int init_core(struct aerogpu *g, struct error *e)
{
    g->core.host = g->pci.dev.host;
    g->core.mem = &g->vram;
    g->core.vram = g->vram_mem;
    g->core.lfb_at = AGPU_LFB_OFFSET;
    g->core.linear = true;
    g->core.lfb_size = AGPU_VRAM_SIZE - AGPU_LFB_OFFSET;
    g->core.lfb_base = lfb_base;
    g->core.owner = g;
    g->core.src.name = "vga";
    g->core.src.claims = claims;
    return vga_core_init(&g->core, true, g->display, e);
}

/* --- device --- */

static int aerogpu_init(struct device *d, struct error *e)
{
    struct aerogpu *g = (struct aerogpu *)d;
    const struct pci_id id = { 0xa3a0, 0x0001, 0, g->class_code, 0xa3a0, 0x0001, 1, false };
    agpu_timers_init(g);
    if (g->class_code >> 8 != 0x0300 && g->class_code >> 8 != 0x0380)
        return error_set(e, "class 0x%x is neither 0x030000 nor 0x038000", g->class_code);
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *mem = mmap(NULL, AGPU_VRAM_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (mem == MAP_FAILED) return error_set(e, "no host memory for 64 MiB of video memory");
    g->vram_mem = mem;
    g->pci.ops = &pci_ops;
    if (pci_register(&g->pci, &id, e)) return -1;
    region_init_io(&g->regs, "aerogpu-regs", AGPU_BAR0_SIZE, &regs_ops, g);
    region_init_ram(&g->vram, "aerogpu-vram", AGPU_VRAM_SIZE, g->vram_mem);
    pci_add_bar(&g->pci, 0, &g->regs, PCI_BAR_MEM);
    pci_add_bar(&g->pci, 1, &g->vram, PCI_BAR_PREFETCH);
    /* Without the legacy ranges it has no ports, and firmware that looks for the boot display by
     * this bit (SeaBIOS does) goes on to the one that has. */
    if (!g->legacy) g->pci.wmask[PCI_COMMAND] &= (u8)~PCI_CMD_IO;
    if (g->legacy && init_core(g, e)) return -1;
    if (agpu_ring_init(g, e)) return -1;
    agpu_scan_init(g);
    return 0;
}

/* Video memory is zero after reset; giving untouched pages back costs nothing. */
static void aerogpu_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct aerogpu *g = (struct aerogpu *)d;
    agpu_ring_forget(g);
    g->ring_gpa = g->fence_gpa = 0;
    g->ring_size = g->ring_control = g->irq_enable = 0;
    agpu_scan_reset(g);
    pci_reset(&g->pci);
    madvise(g->vram_mem, AGPU_VRAM_SIZE, MADV_DONTNEED);
    ram_written(&g->vram, 0, AGPU_VRAM_SIZE);
    if (g->legacy) vga_core_reset(&g->core);
    update_decode(g);
}

static void aerogpu_post_load(struct device *d, u32 version)
{
    struct aerogpu *g = (struct aerogpu *)d;
    (void)version;
    pci_post_load(&g->pci);
    update_decode(g);
    if (g->scan.enable && g->vblank) timer_set(&g->vblank_timer, g->vblank_next);
    g->scan_dirty = true;
    g->activity = clock_now(g->pci.dev.host->clock); /* no mode was set since */
    if (g->legacy) vga_core_post_load(&g->core);
}

static void aerogpu_fini(struct device *d)
{
    struct aerogpu *g = (struct aerogpu *)d;
    agpu_ring_fini(g);
    timer_cancel(&g->vblank_timer);
    vga_core_fini(&g->core);
    pci_unregister(&g->pci);
    if (g->vram.size) region_fini(&g->vram);
    if (g->vram_mem) munmap(g->vram_mem, AGPU_VRAM_SIZE);
}

static const struct device_option aerogpu_options[] = {
    PCI_OPTIONS("0x38"),
    { "class", OPT_U32, offsetof(struct aerogpu, class_code), "0x030000",
      "PCI class code: 0x030000 (VGA compatible) or 0x038000 (other display)" },
    { "legacy", OPT_BOOL, offsetof(struct aerogpu, legacy), "off",
      "is the boot display: answers the VGA ports, the DISPI ports and A0000h" },
    { "vblank", OPT_BOOL, offsetof(struct aerogpu, vblank), "on", "vertical blanks at 60 Hz" },
    { "exec", OPT_STR, offsetof(struct aerogpu, exec_name), "soft",
      "what executes commands: soft, none (fences complete, nothing is drawn), or bridge (another "
      "process)" },
    { "thread", OPT_BOOL, offsetof(struct aerogpu, threaded), "on",
      "commands are executed beside the machine, not in its time (never with --clock insn)" },
    { "socket", OPT_STR, offsetof(struct aerogpu, socket), "",
      "exec=bridge: path of the local socket at which the executing process connects" },
    { "record", OPT_STR, offsetof(struct aerogpu, record), "",
      "write every submission with what it needs to this file, for aeropc gpu-replay" },
    { "workers", OPT_U32, offsetof(struct aerogpu, workers), "0",
      "exec=soft: threads that draw; 0: by the host's cores. The picture is the same" },
    { "fast", OPT_BOOL, offsetof(struct aerogpu, fast), "on",
      "exec=soft: short ways for fills and copies; off draws the same, slower" },
    { "soft", OPT_STR, offsetof(struct aerogpu, soft), "",
      "exec=soft: memory=MIB,fog=on|off,centre[@CONTEXT]=auto|on|off" },
    { "display", OPT_PTR, offsetof(struct aerogpu, display), NULL, "where its picture is shown" },
    { NULL, 0, 0, NULL, NULL },
};

static const struct device_field aerogpu_fields[] = {
    PCI_FIELDS,
    VGA_CORE_FIELDS(struct aerogpu, core),
    FIELD(struct aerogpu, ring_gpa),
    FIELD(struct aerogpu, fence_gpa),
    FIELD(struct aerogpu, completed),
    FIELD(struct aerogpu, ring_size),
    FIELD(struct aerogpu, ring_control),
    FIELD(struct aerogpu, irq_status),
    FIELD(struct aerogpu, irq_enable),
    FIELD(struct aerogpu, error_code),
    FIELD(struct aerogpu, error_count),
    FIELD(struct aerogpu, error_fence),
    FIELD(struct aerogpu, scan),
    FIELD(struct aerogpu, cursor),
    FIELD(struct aerogpu, cursor_x),
    FIELD(struct aerogpu, cursor_y),
    FIELD(struct aerogpu, cursor_hot_x),
    FIELD(struct aerogpu, cursor_hot_y),
    FIELD(struct aerogpu, doorbell_pending),
    FIELD(struct aerogpu, reset_pending),
    FIELD(struct aerogpu, page_pending),
    FIELD(struct aerogpu, powered_down),
    FIELD(struct aerogpu, vblank_next),
    FIELD(struct aerogpu, vblank_seq),
    FIELD(struct aerogpu, vblank_time),
    FIELD(struct aerogpu, claimed),
    { NULL, 0, 0, 0, 0 },
};

const struct device_class aerogpu_class = {
    .name = "aerogpu",
    .help = "AeroGPU display adapter: ring, fences, scanout, cursor, boot display",
    .size = sizeof(struct aerogpu),
    .version = 1,
    .options = aerogpu_options,
    .fields = aerogpu_fields,
    .init = aerogpu_init,
    .reset = aerogpu_reset,
    .post_load = aerogpu_post_load,
    .info = agpu_info,
    .fini = aerogpu_fini,
};
