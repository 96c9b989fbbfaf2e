/* Colours: the attribute controller's palette, the DAC, INT 10h AH=0Bh (CGA palette) and AH=10h. */

#include "bios/vga/vga.h"

static void attr_reset_flipflop(void) { inb(crtc_port() + 6); }

/* Index bit 5 keeps the screen on while palette registers are touched only when it is set, so every
   access restores it; mode setting leaves it off until attr_enable. */
void wr_attr(u8 i, u8 v)
{
    attr_reset_flipflop();
    outb(0x3c0, i);
    outb(0x3c0, v);
}

u8 rd_attr(u8 i)
{
    attr_reset_flipflop();
    outb(0x3c0, i);
    const u8 v = inb(0x3c1);
    attr_reset_flipflop();
    return v;
}

void attr_enable(void)
{
    attr_reset_flipflop();
    outb(0x3c0, 0x20);
}

void dac_write(u8 i, u8 r, u8 g, u8 b)
{
    outb(0x3c8, i);
    outb(0x3c9, r);
    outb(0x3c9, g);
    outb(0x3c9, b);
}

static u32 dac_read(u8 i)                   /* 00RRGGBB, six bits each */
{
    outb(0x3c7, i);
    const u8 r = inb(0x3c9), g = inb(0x3c9), b = inb(0x3c9);
    return (u32)r << 16 | g << 8 | b;
}

/* Luminance 30 % red, 59 % green, 11 % blue, as IBM's BIOS weighs them. */
void grey_sum(u8 first, u16 count)
{
    for (u8 i = first; count--; i++) {
        const u32 c = dac_read(i);
        const u16 sum = (u8)(c >> 16) * 77 + (u8)(c >> 8) * 151 + (u8)c * 28;
        const u8 y = sum >> 8;
        dac_write(i, y, y, y);
    }
}

static void page_select(struct regs *r)
{
    const u8 mc = rd_attr(0x10);
    if (r->bl == 0) {
        wr_attr(0x10, (mc & 0x7f) | (r->bh & 1) << 7);
    } else if (r->bl == 1) {
        wr_attr(0x14, mc & 0x80 ? r->bh & 15 : (r->bh & 3) << 2);
    }
}

static void dac_block(struct regs *r, int is_write)
{
    u16 at = r->dx;
    u8 i = r->bl;
    for (u16 n = r->cx; n--; i++, at += 3) {
        if (is_write) {
            dac_write(i, ld8(r->es, at), ld8(r->es, at + 1), ld8(r->es, at + 2));
        } else {
            const u32 c = dac_read(i);
            st8(r->es, at, (u8)(c >> 16));
            st8(r->es, at + 1, (u8)(c >> 8));
            st8(r->es, at + 2, (u8)c);
        }
    }
    if (is_write && bda8(BDA_MODESET) & 2) grey_sum(r->bl, r->cx);
}

static void all_palette(struct regs *r, int is_write)
{
    for (u8 i = 0; i < 17; i++) {
        const u8 reg = i == 16 ? 0x11 : i;
        if (is_write)
            wr_attr(reg, ld8(r->es, r->dx + i));
        else
            st8(r->es, r->dx + i, rd_attr(reg));
    }
}

static void get_page_state(struct regs *r)
{
    const u8 mode = rd_attr(0x10) >> 7, sel = rd_attr(0x14);
    r->bl = mode;
    r->bh = mode ? sel & 15 : sel >> 2 & 3;
}

static void get_dac(struct regs *r)
{
    const u32 c = dac_read(r->bl);
    r->dh = c >> 16;
    r->ch = c >> 8;
    r->cl = c;
}

void int10_palette(struct regs *r)
{
    switch (r->al) {
    case 0x00: if (r->bl <= 0x14) wr_attr(r->bl, r->bh); break;
    case 0x01: wr_attr(0x11, r->bh); break;
    case 0x02: all_palette(r, 1); break;
    case 0x03: {
        wr_attr(0x10, (rd_attr(0x10) & ~8) | (r->bl & 1) << 3);
        set_bda8(BDA_MSR, (bda8(BDA_MSR) & ~0x20) | (r->bl & 1) << 5);
        break;
    }
    case 0x07: if (r->bl <= 0x14) r->bh = rd_attr(r->bl); break;
    case 0x08: r->bh = rd_attr(0x11); break;
    case 0x09: all_palette(r, 0); break;
    case 0x10: {
        dac_write(r->bl, r->dh, r->ch, r->cl);
        if (bda8(BDA_MODESET) & 2) grey_sum(r->bl, 1);
        break;
    }
    case 0x12: dac_block(r, 1); break;
    case 0x13: page_select(r); break;
    case 0x15: get_dac(r); break;
    case 0x17: dac_block(r, 0); break;
    case 0x18: outb(0x3c6, r->bl); break;
    case 0x19: r->bl = inb(0x3c6); break;
    case 0x1a: get_page_state(r); break;
    case 0x1b: grey_sum(r->bl, r->cx); break;
    }
    attr_enable();
}

/* AH=0Bh: border or background in BL for BH=0, one of the two CGA palettes for BH=1. */
void int10_cga_palette(struct regs *r)
{
    const u8 mode = bda8(BDA_MODE), graphics = mode > 3 && mode != 7;
    u8 pal = bda8(BDA_CGA_PAL);
    if (r->bh == 0) {
        const u8 color = (r->bl & 7) | (r->bl & 8) << 1;
        pal = (pal & 0xe0) | (r->bl & 0x1f);
        wr_attr(0x11, color);
        if (graphics) wr_attr(0, color);                /* colour 0 is the background */
        for (u8 i = 1; graphics && i < 4; i++) wr_attr(i, (rd_attr(i) & ~0x10) | (r->bl & 0x10));
    } else {
        pal = (pal & 0xdf) | (r->bl & 1) << 5;
        for (u8 i = 1; graphics && i < 4; i++) wr_attr(i, (rd_attr(i) & ~1) | (r->bl & 1));
    }
    set_bda8(BDA_CGA_PAL, pal);
    attr_enable();
}
