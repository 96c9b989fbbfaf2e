/* The keyboard controller. The checks are those of tests/guest/kbc.c, here in both processor modes and behind the BIOS. */
#include "tests/guest/dev.c"
#include "tests/guest/kbc.c"

struct bm_info;
void bm_main(const struct bm_info *info);
void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(211, 212, 213, 214, 216, 218, 220);
    dev_init();
    test_kbc();
    dev_stop(16);
}
