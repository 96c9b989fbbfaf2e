/* The VGA's registers behind 3B0h-3DFh: sequencer, graphics controller, CRTC, attribute controller,
 * DAC and the two status registers, whose retrace bits follow the virtual clock. Other files derive
 * the picture and the memory window from them. IBM VGA technical reference. A write marks the
 * picture dirty only when it changed something, so that programs which rewrite the same values at
 * every tick cost nothing. Left out: light pen, interrupts at vertical retrace (PCI adapters of
 * this family raise none), the EGA's feature switches. */
#include "gpu/vga_core.h"

enum { LINE_NS = 31778 }; /* 31.47 kHz */
enum { RETRACE_LINES = 2, CRTC_REGS = 0x19, ATTR_REGS = 0x15 };

/* --- timing --- */

static u8 input_status_1(const struct vga_core *v)
{
    u32 total = (v->crtc[6] | (v->crtc[7] & 1u) << 8 | (v->crtc[7] & 0x20u) << 4) + 2;
    u32 shown = vga_lines(v),
        retrace = v->crtc[0x10] | (v->crtc[7] & 4u) << 6 | (v->crtc[7] & 0x80u) << 2;
    if (total < 100) total = 449; /* nothing programmed yet: a text mode's frame */
    if (shown >= total) shown = total - 1;
    /* A start that the line counter never reaches would keep a waiting program for ever. */
    if (retrace < shown || retrace + RETRACE_LINES > total) retrace = shown + (total - shown) / 2;
    u64 now = clock_now(v->host->clock);
    u32 line = (u32)(now / LINE_NS % total), dot = (u32)(now % LINE_NS);
    u8 s = 0;
    if (line >= shown || dot > LINE_NS * 4 / 5) s |= 1;
    if (line >= retrace && line < retrace + RETRACE_LINES) s |= 9;
    return s;
}

/* --- registers --- */

static void set(struct vga_core *v, u8 *reg, u8 value)
{
    if (*reg == value) return;
    *reg = value;
    v->dirty = true;
}

static u8 dac_read_data(struct vga_core *v)
{
    u8 b = v->dac[v->dac_read][v->dac_sub];
    if (++v->dac_sub == 3) {
        v->dac_sub = 0;
        v->dac_read++;
    }
    return b;
}

static void dac_write_data(struct vga_core *v, u8 b)
{
    bool wide = v->vbe[VBE_ENABLE] & VBE_8BIT_DAC;
    v->dac_latch[v->dac_sub] = wide ? b : b & 0x3f;
    if (++v->dac_sub < 3) return;
    v->dac_sub = 0;
    for (unsigned k = 0; k < 3; k++) set(v, &v->dac[v->dac_write][k], v->dac_latch[k]);
    v->dac_write++;
}

/* Palette registers can only be written while bit 5 of the index gives them to the CPU, which also
 * blanks the screen. */
static void attr_write(struct vga_core *v, u8 b)
{
    static const u8 mask[ATTR_REGS] = { [0 ... 15] = 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f };
    u8 n = v->attr_index & 0x1f;
    if (!v->attr_data)
        set(v, &v->attr_index, b & 0x3f);
    else if (n < ATTR_REGS && (n >= 0x10 || !(v->attr_index & 0x20)))
        set(v, &v->attr[n], b & mask[n]);
    v->attr_data = !v->attr_data;
}

static void crtc_write(struct vga_core *v, u8 b)
{
    if (v->crtc_index >= CRTC_REGS) return;
    if (v->crtc[0x11] & 0x80 && v->crtc_index < 8) { /* locked, but for the line compare bit */
        if (v->crtc_index == 7) set(v, &v->crtc[7], (u8)((v->crtc[7] & ~0x10) | (b & 0x10)));
        return;
    }
    set(v, &v->crtc[v->crtc_index], b);
}

/* The CRTC and status ports answer at 3Bxh or 3Dxh, as the miscellaneous output register says. */
static bool port_decoded(const struct vga_core *v, u16 port)
{
    bool colour = v->misc & 1;
    if (port >= 0x3b4 && port <= 0x3bb) return !colour;
    if (port >= 0x3d4 && port <= 0x3db) return colour;
    return true;
}

/* The clock is selected while the sequencer is held in reset: so begins a driver that sets a VGA
 * mode by registers alone, as for a stop screen. A DISPI mode that is on then has to give way, or
 * nobody would see it. */
static void write_misc(struct vga_core *v, u8 b)
{
    if (vbe_active(v) && (v->seq[0] & 3) != 3) vbe_leave(v);
    set(v, &v->misc, b & 0xef);
    vbe_update_bank(v);
}

void vga_mode_was_set(struct vga_core *v)
{
    if (v->display) display_mode_was_set(v->display, clock_now(v->host->clock));
}

/* The sequencer runs again after a reset: a mode was set. */
static void write_sequencer(struct vga_core *v, u8 b)
{
    bool stopped = v->seq_index == 0 && (v->seq[0] & 3) != 3;
    set(v, &v->seq[v->seq_index], b);
    if (v->seq_index == 4) vbe_update_bank(v);
    if (stopped && (v->seq[0] & 3) == 3) vga_mode_was_set(v);
}

static u8 read_port(struct vga_core *v, u16 port)
{
    if (!port_decoded(v, port)) return 0xff;
    switch (port) {
    case 0x3c0: return v->attr_index;
    case 0x3c1: return (v->attr_index & 0x1f) < ATTR_REGS ? v->attr[v->attr_index & 0x1f] : 0;
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
    case 0x3b4:
    case 0x3d4: return v->crtc_index;
    case 0x3b5:
    case 0x3d5: return v->crtc_index < CRTC_REGS ? v->crtc[v->crtc_index] : 0;
    case 0x3ba:
    case 0x3da: v->attr_data = false; return input_status_1(v);
    default: return 0xff;
    }
}

static void write_port(struct vga_core *v, u16 port, u8 b)
{
    static const u8 seq_mask[8] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
    static const u8 gc_mask[16] = { 15, 15, 15, 0x1f, 3, 0x7b, 15, 15, 0xff };
    if (!port_decoded(v, port)) return;
    switch (port) {
    case 0x3c0: attr_write(v, b); break;
    case 0x3c2: write_misc(v, b); break;
    case 0x3c4: v->seq_index = b & 7; break;
    case 0x3c5: write_sequencer(v, b & seq_mask[v->seq_index]); break;
    case 0x3c6: set(v, &v->dac_mask, b); break;
    case 0x3c7: v->dac_read = b, v->dac_sub = 0, v->dac_reading = true; break;
    case 0x3c8: v->dac_write = b, v->dac_sub = 0, v->dac_reading = false; break;
    case 0x3c9: dac_write_data(v, b); break;
    case 0x3ce: v->gc_index = b & 15; break;
    case 0x3cf: set(v, &v->gc[v->gc_index], b & gc_mask[v->gc_index]); break;
    case 0x3b4:
    case 0x3d4: v->crtc_index = b & 0x3f; break;
    case 0x3b5:
    case 0x3d5: crtc_write(v, b); break;
    case 0x3ba:
    case 0x3da: v->feature = b & 0x0b; break;
    default: break;
    }
}

u64 vga_ports_read(struct vga_core *v, u16 port, unsigned size)
{
    u64 val = 0;
    for (unsigned k = 0; k < size; k++) val |= (u64)read_port(v, (u16)(port + k)) << (8 * k);
    return val;
}

void vga_ports_write(struct vga_core *v, u16 port, u64 value, unsigned size)
{
    for (unsigned k = 0; k < size; k++) write_port(v, (u16)(port + k), (u8)(value >> (8 * k)));
}

/* The two port ranges: a region's offset counts from its first port. 3BCh-3BFh belong to a printer
 * port. */
static u64 ports_b_read(void *opaque, u64 off, unsigned size)
{
    return vga_ports_read(opaque, (u16)(0x3b0 + off), size);
}

static void ports_b_write(void *opaque, u64 off, u64 value, unsigned size)
{
    vga_ports_write(opaque, (u16)(0x3b0 + off), value, size);
}

static u64 ports_c_read(void *opaque, u64 off, unsigned size)
{
    return vga_ports_read(opaque, (u16)(0x3c0 + off), size);
}

static void ports_c_write(void *opaque, u64 off, u64 value, unsigned size)
{
    vga_ports_write(opaque, (u16)(0x3c0 + off), value, size);
}

static const struct io_ops ports_b_ops = { ports_b_read, ports_b_write, 1, 4 };
static const struct io_ops ports_c_ops = { ports_c_read, ports_c_write, 1, 4 };

/* --- life --- */

static int map_legacy(struct vga_core *v, struct error *e)
{
    region_init_io(&v->window, "vga-window", 0x20000, &vga_window_ops, v);
    region_init_io(&v->ports_b, "vga-ports-mono", 0x0c, &ports_b_ops, v);
    region_init_io(&v->ports_c, "vga-ports", 0x20, &ports_c_ops, v);
    region_init_io(&v->dispi, "vbe-dispi", 3, &vga_dispi_ops, v);
    if (bus_map(v->host->mem, 0xa0000, &v->window, 1, e) ||
        bus_map(v->host->io, 0x3b0, &v->ports_b, 0, e))
        return -1;
    return bus_map(v->host->io, 0x3c0, &v->ports_c, 0, e) ||
                   bus_map(v->host->io, 0x1ce, &v->dispi, 0, e)
               ? -1
               : 0;
}

int vga_core_init(struct vga_core *v, bool legacy, struct display *display, struct error *e)
{
    check(v->lfb_at + v->lfb_size <= v->mem->size && v->mem->size >= 8 * VGA_PLANE &&
          v->lfb_size % 0x10000 == 0);
    if (legacy && map_legacy(v, e)) return -1;
    v->src.opaque = v;
    v->src.refresh = vga_refresh;
    v->display = display;
    if (display) display_add_source(display, &v->src);
    return 0;
}

void vga_core_fini(struct vga_core *v)
{
    if (v->bank_size) bus_unmap(&v->bank);
    bus_unmap(&v->window);
    bus_unmap(&v->ports_b);
    bus_unmap(&v->ports_c);
    bus_unmap(&v->dispi);
}

void vga_core_decode(struct vga_core *v, bool memory, bool io)
{
    if (!v->window.bus) return;
    bus_enable(&v->window, memory);
    bus_enable(&v->ports_b, io);
    bus_enable(&v->ports_c, io);
    bus_enable(&v->dispi, io);
    vbe_update_bank(v);
}

void vga_core_reset(struct vga_core *v)
{
    v->misc = v->feature = v->seq_index = v->gc_index = v->crtc_index = v->attr_index = 0;
    memset(v->seq, 0, sizeof(v->seq));
    memset(v->gc, 0, sizeof(v->gc));
    memset(v->crtc, 0, sizeof(v->crtc));
    memset(v->attr, 0, sizeof(v->attr));
    memset(v->dac, 0, sizeof(v->dac));
    memset(v->dac_latch, 0, sizeof(v->dac_latch));
    v->attr_data = v->dac_reading = false;
    v->dac_mask = 0xff;
    v->dac_read = v->dac_write = v->dac_sub = 0;
    v->latch = 0;
    vbe_reset(v);
    v->dirty = true;
}

void vga_core_post_load(struct vga_core *v)
{
    v->dac_sub %= 3;
    vbe_update_bank(v);
    v->dirty = true;
}

void vga_core_info(const struct vga_core *v, struct text *t)
{
    static const char *const names[] = { "sequencer", "graphics", "CRTC", "attribute" };
    static const u8 counts[] = { 5, 9, CRTC_REGS, ATTR_REGS };
    const u8 *regs[] = { v->seq, v->gc, v->crtc, v->attr };
    text_add(t, "picture: %s\nlegacy decode %s, LFB at %08x, misc %02x\n", v->source,
             v->window.bus ? "on" : "off", v->lfb_base(v->owner), v->misc);
    text_add(t, "DISPI: %ux%ux%u enable %02x bank %u virtual %ux%u offset %u,%u\n",
             v->vbe[VBE_XRES], v->vbe[VBE_YRES], v->vbe[VBE_BPP], v->vbe[VBE_ENABLE],
             v->vbe[VBE_BANK], v->vbe[VBE_VIRT_W], v->vbe[VBE_VIRT_H], v->vbe[VBE_X_OFF],
             v->vbe[VBE_Y_OFF]);
    for (unsigned k = 0; k < LEN(names); k++) {
        text_add(t, "%s:", names[k]);
        for (unsigned n = 0; n < counts[k]; n++) text_add(t, " %02x", regs[k][n]);
        text_add(t, "\n");
    }
}
