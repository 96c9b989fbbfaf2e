/* Pictures for the second act, painted once by the processor: panes with rounded corners and soft
 * shadows, smoothed letters, the floor's tiles, the crate. Colours are premultiplied by alpha where
 * something shines through. */

#include "bios/demo/act2.h"

float sine(float a)
{
    float r;
    __asm__("fsin" : "=t"(r) : "0"(a));
    return r;
}

float cosine(float a)
{
    float r;
    __asm__("fcos" : "=t"(r) : "0"(a));
    return r;
}

float root(float a)
{
    float r;
    __asm__("fsqrt" : "=t"(r) : "0"(a));
    return r;
}

/* part of 256 of `over` (opaque) above what is there */
static u32 cover(u32 under, u32 over, u32 part)
{
    const u32 keep = 256 - part;
    const u32 rb = ((under & 0xff00ff) * keep + (over & 0xff00ff) * part) >> 8;
    const u32 ag = ((under >> 8) & 0xff00ff) * keep + (over >> 8 & 0xff00ff) * part;
    return (rb & 0xff00ff) | (ag & 0xff00ff00);
}

/* color with alpha 0..255, premultiplied */
static u32 clear_color(u32 color, u32 alpha)
{
    const u32 a = alpha + (alpha >> 7);
    return alpha << 24 | (((color & 0xff00ff) * a >> 8) & 0xff00ff) |
           (((color & 0x00ff00) * a >> 8) & 0x00ff00);
}

/* Distance of a point from the edge of a rounded rectangle around 0, in pixels; inside it is
 * negative. */
static float edge_distance(float x, float y, float half_w, float half_h, float radius)
{
    const float qx = (x < 0 ? -x : x) - half_w + radius, qy = (y < 0 ? -y : y) - half_h + radius;
    if (qx <= 0 || qy <= 0) return (qx > qy ? qx : qy) - radius;
    return root(qx * qx + qy * qy) - radius;
}

static float clamp01(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

struct look {
    u32 top, bottom, title, edge;
    u32 alpha;
    float radius, shadow;
    i32 title_h;
};

static u32 inside_color(const struct look *l, i32 y, i32 h)
{
    if (y < l->title_h)
        return clear_color(mix(l->title, l->top, (u32)(y * 256 / l->title_h)), l->alpha + 22);
    if (y == l->title_h) return clear_color(l->edge, 90);
    return clear_color(mix(l->top, l->bottom, (u32)(y * 256 / h)), l->alpha);
}

static void paint_rounded(const struct picture *p, i32 margin, const struct look *l)
{
    const i32 w = p->w - 2 * margin, h = p->h - 2 * margin;
    const float half_w = w / 2.0f, half_h = h / 2.0f;
    for (i32 y = 0; y < p->h; y++) {
        for (i32 x = 0; x < p->w; x++) {
            const float dx = x - margin + 0.5f - half_w, dy = y - margin + 0.5f - half_h;
            const float in = clamp01(0.5f - edge_distance(dx, dy, half_w, half_h, l->radius));
            const float far =
                clamp01(edge_distance(dx, dy - margin / 4, half_w, half_h, l->radius) /
                            (margin * 0.75f) * 0.5f +
                        0.5f);
            const u32 shadow = (u32)((1 - far) * (1 - far) * l->shadow) << 24;
            u32 v = shadow;
            if (in > 0) {
                u32 body = inside_color(l, y - margin, h);
                const float d = edge_distance(dx, dy, half_w, half_h, l->radius);
                if (d > -1.5f)
                    body = cover(body, clear_color(l->edge, 150), (u32)(clamp01(1.5f + d) * 200));
                v = cover(shadow, body, (u32)(in * 256));
            }
            p->px[y * p->w + x] = v;
        }
    }
}

void paint_pane(const struct picture *p, i32 margin, i32 title_h)
{
    const struct look l = { 0x16263a, 0x0c1624, 0x2f6f92, 0x9fd0e6, 178, 11, 150, title_h };
    paint_rounded(p, margin, &l);
}

void paint_pill(const struct picture *p, i32 margin)
{
    const struct look l = {
        0x14202f, 0x0c1624, 0, 0x7fb4cc, 170, (p->h - 2 * margin) / 2.0f, 110, 0
    };
    paint_rounded(p, margin, &l);
}

/* --- letters --- */

enum { FINE_W = 64, FINE_H = 128 };

static u8 dot_at(const u8 *d, i32 w, i32 h, i32 x, i32 y)
{
    return x >= 0 && y >= 0 && x < w && y < h ? d[y * w + x] : 0;
}

/* Doubles a picture of dots; steps along slopes become finer (each new dot takes its neighbours'
 * colour where two of them agree). */
static void double_dots(u8 *to, const u8 *from, i32 w, i32 h)
{
    for (i32 y = 0; y < h; y++) {
        for (i32 x = 0; x < w; x++) {
            const u8 p = from[y * w + x], a = dot_at(from, w, h, x, y - 1),
                     b = dot_at(from, w, h, x + 1, y);
            const u8 c = dot_at(from, w, h, x - 1, y), d = dot_at(from, w, h, x, y + 1);
            u8 *o = to + 4 * y * w + 2 * x;
            o[0] = c == a && c != d && a != b ? a : p;
            o[1] = a == b && a != c && b != d ? b : p;
            o[2 * w] = d == c && d != b && c != a ? c : p;
            o[2 * w + 1] = b == d && b != a && d != c ? d : p;
        }
    }
}

/* A glyph eight times as large, in dots. */
static const u8 *fine_glyph(u8 ch)
{
    static u8 one[FINE_W * FINE_H], two[FINE_W * FINE_H / 4];
    const u8 *rows = font_rows(ch);
    for (i32 k = 0; k < 8 * 16; k++) one[k] = rows[k / 8] >> (7 - k % 8) & 1;
    double_dots(two, one, 8, 16);
    double_dots(one, two, 16, 32);
    for (i32 k = 0; k < 32 * 64; k++) two[k] = one[k];
    double_dots(one, two, 32, 64);
    return one;
}

static void fine_letter(const struct picture *p, i32 x, i32 y, u8 ch, u32 color, i32 scale)
{
    const u8 *fine = fine_glyph(ch);
    const i32 box = 8 / scale;
    for (i32 row = 0; row < 16 * scale; row++) {
        for (i32 col = 0; col < 8 * scale; col++) {
            u32 n = 0;
            for (i32 k = 0; k < box * box; k++)
                n += fine[(row * box + k / box) * FINE_W + col * box + k % box];
            if (!n) continue;
            u32 *to = p->px + (y + row) * p->w + x + col;
            *to = cover(*to, 0xff000000 | color, n * 256 / (u32)(box * box));
        }
    }
}

static void letter(const struct picture *p, i32 x, i32 y, u8 ch, u32 color)
{
    const u8 *rows = font_rows(ch);
    for (i32 row = 0; row < 16; row++)
        for (i32 col = 0; col < 8; col++)
            if (rows[row] & 0x80 >> col) p->px[(y + row) * p->w + x + col] = 0xff000000 | color;
}

void paint_text(const struct picture *p, i32 x, i32 y, const char *s, u32 color, i32 scale)
{
    for (; *s; s++, x += 8 * scale) {
        if (x < 0 || y < 0 || x + 8 * scale > p->w || y + 16 * scale > p->h) return;
        if (scale == 1)
            letter(p, x, y, (u8)*s, color);
        else
            fine_letter(p, x, y, (u8)*s, color, scale);
    }
}

void paint_disc(const struct picture *p, float cx, float cy, float r, u32 color)
{
    for (i32 y = (i32)(cy - r - 1); y <= (i32)(cy + r + 1); y++) {
        for (i32 x = (i32)(cx - r - 1); x <= (i32)(cx + r + 1); x++) {
            const float dx = x + 0.5f - cx, dy = y + 0.5f - cy;
            const float in = clamp01(r + 0.5f - root(dx * dx + dy * dy));
            u32 *to = p->px + y * p->w + x;
            if (in > 0) *to = cover(*to, 0xff000000 | color, (u32)(in * 256));
        }
    }
}

/* White glyphs, 32 a row, and digits of double size in their own row. Code DBh is a full block:
 * plain colour. */
void paint_atlas(const struct picture *p)
{
    for (i32 k = 0; k < p->w * p->h; k++) p->px[k] = 0;
    for (i32 ch = 0; ch < 256; ch++) letter(p, ch % 32 * 8, ch / 32 * 16, (u8)ch, 0xffffff);
    paint_text(p, 0, ATLAS_DIGITS_Y, "0123456789. ", 0xffffff, 2);
}

/* --- textures --- */

void paint_floor(u32 *px, i32 size)
{
    u32 noise = 12345;
    const i32 tile = size / 4;
    for (i32 y = 0; y < size; y++) {
        for (i32 x = 0; x < size; x++) {
            const i32 tx = x % tile, ty = y % tile;
            noise = noise * 1664525 + 1013904223;
            u32 c = (x / tile + y / tile) & 1 ? 0x5c7388 : 0x6d879c;
            c = mix(c, 0xffffff, noise >> 29);
            if (tx < 2 || ty < 2) c = mix(c, 0xffffff, 70);
            if (tx >= tile - 2 || ty >= tile - 2) c = mix(c, 0x101820, 120);
            px[y * size + x] = 0xff000000 | c;
        }
    }
}

void paint_crate(u32 *px, i32 size)
{
    struct canvas c = { px, px, size, size, (u32)size * 4, { 0, 0, size, size } };
    vgradient(&c, 0, 0, size, size, 0x4d8fb4, 0x2a5d80);
    for (i32 k = 0; k < 10; k++)
        frame(&c, k, k, size - 2 * k, size - 2 * k, mix(0xe8b04a, 0x8a5f1c, (u32)(k * 25)));
    vgradient(&c, 26, 26, size - 52, size - 52, 0xf6f8fa, 0xcfd9e1);
    frame(&c, 26, 26, size - 52, size - 52, 0x1d3557);
    frame(&c, 30, 30, size - 60, size - 60, 0xa9bccb);
    const struct picture p = { px, size, size };
    for (i32 k = 0; k < 4; k++) {
        const float x = k & 1 ? size - 44 : 44, y = k & 2 ? size - 44 : 44;
        paint_disc(&p, x, y, 6, 0x7d8e9c);
        paint_disc(&p, x - 1, y - 1, 3, 0xdfe7ec);
    }
    paint_text(&p, size / 2 - 64, size / 2 - 58, "aero", 0x1d3557, 4);
    paint_text(&p, size / 2 - 32, size / 2 - 4, "pc", 0xc7872a, 4);
    for (i32 k = 0; k < size * size; k++) px[k] |= 0xff000000;
}

/* Each level is the mean of four texels of the one before. */
u32 *paint_mips(u32 *px, i32 size)
{
    u32 *to = px + size * size;
    for (; size > 1; size /= 2) {
        for (i32 y = 0; y < size; y += 2) {
            for (i32 x = 0; x < size; x += 2) {
                const u32 *p = px + y * size + x;
                u32 rb = 0x20002, ag = 0x20002;
                for (i32 k = 0; k < 4; k++) {
                    const u32 v = p[(k & 1) + (k >> 1) * size];
                    rb += v & 0xff00ff;
                    ag += v >> 8 & 0xff00ff;
                }
                *to++ = (rb >> 2 & 0xff00ff) | (ag << 6 & 0xff00ff00);
            }
        }
        px += size * size;
    }
    return to;
}
