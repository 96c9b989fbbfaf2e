/* The native forms: the guest's own instructions with other registers. The guest's arithmetic flags
 * are the host's; where the manuals leave flags undefined the interpreter's values are made, so
 * that both engines give the same bits. */
#include "cpu/jit/translate.h"

struct rm tr_operand(struct tr *t)
{
    return t->op->i.flags & INSN_MEM ? tr_at(t) : tr_greg(t, t->op->i.rm);
}

static bool unpinned_dword(struct tr *t, struct rm rm)
{
    return rm.mem && rm.reg == H_BP && t->op->i.osz == OSZ32 && t->wide;
}

/* op rm, reg where rm changes. */
static void binary_to_rm(struct tr *t, unsigned opcode, struct rm rm, unsigned reg)
{
    const struct insn *i = &t->op->i;
    if (!unpinned_dword(t, rm)) {
        as_rm(t->a, i->osz, opcode, reg, rm);
        return;
    }
    as_load(t->a, OSZ32, H_CX, rm);
    as_rm(t->a, OSZ32, opcode, reg, rm_reg(H_CX));
    as_store(t->a, OSZ64, rm, H_CX);
}

/* op reg, rm where reg changes (keep: it is also read). */
static void binary_to_reg(struct tr *t, unsigned pfx, unsigned map, unsigned opcode, struct rm rm,
                          bool read, unsigned bytes)
{
    const struct insn *i = &t->op->i;
    unsigned h = tr_pinned(t, i->reg);
    unsigned to = h != H_NONE ? h : H_DX;
    if (h == H_NONE && (read || i->osz < OSZ32)) as_load(t->a, OSZ64, H_DX, tr_greg(t, i->reg));
    as_insn(t->a, pfx, i->osz, map, opcode, to, rm, bytes);
    if (h == H_NONE) as_store(t->a, OSZ64, tr_greg(t, i->reg), H_DX);
}

/* op rm, immediate (group 1 and TEST): n is the ModRM digit. */
static void immediate_to_rm(struct tr *t, unsigned n, struct rm rm)
{
    const struct insn *i = &t->op->i;
    if (!unpinned_dword(t, rm) || n == 7) {
        as_imm(t->a, i->osz, n, rm, (i32)i->imm);
        return;
    }
    as_load(t->a, OSZ32, H_CX, rm);
    as_imm(t->a, OSZ32, n, rm_reg(H_CX), (i32)i->imm);
    as_store(t->a, OSZ64, rm, H_CX);
}

static void alu(struct tr *t, unsigned o)
{
    const struct insn *i = &t->op->i;
    unsigned n = o >> 3, form = o & 7;
    struct rm rm = tr_operand(t);
    switch (form) {
    case 0:
    case 1:
        if (n == 7)
            as_rm(t->a, i->osz, o | 1, tr_src(t, i->reg, H_DX), rm);
        else
            binary_to_rm(t, o | 1, rm, tr_src(t, i->reg, H_DX));
        break;
    case 2:
    case 3:
        if (n == 7) {
            as_rm(t->a, i->osz, o | 1, tr_src(t, i->reg, H_DX), rm);
        } else {
            unsigned bytes = i->osz == OSZ8 ? AS_BYTE_REG | AS_BYTE_RM : 0;
            binary_to_reg(t, 0, AS_0, i->osz == OSZ8 ? o & ~1u : o, rm, true, bytes);
        }
        break;
    default: immediate_to_rm(t, n, tr_greg(t, RAX)); break;
    }
}

static void test_imm(struct tr *t, struct rm rm)
{
    const struct insn *i = &t->op->i;
    as_insn(t->a, 0, i->osz, AS_0, i->osz == OSZ8 ? 0xf6 : 0xf7, 0, rm,
            i->osz == OSZ8 ? AS_BYTE_RM : 0);
    as_value(t->a, i->osz, i->imm);
}

/* Instructions with one operand and a digit: INC, DEC, NOT, NEG. */
static void unary(struct tr *t, unsigned opcode, unsigned digit, struct rm rm)
{
    const struct insn *i = &t->op->i;
    unsigned op = i->osz == OSZ8 ? opcode & ~1u : opcode, bytes = i->osz == OSZ8 ? AS_BYTE_RM : 0;
    if (!unpinned_dword(t, rm)) {
        as_insn(t->a, 0, i->osz, AS_0, op, digit, rm, bytes);
        return;
    }
    as_load(t->a, OSZ32, H_CX, rm);
    as_insn(t->a, 0, OSZ32, AS_0, op, digit, rm_reg(H_CX), 0);
    as_store(t->a, OSZ64, rm, H_CX);
}

/* After a multiplication: CF = OF as the host says, SF, ZF and PF of the low half, AF clear. */
static void multiply_flags(struct tr *t, unsigned low)
{
    if (!(t->op->live_out & ~(F_C | F_O))) {
        t->host = true;
        t->mem = false;
        return;
    }
    if (low == H_AX) {
        as_mov(t->a, OSZ64, H_CX, H_AX);
        low = H_CX;
    }
    as_insn(t->a, 0, OSZ8, AS_0F, 0x90, 0, rm_reg(H_AX), AS_BYTE_RM); /* SETO AL */
    as_store(t->a, OSZ8, CPU_AT(jit_flags), H_AX);
    as_rm(t->a, t->op->i.osz, 0x85, low, rm_reg(low));
    as8(t->a, 0x9f);                  /* LAHF */
    as8(t->a, 0x08), as8(t->a, 0xc4); /* OR AH, AL: CF */
    as8(t->a, 0x88), as8(t->a, 0x65),
        as8(t->a, (u8)(jit_field(offsetof(struct cpu, jit_flags)) + 1));
    t->host = false;
    t->mem = true;
}

static void imul_short(struct tr *t)
{
    const struct insn *i = &t->op->i;
    struct rm rm = tr_operand(t);
    unsigned h = tr_pinned(t, i->reg), to = h != H_NONE ? h : H_DX;
    if (i->mapop == 0xaf) {
        if (h == H_NONE) as_load(t->a, OSZ64, H_DX, tr_greg(t, i->reg));
        as_insn(t->a, 0, i->osz, AS_0F, 0xaf, to, rm, 0);
    } else {
        as_insn(t->a, 0, i->osz, AS_0, 0x69, to, rm, 0);
        as_value(t->a, i->osz, i->imm);
    }
    if (h == H_NONE)
        as_store(t->a, i->osz == OSZ16 ? OSZ16 : OSZ64, tr_greg(t, i->reg), H_DX);
    multiply_flags(t, to);
}

static void mul_wide(struct tr *t, unsigned digit)
{
    const struct insn *i = &t->op->i;
    struct rm rm = tr_operand(t);
    bool bytes = i->osz == OSZ8; /* AX is the product */
    if (rm.mem && rm.reg == H_AX) { /* the address makes room for the operand */
        as_mov(t->a, OSZ64, H_CX, H_AX);
        rm.reg = H_CX;
    }
    as_mov(t->a, OSZ64, H_AX, tr_src(t, RAX, H_AX));
    as_insn(t->a, 0, i->osz, AS_0, bytes ? 0xf6 : 0xf7, digit, rm, bytes ? AS_BYTE_RM : 0);
    tr_put(t, RAX, bytes ? OSZ16 : i->osz, H_AX);
    if (!bytes) tr_put(t, RDX, i->osz, H_DX);
    multiply_flags(t, tr_pinned(t, RAX));
}

static void group3(struct tr *t)
{
    unsigned n = t->op->i.modrm >> 3 & 7;
    struct rm rm = tr_operand(t);
    switch (n) {
    case 0:
    case 1: test_imm(t, rm); break;
    case 2:
    case 3: unary(t, 0xf7, n, rm); break;
    default: mul_wide(t, n); break;
    }
}

/* OF after a shift by more than one is undefined. The interpreter's rule, which holds for one as
 * well: SHL and RCL: CF xor the top bit; SHR: the bit below the top; ROL: the lowest bit xor the top
 * one; ROR and RCR: the two top bits. The flags go to memory with it; in EFLAGS only the others are right. */
static void shift_flags(struct tr *t, unsigned n, struct rm result)
{
    const struct insn *i = &t->op->i;
    struct as *a = t->a;
    unsigned bits = 8u << i->osz, size = i->osz == OSZ64 ? OSZ64 : OSZ32;
    tr_save_flags(t);
    t->of_bad = true;
    if (n == 7) return; /* SAR: 0 */
    if (n == 4) {
        as8(a, 0x0f), as8(a, 0xb6), as8(a, 0xc4); /* MOVZX EAX, AH */
        as_rorx(a, OSZ32, H_CX, H_AX, 7);
        as_lea(a, OSZ32, H_CX, rm_sib(H_CX, H_AX, 0, 0));
    } else {
        if (i->osz == OSZ8)
            as_insn(a, 0, OSZ32, AS_0F, 0xb6, H_DX, result, AS_BYTE_RM);
        else if (i->osz == OSZ16)
            as_insn(a, 0, OSZ32, AS_0F, 0xb7, H_DX, result, 0);
        else
            as_load(a, i->osz, H_DX, result);
        as_rorx(a, size, H_CX, H_DX, n == 0 || n == 2 ? bits - 1 : bits - 2);
        if (n == 2) { /* the carry */
            as8(a, 0x0f), as8(a, 0xb6), as8(a, 0xc4);
            as_lea(a, OSZ32, H_CX, rm_sib(H_CX, H_AX, 0, 0));
        }
        if (n == 0) as_lea(a, OSZ32, H_CX, rm_sib(H_CX, H_DX, 0, 0));
        if (n == 1 || n == 3) {
            as_rorx(a, size, H_DX, H_DX, bits - 1);
            as_lea(a, OSZ32, H_CX, rm_sib(H_CX, H_DX, 0, 0));
        }
    }
    as_store(a, OSZ8, CPU_AT(jit_flags), H_CX);
}

static void shift(struct tr *t)
{
    const struct insn *i = &t->op->i;
    struct as *a = t->a;
    unsigned n = i->modrm >> 3 & 7, o = i->mapop;
    struct rm rm = tr_operand(t), at = rm;
    bool bytes = i->osz == OSZ8, dword = unpinned_dword(t, rm), by_cl = o >= 0xd2;
    if (n == 6) n = 4;
    if (dword) {
        as_load(a, OSZ32, H_DX, rm);
        at = rm_reg(H_DX);
    }
    if (jit_keeps_source(t->op) && t->op->live_out) {
        if (at.mem) as_load(a, OSZ64, H_DX, at);
        as_store(a, OSZ64, CPU_AT(jit_source), at.mem ? H_DX : at.reg);
    }
    as_insn(a, 0, i->osz, AS_0, (o & 0xfe) | !bytes, n, at, bytes ? AS_BYTE_RM : 0);
    if (o < 0xd0) as8(a, (u8)i->imm);
    if (dword) as_store(a, OSZ64, rm, H_DX);
    if (jit_keeps_source(t->op)) {
        t->of_bad = o != 0xd1 && jit_shift_count(i) != 1;
        return;
    }
    if (!(t->op->live_out & F_O) || !t->op->def) return;
    if (o == 0xd0 || o == 0xd1 || (o < 0xd0 && jit_shift_count(i) == 1)) return;
    u8 *skip = NULL;
    if (by_cl) {
        as_room(a);
        as8(a, 0xe3); /* JRCXZ: the flags are what they were, in memory as well */
        as8(a, 0);
        skip = a->at;
    }
    shift_flags(t, n, rm);
    if (skip) skip[-1] = (u8)(a->at - skip);
}

/* MOV and its relatives between registers and memory. */
static void mov_rm_reg(struct tr *t)
{
    const struct insn *i = &t->op->i;
    unsigned from = tr_src(t, i->reg, H_DX);
    if (i->flags & INSN_MEM)
        as_store(t->a, i->osz, tr_operand(t), from);
    else
        tr_put(t, i->rm, i->osz, from);
}

static void mov_reg_rm(struct tr *t)
{
    const struct insn *i = &t->op->i;
    unsigned bytes = i->osz == OSZ8 ? AS_BYTE_REG | AS_BYTE_RM : 0;
    binary_to_reg(t, 0, AS_0, i->osz == OSZ8 ? 0x8a : 0x8b, tr_operand(t), false, bytes);
}

static void mov_rm_imm(struct tr *t, struct rm rm)
{
    const struct insn *i = &t->op->i;
    bool to_reg = !rm.mem || rm.reg == H_BP;
    if (to_reg && i->osz >= OSZ32) {
        u64 v = i->osz == OSZ32 ? (u32)i->imm : i->imm;
        unsigned to = rm.mem ? H_DX : rm.reg;
        as_movabs(t->a, to, v);
        if (rm.mem) as_store(t->a, OSZ64, rm, H_DX);
        return;
    }
    as_insn(t->a, 0, i->osz, AS_0, i->osz == OSZ8 ? 0xc6 : 0xc7, 0, rm,
            i->osz == OSZ8 ? AS_BYTE_RM : 0);
    as_value(t->a, i->osz, i->imm);
}

static void lea(struct tr *t)
{
    tr_address(t);
    tr_put(t, t->op->i.reg, t->op->i.osz, H_AX);
}

static void xchg(struct tr *t, unsigned reg)
{
    const struct insn *i = &t->op->i;
    struct rm rm = tr_operand(t);
    unsigned a = tr_src(t, reg, H_DX);
    if (!(i->flags & INSN_MEM)) {
        as_load(t->a, OSZ64, H_CX, rm);
        tr_put(t, i->rm, i->osz, a);
        tr_put(t, reg, i->osz, H_CX);
        return;
    }
    as_load(t->a, i->osz, H_CX, rm);
    as_store(t->a, i->osz, rm, a);
    tr_put(t, reg, i->osz, H_CX);
}

static void convert(struct tr *t) /* CBW, CWDE, CDQE; CWD, CDQ, CQO */
{
    const struct insn *i = &t->op->i;
    bool high = i->mapop == 0x99;
    as_mov(t->a, OSZ64, H_AX, tr_src(t, RAX, H_AX));
    if (i->osz == OSZ16) as8(t->a, 0x66);
    if (i->osz == OSZ64) as8(t->a, 0x48);
    as8(t->a, i->mapop);
    tr_put(t, high ? RDX : RAX, i->osz, high ? H_DX : H_AX);
}

void tr_push(struct tr *t, unsigned from)
{
    unsigned size = t->wide ? OSZ64 : OSZ32;
    unsigned sp = tr_pinned(t, RSP);
    as_store(t->a, size, tr_at(t), from);
    as_lea(t->a, size, sp, rm_at(sp, -(1 << size)));
}

static void push_any(struct tr *t)
{
    const struct insn *i = &t->op->i;
    if (i->mapop != 0x68 && i->mapop != 0x6a) {
        tr_push(t, tr_src(t, i->rm, H_DX));
    } else {
        as_movabs(t->a, H_DX, t->wide ? i->imm : (u32)i->imm);
        tr_push(t, H_DX);
    }
}

/* RF and VM read as 0. The arithmetic flags are in memory: the access saw to it. */
static void push_flags(struct tr *t)
{
    struct as *a = t->a;
    t->host = false; /* they are in memory; what follows changes EFLAGS */
    i32 arith = jit_field(offsetof(struct cpu, jit_flags));
    as_load(a, OSZ32, H_DX, CPU_AT(rflags));
    as_imm(a, OSZ32, 4, rm_reg(H_DX), (i32) ~(FL_ARITH | FL_RF | FL_VM));
    as_insn(a, 0, OSZ32, AS_0F, 0xb6, H_CX, rm_at(H_BP, arith), 0); /* MOVZX: OF */
    as_imm(a, OSZ32, 4, rm_reg(H_CX), 1);
    as_insn(a, 0, OSZ32, AS_0, 0xc1, 4, rm_reg(H_CX), 0); /* SHL ECX, 11 */
    as8(a, 11);
    as_rm(a, OSZ32, 0x0b, H_DX, rm_reg(H_CX));
    as_insn(a, 0, OSZ32, AS_0F, 0xb6, H_CX, rm_at(H_BP, arith + 1), 0);
    as_imm(a, OSZ32, 4, rm_reg(H_CX), FL_ARITH & 0xff);
    as_lea(a, OSZ32, H_DX, rm_sib(H_DX, H_CX, 0, 0));
    as_imm(a, OSZ32, 1, rm_reg(H_DX), 2);
    tr_push(t, H_DX);
}

/* PUSH m: its two accesses, one after the other. */
static void push_operand(struct tr *t)
{
    unsigned size = t->wide ? OSZ64 : OSZ32;
    if (t->second) {
        as_load(t->a, size, H_DX, CPU_AT(jit_temp));
        tr_push(t, H_DX);
        return;
    }
    as_load(t->a, size, H_DX, tr_at(t));
    as_store(t->a, size, CPU_AT(jit_temp), H_DX);
}

void tr_push_part(struct tr *t)
{
    unsigned size = t->wide ? OSZ64 : OSZ32;
    as_lea(t->a, size, H_AX, rm_at(tr_pinned(t, RSP), -(1 << size)));
    t->second = true;
    tr_check(t, 1u << size, SITE_WRITE);
    tr_execute(t);
    t->second = false;
    t->stubs[t->stub_count - 1].resume = as_here(t->a);
}

static void pop(struct tr *t)
{
    const struct insn *i = &t->op->i;
    unsigned size = t->wide ? OSZ64 : OSZ32, sp = tr_pinned(t, RSP);
    as_load(t->a, size, H_DX, tr_at(t));
    as_lea(t->a, size, sp, rm_at(sp, 1 << size));
    tr_put(t, i->rm, size, H_DX);
}

static void leave(struct tr *t) /* address: old RBP */
{
    unsigned size = t->wide ? OSZ64 : OSZ32, sp = tr_pinned(t, RSP), bp = tr_pinned(t, RBP);
    as_lea(t->a, size, sp, rm_at(bp, 1 << size));
    as_load(t->a, size, bp, tr_at(t));
}

static void setcc(struct tr *t)
{
    as_insn(t->a, 0, OSZ8, AS_0F, t->op->i.mapop, 0, tr_operand(t), AS_BYTE_RM);
}

static void cmov(struct tr *t)
{
    const struct insn *i = &t->op->i;
    binary_to_reg(t, 0, AS_0F, i->mapop, tr_operand(t), true, 0);
}

static void extend(struct tr *t) /* MOVZX, MOVSX */
{
    const struct insn *i = &t->op->i;
    binary_to_reg(t, 0, AS_0F, i->mapop, tr_operand(t), false, i->mapop & 1 ? 0 : AS_BYTE_RM);
}

static void bit_test(struct tr *t)
{
    if (t->op->bit_string) {
        tr_bit_string(t);
        return;
    }
    const struct insn *i = &t->op->i;
    struct rm rm = tr_operand(t), at = rm;
    bool imm = i->mapop == 0xba;
    unsigned kind = imm ? i->modrm >> 3 & 3 : i->mapop >> 3 & 3;
    bool dword = unpinned_dword(t, rm) && kind;
    bool load = dword || (rm.mem && rm.reg == H_BP &&
                          !imm); /* a register's bit number counts modulo its size */
    if (load) {
        as_load(t->a, i->osz == OSZ64 ? OSZ64 : OSZ32, H_CX, rm);
        at = rm_reg(H_CX);
    }
    if (imm) {
        as_insn(t->a, 0, i->osz, AS_0F, 0xba, i->modrm >> 3 & 7, at, 0);
        as8(t->a, (u8)i->imm);
    } else
        as_insn(t->a, 0, i->osz, AS_0F, i->mapop, tr_src(t, i->reg, H_DX), at, 0);
    if (load && kind) as_store(t->a, dword ? OSZ64 : i->osz, rm, H_CX);
}

static void bswap(struct tr *t)
{
    const struct insn *i = &t->op->i;
    unsigned h = tr_pinned(t, i->rm), r = h != H_NONE ? h : H_DX;
    if (h == H_NONE) as_load(t->a, OSZ64, H_DX, tr_greg(t, i->rm));
    as_room(t->a);
    if (i->osz == OSZ64 || r & 8) as8(t->a, 0x40 | (i->osz == OSZ64 ? 8 : 0) | r >> 3);
    as8(t->a, 0x0f);
    as8(t->a, 0xc8 | (r & 7));
    if (h == H_NONE) as_store(t->a, OSZ64, tr_greg(t, i->rm), H_DX);
}

static void movsxd(struct tr *t)
{
    binary_to_reg(t, 0, AS_0, 0x63, tr_operand(t), false, 0);
}

static void moffs(struct tr *t)
{
    const struct insn *i = &t->op->i;
    struct rm at = tr_at(t);
    if (i->mapop >= 0xa2) {
        as_store(t->a, i->osz, at, tr_src(t, RAX, H_DX));
        return;
    }
    as_load(t->a, i->osz, H_DX, at);
    tr_put(t, RAX, i->osz, H_DX);
}

static void body_one(struct tr *t)
{
    const struct insn *i = &t->op->i;
    unsigned o = i->mapop;
    if (o < 0x40) {
        alu(t, o);
        return;
    }
    switch (o) {
    case 0x40 ... 0x4f: unary(t, 0xff, o >> 3 & 1, tr_greg(t, i->rm)); break;
    case 0x50 ... 0x57:
    case 0x68:
    case 0x6a: push_any(t); break;
    case 0x58 ... 0x5f: pop(t); break;
    case 0x63: movsxd(t); break;
    case 0x69:
    case 0x6b: imul_short(t); break;
    case 0x80 ... 0x83: immediate_to_rm(t, i->modrm >> 3 & 7, tr_operand(t)); break;
    case 0x84:
    case 0x85: as_rm(t->a, i->osz, 0x85, tr_src(t, i->reg, H_DX), tr_operand(t)); break;
    case 0x86:
    case 0x87: xchg(t, i->reg); break;
    case 0x88:
    case 0x89: mov_rm_reg(t); break;
    case 0x8a:
    case 0x8b: mov_reg_rm(t); break;
    case 0x8d: lea(t); break;
    case 0x90 ... 0x97:
        if (i->rm != RAX) xchg(t, RAX);
        break;
    case 0x98:
    case 0x99: convert(t); break;
    case 0x9c: push_flags(t); break;
    case 0xa0 ... 0xa3: moffs(t); break;
    case 0xa8:
    case 0xa9: test_imm(t, tr_greg(t, RAX)); break;
    case 0xb0 ... 0xbf: mov_rm_imm(t, tr_greg(t, i->rm)); break;
    case 0xc6:
    case 0xc7: mov_rm_imm(t, tr_operand(t)); break;
    case 0xc9: leave(t); break;
    case 0xf5:
    case 0xf8:
    case 0xf9:
        as_room(t->a);
        as8(t->a, o);
        break;
    case 0xf6:
    case 0xf7: group3(t); break;
    case 0xfe: unary(t, 0xff, i->modrm >> 3 & 7, tr_operand(t)); break;
    case 0xff:
        if (t->op->push)
            push_operand(t);
        else if ((i->modrm >> 3 & 7) == 6)
            push_any(t);
        else
            unary(t, 0xff, i->modrm >> 3 & 7, tr_operand(t));
        break;
    default: shift(t); break; /* C0, C1, D0 to D3 */
    }
}

static void body_two(struct tr *t)
{
    switch (t->op->i.mapop) {
    case 0x40 ... 0x4f: cmov(t); break;
    case 0x90 ... 0x9f: setcc(t); break;
    case 0xa3:
    case 0xab:
    case 0xb3:
    case 0xba:
    case 0xbb: bit_test(t); break;
    case 0xaf: imul_short(t); break;
    case 0xb6:
    case 0xb7:
    case 0xbe:
    case 0xbf: extend(t); break;
    case 0xc3: mov_rm_reg(t); break; /* MOVNTI */
    case 0xc8 ... 0xcf: bswap(t); break;
    default: break; /* NOP */
    }
}

static void body(struct tr *t)
{
    if (t->op->map == MAP_0)
        body_one(t);
    else if (t->op->map == MAP_0F)
        body_two(t);
    else
        tr_vex(t);
}

/* AH to BH cannot be named beside the registers that need REX: the guest register turned by 8 bits
 * has the byte at its low end, the instruction works there, and turning goes on. RORX keeps flags.
 */
static void high_bytes(struct tr *t)
{
    struct insn *i = &t->op->i, old = *i;
    unsigned high = t->op->high, rm = H_NONE, reg = H_NONE;
    if (high & HIGH_RM) {
        as_rorx(t->a, OSZ64, rm = H_DX, tr_pinned(t, old.rm & 3), 8);
        i->rm = TR_HOST(H_DX);
    }
    if (high & HIGH_REG) {
        as_rorx(t->a, OSZ64, reg = high & HIGH_RM ? H_CX : H_DX, tr_pinned(t, old.reg & 3), 8);
        i->reg = (u8)TR_HOST(reg);
    }
    body(t);
    *i = old;
    if (high & HIGH_RM_WRITTEN) as_rorx(t->a, OSZ64, tr_pinned(t, old.rm & 3), rm, 56);
    if (high & HIGH_REG_WRITTEN) as_rorx(t->a, OSZ64, tr_pinned(t, old.reg & 3), reg, 56);
}

void tr_body(struct tr *t)
{
    if (t->op->def) {
        t->host = true;
        t->mem = t->of_bad = false;
    }
    if (t->op->high)
        high_bytes(t);
    else
        body(t);
}
