/* PRESENT: colour target 0 of the context becomes visible. A guest-backed target is written back
 * with its batch and the scanout looks at it itself; one without guest memory is converted and
 * copied to where scanout 0 looks, or nobody would ever see it. Document: the contract's parts "PCI
 * function and registers", section 7.5, and "executor", section 15. */
#include "gpu/soft/soft.h"

/* One pixel in the scanout's format; 565 and 5551 by truncation, alpha of the latter from 80h on.
 */
static u32 scanout_pixel(const u8 *p, const struct format *from, u32 to)
{
    u32 r, g, b, a = 255;
    if (from->klass == FMT_CLASS_8888) {
        r = p[from->rgba ? 0 : 2];
        g = p[1];
        b = p[from->rgba ? 2 : 0];
        if (from->alpha) a = p[3];
    } else {
        float v[4];
        format_load(from, p, v);
        r = unorm8(v[0]);
        g = unorm8(v[1]);
        b = unorm8(v[2]);
        a = unorm8(v[3]);
    }
    const struct format *f = format_of(to);
    if (f->klass == FMT_CLASS_565) return (r >> 3) << 11 | (g >> 2) << 5 | b >> 3;
    if (f->klass == FMT_CLASS_5551)
        return (u32)(a >= 0x80) << 15 | (r >> 3) << 10 | (g >> 3) << 5 | b >> 3;
    if (!f->alpha) a = 255;
    return a << 24 | g << 8 | (f->rgba ? b << 16 | r : r << 16 | b);
}

struct outcome soft_present(struct exec *x, struct context *c)
{
    struct exec_scanout s;
    struct view v;
    struct subresource sub;
    u32 handle = 0;
    for (u32 k = 0; k < c->target_count && !handle; k++) handle = c->targets[k];
    x->presents++;
    if (!handle || !surface_find(&x->objects, handle, &v)) return OBJ_OK;
    struct resource *r = v.texture;
    if (r->alloc_id || !r->data || r->f->klass == FMT_CLASS_BC || r->f->klass == FMT_CLASS_DEPTH)
        return OBJ_OK;
    if (!x->host.scanout(x->host.opaque, &s)) return OBJ_OK;
    texture_sub(r, v.base_mip, v.base_layer, &sub);
    u32 width = MIN(sub.width, s.width), height = MIN(sub.height, s.height),
        bytes = agpu_scanout_bpp(s.format);
    if (!bytes) return OBJ_OK; /* a damaged recording says so; the device shows nothing then */
    objects_spend(&x->objects, (u64)width * height * 8);
    u8 row[ACMD_MAX_DIMENSION * 4];
    for (u32 y = 0; y < height; y++) {
        const u8 *p = r->data + sub.offset + (u64)y * sub.pitch;
        for (u32 px = 0; px < width; px++)
            st_n(row + (size_t)px * bytes,
                 scanout_pixel(p + (size_t)px * r->f->bytes, r->f, s.format), bytes);
        if (!x->host.write(x->host.opaque, s.gpa + (u64)y * s.pitch, row, (u64)width * bytes))
            return (struct outcome){ AGPU_E_BACKEND, "scanout outside memory" };
    }
    return OBJ_OK;
}
