/* Random code on a processor with memory and nothing else (tests/unit/cpu_rig.h): real, protected
 * (16 and 32 bit), virtual-8086 and long mode; random descriptors, gates, page tables, registers,
 * model-specific registers, interrupts of every kind, code that writes code, and the monitor's
 * queries in between. One seed is one processor and ROUNDS set-ups.
 *
 * A third of the set-ups run random bytes as they are, and data is random bytes everywhere. In the
 * others most bytes are made as instructions (prefixes, opcode map, ModRM, small displacements),
 * else nearly all of them would end at the first undefined opcode. Apart from crashes it is
 * checked that cpu_run keeps to its budget and that RIP and CPL stay what the mode allows. */
#include "tests/fuzz/fuzz.h"

/* The rig's assertions speak to libcheck's runner, which is not here. */
#include <check.h>
#undef ck_assert_int_eq
#undef ck_assert_msg
#define ck_assert_int_eq(a, b) check((a) == (b))
#define ck_assert_msg(cond, ...) check(cond)
#include "tests/unit/cpu_rig.h"

enum {
    ROUNDS = 24,
    CODE = 0x4000,
    CODE_LEN = 0x3000,
    TABLES = 0x10000,
    DATA = 0x20000,
    DATA_LEN = 0x20000,
    BYTES_LEN = 0xe0000, /* random bytes from DATA on, wherever wild jumps go */
    SLICE = 3000,
    LONG_STRING = 0x1000
};

struct fuzz {
    struct rng rng;
    struct rig *r;
    struct cpu *c;
    bool raw; /* this set-up's code is bytes without any form */
};

static u64 any_address(struct fuzz *f)
{
    struct rng *r = &f->rng;
    switch (rnd(r, 12)) {
    case 0: return rnd_value(r);
    case 1: return RIG_GDT + rnd(r, 0x2800);                 /* descriptor tables, TSS, IDT */
    case 2: return TABLES + rnd(r, 0x8000);                  /* page tables */
    case 3: return 0xfee00000 + rnd(r, 0x1000);              /* local APIC */
    case 4: return RIG_RAM - rnd(r, 64);                     /* end of RAM */
    case 5: return (u64)rnd(r, 0x100) * 0x1000 - rnd(r, 16); /* page boundaries, below 0 too */
    case 6: return (one_in(r, 2) ? 0x7fffffffffffull : 0xffff800000000000ull) + rnd(r, 16) - 8;
    case 7: return CODE + rnd(r, CODE_LEN);
    default: return DATA + rnd(r, DATA_LEN);
    }
}

/* --- code --- */

static unsigned put_bytes(u8 *p, u64 v, unsigned n)
{
    st_n(p, v, n);
    return n;
}

/* ModRM, SIB and displacement for address size 16 or 32/64, chosen without looking. */
static unsigned put_modrm(struct fuzz *f, u8 *p)
{
    struct rng *r = &f->rng;
    unsigned n = 0;
    u8 modrm = (u8)(rnd64(r) | (one_in(r, 2) ? 0xc0 : 0));
    p[n++] = modrm;
    if (one_in(r, 2) && modrm < 0xc0 && (modrm & 7) == 4) p[n++] = (u8)rnd64(r);
    if (modrm >> 6 == 1) p[n++] = (u8)rnd64(r);
    if (modrm >> 6 == 2 || (modrm & 0xc7) == 5) n += put_bytes(p + n, any_address(f), 4);
    return n;
}

/* Sequences that random bytes seldom form: system state with a chosen value. */
static unsigned put_system(struct fuzz *f, u8 *p)
{
    static const u32 msrs[] = { 0x10,       0x1b,       0x3a,       0x8b,       0x9b,
                                0xfe,       0x174,      0x175,      0x176,      0x179,
                                0x17a,      0x1a0,      0x1d9,      0x200,      0x201,
                                0x20f,      0x250,      0x258,      0x26f,      0x277,
                                0x2ff,      0x400,      0x401,      0x413,      0x6e0,
                                0x802,      0x830,      0xc0000080, 0xc0000081, 0xc0000082,
                                0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102,
                                0xc0000103, 0x38d,      0xc1,       0x186 };
    static const u8 crs[] = { 0xc0, 0xd0, 0xd8, 0xe0 }; /* ModRM of CR0, CR2, CR3, CR4 with EAX */
    struct rng *r = &f->rng;
    unsigned n = 0;
    switch (rnd(r, 7)) {
    case 0: /* mov ecx, msr; mov eax, v; mov edx, v; wrmsr or rdmsr */
        p[n++] = 0xb9, n += put_bytes(p + n, one_in(r, 8) ? rnd64(r) : msrs[rnd(r, LEN(msrs))], 4);
        p[n++] = 0xb8, n += put_bytes(p + n, rnd_value(r), 4);
        p[n++] = 0xba, n += put_bytes(p + n, one_in(r, 2) ? 0 : rnd_value(r), 4);
        p[n++] = 0x0f, p[n++] = one_in(r, 3) ? 0x32 : 0x30;
        return n;
    case 1: /* mov eax, v; mov crN, eax */
        p[n++] = 0xb8, n += put_bytes(p + n, one_in(r, 2) ? any_address(f) : rnd_value(r), 4);
        p[n++] = 0x0f, p[n++] = 0x22, p[n++] = crs[rnd(r, LEN(crs))];
        return n;
    case 2: /* mov eax, crN; btc eax, bit; mov crN, eax */
        p[n++] = 0x0f, p[n++] = 0x20, p[n] = crs[rnd(r, LEN(crs))];
        n++;
        p[n++] = 0x0f, p[n++] = 0xba, p[n++] = 0xf8, p[n++] = (u8)rnd(r, 32);
        p[n++] = 0x0f, p[n++] = 0x22, p[n] = p[n - 7];
        return n + 1;
    case 3: /* mov eax, address; mov drN, eax: breakpoints */
        p[n++] = 0xb8, n += put_bytes(p + n, one_in(r, 2) ? any_address(f) : rnd_value(r), 4);
        p[n++] = 0x0f, p[n++] = 0x23, p[n++] = (u8)(0xc0 | rnd(r, 8) << 3);
        return n;
    case 4: /* mov eax, selector; mov sreg, ax */
        p[n++] = 0xb8, n += put_bytes(p + n, rnd(r, 0x68), 4);
        p[n++] = 0x8e, p[n++] = (u8)(0xc0 | rnd(r, 6) << 3);
        return n;
    case 5: /* jmp or call selector:offset */
        p[n++] = one_in(r, 2) ? 0xea : 0x9a;
        n += put_bytes(p + n, CODE + rnd(r, CODE_LEN), one_in(r, 2) ? 2 : 4);
        return n + put_bytes(p + n, rnd(r, 0x68), 2);
    default: /* int n, iret, sysenter, syscall, hlt, sti, cli, popf, rsm ... */
        switch (rnd(r, 8)) {
        case 0: return put_bytes(p, 0xcd | (u64)rnd(r, 256) << 8, 2);
        case 1: return put_bytes(p, 0xcf, 1);
        case 2: return put_bytes(p, 0x340f + (rnd(r, 2) << 8), 2);
        case 3: return put_bytes(p, 0x050f + (rnd(r, 2) << 9), 2);
        case 4: return put_bytes(p, 0xf4, 1);
        case 5: return put_bytes(p, 0xfb - rnd(r, 2), 1);
        case 6: return put_bytes(p, 0x9d, 1);
        default: return put_bytes(p, 0xcf48, 2);
        }
    }
}

static unsigned put_insn(struct fuzz *f, u8 *p)
{
    static const u8 prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e,
                                   0x36, 0x26, 0x64, 0x65, 0x66, 0xf3 };
    /* Where the three-byte maps are populated. */
    static const u8 map38[] = { 0x00, 0x04, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0xd8, 0xf0 };
    static const u8 map3a[] = { 0x08, 0x0c, 0x14, 0x20, 0x40, 0x44, 0x60, 0xdc };
    struct rng *r = &f->rng;
    unsigned n = 0;
    if (one_in(r, 8)) return put_system(f, p);
    if (one_in(r, 40)) return put_bytes(p, rnd64(r), 8);
    if (one_in(r, 16)) { /* VEX: AVX in all maps, BMI */
        if (one_in(r, 2)) n = put_bytes(p, 0xc5 | rnd(r, 256) << 8, 2);
        else n = put_bytes(p, 0xc4 | (0xe1 + rnd(r, 3)) << 8 | rnd(r, 256) << 16, 3);
        p[n++] = one_in(r, 4) ? (u8)(0xf0 + rnd(r, 8)) : (u8)rnd64(r);
        n += put_modrm(f, p + n);
        return n + put_bytes(p + n, rnd64(r), 1);
    }
    if (one_in(r, 3)) p[n++] = 0x66;
    while (n < 6 && one_in(r, 4)) p[n++] = prefixes[rnd(r, LEN(prefixes))];
    if (one_in(r, 4)) p[n++] = (u8)(0x40 | rnd(r, 16));
    switch (rnd(r, 8)) {
    case 0:
        p[n++] = 0x0f, p[n++] = 0x38;
        p[n++] = one_in(r, 8) ? (u8)rnd64(r) : map38[rnd(r, LEN(map38))] + rnd(r, 8);
        break;
    case 1:
        p[n++] = 0x0f, p[n++] = 0x3a;
        p[n++] = one_in(r, 8) ? (u8)rnd64(r) : map3a[rnd(r, LEN(map3a))] + rnd(r, 4);
        n += put_modrm(f, p + n);
        return n + put_bytes(p + n, rnd64(r), 1);
    case 2:
    case 3: p[n++] = 0x0f, p[n++] = (u8)rnd64(r); break;
    case 4: p[n++] = (u8)(0xd8 | rnd(r, 8)); break;                         /* x87 */
    case 5: p[n++] = (u8)((one_in(r, 2) ? 0xa4 : 0x6c) + rnd(r, 4)); break; /* strings */
    default: p[n++] = (u8)rnd64(r);
    }
    n += put_modrm(f, p + n);
    if (one_in(r, 3)) n += put_bytes(p + n, rnd_value(r), any_address(f) & 1 ? 1 : 4);
    return n;
}

static void make_code(struct fuzz *f)
{
    u8 *p = f->r->bytes + CODE;
    if (f->raw) {
        rnd_fill(&f->rng, p, CODE_LEN + 32);
        ram_written(&f->r->ram, CODE, CODE_LEN + 32);
        return;
    }
    for (unsigned n = 0; n < CODE_LEN;) n += put_insn(f, p + n);
    ram_written(&f->r->ram, CODE, CODE_LEN + 32);
}

/* --- tables --- */

static void any_descriptor(struct fuzz *f, u32 at)
{
    struct rng *r = &f->rng;
    rig_desc(f->r, at, one_in(r, 2) ? 0 : (u32)any_address(f),
             one_in(r, 2) ? 0xfffff : (u32)rnd_value(r), (u8)(0x80 | rnd64(r)), (u8)rnd(r, 16));
}

static void make_tables(struct fuzz *f)
{
    static const u16 code[] = { 0x08, 0x18, 0x23, 0x33, 0x48 };
    struct rng *r = &f->rng;
    bool wide = f->c->efer & EFER_LMA;
    for (unsigned k = rnd(r, 6); k; k--) any_descriptor(f, RIG_GDT + 8 * (1 + rnd(r, 31)));
    for (unsigned v = 0; v < 256; v++) {
        if (v >= 32 && !one_in(r, 4)) continue;
        u16 sel = one_in(r, 12) ? (u16)rnd64(r) : code[rnd(r, LEN(code))];
        u8 rights = one_in(r, 12) ? (u8)rnd64(r) : (u8)(0x8e | rnd(r, 2) | rnd(r, 4) << 5);
        u64 to = CODE + rnd(r, CODE_LEN);
        if (one_in(r, 20)) rights = 0x85, sel = 0x38; /* task gate */
        if (wide)
            rig_gate64(f->r, v, sel, one_in(r, 20) ? rnd64(r) : to, rights,
                       (u8)(one_in(r, 4) ? rnd(r, 8) : 0));
        else
            rig_gate(f->r, v, sel, (u32)to, rights);
    }
    if (one_in(r, 3)) rnd_fill(r, f->r->bytes + RIG_TSS, one_in(r, 2) ? 0x68 : 32);
    for (unsigned k = 0; k < 256; k++)
        st32(f->r->bytes + k * 4, CODE / 16 << 16 | rnd(r, CODE_LEN)); /* real-mode vectors */
    rnd_fill(r, f->r->bytes + DATA, DATA_LEN);
    ram_written(&f->r->ram, 0, DATA + DATA_LEN);
}

/* A page table entry that mostly maps RAM; big: a large page at that level. */
static u64 any_entry(struct fuzz *f, u64 good)
{
    struct rng *r = &f->rng;
    u64 e = one_in(r, 6) ? any_address(f) & ~0xfffull : good & ~0xfffull;
    e |= one_in(r, 6) ? rnd(r, 0x1000) : 7 | rnd(r, 8) << 5;
    if (one_in(r, 12)) e &= ~1ull;
    if (one_in(r, 12)) e |= BIT64(63);
    if (one_in(r, 40)) e |= rnd64(r) << 36;
    return e;
}

/* 32-bit paging with 4 KiB or 4 MiB pages, or PAE, set up as a kernel would and then damaged here
 * and there. */
static void page_protected(struct fuzz *f)
{
    struct rng *r = &f->rng;
    struct cpu *c = f->c;
    u8 *b = f->r->bytes;
    if (one_in(r, 2)) {
        for (unsigned k = 0; k < 1024; k++)
            st32(b + TABLES + k * 4,
                 k < 4 ? (u32)k << 22 | 0x87 : (u32)any_entry(f, 0x14000 + (k & 3) * 0x1000));
        for (unsigned k = 0; k < 4096; k++) st32(b + 0x14000 + k * 4, (u32)any_entry(f, k << 12));
        if (one_in(r, 2)) st32(b + TABLES, 0x14007);
        c->cr4 = CR4_PSE | (one_in(r, 2) ? CR4_PGE : 0);
        c->cr3 = TABLES;
    } else {
        for (unsigned k = 0; k < 4; k++) st64(b + 0x11000 + k * 8, (0x12000ull + k * 0x1000) | 1);
        for (unsigned k = 0; k < 2048; k++)
            st64(b + 0x12000 + k * 8, k < 8 ? (u64)k << 21 | 0x87 : any_entry(f, 0x16000));
        for (unsigned k = 0; k < 512; k++) st64(b + 0x16000 + k * 8, any_entry(f, k << 12));
        if (one_in(r, 2)) st64(b + 0x12000, 0x16007);
        c->cr4 = CR4_PAE | CR4_PGE;
        c->cr3 = 0x11000;
        for (unsigned k = 0; k < 4; k++) c->pdpte[k] = ld64(b + 0x11000 + k * 8);
        c->efer |= one_in(r, 2) ? EFER_NXE : 0;
    }
    ram_written(&f->r->ram, TABLES, 0x8000);
    c->cr0 |= CR0_PG | (one_in(r, 2) ? CR0_WP : 0);
    tlb_flush_all(c);
    cpu_update_mode(c);
}

static void page_long(struct fuzz *f)
{
    struct rng *r = &f->rng;
    u8 *b = f->r->bytes;
    for (unsigned k = 8; k < 512; k++)
        st64(b + 0x12000 + k * 8,
             one_in(r, 2) ? any_entry(f, 0x13000) : any_entry(f, k << 21) | 0x80);
    for (unsigned k = 0; k < 512; k++) st64(b + 0x13000 + k * 8, any_entry(f, k << 12));
    st64(b + 0x12000, one_in(r, 2) ? 0x13007 : 0x87);
    for (unsigned k = 1; k < 512; k++) st64(b + 0x11000 + k * 8, any_entry(f, 0x12000));
    for (unsigned k = 1; k < 512; k++) st64(b + 0x10000 + k * 8, any_entry(f, 0x11000));
    ram_written(&f->r->ram, TABLES, 0x8000);
    tlb_flush_all(f->c);
}

/* --- a processor in some mode --- */

static void make_registers(struct fuzz *f)
{
    struct rng *r = &f->rng;
    struct cpu *c = f->c;
    bool wide = c->bits == BITS64;
    for (unsigned k = 0; k < (wide ? 16 : 8); k++) {
        u64 v = one_in(r, 3) ? rnd_value(r) : any_address(f);
        c->r[k] = wide ? v : (u32)v;
    }
    if (!one_in(r, 4)) c->r[RCX] = rnd(r, 64); /* mostly short string instructions */
    if (!one_in(r, 8)) c->r[RSP] = DATA + 0x1000 + rnd(r, 0x8000);
    c->rip = CODE + rnd(r, CODE_LEN - 64);
    cpu_set_flags(c, (u32)rnd64(r) & (FL_ARITH | FL_IF | FL_DF | FL_AC | FL_NT | FL_IOPL | FL_ID |
                                      (one_in(r, 8) ? FL_TF | FL_RF : 0)));
    rnd_fill(r, c->v, sizeof(c->v));
    for (unsigned k = 0; k < 8; k++) c->fpr[k] = (struct f80){ rnd_value(r), (u16)rnd_value(r) };
    c->ftw = (u8)rnd64(r);
    c->fcw = (u16)(one_in(r, 2) ? 0x37f : 0x40 | (rnd(r, 0x10000) & 0xf3f));
    c->mxcsr = one_in(r, 2) ? 0x1f80 : rnd(r, 0x10000);
}

static void set_mode(struct fuzz *f)
{
    struct rng *r = &f->rng;
    struct cpu *c = f->c;
    cpu_reset(c);
    switch (rnd(r, 6)) {
    case 0: /* real mode */
        for (unsigned s = 0; s < SEG_COUNT; s++)
            c->seg[s] = (struct seg){ 0, 0xffff, 0, s == SEG_CS ? 0x9b : 0x93 };
        c->cr0 = CR0_ET;
        break;
    case 1:
    case 2: /* protected, maybe paged, maybe 16-bit */
        rig_protected(f->r, one_in(r, 2) ? 3 : rnd(r, 4) & 3 ? 0 : 3);
        c->cr4 = (one_in(r, 4) ? 0 : CR4_OSFXSR | CR4_OSXMMEXCPT);
        if (one_in(r, 2)) page_protected(f);
        if (one_in(r, 3)) c->seg[SEG_CS].attr &= (u16)~ATTR_D, c->seg[SEG_SS].attr &= (u16)~ATTR_D;
        break;
    case 3: /* virtual-8086 */
        rig_protected(f->r, 3);
        if (one_in(r, 2)) page_protected(f);
        for (unsigned s = 0; s < SEG_COUNT; s++) c->seg[s] = (struct seg){ 0, 0xffff, 0, 0xf3 };
        c->cr4 |= one_in(r, 2) ? CR4_VME : 0;
        break;
    default:
        rig_long(f->r, one_in(r, 3) ? 3 : 0);
        if (one_in(r, 2)) page_long(f);
        if (one_in(r, 4))
            rig_set_seg(c, SEG_CS, c->cpl ? 0x23 : 0x08,
                        (u16)(0xc09b | c->cpl << 5)); /* compatibility */
        c->cr4 |= (one_in(r, 4) ? 0 : CR4_OSFXSR | CR4_OSXMMEXCPT) | (one_in(r, 4) ? CR4_DE : 0);
    }
    if (cpu_has(c, FT_XSAVE) && !one_in(r, 4)) {
        c->cr4 |= CR4_OSXSAVE;
        c->xcr0 = one_in(r, 4) ? 3 : 7;
    }
    bool v86 = c->cpl == 3 && c->seg[SEG_CS].attr == 0xf3;
    cpu_update_mode(c);
    make_tables(f);
    make_registers(f);
    if (v86) cpu_set_flags(c, cpu_flags(c) | FL_VM);
    cpu_update_mode(c);
    tlb_flush_all(c);
    cpu_update_intr(c);
}

/* --- the outside world --- */

static void disturb(struct fuzz *f)
{
    struct rng *r = &f->rng;
    struct cpu *c = f->c;
    u8 bytes[64];
    u64 gpa;
    switch (rnd(r, 10)) {
    case 0: f->r->intack_vector = rnd(r, 256), cpu_set_intr(c, true); break;
    case 1: cpu_nmi(c); break;
    case 2:
        if (one_in(r, 4)) cpu_smi(c);
        break;
    case 3: cpu_set_a20(c, one_in(r, 2)); break;
    case 4: /* DMA, into code too */
        gpa = any_address(f);
        rnd_fill(r, bytes, sizeof(bytes));
        dma_write(&f->r->mem, gpa, bytes, rnd(r, sizeof(bytes)));
        break;
    case 5: bus_write(&f->r->mem, 0xfee00000 + rnd(r, 0x40) * 16, rnd_value(r), 4); break;
    case 6:
        bus_write(&f->r->mem, 0xfee00000 + (rnd(r, 16) << 12), rnd(r, 0x10000), 4);
        break; /* message interrupt */
    case 7: clock_advance(&f->r->clock, rnd(r, 20000)); break;
    case 8:
        if (one_in(r, 2))
            cpu_break_add(c, any_address(f));
        else
            cpu_break_del(c, c->nbreaks ? c->breaks[0] : 0);
        break;
    default: make_code(f);
    }
}

static void look(struct fuzz *f)
{
    struct text t;
    u8 buf[64];
    u64 gpa;
    bool ok;
    text_init(&t);
    cpu_info_registers(f->c, &t);
    cpu_info_apic(f->c, &t);
    cpu_info_stats(f->c, &t);
    cpu_info_page_walk(f->c, any_address(f), &t);
    cpu_disasm(f->c, cpu_pc_linear(f->c), &t);
    cpu_disasm(f->c, any_address(f), &t);
    cpu_peek_linear(f->c, any_address(f), buf, rnd(&f->rng, sizeof(buf)));
    cpu_translate(f->c, any_address(f), &gpa);
    cpu_get_reg(f->c, "rip", &ok);
    text_free(&t);
}

static void wrong(struct fuzz *f, const char *what)
{
    struct text t;
    text_init(&t);
    cpu_info_registers(f->c, &t);
    fprintf(stderr, "fuzz_cpu: %s\n%s", what, t.s ? t.s : "");
    abort();
}

static void run(struct fuzz *f)
{
    struct cpu *c = f->c;
    u64 before = cpu_icount(c), budget = 1 + rnd(&f->rng, SLICE);
    enum cpu_stop stop = cpu_run(c, budget);
    u64 used = cpu_icount(c) - before;
    /* Long string instructions count as more than one, the last of them beyond the slice. */
    if (used > budget + LONG_STRING)
        wrong(f, "more instructions were counted than the budget allowed");
    if (stop == CPU_BUDGET && used < budget)
        wrong(f, "the budget was used up, but the count says otherwise");
    if (c->cpl > 3 || c->zero) wrong(f, "impossible state");
    /* R8 to R15 keep their values in SMM, and RSM may return to a mode without them. */
    if (!c->long_mode && c->rip >> 32) wrong(f, "64-bit RIP outside long mode");
    if ((c->rflags & FL_VM) && c->cpl != 3) wrong(f, "virtual-8086 mode with CPL below 3");
    if (stop == CPU_SHUTDOWN) set_mode(f);
}

static u64 fuzz_one(u64 seed)
{
    static const char *const models[] = { "win7", "qemu64", "max" };
    struct fuzz f = { .rng = { seed } };
    f.r = rig_new(models[rnd(&f.rng, 3)]);
    f.c = f.r->c;
    rnd_fill(&f.rng, f.r->bytes + DATA, BYTES_LEN);
    for (unsigned n = 0; n < ROUNDS; n++) {
        f.raw = one_in(&f.rng, 3);
        make_code(&f);
        set_mode(&f);
        for (unsigned k = 0; k < 12; k++) {
            run(&f);
            if (one_in(&f.rng, 2)) disturb(&f);
            if (one_in(&f.rng, 12)) look(&f);
            if (one_in(&f.rng, 3)) make_registers(&f);
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
