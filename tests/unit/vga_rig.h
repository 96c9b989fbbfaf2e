/* A board with Standard VGA on a PCI bus, its BARs mapped, and its pictures: what the VGA tests
 * share. */
#ifndef TESTS_UNIT_VGA_RIG_H
#define TESTS_UNIT_VGA_RIG_H

#include "devices/pci.h"
#include "gpu/vga.h"
#include "tests/unit/harness.h"

#include "machine/ui/display.h"

#define RIG_LFB 0xc0000000u
#define RIG_REGS 0xd0000000u

struct vga_rig {
    struct board *b;
    struct pci_bus *pci;
    struct device *vga;
    struct display *display;
};

static inline void rig_cfg(struct vga_rig *r, unsigned devfn, unsigned reg, u32 value)
{
    pci_bus_write(r->pci, 0x80000000u | devfn << 8 | reg, 0, value, 4);
}

static inline struct vga_rig rig_open(void)
{
    struct vga_rig r = { .b = board_bare(), .display = display_create() };
    r.pci = (struct pci_bus *)board_device(r.b, &pci_bus_class);
    r.vga = board_add(r.b, &vga_class);
    device_set_ptr(r.vga, "pci", r.pci);
    device_set_ptr(r.vga, "display", r.display);
    bus_unmap(&r.b->ram_region); /* the harness has RAM where the window is */
    board_start(r.b, r.vga);
    rig_cfg(&r, 0x60, PCI_BAR0, RIG_LFB);
    rig_cfg(&r, 0x60, PCI_BAR0 + 8, RIG_REGS);
    rig_cfg(&r, 0x60, PCI_COMMAND, PCI_CMD_IO | PCI_CMD_MEM);
    return r;
}

static inline void rig_close(struct vga_rig *r)
{
    board_free(r->b);
    display_destroy(r->display);
}

static inline void wr_seq(struct board *b, u8 n, u8 v)
{
    out16(b, 0x3c4, (u16)(n | v << 8));
}
static inline void wr_gc(struct board *b, u8 n, u8 v)
{
    out16(b, 0x3ce, (u16)(n | v << 8));
}
static inline void wr_crtc(struct board *b, u8 n, u8 v)
{
    out16(b, 0x3d4, (u16)(n | v << 8));
}

/* Index 20h at the end would give the palette back; vga_screen() does. */
static inline void wr_attr(struct board *b, u8 n, u8 v)
{
    in8(b, 0x3da);
    out8(b, 0x3c0, n);
    out8(b, 0x3c0, v);
}

static inline void vga_screen(struct board *b, bool on)
{
    in8(b, 0x3da);
    out8(b, 0x3c0, on ? 0x20 : 0);
}

static inline void wr_dispi(struct board *b, u16 n, u16 v)
{
    out16(b, 0x1ce, n);
    out16(b, 0x1cf, v);
}

static inline u16 rd_dispi(struct board *b, u16 n)
{
    out16(b, 0x1ce, n);
    return in16(b, 0x1cf);
}

static inline void vbe_mode(struct board *b, u16 w, u16 h, u16 bpp, u16 flags)
{
    wr_dispi(b, 4, 0);
    wr_dispi(b, 1, w);
    wr_dispi(b, 2, h);
    wr_dispi(b, 3, bpp);
    wr_dispi(b, 4, 0x41 | flags);
}

/* DAC entry n becomes the colour n, n, n (6 bits): pictures can be read back as numbers. */
static inline void grey_dac(struct board *b)
{
    out8(b, 0x3c8, 0);
    for (unsigned n = 0; n < 256 * 3; n++) out8(b, 0x3c9, (u8)(n / 3 & 63));
}

struct vga_mode {
    u8 misc, seq[5], crtc[25], gc[9], attr_mode, plane_enable;
};

static inline void set_mode(struct board *b, const struct vga_mode *m)
{
    out8(b, 0x3c2, m->misc);
    for (u8 n = 0; n < 5; n++) wr_seq(b, n, m->seq[n]);
    wr_crtc(b, 0x11, 0);
    for (u8 n = 0; n < 25; n++) wr_crtc(b, n, m->crtc[n]);
    for (u8 n = 0; n < 9; n++) wr_gc(b, n, m->gc[n]);
    vga_screen(b, false);
    for (u8 n = 0; n < 16; n++) wr_attr(b, n, n);
    wr_attr(b, 0x10, m->attr_mode);
    wr_attr(b, 0x11, 0);
    wr_attr(b, 0x12, m->plane_enable);
    wr_attr(b, 0x13, m->attr_mode & 4 ? 8 : 0);
    wr_attr(b, 0x14, 0);
    grey_dac(b);
    vga_screen(b, true);
}

/* Register values of the IBM VGA technical reference. */
static const struct vga_mode mode_03 = {
    0x67,
    { 3, 0, 3, 0, 2 },
    { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0,    0x4f, 0x0d, 0x0e, 0,
      0,    0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
    { 0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff },
    0x0c,
    15,
};
static const struct vga_mode mode_04 = {
    0x63,
    { 3, 9, 3, 0, 2 },
    { 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0,    0xc1, 0,    0,   0,
      0,    0,    0,    0x9c, 0x8e, 0x8f, 0x14, 0,    0x96, 0xb9, 0xa2, 0xff },
    { 0, 0, 0, 0, 0, 0x30, 0x0f, 0, 0xff },
    1,
    3,
};
static const struct vga_mode mode_12 = {
    0xe3,
    { 3, 1, 15, 0, 6 },
    { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0,    0x40, 0,    0,   0,
      0,    0,    0,    0xea, 0x8c, 0xdf, 0x28, 0,    0xe7, 0x04, 0xe3, 0xff },
    { 0, 0, 0, 0, 0, 0, 5, 15, 0xff },
    1,
    15,
};
static const struct vga_mode mode_13 = {
    0x63,
    { 3, 1, 15, 0, 14 },
    { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0,    0x41, 0,    0,   0,
      0,    0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff },
    { 0, 0, 0, 0, 0, 0x40, 5, 15, 0xff },
    0x41,
    15,
};

static inline void poke(struct vga_rig *r, u32 addr, u8 v)
{
    bus_write(&r->b->mem, addr, v, 1);
}

static inline u8 peek(struct vga_rig *r, u32 addr)
{
    return (u8)bus_read(&r->b->mem, addr, 1);
}

static inline const struct frame *picture(struct vga_rig *r)
{
    display_refresh(r->display, true);
    return display_current(r->display);
}

/* 0x00RRGGBB of a pixel; with grey_dac() grey_at() gives the DAC entry (its low 6 bits). */
static inline u32 pixel(struct vga_rig *r, u32 x, u32 y)
{
    const struct frame *f = display_current(r->display);
    ck_assert_uint_lt(x, f->width);
    ck_assert_uint_lt(y, f->height);
    return f->pixels[y * f->width + x];
}

static inline unsigned grey_at(struct vga_rig *r, u32 x, u32 y)
{
    return (pixel(r, x, y) & 0xff) >> 2;
}

#endif
