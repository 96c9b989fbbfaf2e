/* Golden pictures of textures: every format, addressing, filters, levels of detail, cubes, sRGB, the
 * instructions that sample. Executor document, section 11, and section 6.5 for formats. */
#include <math.h>
#include <stdlib.h>

#include "tests/gpu/golden.h"

enum { N = 64 };
#define FORMULA "reference, double precision"
#define EXACT "reference, every bit"

static void noise(struct gold *g, u8 *out, size_t bytes)
{
    for (size_t k = 0; k < bytes; k++) out[k] = (u8)gold_random(g);
}

static void filters(struct gold *g, u32 mag, u32 min, u32 mip)
{
    gold_sampler(g, 0, 5, mag);
    gold_sampler(g, 0, 6, min);
    gold_sampler(g, 0, 7, mip);
}

static void addresses(struct gold *g, u32 u, u32 v)
{
    gold_sampler(g, 0, 1, u);
    gold_sampler(g, 0, 2, v);
}

/* The whole target with texture coordinates from (u0, v0) to (u1, v1). */
static void spread(struct gold *g, float u0, float v0, float u1, float v1)
{
    struct vx v[4];
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? (float)g->ref.color[0].width : 0, k & 2 ? (float)g->ref.color[0].height : 0, 0, 1, 0xffffffff);
        v[k].uv[0] = k & 1 ? u1 : u0;
        v[k].uv[1] = k & 2 ? v1 : v0;
        v[k].uv[3] = 1;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
}

static void begin(struct gold *g, u32 w, u32 h)
{
    gold_target(g, AGPU_FMT_B8G8R8A8, w, h, 0);
    gold_program(g, NULL, ps_textured, ref_textured, NULL);
}

/* ---- formats: 1:1, so that every texel is seen; eps because 1/31 and the like are no codes ---- */

static u32 format_bytes(u32 format, u32 w, u32 h)
{
    if (format >= 64) return (w + 3) / 4 * ((h + 3) / 4) * (format < 66 ? 8 : 16);
    return w * h * (format == AGPU_FMT_B5G6R5 || format == AGPU_FMT_B5G5R5A1 ? 2 : 4);
}

static void format(struct gold *g, int f)
{
    u8 data[N * N * 4];
    noise(g, data, sizeof(data));
    begin(g, N, N);
    gold_texture(g, 0, (u32)f, N, N, 1, 1, data, format_bytes((u32)f, N, N));
    spread(g, 0, 0, 1, 1);
    gold_show(g, f >= 64 ? 0.52 : 0.01, 0); /* blocks: their thirds, fifths and sevenths were rounded once already */
}

/* Blocks at the edge of a texture whose sides are no multiples of four. */
static void block_edge(struct gold *g, int f)
{
    u8 data[4 * 4 * 16 * 2];
    noise(g, data, sizeof(data));
    begin(g, N, N);
    addresses(g, 2, 2);
    gold_texture(g, 0, (u32)f, 13, 11, 1, 1, data, format_bytes((u32)f, 13, 11));
    spread(g, -0.25f, -0.25f, 1.5f, 1.25f);
    gold_show(g, 0.52, 0);
}

/* BC1 blocks of which one half has the order of endpoints that means transparent black. */
static void block_punch_through(struct gold *g, int arg)
{
    u8 data[16 * 16 * 8];
    (void)arg;
    noise(g, data, sizeof(data));
    for (u32 k = 0; k < 256; k++) {
        u16 a = ld16(data + 8 * k), b = ld16(data + 8 * k + 2);
        if (k % 3 == 2) b = a;
        st16(data + 8 * k, k & 1 ? MAX(a, b) : MIN(a, b));
        st16(data + 8 * k + 2, k & 1 ? MIN(a, b) : MAX(a, b));
    }
    begin(g, N, N);
    gold_clear(g, 1, 0, 1, 0, 1, 0, 0);
    gold_state(g, 27, 1);
    gold_state(g, 19, 5);
    gold_state(g, 20, 6);
    gold_texture(g, 0, AGPU_FMT_BC1, N, N, 1, 1, data, sizeof(data));
    spread(g, 0, 0, 1, 1);
    gold_show(g, 0.52, 0);
}

/* ---- addressing ---- */

static void address(struct gold *g, int mode)
{
    u32 data[4 * 4];
    for (u32 k = 0; k < 16; k++) data[k] = 0xff000000 | (k % 4 * 80) << 16 | (k / 4 * 80) << 8 | (k & 1 ? 0xff : 0);
    begin(g, N, N);
    gold_sampler(g, 0, 4, 0x80ff8020);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 4, 4, 1, 1, data, sizeof(data));
    addresses(g, (u32)mode & 15, (u32)mode >> 4 & 15);
    if (mode >> 8) filters(g, 2, 2, 0);
    spread(g, -1.53f, -1.27f, 2.41f, 2.62f);
    gold_show(g, 0.02, 4);
}

/* ---- filters ---- */

static void chess(u32 *out, u32 size, u32 a, u32 b)
{
    for (u32 k = 0; k < size * size; k++) out[k] = (k % size ^ k / size) & 1 ? a : b;
}

/* 16, 8, 4, 2, 1: each level in its own colours. */
static u32 pyramid(u32 *out)
{
    static const u32 colors[5][2] = { { 0xff402020, 0xffff8080 }, { 0xff204020, 0xff80ff80 }, { 0xff202040, 0xff8080ff }, { 0xff404020, 0xffffff80 }, { 0xffff00ff, 0 } };
    u32 at = 0;
    for (u32 m = 0; m < 5; m++) {
        chess(out + at, 16u >> m, colors[m][1], colors[m][0]);
        at += (16u >> m) * (16u >> m);
    }
    return at * 4;
}

/* A floor that goes to the horizon, so that all levels are used. */
static void floor_draw(struct gold *g)
{
    struct vx v[4];
    for (int k = 0; k < 4; k++) {
        float w = k & 2 ? 1 : 24;
        v[k] = gold_vertex(g, k & 1 ? (k & 2 ? 96 : 40) : (k & 2 ? -32 : 24), k & 2 ? 64 : 6, 0.5f, w, 0xffffffff);
        v[k].uv[0] = k & 1 ? 3.1f : 0.1f;
        v[k].uv[1] = k & 2 ? 1.07f : 9.13f;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
}

static void mips(struct gold *g, int filter)
{
    u32 data[400], size = pyramid(data);
    begin(g, N, N);
    gold_clear(g, 1, 0, 0, 0, 1, 0, 0);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 16, 16, 5, 1, data, size);
    filters(g, (u32)filter & 15, (u32)filter >> 4 & 15, (u32)filter >> 8);
    floor_draw(g);
    gold_show(g, 0.5, 12);
}

static void lod_bias(struct gold *g, int quarters)
{
    u32 data[400], size = pyramid(data);
    begin(g, N, N);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 16, 16, 5, 1, data, size);
    filters(g, 2, 2, 2);
    gold_sampler(g, 0, 8, gold_float((float)quarters / 4));
    floor_draw(g);
    gold_show(g, 0.5, 4);
}

static void max_mip(struct gold *g, int level)
{
    u32 data[400], size = pyramid(data);
    begin(g, N, N);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 16, 16, 5, 1, data, size);
    filters(g, 1, 1, (u32)level & 15);
    gold_sampler(g, 0, 9, (u32)level >> 4);
    floor_draw(g);
    gold_show(g, 0.5, 12);
}

/* Sizes that are no powers of two, mips of which are rounded down. */
static void npot(struct gold *g, int filter)
{
    u8 data[4 * (29 * 13 + 14 * 6 + 7 * 3 + 3 + 1)];
    noise(g, data, sizeof(data));
    begin(g, N, N);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 29, 13, 5, 1, data, sizeof(data));
    filters(g, 2, 2, (u32)filter);
    spread(g, -0.2f, -0.3f, 5.3f, 9.1f);
    gold_show(g, 0.5, 4);
}

static void magnify(struct gold *g, int arg)
{
    u32 data[9] = { 0xff0000ff, 0xff00ff00, 0xffff0000, 0x80ffffff, 0, 0xff808080, 0xffffff00, 0x40ff00ff, 0xff00ffff };
    (void)arg;
    begin(g, N, N);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 3, 3, 1, 1, data, sizeof(data));
    filters(g, 2, 2, 0);
    addresses(g, 3, 3);
    spread(g, 0, 0, 1, 1);
    gold_show(g, 0.01, 0);
}

/* A picture at half its size, as thumbnails are drawn: each pixel the mean of four texels. */
static void minify(struct gold *g, int arg)
{
    u32 data[N * N];
    (void)arg;
    noise(g, (u8 *)data, sizeof(data));
    begin(g, 32, 32);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, N, N, 1, 1, data, sizeof(data));
    filters(g, 2, 2, 0);
    spread(g, 0, 0, 1, 1);
    gold_show(g, 0.01, 0);
}

static void srgb(struct gold *g, int f)
{
    u8 data[8 * 8 * 4];
    noise(g, data, sizeof(data));
    begin(g, N, N);
    gold_texture(g, 0, (u32)f, 8, 8, 1, 1, data, format_bytes((u32)f, 8, 8));
    gold_sampler(g, 0, 11, 1);
    filters(g, 2, 2, 0);
    spread(g, 0.1f, 0.1f, 0.9f, 0.9f); /* texels are decoded before they are filtered */
    gold_show(g, f >= 64 ? 2.5 : 0.02, 0);
}

/* ---- cubes ---- */

static void cube_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    ref_sample(f, 0, 1, false, 0, f->color[0]);
}

/* Directions over the whole sphere: longitude over x, latitude over y, by triangles. */
static void cube(struct gold *g, int filter)
{
    enum { FACE = 4, COLUMNS = 16, ROWS = 8 };
    u32 data[6 * FACE * FACE];
    for (u32 k = 0; k < LEN(data); k++) {
        u32 face = k / (FACE * FACE), x = k % FACE, y = k / FACE % FACE;
        data[k] = 0xff000000 | (face & 1 ? 0xff : 0x60) << 8 * (face / 2) | (x * 60) << 8 * ((face / 2 + 1) % 3) | (y * 60) << 8 * ((face / 2 + 2) % 3);
    }
    gold_target(g, AGPU_FMT_B8G8R8A8, 128, 64, 0);
    gold_program(g, NULL, "ps_2_0\ndcl t0.xyz\ndcl_cube s0\ntexld r0, t0, s0\nmov oC0, r0", cube_shade, NULL);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, FACE, FACE, 1, 6, data, sizeof(data));
    g->ref.cube[0] = true;
    filters(g, (u32)filter, (u32)filter, 0);
    for (int row = 0; row < ROWS; row++) {
        struct vx v[2 * (COLUMNS + 1)];
        for (int k = 0; k < 2 * (COLUMNS + 1); k++) {
            int column = k / 2, r = row + (k & 1);
            float lon = (float)column * 6.2831853f / COLUMNS + 0.123f, lat = ((float)r / ROWS - 0.5f) * 3.1f;
            v[k] = gold_vertex(g, (float)column * 8, (float)r * 8, 0, 1, 0);
            const double to[3] = { cos(lat) * sin(lon), -sin(lat), cos(lat) * cos(lon) };
            for (int c = 0; c < 3; c++) v[k].uv[c] = (float)(rint(to[c] * 4096) / 4096); /* whatever the C library's last bits are */
        }
        gold_draw(g, AGPU_TOPO_STRIP, v, 2 * (COLUMNS + 1));
    }
    gold_show(g, 0.1, 3);
}

/* ---- instructions ---- */

static void texldp_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    ref_sample(f, 0, 1, true, 0, f->color[0]);
}

static void texldp(struct gold *g, int arg)
{
    u32 data[400], size = pyramid(data);
    struct vx v[4];
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, NULL, "ps_2_0\ndcl t0\ndcl_2d s0\ntexldp r0, t0, s0\nmov oC0, r0", texldp_shade, NULL);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 16, 16, 5, 1, data, size);
    filters(g, 2, 2, 2);
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? 64 : 0, k & 2 ? 64 : 0, 0, 1, 0);
        v[k].uv[3] = k & 2 ? 1 : 5; /* not the vertex's own w */
        v[k].uv[0] = (k & 1 ? 1.9f : 0.1f) * v[k].uv[3];
        v[k].uv[1] = k & 2 ? 2.3f : 0.4f;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.5, 3);
}

static void texldb_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    ref_sample(f, 0, 1, false, f->attr[1][3], f->color[0]);
}

static void texldl_shade(struct ref_fragment *f, const void *user)
{
    (void)user;
    ref_sample_lod(f, 0, f->attr[1], f->attr[1][3], f->color[0]);
}

static void texldd_shade(struct ref_fragment *f, const void *user)
{
    const double dx[2] = { 0.25 * f->attr[1][3], 0 }, dy[2] = { 0, 0.0625 };
    (void)user;
    ref_sample_lod(f, 0, f->attr[1], ref_lod(f->r->texture[0], dx, dy), f->color[0]);
}

/* The fourth coordinate runs from -1 to 5 over the picture: a bias, a level, or a derivative. */
static void explicit_lod(struct gold *g, int which)
{
    static const char vs3[] = "vs_3_0\ndcl_position v0\ndcl_texcoord v2\ndcl_position o0\ndcl_texcoord o1\nmov o0, v0\nmov o1, v2";
    static const char *const ps[] = { "ps_2_0\ndcl t0\ndcl_2d s0\ntexldb r0, t0, s0\nmov oC0, r0",
                                      "ps_3_0\ndcl_texcoord v0\ndcl_2d s0\ntexldl r0, v0, s0\nmov oC0, r0",
                                      ("ps_3_0\ndcl_texcoord v0\ndcl_2d s0\ndef c0, 0.25, 0, 0.0625, 0\nmul r1.x, v0.w, c0.x\nmov r1.y, c0.y\nmov r2.xy, c0.yzzz\n"
                                       "texldd r0, v0, s0, r1, r2\nmov oC0, r0") };
    static ref_shader *const twins[] = { texldb_shade, texldl_shade, texldd_shade };
    u32 data[400], size = pyramid(data);
    struct vx v[4];
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, which ? vs3 : NULL, ps[which], twins[which], NULL);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 16, 16, 5, 1, data, size);
    filters(g, 2, 2, 2);
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? 64 : 0, k & 2 ? 64 : 0, 0, 1, 0);
        v[k].uv[0] = k & 1 ? 1.5f : 0.1f;
        v[k].uv[1] = k & 2 ? 1.3f : 0.2f;
        v[k].uv[3] = k & 1 ? 5 : -1;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.5, 3);
}

/* Slot 0 has nothing bound: white, so that fills through the driver's copy shader keep their colour. */
static void unbound(struct gold *g, int arg)
{
    (void)arg;
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, NULL, ps_modulated, ref_modulated, NULL);
    gold_rectangle(g, 8, 8, 56, 40, 0, 0xc0406080);
    gold_show(g, 0.001, 0);
}

/* Two textures of different sizes, sampled with their own states. */
static void two_shade(struct ref_fragment *f, const void *user)
{
    double b[4];
    (void)user;
    ref_sample(f, 0, 1, false, 0, f->color[0]);
    ref_sample(f, 3, 2, false, 0, b);
    for (int c = 0; c < 4; c++) f->color[0][c] = f->color[0][c] * 0.5 + b[c] * 0.5;
}

static void two(struct gold *g, int arg)
{
    u32 a[8 * 8], b[16 * 16];
    struct vx v[4];
    (void)arg;
    noise(g, (u8 *)a, sizeof(a));
    chess(b, 16, 0xffffffff, 0xff000000);
    gold_target(g, AGPU_FMT_B8G8R8A8, N, N, 0);
    gold_program(g, NULL, "ps_2_0\ndcl t0\ndcl t1\ndcl_2d s0\ndcl_2d s3\ndef c0, 0.5, 0.5, 0.5, 0.5\ntexld r0, t0, s0\ntexld r1, t1, s3\nlrp r2, c0, r0, r1\nmov oC0, r2", two_shade, NULL);
    gold_texture(g, 0, AGPU_FMT_B8G8R8A8, 8, 8, 1, 1, a, sizeof(a));
    gold_texture(g, 3, AGPU_FMT_R8G8B8A8, 16, 16, 1, 1, b, sizeof(b));
    filters(g, 2, 2, 0);
    for (int k = 0; k < 4; k++) {
        v[k] = gold_vertex(g, k & 1 ? 64 : 0, k & 2 ? 64 : 0, 0, 1, 0);
        v[k].uv[0] = (float)(k & 1);
        v[k].uv[1] = (float)(k >> 1);
        v[k].more[0] = k & 1 ? 2.03f : -0.51f;
        v[k].more[1] = k & 2 ? 1.03f : 0.01f;
    }
    gold_draw(g, AGPU_TOPO_STRIP, v, 4);
    gold_show(g, 0.02, 4);
}

#define FILTER(mag, min, mip) ((mag) | (min) << 4 | (mip) << 8)
#define LINEAR 0x100

const struct golden_case golden_sampling[] = {
    { "l2_format_bgra", format, AGPU_FMT_B8G8R8A8, EXACT },
    { "l2_format_bgrx", format, AGPU_FMT_B8G8R8X8, EXACT },
    { "l2_format_rgba", format, AGPU_FMT_R8G8B8A8, EXACT },
    { "l2_format_rgbx", format, AGPU_FMT_R8G8B8X8, EXACT },
    { "l2_format_565", format, AGPU_FMT_B5G6R5, FORMULA },
    { "l2_format_5551", format, AGPU_FMT_B5G5R5A1, FORMULA },
    { "l2_format_bgra_srgb", format, AGPU_FMT_B8G8R8A8_SRGB, FORMULA },
    { "l2_format_bgrx_srgb", format, AGPU_FMT_B8G8R8X8_SRGB, FORMULA },
    { "l2_format_rgba_srgb", format, AGPU_FMT_R8G8B8A8_SRGB, FORMULA },
    { "l2_format_rgbx_srgb", format, AGPU_FMT_R8G8B8X8_SRGB, FORMULA },
    { "l2_format_bc1", format, AGPU_FMT_BC1, FORMULA },
    { "l2_format_bc2", format, AGPU_FMT_BC2, FORMULA },
    { "l2_format_bc3", format, AGPU_FMT_BC3, FORMULA },
    { "l2_format_bc1_edge", block_edge, AGPU_FMT_BC1, FORMULA },
    { "l2_format_bc3_edge", block_edge, AGPU_FMT_BC3, FORMULA },
    { "l2_format_bc1_transparent", block_punch_through, 0, FORMULA },
    { "l2_address_wrap", address, 0x11, FORMULA },
    { "l2_address_mirror", address, 0x22, FORMULA },
    { "l2_address_clamp", address, 0x33, FORMULA },
    { "l2_address_border", address, 0x44, FORMULA },
    { "l2_address_mirror_once", address, 0x55, FORMULA },
    { "l2_address_mixed", address, 0x31, FORMULA },
    { "l2_address_wrap_linear", address, 0x11 | LINEAR, FORMULA },
    { "l2_address_mirror_linear", address, 0x22 | LINEAR, FORMULA },
    { "l2_address_clamp_linear", address, 0x33 | LINEAR, FORMULA },
    { "l2_address_border_linear", address, 0x44 | LINEAR, FORMULA },
    { "l2_address_mirror_once_linear", address, 0x55 | LINEAR, FORMULA },
    { "l2_mip_none_point", mips, FILTER(1, 1, 0), FORMULA },
    { "l2_mip_point_point", mips, FILTER(1, 1, 1), FORMULA },
    { "l2_mip_point_linear", mips, FILTER(2, 2, 1), FORMULA },
    { "l2_mip_linear_point", mips, FILTER(1, 1, 2), FORMULA },
    { "l2_mip_linear_linear", mips, FILTER(2, 2, 2), FORMULA },
    { "l2_mip_mag_point_min_linear", mips, FILTER(1, 2, 0), FORMULA },
    { "l2_mip_mag_linear_min_point", mips, FILTER(2, 1, 1), FORMULA },
    { "l2_lod_bias_up", lod_bias, 5, FORMULA },
    { "l2_lod_bias_down", lod_bias, -6, FORMULA },
    { "l2_max_mip_1", max_mip, 0x11, FORMULA },
    { "l2_max_mip_2_linear", max_mip, 0x22, FORMULA },
    { "l2_max_mip_3_none", max_mip, 0x30, FORMULA },
    { "l2_npot", npot, 0, FORMULA },
    { "l2_npot_mips", npot, 2, FORMULA },
    { "l2_magnify", magnify, 0, FORMULA },
    { "l2_minify_half", minify, 0, FORMULA },
    { "l2_srgb_texture", srgb, AGPU_FMT_B8G8R8A8, FORMULA },
    { "l2_srgb_texture_bc1", srgb, AGPU_FMT_BC1, FORMULA },
    { "l2_cube_point", cube, 1, FORMULA },
    { "l2_cube_linear", cube, 2, FORMULA },
    { "l2_texldp", texldp, 0, FORMULA },
    { "l2_texldb", explicit_lod, 0, FORMULA },
    { "l2_texldl", explicit_lod, 1, FORMULA },
    { "l2_texldd", explicit_lod, 2, FORMULA },
    { "l2_texture_unbound", unbound, 0, EXACT },
    { "l2_textures_two", two, 0, FORMULA },
    { NULL, NULL, 0, NULL },
};
