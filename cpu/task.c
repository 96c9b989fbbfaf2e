/* Hardware task switch (SDM 3A chapter 7): 16- and 32-bit TSS, caused by JMP, CALL, interrupt or
 * exception through a task gate, and IRET with NT set. Windows (32-bit) has task gates for #DF and
 * NMI; without this a double fault there is a silent reset.
 *
 * Checks on the new TSS fault in the old task. From the moment the task register is loaded, faults
 * belong to the new task: insn_rip then points to its first instruction. Long mode has no task
 * switch; callers do not come here then. */
#include "cpu/seg.h"

#include "cpu/mmu.h"

/* Contents of a TSS of either size. */
struct tss {
    u32 cr3, eip, eflags, gpr[8];
    u16 seg[6], ldt;
    bool is32, debug_trap;
};

enum { TSS32_SIZE = 104, TSS16_SIZE = 44 };

static bool tss_is32(unsigned type)
{
    return type & 8;
}

static void tss_parse(const u8 *b, bool is32, struct tss *t)
{
    memset(t, 0, sizeof(*t));
    t->is32 = is32;
    if (is32) {
        t->cr3 = ld32(b + 0x1c);
        t->eip = ld32(b + 0x20);
        t->eflags = ld32(b + 0x24);
        for (unsigned i = 0; i < 8; i++) t->gpr[i] = ld32(b + 0x28 + i * 4);
        for (unsigned i = 0; i < 6; i++) t->seg[i] = ld16(b + 0x48 + i * 4);
        t->ldt = ld16(b + 0x60);
        t->debug_trap = b[0x64] & 1;
        return;
    }
    t->eip = ld16(b + 0x0e);
    t->eflags = ld16(b + 0x10);
    for (unsigned i = 0; i < 8; i++) t->gpr[i] = ld16(b + 0x12 + i * 2);
    for (unsigned i = 0; i < 4; i++) t->seg[i] = ld16(b + 0x22 + i * 2);
    t->ldt = ld16(b + 0x2a);
}

/* Writes the dynamic part: EIP .. GS. */
static bool tss_save(struct cpu *c, u64 base, bool is32, u32 eflags)
{
    u8 b[64];
    unsigned first = is32 ? 0x20 : 0x0e, w = is32 ? 4 : 2, n = 0;
    memset(b, 0, sizeof(b));
    st_n(b + n, c->rip, w), n += w;
    st_n(b + n, eflags, w), n += w;
    for (unsigned i = 0; i < 8; i++, n += w) st_n(b + n, c->r[i], w);
    for (unsigned i = 0; i < (is32 ? 6u : 4u); i++, n += w) {
        if (!is32) st16(b + n, c->seg[i].sel);
        else if (!lin_write(c, base + 0x48 + i * 4, &c->seg[i].sel, 2)) return false;
    }
    return lin_write(c, base + first, b, is32 ? 40 : n);
}

static bool read_new_tss(struct cpu *c, u16 sel, enum task_cause why, struct desc *d, struct tss *t)
{
    unsigned vector = why == TASK_IRET ? EXC_TS : EXC_GP;
    u8 b[TSS32_SIZE];
    if ((sel & 4) || !(sel & 0xfffc)) return raise_sel(c, vector, sel);
    if (!desc_read(c, sel, d, vector)) return false;
    unsigned type = desc_type(d) & ~2u;
    bool busy = desc_type(d) & 2;
    bool is_tss = !(d->attr & ATTR_S) && (type == DT_TSS16 || type == DT_TSS32);
    if (!is_tss || busy != (why == TASK_IRET)) return raise_sel(c, vector, sel);
    if (!(d->attr & ATTR_P)) return raise_sel(c, EXC_NP, sel);
    unsigned size = tss_is32(type) ? TSS32_SIZE : TSS16_SIZE;
    if (desc_limit(d) < size - 1) return raise_sel(c, EXC_TS, sel);
    struct seg s;
    desc_to_seg(d, sel, &s);
    if (!lin_read(c, s.base, b, size)) return false;
    tss_parse(b, tss_is32(type), t);
    return true;
}

static bool write_busy(struct cpu *c, u64 at, bool busy)
{
    u8 rights;
    if (!lin_read(c, at + 5, &rights, 1)) return false;
    u8 want = busy ? rights | 2 : rights & (u8)~2u;
    return want == rights || lin_write(c, at + 5, &want, 1);
}

/* Everything that touches memory of the old task and the tables; state is still the old one. */
static bool leave_task(struct cpu *c, const struct desc *d, u64 new_base, enum task_cause why)
{
    bool old32 = tss_is32(c->tr.attr & ATTR_TYPE);
    u64 old_desc = c->gdtr.base + (c->tr.sel & 0xfff8);
    u32 flags = cpu_flags(c);
    if (c->tr.limit < (old32 ? TSS32_SIZE : TSS16_SIZE) - 1u)
        return raise_sel(c, EXC_TS, c->tr.sel);
    if (!lin_probe_write(c, c->tr.base + (old32 ? 0x20 : 0x0e), old32 ? 0x40 : 0x1c)) return false;
    if (!lin_probe_write(c, new_base, 2)) return false;
    if (why == TASK_IRET) flags &= ~FL_NT;
    if (!tss_save(c, c->tr.base, old32, flags)) return false;
    if ((why == TASK_JMP || why == TASK_IRET) && !write_busy(c, old_desc, false)) return false;
    if (why == TASK_IRET) return true;
    if (why != TASK_JMP && !lin_write(c, new_base, &c->tr.sel, 2)) return false;
    return write_busy(c, d->at, true);
}

/* ---- the new task ---- */

static bool task_cr3(struct cpu *c, u32 cr3)
{
    if (!(c->cr0 & CR0_PG)) return true;
    if ((c->cr4 & CR4_PAE) && !mmu_load_pdptes(c, cr3)) {
        exc_gp0(c);
        return false;
    }
    tlb_load_cr3(c, cr3);
    return true;
}

static bool task_ldt(struct cpu *c, u16 sel)
{
    struct desc d;
    c->ldtr = (struct seg){ .sel = sel };
    if (!(sel & 0xfffc)) return true;
    if (sel & 4) return raise_sel(c, EXC_TS, sel);
    if (!desc_read(c, sel, &d, EXC_TS)) return false;
    if ((d.attr & (ATTR_S | ATTR_P | ATTR_TYPE)) != (ATTR_P | DT_LDT))
        return raise_sel(c, EXC_TS, sel);
    desc_to_seg(&d, sel, &c->ldtr);
    return true;
}

static bool task_ss(struct cpu *c, u16 sel, unsigned cpl)
{
    struct desc d;
    if (!(sel & 0xfffc)) return raise_sel(c, EXC_TS, sel);
    if (!desc_read(c, sel, &d, EXC_TS)) return false;
    if (!desc_is_writable_data(&d) || desc_dpl(&d) != cpl || (sel & 3u) != cpl)
        return raise_sel(c, EXC_TS, sel);
    if (!(d.attr & ATTR_P)) return raise_sel(c, EXC_SS, sel);
    if (!desc_set_accessed(c, &d)) return false;
    desc_to_seg(&d, sel, &c->seg[SEG_SS]);
    return true;
}

static bool task_cs(struct cpu *c, u16 sel)
{
    struct desc d;
    if (!(sel & 0xfffc)) return raise_sel(c, EXC_TS, sel);
    if (!desc_read(c, sel, &d, EXC_TS)) return false;
    unsigned rpl = sel & 3;
    bool dpl_ok = desc_is_conforming(&d) ? desc_dpl(&d) <= rpl : desc_dpl(&d) == rpl;
    if (!desc_is_code(&d) || !dpl_ok) return raise_sel(c, EXC_TS, sel);
    if (!(d.attr & ATTR_P)) return raise_sel(c, EXC_NP, sel);
    if (!desc_set_accessed(c, &d)) return false;
    code_load(c, sel, &d, rpl, c->rip);
    return true;
}

static bool task_data(struct cpu *c, unsigned seg, u16 sel)
{
    struct desc d;
    if (!(sel & 0xfffc)) {
        seg_load_null(c, seg, sel);
        return true;
    }
    if (!desc_read(c, sel, &d, EXC_TS)) return false;
    if (!desc_is_readable(&d)) return raise_sel(c, EXC_TS, sel);
    if (!desc_is_conforming(&d) && MAX((unsigned)(sel & 3), c->cpl) > desc_dpl(&d))
        return raise_sel(c, EXC_TS, sel);
    if (!(d.attr & ATTR_P)) return raise_sel(c, EXC_NP, sel);
    if (!desc_set_accessed(c, &d)) return false;
    desc_to_seg(&d, sel, &c->seg[seg]);
    return true;
}

static bool task_segments(struct cpu *c, const struct tss *t)
{
    static const u8 data[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    if (c->rflags & FL_VM) {
        for (unsigned i = 0; i < SEG_COUNT; i++) seg_load_real(c, i, t->seg[i]);
        cpu_update_mode(c);
        return true;
    }
    if (!task_ss(c, t->seg[SEG_SS], c->cpl) || !task_cs(c, t->seg[SEG_CS])) return false;
    for (unsigned i = 0; i < LEN(data); i++) {
        if (!task_data(c, data[i], t->seg[data[i]])) return false;
    }
    seg_update_flat(c);
    return true;
}

/* Selectors are visible at once, descriptors are loaded one after another: a fault in between finds
 * the others unusable. */
static void enter_task(struct cpu *c, const struct desc *d, u16 sel, const struct tss *t,
                       enum task_cause why)
{
    u32 flags = t->eflags;
    if (why == TASK_CALL || why == TASK_INT) flags |= FL_NT;
    desc_to_seg(d, sel, &c->tr);
    c->tr.attr |= 2; /* busy */
    c->cr0 |= CR0_TS;
    c->dr[7] &= ~0x155ull; /* local breakpoints end with the task */
    cpu_dr7_changed(c);
    for (unsigned i = 0; i < 8; i++) c->r[i] = t->gpr[i];
    c->rip = c->insn_rip = t->eip;
    if (!t->is32) flags &= 0xffff;
    cpu_set_flags(c, (flags & 0x3f7fd5) | 2);
    for (unsigned i = 0; i < SEG_COUNT; i++) seg_load_null(c, i, t->seg[i]);
    /* SS is checked against the level of the new CS; a fault before that is of this level too. */
    c->cpl = flags & FL_VM ? 3 : t->seg[SEG_CS] & 3;
}

bool task_switch(struct cpu *c, u16 tss_sel, enum task_cause why, bool has_error, u32 error)
{
    struct desc d;
    struct tss t;
    struct seg s;
    if (!read_new_tss(c, tss_sel, why, &d, &t)) return false;
    desc_to_seg(&d, tss_sel, &s);
    if (!leave_task(c, &d, s.base, why)) return false;
    enter_task(c, &d, tss_sel, &t, why);
    if (t.is32 && !task_cr3(c, t.cr3)) return false;
    if (!task_ldt(c, t.ldt) || !task_segments(c, &t)) return false;
    if (t.debug_trap) {
        c->pending_dr6 |= 0x8000;
        cpu_event_set(c, CE_TRAP);
    }
    if (has_error) {
        struct new_stack st;
        stack_current(c, &st);
        if (!stack_push(c, &st, t.is32 ? 4 : 2, error)) return false;
        stack_set_sp(c, st.sp, st.mask);
    }
    if (c->rip > c->seg[SEG_CS].limit) {
        exc_gp0(c);
        return false;
    }
    return true;
}
