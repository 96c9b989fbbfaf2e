/* The VGA itself, apart from the PCI function it sits in: registers, planes, the legacy window and
 * the Bochs VBE (DISPI) registers. Standard VGA (vga.c) and AeroGPU (aerogpu.c) embed it.
 *
 *   init:   v->host, v->mem ... v->owner set; vga_core_init(v, legacy, display, e)
 *   reset:  video memory cleared; vga_core_reset(v)
 *
 * vga_regs.c owns registers and ports, vga_mem.c the window at A0000h, vbe.c the DISPI registers,
 * vga_draw.c and vga_text.c the picture.
 *
 * Video memory: one dword of `vram` is one latch, byte p of it plane p; vga_at() says where the
 * dword of a plane's offset is. The linear framebuffer starts at `lfb_at`: 0, the planes' own
 * memory, or behind the planes. With `linear` (AeroGPU) the window and the memory behind it are the
 * same bytes in the same order as long as nobody programmed a mode, and in chain-4 modes. */
#ifndef GPU_VGA_CORE_H
#define GPU_VGA_CORE_H

#include "machine/core/device.h"
#include "machine/ui/display.h"

#define VGA_PLANE 0x10000u /* bytes of one plane */
#define VBE_REGS 0x11

enum {
    VBE_ID,
    VBE_XRES,
    VBE_YRES,
    VBE_BPP,
    VBE_ENABLE,
    VBE_BANK,
    VBE_VIRT_W,
    VBE_VIRT_H,
    VBE_X_OFF,
    VBE_Y_OFF,
    VBE_MEMORY,
    VBE_DDC,
    VBE_LFB_BASE = 0x10,
};
enum { VBE_EN = 0x01, VBE_GETCAPS = 0x02, VBE_8BIT_DAC = 0x20, VBE_LFB = 0x40, VBE_NOCLEAR = 0x80 };

struct vga_core {
    /* set by the owner */
    struct host_if *host;
    struct region *mem;           /* video memory as the owner maps it, with its dirty flags */
    u8 *vram;                     /* that memory */
    u64 lfb_at, lfb_size;         /* the linear framebuffer inside it; a multiple of 64 KiB */
    bool linear;                  /* byte n of the window is byte n of video memory; see above */
    u32 (*lfb_base)(void *owner); /* its physical address now, 0: not decoded */
    void *owner;

    /* registers */
    u8 misc, feature;
    u8 seq_index, seq[8], gc_index, gc[16], crtc_index, crtc[64];
    u8 attr_index, attr[32];
    bool attr_data; /* flip-flop: next write to 3C0h is data */
    u8 dac[256][3], dac_mask, dac_read, dac_write, dac_sub, dac_latch[3];
    bool dac_reading;
    u32 latch;
    u16 vbe_index, vbe[VBE_REGS];

    /* derived */
    bool dirty;       /* registers changed since the last picture */
    bool blinks;      /* the last picture has a cursor or blinking characters */
    u64 phase;        /* blink phase of the last picture */
    u32 palette[256]; /* 0x00RRGGBB of every DAC entry */
    char source[48];
    struct display *display; /* NULL: shown nowhere */
    struct display_source src;
    struct region window, ports_b, ports_c, dispi, bank;
    u64 bank_size; /* of what is mapped there, 0: nothing */
};

/* Rows of the owner's field table: VGA_CORE_FIELDS(struct vga, core). */
#define VGA_FIELD(t, m, f)                                                                         \
    {                                                                                              \
        "vga_" #f, offsetof(t, m.f), sizeof(((t *)0)->m.f), 1, 1                                   \
    }
#define VGA_ARRAY(t, m, f)                                                                         \
    {                                                                                              \
        "vga_" #f, offsetof(t, m.f), 1, sizeof(((t *)0)->m.f), 1                                   \
    }
#define VGA_CORE_FIELDS(t, m)                                                                      \
    VGA_FIELD(t, m, misc), VGA_FIELD(t, m, feature), VGA_FIELD(t, m, seq_index),                   \
        VGA_ARRAY(t, m, seq), VGA_FIELD(t, m, gc_index), VGA_ARRAY(t, m, gc),                      \
        VGA_FIELD(t, m, crtc_index), VGA_ARRAY(t, m, crtc), VGA_FIELD(t, m, attr_index),           \
        VGA_ARRAY(t, m, attr), VGA_FIELD(t, m, attr_data), VGA_ARRAY(t, m, dac),                   \
        VGA_FIELD(t, m, dac_mask), VGA_FIELD(t, m, dac_read), VGA_FIELD(t, m, dac_write),          \
        VGA_FIELD(t, m, dac_sub), VGA_ARRAY(t, m, dac_latch), VGA_FIELD(t, m, dac_reading),        \
        VGA_FIELD(t, m, latch), VGA_FIELD(t, m, vbe_index),                                        \
    {                                                                                              \
        "vga_vbe", offsetof(t, m.vbe), sizeof(u16), VBE_REGS, 1                                    \
    }

/* vga_regs.c. legacy: claim the VGA and DISPI ports and the window at A0000h; display: where to be
 * shown, may be NULL. Ports: 3B0h-3DFh, also through Standard VGA's BAR2. */
int vga_core_init(struct vga_core *v, bool legacy, struct display *display, struct error *e);
void vga_core_fini(struct vga_core *v);
void vga_core_reset(struct vga_core *v);
void vga_core_post_load(struct vga_core *v);
/* What of the legacy ranges answers: the owner's memory and I/O decode bits. */
void vga_core_decode(struct vga_core *v, bool memory, bool io);
void vga_core_info(const struct vga_core *v, struct text *t);
void vga_mode_was_set(struct vga_core *v); /* by registers or as a VBE mode */
u64 vga_ports_read(struct vga_core *v, u16 port, unsigned size);
void vga_ports_write(struct vga_core *v, u16 port, u64 value, unsigned size);
/* vga_mem.c */
extern const struct io_ops vga_window_ops;
/* Where in video memory the four bytes are that the planes have at an offset below 20000h. Chain-4
 * addresses are offsets whose low two bits are the plane, so that a program which unchains mode 13h
 * finds every fourth offset used: `linear` puts those offsets next to each other. */
static inline u32 vga_at(const struct vga_core *v, u32 offset)
{
    if (!v->linear) return offset * 4;
    return (offset & 0x10000) * 4 + (offset & 3) * VGA_PLANE + (offset & 0xfffc);
}
/* vbe.c */
extern const struct io_ops vga_dispi_ops;
void vbe_reset(struct vga_core *v);
void vbe_leave(struct vga_core *v); /* a legacy mode is being programmed */
void vbe_write(struct vga_core *v, u16 index, u16 value);
u16 vbe_read(const struct vga_core *v, u16 index);
static inline bool vbe_active(const struct vga_core *v)
{
    return v->vbe[VBE_ENABLE] & VBE_EN;
}
u32 vbe_pitch(const struct vga_core *v);  /* bytes a line; 4 bpp: bytes of one plane */
void vbe_update_bank(struct vga_core *v); /* maps or unmaps what lies over the window */
/* vga_draw.c */
bool vga_refresh(void *opaque, struct frame *f, bool force);
/* 0x00RRGGBB of an attribute, through palette and DAC */
u32 vga_colour(const struct vga_core *v, u8 n);
/* Memory address counter and scan line to the offset in a plane */
u32 vga_address(const struct vga_core *v, u32 ma, u32 scan);
u32 vga_lines(const struct vga_core *v); /* scan lines shown */
/* vga_text.c */
void vga_draw_text(struct vga_core *v, struct frame *f);
/* edid.c */
void edid_fill(u8 edid[128]);

/* Picture lines as the CRTC walks them: cells of scan lines, split screen, panning. */
struct vga_line {
    u32 y, scan, ma, row; /* line on screen, in its cell; first address; cells above */
    u32 pan;              /* value of the panning register that counts here */
    u32 split;            /* last line before memory starts again at 0 */
    u32 cell;             /* scan lines on screen of one cell, doubling included */
    u32 in_cell;
};
void vga_first_line(const struct vga_core *v, struct vga_line *l);
void vga_next_line(const struct vga_core *v, struct vga_line *l);

#endif
