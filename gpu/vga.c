/* Standard VGA, PCI function 1234:1111 (revision 2): the VGA's registers behind ports 3B0h-3DFh, the Bochs VBE registers, 16 MiB of video
 * memory in BAR0, a register window in BAR2 (EDID at 0, VGA ports at 400h, DISPI registers at 500h) and the video BIOS in the expansion ROM.
 * IBM VGA technical reference; the register window's layout is the one that the bochs-display and Standard VGA drivers of guests use. With class
 * 0380h ("other display") it decodes the same ranges (device-set.md section 4, variants D-c, D-d).
 * Left out: light pen, and interrupts at vertical retrace, which PCI adapters of this family do not raise either. */
#include "gpu/vga_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { LINE_NS = 31778 }; /* 31.47 kHz */

/* --- timing --- */

static u8 input_status_1(struct vga *v)
{
    u32 total = (v->crtc[6] | (v->crtc[7] & 1u) << 8 | (v->crtc[7] & 0x20u) << 4) + 2;
    u32 shown = (v->crtc[0x12] | (v->crtc[7] & 2u) << 7 | (v->crtc[7] & 0x40u) << 3) + 1;
    u32 retrace = v->crtc[0x10] | (v->crtc[7] & 4u) << 6 | (v->crtc[7] & 0x80u) << 2;
    if (total < 100) total = 449; /* nothing programmed yet: a text mode's frame */
    u64 now = clock_now(v->pci.dev.host->clock);
    u32 line = (u32)(now / LINE_NS % total), dot = (u32)(now % LINE_NS);
    u8 s = 0;
    if (line >= shown || dot > LINE_NS * 4 / 5) s |= 1;
    if (line >= retrace && line < retrace + 4) s |= 9;
    return s;
}

/* --- registers --- */

static u8 dac_read_data(struct vga *v)
{
    u8 b = v->dac[v->dac_read][v->dac_sub];
    if (++v->dac_sub == 3) {
        v->dac_sub = 0;
        v->dac_read++;
    }
    return b;
}

static void dac_write_data(struct vga *v, u8 b)
{
    bool wide = v->vbe[VBE_ENABLE] & VBE_8BIT_DAC;
    v->dac_latch[v->dac_sub] = wide ? b : b & 0x3f;
    if (++v->dac_sub < 3) return;
    v->dac_sub = 0;
    memcpy(v->dac[v->dac_write++], v->dac_latch, 3);
}

static void attr_write(struct vga *v, u8 b)
{
    if (!v->attr_data) v->attr_index = b & 0x3f;
    else if ((v->attr_index & 0x1f) < 0x15 && ((v->attr_index & 0x1f) >= 0x10 || !(v->attr_index & 0x20))) v->attr[v->attr_index & 0x1f] = b;
    v->attr_data = !v->attr_data;
}

static void crtc_write(struct vga *v, u8 b)
{
    if (v->crtc_index >= 0x19) return;
    if (v->crtc[0x11] & 0x80 && v->crtc_index < 8) { /* locked, but for the line compare bit */
        if (v->crtc_index == 7) v->crtc[7] = (u8)((v->crtc[7] & ~0x10) | (b & 0x10));
        return;
    }
    v->crtc[v->crtc_index] = b;
}

static bool port_decoded(const struct vga *v, u16 port)
{
    bool colour = v->misc & 1;
    if (port >= 0x3b4 && port <= 0x3bb) return !colour;
    if (port >= 0x3d4 && port <= 0x3db) return colour;
    return true;
}

static u8 read_port(struct vga *v, u16 port)
{
    if (!port_decoded(v, port)) return 0xff;
    switch (port) {
    case 0x3c0: return v->attr_index;
    case 0x3c1: return (v->attr_index & 0x1f) < 0x15 ? v->attr[v->attr_index & 0x1f] : 0;
    case 0x3c2: return 0x10; /* switch sense: a colour monitor is there */
    case 0x3c4: return v->seq_index;
    case 0x3c5: return v->seq[v->seq_index & 7];
    case 0x3c6: return v->dac_mask;
    case 0x3c7: return v->dac_reading ? 3 : 0;
    case 0x3c8: return v->dac_write;
    case 0x3c9: return dac_read_data(v);
    case 0x3ca: return v->feature;
    case 0x3cc: return v->misc;
    case 0x3ce: return v->gc_index;
    case 0x3cf: return v->gc[v->gc_index & 15];
    case 0x3b4: case 0x3d4: return v->crtc_index;
    case 0x3b5: case 0x3d5: return v->crtc_index < 0x19 ? v->crtc[v->crtc_index] : 0;
    case 0x3ba: case 0x3da: v->attr_data = false; return input_status_1(v);
    default: return 0xff;
    }
}

static void write_port(struct vga *v, u16 port, u8 b)
{
    static const u8 seq_mask[8] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e }, gc_mask[16] = { 15, 15, 15, 0x1f, 3, 0x7b, 15, 15, 0xff };
    if (!port_decoded(v, port)) return;
    v->dirty |= port != 0x3c4 && port != 0x3ce && port != 0x3d4 && port != 0x3b4; /* an index alone changes nothing on screen */
    switch (port) {
    case 0x3c0: attr_write(v, b); break;
    case 0x3c2: v->misc = b; break;
    case 0x3c4: v->seq_index = b & 7; break;
    case 0x3c5: v->seq[v->seq_index] = b & seq_mask[v->seq_index]; break;
    case 0x3c6: v->dac_mask = b; break;
    case 0x3c7: v->dac_read = b, v->dac_sub = 0, v->dac_reading = true; break;
    case 0x3c8: v->dac_write = b, v->dac_sub = 0, v->dac_reading = false; break;
    case 0x3c9: dac_write_data(v, b); break;
    case 0x3ce: v->gc_index = b & 15; break;
    case 0x3cf: v->gc[v->gc_index] = b & gc_mask[v->gc_index]; break;
    case 0x3b4: case 0x3d4: v->crtc_index = b & 0x3f; break;
    case 0x3b5: case 0x3d5: crtc_write(v, b); break;
    case 0x3ba: case 0x3da: v->feature = b & 0x0b; break;
    default: break;
    }
}

/* The two port ranges: opaque is the device, the region's offset counts from its first port. */
static u64 ports_read(struct vga *v, u16 port, unsigned size)
{
    u64 val = 0;
    for (unsigned k = 0; k < size; k++) val |= (u64)read_port(v, (u16)(port + k)) << (8 * k);
    return val;
}

static void ports_write(struct vga *v, u16 port, u64 value, unsigned size)
{
    for (unsigned k = 0; k < size; k++) write_port(v, (u16)(port + k), (u8)(value >> (8 * k)));
}

static u64 ports_b_read(void *opaque, u64 off, unsigned size)
{
    return ports_read(opaque, (u16)(0x3b0 + off), size);
}

static void ports_b_write(void *opaque, u64 off, u64 value, unsigned size)
{
    ports_write(opaque, (u16)(0x3b0 + off), value, size);
}

static u64 ports_c_read(void *opaque, u64 off, unsigned size)
{
    return ports_read(opaque, (u16)(0x3c0 + off), size);
}

static void ports_c_write(void *opaque, u64 off, u64 value, unsigned size)
{
    ports_write(opaque, (u16)(0x3c0 + off), value, size);
}

static const struct io_ops ports_b_ops = { ports_b_read, ports_b_write, 1, 4 };
static const struct io_ops ports_c_ops = { ports_c_read, ports_c_write, 1, 4 };

/* --- BAR2 --- */

static u64 regs_read(void *opaque, u64 off, unsigned size)
{
    struct vga *v = opaque;
    if (off < 128 && off + size <= 128) return ld_n(v->edid + off, size);
    if (off >= 0x400 && off < 0x420) return ports_read(v, (u16)(0x3c0 + off - 0x400), size);
    if (off >= 0x500 && off < 0x500 + 2 * VBE_REGS) {
        u16 word = vbe_read(v, (u16)((off - 0x500) / 2));
        return size == 1 && off & 1 ? word >> 8 : word;
    }
    if (off == 0x600) return 8; /* size of the extension block */
    if (off == 0x604) return 0x1e1e1e1e; /* framebuffer is little-endian */
    return off < 0x400 ? 0 : mask_n(size);
}

static void regs_write(void *opaque, u64 off, u64 value, unsigned size)
{
    struct vga *v = opaque;
    if (off >= 0x400 && off < 0x420) {
        ports_write(v, (u16)(0x3c0 + off - 0x400), value, size);
    } else if (off >= 0x500 && off < 0x500 + 2 * VBE_REGS) {
        u16 index = (u16)((off - 0x500) / 2);
        if (size == 1) {
            u16 old = vbe_read(v, index);
            value = off & 1 ? (u64)(old & 0xff) | value << 8 : (old & 0xff00u) | value;
        }
        vbe_write(v, index, (u16)value);
    }
}

static const struct io_ops regs_ops = { regs_read, regs_write, 1, 4 };

/* --- device --- */

static int map_ports(struct vga *v, struct error *e)
{
    struct host_if *h = v->pci.dev.host;
    region_init_io(&v->window, "vga-window", 0x20000, &vga_window_ops, v);
    region_init_io(&v->ports_b, "vga-ports-mono", 0x10, &ports_b_ops, v);
    region_init_io(&v->ports_c, "vga-ports", 0x20, &ports_c_ops, v);
    region_init_io(&v->dispi, "vbe-dispi", 3, &vga_dispi_ops, v);
    if (bus_map(h->mem, 0xa0000, &v->window, 1, e) || bus_map(h->io, 0x3b0, &v->ports_b, 0, e)) return -1;
    return bus_map(h->io, 0x3c0, &v->ports_c, 0, e) || bus_map(h->io, 0x1ce, &v->dispi, 0, e) ? -1 : 0;
}

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

static int vga_init(struct device *d, struct error *e)
{
    struct vga *v = (struct vga *)d;
    const struct pci_id id = { 0x1234, 0x1111, 2, v->class_code, PCI_SUBSYS_VENDOR, PCI_SUBSYS_ID, 0, false };
    if (v->class_code != 0x030000 && v->class_code != 0x038000) return error_set(e, "class must be 0x030000 or 0x038000");
    if (pci_register(&v->pci, &id, e)) return -1;
    void *p = mmap(NULL, VGA_VRAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return error_set(e, "no memory for 16 MiB of video memory");
    v->vram = p;
    region_init_ram(&v->lfb, "vga-vram", VGA_VRAM, v->vram);
    region_init_io(&v->regs, "vga-registers", 0x1000, &regs_ops, v);
    pci_add_bar(&v->pci, 0, &v->lfb, PCI_BAR_PREFETCH);
    pci_add_bar(&v->pci, 2, &v->regs, PCI_BAR_MEM);
    if (map_rom(v, e) || map_ports(v, e)) return -1;
    edid_fill(v->edid);
    vbe_init_caps(v);
    v->src = (struct display_source){ .name = "vga", .opaque = v, .refresh = vga_refresh };
    if (v->display) display_add_source(v->display, &v->src);
    return 0;
}

static void vga_reset(struct device *d, enum reset_kind kind)
{
    struct vga *v = (struct vga *)d;
    (void)kind;
    pci_reset(&v->pci);
    v->misc = v->feature = v->seq_index = v->gc_index = v->crtc_index = v->attr_index = 0;
    memset(v->seq, 0, sizeof(v->seq));
    memset(v->gc, 0, sizeof(v->gc));
    memset(v->crtc, 0, sizeof(v->crtc));
    memset(v->attr, 0, sizeof(v->attr));
    memset(v->dac, 0, sizeof(v->dac));
    memset(v->vbe, 0, sizeof(v->vbe));
    v->vbe[VBE_ID] = 0xb0c5;
    v->vbe[VBE_BPP] = 8;
    v->vbe_index = 0;
    v->attr_data = v->dac_reading = false;
    v->dac_mask = 0xff;
    v->dac_read = v->dac_write = v->dac_sub = 0;
    v->latch = 0;
    memset(v->vram, 0, VGA_VRAM);
    ram_written(&v->lfb, 0, VGA_VRAM);
    vbe_update_bank(v);
    v->dirty = true;
}

static void vga_post_load(struct device *d, u32 version)
{
    struct vga *v = (struct vga *)d;
    (void)version;
    pci_post_load(&v->pci);
    vbe_update_bank(v);
    v->dirty = true;
}

static void vga_info(struct device *d, struct text *t)
{
    struct vga *v = (struct vga *)d;
    text_add(t, "picture: %s\nLFB at %08x, misc %02x\n", v->source, pci_bar_addr(&v->pci, 0), v->misc);
    text_add(t, "DISPI: %ux%ux%u enable %02x bank %u virtual %ux%u offset %u,%u\n", v->vbe[VBE_XRES], v->vbe[VBE_YRES], v->vbe[VBE_BPP],
             v->vbe[VBE_ENABLE], v->vbe[VBE_BANK], v->vbe[VBE_VIRT_W], v->vbe[VBE_VIRT_H], v->vbe[VBE_X_OFF], v->vbe[VBE_Y_OFF]);
    static const char *const names[] = { "sequencer", "graphics", "CRTC", "attribute" };
    const u8 *regs[] = { v->seq, v->gc, v->crtc, v->attr };
    static const u8 counts[] = { 5, 9, 0x19, 0x15 };
    for (unsigned k = 0; k < LEN(names); k++) {
        text_add(t, "%s:", names[k]);
        for (unsigned n = 0; n < counts[k]; n++) text_add(t, " %02x", regs[k][n]);
        text_add(t, "\n");
    }
}

static void vga_fini(struct device *d)
{
    struct vga *v = (struct vga *)d;
    if (v->bank_mapped) bus_unmap(&v->bank);
    bus_unmap(&v->window);
    bus_unmap(&v->ports_b);
    bus_unmap(&v->ports_c);
    bus_unmap(&v->dispi);
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
    { "class", OPT_U32, offsetof(struct vga, class_code), "0x030000", "PCI class code: 0x030000 (VGA) or 0x038000 (other display)" },
    { "display", OPT_PTR, offsetof(struct vga, display), NULL, "where its picture is shown" },
    { "rom", OPT_PTR, offsetof(struct vga, rom), NULL, "contents of the expansion ROM" },
    { 0 },
};

static const struct device_field vga_fields[] = {
    PCI_FIELDS, FIELD(struct vga, misc), FIELD(struct vga, feature), FIELD(struct vga, seq_index), FIELD_ARRAY(struct vga, seq),
    FIELD(struct vga, gc_index), FIELD_ARRAY(struct vga, gc), FIELD(struct vga, crtc_index), FIELD_ARRAY(struct vga, crtc),
    FIELD(struct vga, attr_index), FIELD_ARRAY(struct vga, attr), FIELD(struct vga, attr_data), FIELD_ARRAY(struct vga, dac),
    FIELD(struct vga, dac_mask), FIELD(struct vga, dac_read), FIELD(struct vga, dac_write), FIELD(struct vga, dac_sub),
    FIELD_ARRAY(struct vga, dac_latch), FIELD(struct vga, dac_reading), FIELD(struct vga, latch), FIELD(struct vga, vbe_index),
    FIELD_ARRAY(struct vga, vbe), { 0 },
};

const struct device_class vga_class = {
    .name = "vga", .help = "Standard VGA with Bochs VBE, 16 MiB (1234:1111)", .size = sizeof(struct vga), .version = 1,
    .options = vga_options, .fields = vga_fields, .init = vga_init, .reset = vga_reset, .post_load = vga_post_load, .info = vga_info,
    .fini = vga_fini,
};
