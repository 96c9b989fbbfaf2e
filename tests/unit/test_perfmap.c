/* perf=on: the file for Linux's perf names what was translated, and the memory of it is anonymous,
 * without which perf does not look into the file. */
#include <stdio.h>
#include <unistd.h>

#include "cpu/jit/priv.h"
#include "tests/unit/cpu_rig.h"

Suite *perfmap_suite(void);

/* A count of 100 down at 4000h: translated on first execution. */
static struct rig *run_loop(void)
{
    struct rig *r = rig_with("win7", "jit,hot=0,perf=on");
    rig_protected(r, 0);
    rig_code(r, 0x4000, "\xb9\x64\x00\x00\x00\x49\x75\xfd\xf4", 9);
    cpu_run(r->c, 1000);
    ck_assert_uint_eq(r->c->r[RCX], 0);
    return r;
}

START_TEST(translations_are_named_by_guest_address)
{
    char path[40], line[200];
    bool named = false;
    struct rig *r = run_loop();
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
    FILE *f = fopen(path, "r");
    ck_assert(f != NULL);
    while (fgets(line, sizeof(line), f)) named |= strstr(line, " kernel_4005\n") != NULL;
    fclose(f);
    unlink(path);
    ck_assert(named);
    rig_free(r);
}
END_TEST

START_TEST(code_memory_is_anonymous)
{
    char line[512], path[40];
    bool anonymous = false;
    struct rig *r = run_loop();
    uintptr_t code = (uintptr_t)r->c->jit->rx;
    FILE *f = fopen("/proc/self/maps", "r");
    ck_assert(f != NULL);
    while (fgets(line, sizeof(line), f)) {
        unsigned long from, to;
        ck_assert_int_eq(sscanf(line, "%lx-%lx", &from, &to), 2);
        if (code >= from && code < to) anonymous = strstr(line, "/dev/zero") != NULL;
    }
    fclose(f);
    ck_assert(anonymous);
    rig_free(r);
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
    unlink(path);
}
END_TEST

Suite *perfmap_suite(void)
{
    Suite *s = suite_create("perfmap");
    TCase *t = tcase_create("perfmap");
    tcase_add_test(t, translations_are_named_by_guest_address);
    tcase_add_test(t, code_memory_is_anonymous);
    suite_add_tcase(s, t);
    return s;
}
