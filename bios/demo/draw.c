/* Drawing into the back buffer. Every function clips to canvas.clip, so that a window is drawn the
   same way whether all or a corner of it is wanted. */

#include "bios/demo/demo.h"

#define ROM
#define ROMDATA
#include "bios/vga/font8x16.h"

int rect_meet(struct rect *out, const struct rect *a, const struct rect *b)
{
    out->x0 = a->x0 > b->x0 ? a->x0 : b->x0;
    out->y0 = a->y0 > b->y0 ? a->y0 : b->y0;
    out->x1 = a->x1 < b->x1 ? a->x1 : b->x1;
    out->y1 = a->y1 < b->y1 ? a->y1 : b->y1;
    return out->x0 < out->x1 && out->y0 < out->y1;
}

static void store_run(u32 *to, u32 color, u32 n)
{
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(n) : "a"(color) : "memory");
}

static int clipped(const struct canvas *c, struct rect *r, i32 x, i32 y, i32 w, i32 h)
{
    const struct rect want = { x, y, x + w, y + h };
    return rect_meet(r, &want, &c->clip);
}

void fill(struct canvas *c, i32 x, i32 y, i32 w, i32 h, u32 color)
{
    struct rect r;
    if (!clipped(c, &r, x, y, w, h)) return;
    for (i32 row = r.y0; row < r.y1; row++)
        store_run(c->back + row * c->width + r.x0, color, (u32)(r.x1 - r.x0));
}

u32 mix(u32 a, u32 b, u32 part)
{
    const u32 rb = ((a & 0xff00ff) * (256 - part) + (b & 0xff00ff) * part) >> 8;
    const u32 g = ((a & 0x00ff00) * (256 - part) + (b & 0x00ff00) * part) >> 8;
    return (rb & 0xff00ff) | (g & 0x00ff00);
}

void vgradient(struct canvas *c, i32 x, i32 y, i32 w, i32 h, u32 top, u32 bottom)
{
    struct rect r;
    if (!clipped(c, &r, x, y, w, h)) return;
    for (i32 row = r.y0; row < r.y1; row++) {
        const u32 color = mix(top, bottom, (u32)((row - y) * 256 / h));
        store_run(c->back + row * c->width + r.x0, color, (u32)(r.x1 - r.x0));
    }
}

void frame(struct canvas *c, i32 x, i32 y, i32 w, i32 h, u32 color)
{
    fill(c, x, y, w, 1, color);
    fill(c, x, y + h - 1, w, 1, color);
    fill(c, x, y, 1, h, color);
    fill(c, x + w - 1, y, 1, h, color);
}

/* Leaves keep/256 of what is there: shadows. */
void darken(struct canvas *c, i32 x, i32 y, i32 w, i32 h, u32 keep)
{
    struct rect r;
    if (!clipped(c, &r, x, y, w, h)) return;
    for (i32 row = r.y0; row < r.y1; row++) {
        u32 *p = c->back + row * c->width;
        for (i32 col = r.x0; col < r.x1; col++) p[col] = mix(0, p[col], keep);
    }
}

static void dot(struct canvas *c, i32 x, i32 y, u32 color)
{
    if (x >= c->clip.x0 && x < c->clip.x1 && y >= c->clip.y0 && y < c->clip.y1)
        c->back[y * c->width + x] = color;
}

static i32 magnitude(i32 v) { return v < 0 ? -v : v; }

/* Two dots thick across the direction it runs in. */
void line(struct canvas *c, i32 x0, i32 y0, i32 x1, i32 y1, u32 color)
{
    const i32 dx = magnitude(x1 - x0), dy = magnitude(y1 - y0);
    const i32 sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1;
    i32 err = dx - dy;
    for (i32 n = (dx > dy ? dx : dy) + 1; n--;) {
        dot(c, x0, y0, color);
        if (dx > dy) dot(c, x0, y0 + 1, color); else dot(c, x0 + 1, y0, color);
        const i32 twice = 2 * err;
        if (twice > -dy) {
            err -= dy;
            x0 += sx;
        }
        if (twice < dx) {
            err += dx;
            y0 += sy;
        }
    }
}

void disc(struct canvas *c, i32 cx, i32 cy, i32 r, u32 color)
{
    i32 half = 0;
    for (i32 dy = -r; dy <= r; dy++) {
        while (half * half + dy * dy < r * r) half++;
        while (half && half * half + dy * dy > r * r) half--;
        fill(c, cx - half, cy + dy, 2 * half + 1, 1, color);
    }
}

const u8 *font_rows(u8 ch) { return font8x16 + ch * 16; }

void glyph(struct canvas *c, i32 x, i32 y, u8 ch, u32 color, i32 scale)
{
    if (x >= c->clip.x1 || y >= c->clip.y1 || x + 8 * scale <= c->clip.x0 ||
        y + 16 * scale <= c->clip.y0)
        return;
    const u8 *rows = font8x16 + ch * 16;
    for (i32 row = 0; row < 16; row++)
        for (i32 col = 0; col < 8; col++) {
            if (!(rows[row] & 0x80 >> col)) continue;
            if (scale == 1) dot(c, x + col, y + row, color);
            else fill(c, x + col * scale, y + row * scale, scale, scale, color);
        }
}

void text_big(struct canvas *c, i32 x, i32 y, const char *s, u32 color, i32 scale)
{
    for (; *s; s++, x += 8 * scale) glyph(c, x, y, (u8)*s, color, scale);
}

void text_at(struct canvas *c, i32 x, i32 y, const char *s, u32 color)
{
    text_big(c, x, y, s, color, 1);
}

void present(struct canvas *c, const struct rect *r)
{
    for (i32 row = r->y0; row < r->y1; row++) {
        const u32 *from = c->back + row * c->width + r->x0;
        u32 *to = (u32 *)((u8 *)c->front + (u32)row * c->front_pitch) + r->x0;
        u32 n = (u32)(r->x1 - r->x0);
        __asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(n) :: "memory");
    }
}
