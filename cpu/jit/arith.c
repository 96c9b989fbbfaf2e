/* Native forms that need more than the instruction itself: division, double shifts, the compare
 * and exchange family, CLI and SWAPGS. They look after the flags themselves (jop.own); a memory operand's address
 * is in RAX. Divisions that would raise #DE leave the superblock before the instruction and the
 * interpreter raises it: generated code never faults. SDM 2A, 2B. */
#include "cpu/jit/translate.h"

#define FLAGS_FIELD jit_field(offsetof(struct cpu, jit_flags))

u8 *tr_jump(struct tr *t, unsigned opcode)
{
    as_room(t->a);
    as8(t->a, opcode);
    as8(t->a, 0);
    return t->a->at;
}

void tr_land(struct tr *t, u8 *jump)
{
    jump[-1] = (u8)(t->a->at - jump);
}

/* The flags are where the instruction left them. */
static void flags_in_host(struct tr *t)
{
    t->host = true;
    t->mem = t->of_bad = false;
}
static void flags_in_memory(struct tr *t)
{
    t->host = t->of_bad = false;
    t->mem = true;
}

/* ---- division ---- the flags keep their values */

/* Loads the operand, extended to 32 bits when it is shorter. */
static void load_extended(struct tr *t, bool sign, unsigned to, struct rm rm)
{
    unsigned osz = t->op->i.osz;
    if (osz >= OSZ32)
        as_load(t->a, osz, to, rm);
    else
        as_insn(t->a, 0, OSZ32, AS_0F, (sign ? 0xbe : 0xb6) + osz, to, rm,
                osz == OSZ8 ? AS_BYTE_RM : 0);
}

static void leave_if(struct tr *t, unsigned cc)
{
    tr_stub(t, STUB_BEFORE)->field = as_jcc(t->a, cc, as_here(t->a));
}

/* F7 group with the divisor in RCX. */
static void host_divide(struct tr *t, unsigned osz, unsigned digit)
{
    as_insn(t->a, 0, osz, AS_0, osz == OSZ8 ? 0xf6 : 0xf7, digit, rm_reg(H_CX), 0);
}

static void extend_dividend(struct tr *t, unsigned osz) /* CWD, CDQ, CQO */
{
    if (osz == OSZ16) as8(t->a, 0x66);
    if (osz == OSZ64) as8(t->a, 0x48);
    as8(t->a, 0x99);
}

static void divide_byte(struct tr *t)
{
    struct as *a = t->a;
    unsigned ax = tr_pinned(t, RAX);
    as_rorx(t->a, OSZ32, H_DX, ax, 8);
    as_rm(a, OSZ8, 0x3b, H_DX, rm_reg(H_CX)); /* CMP DL, CL: AH against the divisor */
    leave_if(t, CC_AE);
    as_insn(a, 0, OSZ32, AS_0F, 0xb7, H_AX, rm_reg(ax), 0);
    host_divide(t, OSZ8, 6);
    tr_put(t, RAX, OSZ16, H_AX);
}

static void divide_byte_signed(struct tr *t)
{
    struct as *a = t->a;
    as_rm(a, OSZ32, 0x85, H_CX, rm_reg(H_CX));
    leave_if(t, CC_E);
    as_insn(a, 0, OSZ32, AS_0F, 0xbf, H_AX, rm_reg(tr_pinned(t, RAX)), 0);
    extend_dividend(t, OSZ32);
    host_divide(t, OSZ32, 7);
    as_insn(a, 0, OSZ32, AS_0F, 0xbe, H_CX, rm_reg(H_AX), 0); /* MOVSX ECX, AL */
    as_rm(a, OSZ32, 0x3b, H_CX, rm_reg(H_AX));
    leave_if(t, CC_NE);
    as_insn(a, 0, OSZ32, AS_0F, 0xb6, H_AX, rm_reg(H_AX), 0);
    as_insn(a, 0, OSZ32, AS_0, 0xc1, 4, rm_reg(H_DX), 0); /* SHL EDX, 8 */
    as8(a, 8);
    as_rm(a, OSZ32, 0x0b, H_AX, rm_reg(H_DX));
    tr_put(t, RAX, OSZ16, H_AX);
}

static void divide_unsigned(struct tr *t)
{
    unsigned osz = t->op->i.osz;
    as_rm(t->a, osz, 0x3b, tr_pinned(t, RDX), rm_reg(H_CX));
    leave_if(t, CC_AE); /* the quotient is too large, or the divisor 0 */
    as_mov(t->a, OSZ64, H_AX, tr_pinned(t, RAX));
    as_mov(t->a, OSZ64, H_DX, tr_pinned(t, RDX));
    host_divide(t, osz, 6);
}

/* Dividends that are the extension of their lower half and divisors but 0 and -1: no quotient of
 * those overflows. The interpreter does the rest. */
static void divide_signed(struct tr *t)
{
    struct as *a = t->a;
    unsigned osz = t->op->i.osz, wide = osz == OSZ64 ? OSZ64 : OSZ32;
    as_mov(a, OSZ64, H_AX, tr_pinned(t, RAX));
    extend_dividend(t, osz);
    as_rm(a, osz, 0x3b, H_DX, rm_reg(tr_pinned(t, RDX)));
    leave_if(t, CC_NE);
    as_lea(a, wide, H_DX, rm_at(H_CX, 1));
    as_imm(a, wide, 7, rm_reg(H_DX), 1);
    leave_if(t, CC_BE);
    extend_dividend(t, osz);
    host_divide(t, osz, 7);
}

static void divide(struct tr *t)
{
    bool sign = (t->op->i.modrm >> 3 & 7) == 7;
    tr_clobber(t, t->op->live_in);
    load_extended(t, sign, H_CX, tr_operand(t));
    if (t->op->i.osz == OSZ8) {
        if (sign)
            divide_byte_signed(t);
        else
            divide_byte(t);
        return;
    }
    if (sign)
        divide_signed(t);
    else
        divide_unsigned(t);
    tr_put(t, RAX, t->op->i.osz, H_AX);
    tr_put(t, RDX, t->op->i.osz, H_DX);
}

/* ---- SHLD, SHRD ---- AF clear; OF says whether the sign changed, whatever the count. */

/* The flags of the result in RDX; the old value is in c->jit_temp. Changes RAX. */
static void double_shift_flags(struct tr *t)
{
    struct as *a = t->a;
    unsigned osz = t->op->i.osz;
    as_room(a);
    as8(a, 0x9f);                                             /* LAHF */
    as8(a, 0x80), as8(a, 0xe4), as8(a, 0xef);                 /* AND AH, ~AF */
    as8(a, 0x88), as8(a, 0x65), as8(a, (u8)(FLAGS_FIELD + 1)); /* MOV [.. + 1], AH */
    as_rm(a, osz, 0x33, H_DX, CPU_AT(jit_temp));
    as_insn(a, 0, osz, AS_0, 0xc1, 5, rm_reg(H_DX), 0); /* SHR */
    as8(a, (8u << osz) - 1);
    as_store(a, OSZ8, CPU_AT(jit_flags), H_DX);
}

static void double_shift(struct tr *t)
{
    const struct insn *i = &t->op->i;
    struct as *a = t->a;
    bool by_cl = i->mapop & 1, flags = t->op->live_out;
    if (by_cl) tr_clobber(t, t->op->live_out); /* a count of 0 keeps them */
    struct rm rm = tr_operand(t);
    if (flags) {
        as_load(a, i->osz, H_DX, rm);
        as_store(a, OSZ64, CPU_AT(jit_temp), H_DX);
    }
    if (by_cl) {
        as_mov(a, OSZ32, H_CX, tr_pinned(t, RCX));
        as_imm(a, OSZ32, 4, rm_reg(H_CX), i->osz == OSZ64 ? 63 : 31);
    }
    as_insn(a, 0, i->osz, AS_0F, i->mapop, tr_src(t, i->reg, H_DX), rm, 0);
    if (!by_cl) as8(a, (u8)i->imm);
    if (rm.mem && rm.reg == H_BP && i->osz == OSZ32) { /* the upper half of R9D ... */
        rm.disp += 4;
        as_insn(a, 0, OSZ32, AS_0, 0xc7, 0, rm, 0);
        as32(a, 0);
        rm.disp -= 4;
    }
    if (flags) {
        as_load(a, i->osz, H_DX, rm);
        u8 *zero = by_cl ? tr_jump(t, 0xe3) : NULL; /* JRCXZ */
        double_shift_flags(t);
        if (zero) tr_land(t, zero);
    }
    flags_in_memory(t);
}

/* ---- CMPXCHG, CMPXCHG8B and 16B, XADD on memory ---- */

static void cmpxchg(struct tr *t)
{
    const struct insn *i = &t->op->i;
    struct as *a = t->a;
    bool bytes = i->osz == OSZ8;
    as_mov(a, OSZ64, H_CX, H_AX);
    as_mov(a, OSZ64, H_AX, tr_pinned(t, RAX));
    as_insn(a, 0, i->osz, AS_0F, bytes ? 0xb0 : 0xb1, tr_src(t, i->reg, H_DX), rm_at(H_CX, 0),
            bytes ? AS_BYTE_REG : 0);
    u8 *equal = i->osz == OSZ32 ? tr_jump(t, 0x70 | CC_E) : NULL; /* RAX keeps its upper half */
    tr_put(t, RAX, i->osz, H_AX);
    if (equal) tr_land(t, equal);
    flags_in_host(t);
}

/* In two halves; only ZF changes. The access put the flags into memory. */
static void cmpxchg_pair(struct tr *t)
{
    struct as *a = t->a;
    unsigned osz = t->op->i.osz;
    struct rm low = rm_at(H_AX, 0), high = rm_at(H_AX, 1 << osz),
              flags = rm_at(H_BP, FLAGS_FIELD + 1);
    as_rm(a, osz, 0x3b, tr_pinned(t, RAX), low);
    u8 *differ = tr_jump(t, 0x70 | CC_NE);
    as_rm(a, osz, 0x3b, tr_pinned(t, RDX), high);
    u8 *also = tr_jump(t, 0x70 | CC_NE);
    as_store(a, osz, low, tr_pinned(t, RBX));
    as_store(a, osz, high, tr_pinned(t, RCX));
    as_imm(a, OSZ8, 1, flags, FL_ZF);
    u8 *end = tr_jump(t, 0xeb);
    tr_land(t, differ);
    tr_land(t, also);
    as_load(a, osz, tr_pinned(t, RAX), low);
    as_load(a, osz, tr_pinned(t, RDX), high);
    as_imm(a, OSZ8, 4, flags, ~(i32)FL_ZF);
    tr_land(t, end);
    flags_in_memory(t);
}

static void xadd(struct tr *t)
{
    const struct insn *i = &t->op->i;
    bool bytes = i->osz == OSZ8;
    as_load(t->a, OSZ64, H_DX, tr_greg(t, i->reg));
    as_insn(t->a, 0, i->osz, AS_0F, bytes ? 0xc0 : 0xc1, H_DX, rm_at(H_AX, 0), 0);
    tr_put(t, i->reg, i->osz, H_DX);
    flags_in_host(t);
}

/* ---- SAHF, LAHF, CLD, STD ---- */

static void flag_byte(struct tr *t)
{
    struct as *a = t->a;
    if (t->op->i.mapop == 0x9e) {
        tr_clobber(t, t->op->live_out & F_O);
        as_rorx(t->a, OSZ32, H_AX, tr_pinned(t, RAX), 8);
        as_store(a, OSZ8, rm_at(H_BP, FLAGS_FIELD + 1), H_AX);
        flags_in_memory(t);
        return;
    }
    if (t->host && !t->mem) tr_save_flags(t);
    t->host = false;
    as_insn(a, 0, OSZ32, AS_0F, 0xb6, H_AX, rm_at(H_BP, FLAGS_FIELD + 1), 0);
    as_imm(a, OSZ32, 4, rm_reg(H_AX), FL_ARITH & 0xff);
    as_imm(a, OSZ32, 1, rm_reg(H_AX), 2);
    as_rorx(t->a, OSZ64, H_DX, tr_pinned(t, RAX), 8);
    as_load(a, OSZ8, H_DX, rm_reg(H_AX));
    as_rorx(t->a, OSZ64, tr_pinned(t, RAX), H_DX, 56);
}

static void direction(struct tr *t)
{
    bool set = t->op->i.mapop == 0xfd;
    tr_clobber(t, t->op->live_out);
    as_imm(t->a, OSZ32, set ? 1 : 4, CPU_AT(rflags), set ? (i32)FL_DF : ~(i32)FL_DF);
}

/* ---- CLI, SWAPGS, MOV from control registers ---- at level 0, and CLI while nothing waits; the interpreter does the rest. */

static void privileged(struct tr *t)
{
    struct as *a = t->a;
    tr_clobber(t, t->op->live_in);
    as_imm(a, OSZ8, 7, CPU_AT(cpl), 0);
    leave_if(t, CC_NE);
    if (t->op->i.mapop == 0xfa) {
        as_imm(a, OSZ32, 7, CPU_AT(events), 0);
        leave_if(t, CC_NE);
        as_imm(a, OSZ32, 4, CPU_AT(rflags), ~(i32)FL_IF);
        return;
    }
    if (t->op->i.mapop == 0x20) {
        static const i32 fields[] = { [0] = offsetof(struct cpu, cr0),
                                      [2] = offsetof(struct cpu, cr2),
                                      [3] = offsetof(struct cpu, cr3),
                                      [4] = offsetof(struct cpu, cr4) };
        unsigned size = t->wide ? OSZ64 : OSZ32;
        as_load(a, size, H_AX, rm_at(H_BP, jit_field((size_t)fields[t->op->i.reg])));
        tr_put(t, t->op->i.rm, size, H_AX);
        return;
    }
    as_load(a, OSZ64, H_AX, CPU_AT(seg[SEG_GS].base));
    as_load(a, OSZ64, H_DX, CPU_AT(kernel_gs_base));
    as_store(a, OSZ64, CPU_AT(seg[SEG_GS].base), H_DX);
    as_store(a, OSZ64, CPU_AT(kernel_gs_base), H_AX);
}

void tr_own(struct tr *t)
{
    unsigned o = t->op->i.mapop;
    if (t->op->map == MAP_0) {
        if (o == 0xfa)
            privileged(t);
        else if (o >= 0xfc)
            direction(t);
        else if (o >= 0xf6)
            divide(t);
        else
            flag_byte(t);
        return;
    }
    switch (o) {
    case 0x01:
    case 0x20: privileged(t); break;
    case 0xa4:
    case 0xa5:
    case 0xac:
    case 0xad: double_shift(t); break;
    case 0xb0:
    case 0xb1: cmpxchg(t); break;
    case 0xc0:
    case 0xc1: xadd(t); break;
    case 0xc7: cmpxchg_pair(t); break;
    default: tr_scan(t); break;
    }
}
