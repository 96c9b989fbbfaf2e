/* Bytes in and out of resources: uploads, dirty ranges, copies, write-back to guest memory
 * (objects.h). */
#include <stdlib.h>

#include "gpu/soft/objects.h"

#define DROP(why) ((struct outcome){ AGPU_E_NONE, why })
#define FAIL(code, why) ((struct outcome){ code, why })

/* ---- guest to host ---- */

/* Adds [begin, end) to the dirty ranges; when there are too many the last one grows. */
void resource_set_dirty(struct objects *o, struct resource *r, u64 begin, u64 end)
{
    hook_add(&o->dirty, &r->in_dirty);
    for (u32 k = 0; k < r->dirty_count; k++) {
        struct byte_range *d = &r->dirty[k];
        if (begin > d->end || end < d->begin) continue;
        d->begin = MIN(d->begin, begin);
        d->end = MAX(d->end, end);
        return;
    }
    if (r->dirty_count == DIRTY_RANGES) {
        struct byte_range *d = &r->dirty[DIRTY_RANGES - 1];
        d->begin = MIN(d->begin, begin);
        d->end = MAX(d->end, end);
        return;
    }
    r->dirty[r->dirty_count++] = (struct byte_range){ begin, end };
}

void resource_forget_dirty(struct resource *r, u64 begin, u64 end)
{
    u32 kept = 0;
    for (u32 k = 0; k < r->dirty_count; k++) {
        struct byte_range d = r->dirty[k];
        if (begin <= d.begin && d.end <= end) continue;
        if (begin <= d.begin && end > d.begin)
            d.begin = end;
        else if (end >= d.end && begin < d.end)
            d.end = begin;
        r->dirty[kept++] = d;
    }
    r->dirty_count = kept;
}

struct outcome resource_refresh(struct objects *o, struct resource *r)
{
    if (!r->dirty_count) return OBJ_OK;
    const struct exec_range *a = exec_range_find(o->batch, r->alloc_id);
    if (!a)
        return OBJ_OK; /* stays dirty until a batch brings the allocation; the bytes known so far
                          are used */
    if (r->size > a->size || r->alloc_offset > a->size - r->size)
        return FAIL(AGPU_E_OOB, "allocation smaller than its resource");
    bool whole = true;
    for (u32 k = 0; k < r->dirty_count && r->data; k++) {
        struct byte_range d = r->dirty[k];
        if (!o->host->read(o->host->opaque, a->gpa + r->alloc_offset + d.begin, r->data + d.begin,
                           d.end - d.begin))
            whole = false;
        objects_spend(o, d.end - d.begin);
    }
    r->dirty_count = 0;
    r->version = ++o->serial;
    return whole ? OBJ_OK : FAIL(AGPU_E_OOB, "allocation outside memory");
}

struct outcome object_dirty(struct objects *o, const struct agpu_range_packet *p)
{
    struct resource *r = resource_find(o, p->handle);
    if (!r) return DROP("dirty range of an unknown resource");
    if (!r->alloc_id || !p->size_bytes) return OBJ_OK;
    if (p->offset_bytes > r->size || p->size_bytes > r->size - p->offset_bytes)
        return DROP("dirty range beyond its resource");
    resource_set_dirty(o, r, p->offset_bytes, p->offset_bytes + p->size_bytes);
    return OBJ_OK;
}

/* ---- host to guest ---- */

/* Where the resource's bytes are in guest memory now, for writing. */
static struct outcome writable(struct objects *o, const struct resource *r, u64 *gpa)
{
    const struct exec_range *a = r->alloc_id ? exec_range_find(o->batch, r->alloc_id) : NULL;
    if (!r->alloc_id) return FAIL(AGPU_E_BACKEND, "write-back of a resource without guest memory");
    if (!a) return FAIL(AGPU_E_BACKEND, "allocation id not in the table");
    if (a->flags & AGPU_ALLOC_READONLY)
        return FAIL(AGPU_E_BACKEND, "write-back into a read-only allocation");
    if (r->size > a->size || r->alloc_offset > a->size - r->size)
        return FAIL(AGPU_E_OOB, "allocation smaller than its resource");
    *gpa = a->gpa + r->alloc_offset;
    return OBJ_OK;
}

static bool put(struct objects *o, u64 gpa, const struct resource *r, u64 at, u64 len)
{
    return o->host->write(o->host->opaque, gpa + at, r->data + at, len);
}

/* The rows of a box of one subresource. */
static struct outcome put_box(struct objects *o, struct resource *r, u64 gpa, u32 mip, u32 layer,
                              const struct box *b)
{
    struct subresource s;
    texture_sub(r, mip, layer, &s);
    u32 block = r->f->block, first = b->x0 / block * r->f->bytes;
    u32 len = (b->x1 + block - 1) / block * r->f->bytes - first;
    for (u32 row = b->y0 / block; row < (b->y1 + block - 1) / block; row++) {
        if (!put(o, gpa, r, s.offset + (u64)row * s.pitch + first, len))
            return FAIL(AGPU_E_OOB, "allocation outside memory");
    }
    return OBJ_OK;
}

void resource_touch(struct objects *o, struct resource *r, u32 mip, u32 layer, const struct box *b)
{
    r->version = ++o->serial;
    if (!r->data || !r->alloc_id || r->f->klass == FMT_CLASS_DEPTH || b->x0 >= b->x1 ||
        b->y0 >= b->y1)
        return;
    if (!r->touched) r->touched = xalloc((size_t)r->mips * r->layers * sizeof(*r->touched));
    struct box *t = &r->touched[layer * r->mips + mip];
    if (t->x0 >= t->x1) *t = *b;
    *t = (struct box){ MIN(t->x0, b->x0), MIN(t->y0, b->y0), MAX(t->x1, b->x1), MAX(t->y1, b->y1) };
    hook_add(&o->touched, &r->in_touched);
}

static struct outcome write_back(struct objects *o, struct resource *r)
{
    u64 gpa = 0;
    struct outcome out = writable(o, r, &gpa);
    for (u32 k = 0; k < r->mips * r->layers; k++) {
        struct box *t = &r->touched[k];
        if (t->x0 >= t->x1) continue;
        if (!out.reason && r->data) out = put_box(o, r, gpa, k % r->mips, k / r->mips, t);
        *t = (struct box){ 0, 0, 0, 0 };
    }
    hook_remove(&r->in_touched);
    return out;
}

struct outcome object_settle(struct objects *o, u32 handle)
{
    struct resource *r = resource_find(o, handle);
    if (!r || !r->in_touched.at || !exec_range_find(o->batch, r->alloc_id)) return OBJ_OK;
    return write_back(o, r);
}

struct outcome objects_end_batch(struct objects *o)
{
    struct outcome first = OBJ_OK;
    for (struct hook *k = o->touched, *next; k; k = next) {
        struct resource *r = container_of(k, struct resource, in_touched);
        next = k->next;
        if (!exec_range_find(o->batch, r->alloc_id)) continue; /* a batch with it will take it */
        struct outcome out = write_back(o, r);
        if (out.reason && !first.reason) first = out;
    }
    /* The guest may reuse what it reported dirty once the fence is through. */
    for (struct hook *k = o->dirty, *next; k; k = next) {
        struct resource *r = container_of(k, struct resource, in_dirty);
        next = k->next;
        struct outcome out = resource_refresh(o, r);
        if (out.reason && !first.reason) first = out;
        if (!r->dirty_count) hook_remove(k);
    }
    return first;
}

/* ---- uploads and copies ---- */

struct outcome object_upload(struct objects *o, const struct agpu_range_packet *p, const u8 *data)
{
    struct resource *r = resource_find(o, p->handle);
    if (!r) return DROP("upload to an unknown resource");
    if (p->offset_bytes > r->size || p->size_bytes > r->size - p->offset_bytes)
        return DROP("upload beyond its resource");
    if (r->obj.kind == OBJ_BUFFER && p->offset_bytes & 3) return DROP("upload is not aligned to 4");
    if (!p->size_bytes || !r->data) return OBJ_OK;
    if (o->budget && *o->budget <= 0 && r->dirty_count) return DROP("the batch is out of time");
    resource_forget_dirty(r, p->offset_bytes, p->offset_bytes + p->size_bytes);
    struct outcome out = resource_refresh(o, r);
    memcpy(r->data + p->offset_bytes, data, p->size_bytes);
    r->version = ++o->serial;
    return out;
}

struct outcome object_copy_buffer(struct objects *o, const struct agpu_copy_buffer *p)
{
    struct resource *dst = buffer_find(o, p->dst_buffer), *src = buffer_find(o, p->src_buffer);
    u64 gpa = 0, n = p->size_bytes;
    if (!dst || !src) return DROP("copy of an unknown buffer");
    if (n > dst->size || p->dst_offset_bytes > dst->size - n || n > src->size ||
        p->src_offset_bytes > src->size - n)
        return DROP("copy beyond its buffer");
    if (!n) return OBJ_OK;
    struct outcome out = OBJ_OK;
    if (p->flags & AGPU_COPY_WRITEBACK_DST) out = writable(o, dst, &gpa);
    if (out.reason) return out;
    out = resource_refresh(o, src);
    if (!out.reason) out = resource_refresh(o, dst);
    if (!dst->data || !src->data) return out;
    objects_spend(o, n);
    memmove(dst->data + p->dst_offset_bytes, src->data + p->src_offset_bytes, n);
    dst->version = ++o->serial;
    if (p->flags & AGPU_COPY_WRITEBACK_DST && !put(o, gpa, dst, p->dst_offset_bytes, n))
        out = FAIL(AGPU_E_OOB, "allocation outside memory");
    return out;
}

/* Whether [at, at + len) lies in 0..size and, for blocks, on their edges or the subresource's. */
static bool span_fits(u32 at, u32 len, u32 size, u32 block)
{
    if (len > size || at > size - len) return false;
    return at % block == 0 && (len % block == 0 || at + len == size);
}

static bool copy_fits(const struct resource *dst, const struct subresource *d,
                      const struct subresource *s, const struct agpu_copy_texture2d *p)
{
    u32 block = dst->f->block;
    return span_fits(p->dst_x, p->width, d->width, block) &&
           span_fits(p->dst_y, p->height, d->height, block) &&
           span_fits(p->src_x, p->width, s->width, block) &&
           span_fits(p->src_y, p->height, s->height, block);
}

/* Rows from src to dst; overlapping rectangles of one subresource come out as if the source had
 * been copied first. */
static void copy_rows(struct resource *dst, const struct subresource *d, const struct resource *src,
                      const struct subresource *s, const struct agpu_copy_texture2d *p)
{
    u32 block = dst->f->block, bytes = dst->f->bytes;
    u32 rows = (p->height + block - 1) / block;
    size_t len = (size_t)((p->width + block - 1) / block) * bytes;
    u8 *to = dst->data + d->offset + (u64)(p->dst_y / block) * d->pitch +
             (u64)(p->dst_x / block) * bytes;
    const u8 *from = src->data + s->offset + (u64)(p->src_y / block) * s->pitch +
                     (u64)(p->src_x / block) * bytes;
    bool up = to > from; /* last row first */
    for (u32 k = 0; k < rows; k++) {
        u32 row = up ? rows - 1 - k : k;
        memmove(to + (u64)row * d->pitch, from + (u64)row * s->pitch, len);
        if (dst->f->klass != FMT_CLASS_8888 || dst->f->alpha) continue;
        for (size_t x = 3; x < len; x += 4)
            to[(u64)row * d->pitch + x] = 0xff; /* X bytes are opaque */
    }
}

struct outcome object_copy_texture(struct objects *o, const struct agpu_copy_texture2d *p)
{
    struct resource *dst = texture_find(o, p->dst_texture), *src = texture_find(o, p->src_texture);
    struct subresource d, s;
    u64 gpa = 0;
    if (!dst || !src) return DROP("copy of an unknown texture");
    if (p->dst_mip_level >= dst->mips || p->dst_array_layer >= dst->layers ||
        p->src_mip_level >= src->mips || p->src_array_layer >= src->layers)
        return DROP("copy of a missing mip or layer");
    if (!format_same_bits(dst->format, src->format)) return DROP("copy between formats");
    if (!p->width || !p->height) return OBJ_OK;
    texture_sub(dst, p->dst_mip_level, p->dst_array_layer, &d);
    texture_sub(src, p->src_mip_level, p->src_array_layer, &s);
    if (!copy_fits(dst, &d, &s, p)) return DROP("copy beyond its texture");
    bool back = p->flags & AGPU_COPY_WRITEBACK_DST;
    struct outcome out = back ? writable(o, dst, &gpa) : OBJ_OK;
    if (out.reason) return out;
    out = resource_refresh(o, src);
    if (!out.reason) out = resource_refresh(o, dst);
    if (!dst->data || !src->data) return out;
    objects_spend(o, (u64)p->width * p->height * 4);
    copy_rows(dst, &d, src, &s, p);
    const struct box box = { p->dst_x, p->dst_y, p->dst_x + p->width, p->dst_y + p->height };
    if (back) {
        struct outcome put_out = put_box(o, dst, gpa, p->dst_mip_level, p->dst_array_layer, &box);
        dst->version = ++o->serial;
        return out.reason ? out : put_out;
    }
    resource_touch(o, dst, p->dst_mip_level, p->dst_array_layer, &box);
    return out;
}
