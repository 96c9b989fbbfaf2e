/* The reference's formats and sampling (reference.h): executor document, sections 6.5 and 11, and
 * command stream, section 5. Block decoding works on the definition's fractions and rounds last. */
#include <math.h>
#include <stdlib.h>

#include "tests/gpu/reference_formats.h"

double ref_srgb_decode(double s)
{
    return s <= 0.04045 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4);
}

double ref_srgb_encode(double l)
{
    return l <= 0.0031308 ? 12.92 * l : 1.055 * pow(l, 1 / 2.4) - 0.055;
}

/* ---- formats ---- */

bool ref_format(u32 format, struct ref_format *f)
{
    static const struct ref_format rows[] = {
        [1] = { 4, { 8, 8, 8, 8 }, { 16, 8, 0, 24 }, 0, 0 },
        [2] = { 4, { 8, 8, 8, 0 }, { 16, 8, 0, 24 }, 0xff000000, 0 },
        [3] = { 4, { 8, 8, 8, 8 }, { 0, 8, 16, 24 }, 0, 0 },
        [4] = { 4, { 8, 8, 8, 0 }, { 0, 8, 16, 24 }, 0xff000000, 0 },
        [5] = { 2, { 5, 6, 5, 0 }, { 11, 5, 0, 0 }, 0, 0 },
        [6] = { 2, { 5, 5, 5, 1 }, { 10, 5, 0, 15 }, 0, 0 },
        [7] = { 4, { 8, 8, 8, 8 }, { 16, 8, 0, 24 }, 0, true },
        [8] = { 4, { 8, 8, 8, 0 }, { 16, 8, 0, 24 }, 0xff000000, true },
        [9] = { 4, { 8, 8, 8, 8 }, { 0, 8, 16, 24 }, 0, true },
        [10] = { 4, { 8, 8, 8, 0 }, { 0, 8, 16, 24 }, 0xff000000, true },
    };
    if (!format || format >= LEN(rows)) return false;
    *f = rows[format];
    return true;
}

static void texel(const struct ref_format *f, const u8 *p, double out[4])
{
    u32 v = 0;
    memcpy(&v, p, (size_t)f->bytes);
    for (int c = 0; c < 4; c++) {
        u32 top = (1u << f->bits[c]) - 1;
        out[c] = top ? (double)(v >> f->shift[c] & top) / top : 1;
    }
}

/* ---- blocks ---- */

static void endpoint(u32 v, double out[3])
{
    u32 r = v >> 11, g = v >> 5 & 63, b = v & 31;
    out[0] = r << 3 | r >> 2;
    out[1] = g << 2 | g >> 4;
    out[2] = b << 3 | b >> 2;
}

/* The colour half of a block: texel k in codes, unrounded. */
static void bc_color(const u8 *p, bool four, int k, double out[4])
{
    u32 c0 = p[0] | (u32)p[1] << 8, c1 = p[2] | (u32)p[3] << 8, i = p[4 + k / 4] >> k % 4 * 2 & 3;
    double a[3], b[3];
    endpoint(c0, a);
    endpoint(c1, b);
    out[3] = 255;
    four |= c0 > c1;
    for (int c = 0; c < 3; c++) {
        double thirds = i == 2 ? (2 * a[c] + b[c]) / 3 : (a[c] + 2 * b[c]) / 3;
        double three = i == 2 ? (a[c] + b[c]) / 2 : 0;
        out[c] = i == 0 ? a[c] : i == 1 ? b[c] : four ? thirds : three;
    }
    if (i == 3 && !four) out[3] = 0;
}

static double bc3_alpha(const u8 *p, int k)
{
    u64 bits = 0;
    double a = p[0], b = p[1];
    for (int n = 0; n < 6; n++) bits |= (u64)p[2 + n] << 8 * n;
    int i = (int)(bits >> 3 * k & 7);
    if (i < 2) return i ? b : a;
    if (a > b) return ((8 - i) * a + (i - 1) * b) / 7;
    return i == 6 ? 0 : i == 7 ? 255 : ((6 - i) * a + (i - 1) * b) / 5;
}

/* Blocks of BC7 with one subset: modes 4, 5 and 6. Others are magenta, so that a case that has them
 * fails. */
static int take(const u8 *p, int *at, int n)
{
    int v = 0;
    for (int k = 0; k < n; k++, ++*at) v |= (p[*at / 8] >> *at % 8 & 1) << k;
    return v;
}

/* Index k of sixteen with n bits each, of which the first lacks its highest. */
static double weight(const u8 *p, int at, int n, int k)
{
    static const u8 w2[4] = { 0, 21, 43, 64 }, w3[8] = { 0, 9, 18, 27, 37, 46, 55, 64 },
                    w4[16] = { 0, 4, 9, 13, 17, 21, 26, 30, 34, 38, 43, 47, 51, 55, 60, 64 };
    at += k ? k * n - 1 : 0;
    int i = take(p, &at, k ? n : n - 1);
    return (n == 2 ? w2 : n == 3 ? w3 : w4)[i];
}

static int widen(int v, int bits)
{
    return v << (8 - bits) | v >> (2 * bits - 8);
}

static void bc7_texel(const u8 *p, int k, double out[4])
{
    int mode = 0, at, e[4][2], rotation = 0, swapped = 0;
    double w[2];
    while (mode < 8 && !(p[0] >> mode & 1)) mode++;
    at = mode + 1;
    if (mode < 4 || mode > 6) {
        out[0] = out[2] = out[3] = 255, out[1] = 0;
        return;
    }
    if (mode < 6) rotation = take(p, &at, 2);
    if (mode == 4) swapped = take(p, &at, 1);
    for (int c = 0; c < 4; c++) {
        int bits = mode == 4 ? (c == 3 ? 6 : 5) : mode == 5 && c == 3 ? 8 : 7;
        for (int n = 0; n < 2; n++) {
            e[c][n] = take(p, &at, bits);
            if (mode < 6 && bits < 8) e[c][n] = widen(e[c][n], bits);
        }
    }
    if (mode == 6) {
        int low[2] = { take(p, &at, 1), 0 };
        low[1] = take(p, &at, 1);
        for (int c = 0; c < 8; c++) e[c / 2][c % 2] = e[c / 2][c % 2] << 1 | low[c % 2];
        w[0] = w[1] = weight(p, at, 4, k);
    } else { /* colour's and alpha's indices; mode 4 may exchange them */
        w[swapped] = weight(p, at, 2, k);
        w[!swapped] = weight(p, at + 31, mode == 4 ? 3 : 2, k);
    }
    for (int c = 0; c < 4; c++) out[c] = floor(((64 - w[c == 3]) * e[c][0] + w[c == 3] * e[c][1] + 32) / 64);
    if (!rotation) return;
    double t = out[3];
    out[3] = out[rotation - 1];
    out[rotation - 1] = t;
}

static void bc_texel(u32 format, const u8 *p, int k, double out[4])
{
    if (format >= 70) {
        bc7_texel(p, k, out);
        for (int c = 0; c < 4; c++) out[c] /= 255;
        return;
    }
    bool bc1 = format < 66;
    bc_color(bc1 ? p : p + 8, !bc1, k, out);
    if (format == 66 || format == 67) out[3] = (p[k / 2] >> k % 2 * 4 & 15) * 17;
    if (format == 68 || format == 69) out[3] = bc3_alpha(p, k);
    for (int c = 0; c < 4; c++) out[c] /= 255;
}

/* ---- textures ---- */

static int mip_size(int size, int mip)
{
    return size >> mip ? size >> mip : 1;
}

static double (*mip_texels(const struct ref_texture *t, int mip, int layer))[4]
{
    size_t per_layer = 0, before = 0;
    for (int m = 0; m < t->mips; m++) {
        size_t n = (size_t)mip_size(t->width, m) * (size_t)mip_size(t->height, m);
        if (m < mip) before += n;
        per_layer += n;
    }
    return t->texels + (size_t)layer * per_layer + before;
}

void ref_texture_load(struct ref_texture *t, u32 format, int width, int height, int mips,
                      int layers, u32 pitch, const u8 *data)
{
    struct ref_format f = { 0 };
    bool blocks = format >= 64;
    size_t bytes = format < 66 ? 8 : 16;
    *t = (struct ref_texture){ width, height, mips, layers, NULL, false };
    if (!blocks) ref_format(format, &f);
    if (!blocks) bytes = (size_t)f.bytes;
    t->srgb = blocks ? format & 1 : f.srgb;
    t->texels = calloc((size_t)width * (size_t)height * 2 * (size_t)layers + 64, sizeof(*t->texels));
    for (int layer = 0; layer < layers; layer++) {
        for (int m = 0; m < mips; m++) {
            int w = mip_size(width, m), h = mip_size(height, m);
            double(*out)[4] = mip_texels(t, m, layer);
            size_t columns = blocks ? (size_t)(w + 3) / 4 : (size_t)w;
            size_t rows = blocks ? (size_t)(h + 3) / 4 : (size_t)h;
            size_t step = m == 0 && pitch ? pitch : columns * bytes;
            for (int y = 0; y < h; y++) {
                for (int x = 0; x < w; x++) {
                    const u8 *p = data + (size_t)(blocks ? y / 4 : y) * step +
                                  (size_t)(blocks ? x / 4 : x) * bytes;
                    if (blocks)
                        bc_texel(format, p, y % 4 * 4 + x % 4, out[y * w + x]);
                    else
                        texel(&f, p, out[y * w + x]);
                }
            }
            data += rows * step;
        }
    }
}

void ref_texture_free(struct ref_texture *t)
{
    free(t->texels);
    *t = (struct ref_texture){ 0 };
}

/* ---- sampling ---- */

/* Texel index of i among n; -1: border. */
static int address(long i, long n, u32 mode)
{
    long period = ((i % (2 * n)) + 2 * n) % (2 * n);
    switch (mode) {
    case 2: return (int)(period < n ? period : 2 * n - 1 - period);
    case 3: return (int)(i < 0 ? 0 : i >= n ? n - 1 : i);
    case 4: return (int)(i < 0 || i >= n ? -1 : i);
    case 5: i = i < 0 ? -1 - i : i; return (int)(i >= n ? n - 1 : i);
    default: return (int)(period % n);
    }
}

struct sampled { /* one mip of one layer with its sampler */
    const struct ref_texture *t;
    const u32 *ss;
    int mip, layer;
    bool cube;
};

static void fetch(const struct sampled *s, long x, long y, double out[4])
{
    int w = mip_size(s->t->width, s->mip), h = mip_size(s->t->height, s->mip);
    int ix = address(x, w, s->cube ? 3 : s->ss[1]), iy = address(y, h, s->cube ? 3 : s->ss[2]);
    if (ix < 0 || iy < 0) {
        for (int c = 0; c < 4; c++) out[c] = (s->ss[4] >> (c == 3 ? 24 : 16 - 8 * c) & 255) / 255.0;
        return;
    }
    memcpy(out, mip_texels(s->t, s->mip, s->layer)[iy * w + ix], 4 * sizeof(double));
    for (int c = 0; c < 3 && (s->t->srgb || s->ss[11]); c++) out[c] = ref_srgb_decode(out[c]);
}

static bool near_integer(double v)
{
    return fabs(v - nearbyint(v)) < 1e-4;
}

static void sample_mip(struct ref_fragment *f, const struct sampled *s, const double uv[2],
                       bool linear, double out[4])
{
    double x = uv[0] * mip_size(s->t->width, s->mip), y = uv[1] * mip_size(s->t->height, s->mip);
    if (!linear) {
        f->unsure |= near_integer(x) || near_integer(y);
        fetch(s, (long)floor(x), (long)floor(y), out);
        return;
    }
    double fx = floor(x - 0.5), fy = floor(y - 0.5), wx = x - 0.5 - fx, wy = y - 0.5 - fy, t[4][4];
    for (int k = 0; k < 4; k++) fetch(s, (long)fx + k % 2, (long)fy + k / 2, t[k]);
    for (int c = 0; c < 4; c++)
        out[c] = (t[0][c] * (1 - wx) + t[1][c] * wx) * (1 - wy) + (t[2][c] * (1 - wx) + t[3][c] * wx) * wy;
}

/* Direct3D's face of a direction; 0 to 5 are +X -X +Y -Y +Z -Z. */
static int cube_face(struct ref_fragment *f, const double v[3], double uv[2])
{
    double ax = fabs(v[0]), ay = fabs(v[1]), az = fabs(v[2]), m = fmax(ax, fmax(ay, az));
    f->unsure |= (ax < m && ax > m * 0.9999) || (ay < m && ay > m * 0.9999) || (az < m && az > m * 0.9999);
    int face = ax == m ? (v[0] < 0) : ay == m ? 2 + (v[1] < 0) : 4 + (v[2] < 0);
    double s[6] = { -v[2], v[2], v[0], v[0], v[0], -v[0] }, t[6] = { -v[1], -v[1], v[2], -v[2], -v[1], -v[1] };
    uv[0] = (s[face] / m + 1) / 2;
    uv[1] = (t[face] / m + 1) / 2;
    return face;
}

double ref_lod(const struct ref_texture *t, const double dx[2], const double dy[2])
{
    double x = hypot(dx[0] * t->width, dx[1] * t->height), y = hypot(dy[0] * t->width, dy[1] * t->height);
    return fmax(x, y) > 0 ? log2(fmax(x, y)) : -64;
}

/* Filtering between mips with the level known. */
static void filter(struct ref_fragment *f, int slot, int layer, const double uv[2], double lod, double out[4])
{
    const struct ref_texture *t = f->r->texture[slot];
    const u32 *ss = f->r->ss[slot];
    int first = (int)ss[9] < t->mips - 1 ? (int)ss[9] : t->mips - 1;
    struct sampled s = { t, ss, first, layer, f->r->cube[slot] };
    bool differ = (ss[5] == 1) != (ss[6] == 1);
    bool linear = ss[lod > 0 ? 6 : 5] != 1;
    if (differ && fabs(lod) < 1e-4) f->unsure = true;
    if (ss[7] == 0) {
        sample_mip(f, &s, uv, linear, out);
        return;
    }
    lod = ref_clamp(lod, first, t->mips - 1);
    if (ss[7] == 1) {
        if (fabs(lod - floor(lod) - 0.5) < 1e-4) f->unsure = true;
        s.mip = (int)floor(lod + 0.5);
        sample_mip(f, &s, uv, linear, out);
        return;
    }
    double next[4], w = lod - floor(lod);
    s.mip = (int)floor(lod);
    sample_mip(f, &s, uv, linear, out);
    if (w == 0) return;
    s.mip++;
    sample_mip(f, &s, uv, linear, next);
    for (int c = 0; c < 4; c++) out[c] = out[c] * (1 - w) + next[c] * w;
}

static double lod_bias(const u32 *ss)
{
    float bias;
    memcpy(&bias, &ss[8], sizeof(bias));
    return bias;
}

static void unbound(const struct ref *r, double out[4])
{
    for (int c = 0; c < 4; c++) out[c] = r->d3d10 ? 0 : 1;
}

void ref_sample_lod(struct ref_fragment *f, int slot, const double uvw[3], double lod, double out[4])
{
    double uv[2] = { uvw[0], uvw[1] };
    int layer = 0;
    if (!f->r->texture[slot]) {
        unbound(f->r, out);
        return;
    }
    if (f->r->cube[slot]) layer = cube_face(f, uvw, uv);
    if (f->r->array[slot]) {
        layer = (int)ref_clamp(nearbyint(uvw[2]), 0, f->r->texture[slot]->layers - 1);
        f->unsure |= fabs(uvw[2] - floor(uvw[2]) - 0.5) < 1e-4;
    }
    filter(f, slot, layer, uv, lod + lod_bias(f->r->ss[slot]), out);
}

/* Coordinates of attribute n at a pixel, on cube face `face` when that is not negative. */
static void coordinates(struct ref_fragment *f, int n, bool projected, int x, int y, bool cube, double uvw[3])
{
    double a[4];
    ref_attr(f, n, x, y, a);
    for (int c = 0; c < 3; c++) uvw[c] = projected ? a[c] / a[3] : a[c];
    if (!cube) return;
    double uv[2];
    cube_face(f, uvw, uv);
    uvw[0] = uv[0];
    uvw[1] = uv[1];
}

void ref_sample(struct ref_fragment *f, int slot, int n, bool projected, double bias, double out[4])
{
    double o[3], x[3], y[3];
    const struct ref_texture *t = f->r->texture[slot];
    bool cube = f->r->cube[slot];
    int qx = f->x & ~1, qy = f->y & ~1;
    if (!t) {
        unbound(f->r, out);
        return;
    }
    coordinates(f, n, projected, qx, qy, cube, o);
    coordinates(f, n, projected, qx + 1, qy, cube, x);
    coordinates(f, n, projected, qx, qy + 1, cube, y);
    double dx[2] = { x[0] - o[0], x[1] - o[1] }, dy[2] = { y[0] - o[0], y[1] - o[1] };
    coordinates(f, n, projected, f->x, f->y, false, o);
    ref_sample_lod(f, slot, o, ref_lod(t, dx, dy) + bias, out);
}
