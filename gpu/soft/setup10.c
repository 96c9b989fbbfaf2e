/* Direct3D 10's and 11's part of a draw's set-up: state packets, linkage by signature or register,
 * clip distances, input layouts. Document: the contract's parts "command stream", sections 4.4, 4.5
 * and 9.2, and "executor", section 9. */
#include "gpu/soft/ilay.h"
#include "gpu/soft/setup.h"

/* ---- states ---- */

static void setup_viewport(struct draw *d)
{
    const struct context *c = d->c;
    const i32 *s = c->scissor;
    if (!c->viewport_seen) d->x1 = d->x0; /* none was ever named: nothing is visible */
    /* a rectangle without width or height says that there is none */
    if (c->raster.scissor_enable && c->scissor_set && s[2] > 0 && s[3] > 0)
        draw_clip(d, s[0], s[1], (i64)s[0] + s[2], (i64)s[1] + s[3]);
    d->depth_clip = !(c->raster.flags & AGPU_RASTER_DEPTH_CLIP_OFF);
}

static void setup_tests(struct draw *d)
{
    const struct context *c = d->c;
    d->depth_test = c->depth.depth_enable && d->depth.r;
    d->depth_write = c->depth.depth_write_enable != 0;
    d->depth_func =
        c->depth.depth_func <= AGPU_CMP_ALWAYS ? (u8)c->depth.depth_func : (u8)AGPU_CMP_ALWAYS;
    /* stencil: the packet has masks but neither function nor operations, so it changes nothing */
    d->cull_front = c->raster.cull_mode == AGPU_CULL_FRONT;
    d->cull_back = c->raster.cull_mode == AGPU_CULL_BACK;
    d->front_ccw = c->raster.front_ccw != 0;
    d->wireframe = c->raster.fill_mode == AGPU_FILL_WIREFRAME;
    d->depth_bias_steps = c->raster.depth_bias;
    d->sample_mask = c->blend.sample_mask & 1;
    d->point_size = d->point_min = d->point_max = 1.0f;
    d->strip_cut = true;
    for (u32 k = 0; k < d->target_count; k++) d->target[k].mask = c->blend.color_write_mask & 15;
}

static u8 blend_factor(u32 v, u8 otherwise)
{
    static const u8 factors[] = {
        [AGPU_BLEND_ZERO] = FACTOR_ZERO,
        [AGPU_BLEND_ONE] = FACTOR_ONE,
        [AGPU_BLEND_SRC_ALPHA] = FACTOR_SRC_ALPHA,
        [AGPU_BLEND_INV_SRC_ALPHA] = FACTOR_INV_SRC_ALPHA,
        [AGPU_BLEND_DEST_ALPHA] = FACTOR_DEST_ALPHA,
        [AGPU_BLEND_INV_DEST_ALPHA] = FACTOR_INV_DEST_ALPHA,
        [AGPU_BLEND_CONSTANT] = FACTOR_CONSTANT,
        [AGPU_BLEND_INV_CONSTANT] = FACTOR_INV_CONSTANT,
    };
    return v < LEN(factors) ? factors[v] : otherwise;
}

static u8 blend_op(u32 v)
{
    return v <= AGPU_OP_MAX ? (u8)v : (u8)AGPU_OP_ADD;
}

static void setup_blend(struct draw *d)
{
    const struct agpu_set_blend_state *s = &d->c->blend;
    d->blend = (struct blend){ .on = s->enable != 0,
                               .src = blend_factor(s->src_factor, FACTOR_ONE),
                               .dst = blend_factor(s->dst_factor, FACTOR_ZERO),
                               .op = blend_op(s->blend_op),
                               .src_alpha = blend_factor(s->src_factor_alpha, FACTOR_ONE),
                               .dst_alpha = blend_factor(s->dst_factor_alpha, FACTOR_ZERO),
                               .op_alpha = blend_op(s->blend_op_alpha) };
    memcpy(d->blend.constant, s->constant, sizeof(d->blend.constant));
}

/* ---- linkage ---- */

static bool link_inputs(struct draw *d)
{
    u8 from[IR_MAX_INPUTS][4];
    if (d->ps) ir_link(d->vs, d->ps, from);
    for (u32 k = 0; d->ps && k < IR_MAX_INPUTS; k++) {
        const struct ir_port *in = &d->ps->input[k];
        if (!in->used) continue;
        if (d->link_count == DRAW_ATTRIBUTES) return false;
        u32 n = d->link_count++;
        d->links[n] = (struct link){ (u8)k, (u8)n, in->interpolation };
        memcpy(d->attribute_from[n], from[k], sizeof(from[k]));
    }
    d->attribute_count = d->link_count;
    return true;
}

/* Outputs with distances of one kind become attributes behind the linked ones. The number of
 * distances, which go to the end of d->clips. */
static u32 link_distances(struct draw *d, u8 system)
{
    u32 before = d->clip_count + d->cull_count, count = 0;
    for (u32 k = 0; k < IR_MAX_OUTPUTS; k++) {
        const struct ir_port *out = &d->vs->output[k];
        u32 n = d->attribute_count, first = count;
        if (!out->used || n == DRAW_ATTRIBUTES) continue;
        for (unsigned c = 0; c < 4 && before + count < DRAW_CLIPS; c++) {
            d->attribute_from[n][c] = (u8)(4 * k + c);
            if (out->systems[c] == system)
                d->clips[before + count++] = (struct clip){ (u8)n, (u8)c };
        }
        if (count > first) d->attribute_count++;
    }
    return count;
}

static bool setup_linkage(struct draw *d)
{
    u32 position = 0;
    while (position < IR_MAX_OUTPUTS &&
           !(d->vs->output[position].used && d->vs->output[position].system == IR_SV_POSITION))
        position++;
    if (position == IR_MAX_OUTPUTS || !link_inputs(d)) return false;
    d->position_output = position;
    d->clip_count = link_distances(d, IR_SV_CLIP_DISTANCE);
    d->cull_count = link_distances(d, IR_SV_CULL_DISTANCE);
    return true;
}

bool setup10(struct draw *d, const struct blob *layout)
{
    setup_viewport(d);
    setup_tests(d);
    setup_blend(d);
    if (layout && !layout->compiled) return false;
    return ilay_match(d, layout ? layout->compiled : NULL) && setup_linkage(d);
}
