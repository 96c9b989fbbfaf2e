/* Text modes: characters and attributes from planes 0 and 1, glyphs from plane 2, cursor, blink,
 * underline, 8- and 9-dot cells, 40 columns with doubled dots, 200 lines drawn twice, smooth
 * scrolling and the split screen. A row of cells is decoded once and drawn line by line. IBM VGA
 * technical reference. The cursor is a block from its start to its end line; where the start lies
 * behind the end there is none. */
#include "gpu/vga_core.h"

#include <stdio.h>

enum { MAX_COLS = 256 };

struct cell {
    u32 fg, bg;
    u32 glyph;   /* offset of its first scan line in plane 2 */
    bool extend; /* ninth dot repeats the eighth: line-drawing characters */
    bool underline, cursor;
};

struct text_mode {
    u32 cols, cw, repeat; /* characters, dots of one, pixels of a dot */
    u32 pan;              /* dots hidden at the left */
    u32 cursor;           /* memory address of the cursor */
    bool blink_off;       /* blinking characters are dark now */
    bool cursor_on, cursor_lit;
    struct cell cells[MAX_COLS + 1];
    u32 line[(MAX_COLS + 1) * 9];
};

static u32 font_offset(const struct vga_core *v, bool bank_a)
{
    u8 s = v->seq[3];
    unsigned n = bank_a ? (s >> 2 & 3) | (s >> 3 & 4) : (s & 3) | (s >> 2 & 4);
    return (n & 3) * 0x4000 + (n & 4 ? 0x2000 : 0);
}

static struct cell decode_cell(struct vga_core *v, const struct text_mode *t, u8 ch, u8 attr)
{
    bool blink = v->attr[0x10] & 8, mono = v->attr[0x10] & 2;
    struct cell c;
    c.fg = vga_colour(v, attr & 15);
    c.bg = vga_colour(v, blink ? attr >> 4 & 7 : attr >> 4);
    if (blink && attr & 0x80) {
        v->blinks = true;
        if (t->blink_off) c.fg = c.bg;
    }
    c.glyph = font_offset(v, attr & 8) + ch * 32u;
    c.extend = (v->attr[0x10] & 4) && ch >= 0xc0 && ch <= 0xdf;
    c.underline = mono && (attr & 7) == 1;
    c.cursor = false;
    return c;
}

/* Decodes the cells of the row that starts at `ma`, one more than fits for panning; text: where to
 * note characters, or NULL. */
static void decode_row(struct vga_core *v, struct text_mode *t, u32 ma, u8 *text)
{
    for (u32 x = 0; x <= t->cols; x++, ma++) {
        const u8 *m = v->vram + vga_at(v, vga_address(v, ma, 0));
        t->cells[x] = decode_cell(v, t, m[0], m[1]);
        if (x < t->cols && text) text[x] = m[0];
        if (!t->cursor_on || (ma & 0xffff) != t->cursor) continue;
        v->blinks = true;
        t->cells[x].cursor = t->cursor_lit;
    }
}

static void draw_line(const struct vga_core *v, struct text_mode *t, u32 scan, u32 *out)
{
    u32 *dot = t->line, under = v->crtc[0x14] & 0x1fu;
    bool in_cursor = scan >= (v->crtc[0x0a] & 0x1fu) && scan <= (v->crtc[0x0b] & 0x1fu);
    for (u32 x = 0; x <= t->cols; x++) {
        const struct cell *c = &t->cells[x];
        u8 bits = v->vram[vga_at(v, c->glyph + scan) + 2];
        bool solid = (c->cursor && in_cursor) || (c->underline && scan == under);
        if (solid) bits = 0xff;
        for (unsigned k = 0; k < 8; k++) *dot++ = bits & (0x80 >> k) ? c->fg : c->bg;
        if (t->cw == 9) *dot++ = solid || (c->extend && bits & 1) ? c->fg : c->bg;
    }
    for (u32 k = 0; k < t->cols * t->cw; k++) {
        for (u32 r = 0; r < t->repeat; r++) *out++ = t->line[k + t->pan];
    }
}

/* With 9 dots the panning register counts 8, 0, 1 ... 7 for none, one ... eight dots. */
static u32 panned(const struct text_mode *t, u32 pan)
{
    if (t->cw == 8) return pan & 7;
    return pan >= 8 ? 0 : pan + 1;
}

void vga_draw_text(struct vga_core *v, struct frame *f)
{
    struct text_mode t;
    struct vga_line l;
    t.cols = v->crtc[1] + 1u;
    t.cw = v->seq[1] & 1 ? 8 : 9;
    t.repeat = v->seq[1] & 8 && t.cols * t.cw * 2 <= DISPLAY_MAX_W ? 2 : 1;
    t.blink_off = v->phase & 2;
    t.cursor = (u32)v->crtc[0x0e] << 8 | v->crtc[0x0f];
    t.cursor_on = !(v->crtc[0x0a] & 0x20) && (v->crtc[0x0a] & 0x1f) <= (v->crtc[0x0b] & 0x1f);
    t.cursor_lit = !(v->phase & 1);
    vga_first_line(v, &l);
    u32 rows = MAX(vga_lines(v) / l.cell, 1u), decoded = ~0u;
    frame_size(f, t.cols * t.cw * t.repeat, vga_lines(v));
    frame_text(f, t.cols, rows);
    memset(f->text, ' ', (size_t)t.cols * rows);
    for (; l.y < f->height; vga_next_line(v, &l)) {
        if (l.row != decoded)
            decode_row(v, &t, l.ma, l.row < rows ? f->text + (size_t)l.row * t.cols : NULL);
        decoded = l.row;
        t.pan = panned(&t, l.pan);
        draw_line(v, &t, l.scan, f->pixels + (size_t)l.y * f->width);
    }
    snprintf(v->source, sizeof(v->source), "VGA text %ux%u", t.cols, rows);
}
