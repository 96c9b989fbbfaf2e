/* Direct3D 9's part of a draw's set-up: render states, linkage by usage, pixel centres. Document:
 * the contract's parts "command stream", section 7, and "executor", sections 7.2 and 7.4 to 7.6. */
#include <math.h>

#include "gpu/soft/setup.h"

static float state_float(const struct context *c, u32 state, float otherwise)
{
    float v;
    memcpy(&v, &c->render_state[state], 4);
    return v == v && fabsf(v) < 1e30f ? v : otherwise;
}

/* ---- targets and viewport ---- */

static void setup_targets(struct draw *d)
{
    const u32 *rs = d->c->render_state;
    for (u32 k = 0; k < d->target_count; k++) {
        struct target *t = &d->target[k];
        t->mask =
            (u8)(rs[k == 0 ? RS_COLORWRITEENABLE : RS_COLORWRITEENABLE1 + MIN(k, 3u) - 1] & 15);
        t->srgb = rs[RS_SRGBWRITEENABLE] != 0;
    }
}

/* Streams with declarations are applications': their pixel centres are where Direct3D 9 has them.
 * The driver's own shaders do without, and only those that transform by its matrices leave the half
 * pixel to the device. */
static float pixel_shift(const struct draw *d)
{
    const struct ir_program *vs = d->vs;
    enum centre centre = soft_centre(&d->x->settings, d->c->id);
    if (centre != CENTRE_AUTO) return centre == CENTRE_ON ? 0.5f : 0.0f;
    if (vs->has_dcl) return 0.5f;
    return vs->reads_wvp ? 0.5f : 0.0f;
}

static void setup_viewport(struct draw *d)
{
    const struct context *c = d->c;
    const i32 *s = c->scissor;
    if (c->render_state[RS_SCISSORTESTENABLE] && c->scissor_set)
        draw_clip(d, s[0], s[1], (i64)s[0] + MAX(s[2], 0), (i64)s[1] + MAX(s[3], 0));
    d->shift = pixel_shift(d);
    d->depth_clip = true;
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
    d->point_min = MIN(d->point_min, d->point_max);
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

/* The whole of an output as attribute n. */
static void take_output(struct draw *d, u32 n, u8 output)
{
    for (unsigned c = 0; c < 4; c++)
        d->attribute_from[n][c] = output == 0xff ? 0xff : (u8)(4 * output + c);
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
        take_output(d, n, in->declared ? find_output(d->vs, in->usage, in->usage_index) : 0xff);
        d->clamp_attribute[n] = in->usage == IR_USAGE_COLOR && d->vs->major < 3;
    }
    d->attribute_count = d->link_count;
    return true;
}

/* ---- fog ---- */

/* The vertex shader's factor comes as one more input of the pixel shader, which knows nothing of
 * it. Without a factor there is no fog. */
static void setup_fog(struct draw *d)
{
    const u32 *rs = d->c->render_state;
    struct fog *g = &d->fog;
    if (!d->x->settings.fog || !rs[RS_FOGENABLE] || !d->ps || d->ps->major >= 3 || !d->vs->has_dcl)
        return;
    g->mode = rs[RS_FOGTABLEMODE] <= 3 ? (u8)rs[RS_FOGTABLEMODE] : 0;
    g->start = state_float(d->c, RS_FOGSTART, 0.0f);
    g->end = state_float(d->c, RS_FOGEND, 1.0f);
    g->density = state_float(d->c, RS_FOGDENSITY, 1.0f);
    for (unsigned k = 0; k < 3; k++)
        g->color[k] = (float)(rs[RS_FOGCOLOR] >> (16 - 8 * k) & 255) / 255.0f;
    u8 factor = find_output(d->vs, IR_USAGE_FOG, 0);
    g->on = g->mode || (factor != 0xff && d->link_count < DRAW_ATTRIBUTES);
    if (!g->on || g->mode) return;
    d->links[d->link_count] = (struct link){ FOG_INPUT, (u8)d->link_count, IR_LINEAR };
    take_output(d, d->link_count++, factor);
    d->attribute_count = d->link_count;
}

bool setup9(struct draw *d, const struct blob *layout)
{
    setup_targets(d);
    setup_viewport(d);
    if (!setup_linkage(d)) return false;
    setup_tests(d);
    setup_blend(d);
    setup_fog(d);
    bool declaration = layout && layout->size >= 4 && ld32(layout->bytes) != AGPU_ILAY_MAGIC;
    return declaration && vertex_layout(d, layout);
}
