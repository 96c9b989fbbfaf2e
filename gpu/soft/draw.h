/* One draw: what the state comes to, worked out before the first vertex. Shared by setup*.c (from
 * state to draw), textures.c (what is sampled), draw.c (assembly), vertex.c and ilay.c (fetch),
 * raster.c (clipping, triangles, lines, points), shade.c (pixel batches, depth, blending),
 * sampler.c and fetch.c (texels). */
#ifndef GPU_SOFT_DRAW_H
#define GPU_SOFT_DRAW_H

#include "gpu/shader/run.h"
#include "gpu/soft/soft.h"

struct canvas;

enum {
    DRAW_ATTRIBUTES = 16,
    BATCH_VERTICES = 64,
    BATCH_PRIMITIVES = 128,
    SHADER_UNITS = 128, /* pairs of texture and sampler in one program */
    DRAW_CLIPS = 8      /* SV_ClipDistance and SV_CullDistance components together */
};

/* ---- shaders as objects keep them (blob.compiled) ---- */
/* Programs name a texture and a sampler. What samples is a unit: one of each. The `tex.resource` of
 * a compiled program's instructions is the number of a unit (of a D3D9 program: still s#). */
enum { UNIT_NO_SAMPLER = 0xff };
struct shader_unit {
    u8 resource, sampler; /* t#, s#; UNIT_NO_SAMPLER: only loaded from */
    u8 kind;              /* ir_program.texture_kind */
    bool used;            /* D3D9's numbers have gaps */
};
struct shader {
    struct ir_program *program;
    struct ir_state *state; /* a plan: registers are made like it */
    struct shader_unit units[SHADER_UNITS];
    u32 unit_count;
};

/* ---- vertex input ---- */
struct element {    /* one attribute of a vertex */
    u8 slot, input; /* vertex buffer, program input */
    u8 type;        /* below 32: of a D3D9 declaration; from 32 on: ilay.c's */
    bool instanced;
    u32 offset, step_rate;
};
struct vertex_stream { /* a vertex buffer as bound */
    const u8 *data;
    u64 size;
    u32 stride, offset;
};

/* ---- after the vertex shader ---- */
struct vertex {
    float pos[4]; /* clip space */
    float attr[DRAW_ATTRIBUTES][4];
    float psize;
};

struct link {         /* a pixel shader input */
    u8 input;         /* its register */
    u8 attribute;     /* of struct vertex */
    u8 interpolation; /* ir_interpolation */
};

struct target {
    struct resource *r;
    const struct format *f;
    struct subresource sub;
    u32 mip, layer, format;
    u8 mask; /* channels to write: R, G, B, A */
    bool srgb;
};

struct stencil_face {
    u8 func, fail, zfail, pass; /* agpu_compare; D3DSTENCILOP 1 to 8 */
};

/* Blend factors of both interfaces in one list */
enum factor {
    FACTOR_ZERO,
    FACTOR_ONE,
    FACTOR_SRC_COLOR,
    FACTOR_INV_SRC_COLOR,
    FACTOR_SRC_ALPHA,
    FACTOR_INV_SRC_ALPHA,
    FACTOR_DEST_ALPHA,
    FACTOR_INV_DEST_ALPHA,
    FACTOR_DEST_COLOR,
    FACTOR_INV_DEST_COLOR,
    FACTOR_SRC_ALPHA_SAT,
    FACTOR_CONSTANT,
    FACTOR_INV_CONSTANT,
};
struct blend {
    bool on;
    u8 src, dst, op, src_alpha, dst_alpha, op_alpha; /* enum factor, agpu_blend_op */
    float constant[4];
};

enum {
    FOG_INPUT = IR_MAX_INPUTS - 1
};           /* of pixel shaders below 3.0, which have no such register */
struct fog { /* Direct3D 9's; behind the pixel shader, before the alpha test */
    bool on;
    u8 mode; /* D3DFOGMODE: 0 by the vertex shader's factor, in input FOG_INPUT; else by depth */
    float color[3], start, end, density;
};

struct texture_unit {
    struct resource *r; /* NULL: nothing bound, `unbound` is read */
    const struct format *f;
    const u8 *data; /* of the texture, or of its decompressed copy */
    u64 layer_size;
    u32 base_mip, mips, base_layer, layers;
    u8 address[3];    /* D3DTEXTUREADDRESS: 1 wrap, 2 mirror, 3 clamp, 4 border, 5 mirror once */
    u8 mag, min, mip; /* D3DTEXF: 0 none, 1 point, 2 linear */
    bool srgb, cube;
    bool array; /* the coordinate after the last names a layer */
    bool red;   /* of a depth format red alone is depth: D3D10/11 */
    float unbound[4];
    u32 elements; /* of a buffer: 16 bytes each at data; r is the buffer */
    float bias, border[4];
    u32 max_mip; /* first mip that may be used */
    struct subresource sub[15];
};

struct draw {
    struct exec *x;
    struct context *c;
    const struct ir_program *vs, *ps; /* ps may be NULL: depth only */
    struct ir_state *vs_state, *ps_state;
    struct ir_env vs_env, ps_env;
    i64 *budget;
    bool d3d9;
    /* input */
    bool strip_cut; /* an index of all ones starts a new strip */
    struct element elements[ACMD_VERTEX_BUFFERS];
    u32 element_count;
    struct vertex_stream streams[ACMD_VERTEX_BUFFERS];
    u32 instance, first_instance;
    /* linkage */
    struct link links[DRAW_ATTRIBUTES];
    /* by attribute and component: 4 * vertex shader output + its component; FFh: reads 0 */
    u8 attribute_from[DRAW_ATTRIBUTES][4];
    bool clamp_attribute[DRAW_ATTRIBUTES];
    u32 link_count, position_output, psize_output;
    u32 attribute_count; /* link_count, and those that only clipping looks at */
    struct clip {
        u8 attribute, component;
    } clips[DRAW_CLIPS]; /* clip_count clip distances, then cull_count cull distances */
    u32 clip_count, cull_count;
    /* viewport and clipping */
    float vp_x, vp_y, vp_w, vp_h, z_min, z_max, shift;
    float guard_x, guard_y; /* |x| and |y| beyond these times w are clipped */
    i32 x0, y0, x1, y1;     /* pixels that may be written */
    bool depth_clip;
    /* rasterizer */
    bool front_ccw, cull_front, cull_back, wireframe, point_sprite;
    float depth_bias, slope_bias, point_size, point_min, point_max;
    i32 depth_bias_steps; /* D3D10/11: in least steps of the depth format */
    /* output */
    struct target target[ACMD_TARGETS], depth;
    u32 target_count; /* highest bound one + 1 */
    bool depth_test, depth_write, stencil_test, two_sided;
    u8 depth_func, stencil_ref, stencil_mask, stencil_write;
    struct stencil_face face[2]; /* clockwise, counter-clockwise */
    bool alpha_test;
    u8 alpha_func, alpha_ref;
    bool sample_mask;
    struct fog fog;
    struct blend blend;
    struct texture_unit *textures, *vertex_textures; /* SHADER_UNITS each */
    u32 unit_count;                                  /* of textures: those the draw may sample */
    struct box touched;                              /* pixels written so far */
    u32 primitive_id;                                /* of the primitive that is rasterised */
    struct canvas *canvas;
    bool feedback;    /* a target is sampled, too: triangle by triangle */
    bool needs_depth; /* of pixels, for whatever */
};

/* vertex.c */
bool vertex_layout(struct draw *d, const struct blob *layout);
float vertex_half(u16 h);
void vertex_fetch(struct draw *d, const u32 *ids, u32 count); /* into vs_state->inputs */
/* raster.c: window positions are made here */
void raster_triangle(struct draw *d, const struct vertex *a, const struct vertex *b,
                     const struct vertex *c);
void raster_line(struct draw *d, const struct vertex *a, const struct vertex *b);
void raster_point(struct draw *d, const struct vertex *a);

/* A triangle, line or point as the pixels need it. A value at a pixel is v[0] + b1 * v[1] + b2 *
 * v[2]: that of the first vertex, and the differences of the second and third one to it. */
struct setup {
    /* triangles: edge k, opposite of vertex k, at the centre of pixel (x, y) is a * x + b * y + c:
     * exact integers; at least `open` inside */
    i64 a[3], b[3], c[3];
    u8 open[3];          /* 0, or 1 for edges whose pixels belong to the neighbour */
    double scale;        /* 1 / area */
    double weight[2][3]; /* a, b, c of edges 1 and 2: their values times scale are the weights of
                            vertices 1 and 2 */
    i32 x0, y0, x1, y1;  /* pixels that it may cover */
    float oow[3], z[3];  /* 1 / w, depth */
    float bias;          /* added to depth */
    u32 primitive;
    u8 facing; /* 0 clockwise, 1 counter-clockwise */
    bool front;
    bool fast;            /* goes the short way (fast.h): */
    i32 texel_x, texel_y; /* pixel (x, y) is texel (x + texel_x, y + texel_y) */
    float color[4];
    bool sprite; /* attributes that are texture coordinates come from the pixel's place in the point
                  */
    float attr[DRAW_ATTRIBUTES][4][3]; /* linear ones already times 1 / w; link_count of them */
};

/* ---- pixels: shade.c ---- */

struct pixels { /* up to 16 quads; those of one pixel are in the order of their primitives */
    const struct setup *setup[LANES / 4];
    i32 x[LANES / 4], y[LANES / 4]; /* upper left pixels, even */
    u32 quads;
    bool mixed;    /* of several primitives */
    bool weighted; /* b1 and b2 are given: lines and points */
    u64 covered;
    float b1[LANES] __attribute__((aligned(64)));
    float b2[LANES] __attribute__((aligned(64))); /* weights of the second and third vertex */
    float sx[LANES], sy[LANES];                   /* place in a point sprite, 0..1 */
    float z[LANES] __attribute__((aligned(64)));
};

struct pixel_ops;
struct painter { /* what one thread needs to draw pixels */
    const struct draw *d;
    const struct pixel_ops *ops;
    struct ir_state *state; /* of the pixel shader */
    struct ir_env env;
    i64 *budget;        /* that env has, too */
    struct box touched; /* pixels that it wrote */
    struct pixels pixels;
};

/* Pixel work on batches: in plain C, and compiled for SSE2 and AVX2 (pixel_vec.c, sampler_vec.c),
 * equal in every bit. */
struct pixel_ops {
    void (*weights)(
        struct painter *p);            /* b1 and b2 unless they are given, z when it is looked at */
    void (*inputs)(struct painter *p); /* of the pixel shader, its special ones included */
    void (*write)(const struct painter *p, const struct target *t, u64 lanes,
                  const struct lanes *color);
    void (*sample)(void *opaque, const struct ir_texture_query *q, struct lanes *result);
};
extern const struct pixel_ops pixel_ops_plain;
extern const struct pixel_ops pixel_ops_sse2, pixel_ops_avx2;

void shade(struct painter *p); /* its batch, and empties it */
/* Pieces in plain C that the vector forms use for what they do not know. */
void shade_write(const struct painter *p, const struct target *t, u64 lanes,
                 const struct lanes *color);
void shade_sprites(struct painter *p);
void shade_special(struct painter *p);
u32 stored_mask(const struct format *f, u8 mask); /* bits of the stored form that may change */
static inline u8 *target_pixel(const struct target *t, i32 x, i32 y)
{
    return t->r->data + t->sub.offset + (u64)y * t->sub.pitch + (u64)x * t->f->bytes;
}
/* Room for one quad at (x, y), both even; returns its first lane. */
static inline u32 next_quad(struct painter *p, const struct setup *s, i32 x, i32 y)
{
    if (p->pixels.quads == LANES / 4) shade(p);
    struct pixels *q = &p->pixels;
    u32 n = q->quads++;
    q->setup[n] = s;
    q->x[n] = x;
    q->y[n] = y;
    q->mixed |= n && s != q->setup[0];
    return n * 4;
}

/* ---- tile.c: triangles are collected and drawn tile by tile ---- */
struct canvas *canvas_create(const struct exec_tuning *tuning);
void canvas_free(struct canvas *c);
void canvas_begin(struct canvas *c, struct draw *d); /* a draw; d->canvas is c from now on */
struct setup *canvas_triangle(struct canvas *c);  /* room for one, drawn at the end of the draw, */
void canvas_add(struct canvas *c);                /* once it is filled in */
struct painter *canvas_painter(struct canvas *c); /* for lines and points, drawn at once */
void canvas_end(struct canvas *c);                /* everything is drawn, d->touched is right */

/* textures.c */
void textures_setup(struct draw *d, const struct shader *vs, const struct shader *ps);
/* fetch.c: what needs no filter, comparisons, and units without a texture; false: none of these. */
bool texture_fetch(const struct texture_unit *u, const struct ir_texture_query *q,
                   struct lanes *result);
/* fog.c: all lanes; z: window depth */
void fog_apply(const struct fog *g, const float *z, const struct lanes *factor,
               struct lanes *color);
/* sampler.c */
void sampler_run(void *opaque, const struct ir_texture_query *q,
                 struct lanes *result); /* opaque: the texture units */
void sampler_run_sse2(void *opaque, const struct ir_texture_query *q, struct lanes *result);
void sampler_run_avx2(void *opaque, const struct ir_texture_query *q, struct lanes *result);
/* Pieces for sampler_vec.c: the texel that index i of n addresses; levels of detail of the active
 * lanes' quads; lanes from `first` to `end` - 1, as far as they are active, of a 2D texture. */
i32 sampler_address(i32 i, i32 n, u8 mode);
void sampler_lods(const struct texture_unit *u, const struct ir_texture_query *q, float *lod);
void sampler_lanes(const struct texture_unit *u, const struct ir_texture_query *q, const float *lod,
                   u32 first, u32 end, struct lanes *result);

#endif
