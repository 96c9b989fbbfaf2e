/* What all front ends share: choosing one by the blob's first word, freeing programs, printing
 * them. */
#include "gpu/shader/ir.h"

#include <stdlib.h>

#include "gpu/shader/dxbc.h"
#include "machine/core/text.h"

static bool d3d9_tokens(const u8 *p)
{
    return ld32(p) >> 16 == 0xfffe || ld32(p) >> 16 == 0xffff;
}

struct ir_program *shader_compile(const u8 *bytes, u32 size, u8 stage, const char **why)
{
    enum { MAX_BLOB = 512 << 10 };
    struct dxbc d;
    *why = "blob too large";
    if (size > MAX_BLOB) return NULL;
    *why = "blob of an unknown kind";
    if (size < 8) return NULL;
    if (d3d9_tokens(bytes)) return d3d9_compile(bytes, size, stage, why);
    if (ld32(bytes) != DXBC_MAGIC)
        return ld32(bytes) >> 16 <= 5 ? sm4_compile(bytes, size, stage, why) : NULL;
    if (!dxbc_open(bytes, size, &d, why)) return NULL;
    if (d3d9_tokens(d.code.bytes)) return d3d9_compile(d.code.bytes, d.code.size, stage, why);
    return sm4_compile(bytes, size, stage, why);
}

u64 ir_program_bytes(const struct ir_program *p)
{
    return sizeof(*p) + (u64)p->temps * sizeof(u16) +
           (u64)p->immediate_count * sizeof(*p->immediates) + (u64)p->def_count * sizeof(*p->defs) +
           (u64)(p->input_elements + p->output_elements) * sizeof(*p->elements) +
           (u64)p->insn_count * sizeof(*p->insns);
}

void ir_free(struct ir_program *p)
{
    if (!p) return;
    free(p->immediates);
    free(p->defs);
    free(p->elements);
    free(p->insns);
    free(p);
}

/* ---- linkage ---- */

/* The output element of the vertex shader with this name, or NULL. */
static const struct ir_element *output_named(const struct ir_program *vs,
                                             const struct ir_element *in)
{
    for (u32 k = 0; k < vs->output_elements; k++) {
        const struct ir_element *e = &vs->elements[vs->input_elements + k];
        if (e->hash == in->hash && e->index == in->index && e->reg != IR_NO_REGISTER) return e;
    }
    return NULL;
}

static void link_by_name(const struct ir_program *vs, const struct ir_program *ps,
                         u8 from[IR_MAX_INPUTS][4])
{
    for (u32 k = 0; k < ps->input_elements; k++) {
        const struct ir_element *in = &ps->elements[k], *out = output_named(vs, in);
        if (in->reg == IR_NO_REGISTER || !out) continue;
        unsigned to = 0;
        for (unsigned c = 0; c < 4;
             c++) { /* the first component of one is the first of the other */
            if (!(out->mask >> c & 1)) continue;
            while (to < 4 && !(in->mask >> to & 1)) to++;
            if (to < 4) from[in->reg][to++] = (u8)(4 * out->reg + c);
        }
    }
}

void ir_link(const struct ir_program *vs, const struct ir_program *ps, u8 from[IR_MAX_INPUTS][4])
{
    memset(from, IR_UNLINKED, IR_MAX_INPUTS * 4);
    if (vs->has_signatures && ps->has_signatures) {
        link_by_name(vs, ps, from);
        return;
    }
    for (unsigned k = 0; k < IR_MAX_INPUTS; k++) {
        for (unsigned c = 0; c < 4 && vs->output[k].used; c++) from[k][c] = (u8)(4 * k + c);
    }
}

/* ---- printing ---- */

static const char *const op_names[] = {
#define OP(name, sources) #name,
    IR_OPS(OP)
#undef OP
};
static const u8 op_sources[] = {
#define OP(name, sources) sources,
    IR_OPS(OP)
#undef OP
};
static const char *const file_names[] = { "_",   "r",   "v", "o", "c",  "i", "b",      "cb",
                                          "imm", "icb", "x", "a", "aL", "p", "special" };

static void dump_relative(const struct ir_relative *r, struct text *t)
{
    if (r->file) text_add(t, "[%s%u.%c]", file_names[r->file], r->index, "xyzw"[r->component & 3]);
}

/* r0, cb1[4], x0[2], icb[3] */
static void dump_register(u8 file, u16 slot, u16 index, struct text *t)
{
    if (file == IR_CB || file == IR_ARRAY)
        text_add(t, "%s%u[%u]", file_names[file], slot, index);
    else if (file == IR_ICB)
        text_add(t, "%s[%u]", file_names[file], index);
    else
        text_add(t, "%s%u", file_names[file], index);
}

static void dump_dst(const struct ir_dst *d, struct text *t)
{
    text_add(t, " ");
    dump_register(d->file, d->slot, d->index, t);
    text_add(t, ".");
    for (unsigned k = 0; k < 4; k++) {
        if (d->mask >> k & 1) text_add(t, "%c", "xyzw"[k]);
    }
    dump_relative(&d->rel, t);
}

static void dump_src(const struct ir_src *s, struct text *t)
{
    static const char *const modifiers[] = { "",    "_bias", "_bx2", "_comp",
                                             "_x2", "_dz",   "_dw",  "_not" };
    text_add(t, "%s%s", s->neg ? "-" : "", s->abs ? "|" : "");
    dump_register(s->file, s->slot, s->index, t);
    text_add(t, "%s", modifiers[s->modifier]);
    dump_relative(&s->rel, t);
    text_add(t, ".");
    for (unsigned k = 0; k < 4; k++) text_add(t, "%c", "xyzw"[s->swizzle >> (2 * k) & 3]);
    if (s->abs) text_add(t, "|");
}

static void dump_texture(const struct ir_tex *x, struct text *t)
{
    text_add(t, ", t%u", x->resource);
    if (x->swizzle != 0xe4) text_add(t, ".");
    for (unsigned k = 0; k < 4 && x->swizzle != 0xe4; k++)
        text_add(t, "%c", "xyzw"[x->swizzle >> (2 * k) & 3]);
    text_add(t, " s%u%s", x->sampler, x->project ? " projected" : "");
    if (x->offset[0] || x->offset[1] || x->offset[2])
        text_add(t, " (%d, %d, %d)", x->offset[0], x->offset[1], x->offset[2]);
}

static void dump_insn(const struct ir_insn *i, struct text *t)
{
    const char *sep = " ";
    text_add(t, "%s", op_names[i->op]);
    if (i->condition) text_add(t, "_%u", i->condition);
    if (i->dst.sat) text_add(t, "_sat");
    if (i->dst.shift) text_add(t, "_shift%d", i->dst.shift);
    if (i->dst.mask) {
        dump_dst(&i->dst, t);
        sep = ", ";
    }
    if (i->dst2.mask) {
        text_add(t, ",");
        dump_dst(&i->dst2, t);
        sep = ", ";
    }
    for (unsigned k = 0; k < op_sources[i->op]; k++, sep = ", ") {
        text_add(t, "%s", sep);
        dump_src(&i->src[k], t);
    }
    if (i->op >= IR_TEX && i->op <= IR_RESINFO) dump_texture(&i->tex, t);
    if (i->target) text_add(t, " -> %u", i->target);
    text_add(t, "\n");
}

void ir_dump(const struct ir_program *p, struct text *t)
{
    text_add(t, "%s %u.%u: %u instructions, %u constants of its own\n",
             p->stage == STAGE_PS ? "pixel shader" : "vertex shader", p->major, p->minor,
             p->insn_count, p->def_count);
    for (u32 k = 0; k < p->insn_count; k++) {
        text_add(t, "%4u ", k);
        dump_insn(&p->insns[k], t);
    }
}
