/* The VGA itself, apart from the PCI function it sits in: registers, planes, the legacy window and the Bochs VBE (DISPI) registers.
 * vga.c owns registers and ports, vga_mem.c the window at A0000h, vbe.c the DISPI registers, vga_draw.c and vga_text.c the picture.
 * Video memory: VGA plane p, offset o is byte o * 4 + p, so one dword is one latch; linear modes see the same bytes plainly. */
#ifndef GPU_VGA_CORE_H
#define GPU_VGA_CORE_H

#include "devices/pci.h"
#include "gpu/vga.h"
#include "machine/ui/display.h"

#define VGA_VRAM (16 * MIB)
#define VGA_PLANE 0x10000u   /* bytes of one plane */
#define VBE_REGS 0x11

enum {
    VBE_ID, VBE_XRES, VBE_YRES, VBE_BPP, VBE_ENABLE, VBE_BANK, VBE_VIRT_W, VBE_VIRT_H, VBE_X_OFF, VBE_Y_OFF, VBE_MEMORY, VBE_DDC,
    VBE_LFB_BASE = 0x10,
};
enum { VBE_EN = 0x01, VBE_GETCAPS = 0x02, VBE_8BIT_DAC = 0x20, VBE_LFB = 0x40, VBE_NOCLEAR = 0x80 };

struct vga {
    struct pci_dev pci;
    struct display *display; /* pointer "display" */
    struct vga_rom *rom;     /* pointer "rom" */
    u32 class_code;          /* option "class" */

    /* registers */
    u8 misc, feature;
    u8 seq_index, seq[8], gc_index, gc[16], crtc_index, crtc[64];
    u8 attr_index, attr[32];
    bool attr_data;          /* flip-flop: next write to 3C0h is data */
    u8 dac[256][3], dac_mask, dac_read, dac_write, dac_sub, dac_latch[3];
    bool dac_reading;
    u32 latch;
    u16 vbe_index, vbe[VBE_REGS];
    u16 caps[3];             /* largest mode, what GETCAPS shows */

    /* derived */
    bool dirty;              /* registers changed since the last picture */
    bool blink_on;
    u32 palette[256];        /* 0x00RRGGBB of every DAC entry */
    char source[48];
    struct display_source src;
    struct region window, ports_b, ports_c, dispi, lfb, regs, rom_region, bank;
    bool bank_mapped;
    u8 *vram, *rom_mem;
    u8 edid[128];
};

/* vga_mem.c */
extern const struct io_ops vga_window_ops;
/* vbe.c */
extern const struct io_ops vga_dispi_ops;
void vbe_write(struct vga *v, u16 index, u16 value);
u16 vbe_read(const struct vga *v, u16 index);
static inline bool vbe_active(const struct vga *v)
{
    return v->vbe[VBE_ENABLE] & VBE_EN;
}
void vbe_init_caps(struct vga *v);
u32 vbe_pitch(const struct vga *v);   /* bytes a line; 4 bpp: bytes of one plane */
void vbe_update_bank(struct vga *v);  /* maps or unmaps the banked window */
/* vga_draw.c */
bool vga_refresh(void *opaque, struct frame *f, bool force);
/* vga_text.c */
void vga_draw_text(struct vga *v, struct frame *f);
/* edid.c */
void edid_fill(u8 edid[128]);

#endif
