/* The canvas: triangles of one draw are collected and then drawn tile by tile, 64 by 64 pixels,
 * each tile by one thread and in the order of the triangles. So the picture is the same whichever
 * thread draws what, and a tile's pixels stay in the nearest cache.
 *
 * The batch's budget is shared out before: a tile has a fixed part of what is left, whatever other
 * tiles use, and stops when it has used that up. Draws of few pixels go the short way, by one
 * thread and without sorting; so do those that sample what they draw to, triangle by triangle.
 * Document: the contract's part "executor", sections 6.2 and 13. */
#include <stdlib.h>
#include <unistd.h>

#include "gpu/simd.h"
#include "gpu/soft/fast.h"
#include "gpu/soft/pool.h"

enum {
    TILE = 64,
    MAX_WORKERS = 8,
    ARENA = 4 << 20,       /* bytes of triangles */
    MAX_ENTRIES = 1 << 20, /* triangles times tiles, about */
    FEW_PIXELS = 2 * TILE * TILE,
};

struct canvas {
    struct exec_tuning tuning;
    struct draw *d;
    struct fast_draw fast;
    const struct fast_ops *fast_ops;
    /* triangles that wait */
    u8 *arena;
    size_t used, stride;
    u64 pixels, entries; /* of their bounds */
    i32 x0, y0, x1, y1;  /* around them, in tiles */
    /* sorted: entries of tile t are list[first[t]] to list[first[t + 1]], places in the arena */
    u32 *first, *list;
    u64 first_capacity, list_capacity;
    u32 *tiles; /* with entries */
    i64 *spent; /* by each of these */
    i64 allowance;
    struct painter *painters[MAX_WORKERS];
    i64 budgets[MAX_WORKERS];
    bool ready[MAX_WORKERS]; /* painters for this draw */
    struct pool *pool;
};

/* ---- painters ---- */

static const struct pixel_ops *choose_ops(const struct exec_tuning *t)
{
    if (t->simd == EXEC_SIMD_PLAIN) return &pixel_ops_plain;
    if (t->simd == EXEC_SIMD_SSE2) return &pixel_ops_sse2;
    return simd_has_avx2() ? &pixel_ops_avx2 : &pixel_ops_sse2;
}

/* Inputs that nothing fills read 0. */
static void clear_unlinked(struct painter *p)
{
    const struct draw *d = p->d;
    const struct ir_plan *plan = p->state->plan;
    const u32 filled =
        1u << IR_SP_POSITION | 1u << IR_SP_FACE | 1u << IR_SP_FRONT | 1u << IR_SP_PRIMITIVE_ID;
    u32 linked = 0;
    for (u32 n = 0; n < d->link_count; n++) linked |= 1u << d->links[n].input;
    for (u32 k = 0; k < IR_MAX_INPUTS; k++) {
        if (plan->input_mask[k] && !(linked >> k & 1))
            memset(&p->state->inputs[k], 0, sizeof(struct lanes));
    }
    for (u32 k = 0; k < IR_SP_COUNT; k++) {
        if (plan->special >> k & 1 && !(filled >> k & 1))
            memset(&p->state->special[k], 0, sizeof(struct lanes));
    }
}

static struct painter *painter_get(struct canvas *c, u32 worker)
{
    struct painter *p = c->painters[worker];
    const struct draw *d = c->d;
    if (c->ready[worker]) return p;
    if (!p) {
        if (posix_memalign((void **)&p, 64, sizeof(*p))) check(false);
        memset(p, 0, sizeof(*p));
        c->painters[worker] = p;
    }
    p->d = d;
    p->ops = choose_ops(&c->tuning);
    p->env = d->ps_env;
    p->env.sample = p->ops->sample;
    p->env.sse2_only = c->tuning.simd != EXEC_SIMD_BEST;
    p->touched = (struct box){ 0, 0, 0, 0 };
    if (d->ps) {
        ir_state_like(&p->state, d->ps, d->ps_state);
        clear_unlinked(p);
    }
    c->ready[worker] = true;
    return p;
}

/* Who pays for what a painter does. */
static void charge(struct painter *p, i64 *budget)
{
    p->budget = p->env.budget = budget;
}

struct painter *canvas_painter(struct canvas *c)
{
    struct painter *p = painter_get(c, 0);
    charge(p, c->d->budget);
    return p;
}

/* ---- a triangle inside a tile ---- */

struct part { /* of a triangle: rows and columns of pixels, and the edges that cross it */
    i32 x0, y0, x1, y1;
    u32 edges;
    v4i value[3], right[3], down[3]; /* of a quad's four pixels, / 256; steps of two pixels */
};

/* False: no pixel of the part is inside. Edge values are multiples of 256 plus what is the same
 * everywhere, so dividing them (downwards) keeps their signs; inside a tile that an edge crosses
 * they are below 2^31 then. */
static bool cut_part(const struct setup *s, struct part *t)
{
    const i64 w = t->x1 - 1 - t->x0, h = t->y1 - 1 - t->y0, qx = t->x0 & ~1, qy = t->y0 & ~1;
    t->edges = 0;
    for (unsigned k = 0; k < 3; k++) {
        const i64 a = s->a[k], b = s->b[k], c = s->c[k] - s->open[k];
        const i64 here = a * t->x0 + b * t->y0 + c;
        if (here + MAX(a, 0) * w + MAX(b, 0) * h < 0) return false;
        if (here + MIN(a, 0) * w + MIN(b, 0) * h >= 0) continue;
        const i32 v = (i32)((a * qx + b * qy + c) >> 8), dx = (i32)(a >> 8), dy = (i32)(b >> 8);
        const u32 n = t->edges++;
        t->value[n] = (v4i){ v, v + dx, v + dy, v + dx + dy };
        t->right[n] = (v4i){ 2 * dx, 2 * dx, 2 * dx, 2 * dx };
        t->down[n] = (v4i){ 2 * dy, 2 * dy, 2 * dy, 2 * dy };
    }
    for (u32 n = t->edges; n < 3; n++) t->value[n] = t->right[n] = t->down[n] = (v4i){ 0 };
    return true;
}

static inline u32 inside(v4i a, v4i b, v4i c)
{
    return ~(u32)_mm_movemask_ps((__m128)(a | b | c)) & 15;
}

static void scan_row(struct painter *p, const struct setup *s, const struct part *t, i32 y)
{
    const u32 rows = (y < t->y0 ? 12u : 15u) & (y + 1 >= t->y1 ? 3u : 15u);
    v4i a = t->value[0], b = t->value[1], c = t->value[2];
    for (i32 x = t->x0 & ~1; x < t->x1; x += 2) {
        u32 mask = rows & (x < t->x0 ? 10u : 15u) & (x + 1 >= t->x1 ? 5u : 15u) & inside(a, b, c);
        a += t->right[0];
        b += t->right[1];
        c += t->right[2];
        if (!mask) continue;
        u32 lane = next_quad(p, s, x, y);
        p->pixels.covered |= (u64)mask << lane;
    }
}

/* Columns of row y that are inside of the edges: *x0 to *x1 - 1. */
static void row_span(const struct setup *s, const struct part *t, i32 y, i32 *x0, i32 *x1)
{
    *x0 = t->x0;
    *x1 = t->x1;
    for (unsigned k = 0; t->edges && k < 3; k++) {
        const i64 a = s->a[k] >> 8, v = (s->a[k] * t->x0 + s->b[k] * y + s->c[k] - s->open[k]) >> 8;
        if (a > 0 && v < 0) *x0 = MAX(*x0, t->x0 + (i32)MIN((a - 1 - v) / a, TILE));
        if (a < 0) *x1 = MIN(*x1, v < 0 ? t->x0 : t->x0 + (i32)MIN(v / -a + 1, TILE));
        if (a == 0 && v < 0) *x1 = t->x0;
    }
}

static void draw_rows(struct canvas *c, struct painter *p, const struct setup *s,
                      const struct part *t)
{
    struct box *b = &p->touched;
    if (p->pixels.quads) shade(p);
    for (i32 y = t->y0; y < t->y1; y++) {
        i32 x0, x1;
        row_span(s, t, y, &x0, &x1);
        if (x0 >= x1) continue;
        fast_row(&c->fast, c->fast_ops, c->d, s, x0, x1, y);
        if (b->x0 >= b->x1) *b = (struct box){ (u32)x0, (u32)y, (u32)x1, (u32)y + 1 };
        *b = (struct box){ MIN(b->x0, (u32)x0), MIN(b->y0, (u32)y), MAX(b->x1, (u32)x1),
                           MAX(b->y1, (u32)y + 1) };
    }
}

/* The part of a triangle that is in the tile at (tx, ty). */
static void draw_part(struct canvas *c, struct painter *p, const struct setup *s, i32 tx, i32 ty)
{
    struct part t = { .x0 = MAX(s->x0, tx * TILE), .x1 = MIN(s->x1, (tx + 1) * TILE) };
    t.y0 = MAX(s->y0, ty * TILE);
    t.y1 = MIN(s->y1, (ty + 1) * TILE);
    if (t.x0 >= t.x1 || t.y0 >= t.y1 || !cut_part(s, &t)) return;
    *p->budget -= ((t.x1 - t.x0) / 4 + 1) * ((t.y1 - t.y0) / 2 + 1);
    if (s->fast) {
        draw_rows(c, p, s, &t);
        return;
    }
    for (i32 y = t.y0 & ~1; y < t.y1 && *p->budget >= 0; y += 2) {
        scan_row(p, s, &t, y);
        for (unsigned k = 0; k < 3; k++) t.value[k] += t.down[k];
    }
}

/* ---- the short way ---- */

static void draw_directly(struct canvas *c)
{
    struct painter *p = canvas_painter(c);
    for (size_t at = 0; at < c->used && *p->budget >= 0; at += c->stride) {
        const struct setup *s = (const struct setup *)(c->arena + at);
        for (i32 ty = s->y0 / TILE; ty * TILE < s->y1; ty++) {
            for (i32 tx = s->x0 / TILE; tx * TILE < s->x1; tx++) draw_part(c, p, s, tx, ty);
        }
        if (c->d->feedback) shade(p);
    }
    shade(p);
}

/* ---- tiles ---- */

static void *room_for(void *old, u64 *capacity, u64 n, size_t size)
{
    if (n <= *capacity) return old;
    *capacity = n + n / 2;
    return xrealloc(old, *capacity * size);
}

/* Calls for every tile that a triangle may touch: first to count, then to write down. */
static void each_tile(struct canvas *c, bool write)
{
    const i32 columns = c->x1 - c->x0;
    for (size_t at = 0; at < c->used; at += c->stride) {
        const struct setup *s = (const struct setup *)(c->arena + at);
        for (i32 ty = s->y0 / TILE; ty * TILE < s->y1; ty++) {
            for (i32 tx = s->x0 / TILE; tx * TILE < s->x1; tx++) {
                u32 *n = &c->first[(ty - c->y0) * columns + tx - c->x0 + 1];
                if (write) c->list[*n] = (u32)at;
                ++*n;
            }
        }
    }
}

/* Sorts the triangles into the tiles; returns how many tiles have some. */
static u32 sort(struct canvas *c)
{
    const u32 n = (u32)((c->x1 - c->x0) * (c->y1 - c->y0));
    u32 sum = 0, filled = 0;
    u64 before = c->first_capacity;
    c->first = room_for(c->first, &c->first_capacity, n + 2u, sizeof(*c->first));
    if (c->first_capacity != before) {
        c->tiles = xrealloc(c->tiles, c->first_capacity * sizeof(*c->tiles));
        c->spent = xrealloc(c->spent, c->first_capacity * sizeof(*c->spent));
    }
    memset(c->first, 0, (n + 2u) * sizeof(*c->first));
    each_tile(c, false);
    for (u32 k = 0; k < n;
         k++) { /* first[k + 1]: where tile k begins; after writing, where it ends */
        u32 count = c->first[k + 1];
        c->first[k + 1] = sum;
        sum += count;
        if (count) c->tiles[filled++] = k;
    }
    c->list = room_for(c->list, &c->list_capacity, sum, sizeof(*c->list));
    each_tile(c, true);
    return filled;
}

static void draw_tile(void *opaque, u32 worker, u32 number)
{
    struct canvas *c = opaque;
    struct painter *p = painter_get(c, worker);
    const u32 tile = c->tiles[number], columns = (u32)(c->x1 - c->x0);
    const i32 tx = c->x0 + (i32)(tile % columns), ty = c->y0 + (i32)(tile / columns);
    i64 *budget = &c->budgets[worker];
    *budget = c->allowance;
    charge(p, budget);
    for (u32 k = c->first[tile]; k < c->first[tile + 1] && *budget >= 0; k++)
        draw_part(c, p, (const struct setup *)(c->arena + c->list[k]), tx, ty);
    shade(p);
    c->spent[number] = c->allowance - *budget;
}

static void draw_tiles(struct canvas *c)
{
    const u32 filled = sort(c);
    c->allowance = MAX(*c->d->budget, 0) / filled + 1;
    if (c->tuning.workers > 1 && !c->pool) c->pool = pool_create(c->tuning.workers);
    if (c->pool && filled > 1) {
        pool_run(c->pool, draw_tile, c, filled);
    } else {
        for (u32 k = 0; k < filled; k++) draw_tile(c, 0, k);
    }
    for (u32 k = 0; k < filled; k++) *c->d->budget -= c->spent[k];
}

/* ---- the canvas ---- */

static void forget(struct canvas *c)
{
    c->used = 0;
    c->pixels = c->entries = 0;
    c->x0 = c->y0 = INT32_MAX;
    c->x1 = c->y1 = 0;
}

static void flush(struct canvas *c)
{
    if (!c->used) return;
    if (c->d->feedback || c->pixels <= FEW_PIXELS)
        draw_directly(c);
    else
        draw_tiles(c);
    forget(c);
}

struct setup *canvas_triangle(struct canvas *c)
{
    if (c->used + sizeof(struct setup) > ARENA || c->entries > MAX_ENTRIES) flush(c);
    return (struct setup *)(c->arena + c->used);
}

void canvas_add(struct canvas *c)
{
    struct setup *s = (struct setup *)(c->arena + c->used);
    fast_triangle(&c->fast, c->d, s);
    const i32 x0 = s->x0 / TILE, y0 = s->y0 / TILE, x1 = (s->x1 + TILE - 1) / TILE,
              y1 = (s->y1 + TILE - 1) / TILE;
    c->x0 = MIN(c->x0, x0);
    c->y0 = MIN(c->y0, y0);
    c->x1 = MAX(c->x1, x1);
    c->y1 = MAX(c->y1, y1);
    c->pixels += (u64)(s->x1 - s->x0) * (u64)(s->y1 - s->y0);
    c->entries += (u64)(x1 - x0) * (u64)(y1 - y0);
    c->used += c->stride;
}

static bool samples_target(const struct draw *d)
{
    for (u32 k = 0; d->ps && k < d->unit_count; k++) {
        const struct resource *r = d->textures[k].r;
        for (u32 n = 0; r && n < d->target_count; n++) {
            if (d->target[n].r == r) return true;
        }
        if (r && d->depth.r == r) return true;
    }
    return false;
}

void canvas_begin(struct canvas *c, struct draw *d)
{
    c->d = d;
    d->canvas = c;
    d->vs_env.sse2_only = c->tuning.simd != EXEC_SIMD_BEST;
    d->feedback = samples_target(d);
    d->needs_depth = d->fog.on || (d->depth.r && (d->depth_test || d->stencil_test));
    c->stride =
        (offsetof(struct setup, attr) + d->link_count * sizeof(((struct setup *)0)->attr[0]) + 15) &
        ~(size_t)15;
    memset(c->ready, 0, sizeof(c->ready));
    c->fast.on = false;
    if (!c->tuning.no_fast_paths) fast_begin(&c->fast, d);
    forget(c);
}

void canvas_end(struct canvas *c)
{
    struct box *all = &c->d->touched;
    flush(c);
    for (u32 k = 0; k < MAX_WORKERS; k++) {
        const struct box *b = c->ready[k] ? &c->painters[k]->touched : NULL;
        if (!b || b->x0 >= b->x1) continue;
        if (all->x0 >= all->x1) *all = *b;
        *all = (struct box){ MIN(all->x0, b->x0), MIN(all->y0, b->y0), MAX(all->x1, b->x1),
                             MAX(all->y1, b->y1) };
    }
}

struct canvas *canvas_create(const struct exec_tuning *tuning)
{
    struct canvas *c = xalloc(sizeof(*c));
    c->tuning = *tuning;
    if (!c->tuning.workers) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        c->tuning.workers = cores > 2 ? (u32)MIN(cores - 1, MAX_WORKERS) : 1;
    }
    c->tuning.workers = MIN(c->tuning.workers, (u32)MAX_WORKERS);
    c->fast_ops =
        c->tuning.simd == EXEC_SIMD_BEST && simd_has_avx2() ? &fast_ops_avx2 : &fast_ops_sse2;
    if (posix_memalign((void **)&c->arena, 64, ARENA)) check(false);
    return c;
}

void canvas_free(struct canvas *c)
{
    pool_free(c->pool);
    for (u32 k = 0; k < MAX_WORKERS; k++) {
        if (c->painters[k]) ir_state_free(c->painters[k]->state);
        free(c->painters[k]);
    }
    free(c->arena);
    free(c->first);
    free(c->list);
    free(c->tiles);
    free(c->spent);
    free(c);
}
