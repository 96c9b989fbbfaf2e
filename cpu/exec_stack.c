/* The stack and the segment registers: PUSH, POP, PUSHA, POPA, ENTER, LEAVE, PUSHF, POPF, MOV Sreg,
 * LDS ... LGS. The stack pointer is written last; what a segment load refuses leaves it untouched
 * (SDM 2A, the instructions' pages). */
#include "cpu/flags.h"
#include "cpu/mem.h"
#include "cpu/ops.h"

static inline void set_sp(struct cpu *c, u64 mask, u64 v)
{
    if (mask == 0xffff) set_reg16(c, RSP, (u16)v);
    else c->r[RSP] = v & mask;
}

/* ---- PUSH and POP of general operands ---- */

#define STACK_W(N)                                                                                 \
    static inline bool push##N(struct cpu *c, u##N v)                                              \
    {                                                                                              \
        u64 mask = stack_mask(c), sp = (c->r[RSP] - N / 8) & mask;                                 \
        if (unlikely(!st##N##_seg(c, SEG_SS, sp, v))) return false;                                \
        set_sp(c, mask, sp);                                                                       \
        return true;                                                                               \
    }                                                                                              \
    static inline bool pop##N(struct cpu *c, u##N *v)                                              \
    {                                                                                              \
        u64 mask = stack_mask(c), sp = c->r[RSP] & mask;                                           \
        if (unlikely(!ld##N##_seg(c, SEG_SS, sp, v))) return false;                                \
        set_sp(c, mask, sp + N / 8);                                                               \
        return true;                                                                               \
    }                                                                                              \
    void op_push_zv_##N(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        push##N(c, (u##N)c->r[i->rm]);                                                             \
    }                                                                                              \
    void op_push_iz_##N(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        push##N(c, (u##N)i->imm);                                                                  \
    }                                                                                              \
    void op_push_ev_##N(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        u64 v;                                                                                     \
        if (rm_read(c, i, i->osz, &v)) push##N(c, (u##N)v);                                        \
    }                                                                                              \
    void op_pop_zv_##N(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        u##N v;                                                                                    \
        if (likely(pop##N(c, &v)))                                                                 \
            SET##N(i->rm, v); /* POP rSP: the value wins over the increment */                     \
    }                                                                                              \
    void op_leave_##N(struct cpu *c, const struct insn *i)                                         \
    {                                                                                              \
        (void)i;                                                                                   \
        u64 mask = stack_mask(c), sp = c->r[RBP] & mask;                                           \
        u##N v;                                                                                    \
        if (unlikely(!ld##N##_seg(c, SEG_SS, sp, &v))) return;                                     \
        set_sp(c, mask, sp + N / 8);                                                               \
        SET##N(RBP, v);                                                                            \
    }
#define SET16(n, v) set_reg16(c, n, v)
#define SET32(n, v) set_reg32(c, n, v)
#define SET64(n, v) (c->r[n] = (v))
STACK_W(16)
STACK_W(32)
STACK_W(64)

/* The memory operand is addressed with the incremented stack pointer (SDM 2B POP). */
void op_pop_ev(struct cpu *c, const struct insn *i)
{
    u64 old = c->r[RSP], v;
    if (!pop_n(c, i->osz, &v)) return;
    if (!is_mem(i)) reg_write(c, i, i->osz, i->rm, v);
    else if (!rm_write(c, i, i->osz, v)) c->r[RSP] = old;
}

/* Eight accesses, all of them checked before the first register changes. */
void op_pusha(struct cpu *c, const struct insn *i)
{
    unsigned n = 1u << i->osz;
    u64 mask = stack_mask(c), sp = c->r[RSP];
    for (unsigned k = 1; k <= 8; k++) {
        if (!mem_probe_write(c, SEG_SS, (sp - k * n) & mask, n)) return;
    }
    for (unsigned k = 1; k <= 8; k++) mem_write_n(c, SEG_SS, (sp - k * n) & mask, &c->r[k - 1], n);
    set_sp(c, mask, sp - 8 * n);
}

void op_popa(struct cpu *c, const struct insn *i)
{
    unsigned n = 1u << i->osz;
    u64 mask = stack_mask(c), sp = c->r[RSP], v[8] = { 0 };
    for (unsigned k = 0; k < 8; k++) {
        if (!mem_read_n(c, SEG_SS, (sp + k * n) & mask, &v[7 - k], n)) return;
    }
    for (unsigned k = 0; k < 8; k++) {
        if (k != RSP) reg_write(c, i, i->osz, k, v[k]);
    }
    set_sp(c, mask, sp + 8 * n);
}

/* ENTER: the frame pointers of `level` outer procedures are copied (SDM 2A ENTER). */
void op_enter(struct cpu *c, const struct insn *i)
{
    unsigned n = 1u << i->osz, level = i->imm2 & 31;
    u64 mask = stack_mask(c), sp = c->r[RSP] - n, bp = c->r[RBP], frame = sp, v;
    if (!mem_probe_write(c, SEG_SS, sp & mask, n)) return;
    for (unsigned k = 1; k < level; k++) {
        bp -= n;
        if (!mem_read_n(c, SEG_SS, bp & mask, &v, n)) return;
        if (!mem_probe_write(c, SEG_SS, (frame - k * n) & mask, n)) return;
    }
    u64 last = frame - level * n - (i->imm & 0xffff);
    if (level && !mem_probe_write(c, SEG_SS, (frame - level * n) & mask, n)) return;
    if (!mem_probe_write(c, SEG_SS, last & mask, n))
        return; /* "a write with the final value of SP would fault" */
    mem_write_n(c, SEG_SS, sp & mask, &c->r[RBP], n);
    bp = c->r[RBP];
    for (unsigned k = 1; k < level; k++) { /* one by one: the frames may overlap */
        bp -= n;
        if (!mem_read_n(c, SEG_SS, bp & mask, &v, n)) return;
        mem_write_n(c, SEG_SS, (frame - k * n) & mask, &v, n);
    }
    u64 masked = frame & mask;
    if (mask == 0xffff)
        masked |= c->r[RSP] & ~mask; /* 16-bit stack, 32-bit operand: EBP gets all of ESP */
    if (level) mem_write_n(c, SEG_SS, (frame - level * n) & mask, &masked, n);
    reg_write(c, i, i->osz, RBP, masked);
    set_sp(c, mask, last);
}

/* ---- segment registers ---- */

static bool load_seg(struct cpu *c, unsigned seg, u16 sel)
{
    if (!(c->cr0 & CR0_PE) || (c->rflags & FL_VM)) {
        seg_load_real(c, seg, sel);
        return true;
    }
    return seg_load(c, seg, sel);
}

static void ss_shadow(struct cpu *c)
{
    c->shadow = SHADOW_SS;
    cpu_event_set(c, CE_SHADOW);
}

static void push_seg(struct cpu *c, const struct insn *i, unsigned seg)
{
    push_n(c, i->osz, c->seg[seg].sel);
}

/* The slot has operand size, the selector is its low word; the rest is not read by processors, so
 * it cannot fault. */
static void pop_seg(struct cpu *c, const struct insn *i, unsigned seg)
{
    u64 mask = stack_mask(c), sp = c->r[RSP];
    u16 sel;
    if (!mem_read16(c, SEG_SS, sp & mask, &sel)) return;
    if (!load_seg(c, seg, sel)) return;
    set_sp(c, mask, sp + (1u << i->osz));
    if (seg == SEG_SS) ss_shadow(c);
}

#define PUSH_SEG(name, seg)                                                                        \
    void op_push_##name(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        push_seg(c, i, seg);                                                                       \
    }
#define POP_SEG(name, seg)                                                                         \
    void op_pop_##name(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        pop_seg(c, i, seg);                                                                        \
    }
PUSH_SEG(es, SEG_ES)
PUSH_SEG(cs, SEG_CS)
PUSH_SEG(ss, SEG_SS)
PUSH_SEG(ds, SEG_DS)
PUSH_SEG(fs, SEG_FS)
PUSH_SEG(gs, SEG_GS)
POP_SEG(es, SEG_ES)
POP_SEG(ss, SEG_SS)
POP_SEG(ds, SEG_DS)
POP_SEG(fs, SEG_FS)
POP_SEG(gs, SEG_GS)

void op_mov_ev_sw(struct cpu *c, const struct insn *i)
{
    unsigned seg = i->reg & 7; /* REX.R is ignored */
    if (seg >= SEG_COUNT) {
        exc_raise(c, EXC_UD);
        return;
    }
    rm_write(c, i, is_mem(i) ? OSZ16 : i->osz, c->seg[seg].sel);
}

void op_mov_sw_ew(struct cpu *c, const struct insn *i)
{
    unsigned seg = i->reg & 7;
    u64 v;
    if (seg >= SEG_COUNT || seg == SEG_CS) {
        exc_raise(c, EXC_UD);
        return;
    }
    if (!rm_read(c, i, OSZ16, &v) || !load_seg(c, seg, (u16)v)) return;
    if (seg == SEG_SS) ss_shadow(c);
}

static void load_far_pointer(struct cpu *c, const struct insn *i, unsigned seg)
{
    unsigned n = 1u << i->osz;
    u64 off = ea_offset(c, i), v = 0;
    u16 sel;
    if (!mem_read_n(c, i->seg, off, &v, n)) return;
    off += n;
    off = i->asz == ASZ64 ? off : i->asz == ASZ32 ? (u32)off : (u16)off;
    if (!mem_read16(c, i->seg, off, &sel) || !load_seg(c, seg, sel)) return;
    reg_write(c, i, i->osz, i->reg, v);
    if (seg == SEG_SS) ss_shadow(c);
}

#define LOAD_FAR(name, seg)                                                                        \
    void op_##name(struct cpu *c, const struct insn *i)                                            \
    {                                                                                              \
        load_far_pointer(c, i, seg);                                                               \
    }
LOAD_FAR(les, SEG_ES)
LOAD_FAR(lds, SEG_DS)
LOAD_FAR(lss, SEG_SS)
LOAD_FAR(lfs, SEG_FS)
LOAD_FAR(lgs, SEG_GS)

/* ---- flags ---- */

static unsigned iopl(const struct cpu *c)
{
    return (c->rflags & FL_IOPL) >> 12;
}

/* Virtual-8086 mode with IOPL < 3: PUSHF and POPF fault unless VME virtualises IF as VIF (SDM
 * 3B 20.3). */
static bool v86_restricted(const struct cpu *c)
{
    return (c->rflags & FL_VM) && iopl(c) < 3;
}

void op_pushf(struct cpu *c, const struct insn *i)
{
    u32 v = cpu_flags(c) & ~(FL_VM | FL_RF);
    if (v86_restricted(c)) {
        if (!(c->cr4 & CR4_VME) || i->osz != OSZ16) {
            exc_gp0(c);
            return;
        }
        v = (v & ~FL_IF) | FL_IOPL | (v & FL_VIF ? FL_IF : 0);
    }
    push_n(c, i->osz, v);
}

static void popf_vme(struct cpu *c, const struct insn *i)
{
    u64 old_sp = c->r[RSP], v;
    if (!(c->cr4 & CR4_VME) || i->osz != OSZ16) {
        exc_gp0(c);
        return;
    }
    if (!pop_n(c, OSZ16, &v)) return;
    if ((v & FL_TF) || ((c->rflags & FL_VIP) && (v & FL_IF))) {
        c->r[RSP] = old_sp;
        exc_gp0(c);
        return;
    }
    u32 keep = FL_IF | FL_IOPL | 0xffff0000u;
    u32 f = (cpu_flags(c) & keep) | ((u32)v & 0xffff & ~keep);
    f = (f & ~(FL_VIF | FL_RF)) | (v & FL_IF ? FL_VIF : 0);
    cpu_set_flags(c, f);
}

void op_popf(struct cpu *c, const struct insn *i)
{
    u64 v;
    if (v86_restricted(c)) {
        popf_vme(c, i);
        return;
    }
    if (!pop_n(c, i->osz, &v)) return;
    u32 old = cpu_flags(c), change = FL_ARITH | FL_TF | FL_DF | FL_NT;
    if (i->osz != OSZ16) change |= FL_AC | FL_ID;
    if (c->cpl == 0) change |= FL_IOPL;
    if (c->cpl <= iopl(c)) change |= FL_IF;
    cpu_set_flags(c, ((old & ~change) | ((u32)v & change)) & ~FL_RF);
}

/* CLI and STI act on VIF instead of IF in virtual-8086 mode with VME and at CPL 3 with PVI. */
static bool uses_vif(const struct cpu *c)
{
    if (c->rflags & FL_VM) return iopl(c) < 3 && (c->cr4 & CR4_VME);
    return (c->cr0 & CR0_PE) && c->cpl == 3 && iopl(c) < 3 && (c->cr4 & CR4_PVI);
}

static bool if_allowed(const struct cpu *c)
{
    if (!(c->cr0 & CR0_PE)) return true;
    return c->rflags & FL_VM ? iopl(c) == 3 : c->cpl <= iopl(c);
}

void op_cli(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (if_allowed(c)) {
        c->rflags &= ~(u64)FL_IF;
        cpu_update_intr(c);
    } else if (uses_vif(c)) {
        c->rflags &= ~(u64)FL_VIF;
    } else {
        exc_gp0(c);
    }
}

void op_sti(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (if_allowed(c)) {
        if (c->rflags & FL_IF) return;
        c->rflags |= FL_IF;
        c->shadow = SHADOW_STI;
        c->sti_icount = cpu_icount(c) + 1;
        cpu_update_intr(c);
        /* With nothing waiting the shadow needs no slow step; take_interrupt() asks sti_icount. */
        if (c->events & (CE_INTR | CE_NMI | CE_SMI)) cpu_event_set(c, CE_SHADOW);
    } else if (uses_vif(c) && !(c->rflags & FL_VIP)) {
        c->rflags |= FL_VIF;
    } else {
        exc_gp0(c);
    }
}

static bool lahf_allowed(struct cpu *c)
{
    if (c->bits != BITS64 || cpu_has(c, FT_LAHF64)) return true;
    exc_raise(c, EXC_UD);
    return false;
}

void op_lahf(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (lahf_allowed(c)) *((u8 *)&c->r[RAX] + 1) = (u8)(cc_flags(c) | 2);
}

void op_sahf(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (!lahf_allowed(c)) return;
    u32 ah = (u32)(c->r[RAX] >> 8) & 0xff;
    cpu_set_arith(c, ah | (cc_of(c) ? FL_OF : 0));
}

void op_clc(struct cpu *c, const struct insn *i)
{
    (void)i;
    cc_set_cf(c, false);
}

void op_stc(struct cpu *c, const struct insn *i)
{
    (void)i;
    cc_set_cf(c, true);
}

void op_cmc(struct cpu *c, const struct insn *i)
{
    (void)i;
    cc_set_cf(c, !cc_cf(c));
}

void op_cld(struct cpu *c, const struct insn *i)
{
    (void)i;
    c->rflags &= ~(u64)FL_DF;
}

void op_std(struct cpu *c, const struct insn *i)
{
    (void)i;
    c->rflags |= FL_DF;
}

void op_salc(struct cpu *c, const struct insn *i)
{
    (void)i;
    *(u8 *)&c->r[RAX] = cc_cf(c) ? 0xff : 0;
}
