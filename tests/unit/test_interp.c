/* The run loop and the quick ways through the TLB: what random code found at their edges. */
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

/* A page that the TLB knows does not spare a misaligned part of a vector its #AC. */
START_TEST(alignment_check_of_avx_loads_in_a_known_page)
{
    static const char *const loads[] = {
        "\xc5\xfa\x7e\x05\x01\x50\x00\x00",     /* vmovq xmm0, [5001h] */
        "\xc5\xfa\xe6\x05\x04\x50\x00\x00",     /* vcvtdq2pd xmm0, [5004h] */
    };
    for (unsigned k = 0; k < LEN(loads); k++) {
        struct rig *r = rig_new("max");
        rig_protected(r, 3);
        r->c->cr0 |= CR0_AM;
        r->c->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;
        r->c->xcr0 = 7;
        cpu_set_flags(r->c, FL_AC);
        cpu_update_mode(r->c);
        rig_gate(r, EXC_AC, 0x08, 0x6000, 0x8e);
        rig_code(r, 0x6000, "\xf4", 1);
        rig_code(r, 0x4000, "\xa1\x00\x50\x00\x00", 5); /* mov eax, [5000h] */
        rig_code(r, 0x4005, loads[k], 8);
        rig_code(r, 0x400d, "\xf4", 1);
        cpu_run(r->c, 10);
        ck_assert_msg(r->c->halted && r->c->rip == 0x6001, "load %u: %llx", k,
                      (unsigned long long)r->c->rip);
        rig_free(r);
    }
}
END_TEST

/* Instructions that a REP STOSD over 5000h to 5FFFh takes after a call of `code`. */
static u64 stos_count(u32 code)
{
    struct rig *r = rig_new("win7");
    rig_protected(r, 0);
    r->c->r[RSP] = 0x8000;
    r->c->rip = 0x4000;
    r->c->r[RCX] = 0x400;
    r->c->r[RDI] = 0x5000;
    rig_code(r, 0x4000, "\xe8\x00\x00\x00\x00\xf3\xab\xf4", 8);
    u8 rel[4];
    st32(rel, code - 0x4005);
    rig_code(r, 0x4001, rel, 4);
    rig_code(r, code, "\xe9\xfb\x00\x00\x00", 5); /* two blocks: jmp code + 100h; ret */
    rig_code(r, code + 0x100, "\xc3", 1);
    cpu_update_mode(r->c);
    cpu_run(r->c, 100000);
    ck_assert(r->c->halted);
    ck_assert_uint_eq(r->c->r[RDI], 0x6000);
    u64 n = cpu_icount(r->c);
    rig_free(r);
    return n;
}

/* What has been decoded where a string instruction writes is no matter of the instruction count. */
START_TEST(strings_over_code_count_like_others)
{
    ck_assert_uint_eq(stos_count(0x580c), stos_count(0x700c));
}
END_TEST

Suite *interp_suite(void)
{
    Suite *s = suite_create("interp");
    TCase *t = tcase_create("interp");
    tcase_add_test(t, eip_goes_on_at_0_behind_4_gib);
    tcase_add_test(t, strings_over_code_count_like_others);
    tcase_add_test(t, alignment_check_of_avx_loads_in_a_known_page);
    suite_add_tcase(s, t);
    return s;
}
