/* Standard VGA, PCI function 1234:1111 (revision 2): the VGA core with 16 MiB of video memory in
 * BAR0, where planes and linear framebuffer share their bytes, a register window in BAR2 (EDID at
 * 0, VGA ports at 400h, DISPI registers at 500h) and the video BIOS in the expansion ROM. The
 * register window's layout is the one that the bochs-display and Standard VGA drivers of guests
 * use. With class 0380h ("other display") it decodes the same ranges; with legacy=off another
 * function owns them and only the BARs are left (device-set.md section 4). */
#include "gpu/vga.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "devices/pci.h"
#include "gpu/vga_core.h"

#define VGA_VRAM (16 * MIB)

struct vga {
    struct pci_dev pci; /* first */
    struct vga_core core;
    struct display *display; /* pointer "display" */
    struct vga_rom *rom;     /* pointer "rom" */
    u32 class_code;          /* option "class" */
    bool legacy;             /* option "legacy" */
    struct region lfb, regs, rom_region;
    u8 *vram, *rom_mem;
    u8 edid[128];
};

/* --- BAR2 --- */

enum {
    REGS_PORTS = 0x400,
    REGS_PORTS_END = 0x420,
    REGS_DISPI = 0x500,
    REGS_DISPI_END = REGS_DISPI + 2 * VBE_REGS
};
enum { REGS_EXT_SIZE = 0x600, REGS_ORDER = 0x604, ORDER_LITTLE = 0x1e1e1e1e };

static u8 dispi_byte(const struct vga *v, u32 off)
{
    return (u8)(vbe_read(&v->core, (u16)((off - REGS_DISPI) / 2)) >> (off & 1 ? 8 : 0));
}

static u64 regs_read(void *opaque, u64 off, unsigned size)
{
    struct vga *v = opaque;
    u64 val = 0;
    if (off + size <= sizeof(v->edid)) return ld_n(v->edid + off, size);
    if (off >= REGS_PORTS && off < REGS_PORTS_END)
        return vga_ports_read(&v->core, (u16)(0x3c0 + off - REGS_PORTS), size);
    if (off >= REGS_DISPI && off < REGS_DISPI_END) {
        for (unsigned k = 0; k < size; k++) val |= (u64)dispi_byte(v, (u32)off + k) << (8 * k);
        return val;
    }
    if (off == REGS_EXT_SIZE) return 8;
    if (off == REGS_ORDER) return ORDER_LITTLE;
    return off < REGS_PORTS ? 0 : mask_n(size);
}

/* A byte changes one half of a DISPI register; a doubleword is two registers. */
static void write_dispi(struct vga *v, u32 off, u64 value, unsigned size)
{
    u16 index = (u16)((off - REGS_DISPI) / 2), old = vbe_read(&v->core, index);
    if (size == 1) value = off & 1 ? (old & 0xffu) | value << 8 : (old & 0xff00u) | value;
    vbe_write(&v->core, index, (u16)value);
    if (size == 4) vbe_write(&v->core, (u16)(index + 1), (u16)(value >> 16));
}

static void regs_write(void *opaque, u64 off, u64 value, unsigned size)
{
    struct vga *v = opaque;
    if (off >= REGS_PORTS && off < REGS_PORTS_END)
        vga_ports_write(&v->core, (u16)(0x3c0 + off - REGS_PORTS), value, size);
    else if (off >= REGS_DISPI && off < REGS_DISPI_END)
        write_dispi(v, (u32)off, value, size);
}

static const struct io_ops regs_ops = { regs_read, regs_write, 1, 4 };

/* --- device --- */

static int map_rom(struct vga *v, struct error *e)
{
    if (!v->rom || !v->rom->size) return 0;
    u64 size = 0x1000;
    while (size < v->rom->size) size *= 2;
    if (size > 64 * KIB) return error_set(e, "the video BIOS is larger than 64 KiB");
    v->rom_mem = aligned_alloc(4096, size);
    check(v->rom_mem != NULL);
    memset(v->rom_mem, 0xff, size);
    memcpy(v->rom_mem, v->rom->data, v->rom->size);
    region_init_rom(&v->rom_region, "vga-rom", size, v->rom_mem);
    pci_add_bar(&v->pci, PCI_ROM_BAR, &v->rom_region, PCI_BAR_ROM);
    return 0;
}

/* The legacy ranges follow the command register as the BARs do. */
static void update_decode(struct vga *v)
{
    u16 command = pci_command(&v->pci);
    vga_core_decode(&v->core, command & PCI_CMD_MEM, command & PCI_CMD_IO);
}

static void config_written(struct pci_dev *p, unsigned reg, unsigned size)
{
    (void)reg, (void)size;
    update_decode((struct vga *)p);
}

static const struct pci_ops vga_pci_ops = { config_written };

static u32 lfb_base(void *opaque)
{
    return pci_bar_addr(&((struct vga *)opaque)->pci, 0);
}

static int vga_init(struct device *d, struct error *e)
{
    struct vga *v = (struct vga *)d;
    const struct pci_id id = {
        0x1234, 0x1111, 2, v->class_code, PCI_SUBSYS_VENDOR, PCI_SUBSYS_ID, 0, false,
    };
    if (v->class_code != 0x030000 && v->class_code != 0x038000)
        return error_set(e, "class must be 0x030000 or 0x038000");
    v->pci.ops = &vga_pci_ops;
    if (pci_register(&v->pci, &id, e)) return -1;
    void *p = mmap(NULL, VGA_VRAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return error_set(e, "no memory for 16 MiB of video memory");
    v->vram = p;
    region_init_ram(&v->lfb, "vga-vram", VGA_VRAM, v->vram);
    region_init_io(&v->regs, "vga-registers", 0x1000, &regs_ops, v);
    pci_add_bar(&v->pci, 0, &v->lfb, PCI_BAR_PREFETCH);
    pci_add_bar(&v->pci, 2, &v->regs, PCI_BAR_MEM);
    edid_fill(v->edid);
    v->core.host = d->host;
    v->core.mem = &v->lfb;
    v->core.vram = v->vram;
    v->core.lfb_size = VGA_VRAM;
    v->core.lfb_base = lfb_base;
    v->core.owner = v;
    v->core.src.name = v->legacy ? "vga" : "stdvga";
    return map_rom(v, e) || vga_core_init(&v->core, v->legacy, v->display, e) ? -1 : 0;
}

static void vga_reset(struct device *d, enum reset_kind kind)
{
    struct vga *v = (struct vga *)d;
    (void)kind;
    pci_reset(&v->pci);
    madvise(v->vram, VGA_VRAM, MADV_DONTNEED); /* zero again, and no longer resident */
    ram_written(&v->lfb, 0, VGA_VRAM);
    vga_core_reset(&v->core);
    update_decode(v);
}

static void vga_post_load(struct device *d, u32 version)
{
    struct vga *v = (struct vga *)d;
    (void)version;
    pci_post_load(&v->pci);
    update_decode(v);
    vga_core_post_load(&v->core);
}

static void vga_info(struct device *d, struct text *t)
{
    vga_core_info(&((struct vga *)d)->core, t);
}

static void vga_fini(struct device *d)
{
    struct vga *v = (struct vga *)d;
    vga_core_fini(&v->core);
    pci_unregister(&v->pci);
    if (v->rom_mem) region_fini(&v->rom_region);
    if (v->vram) {
        region_fini(&v->lfb);
        munmap(v->vram, VGA_VRAM);
    }
    free(v->rom_mem);
}

static const struct device_option vga_options[] = {
    PCI_OPTIONS("0x60"),
    { "class", OPT_U32, offsetof(struct vga, class_code), "0x030000",
      "PCI class code: 0x030000 (VGA) or 0x038000 (other display)" },
    { "legacy", OPT_BOOL, offsetof(struct vga, legacy), "on",
      "answers the VGA ports, the DISPI ports and A0000h" },
    { "display", OPT_PTR, offsetof(struct vga, display), NULL, "where its picture is shown" },
    { "rom", OPT_PTR, offsetof(struct vga, rom), NULL, "contents of the expansion ROM" },
    { 0 },
};

static const struct device_field vga_fields[] = {
    PCI_FIELDS,
    VGA_CORE_FIELDS(struct vga, core),
    { 0 },
};

const struct device_class vga_class = {
    .name = "vga",
    .help = "Standard VGA with Bochs VBE, 16 MiB (1234:1111)",
    .size = sizeof(struct vga),
    .version = 1,
    .options = vga_options,
    .fields = vga_fields,
    .init = vga_init,
    .reset = vga_reset,
    .post_load = vga_post_load,
    .info = vga_info,
    .fini = vga_fini,
};
