/* CPUID words of the models and the rule that announced features are the ones that gate control
 * bits. */
#include "tests/unit/cpu_rig.h"

#define OF(r, leaf, sub)                                                                           \
    u32 out[4];                                                                                    \
    cpuid_leaf((r)->c, leaf, sub, out)

START_TEST(win7_identity)
{
    static const struct {
        u32 leaf, sub, v[4];
    } want[] = {
        { 0, 0, { 0x0a, 0x756e6547, 0x6c65746e, 0x49656e69 } },
        { 1, 0, { 0x00010673, 0x00010800, 0x80082201, 0x078bfbff } }, /* bit 1: VME works */
        { 2, 0, { 1, 0, 0x4d, 0x002c307d } },
        { 4, 0, { 0x121, 0x01c0003f, 0x3f, 1 } },
        { 4, 2, { 0x143, 0x03c0003f, 0xfff, 1 } },
        { 4, 4, { 0, 0, 0, 0 } },
        { 5, 0, { 0, 0, 0, 0 } },
        { 6, 0, { 0, 0, 0, 0 } },
        { 7, 0, { 0, 0, 0, 0 } },
        { 10, 0, { 0, 0, 0, 0 } },
        { 0x40000000, 0, { 0x40000001, 0x6f726561, 0x65616370, 0x63706f72 } },
        { 0x40000001, 0, { 0, 0, 0, 0 } },
        { 0x80000000, 0, { 0x80000008, 0, 0, 0 } },
        { 0x80000001, 0, { 0x00010673, 0, 1, 0x20100800 } },
        { 0x80000006, 0, { 0, 0x42004200, 0x02008140, 0x00808140 } },
        { 0x80000007, 0, { 0, 0, 0, 0x100 } },
        { 0x80000008, 0, { 0x3028, 0, 0, 0 } },
    };
    struct rig *r = rig_new("win7");
    for (unsigned i = 0; i < LEN(want); i++) {
        OF(r, want[i].leaf, want[i].sub);
        for (unsigned k = 0; k < 4; k++)
            ck_assert_msg(out[k] == want[i].v[k], "leaf %x reg %u: %08x", want[i].leaf, k, out[k]);
    }
    rig_free(r);
}
END_TEST

START_TEST(windows_x64_minimum_is_met_by_all_models)
{
    static const char *const names[] = { "win7", "qemu64", "max" };
    for (unsigned i = 0; i < LEN(names); i++) {
        struct rig *r = rig_new(names[i]);
        OF(r, 1, 0);
        ck_assert_uint_eq(out[3] & 0x0789f3fd, 0x0789f3fd);
        cpuid_leaf(r->c, 0x80000001, 0, out);
        ck_assert(out[3] & 0x800);
        rig_free(r);
    }
}
END_TEST

START_TEST(never_announced)
{
    struct rig *r = rig_new("max");
    OF(r, 1, 0);
    /* MONITOR, VMX, EST, TM2, x2APIC, TSC deadline, OSXSAVE before CR4 says so */
    ck_assert_uint_eq(
        out[2] & (1u << 3 | 1u << 5 | 1u << 7 | 1u << 8 | 1u << 21 | 1u << 24 | 1u << 27), 0);
    cpuid_leaf(r->c, 10, 0, out);
    ck_assert_uint_eq(out[0], 0);
    rig_free(r);
}
END_TEST

START_TEST(only_max_says_that_it_does_not_leak)
{
    static const char *const names[] = { "win7", "qemu64", "p3", "max" };
    for (unsigned i = 0; i < LEN(names); i++) {
        struct rig *r = rig_new(names[i]);
        OF(r, 7, 0);
        bool has = i == 3;
        if (i == 0 || i == 3) {
            ck_assert_uint_eq(out[3], has ? 1u << 26 | 1u << 29 : 0);
            ck_assert_uint_eq(out[0], has ? 2 : 0);
            cpuid_leaf(r->c, 7, 2, out);
            ck_assert_uint_eq(out[3], has ? 1u << 4 : 0);
        }
        rig_free(r);
    }
}
END_TEST

START_TEST(unknown_model_lists_the_known_ones)
{
    struct rig *r = rig_new("win7");
    struct error e = { "" };
    ck_assert(cpu_create("k9", &r->c->env, &e) == NULL);
    ck_assert(strstr(e.text, "win7, qemu64, p3, max") != NULL);
    rig_free(r);
}
END_TEST

START_TEST(brand_string_is_terminated)
{
    struct rig *r = rig_new("win7");
    char s[49] = { 0 };
    for (unsigned i = 0; i < 3; i++) {
        OF(r, 0x80000002 + i, 0);
        memcpy(s + i * 16, out, 16);
    }
    ck_assert_str_eq(s, "AeroPC Virtual CPU (Core 2 class)");
    rig_free(r);
}
END_TEST

Suite *cpuid_suite(void);
Suite *cpuid_suite(void)
{
    Suite *s = suite_create("cpuid");
    TCase *t = tcase_create("cpuid");
    tcase_add_test(t, win7_identity);
    tcase_add_test(t, windows_x64_minimum_is_met_by_all_models);
    tcase_add_test(t, never_announced);
    tcase_add_test(t, only_max_says_that_it_does_not_leak);
    tcase_add_test(t, unknown_model_lists_the_known_ones);
    tcase_add_test(t, brand_string_is_terminated);
    suite_add_tcase(s, t);
    return s;
}
