/* The translator as an engine: options, code memory, modified code, exact counts. What it computes is
 * compared by `make engine-tests` (vectors and guest programs); here is what those cannot see. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu/state.h"
#include "tests/oracle/rig.h"

Suite *jit_suite(void);

static struct cpu_env env_of(struct rig *r, const char *engine)
{
    struct cpu_env env = r->c->env;
    env.engine = engine;
    return env;
}

START_TEST(unknown_engines_and_options_are_refused)
{
    static const char *const bad[] = { "fast", "jit,hot=256", "jit,ops=0", "jit,ops=65", "jit,cache=1",
                                       "jit,links", "jit,", "jitter", "jit,hot=", "jit,hot=1x",
                                       "jit,flush=all", "jit,run=5", "lockstep,run=", "lockstep,run=100001",
                                       "locksteps" };
    struct rig *r = rig_new("max", false);
    struct error e;
    for (unsigned k = 0; k < LEN(bad); k++) {
        struct cpu_env env = env_of(r, bad[k]);
        e.text[0] = 0;
        ck_assert_msg(cpu_create("max", &env, &e) == NULL, "%s", bad[k]);
        ck_assert_msg(strstr(e.text, "engine") != NULL, "%s", e.text);
    }
    rig_free(r);
}
END_TEST

/* Lines of /proc/self/maps that allow writing and executing. */
static unsigned writable_and_executable(void)
{
    char line[512];
    unsigned n = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    ck_assert(f != NULL);
    while (fgets(line, sizeof(line), f)) {
        const char *rights = strchr(line, ' ');
        if (rights && rights[2] == 'w' && rights[3] == 'x') n++;
    }
    fclose(f);
    return n;
}

START_TEST(no_page_is_writable_and_executable)
{
    setenv("AEROPC_ENGINE", "jit,hot=0", 1);
    struct rig *r = rig_new("max", false);
    ck_assert_uint_eq(writable_and_executable(), 0);
    ck_assert(r->c->jit != NULL);
    rig_free(r);
}
END_TEST

Suite *jit_suite(void)
{
    Suite *s = suite_create("jit");
    TCase *t = tcase_create("engine");
    tcase_add_test(t, unknown_engines_and_options_are_refused);
    tcase_add_test(t, no_page_is_writable_and_executable);
    suite_add_tcase(s, t);
    return s;
}
