/* Random code on a whole machine (fuzz_machine.h), in every mode: real, virtual-8086, 16- and
 * 32-bit protected with and without paging, 64-bit and compatibility. Low memory holds the code,
 * the rest of it random data; descriptor tables and page tables are sound at the start. The PIC is
 * programmed and the timer ticks, so that interrupts arrive; virtual time moves by 10 ns per
 * instruction. Half of the code is bytes without any form, half of it instructions that speak to
 * devices: port accesses, string port accesses and stores into device memory mixed with random
 * bytes.
 *
 * One seed is one machine and ROUNDS set-ups. A machine with nothing but the processor is
 * fuzz_cpu.c, one whose devices are pressed harder without code is fuzz_board.c. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "cpu/exec.h"
#include "cpu/seg.h"
#include "machine/board/board.h"
#include "machine/machine.h"
#include "tests/fuzz/fuzz_machine.h"

enum {
    ROUNDS = 12,
    SLICES = 12,
    SLICE = 20000,
    GDT = 0x1000,
    TSS = 0x2000,
    IDT = 0x3000,
    CODE = 0x4000,
    CODE_END = 0x88000,
    TABLES = 0x90000, /* page tables */
    LOW_END = 0x9f000,
    NS_PER_INSN = 10
};
enum { SEL_CODE32 = 0x08, SEL_DATA = 0x10, SEL_CODE64 = 0x18, SEL_CODE16 = 0x20, SEL_TSS = 0x28,
       SEL_USER32 = 0x33, SEL_USERDATA = 0x3b, SEL_USER64 = 0x43, GDT_LEN = 0x50 };

struct fuzz {
    struct rng rng;
    struct machine *m;
    struct cpu *c;
};

/* --- code --- */

static unsigned put(u8 *p, u64 v, unsigned n)
{
    st_n(p, v, n);
    return n;
}

static u16 any_port(struct fuzz *f)
{
    struct bus *io = &f->m->io;
    bus_find(io, 0);
    const struct bus_range *r = &io->map[rnd(&f->rng, io->map_len)];
    if (!one_in(&f->rng, 8) && (r->rd || r->wr))
        return (u16)(r->base + rnd(&f->rng, (u32)(r->last - r->base + 1)));
    return (u16)rnd(&f->rng, 0x400);
}

static u32 device_memory(struct fuzz *f)
{
    static const u32 at[] = { 0xa0000, 0xb8000, 0xc0000, 0xf0000, 0xfec00000, 0xfee00000,
                              0xfed00000, 0xe0000000, 0xff000000 };
    return at[rnd(&f->rng, LEN(at))] + rnd(&f->rng, one_in(&f->rng, 2) ? 0x40 : 0x1000);
}

/* Instructions of 32-bit code that name a device; other modes make something else of the bytes. */
static unsigned put_device_code(struct fuzz *f, u8 *p)
{
    struct rng *r = &f->rng;
    unsigned n = 0;
    switch (rnd(r, 6)) {
    case 0: /* mov dx, port; mov al, v; out or in */
        p[n++] = 0x66, p[n++] = 0xba, n += put(p + n, any_port(f), 2);
        p[n++] = 0xb8, n += put(p + n, rnd_value(r), 4);
        p[n++] = (u8)(0xec + rnd(r, 4));
        return n;
    case 1: /* the same in 16-bit code */
        p[n++] = 0xba, n += put(p + n, any_port(f), 2);
        p[n++] = 0xb8, n += put(p + n, rnd_value(r), 2);
        p[n++] = (u8)(0xec + rnd(r, 4));
        return n;
    case 2: /* in, out with an immediate port */
        p[n++] = (u8)(0xe4 + rnd(r, 4)), p[n++] = (u8)any_port(f);
        return n;
    case 3: /* mov ecx, few; rep ins, outs */
        p[n++] = 0xb9, n += put(p + n, rnd(r, 600), 4);
        p[n++] = 0xf3, p[n++] = (u8)(0x6c + rnd(r, 4));
        return n;
    case 4: /* mov edi, device; mov ecx, few; rep stos, movs */
        p[n++] = 0xbf, n += put(p + n, device_memory(f), 4);
        p[n++] = 0xb9, n += put(p + n, rnd(r, 200), 4);
        p[n++] = 0xf3, p[n++] = (u8)(one_in(r, 2) ? 0xaa + rnd(r, 2) : 0xa4 + rnd(r, 2));
        return n;
    default: /* mov [device], eax; mov eax, [device] */
        p[n++] = (u8)(0xa0 + rnd(r, 4)), n += put(p + n, device_memory(f), 4);
        return n;
    }
}

static void make_code(struct fuzz *f)
{
    u8 *p = f->m->ram;
    rnd_fill(&f->rng, p + CODE, CODE_END - CODE);
    if (one_in(&f->rng, 2)) {
        for (unsigned at = CODE; at < CODE_END - 64;) {
            at += put_device_code(f, p + at);
            at += rnd(&f->rng, 12);
        }
    }
}

/* --- tables --- */

static void put_desc(struct fuzz *f, unsigned sel, u32 base, u32 limit, unsigned access,
                     unsigned flags)
{
    st64(f->m->ram + GDT + (sel & ~7u), (limit & 0xffff) | (u64)(base & 0xffffff) << 16 |
                                            (u64)access << 40 | (u64)(limit >> 16 & 15) << 48 |
                                            (u64)flags << 52 | (u64)(base >> 24) << 56);
}

static u32 somewhere(struct fuzz *f)
{
    return CODE + rnd(&f->rng, CODE_END - CODE);
}

static void make_tables(struct fuzz *f, bool wide)
{
    u8 *p = f->m->ram;
    for (unsigned v = 0; v < 256; v++) st32(p + v * 4, somewhere(f) >> 4 << 16 | rnd(&f->rng, 16));
    memset(p + GDT, 0, 0x2000);
    put_desc(f, SEL_CODE32, 0, 0xfffff, 0x9b, 0xc);
    put_desc(f, SEL_DATA, 0, 0xfffff, 0x93, 0xc);
    put_desc(f, SEL_CODE64, 0, 0xfffff, 0x9b, 0xa);
    put_desc(f, SEL_CODE16, 0, 0xfffff, 0x9b, 0x8);
    put_desc(f, SEL_TSS, TSS, 0x67, 0x8b, 0);
    put_desc(f, SEL_USER32, 0, 0xfffff, 0xfb, 0xc);
    put_desc(f, SEL_USERDATA, 0, 0xfffff, 0xf3, 0xc);
    put_desc(f, SEL_USER64, 0, 0xfffff, 0xfb, 0xa);
    for (unsigned v = 0; v < 256; v++) {
        u64 to = somewhere(f), type = one_in(&f->rng, 2) ? 0xee : 0xef;
        u64 gate = (to & 0xffff) | (u64)(wide ? SEL_CODE64 : SEL_CODE32) << 16 | type << 40 |
                   (to >> 16 & 0xffff) << 48;
        st64(p + IDT + v * (wide ? 16 : 8), gate);
        if (wide) st64(p + IDT + v * 16 + 8, 0);
    }
    st32(p + TSS + 4, somewhere(f) & ~7u);
    if (wide) st32(p + TSS + 8, 0);
    else st32(p + TSS + 8, SEL_DATA);
    st16(p + TSS + 0x66, 0x68);
}

/* The first 4 GiB as they are, in large pages: 4 MiB, or four levels with 2 MiB. */
static void make_pages(struct fuzz *f, bool wide)
{
    u8 *p = f->m->ram + TABLES;
    struct cpu *c = f->c;
    memset(p, 0, 0x6000);
    if (!wide) {
        for (u32 k = 0; k < 1024; k++) st32(p + k * 4, k << 22 | 0x87);
        c->cr4 |= CR4_PSE;
    } else {
        st64(p, TABLES + 0x1007);
        for (u64 k = 0; k < 4; k++) st64(p + 0x1000 + k * 8, (TABLES + 0x2000 + k * 0x1000) | 7);
        for (u64 k = 0; k < 2048; k++) st64(p + 0x2000 + k * 8, k << 21 | 0x87);
        c->cr4 |= CR4_PAE;
    }
    c->cr3 = TABLES;
    c->cr0 |= CR0_PG;
}

/* --- modes --- */

static void flat(struct cpu *c, u16 code, u16 data, u16 code_attr, u16 data_attr)
{
    for (unsigned s = 0; s < SEG_COUNT; s++)
        c->seg[s] = (struct seg){ 0, ~0u, s == SEG_CS ? code : data,
                                  s == SEG_CS ? code_attr : data_attr };
}

static void set_protected(struct fuzz *f, bool wide)
{
    struct cpu *c = f->c;
    c->cr0 = CR0_PE | CR0_ET | (one_in(&f->rng, 2) ? CR0_NE : 0);
    c->gdtr = (struct dtable){ GDT, GDT_LEN - 1 };
    c->idtr = (struct dtable){ IDT, wide ? 0xfff : 0x7ff };
    c->tr = (struct seg){ TSS, 0x67, SEL_TSS, 0x8b };
    c->cr4 = one_in(&f->rng, 4) ? 0 : CR4_OSFXSR | CR4_OSXMMEXCPT;
    if (wide) c->efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
    if (wide || one_in(&f->rng, 2)) make_pages(f, wide);
}

static void set_mode(struct fuzz *f)
{
    struct rng *r = &f->rng;
    struct cpu *c = f->c;
    unsigned mode = rnd(r, 6);
    bool wide = mode >= 4, user = mode == 3 || (mode && one_in(r, 4)), v86 = mode == 3;
    cpu_reset(c);
    make_tables(f, wide);
    if (mode) set_protected(f, wide);
    c->cpl = user ? 3 : 0;
    u16 dpl = user ? 0x60 : 0;
    switch (mode) {
    case 0:
    case 3:
        for (unsigned s = 0; s < SEG_COUNT; s++)
            c->seg[s] = (struct seg){ 0, 0xffff, 0, v86 ? 0xf3 : s == SEG_CS ? 0x9b : 0x93 };
        c->seg[SEG_CS].sel = (u16)(somewhere(f) >> 4 & 0x7000);
        c->seg[SEG_CS].base = (u64)c->seg[SEG_CS].sel << 4;
        if (!v86) c->cr0 = CR0_ET;
        break;
    case 4:
        flat(c, user ? SEL_USER64 : SEL_CODE64, user ? SEL_USERDATA : SEL_DATA, 0xa09b | dpl,
             0xc093 | dpl);
        break;
    default: /* 1: 32-bit, 2: 16-bit, 5: compatibility */
        flat(c, user ? SEL_USER32 : mode == 2 ? SEL_CODE16 : SEL_CODE32,
             user ? SEL_USERDATA : SEL_DATA, (mode == 2 ? 0x809b : 0xc09b) | dpl, 0xc093 | dpl);
    }
    cpu_update_mode(c);
    for (unsigned k = 0; k < (mode == 4 ? 16 : 8); k++) c->r[k] = (u32)rnd_value(r) & 0xffffff;
    c->r[RSP] = mode ? somewhere(f) : 0x8000;
    c->rip = mode && !v86 ? somewhere(f) : rnd(r, 0x8000);
    u32 fl = FL_IF | (u32)(rnd64(r) & (FL_ARITH | FL_DF));
    if (user) fl |= FL_IOPL; /* ports and CLI are allowed */
    cpu_set_flags(c, fl | (v86 ? FL_VM : 0));
    c->mxcsr = 0x1f80;
    c->fcw = 0x37f;
    cpu_update_mode(c);
    seg_update_flat(c);
    tlb_flush_all(c);
    cpu_update_intr(c);
    ram_written(&f->m->ram_low, 0, LOW_END);
}

/* --- the board around it --- */

static void outb(struct fuzz *f, u16 port, u8 v)
{
    bus_write(&f->m->io, port, v, 1);
}

/* Both interrupt controllers at 20h and 28h, all lines open, the timer at 1 to 60 kHz, RTC at
 * 1 kHz. */
static void program_board(struct fuzz *f)
{
    static const u8 script[][2] = { { 0x20, 0x11 }, { 0x21, 0x20 }, { 0x21, 4 },    { 0x21, 1 },
                                    { 0xa0, 0x11 }, { 0xa1, 0x28 }, { 0xa1, 2 },    { 0xa1, 1 },
                                    { 0x21, 0 },    { 0xa1, 0 },    { 0x43, 0x34 }, { 0x70, 0xb },
                                    { 0x71, 0x42 } };
    u32 count = 20 + rnd(&f->rng, 1200);
    for (unsigned k = 0; k < LEN(script); k++) outb(f, script[k][0], script[k][1]);
    outb(f, 0x40, (u8)count);
    outb(f, 0x40, (u8)(count >> 8));
    if (one_in(&f->rng, 2)) /* automatic end of interrupt: handlers are random code, too */
        outb(f, 0x20, 0x11), outb(f, 0x21, 0x20), outb(f, 0x21, 4), outb(f, 0x21, 3);
}

static void run(struct fuzz *f)
{
    struct cpu *c = f->c;
    u64 before = cpu_icount(c);
    enum cpu_stop stop = cpu_run(c, 1 + rnd(&f->rng, SLICE));
    f->m->clock.now += (cpu_icount(c) - before) * NS_PER_INSN + (stop == CPU_HALTED ? 100000 : 0);
    clock_run_due(&f->m->clock, 256);
    check(c->cpl <= 3 && !c->zero);
    check(c->bits == BITS64 || !(c->rip >> 32));
    check(!(c->rflags & FL_VM) || c->cpl == 3);
    fuzz_serve(f->m);
    if (stop == CPU_SHUTDOWN || one_in(&f->rng, 6)) set_mode(f);
}

static u64 fuzz_one(u64 seed)
{
    struct fuzz f = { .rng = { seed } };
    struct config c;
    f.m = fuzz_machine(&f.rng, &c);
    f.c = f.m->cpu;
    for (unsigned n = 0; n < ROUNDS; n++) {
        make_code(&f);
        rnd_fill(&f.rng, f.m->ram + 0x100000, 0x10000);
        program_board(&f);
        set_mode(&f);
        for (unsigned k = 0; k < SLICES; k++) run(&f);
    }
    u64 insns = cpu_icount(f.c);
    machine_destroy(f.m);
    config_free(&c);
    return insns;
}

int main(int argc, char **argv)
{
    return fuzz_machines_main(argc, argv, fuzz_one);
}
