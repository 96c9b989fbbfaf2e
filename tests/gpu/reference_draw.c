/* The reference's drawing (reference.h): executor document, sections 6.1 to 6.5 and 7.6. Every
 * primitive asks every pixel of the target. */
#include <math.h>
#include <stdlib.h>

#include "tests/gpu/reference_formats.h"

enum { SUB = 256 };

/* A primitive as functions over the plane: the weight of vertex k at (x, y), in pixels, is
 * (m[k][0] x + m[k][1] y + m[k][2]) and the weights' sum is 1 / w. */
struct ref_plane {
    const struct ref_vertex *v[3], *first; /* first: provoking */
    double m[3][3], z[3];
    bool front, sprite;
    double left, top, size; /* of a point */
    bool line;              /* weights along a segment: m[1] only, from 0 to 1 */
    double w[3];
};

struct window { /* a vertex on the screen */
    double x, y, z;
    long sx, sy; /* snapped, in 1/256 pixel */
};

static void project(const struct ref *r, const struct ref_vertex *v, struct window *w)
{
    double vp[6] = { 0, 0, r->color[0].width, r->color[0].height, 0, 1 };
    if (r->viewport_set) memcpy(vp, r->viewport, sizeof(vp));
    if (!r->color[0].format && !r->viewport_set) vp[2] = r->depth.width, vp[3] = r->depth.height;
    w->x = vp[0] + (v->pos[0] / v->pos[3] + 1) * vp[2] / 2 + r->shift;
    w->y = vp[1] + (1 - v->pos[1] / v->pos[3]) * vp[3] / 2 + r->shift;
    w->z = vp[4] + v->pos[2] / v->pos[3] * (vp[5] - vp[4]);
    w->sx = lrint(w->x * SUB);
    w->sy = lrint(w->y * SUB);
}

/* ---- interpolation ---- */

static void weights(const struct ref_plane *p, double x, double y, double b[3], double *w)
{
    double sum = 0;
    for (int k = 0; k < 3; k++) sum += b[k] = p->m[k][0] * x + p->m[k][1] * y + p->m[k][2];
    *w = 1 / sum;
}

void ref_attr(const struct ref_fragment *f, int n, int x, int y, double out[4])
{
    const struct ref_plane *p = f->plane;
    double b[3], w, cx = x + 0.5, cy = y + 0.5;
    enum ref_interpolation how = f->r->interpolation[n];
    weights(p, cx, cy, b, &w);
    for (int c = 0; c < 4; c++) {
        double v = 0, s = 0;
        for (int k = 0; k < 3; k++) {
            double a = p->v[k]->attr[n][c], screen = b[k] * p->w[k];
            v += b[k] * a;
            s += screen * a;
        }
        out[c] = how == REF_FLAT ? p->first->attr[n][c] : how == REF_SCREEN ? s : v * w;
    }
    if (!p->sprite || !f->r->sprite[n]) return;
    out[0] = (cx - p->left) / p->size;
    out[1] = (cy - p->top) / p->size;
}

static double depth_at(const struct ref *r, const struct ref_plane *p, int x, int y)
{
    double b[3], w, z = 0;
    (void)r;
    weights(p, x + 0.5, y + 0.5, b, &w);
    /* z is linear on the screen: screen weights are b[k] times w of the vertex */
    for (int k = 0; k < 3; k++) z += b[k] * p->w[k] * (p->z[k] - p->z[0]);
    return z + p->z[0];
}

/* ---- depth and stencil ---- */

static bool compare(int func, double a, double b)
{
    return func == 7 || (func & 1 && a < b) || (func & 2 && a == b) || (func & 4 && a > b);
}

static int stencil_op(int op, int v, int ref)
{
    switch (op) {
    case 2: return 0;
    case 3: return ref;
    case 4: return v < 255 ? v + 1 : 255;
    case 5: return v > 0 ? v - 1 : 0;
    case 6: return 255 - v;
    case 7: return (v + 1) % 256;
    case 8: return (v + 255) % 256;
    default: return v;
    }
}

/* Code of a depth value in its surface; exact values within 8 codes of each other, but not equal,
 * are too near to judge. */
static bool depth_pass(const struct ref *r, int k, double z, bool *unsure)
{
    double a = z, b = r->depth.z[k];
    if (a != b && fabs(a - b) < 8 / 16777216.0) *unsure = true;
    if (r->depth.format == 32) {
        a = floor(a * 16777215 + 0.5);
        b = floor(b * 16777215 + 0.5);
    }
    return compare(r->state.depth_func, a, b);
}

static bool depth_stencil(struct ref *r, const struct ref_plane *p, int k, double z, bool *unsure)
{
    const struct ref_state *s = &r->state;
    struct ref_surface *d = &r->depth;
    const struct ref_face *f = &s->face[s->two_sided && !p->front];
    bool stencil = s->stencil_test && d->format == 32, passed = true;
    if (!d->format) return true;
    if (d->unsure[k] && (stencil || s->depth_test)) *unsure = true;
    if (stencil)
        passed = compare(f->func, s->stencil_ref & s->stencil_mask, d->stencil[k] & s->stencil_mask);
    int op = f->fail;
    if (passed) {
        passed = !s->depth_test || depth_pass(r, k, z, unsure);
        op = passed ? f->pass : f->zfail;
    }
    if (stencil) {
        int next = stencil_op(op, d->stencil[k], s->stencil_ref);
        d->stencil[k] = (u8)((d->stencil[k] & ~s->stencil_write) | (next & s->stencil_write));
    }
    if (passed && s->depth_test && s->depth_write) d->z[k] = z;
    if (*unsure) d->unsure[k] = 1;
    return passed;
}

/* ---- blending ---- */

static double factor(int f, const double s[4], const double d[4], const double k[4], int c)
{
    switch (f) {
    case 1: return 0;
    case 3: return s[c];
    case 4: return 1 - s[c];
    case 5: return s[3];
    case 6: return 1 - s[3];
    case 7: return d[3];
    case 8: return 1 - d[3];
    case 9: return d[c];
    case 10: return 1 - d[c];
    case 11: return c == 3 ? 1 : fmin(s[3], 1 - d[3]);
    case 14: return k[c];
    case 15: return 1 - k[c];
    default: return 1;
    }
}

static double blended(const struct ref_blend *b, const double s[4], const double d[4], int c)
{
    int op = c == 3 ? b->op_alpha : b->op;
    double sv = s[c] * factor(c == 3 ? b->src_alpha : b->src, s, d, b->constant, c);
    double dv = d[c] * factor(c == 3 ? b->dst_alpha : b->dst, s, d, b->constant, c);
    switch (op) {
    case 2: return sv - dv;
    case 3: return dv - sv;
    case 4: return fmin(s[c], d[c]);
    case 5: return fmax(s[c], d[c]);
    default: return sv + dv;
    }
}

static void write_color(struct ref *r, int t, int k, const double color[4], bool unsure)
{
    struct ref_surface *to = &r->color[t];
    struct ref_format f;
    if (!r->outputs[t] || !ref_format(to->format, &f) || !r->state.mask[t]) return;
    bool encode = f.srgb || (r->state.srgb_write && f.bits[0] == 8);
    double d[4], s[4], v[4];
    for (int c = 0; c < 4; c++) {
        double top = (1 << f.bits[c]) - 1;
        d[c] = f.bits[c] ? floor(to->exact[k][c] + 0.5) / top : 1;
        if (encode && c < 3) d[c] = ref_srgb_decode(d[c]);
        s[c] = ref_clamp(color[c], 0, 1);
    }
    for (int c = 0; c < 4; c++) {
        v[c] = r->state.blend.on ? ref_clamp(blended(&r->state.blend, s, d, c), 0, 1) : s[c];
        if (encode && c < 3) v[c] = ref_srgb_encode(v[c]);
        if (f.bits[c] && r->state.mask[t] >> c & 1) to->exact[k][c] = v[c] * ((1 << f.bits[c]) - 1);
    }
    /* An unsure pixel that is overwritten wholly is sure again. */
    if (unsure || (to->unsure[k] && (r->state.blend.on || r->state.mask[t] != 15)))
        to->unsure[k] = 1;
    else
        to->unsure[k] = 0;
}

/* ---- one pixel ---- */

static bool visible(const struct ref *r, int x, int y)
{
    const double *v = r->viewport;
    const int *s = r->scissor;
    if (r->viewport_set &&
        (x < floor(v[0]) || y < floor(v[1]) || x >= ceil(v[0] + v[2]) || y >= ceil(v[1] + v[3])))
        return false;
    if (!r->state.scissor || !r->scissor_set) return true;
    return x >= s[0] && y >= s[1] && (long)x < (long)s[0] + s[2] && (long)y < (long)s[1] + s[3];
}

static int target_size(const struct ref *r, bool height)
{
    int n = 1 << 14;
    for (int t = 0; t <= REF_TARGETS; t++) {
        const struct ref_surface *s = t < REF_TARGETS ? &r->color[t] : &r->depth;
        if (s->format) n = MIN(n, height ? s->height : s->width);
    }
    return n;
}

static int index_in(const struct ref_surface *s, int x, int y)
{
    return y * s->width + x;
}

static void pixel(struct ref *r, const struct ref_plane *p, int x, int y, bool unsure, ref_shader *shade, const void *user)
{
    const struct ref_state *s = &r->state;
    struct ref_fragment f = { .r = r, .x = x, .y = y, .front = p->front, .plane = p, .unsure = unsure };
    double b[3], lo = 0, hi = 1;
    weights(p, x + 0.5, y + 0.5, b, &f.w);
    f.z = depth_at(r, p, x, y);
    for (int n = 0; n < r->attrs; n++) ref_attr(&f, n, x, y, f.attr[n]);
    if (shade) shade(&f, user);
    if (f.kill) {
        if (f.unsure)
            for (int t = 0; t < REF_TARGETS; t++)
                if (r->color[t].format) r->color[t].unsure[index_in(&r->color[t], x, y)] = 1;
        return;
    }
    if (s->alpha_test) {
        double a = ref_clamp(f.color[0][3], 0, 1) * 255;
        if (fabs(a - floor(a) - 0.5) < 1e-3) f.unsure = true;
        if (!compare(s->alpha_func, floor(a + 0.5), s->alpha_ref)) return;
    }
    if (r->viewport_set) lo = fmin(r->viewport[4], r->viewport[5]), hi = fmax(r->viewport[4], r->viewport[5]);
    double z = r->writes_depth ? f.depth : f.z;
    z = ref_clamp(ref_clamp(z, lo, hi), 0, 1);
    bool passed = depth_stencil(r, p, r->depth.format ? index_in(&r->depth, x, y) : 0, z, &f.unsure);
    for (int t = 0; t < REF_TARGETS && shade; t++) {
        if (!r->color[t].format || s->no_write) continue;
        int k = index_in(&r->color[t], x, y);
        if (passed)
            write_color(r, t, k, f.color[t], f.unsure);
        else if (f.unsure)
            r->color[t].unsure[k] = 1;
    }
}

/* ---- triangles ---- */

static bool top_left(long ax, long ay, long bx, long by)
{
    return (ay == by && bx > ax) || by < ay; /* clockwise with y down: top goes right, left goes up */
}

/* Exact: 1 inside. v clockwise. */
static bool covers(const struct window w[3], int px, int py)
{
    long x = (long)px * SUB + SUB / 2, y = (long)py * SUB + SUB / 2;
    for (int k = 0; k < 3; k++) {
        const struct window *a = &w[k], *b = &w[(k + 1) % 3];
        long e = (b->sx - a->sx) * (y - a->sy) - (b->sy - a->sy) * (x - a->sx);
        if (e < 0 || (e == 0 && !top_left(a->sx, a->sy, b->sx, b->sy))) return false;
    }
    return true;
}

/* Inverse of the matrix whose columns are (x w, y w, w) of the vertices: false when singular. */
static bool invert(double c[3][3], double m[3][3])
{
    double det = 0;
    for (int k = 0; k < 3; k++) {
        const double *p = c[(k + 1) % 3], *q = c[(k + 2) % 3];
        m[k][0] = p[1] * q[2] - p[2] * q[1];
        m[k][1] = p[2] * q[0] - p[0] * q[2];
        m[k][2] = p[0] * q[1] - p[1] * q[0];
    }
    for (int k = 0; k < 3; k++) det += c[0][k] * m[0][k];
    if (det == 0) return false;
    for (int k = 0; k < 9; k++) m[k / 3][k % 3] /= det;
    return true;
}

/* Whether the vertex stays where it is: in front of the eye and not beyond the guard band. */
static bool ordinary(const struct ref_vertex *v, const struct window *w)
{
    return v->pos[3] > 1e-9 && fabs(w->x) < 8192 && fabs(w->y) < 8192;
}

/* Signed pixels from an edge, from the weights of the vertex that faces it. */
static double edge_distance(const struct ref_plane *p, int k, int x, int y)
{
    const double *m = p->m[k];
    double v = m[0] * (x + 0.5) + m[1] * (y + 0.5) + m[2], slope = hypot(m[0], m[1]);
    return slope > 0 ? v / slope : v > 0 ? 1e9 : -1e9;
}

/* z against the clip volume: -1 outside, 0 too near to say, 1 inside. */
static int depth_inside(const struct ref *r, const struct ref_plane *p, int x, int y)
{
    double z = 0, w, b[3], lo, hi;
    if (r->state.depth_clip_off) return 1;
    weights(p, x + 0.5, y + 0.5, b, &w);
    for (int k = 0; k < 3; k++) z += b[k] * p->v[k]->pos[2];
    z *= w;
    bool constant = p->v[0]->pos[2] == 0 && p->v[1]->pos[2] == 0 && p->v[2]->pos[2] == 0;
    if (constant) return 1;
    bool all = true;
    for (int k = 0; k < 3; k++) all &= p->v[k]->pos[2] >= 0 && p->v[k]->pos[2] <= p->v[k]->pos[3];
    if (all) return 1;
    lo = z, hi = 1 - z;
    /* a cut edge is snapped anew: half a pixel's worth of z is not judged */
    double near = 0;
    for (int k = 0; k < 3; k++) near = fmax(near, hypot(p->m[k][0], p->m[k][1]) * fabs(p->v[k]->pos[2]) * fabs(w));
    near *= 0.1;
    if (fmin(lo, hi) > near) return 1;
    return fmin(lo, hi) < -near ? -1 : 0;
}

static double slope_bias(const struct ref *r, const struct window w[3], double area)
{
    double x1 = (double)(w[1].sx - w[0].sx) / SUB, y1 = (double)(w[1].sy - w[0].sy) / SUB;
    double x2 = (double)(w[2].sx - w[0].sx) / SUB, y2 = (double)(w[2].sy - w[0].sy) / SUB;
    double z1 = w[1].z - w[0].z, z2 = w[2].z - w[0].z, a = area / SUB / SUB;
    return r->state.slope_bias * fmax(fabs((z1 * y2 - z2 * y1) / a), fabs((z2 * x1 - z1 * x2) / a));
}

static void line(struct ref *r, const struct ref_vertex *a, const struct ref_vertex *b, const struct ref_vertex *first, ref_shader *shade,
                 const void *user);

static void triangle(struct ref *r, const struct ref_vertex *const in[3], ref_shader *shade, const void *user)
{
    struct ref_plane p = { .v = { in[0], in[1], in[2] }, .first = in[0] };
    struct window w[3];
    double c[3][3], area = 0;
    bool plain = true;
    for (int k = 0; k < 3; k++) {
        for (int n = 0; n < 4; n++)
            if (isnan(in[k]->pos[n])) return;
        project(r, in[k], &w[k]);
        plain &= ordinary(in[k], &w[k]);
    }
    for (int k = 0; k < 3; k++) {
        double x = w[k].x, y = w[k].y;
        if (plain) x = (double)w[k].sx / SUB, y = (double)w[k].sy / SUB;
        p.w[k] = in[k]->pos[3];
        p.z[k] = w[k].z;
        c[k][0] = x * p.w[k], c[k][1] = y * p.w[k], c[k][2] = p.w[k];
    }
    area = (double)((w[1].sx - w[0].sx) * (w[2].sy - w[0].sy) - (w[2].sx - w[0].sx) * (w[1].sy - w[0].sy));
    if (!invert(c, p.m) || (plain && area == 0)) return;
    /* the sign of the determinant: for vertices behind the eye, too */
    double det = c[0][0] * (c[1][1] * c[2][2] - c[1][2] * c[2][1]) - c[0][1] * (c[1][0] * c[2][2] - c[1][2] * c[2][0]) +
                 c[0][2] * (c[1][0] * c[2][1] - c[1][1] * c[2][0]);
    p.front = det > 0;
    if ((r->state.cull == 2 && p.front) || (r->state.cull == 3 && !p.front)) return;
    if (r->state.wireframe) {
        for (int k = 0; k < 3; k++) line(r, in[k], in[(k + 1) % 3], in[0], shade, user);
        return;
    }
    double bias = r->state.bias + (plain && r->state.slope_bias != 0 ? slope_bias(r, w, area) : 0);
    for (int k = 0; k < 3; k++) p.z[k] += bias;
    struct window cw[3] = { w[0], w[p.front ? 1 : 2], w[p.front ? 2 : 1] };
    for (int y = 0; y < target_size(r, true); y++) {
        for (int x = 0; x < target_size(r, false); x++) {
            if (!visible(r, x, y)) continue;
            int z = depth_inside(r, &p, x, y);
            bool unsure = z == 0, in_it = z >= 0 && plain && covers(cw, x, y);
            if ((!plain || r->loose) && z >= 0) {
                double d = 1e9, near = plain ? 1.5 / SUB : 0.05;
                for (int k = 0; k < 3; k++) d = fmin(d, edge_distance(&p, k, x, y));
                in_it = d > -near;
                unsure |= fabs(d) <= near;
            }
            if (in_it) pixel(r, &p, x, y, unsure, shade, user);
        }
    }
}

/* ---- lines and points ---- */

/* Whether the point (x / den, y / den), in 1/256 pixel relative to a pixel's centre, lies in the
 * diamond |x| + |y| < 1/2; of its border the two lower edges and the corner between them belong to
 * it and, for lines that are steeper than 45 degrees, the right corner. */
static bool in_diamond(long x, long y, long den, bool steep)
{
    long d = labs(x) + labs(y), half = SUB / 2 * den;
    if (d != half) return d < half;
    return y > 0 || (steep && x == half);
}

/* Whether a segment passes through the diamond. Along it |x| + |y| is convex and bends where the
 * segment crosses the diamond's axes; so if it touches at all, then at an end, at such a crossing
 * or, running along an edge, between two of these. */
static bool touches(const struct window *a, const struct window *b, int px, int py, bool steep)
{
    long ax = a->sx - ((long)px * SUB + SUB / 2), ay = a->sy - ((long)py * SUB + SUB / 2);
    long dx = b->sx - a->sx, dy = b->sy - a->sy;
    const long at[4][2] = { { 0, 1 }, { 1, 1 }, { -ax, dx }, { -ay, dy } }; /* fractions of the way */
    for (int k = 0; k < 4; k++) {
        for (int n = k; n < 4; n++) { /* the middle between each two, and each one itself */
            long d1 = at[k][1], d2 = at[n][1], n1 = at[k][0], n2 = at[n][0];
            if (!d1 || !d2) continue;
            long num = n1 * d2 + n2 * d1, den = 2 * d1 * d2;
            if (den < 0) num = -num, den = -den;
            if (num < 0 || num > den) continue;
            if (in_diamond(ax * den + num * dx, ay * den + num * dy, den, steep)) return true;
        }
    }
    return false;
}

static void line(struct ref *r, const struct ref_vertex *a, const struct ref_vertex *b, const struct ref_vertex *first, ref_shader *shade,
                 const void *user)
{
    struct window w[2];
    struct ref_plane p = { .v = { a, b, a }, .first = first, .front = true, .w = { a->pos[3], b->pos[3], a->pos[3] } };
    project(r, a, &w[0]);
    project(r, b, &w[1]);
    double dx = (double)(w[1].sx - w[0].sx) / SUB, dy = (double)(w[1].sy - w[0].sy) / SUB;
    bool steep = fabs(dy) > fabs(dx);
    double length = steep ? dy : dx, from = (double)(steep ? w[0].sy : w[0].sx) / SUB;
    if (length == 0) return;
    for (int k = 0; k < 3; k++) p.z[k] = w[k == 1].z + r->state.bias;
    /* the share of the second vertex grows along the major axis */
    p.m[1][steep] = 1 / length / p.w[1];
    p.m[1][2] = -from / length / p.w[1];
    p.m[0][steep] = -1 / length / p.w[0];
    p.m[0][2] = (1 + from / length) / p.w[0];
    for (int y = 0; y < target_size(r, true); y++) {
        for (int x = 0; x < target_size(r, false); x++) {
            long ex = w[1].sx - ((long)x * SUB + SUB / 2), ey = w[1].sy - ((long)y * SUB + SUB / 2);
            if (!visible(r, x, y) || in_diamond(ex, ey, 1, steep) || !touches(&w[0], &w[1], x, y, steep)) continue;
            int inside = depth_inside(r, &p, x, y);
            if (inside >= 0) pixel(r, &p, x, y, inside == 0, shade, user);
        }
    }
}

static void point(struct ref *r, const struct ref_vertex *a, ref_shader *shade, const void *user)
{
    struct window w;
    struct ref_plane p = { .v = { a, a, a }, .first = a, .front = true, .w = { a->pos[3], a->pos[3], a->pos[3] } };
    if (a->pos[3] <= 0 || fabs(a->pos[0]) > 512 * a->pos[3] || a->pos[2] < 0 || a->pos[2] > a->pos[3]) return;
    project(r, a, &w);
    double size = r->d3d10 ? 1 : a->size > 0 ? a->size : r->state.point_size;
    if (!r->d3d10) size = ref_clamp(size, r->state.point_min, r->state.point_max);
    p.left = (double)w.sx / SUB - size / 2;
    p.top = (double)w.sy / SUB - size / 2;
    p.size = size;
    p.sprite = r->state.sprites;
    p.m[0][2] = 1 / a->pos[3];
    for (int k = 0; k < 3; k++) p.z[k] = w.z + r->state.bias;
    /* a point asks the pixels around it alone: there are scenes with thousands */
    int x0 = MAX((int)p.left - 2, 0), x1 = MIN((int)(p.left + size) + 2, target_size(r, false));
    int y0 = MAX((int)p.top - 2, 0), y1 = MIN((int)(p.top + size) + 2, target_size(r, true));
    for (int y = y0; y < y1; y++) {
        for (int x = x0; x < x1; x++) {
            double cx = x + 0.5 - p.left, cy = y + 0.5 - p.top;
            if (visible(r, x, y) && cx >= 0 && cy >= 0 && cx < size && cy < size) pixel(r, &p, x, y, false, shade, user);
        }
    }
}

/* ---- assembly ---- */

struct stream {
    struct ref *r;
    const struct ref_vertex *v;
    const u32 *indices;
    ref_shader *shade;
    const void *user;
};

static const struct ref_vertex *at(const struct stream *s, int n)
{
    return &s->v[s->indices ? s->indices[n] : (u32)n];
}

static void three(const struct stream *s, int a, int b, int c)
{
    const struct ref_vertex *const v[3] = { at(s, a), at(s, b), at(s, c) };
    triangle(s->r, v, s->shade, s->user);
}

/* Vertices from `from` up to `to`: a whole draw, or what lies between two cuts of a strip. */
static void assemble(const struct stream *s, int topology, int from, int to)
{
    for (int k = from; k < to; k++) {
        int n = k - from;
        if (topology == 1) point(s->r, at(s, k), s->shade, s->user);
        if ((topology == 2 && n % 2 == 1) || (topology == 3 && n >= 1)) line(s->r, at(s, k - 1), at(s, k), at(s, k - 1), s->shade, s->user);
        if (topology == 4 && n % 3 == 2) three(s, k - 2, k - 1, k);
        if (topology == 5 && n >= 2) three(s, k - 2, n % 2 ? k : k - 1, n % 2 ? k - 1 : k);
        if (topology == 6 && n >= 2) three(s, k - 1, k, from);
    }
}

void ref_draw(struct ref *r, int topology, const struct ref_vertex *v, const u32 *indices, int count, u32 cut, ref_shader *shade,
              const void *user)
{
    int max = 0, from = 0;
    for (int k = 0; k < count; k++) {
        if (indices && cut && indices[k] == cut) continue;
        max = MAX(max, indices ? (int)indices[k] : k);
    }
    struct ref_vertex *copy = malloc(sizeof(*copy) * (size_t)(max + 1));
    memcpy(copy, v, sizeof(*copy) * (size_t)(max + 1));
    for (int k = 0; k <= max; k++) {
        for (int n = 0; n < REF_ATTRS; n++) {
            for (int c = 0; c < 4 && r->saturate[n]; c++) copy[k].attr[n][c] = ref_clamp(copy[k].attr[n][c], 0, 1);
        }
    }
    struct stream s = { r, copy, indices, shade, user };
    for (int k = 0; k <= count; k++) {
        if (k < count && !(indices && cut && indices[k] == cut)) continue;
        assemble(&s, topology, from, k);
        from = k + 1;
    }
    free(copy);
}
