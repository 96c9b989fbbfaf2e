/* Where the guest's arithmetic flags are: in EFLAGS, in c->jit_flags, or nowhere but in the
 * operands of the instruction that made them, as long as those registers keep their values. In that
 * case the instruction is repeated when somebody wants the flags, which is nearly always a fault or
 * an exit that does not happen: the stub pays instead of the code. */
#include "cpu/jit/translate.h"

#define FLAGS_FIELD jit_field(offsetof(struct cpu, jit_flags))
_Static_assert(offsetof(struct cpu, jit_flags) - JIT_BIAS + 128 < 255 &&
                   offsetof(struct cpu, jit_flags) != JIT_BIAS, "near RBP");

/* ---- which registers an instruction may write ---- */

static u16 writes_one(const struct insn *i)
{
    unsigned o = i->mapop, n = i->modrm >> 3 & 7;
    u16 reg = (u16)BIT(i->reg), rm = (u16)(i->flags & INSN_MEM ? 0 : BIT(i->rm));
    u16 sp = (u16)BIT(RSP);
    if (i->osz == OSZ8 && !(i->flags & INSN_REX)) { /* AH to BH */
        if (i->reg >= 4 && i->reg < 8) reg = (u16)BIT(i->reg - 4);
        if (rm && i->rm >= 4 && i->rm < 8) rm = (u16)BIT(i->rm - 4);
    }
    if (o < 0x40 && (o & 7) < 6) {
        if (o >> 3 == 7) return 0;
        return (o & 7) < 2 ? rm : (o & 7) < 4 ? reg : (u16)BIT(RAX);
    }
    switch (o) {
    case 0x50 ... 0x57:
    case 0x68:
    case 0x6a: return sp;
    case 0x58 ... 0x5f: return (u16)(sp | BIT(i->rm));
    case 0x63:
    case 0x69:
    case 0x6b:
    case 0x8a:
    case 0x8b:
    case 0x8d: return reg;
    case 0x70 ... 0x7f:
    case 0x84:
    case 0x85:
    case 0xa8:
    case 0xa9:
    case 0xe9:
    case 0xeb:
    case 0xa2:
    case 0xa3: return 0;
    case 0x80 ... 0x83: return n == 7 ? 0 : rm;
    case 0x88:
    case 0x89:
    case 0xc0:
    case 0xc1:
    case 0xd0 ... 0xd3:
    case 0xc6:
    case 0xc7: return rm;
    case 0x98:
    case 0xa0:
    case 0xa1: return (u16)BIT(RAX);
    case 0x99: return (u16)BIT(RDX);
    case 0xb8 ... 0xbf: return (u16)BIT(i->rm);
    case 0xf6:
    case 0xf7: return n < 2 ? 0 : n < 4 ? rm : (u16)(BIT(RAX) | BIT(RDX));
    case 0xd8 ... 0xdf: return o == 0xdf && i->modrm == 0xe0 ? (u16)BIT(RAX) : 0;
    case 0xff:
    case 0xfe: return n < 2 ? rm : (u16)0xffff;
    default: return 0xffff;
    }
}

u16 jit_writes(const struct jop *op)
{
    const struct insn *i = &op->i;
    if (op->kind == K_BRANCH && (op->row_flags & OF_COND || op->follow)) return 0;
    if (op->row_flags & OF_STR) return (u16)(BIT(RAX) | BIT(RCX) | BIT(RSI) | BIT(RDI));
    if (op->kind != K_NATIVE) return 0xffff;
    if (op->sse)
        return (u16)(op->reg_general                                            ? BIT(i->reg)
                     : op->rm_general && !(i->flags & INSN_MEM) && !op->x_write ? BIT(i->rm)
                                                                                : 0);
    if (op->x87) {
        bool general = op->rm_general && op->access == SITE_WRITE && !op->mem; /* MOVD r, mm */
        return (u16)(op->x87 & X87_AX ? BIT(RAX) : general ? BIT(i->rm) : 0);
    }
    if (op->map == MAP_0) return writes_one(i);
    if (op->map != MAP_0F) { /* BMI */
        unsigned low = op->map == MAP_V2 && (i->mapop == 0xf3 || i->mapop == 0xf6); /* MULX: both */
        return (u16)(low ? BIT(i->vvvv) | (i->mapop == 0xf6 ? BIT(i->reg) : 0) : BIT(i->reg));
    }
    switch (i->mapop) {
    case 0x40 ... 0x4f:
    case 0xaf:
    case 0xb7:
    case 0xbf:
    case 0xb6:
    case 0xbe: return (u16)BIT(i->reg);
    case 0x18 ... 0x1f: return 0;
    case 0xc8 ... 0xcf: return (u16)BIT(i->rm);
    case 0x90 ... 0x9f:
        if (i->flags & INSN_MEM) return 0;
        return (u16)BIT(i->rm >= 4 && i->rm < 8 && !(i->flags & INSN_REX) ? i->rm - 4 : i->rm);
    default: return 0xffff;
    }
}

/* ---- instructions that can be repeated ---- */

enum { R_NONE, R_CMP, R_TEST, R_ADD, R_SUB, R_LOGIC, R_SHIFT };

/* jit_recipe.src: a register, or H_NONE: the immediate */

static struct jit_recipe arithmetic(unsigned alu, unsigned dst, unsigned src)
{
    static const u8 kinds[8] = { R_ADD, R_LOGIC, R_NONE, R_NONE, R_LOGIC, R_SUB, R_LOGIC, R_CMP };
    struct jit_recipe r = { .kind = kinds[alu], .dst = (u8)dst, .src = (u8)src };
    if (dst == src && r.kind == R_ADD) r.kind = R_NONE;
    if (dst == src && r.kind == R_SUB) r.kind = R_LOGIC; /* 0 */
    return r;
}

bool jit_keeps_source(const struct jop *op)
{
    const struct insn *i = &op->i;
    unsigned o = i->mapop;
    return op->kind == K_NATIVE && op->map == MAP_0 && (o == 0xc1 || o == 0xd1) &&
           !(i->flags & INSN_MEM) && (i->modrm >> 3 & 7) >= 4 && i->osz >= OSZ32 &&
           op->def == F_ALL;
}

static unsigned count_of(const struct insn *i)
{
    return i->mapop == 0xd1 ? 1 : jit_shift_count(i);
}

static struct jit_recipe recipe_of(const struct jop *op)
{
    static const struct jit_recipe none = { .kind = R_NONE };
    const struct insn *i = &op->i;
    unsigned o = i->mapop, n = i->modrm >> 3 & 7;
    bool mem = i->flags & INSN_MEM;
    if (op->kind != K_NATIVE || op->sse || op->def != F_ALL || op->map != MAP_0)
        return none;
    if (i->osz == OSZ8 && !(i->flags & INSN_REX) &&
        ((i->reg >= 4 && i->reg < 8) || (!mem && i->rm >= 4 && i->rm < 8)))
        return none;
    if (o < 0x40 && (o & 7) < 6) {
        if ((o & 7) >= 4) return arithmetic(o >> 3, RAX, H_NONE);
        if (!mem)
            return (o & 7) < 2 ? arithmetic(o >> 3, i->rm, i->reg)
                               : arithmetic(o >> 3, i->reg, i->rm);
        struct jit_recipe r = arithmetic(o >> 3, i->reg, H_NONE);
        return (o & 7) >= 2 && r.kind == R_LOGIC ? r : none;
    }
    if (mem) return none;
    if (jit_keeps_source(op)) return (struct jit_recipe){ .kind = R_SHIFT };
    switch (o) {
    case 0x80 ... 0x83: return arithmetic(n, i->rm, H_NONE);
    case 0x84:
    case 0x85: return (struct jit_recipe){ .kind = R_TEST, .dst = i->rm, .src = i->reg };
    case 0xa8:
    case 0xa9: return (struct jit_recipe){ .kind = R_TEST, .dst = RAX, .src = H_NONE };
    case 0xf6:
    case 0xf7:
        if (n < 2) return (struct jit_recipe){ .kind = R_TEST, .dst = i->rm, .src = H_NONE };
        return none;
    default: return none;
    }
}

/* Notes in the instruction how it is repeated. */
static bool find_recipe(struct jop *op)
{
    struct jit_recipe r = recipe_of(op);
    bool one = r.kind == R_LOGIC || r.src == H_NONE;
    if (r.kind != R_NONE && r.kind != R_SHIFT) r.regs = (u16)(BIT(r.dst) | (one ? 0 : BIT(r.src)));
    op->recipe = r;
    return r.kind != R_NONE;
}

static bool writes_recipe(const struct tr *t)
{
    return t->op->writes & t->ops[t->recipe].recipe.regs;
}

/* op RAX, source */
static void with_source(struct tr *t, const struct insn *i, const struct jit_recipe *r, unsigned alu)
{
    if (r->src == H_NONE)
        as_imm(t->a, i->osz, alu, rm_reg(H_AX), (i32)i->imm);
    else
        as_rm(t->a, i->osz, alu << 3 | 3, H_AX, tr_greg(t, r->src));
}

static void save_all_but_of(struct tr *t)
{
    as_room(t->a);
    as8(t->a, 0x9f);                                                    /* LAHF */
    as8(t->a, 0x88), as8(t->a, 0x65), as8(t->a, (u8)(FLAGS_FIELD + 1)); /* MOV [.. + 1], AH */
}

static void shift_again(struct tr *t, const struct insn *i)
{
    unsigned n = i->modrm >> 3 & 7;
    as_load(t->a, OSZ64, H_AX, CPU_AT(jit_source));
    as_insn(t->a, 0, i->osz, AS_0, 0xc1, n == 6 ? 4 : n, rm_reg(H_AX), 0);
    as8(t->a, count_of(i));
}

/* The flags of the shift that the recipe names, to memory. OF after more than one step is as in
 * shift_flags() of native.c: SHL: CF xor SF; SHR: the bit below the result's top. */
static void shift_to_mem(struct tr *t)
{
    const struct insn *i = &t->ops[t->recipe].i;
    struct as *a = t->a;
    unsigned n = i->modrm >> 3 & 7;
    shift_again(t, i);
    if (n == 7 || count_of(i) == 1) {
        tr_save_flags(t);
    } else if (n == 5) {
        save_all_but_of(t);
        shift_again(t, i);
        as_insn(a, 0, i->osz, AS_0F, 0xba, 4, rm_reg(H_AX), 0); /* BT */
        as8(a, (8u << i->osz) - 2);
        as_insn(a, 0, OSZ8, AS_0F, 0x92, 0, CPU_AT(jit_flags), 0); /* SETC */
    } else {
        save_all_but_of(t);
        as_insn(a, 0, OSZ8, AS_0F, 0x92, 0, CPU_AT(jit_flags), 0);
        as_insn(a, 0, OSZ8, AS_0F, 0x98, 0, rm_reg(H_AX), 0); /* SETS AL */
        as_rm(a, OSZ8, 0x30, H_AX, CPU_AT(jit_flags));        /* XOR */
    }
    t->mem = true;
    t->host = t->of_bad = false;
}

/* Makes EFLAGS by doing the instruction again; changes RAX at most. */
static void repeat(struct tr *t)
{
    const struct jop *op = &t->ops[t->recipe];
    const struct insn *i = &op->i;
    struct jit_recipe r = op->recipe;
    unsigned dst = r.kind == R_SHIFT ? H_AX : tr_pinned(t, r.dst);
    if (dst == H_NONE || r.kind == R_ADD || r.kind == R_SUB) {
        as_load(t->a, OSZ64, H_AX, tr_greg(t, r.dst));
        dst = H_AX;
    }
    switch (r.kind) {
    case R_SHIFT: shift_again(t, i); break; /* by one: OF is right */
    case R_ADD:
    case R_SUB:
        with_source(t, i, &r, r.kind == R_ADD ? 5 : 0);
        with_source(t, i, &r, r.kind == R_ADD ? 0 : 5);
        break;
    case R_LOGIC: as_rm(t->a, i->osz, 0x85, dst, rm_reg(dst)); break;
    case R_CMP:
        if (r.src == H_NONE)
            as_imm(t->a, i->osz, 7, rm_reg(dst), (i32)i->imm);
        else
            as_rm(t->a, i->osz, 0x3b, dst, tr_greg(t, r.src));
        break;
    default: /* R_TEST */
        if (r.src != H_NONE) {
            as_rm(t->a, i->osz, 0x85, dst, tr_greg(t, r.src));
            break;
        }
        as_insn(t->a, 0, i->osz, AS_0, i->osz == OSZ8 ? 0xf6 : 0xf7, 0, rm_reg(dst),
                i->osz == OSZ8 ? AS_BYTE_RM : 0);
        as_value(t->a, i->osz, i->imm);
        break;
    }
    t->host = true;
    t->of_bad = false;
}

/* ---- state ---- */

void tr_save_flags(struct tr *t)
{
    as_room(t->a);
    as_bytes(t->a, 0x65889f | (u64)(u8)(FLAGS_FIELD + 1) << 24, 4); /* LAHF; MOV [.. + 1], AH */
    as_bytes(t->a, 0x45900f | (u64)(u8)FLAGS_FIELD << 24, 4);       /* SETO [..] */
    t->mem = true;
}

/* Only doing it again and working OF out gives the flags. */
static bool long_shift(const struct tr *t)
{
    return t->recipe >= 0 && t->ops[t->recipe].recipe.kind == R_SHIFT &&
           count_of(&t->ops[t->recipe].i) != 1;
}

void tr_restore_flags(struct tr *t)
{
    if (long_shift(t))
        tr_flags_to_mem(t);
    else if (t->recipe >= 0) {
        repeat(t);
        return;
    }
    as_room(t->a);
    as_bytes(t->a, 0x45b60f | (u64)(u8)FLAGS_FIELD << 24, 4); /* MOVZX EAX, byte [..] */
    as_bytes(t->a, 0x658a0124 | (u64)(u8)(FLAGS_FIELD + 1) << 32, 5);  /* AND AL, 1; MOV AH, [.. + 1] */
    as_bytes(t->a, 0x9e7f04, 3);                                       /* ADD AL, 7Fh: OF; SAHF */
    t->host = true;
    t->of_bad = false;
}

void tr_flags_to_mem(struct tr *t)
{
    if (t->mem) return;
    if (long_shift(t)) {
        shift_to_mem(t);
        return;
    }
    if (!t->host) repeat(t);
    tr_save_flags(t);
}

bool tr_host_has(const struct tr *t, unsigned flags)
{
    return t->host && !(t->of_bad && (flags & F_O));
}

/* Flags that must be behind the instruction what they were before it. */
static unsigned passed_on(const struct jop *op)
{
    return op->live_out & (op->def ? op->keep | (F_ALL & ~op->def) : F_ALL);
}

/* The instruction overwrites what the recipe needs, and the flags are wanted behind it. */
static bool recipe_ends(const struct tr *t)
{
    return t->recipe >= 0 && passed_on(t->op) && writes_recipe(t);
}

void tr_clobber(struct tr *t, unsigned live)
{
    if (live && !t->mem && (t->recipe < 0 || recipe_ends(t))) tr_flags_to_mem(t);
    t->host = false;
}

void tr_flags_before(struct tr *t)
{
    if (!t->mem && !t->host && recipe_ends(t)) tr_flags_to_mem(t);
}

void tr_flags_after(struct tr *t)
{
    if (t->op->def)
        t->recipe = find_recipe(t->op) ? (int)t->k : -1;
    else if (t->recipe >= 0 && writes_recipe(t))
        t->recipe = -1;
}
