/* The picture: which mode the registers describe, and the graphics modes. Legacy modes are drawn dot by dot at the monitor's resolution (mode 13h is
 * 640 x 400), so that every timing trick that repeats or splits lines looks as it should. A picture is drawn anew only when video memory or a
 * register changed, or a blink is due in a text mode. */
#include "gpu/vga_core.h"

#include <stdio.h>

#define LINE_MAX 4096u

static bool is_text(const struct vga *v)
{
    return !vbe_active(v) && !(v->gc[6] & 1);
}

static void rebuild_palette(struct vga *v)
{
    bool wide = v->vbe[VBE_ENABLE] & VBE_8BIT_DAC;
    for (unsigned k = 0; k < 256; k++) {
        u32 c = 0;
        for (unsigned n = 0; n < 3; n++) {
            u8 b = v->dac[k][n];
            c = c << 8 | (wide ? b : (u8)((b & 0x3f) << 2 | (b & 0x3f) >> 4));
        }
        v->palette[k] = c;
    }
}

static u32 attr_colour(const struct vga *v, u8 n)
{
    u8 p = v->attr[n & v->attr[0x12] & 15] & 0x3f;
    if (v->attr[0x10] & 0x80) p = (u8)((p & 0x0f) | (v->attr[0x14] & 3) << 4);
    return v->palette[(p | (v->attr[0x14] & 0x0c) << 4) & v->dac_mask];
}

/* --- legacy graphics --- */

/* Byte address in a plane of the memory address counter, as CRTC mode control and underline registers route it. */
static u32 crtc_address(const struct vga *v, u32 ma, u32 scan)
{
    u8 mode = v->crtc[0x17];
    u32 a;
    if (v->crtc[0x14] & 0x40) a = ma << 2 | (ma >> 14 & 3);
    else if (mode & 0x40) a = ma;
    else a = ma << 1 | (mode & 0x20 ? ma >> 15 & 1 : ma >> 13 & 1);
    if (!(mode & 1)) a = (a & ~0x2000u) | (scan & 1) << 13;
    if (!(mode & 2)) a = (a & ~0x4000u) | (scan & 2) << 13;
    return a & 0xffff;
}

/* One character clock: 8 dots (4 doubled pixels with 256 colours). */
static void draw_clock(const struct vga *v, const u32 colours[16], u32 planes, u32 out[8])
{
    if (v->gc[5] & 0x40) {
        for (unsigned k = 0; k < 4; k++) out[k * 2] = out[k * 2 + 1] = v->palette[(planes >> (8 * k) & 0xff) & v->dac_mask];
    } else if (v->gc[5] & 0x20) {
        for (unsigned k = 0; k < 8; k++) {
            u32 half = planes >> (k < 4 ? 0 : 8), shift = 6 - 2 * (k & 3);
            out[k] = colours[(half >> shift & 3) | (half >> 16 >> shift & 3) << 2];
        }
    } else {
        for (unsigned k = 0; k < 8; k++) {
            u32 bits = planes >> (7 - k);
            out[k] = colours[(bits & 1) | (bits >> 7 & 2) | (bits >> 14 & 4) | (bits >> 21 & 8)];
        }
    }
}

static void draw_line(const struct vga *v, const u32 colours[16], u32 ma, u32 scan, u32 clocks, u32 pan, u32 *out, u32 repeat)
{
    u32 dots[LINE_MAX + 16];
    for (u32 k = 0; k <= clocks; k++) draw_clock(v, colours, ld32(v->vram + crtc_address(v, ma + k, scan) * 4), dots + k * 8);
    for (u32 k = 0; k < clocks * 8; k++) {
        for (u32 r = 0; r < repeat; r++) *out++ = dots[k + pan];
    }
}

static void draw_legacy(struct vga *v, struct frame *f)
{
    u32 clocks = v->crtc[1] + 1u, repeat = v->seq[1] & 8 ? 2 : 1, height, colours[16];
    height = (v->crtc[0x12] | (v->crtc[7] & 2u) << 7 | (v->crtc[7] & 0x40u) << 3) + 1;
    u32 split = v->crtc[0x18] | (v->crtc[7] & 0x10u) << 4 | (v->crtc[9] & 0x40u) << 3;
    u32 cell = ((v->crtc[9] & 0x1fu) + 1) << (v->crtc[9] >> 7), row_ma = (u32)v->crtc[0x0c] << 8 | v->crtc[0x0d];
    u32 pan = v->gc[5] & 0x40 ? v->attr[0x13] & 6 : v->attr[0x13] & 7, in_cell = 0;
    for (u8 k = 0; k < 16; k++) colours[k] = attr_colour(v, k);
    frame_size(f, clocks * 8 * repeat, height);
    frame_text(f, 0, 0);
    for (u32 y = 0; y < f->height; y++) {
        u32 *out = f->pixels + (size_t)y * f->width;
        draw_line(v, colours, row_ma, in_cell >> (v->crtc[9] >> 7), clocks, pan, out, repeat);
        if (++in_cell == cell) {
            in_cell = 0;
            row_ma += v->crtc[0x13] * 2u;
        }
        if (y == split) {
            row_ma = in_cell = 0;
            if (v->attr[0x10] & 0x20) pan = 0;
        }
    }
    snprintf(v->source, sizeof(v->source), "VGA %ux%u", f->width, f->height);
}

/* --- VBE --- */

static void line_8(const struct vga *v, const u8 *p, u32 *out, u32 n)
{
    for (u32 k = 0; k < n; k++) out[k] = v->palette[p[k] & v->dac_mask];
}

static void line_15(const u8 *p, u32 *out, u32 n)
{
    for (u32 k = 0; k < n; k++) {
        u32 c = ld16(p + 2 * k), r = c >> 10 & 31, g = c >> 5 & 31, b = c & 31;
        out[k] = (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
    }
}

static void line_16(const u8 *p, u32 *out, u32 n)
{
    for (u32 k = 0; k < n; k++) {
        u32 c = ld16(p + 2 * k), r = c >> 11, g = c >> 5 & 63, b = c & 31;
        out[k] = (r << 3 | r >> 2) << 16 | (g << 2 | g >> 4) << 8 | (b << 3 | b >> 2);
    }
}

static void line_4(const struct vga *v, const u8 *p, u32 *out, u32 n)
{
    for (u32 k = 0; k < n; k++) {
        u32 bits = ld32(p + k / 8 * 4) >> (7 - (k & 7));
        out[k] = attr_colour(v, (u8)((bits & 1) | (bits >> 7 & 2) | (bits >> 14 & 4) | (bits >> 21 & 8)));
    }
}

static void draw_vbe(struct vga *v, struct frame *f)
{
    u32 w = v->vbe[VBE_XRES], h = v->vbe[VBE_YRES], bpp = v->vbe[VBE_BPP], pitch = vbe_pitch(v), bytes = (bpp + 7) / 8;
    frame_size(f, w, h);
    frame_text(f, 0, 0);
    snprintf(v->source, sizeof(v->source), "VBE %ux%ux%u", w, h, bpp);
    for (u32 y = 0; y < h; y++) {
        u32 *out = f->pixels + (size_t)y * w;
        u64 at = (u64)(y + v->vbe[VBE_Y_OFF]) * pitch;
        at = bpp == 4 ? (at + v->vbe[VBE_X_OFF] / 8) * 4 : at + (u64)v->vbe[VBE_X_OFF] * bytes;
        u64 need = bpp == 4 ? (w + 7) / 8 * 4 : (u64)w * bytes;
        if (at + need > VGA_VRAM) {
            memset(out, 0, w * sizeof(u32));
            continue;
        }
        const u8 *p = v->vram + at;
        switch (bpp) {
        case 4: line_4(v, p, out, w); break;
        case 8: line_8(v, p, out, w); break;
        case 15: line_15(p, out, w); break;
        case 16: line_16(p, out, w); break;
        case 24:
            for (u32 k = 0; k < w; k++, p += 3) out[k] = (u32)p[2] << 16 | (u32)p[1] << 8 | p[0];
            break;
        default:
            memcpy(out, p, (size_t)w * 4);
            break;
        }
    }
}

static void draw_blank(struct vga *v, struct frame *f)
{
    frame_size(f, f->width ? f->width : 720, f->height ? f->height : 400);
    frame_text(f, 0, 0);
    memset(f->pixels, 0, (size_t)f->width * f->height * sizeof(u32));
    snprintf(v->source, sizeof(v->source), "VGA, screen off");
}

bool vga_refresh(void *opaque, struct frame *f, bool force)
{
    struct vga *v = opaque;
    bool blink = clock_now(v->pci.dev.host->clock) / 266666667u & 1;
    bool changed = v->dirty || (is_text(v) && blink != v->blink_on);
    u64 shown = vbe_active(v) ? VGA_VRAM : 4 * VGA_PLANE;
    changed |= region_take_dirty(&v->lfb, 0, shown, NULL);
    if (!changed && !force) return false;
    v->dirty = false;
    v->blink_on = blink;
    rebuild_palette(v);
    if (vbe_active(v)) draw_vbe(v, f);
    else if (!(v->attr_index & 0x20) || (v->seq[1] & 0x20)) draw_blank(v, f);
    else if (is_text(v)) vga_draw_text(v, f);
    else draw_legacy(v, f);
    f->source = v->source;
    return true;
}
