/* The software executor's objects: handles, buffers, textures, views, shared tokens, and their
 * traffic with guest memory.
 *
 * A resource keeps its bytes in the layout in which the guest has them, so that uploads, dirty
 * ranges and write-backs are copies of equal offsets. Handles are resolved when they are used: a
 * destroyed object that is still bound reads as unbound. All functions run on the executor's
 * thread. Document: the contract's parts "command stream", section 2, and "executor", sections 5
 * and 16. */
#ifndef GPU_SOFT_OBJECTS_H
#define GPU_SOFT_OBJECTS_H

#include "gpu/exec.h"
#include "gpu/soft/format.h"

enum object_kind {
    OBJ_NONE,
    OBJ_BUFFER,
    OBJ_TEXTURE,
    OBJ_VIEW,
    OBJ_SHADER,
    OBJ_LAYOUT,
    OBJ_SAMPLER
};
enum { OBJ_MAX_LIVE = 262144 };

struct byte_range {
    u64 begin, end;
};

struct box { /* texels; empty when x0 >= x1 */
    u32 x0, y0, x1, y1;
};

struct object {
    u32 kind;
    u32 handle;  /* the first one */
    u32 handles; /* that name it: the first one and aliases */
    u32 users;   /* views that keep a texture alive */
    u64 serial; /* tells objects that had the same handle apart; also changes with every change of a
                   texture's content */
};

enum { DIRTY_RANGES = 16 };

struct hook { /* in a list; zero: in none */
    struct hook *next, **at;
};
static inline void hook_add(struct hook **list, struct hook *k)
{
    if (k->at) return;
    k->next = *list;
    k->at = list;
    if (k->next) k->next->at = &k->next;
    *list = k;
}
static inline void hook_remove(struct hook *k)
{
    if (!k->at) return;
    *k->at = k->next;
    if (k->next) k->next->at = k->at;
    *k = (struct hook){ NULL, NULL };
}

struct resource { /* buffer or texture */
    struct object obj;
    u8 *data;
    u64 size, footprint; /* bytes; with the boxes, as counted */
    u32 alloc_id;        /* 0: host-owned */
    u32 alloc_offset;
    struct byte_range dirty[DIRTY_RANGES]; /* the guest's bytes are newer */
    u32 dirty_count;
    u64 version; /* grows with every change of the content */
    /* textures */
    u32 format, width, height, mips, layers, row_pitch;
    const struct format *f;
    u64 layer_size;
    struct box *touched; /* mips * layers boxes that guest memory has not seen yet; NULL: none */
    struct hook in_touched, in_dirty; /* in the lists of struct objects */
    u64 first_token;                  /* tokens.c's */
    void *decoded;    /* the sampler's cache of decompressed blocks; freed with the resource */
    u64 decoded_size; /* counts as memory, too */
};

struct view {
    struct object obj;
    struct resource *texture;
    u32 format, base_mip, mips, base_layer, layers;
};

/* Shaders, layouts and samplers: the packet's contents and what a front end made of it. */
struct blob {
    struct object obj;
    u8 stage; /* agpu_stage of shaders */
    u8 *bytes;
    u32 size;
    void *compiled; /* freed by `release` */
    void (*release)(void *compiled);
    u64 footprint; /* host memory, counted */
};

struct slot { /* of the handle table */
    u32 handle;
    struct object *object; /* NULL with a handle: deleted */
};

struct token_table { /* tokens.c */
    struct token *slots;
    u32 capacity, used, live;
    u64 *retired;
    u32 retired_first, retired_count, retired_capacity;
};

struct objects {
    const struct exec_host *host;
    const struct exec_batch *batch; /* the one that runs: its allocation table counts */
    struct slot *slots;             /* open addressing; capacity a power of two */
    u32 capacity, used, live;
    struct token_table tokens;
    struct hook *touched; /* with boxes to write back */
    struct hook *dirty;   /* backed ones that the guest changed, or may have */
    u64 bytes, cap;       /* host memory of all objects, and its limit */
    u64 serial;
    i64 *budget; /* the batch's: what moves bytes takes from it; NULL: nobody counts */
};

void objects_init(struct objects *o, const struct exec_host *host, u64 cap, i64 *budget);
void objects_clear(struct objects *o); /* everything goes */

struct object *object_find(struct objects *o, u32 handle);
struct resource *resource_find(struct objects *o,
                               u32 handle); /* buffer or texture; not through views */
struct resource *texture_find(struct objects *o, u32 handle);
struct resource *buffer_find(struct objects *o, u32 handle);
/* A texture or a view of one: fills v (whole texture: its own format, all mips and layers). False:
 * neither. */
bool surface_find(struct objects *o, u32 handle, struct view *v);

/* Results of operations: what the batch reports. OBJ_OK, or a reason for people with the error to
 * report; AGPU_E_NONE: the packet has no effect and nothing is reported. */
struct outcome {
    enum agpu_error error;
    const char *reason; /* NULL: fine */
};
#define OBJ_OK ((struct outcome){ AGPU_E_NONE, NULL })

struct outcome object_create_buffer(struct objects *o, const struct agpu_create_buffer *p);
struct outcome object_create_texture(struct objects *o, const struct agpu_create_texture2d *p);
struct outcome object_create_view(struct objects *o, const struct agpu_create_texture_view *p);
/* Copies the bytes; when there is no memory for them it has none. */
struct outcome object_create_blob(struct objects *o, u32 kind, u32 handle, u8 stage,
                                  const u8 *bytes, u32 size, struct blob **out);
/* More memory for what is made of a blob; false: none is left. */
bool objects_reserve(struct objects *o, struct blob *b, u64 bytes);
void object_destroy(struct objects *o, u32 handle,
                    u32 kind_mask); /* 1 << OBJ_*; another kind or unknown: nothing */

struct outcome object_upload(struct objects *o, const struct agpu_range_packet *p, const u8 *data);
struct outcome object_dirty(struct objects *o, const struct agpu_range_packet *p);
struct outcome object_copy_buffer(struct objects *o, const struct agpu_copy_buffer *p);
struct outcome object_copy_texture(struct objects *o, const struct agpu_copy_texture2d *p);

/* One more handle for a resource. */
struct outcome object_alias(struct objects *o, u32 handle, struct resource *r);
struct outcome object_export(struct objects *o, const struct agpu_share_packet *p);
struct outcome object_import(struct objects *o, const struct agpu_share_packet *p);
void object_release_token(struct objects *o, u64 token);
void objects_forget_retired(
    struct objects *o); /* the driver starts anew and counts its tokens from 1 */

void tokens_end_resource(struct objects *o, struct resource *r); /* all of its tokens retire */
void tokens_clear(struct objects *o);

/* What moving bytes costs, in the units of a batch's budget. */
static inline void objects_spend(struct objects *o, u64 bytes)
{
    if (o->budget) *o->budget -= (i64)(bytes / 2) + 64;
}

/* Before a use: brings in what the guest changed. */
struct outcome resource_refresh(struct objects *o, struct resource *r);
/* After rendering or copying into a texture's box. */
void resource_touch(struct objects *o, struct resource *r, u32 mip, u32 layer, const struct box *b);
void resource_set_dirty(struct objects *o, struct resource *r, u64 begin, u64 end);
/* The whole of it is about to be overwritten: what the guest changed does not matter. */
void resource_forget_dirty(struct resource *r, u64 begin, u64 end);
/* Before a resource is destroyed: what was drawn into it in this batch still goes to guest memory.
 */
struct outcome object_settle(struct objects *o, u32 handle);
/* At the end of a batch: touched boxes of guest-backed colour textures go to guest memory,
 * remaining dirty ranges come in. */
struct outcome objects_end_batch(struct objects *o);

static inline void texture_sub(const struct resource *r, u32 mip, u32 layer, struct subresource *s)
{
    format_mip(r->f, r->width, r->height, r->row_pitch, mip, s);
    s->offset += (u64)layer * r->layer_size;
}

#endif
