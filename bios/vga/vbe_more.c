/* VBE 3.0, second part: state, window, scan lines, display start, DAC, protected-mode interface,
   power management and display data (4F04h-4F0Ah, 4F10h, 4F15h).

   Answers in AX: 004Fh done, 014Fh failed, 034Fh not in this mode. */

#include "bios/vga/vga.h"

enum { OK = 0x004f, FAILED = 0x014f, WRONG_MODE = 0x034f };

static u16 save_restore(struct regs *r)
{
    const u16 what = r->cx & 15;
    switch (r->dl) {
    case 0: r->bx = (state_size(what) + 63) / 64; return OK;
    case 1: state_save(what, r->es, r->bx); return OK;
    case 2: state_restore(what, r->es, r->bx); return OK;
    }
    return FAILED;
}

static u16 window(struct regs *r)
{
    if (r->bl || r->bh > 1) return FAILED;
    if (!dispi_active()) return WRONG_MODE;
    if (r->bh == 1) {
        r->dx = dispi_rd(DISPI_BANK);
        return OK;
    }
    if (r->dx >= dispi_rd(DISPI_MEM_64K)) return FAILED;
    dispi_wr(DISPI_BANK, r->dx);
    return OK;
}

static u32 memory_bytes(void) { return (u32)dispi_rd(DISPI_MEM_64K) << 16; }

/* The longest line is 64 KiB less one unit: replies have 16 bits for it. */
static u16 scan_line(struct regs *r)
{
    if (!dispi_active()) return WRONG_MODE;
    const u8 bpp = (u8)dispi_rd(DISPI_BPP), bytes = (bpp + 7) / 8;
    const u16 xres = dispi_rd(DISPI_XRES), yres = dispi_rd(DISPI_YRES);
    if (bytes == 0 || yres == 0) return FAILED;
    u32 longest = memory_bytes() / yres / bytes;
    if (longest > 65528u / bytes) longest = 65528u / bytes;
    longest &= ~7u;
    u32 width = dispi_rd(DISPI_VIRT_WIDTH);
    switch (r->bl) {
    case 0: width = r->cx; break;
    case 1: break;
    case 2: width = ((u32)r->cx + bytes - 1) / bytes; break;
    case 3: width = longest; break;
    default: return FAILED;
    }
    width = (width + 7) & ~7u;
    if (width < xres) width = xres;
    if (width > longest) return 0x024f;                     /* not on this hardware */
    if (r->bl == 0 || r->bl == 2) dispi_wr(DISPI_VIRT_WIDTH, (u16)width);
    if (r->bl != 3) width = dispi_rd(DISPI_VIRT_WIDTH);
    const u32 pitch = vbe_pitch((u16)width, bpp);
    const u32 lines = pitch ? memory_bytes() / pitch : yres;
    r->bx = (u16)pitch;
    r->cx = (u16)width;
    r->dx = lines > 0xffff ? 0xffff : (u16)lines;
    return OK;
}

static u16 display_start(struct regs *r)
{
    if (!dispi_active()) return WRONG_MODE;
    const u8 bpp = (u8)dispi_rd(DISPI_BPP), bytes = (bpp + 7) / 8;
    const u32 pitch = vbe_pitch(dispi_rd(DISPI_VIRT_WIDTH), bpp);
    if (pitch == 0) return FAILED;
    u32 x = r->cx, y = r->dx;
    switch (r->bl) {
    case 0x01:
        r->bh = 0;
        r->cx = dispi_rd(DISPI_X_OFFSET);
        r->dx = dispi_rd(DISPI_Y_OFFSET);
        return OK;
    case 0x02: case 0x82:                                   /* a byte address in ECX */
        x = r->ecx % pitch / bytes;
        y = r->ecx / pitch;
        break;
    case 0x00: case 0x80: break;
    default: return FAILED;
    }
    if (y + dispi_rd(DISPI_YRES) > memory_bytes() / pitch || x > 0xffff) return FAILED;
    dispi_wr(DISPI_X_OFFSET, (u16)x);
    dispi_wr(DISPI_Y_OFFSET, (u16)y);
    return OK;
}

static u8 dac_bits(void) { return dispi_rd(DISPI_ENABLE) & DISPI_8BIT_DAC ? 8 : 6; }

static u16 dac_width(struct regs *r)
{
    if (!dispi_active() || dispi_rd(DISPI_BPP) > 8) return WRONG_MODE;
    if (r->bl > 1) return FAILED;
    if (r->bl == 0) {
        const u16 enable = dispi_rd(DISPI_ENABLE) | DISPI_NOCLEAR;
        dispi_wr(DISPI_ENABLE, r->bh >= 8 ? enable | DISPI_8BIT_DAC : enable & ~DISPI_8BIT_DAC);
    }
    r->bh = dac_bits();
    return OK;
}

/* Entries are blue, green, red and a filler byte. */
static u16 palette(struct regs *r)
{
    if (r->bl == 2 || r->bl == 3) return 0x024f;            /* no secondary palette */
    if ((r->bl & 0x7f) > 1 || r->cx > 256 || r->dx > 255 || r->cx + r->dx > 256) return FAILED;
    u16 at = r->di;
    outb(r->bl == 1 ? 0x3c7 : 0x3c8, (u8)r->dx);
    for (u16 n = r->cx; n--; at += 4) {
        if (r->bl == 1) {
            for (u8 i = 3; i--;) st8(r->es, at + i, inb(0x3c9));
            st8(r->es, at + 3, 0);
        } else {
            for (u8 i = 3; i--;) outb(0x3c9, ld8(r->es, at + i));
        }
    }
    return OK;
}

static u16 protected_mode(struct regs *r)
{
    extern const ROM u8 pmi_table[], pmi_end[];
    if (r->bl) return FAILED;
    r->es = rom_seg();
    r->di = (u16)(u32)pmi_table;
    r->cx = (u16)((u32)pmi_end - (u32)pmi_table);
    return OK;
}

/* DPMS: the sequencer's screen-off bit is the one saving state a monitor-less display has. */
static u16 power(struct regs *r)
{
    switch (r->bl) {
    case 0:
        r->bx = 0x0720;                                     /* standby, suspend, off; version 2.0 */
        return OK;
    case 1:
        if (r->bh != 0 && r->bh != 1 && r->bh != 2 && r->bh != 4) return FAILED;
        wr_seq(1, (rd_seq(1) & ~0x20) | (r->bh ? 0x20 : 0));
        return OK;
    case 2:
        r->bh = rd_seq(1) & 0x20 ? 4 : 0;
        return OK;
    }
    return FAILED;
}

static u16 display_data(struct regs *r)
{
    const u16 edid = edid_offset();
    if (!edid) return FAILED;
    if (r->bl == 0) {
        r->bx = 0x0002;                                     /* DDC2, a block comes at once */
        return OK;
    }
    if (r->bl != 1 || r->dx) return FAILED;                 /* one block only */
    for (u8 i = 0; i < 128; i++) st8(r->es, r->di + i, ld8(rom_seg(), edid + i));
    return OK;
}

void vbe_more(struct regs *r)
{
    if (!dispi_present()) return;
    switch (r->al) {
    case 0x04: r->ax = save_restore(r); break;
    case 0x05: r->ax = window(r); break;
    case 0x06: r->ax = scan_line(r); break;
    case 0x07: r->ax = display_start(r); break;
    case 0x08: r->ax = dac_width(r); break;
    case 0x09: r->ax = palette(r); break;
    case 0x0a: r->ax = protected_mode(r); break;
    case 0x10: r->ax = power(r); break;
    case 0x15: r->ax = display_data(r); break;
    default: r->ax = 0x0100; /* AL other than 4Fh: no such function */
    }
}
