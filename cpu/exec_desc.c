/* Handlers of the descriptor-table instructions: LGDT/SGDT and family, LLDT, LTR, LAR, LSL, VERR,
 * VERW, ARPL. */
#include "cpu/mmu.h" /* is_canonical */
#include "cpu/ops.h"
#include "cpu/seg.h"

static bool require_cpl0(struct cpu *c)
{
    if (c->cpl == 0) return true;
    exc_gp0(c);
    return false;
}

/* SLDT, STR, LLDT, LTR, LAR, LSL, VERR, VERW, ARPL do not exist in real and virtual-8086 mode. */
static bool require_protected(struct cpu *c)
{
    if (is_protected(c)) return true;
    exc_raise(c, EXC_UD);
    return false;
}

static bool umip_allows(struct cpu *c)
{
    if (c->cpl == 0 || !(c->cr4 & CR4_UMIP)) return true;
    exc_gp0(c);
    return false;
}

/* ---- pseudo descriptors ---- */

static void store_table(struct cpu *c, const struct insn *i, const struct dtable *t)
{
    u8 b[10];
    if (!umip_allows(c)) return;
    st16(b, (u16)t->limit);
    st64(b + 2, t->base);
    mem_write_n(c, i->seg, ea_offset(c, i), b, c->bits == BITS64 ? 10 : 6);
}

static void load_table(struct cpu *c, const struct insn *i, struct dtable *t)
{
    u8 b[10] = { 0 };
    if (!require_cpl0(c) || !mem_read_n(c, i->seg, ea_offset(c, i), b, c->bits == BITS64 ? 10 : 6))
        return;
    u64 base = ld64(b + 2);
    if (c->bits != BITS64 && i->osz == OSZ16) base &= 0xffffff;
    if (c->bits == BITS64 && !is_canonical(base)) {
        exc_gp0(c);
        return;
    }
    t->limit = ld16(b);
    t->base = base;
}

void op_sgdt(struct cpu *c, const struct insn *i)
{
    store_table(c, i, &c->gdtr);
}

void op_sidt(struct cpu *c, const struct insn *i)
{
    store_table(c, i, &c->idtr);
}

void op_lgdt(struct cpu *c, const struct insn *i)
{
    load_table(c, i, &c->gdtr);
}

void op_lidt(struct cpu *c, const struct insn *i)
{
    load_table(c, i, &c->idtr);
}

/* ---- LDTR and TR ---- */

/* A word to memory, or the operand size to a register. */
static void store_selector(struct cpu *c, const struct insn *i, u64 v)
{
    rm_write(c, i, is_mem(i) ? OSZ16 : i->osz, v);
}

void op_sldt(struct cpu *c, const struct insn *i)
{
    if (require_protected(c) && umip_allows(c)) store_selector(c, i, c->ldtr.sel);
}

void op_str(struct cpu *c, const struct insn *i)
{
    if (require_protected(c) && umip_allows(c)) store_selector(c, i, c->tr.sel);
}

/* Reads an LDT or TSS descriptor of the GDT, both halves in long mode. */
static bool read_system(struct cpu *c, u16 sel, struct desc *d)
{
    if (sel & 4) return raise_sel(c, EXC_GP, sel);
    if (!desc_read(c, sel, d, EXC_GP)) return false;
    return !c->long_mode || desc_read_high(c, sel, d, EXC_GP);
}

static bool system_base_ok(struct cpu *c, const struct seg *s)
{
    if (!c->long_mode || is_canonical(s->base)) return true;
    exc_gp0(c);
    return false;
}

void op_lldt(struct cpu *c, const struct insn *i)
{
    struct desc d;
    struct seg s;
    u64 v;
    if (!require_protected(c) || !require_cpl0(c) || !rm_read(c, i, OSZ16, &v)) return;
    u16 sel = (u16)v;
    if (!(sel & 0xfffc)) {
        c->ldtr = (struct seg){ .sel = sel };
        return;
    }
    if (!read_system(c, sel, &d)) return;
    if ((d.attr & (ATTR_S | ATTR_TYPE)) != DT_LDT) {
        raise_sel(c, EXC_GP, sel);
        return;
    }
    if (!(d.attr & ATTR_P)) {
        raise_sel(c, EXC_NP, sel);
        return;
    }
    desc_to_seg(&d, sel, &s);
    if (system_base_ok(c, &s)) c->ldtr = s;
}

void op_ltr(struct cpu *c, const struct insn *i)
{
    struct desc d;
    struct seg s;
    u64 v;
    if (!require_protected(c) || !require_cpl0(c) || !rm_read(c, i, OSZ16, &v)) return;
    u16 sel = (u16)v;
    if (!(sel & 0xfffc)) {
        exc_gp0(c);
        return;
    }
    if (!read_system(c, sel, &d)) return;
    unsigned type = desc_type(&d);
    bool ok = !(d.attr & ATTR_S) && (type == DT_TSS32 || (type == DT_TSS16 && !c->long_mode));
    if (!ok) {
        raise_sel(c, EXC_GP, sel);
        return;
    }
    if (!(d.attr & ATTR_P)) {
        raise_sel(c, EXC_NP, sel);
        return;
    }
    desc_to_seg(&d, sel, &s);
    u8 rights = (u8)(d.hi >> 8) | 2;
    if (!system_base_ok(c, &s) || !lin_write(c, d.at + 5, &rights, 1)) return;
    c->tr = s;
    c->tr.attr |= 2;
}

/* ---- questions about selectors ---- */

static void set_zf(struct cpu *c, bool on)
{
    u32 f = cpu_flags(c);
    cpu_set_arith(c, on ? f | FL_ZF : f & ~FL_ZF);
}

/* Descriptor of a selector that need not be valid: 1 read, 0 no such descriptor, -1 page fault. */
static int look_up(struct cpu *c, u16 sel, struct desc *d)
{
    const bool local = sel & 4;
    u32 limit = local ? c->ldtr.limit : c->gdtr.limit;
    if (!(sel & 0xfffc) || (sel | 7u) > limit || (local && !(c->ldtr.attr & ATTR_P))) return 0;
    return desc_read(c, sel, d, EXC_GP) ? 1 : -1;
}

static bool visible(const struct cpu *c, u16 sel, const struct desc *d)
{
    return desc_is_conforming(d) || MAX((unsigned)(sel & 3), c->cpl) <= desc_dpl(d);
}

static bool system_type_in(const struct cpu *c, const struct desc *d, u32 legacy, u32 long_mode)
{
    return (c->long_mode ? long_mode : legacy) >> desc_type(d) & 1;
}

void op_lar(struct cpu *c, const struct insn *i)
{
    struct desc d;
    u64 v;
    if (!require_protected(c) || !rm_read(c, i, OSZ16, &v)) return;
    int found = look_up(c, (u16)v, &d);
    if (found < 0) return;
    bool ok = found && visible(c, (u16)v, &d) &&
              ((d.attr & ATTR_S) || system_type_in(c, &d, 0x1a3e, 0x1a04));
    if (ok) reg_write(c, i, i->osz, i->reg, d.hi & (i->osz == OSZ16 ? 0xff00 : 0xf0ff00));
    set_zf(c, ok);
}

void op_lsl(struct cpu *c, const struct insn *i)
{
    struct desc d;
    u64 v;
    if (!require_protected(c) || !rm_read(c, i, OSZ16, &v)) return;
    int found = look_up(c, (u16)v, &d);
    if (found < 0) return;
    bool ok = found && visible(c, (u16)v, &d) &&
              ((d.attr & ATTR_S) || system_type_in(c, &d, 0x0a0e, 0x0a04));
    if (ok) reg_write(c, i, i->osz, i->reg, desc_limit(&d));
    set_zf(c, ok);
}

void op_verr(struct cpu *c, const struct insn *i)
{
    struct desc d;
    u64 v;
    if (!require_protected(c) || !rm_read(c, i, OSZ16, &v)) return;
    int found = look_up(c, (u16)v, &d);
    if (found >= 0) set_zf(c, found && desc_is_readable(&d) && visible(c, (u16)v, &d));
}

void op_verw(struct cpu *c, const struct insn *i)
{
    struct desc d;
    u64 v;
    if (!require_protected(c) || !rm_read(c, i, OSZ16, &v)) return;
    int found = look_up(c, (u16)v, &d);
    if (found >= 0) set_zf(c, found && desc_is_writable_data(&d) && visible(c, (u16)v, &d));
}

void op_arpl(struct cpu *c, const struct insn *i)
{
    u64 dst, src = reg_read(c, i, OSZ16, i->reg) & 3;
    if (!require_protected(c)) return;
    if (!rm_read(c, i, OSZ16, &dst)) return;
    bool raise = (dst & 3) < src;
    if (raise && !rm_write(c, i, OSZ16, (dst & ~3ull) | src)) return;
    set_zf(c, raise);
}
