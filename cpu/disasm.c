/* The disassembler: prints what decode.c decoded, in Intel syntax, with names and operand kinds of
 * the opcode table. Used by the monitor, the post-mortem and tests. Numbers are hexadecimal; branch
 * targets are absolute; bytes that are no instruction print as "(bad)". */
#include "cpu/decode.h"

struct printer {
    struct text *t;
    const struct insn *i;
    const struct op_row *row;
    unsigned bits; /* 16, 32, 64 */
    u64 next;      /* address of the following instruction */
};

/* What an operand kind is made of. size: 1..32 bytes, or one of the codes. */
enum {
    CLASS_NONE,
    CLASS_RM,
    CLASS_REG,
    CLASS_RM_REG,
    CLASS_VVVV,
    CLASS_MEM,
    CLASS_IMM,
    CLASS_REL,
    CLASS_FAR,
    CLASS_OFFSET,
    CLASS_OPREG,
    CLASS_FIXED,
    CLASS_SEG,
    CLASS_CR,
    CLASS_DR,
    CLASS_STRING_SRC,
    CLASS_STRING_DST,
    CLASS_XLAT,
    CLASS_STI,
    CLASS_MM_REG,
    CLASS_MM_RM,
    CLASS_XMM_REG,
    CLASS_XMM_RM,
    CLASS_XMM_VVVV,
    CLASS_XMM_IS4
};
enum {
    SIZE_NONE = 0,
    SIZE_OSZ = 64,
    SIZE_W,
    SIZE_OSZ_OR_WORD,
    SIZE_NATURAL,
    SIZE_Z,
    SIZE_VEX,
    SIZE_PAIR,
    SIZE_FAR
};

struct kind {
    u8 class, size;     /* register size */
    u8 mem_size;        /* size as memory when it differs, 0: same */
    const char *fixed;  /* CLASS_FIXED */
};

static const struct kind kinds[OK_COUNT] = {
    [OK_Eb] = { CLASS_RM, 1, 0, NULL },
    [OK_Ew] = { CLASS_RM, 2, 0, NULL },
    [OK_Ed] = { CLASS_RM, 4, 0, NULL },
    [OK_Eq] = { CLASS_RM, 8, 0, NULL },
    [OK_Ev] = { CLASS_RM, SIZE_OSZ, 0, NULL },
    [OK_Ey] = { CLASS_RM, SIZE_W, 0, NULL },
    [OK_Ez] = { CLASS_RM, SIZE_Z, 0, NULL },
    [OK_Evw] = { CLASS_RM, SIZE_OSZ, 2, NULL },
    [OK_Edb] = { CLASS_RM, 4, 1, NULL },
    [OK_Edw] = { CLASS_RM, 4, 2, NULL },
    [OK_Gb] = { CLASS_REG, 1, 0, NULL },
    [OK_Gw] = { CLASS_REG, 2, 0, NULL },
    [OK_Gd] = { CLASS_REG, 4, 0, NULL },
    [OK_Gq] = { CLASS_REG, 8, 0, NULL },
    [OK_Gv] = { CLASS_REG, SIZE_OSZ, 0, NULL },
    [OK_Gy] = { CLASS_REG, SIZE_W, 0, NULL },
    [OK_Gz] = { CLASS_REG, SIZE_Z, 0, NULL },
    [OK_Gm] = { CLASS_REG, SIZE_NATURAL, 0, NULL },
    [OK_Rm] = { CLASS_RM_REG, SIZE_NATURAL, 0, NULL },
    [OK_Rv] = { CLASS_RM_REG, SIZE_OSZ, 0, NULL },
    [OK_Ry] = { CLASS_RM_REG, SIZE_W, 0, NULL },
    [OK_By] = { CLASS_VVVV, SIZE_W, 0, NULL },
    [OK_M] = { CLASS_MEM, SIZE_NONE, 0, NULL },
    [OK_Mb] = { CLASS_MEM, 1, 0, NULL },
    [OK_Mw] = { CLASS_MEM, 2, 0, NULL },
    [OK_Md] = { CLASS_MEM, 4, 0, NULL },
    [OK_Mq] = { CLASS_MEM, 8, 0, NULL },
    [OK_Mdq] = { CLASS_MEM, 16, 0, NULL },
    [OK_Mqq] = { CLASS_MEM, 32, 0, NULL },
    [OK_Mv] = { CLASS_MEM, SIZE_OSZ, 0, NULL },
    [OK_My] = { CLASS_MEM, SIZE_W, 0, NULL },
    [OK_Ma] = { CLASS_MEM, SIZE_PAIR, 0, NULL },
    [OK_Mp] = { CLASS_MEM, SIZE_FAR, 0, NULL },
    [OK_Ms] = { CLASS_MEM, SIZE_NONE, 0, NULL },
    [OK_Mt] = { CLASS_MEM, 10, 0, NULL },
    [OK_Menv] = { CLASS_MEM, SIZE_NONE, 0, NULL },
    [OK_Ib] = { CLASS_IMM, 1, 0, NULL },
    [OK_Ibs] = { CLASS_IMM, SIZE_OSZ, 0, NULL },
    [OK_Iw] = { CLASS_IMM, 2, 0, NULL },
    [OK_Iz] = { CLASS_IMM, SIZE_OSZ, 0, NULL },
    [OK_Iv] = { CLASS_IMM, SIZE_OSZ, 0, NULL },
    [OK_Iw2] = { CLASS_IMM, 2, 1, NULL },
    [OK_Ib2] = { CLASS_IMM, 1, 1, NULL }, /* mem_size 1: the second immediate */
    [OK_Jb] = { CLASS_REL, 0, 0, NULL },
    [OK_Jz] = { CLASS_REL, 0, 0, NULL },
    [OK_Ap] = { CLASS_FAR, 0, 0, NULL },
    [OK_Ob] = { CLASS_OFFSET, 1, 0, NULL },
    [OK_Ov] = { CLASS_OFFSET, SIZE_OSZ, 0, NULL },
    [OK_Zb] = { CLASS_OPREG, 1, 0, NULL },
    [OK_Zv] = { CLASS_OPREG, SIZE_OSZ, 0, NULL },
    [OK_AL] = { CLASS_FIXED, 0, 0, "al" },
    [OK_AX] = { CLASS_FIXED, 0, 0, "ax" },
    [OK_CL] = { CLASS_FIXED, 0, 0, "cl" },
    [OK_DX] = { CLASS_FIXED, 0, 0, "dx" },
    [OK_One] = { CLASS_FIXED, 0, 0, "1" },
    [OK_XMM0] = { CLASS_FIXED, 0, 0, "xmm0" },
    [OK_eAX] = { CLASS_FIXED, SIZE_Z, 0, NULL },
    [OK_rAX] = { CLASS_FIXED, SIZE_OSZ, 0, NULL },
    [OK_sES] = { CLASS_FIXED, 0, 0, "es" },
    [OK_sCS] = { CLASS_FIXED, 0, 0, "cs" },
    [OK_sSS] = { CLASS_FIXED, 0, 0, "ss" },
    [OK_sDS] = { CLASS_FIXED, 0, 0, "ds" },
    [OK_sFS] = { CLASS_FIXED, 0, 0, "fs" },
    [OK_sGS] = { CLASS_FIXED, 0, 0, "gs" },
    [OK_Sw] = { CLASS_SEG, 0, 0, NULL },
    [OK_Cr] = { CLASS_CR, 0, 0, NULL },
    [OK_Dr] = { CLASS_DR, 0, 0, NULL },
    [OK_Xb] = { CLASS_STRING_SRC, 1, 0, NULL },
    [OK_Xv] = { CLASS_STRING_SRC, SIZE_OSZ, 0, NULL },
    [OK_Xz] = { CLASS_STRING_SRC, SIZE_Z, 0, NULL },
    [OK_Yb] = { CLASS_STRING_DST, 1, 0, NULL },
    [OK_Yv] = { CLASS_STRING_DST, SIZE_OSZ, 0, NULL },
    [OK_Yz] = { CLASS_STRING_DST, SIZE_Z, 0, NULL },
    [OK_XlatB] = { CLASS_XLAT, 1, 0, NULL },
    [OK_ST0] = { CLASS_FIXED, 0, 0, "st0" },
    [OK_STi] = { CLASS_STI, 0, 0, NULL },
    [OK_P] = { CLASS_MM_REG, 0, 0, NULL },
    [OK_Q] = { CLASS_MM_RM, 8, 8, NULL },
    [OK_Qd] = { CLASS_MM_RM, 8, 4, NULL },
    [OK_V] = { CLASS_XMM_REG, SIZE_VEX, 0, NULL },
    [OK_Vo] = { CLASS_XMM_REG, 16, 0, NULL },
    [OK_W] = { CLASS_XMM_RM, SIZE_VEX, 0, NULL },
    [OK_Wb] = { CLASS_XMM_RM, 16, 1, NULL },
    [OK_Ww] = { CLASS_XMM_RM, 16, 2, NULL },
    [OK_Wd] = { CLASS_XMM_RM, 16, 4, NULL },
    [OK_Wq] = { CLASS_XMM_RM, 16, 8, NULL },
    [OK_Wo] = { CLASS_XMM_RM, 16, 16, NULL },
    [OK_H] = { CLASS_XMM_VVVV, SIZE_VEX, 0, NULL },
    [OK_Ho] = { CLASS_XMM_VVVV, 16, 0, NULL },
    [OK_L] = { CLASS_XMM_IS4, SIZE_VEX, 0, NULL },
    [OK_Lo] = { CLASS_XMM_IS4, 16, 0, NULL },
    [OK_VMd] = { CLASS_MEM, 4, 0, NULL },
    [OK_VMq] = { CLASS_MEM, 8, 0, NULL },
};

static const char *const seg_names[] = { "es", "cs", "ss", "ds", "fs", "gs", "?", "?" };

/* Size code to bytes. */
static unsigned bytes_of(const struct printer *p, unsigned size)
{
    unsigned osz = 1u << p->i->osz;
    switch (size) {
    case SIZE_OSZ: return osz;
    case SIZE_W: return p->i->flags & INSN_REXW && p->bits == 64 ? 8 : 4;
    case SIZE_NATURAL: return p->bits == 64 ? 8 : 4;
    case SIZE_Z: return MIN(osz, 4);
    case SIZE_VEX: return p->i->vl ? 32 : 16;
    case SIZE_PAIR: return osz * 2;
    case SIZE_FAR: return 0;
    default: return size;
    }
}

static void print_reg(struct printer *p, unsigned n, unsigned bytes)
{
    static const char *const r8[] = { "al", "cl", "dl", "bl", "ah", "ch", "dh", "bh" };
    static const char *const low8[] = { "al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil" };
    static const char *const r16[] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
    if (n >= 8) {
        text_add(p->t, "r%u%s", n, bytes == 1 ? "b" : bytes == 2 ? "w" : bytes == 4 ? "d" : "");
    } else if (bytes == 1) {
        text_add(p->t, "%s", p->i->flags & INSN_REX ? low8[n] : r8[n]);
    } else {
        text_add(p->t, "%s%s", bytes == 4 ? "e" : bytes == 8 ? "r" : "", r16[n]);
    }
}

static const char *size_word(unsigned bytes)
{
    switch (bytes) {
    case 1: return "byte ";
    case 2: return "word ";
    case 4: return "dword ";
    case 8: return "qword ";
    case 10: return "tword ";
    case 16: return "oword ";
    case 32: return "yword ";
    default: return "";
    }
}

static void print_hex(struct printer *p, u64 v)
{
    text_add(p->t, "0x%llx", (unsigned long long)v);
}

static void print_vector(struct printer *p, unsigned n, unsigned bytes)
{
    text_add(p->t, "%s%u", bytes == 32 ? "ymm" : "xmm", n);
}

/* Index register; of a gather a vector as long as its elements' indices: doublewords (even opcodes) for quadword
 * elements take half of VEX.L. */
static void print_index(struct printer *p, unsigned asz)
{
    const struct insn *i = p->i;
    bool half = !(i->mapop & 1) && (i->flags & INSN_REXW);
    if (p->row->flags & OF_VSIB) print_vector(p, i->index, i->vl && !half ? 32 : 16);
    else print_reg(p, i->index, asz);
}

static void print_address(struct printer *p)
{
    const struct insn *i = p->i;
    unsigned asz = i->asz == ASZ64 ? 8 : i->asz == ASZ32 ? 4 : 2;
    bool some = false;
    text_add(p->t, "[");
    if (i->flags & INSN_SEGOVR) text_add(p->t, "%s:", seg_names[i->seg & 7]);
    if (i->base == REG_RIP) {
        print_hex(p, (p->next + (u64)(i64)i->disp) & mask_n(asz));
        text_add(p->t, "]");
        return;
    }
    if (i->base != REG_ZERO) {
        print_reg(p, i->base, asz);
        some = true;
    }
    if (i->index != REG_ZERO) {
        if (some) text_add(p->t, "+");
        print_index(p, asz);
        if (i->scale) text_add(p->t, "*%u", 1u << i->scale);
        some = true;
    }
    if (!some) print_hex(p, (u64)(i64)i->disp & mask_n(asz));
    else if (i->disp < 0) text_add(p->t, "-0x%x", 0u - (u32)i->disp);
    else if (i->disp) text_add(p->t, "+0x%x", (u32)i->disp);
    text_add(p->t, "]");
}

static void print_memory(struct printer *p, const struct kind *k)
{
    unsigned bytes = bytes_of(p, k->class != CLASS_MEM && k->mem_size ? k->mem_size : k->size);
    text_add(p->t, "%s", k->size == SIZE_FAR ? "far " : size_word(bytes));
    print_address(p);
}

static void print_string_operand(struct printer *p, const struct kind *k)
{
    bool src = k->class == CLASS_STRING_SRC;
    text_add(p->t, "%s[%s:", size_word(bytes_of(p, k->size)),
             src ? seg_names[p->i->seg & 7] : "es");
    print_reg(p, src ? RSI : RDI, p->i->asz == ASZ64 ? 8 : p->i->asz == ASZ32 ? 4 : 2);
    text_add(p->t, "]");
}

static void print_immediate(struct printer *p, const struct kind *k)
{
    bool second = k->mem_size == 1;
    unsigned bytes = bytes_of(p, k->size);
    u64 v = second ? p->i->imm2 : p->i->imm;
    print_hex(p, v & mask_n(bytes));
}

static void print_special(struct printer *p, const struct kind *k)
{
    const struct insn *i = p->i;
    switch (k->class) {
    case CLASS_REL:
        print_hex(p, (p->next + i->imm) & mask_n(p->bits == 64 ? 8 : i->osz == OSZ16 ? 2 : 4));
        break;
    case CLASS_FAR: text_add(p->t, "0x%x:0x%llx", i->imm2, (unsigned long long)i->imm); break;
    case CLASS_OFFSET:
        text_add(p->t, "%s[", size_word(bytes_of(p, k->size)));
        if (i->flags & INSN_SEGOVR) text_add(p->t, "%s:", seg_names[i->seg & 7]);
        text_add(p->t, "0x%llx]", (unsigned long long)i->imm);
        break;
    case CLASS_FIXED:
        if (k->fixed) text_add(p->t, "%s", k->fixed);
        else print_reg(p, RAX, bytes_of(p, k->size));
        break;
    case CLASS_SEG: text_add(p->t, "%s", seg_names[i->reg & 7]); break;
    case CLASS_CR: text_add(p->t, "cr%u", i->reg); break;
    case CLASS_DR: text_add(p->t, "dr%u", i->reg); break;
    case CLASS_STI: text_add(p->t, "st%u", i->modrm & 7); break;
    case CLASS_MM_REG: text_add(p->t, "mm%u", i->reg & 7); break;
    case CLASS_XLAT:
        text_add(p->t, "byte [%s:%s+al]", seg_names[i->seg & 7],
                 i->asz == ASZ64   ? "rbx"
                 : i->asz == ASZ32 ? "ebx"
                                   : "bx");
        break;
    default: break;
    }
}

static void print_operand(struct printer *p, const struct kind *k)
{
    const struct insn *i = p->i;
    bool mem = i->flags & INSN_MEM;
    switch (k->class) {
    case CLASS_RM:
        if (mem) print_memory(p, k);
        else print_reg(p, i->rm, bytes_of(p, k->size));
        break;
    case CLASS_REG: print_reg(p, i->reg, bytes_of(p, k->size)); break;
    case CLASS_RM_REG: case CLASS_OPREG: print_reg(p, i->rm, bytes_of(p, k->size)); break;
    case CLASS_VVVV: print_reg(p, i->vvvv, bytes_of(p, k->size)); break;
    case CLASS_MEM: print_memory(p, k); break;
    case CLASS_IMM: print_immediate(p, k); break;
    case CLASS_STRING_SRC: case CLASS_STRING_DST: print_string_operand(p, k); break;
    case CLASS_MM_RM:
        if (mem) print_memory(p, k);
        else text_add(p->t, "mm%u", i->rm & 7);
        break;
    case CLASS_XMM_REG: print_vector(p, i->reg, bytes_of(p, k->size)); break;
    case CLASS_XMM_RM:
        if (mem) print_memory(p, k);
        else print_vector(p, i->rm, bytes_of(p, k->size));
        break;
    case CLASS_XMM_VVVV: print_vector(p, i->vvvv, bytes_of(p, k->size)); break;
    case CLASS_XMM_IS4:
        print_vector(p, i->imm >> 4 & (p->bits == 64 ? 15 : 7), bytes_of(p, k->size));
        break;
    default: print_special(p, k); break;
    }
}

/* "cbw|cwde|cdqe": the part for operand size 16, 32 or 64; JrCXZ goes by address size. */
static void print_mnemonic(struct printer *p)
{
    const char *s = p->row->name;
    unsigned part = p->i->osz > OSZ16 ? p->i->osz - 1u : 0;
    if (!strcmp(s, "jrcxz")) {
        s = "jcxz|jecxz|jrcxz";
        part = p->i->asz - 1u;
    }
    for (const char *bar; part && (bar = strchr(s, '|')); part--) s = bar + 1;
    text_addn(p->t, s, strcspn(s, "|"));
}

static void print_insn(struct printer *p)
{
    const struct insn *i = p->i;
    if (i->op == OP_UD_ROW) {
        text_add(p->t, "(bad)");
        return;
    }
    p->row = &op_rows[i->op];
    if (i->flags & INSN_LOCK) text_add(p->t, "lock ");
    bool compares = (p->row->opcode & ~9u) == 0xa6; /* A6 A7 AE AF: CMPS, SCAS */
    if (i->rep && (p->row->flags & OF_STR))
        text_add(p->t, "%s ", i->rep == 0xf2 ? "repne" : compares ? "repe" : "rep");
    if (p->row->map == MAP_0 && (i->mapop & 0xf8) == 0x90) { /* XCHG with rAX, unless both are rAX */
        if (i->rm == RAX) {
            text_add(p->t, i->rep == 0xf3 ? "pause" : "nop");
        } else {
            text_add(p->t, "xchg ");
            print_reg(p, i->rm, bytes_of(p, SIZE_OSZ));
            text_add(p->t, ", ");
            print_reg(p, RAX, bytes_of(p, SIZE_OSZ));
        }
        return;
    }
    print_mnemonic(p);
    for (unsigned k = 0; k < LEN(p->row->operand) && p->row->operand[k]; k++) {
        text_add(p->t, k ? ", " : " ");
        print_operand(p, &kinds[p->row->operand[k]]);
    }
}

unsigned cpu_disasm_bytes(const u8 *code, size_t len, unsigned bits, u64 addr, struct text *t)
{
    struct decode_mode m = { .bits = bits == 64   ? BITS64
                                     : bits == 32 ? BITS32
                                                  : BITS16,
                             .features = ~0ull };
    struct insn i;
    if (!len || decode_insn(&m, code, (unsigned)MIN(len, INSN_MAX_LEN), &i) != DECODE_OK) {
        text_add(t, "(bad)");
        return 1;
    }
    struct printer p = { .t = t, .i = &i, .bits = bits, .next = addr + i.len };
    print_insn(&p);
    return i.len;
}

unsigned cpu_disasm(struct cpu *c, u64 gla, struct text *t)
{
    u8 code[INSN_MAX_LEN];
    static const unsigned bits[] = { 16, 32, 64 };
    size_t n = cpu_peek_linear(c, gla, code, sizeof(code));
    if (!n) {
        text_add(t, "(not readable)");
        return 1;
    }
    return cpu_disasm_bytes(code, n, bits[c->bits], gla, t);
}
