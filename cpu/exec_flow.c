/* Control flow inside a code segment (Jcc, JMP, CALL, RET, LOOP), the entry points of far transfers
 * and software interrupts, BOUND. Near targets are checked when they are taken: against CS.limit,
 * or for canonical form in 64-bit mode (SDM 2A JMP). Far forms read their pointer here and leave
 * the rules to seg.c, task.c and exc.c. */
#include "cpu/flags.h"
#include "cpu/mem.h"
#include "cpu/mmu.h" /* is_canonical */
#include "cpu/ops.h"

static inline bool target_ok(struct cpu *c, u64 target)
{
    if (likely(c->bits == BITS64 ? is_canonical(target) : target <= c->seg[SEG_CS].limit))
        return true;
    exc_gp0(c);
    return false;
}

static inline void jump_to(struct cpu *c, u64 target)
{
    if (likely(target_ok(c, target))) c->rip = target;
}

/* ---- relative branches ---- */

#define NEAR_W(N)                                                                                  \
    void op_jmp_jz_##N(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        jump_to(c, (u##N)(c->rip + i->imm));                                                       \
    }                                                                                              \
    void op_call_jz_##N(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        u64 target = (u##N)(c->rip + i->imm);                                                      \
        if (likely(target_ok(c, target)) && push_n(c, i->osz, c->rip)) c->rip = target;            \
    }                                                                                              \
    void op_jmp_ev_##N(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        u64 v;                                                                                     \
        if (rm_read(c, i, i->osz, &v)) jump_to(c, v);                                              \
    }                                                                                              \
    void op_call_ev_##N(struct cpu *c, const struct insn *i)                                       \
    {                                                                                              \
        u64 v;                                                                                     \
        if (rm_read(c, i, i->osz, &v) && target_ok(c, v) && push_n(c, i->osz, c->rip)) c->rip = v; \
    }                                                                                              \
    void op_ret_##N(struct cpu *c, const struct insn *i)                                           \
    {                                                                                              \
        u64 mask = stack_mask(c), sp = c->r[RSP];                                                  \
        u##N v;                                                                                    \
        if (unlikely(!ld##N##_seg(c, SEG_SS, sp & mask, &v)) || !target_ok(c, v)) return;          \
        sp += N / 8 + (u16)i->imm;                                                                 \
        if (mask == 0xffff) set_reg16(c, RSP, (u16)sp);                                            \
        else c->r[RSP] = sp & mask;                                                                \
        c->rip = v;                                                                                \
    }
NEAR_W(16)
NEAR_W(32)
NEAR_W(64)

#define JCC(cc, n)                                                                                 \
    void op_j##cc##_16(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        if (cc_test(c, n)) jump_to(c, (u16)(c->rip + i->imm));                                     \
    }                                                                                              \
    void op_j##cc##_32(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        if (cc_test(c, n)) jump_to(c, (u32)(c->rip + i->imm));                                     \
    }                                                                                              \
    void op_j##cc##_64(struct cpu *c, const struct insn *i)                                        \
    {                                                                                              \
        if (cc_test(c, n)) jump_to(c, c->rip + i->imm);                                            \
    }
JCC(o, 0)
JCC(no, 1)
JCC(b, 2)
JCC(nb, 3)
JCC(z, 4)
JCC(nz, 5)
JCC(be, 6)
JCC(nbe, 7)
JCC(s, 8)
JCC(ns, 9)
JCC(p, 10)
JCC(np, 11)
JCC(l, 12)
JCC(nl, 13)
JCC(le, 14)
JCC(nle, 15)

static void jump_relative(struct cpu *c, const struct insn *i)
{
    u64 t = c->rip + i->imm;
    jump_to(c, i->osz == OSZ64 ? t : i->osz == OSZ32 ? (u32)t : (u16)t);
}

static u64 count_reg(const struct cpu *c, const struct insn *i)
{
    return i->asz == ASZ64 ? c->r[RCX] : i->asz == ASZ32 ? (u32)c->r[RCX] : (u16)c->r[RCX];
}

/* The counter is written only when the branch does not fault. */
static void loop_if(struct cpu *c, const struct insn *i, bool condition)
{
    u64 n = count_reg(c, i) - 1;
    n = i->asz == ASZ64 ? n : i->asz == ASZ32 ? (u32)n : (u16)n;
    if (n && condition) {
        u64 before = c->rip;
        jump_relative(c, i);
        if (c->rip == before && (c->events & CE_FAULT)) return;
    }
    if (i->asz == ASZ16) set_reg16(c, RCX, (u16)n);
    else c->r[RCX] = n;
}

void op_loop(struct cpu *c, const struct insn *i)
{
    loop_if(c, i, true);
}

void op_loope(struct cpu *c, const struct insn *i)
{
    loop_if(c, i, cc_zf(c));
}

void op_loopne(struct cpu *c, const struct insn *i)
{
    loop_if(c, i, !cc_zf(c));
}

void op_jrcxz(struct cpu *c, const struct insn *i)
{
    if (!count_reg(c, i)) jump_relative(c, i);
}

/* ---- far transfers ---- */

static bool read_far_pointer(struct cpu *c, const struct insn *i, u16 *sel, u64 *target)
{
    unsigned n = 1u << i->osz;
    u64 off = ea_offset(c, i);
    *target = 0;
    if (!mem_read_n(c, i->seg, off, target, n)) return false;
    off += n;
    off = i->asz == ASZ64 ? off : i->asz == ASZ32 ? (u32)off : (u16)off;
    return mem_read16(c, i->seg, off, sel);
}

void op_jmp_ap(struct cpu *c, const struct insn *i)
{
    far_jump(c, i->imm2, i->imm, i->osz);
}

void op_call_ap(struct cpu *c, const struct insn *i)
{
    far_call(c, i->imm2, i->imm, i->osz);
}

void op_jmp_mp(struct cpu *c, const struct insn *i)
{
    u16 sel;
    u64 target;
    if (read_far_pointer(c, i, &sel, &target)) far_jump(c, sel, target, i->osz);
}

void op_call_mp(struct cpu *c, const struct insn *i)
{
    u16 sel;
    u64 target;
    if (read_far_pointer(c, i, &sel, &target)) far_call(c, sel, target, i->osz);
}

void op_retf(struct cpu *c, const struct insn *i)
{
    far_return(c, i->osz, (u16)i->imm);
}

void op_iret(struct cpu *c, const struct insn *i)
{
    int_return(c, i->osz);
}

/* ---- software interrupts ---- */

void op_int_ib(struct cpu *c, const struct insn *i)
{
    int_software(c, (u8)i->imm, 0);
}

void op_int3(struct cpu *c, const struct insn *i)
{
    (void)i;
    int_software(c, EXC_BP, 1);
}

void op_into(struct cpu *c, const struct insn *i)
{
    (void)i;
    if (cc_of(c)) int_software(c, EXC_OF, 2);
}

/* The saved RIP is that of INT1 itself: what the recorded hardware vectors show (the manuals call
 * it a trap). */
void op_int1(struct cpu *c, const struct insn *i)
{
    (void)i;
    c->rip = c->insn_rip;
    int_software(c, EXC_DB, 3);
}

void op_bound(struct cpu *c, const struct insn *i)
{
    u64 off = ea_offset(c, i), raw[2] = { 0, 0 };
    unsigned n = 1u << i->osz;
    u64 second = i->asz == ASZ32 ? (u32)(off + n) : (u16)(off + n);
    if (!mem_read_n(c, i->seg, off, &raw[0], n) || !mem_read_n(c, i->seg, second, &raw[1], n))
        return;
    bool w16 = i->osz == OSZ16;
    i32 v = w16 ? (i16)c->r[i->reg] : (i32)c->r[i->reg];
    i32 low = w16 ? (i16)raw[0] : (i32)raw[0], high = w16 ? (i16)raw[1] : (i32)raw[1];
    if (v < low || v > high) exc_raise(c, EXC_BR);
}

void op_ud(struct cpu *c, const struct insn *i)
{
    (void)i;
    exc_raise(c, EXC_UD);
}
