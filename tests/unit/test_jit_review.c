/* Corners of the translator that random programs do not reach, against the interpreter: jumps out of
 * canonical space, instructions whose operand is a device's register, translations at the very end of
 * code memory. Registers, flags, memory, exceptions, instruction counts and what a device sees must
 * be the same. */
#include <check.h>

#include "cpu/flags.h"
#include "cpu/jit/priv.h"
#include "cpu/state.h"
#include "tests/unit/cpu_rig.h"

Suite *jit_review_suite(void);

enum {
    CODE = 0x4000,
    HANDLERS = 0x6000, /* HLT, 16 bytes a vector */
    DEVICE = 0xf00000, /* physical and linear */
};

struct port {
    struct region r;
    struct rig *rig;
    unsigned reads, writes;
    u64 value, written;
};

static u64 device_read(void *opaque, u64 offset, unsigned size)
{
    struct port *d = opaque;
    (void)size;
    d->reads++;
    if (offset == 0x100) cpu_set_intr(d->rig->c, true);
    return d->value;
}

static void device_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct port *d = opaque;
    (void)offset;
    (void)size;
    d->writes++;
    d->written = value;
}

static const struct io_ops device_ops = { device_read, device_write, 1, 8 };

static void plug(struct rig *r, struct port *d)
{
    struct error e;
    memset(d, 0, sizeof(*d));
    d->rig = r;
    region_init_io(&d->r, "device", 0x1000, &device_ops, d);
    ck_assert_int_eq(bus_map(&r->mem, DEVICE, &d->r, 1, &e), 0);
}

static void gates(struct rig *r)
{
    u8 hlt[32 * 16];
    memset(hlt, 0xf4, sizeof(hlt));
    rig_code(r, HANDLERS, hlt, sizeof(hlt));
    for (unsigned v = 0; v < 32; v++) {
        if (r->c->long_mode) rig_gate64(r, v, 0x18, HANDLERS + v * 16, 0x8e, 0);
        else rig_gate(r, v, 0x08, HANDLERS + v * 16, 0x8e);
    }
}

/* What must not differ. */
static void same(struct rig *a, struct rig *b, const char *name)
{
    struct cpu *x = a->c, *y = b->c;
    for (unsigned k = 0; k < 16; k++)
        ck_assert_msg(x->r[k] == y->r[k], "%s: r%u is %llx and %llx", name, k,
                      (unsigned long long)x->r[k], (unsigned long long)y->r[k]);
    ck_assert_msg(x->rip == y->rip, "%s: rip is %llx and %llx", name, (unsigned long long)x->rip,
                  (unsigned long long)y->rip);
    ck_assert_msg(cpu_flags(x) == cpu_flags(y), "%s: flags are %x and %x", name, cpu_flags(x),
                  cpu_flags(y));
    ck_assert_msg(cpu_icount(x) == cpu_icount(y), "%s: counts are %llu and %llu", name,
                  (unsigned long long)cpu_icount(x), (unsigned long long)cpu_icount(y));
    ck_assert_msg(x->cr2 == y->cr2 && x->cpl == y->cpl && x->halted == y->halted, "%s", name);
    for (unsigned k = 0; k < RIG_RAM; k += 8) {
        if (ld64(a->bytes + k) == ld64(b->bytes + k)) continue; /* a check of each would take seconds */
        ck_abort_msg("%s: [%x] is %llx and %llx", name, k, (unsigned long long)ld64(a->bytes + k),
                     (unsigned long long)ld64(b->bytes + k));
    }
}

/* ---- jumps out of canonical space ---- */

enum { TOP_PAGE = 0x200000 }; /* physical page of the last page of the lower half */
#define TOP 0x7ffffffff000ull

static void map_top(struct rig *r)
{
    rig_long(r, 0);
    gates(r);
    st64(r->bytes + 0x10000 + 255 * 8, 0x13007);
    st64(r->bytes + 0x13000 + 511 * 8, 0x14007);
    st64(r->bytes + 0x14000 + 511 * 8, 0x15007);
    st64(r->bytes + 0x15000 + 511 * 8, TOP_PAGE | 7);
    st64(r->bytes + 0x10000 + 256 * 8, 0x16007);
    st64(r->bytes + 0x16000, 0x17007);
    st64(r->bytes + 0x17000, 0x18007);
    st64(r->bytes + 0x18000, (TOP_PAGE + 0x1000) | 7);
    tlb_flush_all(r->c);
    memset(r->bytes + TOP_PAGE, 0x90, 0x1000);
    ram_written(&r->ram, TOP_PAGE, 0x1000);
}

static void run_top(struct rig *r, const u8 *code, unsigned n, bool high)
{
    map_top(r);
    u32 at = high ? TOP_PAGE + 0x1010 : TOP_PAGE + 0xf00;
    rig_code(r, at, code, n);
    r->c->rip = high ? 0xffff800000000010ull : TOP + 0xf00;
    cpu_run(r->c, 1000);
}

START_TEST(jumps_out_of_canonical_space)
{
    static const struct {
        const char *name;
        u8 code[16];
        u8 len;
        bool high;
    } c[] = {
        { "jmp rel32", { 0xff, 0xc0, 0xe9, 0x00, 0x10, 0, 0 }, 7, false },
        { "call rel32", { 0xff, 0xc0, 0xe8, 0x00, 0x10, 0, 0 }, 7, false },
        { "jcc rel32", { 0x39, 0xc0, 0x0f, 0x84, 0x00, 0x10, 0, 0 }, 8, false },
        { "jcc rel32, not", { 0x39, 0xc0, 0x0f, 0x85, 0x00, 0x10, 0, 0, 0xff, 0xc0, 0xf4 }, 11, false },
        { "jmp back", { 0xff, 0xc0, 0xe9, 0x00, 0xf0, 0xff, 0xff }, 7, true },
        { "call back", { 0xff, 0xc0, 0xe8, 0x00, 0xf0, 0xff, 0xff }, 7, true },
        { "fall", { 0xff, 0xc0 }, 2, false },
        { "ret", { 0x48, 0xb8, 0, 0, 0, 0, 0, 0x80, 0, 0, 0x50, 0xc3 }, 12, false },
        { "jmp rax", { 0x48, 0xb8, 0, 0, 0, 0, 0, 0x80, 0, 0, 0xff, 0xe0 }, 12, false },
        { "call rax", { 0x48, 0xb8, 0, 0, 0, 0, 0, 0x80, 0, 0, 0xff, 0xd0 }, 12, false },
        { "loop", { 0x31, 0xc9, 0xff, 0xc1, 0xff, 0xc1, 0xe2, 0x80 }, 8, true },
    };
    struct rig *a = rig_with("max", "interp"), *b = rig_with("max", "jit,hot=0");
    run_top(a, c[_i].code, c[_i].len, c[_i].high);
    run_top(b, c[_i].code, c[_i].len, c[_i].high);
    same(a, b, c[_i].name);
    rig_free(a);
    rig_free(b);
}
END_TEST

/* ---- operands in a device's registers ---- */

static void run_device(struct rig *r, struct port *d, const u8 *code, unsigned n, u64 value)
{
    rig_long(r, 0);
    gates(r);
    plug(r, d);
    d->value = value;
    rig_code(r, CODE, code, n);
    struct cpu *c = r->c;
    c->cr0 |= CR0_NE;
    c->cr4 |= CR4_OSFXSR;
    c->fcw = 0x37f;
    c->rip = CODE;
    c->r[RBX] = DEVICE;
    c->r[RAX] = 0x1234567;
    c->r[RDX] = 0;
    c->r[RSI] = 0x100000;
    c->rflags |= FL_IF;
    rig_gate64(r, 40, 0x18, HANDLERS + 4, 0x8e, 0);
    r->intack_vector = 40;
    cpu_run(c, 1000);
}

START_TEST(operands_in_device_registers)
{
    static const struct {
        const char *name;
        u8 code[24];
        u8 len;
        u64 value;
    } c[] = {
        { "div [d]", { 0xf7, 0x33, 0xf4 }, 3, 7 },
        { "div [d] by 0", { 0xf7, 0x33, 0xf4 }, 3, 0 },
        { "idiv [d]", { 0xf7, 0x3b, 0xf4 }, 3, 0xffffffff },
        { "idiv [d] by 0", { 0xf7, 0x3b, 0xf4 }, 3, 0 },
        { "fldcw [d]", { 0xdb, 0xe3, 0xd9, 0x2b, 0xd9, 0xe8, 0xf4 }, 7, 0xf7f },
        { "fldcw [d] unmasks", { 0xdb, 0xe3, 0xd9, 0x2b, 0xd9, 0xe8, 0xf4 }, 7, 0x37e },
        { "call [d]", { 0xff, 0x13 }, 2, 0x4100 },
        { "push [d]", { 0xff, 0x33, 0xff, 0xc0, 0xff, 0xc0, 0xff, 0xc0, 0xf4 }, 9, 5 },
        { "push [d], interrupt", { 0xff, 0xb3, 0, 1, 0, 0, 0xff, 0xc0, 0xff, 0xc0, 0xff, 0xc0, 0xf4 }, 13, 5 },
        { "push [d] on a known stack, interrupt",
          { 0x50, 0xff, 0xb3, 0, 1, 0, 0, 0xff, 0xc0, 0xff, 0xc0, 0xff, 0xc0, 0xf4 }, 14, 5 },
        { "mov, interrupt", { 0x8b, 0x8b, 0, 1, 0, 0, 0xff, 0xc0, 0xff, 0xc0, 0xff, 0xc0, 0xf4 }, 13, 5 },
        { "cmpxchg [d]", { 0xf0, 0x0f, 0xb1, 0x0b, 0xff, 0xc0, 0xf4 }, 7, 5 },
        { "cmpxchg8b [d]", { 0x0f, 0xc7, 0x0b, 0xff, 0xc0, 0xf4 }, 6, 5 },
        { "xchg [d]", { 0x87, 0x0b, 0xff, 0xc0, 0xf4 }, 5, 5 },
        { "add [d], ecx", { 0x01, 0x0b, 0xff, 0xc0, 0xf4 }, 5, 5 },
        { "add [d], ecx, interrupt", { 0x01, 0x8b, 0, 1, 0, 0, 0xff, 0xc0, 0xf4 }, 9, 5 },
        { "bts [d]", { 0x0f, 0xab, 0x0b, 0xff, 0xc0, 0xf4 }, 6, 5 },
        { "shl [d], 0", { 0xc1, 0x23, 0x20, 0xff, 0xc0, 0xf4 }, 6, 5 },
        { "shl [d], cl = 0", { 0x31, 0xc9, 0xd3, 0x23, 0xff, 0xc0, 0xf4 }, 7, 5 },
        { "cmovne, not", { 0x39, 0xc0, 0x0f, 0x45, 0x0b, 0xf4 }, 6, 5 },
        { "movs from", { 0x48, 0x89, 0xde, 0x48, 0xc7, 0xc7, 0, 0x70, 0, 0, 0xa5, 0xf3, 0xa4, 0xf4 }, 14, 5 },
        { "stos to", { 0x48, 0x89, 0xdf, 0xab, 0xb9, 8, 0, 0, 0, 0xf3, 0xaa, 0xf4 }, 12, 5 },
        { "movdqu to", { 0xf3, 0x0f, 0x7f, 0x03, 0xf3, 0x0f, 0x6f, 0x0b, 0xf4 }, 9, 5 },
        { "maskmov like: movq", { 0x66, 0x0f, 0xd6, 0x03, 0x66, 0x0f, 0x13, 0x03, 0xf4 }, 9, 5 },
        { "ret from device", { 0x48, 0x89, 0xdc, 0xc3 }, 4, 0x4100 },
        { "pop from device", { 0x48, 0x89, 0xdc, 0x59, 0x59, 0xf4 }, 6, 7 },
        { "push to device", { 0x48, 0x8d, 0xa3, 0x80, 0, 0, 0, 0x51, 0x52, 0x50, 0xf4 }, 11, 7 },
        { "group over device", { 0x03, 0x0b, 0x03, 0x4b, 4, 0x89, 0x4b, 8, 0xf4 }, 9, 7 },
        { "leave from", { 0x48, 0x89, 0xdd, 0xc9, 0xf4 }, 5, 7 },
        { "imul", { 0x0f, 0xaf, 0x0b, 0x69, 0x0b, 3, 0, 0, 0, 0xf7, 0x23, 0xf4 }, 12, 7 },
        { "bsf", { 0x0f, 0xbc, 0x0b, 0x0f, 0xbd, 0x0b, 0xf3, 0x0f, 0xb8, 0x0b, 0xf4 }, 11, 7 },
        { "shld", { 0x0f, 0xa4, 0x0b, 3, 0x0f, 0xad, 0x0b, 0xf4 }, 8, 7 },
        { "fnstenv", { 0xd9, 0x33, 0xdb, 0x2b, 0xdb, 0x7b, 0x10, 0xf4 }, 8, 7 },
        { "fldenv", { 0xd9, 0x23, 0xdf, 0x2b, 0xdf, 0x3b, 0xf4 }, 7, 7 },
    };
    struct rig *a = rig_with("max", "interp"), *b = rig_with("max", "jit,hot=0");
    struct port x, y;
    run_device(a, &x, c[_i].code, c[_i].len, c[_i].value);
    run_device(b, &y, c[_i].code, c[_i].len, c[_i].value);
    same(a, b, c[_i].name);
    ck_assert_msg(x.reads == y.reads && x.writes == y.writes && x.written == y.written,
                  "%s: the device saw %u and %u reads, %u and %u writes", c[_i].name, x.reads,
                  y.reads, x.writes, y.writes);
    region_fini(&x.r);
    region_fini(&y.r);
    rig_free(a);
    rig_free(b);
}
END_TEST

/* ---- the end of code memory ---- */

/* Superblocks of instructions whose translation is a byte or three, of every length: nothing may be
 * written behind the end. */
START_TEST(code_memory_ends_at_its_end)
{
    static const u8 insn[][2] = { { 0xf9, 0x90 }, { 0xf5, 0xf8 }, { 0x0f, 0xc8 }, { 0x0f, 0xcb } };
    struct rig *r = rig_with("max", "jit,hot=0,cache=128");
    struct jit *j = r->c->jit;
    rig_long(r, 0);
    for (unsigned k = 0; k < 0x800000; k += 2) memcpy(r->bytes + 0x400000 + k, insn[_i], 2);
    for (unsigned at = 0x400000, n = 0; at < 0xbff000; n++) {
        unsigned len = 2 + n * 7919 % 127 * 2;
        r->bytes[at + len] = 0xf4;
        r->c->rip = at;
        r->c->halted = false;
        cpu_event_clear(r->c, CE_HALT);
        cpu_run(r->c, 1000);
        ck_assert_uint_eq(r->c->rip, at + len + 1);
        at += len + 2;
    }
    ck_assert_uint_gt(j->flushes, 20);
    for (u8 *p = j->as.end; p < j->as.end + 4096; p++) ck_assert_uint_eq(*p, 0);
    rig_free(r);
}
END_TEST

Suite *jit_review_suite(void)
{
    Suite *s = suite_create("jit_review");
    TCase *t = tcase_create("corners");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, jumps_out_of_canonical_space, 0, 11);
    tcase_add_loop_test(t, operands_in_device_registers, 0, 34);
    tcase_add_loop_test(t, code_memory_ends_at_its_end, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
