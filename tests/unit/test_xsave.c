/* The XSAVE family and what depends on it: OSXSAVE and XCR0 gates, formats, headers that are #GP,
 * the init optimisation, CPUID leaf 0Dh. SDM 1 chapter 13. */
#include "tests/unit/fp_rig.h"

enum { XCR0_ALL = 7 };

static void setup_xsave(void)
{
    setup();
    c->cr4 |= CR4_OSXSAVE;
    c->xcr0 = XCR0_ALL;
    c->r[RAX] = c->r[RDX] = ~0ull;
    memset(c->v, 0, sizeof(c->v));
}

static u8 *area(void)
{
    return b->ram + AT;
}

static u64 header(unsigned n)
{
    return ld64(area() + 512 + 8 * n);
}

#define XSAVE() RUN(0x0f, 0xae, 0x23)
#define XSAVE64() RUN(0x48, 0x0f, 0xae, 0x23)
#define XRSTOR() RUN(0x0f, 0xae, 0x2b)
#define XSAVEOPT() RUN(0x0f, 0xae, 0x33)
#define XSAVEC() RUN(0x0f, 0xc7, 0x23)
#define XSAVES() RUN(0x0f, 0xc7, 0x2b)
#define XRSTORS() RUN(0x0f, 0xc7, 0x1b)
#define XGETBV() RUN(0x0f, 0x01, 0xd0)
#define XSETBV() RUN(0x0f, 0x01, 0xd1)

START_TEST(without_osxsave_all_are_ud)
{
    c->cr4 &= ~(u64)CR4_OSXSAVE;
    XSAVE();
    ck_assert_int_eq(fault(), EXC_UD);
    XRSTOR();
    ck_assert_int_eq(fault(), EXC_UD);
    XSAVEC();
    ck_assert_int_eq(fault(), EXC_UD);
    XGETBV();
    ck_assert_int_eq(fault(), EXC_UD);
    XSETBV();
    ck_assert_int_eq(fault(), EXC_UD);
}
END_TEST

START_TEST(task_switched_and_alignment)
{
    c->cr0 |= CR0_TS;
    XSAVE();
    ck_assert_int_eq(fault(), EXC_NM);
    c->r[RCX] = 0;
    XGETBV(); /* does not look at TS */
    ck_assert_int_eq(fault(), -1);
    c->cr0 &= ~(u64)CR0_TS;
    c->r[RAX] = c->r[RDX] = ~0ull;
    c->r[RBX] = AT + 16;
    XSAVE();
    ck_assert_int_eq(fault(), EXC_GP);
    XRSTOR();
    ck_assert_int_eq(fault(), EXC_GP);
}
END_TEST

START_TEST(xsetbv_takes_only_what_makes_sense)
{
    static const struct {
        u64 value;
        u32 index;
        unsigned cpl;
        int want;
    } t[] = {
        { 1, 0, 0, -1 },      { 3, 0, 0, -1 },
        { 7, 0, 0, -1 },      { 0, 0, 0, EXC_GP },
        { 2, 0, 0, EXC_GP },  { 5, 0, 0, EXC_GP },
        { 15, 0, 0, EXC_GP }, { 1ull << 63 | 7, 0, 0, EXC_GP },
        { 7, 1, 0, EXC_GP },  { 7, 0, 3, EXC_GP },
    };
    for (unsigned n = 0; n < LEN(t); n++) {
        c->xcr0 = 1;
        c->cpl = (u8)t[n].cpl;
        c->r[RCX] = t[n].index;
        c->r[RAX] = (u32)t[n].value;
        c->r[RDX] = t[n].value >> 32;
        XSETBV();
        ck_assert_int_eq(fault(), t[n].want);
        ck_assert_uint_eq(c->xcr0, t[n].want < 0 ? t[n].value : 1);
    }
}
END_TEST

START_TEST(xgetbv_reads_xcr0_and_what_is_in_use)
{
    c->r[RCX] = 0;
    XGETBV();
    ck_assert_uint_eq(c->r[RAX], 7);
    ck_assert_uint_eq(c->r[RDX], 0);
    c->r[RCX] = 1;
    memset(c->fpr, 0, sizeof(c->fpr));
    XGETBV();
    ck_assert_uint_eq(c->r[RAX], 0);
    c->mxcsr = 0x1fa0;
    c->v[15].q[3] = 1;
    XGETBV();
    ck_assert_uint_eq(c->r[RAX], 6);
    c->r[RCX] = 2;
    XGETBV();
    ck_assert_int_eq(fault(), EXC_GP);
}
END_TEST

START_TEST(xsave_writes_what_is_asked_for_and_nothing_else)
{
    memset(area(), 0xaa, 1024);
    memset(area() + 512, 0, 64);
    st64(area() + 520, 0x5555); /* XCOMP_BV is not written */
    for (unsigned n = 0; n < 16; n++) c->v[n].q[0] = n + 1, c->v[n].q[2] = 100 + n;
    c->r[RAX] = 2;
    XSAVE();
    ck_assert_int_eq(fault(), -1);
    ck_assert_uint_eq(header(0), 2);
    ck_assert_uint_eq(header(1), 0x5555);
    ck_assert_uint_eq(ld64(area()), 0xaaaaaaaaaaaaaaaaull);
    ck_assert_uint_eq(ld32(area() + 24), 0x1f80);
    ck_assert_uint_eq(ld32(area() + 28), 0xffff);
    ck_assert_uint_eq(ld64(area() + 160 + 15 * 16), 16);
    ck_assert_uint_eq(ld64(area() + 416), 0xaaaaaaaaaaaaaaaaull);
    ck_assert_uint_eq(ld64(area() + 576), 0xaaaaaaaaaaaaaaaaull);
    c->r[RAX] = 4;
    XSAVE();
    ck_assert_uint_eq(header(0), 6); /* bit 1 stays */
    ck_assert_uint_eq(ld64(area() + 576 + 15 * 16), 115);
    ck_assert_uint_eq(ld64(area() + 832), 0xaaaaaaaaaaaaaaaaull);
}
END_TEST

START_TEST(only_eight_registers_outside_64bit_mode)
{
    c->bits = BITS32;
    memset(area(), 0xaa, 1024);
    memset(area() + 512, 0, 64);
    XSAVE();
    ck_assert_uint_eq(ld64(area() + 160 + 7 * 16), 0);
    ck_assert_uint_eq(ld64(area() + 160 + 8 * 16), 0xaaaaaaaaaaaaaaaaull);
    ck_assert_uint_eq(ld64(area() + 576 + 8 * 16), 0xaaaaaaaaaaaaaaaaull);
    c->v[3].q[0] = c->v[3].q[2] = c->v[9].q[0] = c->v[9].q[2] = 1;
    memset(area() + 512, 0, 64);
    XRSTOR();
    ck_assert_uint_eq(c->v[3].q[0] | c->v[3].q[2], 0);
    ck_assert_uint_eq(c->v[9].q[0] & c->v[9].q[2], 1);
}
END_TEST

START_TEST(save_and_restore_bring_all_back)
{
    push_double(3.5);
    c->fip = 0x123456789abc;
    for (unsigned n = 0; n < 16; n++) c->v[n].q[1] = n, c->v[n].q[3] = ~(u64)n;
    c->mxcsr = 0x3fa1;
    XSAVE64();
    ck_assert_uint_eq(header(0), 7);
    memset(c->v, 0x77, sizeof(c->v));
    memset(c->fpr, 0, sizeof(c->fpr));
    c->fsw = 0;
    c->ftw = 0;
    c->fip = 0;
    c->mxcsr = 0x1f80;
    RUN(0x48, 0x0f, 0xae, 0x2b); /* xrstor64 */
    ck_assert_int_eq(fault(), -1);
    ck_assert(top_double() == 3.5);
    ck_assert_uint_eq(c->fip, 0x123456789abc);
    ck_assert_uint_eq(c->v[15].q[3], ~15ull);
    ck_assert_uint_eq(c->v[15].q[2], 0);
    ck_assert_uint_eq(c->mxcsr, 0x3fa1);
}
END_TEST

START_TEST(absent_components_get_initial_values_but_mxcsr_is_loaded)
{
    memset(area(), 0, 1024);
    st32(area() + 24, 0x1fbf);
    push_double(1);
    c->fcw = 0x27f;
    memset(c->v, 0x77, sizeof(c->v));
    XRSTOR();
    ck_assert_int_eq(fault(), -1);
    ck_assert_uint_eq(c->fcw, 0x37f);
    ck_assert_uint_eq(c->ftw, 0);
    ck_assert_uint_eq(c->fpr[7].mant, 0);
    ck_assert_uint_eq(c->v[5].q[0] | c->v[5].q[3], 0);
    ck_assert_uint_eq(c->mxcsr, 0x1fbf);
    st64(area() + 520, 1ull << 63 | 7); /* compacted: MXCSR belongs to the SSE component */
    XRSTOR();
    ck_assert_uint_eq(c->mxcsr, 0x1f80);
}
END_TEST

START_TEST(components_not_asked_for_stay)
{
    memset(area(), 0, 1024);
    memset(c->v, 0x77, sizeof(c->v));
    c->fcw = 0x27f;
    c->r[RAX] = 4;
    XRSTOR();
    ck_assert_uint_eq(c->fcw, 0x27f);
    ck_assert_uint_eq(c->v[5].q[0], 0x7777777777777777ull);
    ck_assert_uint_eq(c->v[5].q[2], 0);
    ck_assert_uint_eq(c->mxcsr, 0); /* loaded with AVX too */
}
END_TEST

START_TEST(malformed_headers_are_gp_and_change_nothing)
{
    static const struct {
        u64 xstate, xcomp, q2, q7, xcr0;
    } t[] = {
        { 8, 0, 0, 0, 7 }, /* not in XCR0 */
        { 4, 0, 0, 0, 3 },
        { 7, 1, 0, 0, 7 },                 /* XCOMP_BV without bit 63 */
        { 7, 0, 1, 0, 7 },                 /* bytes 23:16 */
        { 7, (1ull << 63) | 3, 0, 0, 7 },  /* present but not in the format */
        { 3, (1ull << 63) | 15, 0, 0, 7 }, /* format not in XCR0 */
        { 7, (1ull << 63) | 7, 1, 0, 7 },
        { 7, (1ull << 63) | 7, 0, 1, 7 }, /* compacted: bytes 63:16 */
    };
    for (unsigned n = 0; n < LEN(t); n++) {
        memset(area(), 0, 1024);
        st64(area() + 512, t[n].xstate);
        st64(area() + 520, t[n].xcomp);
        st64(area() + 528, t[n].q2);
        st64(area() + 568, t[n].q7);
        c->xcr0 = t[n].xcr0;
        c->v[0].q[0] = 42;
        XRSTOR();
        ck_assert_int_eq(fault(), EXC_GP);
        ck_assert_uint_eq(c->v[0].q[0], 42);
    }
    memset(area(), 0, 1024);
    c->xcr0 = 7;
    st64(area() + 568, 1); /* standard: only bytes 23:8 count */
    XRSTOR();
    ck_assert_int_eq(fault(), -1);
    st32(area() + 24, 0x10000);
    XRSTOR();
    ck_assert_int_eq(fault(), EXC_GP);
    c->r[RAX] = 1; /* MXCSR is not loaded: not checked */
    XRSTOR();
    ck_assert_int_eq(fault(), -1);
}
END_TEST

START_TEST(xsaveopt_leaves_out_initial_components)
{
    memset(area(), 0xaa, 1024);
    memset(area() + 512, 0xff, 8);
    memset(c->fpr, 0, sizeof(c->fpr));
    c->v[0].q[0] = 1;
    XSAVEOPT();
    ck_assert_uint_eq(header(0), ~7ull | 2);
    ck_assert_uint_eq(ld64(area()), 0xaaaaaaaaaaaaaaaaull);
    ck_assert_uint_eq(ld32(area() + 24), 0x1f80);
    ck_assert_uint_eq(ld64(area() + 160), 1);
    ck_assert_uint_eq(ld64(area() + 576), 0xaaaaaaaaaaaaaaaaull);
}
END_TEST

START_TEST(xsavec_says_which_format_it_wrote)
{
    memset(area(), 0xaa, 1024);
    memset(c->fpr, 0, sizeof(c->fpr));
    XSAVEC();
    ck_assert_uint_eq(header(0), 0);
    ck_assert_uint_eq(header(1), (1ull << 63) | 7);
    ck_assert_uint_eq(header(2), 0xaaaaaaaaaaaaaaaaull);
    ck_assert_uint_eq(ld32(area() + 24), 0xaaaaaaaa);
    c->mxcsr = 0x1f81;
    c->r[RAX] = 6;
    XSAVEC();
    ck_assert_uint_eq(header(0), 2);
    ck_assert_uint_eq(header(1), (1ull << 63) | 6);
    ck_assert_uint_eq(ld32(area() + 24), 0x1f81);
}
END_TEST

START_TEST(supervisor_forms)
{
    memset(area(), 0, 1024);
    c->v[2].q[2] = 9;
    XSAVES();
    ck_assert_int_eq(fault(), -1);
    c->v[2].q[2] = 0;
    XRSTORS();
    ck_assert_int_eq(fault(), -1);
    ck_assert_uint_eq(c->v[2].q[2], 9);
    st64(area() + 520, 0); /* only the compacted format */
    XRSTORS();
    ck_assert_int_eq(fault(), EXC_GP);
    c->cpl = 3;
    XSAVES();
    ck_assert_int_eq(fault(), EXC_GP);
    XRSTORS();
    ck_assert_int_eq(fault(), EXC_GP);
}
END_TEST

START_TEST(cpuid_describes_the_area)
{
    u32 out[4];
    cpuid_leaf(c, 13, 0, out);
    ck_assert_uint_eq(out[0], 7);
    ck_assert_uint_eq(out[1], 832);
    ck_assert_uint_eq(out[2], 832);
    c->xcr0 = 3;
    cpuid_leaf(c, 13, 0, out);
    ck_assert_uint_eq(out[1], 576);
    cpuid_leaf(c, 13, 2, out);
    ck_assert_uint_eq(out[0], 256);
    ck_assert_uint_eq(out[1], 576);
    cpuid_leaf(c, 13, 3, out);
    ck_assert_uint_eq(out[0], 0);
    cpuid_leaf(c, 1, 0, out);
    ck_assert_uint_eq(out[2] >> 26 & 7, 7);
    c->cr4 &= ~(u64)CR4_OSXSAVE;
    cpuid_leaf(c, 1, 0, out);
    ck_assert_uint_eq(out[2] >> 26 & 7, 5);
}
END_TEST

START_TEST(resets_and_the_register_of_supervisor_state)
{
    u64 v = 1;
    ck_assert(msr_read(c, 0xda0, &v));
    ck_assert_uint_eq(v, 0);
    ck_assert(msr_write(c, 0xda0, 0));
    ck_assert(!msr_write(c, 0xda0, 0x100));
    c->v[3].q[3] = 5;
    cpu_init_reset(c); /* INIT keeps extended state */
    ck_assert_uint_eq(c->xcr0, 7);
    ck_assert_uint_eq(c->v[3].q[3], 5);
    ck_assert_uint_eq(c->cr4, 0);
    cpu_reset(c);
    ck_assert_uint_eq(c->xcr0, 1);
    ck_assert_uint_eq(c->v[3].q[3], 0);
}
END_TEST

Suite *xsave_suite(void);
Suite *xsave_suite(void)
{
    Suite *s = suite_create("xsave");
    TCase *t = tcase_create("xsave");
    tcase_add_checked_fixture(t, setup_xsave, teardown);
    tcase_add_test(t, without_osxsave_all_are_ud);
    tcase_add_test(t, task_switched_and_alignment);
    tcase_add_test(t, xsetbv_takes_only_what_makes_sense);
    tcase_add_test(t, xgetbv_reads_xcr0_and_what_is_in_use);
    tcase_add_test(t, xsave_writes_what_is_asked_for_and_nothing_else);
    tcase_add_test(t, only_eight_registers_outside_64bit_mode);
    tcase_add_test(t, save_and_restore_bring_all_back);
    tcase_add_test(t, absent_components_get_initial_values_but_mxcsr_is_loaded);
    tcase_add_test(t, components_not_asked_for_stay);
    tcase_add_test(t, malformed_headers_are_gp_and_change_nothing);
    tcase_add_test(t, xsaveopt_leaves_out_initial_components);
    tcase_add_test(t, xsavec_says_which_format_it_wrote);
    tcase_add_test(t, supervisor_forms);
    tcase_add_test(t, cpuid_describes_the_area);
    tcase_add_test(t, resets_and_the_register_of_supervisor_state);
    suite_add_tcase(s, t);
    return s;
}
