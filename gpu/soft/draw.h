/* One draw: what the state comes to, worked out before the first vertex. Shared by draw.c (set-up
 * and assembly), vertex.c (fetch), raster.c (clipping, triangles, lines, points), shade.c (pixel
 * batches, depth, blending) and sampler.c. */
#ifndef GPU_SOFT_DRAW_H
#define GPU_SOFT_DRAW_H

#include "gpu/shader/run.h"
#include "gpu/soft/soft.h"

enum { DRAW_ATTRIBUTES = 16, BATCH_VERTICES = 64, BATCH_PRIMITIVES = 128, DRAW_TEXTURES = 16 };

/* ---- shaders as objects keep them (blob.compiled) ---- */
struct shader {
    struct ir_program *program;
    struct ir_state *state;
};

/* ---- vertex input ---- */
struct element {    /* one attribute of a vertex */
    u8 slot, input; /* vertex buffer, program input */
    u8 type;        /* enum vertex_type */
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

struct texture_unit {
    struct resource *r; /* NULL: nothing bound */
    const struct format *f;
    const u8 *data; /* of the texture, or of its decompressed copy */
    u64 layer_size;
    u32 base_mip, mips, base_layer, layers;
    u8 address[3];    /* D3DTEXTUREADDRESS: 1 wrap, 2 mirror, 3 clamp, 4 border, 5 mirror once */
    u8 mag, min, mip; /* D3DTEXF: 0 none, 1 point, 2 linear */
    bool srgb, cube;
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
    struct element elements[ACMD_VERTEX_BUFFERS];
    u32 element_count;
    struct vertex_stream streams[ACMD_VERTEX_BUFFERS];
    u32 instance, first_instance;
    /* linkage */
    struct link links[DRAW_ATTRIBUTES];
    u8 attribute_output[DRAW_ATTRIBUTES]; /* vertex shader output of each attribute; FFh: reads 0 */
    bool clamp_attribute[DRAW_ATTRIBUTES];
    u32 link_count, position_output, psize_output;
    /* viewport and clipping */
    float vp_x, vp_y, vp_w, vp_h, z_min, z_max, shift;
    float guard_x, guard_y; /* |x| and |y| beyond these times w are clipped */
    i32 x0, y0, x1, y1;     /* pixels that may be written */
    bool depth_clip;
    /* rasterizer */
    bool front_ccw, cull_front, cull_back, wireframe, point_sprite;
    float depth_bias, slope_bias, point_size, point_min, point_max;
    i32 depth_bias_steps;
    /* output */
    struct target target[ACMD_TARGETS], depth;
    u32 target_count; /* highest bound one + 1 */
    bool depth_test, depth_write, stencil_test, two_sided;
    u8 depth_func, stencil_ref, stencil_mask, stencil_write;
    struct stencil_face face[2]; /* clockwise, counter-clockwise */
    bool alpha_test;
    u8 alpha_func, alpha_ref;
    bool sample_mask;
    struct blend blend;
    struct texture_unit textures[DRAW_TEXTURES], vertex_textures[DRAW_TEXTURES];
    struct box touched; /* pixels written so far */
};

/* vertex.c */
bool vertex_layout(struct draw *d, const struct blob *layout);
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
    u8 facing;                         /* 0 clockwise, 1 counter-clockwise */
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
/* sampler.c */
void sampler_setup(struct draw *d);
void sampler_run(void *opaque, const struct ir_texture_query *q,
                 struct lanes *result); /* opaque: the texture units */

#endif
