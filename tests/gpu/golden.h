/* Golden pictures: small scenes written as shader text and packets, run through the software
 * executor without a machine, and judged twice: by the reference (reference.h), a formula or an
 * exact count on every run, and by the hash of their bytes that golden.txt keeps.
 *
 * A case builds its scene with the functions below. Those that set state, draw and clear go to both
 * renderers; gold_show() runs what was built, reads the target back and compares. What the
 * reference cannot draw is put into the stream with PUT() and judged with gold_check(). One line of
 * golden.txt is one case; its hash covers every picture that the case shows. */
#ifndef TESTS_GPU_GOLDEN_H
#define TESTS_GPU_GOLDEN_H

#include "gpu/exec.h"
#include "tests/gpu/reference.h"

/* Handles that the builder gives */
enum {
    H_COLOR = 10, /* to 13 */
    H_DEPTH = 14,
    H_VERTICES = 20,
    H_INDICES = 21,
    H_TEXTURE = 30, /* to 37: by slot */
    H_VS = 40,
    H_PS = 41,
    H_LAYOUT = 50,
    H_FREE = 100, /* from here on: the case's own */
    H_READBACK = 999999,
};
/* The guest's memory: allocation ids of every batch's table */
enum {
    ALLOC_READBACK = 1, /* the builder's */
    ALLOC_A = 2,
    ALLOC_B = 3,
    ALLOC_READONLY = 4,
    ALLOC_A_GPA = 0x400000,
    ALLOC_B_GPA = 0x600000,
    ALLOC_READONLY_GPA = 0x700000,
    GOLD_RAM = 0x800000,
};
enum { GOLD_PICTURES = 24, ALLOC_BYTES = 0x100000 };
#define F1 0x3f800000u /* 1.0 */

struct picture {
    u32 format, width, height;
    size_t size;
    u8 *texels, *expected; /* tight rows; expected: the reference's, or NULL */
};

struct gold {
    const char *name;
    const struct exec_ops *ops;
    struct exec *x;
    struct exec_host host;
    u8 *ram;
    u32 *words, count, capacity; /* packets that wait for the next batch */
    u32 context;
    const struct gold_variant *variant;
    u64 split;   /* random state for cutting the stream into batches; 0: one batch */
    bool silent; /* the reference rests: only the hash counts */
    u32 batches, done;
    enum agpu_error error; /* of the batches since it was last looked at */
    const char *reason;
    struct exec_scanout scanout; /* what the host says when asked; width 0: nothing */
    struct ref ref;
    struct ref_texture textures[REF_TEXTURES];
    bool driver_tokens; /* Direct3D 9 shaders as the guest's driver encodes its own */
    void (*transform)(const void *in, struct ref_vertex *out, const void *user);
    ref_shader *shade;
    const void *user;
    struct picture pictures[GOLD_PICTURES];
    u32 picture_count;
    u64 random;
    bool failed;
    char why[512];
};

/* Other ways to the same picture. */
struct gold_variant {
    const char *name;
    bool split;  /* the stream is cut into batches at random places */
    bool resets; /* before, parts of the stream are run and forgotten by resets */
    struct exec_tuning tuning;
};

struct golden_case {
    const char *name; /* l0_..., l1_..., l2_..., l3_... */
    void (*run)(struct gold *g, int arg);
    int arg;
    const char *judged; /* how the picture was found right */
};

/* The files' tables; each ends with a row without a name. */
extern const struct golden_case golden_transfer[], golden_raster[], golden_output[],
    golden_sampling[], golden_vertices[], golden_shaders[], golden_scanout[], golden_scenes[],
    golden_d3d10[], golden_sm4[], golden_stages[], golden_stages10[], golden_ps1[];

/* ---- judging ---- */
void gold_fail(struct gold *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Fails the case, once, when `ok` is false. */
#define gold_check(g, ok, ...)                                                                     \
    do {                                                                                           \
        if (!(ok)) gold_fail(g, __VA_ARGS__);                                                      \
    } while (0)
u32 gold_random(struct gold *g); /* the same sequence in every run of the case; once an expression, or compilers differ */

/* ---- packets ---- */
void gold_put(struct gold *g, const u32 *words, u32 n);
#define PUT(g, ...) gold_put(g, (const u32[]){ __VA_ARGS__ }, sizeof((const u32[]){ __VA_ARGS__ }) / 4)
/* A packet of `heads` words behind its header and then `size` bytes. */
void gold_blob(struct gold *g, u32 opcode, const u32 *head, u32 heads, const void *bytes, u32 size);
void gold_submit(struct gold *g); /* what waits, as one batch or more */
u32 gold_float(float v);          /* its bits */

/* ---- resources ---- */
void gold_texture2d(struct gold *g, u32 handle, u32 format, u32 w, u32 h, u32 mips, u32 layers);
void gold_upload(struct gold *g, u32 handle, u64 offset, const void *data, u32 size);
void gold_buffer(struct gold *g, u32 handle, const void *data, u32 size);
void gold_copy(struct gold *g, u32 dst, u32 src, const u32 from[2], const u32 to[2], const u32 size[2]);

/* The executor with an option string (gpu/soft/settings.h); first of all. */
void gold_settings(struct gold *g, const char *soft);

/* ---- the scene, to both renderers ---- */
/* Colour target 0 and, unless depth is 0, a depth buffer; whole, cleared to zero by creation. */
void gold_target(struct gold *g, u32 format, u32 w, u32 h, u32 depth);
/* A Direct3D 9 shader at a handle, not bound. */
void gold_shader(struct gold *g, u32 handle, const char *text);
void gold_more_targets(struct gold *g, u32 count, const u32 *formats); /* 1 to 3, of the same size */
void gold_state(struct gold *g, u32 id, u32 value);
void gold_statef(struct gold *g, u32 id, float value);
void gold_sampler(struct gold *g, u32 slot, u32 id, u32 value);
/* slot: of the pixel shader; data in the linear layout, tight */
void gold_texture(struct gold *g, u32 slot, u32 format, u32 w, u32 h, u32 mips, u32 layers,
                  const void *data, u32 size);
/* What target 0 holds now becomes the content of the texture at slot, which was made as large. */
void gold_snapshot(struct gold *g, u32 slot);
void gold_constant(struct gold *g, u32 stage, u32 index, float x, float y, float z, float w);
void gold_viewport(struct gold *g, float x, float y, float w, float h, float lo, float hi);
void gold_scissor(struct gold *g, i32 x, i32 y, i32 w, i32 h);
void gold_clear(struct gold *g, u32 flags, float r, float gr, float b, float a, float z, u32 s);
/* Shader text and its twin in C; vs NULL: the standard one that passes everything on. */
void gold_program(struct gold *g, const char *vs, const char *ps, ref_shader *shade, const void *user);
/* The standard vertex shader with declarations: pixel centres as applications have them. */
void gold_declared(struct gold *g, bool on);

struct vx { /* the standard vertex: attributes 0 to 2 of the reference */
    float pos[4], color[4], uv[4], more[4];
};
void gold_draw(struct gold *g, u32 topology, const struct vx *v, u32 n);
void gold_draw_indexed(struct gold *g, u32 topology, const struct vx *v, u32 vertices, const u32 *indices, u32 n, bool wide);
/* A rectangle in pixels of target 0 as two triangles; uv 0..1 across; z and colour constant. */
void gold_rectangle(struct gold *g, float x0, float y0, float x1, float y1, float z, u32 argb);
struct vx gold_vertex(const struct gold *g, float x, float y, float z, float w, u32 argb); /* x, y in pixels */

/* Shader twins that many cases use */
void ref_color(struct ref_fragment *f, const void *user);   /* attribute 0 */
void ref_textured(struct ref_fragment *f, const void *user); /* texture 0 at attribute 1 */
void ref_modulated(struct ref_fragment *f, const void *user); /* their product */
extern const char ps_color[], ps_textured[], ps_modulated[];

/* ---- Direct3D 10 and 11, to both renderers ---- */
/* As gold_target(); the viewport is the whole target, nothing is culled, no depth test. */
void gold_target10(struct gold *g, u32 format, u32 w, u32 h, u32 depth);
/* Shader model 4 text; vs NULL: the standard one. bare: token arrays without a container. */
void gold_program10(struct gold *g, const char *vs, const char *ps, bool bare, ref_shader *shade, const void *user);
void gold_depth10(struct gold *g, bool test, bool write, u32 func);
void gold_raster10(struct gold *g, u32 fill, u32 cull, bool ccw, bool scissor, i32 bias, u32 flags);
struct gold_blend10 {
    bool enable;
    u32 src, dst, op, src_alpha, dst_alpha, op_alpha, mask; /* agpu_blend_factor, agpu_blend_op */
    float constant[4];
    u32 sample_mask;
};
void gold_blend10(struct gold *g, const struct gold_blend10 *b);
void gold_sampler10(struct gold *g, u32 slot, u32 filter, u32 address_u, u32 address_v);
/* A constant buffer of its own for (stage, slot), holding the data. */
void gold_constants10(struct gold *g, u32 stage, u32 slot, const void *data, u32 size);
u32 gold_semantic(const char *name); /* its hash */
/* The start of a pixel shader behind the standard vertex shader: colour v1, coordinates v2, v3. */
#define PS10                                                                                       \
    "ps_4_0\n.in SV_Position v0.xyzw\n.in COLOR v1.xyzw\n.in TEXCOORD v2.xyzw\n.in TEXCOORD1 v3.xyzw\n" \
    ".out SV_Target o0.xyzw\ndcl_output o0.xyzw\n"
#define PS10_LINEAR PS10 "dcl_input_ps linear v1.xyzw\ndcl_input_ps linear v2.xyzw\ndcl_input_ps linear v3.xyzw\n"
/* The start of a vertex shader for the standard layout and outputs. */
#define VS10                                                                                       \
    "vs_4_0\n.in POSITION v0.xyzw\n.in COLOR v1.xyzw\n.in TEXCOORD v2.xyzw\n.in TEXCOORD1 v3.xyzw\n" \
    ".out SV_Position o0.xyzw\n.out COLOR o1.xyzw\n.out TEXCOORD o2.xyzw\n.out TEXCOORD1 o3.xyzw\n" \
    "dcl_input v0.xyzw\ndcl_input v1.xyzw\ndcl_input v2.xyzw\ndcl_input v3.xyzw\n"             \
    "dcl_output_siv o0.xyzw, position\ndcl_output o1.xyzw\ndcl_output o2.xyzw\ndcl_output o3.xyzw\n"

/* ---- looking ---- */
/* Runs, reads the colour target back, compares with the reference: eps in codes beyond rounding,
 * unsure: percent of pixels that need not be judged. */
void gold_show(struct gold *g, double eps, double unsure);
void gold_show_target(struct gold *g, u32 target, double eps, double unsure);
void gold_show_depth(struct gold *g, double eps, double unsure);
/* Runs and reads a texture's mip and layer back; the picture's texels, for the case to judge. */
const u8 *gold_read(struct gold *g, u32 handle, u32 format, u32 w, u32 h, u32 mip, u32 layer);
/* A picture that the case made itself (scanout frames). */
void gold_picture(struct gold *g, u32 format, u32 w, u32 h, const void *texels);

/* ---- golden_build.c's, for the runner ---- */
void gold_begin(struct gold *g, const char *name, const struct gold_variant *variant);
void gold_end(struct gold *g);
u64 gold_hash(const struct gold *g);
void gold_bind_targets(struct gold *g, u32 count);
/* The tokens of a Direct3D 9 shader; the size in bytes. A mistake in the text ends the program. */
u32 gold_assemble(const char *text, bool driver, u32 *tokens, u32 capacity, bool *pixel);
u32 gold_assemble10(const char *text, u32 *tokens, u32 capacity, bool bare); /* shader model 4 */

#endif
