/* DRAW and DRAW_INDEXED: primitives are assembled from indices, the vertices of up to 128 of them
 * are shaded in one batch of 64, then they are rasterised in order. Document: the contract's part
 * "executor", section 6.2. */
#include "gpu/soft/draw.h"

#include <stdlib.h>

#include "gpu/soft/setup.h"

enum { VERTEX_COST = 64, MAP = 256 };

struct assembler {
    struct draw *d;
    /* indices */
    const u8 *indices; /* NULL: 0, 1, 2, ... */
    u64 index_bytes;   /* from `indices` to the end of its buffer */
    u32 index_size, first, count, topology;
    i32 base_vertex;
    /* the batch */
    u32 ids[BATCH_VERTICES], vertices;
    u32 prims[BATCH_PRIMITIVES][3], prim_count;
    u8 corners; /* of a primitive */
    struct {
        u32 id, stamp;
        u8 place;
    } map[MAP];
    u32 stamp;
    struct vertex shaded[BATCH_VERTICES];
};

struct scratch { /* of one draw: too large for a stack */
    struct draw draw;
    struct assembler assembler;
};

static u32 vertex_id(const struct assembler *a, u32 n)
{
    if (!a->indices) return a->first + n;
    u64 at = (u64)n * a->index_size;
    u32 index = 0;
    if (at + a->index_size <= a->index_bytes)
        index = a->index_size == 2 ? ld16(a->indices + at) : ld32(a->indices + at);
    return index + (u32)a->base_vertex;
}

/* ---- the batch ---- */

static void shade_vertices(struct assembler *a)
{
    struct draw *d = a->d;
    vertex_fetch(d, a->ids, a->vertices);
    d->vs_state->active = a->vertices == LANES ? ~0ull : (1ull << a->vertices) - 1;
    ir_run(d->vs, &d->vs_env, d->vs_state);
    *d->budget -= (i64)a->vertices * VERTEX_COST;
    struct lanes *out = d->vs_state->outputs;
    for (u32 l = 0; l < a->vertices; l++) {
        struct vertex *v = &a->shaded[l];
        for (unsigned c = 0; c < 4; c++) v->pos[c] = lanes_f(&out[d->position_output], c)[l];
        v->psize = lanes_f(&out[d->psize_output], 0)[l];
        for (u32 n = 0; n < d->link_count; n++) {
            u8 from = d->attribute_output[n];
            for (unsigned c = 0; c < 4; c++) {
                float f = from == 0xff ? 0.0f : lanes_f(&out[from], c)[l];
                if (d->clamp_attribute[n]) f = f > 0.0f ? MIN(f, 1.0f) : 0.0f;
                v->attr[n][c] = f;
            }
        }
    }
}

static void flush(struct assembler *a)
{
    if (a->prim_count) shade_vertices(a);
    for (u32 k = 0; k<a->prim_count && * a->d->budget> 0; k++) {
        const u32 *p = a->prims[k];
        if (a->corners == 1)
            raster_point(a->d, &a->shaded[p[0]]);
        else if (a->corners == 2)
            raster_line(a->d, &a->shaded[p[0]], &a->shaded[p[1]]);
        else
            raster_triangle(a->d, &a->shaded[p[0]], &a->shaded[p[1]], &a->shaded[p[2]]);
    }
    a->prim_count = a->vertices = 0;
    a->stamp++;
}

/* The place of a vertex in the batch, adding it when it is new. There is room. */
static u32 place(struct assembler *a, u32 id)
{
    u32 h = id * 0x9e3779b1u >> 24;
    if (a->map[h].stamp == a->stamp && a->map[h].id == id) return a->map[h].place;
    a->map[h].stamp = a->stamp;
    a->map[h].id = id;
    a->map[h].place = (u8)a->vertices;
    a->ids[a->vertices] = id;
    return a->vertices++;
}

static void primitive(struct assembler *a, u32 n0, u32 n1, u32 n2)
{
    const u32 n[3] = { n0, n1, n2 };
    if (a->vertices + 3 > BATCH_VERTICES || a->prim_count == BATCH_PRIMITIVES) flush(a);
    for (unsigned k = 0; k < a->corners; k++)
        a->prims[a->prim_count][k] = place(a, vertex_id(a, n[k]));
    a->prim_count++;
}

/* ---- assembly ---- */

static void assemble(struct assembler *a)
{
    const i64 *budget = a->d->budget;
    u32 n = a->count;
    a->corners = a->topology == AGPU_TOPO_POINTS ? 1 : a->topology <= AGPU_TOPO_LINE_STRIP ? 2 : 3;
    switch (a->topology) {
    case AGPU_TOPO_POINTS:
        for (u32 k = 0; k<n && * budget> 0; k++) primitive(a, k, 0, 0);
        break;
    case AGPU_TOPO_LINES:
        for (u32 k = 0; n >= 2 && k <= n - 2 && *budget > 0; k += 2) primitive(a, k, k + 1, 0);
        break;
    case AGPU_TOPO_LINE_STRIP:
        for (u32 k = 0; n >= 2 && k <= n - 2 && *budget > 0; k++) primitive(a, k, k + 1, 0);
        break;
    case AGPU_TOPO_TRIANGLES:
        for (u32 k = 0; n >= 3 && k <= n - 3 && *budget > 0; k += 3) primitive(a, k, k + 1, k + 2);
        break;
    case AGPU_TOPO_STRIP:
        for (u32 k = 0; n >= 3 && k <= n - 3 && *budget > 0; k++)
            primitive(a, k, k + (k & 1 ? 2 : 1), k + (k & 1 ? 1 : 2));
        break;
    case AGPU_TOPO_FAN:
        for (u32 k = 0; n >= 3 && k <= n - 3 && *budget > 0; k++) primitive(a, k + 1, k + 2, 0);
        break;
    default: break; /* adjacency and patches need stages that Direct3D 9 does not have */
    }
    flush(a);
}

static bool set_indices(struct assembler *a, struct context *c, const struct agpu_draw_indexed *p)
{
    struct resource *r = buffer_find(&a->d->x->objects, c->index_buffer);
    if (!r) return false;
    resource_refresh(&a->d->x->objects, r);
    a->index_size = c->index_format == AGPU_INDEX_16 ? 2 : 4;
    u64 at = c->index_offset + (u64)p->first_index * a->index_size;
    if (!r->data || at >= r->size) return false;
    a->indices = r->data + at;
    a->index_bytes = r->size - at;
    a->count = p->index_count;
    a->base_vertex = p->base_vertex;
    return true;
}

static void finish(struct draw *d)
{
    if (d->touched.x0 >= d->touched.x1) return;
    for (u32 k = 0; k < d->target_count; k++) {
        const struct target *t = &d->target[k];
        if (t->r) resource_touch(&d->x->objects, t->r, t->mip, t->layer, &d->touched);
    }
    if (d->depth.r)
        resource_touch(&d->x->objects, d->depth.r, d->depth.mip, d->depth.layer, &d->touched);
}

struct outcome soft_draw(struct exec *x, struct context *c, u16 opcode, const void *packet)
{
    const struct agpu_draw *plain = packet;
    const struct agpu_draw_indexed *indexed = packet;
    u32 instances = opcode == AGPU_DRAW ? plain->instance_count : indexed->instance_count;
    struct draw *d = &x->scratch->draw;
    struct assembler *a = &x->scratch->assembler;
    x->draws++;
    if (x->budget <= 0 || !draw_setup(d, x, c)) {
        x->skipped_draws++;
        return OBJ_OK;
    }
    memset(a, 0, sizeof(*a));
    a->d = d;
    a->stamp = 1;
    a->topology = c->topology;
    if (opcode == AGPU_DRAW) {
        a->first = plain->first_vertex;
        a->count = plain->vertex_count;
        d->first_instance = plain->first_instance;
    } else {
        d->first_instance = indexed->first_instance;
        if (!set_indices(a, c, indexed)) return OBJ_OK;
    }
    for (d->instance = 0; d->instance < instances && x->budget > 0 && a->count; d->instance++)
        assemble(a);
    finish(d);
    return OBJ_OK;
}

struct scratch *scratch_create(void)
{
    return xalloc(sizeof(struct scratch));
}
