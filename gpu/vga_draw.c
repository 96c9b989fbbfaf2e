/* The picture: which mode the registers describe, and the graphics modes. Legacy modes are drawn
 * scan line by scan line at the monitor's resolution (mode 13h is 640 x 400), so that every timing
 * trick that repeats or splits lines looks as it should. A picture is drawn anew only when video
 * memory or a register changed, or when something on it blinks.
 * Left out: CRTC mode control bit 2 (line counter at half rate), the overscan border. */
#include "gpu/vga_core.h"

#include <stdio.h>

/* BLINK_NS: half period of the cursor; characters blink at half that rate. */
enum { MAX_CLOCKS = 256, BLINK_NS = 266666667 };

static bool is_text(const struct vga_core *v)
{
    return !vbe_active(v) && !(v->gc[6] & 1);
}

static void rebuild_palette(struct vga_core *v)
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

u32 vga_colour(const struct vga_core *v, u8 n)
{
    u8 p = v->attr[n & v->attr[0x12] & 15] & 0x3f;
    if (v->attr[0x10] & 0x80) p = (u8)((p & 0x0f) | (v->attr[0x14] & 3) << 4);
    return v->palette[(p | (v->attr[0x14] & 0x0c) << 4) & v->dac_mask];
}

/* --- how the CRTC walks video memory --- */

u32 vga_lines(const struct vga_core *v)
{
    return (v->crtc[0x12] | (v->crtc[7] & 2u) << 7 | (v->crtc[7] & 0x40u) << 3) + 1;
}

/* Mode control and underline registers route the memory address counter: bytes, words or dwords,
 * with the scan line in A13 and A14 for the CGA's and Hercules' interleaved lines. Wraps like the
 * planes of vga_mem.c. */
u32 vga_address(const struct vga_core *v, u32 ma, u32 scan)
{
    u8 mode = v->crtc[0x17];
    u32 a;
    if (v->crtc[0x14] & 0x40)
        a = ma << 2 | (ma >> 14 & 3);
    else if (mode & 0x40)
        a = ma;
    else
        a = ma << 1 | (mode & 0x20 ? ma >> 15 & 1 : ma >> 13 & 1);
    if (!(mode & 1)) a = (a & ~0x2000u) | (scan & 1) << 13;
    if (!(mode & 2)) a = (a & ~0x4000u) | (scan & 2) << 13;
    return a & (v->gc[6] & 0x0c ? VGA_PLANE - 1 : 2 * VGA_PLANE - 1);
}

void vga_first_line(const struct vga_core *v, struct vga_line *l)
{
    unsigned doubled = v->crtc[9] >> 7;
    u32 start = (u32)v->crtc[0x0c] << 8 | v->crtc[0x0d];
    *l = (struct vga_line){ .ma = start + (v->crtc[8] >> 5 & 3), .pan = v->attr[0x13] & 15 };
    l->cell = ((v->crtc[9] & 0x1fu) + 1) << doubled;
    l->split = v->crtc[0x18] | (v->crtc[7] & 0x10u) << 4 | (v->crtc[9] & 0x40u) << 3;
    l->in_cell = (u32)(v->crtc[8] & 0x1f) << doubled; /* preset row scan */
    if (l->in_cell >= l->cell) l->in_cell = 0;
    l->scan = l->in_cell >> doubled;
}

void vga_next_line(const struct vga_core *v, struct vga_line *l)
{
    if (++l->in_cell == l->cell) {
        l->in_cell = 0;
        l->ma += v->crtc[0x13] * 2u;
        l->row++;
    }
    if (l->y++ == l->split) {
        if (l->in_cell) l->row++;
        l->ma = l->in_cell = 0;
        if (v->attr[0x10] & 0x20) l->pan = v->seq[1] & 1 || v->gc[6] & 1 ? 0 : 8;
    }
    l->scan = l->in_cell >> (v->crtc[9] >> 7);
}

/* --- legacy graphics --- */

/* One character clock: 8 dots (4 doubled pixels with 256 colours). */
static void draw_clock(const struct vga_core *v, const u32 colours[16], u32 planes, u32 out[8])
{
    if (v->gc[5] & 0x40) {
        for (unsigned k = 0; k < 4; k++)
            out[k * 2] = out[k * 2 + 1] = v->palette[(planes >> (8 * k) & 0xff) & v->dac_mask];
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

/* clocks is at most MAX_CLOCKS; writes clocks * 8 * repeat pixels. */
static void draw_line(const struct vga_core *v, const u32 colours[16], const struct vga_line *l,
                      u32 clocks, u32 *out, u32 repeat)
{
    u32 dots[(MAX_CLOCKS + 1) * 8];
    /* The address counts at every, every 2nd or every 4th clock. */
    u32 slower = (v->crtc[0x17] & 8 ? 1 : 0) + (v->crtc[0x14] & 0x20 ? 2 : 0);
    u32 pan = v->gc[5] & 0x40 ? l->pan & 6 : l->pan & 7;
    for (u32 k = 0; k <= clocks; k++) {
        u32 at = vga_address(v, l->ma + (k >> slower), l->scan);
        draw_clock(v, colours, ld32(v->vram + vga_at(v, at)), dots + k * 8);
    }
    for (u32 k = 0; k < clocks * 8; k++) {
        for (u32 r = 0; r < repeat; r++) *out++ = dots[k + pan];
    }
}

static void draw_legacy(struct vga_core *v, struct frame *f)
{
    u32 clocks = v->crtc[1] + 1u, repeat = v->seq[1] & 8 ? 2 : 1, colours[16];
    struct vga_line l;
    _Static_assert(MAX_CLOCKS * 8 * 2 <= DISPLAY_MAX_W, "frame_size must not narrow the frame");
    for (u8 k = 0; k < 16; k++) colours[k] = vga_colour(v, k);
    frame_size(f, clocks * 8 * repeat, vga_lines(v));
    frame_text(f, 0, 0);
    for (vga_first_line(v, &l); l.y < f->height; vga_next_line(v, &l)) {
        draw_line(v, colours, &l, clocks, f->pixels + (size_t)l.y * f->width, repeat);
    }
    snprintf(v->source, sizeof(v->source), "VGA %ux%u", f->width, f->height);
}

/* --- VBE --- */

static void line_8(const struct vga_core *v, const u8 *p, u32 *out, u32 n)
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

static void line_24(const u8 *p, u32 *out, u32 n)
{
    for (u32 k = 0; k < n; k++, p += 3) out[k] = (u32)p[2] << 16 | (u32)p[1] << 8 | p[0];
}

static void line_4(const u32 colours[16], const u8 *p, u32 skip, u32 *out, u32 n)
{
    for (u32 k = 0; k < n; k++) {
        u32 x = k + skip, bits = ld32(p + x / 8 * 4) >> (7 - (x & 7));
        out[k] = colours[(bits & 1) | (bits >> 7 & 2) | (bits >> 14 & 4) | (bits >> 21 & 8)];
    }
}

/* First byte of the picture's line y, and how many bytes it has, relative to the linear
 * framebuffer. */
static u64 vbe_line(const struct vga_core *v, u32 y, u64 *len)
{
    u32 w = v->vbe[VBE_XRES], x = v->vbe[VBE_X_OFF], bpp = v->vbe[VBE_BPP], bytes = (bpp + 7) / 8;
    u64 at = (u64)(y + v->vbe[VBE_Y_OFF]) * vbe_pitch(v);
    *len = bpp == 4 ? (u64)((x & 7) + w + 7) / 8 * 4 : (u64)w * bytes;
    return bpp == 4 ? (at + x / 8) * 4 : at + (u64)x * bytes;
}

static void draw_vbe(struct vga_core *v, struct frame *f)
{
    u32 w = v->vbe[VBE_XRES], h = v->vbe[VBE_YRES], bpp = v->vbe[VBE_BPP], colours[16];
    for (u8 k = 0; k < 16; k++) colours[k] = vga_colour(v, k);
    frame_size(f, w, h);
    frame_text(f, 0, 0);
    snprintf(v->source, sizeof(v->source), "VBE %ux%ux%u", w, h, bpp);
    for (u32 y = 0; y < f->height; y++) {
        u32 *out = f->pixels + (size_t)y * f->width;
        u64 len, at = vbe_line(v, y, &len);
        const u8 *p = v->vram + v->lfb_at + at;
        if (at + len > v->lfb_size) {
            memset(out, 0, f->width * sizeof(u32));
            continue;
        }
        switch (bpp) {
        case 4: line_4(colours, p, v->vbe[VBE_X_OFF] & 7, out, f->width); break;
        case 8: line_8(v, p, out, f->width); break;
        case 15: line_15(p, out, f->width); break;
        case 16: line_16(p, out, f->width); break;
        case 24: line_24(p, out, f->width); break;
        default: memcpy(out, p, (size_t)f->width * 4); break;
        }
    }
}

static void draw_blank(struct vga_core *v, struct frame *f)
{
    frame_size(f, f->width ? f->width : 720, f->height ? f->height : 400);
    frame_text(f, 0, 0);
    memset(f->pixels, 0, (size_t)f->width * f->height * sizeof(u32));
    snprintf(v->source, sizeof(v->source), "VGA, screen off");
}

/* --- when to draw --- */

/* Whether memory that is on screen was written since the last call. Legacy modes look at all of the
 * planes. */
static bool memory_changed(struct vga_core *v)
{
    u64 from = 0, to = 8 * VGA_PLANE, len;
    if (vbe_active(v)) {
        from = v->lfb_at + vbe_line(v, 0, &len);
        to = v->lfb_at + vbe_line(v, v->vbe[VBE_YRES] - 1u, &len);
        to = MIN(to + len, v->lfb_at + v->lfb_size);
    }
    bool changed = from < to && region_take_dirty(v->mem, from, to - from, NULL);
    /* The bank shares the flags, but lies on the bus also when the memory itself does not (BAR
     * switched off): CPUs that write through it must look at the flags again. */
    if (changed && v->bank_size) __atomic_fetch_add(&v->bank.bus->generation, 1, __ATOMIC_RELAXED);
    return changed;
}

bool vga_refresh(void *opaque, struct frame *f, bool force)
{
    struct vga_core *v = opaque;
    u64 phase = clock_now(v->host->clock) / BLINK_NS;
    bool changed = memory_changed(v) || v->dirty || (v->blinks && phase != v->phase);
    if (!changed && !force) return false;
    v->dirty = v->blinks = false;
    v->phase = phase;
    rebuild_palette(v);
    if (vbe_active(v))
        draw_vbe(v, f);
    else if (!(v->attr_index & 0x20) || (v->seq[1] & 0x20))
        draw_blank(v, f);
    else if (is_text(v))
        vga_draw_text(v, f);
    else
        draw_legacy(v, f);
    f->source = v->source;
    return true;
}
