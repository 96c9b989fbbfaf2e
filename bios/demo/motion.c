/* The moving picture: an icosahedron of lines that turns in space, drawn in perspective with the
   x87, and six balls that bounce off the edges. */

#include "bios/demo/demo.h"

static float sine(float a)
{
    float r;
    __asm__("fsin" : "=t"(r) : "0"(a));
    return r;
}

static float cosine(float a)
{
    float r;
    __asm__("fcos" : "=t"(r) : "0"(a));
    return r;
}

#define PHI 1.618034f
static const float corner[12][3] = {
    { 0, 1, PHI }, { 0, 1, -PHI }, { 0, -1, PHI }, { 0, -1, -PHI }, { 1, PHI, 0 }, { 1, -PHI, 0 },
    { -1, PHI, 0 }, { -1, -PHI, 0 }, { PHI, 0, 1 }, { PHI, 0, -1 }, { -PHI, 0, 1 }, { -PHI, 0, -1 },
};

void motion_start(struct motion *m, i32 w, i32 h)
{
    static const u32 colors[6] = { 0xe0685c, 0xe8b04a, 0x6cc27a, 0x4aa8d8, 0x9a7fd6, 0xd873ae };
    m->ax = m->ay = m->az = 0;
    m->w = w;
    m->h = h;
    for (u32 i = 0; i < LEN(m->balls); i++)
        m->balls[i] = (struct ball){ w * (i + 1) / 7.0f, h * (i + 1) / 7.0f, 1.3f + 0.35f * i,
                                     2.1f - 0.3f * i,    7 + 2.0f * (i % 3), colors[i] };
}

static void bounce(float *at, float *speed, float low, float high)
{
    *at += *speed;
    if (*at < low) {
        *at = 2 * low - *at;
        *speed = -*speed;
    }
    if (*at > high) {
        *at = 2 * high - *at;
        *speed = -*speed;
    }
}

static float turned(float a)                /* stays small, where FSIN is exact */
{
    return a > 6.2831853f ? a - 6.2831853f : a;
}

void motion_step(struct motion *m)
{
    m->ax = turned(m->ax + 0.013f);
    m->ay = turned(m->ay + 0.021f);
    m->az = turned(m->az + 0.008f);
    for (u32 i = 0; i < LEN(m->balls); i++) {
        struct ball *b = &m->balls[i];
        bounce(&b->x, &b->dx, b->r + 1, m->w - b->r - 2);
        bounce(&b->y, &b->dy, b->r + 1, m->h - b->r - 2);
    }
}

static void turn(float *a, float *b, float s, float c)
{
    const float was = *a;
    *a = was * c - *b * s;
    *b = was * s + *b * c;
}

static void draw_solid(struct canvas *c, const struct motion *m, i32 x, i32 y)
{
    const float sx = sine(m->ax), cx = cosine(m->ax), sy = sine(m->ay), cy = cosine(m->ay);
    const float sz = sine(m->az), cz = cosine(m->az);
    i32 px[12], py[12];
    float depth[12];
    for (u32 i = 0; i < 12; i++) {
        float p[3] = { corner[i][0], corner[i][1], corner[i][2] };
        turn(&p[1], &p[2], sx, cx);
        turn(&p[2], &p[0], sy, cy);
        turn(&p[0], &p[1], sz, cz);
        const float scale = m->h * 0.92f / (p[2] + 5.2f);
        px[i] = x + m->w / 2 + (i32)(p[0] * scale);
        py[i] = y + m->h / 2 + (i32)(p[1] * scale);
        depth[i] = p[2];
    }
    for (u32 i = 0; i < 12; i++)
        for (u32 j = i + 1; j < 12; j++) {
            float d = 0;                    /* edges join corners two units apart */
            for (u32 k = 0; k < 3; k++)
                d += (corner[i][k] - corner[j][k]) * (corner[i][k] - corner[j][k]);
            if (d > 4.1f) continue;
            const float z = (depth[i] + depth[j]) / 2;
            const u32 part = (u32)((z + 2) * 52);
            line(c, px[i], py[i], px[j], py[j], mix(0x9fe3ff, 0x27507a, part > 256 ? 256 : part));
        }
}

void motion_draw(struct canvas *c, const struct motion *m, i32 x, i32 y)
{
    const struct rect outer = c->clip, inside = { x, y, x + m->w, y + m->h };
    if (!rect_meet(&c->clip, &outer, &inside)) {
        c->clip = outer;
        return;
    }
    vgradient(c, x, y, m->w, m->h, 0x101a2c, 0x1c3050);
    for (i32 g = 32; g < m->w; g += 32) fill(c, x + g, y, 1, m->h, 0x1e2f4c);
    for (i32 g = 32; g < m->h; g += 32) fill(c, x, y + g, m->w, 1, 0x1e2f4c);
    draw_solid(c, m, x, y);
    for (u32 i = 0; i < LEN(m->balls); i++) {
        const struct ball *b = &m->balls[i];
        const i32 bx = x + (i32)b->x, by = y + (i32)b->y, r = (i32)b->r;
        disc(c, bx, by, r, b->color);
        disc(c, bx - r / 3, by - r / 3, r / 3, mix(b->color, 0xffffff, 150));
    }
    c->clip = outer;
}
