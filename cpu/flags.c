/* RFLAGS as a whole: putting the lazy arithmetic flags of flags.h and the control bits of c->rflags
 * together and apart, and keeping the event bits that depend on flags (TF, RF, IF) in step. */
#include "cpu/flags.h"

#include "cpu/exec.h"

u32 cc_flags(const struct cpu *c)
{
    return (u32)cc_cf(c) | (u32)cc_pf(c) << 2 | (u32)cc_af(c) << 4 | (u32)cc_zf(c) << 6 |
           (u32)cc_sf(c) << 7 | (u32)cc_of(c) << 11;
}

void cpu_set_arith(struct cpu *c, u32 value)
{
    u64 v = value, cf = v & 1, of = v >> 11 & 1;
    c->cc_dst = (~v & FL_ZF) << 2; /* sign and low byte are zero either way */
    c->cc_src = cf << 63 | (cf ^ of) << 62 | (v & FL_AF) >> 1 | (v >> 7 & 1) | (~v & FL_PF) << 6;
}

void cc_set_zf(struct cpu *c, bool zf)
{
    cpu_set_arith(c, (cc_flags(c) & ~FL_ZF) | (zf ? FL_ZF : 0));
}

u32 cpu_flags(struct cpu *c)
{
    return ((u32)c->rflags & ~FL_ARITH) | 2 | cc_flags(c);
}

void cpu_set_flags(struct cpu *c, u32 value)
{
    cpu_set_arith(c, value);
    c->rflags = (value & ~FL_ARITH & 0x3f7fd5u) | 2;
    if (unlikely(c->tlb_open_len) && !(value & FL_AC)) smap_close(c);
    if (value & FL_TF) cpu_event_set(c, CE_TRAP);
    else if (!c->pending_dr6) cpu_event_clear(c, CE_TRAP);
    if (value & FL_RF) cpu_event_set(c, CE_RF);
    else cpu_event_clear(c, CE_RF);
    cpu_update_intr(c);
}
