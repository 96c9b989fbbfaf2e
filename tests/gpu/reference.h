/* A second renderer, for judging the first: double precision, brute force over all pixels of the
 * target, one formula after the other as the executor's document writes them, and no line shared
 * with gpu/. It knows the rasteriser (snapped triangles with the top-left rule by integer edge
 * tests, lines by the diamond-exit rule, points), clipping (by testing pixels, not by cutting
 * polygons), perspective, depth, stencil, alpha test, blending, write masks, sampling and formats.
 * Shaders are C functions that a case writes beside the shader's text.
 *
 * Where float32 and double may fall on different sides of a decision (a sample at a texel's border,
 * a depth next to the stored one, an edge that was cut) the pixel is marked unsure and not judged;
 * the caller limits how many there may be. Colours are kept unrounded: a stored code is right when
 * it is within half a code plus the case's tolerance of the exact value. */
#ifndef TESTS_GPU_REFERENCE_H
#define TESTS_GPU_REFERENCE_H

#include "machine/core/types.h"

enum { REF_ATTRS = 4, REF_TARGETS = 4, REF_TEXTURES = 8 };

/* ---- textures ---- */
struct ref_texture { /* decoded: mips of layer 0, then of layer 1, ... */
    int width, height, mips, layers;
    double (*texels)[4]; /* unorm as fractions; not decoded from sRGB */
    bool srgb;           /* the format says so */
};
/* data: the linear layout of the command stream's section 5; pitch: of mip 0, 0 for tight */
void ref_texture_load(struct ref_texture *t, u32 format, int width, int height, int mips,
                      int layers, u32 pitch, const u8 *data);
void ref_texture_free(struct ref_texture *t);

/* ---- surfaces ---- */
struct ref_surface {
    u32 format; /* 0: none */
    int width, height;
    double (*exact)[4]; /* colour, in codes (0..255, 0..31, ...), unrounded */
    double *z;          /* depth, unrounded */
    u8 *stencil, *unsure;
};
void ref_surface_init(struct ref_surface *s, u32 format, int width, int height);
void ref_surface_free(struct ref_surface *s);
/* Takes stored texels (tight rows) as the content; all are sure. */
void ref_surface_load(struct ref_surface *s, const u8 *texels);

struct ref_verdict {
    int wrong, unsure; /* pixels */
    int x, y;          /* the first wrong one */
    u32 got, want;     /* as stored */
    double worst;      /* largest distance from the exact value, in codes */
};
/* texels: tight rows as the executor left them. eps: codes beyond half a code. */
void ref_compare(const struct ref_surface *s, const u8 *texels, double eps, struct ref_verdict *v);
/* The stored form of the reference's picture: tight rows. */
void ref_surface_store(const struct ref_surface *s, u8 *texels);

/* ---- drawing ---- */
struct ref_vertex {
    double pos[4], attr[REF_ATTRS][4];
    double size; /* of points; 0: the state's */
};
struct ref;
struct ref_fragment {
    const struct ref *r;
    int x, y;
    bool front;   /* the triangle is clockwise on the screen */
    double z, w;  /* w: of clip space */
    double attr[REF_ATTRS][4];
    double color[REF_TARGETS][4]; /* results */
    double depth;                 /* with writes_depth */
    bool kill, unsure;
    const struct ref_plane *plane; /* for ref_attr() */
};
typedef void ref_shader(struct ref_fragment *f, const void *user);

enum ref_interpolation { REF_LINEAR, REF_FLAT, REF_SCREEN };

struct ref_blend {
    bool on;
    int src, dst, op, src_alpha, dst_alpha, op_alpha; /* D3DBLEND and D3DBLENDOP numbers */
    double constant[4];
};
struct ref_face {
    int func, fail, zfail, pass; /* 0 never to 7 always; D3DSTENCILOP numbers */
};
/* What a draw is made with; derived from Direct3D 9 states by ref_state9(), or set by hand. */
struct ref_state {
    bool depth_test, depth_write, stencil_test, two_sided, alpha_test, scissor, wireframe;
    bool srgb_write, depth_clip_off, sprites, no_write;
    int depth_func, alpha_func, alpha_ref, cull; /* cull: 1 none, 2 clockwise, 3 the others */
    int stencil_ref, stencil_mask, stencil_write;
    struct ref_face face[2];
    struct ref_blend blend;
    int mask[REF_TARGETS];
    double bias, slope_bias, point_size, point_min, point_max;
};
struct ref {
    struct ref_surface color[REF_TARGETS], depth;
    bool viewport_set, scissor_set;
    double viewport[6]; /* x, y, width, height, min and max depth */
    int scissor[4];     /* x, y, width, height */
    u32 rs[256], ss[REF_TEXTURES][16]; /* Direct3D 9 states, their defaults at first */
    struct ref_state state;
    struct ref_texture *texture[REF_TEXTURES]; /* not owned */
    bool cube[REF_TEXTURES], array[REF_TEXTURES]; /* array: the third coordinate is the layer */
    int attrs;
    enum ref_interpolation interpolation[REF_ATTRS];
    bool saturate[REF_ATTRS]; /* vertex colours of shader models below 3 */
    bool sprite[REF_ATTRS];   /* replaced in point sprites */
    double shift;             /* 1/2 where Direct3D 9's pixel centres count */
    bool d3d10, writes_depth, outputs[REF_TARGETS];
    bool loose; /* corners are computed: pixels beside edges may fall on either side */
};
void ref_init(struct ref *r);
void ref_free(struct ref *r);
void ref_state9(struct ref *r);
void ref_clear(struct ref *r, u32 flags, const float color[4], double depth, u32 stencil);
/* indices NULL: 0, 1, 2, ...; topology as in the packets; a cut index restarts strips when `cut`
 * is not 0 */
void ref_draw(struct ref *r, int topology, const struct ref_vertex *v, const u32 *indices, int count,
              u32 cut, ref_shader *shade, const void *user);

/* ---- for shader functions ---- */
/* Attribute n at the centre of pixel (x, y), inside the primitive or not. */
void ref_attr(const struct ref_fragment *f, int n, int x, int y, double out[4]);
/* The texture at slot with implicit derivatives of attribute n; projected: divided by w first;
 * bias: added to the level. */
void ref_sample(struct ref_fragment *f, int slot, int n, bool projected, double bias, double out[4]);
/* With a level of detail, or derivatives in texture coordinates. */
void ref_sample_lod(struct ref_fragment *f, int slot, const double uvw[3], double lod, double out[4]);
double ref_lod(const struct ref_texture *t, const double dx[2], const double dy[2]);

double ref_srgb_decode(double s);
double ref_srgb_encode(double l);
static inline double ref_clamp(double v, double lo, double hi)
{
    return v > lo ? (v < hi ? v : hi) : lo;
}

#endif
