/* CLEAR: whole targets in D3D10/11 contexts, viewport and scissor respected in D3D9 ones.
 * Document: the contract's parts "command stream", CLEAR, and "executor", section 6.6 (which
 * restricts D3D9's clear to the viewport, as Direct3D 9 does; the packet's own page does not
 * mention it). */
#include "gpu/soft/soft.h"

static void cut(struct box *b, i64 x0, i64 y0, i64 x1, i64 y1)
{
    b->x0 = (u32)MAX((i64)b->x0, MIN(x0, (i64)b->x1));
    b->y0 = (u32)MAX((i64)b->y0, MIN(y0, (i64)b->y1));
    b->x1 = (u32)MIN((i64)b->x1, MAX(x1, (i64)b->x0));
    b->y1 = (u32)MIN((i64)b->y1, MAX(y1, (i64)b->y0));
}

/* The part of a w x h surface that a clear in this context reaches. */
static struct box clear_box(const struct context *c, u32 w, u32 h)
{
    struct box b = { 0, 0, w, h };
    if (c->flavour != FLAVOUR_D3D9) return b;
    if (c->viewport_set) {
        const float *v = c->viewport;
        cut(&b, (i64)v[0], (i64)v[1], (i64)(v[0] + v[2]), (i64)(v[1] + v[3]));
    }
    if (c->render_state[RS_SCISSORTESTENABLE] && c->scissor_set) {
        const i32 *s = c->scissor;
        cut(&b, s[0], s[1], (i64)s[0] + MAX(s[2], 0), (i64)s[1] + MAX(s[3], 0));
    }
    return b;
}

/* Writes `value` where `mask` has ones; bytes: 2 or 4 per texel. */
static void fill(struct resource *r, const struct subresource *s, const struct box *b, u32 value,
                 u32 mask)
{
    u32 bytes = r->f->bytes;
    for (u32 y = b->y0; y < b->y1; y++) {
        u8 *p = r->data + s->offset + (u64)y * s->pitch + (u64)b->x0 * bytes;
        for (u32 x = b->x0; x < b->x1; x++, p += bytes) {
            if (bytes == 2)
                st16(p, (u16)value);
            else
                st32(p, (ld32(p) & ~mask) | (value & mask));
        }
    }
}

static struct outcome clear_surface(struct exec *x, struct context *c, struct view *v, u32 value,
                                    u32 mask)
{
    struct resource *r = v->texture;
    struct outcome first = OBJ_OK;
    for (u32 layer = v->base_layer; layer < v->base_layer + v->layers; layer++) {
        struct subresource s;
        texture_sub(r, v->base_mip, layer, &s);
        struct box b = clear_box(c, s.width, s.height);
        if (b.x0 >= b.x1 || b.y0 >= b.y1) continue;
        bool whole =
            b.x0 == 0 && b.y0 == 0 && b.x1 == s.width && b.y1 == s.height && mask == 0xffffffff;
        if (whole) resource_forget_dirty(r, s.offset, s.offset + s.size);
        struct outcome out = resource_refresh(&x->objects, r);
        if (out.reason && !first.reason) first = out;
        objects_spend(&x->objects, (u64)(b.x1 - b.x0) * (b.y1 - b.y0) * r->f->bytes);
        if (x->budget > 0 && r->data) fill(r, &s, &b, value, mask);
        resource_touch(&x->objects, r, v->base_mip, layer, &b);
    }
    return first;
}

/* A target is one layer of a texture unless a view says more. */
static bool find_target(struct exec *x, u32 handle, struct view *v)
{
    if (!handle || !surface_find(&x->objects, handle, v)) return false;
    if (v->obj.kind != OBJ_VIEW) v->layers = 1;
    return true;
}

static struct outcome clear_color(struct exec *x, struct context *c, const struct agpu_clear *p)
{
    struct outcome first = OBJ_OK;
    bool srgb = c->flavour == FLAVOUR_D3D9 && c->render_state[RS_SRGBWRITEENABLE];
    for (u32 k = 0; k < c->target_count; k++) {
        struct view v;
        if (!find_target(x, c->targets[k], &v)) continue;
        const struct format *f = format_of(v.format);
        if (f->klass == FMT_CLASS_BC || f->klass == FMT_CLASS_DEPTH) continue;
        struct outcome out = clear_surface(x, c, &v, format_store(f, p->color, srgb), 0xffffffff);
        if (out.reason && !first.reason) first = out;
    }
    return first;
}

static u32 depth_bits(const struct format *f, u32 format, float depth)
{
    (void)f;
    if (!(depth > 0.0f)) depth = 0;
    if (depth > 1.0f) depth = 1;
    u32 v;
    if (format == AGPU_FMT_D24S8) return (u32)((double)depth * 16777215.0 + 0.5);
    memcpy(&v, &depth, sizeof(v));
    return v;
}

struct outcome soft_clear(struct exec *x, struct context *c, const struct agpu_clear *p)
{
    struct outcome out = OBJ_OK;
    struct view v;
    x->clears++;
    if (p->flags & AGPU_CLEAR_COLOR) out = clear_color(x, c, p);
    if (!(p->flags & (AGPU_CLEAR_DEPTH | AGPU_CLEAR_STENCIL)) ||
        !find_target(x, c->depth_stencil, &v))
        return out;
    const struct format *f = format_of(v.format);
    if (f->klass != FMT_CLASS_DEPTH) return out;
    u32 value = depth_bits(f, v.format, p->depth), mask = 0;
    if (v.format == AGPU_FMT_D24S8) {
        if (p->flags & AGPU_CLEAR_DEPTH) mask |= 0x00ffffff;
        if (p->flags & AGPU_CLEAR_STENCIL) mask |= 0xff000000;
        value |= p->stencil << 24;
    } else if (p->flags & AGPU_CLEAR_DEPTH) {
        mask = 0xffffffff;
    }
    struct outcome depth = clear_surface(x, c, &v, value, mask);
    return out.reason ? out : depth;
}
