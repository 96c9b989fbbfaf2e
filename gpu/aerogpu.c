/* AeroGPU, the paravirtual display adapter A3A0:0001 at 00:07.0: so far its PCI function only.
 *
 * BAR0 (64 KiB) answers MAGIC and ABI_VERSION, so software can tell the device and its version, and
 * reports no feature: both FEATURES registers read 0 and every other register reads its reset value
 * and ignores writes. BAR1 (64 MiB) is plain memory, zero after a cold reset. No interrupt is ever
 * raised and no memory is read.
 * With legacy=on it is the machine's VGA (vga_core.h): the planes are the first 256 KiB of BAR1,
 * the VBE framebuffer starts behind them, and the window at A0000h has a real VGA's semantics.
 * AeroGPU contract ABI 1.4, sections 3, 4 and 8.
 * Left out: ring, fences, scanout, cursor, vblank, error registers. */
#include "gpu/aerogpu.h"

#include <sys/mman.h>

#include "devices/pci.h"
#include "gpu/vga_core.h"

enum { REG_MAGIC = 0x000, REG_ABI_VERSION = 0x004, REGS_SIZE = 0x10000 };
enum { MAGIC = 0x55504741, ABI_VERSION = 0x00010004 };
#define VRAM_SIZE (64 * MIB)
#define LFB_AT 0x40000u /* the VBE framebuffer in BAR1 */

struct aerogpu {
    struct pci_dev pci;
    struct vga_core core;    /* dormant unless legacy */
    struct display *display; /* pointer "display" */
    u32 class_code;          /* option "class" */
    bool legacy;             /* option "legacy" */
    struct region regs, vram;
    u8 *vram_mem;
};

/* SCANOUT0_VBLANK_PERIOD_NS reads 0 too: the contract's value for a device without vblank. */
static u32 read_register(u32 offset)
{
    switch (offset) {
    case REG_MAGIC: return MAGIC;
    case REG_ABI_VERSION: return ABI_VERSION;
    default: return 0;
    }
}

/* Narrow and unaligned reads return the addressed bytes of the doublewords around them. */
static u64 regs_read(void *opaque, u64 offset, unsigned size)
{
    (void)opaque;
    u32 at = (u32)offset & ~3u;
    u64 pair = read_register(at) | (u64)read_register(at + 4) << 32;
    u64 value = (pair >> (8 * (offset & 3))) & mask_n(size);
    TRACE(aerogpu_rd, offset, value, 0, 0);
    return value;
}

static void regs_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    (void)opaque, (void)size;
    TRACE(aerogpu_wr, offset, value, 0, 0);
    LOG_GUEST("aerogpu", "write %llx to register %llx ignored: not implemented",
              (unsigned long long)value, (unsigned long long)offset);
}

static const struct io_ops regs_ops = { regs_read, regs_write, 1, 4 };

/* --- boot display --- */

static u32 lfb_base(void *opaque)
{
    u32 bar = pci_bar_addr(&((struct aerogpu *)opaque)->pci, 1);
    return bar ? bar + LFB_AT : 0;
}

/* The legacy ranges follow the command register as the BARs do. */
static void update_decode(struct aerogpu *g)
{
    u16 command = pci_command(&g->pci);
    vga_core_decode(&g->core, command & PCI_CMD_MEM, command & PCI_CMD_IO);
}

static void config_written(struct pci_dev *p, unsigned reg, unsigned size)
{
    (void)reg, (void)size;
    update_decode((struct aerogpu *)p);
}

static const struct pci_ops aerogpu_pci_ops = { config_written };

/* Until the driver claims the scanout this function is what the machine shows, also next to another
 * display. */
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
    g->core.lfb_at = LFB_AT;
    g->core.lfb_size = VRAM_SIZE - LFB_AT;
    g->core.lfb_base = lfb_base;
    g->core.owner = g;
    g->core.src.name = "aerogpu";
    g->core.src.claims = claims;
    return vga_core_init(&g->core, true, g->display, e);
}

/* --- device --- */

static int aerogpu_init(struct device *d, struct error *e)
{
    struct aerogpu *g = (struct aerogpu *)d;
    const struct pci_id id = { 0xa3a0, 0x0001, 0, g->class_code, 0xa3a0, 0x0001, 1, false };
    if (g->class_code >> 8 != 0x0300 && g->class_code >> 8 != 0x0380)
        return error_set(e, "class 0x%x is neither 0x030000 nor 0x038000", g->class_code);
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *mem = mmap(NULL, VRAM_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (mem == MAP_FAILED) return error_set(e, "no host memory for 64 MiB of video memory");
    g->vram_mem = mem;
    g->pci.ops = &aerogpu_pci_ops;
    if (pci_register(&g->pci, &id, e)) return -1;
    region_init_io(&g->regs, "aerogpu-regs", REGS_SIZE, &regs_ops, g);
    region_init_ram(&g->vram, "aerogpu-vram", VRAM_SIZE, g->vram_mem);
    pci_add_bar(&g->pci, 0, &g->regs, PCI_BAR_MEM);
    pci_add_bar(&g->pci, 1, &g->vram, PCI_BAR_PREFETCH);
    /* Without the legacy ranges it has no ports, and firmware that looks for the boot display by
     * this bit (SeaBIOS does) goes on to the one that has. */
    if (!g->legacy) g->pci.wmask[PCI_COMMAND] &= (u8)~PCI_CMD_IO;
    return g->legacy ? init_core(g, e) : 0;
}

/* Video memory is zero after reset; giving untouched pages back costs nothing. */
static void aerogpu_reset(struct device *d, enum reset_kind kind)
{
    (void)kind;
    struct aerogpu *g = (struct aerogpu *)d;
    pci_reset(&g->pci);
    madvise(g->vram_mem, VRAM_SIZE, MADV_DONTNEED);
    ram_written(&g->vram, 0, VRAM_SIZE);
    if (g->legacy) vga_core_reset(&g->core);
    update_decode(g);
}

static void aerogpu_post_load(struct device *d, u32 version)
{
    struct aerogpu *g = (struct aerogpu *)d;
    (void)version;
    pci_post_load(&g->pci);
    update_decode(g);
    if (g->legacy) vga_core_post_load(&g->core);
}

static void aerogpu_info(struct device *d, struct text *t)
{
    struct aerogpu *g = (struct aerogpu *)d;
    text_add(t, "ABI 1.4, features 0, BAR0 %08x BAR1 %08x\n", pci_bar_addr(&g->pci, 0),
             pci_bar_addr(&g->pci, 1));
    if (g->legacy) vga_core_info(&g->core, t);
}

static void aerogpu_fini(struct device *d)
{
    struct aerogpu *g = (struct aerogpu *)d;
    vga_core_fini(&g->core);
    pci_unregister(&g->pci);
    if (g->vram.size) region_fini(&g->vram);
    if (g->vram_mem) munmap(g->vram_mem, VRAM_SIZE);
}

static const struct device_option aerogpu_options[] = {
    PCI_OPTIONS("0x38"),
    { "class", OPT_U32, offsetof(struct aerogpu, class_code), "0x030000",
      "PCI class code: 0x030000 (VGA compatible) or 0x038000 (other display)" },
    { "legacy", OPT_BOOL, offsetof(struct aerogpu, legacy), "off",
      "is the boot display: answers the VGA ports, the DISPI ports and A0000h" },
    { "display", OPT_PTR, offsetof(struct aerogpu, display), NULL, "where its picture is shown" },
    { NULL, 0, 0, NULL, NULL },
};

static const struct device_field aerogpu_fields[] = {
    PCI_FIELDS,
    VGA_CORE_FIELDS(struct aerogpu, core),
    { NULL, 0, 0, 0, 0 },
};

const struct device_class aerogpu_class = {
    .name = "aerogpu",
    .help = "AeroGPU display adapter: identification, memory aperture, boot display",
    .size = sizeof(struct aerogpu),
    .version = 1,
    .options = aerogpu_options,
    .fields = aerogpu_fields,
    .init = aerogpu_init,
    .reset = aerogpu_reset,
    .post_load = aerogpu_post_load,
    .info = aerogpu_info,
    .fini = aerogpu_fini,
};
