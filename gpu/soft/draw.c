/* DRAW and DRAW_INDEXED: primitives are assembled from indices, the vertices of up to 128 of them
 * are shaded in one batch of 64, then they are rasterised in order. Document: the contract's part
 * "executor", section 6.2. */
#include "gpu/soft/draw.h"

#include <stdlib.h>

#include "gpu/soft/setup.h"

enum { VERTEX_COST = 64, PRIMITIVE_COST = 64, INSTANCE_COST = 32, DRAW_COST = 1024, MAP = 256 };

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
    u32 primitives; /* of this instance before the batch */
    u8 corners;     /* of a primitive */
    struct {
        u32 id, stamp;
        u8 place;
    } map[MAP];
    u32 stamp;
    struct vertex shaded[BATCH_VERTICES];
};

struct scratch { /* of one draw: too large for a stack */
    struct draw draw;
    struct texture_unit textures[SHADER_UNITS], vertex_textures[SHADER_UNITS];
    struct assembler assembler;
    struct canvas *canvas;
};

/* Index n of the draw as it is in the buffer; 0 outside of it. */
static u32 raw_index(const struct assembler *a, u32 n)
{
    u64 at = (u64)n * a->index_size;
    if (at + a->index_size > a->index_bytes) return 0;
    return a->index_size == 2 ? ld16(a->indices + at) : ld32(a->indices + at);
}

/* Of the vertex that is fetched. */
static u32 vertex_id(const struct assembler *a, u32 n)
{
    return a->indices ? raw_index(a, n) + (u32)a->base_vertex : a->first + n;
}

/* ---- the batch ---- */

/* SV_VertexID and SV_InstanceID count from 0, whatever base_vertex and first_instance are. */
static void system_values(struct assembler *a)
{
    struct lanes *special = a->d->vs_state->special;
    u32 base = a->indices ? (u32)a->base_vertex : a->first;
    for (unsigned c = 0; c < 4; c++) {
        for (u32 l = 0; l < a->vertices; l++) {
            special[IR_SP_VERTEX_ID].c[c][l] = a->ids[l] - base;
            special[IR_SP_INSTANCE_ID].c[c][l] = a->d->instance;
        }
    }
}

static void shade_vertices(struct assembler *a)
{
    struct draw *d = a->d;
    vertex_fetch(d, a->ids, a->vertices);
    if (!d->d3d9) system_values(a);
    d->vs_state->active = a->vertices == LANES ? ~0ull : (1ull << a->vertices) - 1;
    ir_run(d->vs, &d->vs_env, d->vs_state);
    *d->budget -= (i64)a->vertices * VERTEX_COST + (i64)a->prim_count * PRIMITIVE_COST;
    struct lanes *out = d->vs_state->outputs;
    for (u32 l = 0; l < a->vertices; l++) {
        struct vertex *v = &a->shaded[l];
        for (unsigned c = 0; c < 4; c++) v->pos[c] = lanes_f(&out[d->position_output], c)[l];
        v->psize = lanes_f(&out[d->psize_output], 0)[l];
        for (u32 n = 0; n < d->attribute_count; n++) {
            for (unsigned c = 0; c < 4; c++) {
                u8 from = d->attribute_from[n][c];
                float f = from == 0xff ? 0.0f : lanes_f(&out[from / 4], from % 4)[l];
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
        a->d->primitive_id = a->primitives + k;
        if (a->corners == 1)
            raster_point(a->d, &a->shaded[p[0]]);
        else if (a->corners == 2)
            raster_line(a->d, &a->shaded[p[0]], &a->shaded[p[1]]);
        else
            raster_triangle(a->d, &a->shaded[p[0]], &a->shaded[p[1]], &a->shaded[p[2]]);
    }
    a->primitives += a->prim_count;
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

static u8 corners_of(u32 topology)
{
    switch (topology) {
    case AGPU_TOPO_POINTS: return 1;
    case AGPU_TOPO_LINES:
    case AGPU_TOPO_LINE_STRIP:
    case AGPU_TOPO_LINES_ADJ:
    case AGPU_TOPO_LINE_STRIP_ADJ: return 2;
    default: return 3;
    }
}

/* The primitives of n vertices from the draw's vertex v on. Without a geometry shader adjacent
 * vertices mean nothing. */
static void assemble(struct assembler *a, u32 v, u32 n)
{
    const i64 *budget = a->d->budget;
    const u32 end = v + n;
    if (n < a->corners) return;
    switch (a->topology) {
    case AGPU_TOPO_POINTS:
        for (; v<end && * budget> 0; v++) primitive(a, v, 0, 0);
        break;
    case AGPU_TOPO_LINES:
        for (; end - v >= 2 && *budget > 0; v += 2) primitive(a, v, v + 1, 0);
        break;
    case AGPU_TOPO_LINE_STRIP:
        for (; end - v >= 2 && *budget > 0; v++) primitive(a, v, v + 1, 0);
        break;
    case AGPU_TOPO_TRIANGLES:
        for (; end - v >= 3 && *budget > 0; v += 3) primitive(a, v, v + 1, v + 2);
        break;
    case AGPU_TOPO_STRIP:
        for (u32 odd = 0; end - v >= 3 && *budget > 0; v++, odd ^= 1)
            primitive(a, v, v + 1 + odd, v + 2 - odd);
        break;
    case AGPU_TOPO_FAN:
        for (u32 hub = v; end - v >= 3 && *budget > 0; v++) primitive(a, v + 1, v + 2, hub);
        break;
    case AGPU_TOPO_LINES_ADJ:
        for (; end - v >= 4 && *budget > 0; v += 4) primitive(a, v + 1, v + 2, 0);
        break;
    case AGPU_TOPO_LINE_STRIP_ADJ:
        for (; end - v >= 4 && *budget > 0; v++) primitive(a, v + 1, v + 2, 0);
        break;
    case AGPU_TOPO_TRIANGLES_ADJ:
        for (; end - v >= 6 && *budget > 0; v += 6) primitive(a, v, v + 2, v + 4);
        break;
    case AGPU_TOPO_STRIP_ADJ:
        for (u32 odd = 0; end - v >= 6 && *budget > 0; v += 2, odd ^= 2)
            primitive(a, v, v + 2 + odd, v + 4 - odd);
        break;
    default: break; /* patches need a hull shader */
    }
}

static bool is_strip(u32 topology)
{
    return topology == AGPU_TOPO_LINE_STRIP || topology == AGPU_TOPO_STRIP ||
           topology == AGPU_TOPO_LINE_STRIP_ADJ || topology == AGPU_TOPO_STRIP_ADJ;
}

/* One instance: the whole list, or the pieces of a strip between cuts. */
static void instance(struct assembler *a)
{
    a->primitives = 0;
    *a->d->budget -= INSTANCE_COST;
    u32 start = 0, cut = a->index_size == 2 ? 0xffff : 0xffffffff;
    if (a->d->strip_cut && a->indices && is_strip(a->topology)) {
        for (u32 k = 0; k<a->count && * a->d->budget> 0; k++) {
            if (!(k & 255)) *a->d->budget -= 256;
            if (raw_index(a, k) != cut) continue;
            assemble(a, start, k - start);
            start = k + 1;
        }
    }
    assemble(a, start, a->count - start);
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

/* All but the vertices, which are large and are written before they are read. */
static void assembler_begin(struct assembler *a, struct draw *d)
{
    memset(a, 0, offsetof(struct assembler, shaded));
    a->d = d;
    a->stamp = 1;
}

struct outcome soft_draw(struct exec *x, struct context *c, u16 opcode, const void *packet)
{
    const struct agpu_draw *plain = packet;
    const struct agpu_draw_indexed *indexed = packet;
    u32 instances = opcode == AGPU_DRAW ? plain->instance_count : indexed->instance_count;
    struct draw *d = &x->scratch->draw;
    struct assembler *a = &x->scratch->assembler;
    x->draws++;
    x->budget -= DRAW_COST;
    d->textures = x->scratch->textures;
    d->vertex_textures = x->scratch->vertex_textures;
    if (x->budget <= 0 || !draw_setup(d, x, c)) {
        x->skipped_draws++;
        return OBJ_OK;
    }
    canvas_begin(x->scratch->canvas, d);
    assembler_begin(a, d);
    a->topology = c->topology;
    a->corners = corners_of(c->topology);
    if (opcode == AGPU_DRAW) {
        a->first = plain->first_vertex;
        a->count = plain->vertex_count;
        d->first_instance = plain->first_instance;
    } else {
        d->first_instance = indexed->first_instance;
        if (!set_indices(a, c, indexed)) return OBJ_OK;
    }
    for (d->instance = 0; d->instance < instances && x->budget > 0 && a->count; d->instance++)
        instance(a);
    canvas_end(x->scratch->canvas);
    finish(d);
    return OBJ_OK;
}

struct scratch *scratch_create(const struct exec_tuning *tuning)
{
    struct scratch *s = xalloc(sizeof(*s));
    s->canvas = canvas_create(tuning);
    return s;
}

void scratch_free(struct scratch *s)
{
    canvas_free(s->canvas);
    free(s);
}
