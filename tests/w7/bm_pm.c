/* ACPI fixed registers and PM timer. The checks are those of tests/guest/pm.c, here in both processor modes and behind the BIOS. */
#include "tests/guest/dev.c"
#include "tests/guest/pm.c"

struct bm_info;
void bm_main(const struct bm_info *info);
void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(50, 77, 78, 79, 146, 147);
    dev_init();
    test_pm();
    dev_stop(16);
}
