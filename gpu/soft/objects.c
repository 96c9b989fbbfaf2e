/* Handles, resources and views (objects.h). Traffic with guest memory is in transfer.c, share
 * tokens are in tokens.c. */
#include "gpu/soft/objects.h"

#include <stdlib.h>

#define DROP(why) ((struct outcome){ AGPU_E_NONE, why })
#define FAIL(code, why) ((struct outcome){ code, why })

/* ---- handle table ---- */

static u32 hash(u32 handle)
{
    return handle * 0x9e3779b1u;
}

static struct slot *probe(struct slot *slots, u32 capacity, u32 handle)
{
    u32 mask = capacity - 1;
    for (u32 at = hash(handle) & mask;; at = (at + 1) & mask) {
        if (slots[at].handle == handle || !slots[at].handle) return &slots[at];
    }
}

struct object *object_find(struct objects *o, u32 handle)
{
    return handle && o->capacity ? probe(o->slots, o->capacity, handle)->object : NULL;
}

static void grow(struct objects *o)
{
    u32 capacity = 1024;
    while (capacity < o->live * 4 + 4) capacity *= 2;
    struct slot *slots = xalloc(capacity * sizeof(*slots));
    o->used = 0;
    for (u32 k = 0; k < o->capacity; k++) {
        if (!o->slots[k].object) continue;
        *probe(slots, capacity, o->slots[k].handle) = o->slots[k];
        o->used++;
    }
    free(o->slots);
    o->slots = slots;
    o->capacity = capacity;
}

static void insert(struct objects *o, u32 handle, struct object *object)
{
    if ((o->used + 1) * 2 > o->capacity) grow(o);
    struct slot *s = probe(o->slots, o->capacity, handle);
    if (!s->handle) o->used++;
    *s = (struct slot){ handle, object };
    object->handles++;
    o->live++;
}

static void remove_handle(struct objects *o, u32 handle)
{
    struct slot *s = probe(o->slots, o->capacity, handle);
    if (!s->object) return;
    s->object = NULL;
    o->live--;
}

struct resource *resource_find(struct objects *o, u32 handle)
{
    struct object *x = object_find(o, handle);
    return x && (x->kind == OBJ_BUFFER || x->kind == OBJ_TEXTURE) ? (struct resource *)x : NULL;
}

struct resource *texture_find(struct objects *o, u32 handle)
{
    struct resource *r = resource_find(o, handle);
    return r && r->obj.kind == OBJ_TEXTURE ? r : NULL;
}

struct resource *buffer_find(struct objects *o, u32 handle)
{
    struct resource *r = resource_find(o, handle);
    return r && r->obj.kind == OBJ_BUFFER ? r : NULL;
}

bool surface_find(struct objects *o, u32 handle, struct view *v)
{
    struct object *x = object_find(o, handle);
    if (x && x->kind == OBJ_VIEW) {
        *v = *(struct view *)x;
        return true;
    }
    if (!x || x->kind != OBJ_TEXTURE) return false;
    struct resource *r = (struct resource *)x;
    *v = (struct view){ r->obj, r, r->format, 0, r->mips, 0, r->layers };
    return true;
}

/* ---- life and death ---- */

static void free_resource(struct objects *o, struct resource *r)
{
    hook_remove(&r->in_touched);
    hook_remove(&r->in_dirty);
    tokens_end_resource(o, r);
    o->bytes -= r->footprint + r->decoded_size;
    free(r->data);
    free(r->touched);
    free(r->decoded);
    free(r);
}

static void free_object(struct objects *o, struct object *x)
{
    if (x->kind == OBJ_BUFFER || x->kind == OBJ_TEXTURE) {
        free_resource(o, (struct resource *)x);
        return;
    }
    if (x->kind == OBJ_VIEW) {
        struct object *t = &((struct view *)x)->texture->obj;
        if (!--t->users && !t->handles) free_object(o, t);
    } else {
        struct blob *b = (struct blob *)x;
        if (b->release) b->release(b->compiled);
        o->bytes -= b->footprint;
        free(b->bytes);
    }
    free(x);
}

void object_destroy(struct objects *o, u32 handle, u32 kind_mask)
{
    struct object *x = object_find(o, handle);
    if (!x || !(kind_mask >> x->kind & 1)) return;
    remove_handle(o, handle);
    if (!--x->handles && !x->users) free_object(o, x);
}

void objects_init(struct objects *o, const struct exec_host *host, u64 cap, i64 *budget)
{
    *o = (struct objects){ .host = host, .cap = cap, .budget = budget };
    grow(o);
}

void objects_clear(struct objects *o)
{
    /* views first: they hold textures */
    for (int pass = 0; pass < 2; pass++) {
        for (u32 k = 0; k < o->capacity; k++) {
            struct object *x = o->slots[k].object;
            if (x && (pass || x->kind == OBJ_VIEW)) object_destroy(o, o->slots[k].handle, ~0u);
        }
    }
    free(o->slots);
    tokens_clear(o);
    objects_init(o, o->host, o->cap, o->budget);
}

/* ---- creating ---- */

/* NULL and *why: no room, or the handle is taken by something else. */
static void *make(struct objects *o, u32 kind, u32 handle, size_t size, const char **why)
{
    *why = "handle in use";
    if (object_find(o, handle)) return NULL;
    *why = "too many objects";
    if (o->live >= OBJ_MAX_LIVE) return NULL;
    struct object *x = xalloc(size);
    x->kind = kind;
    x->handle = handle;
    x->serial = ++o->serial;
    insert(o, handle, x);
    return x;
}

/* The allocation that backs [offset, offset + size), or why not. */
static struct outcome check_backing(struct objects *o, u32 alloc_id, u32 offset, u64 size)
{
    if (!alloc_id) return OBJ_OK;
    const struct exec_range *r = exec_range_find(o->batch, alloc_id);
    if (!r) return FAIL(AGPU_E_BACKEND, "allocation id not in the table");
    if (size > r->size || offset > r->size - size)
        return FAIL(AGPU_E_OOB, "resource beyond its allocation");
    return OBJ_OK;
}

static void set_backing(struct objects *o, struct resource *r, u32 alloc_id, u32 offset)
{
    r->alloc_id = alloc_id;
    r->alloc_offset = offset;
    r->dirty_count = 0;
    if (alloc_id) resource_set_dirty(o, r, 0, r->size);
}

static bool room(const struct objects *o, u64 bytes)
{
    return bytes <= o->cap && o->bytes <= o->cap - bytes;
}

/* Host memory, zeroed; past the cap the object exists and reads zero. */
static void allocate(struct objects *o, struct resource *r)
{
    u64 bytes = r->size + (u64)r->mips * r->layers * sizeof(*r->touched);
    r->version = ++o->serial;
    if (!room(o, bytes)) return;
    r->data = calloc(1, r->size + 16); /* vertex fetch reads 16 bytes at a time */
    if (!r->data) return;
    r->footprint = bytes;
    o->bytes += bytes;
}

struct outcome object_create_buffer(struct objects *o, const struct agpu_create_buffer *p)
{
    const char *why;
    if (p->size_bytes > 256 * MIB) return DROP("buffer larger than 256 MiB");
    struct outcome out =
        check_backing(o, p->backing_alloc_id, p->backing_offset_bytes, p->size_bytes);
    if (out.reason) return out;
    struct resource *r = buffer_find(o, p->buffer_handle);
    if (r && r->size == p->size_bytes) { /* the same again: only its backing may be new */
        set_backing(o, r, p->backing_alloc_id, p->backing_offset_bytes);
        return OBJ_OK;
    }
    r = make(o, OBJ_BUFFER, p->buffer_handle, sizeof(*r), &why);
    if (!r) return DROP(why);
    r->size = p->size_bytes;
    allocate(o, r);
    set_backing(o, r, p->backing_alloc_id, p->backing_offset_bytes);
    return OBJ_OK;
}

static bool same_texture(const struct resource *r, const struct agpu_create_texture2d *p)
{
    return r->format == p->format && r->width == p->width && r->height == p->height &&
           r->mips == p->mip_levels && r->layers == p->array_layers;
}

struct outcome object_create_texture(struct objects *o, const struct agpu_create_texture2d *p)
{
    const struct format *f = format_of(p->format);
    struct subresource top;
    const char *why;
    if (!f) return DROP("unknown format");
    format_mip(f, p->width, p->height, 0, 0, &top);
    bool backed = p->backing_alloc_id != 0;
    if ((backed || p->row_pitch_bytes) && p->row_pitch_bytes < top.pitch)
        return DROP("row pitch below the tight one");
    if (p->row_pitch_bytes > 1u << 20) return DROP("row pitch above 1 MiB");
    u64 layer = format_layer_size(f, p->width, p->height, p->row_pitch_bytes, p->mip_levels);
    u64 size = layer * p->array_layers;
    if (size > GIB) return DROP("texture larger than 1 GiB");
    struct outcome out = check_backing(o, p->backing_alloc_id, p->backing_offset_bytes, size);
    if (out.reason) return out;
    struct resource *r = texture_find(o, p->texture_handle);
    if (r && same_texture(r, p) && r->layer_size == layer) {
        set_backing(o, r, p->backing_alloc_id, p->backing_offset_bytes);
        return OBJ_OK;
    }
    r = make(o, OBJ_TEXTURE, p->texture_handle, sizeof(*r), &why);
    if (!r) return DROP(why);
    r->f = f;
    r->format = p->format;
    r->width = p->width;
    r->height = p->height;
    r->mips = p->mip_levels;
    r->layers = p->array_layers;
    r->row_pitch = p->row_pitch_bytes;
    r->layer_size = layer;
    r->size = size;
    allocate(o, r);
    set_backing(o, r, p->backing_alloc_id, p->backing_offset_bytes);
    return OBJ_OK;
}

struct outcome object_create_view(struct objects *o, const struct agpu_create_texture_view *p)
{
    const char *why;
    struct resource *r = texture_find(o, p->texture_handle);
    if (!r) return DROP("view of no texture");
    if ((u64)p->base_mip_level + p->mip_level_count > r->mips ||
        (u64)p->base_array_layer + p->array_layer_count > r->layers)
        return DROP("view beyond its texture");
    if (!format_viewable(r->format, p->format)) return DROP("view of another kind of format");
    struct view *v = make(o, OBJ_VIEW, p->view_handle, sizeof(*v), &why);
    if (!v) return DROP(why);
    v->texture = r;
    v->format = p->format;
    v->base_mip = p->base_mip_level;
    v->mips = p->mip_level_count;
    v->base_layer = p->base_array_layer;
    v->layers = p->array_layer_count;
    r->obj.users++;
    return OBJ_OK;
}

struct outcome object_alias(struct objects *o, u32 handle, struct resource *r)
{
    struct object *have = object_find(o, handle);
    if (have) return have == &r->obj ? OBJ_OK : DROP("handle in use");
    if (o->live >= OBJ_MAX_LIVE) return DROP("too many objects");
    insert(o, handle, &r->obj);
    return OBJ_OK;
}

struct outcome object_create_blob(struct objects *o, u32 kind, u32 handle, u8 stage,
                                  const u8 *bytes, u32 size, struct blob **out)
{
    const char *why;
    *out = NULL;
    if (size > 512 * KIB) return DROP("blob larger than 512 KiB");
    struct blob *b = make(o, kind, handle, sizeof(*b), &why);
    if (!b) return DROP(why);
    b->stage = stage;
    b->size = objects_reserve(o, b, size) ? size : 0;
    b->bytes = xalloc(b->size + 1);
    memcpy(b->bytes, bytes, b->size);
    *out = b;
    return OBJ_OK;
}

bool objects_reserve(struct objects *o, struct blob *b, u64 bytes)
{
    if (!room(o, bytes)) return false;
    b->footprint += bytes;
    o->bytes += bytes;
    return true;
}
