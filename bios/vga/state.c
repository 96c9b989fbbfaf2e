/* What the adapter is and how it is set: INT 10h AH=12h (alternate select), 1Ah (display
   combination), 1Bh (state information) and 1Ch (save and restore), whose parts VBE 4F04h shares.
   Layouts are those of the IBM PS/2 BIOS interface reference. */

#include "bios/vga/vga.h"

static void set_bit(u16 off, u8 mask, u8 on)
{
    set_bda8(off, on ? bda8(off) | mask : bda8(off) & ~mask);
}

void int10_alternate(struct regs *r)
{
    switch (r->bl) {
    case 0x10:                              /* configuration; AL is left alone */
        r->bh = crtc_port() == 0x3b4;
        r->bl = 3;                          /* 256 KiB */
        r->ch = 0;
        r->cl = bda8(BDA_SWITCHES) & 15;
        return;
    case 0x20: break; /* print screen is the system BIOS's and needs no other */
    case 0x30:
        if (r->al > 2) return;
        set_bit(BDA_MODESET, 0x80, r->al == 0);
        set_bit(BDA_MODESET, 0x10, r->al == 2);
        break;
    case 0x31: set_bit(BDA_MODESET, 8, r->al & 1); break;
    case 0x32: outb(0x3c2, (inb(0x3cc) & ~2) | (r->al & 1 ? 0 : 2)); break;
    case 0x33: set_bit(BDA_MODESET, 2, !(r->al & 1)); break;
    case 0x34: set_bit(BDA_CTL, 1, r->al & 1); break;
    case 0x35: break;                       /* one display only: nothing to switch */
    case 0x36: wr_seq(1, (rd_seq(1) & ~0x20) | (r->al & 1) << 5); break;
    default: return;
    }
    r->al = 0x12;
}

static u8 display_code(void) { return crtc_port() == 0x3b4 ? 7 : 8; }

void int10_dcc(struct regs *r)
{
    if (r->al == 0)
        r->bx = display_code();
    else if (r->al != 1)
        return;
    r->al = 0x1a;
}

/* Modes 0-7 and 0Dh-13h; 200, 350 and 400 lines; 8 blocks, 2 at a time; all functions; all
   states. */
static const ROM u8 functionality[16] ROMDATA = {
    0xff, 0xe0, 0x0f, 0, 0, 0, 0, 7, 8, 2, 0xff, 0x0e, 0, 0, 0x3f, 0,
};

static u16 colors_of(u8 mode)
{
    switch (mode) {
    case 7: case 0x0f: return 0;
    case 4: case 5: return 4;
    case 6: case 0x11: return 2;
    case 0x13: return 256;
    default: return 16;
    }
}

static u8 scan_lines_code(u8 mode)
{
    if (mode >= 0x11 && mode <= 0x12) return 3;
    if (mode == 0x0f || mode == 0x10) return 1;
    if (mode > 3 && mode != 7) return 0;
    const u8 select = bda8(BDA_MODESET) & 0x90;
    return select & 0x10 ? 2 : select & 0x80 ? 0 : 1;
}

void int10_info(struct regs *r)
{
    if (r->bx) return;
    const u16 seg = r->es, at = r->di;
    const u8 mode = bda8(BDA_MODE);
    far_fill8(seg, at, 0, 64);
    st32(seg, at, rom_far(functionality));
    for (u8 i = 0; i < 30; i++) st8(seg, at + 4 + i, bda8(BDA_MODE + i));       /* 49h-66h */
    st8(seg, at + 0x22, bda8(BDA_ROWS) + 1);
    st16(seg, at + 0x23, bda16(BDA_CHEIGHT));
    st8(seg, at + 0x25, display_code());
    st16(seg, at + 0x27, colors_of(mode));
    const u16 len = bda16(BDA_PAGE_LEN);
    const u16 pages = len ? (mode <= 7 ? 0x8000 : 0xffff) / len : 1;
    st8(seg, at + 0x29, pages == 0 ? 1 : pages > 8 ? 8 : pages);
    st8(seg, at + 0x2a, scan_lines_code(mode));
    const u8 map = rd_seq(3);
    st8(seg, at + 0x2b, (map & 3) | (map >> 2 & 4));
    st8(seg, at + 0x2c, (map >> 2 & 3) | (map >> 3 & 4));
    const u8 opt = bda8(BDA_MODESET);
    st8(seg, at + 0x2d, 1 | (opt & 2) | (display_code() == 7) << 2 | (opt & 8) |
                            (bda8(BDA_CTL) & 1) << 4 | (bda8(BDA_MSR) & 0x20));
    st8(seg, at + 0x31, 3);                 /* 256 KiB */
    r->al = 0x1b;
}

/* Saved areas follow each other in the order of the bits of CX. Hardware: sequencer 0-4, misc,
   CRTC, attribute, graphics. Data area: 49h-66h, 84h-8Ah, A8h-ABh, vectors 1Fh and 43h. */
enum { SAVE_HW = 1, SAVE_BDA = 2, SAVE_DAC = 4, SAVE_SVGA = 8 };
enum {
    HW_BYTES = 5 + 1 + 25 + 21 + 9,
    BDA_BYTES = 30 + 7 + 4 + 8,
    DAC_BYTES = 1 + 768,
    SVGA_BYTES = 18
};

u16 state_size(u16 what)
{
    return (what & SAVE_HW ? HW_BYTES : 0) + (what & SAVE_BDA ? BDA_BYTES : 0) +
           (what & SAVE_DAC ? DAC_BYTES : 0) + (what & SAVE_SVGA ? SVGA_BYTES : 0);
}

static u16 save_hw(u16 seg, u16 at)
{
    for (u8 i = 0; i < 5; i++) st8(seg, at++, rd_seq(i));
    st8(seg, at++, inb(0x3cc));
    for (u8 i = 0; i < 25; i++) st8(seg, at++, rd_crtc(i));
    for (u8 i = 0; i < 21; i++) st8(seg, at++, rd_attr(i));
    for (u8 i = 0; i < 9; i++) st8(seg, at++, rd_gfx(i));
    attr_enable();
    return at;
}

static u16 restore_hw(u16 seg, u16 at)
{
    /* Our device takes a reset of the sequencer for the beginning of a VGA mode, which ends the VBE
       mode that the dispi part has just restored. */
    if (!dispi_active()) wr_seq(0, 1);
    for (u8 i = 1; i < 5; i++) wr_seq(i, ld8(seg, at + i));
    outb(0x3c2, ld8(seg, at + 5));
    wr_seq(0, 3);
    at += 6;
    wr_crtc(0x11, 0);
    for (u8 i = 0; i < 25; i++) wr_crtc(i, ld8(seg, at++));
    for (u8 i = 0; i < 21; i++) wr_attr(i, ld8(seg, at++));
    for (u8 i = 0; i < 9; i++) wr_gfx(i, ld8(seg, at++));
    attr_enable();
    return at;
}

static const ROM struct { u16 off, bytes; } bda_parts[] ROMDATA = {
    { 0x400 + BDA_MODE, 30 }, { 0x400 + BDA_ROWS, 7 }, { 0x400 + BDA_SAVEPTR, 4 },
    { 4 * 0x1f, 4 }, { 4 * 0x43, 4 },
};

static u16 move_bda(u16 seg, u16 at, int save)
{
    for (u8 p = 0; p < LEN(bda_parts); p++)
        for (u16 i = 0; i < bda_parts[p].bytes; i++, at++) {
            const u16 off = bda_parts[p].off + i;
            if (save) st8(seg, at, ld8(0, off)); else st8(0, off, ld8(seg, at));
        }
    return at;
}

static u16 move_dac(u16 seg, u16 at, int save)
{
    if (save) st8(seg, at, inb(0x3c6)); else outb(0x3c6, ld8(seg, at));
    at++;
    outb(save ? 0x3c7 : 0x3c8, 0);
    for (u16 i = 0; i < 768; i++, at++) {
        if (save) st8(seg, at, inb(0x3c9)); else outb(0x3c9, ld8(seg, at));
    }
    return at;
}

/* Dispi registers 1-9; ENABLE first off, last on, so that the device sees one mode set. */
static u16 move_svga(u16 seg, u16 at, int save)
{
    if (save) {
        for (u8 i = 1; i < 10; i++) st16(seg, at + (i - 1) * 2, dispi_rd(i));
        return at + SVGA_BYTES;
    }
    const u16 enable = ld16(seg, at + (DISPI_ENABLE - 1) * 2);
    dispi_wr(DISPI_ENABLE, 0);
    for (u8 i = DISPI_XRES; i <= DISPI_BPP; i++) dispi_wr(i, ld16(seg, at + (i - 1) * 2));
    if (enable & DISPI_ON) {
        dispi_wr(DISPI_ENABLE, enable | DISPI_NOCLEAR);
        for (u8 i = DISPI_BANK; i <= DISPI_Y_OFFSET; i++) dispi_wr(i, ld16(seg, at + (i - 1) * 2));
    }
    return at + SVGA_BYTES;
}

u16 state_save(u16 what, u16 seg, u16 off)
{
    if (what & SAVE_HW) off = save_hw(seg, off);
    if (what & SAVE_BDA) off = move_bda(seg, off, 1);
    if (what & SAVE_DAC) off = move_dac(seg, off, 1);
    if (what & SAVE_SVGA) off = move_svga(seg, off, 1);
    return off;
}

/* The dispi part goes first although it lies last: leaving or entering a VBE mode makes the device
   touch VGA registers, which the hardware part then puts right. */
u16 state_restore(u16 what, u16 seg, u16 off)
{
    if (what & SAVE_SVGA)
        move_svga(seg, off + state_size(what & (SAVE_HW | SAVE_BDA | SAVE_DAC)), 0);
    if (what & SAVE_HW) off = restore_hw(seg, off);
    if (what & SAVE_BDA) off = move_bda(seg, off, 0);
    if (what & SAVE_DAC) off = move_dac(seg, off, 0);
    return off;
}

void int10_state(struct regs *r)
{
    const u16 what = r->cx & 7;
    if (r->al > 2) return;
    if (r->al == 0) r->bx = (state_size(what) + 63) / 64;
    if (r->al == 1) state_save(what, r->es, r->bx);
    if (r->al == 2) state_restore(what, r->es, r->bx);
    r->al = 0x1c;
}
