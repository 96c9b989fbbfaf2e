/* One look at a program before it ever runs, so that a run does no work for nothing: which inputs
 * it reads, and which registers it may read, or leave, without having written them.
 *
 * Everything errs on the safe side. A component counts as written only by an instruction that all
 * lanes execute: outside of any block, not predicated, not addressed relatively. */
#include "gpu/shader/plan.h"

#include <stdlib.h>

#include "machine/core/error.h"

struct survey {
    const struct ir_program *p;
    struct ir_plan *plan;
    u8 *temps;    /* components written so far */
    bool *zeroed; /* temps that have to start as 0 */
    u8 outputs[IR_MAX_OUTPUTS];
    u32 touched;   /* outputs that are written anywhere */
    bool straight; /* no block has begun yet */
};

/* Components that an instruction may read through source k, before swizzling. */
static unsigned operand_mask(const struct ir_program *p, const struct ir_insn *i, unsigned k)
{
    if (i->src[k].modifier == IR_MOD_DZ || i->src[k].modifier == IR_MOD_DW) return 15;
    if (ir_by_component(i->op)) return i->dst.mask;
    bool flat = p->d3d9 && i->op == IR_TEX && !i->tex.project &&
                i->tex.resource < LEN(p->texture_kind) && p->texture_kind[i->tex.resource] == 2;
    return flat ? 3 : 15; /* a two-dimensional texture's coordinates */
}

static unsigned swizzled(u8 swizzle, unsigned mask)
{
    unsigned out = 0;
    for (unsigned c = 0; c < 4; c++) {
        if (mask >> c & 1) out |= 1u << (swizzle >> (2 * c) & 3);
    }
    return out;
}

static void reads_temp(struct survey *s, u32 index, unsigned mask)
{
    if (index < s->p->temps && mask & ~(unsigned)s->temps[index]) s->zeroed[index] = true;
}

/* a0 and p0 start as 0 where they occur at all. */
static void occurs(struct survey *s, u8 file)
{
    if (file == IR_ADDR) s->plan->address = true;
    if (file == IR_PRED) s->plan->predicate = true;
}

static void reads(struct survey *s, const struct ir_src *src, unsigned mask)
{
    bool relative = src->rel.file != IR_NULL;
    occurs(s, src->file);
    occurs(s, src->rel.file);
    if (src->rel.file == IR_TEMP) reads_temp(s, src->rel.index, 15);
    switch (src->file) {
    case IR_TEMP:
        for (u32 k = 0; relative && k < s->p->temps; k++) s->zeroed[k] = true;
        reads_temp(s, src->index, mask);
        break;
    case IR_INPUT:
        for (u32 k = 0; relative && k < IR_MAX_INPUTS; k++) s->plan->input_mask[k] = 15;
        s->plan->input_mask[src->index % IR_MAX_INPUTS] |= (u8)mask;
        break;
    case IR_OUTPUT:
        if (mask & ~(unsigned)s->outputs[src->index % IR_MAX_OUTPUTS])
            s->plan->zero_outputs |= 1u << src->index % IR_MAX_OUTPUTS;
        if (relative) s->plan->zero_outputs = ~0u;
        break;
    case IR_SPECIAL: s->plan->special |= relative ? ~0u : 1u << src->index % 32; break;
    default: break;
    }
}

static void writes(struct survey *s, const struct ir_insn *i, const struct ir_dst *d)
{
    occurs(s, d->file);
    occurs(s, d->rel.file);
    bool certain = s->straight && !i->predicated && d->rel.file == IR_NULL;
    if (d->rel.file == IR_TEMP) reads_temp(s, d->rel.index, 15);
    if (d->file == IR_TEMP && certain && d->index < s->p->temps) s->temps[d->index] |= d->mask;
    if (d->file != IR_OUTPUT) return;
    if (d->rel.file != IR_NULL) s->touched = ~0u;
    s->touched |= 1u << d->index % IR_MAX_OUTPUTS;
    if (certain) s->outputs[d->index % IR_MAX_OUTPUTS] |= d->mask;
}

static void look_at(struct survey *s, const struct ir_insn *i)
{
    static const u8 sources[] = {
#define OP(name, n) n,
        IR_OPS(OP)
#undef OP
    };
    if (i->predicated) s->plan->predicate = true;
    for (unsigned k = 0; k < sources[i->op]; k++)
        reads(s, &i->src[k], swizzled(i->src[k].swizzle, operand_mask(s->p, i, k)));
    if (i->op >= IR_IF) {
        s->straight = false;
    } else if (i->op < IR_KILL_LT) {
        writes(s, i, &i->dst);
        writes(s, i, &i->dst2);
    }
}

/* ---- two as one ---- */

static bool unconditional(const struct ir_insn *i)
{
    return !i->predicated && i->dst.mask == 15 && i->dst.rel.file == IR_NULL;
}

static bool copies_to_output(const struct ir_insn *i)
{
    const struct ir_src *s = &i->src[0];
    return i->op == IR_MOV && unconditional(i) && i->dst.file == IR_OUTPUT && !i->dst.sat &&
           !i->dst.shift && s->file == IR_TEMP && s->swizzle == 0xe4 && !s->modifier && !s->abs &&
           !s->neg && s->rel.file == IR_NULL;
}

static bool reads_register(const struct ir_insn *i, u8 file, u32 index)
{
    for (unsigned k = 0; k < 3; k++) {
        if (i->src[k].rel.file != IR_NULL || i->dst.rel.file != IR_NULL) return true;
        if (i->src[k].file == file && i->src[k].index == index) return true;
    }
    return false;
}

/* In programs without control flow, the last such pair. */
static void merge(struct ir_plan *plan, const struct ir_program *p)
{
    plan->merged_at = UINT32_MAX;
    for (u32 n = 0; n < p->insn_count; n++) {
        if (p->insns[n].op >= IR_IF && (p->insns[n].op != IR_RET || n + 1 < p->insn_count)) return;
    }
    for (u32 n = 1; n < p->insn_count; n++) {
        const struct ir_insn *from = &p->insns[n - 1], *copy = &p->insns[n];
        const u32 temp = copy->src[0].index;
        if (!copies_to_output(copy) || !unconditional(from) || from->dst.file != IR_TEMP ||
            from->dst.index != temp || from->op >= IR_KILL_LT || from->dst2.file != IR_NULL ||
            reads_register(from, IR_OUTPUT, copy->dst.index))
            continue;
        bool again = false;
        for (u32 k = n + 1; k < p->insn_count; k++)
            again |= reads_register(&p->insns[k], IR_TEMP, temp);
        if (again) continue;
        plan->merged_at = n - 1;
        plan->merged = *from;
        plan->merged.dst.file = IR_OUTPUT;
        plan->merged.dst.index = copy->dst.index;
    }
}

struct ir_plan *ir_plan(const struct ir_program *p)
{
    struct survey s = { .p = p, .straight = true };
    s.plan = xalloc(sizeof(*s.plan) + p->temps * sizeof(s.plan->zero_temps[0]));
    s.temps = xalloc(p->temps + 1u);
    s.zeroed = xalloc(p->temps + 1u);
    for (u32 n = 0; n < p->insn_count; n++) look_at(&s, &p->insns[n]);
    for (u32 k = 0; k < p->temps; k++) {
        if (s.zeroed[k]) s.plan->zero_temps[s.plan->zero_count++] = (u16)k;
    }
    for (u32 k = 0; k < IR_MAX_OUTPUTS; k++) {
        bool looked_at = k == 0 || s.touched >> k & 1 || p->output[k].used;
        if (looked_at && s.outputs[k] != 15) s.plan->zero_outputs |= 1u << k;
    }
    merge(s.plan, p);
    free(s.temps);
    free(s.zeroed);
    return s.plan;
}
