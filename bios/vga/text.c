/* Characters: cursor, pages, scrolling, reading, writing, teletype and strings (INT 10h AH=01h-0Ah,
   0Eh and 13h). Text modes are handled here; in graphics modes the glyphs are drawn by gfx.c. */

#include "bios/vga/vga.h"

static u16 text_seg(void) { return bda8(BDA_MODE) == 7 ? 0xb000 : 0xb800; }

u16 page_base(u8 page) { return bda16(BDA_PAGE_LEN) * (page & 7); }

static u16 cell(u8 page, u8 row, u8 col)
{
    return page_base(page) + (row * bda16(BDA_COLS) + col) * 2;
}

static u16 cursor_of(u8 page) { return bda16(BDA_CURSOR + (page & 7) * 2); }

/* Programs that count in the CGA's eight lines mean the same place in a taller cell. */
void set_cursor_shape(u16 shape)
{
    set_bda16(BDA_SHAPE, shape);
    u8 start = shape >> 8 & 0x3f, end = shape & 0x1f;
    const u8 height = (u8)bda16(BDA_CHEIGHT);
    if (!(bda8(BDA_CTL) & 1) && height > 8 && start < 8 && end < 8 && end >= start) {
        const u8 thin = end == start + 1;
        start = (start + 1) * height / 8 - 1;
        end = thin ? start + 1 : (end + 1) * height / 8 - 1;
    }
    wr_crtc(0x0a, start);
    wr_crtc(0x0b, end);
}

void set_cursor(u8 page, u16 pos)
{
    page &= 7;
    set_bda16(BDA_CURSOR + page * 2, pos);
    if (page != bda8(BDA_PAGE) || dispi_active()) return;
    const u16 at = (bda16(BDA_PAGE_START) >> 1) + (pos >> 8) * bda16(BDA_COLS) + (u8)pos;
    wr_crtc(0x0e, at >> 8);
    wr_crtc(0x0f, (u8)at);
}

void set_page(u8 page)
{
    if (page > 7 || dispi_active()) return;
    const u16 start = page_base(page);
    struct surface s;
    const u16 units = current_surface(&s, 0) ? start : start >> 1; /* CRTC counts cells in text */
    set_bda16(BDA_PAGE_START, start);
    wr_crtc(0x0c, units >> 8);
    wr_crtc(0x0d, (u8)units);
    set_bda8(BDA_PAGE, page);
    set_cursor(page, cursor_of(page));
}

static void fill_row(struct surface *s, u8 page, u8 row, u8 col, u8 cols, u8 attr)
{
    if (s->model != MODEL_TEXT)
        gfx_fill_row(s, row, col, cols, attr);
    else
        far_fill16(text_seg(), cell(page, row, col), (u16)(attr << 8 | ' '), cols);
}

static void copy_row(struct surface *s, u8 page, u8 dst, u8 src, u8 col, u8 cols)
{
    if (s->model != MODEL_TEXT)
        gfx_copy_row(s, dst, src, col, cols);
    else
        far_copy8(text_seg(), cell(page, dst, col), cell(page, src, col), cols * 2);
}

void scroll(u8 page, u8 up, u8 lines, u8 attr, u16 top_left, u16 bottom_right)
{
    u8 top = top_left >> 8, left = (u8)top_left, bottom = bottom_right >> 8,
       right = (u8)bottom_right;
    const u8 last_row = bda8(BDA_ROWS), last_col = (u8)(bda16(BDA_COLS) - 1);
    if (bottom > last_row) bottom = last_row;
    if (right > last_col) right = last_col;
    if (top > bottom || left > right) return;
    struct surface s;
    current_surface(&s, page);
    const u8 rows = bottom - top + 1, cols = right - left + 1;
    if (lines == 0 || lines > rows) lines = rows;
    for (u8 i = 0; i < rows; i++) {
        const u8 row = up ? top + i : bottom - i;
        if (i + lines < rows)
            copy_row(&s, page, row, up ? row + lines : row - lines, left, cols);
        else
            fill_row(&s, page, row, left, cols, attr);
    }
}

void write_char(u8 page, u16 pos, u8 ch, u8 attr, u8 with_attr)
{
    struct surface s;
    if (current_surface(&s, page)) {
        gfx_write_char(&s, pos, ch, attr);
        return;
    }
    const u16 at = cell(page, pos >> 8, (u8)pos);
    if (with_attr)
        st16(text_seg(), at, (u16)(attr << 8 | ch));
    else
        st8(text_seg(), at, ch);
}

u16 read_char(u8 page, u16 pos)
{
    struct surface s;
    if (current_surface(&s, page)) return gfx_read_char(&s, pos);
    return ld16(text_seg(), cell(page, pos >> 8, (u8)pos));
}

/* Port 61h bit 4 flips with every memory refresh (15 us). Bounded, should it stand still. */
static void beep(void)
{
    outb(0x43, 0xb6);
    outb(0x42, 0x33);                       /* 1193182 / 1331 = 896 Hz */
    outb(0x42, 0x05);
    const u8 was = inb(0x61);
    outb(0x61, was | 3);
    u8 last = was & 0x10;
    for (u16 edges = 0, tries = 0; edges < 6000 && tries < 40000; tries++) {
        const u8 now = inb(0x61) & 0x10;
        if (now != last) edges++;
        last = now;
    }
    outb(0x61, was);
}

/* Of the line that scrolling brings. Text: the attribute under the cursor; graphics: black. On its
   own, so that its surface is off the stack when the scrolling begins. */
static __attribute__((noinline)) u8 new_line_attr(u8 page, u16 pos)
{
    struct surface s;
    return current_surface(&s, page) ? 0 : read_char(page, pos) >> 8;
}

void teletype(u8 page, u8 ch, u8 attr, u8 with_attr)
{
    const u16 pos = cursor_of(page);
    u8 row = pos >> 8, col = (u8)pos;
    const u16 cols = bda16(BDA_COLS);
    switch (ch) {
    case 7: beep(); return;
    case 8: if (col) col--; break;
    case 10: row++; break;
    case 13: col = 0; break;
    default:
        write_char(page, pos, ch, attr, with_attr);
        if (++col >= cols) {
            col = 0;
            row++;
        }
    }
    const u8 last = bda8(BDA_ROWS);
    if (row > last) {
        const u8 fill = new_line_attr(page, pos);
        scroll(page, 1, 1, fill, 0, (u16)(last << 8 | (u8)(cols - 1)));
        row = last;
    }
    set_cursor(page, (u16)(row << 8 | col));
}

/* AH=13h: AL bit 0 moves the cursor, bit 1 says that attributes are in the string. */
void write_string(struct regs *r)
{
    const u16 was = cursor_of(r->bh & 7);
    u16 at = r->bp;
    set_cursor(r->bh & 7, r->dx);
    for (u16 n = r->cx; n--;) {
        const u8 ch = ld8(r->es, at++);
        teletype(r->bh & 7, ch, r->al & 2 ? ld8(r->es, at++) : r->bl, 1);
    }
    if (!(r->al & 1)) set_cursor(r->bh & 7, was);
}
