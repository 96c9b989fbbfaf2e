/* What random programs (tests/fuzz) found in the translator: each difference as a few instructions,
 * run in lockstep, where a difference ends the program (cpu/jit/lockstep.c). */
#include <stdio.h>

#include "cpu/jit/priv.h"
#include "tests/unit/cpu_rig.h"

Suite *jit_random_suite(void);

static struct rig *start(void)
{
    struct rig *r = rig_with("max", "lockstep,hot=0");
    rig_protected(r, 0);
    return r;
}

static void run(struct rig *r)
{
    cpu_run(r->c, 1000);
    ck_assert(r->c->halted);
    ck_assert_uint_ge(r->c->jit->made, 1);
    rig_free(r);
}

/* An instruction that changes some of the flags changes the code behind it, too, which does not
 * need the others: or eax, -1; add eax, 1; the instruction on [4013h]; add edx, imm32; hlt */
START_TEST(flags_are_complete_where_code_changes_itself)
{
    static const u8 insns[][8] = {
        { 0xfe, 0x05, 0x13, 0x40, 0, 0, 0x90, 0x90 }, /* INC byte */
        { 0xc0, 0x0d, 0x13, 0x40, 0, 0, 0x18, 0x90 }, /* ROR byte, 24 */
        { 0xd2, 0x05, 0x13, 0x40, 0, 0, 0x90, 0x90 }, /* ROL byte, CL */
        { 0xf, 0xa4, 0x05, 0x13, 0x40, 0, 0, 0x05 },  /* SHLD, 5 */
        { 0xf, 0xba, 0x2d, 0x13, 0x40, 0, 0, 0x02 },  /* BTS, 2 */
        { 0xf, 0xc7, 0x0d, 0x13, 0x40, 0, 0, 0x90 },  /* CMPXCHG8B */
    };
    static const u8 before[] = { 0x83, 0xc8, 0xff, 0x83, 0xc0, 0x01, 0x0f, 0x1f, 0x00 };
    static const u8 behind[] = { 0x81, 0xc2, 0x11, 0x22, 0x33, 0x44, 0xf4 };
    struct rig *r = start();
    rig_code(r, 0x4000, before, sizeof(before));
    rig_code(r, 0x4009, insns[_i], 8);
    rig_code(r, 0x4011, behind, sizeof(behind));
    r->c->r[RCX] = 3;
    run(r);
}
END_TEST

/* What works its flags out in two ways, over the end of a page: the slow way leaves them where the
 * fast one does, for a DEC DI or a ROL that keeps the others, and ADC. */
START_TEST(flags_are_in_the_same_place_after_a_slow_access)
{
    static const u8 insns[][8] = {
        { 0x6b, 0x0d, 0xfe, 0x6f, 0, 0, 0xd1, 0x90 }, /* IMUL ECX, [6ffeh], -47 */
        { 0x0f, 0xaf, 0x0d, 0xfd, 0x6f, 0, 0, 0x90 }, /* IMUL ECX, [6ffdh] */
        { 0xf7, 0x25, 0xfe, 0x6f, 0, 0, 0x90, 0x90 }, /* MUL [6ffeh] */
        { 0x0f, 0xbc, 0x0d, 0xfe, 0x6f, 0, 0, 0x90 }, /* BSF ECX, [6ffeh] */
        { 0x0f, 0xa5, 0x15, 0xfe, 0x6f, 0, 0, 0x90 }, /* SHLD [6ffeh], EDX, CL */
        { 0xd3, 0x1d, 0xfe, 0x6f, 0, 0, 0x90, 0x90 }, /* RCR [6ffeh], CL */
        { 0xc1, 0x2d, 0xfe, 0x6f, 0, 0, 0x05, 0x90 }, /* SHR [6ffeh], 5 */
    };
    static const u8 behind[2][12] = {
        { 0x66, 0x4f, 0x83, 0xd2, 0x00, 0x83, 0xc2, 0x11, 0x9c, 0x58, 0xf4 },
        { 0xc1, 0xc7, 0x03, 0x0f, 0x94, 0xc2, 0x83, 0xc2, 0x11, 0x9c, 0x58, 0xf4 },
    };
    struct rig *r = start();
    rig_code(r, 0x4000, insns[_i / 2], 8);
    rig_code(r, 0x4008, behind[_i % 2], 12);
    st64(r->bytes + 0x6ffc, 0x8123456789abcdef);
    r->c->r[RCX] = 3;
    r->c->r[RAX] = r->c->r[RDX] = 0x7fffffff;
    run(r);
}
END_TEST

Suite *jit_random_suite(void)
{
    Suite *s = suite_create("jit_random");
    TCase *t = tcase_create("differences");
    tcase_add_loop_test(t, flags_are_complete_where_code_changes_itself, 0, 6);
    tcase_add_loop_test(t, flags_are_in_the_same_place_after_a_slow_access, 0, 14);
    suite_add_tcase(s, t);
    return s;
}
