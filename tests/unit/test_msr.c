/* MSRs: reset values, rules of writes, vendor differences, time stamp counter. */
#include "tests/unit/cpu_rig.h"

static u64 get(struct rig *r, u32 msr)
{
    u64 v = 0;
    ck_assert_msg(msr_read(r->c, msr, &v), "msr %x", msr);
    return v;
}

START_TEST(reset_values)
{
    static const struct {
        u32 msr;
        u64 v;
    } want[] = {
        { 0x17, 0 },          { 0x1b, 0xfee00900 },
        { 0x2a, 0 },          { 0x3a, 1 },
        { 0x8b, 1ull << 32 }, { 0xfe, 0x508 },
        { 0x174, 0 },         { 0x179, 0x10a },
        { 0x17a, 0 },         { 0x1a0, 1 },
        { 0x1d9, 0 },         { 0x200, 0 },
        { 0x20f, 0 },         { 0x26f, 0 },
        { 0x2ff, 0 },         { 0x277, 0x0007040600070406 },
        { 0x401, 0 },         { 0x427, 0 },
        { 0xc0000080, 0 },    { 0xc0000082, 0 },
    };
    struct rig *r = rig_new("win7");
    for (unsigned i = 0; i < LEN(want); i++)
        ck_assert_msg(get(r, want[i].msr) == want[i].v, "msr %x", want[i].msr);
    rig_free(r);
}
END_TEST

static const struct {
    u32 msr;
    u64 v;
    bool ok;
    u64 back;
} writes[] = {
    { 0x17, 0, false, 0 },
    { 0xfe, 0, false, 0 },
    { 0x3a, 5, false, 0 },
    { 0x200, 0x6, true, 0x6 },
    { 0x200, 0x2, false, 0 },
    { 0x200, 0x100, false, 0 },
    { 0x201, 0xff80000800, true, 0xff80000800 },
    { 0x201, 0x10000000800, false, 0 },
    { 0x201, 0x400, false, 0 },
    { 0x250, 0x0606060606060606, true, 0x0606060606060606 },
    { 0x250, 0x0606060602060606, false, 0 },
    { 0x2ff, 0xc06, true, 0xc06 },
    { 0x2ff, 0x1006, false, 0 },
    { 0x2ff, 0x02, false, 0 },
    { 0x277, 0x0007010600070106, true, 0x0007010600070106 },
    { 0x277, 0x02, false, 0 },
    { 0x17a, 4, false, 0 },
    { 0x17a, 0, true, 0 },
    { 0x401, 1, false, 0 },
    { 0x1a0, 0x400001, true, 0x400001 },
    { 0x79, 0x1000, true, 0 },
    { 0x2a, 5, true, 0 },
    { 0xc0000082, 0xffffffff81000000, true, 0xffffffff81000000 },
    { 0xc0000082, 0x800000000000, false, 0 },
    { 0xc0000100, 0x7fffffffffff, true, 0x7fffffffffff },
    { 0xc0000101, 0xffff000000000000, false, 0 },
    { 0xc0000080, 0xd01, true, 0x901 },
    { 0xc0000080, 0x2, false, 0 },
    { 0x12345, 0, false, 0 },
    { 0xc0000103, 0, false, 0 },
    { 0xc0010015, 0, false, 0 },
};

START_TEST(write_rules)
{
    struct rig *r = rig_new("win7");
    for (unsigned i = 0; i < LEN(writes); i++) {
        bool ok = msr_write(r->c, writes[i].msr, writes[i].v);
        ck_assert_msg(ok == writes[i].ok, "row %u", i);
        if (!ok) expect_fault(r, EXC_GP, 0);
        else ck_assert_msg(get(r, writes[i].msr) == writes[i].back, "row %u", i);
    }
    rig_free(r);
}
END_TEST

START_TEST(vendor_registers)
{
    u64 v;
    struct rig *r = rig_new("qemu64");
    ck_assert_uint_eq(get(r, 0xc0010015), 0);
    ck_assert(msr_write(r->c, 0xc0010015, 8));
    ck_assert(!msr_read(r->c, 0x1a0, &v));
    expect_fault(r, EXC_GP, 0);
    rig_free(r);
}
END_TEST

START_TEST(speculation_controls_of_max)
{
    u64 v;
    struct rig *r = rig_new("max");
    ck_assert_uint_eq(get(r, 0x10a) & 0x51, 0x51); /* RDCL_NO, SSB_NO, PSCHANGE_MC_NO */
    ck_assert(!msr_write(r->c, 0x10a, 0));
    expect_fault(r, EXC_GP, 0);
    ck_assert(msr_write(r->c, 0x48, 0x403));
    ck_assert_uint_eq(get(r, 0x48), 0x403);
    ck_assert(!msr_write(r->c, 0x48, 4)); /* SSBD is not announced */
    expect_fault(r, EXC_GP, 0);
    ck_assert(msr_write(r->c, 0x49, 1));
    ck_assert(!msr_write(r->c, 0x49, 2));
    expect_fault(r, EXC_GP, 0);
    ck_assert(!msr_read(r->c, 0x49, &v));
    expect_fault(r, EXC_GP, 0);
    rig_free(r);
    r = rig_new("win7");
    ck_assert(!msr_read(r->c, 0x10a, &v) && !msr_read(r->c, 0x48, &v));
    expect_fault(r, EXC_GP, 0);
    rig_free(r);
}
END_TEST

START_TEST(lme_cannot_change_under_paging)
{
    struct rig *r = rig_new("win7");
    rig_long(r, 0);
    ck_assert(!msr_write(r->c, 0xc0000080, EFER_NXE));
    expect_fault(r, EXC_GP, 0);
    rig_free(r);
}
END_TEST

START_TEST(tsc_follows_the_clock_and_writes)
{
    struct rig *r = rig_new("win7");
    clock_advance(&r->clock, 1000000);
    ck_assert_uint_eq(cpu_tsc(r->c), 2000000);
    ck_assert(msr_write(r->c, 0x10, 500));
    clock_advance(&r->clock, 1000);
    ck_assert_uint_eq(get(r, 0x10), 2500);
    cpu_init_reset(r->c);
    ck_assert_uint_eq(cpu_tsc(r->c), 2501); /* no value is read twice */
    ck_assert_uint_eq(cpu_tsc(r->c), 2502);
    clock_advance(&r->clock, 1);
    ck_assert_uint_eq(cpu_tsc(r->c), 2503);
    clock_advance(&r->clock, 1);
    ck_assert_uint_eq(cpu_tsc(r->c), 2504);
    ck_assert(msr_write(r->c, 0x10, 700));
    ck_assert_uint_eq(get(r, 0x10), 700);
    cpu_reset(r->c);
    ck_assert_uint_eq(cpu_tsc(r->c), 0);
    rig_free(r);
}
END_TEST

/* How often `what` is in the file. */
static unsigned occurrences(FILE *f, const char *what)
{
    char text[4096];
    unsigned n = 0;
    rewind(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = 0;
    for (const char *p = text; (p = strstr(p, what)); p++) n++;
    return n;
}

START_TEST(w7_143_unknown_registers_fault_and_are_told_once_each)
{
    struct rig *r = rig_new("win7");
    FILE *f = tmpfile();
    u64 v;
    ck_assert_ptr_nonnull(f);
    log_set_output(f);
    log_configure("cpu=info");
    r->c->insn_rip = 0x4711;
    for (unsigned k = 0; k < 2; k++) {
        ck_assert(!msr_read(r->c, 0x1234, &v));
        expect_fault(r, EXC_GP, 0);
        ck_assert(!msr_write(r->c, 0x1235, 1));
        expect_fault(r, EXC_GP, 0);
    }
    fflush(f);
    log_set_output(stderr);
    ck_assert_uint_eq(occurrences(f, "read of unknown MSR 00001234"), 1);
    ck_assert_uint_eq(occurrences(f, "write of unknown MSR 00001235"), 1);
    ck_assert_uint_eq(occurrences(f, "4711: #GP"), 2);
    fclose(f);
    rig_free(r);
}
END_TEST

START_TEST(w7_143_bring_up_mode_ignores_them)
{
    struct rig *r = rig_new("win7,msr=ignore");
    u64 v = 5;
    ck_assert(msr_read(r->c, 0x1234, &v));
    ck_assert_uint_eq(v, 0);
    ck_assert(msr_write(r->c, 0x1234, 1));
    ck_assert_int_eq(rig_fault(r), -1);
    ck_assert(!msr_write(r->c, 0x277, 2)); /* known registers keep their rules */
    rig_free(r);
}
END_TEST

Suite *msr_suite(void);
Suite *msr_suite(void)
{
    Suite *s = suite_create("msr");
    TCase *t = tcase_create("msr");
    tcase_add_test(t, reset_values);
    tcase_add_test(t, write_rules);
    tcase_add_test(t, vendor_registers);
    tcase_add_test(t, speculation_controls_of_max);
    tcase_add_test(t, lme_cannot_change_under_paging);
    tcase_add_test(t, tsc_follows_the_clock_and_writes);
    tcase_add_test(t, w7_143_unknown_registers_fault_and_are_told_once_each);
    tcase_add_test(t, w7_143_bring_up_mode_ignores_them);
    suite_add_tcase(s, t);
    return s;
}
