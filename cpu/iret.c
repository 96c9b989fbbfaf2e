/* IRET in every mode (SDM 2 IRET): real, virtual-8086 with VME, protected to the same or an outer
 * level, to virtual-8086, back to the calling task (NT), and long mode with its always complete
 * frame in 64-bit code. Counterpart of exc.c. */
#include "cpu/seg.h"

#define FL_BASIC (FL_ARITH | FL_TF | FL_DF | FL_NT)

/* The part of the popped flags that the level may change. */
static u32 merge_flags(struct cpu *c, u64 popped, unsigned osz, unsigned cpl)
{
    u32 old = cpu_flags(c), mask = FL_BASIC;
    if (osz >= OSZ32) mask |= FL_RF | FL_AC | FL_ID;
    if (cpl == 0) mask |= FL_IOPL | (osz >= OSZ32 ? FL_VIF | FL_VIP : 0);
    if (cpl <= (old & FL_IOPL) >> 12) mask |= FL_IF;
    return (old & ~mask) | ((u32)popped & mask);
}

static void set_flags_rf(struct cpu *c, u32 flags)
{
    cpu_set_flags(c, flags);
    if (flags & FL_RF) cpu_event_set(c, CE_RF);
}

/* Frame entries from the top of the stack. */
static bool pop_frame(struct cpu *c, unsigned size, unsigned first, unsigned n, u64 *v)
{
    for (unsigned i = 0; i < n; i++) {
        if (!stack_peek(c, (u64)(first + i) * size, size, &v[i])) return false;
    }
    return true;
}

static bool load_real_target(struct cpu *c, u64 cs, u64 ip, unsigned size)
{
    u32 limit = c->rflags & FL_VM ? 0xffff : c->seg[SEG_CS].limit;
    if (ip > limit) {
        exc_gp0(c);
        return false;
    }
    u64 mask = stack_mask(c);
    stack_set_sp(c, c->r[RSP] + 3 * size, mask);
    seg_load_real(c, SEG_CS, (u16)cs);
    c->rip = ip;
    return true;
}

static bool iret_real(struct cpu *c, unsigned osz)
{
    u64 f[3];
    unsigned size = 1u << osz;
    if (!pop_frame(c, size, 0, 3, f) || !load_real_target(c, f[1], f[0], size)) return false;
    u32 flags = merge_flags(c, f[2], osz, 0);
    if (osz != OSZ16) flags = (flags & ~(FL_VIF | FL_VIP)) | (cpu_flags(c) & (FL_VIF | FL_VIP));
    set_flags_rf(c, flags);
    cpu_update_mode(c);
    return true;
}

static bool iret_v86(struct cpu *c, unsigned osz)
{
    u64 f[3];
    unsigned size = 1u << osz;
    u32 old = cpu_flags(c);
    bool iopl3 = (old & FL_IOPL) == FL_IOPL;
    bool vme = !iopl3 && (c->cr4 & CR4_VME) && osz == OSZ16;
    if (!iopl3 && !vme) {
        exc_gp0(c);
        return false;
    }
    if (!pop_frame(c, size, 0, 3, f)) return false;
    if (vme && ((f[2] & FL_TF) || ((f[2] & FL_IF) && (old & FL_VIP)))) {
        exc_gp0(c);
        return false;
    }
    if (!load_real_target(c, f[1], f[0], size)) return false;
    u32 flags = merge_flags(c, f[2], osz, 3); /* IF only with IOPL 3; VM, IOPL, VIF, VIP stay */
    if (vme) flags = (flags & ~FL_VIF) | (f[2] & FL_IF ? FL_VIF : 0);
    set_flags_rf(c, flags);
    cpu_update_mode(c);
    return true;
}

/* From level 0 into a virtual-8086 program: nine dwords. */
static bool iret_to_v86(struct cpu *c, const u64 *f)
{
    static const u8 order[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    u64 more[6];
    if (!pop_frame(c, 4, 3, 6, more)) return false;
    if (f[0] > 0xffff) {
        exc_gp0(c);
        return false;
    }
    set_flags_rf(c, (merge_flags(c, f[2], OSZ32, 0) & ~FL_VM) | FL_VM);
    c->cpl = 3;
    c->rip = f[0];
    c->r[RSP] = (u32)more[0];
    seg_load_real(c, SEG_CS, (u16)f[1]);
    seg_load_real(c, SEG_SS, (u16)more[1]);
    for (unsigned i = 0; i < LEN(order); i++) seg_load_real(c, order[i], (u16)more[2 + i]);
    cpu_update_mode(c);
    cpu_update_intr(c);
    return true;
}

static bool iret_task(struct cpu *c)
{
    u16 link;
    if (c->long_mode) {
        exc_gp0(c);
        return false;
    }
    if (!lin_read(c, c->tr.base, &link, 2)) return false;
    return task_switch(c, link, TASK_IRET, false, 0);
}

static bool return_code(struct cpu *c, u16 cs, struct desc *d)
{
    unsigned rpl = cs & 3;
    if (!(cs & 0xfffc)) {
        exc_gp0(c);
        return false;
    }
    if (!desc_read(c, cs, d, EXC_GP)) return false;
    bool dpl_ok = desc_is_conforming(d) ? desc_dpl(d) <= rpl : desc_dpl(d) == rpl;
    bool both = c->long_mode && (d->attr & ATTR_L) && (d->attr & ATTR_D);
    if (!desc_is_code(d) || rpl < c->cpl || !dpl_ok || both) return raise_sel(c, EXC_GP, cs);
    if (!(d->attr & ATTR_P)) return raise_sel(c, EXC_NP, cs);
    return true;
}

static bool iret_protected(struct cpu *c, unsigned osz)
{
    u64 f[5] = { 0 };
    struct desc d;
    struct seg ss;
    unsigned size = 1u << osz, cpl = c->cpl;
    if (!pop_frame(c, size, 0, 3, f)) return false;
    if ((f[2] & FL_VM) && osz == OSZ32 && cpl == 0 && !c->long_mode) return iret_to_v86(c, f);
    u16 cs = (u16)f[1];
    unsigned rpl = cs & 3;
    if (!return_code(c, cs, &d)) return false;
    bool is64 = c->long_mode && (d.attr & ATTR_L);
    bool with_ss = rpl != cpl || c->bits == BITS64;
    if (with_ss) {
        if (!pop_frame(c, size, 3, 2, f + 3)) return false;
        if (!stack_desc_for_return(c, (u16)f[4], rpl, is64, &ss)) return false;
    }
    if (!code_offset_ok(c, &d, f[0]) || !desc_set_accessed(c, &d)) return false;
    u32 flags = merge_flags(c, f[2], osz, cpl);
    u64 mask = stack_mask(c);
    code_load(c, cs, &d, rpl, f[0]);
    if (with_ss) {
        c->seg[SEG_SS] = ss;
        stack_set_sp(c, f[3], is64 ? ~0ull : ss.attr & ATTR_D ? 0xffffffffull : 0xffffull);
    } else {
        stack_set_sp(c, c->r[RSP] + 3 * size, mask);
    }
    set_flags_rf(c, flags);
    if (rpl != cpl) seg_drop_inner(c);
    if (with_ss) seg_update_flat(c);
    return true;
}

bool int_return(struct cpu *c, unsigned osz)
{
    /* Executing IRET opens NMI, even when it faults (SDM 3A 6.7.1). */
    c->nmi_blocked = false;
    if (c->nmi_pending) cpu_event_set(c, CE_NMI);
    if (!(c->cr0 & CR0_PE)) return iret_real(c, osz);
    if (c->rflags & FL_VM) return iret_v86(c, osz);
    if (cpu_flags(c) & FL_NT) return iret_task(c);
    return iret_protected(c, osz);
}
