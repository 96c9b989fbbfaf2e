/* x87 under the translator against the interpreter: random programs of x87 instructions between
 * other ones, in loops, with stack faults, tags of every kind, operands that page-fault, exceptions
 * unmasked and pending, in slices of random length; after every slice the whole x87 state,
 * registers, flags and memory must be the same. AEROPC_X87_SEED and AEROPC_X87_ROUNDS run others.
 */
#include <stdio.h>

#include "cpu/flags.h"
#include "cpu/state.h"
#include "tests/unit/cpu_rig.h"

Suite *jit_x87_suite(void);

enum {
    CODE = 0x4000,
    DATA = 0xffe000, /* the last two pages that are mapped */
    DATA_SIZE = 0x2000,
    HANDLER = 0x6000,
};

struct random {
    u64 s;
};

static u64 next(struct random *r)
{
    r->s ^= r->s << 13;
    r->s ^= r->s >> 7;
    r->s ^= r->s << 17;
    return r->s * 0x2545f4914f6cdd1dull;
}

static unsigned below(struct random *r, unsigned n)
{
    return (unsigned)((next(r) >> 33) % n);
}

struct program {
    u8 bytes[2048];
    unsigned len;
    bool wide;
    bool calm; /* no faults: long runs */
    u32 at;    /* among the data: stores beside the code and into it */
};

static void put(struct program *p, const void *bytes, unsigned n)
{
    memcpy(p->bytes + p->len, bytes, n);
    p->len += n;
}

static void put8(struct program *p, unsigned v)
{
    p->bytes[p->len++] = (u8)v;
}

/* ModRM for [RBX + disp32], sometimes with an index, RBP or a segment's other register. */
static void put_mem(struct program *p, struct random *r, unsigned digit)
{
    i32 disp = (i32)below(r, DATA_SIZE - 128);
    if (below(r, 8) == 0) disp &= ~15;
    if (!p->calm && below(r, 60) == 0) disp = DATA_SIZE - (i32)below(r, 12); /* over the end */
    if (below(r, 20) == 0) disp = 0x1000 - (i32)below(r, 12);                /* over two pages */
    unsigned base = below(r, 6) == 0 ? 5 : 3; /* RBP: stack segment */
    put8(p, 0x80 | digit << 3 | base);
    put(p, &disp, 4);
}

static void x87_insn(struct program *p, struct random *r)
{
    unsigned op = 0xd8 + below(r, 8), digit = below(r, 8);
    if (below(r, 12) == 0) {
        static const u8 loads[] = { 0xe8, 0xeb, 0xee, 0xe9, 0xea, 0xec, 0xed };
        put8(p, 0xd9), put8(p, loads[below(r, sizeof(loads))]);
        return;
    }
    if (below(r, 2)) {
        /* environments and saved states are rare: they unmask and misplace everything */
        bool state = (op == 0xd9 && (digit == 4 || digit == 5)) || (op == 0xdd && digit == 4);
        if (state && (p->calm || below(r, 6))) digit = 0;
        put8(p, op);
        put_mem(p, r, digit);
        return;
    }
    unsigned modrm = 0xc0 | below(r, 64);
    if (op == 0xdb && modrm == 0xe3 && below(r, 4)) modrm = 0xc1; /* FNINIT */
    put8(p, op);
    put8(p, modrm);
}

/* FNSTENV, something, and mostly FLDENV of the same. */
static void environment(struct program *p, struct random *r)
{
    i32 disp = (i32)below(r, DATA_SIZE - 128);
    if (!p->calm && below(r, 6) == 0) disp = 0x1000 - (i32)below(r, 28);
    if (below(r, 16) == 0) put8(p, 0x66);
    put8(p, 0xd9), put8(p, 0x80 | 6 << 3 | 3);
    put(p, &disp, 4);
    for (unsigned n = below(r, 3); n; n--) x87_insn(p, r);
    put8(p, 0xd9), put8(p, 0x80 | 4 << 3 | 3);
    put(p, &disp, 4);
}

/* MMX opcodes with a register or 64 bits of memory, shifts by immediates, MOVD and MOVQ. */
static void mmx_insn(struct program *p, struct random *r)
{
    static const u8 plain[] = { 0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a,
                                0x6b, 0x6f, 0x74, 0x75, 0x76, 0x7f, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5,
                                0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xe1, 0xe2,
                                0xe3, 0xe4, 0xe5, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xef,
                                0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc,
                                0xfd, 0xfe, 0x6e, 0x7e, 0x70, 0xc4, 0xc5, 0xd7, 0xe7, 0x77 };
    static const u8 digits[] = { 2, 4, 6 };
    unsigned k = below(r, 12), op = plain[below(r, sizeof(plain))], reg = below(r, 8);
    bool general = op == 0x6e || op == 0x7e || op == 0xc4 || op == 0xc5 || op == 0xd7;
    /* EAX and EDX, whatever the prefix: others hold addresses and counts */
    if (p->wide && below(r, 3) == 0) put8(p, 0x40 | (below(r, 16) & (general ? 0xa : 0xf)));
    put8(p, 0x0f);
    if (k == 0) { /* 71 to 73 */
        op = 0x71 + below(r, 3);
        put8(p, op);
        put8(p, 0xc0 | digits[below(r, 3)] << 3 | reg);
        put8(p, below(r, 70));
        return;
    }
    if (k == 1) { /* SSSE3 */
        static const u8 more[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x1c, 0x1d, 0x1e };
        put8(p, 0x38), put8(p, more[below(r, sizeof(more))]);
        op = 0;
    } else {
        put8(p, op);
    }
    if (op == 0x77) return;
    if (op == 0xc5 || op == 0xd7)
        put8(p, 0xc0 | (reg & 1) << 4 | below(r, 8));
    else if (op == 0xe7 || below(r, 2))
        put_mem(p, r, reg);
    else
        put8(p, 0xc0 | reg << 3 | (general ? below(r, 2) * 2 : below(r, 8)));
    if (op == 0x70 || op == 0xc4 || op == 0xc5) put8(p, below(r, 256));
}

static void other_insn(struct program *p, struct random *r)
{
    switch (below(r, 16)) {
    case 0: put(p, "\x01\xd0", 2); break;                    /* ADD EAX, EDX */
    case 1: put(p, "\x39\xc2", 2); break;                    /* CMP EDX, EAX */
    case 2: put(p, "\x9e", 1); break;                        /* SAHF */
    case 3: put(p, "\x74\x00", 2); break;                    /* JE +0 */
    case 4: put(p, "\x0f\x92\xc2", 3); break;                /* SETB DL */
    case 5: put(p, "\xdf\xe0\xf6\xc4\x45", 5); break;        /* FNSTSW AX; TEST AH, 45h */
    case 6: put(p, "\x0f\xaf\xd0", 3); break;                /* IMUL EDX, EAX */
    case 7: put8(p, 0x89), put_mem(p, r, 2); break;          /* MOV [m], EDX */
    case 8: put8(p, 0x03), put_mem(p, r, 0); break;          /* ADD EAX, [m] */
    case 9: put(p, "\x0f\x58\xc1", 3); break;                /* ADDPS */
    case 10: put(p, "\x0f\x28", 2), put8(p, 0xc8); break;    /* MOVAPS XMM1, XMM0 */
    case 11: put(p, "\x0f\xfc\xc1", 3); break;               /* PADDB MM0, MM1 */
    case 12: put(p, "\x0f\x6f", 2), put_mem(p, r, 3); break; /* MOVQ MM3, [m] */
    case 13: put(p, "\x0f\x77", 2); break;                   /* EMMS */
    case 14: put(p, "\xd1\xe2", 2); break;                   /* SHL EDX, 1 */
    default: put(p, "\x9b", 1); break;                       /* FWAIT */
    }
}

static void make_program(struct program *p, struct random *r)
{
    unsigned n = 1 + below(r, 60), mmx = below(r, 4), much = below(r, 4) == 0;
    p->len = 0;
    while (n--) {
        unsigned start = p->len;
        if (much && below(r, 3)) {
            mmx_insn(p, r);
            continue;
        }
        if (below(r, 16) == 0) {
            environment(p, r);
            continue;
        }
        if (below(r, 4)) {
            x87_insn(p, r);
            continue;
        }
        do {
            p->len = start;
            other_insn(p, r);
        } while (mmx && p->bytes[start] == 0x0f &&
                 (p->bytes[start + 1] == 0xfc || p->bytes[start + 1] == 0x6f));
        if (p->bytes[start] == 0x74) { /* over one more instruction */
            x87_insn(p, r);
            p->bytes[start] = (u8)(0x70 | below(r, 16));
            p->bytes[start + 1] = (u8)(p->len - start - 2);
        }
    }
    put(p, "\xff\xce", 2); /* DEC ESI */
    i32 back = -(i32)(p->len + 6);
    put(p, "\x0f\x85", 2);
    put(p, &back, 4);
    put(p, "\xf4", 1);
}

static void random_real(struct random *r, u8 *p)
{
    static const u16 exponents[] = { 0,      1,      0x3fff, 0x3ffe, 0x4000, 0x7ffe, 0x7fff,
                                     0x3c01, 0x3f81, 0x43fe, 0x407e, 0x401e, 0x403e };
    u64 mant = next(r);
    if (below(r, 2)) mant |= 1ull << 63;
    if (below(r, 3) == 0) mant &= ~0ull << 40;
    if (below(r, 12) == 0) mant = 1ull << 63;
    if (below(r, 16) == 0) mant = 0;
    st64(p, mant);
    st16(p + 8,
         (u16)((below(r, 3) ? exponents[below(r, LEN(exponents))] : 0x3fff + below(r, 64) - 32) |
               below(r, 2) << 15));
}

static void fill_data(struct random *r, u8 *p)
{
    for (unsigned k = 0; k < DATA_SIZE; k += 16) {
        switch (below(r, 4)) {
        case 0: random_real(r, p + k), st32(p + k + 12, (u32)next(r)); break;
        case 1: {
            double d = (double)(i32)next(r) / 256;
            memcpy(p + k, &d, 8);
            float f = (float)(i32)next(r) / 4096;
            memcpy(p + k + 8, &f, 4);
            st16(p + k + 12, (u16)(0x037f | below(r, 16) << 8));
            break;
        }
        case 2: st64(p + k, next(r)), st64(p + k + 8, next(r)); break;
        default:
            st64(p + k, (u64)(i64)(i16)next(r));
            st16(p + k + 8, (u16)(0x007f | below(r, 16) << 8));
            break;
        }
    }
}

static struct rig *make_rig(const char *engine, bool wide)
{
    struct rig *r = rig_with("max", engine);
    if (wide)
        rig_long(r, 3);
    else
        rig_protected(r, 0);
    return r;
}

static void start_state(struct random *r, struct rig *g, const struct program *p)
{
    struct cpu *c = g->c;
    if (p->wide)
        rig_long(g, 3);
    else
        rig_protected(g, 0);
    for (unsigned v = 0; v < 32; v++) {
        if (p->wide)
            rig_gate64(g, v, 0x18, HANDLER, 0x8e, 0);
        else
            rig_gate(g, v, 0x08, HANDLER, 0x8e);
    }
    c->cr0 |= CR0_NE | CR0_MP;
    c->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    if (!p->calm && below(r, 20) == 0) c->cr0 |= CR0_TS;
    for (unsigned n = 0; n < 8; n++) {
        u8 raw[10];
        random_real(r, raw);
        c->fpr[n].mant = ld64(raw);
        c->fpr[n].se = ld16(raw + 8);
    }
    c->fcw = (u16)(0x7f | below(r, 32) << 8);
    if (!p->calm && below(r, 10) == 0) c->fcw &= (u16)~BIT(below(r, 6));
    c->fsw = (u16)(next(r) & 0x477f) | (u16)(below(r, 8) << 11);
    if (below(r, 3)) c->fsw &= 0x3800;
    if (c->fsw & ~c->fcw & 0x3f) c->fsw |= 0x8080;
    unsigned top = c->fsw >> 11 & 7, used = below(r, 9);
    c->ftw = 0;
    for (unsigned n = 0; n < used; n++) c->ftw |= (u8)BIT((top + n) & 7);
    if (below(r, 6) == 0) c->ftw = (u8)next(r);
    c->fop = (u16)below(r, 0x800);
    c->fip = (u32)next(r);
    c->fdp = (u32)next(r);
    c->fcs = 0x1111;
    c->fds = 0x2222;
    c->mxcsr = 0x1f80;
    c->r[RBX] = c->r[RBP] = DATA;
    c->r[RSI] = 1 + below(r, 6);
    c->r[RAX] = (u32)next(r);
    c->r[RDX] = (u32)next(r);
    c->rip = p->at;
    c->halted = c->shutdown = false;
    c->events = 0;
    c->fault_vector = c->fault_error = 0;
    for (unsigned n = 0; n < 4; n++) c->v[n].q[0] = c->v[n].q[1] = next(r) & 0x3fffffff3fffffff;
}

/* Both rigs from the same random numbers. */
static void start(struct random *r, struct rig *g, const struct program *p)
{
    static const u8 halt[] = { 0xf4 };
    fill_data(r, g->bytes + DATA);
    ram_written(&g->ram, DATA, DATA_SIZE);
    rig_code(g, p->at, p->bytes, p->len);
    rig_code(g, HANDLER, halt, 1);
    start_state(r, g, p);
}

#define SAME(field)                                                                                \
    ck_assert_msg(a->field == b->field, "%s: %s %llx, interpreter %llx", what, #field,             \
                  (unsigned long long)b->field, (unsigned long long)a->field)

static void compare(const struct rig *ra, const struct rig *rb, const char *what)
{
    struct cpu *a = ra->c, *b = rb->c;
    SAME(rip);
    SAME(fcw);
    SAME(fsw);
    SAME(ftw);
    SAME(fop);
    SAME(fip);
    SAME(fdp);
    SAME(fcs);
    SAME(fds);
    SAME(mxcsr);
    SAME(cr2);
    SAME(halted);
    SAME(shutdown);
    for (unsigned n = 0; n < 8; n++) {
        SAME(fpr[n].mant);
        SAME(fpr[n].se);
    }
    for (unsigned n = 0; n < 16; n++) {
        SAME(r[n]);
        SAME(v[n].q[0]);
        SAME(v[n].q[1]);
    }
    ck_assert_msg(cpu_flags(a) == cpu_flags(b), "%s: flags %x, interpreter %x", what,
                  (unsigned)cpu_flags(b), (unsigned)cpu_flags(a));
    ck_assert_msg(cpu_icount(a) == cpu_icount(b), "%s: count", what);
    ck_assert_msg(!memcmp(ra->bytes + DATA, rb->bytes + DATA, DATA_SIZE), "%s: memory", what);
    ck_assert_msg(!memcmp(ra->bytes + 0x7000, rb->bytes + 0x7000, 0x4000), "%s: stack", what);
}

static void run_one(u64 seed, struct rig *const g[2], bool wide, const char *engine)
{
    struct random r = { seed * 0x9e3779b97f4a7c15ull ^ 0x5851f42d4c957f2dull }, twin;
    struct program p = { .wide = wide };
    char what[4400];
    p.calm = below(&r, 2);
    p.at = wide && below(&r, 4) == 0 ? DATA + 0x600 + below(&r, 0x100) : CODE;
    make_program(&p, &r);
    twin = r;
    start(&r, g[0], &p);
    start(&twin, g[1], &p);
    int n = snprintf(what, sizeof(what), "seed %llu, %s, %u bits:", (unsigned long long)seed,
                     engine, wide ? 64u : 32u);
    for (unsigned k = 0; k < p.len; k++)
        n += snprintf(what + n, sizeof(what) - (unsigned)n, "%02x", p.bytes[k]);
    for (unsigned slice = 0; slice < 40; slice++) {
        u64 budget = below(&r, 5) ? 1000 : 1 + below(&r, 40);
        enum cpu_stop a = cpu_run(g[0]->c, budget), b = cpu_run(g[1]->c, budget);
        ck_assert_msg(a == b, "%s: stop %d, interpreter %d", what, b, a);
        compare(g[0], g[1], what);
        if (a == CPU_HALTED || a == CPU_SHUTDOWN) break;
    }
}

static u64 number(const char *name, u64 otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

static const char *const engines[] = { "jit,hot=0", "jit,hot=0,ops=1", "jit,hot=0,ops=5",
                                       "jit,hot=0,links=off,table=off", "lockstep,hot=0" };

START_TEST(random_programs)
{
    const char *engine = engines[_i / 2];
    bool wide = _i & 1;
    u64 seed = number("AEROPC_X87_SEED", 1), rounds = number("AEROPC_X87_ROUNDS", 1500);
    struct rig *g[2] = { make_rig("interp", wide), make_rig(engine, wide) };
    for (u64 k = 0; k < rounds; k++) run_one(seed + k + 1000000 * (u64)_i, g, wide, engine);
    rig_free(g[0]);
    rig_free(g[1]);
}
END_TEST

Suite *jit_x87_suite(void)
{
    Suite *s = suite_create("jit_x87");
    TCase *t = tcase_create("differential");
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, random_programs, 0, 2 * (int)LEN(engines));
    suite_add_tcase(s, t);
    return s;
}
