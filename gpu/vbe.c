/* The DISPI registers of the Bochs VBE interface: index at 1CEh, data at 1CFh (and 1D0h). XRES,
 * YRES and BPP can be written while ENABLE is off and take effect when it is set; a mode that does
 * not fit video memory stays off. Index 10h, our addition, tells the video BIOS where the linear
 * framebuffer decodes now (bits 31:16), because inside Windows the BIOS cannot reach configuration
 * space. Depths of 8 bits and more put a 64 KiB bank of the framebuffer over A0000h; 4 bits go
 * through the VGA's planes (vga_mem.c).
 * ENABLE goes off by itself when a mode of the VGA is set by registers (vga_regs.c: write_misc).
 * Left out: the DDC register (EDID is in BAR2), 32 KiB banks, separate read and write banks. */
#include "gpu/vga_core.h"

enum { MAX_X = 2560, MAX_Y = 1600, MAX_BPP = 32 };

static u32 bytes_for(u32 pixels, u16 bpp)
{
    return bpp == 4 ? pixels / 8 : pixels * ((bpp + 7u) / 8);
}

u32 vbe_pitch(const struct vga_core *v)
{
    return bytes_for(v->vbe[VBE_VIRT_W], v->vbe[VBE_BPP]);
}

static bool good_bpp(u16 bpp)
{
    return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

/* Video memory one plane or the linear mode may use. */
static u64 memory(const struct vga_core *v)
{
    return v->vbe[VBE_BPP] == 4 ? v->lfb_size / 4 : v->lfb_size;
}

static void set_virtual_width(struct vga_core *v, u16 width)
{
    u16 w = (u16)MIN((MAX(width, v->vbe[VBE_XRES]) + 7u) & ~7u, 0xfff8u);
    u32 pitch = bytes_for(w, v->vbe[VBE_BPP]);
    if (!pitch || (u64)pitch * v->vbe[VBE_YRES] > memory(v))
        return; /* does not fit: keep the old one */
    v->vbe[VBE_VIRT_W] = w;
    v->vbe[VBE_VIRT_H] = (u16)MIN(memory(v) / pitch, 0xffffull);
    v->vbe[VBE_X_OFF] = v->vbe[VBE_Y_OFF] = 0;
}

void vbe_update_bank(struct vga_core *v)
{
    u64 at = 0, size = 0;
    if (vbe_active(v) && v->vbe[VBE_BPP] >= 8) {
        at = v->lfb_at + (u64)v->vbe[VBE_BANK] * 0x10000 % v->lfb_size;
        size = 0x10000;
    } else if (v->linear && !vbe_active(v) && !v->misc && !v->seq[4]) {
        size = v->window.size; /* nobody programmed a mode yet */
    }
    if (!v->window.bus || !v->window.enabled) size = 0;
    if (v->bank_size && (v->bank_size != size || v->bank.ram != v->vram + at)) {
        bus_unmap(&v->bank);
        v->bank_size = 0;
    }
    if (!size || v->bank_size) return;
    region_init_alias(&v->bank, "vbe-bank", v->mem, at, size);
    if (!bus_map(v->window.bus, 0xa0000, &v->bank, v->window.prio + 1, NULL)) v->bank_size = size;
}

/* Bytes of a fresh mode. */
static u64 mode_size(u16 x, u16 y, u16 bpp)
{
    return (u64)bytes_for((x + 7u) & ~7u, bpp) * y;
}

static void start_mode(struct vga_core *v, bool clear)
{
    if (!v->vbe[VBE_BPP]) v->vbe[VBE_BPP] = 8;
    u16 bpp = v->vbe[VBE_BPP], x = v->vbe[VBE_XRES], y = v->vbe[VBE_YRES];
    if (!good_bpp(bpp) || !x || !y || mode_size(x, y, bpp) > memory(v)) {
        LOG_GUEST("vga", "VBE mode %ux%ux%u is not possible", x, y, bpp);
        v->vbe[VBE_ENABLE] &= (u16)~VBE_EN;
        return;
    }
    v->vbe[VBE_BANK] = 0;
    v->vbe[VBE_VIRT_W] = 0;
    v->seq[0] = 3; /* running, whatever was there: see write_misc() */
    set_virtual_width(v, x);
    if (clear) {
        u64 n = mode_size(x, y, bpp) * (bpp == 4 ? 4 : 1);
        memset(v->vram + v->lfb_at, 0, n);
        ram_written(v->mem, v->lfb_at, n);
    }
    vga_mode_was_set(v);
    TRACE(vga_mode, x, y, bpp, 0);
}

static void enable(struct vga_core *v, u16 value)
{
    bool was = vbe_active(v);
    v->vbe[VBE_ENABLE] = value & (VBE_EN | VBE_GETCAPS | VBE_8BIT_DAC | VBE_LFB | VBE_NOCLEAR);
    v->dirty = true;
    if (!was && vbe_active(v)) start_mode(v, !(value & VBE_NOCLEAR));
    vbe_update_bank(v);
}

void vbe_leave(struct vga_core *v)
{
    enable(v, v->vbe[VBE_ENABLE] & (u16)~VBE_EN);
    TRACE(vga_mode, 0, 0, 0, 0);
}

u16 vbe_read(const struct vga_core *v, u16 index)
{
    static const u16 caps[] = { MAX_X, MAX_Y, MAX_BPP };
    if (index >= VBE_XRES && index <= VBE_BPP && v->vbe[VBE_ENABLE] & VBE_GETCAPS)
        return caps[index - VBE_XRES];
    if (index == VBE_MEMORY) return (u16)(v->lfb_size / 0x10000);
    if (index == VBE_LFB_BASE) return (u16)(v->lfb_base(v->owner) >> 16);
    return index < VBE_REGS ? v->vbe[index] : 0;
}

static void set_offset(struct vga_core *v, u16 index, u16 value)
{
    bool x = index == VBE_X_OFF;
    u32 shown = v->vbe[x ? VBE_XRES : VBE_YRES], all = v->vbe[x ? VBE_VIRT_W : VBE_VIRT_H];
    if (!vbe_active(v) || (u32)value + shown > all || v->vbe[index] == value) return;
    v->vbe[index] = value;
    v->dirty = true;
}

void vbe_write(struct vga_core *v, u16 index, u16 value)
{
    bool on = vbe_active(v);
    TRACE(vbe_wr, index, value, 0, 0);
    switch (index) {
    case VBE_ID:
        if (value >= 0xb0c0 && value <= 0xb0c5) v->vbe[VBE_ID] = value;
        break;
    case VBE_XRES:
        if (!on && value <= MAX_X) v->vbe[index] = (u16)(value & ~7);
        break;
    case VBE_YRES:
        if (!on && value <= MAX_Y) v->vbe[index] = value;
        break;
    case VBE_BPP:
        if (!on) v->vbe[index] = value ? value : 8;
        break;
    case VBE_BANK:
        v->vbe[index] = (u16)(value % (v->lfb_size / 0x10000));
        vbe_update_bank(v);
        break;
    case VBE_ENABLE: enable(v, value); break;
    case VBE_VIRT_W:
        if (on) set_virtual_width(v, value);
        v->dirty |= on;
        break;
    case VBE_X_OFF:
    case VBE_Y_OFF: set_offset(v, index, value); break;
    default: break;
    }
}

void vbe_reset(struct vga_core *v)
{
    memset(v->vbe, 0, sizeof(v->vbe));
    v->vbe[VBE_ID] = 0xb0c5;
    v->vbe_index = 0;
    vbe_update_bank(v);
}

static u64 dispi_read(void *opaque, u64 off, unsigned size)
{
    const struct vga_core *v = opaque;
    (void)size;
    return off == 0 ? v->vbe_index : vbe_read(v, v->vbe_index);
}

static void dispi_write(void *opaque, u64 off, u64 value, unsigned size)
{
    struct vga_core *v = opaque;
    if (off == 0) {
        v->vbe_index = (u16)value;
        return;
    }
    /* A byte write changes one half; nobody is known to need it, but it must not tear the other
     * half to zero. */
    if (size == 1) value |= vbe_read(v, v->vbe_index) & 0xff00u;
    vbe_write(v, v->vbe_index, (u16)value);
}

const struct io_ops vga_dispi_ops = { dispi_read, dispi_write, 1, 2 };
