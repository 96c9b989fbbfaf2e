/* The x87 register stack, status word and fault rules that exec_fpu*.c and exec_mmx.c share. Private to them.
 * Physical registers are c->fpr[0..7], ST(n) is physical (TOP + n) & 7, c->ftw has a bit for each register in use.
 *
 * Exceptions: every handler that computes starts with fpu_begin() (#NM, pending error), ends by merging the new flags with
 * fpu_flags(), which recomputes ES and B and, with CR0.NE = 0, drives FERR#. The error itself is reported by the next waiting
 * instruction (SDM 3A 6.15 #MF, SDM 1 D.2 for the FERR#/IGNNE# way). */
#ifndef CPU_FPU_H
#define CPU_FPU_H

#include "cpu/exec.h"
#include "cpu/hostfp.h"
#include "cpu/ops.h"

static inline unsigned fpu_top(const struct cpu *c)
{
    return (c->fsw >> 11) & 7;
}

static inline unsigned fpu_phys(const struct cpu *c, unsigned n)
{
    return (fpu_top(c) + n) & 7;
}

static inline void fpu_set_top(struct cpu *c, unsigned top)
{
    c->fsw = (u16)((c->fsw & ~FSW_TOP) | (top & 7) << 11);
}

static inline bool fpu_used(const struct cpu *c, unsigned phys)
{
    return c->ftw & (1u << phys);
}

static inline void fpu_pop(struct cpu *c)
{
    unsigned top = fpu_top(c);
    c->ftw &= (u8)~(1u << top);
    fpu_set_top(c, top + 1);
}

/* Makes ES and B agree with flags and masks, and FERR# with ES. exec_fpu_env.c */
void fpu_update_es(struct cpu *c);

/* x87 part of an FXSAVE image (bytes 0-23 and 32-159), wide: 64-bit pointers. exec_fpu_env.c; xsave.c uses them too. */
void fpu_pack_x87(const struct cpu *c, bool wide, u8 *p);
void fpu_unpack_x87(struct cpu *c, bool wide, const u8 *p);
void fpu_initial_state(struct cpu *c);

/* The slow part of fpu_begin: #NM, #MF, or waiting for the DOS error handler. Always returns false. */
bool fpu_refuse(struct cpu *c);

/* Before any x87 instruction that waits for a pending error. */
static inline bool fpu_begin(struct cpu *c)
{
    if (unlikely((c->cr0 & (CR0_EM | CR0_TS)) | (c->fsw & FSW_ES))) return fpu_refuse(c);
    return true;
}

/* Before control instructions that do not wait (FNINIT, FNSTSW ...). */
static inline bool fpu_begin_nowait(struct cpu *c)
{
    if (likely(!(c->cr0 & (CR0_EM | CR0_TS)))) return true;
    exc_raise(c, EXC_NM);
    return false;
}

/* Instruction pointers of the last non-control instruction; the memory operand's address with it. */
static inline void fpu_note(struct cpu *c, const struct insn *i)
{
    c->fip = c->insn_rip;
    c->fcs = c->seg[SEG_CS].sel;
    c->fop = (u16)((i->mapop & 7) << 8 | i->modrm);
}

static inline void fpu_note_mem(struct cpu *c, const struct insn *i, u64 off)
{
    fpu_note(c, i);
    c->fdp = off;
    c->fds = c->seg[i->seg].sel;
}

static inline struct f80 f80_indefinite(void)
{
    return (struct f80){ 0xc000000000000000ull, 0xffff };
}

/* Adds sticky flags; cc_mask: condition bits that are replaced by those of `sw`. */
static inline void fpu_flags(struct cpu *c, u16 sw, u16 cc_mask)
{
    c->fsw = (u16)((c->fsw & ~cc_mask) | (sw & (cc_mask | FSW_EXC | FSW_SF)));
    if (unlikely(c->fsw & ~c->fcw & FSW_EXC)) fpu_update_es(c);
}

/* Stack fault: IE, SF and C1 (1 overflow, 0 underflow). True: masked, the caller goes on with the indefinite value. */
static inline bool fpu_stack_fault(struct cpu *c, bool overflow)
{
    fpu_flags(c, (u16)(FSW_IE | FSW_SF | (overflow ? FSW_C1 : 0)), FSW_C1);
    return c->fcw & FSW_IE;
}

static inline void fpu_set(struct cpu *c, unsigned phys, const struct f80 *v)
{
    f80_copy(&c->fpr[phys], v);
    c->ftw |= (u8)(1u << phys);
}

#endif
