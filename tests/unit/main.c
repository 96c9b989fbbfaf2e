/* Runs every suite: suites.h is generated from the names of tests/unit/test_NAME.c, each of which defines `Suite *NAME_suite(void)`.
 * An argument names the suites to run. The last line, "N passed, N failed", is what scripts read. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUITE(name) Suite *name##_suite(void);
#include "suites.h"
#undef SUITE

static const struct {
    const char *name;
    Suite *(*make)(void);
} suites[] = {
#define SUITE(name) { #name, name##_suite },
#include "suites.h"
#undef SUITE
};

static int wanted(const char *name, int argc, char **argv)
{
    for (int k = 1; k < argc; k++) {
        if (!strcmp(argv[k], name)) return 1;
    }
    return argc < 2;
}

int main(int argc, char **argv)
{
    SRunner *sr = srunner_create(NULL);
    for (size_t k = 0; k < sizeof(suites) / sizeof(suites[0]); k++) {
        if (wanted(suites[k].name, argc, argv)) srunner_add_suite(sr, suites[k].make());
    }
    srunner_run_all(sr, CK_NORMAL);
    int failed = srunner_ntests_failed(sr), run = srunner_ntests_run(sr);
    srunner_free(sr);
    printf("%d passed, %d failed\n", run - failed, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
