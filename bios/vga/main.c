/* INT 10h: one function for each AH. Unknown functions change nothing. */

#include "bios/vga/vga.h"

void int10_main(struct regs *r);

/* AL on return is what IBM's BIOS leaves: 20h, 30h for the modes of the CGA's text kind,
   3Fh for 6. */
static void mode_set(struct regs *r)
{
    const u8 mode = r->al & 0x7f;
    if (mode != MODE_1024) set_mode(r->al);
    r->al = mode == 6 ? 0x3f : mode > 7 ? 0x20 : 0x30;
}

static void get_cursor(struct regs *r)
{
    r->dx = bda16(BDA_CURSOR + (r->bh & 7) * 2);
    r->cx = bda16(BDA_SHAPE);
}

/* Writes CX characters from the cursor on without moving it; text runs on into the next line. */
static void repeat_char(struct regs *r, u8 with_attr)
{
    u16 pos = bda16(BDA_CURSOR + (r->bh & 7) * 2);
    const u16 cols = bda16(BDA_COLS);
    const u8 last = bda8(BDA_ROWS);
    for (u16 n = r->cx; n--;) {
        write_char(r->bh & 7, pos, r->al, r->bl, with_attr);
        pos++;
        if ((u8)pos >= cols || (u8)pos == 0) pos = (u16)((pos - 1) & 0xff00) + 0x100;
        if (pos >> 8 > last) return;
    }
}

static void pixel(struct regs *r, int is_write)
{
    struct surface s;
    if (!current_surface(&s, r->bh & 7)) return;
    if (is_write)
        put_pixel(&s, r->cx, r->dx, r->al);
    else
        r->al = get_pixel(&s, r->cx, r->dx);
}

static void get_mode(struct regs *r)
{
    r->al = (bda8(BDA_MODE) & 0x7f) | (bda8(BDA_CTL) & 0x80);
    r->ah = (u8)bda16(BDA_COLS);
    r->bh = bda8(BDA_PAGE);
}

void int10_main(struct regs *r)
{
    switch (r->ah) {
    case 0x00: mode_set(r); break;
    case 0x01: set_cursor_shape(r->cx); break;
    case 0x02: set_cursor(r->bh, r->dx); break;
    case 0x03: get_cursor(r); break;
    case 0x04: r->ah = 0; break;                            /* no light pen */
    case 0x05: set_page(r->al); break;
    case 0x06: scroll(bda8(BDA_PAGE), 1, r->al, r->bh, r->cx, r->dx); break;
    case 0x07: scroll(bda8(BDA_PAGE), 0, r->al, r->bh, r->cx, r->dx); break;
    case 0x08: {
        const u16 cell = read_char(r->bh & 7, bda16(BDA_CURSOR + (r->bh & 7) * 2));
        r->al = (u8)cell;
        r->ah = cell >> 8;
        break;
    }
    case 0x09: repeat_char(r, 1); break;
    case 0x0a: repeat_char(r, 0); break;
    case 0x0b: int10_cga_palette(r); break;
    case 0x0c: pixel(r, 1); break;
    case 0x0d: pixel(r, 0); break;
    case 0x0e: teletype(bda8(BDA_PAGE), r->al, r->bl, 0); break;
    case 0x0f: get_mode(r); break;
    case 0x10: int10_palette(r); break;
    case 0x11: int10_font(r); break;
    case 0x12: int10_alternate(r); break;
    case 0x13: write_string(r); break;
    case 0x1a: int10_dcc(r); break;
    case 0x1b: int10_info(r); break;
    case 0x1c: int10_state(r); break;
    case 0x4f: int10_vbe(r); break;
    }
}
