/* The DISPI registers of the Bochs VBE interface: index at 1CEh, data at 1CFh (and 1D0h). XRES, YRES, BPP take effect when ENABLE is set; a mode that does not
 * fit video memory is refused by clamping its size. Index 10h, our addition, tells the video BIOS where the linear framebuffer decodes now
 * (bits 31:16), because inside Windows the BIOS cannot reach configuration space. */
#include "gpu/vga_core.h"

enum { MAX_X = 2560, MAX_Y = 1600, MAX_BPP = 32 };

static u32 bytes_for(u32 pixels, u16 bpp)
{
    return bpp == 4 ? pixels / 8 : pixels * ((bpp + 7u) / 8);
}

u32 vbe_pitch(const struct vga *v)
{
    return bytes_for(v->vbe[VBE_VIRT_W], v->vbe[VBE_BPP]);
}

static bool good_bpp(u16 bpp)
{
    return bpp == 4 || bpp == 8 || bpp == 15 || bpp == 16 || bpp == 24 || bpp == 32;
}

/* Video memory one plane or the linear mode may use. */
static u32 memory(const struct vga *v)
{
    return v->vbe[VBE_BPP] == 4 ? VGA_VRAM / 4 : VGA_VRAM;
}

static void set_virtual_width(struct vga *v, u16 width)
{
    u16 w = MAX(width, v->vbe[VBE_XRES]);
    w = (u16)((w + 7) & ~7);
    u32 pitch = bytes_for(w, v->vbe[VBE_BPP]);
    if (!pitch || (u64)pitch * v->vbe[VBE_YRES] > memory(v)) return; /* does not fit: keep the old one */
    v->vbe[VBE_VIRT_W] = w;
    v->vbe[VBE_VIRT_H] = (u16)MIN(memory(v) / pitch, 0xffffu);
    v->vbe[VBE_X_OFF] = v->vbe[VBE_Y_OFF] = 0;
}

void vbe_update_bank(struct vga *v)
{
    bool want = vbe_active(v) && v->vbe[VBE_BPP] >= 8;
    u64 at = (u64)v->vbe[VBE_BANK] * 0x10000 % VGA_VRAM;
    if (v->bank_mapped && (!want || v->bank.ram != v->vram + at)) {
        bus_unmap(&v->bank);
        v->bank_mapped = false;
    }
    if (!want || v->bank_mapped || !v->window.bus) return;
    region_init_alias(&v->bank, "vbe-bank", &v->lfb, at, 0x10000);
    v->bank_mapped = bus_map(v->window.bus, 0xa0000, &v->bank, v->window.prio + 1, NULL) == 0;
}

static void enable(struct vga *v, u16 value)
{
    bool was = vbe_active(v), on = value & VBE_EN;
    v->vbe[VBE_ENABLE] = value & (VBE_EN | VBE_GETCAPS | VBE_8BIT_DAC | VBE_LFB | VBE_NOCLEAR);
    v->dirty = true;
    if (on && !was) {
        u16 bpp = v->vbe[VBE_BPP], x = v->vbe[VBE_XRES], y = v->vbe[VBE_YRES];
        if (!good_bpp(bpp) || !x || !y || (u64)bytes_for((x + 7u) & ~7u, bpp) * y > memory(v)) {
            LOG_GUEST("vga", "VBE mode %ux%ux%u is not possible", x, y, bpp);
            v->vbe[VBE_ENABLE] &= (u16)~VBE_EN;
            return;
        }
        v->vbe[VBE_BANK] = 0;
        v->vbe[VBE_VIRT_W] = 0;
        set_virtual_width(v, x);
        if (!(value & VBE_NOCLEAR)) {
            u64 n = (u64)vbe_pitch(v) * y * (bpp == 4 ? 4 : 1);
            memset(v->vram, 0, n);
            ram_written(&v->lfb, 0, n);
        }
        TRACE(vga_mode, x, y, bpp, 0);
    }
    vbe_update_bank(v);
}

u16 vbe_read(const struct vga *v, u16 index)
{
    if (index >= VBE_XRES && index <= VBE_BPP && v->vbe[VBE_ENABLE] & VBE_GETCAPS) return v->caps[index - VBE_XRES];
    if (index == VBE_MEMORY) return VGA_VRAM / 0x10000;
    if (index == VBE_LFB_BASE) return (u16)(pci_bar_addr(&v->pci, 0) >> 16);
    return index < VBE_REGS ? v->vbe[index] : 0;
}

void vbe_write(struct vga *v, u16 index, u16 value)
{
    TRACE(vbe_wr, index, value, 0, 0);
    v->dirty = true;
    switch (index) {
    case VBE_ID:
        if (value >= 0xb0c0 && value <= 0xb0c5) v->vbe[VBE_ID] = value;
        break;
    case VBE_XRES:
        if (!vbe_active(v) && value <= MAX_X) v->vbe[index] = (u16)(value & ~7);
        break;
    case VBE_YRES:
        if (!vbe_active(v) && value <= MAX_Y) v->vbe[index] = value;
        break;
    case VBE_BPP:
        if (!vbe_active(v)) v->vbe[index] = value ? value : 8;
        break;
    case VBE_BANK:
        v->vbe[index] = value % (VGA_VRAM / 0x10000);
        vbe_update_bank(v);
        break;
    case VBE_ENABLE: enable(v, value); break;
    case VBE_VIRT_W:
        if (vbe_active(v)) set_virtual_width(v, value);
        break;
    case VBE_X_OFF:
        if (vbe_active(v) && (u32)value + v->vbe[VBE_XRES] <= v->vbe[VBE_VIRT_W]) v->vbe[index] = value;
        break;
    case VBE_Y_OFF:
        if (vbe_active(v) && (u32)value + v->vbe[VBE_YRES] <= v->vbe[VBE_VIRT_H]) v->vbe[index] = value;
        break;
    default: break;
    }
}

static u64 dispi_read(void *opaque, u64 off, unsigned size)
{
    struct vga *v = opaque;
    (void)size;
    return off == 0 ? v->vbe_index : vbe_read(v, v->vbe_index);
}

static void dispi_write(void *opaque, u64 off, u64 value, unsigned size)
{
    struct vga *v = opaque;
    if (off == 0) {
        v->vbe_index = (u16)value;
        return;
    }
    /* A byte write changes one half; nobody is known to need it, but it must not tear the other half to zero. */
    if (size == 1) value |= vbe_read(v, v->vbe_index) & 0xff00u;
    vbe_write(v, v->vbe_index, (u16)value);
}

const struct io_ops vga_dispi_ops = { dispi_read, dispi_write, 1, 2 };

void vbe_init_caps(struct vga *v)
{
    v->caps[0] = MAX_X;
    v->caps[1] = MAX_Y;
    v->caps[2] = MAX_BPP;
}
