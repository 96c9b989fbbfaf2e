/* Choosing the short ways (fast.h) and running them row by row.
 *
 * The pixel shader is followed with symbols: a constant, an interpolated input, a texel at one, or
 * a texel times one of the two. Anything else goes the general way. */
#include "gpu/soft/fast.h"

#include <math.h>

enum what { NOTHING, CONSTANT, INPUT, TEXEL, MODULATED };

struct symbol {
    u8 what;
    u8 input; /* INPUT; of the factor of MODULATED when `by_input` */
    bool by_input;
    float constant[4];                /* CONSTANT, or the factor */
    u8 unit, coord, coord_x, coord_y; /* TEXEL, MODULATED; coord: an input */
};

enum { TEMPS = 8, INSNS = 8, IDENTITY = 0xe4 };

/* ---- the shader ---- */

static bool constant_of(const struct draw *d, const struct ir_src *s, float out[4])
{
    const struct ir_program *p = d->ps;
    const struct ir_env *e = &d->ps_env;
    float v[4] = { 0 };
    if (s->file == IR_CONST) {
        if (s->index < e->constant_count) memcpy(v, e->constants[s->index], 16);
        for (u32 k = 0; k < p->def_count; k++) {
            if (p->defs[k].file != IR_CONST || p->defs[k].index != s->index) continue;
            memcpy(v, p->defs[k].value, 16);
            break;
        }
    } else if (s->file == IR_IMM && s->index < p->immediate_count) {
        memcpy(v, p->immediates[s->index], 16);
    } else if (s->file == IR_CB && s->slot < ACMD_CONSTANT_BUFFERS && e->cb[s->slot].data &&
               (u64)s->index * 16 + 16 <= e->cb[s->slot].size) {
        memcpy(v, e->cb[s->slot].data + (u64)s->index * 16, 16);
    } else {
        return false;
    }
    for (unsigned c = 0; c < 4; c++) {
        out[c] = v[s->swizzle >> (2 * c) & 3];
        /* the interpreter takes very small numbers for 0, and NaN has rules of its own */
        if (out[c] != 0.0f && !(fabsf(out[c]) > 1e-30f && fabsf(out[c]) < 1e30f)) return false;
    }
    return true;
}

static struct symbol operand(const struct draw *d, const struct ir_src *s,
                             const struct symbol *temps)
{
    struct symbol out = { .what = NOTHING };
    if (s->modifier || s->abs || s->neg || s->rel.file != IR_NULL) return out;
    if (s->file == IR_TEMP && s->index < TEMPS && s->swizzle == IDENTITY) return temps[s->index];
    if (s->file == IR_INPUT && s->swizzle == IDENTITY)
        out = (struct symbol){ .what = INPUT, .input = (u8)s->index };
    else if (constant_of(d, s, out.constant))
        out.what = CONSTANT;
    return out;
}

static struct symbol product(struct symbol a, struct symbol b)
{
    struct symbol out = { .what = NOTHING };
    if (b.what == TEXEL) return product(b, a);
    if (a.what != TEXEL || (b.what != CONSTANT && b.what != INPUT)) return out;
    out = a;
    out.what = MODULATED;
    out.by_input = b.what == INPUT;
    out.input = b.input;
    memcpy(out.constant, b.constant, sizeof(out.constant));
    return out;
}

static struct symbol texel(const struct ir_insn *i)
{
    const struct ir_src *s = &i->src[0];
    const struct ir_tex *t = &i->tex;
    struct symbol out = { .what = NOTHING };
    if (s->file != IR_INPUT || s->modifier || s->abs || s->neg || s->rel.file != IR_NULL ||
        t->project || t->swizzle != IDENTITY || t->offset[0] || t->offset[1] ||
        t->resource >= SHADER_UNITS)
        return out;
    return (struct symbol){ .what = TEXEL,
                            .unit = (u8)t->resource,
                            .coord = (u8)s->index,
                            .coord_x = s->swizzle & 3,
                            .coord_y = s->swizzle >> 2 & 3 };
}

/* What the shader writes to target 0. */
static struct symbol follow(const struct draw *d)
{
    struct symbol temps[TEMPS] = { { .what = NOTHING } }, out = { .what = NOTHING };
    for (u32 n = 0; n < d->ps->insn_count; n++) {
        const struct ir_insn *i = &d->ps->insns[n];
        struct symbol v = { .what = NOTHING };
        if (i->op == IR_NOP) continue;
        if (i->op == IR_RET) break;
        if (n >= INSNS || i->predicated || i->dst.mask != 15 || i->dst.sat || i->dst.shift ||
            i->dst.rel.file != IR_NULL)
            return v;
        if (i->op == IR_MOV)
            v = operand(d, &i->src[0], temps);
        else if (i->op == IR_MUL || i->op == IR_MUL0)
            v = product(operand(d, &i->src[0], temps), operand(d, &i->src[1], temps));
        else if (i->op == IR_TEX)
            v = texel(i);
        if (v.what == NOTHING) return v;
        if (i->dst.file == IR_TEMP && i->dst.index < TEMPS)
            temps[i->dst.index] = v;
        else if (i->dst.file == IR_OUTPUT && i->dst.index == 0)
            out = v;
        else
            return (struct symbol){ .what = NOTHING };
    }
    return out;
}

/* ---- the state ---- */

static bool plain_target(const struct draw *d)
{
    const struct target *t = &d->target[0];
    return d->target_count == 1 && t->r && t->f->klass == FMT_CLASS_8888 && !t->f->srgb &&
           !t->srgb && stored_mask(t->f, t->mask) == 0xffffffff && t->sub.pitch % 4 == 0;
}

static bool plain_state(const struct draw *d)
{
    return d->ps && !d->feedback && !d->needs_depth && !d->alpha_test && !d->fog.on &&
           d->sample_mask && !d->ps->kills && !d->ps->writes_depth && d->ps->output[0].used;
}

static bool plain_blend(const struct blend *b, u8 *out)
{
    *out = FAST_OPAQUE;
    if (!b->on) return true;
    if (b->op != AGPU_OP_ADD || b->op_alpha != AGPU_OP_ADD || b->src != b->src_alpha ||
        b->dst != FACTOR_INV_SRC_ALPHA || b->dst_alpha != FACTOR_INV_SRC_ALPHA)
        return false;
    *out = b->src == FACTOR_ONE ? FAST_PREMULTIPLIED : FAST_STRAIGHT;
    return b->src == FACTOR_ONE || b->src == FACTOR_SRC_ALPHA;
}

/* One level, no decoding, bytes in the target's order. */
static bool plain_unit(const struct draw *d, const struct texture_unit *u)
{
    return u->r && u->data && u->r->obj.kind == OBJ_TEXTURE && !u->cube && !u->array && !u->srgb &&
           u->f->klass == FMT_CLASS_8888 && !u->f->srgb && u->f->rgba == d->target[0].f->rgba &&
           u->mag == u->min && (u->mip == 0 || u->mips == 1) && u->address[0] != 4 &&
           u->address[1] != 4 && u->sub[u->max_mip].pitch % 4 == 0;
}

/* The attribute that feeds an input of the pixel shader; FFh: none */
static u8 attribute_of(const struct draw *d, u8 input)
{
    for (u32 n = 0; n < d->link_count; n++) {
        if (d->links[n].input == input) return (u8)n;
    }
    return 0xff;
}

void fast_begin(struct fast_draw *f, const struct draw *d)
{
    f->on = false;
    if (!plain_state(d) || !plain_target(d) || !plain_blend(&d->blend, &f->blend)) return;
    const struct symbol s = follow(d);
    if (s.what == NOTHING) return;
    f->textured = s.what == TEXEL || s.what == MODULATED;
    f->modulated = s.what == MODULATED;
    f->from_attribute = s.what == INPUT || (f->modulated && s.by_input);
    memcpy(f->constant, s.constant, sizeof(f->constant));
    if (f->from_attribute) {
        f->attribute = attribute_of(d, s.input);
        if (f->attribute == 0xff) return;
    }
    if (f->textured) {
        if (s.unit >= d->unit_count || !plain_unit(d, &d->textures[s.unit])) return;
        f->unit = &d->textures[s.unit];
        f->coord = attribute_of(d, s.coord);
        f->coord_x = s.coord_x;
        f->coord_y = s.coord_y;
        if (f->coord == 0xff) return;
    }
    f->on = true;
}

/* ---- a triangle ---- */

static bool flat_value(const float v[3])
{
    return v[1] == 0.0f && v[2] == 0.0f && isfinite(v[0]);
}

/* The colour that all pixels have. */
static bool find_color(const struct fast_draw *f, const struct draw *d, struct setup *s)
{
    const float w = 1.0f / s->oow[0];
    memcpy(s->color, f->constant, sizeof(s->color));
    for (unsigned c = 0; f->from_attribute && c < 4; c++) {
        const float *v = s->attr[f->attribute][c];
        const u8 how = d->links[f->attribute].interpolation;
        if (how != IR_CONSTANT && !flat_value(v)) return false;
        s->color[c] = how == IR_LINEAR ? v[0] * w : v[0];
        if (s->color[c] != 0.0f && !(fabsf(s->color[c]) > 1e-30f && fabsf(s->color[c]) < 1e30f))
            return false;
    }
    return true;
}

/* Along one axis: the texel that pixel n lies on is n + *offset, for all pixels of the triangle,
 * and however the float arithmetic of the general path rounds; `across`: the other axis. */
static bool one_to_one(const struct fast_draw *f, const struct setup *s, unsigned component,
                       bool vertical, u32 size, i32 *offset)
{
    const float *v = s->attr[f->coord][component];
    const double w = (double)(1.0f / s->oow[0]) * size;
    double step[3]; /* the coordinate in texels: by x, by y, at (0, 0) */
    for (unsigned k = 0; k < 3; k++)
        step[k] = (s->weight[0][k] * v[1] + s->weight[1][k] * v[2]) * s->scale * w;
    step[2] += v[0] * w;
    const double from = vertical ? s->y0 : s->x0, to = vertical ? s->y1 : s->x1;
    const double start = step[0] * s->x0 + step[1] * s->y0 + step[2] - 0.5 - from;
    if (!(fabs(start) < 1e6)) return false;
    *offset = (i32)floor(start + 0.5);
    const double along = step[vertical ? 1 : 0] - 1.0, across = step[vertical ? 0 : 1];
    const double length = to - from, width = vertical ? s->x1 - s->x0 : s->y1 - s->y0;
    const double error = fabs(start - *offset) + fabs(along) * length + fabs(across) * width +
                         5.0 / (1 << 24) * fabs(w) * (fabs(v[0]) + fabs(v[1]) + fabs(v[2]));
    /* Nearest: the same texel. Linear: neighbours may weigh in, but not so that a code rounds
     * differently, which only holds as long as nothing is blended or multiplied. */
    if (error > (f->unit->mag == 1 ? 0.45 : 8e-4)) return false;
    return from + *offset >= 0 && to + *offset <= size;
}

void fast_triangle(const struct fast_draw *f, const struct draw *d, struct setup *s)
{
    s->fast = false;
    if (!f->on || s->oow[1] != 0.0f || s->oow[2] != 0.0f || !find_color(f, d, s)) return;
    if (f->textured) {
        const struct subresource *sub = &f->unit->sub[f->unit->max_mip];
        if (d->links[f->coord].interpolation == IR_CONSTANT) return;
        if (f->unit->mag == 2 && (f->modulated || f->blend != FAST_OPAQUE)) return;
        if (!one_to_one(f, s, f->coord_x, false, sub->width, &s->texel_x) ||
            !one_to_one(f, s, f->coord_y, true, sub->height, &s->texel_y))
            return;
    }
    s->fast = true;
}

/* ---- rows ---- */

/* Tiles are narrow for the processor's own prefetching: asks for the pixels some rows below. */
static void prefetch_below(const u8 *row, u32 pitch, u32 bytes)
{
    const u8 *p = row + 6 * (u64)pitch;
    for (u32 k = 0; k < bytes; k += 64) __builtin_prefetch(p + k);
}

void fast_row(const struct fast_draw *f, const struct fast_ops *ops, const struct draw *d,
              const struct setup *s, i32 x0, i32 x1, i32 y)
{
    const struct target *t = &d->target[0];
    u32 *to = (u32 *)(void *)target_pixel(t, x0, y);
    const u32 n = (u32)(x1 - x0);
    struct fast_rows rows = { .blend = f->blend,
                              .modulated = f->modulated,
                              .opaque_target = t->f->alpha ? 0 : 0xff000000 };
    for (unsigned c = 0; c < 4; c++) rows.color[c] = s->color[c == 3 || t->f->rgba ? c : 2 - c];
    if (!f->textured) {
        rows.fill = format_store(t->f, s->color, false);
        ops->fill(&rows, to, n);
        return;
    }
    const struct texture_unit *u = f->unit;
    const struct subresource *sub = &u->sub[u->max_mip];
    const u8 *from = u->data + (u64)u->base_layer * u->layer_size + sub->offset +
                     (u64)(u32)(y + s->texel_y) * sub->pitch + 4 * (u64)(u32)(x0 + s->texel_x);
    prefetch_below(from, sub->pitch, 4 * n);
    prefetch_below((const u8 *)to, t->sub.pitch, 4 * n);
    rows.opaque_source = u->f->alpha ? 0 : 0xff000000;
    ops->copy(&rows, to, (const u32 *)(const void *)from, n);
}
