/* RFLAGS as a whole: putting the lazy arithmetic flags of flags.h and the control bits of c->rflags
 * together and apart, and keeping the event bits that depend on flags (TF, RF, IF) in step. */
#include "cpu/flags.h"

#include "cpu/exec.h"

u32 cc_flags(const struct cpu *c)
{
    return (cc_cf(c) ? FL_CF : 0) | (cc_pf(c) ? FL_PF : 0) | (cc_af(c) ? FL_AF : 0) |
           (cc_zf(c) ? FL_ZF : 0) | (cc_sf(c) ? FL_SF : 0) | (cc_of(c) ? FL_OF : 0);
}

void cpu_set_arith(struct cpu *c, u32 value)
{
    u64 cf = value & FL_CF ? 1 : 0, of = value & FL_OF ? 1 : 0;
    c->cc_dst = value & FL_ZF ? 0 : 0x100; /* sign and low byte are zero either way */
    c->cc_src = cf << 63 | (cf ^ of) << 62 | (value & FL_AF ? CC_AUX : 0) |
                (value & FL_SF ? CC_SDELTA : 0) | (value & FL_PF ? 0 : 0x100);
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
    if (value & FL_TF) cpu_event_set(c, CE_TRAP);
    else if (!c->pending_dr6) cpu_event_clear(c, CE_TRAP);
    if (value & FL_RF) cpu_event_set(c, CE_RF);
    else cpu_event_clear(c, CE_RF);
    cpu_update_intr(c);
}
