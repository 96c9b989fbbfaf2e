/* Interpreter and integer instructions, from byte strings in 16-bit real mode: results, flags,
 * faults, and the promises of the run loop (self-modifying code, single step, interrupt shadow,
 * exact instruction count inside device callbacks, resumable REP). The recorded hardware vectors
 * (test_oracle.c) cover the instructions broadly; here are the cases that they cannot reach. */
#include <check.h>
#include <stdlib.h>

#include "cpu/exec.h"
#include "cpu/icache.h"
#include "machine/core/device.h"

Suite *exec_int_suite(void);

#define RAM_SIZE (2 * MIB)
#define CODE 0x7c00u
#define HANDLERS 0x6000u /* vector n of the IVT: 6000h + 16 n */

struct rig {
    struct bus mem, io;
    struct clock clock;
    struct host_if host;
    struct region ram, port;
    u8 *m;
    struct cpu *c;
    u64 icount_at_port, port_writes, last_value;
    int intr_vector;
};

static void no_request(void *m, enum machine_request what, int arg, const char *why)
{
    (void)m; (void)what; (void)arg; (void)why;
}

static void port_write(void *opaque, u64 off, u64 v, unsigned size)
{
    struct rig *r = opaque;
    (void)off; (void)size;
    r->icount_at_port = cpu_icount(r->c);
    r->port_writes++;
    r->last_value = v;
}

static u64 port_read(void *opaque, u64 off, unsigned size)
{
    (void)off; (void)size;
    return 0x11223344u + ((struct rig *)opaque)->port_writes;
}

static const struct io_ops port_ops = { port_read, port_write, 1, 4 };

static int intack(void *opaque)
{
    struct rig *r = opaque;
    cpu_set_intr(r->c, false);
    return r->intr_vector;
}

static struct rig *rig_new(void)
{
    struct rig *r = xalloc(sizeof(*r));
    struct error e;
    bus_init(&r->mem, "mem", (1ull << 40) - 1, false);
    bus_init(&r->io, "io", 0xffff, true);
    clock_init(&r->clock, CLOCK_MANUAL);
    r->host =
        (struct host_if){ .mem = &r->mem, .io = &r->io, .clock = &r->clock, .request = no_request };
    r->m = aligned_alloc(4096, RAM_SIZE);
    memset(r->m, 0, RAM_SIZE);
    region_init_ram(&r->ram, "ram", RAM_SIZE, r->m);
    region_init_io(&r->port, "port", 4, &port_ops, r);
    ck_assert_int_eq(bus_map(&r->mem, 0, &r->ram, 0, &e), 0);
    ck_assert_int_eq(bus_map(&r->io, 0x80, &r->port, 0, &e), 0);
    struct cpu_env env = {
        .host = &r->host, .tsc_hz = 1000000000, .intack = intack, .intack_opaque = r,
        .engine = getenv("AEROPC_ENGINE")
    };
    r->c = cpu_create("max", &env, &e);
    ck_assert_msg(r->c != NULL, "%s", e.text);
    cpu_reset(r->c);
    for (unsigned v = 0; v < 256; v++) st32(r->m + v * 4, HANDLERS + v * 16); /* 0000:offset */
    memset(r->m + HANDLERS, 0xf4, 0x1000);
    for (unsigned k = 0; k < SEG_COUNT; k++) seg_load_real(r->c, k, 0);
    r->c->idtr = (struct dtable){ 0, 0x3ff };
    cpu_update_mode(r->c);
    r->c->rip = CODE;
    r->c->r[RSP] = 0x7000;
    return r;
}

static void rig_free(struct rig *r)
{
    cpu_destroy(r->c);
    region_fini(&r->ram);
    region_fini(&r->port);
    bus_fini(&r->mem);
    bus_fini(&r->io);
    clock_fini(&r->clock);
    free(r->m);
    free(r);
}

static void put(struct rig *r, u32 at, const char *code, size_t len)
{
    dma_write(&r->mem, at, code, len);
}
#define PUT(r, code) put(r, CODE, code, sizeof(code) - 1)

/* Vector whose handler the CPU is about to execute (or has halted in); -1: none. */
static int in_handler(const struct rig *r)
{
    u64 rip = r->c->rip;
    return rip >= HANDLERS && rip < HANDLERS + 0x1000 ? (int)(rip - HANDLERS) / 16 : -1;
}

static u16 pushed_ip(const struct rig *r)
{
    return ld16(r->m + (r->c->r[RSP] & 0xffff));
}

/* ---- results ---- */

/* Runs `steps` instructions from ax, bx, cx, dx, flags; checks ax, dx and flags. */
static const struct {
    const char *what, *code;
    u8 len, steps;
    u32 ax, bx, cx, dx, flags, want_ax, want_dx, want_flags, flag_mask;
} results[] = {
#define ROW(what, code, steps, ax, bx, cx, dx, fl, wax, wdx, wfl, mask)                            \
    {                                                                                              \
        what, code, sizeof(code) - 1, steps, ax, bx, cx, dx, fl, wax, wdx, wfl, mask               \
    }
#define ALL FL_ARITH
    ROW("add with carries", "\x01\xd8", 1, 0xffff, 1, 0, 0, 0, 0, 0, FL_CF | FL_ZF | FL_PF | FL_AF,
        ALL),
    ROW("add overflow", "\x01\xd8", 1, 0x7fff, 1, 0, 0, 0, 0x8000, 0, FL_SF | FL_OF | FL_PF | FL_AF,
        ALL),
    ROW("adc", "\x11\xd8", 1, 1, 1, 0, 0, FL_CF, 3, 0, FL_PF, ALL),
    ROW("sbb to zero borrow", "\x19\xd8", 1, 0, 0xffff, 0, 0, FL_CF, 0, 0,
        FL_CF | FL_ZF | FL_PF | FL_AF, ALL),
    ROW("inc keeps carry", "\x40", 1, 0x7fff, 0, 0, 0, FL_CF, 0x8000, 0,
        FL_CF | FL_SF | FL_OF | FL_PF | FL_AF, ALL),
    ROW("dec keeps carry", "\x48", 1, 0x8000, 0, 0, 0, FL_CF, 0x7fff, 0,
        FL_CF | FL_OF | FL_PF | FL_AF, ALL),
    ROW("neg", "\xf7\xd8", 1, 0x8000, 0, 0, 0, 0, 0x8000, 0, FL_CF | FL_SF | FL_OF | FL_PF, ALL),
    ROW("daa", "\x00\xd8\x27", 2, 0x79, 0x35, 0, 0, 0, 0x14, 0, FL_CF | FL_AF | FL_PF,
        FL_CF | FL_AF | FL_PF | FL_ZF | FL_SF),
    ROW("aam", "\xd4\x0a", 1, 0x3f, 0, 0, 0, 0, 0x0603, 0, FL_PF, FL_PF | FL_ZF | FL_SF),
    ROW("mul", "\xf7\xe3", 1, 0x1234, 0x1000, 0, 0, 0, 0x4000, 0x0123, FL_CF | FL_OF,
        FL_CF | FL_OF),
    ROW("imul fits", "\xf7\xeb", 1, 0xffff, 5, 0, 0, 0, 0xfffb, 0xffff, 0, FL_CF | FL_OF),
    ROW("idiv truncates towards zero", "\xf7\xfb", 1, 0xfff9, 2, 0, 0xffff, 0, 0xfffd, 0xffff, 0,
        0),
    ROW("shl cl", "\xd3\xe0", 1, 0xc001, 0, 1, 0, 0, 0x8002, 0, FL_CF | FL_SF,
        FL_CF | FL_SF | FL_OF | FL_ZF),
    ROW("shift by zero keeps flags", "\xd3\xe0", 1, 5, 0, 0x20, 0, FL_CF | FL_ZF, 5, 0,
        FL_CF | FL_ZF, ALL),
    ROW("rcl through carry", "\xd1\xd0", 1, 0x8000, 0, 0, 0, FL_CF, 1, 0, FL_CF | FL_OF,
        FL_CF | FL_OF),
    ROW("rcr by 17 is identity", "\xc1\xd8\x11", 1, 0x8001, 0, 0, 0, FL_CF, 0x8001, 0, FL_CF,
        FL_CF),
    ROW("shrd", "\x0f\xac\xd8\x04", 1, 0x1234, 0xabcd, 0, 0, 0, 0xd123, 0, 0, FL_CF),
    ROW("bsf of zero", "\x0f\xbc\xc3", 1, 0x55, 0, 0, 0, 0, 0x55, 0, FL_ZF, FL_ZF),
    ROW("bt", "\x0f\xa3\xd8", 1, 0x20, 21, 0, 0, FL_ZF, 0x20, 0, FL_CF | FL_ZF, FL_CF | FL_ZF),
    ROW("cwd", "\x99", 1, 0x8000, 0, 0, 0, 0, 0x8000, 0xffff, 0, 0),
    ROW("setl and sahf", "\x9e\x0f\x9c\xc2", 2, 0x8000, 0, 0, 0, FL_OF, 0x8000, 0, 0, 0),
    ROW("lahf", "\x9f", 1, 0, 0, 0, 0, FL_CF | FL_ZF | FL_PF, 0x4700, 0, FL_CF | FL_ZF | FL_PF,
        ALL),
    ROW("popf loads any combination", "\x68\xd5\x08\x9d", 2, 0, 0, 0, 0, 0, 0, 0, ALL, ALL),
    ROW("salc", "\xd6", 1, 0x1200, 0, 0, 0, FL_CF, 0x12ff, 0, FL_CF, ALL),
    ROW("loop", "\x40\xe2\xfd", 6, 0, 0, 3, 0, 0, 3, 0, 0, 0),
    ROW("enter and leave", "\x89\xe3\xc8\x10\x00\x00\x29\xe3\x89\xd8\xc9", 5, 0, 0, 0, 0, 0, 0x12,
        0, 0, 0),
#undef ROW
};

START_TEST(table_of_results)
{
    for (unsigned k = 0; k < LEN(results); k++) {
        struct rig *r = rig_new();
        put(r, CODE, results[k].code, results[k].len);
        r->c->r[RAX] = results[k].ax;
        r->c->r[RBX] = results[k].bx;
        r->c->r[RCX] = results[k].cx;
        r->c->r[RDX] = results[k].dx;
        cpu_set_flags(r->c, results[k].flags);
        cpu_run(r->c, results[k].steps);
        ck_assert_msg(in_handler(r) == -1, "%s: exception %d", results[k].what, in_handler(r));
        ck_assert_msg(r->c->r[RAX] == results[k].want_ax, "%s: ax=%llx", results[k].what,
                      (unsigned long long)r->c->r[RAX]);
        ck_assert_msg(r->c->r[RDX] == results[k].want_dx, "%s: dx=%llx", results[k].what,
                      (unsigned long long)r->c->r[RDX]);
        u32 fl = cpu_flags(r->c) & results[k].flag_mask;
        ck_assert_msg(fl == (results[k].want_flags & results[k].flag_mask), "%s: flags=%x",
                      results[k].what, fl);
        rig_free(r);
    }
}
END_TEST

/* ---- faults ---- */

static const struct {
    const char *what, *code;
    u8 len;
    int vector;
    u16 ax, bx, dx;
} faults[] = {
#define ROW(what, code, vector, ax, bx, dx) { what, code, sizeof(code) - 1, vector, ax, bx, dx }
    ROW("div by zero", "\xf7\xf3", EXC_DE, 1, 0, 0),
    ROW("div overflow", "\xf7\xf3", EXC_DE, 0, 1, 1),
    ROW("idiv most negative", "\xf7\xfb", EXC_DE, 0, 0xffff, 0x8000),
    ROW("aam 0", "\xd4\x00", EXC_DE, 0, 0, 0),
    ROW("ud2", "\x0f\x0b", EXC_UD, 0, 0, 0),
    ROW("lock mov", "\xf0\x89\x07", EXC_UD, 0, 0, 0),
    ROW("mov cs", "\x8e\xc8", EXC_UD, 0, 0, 0),
    ROW("word at offset ffff", "\x8b\x07", EXC_GP, 0, 0xffff, 0),
    ROW("word at ss:ffff", "\x36\x8b\x07", EXC_SS, 0, 0xffff, 0),
    ROW("bound", "\x62\x06\x00\x05", EXC_BR, 0x7fff, 0, 0),
    ROW("too long", "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", EXC_GP, 0,
        0, 0),
    ROW("jump beyond the limit", "\x66\xe9\x00\x00\x01\x00", EXC_GP, 0, 0, 0),
#undef ROW
};

START_TEST(table_of_faults)
{
    for (unsigned k = 0; k < LEN(faults); k++) {
        struct rig *r = rig_new();
        put(r, CODE, faults[k].code, faults[k].len);
        r->c->r[RAX] = faults[k].ax;
        r->c->r[RBX] = faults[k].bx;
        r->c->r[RDX] = faults[k].dx;
        cpu_run(r->c, 1);
        ck_assert_msg(in_handler(r) == faults[k].vector, "%s: vector %d", faults[k].what,
                      in_handler(r));
        ck_assert_msg(pushed_ip(r) == CODE, "%s: saved ip %x", faults[k].what, pushed_ip(r));
        rig_free(r);
    }
}
END_TEST

/* ---- the run loop ---- */

/* The store changes the immediate of the instruction right behind it. */
START_TEST(code_modifies_the_next_instruction)
{
    struct rig *r = rig_new();
    PUT(r, "\xc6\x06\x06\x7c\x42\xb0\x00\xf4"); /* mov byte [7c06],42h; mov al,0; hlt */
    ck_assert_int_eq(cpu_run(r->c, 10), CPU_HALTED);
    ck_assert_uint_eq(r->c->r[RAX] & 0xff, 0x42);
    rig_free(r);
}
END_TEST

START_TEST(loop_that_counts_in_its_own_code)
{
    struct rig *r = rig_new();
    PUT(r, "\xb9\xe8\x03\xb8\x00\x00\xff\x06\x04\x7c\xe2\xf7\xf4"); /* mov cx,1000; l: mov ax,0; inc
                                                                       word [7c04]; loop l; hlt */
    ck_assert_int_eq(cpu_run(r->c, 100000), CPU_HALTED);
    ck_assert_uint_eq(r->c->r[RAX], 999);
    rig_free(r);
}
END_TEST

START_TEST(data_beside_code_keeps_it_decoded)
{
    struct rig *r = rig_new();
    /* mov cx,1000; l: mov [7c0a],cl; loop l; hlt */
    PUT(r, "\xb9\xe8\x03\x88\x0e\x0a\x7c\xe2\xfa\xf4");
    ck_assert_int_eq(cpu_run(r->c, 100000), CPU_HALTED);
    ck_assert_uint_eq(r->m[CODE + 10], 1);
    ck_assert_uint_eq(r->c->icache->dropped, 0);
    rig_free(r);
}
END_TEST

START_TEST(dma_replaces_code)
{
    struct rig *r = rig_new();
    PUT(r, "\xb0\x01\xf4");
    cpu_run(r->c, 10);
    PUT(r, "\xb0\x02\xf4");
    r->c->rip = CODE;
    cpu_event_clear(r->c, CE_HALT);
    r->c->halted = false;
    cpu_run(r->c, 10);
    ck_assert_uint_eq(r->c->r[RAX] & 0xff, 2);
    rig_free(r);
}
END_TEST

START_TEST(instruction_across_a_page)
{
    struct rig *r = rig_new();
    put(r, 0x8ffe, "\x66\xb8\x78\x56\x34\x12\xf4", 7);
    r->c->rip = 0x8ffe;
    ck_assert_int_eq(cpu_run(r->c, 10), CPU_HALTED);
    ck_assert_uint_eq(r->c->r[RAX], 0x12345678);
    rig_free(r);
}
END_TEST

/* A loop over an instruction that crosses a page: as decoded first, then with its second half, then
 * with its first half rewritten. */
START_TEST(crossing_instruction_is_cached_and_rewritten)
{
    struct rig *r = rig_new();
    put(r, 0x8ffe, "\x05\x01\x00\xe2\xfb\xf4", 6); /* add ax,1 (1 byte in the next page); loop */
    for (unsigned round = 0; round < 3; round++) {
        if (round == 1) put(r, 0x9000, "\x01", 1); /* add ax,101h */
        if (round == 2) put(r, 0x8ffe, "\x2d", 1); /* sub ax,101h */
        r->c->rip = 0x8ffe;
        r->c->r[RCX] = 10;
        cpu_event_clear(r->c, CE_HALT);
        r->c->halted = false;
        ck_assert_int_eq(cpu_run(r->c, 100), CPU_HALTED);
        ck_assert_uint_eq(r->c->r[RAX], round == 1 ? 10 + 2570 : 10);
    }
    rig_free(r);
}
END_TEST

START_TEST(icount_is_exact_in_a_port_callback)
{
    struct rig *r = rig_new();
    u64 before = cpu_icount(r->c);
    PUT(r, "\x90\x90\x90\xe6\x80\x90\xf4");
    cpu_run(r->c, 100);
    ck_assert_uint_eq(r->icount_at_port - before, 3);
    ck_assert_uint_eq(cpu_icount(r->c) - before, 6);
    rig_free(r);
}
END_TEST

START_TEST(budget_is_exact)
{
    for (unsigned n = 1; n < 12; n++) {
        struct rig *r = rig_new();
        PUT(r, "\x40\x40\x40\xeb\xfb");
        u64 before = cpu_icount(r->c);
        ck_assert_int_eq(cpu_run(r->c, n), CPU_BUDGET);
        ck_assert_uint_eq(cpu_icount(r->c) - before, n);
        ck_assert_uint_eq(r->c->r[RAX], n - n / 4);
        rig_free(r);
    }
}
END_TEST

START_TEST(single_step_traps_after_the_next_instruction)
{
    struct rig *r = rig_new();
    PUT(r, "\x68\x00\x01\x9d\x40\x40"); /* push 100h; popf; inc ax; inc ax */
    cpu_run(r->c, 2);
    ck_assert_int_eq(in_handler(r), -1);
    cpu_run(r->c, 1);
    ck_assert_int_eq(in_handler(r), EXC_DB);
    ck_assert_uint_eq(pushed_ip(r), CODE + 5);
    ck_assert_uint_eq(r->c->dr[6] & 0x4000, 0x4000);
    ck_assert(!(cpu_flags(r->c) & FL_TF));
    rig_free(r);
}
END_TEST

START_TEST(sti_delays_interrupts_by_one_instruction)
{
    struct rig *r = rig_new();
    r->intr_vector = 0x20;
    PUT(r, "\xfb\x40\x40\x40");
    cpu_set_intr(r->c, true);
    cpu_run(r->c, 2);
    cpu_run(r->c, 1);
    ck_assert_uint_eq(r->c->r[RAX], 1);
    ck_assert_uint_eq(pushed_ip(r), CODE + 2);
    rig_free(r);
}
END_TEST

START_TEST(mov_ss_delays_interrupts)
{
    struct rig *r = rig_new();
    r->intr_vector = 0x21;
    PUT(r, "\x8e\xd3\xbc\x00\x50\x90\x90");
    cpu_set_flags(r->c, FL_IF);
    cpu_run(r->c, 1);
    cpu_set_intr(r->c, true);
    ck_assert_int_eq(in_handler(r), -1);
    cpu_run(r->c, 1); /* mov sp; the interrupt is taken behind it */
    ck_assert_uint_eq(r->c->r[RSP], 0x5000 - 6);
    ck_assert_uint_eq(pushed_ip(r), CODE + 5);
    rig_free(r);
}
END_TEST

START_TEST(hlt_wakes_for_an_interrupt)
{
    struct rig *r = rig_new();
    r->intr_vector = 0x22;
    PUT(r, "\xfb\xf4\x40");
    ck_assert_int_eq(cpu_run(r->c, 10), CPU_HALTED);
    ck_assert(cpu_is_idle(r->c));
    cpu_set_intr(r->c, true);
    ck_assert(!cpu_is_idle(r->c));
    cpu_run(r->c, 1);
    ck_assert_uint_eq(pushed_ip(r), CODE + 2);
    rig_free(r);
}
END_TEST

/* REP MOVSB into the end of the segment: the last element faults, everything before it is done and
 * counted. */
START_TEST(rep_stops_exactly_at_the_fault)
{
    struct rig *r = rig_new();
    PUT(r, "\xf3\xa5");
    r->c->r[RSI] = 0x1000;
    r->c->r[RDI] = 0xfff1;
    r->c->r[RCX] = 100;
    for (unsigned k = 0; k < 32; k++) r->m[0x1000 + k] = (u8)k;
    cpu_run(r->c, 1);
    ck_assert_int_eq(in_handler(r), EXC_GP);
    ck_assert_uint_eq(pushed_ip(r), CODE);
    ck_assert_uint_eq(r->c->r[RDI], 0xffff);
    ck_assert_uint_eq(r->c->r[RSI], 0x100e);
    ck_assert_uint_eq(r->c->r[RCX], 93);
    ck_assert_uint_eq(r->m[0xfffe], 13);
    rig_free(r);
}
END_TEST

START_TEST(rep_movs_overlap_repeats_the_pattern)
{
    struct rig *r = rig_new();
    PUT(r, "\xf3\xa4\xf4");
    memcpy(r->m + 0x2000, "abc", 3);
    r->c->r[RSI] = 0x2000;
    r->c->r[RDI] = 0x2003;
    r->c->r[RCX] = 9000;
    ck_assert_int_eq(cpu_run(r->c, 100000), CPU_HALTED);
    for (unsigned k = 0; k < 9003; k++) ck_assert_uint_eq(r->m[0x2000 + k], (u8) "abc"[k % 3]);
    rig_free(r);
}
END_TEST

START_TEST(rep_runs_backwards)
{
    struct rig *r = rig_new();
    PUT(r, "\xfd\xf3\xaa\xf4");
    r->c->r[RAX] = 0x5a;
    r->c->r[RDI] = 0x31ff;
    r->c->r[RCX] = 0x1200;
    ck_assert_int_eq(cpu_run(r->c, 100000), CPU_HALTED);
    ck_assert_uint_eq(r->m[0x1fff], 0);
    ck_assert_uint_eq(r->m[0x2000], 0x5a);
    ck_assert_uint_eq(r->m[0x31ff], 0x5a);
    ck_assert_uint_eq(r->m[0x3200], 0);
    ck_assert_uint_eq(r->c->r[RDI], 0x1fff);
    rig_free(r);
}
END_TEST

START_TEST(repne_scasb_finds)
{
    struct rig *r = rig_new();
    PUT(r, "\xf2\xae\xf4");
    r->m[0x2fff] = 'x';
    r->c->r[RAX] = 'x';
    r->c->r[RDI] = 0x2000;
    r->c->r[RCX] = 0xffff;
    ck_assert_int_eq(cpu_run(r->c, 100000), CPU_HALTED);
    ck_assert_uint_eq(r->c->r[RDI], 0x3000);
    ck_assert_uint_eq(r->c->r[RCX], 0xffff - 0x1000);
    ck_assert(cpu_flags(r->c) & FL_ZF);
    rig_free(r);
}
END_TEST

START_TEST(port_input_and_output)
{
    struct rig *r = rig_new();
    PUT(r, "\x66\xe5\x80\xe6\x81\xf4");
    cpu_run(r->c, 10);
    ck_assert_uint_eq(r->c->r[RAX], 0x11223344);
    ck_assert_uint_eq(r->port_writes, 1);
    ck_assert_uint_eq(r->last_value, 0x44);
    rig_free(r);
}
END_TEST

START_TEST(monitor_breakpoint_stops_before_the_instruction)
{
    struct rig *r = rig_new();
    PUT(r, "\x40\x40\x40\xeb\xfb");
    ck_assert_int_eq(cpu_break_add(r->c, CODE + 2), 0);
    ck_assert_int_eq(cpu_run(r->c, 100), CPU_BREAK);
    ck_assert_uint_eq(r->c->r[RAX], 2);
    ck_assert_int_eq(cpu_run(r->c, 100), CPU_BREAK); /* goes on and comes round */
    ck_assert_uint_eq(r->c->r[RAX], 5);
    ck_assert_int_eq(cpu_break_del(r->c, CODE + 2), 0);
    ck_assert_int_eq(cpu_run(r->c, 100), CPU_BUDGET);
    rig_free(r);
}
END_TEST

Suite *exec_int_suite(void)
{
    Suite *s = suite_create("exec_int");
    TCase *tc = tcase_create("exec_int");
    tcase_add_test(tc, table_of_results);
    tcase_add_test(tc, table_of_faults);
    tcase_add_test(tc, code_modifies_the_next_instruction);
    tcase_add_test(tc, loop_that_counts_in_its_own_code);
    tcase_add_test(tc, data_beside_code_keeps_it_decoded);
    tcase_add_test(tc, dma_replaces_code);
    tcase_add_test(tc, instruction_across_a_page);
    tcase_add_test(tc, crossing_instruction_is_cached_and_rewritten);
    tcase_add_test(tc, icount_is_exact_in_a_port_callback);
    tcase_add_test(tc, budget_is_exact);
    tcase_add_test(tc, single_step_traps_after_the_next_instruction);
    tcase_add_test(tc, sti_delays_interrupts_by_one_instruction);
    tcase_add_test(tc, mov_ss_delays_interrupts);
    tcase_add_test(tc, hlt_wakes_for_an_interrupt);
    tcase_add_test(tc, rep_stops_exactly_at_the_fault);
    tcase_add_test(tc, rep_movs_overlap_repeats_the_pattern);
    tcase_add_test(tc, rep_runs_backwards);
    tcase_add_test(tc, repne_scasb_finds);
    tcase_add_test(tc, port_input_and_output);
    tcase_add_test(tc, monitor_breakpoint_stops_before_the_instruction);
    suite_add_tcase(s, tc);
    return s;
}
