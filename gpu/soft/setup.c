/* From a context's state to a draw: shaders, targets, viewport, buffers and textures. What the two
 * interfaces do differently is in setup9.c and setup10.c; the vertex shader's kind decides which.
 * Document: the contract's part "executor", sections 6 and 7.1. */
#include "gpu/soft/setup.h"

#include <math.h>

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
    bool any = false;
    d->x0 = d->y0 = 0;
    d->x1 = d->y1 = ACMD_MAX_DIMENSION;
    for (u32 k = 0; k < c->target_count; k++) {
        if (!bind_target(d, c->targets[k], false, &d->target[k])) continue;
        d->target_count = k + 1;
        any = true;
    }
    return bind_target(d, c->depth_stencil, true, &d->depth) || any;
}

/* ---- viewport ---- */

void draw_clip(struct draw *d, i64 x0, i64 y0, i64 x1, i64 y1)
{
    d->x0 = (i32)MAX((i64)d->x0, MIN(x0, ACMD_MAX_DIMENSION));
    d->y0 = (i32)MAX((i64)d->y0, MIN(y0, ACMD_MAX_DIMENSION));
    d->x1 = (i32)MIN((i64)d->x1, MAX(x1, 0));
    d->y1 = (i32)MIN((i64)d->y1, MAX(y1, 0));
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
        draw_clip(d, (i64)floorf(d->vp_x), (i64)floorf(d->vp_y), (i64)ceilf(d->vp_x + d->vp_w),
                  (i64)ceilf(d->vp_y + d->vp_h));
    }
    /* window coordinates stay below 2^14 in magnitude around the viewport's middle */
    d->guard_x = MAX(16384.0f / (0.5f * d->vp_w), 1.0f);
    d->guard_y = MAX(16384.0f / (0.5f * d->vp_h), 1.0f);
}

/* ---- shaders ---- */

static bool skip(struct draw *d, enum skip_cause cause)
{
    soft_skip(d->x, cause);
    return false;
}

static const struct shader *find_shader(struct draw *d, u32 handle, u8 stage)
{
    struct object *x = object_find(&d->x->objects, handle);
    if (!x || x->kind != OBJ_SHADER || ((struct blob *)x)->stage != stage) return NULL;
    return ((struct blob *)x)->compiled;
}

static void setup_constant_buffers(struct draw *d, struct ir_env *e, const struct stage_state *st)
{
    for (u32 k = 0; k < ACMD_CONSTANT_BUFFERS; k++) {
        const struct agpu_buffer_binding *b = &st->constant_buffers[k];
        struct resource *r = b->buffer ? buffer_find(&d->x->objects, b->buffer) : NULL;
        if (!r) continue;
        resource_refresh(&d->x->objects, r);
        if (!r->data || b->offset_bytes >= r->size) continue;
        u64 rest = r->size - b->offset_bytes,
            size = b->size_bytes ? MIN(b->size_bytes, rest) : rest;
        e->cb[k].data = r->data + b->offset_bytes;
        e->cb[k].size = (u32)MIN(size, 16u * 4096);
    }
    if (e->cb[0].data || !st->constants) return;
    e->cb[0].data = (const u8 *)st->constants; /* b0 of those who set constants the old way */
    e->cb[0].size = st->constant_count * 16;
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
    if (!d->d3d9) setup_constant_buffers(d, e, st);
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
                        .textures = d->textures,
                        .vertex_textures = d->vertex_textures };
    const struct shader *vs = find_shader(d, c->shaders[STAGE_VS], STAGE_VS),
                        *ps = find_shader(d, c->shaders[STAGE_PS], STAGE_PS);
    struct object *layout = object_find(&x->objects, c->input_layout);
    if (layout && layout->kind != OBJ_LAYOUT) layout = NULL;
    if (!vs) return skip(d, SKIP_NO_SHADER);
    if (c->shaders[STAGE_PS] && !ps) return skip(d, SKIP_BAD_PIXEL_SHADER);
    if (object_find(&x->objects, c->shaders[STAGE_GS])) return skip(d, SKIP_GEOMETRY);
    if (object_find(&x->objects, c->shaders[STAGE_HS]) ||
        object_find(&x->objects, c->shaders[STAGE_DS]))
        return skip(d, SKIP_TESSELLATION);
    if (ps && vs->program->d3d9 != ps->program->d3d9) return skip(d, SKIP_MIXED);
    d->d3d9 = vs->program->d3d9;
    d->vs = vs->program;
    ir_state_like(&x->vs_state, vs->program, vs->state);
    d->vs_state = x->vs_state;
    d->ps = ps ? ps->program : NULL;
    d->ps_state = ps ? ps->state : NULL;
    if (!setup_targets(d)) return skip(d, SKIP_NO_TARGET);
    setup_viewport(d);
    setup_streams(d);
    const struct blob *blob = (const struct blob *)layout;
    if (!(d->d3d9 ? setup9(d, blob) : setup10(d, blob))) return skip(d, SKIP_INPUT);
    if (d->x0 >= d->x1 || d->y0 >= d->y1) return false;
    textures_setup(d, vs, ps);
    setup_env(d, &d->vs_env, STAGE_VS, d->vertex_textures);
    setup_env(d, &d->ps_env, STAGE_PS, d->textures);
    return true;
}
