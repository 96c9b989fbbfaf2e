/* Instructions that work on the registers of a device: what reaches it, in which sizes and order,
 * and what a register does to the accesses behind it when it moves the map. Every test runs with
 * the interpreter and with the translator in several forms, and in slices of several lengths. */
#include "tests/unit/cpu_rig.h"

Suite *mmio_suite(void);

static const char *const engines[] = { "interp", "jit,hot=0", "jit,hot=3", "jit,hot=0,flush=tlb",
                                       "jit,hot=0,ops=1,links=off,table=off" };

enum { DEVICE = 0xe00000, CODE_AT = 0x4000, HANDLERS = 0x5000, INTERRUPT = 0x30, LOG = 64 };

struct call {
    u64 off, value;
    unsigned size;
    bool write;
};

struct box {
    struct rig *r;
    struct region region;
    struct call log[LOG];
    unsigned calls;
    int moves_at; /* the register whose write takes the device off the bus; -1 none */
    int rings_at; /* the register whose access requests an interrupt; -1 none */
};

static void note(struct box *b, u64 off, u64 value, unsigned size, bool write)
{
    ck_assert_uint_lt(b->calls, LOG);
    b->log[b->calls++] = (struct call){ off, value, size, write };
}

static u64 box_read(void *opaque, u64 off, unsigned size)
{
    struct box *b = opaque;
    u64 v = (0x1122334455667788ull + b->calls * 0x0101010101010101ull) & mask_n(size);
    note(b, off, v, size, false);
    if ((int)off == b->rings_at) cpu_set_intr(b->r->c, true);
    return v;
}

static void box_write(void *opaque, u64 off, u64 value, unsigned size)
{
    struct box *b = opaque;
    note(b, off, value, size, true);
    if ((int)off == b->rings_at) cpu_set_intr(b->r->c, true);
    if ((int)off == b->moves_at) bus_enable(&b->region, false);
}

static const struct io_ops box_ops = {
    .read = box_read, .write = box_write, .min_size = 1, .max_size = 8
};

static void box_open(struct box *b, int engine)
{
    struct error e = { "" };
    *b = (struct box){ .r = rig_with("max", engines[engine]), .moves_at = -1, .rings_at = -1 };
    rig_long(b->r, 0);
    region_init_io(&b->region, "box", 0x1000, &box_ops, b);
    ck_assert_int_eq(bus_map(&b->r->mem, DEVICE, &b->region, 1, &e), 0);
    b->r->intack_vector = INTERRUPT;
    for (unsigned v = 0; v <= INTERRUPT; v++) {
        rig_gate64(b->r, v, 0x18, HANDLERS + v * 16, 0x8e, 0);
        b->r->bytes[HANDLERS + v * 16] = 0xf4;
    }
    cpu_check_generation(b->r->c);
}

static void box_close(struct box *b)
{
    struct rig *r = b->r;
    bus_unmap(&b->region);
    region_fini(&b->region);
    rig_free(r);
}

/* Runs the code with RBX = the device until HLT; the vector of the handler that halted, or -1. */
static int box_run(struct box *b, u64 slice)
{
    struct cpu *c = b->r->c;
    b->calls = 0;
    c->rip = CODE_AT;
    c->r[RBX] = DEVICE;
    c->halted = false;
    cpu_event_clear(c, CE_HALT);
    c->r[RSP] = 0x8000;
    for (int n = 0; n < 200 && !c->halted; n++) cpu_run(c, slice);
    ck_assert_msg(c->halted, "at %llx, events %x", (unsigned long long)c->rip, (unsigned)c->events);
    return c->rip < HANDLERS ? -1 : (int)(c->rip - HANDLERS) / 16;
}

static void expect_call(const struct box *b, unsigned n, bool write, u64 off, unsigned size)
{
    ck_assert_uint_lt(n, b->calls);
    ck_assert_int_eq(b->log[n].write, write);
    ck_assert_uint_eq(b->log[n].off, off);
    ck_assert_uint_eq(b->log[n].size, size);
}

static const u64 slices[] = { 1000, 3, 1 };

START_TEST(every_size_is_one_access)
{
    struct box b;
    box_open(&b, _i);
    rig_code(b.r, CODE_AT, "\x8a\x03"             /* mov al, [rbx] */
                           "\x66\x89\x43\x02"     /* mov [rbx+2], ax */
                           "\x8b\x4b\x04"         /* mov ecx, [rbx+4] */
                           "\x48\x89\x4b\x08"     /* mov [rbx+8], rcx */
                           "\x0f\xb6\x53\x11"     /* movzx edx, byte [rbx+17] */
                           "\x48\x0f\xbe\x73\x12" /* movsx rsi, byte [rbx+18] */
                           "\xc6\x43\x13\x5a"     /* mov byte [rbx+19], 5Ah */
                           "\x3b\x43\x20"         /* cmp eax, [rbx+32] */
                           "\xf4", 30);
    for (unsigned round = 0; round < 2 * LEN(slices); round++) {
        ck_assert_int_eq(box_run(&b, slices[round / 2]), -1);
        ck_assert_uint_eq(b.calls, 8);
        expect_call(&b, 0, false, 0, 1);
        expect_call(&b, 1, true, 2, 2);
        expect_call(&b, 2, false, 4, 4);
        expect_call(&b, 3, true, 8, 8);
        expect_call(&b, 4, false, 17, 1);
        expect_call(&b, 5, false, 18, 1);
        expect_call(&b, 6, true, 19, 1);
        expect_call(&b, 7, false, 32, 4);
        ck_assert_uint_eq(b.log[1].value & 0xff, b.log[0].value);
        ck_assert_uint_eq(b.log[3].value, b.log[2].value);
        ck_assert_uint_eq(b.log[6].value, 0x5a);
        ck_assert_uint_eq(b.r->c->r[RDX], b.log[4].value);
        ck_assert_uint_eq(b.r->c->r[RSI], (u64)(i8)b.log[5].value);
    }
    box_close(&b);
}
END_TEST

START_TEST(a_change_in_place_reads_once_and_writes_once)
{
    struct box b;
    box_open(&b, _i);
    rig_code(b.r, CODE_AT, "\x83\x43\x10\x01"                /* add dword [rbx+16], 1 */
                           "\xf0\x0f\xba\x6b\x14\x05"        /* lock bts dword [rbx+20], 5 */
                           "\x87\x43\x18"                    /* xchg [rbx+24], eax */
                           "\xff\x33\x8f\x43\x20\xf4", 19);  /* push [rbx]; pop [rbx+32]; hlt */
    for (unsigned round = 0; round < 2 * LEN(slices); round++) {
        ck_assert_int_eq(box_run(&b, slices[round / 2]), -1);
        ck_assert_uint_eq(b.calls, 8);
        for (unsigned n = 0; n < 6; n++) expect_call(&b, n, n & 1, 16 + n / 2 * 4, 4);
        ck_assert_uint_eq(b.log[1].value, b.log[0].value + 1);
        ck_assert_uint_eq(b.log[3].value, b.log[2].value | 1 << 5);
        expect_call(&b, 6, false, 0, 8);
        expect_call(&b, 7, true, 32, 8);
        ck_assert_uint_eq(b.log[7].value, b.log[6].value);
    }
    box_close(&b);
}
END_TEST

START_TEST(an_access_over_the_pages_end_is_half_the_devices)
{
    struct box b;
    box_open(&b, _i);
    rig_code(b.r, CODE_AT, "\x89\x83\xfe\x0f\x00\x00"  /* mov [rbx+0FFEh], eax */
                           "\x8b\x8b\xfe\x0f\x00\x00"  /* mov ecx, [rbx+0FFEh] */
                           "\xf4", 13);
    for (unsigned round = 0; round < 2 * LEN(slices); round++) {
        b.r->c->r[RAX] = 0xaabbccdd;
        ck_assert_int_eq(box_run(&b, slices[round / 2]), -1);
        ck_assert_uint_eq(b.calls, 2);
        expect_call(&b, 0, true, 0xffe, 2);
        expect_call(&b, 1, false, 0xffe, 2);
        ck_assert_uint_eq(b.log[0].value, 0xccdd);
        ck_assert_uint_eq(b.r->c->r[RCX], 0xaabb0000 | b.log[1].value);
        ck_assert_uint_eq(ld16(b.r->bytes + DEVICE + 0x1000), 0xaabb);
    }
    box_close(&b);
}
END_TEST

START_TEST(memory_appears_where_a_register_takes_the_device_away)
{
    struct box b;
    box_open(&b, _i);
    b.moves_at = 0x40;
    st32(b.r->bytes + DEVICE, 0xcafe);
    rig_code(b.r, CODE_AT, "\x8b\x0b"              /* mov ecx, [rbx] */
                           "\x89\x43\x44"          /* mov [rbx+44h], eax */
                           "\x89\x43\x40"          /* mov [rbx+40h], eax: gone */
                           "\x8b\x13"              /* mov edx, [rbx] */
                           "\x89\x43\x44\xf4", 14); /* mov [rbx+44h], eax; hlt */
    for (unsigned round = 0; round < 2 * LEN(slices); round++) {
        bus_enable(&b.region, true);
        st32(b.r->bytes + DEVICE + 0x44, 0);
        b.r->c->r[RAX] = 0x1234 + round;
        ck_assert_int_eq(box_run(&b, slices[round / 2]), -1);
        ck_assert_uint_eq(b.calls, 3);
        ck_assert_uint_eq(b.r->c->r[RDX], 0xcafe);
        ck_assert_uint_eq(ld32(b.r->bytes + DEVICE + 0x44), 0x1234 + round);
    }
    box_close(&b);
}
END_TEST

/* The second and fifth round watch the register; those between and after do not. */
START_TEST(a_breakpoint_on_a_register_traps_behind_the_access)
{
    struct box b;
    box_open(&b, _i);
    rig_code(b.r, CODE_AT, "\x8b\x4b\x20\x89\x43\x10" /* mov ecx, [rbx+32]; mov [rbx+16], eax */
                           "\x90\xf4", 8);           /* nop; hlt */
    for (unsigned round = 0; round < 6; round++) {
        bool watched = round % 3 == 1;
        b.r->c->dr[0] = DEVICE + 0x10;
        b.r->c->dr[7] = watched ? 0x400 | 1 | 1 << 16 | 3 << 18 : 0x400; /* L0, write, 4 bytes */
        cpu_dr7_changed(b.r->c);
        ck_assert_int_eq(box_run(&b, 1000), watched ? EXC_DB : -1);
        ck_assert_uint_eq(b.calls, 2);
        u64 back = ld64(b.r->bytes + b.r->c->r[RSP]);
        if (watched) ck_assert_uint_eq(back, CODE_AT + 6);
    }
    box_close(&b);
}
END_TEST

START_TEST(smap_closes_a_users_device_page)
{
    struct box b;
    box_open(&b, _i);
    rig_code(b.r, CODE_AT, "\x89\x43\x10\xf4", 4); /* mov [rbx+16], eax; hlt */
    struct cpu *c = b.r->c;
    for (unsigned round = 0; round < 6; round++) {
        bool smap = round % 3 == 1;
        c->cr4 = smap ? c->cr4 | CR4_SMAP : c->cr4 & ~(u64)CR4_SMAP;
        /* the code's own page is the supervisor's, the device's is the user's */
        st64(b.r->bytes + 0x12000, 0x83);
        tlb_flush_all(c);
        cpu_update_mode(c);
        ck_assert_int_eq(box_run(&b, 1000), smap ? EXC_PF : -1);
        ck_assert_uint_eq(b.calls, smap ? 0 : 1);
    }
    box_close(&b);
}
END_TEST

/* Instructions that access register 10h: the interrupt comes behind them, before the NOPs. */
static const struct {
    const char *code;
    unsigned size;
} ringing[] = {
    { "\x8b\x43\x10", 3 },             /* mov eax, [rbx+16] */
    { "\x89\x43\x10", 3 },             /* mov [rbx+16], eax */
    { "\x01\x43\x10", 3 },             /* add [rbx+16], eax */
    { "\x03\x43\x10", 3 },             /* add eax, [rbx+16] */
    { "\xff\x73\x10", 3 },             /* push qword [rbx+16] */
    { "\x8f\x43\x10", 3 },             /* pop qword [rbx+16] */
    { "\x0f\xb6\x43\x10", 4 },         /* movzx eax, byte [rbx+16] */
    { "\x0f\x44\x43\x10", 4 },         /* cmovz eax, [rbx+16] */
    { "\x0f\x94\x43\x10", 4 },         /* setz [rbx+16] */
    { "\xf7\x63\x10", 3 },             /* mul dword [rbx+16] */
    { "\x0f\xb1\x4b\x10", 4 },         /* cmpxchg [rbx+16], ecx */
    { "\xdd\x43\x10", 3 },             /* fld qword [rbx+16] */
    { "\xf3\x0f\x6f\x43\x10", 5 },     /* movdqu xmm0, [rbx+16] */
    { "\xf2\x0f\x58\x43\x10", 5 },     /* addsd xmm0, [rbx+16] */
    { "\xd1\x63\x10", 3 },             /* shl dword [rbx+16], 1 */
};

START_TEST(an_interrupt_that_an_access_requests_comes_behind_it)
{
    struct box b;
    box_open(&b, _i);
    b.rings_at = 0x10;
    b.r->c->cr4 |= CR4_OSFXSR;
    for (unsigned k = 0; k < LEN(ringing); k++) {
        u64 taken = 0;
        u8 code[32];
        memset(code, 0x90, sizeof(code));
        memcpy(code, "\xdb\xe3", 2); /* fninit */
        memcpy(code + 4, ringing[k].code, ringing[k].size);
        code[31] = 0xf4;
        rig_code(b.r, CODE_AT, code, sizeof(code));
        for (unsigned round = 0; round < 2 * LEN(slices); round++) {
            u64 before = cpu_icount(b.r->c);
            b.r->c->rflags |= FL_IF;
            ck_assert_int_eq(box_run(&b, slices[round / 2]), INTERRUPT);
            ck_assert_msg(ld64(b.r->bytes + b.r->c->r[RSP]) == CODE_AT + 4u + ringing[k].size,
                          "instruction %u, round %u", k, round);
            if (round) ck_assert_uint_eq(cpu_icount(b.r->c) - before, taken);
            taken = cpu_icount(b.r->c) - before;
        }
    }
    box_close(&b);
}
END_TEST

Suite *mmio_suite(void)
{
    Suite *s = suite_create("mmio");
    TCase *t = tcase_create("all");
    suite_add_tcase(s, t);
    tcase_add_loop_test(t, every_size_is_one_access, 0, LEN(engines));
    tcase_add_loop_test(t, a_change_in_place_reads_once_and_writes_once, 0, LEN(engines));
    tcase_add_loop_test(t, an_access_over_the_pages_end_is_half_the_devices, 0, LEN(engines));
    tcase_add_loop_test(t, memory_appears_where_a_register_takes_the_device_away, 0, LEN(engines));
    tcase_add_loop_test(t, a_breakpoint_on_a_register_traps_behind_the_access, 0, LEN(engines));
    tcase_add_loop_test(t, smap_closes_a_users_device_page, 0, LEN(engines));
    tcase_add_loop_test(t, an_interrupt_that_an_access_requests_comes_behind_it, 0, LEN(engines));
    return s;
}
