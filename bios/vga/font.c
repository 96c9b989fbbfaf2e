/* Character generator: the ROM's fonts and INT 10h AH=11h.

   A text mode reads its glyphs from plane 2: eight blocks of 256 glyphs, 32 bytes each. Graphics
   modes read them through the vectors 1Fh (upper half, 8 lines) and 43h. */

#include "bios/vga/vga.h"
#include "bios/vga/font8x8.h"
#include "bios/vga/font8x14.h"
#include "bios/vga/font8x16.h"

static const ROM u8 *rom_font(u8 height)
{
    return height == 8 ? font8x8 : height == 14 ? font8x14 : font8x16;
}

static void open_font_plane(void)
{
    wr_seq(0, 1);
    wr_seq(2, 4);
    wr_seq(4, 7);
    wr_seq(0, 3);
    wr_gfx(4, 2);
    wr_gfx(5, 0);
    wr_gfx(6, 4);
}

static void close_font_plane(void)
{
    wr_seq(0, 1);
    wr_seq(2, 3);
    wr_seq(4, 2);
    wr_seq(0, 3);
    wr_gfx(4, 0);
    wr_gfx(5, 0x10);
    wr_gfx(6, inb(0x3cc) & 1 ? 0x0e : 0x0a);
}

static void load_font(u16 seg, u16 off, u16 first, u16 count, u8 height, u8 block)
{
    const u16 base = (u16)((block & 3) << 14 | (block & 4) << 11);
    if (height > 32) height = 32;
    open_font_plane();
    for (u16 ch = first; count-- && ch < 256; ch++) {
        const u16 from = off + (ch - first) * height, to = base + ch * 32;
        const u8 whole = from <= 0xffe0 ? height & ~3 : 0;      /* the segment's end wraps bytewise */
        u8 line = 0;
        for (; line < whole; line += 4) st32(0xa000, to + line, ld32(seg, from + line));
        for (; line < height; line++) st8(0xa000, to + line, ld8(seg, (u16)(from + line)));
        for (; line & 3; line++) st8(0xa000, to + line, 0);
        for (; line < 32; line += 4) st32(0xa000, to + line, 0);
    }
    close_font_plane();
}

void load_rom_font(u8 height, u8 block)
{
    load_font(rom_seg(), (u16)(u32)rom_font(height), 0, 256, height, block);
}

void set_gfx_font(u8 height) { st32(0, 4 * 0x43, rom_far(rom_font(height))); }

void font_vectors(void)
{
    st32(0, 4 * 0x1f, rom_far(font8x8 + 128 * 8));
    st32(0, 4 * 0x43, rom_far(font8x16));
}

/* After a text font of another height: rows, cursor and page size follow (AL=1xh). */
static void fit_text_to_font(u8 height)
{
    const u8 select = bda8(BDA_MODESET) & 0x90;
    u16 lines = select & 0x10 ? 400 : select & 0x80 ? 200 : 350;
    const u8 twice = rd_crtc(9) & 0x80 ? 1 : 0;
    if (height == 0 || height > 32) return;
    wr_crtc(9, (rd_crtc(9) & 0xe0) | (height - 1));
    const u8 rows = lines / height;
    const u16 shown = (u16)(rows * height << twice) - 1;
    wr_crtc(0x12, (u8)shown);
    wr_crtc(7, (rd_crtc(7) & ~0x42) | (shown >> 8 & 1) << 1 | (shown >> 9 & 1) << 6);
    set_bda8(BDA_ROWS, rows - 1);
    set_bda16(BDA_CHEIGHT, height);
    set_bda16(BDA_PAGE_LEN, (rows * bda16(BDA_COLS) * 2 + 0xff) & 0xff00);
    const u8 start = height > 8 ? height - 3 : height - 2;
    set_bda16(BDA_SHAPE, (u16)(start << 8 | (start + 1)));
    wr_crtc(0x0a, start);
    wr_crtc(0x0b, start + 1);
}

/* AL=2xh: only pointers and the BIOS data area; BL names the rows or says that DL does. */
static void graphics_font(struct regs *r, u32 font, u16 height)
{
    static const ROM u8 rows_of[4] ROMDATA = { 0, 14, 25, 43 };
    const u8 rows = r->bl == 0 ? r->dl : rows_of[r->bl < 4 ? r->bl : 2];
    st32(0, 4 * 0x43, font);
    set_bda16(BDA_CHEIGHT, height);
    if (rows) set_bda8(BDA_ROWS, rows - 1);
}

static void font_info(struct regs *r)
{
    u32 p;
    switch (r->bh) {
    case 0: p = ld32(0, 4 * 0x1f); break;
    case 1: p = ld32(0, 4 * 0x43); break;
    case 2: p = rom_far(font8x14); break;
    case 3: p = rom_far(font8x8); break;
    case 4: p = rom_far(font8x8 + 128 * 8); break;
    case 5: p = rom_far(font8x14 + 256 * 14 - 1); break;    /* 9-dot alternates: an empty list, */
    case 6: p = rom_far(font8x16); break;                   /* which is one zero byte */
    case 7: p = rom_far(font8x14 + 256 * 14 - 1); break;
    default: return;
    }
    r->es = p >> 16;
    r->bp = (u16)p;
    r->cx = bda16(BDA_CHEIGHT);
    r->dl = bda8(BDA_ROWS);
}

void int10_font(struct regs *r)
{
    static const ROM u8 heights[5] ROMDATA = { 0, 14, 8, 0, 16 };
    const u8 which = r->al & 15;
    switch (r->al) {
    case 0x00: case 0x10:
        load_font(r->es, r->bp, r->dx, r->cx, r->bh, r->bl);
        if (r->al & 0x10) fit_text_to_font(r->bh);
        break;
    case 0x01: case 0x02: case 0x04: case 0x11: case 0x12: case 0x14:
        load_rom_font(heights[which], r->bl);
        if (r->al & 0x10) fit_text_to_font(heights[which]);
        break;
    case 0x03: wr_seq(3, r->bl); break;
    case 0x20: st32(0, 4 * 0x1f, (u32)r->es << 16 | r->bp); break;
    case 0x21: graphics_font(r, (u32)r->es << 16 | r->bp, r->cx); break;
    case 0x22: graphics_font(r, rom_far(font8x14), 14); break;
    case 0x23: graphics_font(r, rom_far(font8x8), 8); break;
    case 0x24: graphics_font(r, rom_far(font8x16), 16); break;
    case 0x30: font_info(r); break;
    }
}
