/* Pixels and glyphs in graphics modes: CGA's two formats, four planes, one byte a pixel, and the
   VBE modes of 8 to 32 bits through the 64 KiB window. */

#include "bios/vga/vga.h"

#define VGA_SEG 0xa000
#define CGA_SEG 0xb800

static void vbe_surface(struct surface *s)
{
    s->bpp = (u8)dispi_rd(DISPI_BPP);
    s->bytes = (s->bpp + 7) / 8;
    s->width = dispi_rd(DISPI_XRES);
    s->height = dispi_rd(DISPI_YRES);
    s->model = MODEL_LINEAR;
    s->banked = 1;
    s->bank = 0xffff;
    s->pitch = (u16)vbe_pitch(dispi_rd(DISPI_VIRT_WIDTH), s->bpp);
    s->base = 0;
}

/* Fills s for one page; true for a graphics mode. */
int current_surface(struct surface *s, u8 page)
{
    s->cheight = bda16(BDA_CHEIGHT);
    if (s->cheight == 0 || s->cheight > 32) s->cheight = 16;
    if (dispi_active()) {
        vbe_surface(s);
        return 1;
    }
    const ROM struct mode_info *m = find_mode(bda8(BDA_MODE) & 0x7f);
    s->model = m ? m->model : MODEL_TEXT;
    if (s->model == MODEL_TEXT) return 0;
    s->bytes = 1;
    s->bpp = 8;
    s->banked = 0;
    s->width = m->width;
    s->height = m->height;
    s->pitch = s->model == MODEL_LINEAR ? 320 : s->model == MODEL_PLANAR ? m->width / 8 : 80;
    s->base = s->model == MODEL_PLANAR ? page_base(page) : 0;
    return 1;
}

static void bank(struct surface *s, u32 addr)
{
    const u16 want = addr >> 16;
    if (!s->banked || want == s->bank) return;
    dispi_wr(DISPI_BANK, want);
    s->bank = want;
}

static u32 pixel_color(struct surface *s, u8 color)
{
    if (s->bytes == 1) return color;
    /* A direct colour mode has no palette: the low four bits are the EGA's sixteen colours. */
    const u8 lo = color & 8 ? 0x55 : 0, hi = color & 8 ? 0xff : 0xaa;
    const u8 r = color & 4 ? hi : lo, b = color & 1 ? hi : lo;
    const u8 g = (color & 15) == 6 ? 0x55 : color & 2 ? hi : lo;
    if (s->bpp == 15) return (u32)(r >> 3) << 10 | (u32)(g >> 3) << 5 | b >> 3;
    if (s->bpp == 16) return (u32)(r >> 3) << 11 | (u32)(g >> 2) << 5 | b >> 3;
    return (u32)r << 16 | (u32)g << 8 | b;
}

static u16 cga_line(u16 y) { return (y & 1 ? 0x2000 : 0) + (y >> 1) * 80; }

static void put_cga(struct surface *s, u16 x, u16 y, u8 color)
{
    const u8 two = s->model == MODEL_CGA2;
    const u16 at = cga_line(y) + (two ? x >> 2 : x >> 3);
    const u8 shift = two ? (3 - (x & 3)) * 2 : 7 - (x & 7);
    const u8 mask = (two ? 3 : 1) << shift;
    const u8 bits = (u8)(color << shift) & mask;
    const u8 old = ld8(CGA_SEG, at);
    st8(CGA_SEG, at, color & 0x80 ? old ^ bits : (old & ~mask) | bits);
}

/* 1024x768 in planes takes 96 KiB: its window is 128 KiB long. */
static u16 planar_seg(u32 at) { return at >> 16 ? 0xb000 : VGA_SEG; }

static u32 planar_at(struct surface *s, u16 y, u16 x8) { return (u32)y * s->pitch + s->base + x8; }

/* Planar writes set eight dots of one byte at a time; the registers go back to their defaults. */
static void planar_dots(u32 at, u8 dots, u8 color, u8 xor)
{
    wr_gfx(8, dots);
    wr_gfx(0, color & 15);
    wr_gfx(1, 15);
    wr_gfx(3, xor ? 0x18 : 0);
    const u16 seg = planar_seg(at);
    st8(seg, (u16)at, ld8(seg, (u16)at));       /* the read loads the latches */
    wr_gfx(3, 0);
    wr_gfx(1, 0);
    wr_gfx(0, 0);
    wr_gfx(8, 0xff);
}

static void put_linear(struct surface *s, u16 x, u16 y, u8 color)
{
    const u32 addr = (u32)y * s->pitch + (u32)x * s->bytes;
    u32 v = pixel_color(s, s->bytes == 1 ? color : color & 15);
    for (u8 i = 0; i < s->bytes; i++, v >>= 8) {
        bank(s, addr + i);
        st8(VGA_SEG, (u16)(addr + i), (u8)v);
    }
}

void put_pixel(struct surface *s, u16 x, u16 y, u8 color)
{
    if (x >= s->width || y >= s->height) return;
    if (s->model == MODEL_PLANAR)
        planar_dots(planar_at(s, y, x >> 3), 0x80 >> (x & 7), color, color & 0x80);
    else if (s->model == MODEL_LINEAR)
        put_linear(s, x, y, color);
    else
        put_cga(s, x, y, color);
}

static u8 planar_byte(u32 at, u8 plane)
{
    wr_gfx(4, plane);
    const u8 v = ld8(planar_seg(at), (u16)at);
    wr_gfx(4, 0);
    return v;
}

u8 get_pixel(struct surface *s, u16 x, u16 y)
{
    if (x >= s->width || y >= s->height) return 0;
    if (s->model == MODEL_PLANAR) {
        u8 color = 0;
        for (u8 p = 0; p < 4; p++)
            if (planar_byte(planar_at(s, y, x >> 3), p) & 0x80 >> (x & 7)) color |= 1 << p;
        return color;
    }
    if (s->model == MODEL_LINEAR) {
        /* Direct colour: nonzero if any of the pixel's bytes is. */
        const u32 addr = (u32)y * s->pitch + (u32)x * s->bytes;
        u8 v = 0;
        for (u8 i = 0; i < s->bytes; i++) {
            bank(s, addr + i);
            v |= ld8(VGA_SEG, (u16)(addr + i));
        }
        return v;
    }
    if (s->model == MODEL_CGA2)
        return ld8(CGA_SEG, cga_line(y) + (x >> 2)) >> (3 - (x & 3)) * 2 & 3;
    return ld8(CGA_SEG, cga_line(y) + (x >> 3)) >> (7 - (x & 7)) & 1;
}

/* Graphics glyphs come through vector 43h, the upper half of an 8-line font through 1Fh. */
static u32 glyph_addr(struct surface *s, u8 ch)
{
    if ((s->model == MODEL_CGA2 || s->model == MODEL_CGA1) && ch >= 128)
        return ld32(0, 4 * 0x1f) + (ch - 128) * 8;
    return ld32(0, 4 * 0x43) + ch * s->cheight;
}

static u8 glyph_line(u32 glyph, u16 line) { return ld8(glyph >> 16, (u16)(glyph + line)); }

static void linear_glyph_line(struct surface *s, u16 x, u16 y, u8 dots, u8 attr)
{
    for (u8 i = 0; i < 8; i++)
        put_linear(s, x + i, y, dots & 0x80 >> i ? attr : 0);
}

static void cga_glyph_line(struct surface *s, u16 x, u16 y, u8 dots, u8 attr)
{
    for (u8 i = 0; i < 8; i++) {
        if (attr & 0x80) {
            if (dots & 0x80 >> i) put_cga(s, x + i, y, attr);
        } else {
            put_cga(s, x + i, y, dots & 0x80 >> i ? attr : 0);
        }
    }
}

void gfx_write_char(struct surface *s, u16 pos, u8 ch, u8 attr)
{
    const u16 x = (u8)pos * 8, y0 = (pos >> 8) * s->cheight;
    if (x + 8 > s->width || y0 + s->cheight > s->height) return;
    const u32 glyph = glyph_addr(s, ch);
    for (u16 line = 0; line < s->cheight; line++) {
        const u8 dots = glyph_line(glyph, line);
        const u16 y = y0 + line;
        if (s->model == MODEL_PLANAR) {
            const u32 at = planar_at(s, y, (u8)pos);
            if (!(attr & 0x80)) planar_dots(at, ~dots, 0, 0);
            planar_dots(at, dots, attr, attr & 0x80);
        } else if (s->model == MODEL_LINEAR) {
            linear_glyph_line(s, x, y, dots, attr);
        } else {
            cga_glyph_line(s, x, y, dots, attr);
        }
    }
}

static u8 dots_of(struct surface *s, u16 x, u16 y)
{
    u8 dots = 0;
    if (s->model == MODEL_PLANAR) {
        for (u8 p = 0; p < 4; p++) dots |= planar_byte(planar_at(s, y, x >> 3), p);
        return dots;
    }
    for (u8 i = 0; i < 8; i++)
        if (get_pixel(s, x + i, y)) dots |= 0x80 >> i;
    return dots;
}

/* Which character is drawn at pos; 0 if none matches. */
u8 gfx_read_char(struct surface *s, u16 pos)
{
    u8 shape[32];
    const u16 x = (u8)pos * 8, y0 = (pos >> 8) * s->cheight;
    if (x + 8 > s->width || y0 + s->cheight > s->height) return 0;
    for (u16 line = 0; line < s->cheight; line++) shape[line] = dots_of(s, x, y0 + line);
    for (u16 ch = 0; ch < 256; ch++) {
        const u32 glyph = glyph_addr(s, (u8)ch);
        u16 line = 0;
        while (line < s->cheight && glyph_line(glyph, line) == shape[line]) line++;
        if (line == s->cheight) return (u8)ch;
    }
    return 0;
}

enum { BOUNCE = 64 };                       /* bytes of stack */

static void bounce(struct surface *s, u32 dst, u32 src, u16 bytes)
{
    u8 buf[BOUNCE];
    bank(s, src);
    far_to_local(buf, VGA_SEG, (u16)src, bytes);
    bank(s, dst);
    local_to_far(VGA_SEG, (u16)dst, buf, bytes);
}

/* Runs inside one bank go at once, others in pieces through the stack. */
static void linear_copy(struct surface *s, u32 dst, u32 src, u32 bytes)
{
    while (bytes) {
        const u32 room_s = 0x10000 - (u16)src, room_d = 0x10000 - (u16)dst;
        u32 n = room_s < room_d ? room_s : room_d;
        if (n > bytes) n = bytes;
        if (!s->banked || src >> 16 == dst >> 16) {
            bank(s, src);
            far_copy8(VGA_SEG, (u16)dst, (u16)src, (u16)n);
        } else {
            if (n > BOUNCE) n = BOUNCE;
            bounce(s, dst, src, (u16)n);
        }
        src += n;
        dst += n;
        bytes -= n;
    }
}

/* Lines are 128 bytes where the window has two halves, so none straddles the border. */
static void planar_copy(u32 dst, u32 src, u8 bytes)
{
    const u16 ds = planar_seg(dst), ss = planar_seg(src);
    if (ds == ss)
        far_copy8(ds, (u16)dst, (u16)src, bytes);
    else
        for (u8 i = 0; i < bytes; i++) st8(ds, (u16)dst + i, ld8(ss, (u16)src + i));
}

void gfx_copy_row(struct surface *s, u8 dst, u8 src, u8 col, u8 cols)
{
    if (s->model == MODEL_PLANAR) wr_gfx(5, (rd_gfx(5) & ~3) | 1);      /* latches to memory */
    for (u16 line = 0; line < s->cheight; line++) {
        const u16 yd = dst * s->cheight + line, ys = src * s->cheight + line;
        if (yd >= s->height || ys >= s->height) break;
        if (s->model == MODEL_PLANAR) {
            planar_copy(planar_at(s, yd, col), planar_at(s, ys, col), cols);
        } else if (s->model == MODEL_LINEAR) {
            const u32 x = (u32)col * 8 * s->bytes;
            linear_copy(s, (u32)yd * s->pitch + x, (u32)ys * s->pitch + x,
                        (u32)cols * 8 * s->bytes);
        } else {
            const u8 wide = s->model == MODEL_CGA2;
            far_copy8(CGA_SEG, cga_line(yd) + (col << wide), cga_line(ys) + (col << wide),
                      cols << wide);
        }
    }
    if (s->model == MODEL_PLANAR) wr_gfx(5, rd_gfx(5) & ~3);
}

/* The first pixel is drawn, the rest copied from what lies left of it, doubling: fills are long. */
static void linear_fill(struct surface *s, u16 y, u16 x, u16 n, u8 attr)
{
    const u32 at = (u32)y * s->pitch + (u32)x * s->bytes, bytes = (u32)n * s->bytes;
    put_linear(s, x, y, attr);
    for (u32 done = s->bytes; done < bytes;) {
        const u32 step = done < bytes - done ? done : bytes - done;
        linear_copy(s, at + done, at, step);
        done += step;
    }
}

void gfx_fill_row(struct surface *s, u8 row, u8 col, u8 cols, u8 attr)
{
    if (s->model == MODEL_PLANAR) {
        wr_gfx(0, attr & 15);
        wr_gfx(1, 15);
    }
    for (u16 line = 0; line < s->cheight; line++) {
        const u16 y = row * s->cheight + line;
        if (y >= s->height) break;
        if (s->model == MODEL_PLANAR) {
            const u32 at = planar_at(s, y, col);
            far_fill8(planar_seg(at), (u16)at, 0, cols);
        } else if (s->model == MODEL_LINEAR) {
            linear_fill(s, y, col * 8, cols * 8, attr);
        } else {
            const u8 wide = s->model == MODEL_CGA2;
            const u8 fill = wide ? (attr & 3) * 0x55 : attr & 1 ? 0xff : 0;
            far_fill8(CGA_SEG, cga_line(y) + (col << wide), fill, cols << wide);
        }
    }
    wr_gfx(1, 0);
    wr_gfx(0, 0);
}
