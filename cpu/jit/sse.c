/* SSE to SSE4.1 and AES on the host's unit: guest register n is host register n. Inside a
 * superblock registers are loaded when they are first needed and stored when the superblock is
 * left; memory (c->v) is right wherever C code runs. A superblock that loops to its own start keeps
 * them loaded.
 *
 * The host's MXCSR is the guest's while such code runs (c->jit_sse), with every exception masked; a
 * guest that unmasks one, or whose CR0 and CR4 want #NM or #UD, is interpreted (c->jit_refuse).
 * Left out, done by handlers: MMX operands, MASKMOVDQU, PCMPxSTRx, everything VEX. LDMXCSR, STMXCSR
 * and the save instructions end a superblock. SDM 1 chapters 10 to 12. */
#include "cpu/jit/translate.h"

static bool host_has(unsigned feature)
{
    switch (feature) {
    case FT_SSE:
    case FT_SSE2: return true;
    case FT_SSE3: return __builtin_cpu_supports("sse3");
    case FT_SSSE3: return __builtin_cpu_supports("ssse3");
    case FT_SSE41: return __builtin_cpu_supports("sse4.1");
    case FT_SSE42: return __builtin_cpu_supports("sse4.2");
    case FT_AES: return __builtin_cpu_supports("aes");
    case FT_PCLMUL: return __builtin_cpu_supports("pclmul");
    default: return false;
    }
}

/* Size of a memory operand, 0: this operand is nothing for this file. */
static unsigned operand_size(const struct insn *i, unsigned kind)
{
    switch (kind) {
    case OK_W:
    case OK_Mdq: return 16;
    case OK_Wq:
    case OK_Mq: return 8;
    case OK_Wd:
    case OK_Ed: return 4;
    case OK_Ww:
    case OK_Edw: return 2;
    case OK_Edb: return 1;
    case OK_Ey: return i->osz == OSZ64 ? 8 : 4;
    default: return 0;
    }
}

static bool is_xmm(unsigned kind)
{
    return kind == OK_V || kind == OK_W || kind == OK_Wd || kind == OK_Wq || kind == OK_Ww;
}

static bool is_general(unsigned kind)
{
    return kind == OK_Ey || kind == OK_Ed || kind == OK_Edw || kind == OK_Edb || kind == OK_Gy ||
           kind == OK_Gd;
}

static bool name_is(const struct op_row *row, const char *a)
{
    return !strncmp(row->name, a, strlen(a));
}

/* The destination's old value does not matter. */
static bool overwrites(const struct insn *i, const struct op_row *row)
{
    static const char *const whole[] = { "movaps", "movapd", "movups", "movupd",
                                         "movdq",  "lddqu",  "movq",   "movd|",
                                         "pshufd", "pshufl", "pshufh", "movntdqa" };
    for (unsigned k = 0; k < LEN(whole); k++) {
        if (name_is(row, whole[k])) return true;
    }
    return (i->flags & INSN_MEM) && (name_is(row, "movss") || !strcmp(row->name, "movsd"));
}

static bool unaligned(const struct op_row *row)
{
    return name_is(row, "movups") || name_is(row, "movupd") || name_is(row, "movdqu") ||
           name_is(row, "lddqu");
}

bool jit_classify_sse(struct jop *op, unsigned mode)
{
    const struct insn *i = &op->i;
    const struct op_row *row = &op_rows[i->op];
    if (row->map < MAP_0F || row->map > MAP_3A || !host_has(row->feature)) return false;
    unsigned a = row->operand[0], b = row->operand[1];
    if (name_is(row, "pcmpe") && row->map == MAP_3A) return false;
    if (name_is(row, "dpp")) return false; /* the handler sums in a fixed order */
    if (name_is(row, "pcmpi") || name_is(row, "maskmov") || name_is(row, "ldmx") ||
        name_is(row, "stmx"))
        return false;
    bool shift_imm = a == OK_W && b == OK_Ib;
    if (!is_xmm(a) && !is_general(a) && a != OK_Mq && a != OK_Mdq) return false;
    if (!shift_imm && !is_xmm(b) && !is_general(b) && b != OK_Mq && b != OK_Mdq) return false;
    if (!is_xmm(a) && !is_xmm(b)) return false;
    if (mode == BITS32 && (i->flags & INSN_MEM) && (i->asz != ASZ32 || i->seg == SEG_CS))
        return false;
    bool rm_first =
        operand_size(i, a) && (b == OK_V || shift_imm); /* the ModRM operand is the destination */
    unsigned rm_kind = rm_first ? a : b;
    op->sse = true;
    op->mem = op->exits = i->flags & INSN_MEM;
    op->size = (u8)operand_size(i, rm_kind);
    op->access = rm_first ? SITE_WRITE : SITE_READ;
    op->aligned = op->size == 16 && !unaligned(row);
    op->rm_general = is_general(rm_kind);
    op->reg_general = a == OK_Gy || a == OK_Gd;
    if (name_is(row, "ucomis") || name_is(row, "comis") || name_is(row, "ptest")) op->def = F_ALL;
    u16 reg = (u16)(op->reg_general || shift_imm ? 0 : BIT(i->reg));
    u16 rm = (u16)((i->flags & INSN_MEM) || op->rm_general ? 0 : BIT(i->rm));
    bool over = overwrites(i, row);
    if (rm_first) {
        op->x_write = rm;
        op->x_read = (u16)(reg | (over ? 0 : rm));
    } else {
        op->x_write = (u16)(op->def ? 0 : reg);
        op->x_read = (u16)(rm | (over ? 0 : reg));
    }
    if (row->operand[2] == OK_XMM0) op->x_read |= 1;
    op->imm8 = row->operand[1] == OK_Ib || row->operand[2] == OK_Ib;
    return true;
}

/* ---- registers ---- */

static struct rm xmm_place(unsigned n)
{
    return rm_at(H_BP, jit_field(offsetof(struct cpu, v)) + (i32)(n * sizeof(union vreg)));
}

static void move_all(struct tr *t, u16 set, unsigned opcode)
{
    for (unsigned left = set; left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctz(left);
        as_insn(t->a, 0, OSZ32, AS_0F, opcode, n, xmm_place(n), 0);
    }
}

void tr_x_load(struct tr *t, u16 set)
{
    move_all(t, set & (u16)~t->x_loaded, 0x28); /* MOVAPS */
    t->x_loaded |= set;
}

void tr_x_reload(struct tr *t)
{
    move_all(t, t->x_loaded, 0x28);
}

void tr_x_store(struct tr *t)
{
    move_all(t, t->x_dirty, 0x29);
    t->x_dirty = 0;
}

/* Behind the head of a loop: everything that it uses is loaded, and what it writes counts as
 * changed. */
void tr_x_loop(struct tr *t)
{
    u16 used = 0, written = 0;
    for (unsigned k = 0; k < t->n; k++) {
        used |= t->ops[k].x_read | t->ops[k].x_write;
        written |= t->ops[k].x_write;
    }
    tr_x_load(t, used);
    t->x_dirty = written;
}

/* ---- code ---- */

void tr_sse_body(struct tr *t)
{
    const struct insn *i = &t->op->i;
    const struct op_row *row = &op_rows[i->op];
    static const u8 maps[] = { [MAP_0F] = AS_0F, [MAP_38] = AS_38, [MAP_3A] = AS_3A };
    unsigned pfx = row->prefix == PF_66   ? AS_66
                   : row->prefix == PF_F3 ? 0xf3
                   : row->prefix == PF_F2 ? 0xf2
                                          : 0;
    unsigned osz = (row->flags & OF_W32) && i->osz == OSZ64 ? OSZ64 : OSZ32;
    unsigned reg = i->reg;
    struct rm rm = i->flags & INSN_MEM ? tr_at(t)
                   : t->op->rm_general ? tr_greg(t, i->rm)
                                       : rm_reg(i->rm);
    bool to_general = t->op->rm_general && t->op->access == SITE_WRITE && !(i->flags & INSN_MEM);
    if (to_general) rm = rm_reg(H_DX); /* its upper half is cleared, too */
    if (t->op->rm_general && rm.mem &&
        rm.reg == H_BP) { /* PINSRW and its like read less than a register */
        as_load(t->a, OSZ64, H_DX, rm);
        rm = rm_reg(H_DX);
    }
    if (t->op->reg_general)
        reg = tr_pinned(t, i->reg) != H_NONE ? tr_pinned(t, i->reg) : H_DX;
    else if (row->sel & SEL_DIGIT)
        reg = i->modrm >> 3 & 7;
    as_insn(t->a, pfx, osz, maps[row->map], row->opcode, reg, rm, 0);
    if (t->op->imm8) as8(t->a, (u8)i->imm);
    if (to_general) tr_put(t, i->rm, osz, H_DX);
    if (t->op->reg_general && reg == H_DX) tr_put(t, i->reg, OSZ64, H_DX);
    t->x_loaded |= t->op->x_write;
    t->x_dirty |= t->op->x_write;
    if (t->op->def) {
        t->host = true;
        t->mem = t->of_bad = false;
    }
}
