/* Integer instructions under the translator against the interpreter: the same random programs of up
 * to sixteen instructions, with operands in registers (AH to BH, R8 to R15), in memory that is
 * writable, read-only, missing, crosses a page or lies behind a segment's limit. Everything is
 * compared: registers, all flags (undefined ones too), memory, exceptions and the instruction
 * count. AEROPC_JIT_CASES=n runs more programs. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/state.h"
#include "tests/oracle/rig.h"

Suite *jit_int_suite(void);

enum { MAX_INSNS = 16, CASES = 4000 };

/* Operand of ModRM, what follows it. imm: bytes; 'v' the operand size up to 4; 'z' a zero byte, the
 * way to the next instruction; 0 none. */
struct form {
    u8 map; /* 0, 0Fh, 38h; C2h, C3h: VEX, maps 2 and 3 */
    u8 opcode, last; /* a range */
    i8 digit; /* ModRM.reg, or -1: any; -2: no ModRM */
    char imm;
    u8 prefix;
    bool memory_only, reg_only, not64, one_byte_size;
    u8 weight;
};

static const struct form forms[] = {
    { 0, 0x00, 0x03, -1, 0, 0, .weight = 3 },      { 0, 0x08, 0x0b, -1, 0, 0, .weight = 2 },
    { 0, 0x10, 0x13, -1, 0, 0, .weight = 3 },      { 0, 0x18, 0x1b, -1, 0, 0, .weight = 3 },
    { 0, 0x20, 0x23, -1, 0, 0, .weight = 2 },      { 0, 0x28, 0x2b, -1, 0, 0, .weight = 3 },
    { 0, 0x30, 0x33, -1, 0, 0, .weight = 2 },      { 0, 0x38, 0x3b, -1, 0, 0, .weight = 3 },
    { 0, 0x04, 0x04, -2, 1, 0, .weight = 1 },      { 0, 0x15, 0x15, -2, 'v', 0, .weight = 1 },
    { 0, 0x40, 0x4f, -2, 0, 0, .not64 = true, .weight = 2 },
    { 0, 0x50, 0x5f, -2, 0, 0, .weight = 3 },      { 0, 0x69, 0x69, -1, 'v', 0, .weight = 3 },
    { 0, 0x6b, 0x6b, -1, 1, 0, .weight = 2 },      { 0, 0x80, 0x80, -1, 1, 0, .weight = 3 },
    { 0, 0x81, 0x81, -1, 'v', 0, .weight = 2 },    { 0, 0x83, 0x83, -1, 1, 0, .weight = 3 },
    { 0, 0x84, 0x85, -1, 0, 0, .weight = 2 },      { 0, 0x86, 0x87, -1, 0, 0, .weight = 2 },
    { 0, 0x88, 0x8b, -1, 0, 0, .weight = 4 },      { 0, 0x90, 0x97, -2, 0, 0, .weight = 1 },
    { 0, 0x98, 0x99, -2, 0, 0, .weight = 3 },      { 0, 0x9c, 0x9c, -2, 0, 0, .weight = 2 },
    { 0, 0x9e, 0x9f, -2, 0, 0, .weight = 3 },      { 0, 0xb0, 0xb7, -2, 1, 0, .weight = 2 },
    { 0, 0xc0, 0xc1, -1, 1, 0, .weight = 6 },      { 0, 0xd0, 0xd3, -1, 0, 0, .weight = 8 },
    { 0, 0xc6, 0xc6, 0, 1, 0, .weight = 2 },       { 0, 0xf5, 0xf5, -2, 0, 0, .weight = 1 },
    { 0, 0xf8, 0xf9, -2, 0, 0, .weight = 1 },      { 0, 0xfc, 0xfd, -2, 0, 0, .weight = 1 },
    { 0, 0xf6, 0xf6, 0, 1, 0, .weight = 2 },       { 0, 0xf6, 0xf7, 2, 0, 0, .weight = 1 },
    { 0, 0xf6, 0xf7, 3, 0, 0, .weight = 2 },       { 0, 0xf6, 0xf7, 4, 0, 0, .weight = 3 },
    { 0, 0xf6, 0xf7, 5, 0, 0, .weight = 3 },       { 0, 0xf6, 0xf7, 6, 0, 0, .weight = 5 },
    { 0, 0xf6, 0xf7, 7, 0, 0, .weight = 5 },       { 0, 0xfe, 0xff, 0, 0, 0, .weight = 2 },
    { 0, 0xfe, 0xff, 1, 0, 0, .weight = 2 },       { 0, 0xff, 0xff, 6, 0, 0, .weight = 3 },
    { 0x0f, 0x40, 0x4f, -1, 0, 0, .weight = 3 },   { 0x0f, 0x90, 0x9f, 0, 0, 0, .weight = 3 },
    { 0x0f, 0xa3, 0xa3, -1, 0, 0, .weight = 3 },   { 0x0f, 0xab, 0xab, -1, 0, 0, .weight = 3 },
    { 0x0f, 0xb3, 0xb3, -1, 0, 0, .weight = 3 },   { 0x0f, 0xbb, 0xbb, -1, 0, 0, .weight = 3 },
    { 0x0f, 0xba, 0xba, 4, 1, 0, .weight = 2 },    { 0x0f, 0xba, 0xba, 6, 1, 0, .weight = 2 },
    { 0x0f, 0xa4, 0xa4, -1, 1, 0, .weight = 5 },   { 0x0f, 0xa5, 0xa5, -1, 0, 0, .weight = 5 },
    { 0x0f, 0xac, 0xac, -1, 1, 0, .weight = 5 },   { 0x0f, 0xad, 0xad, -1, 0, 0, .weight = 5 },
    { 0x0f, 0xaf, 0xaf, -1, 0, 0, .weight = 3 },   { 0x0f, 0xb0, 0xb1, -1, 0, 0, .weight = 6 },
    { 0x0f, 0xb6, 0xb7, -1, 0, 0, .weight = 3 },   { 0x0f, 0xbe, 0xbf, -1, 0, 0, .weight = 2 },
    { 0x0f, 0xb8, 0xb8, -1, 0, 0xf3, .weight = 3 }, { 0x0f, 0xbc, 0xbd, -1, 0, 0, .weight = 6 },
    { 0x0f, 0xbc, 0xbd, -1, 0, 0xf3, .weight = 5 }, { 0x0f, 0xc0, 0xc1, -1, 0, 0, .weight = 5 },
    { 0x0f, 0xc3, 0xc3, -1, 0, 0, .memory_only = true, .weight = 1 },
    { 0x0f, 0xc7, 0xc7, 1, 0, 0, .memory_only = true, .weight = 5 },
    { 0x0f, 0xc8, 0xcf, -2, 0, 0, .weight = 1 },
    { 0, 0xe0, 0xe3, -2, 'z', 0, .weight = 3 },     { 0, 0xd7, 0xd7, -2, 0, 0, .weight = 1 },
    { 0, 0x8f, 0x8f, 0, 0, 0, .weight = 2 },
    { 0x38, 0xf0, 0xf1, -1, 0, 0, .memory_only = true, .weight = 3 },
    { 0x38, 0xf0, 0xf1, -1, 0, 0xf2, .weight = 3 }, { 0x38, 0xf6, 0xf6, -1, 0, 0x66, .weight = 3 },
    { 0x38, 0xf6, 0xf6, -1, 0, 0xf3, .weight = 3 },
    { 0xc2, 0xf2, 0xf2, -1, 0, 0, .weight = 3 },    { 0xc2, 0xf3, 0xf3, 1, 0, 0, .weight = 2 },
    { 0xc2, 0xf3, 0xf3, 2, 0, 0, .weight = 2 },     { 0xc2, 0xf3, 0xf3, 3, 0, 0, .weight = 2 },
    { 0xc2, 0xf5, 0xf5, -1, 0, 0, .weight = 2 },    { 0xc2, 0xf5, 0xf5, -1, 0, 0xf2, .weight = 2 },
    { 0xc2, 0xf5, 0xf5, -1, 0, 0xf3, .weight = 2 }, { 0xc2, 0xf6, 0xf6, -1, 0, 0xf2, .weight = 3 },
    { 0xc2, 0xf7, 0xf7, -1, 0, 0, .weight = 2 },    { 0xc2, 0xf7, 0xf7, -1, 0, 0x66, .weight = 2 },
    { 0xc2, 0xf7, 0xf7, -1, 0, 0xf2, .weight = 2 }, { 0xc2, 0xf7, 0xf7, -1, 0, 0xf3, .weight = 2 },
    { 0xc3, 0xf0, 0xf0, -1, 1, 0xf2, .weight = 2 },
};

struct program {
    bool wide;
    u64 rng;
    u8 code[MAX_INSNS * 20];
    unsigned len, insns;
    ov_state in;
};

static u64 next(struct program *p)
{
    return ov_next(&p->rng);
}
static unsigned below(struct program *p, unsigned n)
{
    return (unsigned)(next(p) % n);
}
static void byte(struct program *p, unsigned v)
{
    p->code[p->len++] = (u8)v;
}
static void immediate(struct program *p, unsigned n)
{
    u64 v = ov_gen_int(&p->rng);
    for (unsigned k = 0; k < n; k++) byte(p, (u8)(v >> 8 * k));
}

/* Mostly the middle of the data; its ends, the page boundaries, what may only be read, nothing. */
static u32 address(struct program *p)
{
    static const u32 places[] = { OV_DATA + 0x800,  OV_DATA + 0x1800,  OV_STACK + 0x2000,
                                  OV_DATA + 0x1000, OV_DATA + 0x2000,  OV_DATA + 0x800,
                                  OV_DATA + 0x1810, OV_STACK + 0x1000, OV_RO + 0x800,
                                  OV_DATA + OV_DATA_L };
    unsigned k = below(p, 64);
    u32 at = k < 20 ? places[k % LEN(places)] : places[k % 3];
    return at + below(p, 40) - 20;
}

/* A ModRM byte with a memory operand: absolute, or a register and a displacement. */
static void memory_operand(struct program *p, unsigned reg, bool fs_gs)
{
    static const u8 bases[] = { RBX, RBP, RSI, RDI };
    u32 at = fs_gs ? below(p, 8) ? below(p, 0x800) : 0x2fe0 + below(p, 64) : address(p);
    if (!fs_gs && below(p, 2)) { /* several off one base, which may have changed */
        byte(p, 0x40 | reg << 3 | bases[below(p, 4)]);
        byte(p, below(p, 64) * 2);
        return;
    }
    if (below(p, 4) == 0) { /* whatever the register holds by now */
        byte(p, 0x80 | reg << 3 | 3);
    } else if (p->wide) {
        byte(p, reg << 3 | 4);
        byte(p, 0x25);
    } else {
        byte(p, reg << 3 | 5);
    }
    for (unsigned k = 0; k < 4; k++) byte(p, (u8)(at >> 8 * k));
}

/* Prefix, map and opcode in VEX form, any W and vvvv. In 32-bit code the first byte's upper bits
 * make it VEX. */
static void vex_opcode(struct program *p, const struct form *f)
{
    unsigned pp = f->prefix == 0x66 ? 1 : f->prefix == 0xf3 ? 2 : f->prefix == 0xf2 ? 3 : 0;
    unsigned vvvv = f->map == 0xc3 ? 15 : p->wide ? below(p, 16) : 8 + below(p, 8);
    byte(p, 0xc4);
    byte(p, (p->wide ? below(p, 8) << 5 : 0xe0) | (f->map & 15));
    byte(p, below(p, 2) << 7 | vvvv << 3 | pp);
    byte(p, f->opcode);
}

static void instruction(struct program *p)
{
    unsigned total = 0, pick, k = 0;
    for (unsigned f = 0; f < LEN(forms); f++) total += forms[f].weight;
    do {
        pick = below(p, total);
        for (k = 0; pick >= forms[k].weight; k++) pick -= forms[k].weight;
    } while (p->wide && forms[k].not64);
    const struct form *f = &forms[k];
    bool mem = f->digit > -2 && !f->reg_only && (f->memory_only || below(p, 2)), fs_gs = false;
    bool small = below(p, 6) == 0;
    unsigned rex = 0;
    if (mem && below(p, 8) == 0) {
        byte(p, 0x64 + below(p, 2));
        fs_gs = true;
    }
    if (f->map >= 0xc2) {
        vex_opcode(p, f);
    } else {
        if (small || f->prefix == 0x66) byte(p, 0x66);
        if (f->prefix && f->prefix != 0x66) byte(p, f->prefix);
        if (p->wide && below(p, 3)) byte(p, rex = 0x40 | below(p, 16));
        if (f->map) byte(p, 0x0f);
        if (f->map == 0x38) byte(p, 0x38);
        byte(p, f->opcode + below(p, f->last - f->opcode + 1u));
    }
    if (f->digit > -2) {
        unsigned reg = f->digit >= 0 ? (unsigned)f->digit : below(p, 8);
        if (mem)
            memory_operand(p, reg, fs_gs);
        else
            byte(p, 0xc0 | reg << 3 | below(p, 8));
    }
    if (f->imm == 'v')
        immediate(p, small && !(rex & 8) ? 2 : 4);
    else if (f->imm == 'z')
        byte(p, 0);
    else
        immediate(p, (unsigned)f->imm);
    p->insns++;
}

static void make(struct program *p, bool wide, u64 seed)
{
    static const u16 fs[] = { OV_LDT(9), OV_LDT(10), OV_LDT(4), OV_LDT(14), OV_LDT(3), OV_SEL_DS, 0 };
    memset(p, 0, sizeof(*p));
    p->wide = wide;
    p->rng = seed;
    unsigned n = 1 + below(p, MAX_INSNS);
    for (unsigned k = 0; k < 16; k++)
        p->in.gpr[k] = below(p, 3) ? ov_gen_int(&p->rng) : address(p);
    p->in.gpr[RSP] = OV_STACK + 0x1000 + below(p, 3) * 4;
    p->in.gpr[RBX] = below(p, 64);
    for (unsigned k = RBP; k <= RDI; k++) {
        if (below(p, 4)) p->in.gpr[k] = address(p);
    }
    if (!wide) {
        for (unsigned k = 0; k < 8; k++) p->in.gpr[k] = (u32)p->in.gpr[k];
    }
    p->in.rip = OV_CODE + OV_ENTRY;
    p->in.flags = (u32)next(p) & FL_ARITH;
    p->in.mxcsr = 0x1f80;
    p->in.fcw = 0x37f;
    p->in.seg[OV_CS] = wide ? OV_SEL_CS64 : OV_SEL_CS32;
    p->in.seg[OV_SS] = p->in.seg[OV_DS] = p->in.seg[OV_ES] = OV_SEL_DS;
    p->in.seg[OV_FS] = fs[below(p, LEN(fs))];
    p->in.seg[OV_GS] = fs[below(p, 2)];
    p->in.fsb = OV_FSBASE64;
    p->in.gsb = OV_GSBASE64;
    while (p->insns < n) instruction(p);
}

static void run(struct rig *r, const struct program *p, struct outcome *o, u64 *count)
{
    memcpy(rig_window(r, OV_DATA), r->bg_data, OV_DATA_L);
    memcpy(rig_window(r, OV_STACK), r->bg_stack, OV_STACK_L);
    memcpy(rig_window(r, OV_RO), r->bg_ro, OV_RO_L);
    u8 page[sizeof(p->code) + 1];
    memset(page, 0xf4, sizeof(page));
    memcpy(page, p->code, p->len);
    dma_write(&r->mem, P_CODE + OV_ENTRY, page, sizeof(page));
    rig_load_state(r, &p->in);
    u64 before = cpu_icount(r->c);
    cpu_run(r->c, 100); /* HLT at the end raises #GP; the handler is a HLT */
    *count = cpu_icount(r->c) - before;
    rig_read_state(r, o);
}

static bool same(struct rig *a, struct rig *b, const struct outcome *x, const struct outcome *y)
{
    return !memcmp(x->s.gpr, y->s.gpr, sizeof(x->s.gpr)) && x->s.rip == y->s.rip &&
           x->s.flags == y->s.flags && x->exc == y->exc && x->err == y->err && x->cr2 == y->cr2 &&
           !memcmp(rig_window(a, OV_DATA), rig_window(b, OV_DATA), OV_DATA_L) &&
           !memcmp(rig_window(a, OV_STACK), rig_window(b, OV_STACK), OV_STACK_L);
}

static void report(const struct program *p, const struct outcome *x, const struct outcome *y)
{
    printf("program of %u instructions, %u bits:", p->insns, p->wide ? 64 : 32);
    for (unsigned k = 0; k < p->len; k++) printf(" %02x", p->code[k]);
    printf("\n rip %llx and %llx, flags %x and %x, exception %u and %u\n",
           (unsigned long long)x->s.rip, (unsigned long long)y->s.rip, x->s.flags, y->s.flags,
           x->exc, y->exc);
    for (unsigned k = 0; k < 16; k++) {
        if (x->s.gpr[k] != y->s.gpr[k])
            printf(" r%u in %llx: %llx and %llx\n", k, (unsigned long long)p->in.gpr[k],
                   (unsigned long long)x->s.gpr[k], (unsigned long long)y->s.gpr[k]);
    }
}

static void compare(const char *engine, bool wide)
{
    const char *more = getenv("AEROPC_JIT_CASES");
    unsigned cases = more ? (unsigned)strtoul(more, NULL, 10) : CASES, faults = 0;
    struct rig *a = rig_with("max", false, "interp"), *b = rig_with("max", false, engine);
    for (unsigned k = 0; k < cases; k++) {
        struct program p;
        struct outcome x, y;
        u64 xn, yn;
        make(&p, wide, (u64)k << 1 | wide);
        run(a, &p, &x, &xn);
        run(b, &p, &y, &yn);
        faults += x.s.rip != OV_CODE + OV_ENTRY + p.len;
        bool equal = same(a, b, &x, &y) && xn == yn;
        if (!equal) report(&p, &x, &y);
        ck_assert_msg(equal, "program %u differs (counts %llu and %llu)", k, (unsigned long long)xn,
                      (unsigned long long)yn);
    }
    ck_assert(faults > cases / 50 && faults < cases * 9 / 10);
    rig_free(a);
    rig_free(b);
}

START_TEST(programs_64bit)
{
    compare("jit,hot=0", true);
}
END_TEST

START_TEST(programs_32bit)
{
    compare("jit,hot=0", false);
}
END_TEST

START_TEST(one_instruction_at_a_time)
{
    compare("jit,hot=0,ops=1", true);
}
END_TEST

START_TEST(pairs)
{
    compare("jit,hot=0,ops=2,links=off", false);
}
END_TEST

/* LDMXCSR, a division that rounds, STMXCSR, another one: both round as the guest says, before and
 * after generated code was left for what is behind a system instruction. */
START_TEST(rounding_behind_system_instructions)
{
    static const u8 code[] = { 0x0f, 0xae, 0x14, 0x25, 0x00, 0x00, 0x00, 0x20, /* ldmxcsr [data] */
                               0xf2, 0x0f, 0x5e, 0xc1,                         /* divsd xmm0, xmm1 */
                               0x0f, 0xae, 0x1c, 0x25, 0x08, 0x00, 0x00, 0x20, /* stmxcsr [data + 8] */
                               0xf2, 0x0f, 0x5e, 0xd1 };                       /* divsd xmm2, xmm1 */
    static const double values[] = { 1.0, 3.0, 2.0 };
    struct program p;
    make(&p, true, 1);
    memcpy(p.code, code, sizeof(code));
    p.len = sizeof(code);
    for (unsigned k = 0; k < 3; k++) memcpy(p.in.xmm[k], &values[k], 8);
    struct outcome o[2];
    for (unsigned k = 0; k < 2; k++) {
        u64 count;
        struct rig *r = rig_with("max", false, k ? "jit,hot=0" : "interp");
        st32(r->bg_data, 0x5f80); /* up */
        run(r, &p, &o[k], &count);
        ck_assert_uint_eq(ld32(rig_window(r, OV_DATA + 8)), 0x5fa0);
        rig_free(r);
    }
    ck_assert_int_eq(memcmp(o[0].s.xmm, o[1].s.xmm, sizeof(o[0].s.xmm)), 0);
    ck_assert_uint_eq(o[0].s.mxcsr, 0x5fa0);
    ck_assert_uint_eq(o[1].s.mxcsr, 0x5fa0);
}
END_TEST

/* String instructions inside superblocks: they charge the budget for what they do, and behind them the
 * superblock goes on or not. Slices of every length end at the same instructions, counts and registers
 * as the interpreter's. */
struct sliced {
    struct rig *r;
    u64 count[64], rip[64], gpr[64][16];
    u32 flags[64];
};

static void run_sliced(struct sliced *x, const struct program *p, unsigned slice)
{
    struct outcome o;
    u64 count;
    run(x->r, p, &o, &count); /* translates */
    memcpy(rig_window(x->r, OV_DATA), x->r->bg_data, OV_DATA_L);
    rig_load_state(x->r, &p->in);
    u64 before = cpu_icount(x->r->c);
    for (unsigned k = 0; k < LEN(x->count); k++) {
        if (k < 8) cpu_run(x->r->c, k + 1 + slice);
        else cpu_run(x->r->c, slice);
        x->count[k] = cpu_icount(x->r->c) - before;
        x->rip[k] = x->r->c->rip;
        x->flags[k] = (u32)cpu_flags(x->r->c);
        memcpy(x->gpr[k], x->r->c->r, sizeof(x->gpr[k]));
    }
}

START_TEST(strings_and_slices)
{
    static const u8 ops[][2] = { { 0xf3, 0xa4 }, { 0xf3, 0xa5 }, { 0xf3, 0xaa }, { 0xf3, 0xab },
                                 { 0xf2, 0xae }, { 0xf3, 0xaf }, { 0xf3, 0xa6 }, { 0xf3, 0xa7 },
                                 { 0x90, 0xa4 }, { 0x90, 0xab }, { 0x90, 0xad }, { 0x90, 0xaf } };
    static const u16 counts[] = { 0, 1, 2, 7, 16, 17, 63, 100, 300 };
    static const u8 direction[] = { 0xfc, 0xfc, 0xfd };
    static struct sliced x, y;
    bool wide = _i & 1;
    x.r = rig_with("max", false, "interp");
    y.r = rig_with("max", false, _i & 2 ? "jit,hot=0,ops=5" : "jit,hot=0");
    for (unsigned k = 0; k < LEN(ops) * LEN(counts) * 3; k++) {
        struct program p;
        const u8 *op = ops[k % LEN(ops)];
        u32 count = counts[k / LEN(ops) % LEN(counts)];
        make(&p, wide, k);
        const u8 code[] = { direction[k % 3], 0x01, 0xc2, op[0], op[1], 0x11, 0xc2, 0xfc, /* ADD, ADC */
                            0xb9, (u8)count, (u8)(count >> 8), 0, 0, 0x29, 0xd0, op[0], op[1], 0x19,
                            0xc2, 0x83, 0xc2, 0x01 };
        memcpy(p.code, code, sizeof(code));
        p.len = sizeof(code);
        p.in.gpr[RCX] = count;
        p.in.gpr[RSI] = OV_DATA + 64 + next(&p) % 128;
        p.in.gpr[RDI] = OV_DATA + next(&p) % (OV_DATA_L / 2);
        if (k % 5 == 0) p.in.gpr[RDI] = p.in.gpr[RSI] + next(&p) % 16;
        if (k % 7 == 0) p.in.gpr[RDI] = (p.in.gpr[RDI] | 0xfff) - 7;
        if (k % 11 == 0) p.in.gpr[RSI] = OV_DATA + OV_DATA_L - 8;
        for (unsigned slice = 1; slice < 20; slice += 1 + slice / 6) {
            run_sliced(&x, &p, slice);
            run_sliced(&y, &p, slice);
            for (unsigned n = 0; n < LEN(x.count); n++) {
                bool equal = x.count[n] == y.count[n] && x.rip[n] == y.rip[n] &&
                             x.flags[n] == y.flags[n] &&
                             !memcmp(x.gpr[n], y.gpr[n], sizeof(x.gpr[n]));
                ck_assert_msg(equal, "program %u, slices of %u, stop %u: counts %llu and %llu", k,
                              slice, n, (unsigned long long)x.count[n],
                              (unsigned long long)y.count[n]);
            }
            ck_assert_int_eq(
                memcmp(rig_window(x.r, OV_DATA), rig_window(y.r, OV_DATA), OV_DATA_L), 0);
        }
    }
    rig_free(x.r);
    rig_free(y.r);
}
END_TEST

Suite *jit_int_suite(void)
{
    Suite *s = suite_create("jit_int");
    TCase *t = tcase_create("programs");
    tcase_set_timeout(t, 600);
    tcase_add_test(t, programs_64bit);
    tcase_add_test(t, programs_32bit);
    tcase_add_test(t, one_instruction_at_a_time);
    tcase_add_test(t, pairs);
    tcase_add_test(t, rounding_behind_system_instructions);
    tcase_add_loop_test(t, strings_and_slices, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
