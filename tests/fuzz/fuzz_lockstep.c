/* Random programs for `--engine lockstep`: valid, varied code that faults now and then only, so
 * that superblocks are long and the translator has something to keep in registers. One seed is one
 * processor and ROUNDS programs, each run for a while in 64-bit or 32-bit mode, at CPL 0 or 3, with
 * paging that scatters the data pages. AEROPC_ENGINE names another engine or other options.
 *
 * A program is loops, forward branches, subroutines, jumps through registers and code between them:
 * integer instructions of every size with high byte registers, SSE, MMX and x87 arithmetic, short
 * and repeated strings that overlap and cross pages, pushes, pops and frames, operands across page
 * ends and at the limits of FS and GS, and stores into the program's own immediates, also into the
 * one that comes next. RBX, RSI, RDI and RBP are pointers into the data and are set again now and
 * then; ECX counts loops. What faults (a missing page, a segment's limit, an unmasked exception, a
 * division) ends in HLT, and the next run begins at another place of the program. fuzz_cpu.c is for
 * code without manners. */
#include "tests/fuzz/fuzz.h"

#include <check.h>
#undef ck_assert_int_eq
#undef ck_assert_msg
#define ck_assert_int_eq(a, b) check((a) == (b))
#define ck_assert_msg(cond, ...) check(cond)
#include "tests/unit/cpu_rig.h"

enum {
    ROUNDS = 6,
    STARTS = 24,
    SLICE = 10000,
    HALT = 0x3f00, /* where every gate leads */
    CODE = 0x40000,
    CODE_LEN = 0x3000,
    DATA = 0x80000,
    DATA_LEN = 0x40000,
    STACK = 0x78000,
    PAGES = 0x13000 /* page table of the first 2 MiB */
};

struct fuzz {
    struct rng rng;
    struct rig *r;
    struct cpu *c;
    bool wide;
    unsigned cpl;
    u8 *p;      /* where code goes */
    u32 at;     /* its address */
    u32 imm[8]; /* addresses of immediates that the program may overwrite */
    u32 routine[6];
    u32 edge;      /* the limit of FS or GS now and then */
    u32 entry[24]; /* where a run may begin: a fault ends it */
    unsigned routines, imms, entries;
};

static void b(struct fuzz *f, unsigned v)
{
    *f->p++ = (u8)v;
    f->at++;
}

static void b32(struct fuzz *f, u32 v)
{
    st32(f->p, v);
    f->p += 4;
    f->at += 4;
}

static u32 data_address(struct fuzz *f)
{
    return DATA + 0x2000 + rnd(&f->rng, DATA_LEN - 0x4000);
}

/* A register that may hold anything: not RSP, not the pointers, not the counter. */
static unsigned any_reg(struct fuzz *f)
{
    static const u8 low[] = { 0, 2 };
    if (f->wide && !one_in(&f->rng, 3)) return 8 + rnd(&f->rng, 8);
    return low[rnd(&f->rng, 2)];
}

static unsigned pointer(struct fuzz *f)
{
    static const u8 regs[] = { 3, 5, 6, 7 };
    return regs[rnd(&f->rng, 4)];
}

/* REX for 64-bit code; w is a wish. */
static void rex(struct fuzz *f, bool w, unsigned reg, unsigned rm)
{
    unsigned v = (w ? 8 : 0) | (reg & 8 ? 4 : 0) | (rm & 8 ? 1 : 0);
    if (f->wide && (v || one_in(&f->rng, 8))) b(f, 0x40 | v);
}

/* [pointer + displacement], now and then right at a page's end. */
static void mem(struct fuzz *f, unsigned reg)
{
    unsigned base = pointer(f);
    if (one_in(&f->rng, 2)) {
        b(f, 0x40 | (reg & 7) << 3 | base), b(f, one_in(&f->rng, 4) ? 0 : rnd(&f->rng, 256));
    } else if (one_in(&f->rng, 6)) { /* an index that is small by construction: ECX */
        b(f, 0x44 | (reg & 7) << 3), b(f, rnd(&f->rng, 4) << 6 | 1 << 3 | base);
        b(f, rnd(&f->rng, 256));
    } else if (!f->wide && one_in(&f->rng, 4)) {
        b(f, 0x05 | (reg & 7) << 3), b32(f, data_address(f));
    } else {
        b(f, 0x80 | (reg & 7) << 3 | base), b32(f, (u32)rnd(&f->rng, 0x1000) - 0x800);
    }
}

/* Prefixes, REX, opcode and ModRM of an instruction with a register and a register or memory. */
static void form(struct fuzz *f, unsigned prefix, bool two, unsigned op, unsigned reg, bool memory,
                 unsigned rm)
{
    if (memory && one_in(&f->rng, 12)) b(f, 0x64 | rnd(&f->rng, 2)); /* FS, GS: set_segments() */
    if (prefix) b(f, prefix);
    rex(f, !prefix && one_in(&f->rng, 2), reg, memory ? 0 : rm);
    if (two) b(f, 0x0f);
    b(f, op);
    if (memory)
        mem(f, reg);
    else
        b(f, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

/* ---- one instruction ---- */

static void put_alu(struct fuzz *f)
{
    struct rng *r = &f->rng;
    unsigned alu = rnd(r, 8), osz = rnd(r, 5) ? 0 : 0x66;
    bool memory = one_in(r, 3);
    switch (rnd(r, 6)) {
    case 0: /* bytes, high ones included: AL, DL, AH, DH */
        b(f, alu << 3 | (one_in(r, 2) ? 0 : 2));
        if (memory)
            mem(f, rnd(r, 2) * 4 + (one_in(r, 2) ? 0 : 2));
        else
            b(f, 0xc0 | rnd(r, 2) << 5 | (one_in(r, 2) ? 2 : 0) << 3 | rnd(r, 2) << 2 | 2);
        return;
    case 1: /* with an immediate of 8 bits */
        form(f, osz, false, 0x83, alu, memory, any_reg(f));
        b(f, (unsigned)rnd_value(r) & 255);
        return;
    case 2: /* with one of 32 bits */
        form(f, 0, false, 0x81, alu, memory, any_reg(f));
        b32(f, (u32)rnd_value(r));
        return;
    case 3: /* INC, DEC, NOT, NEG, TEST's neighbours */
        if (one_in(r, 2))
            form(f, osz, false, 0xff, rnd(r, 2), memory, any_reg(f));
        else
            form(f, osz, false, 0xf7, 2 + rnd(r, 2), memory, any_reg(f));
        return;
    default: form(f, osz, false, alu << 3 | (one_in(r, 2) ? 1 : 3), any_reg(f), memory, any_reg(f));
    }
    if (f->p[-1] == 0) return;
}

static void put_shift(struct fuzz *f)
{
    struct rng *r = &f->rng;
    unsigned n = rnd(r, 8), osz = rnd(r, 5) ? 0 : 0x66, op = rnd(r, 3);
    if (one_in(r, 5)) { /* SHLD, SHRD */
        form(f, osz, true, (one_in(r, 2) ? 0xa4 : 0xac) + (op & 1), any_reg(f), one_in(r, 3),
             any_reg(f));
        if (!(op & 1)) b(f, rnd(r, 256));
        return;
    }
    form(f, osz, false, op == 0 ? 0xc1 : op == 1 ? 0xd1 : 0xd3, n, one_in(r, 3), any_reg(f));
    if (!op) b(f, rnd(r, 256));
}

static void put_two_byte(struct fuzz *f)
{
    static const u8 ops[] = { 0xaf, 0xb6, 0xb7, 0xbe, 0xbf, 0xa3, 0xab, 0xb3, 0xbb, 0xbc, 0xbd,
                              0xb1, 0xc1, 0x40, 0x42, 0x44, 0x47, 0x4c, 0x4f, 0x90, 0x92, 0x9c };
    struct rng *r = &f->rng;
    unsigned op = ops[rnd(r, LEN(ops))];
    bool bit = op == 0xa3 || op == 0xab || op == 0xb3 || op == 0xbb;
    unsigned reg = any_reg(f), rm = op >= 0x90 && op < 0xa0 ? 0 : any_reg(f);
    form(f, one_in(r, 6) && op != 0xb6 && op != 0xbe ? 0x66 : 0, true, op, reg,
         !bit && one_in(r, 3), rm);
}

static void put_move(struct fuzz *f)
{
    struct rng *r = &f->rng;
    unsigned reg = any_reg(f);
    switch (rnd(r, 8)) {
    case 0: /* an immediate, which may be overwritten later */
        rex(f, false, 0, reg);
        b(f, 0xb8 | (reg & 7));
        if (f->imms < LEN(f->imm)) f->imm[f->imms++] = f->at;
        b32(f, (u32)rnd_value(r));
        return;
    case 1: form(f, 0, false, one_in(r, 2) ? 0x88 : 0x8a, rnd(r, 2) * 4, true, 0); return;
    case 2: form(f, 0, false, 0x8d, reg, true, 0); return; /* LEA */
    case 3: form(f, one_in(r, 2) ? 0x66 : 0, false, 0x87, reg, one_in(r, 2), any_reg(f)); return;
    case 4:
        form(f, 0, true, 0xba, 4 + rnd(r, 4), one_in(r, 3), any_reg(f)), b(f, rnd(r, 256));
        return;
    case 5: b(f, 0x98 + rnd(r, 2)); return;
    default:
        form(f, one_in(r, 5) ? 0x66 : 0, false, one_in(r, 2) ? 0x89 : 0x8b, reg, one_in(r, 2),
             any_reg(f));
    }
}

static void put_multiply(struct fuzz *f)
{
    struct rng *r = &f->rng;
    if (one_in(r, 6)) { /* DIV by something that leaves a quotient: EDX = 0, divisor | 1 */
        b(f, 0x31), b(f, 0xd2);
        b(f, 0xb9), b32(f, (u32)rnd_value(r) | 1);
        b(f, 0xf7), b(f, 0xf0 | 1);
        return;
    }
    form(f, 0, false, 0xf7, 4 + rnd(r, 2), one_in(r, 2), any_reg(f));
}

static void put_sse(struct fuzz *f)
{
    static const u8 ops[] = { 0x51, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x5c, 0x5d, 0x5e,
                              0x5f, 0x10, 0x11, 0x14, 0x15, 0x5b, 0xe6, 0xc2, 0xc6, 0x2a, 0x2c };
    static const u8 ints[] = { 0x60, 0x61, 0x62, 0x63, 0x64, 0x66, 0x67, 0x6a, 0x6b, 0xd4, 0xd5,
                               0xdb, 0xdf, 0xeb, 0xef, 0xf4, 0xf6, 0xfa, 0xfe, 0xd1, 0xd2, 0xf2 };
    static const u8 prefix[] = { 0, 0x66, 0xf2, 0xf3 };
    struct rng *r = &f->rng;
    bool memory = one_in(r, 3);
    if (one_in(r, 3)) {
        form(f, 0x66, true, ints[rnd(r, LEN(ints))], rnd(r, 8), false, rnd(r, 8));
        return;
    }
    unsigned op = ops[rnd(r, LEN(ops))], pre = prefix[rnd(r, 4)];
    if (op == 0xe6 && !pre) pre = 0x66;
    if (op == 0x5b && pre == 0xf2) pre = 0;
    if ((op == 0x14 || op == 0x15 || (op >= 0x54 && op <= 0x57) || op == 0xc6) && pre >= 0xf2)
        pre = 0x66;
    if (op == 0x2a || op == 0x2c) pre = 0xf2 + rnd(r, 2), memory = false;
    if (op != 0x10 && op != 0x11 && pre < 0xf2) memory = false; /* 16 bytes must be aligned */
    form(f, pre, true, op, op == 0x2c ? 2 : rnd(r, 8), memory, op == 0x2a ? 0 : rnd(r, 8));
    if (op == 0xc2) b(f, rnd(r, 8));
    if (op == 0xc6) b(f, rnd(r, 256));
}

/* Vector instructions with operands of 16 bytes in memory: aligned, now and then not. */
static void put_sse_memory(struct fuzz *f)
{
    static const u8 ops[] = { 0x28, 0x29, 0x10, 0x11, 0x6f, 0x7f, 0xe7, 0x58, 0x59,
                              0x5c, 0x54, 0x57, 0xc6, 0x14, 0xfe, 0xef, 0xd4, 0x60,
                              0x70, 0xf4, 0x6e, 0x7e, 0xd6, 0x12, 0x13, 0x16, 0x17 };
    struct rng *r = &f->rng;
    unsigned op = ops[rnd(r, LEN(ops))], base = pointer(f), pre = one_in(r, 2) ? 0x66 : 0;
    if (op >= 0x60) pre = 0x66;
    if ((op == 0x6f || op == 0x7f) && one_in(r, 3)) pre = 0xf3;
    if (!one_in(r, 30)) b(f, 0x83), b(f, 0xe0 | base), b(f, 0xf0); /* AND base, -16 */
    if (pre) b(f, pre);
    rex(f, false, rnd(r, 16), 0);
    b(f, 0x0f), b(f, op), b(f, 0x40 | rnd(r, 8) << 3 | base), b(f, rnd(r, 16) << 4);
    if (op == 0xc6 || op == 0x70) b(f, rnd(r, 256));
}

/* MMX between two EMMS; the x87 registers are lost and made anew. */
static void put_mmx(struct fuzz *f)
{
    static const u8 ops[] = { 0x60, 0x61, 0x62, 0x63, 0x67, 0x6a, 0x6b, 0x6f, 0x74,
                              0x76, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xdb, 0xdf, 0xe1,
                              0xe5, 0xeb, 0xef, 0xf1, 0xf5, 0xf9, 0xfd, 0x7f };
    struct rng *r = &f->rng;
    for (unsigned k = 1 + rnd(r, 5); k; k--) {
        unsigned op = ops[rnd(r, LEN(ops))];
        form(f, 0, true, op, rnd(r, 8), one_in(r, 2), rnd(r, 8));
    }
    if (one_in(r, 3)) form(f, 0, true, 0x7e, rnd(r, 8), one_in(r, 2), 0); /* MOVD */
    if (!one_in(r, 12)) b(f, 0x0f), b(f, 0x77);
}

/* The stack is empty before and behind each of these. */
static void put_x87(struct fuzz *f)
{
    static const u8 loads[][2] = { { 0xd9, 0 }, { 0xdd, 0 }, { 0xdb, 0 },
                                   { 0xdf, 0 }, { 0xdf, 5 }, { 0xdb, 5 } };
    static const u8 stores[][2] = { { 0xd9, 3 }, { 0xdd, 3 }, { 0xdb, 3 },
                                    { 0xdf, 3 }, { 0xdf, 7 }, { 0xdb, 7 } };
    static const u8 unary[] = { 0xe0, 0xe1, 0xe4, 0xe5, 0xfa, 0xfc, 0xf8, 0xc1, 0xc9 };
    struct rng *r = &f->rng;
    unsigned n = 2 + rnd(r, 3);
    for (unsigned k = 0; k < n; k++) {
        unsigned which = rnd(r, LEN(loads));
        if (one_in(r, 4))
            b(f, 0xd9), b(f, 0xe8 + rnd(r, 7));
        else
            b(f, loads[which][0]), mem(f, loads[which][1]);
    }
    for (unsigned k = rnd(r, 8); k; k--) {
        switch (rnd(r, 4)) {
        case 0: b(f, 0xd9), b(f, unary[rnd(r, LEN(unary))]); break;
        case 1:
            b(f, 0xd8), b(f, 0xc0 | rnd(r, 8) << 3 | rnd(r, n));
            if ((f->p[-1] & 0x38) == 0x18) f->p[-1] ^= 8;
            break;
        case 2:
            b(f, one_in(r, 2) ? 0xd8 : 0xdc), mem(f, (rnd(r, 8) & 7) == 3 ? 2 : rnd(r, 3));
            break;
        default: b(f, 0xdc), b(f, 0xc0 | rnd(r, 2) << 3 | rnd(r, n));
        }
    }
    if (one_in(r, 4)) b(f, 0x9b), b(f, 0xdf), b(f, 0xe0); /* FSTSW AX */
    if (one_in(r, 4)) b(f, 0xdb), b(f, 0xf0);             /* FCOMI */
    for (unsigned k = 0; k < n; k++) {
        unsigned which = rnd(r, LEN(stores));
        b(f, stores[which][0]), mem(f, stores[which][1]);
    }
}

static void put_string(struct fuzz *f)
{
    struct rng *r = &f->rng;
    static const u8 ops[] = { 0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad, 0xa6, 0xa7, 0xae, 0xaf };
    bool rep = one_in(r, 2);
    u32 from = data_address(f), to = data_address(f);
    if (one_in(r, 4)) to = (to | 0xfff) - rnd(r, 40);
    if (one_in(r, 4)) from = (from | 0xfff) - rnd(r, 40);
    if (one_in(r, 3)) from = to + rnd(r, 40) - 30; /* they overlap */
    b(f, 0xbe), b32(f, from);
    b(f, 0xbf), b32(f, to);
    if (one_in(r, 2)) b(f, 0x01), b(f, 0x06); /* ADD [ESI], EAX: not what it was last time */
    if (rep) b(f, 0xb9), b32(f, rnd(r, one_in(r, 8) ? 2000 : 40));
    if (one_in(r, 6)) b(f, 0xfd);
    if (rep) b(f, one_in(r, 2) ? 0xf3 : 0xf2);
    rex(f, one_in(r, 2), 0, 0);
    b(f, ops[rnd(r, LEN(ops))]);
    b(f, 0xfc);
}

static void put_pointer(struct fuzz *f)
{
    u32 to = data_address(f);
    if (one_in(&f->rng, 3)) to = (to | 0xfff) - rnd(&f->rng, 8);
    if (one_in(&f->rng, 8)) to = f->edge - rnd(&f->rng, 8);
    b(f, 0xb8 | pointer(f)), b32(f, to);
}

static void put_stack(struct fuzz *f)
{
    unsigned from = any_reg(f), to = any_reg(f);
    rex(f, false, 0, from), b(f, 0x50 | (from & 7));
    if (one_in(&f->rng, 2)) b(f, 0x68), b32(f, (u32)rnd_value(&f->rng)), b(f, 0x58);
    if (one_in(&f->rng, 4)) b(f, 0x9c), b(f, 0x58);
    rex(f, false, 0, to), b(f, 0x58 | (to & 7));
}

/* A store into an immediate of this program: by a move, an operation that sets some flags, a
 * string. */
static void put_patch(struct fuzz *f)
{
    static const u8 partial[][2] = { { 0xff, 0x03 }, { 0xff, 0x0b }, { 0xd1, 0x03 }, { 0xd1, 0x0b },
                                     { 0xd3, 0x23 }, { 0x11, 0x03 }, { 0xd1, 0x1b }, { 0xf7, 0x13 },
                                     { 0x86, 0x03 }, { 0x01, 0x13 } };
    struct rng *r = &f->rng;
    if (!f->imms) return;
    /* The last ones are those right ahead. */
    u32 at = f->imm[one_in(r, 2) ? f->imms - 1 : rnd(r, f->imms)];
    unsigned which = rnd(r, LEN(partial));
    switch (rnd(r, 4)) {
    case 0: /* REP MOVSB, STOSB of less than the immediate, DS:ESI anywhere */
        b(f, 0xbf), b32(f, at), b(f, 0xb9), b32(f, rnd(r, 5));
        b(f, 0xf3), b(f, one_in(r, 2) ? 0xa4 : 0xaa);
        break;
    case 1:
        b(f, 0xbb), b32(f, at);
        b(f, 0x89), b(f, 0x03); /* MOV [EBX], EAX */
        break;
    default: b(f, 0xbb), b32(f, at); b(f, partial[which][0]), b(f, partial[which][1]);
    }
    if (one_in(r, 2)) { /* code that is about to run */
        unsigned reg = any_reg(f);
        rex(f, false, 0, reg);
        b(f, 0x81), b(f, 0xc0 | (reg & 7));
        if (f->imms < LEN(f->imm))
            f->imm[f->imms++] = f->at;
        else
            f->imm[LEN(f->imm) - 1] = f->at;
        b32(f, (u32)rnd_value(r));
    }
    put_pointer(f), b(f, 0xbb), b32(f, data_address(f)), b(f, 0xbf), b32(f, data_address(f));
}

/* A frame: several accesses off RBP and RSP, by CALL's callee. */
static void put_frame(struct fuzz *f)
{
    struct rng *r = &f->rng;
    unsigned size = 16 + 16 * rnd(r, 4);
    b(f, 0x55);
    if (f->wide) b(f, 0x48);
    b(f, 0x89), b(f, 0xe5); /* MOV EBP, ESP */
    if (f->wide) b(f, 0x48);
    b(f, 0x83), b(f, 0xec), b(f, size);
    for (unsigned k = 1 + rnd(r, 6); k; k--) {
        unsigned reg = any_reg(f), op = one_in(r, 2) ? 0x89 : 0x8b;
        rex(f, one_in(r, 2), reg, 0);
        b(f, one_in(r, 5) ? 0x01 : op);
        if (one_in(r, 2))
            b(f, 0x45 | (reg & 7) << 3), b(f, 0u - 8 * (1 + rnd(r, size / 8)));
        else
            b(f, 0x44 | (reg & 7) << 3), b(f, 0x24), b(f, 8 * rnd(r, size / 8));
    }
    b(f, 0xc9);
}

/* What is not for programs: at level 3 it ends this one. Flags of every kind go through POPF. */
static void put_kernel(struct fuzz *f)
{
    static const u8 crs[] = { 0xc0, 0xd0, 0xd8, 0xe0 };
    struct rng *r = &f->rng;
    unsigned cr = crs[rnd(r, 4)];
    switch (rnd(r, f->cpl ? 3 : 9)) {
    case 0:
        b(f, 0x0f), b(f, 0xa2), put_pointer(f), b(f, 0xbb), b32(f, data_address(f));
        break; /* CPUID */
    case 1:
        b(f, 0x9c), b(f, 0x81), b(f, 0x34), b(f, 0x24), b32(f, FL_CF | FL_ZF | FL_OF | FL_ID),
            b(f, 0x9d);
        break;
    case 2: b(f, 0xf3), b(f, 0x90); break;
    case 3: b(f, 0xfa), b(f, 0xfb); break;
    case 4: b(f, 0x0f), b(f, 0x20), b(f, cr); break;
    case 5:
        b(f, 0x0f), b(f, 0x20), b(f, 0xd8), b(f, 0x0f), b(f, 0x22), b(f, 0xd8);
        break; /* CR3 again */
    case 6:
        b(f, 0x0f), b(f, 0x01), b(f, 0x38 | pointer(f));
        if (f->p[-1] == 0x3d) f->p[-1] = 0x3b;
        break;
    case 7: b(f, 0x8e), b(f, 0xc0 | 3 << 3 | 2); break; /* MOV DS, DX: mostly #GP */
    default: b(f, 0x9b); break;
    }
}

static void put_insn(struct fuzz *f)
{
    switch (rnd(&f->rng, 46)) {
    case 40 ... 41: put_sse_memory(f); break;
    case 42: put_mmx(f); break;
    case 43: put_frame(f); break;
    case 44:
        if (one_in(&f->rng, 3))
            put_kernel(f);
        else
            put_patch(f);
        break;
    case 45: /* INC, DEC of 32-bit code; else BSWAP */
        if (!f->wide)
            b(f, 0x40 | rnd(&f->rng, 2) << 3 | 2 * rnd(&f->rng, 2));
        else
            b(f, 0x48), b(f, 0x0f), b(f, 0xc8 | 2 * rnd(&f->rng, 2));
        break;
    case 0 ... 9: put_alu(f); break;
    case 10 ... 13: put_shift(f); break;
    case 14 ... 17: put_two_byte(f); break;
    case 18 ... 25: put_move(f); break;
    case 26 ... 30: put_sse(f); break;
    case 31 ... 32: put_x87(f); break;
    case 33: put_string(f); break;
    case 34: put_stack(f); break;
    case 35: put_multiply(f); break;
    case 36: b(f, 0xf8 + rnd(&f->rng, 2)); break;
    case 37:
        if (one_in(&f->rng, 6))
            put_patch(f);
        else
            b(f, 0xf5);
        break;
    default: put_pointer(f);
    }
}

/* ---- shapes ---- */

static void put_some(struct fuzz *f, unsigned n)
{
    while (n--) put_insn(f);
}

/* A conditional jump over a few instructions. */
static void put_branch(struct fuzz *f)
{
    b(f, 0x0f), b(f, 0x80 | rnd(&f->rng, 16));
    b32(f, 0);
    u8 *field = f->p - 4;
    put_some(f, 1 + rnd(&f->rng, 6));
    st32(field, (u32)(f->p - field - 4));
}

/* The count is on the stack: what is inside may use ECX. */
static void put_loop(struct fuzz *f)
{
    b(f, 0x68), b32(f, 1 + rnd(&f->rng, 30));
    u8 *start = f->p;
    put_some(f, 1 + rnd(&f->rng, 8));
    if (one_in(&f->rng, 2)) put_branch(f);
    if (f->wide) b(f, 0x48);
    b(f, 0x83), b(f, 0x2c), b(f, 0x24), b(f, 1); /* SUB [RSP], 1 */
    b(f, 0x0f), b(f, 0x85), b32(f, 0);
    st32(f->p - 4, (u32)(start - f->p));
    if (f->wide) b(f, 0x48);
    b(f, 0x8d), b(f, 0x64), b(f, 0x24), b(f, f->wide ? 8 : 4);
}

static void put_call(struct fuzz *f)
{
    if (!f->routines) return;
    u32 to = f->routine[rnd(&f->rng, f->routines)];
    if (one_in(&f->rng, 2)) {
        b(f, 0xe8), b32(f, to - f->at - 4);
    } else {
        b(f, 0xb8), b32(f, to);
        b(f, 0xff), b(f, one_in(&f->rng, 2) ? 0xd0 : 0xd0); /* CALL EAX */
    }
}

static void put_program(struct fuzz *f)
{
    struct rng *r = &f->rng;
    f->at = CODE + rnd(r, 0xf00);
    f->p = f->r->bytes + f->at;
    f->routines = f->imms = f->entries = 0;
    f->edge = data_address(f);
    while (f->routines < LEN(f->routine)) {
        u32 at = f->at;
        put_some(f, 1 + rnd(r, 10));
        b(f, 0xc3);
        f->routine[f->routines++] = at;
        if (one_in(r, 3)) f->at = (f->at + 0x400) | 1, f->p = f->r->bytes + f->at;
    }
    while (f->entries < LEN(f->entry) && f->at < CODE + CODE_LEN - 0x800) {
        f->entry[f->entries++] = f->at;
        put_pointer(f);
        switch (rnd(r, 4)) {
        case 0: put_branch(f); break;
        case 1: put_loop(f); break;
        case 2: put_call(f); break;
        default: put_some(f, 1 + rnd(r, 12));
        }
    }
    b(f, 0xe9), b32(f, f->entry[0] - f->at - 4);
    ram_written(&f->r->ram, CODE, CODE_LEN);
}

/* ---- the processor ---- */

/* 4 KiB pages for the first 2 MiB; the data's physical pages are shuffled, a few are missing or
 * read-only. */
static void make_pages(struct fuzz *f)
{
    u8 *m = f->r->bytes;
    u8 order[DATA_LEN >> 12];
    unsigned bad = one_in(&f->rng, 3) ? 8 : 60;
    for (unsigned k = 0; k < LEN(order); k++) order[k] = (u8)k;
    for (unsigned k = LEN(order); k-- > 1;) {
        unsigned other = rnd(&f->rng, k + 1);
        u8 t = order[k];
        order[k] = order[other], order[other] = t;
    }
    for (u64 k = 0; k < 512; k++) {
        bool data = k >= DATA >> 12 && k < (DATA + DATA_LEN) >> 12;
        u64 page = data ? (u64)(DATA >> 12) + order[k - (DATA >> 12)] : k, rights = 7;
        if (data && one_in(&f->rng, bad)) rights = rnd(&f->rng, 2) ? 5 : 6;
        st64(m + PAGES + k * 8, page << 12 | rights);
    }
    st64(m + 0x12000, PAGES | 7);
    ram_written(&f->r->ram, 0x12000, 0x2000);
}

static void set_mode(struct fuzz *f)
{
    struct cpu *c = f->c;
    unsigned cpl = f->cpl = one_in(&f->rng, 2) ? 3 : 0;
    f->wide = one_in(&f->rng, 2);
    cpu_reset(c);
    if (f->wide)
        rig_long(f->r, cpl);
    else
        rig_protected(f->r, cpl);
    make_pages(f);
    if (!f->wide && one_in(&f->rng, 2)) {
        for (unsigned k = 0; k < 4; k++) c->pdpte[k] = k ? 0 : 0x12001;
        c->cr3 = 0x11000;
        st64(f->r->bytes + 0x11000, 0x12001);
        c->cr4 |= CR4_PAE;
        c->cr0 |= CR0_PG | CR0_WP;
    }
    c->cr0 |= CR0_NE | CR0_MP;
    c->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    f->r->bytes[HALT] = 0xf4;
    st16(f->r->bytes + HALT + 1, 0xfdeb);
    for (unsigned v = 0; v < 32; v++) {
        if (f->wide)
            rig_gate64(f->r, v, 0x18, HALT, 0x8e, 0);
        else
            rig_gate(f->r, v, 0x08, HALT, 0x8e);
    }
    ram_written(&f->r->ram, 0, 0x5000);
    cpu_update_mode(c);
    tlb_flush_all(c);
}

/* FS and GS: bases, limits, and kinds of segments that some accesses do not get through. */
static void set_segments(struct fuzz *f)
{
    static const u16 kinds[] = { 0xc093, 0xc093, 0xc093, 0x4093, 0xc091, 0xc097, 0xc013 };
    for (unsigned s = SEG_FS; s <= SEG_GS; s++) {
        struct rng *r = &f->rng;
        u16 attr = kinds[rnd(r, LEN(kinds))] | (u16)(f->c->cpl << 5);
        u32 limit = one_in(r, 2) ? ~0u : f->edge;
        f->c->seg[s] = (struct seg){ rnd(r, 0x1000), limit, 0x2b, attr };
    }
}

static void set_registers(struct fuzz *f, u32 start, unsigned cpl)
{
    struct rng *r = &f->rng;
    struct cpu *c = f->c;
    if (c->cpl != cpl) { /* a handler ended the last program */
        u16 d = (u16)(cpl << 5);
        c->cpl = (u8)cpl;
        rig_set_seg(c, SEG_CS, f->wide ? 0x33 : 0x23, (u16)((f->wide ? 0xa09b : 0xc09b) | d));
        for (unsigned s = 0; s < SEG_COUNT; s++)
            if (s != SEG_CS) rig_set_seg(c, s, 0x2b, 0xc093 | d);
        cpu_update_mode(c);
    }
    for (unsigned k = 0; k < (f->wide ? 16 : 8); k++)
        c->r[k] = f->wide ? rnd_value(r) : (u32)rnd_value(r);
    c->r[RCX] = rnd(r, 40);
    c->r[RBX] = data_address(f), c->r[RBP] = data_address(f);
    c->r[RSI] = data_address(f), c->r[RDI] = data_address(f);
    c->r[RSP] = STACK;
    c->rip = start;
    c->halted = false;
    cpu_event_clear(c, CE_HALT);
    cpu_set_flags(c, (u32)rnd64(r) & FL_ARITH);
    rnd_fill(r, c->v, sizeof(c->v));
    for (unsigned k = 0; k < 16; k++) c->v[k].df[rnd(r, 2)] = (double)(i32)rnd_value(r);
    set_segments(f);
    c->fcw = one_in(r, 3) ? (u16)(0x7f | rnd(r, 4) << 8 | rnd(r, 4) << 10) : 0x37f;
    c->fsw = 0;
    c->ftw = 0;
    c->mxcsr = 0x1f80 | rnd(r, 4) << 13 | (one_in(r, 4) ? 0x8000 : 0) | (one_in(r, 6) ? 0x40 : 0);
    if (one_in(r, 8)) c->fcw &= (u16)~BIT(rnd(r, 6)); /* an exception is unmasked */
    if (one_in(r, 8)) c->mxcsr &= ~(u32)BIT(7 + rnd(r, 6));
}

static u64 fuzz_one(u64 seed)
{
    struct fuzz f = { .rng = { seed } };
    char engine[64];
    if (!getenv("AEROPC_ENGINE") || getenv("FUZZ_ENGINE")) { /* each seed its own granularity */
        snprintf(engine, sizeof(engine), "lockstep,hot=%u%s", rnd(&f.rng, 3),
                 seed % 3 == 0   ? ",run=300"
                 : seed % 3 == 1 ? ""
                                 : ",run=40");
        setenv("AEROPC_ENGINE", engine, 1), setenv("FUZZ_ENGINE", "1", 1);
    }
    f.r = rig_new("max");
    f.c = f.r->c;
    for (unsigned n = 0; n < ROUNDS; n++) {
        set_mode(&f);
        unsigned cpl = f.c->cpl;
        put_program(&f);
        rnd_fill(&f.rng, f.r->bytes + DATA, DATA_LEN);
        for (unsigned k = 0; k < DATA_LEN;
             k += 64) { /* some of it numbers that one calculates with */
            double v = (double)(i32)rnd64(&f.rng) / 256;
            memcpy(f.r->bytes + DATA + k, &v, 8);
        }
        ram_written(&f.r->ram, DATA, DATA_LEN);
        for (unsigned k = 0; k < STARTS; k++) {
            set_registers(&f, f.entry[k ? rnd(&f.rng, f.entries) : 0], cpl);
            cpu_run(f.c, SLICE);
        }
    }
    u64 insns = cpu_icount(f.c);
    rig_free(f.r);
    return insns;
}

int main(int argc, char **argv)
{
    FILE *null = fopen("/dev/null", "w");
    if (null) log_set_output(null);
    log_configure("debug");
    return fuzz_main(argc, argv, fuzz_one);
}
