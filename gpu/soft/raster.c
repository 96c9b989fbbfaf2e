/* Clipping and rasterisation: which pixels a primitive covers, and with which weights.
 *
 * Window coordinates are snapped to 1/256 pixel; edges are exact integers, so shared edges have
 * neither gaps nor double pixels, whatever the order. Triangles go to the canvas (tile.c), lines
 * and points are drawn at once, in batches of 16 quads. Document: the contract's part "executor",
 * sections 6.1 to 6.3 and 7.6. */
#include <math.h>
#include <stdlib.h>

#include "gpu/soft/draw.h"

enum { PLANES = 7, MAX_CLIPPED = 3 + PLANES + DRAW_CLIPS, SUB = 256 };

struct window { /* a vertex on the screen */
    i32 x, y;   /* 1/256 pixels */
    float z, oow;
};

/* ---- clipping ---- */

/* Distance to a plane of the clip volume: negative is outside. Planes from PLANES on are the
 * shader's clip distances. */
static float plane(const struct draw *d, const struct vertex *v, unsigned n)
{
    const float *p = v->pos;
    if (n >= PLANES) {
        const struct clip *c = &d->clips[n - PLANES];
        return v->attr[c->attribute][c->component];
    }
    switch (n) {
    case 0: return p[3] - 2.3283064e-10f; /* w >= 2^-32 */
    case 1: return d->depth_clip ? p[2] : 1.0f;
    case 2: return d->depth_clip ? p[3] - p[2] : 1.0f;
    case 3: return d->guard_x * p[3] - p[0];
    case 4: return d->guard_x * p[3] + p[0];
    case 5: return d->guard_y * p[3] - p[1];
    default: return d->guard_y * p[3] + p[1];
    }
}

static bool inside(float distance)
{
    return distance >= 0.0f; /* NaN is outside */
}

static void between(struct vertex *out, const struct vertex *a, const struct vertex *b, float t,
                    u32 attributes)
{
    for (unsigned k = 0; k < 4; k++) out->pos[k] = a->pos[k] + t * (b->pos[k] - a->pos[k]);
    for (u32 n = 0; n < attributes; n++) {
        for (unsigned k = 0; k < 4; k++)
            out->attr[n][k] = a->attr[n][k] + t * (b->attr[n][k] - a->attr[n][k]);
    }
    out->psize = a->psize;
}

/* Cuts the polygon v of n corners by one plane; the new one is in `out`. Always from inside to
 * outside, so that both neighbours of an edge get the same point. */
static u32 cut(const struct draw *d, const struct vertex *v, u32 n, unsigned p, struct vertex *out)
{
    u32 count = 0;
    for (u32 k = 0; k < n; k++) {
        const struct vertex *a = &v[k], *b = &v[(k + 1) % n];
        float da = plane(d, a, p), db = plane(d, b, p);
        if (inside(da)) out[count++] = *a;
        if (inside(da) == inside(db) || da != da || db != db) continue;
        if (inside(da))
            between(&out[count++], a, b, da / (da - db), d->attribute_count);
        else
            between(&out[count++], b, a, db / (db - da), d->attribute_count);
    }
    return count;
}

/* Bits of planes that the vertex is outside of: a primitive all of whose vertices are outside of
 * one is not drawn. Cull distances come last: nothing is cut by them. */
static unsigned outcode(const struct draw *d, const struct vertex *v)
{
    unsigned code = 0, planes = PLANES + d->clip_count + d->cull_count;
    for (unsigned p = 0; p < planes; p++) code |= (unsigned)!inside(plane(d, v, p)) << p;
    return code;
}

/* ---- to the screen ---- */

static i32 snap(float v)
{
    return (i32)rintf(v * (float)SUB); /* the guard band keeps it small; rounds to nearest even */
}

static bool project(const struct draw *d, const struct vertex *v, struct window *w)
{
    float oow = 1.0f / v->pos[3];
    float x = d->vp_x + (v->pos[0] * oow + 1.0f) * d->vp_w * 0.5f + d->shift;
    float y = d->vp_y + (1.0f - v->pos[1] * oow) * d->vp_h * 0.5f + d->shift;
    if (!(fabsf(x) < 65536.0f && fabsf(y) < 65536.0f)) return false;
    *w = (struct window){ snap(x), snap(y), d->z_min + v->pos[2] * oow * (d->z_max - d->z_min),
                          oow };
    return true;
}

/* from[k]: value at vertex k */
static void set_value(float to[3], float v0, float v1, float v2)
{
    to[0] = v0;
    to[1] = v1 - v0;
    to[2] = v2 - v0;
}

static void set_attributes(const struct draw *d, struct setup *s, const struct vertex *const v[3],
                           const struct window *w, const struct vertex *provoking)
{
    set_value(s->oow, w[0].oow, w[1].oow, w[2].oow);
    set_value(s->z, w[0].z, w[1].z, w[2].z);
    for (u32 n = 0; n < d->link_count; n++) {
        const u8 how = d->links[n].interpolation;
        for (unsigned c = 0; c < 4; c++) {
            if (how == IR_CONSTANT)
                s->attr[n][c][0] = provoking->attr[n][c];
            else if (how == IR_LINEAR)
                set_value(s->attr[n][c], v[0]->attr[n][c] * w[0].oow, v[1]->attr[n][c] * w[1].oow,
                          v[2]->attr[n][c] * w[2].oow);
            else
                set_value(s->attr[n][c], v[0]->attr[n][c], v[1]->attr[n][c], v[2]->attr[n][c]);
        }
    }
}

/* ---- edges ---- */

static void make_edges(const struct window *w, struct setup *s)
{
    for (unsigned k = 0; k < 3; k++) {
        const struct window *p = &w[(k + 1) % 3], *q = &w[(k + 2) % 3]; /* opposite of vertex k */
        i64 dx = q->x - p->x, dy = q->y - p->y;
        bool top = dy == 0 && dx > 0, left = dy < 0;
        s->a[k] = -dy * SUB;
        s->b[k] = dx * SUB;
        s->c[k] = dx * (SUB / 2 - (i64)p->y) - dy * (SUB / 2 - (i64)p->x);
        s->open[k] = top || left ? 0 : 1;
    }
    for (unsigned k = 0; k < 2; k++) {
        s->weight[k][0] = (double)s->a[k + 1];
        s->weight[k][1] = (double)s->b[k + 1];
        s->weight[k][2] = (double)s->c[k + 1];
    }
}

/* First pixel whose centre is at or behind v, and the first behind v */
static i32 centre_from(i32 v)
{
    return (v + SUB / 2 - 1) >> 8;
}

static i32 centre_after(i32 v)
{
    return (v + SUB / 2) >> 8;
}

/* The pixels whose centres are in the triangle's bounds. False: none. */
static bool make_bounds(const struct draw *d, const struct window *w, struct setup *s)
{
    s->x0 = MAX(d->x0, centre_from(MIN(MIN(w[0].x, w[1].x), w[2].x)));
    s->x1 = MIN(d->x1, centre_after(MAX(MAX(w[0].x, w[1].x), w[2].x)));
    s->y0 = MAX(d->y0, centre_from(MIN(MIN(w[0].y, w[1].y), w[2].y)));
    s->y1 = MIN(d->y1, centre_after(MAX(MAX(w[0].y, w[1].y), w[2].y)));
    return s->x0 < s->x1 && s->y0 < s->y1;
}

/* ---- triangles ---- */

static float slope_bias(const struct draw *d, const struct window *w, i64 area)
{
    if (d->slope_bias == 0.0f) return 0.0f;
    double x1 = w[1].x - w[0].x, y1 = w[1].y - w[0].y, x2 = w[2].x - w[0].x, y2 = w[2].y - w[0].y;
    double z1 = w[1].z - w[0].z, z2 = w[2].z - w[0].z;
    double dx = (z1 * y2 - z2 * y1) / (double)area * SUB,
           dy = (z2 * x1 - z1 * x2) / (double)area * SUB;
    return d->slope_bias * (float)MAX(fabs(dx), fabs(dy));
}

/* Direct3D 10's bias in least steps: for floats those of the largest depth. */
static float step_bias(const struct draw *d, const struct window *w)
{
    if (!d->depth_bias_steps) return 0.0f;
    if (d->depth.format != AGPU_FMT_D32F) return (float)d->depth_bias_steps / 16777216.0f;
    int e;
    float z = MAX(MAX(fabsf(w[0].z), fabsf(w[1].z)), fabsf(w[2].z));
    frexpf(z, &e); /* z = m * 2^e, m from 1/2 on */
    return ldexpf((float)d->depth_bias_steps, e - 24);
}

static void fill(struct draw *d, const struct vertex *a, const struct vertex *b,
                 const struct vertex *c, const struct vertex *provoking)
{
    const struct vertex *v[3] = { a, b, c };
    struct window w[3];
    for (unsigned k = 0; k < 3; k++) {
        if (!project(d, v[k], &w[k])) return;
    }
    i64 area =
        (i64)(w[1].x - w[0].x) * (w[2].y - w[0].y) - (i64)(w[2].x - w[0].x) * (w[1].y - w[0].y);
    if (!area) return;
    const u8 facing = area < 0; /* y points down: positive is clockwise */
    const bool front = d->front_ccw == (area < 0);
    if (front ? d->cull_front : d->cull_back) return;
    if (area < 0) {
        struct window t = w[1];
        w[1] = w[2];
        w[2] = t;
        v[1] = c;
        v[2] = b;
        area = -area;
    }
    if (d->wireframe) {
        raster_line(d, a, b);
        raster_line(d, b, c);
        raster_line(d, c, a);
        return;
    }
    struct setup *s = canvas_triangle(d->canvas);
    if (!make_bounds(d, w, s)) return;
    make_edges(w, s);
    s->scale = 1.0 / (double)area;
    s->facing = facing;
    s->front = front;
    s->sprite = false;
    s->bias = d->depth_bias + slope_bias(d, w, area) + step_bias(d, w);
    s->primitive = d->primitive_id;
    set_attributes(d, s, v, w, provoking);
    canvas_add(d->canvas);
}

void raster_triangle(struct draw *d, const struct vertex *a, const struct vertex *b,
                     const struct vertex *c)
{
    unsigned ca = outcode(d, a), cb = outcode(d, b), cc = outcode(d, c);
    if (ca & cb & cc) return;
    const unsigned cut_by = PLANES + d->clip_count, any = (ca | cb | cc) & ((1u << cut_by) - 1);
    if (!any) {
        fill(d, a, b, c, a);
        return;
    }
    struct vertex poly[2][MAX_CLIPPED];
    u32 n = 3, from = 0;
    poly[0][0] = *a;
    poly[0][1] = *b;
    poly[0][2] = *c;
    for (unsigned p = 0; p < cut_by && n >= 3; p++) {
        if (!(any >> p & 1)) continue;
        n = cut(d, poly[from], n, p, poly[!from]);
        from = !from;
    }
    for (u32 k = 2; k < n; k++) fill(d, &poly[from][0], &poly[from][k - 1], &poly[from][k], a);
}

/* ---- lines and points ---- */

static bool clip_line(const struct draw *d, struct vertex *a, struct vertex *b)
{
    for (unsigned p = 0; p < PLANES + d->clip_count; p++) {
        float da = plane(d, a, p), db = plane(d, b, p);
        if (!inside(da) && !inside(db)) return false;
        struct vertex cutp;
        if (inside(da) && inside(db)) continue;
        if (inside(da)) {
            between(&cutp, a, b, da / (da - db), d->attribute_count);
            *b = cutp;
        } else {
            between(&cutp, b, a, db / (db - da), d->attribute_count);
            *a = cutp;
        }
    }
    return true;
}

/* One pixel alone in its quad, the others are helpers with its weights. Returns the quad's first
 * lane, or -1. */
static i32 one_pixel(struct painter *p, const struct setup *s, i32 x, i32 y, float t)
{
    const struct draw *d = p->d;
    if (x < d->x0 || x >= d->x1 || y < d->y0 || y >= d->y1) return -1;
    u32 lane = next_quad(p, s, x & ~1, y & ~1);
    for (u32 k = 0; k < 4; k++) {
        p->pixels.b1[lane + k] = t;
        p->pixels.b2[lane + k] = 0.0f;
    }
    p->pixels.weighted = true;
    p->pixels.covered |= 1ull << (lane + (u32)(x & 1) + 2 * (u32)(y & 1));
    return (i32)lane;
}

/* The pixel in whose diamond |x| + |y| < 1/2 around the centre a point lies; false: in none's. Of
 * the border the lower edges and the corner between them count and, for steep lines, the right
 * corner. */
static bool diamond(const struct window *w, bool steep, i32 *x, i32 *y)
{
    *x = (w->x - 1) >> 8;
    *y = (w->y - 1) >> 8;
    i32 dx = w->x - (*x * SUB + SUB / 2), dy = w->y - (*y * SUB + SUB / 2), sum = abs(dx) + abs(dy);
    if (sum != SUB / 2) return sum < SUB / 2;
    return dy > 0 || (steep && dx > 0);
}

static i64 floor_div(i64 a, i64 b) /* b > 0 */
{
    return a / b - (a % b < 0);
}

/* The pixels whose diamond the segment leaves: those whose centre it passes on its longer axis, the
 * one in whose diamond it starts, and not the one in whose diamond it ends. */
static void scan_line(struct painter *p, const struct setup *s, const struct window *a,
                      const struct window *b)
{
    const struct draw *d = p->d;
    i64 dx = (i64)b->x - a->x, dy = (i64)b->y - a->y;
    bool steep = llabs(dy) > llabs(dx);
    i64 from = steep ? a->y : a->x, length = steep ? dy : dx;
    i64 side = steep ? a->x : a->y, slope = steep ? dx : dy, sign = length < 0 ? -1 : 1;
    i32 sx, sy, ex, ey;
    if (!length) return;
    bool starts = diamond(a, steep, &sx, &sy), ends = diamond(b, steep, &ex, &ey);
    i64 first = (MIN(from, from + length) + SUB / 2 - 1) >> 8; /* centres on the way */
    i64 last = (MAX(from, from + length) - SUB / 2) >> 8;
    if (starts && !(ends && ex == sx && ey == sy)) { /* the start's, before or behind its centre */
        first = MIN(first, steep ? sy : sx);
        last = MAX(last, steep ? sy : sx);
    }
    first = MAX(first, steep ? d->y0 : d->x0);
    last = MIN(last, (steep ? d->y1 : d->x1) - 1);
    *p->budget -= MAX(last - first, 0);
    for (i64 k = first; k <= last; k++) {
        i64 along = k * SUB + SUB / 2 - from;
        i64 across = sign * (side * length + slope * along); /* times |length| */
        i32 x = (i32)floor_div(across - 1, llabs(length) * SUB), y = (i32)k;
        if (!steep) y = x, x = (i32)k;
        if (starts && k == (steep ? sy : sx)) x = sx, y = sy;
        if (ends && x == ex && y == ey) continue;
        one_pixel(p, s, x, y, (float)((double)along / (double)length));
    }
}

void raster_line(struct draw *d, const struct vertex *a, const struct vertex *b)
{
    struct vertex p = *a, q = *b;
    struct window w[3];
    struct setup setup = { .front = true, .primitive = d->primitive_id };
    if (outcode(d, a) & outcode(d, b)) return;
    if (!clip_line(d, &p, &q) || !project(d, &p, &w[0]) || !project(d, &q, &w[1])) return;
    w[2] = w[0];
    const struct vertex *v[3] = { &p, &q, &p };
    setup.bias = d->depth_bias;
    if (d->wireframe) setup.bias += step_bias(d, w);
    set_attributes(d, &setup, v, w, a);
    struct painter *painter = canvas_painter(d->canvas);
    scan_line(painter, &setup, &w[0], &w[1]);
    shade(painter);
}

void raster_point(struct draw *d, const struct vertex *a)
{
    struct window w[3];
    struct setup setup = { .front = true,
                           .bias = d->depth_bias,
                           .sprite = d->point_sprite,
                           .primitive = d->primitive_id };
    const struct vertex *v[3] = { a, a, a };
    if (outcode(d, a) || !project(d, a, &w[0])) return;
    w[1] = w[2] = w[0];
    float size = d->psize_output ? a->psize : d->point_size;
    size = size >= d->point_min ? MIN(size, d->point_max) : d->point_min;
    i32 half = (i32)(size * (SUB / 2)), left = w[0].x - half, top = w[0].y - half;
    set_attributes(d, &setup, v, w, a);
    struct painter *p = canvas_painter(d->canvas);
    /* pixels whose centres lie in [left, left + size) */
    i32 x0 = MAX((left + SUB / 2 - 1) >> 8, d->x0),
        x1 = MIN((left + 2 * half + SUB / 2 - 1) >> 8, d->x1);
    i32 y0 = MAX((top + SUB / 2 - 1) >> 8, d->y0),
        y1 = MIN((top + 2 * half + SUB / 2 - 1) >> 8, d->y1);
    *p->budget -= MAX(x1 - x0, 0) * MAX(y1 - y0, 0) * 8; /* one quad each */
    for (i32 y = y0; y < y1; y++) {
        for (i32 x = x0; x < x1; x++) {
            i32 lane = one_pixel(p, &setup, x, y, 0.0f);
            for (i32 k = 0; k < 4 && half && lane >= 0; k++) {
                i32 px = (x & ~1) + (k & 1), py = (y & ~1) + (k >> 1);
                p->pixels.sx[lane + k] = (float)(px * SUB + SUB / 2 - left) / (float)(2 * half);
                p->pixels.sy[lane + k] = (float)(py * SUB + SUB / 2 - top) / (float)(2 * half);
            }
        }
    }
    shade(p);
}
