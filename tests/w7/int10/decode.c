/* Instruction bytes to struct insn, with the list of what is allowed (x86.h): the general
 * instructions of the 80386, BSWAP EAX, CMPXCHG, XADD, RDTSC and SMSW. The 32-bit forms of calls,
 * returns, LEAVE and LEA, the 82h aliases and operands that count from ESP are refused: the
 * interpreter in Windows is known or suspected to get them wrong. */
#include "tests/w7/int10/x86.h"

/* NO: not allowed. M: ModRM byte. I8, IZ, I16: immediates of one byte, operand size, two bytes.
 * FAR: offset and selector. MOFF: address-size offset. */
enum { NO = 0, OK = 1, M = 2 | 1, I8 = 4 | 1, IZ = 8 | 1, I16 = 16 | 1, FAR = 32 | 1, MOFF = 64 | 1 };

/* clang-format off */
#define ALU(n) [n ... n + 3] = M, [n + 4] = I8, [n + 5] = IZ
static const u8 one[256] = {
    ALU(0x00), ALU(0x08), ALU(0x10), ALU(0x18), ALU(0x20), ALU(0x28), ALU(0x30), ALU(0x38),
    [0x06] = OK, [0x07] = OK, [0x0e] = OK, [0x16] = OK, [0x17] = OK, [0x1e] = OK, [0x1f] = OK,
    [0x27] = OK, [0x2f] = OK, [0x37] = OK, [0x3f] = OK, [0x40 ... 0x5f] = OK, [0x60] = OK, [0x61] = OK,
    [0x68] = IZ, [0x69] = M | IZ, [0x6a] = I8, [0x6b] = M | I8, [0x70 ... 0x7f] = I8,
    [0x80] = M | I8, [0x81] = M | IZ, [0x83] = M | I8, [0x84 ... 0x8f] = M,
    [0x90 ... 0x99] = OK, [0x9a] = FAR, [0x9c ... 0x9f] = OK, [0xa0 ... 0xa3] = MOFF, [0xa4 ... 0xa7] = OK,
    [0xa8] = I8, [0xa9] = IZ, [0xaa ... 0xaf] = OK, [0xb0 ... 0xb7] = I8, [0xb8 ... 0xbf] = IZ,
    [0xc0] = M | I8, [0xc1] = M | I8, [0xc2] = I16, [0xc3] = OK, [0xc4] = M, [0xc5] = M, [0xc6] = M | I8,
    [0xc7] = M | IZ, [0xc9] = OK, [0xca] = I16, [0xcb] = OK, [0xcd] = I8, [0xcf] = OK, [0xd0 ... 0xd3] = M,
    [0xd4] = I8, [0xd5] = I8, [0xd7] = OK, [0xe0 ... 0xe7] = I8, [0xe8] = IZ, [0xe9] = IZ, [0xea] = FAR,
    [0xeb] = I8, [0xec ... 0xef] = OK, [0xf5] = OK, [0xf6] = M, [0xf7] = M, [0xf8 ... 0xfd] = OK,
    [0xfe] = M, [0xff] = M,
};
static const u8 two[256] = {
    [0x01] = M, [0x31] = OK, [0x80 ... 0x8f] = IZ, [0x90 ... 0x9f] = M, [0xa0] = OK, [0xa1] = OK, [0xa3] = M,
    [0xa4] = M | I8, [0xa5] = M, [0xa8] = OK, [0xa9] = OK, [0xab] = M, [0xac] = M | I8, [0xad] = M, [0xaf] = M,
    [0xb0] = M, [0xb1] = M, [0xb2] = M, [0xb3] = M, [0xb4] = M, [0xb5] = M, [0xb6] = M, [0xb7] = M,
    [0xba] = M | I8, [0xbb] = M, [0xbc] = M, [0xbd] = M, [0xbe] = M, [0xbf] = M, [0xc0] = M, [0xc1] = M,
    [0xc8] = OK,
};
/* clang-format on */

/* Prefixes; returns how many bytes, 0: refused. */
static unsigned prefixes(const u8 *p, struct insn *i, const char **why)
{
    static const u8 segs[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
    unsigned n = 0;
    for (; n < 5; n++) {
        const u8 *s = memchr(segs, p[n], sizeof(segs));
        if (s)
            i->seg = (i8)(s - segs);
        else if (p[n] == 0x66)
            i->opsize = 4;
        else if (p[n] == 0x67)
            i->addrsize = 4;
        else if (p[n] == 0xf2 || p[n] == 0xf3)
            i->rep = p[n];
        else if (p[n] == 0xf0)
            return *why = "LOCK", 0;
        else
            return n;
    }
    return *why = "more than four prefixes", 0;
}

static u32 immediate(const u8 *p, unsigned *n, unsigned size)
{
    u32 v = (u32)ld_n(p + *n, size);
    *n += size;
    return v;
}

static void sib(const u8 *p, unsigned *n, struct insn *i)
{
    u8 b = p[(*n)++];
    i->scale = b >> 6;
    i->index = (b >> 3 & 7) == ESP ? -1 : (i8)(b >> 3 & 7);
    i->base = (b & 7) == EBP && i->mod == 0 ? -1 : (i8)(b & 7);
    if (i->base < 0) i->disp = immediate(p, n, 4);
}

static void modrm(const u8 *p, unsigned *n, struct insn *i)
{
    u8 b = p[(*n)++];
    i->has_modrm = true;
    i->mod = b >> 6;
    i->reg = b >> 3 & 7;
    i->rm = b & 7;
    i->base = i->index = -1;
    if (i->mod == 3) return;
    if (i->addrsize == 4) {
        if (i->rm == 4)
            sib(p, n, i);
        else if (i->mod == 0 && i->rm == 5)
            i->disp = immediate(p, n, 4);
        else
            i->base = (i8)i->rm;
    } else if (i->mod == 0 && i->rm == 6) {
        i->disp = immediate(p, n, 2);
    }
    if (i->mod == 1) i->disp = (u32)(i32)(i8)immediate(p, n, 1);
    if (i->mod == 2) i->disp = immediate(p, n, i->addrsize);
}

/* Forms that the tables cannot tell apart. */
static const char *group_rule(const struct insn *i)
{
    switch (i->op) {
    case 0x8c: return i->reg > GS ? "undefined segment register" : NULL;
    case 0x8e: return i->reg > GS || i->reg == CS ? "undefined segment register" : NULL;
    case 0x8f:
    case 0xc6:
    case 0xc7: return i->reg ? "undefined form" : NULL;
    case 0xc0:
    case 0xc1:
    case 0xd0 ... 0xd3: return i->reg == 6 ? "undocumented shift" : NULL;
    case 0xf6:
    case 0xf7: return i->reg == 1 ? "undocumented TEST" : NULL;
    case 0xfe: return i->reg > 1 ? "undefined form" : NULL;
    case 0xff: return i->reg == 7 ? "undefined form" : NULL;
    case 0x101: return i->reg == 4 ? NULL : "system instruction";
    case 0x1ba: return i->reg < 4 ? "undefined form" : NULL;
    case 0xc4:
    case 0xc5:
    case 0x8d:
    case 0x1b2:
    case 0x1b4:
    case 0x1b5: return i->mod == 3 ? "memory operand wanted" : NULL;
    default: return NULL;
    }
}

static const char *rule(const struct insn *i)
{
    bool wide = i->opsize == 4, far_or_near_call = i->op == 0xff && (i->reg == 2 || i->reg == 3);
    switch (i->op) {
    case 0xc2:
    case 0xc3:
    case 0xca:
    case 0xcb:
    case 0xcf:
        if (wide) return "32-bit return";
        break;
    case 0xc9:
        if (wide) return "32-bit LEAVE";
        break;
    case 0x8d:
        if (wide) return "32-bit LEA";
        break;
    case 0xcd:
        if (i->imm != 0x10) return "INT of something else than 10h";
        break;
    default: break;
    }
    if (wide && (i->op == 0xe8 || i->op == 0x9a || far_or_near_call)) return "32-bit call";
    if (i->has_modrm && i->mod != 3 && i->base == ESP) return "operand relative to ESP";
    return group_rule(i);
}

const char *decode(const u8 *p, struct insn *i)
{
    const char *why = NULL;
    *i = (struct insn){ .opsize = 2, .addrsize = 2, .seg = -1, .base = -1, .index = -1 };
    unsigned n = prefixes(p, i, &why);
    if (why) return why;
    u8 kind;
    if (p[n] == 0x0f) {
        i->op = 0x100 | p[n + 1];
        kind = two[p[n + 1]];
        n += 2;
    } else {
        i->op = p[n];
        kind = one[p[n++]];
    }
    if (i->op == 0xf4) return "HLT";
    if (i->op == 0x82) return "82h alias";
    if (kind == NO) return "opcode is not on the list";
    if (kind & 2) modrm(p, &n, i);
    if (kind & 4) i->imm = immediate(p, &n, 1);
    if (kind & 8) i->imm = immediate(p, &n, i->opsize);
    if (kind & 16) i->imm = immediate(p, &n, 2);
    if (kind & 64) i->disp = immediate(p, &n, i->addrsize);
    if (kind & 32) {
        i->imm = immediate(p, &n, i->opsize);
        i->imm2 = immediate(p, &n, 2);
    }
    if ((i->op == 0xf6 || i->op == 0xf7) && i->reg == 0)
        i->imm = immediate(p, &n, i->op == 0xf6 ? 1 : i->opsize);
    i->len = (u8)n;
    return rule(i);
}
