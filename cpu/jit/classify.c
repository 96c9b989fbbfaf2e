/* What the translator must know about an instruction before it writes code: whether it has a
 * native form, which arithmetic flags it defines and needs, whether it touches memory. What is not
 * listed here runs through the interpreter's handler, or ends the superblock when it may change
 * the mode, the mapping or the flow.
 * Flags: SDM 1 appendix A. */
#include "cpu/jit/priv.h"

static const u8 condition_flags[8] = { F_O, F_C, F_Z,       F_C | F_Z,
                                       F_S, F_P, F_S | F_O, F_Z | F_S | F_O };

static void set_flags(struct jop *op, unsigned def, unsigned use)
{
    op->def = (u8)def;
    op->use = (u8)use;
}

/* AH to BH */
static bool high_byte(const struct insn *i, unsigned reg)
{
    return !(i->flags & INSN_REX) && reg >= 4 && reg < 8;
}

/* How an instruction uses a byte register. */
enum { UNUSED, READ, WRITTEN };

/* Notes which operands are high bytes: native.c puts them into low bytes for the time. */
static bool byte_regs(struct jop *op, unsigned reg, unsigned rm)
{
    const struct insn *i = &op->i;
    if (i->osz != OSZ8) return true;
    if (reg && high_byte(i, i->reg))
        op->high |= HIGH_REG | (reg == WRITTEN ? HIGH_REG_WRITTEN : 0);
    if (rm && !(i->flags & INSN_MEM) && high_byte(i, i->rm))
        op->high |= HIGH_RM | (rm == WRITTEN ? HIGH_RM_WRITTEN : 0);
    return true;
}

static bool no_high_byte(struct jop *op, unsigned reg, unsigned rm)
{
    byte_regs(op, reg, rm);
    return !op->high;
}

unsigned jit_shift_count(const struct insn *i)
{
    return (unsigned)i->imm & (i->osz == OSZ64 ? 63 : 31);
}

/* ROL to SAR by 1, imm8 or CL. */
static bool classify_shift(struct jop *op)
{
    const struct insn *i = &op->i;
    unsigned n = i->modrm >> 3 & 7;
    bool rotate = n < 4, by_cl = i->mapop >= 0xd2;
    if (i->mapop < 0xd0 && !jit_shift_count(i))
        return true; /* changes nothing but the upper half */
    set_flags(op, rotate ? F_C | F_O : F_ALL, n == 2 || n == 3 ? F_C : 0);
    if (by_cl) op->keep = F_ALL;
    if (n == 2 || n == 3) { /* a full turn of 9 or 17 bits changes no flag */
        unsigned bits = 8u << i->osz;
        if (bits < 32 && (by_cl || (i->mapop < 0xd0 && jit_shift_count(i) % (bits + 1) == 0)))
            return false;
    }
    return no_high_byte(op, UNUSED, WRITTEN);
}

static bool classify_group3(struct jop *op)
{
    const struct insn *i = &op->i;
    switch (i->modrm >> 3 & 7) {
    case 0:
    case 1:
    case 4:
    case 5: set_flags(op, F_ALL, 0); return byte_regs(op, UNUSED, READ);
    case 2: return byte_regs(op, UNUSED, WRITTEN);
    case 3: set_flags(op, F_ALL, 0); return byte_regs(op, UNUSED, WRITTEN);
    default: /* DIV, IDIV */
        op->own = op->exits = op->once = true;
        return no_high_byte(op, UNUSED, READ);
    }
}

static bool stack_size_ok(const struct insn *i, unsigned mode)
{
    return i->osz == (mode == BITS64 ? OSZ64 : OSZ32);
}

static bool native_group5(struct jop *op, unsigned mode)
{
    const struct insn *i = &op->i;
    switch (i->modrm >> 3 & 7) {
    case 0:
    case 1: set_flags(op, F_ALL & ~F_C, 0); return true;
    case 2:
    case 4: op->kind = K_BRANCH; return stack_size_ok(i, mode);
    case 6: op->push = op->once = i->flags & INSN_MEM; return stack_size_ok(i, mode);
    default: return false;
    }
}

static bool native_one(struct jop *op, unsigned mode)
{
    const struct insn *i = &op->i;
    unsigned o = i->mapop;
    if (o < 0x40 && (o & 7) < 6) {
        unsigned alu = o >> 3, form = o & 7, result = alu == 7 ? READ : WRITTEN;
        set_flags(op, F_ALL, alu == 2 || alu == 3 ? F_C : 0);
        return form >= 4 || byte_regs(op, form < 2 ? READ : result, form < 2 ? result : READ);
    }
    switch (o) {
    case 0x40 ... 0x4f: set_flags(op, F_ALL & ~F_C, 0); return mode == BITS32;
    case 0x50 ... 0x5f:
    case 0x68:
    case 0x6a: return stack_size_ok(i, mode);
    case 0x63: return mode == BITS64;
    case 0x69:
    case 0x6b: set_flags(op, F_ALL, 0); return true;
    case 0x70 ... 0x7f:
        op->kind = K_BRANCH;
        op->use = condition_flags[o >> 1 & 7];
        return i->osz != OSZ16;
    case 0x80:
    case 0x81:
    case 0x82:
    case 0x83: {
        unsigned alu = i->modrm >> 3 & 7;
        set_flags(op, F_ALL, alu == 2 || alu == 3 ? F_C : 0);
        return byte_regs(op, UNUSED, alu == 7 ? READ : WRITTEN);
    }
    case 0x84:
    case 0x85: set_flags(op, F_ALL, 0); return byte_regs(op, READ, READ);
    case 0x86:
    case 0x87: byte_regs(op, WRITTEN, WRITTEN); return !op->high || (i->flags & INSN_MEM);
    case 0x88:
    case 0x89: return byte_regs(op, READ, WRITTEN);
    case 0x8a:
    case 0x8b: return byte_regs(op, WRITTEN, READ);
    case 0x8d: return i->asz != ASZ16;
    case 0x90 ... 0x97: return true; /* F3 90 is PAUSE */
    case 0x98:
    case 0x99: return true;
    case 0xa0 ... 0xa3: return true;
    case 0xa8:
    case 0xa9: set_flags(op, F_ALL, 0); return true;
    case 0x9c: return stack_size_ok(i, mode);
    case 0x9e: set_flags(op, F_ALL & ~F_O, 0); return op->own = true;
    case 0x9f: set_flags(op, 0, F_ALL & ~F_O); return op->own = true;
    case 0xb0 ... 0xb7: return byte_regs(op, UNUSED, WRITTEN);
    case 0xb8 ... 0xbf: return true;
    case 0xc0:
    case 0xc1:
    case 0xd0 ... 0xd3: return classify_shift(op);
    case 0xc2:
    case 0xc3:
    case 0xe8: op->kind = K_BRANCH; return stack_size_ok(i, mode);
    case 0xe9:
    case 0xeb: op->kind = K_BRANCH; return i->osz != OSZ16;
    case 0xc6:
    case 0xc7: return byte_regs(op, UNUSED, WRITTEN);
    case 0xc9: return stack_size_ok(i, mode);
    case 0xf5: set_flags(op, F_C, F_C); return true;
    case 0xf8:
    case 0xf9: set_flags(op, F_C, 0); return true;
    case 0xf6:
    case 0xf7: return classify_group3(op);
    case 0xfc:
    case 0xfd: return op->own = true;
    case 0xfe: set_flags(op, F_ALL & ~F_C, 0); return byte_regs(op, UNUSED, WRITTEN);
    case 0xff: return native_group5(op, mode);
    default: return false;
    }
}

/* BSF, BSR, TZCNT, LZCNT, POPCNT */
static bool classify_scan(struct jop *op, const struct op_row *row)
{
    op->own = true;
    switch (row->feature) {
    case FT_BMI1: set_flags(op, F_ALL, 0); return __builtin_cpu_supports("bmi");
    case FT_LZCNT: set_flags(op, F_ALL, 0); return __builtin_cpu_supports("lzcnt");
    case FT_POPCNT: set_flags(op, F_ALL, 0); return __builtin_cpu_supports("popcnt");
    default: set_flags(op, F_Z, 0); return true;
    }
}

static bool native_two(struct jop *op)
{
    const struct insn *i = &op->i;
    unsigned o = i->mapop;
    const struct op_row *row = &op_rows[i->op];
    switch (o) {
    case 0x0d:
    case 0x18 ... 0x1f: return row->fn[0] == op_nop;
    case 0x20: /* from CR0, CR2, CR3, CR4 */
        op->own = op->exits = true;
        return !(i->flags & INSN_LOCK) && (i->reg == 0 || (i->reg >= 2 && i->reg <= 4));
    case 0x40 ... 0x4f: op->use = condition_flags[o >> 1 & 7]; return true;
    case 0x80 ... 0x8f:
        op->kind = K_BRANCH;
        op->use = condition_flags[o >> 1 & 7];
        return i->osz != OSZ16;
    case 0x90 ... 0x9f: op->use = condition_flags[o >> 1 & 7]; return byte_regs(op, UNUSED, WRITTEN);
    case 0xa3:
    case 0xab:
    case 0xb3:
    case 0xbb:
        set_flags(op, F_C, 0);
        op->bit_string = i->flags & INSN_MEM;
        return true;
    case 0xba: set_flags(op, F_C, 0); return true;
    case 0xa4:
    case 0xac:
        set_flags(op, F_ALL, 0);
        op->own = true;
        return i->osz >= OSZ32 && jit_shift_count(i);
    case 0xa5:
    case 0xad:
        set_flags(op, F_ALL, 0);
        op->keep = F_ALL;
        op->own = true;
        return i->osz >= OSZ32;
    case 0xae: return row->fn[0] == op_nop; /* fences */
    case 0xaf: set_flags(op, F_ALL, 0); return true;
    case 0xb0:
    case 0xb1:
    case 0xc0:
    case 0xc1: /* CMPXCHG, XADD */
        set_flags(op, F_ALL, 0);
        op->own = true;
        return (i->flags & INSN_MEM) && no_high_byte(op, READ, UNUSED);
    case 0xb8:
    case 0xbc:
    case 0xbd: return classify_scan(op, row);
    case 0xc3: return true;
    case 0xc7:
        set_flags(op, F_Z, 0);
        op->own = true;
        op->aligned = i->osz == OSZ64;
        return row->fn[4] == op_cmpxchg8b;
    case 0xb6:
    case 0xbe:
        if (!(i->flags & INSN_MEM) && high_byte(i, i->rm)) op->high = HIGH_RM;
        return true;
    case 0xb7:
    case 0xbf: return true;
    case 0xc8 ... 0xcf: return i->osz != OSZ16;
    default: return false;
    }
}

/* BMI1 and BMI2. In 32-bit code they are handlers: that could be real mode, where they are #UD. */
static bool native_vex(struct jop *op, const struct op_row *row, unsigned mode)
{
    if (mode != BITS64 || (row->map != MAP_V2 && row->map != MAP_V3)) return false;
    if (row->feature == FT_BMI1)
        set_flags(op, F_ALL, 0);
    else if (row->feature != FT_BMI2)
        return false;
    if (row->opcode == 0xf5 && row->prefix == PF_NP) set_flags(op, F_ALL, 0); /* BZHI */
    return row->feature == FT_BMI2 || __builtin_cpu_supports("bmi");
}

/* Which of the generated forms an operand in memory may have. */
static bool address_ok(const struct insn *i, unsigned mode)
{
    if (mode == BITS64) return true;
    return i->asz == ASZ32 && i->seg != SEG_CS;
}

static bool has_memory(const struct jop *op)
{
    const struct insn *i = &op->i;
    unsigned o = i->mapop;
    if (op->map == MAP_0) {
        if (o == 0x8d) return false;
        if ((o >= 0x50 && o <= 0x5f) || o == 0x68 || o == 0x6a || o == 0x9c || (o >= 0xa0 && o <= 0xa3))
            return true;
        if (o == 0xc2 || o == 0xc3 || o == 0xe8 || o == 0xc9) return true;
        if (o == 0xff && ((i->modrm >> 3 & 7) == 2 || (i->modrm >> 3 & 7) == 6)) return true;
        if (o < 0x40 && (o & 7) >= 4) return false;
    } else if (op_rows[i->op].fn[0] == op_nop)
        return false;
    return i->flags & INSN_MEM;
}

/* Size in bytes and kind of the access to memory. */
static unsigned access_of(const struct jop *op, u8 *size)
{
    const struct insn *i = &op->i;
    unsigned o = i->mapop, n = i->modrm >> 3 & 7;
    *size = (u8)(1u << i->osz);
    if (op->map == MAP_0F) {
        switch (o) {
        case 0x40 ... 0x4f:
        case 0xaf: return SITE_READ;
        case 0x90 ... 0x9f: *size = 1; return SITE_WRITE;
        case 0xb6:
        case 0xbe: *size = 1; return SITE_READ;
        case 0xb7:
        case 0xbf: *size = 2; return SITE_READ;
        case 0xa3:
        case 0xb8:
        case 0xbc:
        case 0xbd: return SITE_READ;
        case 0xc3: return SITE_WRITE;
        case 0xc7: *size = (u8)(2u << i->osz); return SITE_RMW;
        case 0xba: return n == 4 ? SITE_READ : SITE_RMW;
        default: return SITE_RMW;
        }
    }
    if (op->map != MAP_0) return SITE_READ;
    switch (o) {
    case 0x00 ... 0x3f: return (o & 7) < 2 && o >> 3 != 7 ? SITE_RMW : SITE_READ;
    case 0x50 ... 0x57:
    case 0x68:
    case 0x6a:
    case 0x9c:
    case 0xe8:
    case 0xa2:
    case 0xa3:
    case 0x88:
    case 0x89:
    case 0xc6:
    case 0xc7: return SITE_WRITE;
    case 0x63: *size = 4; return SITE_READ;
    case 0x80 ... 0x83: return n == 7 ? SITE_READ : SITE_RMW;
    case 0x86:
    case 0x87:
    case 0xc0:
    case 0xc1:
    case 0xd0 ... 0xd3:
    case 0xfe: return SITE_RMW;
    case 0xf6:
    case 0xf7: return n == 2 || n == 3 ? SITE_RMW : SITE_READ;
    case 0xff: return n < 2 ? SITE_RMW : n == 6 && !(i->flags & INSN_MEM) ? SITE_WRITE : SITE_READ;
    default: return SITE_READ;
    }
}

void jit_classify(struct jop *op, unsigned mode)
{
    const struct insn *i = &op->i;
    op->kind = K_STOP;
    if (i->op == OP_UD_ROW || i->fn == op_ud) return;
    const struct op_row *row = &op_rows[i->op];
    op->map = row->map;
    op->row_flags = row->flags;
    bool near = !(i->flags & INSN_ENDS) || (row->flags & (OF_F64 | OF_STR));
    if (!near && (i->fn == op_cli || i->fn == op_swapgs)) {
        op->kind = K_NATIVE;
        op->own = op->exits = true;
        return;
    }
    if (!near) {
        op->kind = (u8)jit_classify_system(i);
        op->exits = true;
        set_flags(op, F_ALL, F_ALL);
        return;
    }
    op->kind = K_NATIVE;
    bool native = row->map == MAP_0    ? native_one(op, mode)
                  : row->map == MAP_0F ? native_two(op)
                                       : native_vex(op, row, mode);
    if (native && (i->flags & INSN_MEM) && !address_ok(i, mode) && has_memory(op)) native = false;
    if (native && i->mapop >= 0xa0 && i->mapop <= 0xa3 && row->map == MAP_0 && !address_ok(i, mode))
        native = false;
    if (native) {
        op->mem = has_memory(op);
        op->exits |= op->mem;
        op->access = (u8)access_of(op, &op->size);
        return;
    }
    set_flags(op, 0, 0);
    op->keep = op->high = 0;
    op->own = op->push = op->exits = op->aligned = op->bit_string = op->once = false;
    op->kind = K_NATIVE;
    if (jit_classify_sse(op, mode) || jit_classify_x87(op, mode)) return;
    bool system = false;
    static const char *const state[] = { "ldmxcsr", "stmxcsr", "fxsave",   "fxrstor",
                                         "xsave",   "xrstor",  "vldmxcsr", "vstmxcsr" };
    for (unsigned k = 0; k < LEN(state); k++) {
        /* they see or set what generated code keeps for itself */
        if (!strncmp(row->name, state[k], strlen(state[k]))) system = true;
    }
    op->kind = system || (row->flags & OF_F64) ? K_SYSTEM : K_HANDLER; /* LOOP, JRCXZ ... */
    op->mem = false;
    op->exits = true;
    op->keep = 0;
    if ((row->flags & OF_STR) && (i->mapop | 9) != 0xaf) return; /* strings that do not compare */
    set_flags(op, F_ALL, F_ALL);
}
