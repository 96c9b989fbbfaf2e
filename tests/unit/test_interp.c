/* The run loop: what fuzzing found at the edges of the instruction pointer. */
#include "tests/unit/cpu_rig.h"

Suite *interp_suite(void);

/* Code with a base, so that the last byte of the segment and the first lie side by side in RAM. */
static void run_over_the_end(unsigned budget)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    r->c->seg[SEG_CS].base = 0x5000;
    r->c->rip = 0xfffffffe;
    rig_code(r, 0x4ffe, "\x40\x40\x40\xf4", 4); /* inc eax, three times; hlt */
    r->c->r[RAX] = 0;
    cpu_update_mode(r->c);
    for (unsigned k = 0; k < 8; k++) {
        cpu_run(r->c, budget);
        ck_assert_uint_eq(r->c->rip >> 32, 0);
    }
    ck_assert_uint_eq(r->c->r[RAX], 3);
    ck_assert_uint_eq(r->c->rip, 2);
    ck_assert_int_eq(rig_fault(r), -1);
    rig_free(r);
}

START_TEST(eip_goes_on_at_0_behind_4_gib)
{
    run_over_the_end(100);
    run_over_the_end(1);
    run_over_the_end(2);
}
END_TEST

Suite *interp_suite(void)
{
    Suite *s = suite_create("interp");
    TCase *t = tcase_create("interp");
    tcase_add_test(t, eip_goes_on_at_0_behind_4_gib);
    suite_add_tcase(s, t);
    return s;
}
