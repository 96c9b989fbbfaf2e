/* MMX on the host's unit: guest register n is host register n. The registers are the x87 unit's, so
 * all that x87.c does about loading and leaving holds here as well; only the pointers do not
 * change.
 *
 * Left out, done by handlers: MASKMOVQ, PINSRW, PEXTRW and PMOVMSKB of MMX registers, what converts
 * between MMX and XMM registers. SDM 1 chapter 9. */
#include "cpu/jit/translate.h"

static bool host_has(unsigned feature)
{
    switch (feature) {
    case FT_MMX:
    case FT_SSE:
    case FT_SSE2: return true;
    case FT_SSSE3: return __builtin_cpu_supports("ssse3");
    default: return false;
    }
}

static unsigned memory_size(const struct insn *i, unsigned kind)
{
    switch (kind) {
    case OK_Q:
    case OK_Mq: return 8;
    case OK_Qd: return 4;
    case OK_Ey: return i->osz == OSZ64 ? 8 : 4;
    default: return 0;
    }
}

static bool is_emms(const struct op_row *row)
{
    return row->map == MAP_0F && row->opcode == 0x77;
}

bool jit_classify_mmx(struct jop *op, unsigned mode)
{
    const struct insn *i = &op->i;
    const struct op_row *row = &op_rows[i->op];
    unsigned a = row->operand[0], b = row->operand[1];
    bool mem = i->flags & INSN_MEM;
    if (row->map < MAP_0F || row->map > MAP_3A || row->prefix != PF_NP || !host_has(row->feature))
        return false;
    op->x87 = X87_UNIT;
    if (is_emms(row)) return true;
    op->x87 = 0;
    bool shift = a == OK_Q && b == OK_Ib; /* by an immediate: the operand is in ModRM.rm */
    bool to_rm = b == OK_P && memory_size(i, a);
    bool from_rm = a == OK_P && memory_size(i, b);
    if ((!shift && !to_rm && !from_rm) || i->mapop == 0xf7) return false;
    if (mem && mode == BITS32 && (i->asz != ASZ32 || i->seg == SEG_CS)) return false;
    op->x87 = X87_UNIT;
    op->mem = op->exits = mem;
    op->size = (u8)memory_size(i, from_rm ? b : a);
    op->access = from_rm ? SITE_READ : SITE_WRITE;
    op->rm_general = (from_rm ? b : a) == OK_Ey;
    op->imm8 = b == OK_Ib || row->operand[2] == OK_Ib;
    return true;
}

void tr_mmx_body(struct tr *t)
{
    static const u8 maps[] = { [MAP_0F] = AS_0F, [MAP_38] = AS_38, [MAP_3A] = AS_3A };
    struct as *a = t->a;
    const struct jop *op = t->op;
    const struct insn *i = &op->i;
    const struct op_row *row = &op_rows[i->op];
    if (is_emms(row)) {
        as_room(a);
        as8(a, 0x0f), as8(a, 0x77);
        return;
    }
    bool to_general = op->rm_general && !(i->flags & INSN_MEM) && op->access == SITE_WRITE;
    unsigned osz = op->rm_general && i->osz == OSZ64 ? OSZ64 : OSZ32;
    unsigned reg = row->sel & SEL_DIGIT ? i->modrm >> 3 & 7 : i->reg & 7;
    struct rm rm = i->flags & INSN_MEM ? tr_at(t)
                   : to_general        ? rm_reg(H_DX)
                   : op->rm_general    ? tr_greg(t, i->rm)
                                       : rm_reg(i->rm & 7);
    as_insn(a, 0, osz, maps[row->map], row->opcode, reg, rm, 0);
    if (op->imm8) as8(a, (u8)i->imm);
    if (to_general) tr_put(t, i->rm, osz, H_DX);
}
