/* The HPET, where the machine has one. The checks are those of tests/guest/hpet.c, here in both processor modes and behind the BIOS. */
#include "tests/guest/dev.c"
#include "tests/guest/hpet.c"

struct bm_info;
void bm_main(const struct bm_info *info);
void bm_main(const struct bm_info *info)
{
    (void)info;
    W7_PLAN(155);
    dev_init();
    test_hpet();
    dev_stop(16);
}
