/* Text modes: characters and attributes from planes 0 and 1, glyphs from plane 2, cursor, blink, underline, 8- and 9-dot cells. */
#include "gpu/vga_core.h"

#include <stdio.h>

#define BLINK_NS 266666667u /* half period of the cursor; characters blink at half that rate */

struct cell {
    u32 fg, bg;
    const u8 *glyph; /* scan lines 4 bytes apart: plane 2 */
    bool extend;     /* ninth dot repeats the eighth: line-drawing characters */
    bool underline;
};

/* DAC entry of an attribute controller palette register. */
static u32 colour(const struct vga *v, u8 n)
{
    u8 p = v->attr[n & 15] & 0x3f;
    if (v->attr[0x10] & 0x80) p = (u8)((p & 0x0f) | (v->attr[0x14] & 3) << 4);
    return v->palette[(p | (v->attr[0x14] & 0x0c) << 4) & v->dac_mask];
}

static u32 font_offset(const struct vga *v, bool bank_a)
{
    u8 s = v->seq[3];
    unsigned n = bank_a ? (s >> 2 & 3) | (s >> 3 & 4) : (s & 3) | (s >> 2 & 4);
    return (n & 3) * 0x4000 + (n & 4 ? 0x2000 : 0);
}

static struct cell decode_cell(const struct vga *v, u8 ch, u8 attr, bool blank)
{
    bool blink = v->attr[0x10] & 8, mono = v->attr[0x10] & 2;
    u8 back = attr >> 4;
    bool bank_a = attr & 8;
    struct cell c;
    if (blink) back &= 7;
    c.fg = colour(v, attr & 15);
    c.bg = colour(v, back);
    if (blink && (attr & 0x80) && blank) c.fg = c.bg;
    c.glyph = v->vram + (font_offset(v, bank_a) + ch * 32u) * 4 + 2;
    c.extend = (v->attr[0x10] & 4) && ch >= 0xc0 && ch <= 0xdf;
    c.underline = mono && (attr & 7) == 1;
    return c;
}

static void draw_row(const struct cell *c, u32 *out, u8 bits, unsigned width)
{
    for (unsigned x = 0; x < 8; x++) out[x] = bits & (0x80 >> x) ? c->fg : c->bg;
    if (width == 9) out[8] = c->extend && (bits & 1) ? c->fg : c->bg;
}

void vga_draw_text(struct vga *v, struct frame *f)
{
    u32 cw = v->seq[1] & 1 ? 8 : 9, ch = (v->crtc[9] & 0x1fu) + 1, cols = v->crtc[1] + 1u;
    u32 height = (v->crtc[0x12] | (v->crtc[7] & 2u) << 7 | (v->crtc[7] & 0x40u) << 3) + 1;
    u32 rows = MAX(height / ch, 1u), start = (u32)v->crtc[0x0c] << 8 | v->crtc[0x0d], pitch = v->crtc[0x13] * 2u;
    u32 cursor = (u32)v->crtc[0x0e] << 8 | v->crtc[0x0f];
    u64 phase = clock_now(v->pci.dev.host->clock) / BLINK_NS;
    bool cursor_on = !(v->crtc[0x0a] & 0x20) && !(phase & 1);
    rows = MIN(rows, 128u);
    frame_size(f, cols * cw, rows * ch);
    frame_text(f, cols, rows);
    for (u32 r = 0; r < rows; r++) {
        for (u32 x = 0; x < cols; x++) {
            u32 ma = (start + r * pitch + x) & 0xffff;
            const u8 *m = v->vram + ((ma * 2) & 0xffff) * 4;
            struct cell c = decode_cell(v, m[0], m[1], phase & 2);
            f->text[r * cols + x] = m[0];
            u32 *out = f->pixels + (size_t)r * ch * f->width + x * cw;
            for (u32 s = 0; s < ch; s++, out += f->width) {
                u8 bits = c.glyph[s * 4];
                if (c.underline && s == (v->crtc[0x14] & 0x1fu)) bits = 0xff;
                if (cursor_on && ma == cursor && s >= (v->crtc[0x0a] & 0x1fu) && s <= (v->crtc[0x0b] & 0x1fu)) bits = 0xff;
                draw_row(&c, out, bits, cw);
            }
        }
    }
    snprintf(v->source, sizeof(v->source), "VGA text %ux%u", cols, rows);
}
