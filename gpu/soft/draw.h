/* One draw: what the state comes to, worked out before the first vertex. Shared by setup*.c (from
 * state to draw), textures.c (what is sampled), draw.c (assembly), vertex.c and ilay.c (fetch),
 * raster.c (clipping, triangles, lines, points), shade.c (pixel batches, depth, blending),
 * sampler.c and fetch.c (texels). */
#ifndef GPU_SOFT_DRAW_H
#define GPU_SOFT_DRAW_H

#include "gpu/shader/run.h"
#include "gpu/soft/soft.h"

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
    struct ir_state *state;
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
    struct box touched;                              /* pixels written so far */
    u32 primitive_id;                                /* of the primitive that is rasterised */
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
/* shade.c */
struct setup {    /* a triangle, line or point as the pixels need it */
    float oow[3]; /* 1 / w */
    float z[3];
    float attr[DRAW_ATTRIBUTES][3][4]; /* linear ones already times 1 / w */
    float bias;                        /* added to depth */
    u32 primitive;
    u8 facing; /* 0 clockwise, 1 counter-clockwise */
    bool front;
    bool sprite; /* attributes that are texture coordinates come from the pixel's place in the point
                  */
};
struct pixels { /* up to 16 quads of one primitive */
    const struct setup *setup;
    float b1[LANES], b2[LANES]; /* weights of the second and third vertex */
    float sx[LANES], sy[LANES]; /* place in a point sprite, 0..1 */
    i32 x[LANES], y[LANES];
    u64 covered;
    u32 quads;
};
void shade(struct draw *d, struct pixels *p); /* and empties it */
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

#endif
