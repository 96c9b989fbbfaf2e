/* System management mode where a guest cannot look: an SMI while halted, INIT and further SMIs that
 * wait for RSM, shadows, I/O restart of a repeated instruction, both save maps, shutdown. The
 * programs' view is tests/guest/smm.S. */
#include "tests/unit/cpu_rig.h"

Suite *smm_suite(void);

enum { HANDLER = 0x38000, AREA = 0x3fe00, CODE = 0x4000 };

static const u8 rsm[] = { 0x0f, 0xaa };

static struct rig *smm_rig(const char *model)
{
    struct rig *r = rig_new(model);
    cpu_reset(r->c);
    rig_protected(r, 0);
    rig_code(r, HANDLER, rsm, sizeof(rsm));
    return r;
}

START_TEST(smi_ends_halt_and_rsm_goes_back_to_it)
{
    static const u8 code[] = { 0xf4, 0x90, 0xf4 };
    struct rig *r = smm_rig("win7");
    rig_code(r, CODE, code, sizeof(code));
    ck_assert_int_eq(cpu_run(r->c, 10), CPU_HALTED);
    cpu_smi(r->c);
    ck_assert_int_eq(cpu_run(r->c, 10), CPU_HALTED);
    ck_assert_uint_eq(r->bytes[AREA + 0xc9], 1); /* auto-halt restart */
    ck_assert_uint_eq(r->c->rip, CODE + 1);
    ck_assert(r->c->halted && !r->c->smm);
    rig_free(r);
}
END_TEST

START_TEST(handler_may_leave_halt)
{
    static const u8 code[] = { 0xf4, 0x40, 0xf4 }; /* hlt, inc eax, hlt */
    /* movb $0, cs:[fec9h] with 32-bit address: 67 2e c6 05 .. ; rsm */
    static const u8 leave[] = { 0x67, 0x2e, 0xc6, 0x05, 0xc9, 0xfe, 0, 0, 0, 0x0f, 0xaa };
    struct rig *r = smm_rig("win7");
    rig_code(r, CODE, code, sizeof(code));
    rig_code(r, HANDLER, leave, sizeof(leave));
    ck_assert_int_eq(cpu_run(r->c, 10), CPU_HALTED);
    cpu_smi(r->c);
    ck_assert_int_eq(cpu_run(r->c, 10), CPU_HALTED);
    ck_assert_uint_eq(r->c->r[RAX], 1);
    ck_assert_uint_eq(r->c->rip, CODE + 3);
    rig_free(r);
}
END_TEST

START_TEST(init_and_second_smi_wait_for_rsm)
{
    static const u8 spin[] = { 0x90, 0x90, 0x90, 0x0f, 0xaa };
    static const u8 nops[] = { 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 };
    struct rig *r = smm_rig("win7");
    rig_code(r, CODE, nops, sizeof(nops));
    rig_code(r, HANDLER, spin, sizeof(spin));
    cpu_smi(r->c);
    cpu_run(r->c, 1);
    ck_assert(r->c->smm);
    ck_assert_uint_eq(r->c->rip, 0x8001);
    cpu_smi(r->c);
    cpu_event_set(r->c, CE_INIT);
    cpu_run(r->c, 2);
    ck_assert(r->c->smm);
    ck_assert_uint_eq(r->c->rip, 0x8003);
    cpu_run(r->c, 1); /* RSM */
    ck_assert(!r->c->smm);
    cpu_run(r->c, 1); /* INIT first: what it leaves is interrupted by the second SMI */
    ck_assert(r->c->smm);
    ck_assert_uint_eq(ld64(r->bytes + AREA + 0x178), 0xfff0);
    rig_free(r);
}
END_TEST

START_TEST(smi_waits_for_the_end_of_a_shadow)
{
    static const u8 code[] = { 0x8e, 0xd0, 0x40, 0x40 }; /* mov ss, eax; inc eax; inc eax */
    struct rig *r = smm_rig("win7");
    rig_code(r, CODE, code, sizeof(code));
    r->c->r[RAX] = 0x10;
    cpu_run(r->c, 1);
    cpu_smi(r->c);
    cpu_run(r->c, 1);
    ck_assert(r->c->smm); /* at the boundary behind the first INC */
    ck_assert_uint_eq(ld64(r->bytes + AREA + 0x1f8), 0x11);
    rig_free(r);
}
END_TEST

/* --- I/O restart --- */

static void smi_port(void *opaque, u64 off, u64 v, unsigned size)
{
    struct rig *r = opaque;
    (void)off;
    (void)size;
    if (v == 0x33 && !r->intack_vector++) cpu_smi(r->c);
}

static const struct io_ops smi_ops = { NULL, smi_port, 1, 4 };

START_TEST(repeated_output_is_restarted_at_its_element)
{
    static const u8 code[] = { 0xf3, 0x6e, 0xf4 }; /* rep outsb, hlt */
    /* movb $ffh, cs:[fec8h]; rsm */
    static const u8 again[] = { 0x67, 0x2e, 0xc6, 0x05, 0xc8, 0xfe, 0, 0, 0xff, 0x0f, 0xaa };
    static const u8 data[] = { 0x11, 0x22, 0x33, 0x44 };
    struct region port;
    struct error e;
    struct rig *r = smm_rig("win7");
    region_init_io(&port, "smi", 1, &smi_ops, r);
    ck_assert_int_eq(bus_map(&r->io, 0xb2, &port, 0, &e), 0);
    rig_code(r, CODE, code, sizeof(code));
    rig_code(r, 0x5000, data, sizeof(data));
    rig_code(r, HANDLER, again, sizeof(again));
    r->intack_vector = 0;
    r->c->r[RDX] = 0xb2;
    r->c->r[RSI] = 0x5000;
    r->c->r[RCX] = 4;
    ck_assert_int_eq(cpu_run(r->c, 1000), CPU_HALTED);
    ck_assert_int_eq(r->intack_vector, 2); /* 33h went out twice */
    ck_assert_uint_eq(r->c->r[RSI], 0x5004);
    ck_assert_uint_eq(r->c->r[RCX], 0);
    bus_unmap(&port);
    rig_free(r);
}
END_TEST

/* --- maps, shutdown --- */

START_TEST(p6_map_of_a_32_bit_model)
{
    static const u8 nops[] = { 0x90, 0x90, 0x90 };
    struct rig *r = smm_rig("p3");
    rig_code(r, CODE, nops, sizeof(nops));
    r->c->r[RAX] = 0x12345678;
    r->c->seg[SEG_FS] = (struct seg){ 0x1000, 0xfff, 0x2b, 0x40f3 };
    cpu_smi(r->c);
    cpu_run(r->c, 1); /* RSM */
    const u8 *a = r->bytes + AREA;
    ck_assert_uint_eq(ld32(a + 0xfc), 0x30000);
    ck_assert_uint_eq(ld32(a + 0xf8), 0x30000);
    ck_assert_uint_eq(ld32(a + 0x1d0), 0x12345678);
    ck_assert_uint_eq(ld32(a + 0x1f0), CODE);
    ck_assert_uint_eq(ld16(a + 0x1ac), 0x08);
    ck_assert_uint_eq(ld16(a + 0x1b8), 0x2b);
    ck_assert_uint_eq(r->c->seg[SEG_FS].base, 0x1000);
    ck_assert_uint_eq(r->c->seg[SEG_FS].limit, 0xfff);
    ck_assert_uint_eq(r->c->seg[SEG_FS].attr, 0x40f3);
    ck_assert_uint_eq(r->c->seg[SEG_CS].attr, 0xc09b);
    ck_assert_uint_eq(r->c->rip, CODE);
    rig_free(r);
}
END_TEST

START_TEST(impossible_state_is_a_shutdown)
{
    static const struct {
        u16 at;
        u64 v;
    } bad[] = {
        { 0x158, 0x80000010 },  /* CR0: PG without PE */
        { 0x158, 0x20000011 },  /* NW without CD */
        { 0x158, 0x100000011 }, /* upper half */
        { 0x148, 0x80000000 },  /* CR4: reserved */
        { 0x0d0, 0x2 },         /* EFER: reserved */
        { 0x0d0, 0x500 },       /* EFER.LMA without paging */
    };
    static const u8 nops[] = { 0x90, 0x90, 0x0f, 0xaa };
    for (unsigned i = 0; i < LEN(bad); i++) {
        struct rig *r = smm_rig("win7");
        rig_code(r, CODE, nops, sizeof(nops));
        rig_code(r, HANDLER, nops, sizeof(nops));
        cpu_smi(r->c);
        cpu_run(r->c, 1);
        st64(r->bytes + AREA + bad[i].at, bad[i].v);
        ck_assert_msg(cpu_run(r->c, 10) == CPU_SHUTDOWN, "case %u", i);
        ck_assert_int_eq(r->request, REQ_TRIPLE_FAULT);
        rig_free(r);
    }
}
END_TEST

/* Whatever a handler leaves in the save area: shutdown or some state, and the CPU runs on. */
START_TEST(random_save_areas_do_no_harm)
{
    static const u8 nops[] = { 0x90, 0x90, 0x0f, 0xaa };
    u64 seed = 88172645463325252ull;
    unsigned resumed = 0;
    struct rig *rigs[2] = { smm_rig("p3"), smm_rig("max") };
    for (unsigned i = 0; i < 400; i++) {
        bool wide = i & 1;
        struct rig *r = rigs[wide];
        cpu_reset(r->c);
        rig_protected(r, 0);
        rig_code(r, HANDLER, nops, sizeof(nops));
        cpu_smi(r->c);
        cpu_run(r->c, 1);
        for (unsigned k = 0; k < 0x200; k += 8) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            st64(r->bytes + AREA + k, seed);
        }
        /* control registers that RSM takes, now and then with paging */
        u64 cr0 = seed & 8 ? 0x11 : seed & 16 ? 0x10 : 0x80000011;
        if (wide) {
            st64(r->bytes + AREA + 0x158, cr0);
            st64(r->bytes + AREA + 0x148, seed >> 8 & 0x3ff);
            st64(r->bytes + AREA + 0x0d0, seed & 32 ? 0x901 : 0);
        } else {
            st32(r->bytes + AREA + 0x1fc, (u32)cr0);
            st32(r->bytes + AREA + 0x114, seed >> 8 & 0x3ff);
        }
        cpu_run(r->c, 2);
        resumed += !r->c->smm && !r->c->shutdown;
        for (unsigned k = 0; k < 20; k++) {
            if (!cpu_is_idle(r->c)) cpu_run(r->c, 50);
            if (k == 10) cpu_smi(r->c);
        }
    }
    rig_free(rigs[0]);
    rig_free(rigs[1]);
    ck_assert_uint_gt(resumed, 100);
}
END_TEST

Suite *smm_suite(void)
{
    Suite *s = suite_create("smm");
    TCase *t = tcase_create("smm");
    tcase_add_test(t, smi_ends_halt_and_rsm_goes_back_to_it);
    tcase_add_test(t, handler_may_leave_halt);
    tcase_add_test(t, init_and_second_smi_wait_for_rsm);
    tcase_add_test(t, smi_waits_for_the_end_of_a_shadow);
    tcase_add_test(t, repeated_output_is_restarted_at_its_element);
    tcase_add_test(t, p6_map_of_a_32_bit_model);
    tcase_add_test(t, impossible_state_is_a_shutdown);
    tcase_add_test(t, random_save_areas_do_no_harm);
    suite_add_tcase(s, t);
    return s;
}
