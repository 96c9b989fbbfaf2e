/* Native forms of bit strings, scans and counts. Flags that the manuals leave undefined are as the
 * interpreter makes them (exec_bit.c): BSF and BSR change ZF alone, TZCNT and LZCNT give SF and PF
 * of the result, BMI1 and BZHI as well. */
#include "cpu/jit/translate.h"

#define FLAGS_FIELD jit_field(offsetof(struct cpu, jit_flags))

void tr_bit_offset(struct tr *t)
{
    const struct insn *i = &t->op->i;
    struct rm bit = tr_greg(t, i->reg);
    if (i->osz == OSZ16)
        as_insn(t->a, 0, OSZ64, AS_0F, 0xbf, H_CX, bit, 0); /* MOVSX */
    else if (i->osz == OSZ32)
        as_insn(t->a, 0, OSZ64, AS_0, 0x63, H_CX, bit, 0); /* MOVSXD */
    else
        as_load(t->a, OSZ64, H_CX, bit);
    as_insn(t->a, 0, OSZ64, AS_0, 0xc1, 7, rm_reg(H_CX), 0); /* SAR: to words */
    as8(t->a, 3u + i->osz);
    as_lea(t->a, i->asz == ASZ64 ? OSZ64 : OSZ32, H_AX, rm_sib(H_AX, H_CX, i->osz, 0));
}

/* BT to BTC on the word at t->addr (RAX or RCX); the host takes the number modulo the word. */
void tr_bit_string(struct tr *t)
{
    const struct insn *i = &t->op->i;
    struct rm at = rm_at(t->addr, 0);
    as_load(t->a, i->osz, H_DX, at);
    as_insn(t->a, 0, i->osz, AS_0F, i->mapop, tr_src(t, i->reg, t->addr == H_AX ? H_CX : H_AX),
            rm_reg(H_DX), 0);
    if (i->mapop != 0xa3) as_store(t->a, i->osz, at, H_DX);
}

/* BSF, BSR: an empty source keeps the destination. */
static void scan(struct tr *t, struct rm rm)
{
    const struct insn *i = &t->op->i;
    struct as *a = t->a;
    struct rm flags = rm_at(H_BP, FLAGS_FIELD + 1);
    bool only = !(t->op->live_out & ~F_Z); /* the others are free */
    if (!only) tr_clobber(t, t->op->live_out);
    as_insn(a, 0, i->osz, AS_0F, i->mapop, H_DX, rm, 0);
    u8 *empty = tr_jump(t, 0x70 | CC_E);
    tr_put(t, i->reg, i->osz, H_DX);
    if (!only) {
        as_imm(a, OSZ8, 4, flags, ~(i32)FL_ZF);
        u8 *end = tr_jump(t, 0xeb);
        tr_land(t, empty);
        as_imm(a, OSZ8, 1, flags, FL_ZF);
        tr_land(t, end);
    } else {
        tr_land(t, empty);
    }
    t->host = only;
    t->mem = !only;
    t->of_bad = false;
}

/* The result in RDX, CF from the instruction: SF, ZF and PF of the result, AF and OF clear. Changes
 * RAX. */
static void flags_of_result(struct tr *t)
{
    struct as *a = t->a;
    if (!(t->op->live_out & ~(F_C | F_Z))) return;
    as_insn(a, 0, OSZ8, AS_0F, 0x92, 0, rm_reg(H_AX), 0); /* SETC AL */
    as_rm(a, t->op->i.osz, 0x85, H_DX, rm_reg(H_DX));
    as_room(a);
    as8(a, 0x9f);                                              /* LAHF */
    as8(a, 0x08), as8(a, 0xc4);                                /* OR AH, AL */
    as8(a, 0x88), as8(a, 0x65), as8(a, (u8)(FLAGS_FIELD + 1)); /* MOV [.. + 1], AH */
    as_insn(a, 0, OSZ8, AS_0, 0xc6, 0, CPU_AT(jit_flags), 0);
    as8(a, 0);
    t->host = false;
    t->mem = true;
}

void tr_scan(struct tr *t)
{
    const struct insn *i = &t->op->i;
    struct as *a = t->a;
    struct rm rm = tr_operand(t);
    unsigned feature = op_rows[i->op].feature;
    if (feature != FT_BMI1 && feature != FT_LZCNT && feature != FT_POPCNT) {
        scan(t, rm);
        return;
    }
    as_insn(a, 0xf3, i->osz, AS_0F, i->mapop, H_DX, rm, 0);
    tr_put(t, i->reg, i->osz, H_DX);
    t->host = true;
    t->mem = t->of_bad = false;
    if (feature != FT_POPCNT) flags_of_result(t);
}

/* ---- BMI1, BMI2 ---- */

/* RORX, SHLX, SHRX, SARX, PDEP, PEXT and MULX: no flags. RCX and RDX stand in for registers that
 * are in memory; a destination is written when every source has been read. */
static void without_flags(struct tr *t, u32 form, struct rm rm)
{
    const struct insn *i = &t->op->i;
    struct as *a = t->a;
    unsigned h = tr_pinned(t, i->reg), to = h != H_NONE ? h : H_DX;
    if (i->mapop == 0xf6) { /* MULX: vvvv is the lower half, RDX the other factor */
        unsigned low = tr_pinned(t, i->vvvv);
        as_mov(a, OSZ64, H_DX, tr_pinned(t, RDX));
        as_emit_vex(a, form, to, low != H_NONE ? low : H_CX, rm);
        if (low == H_NONE) as_store(a, OSZ64, tr_greg(t, i->vvvv), H_CX);
    } else if (t->op->map == MAP_V3) {
        as_emit_vex(a, form, to, 0, rm);
        as8(a, (u8)i->imm);
    } else {
        as_emit_vex(a, form, to, tr_src(t, i->vvvv, H_CX), rm);
    }
    if (h == H_NONE) as_store(a, OSZ64, tr_greg(t, i->reg), H_DX);
}

void tr_vex(struct tr *t)
{
    const struct insn *i = &t->op->i;
    const struct op_row *row = &op_rows[i->op];
    unsigned pfx = row->prefix == PF_66   ? AS_66
                   : row->prefix == PF_F3 ? 0xf3
                   : row->prefix == PF_F2 ? 0xf2
                                          : 0;
    u32 form = as_form(pfx, i->osz, t->op->map == MAP_V2 ? AS_38 : AS_3A, row->opcode, 0);
    struct rm rm = tr_operand(t);
    if (!t->op->def) {
        without_flags(t, form, rm);
        return;
    }
    if (row->opcode == 0xf3) { /* BLSR, BLSMSK, BLSI */
        as_emit_vex(t->a, form, i->modrm >> 3 & 7, H_DX, rm);
        tr_put(t, i->vvvv, OSZ64, H_DX);
    } else {
        as_emit_vex(t->a, form, H_DX, tr_src(t, i->vvvv, H_CX), rm);
        tr_put(t, i->reg, OSZ64, H_DX);
    }
    flags_of_result(t);
}
