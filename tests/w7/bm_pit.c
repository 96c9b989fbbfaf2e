/* The 8254. The checks are those of tests/guest/pit.c, here in both processor modes and behind the BIOS. */
#include "tests/guest/dev.c"
#include "tests/guest/pit.c"

struct bm_info;
void bm_main(const struct bm_info *info);
void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(148, 149);
    dev_init();
    test_pit();
    dev_stop(16);
}
