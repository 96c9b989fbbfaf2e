/* From a context's state to a draw: targets, viewport, tests, blending, linkage, textures. Direct3D
 * 9's rules. Document: the contract's parts "command stream", section 7, and "executor", sections
 * 6, 7.2, 7.4 and 7.5. */
#include <math.h>

#include "gpu/soft/setup.h"

static float state_float(const struct context *c, u32 state, float otherwise)
{
    float v;
    memcpy(&v, &c->render_state[state], 4);
    return v == v && fabsf(v) < 1e30f ? v : otherwise;
}

/* ---- targets ---- */

static bool bind_target(struct draw *d, u32 handle, bool depth, struct target *t)
{
    struct view v;
    *t = (struct target){ .r = NULL };
    if (!handle || !surface_find(&d->x->objects, handle, &v)) return false;
    const struct format *f = format_of(v.format);
    if ((f->klass == FMT_CLASS_DEPTH) != depth || f->klass == FMT_CLASS_BC) return false;
    resource_refresh(&d->x->objects, v.texture);
    if (!v.texture->data) return false;
    *t = (struct target){
        .r = v.texture, .f = f, .format = v.format, .mip = v.base_mip, .layer = v.base_layer
    };
    texture_sub(v.texture, v.base_mip, v.base_layer, &t->sub);
    d->x1 = MIN(d->x1, (i32)t->sub.width);
    d->y1 = MIN(d->y1, (i32)t->sub.height);
    return true;
}

static bool setup_targets(struct draw *d)
{
    const struct context *c = d->c;
    const u32 *rs = c->render_state;
    bool any = false;
    d->x0 = d->y0 = 0;
    d->x1 = d->y1 = ACMD_MAX_DIMENSION;
    for (u32 k = 0; k < c->target_count; k++) {
        struct target *t = &d->target[k];
        if (!bind_target(d, c->targets[k], false, t)) continue;
        t->mask =
            (u8)(rs[k == 0 ? RS_COLORWRITEENABLE : RS_COLORWRITEENABLE1 + MIN(k, 3u) - 1] & 15);
        t->srgb = rs[RS_SRGBWRITEENABLE] != 0;
        d->target_count = k + 1;
        any = true;
    }
    return bind_target(d, c->depth_stencil, true, &d->depth) || any;
}

/* ---- viewport ---- */

static void clip_to(struct draw *d, i64 x0, i64 y0, i64 x1, i64 y1)
{
    d->x0 = (i32)MAX((i64)d->x0, MIN(x0, ACMD_MAX_DIMENSION));
    d->y0 = (i32)MAX((i64)d->y0, MIN(y0, ACMD_MAX_DIMENSION));
    d->x1 = (i32)MIN((i64)d->x1, MAX(x1, 0));
    d->y1 = (i32)MIN((i64)d->y1, MAX(y1, 0));
}

/* Streams with declarations are applications': their pixel centres are where Direct3D 9 has them.
 * The driver's own shaders do without, and only those that transform by its matrices leave the half
 * pixel to the device. */
static float pixel_shift(const struct ir_program *vs)
{
    if (vs->has_dcl) return 0.5f;
    return vs->reads_wvp ? 0.5f : 0.0f;
}

static void setup_viewport(struct draw *d)
{
    const struct context *c = d->c;
    d->vp_w = (float)d->x1;
    d->vp_h = (float)d->y1;
    d->z_max = 1.0f;
    if (c->viewport_set) {
        d->vp_x = c->viewport[0];
        d->vp_y = c->viewport[1];
        d->vp_w = c->viewport[2];
        d->vp_h = c->viewport[3];
        d->z_min = c->viewport[4];
        d->z_max = c->viewport[5];
        clip_to(d, (i64)floorf(d->vp_x), (i64)floorf(d->vp_y), (i64)ceilf(d->vp_x + d->vp_w),
                (i64)ceilf(d->vp_y + d->vp_h));
    }
    if (c->render_state[RS_SCISSORTESTENABLE] && c->scissor_set) {
        const i32 *s = c->scissor;
        clip_to(d, s[0], s[1], (i64)s[0] + MAX(s[2], 0), (i64)s[1] + MAX(s[3], 0));
    }
    d->shift = pixel_shift(d->vs);
    d->depth_clip = true;
    /* window coordinates stay below 2^14 in magnitude around the viewport's middle */
    d->guard_x = MAX(16384.0f / (0.5f * d->vp_w), 1.0f);
    d->guard_y = MAX(16384.0f / (0.5f * d->vp_h), 1.0f);
}

/* ---- tests ---- */

/* D3DCMPFUNC 1 to 8; 0 means always */
static u8 compare_func(u32 v)
{
    return v >= 1 && v <= 8 ? (u8)(v - 1) : (u8)AGPU_CMP_ALWAYS;
}

static u8 stencil_op(u32 v)
{
    return v >= 1 && v <= 8 ? (u8)v : 1;
}

static void setup_tests(struct draw *d)
{
    const u32 *rs = d->c->render_state;
    d->depth_test = rs[RS_ZENABLE] != 0 && d->depth.r;
    d->depth_write = rs[RS_ZWRITEENABLE] != 0;
    d->depth_func = d->c->depth_func9;
    d->stencil_test = rs[RS_STENCILENABLE] != 0 && d->depth.r && d->depth.format == AGPU_FMT_D24S8;
    d->two_sided = rs[RS_TWOSIDEDSTENCILMODE] != 0;
    d->stencil_ref = (u8)rs[RS_STENCILREF];
    d->stencil_mask = (u8)rs[RS_STENCILMASK];
    d->stencil_write = (u8)rs[RS_STENCILWRITEMASK];
    for (unsigned k = 0; k < 2; k++) {
        const u32 *s = rs + (k ? RS_CCW_STENCILFAIL : RS_STENCILFAIL);
        d->face[k] = (struct stencil_face){ compare_func(s[3]), stencil_op(s[0]), stencil_op(s[1]),
                                            stencil_op(s[2]) };
    }
    d->alpha_test = rs[RS_ALPHATESTENABLE] != 0;
    d->alpha_func = compare_func(rs[RS_ALPHAFUNC]);
    d->alpha_ref = (u8)rs[RS_ALPHAREF];
    d->sample_mask = true;
    d->cull_back = d->cull_front = false;
    d->front_ccw = false; /* cull modes name windings */
    if (d->c->cull9 == 2) d->cull_front = true;
    if (d->c->cull9 == 3) d->cull_back = true;
    d->wireframe = rs[RS_FILLMODE] == 2;
    d->depth_bias = state_float(d->c, RS_DEPTHBIAS, 0.0f);
    d->slope_bias = state_float(d->c, RS_SLOPESCALEDEPTHBIAS, 0.0f);
    d->point_size = state_float(d->c, RS_POINTSIZE, 1.0f);
    d->point_min = MAX(state_float(d->c, RS_POINTSIZE_MIN, 0.0f), 0.0f);
    d->point_max = rs[RS_POINTSIZE_MAX] ? state_float(d->c, RS_POINTSIZE_MAX, 64.0f) : 64.0f;
    d->point_max = MIN(MAX(d->point_max, 1.0f), 64.0f);
    d->point_sprite = rs[RS_POINTSPRITEENABLE] != 0;
}

/* ---- blending ---- */

/* D3DBLEND to a factor; `otherwise` for those that do not exist */
static u8 blend_factor(u32 v, u8 otherwise)
{
    static const u8 factors[] = {
        [1] = FACTOR_ZERO,           [2] = FACTOR_ONE,
        [3] = FACTOR_SRC_COLOR,      [4] = FACTOR_INV_SRC_COLOR,
        [5] = FACTOR_SRC_ALPHA,      [6] = FACTOR_INV_SRC_ALPHA,
        [7] = FACTOR_DEST_ALPHA,     [8] = FACTOR_INV_DEST_ALPHA,
        [9] = FACTOR_DEST_COLOR,     [10] = FACTOR_INV_DEST_COLOR,
        [11] = FACTOR_SRC_ALPHA_SAT, [12] = FACTOR_SRC_ALPHA,
        [13] = FACTOR_INV_SRC_ALPHA, [14] = FACTOR_CONSTANT,
        [15] = FACTOR_INV_CONSTANT,
    };
    return v >= 1 && v < LEN(factors) ? factors[v] : otherwise;
}

static u8 blend_op(u32 v)
{
    return v >= 1 && v <= 5 ? (u8)(v - 1) : (u8)AGPU_OP_ADD;
}

static void setup_blend(struct draw *d)
{
    const u32 *rs = d->c->render_state;
    struct blend *b = &d->blend;
    b->on = rs[RS_ALPHABLENDENABLE] != 0;
    b->src = blend_factor(rs[RS_SRCBLEND], FACTOR_ONE);
    b->dst = blend_factor(rs[RS_DESTBLEND], FACTOR_ZERO);
    if (rs[RS_SRCBLEND] == 12)
        b->dst = FACTOR_INV_SRC_ALPHA; /* BOTHSRCALPHA and its reverse name both */
    if (rs[RS_SRCBLEND] == 13) b->dst = FACTOR_SRC_ALPHA;
    b->op = blend_op(rs[RS_BLENDOP]);
    b->src_alpha = b->src;
    b->dst_alpha = b->dst;
    b->op_alpha = b->op;
    if (rs[RS_SEPARATEALPHABLENDENABLE]) {
        b->src_alpha = blend_factor(rs[RS_SRCBLENDALPHA], FACTOR_ONE);
        b->dst_alpha = blend_factor(rs[RS_DESTBLENDALPHA], FACTOR_ZERO);
        b->op_alpha = blend_op(rs[RS_BLENDOPALPHA]);
    }
    for (unsigned k = 0; k < 4; k++)
        b->constant[k] = (float)(rs[RS_BLENDFACTOR] >> (k == 3 ? 24 : 16 - 8 * k) & 255) / 255.0f;
}

/* ---- linkage ---- */

/* The vertex shader's output for a usage; FFh: none. */
static u8 find_output(const struct ir_program *vs, u8 usage, u8 index)
{
    if (vs->major >= 3) {
        for (unsigned k = IR_O_SM3; k < IR_MAX_OUTPUTS; k++) {
            const struct ir_port *p = &vs->output[k];
            if (p->declared && p->usage == usage && p->usage_index == index) return (u8)k;
        }
        return 0xff;
    }
    unsigned at = usage == IR_USAGE_COLOR      ? (unsigned)IR_O_COLOR0 + index
                  : usage == IR_USAGE_TEXCOORD ? (unsigned)IR_O_TEXCOORD0 + index
                  : usage == IR_USAGE_POSITION ? (unsigned)IR_O_POSITION
                  : usage == IR_USAGE_PSIZE    ? (unsigned)IR_O_PSIZE
                  : usage == IR_USAGE_FOG      ? (unsigned)IR_O_FOG
                                               : (unsigned)IR_MAX_OUTPUTS;
    if (index >= (usage == IR_USAGE_COLOR ? 2 : usage == IR_USAGE_TEXCOORD ? 8 : 1)) return 0xff;
    return at < IR_MAX_OUTPUTS && vs->output[at].used ? (u8)at : 0xff;
}

static bool setup_linkage(struct draw *d)
{
    u8 position = find_output(d->vs, IR_USAGE_POSITION, 0),
       psize = find_output(d->vs, IR_USAGE_PSIZE, 0);
    if (position == 0xff) return false;
    d->position_output = position;
    d->psize_output = psize == 0xff ? 0 : psize;
    d->link_count = 0;
    for (u32 k = 0; d->ps && k < IR_MAX_INPUTS && d->link_count < DRAW_ATTRIBUTES; k++) {
        const struct ir_port *in = &d->ps->input[k];
        if (!in->used) continue;
        u32 n = d->link_count++;
        bool flat = in->usage == IR_USAGE_COLOR && d->c->render_state[RS_SHADEMODE] == 1;
        d->links[n] = (struct link){ (u8)k, (u8)n, flat ? IR_CONSTANT : IR_LINEAR };
        d->attribute_output[n] =
            in->declared ? find_output(d->vs, in->usage, in->usage_index) : 0xff;
        d->clamp_attribute[n] = in->usage == IR_USAGE_COLOR && d->vs->major < 3;
    }
    d->attribute_count = d->link_count;
    return true;
}

/* ---- shaders ---- */

static const struct shader *find_shader(struct draw *d, u32 handle, u8 stage)
{
    struct object *x = object_find(&d->x->objects, handle);
    if (!x || x->kind != OBJ_SHADER || ((struct blob *)x)->stage != stage) return NULL;
    return ((struct blob *)x)->compiled;
}

static void setup_env(struct draw *d, struct ir_env *e, u8 stage, struct texture_unit *units)
{
    const struct stage_state *st = &d->c->stage[stage];
    *e = (struct ir_env){ .constants = (const float(*)[4])st->constants,
                          .constant_count = MIN(st->constant_count, 256u),
                          .integers = st->integers,
                          .bools = st->bools,
                          .sample = sampler_run,
                          .opaque = units,
                          .budget = d->budget };
}

static void setup_streams(struct draw *d)
{
    for (u32 k = 0; k < ACMD_VERTEX_BUFFERS; k++) {
        const struct agpu_vertex_binding *b = &d->c->vertex_buffers[k];
        struct resource *r = b->buffer ? buffer_find(&d->x->objects, b->buffer) : NULL;
        if (!r) continue;
        resource_refresh(&d->x->objects, r);
        d->streams[k] =
            (struct vertex_stream){ r->data, r->size, b->stride_bytes, b->offset_bytes };
    }
}

bool draw_setup(struct draw *d, struct exec *x, struct context *c)
{
    *d = (struct draw){ .x = x,
                        .c = c,
                        .budget = &x->budget,
                        .d3d9 = true,
                        .textures = d->textures,
                        .vertex_textures = d->vertex_textures };
    const struct shader *vs = find_shader(d, c->shaders[STAGE_VS], STAGE_VS),
                        *ps = find_shader(d, c->shaders[STAGE_PS], STAGE_PS);
    struct object *layout = object_find(&x->objects, c->input_layout);
    if (!vs || !vs->program->d3d9 || !layout || layout->kind != OBJ_LAYOUT) return false;
    if (c->shaders[STAGE_PS] && !ps) return false; /* a shader that could not be compiled */
    d->vs = vs->program;
    d->vs_state = vs->state;
    d->ps = ps ? ps->program : NULL;
    d->ps_state = ps ? ps->state : NULL;
    if (!setup_targets(d)) return false;
    setup_viewport(d);
    if (d->x0 >= d->x1 || d->y0 >= d->y1 || !setup_linkage(d)) return false;
    setup_tests(d);
    setup_blend(d);
    setup_streams(d);
    if (!vertex_layout(d, (const struct blob *)layout)) return false;
    textures_setup(d, vs, ps);
    setup_env(d, &d->vs_env, STAGE_VS, d->vertex_textures);
    setup_env(d, &d->ps_env, STAGE_PS, d->textures);
    return true;
}
