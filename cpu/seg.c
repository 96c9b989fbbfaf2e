/* Segment registers, descriptor checks and far control transfers (SDM 3A chapters 3 and 5, SDM 2
 * JMP/CALL/RET).
 *
 * Loads of data and stack segments, far JMP/CALL/RET directly and through 16-, 32- and 64-bit call
 * gates with parameter copying and stack switch, null selectors, conforming code, real-mode and
 * virtual-8086 forms. Everything follows one order: read descriptors, check, write (accessed bits,
 * stack), and only then change registers, so a fault leaves nothing half done. The accessed bit is
 * written only when it changes: guests hash their descriptor tables. Gates to tasks go to task.c.
 */
#include "cpu/seg.h"

#include "cpu/mmu.h" /* is_canonical */

/* ---- descriptors ---- */

bool raise_sel(struct cpu *c, unsigned vector, u16 sel)
{
    exc_raise_err(c, vector, sel & 0xfffc);
    return false;
}

u32 desc_limit(const struct desc *d)
{
    u32 limit = (d->lo & 0xffff) | (d->hi & 0xf0000);
    return d->attr & ATTR_G ? limit << 12 | 0xfff : limit;
}

static u32 desc_base(const struct desc *d)
{
    return d->lo >> 16 | (d->hi & 0xff) << 16 | (d->hi & 0xff000000);
}

void desc_to_seg(const struct desc *d, u16 sel, struct seg *s)
{
    s->base = desc_base(d) | (u64)d->base_high << 32;
    s->limit = desc_limit(d);
    s->sel = sel;
    s->attr = d->attr;
}

static bool table_of(const struct cpu *c, u16 sel, u64 *base, u32 *limit)
{
    if (!(sel & 4)) {
        *base = c->gdtr.base;
        *limit = c->gdtr.limit;
        return true;
    }
    *base = c->ldtr.base;
    *limit = c->ldtr.limit;
    return c->ldtr.attr & ATTR_P;
}

bool desc_read(struct cpu *c, u16 sel, struct desc *d, unsigned vector)
{
    u64 base;
    u32 limit, w[2];
    if (!table_of(c, sel, &base, &limit) || (sel | 7u) > limit) return raise_sel(c, vector, sel);
    d->at = base + (sel & 0xfff8);
    if (!lin_read(c, d->at, w, 8)) return false;
    d->lo = w[0];
    d->hi = w[1];
    d->attr = (w[1] >> 8) & 0xf0ff;
    d->base_high = 0;
    return true;
}

bool desc_read_high(struct cpu *c, u16 sel, struct desc *d, unsigned vector)
{
    u64 base;
    u32 limit, w[2];
    if (!table_of(c, sel, &base, &limit) || (sel & 0xfff8u) + 15 > limit)
        return raise_sel(c, vector, sel);
    if (!lin_read(c, d->at + 8, w, 8)) return false;
    if (w[1] & 0x1f00) return raise_sel(c, vector, sel);
    d->base_high = w[0];
    return true;
}

bool desc_set_accessed(struct cpu *c, struct desc *d)
{
    if (!(d->attr & ATTR_S) || (d->attr & 1)) return true;
    u8 rights = (u8)(d->hi >> 8) | 1;
    if (!lin_write(c, d->at + 5, &rights, 1)) return false;
    d->hi |= 0x100;
    d->attr |= 1;
    return true;
}

/* ---- loads ---- */

void seg_update_flat(struct cpu *c)
{
    static const u8 which[] = { SEG_ES, SEG_SS, SEG_DS };
    c->flat_ds = true;
    if (c->bits == BITS64) return;
    for (unsigned i = 0; i < LEN(which); i++) {
        const struct seg *s = &c->seg[which[i]];
        bool flat =
            s->base == 0 && s->limit == 0xffffffff && (s->attr & (ATTR_P | 0xe)) == (ATTR_P | 2);
        if (!flat) c->flat_ds = false;
    }
}

void seg_load_null(struct cpu *c, unsigned seg, u16 sel)
{
    struct seg *s = &c->seg[seg];
    s->sel = sel;
    s->base = 0;
    s->attr = 0;
}

void seg_load_real(struct cpu *c, unsigned seg, u16 sel)
{
    struct seg *s = &c->seg[seg];
    s->sel = sel;
    s->base = (u32)sel << 4;
    if (c->rflags & FL_VM) {
        s->limit = 0xffff;
        s->attr = 0xf3;
    } else {
        s->attr = (s->attr & 0xf000) | 0x93; /* limit and D survive: "unreal" mode */
    }
    seg_update_flat(c);
}

static bool load_stack_segment(struct cpu *c, u16 sel)
{
    struct desc d;
    if (!(sel & 0xfffc)) {
        if (c->bits != BITS64 || c->cpl == 3 || (sel & 3) != c->cpl) {
            exc_gp0(c);
            return false;
        }
        seg_load_null(c, SEG_SS, sel);
        c->seg[SEG_SS].attr = (u16)(c->cpl << 5);
        return true;
    }
    if (!desc_read(c, sel, &d, EXC_GP)) return false;
    if ((sel & 3) != c->cpl || !desc_is_writable_data(&d) || desc_dpl(&d) != c->cpl)
        return raise_sel(c, EXC_GP, sel);
    if (!(d.attr & ATTR_P)) return raise_sel(c, EXC_SS, sel);
    if (!desc_set_accessed(c, &d)) return false;
    desc_to_seg(&d, sel, &c->seg[SEG_SS]);
    return true;
}

bool seg_load(struct cpu *c, unsigned seg, u16 sel)
{
    struct desc d;
    if (!is_protected(c)) {
        seg_load_real(c, seg, sel);
        return true;
    }
    if (seg == SEG_SS) {
        if (!load_stack_segment(c, sel)) return false;
        seg_update_flat(c);
        return true;
    }
    if (!(sel & 0xfffc)) {
        seg_load_null(c, seg, sel);
        seg_update_flat(c);
        return true;
    }
    if (!desc_read(c, sel, &d, EXC_GP)) return false;
    if (!desc_is_readable(&d)) return raise_sel(c, EXC_GP, sel);
    if (!desc_is_conforming(&d) && MAX((unsigned)(sel & 3), c->cpl) > desc_dpl(&d))
        return raise_sel(c, EXC_GP, sel);
    if (!(d.attr & ATTR_P)) return raise_sel(c, EXC_NP, sel);
    if (!desc_set_accessed(c, &d)) return false;
    desc_to_seg(&d, sel, &c->seg[seg]);
    seg_update_flat(c);
    return true;
}

void seg_drop_inner(struct cpu *c)
{
    static const u8 data[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    for (unsigned i = 0; i < LEN(data); i++) {
        struct seg *s = &c->seg[data[i]];
        bool conforming = (s->attr & 0xc) == 0xc;
        if (!(s->attr & ATTR_P) || (!conforming && ATTR_DPL(s->attr) < c->cpl)) {
            if (!(s->attr & ATTR_P) && !(s->sel & 0xfffc)) {
                s->sel = 0; /* 1 to 3 become 0; FS and GS bases stay */
                continue;
            }
            seg_load_null(c, data[i], 0);
        }
    }
    seg_update_flat(c);
}

/* ---- code segments ---- */

bool code_offset_ok(struct cpu *c, const struct desc *d, u64 off)
{
    bool ok = c->long_mode && (d->attr & ATTR_L) ? is_canonical(off) : off <= desc_limit(d);
    if (!ok) exc_gp0(c);
    return ok;
}

void code_load(struct cpu *c, u16 sel, const struct desc *d, unsigned cpl, u64 rip)
{
    desc_to_seg(d, (u16)((sel & ~3u) | cpl), &c->seg[SEG_CS]);
    c->cpl = (u8)cpl;
    c->rip = rip;
    cpu_update_mode(c);
}

/* Privilege rules of a direct far JMP or CALL. */
static bool direct_target_ok(struct cpu *c, u16 sel, const struct desc *d)
{
    unsigned dpl = desc_dpl(d), rpl = sel & 3;
    bool ok = desc_is_conforming(d) ? dpl <= c->cpl : rpl <= c->cpl && dpl == c->cpl;
    if (!ok || (c->long_mode && (d->attr & ATTR_L) && (d->attr & ATTR_D)))
        return raise_sel(c, EXC_GP, sel);
    if (!(d->attr & ATTR_P)) return raise_sel(c, EXC_NP, sel);
    return true;
}

/* Reads the code segment a call gate names. For JMP the level must not change. */
struct gate {
    u16 sel;
    u64 off;
    unsigned osz, params;
    struct desc code;
};

static bool read_call_gate(struct cpu *c, u16 sel, struct desc *d, struct gate *g, bool jump)
{
    unsigned dpl = desc_dpl(d), rpl = sel & 3;
    if (dpl < c->cpl || dpl < rpl) return raise_sel(c, EXC_GP, sel);
    if (!(d->attr & ATTR_P)) return raise_sel(c, EXC_NP, sel);
    g->sel = (u16)(d->lo >> 16);
    g->params = d->hi & 31;
    g->osz = desc_type(d) == DT_CALL16 ? OSZ16 : OSZ32;
    g->off = d->lo & 0xffff;
    if (g->osz == OSZ32) g->off |= d->hi & 0xffff0000;
    if (c->long_mode) {
        if (!desc_read_high(c, sel, d, EXC_GP)) return false;
        g->off |= (u64)d->base_high << 32;
        g->osz = OSZ64;
        g->params = 0;
    }
    if (!(g->sel & 0xfffc)) {
        exc_gp0(c);
        return false;
    }
    if (!desc_read(c, g->sel, &g->code, EXC_GP)) return false;
    unsigned cdpl = desc_dpl(&g->code);
    bool same_only = jump && !desc_is_conforming(&g->code);
    if (!desc_is_code(&g->code) || cdpl > c->cpl || (same_only && cdpl != c->cpl))
        return raise_sel(c, EXC_GP, g->sel);
    if (c->long_mode && (g->code.attr & (ATTR_L | ATTR_D)) != ATTR_L)
        return raise_sel(c, EXC_GP, g->sel);
    if (!(g->code.attr & ATTR_P)) return raise_sel(c, EXC_NP, g->sel);
    return true;
}

static bool is_call_gate(const struct cpu *c, const struct desc *d)
{
    if (d->attr & ATTR_S) return false;
    return desc_type(d) == DT_CALL32 || (desc_type(d) == DT_CALL16 && !c->long_mode);
}

/* TSS descriptor or task gate as the target of JMP or CALL (not in long mode). */
static bool task_target(struct cpu *c, u16 sel, const struct desc *d, enum task_cause why)
{
    unsigned type = desc_type(d);
    bool tss = type == DT_TSS16 || type == DT_TSS32;
    if ((d->attr & ATTR_S) || c->long_mode || !(tss || type == DT_TASK))
        return raise_sel(c, EXC_GP, sel);
    if (desc_dpl(d) < c->cpl || desc_dpl(d) < (sel & 3u)) return raise_sel(c, EXC_GP, sel);
    if (!(d->attr & ATTR_P)) return raise_sel(c, EXC_NP, sel);
    return task_switch(c, tss ? sel : (u16)(d->lo >> 16), why, false, 0);
}

/* ---- stacks ---- */

static u64 ss_mask(const struct seg *ss)
{
    return ss->attr & ATTR_D ? 0xffffffffull : 0xffffull;
}

void stack_set_sp(struct cpu *c, u64 sp, u64 mask)
{
    c->r[RSP] = mask == 0xffff ? (c->r[RSP] & ~0xffffull) | (sp & 0xffff) : sp & mask;
}

void stack_current(struct cpu *c, struct new_stack *st)
{
    st->ss = c->seg[SEG_SS];
    st->mask = stack_mask(c);
    st->sp = c->r[RSP] & st->mask;
    st->err_sel = 0;
    st->user = c->cpl == 3;
    st->flat = c->bits == BITS64;
}

bool stack_push(struct cpu *c, struct new_stack *st, unsigned size, u64 v)
{
    u64 sp = (st->sp - size) & st->mask;
    u64 gla = sp;
    if (st->flat) {
        if (!is_canonical(sp)) return raise_sel(c, EXC_SS, st->err_sel);
    } else {
        bool down = (st->ss.attr & 0xc) == 4 && (c->cr0 & CR0_PE);
        u64 top = st->ss.attr & ATTR_D ? 0xffffffffu : 0xffffu;
        bool bad = down ? sp <= st->ss.limit || sp + size - 1 > top : sp + size - 1 > st->ss.limit;
        if (bad) return raise_sel(c, EXC_SS, st->err_sel);
        gla = (u32)(st->ss.base + sp);
    }
    if (!lin_write_as(c, gla, &v, size, st->user)) return false;
    st->sp = sp;
    return true;
}

void stack_commit(struct cpu *c, const struct new_stack *st)
{
    c->seg[SEG_SS] = st->ss;
    stack_set_sp(c, st->sp, st->mask);
}

/* SS for an inner level, from the TSS: all errors are #TS but absence. */
static bool inner_stack_segment(struct cpu *c, u16 sel, unsigned dpl, struct seg *ss)
{
    struct desc d;
    if (!(sel & 0xfffc)) return raise_sel(c, EXC_TS, sel);
    if (!desc_read(c, sel, &d, EXC_TS)) return false;
    if ((sel & 3u) != dpl || desc_dpl(&d) != dpl || !desc_is_writable_data(&d))
        return raise_sel(c, EXC_TS, sel);
    if (!(d.attr & ATTR_P)) return raise_sel(c, EXC_SS, sel);
    if (!desc_set_accessed(c, &d)) return false;
    desc_to_seg(&d, sel, ss);
    return true;
}

bool stack_from_tss(struct cpu *c, unsigned dpl, unsigned ist, struct new_stack *st)
{
    u8 b[8] = { 0 };
    st->user = dpl == 3;
    st->flat = c->long_mode;
    if (c->long_mode) {
        u32 at = ist ? 0x1c + ist * 8 : 4 + dpl * 8;
        if (at + 7 > c->tr.limit) return raise_sel(c, EXC_TS, c->tr.sel);
        if (!lin_read(c, c->tr.base + at, b, 8)) return false;
        st->sp = ld64(b);
        st->mask = ~0ull;
        st->err_sel = 0;
        st->ss = (struct seg){ .sel = (u16)dpl, .attr = (u16)(dpl << 5) };
        if (dpl == c->cpl) st->ss = c->seg[SEG_SS];
        return true;
    }
    bool tss32 = (c->tr.attr & 8) != 0;
    u32 at = tss32 ? 4 + dpl * 8 : 2 + dpl * 4;
    if (at + (tss32 ? 5 : 3) > c->tr.limit) return raise_sel(c, EXC_TS, c->tr.sel);
    if (!lin_read(c, c->tr.base + at, b, tss32 ? 6 : 4)) return false;
    u16 sel = tss32 ? ld16(b + 4) : ld16(b + 2);
    if (!inner_stack_segment(c, sel, dpl, &st->ss)) return false;
    st->mask = ss_mask(&st->ss);
    st->sp = (tss32 ? ld32(b) : ld16(b)) & st->mask;
    st->err_sel = sel;
    return true;
}

bool stack_peek(struct cpu *c, u64 delta, unsigned size, u64 *v)
{
    *v = 0;
    return mem_slow_read(c, SEG_SS, (c->r[RSP] + delta) & stack_mask(c), v, size);
}

bool stack_desc_for_return(struct cpu *c, u16 sel, unsigned rpl, bool is64, struct seg *ss)
{
    struct desc d;
    if (!(sel & 0xfffc)) {
        if (!is64 || rpl == 3 || (sel & 3u) != rpl) {
            exc_gp0(c);
            return false;
        }
        *ss = (struct seg){ .sel = sel, .attr = (u16)(rpl << 5) };
        return true;
    }
    if (!desc_read(c, sel, &d, EXC_GP)) return false;
    if ((sel & 3u) != rpl || !desc_is_writable_data(&d) || desc_dpl(&d) != rpl)
        return raise_sel(c, EXC_GP, sel);
    if (!(d.attr & ATTR_P)) return raise_sel(c, EXC_SS, sel);
    if (!desc_set_accessed(c, &d)) return false;
    desc_to_seg(&d, sel, ss);
    return true;
}

/* ---- far JMP ---- */

static u64 mask_offset(u64 off, unsigned osz)
{
    return osz == OSZ16 ? (u16)off : osz == OSZ32 ? (u32)off : off;
}

static bool real_target(struct cpu *c, u16 sel, u64 off)
{
    u32 limit = c->rflags & FL_VM ? 0xffff : c->seg[SEG_CS].limit;
    if (off > limit) {
        exc_gp0(c);
        return false;
    }
    seg_load_real(c, SEG_CS, sel);
    c->rip = off;
    cpu_update_mode(c);
    return true;
}

bool far_jump(struct cpu *c, u16 sel, u64 off, unsigned osz)
{
    struct desc d;
    struct gate g;
    off = mask_offset(off, osz);
    if (!is_protected(c)) return real_target(c, sel, off);
    if (!(sel & 0xfffc)) {
        exc_gp0(c);
        return false;
    }
    if (!desc_read(c, sel, &d, EXC_GP)) return false;
    if (desc_is_code(&d)) {
        if (!direct_target_ok(c, sel, &d) || !code_offset_ok(c, &d, off) ||
            !desc_set_accessed(c, &d))
            return false;
        code_load(c, sel, &d, c->cpl, off);
        return true;
    }
    if (!is_call_gate(c, &d)) return task_target(c, sel, &d, TASK_JMP);
    if (!read_call_gate(c, sel, &d, &g, true)) return false;
    if (!code_offset_ok(c, &g.code, g.off) || !desc_set_accessed(c, &g.code)) return false;
    code_load(c, g.sel, &g.code, c->cpl, g.off);
    return true;
}

/* ---- far CALL ---- */

static bool push_return(struct cpu *c, struct new_stack *st, unsigned osz)
{
    return stack_push(c, st, 1u << osz, c->seg[SEG_CS].sel) && stack_push(c, st, 1u << osz, c->rip);
}

static bool copy_parameters(struct cpu *c, struct new_stack *st, const struct gate *g)
{
    unsigned size = 1u << g->osz;
    for (unsigned i = g->params; i-- > 0;) {
        u64 v;
        if (!stack_peek(c, (u64)i * size, size, &v) || !stack_push(c, st, size, v)) return false;
    }
    return true;
}

static bool call_inner(struct cpu *c, struct gate *g)
{
    struct new_stack st;
    unsigned dpl = desc_dpl(&g->code), size = 1u << g->osz;
    if (!stack_from_tss(c, dpl, 0, &st)) return false;
    if (!code_offset_ok(c, &g->code, g->off)) return false;
    if (!stack_push(c, &st, size, c->seg[SEG_SS].sel) || !stack_push(c, &st, size, c->r[RSP]))
        return false;
    if (!copy_parameters(c, &st, g) || !push_return(c, &st, g->osz)) return false;
    if (!desc_set_accessed(c, &g->code)) return false;
    code_load(c, g->sel, &g->code, dpl, g->off);
    stack_commit(c, &st);
    seg_update_flat(c);
    return true;
}

static bool call_gate(struct cpu *c, u16 sel, struct desc *d)
{
    struct gate g;
    struct new_stack st;
    if (!read_call_gate(c, sel, d, &g, false)) return false;
    if (!desc_is_conforming(&g.code) && desc_dpl(&g.code) < c->cpl) return call_inner(c, &g);
    stack_current(c, &st);
    if (c->long_mode) { /* the gate leads to 64-bit code: the pushes are 64-bit pushes */
        st.flat = true;
        st.mask = ~0ull;
        st.sp = c->r[RSP];
    }
    if (!push_return(c, &st, g.osz) || !code_offset_ok(c, &g.code, g.off) ||
        !desc_set_accessed(c, &g.code))
        return false;
    code_load(c, g.sel, &g.code, c->cpl, g.off);
    stack_set_sp(c, st.sp, st.mask);
    return true;
}

bool far_call(struct cpu *c, u16 sel, u64 off, unsigned osz)
{
    struct desc d;
    struct new_stack st;
    off = mask_offset(off, osz);
    stack_current(c, &st);
    if (!is_protected(c)) {
        u32 limit = c->rflags & FL_VM ? 0xffff : c->seg[SEG_CS].limit;
        if (!push_return(c, &st, osz)) return false;
        if (off > limit) {
            exc_gp0(c);
            return false;
        }
        stack_set_sp(c, st.sp, st.mask);
        return real_target(c, sel, off);
    }
    if (!(sel & 0xfffc)) {
        exc_gp0(c);
        return false;
    }
    if (!desc_read(c, sel, &d, EXC_GP)) return false;
    if (is_call_gate(c, &d)) return call_gate(c, sel, &d);
    if (!desc_is_code(&d)) return task_target(c, sel, &d, TASK_CALL);
    if (!direct_target_ok(c, sel, &d) || !push_return(c, &st, osz)) return false;
    if (!code_offset_ok(c, &d, off) || !desc_set_accessed(c, &d)) return false;
    code_load(c, sel, &d, c->cpl, off);
    stack_set_sp(c, st.sp, st.mask);
    return true;
}

/* ---- far RET ---- */

static bool return_real(struct cpu *c, unsigned osz, u16 extra)
{
    u64 off, sel, mask = stack_mask(c);
    unsigned size = 1u << osz;
    if (!stack_peek(c, 0, size, &off) || !stack_peek(c, size, size, &sel)) return false;
    if (!real_target(c, (u16)sel, off)) return false;
    stack_set_sp(c, c->r[RSP] + 2 * size + extra, mask);
    return true;
}

bool far_return(struct cpu *c, unsigned osz, u16 extra)
{
    unsigned size = 1u << osz;
    u64 off, cs, sp = 0, ss_sel = 0, mask = stack_mask(c);
    struct desc d;
    struct seg ss;
    if (!is_protected(c)) return return_real(c, osz, extra);
    if (!stack_peek(c, 0, size, &off) || !stack_peek(c, size, size, &cs)) return false;
    unsigned rpl = cs & 3;
    /* Hardware reads SS:SP of a return to another level before it looks at CS. */
    bool outer = rpl != c->cpl;
    if (outer && (!stack_peek(c, 3 * size + extra, size, &ss_sel) ||
                  !stack_peek(c, 2 * size + extra, size, &sp)))
        return false;
    if (!(cs & 0xfffc)) {
        exc_gp0(c);
        return false;
    }
    if (!desc_read(c, (u16)cs, &d, EXC_GP)) return false;
    bool dpl_ok = desc_is_conforming(&d) ? desc_dpl(&d) <= rpl : desc_dpl(&d) == rpl;
    bool both = c->long_mode && (d.attr & ATTR_L) && (d.attr & ATTR_D);
    if (!desc_is_code(&d) || rpl < c->cpl || !dpl_ok || both) return raise_sel(c, EXC_GP, (u16)cs);
    if (!(d.attr & ATTR_P)) return raise_sel(c, EXC_NP, (u16)cs);
    if (rpl == c->cpl) {
        if (!code_offset_ok(c, &d, off) || !desc_set_accessed(c, &d)) return false;
        code_load(c, (u16)cs, &d, rpl, off);
        stack_set_sp(c, c->r[RSP] + 2 * size + extra, mask);
        return true;
    }
    bool is64 = c->long_mode && (d.attr & ATTR_L);
    if (!stack_desc_for_return(c, (u16)ss_sel, rpl, is64, &ss)) return false;
    if (!code_offset_ok(c, &d, off) || !desc_set_accessed(c, &d)) return false;
    code_load(c, (u16)cs, &d, rpl, off);
    c->seg[SEG_SS] = ss;
    stack_set_sp(c, sp + extra, is64 ? ~0ull : ss_mask(&ss));
    seg_drop_inner(c);
    return true;
}
